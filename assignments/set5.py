"""Problem set 5, chapter 10: requests that come when they like, and a machine that leaves on a clock."""

import numpy as np

from memwall import Model, System, batching, pricing, roofline, serving
from memwall_classroom import Choice, Criterion, Draw, Formula, Letter, Number, ProblemSet, Written
from memwall_classroom.marking.props import PEOPLE, machine, model, told
from memwall_classroom.reading.answers import apart, say

SET = ProblemSet(
    "set5",
    "Problem set 5: serving",
    chapters=(10,),
    goals=(
        "say how many requests are under way, from how often they come and how long each stays",
        "tell what waiting for company costs, and what leaving on time costs",
        "share a machine's time between reading prompts and writing tokens",
        "turn a promise to users into a number of machines",
    ),
    intro=(
        "Requests do not come in batches. They come when users press a key, ride along for as many steps as they want tokens, and "
        "leave. Everything here follows from two clocks: that of the step, and that of the arrivals."
    ),
)


@SET.question(points=2, minutes=5, goal="Say what grows when arrivals outrun the seats")
def overflow(draw: Draw) -> Choice:
    """More than it can carry"""
    batch, trips = draw.integer(4, 40) * 16, draw.integer(4, 40) * 50
    period = draw.integer(10, 60) * 1e-3
    load = draw.pick(0.5, 0.65, 0.8, 1.25, 1.5, 1.8)
    arrivals = draw.rounded(load * batch / (trips * period))
    riding = float(serving.seats_in_use(arrivals, trips, period))
    draw.require(not 0.9 < riding / batch < 1.12)
    full = riding > batch
    texts = (
        "the queue grows as long as it goes on: more come than can leave",
        "about {n} seats are taken on average, and nobody waits for a seat for long",
    )
    right, wrong = texts if full else texts[::-1]
    n = f"{riding:,.0f}"
    step = f"{float(arrivals * period):,.2g}"
    hints = {
        wrong.format(
            n=n
        ): "Compare the seats that riders would need, arrivals times the time each stays, with the seats there are.",
        f"about {step} seats are taken on average: those who come during one step": "A rider keeps the seat for all steps, not for one.",
        "all seats are taken, and the queue stays as it is": "Only if as many come as leave, which is not so here.",
    }
    return Choice(
        f"{draw.pick(*PEOPLE).capitalize()} runs a machine with {batch} seats; a step takes {say(period, 's')}. Each request wants {trips} tokens, one "
        f"a step, and {arrivals:g} requests come in a second, all day.\n\nWhat happens?",
        options=draw.options(right.format(n=n), hints),
        solution=f"Each stays {trips} x {period:g} s = {trips * period:.4g} s; {arrivals:g} a second need {riding:,.1f} of {batch} seats.",
    )


@SET.question(points=3, minutes=8, goal="Count those under way from arrivals and stay")
def riders(draw: Draw) -> Number:
    """How many ride along?"""
    rack, net = machine(draw), model(draw)
    batch = draw.integer(4, 60) * 20
    context = draw.number(1000, 20_000)
    draw.require(rack.holds(net, batch, context))
    period = roofline.step_time(batch, context, net, rack.system)
    tokens = draw.integer(4, 40) * 50
    load = draw.integer(6, 18) * 0.05
    arrivals = draw.rounded(float(load * batch / (tokens * period)))
    answer = float(serving.seats_in_use(arrivals, tokens, period))
    draw.require(20 < answer < batch)
    return Number(
        f"{draw.pick(*PEOPLE).capitalize()} serves {told(net)}, on {rack.told()}. A step is always as long as with {say(batch)} sequences of "
        f"{say(context)} tokens of context. In a second {arrivals:g} requests come in; each wants {tokens} tokens, one a step.\n\n"
        "How many requests are under way at a time, on average?",
        answer=answer,
        unit="requests",
        plausible=("5 requests", "4000 requests"),
        mistakes=apart(answer, {
            "Those are the requests that come during one step; each stays for all its tokens.": arrivals * period,
            "Those come during a second; each stays longer or shorter.": arrivals,
            "Those are the seats: they are not all taken.": float(batch),
            "You added arithmetic and memory traffic: with perfect overlap the slower one alone counts.":
                arrivals * tokens * float(roofline.serial_step_time(batch, context, net, rack.system)),
        }),
        solution=(
            f"A step takes {float(period) * 1e3:.4g} ms, so a request stays {tokens} x {float(period):.4g} s = {float(tokens * period):.4g} s. "
            f"Arrivals times stay: {answer:.1f}."
        ),
    )  # fmt: skip


