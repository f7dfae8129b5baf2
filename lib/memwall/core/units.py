"""Units: SI throughout, and one way to print them for people.

Every formula says what it takes and what it gives in its signature:

    def drain_time(system: System) -> Seconds: ...

A `Unit` knows its printed symbol, its dimension (exponents of second, byte and
dollar; counted things such as FLOP, tokens and parameters are pure numbers) and
the smallest value that makes sense. Vendors' habits are undone on the way in:
rates are dense (no 2:4 sparsity), a multiply-add counts as two FLOP, links count
one direction, GB means 1e9 bytes.
"""

from __future__ import annotations

import math
import operator
import sys
from dataclasses import dataclass
from typing import Annotated, Any

KB, MB, GB, TB, PB = 1e3, 1e6, 1e9, 1e12, 1e15
KILO, MEGA, GIGA, TERA, PETA, EXA = 1e3, 1e6, 1e9, 1e12, 1e15, 1e18
NANOSECOND, MICROSECOND, MILLISECOND = 1e-9, 1e-6, 1e-3
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
GBIT = 1e9 / 8


class InputError(ValueError):
    """A value the book cannot compute with; the message names it and what is allowed."""


@dataclass(frozen=True)
class Unit:
    """A unit: printed symbol, exponents of second, byte and dollar, and the allowed range."""

    symbol: str
    seconds: int = 0
    bytes: int = 0
    dollars: int = 0
    least: float = 0.0
    open: bool = True  # True: the least value itself is excluded
    most: float = math.inf
    endless: bool = False  # True: infinity is a value, as of a cap that never binds

    def check(self, name: str, value: Any) -> None:
        """Raise `InputError` unless `value` (number or array) lies in range; symbols pass."""
        if isinstance(value, float) or type(value) is int:  # nearly every call: a plain number
            above = self.least < value or (value == self.least and not self.open)
            if above and value <= self.most and value < math.inf:
                return
        if is_symbolic(value):
            return
        import numpy as np

        if isinstance(value, bool | str | bytes) or value is None:
            raise InputError(f"{name} must be a number, an array or a symbol, not {value!r}")
        try:
            array = np.asarray(value)
            if array.dtype.kind not in "iuf":
                raise TypeError
        except (TypeError, ValueError):
            raise InputError(
                f"{name} must be a number, an array or a symbol, not {value!r}"
            ) from None
        if array.size == 0:
            raise InputError(f"{name} is an empty array: at least one value is needed")
        unreal = np.isnan(array) if self.endless else ~np.isfinite(array)
        wrong = unreal | (array < self.least) | (array > self.most)
        if self.open:
            wrong |= array <= self.least
        if wrong.any():
            bad = array[wrong].flat[0] if array.ndim else array[()]
            raise InputError(f"{name} = {bad:g} is out of range: it must be {self.range_text()}")

    def range_text(self) -> str:
        low = f"{'greater than' if self.open else 'at least'} {self.least:g}"
        return (
            ("" if self.endless else "finite and ")
            + low
            + ("" if self.most == math.inf else f", at most {self.most:g}")
        )


def whole(name: str, value: Any, least: int = 1, most: int | None = None) -> int:
    """A whole number in its range as an `int`; an `InputError` that says the range for all else.

    >>> whole("chips", 8)
    8
    """
    counts = hasattr(value, "__index__") and not isinstance(value, bool)
    if not counts or value < least or (most is not None and value > most):
        allowed = f", at least {least}" if most is None else f" from {least} to {most}"
        raise InputError(f"{name} = {value!r} must be a whole number{allowed}")
    return operator.index(value)


def is_symbolic(value: Any) -> bool:
    """True for SymPy expressions; asks without importing SymPy, which may never be needed."""
    sympy = sys.modules.get("sympy")
    return sympy is not None and isinstance(value, sympy.Basic)


def _of(symbol: str, **dimension: Any) -> Any:
    return Annotated[Any, Unit(symbol, **dimension)]


