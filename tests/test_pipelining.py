"""Pipelining: known answers worked by hand, limits, and the cancellations in algebra."""

import math

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from memwall import catalog, claims, pipelining, racks, roofline
from memwall.core.nouns import MissingFact, Model, System
from memwall.core.units import InputError

M1T = Model(n_total=1e12, n_active=100e9, bytes_per_param=1, kv_bytes_per_token=2048)
counts = st.integers(1, 500)


# --- where to cut ------------------------------------------------------------------------


def test_boundary_by_hand():
    # 16 experts, there and back, one layer: 32 messages on a network 8 times faster = 4
    assert pipelining.boundary_ratio(16, 1, 8) == 4
    # 8 experts and one layer pass: 16/8 = 2; 4 experts are just at the limit
    assert pipelining.boundary_ratio(8, 1, 8) == 2
    assert pipelining.boundary_ratio(4, 1, 8) == 1


def test_merged_copies_lower_the_ratio():
    # 8 of 256 experts on 64 GPUs: about 7.6 different ones, still well above the needed 4
    touched = racks.distinct_targets(64, catalog.model("DeepSeek-V3"))
    assert 7 < touched < 8
    assert 1 < pipelining.boundary_ratio(touched, 1, 8) < pipelining.boundary_ratio(8, 1, 8)


# --- idle time ---------------------------------------------------------------------------


def test_bubbles_by_hand():
    assert pipelining.naive_bubble(4) == 0.75
    assert pipelining.fill_bubble(4, 8, 1) == pytest.approx(3 / 11)
    assert pipelining.fill_bubble(4, 8, 2) == pytest.approx(3 / 19)
    assert pipelining.zb_h1_bubble(4, 8) == pytest.approx(3 / 27)
    assert pipelining.zb_h2_bubble(4, 8) == 0
    assert pipelining.zb_h2_bubble(4, 1) == pytest.approx(6 / 9)


@given(counts, counts)
def test_order_of_the_schedules(p, m):
    plain = pipelining.fill_bubble(p, m, 1)
    h1, h2 = pipelining.zb_h1_bubble(p, m), pipelining.zb_h2_bubble(p, m)
    assert h2 <= h1 <= plain < 1
    assert plain <= pipelining.naive_bubble(p) + 1e-12
    assert pipelining.fill_bubble(p, m, 2) <= plain
    assert pipelining.fill_bubble(p, m + 1, 1) <= plain


@given(st.integers(1, 50), st.integers(0, 200))
def test_a_third_of_the_idle_time_is_not_a_third_of_the_share(p, extra):
    m = p + extra
    plain, h1 = pipelining.fill_bubble(p, m, 1), pipelining.zb_h1_bubble(p, m)
    # over useful time the third is exact; over all time it is more than a third
    assert pipelining.idle_per_work(plain) == pytest.approx(3 * pipelining.idle_per_work(h1))
    assert h1 >= plain / 3 - 1e-12


def test_bubble_limits():
    assert pipelining.fill_bubble(1, 1, 1) == 0
    assert pipelining.fill_bubble(8, 1e12, 1) < 1e-10
    assert pipelining.idle_per_work(0) == 0
    assert pipelining.idle_per_work(1) == math.inf
    assert pipelining.speed_over(0, 0.5) == 2


# --- memory ------------------------------------------------------------------------------


def test_memory_by_hand():
    assert pipelining.weights_per_chip(M1T, 64, 4) == 1e12 / 256
    # 2,400 x 100,000 x 2,048 B = 491.52 GB over 64 chips = 7.68 GB, whatever P
    for p in (1, 2, 4, 100):
        batch = pipelining.global_batch(2400, p)
        assert pipelining.kv_per_chip(batch, 1e5, M1T, 64, p) == pytest.approx(7.68e9)


@given(st.integers(1, 10_000), st.floats(0, 1e6), counts, counts)
def test_the_whole_is_the_sum_of_the_parts(batch, context, chips, p):
    whole = pipelining.bytes_per_chip(batch, context, M1T, chips, p)
    parts = pipelining.weights_per_chip(M1T, chips, p)
    parts += pipelining.kv_per_chip(batch, context, M1T, chips, p)
    assert whole == pytest.approx(parts)


def test_stages_cancel_in_algebra():
    b, context, chips, p = sympy.symbols("b L E P", positive=True)
    model = Model.symbolic()
    held = pipelining.kv_per_chip(
        pipelining.global_batch(b, p), context, model, chips, p
    )  # b fixed: the batch grows with P
    assert sympy.simplify(sympy.diff(held, p)) == 0
    users = sympy.Symbol("B", positive=True)
    fixed = pipelining.kv_per_chip(users, context, model, chips, p)
    assert sympy.simplify(fixed * p / held.subs(b, users)) == 1  # users fixed: it falls as 1/P


