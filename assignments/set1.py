"""Problem set 1, chapters 1 and 2: the two clocks of a decode step, and what a token costs."""

import numpy as np

from memwall import Model, System, batching, roofline
from memwall.core.algebra import maximum, minimum
from memwall_classroom import Choice, Criterion, Draw, Formula, Letter, Number, ProblemSet, Written
from memwall_classroom.marking.props import PEOPLE, machine, model, told
from memwall_classroom.reading.answers import apart, say

SET = ProblemSet(
    "set1",
    "Problem set 1: two clocks, and what a token costs",
    chapters=(1, 2),
    goals=(
        "compute the time of a decode step and say what sets it",
        "find the batch at which arithmetic and memory take equally long, also after a change",
        "turn a step's time into waiting time and into dollars",
        "size a machine for users who want a given speed",
    ),
    intro=(
        "A decode step is set by the slower of two clocks: the arithmetic, and the memory traffic of weights and KV "
        "caches. Everything here follows from that, in situations the chapters did not print."
    ),
)


@SET.question(points=2, minutes=5, goal="Say which of three demands sets the pace of a step")
def pace(draw: Draw) -> Choice:
    """Which clock is it?"""
    wanted = draw.pick("compute", "weights", "caches", "even")
    rack, net = machine(draw), model(draw)
    balance = roofline.balance_batch(net, rack.system)
    reach = roofline.balanced_context(net, rack.system)
    # above and below balance, and not so far that one look is enough
    low, high = {"compute": (1.7, 6), "weights": (0.15, 0.7), "caches": (0.8, 4), "even": (1.2, 4)}[
        wanted
    ]
    batch = draw.number(low * balance, high * balance)
    low, high = {
        "compute": (0.02, 0.3),
        "weights": (0.05, 0.5),
        "caches": (0.8, 4),
        "even": (1, 1),
    }[wanted]
    context = draw.number(low * reach, high * reach)
    if (
        wanted == "even"
    ):  # as long as the caches take what the weights leave of the arithmetic's time
        context = draw.rounded(context * (1 - balance / batch))
    draw.require(batch >= 2 and context >= 100 and rack.holds(net, batch, context))
    arithmetic = roofline.compute_time(batch, net, rack.system)
    weights = roofline.weight_time(net, rack.system)
    caches = roofline.kv_time(batch, context, net, rack.system)
    memory = weights + caches
    found = "compute" if arithmetic > memory else "weights" if weights > caches else "caches"
    if wanted == "even":
        draw.require(0.95 < arithmetic / memory < 1.05)
        found = "even"
    draw.require(found == wanted and (found == "even" or not 0.75 < arithmetic / memory < 1.35))
    draw.require(found in ("compute", "even") or not 0.6 < weights / caches < 1.7)
    texts = {
        "compute": "the arithmetic: with more FLOP/s, and nothing else changed, the step would be shorter",
        "weights": "the memory, and of its traffic the larger part is the weights",
        "caches": "the memory, and of its traffic the larger part is the KV caches",
        "even": "neither alone: arithmetic and memory take times within 10 % of each other",
    }
    hints = {
        "compute": "Compare 2 B N_a / F with the whole memory traffic: the arithmetic is no longer than that.",
        "weights": "Weights are read once a step, each sequence's cache as well: add the caches up, and the arithmetic.",
        "caches": "Compare B L k with N_t w, and their sum over the bandwidth with 2 B N_a / F.",
        "even": "Compute both times: they are not within 10 % of each other.",
    }
    return Choice(
        f"{draw.pick(*PEOPLE).capitalize()} serves {told(net)}. It runs on {rack.told()}. At noon {say(batch)} "
        f"sequences are decoded together, their contexts {say(context)} tokens long on average.\n\n"
        "What sets the time of a step at noon? Two times within 10 % of each other count as even.",
        options=draw.options(texts[found], {texts[k]: hints[k] for k in texts if k != found}),
        solution=(
            f"Arithmetic 2 B N_a / F = {arithmetic * 1e3:.2f} ms. Weights N_t w / W = {weights * 1e3:.2f} ms and caches "
            f"B L k / W = {caches * 1e3:.2f} ms, together {memory * 1e3:.2f} ms: the longer of the two sets the pace."
        ),
    )


