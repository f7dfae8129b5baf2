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
from importlib import resources
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets

from ...core.algebra import variables
from ...core.nouns import suggest
from ...core.units import InputError, human
from . import still
from .calculator import Calculator
from .declarations import (
    Bar,
    Bars,
    Chart,
    Choice,
    Control,
    Curve,
    Declared,
    Dots,
    Drawn,
    Expr,
    Grid,
    Guide,
    Lines,
    Point,
    Preset,
    Readout,
    Region,
    Regions,
    Slider,
    Template,
    Toggle,
    Words,
    cases_of,
    key_of,
    name_of,
)
from .spec import Builder

__all__ = [
    "Bar", "Bars", "Chart", "Choice", "Curve", "Dots", "Drawn", "Explorer", "Expr", "Grid", "Guide", "Lines", "Point",
    "Preset", "Readout", "Region", "Regions", "Slider", "Template", "Toggle", "Words", "name_of", "variables",
]  # fmt: skip


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
        controls: Sequence[Control],
        chart: Chart | Sequence[Chart],
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
        charts = list(chart) if isinstance(chart, Sequence) else [chart]
        alts = [alt] if isinstance(alt, str) else list(alt)
        builder = Builder(controls, values or {}, dict(tables or {}), lets or {})
        self._given = Declared(id, title, alts, readouts, messages, charts, compare)
        spec = builder.build(self._given)
        self._sliders = builder.sliders
        self._calculate = Calculator(builder.tables, lets or {})
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
            key_of(r): self._words(r.cases) if isinstance(r, Words) else self._number(r.value)
            for r in self._given.readouts
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
        for condition, template in cases_of(list(cases), "text"):
            if bool(self._calculate(condition, self.values)):
                return re.sub(r"\{([^{}]*)\}", lambda m: self._printed(m[1]), template)
        return ""

    def _printed(self, key: str) -> str:
        """What stands for {key}: a readout, a list's option, or a variable."""
        for r in self._given.readouts:
            if key_of(r) == key:
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
        alt = " ".join(map(self.text, self._given.alts))
        folder = os.environ.get("MEMWALL_CHECKS")  # set while the book is built
        if folder:
            checks = json.dumps(self.checks())
            Path(folder, f"{self._given.id}.json").write_text(checks, encoding="utf-8")
        return data | {"text/html": self.html(), "text/plain": alt}, metadata

    def html(self) -> str:
        """The figure for a page: a still, and the spec from which explorer.js makes it live."""
        spec = json.dumps(self.spec, ensure_ascii=False, separators=(",", ":"))
        spec = spec.replace("<", "\\u003c")  # so that no text can end the script element
        numbers = [
            f"{r.label}: {self._printed(key_of(r))}" for r in self._given.readouts if r.label
        ]
        caption = ". ".join([self.text(self._given.title), *numbers])
        return (
            f'<div class="mw-explorer" id="explorer-{self._given.id}">'
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
            name = name_of(chart.sweep if parametric else getattr(chart, which), "still")
            slider = self._sliders.get(name)
            ends = chart.sweep_range if parametric else getattr(chart, f"{which}_range")
            label = chart.x if parametric else getattr(chart, f"{which}_label")
            if slider:  # says what the chart does not
                ends, label = (
                    ends or (slider.low, slider.high),
                    label or (slider.label, slider.unit),
                )
            log = (slider.log if slider else True) if parametric else which in chart.log
            return (self._number(ends[0]), self._number(ends[1])), label, name, log

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

        charts, alts = self._given.charts, self._given.alts
        return "".join(one(c, alts[min(i, len(alts) - 1)]) for i, c in enumerate(charts[:2]))
