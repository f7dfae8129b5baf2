"""The students' grammar: what it reads, what it refuses, and that it never runs anything."""

import time

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from memwall import Model, System, roofline
from memwall.core.units import InputError
from memwall_classroom.reading.grammar import (
    UNITS,
    GrammarError,
    dimension,
    dimension_text,
    evaluate,
    identical,
    kind_of,
    parse_formula,
    parse_quantity,
    parse_unit,
)

SYMBOLS = ("B", "N_a", "N_t", "w", "F", "W", "L", "k")


# ---------------------------------------------------------------- quantities


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("12.5 ms", 12.5e-3, "a time"),
        ("0.3 µs", 0.3e-6, "a time"),
        ("0.3 us", 0.3e-6, "a time"),
        ("1.5 h", 5400, "a time"),
        ("2 days", 172_800, "a time"),
        ("2,400", 2400, "a pure number"),
        ("2_400", 2400, "a pure number"),
        ("3/4", 0.75, "a pure number"),
        ("2^20", 1_048_576, "a pure number"),
        ("15×", 15, "a pure number"),
        ("40 %", 0.4, "a pure number"),
        ("1.2 × 10⁻³ s", 1.2e-3, "a time"),
        ("1.2*10^-3 s", 1.2e-3, "a time"),
        ("≈ 5 s", 5, "a time"),
        ("5 billion tokens", 5e9, "a number of tokens"),
        ("70 kB/token", 70e3, "data per token"),
        ("2 KiB", 2048, "an amount of data"),
        ("2 kB", 2000, "an amount of data"),
        ("1 GiB", 2**30, "an amount of data"),
        ("8 Gbit", 1e9, "an amount of data"),
        ("8 Gb/s", 1e9, "a data rate"),
        ("400 Gbps", 50e9, "a data rate"),
        ("3.35 TB/s", 3.35e12, "a data rate"),
        ("128,000 tok/s", 128_000, "a rate of tokens"),
        ("20 tokens per second", 20, "a rate of tokens"),
        ("$0.31 / Mtok", 0.31e-6, "a price per token"),
        ("0.31 $/Mtok", 0.31e-6, "a price per token"),
        ("31 cents/Mtok", 0.31e-6, "a price per token"),
        ("$2 / h", 2 / 3600, "a rent"),
        ("590 FLOP/B", 590, "an arithmetic intensity"),
        ("2 PFLOPS", 2e15, "a rate of arithmetic"),
        ("2 PFLOP/s", 2e15, "a rate of arithmetic"),
        ("3 EFLOP", 3e18, "an amount of arithmetic"),
        ("64 GPUs", 64, "a number of GPUs"),
        ("5 s^-1", 5, "a quantity in 1/s"),
        ("12 B/(s GPU)", 12, "a quantity in B/s/GPU"),
    ],
)
def test_quantities_are_read(text, value, kind):
    quantity = parse_quantity(text)
    assert quantity.value == pytest.approx(value, rel=1e-12)
    assert kind_of(quantity.measure) == kind


def short(cases):
    """Test cases with names that fit on a line."""
    return [pytest.param(*case, id=ascii(case[0])[:24]) for case in cases]


@pytest.mark.parametrize(
    ("text", "why"),
    short([
        ("", "empty"),
        ("five", "does not begin with a number"),
        ("nan", "not a finite number"),
        ("NaN s", "not a finite number"),
        ("inf", "not a finite number"),
        ("-Infinity s", "not a finite number"),
        ("1e400 s", "too large"),
        ("1e-400 s", "too small"),
        ("9^999", "too large"),
        ("0^-1", "too large"),
        ("1/0", "divides by zero"),
        ("2,4 ms", "decimal point"),
        ("3 or 4 s", "more than one number"),
        ("3-4 s", "more than one number"),
        ("1 000 s", "more than one number"),
        ("5 furlongs", "no unit known here"),
        ("5 gb", "Did you mean 'GB' or 'Gb'"),
        ("5 m", "Minutes are min"),
        ("200 T", "write million"),
        ("5 $/GPU h", "two-faced"),
        ("5 s^99", "small whole number"),
        ("5 (s", "not matched"),
        ("5 s)", "not matched"),
        ("5 ()", "missing"),
        ("5 s/", "missing"),
        ("９ s", "fullwidth digit nine"),
        ("٣ s", "arabic-indic digit three"),
        ("5 ѕ", "cyrillic small letter dze"),
        ("5 s\u202e", "right-to-left override"),
        ("=5", "does not begin with a number"),
        ("__import__('os').system('x')", "does not begin with a number"),
        ("5" * 700, "at most 600"),
        ("5" * 100, "40 are enough"),
    ]),
)  # fmt: skip
def test_what_is_no_quantity_is_refused_with_the_reason(text, why):
    with pytest.raises(GrammarError, match=None) as caught:
        parse_quantity(text)
    assert why in str(caught.value)


