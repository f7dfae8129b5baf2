"""Validate: the blackboard and the forecast against machines that exist.

    python -m memwall.validate FILE --format csv      one line a run: floor, forecast, measured
    python -m memwall.validate --fit                  the four constants, their intervals, the band

FILE has the columns of `data/measured.csv` (source, url, date, note and confidence may be
missing). A run reads `prompt_tokens` for each of `batch` sequences, then takes `output_tokens`
decode steps from a context of `context_before + prompt_tokens`; `measured_s` is all of it.
`n_chips` chips stand in `pipeline_stages` groups. A row that makes no sense is named on
standard error, the others are printed, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import csv
import functools
import io
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from ..core import catalog
from ..core.nouns import Model, Unknown
from ..core.tables import write_csv
from ..core.units import InputError, human
from ..formulas.forecast_old import (
    TERMS,
    Efficiency,
    Group,
    band,
    fitted,
    group,
    ready,
    run_floor,
    run_time,
)

NUMBERS = (
    "n_total", "n_active", "n_layers", "d_model", "bytes_per_param", "kv_bytes_per_token",
    "n_chips", "pipeline_stages", "batch", "prompt_tokens", "output_tokens", "context_before",
    "measured_s",
)  # fmt: skip
COLUMNS = ("id", "model", "hardware", "compute_precision", *NUMBERS)
PRINTED = (
    "id", "floor_s", "predicted_s", "low_s", "high_s", "measured_s", "measured_over_floor",
    "predicted_over_measured",
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """One measured run: what was asked of which chips, and how long it took."""

    id: str
    publication: str
    model: Model
    group: Group
    batch: float
    prompt: float
    output: float
    before: float
    measured: float


@dataclass(frozen=True)
class Runs:
    """Many runs as one: nouns whose fields are arrays, for the library reads arrays too."""

    runs: tuple[Run, ...]

    def __len__(self) -> int:
        return len(self.runs)

    def __iter__(self) -> Any:
        return iter(self.runs)

    @functools.cached_property
    def ids(self) -> list[str]:
        return [r.id for r in self.runs]

    @functools.cached_property
    def publications(self) -> np.ndarray:
        return np.array([r.publication for r in self.runs])

    @functools.cached_property
    def measured(self) -> np.ndarray:
        return self._stack("measured")

    @functools.cached_property
    def floor(self) -> np.ndarray:
        return run_floor(*self._work, self._model, self._group)

    def predicted(self, efficiency: Efficiency, terms: Collection[str] = TERMS) -> np.ndarray:
        """Forecast of every run with some of the terms."""
        return run_time(*self._work, self._model, self._group, efficiency, terms)

    def where(self, keep: Iterable[bool]) -> Runs:
        return Runs(tuple(r for r, k in zip(self.runs, keep, strict=True) if k))

    @functools.cached_property
    def _work(self) -> list[np.ndarray]:
        return [self._stack(name) for name in ("batch", "prompt", "output", "before")]

    @functools.cached_property
    def _model(self) -> Model:
        return _stacked([r.model for r in self.runs])

    @functools.cached_property
    def _group(self) -> Group:
        return _stacked([r.group for r in self.runs])

    def _stack(self, name: str) -> np.ndarray:
        return np.array([getattr(r, name) for r in self.runs])


def _stacked(nouns: Sequence[Any]) -> Any:
    names = type(nouns[0]).quantities()
    return type(nouns[0])(**{n: np.array([float(getattr(x, n)) for x in nouns]) for n in names})


# ---- reading -------------------------------------------------------------------------------------


@functools.cache
def measured(name: str = "measured") -> Runs:
    """The runs of a table of the catalog; every row of them must make sense."""
    return Runs(tuple(run_of(row) for row in catalog.table(name)))


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
            _check(run)
            if run.id in seen:
                raise InputError(f"id {run.id!r} appears twice")
            seen.add(run.id)
            runs.append(run)
        except (InputError, csv.Error) as error:
            complaints.append(f"{path} line {reader.line_num}: {error}")
    return Runs(tuple(runs)), complaints


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
    run = Run(
        id=row["id"],
        publication=row.get("url") or row.get("source") or "",
        model=_model(row["model"], n),
        group=group(row["hardware"], n["n_chips"], row["compute_precision"], n["pipeline_stages"]),
        batch=n["batch"],
        prompt=n["prompt_tokens"],
        output=n["output_tokens"],
        before=n["context_before"],
        measured=n["measured_s"],
    )
    for noun in (run.model, run.group):
        for name in noun.quantities():
            if isinstance(getattr(noun, name), Unknown):
                raise InputError(f"{name} of {noun.name} is not known")
    return run


def _check(run: Run) -> None:
    """Refuse a run whose numbers are each allowed and yet lead nowhere: 1e300 chips, say."""
    alone = Runs((run,))
    with np.errstate(all="ignore"):
        times = np.concatenate([alone.floor, alone.predicted(fitted())])
    if not (np.isfinite(times) & (times > 0)).all():
        raise InputError(f"no finite time comes out of row {run.id!r}: numbers out of scale")


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
        return ready(shape)
    # a name may begin like another model's; the shape decides
    if known.layers == shape.layers and known.d_model == shape.d_model:
        parts = ("attention_width", "experts", "experts_active")
        sparse = shape.n_active < shape.n_total
        for part in parts if sparse else parts[:1]:
            if not isinstance(getattr(known, part), Unknown):
                shape = shape.replace(**{part: getattr(known, part)})
    return ready(shape)


# ---- fitting -------------------------------------------------------------------------------------

TOLERANCE = 5e-4  # of a constant's logarithm: far below what the runs can tell
HUBER = 0.2  # errors count by their square up to 20 %, beyond that by their size
START = Efficiency(compute=0.5, bandwidth=0.7, link=0.5, latency=1e-5)


def fit(runs: Runs, counts: np.ndarray | None = None, start: Efficiency = START) -> Efficiency:
    """The four constants that make the forecast of these runs least wrong.

    counts: how often each run counts (a bootstrap's draw); once each if not given.
    """
    weights = np.ones(len(runs)) if counts is None else counts
    names = list(Efficiency.quantities())

    def constants(point: np.ndarray) -> Efficiency:
        # shares end at 1; so does the latency, in seconds, which nobody will notice
        return Efficiency(**dict(zip(names, np.exp(np.minimum(point, 0)), strict=True)))

    def loss(point: np.ndarray) -> float:
        error = np.abs(np.log(runs.predicted(constants(point)) / runs.measured))
        huber = np.where(error < HUBER, error**2 / 2, HUBER * (error - HUBER / 2))
        return float(np.average(huber, weights=weights) + np.maximum(point, 0).sum())

    at = np.log([getattr(start, n) for n in names])
    # no gradients, for the maxima of a forecast have corners
    simplex = np.vstack([at, at + 0.2 * np.eye(len(at))])
    options = {"initial_simplex": simplex, "xatol": TOLERANCE, "fatol": np.inf}
    return constants(_minimize()(loss, at, method="Nelder-Mead", options=options).x)


def _minimize() -> Callable[..., Any]:
    try:
        from scipy.optimize import minimize
    except ImportError:
        raise InputError("fitting needs SciPy: pip install 'memory-wall[fit]'") from None
    return cast(Callable[..., Any], minimize)


def left_out(runs: Runs) -> dict[str, Efficiency]:
    """The constants fitted without each publication in turn."""
    full = fit(runs)
    return {
        p: fit(runs.where(runs.publications != p), start=full) for p in np.unique(runs.publications)
    }


def left_out_ratios(runs: Runs, constants: dict[str, Efficiency]) -> np.ndarray:
    """Predicted over measured, each run by the constants fitted without its publication."""
    ratios = np.empty(len(runs))
    for publication, efficiency in constants.items():
        own = runs.publications == publication
        ratios[own] = runs.where(own).predicted(efficiency) / runs.measured[own]
    return ratios


def bootstrap(runs: Runs, draws: int = 200, seed: int = 9) -> dict[str, tuple[float, float]]:
    """Where eight of ten fits lie when the runs are drawn anew, with repetition."""
    rng = np.random.default_rng(seed)
    full = fit(runs)
    found = []
    for _ in range(draws):
        counts = np.bincount(rng.integers(len(runs), size=len(runs)), minlength=len(runs))
        found.append(fit(runs, counts.astype(float), start=full))
    return {
        name: tuple(np.percentile([getattr(e, name) for e in found], [10, 90]))
        for name in Efficiency.quantities()
    }


def band_of(ratios: np.ndarray) -> tuple[float, float]:
    """Factors on a forecast between which eight measurements in ten of these lay."""
    low, high = np.percentile(1 / ratios, [10, 90])
    return float(low), float(high)


@dataclass(frozen=True)
class Score:
    """How good some predictions are."""

    runs: int
    median_error: float  # of |predicted / measured - 1|
    median_factor: float
    within_1_5: float

    def __str__(self) -> str:
        return (
            f"{self.runs} runs: median error {human(self.median_error, '%')}, "
            f"{human(self.within_1_5, '%')} within a factor 1.5"
        )


def score(ratios: np.ndarray) -> Score:
    """Score predictions by their ratios to what was measured."""
    off = np.abs(np.log(ratios))
    return Score(
        len(ratios),
        float(np.median(np.abs(ratios - 1))),
        float(np.exp(np.median(off))),
        float(np.mean(off <= np.log(1.5))),
    )


def waterfall(runs: Runs, efficiency: Efficiency | None = None) -> list[tuple[str, np.ndarray]]:
    """(term, predicted over measured) as the terms are added one by one to the floor."""
    efficiency = efficiency or fitted()
    steps = [("floor", runs.floor / runs.measured)]
    for i, term in enumerate(TERMS, start=1):
        steps.append((term, runs.predicted(efficiency, TERMS[:i]) / runs.measured))
    return steps


def made_of(runs: Runs, efficiency: Efficiency | None = None) -> dict[str, np.ndarray]:
    """The share of each forecast that each constant governs; the four add up to one.

    A forecast is made of times, and each is proportional to one of 1/e_F, 1/e_W, 1/e_l and
    lambda; so the elasticities with respect to these four are the shares (Euler).
    """
    efficiency = efficiency or fitted()
    base, small = runs.predicted(efficiency), 1e-4
    shares = {}
    for name in Efficiency.quantities():
        moved = efficiency.replace(**{name: getattr(efficiency, name) * (1 - small)})
        change = np.log(runs.predicted(moved) / base) / np.log(1 - small)
        shares[name] = change if name == "latency" else -change
    return shares


# ---- the command ---------------------------------------------------------------------------------


def report(runs: Runs) -> list[dict[str, Any]]:
    """One row a run, with the columns that are printed."""
    if not len(runs):
        return []
    predicted = runs.predicted(fitted())
    low, high = band()
    columns = {
        "id": runs.ids,
        "floor_s": runs.floor,
        "predicted_s": predicted,
        "low_s": predicted * low,
        "high_s": predicted * high,
        "measured_s": runs.measured,
        "measured_over_floor": runs.measured / runs.floor,
        "predicted_over_measured": predicted / runs.measured,
    }
    return [
        dict(zip(PRINTED, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def constants_table(runs: Runs) -> list[dict[str, Any]]:
    """The rows of `data/forecast.csv`: value, bootstrap and leave-one-publication-out intervals."""
    best, without, drawn = fit(runs), left_out(runs), bootstrap(runs)
    low, high = band_of(left_out_ratios(runs, without))
    publications, sizes = np.unique(runs.publications, return_counts=True)
    provenance = {
        "source": f"python -m memwall.validate --fit on the {len(runs)} runs of measured.csv, "
        f"{len(publications)} publications; the URL is that of the largest",
        "url": str(publications[np.argmax(sizes)]),
        "date": max(r["date"] for r in catalog.table("measured")),
        "confidence": "medium",
    }
    rows = []
    for name, unit in Efficiency.quantities().items():
        others = [getattr(e, name) for e in without.values()]
        rows.append(
            {
                "name": name, "unit": unit.symbol, "value": getattr(best, name),
                "bootstrap_low": drawn[name][0], "bootstrap_high": drawn[name][1],
                "left_out_low": min(others), "left_out_high": max(others), **provenance,
            }
        )  # fmt: skip
    blank = dict.fromkeys(("bootstrap_low", "bootstrap_high", "left_out_low", "left_out_high"), "")
    for name, value in (("band_low", low), ("band_high", high)):
        rows.append({"name": name, "unit": "1", "value": value, **blank, **provenance})
    return rows


def _print_csv(rows: list[dict[str, Any]], columns: Sequence[str]) -> None:
    write_csv(sys.stdout, rows, columns, number="{:.6g}".format)


def _print_text(rows: list[dict[str, Any]]) -> None:
    width = max(len(r["id"]) for r in rows)
    print(f"{'run':{width}} {'floor':>9} {'forecast':>9} {'from':>9} {'to':>9} {'measured':>9}")
    for row in rows:
        times = " ".join(f"{human(row[c], 's'):>9}" for c in PRINTED[1:6])
        print(f"{row['id']:{width}} {times}")
    print(score(np.array([r["predicted_over_measured"] for r in rows])))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="memwall.experiments.validate", description=__doc__.split("\n")[0]
    )
    parser.add_argument("file", nargs="?", help="runs to compare; the book's own if left out")
    parser.add_argument("--format", choices=("text", "csv"), default="text")
    parser.add_argument("--fit", action="store_true", help="print the constants fitted anew")
    options = parser.parse_args(arguments)
    if options.fit:
        rows = constants_table(measured())
        _print_csv(rows, list(rows[0]))
        return 0
    try:
        runs, complaints = read(options.file) if options.file else (measured(), [])
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    rows = report(runs)
    if options.format == "csv":
        _print_csv(rows, PRINTED)
    elif rows:
        _print_text(rows)
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
