"""Chapter 8: ciphers stirred round by round, the attack on them, and what a reversible network holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp

from memwall import Model, chip, feistel, human, model, reversible
from memwall.views.explorer import (
    Bar,
    Bars,
    Curve,
    Explorer,
    Grid,
    Guide,
    Lines,
    Point,
    Preset,
    Readout,
    Slider,
    variables,
)
from memwall.views.figures import COLORS, Figure, canvas, curve, note, show, table
from memwall.views.reader import Asked, exercise, guess, settle

GREY = "#808080"
DASHED = (0, (6, 2))


def stirred_batter(drops: Sequence[np.ndarray]) -> Figure:
    """One drop in a square of batter, stirred one way, and both ways."""
    fig, axes = canvas(
        f"Stirring one way reaches {drops[1].sum()} cells of {drops[1].size}, both ways reach them all",
        log="",
        size=(6.2, 2.7),
        columns=3,
    )
    labels = ("one drop", "along the rows, 3 times", "rows, then columns")
    for ax, label, drop in zip(axes, labels, drops, strict=True):
        ax.pcolormesh(drop, cmap="Blues", vmin=0, vmax=1.4, edgecolors=GREY, linewidth=0.4)
        ax.set_aspect("equal")
        ax.axis("off")
        ax.set_ylim(-1.7, 8.1)
        note(ax, 4, -0.9, label, "bound", ha="center", fontsize=10)
    return show(
        fig,
        "Three squares of 8 by 8 cells: one filled cell; one filled row after three stirs along rows; all cells filled after a stir along rows and one along columns.",
    )


def there_and_back() -> Figure:
    """The wiring of a Feistel layer, forwards and undone."""
    fig, axes = canvas(
        "The same f, run forwards, does and undoes", log="", size=(6.2, 3.1), columns=2
    )
    ways = [
        (("x", "y"), ("x′ = y + f(x)", "y′ = x"), "+", "there"),
        (("y′ = x", "x′"), ("y = x′ − f(y′)", "x = y′"), "−", "and back"),
    ]
    line: dict[str, Any] = {"color": GREY, "lw": 1.6, "solid_capstyle": "round"}
    arrow = {"arrowstyle": "->", "color": GREY, "lw": 1.6}
    circle = {"markersize": 15, "markerfacecolor": "none", "markeredgecolor": GREY}
    wires = [
        ((0, 0), (3.7, 1.3)),
        ((3, 3), (3.7, 2.62)),
        ((3, 3), (2.18, 1.3)),
        ((0, 1.1), (2.4, 2.4)),
    ]
    crossed = [((0, 3), (1.3, 0.3)), ((3, 0), (1.3, 0.3))]
    for ax, (top, bottom, sign, word) in zip(axes, ways, strict=True):
        ax.axis("off")
        ax.set(xlim=(-0.9, 3.9), ylim=(-0.9, 4.6))
        for xs, ys in wires:
            ax.plot(xs, ys, **line)
        ax.annotate("", (2.76, 2.4), (1.9, 2.4), arrowprops=arrow)
        for xs, ys in crossed:
            ax.plot(xs, ys, **line)
        ax.plot([1.5], [2.4], "s", markersize=25, color=COLORS["compute"])
        ax.plot([3], [2.4], "o", **circle)
        note(ax, 1.5, 2.4, "f", "bound", ha="center", fontsize=13, style="italic")
        note(ax, 3, 2.4, sign, "bound", ha="center", fontsize=12)
        for height, texts in ((4.0, top), (-0.1, bottom)):
            for place, text in zip((0, 3), texts, strict=True):
                note(ax, place, height, text, "bound", ha="center")
        note(ax, 1.5, -0.8, word, "muted", ha="center")
    return show(
        fig,
        "Two wiring diagrams. There: x feeds f, whose output is added to y, then the two halves swap. Back: the kept half feeds the same f, whose output is subtracted, then they swap.",
    )


def avalanche(flips: np.ndarray, complete: int, strict: int, all_rounds: int) -> Figure:
    """Chance that an output bit flips, round by round: mean and range over all pairs of bits."""
    mean, low, high = flips.mean((1, 2)), flips.min((1, 2)), flips.max((1, 2))
    rounds = np.arange(len(flips))
    fig, ax = canvas(
        f"After {strict} of {all_rounds} rounds a flipped bit looks like a fair coin everywhere",
        x=("Rounds", ""),
        y=("Chance that an output bit flips", "%"),
        log="",
    )
    ax.fill_between(rounds, low, high, color=COLORS["weights"], alpha=0.15, linewidth=0)
    curve(ax, rounds, mean, "weights", linestyle="-", marker="o", markersize=4)
    curve(ax, rounds, np.full(len(rounds), 0.5), "muted")
    note(ax, 5, mean[5], "mean of 1,024 pairs", "weights", dx=7, dy=-12)
    note(ax, 3.6, 0.9, "from the least to the most", "weights", dx=0)
    ax.axvline(complete, color=COLORS["muted"], linewidth=0.8)
    note(ax, complete, 0.03, "every pair reached", "muted", dx=4)
    return show(
        fig,
        f"Chance that an output bit flips against rounds, mean and range over all 1,024 pairs of bits: the range covers 0 to 1 until round 6, closes on one half by round {strict}.",
    )


def avalanche_figure(
    flips: np.ndarray, strict: int, mean64: np.ndarray, mean128: np.ndarray
) -> Explorer:
    """Live: the measured tables of flips of SIMON32 by round, and two larger ciphers' means."""
    r, row, column = variables("rounds row column", nonnegative=True)
    last = len(flips) - 1
    average, least, most = (sp.Function(n)(r) for n in ("mean", "least", "most"))
    return Explorer(
        "feistel-revnet",
        title=[
            (sp.Eq(r, 0), "Nothing has happened yet: a bit depends on itself alone"),
            (least <= 0, "After {rounds} some bits still do not depend on some others"),
            (r < strict, "After {rounds} every bit depends on every bit, but not like a fair coin"),
            "After {rounds} every pair looks like a fair coin",
        ],
        controls=[Slider(r, "Rounds of SIMON32", 0, last, 4, unit="rounds", integer=True)],
        chart=[
            Lines(
                x=r,
                y=("Bits that flip", "%"),
                y_range=(0, 0.6),
                curves=[
                    Curve("SIMON32", average, "weights"),
                    Curve("SIMON64", sp.Function("mean64")(r), "network"),
                    Curve("SIMON128", sp.Function("mean128")(r), "compute"),
                ],
                points=[Point("you", r, average, "weights")],
                guides=[Guide("a fair coin", y=sp.Rational(1, 2))],
                samples=len(flips),
            ),
            Grid(
                sp.Function("flips")(r, row, column),
                32,
                32,
                x=("output bit", ""),
                y=("input bit", ""),
                kind="weights",
            ),
        ],
        readouts=[
            Readout("Bits that flip, on average", average, "%", key="share"),
            Readout("Least likely pair", least, "%"),
            Readout("Likeliest pair", most, "%"),
        ],
        tables={
            "flips": flips.round(2).tolist(),
            "mean": flips.mean((1, 2)).round(4).tolist(),
            "least": flips.min((1, 2)).round(3).tolist(),
            "most": flips.max((1, 2)).round(3).tolist(),
            "mean64": mean64.round(4).tolist(),
            "mean128": mean128.round(4).tolist(),
        },
        alt="Table of 32 by 32 flip probabilities of SIMON32 after {rounds}; on average {share} of the bits flip.",
    )


