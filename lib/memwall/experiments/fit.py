"""Fit: the forecast's constants, found on published runs, with their intervals and bands.

    python -m memwall.validate --fit

For each class of machine eight numbers at most (and one factor by an engine's name), by the runs whose
`part` is "fit": by the mean of |predicted / measured - 1| for served runs, of |log(predicted /
measured)| for the others. How far each is known: the fit repeated on runs drawn anew (bootstrap), and
without each source. Bands come from the runs that are held out.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import catalog
from ..core.units import InputError
from ..formulas.forecast import CLASSES, Efficiency
from . import predict, runs
from .recipes import guesses

START = Efficiency(
    compute=0.6, uneven=0.3, bandwidth=0.8, link=0.4, launch=8e-6, round=4e-6, widening=200.0,
    steps=7.0,
)  # fmt: skip
SHARES = ("compute", "uneven", "bandwidth", "link")
TOKEN = (*SHARES, "launch", "round", "widening")  # what a time per token tells
WORST = 1.5  # no run counts for more than this, however wrong
FIRST_COUNTS = 0.5  # a first token, half of which is the benchmark's, counts half a time per token


@dataclass(frozen=True)
class Sample:
    """Runs to fit on: how they are forecast, what was measured, and who published them."""

    names: tuple[str, ...]  # the constants that these runs can tell
    predicted: Callable[[Efficiency], np.ndarray]
    measured: np.ndarray
    sources: np.ndarray
    # of served runs some wait in queues for seconds, which no mean of formulas knows: there a forecast
    # that is too short counts once at most; elsewhere by its logarithm, as one that is too long
    relative: bool = False
    counts: float | np.ndarray = 1.0
    start: Efficiency = START

    def loss(self, efficiency: Efficiency, weights: np.ndarray | float = 1.0) -> float:
        ratio = self.predicted(efficiency) / self.measured
        error = np.abs(ratio - 1) if self.relative else np.abs(np.log(ratio))
        weights = np.broadcast_to(np.asarray(weights) * self.counts, error.shape)
        return float(np.average(np.minimum(error, WORST), weights=weights))


def fit(sample: Sample, start: Efficiency, weights: np.ndarray | float = 1.0) -> Efficiency:
    """The constants that make a sample least wrong, the others left as they are. Needs SciPy."""
    try:
        from scipy.optimize import minimize
    except ImportError:
        raise InputError("fitting needs SciPy: pip install 'memory-wall[fit]'") from None
    top = np.array([0.0 if n in SHARES else np.inf for n in sample.names])

    def constants(point: np.ndarray) -> Efficiency:
        values = np.exp(np.minimum(point, top))
        return start.replace(**dict(zip(sample.names, map(float, values), strict=True)))

    def loss(point: np.ndarray) -> float:
        over = np.maximum(point - np.where(np.isfinite(top), top, point), 0).sum()
        return sample.loss(constants(point), weights) + float(over)

    first = np.log([max(float(getattr(start, n)), 1e-9) for n in sample.names])
    corners = np.vstack([first, first - 0.3 * np.eye(len(first))])
    options = {"maxiter": 4000, "maxfev": 4000, "adaptive": True, "xatol": 1e-4, "fatol": 1e-8,
               "initial_simplex": corners}  # fmt: skip
    return constants(minimize(loss, first, method="Nelder-Mead", options=options).x)


# --- the samples of each class


def served_samples(part: str = "fit", every: bool = False) -> tuple[Sample, Sample]:
    """Served runs since 2025: times per token, and to the first token.

    A fit takes those of one engine that guesses nothing; `every` adds those that guess several tokens
    a step, as far as they are known to, and pools, which say too little of what they run.
    """
    return _served_samples(part, every)


@functools.cache
def _served_samples(part: str, every: bool) -> tuple[Sample, Sample]:
    rows = [
        r for r in runs.served()
        if r.part == part and (every or (r.mode == "agg" and not guesses(r)))
    ]  # fmt: skip
    work, errors = predict.work_of(rows)
    rows = [r for r, error in zip(rows, errors, strict=True) if not error]
    assert work is not None
    sources = np.array([r.configuration for r in rows])
    tokens = Sample(TOKEN, work.tpot, np.array([r.tpot for r in rows]), sources, relative=True)
    told = np.array([r.ttft is not None for r in rows])
    firsts = Sample(
        (*TOKEN, "steps", "polling"), work.where(told).ttft,
        np.array([r.ttft for r in rows if r.ttft]), sources[told], relative=True,
        counts=FIRST_COUNTS,
    )  # fmt: skip
    return tokens, firsts


def together(first: Sample, second: Sample) -> Sample:
    """Two samples as one, for constants that both depend on."""
    return Sample(
        tuple(dict.fromkeys(first.names + second.names)),
        lambda e: np.concatenate([first.predicted(e), second.predicted(e)]),
        np.concatenate([first.measured, second.measured]),
        np.concatenate([first.sources, second.sources]),
        first.relative,
        np.concatenate([np.broadcast_to(s.counts, s.measured.shape) for s in (first, second)]),
    )


@functools.cache
def local_sample(part: str = "fit") -> Sample:
    """One user on machines of their own: prompts read and answers written."""
    rows, made = [], []
    for row in runs.local():
        if row.part == part and not row.speculates:
            try:
                made.append(predict.local_work(row))
                rows.append(row)
            except InputError:
                continue  # a rate that nobody published
    work = predict.local_works(made)
    names = ("compute", "uneven", "bandwidth", "launch", "widening")  # nearly all on one chip
    return Sample(
        names, work.time,
        work.tokens / np.array([row.tokens_per_second for row in rows]),
        np.array([f"{row.source}|{row.configuration}" for row in rows]),
    )  # fmt: skip


WHOLE = (*SHARES, "launch", "round")


@functools.cache
def whole_sample(name: str = "measured") -> Sample:
    """Whole runs, prompt and answer, of 2022 to early 2025."""
    from .whole import measured

    found = measured(name)
    # what was stored narrow then was multiplied so, or by machines that widen for nothing
    start = START.replace(widening=0.0)
    return Sample(WHOLE, found.predicted, found.measured, found.publications, start=start)


def sample_of(kind: str) -> Sample:
    """The runs that a class is fitted on."""
    made: dict[str, Callable[[], Sample]] = {
        "server-2024": whole_sample,
        "server-2025": lambda: together(*served_samples()),
        "local": local_sample,
    }
    return made[kind]()


def fitted(kind: str) -> Efficiency:
    """A class's constants, fitted anew."""
    sample = sample_of(kind)
    return fit(sample, sample.start)


