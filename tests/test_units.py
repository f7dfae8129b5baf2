"""Printing for people, and the ranges that guard a formula's door."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memwall import human, units
from memwall.core.algebra import unit_of
from memwall.core.units import InputError, whole


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


def test_a_units_symbol_says_its_dimension_and_range():
    base = {"s": "seconds", "B": "bytes", "$": "dollars"}
    found = {name: unit_of(hint) for name, hint in vars(units).items() if unit_of(hint)}
    assert len(found) > 25
    for name, unit in found.items():
        above, _, below = unit.symbol.partition("/")
        # a token, FLOP or parameter is a pure number; what stands below counts negative
        power = {base.get(above): 1, base.get(below): -1}
        for dimension in base.values():
            assert getattr(unit, dimension) == power.get(dimension, 0), name


@pytest.mark.parametrize(
    ("names", "least", "least_itself"),
    [
        ("Sequences Layers Count", 1, True),
        ("NonNegative Fraction Tokens Flop Bytes BytesPerToken Seconds TokensPerSecond", 0, True),
        ("Dollars DollarsPerSecond DollarsPerToken DollarsPerByte Watts Kilograms Metres", 0, True),
        ("Ratio Parameters FlopPerSecond FlopPerByte BytesPerSecond BytesPerParameter", 0, False),
        ("BytesPerElement SequencesPerSecond", 0, False),
    ],
)
def test_where_each_range_begins(names, least, least_itself):
    for unit in (unit_of(getattr(units, name)) for name in names.split()):
        unit.check("x", least + 1e-9)
        with pytest.raises(InputError):
            unit.check("x", least - 1e-9)
        if least_itself:
            unit.check("x", least)
        else:
            with pytest.raises(InputError, match="greater than 0"):
                unit.check("x", least)
    unit_of(units.Real).check("x", -1e300)


def test_the_message_names_the_first_wrong_value():
    with pytest.raises(InputError, match=r"^x = 0\.2 is out of range: it must be finite and at le"):
        unit_of(units.Count).check("x", np.array([3, 0.2, 0.1]))
    with pytest.raises(InputError, match="empty array"):
        unit_of(units.Count).check("x", np.array([]))


def test_prefixes_by_hand():
    scale = 1
    for prefix in ("", "k", "M", "G", "T", "P", "E", "Z", "Y"):
        assert human(3 * scale, "B") == f"3 {prefix}B"
        assert human(-30 * scale, "FLOP/s") == f"−30 {prefix}FLOP/s"
        scale *= 1000
    sizes = [units.KB, units.MB, units.GB, units.TB, units.PB]
    assert sizes == [1000**n for n in range(1, 6)]
    assert sizes == [units.KILO, units.MEGA, units.GIGA, units.TERA, units.PETA]
    assert units.EXA == 10**18
    assert units.MILLISECOND * 1000 == units.MICROSECOND * 10**6 == units.NANOSECOND * 10**9 == 1
    assert (units.MINUTE, units.HOUR, units.DAY) == (60, 60 * 60, 24 * 60 * 60)
    assert units.GBIT * 8 == 10**9


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (2 * 86400, "s", "2 d"), (2 * 3600, "s", "2 h"), (120, "s", "2 min"), (2, "s", "2 s"),
        (2e-3, "s", "2 ms"), (2e-6, "s", "2 µs"), (2e-9, "s", "2 ns"), (2e-12, "s", "0.002 ns"),
        (800 * 86400, "s", "800 d"), (-90, "s", "−1.5 min"),
        # three figures round up to the next name: 59.98 s is nearer to 60.0 than to 59.9
        (59.98, "s", "1 min"), (59.96, "s", "60 s"), (999.6, "B", "1 kB"), (999.4, "B", "999 B"),
        (2e15, "1", "2 quadrillion"), (2e12, "1", "2 trillion"), (2e9, "1", "2 billion"),
        (2e6, "1", "2 million"), (999_500, "1", "1 million"), (999_499, "1", "999,499"),
        (3e6, "tokens", "3 million tokens"), (3e4, "tokens", "30,000 tokens"),
        (0.01234, "1", "0.0123"), (1.234, "1", "1.23"), (12.34, "1", "12.3"), (123.4, "1", "123"),
        (1000, "1", "1,000"), (1234.5, "1", "1,234"), (0, "1", "0"), (-0.25, "%", "−25 %"),
        (-2.5, "x", "−2.5×"), (float("-inf"), "s", "minus infinite"),
        (5e6, "$", "$5 million"), (7e9, "$", "$7 billion"), (999_999, "$", "$999,999"),
        (1e6, "$", "$1 million"), (100, "$", "$100"), (99.5, "$", "$99.50"), (1, "$", "$1.00"),
        (0.1, "$", "$0.10"), (0.09996, "$", "$0.10"), (0.0999, "$", "$0.0999"), (0, "$", "$0.00"),
        (-2, "$/B", "−$2.00/B"), (0.5e-6, "$/token", "$0.50 / Mtok"), (0.5, "$/s", "$1,800 / h"),
    ],
)  # fmt: skip
def test_human_by_hand(value, unit, text):
    assert human(value, unit) == text


def test_the_comma_is_decided_after_rounding():
    assert human(999.4) == "999" and human(999.6) == "1,000"
    assert human(-999.6, "sequences") == "−1,000 sequences"


def test_whole_numbers_are_counted_and_no_other():
    assert whole("n", 1) == 1 and whole("n", 0, least=0) == 0
    assert type(whole("n", np.int32(7), most=7)) is int
    for bad in (0, -1, 2.0, "4", True, None, float("nan"), np.float64(3)):
        with pytest.raises(InputError, match="must be a whole number, at least 1"):
            whole("n", bad)
    for bad in (1, 5, 3.0):
        with pytest.raises(
            InputError, match=f"rounds = {bad!r} must be a whole number from 2 to 4"
        ):
            whole("rounds", bad, 2, 4)


def test_an_entry_stands_for_a_token_at_least():
    unit = unit_of(units.Stretch)
    unit.check("stretch", 1.0)
    with pytest.raises(InputError, match="at least 1"):
        unit.check("stretch", 0.9)


def test_which_units_stand_with_each_number():
    for unit in ("s", "%", "x", "B", "B/s", "FLOP", "FLOP/s", "$", "$/s", "$/token"):
        assert units.stands_with_number(unit)
    for unit in ("1", "token", "token/s", "sequences", "tokens"):
        assert not units.stands_with_number(unit)
