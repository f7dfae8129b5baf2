"""Forecast: what the blackboard leaves out, one term at a time.

The lecture's line, max(arithmetic, memory), is a floor. A real step takes longer, for
reasons that can each be written down:

    experts    a small batch reads only the experts it chose: the one term that lowers the time
    attention  attention is a kernel of its own: its arithmetic and cache reads wait their turn
    pipeline   groups of chips in a row fill and drain, and cannot lend each other bandwidth
    bytes      activations travel between the chips, inside a box and between boxes
    replicas   chips that split the batch for attention each hold all weights outside the experts
    latency    every layer is two launches and two exchanges, however little they carry
    shares     no chip reaches its peak FLOP/s, no memory and no link its peak bytes/s

Only the last two need numbers that cannot be derived: the four of `Efficiency`, fitted once
on published runs by `validate` and the same for every model, vendor and run.

    T  tokens in a pass     G  chips of a group    D  chips of a scale-up domain
    L  context              m  boxes: G / D        d  width of the residual stream
    n  layers               w  bytes per weight    S  weights every token uses
"""

from __future__ import annotations

import dataclasses
import functools
import math
import statistics
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from ..core import catalog
from ..core.algebra import ceil, formula, log, maximum, minimum, sqrt, where
from ..core.nouns import Model, Noun, System, Unknown, quantity
from ..core.units import (
    BytesPerElement,
    BytesPerSecond,
    Count,
    FlopPerSecond,
    Fraction,
    InputError,
    NonNegative,
    Parameters,
    Ratio,
    Seconds,
    Sequences,
    Tokens,
    human,
)
from .pipelining import fill_bubble
from .pricing import attention_flop
from .racks import remote_racks
from .roofline import compute_time, kv_time, weight_time
from .sparsity import expert_share, weight_bytes_read

# in the order in which chapter 9 adds them
TERMS = ("experts", "attention", "pipeline", "bytes", "replicas", "latency", "shares")

LAUNCHES = 2  # half a layer is two dependent matrix products, and each must start and drain


def usual(value: float, latex: str, meaning: str) -> Any:
    """A field as `nouns.quantity`, with a value for when nothing is said."""
    return dataclasses.field(default=value, metadata={"latex": latex, "meaning": meaning})


@dataclass(frozen=True)
class Efficiency(Noun):
    """How much of its peak a real system reaches: the book's only fitted numbers."""

    compute: Fraction = quantity("e_F", "share of the peak FLOP/s", required=True)
    bandwidth: Fraction = quantity("e_W", "share of the peak HBM bandwidth", required=True)
    link: Fraction = quantity("e_l", "share of the peak link bandwidth", required=True)
    latency: Seconds = quantity(r"\lambda", "time of one round of an exchange", required=True)

    @classmethod
    def symbolic(cls, **values: Any) -> Efficiency:
        """Symbols e_compute, e_bandwidth, ...: a `Group` has a bandwidth and a link of its own."""
        import sympy

        symbols = {n: sympy.Symbol(f"e_{n}", positive=True) for n in cls.quantities()}
        return cls(**{**symbols, **values})


IDEAL = Efficiency(compute=1.0, bandwidth=1.0, link=1.0, latency=0.0)


@dataclass(frozen=True)
class Group(Noun):
    """The chips that work on one token together, and the wires between them.

    `flops` and `bandwidth` are summed over the group; `link` and `card` belong to one chip.
    `stages` such groups stand in a row, each with its share of the layers.
    """

    flops: FlopPerSecond = quantity("F", "dense FLOP/s of the group", required=True)
    attention_flops: FlopPerSecond = quantity(
        "F_{16}", "dense FLOP/s of the group in bf16, in which attention is done", required=True
    )
    bandwidth: BytesPerSecond = quantity("W", "HBM bandwidth of the group", required=True)
    chips: Count = quantity("G", "chips of the group", required=True)
    domain: Count = quantity("D", "chips of a scale-up domain", required=True)
    link: BytesPerSecond = quantity("W_{up,1}", "scale-up link of one chip", required=True)
    card: BytesPerSecond = quantity("W_{out,1}", "network card of one chip", required=True)
    stages: Count = usual(1.0, "P", "pipeline stages")
    torus: NonNegative = usual(0.0, "d_t", "dimensions of the torus, 0 for a switch or mesh")
    element: BytesPerElement = usual(2.0, "b", "bytes of a number travelling in a sum: bf16")
    there_and_back: BytesPerElement = usual(
        3.0, "c", "bytes of a number to an expert and back: fp8 there, bf16 back"
    )
    name: str = "group"


