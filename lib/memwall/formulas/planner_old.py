"""Planner: one deployment, from chips and users to seconds and dollars, with its error.

    plan("DeepSeek-V3", "H200", chips=8, precision="fp8", batch=64, prompt=2000, output=500)

It puts the formulas of the other chapters side by side: does it fit (chapter 1), what sets the
pace (chapters 1 and 2), how long a step takes with everything the blackboard leaves out and how
wrong that is (chapter 9), and what a token costs (chapters 1 and 6).

A fleet of chips is cut four ways. `replicas` (data parallelism) serve different users; inside a
replica `stages` groups stand in a row (pipeline parallelism); inside a group each matrix is cut
across the chips (tensor parallelism) or whole experts sit on different chips (expert
parallelism), whichever the forecast finds faster.
"""

from __future__ import annotations

import csv
import html
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import IO, Any

from ..core import catalog
from ..core.algebra import formula, maximum, minimum
from ..core.nouns import Model, Noun, Unknown, quantity
from ..core.units import (
    HOUR,
    Bytes,
    BytesPerSecond,
    Count,
    DollarsPerSecond,
    DollarsPerToken,
    Fraction,
    InputError,
    Seconds,
    Sequences,
    Tokens,
    human,
)
from . import forecast_old as forecast
from .forecast_old import Efficiency, Group
from .pricing import attention_flop
from .roofline import resident_bytes
from .sparsity import weight_bytes_read


@dataclass(frozen=True)
class Replica(Noun):
    """The chips that hold one copy of the model: what they can keep, and what they cost."""

    capacity: Bytes = quantity("C", "HBM of one replica", required=True)
    chips: Count = quantity("G", "chips of one replica", required=True)
    rent: DollarsPerSecond = quantity(r"\$", "rent of one replica")
    card: BytesPerSecond = quantity(r"W_\mathrm{out}", "network cards of one replica, together")
    name: str = "replica"


@formula
def free_bytes(model: Model, replica: Replica) -> Bytes:
    """HBM that the weights leave to caches; 0 if the weights alone do not fit.

    Equation: max(C - N_t w, 0).
    Ignores: activations and the software's own buffers, some per cent.
    Source: lecture, row P16.

    >>> m = Model(n_total=70e9, n_active=70e9, bytes_per_param=2)
    >>> float(free_bytes(m, Replica(capacity=640e9, chips=8))) / 1e9
    500.0
    """
    return maximum(replica.capacity - model.n_total * model.bytes_per_param, 0)


@formula
def largest_batch(context: Tokens, model: Model, replica: Replica) -> Count:
    """Sequences of a given context whose caches fit beside the weights; not rounded down.

    Equation: (C - N_t w) / (L k).
    Ignores: what `free_bytes` ignores; fragmentation.
    Source: lecture, row P16.

    >>> m = Model(n_total=70e9, n_active=70e9, bytes_per_param=2, kv_bytes_per_token=100_000)
    >>> float(largest_batch(10_000, m, Replica(capacity=640e9, chips=8)))
    500.0
    """
    return free_bytes(model, replica) / (context * model.kv_bytes_per_token)


@formula
def largest_context(batch: Sequences, model: Model, replica: Replica) -> Tokens:
    """Context that every sequence of a batch can have before the caches no longer fit.

    Equation: (C - N_t w) / (B k).
    Ignores: what `free_bytes` ignores.
    Source: lecture, row P16.

    >>> m = Model(n_total=70e9, n_active=70e9, bytes_per_param=2, kv_bytes_per_token=100_000)
    >>> float(largest_context(500, m, Replica(capacity=640e9, chips=8)))
    10000.0
    """
    return free_bytes(model, replica) / (batch * model.kv_bytes_per_token)


