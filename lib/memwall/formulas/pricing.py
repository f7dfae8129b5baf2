"""Pricing: what a long prompt, a generated token and a cache hit should cost, and do.

Three prices of an API are three comparisons on the blackboard. A longer context pays
for its cache once memory outweighs arithmetic; a generated token pays for a pass of
length one, a prompt token for a long one; and a cache hit is the cheaper of two ways
to have an entry in HBM: compute it again, or keep it somewhere and read it back.

    L*   balanced context          tau = C / W   drain time of a memory
    T    time an entry is held     l             tokens a pass adds to each sequence
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any, cast

import numpy as np

from ..catalog import MemoryDevice, Price, prices
from ..core.algebra import formula, maximum, where
from ..core.nouns import Model, System, Unknown
from ..core.units import (
    BytesPerElement,
    BytesPerSecond,
    BytesPerToken,
    Count,
    DollarsPerToken,
    Flop,
    Fraction,
    InputError,
    Layers,
    Ratio,
    Seconds,
    Sequences,
    Tokens,
    Unit,
)
from .roofline import (
    balance_batch,
    balanced_context,
    compute_time,
    drain_time,
    memory_time,
)

_TIME = Unit("s", seconds=1, open=False)

# --- the price of a long context ------------------------------------------------------------------


@formula
def kink_context(batch: Sequences, model: Model, system: System) -> Tokens:
    """Context up to which a token's cost is flat, and from which its cache sets the cost.

    Equation: L_kink = L* (1 - h s / B); zero for B <= h s, where no flat part is left.
    Ignores: attention's own arithmetic (`attention_context`).
    Source: lecture, rows X2 and X6; the factor (1 - h s / B) is ours.

    >>> m = Model(n_total=800e9, n_active=100e9, bytes_per_param=1, kv_bytes_per_token=1000)
    >>> s = System(flops=4.8e15, bandwidth=8e12)  # h s = 2,400 and L* = 333,333
    >>> round(float(kink_context(4800, m, s)))
    166667
    """
    room = maximum(1 - balance_batch(model, system) / batch, 0)
    return balanced_context(model, system) * room


@formula
def implied_cache_bytes(kink: Tokens, model: Model, system: System) -> BytesPerToken:
    """Cache bytes per token that put the kink of an infinite batch at a given context.

    Equation: k = 2 N_a W / (F L_kink) = N_a w / (h L_kink). At a finite batch, times (1 - h s / B).
    Ignores: any other reason for a price step: margin, round numbers, rivals (d15).
    Source: lecture, row X4.

    >>> m = Model(n_total=1e12, n_active=150e9)
    >>> float(implied_cache_bytes(100_000, m, System(flops=6e15, bandwidth=10e12)))
    5000.0
    """
    return 2 * model.n_active * system.bandwidth / (system.flops * kink)


@formula
def head_cache_bytes(
    kv_heads: Count, head_width: Count, layers: Layers, element_bytes: BytesPerElement
) -> BytesPerToken:
    """Cache that one token leaves in the layers that keep a cache of their own.

    Equation: k = 2 n_kv d_head n_layers b: a key and a value per KV head and layer.
    Ignores: every other kind of layer (`layers.held_bytes`).
    Source: lecture, row X7.

    >>> float(head_cache_bytes(8, 128, 80, 2))
    327680.0
    """
    return 2 * kv_heads * head_width * layers * element_bytes


@formula
def staircase_price(
    context: Tokens, step: Tokens, base: DollarsPerToken, ratio: Count
) -> DollarsPerToken:
    """List price with one step: the base up to a context, a multiple of it beyond.

    Equation: p up to L_step, r p beyond; the whole request pays the higher price.
    Source: lecture, row X3.

    >>> float(staircase_price(300_000, 200_000, 12e-6, 1.5))
    1.8e-05
    """
    return where(context <= step, base, ratio * base)


def price_steps() -> list[tuple[Price, Price]]:
    """The price lists' steps in context: the line below and the line above each."""
    lines = prices()
    return [
        (below, above)
        for below, above in pairwise(lines)
        if below.provider == above.provider and below.context_to == above.context_from
    ]


