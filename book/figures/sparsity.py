"""Chapter 3: an expert layer and what it reads, what sparsity buys and costs, and a crowded router."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp

from memwall import Model, System, batching, chip, human, model, roofline, sparsity
from memwall.experiments.moe import Exchange
from memwall.views.explorer import (
    Choice,
    Curve,
    Explorer,
    Lines,
    Point,
    Preset,
    Readout,
    Slider,
    variables,
)
from memwall.views.figures import COLORS, Figure, canvas, curve, mark, note, show, table
from memwall.views.reader import Asked, exercise, guess, settle
from memwall.views.table import strong

DASHES = ("-", (0, (6, 2)), (0, (3, 1.5)), (0, (1, 1.2)))  # fair to skewed
PALE = {"color": COLORS["weights"], "linewidth": 6, "alpha": 0.25}


def expert_layer() -> Figure:
    """A token, the router, the few experts that it visits, and their weighted sum."""
    fig, ax = canvas("A token visits a few experts of many", log="", size=(6.0, 3.2))
    ax.axis("off")
    lit, centre = (2, 5, 9), 3.3
    arrow = {"arrowstyle": "->", "color": "#808080", "lw": 1}
    for i in range(11):
        x, chosen = 0.6 * i + 0.3, i in lit
        color, alpha = COLORS["compute" if chosen else "weights"], 1 if chosen else 0.25
        ax.bar(x, 0.7, 0.42, 1.55, color=color, alpha=alpha)
        if chosen:
            ax.annotate("", (x, 1.52), (centre, 1.0), arrowprops=arrow)
            ax.annotate("", (centre, 3.0), (x, 2.28), arrowprops=arrow)
    boxed = {"boxstyle": "round,pad=0.35", "fc": "none", "ec": "#808080"}
    note(ax, centre, 0.0, "token", "bound", ha="center")
    note(ax, centre, 0.8, "router", "bound", ha="center", bbox=boxed)
    note(ax, centre, 3.15, "weighted sum", "bound", ha="center", bbox=boxed)
    ax.annotate("", (centre, 0.58), (centre, 0.18), arrowprops=arrow)
    ax.plot([centre + 0.6, 7.2, 7.2], [0, 0, 3.15], color="#808080", linewidth=1)
    ax.annotate("", (centre + 1.15, 3.15), (7.2, 3.15), arrowprops=arrow)
    note(ax, 7.4, 1.6, "residual:\nthe token\nitself", "muted", ha="left")
    note(ax, -0.2, 1.9, "experts,\nmost idle", "weights", dx=-2)
    ax.set_xlim(-1.6, 8.6)
    ax.set_ylim(-0.3, 3.5)
    return show(
        fig,
        "A token goes up into a router; three of eleven experts are lit; their outputs meet in a weighted sum, to which the token itself is added.",
    )


def bytes_read(sizes: np.ndarray, read: np.ndarray, width: int, layer: Model) -> Figure:
    """Bytes of weights that a layer reads against the batch: counted dots on the expected curve."""
    grid = np.geomspace(1, 128, 100)
    fig, ax = canvas(
        f"One token reads {read[0] / read[-1]:.0%} of the layer, {sizes[-1]} tokens read all of it",
        x=("Batch size", "tokens"),
        y=("Bytes of weights read", "B"),
    )
    curve(ax, grid, sparsity.moe_bytes(grid, width, layer), "weights", linestyle="-")
    curve(ax, grid, sparsity.moe_bytes(1, width, layer) * grid, "muted")
    ax.axhline(read[-1], color=COLORS["muted"], linewidth=1)
    ax.plot(sizes, read, "o", color=COLORS["bound"], markersize=6, zorder=5)
    note(ax, 5.6, 7e6, "nothing shared", "muted", dx=-6)
    note(ax, 1.1, read[-1], "the whole layer", "muted", dy=8)
    expected = sparsity.moe_bytes(22, width, layer)
    note(ax, 22, expected, "expected", "weights", dx=6, dy=-12)
    note(ax, sizes[3], read[3], "counted", "bound", dx=8, dy=-8)
    ax.set_ylim(8e5, 4e7)
    return show(
        fig,
        "Bytes of weights read against batch size: proportional to the batch at first, flat at the size of the whole layer from about sixty tokens on; counted dots lie on the curve.",
    )


def kinds_of_sparsity(roads: Mapping[str, tuple[Model, float, float]]) -> Any:
    """Models with their sparsity by experts and by parameters, and two roads to the experts' share."""
    head = (
        "model", "chosen", "by experts", strong("by parameters"), "share in experts, from totals",
        "from layer shapes",
    )  # fmt: skip
    return table(
        head,
        [
            (
                name,
                f"{m.experts_active:.0f} of {m.experts:.0f}",
                f"{m.experts / m.experts_active:.0f}",
                strong(f"{roofline.sparsity(m):.1f}"),
                f"{totals:.1%}",
                f"{shapes:.1%}",
            )
            for name, (m, totals, shapes) in roads.items()
        ],
    )


