"""Problem set 3, chapters 5 and 6: stages and bubbles, prices and caches."""

import math

from memwall import Model, System, pipelining, pricing, roofline
from memwall.catalog import MemoryDevice
from memwall.core.units import DAY, GB, TB
from memwall_classroom import Choice, Criterion, Draw, Formula, Letter, Number, ProblemSet, Written
from memwall_classroom.marking.props import PEOPLE, machine, model, told
from memwall_classroom.reading.answers import say

SET = ProblemSet(
    "set3",
    "Problem set 3: stages, prices and caches",
    chapters=(5, 6),
    goals=(
        "say what pipeline stages divide and what they do not",
        "turn an idle share into days of a training run",
        "read a cache's size and a break-even out of a price list",
        "decide where a cache should wait, and for how long",
    ),
    intro=(
        "Cutting a model into stages saves some things and not others; keeping a cache costs room, making it again costs "
        "arithmetic. Price lists tell something about both."
    ),
)


@SET.question(
    points=2, minutes=5, goal="Say what a longer pipeline divides, and what it leaves as it was"
)
def divided(draw: Draw) -> Choice:
    """What do stages divide?"""
    racks, more = draw.pick((1, 2), (1, 4), (2, 4), (2, 6), (3, 6), (2, 8))
    held = draw.pick("micro-batch", "users")
    factor = more // racks
    head = (
        f"{draw.pick(*PEOPLE).capitalize()} decodes with a looped pipeline of {racks} stage{'s' if racks > 1 else ''}, each a rack of its own, "
        f"and goes to {more} stages of equal racks. "
    )
    # what becomes of each of them, and why; the last one, the same too, is left out where the same is asked for
    if held == "micro-batch":
        head += (
            "The micro-batch stays as it is, and as many of them are in flight as there are stages."
        )
        fates = {
            "the weight bytes on each chip": (
                "smaller",
                "The model is cut into more parts: each chip holds less of it.",
            ),
            "the cache bytes on each chip": (
                "the same",
                "More stages need as many more micro-batches in flight: the stages cancel for the caches.",
            ),
            "the number of sequences whose caches are stored in all racks together": (
                "larger",
                "There are as many more micro-batches, each as large as before.",
            ),
            "the time from one token of a user to the next, hops aside": (
                "as before",
                "A token still passes all layers, one stage after the other: only the hops are new.",
            ),
        }
    else:
        head += f"The number of users stays as it is, so each micro-batch has 1/{factor} of its sequences. Before, it was just at balance."
        fates = {
            "the share of a step during which the arithmetic units have work": (
                "smaller",
                "The micro-batch is below balance now: the same weights are read for fewer sequences.",
            ),
            "the number of sequences whose caches are stored in all racks together": (
                "the same",
                "The users are the same, and so are their caches: they are only spread over more racks.",
            ),
            "the number of micro-batches under way": (
                "larger",
                "There is one for each stage, and there are more stages.",
            ),
            "the time for which a token's step reads weights on all its way through the stages": (
                "as before",
                "All layers' weights are read once on a token's way, whichever racks hold them.",
            ),
        }
    asked = draw.pick("smaller", "the same", "larger")
    offered = {
        text: fate for text, fate in fates.items() if (asked, fate[0]) != ("the same", "as before")
    }
    right = next(text for text, (fate, _) in offered.items() if fate == asked)
    wrong = {text: why for text, (_, why) in offered.items() if text != right}
    return Choice(
        f"{head}\n\n{'What stays the same?' if asked == 'the same' else f'What becomes {asked}?'}",
        options=draw.options(right, wrong),
        solution=(
            "With the micro-batch held, N_t w / (E P) falls and b L k / E does not; more sequences are under way, and the latency gains "
            "only hops. With the users held the micro-batch falls below balance: the same weights are read for fewer sequences."
        ),
    )  # fmt: skip


