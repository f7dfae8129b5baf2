"""Pipelining: layers cut into stages, what it saves and what it does not.

    P  stages          M  micro-batches in flight or in one training step
    E  chips of a stage (one scale-up domain)
    b  sequences in a micro-batch; B = b P sequences fill the pipeline

Three results carry the chapter. Idle time: a pipeline fills and drains, (P - 1) slots in
(M + P - 1), unless the work loops. Memory: stages divide the weights, but not the KV cache,
because P stages need P micro-batches. Time: a token passes all layers whichever rack holds
them, so its latency is that of one rack, plus the hops.

The schedules themselves are simulated in `schedules`.
"""

from __future__ import annotations

from ..core.algebra import formula, maximum, minimum
from ..core.nouns import Model, System
from ..core.units import (
    Bytes,
    BytesPerElement,
    Count,
    Fraction,
    Layers,
    NonNegative,
    Ratio,
    Seconds,
    Sequences,
    Tokens,
)
from .roofline import resident_bytes, step_time


@formula
def boundary_ratio(activated: Count, layers_per_stage: Layers, network_ratio: Ratio) -> Ratio:
    """Time a stage spends on its fast inner network over the time its slow outer one needs.

    Equation: T_up / T_out = 2 n_act l / r: each of l layers sends a token to n_act places and
    back, the boundary sends it once, over a network r times slower. At least 1: the cut is free.
    Ignores: latency (d21); two chosen experts on one chip, which share a copy (d20): give
    `racks.distinct_targets` for n_act to count copies.
    Source: lecture, rows P2 and P3.

    >>> float(boundary_ratio(16, 1, 8))
    4.0
    """
    return 2 * activated * layers_per_stage / network_ratio


@formula
def naive_bubble(stages: Count) -> Fraction:
    """Idle share of a pipeline that lets in one batch at a time.

    Equation: (P - 1) / P.
    Source: lecture, row P8.

    >>> float(naive_bubble(4))
    0.75
    """
    return (stages - 1) / stages


@formula
def fill_bubble(stages: Count, micro_batches: Count, chunks: Count) -> Fraction:
    """Idle share of one run of M micro-batches: the pipeline fills and drains once.

    Equation: (P - 1) / (V M + P - 1), with V chunks of layers on each stage (1 if not
    interleaved). Holds for a forward-only run, for GPipe and for 1F1B.
    Ignores: hops; stages of unequal length; M that is no multiple of P when V > 1.
    Source: rows P9 and P11; GPipe (Huang et al. 2019), Megatron-LM (Narayanan et al. 2021).

    >>> float(fill_bubble(4, 9, 1))
    0.25
    """
    return (stages - 1) / (chunks * micro_batches + stages - 1)


@formula
def zb_h1_bubble(stages: Count, micro_batches: Count) -> Fraction:
    """Idle share of a ZB-H1 step when F, B and W take equally long.

    Equation: i / (3 M + i), i = max(P - 1, 2 P - 1 - M) slots of idle time.
    Ignores: hops; unequal F, B and W (the simulator does not).
    Source: Qi et al. 2023 (arXiv 2401.10241) for M >= P; smaller M is ours. Row P11.

    >>> float(zb_h1_bubble(4, 9))
    0.1
    """
    idle = maximum(stages - 1, 2 * stages - 1 - micro_batches)
    return idle / (3 * micro_batches + idle)


@formula
def zb_h2_bubble(stages: Count, micro_batches: Count) -> Fraction:
    """Idle share of repeated ZB-H2 steps when F, B and W take equally long.

    Equation: i / (3 M + i), i = max(0, 2 P - 1 - M): zero from 2 P - 1 micro-batches on.
    Ignores: hops; unequal F, B and W; a barrier between steps, which costs P - 1 slots.
    Source: Qi et al. 2023 (arXiv 2401.10241) for large M; smaller M is ours. Row P11.

    >>> float(zb_h2_bubble(4, 4)), float(zb_h2_bubble(4, 7))
    (0.2, 0.0)
    """
    idle = maximum(0, 2 * stages - 1 - micro_batches)
    return idle / (3 * micro_batches + idle)


@formula
def idle_per_work(bubble: Fraction) -> NonNegative:
    """Idle time over useful time, from idle time over all time.

    Equation: u / (1 - u): GPipe's (P - 1) / (M + P - 1) becomes (P - 1) / M.
    Source: the two ways in which papers quote a bubble.

    >>> float(idle_per_work(0.75))
    3.0
    """
    return bubble / (1 - bubble)


@formula
def speed_over(bubble: Fraction, other_bubble: Fraction) -> Ratio:
    """Speed of a schedule over that of another: the same work, less idle time.

    Equation: (1 - u) / (1 - u').
    Source: definition.

    >>> float(speed_over(0.1, 0.25))
    1.2
    """
    return (1 - bubble) / (1 - other_bubble)


@formula
def global_batch(micro_batch: Sequences, stages: Count) -> Sequences:
    """Sequences in flight when every stage of a looped pipeline has a micro-batch to work on.

    Equation: B = b P.
    Source: lecture, row P18.

    >>> float(global_batch(2400, 4))
    9600.0
    """
    return micro_batch * stages