# ---- the terms -----------------------------------------------------------------------------------
# Experts touched are `sparsity.weight_bytes_read`, attention's arithmetic is
# `pricing.attention_flop`, a pipeline's filling `pipelining.fill_bubble`.


@formula
def always_active(model: Model) -> Parameters:
    """Weights that every token uses: attention, shared experts, embeddings.

    Equation: S = N_a (1 - f), f the share of the active weights that sits in chosen experts.
    Ignores: dense layers among the sparse ones.
    Source: assumption d11; `sparsity.expert_share`.

    >>> m = Model(n_total=100e9, n_active=28e9, experts=10, experts_active=1)
    >>> round(float(always_active(m)) / 1e9, 6)
    20.0
    """
    return model.n_active * maximum(1 - expert_share(model), 0)


@formula
def all_reduce_time(
    tokens: Sequences, model: Model, group: Group, efficiency: Efficiency
) -> Seconds:
    """Time in which activations travel when each matrix is cut across all chips of the group.

    Two sums a layer, each over T d numbers. Most software sends the parts round a ring through
    all chips, D of them side by side, so that the slowest link on the way sets the pace: inside
    the box, or D network cards between boxes.

    Equation: 4 n T d b (G-1)/G max(1 / W_up, 1 / (D W_out)) / e_l, b bytes a number; the
    second only if there is more than one box.
    Ignores: overlap with arithmetic; trees and in-network sums.
    Source: assumption d8; a ring all-reduce sends 2 (G-1)/G of the data over each link.

    >>> m = Model(n_total=1e9, n_active=1e9, layers=10, d_model=1000)
    >>> g = Group(1e15, 1e15, 1e12, chips=8, domain=8, link=7e9, card=1e9)
    >>> round(float(all_reduce_time(100, m, g, IDEAL)), 6)
    0.001
    """
    inside = _inside(group)
    between = where(_boxes(group) > 1, 1 / (inside * group.card), 0)
    pace = maximum(1 / group.link, between) / efficiency.link
    round_trip = (group.chips - 1) / group.chips
    return 4 * model.layers * _activations(tokens, model, group) * round_trip * pace


@formula
def torus_time(tokens: Sequences, model: Model, group: Group, efficiency: Efficiency) -> Seconds:
    """Time in which activations or weights travel on a torus, in the best of three layouts.

    One-dimensional: as `all_reduce_time`. Two-dimensional: each matrix is cut along rows and
    columns, so a chip exchanges parts of an activation only. Gathered: the weights travel and
    the activations stay, which pays for very many tokens.

    Equation: min(all-reduce, 8 n T d b / (sqrt(G) W_up e_l), N_t w / (W_up e_l)).
    Ignores: which shapes a torus of G chips really has.
    Source: Pope et al. 2022, section 3.2 (a feed-forward block four times as wide as d).

    >>> m = Model(n_total=1e12, n_active=1e12, bytes_per_param=1, layers=10, d_model=1000)
    >>> g = Group(1e15, 1e15, 1e12, chips=64, domain=4096, link=1e9, card=1e9, torus=3)
    >>> round(float(torus_time(100, m, g, IDEAL)), 6)
    0.002
    """
    rate = group.link * efficiency.link
    square = 8 * model.layers * _activations(tokens, model, group) / (sqrt(group.chips) * rate)
    gathered = model.n_total * model.bytes_per_param / rate
    return minimum(all_reduce_time(tokens, model, group, efficiency), square, gathered)