@SET.question(points=3, minutes=8, goal="Compare waiting for company with leaving on time")
def company(draw: Draw) -> Number:
    """Waiting for company"""
    batch, period = draw.integer(4, 50) * 8, draw.integer(10, 80) * 1e-3
    arrivals = draw.number(10, 400)
    full = serving.mean_wait_when_full(batch, arrivals, period)
    clock = roofline.mean_wait(period)
    answer = float(full / clock)
    draw.require(1.3 < answer < 200)
    return Number(
        f"{draw.pick(*PEOPLE).capitalize()} may let a step begin only when all {batch} seats are taken, or every {say(period, 's')}, full or not. A "
        f"step takes {say(period, 's')} either way. {arrivals:g} requests come in a second, evenly; seats are free for whoever comes.\n\n"
        "How many times as long does a newcomer wait for the first token, on average, if steps wait until they are full?",
        answer=answer,
        unit="",
        plausible=("0.5", "300"),
        mistakes=apart(answer, {
            "It is upside down: waiting for company takes longer here.": 1 / answer,
            "The mean newcomer waits for half of the others, the first one for all.":
                float((2 * (full - period) + period) / clock),
            "You left out the step itself, which everybody rides.": float((full - period) / (clock - period)),
            "On a clock the wait for the next step is half a period, and the ride a whole one.": float(full / period),
        }),
        solution=(
            f"Full: (B - 1) / (2 lambda) + tau = {float(full):.4g} s. On the clock: tau/2 + tau = {float(clock):.4g} s. Ratio {answer:.4g}."
        ),
    )  # fmt: skip


