"""Chapter 1: the step of a batch, what a token costs in it, and the same curve on this machine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import sympy as sp

from memwall import Model, System, batching, chip, human, model, roofline
from memwall.views.explorer import Curve, Explorer, Lines, Point, Preset, Readout, Slider, variables
from memwall.views.figures import COLORS, Figure, canvas, curve, mark, note, show, table
from memwall.views.reader import Asked, Sentence, drag, exercise, guess, machine_step, settle

BATCHES = np.geomspace(1, 1e5, 200)


def cached_columns() -> Figure:
    """The newest token reads a column of the cache for each token before it."""
    fig, ax = canvas("One new token reads every cached column", log="", size=(5.4, 2.4))
    ax.axis("off")
    rows, past = 4, 11
    for x in range(past):
        for y in range(rows):
            ax.bar(x, 0.8, 0.8, y, align="edge", color=COLORS["kv"], alpha=0.55)
    for y in range(rows):
        ax.bar(past + 0.6, 0.8, 0.8, y, align="edge", color=COLORS["compute"])
    bent = {"arrowstyle": "->", "color": "#808080", "connectionstyle": "arc3,rad=0.28", "lw": 0.9}
    for x in range(0, past, 2):
        ax.annotate("", (x + 0.4, rows + 0.05), (past + 1, rows + 0.05), arrowprops=bent)
    cache = "KV cache: one column for each token so far"
    note(ax, past / 2 - 0.1, -0.65, cache, "kv", ha="center")
    note(ax, past + 1, -0.65, "new token", "compute", ha="center")
    ax.set_xlim(-0.3, past + 2.4)
    ax.set_ylim(-1.2, rows + 2.6)
    return show(
        fig,
        "A row of green columns, the cached tokens, and one orange column, the new token, with arrows from it back to the cached columns.",
    )


def step_time(context: float, knee: float, m: Model, s: System) -> Figure:
    """Step time against batch size: floor, knee and slope, with the parts it is made of."""
    b, floor = BATCHES, roofline.weight_time(m, s)
    fig, ax = canvas(
        f"Below {human(round(knee, -2))} sequences memory sets the pace; the floor is {human(floor, 's')}",
        x=("Batch size", "sequences"),
        y=("Step time, floor", "s"),
    )
    curve(ax, b, roofline.compute_time(b, m, s), "compute")
    curve(ax, b, np.full_like(b, floor), "weights")
    curve(ax, b, roofline.kv_time(b, context, m, s), "kv")
    memory = roofline.memory_time(b, context, m, s)
    curve(ax, b, memory, "muted")
    note(ax, b[-1], memory[-1], "weights\n+ cache", "muted", dx=4, dy=-3, fontsize=9)
    curve(ax, b, roofline.step_time(b, context, m, s), "bound", linewidth=3, alpha=0.85)
    ax.set_ylim(2e-5, 4e-2)
    note(ax, 1.2, floor, "weights", "weights", dy=-9)
    note(ax, 150, roofline.compute_time(150, m, s), "arithmetic", "compute", dx=-4, dy=6)
    note(ax, 700, roofline.kv_time(700, context, m, s), "KV cache", "kv", dx=6, dy=-5)
    note(ax, 1.2, floor, "the step: the slower clock", "bound", dy=9)
    mark(ax, knee, roofline.step_time(knee, context, m, s), "knee", dx=-6, dy=10)
    return show(
        fig,
        f"Step time against batch size for {m.name} on {s.name} at {human(context)} tokens of context: flat at {human(floor, 's')}, then rising, arithmetic-bound beyond {human(knee)} sequences.",
    )


def cost_curve(
    context: float, knee: float, alone: float, least: float, m: Model, s: System
) -> Figure:
    """Cost of a token against batch size, from having the machine alone to sharing it with a crowd."""
    b, rent = BATCHES, s.dollars_per_second
    arithmetic = roofline.compute_time(1, m, s) * rent
    cache = roofline.kv_time(1, context, m, s) * rent
    weights = roofline.weight_time(m, s) * rent
    fig, ax = canvas(
        f"The floor of a million tokens: ${alone * 1e6:.0f} alone, {least * 1e8:.1f} cents in a crowd",
        x=("Batch size", "sequences"),
        y=("Cost of a token, floor", "$/token"),
    )
    curve(ax, b, np.full_like(b, arithmetic), "compute")
    curve(ax, b, np.full_like(b, cache), "kv")
    curve(ax, b, weights / b, "weights")
    whole = batching.cost_per_token(b, context, m, s)
    curve(ax, b, whole, "bound", linewidth=3, alpha=0.85)
    note(ax, 1.2, arithmetic, "arithmetic: the same for everyone", "compute", dy=8)
    note(ax, 1.2, cache, "your own cache", "kv", dy=-9)
    note(ax, 40, weights / 40, "weights, shared", "weights", dx=-6, dy=-12)
    mark(ax, knee, batching.cost_per_token(knee, context, m, s), "knee", dx=0, dy=11)
    ax.set_ylim(2e-9, 1e-4)
    return show(
        fig,
        f"Cost of a token against batch size at ${rent / s.chips * 3600:g} a GPU-hour: falling as one over the batch from {human(alone, '$/token')} to {human(least, '$/token')}.",
    )


def memory_at_four_contexts(tie: float, m: Model, s: System) -> Figure:
    """Memory time at a quarter, one, four and sixteen times the balanced context, and the arithmetic."""
    b = BATCHES
    fig, ax = canvas(
        f"Beyond {human(tie)} tokens of context the arithmetic never catches up",
        x=("Batch size", "sequences"),
        y=("Step time, floor", "s"),
    )
    curve(ax, b, roofline.compute_time(b, m, s), "compute")
    note(ax, 2500, roofline.compute_time(2500, m, s), "arithmetic", "compute", dx=8, dy=-6)
    for share, width, weight in ((0.25, 1.4, "normal"), (1, 3.4, "bold"), (4, 1.4, "normal"), (16, 1.4, "normal")):  # fmt: skip
        t = roofline.memory_time(b, share * tie, m, s)
        curve(ax, b, t, "kv", linewidth=width, linestyle="-")
        note(ax, b[-1], t[-1], f"{share:g} L*", "kv", dx=4, weight=weight)
    note(ax, 1.2, roofline.weight_time(m, s), "memory traffic, four contexts", "kv", dy=-10)
    ax.set_ylim(2e-4, 2)
    return show(
        fig,
        f"Memory time against batch size at a quarter, one, four and sixteen times the balanced context of {human(tie)} tokens, with the arithmetic; from L* on, memory stays above arithmetic at every batch.",
    )


def step_and_cost_figure() -> Explorer:
    """Live: step time and cost of a token for a model, a machine, a batch and a context."""
    m, s = Model.symbolic(), System.symbolic()
    B, L = variables("batch context")
    names = ("DeepSeek-V3", "Kimi K2", "Qwen3-235B-A22B", "gpt-oss-120b", "Llama-3.1-70B", "Llama-3.1-405B")  # fmt: skip
    machines = (
        (72, "GB200", "fp8"), (8, "B200", "fp8"), (8, "H100", "fp8"), (8, "H100", "bf16"),
        (8, "MI300X", "fp8"), (72, "Rubin", "fp8"),
    )  # fmt: skip
    systems = {f"{n} × {name}, {p.upper()}": chip(name).system(n, p, 2) for n, name, p in machines}
    step, cost = roofline.step_time(B, L, m, s), batching.cost_per_token(B, L, m, s)
    bend = roofline.balance_batch_with_kv(L, m, s)
    need = roofline.resident_bytes(B, L, m)
    return Explorer(
        "batching",
        title=[
            (
                roofline.balanced_context(m, s) <= L,
                "At {context} the cache always wins: no batch keeps the arithmetic busy",
            ),
            (bend > B, "At {batch} memory sets the pace: at best a token every {step}"),
            (sp.true, "At {batch} the arithmetic sets the pace: at best a token every {step}"),
        ],
        controls=[
            Preset("Model", {n: model(n) for n in names}, m),
            Preset("Machine", systems, s),
            Slider(B, "Batch size", 1, 1e5, 256, unit="sequences", log=True),
            Slider(L, "Context", 100, 1e6, 1000, unit="tokens", log=True),
        ],
        chart=[
            Lines(
                x=B,
                y=("Step time, floor", "s"),
                log="xy",
                curves=[
                    Curve("arithmetic", roofline.compute_time(B, m, s), "compute"),
                    Curve("weights", roofline.weight_time(m, s) + 0 * B, "weights"),
                    Curve("KV cache", roofline.kv_time(B, L, m, s), "kv"),
                    Curve("step", step, "bound"),
                ],
                points=[Point("you", B, step, "bound")],
            ),
            Lines(
                x=B,
                y=("Cost of a token, floor", "$/token"),
                log="xy",
                curves=[Curve("cost", cost, "money")],
                points=[Point("you", B, cost, "money")],
            ),
        ],
        readouts=[
            Readout("Step time, floor", step, "s", key="step"),
            Readout("Speed at that floor", 1 / step, "token/s"),
            Readout("All users, at that floor", B / step, "token/s"),
            Readout("Cost floor, GPU at $2/h", cost, "$/token", key="cost"),
            Readout("Arithmetic busy", roofline.compute_utilisation(B, L, m, s), "%"),
            Readout("Batch at the knee", bend, "sequences"),
            Readout("Memory needed", need, "B", key="need"),
            Readout("Memory there is", s.capacity, "B", key="there"),
        ],
        messages=[
            (
                need > s.capacity,
                "This does not fit: weights and caches need {need}, the machine has {there}.",
            )
        ],
        alt="Step time and cost of a token against batch size. At {batch} and {context} of context a step takes {step}.",
    )


def fast_modes(offers: Iterable[tuple[Any, ...]]) -> Any:
    """Price lists with a fast mode: its price and speed, and the three numbers that they reveal."""
    head = "model", "as of", "price", "speed, up to", "normal over fast batch", "top speed", "least price"  # fmt: skip
    rows = [
        (
            row["name"],
            row["as_of"].replace("..", " to "),
            f"{price:g}×",
            f"{speed:g}×",
            f"{batches:.0f}",
            f"{top:.2g}×",
            f"{least:.0%}",
        )
        for row, price, speed, batches, top, least in offers
    ]
    return table(head, rows)


def experts_touched(sizes: np.ndarray, drawn: Sequence[float], ways: int) -> Figure:
    """Share of the experts that a batch touches: simulated dots on the derived curve."""
    grid, three = np.geomspace(1, 1000, 120), 3 * ways
    found = batching.experts_touched(three, ways)
    fig, ax = canvas(
        f"From three times the sparsity on, a batch touches {found:.0%} of the experts",
        x=("Batch size", "sequences"),
        y=("Share of experts touched", "%"),
        log="x",
    )
    curve(ax, grid, batching.experts_touched(grid, ways), "weights", linestyle="-")
    ax.plot(sizes, drawn, "o", color=COLORS["bound"], markersize=5)
    note(ax, 8, drawn[3], "dots: simulated", "bound", dx=10, dy=-4)
    mark(ax, three, found, f"B = {three}", "weights", dx=8, dy=-10)
    return show(
        fig,
        f"Share of experts touched against batch size, rising from one in {ways} at a single token to nearly all at a hundred; simulated dots lie on the derived curve.",
    )


def layer_on_this_machine(
    batches: np.ndarray, measured: Sequence[float], layer: Model, here: System
) -> Figure:
    """Measured time of a matrix layer against the number of columns, over the predicted curve."""
    fig, ax = canvas(
        f"This machine: {human(here.bandwidth, 'B/s')}, {human(here.flops, 'FLOP/s')}, so the bend is due at {roofline.balance_batch(layer, here):.0f} columns",
        x=("Batch size", "columns"),
        y=("Time of one layer", "s"),
    )
    fine = np.geomspace(1, 256, 100)
    predicted = roofline.step_time(fine, 0, layer, here)
    curve(ax, fine, predicted, "bound", linestyle="-")
    ax.plot(batches, measured, "o", color=COLORS["compute"], markersize=6)
    note(ax, fine[60], predicted[60], "predicted", "bound", dx=8, dy=-10)
    low, high = ax.get_ylim()
    ticks = [x * 10.0**k for k in range(-5, 2) for x in (1, 3)]
    ax.set_yticks([t for t in ticks if low < t < high])
    note(ax, batches[3], measured[3], "measured", "compute", dx=-4, dy=14)
    return show(
        fig,
        "Measured time of one matrix layer against batch size as dots, over the predicted curve: flat, then linear; most dots lie above it.",
    )


def assumptions(
    serial: float, alone: float, ratio: float, context: float, attention: float, real: Any, fit: Any
) -> Any:
    """What this chapter assumes, and the size of each error; the forecast is `real`, its constants `fit`."""
    return table(
        ("assumption", "size of the error"),
        [
            ("The clocks overlap perfectly (d7)", f"at most {serial:.1f}×, worst at the knee"),
            (
                "All experts are read in every step (d10)",
                f"one user needs {alone:.0%} of the routed experts, so the floor is up to {ratio:.0f}× too high there; gone by a batch of a hundred",
            ),
            (
                "Attention's own arithmetic is free (d5)",
                f"at {human(context)} tokens it is {attention:.1f}× the weights' arithmetic for this model (chapter 6)",
            ),
            (
                "Everyone has the same context (d6)",
                "none, if L is the mean: the cache term is linear in it",
            ),
            (
                "The GPUs talk in no time (d8)",
                f"{human(real.step_floor, 's')} a step against a forecast of {human(real.step, 's')} for the two thousand users above",
            ),
            (
                "Peak rates are reached (d12)",
                f"fitted on published runs, {fit.compute:.0%} of the peak arithmetic and {fit.bandwidth:.0%} of the peak bandwidth (chapter 9)",
            ),
            (
                "Price is proportional to cost (d15)",
                "unknown: a margin that differs between modes moves every answer of the puzzle",
            ),
            (
                "One token per step (d17)",
                "speculative decoding gains more than one token for the same floor; not modelled",
            ),
        ],
    )


# ---- what the chapter asks -----------------------------------------------------------------------


def one_step() -> Explorer:
    """Live: one decode step of the chapter's model on its rack, moment by moment."""
    return machine_step(model("DeepSeek-V3"), chip("GB200").system(72, "fp8"))


