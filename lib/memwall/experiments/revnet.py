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

import collections
import tracemalloc
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..core.units import InputError, whole
from .feistel import decode, encode
from .measure import best

# --- the arithmetic ---------------------------------------------------------------------


# --- the network ------------------------------------------------------------------------


@dataclass
class MemoryMeter:
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

    def hidden(self, x: np.ndarray, meter: MemoryMeter) -> np.ndarray:
        """The hidden values, which the gradient will want."""
        meter.product(len(x), *self.w1.shape)
        return np.tanh(x @ self.w1)

    def output(self, hidden: np.ndarray, meter: MemoryMeter) -> np.ndarray:
        """f(x) from the hidden values."""
        meter.product(len(hidden), *self.w2.shape)
        return hidden @ self.w2

    def pull(
        self, x: np.ndarray, hidden: np.ndarray, gradient: np.ndarray, meter: MemoryMeter
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
        whole(name, value)
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
    meter: MemoryMeter | None = None,
) -> Gradients:
    """Gradients of the layers, last first, each layer's input and hidden values kept until used.

    The generator returns the gradient of the input; `collect` gives both.
    """
    meter = meter or MemoryMeter()
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
    meter: MemoryMeter | None = None,
) -> Gradients:
    """The same gradients, keeping only the state: a layer's input is computed from its output."""
    meter = meter or MemoryMeter()
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


def metered(gradients: Callable[..., Gradients], layers: Network, state: np.ndarray) -> MemoryMeter:
    """FLOP and peak activation bytes of one step, counted."""
    meter = MemoryMeter()
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
    return best(lambda: collections.deque(gradients(layers, *state), maxlen=0), repeats=repeats)


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
        hidden = layer.hidden(below, MemoryMeter())
        gradient = gradient * residual + layer.pull(below, hidden, gradient, MemoryMeter())[0]
    return float(np.linalg.norm(gradient) / np.linalg.norm(start))