def recipes(found: Iterable[Exchange], low: float, high: float, lecture: float) -> Figure:
    """Published pairs of a sparse and a dense model, between power laws of exponents `low` and `high`."""
    found = list(found)
    s = np.geomspace(1, 100, 60)
    fig, ax = canvas(
        f"Recipes matter: on equal data, exponents from {low:.2f} to {high:.2f}",
        x=("Sparsity", "1"),
        y=("Dense equal over active size", "x"),
    )
    ax.fill_between(s, s**low, s**high, color=COLORS["weights"], alpha=0.12, linewidth=0)
    curve(ax, s, sparsity.exchange_gain(s, lecture), "weights", linestyle="-")
    note(ax, 2.2, 2.2**lecture, "the lecture's rate", "weights", dx=4, dy=-10)
    for pair in found:
        look, inside = ("o", None) if pair.same_data else ("s", "none")
        dot = {"color": COLORS["bound"], "markersize": 6, "mfc": inside}
        ax.plot([pair.sparsity], [pair.gain], look, **dot)
        word = "the lecture's point" if "Clark" in pair.name else f"{pair.name}, {pair.year}"
        below = -11 if pair.gain < 2 else 11
        note(ax, pair.sparsity, pair.gain, word, "bound", dx=0, dy=below, ha="center")
    return show(
        fig,
        "Gain over sparsity of four published pairs of models, with power laws through the lowest and the highest of those on equal data: "
        + "; ".join(f"{pair.name} {pair.gain:.1f} at {pair.sparsity:.0f}" for pair in found)
        + ".",
    )


def users_and_memory(
    context: float, sparsest: tuple[float, float], own: tuple[float, float], m: Model, s: System
) -> Figure:
    """The sparsity that users can pay and the one that memory holds; points are (users, sparsity)."""
    users = np.geomspace(100, 3e5, 200)
    paid = sparsity.sparsity_for_users(users, context, m, s)
    held = np.maximum(sparsity.sparsity_that_fits(users, context, m, s), 1e-3)
    both = np.minimum(paid, held)
    fig, ax = canvas(
        f"{human(m.n_active, 'parameters').removesuffix(' parameters')} active: this rack could feed a sparsity of {sparsest[1]:.0f}; {m.name} stops at {own[1]:.0f}",
        x=("Users in the batch", "sequences"),
        y=("Sparsity", "1"),
    )
    pale = {"color": COLORS["weights"], "alpha": 0.12, "linewidth": 0}
    ax.fill_between(users, 1, both, where=both > 1, **pale)
    curve(ax, users, paid, "compute")
    curve(ax, users, held, "kv")
    ax.axhline(own[1], color=COLORS["muted"], linewidth=1)
    ax.set_ylim(1, 1500)
    pay = sparsity.sparsity_for_users(4000, context, m, s)
    hold = sparsity.sparsity_that_fits(110, context, m, s)
    note(ax, 4000, pay, "users can pay", "compute", dx=-8, dy=6)
    note(ax, 110, hold, "memory can hold", "kv", dy=10)
    mark(ax, *sparsest, "sparsest", dx=-12, dy=2)
    mark(ax, *own, m.name, dx=8, dy=-12)
    return show(
        fig,
        f"Sparsity against users at {human(context)} tokens of context: a rising line that users can pay for and a falling one that memory can hold, crossing at {human(sparsest[0])} users and sparsity {sparsest[1]:.0f}; {m.name} at {own[1]:.0f} needs {human(own[0])} users.",
    )


