"""Validate: the blackboard's floor and the forecast against machines that exist.

    python -m memwall.validate FILE --format csv      one line a run: floor, forecast with its band, measured
    python -m memwall.validate --fit                  the constants of every class, their intervals, the bands

FILE is a table of runs, told apart by its columns: whole runs (as `data/measured.csv`), served requests in a
closed loop (`data/runs_served.csv`), requests at a rate (`data/runs_open_loop.csv`), one user on a machine of
their own (`data/runs_local.csv`); or the JSON that `vllm bench serve` and SGLang's `bench_serving` write,
with --model, --chip, --weights and the layout. Every row gets a line: one that cannot be answered says why
in `error`, or, if it makes no sense at all, on standard error, and the exit status is then 1.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..core.nouns import Layout
from ..core.tables import write_csv
from ..core.units import InputError, human
from ..formulas import forecast
from . import predict, runs
from .whole import Runs, measured, read, run_of  # noqa: F401  (what notebooks ask for)

WHOLE = (
    "id", "floor_s", "predicted_s", "low_s", "high_s", "measured_s", "measured_over_floor",
    "predicted_over_measured",
)  # fmt: skip
TIMES = (
    "id", "ttft_floor_s", "tpot_floor_s", "ttft_s", "ttft_low_s", "ttft_high_s", "tpot_s",
    "tpot_low_s", "tpot_high_s", "measured_ttft_s", "measured_tpot_s", "error",
)  # fmt: skip
LOCAL = (
    "id", "floor_tokens_per_second", "tokens_per_second", "low", "high",
    "measured_tokens_per_second", "error",
)  # fmt: skip


@dataclass(frozen=True)
class Score:
    """How good some predictions are."""

    runs: int
    mean_error: float  # of |predicted / measured - 1|
    median_error: float
    median_factor: float
    within_1_5: float

    def __str__(self) -> str:
        return (
            f"{self.runs} runs: error {human(self.mean_error, '%')} on average, median "
            f"{human(self.median_error, '%')}, {human(self.within_1_5, '%')} within a factor 1.5"
        )


def score(ratios: np.ndarray) -> Score:
    """Score predictions by their ratios to what was measured."""
    off, error = np.abs(np.log(ratios)), np.abs(ratios - 1)
    return Score(
        len(ratios),
        float(np.mean(error)),
        float(np.median(error)),
        float(np.exp(np.median(off))),
        float(np.mean(off <= np.log(1.5))),
    )


# --- one line a run


def report(found: Runs) -> list[dict[str, Any]]:
    """Whole runs: floor, forecast with its band, and what was measured."""
    if not len(found):
        return []
    predicted = found.predicted(forecast.fitted("server-2024"))
    low, high = forecast.band("server-2024")
    columns = (
        found.ids, found.floor, predicted, predicted * low, predicted * high, found.measured,
        found.measured / found.floor, predicted / found.measured,
    )  # fmt: skip
    return [dict(zip(WHOLE, values, strict=True)) for values in zip(*columns, strict=True)]


def _times(
    row: Any, answer: predict.Answer, ttft: float | None, tpot: float | None
) -> dict[str, Any]:
    bands = {of: forecast.band("server-2025", of) for of in ("ttft", "tpot")}
    line: dict[str, Any] = {"id": row.id, "measured_ttft_s": ttft, "measured_tpot_s": tpot}
    if not answer.error:
        for of in ("ttft", "tpot"):
            value = getattr(answer, of)
            low, high = (value * factor for factor in bands[of])
            floor = getattr(answer, f"{of}_floor")
            line |= {
                f"{of}_floor_s": floor,
                f"{of}_s": value,
                f"{of}_low_s": low,
                f"{of}_high_s": high,
            }
    return {**line, "error": answer.error}


def served_report(rows: Sequence[runs.Served]) -> list[dict[str, Any]]:
    """Closed-loop runs: floors and forecasts of both times, and what was measured."""
    work, errors = predict.work_of(rows)
    efficiency = forecast.fitted("server-2025")
    answers = iter(()) if work is None else zip(
        work.ttft_floor(), work.tpot_floor(), work.ttft(efficiency), work.tpot(efficiency), strict=True,
    )  # fmt: skip

    def answer(error: str) -> predict.Answer:
        if error:
            return predict.Answer(error=error)
        ttft_floor, tpot_floor, ttft, tpot = map(float, next(answers))
        return predict.Answer(ttft_floor, tpot_floor, ttft, tpot)

    return [
        _times(row, answer(error), row.ttft, row.tpot)
        for row, error in zip(rows, errors, strict=True)
    ]


def open_report(rows: Sequence[runs.Open]) -> list[dict[str, Any]]:
    """Open-loop runs: floors and forecasts of both times, and what was measured."""
    efficiency = forecast.fitted("server-2025")
    return [_times(r, predict.open_answer(r, efficiency), r.ttft, r.tpot) for r in rows]


def cookbook_report(rows: Sequence[runs.Cookbook]) -> list[dict[str, Any]]:
    """Recipes' own runs, whose layout is not stated: the better of the two usual ones."""
    return [
        min(served_report(predict.usual_cuts(row)), key=lambda line: line.get("tpot_s", np.inf))
        for row in rows
    ]


