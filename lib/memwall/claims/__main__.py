"""Print the audit of the lecture: python -m memwall.claims [--format csv|text] [--chapter N]."""

from __future__ import annotations

import argparse
import csv
import sys

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
    parser.add_argument("--chapter", type=int, choices=range(1, 9))
    options = parser.parse_args()
    chosen = [c for c in all_claims() if options.chapter in (None, c.chapter)]
    if options.format == "text":
        print(Table(chosen))
        return
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(COLUMNS)
    for c in chosen:
        out.writerow(
            [c.id, c.chapter, c.statement, plain(c.stated), plain(c.computed()), c.unit,
             c.verdict(), c.where]
        )  # fmt: skip


if __name__ == "__main__":
    main()
