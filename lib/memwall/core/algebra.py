"""The few functions that must read numbers, arrays and symbols alike.

A formula of this library is plain arithmetic on its arguments; where arithmetic is
not enough (a maximum, a rounding, a choice) it uses these, so that one definition
gives a number, a NumPy curve, SymPy algebra and, through `javascript`, the code
that a live figure runs. SymPy is imported only when a symbol appears.
"""

from __future__ import annotations

import functools
import inspect
import math
import sys
import threading
import typing
from collections.abc import Callable
from typing import Any, ParamSpec, Protocol, TypeVar, cast

import numpy as np

from .units import InputError, Unit, is_symbolic

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)


class Formula(Protocol[P, R_co]):
    """A function under `formula`: called as it was written, and knows the units of its signature."""

    units: dict[str, Unit | None]
    __name__: str

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...


def _both(numeric: Callable[..., Any], symbolic: str) -> Callable[..., Any]:
    def function(*args: Any) -> Any:
        if "sympy" in sys.modules and any(map(is_symbolic, args)):
            return getattr(sys.modules["sympy"], symbolic)(*args)
        return numeric(*args)

    return function


def _extreme(of_numbers: Callable[..., Any], of_arrays: Any, symbolic: str) -> Callable[..., Any]:
    of_others = _both(lambda *args: functools.reduce(of_arrays, args), symbolic)

    def extreme(*args: Any) -> Any:
        for value in args:
            if not isinstance(value, float | int) or math.isnan(value):
                return of_others(*args)
        return np.float64(of_numbers(args))  # numbers, much sooner

    return extreme


maximum = _extreme(max, np.maximum, "Max")
minimum = _extreme(min, np.minimum, "Min")
ceil = _both(np.ceil, "ceiling")
floor = _both(np.floor, "floor")
sqrt = _both(np.sqrt, "sqrt")
exp = _both(np.exp, "exp")
log = _both(np.log, "log")


def where(condition: Any, yes: Any, no: Any) -> Any:
    """`yes` where the condition holds, else `no`: numpy.where, or Piecewise for symbols."""
    plain = isinstance(yes, float | int) and isinstance(no, float | int)
    if plain and isinstance(condition, bool | np.bool_):
        return np.float64(yes if condition else no)  # numbers, much sooner
    if any(map(is_symbolic, (condition, yes, no))):
        import sympy

        return sympy.Piecewise((yes, condition), (no, True))
    return np.where(condition, yes, no)[()]


def javascript(expression: Any) -> str:
    """The expression as JavaScript source over its symbols' names, printed by SymPy."""
    import sympy
    from sympy.printing.codeprinter import PrintMethodNotImplementedError
    from sympy.printing.jscode import JavascriptCodePrinter

    class Printer(JavascriptCodePrinter):  # type: ignore[misc]
        # undefined functions are tables the page carries: avalanche(rounds) -> table lookup
        def _print_AppliedUndef(self, node: Any) -> str:
            return f"lookup({node.func.__name__!r}, {', '.join(map(self._print, node.args))})"

        def _print_Infinity(self, node: Any) -> str:
            return "Infinity"

    try:
        return Printer({"strict": True}).doprint(sympy.sympify(expression))
    except PrintMethodNotImplementedError:
        raise InputError(f"no JavaScript for {expression}") from None


# the blackboard's letters for what formulas are called with; the nouns bring their own
LETTERS = {
    "batch": "B", "context": "L", "period": r"\tau", "sparsity": "s", "multiplies_per_weight": "h",
    "price_ratio": "p", "speed_ratio": "r", "intensity": "I", "chips": "G", "domain": "D", "stages": "P",
    "element": "b", "layers": r"n_\mathrm{layers}", "d_model": r"d_\mathrm{model}", "n_active": "N_a",
    "link": "W_{up,1}",
}  # fmt: skip


def variable(name: str, letter: str = "", **assumptions: Any) -> Any:
    """A symbol, positive unless told otherwise, that SymPy typesets with the blackboard's letter.

    letter: LaTeX; left out, the one in `LETTERS`, and without one there the name itself.
    """
    import sympy

    from .letters import Letter

    assumptions = assumptions or {"positive": True}
    letter = letter or LETTERS.get(name, "")
    return Letter(name, letter, **assumptions) if letter else sympy.Symbol(name, **assumptions)