def quiet_path(seen: np.ndarray, product: np.ndarray, flipped: float) -> Figure:
    """The chance that one difference runs the quiet path: its rounds multiplied, and measured."""
    steps = len(seen) - 1
    fig, ax = canvas(
        f"After {steps} rounds {human(round(flipped, 2), '%')} of bits flip, yet one difference in {1 / seen[-1]:.0f} runs the course",
        x=("Rounds", ""),
        y=("Chance", ""),
        log="y",
    )
    path, ideal = np.arange(steps + 1), 2.0**-32
    curve(ax, path, product, "compute")
    ax.plot(path, seen, "o", color=COLORS["compute"], markersize=7)
    curve(ax, path, np.full(steps + 1, ideal), "muted")
    note(ax, 0.1, ideal, "an ideal cipher: any one difference in 4 billion", "muted", dy=9)
    note(ax, 0, 1e-4, "dots: the quiet path, measured", "compute")
    note(ax, 0, 1e-5, "line: its rounds, multiplied", "compute")
    ax.set_ylim(1e-10, 4)
    ticks = ["1", "1 in a thousand", "1 in a million", "1 in a billion"]
    ax.set_yticks([1, 1e-3, 1e-6, 1e-9], ticks)
    return show(
        fig,
        f"Chance of the quiet path against rounds, measured dots on the predicted line falling to about 1 in {1 / seen[-1]:.0f} after {steps} rounds; an ideal cipher would give 1 in 4 billion.",
    )


