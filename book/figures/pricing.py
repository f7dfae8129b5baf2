"""Figures of chapter 6: what a token costs over contexts, passes, shelves and waiting times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import sympy as sp

from memwall import (
    Checkpoint,
    Model,
    System,
    batching,
    catalog,
    chip,
    human,
    layers,
    model,
    pricing,
    roofline,
)
from memwall.catalog import MemoryDevice, Price
from memwall.core.units import DAY, GB, HOUR, MINUTE
from memwall.views.explorer import (
    Curve,
    Explorer,
    Guide,
    Lines,
    Point,
    Preset,
    Readout,
    Slider,
    Words,
    variables,
)
from memwall.views.figures import COLORS, Figure, canvas, curve, mark, note, show, table
from memwall.views.reader import Asked, exercise, guess, settle

# ---- context -------------------------------------------------------------------------------------


def price_steps(steps: Sequence[tuple[Price, Price]]) -> Any:
    """The lists that step in the length of the prompt, and what the step does to each price."""
    return table(
        ["list", "as of", "steps at (tokens)", "input", "output"],
        [
            [
                low.name,
                low.as_of,
                human(low.context_to),
                f"{high.input / low.input:g}×",
                f"{high.output / low.output:g}×",
            ]
            for low, high in steps
        ],
    )


def staircases_over_cost(
    crowd: float, shown: Model, board: System, step: tuple[Price, Price], covered: float
) -> Figure:
    """Cost over context at a batch, and two prices that start at cost and step at its kink."""
    low, high = step
    x = np.sort(np.append(np.linspace(0, 1e6, 201), 200_001))
    flat = float(batching.cost_floor(0, shown, board))
    cost = batching.cost_per_token(crowd, x, shown, board) / flat
    until = human(round(covered, -3))
    fig, ax = canvas(
        f"A price that starts at cost and steps by half covers it up to {until} tokens only",
        x=("Context", "tokens"),
        y=("Multiples of the flat cost", "x"),
        log="",
    )
    clocks = (
        roofline.memory_time(crowd, x, shown, board),
        roofline.compute_time(crowd, shown, board),
    )
    curve(ax, x, np.ones_like(x), "compute")
    curve(ax, x, clocks[0] / clocks[1], "kv")
    curve(ax, x, cost, "bound", linewidth=3, alpha=0.85)
    for ratio, name, dy in (
        (high.output / low.output, "output", -10),
        (high.input / low.input, "input", 10),
    ):
        curve(ax, x, pricing.staircase_price(x, 200_000, 1, ratio), "money")
        note(ax, 1e6, ratio, f"{name} price, step of {ratio:g}", "money", dx=-2, dy=dy)
    note(ax, 1e6, 1, "arithmetic", "compute", dx=-2, dy=-9)
    note(ax, 6e4, 0.48, "weights, then cache", "kv", dx=6, dy=-7)
    note(ax, 7.6e5, 3.1, "cost: the slower", "bound", dx=-6, dy=6)
    mark(ax, 200_000, 1, "kink", dx=-8, dy=11)
    return show(
        fig,
        "Cost of a token against context: flat to 200,000 tokens, then rising to "
        f"{cost[-1]:.1f} times at a million. Two staircases, stepping at 200,000 to "
        f"{high.output / low.output:g} and {high.input / low.input:g} times, fall below the "
        f"cost, the lower one at {until} tokens.",
    )


# what sets a release apart, and the word for it
KINDS = {
    "compressed": "compressed, then chosen",
    "chosen": "latent, chosen",
    "delta": "states, and full",
    "window": "windows, and full",
    "MLA": "latent",
    "full": "full",
}


def read_at_the_step(at_step: Mapping[str, tuple[float, float, str]], implied: float) -> Figure:
    """What releases read and keep for each token of 200,000, beside what the price step implies."""
    in_order = sorted(at_step.items(), key=lambda pair: -pair[1][0])
    least, (reads, *_) = in_order[-1]
    fig, ax = canvas(
        f"The step implies {implied:,.0f} bytes a token; {least} reads {reads:,.0f}, the others more",
        x=("Bytes for each token of a context of 200,000", "B"),
        log="x",
        size=(6, 4.4),
    )
    for row, (_, (read, held, kinds)) in enumerate(reversed(in_order)):
        ax.plot([read, held], [row, row], color=COLORS["kv"], linewidth=1)
        ax.plot(held, row, "o", markerfacecolor="white", color=COLORS["kv"])
        ax.plot(read, row, "o", color=COLORS["kv"])
        word = next(word for kind, word in KINDS.items() if kind in kinds)
        note(ax, max(read, held), row, word, dx=8, va="center", fontsize=9.5)
    ax.axvline(implied, color=COLORS["money"])
    note(ax, implied, len(at_step) - 0.1, "implied by the price step", "money", dx=5)
    note(ax, reads, -0.8, "read in a step", "kv", ha="center", fontsize=9.5)
    note(ax, at_step[least][1], -0.8, "kept", "kv", ha="center", fontsize=9.5)
    ax.set_yticks(range(len(in_order)), [name for name, _ in reversed(in_order)], fontsize=9.5)
    ax.grid(axis="y", visible=False)
    ax.set_ylim(-1.2, len(at_step) + 0.4)
    ax.set_xlim(400, 3e6)
    return show(
        fig,
        f"Bytes read in a step for each token of a context of 200,000, against {implied:,.0f} implied by the price step: "
        + ", ".join(f"{name} {read:,.0f}" for name, (read, _, _) in in_order)
        + ". Where layers choose or compress, what is kept is six to twenty-five times more.",
    )


# ---- reading and writing -------------------------------------------------------------------------


def cost_by_pass_length(users: float, past: float, v3: Model, gb: System, gap: float) -> Figure:
    """Cost of a token over the length of the pass that it shares, down to the arithmetic's."""
    lengths = np.geomspace(1, 1000, 200)
    per = pricing.pass_cost(users, lengths, past, v3, gb)
    shared = roofline.memory_time(users, past, v3, gb) * gb.dollars_per_second / (users * lengths)
    fig, ax = canvas(
        f"One token at a time costs {gap:.1f} times a token in a long pass",
        x=("Length of the pass", "tokens"),
        y=("Cost of a token, floor", "$/token"),
    )
    curve(ax, lengths, np.full_like(lengths, pricing.recompute_cost(v3, gb)), "compute")
    curve(ax, lengths, shared, "kv")
    curve(ax, lengths, per, "bound", linewidth=3, alpha=0.85)
    note(ax, 200, per[-1], "arithmetic", "compute", dy=9)
    note(ax, 1, per[-1] / 3.5, "weights and caches,\nshared by the pass", "kv", dx=2)
    mark(ax, 1, per[0], "decode", dx=8, dy=4)
    mark(ax, gap, per[-1], f"crossing at {gap:.1f}", dx=4, dy=12)
    ax.set_ylim(per[-1] / 12, per[0] * 1.6)
    return show(
        fig,
        f"Cost of a token against pass length for DeepSeek-V3, {users} sequences of "
        f"{past:.0f} tokens on 72 GB200: falling as one over the length from "
        f"{human(per[0], '$/token')} to {human(per[-1], '$/token')}, reached at "
        f"length {gap:.1f}.",
    )