def affordable_sparsity_figure(exponent: float) -> Explorer:
    """Live: the sparsity that users can pay and memory can hold, for a machine and an active size."""
    m, s = Model.symbolic(), System.symbolic()
    B, L, alpha = variables("batch context exponent")
    machines = ((72, "GB200"), (8, "B200"), (8, "H100"), (8, "H200"), (8, "MI300X"), (72, "Rubin"))
    systems = {f"{n} × {name}": chip(name).system(n, "fp8") for n, name in machines}
    pay = sparsity.sparsity_for_users(B, L, m, s)
    hold = sparsity.sparsity_that_fits(B, L, m, s)
    both = sp.Min(pay, hold)
    cache = float(model("DeepSeek-V3").kv_bytes_per_token)
    return Explorer(
        "sparsity",
        title=[
            (
                sp.Lt(hold, 1),
                "The caches of {batch} leave no room for the weights of even a dense model",
            ),
            (sp.Lt(pay, 1), "With {batch} not even a dense model keeps the arithmetic busy"),
            (
                sp.Lt(pay, hold),
                "{batch} can pay for a sparsity of {sparsity}; memory would hold {hold}",
            ),
            (
                sp.true,
                "Memory is full at a sparsity of {sparsity}, though {batch} could pay for {pay}",
            ),
        ],
        controls=[
            Preset("Machine (FP8 arithmetic)", systems, s),
            Slider(B, "Users in the batch", 10, 1e6, 5000, unit="sequences", log=True),
            Slider(m.n_active, "Active parameters", 1e9, 1e12, 37e9, unit="parameters", log=True),
            Slider(L, "Context", 10, 1e5, 1000, unit="tokens", log=True),
            Slider(
                m.kv_bytes_per_token,
                "KV cache of a token",
                1e3,
                1e6,
                cache,
                unit="B/token",
                log=True,
            ),
            Choice(
                m.bytes_per_param,
                "Weights stored as",
                {"FP8": 1, "FP4": 0.5, "BF16": 2},
                "FP8",
            ),
            Slider(alpha, "Exchange exponent", 0.1, 0.8, round(exponent, 2)),
        ],
        chart=Lines(
            x=B,
            y=("Sparsity", "1"),
            log="xy",
            y_range=(1, 3000),
            curves=[
                Curve("users can pay", pay, "compute"),
                Curve("memory can hold", sp.Max(hold, 0.5), "kv"),
                Curve("both", sp.Max(both, 0.5), "bound"),
            ],
            points=[Point("you", B, both, "bound")],
        ),
        readouts=[
            Readout("Users can pay for", pay, "1", key="pay"),
            Readout("Memory can hold", hold, "1", key="hold"),
            Readout("So at most", both, "1", key="sparsity"),
            Readout("Total parameters", both * m.n_active, "1"),
            Readout("As good as a dense model of", sp.Max(both, 1) ** alpha * m.n_active, "1"),
            Readout("Sparsest this machine can feed", sparsity.largest_sparsity(L, m, s), "1"),
            Readout("Users that would take", roofline.full_drain_batch(m, s), "sequences"),
        ],
        messages=[
            (
                sp.Ge(L, roofline.balanced_context(m, s)),
                "Beyond the balanced context the cache sets the pace: no batch keeps the arithmetic busy.",
            )
        ],
        alt="Largest affordable sparsity against users: a rising line for users, a falling one for memory. At {batch} it is {sparsity}.",
    )


def experts_covered(sizes: np.ndarray, covered: Mapping[float, np.ndarray], ways: int) -> Figure:
    """Share of the experts that a batch touches, for routers from fair to skewed."""
    at = list(sizes).index(32)
    fig, ax = canvas(
        f"32 tokens touch {covered[0.0][at]:.0%} of the experts if the router is fair, {covered[1.0][at]:.0%} at a skew of one",
        x=("Batch size", "tokens"),
        y=("Share of experts touched", "%"),
        log="x",
    )
    ax.plot(sizes, batching.experts_touched(sizes, ways), **PALE)
    for share, dashes in zip(covered.values(), DASHES, strict=True):
        curve(ax, sizes, share, "bound", linestyle=dashes, linewidth=1.6)
    note(ax, 1, 0.93, "wide band: derived", "weights")
    note(ax, 64, covered[0.0][at + 1], "fair", "bound", dx=-6, dy=5)
    note(ax, 64, covered[1.0][at + 1], "skew 1", "bound", dx=7, dy=-6)
    return show(
        fig,
        "Share of experts touched against batch size for four routers: the fair one lies on the derived curve, the skewed ones below it.",
    )


