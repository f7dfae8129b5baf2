"""Sparsity: more parameters than a token uses, what they buy, and who pays for them.

A mixture-of-experts layer keeps many small feed-forward blocks and sends each token
through a few of them. The parameters a token does not use cost no arithmetic, but they
must be stored and, once a batch is large, all streamed: so a sparse model is bought with
users (to share the streaming) and with memory (to hold it).

    s = N_t / N_a   sparsity by parameters       E   routed experts in a layer
    f               share of N_a in the experts  k   experts a token is sent to

Below the formulas: a layer in NumPy that counts what it does, and routers to try on it.
"""

from __future__ import annotations

from ..core.algebra import formula, log, maximum, sqrt
from ..core.nouns import Model, System
from ..core.units import (
    Bytes,
    Count,
    Flop,
    Fraction,
    NonNegative,
    Parameters,
    Ratio,
    Sequences,
    Tokens,
)
from .batching import experts_touched
from .roofline import compute_time, kv_time, multiplies_per_weight, sparsity

# --- what a sparse model is made of


@formula
def chosen_fraction(model: Model) -> Fraction:
    """Share of the routed experts that one token is sent to.

    Equation: k / E.
    Ignores: shared experts, which every token visits (d11).
    Source: lecture, row M2.

    >>> float(chosen_fraction(Model(n_total=4e9, n_active=1e9, experts=64, experts_active=4)))
    0.0625
    """
    return model.experts_active / model.experts


@formula
def expert_share(model: Model) -> Fraction:
    """Share of the active parameters that sits in routed experts, deduced from the totals.

    Equation: f = (s - 1) / (E / k - 1), solved from s = (1 - f) + f E / k; 0 for a dense model.
    Ignores: a router's own weights.
    Source: row R5 and assumption d11; the equation is ours.

    >>> float(expert_share(Model(n_total=5e9, n_active=1e9, experts=9, experts_active=1)))
    0.5
    """
    # a dense model chooses one expert of one: 0 / 0 without the maximum
    return (sparsity(model) - 1) / maximum(model.experts / model.experts_active - 1, 1e-12)


@formula
def sparsity_from_parts(expert_share: Fraction, chosen: Fraction) -> Ratio:
    """Sparsity by parameters of a model whose experts hold only part of its active weights.

    Equation: s = (1 - f) + f E / k: attention and shared weights are always active.
    Source: assumption d11; infinite if no expert is ever chosen.

    >>> float(sparsity_from_parts(0.5, 0.125))
    4.5
    """
    return 1 - expert_share + expert_share / chosen


@formula
def expert_parameters(d_model: Count, width: Count) -> Parameters:
    """Weights of one gated expert: up, gate and down, each `d_model` by `width`.

    Equation: 3 d f.
    Source: lecture, row M1; the gated block of DeepSeek-V3's published code.

    >>> float(expert_parameters(1000, 200))
    600000.0
    """
    return 3 * d_model * width


@formula
def moe_flop(batch: Sequences, width: Count, model: Model) -> Flop:
    """FLOP of one expert layer: the router for every token, then its k chosen experts.

    Equation: 2 B (d E + k 3 d f), f the width of an expert.
    Ignores: shared experts, the nonlinearity, the weighted sum.
    Source: lecture, row M1.

    >>> m = Model(n_total=4e9, n_active=1e9, d_model=100, experts=10, experts_active=2)
    >>> float(moe_flop(1, 50, m))
    62000.0
    """
    chosen = model.experts_active * expert_parameters(model.d_model, width)
    return 2 * batch * (model.d_model * model.experts + chosen)


@formula
def moe_bytes(batch: Sequences, width: Count, model: Model) -> Bytes:
    """Expected weight bytes that one expert layer reads: the router and the experts touched.

    Equation: w (d E + E 3 d f (1 - (1 - k/E)^B)).
    Ignores: activations; skewed routers, which touch fewer experts (d20).
    Source: row B23 and assumption d10.

    >>> m = Model(n_total=4e9, n_active=1e9, bytes_per_param=1, d_model=100, experts=10,
    ...           experts_active=10)
    >>> float(moe_bytes(1, 50, m))
    151000.0
    """
    touched = experts_touched(batch, model.experts / model.experts_active)
    weights = model.experts * expert_parameters(model.d_model, width) * touched
    return model.bytes_per_param * (model.d_model * model.experts + weights)


@formula
def weight_bytes_read(batch: Sequences, model: Model) -> Bytes:
    """Expected weight bytes that one decode step of the whole model reads.

    Equation: w N_a ((1 - f) + f (E/k) (1 - (1 - k/E)^B)): N_a w for one token, N_t w for many.
    Ignores: skewed routers (d20).
    Source: row B23; refines `roofline.weight_time` where assumption d10 fails.

    >>> m = Model(n_total=5e9, n_active=1e9, bytes_per_param=1, experts=9, experts_active=1)
    >>> round(float(weight_bytes_read(1, m)))
    1000000000
    """
    ways = model.experts / model.experts_active
    share = expert_share(model)
    read = 1 - share + share * ways * experts_touched(batch, ways)
    return model.bytes_per_param * model.n_active * read


# --- what it buys


@formula
def exchange_exponent(sparsity: Count, gain: Count) -> NonNegative:
    """Exponent of the power law that turns sparsity into dense-equivalent size.

    Equation: alpha = ln g / ln s, from g = s^alpha.
    Raises: InputError when both are 1, where any exponent fits.
    Source: lecture, rows S3 and S4.

    >>> round(float(exchange_exponent(64, 4)), 4)
    0.3333
    """
    return log(gain) / log(sparsity)


