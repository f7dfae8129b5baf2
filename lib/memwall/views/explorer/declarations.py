"""What a live figure is made of, declared by who draws it; the package's docstring says what each means."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.units import InputError

Expr = Any  # a SymPy expression, or a number
Template = str | Sequence[Any]  # a template, or [(condition, template), ..., template]

# names that mean something else in the JavaScript a figure compiles
RESERVED = frozenset(
    """v lookup i xs out arguments await break case catch class const continue debugger default
    delete do else enum eval export extends false finally for function if implements import in
    instanceof interface let new null package private protected public return static super switch
    this throw true try typeof var void while with yield Math Infinity NaN undefined""".split()  # noqa: SIM905
)


@dataclass(frozen=True)
class Slider:
    symbol: Any
    label: str
    low: float
    high: float
    default: float | None = None  # None: a preset sets it
    unit: str = "1"
    log: bool = False
    zero: bool = False
    step: float | None = None
    integer: bool = False


@dataclass(frozen=True)
class Choice:
    symbol: Any
    label: str
    options: Mapping[str, float]
    default: str = ""


@dataclass(frozen=True)
class Toggle:
    symbol: Any
    label: str
    default: bool = False


@dataclass(frozen=True)
class Preset:
    label: str
    options: Mapping[str, Any]
    sets: Any = ()
    default: str = ""
    skip_unknown: bool = False


@dataclass(frozen=True)
class Curve:
    label: str
    y: Expr
    kind: str = "bound"
    x: Expr = None
    width: float = 2.0
    step: bool = False
    fill_to: Expr = None
    when: Expr = True


@dataclass(frozen=True)
class Point:
    label: str
    x: Expr
    y: Expr
    kind: str = "bound"
    when: Expr = True
    at: Expr = None
    dot: int = 0  # a small mark, as measured values have: one of four shapes


@dataclass(frozen=True)
class Guide:
    label: str
    x: Expr = None
    y: Expr = None
    kind: str = "muted"
    when: Expr = True


@dataclass(frozen=True)
class Dots:
    label: str
    data: Sequence[tuple[Any, ...]]
    kind: str = "muted"


@dataclass(frozen=True)
class Lines:
    x: Any
    y: tuple[str, str]
    curves: Sequence[Curve]
    log: str = ""
    points: Sequence[Point] = ()
    guides: Sequence[Guide] = ()
    dots: Sequence[Dots] = ()
    x_label: tuple[str, str] | None = None
    x_range: tuple[Expr, Expr] | None = None
    y_range: tuple[Expr, Expr] | None = None
    sweep: Any = None
    sweep_range: tuple[Expr, Expr] | None = None
    samples: int = 160
    title: str = ""


@dataclass(frozen=True)
class Bar:
    label: str
    value: Expr
    kind: str = "bound"
    when: Expr = True
    zero: str = ""


@dataclass(frozen=True)
class Bars:
    value: tuple[str, str]
    bars: Sequence[Bar]
    stacked: bool = False
    log: bool = False
    range: tuple[Expr, Expr] | None = None
    guides: Sequence[Guide] = ()
    title: str = ""


@dataclass(frozen=True)
class Region:
    label: str
    value: Expr
    kind: str = "bound"


@dataclass(frozen=True)
class Regions:
    x: Any
    y: Any
    regions: Sequence[Region]
    log: str = "xy"
    pick: str = "largest"
    points: Sequence[Point] = ()
    guides: Sequence[Guide] = ()
    x_label: tuple[str, str] | None = None
    y_label: tuple[str, str] | None = None
    x_range: tuple[Expr, Expr] | None = None
    y_range: tuple[Expr, Expr] | None = None
    title: str = ""


@dataclass(frozen=True)
class Grid:
    cell: Expr
    rows: Expr
    columns: Expr
    x: tuple[str, str] = ("", "")
    y: tuple[str, str] = ("", "")
    kind: str | tuple[str, ...] = "weights"
    which: Expr = 0
    text: Expr = None
    title: str = ""


class Drawn:
    """A kind of chart of its own: its class in the page's script bears the same name.

    `build` gives its part of the spec, `still` the picture that stands where no script runs.
    """

    title: str = ""

    def build(self, builder: Any, owner: str) -> dict[str, Any]:
        raise NotImplementedError

    def still(self, value: Any, words: Any) -> str:
        raise NotImplementedError


@dataclass(frozen=True)
class Readout:
    label: str
    value: Expr
    unit: str = "1"
    key: str = ""
    low: Expr = None
    high: Expr = None
    link: str = ""


@dataclass(frozen=True, init=False)
class Words:
    key: str
    cases: tuple[Any, ...] = field(default=())
    label: str = ""

    def __init__(self, key: str, *cases: Any, label: str = "") -> None:
        for name, value in (("key", key), ("cases", cases), ("label", label)):
            object.__setattr__(self, name, value)


Control = Slider | Choice | Toggle | Preset
Chart = Lines | Bars | Regions | Grid | Drawn


@dataclass(frozen=True)
class Declared:
    """All that one live figure was given."""

    id: str
    title: Template
    alts: Sequence[str]
    readouts: Sequence[Readout | Words]
    messages: Sequence[tuple[Any, str]]
    charts: Sequence[Chart]
    compare: bool


def key_of(readout: Readout | Words) -> str:
    return readout.key or re.sub(r"\W+", "_", readout.label.lower()).strip("_")


def name_of(symbol: Any, owner: str) -> str:
    name = symbol if isinstance(symbol, str) else getattr(symbol, "name", None)
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_]\w*", name) or name in RESERVED:
        raise InputError(f"{owner}: {symbol!r} cannot name a variable of a live figure")
    return name


def cases_of(template: Template, owner: str) -> list[tuple[Any, str]]:
    """[(condition, template), ...], the last one's condition true where a plain string ends it."""
    listed = [template] if isinstance(template, str) else list(template)
    cases = [(True, case) if isinstance(case, str) else case for case in listed]
    if not all(isinstance(c, tuple) and len(c) == 2 and isinstance(c[1], str) for c in cases):
        raise InputError(f"{owner} wants templates or (condition, template) pairs")
    return cases
