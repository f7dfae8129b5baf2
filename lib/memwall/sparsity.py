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

from dataclasses import dataclass, field

import numpy as np

from .algebra import formula, log, maximum, sqrt
from .batching import experts_touched
from .catalog import table
from .nouns import Model, System
from .roofline import compute_time, kv_time, multiplies_per_weight, sparsity
from .units import (
    Bytes,
    Count,
    Flop,
    Fraction,
    InputError,
    NonNegative,
    Parameters,
    Ratio,
    Real,
    Sequences,
    Tokens,
)

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
    Ignores: the recipe, the training budget, the model's size (see `routed_exponent`).
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


@formula
def routed_exponent(
    n_active: Parameters, reference: Parameters, exponent: NonNegative, cutoff: Parameters
) -> Real:
    """Exchange exponent at another model size, if it falls on a line in log size to a cutoff.

    Equation: alpha(N) = alpha_0 ln(N_c / N) / ln(N_c / N_0). It follows from the bilinear law
    ln L = a ln N + b ln E + c ln N ln E + d, whose level lines are N' = N E^alpha(N).
    Ignores: the saturation of very few or very many experts. Negative beyond the cutoff.
    Source: Clark et al. 2022 for the form; no fitted constant of it was found to cite.

    >>> float(routed_exponent(1e10, 1e8, 0.3, 1e12))
    0.15
    """
    return exponent * log(cutoff / n_active) / log(cutoff / reference)


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


# --- routers


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


# --- facts


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
