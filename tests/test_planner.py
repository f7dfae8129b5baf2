"""The planner: known answers, consistency with the chapters, and impossible input."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memwall import InputError, Model, forecast, model
from memwall.formulas.forecast_old import Efficiency, Group
from memwall.formulas.planner_old import (
    Plan,
    Replica,
    arithmetic_part,
    attention_part,
    batch_for_speed,
    cached_cost,
    deploy,
    first_token_time,
    free_bytes,
    input_cost,
    largest_batch,
    network_part,
    plan,
    sweep,
    weights_part,
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


# A group of 1 PFLOP/s (half of it in bf16) and 4 TB/s in four stages; half and four fifths of that
# in practice. Of 28 billion active weights 20 are always used and 8 are one expert of ten.
STAGED = Group(1e15, 5e14, 4e12, chips=8, domain=8, link=4e11, card=5e10, stages=4)
SHARES = Efficiency(compute=0.5, bandwidth=0.8, link=0.5, latency=1e-5)
SPARSE = Model(
    n_total=100e9, n_active=28e9, bytes_per_param=1, kv_bytes_per_token=50_000, layers=50,
    d_model=5000, attention_width=10_000, experts=10, experts_active=1,
)  # fmt: skip


def test_the_parts_of_a_step_by_hand():
    # 8 sequences in 4 micro-batches are 2 each: 20 + 80 (1 - 0.9^2) = 35.2 GB at 3.2 TB/s
    assert weights_part(8, SPARSE, STAGED, SHARES) == pytest.approx(35.2e9 / 3.2e12)
    # 2 sequences make 2 micro-batches of 1: the active 28 GB
    assert weights_part(2, SPARSE, STAGED, SHARES) == pytest.approx(28e9 / 3.2e12)
    wide = SPARSE.replace(bytes_per_param=2)
    assert weights_part(2, wide, STAGED, SHARES) == pytest.approx(56e9 / 3.2e12)
    # 2 x 2 x 28e9 / 0.5e15 = 0.22 ms hides behind 11 ms of weights;
    # 20,000 a micro-batch: 2.24 s, of which 100 GB / 3.2 TB/s = 31.25 ms are hidden
    assert arithmetic_part(8, SPARSE, STAGED, SHARES) == 0
    assert arithmetic_part(80_000, SPARSE, STAGED, SHARES) == pytest.approx(2.24 - 0.03125)
    # 2 sequences read 2 x 1000 x 50 kB at 3.2 TB/s = 31.25 us;
    # they compute 2 x 2 x 1000 x 10,000 x 50 FLOP at 0.25 PFLOP/s = 8 us
    assert attention_part(8, 1000, SPARSE, STAGED, SHARES) == pytest.approx(31.25e-6)
    narrow = SPARSE.replace(kv_bytes_per_token=5000)
    assert attention_part(8, 1000, narrow, STAGED, SHARES) == pytest.approx(8e-6)
    assert network_part(1.0, 0.5, 0.125, 0.25) == 0.125
    assert network_part(1.0, 0.75, 0.5, 0.0) == 0


def test_first_token_and_input_cost_by_hand():
    # a quarter of 1000 tokens is cached: 750 x 2 x 1e12 / 1e15 = 1.5 s, and 250 x 4 GB / 2 TB/s
    m = Model(
        n_total=1e12, n_active=1e12, bytes_per_param=1, kv_bytes_per_token=4e9, layers=10,
        d_model=1000, attention_width=1, experts=1, experts_active=1,
    )  # fmt: skip
    g = Group(1e15, 1e15, 2e12, chips=1, domain=8, link=1e9, card=1e9)
    assert first_token_time(1000, 0.25, m, g, forecast.IDEAL) == pytest.approx(2.0)
    # uncached: 2 s for 1000 tokens at $0.001 a second; no prompt at all counts as one token,
    # which takes the 0.5 s of the weights
    r = Replica(capacity=2e12, chips=1, rent=0.001, card=4e11)
    assert input_cost(1000, m, g, r, forecast.IDEAL) == pytest.approx(2e-6)
    assert input_cost(1, m, g, r, forecast.IDEAL) == pytest.approx(5e-4)
    # a cached token: 4 GB over 400 GB/s is 10 ms
    assert cached_cost(m, r) == pytest.approx(1e-5)


def test_rows_by_hand():
    p = Plan(
        title="a title", fits=True, notes=("a note",), weights_bytes=600e9, cache_bytes=100e9,
        free_bytes=400e9, largest_batch=256.7, largest_context=9000.9, floor=0.01, step=0.02,
        first_token=0.5, parts={"weights": 0.012, "network": 0.008}, speed=50.0, rate_per_chip=400.0,
        input_cost=1e-6, cached_cost=None, output_cost=2e-6, band=(0.5, 2.0),
    )  # fmt: skip
    assert [row[:3] for row in p.rows()] == [
        ("weights", "600 GB", ""),
        ("caches of this batch", "100 GB", ""),
        ("room left", "300 GB", ""),
        ("largest batch", "256 sequences", ""),
        ("largest context", "9,000 tokens", ""),
        ("step, floor", "10 ms", ""),
        ("step, forecast", "20 ms", "10 ms to 40 ms"),
        ("first token", "500 ms", "250 ms to 1 s"),
        # a longer step is a slower user: the band turns round
        ("speed of one user", "50 token/s", "25 to 100 token/s"),
        ("rate of one chip", "400 token/s", "200 to 800 token/s"),
        ("what binds", "weights", ""),
        ("input", "$1.00 / Mtok", "$0.50 / Mtok to $2.00 / Mtok"),
        ("cached input", "rent not known", ""),
        ("output", "$2.00 / Mtok", "$1.00 / Mtok to $4.00 / Mtok"),
    ]
    assert repr(p).startswith("a title\n") and repr(p).endswith("\na note")
    assert "<caption>a title</caption>" in p._repr_html_() and "<p>a note</p>" in p._repr_html_()


def test_a_fleet_is_cut_by_hand():
    # 16 chips in 2 replicas of 8, each in 2 stages of 4; $3.60 an hour is a tenth of a cent a second
    noun, group, replica = deploy(
        "Llama-3.1-70B", "H100", 16, precision="bf16", stages=2, replicas=2, dollars_per_hour=3.6
    )
    assert (group.chips, group.stages, replica.chips) == (4, 2, 8)
    assert replica.capacity == 8 * 80e9
    assert replica.rent == pytest.approx(8 * 0.001)
    assert replica.card == 8 * group.card
    # as many stages as layers can still be cut
    assert deploy(noun, "H100", 80, stages=80)[1].chips == 1
    p = plan(noun, "H100", 16, stages=2, replicas=2, batch=10)
    assert p.title == "Llama-3.1-70B on 2 × 8 × H100"
    assert p.rate_per_chip == pytest.approx(10 / p.step / 8)
    assert p.speed == pytest.approx(1 / p.step)
    for bad in ({"chips": True}, {"chips": 8, "stages": 0}, {"chips": 8, "replicas": 0}):
        with pytest.raises(InputError, match="whole number, at least 1"):
            deploy(noun, "H100", **bad)
    with pytest.raises(InputError, match="3 replicas of 2 stages: 6 does not divide 16"):
        deploy(noun, "H100", 16, stages=2, replicas=3)


def test_what_plan_takes_when_nothing_is_said():
    said = plan(
        "DeepSeek-V3", "H200", 8, precision="fp8", cache="bf16", stages=1, replicas=1, batch=64,
        prompt=2000, output=500, cached=0,
    )  # fmt: skip
    assert plan("DeepSeek-V3", "H200", 8) == said


def test_what_just_fits_fits():
    # 40 GB of weights and 40 caches of 1000 tokens of 1 MB fill the 80 GB of an H100 to the byte
    mine = model("Llama-3.1-70B").replace(
        n_total=40e9, n_active=40e9, bytes_per_param=1, kv_bytes_per_token=1e6
    )
    full, over = (plan(mine, "H100", 1, batch=b, prompt=1000, output=0) for b in (40, 41))
    assert full.fits and not full.notes
    assert not over.fits and "caches need 41 GB, and the weights leave 40 GB" in over.notes[0]
    # as many chips as experts: each holds one
    assert not any("experts" in n for n in plan("gpt-oss-120b", "GB200", 128).notes)


def test_a_speed_at_its_very_edge():
    noun, group, _ = deploy("Llama-3.1-70B", "H100", 8, precision="bf16")
    rate = {
        b: 1 / forecast.step_time_forecast(b, 2000, noun, group, forecast.fitted())
        for b in (1, 2, 7)
    }
    assert batch_for_speed(rate[7], 2000, noun, group) == 7  # reached exactly
    assert batch_for_speed((rate[1] + rate[2]) / 2, 2000, noun, group) == 1
    p = plan(noun, "H100", 8, precision="bf16", prompt=2000, output=0, speed=rate[7])
    assert p.cache_bytes == pytest.approx(7 * 2000 * noun.kv_bytes_per_token)
    assert p.notes[0].endswith("is 7 sequences.")


def test_a_record_of_a_sweep_is_the_plans():
    (record,) = sweep({"batch": [32]}, model="Llama-3.1-70B", chip="H100", chips=8)
    p = plan("Llama-3.1-70B", "H100", 8, batch=32)
    assert (record["step_s"], record["floor_s"], record["first_token_s"]) == (
        p.step, p.floor, p.first_token,
    )  # fmt: skip
    assert record["tokens_per_second_user"] == p.speed
    assert record["tokens_per_second_chip"] == p.rate_per_chip
    assert record["output_usd_per_token"] == p.output_cost


def test_a_dense_model_has_no_experts_to_run_out_of():
    assert plan("Llama-3.1-70B", "H100", 8).notes == ()