# ---- shelves -------------------------------------------------------------------------------------


def drain_times(
    guessed: Mapping[str, tuple[float, float]], drained: Mapping[str, Sequence[float]]
) -> Figure:
    """Drain times of the catalog's devices by tier, beside those guessed in the lecture."""
    ends = {tier: [human(end(times), "s") for end in (min, max)] for tier, times in drained.items()}
    fig, ax = canvas(
        f"Flash takes {ends['flash'][0]} to {ends['flash'][1]} to "
        f"drain, a disk {ends['disk'][0]} or more",
        x=("Time to read the whole device once", "s"),
        log="x",
        size=(6, 3),
    )
    for row, tier in enumerate(guessed):
        found = drained[tier]
        ax.plot(guessed[tier], [row + 0.16] * 2, "D-", color=COLORS["bound"], markersize=6)
        ax.plot(found, [row - 0.16] * len(found), "o", color=COLORS["kv"], alpha=0.6)
    for wait, name in ((5 * MINUTE, "5 min"), (HOUR, "1 h")):
        ax.axvline(wait, color=COLORS["money"])
        note(ax, wait, 3.72, name, "money", dx=3)
    note(ax, guessed["HBM"][0], 0.16, "guessed in the lecture", "bound", dx=8, dy=8)
    note(ax, max(drained["HBM"]), -0.16, "devices of the catalog", "kv", dx=8, dy=-2)
    ax.set_yticks(range(4), list(guessed))
    ax.set_xticks([0.01, 0.1, 1, 10, 60, 600, HOUR, 10 * HOUR])
    ax.set_ylim(-0.6, 4)
    ax.set_xlim(0.008, 4e5)
    ax.grid(axis="y", visible=False)
    return show(
        fig,
        "Drain times on a logarithmic axis: "
        + ", ".join(f"{tier} {ends[tier][0]} to {ends[tier][1]}" for tier in guessed)
        + ", against the lecture's 20 ms, 1 to 10 s, a minute and an hour. Cache lifetimes of "
        "5 minutes and 1 hour both fall among the flash drives.",
    )


