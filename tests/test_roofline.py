"""Known answers, limits and orderings of the roofline's formulas."""

import math

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from memwall import InputError, Model, System, chip, model, roofline

V3 = model("DeepSeek-V3")
RACK = chip("GB200").system(72, "fp8")
size = st.floats(min_value=1e6, max_value=1e13)


def made(total, share, width, kv, flops, bandwidth):
    m = Model(n_total=total, n_active=total * share, bytes_per_param=width, kv_bytes_per_token=kv)
    return m, System(flops=flops, bandwidth=bandwidth)


any_pair = st.builds(
    made, size, st.floats(0.01, 1), st.sampled_from([0.5, 1, 2]), st.floats(0, 1e6),
    st.floats(1e12, 1e18), st.floats(1e10, 1e15),
)  # fmt: skip
any_batch = st.floats(1, 1e6)
any_context = st.floats(0, 1e6)


def test_compute_time_counts_a_multiply_add_twice():
    # 2 x 37e9 FLOP over 72 x 5e15 FLOP/s = 7.4e10 / 3.6e17 = 2.0556e-7 s
    assert roofline.compute_time(1, V3, RACK) == pytest.approx(2.0556e-7, rel=1e-4)


def test_weight_floor_of_deepseek_on_a_rack():
    # 671e9 B over 72 x 8e12 B/s = 671 / 576e3 s = 1.16493 ms
    assert roofline.weight_time(V3, RACK) == pytest.approx(1.16493e-3, rel=1e-5)


def test_balance_batch_of_the_lecture():
    # h = 4.8e15 x 1 / (2 x 8e12) = 300 and s = 8, so 2,400
    m = Model(n_total=800e9, n_active=100e9, bytes_per_param=1)
    s = System(flops=4.8e15, bandwidth=8e12)
    assert roofline.multiplies_per_weight(m, s) == 300
    assert roofline.sparsity(m) == 8
    assert roofline.balance_batch(m, s) == 2400


def test_drain_times():
    # 80e9 / 3.35e12 = 23.88 ms; 288e9 / 20e12 = 14.4 ms
    assert roofline.drain_time(chip("H100").system(8)) == pytest.approx(23.88e-3, rel=1e-3)
    assert roofline.drain_time(System(1, 20e12, capacity=288e9)) == pytest.approx(14.4e-3)


def test_kv_cache_of_llama():
    # 80 layers x 2 x 8 heads x 128 x 2 B = 327,680 B; 100 x 1000 of them over 26.8e12 B/s = 1.2227 ms
    llama, box = model("Llama-3.1-70B"), chip("H100").system(8, "bf16")
    assert llama.kv_bytes_per_token == 327_680
    assert roofline.kv_time(100, 1000, llama, box) == pytest.approx(1.2227e-3, rel=1e-4)


def test_balance_with_kv_has_a_pole_and_stays_infinite():
    tie = roofline.balanced_context(V3, RACK)
    assert roofline.balance_batch_with_kv(tie / 2, V3, RACK) == pytest.approx(2 * roofline.balance_batch(V3, RACK))  # fmt: skip
    assert roofline.balance_batch_with_kv(tie, V3, RACK) == math.inf
    assert roofline.balance_batch_with_kv(3 * tie, V3, RACK) == math.inf
    assert roofline.balance_batch_with_kv(0, V3, RACK) == roofline.balance_batch(V3, RACK)


def test_without_a_cache_every_context_is_short():
    m = Model(n_total=1e12, n_active=1e11, bytes_per_param=1, kv_bytes_per_token=0)
    assert roofline.balanced_context(m, RACK) == math.inf
    assert roofline.balance_batch_with_kv(1e6, m, RACK) == roofline.balance_batch(m, RACK)


def test_the_optimal_batch_by_algebra():
    batch = sympy.Symbol("batch", positive=True)
    m, s = Model.symbolic(), System.symbolic()
    equal = sympy.Eq(roofline.compute_time(batch, m, s), roofline.weight_time(m, s))
    assert sympy.simplify(sympy.solve(equal, batch)[0] - roofline.balance_batch(m, s)) == 0


def test_waits():
    # just missed: one period to wait and one to ride; on average half a period, then the ride
    assert roofline.worst_wait(0.02) == 0.04
    assert roofline.mean_wait(0.02) == pytest.approx(0.03)


