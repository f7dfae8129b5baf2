"""Chapter 7: two costs and their sum, token budgets, over-training, and how sure one can be of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp

from memwall import Model, beliefs, catalog, human, model, scaling
from memwall.core.units import DAY
from memwall.formulas.scaling import ScalingLaw
from memwall.views.explorer import (
    Bar,
    Bars,
    Curve,
    Explorer,
    Lines,
    Point,
    Preset,
    Readout,
    Slider,
    variables,
)
from memwall.views.figures import COLORS, Figure, canvas, curve, mark, note, show, table, two_digits
from memwall.views.reader import Asked, exercise, guess, settle

INPUTS = {
    "rate": "traffic of one model",
    "life": "its life",
    "survival": "chance of being kept",
    "efficiency": "decode efficiency",
    "rl_flop_per_weight": "RL, FLOP per weight and token",
    "n_active": "active parameters",
    "tokens_per_parameter": "the rule's tokens per parameter",
}
KINDS = {
    "pre-training": "compute",
    "RL": "network",
    "served to users": "weights",
    "by the rule of 2022": "muted",
}
HOLLOW = {"markerfacecolor": "white", "markeredgecolor": COLORS["muted"], "markersize": 7}


def crossing_and_cheapest() -> Figure:
    """A rising and a falling cost and their sum: equally steep, and not."""
    fig, axes = canvas(
        "The cheapest point sits where the costs cross, but only if both are equally steep",
        x=("x", "1"),
        y=("Cost", "1"),
        columns=2,
        size=(6.4, 3.6),
    )
    grid = np.geomspace(0.2, 5, 200)
    for ax, rise, text in zip(axes, (1, 2), ("x + 1/x", "x² + 1/x"), strict=True):
        curve(ax, grid, grid**rise, "compute")
        curve(ax, grid, 1 / grid, "weights")
        total = scaling.two_term_cost(grid, 1, rise, 1, 1)
        curve(ax, grid, total, "bound", linewidth=3, alpha=0.85)
        ax.set_ylim(0.08, 30)
        ax.set_xlim(0.17, 6)
        ax.set_title(text, loc="left", fontsize=11, fontweight="normal")
        ax.plot([1], [1], "o", zorder=5, **HOLLOW)
        note(ax, 1, 1, "equal", "muted", dx=9, dy=0)
        best = float(scaling.cheapest_point(1, rise, 1, 1))
        least = scaling.two_term_cost(best, 1, rise, 1, 1)
        mark(ax, best, least, "cheapest", dx=0, dy=13, ha="center")
        note(ax, 0.5, 0.5**rise, "rising", "compute", dx=8, dy=-6)
        note(ax, 3, 1 / 3, "falling", "weights", dx=4, dy=10)
        ax.set_xticks([0.2, 0.5, 1, 2, 5], ["0.2", "0.5", "1", "2", "5"])
    axes[1].set_ylabel("")
    return show(
        fig,
        "Two panels of a rising and a falling cost and their sum. For x plus one over x the minimum lies at the crossing; for x squared plus one over x it lies left of it.",
    )


def cost_of_missing(double: float, law: ScalingLaw) -> Figure:
    """What a choice off the cheapest point costs, for three pairs of exponents."""
    fig, ax = canvas(
        f"Aim twice too high and you pay {human(double - 1, '%')} more, or much less if the costs are gentle",
        x=("Your choice over the cheapest", "x"),
        y=("Cost over the least cost", "x"),
        log="x",
    )
    grid = np.geomspace(0.1, 10, 200)
    steep: list[tuple[tuple[float, float], str, str, float, dict[str, Any]]] = [
        ((2, 1), "compute", "p = 2, q = 1", 3.2, {"dx": -4}),
        ((1, 1), "bound", "p = q = 1", 5.2, {"dx": 6}),
        (
            (law.beta, law.alpha),
            "weights",
            f"p = {law.beta:g}, q = {law.alpha:g}",
            0.1,
            {"dy": -19},
        ),
    ]
    for (rise, fall), kind, text, at, place in steep:
        curve(ax, grid, scaling.cost_of_missing(grid, rise, fall), kind)
        note(ax, at, scaling.cost_of_missing(at, rise, fall), text, kind, **place)
    ax.set_ylim(0.7, 4)
    ax.set_xticks([0.1, 0.2, 0.5, 1, 2, 5, 10])
    mark(ax, 2, double, "twice too much", dx=8, dy=3)
    return show(
        fig,
        "Cost over least cost against how far the choice misses the cheapest point, for three pairs of exponents; all touch one, and the gentlest stays below 1.4 over a hundredfold range.",
    )


def tokens_to_read(read: Mapping[str, Sequence[float]]) -> Any:
    """Pre-training tokens for each RL and each served token, by decode efficiency."""
    head = (
        "decode efficiency",
        "pre-training per RL token (c = 3)",
        "per served token",
        "if serving gets half the money",
        "if multiplied by mistake",
    )
    return table(head, [(name, *(f"{v:.2f}" for v in values)) for name, values in read.items()])


def traffic(rates: Mapping[str, float]) -> Any:
    """Traffic that providers announced: as printed, and in tokens a second."""
    rows = {r["name"]: r for r in catalog.table("traffic")}
    return table(
        ("who", "as of", "printed", "tokens a second"),
        [
            (
                name,
                rows[name]["as_of"],
                f"{human(float(rows[name]['tokens']))} a {rows[name]['period']}",
                human(rate),
            )
            for name, rate in rates.items()
        ],
    )


def cost_of_a_lifetime(
    sizes: np.ndarray, train: np.ndarray, serve: np.ndarray, size: float, least: float
) -> Figure:
    """Training, serving and their sum against size at one loss; the least of the sum is at `size`."""
    both = train + serve
    equal = int(np.argmin(np.abs(np.log(train / serve))))
    thrift = int(np.argmin(train))
    fig, ax = canvas(
        f"One loss, many sizes: {human(round(size, -9))} parameters are cheapest; equal bills cost {human(both[equal] / least - 1, '%')} more",
        x=("Parameters", "1"),
        y=("Cost of a lifetime", "FLOP"),
    )
    curve(ax, sizes, train, "compute")
    curve(ax, sizes, serve, "weights")
    curve(ax, sizes, both, "bound", linewidth=3, alpha=0.85)
    ax.set_ylim(3e25, 3e27)
    ax.set_xlim(25e9, 1.4e12)
    above = np.interp(800e9, sizes, train)
    note(ax, 800e9, above, "training", "compute", dx=0, dy=11, ha="center")
    note(ax, 400e9, np.interp(400e9, sizes, serve), "serving", "weights", dx=6, dy=-10)
    words = "least training: the rule of 2022"
    mark(ax, sizes[thrift], train[thrift], words, "compute", dx=0, dy=-13, ha="center")
    ax.plot(sizes[equal], both[equal], "o", zorder=6, **HOLLOW)
    note(ax, sizes[equal], both[equal], "equal bills", "muted", dx=0, dy=36, ha="center")
    mark(ax, size, least, "cheapest", dx=1, dy=20)
    return show(
        fig,
        f"Training, serving and lifetime cost against model size at a fixed loss: training falls to its least at {human(sizes[thrift])} parameters, serving rises, and the sum is least at {human(size)} parameters.",
    )


def token_budgets(budgets: Mapping[str, float], times: float) -> Figure:
    """The lecture's token budgets beside what the rule of 2022 asks for."""
    fig, ax = canvas(
        f"The lecture's budgets: {times:.0f} times what the rule of 2022 asks for",
        x=("Tokens", "1"),
        log="x",
        size=(5.4, 2.6),
    )
    for i, (name, tokens) in enumerate(budgets.items()):
        ax.barh(i, tokens, color=COLORS[KINDS[name]], alpha=0.85, height=0.62)
        note(ax, tokens, i, human(tokens), KINDS[name], dx=5)
    ax.set_yticks(range(len(budgets)), list(budgets))
    ax.set_xlim(5e11, 2e15)
    ax.grid(axis="y", visible=False)
    return show(
        fig,
        "Bars of tokens on a log axis: "
        + ", ".join(f"{name} {human(tokens)}" for name, tokens in reversed([*budgets.items()])),
    )