def cheapest_shelf(
    hold: np.ndarray, options: Mapping[str, np.ndarray], shelves: Sequence[MemoryDevice]
) -> Figure:
    """Cost of having a token again over its waiting time: recomputed, or kept on a shelf."""
    least = np.minimum.reduce(list(options.values()))
    flash_from, disk_from = (
        human(pricing.tier_crossover(near, far), "s") for near, far in pairwise(shelves)
    )
    fig, ax = canvas(
        f"HBM for under a second, DDR to {flash_from}, flash to {disk_from}, then disk".replace(
            " h,", "\u00a0h,"
        ),
        x=("Time until the token is wanted again", "s"),
        y=("Cost of having it then, floor", "$/token"),
        size=(6, 4.4),
    )
    looks = (
        ("recompute", "compute", 0.05, 2),
        ("HBM", "bound", 20, -6),
        ("DDR", "weights", 0.05, 2),
        ("flash", "network", 0.05, 2),
        ("disk", "kv", 0.05, 2),
    )
    for dollars, (word, kind, at, dx) in zip(options.values(), looks, strict=True):
        curve(ax, hold, dollars, kind, linewidth=1.6)
        i = np.searchsorted(hold, at)
        note(ax, hold[i], dollars[i], word, kind, dx=dx, dy=8)
    curve(ax, hold, least, "money", linewidth=5, alpha=0.45)
    for wait, name in ((5 * MINUTE, "5 min"), (HOUR, "1 h"), (DAY, "1 d")):
        ax.axvline(wait, color=COLORS["muted"], linewidth=0.8)
        note(ax, wait, 7e-12, name, "muted", dx=2)
    ax.set_xticks([0.1, 1, 10, 60, 600, HOUR, 10 * HOUR, 10 * DAY, 100 * DAY])
    ax.tick_params(axis="x", labelsize=9)
    ax.set_ylim(4e-12, 1e-7)
    return show(
        fig,
        "Cost of having a DeepSeek-V3 token again against the time it waited: "
        "recomputing flat, HBM the steepest line, then DDR, flash and disk, whose "
        "cost starts flat at their price of reading. The lower envelope goes from "
        f"HBM to DDR within a second, to flash at {flash_from}, to disk "
        f"at {disk_from}, and to recomputing after more than a week.",
    )