@SET.question(points=4, minutes=12, goal="Write what a served request needs as a formula")
def in_symbols(draw: Draw) -> Formula:
    """In symbols"""
    who = draw.pick(*PEOPLE)
    letters = {
        "B": Letter("seats", "1", 8, 2048),
        "a": Letter("requests that come in a second", "1/s", 1, 200),
        "n": Letter("tokens that a request wants, one a step", "1", 20, 4000),
        "t": Letter("time of a step", "s", 5e-3, 0.1),
        "p": Letter("tokens of a prompt", "1", 100, 20_000),
        "N_a": Letter("active parameters", "1", 1e9, 1e11),
        "F": Letter("FLOP a second of one machine (a multiply-add is two)", "FLOP/s", 1e15, 1e17),
        "R": Letter("rent of one machine a second", "$/s", 0.001, 0.1),
        "u": Letter("share of a machine's time for prompts", "1", 0.05, 0.6),
    }
    kind = draw.pick("machines", "dollars", "reading", "latency", "wait")
    if kind == "machines":

        def machines(a, n, t, B):
            return serving.seats_in_use(a, n, t) / B

        return Formula(
            f"{who.capitalize()} has machines of B seats each, and keeps every seat taken. In all, a requests come in a second.\n\n"
            "Write the number of machines that carry them (it need not be whole).",
            machines, {x: letters[x] for x in ("a", "n", "t", "B")}, "",
            {
                "Those are the seats; a machine has B of them.": lambda B, **v: machines(B=B, **v) * B,
                "A request keeps its seat for all its tokens.": lambda n, **v: machines(n=n, **v) / n,
                "It is upside down.": lambda **v: 1 / machines(**v),
            },
            "a n t requests are under way, and a machine seats B: a n t / B.",
            "a*n*t/B",
        )  # fmt: skip
    if kind == "dollars":

        def dollars(R, n, t, B):
            return n * batching.rent_per_token(R, roofline.token_rate(B, t))

        return Formula(
            f"The machine of {who} is always full: B requests write a token each in every step, and each wants n.\n\n"
            "Write the rent that one request costs.",
            dollars, {x: letters[x] for x in ("R", "n", "t", "B")}, "$",
            {
                "That is one token; a request wants n.": lambda n, **v: dollars(n=n, **v) / n,
                "All seats share the rent.": lambda B, **v: dollars(B=B, **v) * B,
            },
            "R t for a step, shared by B; n steps: R n t / B.",
            "R*n*t/B",
        )  # fmt: skip
    if kind == "reading":

        def reading(a, p, N_a, F, u):
            return a * p * roofline.compute_time(1, Model(N_a, N_a), System(F, 1e13)) / u

        return Formula(
            f"{who.capitalize()} lets each machine read prompts for a share u of its time, at the full rate of its arithmetic, and write tokens "
            "for the rest. In all, a requests come in a second.\n\nWrite the number of machines whose reading keeps up (it need not be whole).",
            reading, {x: letters[x] for x in ("a", "p", "N_a", "F", "u")}, "",
            {
                "You gave reading all of the time.": lambda u, **v: reading(u=u, **v) * u,
                "You gave reading the time that writing has.": lambda u, **v: reading(u=1 - u, **v),
                "You counted a multiply-add once: it is two FLOP.": lambda **v: reading(**v) / 2,
            },
            "A prompt takes 2 p N_a / F; a of them a second, in a share u of the time: 2 a p N_a / (u F).",
            "2*a*p*N_a/(u*F)",
        )  # fmt: skip
    if kind == "latency":

        def latency(p, N_a, F, n, t):
            return (
                p * roofline.compute_time(1, Model(N_a, N_a), System(F, 1e13))
                + roofline.mean_wait(t)
                + (n - 1) * t
            )

        return Formula(
            f"At {who} a prompt is read on a machine of its own, at the full rate of its arithmetic. Then the request takes the next step of "
            "another machine, whose steps follow each other, each of time t; seats are free. Each step gives one token.\n\n"
            "Write the mean time from the request to the last of its n tokens.",
            latency, {x: letters[x] for x in ("p", "N_a", "F", "n", "t")}, "s",
            {
                "You left out the wait for the next step, half of one on average.": lambda t, **v: latency(t=t, **v) - t / 2,
                "That is the time to the first token.": lambda n, **v: latency(n=1 + 0 * n, **v),
                "You counted one step too many: the first of them ends the wait.": lambda t, **v: latency(t=t, **v) + t,
            },
            "2 p N_a / F, then half a step's wait on average, then n steps: 2 p N_a / F + (n + 1/2) t.",
            "2*p*N_a/F + (n + 1/2)*t",
        )  # fmt: skip

    def wait(B, a, t):
        return serving.mean_wait_when_full(B, a, t) - roofline.mean_wait(t)

    return Formula(
        f"{who.capitalize()} lets a step begin only when all B seats are taken by newcomers; a competitor begins one every t seconds, full or not. A "
        "step takes t either way. At both, a requests come in a second, evenly.\n\n"
        "Write how much longer a newcomer waits for the first token on average, compared with the competitor's.",
        wait, {x: letters[x] for x in ("B", "a", "t")}, "s",
        {
            "The competitor's newcomers wait as well: half a step.": lambda B, a, t: wait(B, a, t) + t / 2,
            "The first of B waits for B - 1 others.": lambda B, a, t: wait(B + 1, a, t),
            "The mean newcomer waits for half of the others.": lambda B, a, t: 2 * (B - 1) / (2 * a) - t / 2,
        },
        "(B - 1) / (2 a) + t, less t/2 + t.",
        "(B - 1)/(2*a) - t/2",
    )  # fmt: skip


@SET.question(points=3, minutes=8, goal="Say how many newcomers a promise holds for")
def promised(draw: Draw) -> Number:
    """A promise about the first token"""
    rack = machine(draw)
    full = draw.integer(8, 19) * 0.05
    period = full * float(roofline.drain_time(rack.system))
    wait = draw.rounded(period * draw.integer(27, 37) * 0.05)
    answer = float(serving.share_served_within(wait, period))
    draw.require(0.3 < answer < 0.9)
    return Number(
        f"{draw.pick(*PEOPLE).capitalize()} has {rack.told()}. Weights and caches fill {full:.0%} of the HBM; a step reads all of it once, memory sets "
        f"the pace, and the next begins at once. A newcomer waits for the next step to begin and has the first token when it ends. Seats "
        f"are free, and requests come at any moment.\n\nWhich share of newcomers has the first token within {say(wait, 's')}?",
        answer=answer,
        unit="%",
        plausible=("1 %", "100 %"),
        tolerance=0.03,
        mistakes=apart(answer, {
            "Those are the others, who wait longer.": 1 - answer,
            "You drained the whole HBM: only what is stored is read.":
                float(serving.share_served_within(wait, period / full)),
            "You let waits begin at nothing: everybody rides at least one step.": min(wait / (2 * period), 1.0),
        }, tolerance=0.03),
        solution=(
            f"tau = {full:g} C / W = {period * 1e3:.4g} ms. Waits lie evenly between tau and 2 tau: ({wait * 1e3:.4g} - tau) / tau = {answer:.3g}."
        ),
    )  # fmt: skip


