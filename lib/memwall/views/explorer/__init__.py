"""Live figures: sliders and curves that run the library's own formulas in the reader's browser.

    m, s = Model.symbolic(), System.symbolic()
    B, L = variables("batch context")

    Explorer("latency",
        title=[(roofline.compute_time(B, m, s) > roofline.memory_time(B, L, m, s),
                "At {batch} the arithmetic sets the pace: {step_time} a step"),
               "At {batch} the memory sets the pace: {step_time} a step"],
        controls=[
            Preset("Model", {n: model(n) for n in ("DeepSeek-V3", "gpt-oss-120b")}, m),
            Preset("Chips", {f"8 {n}": chip(n).system(8) for n in ("H100", "B200")}, s),
            Slider(B, "Batch size", 1, 1e5, 256, unit="sequences", log=True),
            Slider(L, "Context", 1e3, 1e6, 8e3, unit="tokens", log=True),
        ],
        chart=Lines(x=B, y=("Step time", "s"), log="xy",
            curves=[Curve("arithmetic", roofline.compute_time(B, m, s), "compute"),
                    Curve("memory", roofline.memory_time(B, L, m, s), "weights"),
                    Curve("step", roofline.step_time(B, L, m, s), "bound")],
            points=[Point("you", B, roofline.step_time(B, L, m, s))],
            guides=[Guide("balance {balance}", x=roofline.balance_batch(m, s))]),
        readouts=[Readout("Step time", roofline.step_time(B, L, m, s), "s"),
                  Readout("Balance", roofline.balance_batch(m, s), "sequences")],
        alt="Step time against batch size, flat then rising; at {batch} it is {step_time}.")

**Expressions** are SymPy expressions, made by calling formulas with symbols; they are printed as
JavaScript by `algebra.javascript` and nowhere else. A symbol's name is the name of a variable of
the figure. Each symbol must be set by a control, or be a constant given in `values={symbol: 1.0}`.
A chart's own sweep variable needs no control. Kinds (colours) are those of `figures.COLORS`,
units those of `units.human`.

**Variables.** `variables("batch context")` gives positive symbols. A variable that can be 0 (a
context, a switch) and is compared with 0 wants `variables("x", nonnegative=True)`, or SymPy
decides `x > 0` for good. A symbol for a model's or system's field comes from `Model.symbolic()`.
A `Chip` sized by a slider: `Chip.symbolic(name="chip")` has fields `flops_fp8, chip_bandwidth,
...`, and `.system(n, "fp8")` of it is a System of expressions.

**Controls.**
`Slider(symbol, label, low, high, default, unit, log, zero, step, integer)`: a slider with a box
for an exact value. `log=True` for a logarithmic one, `zero=True` adds a stop at 0 below `low`.
`Choice(symbol, label, {"fp8": 1, "bf16": 2}, default)`: a list that sets one variable.
`Toggle(symbol, label, True)`: a switch, 1 or 0.
`Preset(label, {name: noun}, symbolic_noun, default)`: a list that sets several variables at once;
the options may also be tuples of nouns (then give a tuple of symbolic nouns) or plain
dictionaries `{symbol: value}`. It reads "custom" once another control moves one of its variables.
With `skip_unknown=True`, options that lack a fact the figure needs are left out, not refused.

**Charts** (`chart=` one or a list; they share the controls; each may have its own `title=`).
`Lines(x, y, curves)`: `x` is the symbol swept along the axis (name, unit, range come from its
slider, or from `x_label`, `x_range`), `y` is (name, unit), `log` names the logarithmic axes. For
a parametric curve give `x=("Speed", "token/s"), sweep=B` and each curve its own `x=` expression.
`y_range` fixes the axis; left out, it follows the curves in round steps. `Curve(..., step=True)`
draws steps, `fill_to=expr` shades a band, `when=condition` hides it. `Point(label, x, y, kind)`
is a named point (with `at=expr`, where the swept symbol has that value instead of the reader's),
`Guide(label, x=... or y=...)` a reference line, and `Dots(label, [(x, y), (x, y, "name")], kind)`
are measured or listed values. The reader can also drag in the chart to move the swept variable.
`Bars(value=("Time", "s"), bars=[Bar(label, expr, kind)])`: one bar a row; `stacked=True` draws
one bar cut in parts, unfolded below; `log=True`, `guides=[Guide(label, x=expr)]`. `zero="hidden
behind memory"` is printed where a part takes no time of its own.
`Regions(x, y, regions=[Region(label, expr, kind)])`: a map over two swept symbols, coloured by
the largest expression (`pick="smallest"` for the smallest), with `points` and `guides`.
`Grid(cell, rows, columns)`: a matrix; `cell` is an expression 0..1 in the symbols `row` and
`column` (counted from 0), rows and columns are numbers or expressions. `kind` may be a tuple of
kinds with `which=expr` the index of a cell's kind; `text=expr` prints a whole number in each cell.

**Tables.** An undefined function, `Function("avalanche")(rounds, row)`, is looked up in
`tables={"avalanche": nested list}`: each index is rounded and clipped to the table. Rows of
whole numbers from 0 to 80 travel as one character each, so prefer them: store 64ths, divide by 64.

**Readouts and words.** `Readout(label, expr, unit, key, low, high, link)`: a number beside the
chart, with its band and the chapter that derives it if given. `Words(key, (condition, text), ...,
"otherwise", label="")` is a readout in words. Templates (title, alt, labels of points and guides,
words, messages) hold `{key}` of a readout (default key: label in lower case with underscores),
`{variable}`, or `{Label}` of a list, formatted for people. A title is a template, or a list like
the cases of `Words`. `messages=[(condition, template)]` are shown while their condition holds: say
in words what is wrong with impossible input. `compare=True` adds a button that keeps the present
state as A and shows both.

**Steps.** `lets={symbol: expr}` names what many expressions share, in order: a later one may use an
earlier one. It keeps a large figure's spec small and its tracing quick.

**In Python.** `explorer.values` is a traitlet: `explorer.observe(f, "values")`.
`explorer.set(batch=512, Model="gpt-oss-120b")` moves the view, `explorer.readouts()` gives raw
numbers. On a page without a kernel explorer.js mounts the same figure on the HTML made here;
without JavaScript, a still figure stands in its place.
"""

