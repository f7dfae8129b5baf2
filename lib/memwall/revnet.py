"""RevNet: the Feistel wiring with real numbers, to train without keeping activations.

Training needs each layer's input again on the way back. Ordinary training keeps them
all, so memory grows with depth; a reversible network computes them again from its
output, so memory does not, and arithmetic pays:

    forward 1 + backward 2 (+ once more forward 1)  ->  4/3.

    x, y  the two halves of the state      n     tokens
    f     a layer's function, here         d, m  width of a half, of the hidden layer
          tanh(x w1) w2                    g     gain of the initial weights
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from math import pi
from typing import Any

import numpy as np

from .algebra import formula, sqrt
from .feistel import decode, encode
from .nouns import Model
from .units import (
    Bytes,
    BytesPerElement,
    BytesPerToken,
    Count,
    FlopPerByte,
    InputError,
    Layers,
    Ratio,
    Tokens,
)

# --- the arithmetic ---------------------------------------------------------------------


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


# --- the network ------------------------------------------------------------------------


@dataclass
class Meter:
    """Counts the arithmetic and the bytes of activations held, as a step goes."""

    flop: int = 0
    history: list[int] = field(default_factory=lambda: [0])  # bytes held after each change

    @property
    def held(self) -> int:
        """Bytes kept now."""
        return self.history[-1]

    @property
    def peak(self) -> int:
        """The most bytes kept at any time."""
        return max(self.history)

    def product(self, rows: int, inner: int, columns: int) -> None:
        """A matrix product: a multiply-add is two FLOP."""
        self.flop += 2 * rows * inner * columns

    def hold(self, *arrays: np.ndarray) -> None:
        """Bytes now kept for later."""
        self.history.append(self.held + sum(a.nbytes for a in arrays))

    def release(self, *arrays: np.ndarray) -> None:
        """Bytes no longer kept."""
        self.history.append(self.held - sum(a.nbytes for a in arrays))


@dataclass(frozen=True)
class Layer:
    """f(x) = tanh(x w1) w2, as a function, and the pieces its gradient needs."""

    w1: np.ndarray
    w2: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return np.tanh(x @ self.w1) @ self.w2

    def hidden(self, x: np.ndarray, meter: Meter) -> np.ndarray:
        """The hidden values, which the gradient will want."""
        meter.product(len(x), *self.w1.shape)
        return np.tanh(x @ self.w1)

    def output(self, hidden: np.ndarray, meter: Meter) -> np.ndarray:
        """f(x) from the hidden values."""
        meter.product(len(hidden), *self.w2.shape)
        return hidden @ self.w2

    def pull(
        self, x: np.ndarray, hidden: np.ndarray, gradient: np.ndarray, meter: Meter
    ) -> tuple[np.ndarray, Layer]:
        """The gradient of the output pulled back to the input and to the weights."""
        for weights in (self.w1, self.w2):
            meter.product(len(x), *weights.shape)
            meter.product(len(x), *weights.shape)
        before = (gradient @ self.w2.T) * (1 - hidden * hidden)
        return before @ self.w1.T, Layer(x.T @ before, hidden.T @ gradient)


Network = Sequence[Layer]
State = tuple[np.ndarray, np.ndarray]
Gradients = Generator[Layer, None, State]
LossGradient = Callable[[np.ndarray, np.ndarray], State]


def network(
    depth: int,
    width: int = 16,
    hidden: int = 64,
    gain: float = 1.0,
    *,
    seed: int = 0,
    dtype: Any = np.float64,
) -> list[Layer]:
    """Random layers; `width` is that of a half, and the gain scales what a layer adds to it."""
    for name, value in (("depth", depth), ("width", width), ("hidden", hidden)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InputError(f"{name} = {value!r} must be a whole number, at least 1")
    if not np.isfinite(gain) or gain < 0:
        raise InputError(f"gain = {gain!r} must be finite and at least 0")
    rng = np.random.default_rng(seed)
    return [
        Layer(
            (rng.standard_normal((width, hidden)) / np.sqrt(width)).astype(dtype),
            (gain * rng.standard_normal((hidden, width)) / np.sqrt(hidden)).astype(dtype),
        )
        for _ in range(depth)
    ]


def tokens(count: int, width: int, seed: int = 0, dtype: Any = np.float64) -> np.ndarray:
    """Random inputs of both halves, shape (2, count, width)."""
    return np.random.default_rng([seed, 1]).standard_normal((2, count, width)).astype(dtype)


def half_square(x: np.ndarray, y: np.ndarray) -> State:
    """Gradient of the plainest loss, (|x|^2 + |y|^2) / 2: the state itself."""
    return x, y


def stored_gradients(
    layers: Network,
    x: np.ndarray,
    y: np.ndarray,
    loss: LossGradient = half_square,
    meter: Meter | None = None,
) -> Gradients:
    """Gradients of the layers, last first, each layer's input and hidden values kept until used.

    The generator returns the gradient of the input; `collect` gives both.
    """
    meter = meter or Meter()
    kept = []
    for layer in layers:
        hidden = layer.hidden(x, meter)
        meter.hold(x, hidden)
        kept.append((x, hidden))
        x, y = y + layer.output(hidden, meter), x
    gx, gy = loss(x, y)
    del x, y, hidden
    for layer in reversed(layers):
        below, hidden = kept.pop()
        pulled, gradient = layer.pull(below, hidden, gx, meter)
        meter.release(below, hidden)
        gx, gy = gy + pulled, gx
        yield gradient
    return gx, gy


def reversible_gradients(
    layers: Network,
    x: np.ndarray,
    y: np.ndarray,
    loss: LossGradient = half_square,
    meter: Meter | None = None,
) -> Gradients:
    """The same gradients, keeping only the state: a layer's input is computed from its output."""
    meter = meter or Meter()
    for layer in layers:
        x, y = y + layer.output(layer.hidden(x, meter), meter), x
    meter.hold(x, y)
    gx, gy = loss(x, y)
    for layer in reversed(layers):
        hidden = layer.hidden(y, meter)
        meter.hold(hidden)
        x, y = y, x - layer.output(hidden, meter)  # one step of `feistel.decode`
        pulled, gradient = layer.pull(x, hidden, gx, meter)
        meter.release(hidden)
        gx, gy = gy + pulled, gx
        yield gradient
    return gx, gy