@SET.question(points=3, minutes=8, goal="Compute a step's time for sequences of unequal length")
def night_shift(draw: Draw) -> Number:
    """The night shift"""
    rack, net = machine(draw), model(draw)
    batch = draw.integer(4, 60) * 20
    share = draw.pick(0.1, 0.2, 0.25, 0.3)
    short, long = draw.number(400, 3000), draw.number(20_000, 120_000)
    mean = (1 - share) * short + share * long
    answer = roofline.step_time(batch, mean, net, rack.system)
    arithmetic = roofline.compute_time(batch, net, rack.system)
    draw.require(rack.holds(net, batch, mean))
    draw.require(arithmetic < 0.9 * answer)  # memory sets the pace, arithmetic is no trifle
    return Number(
        f"At night {draw.pick(*PEOPLE)} runs two kinds of work in one batch of {say(batch)} sequences: {share:.0%} are "
        f"long documents of {say(long)} tokens, the rest are short notes of {say(short)} tokens. The model is "
        f"{told(net)}; the machine is {rack.told()}.\n\nHow long does one decode step take?",
        answer=answer,
        unit="ms",
        plausible=("0.2 ms", "150 ms"),
        mistakes=apart(
            answer,
            {
                "You added arithmetic and memory traffic: with perfect overlap the slower one alone counts.": roofline.serial_step_time(
                    batch, mean, net, rack.system
                ),
                "You left the KV caches out: each sequence reads its own, every step.": roofline.step_time(
                    batch, 0, net, rack.system
                ),
                "You gave every sequence the long context: what counts is the mean.": roofline.step_time(
                    batch, long, net, rack.system
                ),
                "You gave every sequence the short context: what counts is the mean.": roofline.step_time(
                    batch, short, net, rack.system
                ),
                "You took the plain average of the two lengths: weight them by how many sequences have each.": roofline.step_time(
                    batch, (short + long) / 2, net, rack.system
                ),
                "You streamed only the active parameters: a batch this large touches all experts.": roofline.step_time(
                    batch, mean, net.replace(n_total=net.n_active), rack.system
                ),
            },
        ),
        solution=(
            f"The caches read are those of the mean context, {share:g} x {long:g} + {1 - share:g} x {short:g} = {mean:,.0f} "
            f"tokens. t_m = (N_t w + B L k) / W = {answer * 1e3:.4g} ms, t_c = 2 B N_a / F = {arithmetic * 1e3:.4g} ms; "
            "the larger is the step."
        ),
    )


@SET.question(points=3, minutes=8, goal="Combine the steps of two models that share a machine")
def two_tenants(draw: Draw) -> Number:
    """Two tenants"""
    rack = machine(draw)
    first, second = model(draw), model(draw, total=(20e9, 200e9))
    draw.require(first.name != second.name)
    batch, other = draw.number(50, 900), draw.number(200, 4000)
    context, other_context = draw.number(2000, 30_000), draw.number(300, 4000)
    one = roofline.step_time(batch, context, first, rack.system)
    two = roofline.step_time(other, other_context, second, rack.system)
    draw.require(0.15 < two / one < 0.85 or 1.2 < two / one < 6)
    stored = roofline.resident_bytes(batch, context, first)
    stored += roofline.resident_bytes(other, other_context, second)
    draw.require(stored <= rack.system.capacity)
    both = one + two
    return Number(
        f"To save rent, {draw.pick(*PEOPLE)} keeps two models on {rack.told()}. They take turns, step by step: one step "
        f"of {first.name}, one of {second.name}, and so on.\n\n"
        f"- {told(first)}; {say(batch)} sequences with {say(context)} tokens of context.\n"
        f"- {told(second)}; {say(other)} sequences with {say(other_context)} tokens of context.\n\n"
        f"How many tokens a second does one user of {first.name} see?",
        answer=1 / both,
        unit="tokens/s",
        plausible=("4 tokens/s", "3000 tokens/s"),
        mistakes=apart(
            1 / both,
            {
                "You forgot the other tenant: the user waits for both steps.": 1 / one,
                "You took the slower of the two steps: they take turns, so their times add.": 1
                / max(one, two),
                "You averaged the two steps: between two tokens of a user there is one step of each.": 2
                / both,
                "That is what all users of the model see together: one user gets one token a step.": batch
                / both,
            },
        ),
        solution=(
            f"A step of {first.name} takes {one * 1e3:.4g} ms, a step of {second.name} {two * 1e3:.4g} ms (each the larger "
            f"of its arithmetic and its memory time). One token a round: 1 / {both * 1e3:.4g} ms."
        ),
    )


