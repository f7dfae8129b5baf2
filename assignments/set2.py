"""Problem set 2, chapters 3 and 4: what sparsity buys, and the networks that carry it."""

import numpy as np

from memwall import Model, System, racks, roofline, sparsity, traffic
from memwall.core.units import GB, GBIT
from memwall_classroom import Choice, Criterion, Draw, Formula, Letter, Number, ProblemSet, Written
from memwall_classroom.marking.props import PEOPLE, machine, model, told
from memwall_classroom.reading.answers import apart, say

SET = ProblemSet(
    "set2",
    "Problem set 2: sparsity and the networks that carry it",
    chapters=(3, 4),
    goals=(
        "tell sparsity by parameters from the number of experts",
        "say what a few tokens, and what many, read of a sparse model",
        "trade parameters, users and memory against each other",
        "work out what an all-to-all costs inside a rack and across racks",
    ),
    intro=(
        "A sparse model stores much and multiplies little. Users pay for it by sharing the reading, memory by holding "
        "it, and the network by carrying every token to its experts and back."
    ),
)

EXPERTS = (64, 96, 128, 160, 192, 256, 384)


def sparse_model(draw: Draw, total: tuple[float, float] = (100e9, 900e9)) -> Model:
    """A model whose expert counts are known and agree with its totals."""
    net = model(draw, total=total, sparsity=(5, 18))
    experts, chosen = draw.pick(*EXPERTS), draw.pick(4, 6, 8)
    draw.require(roofline.sparsity(net) < 0.85 * experts / chosen)
    return net.replace(experts=experts, experts_active=chosen)


@SET.question(points=2, minutes=5, goal="Tell sparsity by parameters from counts of experts")
def whose_count(draw: Draw) -> Choice:
    """Sparse by which count?"""
    experts, chosen = draw.pick(*EXPERTS), draw.pick(2, 4, 6, 8)
    share = draw.integer(8, 19) * 0.05
    right = sparsity.sparsity_from_parts(share, chosen / experts)
    ratio = experts / chosen
    draw.require(abs(right / ratio - 1) > 0.12 and abs(right - experts * share) > 1)
    wrong = {
        ratio: "That is how many times more experts there are than are used. Part of a token's weights are in no expert.",
        1 / right: "It is upside down: sparsity counts stored over used, so it is above 1.",
        ratio * share: "The part that every token uses counts as well: its sparsity is 1.",
        float(experts): "The number of experts alone does not say how many of them a token uses.",
    }
    values = [f"{v:.3g}" for v in (right, *wrong)]
    draw.require(len(set(values)) == 5)
    return Choice(
        f"{draw.pick(*PEOPLE).capitalize()} trains a model with {experts} experts in each layer, {chosen} of them chosen for "
        f"a token. Of the parameters that a token uses, {share:.0%} are in the chosen experts, the rest in attention and "
        "other parts that every token uses.\n\nWhich sparsity belongs into the rule that a batch must exceed h times s?",
        options=draw.options(values[0], dict(zip(values[1:], wrong.values(), strict=True))),
        solution=(
            f"For each parameter in use, {1 - share:.2g} are stored once and {share:.2g} are stored {ratio:.3g} times: "
            f"s = (1 - f) + f E / k = {right:.3g}."
        ),
    )