def bill_by_timeout(
    timeouts: np.ndarray, regret: Mapping[str, np.ndarray], at_rest: Mapping[str, float]
) -> Figure:
    """The bill over the bill with foresight, against the timeout, for three sets of pauses."""
    fig, ax = canvas(
        f"With the timeout at T* the bill is at most {max(at_rest.values()):.1f} "
        "times the best; elsewhere it may be more",
        x=("Timeout, in multiples of T*", "x"),
        y=("Bill over the bill with foresight", "x"),
        log="x",
    )
    looks = (("kv", 0.03, 4), ("weights", 3, 0), ("network", 0.02, -9))
    for (name, over), (kind, at, dy) in zip(regret.items(), looks, strict=True):
        curve(ax, timeouts, over, kind)
        i = np.searchsorted(timeouts, at)
        note(ax, timeouts[i], over[i], name, kind, dx=8, dy=dy)
    ax.axhline(2, color=COLORS["muted"], linewidth=1)
    ax.axvline(1, color=COLORS["muted"], linewidth=1)
    note(ax, 1, 0.5, "T*", "bound", dx=4)
    ax.set_ylim(0, 6)
    return show(
        fig,
        "Bill over the bill with foresight against the timeout, for three "
        "populations of pauses: each curve has its low point elsewhere, but at T* "
        "all lie at or below two.",
    )


# ---- attention -----------------------------------------------------------------------------------


def attention_overtakes(*who: Model) -> Figure:
    """Arithmetic of one token over its context, for three models, and where attention's equals the weights'."""
    x = np.geomspace(100, 4e7, 200)
    onsets = {m.name: float(pricing.attention_context(m)) for m in who}
    fig, ax = canvas(
        "Attention's arithmetic overtakes the weights' at "
        f"{human(min(onsets.values()))} tokens, or at millions",
        x=("Context", "tokens"),
        y=("Arithmetic of one token", "FLOP"),
        size=(6, 4.2),
    )
    below = {"ha": "center", "va": "top"}
    looks = (("kv", {}), ("weights", {}), ("money", below))
    for m, (kind, style) in zip(who, looks, strict=True):
        total = 2 * m.n_active + pricing.attention_flop(x, m)
        curve(ax, x, total, kind)
        note(ax, 100, total[0], m.name, kind, dx=4, dy=9)
        onset = onsets[m.name]
        mark(ax, onset, 4 * m.n_active, human(onset), kind, dx=8, dy=-10, **style)
    ax.set_xlim(80, 5e7)
    ax.set_ylim(4e10, 1e15)
    return show(
        fig,
        "FLOP of one decoded token against context: flat, then rising in a straight line, from "
        + ", ".join(f"{human(onset)} tokens for {name}" for name, onset in onsets.items())
        + ".",
    )


def cache_read(schemes: Mapping[str, Checkpoint], limit: float) -> Figure:
    """Cache read for one token: all of it, chosen, chosen and compressed, and by a square root."""
    x = np.geomspace(500, 1e8, 200)
    fig, ax = canvas(
        f"Choosing reads at best 1/{limit:.0f} of the past; compressing it first reads less still",
        x=("Context", "tokens"),
        y=("Cache read for one token", "B"),
        size=(6, 4),
    )
    looks = (
        ("all of it", "kv", 3e4, (-6, 8, "right")),
        ("chosen", "network", 5e5, (6, -14, "left")),
        ("compressed,\nthen chosen", "weights", 3e6, (8, -14, "left")),
    )
    for c, (word, kind, at, (dx, dy, ha)) in zip(schemes.values(), looks, strict=True):
        curve(ax, x, sum(layers.read_bytes(x, g) for g in c.groups), kind)
        read = float(sum(layers.read_bytes(at, g) for g in c.groups))
        note(ax, at, read, word, kind, dx=dx, dy=dy, ha=ha)
    dense = next(iter(schemes.values())).groups[0]
    entry = float(layers.read_bytes(1, dense))
    curve(ax, x, np.sqrt(x) * entry, "muted")
    note(ax, 1.5e7, np.sqrt(1.5e7) * entry, "square root", "muted", dx=4, dy=-12)
    ax.set_xlim(500, 1.2e8)
    return show(
        fig,
        "Cache bytes read for one token against context: dense is linear; DeepSeek-V3.2, which chooses, flat at first and then linear, "
        f"{limit:.0f} times lower; DeepSeek-V4-Pro, which compresses and chooses, lower still; the square root of the dense cache below both from some ten thousand tokens on.",
    )


