"""The audit of the lecture: one entry for each row of its ledger, computed by the library.

    python -m memwall.claims --format csv

A chapter's claims live in the module named after it. A claim is a function that calls
the library; beside it stand what the lecture (or the article that retells it) says,
and where in the book the answer is derived. The verdict follows from the numbers
unless the author has a reason, which is then printed.
"""

from __future__ import annotations

import html
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..core.units import InputError, human

CHAPTERS = {
    "B": (1, "batching"),
    "R": (2, "roofline"),
    "S": (3, "sparsity"),
    "M": (4, "racks"),
    "P": (5, "pipelining"),
    "X": (6, "pricing"),
    "L": (7, "scaling"),
    "F": (8, "feistel_revnet"),
}
VERDICTS = {
    "agrees": "within 5 %, or true as stated",
    "close": "within 30 %: a rounding aloud",
    "differs": "further off, or not true as stated",
    "outdated": "right when said, no longer",
    "qualitative": "no number was stated; we compute one",
    "prose": "nothing to compute; the chapter answers in words",
}
WITHIN_AGREES, WITHIN_CLOSE = 0.05, 0.30

_REGISTRY: dict[str, Claim] = {}


@dataclass(frozen=True)
class Claim:
    """One row of the ledger and its answer. `stated` is None where no number was given."""

    id: str
    statement: str
    stated: float | bool | None
    unit: str
    where: str
    reason: str
    given_verdict: str | None
    compute: Callable[[], Any] | None

    @property
    def chapter(self) -> int:
        return CHAPTERS[self.id[0]][0]

    def computed(self) -> float | bool | None:
        """The library's answer: a number in SI, True or False, or None for prose."""
        if self.compute is None:
            return None
        value = self.compute()
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
        if value is None:
            return "prose"
        if isinstance(value, bool):
            return "agrees" if value == (self.stated is not False) else "differs"
        if self.stated is None:
            return "qualitative"
        off = abs(value - self.stated) / max(abs(self.stated), 1e-300)
        return "agrees" if off <= WITHIN_AGREES else "close" if off <= WITHIN_CLOSE else "differs"


def claim(
    id: str,
    statement: str,
    *,
    where: str,
    stated: float | bool | None = None,
    unit: str = "1",
    verdict: str | None = None,
    reason: str = "",
) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Register the decorated function as the answer to ledger row `id`.

    `where` is notebook#heading, as in "01_batching#the-floor"; `unit` a symbol that `human`
    prints; `verdict` overrides the computed one and then needs a `reason`.
    """

    def register(function: Callable[[], Any]) -> Callable[[], Any]:
        _add(Claim(id, statement, stated, unit, where, reason, verdict, function))
        return function

    return register


def prose(id: str, statement: str, *, where: str, reason: str = "") -> None:
    """Register a ledger row that has nothing to compute."""
    _add(Claim(id, statement, None, "", where, reason, None, None))


def _add(entry: Claim) -> None:
    if entry.id[0] not in CHAPTERS or not entry.id[1:].isdigit():
        raise InputError(f"claim id {entry.id!r} is not a ledger row")
    if entry.id in _REGISTRY:
        raise InputError(f"claim {entry.id} is entered twice")
    if entry.given_verdict and (entry.given_verdict not in VERDICTS or not entry.reason):
        raise InputError(f"claim {entry.id}: verdict {entry.given_verdict!r} needs a reason and a name among {list(VERDICTS)}")  # fmt: skip
    _REGISTRY[entry.id] = entry


def all_claims() -> list[Claim]:
    """Every claim, in the ledger's order."""
    for _, name in CHAPTERS.values():
        importlib.import_module(f"{__name__}.{name}")
    letters = list(CHAPTERS)
    return sorted(_REGISTRY.values(), key=lambda c: (letters.index(c.id[0]), int(c.id[1:])))


def of_chapter(chapter: int) -> Table:
    """The claims of one chapter, as a table that notebooks display."""
    return Table([c for c in all_claims() if c.chapter == chapter])


def get(id: str) -> Claim:
    """The claim with that ledger id."""
    found = {c.id: c for c in all_claims()}
    if id not in found:
        raise InputError(f"no claim {id!r} in the ledger")
    return found[id]


def printed(value: float | bool | None, unit: str) -> str:
    """A claim's value for people: 'yes', '1.2 ms', or a dash for none."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if unit == "$/Mtok":
        return human(value * 1e-6, "$/token")
    return human(value, {"byte": "B", "byte/token": "B/token"}.get(unit, unit))


@dataclass(frozen=True)
class Table:
    """Claims as a table: HTML on a page, plain lines in a terminal."""

    claims: list[Claim]

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr id="claim-{c.id}" class="verdict-{c.verdict()}"><th scope="row">{c.id}</th>'
            f"<td>{html.escape(c.statement)}</td><td>{printed(c.stated, c.unit)}</td>"
            f"<td>{printed(c.computed(), c.unit)}</td>"
            f'<td><span class="verdict">{c.verdict()}</span> {html.escape(c.reason)}</td></tr>'
            for c in self.claims
        )
        return (
            '<div class="mw-claims" tabindex="0" role="region" aria-label="Claims of this chapter">'
            "<table><thead><tr><th>Row</th><th>The lecture says</th><th>Stated</th>"
            f"<th>Computed</th><th>Verdict</th></tr></thead><tbody>{rows}</tbody></table></div>"
        )

    def __repr__(self) -> str:
        return "\n".join(
            f"{c.id:4} {printed(c.computed(), c.unit):>16}  {c.verdict():12} {c.statement}"
            for c in self.claims
        )