@SET.question(points=3, minutes=10, goal="Share a machine's time between prompts and tokens")
def shared(draw: Draw) -> Number:
    """Reading and writing"""
    rack, net = machine(draw), model(draw)
    batch = draw.integer(4, 60) * 20
    context = draw.number(1000, 20_000)
    draw.require(rack.holds(net, batch, context))
    prompt, output = draw.integer(2, 40) * 250, draw.integer(2, 30) * 50
    reading = float(prompt * roofline.compute_time(1, net, rack.system))
    step = float(roofline.step_time(batch, context, net, rack.system))
    writing = output * step / batch
    answer = reading / (reading + writing)
    draw.require(0.05 < answer < 0.8)
    half = reading / 2 / (reading / 2 + writing)
    return Number(
        f"{draw.pick(*PEOPLE).capitalize()} serves {told(net)}, on {rack.told()}. A request has {say(prompt)} tokens of prompt, read at the full rate of the "
        f"arithmetic, and {say(output)} tokens of output, written in steps of {say(batch)} sequences with {say(context)} tokens of context each. The "
        "machine does one or the other, and is never idle.\n\nWhich share of its time goes into reading prompts?",
        answer=answer,
        unit="%",
        plausible=("0.5 %", "100 %"),
        tolerance=0.03,
        mistakes=apart(answer, {
            "Those are the others' shares: writing takes that.": 1 - answer,
            "That is reading over writing, not over both.": reading / writing,
            "A step writes a token for each sequence: share it by the batch.": reading / (reading + output * step),
            "You counted a multiply-add once: it is two FLOP.": half,
            "You shared the time by tokens: a token read and one written take different times.": prompt / (prompt + output),
        }, tolerance=0.03),
        solution=(
            f"Reading 2 N_a / F for {prompt} tokens: {reading * 1e3:.4g} ms. Writing {output} steps of {step * 1e3:.4g} ms, shared by {batch}: "
            f"{writing * 1e3:.4g} ms. Share {answer:.3g}."
        ),
    )  # fmt: skip


@SET.question(points=5, minutes=15, goal="Turn arrivals and a promised speed into machines")
def fleet(draw: Draw) -> Number:
    """How many machines?"""
    rack, net = machine(draw, chips=(8, 16)), model(draw)
    context = draw.number(1000, 12_000)
    speed = draw.pick(15, 20, 25, 30, 40, 50)
    draw.require(rack.holds(net, 64, context))
    # whole seats: fast enough, and with room for their caches
    own = context * net.kv_bytes_per_token
    room = int(roofline.room_beside_weights(net, rack.system) / own)
    quick = int(
        np.sum(roofline.step_time(np.arange(1, 9001), context, net, rack.system) <= 1 / speed)
    )
    seats = min(room, quick)
    draw.require(seats > 40 and abs(room / quick - 1) > 0.15 and quick < 8900)
    tokens = draw.integer(4, 30) * 50
    wanted = draw.integer(3, 16)
    arrivals = draw.rounded(wanted * seats * speed / tokens)
    exact = float(serving.seats_in_use(arrivals, tokens, 1 / speed)) / seats
    up = int(exact) + 1
    draw.require(0.12 < exact % 1 < 0.88 and up > 2)
    other = int(float(serving.seats_in_use(arrivals, tokens, 1 / speed)) / max(room, quick)) + 1
    wrong = {
        "You rounded down: a fraction of a machine cannot be rented.": up - 1,
        f"You seated as many as {'the room' if room > quick else 'the speed'} allows; the other demand allows fewer.": other,
        "You rented for one second's arrivals: each stays for all its tokens.": int(
            arrivals / seats
        )
        + 1,
    }
    wrong = {h: v for h, v in wrong.items() if v not in (up, 0)}
    wrong = {h: v for i, (h, v) in enumerate(wrong.items()) if v not in list(wrong.values())[:i]}
    return Number(
        f"{draw.pick(*PEOPLE).capitalize()} expects {arrivals:g} requests a second, each for {tokens} tokens, with {say(context)} tokens of context while they "
        f"are written. Every user shall see {speed} tokens a second; a machine that is not full is slowed down to that. The model: {told(net)}. A machine is "
        f"{rack.told()}; caches must fit beside the weights. Prompts are read elsewhere, and requests come evenly.\n\n"
        "How many machines must be rented at least?",
        answer=up,
        unit="machines",
        plausible=("1 machine", "1000 machines"),
        whole=True,
        mistakes=wrong,
        solution=(
            f"Seats: speed allows {quick}, room {room}: {seats}. Under way: {arrivals:g} x {tokens} / {speed} = {arrivals * tokens / speed:,.1f}. "
            f"Over the seats {exact:.2f}, rounded up: {up}."
        ),
    )