@formula
def first_token_time(
    prompt: Tokens, cached: Fraction, model: Model, group: Group, efficiency: Efficiency
) -> Seconds:
    """Time to expect until a prompt read alone has given its first token.

    Equation: the forecast of a pass over T (1 - f) tokens, with T f tokens already cached.
    Ignores: waiting for a free place; prompts of others in the same pass.
    Source: chapter 9; row X12.

    >>> m = Model(n_total=1e12, n_active=1e12, bytes_per_param=1, kv_bytes_per_token=0, layers=10,
    ...           d_model=1000, attention_width=1, experts=1, experts_active=1)
    >>> g = Group(1e15, 1e15, 2e12, chips=1, domain=8, link=1e9, card=1e9)
    >>> round(float(first_token_time(1000, 0.5, m, g, forecast.IDEAL)), 3)
    1.0
    """
    fresh, kept = prompt * (1 - cached), prompt * cached
    return forecast.run_time(1, fresh, 0, kept, model, group, efficiency)


@formula
def output_cost(step: Seconds, batch: Sequences, replica: Replica) -> DollarsPerToken:
    """Rent of a replica for each token it writes, given how long a step takes.

    Equation: t $ / B.
    Ignores: empty seats, idle hours, margin (d15).
    Source: lecture, row B21; the step's time from chapter 9.

    >>> float(output_cost(0.05, 10, Replica(capacity=2e12, chips=1, rent=0.001)))
    5e-06
    """
    return step * replica.rent / batch


@formula
def input_cost(
    prompt: Tokens, model: Model, group: Group, replica: Replica, efficiency: Efficiency
) -> DollarsPerToken:
    """Rent of a replica for each prompt token it reads, prompts read one at a time.

    Equation: first-token time of an uncached prompt times $ over T.
    Ignores: prompts packed together, which helps short ones; idle hours, margin (d15).
    Source: rows X12 and X17; the pass's time from chapter 9.

    >>> m = Model(n_total=1e12, n_active=1e12, bytes_per_param=1, kv_bytes_per_token=0, layers=10,
    ...           d_model=1000, attention_width=1, experts=1, experts_active=1)
    >>> g = Group(1e15, 1e15, 2e12, chips=1, domain=8, link=1e9, card=1e9)
    >>> r = Replica(capacity=2e12, chips=1, rent=0.001)
    >>> round(float(input_cost(1000, m, g, r, forecast.IDEAL)), 9)
    2e-06
    """
    tokens = maximum(prompt, 1)
    time = first_token_time(tokens, 0, model, group, efficiency)
    return time * replica.rent / tokens


@formula
def cached_cost(model: Model, replica: Replica) -> DollarsPerToken:
    """Rent of a replica while one cached token's entry arrives over its network cards.

    Equation: k $ / W_out.
    Ignores: overlap with other work, which can hide it; keeping the entry (chapter 6).
    Source: rows X16 and X18.

    >>> m = Model(n_total=1e12, n_active=1e12, kv_bytes_per_token=50_000)
    >>> float(cached_cost(m, Replica(capacity=1e12, chips=1, rent=0.001, card=50e9)))
    1e-09
    """
    return model.kv_bytes_per_token * replica.rent / replica.card


@formula
def weights_part(batch: Sequences, model: Model, group: Group, efficiency: Efficiency) -> Seconds:
    """Part of a forecast step in which weights stream from HBM.

    Equation: touched weight bytes / (W e_W), the batch in min(B, P) micro-batches.
    Source: row B23; chapter 9.

    >>> m = Model(n_total=1e12, n_active=1e12, bytes_per_param=1, experts=1, experts_active=1)
    >>> g = Group(1e15, 1e15, 2e12, chips=1, domain=8, link=1e9, card=1e9)
    >>> float(weights_part(1, m, g, forecast.IDEAL))
    0.5
    """
    own = batch / minimum(batch, group.stages)
    return weight_bytes_read(own, model) / (group.bandwidth * efficiency.bandwidth)


@formula
def arithmetic_part(
    batch: Sequences, model: Model, group: Group, efficiency: Efficiency
) -> Seconds:
    """Part of a forecast step in which the arithmetic goes on after the weights have arrived.

    Equation: max(2 T N_a / (F e_F) - weights, 0).
    Source: rows B6 and B7; chapter 9.

    >>> m = Model(n_total=1e12, n_active=1e12, bytes_per_param=1, experts=1, experts_active=1)
    >>> g = Group(1e15, 1e15, 2e12, chips=1, domain=8, link=1e9, card=1e9)
    >>> round(float(arithmetic_part(1000, m, g, forecast.IDEAL)), 6)
    1.5
    """
    own = batch / minimum(batch, group.stages)
    work = 2 * own * model.n_active / (group.flops * efficiency.compute)
    return maximum(work - weights_part(batch, model, group, efficiency), 0)