def reach_of_the_attack(
    reach: np.ndarray, read: Mapping[int, np.ndarray], all_rounds: int
) -> Figure:
    """Bits of the last round key read right against rounds, for two budgets of chosen texts."""
    (few_texts, few), (many_texts, many) = sorted(read.items())
    last = int(reach[many > 15][-1])
    fig, ax = canvas(
        f"With {human(many_texts)} chosen texts the attack reads {last} rounds; SIMON32 has {all_rounds}",
        x=("Rounds", ""),
        y=("Key bits read right", "of 16"),
        log="",
    )
    curve(ax, reach, many, "compute", linestyle="-", marker="o", markersize=5)
    curve(ax, reach, few, "network", marker="s", markersize=5)
    curve(ax, reach, np.full(len(reach), 8), "muted")
    note(ax, reach[0], 8, "a blind guess", "muted", dy=-9)
    at_last, before = many[reach == last][0], few[reach == last - 1][0]
    note(ax, last, at_last, f"{human(many_texts)} texts", "compute", dx=8, dy=4)
    note(ax, last - 1, before, f"{human(few_texts)} texts", "network", dx=-8, dy=-6)
    ax.set_ylim(4, 17)
    return show(
        fig,
        f"Bits of the last round key read right against rounds, mean of four keys: 16 up to {last} rounds for the larger budget, then falling to the 8 of a blind guess.",
    )


def signs_and_gradients(
    flipped: np.ndarray,
    signs: Mapping[float, np.ndarray],
    depths: np.ndarray,
    around: np.ndarray,
    through: np.ndarray,
) -> Figure:
    """What a random network does with a difference, beside SIMON32, and what depth does to a gradient."""
    plain, strong = (signs[gain] for gain in sorted(signs))
    turned = human(round(plain[-1], 2), "%")
    fig, (left, right) = canvas(
        f"32 random layers turn over {turned} of the signs, and a way around each layer keeps the gradient alive",
        log="",
        size=(6.4, 3.9),
        columns=2,
    )
    left.plot(np.arange(len(flipped)), flipped, color=COLORS["weights"], marker="o", markersize=3)
    left.plot(plain, color=COLORS["compute"])
    left.plot(strong, color=COLORS["compute"], linestyle="--")
    note(left, 10, 0.5, "SIMON32, bits", "weights", dx=4, dy=9)
    note(left, 32, strong[-1], f"weights {max(signs):.0f}×", "compute", dx=-2, dy=9)
    note(left, 32, plain[-1], "random network", "compute", dx=-2, dy=-22)
    left.set(xlabel="Layers, or rounds", ylabel="Share turned over", ylim=(0, 0.58), xlim=(0, 33))
    right.loglog(depths, around, color=COLORS["compute"])
    right.loglog(depths, through, color=COLORS["muted"], linestyle="--")
    note(right, 2, around[1], "x + f(x)", "compute", dy=11)
    note(right, 6, 1e-6, "f(x)", "muted", dx=8, dy=8)
    right.set(xlabel="Layers", ylabel="Gradient of the input / of the output", ylim=(1e-24, 1e4))
    right.set_xticks([1, 8, 64], ["1", "8", "64"])
    right.set_yticks([1, 1e-8, 1e-16, 1e-24], ["1", "10⁻⁸", "10⁻¹⁶", "10⁻²⁴"])
    right.minorticks_off()
    return show(
        fig,
        f"Left: share of signs turned over against layers, about {turned} after 32 layers of a random network, against half for SIMON32. Right: gradient length against depth, steady with a way around each layer, vanishing without.",
    )