def two_counts_of_over_training(
    by_active: Mapping[str, float], by_total: Mapping[str, float]
) -> Figure:
    """Over-training of models that said what they read, by active and by total parameters."""
    names = sorted(by_active, key=lambda name: by_active[name])
    mixtures = [n for n in names if by_active[n] > by_total[n]]
    active, total = ([by[n] for n in mixtures] for by in (by_active, by_total))
    fig, ax = canvas(
        f"By active parameters mixtures are {min(active):.0f} to {max(active):.0f} times over-trained, by total ones {min(total):.1f} to {max(total):.1f}",
        x=("Tokens read, over the rule of 2022", "x"),
        log="x",
        size=(5.6, 4.2),
    )
    for i, name in enumerate(names):
        few, many = by_total[name], by_active[name]
        ax.plot([few, many], [i, i], color=COLORS["muted"], linewidth=1.5)
        ax.plot(few, i, "s", color=COLORS["weights"], markersize=7)
        ax.plot(many, i, "o", color=COLORS["compute"], markersize=7)
        note(ax, many, i, two_digits(many, "x"), "compute", dx=7)
    ax.axvline(1, color=COLORS["bound"], linewidth=1)
    note(ax, 1, len(names) - 0.3, "the rule", dx=4, va="bottom", fontsize=10)
    note(ax, 14, 0.6, "dot: by active\nparameters", "compute", fontsize=10)
    note(ax, 0.05, 5, "square: by total\nparameters", "weights", fontsize=10)
    ax.set_yticks(range(len(names)), names)
    ax.set_xlim(0.04, 800)
    ax.set_ylim(-0.6, len(names) + 0.2)
    ax.grid(axis="y", visible=False)
    return show(
        fig,
        "For each model with published training tokens, over-training by active parameters as a dot and by total parameters as a square: "
        + ", ".join(f"{n} {by_active[n]:.0f} and {by_total[n]:.1f}" for n in names),
    )


