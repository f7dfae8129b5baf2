"""One deployment: names become nouns, a layout is chosen or refused in words, and the answer is told.

`formulas.deployment` has the arithmetic.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memwall import catalog
from memwall.catalog import engines
from memwall.catalog.config import from_config
from memwall.core.checkpoint import Checkpoint
from memwall.core.nouns import Engine, Layout, System, Unknown, Workload
from memwall.core.units import HOUR, InputError, human, whole
from memwall.formulas import forecast
from memwall.formulas.deployment import RESULTS, Deployment, deployment
from memwall.formulas.layout import (
    cache_bytes_per_chip,
    cache_room_per_chip,
    check_layout,
    promised_concurrency,
    sglang_share,
    usual_layout,
)

MONTH = 365.25 / 12 * 24 * HOUR
THIN = 0.12  # share of a chip's memory below which room for caches is a small rest of large numbers


# --- names become nouns


def read_model(model: str | os.PathLike[str] | dict[str, Any] | Checkpoint, weights: str = "",
               cache: str = "bf16") -> Checkpoint:  # fmt: skip
    """A checkpoint from the catalog's name, a config.json (file, folder or contents), or as it is."""
    if isinstance(model, Checkpoint):
        found = model
    elif isinstance(model, dict):
        found = from_config(model)
    else:
        path = Path(model)
        if (path / "config.json").is_file():
            path = path / "config.json"
        if path.suffix != ".json":
            return catalog.checkpoint(str(model), weights, cache)
        found = from_config(path)
    return (found.with_weights(weights) if weights else found).stored(cache)


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
        # a rank of attention data parallelism keeps its sequences to itself: each must hold one
        return self.result.largest_concurrency >= self.layout.dp

    @property
    def binds(self) -> str:
        """What to change first: what fails, or else what takes most of a token's time."""
        r = self.result
        if not r.room:
            return "weights"
        if not self.fits or r.largest_concurrency < self.workload.users:
            return "cache"
        if r.time_per_token > 2 * r.step / r.kept:
            return "prompts"
        return max(r.step_parts, key=r.step_parts.__getitem__)

    @property
    def cache_tokens(self) -> float:
        """Tokens that fit at this length of request, all sequences of a replica together."""
        return self.result.largest_concurrency * (self.workload.prompt + self.workload.output)

    @property
    def promised_concurrency(self) -> float:
        """Requests of this length that vLLM's log would promise: fewer, where layers have windows."""
        length = self.workload.prompt + self.workload.output
        one = promised_concurrency(
            self.result.room, length, self.checkpoint, self.layout, self.engine
        )
        return float(one)

    @property
    def cache_line(self) -> tuple[float, float]:
        """Bytes on a chip that a sequence costs at once, and per token at this length: a fixed part and a slope."""
        length = self.workload.prompt + self.workload.output
        near, far = (
            float(cache_bytes_per_chip(self.layout.dp, n, self.checkpoint, self.layout))
            for n in (length, 1.01 * length)
        )
        slope = (far - near) / (0.01 * length)
        return max(near - slope * length, 0.0), slope

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
            "fits_concurrency": bool(self.result.largest_concurrency >= self.workload.users),
            "what_binds": self.binds,
            "reasons": list(self.notes),
            "engine": self.engine.name,
            "memory_share": float(self.engine.memory_share),
            "layout": {n: int(getattr(self.layout, n)) for n in ("tp", "dp", "ep", "pp")},
            "replicas": self.replicas,
            "cache_tokens": self.cache_tokens,
            "promised_concurrency": self.promised_concurrency,
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
    cache: str = "bf16", engine: str = "vLLM", memory_share: float | None = None,
    batched_tokens: float | None = None, max_sequences: float | None = None, eager: bool = False,
    allowance: float | None = None, drafts: float = 0, acceptance: float | None = None,
    dollars_per_hour: float | None = None, kind: str = "",
) -> Plan:  # fmt: skip
    """Everything about one deployment.

    model: a name of the catalog, the path or the contents of a config.json, or a `Checkpoint`. chip:
    a name of the catalog. chips: in all, cut into `replicas` that serve different users; tp, dp, ep,
    pp: the layout of one of them, chosen as a practitioner would (and said in `notes`) if left out.
    users: requests in flight on one replica, each of `prompt` and `output` tokens, a share `cached`
    of the prompt found in a cache. weights, cache: how they are stored, as released and in 16 bit if
    left out. engine: whose rules share out the memory, with its version if it is not the newest:
    "vLLM 0.10", "SGLang". memory_share, batched_tokens, max_sequences: vLLM's gpu_memory_utilization,
    max_num_batched_tokens and max_num_seqs, the engine's own for the chip if left out; eager: without
    captured graphs; allowance: bytes that driver and libraries take of a chip. drafts: further tokens
    that a step guesses for each user (vLLM's num_speculative_tokens), each right with the chance
    `acceptance` if all before it were. kind: whose constants, `forecast.CLASSES`.

    A deployment that does not fit is still computed, and says so in `fits` and `notes`.
    Raises: InputError for impossible input; MissingFact where the catalog lacks what is needed.
    """
    whole("chips", chips)
    whole("replicas", replicas)
    if chips % replicas:
        raise InputError(f"{chips} chips cannot be cut into {replicas} equal replicas")
    checkpoint, one = read_model(model, weights, cache), catalog.chip(chip)
    own = chips // replicas
    system = one.machine(own, dollars_per_hour)
    workload = Workload(prompt=prompt, output=output, cached=cached, users=users)
    given = {"tp": tp, "dp": dp, "ep": ep, "pp": pp}
    changes = told(
        memory_share=memory_share, batched_tokens=batched_tokens, sequences=max_sequences,
        allowance=allowance, graph=0.0 if eager else None, drafts=float(drafts), acceptance=acceptance,
    )  # fmt: skip
    rules = engines.engine(engine, float(system.capacity) / own, one.name).replace(**changes)
    chosen, said = _layout(checkpoint, system, users, given, rules)
    rules = with_share(rules, system, chosen)
    kind = kind or forecast.class_of(one.kind)
    result = deployment(checkpoint, system, chosen, workload, rules, forecast.fitted(kind))
    times = f"{replicas} × " if replicas > 1 else ""
    return Plan(
        title=f"{checkpoint.name} on {times}{system.name}", checkpoint=checkpoint, system=system,
        layout=chosen, workload=workload, engine=rules, replicas=replicas, result=result, kind=kind,
        notes=(said, *_remarks(checkpoint, system, chosen, workload, rules, result)),
    )  # fmt: skip


