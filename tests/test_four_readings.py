"""One formula, four readings: a number, an array, algebra and JavaScript must say the same.

Every function registered with @formula is called with random input in each of the four
ways, and its dimension is checked by calling it with SymPy's physical quantities.
"""

import json
import typing

import numpy as np
import pytest
import sympy
from sympy.physics import units as physical

from memwall.core.algebra import javascript
from memwall.core.checkpoint import Checkpoint, LayerGroup, Part
from memwall.core.nouns import Noun
from memwall.core.units import InputError
from memwall.formulas import all_formulas

FORMULAS = all_formulas()

DOLLAR = physical.Quantity("dollar")
physical.systems.SI.set_quantity_dimension(DOLLAR, physical.Dimension("money"))
BASE = {"seconds": physical.second, "bytes": physical.byte, "dollars": DOLLAR}


def draw(unit, rng):
    """A random value inside a unit's range, neither tiny nor huge."""
    low = max(unit.least, 0.0) if np.isfinite(unit.least) else 0.5
    high = min(unit.most, low + 9)
    return float(low + (high - low) * rng.uniform(0.05, 0.95))


def arguments(function, make):
    """Arguments for a formula, each quantity made by `make(name, unit)`."""
    hints = typing.get_type_hints(function, include_extras=True)
    made = {}
    for name, unit in function.units.items():
        if name == "return":
            continue
        if unit is not None:
            made[name] = make(name, unit)
        else:
            noun = hints[name]
            assert issubclass(noun, Noun), (
                f"{function.__name__}: {name} is neither quantity nor noun"
            )
            made[name] = noun_of(noun, name, make)
    return made


def noun_of(noun, prefix, make, **texts):
    import dataclasses

    values = {n: make(f"{prefix}_{n}", u) for n, u in noun.quantities().items()}
    # the orderings that a noun checks: active within total, a part within its whole
    for small, large in WITHIN:
        if small in values and isinstance(values[small], float | np.ndarray):
            values[large] = values[small] * (1 + values[large])
    if noun is Checkpoint:
        parts = {kind: noun_of(Part, f"{prefix}_{kind}", make, kind=kind) for kind in PARTS}
        groups = {n: noun_of(LayerGroup, f"{prefix}_{n}", make) for n in ("group0", "group1")}
        values |= {"parts": tuple(parts.values()), "groups": tuple(groups.values())}
    for f in dataclasses.fields(noun):
        if f.name not in values and f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING:  # fmt: skip
            values[f.name] = "any"
    return noun(**values | texts)


WITHIN = (
    ("n_active", "n_total"), ("experts_active", "experts"), ("active", "parameters"),
    ("routed_layers", "layers"),
)  # fmt: skip
PARTS = ("attention", "dense", "routed", "head")


def inside(noun, prefix):
    """Every noun that a noun is made of, itself first, by the prefix of its symbols."""
    yield prefix, noun
    if isinstance(noun, Checkpoint):
        for part in noun.parts:
            yield f"{prefix}_{part.kind}", part
        for i, group in enumerate(noun.groups):
            yield f"{prefix}_group{i}", group


def flat(made):
    """All quantities of a set of arguments by their symbol's name."""
    values = {}
    for name, value in made.items():
        if isinstance(value, Noun):
            for prefix, noun in inside(value, name):
                values |= {f"{prefix}_{f}": getattr(noun, f) for f in noun.quantities()}
        else:
            values[name] = value
    return values


