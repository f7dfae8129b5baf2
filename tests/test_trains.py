"""Trains: timetables played by hand, the waits against the formulas, queueing's known limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memwall import claims, roofline, serving, trains
from memwall.core.units import InputError

PERIOD = 0.02


# --- played by hand --------------------------------------------------------------------


def test_next_train_then_the_ride():
    # trains at 10, 20, 30: arrivals at 1, 9, 10, 29 board at 10, 10, 20, 30 and are back 10 later;
    # who arrives as the doors close has missed it
    waits = trains.on_the_clock([1, 9, 10, 29], period=10)
    assert waits.tolist() == [19, 11, 20, 11]


def test_one_seat_serves_in_order():
    # three at time 1, one seat, one token each: trains at 10, 20, 30
    waits = trains.on_the_clock([1, 1, 1], period=10, seats=1)
    assert waits.tolist() == [19, 29, 39]


def test_a_long_answer_keeps_its_seat():
    # one seat, three tokens each: the first rides at 10, 20, 30, the second boards at 40
    waits = trains.on_the_clock([1, 2], period=10, seats=1, trips=3)
    assert waits.tolist() == [19, 48]


def test_filling_a_train_by_hand():
    # pairs are complete at 4 and 9, a ride takes 1; the odd fifth is left over
    assert trains.when_full([0, 4, 5, 9, 11], batch=2, ride=1).tolist() == [5, 1, 5, 1]
    # the second pair is complete at 2, but the train is away until 4 + 3 = 7
    assert trains.when_full([0, 4, 4, 4], batch=2, ride=3).tolist() == [7, 3, 6, 6]


def test_back_to_back_by_hand():
    # the first leaves at once at 1 and is back at 3; the two who came meanwhile leave at 3
    assert trains.back_to_back([1, 2, 2.5], ride=lambda aboard: 2).tolist() == [2, 3, 2.5]
    # rides of one time unit a passenger: 1 leaves alone (back at 2), then two together (back at 4)
    assert trains.back_to_back([1, 1.5, 1.5], ride=lambda n: n).tolist() == [1, 2.5, 2.5]
    # one seat and two tokens each: the second boards when the first has had both
    assert trains.back_to_back([0, 0], ride=lambda n: 1, seats=1, trips=2).tolist() == [1, 3]


# --- against the formulas ----------------------------------------------------------------


def test_random_arrivals_wait_as_the_formula_says():
    waits = trains.on_the_clock(trains.random_arrivals(1000, 200_000), PERIOD)
    # standard error of the mean: period / sqrt(12 n) = 13 microseconds
    assert waits.mean() == pytest.approx(roofline.mean_wait(PERIOD), abs=6e-5)
    assert waits.min() >= PERIOD and waits.max() <= roofline.worst_wait(PERIOD)
    grid = np.linspace(0, 0.05, 101)
    share = np.searchsorted(np.sort(waits), grid) / len(waits)
    assert abs(share - serving.share_served_within(grid, PERIOD)).max() < 0.005


@given(st.floats(1, 1e4), st.integers(0, 100))
def test_nobody_ever_waits_more_than_two_periods_for_a_free_seat(rate, seed):
    waits = trains.on_the_clock(trains.random_arrivals(rate, 200, seed), PERIOD)
    assert (waits >= PERIOD - 1e-9).all() and (waits <= 2 * PERIOD + 1e-9).all()


@given(st.integers(1, 30), st.integers(0, 100))
def test_enough_seats_are_as_good_as_endless_ones(trips, seed):
    times = trains.random_arrivals(500, 300, seed)
    endless = trains.on_the_clock(times, PERIOD)
    assert np.allclose(trains.on_the_clock(times, PERIOD, seats=300, trips=trips), endless)


@given(st.integers(0, 50))
def test_fewer_seats_never_help_and_all_are_served_in_order(seed):
    times = trains.random_arrivals(500, 300, seed)
    waits = [trains.on_the_clock(times, PERIOD, seats, trips=5) for seats in (40, 60, 100)]
    assert (waits[0] >= waits[1] - 1e-9).all() and (waits[1] >= waits[2] - 1e-9).all()
    assert (np.diff(times + waits[0]) >= -1e-9).all()


def test_no_train_carries_more_than_its_seats():
    times = trains.random_arrivals(2000, 5000)
    back = np.round((times + trains.on_the_clock(times, PERIOD, seats=30)) / PERIOD)
    assert np.unique(back, return_counts=True)[1].max() == 30


def test_waits_explode_as_the_seats_fill():
    times = trains.random_arrivals(1000, 50_000)
    needed = float(serving.seats_in_use(1000, 50, PERIOD))  # 1000 a second, 50 trips of 20 ms: 1000
    assert needed == pytest.approx(1000)
    mean = [
        trains.on_the_clock(times, PERIOD, int(needed / load), 50).mean()
        for load in (0.5, 0.95, 1.05)
    ]
    assert mean[0] == pytest.approx(roofline.mean_wait(PERIOD), rel=0.01)
    assert mean[0] <= mean[1] < mean[2] / 10


def test_filling_costs_what_the_formula_says():
    waits = trains.when_full(trains.random_arrivals(1000, 200_000), batch=200, ride=PERIOD)
    assert waits.mean() == pytest.approx(serving.mean_wait_when_full(200, 1000, PERIOD), rel=0.02)


def test_back_to_back_with_constant_rides_is_a_clock_that_waits_for_work():
    # busy line: a train leaves every ride, so waits are those of the clock
    waits = trains.back_to_back(trains.random_arrivals(5000, 50_000), lambda aboard: PERIOD)
    assert waits.mean() == pytest.approx(roofline.mean_wait(PERIOD), rel=0.01)
    # empty line: whoever comes leaves at once
    alone = trains.back_to_back(trains.random_arrivals(0.1, 50), lambda aboard: PERIOD)
    assert alone.mean() == pytest.approx(PERIOD, rel=0.05)


def test_arrivals_repeat_and_have_their_rate():
    once = trains.random_arrivals(100, 10_000, seed=3)
    assert (once == trains.random_arrivals(100, 10_000, seed=3)).all()
    assert once[-1] == pytest.approx(100, rel=0.05)
    # no memory: gaps have a spread as large as their mean
    assert np.diff(once).std() == pytest.approx(0.01, rel=0.05)


def test_share_at_its_ends():
    assert serving.share_served_within(0.01, PERIOD) == 0
    assert serving.share_served_within(0.03, PERIOD) == pytest.approx(0.5)
    assert serving.share_served_within(1, PERIOD) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda: trains.random_arrivals(0, 10),
        lambda: trains.random_arrivals(1, 2.5),
        lambda: trains.on_the_clock([1, 2], 0),
        lambda: trains.on_the_clock([2, 1], 1),
        lambda: trains.on_the_clock([], 1),
        lambda: trains.on_the_clock([[1, 2]], 1),
        lambda: trains.on_the_clock([1], 1, seats=0),
        lambda: trains.on_the_clock([1], 1, seats=3, trips=0),
        lambda: trains.when_full([1, 2], 3, 1),
        lambda: trains.back_to_back([-1.0], lambda n: 1),
        lambda: serving.seats_in_use(0, 1, 1),
        lambda: serving.share_served_within(float("nan"), 1),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(InputError):
        call()


# --- claims of the chapter -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "value"),
    [
        ("R2", 312.5), ("R5", 671 / 37), ("R6", 2400), ("R9", 2), ("R12", 0.03),
        ("R13", 80e9 / 3.35e12), ("R14", 0.0144), ("R17", 2000 / 0.015), ("R18", 2.56e-4),
        ("R19", 2 * 2400 * 37e9 / (72 * 4.5e15)), ("R20", 281.25 * 72 * 192e9 / 37e9),
        ("R21", 128e3 / 72),
    ],
)  # fmt: skip
def test_headline_claims(row, value):
    assert claims.get(row).computed() == pytest.approx(value, rel=1e-6)


def test_every_row_is_answered():
    rows = claims.of_chapter(2).claims
    assert [c.id for c in rows] == [f"R{i}" for i in range(1, 23)]
    for row in rows:
        assert row.where.startswith("02_roofline#")
        assert row.verdict() == "agrees" or row.reason