@SET.question(
    points=3, minutes=8, goal="Follow the balance batch through a change of precision and clock"
)
def squeezed(draw: Draw) -> Number:
    """Squeezed weights"""
    rack = machine(draw)
    net = model(draw, sparsity=(5, 30))
    draw.require(rack.holds(net))
    clock = draw.pick(0.6, 0.7, 0.75, 0.8, 0.9)
    small = net.replace(bytes_per_param=0.5)
    slow = rack.system.replace(flops=clock * rack.system.flops)
    answer = roofline.balance_batch(small, slow)
    s = roofline.sparsity(net)
    return Number(
        f"{draw.pick(*PEOPLE).capitalize()} serves {told(net, cache=False)}, on {rack.told()}. Two things happen in one "
        f"week: the weights are stored again in 4 bits each (the arithmetic stays as it was), and a heat wave brings the "
        f"chips' arithmetic down to {clock:.0%} of its rate; the memory keeps its own.\n\n"
        "After that week, from how many sequences on does the arithmetic take longer than reading the weights? Leave "
        "the KV caches out.",
        answer=answer,
        unit="sequences",
        plausible=("20 sequences", "15,000 sequences"),
        mistakes={
            "You divided by the sparsity: a sparser model has more weights to share, so it needs more sequences.": answer
            / s**2,
            "You left the sparsity out: all weights are read, but only the active ones multiply.": answer
            / s,
            "You took 1 byte a weight: what counts is how the weights are stored now.": roofline.balance_batch(
                net, slow
            ),
            "You kept the old ratio of arithmetic to bandwidth: the heat changes it, the memory keeps its rate.": roofline.balance_batch(
                small, rack.system
            ),
        },
        solution=(
            f"B* = F w N_t / (2 W N_a) with F = {clock:g} x {rack.system.flops:.4g} FLOP/s, w = 0.5 byte, "
            f"W = {rack.system.bandwidth:.4g} B/s and N_t / N_a = {s:.4g}: {answer:,.1f} sequences."
        ),
    )


