"""Hostile input to every public formula: a documented error or an answer, never a silent NaN."""

import dataclasses
import importlib
import pkgutil
import random
import typing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import memwall
from memwall import InputError
from memwall.formulas import all_formulas

for found in pkgutil.iter_modules(memwall.__path__):
    if not found.name.startswith("_"):
        importlib.import_module(f"memwall.{found.name}")

ODD = [
    0, 0.0, -0.0, -1, 1, 1e-300, 1e300, 5e-324, float("nan"), float("inf"), float("-inf"), "12", "", b"1",
    None, True, [], [1, 2], {}, object(), 1 + 1j, np.array([]), np.array([1.0, np.nan]), np.array(["a"]),
    np.array([[1.0, 2.0]]), np.float32(3), 10**30,
]  # fmt: skip


def stream(source):
    """Values without end: mostly hostile, the others tame; one seed is one attempt."""
    while True:
        kind = source.random()
        if kind < 0.25:
            yield source.choice(ODD)
        elif kind < 0.4:
            yield source.choice((-1, 1)) * 10 ** source.uniform(-320, 300)
        else:
            yield source.uniform(1, 100)


def build(noun, values):
    """A noun from a stream of values; one that refuses them has done its work."""
    fields = {f: next(values) for f in noun.quantities()}
    if "n_active" in fields and isinstance(fields["n_active"], float):
        fields["n_total"] = 2 * fields["n_active"]
    if "experts_active" in fields and isinstance(fields["experts_active"], float):
        fields["experts"] = 2 * fields["experts_active"]
    for f in dataclasses.fields(noun):
        if (
            f.name not in fields
            and f.default is dataclasses.MISSING
            and f.default_factory is dataclasses.MISSING
        ):
            fields[f.name] = "any"
    return noun(**fields)


@pytest.mark.parametrize("name", sorted(all_formulas()))
def test_an_answer_or_a_documented_error(name):
    function = all_formulas()[name]

    hints = typing.get_type_hints(function, include_extras=True)

    @settings(max_examples=20, deadline=None, database=None)
    @given(st.integers(0, 2**32))
    def attempt(seed):
        values = stream(random.Random(seed))
        made = {}
        try:
            for argument, unit in function.units.items():
                if argument != "return":
                    made[argument] = next(values) if unit else build(hints[argument], values)
            result = function(**made)
        except InputError as error:
            assert str(error)
            return
        assert not np.isnan(np.asarray(result, dtype=float)).any(), made

    attempt()