@given(any_pair, any_batch, any_context)
def test_step_is_the_slower_clock_and_at_most_half_the_sum_away(pair, batch, context):
    step = roofline.step_time(batch, context, *pair)
    total = roofline.serial_step_time(batch, context, *pair)
    assert step == max(roofline.compute_time(batch, *pair), roofline.memory_time(batch, context, *pair))  # fmt: skip
    assert step <= total <= 2 * step * (1 + 1e-12)


@given(any_pair, any_batch, any_context)
def test_step_grows_with_batch_and_context_and_shrinks_with_hardware(pair, batch, context):
    m, s = pair
    step = roofline.step_time(batch, context, m, s)
    assert roofline.step_time(2 * batch, context, m, s) >= step
    assert roofline.step_time(batch, 2 * context, m, s) >= step
    better = s.replace(flops=2 * s.flops, bandwidth=2 * s.bandwidth)
    assert roofline.step_time(batch, context, m, better) == pytest.approx(step / 2)


@given(any_pair, any_batch, any_context)
def test_memory_time_is_its_two_parts(pair, batch, context):
    parts = roofline.weight_time(*pair) + roofline.kv_time(batch, context, *pair)
    assert roofline.memory_time(batch, context, *pair) == pytest.approx(parts)


@given(any_pair, any_batch, any_context)
def test_the_largest_of_the_regimes_is_the_step(pair, batch, context):
    arithmetic, weights, caches = roofline.regimes(batch, context, *pair)
    step = roofline.step_time(batch, context, *pair)
    assert max(arithmetic, weights, caches) == pytest.approx(step)
    heavier = roofline.weight_time(*pair) >= roofline.kv_time(batch, context, *pair)
    assert (weights >= caches) == heavier
    assert max(weights, caches) == pytest.approx(roofline.memory_time(batch, context, *pair))


@given(any_pair, any_batch, any_context)
def test_attainable_rate_is_work_over_time(pair, batch, context):
    m, s = pair
    intensity = roofline.arithmetic_intensity(batch, context, m)
    achieved = roofline.step_flop(batch, m) / roofline.step_time(batch, context, m, s)
    assert achieved == pytest.approx(roofline.attainable_flops(intensity, s), rel=1e-9)
    assert roofline.compute_utilisation(batch, context, m, s) == pytest.approx(achieved / s.flops)


@given(any_pair)
def test_balance_does_not_depend_on_model_scale(pair):
    m, s = pair
    twice = m.replace(n_total=2 * m.n_total, n_active=2 * m.n_active)
    assert roofline.balance_batch(twice, s) == pytest.approx(roofline.balance_batch(m, s))


def test_arrays_broadcast_to_a_surface():
    batch, context = np.geomspace(1, 1e4, 5)[:, None], np.linspace(0, 1e5, 7)[None, :]
    assert roofline.step_time(batch, context, V3, RACK).shape == (5, 7)


@pytest.mark.parametrize("field", ["flops", "bandwidth"])
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, "fast", None, [1, 0]])
def test_impossible_hardware_is_refused(field, value):
    with pytest.raises(InputError):
        roofline.weight_time(V3, System(**{"flops": 1e15, "bandwidth": 1e12, field: value}))


def test_fewer_than_one_sequence_is_refused():
    with pytest.raises(InputError, match=r"batch = 0.5.*at least 1"):
        roofline.compute_time(0.5, V3, RACK)


def test_more_active_than_total_is_refused():
    with pytest.raises(InputError, match="n_active"):
        Model(n_total=1e9, n_active=2e9)


def test_a_missing_fact_says_which():
    with pytest.raises(InputError, match="capacity of system is not known"):
        roofline.drain_time(System(1e15, 1e12))


def test_cache_room_by_hand():
    # 80 GB less 15 billion weights of two bytes, shared by ten; nothing where they do not fit
    system = System(flops=1e15, bandwidth=4e12, capacity=80e9)
    m = Model(n_total=15e9, n_active=15e9, bytes_per_param=2)
    assert roofline.cache_room(10, m, system) == pytest.approx(5e9)
    assert roofline.cache_room(10, m.replace(n_total=50e9), system) == 0
    # 72 * 192 GB = 13.824 TB; 5e12 parameters at half a byte take 2.5 TB; a box of 640 GB is too small
    rack = system.replace(capacity=72 * 192e9)
    large = Model(n_total=5e12, n_active=1e11, bytes_per_param=0.5)
    assert roofline.room_beside_weights(large, rack) == pytest.approx(11.324e12)
    assert roofline.room_beside_weights(large, system.replace(capacity=640e9)) == 0
