"""Scores in the columns that learning platforms import: Canvas, Moodle, Gradescope.

All three take CSV and match students by columns of their own, which the roster may bring along
(`canvas_id`, `sis_user_id`, `sis_login_id`, `section`, `email`, `first_name`, `last_name`). A
platform asks on import which columns to take: usually the total, and not each question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from memwall.core.nouns import suggest
from memwall.core.units import InputError

if TYPE_CHECKING:
    from .grading import Class, Row

Table = tuple[list[str], list[list[Any]]]


def table(lms: str, marked: Class) -> Table:
    """Header and rows for one of the platforms."""
    if lms not in FORMATS:
        raise InputError(
            f"no columns known for {lms!r}; known: {', '.join(FORMATS)}.{suggest(lms, FORMATS)}"
        )
    return FORMATS[lms](marked)


def _cells(row: Row) -> list[Any]:
    return [row.total, *row.cells()]


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
            r.reason or r.status,
        ]
        for r in marked.rows
    ]
    return [*header, f"{marked.set.name} feedback"], rows


def gradescope(marked: Class) -> Table:
    """The columns of Gradescope's own score export."""
    titles = _titles(marked)
    header = [
        "First Name", "Last Name", "SID", "Email", "Sections", "Total Score", "Max Points", "Status",
        *(f"{i}: {t} ({p:.1f} pts)" for i, (t, p) in enumerate(titles[1:], start=1)),
    ]  # fmt: skip
    rows = []
    for row in marked.rows:
        total, *each = _cells(row)
        status = "Missing" if row.status == "missing" else "Graded"
        person = [*row.student.first_last(), row.student.id, row.student.column("email")]
        rows.append([*person, row.student.column("section"), total, titles[0][1], status, *each])
    return header, rows


FORMATS = {"canvas": canvas, "moodle": moodle, "gradescope": gradescope}