@SET.question(points=3, minutes=8, goal="Turn idle shares into days of a training run")
def bubble(draw: Draw) -> Number:
    """Days in the bubble"""
    stages, batches = draw.integer(4, 24), draw.integer(2, 12) * 4
    draw.require(batches >= stages)
    days = draw.number(12, 90)
    chunks = draw.pick(1, 1, 2, 4)
    old = pipelining.fill_bubble(stages, batches, 1)
    if chunks == 1:
        new = pipelining.zb_h1_bubble(stages, batches)
        change = "to ZB-H1, in which forward, backward and weight-gradient passes take equally long"
    else:
        new = pipelining.fill_bubble(stages, batches, chunks)
        change = f"to the interleaved schedule with {chunks} chunks of layers on each stage"
    answer = days * DAY / pipelining.speed_over(new, old)
    draw.require(old - new > 0.06)
    return Number(
        f"A training run on {stages} pipeline stages with {batches} micro-batches a step would take {say(days)} days with "
        f"1F1B. {draw.pick(*PEOPLE).capitalize()} changes the schedule {change}. Hops cost nothing and the useful work stays "
        "the same.\n\nHow long does the run take?",
        answer=answer,
        unit="days",
        plausible=("1 day", "800 days"),
        tolerance=0.01,
        mistakes={
            "You scaled by the idle shares: what scales is the time that is not idle.": days * DAY * new / old,
            "You turned the ratio over: less idle time makes a shorter run.": days * DAY * pipelining.speed_over(new, old),
            "You took away all idle time: some of it stays.": days * DAY * (1 - old),
            "You took idle over useful time for idle over all time.": days * DAY * (1 - pipelining.idle_per_work(old))
                / (1 - pipelining.idle_per_work(new)),
        },
        solution=(
            f"1F1B is idle for {float(old):.4g} of the time, the new schedule for {float(new):.4g}: "
            f"{days:g} x (1 - {float(old):.4g}) / (1 - {float(new):.4g}) = {answer / DAY:.4g} days."
        ),
    )  # fmt: skip


@SET.question(
    points=3, minutes=8, goal="Find the context that fits on a chip of a pipelined machine"
)
def longest(draw: Draw) -> Number:
    """The longest context"""
    chips, stages = draw.pick(8, 16, 32, 64), draw.pick(2, 3, 4)
    rack = machine(draw, chips=(chips,))
    share = draw.number(0.2, 0.7)
    width = draw.pick(0.5, 1.0)
    total = draw.rounded(share * rack.system.capacity * stages / width)
    net = model(draw, total=(total, total), cache=(20e3, 200e3)).replace(bytes_per_param=width)
    micro = draw.number(200, 3000)
    weights = pipelining.weights_per_chip(net, chips, stages)
    batch = pipelining.global_batch(micro, stages)
    each = pipelining.kv_per_chip(batch, 1, net, chips, stages)
    context = (rack.capacity - weights) / each
    draw.require(1000 < context < 400_000)
    slip = (rack.capacity - weights) / pipelining.kv_per_chip(micro, 1, net, chips, stages)
    return Number(
        f"{draw.pick(*PEOPLE).capitalize()} runs {told(net)} on {stages} stages in a loop; each stage is {rack.told()}. Weights "
        f"and caches are spread evenly over a stage's chips. {stages} micro-batches of {say(micro)} sequences are in flight, one "
        "for each stage.\n\nHow long may the contexts be at most, if all have the same length?",
        answer=context,
        unit="tokens",
        plausible=("500 tokens", "900,000 tokens"),
        mistakes={
            "You divided the caches by the stages: there are as many micro-batches as stages.": slip,
            "You left no room for the weights.": rack.capacity / each,
        },
        solution=(
            f"Weights a chip: N_t w / (E P) = {weights / 1e9:.4g} GB of {rack.capacity / 1e9:g} GB. A token of context costs "
            f"b k / E = {each / 1e6:.4g} MB a chip, since b P sequences are in flight. {context:,.0f} tokens."
        ),
    )  # fmt: skip