@formula
def exchange_time(tokens: Sequences, model: Model, group: Group, efficiency: Efficiency) -> Seconds:
    """Time in which tokens travel to their experts and back, a copy for each chip or box concerned.

    Each chip starts with an equal part of the tokens. What crosses between boxes crosses once
    for each box and is passed on inside it.

    Equation: n (T/G) d c max(D'/W_up, m'/W_out) / e_l, c bytes a number there and back, D' the
    other chips of a box and m' the other boxes that a token must reach (`racks.remote_racks`).
    Ignores: experts placed or chosen so as to stay near; overlap.
    Source: row M12, assumptions d8 and d20; expert parallelism as DeepSeek serves it.

    >>> m = Model(n_total=2e9, n_active=1e9, layers=10, d_model=1000, experts=64, experts_active=1)
    >>> g = Group(1e15, 1e15, 1e12, chips=4, domain=4, link=1e9, card=1e9)
    >>> round(float(exchange_time(400, m, g, IDEAL)), 9)  # 100 tokens, 3/4 of them, 10 x 3 kB each
    0.00225
    """
    inside, boxes = _inside(group), _boxes(group)
    to_chips = remote_racks(inside, inside, model) / group.link
    to_boxes = remote_racks(boxes, boxes, model) / group.card
    carried = tokens / group.chips * model.d_model * group.there_and_back
    return model.layers * carried * maximum(to_chips, to_boxes) / efficiency.link


@formula
def rounds(group: Group) -> Ratio:
    """Rounds that half a layer waits for: its launches, then the steps of its exchange.

    Equation: 2 + log2 D' + 2 log2 m, with D' chips in a box and m boxes; a round between boxes
    counts twice, out through one network card and in through another.
    Ignores: the shape of a torus (a 4 x 4 x 4 torus needs 6 hops, and log2 64 = 6).
    Source: recursive doubling adds up over G places in log2 G rounds.

    >>> round(float(rounds(Group(1e15, 1e15, 1e12, chips=16, domain=8, link=1e9, card=1e9))), 9)
    7.0
    """
    return LAUNCHES + (log(_inside(group)) + 2 * log(_boxes(group))) / math.log(2)


@formula
def latency_time(model: Model, group: Group, efficiency: Efficiency) -> Seconds:
    """Time a pass spends waiting for launches and exchanges that carry next to nothing.

    Equation: 2 n lambda rounds.
    Ignores: that a torus, a switch and a network card each have a latency of their own.
    Source: assumption d21.

    >>> m = Model(n_total=1e9, n_active=1e9, layers=10)
    >>> g = Group(1e15, 1e15, 1e12, chips=8, domain=8, link=1e9, card=1e9)
    >>> round(float(latency_time(m, g, IDEAL.replace(latency=1e-6))), 9)
    0.0001
    """
    return 2 * model.layers * efficiency.latency * rounds(group)


def _activations(tokens: Any, model: Model, group: Group) -> Any:
    return tokens * model.d_model * group.element


def _inside(group: Group) -> Any:
    return minimum(group.chips, group.domain)


def _boxes(group: Group) -> Any:
    return ceil(group.chips / group.domain)


# ---- the floor -----------------------------------------------------------------------------------


@formula
def step_floor(batch: Sequences, context: Tokens, model: Model, group: Group) -> Seconds:
    """Least time of a decode step: `roofline.step_time`, for groups of chips in a row.

    While one group works on a token the others can work on other tokens, so arithmetic and
    caches use every group; but a token meets the weights of each group at one group's pace.

    Equation: max(2 B N_a / (P F), N_t w / W + B L k / (P W)).
    Ignores: everything in this module.
    Source: lecture, rows B6 to B8 and P16.

    >>> m = Model(n_total=1e12, n_active=1e12, bytes_per_param=1, kv_bytes_per_token=0)
    >>> g = Group(1e15, 1e15, 2e12, chips=8, domain=8, link=1e9, card=1e9, stages=3)
    >>> float(step_floor(1, 0, m, g))
    0.5
    """
    everything = _all_groups(group)
    memory = weight_time(model, _one_group(group)) + kv_time(batch, context, model, everything)
    return maximum(compute_time(batch, model, everything), memory)