def collect(gradients: Gradients) -> tuple[list[Layer], State]:
    """All gradients of a step: of the layers, first layer first, and of the input."""
    found: list[Layer] = []
    while True:
        try:
            found.insert(0, next(gradients))
        except StopIteration as end:
            return found, end.value


def train(
    layers: Network,
    state: np.ndarray,
    label: np.ndarray,
    steps: int,
    *,
    rate: float = 0.1,
    gradients: Callable[..., Gradients] = reversible_gradients,
) -> tuple[list[Layer], np.ndarray]:
    """Descend so that the first output of each token becomes its label; the layers, the losses."""
    layers, losses = list(layers), []

    def loss(x: np.ndarray, y: np.ndarray) -> State:
        error = np.zeros_like(x)
        error[:, 0] = (x[:, 0] - label) / len(label)
        losses.append(float(np.mean((x[:, 0] - label) ** 2)) / 2)
        return error, np.zeros_like(y)

    for step in range(steps):
        found, _ = collect(gradients(layers, *state, loss=loss))
        if losses[-1] > 1e3 * max(losses[0], 1):
            raise InputError(
                f"training at rate {rate:g} diverged in step {step}: use a smaller rate"
            )
        layers = [
            Layer(a.w1 - rate * g.w1, a.w2 - rate * g.w2)
            for a, g in zip(layers, found, strict=True)
        ]
    return layers, np.array(losses)