@SET.question(
    points=4,
    minutes=12,
    goal="Write a time, a room or a break-even of chapters 5 and 6 as a formula",
)
def in_letters(draw: Draw) -> Formula:
    """In letters"""
    who = draw.pick(*PEOPLE)
    kind = draw.pick("token", "room", "wait", "kink", "prefill")
    base = {
        "N_a": Letter("active parameters", "1", 1e9, 1e11),
        "F": Letter("FLOP a second of one machine (a multiply-add is two)", "FLOP/s", 1e15, 1e17),
        "W": Letter("bytes a second from its HBM", "B/s", 1e13, 5e14),
        "C": Letter("bytes of its HBM", "B", 1e12, 2e13),
        "k": Letter("cache bytes of a token", "B", 1e4, 4e5),
        "w": Letter("bytes of a stored parameter", "B", 0.5, 2),
        "N_t": Letter("all parameters", "1", 1e11, 2e12),
    }
    if kind == "token":
        letters = {x: base[x] for x in ("N_a", "N_t", "F", "W", "w")} | {
            "b": Letter("sequences of a micro-batch", "1", 64, 16384),
            "P": Letter("stages, at least two", "1", 2, 16),
            "t": Letter("time of one hop", "s", 1e-5, 5e-3),
            "q": Letter(
                "time a stage needs beside its step, for each micro-batch", "s", 1e-5, 2e-3
            ),
        }

        def token(N_a, N_t, F, W, w, b, P, t, q):
            made = Model(N_t, N_a, bytes_per_param=w, kv_bytes_per_token=0.0)
            stage = pipelining.stage_time(b, 0, made, System(F, W), P) + q
            return pipelining.token_time(stage, P, t)

        return Formula(
            f"The pipeline of {who} has P equal stages in a loop, each a machine with the rates below that holds 1/P of the "
            "layers. Beside its share of the step each stage needs a time q for housekeeping. The caches are too small to "
            "matter.\n\nWrite the time from one token of a sequence to its next.",
            token, letters, "s",
            {
                "You forgot the way back to the first stage: P stages have P hops.":
                    lambda t, **v: token(t=t, **v) - t,
                "Housekeeping happens on every stage.":
                    lambda q, P, **v: token(q=q / P, P=P, **v),
                "You divided the step by the stages: a token passes all of them.":
                    lambda N_a, N_t, P, **v: token(N_a=N_a / P, N_t=N_t / P, P=P, **v),
                "You left the housekeeping out.": lambda q, **v: token(q=0 * q, **v),
            },
            "All stages in turn: P (t(b)/P + q) + P t, with t(b) = max(2 b N_a / F, N_t w / W).",
            "max(2*b*N_a/F, N_t*w/W) + P*(q + t)",
        )  # fmt: skip
    if kind == "room":
        letters = {
            "N_t": base["N_t"], "w": base["w"], "k": base["k"],
            "E": Letter("chips of a stage", "1", 4, 100),
            "P": Letter("stages", "1", 1.5, 16),
            "b": Letter("sequences of a micro-batch", "1", 32, 4096),
            "L": Letter("tokens of context of each sequence", "1", 1000, 1e5),
            "S": Letter("tokens at the beginning that all sequences share, less than L", "1", 100, 900),
        }  # fmt: skip

        def room(N_t, w, k, E, P, b, L, S):
            made = Model(N_t, N_t, bytes_per_param=w, kv_bytes_per_token=k)
            batch = pipelining.global_batch(b, P)
            own = pipelining.bytes_per_chip(batch, L - S, made, E, P)
            return own + pipelining.kv_per_chip(1, S, made, E, P)

        return Formula(
            f"The looped pipeline of {who} has P stages of E chips, and one micro-batch of b sequences in flight for each "
            "stage. All sequences begin with the same S tokens, whose cache is stored once for the whole pipeline, spread "
            "over all chips like everything else.\n\nWrite the bytes of weights and caches that a chip holds.",
            room, letters, "B",
            {
                "You divided the sequences' own caches by the stages: P micro-batches are in flight.":
                    lambda b, P, **v: room(b=b / P, P=P, **v),
                "You stored the common beginning with every sequence.":
                    lambda S, L, **v: room(S=0 * S, L=L, **v),
                "The common beginning is spread over all stages as well.":
                    lambda S, k, E, P, **v: room(S=S, k=k, E=E, P=P, **v) + (P - 1) * pipelining.kv_per_chip(
                        1, S, Model(1.0, 1.0, kv_bytes_per_token=k), E, P),
            },
            "(N_t w + S k) / (E P) + b (L - S) k / E: the stages divide what is stored once, and cancel for what is not.",
            "(N_t*w + S*k)/(E*P) + b*(L - S)*k/E",
        )  # fmt: skip
    if kind == "wait":
        letters = {x: base[x] for x in ("N_a", "F", "C", "k")} | {
            "u": Letter("share of its rate that the arithmetic reaches", "1", 0.2, 0.9),
            "c": Letter("by which a waiting cache is compressed", "1", 1.5, 8),
        }

        def wait(N_a, F, C, k, u, c):
            made = Model(N_a, N_a, kv_bytes_per_token=k / c)
            return pricing.break_even_hold(made, System(u * F, 1e13, capacity=C))

        return Formula(
            f"{who.capitalize()} keeps the caches of users who may come back in HBM, compressed by a factor c at no cost. Making "
            "a cache again runs the arithmetic at a share u of its rate. A byte of HBM costs its share of the machine's "
            "rent.\n\nWrite the time after which making a token's cache again would have been cheaper than holding it.",
            wait, letters, "s",
            {
                "A slower recomputation makes holding pay longer, not shorter.":
                    lambda u, **v: wait(u=1 / u, **v),
                "You compressed the wrong way round: a smaller cache may wait longer.":
                    lambda c, **v: wait(c=1 / c, **v),
                "You counted a multiply-add once: it is two FLOP.": lambda **v: wait(**v) / 2,
            },
            "(k / c / C) $ T = (2 N_a / (u F)) $: the rent cancels, T = 2 N_a C c / (u F k).",
            "2*N_a*C*c/(u*F*k)",
        )  # fmt: skip
    if kind == "kink":
        letters = {x: base[x] for x in ("N_a", "F", "W", "k", "w")} | {
            "s": Letter("sparsity N_t / N_a", "1", 2, 30),
            "x": Letter("batch over the balance batch, more than 1", "1", 1.3, 8),
        }

        def kink(N_a, F, W, k, w, s, x):
            made = Model(N_a * s, N_a, bytes_per_param=w, kv_bytes_per_token=k)
            system = System(F, W)
            return pricing.kink_context(x * roofline.balance_batch(made, system), made, system)

        used = {n: letter for n, letter in letters.items() if n not in ("s", "w")}

        def tidy(N_a, F, W, k, x):
            # sparsity and width cancel once the batch is counted in balance batches
            return kink(N_a, F, W, k, 1.0, 2.0, x)

        return Formula(
            f"{who.capitalize()} serves batches x times as large as the balance batch (weights against arithmetic, no caches). "
            "As contexts grow, a token's cost is flat at first and then rises.\n\nWrite the context at which it begins to rise.",
            tidy, used, "tokens",
            {
                "You left out the time that the weights take: at a finite batch the rise begins sooner.":
                    lambda N_a, F, W, k, x: roofline.balanced_context(Model(N_a, N_a, kv_bytes_per_token=k), System(F, W)) + 0 * x,
                "You counted a multiply-add once: it is two FLOP.": lambda **v: tidy(**v) / 2,
                "You took the weights' share of the step for what is left beside it.":
                    lambda x, **v: tidy(x=x, **v) / (x - 1),
            },
            "2 B N_a / F = (N_t w + B L k) / W; with B = x B* the weights take 1/x of it: L = (2 N_a W / (F k)) (1 - 1/x).",
            "2*N_a*W*(1 - 1/x)/(F*k)",
        )  # fmt: skip
    letters = {x: base[x] for x in ("N_a", "N_t", "F", "W", "w")} | {
        "l": Letter("tokens of a prompt that one pass reads", "1", 16, 16384),
        "R": Letter("rent of the machine a second", "$/s", 0.001, 0.1),
        "h": Letter(
            "share of the prompts' tokens found in a cache, which cost nothing", "1", 0.05, 0.95
        ),
    }

    def prompt(N_a, N_t, F, W, w, l, R, h):
        made = Model(N_t, N_a, bytes_per_param=w, kv_bytes_per_token=0.0)
        return (1 - h) * pricing.pass_cost(1, l, 0, made, System(F, W, dollars_per_second=R))

    return Formula(
        f"{who.capitalize()} reads prompts in passes of l tokens of one sequence, with nothing else in the pass; caches are too "
        "small to matter for time. A share h of all prompt tokens is found in a cache and costs nothing; the passes "
        "read only the others.\n\nWrite the dollars that a prompt token costs on average.",
        prompt, letters, "$",
        {
            "That is the cost of a token that was not found.": lambda h, **v: prompt(h=0 * h, **v),
            "That is the share found, which costs nothing.": lambda h, **v: prompt(h=1 - h, **v),
            "That is a whole pass: it reads l tokens.": lambda l, **v: prompt(l=l, **v) * l,
            "Arithmetic and traffic overlap: take the larger, not the sum.":
                lambda N_a, N_t, F, W, w, l, R, h: (1 - h) * R / l * (
                    l * roofline.compute_time(1, Model(N_t, N_a), System(F, W))
                    + roofline.weight_time(Model(N_t, N_a, bytes_per_param=w), System(F, W))),
        },
        "(1 - h) R max(2 l N_a / F, N_t w / W) / l: the weights are shared by the tokens of a pass.",
        "(1 - h)*R*max(2*l*N_a/F, N_t*w/W)/l",
    )  # fmt: skip