@SET.question(points=3, minutes=8, goal="Say how much of a sparse model a small batch reads")
def quiet_hour(draw: Draw) -> Number:
    """The quiet hour"""
    net = sparse_model(draw)
    rack = machine(draw)
    draw.require(rack.holds(net))
    ways = net.experts / net.experts_active
    batch = draw.integer(2, max(3, int(1.2 * ways)))
    read = sparsity.weight_bytes_read(batch, net)
    time = read / rack.system.bandwidth
    all_of_it = roofline.weight_time(net, rack.system)
    one = roofline.weight_time(net.replace(n_total=net.n_active), rack.system)
    return Number(
        f"At four in the morning {draw.pick(*PEOPLE)} has {batch} short requests in a batch; their caches are too small to "
        f"matter, and memory sets the pace. The model is {told(net, cache=False)}; it has {net.experts:g} experts a layer and "
        f"sends a token to {net.experts_active:g} of them. The router picks as if by dice, and only the experts that "
        f"somebody was sent to are read; what is not in experts is always read. The machine: {rack.told()}.\n\n"
        "How long does a step take on average?",
        answer=time,
        unit="ms",
        plausible=("0.04 ms", "35 ms"),
        mistakes={
            "You read the whole model: so few tokens do not touch all experts.": all_of_it,
            "You read what one token uses: other tokens touch other experts.": one,
            "You read every token's experts separately: some experts are shared.": one * batch,
            "You let the whole model be read in the share of experts touched: attention is always read.":
                all_of_it * (read - net.bytes_per_param * net.n_active * (1 - sparsity.expert_share(net)))
                / (net.bytes_per_param * net.n_active * sparsity.expert_share(net) * ways),
        },
        solution=(
            f"Share of the active parameters in experts: f = (s - 1) / (E/k - 1) = {float(sparsity.expert_share(net)):.3g}. "
            f"Experts touched: 1 - (1 - k/E)^{batch}. Together {read / 1e9:.4g} GB, over {rack.system.bandwidth:.4g} B/s."
        ),
    )  # fmt: skip


@SET.question(
    points=3, minutes=8, goal="Use a measured exchange rate between total and active parameters"
)
def exchange(draw: Draw) -> Number:
    """The exchange rate"""
    seen = draw.pick(16, 32, 48, 64, 128)
    gain = draw.pick(2, 2.5, 3, 3.5, 4, 5)
    power = sparsity.exchange_exponent(seen, gain)
    draw.require(0.2 < power < 0.5)
    active = draw.number(4e9, 40e9)
    wanted = draw.pick(1.5, 2, 2.5, 3, 3.5, 4.5, 6)
    draw.require(wanted != gain)
    dense = draw.rounded(wanted * active, 4)
    s = sparsity.sparsity_for_gain(dense / active, power)
    draw.require(3 < s < 400)
    return Number(
        f"A lab finds that {seen} times as many parameters as a token uses make a model as good as a dense one of {gain:g} "
        f"times the active size, and that a power law through this point (and through 1 for 1) fits. "
        f"{draw.pick(*PEOPLE).capitalize()} wants a model as good as a dense one of {say(dense)} parameters, but one that "
        f"uses only {say(active)} for a token.\n\nHow many parameters must it store?",
        answer=s * active,
        unit="billion parameters",
        plausible=("16 billion parameters", "14 trillion parameters"),
        tolerance=0.03,
        mistakes={
            "You scaled in proportion: the gain grows more slowly than the parameters.": dense / active / gain * seen * active,
            "You took the power the wrong way round: it turns sparsity into gain.":
                sparsity.exchange_gain(dense / active, power) * active,
            "You multiplied the dense model's size: sparsity counts from the active size.": s * dense,
            "You took the lab's own point: it was measured for another gain.": seen * active,
        },
        solution=(
            f"alpha = ln {gain:g} / ln {seen} = {float(power):.4g}; the gain wanted is {dense / active:.3g}, so "
            f"s = g^(1/alpha) = {float(s):.4g} and N_t = s N_a = {s * active / 1e9:.4g} billion."
        ),
    )  # fmt: skip


@SET.question(
    points=3, minutes=8, goal="Compare the two networks when experts span racks, in mixed units"
)
def across(draw: Draw) -> Number:
    """Across the aisle"""
    count = draw.pick(2, 3, 4, 5, 6, 8)
    up = draw.pick(300, 450, 500, 600, 900, 1200, 1800) * GB
    out = draw.pick(200, 400, 800) * GBIT
    ratio = up / out
    draw.require(3 < ratio < 60)
    answer = racks.crossing_slowdown(count, ratio)
    mistakes = {
        "You took Gbit for GB: 8 bits are a byte.": racks.crossing_slowdown(count, ratio / 8),
        "You sent every copy out: some experts are at home.": ratio,
    }
    if count > 2:
        mistakes["You sent out only the share that stays at home."] = ratio / count
        mistakes["You counted the racks, not the share of copies that leaves."] = ratio * (
            count - 1
        )
    return Number(
        f"{draw.pick(*PEOPLE).capitalize()} spreads the experts of each layer evenly over {count} racks. Inside a rack a GPU "
        f"sends {say(up, 'B/s')}, out of it {out / GBIT:g} Gbit/s, each in one direction; the two networks work at the same "
        "time, and every copy travels on its own. Tokens pick experts as if by dice, and each GPU carries as many tokens "
        "as it did when one rack held everything.\n\nHow many times as long does the all-to-all take as in one rack?",
        answer=answer,
        unit="",
        plausible=("0.3", "250"),
        mistakes=mistakes,
        solution=(
            f"r = {up / GB:g} GB/s over {out / GBIT:g}/8 GB/s = {ratio:.4g}. The share (R - 1) / R = {(count - 1) / count:.3g} "
            f"leaves: max(1/R, r (R - 1)/R) = {float(answer):.4g}."
        ),
    )