def price_ratios(over: str, under: str, lines: Iterable[Price] | None = None) -> Any:
    """One price over another, for each line (default: of all lists) that names both.

    >>> [float(r) for r in price_ratios("output", "input", [Price(input=2, output=12), Price()])]
    [6.0]
    """
    pairs = [(getattr(p, over), getattr(p, under)) for p in (prices() if lines is None else lines)]
    return np.array([a / b for a, b in pairs if not isinstance(a, Unknown) and b])


# --- the price of reading and of writing ----------------------------------------------------------


@formula
def pass_time(
    batch: Sequences, length: Count, context: Tokens, model: Model, system: System
) -> Seconds:
    """Least time of a pass adding `length` tokens to each sequence: decode at 1, prefill at many.

    Equation: t = max(2 B l N_a / F, (N_t w + B L k) / W): only arithmetic grows with l.
    Ignores: attention's own arithmetic (d5); the cache of the pass's own tokens.
    Source: lecture, row X12.

    >>> m = Model(n_total=1e12, n_active=1e12, bytes_per_param=1, kv_bytes_per_token=0)
    >>> float(pass_time(1, 4, 0, m, System(flops=8e12, bandwidth=1e12)))
    1.0
    """
    arithmetic = length * compute_time(batch, model, system)
    return maximum(arithmetic, memory_time(batch, context, model, system))


@formula
def pass_cost(
    batch: Sequences, length: Count, context: Tokens, model: Model, system: System
) -> DollarsPerToken:
    """Rent of the system for each token that a pass adds.

    Equation: t(l) $ / (B l): falls as 1 / l until arithmetic takes over, then stays.
    Ignores: idle hours, margin (d15); what `pass_time` ignores.
    Source: lecture, row X12.

    >>> m = Model(n_total=1e12, n_active=1e12, bytes_per_param=1, kv_bytes_per_token=0)
    >>> s = System(flops=8e12, bandwidth=1e12, dollars_per_second=0.04)
    >>> float(pass_cost(1, 4, 0, m, s))
    0.01
    """
    time = pass_time(batch, length, context, model, system)
    return time * system.dollars_per_second / (batch * length)


@formula
def crossing_length(batch: Sequences, context: Tokens, model: Model, system: System) -> Ratio:
    """Memory time over arithmetic time of a decode step; above 1 also decode's cost over prefill's.

    Equation: l* = t_m / t_c = h s / B + L / L*. Passes longer than l* are bound by arithmetic.
    Source: lecture, row X13; the sum is ours.

    >>> m = Model(n_total=800e9, n_active=100e9, bytes_per_param=1, kv_bytes_per_token=1000)
    >>> s = System(flops=4.8e15, bandwidth=8e12)
    >>> round(float(crossing_length(1200, balanced_context(m, s) * 3, m, s)), 9)
    5.0
    """
    return memory_time(batch, context, model, system) / compute_time(batch, model, system)


# --- the price of a cache hit: recompute or keep --------------------------------------------------


@formula
def recompute_cost(model: Model, system: System) -> DollarsPerToken:
    """Rent for computing one token's cache entry again, in a pass long enough to be compute-bound.

    Equation: (2 N_a / F) $.
    Ignores: attention's own arithmetic (`attention_flop`), peak rates (d12).
    Source: lecture, row X17.

    >>> m = Model(n_total=1e12, n_active=100e9)
    >>> round(float(recompute_cost(m, System(2e15, 8e12, dollars_per_second=0.01))), 12)
    1e-06
    """
    return compute_time(1, model, system) * system.dollars_per_second


@formula
def hbm_hold_cost(hold: Seconds, model: Model, system: System) -> DollarsPerToken:
    """Rent of the HBM bytes that one token's cache entry occupies while it waits.

    Equation: (k / C) $ T: the GPU's rent shared over its bytes. Reading it back costs nothing.
    Ignores: that HBM kept busy with work may be worth more, or empty HBM nothing (d27).
    Source: lecture, row X18.

    >>> m = Model(n_total=1e12, n_active=100e9, kv_bytes_per_token=1000)
    >>> float(hbm_hold_cost(100, m, System(1e15, 8e12, capacity=1e12, dollars_per_second=0.01)))
    1e-09
    """
    return model.kv_bytes_per_token / system.capacity * system.dollars_per_second * hold