@SET.question(
    points=3, minutes=8, goal="Read a cache's size out of a step in a price list, at a finite batch"
)
def leak(draw: Draw) -> Number:
    """What the price list leaks"""
    rack, net = machine(draw), model(draw)
    kink = draw.pick(32_000, 64_000, 100_000, 128_000, 200_000, 256_000, 272_000)
    balance = roofline.balance_batch(net, rack.system)
    batch = draw.number(1.6 * balance, 4 * balance)
    share = 1 - balance / batch
    endless = pricing.implied_cache_bytes(kink, net, rack.system)
    answer = endless * share
    draw.require(answer > 500 and rack.holds(net.replace(kv_bytes_per_token=answer), batch, kink))
    return Number(
        f"A provider raises its price for contexts above {say(kink)} tokens. {draw.pick(*PEOPLE).capitalize()} guesses that the "
        f"step sits where a token's cost begins to rise, and that the model is {told(net, cache=False)}, served on "
        f"{rack.told()}, in batches of {say(batch)} sequences.\n\nHow large is the KV cache of a token then?",
        answer=answer,
        unit="kB/token",
        plausible=("0.1 kB/token", "90 kB/token"),
        mistakes={
            "You took an endless batch: at a finite one the weights use part of the time.": endless,
            "You counted a multiply-add once: it is two FLOP.": answer / 2,
            "You used the share that the weights take; the caches have what is left.": endless
            * (1 - share),
            "You used all parameters: only the active ones multiply.": answer
            * roofline.sparsity(net),
        },
        solution=(
            f"At the kink 2 B N_a / F = (N_t w + B L k) / W. For an endless batch k = 2 N_a W / (F L) = {float(endless):.4g} B; "
            f"here the weights take {float(1 - share):.3g} of the time, which leaves {float(answer):.4g} B."
        ),
    )


