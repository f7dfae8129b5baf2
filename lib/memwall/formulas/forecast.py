"""Forecast: from a pass's times at peak to the seconds it may be expected to take.

The blackboard's line, max(arithmetic, memory), is a floor. A real pass takes longer, for reasons
that can each be written down. Three kinds of work wait for each other, each at the pace of its
slower half; what travels comes on top; and starting something has a price however little it does:

    t = max(weights) + max(experts) + max(attention) + exchange + m launch + r round

    m  matrix products that wait for each other     r    rounds of exchanges
    max  of arithmetic / e_F and reading / e_W      e    share of the peak that is reached

Weights stored narrower than a chip multiplies are widened as they come, which is arithmetic too.

Only eight numbers of it cannot be derived: those of `Efficiency`, fitted on published runs by
`experiments.fit`, once for each class of machine (servers until 2024, servers since 2025, one user
on a local machine) and the same there for every model, vendor and chip. Each forecast carries a
band, taken from runs that the fit never saw.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from .. import catalog
from ..core.algebra import formula, maximum
from ..core.nouns import Noun, quantity, suggest, usual
from ..core.units import Fraction, InputError, NonNegative, Seconds, human
from .passes import Pass

# in the order in which chapter 9 adds them to the floor
TERMS = ("kinds", "exchange", "counts", "shares")
CLASSES = ("server-2024", "server-2025", "local")


@dataclass(frozen=True)
class Efficiency(Noun):
    """How much of its peak a real machine reaches, and what waits cost: the book's fitted numbers."""

    compute: Fraction = quantity(
        "e_F", "share of the peak FLOP/s in matrix products", required=True
    )
    uneven: Fraction = quantity(
        "e_u", "the same in experts and attention, whose work comes in uneven lots", required=True
    )
    bandwidth: Fraction = quantity("e_W", "share of the peak HBM bandwidth", required=True)
    link: Fraction = quantity("e_l", "share of the peak link bandwidth", required=True)
    launch: Seconds = quantity(
        r"\lambda", "starting a product that waits for another", required=True
    )
    round: Seconds = quantity(r"\lambda_w", "one round of an exchange", required=True)
    widening: NonNegative = quantity("v", "FLOP that widening a weight costs", required=True)
    steps: NonNegative = quantity("s", "steps from arrival to first token", required=True)
    # the one factor that goes by an engine's name (or by pools), for who knows that it applies
    polling: NonNegative = usual(
        1.0, "p", "times as many steps where newcomers are looked for every 10 to 30 steps only"
    )

    @classmethod
    def symbolic(cls, **values: Any) -> Efficiency:
        """Symbols e_compute, e_bandwidth, ...: other nouns have a bandwidth and a link of their own."""
        import sympy

        symbols = {n: sympy.Symbol(f"e_{n}", positive=True) for n in cls.quantities()}
        return cls(**{**symbols, **values})


IDEAL = Efficiency(
    compute=1, uneven=1, bandwidth=1, link=1, launch=0, round=0, widening=0,
    steps=1,
)  # fmt: skip


@formula
def pass_floor(work: Pass) -> Seconds:
    """Least time of a pass: all arithmetic and all reading at peak, perfectly overlapped.

    Equation: max(sum of arithmetic, sum of reading).
    Ignores: everything else in this module. With a `Pass` that reads as few experts as can be
    (`passes.least`), no machine is faster.
    Source: lecture, row B6.

    >>> work = Pass(1, 2, 1, 0.5, 3, 0.5, exchange=9, launches=1, rounds=0)
    >>> float(pass_floor(work))
    5.0
    """
    arithmetic = work.dense_arithmetic + work.expert_arithmetic + work.attention_arithmetic
    return maximum(arithmetic, work.dense_reading + work.expert_reading + work.cache_reading)


@formula
def dense_part(work: Pass, efficiency: Efficiency) -> Seconds:
    """Part of a pass in which the weights that all tokens use are read or multiplied.

    Equation: max(t_c / e_F + v t_v, t_w / e_W), t_v for weights that are widened as they come.
    Source: rows B6 to B8; chapter 9.

    >>> work = Pass(1, 3, 0, 0, 0, 0, exchange=0, launches=1, rounds=0)
    >>> float(dense_part(work, IDEAL.replace(bandwidth=0.5)))
    6.0
    """
    arithmetic = work.dense_arithmetic / efficiency.compute
    widening = efficiency.widening * work.dense_widening
    return maximum(arithmetic + widening, work.dense_reading / efficiency.bandwidth)


@formula
def expert_part(work: Pass, efficiency: Efficiency) -> Seconds:
    """Part of a pass in which the experts touched are read or multiplied.

    Equation: max(t_ce / e_u + v t_ve, t_we / e_W).
    Source: row B23; chapter 9.

    >>> work = Pass(0, 0, 1, 3, 0, 0, exchange=0, launches=1, rounds=0)
    >>> float(expert_part(work, IDEAL))
    3.0
    """
    arithmetic = work.expert_arithmetic / efficiency.uneven
    widening = efficiency.widening * work.expert_widening
    return maximum(arithmetic + widening, work.expert_reading / efficiency.bandwidth)