from __future__ import annotations

import html
import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import sympy
import traitlets

from ...core.algebra import (
    javascript,
    variables,  # noqa: F401  figures make theirs with it
)
from ...core.nouns import Noun, Unknown, suggest
from ...core.units import InputError, human, stands_with_number
from .. import figures
from . import still

Expr = Any  # a SymPy expression, or a number
Template = str | Sequence[Any]  # a template, or [(condition, template), ..., template]

# names that mean something else in the JavaScript a figure compiles
RESERVED = frozenset(
    """v lookup i xs out arguments await break case catch class const continue debugger default
    delete do else enum eval export extends false finally for function if implements import in
    instanceof interface let new null package private protected public return static super switch
    this throw true try typeof var void while with yield Math Infinity NaN undefined""".split()  # noqa: SIM905
)


# ---- what a figure is made of -------------------------------------------------------------------


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


# ---- from declarations to a spec ----------------------------------------------------------------


def _key(readout: Readout | Words) -> str:
    return readout.key or re.sub(r"\W+", "_", readout.label.lower()).strip("_")


def _name(symbol: Any, owner: str) -> str:
    name = symbol if isinstance(symbol, str) else getattr(symbol, "name", None)
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_]\w*", name) or name in RESERVED:
        raise InputError(f"{owner}: {symbol!r} cannot name a variable of a live figure")
    return name


def _cases(template: Template, owner: str) -> list[tuple[Any, str]]:
    """[(condition, template), ...], the last one's condition true where a plain string ends it."""
    listed = [template] if isinstance(template, str) else list(template)
    cases = [(True, case) if isinstance(case, str) else case for case in listed]
    if not all(isinstance(c, tuple) and len(c) == 2 and isinstance(c[1], str) for c in cases):
        raise InputError(f"{owner} wants templates or (condition, template) pairs")
    return cases


