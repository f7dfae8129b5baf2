"""Tables that travel: read as spreadsheets save them, written so that spreadsheets compute nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memwall.core import tables
from memwall.core.units import InputError


def printable(text: str, most: int = 300) -> str:
    """A stranger's text for a terminal, a table or a page: nothing invisible, nothing endless."""
    shown = "".join(
        c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode()
        for c in text[:most]
    )
    shown = shown.encode("utf-8", "backslashreplace").decode()
    return shown + ("…" if len(text) > most else "")


def number(value: float) -> float | int:
    """A number of points as people write it: 3, 2.5."""
    return int(value) if value == int(value) else round(value, 2)


# ---------------------------------------------------------------- reading


@dataclass(frozen=True)
class Table:
    """A table as a spreadsheet saved it: its header, its rows with their line, and what parts cells."""

    header: list[str]
    rows: list[tuple[int, list[str]]]
    delimiter: str

    def lines(self) -> list[dict[str, str]]:
        """Each row as a dictionary by column."""
        return [dict(zip(self.header, cells, strict=False)) for _, cells in self.rows]


def read_table(path: Path) -> Table:
    """A CSV file in what spreadsheets make of it: commas, semicolons or tabs; UTF-8, UTF-16 or Windows."""
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")
    first = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        lines = [(rows.line_num, [cell.strip() for cell in row]) for row in rows]
    except csv.Error as error:
        raise InputError(f"{path} is no CSV: {error}") from None
    lines = [(number, row) for number, row in lines if any(row)]
    header = lines.pop(0)[1] if lines else []
    return Table(header, lines, delimiter)


# ---------------------------------------------------------------- writing


def safe_cell(value: Any) -> Any:
    """A cell that a spreadsheet shows and never computes: =cmd|... becomes '=cmd|..."""
    if not isinstance(value, str):
        return value
    text = printable(value, 2000)
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠", "|", "%", "\\t", "\\r")) else text  # fmt: skip


def as_typed(cell: str) -> str:
    """A cell without the mark that `safe_cell` put before it."""
    return cell[1:] if cell.startswith("'") and safe_cell(cell[1:]) == cell else cell


def write_csv(
    path: Path, header: list[str], rows: Iterable[list[Any]], delimiter: str = ","
) -> None:
    """A table for spreadsheets: UTF-8 with a mark that makes Excel see it, every text harmless."""
    safe = ([safe_cell(cell) for cell in row] for row in rows)
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        tables.write_csv(file, safe, [safe_cell(h) for h in header], delimiter, number=str)
