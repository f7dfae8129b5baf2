"""Every published run in a cell, a failure counted as one, and curves from runs of one configuration."""

import math

import numpy as np
import pytest

from memwall import catalog
from memwall.experiments import accuracy, runs
from memwall.formulas import forecast

lines = accuracy.lines  # kept once made: collecting tests must not forecast everything


def test_every_shipped_row_is_a_line_of_one_cell():
    tables = (
        "runs_served",
        "runs_open_loop",
        "runs_local",
        "runs_cookbook",
        "measured",
        "measured_unseen",
    )
    rows = sum(len(catalog.table(name)) for name in tables)
    cells = accuracy.cells(lines())
    assert len(lines()) == rows == sum(len(cell.lines) for cell in cells)
    assert len(
        {(c.kind, c.model, c.chip, c.engine, c.weights, c.lengths, c.publisher) for c in cells}
    ) == len(cells)
    assert {line.kind for line in lines()} == accuracy.KINDS.keys()


def test_a_line_has_an_answer_or_says_why_not():
    for line in lines():
        assert (line.token is None and line.first is None) or not line.error
        assert line.error or line.token is not None or line.first is not None
    failures = sum(len(cell.failures) for cell in accuracy.cells(lines()))
    assert failures == sum(bool(line.error) for line in lines()) < 0.01 * len(lines())


def test_few_runs_beat_their_floor_and_all_are_known():
    assert sum(line.beaten for line in lines()) <= 2


def test_pools_and_guesses_are_in_no_fit():
    assert all(line.held_out for line in lines() if line.kind in ("pools", "open", "cookbook"))
    fitted = sum(not line.held_out for line in lines() if line.kind == "served")
    plain = [r for r in runs.served() if r.mode == "agg" and r.part == "fit"]
    assert fitted == sum(not accuracy.guesses(r) for r in plain)


def test_inside_is_the_band_of_the_line_s_class():
    low, high = forecast.band("local")
    made = accuracy.Line("local", "m", "c", "", "", "", "", "", True)

    def inside(token):
        return accuracy.Line(**{**vars(made), "token": token}).inside

    assert made.inside is None and inside(math.inf) is None
    assert inside(1 / (1.01 * low)) and inside(1 / (0.99 * high))
    assert not inside(1 / (0.99 * low)) and not inside(1 / (1.01 * high))


def test_a_cell_gathers_what_its_lines_know():
    made = accuracy.Line("served", "m", "c", "e", "fp8", "1 + 1", "p", "", False, token=2.0)
    failed = accuracy.Line("served", "m", "c", "e", "fp8", "1 + 1", "p", "", True, error="no rate")
    (cell,) = accuracy.cells([made, failed])
    assert cell.model == "m" and cell.held_out == 1 and cell.failures == ("no rate",)
    assert list(cell.ratios()) == [2.0] and len(cell.ratios("first")) == 0
    with pytest.raises(AttributeError):
        cell.nothing  # noqa: B018


def test_curves_rise_and_pass_where_their_rows_are_forecast():
    found = accuracy.curves()
    assert len(found) > 100
    for curve in found[::20]:
        loads = [r.concurrency for r in curve.rows]
        assert loads == sorted(set(loads)) and len(loads) >= accuracy.LEAST_POINTS
        tokens, firsts = curve.forecasts(loads)
        assert (np.diff(tokens) >= -1e-12).all() and (firsts > 0).all()
        assert len({(r.configuration, r.prompt, r.output) for r in curve.rows}) == 1


# ---- the page ------------------------------------------------------------------------------------


def test_the_page_counts_every_run_and_its_failures():
    from memwall_figures import measured

    listed = measured.accuracy()
    column = {c.text: i for i, c in enumerate(listed.columns)}
    counts = [int(row[column["runs"]].text) for row in listed.rows]
    failures = [row[column["without an answer"]].text for row in listed.rows]
    assert sum(counts) == len(lines())
    assert sum(int(f.split(":")[0]) for f in failures if f) == sum(bool(x.error) for x in lines())
    assert {a["data-verdict"] for a in listed.row_attributes} == set(measured.HELD)
    # of one engine's closed loops nearly every cell is one that the band holds
    held = [
        a["data-verdict"] == "held"
        for a in listed.row_attributes
        if a["data-kind"] == "closed loop"
    ]
    assert np.mean(held) > 0.85
    assert all(f"data-{name}" in a for a in listed.row_attributes for name in measured.CHOICES)
    total = measured.coverage()
    assert sum(int(row[1].text) for row in total.rows) == len(lines())


def test_the_page_s_curve_is_the_forecast():
    from memwall_figures import measured

    figure = measured.accuracy_figure()
    one = accuracy.curves()[0]
    load = one.rows[2].concurrency
    figure.set(users=load)
    said = figure.readouts()
    tokens, _ = one.forecasts([r.concurrency for r in one.rows])
    assert said["expected"] == pytest.approx(tokens[2], rel=0.02)
    errors = np.abs(tokens / np.array([r.tpot for r in one.rows]) - 1)
    assert said["error"] == pytest.approx(errors.mean(), abs=0.02) and said["count"] == len(tokens)
    figure.set(Time="to the first token")
    assert figure.readouts()["expected"] > 3 * said["expected"]