class _Builder:
    """Turns declarations into the JSON that explorer.js reads, checking every name on the way.

    An expression becomes {"js": source}, or {"js": source, "over": symbol} where a chart sweeps it.
    """

    def __init__(
        self, controls: Sequence[Any], constants: Mapping[Any, float], tables: Mapping[str, Any],
        lets: Mapping[Any, Expr],
    ) -> None:  # fmt: skip
        self.controls, self.tables = controls, tables
        # an expression that others share, and its source once something needs it
        self.lets: dict[str, list[Any]] = {_name(k, "lets"): [x, ""] for k, x in lets.items()}
        self.keys: list[str] = []  # of the readouts
        self.used: set[str] = set()  # variables that some expression needs
        self.own: set[str] = set()  # swept names that need no control
        self.constants = {_name(k, "values"): float(x) for k, x in constants.items()}
        self.sliders = {_name(c.symbol, c.label): c for c in controls if isinstance(c, Slider)}
        self.lists: dict[str, dict[str, dict[str, Any]]] = {}
        self.settable = set(self.constants)
        for c in controls:
            if isinstance(c, Preset):
                self.lists[c.label] = {option: self.assignment(c, option) for option in c.options}
            elif isinstance(c, Choice):
                name = _name(c.symbol, c.label)
                self.lists[c.label] = {option: {name: float(x)} for option, x in c.options.items()}
            elif isinstance(c, Slider | Toggle):
                self.settable.add(_name(c.symbol, c.label))
            else:
                raise InputError(f"{c!r} is no control: Slider, Choice, Toggle or Preset")
        for label, options in self.lists.items():
            default = next(c.default for c in controls if c.label == label)
            if not options:
                raise InputError(f"{label} has no options")
            if default and default not in options:
                raise InputError(f"{label} has no option {default!r}.{suggest(default, options)}")
            self.settable.update(*options.values())
        labels = [c.label for c in controls]
        if len(set(labels)) < len(labels):
            raise InputError(f"two controls share a label: {sorted(labels)}")

    def assignment(self, preset: Preset, option: str) -> dict[str, Any]:
        given = preset.options[option]
        if isinstance(given, Mapping):
            return {_name(k, preset.label): float(x) for k, x in given.items()}
        nouns = given if isinstance(given, tuple) else (given,)
        symbolic = preset.sets if isinstance(preset.sets, tuple) else (preset.sets,)
        if len(nouns) != len(symbolic) or not all(isinstance(n, Noun) for n in (*nouns, *symbolic)):
            raise InputError(
                f"{preset.label}, option {option!r}: give a Model, System or Chip for each "
                "symbolic one the preset sets, or a dictionary of values"
            )
        return {
            symbol.name: getattr(noun, name)
            for noun, symbols in zip(nouns, symbolic, strict=True)
            for name, symbol in symbols.symbols().items()
        }

    # ---- expressions and templates

    def source(self, expression: Expr, owner: str, *own: str) -> str:
        """The JavaScript of an expression; every symbol in it is set by a control or swept."""
        expression = sympy.sympify(expression)
        for name in sorted(s.name for s in expression.free_symbols):
            if name in own:
                continue
            if name in self.lets:
                self.lets[name][1] = self.source(
                    self.lets[name][0], f"{owner}, through {name!r},", *own
                )
                continue
            if name not in self.settable:
                raise InputError(
                    f"{owner} depends on {name!r}, which no control sets."
                    f"{suggest(name, self.settable)}"
                )
            self.used.add(name)
        for node in expression.atoms(sympy.core.function.AppliedUndef):
            table = node.func.__name__
            if table not in self.tables:
                raise InputError(f"{owner} looks up a table {table!r} that is not given")
        if expression in (sympy.true, sympy.false):
            return str(expression).lower()
        # the printer's line breaks and 1.00000000000000 only weigh on the page
        printed = re.sub(r"\s*([(),?:])\s*", r"\1", javascript(expression))
        return re.sub(r"(\.\d+?)0+(?!\d)", r"\1", printed)

    def code(self, expression: Expr, owner: str, *own: str, when: Expr = True) -> dict[str, str]:
        """An expression for the page, swept over the first of `own`; not a number unless `when`."""
        js = self.source(expression, owner, *own)
        if when is not True:
            js = f"({self.source(when, owner, *own)}) ? ({js}) : NaN"
        self.own.update(own)
        return {"js": js, "over": own[0]} if own else {"js": js}

    def cases(self, template: Template, owner: str) -> list[list[Any]]:
        return [[self.code(c, owner), self.text(t, owner)] for c, t in _cases(template, owner)]

    def text(self, template: str, owner: str) -> str:
        known = [*self.keys, *self.settable, *self.lists]
        for key in re.findall(r"\{([^{}]*)\}", template):
            if key not in known:
                raise InputError(f"{owner}: nothing is called {{{key}}}.{suggest(key, known)}")
            if key in self.settable and key not in self.keys:
                self.used.add(key)
        return template

    def kind(self, kind: str, owner: str) -> str:
        if kind not in figures.COLORS:
            raise InputError(f"{owner}: no kind {kind!r}.{suggest(kind, figures.COLORS)}")
        return kind

    # ---- charts

    def axis(self, name_unit: Any, log: bool, range_: Any, owner: str) -> dict[str, Any]:
        """Name, unit and ends; counted units stand in the name, measured ones at each tick."""
        name, unit = name_unit
        low, high = range_ or (None, None)
        ends = [
            end if end is None or isinstance(end, int | float) else self.code(end, owner)
            for end in (low, high)
        ]
        plain = not stands_with_number(unit)
        return {
            "name": f"{name} ({unit})" if plain and unit not in ("", "1") else name,
            "unit": "1" if plain else unit, "log": log, "range": ends,
        }  # fmt: skip

    def swept(self, symbol: Any, label: Any, range_: Any, log: bool, owner: str) -> dict[str, Any]:
        """An axis along a symbol: its slider gives name, unit and range unless they are given."""
        slider = self.sliders.get(_name(symbol, owner))
        if slider is None and (range_ is None or label is None):
            raise InputError(
                f"{owner}: {symbol} has no slider, so the chart needs its label and range"
            )
        return self.axis(
            label or (slider.label, slider.unit), log, range_ or (slider.low, slider.high), owner
        )

    def marks(self, items: Sequence[Any], owner: str, *own: str) -> list[dict[str, Any]]:
        """Curves, points, guides, bars, regions: a label, a kind and expressions."""
        made = []
        for item in items:
            where = f"{owner}, {type(item).__name__.lower()} {item.label!r}"
            mark = {"label": self.text(item.label, where), "kind": self.kind(item.kind, where)}
            at, shown = getattr(item, "at", None), getattr(item, "when", True)
            if at is not None:  # the condition is about the reader's state, so it stands here
                mark["at"], shown = self.code(at, where, when=shown), True
            for part, key in (("x", "x"), ("y", "y"), ("value", "value"), ("fill_to", "fill")):
                if getattr(item, part, None) is not None:
                    mark[key] = self.code(getattr(item, part), where, *own, when=shown)
            for part, usual in (("width", 2.0), ("step", False), ("zero", ""), ("dot", 0)):
                if getattr(item, part, usual) != usual:
                    mark[part] = getattr(item, part)
            made.append(mark)
        return made

    def dots(self, series: Sequence[Dots], owner: str) -> list[dict[str, Any]]:
        """Each dot a point with plain numbers; a series without names is named at its last dot."""
        made = []
        for shape, dots in enumerate(series, start=1):
            kind = self.kind(dots.kind, f"{owner}, dots {dots.label!r}")
            for x, y, *name in dots.data:
                made.append({"label": str(*name), "kind": kind, "x": float(x), "y": float(y),
                             "dot": (shape - 1) % 4 + 1})  # fmt: skip
            if made and not any(len(d) > 2 for d in dots.data):
                made[-1]["label"] = dots.label
        return made

    def chart(self, chart: Any, owner: str) -> dict[str, Any]:
        makers = {Lines: self.lines, Bars: self.bars, Regions: self.regions, Grid: self.grid}
        if not isinstance(chart, Drawn) and type(chart) not in makers:
            raise InputError(f"{owner}: {chart!r} is no chart: Lines, Bars, Regions or Grid")
        made = (
            chart.build(self, owner)
            if isinstance(chart, Drawn)
            else makers[type(chart)](chart, owner)
        )
        spec = {"kind": type(chart).__name__} | made
        for part in ("points", "guides"):
            if getattr(chart, part, ()):
                spec[part] = [*self.marks(getattr(chart, part), owner), *spec.get(part, [])]
        return spec | ({"title": self.text(chart.title, owner)} if chart.title else {})

    def lines(self, chart: Lines, owner: str) -> dict[str, Any]:
        parametric = isinstance(chart.x, tuple)
        symbol = chart.sweep if parametric else chart.x
        if symbol is None:
            raise InputError(f"{owner}: a parametric chart needs sweep=")
        sweep, log = _name(symbol, owner), "x" in chart.log
        along = self.swept(
            symbol, ("", "") if parametric else chart.x_label,
            chart.sweep_range if parametric else chart.x_range, log, owner,
        )  # fmt: skip
        for c in chart.curves:
            if parametric and c.x is None:
                raise InputError(f"{owner}, curve {c.label!r}: a parametric curve needs its own x=")
        slider = self.sliders.get(sweep)
        return {
            "sweep": sweep, "swept": along["range"], "samples": chart.samples,
            "sweepLog": (slider.log if slider else True) if parametric else log,
            "parametric": parametric,
            "x": self.axis(chart.x, log, chart.x_range, owner) if parametric else along,
            "y": self.axis(chart.y, "y" in chart.log, chart.y_range, owner),
            "curves": self.marks(chart.curves, owner, sweep),
            "points": self.dots(chart.dots, owner),
        }  # fmt: skip

    def bars(self, chart: Bars, owner: str) -> dict[str, Any]:
        return {
            "x": self.axis(chart.value, chart.log, chart.range, owner),
            "bars": self.marks(chart.bars, owner), "stacked": chart.stacked,
        }  # fmt: skip

    def regions(self, chart: Regions, owner: str) -> dict[str, Any]:
        if chart.pick not in ("largest", "smallest"):
            raise InputError(f"{owner}: pick is 'largest' or 'smallest', not {chart.pick!r}")
        x, y = _name(chart.x, owner), _name(chart.y, owner)
        return {
            "sweep": x, "sweepY": y, "pick": chart.pick,
            "x": self.swept(chart.x, chart.x_label, chart.x_range, "x" in chart.log, owner),
            "y": self.swept(chart.y, chart.y_label, chart.y_range, "y" in chart.log, owner),
            "regions": self.marks(chart.regions, owner, x, y),
        }  # fmt: skip

    def grid(self, chart: Grid, owner: str) -> dict[str, Any]:
        kinds = (chart.kind,) if isinstance(chart.kind, str) else chart.kind
        spec = {
            "x": self.axis(chart.x, False, None, owner), "y": self.axis(chart.y, False, None, owner),
            "rows": self.code(chart.rows, owner), "columns": self.code(chart.columns, owner),
            "cell": self.code(chart.cell, owner, "column", "row"),
            "which": self.code(chart.which, owner, "column", "row"),
            "kinds": [self.kind(k, owner) for k in kinds],
        }  # fmt: skip
        if chart.text is not None:
            spec["text"] = self.code(chart.text, owner, "column", "row")
        return spec

    # ---- readouts, controls, the whole

    def readout(self, r: Readout | Words) -> dict[str, Any]:
        key = _key(r)
        if isinstance(r, Words):
            return {"key": key, "label": r.label, "words": self.cases(r.cases, f"words {key!r}")}
        where = f"readout {r.label!r}"
        made = {"key": key, "label": r.label, "unit": r.unit, "value": self.code(r.value, where)}
        if (r.low is None) != (r.high is None):
            raise InputError(f"{where}: a band has two ends, low= and high=")
        if r.low is not None:
            made |= {"low": self.code(r.low, where), "high": self.code(r.high, where)}
        return made | ({"link": r.link} if r.link else {})

    def build(self, given: dict[str, Any]) -> dict[str, Any]:
        readouts = given["readouts"]
        self.keys = [_key(r) for r in readouts]
        if len(set(self.keys)) < len(self.keys):
            raise InputError(f"two readouts share a key: {sorted(self.keys)}")
        spec = {
            "id": given["id"],
            "title": self.cases(given["title"], "title"),
            "alt": [self.text(alt, "alt") for alt in given["alt"]],
            "readouts": [self.readout(r) for r in readouts],
            "messages": [self.cases([c], "message")[0] for c in given["messages"]],
            "charts": [self.chart(c, f"chart {i}") for i, c in enumerate(given["charts"], 1)],
        }
        spec["controls"], spec["values"] = self.finish_controls()
        spec["own"] = sorted(self.own - set(spec["values"]))
        # what stands later may mention what stands earlier, so the page takes the last first
        spec["lets"] = [[name, js] for name, (_, js) in reversed(self.lets.items()) if js]
        spec["tables"] = {name: _packed(table) for name, table in self.tables.items()}
        return spec | ({"compare": True} if given["compare"] else {})

    def finish_controls(self) -> tuple[list[dict[str, Any]], dict[str, float]]:
        """Controls for the page, and every variable's first value; a dead control is refused."""
        made: list[dict[str, Any]] = []
        values = {name: x for name, x in self.constants.items() if name in self.used}
        for c in self.controls:
            if isinstance(c, Preset | Choice):
                options = self.live_options(c)
                first = c.default or next(iter(options))
                values |= options[first]
                made.append({"kind": "List", "label": c.label, "first": first, "options": options})
                continue
            name = _name(c.symbol, c.label)
            if name not in self.used:
                raise InputError(
                    f"the control {c.label!r} is dead: no readout, point or curve uses {name!r}"
                )
            if isinstance(c, Toggle):
                values[name] = float(c.default)
                made.append({"kind": "Toggle", "label": c.label, "name": name})
            else:
                if c.default is not None:
                    values[name] = float(c.default)
                made.append(_slider_spec(c, name))
        for name, c in self.sliders.items():
            if name not in values:
                raise InputError(f"slider {c.label!r} has no default and no preset sets {name!r}")
            if not (c.low <= values[name] <= c.high or (c.zero and values[name] == 0)):
                raise InputError(
                    f"slider {c.label!r} starts at {values[name]:g}, "
                    f"outside {c.low:g} to {c.high:g}"
                )
        return made, values

    def live_options(self, c: Preset | Choice) -> dict[str, dict[str, float]]:
        """A list's options, only with what the figure uses; a fact it needs must be there."""
        live = {}
        for option, values in self.lists[c.label].items():
            wanted = {n: x for n, x in values.items() if n in self.used}
            unknown = [n for n, x in wanted.items() if isinstance(x, Unknown)]
            if unknown and not getattr(c, "skip_unknown", False):
                raise InputError(
                    f"{c.label}, option {option!r}: {unknown[0]} is not known, "
                    "and the figure uses it"
                )
            if not unknown:
                live[option] = {n: float(x) for n, x in wanted.items()}
        if not any(live.values()):
            raise InputError(f"the control {c.label!r} is dead: no expression uses what it sets")
        if c.default and c.default not in live:
            raise InputError(f"{c.label}: the default {c.default!r} lacks a fact the figure uses")
        return live


