"""The chapters of the book: number, question, the modules each is made of, the letter of its claims.

Contents page, README, scorecard, reference, front page and mutation check read this table or are
tested against it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from .tables import read_csv
from .units import InputError


@dataclass(frozen=True)
class Chapter:
    """One row of `chapters.csv`; `letter` is empty where the lecture's ledger has no rows."""

    number: int
    slug: str
    title: str
    question: str
    modules: tuple[str, ...]
    letter: str
    picture: str

    @property
    def page(self) -> str:
        """Its notebook and page, without folder and ending: 01_batching."""
        return f"{self.number:02d}_{self.slug}"

    @property
    def plain_question(self) -> str:
        """The question without marks of emphasis."""
        return self.question.replace("*", "")


@functools.cache
def chapters() -> tuple[Chapter, ...]:
    """Every chapter, in the book's order."""
    return tuple(
        Chapter(
            int(r["number"]), r["slug"], r["title"], r["question"], tuple(r["modules"].split()),
            r["letter"], r["picture"],
        )
        for r in read_csv(__package__, "chapters.csv")
    )  # fmt: skip


def chapter(known: int | str) -> Chapter:
    """The chapter of that number, with that letter of claims, or that teaches that module.

    >>> chapter(8).title, chapter("R").page, chapter("moe").number
    ('Feistel and RevNet', '02_roofline', 3)
    """
    for one in chapters():
        if known in (one.number, *one.modules) or (known and known == one.letter):
            return one
    raise InputError(f"no chapter {known!r}: numbers run from 1 to {len(chapters())}")
