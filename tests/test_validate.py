"""The check against measurements: the file format, the floor, the fit and how good it is."""

import csv
import io

import numpy as np
import pytest

from memwall import catalog, validate
from memwall.core.units import InputError
from memwall.formulas.forecast_old import TERMS, Efficiency, band, fitted

HEADER = ",".join(validate.COLUMNS)
GOOD = {
    "id": "a", "model": "Nobody's 7B", "hardware": "H100", "compute_precision": "bf16",
    "n_total": "7e9", "n_active": "7e9", "n_layers": "32", "d_model": "4096",
    "bytes_per_param": "2", "kv_bytes_per_token": "131072", "n_chips": "1", "pipeline_stages": "1",
    "batch": "1", "prompt_tokens": "100", "output_tokens": "10", "context_before": "0",
    "measured_s": "0.1",
}  # fmt: skip


def row(**changes):
    return ",".join({**GOOD, **changes}[c] for c in validate.COLUMNS)


@pytest.fixture
def run_on(tmp_path, capsys):
    """Run the command on lines of CSV: exit status, printed rows, complaints."""

    def run(*lines, form="csv"):
        path = tmp_path / "runs.csv"
        path.write_text("\n".join([HEADER, *lines]) + "\n")
        status = validate.main([str(path), "--format", form])
        out, err = capsys.readouterr()
        return status, list(csv.DictReader(io.StringIO(out))) if form == "csv" else out, err

    return run


@pytest.fixture(scope="module")
def runs():
    return validate.measured()


@pytest.fixture(scope="module")
def without(runs):
    return validate.left_out(runs)


# ---- the floor, and the goals of the chapter -----------------------------------------------------


@pytest.mark.parametrize("name", ["measured", "measured_unseen"])
def test_every_run_lies_above_the_floor(name):
    runs = validate.measured(name)
    ratio = runs.measured / runs.floor
    assert ratio.min() > 1.2 and ratio.max() < 9


def test_floor_by_hand(run_on):
    # 7e9 x 2 B / 3.35 TB/s = 4.18 ms: the prompt (2 x 100 x 7e9 / 989e12 = 1.4 ms) hides in it;
    # ten steps read in addition 104.5 tokens x 131,072 B on average
    status, rows, complaints = run_on(row())
    weights, cache = 14e9 / 3.35e12, 104.5 * 131_072 / 3.35e12
    assert status == 0 and complaints == ""
    assert float(rows[0]["floor_s"]) == pytest.approx(11 * weights + 10 * cache, rel=1e-5)


def test_the_forecast_reaches_its_aim_in_and_out_of_the_fit(runs, without):
    inside = validate.score(runs.predicted(fitted()) / runs.measured)
    assert inside.median_error < 0.10 and inside.within_1_5 >= 0.9
    outside = validate.score(validate.left_out_ratios(runs, without))
    assert outside.median_error < 0.20 and outside.within_1_5 >= 0.9
    unseen = validate.measured("measured_unseen")
    never = validate.score(unseen.predicted(fitted()) / unseen.measured)
    assert never.median_error < 0.20 and never.within_1_5 >= 0.9


def test_the_unseen_runs_really_are_others(runs):
    unseen = validate.measured("measured_unseen")
    assert not set(runs.ids) & set(unseen.ids)

    def conditions(r):
        return (r.model.n_total, r.group.name, r.batch, r.prompt, r.output, r.before)

    assert not {conditions(r) for r in runs} & {conditions(r) for r in unseen}


def test_the_band_holds_eight_in_ten(runs, without):
    low, high = band()
    ratios = validate.left_out_ratios(runs, without)
    held = np.mean((1 / ratios >= low * 0.999) & (1 / ratios <= high * 1.001))
    assert 0.75 <= held <= 0.85
    unseen = validate.measured("measured_unseen")
    times = unseen.measured / unseen.predicted(fitted())
    assert np.mean((times >= low) & (times <= high)) > 0.75


def test_fit_gives_the_constants_that_are_kept(runs):
    again = validate.fit(runs)
    for name in Efficiency.quantities():
        assert getattr(again, name) == pytest.approx(getattr(fitted(), name), rel=2e-3)


def test_fit_from_elsewhere_ends_at_the_same_place(runs):
    other = validate.fit(runs, start=Efficiency(0.8, 0.6, 0.3, 3e-5))
    for name in Efficiency.quantities():
        assert getattr(other, name) == pytest.approx(getattr(fitted(), name), rel=1e-2)