# What formulas take and give. `Count` things are pure numbers with a name.
Ratio = _of("1")
NonNegative = _of("1", open=False)
Real = _of("1", least=-math.inf, open=False)
Fraction = _of("1", open=False, most=1.0)
Sequences = _of("sequences", least=1.0, open=False)
Tokens = _of("tokens", open=False)
Parameters = _of("parameters")
Layers = _of("layers", least=1.0, open=False)
Count = _of("1", least=1.0, open=False)
Flop = _of("FLOP", open=False)
FlopPerSecond = _of("FLOP/s", seconds=-1)
FlopPerByte = _of("FLOP/B", bytes=-1)
Cap = _of("1", endless=True)
Stretch = _of("tokens", least=1.0, open=False)
Bytes = _of("B", bytes=1, open=False)
BytesPerSecond = _of("B/s", bytes=1, seconds=-1)
BytesPerParameter = _of("B/parameter", bytes=1)
BytesPerElement = _of("B/element", bytes=1)
BytesPerToken = _of("B/token", bytes=1, open=False)
Seconds = _of("s", seconds=1, open=False)
TokensPerSecond = _of("token/s", seconds=-1, open=False)
SequencesPerSecond = _of("sequences/s", seconds=-1)
Dollars = _of("$", dollars=1, open=False)
DollarsPerSecond = _of("$/s", dollars=1, seconds=-1, open=False)
DollarsPerToken = _of("$/token", dollars=1, open=False)
DollarsPerByte = _of("$/B", dollars=1, bytes=-1, open=False)
# what a rack is limited by; never mixed with the units above, so pure numbers with a name
Watts = _of("W", open=False)
Kilograms = _of("kg", open=False)
Metres = _of("m", open=False)

_PREFIXES = (
    (1e24, "Y"), (1e21, "Z"), (1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"),
    (1e3, "k"), (1.0, ""),
)  # fmt: skip
_TIMES = (
    (86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"),
)  # fmt: skip
_WORDS = ((1e15, "quadrillion"), (1e12, "trillion"), (1e9, "billion"), (1e6, "million"))


def _digits(value: float, figures: int = 3) -> str:
    """Three significant figures without an exponent, thousands separated: 0.0123, 1.2, 35, 2,400."""
    if value == 0:
        return "0"
    if abs(value) >= 999.5:
        return f"{value:,.0f}"
    places = max(0, figures - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def stands_with_number(unit: str) -> bool:
    """True for units that `human` prints with each number (1 ms, $2); counts name theirs once."""
    return unit in ("s", "%", "x") or unit.startswith(("B", "FLOP", "$"))


def human(value: float, unit: str = "1") -> str:
    """Print a value in SI as a person would write it: 1.2 ms, 2,048, 3.35 TB/s, $0.31 / Mtok.

    value: number in SI. unit: a `Unit` symbol, or "%" for a fraction shown as percent, "x" for a
    multiple. explorer.js holds the same rules for live figures; a browser test compares the two.
    """
    value = float(value)
    if math.isnan(value):
        return "not defined"
    if math.isinf(value):
        return "infinite" if value > 0 else "minus infinite"
    sign = "−" if value < 0 else ""
    size = abs(value)
    if unit == "%":
        return f"{sign}{_digits(size * 100)} %"
    if unit == "x":
        return f"{sign}{_digits(size)}×"
    if unit == "s":
        # a year and more reads better in days than in anything larger; below 1 ns stay in ns
        scale, name = next((s for s in _TIMES if size >= s[0] * 0.9995), _TIMES[-1])
        return f"{sign}{_digits(size / scale)} {name}" if size else "0 s"
    if unit == "$/token":
        return f"{sign}${_money(size * 1e6)} / Mtok"
    if unit == "$/s":
        return f"{sign}${_money(size * 3600)} / h"
    if unit.startswith("$"):
        return f"{sign}${_money(size)}{unit[1:]}"
    if unit.startswith(("B", "FLOP")):
        scale, prefix = next((p for p in _PREFIXES if size >= p[0] * 0.9995), _PREFIXES[-1])
        return f"{sign}{_digits(size / scale)} {prefix}{unit}"
    for scale, word in _WORDS:
        if size >= scale * 0.9995:
            return f"{sign}{_digits(size / scale)} {word}" + ("" if unit == "1" else f" {unit}")
    return f"{sign}{_digits(size)}" + ("" if unit == "1" else f" {unit}")


def _money(size: float) -> str:
    if size >= 1e6:
        scale, word = next(w for w in _WORDS if size >= w[0])
        return f"{_digits(size / scale)} {word}"
    if size >= 100:
        return f"{size:,.0f}"
    if size >= 0.09995 or size == 0:
        return f"{size:.2f}"
    return _digits(size)