@formula
def break_even_hold(model: Model, system: System) -> Seconds:
    """How long an entry may wait in HBM before computing it again would have been cheaper.

    Equation: T* = L* tau = L* C / W = 2 N_a C / (F k): the rent cancels.
    Source: row X20, ours.

    >>> m = Model(n_total=1e12, n_active=100e9, kv_bytes_per_token=1000)
    >>> round(float(break_even_hold(m, System(flops=1e15, bandwidth=8e12, capacity=1e12))))
    200000
    """
    return balanced_context(model, system) * drain_time(system)


@formula
def device_drain_time(device: MemoryDevice) -> Seconds:
    """Time to read a whole memory device once: `roofline.drain_time` for a memory without a chip.

    Equation: tau = C / W.
    Source: lecture, rows X22 and X23.

    >>> float(device_drain_time(MemoryDevice(capacity=256e9, bandwidth=32e9)))
    8.0
    """
    return drain_time(cast(System, device))  # both have C and W


@formula
def device_hold_cost(
    hold: Seconds, lifetime: Seconds, model: Model, device: MemoryDevice
) -> DollarsPerToken:
    """Cost of one token's cache entry that waits on a device and is then read back once.

    Equation: k p (T + tau) / life: for T the entry takes its share of the bytes, and for
    k / W it takes the whole device, which is its share of the bytes for one drain time.
    Ignores: power, servers, networks, the writing, and any GPU that waits for the read.
    Source: lecture, row X19; the form T + tau is ours.

    >>> d = MemoryDevice(capacity=1e12, bandwidth=1e10, dollars_per_byte=1e-9)
    >>> m = Model(n_total=1e12, n_active=1e11, kv_bytes_per_token=1000)
    >>> round(float(device_hold_cost(300, 1e8, m, d)), 18)
    4e-12
    """
    share = model.kv_bytes_per_token * device.dollars_per_byte / lifetime
    return share * (hold + device_drain_time(device))


@formula
def device_break_even(
    lifetime: Seconds, model: Model, system: System, device: MemoryDevice
) -> Seconds:
    """How long an entry may wait on a device before computing it again would have been cheaper.

    Equation: T = cost of recomputing / (k p / life) - tau, zero if reading alone costs more.
    Ignores: what `device_hold_cost` ignores.
    Source: rows X19 and X20, ours.

    >>> d = MemoryDevice(capacity=1e12, bandwidth=1e10, dollars_per_byte=1e-9)
    >>> m = Model(n_total=1e12, n_active=1e11, kv_bytes_per_token=1000)
    >>> s = System(flops=2e15, bandwidth=8e12, dollars_per_second=1e-4)
    >>> round(float(device_break_even(1e8, m, s, d)))
    999900
    """
    reading = device_hold_cost(0, lifetime, model, device)
    return device_drain_time(device) * maximum(recompute_cost(model, system) / reading - 1, 0)


def tier_crossover(near: MemoryDevice, far: MemoryDevice) -> float:
    """Hold time, in seconds, from which the far device (cheaper per byte) is the cheaper one.

    Equation: T = (p_f tau_f - p_n tau_n) / (p_n - p_f), at least 0; k and the lifetime cancel.
    Ignores: lifetimes that differ; what `device_hold_cost` ignores.
    Raises: InputError if the far device is not cheaper per byte.
    Source: row X22, ours: the lecture compares drain times alone.

    >>> ddr = MemoryDevice(capacity=1e12, bandwidth=1e11, dollars_per_byte=10e-9)
    >>> disk = MemoryDevice(capacity=1e13, bandwidth=1e9, dollars_per_byte=1e-9)
    >>> round(tier_crossover(ddr, disk))
    1100
    """
    saved = near.dollars_per_byte - far.dollars_per_byte
    if not saved > 0:
        raise InputError(f"{far.name} is not cheaper per byte than {near.name}")
    reading = [d.dollars_per_byte * device_drain_time(d) for d in (near, far)]
    return max(float((reading[1] - reading[0]) / saved), 0.0)