@SET.question(points=3, minutes=10, goal="Find how long a cache may wait on a cheap device")
def shelf(draw: Draw) -> Number:
    """On the shelf"""
    rent = draw.integer(6, 24) * 0.25 / 3600
    rack = machine(draw, chips=(8,), rent=rent)
    net = model(draw, cache=(30e3, 300e3))
    draw.require(rack.holds(net))
    capacity = draw.pick(4, 8, 16, 32, 64) * TB
    device = MemoryDevice(
        name="drive", tier="flash", capacity=capacity, bandwidth=draw.number(3, 14) * GB,
        dollars_per_byte=draw.pick(0.05, 0.08, 0.1, 0.15, 0.2) / GB,
    )  # fmt: skip
    years = draw.pick(3, 4, 5)
    life = years * 365 * DAY
    answer = pricing.device_break_even(life, net, rack.system, device)
    drain = pricing.device_drain_time(device)
    draw.require(0.8 * drain < answer < 20 * drain)
    mistakes = {
        "You forgot that reading back occupies the drive, for one drain time's worth.": answer + drain,
        "You held it in HBM: that is the break-even of chip memory.":
            pricing.break_even_hold(net, rack.system),
    }  # fmt: skip
    one_chip = (answer + drain) / rack.chips - drain
    if one_chip > 0.1 * drain:
        mistakes["You rented one chip: all of them compute."] = one_chip
    return Number(
        f"{draw.pick(*PEOPLE).capitalize()} serves {told(net)}, on {rack.told()}; a chip rents for {say(rent, '$/s')}. Caches "
        f"of users who pause go to flash drives of {say(capacity, 'B')} that read {say(device.bandwidth, 'B/s')} and cost "
        f"\\${device.dollars_per_byte * 1e9:g} a GB; a drive lasts {years} years of 365 days and is paid off evenly over them. "
        "A waiting cache pays for its share of the bytes, and reading it back pays for the whole drive while that lasts. "
        "The alternative is to compute the cache again at full rate.\n\n"
        "How long may a cache wait before computing it again would have been cheaper?",
        answer=answer,
        unit="h",
        plausible=("0.1 h", "90 h"),
        tolerance=0.03,
        mistakes=mistakes,
        solution=(
            f"Computing again costs 2 N_a / F times the rent = {float(pricing.recompute_cost(net, rack.system)):.4g} dollars a token. "
            f"Its bytes cost k p / life a second; the drain time {drain / 3600:.4g} h is paid for reading. "
            f"What is left allows {answer / 3600:.4g} h."
        ),
    )  # fmt: skip


