"""Beliefs: numbers that few or nobody published, as sourced facts or as distributions to draw from.

`budgets` draws whole worlds and solves each by `formulas.scaling`; `cheapest_life` finds by trying what
a formula there finds by calculus.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import catalog
from ..core.nouns import Model, suggest
from ..core.units import (
    DAY,
    MINUTE,
    InputError,
    whole,
)
from ..formulas.scaling import (
    ScalingLaw,
    inference_flop,
    over_training,
    pretraining_per_token,
    served_tokens,
    tokens_for_loss,
    training_flop,
)

PERIODS = {"minute": MINUTE, "day": DAY, "month": 365.25 / 12 * DAY}


def cheapest_life(
    target: float, served: float, efficiency: float, law: ScalingLaw
) -> tuple[float, float]:
    """Parameters and pre-training tokens of least lifetime cost, found by trying many sizes.

    target: loss to reach; served: tokens users will ask for; efficiency: of decode. Raises
    InputError if the law never reaches the loss. No derivative enters, so that it can check
    `inference_over_training`.
    """
    if not target > law.irreducible:
        raise InputError(
            f"target = {target:g} is out of reach: the law stops at {law.irreducible:g}"
        )
    smallest = (law.a / (target - law.irreducible)) ** (1 / law.alpha)
    size = smallest * np.geomspace(1.0001, 1e4, 20_001)
    read = tokens_for_loss(size, target, law)
    models = Model(n_total=size, n_active=size)
    cost = training_flop(read, models) + inference_flop(served, efficiency, models)
    best = int(np.argmin(cost))
    return float(size[best]), float(read[best])


def laws() -> dict[str, ScalingLaw]:
    """The fitted laws of loss, by name."""
    return {
        row["name"]: ScalingLaw(
            **{k: float(row[k]) for k in ("irreducible", "a", "alpha", "b", "beta")},
            name=row["name"],
        )
        for row in catalog.table("scaling_laws")
    }


def chinchilla_ratio() -> float:
    """Tokens a parameter of the model that gave the rule its name: its 1.4e12 over its 70e9."""
    row = next(r for r in catalog.table("scaling_laws") if r["tokens_t"])
    return float(row["tokens_t"]) * 1e12 / (float(row["params_b"]) * 1e9)


def traffic() -> dict[str, float]:
    """Published traffic in tokens a second, by name; `data/traffic.csv` holds what was printed."""
    return {
        row["name"]: float(row["tokens"]) / PERIODS[row["period"]]
        for row in catalog.table("traffic")
    }


def _run(name: str) -> dict[str, str]:
    rows = {row["name"]: row for row in catalog.table("gpu_time")}
    if name not in rows:
        raise InputError(f"unknown run {name!r}.{suggest(name, rows)} Known: {', '.join(rows)}")
    return rows[name]


def chip_seconds(name: str) -> float:
    """Chips times seconds of a published run."""
    return float(_run(name)["chips"]) * float(_run(name)["seconds"])


def tokens_per_chip_second(name: str) -> float:
    """Tokens that one chip read or wrote in a second of a published run."""
    return float(_run(name)["tokens"]) / chip_seconds(name)


def measured_efficiency() -> float:
    """Useful FLOP of a chip that decodes over those of one that pre-trains, at DeepSeek.

    Model and chip are the same on both sides and cancel: 2 x tokens over 6 x tokens is left.
    """
    decode = tokens_per_chip_second("DeepSeek-V3 decode")
    training = tokens_per_chip_second("DeepSeek-V3 pre-training")
    return 2 * decode / (6 * training)


@dataclass(frozen=True)
class Belief:
    """A number nobody published, as a distribution.

    Uniform between `low` and `high`, or, if `log`, a bell over the logarithm that leaves 5 %
    below `low` and 5 % above `high`.
    """

    low: float
    high: float
    log: bool = True
    unit: str = "1"

    def __post_init__(self) -> None:
        if not 0 < self.low <= self.high < np.inf:
            raise InputError(f"a belief needs 0 < low <= high, not {self.low:g} and {self.high:g}")

    @property
    def middle(self) -> float:
        """The median."""
        return float(np.sqrt(self.low * self.high) if self.log else (self.low + self.high) / 2)

    def draw(self, rng: np.random.Generator, n: int) -> Any:
        """`n` values."""
        if not self.log:
            return rng.uniform(self.low, self.high, n)
        # 1.6449 standard deviations hold 90 % of a bell
        sigma = np.log(self.high / self.low) / (2 * 1.6448536)
        return self.middle * np.exp(sigma * rng.standard_normal(n))


BELIEFS = {
    "rate": Belief(10e6, 250e6, unit="token/s"),
    "life": Belief(30 * DAY, 270 * DAY, unit="s"),
    "survival": Belief(0.3, 1.0, log=False),
    "efficiency": Belief(0.15, 0.6),
    "rl_flop_per_weight": Belief(2, 6, log=False),
    "n_active": Belief(25e9, 250e9, unit="parameters"),
    "tokens_per_parameter": Belief(10, 40),
}


def budgets(n: int = 20_000, seed: int = 0, **beliefs: Any) -> dict[str, Any]:
    """Token budgets under uncertainty: `n` worlds drawn from `BELIEFS`, each solved.

    A keyword replaces a belief by another, or by a number that is then certain. Returns arrays:
    served, pretraining and rl tokens at equal cost, and over_training by active parameters.
    """
    whole("n", n)
    unknown = set(beliefs) - set(BELIEFS)
    if unknown:
        name = sorted(unknown)[0]
        raise InputError(f"no belief called {name!r}.{suggest(name, BELIEFS)}")
    world = {}
    for stream, (name, standard) in enumerate(BELIEFS.items()):
        belief = beliefs.get(name, standard)
        # a stream of random numbers each, so that fixing one belief leaves the others as they were
        rng = np.random.default_rng([seed, stream])
        certain = not isinstance(belief, Belief)
        world[name] = np.full(n, float(belief)) if certain else belief.draw(rng, n)
    efficiency = np.minimum(world["efficiency"], 1.0)  # the bell's far end is no machine
    served = served_tokens(world["rate"], world["life"], world["survival"])
    pretraining = served * pretraining_per_token(2.0, efficiency, 1.0)
    return {
        "served": served,
        "pretraining": pretraining,
        "rl": pretraining / pretraining_per_token(world["rl_flop_per_weight"], efficiency, 1.0),
        "over_training": over_training(
            pretraining, world["n_active"], world["tokens_per_parameter"]
        ),
    }


def interval(values: Any, level: float = 0.9) -> tuple[float, float, float]:
    """Low end, median and high end of the middle `level` of some draws."""
    if not 0 < level < 1:
        raise InputError(f"level = {level!r} is out of range: it must lie between 0 and 1")
    low, middle, high = np.quantile(values, [(1 - level) / 2, 0.5, (1 + level) / 2])
    return float(low), float(middle), float(high)