def seven_beliefs() -> Any:
    """The distributions that the chapter draws its worlds from."""
    rows = [
        (INPUTS[name], human(b.low, b.unit), human(b.high, b.unit), "bell" if b.log else "even")
        for name, b in beliefs.BELIEFS.items()
    ]
    return table(("", "low", "high", "shape"), rows)


def middle_nine_tenths(worlds: Mapping[str, Any]) -> Any:
    """Where nine worlds in ten lie, for each of the budgets."""
    names = {
        "served": "served tokens",
        "pretraining": "pre-training tokens",
        "rl": "RL tokens",
        "over_training": "over-training, by active",
    }
    rows = []
    for key, name in names.items():
        ends = low, _, high = beliefs.interval(worlds[key])
        unit = "x" if key == "over_training" else "1"
        rows.append((name, *(two_digits(end, unit) for end in ends), f"{high / low:.0f}"))
    return table(("", "low end", "middle", "high end", "high / low"), rows)


def worlds_of_over_training(draws: np.ndarray, low: float, high: float, times: float) -> Figure:
    """Over-training in all drawn worlds, the middle nine tenths darker, the lecture's a line."""
    fig, ax = canvas(
        f"In nine worlds of ten over-training lies between {low:.0f} and {float(f'{high:.2g}'):,.0f} times",
        log="x",
        x=("Over-training, by active parameters", "x"),
        y=("Worlds", ""),
        size=(5.4, 3.1),
    )
    edges = np.geomspace(1, 1e5, 51)
    inside = draws[(draws > low) & (draws < high)]
    ax.hist(draws, edges, color=COLORS["compute"], alpha=0.25)
    ax.hist(inside, edges, color=COLORS["compute"], alpha=0.6)
    ax.axvline(times, color=COLORS["bound"], linewidth=1.5)
    note(ax, times, ax.get_ylim()[1], f"the lecture: {times:.0f}×", dx=-5, va="top")
    ax.set_yticks([])
    ax.set_xlim(1, 3e4)
    return show(
        fig,
        f"Histogram of over-training over twenty thousand drawn worlds, 90 per cent of them between {low:.0f} and {high:.0f} times; the lecture's {times:.0f} lies inside.",
    )


