"""Batching: what a token costs, and what speed costs on top.

The weights are read once for the whole batch, so their price is shared; arithmetic
and each sequence's own cache are not. From that follow the cost curve, the ruin of
serving one user alone, and the price of a fast mode.
"""

from __future__ import annotations

from ..core.algebra import formula, maximum
from ..core.nouns import Model, System
from ..core.units import (
    Count,
    DollarsPerSecond,
    DollarsPerToken,
    Fraction,
    Ratio,
    Seconds,
    Sequences,
    Tokens,
    TokensPerSecond,
)
from .roofline import compute_time, kv_time, step_time


@formula
def time_per_token(batch: Sequences, context: Tokens, model: Model, system: System) -> Seconds:
    """System time that each token of a step pays for.

    Equation: t / B = max(2 N_a / F, N_t w / (B W) + L k / W).
    Ignores: prefill; what `step_time` ignores.
    Source: lecture, row B22.

    >>> m = Model(n_total=4e12, n_active=1e12, bytes_per_param=1, kv_bytes_per_token=0)
    >>> float(time_per_token(10, 0, m, System(1e15, 8e12)))
    0.05
    """
    return step_time(batch, context, model, system) / batch


@formula
def cost_per_token(
    batch: Sequences, context: Tokens, model: Model, system: System
) -> DollarsPerToken:
    """Rent of the system for the time each generated token takes.

    Equation: (t / B) $, with $ the rent of all chips per second.
    Ignores: prefill, idle hours, margin (d15).
    Source: lecture, rows B21 and B22.

    >>> m = Model(n_total=4e12, n_active=1e12, bytes_per_param=1, kv_bytes_per_token=0)
    >>> s = System(1e15, 8e12, dollars_per_second=0.04)
    >>> float(cost_per_token(10, 0, m, s))
    0.002
    """
    return time_per_token(batch, context, model, system) * system.dollars_per_second


@formula
def cost_floor(context: Tokens, model: Model, system: System) -> DollarsPerToken:
    """What a token costs at an infinite batch: the part that no sharing removes.

    Equation: max(2 N_a / F, L k / W) $.
    Source: lecture, rows B14 and B22.

    >>> m = Model(n_total=4e12, n_active=1e12, kv_bytes_per_token=0)
    >>> float(cost_floor(0, m, System(1e15, 8e12, dollars_per_second=0.04)))
    8e-05
    """
    own = maximum(compute_time(1, model, system), kv_time(1, context, model, system))
    return own * system.dollars_per_second


@formula
def rent_per_token(rent: DollarsPerSecond, rate: TokensPerSecond) -> DollarsPerToken:
    """Dollars a token when a rented system emits tokens at a known rate.

    Equation: $ / rate. A rate of zero makes a token infinitely dear.
    Source: lecture, row B21.

    >>> float(rent_per_token(0.04, 128_000))
    3.125e-07
    """
    return rent / rate


@formula
def unbatched_penalty(multiplies_per_weight: Ratio, sparsity: Count) -> Ratio:
    """How much dearer a token is at batch one than at an infinite batch, no KV cache.

    Equation: 1 + h s when arithmetic waits for memory (the lecture's sum; h s with overlap).
    Source: lecture, row B11.

    >>> float(unbatched_penalty(300, 8))
    2401.0
    """
    return 1 + multiplies_per_weight * sparsity


@formula
def experts_touched(batch: Sequences, sparsity: Count) -> Fraction:
    """Expected share of experts that a batch uses, each token choosing one in s at random.

    Equation: 1 - (1 - 1/s)^B; close to 1 from B = 3 s on.
    Ignores: skewed routers, which touch fewer (d10, d20).
    Source: row B23.

    >>> float(experts_touched(2, 2))
    0.75
    """
    return 1 - (1 - 1 / sparsity) ** batch


@formula
def fast_batch_ratio(price_ratio: Count, speed_ratio: Count) -> Ratio:
    """Normal batch over fast batch, if a fast token costs p times as much and comes r times sooner.

    Equation: B_n / B_f = p r, for any step time: cost is time over batch.
    Ignores: margin (d15), different hardware (d14), speculative decoding (d17).
    Source: row B13.

    >>> float(fast_batch_ratio(6, 2.5))
    15.0
    """
    return price_ratio * speed_ratio


@formula
def slow_mode_floor(price_ratio: Count, speed_ratio: Count) -> Ratio:
    """Cheapest conceivable price over the normal price, both modes on the line t = a + c B.

    Equation: p (r - 1) / (p r - 1): the limit of an infinite batch. Not defined for p = r = 1.
    Source: row B14.

    >>> round(float(slow_mode_floor(6, 2.5)), 4)
    0.6429
    """
    return price_ratio * (speed_ratio - 1) / (price_ratio * speed_ratio - 1)


@formula
def speed_ceiling(price_ratio: Count, speed_ratio: Count) -> Ratio:
    """Fastest conceivable speed over normal speed, both modes on the line t = a + c B.

    Equation: (p r - 1) / (p - 1): the limit of an empty batch. Infinite for p = 1.
    Source: row B15.

    >>> float(speed_ceiling(6, 2.5))
    2.8
    """
    return (price_ratio * speed_ratio - 1) / (price_ratio - 1)