@SET.question(points=4, minutes=12, goal="Write a network or memory limit as a formula")
def limits(draw: Draw) -> Formula:
    """A limit as a formula"""
    kind = draw.pick("network", "share", "touched", "sparsest", "users")
    who = draw.pick(*PEOPLE)
    net = {
        "B": Letter("tokens in each rack's batch", "1", 16, 8192),
        "n": Letter("layers", "1", 20, 120),
        "k": Letter("experts a token is sent to", "1", 2, 16),
        "d": Letter("numbers in a token's vector", "1", 2000, 16000),
        "b": Letter("bytes of a number on the way out", "B", 0.5, 2),
        "c": Letter("bytes of a number on the way back", "B", 1, 4),
        "U": Letter("bandwidth inside a rack, all its GPUs, one direction", "B/s", 1e13, 1e14),
        "O": Letter("bandwidth out of a rack, all its GPUs, one direction", "B/s", 5e12, 6e13),
        "R": Letter("racks that share the experts evenly", "1", 1.05, 3),
    }

    def travel(B, n, k, d, b, c, U, O, R):
        made = Model(
            n_total=1e12, n_active=1e12, layers=n, d_model=d, experts=1000.0, experts_active=k
        )
        return racks.network_time(B, R, b + c, made, System(1e15, 1e13, scale_up=U, scale_out=O))

    if kind == "network":
        return Formula(
            f"The engineers of {who} want the time that the network needs in one decode step: in every layer each token's "
            "vector goes to its experts and comes back, in another precision. Every copy travels on its own, tokens pick "
            "experts as if by dice (so 1/R of the copies stay at home), and the two networks work at the same time.\n\n"
            "Write that time.",
            travel, net, "s",
            {
                "You forgot the way back, which has its own precision.": lambda c, **v: travel(c=0 * c, **v),
                "You let both ways have the bytes of the first.": lambda b, c, **v: travel(b=b, c=b, **v),
                "That is one layer.": lambda n, **v: travel(n=n, **v) / n,
                "You sent every copy to one expert: there are k of them.": lambda k, **v: travel(k=k, **v) / k,
            },
            "n B k d (b + c) / U, times max(1/R, (U/O) (R - 1)/R): what stays inside and what leaves run side by side.",
            "n*B*k*d*(b + c)*max(1/R, U*(R - 1)/(O*R))/U",
        )  # fmt: skip
    if kind == "share":
        letters = {x: net[x] for x in ("n", "k", "d", "b", "U")} | {
            "N_a": Letter("active parameters", "1", 1e9, 1e11),
            "F": Letter("FLOP a second (a multiply-add is two)", "FLOP/s", 1e15, 1e17),
        }

        def share(n, k, d, b, U, N_a, F):
            made = Model(
                n_total=N_a, n_active=N_a, layers=n, d_model=d, experts=1000.0, experts_active=k
            )
            system = System(F, 1e13, scale_up=U, scale_out=U)
            return racks.network_time(64, 1, 2 * b, made, system) / roofline.compute_time(
                64, made, system
            )

        return Formula(
            f"{who.capitalize()} keeps all experts in one rack. In every layer each token's vector goes to its k experts and "
            "comes back, b bytes a number both ways, over a network that carries U bytes a second.\n\nWrite the network's "
            "time in a step over the time of the step's arithmetic. (The batch is the same in both.)",
            share, letters, "",
            {
                "You counted one direction only.": lambda **v: share(**v) / 2,
                "You counted a multiply-add once: it is two FLOP.": lambda **v: 2 * share(**v),
                "It is upside down: network over arithmetic.": lambda **v: 1 / share(**v),
                "You forgot that each token goes to k experts.": lambda k, **v: share(k=k, **v) / k,
            },
            "n B k d 2 b / U over 2 B N_a / F: the batch cancels, so no batch hides a slow network.",
            "n*k*d*b*F/(N_a*U)",
        )  # fmt: skip
    if kind == "touched":
        letters = {
            "B": Letter("tokens in the batch, each sent to its own experts", "1", 2, 60),
            "E": Letter("experts in a layer", "1", 64, 400),
            "k": Letter("experts a token is sent to", "1", 2, 16),
            "P": Letter("parameters of all experts of the model together", "1", 1e10, 1e12),
            "A": Letter("parameters that every token uses", "1", 1e9, 2e10),
            "w": Letter("bytes of a stored parameter", "B", 0.5, 2),
        }

        def read(B, E, k, P, A, w):
            made = Model(
                n_total=A + P,
                n_active=A + P * k / E,
                bytes_per_param=w,
                experts=E,
                experts_active=k,
            )
            return sparsity.weight_bytes_read(B, made)

        def whole(B, E, k, P, A, w):
            return w * (A + P) + 0 * (B + E + k)

        return Formula(
            f"In the batch of {who} every token's router picks k of the E experts of each layer as if by dice. Only experts "
            "that somebody was sent to are read.\n\nWrite the bytes of weights that a step reads on average.",
            read, letters, "B",
            {
                "You read all experts: B tokens may leave some untouched.": whole,
                "You read every token's experts separately: some are shared.":
                    lambda B, E, k, P, A, w: w * (A + B * P * k / E),
                "You left out what every token uses.":
                    lambda B, E, k, P, A, w: read(B, E, k, P, A, w) - w * A,
                "You took one expert a token: each is sent to k.":
                    lambda B, E, k, P, A, w: read(B, E, 1 + 0 * k, P, A, w),
            },
            "w (A + P (1 - (1 - k/E)^B)): an expert is missed by one token with probability 1 - k/E.",
            "w*(A + P*(1 - (1 - k/E)^B))",
        )  # fmt: skip
    memory = {
        "C": Letter("bytes of HBM", "B", 2e12, 2e13),
        "B": Letter("sequences", "1", 50, 900),
        "L": Letter("tokens of context of each", "1", 500, 5000),
        "k": Letter("cache bytes of a token", "B", 1e4, 3e5),
        "w": Letter("bytes of a stored parameter", "B", 0.5, 2),
        "N_a": Letter("active parameters", "1", 2e9, 4e10),
    }
    if kind == "sparsest":

        def sparsest(C, B, L, k, w, N_a):
            made = Model(n_total=N_a, n_active=N_a, bytes_per_param=w, kv_bytes_per_token=k)
            return sparsity.sparsity_that_fits(B, L, made, System(1e15, 1e13, capacity=C))

        return Formula(
            f"{who.capitalize()} has a machine with C bytes of HBM and B users with contexts of L tokens. Speed is no concern, "
            "only room.\n\nWrite the largest sparsity N_t / N_a that a model may have.",
            sparsest, memory, "",
            {
                "You left no room for the caches.": lambda **v: sparsest(**v | {"k": 0 * v["k"]}),
                "You made room for one user's cache only.": lambda **v: sparsest(**v | {"B": v["B"] * 0 + 1}),
                "That is the number of parameters; divide by the active ones.": lambda **v: sparsest(**v) * v["N_a"],
            },
            "(C - B L k) / (w N_a): weights take what the caches leave.",
            "(C - B*L*k)/(w*N_a)",
        )  # fmt: skip
    letters = {x: memory[x] for x in ("L", "k", "w", "N_a")} | {
        "s": Letter("sparsity N_t / N_a", "1", 4, 40),
        "F": Letter("FLOP a second (a multiply-add is two)", "FLOP/s", 1e15, 1e16),
        "W": Letter("bytes a second from HBM", "B/s", 3e13, 3e14),
    }
    letters["L"] = Letter("tokens of context of each", "1", 20, 100)
    letters["k"] = Letter("cache bytes of a token", "B", 1e4, 5e4)

    def users(L, k, w, N_a, s, F, W):
        made = Model(n_total=N_a * s, n_active=N_a, bytes_per_param=w, kv_bytes_per_token=k)
        return roofline.balance_batch_with_kv(L, made, System(F, W))

    return Formula(
        f"{who.capitalize()} wants to know how many users it takes until the arithmetic of a step is as long as its memory "
        "traffic, caches included. Contexts are short enough that this happens.\n\nWrite that number of users with the "
        "sparsity s.",
        users, letters, "",
        {
            "You left the caches out: they grow with the users.": lambda **v: users(**v | {"k": 0 * v["k"]}),
            "You counted a multiply-add once: it is two FLOP.": lambda **v: users(**v | {"F": 2 * v["F"]}),
            "You divided by the sparsity: a sparser model needs more users.": lambda **v: users(**v) / v["s"] ** 2,
        },
        "2 B N_a / F = (s N_a w + B L k) / W, solved for B: s N_a w / (2 N_a W / F - L k).",
        "s*N_a*w/(2*N_a*W/F - L*k)",
    )  # fmt: skip