def bootstrap(
    sample: Sample, full: Efficiency, draws: int, seed: int = 9
) -> dict[str, tuple[float, float]]:
    """Where eight of ten fits lie when whole configurations are drawn anew, with repetition."""
    rng = np.random.default_rng(seed)
    sources, index = np.unique(sample.sources, return_inverse=True)
    found = []
    for _ in range(draws):
        counts = np.bincount(rng.integers(len(sources), size=len(sources)), minlength=len(sources))
        found.append(fit(sample, full, counts[index].astype(float)))
    return {n: tuple(np.percentile([getattr(e, n) for e in found], [10, 90])) for n in sample.names}


def without_each(
    sample: Sample, full: Efficiency, most: int = 12
) -> dict[str, tuple[float, float]]:
    """The range of each constant over fits that leave one source out, the largest ones in turn."""
    sources, sizes = np.unique(sample.sources, return_counts=True)
    found = [
        fit(sample, full, (sample.sources != s).astype(float))
        for s in sources[np.argsort(-sizes)][:most]
    ]
    return {
        n: (min(getattr(e, n) for e in found), max(getattr(e, n) for e in found))
        for n in sample.names
    }


def interval(sample: Sample, efficiency: Efficiency) -> tuple[float, float]:
    """Factors on a forecast between which eight measurements in ten of a sample lie."""
    low, high = np.percentile(sample.measured / sample.predicted(efficiency), [10, 90])
    return float(low), float(high)


HELD_OUT: dict[str, Callable[[], Sequence[Sample]]] = {
    "server-2024": lambda: [whole_sample("measured_unseen")] * 2,
    "server-2025": lambda: list(served_samples("held out", every=True)),
    "local": lambda: [local_sample("held out")] * 2,
}


def _provenance(kind: str, sample: Sample) -> dict[str, str]:
    """How many times of how many sources a class stands on, the largest of them and the newest date."""
    return {
        "source": f"python -m memwall.validate --fit: {len(sample.measured)} times of published "
        f"runs, {len(set(sample.sources))} configurations or publications",
        "url": _largest_url(kind),
        "date": max(r["date"] for r in catalog.table(_tables()[kind])),
        "confidence": "medium",
    }


def table(draws: int = 40) -> list[dict[str, Any]]:
    """The rows of `data/forecast.csv`: for each class its constants, their intervals, its bands."""
    rows = []
    for kind in CLASSES:
        sample = sample_of(kind)
        full = fit(sample, sample.start)
        known, without = bootstrap(sample, full, draws), without_each(sample, full)
        provenance = _provenance(kind, sample)
        for name, unit in Efficiency.quantities().items():
            (low, high), (least, most) = known.get(name, ("", "")), without.get(name, ("", ""))
            rows.append({
                "class": kind, "name": name, "unit": unit.symbol, "value": getattr(full, name),
                "bootstrap_low": low, "bootstrap_high": high, "left_out_low": least,
                "left_out_high": most, **provenance,
            })  # fmt: skip
        for of, sample in zip(("tpot", "ttft"), HELD_OUT[kind](), strict=True):
            for side, value in zip(("low", "high"), interval(sample, full), strict=True):
                rows.append(
                    {
                        "class": kind,
                        "name": f"{of}_{side}",
                        "unit": "1",
                        "value": value,
                        **provenance,
                    }
                )
    return rows


def _tables() -> dict[str, str]:
    return {"server-2024": "measured", "server-2025": "runs_served", "local": "runs_local"}


def _largest_url(kind: str) -> str:
    urls = [r["url"] for r in catalog.table(_tables()[kind])]
    return max(sorted(set(urls)), key=urls.count)
