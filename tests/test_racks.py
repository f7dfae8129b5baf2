"""Racks: known answers worked by hand, formulas against simulated traffic, published timings."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memwall import InputError, Model, System, chip, model, racks, traffic
from memwall.catalog import rack
from memwall.catalog import racks as all_racks
from memwall.experiments.moe import Router

V3 = model("DeepSeek-V3")
BOX = System(flops=1e15, bandwidth=1e12, capacity=640e9, scale_up=8e12, scale_out=1e12)
TOKENS = 4000


@pytest.fixture(scope="module")
def choices() -> np.ndarray:
    return Router(experts=256, chosen=8)(TOKENS)


# --- known answers


def test_placement() -> None:
    # 256 experts on at most 72 GPUs: 64 is the largest divisor, 8 of 72 stay idle
    assert traffic.even_split(256, 72) == 64
    # a prime number of experts on fewer GPUs stays on one; one expert or one GPU is one
    assert (traffic.even_split(7, 4), traffic.even_split(1, 9), traffic.even_split(9, 1)) == (
        1,
        1,
        1,
    )
    assert racks.idle_fraction(64, 72) == pytest.approx(1 / 9)
    # with 32 spare copies 288 = 4 * 72 and nobody is idle
    assert traffic.even_split(256 + 32, 72) == 72


def test_crossing() -> None:
    assert racks.crossing_share(np.array([1.0, 2, 4, 8])) == pytest.approx([0, 0.5, 0.75, 0.875])
    # two racks: half crosses at an eighth of the speed, 0.5 * 8 = 4
    assert racks.network_ratio(BOX) == 8
    assert racks.crossing_slowdown(2, 8) == 4
    assert racks.crossing_slowdown(4, 8) == 6
    assert racks.crossing_slowdown(1, 8) == 1
    # two equal networks share the work
    assert racks.crossing_slowdown(2, 1) == 0.5


def test_times() -> None:
    # 1000 tokens * 8 copies * 7168 elements * 1 byte = 57.344 MB; over 8 TB/s 7.168 us
    assert racks.dispatch_bytes(1000, 1, V3) == 57.344e6
    assert racks.alltoall_time(1000, 1, 1, V3, BOX) == pytest.approx(7.168e-6)
    assert racks.alltoall_time(1000, 2, 1, V3, BOX) == pytest.approx(4 * 7.168e-6)
    # 61 layers, one byte there and two back
    assert racks.network_time(1000, 1, 3, V3, BOX) == pytest.approx(61 * 3 * 7.168e-6)


def test_merged_copies() -> None:
    # one expert a token: nothing to merge, half the tokens go to the other rack
    single = Model(n_total=4e9, n_active=1e9, experts=64, experts_active=1)
    assert racks.remote_racks(2, 2, single) == pytest.approx(0.5)
    assert racks.merged_slowdown(2, 2, 8, single) == pytest.approx(4)
    # all experts of a token: every other rack is needed exactly once
    every = Model(n_total=4e9, n_active=1e9, experts=64, experts_active=64)
    assert racks.remote_racks(4, 4, every) == pytest.approx(3)
    # at the tolerable ratio the two networks finish together
    ratio = racks.tolerable_ratio(8, 4, V3)
    assert racks.merged_slowdown(8, 4, ratio, V3) == pytest.approx(1)
    assert racks.merged_slowdown(8, 4, 2 * ratio, V3) == pytest.approx(2)
    assert racks.tolerable_ratio(1, 1, V3) == np.inf


def test_cables() -> None:
    # 900 GB/s are 36 lanes of 200 Gbit/s; two directions, 72 GPUs: 36 * 2 * 72 = 5184
    nvl72 = chip("GB200")
    count = racks.scale_up_cables(nvl72.domain, nvl72.chip_scale_up, 25e9)
    assert count == rack("NVL72").cables == 5184


def test_names_count_packages_or_dies() -> None:
    for r in (r for r in all_racks().values() if r.kind == "domain"):
        assert r.marketed in (r.packages, racks.domain_dies(r.packages, r.dies_per_package))
    ultra, blackwell = rack("Rubin Ultra"), rack("NVL72")
    assert racks.domain_dies(ultra.packages, ultra.dies_per_package) == 576
    assert racks.domain_dies(blackwell.packages, blackwell.dies_per_package) == 144


def test_hops() -> None:
    graph = traffic.two_networks(2, 6)
    inside = {
        traffic.hops(graph, f"gpu 0.{a}", f"gpu 0.{b}")
        for a, b in itertools.combinations(range(5), 2)
    }
    assert inside == {2}
    assert traffic.hops(graph, "gpu 0.0", "gpu 1.5") == 4


# --- formulas against simulated traffic


@pytest.mark.parametrize("count", [1, 2, 4, 8])
def test_share_that_crosses(choices: np.ndarray, count: int) -> None:
    layout = traffic.Layout(256, 64, count)
    sent = layout.traffic(choices)
    assert sent.sum() == TOKENS * 8
    assert layout.crossing(sent) == pytest.approx(float(racks.crossing_share(count)), abs=0.01)


@pytest.mark.parametrize("gpus", [8, 16, 64, 128, 256])
def test_merged_traffic(choices: np.ndarray, gpus: int) -> None:
    merged = traffic.Layout(256, gpus).traffic(choices, merged=True)
    expected = float(racks.distinct_targets(gpus, V3))
    assert merged.sum() / TOKENS == pytest.approx(expected, rel=0.01)
    assert traffic.exact_distinct(256, 8, gpus) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("count", [1, 2, 4, 8])
def test_remote_racks(choices: np.ndarray, count: int) -> None:
    layout = traffic.Layout(256, 64, count)
    expected = float(racks.remote_racks(count, count, V3))
    assert layout.remote(choices) == pytest.approx(expected, rel=0.03, abs=1e-9)


def test_group_limited_routing() -> None:
    limited = Router(experts=256, chosen=8, groups=8, groups_chosen=4)(TOKENS)
    found = traffic.Layout(256, 64, 8).remote(limited)
    # between the formula (experts fall anywhere in four racks) and all four racks every time
    assert racks.remote_racks(8, 4, V3) < found < 4 * 7 / 8
    assert found < racks.remote_racks(8, 8, V3)


def test_traffic_by_hand() -> None:
    # 4 experts on 2 GPUs; token 0 lives on GPU 0 and wants experts 0, 2, 3: one stays, two leave
    layout = traffic.Layout(experts=4, gpus=2, racks=2)
    choices = np.array([[0, 2, 3], [0, 1, 2]])
    assert layout.traffic(choices).tolist() == [[1, 2], [2, 1]]
    assert layout.traffic(choices, merged=True).tolist() == [[1, 1], [1, 1]]
    assert layout.remote(choices) == 1
    assert layout.crossing(layout.traffic(choices)) == pytest.approx(4 / 6)


# --- limits and properties


@given(st.integers(1, 64), st.floats(1, 100))
def test_slowdown_grows_and_is_bounded_by_the_ratio(count: int, ratio: float) -> None:
    here, more = (racks.crossing_slowdown(n, ratio) for n in (count + 1, count + 2))
    assert here <= max(more, 1)
    assert more <= ratio * (1 + 1e-12)


@given(st.sampled_from([1, 2, 4, 8, 16, 32]), st.integers(1, 32), st.floats(1, 100))
def test_merging_never_hurts(count: int, limit: int, ratio: float) -> None:
    plain = max(float(racks.crossing_slowdown(count, ratio)), 1)
    assert racks.merged_slowdown(count, limit, ratio, V3) <= plain * (1 + 1e-9)


@given(
    st.sampled_from([32, 64, 128, 256, 384]),
    st.sampled_from([2, 4, 8]),
    st.integers(1, 8),
)
def test_distinct_is_nearly_exact(experts: int, targets: int, chosen: int) -> None:
    m = Model(n_total=4e9, n_active=1e9, experts=experts, experts_active=chosen)
    exact = traffic.exact_distinct(experts, chosen, targets)
    assert racks.distinct_targets(targets, m) == pytest.approx(exact, rel=0.01)


# --- somebody else's stopwatch


def test_published_timings_follow_the_share_that_crosses() -> None:
    across = [t for t in traffic.timings() if t.racks > 1]
    assert [t.racks for t in across] == [2, 4, 8, 16, 32]
    for direction in ("dispatch", "combine"):
        measured = np.array([getattr(t, direction) for t in across])
        bound = np.array([t.predicted(direction) for t in across])
        assert (measured > bound).all()
        assert np.corrcoef(measured, bound)[0, 1] > 0.98
        # what is left over is latency: tens of microseconds, whatever the bytes
        assert ((measured - bound > 30e-6) & (measured - bound < 100e-6)).all()


# --- bad input


def test_refusals() -> None:
    with pytest.raises(InputError, match="dealt evenly"):
        traffic.Layout(256, 72)
    with pytest.raises(InputError, match="racks"):
        traffic.Layout(256, 64, 3)
    with pytest.raises(InputError, match="at least 1"):
        traffic.even_split(0, 4)
    with pytest.raises(InputError, match="gpus = 0 must be at least 1"):
        traffic.even_split(4, 0)
    with pytest.raises(InputError, match="no way"):
        traffic.hops({"a": [], "b": []}, "a", "b")
    with pytest.raises(InputError, match="racks"):
        racks.crossing_share(0)
    with pytest.raises(InputError, match="Did you mean"):
        rack("NVL7 2")


def test_racks_that_a_router_allows_by_counting():
    """Two of four racks of 16 experts, two chosen of their 32: one rack is missed C(16, 2) / C(32, 2) of the time."""
    m = Model(n_total=4e9, n_active=1e9, experts=64, experts_active=2)
    missed = 120 / 496
    assert racks.remote_racks(4, 2, m) == pytest.approx(2 * (1 - missed) * 3 / 4, abs=1e-3)
