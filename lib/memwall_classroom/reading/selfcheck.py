"""What a student's notebook may know about an answer: whether it is well formed, not whether it is right.

    check("q3", q3, unit="s", least="1 us", most="1 h")

reads the answer with the marker's own grammar and prints whether it parses, which unit and
dimension it has, and whether its size is of a plausible order. The range is the same for
every student and wide; no key is here or reachable from here.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from ..marking.submissions import answers_in
from .answers import unit_complaint
from .grammar import (
    GrammarError,
    dimension,
    dimension_text,
    kind_of,
    parse_formula,
    parse_quantity,
    parse_unit,
)


def check(name: str, answer: Any, **form: Any) -> None:
    """Print what can be said about the form of an answer."""
    print(f"{name}: {report(answer, **form)}{_read_otherwise(name, answer)}")


def _read_otherwise(name: str, answer: Any) -> str:
    """A warning where the marker, which reads this cell and runs nothing, finds another answer in it."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    cells = shell.user_ns.get("In", [""]) if shell else [""]
    found = list(answers_in(cells[-1], [name]))
    if not found:
        return ""
    read = found[-1][1]
    try:  # a bare number is read as it stands
        same = not isinstance(answer, str) and float(read) == answer
    except ValueError:
        same = False
    if same or read.split() == str(answer).split():
        return ""
    return (
        f" But the marker runs nothing and reads {read[:60]!r} here: write the answer itself between "
        f'quotes, {name} = "...", in one line.'
    )


def report(
    answer: Any,
    *,
    unit: str = "",
    least: str = "",
    most: str = "",
    symbols: Mapping[str, str] | None = None,
    options: str = "",
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
            return _choice(answer, options)
        if symbols is not None:
            return _formula(answer, unit, symbols)
        return _quantity(answer, unit, least, most)
    except GrammarError as error:
        return f"it cannot be read: {error}."


def _choice(answer: str, options: str) -> str:
    letter = answer.strip().strip("().").upper()
    if len(letter) == 1 and letter in options:
        return f"reads as option {letter}. Well formed."
    return f"one letter is asked, {options[0]} to {options[-1]}."


def _formula(answer: str, unit: str, symbols: Mapping[str, str]) -> str:
    tree = parse_formula(answer, symbols)
    try:
        found = dimension(tree, {name: parse_unit(of).dimension for name, of in symbols.items()})
    except GrammarError as error:
        return f"it parses, but its units do not fit: {error}."
    asked = parse_unit(unit)
    if found is not None and found != asked.dimension:
        return f"it parses, but its unit comes out as {dimension_text(found)}; {kind_of(asked)} is asked."
    return f"it parses, and it is {kind_of(asked)}. Well formed."


def _quantity(answer: str, unit: str, least: str, most: str) -> str:
    given = parse_quantity(answer)
    if complaint := unit_complaint(given.measure, parse_unit(unit), unit):
        return f"it reads as a number. {complaint}"
    told = f"reads as {given.value / given.measure.size:g} {given.unit}".strip()
    low, high = parse_quantity(least).value, parse_quantity(most).value
    if not low <= given.value <= high:
        return f"{told}, well formed, but of an implausible size: something between {least} and {most} is expected."
    return f"{told}. Well formed."