def width_if_one_were_known(width: Mapping[str, float], now: float) -> Figure:
    """How wide the interval would be, were one of the inputs known; `now` none is."""
    order = sorted(width, key=lambda name: width[name], reverse=True)
    fig, ax = canvas(
        f"Knowing the {INPUTS[order[-1]]} would narrow a factor of {now:.0f} to {width[order[-1]]:.0f}",
        log="",
        x=("High end over low end, were this one known", "x"),
        size=(5.4, 3.1),
    )
    left = [width[k] for k in order]
    ax.barh(range(len(order)), left, color=COLORS["muted"], alpha=0.7, height=0.6)
    for i, value in enumerate(left):
        inside: dict[str, Any] = {"dx": -5, "color": "white", "fontweight": "bold"}
        note(ax, value, i, f"{value:.0f}×", "muted", **inside)
    ax.axvline(now, color=COLORS["compute"], linewidth=2)
    ax.set_yticks(range(len(order)), [INPUTS[k].replace("the rule's t", "t") for k in order])
    note(ax, now, len(order) - 0.55, "none known", "compute", dx=-4, fontsize=10)
    ax.set_xlim(0, 160)
    ax.set_ylim(-0.5, len(order) - 0.2)
    ax.grid(axis="y", visible=False)
    return show(
        fig,
        f"Width of the interval, {now:.0f} in all, if one input were known: "
        + ", ".join(f"{INPUTS[k]} {width[k]:.0f}" for k in reversed(order)),
    )


def token_budgets_figure(efficiency: float, rule: float, lower: float, upper: float) -> Explorer:
    """Live: the reader's beliefs as token budgets and over-training, `lower` to `upper` times the middle."""
    rate, life, n_active, n_total = variables("rate life n_active n_total")
    e, share = variables("e share")
    v3, wrote = model("DeepSeek-V3"), beliefs.traffic()["DeepSeek, output only, Feb 2025"]
    served = scaling.served_tokens(rate, life, 1)
    pre = served * scaling.pretraining_per_token(2, e, share)
    rl = pre / scaling.pretraining_per_token(3, e, 1)
    over = scaling.over_training(pre, n_active, rule)
    over_total = scaling.over_training(pre, n_total, rule)
    asked = scaling.chinchilla_tokens(n_active, rule)
    bill = scaling.training_flop(pre, Model(n_total=n_total, n_active=n_active))
    lecture = {rate: 50e6, e: 0.3, n_active: 100e9, n_total: 1e12}
    deepseek = {
        rate: float(f"{wrote:.3g}"),
        e: round(efficiency, 2),
        n_active: v3.n_active,
        n_total: v3.n_total,
    }
    return Explorer(
        "scaling",
        title=[
            (over > 1, "Read {pre}: {over} what the rule of 2022 asks for"),
            (
                sp.true,
                "Read {pre}: less than the rule of 2022 asks for; this model is too large for so few users",
            ),
        ],
        controls=[
            Preset(
                "Whose figures",
                {"the lecture's": lecture, "DeepSeek-V3, February 2025": deepseek},
            ),
            Slider(rate, "Traffic of this model", 1e5, 1e9, unit="token/s", log=True),
            Slider(life, "Life", 10 * DAY, 1000 * DAY, 60 * DAY, unit="s", log=True),
            Slider(e, "Decode efficiency, over training's", 0.05, 1, unit="%"),
            Slider(share, "Serving bill over pre-training bill", 0.25, 4, 1, unit="x", log=True),
            Slider(n_active, "Active parameters", 1e9, 1e12, unit="parameters", log=True),
            Slider(n_total, "Total parameters", 1e9, 1e13, unit="parameters", log=True),
        ],
        chart=[
            Bars(
                value=("Tokens", "1"),
                log=True,
                range=(1e10, 1e17),
                bars=[
                    Bar(name, tokens, KINDS[name])
                    for name, tokens in zip(KINDS, (pre, rl, served, asked), strict=True)
                ],
            ),
            Lines(
                x=rate,
                y=("Over-training", "x"),
                log="xy",
                curves=[
                    Curve("by active parameters", over, "compute"),
                    Curve("by total parameters", over_total, "weights"),
                    Curve("the rule of 2022", 1 + 0 * rate, "muted"),
                ],
                points=[Point("you", rate, over, "compute")],
            ),
        ],
        readouts=[
            Readout("Served tokens", served, "tokens", key="served"),
            Readout("Pre-training tokens", pre, "tokens", key="pre"),
            Readout("RL tokens", rl, "tokens", key="rl"),
            Readout(
                "Over-training by active parameters",
                over,
                "x",
                key="over",
                low=over * lower,
                high=over * upper,
            ),
            Readout("Over-training by total parameters", over_total, "x", key="over_total"),
            Readout("Pre-training", bill, "FLOP", key="bill"),
        ],
        messages=[(n_active > n_total, "More active than total parameters: no such model.")],
        alt="Token budgets at equal cost: pre-training {pre}, RL {rl}, served {served}; over-training {over} by active parameters.",
    )