@SET.question(points=3, minutes=10, goal="Lay experts out on a rack and count who else fits")
def seats(draw: Draw) -> Number:
    """Seats beside the experts"""
    size = draw.pick(18, 36, 40, 54, 72, 80)
    rack = machine(draw, chips=(size,))
    width = draw.pick(0.5, 1.0)
    # weights that fill a quarter to two thirds of the rack
    total = tuple(share * rack.system.capacity / width for share in (0.25, 0.65))
    net = sparse_model(draw, total).replace(bytes_per_param=width)
    used = traffic.even_split(int(net.experts), size)
    draw.require(used < size)
    context = draw.number(3000, 60_000)
    each = context * net.kv_bytes_per_token
    room = roofline.room_beside_weights(net, rack.of(used))
    whole = roofline.room_beside_weights(net, rack.of(size))
    seats = room / each
    draw.require(0.15 < room / rack.of(used).capacity < 0.8 and seats > 20)
    return Number(
        f"A rack holds {size} GPUs with {say(rack.capacity, 'B')} of HBM each. On it {draw.pick(*PEOPLE)} runs {told(net)}; "
        f"it has {net.experts:g} experts in each layer. Every GPU in use shall hold equally many experts of "
        "a layer, as many GPUs as possible are used, and the others stay dark. Weights and caches are spread evenly over "
        f"the GPUs in use.\n\nHow many sequences of {say(context)} tokens fit beside the weights?",
        answer=seats,
        unit="sequences",
        plausible=("20 sequences", "120,000 sequences"),
        mistakes=apart(seats, {
            "You used the dark GPUs' memory as well.": whole / each,
            "You left no room for the weights.": rack.of(used).capacity / each,
            "You stored only the active parameters.":
                roofline.room_beside_weights(net.replace(n_total=net.n_active), rack.of(used)) / each,
        }),
        solution=(
            f"{net.experts:g} experts are dealt evenly to at most {used} of {size} GPUs: {used * rack.capacity / 1e12:.4g} TB, "
            f"less {net.n_total * net.bytes_per_param / 1e12:.4g} TB of weights, over {each / 1e9:.4g} GB a sequence."
        ),
    )  # fmt: skip


