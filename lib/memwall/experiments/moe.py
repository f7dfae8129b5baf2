"""MoE: a layer in NumPy that counts what it does, routers to try on it, and published comparisons.

What `formulas.sparsity` says in closed form is counted here, token by token and expert by expert.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..catalog import table
from ..core.nouns import Model
from ..core.units import (
    InputError,
)
from ..formulas.sparsity import exchange_exponent, expert_parameters


@dataclass
class Meter:
    """Counts the FLOP of matrix products and the bytes of the weights they touch."""

    flop: float = 0
    bytes: float = 0
    experts: int = 0

    def product(self, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """x @ weights, counted: a multiply-add is two FLOP, each weight is read once."""
        self.flop += 2 * x.shape[0] * weights.size
        self.bytes += weights.nbytes
        return x @ weights


@dataclass(frozen=True)
class MoELayer:
    """A mixture-of-experts layer: router, k gated experts, weighted sum, residual.

    Arrays: router (d, E); up and gate (E, d, f); down (E, f, d).
    """

    router: np.ndarray
    up: np.ndarray
    gate: np.ndarray
    down: np.ndarray
    chosen: int

    @classmethod
    def random(cls, d_model: int, width: int, experts: int, chosen: int, seed: int = 0) -> MoELayer:
        """A layer of normal weights in 32-bit floats, scaled so that outputs stay near 1."""
        rng = np.random.default_rng(seed)

        def draw(*shape: int) -> np.ndarray:
            return (rng.standard_normal(shape) / np.sqrt(shape[-2])).astype(np.float32)

        return cls(
            draw(d_model, experts),
            draw(experts, d_model, width),
            draw(experts, d_model, width),
            draw(experts, width, d_model),
            chosen,
        )

    @property
    def model(self) -> Model:
        """The layer alone as the blackboard's model: totals, active part, stored width."""
        experts, d_model, width = self.up.shape
        one = float(expert_parameters(d_model, width))
        return Model(
            n_total=self.router.size + experts * one,
            n_active=self.router.size + self.chosen * one,
            bytes_per_param=self.up.itemsize,
            d_model=d_model,
            experts=experts,
            experts_active=self.chosen,
            layers=1,
        )

    def __call__(self, x: np.ndarray, meter: Meter | None = None) -> np.ndarray:
        """y = x + sum over the chosen experts of gate weight times expert output.

        x is (tokens, d_model); a `meter` counts the products as they happen.
        """
        meter = meter if meter is not None else Meter()
        scores = meter.product(x, self.router)
        choices = top(scores, self.chosen)
        kept = np.take_along_axis(scores, choices, axis=1)
        weights = np.exp(kept - kept.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        y = x.copy()
        for expert in np.unique(choices):  # an expert nobody chose is never read
            token, slot = np.nonzero(choices == expert)
            up = meter.product(x[token], self.up[expert])
            gate = meter.product(x[token], self.gate[expert])
            hidden = up * gate / (1 + np.exp(-gate))
            out = meter.product(hidden, self.down[expert])
            np.add.at(y, token, weights[token, slot, None] * out)
            meter.experts += 1
        return y


def top(scores: np.ndarray, chosen: int) -> np.ndarray:
    """The `chosen` highest-scoring columns of each row, best first."""
    best = np.argpartition(-scores, chosen - 1, axis=1)[:, :chosen]
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
    return np.take_along_axis(best, order, axis=1)


@dataclass(frozen=True)
class Router:
    """A router without a model behind it: random scores, some experts more popular.

    The r-th most popular expert has popularity r^-skew (0: all alike, 1: Zipf's law); noise
    makes each token choose its own. With `groups_chosen` of `groups`, the experts come in that
    many groups and a token may only use the best few groups, a group being judged by its two
    best experts, as DeepSeek-V3 does. `shuffle` spreads popularity over the groups.
    """

    experts: int
    chosen: int
    skew: float = 0.0
    groups: int = 1
    groups_chosen: int = 1
    shuffle: bool = True
    seed: int = 0
    _popularity: np.ndarray = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 1 <= self.chosen <= self.experts:
            raise InputError(
                f"chosen = {self.chosen} is out of range: 1 to experts = {self.experts}"
            )
        if self.groups < 1 or self.experts % self.groups:
            raise InputError(f"groups = {self.groups} must divide experts = {self.experts}")
        if not 1 <= self.groups_chosen <= self.groups:
            raise InputError(
                f"groups_chosen = {self.groups_chosen} is out of range: 1 to groups = {self.groups}"
            )
        if self.chosen > self.groups_chosen * self.experts // self.groups:
            raise InputError(f"chosen = {self.chosen} experts do not fit in the groups chosen")
        rank = np.arange(1, self.experts + 1)
        if self.shuffle:
            rank = np.random.default_rng(self.seed).permutation(rank)
        object.__setattr__(self, "_popularity", -self.skew * np.log(rank))

    def __call__(self, tokens: int, seed: int = 0) -> np.ndarray:
        """Experts chosen by each token: integers of shape (tokens, chosen)."""
        rng = np.random.default_rng((self.seed, seed))
        scores = self._popularity + rng.gumbel(size=(tokens, self.experts))
        if self.groups_chosen < self.groups:
            grouped = scores.reshape(tokens, self.groups, -1)
            best_two = np.sort(grouped, axis=2)[:, :, -2:].sum(axis=2)
            allowed = np.zeros((tokens, self.groups), dtype=bool)
            np.put_along_axis(allowed, top(best_two, self.groups_chosen), True, axis=1)
            scores = np.where(allowed[:, :, None], grouped, -np.inf).reshape(tokens, -1)
        return top(scores, self.chosen)


def load(choices: np.ndarray, experts: int) -> np.ndarray:
    """Tokens sent to each expert."""
    return np.bincount(choices.ravel(), minlength=experts)


def coverage(choices: np.ndarray, experts: int) -> float:
    """Share of the experts that some token chose."""
    return float(np.mean(load(choices, experts) > 0))


def imbalance(loads: np.ndarray) -> float:
    """Busiest over mean: how much longer the step waits than with an even load."""
    return float(np.max(loads) / np.mean(loads))


def mean_coverage(router: Router, tokens: int, times: int = 4) -> float:
    """Share of the experts that a batch touches, mean of a few batches."""
    return float(np.mean([coverage(router(tokens, i), router.experts) for i in range(times)]))


def mean_imbalance(
    router: Router, tokens: int, times: int = 4, plan: np.ndarray | None = None
) -> float:
    """Busiest over mean, mean of a few batches: of the experts, or of the GPUs of a plan."""
    loads = [load(router(tokens, i), router.experts) for i in range(times)]
    return float(np.mean([imbalance(each if plan is None else plan @ each) for each in loads]))


def packing(loads: np.ndarray, gpus: int, spare: int = 0) -> np.ndarray:
    """A plan that evens out known loads: the share of each expert's tokens each GPU takes.

    Shape (gpus, experts), every column sums to 1: `plan @ loads` are the GPUs' loads, also of
    another batch. The busiest experts get some of the `spare` copies, which split their tokens;
    then copies are dealt heaviest first to the least loaded GPU with a free slot. A simple form
    of the balancer that DeepSeek published (EPLB).
    """
    experts = len(loads)
    if (experts + spare) % gpus:
        raise InputError(f"{experts} + {spare} copies cannot be dealt evenly to {gpus} GPUs")
    copies = np.ones(experts)
    for _ in range(spare):
        copies[np.argmax(loads / copies)] += 1
    expert = np.repeat(np.arange(experts), copies.astype(int))
    share = (loads / copies)[expert]
    plan = np.zeros((gpus, experts))
    total, free = np.zeros(gpus), np.full(gpus, (experts + spare) // gpus)
    for copy in np.argsort(-share, kind="stable"):
        gpu = np.argmin(np.where(free > 0, total, np.inf))
        plan[gpu, expert[copy]] += 1 / copies[expert[copy]]
        total[gpu] += share[copy]
        free[gpu] -= 1
    return plan


@dataclass(frozen=True)
class Exchange:
    """A published sparse model and the dense model said to equal it."""

    name: str
    year: int
    sparsity: float
    gain: float
    same_data: bool

    @property
    def exponent(self) -> float:
        return float(exchange_exponent(self.sparsity, self.gain))


def exchanges() -> list[Exchange]:
    """Every published comparison of the catalog; sparsity by parameters, by experts if unknown."""
    return [
        Exchange(
            name=r["name"],
            year=int(r["year"]),
            sparsity=float(r["total_params_b"]) / float(r["active_params_b"])
            if r["total_params_b"]
            else float(r["experts"]) / float(r["experts_active"]),
            gain=float(r["dense_params_b"]) / float(r["active_params_b"]),
            same_data=r["same_data"] == "yes",
        )
        for r in table("exchange")
    ]


def routed_parameters(name: str) -> tuple[float, float]:
    """Parameters in routed experts of a catalog model, (stored, active), from its layers."""
    shape = {r["name"]: r for r in table("moe")}[name]
    row = {r["name"]: r for r in table("models")}[name]
    layers = float(row["layers"]) - float(shape["dense_layers"])
    one = layers * float(expert_parameters(float(row["d_model"]), float(shape["expert_width"])))
    return float(row["experts"]) * one, float(row["experts_active"]) * one
