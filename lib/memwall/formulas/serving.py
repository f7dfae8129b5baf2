"""Serving: requests that arrive when they like, and machines that leave on a clock.

A decode step is a train. It leaves every `period`, full or not; a request that arrives takes a seat
on the next train with one free, has its first token when that train is back, and keeps its seat for
as many trips as it wants tokens.
"""

from __future__ import annotations

from ..core.algebra import formula, maximum, minimum
from ..core.units import (
    Count,
    Fraction,
    NonNegative,
    Seconds,
    Sequences,
    SequencesPerSecond,
)


@formula
def share_served_within(wait: Seconds, period: Seconds) -> Fraction:
    """Share of newcomers whose first token comes within a wait, seats being free.

    Equation: (wait - tau) / tau between tau and 2 tau: every wait in between is equally likely.
    Ignores: full trains; arrivals that come in bursts.
    Raises: InputError for a wait and a period of zero.
    Source: row R12.

    >>> float(share_served_within(0.025, 0.02))
    0.25
    """
    return minimum(maximum(wait / period - 1, 0), 1)


@formula
def seats_in_use(arrivals: SequencesPerSecond, trips: Count, period: Seconds) -> NonNegative:
    """Sequences riding at once, on average: Little's law, arrivals times the time each stays.

    Equation: lambda n tau. More than there are seats, and the queue grows without end.
    Source: ours; Little 1961.

    >>> float(seats_in_use(arrivals=100, trips=500, period=0.02))
    1000.0
    """
    return arrivals * trips * period


@formula
def mean_wait_when_full(batch: Sequences, arrivals: SequencesPerSecond, ride: Seconds) -> Seconds:
    """Mean wait for a first token if a train leaves only once every seat is taken.

    Equation: (B - 1) / (2 lambda) + ride: the first to board waits for B - 1 others, the last for
    none.
    Ignores: that the last train may still be under way.
    Source: row R11, the alternative it rejects; ours.

    >>> float(mean_wait_when_full(batch=201, arrivals=100, ride=0.02))
    1.02
    """
    return (batch - 1) / (2 * arrivals) + ride