@SET.question(points=3, minutes=8, goal="Say how often a cache must be hit to pay for itself")
def hits(draw: Draw) -> Number:
    """How often must it hit?"""
    write = draw.integer(22, 90) * 0.05
    read = draw.pick(0.02, 0.05, 0.1, 0.2, 0.25, 0.4, 0.5)
    share = draw.pick(0.1, 0.2, 0.25, 0.4)
    price = draw.pick(0.5, 1, 2, 3, 5, 8)
    full = pricing.hits_to_repay(write, read)
    # the tokens that are not cached cost the same either way
    return Number(
        f"A provider asks \\${price:g} for a million prompt tokens read plainly, {write:.2f} times that for tokens that are "
        f"written to its cache while they are read, and {read:g} times that for tokens found there. {share:.0%} of each prompt "
        f"of {draw.pick(*PEOPLE)} are instructions that may be cached, the rest is new every time. Some written instructions "
        "are never used again, some many times.\n\n"
        "How many hits must a write have on average, so that caching costs no more than reading plainly?",
        answer=float(full),
        unit="hits",
        plausible=("0.02 hits", "18 hits"),
        mistakes={
            "You repaid the whole write: without a cache that reading is paid as well.":
                float(pricing.hits_to_repay(write + 1, read)),
            "You divided by the price of a hit; what a hit saves is the difference to a plain reading.": (write - 1) / read,
            "The part that is never cached costs the same either way: it does not enter.": float(full / share),
        },
        solution=f"Writing costs {write - 1:.2f} more than reading plainly, each hit saves {1 - read:g}: {float(full):.4g}.",
    )  # fmt: skip