@formula
def run_floor(
    batch: Sequences, prompt: Tokens, output: Tokens, before: Tokens, model: Model, group: Group
) -> Seconds:
    """Least time to read a prompt and then write some tokens, for every sequence of a batch.

    The prompt is one pass over B T tokens; then come the decode steps, at their mean context:
    the mean of a maximum is never below the maximum of the means, so this is still a floor.

    Equation: max(2 B T N_a / (P F), N_t w / W) + O step_floor(B, L + T + (O - 1) / 2).
    Ignores: everything in this module.
    Source: lecture, rows B6 to B8 and B23.

    >>> m = Model(n_total=1e12, n_active=1e12, bytes_per_param=1, kv_bytes_per_token=0)
    >>> g = Group(1e15, 1e15, 2e12, chips=8, domain=8, link=1e9, card=1e9)
    >>> float(run_floor(1, 1000, 10, 0, m, g))
    7.0
    """
    tokens = maximum(batch * prompt, 1)
    context = _mean_context(prompt, output, before)
    reading = maximum(
        compute_time(tokens, model, _all_groups(group)),
        weight_time(model, _one_group(group)) + kv_time(batch, before, model, _all_groups(group)),
    )
    return where(prompt > 0, reading, 0) + output * step_floor(batch, context, model, group)


def _one_group(group: Group) -> System:
    return System(flops=group.flops, bandwidth=group.bandwidth)


def _all_groups(group: Group) -> System:
    return System(flops=group.stages * group.flops, bandwidth=group.stages * group.bandwidth)


def _mean_context(prompt: Any, output: Any, before: Any) -> Any:
    return before + prompt + maximum(output - 1, 0) / 2


# ---- the forecast --------------------------------------------------------------------------------


@formula
def step_time_forecast(
    batch: Sequences, context: Tokens, model: Model, group: Group, efficiency: Efficiency
) -> Seconds:
    """Time that a decode step may be expected to take: the floor with every term added.

    Equation: matrix products max(2 T N_a / F, touched w / W), then attention
    max(2 T L A n / F_16, T L k / W), then the exchange of activations and its latency; with P
    stages, min(B, P) micro-batches go round. A model with experts takes the faster of two
    layouts: all matrices cut across the chips, or whole experts on chips that share out the
    batch, the exchange then hidden behind the other half of the batch.
    Ignores: speculative decoding (d17), skewed experts (d20), idle time between steps (d16).
    Raises: MissingFact where the model's shape is not known; `ready` fills what can be guessed.
    Source: chapter 9; constants from `fitted`.

    >>> m = Model(n_total=1e12, n_active=1e12, bytes_per_param=1, kv_bytes_per_token=0, layers=10,
    ...           d_model=1000, attention_width=1, experts=1, experts_active=1)
    >>> g = Group(1e15, 1e15, 2e12, chips=1, domain=8, link=1e9, card=1e9)
    >>> round(float(step_time_forecast(1, 0, m, g, IDEAL)), 6)
    0.5
    """
    return _decode_step(batch, context, model, group, efficiency, TERMS)


