"""The helpers that read numbers, arrays and symbols alike, and the guard at a formula's door."""

import pickle
from dataclasses import dataclass

import numpy as np
import pytest
import sympy as sp

from memwall import InputError, Model, System
from memwall.core.algebra import (
    ceil,
    composed,
    floor,
    formula,
    javascript,
    maximum,
    minimum,
    sqrt,
    unit_of,
    variables,
    where,
)
from memwall.core.units import Ratio, Seconds

x, y = sp.symbols("x y", positive=True)


def test_helpers_with_numbers_and_arrays():
    assert (maximum(1, 3, 2), minimum(1, 3, 2)) == (3, 1)
    assert (ceil(1.2), floor(1.8), sqrt(9.0)) == (2, 1, 3)
    assert maximum([1, 5], 3).tolist() == [3, 5]
    assert where(np.array([True, False]), 1, 2).tolist() == [1, 2]
    assert where(True, 1.0, 2.0) == 1.0 and np.ndim(where(True, 1.0, 2.0)) == 0


def test_helpers_with_symbols():
    assert maximum(x, 3) == sp.Max(x, 3) and minimum(3, x) == sp.Min(x, 3)
    assert ceil(x) == sp.ceiling(x) and floor(x) == sp.floor(x)
    chosen = where(x > 2, x, y)
    assert chosen.subs({x: 3, y: 7}) == 3 and chosen.subs({x: 1, y: 7}) == 7
    assert where(True, x, y) == x and where(False, x, y) == y


def test_javascript_of_what_formulas_are_made_of():
    assert javascript(x / y + 1) == "x/y + 1"
    assert javascript(sp.Max(x, y)) == "Math.max(x, y)"
    assert javascript(sp.oo) == "Infinity"
    assert javascript(sp.Function("mixed")(x)) == "lookup('mixed', x)"
    with pytest.raises(InputError, match="no JavaScript"):
        javascript(sp.Integral(sp.exp(x**2), x))


def test_symbols_are_typeset_with_the_letters_of_the_blackboard():
    before = sp.latex(sp.Symbol("batch", positive=True))
    batch, other = variables("batch other")
    assert sp.latex(2 * batch / other) == r"\frac{2 B}{other}"
    assert sp.latex(Model.symbolic().n_total * batch) == "B N_t"
    assert sp.latex(variables("period", nonnegative=True)) == r"\tau"
    # a plain symbol of that name is another, and nobody's printing changed
    assert sp.latex(sp.Symbol("batch", positive=True)) == before == "batch"
    assert sp.Symbol("batch", positive=True) != batch


def test_a_letter_is_a_symbol_like_any_other():
    batch = variables("batch")
    m = Model.symbolic()
    assert batch is not variables("batch") and batch == variables("batch")
    assert hash(batch) == hash(variables("batch")) and batch.is_positive
    assert variables("batch", nonnegative=True) != batch
    assert str(batch) == "batch" and javascript(batch + m.n_total) == "batch + n_total"
    assert sp.solve(sp.Eq(batch * m.n_active, m.n_total), variables("batch")) == [
        m.n_total / m.n_active
    ]
    assert (batch**2).diff(batch) == 2 * batch and (batch + 1).subs(batch, 2) == 3
    assert sp.lambdify([batch, m.n_total], batch * m.n_total)(3, 4) == 12
    again = pickle.loads(pickle.dumps(batch * m.n_total))
    assert again == batch * m.n_total and sp.latex(again) == "B N_t"
    # sums stand in the order of the names, letters or not
    assert str(sp.Symbol("a") + batch + sp.Symbol("z")) == "a + batch + z"


@pytest.fixture
def halved():
    @formula
    def halved(time: Seconds, into: Ratio = 2.0) -> Seconds:
        return (time - time * (1 - 1 / into)) + 0 * (into - into)

    return halved


def test_a_formula_is_marked_with_its_units_and_guarded(halved):
    assert halved.units["time"].symbol == halved.units["return"].symbol == "s"
    assert halved(3) == 1.5 and halved(time=3.0, into=4) == 0.75
    assert halved([2, 4]).tolist() == [1, 2]
    assert sp.simplify(halved(x) - x / 2) == 0
    for bad in (-1, float("nan"), "long", [], None):
        with pytest.raises(InputError, match="time"):
            halved(bad)
    with pytest.raises(InputError, match="shapes"):
        halved([1, 2, 3], [1, 2])


