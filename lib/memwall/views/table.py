"""Tables for readers: rows of text, drawn as HTML in a page, as Markdown, or in a terminal.

    table(("part", "bytes"), [("weights", human(2e12, "B")), ("caches", human(3e11, "B"))])

Text is text: nothing in it is read as HTML or Markdown. What should be more than text says so:
`strong`, `code`, `link`, `math`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..core.units import InputError

# so many columns a phone has no room for beside each other, and still room for below each other
FOLDED = range(4, 9)


@dataclass(frozen=True)
class Cell:
    """What stands in a cell, in each of the three ways of showing it."""

    html: str
    markdown: str
    text: str


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)


def cell(value: Any) -> Cell:
    """A value as a cell: as it stands, and nothing for None."""
    if isinstance(value, Cell):
        return value
    text = "" if value is None else str(value)
    plain = re.sub(r"([\\`*_$|\[\]<>])", r"\\\1", " ".join(text.split()))
    return Cell(_escaped(text), plain, text)


def strong(value: Any) -> Cell:
    """In bold."""
    c = cell(value)
    return Cell(f"<b>{c.html}</b>", f"**{c.markdown}**", c.text)


def code(value: Any) -> Cell:
    """In the typeface of code."""
    c = cell(value)
    return Cell(f"<code>{c.html}</code>", f"`{c.text}`", c.text)


def link(value: Any, address: str) -> Cell:
    """Leading somewhere."""
    c = cell(value)
    return Cell(
        f'<a href="{html.escape(address)}">{c.html}</a>', f"[{c.markdown}]({address})", c.text
    )


def linked(text: str) -> Cell:
    """Text whose web addresses lead there."""
    found = re.sub(r"(https?://[^\s;,)&]+)", r'<a href="\1">\1</a>', _escaped(text))
    return Cell(found, text, text)


def math(latex: str) -> Cell:
    """Typeset as mathematics."""
    drawn = f'<span class="math notranslate nohighlight">\\({_escaped(latex)}\\)</span>'
    return Cell(drawn, f"${latex}$", latex)


def marked(value: Any, kind: str) -> Cell:
    """A word that the style sheet colours by its kind."""
    c = cell(value)
    return Cell(f'<span class="{kind}">{c.html}</span>', c.markdown, c.text)


def beside(*values: Any) -> Cell:
    """Several things in one cell, a space apart."""
    all_ = [cell(v) for v in values]
    ways = (" ".join(filter(None, way)) for way in zip(*((c.html, c.markdown, c.text) for c in all_), strict=True))  # fmt: skip
    return Cell(*ways)


def _attributes(given: Mapping[str, Any]) -> str:
    return "".join(f' {name}="{html.escape(str(value))}"' for name, value in given.items())


@dataclass(frozen=True)
class Table:
    """Rows under a header; made by `table`."""

    columns: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""
    label: str = ""
    heads: bool = False
    notes: tuple[str, ...] = ()
    kind: str = "mw-table"
    id: str = ""
    row_attributes: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)

    def _repr_html_(self) -> str:
        # heads for all cells after the first, or for none
        named = len({bool(c.text) for c in self.columns[1:]}) == 1
        folds = self.kind == "mw-table" and len(self.columns) in FOLDED and named

        def row(cells: Sequence[Cell], attributes: Mapping[str, Any]) -> str:
            drawn = ""
            for i, (c, head) in enumerate(zip(cells, self.columns, strict=True)):
                # on a phone a row of many cells is a card, each cell after its head
                said = {"data-head": head.text} if folds and head.text else {}
                tag, scope = ("th", {"scope": "row"}) if self.heads and not i else ("td", {})
                drawn += f"<{tag}{_attributes(scope | said)}>{c.html}</{tag}>"
            return f"<tr{_attributes(attributes)}>{drawn}</tr>"

        # an empty corner heads nothing
        head = "".join(f'<th scope="col">{c.html}</th>' if c.html else "<td></td>" for c in self.columns)  # fmt: skip
        attributes = self.row_attributes or ({},) * len(self.rows)
        body = "".join(map(row, self.rows, attributes))
        caption = f"<caption>{_escaped(self.caption)}</caption>" if self.caption else ""
        notes = "".join(f"<p>{_escaped(note)}</p>" for note in self.notes)
        kind = f"{self.kind} mw-folds" if folds else self.kind
        region = {"class": kind, "tabindex": 0, "role": "region"}
        region["aria-label"] = (
            self.label or self.caption or ", ".join(filter(None, (c.text for c in self.columns)))
        )
        return (
            f"<div{_attributes(region)}><table{_attributes({'id': self.id} if self.id else {})}>{caption}"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}</div>"
        )

    def _repr_markdown_(self) -> str:
        def line(cells: Iterable[str]) -> str:
            return f"| {' | '.join(cells)} |"

        lines = [line(c.markdown for c in self.columns), line("---" for _ in self.columns)]
        lines += [line(c.markdown for c in row) for row in self.rows]
        above = [f"{cell(self.caption).markdown}\n"] if self.caption else []
        return "\n".join([*above, *lines, *(f"\n{cell(note).markdown}" for note in self.notes)])

    def __repr__(self) -> str:
        lines = [[c.text for c in cells] for cells in (self.columns, *self.rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        text = ("  ".join(t.ljust(w) for t, w in zip(row, widths, strict=True)) for row in lines)
        return "\n".join([*filter(None, [self.caption]), *(t.rstrip() for t in text), *self.notes])


def table(
    columns: Iterable[Any] | None,
    rows: Iterable[Sequence[Any] | Mapping[str, Any]],
    caption: str = "",
    *,
    label: str = "",
    heads: bool = False,
    notes: Iterable[str] = (),
    kind: str = "mw-table",
    id: str = "",
    row_attributes: Iterable[Mapping[str, Any]] = (),
) -> Table:
    """Rows under their heads, each the values in the order of the columns, or a dictionary by column.

    columns: None for the keys of the first row. caption: said above it; label: what a
    screen reader calls it, if neither that nor its columns. heads: the first cell of a row names the row. notes:
    sentences below. kind: the style sheet's class; id and row_attributes: what scripts find it by.

    >>> print(table(("name", "value"), [("a", 1), ("bc", None)]))
    name  value
    a     1
    bc
    """
    rows = list(rows)
    if columns is None:
        columns = rows[0].keys() if rows and isinstance(rows[0], Mapping) else ()
    columns = tuple(columns)
    made = []
    for row in rows:
        values = [row.get(c) for c in columns] if isinstance(row, Mapping) else list(row)
        if len(values) != len(columns):
            raise InputError(f"a row of {len(values)} cells under {len(columns)} columns: {values}")
        made.append(tuple(map(cell, values)))
    return Table(
        tuple(map(cell, columns)), tuple(made), caption, label, heads, tuple(notes), kind, id,
        tuple(row_attributes),
    )  # fmt: skip