@formula
def weights_per_chip(model: Model, chips: Count, stages: Count) -> Bytes:
    """Weight bytes each chip stores: E chips to a stage, P stages.

    Equation: N_t w / (E P).
    Ignores: what every chip stores a copy of (router, attention); uneven layers.
    Source: lecture, row P17.

    >>> float(weights_per_chip(Model(n_total=1e12, n_active=1e11, bytes_per_param=1), 50, 4))
    5000000000.0
    """
    return model.n_total * model.bytes_per_param / (chips * stages)


@formula
def kv_per_chip(
    batch: Sequences, context: Tokens, model: Model, chips: Count, stages: Count
) -> Bytes:
    """KV-cache bytes each chip stores for B sequences in flight.

    Equation: B L k / (E P); with B = b P the stages cancel and b L k / E is left.
    Ignores: that few caches can be cut E ways without copies (d18).
    Source: lecture, rows P17 and P19.

    >>> m = Model(n_total=1e12, n_active=1e11, kv_bytes_per_token=1000)
    >>> float(kv_per_chip(4000, 100_000, m, 50, 4))
    2000000000.0
    """
    return batch * context * model.kv_bytes_per_token / (chips * stages)


@formula
def bytes_per_chip(
    batch: Sequences, context: Tokens, model: Model, chips: Count, stages: Count
) -> Bytes:
    """HBM each chip needs for weights and caches.

    Equation: (N_t w + B L k) / (E P).
    Ignores: activations, copies (d18).
    Source: lecture, rows P16 and P17.

    >>> m = Model(n_total=1e12, n_active=1e11, bytes_per_param=1, kv_bytes_per_token=1000)
    >>> float(bytes_per_chip(4000, 100_000, m, 50, 4))
    7000000000.0
    """
    return resident_bytes(batch, context, model) / (chips * stages)


@formula
def stages_to_equal_kv(micro_batch: Sequences, context: Tokens, model: Model) -> NonNegative:
    """Stages at which the weights on a chip have shrunk to the size of its KV cache.

    Equation: P = N_t w / (b L k). More stages divide the smaller part. Infinite without a cache.
    Source: lecture, row P20.

    >>> m = Model(n_total=1e12, n_active=1e11, bytes_per_param=1, kv_bytes_per_token=1000)
    >>> float(stages_to_equal_kv(1000, 100_000, m))
    10.0
    """
    return (
        model.n_total * model.bytes_per_param / (micro_batch * context * model.kv_bytes_per_token)
    )


@formula
def stages_to_fit(
    micro_batch: Sequences, context: Tokens, model: Model, system: System
) -> NonNegative:
    """Stages at which weights and caches just fit, each stage being one such system.

    Equation: P = N_t w / (C - b L k), to be rounded up; infinite where the caches of one
    micro-batch alone fill a system, since no number of stages makes them smaller.
    Source: rows P13 and P19, ours.

    >>> m = Model(n_total=1e12, n_active=1e11, bytes_per_param=1, kv_bytes_per_token=1000)
    >>> float(stages_to_fit(1000, 100_000, m, System(1e15, 8e12, capacity=600e9)))
    2.0
    """
    room = maximum(system.capacity - micro_batch * context * model.kv_bytes_per_token, 0)
    return model.n_total * model.bytes_per_param / room


@formula
def stage_time(
    micro_batch: Sequences, context: Tokens, model: Model, system: System, stages: Count
) -> Seconds:
    """Least time a stage needs for one micro-batch: it has 1/P of the layers.

    Equation: t(b) / P, with t the step time of one system that held all layers.
    Ignores: uneven layers; what `step_time` ignores.
    Source: lecture, rows P7 and P22.

    >>> m = Model(n_total=4e12, n_active=1e12, bytes_per_param=1, kv_bytes_per_token=0)
    >>> float(stage_time(1, 0, m, System(1e15, 8e12), 4))
    0.125
    """
    return step_time(micro_batch, context, model, system) / stages


@formula
def hop_latency(stages: Count, hop: Seconds) -> Seconds:
    """Time a token spends between racks: P - 1 boundaries and the way back to the first stage.

    Equation: P t_hop for P >= 2, and 0 for one stage.
    Source: lecture, row P24.

    >>> float(hop_latency(4, 2e-3)), float(hop_latency(1, 2e-3))
    (0.008, 0.0)
    """
    return stages * minimum(stages - 1, 1) * hop


@formula
def hop_time(
    micro_batch: Sequences,
    model: Model,
    system: System,
    element: BytesPerElement,
    latency: Seconds,
) -> Seconds:
    """Time to hand a micro-batch to the next stage: a message's latency, and its bytes.

    Equation: t_hop = latency + b d_model a / W_out, a bytes an element, all network cards sharing.
    Ignores: congestion, a busy network (d8).
    Source: row P24, ours.

    >>> m = Model(n_total=1e12, n_active=1e11, d_model=5000)
    >>> s = System(1e15, 8e12, scale_out=400e9)
    >>> round(float(hop_time(2000, m, s, 2, 50e-6)) * 1e6)
    100
    """
    return latency + micro_batch * model.d_model * element / system.scale_out


@formula
def token_time(stage: Seconds, stages: Count, hop: Seconds) -> Seconds:
    """Time from one token of a sequence to its next: all stages in turn, and the hops.

    Equation: P t_stage + P t_hop; with t_stage = t(b) / P the stages cancel, the hops do not.
    Ignores: waiting for a stage that is busy with another micro-batch (M <= P).
    Source: lecture, rows P7, P22 and P24.

    >>> float(token_time(5e-3, 4, 2.5e-3))
    0.03
    """
    return stages * stage + hop_latency(stages, hop)
