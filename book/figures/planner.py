"""Chapter 11: the planner, its guess, a step against its users, the frontier of some machines, a price list, what is assumed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from memwall import human
from memwall.planner import Option, in_words
from memwall.planner_page import PlannerPage
from memwall.views.figures import COLORS, Figure, canvas, curve, mark, note, show, table
from memwall.views.reader import Asked, guess, settle

KINDS = {
    "weights": "weights", "experts": "compute", "attention": "kv", "exchange": "network",
    "launches": "muted",
}  # fmt: skip


def planner_page() -> PlannerPage:
    """The whole planner, live."""
    return PlannerPage()


def guess_half_speed() -> Asked:
    """The chapter's guess, to be made before the page is asked."""
    text = "Promise 15 token/s each instead of 30: what share of the bill is left?"
    return guess("half-speed", text, "%")


def settle_half_speed(share: float) -> Asked:
    """What meets it."""
    return settle(
        "half-speed", share, "%", close="Less speed, fuller replicas; but prompts are read all the same.",
        low="Half would be right for tokens alone: prompts are read all the same.",
        high="Slower tokens leave room for many more users on each replica.",
    )  # fmt: skip


def options(best: Iterable[Option]) -> Any:
    """The best options as a table."""
    told = [
        (
            f"{o.chips} {o.chip}", f"{o.replicas} × {in_words(o.layout)}",
            f"{human(o.dollars_per_month, '$')}", human(1 / o.result.time_per_token, "token/s"),
            human(o.result.first_token, "s"), f"{o.busy:.0%}",
        )
        for o in best
    ]  # fmt: skip
    return table(("chips", "layout", "a month", "each", "first token", "busy"), told)


def parts_of_the_step(users: np.ndarray, plans: Sequence[Any]) -> Figure:
    """The forecast step against the users on a replica, in bands for what takes its time."""
    grown = plans[-1].step / plans[0].step
    fig, ax = canvas(
        f"From one user to {users[-1]:,.0f}, the step grows only {grown:.1f}-fold",
        x=("Users on a replica", "sequences"), y=("Decode step", "s"), log="x",
    )  # fmt: skip
    stack = np.cumsum([[float(p.step_parts[name]) for p in plans] for name in KINDS], axis=0)
    below = np.zeros(len(users))
    for (name, kind), top in zip(KINDS.items(), stack, strict=True):
        ax.fill_between(users, below, top, color=COLORS[kind], alpha=0.75, lw=0)
        if (top - below)[-1] > 0.05 * stack[-1][-1]:
            note(ax, users[-1], (top + below)[-1] / 2, name, kind, dx=5)
        below = top
    return show(
        fig,
        "The forecast step against users as stacked bands: reading weights dominates for few users, caches grow with many.",
    )


def frontier(machines: Mapping[str, Sequence[Any]], output: float) -> Figure:
    """Dollars a million tokens out against the speed of one user, for some machines, memory permitting."""
    fig, ax = canvas(
        "Each machine sells a curve, not a price",
        x=("Speed of one user", "token/s"), y=("All cost over tokens out", "$/token"), log="y",
    )  # fmt: skip
    for name, plans in machines.items():
        kept = [p for p in plans if p.running >= p.workload.users]
        speed = [1 / p.time_per_token for p in kept]
        price = [p.request_cost / output for p in kept]
        curve(ax, speed, price, "money" if name == list(machines)[-1] else "muted")
        note(ax, speed[0], price[0], name, "bound", dx=-4, dy=6)
        mark(ax, speed[-1], price[-1], f"{kept[-1].workload.users:,.0f} users", dx=4, dy=-10)
    ax.margins(x=0.15)
    return show(
        fig,
        "Cost against speed of one user for some machines: each curve falls steeply from a single user and ends where memory ends.",
    )


def beside_the_list(rows: Iterable[tuple[str, float, float]]) -> Any:
    """What tokens cost by the forecast, beside what a price list asks for them."""
    told = [
        (name, human(cost, "$/token"), human(price, "$/token"), f"{price / cost:.1f}")
        for name, cost, price in rows
    ]
    return table(("", "cost of the machines, forecast", "list price", "list over cost"), told)


def assumptions(half: float, late: float, uneven: float) -> Any:
    """What the planner assumes, and the size of each error."""
    return table(
        ("assumption", "size of the error"),
        [
            (
                "Load is steady (d16)",
                f"machines rented for the peak and half empty on average: a token costs {half:.1f} times as much",
            ),
            (
                "The mean is what counts",
                f"first tokens wait in a queue: at the same load the slow end of the band is {late:.1f} times the forecast, and one request in a hundred waits longer still",
            ),
            (
                "Experts are loaded evenly (d20)",
                f"among 64 tokens the busiest expert gets {uneven:.1f} times the mean",
            ),
            (
                "Exchanges are not hidden (d8)",
                "an engine that runs two half batches in turn hides most of them: see the fleet above",
            ),
            (
                "One token a step (d17)",
                "unless you say how many are guessed; how often guesses are right depends on the text",
            ),
            ("Rent is price (d15)", "margin, staff, network and empty hours come on top"),
        ],
    )