def memory_through_a_step_and_over_depth(
    histories: Mapping[str, Sequence[float]],
    depths: Sequence[int],
    formula: Mapping[str, Sequence[float]],
    allocated: Mapping[str, Sequence[float]],
) -> Figure:
    """Activations held while a step of the deepest network runs, and their peak against depth."""
    kinds = {"stored": "kv", "reversible": "compute"}
    up, flat = (np.array(histories[name]) for name in kinds)
    fig, (left, right) = canvas(
        f"At {depths[-1]} layers: {human(up.max(), 'B')} of activations, or {human(flat.max(), 'B')} at any depth",
        log="",
        size=(6.4, 3.7),
        columns=2,
    )
    for history, kind, style in ((up, "kv", "-"), (flat, "compute", DASHED)):
        at = np.linspace(0, 1, len(history))
        left.plot(at, history / 1e6, color=COLORS[kind], linestyle=style)
    left.set(
        xlabel="Through one step",
        ylabel="Activations held (MB)",
        xticks=[0, 0.5, 1],
        xticklabels=["start", "turn", "end"],
    )
    note(left, 0.5, up.max() / 1e6, "stored", "kv", dx=14, dy=-4)
    note(left, 0.5, flat.max() / 1e6, "reversible", "compute", dy=10, ha="center")
    lines = {name: np.array(formula[name], float) / 1e6 for name in kinds}
    for name, style in (("stored", "-"), ("reversible", DASHED)):
        right.plot(depths, lines[name], color=COLORS[kinds[name]], linestyle=style)
    for name, shape in (("stored", "o"), ("reversible", "s")):
        dots = np.array(allocated[name]) / 1e6
        right.plot(depths, dots, shape, color=COLORS[kinds[name]], markersize=5)
    note(right, 33, lines["stored"][3], "lines: formula", "kv", dx=6, dy=-12)
    note(right, 4, max(lines["stored"]) * 0.93, "dots: allocator's peak", "bound")
    right.set(xlabel="Layers", ylabel="Peak (MB)", xticks=[4, 16, 32, 64])
    return show(
        fig,
        "Left: activations held through one step of 64 layers, a ramp up and down for ordinary training, a low flat line for reversible training. Right: peak memory against depth, linear against constant; the allocator's peaks lie just above the formulas.",
    )


