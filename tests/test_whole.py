"""Whole runs as passes: how many of which, and what they come to."""

import numpy as np
import pytest

from memwall import InputError, catalog
from memwall.core.nouns import Layout
from memwall.experiments import predict, whole
from memwall.formulas import forecast
from memwall.formulas.passes import decode_pass, least, prompt_pass

OLD = forecast.fitted("server-2024")
ROW = {
    "id": "a", "url": "https://x.org/a", "model": "Nobody's 70B", "hardware": "H100",
    "compute_precision": "fp16", "n_total": "70e9", "n_active": "70e9", "n_layers": "80",
    "d_model": "8192", "bytes_per_param": "2", "kv_bytes_per_token": "327680", "n_chips": "8",
    "pipeline_stages": "2", "batch": "6", "prompt_tokens": "1000", "output_tokens": "11",
    "context_before": "500", "measured_s": "2.5",
}  # fmt: skip
SPARSE = {**ROW, "id": "s", "n_active": "12e9"}


def made(**changes):
    return whole.run_of({**ROW, **changes})


def seconds(work, efficiency=OLD):
    return float(forecast.pass_time(work, efficiency))


def test_six_sequences_on_two_stages():
    """Two micro-batches of three: reading takes three turns of half the layers, each token a whole way."""
    run = made()
    cut, system = Layout(tp=4, pp=2), catalog.chip("H100").machine(8)
    model = predict.blackboard(run.model)
    reading = prompt_pass(3, 1000, 500, model, system, cut)
    step = decode_pass(3, 500 + 1000 + 5, model, system, cut)
    assert run.passes == 1.5 and run.reading == (reading, reading) and run.step == (step, step)
    (found,) = whole.Runs([run]).predicted(OLD)
    assert found == pytest.approx(1.5 * seconds(reading) + 11 * seconds(step))
    # a floor: two stages at work all the time, on two of three of each batch
    (floor,) = whole.Runs([run]).floor
    every = decode_pass(6, 1505, model, system, cut)
    arithmetic = every.dense_arithmetic + every.attention_arithmetic
    token = max(arithmetic / 2, every.dense_reading + every.cache_reading / 2)
    assert floor == pytest.approx(float(forecast.pass_floor(reading)) + 11 * token)
    assert (run.id, run.publication, run.chip, run.measured) == (
        "a",
        "https://x.org/a",
        "H100",
        2.5,
    )
    assert (run.chips, run.stages, run.batch, run.prompt, run.output, run.before) == (
        8,
        2,
        6,
        1000,
        11,
        500,
    )


def test_what_is_not_asked_takes_no_time():
    reading, writing = made(output_tokens="0"), made(prompt_tokens="0")
    assert whole.Runs([reading]).predicted(OLD)[0] == pytest.approx(
        1.5 * seconds(reading.reading[0])
    )
    assert writing.passes == 0
    assert whole.Runs([writing]).predicted(OLD)[0] == pytest.approx(11 * seconds(writing.step[0]))
    assert whole.Runs([writing]).floor[0] < 11 * seconds(writing.step[0], forecast.IDEAL)
    # one sequence fills one stage at a time, and reads once through both
    alone = made(batch="1")
    assert alone.passes == 1
    (floor,) = whole.Runs([made(batch="1", output_tokens="0")]).floor
    assert floor == pytest.approx(float(forecast.pass_floor(alone.reading[0])) / 2)
    # the last token is not read again; one alone has no way behind it
    assert made(output_tokens="1").step == made(output_tokens="0").step


def test_experts_run_in_the_faster_of_two_layouts():
    cut, spread = Layout(tp=4, pp=2), Layout(dp=4, ep=4, pp=2)
    fastest = set()
    v3 = catalog.model("DeepSeek-V3")
    large = {"model": v3.name, "n_total": f"{v3.n_total}", "n_active": f"{v3.n_active}",
             "n_layers": f"{v3.layers}", "d_model": f"{v3.d_model}"}  # fmt: skip
    for row in (SPARSE, {**SPARSE, **large}):
        run = whole.run_of(row)
        model, system = predict.blackboard(run.model), catalog.chip("H100").machine(8)
        steps = [decode_pass(3, 1505, model, system, layout) for layout in (cut, spread)]
        reads = [prompt_pass(3, 1000, 500, model, system, layout) for layout in (cut, spread)]
        assert run.step == tuple(steps) and run.reading == tuple(reads)
        times = list(map(seconds, steps))
        (found,) = whole.Runs([run]).predicted(OLD)
        assert found == pytest.approx(1.5 * min(map(seconds, reads)) + 11 * min(times))
        fastest.add(times.index(min(times)))
        low = min(float(forecast.pass_floor(r)) for r in reads)
        (floor,) = whole.Runs([whole.run_of({**row, "output_tokens": "0"})]).floor
        assert floor == pytest.approx(low)
    assert fastest == {0, 1}
    run = whole.run_of(SPARSE)
    model = predict.blackboard(run.model)
    low = least(decode_pass(6, 1505, model, system, cut), 6, model, system, cut)
    assert run.least.expert_reading == low.expert_reading
    assert run.least.expert_arithmetic == pytest.approx(low.expert_arithmetic / 2)
    # one chip a stage has nothing to spread over
    single = whole.run_of({**SPARSE, "n_chips": "2", "n_total": "20e9", "n_active": "5e9"})
    assert single.step[0] == single.step[1]
    pair = whole.run_of({**SPARSE, "n_chips": "4"})
    assert pair.step[0] != pair.step[1]


