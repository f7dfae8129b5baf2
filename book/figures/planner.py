"""Chapter 11: a deployment as a live figure, its step and its frontier, a price list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp

from memwall import Workload, forecast, human, plan
from memwall.formulas.deployment import RESULTS, deployment
from memwall.planner import Plan
from memwall.views.explorer import (
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

# what the live figure offers: a model, a chip, how many
OFFERED = (("DeepSeek-V3", "H200", 8), ("Llama-3.1-70B", "H100", 8), ("gpt-oss-120b", "H100", 2))
SHOWN = (
    "largest_concurrency", "step_floor", "step", "time_per_token", "first_token", "token_rate", "output_cost",
)  # fmt: skip
BANDS = {"step": "tpot", "time_per_token": "tpot", "first_token": "ttft"}


def speed_of(p: Plan) -> float:
    """Tokens a second that each user of a plan sees."""
    return 1 / float(p.time_per_token)


def planner_figure() -> Explorer:
    """Live: deployments of the catalog by users and lengths: what fits, how fast, what it costs."""
    users, prompt, output = variables("users prompt output")
    which = variables("which", nonnegative=True)
    asked = Workload(prompt=prompt, output=output, cached=0.0, users=users)
    made = []
    for model, chip, chips in OFFERED:
        p = plan(model, chip, chips, users=64)
        with sp.evaluate(False):
            made.append(
                deployment(
                    p.checkpoint, p.system, p.layout, asked, p.engine, forecast.fitted(p.kind)
                )
            )

    def chosen(name: str) -> Any:
        values = [sp.sympify(getattr(one, name)) for one in made]
        return sp.Piecewise(
            *[(v, which < i + 0.5) for i, v in enumerate(values[:-1])], (values[-1], True)
        )

    shown = {name: variables(f"r_{name}") for name in SHOWN}
    low, high = forecast.band()

    def readout(name: str) -> Readout:
        label, unit, _ = RESULTS[name]
        ends = forecast.band(of=BANDS[name]) if name in BANDS else None
        band = {} if ends is None else {"low": shown[name] * ends[0], "high": shown[name] * ends[1]}
        return Readout(label, shown[name], unit, key=name, **band)

    each = shown["time_per_token"]
    return Explorer(
        "planner",
        title=[
            (users > shown["largest_concurrency"], "{users} users, of whom {largest_concurrency} fit: the others wait"),
            "{users} users: a token in {time_per_token}, the first after {first_token}",
        ],
        controls=[
            Preset("Deployment", {f"{m} on {n} {c}": {which: i} for i, (m, c, n) in enumerate(OFFERED)}),
            Slider(users, "Requests in flight", 1, 4096, 64, log=True),
            Slider(prompt, "Tokens of a prompt", 10, 1e5, 2000, log=True),
            Slider(output, "Tokens of an answer", 10, 1e4, 500, log=True),
        ],
        lets={symbol: chosen(name) for name, symbol in shown.items()},
        chart=Lines(
            x=users, y=("Time per output token", "s"), log="xy", samples=60,
            curves=[
                Curve("", high * each, "compute", fill_to=low * each, width=0.01),
                Curve("forecast", each, "compute"),
                Curve("floor of a step", shown["step_floor"], "muted"),
            ],
            points=[Point("you", users, each)],
        ),
        readouts=[readout(name) for name in SHOWN],
        alt="Time per output token against requests in flight, with its band, above the floor of a step: {time_per_token} at {users}.",
    )  # fmt: skip


def parts_of_the_step(crowd: np.ndarray, plans: Sequence[Any]) -> Figure:
    """The forecast step against batch size, in bands for what takes its time."""
    fig, ax = canvas(
        f"From one user to {crowd[-1]:,}, the step grows only {plans[-1].step / plans[0].step:.0f}-fold",
        x=("Batch size", "sequences"),
        y=("Decode step", "s"),
        log="x",
    )
    kinds = {"weights": "weights", "experts": "compute", "attention": "kv", "exchange": "network",
             "launches": "money"}  # fmt: skip
    stack = np.cumsum([[p.step_parts[name] for p in plans] for name in kinds], axis=0)
    below = np.zeros(len(crowd))
    for (name, kind), top in zip(kinds.items(), stack, strict=True):
        ax.fill_between(crowd, below, top, color=COLORS[kind], alpha=0.75, lw=0)
        if (top - below)[-1] > 0.05 * stack[-1][-1]:
            note(ax, crowd[-1], (top + below)[-1] / 2, name, kind, dx=5)
        below = top
    return show(
        fig,
        "The forecast step against batch size as stacked bands: weights, experts, attention, exchange and launches; experts fill up first, then the exchange grows.",
    )


def frontier(machines: Mapping[str, Sequence[Any]], ours: str, here: Any) -> Figure:
    """Cost of output against speed of one user for some machines, `ours` with the point `here`."""
    speed = [speed_of(p) for p in machines[ours]]
    price = [float(p.output_cost) for p in machines[ours]]
    fig, ax = canvas(
        f"Between {speed[-1]:.0f} and {speed[0]:.0f} token/s, the price rises {float(f'{price[0] / price[-1]:.2g}'):.0f}-fold",
        x=("Speed of one user", "token/s"),
        y=("Cost of output", "$/token"),
        log="y",
    )
    for name, plans in machines.items():
        kept = [p for p in plans if p.fits]
        kind, alone = "money" if name == ours else "muted", kept[0]
        curve(ax, [speed_of(p) for p in kept], [p.output_cost for p in kept], kind)
        place = {"dx": 6} if "B200" in name else {"dx": -7, "dy": 4}
        note(ax, speed_of(alone), alone.output_cost, name, kind, **place)
    mark(ax, speed_of(here), here.output_cost, "2×", dx=-5, dy=9)
    return show(
        fig,
        "Cost of output against speed of one user for DeepSeek-V3 on three machines at $3 a chip-hour: each curve falls steeply and flattens towards low speed.",
    )


def beside_the_list(rows: Iterable[tuple[str, float, float]]) -> Any:
    """What tokens cost by the forecast, beside what a price list asks for them."""
    told = [
        (name, human(cost, "$/token"), human(price, "$/token"), f"{price / cost:.1f}")
        for name, cost, price in rows
    ]
    return table(("", "cost of the machines, forecast", "list price", "list over cost"), told)


def assumptions(half_full: float, imbalance: float, largest: float, engine: str) -> Any:
    """What the planner assumes, and the size of each error."""
    return table(
        ("assumption", "size of the error"),
        [
            (
                "The batch stays full (d16)",
                f"with 32 of 64 places taken a token costs {half_full:.2f} times as much: the mean batch counts, not the limit",
            ),
            (
                "Experts are loaded evenly (d20)",
                f"among 64 tokens the busiest expert gets {imbalance:.1f} times the mean; this matters where arithmetic or traffic binds, not where weights do",
            ),
            (
                "Memory is shared out as the engine says",
                f"{largest:,.0f} requests fit by the rules of {engine}; an older version may take gigabytes more",
            ),
            (
                "One token a step (d17)",
                "speculation divides the step by the tokens it gains, at small batches; how many depends on the text",
            ),
            (
                "Rent is price (d15)",
                "if half of the hours are empty, a token costs twice as much; margin comes on top",
            ),
        ],
    )
