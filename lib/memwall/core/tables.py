"""Tables of text: one way to read a CSV file that comes with the library, one way to write one."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import resources
from os import PathLike
from typing import IO, Any


def read_csv(package: str, name: str) -> tuple[dict[str, str], ...]:
    """The rows of a CSV file inside a package, as dictionaries of text.

    >>> [row["slug"] for row in read_csv("memwall.core", "chapters.csv")][:2]
    ['batching', 'roofline']
    """
    text = resources.files(package).joinpath(name).read_text(encoding="utf-8")
    return tuple(csv.DictReader(io.StringIO(text, newline="")))


def write_csv(
    file: str | PathLike[str] | IO[str],
    rows: Iterable[Mapping[str, Any] | Sequence[Any]],
    columns: Iterable[str] | None = None,
    delimiter: str = ",",
    number: Callable[[float], str] = repr,
) -> None:
    """Write rows, each a dictionary or the values in the order of the columns, under one header.

    columns: left out, they are the keys of the first row, which must then be a dictionary. A key
    that a row lacks is an empty cell; one that is no column is left out. number: how a float is
    printed, all its digits if not said.

    >>> import sys
    >>> write_csv(sys.stdout, [{"batch": 1, "seconds": 0.02}, {"batch": 2}])
    batch,seconds
    1,0.02
    2,
    """
    if isinstance(file, str | PathLike):
        with open(file, "w", encoding="utf-8", newline="") as opened:
            write_csv(opened, rows, columns, delimiter, number)
        return
    rows = list(rows)
    columns = list(columns if columns is not None else rows[0] if rows else ())
    out = csv.writer(file, lineterminator="\n", delimiter=delimiter)
    out.writerow(columns)
    for row in rows:
        values = [row.get(c, "") for c in columns] if isinstance(row, Mapping) else row
        out.writerow([number(float(v)) if isinstance(v, float) else v for v in values])
