"""Racks: where experts sit, what travels between them, and which network carries it.

Each GPU of a domain keeps a few experts of every layer. After the router has chosen, a
copy of each token's vector goes to every GPU that holds one of its k experts (dispatch)
and the results come back (combine): twice a layer, from anyone to anyone. Inside a rack
that rides the scale-up network; between racks, a scale-out network r times slower.

    R  racks that share a layer's experts      r  scale-up over scale-out bandwidth
    k  experts a token is sent to              E  experts in a layer

A "rack" here is whatever the scale-up network joins: a box of 8, a rack of 72.
Below the formulas: traffic counted copy by copy from a router's choices.
"""

from __future__ import annotations

from ..core.algebra import formula, maximum, minimum
from ..core.nouns import Model, System
from ..core.units import (
    Bytes,
    BytesPerElement,
    BytesPerSecond,
    Count,
    Fraction,
    NonNegative,
    Ratio,
    Seconds,
    Sequences,
)

# --- placement


@formula
def idle_fraction(used: Count, domain: Count) -> Fraction:
    """Share of a domain's GPUs that a layout leaves without experts.

    Equation: 1 - used / domain.
    Source: lecture, row M5.

    >>> float(idle_fraction(6, 8))
    0.25
    """
    return 1 - used / domain


# --- the lecture's traffic: every copy travels on its own


@formula
def network_ratio(system: System) -> Ratio:
    """How much faster a GPU talks inside its rack than outside, one direction each.

    Equation: r = W_up / W_out. Bandwidth only; latency is another matter (d21).
    Source: lecture, row M10.

    >>> float(network_ratio(System(1e15, 1e12, scale_up=3.6e12, scale_out=4e11)))
    9.0
    """
    return system.scale_up / system.scale_out


@formula
def crossing_share(racks: Count) -> Fraction:
    """Share of the copies that leave their rack, experts spread evenly and chosen evenly.

    Equation: (R - 1) / R.
    Ignores: group-limited routing, merged copies (d20).
    Source: lecture, row M11.

    >>> float(crossing_share(2))
    0.5
    """
    return (racks - 1) / racks


@formula
def crossing_slowdown(racks: Count, ratio: Ratio) -> Ratio:
    """Time of the all-to-all over R racks, over its time in one rack with the same load a GPU.

    Equation: max(1 / R, r (R - 1) / R): the two networks work at the same time.
    Ignores: latency (d21), merged copies (`merged_slowdown`). Below 1 only for a second
    network nearly as fast as the first.
    Source: lecture, rows M10 to M12.

    >>> float(crossing_slowdown(2, 8))
    4.0
    """
    away = crossing_share(racks)
    return maximum(1 - away, ratio * away)


@formula
def dispatch_bytes(batch: Sequences, element: BytesPerElement, model: Model) -> Bytes:
    """Bytes that one direction of a layer's all-to-all moves: k copies of each token's vector.

    Equation: B k d b, b the bytes of one element.
    Ignores: copies that stay on their own GPU, scales sent along with fp8.
    Source: lecture, row M8.

    >>> m = Model(n_total=4e9, n_active=1e9, d_model=1000, experts=64, experts_active=8)
    >>> float(dispatch_bytes(10, 1, m))
    80000.0
    """
    return batch * model.experts_active * model.d_model * element


@formula
def alltoall_time(
    batch: Sequences, racks: Count, element: BytesPerElement, model: Model, system: System
) -> Seconds:
    """Time of one direction of a layer's all-to-all, with `batch` tokens in each rack.

    Equation: B k d b / W_up max(1 / R, r (R - 1) / R); `system` is one rack.
    Ignores: latency (d21), uneven load (d9), merged copies.
    Source: lecture, rows M8 to M12.

    >>> m = Model(n_total=4e9, n_active=1e9, d_model=1000, experts=64, experts_active=8)
    >>> s = System(1e15, 1e12, scale_up=8e12, scale_out=1e12)
    >>> float(alltoall_time(1000, 2, 1, m, s))
    4e-06
    """
    fast = dispatch_bytes(batch, element, model) / system.scale_up
    return fast * crossing_slowdown(racks, network_ratio(system))


@formula
def network_time(
    batch: Sequences, racks: Count, element: BytesPerElement, model: Model, system: System
) -> Seconds:
    """Time the network needs in one decode step: a dispatch and a combine in every layer.

    Equation: n_layers t_alltoall, with b the bytes of an element there plus back (fp8 out and
    bf16 back make 3). Linear in the batch, so no batch hides it: over the arithmetic time it
    is a property of model and machine alone.
    Ignores: dense layers, overlap with arithmetic (d8).
    Source: lecture, row M8; assumption d8.

    >>> m = Model(n_total=4e9, n_active=1e9, layers=10, d_model=1000, experts=64,
    ...           experts_active=8)
    >>> float(network_time(1000, 1, 3, m, System(1e15, 1e12, scale_up=8e12, scale_out=1e12)))
    3e-05
    """
    return model.layers * alltoall_time(batch, racks, element, model, system)


