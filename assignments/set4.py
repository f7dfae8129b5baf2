"""Problem set 4, chapters 7 and 8: budgets of tokens, and wiring that runs backwards."""

from operator import xor

from memwall import Model, feistel, reversible, scaling
from memwall.core.units import DAY
from memwall_classroom import Choice, Criterion, Draw, Formula, Letter, Number, ProblemSet, Written
from memwall_classroom.marking.props import PEOPLE
from memwall_classroom.reading.answers import say

SET = ProblemSet(
    "set4",
    "Problem set 4: budgets of tokens, and wiring that runs backwards",
    chapters=(7, 8),
    goals=(
        "say what balances at the cheapest point of a rising and a falling cost",
        "split a budget between pre-training, reinforcement learning and users",
        "run a Feistel network backwards, and count what an attack on it needs",
        "compare the memory of ordinary, checkpointed and reversible training",
    ),
    intro=(
        "Two topics, one habit: write down what rises, what falls and what is kept, then let the arithmetic decide."
    ),
)


@SET.question(points=2, minutes=5, goal="Say what balances where the sum of two costs is least")
def balance(draw: Draw) -> Choice:
    """What balances?"""
    p, q = draw.pick(0.5, 1, 1.5, 2, 3), draw.pick(0.25, 0.5, 1, 2, 3)
    draw.require(p != q and (p, q) not in ((0.5, 2), (2, 0.5)))
    right = float(scaling.cost_ratio_at_minimum(p, q))
    equal = draw.pick("a year of rent", "the power bill", "the wages of a team")
    wrong = {
        1.0: "The slopes balance, not the costs: they are equal only if both powers are.",
        p / q: "It is upside down: the steeper cost is the smaller one at the cheapest point.",
        right * 2
        if right * 2 not in (1.0, p / q)
        else right * 3: "Differentiate: p a x^p = q b / x^q at the cheapest point.",
    }
    values = [f"{v:.3g}" for v in (right, *wrong)]
    draw.require(len(set(values)) == 4)
    return Choice(
        f"{draw.pick(*PEOPLE).capitalize()} can train a model longer, by a factor x, which costs a x^{p:g}; then fewer answers must "
        f"be tried, which costs b / x^{q:g}. Both a and b are measured in the same money, and b happens to be as much as {equal}."
        "\n\nWhere the sum is least, how large is the first cost, compared with the second?",
        options=draw.options(
            f"{values[0]} times",
            dict(zip([f"{v} times" for v in values[1:]], wrong.values(), strict=True)),
        ),
        solution=f"p a x^p = q b / x^q where the derivative vanishes, so the costs are as q to p: {right:.3g}. a and b do not enter.",
    )


