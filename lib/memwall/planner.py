"""Planner: a model, some traffic and a budget, answered with chips, waits and dollars.

    plan("DeepSeek-V3", "H200", chips=8, users=64, prompt=2000, output=500)
    alternatives("Llama-3.1-70B", rate=20, prompt=2000, output=500, token_rate=30, first_token=1)
    python -m memwall.planner MODEL|config.json CHIP --chips N [--tp --dp --ep --pp ...] --format json

`formulas.deployment` has the arithmetic; here names become nouns, a layout is chosen or refused in
words, and the answer gets its sentence.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from memwall.core import catalog
from memwall.core.catalog import Chip
from memwall.core.checkpoint import Checkpoint
from memwall.core.config import from_config
from memwall.core.nouns import Engine, Layout, System, Unknown, Workload
from memwall.core.units import HOUR, InputError, human, whole
from memwall.formulas import forecast
from memwall.formulas.deployment import RESULTS, Deployment, deployment
from memwall.formulas.layers import held_bytes
from memwall.formulas.layout import check_layout, layouts, usual_layout

MONTH = 365.25 / 12 * 24 * HOUR


# --- names become nouns


def read_model(model: str | os.PathLike[str] | dict[str, Any] | Checkpoint, weights: str = "",
               cache: str = "bf16") -> Checkpoint:  # fmt: skip
    """A checkpoint from the catalog's name, a config.json (path or contents), or as it is."""
    if isinstance(model, Checkpoint):
        found = model
    elif isinstance(model, dict) or str(model).endswith(".json") or os.path.sep in str(model):
        found = from_config(model)
    else:
        return catalog.checkpoint(str(model), weights, cache)
    return (found.with_weights(weights) if weights else found).stored(cache)


def machine(chip: Chip, chips: int, dollars_per_hour: float | None = None) -> System:
    """`chips` of them as a deployment needs them: what a driver reports, rates for every width.

    A width that a chip cannot multiply runs at the next wider one. A chip whose network card is not
    known is taken to have none: its groups stay inside a domain. A domain that is not known joins
    all of them, as cards in one box are.
    """
    wide = chip.flops_bf16
    narrow = chip.flops_fp8 or wide
    rent = chip.rent if dollars_per_hour is None else dollars_per_hour / HOUR

    def times(value: Any) -> Any:
        return value if isinstance(value, Unknown) else chips * value

    link = chip.chip_scale_up or (chip.chip_bandwidth if chips == 1 else chip.chip_scale_up)
    return System(
        flops=times(narrow),
        bandwidth=times(chip.chip_bandwidth),
        capacity=times(chip.driver_capacity or chip.chip_capacity),
        scale_up=times(link),
        scale_out=times(chip.chip_scale_out or link),
        chips=chips,
        dollars_per_second=times(rent),
        domain=chip.domain or chips,
        bf16_flops=times(wide),
        fp8_flops=times(narrow),
        fp4_flops=times(chip.flops_fp4 or narrow),
        torus=chip.torus,
        name=f"{chips} × {chip.name}",
    )


# --- one deployment