@formula
def run_time_forecast(
    batch: Sequences,
    prompt: Tokens,
    output: Tokens,
    before: Tokens,
    model: Model,
    group: Group,
    efficiency: Efficiency,
) -> Seconds:
    """Time to expect for a run: read a prompt, then write some tokens, for every sequence.

    Equation: as `step_time_forecast`, a prompt being a pass over B T tokens with context
    L + T / 2. P stages read it as m = min(B, P) micro-batches, in (m + P - 1) / P times the
    time of one of them.
    Ignores: what `step_time_forecast` ignores; prompts cut into pieces.
    Source: chapter 9; constants from `fitted`.

    >>> m = Model(n_total=1e12, n_active=1e12, bytes_per_param=1, kv_bytes_per_token=0, layers=10,
    ...           d_model=1000, attention_width=1, experts=1, experts_active=1)
    >>> g = Group(1e15, 1e15, 2e12, chips=1, domain=8, link=1e9, card=1e9)
    >>> round(float(run_time_forecast(1, 1000, 10, 0, m, g, IDEAL)), 4)
    7.0
    """
    return run_time(batch, prompt, output, before, model, group, efficiency)


def run_time(
    batch: Any,
    prompt: Any,
    output: Any,
    before: Any,
    model: Model,
    group: Group,
    efficiency: Efficiency,
    terms: Collection[str] = TERMS,
) -> Any:
    """`run_time_forecast` with some of the `TERMS` only; with none of them it is `run_floor`."""
    for term in terms:
        if term not in TERMS:
            raise InputError(f"unknown term {term!r}; the terms are {', '.join(TERMS)}")
    micro = minimum(batch, group.stages) if "pipeline" in terms else 1
    # a pass is the work of all stages one after the other, so m of them keep each stage busy for
    # m / P passes; the pipeline's bubble comes on top
    busy = micro / group.stages if "pipeline" in terms else 1
    bubble = fill_bubble(group.stages, micro, 1) if "pipeline" in terms else 0
    reading = (
        busy
        / (1 - bubble)
        * _pass(
            maximum(batch * prompt / micro, 1),
            batch / micro,
            before + prompt / 2,
            before,
            model,
            group,
            efficiency,
            terms,
        )
    )
    context = _mean_context(prompt, output, before)
    step = _decode_step(batch, context, model, group, efficiency, terms)
    return where(prompt > 0, reading, 0) + output * step


def _decode_step(
    batch: Any, context: Any, model: Model, group: Group, efficiency: Efficiency,
    terms: Collection[str],
) -> Any:  # fmt: skip
    micro = minimum(batch, group.stages) if "pipeline" in terms else 1
    own = batch / micro
    return _pass(own, own, context, context, model, group, efficiency, terms)


def _pass(
    tokens: Any, sequences: Any, context: Any, cached: Any, model: Model, group: Group,
    efficiency: Efficiency, terms: Collection[str],
) -> Any:  # fmt: skip
    """One pass of `tokens` through all layers: each attends to `context` tokens on average, and
    each sequence's cache of `cached` tokens is read once.
    """
    if "shares" not in terms:
        efficiency = IDEAL.replace(latency=efficiency.latency)
    # without the pipeline's own term its groups work as if on different tokens all the time
    groups = 1 if "pipeline" in terms else group.stages
    real = System(
        flops=group.flops * efficiency.compute, bandwidth=group.bandwidth * efficiency.bandwidth
    )
    arithmetic = compute_time(tokens, model, real) / groups
    cache = kv_time(sequences, cached, model, real) / groups
    everything = model.n_total * model.bytes_per_param
    touched = weight_bytes_read(tokens, model) if "experts" in terms else everything

    def work(weight_bytes: Any) -> Any:
        read = weight_bytes / real.bandwidth
        if "attention" not in terms:
            return maximum(arithmetic, read + cache)
        rate = group.attention_flops * efficiency.compute * groups
        return maximum(arithmetic, read) + maximum(
            tokens * attention_flop(context, model) / rate, cache
        )

    sliced, spread = work(touched), work(touched)
    if "replicas" in terms:
        copies = (group.chips - 1) * always_active(model)
        spread = work(touched + copies * model.bytes_per_param)
    if "bytes" in terms:
        sums = where(
            group.torus > 1,
            torus_time(tokens, model, group, efficiency),
            all_reduce_time(tokens, model, group, efficiency),
        )
        sliced = sliced + sums / groups
        spread = maximum(spread, exchange_time(tokens, model, group, efficiency) / groups)
    waiting = latency_time(model, group, efficiency) if "latency" in terms else 0
    return where(model.experts > 1, minimum(sliced, spread), sliced) + waiting