def _packed(table: Any) -> Any:
    """Long rows of whole numbers from 0 to 80 as strings, a character each; one zero ends a tail."""
    if isinstance(table[0], Sequence):
        return [_packed(row) for row in table]
    if len(table) < 8 or not all(float(x).is_integer() and 0 <= x <= 80 for x in table):
        return table
    row = "".join(chr(40 + int(x)) for x in table)
    return row if table[-1] else row.rstrip("(") + "("


def _slider_spec(c: Slider, name: str) -> dict[str, Any]:
    if not (math.isfinite(c.low) and math.isfinite(c.high) and c.low < c.high):
        raise InputError(f"slider {c.label!r}: {c.low} to {c.high} is not a range")
    if c.log and c.low <= 0:
        raise InputError(f"slider {c.label!r}: a log slider starts above 0 (zero=True adds 0)")
    spec = {"kind": "Slider", "label": c.label, "name": name, "unit": c.unit,
            "low": float(c.low), "high": float(c.high)}  # fmt: skip
    if not stands_with_number(c.unit):
        spec["after"] = "" if c.unit == "1" else c.unit
    return spec | {k: getattr(c, k) for k in ("log", "zero", "step", "integer") if getattr(c, k)}


# ---- the same expressions in Python: the still figure, readouts ---------------------------------


