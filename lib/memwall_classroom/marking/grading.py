"""Marking a class: from a folder of notebooks to scores, pages of feedback and a list to mark by hand.

Each student of the roster gets one row, whatever was handed in: marked, missing, broken (the
file cannot be read), excused, or held (somebody should look: it carries another student's paper,
or there are two different files). A broken or hostile file costs its owner's row a reason, never the batch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from memwall.core.units import InputError

from ..reading.answers import BLANK, Verdict
from . import feedback
from .course import Roster, Student
from .entered import merge_decisions, merge_hand
from .lms import tables as lms_tables
from .progress import progress
from .rows import Class, Row
from .sets import Item, ProblemSet
from .submissions import (
    MAX_BYTES,
    Broken,
    Submission,
    find_submissions,
    is_notebook,
    read_submission,
)
from .tables import printable, write_csv
from .term import MAX_ATTEMPTS, Term

MAX_TRIES = 12  # files of one student that are opened
FOREIGN = 3  # papers with stamps that are not ours: from so many on the seed is doubted


# ---------------------------------------------------------------- one student


def stamps_of(set: ProblemSet, student: Student, seed: bytes) -> dict[str, int]:
    """The stamps of a student's papers, and which attempt each belongs to."""
    return {set.stamp(student.id, seed, n): n for n in range(1, MAX_ATTEMPTS + 1)}


def mark_student(
    student: Student, files: list[Path], set: ProblemSet, seed: bytes,
    owners: Mapping[str, str] | None = None, max_bytes: int = MAX_BYTES, term: Term | None = None,
) -> Row:  # fmt: skip
    """Mark one student's files against the student's own papers; `owners` maps stamps to ids."""
    term = term or Term()
    row = Row(student, set.paper(student.id, seed))
    read = _read(row, files, max_bytes)
    attempts = stamps_of(set, student, seed)
    rows = []
    for attempt in sorted({attempts.get(found.stamp, 1) for _, found in read}):
        paper = row.paper if attempt == 1 else set.paper(student.id, seed, attempt)
        own = [entry for entry in read if attempts.get(entry[1].stamp, 1) == attempt]
        stamped = [entry for entry in own if entry[1].stamp == paper.stamp]
        if attempt == 1 and not stamped and any(found.stamp in attempts for _, found in read):
            continue  # what others dropped under this name does not count beside the student's own
        made = Row(student, paper, notes=list(row.notes))
        _mark_paper(made, stamped or own, owners or {})
        term.apply(made)
        rows.append(made)
    if not rows:
        term.apply(row)
        return row
    return _counting(rows, term)


def _counting(rows: list[Row], term: Term) -> Row:
    """The attempt that counts: the better one, or the last."""
    best = rows[-1] if term.counts == "last" else max(rows, key=lambda r: (r.counts, r.total, r.paper.attempt))  # fmt: skip
    if len(rows) > 1:
        told = ", ".join(f"{r.paper.attempt}: {f'{r.total:g} points' if r.counts else r.status}" for r in rows)  # fmt: skip
        best.notes.append(f"attempts {told}; the {term.counts} counts")
    elif best.paper.attempt > 1:
        best.notes.append(f"attempt {best.paper.attempt}")
    return best


def _read(row: Row, files: list[Path], max_bytes: int) -> list[tuple[Path, Submission]]:
    """The notebooks among a student's files; the row says what could not be read."""
    if len(files) > MAX_TRIES:
        row.status, row.reason = "held", f"{len(files)} files were handed in; one may stay"
        return []
    labels = [item.label for item in row.paper.items]
    read: list[tuple[Path, Submission]] = []
    for path in files:
        try:
            if not is_notebook(path):
                raise Broken(f"{path.name} is no notebook (.ipynb)")
            read.append((path, read_submission(path, labels, max_bytes)))
        except Broken as error:
            row.status, row.reason = "broken", printable(str(error))
    if len(files) > 1:
        row.notes.append(f"{len(files)} files: {printable(', '.join(p.name for p in files), 120)}")
    return read


def _mark_paper(row: Row, read: list[tuple[Path, Submission]], owners: Mapping[str, str]) -> None:
    """Mark the files of one attempt into its row."""
    path, first = read[0]
    if any((s.answers, s.essays) != (first.answers, first.essays) for _, s in read[1:]):
        row.status = "held"
        row.reason = "two files with different answers were handed in; one may stay"
        return
    row.file, row.saved = printable(path.name, 120), first.saved
    if reason := _held(row, first, owners):
        row.status, row.reason = "held", reason
        return
    row.status, row.reason = "marked", ""
    row.answers, row.essays = dict(first.answers), dict(first.essays)
    by_name = {item.question.name: item for item in row.paper.marked}
    for item in row.paper.marked:
        text = first.answers.get(item.label, "")
        verdict = _mark(item, text, row) if text.strip() else BLANK
        earlier = by_name.get(getattr(item.asked, "follows", ""))
        if earlier is not None and verdict.state == "wrong":
            before = row.verdicts.get(earlier.label, BLANK)
            if before.state == "wrong" and before.value is not None:
                verdict = item.asked.carry(verdict, before.value)
        row.verdicts[item.label] = verdict


def _held(row: Row, found: Submission, owners: Mapping[str, str]) -> str:
    """Why a submission is not marked until somebody has looked; also collects the notes."""
    owner = owners.get(found.stamp, "")
    if owner and owner != row.student.id:
        row.notes.append(f"carries the paper of {owner}")
        return "the file carries another student's paper"
    if found.stamp == row.paper.stamp:
        if found.edition and found.edition != row.paper.edition:
            row.notes.append("made by another edition of the set: its numbers may differ")
        return ""
    if found.set_name and found.set_name != row.paper.set.name:
        return (
            f"the file is a paper of {printable(found.set_name, 40)}, not of {row.paper.set.name}"
        )
    row.notes.append(NOT_OURS if found.stamp else "its stamp is missing")
    return ""