@formula
def loading_rate(model: Model, system: System) -> BytesPerSecond:
    """Rate at which a cache must arrive to come as fast as the system could compute it again.

    Equation: k F / (2 N_a) = W / L*.
    Ignores: other work on the chips; attention's own arithmetic.
    Source: row X16, ours.

    >>> m = Model(n_total=1e12, n_active=100e9, kv_bytes_per_token=1000)
    >>> round(float(loading_rate(m, System(flops=4e15, bandwidth=4e12))))
    20000000
    """
    return system.bandwidth / balanced_context(model, system)


@formula
def hits_to_repay(write_ratio: Count, read_ratio: Fraction) -> Ratio:
    """Cache hits after which a dearer write has paid for itself; both prices in units of input.

    Equation: n = (write - 1) / (1 - read).
    Source: lecture, row X21.

    >>> float(hits_to_repay(1.5, 0.5))
    1.0
    """
    return (write_ratio - 1) / (1 - read_ratio)


def hold_options(
    hold: Any, lifetime: float, model: Model, system: System, devices: Iterable[MemoryDevice]
) -> dict[str, Any]:
    """Dollars for one token read again after `hold` seconds: an array for each place to wait."""
    hold = np.asarray(hold, dtype=float)
    return {
        "recompute": np.full(hold.shape, recompute_cost(model, system)),
        "HBM": hbm_hold_cost(hold, model, system),
        **{d.name: device_hold_cost(hold, lifetime, model, d) for d in devices},
    }


def timeout_cost(gaps: Any, timeout: float, break_even: float) -> float:
    """Mean cost of holding entries for `timeout` and recomputing later ones, in recomputations.

    `gaps` are the times until each entry is wanted again. Rent runs until then or until the
    timeout; it adds up to one recomputation in `break_even` seconds.

    >>> timeout_cost([1, 3], timeout=2, break_even=2)
    1.25
    """
    gaps = _waits(gaps, break_even)
    _TIME.check("timeout", timeout)
    rent = np.minimum(gaps, timeout) / break_even
    return float((rent + (gaps > timeout)).mean())


def foresight_cost(gaps: Any, break_even: float) -> float:
    """Mean cost for one who knows each gap: the cheaper of holding throughout and recomputing."""
    return float(np.minimum(_waits(gaps, break_even) / break_even, 1).mean())


def _waits(gaps: Any, break_even: float) -> Any:
    """The gaps as an array, if they and the break-even time are times."""
    _TIME.check("gaps", gaps)
    _TIME.check("break_even", break_even)
    if break_even == 0:
        raise InputError("break_even = 0 s: rent that dear leaves nothing to weigh")
    return np.asarray(gaps, dtype=float)


# --- attention: its arithmetic ---------------------------------------------------------------------


@formula
def attention_flop(context: Tokens, model: Model) -> Flop:
    """FLOP that one new token spends on attending to its past.

    Equation: 2 L n_layers A, with A = query heads x (key width + value width).
    Ignores: layers that attend to fewer tokens (`layers.attention_flop` counts each kind).
    Source: lecture, row X25.

    >>> m = Model(n_total=8e9, n_active=8e9, layers=10, attention_width=2000)
    >>> float(attention_flop(1000, m))
    40000000.0
    """
    return 2 * context * model.layers * model.attention_width


@formula
def attention_context(model: Model) -> Tokens:
    """Context at which attending to the past is as much arithmetic as multiplying the weights.

    Equation: L_q = N_a / (n_layers A).
    Ignores: what `attention_flop` ignores.
    Source: lecture, row X25.

    >>> float(attention_context(Model(n_total=8e9, n_active=8e9, layers=10, attention_width=2000)))
    400000.0
    """
    return model.n_active / (model.layers * model.attention_width)
