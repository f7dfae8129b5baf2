"""Roofline: the time of a decode step, and the batch at which its two clocks agree.

The blackboard in one line: a step takes at least as long as the slower of the
arithmetic and the memory traffic,

    t = max( 2 B N_a / F,  (N_t w + B L k) / W ).

    B  sequences in the batch          N_a, N_t  active and total parameters
    L  tokens of context               w         bytes per weight
    k  KV-cache bytes per token        F, W, C   FLOP/s, HBM bytes/s, HBM bytes

Everything else in the book is this line rearranged, or a term it leaves out.
"""

from __future__ import annotations

from typing import Any

from ..core.algebra import formula, maximum, minimum
from ..core.nouns import Model, System
from ..core.units import (
    Bytes,
    Flop,
    FlopPerByte,
    FlopPerSecond,
    Fraction,
    Ratio,
    Seconds,
    Sequences,
    Tokens,
    TokensPerSecond,
)


@formula
def compute_time(batch: Sequences, model: Model, system: System) -> Seconds:
    """Time to multiply every active weight once for each sequence of the batch.

    Equation: t_c = 2 B N_a / F; the 2 because F counts a multiply-add as two.
    Ignores: attention's own arithmetic (d5), anything short of peak (d12).
    Raises: InputError for a batch below one sequence.
    Source: lecture, rows B7 and d1.

    >>> h100 = System(flops=2e15, bandwidth=3.35e12)
    >>> float(compute_time(100, Model(n_total=70e9, n_active=70e9), h100))
    0.007
    """
    return step_flop(batch, model) / system.flops


@formula
def weight_time(model: Model, system: System) -> Seconds:
    """Time to stream all stored weights from HBM once: the floor of a decode step.

    Equation: t_w = N_t w / W.
    Ignores: that a small batch touches only some experts (d10, `batching.experts_touched`).
    Source: lecture, rows B8, B16 and B23.

    >>> float(weight_time(Model(n_total=4e12, n_active=1e12, bytes_per_param=1), System(1e15, 8e12)))
    0.5
    """
    return model.n_total * model.bytes_per_param / system.bandwidth


@formula
def kv_time(batch: Sequences, context: Tokens, model: Model, system: System) -> Seconds:
    """Time to stream every sequence's KV cache from HBM once.

    Equation: t_kv = B L k / W.
    Ignores: sparse attention; unequal contexts (L is their mean) (d6).
    Source: lecture, row B8.

    >>> m = Model(n_total=1e12, n_active=1e12, kv_bytes_per_token=1000)
    >>> float(kv_time(10, 8000, m, System(1e15, 8e12)))
    1e-05
    """
    return batch * context * model.kv_bytes_per_token / system.bandwidth


@formula
def memory_time(batch: Sequences, context: Tokens, model: Model, system: System) -> Seconds:
    """Time to stream what a step reads: all weights once, and each sequence's own cache.

    Equation: t_m = (N_t w + B L k) / W.
    Ignores: activations and writes, both small (R15).
    Source: lecture, row B8.

    >>> m = Model(n_total=1e12, n_active=1e12, bytes_per_param=1, kv_bytes_per_token=1000)
    >>> float(memory_time(100, 10_000_000, m, System(1e15, 8e12)))
    0.25
    """
    return resident_bytes(batch, context, model) / system.bandwidth


@formula
def step_time(batch: Sequences, context: Tokens, model: Model, system: System) -> Seconds:
    """Least time of one decode step, arithmetic and memory traffic perfectly overlapped.

    Equation: t = max(t_c, t_m).
    Ignores: networks (d8), imperfect overlap (at most twice the time, d7), peak rates (d12).
    Source: lecture, row B6.

    >>> m = Model(n_total=4e12, n_active=1e12, bytes_per_param=1, kv_bytes_per_token=0)
    >>> float(step_time(1, 0, m, System(1e15, 8e12)))
    0.5
    """
    return maximum(compute_time(batch, model, system), memory_time(batch, context, model, system))


@formula
def serial_step_time(batch: Sequences, context: Tokens, model: Model, system: System) -> Seconds:
    """Time of a step whose arithmetic waits for its memory traffic: no overlap at all.

    Equation: t = t_c + t_m, so max <= sum <= 2 max.
    Ignores: everything `step_time` ignores, except overlap.
    Source: the article's reading of row B6; assumption d7.

    >>> m = Model(n_total=1e12, n_active=1e12, bytes_per_param=1, kv_bytes_per_token=0)
    >>> float(serial_step_time(1, 0, m, System(flops=2e12, bandwidth=1e12)))
    2.0
    """
    return compute_time(batch, model, system) + memory_time(batch, context, model, system)


@formula
def sparsity(model: Model) -> Ratio:
    """Stored parameters for each parameter a token uses.

    Equation: s = N_t / N_a, at least 1.
    Source: lecture, rows R1 and R5; the flash cards use both this and its inverse (R4).

    >>> float(sparsity(Model(n_total=600e9, n_active=40e9)))
    15.0
    """
    return model.n_total / model.n_active