def test_intervals_hold_the_constants(runs, without):
    kept = {r["name"]: r for r in catalog.table("forecast_old")}
    for name in Efficiency.quantities():
        value = getattr(fitted(), name)
        assert float(kept[name]["bootstrap_low"]) <= value <= float(kept[name]["bootstrap_high"])
        others = [getattr(e, name) for e in without.values()]
        assert float(kept[name]["left_out_low"]) == pytest.approx(min(others), rel=5e-3)
        assert float(kept[name]["left_out_high"]) == pytest.approx(max(others), rel=5e-3)


def test_fit_recovers_constants_it_is_shown(runs):
    truth = Efficiency(0.5, 0.9, 0.7, 5e-6)
    made = validate.Runs(
        tuple(
            validate.Run(**{**vars(r), "measured": float(t)})
            for r, t in zip(runs, runs.predicted(truth), strict=True)
        )
    )
    found = validate.fit(made)
    for name in Efficiency.quantities():
        assert getattr(found, name) == pytest.approx(getattr(truth, name), rel=1e-2)


def test_bootstrap_is_reproducible(runs):
    first, again = (validate.bootstrap(runs, draws=2, seed=1) for _ in range(2))
    assert first == again
    assert all(low <= high for low, high in first.values())


def test_waterfall_goes_from_the_floor_to_the_forecast(runs):
    steps = validate.waterfall(runs)
    assert [name for name, _ in steps] == ["floor", *TERMS]
    np.testing.assert_allclose(steps[0][1], runs.floor / runs.measured)
    np.testing.assert_allclose(steps[-1][1], runs.predicted(fitted()) / runs.measured)
    assert validate.score(steps[-1][1]).median_error < validate.score(steps[0][1]).median_error / 4


def test_every_forecast_is_made_of_four_times(runs):
    shares = validate.made_of(runs)
    np.testing.assert_allclose(sum(shares.values()), 1, rtol=1e-3)
    assert all((s > -1e-9).all() for s in shares.values())
    by_id = {i: {n: s[k] for n, s in shares.items()} for k, i in enumerate(runs.ids)}
    # one chip, one sequence, no prompt: nothing to send, and weights to read
    assert by_id["kipply13-tp1-decode"]["link"] == pytest.approx(0, abs=1e-9)
    assert by_id["kipply13-tp1-decode"]["bandwidth"] > 0.8
    assert by_id["pope540-ht-prefill-lat"]["compute"] > 0.8


def test_score_by_hand():
    s = validate.score(np.array([1.0, 1.1, 0.5, 1.4]))  # errors 0, 0.1, 0.5, 0.4
    assert s.median_error == pytest.approx(0.25) and s.within_1_5 == 0.75 and s.runs == 4


# ---- the command ---------------------------------------------------------------------------------


def test_columns_are_exactly_the_promised_ones(run_on):
    _, rows, _ = run_on(row())
    assert ",".join(rows[0]) == (
        "id,floor_s,predicted_s,low_s,high_s,measured_s,measured_over_floor,predicted_over_measured"
    )
    values = {k: float(v) for k, v in rows[0].items() if k != "id"}
    assert values["low_s"] < values["predicted_s"] < values["high_s"]
    assert values["measured_over_floor"] == pytest.approx(0.1 / values["floor_s"], rel=1e-4)
    ratio = values["predicted_s"] / values["measured_s"]
    assert values["predicted_over_measured"] == pytest.approx(ratio, rel=1e-4)


def test_the_books_own_file_in_both_formats(runs, tmp_path, capsys):
    rows = catalog.table("measured")
    plain = [c for c in rows[0] if c not in ("url", "date")]
    path = tmp_path / "plain.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, plain, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    assert len(plain) == 20
    assert validate.main([str(path), "--format", "csv"]) == 0
    without_url = capsys.readouterr().out
    assert validate.main(["--format", "csv"]) == 0
    assert capsys.readouterr().out == without_url
    assert len(without_url.splitlines()) == 1 + len(runs)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hardware": "H1000"}, "H1000"),
        ({"hardware": "Groq LPU"}, "Groq LPU"),
        ({"compute_precision": "fp7"}, "fp7"),
        ({"batch": "0"}, "batch = 0"),
        ({"batch": "-1"}, "batch = -1"),
        ({"batch": "nan"}, "batch = nan"),
        ({"batch": ""}, "batch = ''"),
        ({"n_layers": "many"}, "n_layers = 'many'"),
        ({"n_active": "8e9"}, "n_active"),
        ({"prompt_tokens": "0", "output_tokens": "0"}, "nothing was run"),
        ({"pipeline_stages": "2"}, "stages = 2"),
        ({"n_chips": "0"}, "0 chips"),
        ({"measured_s": "0"}, "measured_s = 0"),
        ({"measured_s": "inf"}, "measured_s = inf"),
        ({"bytes_per_param": "0"}, "bytes_per_param"),
        ({"id": ""}, "id is empty"),
    ],
)
def test_a_bad_row_is_named_and_the_others_are_printed(run_on, changes, said):
    status, rows, complaints = run_on(row(id="first"), row(**changes), row(id="last"))
    assert status == 1
    assert [r["id"] for r in rows] == ["first", "last"]
    assert "line 3: " in complaints and said in complaints
    assert len(complaints.splitlines()) == 1