# ---- live ----------------------------------------------------------------------------------------

REAL = "DeepSeek-V3", "DeepSeek-V4-Pro", "Qwen3-235B-A22B", "Llama-3.1-70B", "Llama-3.1-405B"


AT = 200_000  # tokens at which the figures count a cache that is not all read


def choices(
    guess: Model, board: System, counted: Any
) -> tuple[dict[str, Model], dict[str, System]]:
    """The models and machines of both live figures, the lecture's own first.

    `counted` says which bytes are a token's: those read in a step, or those kept.
    """
    racks = {"72 × GB200": ("GB200", 72), "8 × H100": ("H100", 8), "72 × Rubin": ("Rubin", 72)}
    machines = {
        f"{words}, FP8": chip(name).system(n, "fp8", dollars_per_hour=2)
        for words, (name, n) in racks.items()
    }
    real = {
        name: model(name).replace(
            kv_bytes_per_token=sum(counted(AT, g) for g in catalog.checkpoint(name).groups) / AT
        )
        for name in REAL
    }
    return (
        {"the lecture's guess": guess} | real,
        {"the lecture's rack": board} | machines,
    )


def price_of_context(guess: Model, board: System) -> Explorer:
    """Live: cost of a token over its context, with its kink, and a list price that steps."""
    B, L = variables("batch context")
    m, s = Model.symbolic(), System.symbolic()
    step_at, step_ratio = variables("step step_ratio")
    margin = 2  # of the list's flat part over the arithmetic
    models, machines = choices(guess, board, layers.read_bytes)
    token = batching.cost_per_token(B, L, m, s)
    arithmetic = roofline.compute_time(B, m, s) / B * s.dollars_per_second
    memory = roofline.memory_time(B, L, m, s) / B * s.dollars_per_second
    listed = pricing.staircase_price(L, step_at, margin * arithmetic, step_ratio)
    bend = pricing.kink_context(B, m, s)
    return Explorer(
        "price-of-context",
        title=[
            (
                roofline.balance_batch(m, s) >= B,
                "At {batch} no part is flat: the weights alone take all the arithmetic's time",
            ),
            (bend >= L, "Flat up to {kink}: at {context} a token costs its arithmetic, {cost}"),
            (sp.true, "Past the kink at {kink} the cache sets the cost: {cost} at {context}"),
        ],
        controls=[
            Preset("Model", models, m),
            Preset("Machine", machines, s),
            Slider(B, "Batch size", 100, 1e6, 9600, unit="sequences", log=True),
            Slider(L, "Context", 100, 1e6, 1e5, unit="tokens", log=True),
            Slider(m.kv_bytes_per_token, "Cache of a token", 100, 1e6, unit="B", log=True),
            Slider(step_at, "List price steps at", 1e3, 1e6, 2e5, unit="tokens", log=True),
            Slider(step_ratio, "Step", 1, 5, 1.5, unit="x"),
        ],
        chart=Lines(
            x=L,
            y=("Cost of a token, floor", "$/token"),
            log="xy",
            curves=[
                Curve("arithmetic", arithmetic + 0 * L, "compute"),
                Curve("weights and cache", memory, "kv"),
                Curve("cost", token, "bound"),
                Curve("list price", listed, "money", step=True),
            ],
            points=[Point("you", L, token)],
            guides=[Guide("kink", x=bend, kind="muted", when=bend > 100)],
        ),
        readouts=[
            Readout("Cost at your context, floor", token, "$/token", key="cost"),
            Readout("Kink", bend, "tokens", key="kink"),
            Readout("Balanced context L*", roofline.balanced_context(m, s), "tokens"),
            Readout("Balance batch", roofline.balance_batch(m, s), "sequences"),
            Readout(
                "Bytes the step implies, endless batch",
                pricing.implied_cache_bytes(step_at, m, s),
                "B/token",
            ),
            Readout("List price over cost", listed / token, "x", key="cover"),
            Readout("Decode over prefill", sp.Max(1, pricing.crossing_length(B, L, m, s)), "x"),
        ],
        messages=[
            (
                listed < token,
                "At {context} the list price no longer covers the cost: {cover} of it.",
            )
        ],
        alt="Cost of a token against context. At {batch} the kink lies at {kink}; a "
        "token at {context} costs {cost}.",
    )


