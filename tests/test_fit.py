"""Fits: constants that a sample was made with come back; weights, draws and ranges by hand."""

from dataclasses import replace

import numpy as np
import pytest

from memwall.core.units import InputError
from memwall.experiments import fit, predict, runs
from memwall.experiments.fit import START, Sample
from memwall.formulas.forecast import IDEAL

WORK = np.array([0.1, 1.0, 3.0, 10.0])  # seconds of arithmetic at peak
STARTS = np.array([5e4, 2e4, 1e5, 1e3])
SOURCES = np.array(["a", "a", "b", "c"])


def says(efficiency):
    return WORK / efficiency.compute + STARTS * efficiency.launch


def sample(measured, **more):
    return Sample(("compute", "launch"), says, np.asarray(measured, float), SOURCES, **more)


def test_a_loss_by_hand():
    ideal = IDEAL.replace(compute=1.0)
    # as forecast, twice, half, and a hundred times too long
    known = sample(WORK * np.array([1, 0.5, 2, 0.01]))
    assert known.loss(ideal) == pytest.approx((0 + 2 * np.log(2) + fit.WORST) / 4)
    share = sample(WORK * np.array([1, 0.5, 2, 0.01]), relative=True)
    assert share.loss(ideal) == pytest.approx((0 + 1 + 0.5 + fit.WORST) / 4)
    weighted = np.array([1.0, 2.0, 0.0, 0.0])
    assert share.loss(ideal, weighted) == pytest.approx(2 / 3)
    counted = sample(WORK * np.array([1, 0.5, 2, 0.01]), relative=True, counts=1 / WORK)
    assert counted.loss(ideal, weighted) == pytest.approx(2 * 1 / (10 + 2))


def test_constants_come_back():
    truth = START.replace(compute=0.35, launch=2e-5)
    found = fit.fit(sample(says(truth), relative=True), START)
    assert found.compute == pytest.approx(0.35, rel=1e-3)
    assert found.launch == pytest.approx(2e-5, rel=1e-3)
    assert found == START.replace(compute=found.compute, launch=found.launch)  # others stay


def test_a_share_is_at_most_all():
    # runs twice as quick as the peak: the most is all of it
    found = fit.fit(sample(WORK / 2), START.replace(launch=0.0))
    assert found.compute == pytest.approx(1, rel=1e-6)
    assert 0 <= found.launch < 1e-8  # begun from next to nothing, of which there is no logarithm


def test_weights_say_whom_to_believe():
    truths = [START.replace(compute=c, launch=START.launch) for c in (0.2, 0.8)]
    mixed = np.where(SOURCES == "a", *map(says, truths))
    for weights, compute in (([1, 1, 0, 0], 0.2), ([0, 0, 1, 1], 0.8)):
        known = Sample(("compute",), says, mixed, SOURCES)
        found = fit.fit(known, START, np.array(weights, float))
        assert found.compute == pytest.approx(compute, rel=1e-3)


@pytest.fixture
def fits(monkeypatch):
    """Fits that give 1, 2, 3, ... for the launch instead, and the weights that they were asked with."""
    asked = []

    def one(sample, start, weights=1.0):
        asked.append(weights)
        return start.replace(launch=float(len(asked)))

    monkeypatch.setattr(fit, "fit", one)
    return asked


def test_where_eight_of_ten_fits_lie(fits):
    known = Sample(("launch",), says, WORK, SOURCES)
    # of 1 to 11 the second and the last but one
    assert fit.bootstrap(known, START, draws=11) == {"launch": pytest.approx((2.0, 10.0))}
    for weights in fits:
        # three sources are drawn, with repetition; runs of one source go together
        assert weights[0] == weights[1] and weights[1:].sum() == 3
    assert len({tuple(w) for w in fits}) > 3


def test_each_source_is_left_out_in_turn(fits):
    known = Sample(("launch", "round"), says, WORK, SOURCES)
    found = fit.without_each(known, START)
    assert found == {"launch": (1.0, 3.0), "round": (START.round, START.round)}
    left_out = [set(SOURCES[np.asarray(weights) == 0]) for weights in fits]
    assert left_out[0] == {"a"} and sorted(map(min, left_out)) == ["a", "b", "c"]
    fits.clear()
    fit.without_each(known, START, most=1)
    assert [list(w) for w in fits] == [[0, 0, 1, 1]]  # the largest