# --- copies that travel together


@formula
def targets_hit(targets: Count, experts: Count, chosen: Count) -> Count:
    """Expected number of GPUs (or racks) that hold at least one of a token's k experts.

    Equation: T (1 - (1 - (E/T) / (E - (k-1)/2))^k), T the GPUs that share E experts evenly.
    The exact product of k shrinking fractions is replaced by the power of its middle one;
    `traffic.exact_distinct` is within 1 % from 32 experts on.
    Source: assumption d20; row P3.

    >>> float(targets_hit(16, experts=64, chosen=1))
    1.0
    """
    each = experts / targets
    middle = maximum(experts - (chosen - 1) / 2, each)
    return targets * (1 - (1 - each / middle) ** chosen)


@formula
def distinct_targets(targets: Count, model: Model) -> Count:
    """`targets_hit` by a token of a model.

    Equation: as there, with the model's E and k.
    Source: assumption d20; row P3.

    >>> m = Model(n_total=4e9, n_active=1e9, experts=64, experts_active=1)
    >>> float(distinct_targets(16, m))
    1.0
    """
    return targets_hit(targets, model.experts, model.experts_active)


@formula
def remote_racks(racks: Count, limit: Count, model: Model) -> NonNegative:
    """Expected number of other racks a token's vector must reach, one copy for each.

    Equation: D (1 - 1/R), D the distinct racks among the `limit` that the router allows (all
    of them when limit = R); a token's home rack is as likely to be among them as any.
    Ignores: that DeepSeek-V3 picks groups by their best experts, so that nearly all allowed
    racks are hit: up to a tenth more.
    Source: assumption d20; group-limited routing of DeepSeek-V3 for the limit.

    >>> m = Model(n_total=4e9, n_active=1e9, experts=64, experts_active=1)
    >>> float(remote_racks(2, 2, m))
    0.5
    """
    allowed = minimum(limit, racks)
    each = model.experts / racks
    middle = maximum(each * allowed - (model.experts_active - 1) / 2, each)
    hit = allowed * (1 - (1 - each / middle) ** model.experts_active)
    return hit * (1 - 1 / racks)


@formula
def merged_slowdown(racks: Count, limit: Count, ratio: Ratio, model: Model) -> Ratio:
    """`crossing_slowdown` when a vector crosses to a rack once and is copied on inside it.

    Equation: max(1, r D' / k), D' the `remote_racks`: the fast network still delivers k
    copies, the slow one only D'.
    Ignores: latency (d21), the relay's own work.
    Source: row M12 and assumption d20; the relay of DeepSeek-V3's report.

    >>> m = Model(n_total=4e9, n_active=1e9, experts=64, experts_active=1)
    >>> float(merged_slowdown(2, 2, 8, m))
    4.0
    """
    return maximum(1, ratio * remote_racks(racks, limit, model) / model.experts_active)


@formula
def tolerable_ratio(racks: Count, limit: Count, model: Model) -> Ratio:
    """Largest ratio of the two networks at which merged copies hide the crossing.

    Equation: r* = k / D', infinite for one rack.
    Source: ours, from `merged_slowdown`; DeepSeek-V3's report argues the same at 3.2.

    >>> m = Model(n_total=4e9, n_active=1e9, experts=64, experts_active=1)
    >>> float(tolerable_ratio(2, 2, m))
    2.0
    """
    return model.experts_active / remote_racks(racks, limit, model)


# --- the furniture


@formula
def scale_up_cables(gpus: Count, link: BytesPerSecond, lane: BytesPerSecond) -> Count:
    """Copper pairs from the GPUs of a domain to its switches: one a lane and direction.

    Equation: 2 G W_up / lane.
    Source: lecture, row M15; the published count for an NVL72 checks it.

    >>> float(scale_up_cables(72, 900e9, 25e9))
    5184.0
    """
    return 2 * gpus * link / lane


@formula
def domain_dies(packages: Count, dies_per_package: Count) -> Count:
    """Compute dies in a domain: what a name counts when it does not count packages.

    Equation: packages times dies in a package.
    Source: lecture, row M16.

    >>> float(domain_dies(144, 4))
    576.0
    """
    return packages * dies_per_package


# --- traffic counted copy by copy


# --- an all-to-all that others timed