@formula
def attention_part(
    batch: Sequences, context: Tokens, model: Model, group: Group, efficiency: Efficiency
) -> Seconds:
    """Part of a forecast step in which attention reads its caches, or computes, if that is slower.

    Equation: max(2 T L A n / (F_16 e_F), T L k / (W e_W)).
    Source: rows B8 and X25; chapter 9.

    >>> m = Model(n_total=1e12, n_active=1e12, kv_bytes_per_token=1000, layers=1, attention_width=1)
    >>> g = Group(1e15, 1e15, 2e12, chips=1, domain=8, link=1e9, card=1e9)
    >>> float(attention_part(10, 1e6, m, g, forecast.IDEAL))
    0.005
    """
    own = batch / minimum(batch, group.stages)
    arithmetic = own * attention_flop(context, model) / (group.attention_flops * efficiency.compute)
    reading = own * context * model.kv_bytes_per_token / (group.bandwidth * efficiency.bandwidth)
    return maximum(arithmetic, reading)


@formula
def network_part(
    step: Seconds, weights: Seconds, arithmetic: Seconds, attention: Seconds
) -> Seconds:
    """What is left of a forecast step: exchanges, launches, and weights held more than once.

    Equation: max(t - weights - arithmetic - attention, 0).
    Source: assumptions d8 and d21; chapter 9.

    >>> float(network_part(1.0, 0.5, 0.0, 0.25))
    0.25
    """
    return maximum(step - weights - arithmetic - attention, 0)