@pytest.fixture(scope="module")
def node():
    """Runs JavaScript with the interpreter that the browser tests bring along."""
    import subprocess

    from playwright._impl._driver import compute_driver_executable

    executable = compute_driver_executable()[0]

    def run(source):
        done = subprocess.run(
            [executable, "-"], input=source, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_number_array_and_symbol_agree(name):
    function = FORMULAS[name]
    rng = np.random.default_rng(7)
    sets = [arguments(function, lambda _, unit: draw(unit, rng)) for _ in range(3)]
    numbers = [float(function(**made)) for made in sets]
    assert all(np.isfinite(n) or n == np.inf for n in numbers)

    columns = {key: np.array([flat(made)[key] for made in sets]) for key in flat(sets[0])}

    def rebuild(name, value):
        if not isinstance(value, Noun):
            return columns[name]
        fields = {f: columns[f"{name}_{f}"] for f in value.quantities()}
        if isinstance(value, Checkpoint):
            made = {prefix: rebuild(prefix, noun) for prefix, noun in list(inside(value, name))[1:]}
            fields["parts"] = tuple(m for m in made.values() if isinstance(m, Part))
            fields["groups"] = tuple(m for m in made.values() if isinstance(m, LayerGroup))
        return value.replace(**fields)

    made = {name: rebuild(name, value) for name, value in sets[0].items()}
    np.testing.assert_allclose(np.broadcast_to(function(**made), 3), numbers, rtol=1e-12)

    symbolic = arguments(function, lambda n, _: sympy.Symbol(n, positive=True))
    expression = sympy.sympify(function(**symbolic))
    for number, each in zip(numbers, sets, strict=True):
        # all symbols at once: Max and Min would compare half-replaced expressions for minutes
        values = {k: sympy.Float(float(v), 17) for k, v in flat(each).items()}
        read = expression.xreplace({sympy.Symbol(k, positive=True): v for k, v in values.items()})
        if number == np.inf:
            assert read in (sympy.oo, sympy.zoo)
        else:
            np.testing.assert_allclose(float(read), number, rtol=1e-9, atol=1e-12)


@pytest.fixture(scope="module")
def javascript_says(node):
    """Every formula evaluated by one run of a JavaScript interpreter, and what Python says."""
    rng = np.random.default_rng(11)
    program, expected = [], {}
    for name, function in FORMULAS.items():
        made = arguments(function, lambda _, unit: draw(unit, rng))
        expected[name] = float(function(**made))
        symbolic = arguments(function, lambda n, _: sympy.Symbol(n, positive=True))
        values = {k: float(v) for k, v in flat(made).items()}
        body = javascript(function(**symbolic))
        program.append(
            f"out[{json.dumps(name)}] = (({{{', '.join(values)}}}) => {body})({json.dumps(values)});"
        )
    source = "const out = {};\n" + "\n".join(program)
    source += "\nconsole.log(JSON.stringify(out, (k, v) => v === Infinity ? 'Infinity' : v));"
    return node(source), expected


@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_javascript_agrees(name, javascript_says):
    says, expected = javascript_says
    np.testing.assert_allclose(float(says[name]), expected[name], rtol=1e-9, atol=1e-12)


def dimension(expression):
    """The dimension of an expression over physical quantities; unequal terms of a sum are an error."""
    si = physical.systems.SI
    if isinstance(expression, sympy.Max | sympy.Min | sympy.Add):
        terms = [a for a in expression.args if a not in (0, sympy.oo)]
        found = {tuple(sorted(dimension(a).items())) for a in terms}
        assert len(found) == 1, f"terms of different dimension in {expression}"
        return dict(found.pop())
    if isinstance(expression, sympy.Piecewise):
        return dimension(sympy.Max(*(e for e, _ in expression.args if e not in (0, sympy.oo)), evaluate=False))  # fmt: skip
    if isinstance(expression, sympy.Mul):
        total = {}
        for a in expression.args:
            for base, power in dimension(a).items():
                total[base] = total.get(base, 0) + power
        return {b: p for b, p in total.items() if p}
    if isinstance(expression, sympy.Pow):
        inner = dimension(expression.base)
        assert not dimension(expression.exp), f"exponent with a dimension in {expression}"
        return {b: p * expression.exp for b, p in inner.items()}
    if isinstance(expression, physical.Quantity):
        return {next(b for b, q in BASE.items() if q == expression): 1}
    if isinstance(expression, sympy.Function):
        inner = [dimension(a) for a in expression.args]
        if expression.func in (sympy.ceiling, sympy.floor):
            return inner[0]
        assert not any(inner), f"{expression.func} of something with a dimension"
    assert si is not None
    return {}


@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_dimension(name):
    function = FORMULAS[name]

    def quantity(symbol, unit):
        made = sympy.Symbol(symbol, positive=True)
        for base, q in BASE.items():
            made *= q ** getattr(unit, base)
        return made

    result = function.units["return"]
    wanted = {b: getattr(result, b) for b in BASE if getattr(result, b)}
    expression = sympy.sympify(function(**arguments(function, quantity)))
    if expression != 0:
        assert dimension(expression) == wanted


@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_docstring_says_what_a_reader_needs(name):
    text = FORMULAS[name].__doc__ or ""
    for part in ("Equation:", "Source:", ">>>"):
        assert part in text, f"{name} lacks {part}"


@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_bad_input_is_named(name):
    function = FORMULAS[name]
    rng = np.random.default_rng(3)
    made = arguments(function, lambda _, unit: draw(unit, rng))
    for argument, unit in function.units.items():
        if argument == "return":
            continue
        bad = ["two", float("nan"), float("inf"), None, True, [], 1j]
        if unit is not None and np.isfinite(unit.least):
            bad.append(unit.least - 1)
        for value in bad if unit is not None else [3.0, "H100"]:
            with pytest.raises(InputError, match=argument):
                function(**{**made, argument: value})
