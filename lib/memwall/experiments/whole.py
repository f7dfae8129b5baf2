"""Whole runs of 2022 to early 2025: a prompt read and an answer written for every sequence of a batch, timed as one.

A row gives a model's blackboard numbers, a chip, how many, and how many pipeline stages; a layout is
not stated. A model with experts is taken to run in the faster of two: all matrices cut across the chips
of a stage, or sequences spread over them with whole experts on each.
"""

from __future__ import annotations

import csv
import functools
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import catalog
from ..core.nouns import Layout, Model, Unknown
from ..core.units import InputError
from ..formulas import forecast
from ..formulas.forecast import Efficiency
from ..formulas.passes import Pass, decode_pass, least, prompt_pass
from . import predict

NUMBERS = (
    "n_total", "n_active", "n_layers", "d_model", "bytes_per_param", "kv_bytes_per_token",
    "n_chips", "pipeline_stages", "batch", "prompt_tokens", "output_tokens", "context_before",
    "measured_s",
)  # fmt: skip
COLUMNS = ("id", "model", "hardware", "compute_precision", *NUMBERS)


@dataclass(frozen=True)
class Run:
    """One measured run: what was asked of which chips, how long it took, and the passes it makes.

    `reading` and `step` hold a pass for each layout tried; `passes` is how many times a pass of one
    micro-batch the reading takes, 0 where nothing is read.
    """

    id: str
    publication: str
    model: Model
    chip: str
    chips: float
    stages: float
    batch: float
    prompt: float
    output: float
    before: float
    measured: float
    reading: tuple[Pass, Pass]
    step: tuple[Pass, Pass]
    least: Pass
    passes: float


class Runs:
    """Many runs, forecast at once."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self.runs = tuple(runs)

    def __len__(self) -> int:
        return len(self.runs)

    def __iter__(self) -> Any:
        return iter(self.runs)

    def _column(self, name: str) -> np.ndarray:
        return np.array([getattr(r, name) for r in self.runs])

    @functools.cached_property
    def ids(self) -> list[str]:
        """Each run's id."""
        return [r.id for r in self.runs]

    @functools.cached_property
    def publications(self) -> np.ndarray:
        """Where each run was published."""
        return self._column("publication")

    @functools.cached_property
    def measured(self) -> np.ndarray:
        """Seconds that each run took."""
        return self._column("measured")

    @functools.cached_property
    def _passes(self) -> dict[str, list[Pass]]:
        both = {n: [predict.stacked([getattr(r, n)[i] for r in self.runs]) for i in (0, 1)]
                for n in ("reading", "step")}  # fmt: skip
        return {**both, "least": [predict.stacked([r.least for r in self.runs])]}

    def _total(self, reading: np.ndarray, step: np.ndarray) -> np.ndarray:
        return self._column("passes") * reading + self._column("output") * step

    @functools.cached_property
    def floor(self) -> np.ndarray:
        """Least time of each run: arithmetic and reading at peak, stages never waiting for each other."""
        stages, prompts = self._column("stages"), self._column("prompt")
        reading = np.minimum(*map(forecast.pass_floor, self._passes["reading"]))
        # micro-batches follow each other through the stages: together they are one batch's work
        micro = np.minimum(self._column("batch"), stages)
        reading = np.where(prompts > 0, reading * np.maximum(micro / stages, 1 / stages), 0.0)
        step = forecast.pass_floor(self._passes["least"][0])
        return reading + self._column("output") * step

    def predicted(self, efficiency: Efficiency) -> np.ndarray:
        """Time to expect of each run."""
        reading, step = (
            np.minimum(*(forecast.pass_time(p, efficiency) for p in self._passes[name]))
            for name in ("reading", "step")
        )
        return self._total(reading, step)

    def waterfall(self, efficiency: Efficiency) -> list[tuple[str, np.ndarray]]:
        """(term, predicted over measured) as `forecast.TERMS` join the floor one by one."""
        steps = [("floor", self.floor / self.measured)]
        ladders = {n: [dict(forecast.waterfall(p, efficiency)) for p in self._passes[n]]
                   for n in ("reading", "step")}  # fmt: skip
        for term in forecast.TERMS:
            reading, step = (
                np.minimum(*(one[term] for one in ladders[n])) for n in ("reading", "step")
            )
            steps.append((term, self._total(reading, step) / self.measured))
        return steps

    def where(self, keep: Iterable[bool]) -> Runs:
        """The runs that are kept."""
        return Runs(r for r, k in zip(self.runs, keep, strict=True) if k)


@functools.cache
def measured(name: str = "measured") -> Runs:
    """The runs of a table of the catalog; every row of them must make sense."""
    return Runs(run_of(row) for row in catalog.table(name))


