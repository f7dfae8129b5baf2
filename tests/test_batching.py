"""Known answers, limits and orderings of the cost of a token and the price of speed."""

import math

import numpy as np
import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st

from memwall import InputError, Model, System, batching, chip, model, roofline

V3 = model("DeepSeek-V3")
RACK = chip("GB200").system(72, "fp8", 2)
premium = st.floats(1.1, 100)


def test_rent_of_the_lecture():
    # 72 x $2 / 3600 s = $0.04 a second; over 128,000 token/s = 3.125e-7 $ = $0.3125 a million
    assert batching.rent_per_token(RACK.dollars_per_second, 128_000) == pytest.approx(3.125e-7)


def test_cost_is_time_times_rent_over_batch():
    # floor 1.16493 ms x $0.04/s = 4.6597e-5 $ for the one token of a lone user
    assert batching.cost_per_token(1, 0, V3, RACK) == pytest.approx(4.6597e-5, rel=1e-4)


def test_cost_falls_to_its_floor():
    batch = np.geomspace(1, 1e7, 50)
    cost = batching.cost_per_token(batch, 1000, V3, RACK)
    assert (np.diff(cost) <= 1e-20).all()
    assert cost[-1] == pytest.approx(batching.cost_floor(1000, V3, RACK))


def test_unbatched_penalty_is_the_exact_ratio_of_sums():
    # without overlap: (N_t w / W + 2 N_a / F) / (2 N_a / F) = 1 + h s
    serial = roofline.serial_step_time(1, 0, V3, RACK) / roofline.compute_time(1, V3, RACK)
    h, s = roofline.multiplies_per_weight(V3, RACK), roofline.sparsity(V3)
    assert batching.unbatched_penalty(h, s) == pytest.approx(serial)


def test_experts_touched():
    # two tokens, two experts: both hit the same one half of the time, so 3/4 on average
    assert batching.experts_touched(2, 2) == 0.75
    assert batching.experts_touched(1, 32) == pytest.approx(1 / 32)
    assert batching.experts_touched(1e6, 32) == 1
    assert batching.experts_touched(5, 1) == 1


@given(st.floats(1, 1e4), st.floats(1, 500))
def test_more_tokens_touch_more_experts(batch, sparsity):
    less, more = (batching.experts_touched(b, sparsity) for b in (batch, 2 * batch))
    assert 0 < less <= more <= 1
    assert less <= min(1, batch / sparsity) * (1 + 1e-9)  # union bound


def test_fast_mode_of_the_lecture():
    # t = a + c B; p = 6, r = 2.5: B_n/B_f = 15, ceiling (15 - 1)/(6 - 1) = 2.8, floor 9/14
    assert batching.fast_batch_ratio(6, 2.5) == 15
    assert batching.speed_ceiling(6, 2.5) == pytest.approx(2.8)
    assert batching.slow_mode_floor(6, 2.5) == pytest.approx(9 / 14)


@given(premium, premium)
def test_fast_mode_answers_satisfy_the_two_equations(p, r):
    assume(p * r > 1.5)
    a = 1.0
    normal = batching.speed_ceiling(p, r) * a  # time of a normal step
    c_bn = normal - a
    c_bf = c_bn / batching.fast_batch_ratio(p, r)
    assert normal / (a + c_bf) == pytest.approx(r)
    assert ((a + c_bf) / c_bf) / (normal / c_bn) == pytest.approx(p)
    assert batching.slow_mode_floor(p, r) == pytest.approx(c_bn / normal)


def test_ceiling_is_infinite_when_speed_is_free():
    assert batching.speed_ceiling(1, 2) == math.inf


def test_no_offer_at_all_is_refused():
    with pytest.raises(InputError, match="not defined"):
        batching.speed_ceiling(1, 1)


def test_time_per_token_splits_into_shared_and_own():
    B, L = sympy.symbols("batch context", positive=True)
    from memwall import Model, System

    m, s = Model.symbolic(), System.symbolic()
    limit = sympy.limit(roofline.memory_time(B, L, m, s) / B, B, sympy.oo)
    assert sympy.simplify(limit - L * m.kv_bytes_per_token / s.bandwidth) == 0


def test_the_floor_of_cost_by_hand():
    # 2 * 1e12 / 1e15 = 2 ms of arithmetic, and 4,000 * 1,000 / 1e9 = 4 ms of reading, at $2 a second
    m = Model(n_total=4e12, n_active=1e12, bytes_per_param=1, kv_bytes_per_token=1000)
    s = System(flops=1e15, bandwidth=1e9, dollars_per_second=2)
    assert batching.cost_floor(0, m, s) == pytest.approx(2e-3 * 2)
    assert batching.cost_floor(4000, m, s) == pytest.approx(4e-3 * 2)