def store_or_recompute(
    guess: Model, board: System, shelves: Sequence[MemoryDevice], lifetime: float
) -> Explorer:
    """Live: cost of having a token again over its waiting time, for five ways."""
    T, life = variables("hold lifetime")
    m, s = Model.symbolic(), System.symbolic()
    models, machines = choices(guess, board, layers.held_bytes)
    ddr, *dragged = shelves
    prices = variables("flash_price disk_price")
    drive, spin = (
        MemoryDevice(
            capacity=x.capacity, bandwidth=x.bandwidth, dollars_per_byte=p / GB, name=x.name
        )
        for x, p in zip(dragged, prices, strict=True)
    )
    ranges = (("Flash", 0.02, 5, 3), ("Disk", 0.001, 0.5, 4))
    price_sliders = [
        Slider(
            symbol,
            label,
            low,
            high,
            round(float(shelf.dollars_per_byte * GB), digits),
            unit="$/GB",
            log=True,
        )
        for symbol, shelf, (label, low, high, digits) in zip(prices, dragged, ranges, strict=True)
    ]
    ways = {
        "recompute": (pricing.recompute_cost(m, s), "compute"),
        "HBM": (pricing.hbm_hold_cost(T, m, s), "bound"),
        "DDR": (pricing.device_hold_cost(T, life, m, ddr), "weights"),
        "flash": (pricing.device_hold_cost(T, life, m, drive), "network"),
        "disk": (pricing.device_hold_cost(T, life, m, spin), "kv"),
    }
    recomputed = ways["recompute"][0]
    cheapest = sp.Min(*(y for y, _ in ways.values()))
    years = {"low": 30 * DAY, "high": 3650 * DAY, "default": lifetime}
    return Explorer(
        "store-or-recompute",
        title="Wanted again after {hold}, cheapest is: {place}, at {cheapest}",
        controls=[
            Preset("Model", models, m, default="DeepSeek-V3"),
            Preset("Machine", machines, s, default="72 × GB200, FP8"),
            Slider(T, "Wanted again after", 0.01, 3e7, 300, unit="s", log=True),
            Slider(m.kv_bytes_per_token, "Cache of a token", 100, 1e6, unit="B", log=True),
            Slider(life, "Device written off after", **years, unit="s", log=True),
            *price_sliders,
        ],
        chart=Lines(
            x=T,
            y=("Cost of having it then, floor", "$/token"),
            log="xy",
            y_range=(recomputed / 1e5, recomputed * 20),
            curves=[Curve(name, y + 0 * T, kind) for name, (y, kind) in ways.items()],
            points=[Point("cheapest", T, cheapest, "money")],
            guides=[Guide("5 min", x=5 * MINUTE), Guide("1 h", x=HOUR)],
        ),
        readouts=[
            Words(
                "place",
                *((y <= cheapest, name) for name, (y, _) in ways.items()),
                "none",
                label="Cheapest",
            ),
            Readout("Cost of that, floor", cheapest, "$/token", key="cheapest"),
            Readout("Recomputing, floor", recomputed, "$/token"),
            Readout("HBM breaks even after", pricing.break_even_hold(m, s), "s"),
            Readout("Flash breaks even after", pricing.device_break_even(life, m, s, drive), "s"),
            Readout("Disk breaks even after", pricing.device_break_even(life, m, s, spin), "s"),
            Readout("Rate a GPU must be fed at", pricing.loading_rate(m, s) / s.chips, "B/s"),
        ],
        alt="Cost of having a token again against the time until it is wanted, for five "
        "ways. After {hold} the cheapest is {place}.",
    )