class _Calculator:
    """Evaluates the figure's expressions in Python, one number at a time."""

    def __init__(self, tables: Mapping[str, Any], lets: Mapping[Any, Expr]) -> None:
        self.lets = {_name(symbol, "lets"): expression for symbol, expression in lets.items()}
        self.tables = {name: self.lookup(np.asarray(t, dtype=float)) for name, t in tables.items()}
        self.compiled: dict[Any, tuple[list[str], Any]] = {}

    @staticmethod
    def lookup(table: Any) -> Any:
        def look(*index: Any) -> Any:
            at = (
                min(max(math.floor(i + 0.5), 0), n - 1)
                for i, n in zip(index, table.shape, strict=True)
            )
            return table[tuple(at)]

        return look

    def __call__(self, expression: Expr, values: Mapping[str, float]) -> Any:
        if expression not in self.compiled:
            expr = sympy.sympify(expression)
            names = sorted(expr.free_symbols, key=lambda s: s.name)
            code = sympy.lambdify(names, expr, modules=[self.tables, "math"])
            self.compiled[expression] = [s.name for s in names], code
        names, code = self.compiled[expression]
        with np.errstate(all="ignore"):
            try:
                return code(*(np.float64(self.value_of(n, values)) for n in names))
            except (OverflowError, ValueError):
                return math.nan
            except ZeroDivisionError:
                return math.inf

    def value_of(self, name: str, values: Mapping[str, float]) -> Any:
        return values[name] if name in values else self(self.lets[name], values)