def test_every_unit_of_the_table_reads_as_itself():
    for name, measure in UNITS.items():
        assert parse_unit(name).size == measure.size


@given(
    st.floats(1e-9, 1e9, allow_nan=False),
    st.sampled_from(["s", "ms", "GB", "TB/s", "$/Mtok", "tokens", "", "FLOP/s", "%", "h"]),
)
def test_a_printed_quantity_reads_back(value, unit):
    quantity = parse_quantity(f"{value:.12g} {unit}")
    assert quantity.value == pytest.approx(value * parse_unit(unit).size, rel=1e-9)


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused_and_nothing_else_happens(text):
    for read in (parse_quantity, lambda t: parse_formula(t, SYMBOLS), parse_unit):
        try:
            read(text)
        except GrammarError as error:
            assert str(error)
            assert len(str(error)) < 400


# ---------------------------------------------------------------- formulas


def value(text, **symbols):
    return float(evaluate(parse_formula(text, symbols), symbols))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2*B*N_a/F", 2 * 3 * 5 / 7),
        ("B - N_a - F", 3 - 5 - 7),
        ("B / N_a / F", 3 / 5 / 7),
        ("B^2^2", 3**4),  # powers are read from the right
        ("-B^2", -9),
        ("2^-B", 0.125),
        ("B**2", 9),
        ("(B + N_a)*F", 56),
        ("max(B, N_a, F)", 7),
        ("Max(B, F)", 7),
        ("min(B, F)", 3),
        ("sqrt(B*N_a + 1)", 4),
        ("ceil(N_a/B)", 2),
        ("floor(N_a/B)", 1),
        ("exp(log(B))", 3),
        ("ln(exp(B))", 3),
        ("1.5e2*B", 450),
        ("B × N_a ÷ F − 1", 3 * 5 / 7 - 1),
        ("B²", 9),
        ("+B", 3),
    ],
)
def test_formulas_compute(text, expected):
    assert value(text, B=3.0, N_a=5.0, F=7.0) == pytest.approx(expected)


def test_a_formula_reads_arrays_like_the_library():
    tree = parse_formula("max(2*B*N_a/F, (N_t*w + B*L*k)/W)", SYMBOLS)
    arrays = {name: np.linspace(1, 2, 5) * (i + 1) for i, name in enumerate(SYMBOLS)}
    made = Model(arrays["N_t"] + 9, arrays["N_a"], arrays["w"], arrays["k"])
    expected = roofline.step_time(arrays["B"], arrays["L"], made, System(arrays["F"], arrays["W"]))
    arrays["N_t"] = arrays["N_t"] + 9
    assert evaluate(tree, arrays) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "why"),
    short([
        ("", "empty"),
        ("2 B", "a sign is missing between '2' and 'B'"),
        ("B N_a", "a sign is missing"),
        ("(B)(L)", "a sign is missing"),
        ("x + 1", "not among its symbols"),
        ("n_a*B", "Did you mean 'N_a'"),
        ("B,L", "comma"),
        ("max(B)", "takes 2 to 4 arguments"),
        ("sqrt(B, L)", "takes 1 arguments"),
        ("max", "needs its arguments"),
        ("(B", "closing parenthesis"),
        ("B)", "too many"),
        ("B +", "ends too early"),
        ("* B", "stands where"),
        ("1/0", "no finite number"),
        ("1/(1 - 1)*B", "no finite number"),
        ("sqrt(-1)", "no finite number"),
        ("log(0)", "no finite number"),
        ("exp(1000)", "no finite number"),
        ("1e400*B", "too large"),
        ("9**9**9**9", "exponent"),
        ("B**65", "exponent"),
        ("(2^64)^64", "no finite number"),
        ("((((10^60)^60)^60)^60)", "no finite number"),
        ("__import__('os')", "no meaning"),
        ("__import__", "not among its symbols"),
        ("().__class__", "no meaning"),
        ("B.real", "no meaning"),
        ("B[0]", "no meaning"),
        ("lambda: 0", "no meaning"),
        ("eval(B)", "not among its symbols"),
        ("exec", "not among its symbols"),
        ("В*2", "cyrillic capital letter ve"),  # not a B
        ("B*２", "fullwidth digit two"),
        ("𝐁*2", "mathematical bold capital b"),
        ("B" * 700, "at most 600"),
        ("B" * 1_000_000, "1,000,000 characters"),
        ("+" * 500, "more than 300 signs"),
        ("-" * 60 + "B", "more than 30 deep"),
        ("(" * 60 + "B" + ")" * 60, "more than 30 deep"),
        ("sqrt(" * 40 + "B" + ")" * 40, "more than 30 deep"),
        ("B^" * 40 + "B", "more than 30 deep"),
    ]),
)  # fmt: skip
def test_what_is_no_formula_is_refused_with_the_reason(text, why):
    with pytest.raises(GrammarError) as caught:
        parse_formula(text, SYMBOLS)
    assert why in str(caught.value)