# ---- where the model breaks ----------------------------------------------------------------------


def where_the_model_breaks(
    margins: Sequence[float],
    onsets: Mapping[str, float],
    tail: Sequence[float],
    uneven: float,
    filled: float,
    waiting: float,
) -> Any:
    """A row for each assumption of the chapter and the size of the error."""
    errors = {
        "Price follows cost (d15)": f"a margin of {margins[0]:,.0f}× on the lecture's own "
        f"numbers, {margins[1]:.0f}× for DeepSeek-V3: larger than any ratio read off a list",
        "Weights are one byte (d2), arithmetic as stored (d3)": "FP4 weights with FP8 arithmetic "
        "move the implied bytes by 2×; the lecture takes h = 300 from FP4 and then needs one byte",
        "Attention's own arithmetic is free (d5)": "DeepSeek-V3 at 8,000 tokens, in weights' "
        f"arithmetic: {8000 / onsets['written']:.1f}× for a token written, "
        f"{8000 / onsets['read']:.1f}× for one read, half of that on average over the prompt, so "
        "computing a long prompt again is dearer than said; "
        f"{100 * 8000 / onsets['lecture']:.1f} % for the lecture's guess",
        "All contexts are equal (d6)": f"half the users at {human(tail[0])} tokens and half at "
        f"{human(tail[1])}, each billed alone, cost {uneven:.2f}× their mean; batched together, "
        "nothing",
        "Peak rates (d12)": f"in DeepSeek's prefill the arithmetic fills at most "
        f"{100 * filled:.0f} % of the rented time, hits counted as if computed",
        "Drain times from data sheets (d26)": "sequential reads; outer tracks of a disk. Small "
        "or scattered reads are slower, by any factor",
        "HBM costs its share of the rent (d27)": "nothing while it would stand empty; more than "
        "its share while a larger batch is waiting for it",
        "No GPU waits while a cache is read back": "if one did, at the rate of one flash drive, "
        f"that wait would cost {waiting:.1f}× the recomputation",
        "Devices cost their purchase, over five years": "servers, power and networks come on "
        "top: a factor of a few on DDR, flash and disk alike; half the life is twice the cost",
    }
    return table(["assumption", "size of the error"], errors.items())


# ---- a first look --------------------------------------------------------------------------------


def flat_then_rising() -> Explorer:
    """Live: what a token costs over its context, flat and then rising, for the lecture's model."""
    L, times = variables("context times")
    rate = 72 * 8e12  # the lecture's rack: 300 multiply-adds a byte, $2 an hour for each GPU
    board = System(600 * rate, rate, chips=72, dollars_per_second=72 * 2 / HOUR)
    m = Model(n_total=800e9, n_active=100e9, bytes_per_param=1)
    m = m.replace(kv_bytes_per_token=pricing.implied_cache_bytes(200_000, m, board))
    crowd = times * roofline.balance_batch(m, board)
    token, flat = (batching.cost_per_token(crowd, x, m, board) for x in (L, 0))
    bend = pricing.kink_context(crowd, m, board)
    return Explorer(
        "flat-then-rising",
        title=[
            (bend >= L, "A token costs the same up to {kink} of context"),
            (bend > 100, "Up to {kink} a token costs the same, at {context} it costs {more} that"),
            "Nothing is flat: so small a batch pays for every token of context",
        ],
        controls=[
            Slider(L, "Context", 1e3, 1e6, 400_000, unit="tokens", log=True),
            Slider(times, "Batch, over the balance batch", 1, 20, 4, unit="x", log=True),
        ],
        chart=Lines(
            x=L, y=("Cost of a token, floor", "$/token"), y_range=(0, 6 * flat.subs(times, 20)),
            curves=[Curve("", token, "money")],
            points=[Point("you", L, token, "money")],
            guides=[Guide("kink", x=bend, when=bend > 1000)],
        ),
        readouts=[
            Readout("Cost of a token, floor", token, "$/token", key="cost"),
            Readout("Kink", bend, "tokens", key="kink"),
            Readout("", token / flat, "x", key="more"),
        ],
        alt="Cost of a token against context: level up to {kink}, then rising in a straight line; at {context} it "
        "is {cost}.",
    )  # fmt: skip