def test_stages_needed():
    # 1e12 B of weights, 491.52e9 of caches: 2.03 stages to be equal
    assert pipelining.stages_to_equal_kv(2400, 1e5, M1T) == pytest.approx(1e12 / 491.52e9)
    box = System(1e15, 1e12, capacity=640e9)
    # room of 640 - 491.52 = 148.48 GB for weights: 6.73 stages
    assert pipelining.stages_to_fit(2400, 1e5, M1T, box) == pytest.approx(1e12 / 148.48e9)
    assert pipelining.stages_to_fit(3200, 1e5, M1T, box) == math.inf
    assert pipelining.stages_to_equal_kv(2400, 0, M1T) == math.inf
    # weights of half a byte: half as many stages
    half = M1T.replace(bytes_per_param=0.5)
    assert pipelining.weights_per_chip(half, 50, 4) == pytest.approx(0.5e12 / 200)
    assert pipelining.stages_to_equal_kv(2400, 1e5, half) == pytest.approx(0.5e12 / 491.52e9)
    assert pipelining.stages_to_fit(2400, 1e5, half, box) == pytest.approx(0.5e12 / 148.48e9)


@given(st.integers(1, 1000), st.floats(1, 1e5))
def test_the_stages_to_fit_do_fit(b, context):
    box = catalog.chip("B200").system(8)
    p = pipelining.stages_to_fit(b, context, M1T, box)
    if math.isfinite(p) and p >= 1:
        need = pipelining.bytes_per_chip(b * p, context, M1T, box.chips, p)
        assert need == pytest.approx(box.capacity / box.chips)


# --- time --------------------------------------------------------------------------------


def test_stages_cancel_in_the_time_of_a_token():
    b, context, p = sympy.symbols("b L P", positive=True)
    model, system = Model.symbolic(), System.symbolic()
    stage = pipelining.stage_time(b, context, model, system, p)
    token = pipelining.token_time(stage, p, 0)
    assert sympy.simplify(token - roofline.step_time(b, context, model, system)) == 0


def test_hops():
    # four stages, 2.5 ms a hop: 10 ms on top of 4 x 5 ms
    assert pipelining.hop_latency(4, 2.5e-3) == pytest.approx(10e-3)
    assert pipelining.token_time(5e-3, 4, 2.5e-3) == pytest.approx(30e-3)
    assert pipelining.hop_latency(1, 1) == 0
    assert pipelining.hop_latency(2, 1) == 2
    np.testing.assert_allclose(pipelining.hop_latency(np.array([1, 2, 8]), 1), [0, 2, 8])


def test_hop_time_by_hand():
    m = M1T.replace(d_model=7168)
    box = catalog.chip("H100").system(8)  # eight cards of 50 GB/s
    # 2,000 x 7,168 x 2 B = 28.672 MB at 400 GB/s = 71.68 us, plus 5 us
    assert pipelining.hop_time(2000, m, box, 2, 5e-6) == pytest.approx(76.68e-6)
    with pytest.raises(MissingFact, match="d_model"):
        pipelining.hop_time(2000, M1T, box, 2, 5e-6)
    with pytest.raises(MissingFact, match="scale_out"):
        pipelining.hop_time(2000, m, System(1e15, 1e12), 2, 5e-6)


# --- bad input, claims, sources ----------------------------------------------------------


@pytest.mark.parametrize("bad", [0, 0.5, -3, math.nan, math.inf, "four", None])
def test_bad_stages_are_named(bad):
    with pytest.raises(InputError, match="stages"):
        pipelining.naive_bubble(bad)


def test_claims_of_the_chapter():
    found = {c.id: c for c in claims.of_chapter(5).claims}
    assert set(found) == {f"P{i}" for i in range(1, 27)}
    assert found["P2"].computed() == 4
    assert found["P8"].computed() == 0.75
    assert found["P9"].computed() == pytest.approx(3 / 11)
    assert found["P17"].computed() == pytest.approx(1e12 / 256)
    assert found["P19"].computed() == pytest.approx(7.68e9)
    # 576 TB/s over 26.8 TB/s; 1 TB over 26.8 TB/s
    assert found["P21"].computed() == pytest.approx(576 / 26.8)
    assert found["P23"].computed() == pytest.approx(1e12 / 26.8e12)


def test_published_schedules_have_sources():
    rows = catalog.table("schedules")
    assert {r["ours"] for r in rows} >= {"1F1B", "ZB-H1", "ZB-H2"}