def read(path: str | Path) -> tuple[Runs, list[str]]:
    """The runs of a CSV file, and a line for each row that is none: where, and why."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"cannot read {path}: {getattr(error, 'strerror', None) or error}"
        ) from None
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
    missing = [c for c in COLUMNS if c not in reader.fieldnames]
    if missing:
        raise InputError(f"{path} line 1: no column {', '.join(missing)}")
    runs, complaints, seen = [], [], set()
    rows = iter(reader)
    while True:
        try:
            row = next(rows, None)
            if row is None:
                break
            run = run_of(row)
            if run.id in seen:
                raise InputError(f"id {run.id!r} appears twice")
            seen.add(run.id)
            runs.append(run)
        except (InputError, csv.Error) as error:
            complaints.append(f"{path} line {reader.line_num}: {error}")
    return Runs(runs), complaints


def run_of(row: dict[str, Any]) -> Run:
    """A row of text as a run; InputError says what is wrong with it."""
    if None in row or None in row.values():
        raise InputError(f"row {row.get('id')!r} has not as many fields as the header")
    row = {name: value.strip() for name, value in row.items()}
    if not row["id"]:
        raise InputError("id is empty")
    n = {name: _number(name, row[name]) for name in NUMBERS}
    if n["prompt_tokens"] == n["output_tokens"] == 0:
        raise InputError("prompt_tokens and output_tokens are both 0: nothing was run")
    if n["measured_s"] <= 0:
        raise InputError(f"measured_s = {n['measured_s']:g} must be greater than 0")
    if n["batch"] < 1:
        raise InputError(f"batch = {n['batch']:g} must be at least 1")
    if not 1 <= n["pipeline_stages"] <= n["n_chips"]:
        raise InputError(
            f"pipeline_stages = {n['pipeline_stages']:g} must be at least 1 and at most the "
            f"{n['n_chips']:g} chips"
        )
    model = _model(row["model"], n)
    for name in model.quantities():
        if isinstance(getattr(model, name), Unknown):
            raise InputError(f"{name} of {model.name} is not known")
    with np.errstate(all="ignore"):
        passes = _passes(row["hardware"], row["compute_precision"], model, n)
    run = Run(
        id=row["id"], publication=row.get("url") or row.get("source") or "", model=model,
        chip=catalog.chip(row["hardware"]).name, chips=n["n_chips"], stages=n["pipeline_stages"],
        batch=n["batch"], prompt=n["prompt_tokens"], output=n["output_tokens"],
        before=n["context_before"], measured=n["measured_s"], **passes,
    )  # fmt: skip
    _check(run)
    return run


def _passes(hardware: str, precision: str, model: Model, n: dict[str, float]) -> dict[str, Any]:
    chip = catalog.chip(hardware)
    chip.flops(precision)  # refuses a precision that the chip lacks
    checkpoint = predict.blackboard(
        model, {"bf16": "bf16", "fp16": "bf16"}.get(precision, precision)
    )
    stages = n["pipeline_stages"]
    inside = n["n_chips"] / stages
    system = chip.machine(n["n_chips"])
    if isinstance(system.scale_up, Unknown):
        raise InputError(f"the scale-up bandwidth of {chip.name} is not known")
    if isinstance(chip.chip_scale_out, Unknown):
        system = system.replace(scale_out=system.scale_up / usual_network_ratio())
    cut = Layout(tp=inside, pp=stages)
    spread = Layout(dp=inside, ep=inside, pp=stages) if model.experts > 1 and inside > 1 else cut
    micro = min(n["batch"], stages)
    own, prompt, before = n["batch"] / micro, n["prompt_tokens"], n["context_before"]
    context = before + prompt + max(n["output_tokens"] - 1, 0) / 2
    reading = [
        prompt_pass(own, max(prompt, 1.0), before, checkpoint, system, layout)
        for layout in (cut, spread)
    ]
    step = [decode_pass(own, context, checkpoint, system, layout) for layout in (cut, spread)]
    # while one stage works on a token the others may work on other tokens: a floor counts on all
    floor = least(
        decode_pass(n["batch"], context, checkpoint, system, cut),
        n["batch"],
        checkpoint,
        system,
        cut,
    )
    shared = ("dense_arithmetic", "expert_arithmetic", "attention_arithmetic", "cache_reading")
    return {
        "reading": tuple(reading), "step": tuple(step),
        "least": floor.replace(**{name: getattr(floor, name) / stages for name in shared}),
        "passes": (micro + stages - 1) / stages if prompt else 0.0,
    }  # fmt: skip


def _check(run: Run) -> None:
    """Refuse a run whose numbers are each allowed and yet lead nowhere: 1e300 chips, say."""
    alone = Runs((run,))
    with np.errstate(all="ignore"):
        times = np.concatenate([alone.floor, alone.predicted(forecast.IDEAL)])
    if not (np.isfinite(times) & (times > 0)).all():
        raise InputError(f"no finite time comes out of row {run.id!r}: numbers out of scale")


@functools.cache
def usual_network_ratio() -> float:
    """Median over the catalog's switched server chips of link rate over network card rate."""
    known = [c for c in catalog.chips().values() if c.kind == "server" and not c.torus]
    return float(np.median([
        c.chip_scale_up / c.chip_scale_out for c in known if c.chip_scale_up and c.chip_scale_out
    ]))  # fmt: skip


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise InputError(f"{name} = {text!r} is not a number") from None
    if not 0 <= value < np.inf:
        raise InputError(f"{name} = {text} must be finite and at least 0")
    return value


def _model(name: str, n: dict[str, float]) -> Model:
    """The model of a row: its columns, and from the catalog the widths no column gives."""
    shape = Model(
        name=name,
        n_total=n["n_total"],
        n_active=n["n_active"],
        bytes_per_param=n["bytes_per_param"],
        kv_bytes_per_token=n["kv_bytes_per_token"],
        layers=n["n_layers"],
        d_model=n["d_model"],
    )
    try:
        known = catalog.model(name.partition(" (")[0])
    except InputError:
        return predict.ready(shape)
    # a name may begin like another model's; the shape decides
    if known.layers == shape.layers and known.d_model == shape.d_model:
        parts = ("attention_width", "experts", "experts_active")
        sparse = shape.n_active < shape.n_total
        for part in parts if sparse else parts[:1]:
            if not isinstance(getattr(known, part), Unknown):
                shape = shape.replace(**{part: getattr(known, part)})
    return predict.ready(shape)
