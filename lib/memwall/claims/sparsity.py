"""Chapter 3: what sparsity buys and what it costs (ledger rows S1-S10)."""

from __future__ import annotations

from typing import Any

from ..core.nouns import Model, System
from ..core.units import GB
from ..experiments import moe
from ..formulas import roofline
from ..formulas import sparsity as sp

DENSE, ACTIVE, EXPERTS = 1.3e9, 370e6, 64  # the point the lecture reads off a plot
RATE = float(sp.exchange_exponent(EXPERTS, DENSE / ACTIVE))
H300 = System(flops=4.8e15, bandwidth=8e12, capacity=72 * 192 * GB)  # h = 300 at one byte


def _plain(**changes: Any) -> Model:
    fields = {"n_total": 1e12, "n_active": 100e9, "bytes_per_param": 1, "kv_bytes_per_token": 0}
    return Model(**(fields | changes))


def _moved_by(clock: Any, field: str) -> bool:
    """Does the clock change with that field of the model? Asked of its derivative."""
    return bool(clock.diff(getattr(Model.symbolic(), field)) != 0)


def s2_always_gains() -> bool:
    return all(e.gain > 1 for e in moe.exchanges())


def s3_gain() -> float:
    return DENSE / ACTIVE


def s4_exponent() -> float:
    return RATE


def s5_amortised() -> bool:
    import sympy

    m, s = Model.symbolic(), System.symbolic()
    per_token = roofline.weight_time(m, s) / roofline.balance_batch(m, s)
    return not _moved_by(sympy.simplify(per_token), "n_total")


def s6_users() -> float:
    return sp.sparsity_for_users(2400, 0, _plain(), H300)


def s7_memory() -> float:
    return sp.parameters_that_fit(1, 0, _plain(bytes_per_param=0.5), H300)


def s8_arithmetic() -> bool:
    import sympy

    batch = sympy.Symbol("batch", positive=True)
    clock = roofline.compute_time(batch, Model.symbolic(), System.symbolic())
    return _moved_by(clock, "n_active") and not _moved_by(clock, "n_total")


def s9_per_halving() -> float:
    return sp.sparsity_for_gain(2, RATE)


def s10_two_bounds() -> bool:
    import sympy

    batch, context = sympy.symbols("batch context", positive=True)
    m, s = Model.symbolic(), System.symbolic()
    fits = sp.parameters_that_fit(batch, context, m, s)
    arithmetic = roofline.compute_time(batch, m, s)
    return not _moved_by(arithmetic, "n_total") and not _moved_by(fits, "n_active")
