"""The planner: known answers, consistency with the chapters, and impossible input."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memwall import InputError, forecast, model
from memwall.planner import (
    batch_for_speed,
    deploy,
    free_bytes,
    largest_batch,
    plan,
    sweep,
    write_csv,
)


def test_memory_by_hand():
    # DeepSeek-V3 in fp8 is 671 GB; 8 H200 hold 8 x 141 = 1,128 GB; so 457 GB are left.
    # A cache of 2,250 tokens is 2,250 x 70,272 B = 158.1 MB: 64 of them 10.12 GB, and 2,890 fit.
    p = plan("DeepSeek-V3", "H200", 8, batch=64, prompt=2000, output=500)
    assert p.weights_bytes == 671e9
    assert p.free_bytes == pytest.approx(457e9)
    assert p.cache_bytes == pytest.approx(64 * 2250 * 70_272)
    assert int(p.largest_batch) == 2890
    assert p.fits and not p.notes


def test_parts_add_up_to_the_step():
    for arguments in (
        ("DeepSeek-V3", "H200", 8),
        ("Llama-3.1-70B", "H100", 8),
        ("Kimi K2", "B200", 16),
    ):
        p = plan(*arguments, batch=100)
        assert sum(p.parts.values()) == pytest.approx(p.step, rel=1e-9)
        assert p.floor < p.step


def test_cost_is_rent_over_rate():
    # $3 an hour and chip over the chip's token rate
    p = plan("Llama-3.1-70B", "H100", 8, precision="bf16", dollars_per_hour=3)
    assert p.output_cost == pytest.approx(3 / 3600 / p.rate_per_chip)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            {"chips": 8, "model": "Llama-3.1-405B", "chip": "H100", "precision": "bf16"},
            "weights alone need",
        ),
        ({"chips": 8, "model": "Llama-3.1-70B", "chip": "H100", "batch": 5000}, "caches need"),
        ({"chips": 512, "model": "gpt-oss-120b", "chip": "GB200"}, "more than the 128 experts"),
    ],
)
def test_what_does_not_fit_is_said_in_words(arguments, says):
    p = plan(**arguments)
    assert any(says in note for note in p.notes)
    assert p.fits == ("experts" in says)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"chips": 0}, "chips = 0"),
        ({"chips": 2.5}, "chips = 2.5"),
        ({"chips": 8, "stages": 3}, "does not divide 8"),
        ({"chips": 8, "batch": 0}, "batch = 0"),
        ({"chips": 8, "batch": float("nan")}, "batch"),
        ({"chips": 8, "prompt": -1}, "out of range"),
        ({"chips": 8, "cached": 2}, "cached"),
        ({"chips": 8, "precision": "fp4"}, "has no 'fp4'"),
        ({"chips": 8, "precision": "fp5"}, "has no 'fp5'"),
        ({"chips": 8, "weights": "fp5"}, "unknown precision"),
        ({"chips": 8, "chip": "H1000"}, "Did you mean"),
        ({"chips": 8, "model": "DeepSeek"}, "DeepSeek-V3"),
        ({"chips": 120, "stages": 120}, "more than the 61 layers"),
        ({"chips": 8, "speed": 1e6}, "out of reach"),
        ({"chips": 8, "speed": -1}, "greater than 0"),
    ],
)
def test_impossible_input_is_explained(arguments, says):
    with pytest.raises(InputError, match=says):
        plan(**{"model": "DeepSeek-V3", "chip": "H100", **arguments})


def test_a_speed_finds_its_batch():
    noun, group, _ = deploy("Llama-3.1-70B", "H100", 8, precision="bf16")
    batch = batch_for_speed(40, 2000, noun, group)
    constants = forecast.fitted()
    assert 1 / forecast.step_time_forecast(batch, 2000, noun, group, constants) >= 40
    assert 1 / forecast.step_time_forecast(batch + 1, 2000, noun, group, constants) < 40


def test_the_largest_batch_fits_exactly():
    noun, _, replica = deploy("DeepSeek-V3", "H200", 8)
    batch = largest_batch(4000, noun, replica)
    assert batch * 4000 * noun.kv_bytes_per_token == pytest.approx(free_bytes(noun, replica))


def test_a_sweep_keeps_every_combination_and_saves_it():
    records = sweep({"chips": [2, 8], "batch": [1, 64]}, model="Llama-3.1-70B", chip="H100")
    assert len(records) == 4
    bad = sweep({"precision": ["bf16", "fp4"]}, model="Llama-3.1-70B", chip="H100", chips=8)
    assert [bool(r["error"]) for r in bad] == [False, True]
    file = io.StringIO()
    write_csv([*records, *bad], file)
    file.seek(0)
    rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert float(rows[0]["step_s"]) == records[0]["step_s"]


def test_an_own_model_needs_its_shape():
    mine = model("Llama-3.1-70B").replace(name="mine", n_total=30e9, n_active=30e9)
    assert plan(mine, "H100", 4).title == "mine on 4 × H100"


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["DeepSeek-V3", "Llama-3.1-70B", "Qwen3-235B-A22B"]),
    st.sampled_from(["H100", "H200", "B200", "MI300X"]),
    st.sampled_from([8, 16, 64]),
    st.floats(1, 1e4),
    st.floats(1, 1e5),
)
def test_more_users_are_slower_each_and_cheaper_together(name, chip, chips, batch, prompt):
    few, many = (
        plan(name, chip, chips, batch=b, prompt=prompt, dollars_per_hour=2)
        for b in (batch, 2 * batch)
    )
    assert many.speed <= few.speed * (1 + 1e-9)
    assert many.output_cost <= few.output_cost * (1 + 1e-9)