class Explorer(anywidget.AnyWidget):
    """A live figure: see this module's docstring."""

    _esm = (
        resources.files(__package__).joinpath("explorer.js").read_text(encoding="utf-8")
        + "\nexport default { render: memwallExplorer.render };"
    )
    _css = resources.files(__package__).joinpath("explorer.css").read_text(encoding="utf-8")
    spec = traitlets.Dict().tag(sync=True)
    values = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        id: str,
        *,
        title: Template,
        controls: Sequence[Any],
        chart: Any,
        alt: str | Sequence[str],
        readouts: Sequence[Readout | Words] = (),
        messages: Sequence[tuple[Any, str]] = (),
        tables: Mapping[str, Any] | None = None,
        values: Mapping[Any, float] | None = None,
        compare: bool = False,
        lets: Mapping[Any, Expr] | None = None,
    ) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9-]*", id):
            raise InputError(f"id {id!r}: a short word of small letters, digits and hyphens")
        charts = list(chart) if isinstance(chart, list | tuple) else [chart]
        alts = [alt] if isinstance(alt, str) else list(alt)
        builder = _Builder(controls, values or {}, dict(tables or {}), lets or {})
        self._given = {
            "id": id, "title": title, "alt": alts, "readouts": readouts,
            "messages": messages, "charts": charts, "compare": compare,
        }  # fmt: skip
        spec = builder.build(self._given)
        self._sliders = builder.sliders
        self._calculate = _Calculator(builder.tables, lets or {})
        super().__init__(spec=spec, values=dict(spec["values"]))

    @traitlets.validate("values")
    def _check(self, proposal: Any) -> dict[str, float]:
        """Values are complete, known by name and finite, whoever sets them."""
        first = self.spec["values"]
        checked = dict(first)
        for name, value in proposal["value"].items():
            if name not in first:
                raise InputError(f"no variable {name!r} in this figure.{suggest(name, first)}")
            if isinstance(value, str | bool) or not math.isfinite(value):
                raise InputError(f"{name} must be a finite number, not {value!r}")
            checked[name] = float(value)
        return checked

    def set(self, **changes: Any) -> None:
        """Move the figure: variables by name, lists by label and option."""
        lists = {c["label"]: c["options"] for c in self.spec["controls"] if c["kind"] == "List"}
        values = dict(self.values)
        for name, value in changes.items():
            if name in lists:
                if value not in lists[name]:
                    raise InputError(
                        f"{name} has no option {value!r}.{suggest(str(value), lists[name])}"
                    )
                values |= lists[name][value]
            else:
                values[name] = value
        self.values = values

    def readouts(self) -> dict[str, Any]:
        """Every readout at the present values: raw numbers in SI, or words."""
        return {
            _key(r): self._words(r.cases) if isinstance(r, Words) else self._number(r.value)
            for r in self._given["readouts"]
        }

    def checks(self, count: int = 24) -> list[dict[str, Any]]:
        """Readouts at random positions of all controls, for a test to compare with the page."""
        draw = np.random.default_rng(count)
        first, found = self.values, []
        for _ in range(count):
            values = dict(first)
            for c in self.spec["controls"]:
                if c["kind"] == "List":
                    values |= c["options"][list(c["options"])[draw.integers(len(c["options"]))]]
                elif c["kind"] == "Toggle":
                    values[c["name"]] = float(draw.integers(2))
                else:
                    low, high = c["low"], c["high"]
                    log = c.get("log") and not c.get("zero")
                    x = low * (high / low) ** draw.random() if log else draw.uniform(low, high)
                    values[c["name"]] = round(x) if c.get("integer") else float(x)
            self.values = values
            numbers = {k: x for k, x in self.readouts().items() if isinstance(x, float)}
            readouts = {k: x if math.isfinite(x) else None for k, x in numbers.items()}
            found.append({"values": dict(self.values), "readouts": readouts})
        self.values = first
        return found

    def text(self, template: Template) -> str:
        """A template at the present values."""
        return self._words([template] if isinstance(template, str) else template)

    def _number(self, expression: Expr, **own: float) -> float:
        return float(self._calculate(expression, self.values | own))

    def _words(self, cases: Sequence[Any]) -> str:
        for condition, template in _cases(list(cases), "text"):
            if bool(self._calculate(condition, self.values)):
                return re.sub(r"\{([^{}]*)\}", lambda m: self._printed(m[1]), template)
        return ""

    def _printed(self, key: str) -> str:
        """What stands for {key}: a readout, a list's option, or a variable."""
        for r in self._given["readouts"]:
            if _key(r) == key:
                if isinstance(r, Words):
                    return self._words(r.cases)
                return human(self._number(r.value), r.unit)
        if key in self.values:
            slider = self._sliders.get(key)
            return human(self.values[key], slider.unit if slider else "1")
        control = next(c for c in self.spec["controls"] if c["label"] == key)
        return next(
            (o for o, v in control["options"].items() if v.items() <= self.values.items()), "custom"
        )

    # ---- the page without a kernel ----

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        alt = " ".join(map(self.text, self._given["alt"]))
        folder = os.environ.get("MEMWALL_CHECKS")  # set while the book is built
        if folder:
            checks = json.dumps(self.checks())
            Path(folder, f"{self._given['id']}.json").write_text(checks, encoding="utf-8")
        return data | {"text/html": self.html(), "text/plain": alt}, metadata

    def html(self) -> str:
        """The figure for a page: a still, and the spec from which explorer.js makes it live."""
        spec = json.dumps(self.spec, ensure_ascii=False, separators=(",", ":"))
        spec = spec.replace("<", "\\u003c")  # so that no text can end the script element
        numbers = [
            f"{r.label}: {self._printed(_key(r))}" for r in self._given["readouts"] if r.label
        ]
        caption = ". ".join([self.text(self._given["title"]), *numbers])
        return (
            f'<div class="mw-explorer" id="explorer-{self._given["id"]}">'
            f'<figure class="mw-still">{self._stills()}<figcaption>{html.escape(caption)}. '
            "<small>A still: the live figure needs JavaScript.</small></figcaption></figure>"
            f'<script type="application/json">{spec}</script></div>'
            "<script>window.memwallExplorer?.mount()</script>"
        )

    def _stills(self) -> str:
        """The charts without JavaScript; the first two, so that a page stays light."""

        def axis(chart: Any, which: str = "x") -> tuple[Any, Any, str, bool]:
            """A swept axis: its ends, (name, unit), the swept name, and whether in powers."""
            parametric = which == "x" and isinstance(chart.x, tuple)
            name = _name(chart.sweep if parametric else getattr(chart, which), "still")
            slider = self._sliders.get(name)
            ends = chart.sweep_range if parametric else getattr(chart, f"{which}_range")
            low, high = ends or (slider.low, slider.high)
            label = chart.x if parametric else getattr(chart, f"{which}_label")
            log = (slider.log if slider else True) if parametric else which in chart.log
            return (
                (self._number(low), self._number(high)),
                label or (slider.label, slider.unit), name, log,
            )  # fmt: skip

        def one(chart: Any, alt: str) -> str:
            own = isinstance(chart, Drawn)
            svg = (
                chart.still(self._number, self.text)
                if own
                else still.draw(chart, self._number, self.text, axis)
            )
            title = f"<p>{html.escape(self.text(chart.title))}</p>" if chart.title else ""
            label = html.escape(self.text(alt), quote=True)
            return title + svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)

        charts, alts = self._given["charts"], self._given["alt"]
        return "".join(one(c, alts[min(i, len(alts) - 1)]) for i, c in enumerate(charts[:2]))