def hidden_product(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A task no linear reader can do: the label is the sign of the product of two inputs.

    Two values a half; the last is held at one, since tanh without an offset is odd.
    """
    state = tokens(count, 2, seed)
    state[1, :, -1] = 1
    return state, np.sign(state[0, :, 0] * state[0, :, 1])


def run(layers: Network, state: np.ndarray) -> np.ndarray:
    """The network's output for both halves at once."""
    return np.stack(encode(layers, *state))


def agreement(layers: Network, state: np.ndarray, label: np.ndarray) -> float:
    """Correlation of a label with the output that `train` aims at it: 1 is all, 0 is nothing."""
    return float(np.corrcoef(run(layers, state)[0, :, 0], label)[0, 1])


def unrun(layers: Network, state: np.ndarray) -> np.ndarray:
    """The input that gave this output, up to rounding."""
    return np.stack(decode(layers, *state))


# --- what is measured -------------------------------------------------------------------


def metered(gradients: Callable[..., Gradients], layers: Network, state: np.ndarray) -> Meter:
    """FLOP and peak activation bytes of one step, counted."""
    meter = Meter()
    for _ in gradients(layers, *state, meter=meter):
        pass
    return meter


def peak_bytes(gradients: Callable[..., Gradients], layers: Network, state: np.ndarray) -> int:
    """Peak memory of one step as Python's allocator sees it, each gradient used and dropped."""
    tracemalloc.start()
    try:
        for _ in gradients(layers, *state):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def step_seconds(
    gradients: Callable[..., Gradients], layers: Network, state: np.ndarray, repeats: int = 5
) -> float:
    """Least wall time of one step over some repeats."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        for _ in gradients(layers, *state):
            pass
        times.append(time.perf_counter() - start)
    return min(times)


def drift(
    depths: Sequence[int],
    dtype: Any = np.float32,
    gain: float = 1.0,
    *,
    width: int = 16,
    count: int = 64,
    seed: int = 0,
) -> np.ndarray:
    """Relative error of an input recovered through networks of these depths."""
    errors = []
    for depth in depths:
        layers = network(depth, width, 4 * width, gain, seed=seed, dtype=dtype)
        state = tokens(count, width, seed, dtype)
        back = unrun(layers, run(layers, state))
        errors.append(relative_error(back, state))
    return np.array(errors)


def relative_error(found: Any, exact: Any) -> float:
    """Root mean square difference over the root mean square of the exact value."""
    found, exact = np.asarray(found, np.float64), np.asarray(exact, np.float64)
    return float(np.linalg.norm(found - exact) / np.linalg.norm(exact))


@dataclass(frozen=True)
class OnGrid:
    """A layer whose output is rounded to whole steps, so that adding and subtracting are exact."""

    layer: Layer
    step: float = field(default=2.0**-20)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return np.rint(self.layer(x * self.step) / self.step).astype(np.int64)


def adversarial_reach(
    layers: Network, state: np.ndarray, step: float = 1e-3, draws: int = 200, seed: int = 0
) -> float:
    """How much further chosen small steps move |output|^2 than random steps of the same size.

    Each input moves by `step`: along its own derivative's sign, or by `draws` tosses of a coin each,
    whose root mean square is the yardstick. `adversarial_gain` derives it.
    """
    _, gradient = collect(reversible_gradients(layers, *state))
    tossed = np.random.default_rng(seed).choice([-1, 1], (draws, *state.shape))
    still = np.sum(run(layers, state) ** 2)

    def moved(signs: np.ndarray) -> float:
        return float(np.sum(run(layers, state + step * signs) ** 2) - still)

    random = np.array([moved(signs) for signs in tossed])
    return moved(np.sign(np.stack(gradient))) / float(np.sqrt(np.mean(random**2)))


def sign_flips(layers: Network, count: int = 256, seed: int = 0) -> np.ndarray:
    """Share of output signs that change when one input sign does, after 0, 1, ... layers.

    The avalanche of a network: the mean over all outputs and inputs, random tokens.
    """
    width = len(layers[0].w1)
    state = tokens(count, width, seed)
    start = np.broadcast_to(state, (2 * width, 2, count, width)).copy()
    for i in range(2 * width):
        start[i, i // width, :, i % width] *= -1
    x, y = state
    u, v = start[:, 0], start[:, 1]
    share = []
    for layer in [None, *layers]:
        if layer is not None:
            x, y = encode([layer], x, y)
            u, v = encode([layer], u, v)
        share.append(np.mean([np.sign(x) != np.sign(u), np.sign(y) != np.sign(v)]))
    return np.array(share)


def chain_gradient(
    depth: int, gain: float, residual: bool, width: int = 32, seed: int = 0
) -> float:
    """Length of the input's gradient over the output's, with or without a way around the layers."""
    layers = network(depth, width, width, gain, seed=seed)
    x = tokens(1, width, seed)[0]
    inputs = []
    for layer in layers:
        inputs.append(x)
        x = x * residual + layer(x)
    gradient = start = np.random.default_rng([seed, 2]).standard_normal(x.shape)
    for layer, below in zip(reversed(layers), reversed(inputs), strict=True):
        hidden = layer.hidden(below, Meter())
        gradient = gradient * residual + layer.pull(below, hidden, gradient, Meter())[0]
    return float(np.linalg.norm(gradient) / np.linalg.norm(start))
