"""What a term brings: due dates and late days, extensions, students who are excused, second attempts."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from memwall.core.units import InputError

from .rows import Row
from .tables import as_typed, read_table

MAX_ATTEMPTS = 5
YES = {"yes", "y", "x", "1", "true"}


@dataclass(frozen=True)
class Agreed:
    """What was agreed with one student about one set (or all of them)."""

    excused: bool = False
    extension: float = 0.0  # days
    late: int | None = None  # days, where the file's own time is wrong
    note: str = ""


@dataclass(frozen=True)
class Term:
    """The rules for one set: when it was due, what a day costs, which attempt counts."""

    due: datetime | None = None
    per_day: float = 0.1  # of the total
    counts: str = "better"  # or last
    exceptions: dict[str, Agreed] = field(default_factory=dict)

    def apply(self, row: Row) -> None:
        """Excuse a student, or take off what lateness costs."""
        agreed = self.exceptions.get(row.student.id.lower(), Agreed())
        if agreed.note:
            row.notes.append(agreed.note)
        if agreed.excused:
            row.status, row.reason = "excused", agreed.note or "excused"
            return
        if row.status != "marked":
            return
        row.late = self._late(row, agreed)
        row.penalty = min(row.late * self.per_day, 1.0)
        if row.late:
            row.notes.append(
                f"{row.late} day{'s' if row.late > 1 else ''} late: {row.penalty:.0%} off"
            )

    def _late(self, row: Row, agreed: Agreed) -> int:
        if agreed.late is not None:
            return agreed.late
        if self.due is None or not row.saved:
            return 0
        days = (row.saved - self.due.timestamp()) / 86400 - agreed.extension
        return max(math.ceil(days), 0)


def read_due(text: str) -> datetime:
    """A date, or a date and a time, as the class's clock has it; a date alone lasts to its end."""
    try:
        due = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text[:40]!r} is no date: 2026-03-31, or 2026-03-31T18:00") from None
    return due if len(text) > len("2026-03-31") else due.replace(hour=23, minute=59, second=59)


def read_exceptions(path: Path, set_name: str) -> dict[str, Agreed]:
    """What was agreed about a set, from a table with a column student; nothing if there is no such file."""
    if not path.is_file():
        return {}
    table = read_table(path)
    known = ("student", "set", "excused", "extension_days", "late_days", "note")
    header = [h.lower().replace(" ", "_") for h in table.header]
    if "student" not in header or not {*header} & {*known[2:5]}:
        raise InputError(f"{path} wants the columns {', '.join(known)}; it has {', '.join(header)}")
    found = {}
    for number, cells in table.rows:
        line = {k: as_typed(v) for k, v in zip(header, cells, strict=False)}
        if line.get("set", "") not in ("", set_name):
            continue
        try:
            late = line.get("late_days", "")
            found[line["student"].lower()] = Agreed(
                line.get("excused", "").lower() in YES,
                float((line.get("extension_days") or "0").replace(",", ".")),
                int(late) if late else None,
                line.get("note", ""),
            )
        except ValueError:
            raise InputError(f"{path} line {number}: days are numbers") from None
    return found