def assumptions(
    ratios: Sequence[float],
    extras: Sequence[float],
    sparsity: float,
    traffic: float,
    calendar: float,
    growth: float,
    efficiency: float,
) -> Any:
    """What this chapter assumes, and the size of each error."""
    least, most = human(min(extras), "%"), human(max(extras), "%")
    return table(
        ("assumption", "size of the error"),
        [
            (
                "Both costs are equally steep, so equal costs are cheapest (d22)",
                f"serving over training should be {min(ratios):.1f} to {max(ratios):.1f} by two fits of one law, not 1; equal bills then cost {least} or {most} too much",
            ),
            (
                "The rule of 20 counts active parameters (d23)",
                f"by total parameters over-training is smaller by the sparsity: {sparsity:.0f} for DeepSeek-V3, 10 if the lecture's model had a trillion",
            ),
            (
                "All traffic costs what decoding costs (d24)",
                f"a factor of {traffic:.1f} on DeepSeek's day: most tokens are sent, and most of those cached",
            ),
            (
                "Two months are 60 days of constant traffic (d25)",
                f"the calendar adds {human(calendar, '%')}; traffic that doubles over the life adds {human(growth, '%')}",
            ),
            (
                "Efficiencies are known (d12)",
                f"30 % guessed, {human(efficiency, '%')} computed for one company, 20 % read off prices: a factor of two in every budget",
            ),
            (
                "Quality depends only on size and tokens",
                "data quality, distillation and test-time thinking are outside the law; unknown, and not small",
            ),
        ],
    )


# ---- a first look --------------------------------------------------------------------------------


def read_and_served() -> Explorer:
    """Live: tokens that a model should read if training and serving are to cost the same."""
    rate, life = variables("rate life")
    size, rule = 100e9, beliefs.chinchilla_ratio()
    served = scaling.served_tokens(rate, life, 1)
    read = served * scaling.pretraining_per_token(2, beliefs.measured_efficiency(), 1)
    asked = scaling.chinchilla_tokens(size, rule)
    over = read / asked
    return Explorer(
        "read-and-served",
        title=[
            (over > 1, "To serve {served} a model should read {read}: {over} the rule of 2022"),
            "To serve only {served}, reading {read} is enough: less than the rule of 2022",
        ],
        controls=[
            Slider(rate, "Tokens served a second", 1e5, 1e9, 1e7, unit="token/s", log=True),
            Slider(life, "Life of the model", 10 * DAY, 1000 * DAY, 200 * DAY, unit="s", log=True),
        ],
        chart=Bars(
            value=("Tokens", "1"), log=True, range=(1e11, 1e17),
            bars=[
                Bar("served to users", served, "weights"),
                Bar("read, at equal bills", read, "compute"),
                Bar("by the rule of 2022", asked + 0 * rate, "muted"),
            ],
        ),
        readouts=[
            Readout("Served", served, "tokens", key="served"),
            Readout("To be read", read, "tokens", key="read"),
            Readout("100 billion weights, over the rule", over, "x", key="over"),
        ],
        alt="Bars: {served} served, {read} to be read so that training costs as much as serving, and what the "
        "rule of 2022 asks of 100 billion parameters.",
    )  # fmt: skip