def test_hostile_formulas_are_answered_at_once():
    start = time.perf_counter()
    for text in ("9**9**9**9", "B" * 10**6, "(" * 10**5, "-" * 10**5, "1e999999999", "B^64^64"):
        with pytest.raises(GrammarError):
            parse_formula(text, SYMBOLS)
    assert time.perf_counter() - start < 5


DIMENSIONS = {
    name: parse_unit(unit).dimension
    for name, unit in {"B": "", "N_a": "", "N_t": "", "w": "B", "F": "FLOP/s", "W": "B/s", "L": "", "k": "B"}.items()
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("2*B*N_a/F", "s"),
        ("(N_t*w + B*L*k)/W", "s"),
        ("max(2*B*N_a/F, 0)", "s"),
        ("sqrt(w*k)", "B"),
        ("W^2/W", "B/s"),
        ("(w/k)^B", ""),
        ("F*w/W", ""),
        ("exp(-w/k)", ""),
    ],
)
def test_dimensions_follow_the_formula(text, unit):
    assert dimension(parse_formula(text, SYMBOLS), DIMENSIONS) == parse_unit(unit).dimension


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("N_t*w + F", "it adds"),
        ("max(w, W)", "it compares"),
        ("exp(w)", "it takes exp of something in B"),
        ("B^w", "exponent has the unit B"),
        ("w^B", "a power that varies"),
        ("1 + w", "it adds"),
    ],
)
def test_unlike_things_cannot_be_combined(text, why):
    with pytest.raises(GrammarError, match=why.replace("(", r"\(")):
        dimension(parse_formula(text, SYMBOLS), DIMENSIONS)


def test_dimension_text_is_a_unit():
    assert dimension_text(parse_unit("B/s").dimension) == "B/s"
    assert dimension_text(parse_unit("1/s").dimension) == "1/s"
    assert dimension_text(parse_unit("").dimension) == "a pure number"


# ---------------------------------------------------------------- identities


def same(a, b):
    return identical(parse_formula(a, SYMBOLS), parse_formula(b, SYMBOLS), SYMBOLS)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("B*L", "L*B"),
        ("(B + L)^2", "B^2 + 2*B*L + L^2"),
        ("(B^2 - L^2)/(B - L)", "B + L"),
        ("1/(1/B + 1/L)", "B*L/(B + L)"),
        ("0.1*B + 0.2*B", "0.3*B"),
        ("B + 1e20 - 1e20", "B"),
        ("(B + L)^40*(B - L)^40", "(B^2 - L^2)^40"),
        ("B^-2", "1/B^2"),
        ("-(-B)", "B"),
    ],
)
def test_identities_are_seen(a, b):
    assert same(a, b) and same(b, a)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("B*L", "B + L"),
        ("B", "B + 1e-30"),
        ("B/3", "0.3333333333*B"),
        ("(B + L)^63", "(B + L)^63 + 1e-60*B"),
        ("1/(B - B)", "1/(B - B)"),  # defined nowhere
        ("max(B, L)", "max(B, L)"),  # not rational: numbers decide
        ("B^0.5", "B^0.5"),
        ("2^B", "2^B"),
        (
            "((((B^64)^64)^64)^64)",
            "((((B^64)^64)^64)^64)",
        ),  # a degree beyond what two points settle
    ],
)
def test_what_is_no_identity_or_cannot_be_known(a, b):
    assert not same(a, b)


@given(st.recursive(
    st.sampled_from(["B", "L", "k", "2", "0.5"]),
    lambda inner: st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]}{t[1]}{t[2]})"),
    max_leaves=12,
))  # fmt: skip
def test_identities_agree_with_sympy(text):
    try:
        tree = parse_formula(text, SYMBOLS)
    except GrammarError:  # a constant part that divides by zero
        return
    expected = sympy.cancel(sympy.sympify(text))
    if not expected.is_finite and expected.is_finite is not None:
        return
    if expected.has(sympy.zoo, sympy.nan):
        return
    again = parse_formula(str(expected), SYMBOLS)
    assert identical(tree, again, SYMBOLS)
    assert not identical(tree, parse_formula(f"{expected} + w", SYMBOLS), SYMBOLS)


def test_no_formula_takes_long():
    start = time.perf_counter()
    for text in (
        "(N_t+W+k)^63*(B+L+w)^63",
        "((B+L+k+w)^60)^60",
        "+".join(f"1/(B+{i})" for i in range(24)),
    ):
        same(text, text)
        same(text, "B")
    assert time.perf_counter() - start < 2


def test_a_grammar_error_is_an_input_error():
    assert issubclass(GrammarError, InputError)