def local_report(rows: Sequence[runs.Local]) -> list[dict[str, Any]]:
    """Local runs: the highest rate that is possible, the rate to expect, and the one measured."""
    efficiency, (low, high) = forecast.fitted("local"), forecast.band("local")
    found = []
    for row in rows:
        line: dict[str, Any] = {
            "id": row.id,
            "measured_tokens_per_second": row.tokens_per_second,
            "error": "",
        }
        try:
            made = predict.local_work(row)
            most = made.tokens / (made.fewest * float(forecast.pass_floor(made.least)))
            rate = made.tokens / float(made.time(efficiency))
            line |= {
                "floor_tokens_per_second": most, "tokens_per_second": rate, "low": rate / high,
                "high": min(rate / low, most),
            }  # fmt: skip
        except InputError as error:
            line["error"] = str(error).split(" Known:")[0]
        found.append(line)
    return found


REPORTS: dict[str, tuple[Callable[..., list[dict[str, Any]]], tuple[str, ...]]] = {
    "served": (served_report, TIMES),
    "open": (open_report, TIMES),
    "local": (local_report, LOCAL),
    "cookbook": (cookbook_report, TIMES),
}


# --- the command


def _print_csv(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> None:
    write_csv(sys.stdout, rows, columns, number="{:.6g}".format)


def _print_text(rows: list[dict[str, Any]]) -> None:
    width = max(len(r["id"]) for r in rows)
    print(f"{'run':{width}} {'floor':>9} {'forecast':>9} {'from':>9} {'to':>9} {'measured':>9}")
    for row in rows:
        times = " ".join(f"{human(row[c], 's'):>9}" for c in WHOLE[1:6])
        print(f"{row['id']:{width}} {times}")
    print(score(np.array([r["predicted_over_measured"] for r in rows])))


def _print_scores(kind: str, rows: list[dict[str, Any]]) -> None:
    pairs = {
        "time per token": ("tpot_s", "measured_tpot_s"), "first token": ("ttft_s", "measured_ttft_s"),
        "tokens a second": ("tokens_per_second", "measured_tokens_per_second"),
    }  # fmt: skip
    print(f"{kind}: {len(rows)} rows, {sum(bool(r['error']) for r in rows)} without an answer")
    for label, (said, seen) in pairs.items():
        ratios = [r[said] / r[seen] for r in rows if r.get(said) and r.get(seen)]
        if ratios:
            print(f"{label}: {score(np.array(ratios))}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m memwall.validate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "file", nargs="?", help="runs to compare; the book's own whole runs if left out"
    )
    parser.add_argument("--format", choices=("text", "csv"), default="text")
    parser.add_argument("--fit", action="store_true", help="print the constants fitted anew")
    parser.add_argument("--draws", type=int, default=40, help="of the bootstrap")
    bench = parser.add_argument_group("a benchmark's JSON does not say what it ran on")
    bench.add_argument("--model", help="a model of the catalog")
    bench.add_argument("--chip", help="a chip of the catalog")
    bench.add_argument("--weights", default="bf16")
    for name in ("tp", "dp", "ep", "pp"):
        bench.add_argument(f"--{name}", type=int, default=1)
    return parser


def _read(options: Any) -> tuple[str, Any, list[str]]:
    """The kind of rows, the rows, and what could not be read."""
    if not options.file:
        return "whole", measured(), []
    if Path(options.file).suffix in (".json", ".jsonl"):
        if not options.model or not options.chip:
            raise InputError("a benchmark's JSON needs --model and --chip: it does not say them")
        tp, dp, ep, pp = (float(getattr(options, name)) for name in ("tp", "dp", "ep", "pp"))
        layout = Layout(tp, dp, ep, pp)
        rows = runs.from_benchmark(
            options.file, options.model, options.chip, options.weights, layout
        )
        return ("open" if isinstance(rows[0], runs.Open) else "served"), rows, []
    try:
        kind, rows, complaints = runs.read(options.file)
    except InputError:
        # a table that is nearly one of whole runs is told what it lacks for that
        return ("whole", *read(options.file))
    return (kind, *read(options.file)) if kind == "whole" else (kind, rows, complaints)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        if options.fit:
            from . import fit

            rows = fit.table(options.draws)
            _print_csv(rows, list(rows[0]))
            return 0
        kind, found, complaints = _read(options)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    make, columns = REPORTS.get(kind, (report, WHOLE))
    rows = make(found)
    if options.format == "csv":
        _print_csv(rows, columns)
    elif rows and kind == "whole":
        _print_text(rows)
    elif rows:
        _print_scores(kind, rows)
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
