"""What a student's notebook may know about an answer: whether it is well formed, not whether it is right.

    check("q3", q3, unit="s", least="1 us", most="1 h")

reads the answer as the marker will and prints how: the value, its unit and dimension, whether
its size is of a plausible order. The range is the same for every student and wide; no key is
here or reachable from here.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

from .amounts import read_amount
from .cells import answers_in, chosen
from .choices import read_letter
from .expressions import read_formula
from .form import Form
from .grammar import GrammarError, dimension, dimension_text, kind_of, parse_unit
from .units import unit_complaint


def check(name: str, answer: Any, **form: Any) -> None:
    """Print what can be said about the form of an answer, and what the marker will see of it."""
    print(f"{name}: {report(answer, **form)}{_read_otherwise(name, answer)}")


def _read_otherwise(name: str, answer: Any) -> str:
    """A warning where the marker, which reads this cell and runs nothing, finds another answer in it."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    cells = shell.user_ns.get("In", [""]) if shell else [""]
    found = chosen(answers_in(cells[-1], [name])).get(name)
    if found is None:
        # the cell makes it in a way that only running would show
        made = rf"\b{name}\b(?!\"|'|\s*,\s*\w+\s*=(?!=))"
        own = re.sub(rf"check\(\s*[\"']{name}[\"']\s*,\s*{name}\b", "", cells[-1])
        if not re.search(made, own):
            return ""
        return f" But the marker runs nothing and finds no answer here: {_ADVICE.format(name=name)}"
    try:  # a bare number is read as it stands
        same = not isinstance(answer, str) and float(found.text) == answer
    except ValueError:
        same = False
    if same or found.text.split() == str(answer).split():
        return ""
    return f" But the marker runs nothing and reads {found.text[:60]!r} here: {_ADVICE.format(name=name)}"


_ADVICE = 'write the answer itself between quotes, {name} = "...", in one line.'


def report(
    answer: Any, *, symbols: Mapping[str, str] | None = None, options: str = "", **form: Any
) -> str:
    """What `check` prints, as a text."""
    if isinstance(answer, int | float) and not isinstance(answer, bool):
        answer = repr(answer)
    if not isinstance(answer, str):
        return "put your answer between the quotes."
    if not answer.strip():
        return "no answer yet."
    try:
        if options:
            return f"reads as option {read_letter(answer, options)}. Well formed."
        if symbols is not None:
            return _formula(answer, form.get("unit", ""), symbols)
        return _quantity(answer, Form(**form))
    except GrammarError as error:
        return f"it cannot be read: {error}."


def _formula(answer: str, unit: str, symbols: Mapping[str, str]) -> str:
    read = read_formula(answer, symbols, unit)
    shown = "" if read.text.split() == answer.split() else f" as {read.text[:120]}"
    try:
        found = dimension(
            read.tree, {name: parse_unit(of).dimension for name, of in symbols.items()}
        )
    except GrammarError as error:
        return f"it parses{shown}, but its units do not fit: {error}."
    asked = parse_unit(unit)
    if found is not None and found != asked.dimension:
        return f"it parses{shown}, but its unit comes out as {dimension_text(found)}; {kind_of(asked)} is asked."
    return f"it parses{shown}, and it is {kind_of(asked)}. Well formed."


def _quantity(answer: str, form: Form) -> str:
    read = read_amount(answer, form)
    given = read.quantity
    if complaint := unit_complaint(given.measure, form.measure, form.unit, form.binds):
        return f"it reads as a number. {complaint}"
    told = f"reads as {given.text()}"
    if read.other is not None:
        size = given.measure.size
        return f"{told}, and with a decimal comma as {read.other / size:g}: write {given.value / size:g} or {read.other / size:g}."
    if not form.plausible(given.value):
        least, most = form.least, form.most
        if form.whole and abs(given.value - round(given.value)) > 1e-6:
            return f"{told}, but a whole number is asked: round the way the story demands."
        return f"{told}, well formed, but of an implausible size: something between {least} and {most} is expected."
    return f"{told}. Well formed."
