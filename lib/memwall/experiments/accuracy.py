"""Accuracy: every published run against its forecast, gathered into cells that a page can list.

A cell is a model on a chip, by an engine, in a width, at some lengths, from one publisher. Every row of
the shipped tables is in one: a row without an answer counts as a failure of its cell.
"""

from __future__ import annotations

import functools
import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..formulas import forecast
from . import predict, runs, validate
from .recipes import guesses
from .whole import Run, measured

# how each kind of run is called on a page, and whose constants forecast it
KINDS = {
    "served": ("closed loop", "server-2025"),
    "pools": ("closed loop, pools", "server-2025"),
    "open": ("requests at a rate", "server-2025"),
    "cookbook": ("recipe without a layout", "server-2025"),
    "local": ("one user", "local"),
    "whole": ("whole runs to early 2025", "server-2024"),
}
LEAST_POINTS = 4  # of a curve that is worth drawing


@dataclass(frozen=True)
class Line:
    """One row of a table: forecast over measured, what is not known left out, and what went wrong."""

    kind: str
    model: str
    chip: str
    engine: str
    weights: str
    lengths: str
    publisher: str
    url: str
    held_out: bool
    token: float | None = None  # forecast over measured, of a time per token or of the whole run
    first: float | None = None  # of a time to the first token
    beaten: bool = False  # faster than its floor
    error: str = ""

    @property
    def inside(self) -> bool | None:
        """Whether the measured time lies in the band around its forecast."""
        if self.token is None or not math.isfinite(self.token):
            return None
        low, high = forecast.band(KINDS[self.kind][1])
        return low <= 1 / self.token <= high


@dataclass(frozen=True)
class Cell:
    """The lines of a cell."""

    lines: tuple[Line, ...]

    def __getattr__(self, name: str) -> Any:
        # what all lines share: model, chip, ...
        if name not in Line.__dataclass_fields__:
            raise AttributeError(name)
        return getattr(self.lines[0], name)

    @property
    def held_out(self) -> int:
        """How many lines no fit saw."""
        return sum(line.held_out for line in self.lines)

    @property
    def failures(self) -> tuple[str, ...]:
        """What is said of lines without an answer."""
        return tuple(line.error for line in self.lines if line.error)

    def ratios(self, of: str = "token") -> np.ndarray:
        """Forecast over measured of the lines that have both."""
        found = [getattr(line, of) for line in self.lines]
        return np.array([x for x in found if x is not None and math.isfinite(x)])


@functools.cache
def lines() -> tuple[Line, ...]:
    """Every shipped row as a line."""
    return (*_served(), *_open(), *_local(), *_cookbook(), *_whole())


def cells(found: Iterable[Line]) -> list[Cell]:
    """Lines gathered into cells, in the order of kind, model, chip, engine, width and lengths."""
    gathered: dict[tuple[Any, ...], list[Line]] = defaultdict(list)
    for line in found:
        gathered[
            list(KINDS).index(line.kind), line.model, line.chip, line.engine, line.weights,
            line.lengths, line.publisher,
        ].append(line)  # fmt: skip
    return [Cell(tuple(gathered[key])) for key in sorted(gathered)]


def _line(kind: str, row: Any, lengths: str, held_out: bool, answer: dict[str, Any]) -> Line:
    token = _over(answer.get("tpot_s"), answer.get("measured_tpot_s"))
    first = _over(answer.get("ttft_s"), answer.get("measured_ttft_s"))
    pairs = [(answer.get(f"{n}_floor_s"), answer.get(f"measured_{n}_s")) for n in ("tpot", "ttft")]
    return Line(
        kind, row.model, row.chip, row.engine.split(" ")[0], row.weights, lengths,
        runs.publisher(row.source), row.url, held_out, token, first,
        any(floor and took and floor > took for floor, took in pairs), answer["error"],
    )  # fmt: skip


def _over(said: float | None, took: float | None) -> float | None:
    return said / took if said is not None and took else None


def _tokens(*counts: float | None) -> str:
    return " + ".join("?" if n is None else f"{n:,.0f}" for n in counts)


def _served() -> list[Line]:
    rows = runs.served()
    return [
        _line("pools" if r.mode == "disagg" else "served", r, _tokens(r.prompt, r.output),
              r.part != "fit" or guesses(r) or r.mode == "disagg", answer)
        for r, answer in zip(rows, validate.served_report(rows), strict=True)
    ]  # fmt: skip


def _open() -> list[Line]:
    rows = runs.open_loop()
    return [
        _line("open", r, _tokens(r.prompt, r.output), True, answer)
        for r, answer in zip(rows, validate.open_report(rows), strict=True)
    ]


def _cookbook() -> list[Line]:
    rows = runs.cookbook()
    return [
        _line("cookbook", r, _tokens(r.prompt, r.output), True, answer)
        for r, answer in zip(rows, validate.cookbook_report(rows), strict=True)
    ]


def _local() -> list[Line]:
    rows = runs.local()
    found = []
    for r, answer in zip(rows, validate.local_report(rows), strict=True):
        said, took = answer.get("tokens_per_second"), r.tokens_per_second
        lengths = "writing" if r.test == "decode" else "reading"
        found.append(
            replace(
                _line("local", r, lengths, r.part != "fit" or r.speculates, answer),
                token=took / said if said else None,
                beaten=took > answer.get("floor_tokens_per_second", math.inf),
            )
        )
    return found


def _whole() -> list[Line]:
    found = []
    for name in ("measured", "measured_unseen"):
        table = measured(name)
        ratios = table.predicted(forecast.fitted("server-2024")) / table.measured
        for run, ratio, floor in zip(table, ratios, table.floor, strict=True):
            found.append(_whole_line(run, float(ratio), float(floor), name != "measured"))
    return found


def _whole_line(run: Run, ratio: float, floor: float, held_out: bool) -> Line:
    host = run.publication.split("/")[2].removeprefix("www.")
    return Line(
        "whole", run.model.name, run.chip, "", f"{8 * run.model.bytes_per_param:g} bits",
        _tokens(run.prompt, run.output), host, run.publication, held_out, ratio,
        beaten=floor > run.measured,
    )  # fmt: skip


# --- curves


@dataclass(frozen=True)
class Curve:
    """One configuration of one engine under rising load, at the same lengths."""

    rows: tuple[runs.Served, ...]

    @property
    def held_out(self) -> bool:
        """Whether no fit saw it."""
        return self.rows[0].part != "fit" or guesses(self.rows[0])

    def forecasts(self, users: Iterable[float]) -> tuple[np.ndarray, np.ndarray]:
        """Times per token and to the first token at so many requests in flight."""
        load = [replace(self.rows[0], concurrency=float(n)) for n in users]
        work, errors = predict.work_of(load)
        assert work is not None and not any(errors)
        efficiency = forecast.fitted("server-2025")
        return work.tpot(efficiency), work.ttft(efficiency)


@functools.cache
def curves() -> tuple[Curve, ...]:
    """Configurations with enough points, of engines that read and write; by name."""
    gathered: dict[tuple[str, ...], dict[float, runs.Served]] = defaultdict(dict)
    rows = [r for r in runs.served() if r.mode == "agg"]
    for r, error in zip(rows, predict.work_of(rows)[1], strict=True):
        if not error:
            key = r.configuration, r.engine_version, _tokens(r.prompt, r.output)
            gathered[key].setdefault(r.concurrency, r)
    found = [
        Curve(tuple(one[n] for n in sorted(one)))
        for _, one in sorted(gathered.items())
        if len(one) >= LEAST_POINTS
    ]
    return tuple(found)