def flop_for_a_held_byte(
    models: Sequence[Model], cached: np.ndarray, kept: np.ndarray, ridges: np.ndarray
) -> Figure:
    """The FLOP that a byte of cache and a byte of activations stand for, beside what chips trade."""
    order, top = np.argsort(cached), len(models) - 0.2
    fig, ax = canvas(
        f"A cached byte saves {cached.min() / ridges.max():,.0f} times the arithmetic a chip trades for it, or more; an activation byte {kept.min() / ridges.max():.0f} times",
        x=("FLOP that one held byte stands for", "1"),
        y=("", ""),
        log="x",
        size=(6.2, 4.4),
    )
    ax.axvspan(ridges.min(), ridges.max(), color=COLORS["bound"], alpha=0.12, linewidth=0)
    note(ax, ridges.mean(), top, "chips", "bound", ha="center")
    ax.plot(cached[order], range(len(models)), "o", color=COLORS["kv"], markersize=6)
    ax.plot(kept[order], range(len(models)), "s", color=COLORS["compute"], markersize=6)
    note(ax, cached[order][-1], top, "KV cache", "kv", ha="center")
    note(ax, kept[order][-1], top, "activations", "compute", ha="center")
    ax.set_yticks(range(len(models)), [models[i].name for i in order])
    ax.yaxis.set_tick_params(length=0)
    ax.set_ylim(-0.6, len(models) + 0.4)
    return show(
        fig,
        "For each model, the FLOP one byte of KV cache saves and the FLOP one byte of activations saves; both lie right of the band of FLOP a byte that chips can trade.",
    )


def activations_figure() -> Explorer:
    """Live: what the activations of a step weigh, stored, with checkpoints, and reversible."""
    m = Model.symbolic()
    count, size = variables("tokens capacity")
    width = m.d_model
    kept = reversible.stored_bytes(m.layers, count, 17 * width, 2)
    state, layer = 2 * width * count, 34 * width * count
    segments = reversible.best_segments(m.layers, state, layer)
    some = reversible.checkpointed_bytes(m.layers, segments, state, layer)
    none = reversible.reversible_bytes(count, 2 * width, 17 * width, 2)
    names = ("Llama-3.1-405B", "Llama-3.1-70B", "Llama-3.1-8B", "DeepSeek-V3", "gpt-oss-120b")
    return Explorer(
        "feistel-revnet-memory",
        title=[
            (kept <= size, "All activations of {tokens} fit: store them, {all}"),
            (some <= size, "Storing takes {all}; checkpoints, {some}, fit without drift"),
            (none <= size, "Only the reversible network fits: {none} against {all}"),
            "Nothing fits: split the tokens",
        ],
        controls=[
            Preset("Model", {name: model(name) for name in names}, m),
            Slider(count, "Tokens in the step", 1e3, 1e7, 65536, unit="tokens", log=True),
            Slider(size, "Memory for activations", 1e9, 2e13, 6.4e11, unit="B", log=True),
        ],
        chart=Bars(
            value=("Activations held", "B"),
            log=True,
            bars=[
                Bar("stored", kept, "kv"),
                Bar("checkpoints", some, "weights"),
                Bar("reversible", none, "compute"),
            ],
            guides=[Guide("room", x=size)],
        ),
        readouts=[
            Readout("Stored", kept, "B", key="all"),
            Readout("With checkpoints", some, "B", key="some"),
            Readout("Reversible", none, "B", key="none"),
            Readout("Arithmetic, recomputing", reversible.reversible_compute_ratio(2), "x"),
        ],
        alt="Activation memory of {tokens} tokens: stored {all}, with checkpoints {some}, reversible {none}.",
    )