@SET.question(
    points=4, minutes=12, goal="Write the step's time for a situation the chapter does not have"
)
def on_paper(draw: Draw) -> Formula:
    """On paper"""
    letters = {
        "B": Letter("sequences in the batch", "1", 64, 16384),
        "N_a": Letter("active parameters", "1", 1e9, 1e11),
        "N_t": Letter("all parameters", "1", 1e11, 2e12),
        "w": Letter("bytes a stored weight has", "B", 0.5, 2),
        "F": Letter("FLOP a second (a multiply-add is two)", "FLOP/s", 5e14, 3e16),
        "W": Letter("bytes a second from HBM", "B/s", 1e13, 5e14),
        "L": Letter("tokens of context of each sequence", "1", 300, 2e4),
        "k": Letter("cache bytes of a token", "B", 5e3, 1e5),
    }

    def net(N_a, N_t, w, k):
        return Model(n_total=N_t, n_active=N_a, bytes_per_param=w, kv_bytes_per_token=k)

    who = draw.pick(*PEOPLE)
    kind = draw.pick("prefix", "window", "weak", "even")
    written = {
        "prefix": "(N_t*w + (B*(L - P) + P)*k)/W", "window": "(N_t*w + B*min(L, V)*k)/W", "weak": "(N_t*w + B*L*k/e)/W",
        "even": "(N_t*w + B*L*k/c)/W",
    }[kind]  # fmt: skip
    if kind == "prefix":
        # few sequences with long contexts: the common beginning must be more than a trifle
        extra = {
            "P": Letter("tokens of the common beginning, less than L", "1", 50, 2900),
            "B": Letter(letters["B"].meaning, "1", 8, 512),
            "F": Letter(letters["F"].meaning, "FLOP/s", 3e13, 1e15),
            "L": Letter(letters["L"].meaning, "1", 3000, 2e5),
            "k": Letter(letters["k"].meaning, "B", 1e4, 4e5),
        }
        story = (
            f"All B sequences that {who} decodes begin with the same P tokens of instructions. Their cache is stored "
            "once, and a step reads it once for everybody; the rest of each context (L tokens in all) is its own."
        )

        def memory(B, N_a, N_t, w, F, W, L, k, P):
            m, s = net(N_a, N_t, w, k), System(F, W)
            return roofline.memory_time(B, L - P, m, s) + roofline.kv_time(1, P, m, s)

        def careless(B, N_a, N_t, w, F, W, L, k, P):
            return roofline.memory_time(B, L, net(N_a, N_t, w, k), System(F, W))

        def twice(B, N_a, N_t, w, F, W, L, k, P):
            m, s = net(N_a, N_t, w, k), System(F, W)
            return roofline.memory_time(B, L, m, s) + roofline.kv_time(1, P, m, s)

        slips = {
            "You read the common beginning once for every sequence.": careless,
            "You read the common beginning once for all, and again inside each context.": twice,
        }
    elif kind == "window":
        extra = {"V": Letter("tokens that each sequence still looks back at", "1", 100, 8000)}
        story = (
            f"To save traffic, {who} lets every token look back at no more than the last V tokens of its context. The "
            "contexts have L tokens, which may be fewer or more than V."
        )

        def memory(B, N_a, N_t, w, F, W, L, k, V):
            return roofline.memory_time(B, minimum(L, V), net(N_a, N_t, w, k), System(F, W))

        def careless(B, N_a, N_t, w, F, W, L, k, V):
            return roofline.memory_time(B, V, net(N_a, N_t, w, k), System(F, W))

        def twice(B, N_a, N_t, w, F, W, L, k, V):
            return roofline.memory_time(B, L, net(N_a, N_t, w, k), System(F, W))

        slips = {
            "A context shorter than V has no V tokens to read.": careless,
            "The window is missing: beyond V tokens nothing is read.": twice,
        }
    elif kind == "weak":
        extra = {"e": Letter("share of the HBM bandwidth that is really reached", "1", 0.4, 0.95)}
        story = (
            f"The engineers of {who} find that weights stream at the full bandwidth, but the caches, being scattered, "
            "only at a share e of it."
        )

        def memory(B, N_a, N_t, w, F, W, L, k, e):
            m, s = net(N_a, N_t, w, k), System(F, W)
            return roofline.weight_time(m, s) + roofline.kv_time(
                B, L, m, s.replace(bandwidth=e * W)
            )

        def careless(B, N_a, N_t, w, F, W, L, k, e):
            return roofline.memory_time(B, L, net(N_a, N_t, w, k), System(F, e * W))

        def twice(B, N_a, N_t, w, F, W, L, k, e):
            m, s = net(N_a, N_t, w, k), System(F, W)
            return roofline.weight_time(m, s) + roofline.kv_time(
                B, L, m, s.replace(bandwidth=W / e)
            )

        slips = {
            "You slowed the weights down as well: only the caches are scattered.": careless,
            "A smaller share of the bandwidth takes longer, not shorter.": twice,
        }
    else:
        extra = {"c": Letter("by which the cache of every token is compressed", "1", 2, 16)}
        story = f"{who.capitalize()} compresses the cache of every token by a factor c, which costs no time."

        def memory(B, N_a, N_t, w, F, W, L, k, c):
            return roofline.memory_time(B, L, net(N_a, N_t, w, k / c), System(F, W))

        def careless(B, N_a, N_t, w, F, W, L, k, c):
            return roofline.memory_time(B, L, net(N_a, N_t, w / c, k / c), System(F, W))

        def twice(B, N_a, N_t, w, F, W, L, k, c):
            return roofline.memory_time(B, L, net(N_a, N_t, w, k * c), System(F, W))

        slips = {
            "You compressed the weights as well.": careless,
            "Compressing makes the cache smaller, not larger.": twice,
        }
    return _asked_for(draw, story, letters | extra, memory, slips, written)