def busiest_expert(
    trials: np.ndarray, piled: Mapping[float, Sequence[float]], estimate: np.ndarray
) -> Figure:
    """Load of the busiest expert over the mean against the batch, for routers from fair to skewed."""
    fig, ax = canvas(
        f"At a skew of one the busiest expert has {piled[1.0][list(trials).index(2400)]:.0f} times the mean load, at any batch",
        x=("Batch size", "tokens"),
        y=("Busiest expert over the mean", "x"),
    )
    ax.plot(trials, estimate, **PALE)
    for (z, loads), dashes in zip(piled.items(), DASHES, strict=True):
        curve(ax, trials, loads, "bound", linestyle=dashes, linewidth=1.6)
        note(ax, trials[-1], loads[-1], f"skew {z:g}" if z else "fair", dx=5)
    note(ax, 600, 1.25, "wide band: estimated", "weights", ha="right")
    ticks = (1, 2, 5, 10, 20)
    ax.set_yticks(ticks, [f"{t}×" for t in ticks])
    ax.set_ylim(0.9, 32)
    return show(
        fig,
        "Load of the busiest expert over the mean against batch size: falling toward one for a fair router, level between four and twenty for skewed ones.",
    )


def step_over_ideal(cost: Mapping[float, Sequence[float]]) -> Any:
    """How much longer than ideal a step takes, by skew and by how the experts live on GPUs."""
    head = (
        "skew",
        "busiest expert",
        "GPUs, experts in order",
        "planned",
        "32 second copies, 72 GPUs",
    )
    return table(head, [(f"{z:g}", *(f"{v:.2f}×" for v in row)) for z, row in cost.items()])


def assumptions(
    reads: Sequence[float],
    cost: Mapping[float, Sequence[float]],
    miscount: float,
    covered: Mapping[float, np.ndarray],
    low: float,
    high: float,
) -> Any:
    """What this chapter assumes, and the size of each error."""
    cheap, dear = (sparsity.parameters_over_dense(4, rate) for rate in (high, low))
    return table(
        ("assumption", "size of the error"),
        [
            (
                "All experts are read in every step (d10)",
                f"one user reads {reads[0]:.0%} of the weights, sixteen {reads[1]:.0%}; nothing is left of the error at a few hundred",
            ),
            (
                "Experts are equally busy (d9)",
                f"{cost[0.0][1]:.2f}× at 2,400 tokens by chance alone, {cost[0.3][1]:.1f}× at a skew of 0.3, {cost[0.3][3]:.2f}× with second copies",
            ),
            (
                "Sparsity can be read off the expert counts (d11)",
                f"{miscount:.1f}× too much for DeepSeek-V3: attention and the shared expert are always active",
            ),
            (
                "Routing is uniform (d20)",
                f"a skew of 1 touches {covered[1.0][5]:.0%} of the experts with 32 tokens instead of {covered[0.0][5]:.0%}",
            ),
            (
                "One exponent fits all",
                f"a factor of {high / low:.1f} between recipes on equal data; it decides between {cheap:.0f} and {dear:.0f} times the parameters for a quarter of the arithmetic",
            ),
            (
                "Attention's arithmetic and the network are free (d5, d8)",
                "the network is a third clock, and not a small one: chapter 4",
            ),
            ("The whole batch has one context (d6)", "none in the caches, if L is the mean"),
        ],
    )


# ---- a first look --------------------------------------------------------------------------------


