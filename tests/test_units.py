"""Printing for people, and the ranges that guard a formula's door."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memwall import human, units
from memwall.algebra import unit_of
from memwall.units import InputError


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1.165e-3, "s", "1.17 ms"),
        (0.02, "s", "20 ms"),
        (7200, "s", "2 h"),
        (0, "s", "0 s"),
        (3.35e12, "B/s", "3.35 TB/s"),
        (70_272, "B/token", "70.3 kB/token"),
        (1.979e15, "FLOP/s", "1.98 PFLOP/s"),
        (2048, "sequences", "2,048 sequences"),
        (671e9, "1", "671 billion"),
        (3.1e-7, "$/token", "$0.31 / Mtok"),
        (2 / 3600, "$/s", "$2.00 / h"),
        (0.5, "%", "50 %"),
        (2.8, "x", "2.8×"),
        (-3, "1", "−3"),
        (float("inf"), "s", "infinite"),
        (float("nan"), "s", "not defined"),
    ],
)
def test_human(value, unit, text):
    assert human(value, unit) == text


@given(st.floats(1e-12, 1e21), st.sampled_from(["1", "s", "B", "FLOP/s", "$/token", "%", "x"]))
def test_human_never_prints_an_exponent(value, unit):
    text = human(value, unit)
    assert text and "e+" not in text and "e-" not in text


def test_ranges():
    batch = unit_of(units.Sequences)
    batch.check("batch", 1)
    batch.check("batch", np.array([1, 2.5]))
    for bad in (0, 0.5, -1, np.array([3, 0.2]), np.inf, np.nan, "8", None, True, [], {}, 1 + 2j):
        with pytest.raises(InputError, match="batch"):
            batch.check("batch", bad)
    share = unit_of(units.Fraction)
    share.check("share", 0)
    share.check("share", 1)
    with pytest.raises(InputError, match="at most 1"):
        share.check("share", 1.1)


def test_symbols_pass():
    import sympy

    unit_of(units.Sequences).check("batch", sympy.Symbol("B"))
