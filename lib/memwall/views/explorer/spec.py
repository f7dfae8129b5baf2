"""From declarations to the JSON that explorer.js reads, every name checked on the way."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import sympy

from ...core.algebra import javascript
from ...core.nouns import Noun, Unknown, suggest
from ...core.units import InputError, stands_with_number
from .. import figures
from .declarations import (
    Bars,
    Chart,
    Choice,
    Control,
    Declared,
    Dots,
    Drawn,
    Expr,
    Grid,
    Lines,
    Preset,
    Readout,
    Regions,
    Slider,
    Template,
    Toggle,
    Words,
    cases_of,
    key_of,
    name_of,
)


class Builder:
    """Turns declarations into the JSON that explorer.js reads, checking every name on the way.

    An expression becomes {"js": source}, or {"js": source, "over": symbol} where a chart sweeps it.
    """

    def __init__(
        self, controls: Sequence[Control], constants: Mapping[Any, float], tables: Mapping[str, Any],
        lets: Mapping[Any, Expr],
    ) -> None:  # fmt: skip
        self.controls, self.tables = controls, tables
        # an expression that others share, and its source once something needs it
        self.lets: dict[str, list[Any]] = {name_of(k, "lets"): [x, ""] for k, x in lets.items()}
        self.keys: list[str] = []  # of the readouts
        self.used: set[str] = set()  # variables that some expression needs
        self.own: set[str] = set()  # swept names that need no control
        self.constants = {name_of(k, "values"): float(x) for k, x in constants.items()}
        self.sliders = {name_of(c.symbol, c.label): c for c in controls if isinstance(c, Slider)}
        self.lists: dict[str, dict[str, dict[str, Any]]] = {}
        self.settable = set(self.constants)
        for c in controls:
            if isinstance(c, Preset):
                self.lists[c.label] = {option: self.assignment(c, option) for option in c.options}
            elif isinstance(c, Choice):
                name = name_of(c.symbol, c.label)
                self.lists[c.label] = {option: {name: float(x)} for option, x in c.options.items()}
            elif isinstance(c, Slider | Toggle):
                self.settable.add(name_of(c.symbol, c.label))
            else:
                raise InputError(f"{c!r} is no control: Slider, Choice, Toggle or Preset")
        for label, options in self.lists.items():
            default = str(next(c.default for c in controls if c.label == label))
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
            return {name_of(k, preset.label): float(x) for k, x in given.items()}
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
        return [[self.code(c, owner), self.text(t, owner)] for c, t in cases_of(template, owner)]

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
        slider = self.sliders.get(name_of(symbol, owner))
        if slider is None:
            if range_ is None or label is None:
                raise InputError(
                    f"{owner}: {symbol} has no slider, so the chart needs its label and range"
                )
            return self.axis(label, log, range_, owner)
        return self.axis(
            label or (slider.label, slider.unit), log, range_ or (slider.low, slider.high), owner
        )

    def marks(self, items: Sequence[Any], owner: str, *own: str) -> list[dict[str, Any]]:
        """Curves, points, guides, bars, regions: a label, a kind and expressions."""
        made = []
        for item in items:
            where = f"{owner}, {type(item).__name__.lower()} {item.label!r}"
            mark: dict[str, Any] = {
                "label": self.text(item.label, where), "kind": self.kind(item.kind, where),
            }  # fmt: skip
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

    def chart(self, chart: Chart, owner: str) -> dict[str, Any]:
        match chart:
            case Lines():
                made = self.lines(chart, owner)
            case Bars():
                made = self.bars(chart, owner)
            case Regions():
                made = self.regions(chart, owner)
            case Grid():
                made = self.grid(chart, owner)
            case Drawn():
                made = chart.build(self, owner)
            case _:
                raise InputError(f"{owner}: {chart!r} is no chart: Lines, Bars, Regions or Grid")
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
        sweep, log = name_of(symbol, owner), "x" in chart.log
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
        x, y = name_of(chart.x, owner), name_of(chart.y, owner)
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
        key = key_of(r)
        if isinstance(r, Words):
            return {"key": key, "label": r.label, "words": self.cases(r.cases, f"words {key!r}")}
        where = f"readout {r.label!r}"
        made = {"key": key, "label": r.label, "unit": r.unit, "value": self.code(r.value, where)}
        if (r.low is None) != (r.high is None):
            raise InputError(f"{where}: a band has two ends, low= and high=")
        if r.low is not None:
            made |= {"low": self.code(r.low, where), "high": self.code(r.high, where)}
        return made | ({"link": r.link} if r.link else {})

    def build(self, given: Declared) -> dict[str, Any]:
        self.keys = [key_of(r) for r in given.readouts]
        if len(set(self.keys)) < len(self.keys):
            raise InputError(f"two readouts share a key: {sorted(self.keys)}")
        spec: dict[str, Any] = {
            "id": given.id,
            "title": self.cases(given.title, "title"),
            "alt": [self.text(alt, "alt") for alt in given.alts],
            "readouts": [self.readout(r) for r in given.readouts],
            "messages": [self.cases([c], "message")[0] for c in given.messages],
            "charts": [self.chart(c, f"chart {i}") for i, c in enumerate(given.charts, 1)],
        }
        spec["controls"], spec["values"] = self.finish_controls()
        spec["own"] = sorted(self.own - set(spec["values"]))
        # what stands later may mention what stands earlier, so the page takes the last first
        spec["lets"] = [[name, js] for name, (_, js) in reversed(self.lets.items()) if js]
        spec["tables"] = {name: _packed(table) for name, table in self.tables.items()}
        return spec | ({"compare": True} if given.compare else {})

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
            name = name_of(c.symbol, c.label)
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
