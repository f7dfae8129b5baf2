"""Trains: who waits how long when batches leave on a clock.

A decode step is a train. It leaves every `period`, full or not; a request that arrives
takes a seat on the next train with one free, has its first token when that train is
back, and keeps its seat for as many trips as it wants tokens. The formulas say what a
newcomer waits while seats are free; the experiments below let requests arrive at random
and count.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.units import InputError, Unit, whole


def random_arrivals(rate: float, count: int, seed: int = 0) -> Any:
    """Times of `count` requests that know nothing of each other, `rate` a second on average."""
    _check(rate=rate, count=count)
    return np.random.default_rng(seed).exponential(1 / rate, int(count)).cumsum()


def on_the_clock(times: Any, period: float, seats: int | None = None, trips: int = 1) -> Any:
    """Wait of each request for its first token, a train leaving every `period`, full or not.

    times: arrivals in order; seats: sequences a train carries (None: enough for all); trips:
    tokens each request wants, and so trains it rides. First come, first served.
    """
    times = _check(times, period=period, trips=trips, seats=1 if seats is None else seats)
    if seats is None:
        return (np.floor(times / period) + 2) * period - times
    boarded = [0]  # how many have boarded by the k-th departure
    while boarded[-1] < len(times):
        k = len(boarded)
        riding = boarded[-1] - boarded[max(k - trips, 0)]
        arrived = int(np.searchsorted(times, k * period, side="left"))
        boarded.append(min(arrived, boarded[-1] + seats - riding))
    departure = np.searchsorted(boarded, np.arange(len(times)), side="right")
    return (departure + 1) * period - times


def when_full(times: Any, batch: int, ride: float) -> Any:
    """Wait of each request for its first token, a train leaving only with `batch` newcomers.

    Each rides once; a train also waits for the one before it to come back. Requests left over
    at the end, too few for a train, are dropped.
    """
    times = _check(times, batch=batch, ride=ride)
    times = times[: len(times) // batch * batch]
    full = times[batch - 1 :: batch]
    if not full.size:
        raise InputError(f"{batch} seats were never filled: more arrivals are needed")
    # d_k = max(full_k, d_(k-1) + ride) is a running maximum once k rides are subtracted
    before = ride * np.arange(len(full))
    departure = np.maximum.accumulate(full - before) + before
    return np.repeat(departure + ride, batch) - times


def back_to_back(
    times: Any, ride: Callable[[int], float], seats: int | None = None, trips: int = 1
) -> Any:
    """Wait of each request for its first token, a train leaving as soon as the last is back.

    No clock: `ride` gives the time of a trip with so many aboard, as a step's time depends on its
    batch. An empty train waits for its first passenger.
    """
    times = _check(times, trips=trips, seats=1 if seats is None else seats)
    room = len(times) if seats is None else seats
    boarded, now, waits = [0], 0.0, np.empty(len(times))
    while boarded[-1] < len(times):
        first = boarded[-1]
        riding = first - boarded[max(len(boarded) - trips, 0)]
        if not riding:
            now = max(now, times[first])
        arrived = int(np.searchsorted(times, now, side="right"))
        last = min(arrived, first + room - riding)
        now += ride(riding + last - first)
        waits[first:last] = now - times[first:last]
        boarded.append(last)
    return waits


def _check(times: Any = (1.0,), **numbers: float) -> Any:
    """Arrival times as an array in order; every other number above zero, counts whole."""
    for name, value in numbers.items():
        if name in ("count", "seats", "trips", "batch"):
            whole(name, value)
        else:
            Unit("1").check(name, value)
    times = np.asarray(times, float)
    if times.ndim != 1 or not times.size or (np.diff(times) < 0).any() or times[0] < 0:
        raise InputError("times must be a list of arrival times from 0 on, in order")
    return times