# ---- what the chapter asks -----------------------------------------------------------------------


def guess_missed() -> Asked:
    return guess(
        "missed",
        "You must choose x to make x + 1/x small. You choose it twice too large. How many per cent too much do you pay?",
        "%", like="100 %",
    )  # fmt: skip


def settle_missed(more: float) -> Asked:
    """The first guess against the cost of missing a flat minimum."""
    return settle(
        "missed", more, "%",
        close="Minima are flat.",
        low="Flat, but not as flat as that.",
        high="Twice off, and hardly dearer: minima are flat.",
    )  # fmt: skip


def guess_served() -> Asked:
    return guess(
        "served",
        "A model serves 50 million tokens a second for two months. How many tokens is that?",
        "tokens", like="30 billion",
    )  # fmt: skip


def settle_served(tokens: float) -> Asked:
    """The second guess against rate times life."""
    return settle(
        "served", tokens, "tokens",
        close="Two months have five million seconds.",
        low="Two months have five million seconds.",
        high="Two months have five million seconds, no more.",
    )  # fmt: skip


def guess_equal() -> Asked:
    return guess(
        "equal",
        "DeepSeek published its accounts: 2.664 million GPU-hours to pre-train V3, and the number of machines that "
        "serve it. After how long has it spent as many GPU-hours on its users?",
        "s", like="300 days",
    )  # fmt: skip


def settle_equal(seconds: float) -> Asked:
    """The third guess against one company's books."""
    return settle(
        "equal", seconds, "s",
        close="Two months, the life that the lecture gives a model.",
        low="Serving is large, but training took two months on two thousand GPUs.",
        high="Nearly as many GPUs serve the model as trained it.",
    )  # fmt: skip


def guess_width() -> Asked:
    return guess(
        "width",
        "How over-trained are the leading models? Admit what you do not know, and nine in ten of all answers lie in a "
        "range. How wide is it, highest over lowest?",
        "x", like="3 times",
    )  # fmt: skip


def settle_width(times: float) -> Asked:
    """The fourth guess against the interval of the seven beliefs."""
    return settle(
        "width", times, "x", near=2,
        close="Few admit that much.",
        low="Seven guesses, each off by a few times, make more than most people admit.",
        high="Errors partly cancel: the widths add as squares.",
    )  # fmt: skip


def ask_third(stage: str) -> Asked:
    per = {"RL": 3, "served": 2}[stage]
    answer = scaling.pretraining_per_token(per, 1 / 3, 1)
    return exercise(
        f"third-{stage.lower()}", f"Pre-training tokens for each {stage} token", like="10", answer=answer,
        slips={"The efficiency divides: inefficient work costs more.": answer / 9},
    )  # fmt: skip


def ask_two_months(rule: float) -> Asked:
    served, size = scaling.served_tokens(50e6, 60 * DAY, 1), 100e9
    return exercise(
        "two-months", "Over-training of the first", unit="x", answer=scaling.over_training(served, size, rule),
        slips={"That is tokens for each parameter. What does the rule ask for?": served / size},
    )  # fmt: skip


def ask_emitted() -> Asked:
    right = 1 / scaling.pretraining_per_token(2, 0.3, 1)
    return exercise(
        "emitted", "Tokens emitted for each one read", like="5", answer=right,
        slips={"That is the summary's error: inefficient work costs more, not less.": right / 0.3**2},
    )  # fmt: skip
