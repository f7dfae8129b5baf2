"""Print the audit of the lecture: python -m memwall.claims [--format csv|text] [--chapter N]."""

from __future__ import annotations

import argparse
import sys

from ..core.chapters import chapters
from ..core.tables import write_csv
from . import Table, all_claims

COLUMNS = ("id", "chapter", "claim", "stated", "computed", "unit", "verdict", "where")


def plain(value: float | bool | None) -> str:
    """A number with all its digits, true or false, or nothing."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else repr(float(value))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m memwall.claims", description=__doc__)
    parser.add_argument("--format", choices=("text", "csv"), default="text")
    parser.add_argument("--chapter", type=int, choices=[c.number for c in chapters() if c.letter])
    options = parser.parse_args()
    chosen = [c for c in all_claims() if options.chapter in (None, c.chapter)]
    if options.format == "text":
        print(Table(chosen))
        return
    rows = [
        (c.id, c.chapter, c.statement, plain(c.stated), plain(c.computed()), c.unit, c.verdict(), c.where)
        for c in chosen
    ]  # fmt: skip
    write_csv(sys.stdout, rows, COLUMNS)


if __name__ == "__main__":
    main()