@SET.question(
    points=5, minutes=15, goal="Design a pipeline: how many racks a model and its users need"
)
def racks_needed(draw: Draw) -> Number:
    """How many racks?"""
    rack = machine(draw, chips=(8, 16, 32))
    over = draw.pick(1, 1.5, 2, 3)
    width = 1.0
    total = draw.number(0.6 * rack.system.capacity, 3.5 * rack.system.capacity)
    net = model(draw, total=(total, total), cache=(10e3, 80e3)).replace(bytes_per_param=width)
    micro = over * roofline.balance_batch(net, rack.system)
    context = draw.number(500, 20_000)
    stages = pipelining.stages_to_fit(micro, context, net, rack.system)
    draw.require(1.5 < stages < 12)
    up = math.ceil(stages)
    draw.require(0.07 < up - stages < 0.93)
    caches = micro * context * net.kv_bytes_per_token / rack.system.capacity
    draw.require(0.15 < caches < 0.85)
    naive = math.ceil(roofline.resident_bytes(micro, context, net) / rack.system.capacity)
    bare = math.ceil(net.n_total * width / rack.system.capacity)
    mistakes = {}
    for hint, wrong in (
        (
            "You let the stages share one micro-batch's caches: each stage brings a micro-batch of its own.",
            naive,
        ),
        ("You left the caches out.", bare),
        ("You rounded down: a part of a rack cannot be bought.", up - 1),
    ):
        if wrong > 0 and wrong != up and wrong * rack.chips not in mistakes.values():
            mistakes[hint] = wrong * rack.chips
    return Number(
        f"{draw.pick(*PEOPLE).capitalize()} wants to serve {told(net)}. A rack is {rack.told()}; every rack becomes a stage of a "
        f"looped pipeline, with a micro-batch in flight for each stage. So that arithmetic is busy, a micro-batch has {over:g} "
        f"times the balance batch of a rack (weights against arithmetic, caches left out). Contexts have {say(context)} "
        "tokens. Racks are bought whole.\n\nHow many chips does that take at least?",
        answer=up * rack.chips,
        unit="chips",
        plausible=("1 chip", "100,000 chips"),
        whole=True,
        counted=rack.name,
        mistakes=mistakes,
        solution=(
            f"The micro-batch is {micro:,.0f} sequences; their caches fill {caches:.3g} of a rack, whatever the number of "
            f"stages. N_t w / (C - b L k) = {float(stages):.3g}, rounded up: {up} racks of {rack.chips} chips."
        ),
    )


@SET.written(points=10, minutes=30, goal="Judge what prices can and cannot tell about costs")
def detective(draw: Draw) -> Written:
    """The price detective"""
    out, hit, step = draw.pick(4, 5, 6, 8), draw.pick(10, 20, 40), draw.pick(1.5, 2, 5)
    return Written(
        f"A price list says: output tokens cost {out} times as much as input tokens; input found in the cache costs a "
        f"{hit}th; above a certain context everything costs {step:g} times as much. {draw.pick(*PEOPLE).capitalize()} asks what "
        "that tells about the machines behind it.\n\n"
        "Write at most 300 words. For each of the three ratios give the mechanism that would produce it and the quantity "
        "you would infer, with its formula. Show one pair among them that cannot both come from cost alone for one batch, "
        "or argue that they can. Name a way in which prices leave costs, and what you would measure to find out.",
        rubric=(
            Criterion("mechanisms", 3, "a mechanism and a formula for each of the three", "two of them", "one or none"),
            Criterion("consistency", 3, "memory-bound output against a flat price below the step: worked through",
                      "stated", "missing"),
            Criterion("other reasons", 2, "a reason beside cost, and how it would show", "a reason", "none"),
            Criterion("a measurement", 2, "something an outsider can measure, and what each outcome would mean",
                      "a measurement", "none"),
        ),
        model=(
            f"Output over input = memory time over arithmetic time of a decode step, so the arithmetic fills about 1/{out} of it. A "
            f"hit at 1/{hit}: loading instead of recomputing; it bounds what storage costs. The step: contexts past the kink "
            "L* (1 - h s / B). If decode waits for memory even at short contexts there is no flat part, so no kink: the first "
            "and the third reading clash, unless batches differ, or margins and round numbers speak. Measurable: time to "
            "first token with and without a hit, speed against context."
        ),
    )  # fmt: skip