@dataclass(frozen=True)
class Plan:
    """One deployment in numbers, with what binds and what is to be said about it."""

    title: str
    checkpoint: Checkpoint
    system: System
    layout: Layout
    workload: Workload
    engine: Engine
    replicas: int
    result: Deployment
    notes: tuple[str, ...]
    kind: str

    def __getattr__(self, name: str) -> Any:
        # the results are the plan's own attributes: plan.step, plan.first_token
        if name != "result" and name in Deployment.__dataclass_fields__:
            return getattr(self.result, name)
        raise AttributeError(name)

    @property
    def fits(self) -> bool:
        """Whether the weights and at least one request of this length fit."""
        return self.result.largest_concurrency >= 1

    @property
    def binds(self) -> str:
        """What to change first: what fails, or else what takes most of a token's time."""
        r = self.result
        if not r.room:
            return "weights"
        if r.largest_concurrency < min(self.workload.users, max(self.workload.users, 1)):
            return "cache"
        if r.time_per_token > 2 * r.step:
            return "prompts"
        return max(r.step_parts, key=r.step_parts.__getitem__)

    @property
    def cache_tokens(self) -> float:
        """Tokens that fit at this length of request, all sequences of a replica together."""
        return self.result.largest_concurrency * (self.workload.prompt + self.workload.output)

    @property
    def cache_line(self) -> tuple[float, float]:
        """Bytes on a chip that a sequence costs at once, and per token at this length: a fixed part and a slope."""
        length = self.workload.prompt + self.workload.output
        share = self.result.sequence_bytes
        held = [
            sum(float(held_bytes(n, g)) for g in self.checkpoint.groups)
            for n in (length, 1.01 * length)
        ]
        slope = (held[1] / held[0] - 1) / (0.01 * length) * share
        return max(share - slope * length, 0.0), slope

    def band(self, of: str = "tpot") -> tuple[float, float]:
        """Factors around a forecast between which eight of ten published runs of this class lie."""
        return forecast.band(self.kind, of)

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Label, value, band and chapter of every result, printed for people."""
        bands = {
            "step": "tpot",
            "time_per_token": "tpot",
            "prompt_time": "ttft",
            "first_token": "ttft",
        }
        found = []
        for name, (label, unit, chapter) in RESULTS.items():
            value = getattr(self.result, name)
            if isinstance(value, Unknown) or value is None:
                found.append((label, "rent not known: enter yours", "", chapter))
                continue
            span = ""
            if name in bands:
                low, high = (value * f for f in self.band(bands[name]))
                span = f"{human(low, unit)} to {human(high, unit)}"
            found.append((label, human(float(value), unit), span, chapter))
        return found

    def as_dict(self) -> dict[str, Any]:
        """Everything that a program may want, in SI: numbers, reasons, layout."""
        fixed, slope = self.cache_line
        numbers = {name: _plain(getattr(self.result, name)) for name in RESULTS}
        return {
            "title": self.title,
            "fits": bool(self.fits),
            "what_binds": self.binds,
            "reasons": list(self.notes),
            "layout": {n: getattr(self.layout, n) for n in ("tp", "dp", "ep", "pp")},
            "replicas": self.replicas,
            "cache_tokens": self.cache_tokens,
            "cache_fixed_bytes_per_sequence_per_chip": fixed,
            "cache_bytes_per_token_per_chip": slope,
            "weight_bytes_per_chip": _plain(self.result.weight_bytes),
            "cache_bytes_per_chip": _plain(self.result.room),
            **numbers,
            "step_parts": {k: _plain(v) for k, v in self.result.step_parts.items()},
            "bands": {of: self.band(of) for of in ("tpot", "ttft")},
        }

    def __repr__(self) -> str:
        lines = [f"{a:34} {b:>22}  {c}" for a, b, c, _ in self.rows()]
        return "\n".join([self.title, *lines, f"{'what binds':34} {self.binds:>22}", *self.notes])

    def _repr_html_(self) -> str:
        from memwall.views.table import table

        columns = ("", "value", "eight runs in ten", "derived in")
        made = table(columns, self.rows(), self.title, heads=True, notes=self.notes)
        return made._repr_html_()


def _plain(value: Any) -> float | None:
    return None if isinstance(value, Unknown) or value is None else float(value)


def plan(
    model: Any, chip: str, chips: int = 1, *, tp: int | None = None, dp: int | None = None,
    ep: int | None = None, pp: int | None = None, replicas: int = 1, users: float = 64,
    prompt: float = 2000, output: float = 500, cached: float = 0.0, weights: str = "",
    cache: str = "bf16", memory_share: float = 0.92, batched_tokens: float = 8192,
    max_sequences: float = 256, allowance: float | None = None,
    dollars_per_hour: float | None = None, kind: str = "",
) -> Plan:  # fmt: skip
    """Everything about one deployment.

    model: a name of the catalog, the path or the contents of a config.json, or a `Checkpoint`. chip:
    a name of the catalog. chips: in all, cut into `replicas` that serve different users; tp, dp, ep,
    pp: the layout of one of them, chosen as a practitioner would (and said in `notes`) if left out.
    users: requests in flight on one replica, each of `prompt` and `output` tokens, a share `cached`
    of the prompt found in a cache. weights, cache: how they are stored, as released and in 16 bit if
    left out. memory_share, batched_tokens, max_sequences: vLLM's gpu_memory_utilization,
    max_num_batched_tokens and max_num_seqs. kind: whose constants, `forecast.CLASSES`.

    A deployment that does not fit is still computed, and says so in `fits` and `notes`.
    Raises: InputError for impossible input; MissingFact where the catalog lacks what is needed.
    """
    whole("chips", chips)
    whole("replicas", replicas)
    if chips % replicas:
        raise InputError(f"{chips} chips cannot be cut into {replicas} equal replicas")
    checkpoint, one = read_model(model, weights, cache), catalog.chip(chip)
    own = chips // replicas
    system = machine(one, own, dollars_per_hour)
    workload = Workload(prompt=prompt, output=output, cached=cached, users=users)
    given = {"tp": tp, "dp": dp, "ep": ep, "pp": pp}
    layout, said = _layout(checkpoint, own, float(system.domain), users, given)
    engine = Engine(
        memory_share=memory_share, batched_tokens=batched_tokens, sequences=max_sequences
    )
    if allowance is not None:
        engine = engine.replace(allowance=allowance)
    kind = kind or class_of(one)
    result = deployment(checkpoint, system, layout, workload, engine, forecast.fitted(kind))
    times = f"{replicas} × " if replicas > 1 else ""
    return Plan(
        title=f"{checkpoint.name} on {times}{system.name}", checkpoint=checkpoint, system=system,
        layout=layout, workload=workload, engine=engine, replicas=replicas, result=result, kind=kind,
        notes=(said, *_remarks(checkpoint, system, workload, result)),
    )  # fmt: skip


def class_of(chip: Chip) -> str:
    """Whose constants a chip is forecast with: engines of servers, or of one user's machine."""
    return "server-2025" if chip.kind in ("server", "card", "sram", "") else "local"