@formula
def multiplies_per_weight(model: Model, system: System) -> Ratio:
    """Multiply-adds the system can do in the time it takes to load one weight: the lecture's 300.

    Equation: h = F w / (2 W).
    Ignores: storage wider or narrower than the arithmetic is allowed: w is what is stored (d3).
    Source: lecture, row R2.

    >>> m = Model(n_total=1e12, n_active=1e12, bytes_per_param=1)
    >>> float(multiplies_per_weight(m, System(flops=4.8e15, bandwidth=8e12)))
    300.0
    """
    return system.flops * model.bytes_per_param / (2 * system.bandwidth)


@formula
def ridge_point(system: System) -> FlopPerByte:
    """Arithmetic intensity above which arithmetic, not memory, sets the pace.

    Equation: I* = F / W.
    Source: the roofline model (Williams, Waterman and Patterson 2009); row R2.

    >>> float(ridge_point(System(flops=2e15, bandwidth=4e12)))
    500.0
    """
    return system.flops / system.bandwidth


@formula
def balanced_context(model: Model, system: System) -> Tokens:
    """Context at which reading one sequence's cache takes as long as its arithmetic.

    Equation: L* = 2 N_a W / (F k). At any longer context no batch is compute-bound.
    Source: lecture, rows B17, B18 and X4.

    >>> m = Model(n_total=1e12, n_active=100e9, kv_bytes_per_token=1000)
    >>> round(float(balanced_context(m, System(flops=4e15, bandwidth=4e12))))
    200000
    """
    return 2 * model.n_active * system.bandwidth / (system.flops * model.kv_bytes_per_token)


@formula
def balance_batch(model: Model, system: System) -> Sequences:
    """Batch at which streaming the weights takes as long as multiplying by them, KV left out.

    Equation: B* = h s = F w N_t / (2 W N_a). Sequences, each gaining one token a step.
    Ignores: the KV cache (`balance_batch_with_kv`).
    Source: lecture, rows R1, R4 and R10.

    >>> m = Model(n_total=800e9, n_active=100e9, bytes_per_param=1)
    >>> float(balance_batch(m, System(flops=4.8e15, bandwidth=8e12)))
    2400.0
    """
    return multiplies_per_weight(model, system) * sparsity(model)


@formula
def balance_batch_with_kv(context: Tokens, model: Model, system: System) -> Sequences:
    """Batch at which memory and arithmetic take equally long, KV cache included.

    Equation: B*(L) = h s / (1 - L / L*): infinite from L* on, where the cache always wins.
    Source: row R9; the pole is ours.

    >>> m = Model(n_total=800e9, n_active=100e9, bytes_per_param=1, kv_bytes_per_token=1000)
    >>> s = System(flops=4.8e15, bandwidth=8e12)
    >>> float(balance_batch_with_kv(balanced_context(m, s) / 2, m, s))
    4800.0
    """
    room = maximum(1 - context / balanced_context(model, system), 0)
    return balance_batch(model, system) / room


@formula
def drain_time(system: System) -> Seconds:
    """Time to read the whole HBM once.

    Equation: tau = C / W. A choice of timetable, not a law: see chapter 2.
    Source: lecture, rows R13 and R14.

    >>> float(drain_time(System(flops=1e15, bandwidth=4e12, capacity=80e9)))
    0.02
    """
    return system.capacity / system.bandwidth


@formula
def full_drain_batch(model: Model, system: System) -> Sequences:
    """Batch whose arithmetic takes exactly as long as reading the whole HBM once.

    Equation: B_full = F C / (2 W N_a) = h C / (w N_a).
    Ignores: whether the caches of so many sequences fill the rest of the HBM.
    Source: row R20, ours.

    >>> m = Model(n_total=1e12, n_active=100e9)
    >>> round(float(full_drain_batch(m, System(flops=4e15, bandwidth=4e12, capacity=1e12))))
    5000
    """
    return system.flops * system.capacity / (2 * system.bandwidth * model.n_active)


@formula
def compute_utilisation(
    batch: Sequences, context: Tokens, model: Model, system: System
) -> Fraction:
    """Share of the step during which the arithmetic units have work: an upper bound on MFU.

    Equation: u = t_c / max(t_c, t_m); L*/L for an infinite batch beyond L*.
    Source: lecture, row B19.

    >>> m = Model(n_total=1e12, n_active=1e12, bytes_per_param=1, kv_bytes_per_token=0)
    >>> float(compute_utilisation(1, 0, m, System(flops=8e12, bandwidth=1e12)))
    0.25
    """
    return compute_time(batch, model, system) / step_time(batch, context, model, system)