@formula
def attention_part(work: Pass, efficiency: Efficiency) -> Seconds:
    """Part of a pass in which attention reads its caches or computes, whichever is slower.

    Equation: max(t_ca / e_u, t_kv / e_W).
    Source: rows B8 and X25; chapter 9.

    >>> work = Pass(0, 0, 0, 0, 2, 3, exchange=0, launches=1, rounds=0)
    >>> float(attention_part(work, IDEAL.replace(uneven=0.5)))
    4.0
    """
    return maximum(
        work.attention_arithmetic / efficiency.uneven, work.cache_reading / efficiency.bandwidth
    )


@formula
def exchange_part(work: Pass, efficiency: Efficiency) -> Seconds:
    """Part of a pass in which chips exchange activations: what travels, and the rounds it waits for.

    Equation: t_x / e_l + r lambda_w.
    Ignores: overlap with arithmetic.
    Source: assumptions d8 and d21; chapter 9.

    >>> work = Pass(0, 0, 0, 0, 0, 0, exchange=2, launches=1, rounds=3)
    >>> float(exchange_part(work, IDEAL.replace(link=0.5, round=1.0)))
    7.0
    """
    return work.exchange / efficiency.link + work.rounds * efficiency.round


@formula
def launch_part(work: Pass, efficiency: Efficiency) -> Seconds:
    """Part of a pass that goes to starting things: every product that waits for the one before it.

    Equation: m lambda.
    Source: assumption d21; chapter 9.

    >>> work = Pass(0, 0, 0, 0, 0, 0, exchange=0, launches=500, rounds=0)
    >>> float(launch_part(work, IDEAL.replace(launch=1e-5)))
    0.005
    """
    return work.launches * efficiency.launch


@formula
def pass_time(work: Pass, efficiency: Efficiency) -> Seconds:
    """Time that a pass may be expected to take: its five parts, one after the other.

    Equation: dense + experts + attention + exchange + launches.
    Ignores: overlap of one part with another; skewed experts (d20); what a scheduler does between
    passes.
    Source: chapter 9; constants from `fitted`.

    >>> work = Pass(1, 2, 1, 3, 1, 4, exchange=5, launches=6, rounds=0)
    >>> float(pass_time(work, IDEAL))
    14.0
    """
    return sum(part(work, efficiency) for part in PARTS.values())


# the parts of a pass by the names that every page gives them
PARTS = {
    "weights": dense_part, "experts": expert_part, "attention": attention_part,
    "exchange": exchange_part, "launches": launch_part,
}  # fmt: skip


def parts(work: Pass, efficiency: Efficiency) -> dict[str, Any]:
    """The parts of a pass by name, in the order in which charts stack them."""
    return {name: part(work, efficiency) for name, part in PARTS.items()}


def waterfall(work: Pass, efficiency: Efficiency) -> list[tuple[str, Any]]:
    """The floor, and the time as each of the `TERMS` joins it: kinds of work wait for each other,
    activations travel, launches and rounds cost, and nothing reaches its peak.
    """
    kinds = IDEAL
    counts = efficiency.replace(compute=1.0, uneven=1.0, bandwidth=1.0, link=1.0, widening=0.0)
    still = work.replace(exchange=work.exchange * 0.0)
    return [
        ("floor", pass_floor(work)),
        ("kinds", pass_time(still, kinds)),
        ("exchange", pass_time(work, kinds)),
        ("counts", pass_time(work, counts)),
        ("shares", pass_time(work, efficiency)),
    ]


# ---- the fitted constants and the bands ----------------------------------------------------------


@functools.cache
def _constants() -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {kind: {} for kind in CLASSES}
    for row in catalog.table("forecast"):
        found[row["class"]][row["name"]] = float(row["value"])
    return found


def _of_class(kind: str) -> dict[str, float]:
    if kind not in CLASSES:
        raise InputError(
            f"no class of machines {kind!r}: {', '.join(CLASSES)}.{suggest(kind, CLASSES)}"
        )
    return _constants()[kind]


def class_of(kind: str) -> str:
    """Whose constants a kind of chip is forecast with: engines of servers, or of one user's machine.

    >>> class_of("server"), class_of("unified")
    ('server-2025', 'local')
    """
    return "server-2025" if kind in ("server", "card", "sram", "") else "local"


@functools.cache
def fitted(kind: str = "server-2025") -> Efficiency:
    """The constants of a class of machines, as `python -m memwall.validate --fit` found them."""
    found = _of_class(kind)
    return Efficiency(**{name: found[name] for name in Efficiency.quantities()})


@functools.cache
def band(kind: str = "server-2025", of: str = "tpot") -> tuple[float, float]:
    """Factors below and above a forecast between which eight runs in ten lie that no fit saw.

    of: "tpot" for a time per token, "ttft" for a time to the first token.

    >>> low, high = band()
    >>> low < 1 < high
    True
    """
    found = _of_class(kind)
    return found[f"{of}_low"], found[f"{of}_high"]


def banded(value: float, unit: str = "s", kind: str = "server-2025", of: str = "tpot") -> str:
    """A forecast with its band, for people.

    >>> banded(0.0)
    '0 s (0 s to 0 s)'
    """
    low, high = band(kind, of)
    return f"{human(value, unit)} ({human(value * low, unit)} to {human(value * high, unit)})"