def _layout(
    checkpoint: Checkpoint, chips: int, domain: float, users: float, given: dict[str, int | None]
) -> tuple[Layout, str]:
    """The layout given, what is missing of it filled in; or the usual one. With a sentence."""
    if all(value is None for value in given.values()):
        layout, why = usual_layout(checkpoint, chips, domain, users)
        return layout, f"Layout chosen: {in_words(layout)} ({why})."
    for name, value in given.items():
        if value is not None:
            whole(name, value)
    pp, dp = given["pp"] or 1, given["dp"] or 1
    tp = given["tp"] or max(chips // (dp * pp), 1)
    if tp * dp * pp != chips:
        raise InputError(
            f"tp x dp x pp = {tp} x {dp} x {pp} = {tp * dp * pp} is not the {chips} chips of a replica"
        )
    layout = Layout(tp=tp, dp=dp, ep=given["ep"] or 1, pp=pp)
    check_layout(checkpoint, layout)
    return layout, f"Layout as given: {in_words(layout)}."


def in_words(layout: Layout) -> str:
    """The layout in an engine's letters, ones left out: 'tp 8', 'dp 8, ep 8'."""
    cut = [
        f"{n} {getattr(layout, n):g}" for n in ("tp", "dp", "ep", "pp") if getattr(layout, n) != 1
    ]
    return ", ".join(cut) or "one chip"


def _remarks(
    checkpoint: Checkpoint, system: System, workload: Workload, result: Deployment
) -> Iterable[str]:
    """What a reader of the numbers should be told in words."""
    yield from checkpoint.notes
    chip = human(float(system.capacity / system.chips), "B")
    if not result.room:
        yield (
            f"The weights need {human(float(result.weight_bytes), 'B')} on each chip and the largest "
            f"pass {human(float(result.activation_bytes), 'B')}; a chip has {chip}: take more chips, or "
            "store the weights in fewer bits."
        )
    elif result.largest_concurrency < 1:
        yield (
            f"One request of {workload.prompt + workload.output:,.0f} tokens needs "
            f"{human(float(result.sequence_bytes), 'B')} on a chip, and {human(float(result.room), 'B')} "
            "is left: a shorter context, a narrower cache or more chips would fit."
        )
    elif result.running < workload.users:
        yield (
            f"{human(math.floor(result.largest_concurrency))} of {human(workload.users)} requests fit; "
            "the others wait."
        )


# --- what else could serve it


@dataclass(frozen=True)
class Option:
    """One way to serve some traffic: a chip, a layout, how many replicas; or why it cannot be."""

    chip: str
    layout: Layout
    why: str
    chips: int  # in all
    replicas: int
    users: float  # in flight on each
    result: Deployment | None
    dollars_per_second: float | None
    busy: float  # share of what a replica could do within the targets
    fails: str
    limit: str = ""  # what a fuller replica would run into: speed, first token, cache
    replicas_band: tuple[int, int | None] = (0, None)  # at either end of the forecast's band
    busy_band: tuple[float, float] = (0.0, 0.0)

    @property
    def dollars_per_month(self) -> float | None:
        return None if self.dollars_per_second is None else self.dollars_per_second * MONTH


USERS = np.unique(np.round(np.geomspace(1, 4096, 73)))


def alternatives(
    model: Any, *, rate: float | None = None, users: float | None = None, prompt: float = 2000, output: float = 500, cached: float = 0.0,
    first_token: float = 2.0, token_rate: float = 20.0, chips: Sequence[str] = ("H100", "H200", "B200"),
    most: int = 64, weights: str = "", cache: str = "bf16", memory_share: float = 0.92,
    batched_tokens: float = 8192, max_sequences: float | None = None,
    rents: dict[str, float] | None = None,
) -> list[Option]:  # fmt: skip
    """Every chip and layout for a traffic and two targets, the cheapest that meets them first.

    rate: requests a second in all; or users: requests in flight at any time, in all. first_token: mean seconds allowed to the first token; token_rate:
    tokens a second for each user after it. chips: which may be used; most: chips of one replica at
    most. rents: dollars an hour of a chip where yours differ from the catalog's. max_sequences: the
    engine's own cap on requests running at once, none if left out. What cannot serve is listed after
    what can, with the reason in `fails`.
    """
    if (rate is None) == (users is None):
        raise InputError("say either rate, requests a second, or users, requests in flight")
    traffic = ("rate", rate) if users is None else ("users", users)
    for name, value in (traffic, ("first_token", first_token), ("token_rate", token_rate)):
        if not (isinstance(value, int | float) and value > 0 and math.isfinite(value)):
            raise InputError(f"{name} = {value!r} must be a number greater than 0")
    checkpoint = read_model(model, weights, cache)
    engine = Engine(
        memory_share=memory_share, batched_tokens=batched_tokens, sequences=max_sequences or 256
    )
    found = []
    for name in chips:
        one = catalog.chip(name)
        rent = (rents or {}).get(name)
        if not one.flops_bf16 or isinstance(one.chip_bandwidth, Unknown):
            continue
        for count in _sizes(one, most):
            system = machine(one, count, rent)
            if isinstance(system.scale_up, Unknown):
                continue
            for layout, why in layouts(checkpoint, count, float(system.domain)):
                found.append(
                    _option(checkpoint, one.name, system, layout, why, traffic, first_token, token_rate,
                            Workload(prompt=prompt, output=output, cached=cached, users=USERS),
                            engine, max_sequences or math.inf, class_of(one))
                )  # fmt: skip
    return sorted(found, key=_rank)


def in_a_sentence(option: Option) -> str:
    """An option as one would say it: "16 H200 in 2 groups of 8, 61 to 78 % busy, $31k a month"."""
    if option.fails:
        return f"{option.chip}, {in_words(option.layout)}: {option.fails}"
    each = option.chips // option.replicas
    groups = f" in {option.replicas} groups of {each}" if option.replicas > 1 and each > 1 else ""
    low, high = (human(x, "%") for x in option.busy_band)
    price = option.dollars_per_month
    rent = "rent not known: enter yours" if price is None else f"{human(price, '$')} a month"
    return f"{option.chips} {option.chip}{groups}, {low} to {high} busy, {rent}"


def _rank(option: Option) -> tuple[bool, bool, float, int]:
    price = option.dollars_per_second
    return bool(option.fails), price is None, price or 0.0, option.chips


def _sizes(chip: Chip, most: int) -> list[int]:
    """Sizes of a replica worth trying: powers of two within a domain, and whole domains."""
    domain = int(chip.domain or 8)
    inside = [2**k for k in range(int(math.log2(min(domain, most))) + 1)]
    beyond = [domain * k for k in (2, 4) if domain * k <= most and chip.chip_scale_out]
    return sorted({*inside, *beyond})


def _option(
    checkpoint: Checkpoint, chip: str, system: System, layout: Layout, why: str,
    traffic: tuple[str, float | None], first_token: float, token_rate: float, workload: Workload,
    engine: Engine, cap: float, kind: str,
) -> Option:  # fmt: skip
    """One chip and layout against a traffic: the largest load within the targets, how many replicas
    that makes, and the same at either end of the forecast's band. planner.js has the same search.
    """
    rent = None if isinstance(system.dollars_per_second, Unknown) else system.dollars_per_second
    priced = system.replace(dollars_per_second=rent or 0.0)
    result = deployment(checkpoint, priced, layout, workload, engine, forecast.fitted(kind))
    count = int(system.chips)

    def failed(reason: str) -> Option:
        return Option(chip, layout, why, count, 0, 0.0, None, None, 0.0, reason)

    if not float(np.max(result.room)):
        return failed("the weights do not fit")
    fit = float(result.largest_concurrency)
    if fit < 1:
        return failed("not one request fits beside the weights")

    def reach(slower: float, later: float) -> tuple[int, float, str]:
        """How far load may rise with a token and a first token that much later: the last point of
        `USERS`, what it makes of the traffic's unit, and what stops it there."""
        token, first = slower * result.time_per_token, later * result.first_token
        fast, soon = token * token_rate <= 1, first <= first_token
        good = fast & soon & (workload.users <= min(fit, cap))
        last = (int(np.argmin(good)) if not good.all() else len(good)) - 1
        over = min(last + 1, len(good) - 1)
        limit = "speed" if not fast[over] else "first token" if not soon[over] else "cache"
        if last < 0 or traffic[0] == "users":
            return last, float(workload.users[max(last, 0)]), limit
        one = result.running[last] / (first[last] + (workload.output - 1) * token[last])
        return last, float(one), limit

    last, able, limit = reach(1.0, 1.0)
    if last < 0:
        if limit == "speed":
            best = human(1 / float(result.time_per_token[0]), "token/s")
            return failed(f"too slow even for one user: {best}")
        return failed(
            f"first token after {human(float(result.first_token[0]), 's')} even for one user"
        )
    wanted = float(traffic[1] or 0)
    replicas = max(math.ceil(wanted / able), 1)
    ends = [
        reach(step, first)
        for step, first in zip(forecast.band(kind), forecast.band(kind, "ttft"), strict=True)
    ]
    best, worst = (max(math.ceil(wanted / a), 1) if end >= 0 else None for end, a, _ in ends)
    # with that many replicas each is less than full: as many users as Little's law asks for
    load = workload.users if traffic[0] == "users" else result.request_rate
    here = min(int(np.searchsorted(load[: last + 1], wanted / replicas)), last)
    return Option(
        chip=chip, layout=layout, why=why, chips=count * replicas, replicas=replicas,
        users=float(workload.users[here]), result=_at(result, here),
        dollars_per_second=None if rent is None else float(rent) * replicas,
        busy=wanted / replicas / able, fails="", limit=limit,
        replicas_band=(best or replicas, worst),
        busy_band=(
            wanted / replicas / ends[0][1],
            wanted / replicas / ends[1][1] if worst else math.inf,
        ),
    )  # fmt: skip


def _at(result: Deployment, i: int) -> Deployment:
    """One point of a swept deployment."""

    def pick(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: pick(v) for k, v in value.items()}
        return value[i] if isinstance(value, np.ndarray) and value.ndim else value

    return Deployment(
        **{name: pick(getattr(result, name)) for name in Deployment.__dataclass_fields__}
    )