@SET.question(
    points=3, minutes=8, goal="Turn shares of a budget into tokens, with each stage's efficiency"
)
def budget(draw: Draw) -> Number:
    """Splitting the budget"""
    read = draw.number(5e12, 90e12)
    factor = draw.pick(2, 3, 4, 5, 6)
    efficiency = draw.pick(0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
    parts = draw.pick(
        (50, 30, 20), (40, 40, 20), (60, 25, 15), (30, 20, 50), (25, 50, 25), (45, 20, 35)
    )
    who = draw.pick("rl", "users")
    share = (parts[1] if who == "rl" else parts[2]) / parts[0]
    per = factor if who == "rl" else 2
    ratio = scaling.pretraining_per_token(per, efficiency, share)
    answer = read / ratio
    what = (
        "How many tokens can its reinforcement learning take?"
        if who == "rl"
        else "How many tokens can it write for users?"
    )
    return Number(
        f"{draw.pick(*PEOPLE).capitalize()} spends its computing on one model: {parts[0]} % goes into pre-training, {parts[1]} % into "
        f"reinforcement learning, {parts[2]} % into answers for users. Pre-training takes 6 FLOP for each active parameter and token, "
        f"reinforcement learning {factor}, answering 2. While it writes tokens, in reinforcement learning as for users, the "
        f"machine reaches {efficiency:.0%} of the rate it has in pre-training. The model reads {say(read)} tokens in "
        f"pre-training.\n\n{what}",
        answer=answer,
        unit="trillion tokens",
        plausible=("0.4 trillion tokens", "350 trillion tokens"),
        mistakes={
            "You divided by the efficiency: slower work gives fewer tokens for the same money.":
                answer / efficiency**2,
            "You left the efficiency out.": answer / efficiency,
            "You left out that a token of pre-training costs 6 FLOP a parameter.": answer * 2 / 6 if per != 2 else answer / 3,
            "You split the budget evenly: the shares differ.": answer / share,
        },
        solution=(
            f"D_pt / D = c / (6 e share) with c = {per}, e = {efficiency:g}, share = {share:.4g}: {float(ratio):.4g}, so "
            f"D = {answer / 1e12:.4g} trillion."
        ),
    )  # fmt: skip


@SET.question(
    points=3, minutes=8, goal="Compare a model's reading with the rule of 2022 through its lifetime"
)
def lifetime(draw: Draw) -> Number:
    """A short life"""
    rate, days = draw.number(0.3e6, 60e6), draw.integer(4, 40) * 10
    survival = draw.pick(0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    active = draw.number(3e9, 90e9)
    times = draw.pick(6, 10, 15, 20)
    rule = draw.pick(20, 25)
    served = scaling.served_tokens(rate, days * DAY, survival)
    answer = float(scaling.over_training(served, active, rule))
    draw.require(1.5 < answer < 3000)
    return Number(
        f"{draw.pick(*PEOPLE).capitalize()} expects its next model to write {say(rate)} tokens a second for {days} days, unless it is "
        f"withdrawn at the start, which happens to {1 - survival:.0%} of models. By the rule of thumb that a model should read as many "
        f"tokens in pre-training as it can expect to write, it decides how long to train. {say(active)} parameters are active for a "
        f"token, and {times} times as many are stored. A rule of 2022 asks for {rule} tokens of pre-training for each parameter; "
        "take the active ones.\n\nHow many times as many tokens as that rule asks for does the model read?",
        answer=answer,
        unit="",
        plausible=("1.5", "1200"),
        mistakes={
            "You let every model live: some are withdrawn, which lowers what can be expected.": answer / survival,
            "You used the share that is withdrawn; the others serve.": answer / survival * (1 - survival),
            "You used all parameters: the question takes the active ones.": answer / times,
            "You compared with one token for each parameter.": answer * rule,
            "You took hours for days.": answer / 24,
        },
        solution=(
            f"Expected: {rate:.4g} x {days} x 86,400 x {survival:g} = {float(served):.4g} tokens, against {rule} x {active:.4g}: "
            f"{answer:.4g} times."
        ),
    )  # fmt: skip


def _times(factor: int, letter: str) -> str:
    return letter if factor == 1 else f"({factor}*{letter})"


@SET.question(points=4, minutes=12, goal="Write an optimum or a memory as a formula")
def optimum(draw: Draw) -> Formula:
    """The best of it"""
    who = draw.pick(*PEOPLE)
    kind = draw.pick("cheapest", "segments", "partly", "stages", "longer")
    if kind == "cheapest":
        p, q = draw.pick((1, 1), (1, 2), (2, 1), (1, 3), (3, 1), (2, 2))
        letters = {
            "a": Letter("first cost at x = 1, in dollars", "$", 0.1, 10),
            "b": Letter("second cost at x = 1, in dollars", "$", 0.1, 10),
        }

        def least(a, b):
            return scaling.cheapest_point(a, p, b, q)

        rises = "a x" if p == 1 else f"a x^{p}"
        falls = "b / x" if q == 1 else f"b / x^{q}"
        return Formula(
            f"{who.capitalize()} pays {rises} for making a thing x times better, and {falls} for what still goes wrong with it; x is a "
            "pure number.\n\nWrite the x at which the two together cost least.",
            least, letters, "",
            {
                "That is where the two costs are equal; where their sum is least the slopes are.":
                    lambda a, b: (b / a) ** (1 / (p + q)) * (1 if p != q else 2),
                "It is upside down: the dearer the improvement, the less of it.": lambda a, b: 1 / least(a, b),
                "You forgot the root: solve for x.": lambda a, b: q * b / (p * a) if p + q > 1 else least(a, b) * 2,
            } if p != q else {
                "It is upside down: the dearer the improvement, the less of it.": lambda a, b: 1 / least(a, b),
                "You forgot the root: solve for x.": lambda a, b: b / a,
            },
            f"The derivative vanishes where {p} a x^{p} = {q} b / x^{q}: x = (q b / (p a))^(1/(p + q)).",
            f"({_times(q, 'b')}/{_times(p, 'a')})^(1/{p + q})".replace("(b/a)^(1/2)", "sqrt(b/a)"),
        )  # fmt: skip
    if kind == "segments":
        letters = {
            "n": Letter("layers", "1", 16, 200),
            "s": Letter("bytes of the state between two layers", "B", 1e6, 1e8),
            "v": Letter("bytes of all activations of one layer", "B", 2e6, 2e9),
        }

        def held(n, s, v):
            return reversible.checkpointed_bytes(n, reversible.best_segments(n, s, v), s, v)

        return Formula(
            f"{who.capitalize()} trains with checkpoints: the n layers are cut into equal segments, the state at the start of each "
            "segment is kept, and on the way back one segment at a time is computed again in full. The number of segments is "
            "chosen so that the memory is least, and need not be whole.\n\nWrite the memory that activations take then.",
            held, letters, "B",
            {
                "You kept only the states; one segment is held in full as well.": lambda **v: held(**v) / 2,
                "You cut at every layer: fewer segments need less.": lambda n, s, v: reversible.checkpointed_bytes(n, n, s, v),
                "You kept everything, as without checkpoints.": lambda n, s, v: reversible.checkpointed_bytes(n, 1, s, v) - s,
            },
            "S s + (n/S) v is least at S = sqrt(n v / s), where both terms are equal: 2 sqrt(n s v).",
            "2*sqrt(n*s*v)",
        )  # fmt: skip
    if kind == "partly":
        letters = {
            "r": Letter("backward pass over forward pass, in arithmetic", "1", 1.5, 4),
            "x": Letter(
                "share of the layers that are reversible and computed again", "1", 0.1, 0.9
            ),
            "u": Letter(
                "rate of the arithmetic while layers are computed again, over the usual rate",
                "1",
                0.3,
                0.9,
            ),
        }

        def ratio(r, x, u):
            return 1 + x * (reversible.reversible_compute_ratio(r) - 1) / u

        return Formula(
            f"In the network of {who} a share x of the layers is reversible and computed again on the way back, which runs at a share u "
            "of the usual rate; the others keep their activations. All layers take equally much arithmetic, and nothing else takes "
            "time.\n\nWrite the time of a training step over that of an ordinary one.",
            ratio, letters, "",
            {
                "That is as if all layers were reversible.": lambda r, x, u: ratio(r, 1 + 0 * x, u),
                "You counted the layers that are not computed again.": lambda r, x, u: ratio(r, 1 - x, u),
                "You took the backward pass for the whole step: there is a forward pass as well.":
                    lambda r, x, u: 1 + x * (reversible.reversible_compute_ratio(r) - 1) * (1 + r) / r / u,
                "A lower rate takes longer, not shorter.": lambda r, x, u: ratio(r, x, 1 / u),
            },
            "Forward 1, backward r, again x / u: (1 + r + x / u) / (1 + r).",
            "(1 + r + x/u)/(1 + r)",
        )  # fmt: skip
    letters = {
        "D": Letter("tokens of pre-training", "1", 1e12, 1e14),
        "c": Letter(
            "FLOP of reinforcement learning for each active parameter and token", "1", 2, 6
        ),
        "e": Letter("rate in reinforcement learning over that in pre-training", "1", 0.1, 0.8),
    }
    if kind == "stages":
        letters["y"] = Letter(
            "cost of reinforcement learning over cost of pre-training", "1", 0.2, 3
        )
        letters["z"] = Letter("cost of writing for users over cost of pre-training", "1", 0.2, 3)

        def taken(D, c, e, y, z):
            return D / scaling.pretraining_per_token(c, e, y) + D / scaling.pretraining_per_token(
                2, e, z
            )

        return Formula(
            f"{who.capitalize()} spends y times as much on reinforcement learning as on pre-training, and z times as much on writing for "
            "users. Pre-training takes 6 FLOP for each active parameter and token, writing for users 2, at the same rate as "
            "reinforcement learning.\n\nWrite the tokens of reinforcement learning and of users together.",
            taken, letters, "tokens",
            {
                "Slower work gives fewer tokens for the same money.":
                    lambda D, c, e, y, z: taken(D, c, 1, y, z) / e,
                "You left out that pre-training takes 6 FLOP.": lambda **v: taken(**v) / 6,
                "You left the users out.": lambda D, c, e, y, z: D / scaling.pretraining_per_token(c, e, y) + 0 * z,
                "You gave the users' tokens the FLOP of reinforcement learning.":
                    lambda D, c, e, y, z: D / scaling.pretraining_per_token(c, e, y + z),
            },
            "6 N_a D y = c N_a D_rl / e and 6 N_a D z = 2 N_a D_u / e: the parameters cancel.",
            "6*D*e*(y/c + z/2)",
        )  # fmt: skip
    letters["N_a"] = Letter("active parameters", "1", 1e9, 1e11)
    letters["z"] = Letter(
        "tokens of reinforcement learning over those of pre-training", "1", 0.05, 2
    )
    letters["F"] = Letter("FLOP a second of the machine in pre-training", "FLOP/s", 1e17, 1e20)

    def spent(D, c, e, N_a, z, F):
        made = Model(N_a, N_a)
        return (scaling.training_flop(D, made) + scaling.rl_flop(z * D, c, e, made)) / F

    return Formula(
        f"After pre-training on D tokens (6 FLOP for each active parameter and token) {who} adds reinforcement learning on z times as many "
        "tokens, on the same machine.\n\nWrite the time that both take together.",
        spent, letters, "s",
        {
            "Slower work takes longer: divide by its rate.":
                lambda D, c, e, N_a, z, F: spent(D, c, 1, N_a, z * e, F),
            "You left pre-training out.":
                lambda D, c, e, N_a, z, F: spent(D, c, e, N_a, z, F) - scaling.training_flop(D, Model(N_a, N_a)) / F,
            "You slowed pre-training down as well.":
                lambda D, c, e, N_a, z, F: spent(D, c, 1, N_a, z, F) / e,
        },
        "(6 N_a D + c N_a z D / e) / F.",
        "N_a*D*(6 + c*z/e)/F",
    )  # fmt: skip


@SET.question(points=3, minutes=8, goal="Price a decision that misses the optimum")
def missed(draw: Draw) -> Number:
    """Off the optimum"""
    p, q = draw.pick(0.5, 1, 1.5, 2), draw.pick(0.3, 0.5, 0.75, 1, 2)
    kind = draw.pick("factor", "equal")
    if kind == "factor":
        factor = draw.pick(1 / 4, 1 / 3, 1 / 2, 1.5, 2, 2.5, 3, 4)
        told = (
            f"{factor:g} times"
            if factor >= 1
            else f"a {('quarter', 'third', 'half')[(0.25, 1 / 3, 0.5).index(factor)]} of"
        )
        answer = float(scaling.cost_of_missing(factor, p, q)) - 1
        act = f"runs at {told} the cheapest x"
        mistakes = {
            "You priced the rising cost alone.": abs(factor**p - 1),
            "You took the two costs to be equal at the cheapest point: they are as q to p.": float(
                scaling.two_term_cost(factor, 0.5, p, 0.5, q)
            )
            - 1
            if p != q
            else abs(factor - 1) * 3,
            "That is the whole cost over the least; what was asked is how much more.": answer + 1,
        }
    else:
        draw.require(p != q)
        answer = float(scaling.cost_of_equalising(p, q)) - 1
        act = "chooses x so that the two costs are equal"
        mistakes = {
            "Equal costs are the cheapest only if both powers are equal.": max(p / q, q / p) - 1,
            "That is the whole cost over the least; what was asked is how much more.": answer + 1,
        }
    draw.require(0.03 < answer < 4)
    return Number(
        f"{draw.pick(*PEOPLE).capitalize()} has a cost that rises as x^{p:g} and one that falls as 1 / x^{q:g}, and {act}.\n\n"
        "How much more than the least possible does it pay for both together?",
        answer=answer,
        unit="%",
        plausible=("0.5 %", "450 %"),
        tolerance=0.03,
        mistakes={hint: value for hint, value in mistakes.items() if value > 0},
        solution=(
            f"At the cheapest point the costs are as q to p. At f times that point the sum is (q f^p + p / f^q) / (p + q) times the "
            f"least: {answer:.2%} more."
        ),
    )  # fmt: skip


@SET.question(points=3, minutes=10, goal="Run a Feistel network backwards by hand")
def backwards(draw: Draw) -> Number:
    """Backwards"""
    rounds = draw.pick(2, 3)
    keys = [draw.integer(1, 15) for _ in range(rounds)]
    times = draw.pick(3, 5, 7, 11, 13)
    layers = [lambda x, k=k: (times * x + k) % 16 for k in keys]
    start = draw.integer(0, 15), draw.integer(0, 15)
    x, y = feistel.encode(layers, *start, plus=xor)
    answer = 16 * start[0] + start[1]
    draw.require(answer > 0 and start[0] != start[1])
    wrong = {}
    again = feistel.encode(layers, x, y, plus=xor)
    forward = feistel.decode(layers[::-1], x, y, minus=xor)
    for hint, (left, right) in (
        ("You swapped the halves at the end.", start[::-1]),
        ("You ran the network forwards again.", again),
        ("You took the rounds in their first order: the last one must be undone first.", forward),
    ):
        value = 16 * left + right
        if value != answer and value not in wrong.values():
            wrong[hint] = value
    lines = "\n".join(
        f"- round {i}: f(x) = {times} x + {k}, of which the last 4 bits count (mod 16)"
        for i, k in enumerate(keys, 1)
    )
    return Number(
        f"A toy of {draw.pick(*PEOPLE)} sends two halves of 4 bits, each 0 to 15, through {rounds} rounds (x, y) -> (y xor f(x), x):\n\n"
        f"{lines}\n\nOut came ({x}, {y}). What went in? Give 16 times the first half plus the second, a number from 0 to 255.",
        answer=answer,
        unit="",
        plausible=("0", "255"),
        whole=True,
        mistakes=wrong,
        solution=(
            f"Undo the last round first: (x, y) came from (y, x xor f(y)). Back through {rounds} rounds: {start}, so "
            f"16 x {start[0]} + {start[1]} = {answer}. f itself need not be invertible."
        ),
    )  # fmt: skip


@SET.question(points=3, minutes=8, goal="Count what an attack or a measurement needs")
def evidence(draw: Draw) -> Number:
    """Enough evidence"""
    kind = draw.pick("pairs", "samples")
    if kind == "pairs":
        easy, hard = draw.integer(2, 6), draw.integer(1, 5)
        bits = 2 * easy + 4 * hard
        wanted = draw.pick(3, 4, 5, 6, 10, 12, 20, 24)
        chance = reversible.guess_chance(bits)
        answer = float(wanted / reversible.right_pairs(1, chance))
        return Number(
            f"A difference travels through a cipher as hoped with chance 1/4 in each of {easy} rounds and with chance 1/16 in each of "
            f"{hard} others, independently. {draw.pick(*PEOPLE).capitalize()} wants to see about {wanted} pairs of texts that "
            "follow it all the way.\n\nHow many pairs must it ask for?",
            answer=answer,
            unit="pairs",
            plausible=("1 pair", "10^15 pairs"),
            mistakes={
                "You added the chances of the rounds: all must happen, so they multiply.":
                    wanted / (easy / 4 + hard / 16),
                "You asked for one pair.": answer / wanted,
                "You gave every round the same chance of 1/4.": wanted / reversible.guess_chance(2 * (easy + hard)),
                "You gave every round the same chance of 1/16.": wanted / reversible.guess_chance(4 * (easy + hard)),
            },
            solution=f"The chance is 4^-{easy} x 16^-{hard} = 2^-{bits}; {wanted} x 2^{bits} = {answer:,.0f} pairs.",
        )  # fmt: skip
    error = draw.pick(0.001, 0.002, 0.004, 0.005, 0.01)
    sigmas = draw.pick(2, 3, 4, 5)
    answer = float((sigmas * reversible.sampling_error(1) / error) ** 2)
    return Number(
        f"{draw.pick(*PEOPLE).capitalize()} tests whether an output bit of a cipher flips half the time when an input bit is flipped. A "
        f"deviation of {error:.1%} from one half is to stand {sigmas} standard errors above the noise of the sample.\n\n"
        "How many random texts must be tried?",
        answer=answer,
        unit="samples",
        plausible=("1 sample", "10^12 samples"),
        mistakes={
            "You took one standard error.": answer / sigmas**2,
            "The error falls with the root of the number of samples, not with the number.":
                float(sigmas * reversible.sampling_error(1) / error),
            "You took a variance of 1: a bit that flips half the time has 1/4.": answer * 4,
            "You took a deviation of the error, not of its multiple: square both.": answer / sigmas,
        },
        solution=f"sqrt(1/4 / n) = {error:g} / {sigmas}, so n = ({sigmas} x 0.5 / {error:g})^2 = {answer:,.0f}.",
    )  # fmt: skip


@SET.question(
    points=5, minutes=15, goal="Choose how much of a network to make reversible within a memory"
)
def fit(draw: Draw) -> Number:
    """Making it fit"""
    layers, width = draw.integer(4, 16) * 6, draw.pick(2048, 3072, 4096, 5120, 6144, 8192)
    values = draw.integer(6, 20) * width
    tokens = draw.integer(4, 64) * 1000
    kept_share = draw.number(0.1, 0.85)
    # room for some layers' activations, the state and one layer at work
    working = reversible.reversible_bytes(tokens, width, values, 2)
    one = reversible.stored_bytes(1, tokens, values, 2)
    room = draw.rounded(float(working + kept_share * layers * one))
    kept = float((room - working) / one)
    draw.require(0.1 < kept % 1 < 0.9 and 1 < kept < layers - 1)
    answer = layers - int(kept)
    slips = {
        "You rounded the other way: so few reversible layers leave too many to keep.": answer - 1,
        "You forgot the state and the layer at work, which are held as well.": layers
        - int(room / one),
        "You counted numbers, not bytes.": layers - int(2 * (room - working / 2) / one),
        "Those are the layers that may stay as they are.": int(kept),
    }
    wrong = {h: v for h, v in slips.items() if 0 < v <= layers and v != answer}
    wrong = {h: v for i, (h, v) in enumerate(wrong.items()) if v not in list(wrong.values())[:i]}
    ratio = float(reversible.reversible_compute_ratio(2))
    return Number(
        f"{draw.pick(*PEOPLE).capitalize()} trains a network of {layers} layers on batches of {say(tokens)} tokens. Between two layers a "
        f"token's state has {say(width)} numbers; within a layer {say(values)} numbers a token must be held for the way back. Numbers have 2 "
        f"bytes, and there are {say(room, 'B')} for activations. As many layers as possible shall keep their activations; the others are made "
        "reversible and computed again. Beside what is kept, the state and the activations of the one layer at work are held.\n\n"
        "How many layers must be made reversible at least?",
        answer=answer,
        unit="layers",
        plausible=("1 layer", "1000 layers"),
        whole=True,
        mistakes=wrong,
        solution=(
            f"A kept layer takes {one / 1e9:.4g} GB, the state and the layer at work {working / 1e9:.4g} GB. "
            f"({room / 1e9:g} - {working / 1e9:.4g}) / {one / 1e9:.4g} = {kept:.2f}: {int(kept)} layers stay, {answer} are made "
            f"reversible. The arithmetic grows by {answer / layers * (ratio - 1):.1%}."
        ),
    )


@SET.written(points=10, minutes=30, goal="Defend a plan whose inputs are guesses")
def plan_it(draw: Draw) -> Written:
    """A plan made of guesses"""
    what = draw.pick(
        "the traffic may be half or three times what is planned",
        "the model may be replaced after a third of its planned life",
        "decoding may reach a tenth or a half of the rate of pre-training",
    )
    twist = draw.pick(
        "the rule that the costs of the stages should be equal",
        "the rule of 20 tokens for each parameter",
        "the rule that a model should read as much as it will write",
    )
    return Written(
        f"{draw.pick(*PEOPLE).capitalize()} must fix this week how many tokens its next model reads in pre-training, although {what}. A "
        f"colleague relies on {twist}.\n\n"
        "Write at most 300 words: what the rule assumes, how wrong it can be here (a number, from the shape of the optimum), "
        "and what you would decide and why. End with the one measurement that would change your mind most, and by how much.",
        rubric=(
            Criterion("the rule", 3, "what it assumes, and when it holds exactly", "one of these", "none"),
            Criterion("its price", 3, "a cost for being wrong, from a flat minimum or a law of loss, as a number",
                      "the direction only", "none"),
            Criterion("the decision", 2, "a decision that follows from it", "a decision without reason", "none"),
            Criterion("a measurement", 2, "what to measure and the size of the change", "what to measure", "none"),
        ),
        model=(
            "Equal costs are best only for equal powers; otherwise they are as q to p. The minimum is flat: twice too much or too "
            f"little costs {float(scaling.cost_of_missing(2, 1, 1)) - 1:.0%} with powers of 1. The rule of 20 is for training alone; "
            "users' tokens shift it to smaller models that read more. Reading as much as one writes assumes equal costs, equal efficiency "
            "and no withdrawal. A decision near the middle of the (logarithmic) range loses least; the widest input is worth measuring first."
        ),
    )  # fmt: skip