def experts_woken() -> Explorer:
    """Live: the share of its weights that a model must read, by the number of people in the batch."""
    m, B = Model.symbolic(), variables("batch")
    names = ("DeepSeek-V3", "Kimi K2", "Qwen3-235B-A22B", "gpt-oss-120b", "Mixtral 8x7B")
    stored = m.n_total * m.bytes_per_param
    read = sparsity.weight_bytes_read(B, m)
    own = 1 / roofline.sparsity(m)
    woken = batching.experts_touched(B, 1 / sparsity.chosen_fraction(m))
    return Explorer(
        "experts-woken",
        title=[
            (B < 2, "Alone, a token wakes {woken} of the experts, and {read} of all weights are read"),
            "Together {batch} wake {woken} of the experts: {read} of all weights are read, {each} for each of them",
        ],
        controls=[
            Preset("Model", {name: model(name) for name in names}, m),
            Slider(B, "People in the batch", 1, 1e4, 20, log=True, integer=True),
        ],
        chart=Lines(
            x=B, y=("Share of all weights", "%"), log="x", y_range=(0, 1.05),
            curves=[
                Curve("read in the step", read / stored, "weights"),
                Curve("used for one token", own + 0 * B, "compute"),
            ],
            points=[Point("you", B, read / stored, "weights")],
        ),
        readouts=[
            Readout("Experts awake", woken, "%", key="woken"),
            Readout("Weights read", read / stored, "%", key="read"),
            Readout("Read for each person", read / B, "B", key="each"),
        ],
        alt="Share of all weights that a step reads against people in the batch, rising from the share that one "
        "token uses to all of them. With {batch}: {read}.",
    )  # fmt: skip


# ---- what the chapter asks -----------------------------------------------------------------------


def guess_stored() -> Asked:
    return guess(
        "stored",
        "DeepSeek-V3 sends a token to 8 of 256 experts in each layer. How many times more parameters does it store "
        "than a token uses?",
        "x",
    )  # fmt: skip


def settle_stored(ratio: float) -> Asked:
    """The first guess against total over active parameters."""
    return settle(
        "stored", ratio, "x", near=1.2,
        close="You remembered that not everything is an expert.",
        low="The lecture says eight; it miscounted the experts.",
        high="By experts it is 32. But attention and the shared expert work for every token.",
    )  # fmt: skip


def guess_quarter() -> Asked:
    return guess(
        "quarter",
        "You want a sparse model as good as a dense one, with a quarter of the arithmetic. How many times as many "
        "parameters must you store, compared with that dense model?",
        "x", like="3 times",
    )  # fmt: skip


def settle_quarter(times: float) -> Asked:
    """The second guess against the exchange that the lecture reads off a plot."""
    return settle(
        "quarter", times, "x", near=2,
        close="That is the lecture's rate. Kinder recipes come down to twice.",
        low="That would be a newer recipe. At the lecture's rate, which this is, sparsity is dearer.",
        high="Even the lecture's old recipe is kinder.",
    )  # fmt: skip


def guess_busiest() -> Asked:
    return guess(
        "busiest",
        "A router sends 2,400 tokens to experts perfectly at random. How much busier is the busiest expert than the "
        "average one?",
        "x", like="3 times",
    )  # fmt: skip


def settle_busiest(times: float) -> Asked:
    """The third guess against the simulated imbalance of a fair router."""
    return settle(
        "busiest", times, "x", near=1.15,
        close="You know your dice.",
        low="Fair dice are not even: with 256 experts one of them is lucky.",
        high="Each expert gets dozens of tokens, and luck evens out.",
    )  # fmt: skip


def ask_which_way(m: Model) -> Asked:
    ratio = roofline.sparsity(m)
    return exercise(
        "which-way", "The batch at 300", unit="sequences", like="2k", answer=300 * ratio,
        slips={
            "Still the wrong way round: total over active.": 300 / ratio,
            "That is by experts. Memory streams parameters.": 300 / sparsity.chosen_fraction(m),
            "That is the lecture's, from 32 of 256.": 300 * 8,
        },
    )  # fmt: skip


def ask_twice_the_experts(m: Model) -> Asked:
    chosen = sparsity.chosen_fraction(m) / 2
    return exercise(
        "twice-the-experts", "The balance batch at 300", unit="sequences", like="2k",
        answer=300 * sparsity.sparsity_from_parts(sparsity.expert_share(m), chosen),
        slips={
            "That is by experts. Memory streams parameters.": 300 / chosen,
            "That is the old one. More is stored now.": 300 * roofline.sparsity(m),
        },
    )  # fmt: skip


def ask_routed() -> Asked:
    share = sparsity.expert_share(model("gpt-oss-120b"))
    return exercise(
        "routed-share", "The share in routed experts", unit="%", like="50 %", answer=share,
        slips={"That is the other part, which is always active.": 1 - share},
    )  # fmt: skip