@formula
def exchange_gain(sparsity: Count, exponent: NonNegative) -> Count:
    """How many times its active size the dense model of equal quality has.

    Equation: g = s^alpha.
    Ignores: the recipe, the training budget, the model's size.
    Source: lecture, rows S4 and S9; a stand-in for the laws of Clark et al. 2022.

    >>> float(exchange_gain(64, 0.5))
    8.0
    """
    return sparsity**exponent


@formula
def sparsity_for_gain(gain: Count, exponent: Ratio) -> Count:
    """Sparsity that makes a model as good as a dense one of g times its active size.

    Equation: s = g^(1 / alpha).
    Source: lecture, rows S4 and S9.

    >>> float(sparsity_for_gain(4, 0.5))
    16.0
    """
    return gain ** (1 / exponent)


@formula
def parameters_over_dense(gain: Count, exponent: Ratio) -> Ratio:
    """Total parameters of the sparse model over those of the dense model it replaces.

    Equation: s / g = g^(1 / alpha - 1).
    Source: row S9; ours. The lecture's 64 compares with the active size instead.

    >>> float(parameters_over_dense(4, 0.5))
    4.0
    """
    return sparsity_for_gain(gain, exponent) / gain


# --- what it costs: users and memory


@formula
def sparsity_for_users(
    batch: Sequences, context: Tokens, model: Model, system: System
) -> NonNegative:
    """Largest sparsity whose weight streaming a batch can hide behind its arithmetic.

    Equation: s_u = (B / h) (1 - L / L*), the inverse of `roofline.balance_batch_with_kv`;
    0 from the balanced context on. Below 1 not even a dense model is compute-bound.
    Source: lecture, row S6.

    >>> m = Model(n_total=1e12, n_active=100e9, bytes_per_param=1, kv_bytes_per_token=0)
    >>> float(sparsity_for_users(2400, 0, m, System(flops=4.8e15, bandwidth=8e12)))
    8.0
    """
    own_cache = kv_time(batch, context, model, system) / compute_time(batch, model, system)
    return batch / multiplies_per_weight(model, system) * maximum(1 - own_cache, 0)


@formula
def parameters_that_fit(
    batch: Sequences, context: Tokens, model: Model, system: System
) -> NonNegative:
    """Total parameters that the HBM can hold beside the caches of a batch.

    Equation: (C - B L k) / w, or 0 when the caches alone do not fit.
    Source: lecture, row S7.

    >>> m = Model(n_total=1e9, n_active=1e9, bytes_per_param=0.5, kv_bytes_per_token=1000)
    >>> s = System(flops=1e15, bandwidth=1e12, capacity=80e9)
    >>> float(parameters_that_fit(10, 1_000_000, m, s))
    140000000000.0
    """
    cache = batch * context * model.kv_bytes_per_token
    return maximum(system.capacity - cache, 0) / model.bytes_per_param


@formula
def sparsity_that_fits(
    batch: Sequences, context: Tokens, model: Model, system: System
) -> NonNegative:
    """Largest sparsity whose weights fit in the HBM beside the caches of a batch.

    Equation: s_m = (C - B L k) / (w N_a).
    Source: lecture, rows S7 and S10.

    >>> m = Model(n_total=40e9, n_active=10e9, bytes_per_param=1, kv_bytes_per_token=1000)
    >>> s = System(flops=1e15, bandwidth=1e12, capacity=80e9)
    >>> float(sparsity_that_fits(10, 1_000_000, m, s))
    7.0
    """
    return parameters_that_fit(batch, context, model, system) / model.n_active


@formula
def largest_sparsity(context: Tokens, model: Model, system: System) -> NonNegative:
    """Sparsest model that is compute-bound and fits, if users are never short.

    Equation: s_max = C (1 - L / L*) / (w N_a), where `sparsity_for_users` and
    `sparsity_that_fits` cross, at the batch of `roofline.full_drain_batch`.
    Source: rows S6, S7 and R20 put together; ours.

    >>> m = Model(n_total=40e9, n_active=10e9, bytes_per_param=1, kv_bytes_per_token=0)
    >>> float(largest_sparsity(0, m, System(flops=1e15, bandwidth=1e12, capacity=80e9)))
    8.0
    """
    own_cache = kv_time(1, context, model, system) / compute_time(1, model, system)
    return system.capacity / (model.bytes_per_param * model.n_active) * maximum(1 - own_cache, 0)


@formula
def expected_imbalance(batch: Sequences, model: Model) -> Count:
    """About how much busier the busiest expert is than the mean, all experts equally popular.

    Equation: 1 + sqrt(2 ln E (1 - k/E) / (B k / E)): the mean load and its largest of E
    fluctuations. Above the simulated mean by less than a quarter of the excess.
    Ignores: that some experts are more popular than others (d9, d20).
    Source: assumption d9; the extreme value of E nearly normal loads.

    >>> m = Model(n_total=4e9, n_active=1e9, experts=1, experts_active=1)
    >>> float(expected_imbalance(100, m))
    1.0
    """
    mean = batch * model.experts_active / model.experts
    spread = 2 * log(model.experts) * (1 - model.experts_active / model.experts)
    return 1 + sqrt(spread / mean)


# --- a layer that counts what it does


# --- routers


# --- facts