def guess_floor() -> Asked:
    return guess(
        "floor",
        "One rack of 72 GPUs serves DeepSeek-V3 to thousands. What is the shortest time a step can take?",
        "s",
    )


def settle_floor(floor: float, s: System) -> Asked:
    """The first guess against the time in which all weights are read."""
    each = human(s.bandwidth / s.chips, "B/s")
    return settle(
        "floor", floor, "s",
        close="You read memory sizes well.",
        low=f"Every weight must come out of the memory once, and all of it reads {human(s.bandwidth, 'B/s')}.",
        high=f"Most people forget that {s.chips} memories are read side by side, {each} each.",
    )  # fmt: skip


def guess_alone() -> Asked:
    return guess(
        "alone",
        "If it serves one user only, how many times dearer is a token than when thousands share it?",
        "x",
    )


def settle_alone(times: float) -> Asked:
    """The second guess against the cost of a token without a batch, over the least cost."""
    return settle(
        "alone", times, "x",
        close="And few believe it.",
        low="A single user fills one of thousands of seats, and pays for all of them.",
        high="Even alone you pay no more than the whole rack: its seats are the limit.",
    )  # fmt: skip


def guess_ceiling() -> Asked:
    return guess(
        "ceiling",
        "If money is no object, how many times faster than its normal mode can such a rack ever become?",
        "x",
        like="5 times",
    )