@dataclass(frozen=True)
class Plan:
    """All numbers of one deployment, in SI; times and costs with the forecast's band."""

    title: str
    fits: bool
    notes: tuple[str, ...]
    weights_bytes: float
    cache_bytes: float
    free_bytes: float
    largest_batch: float
    largest_context: float
    floor: float
    step: float
    first_token: float
    parts: dict[str, float]
    speed: float
    rate_per_chip: float
    input_cost: float | None
    cached_cost: float | None
    output_cost: float | None
    band: tuple[float, float] = field(default_factory=forecast.band)

    @property
    def binds(self) -> str:
        """The part of the step that takes longest."""
        return max(self.parts, key=self.parts.__getitem__)

    def within(self, value: float) -> tuple[float, float]:
        """The band around a forecast time or cost: eight published runs in ten lie inside."""
        low, high = self.band
        return value * low, value * high

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Label, value, band and chapter of every number, printed for people."""

        def time(label: str, value: float, chapter: str) -> tuple[str, str, str, str]:
            low, high = self.within(value)
            return label, human(value, "s"), f"{human(low, 's')} to {human(high, 's')}", chapter

        def speed(label: str, value: float, chapter: str) -> tuple[str, str, str, str]:
            low, high = (value / b for b in reversed(self.band))
            span = f"{human(low)} to {human(high, 'token/s')}"
            return label, human(value, "token/s"), span, chapter

        def cost(label: str, value: float | None) -> tuple[str, str, str, str]:
            if value is None:
                return label, "rent not known", "", "01_batching"
            low, high = self.within(value)
            span = f"{human(low, '$/token')} to {human(high, '$/token')}"
            return label, human(value, "$/token"), span, "01_batching"

        return [
            ("weights", human(self.weights_bytes, "B"), "", "01_batching"),
            ("caches of this batch", human(self.cache_bytes, "B"), "", "01_batching"),
            ("room left", human(self.free_bytes - self.cache_bytes, "B"), "", "05_pipelining"),
            ("largest batch", human(self.largest_batch // 1, "sequences"), "", "05_pipelining"),
            ("largest context", human(self.largest_context // 1, "tokens"), "", "05_pipelining"),
            ("step, floor", human(self.floor, "s"), "", "02_roofline"),
            time("step, forecast", self.step, "09_measured"),
            time("first token", self.first_token, "06_pricing"),
            speed("speed of one user", self.speed, "09_measured"),
            speed("rate of one chip", self.rate_per_chip, "09_measured"),
            ("what binds", self.binds, "", "02_roofline"),
            cost("input", self.input_cost),
            cost("cached input", self.cached_cost),
            cost("output", self.output_cost),
        ]

    def __repr__(self) -> str:
        lines = [f"{a:22} {b:>20}  {c}" for a, b, c, _ in self.rows()]
        return "\n".join([self.title, *lines, *self.notes])

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><th scope="row"><a href="{d}.html">{a}</a></th><td>{html.escape(b)}</td>'
            f"<td>{html.escape(c)}</td></tr>"
            for a, b, c, d in self.rows()
        )
        notes = "".join(f"<p>{html.escape(n)}</p>" for n in self.notes)
        return (
            f'<div class="mw-table" tabindex="0" role="region" aria-label="{html.escape(self.title)}">'
            f"<table><caption>{html.escape(self.title)}</caption><thead><tr><th></th><th>forecast</th>"
            f"<th>eight runs in ten</th></tr></thead><tbody>{rows}</tbody></table>{notes}</div>"
        )


def deploy(
    model: str | Model, chip: str, chips: int, *, precision: str = "fp8", weights: str = "",
    cache: str = "bf16", stages: int = 1, replicas: int = 1,
    dollars_per_hour: float | None = None,
) -> tuple[Model, Group, Replica]:  # fmt: skip
    """The three nouns of a deployment, made from names of the catalog; impossible cuts are refused."""
    for name, value in (("chips", chips), ("stages", stages), ("replicas", replicas)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InputError(f"{name} = {value!r} must be a whole number, at least 1")
    if chips % (stages * replicas):
        raise InputError(
            f"{chips} chips cannot be cut into {replicas} replicas of {stages} stages: "
            f"{stages * replicas} does not divide {chips}"
        )
    noun = catalog.model(model, weights, cache) if isinstance(model, str) else model
    noun, one = forecast.ready(noun), catalog.chip(chip)
    if not isinstance(noun.layers, Unknown) and stages > noun.layers:
        raise InputError(
            f"stages = {stages} is more than the {noun.layers:g} layers of {noun.name}"
        )
    own = chips // replicas
    group = forecast.group(chip, own, precision, stages)
    rent = one.rent if dollars_per_hour is None else dollars_per_hour / HOUR
    return noun, group, Replica(
        capacity=own * one.chip_capacity,
        chips=own,
        rent=rent if isinstance(rent, Unknown) else own * rent,
        card=own * group.card,
        name=f"{own} × {one.name}",
    )  # fmt: skip


def plan(
    model: str | Model, chip: str, chips: int, *, precision: str = "fp8", weights: str = "",
    cache: str = "bf16", stages: int = 1, replicas: int = 1, batch: float = 64,
    prompt: float = 2000, output: float = 500, cached: float = 0.0, speed: float | None = None,
    dollars_per_hour: float | None = None,
) -> Plan:  # fmt: skip
    """Everything about one deployment.

    model, chip: names of the catalog (or a `Model`). chips: how many in all, cut into `replicas`
    of `stages` groups. precision: of the arithmetic; weights, cache: as stored. batch: sequences
    a replica decodes together; or give `speed` in token/s for one user, and the largest batch that
    reaches it is used. prompt, output: tokens of a request. cached: share of the prompt that hits
    a cache. dollars_per_hour: rent of a chip, the catalog's if left out.

    A deployment that does not fit is still computed, and says so in `fits` and `notes`.
    Raises: InputError for impossible input; MissingFact where the catalog lacks what is needed.
    """
    noun, group, replica = deploy(
        model, chip, chips, precision=precision, weights=weights, cache=cache, stages=stages,
        replicas=replicas, dollars_per_hour=dollars_per_hour,
    )  # fmt: skip
    constants = forecast.fitted()
    context = prompt + output / 2
    notes: list[str] = []
    if speed is not None:
        batch = batch_for_speed(speed, context, noun, group)
        notes.append(
            f"The largest batch at {human(speed, 'token/s')} is {human(batch, 'sequences')}."
        )
    step = float(forecast.step_time_forecast(batch, context, noun, group, constants))
    weights_bytes = float(noun.n_total * noun.bytes_per_param)
    held = float(resident_bytes(batch, context, noun)) - weights_bytes
    free = float(free_bytes(noun, replica))
    fits = weights_bytes + held <= replica.capacity
    if not free:
        notes.append(
            f"The weights alone need {human(weights_bytes, 'B')}, and {replica.name} hold "
            f"{human(replica.capacity, 'B')}: take more chips, or store the weights in fewer bytes."
        )
    elif not fits:
        notes.append(
            f"The caches need {human(held, 'B')}, and the weights leave {human(free, 'B')}: "
            "a smaller batch, a shorter context or a narrower cache would fit."
        )
    if noun.experts > 1 and group.chips > noun.experts:
        notes.append(
            f"{group.chips:g} chips are more than the {noun.experts:g} experts of a layer: "
            "some would hold none."
        )
    priced = not isinstance(replica.rent, Unknown)
    parts = {
        "weights": weights_part(batch, noun, group, constants),
        "arithmetic": arithmetic_part(batch, noun, group, constants),
        "KV cache": attention_part(batch, context, noun, group, constants),
    }
    parts["network"] = network_part(step, *parts.values())
    return Plan(
        title=f"{noun.name} on {replicas} × {replica.name}" if replicas > 1 else f"{noun.name} on {replica.name}",
        fits=bool(fits),
        notes=tuple(notes),
        weights_bytes=weights_bytes,
        cache_bytes=held,
        free_bytes=free,
        largest_batch=float(largest_batch(context, noun, replica)),
        largest_context=float(largest_context(batch, noun, replica)),
        floor=float(forecast.step_floor(batch, context, noun, group)),
        step=step,
        first_token=float(first_token_time(prompt, cached, noun, group, constants)),
        parts={name: float(value) for name, value in parts.items()},
        speed=1 / step,
        rate_per_chip=batch / step / replica.chips,
        input_cost=float(input_cost(prompt, noun, group, replica, constants)) if priced else None,
        cached_cost=float(cached_cost(noun, replica)) if priced else None,
        output_cost=float(output_cost(step, batch, replica)) if priced else None,
    )  # fmt: skip


def batch_for_speed(speed: float, context: float, model: Model, group: Group) -> float:
    """The largest whole batch at which one user still gets `speed` token/s, by bisection."""
    if not speed > 0:
        raise InputError(f"speed = {speed!r} must be greater than 0 token/s")

    def reached(batch: float) -> bool:
        step = forecast.step_time_forecast(batch, context, model, group, forecast.fitted())
        return bool(1 / step >= speed)

    if not reached(1):
        best = 1 / forecast.step_time_forecast(1, context, model, group, forecast.fitted())
        raise InputError(
            f"speed = {speed:g} token/s is out of reach: alone, a user gets {best:.3g} token/s"
        )
    low, high = 1, 2
    while reached(high) and high < 2**24:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if reached(middle) else (low, middle)
    return float(low)


def sweep(grid: dict[str, Iterable[Any]], **fixed: Any) -> list[dict[str, Any]]:
    """Plans over a grid of arguments of `plan`, one flat record for each combination.

    A combination that cannot be is kept, with the reason in its `error`.
    """
    records = []
    for values in itertools.product(*grid.values()):
        chosen = dict(zip(grid, values, strict=True))
        record: dict[str, Any] = {**chosen, "error": ""}
        try:
            p = plan(**{**fixed, **chosen})
        except InputError as reason:
            record["error"] = str(reason)
        else:
            record |= {
                "fits": p.fits, "step_s": p.step, "floor_s": p.floor, "first_token_s": p.first_token,
                "tokens_per_second_user": p.speed, "tokens_per_second_chip": p.rate_per_chip,
                "binds": p.binds, "largest_batch": p.largest_batch,
                "input_usd_per_token": p.input_cost, "output_usd_per_token": p.output_cost,
            }  # fmt: skip
        records.append(record)
    return records


def write_csv(records: list[dict[str, Any]], file: IO[str]) -> None:
    """The records of a sweep as CSV, every column that any record has."""
    columns = list(dict.fromkeys(key for record in records for key in record))
    writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