def test_a_band_holds_eight_measurements_in_ten():
    # measured one to eleven times as long as forecast
    known = Sample((), lambda e: np.full(11, 2.0), 2.0 * np.arange(1, 12), np.full(11, "a"))
    assert fit.interval(known, START) == pytest.approx((2, 10))


def test_two_samples_together():
    first = Sample(("compute",), lambda e: WORK[:1], WORK[:1], SOURCES[:1], relative=True)
    second = sample(2 * WORK, counts=0.5)
    both = fit.together(first, second)
    assert both.names == ("compute", "launch") and both.relative
    assert list(both.counts) == [1, 0.5, 0.5, 0.5, 0.5] and list(both.sources) == ["a", *SOURCES]
    assert list(both.measured) == [0.1, *(2 * WORK)]
    assert list(both.predicted(IDEAL)) == [0.1, *WORK]


def test_samples_are_the_runs_of_their_part(monkeypatch):
    """Of each kind three runs: of one engine, that guess, of pools; one without a first token."""
    served = runs.served()
    kinds = [
        (part, mode, guesses)
        for part in ("fit", "held out") for mode, guesses in (("agg", False), ("agg", True), ("disagg", False))
    ]  # fmt: skip
    chosen = []
    for part, mode, guesses in kinds:
        alike = (r for r in served if (r.part, r.mode) == (part, mode) and not fit.guesses(r))
        rows = [
            replace(next(alike), speculates=guesses, tpot=0.01 * len(chosen) + n) for n in (1, 2, 3)
        ]
        chosen += [*rows[:2], replace(rows[2], ttft=None)]
    monkeypatch.setattr(fit.runs, "served", lambda: [*chosen, replace(chosen[0], chip="H1000")])
    for part, every in (("fit", False), ("held out", False), ("held out", True)):
        tokens, firsts = fit._served_samples.__wrapped__(part, every)
        mine = [r for r in chosen if r.part == part and (every or r in chosen[:3] + chosen[9:12])]
        assert list(tokens.measured) == [r.tpot for r in mine]
        assert list(firsts.measured) == [r.ttft for r in mine if r.ttft is not None]
        assert len(firsts.sources) == len(firsts.measured) == len(firsts.predicted(START))
        assert tokens.counts == 1 and firsts.counts == fit.FIRST_COUNTS and firsts.relative
    assert "steps" in firsts.names and "steps" not in tokens.names


def test_local_runs_are_those_without_guesses(monkeypatch):
    row = next(r for r in runs.local() if r.part == "fit" and r.test == "decode")
    rows = [replace(row, speculates=True), row, replace(row, chip="H1000"),
            replace(row, tokens_per_second=2 * row.tokens_per_second)]  # fmt: skip
    monkeypatch.setattr(fit.runs, "local", lambda: rows)
    known = fit.local_sample.__wrapped__("fit")
    assert known.measured[0] == pytest.approx(
        predict.local_work(row).tokens / row.tokens_per_second
    )
    assert known.measured[1] == pytest.approx(known.measured[0] / 2) and len(known.measured) == 2
    assert known.predicted(START)[0] == pytest.approx(float(predict.local_work(row).time(START)))


def test_fitting_needs_scipy(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    with pytest.raises(InputError, match="SciPy"):
        fit.fit(sample(WORK), START)


def test_the_source_of_a_class_is_its_largest():
    for kind, name in fit._tables().items():
        url, urls = fit._largest_url(kind), [r["url"] for r in fit.catalog.table(name)]
        assert urls.count(url) == max(map(urls.count, set(urls)))


def test_a_class_s_provenance_counts_times_and_sources_and_is_as_new_as_its_newest_row():
    made = fit._provenance("server-2025", sample(WORK))
    dates = [row["date"] for row in fit.catalog.table(fit._tables()["server-2025"])]
    assert made["date"] == sorted(dates)[-1] > sorted(dates)[0]
    times, sources = len(sample(WORK).measured), len(set(sample(WORK).sources))
    assert f"{times} times of published runs, {sources} configurations" in made["source"]