NOT_OURS = "its stamp is not ours: edited, or made with another seed"


def _mark(item: Item, text: str, row: Row) -> Verdict:
    try:
        return item.asked.mark(text)
    except Exception as error:  # a marker's own fault must not stop the class
        row.notes.append(
            f"{item.label}: the marker failed ({type(error).__name__}), mark it by hand"
        )
        return Verdict("unreadable", hint="The marker could not read it; your teacher will look.")


# ---------------------------------------------------------------- a class


def grade(
    set: ProblemSet, roster: Roster, folder: str | Path, seed: bytes, *, lms: str = "",
    max_bytes: int = MAX_BYTES, quiet: bool = False, term: Term | None = None,
) -> Class:  # fmt: skip
    """Mark a folder of submissions: one row for each student of the roster."""
    owners = {stamp: s.id for s in roster.students for stamp in stamps_of(set, s, seed)}
    found = find_submissions(folder, roster, set, lms, owners)
    rows = []
    for student in progress(roster.students, f"marking {set.name}", quiet):
        files = found.by_student.get(student.id, [])
        row = mark_student(student, files, set, seed, owners, max_bytes, term)
        if not files and student.id in found.held and row.status == "missing":
            row.status, row.reason = "held", found.held[student.id]
        rows.append(row)
    _doubt_the_seed(rows)
    return Class(set, rows, found.unclaimed, roster.refused)


def _doubt_the_seed(rows: list[Row]) -> None:
    """Where most stamps are not ours the seed is the wrong one, and every key with it: nobody is marked."""
    marked = [row for row in rows if row.status == "marked"]
    foreign = [row for row in marked if NOT_OURS in row.notes]
    if len(foreign) >= FOREIGN and 2 * len(foreign) > len(marked):
        for row in foreign:
            row.status = "held"
            row.reason = f"{NOT_OURS}. So are {len(foreign)} of {len(marked)}: is it the seed the papers were made with?"
            row.verdicts.clear()


def write_all(marked: Class, out: str | Path, *, reveal: bool = False, lms: str = "") -> Path:
    """Write scores.csv, the feedback pages, what is left to decide or mark by hand, and what `stats` reads."""
    out = Path(out)
    pages = out / "feedback"
    pages.mkdir(parents=True, exist_ok=True)
    if any(item.question.by_hand for row in marked.rows[:1] for item in row.paper.items):
        merge_hand(out / "hand.csv", marked)
        (out / "to_mark.html").write_text(feedback.essays_page(marked), encoding="utf-8")
    marked.waiting = merge_decisions(out / "decide.csv", marked)
    (out / "to_decide.html").write_text(feedback.decisions_page(marked), encoding="utf-8")
    for row in marked.rows:
        page = pages / f"{marked.set.name}_{row.student.id}.html"
        page.write_text(feedback.page(row, reveal), encoding="utf-8")
    write_csv(out / "scores.csv", *score_table(marked))
    for name, table in (lms_tables(lms, marked) if lms else {}).items():
        write_csv(out / name, *table)
    write_csv(out / "unclaimed.csv", ["file", "why"], [list(entry) for entry in marked.unclaimed])
    (out / "results.json").write_text(json.dumps(_results(marked), indent=1), encoding="utf-8")
    return out / "scores.csv"


def score_table(marked: Class) -> tuple[list[str], list[list[Any]]]:
    """Header and rows of scores.csv."""
    labels = [item.label for item in marked.rows[0].paper.items] if marked.rows else []
    header = [
        "student", "name", *labels, "machine", "by hand", "total", "out of", "status", "reason", "notes",
        "total lacks", "days late", "attempt",
    ]  # fmt: skip
    most = marked.set.points + marked.set.hand_points
    rows = []
    for row in marked.rows:
        sums = [row.score, row.hand_score, row.total] if row.counts else ["", "", ""]
        rows.append([
            row.student.id, row.student.name, *row.cells(), *sums, most, row.status, row.reason, "; ".join(row.notes),
            ", ".join(row.lacks()), row.late or "", row.paper.attempt,
        ])  # fmt: skip
    for line in marked.refused:
        blank = ["" for _ in labels]
        rows.append(["", "", *blank, "", "", "", most, "refused", printable(line), "", "", "", ""])
    return header, rows


def _results(marked: Class) -> dict[str, Any]:
    """What `stats` needs to know: states and hints, no answers."""
    items = marked.rows[0].paper.items if marked.rows else ()
    return {
        "set": marked.set.name,
        "title": marked.set.title,
        "questions": {
            i.label: {"title": i.question.title, "goal": i.question.goal, "points": i.question.points}
            for i in items if not i.question.by_hand
        },
        "students": [
            {
                "status": row.status,
                "states": {k: v.state for k, v in row.verdicts.items()},
                "hints": {k: v.hint for k, v in row.verdicts.items() if v.hint and v.state == "wrong"},
            }
            for row in marked.rows
        ],
    }  # fmt: skip


def read_results(folder: str | Path) -> dict[str, Any]:
    """What `grade` left for `stats` in its folder."""
    path = Path(folder) / "results.json"
    if not path.is_file():
        raise InputError(f"no results in {folder}: run `grade` first")
    return json.loads(path.read_text(encoding="utf-8"))  # type: ignore[no-any-return]
