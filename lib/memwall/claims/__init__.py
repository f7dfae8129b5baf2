"""The audit of the lecture: one row for each entry of its ledger, computed by the library.

    python -m memwall.claims --format csv

`claims.csv` holds what the lecture (or the article that retells it) says, its number if it gave
one, where in the book the answer is derived, and why the two differ. The answer to row R2 is the
function `r2_...` of the module of its chapter, which calls the library. The verdict follows from
the numbers unless the row gives one with its reason.
"""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ..core import chapters
from ..core.tables import read_csv
from ..core.units import InputError, human
from ..views import table as view

VERDICTS = {
    "agrees": "within 5 %, or true as stated",
    "close": "within 30 %: a rounding aloud",
    "differs": "further off, or not true as stated",
    "outdated": "right when said, no longer",
    "qualitative": "no number was stated; we compute one",
    "prose": "nothing to compute; the chapter answers in words",
}
WITHIN_AGREES, WITHIN_CLOSE = 0.05, 0.30


@dataclass(frozen=True)
class Claim:
    """One row of the ledger and its answer. `stated` is None where no number was given."""

    id: str
    statement: str
    stated: float | bool | None
    unit: str
    given_verdict: str
    where: str
    reason: str

    @classmethod
    def from_row(cls, row: Mapping[str, str]) -> Claim:
        """A line of `claims.csv`, refused if it is not well formed."""
        id, verdict = row["id"], row["verdict"]
        if not re.fullmatch("|".join(f"{c.letter}[1-9][0-9]*" for c in _audited()), id):
            raise InputError(f"claim id {id!r} is not a ledger row")
        if verdict and (verdict not in VERDICTS or not row["reason"]):
            raise InputError(f"claim {id}: verdict {verdict!r} needs a reason and a name among {list(VERDICTS)}")  # fmt: skip
        words: dict[str, bool | None] = {"": None, "true": True, "false": False}
        said = row["stated"]
        stated = words[said] if said in words else float(Fraction(said))
        return cls(id, row["statement"], stated, row["unit"], verdict, row["where"], row["reason"])

    @property
    def chapter(self) -> int:
        return chapters.chapter(self.id[0]).number

    def computed(self) -> float | bool | None:
        """The library's answer: a number in SI, True or False, or None for prose."""
        if self.given_verdict == "prose":
            return None
        value = answers()[self.id]()
        # a comparison of arrays or symbols arrives as their own boolean type
        if isinstance(value, bool) or type(value).__name__ in (
            "bool", "bool_", "BooleanTrue", "BooleanFalse",
        ):  # fmt: skip
            return bool(value)
        return float(value)

    def verdict(self) -> str:
        if self.given_verdict:
            return self.given_verdict
        value = self.computed()
        if isinstance(value, bool):
            return "agrees" if value == (self.stated is not False) else "differs"
        if value is None or self.stated is None:
            return "qualitative"
        off = abs(value - self.stated) / max(abs(self.stated), 1e-300)
        return "agrees" if off <= WITHIN_AGREES else "close" if off <= WITHIN_CLOSE else "differs"


def _audited() -> list[chapters.Chapter]:
    return [c for c in chapters.chapters() if c.letter]


@functools.cache
def _ledger() -> dict[str, Claim]:
    entries = [Claim.from_row(row) for row in read_csv(__name__, "claims.csv")]
    letters = [c.letter for c in _audited()]
    entries.sort(key=lambda c: (letters.index(c.id[0]), int(c.id[1:])))
    ledger = {c.id: c for c in entries}
    if len(ledger) < len(entries):
        raise InputError("a claim is entered twice")
    return ledger


@functools.cache
def answers() -> dict[str, Callable[[], Any]]:
    """The function that answers each row, by its id: `r2_three_hundred` answers R2."""
    found: dict[str, Callable[[], Any]] = {}
    for chapter in _audited():
        module = importlib.import_module(f"{__name__}.{chapter.slug}")
        for name, function in vars(module).items():
            id = re.match(rf"({chapter.letter.lower()}\d+)_", name)
            if id:
                if id[1].upper() in found:
                    raise InputError(f"claim {id[1].upper()} is answered twice")
                found[id[1].upper()] = function
    return found


def all_claims() -> list[Claim]:
    """Every claim, in the ledger's order."""
    return list(_ledger().values())


def assumptions() -> tuple[Mapping[str, str], ...]:
    """What the lecture's formulas take for granted: code, assumption, size of the error."""
    return read_csv(__name__, "assumptions.csv")


def of_chapter(chapter: int) -> Table:
    """The claims of one chapter, as a table that notebooks display."""
    return Table([c for c in all_claims() if c.chapter == chapter])


def get(id: str) -> Claim:
    """The claim with that ledger id."""
    if id not in _ledger():
        raise InputError(f"no claim {id!r} in the ledger")
    return _ledger()[id]


def stated(id: str) -> float:
    """The number that the lecture states in that row, for answers that compute with it."""
    value = get(id).stated
    if value is None:
        raise InputError(f"row {id} states no number")
    return value


def printed(value: float | bool | None, unit: str) -> str:
    """A claim's value for people: 'yes', '1.2 ms', or a dash for none."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if unit == "$/Mtok":
        return human(value * 1e-6, "$/token")
    return human(value, {"byte": "B", "byte/token": "B/token"}.get(unit, unit))


COLUMNS = ("Row", "The lecture says", "Stated", "Computed", "Verdict")


def row(claim: Claim, pages: str = "") -> tuple[Any, ...]:
    """A claim's cells under `COLUMNS`; with the folder of the pages its id leads to the answer."""
    page, _, anchor = claim.where.partition("#")
    verdict = claim.verdict()
    return (
        view.link(claim.id, f"{pages}{page}.html#{anchor}") if pages else claim.id,
        claim.statement,
        printed(claim.stated, claim.unit),
        printed(claim.computed(), claim.unit),
        view.beside(view.marked(verdict, f"verdict verdict-{verdict}"), claim.reason),
    )


@dataclass(frozen=True)
class Table:
    """Claims as a table: on a page folded under what they come to, plain lines in a terminal."""

    claims: list[Claim]

    def _repr_html_(self) -> str:
        attributes = (
            {"id": f"claim-{c.id}", "class": f"verdict-{c.verdict()}"} for c in self.claims
        )
        listed = view.table(
            COLUMNS, map(row, self.claims), label="Claims of this chapter", heads=True,
            kind="mw-claims", row_attributes=attributes,
        )._repr_html_()  # fmt: skip
        found = [c.verdict() for c in self.claims]
        counts = ", ".join(f"{found.count(v)} {v}" for v in VERDICTS if v in found)
        return f"<details><summary>{len(found)} claims: {counts}</summary>{listed}</details>"

    def __repr__(self) -> str:
        return "\n".join(
            f"{c.id:4} {printed(c.computed(), c.unit):>16}  {c.verdict():12} {c.statement}"
            for c in self.claims
        )
