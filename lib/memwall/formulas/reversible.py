"""Reversible: what a wiring that runs backwards saves in memory, and what it costs in arithmetic.

Training keeps every layer's input for the way back, or computes it again: all of them, some of them
(checkpoints), or, with a reversible network, none. The three formulas at the end belong to the same
wiring as a cipher: how sure a count of random trials is, and what an attack may expect.

    n   layers       b   bytes of a value     S   bytes of a layer's input
"""

from __future__ import annotations

from math import pi

from ..core.algebra import formula, sqrt
from ..core.nouns import Model
from ..core.units import (
    Bytes,
    BytesPerElement,
    BytesPerToken,
    Count,
    FlopPerByte,
    Fraction,
    Layers,
    NonNegative,
    Ratio,
    Tokens,
)


@formula
def reversible_compute_ratio(backward: Ratio) -> Ratio:
    """Work of a reversible training step over that of an ordinary one.

    Equation: (1 + b + 1) / (1 + b), with b the backward pass in units of the forward pass.
    Ignores: the subtraction that inverts a layer, and time lost waiting for memory.
    Source: lecture, row F12; b = 2, one product for the inputs and one for the weights (L2).

    >>> float(reversible_compute_ratio(4))
    1.2
    """
    return (1 + backward + 1) / (1 + backward)


@formula
def stored_bytes(
    layers: Layers, tokens: Tokens, values: Count, value_bytes: BytesPerElement
) -> Bytes:
    """Activations that ordinary training holds when the forward pass ends.

    Equation: layers n v w: v values of w bytes for each token and layer.
    Ignores: weights, gradients and optimiser state, the same in both.
    Source: lecture, row F11.

    >>> float(stored_bytes(4, 1000, 100, 2))
    800000.0
    """
    return layers * tokens * values * value_bytes


@formula
def reversible_bytes(
    tokens: Tokens, width: Count, values: Count, value_bytes: BytesPerElement
) -> Bytes:
    """Activations that reversible training holds: the state, and one layer's working values.

    Equation: n (width + v) w; depth does not appear.
    Ignores: layers that change the width, which lose information and must be stored.
    Source: lecture, rows F10 and F11; Gomez et al. 2017.

    >>> float(reversible_bytes(1000, 50, 100, 2))
    300000.0
    """
    return tokens * (width + values) * value_bytes


@formula
def checkpointed_bytes(layers: Layers, segments: Count, state: Bytes, layer: Bytes) -> Bytes:
    """Activations held when only the state at the start of each segment is kept.

    Equation: S a + (layers / S) v: S kept states of a bytes, and one segment at a time computed
    again in full, v bytes a layer.
    Ignores: rounding of layers / S. Work: one forward pass more, as for a reversible network.
    Source: Chen et al. 2016.

    >>> float(checkpointed_bytes(64, 8, 1e6, 3e6))
    32000000.0
    """
    return segments * state + layers / segments * layer


@formula
def best_segments(layers: Layers, state: Bytes, layer: Bytes) -> Ratio:
    """Segments that make checkpointing smallest.

    Equation: sqrt(layers v / a): the zero of the derivative of `checkpointed_bytes`.
    Ignores: that segments are whole.
    Source: Chen et al. 2016.

    >>> float(best_segments(64, 1e6, 4e6))
    16.0
    """
    return sqrt(layers * layer / state)


@formula
def transformer_activation_bytes(model: Model, value_bytes: BytesPerElement) -> BytesPerToken:
    """Activations that ordinary training of a transformer keeps for one token.

    Equation: 17 d_model layers w: the inputs of all products and nonlinearities of a layer, and
    their masks, are worth 17 vectors of the model's width; 34 bytes a channel at w = 2.
    Ignores: attention scores (fused kernels recompute them); experts, which keep more.
    Source: Korthikanti et al. 2023, equation 2 without its attention term.

    >>> m = Model(n_total=1e9, n_active=1e9, layers=10, d_model=1000)
    >>> float(transformer_activation_bytes(m, 2))
    340000.0
    """
    return 17 * model.d_model * model.layers * value_bytes


@formula
def cache_flop_per_byte(model: Model) -> FlopPerByte:
    """Arithmetic a KV cache saves in a decode step, for each byte it holds and reads.

    Equation: 2 N_a / k: without its cache a token's keys and values would be computed again.
    Ignores: attention's own arithmetic (d5).
    Source: lecture, row F13.

    >>> float(cache_flop_per_byte(Model(n_total=1e9, n_active=1e9, kv_bytes_per_token=1e5)))
    20000.0
    """
    return 2 * model.n_active / model.kv_bytes_per_token


@formula
def reversible_flop_per_byte(model: Model, value_bytes: BytesPerElement) -> FlopPerByte:
    """Arithmetic a reversible step spends for each byte of activations it need not hold.

    Equation: 2 N_a / A, with A the activation bytes of a token.
    Ignores: what `transformer_activation_bytes` ignores.
    Source: lecture, row F13.

    >>> m = Model(n_total=1e9, n_active=1e9, layers=10, d_model=1000)
    >>> round(float(reversible_flop_per_byte(m, 2)))
    5882
    """
    return 2 * model.n_active / transformer_activation_bytes(model, value_bytes)


@formula
def adversarial_gain(inputs: Count) -> Ratio:
    """How much further a step against the gradient's signs moves the output than a random one.

    Equation: |w|_1 / |w|_2 = sqrt(2 d / pi), d inputs with normal weights, all moved equally far.
    Ignores: that the output bends: it is the gain of a linear map, which a small step sees.
    Source: lecture, row F7; Goodfellow, Shlens and Szegedy 2015 for the linear argument.

    >>> round(float(adversarial_gain(10_000)), 1)
    79.8
    """
    return sqrt(2 * inputs / pi)


@formula
def sampling_error(samples: Count) -> Ratio:
    """Standard error of a probability near one half, estimated from independent samples.

    Equation: sigma = sqrt(1/4 / n).
    Ignores: probabilities far from one half, whose error is smaller.
    Source: the variance of a Bernoulli variable.

    >>> float(sampling_error(2500))
    0.01
    """
    return sqrt(0.25 / samples)


@formula
def right_pairs(pairs: NonNegative, probability: Fraction) -> NonNegative:
    """Pairs expected to follow a difference path out of those asked for.

    Equation: n p.
    Ignores: that p depends on the key.
    Source: Biham and Shamir 1991.

    >>> float(right_pairs(4096, 2**-10))
    4.0
    """
    return pairs * probability


@formula
def guess_chance(bits: NonNegative) -> Fraction:
    """Chance that a blind guess gets all of so many key bits right.

    Equation: 2^-n.
    Source: counting.

    >>> float(guess_chance(4))
    0.0625
    """
    return 2 ** (-bits)