def told(**settings: float | None) -> dict[str, float]:
    """What of an engine's settings was given; the rest is as the engine has it."""
    return {name: value for name, value in settings.items() if value is not None}


def with_share(engine: Engine, system: System, layout: Layout) -> Engine:
    """The engine with the share of memory that it would work out itself, if none is stated."""
    if not isinstance(engine.memory_share, Unknown):
        return engine
    return engine.replace(memory_share=float(sglang_share(engine, system, layout)))


def _layout(
    checkpoint: Checkpoint, system: System, users: float, given: dict[str, int | None],
    engine: Engine,
) -> tuple[Layout, str]:  # fmt: skip
    """The layout given, what is missing of it filled in; or the usual one that fits. With a sentence."""
    chips = int(system.chips)
    if all(value is None for value in given.values()):

        def fits(layout: Layout) -> bool:
            known = with_share(engine, system, layout)
            return float(cache_room_per_chip(checkpoint, system, layout, known)) > 0

        layout, why = usual_layout(checkpoint, chips, float(system.domain), users, fits)
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
    checkpoint: Checkpoint,
    system: System,
    layout: Layout,
    workload: Workload,
    engine: Engine,
    result: Deployment,
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
    elif result.largest_concurrency < layout.dp:
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
    seats = engine.sequences * layout.dp
    if result.running > seats:
        yield (
            f"{human(math.floor(result.running))} run at once; {engine.name} lets in {human(seats)} "
            "unless max_num_seqs is raised."
        )
    if 0 < result.room < THIN * system.capacity / system.chips:
        yield (
            f"Only {human(float(result.room), 'B')} of {chip} are left for caches: a small rest of "
            "large numbers, of which engines have taken several GB more than this arithmetic."
        )