@formula
def arithmetic_intensity(batch: Sequences, context: Tokens, model: Model) -> FlopPerByte:
    """FLOP done for each byte read in a decode step.

    Equation: I = 2 B N_a / (N_t w + B L k).
    Source: the roofline model; rows B7 and B8.

    >>> m = Model(n_total=1e9, n_active=1e9, bytes_per_param=2, kv_bytes_per_token=0)
    >>> float(arithmetic_intensity(64, 0, m))
    64.0
    """
    return step_flop(batch, model) / resident_bytes(batch, context, model)


@formula
def attainable_flops(intensity: FlopPerByte, system: System) -> FlopPerSecond:
    """FLOP/s that the roofline allows at an arithmetic intensity.

    Equation: min(F, I W).
    Source: Williams, Waterman and Patterson 2009.

    >>> float(attainable_flops(100, System(flops=1e15, bandwidth=4e12)))
    400000000000000.0
    """
    return minimum(system.flops, intensity * system.bandwidth)


@formula
def step_flop(batch: Sequences, model: Model) -> Flop:
    """FLOP of a decode step, weights only.

    Equation: 2 B N_a.
    Ignores: attention's own arithmetic (d5).
    Source: lecture, row B7.

    >>> float(step_flop(1, Model(n_total=70e9, n_active=70e9)))
    140000000000.0
    """
    return 2 * batch * model.n_active


def regimes(batch: Any, context: Any, model: Model, system: System) -> tuple[Any, Any, Any]:
    """Three times of which the largest names what sets the pace: arithmetic, weights, caches.

    Weights and caches are read one after the other, so the larger beats the arithmetic exactly
    where `memory_time` beats `compute_time`. Numbers, arrays or symbols, as a formula.
    Ignores: attention's own arithmetic (d5), a fourth regime: chapter 2 adds it.
    Source: lecture, row R22.

    >>> m = Model(n_total=1e12, n_active=1e12, bytes_per_param=1, kv_bytes_per_token=1000)
    >>> arithmetic, weights, caches = regimes(1000, 3_000_000, m, System(5e14, 1e12))
    >>> float(arithmetic), float(weights), float(caches)
    (4.0, 2.0, 4.0)
    """
    weights, caches = weight_time(model, system), kv_time(batch, context, model, system)
    return compute_time(batch, model, system), *one_after_the_other(weights, caches)


def one_after_the_other(first: Any, second: Any) -> tuple[Any, Any]:
    """Two times that add up, each with the smaller of them on top: the larger stands for both.

    >>> [float(t) for t in one_after_the_other(2.0, 5.0)]
    [4.0, 7.0]
    """
    smaller = minimum(first, second)
    return first + smaller, second + smaller


@formula
def resident_bytes(batch: Sequences, context: Tokens, model: Model) -> Bytes:
    """HBM that the weights and the caches of a batch occupy.

    Equation: N_t w + B L k.
    Source: lecture, row P16.

    >>> m = Model(n_total=1e9, n_active=1e9, bytes_per_param=1, kv_bytes_per_token=1000)
    >>> float(resident_bytes(10, 100_000, m))
    2000000000.0
    """
    return model.n_total * model.bytes_per_param + batch * context * model.kv_bytes_per_token


@formula
def room_beside_weights(model: Model, system: System) -> Bytes:
    """HBM left for caches once all weights are stored; 0 when they do not fit.

    Equation: max(C - N_t w, 0).
    Source: lecture, row M19.

    >>> m = Model(n_total=1e12, n_active=1e11, bytes_per_param=0.5)
    >>> float(room_beside_weights(m, System(1e15, 1e12, capacity=640e9)))
    140000000000.0
    """
    return maximum(system.capacity - model.n_total * model.bytes_per_param, 0)


@formula
def cache_room(batch: Sequences, model: Model, system: System) -> Bytes:
    """HBM left for each sequence's cache once the weights are in.

    Equation: max(C - N_t w, 0) / B.
    Source: row R19, ours.

    >>> m = Model(n_total=60e9, n_active=60e9, bytes_per_param=1)
    >>> float(cache_room(10, m, System(flops=1e15, bandwidth=4e12, capacity=80e9)))
    2000000000.0
    """
    return room_beside_weights(model, system) / batch


@formula
def token_rate(batch: Sequences, period: Seconds) -> TokensPerSecond:
    """Tokens a domain emits when a batch leaves every period, one token a sequence.

    Equation: B / tau.
    Source: lecture, row R17.

    >>> float(token_rate(2000, 0.02))
    100000.0
    """
    return batch / period


@formula
def worst_wait(period: Seconds) -> Seconds:
    """Longest time to a first token when a batch leaves on a clock: just missed, then ride.

    Equation: 2 tau.
    Source: lecture, row R12.

    >>> float(worst_wait(0.02))
    0.04
    """
    return 2 * period


@formula
def mean_wait(period: Seconds) -> Seconds:
    """Mean time to a first token for an arrival at a random moment: half a period, then ride.

    Equation: 3 tau / 2.
    Ignores: full batches, which make a newcomer miss one.
    Source: row R12.

    >>> float(mean_wait(0.02))
    0.03
    """
    return 3 * period / 2