@SET.question(points=5, minutes=15, goal="Design the largest model that users and memory allow")
def largest(draw: Draw) -> Number:
    """The largest model that pays"""
    rack = machine(draw, chips=(8, 16, 24, 32))
    active = draw.number(6e9, 60e9)
    width = draw.pick(0.5, 1.0)
    net = Model(
        n_total=active,
        n_active=active,
        bytes_per_param=width,
        kv_bytes_per_token=draw.number(20e3, 200e3),
    )
    users = draw.number(800, 12_000)
    context = draw.number(300, 8000)
    by_users = sparsity.sparsity_for_users(users, context, net, rack.system)
    by_room = sparsity.sparsity_that_fits(users, context, net, rack.system)
    draw.require(
        1.5 < by_users < 200 and 1.5 < by_room < 200 and not 0.7 < by_users / by_room < 1.4
    )
    best = float(np.minimum(by_users, by_room))
    other = float(np.maximum(by_users, by_room))
    bare = net.replace(kv_bytes_per_token=0.001)
    no_cache = float(np.minimum(
        sparsity.sparsity_for_users(users, context, bare, rack.system),
        sparsity.sparsity_that_fits(users, context, bare, rack.system),
    ))  # fmt: skip
    # beside the answer the caches must be neither a trifle nor all of it
    share = float(users * context * net.kv_bytes_per_token / rack.system.capacity)
    draw.require(share < 0.6 and 1.08 * best < no_cache < 1.8 * best)
    limit = ("users", "room") if by_users < by_room else ("room", "users")
    return Number(
        f"{draw.pick(*PEOPLE).capitalize()} plans a model for {rack.told()}. It shall use {say(active)} parameters for a "
        f"token, store each in {say(width)} byte{'s' if width != 1 else ''}, and leave {say(net.kv_bytes_per_token, 'B')} of "
        f"cache a token. There will be {say(users)} users at once, with {say(context)} tokens of context each. Everything "
        "must fit, and the memory traffic of a step must take no longer than its arithmetic.\n\n"
        "How many parameters can the model store at most?",
        answer=best * active,
        unit="billion parameters",
        plausible=("8 billion parameters", "6 trillion parameters"),
        mistakes={
            f"That is what the {limit[1]} allow{'s' if limit[1] == 'room' else ''}; the {limit[0]} "
            f"allow{'s' if limit[0] == 'room' else ''} less.": other * active,
            "You left the caches out: they take room and time.": no_cache * active,
            "You took active parameters for stored ones.": active,
        },
        solution=(
            f"Time: (N_t w + B L k) / W <= 2 B N_a / F allows s = {float(by_users):.4g}. Room: N_t w + B L k <= C allows "
            f"s = {float(by_room):.4g}. The smaller, times {active / 1e9:g} billion: {best * active / 1e9:.4g} billion."
        ),
    )