def test_poles_are_infinite_and_nothing_undefined_leaves():
    @formula
    def rate(work: Ratio, time: Seconds) -> Ratio:
        return work / time

    @formula
    def share(part: Seconds, whole: Seconds) -> Ratio:
        return part / whole

    assert rate(3, 0) == np.inf  # a Python float would raise instead
    assert rate(3, [0, 2]).tolist() == [np.inf, 1.5]
    with pytest.raises(InputError, match="share is not defined"):
        share(0, 0)
    with pytest.raises(InputError, match="share is not defined"):
        share([0, 1], [0, 1])


def test_the_unit_of_an_annotation():
    assert unit_of(Seconds).symbol == "s"
    assert unit_of(float) is None


def test_a_noun_of_another_kind_is_refused():
    def weight(model: Model) -> Ratio:
        """A formula with a noun alone."""
        return model.n_total

    checked = formula(weight)
    assert checked(Model(n_total=3, n_active=2)) == 3
    for wrong in (3.0, System(flops=1, bandwidth=1), "Llama"):
        with pytest.raises(InputError, match="model must be a Model"):
            checked(wrong)


def test_a_symbol_in_any_place_makes_a_choice_symbolic():
    assert where(x > 1, 2, 3).subs(x, 5) == 2
    assert where(True, x, 3) == x
    assert where(False, 2, x) == x


# ---- doors within doors ------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    whole: object
    share: object
    words: str = "said"


def test_what_only_wires_formulas_goes_through_their_door_once():
    @formula
    def share(part: Seconds, whole: Seconds) -> Ratio:
        return part / whole

    @composed
    def found(part, whole):
        return Found(whole, share(part, whole))

    @composed
    def twice(part, whole):
        return found(part, found(part, whole).whole)

    assert found(1.0, 4.0) == Found(4.0, 0.25) == found(part=1.0, whole=4.0) == twice(1.0, 4.0)
    assert found(np.array([1.0, 3.0]), 4.0).share.tolist() == [0.25, 0.75]
    assert found(x, y).share == x / y
    # inside nothing is checked again; what leaves is
    assert found(-1.0, 4.0).share == -0.25
    assert found(np.float64(1.0), np.float64(0.0)).share == np.inf
    for part in (np.float64(0.0), np.array([0.0, 1.0])):
        with pytest.raises(InputError, match="share is not defined"):
            found(part, np.float64(0.0))
    with pytest.raises(InputError, match="part = -1"):
        share(-1.0, 4.0)  # the door is closed again behind it


def test_a_formula_calls_another_as_arithmetic():
    @formula
    def inner(time: Seconds) -> Seconds:
        return 2 * time

    @formula
    def outer(time: Seconds) -> Seconds:
        return inner(time - 1) + 1  # below zero on the way

    assert outer(0.5) == 0
    with pytest.raises(InputError, match=r"time = -0\.5"):
        inner(-0.5)
    with pytest.raises(TypeError, match="positional"):
        inner(1, 2)
    with pytest.raises(TypeError, match="multiple values"):
        inner(1, time=2)


def test_a_failure_closes_the_door():
    @formula
    def broken(time: Seconds) -> Seconds:
        raise KeyError("lost")

    @formula
    def checked(time: Seconds) -> Seconds:
        return time

    with pytest.raises(KeyError):
        broken(1.0)
    with pytest.raises(InputError):
        checked(-1.0)


def test_numbers_alone_are_quick_and_the_same():
    for args in ((1.0, 2.0), (2.0, 1.0, 0.5), (1.0, float("inf"))):
        assert maximum(*args) == max(args) and minimum(*args) == min(args)
        assert isinstance(maximum(*args), np.float64)
    assert np.isnan(maximum(1.0, float("nan"))) and np.isnan(minimum(float("nan"), 1.0))
    assert isinstance(where(False, 1.0, 2.0), np.float64) and where(False, 1.0, 2.0) == 2.0
    assert where(np.bool_(True), 1.0, 2.0) == 1.0
