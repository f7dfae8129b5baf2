"""Scores in the columns that learning platforms import: Canvas and Moodle.

Both take CSV and match students by columns of their own, which the roster may bring along
(`canvas_id`, `sis_user_id`, `sis_login_id`, `section`, `email`, `first_name`, `last_name`). What is
held, broken or excused is an empty cell: no platform then writes a zero. Gradescope imports no
scores; its downloads are read, and that is all.
"""

from __future__ import annotations

from typing import Any

from memwall.core.nouns import suggest
from memwall.core.units import InputError

from .rows import Class, Row

Table = tuple[list[str], list[list[Any]]]


def tables(lms: str, marked: Class) -> dict[str, Table]:
    """The files for one of the platforms, by name."""
    if lms not in FORMATS:
        raise InputError(
            f"no columns known for {lms!r}; known: {', '.join(FORMATS)}.{suggest(lms, FORMATS)}"
        )
    made = FORMATS[lms]
    return {name: build(marked) for name, build in made.items()}


def _cells(row: Row) -> list[Any]:
    return [row.total if row.counts else "", *row.cells()]


def _titles(marked: Class) -> list[tuple[str, int]]:
    """The total and each question: column title and points."""
    set = marked.set
    each = [(f"{set.name} {label}", q.points) for label, q in set.labels().items()]
    return [(f"{set.name} total", set.points + set.hand_points), *each]


def canvas(marked: Class) -> Table:
    """Canvas gradebook: five columns that name a student, a row of points possible, then scores."""
    titles = _titles(marked)
    header = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *(t for t, _ in titles)]
    rows: list[list[Any]] = [["    Points Possible", "", "", "", "", *(p for _, p in titles)]]
    for row in marked.rows:
        student = row.student
        first, last = student.first_last()
        rows.append([
            f"{last}, {first}" if last else student.name or student.id, student.column("canvas_id"),
            student.column("sis_user_id", "sis_id"),
            student.column("sis_login_id", "login") or student.column("email") or student.id,
            student.column("section"), *_cells(row),
        ])  # fmt: skip
    return header, rows


def moodle(marked: Class) -> Table:
    """Moodle grade import: mapped by e-mail address or ID number; status as feedback."""
    header = [
        "First name",
        "Last name",
        "ID number",
        "Email address",
        *(t for t, _ in _titles(marked)),
    ]
    rows = [
        [
            *r.student.first_last(),
            r.student.id,
            r.student.column("email"),
            *_cells(r),
            (r.reason or r.status) + (f"; without {', '.join(r.lacks())}" if r.lacks() else ""),
        ]
        for r in marked.rows
    ]
    return [*header, f"{marked.set.name} feedback"], rows


def canvas_total(marked: Class) -> Table:
    """The same with the total alone, for a gradebook with one column a set."""
    header, rows = canvas(marked)
    return header[:6], [row[:6] for row in rows]


FORMATS: dict[str, dict[str, Any]] = {
    "canvas": {"scores_canvas.csv": canvas, "scores_canvas_total.csv": canvas_total},
    "moodle": {"scores_moodle.csv": moodle},
    "gradescope": {},
}
