"""Chapter 3: what sparsity buys and what it costs (ledger rows S1-S10)."""

from __future__ import annotations

from typing import Any

from ..core.nouns import Model, System
from ..core.units import GB
from ..experiments import moe
from ..formulas import roofline
from ..formulas import sparsity as sp
from . import claim, prose

DENSE, ACTIVE, EXPERTS = 1.3e9, 370e6, 64  # the point the lecture reads off a plot
RATE = float(sp.exchange_exponent(EXPERTS, DENSE / ACTIVE))
H300 = System(flops=4.8e15, bandwidth=8e12, capacity=72 * 192 * GB)  # h = 300 at one byte


def _plain(**changes: Any) -> Model:
    fields = {"n_total": 1e12, "n_active": 100e9, "bytes_per_param": 1, "kv_bytes_per_token": 0}
    return Model(**(fields | changes))


def _moved_by(clock: Any, field: str) -> bool:
    """Does the clock change with that field of the model? Asked of its derivative."""
    import sympy

    return bool(sympy.diff(clock, sympy.Symbol(field, positive=True)) != 0)


prose(
    "S1",
    "How far sparsity can go is a question of quality, to be measured",
    where="03_sparsity#what-sixty-four-times-buys",
    reason="Nothing to compute: the chapter collects what has been measured.",
)


@claim(
    "S2",
    "More experts at the same active size make a better model",
    where="03_sparsity#what-sixty-four-times-buys",
    reason="In every comparison of the catalog; how much better depends on the recipe, and "
    "the exponents of pairs trained on the same data differ by a factor of two.",
)
def _always_gains() -> bool:
    return all(e.gain > 1 for e in moe.exchanges())


@claim(
    "S3",
    "64 experts with 370 million active parameters equal a dense model of 1.3 billion",
    stated=4,
    unit="1",
    where="03_sparsity#what-sixty-four-times-buys",
    reason="Dense over active, which the lecture rounds up to 4. We did not find the point "
    "in the paper's text.",
)
def _gain() -> float:
    return DENSE / ACTIVE


@claim(
    "S4",
    "The exchange rate is 64 times the parameters for 4 times the active ones",
    stated=1 / 3,
    unit="1",
    where="03_sparsity#what-sixty-four-times-buys",
    reason="As the exponent of a power law. The host's guess, 100 for 10, would be a half.",
)
def _exponent() -> float:
    return RATE


@claim(
    "S5",
    "Paying 64 times for 4 times is still a win: a bigger batch pays for the weights",
    where="03_sparsity#users-are-the-currency",
    reason="At the balance batch the weight traffic of a token does not depend on the total.",
)
def _amortised() -> bool:
    import sympy

    m, s = Model.symbolic(), System.symbolic()
    per_token = roofline.weight_time(m, s) / roofline.balance_batch(m, s)
    return not _moved_by(sympy.simplify(per_token), "n_total")


@claim(
    "S6",
    "Users are the currency: more of them make a sparser model possible",
    unit="1",
    where="03_sparsity#users-are-the-currency",
    reason="The sparsity that 2,400 users pay for at 300 multiply-adds a weight.",
)
def _users() -> float:
    return sp.sparsity_for_users(2400, 0, _plain(), H300)


@claim(
    "S7",
    "The price is memory capacity",
    unit="parameters",
    where="03_sparsity#memory-is-the-price",
    reason="What 72 GPUs of 192 GB hold at four bits a weight, before any cache.",
)
def _memory() -> float:
    return sp.parameters_that_fit(1, 0, _plain(bytes_per_param=0.5), H300)


@claim(
    "S8",
    "Sparsity saves arithmetic",
    where="03_sparsity#users-are-the-currency",
    reason="At a fixed total. At a fixed active size, which is what S3 compares, arithmetic "
    "does not move and only memory does.",
)
def _arithmetic() -> bool:
    import sympy

    batch = sympy.Symbol("batch", positive=True)
    clock = roofline.compute_time(batch, Model.symbolic(), System.symbolic())
    return _moved_by(clock, "n_active") and not _moved_by(clock, "n_total")


@claim(
    "S9",
    "Halving the active part would cost eight times the total, again and again",
    stated=8,
    unit="x",
    where="03_sparsity#what-sixty-four-times-buys",
    reason="Sparsity for each halving at the rate of S4. Against the dense model it replaces "
    "the total grows only five-fold a halving.",
)
def _per_halving() -> float:
    return sp.sparsity_for_gain(2, RATE)


@claim(
    "S10",
    "Arithmetic bounds the active size, the scale-up memory the total",
    where="03_sparsity#memory-is-the-price",
    reason="Until users run short: the third bound, of S6, is the smaller one up to a hundred "
    "thousand users in one batch of 72 GPUs.",
)
def _two_bounds() -> bool:
    import sympy

    batch, context = sympy.symbols("batch context", positive=True)
    m, s = Model.symbolic(), System.symbolic()
    fits = sp.parameters_that_fit(batch, context, m, s)
    arithmetic = roofline.compute_time(batch, m, s)
    return not _moved_by(arithmetic, "n_total") and not _moved_by(fits, "n_active")