def _asked_for(draw, story, letters, memory, slips, written) -> Formula:
    """The same memory time asked for in three ways: alone, per token, or per token in dollars."""
    way = draw.pick("memory", "token", "dollars")
    if way == "memory":
        ask, unit = "Write the time that a step's memory traffic takes.", "s"
        used = {name: x for name, x in letters.items() if name not in ("F", "N_a")}

        def turned(part):
            # F and N_a stay out of it: any value will do
            return lambda **v: part(**v, F=1e15, N_a=1.0)

        slips = {hint: turned(wrong) for hint, wrong in slips.items()}
        return Formula(f"{story}\n\n{ask}", turned(memory), used, unit, slips, _worked(), written)
    if way == "token":
        ask, unit = (
            "Write the machine time each generated token takes: the step's time, the slower of arithmetic and memory "
            "traffic, shared by the tokens of the step.", "s",
        )  # fmt: skip
        rent = {}
    else:
        ask, unit = (
            "Write the dollars that one generated token costs: rent, times the step's time, over its tokens.",
            "$",
        )
        rent = {"R": Letter("rent of the machine a second", "$/s", 0.001, 0.1)}

    def cost(part, R=1, **v):
        arithmetic = roofline.compute_time(
            v["B"], Model(v["N_a"], v["N_a"]), System(v["F"], v["W"])
        )
        return R * maximum(arithmetic, part(**v)) / v["B"]

    def turned(part):
        return lambda **v: cost(part, **v)

    def whole_step(**v):
        return cost(memory, **v) * v["B"]

    slips = {hint: turned(wrong) for hint, wrong in slips.items()} | {
        "That is the whole step: it makes B tokens.": whole_step,
        "Arithmetic and traffic overlap: take the larger, not the sum.": lambda R=1, **v: R / v["B"] * (
            roofline.compute_time(v["B"], Model(v["N_a"], v["N_a"]), System(v["F"], v["W"])) + memory(**v)
        ),
    }  # fmt: skip
    used = letters | rent
    step = f"max(2*B*N_a/F, {written})/B"
    return Formula(
        f"{story}\n\n{ask}",
        turned(memory),
        used,
        unit,
        slips,
        _worked(),
        f"R*{step}" if rent else step,
    )


def _worked() -> str:
    return (
        "Write the bytes that a step reads, term by term: the weights once, and of each sequence's cache what this story "
        "leaves of it. Over the bandwidth that is the memory time; the arithmetic is 2 B N_a / F, and the larger of the "
        "two is the step."
    )


@SET.question(points=3, minutes=8, goal="Read batches, floors and ceilings off a price list")
def price_list(draw: Draw) -> Number:
    """Reading a price list"""
    dearer = draw.pick(2, 2.5, 3, 4, 5, 6, 8)
    faster = draw.pick(1.4, 1.5, 1.6, 1.8, 2, 2.5, 3)
    normal = draw.integer(8, 60) * 50
    price = draw.pick(4, 5, 8, 10, 12, 15, 20, 25)
    speed = draw.integer(25, 80)
    head = (
        f"{draw.pick(*PEOPLE).capitalize()} buys tokens from a provider that sells one model in two modes, on the same "
        f"machines. Normal mode: {speed} tokens a second, \\${price} for a million tokens. Fast mode: {faster:g} times as "
        f"fast, for {dearer:g} times the price. Suppose that prices follow cost, and that the time of a step is a "
        "constant plus a part proportional to the batch."
    )
    ratio = batching.fast_batch_ratio(dearer, faster)
    floor = batching.slow_mode_floor(dearer, faster)
    ceiling = batching.speed_ceiling(dearer, faster)
    kind = draw.pick("batch", "floor", "ceiling")
    if kind == "batch":
        return Number(
            f"{head}\n\nNormal mode runs batches of {say(normal)} sequences. How many sequences does fast mode run?",
            answer=normal / ratio,
            unit="sequences",
            plausible=("5 sequences", "4000 sequences"),
            mistakes={
                "You used the price alone: a fast step is also shorter.": normal / dearer,
                "You used the speed alone: cost is time over batch.": normal / faster,
                "You divided the two ratios: the batch shrinks by their product.": normal
                * faster
                / dearer,
                "It is upside down: fast mode runs the smaller batch.": normal * ratio,
            },
            solution=f"Cost is step time over batch, so B_n / B_f = p r = {float(ratio):g}.",
        )
    if kind == "floor":
        return Number(
            f"{head}\n\nA slow mode is planned, with batches as large as anybody likes. What is the least that a million "
            "of its tokens can cost?",
            answer=price * floor * 1e-6,
            unit="$/Mtok",
            plausible=("$0.1 / Mtok", "$90 / Mtok"),
            mistakes={
                "You divided the normal price by the fast mode's premium: nothing of that follows from the step's time.":
                    price / dearer * 1e-6,
                "You divided the normal price by the batch ratio: part of the cost is not shared.": price / ratio * 1e-6,
                "That is the part of the cost that sharing removes; what stays is the rest.": price * (1 - floor) * 1e-6,
            },
            solution=(
                f"With t = a + c B the cost of an endless batch is c: p (r - 1) / (p r - 1) = {float(floor):.4g} of the "
                "normal price."
            ),
        )  # fmt: skip
    return Number(
        f"{head}\n\nA luxury mode is planned that gives a user a machine alone. How many tokens a second can it reach?",
        answer=speed * ceiling,
        unit="tokens/s",
        plausible=("4 tokens/s", "3000 tokens/s"),
        mistakes={
            "That is fast mode itself: an emptier batch is faster still.": speed * faster,
            "You scaled with the batch: the constant part of the step stays.": speed * ratio,
            "You scaled with the price.": speed * dearer,
        },
        solution=(
            f"With t = a + c B an empty batch takes a: (p r - 1) / (p - 1) = {float(ceiling):.4g} times normal speed."
        ),
    )