def test_short_and_long_rows_and_repeated_ids(run_on):
    status, rows, complaints = run_on(row(id="x"), "y,Nobody's", row(id="z") + ",more", row(id="x"))
    assert status == 1 and [r["id"] for r in rows] == ["x"]
    assert [line.split(": ")[0].rpartition(" ")[2] for line in complaints.splitlines()] == [
        "3",
        "4",
        "5",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt_tokens": "0", "context_before": "2048"},  # decode only
        {"output_tokens": "0"},  # prefill only
        {"hardware": "A100", "n_chips": "24", "pipeline_stages": "3", "compute_precision": "fp16"},
        {"hardware": "MI300X", "n_chips": "16"},  # no network card in the catalog
        {"hardware": "MI455X", "n_chips": "4"},  # no domain in the catalog
        {"hardware": "TPU v5e", "n_chips": "32", "bytes_per_param": "1"},
        {"n_total": "671e9", "n_active": "37e9", "model": "DeepSeek-V3/R1", "n_layers": "61",
         "d_model": "7168", "hardware": "B200", "n_chips": "8", "compute_precision": "fp4"},
        {"n_total": "100e9", "n_active": "5e9", "hardware": "GB200", "n_chips": "144"},
        {"n_active": "6.99e9"},  # hardly sparse
        {"model": "Llama"},  # could be several of the catalog's: the columns decide
        {"kv_bytes_per_token": "0"},
        {"batch": "1000.5"},
    ],
)  # fmt: skip
def test_every_kind_of_run_gets_a_forecast(run_on, changes):
    status, rows, complaints = run_on(row(**changes))
    assert status == 0 and complaints == ""
    assert 0 < float(rows[0]["low_s"]) < float(rows[0]["high_s"]) < np.inf


def test_catalog_widths_are_used_only_where_the_shape_agrees():
    v3 = {**GOOD, "n_total": "671e9", "n_active": "37e9", "n_layers": "61", "d_model": "7168"}
    known, other, unknown = (
        validate.run_of({**v3, **changes}).model
        for changes in (
            {"model": "DeepSeek-V3/R1"},
            {"model": "DeepSeek-V3/R1", "n_layers": "60"},
            {"model": "Something"},
        )
    )
    assert known.attention_width == 128 * (576 + 512) and known.experts == 256
    assert other.attention_width == unknown.attention_width == 2 * 7168
    assert other.experts / other.experts_active == pytest.approx(671 / 37)


def test_a_file_that_is_none(tmp_path, capsys):
    assert validate.main([str(tmp_path / "nothing.csv")]) == 2
    assert "nothing.csv" in capsys.readouterr().err
    (tmp_path / "other.csv").write_text("id,model\n1,2\n")
    assert validate.main([str(tmp_path / "other.csv")]) == 2
    assert "no column hardware" in capsys.readouterr().err
    (tmp_path / "empty.csv").write_text(HEADER + "\n")
    assert validate.main([str(tmp_path / "empty.csv"), "--format", "csv"]) == 0
    assert capsys.readouterr().out.strip() == ",".join(validate.PRINTED)
    with pytest.raises(InputError, match="nothing"):
        validate.read(tmp_path / "nothing.csv")


def test_text_for_people(run_on):
    status, text, _ = run_on(row(), form="text")
    assert status == 0 and "floor" in text and "1 runs" in text


def test_fit_prints_the_table_that_is_kept(monkeypatch, capsys, runs, without):
    drawn = dict.fromkeys(Efficiency.quantities(), (0.1, 0.9))
    monkeypatch.setattr(validate, "bootstrap", lambda _: drawn)
    monkeypatch.setattr(validate, "left_out", lambda _: without)
    assert validate.main(["--fit"]) == 0
    printed = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    kept = catalog.table("forecast_old")
    assert list(printed[0]) == list(kept[0])
    for new, old in zip(printed, kept, strict=True):
        assert new["name"] == old["name"] and new["source"] == old["source"]
        assert float(new["value"]) == pytest.approx(float(old["value"]), rel=2e-3)
        catalog.check_provenance(new, "printed")
