"""A bar on the terminal while something long goes on."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def progress(
    things: Iterable[T], label: str, quiet: bool = False, total: int | None = None
) -> Iterator[T]:
    """The things, one by one, with a bar on the terminal (a single line where there is none)."""
    if total is None:
        things = list(things)
        total = len(things)
    live = sys.stderr.isatty() and not quiet
    for i, thing in enumerate(things):
        yield thing
        if live:
            bar = "#" * (30 * (i + 1) // total)
            print(f"\r{label} [{bar:.<30}] {i + 1}/{total}", end="", file=sys.stderr, flush=True)
    if live:
        print(file=sys.stderr)
    elif not quiet:
        print(f"{label}: {total} done", file=sys.stderr)