def test_many_runs_at_once_say_what_each_says():
    runs = whole.Runs([made(), whole.run_of(SPARSE), made(prompt_tokens="0", n_chips="4")])
    each = [whole.Runs([r]) for r in runs]
    for name in ("floor", "measured"):
        np.testing.assert_allclose(getattr(runs, name), [getattr(e, name)[0] for e in each])
    np.testing.assert_allclose(runs.predicted(OLD), [e.predicted(OLD)[0] for e in each])
    terms = runs.waterfall(OLD)
    assert [name for name, _ in terms] == ["floor", *forecast.TERMS]
    np.testing.assert_allclose(terms[0][1], runs.floor / runs.measured)
    np.testing.assert_allclose(terms[-1][1], runs.predicted(OLD) / runs.measured)
    kept = runs.where([True, False, True])
    assert len(kept) == 2 and kept.ids == [runs.ids[0], runs.ids[2]]
    np.testing.assert_allclose(kept.floor, runs.floor[[0, 2]])


def test_widths_come_from_the_catalog_where_the_shape_agrees():
    known = catalog.model("gpt-oss-120b")
    shape = {"model": "gpt-oss-120b (bf16)", "n_layers": f"{known.layers}", "d_model": f"{known.d_model}",
             "n_total": f"{known.n_total}"}  # fmt: skip
    assert known.attention_width != 2 * known.d_model  # which would be the guess
    sparse = made(**shape, n_active=f"{known.n_active}").model
    assert (sparse.experts, sparse.experts_active) == (known.experts, known.experts_active)
    assert sparse.attention_width == known.attention_width
    # a dense model of that name has its attention, and no experts
    dense = made(**shape, n_active=f"{known.n_total}").model
    assert (dense.experts, dense.attention_width) == (1, known.attention_width)
    other = made(**{**shape, "n_layers": "7"}, n_active=f"{known.n_active}").model
    assert other.attention_width == 2 * known.d_model
    assert other.experts_active == predict.usual_experts_active()


def test_a_network_card_that_nobody_published_is_the_usual_one():
    ratios = sorted(
        float(c.chip_scale_up / c.chip_scale_out) for c in catalog.chips().values()
        if c.kind == "server" and not c.torus and c.chip_scale_up and c.chip_scale_out
    )  # fmt: skip
    usual = whole.usual_network_ratio()
    assert sum(r <= usual for r in ratios) >= len(ratios) / 2 <= sum(r >= usual for r in ratios)
    torus = [
        c for c in catalog.chips().values() if c.torus and c.chip_scale_up and c.chip_scale_out
    ]
    assert torus and not any(c.name in {k.name for k in catalog.chips().values() if not c.torus} for c in torus)  # fmt: skip
    assert ratios[0] < usual < ratios[-1]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"id": " "}, "id is empty"),
        ({"prompt_tokens": "0", "output_tokens": "0"}, "nothing was run"),
        ({"measured_s": "0"}, "greater than 0"),
        ({"batch": "0.5"}, "batch = 0.5 must be at least 1"),
        ({"pipeline_stages": "9"}, "at most the 8 chips"),
        ({"pipeline_stages": "0"}, "at least 1"),
        ({"n_layers": "-1"}, "at least 0"),
        ({"n_layers": "inf"}, "finite"),
        ({"n_layers": "x"}, "not a number"),
        ({"measured_s": None}, "as many fields"),
    ],
)
def test_rows_that_are_none(changes, said):
    with pytest.raises(InputError, match=said):
        made(**changes)
    assert made(batch="1", pipeline_stages="8").stages == 8