def drift_with_depth(
    depths: Sequence[int], errors: Mapping[Any, np.ndarray], gentle: Mapping[Any, np.ndarray]
) -> Figure:
    """Error of the recovered input against depth, for three widths of numbers, fewest bits first."""
    coarse = next(iter(errors.values()))
    bad = next((n for n, e in zip(depths, coarse, strict=True) if e > 0.01), depths[-1])
    fig, ax = canvas(
        f"In 16 bits the recovered input is off by more than 1 % after {bad} layers",
        x=("Layers", ""),
        y=("Relative error of the input", ""),
        log="xy",
        size=(6.0, 4.1),
    )
    looks = (("compute", "16 bits"), ("weights", "32 bits"), ("kv", "64 bits"))
    for kind, (style, label) in zip(errors, looks, strict=True):
        curve(ax, depths, errors[kind], style, label, linestyle="-", marker="o", markersize=4)
        curve(ax, depths, gentle[kind], style, linestyle="--", linewidth=1.2)
    note(ax, 1, 1, "solid: ordinary random weights", "bound", fontsize=10)
    note(ax, 1, 0.04, "dashed: layers that add little", "bound", fontsize=10)
    ax.set_ylim(1e-17, 30)
    ax.set_yticks([1e-16, 1e-12, 1e-8, 1e-4, 1], ["10⁻¹⁶", "10⁻¹²", "10⁻⁸", "10⁻⁴", "1"])
    ax.set_xticks([1, 4, 16, 64, 256], ["1", "4", "16", "64", "256"])
    ax.minorticks_off()
    return show(
        fig,
        "Relative error of the recovered input against depth for 16, 32 and 64 bit arithmetic: rising faster than in proportion to depth, lower for layers that add little.",
    )


def assumptions(
    drift: tuple[float, float, float],
    path: tuple[int, float],
    bias: tuple[int, float],
    state: float,
    margin: float,
) -> Any:
    """What this chapter assumes, and the size of each error."""
    in_32, in_16, gradients = drift
    (steps, ratio), (samples, least) = path, bias
    price = {b: float(reversible.reversible_compute_ratio(b)) for b in (1, 3)}
    return table(
        ("assumption", "size of the error"),
        [
            (
                "Inversion is exact (d28)",
                f"{1e6 * in_32:.0f} millionths of the input in 32 bits at 64 layers, {human(in_16, '%')} in 16; the 32-bit gradients there are off by {1e6 * gradients:.0f} millionths",
            ),
            (
                "The rounds of a path are independent",
                f"measured over multiplied after {steps} rounds: {ratio:.1f}×, in the attacker's favour",
            ),
            (
                "A sample can confirm the avalanche criterion",
                f"it cannot: {samples:,} texts miss any bias below {human(least, '%')}",
            ),
            (
                "Every layer can be reversible",
                f"one that changes the width cannot; each such place stores its state, {human(state, 'B')} a token at DeepSeek-V3's width (two halves, 16 bits)",
            ),
            (
                "The backward pass costs two forward passes",
                f"with b = 1 the price is {price[1]:.2f}×, with b = 3 it is {price[3]:.2f}×",
            ),
            (
                "Activations are 17 vectors a layer",
                f"mixtures of experts keep more, and unfused attention adds its scores; a factor of {margin:.1f} is left before the least favourable model and chip change the verdict",
            ),
            (
                "Recomputing costs no memory traffic",
                "it reads the weights once more; at thousands of tokens a step that is hidden behind the arithmetic (chapter 2)",
            ),
        ],
    )


# ---- a first look --------------------------------------------------------------------------------


def one_bit_turned() -> Explorer:
    """Live: one bit of a text turned, and which bits of the cipher's state turn with it, by rounds."""
    r, row, column = variables("rounds row column", nonnegative=True)
    last, bit = 5, 0
    turned = feistel.avalanche(feistel.Simon(), last, samples=256)[:, bit]  # rounds by output bits
    mean = sp.Function("mean")(r)
    return Explorer(
        "one-bit-turned",
        title=[
            (mean < sp.Rational(9, 20), "After {rounds} that one bit turns {share} of all bits"),
            "After {rounds} it turns {share} of all bits: a coin tossed for each",
        ],
        controls=[Slider(r, "Rounds of a small cipher, SIMON32", 1, last, 4, unit="rounds", integer=True)],
        chart=Grid(
            sp.Piecewise((sp.Function("turned")(row, column), row < r), (0, True)),
            last, 32, x=("bit of the state", ""), y=("round", ""), kind="weights",
        ),
        readouts=[Readout("Bits that turn, on average", mean, "%", key="share")],
        tables={"turned": turned[1:].round(2).tolist(), "mean": turned.mean(1).round(4).tolist()},
        alt="Table of rounds by bits, shaded by the chance that a bit turns when one bit of the text is turned: a "
        "few bits at first, all by halves later. After {rounds}: {share}.",
    )  # fmt: skip


