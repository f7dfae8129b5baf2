"""Every published run in a cell, a failure counted as one, and curves from runs of one configuration."""

import math
from dataclasses import replace
from urllib.parse import urlsplit

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
    assert min(len(curve.rows) for curve in found) == accuracy.LEAST_POINTS
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


# ---- lines by hand -------------------------------------------------------------------------------

ROW = runs.served()[0]


def line(**answer):
    told = {
        "tpot_s": 0.02,
        "measured_tpot_s": 0.04,
        "ttft_s": 3.0,
        "measured_ttft_s": 2.0,
        "error": "",
    }
    return accuracy._line("served", ROW, "1 + 1", False, told | answer)


def test_a_line_by_hand():
    made = line()
    assert (made.token, made.first, made.beaten, made.error) == (0.5, 1.5, False, "")
    assert (made.model, made.chip, made.weights, made.url) == (
        ROW.model, ROW.chip, ROW.weights, ROW.url,
    )  # fmt: skip
    assert made.engine == ROW.engine.split(" ")[0] and made.publisher == runs.publisher(ROW.source)
    # what is not known is left out
    assert line(measured_ttft_s=None).first is None and line(tpot_s=None).token is None
    assert line(measured_tpot_s=0.0).token is None
    # a floor is beaten by what is quicker, of either time
    for name, took in (("tpot", 0.04), ("ttft", 2.0)):
        assert line(**{f"{name}_floor_s": 1.01 * took}).beaten
        assert not line(**{f"{name}_floor_s": took}).beaten
        assert not line(**{f"{name}_floor_s": 9.0, f"measured_{name}_s": None}).beaten
    assert accuracy._tokens(1024, None, 0.4) == "1,024 + ? + 0"


def test_which_curves_no_fit_saw():
    def curve(part, **changes):
        row = next(r for r in runs.served() if r.mode == "agg" and r.part == part
                   and not accuracy.guesses(r))  # fmt: skip
        return accuracy.Curve((replace(row, **changes),))

    assert curve("held out").held_out and not curve("fit").held_out
    assert curve("fit", speculates=True).held_out and curve("held out", speculates=True).held_out


def test_whole_runs_that_no_fit_saw_are_those_of_the_second_table():
    found = accuracy._whole()
    kept, unseen = (len(catalog.table(name)) for name in ("measured", "measured_unseen"))
    assert [x.held_out for x in found] == [False] * kept + [True] * unseen
    assert not any(x.beaten for x in found)
    table = accuracy.measured()
    ratios = table.predicted(forecast.fitted("server-2024")) / table.measured
    np.testing.assert_allclose([x.token for x in found[:kept]], ratios)


def test_a_whole_run_by_hand():
    run = next(iter(accuracy.measured()))
    made = accuracy._whole_line(run, 0.8, 2 * run.measured, True)
    assert made.beaten and made.held_out and made.token == 0.8
    assert not accuracy._whole_line(run, 0.8, run.measured, False).beaten
    assert made.lengths == f"{run.prompt:,.0f} + {run.output:,.0f}"
    assert made.weights == f"{8 * run.model.bytes_per_param:g} bits"
    assert made.publisher == urlsplit(run.publication).hostname.removeprefix("www.")


def test_one_user_s_lines_by_hand(monkeypatch):
    """Half as quick as forecast is a ratio of a half; quicker than the floor allows is beaten."""
    rows = [r for r in runs.local() if r.part == "fit" and not r.speculates][:3]
    rows.append(replace(rows[0], test="prefill", speculates=True))
    took = rows[0].tokens_per_second
    answers = [
        {"tokens_per_second": 2 * took, "floor_tokens_per_second": took, "error": ""},
        {"tokens_per_second": 1.0, "floor_tokens_per_second": 0.9 * rows[1].tokens_per_second, "error": ""},
        {"error": "no rate"},
        {"tokens_per_second": took, "error": ""},
    ]  # fmt: skip
    monkeypatch.setattr(accuracy.runs, "local", lambda: rows)
    monkeypatch.setattr(accuracy.validate, "local_report", lambda found: answers)
    found = accuracy._local()
    assert [x.token for x in found] == [0.5, rows[1].tokens_per_second, None, 1.0]
    assert [x.beaten for x in found] == [False, True, False, False]
    assert [x.held_out for x in found] == [False, False, False, True]
    assert found[3].lengths == "reading" and found[2].error == "no rate"


def test_cells_stand_in_order():
    def made(**changes):
        told = {"kind": "served", "model": "m", "chip": "c", "engine": "e", "weights": "fp8",
                "lengths": "1", "publisher": "p", "url": "", "held_out": False}  # fmt: skip
        return accuracy.Line(**told | changes)

    found = [
        made(kind="open"),
        made(model="z"),
        made(chip="d"),
        made(),
        made(publisher="q"),
        made(),
    ]
    cells = accuracy.cells(found)
    assert [len(c.lines) for c in cells] == [2, 1, 1, 1, 1]
    assert [(c.kind, c.model, c.chip, c.publisher) for c in cells] == [
        ("served", "m", "c", "p"), ("served", "m", "c", "q"), ("served", "m", "d", "p"),
        ("served", "z", "c", "p"), ("open", "m", "c", "p"),
    ]  # fmt: skip