def settle_ceiling(times: float) -> Asked:
    """The third guess against the top speed that a price list reveals."""
    return settle(
        "ceiling", times, "x",
        close="You have seen the floor under the step.",
        low="The fast mode on sale already does better than that, or nearly.",
        high="Everyone expects money to buy more. What is left when the seats are empty is the reading of the weights.",
    )  # fmt: skip


def say_step(figure: Explorer) -> Sentence:
    """The live figure's numbers in a sentence, two of them to drag."""
    return drag(
        figure,
        "With [batch: people] on board and [context: tokens] of context each, a step takes at least {step}, and a "
        "token costs at least {cost}; the arithmetic is busy for {arithmetic_busy} of the time.",
    )


def ask_clock(batch: float, context: float, m: Model, s: System) -> Asked:
    step = roofline.step_time(batch, context, m, s)
    return exercise(
        "which-clock", "The time of the step", unit="s", answer=step,
        slips={
            "weights only": roofline.weight_time(m, s),
            "per chip for all": s.chips * step,
            "That is the arithmetic. It has to wait for something slower.": roofline.compute_time(batch, m, s),
            "wrong width": roofline.memory_time(batch, context, m.replace(bytes_per_param=1), s),
        },
    )  # fmt: skip


def ask_batches(price: float, speed: float) -> Asked:
    return exercise(
        "tempting-batches", "The normal batch over the fast one", unit="x", like="30 times",
        answer=batching.fast_batch_ratio(price, speed),
        slips={"A price is time over batch, so the two ratios multiply.": speed / price},
    )  # fmt: skip


def ask_ceiling(price: float, speed: float) -> Asked:
    return exercise(
        "tempting-ceiling", "The highest conceivable speed, over the normal one", unit="x",
        answer=batching.speed_ceiling(price, speed),
        slips={"That is the speed of the offer. An empty bus is faster still.": speed},
    )  # fmt: skip


def ask_knee(context: float, m: Model, s: System) -> Asked:
    knee = roofline.balance_batch_with_kv(context, m, s)
    return exercise(
        "sketch-knee", "The batch at the knee", unit="sequences", like="2k", answer=knee,
        slips={
            "That is the knee without the caches. They grow with the batch too.": roofline.balance_batch(m, s),
            "per chip for all": knee / s.chips,
        },
    )  # fmt: skip


def ask_hundredfold(alone: float, users: float) -> Asked:
    return exercise(
        "hundredfold-price", "The price of a token for who is alone, over the normal price", unit="x",
        answer=alone,
        slips={"That is the batch. Alone you also pay for a shorter step.": users},
    )  # fmt: skip