# ---- what the chapter asks -----------------------------------------------------------------------


def guess_bytes() -> Asked:
    return guess(
        "bytes",
        "A price list steps at 200,000 tokens. If that is where memory overtakes arithmetic in a model of 100 billion "
        "active parameters, how many bytes does one token leave in the cache, all layers together?",
        "B", like="100 kB",
    )  # fmt: skip


def settle_bytes(implied: float) -> Asked:
    """The first guess against the cache that the step implies."""
    return settle(
        "bytes", implied, "B", near=2,
        close="Hardly more than one layer of an ordinary model keeps.",
        low="So little is hard to believe even for the newest models.",
        high="That is what models of 2025 read for a token. The step says far less.",
    )  # fmt: skip


def guess_patience() -> Asked:
    return guess(
        "patience",
        "A token of DeepSeek-V3 waits in the GPU memory of a rack for its user. After how long would it have been "
        "cheaper to throw it away and compute it again?",
        "s", like="2 h",
    )  # fmt: skip


def settle_patience(hold: float) -> Asked:
    """The second guess against balanced context times drain time."""
    return settle(
        "patience", hold, "s", near=2,
        close="Long enough for a quick reply.",
        low="The memory is dear, but a token is a very small part of it.",
        high="Computing a token is cheap, and the memory it lies in is the dearest there is.",
    )  # fmt: skip


def guess_disk() -> Asked:
    return guess(
        "disk", "How long does it take to read a whole new hard disk once?", "s", like="10 min"
    )


def settle_disk(drain: float) -> Asked:
    """The third guess against a disk's drain time."""
    return settle(
        "disk", drain, "s", near=1.6,
        close="Disks have grown, their arms have not.",
        low="Tens of terabytes, and a few hundred megabytes a second.",
        high="Slow, but not as slow as that.",
    )  # fmt: skip


def ask_kink(m: Model, s: System) -> Asked:
    batch = 2 * roofline.balance_batch(m, s)
    return exercise(
        "kink", "The kink", unit="tokens", like="50k", answer=pricing.kink_context(batch, m, s),
        slips={"That is L*. The weights take a share of the arithmetic's time.": roofline.balanced_context(m, s)},
    )  # fmt: skip


def ask_at_a_million(m: Model, s: System) -> Asked:
    batch = 2 * roofline.balance_batch(m, s)
    times = pricing.crossing_length(batch, 1e6, m, s)
    return exercise(
        "at-a-million", "A token at a million, over the flat cost", unit="x", answer=times,
        slips={"That is the cache alone. The weights are read too.": 1e6 / roofline.balanced_context(m, s)},
        tolerance=0.03,
    )  # fmt: skip


def ask_step_bytes(m: Model, s: System) -> Asked:
    endless = pricing.implied_cache_bytes(272_000, m.replace(n_active=50e9), s)
    return exercise(
        "step-bytes", "Bytes a token, with an endless batch", unit="B", like="50 kB", answer=endless,
        slips={
            "That is at three times the balance batch.": endless * 2 / 3,
            "That is FLOP. A multiply-add is two of them.": 2 * endless,
        },
    )  # fmt: skip


def ask_hit(m: Model, drive: MemoryDevice) -> Asked:
    eight = chip("H100").system(8, "fp8")
    compute = roofline.compute_time(1, m, eight)
    return exercise(
        "hit", "Loaded, over computed", unit="x", like="3 times",
        answer=compute * 8 * drive.bandwidth / m.kv_bytes_per_token,
        slips={
            "all for per chip": compute * 64 * drive.bandwidth / m.kv_bytes_per_token,
            "That is with one drive. There are eight.": compute * drive.bandwidth / m.kv_bytes_per_token,
        },
    )  # fmt: skip