@SET.written(
    points=10, minutes=30, goal="Weigh more experts against fewer racks, with numbers and limits"
)
def one_or_many(draw: Draw) -> Written:
    """One rack or many"""
    ratio = draw.pick(3, 6, 9, 18)
    count = draw.pick(2, 3, 4)
    return Written(
        f"{draw.pick(*PEOPLE).capitalize()} may either buy one large rack, or {count} small racks with together the same GPUs "
        f"for 20 % less; between small racks the network is {ratio} times slower than inside. The model is sparse, with a "
        "few hundred experts a layer.\n\n"
        "Recommend one in at most 300 words. Say what travels between racks and how often, how much longer it takes and "
        "from which formula, and one way of placing or choosing experts that would soften it, with its price. Say under "
        "which use the small racks are the better buy.",
        rubric=(
            Criterion("what travels", 3, "dispatch and combine in every layer, the share that leaves, from the number of racks",
                      "one of these", "none"),
            Criterion("how much longer", 3, "a slow-down computed from ratio and share, and held against the arithmetic",
                      "a slow-down without comparison", "none"),
            Criterion("a remedy", 2, "limiting a token to few racks, merging copies, pipelining layers or the like, with its price",
                      "a remedy without price", "none"),
            Criterion("the other side", 2, "a use in which small racks win, with the reason", "a use without reason", "none"),
        ),
        model=(
            f"Every layer sends each token's vector to its experts and back; with {count} racks the share (R - 1)/R = "
            f"{(count - 1) / count:.2f} leaves, over a network {ratio} times slower: the all-to-all takes "
            f"{float(racks.crossing_slowdown(count, ratio)):.3g} times as long. No batch hides it, since both grow with it. "
            "Remedies: group-limited routing (quality), one copy a rack (relay work), whole layers to racks (pipelining: "
            "no gain in time). Small racks win for models that fit one of them, or for independent copies of a model."
        ),
    )  # fmt: skip