@SET.question(points=3, minutes=8, goal="Turn a full memory into a timetable, waits and throughput")
def timetable(draw: Draw) -> Number:
    """The timetable"""
    rent = draw.integer(6, 30) * 0.25 / 3600
    rack = machine(draw, rent=rent)
    full = draw.integer(8, 19) * 0.05
    batch = draw.number(200, 6000)
    period = full * roofline.drain_time(rack.system)
    head = (
        f"{draw.pick(*PEOPLE).capitalize()} has {rack.told()}. Weights and caches fill {full:.0%} of the HBM. A step "
        "reads everything that is stored, once, and the next begins at once; memory sets the pace. A request that comes "
        "in waits for the next step to begin."
    )
    kind = draw.pick("mean", "worst", "price")
    if kind == "price":
        answer = batching.rent_per_token(
            rack.system.dollars_per_second, roofline.token_rate(batch, period)
        )
        return Number(
            f"{head} Each step carries {say(batch)} sequences, and a chip rents for {say(rent, '$/s')}.\n\nWhat does a "
            "million tokens cost?",
            answer=answer,
            unit="$/Mtok",
            plausible=("$0.02 / Mtok", "$15 / Mtok"),
            mistakes={
                "You drained the whole HBM: only what is stored is read.": answer / full,
                "You rented one chip: all of them work on the step.": answer / rack.chips,
                "You priced a step, not a token: it makes one for each sequence.": answer * batch,
            },
            solution=(
                f"A step takes {full:g} C / W = {period * 1e3:.4g} ms and makes {batch:g} tokens; the rent of all chips "
                "over that rate is the price."
            ),
        )
    wait = roofline.mean_wait(period) if kind == "mean" else roofline.worst_wait(period)
    other = roofline.worst_wait(period) if kind == "mean" else roofline.mean_wait(period)
    what = "on average" if kind == "mean" else "at the worst"
    return Number(
        f"{head}\n\nHow long does a newcomer wait for the first token, {what}, until the step that carries it is done?",
        answer=wait,
        unit="ms",
        plausible=("1 ms", "800 ms"),
        mistakes={
            "You drained the whole HBM: only what is stored is read.": wait / full,
            "That is one step: before it the newcomer waits for the step under way.": period,
            f"That is the {'worst' if kind == 'mean' else 'average'} wait.": other,
            "You counted the wait without the ride.": wait - period,
        },
        solution=(
            f"tau = {full:g} C / W = {period * 1e3:.4g} ms. Waiting for the next departure takes between nothing and tau, "
            "the ride takes tau: 3 tau / 2 on average, 2 tau at the worst."
        ),
    )