@SET.question(points=3, minutes=8, goal="Price a request that reads and writes")
def bill(draw: Draw) -> Number:
    """The bill for a request"""
    rent = draw.integer(6, 30) * 0.25 / 3600
    rack = machine(draw, rent=rent)
    net = model(draw)
    batch, context = draw.integer(4, 60) * 20, draw.number(1000, 20_000)
    draw.require(rack.holds(net, batch, context))
    prompt, output = draw.integer(2, 40) * 250, draw.integer(2, 30) * 50
    hit = draw.pick(0.2, 0.25, 0.4, 0.5, 0.6, 0.75)
    token = float(pricing.recompute_cost(net, rack.system))
    written = float(batching.rent_per_token(
        rack.system.dollars_per_second, roofline.token_rate(batch, roofline.step_time(batch, context, net, rack.system))
    ))  # fmt: skip
    read = (1 - hit) * prompt * token
    answer = 1000 * (read + output * written)
    draw.require(0.15 < read / (output * written) < 4)
    return Number(
        f"{draw.pick(*PEOPLE).capitalize()} serves {told(net)}, on {rack.told()}; a chip rents for {say(rent, '$/s')}. A request has {say(prompt)} tokens of prompt, "
        f"of which {hit:.0%} are found in a cache and cost nothing; the rest is read at the full rate of the arithmetic. Its {say(output)} tokens of output are "
        f"written in steps of {say(batch)} sequences with {say(context)} tokens of context.\n\nWhat do a thousand such requests cost in rent?",
        answer=answer,
        unit="$",
        plausible=("$0.01", "$9"),
        tolerance=0.03,
        mistakes=apart(answer, {
            "You read the whole prompt: part of it is found in the cache.": 1000 * (prompt * token + output * written),
            "You left the prompts out.": 1000 * output * written,
            "You left the output out.": 1000 * read,
            "You rented one chip: all of them work.": answer / rack.chips,
            "You read what was found and found what was read.": 1000 * (hit * prompt * token + output * written),
        }, tolerance=0.03),
        solution=(
            f"A token read costs {token:.4g} dollars, one written {written:.4g}. A thousand requests: 1000 x ({(1 - hit) * prompt:g} x {token:.4g} + "
            f"{output} x {written:.4g}) = {answer:.4g} dollars."
        ),
    )  # fmt: skip


@SET.written(points=10, minutes=30, goal="Choose between two ways to serve, for users who differ")
def two_queues(draw: Draw) -> Written:
    """Two kinds of users"""
    share, ratio = draw.pick(5, 10, 20), draw.pick(10, 20, 50)
    wish = draw.pick(
        "answers that begin at once", "the lowest price", "the same speed at noon and at night"
    )
    return Written(
        f"{draw.pick(*PEOPLE).capitalize()} has users of two kinds: {share} % send prompts {ratio} times as long as the others'. All share one machine, and since "
        f"the long ones came everybody complains. What users want most is {wish}.\n\nWrite at most 300 words to the one who decides. Say what a long "
        "prompt does to the steps of the others and to the seats. Compare two remedies of your choice (reading in pieces, machines of their own, a limit, "
        "a price), with a rough number for each. Say which you take, and what would change your mind.",
        rubric=(
            Criterion("what happens", 3, "both effects, on time and on room, with what sets their size", "one of them", "neither"),
            Criterion("two remedies", 3, "what each costs whom, in time or money", "named without cost", "one or none"),
            Criterion("a number", 2, "of the right order, with its inputs", "without inputs", "none"),
            Criterion("the turn", 2, "a measurement or a change of use that turns the choice", "vague", "none"),
        ),
        model=(
            "A long prompt read in one piece holds up every step by 2 p N_a / F, and its caches take the seats of many others. Reading in pieces bounds "
            f"the delay of a step and lengthens the first token of the long ones; machines of their own ({share} % of requests, most of the reading) keep steps even "
            "but leave seats empty at night; a price moves use without touching the clock. It turns with the share of long prompts, or with cache hits."
        ),
    )  # fmt: skip