def variables(names: str, **assumptions: Any) -> Any:
    """`variable` for each of the names: a tuple, or the symbol itself if there is one name.

    >>> import sympy
    >>> B, seats = variables("batch seats")
    >>> sympy.latex(B / seats), str(B / seats)
    ('\\\\frac{B}{seats}', 'batch/seats')
    """
    made = tuple(variable(name, **assumptions) for name in names.split())
    return made if len(made) > 1 else made[0]


_door = threading.local()  # .open while a formula runs: what it calls came through its door


def formula(function: Callable[P, R_co]) -> Formula[P, R_co]:
    """Mark a public formula and guard its door: numbers are checked against the units in its
    signature, symbols pass, and no NaN leaves silently. The body stays pure arithmetic; a formula
    called by another is that arithmetic and nothing more.
    """
    names = tuple(inspect.signature(function).parameters)
    hints = typing.get_type_hints(function, include_extras=True)
    units = {name: unit_of(hint) for name, hint in hints.items()}

    def admitted(name: str, value: Any) -> Any:
        unit = units.get(name)
        if unit is None:
            if name in hints and not isinstance(value, hints[name]):
                raise InputError(f"{name} must be a {hints[name].__name__}, not {value!r}")
            return value
        unit.check(name, value)
        if isinstance(value, int | float):
            return np.float64(value)  # so that a pole is infinity, not an exception
        return np.asarray(value, dtype=float) if isinstance(value, list | tuple) else value

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R_co:
        if getattr(_door, "open", False):
            return function(*args, **kwargs)
        given = dict(zip(names, args, strict=False)) | kwargs
        if len(given) < len(args) + len(kwargs) or len(args) > len(names):
            function(*args, **kwargs)  # Python's own words for too many arguments, or one twice
        given = {name: admitted(name, value) for name, value in given.items()}
        result = _through(cast(Callable[..., R_co], function), given)
        if not is_symbolic(result) and np.isnan(cast(Any, result)).any():
            raise InputError(f"{function.__name__} is not defined for these arguments")
        return result

    marked = cast(Formula[P, R_co], checked)
    marked.units = units
    return marked


def composed(function: Callable[P, R_co]) -> Callable[P, R_co]:
    """Mark a function that only wires formulas together: its arguments are nouns, checked when they
    were made, so it goes through the door once for all the formulas it calls.
    """
    names = tuple(inspect.signature(function).parameters)

    @functools.wraps(function)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R_co:
        if getattr(_door, "open", False):
            return function(*args, **kwargs)
        result = _through(function, dict(zip(names, args, strict=False)) | kwargs)
        for name, value in vars(result).items():
            if isinstance(value, float | np.ndarray) and np.isnan(value).any():
                raise InputError(f"{name} is not defined for these arguments")
        return result

    return inside


def _through(function: Callable[..., R_co], given: dict[str, Any]) -> R_co:
    """Call it with the door open: what it calls is arithmetic and nothing more."""
    _door.open = True
    try:
        # division by zero is how a pole shows: it gives infinity, which the docstring explains
        with np.errstate(divide="ignore", over="ignore", under="ignore", invalid="ignore"):
            try:
                return function(**given)
            except ZeroDivisionError:  # a noun's own zero, such as a model without KV cache
                return function(**{n: _in_numpy(v) for n, v in given.items()})
            except ValueError:
                _check_shapes(given)
                raise
    finally:
        _door.open = False


def _in_numpy(value: Any) -> Any:
    return value.in_numpy() if hasattr(value, "in_numpy") else value


def _check_shapes(given: dict[str, Any]) -> None:
    """Raise `InputError` if the arrays among the arguments, nouns' fields too, do not fit together."""
    shapes: dict[str, tuple[int, ...]] = {}
    for name, value in given.items():
        fields = value.quantities() if hasattr(value, "quantities") else ()
        inside = {f"{name}.{f}": getattr(value, f) for f in fields} or {name: value}
        shapes |= {n: np.shape(v) for n, v in inside.items() if isinstance(v, np.ndarray)}
    try:
        np.broadcast_shapes(*shapes.values())
    except ValueError:
        raise InputError(f"arrays of these shapes do not fit together: {shapes}") from None


def unit_of(hint: Any) -> Unit | None:
    """The `Unit` carried by an annotation such as `Seconds`, or None."""
    return next((m for m in getattr(hint, "__metadata__", ()) if isinstance(m, Unit)), None)