# ---- what the chapter asks -----------------------------------------------------------------------


def guess_half() -> Asked:
    return guess(
        "half",
        "The cipher above repeats its round 32 times. After how many rounds does flipping one bit of the text flip, on "
        "average, half the bits of the result?",
        "rounds", like="20",
    )  # fmt: skip


def settle_half(rounds: int) -> Asked:
    """The first guess against the measured avalanche."""
    return settle(
        "half", rounds, "rounds", near=1.2, words=("few", "many"),
        close="A quarter of the rounds does it. The others are for attackers.",
        low="Each round passes a difference on to a few bits only.",
        high="Differences spread like rumours: each round tells several bits.",
    )  # fmt: skip


def guess_broken() -> Asked:
    return guess(
        "broken",
        "How many of its rounds can be broken on a laptop, in a second or so, by someone who may choose the texts?",
        "rounds", like="20",
    )  # fmt: skip


def settle_broken(rounds: int) -> Asked:
    """The second guess against the attack of the chapter."""
    return settle(
        "broken", rounds, "rounds", near=1.25, words=("few", "many"),
        close="More than it takes to look random.",
        low="Looking random on average is not being safe.",
        high="Each further round multiplies the texts that are needed.",
    )  # fmt: skip


def guess_undone() -> Asked:
    return guess(
        "undone",
        "A network of 64 layers is trained without storing any layer's activations. How much more arithmetic does a "
        "step take?",
        "%", like="100 %",
    )  # fmt: skip


def settle_undone(more: float) -> Asked:
    """The third guess against one more forward pass in three."""
    return settle(
        "undone", more, "%",
        close="One more pass forward, where there were three already.",
        low="Every layer's function must be computed once more.",
        high="Each layer is undone once, at the price of one pass forward.",
    )  # fmt: skip


def guess_kept() -> Asked:
    return guess(
        "kept",
        "An H100 can hold a byte of a Llama-3.1-70B's KV cache, or compute it again in every step. By what factor is the "
        "one cheaper in time?",
        "x", like="5 times",
    )  # fmt: skip


def settle_kept(times: float) -> Asked:
    """The fourth guess against the exchange rates of model and chip."""
    return settle(
        "kept", times, "x", near=2,
        close="That is why nobody writes without a cache.",
        low="A byte of cache stands for the work of all layers below it.",
        high="Large, but a chip does many operations in the time in which it reads a byte.",
    )  # fmt: skip


def ask_eleven(chance: float) -> Asked:
    return exercise(
        "eleven-rounds", "Pairs for 11 rounds", like="1 million", answer=8 / chance,
        slips={"That is for one right pair. Eight are wanted.": 1 / chance},
    )  # fmt: skip


def ask_segments() -> Asked:
    best = reversible.best_segments(64, 1, 1)
    return exercise(
        "segments", "Units of memory at 64 layers", like="30",
        answer=reversible.checkpointed_bytes(64, best, 1, 1),
        slips={
            "That is the number of segments. Each keeps its start, and one is worked on.": best,
            "That is what storing everything takes.": reversible.stored_bytes(64, 1, 1, 1),
        },
    )  # fmt: skip


def ask_tokens_fit() -> Asked:
    m, room = model("Llama-3.1-70B"), chip("H100").system(8, "bf16").capacity / 2
    return exercise(
        "tokens-fit", "Tokens in a step, all activations kept", unit="tokens", like="2k",
        answer=room / reversible.transformer_activation_bytes(m, 2),
        slips={
            "That is with all of the memory. Half of it is left.": 2 * room / reversible.transformer_activation_bytes(m, 2),
        },
    )  # fmt: skip