# ---- from the catalog ----------------------------------------------------------------------------


def group(chip: str, chips: float, precision: str, stages: float = 1) -> Group:
    """`chips` chips of the catalog in all, cut into `stages` groups in a row.

    A chip whose network card is not in the catalog gets its link's rate divided by the ratio
    usual there (the median over chips on a switch); one whose domain is not known is taken
    to have all its chips in one.
    """
    one = catalog.chip(chip)
    if not 1 <= stages <= chips:
        raise InputError(f"stages = {stages:g} must be at least 1 and at most the {chips:g} chips")
    size = chips / stages
    alone = size == 1
    link = one.chip_scale_up if not isinstance(one.chip_scale_up, Unknown) else None
    if link is None and not alone:
        raise InputError(f"the scale-up bandwidth of {one.name} is not known")
    link = link or one.chip_bandwidth  # one chip alone exchanges nothing
    known_card = not isinstance(one.chip_scale_out, Unknown)
    return Group(
        flops=size * one.flops(precision),
        attention_flops=size * (one.flops("bf16") if one.flops_bf16 else one.flops(precision)),
        bandwidth=size * one.chip_bandwidth,
        chips=size,
        domain=size if isinstance(one.domain, Unknown) else one.domain,
        link=link,
        card=one.chip_scale_out if known_card else link / usual_network_ratio(),
        stages=stages,
        torus=one.torus,
        name=f"{chips:g} × {one.name} ({precision})",
    )


def ready(model: Model) -> Model:
    """The model with guesses for what the forecast needs and nobody published.

    Attention as wide as the residual stream in and out; as many experts a token as is usual,
    of as many as its sparsity asks for, and nothing that every token uses.
    """
    changes: dict[str, Any] = {}
    if isinstance(model.attention_width, Unknown):
        changes["attention_width"] = 2 * model.d_model
    if isinstance(model.experts, Unknown) or isinstance(model.experts_active, Unknown):
        sparse = model.n_active < model.n_total
        chosen = usual_experts_active() if sparse else 1.0
        changes["experts_active"] = chosen
        changes["experts"] = chosen * (model.n_total / model.n_active)
    return model.replace(**changes)


@functools.cache
def usual_network_ratio() -> float:
    """Median over the catalog's switched chips of link rate over network card rate."""
    return statistics.median(
        c.chip_scale_up / c.chip_scale_out
        for c in catalog.chips().values()
        if c.kind == "server"
        and not c.torus
        and not isinstance(c.chip_scale_up, Unknown)
        and not isinstance(c.chip_scale_out, Unknown)
    )


@functools.cache
def usual_experts_active() -> float:
    """Median over the catalog's models of the experts a token chooses."""
    return statistics.median(
        m.experts_active
        for m in catalog.models().values()
        if not isinstance(m.experts, Unknown) and m.experts > 1
    )


# ---- the fitted constants and the band -----------------------------------------------------------


@functools.cache
def fitted() -> Efficiency:
    """The four constants, as `python -m memwall.validate --fit` found them."""
    return Efficiency(**{name: _constants()[name] for name in Efficiency.quantities()})


@functools.cache
def band() -> tuple[float, float]:
    """Factors below and above a forecast between which eight runs in ten lie.

    Taken from publications left out of the fit, so it covers new ones too.

    >>> low, high = band()
    >>> low < 1 < high
    True
    """
    return _constants()["band_low"], _constants()["band_high"]


def banded(value: float, unit: str = "s") -> str:
    """A forecast with its band, for people.

    >>> banded(0.0)
    '0 s (0 s to 0 s)'
    """
    low, high = band()
    return f"{human(value, unit)} ({human(value * low, unit)} to {human(value * high, unit)})"


@functools.cache
def _constants() -> dict[str, float]:
    return {r["name"]: float(r["value"]) for r in catalog.table("forecast_old")}