@SET.question(points=5, minutes=15, goal="Size a machine: what must fit, and how fast it must be")
def smallest(draw: Draw) -> Number:
    """The smallest machine"""
    rack = machine(draw, chips=(1,))
    net = model(draw, total=(150e9, 900e9))
    users = draw.number(200, 3000)
    context = draw.number(2000, 30_000)
    speed = draw.pick(15, 20, 25, 30, 40, 50)
    counts = np.arange(1, 129)
    machines = rack.of(counts)
    fits = roofline.resident_bytes(users, context, net) / rack.capacity
    # all rates add, so a step on G chips takes 1/G of its time on one
    fast = roofline.step_time(users, context, net, rack.of(1)) * speed
    enough = roofline.resident_bytes(users, context, net) <= machines.capacity
    enough &= roofline.step_time(users, context, net, machines) <= 1 / speed
    draw.require(enough.any() and not enough[2])
    # not decided by the second figure, and not by the same demand at nearly the same number
    draw.require(all(abs(x - round(x)) > 0.08 for x in (fits, fast)) and abs(fits - fast) > 1.5)
    up, other = (int(max(fits, fast)) + 1, int(min(fits, fast)) + 1)
    assert up == counts[enough][0]
    demand = ("capacity", "speed") if fits > fast else ("speed", "capacity")
    return Number(
        f"{draw.pick(*PEOPLE).capitalize()} wants to serve {say(users)} users at once, each at {speed} tokens a second or "
        f"more, with {say(context)} tokens of context each. The model: {told(net)}. The chips can be bought one by one and "
        f"share all work evenly; one {rack.name} has {say(rack.flops, 'FLOP/s')}, {say(rack.bandwidth, 'B/s')} and "
        f"{say(rack.capacity, 'B')} of HBM. Nothing else takes time or room.\n\nHow many chips are needed at least?",
        answer=up,
        unit="chips",
        plausible=("1 chip", "1000 chips"),
        whole=True,
        counted=rack.name,
        mistakes={
            f"That is enough for the {demand[1]}, but not for the {demand[0]}.": other,
            "You rounded down: a fraction of a chip cannot be bought.": up - 1,
            "You added what speed needs and what capacity needs: the same chips do both.": up
            + other,
        },
        solution=(
            f"Room: (N_t w + B L k) / C_1 = {fits:.2f} chips. Speed: the step on one chip takes {fast / speed:.4g} s, it may "
            f"take 1/{speed} s: {fast:.2f} chips. The larger, rounded up: {up}."
        ),
    )


@SET.written(
    points=10,
    minutes=30,
    goal="Argue with the two clocks in front of somebody who never heard of them",
)
def salesman(draw: Draw) -> Written:
    """The salesman's slide"""
    factor = draw.pick(3, 4, 5)
    part, hidden = draw.pick(
        ("arithmetic (FLOP/s)", "compute"),
        ("HBM bandwidth", "bandwidth"),
        ("HBM capacity", "capacity"),
    )
    asks = {
        "compute": "faster answers for their forty users",
        "bandwidth": "cheaper tokens for a service that already runs far above the balance batch with short contexts",
        "capacity": "shorter waits for each token at the batch and context they have today",
    }[hidden]
    return Written(
        f"A salesman shows a slide: a new chip with {factor} times the {part} of the old one at the same price, all else "
        f"equal. {draw.pick(*PEOPLE).capitalize()} wants {asks}, and has asked you whether to buy.\n\n"
        "Write at most 300 words to the director, who knows no formula. Say what a step waits for in their case and "
        "why this chip helps or does not, name one change in their use that would turn your advice around, and put a "
        "rough number to it that you could defend. Say which assumption of your reasoning you trust least.",
        rubric=(
            Criterion("the right bottleneck", 3, "names what sets the pace in this case and derives it from batch and context",
                      "names it without reason", "takes the slide's word"),
            Criterion("the turn", 3, "a change of use that moves the bottleneck, in the right direction",
                      "a change, direction unclear", "none"),
            Criterion("a number", 2, "a number of the right order with the inputs it rests on", "a number without inputs",
                      "none"),
            Criterion("limits", 2, "a concrete assumption and what happens if it fails", "a general caveat", "none"),
        ),
        model=(
            f"{ {'compute': 'Forty users are a small batch: a step waits for the weights, so more FLOP/s are idle. It turns when the batch passes the balance batch (thousands for a sparse model), or for reading long prompts.', 'bandwidth': 'Far above the balance batch with short contexts the arithmetic sets the pace; bandwidth helps neither cost nor speed. It turns when contexts grow towards the balanced context, or the batch shrinks.', 'capacity': 'At a given batch and context a step reads the same bytes whatever the room: nothing gets faster. It turns if the room is used: more sequences (cheaper, below balance), longer contexts, or fewer machines.'}[hidden] } "
            "Assumptions to doubt: perfect overlap, peak rates, prices equal to cost."
        ),
    )  # fmt: skip
