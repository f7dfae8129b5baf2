"""Marking a class: from a folder of notebooks to scores, pages of feedback and a list to mark by hand.

Each student of the roster gets one row, whatever was handed in: marked, missing, broken (the
file cannot be read) or held (somebody should look: it carries another student's paper, or there
are two different files). A broken or hostile file costs its owner's row a reason, never the batch.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from memwall.core.units import InputError

from ..reading.answers import BLANK, Verdict
from . import feedback
from .course import Roster, Student, read_table
from .lms import table as lms_table
from .sets import Item, Paper, ProblemSet
from .submissions import (
    MAX_BYTES,
    Broken,
    Submission,
    find_submissions,
    is_notebook,
    printable,
    read_submission,
)

T = TypeVar("T")
MAX_TRIES = 12  # files of one student that are opened


@dataclass
class Row:
    """One student's line: what became of each question, and why it is not simply marked."""

    student: Student
    paper: Paper
    status: str = "missing"  # marked, missing, broken or held
    reason: str = "nothing was handed in"  # for the student and the teacher
    notes: list[str] = field(default_factory=list)  # for the teacher
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    essays: dict[str, str] = field(default_factory=dict)
    hand: dict[str, float | None] = field(default_factory=dict)  # by "h1.1", None: not yet marked
    comment: str = ""  # of whoever marked by hand, for the student
    file: str = ""  # the notebook that counts

    def points(self, item: Item) -> int:
        verdict = self.verdicts.get(item.label, BLANK)
        return item.question.points if verdict.right else 0

    @property
    def score(self) -> int:
        """Points given by the machine."""
        return sum(self.points(item) for item in self.paper.marked)

    @property
    def hand_score(self) -> float:
        return _number(sum(points or 0 for points in self.hand.values()))

    @property
    def total(self) -> float:
        return _number(self.score + self.hand_score)

    def cells(self) -> list[Any]:
        """Points for each question: by the machine; by hand, or nothing while a line of the rubric waits."""
        return [
            self.hand_points(item) if item.question.by_hand else self.points(item)
            for item in self.paper.items
        ]

    def hand_points(self, item: Item) -> float | str:
        points = [self.hand.get(key) for key in item.criteria()]
        return "" if None in points else _number(sum(p or 0 for p in points))


# ---------------------------------------------------------------- one student


def mark_student(
    student: Student, files: list[Path], set: ProblemSet, seed: bytes,
    owners: dict[str, str] | None = None, max_bytes: int = MAX_BYTES,
) -> Row:  # fmt: skip
    """Mark one student's files against the student's own paper; `owners` maps stamps to ids."""
    paper = set.paper(student.id, seed)
    row = Row(student, paper)
    chosen = _choose(row, files, max_bytes)
    if chosen is None:
        return row
    if reason := _held(row, chosen, owners or {}):
        row.status, row.reason = "held", reason
        return row
    row.status, row.reason = "marked", ""
    row.answers, row.essays = dict(chosen.answers), dict(chosen.essays)
    for item in paper.marked:
        text = chosen.answers.get(item.label, "")
        row.verdicts[item.label] = _mark(item, text, row) if text.strip() else BLANK
    return row


def _choose(row: Row, files: list[Path], max_bytes: int) -> Submission | None:
    """The one submission that counts, or None with the row saying why there is none."""
    if len(files) > MAX_TRIES:
        row.status, row.reason = "held", f"{len(files)} files were handed in; one may stay"
        return None
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
    own = [entry for entry in read if entry[1].stamp == row.paper.stamp]
    read = own or read  # what others dropped under this name does not count
    if any((s.answers, s.essays) != (read[0][1].answers, read[0][1].essays) for _, s in read[1:]):
        row.status, row.reason = (
            "held",
            "two files with different answers were handed in; one may stay",
        )
        return None
    if not read:
        return None
    row.file = printable(read[0][0].name, 120)
    return read[0][1]


def _held(row: Row, found: Submission, owners: dict[str, str]) -> str:
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
    row.notes.append(
        "its stamp is not ours: edited, or made with another seed" if found.stamp
        else "its stamp is missing"
    )  # fmt: skip
    return ""


def _mark(item: Item, text: str, row: Row) -> Verdict:
    try:
        return item.asked.mark(text)
    except Exception as error:  # a marker's own fault must not stop the class
        row.notes.append(
            f"{item.label}: the marker failed ({type(error).__name__}), mark it by hand"
        )
        return Verdict("unreadable", hint="The marker could not read it; your teacher will look.")


# ---------------------------------------------------------------- a class


@dataclass
class Class:
    """The rows of a class, and the files that were nobody's."""

    set: ProblemSet
    rows: list[Row]
    unclaimed: list[tuple[str, str]]


def grade(
    set: ProblemSet, roster: Roster, folder: str | Path, seed: bytes, *, lms: str = "",
    max_bytes: int = MAX_BYTES, quiet: bool = False,
) -> Class:  # fmt: skip
    """Mark a folder of submissions: one row for each student of the roster."""
    found = find_submissions(folder, roster, set, lms)
    owners = {set.stamp(s.id, seed): s.id for s in roster.students}
    rows = [
        mark_student(student, found.by_student.get(student.id, []), set, seed, owners, max_bytes)
        for student in progress(roster.students, f"marking {set.name}", quiet)
    ]
    return Class(set, rows, found.unclaimed)


def write_all(marked: Class, out: str | Path, *, reveal: bool = False, lms: str = "") -> Path:
    """Write scores.csv, the feedback pages, what is left to mark by hand, and what `stats` reads."""
    out = Path(out)
    pages = out / "feedback"
    pages.mkdir(parents=True, exist_ok=True)
    if any(item.question.by_hand for row in marked.rows[:1] for item in row.paper.items):
        _merge_hand(out / "hand.csv", marked)
        (out / "to_mark.html").write_text(feedback.essays_page(marked), encoding="utf-8")
    for row in marked.rows:
        page = pages / f"{marked.set.name}_{row.student.id}.html"
        page.write_text(feedback.page(row, reveal), encoding="utf-8")
    write_csv(out / "scores.csv", *score_table(marked))
    if lms:
        write_csv(out / f"scores_{lms}.csv", *lms_table(lms, marked))
    write_csv(out / "unclaimed.csv", ["file", "why"], [list(entry) for entry in marked.unclaimed])
    (out / "results.json").write_text(json.dumps(_results(marked), indent=1), encoding="utf-8")
    return out / "scores.csv"


def score_table(marked: Class) -> tuple[list[str], list[list[Any]]]:
    """Header and rows of scores.csv."""
    labels = [item.label for item in marked.rows[0].paper.items] if marked.rows else []
    header = [
        "student",
        "name",
        *labels,
        "machine",
        "by hand",
        "total",
        "out of",
        "status",
        "reason",
        "notes",
    ]
    most = marked.set.points + marked.set.hand_points
    rows = [
        [
            row.student.id, row.student.name, *row.cells(), row.score, row.hand_score, row.total, most,
            row.status, row.reason, "; ".join(row.notes),
        ]
        for row in marked.rows
    ]  # fmt: skip
    return header, rows


def _number(value: float) -> float | int:
    return int(value) if value == int(value) else round(value, 2)


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


# ---------------------------------------------------------------- what a person marks


def _merge_hand(path: Path, marked: Class) -> None:
    """Take the points and comments of hand.csv into the rows, and add lines and columns that are missing.

    Nothing that a person typed is lost: what cannot be read, other columns, and the lines of
    students who are not in this roster stay as they are.
    """
    items = marked.rows[0].paper.by_hand if marked.rows else []
    columns = {f"{key} {c.name}": (key, c) for item in items for key, c in item.criteria().items()}
    header, entered, delimiter = ["student", "name", *columns, "comment"], {}, ","
    if path.is_file():
        table = read_table(path)
        if "student" not in table.header:
            raise InputError(
                f"{path} has no column 'student', and it may hold somebody's work: mend or move it"
            )
        header += [h for h in table.header if h and h not in header]
        delimiter = table.delimiter
        for _, cells in table.rows:
            line = dict(zip(table.header, cells, strict=False))
            if (id := _as_typed(line.get("student", ""))) in entered:
                raise InputError(f"{path} has two lines for {printable(id, 64)!r}: one may stay")
            entered[id] = line
    for row in marked.rows:
        line = entered.setdefault(row.student.id, {})
        line |= {"student": row.student.id, "name": row.student.name}
        row.comment = line["comment"] = _as_typed(" ".join(line.get("comment", "").split()))
        for column, (key, criterion) in columns.items():
            points = _hand_points(line.get(column, ""), criterion.points, key, row)
            row.hand[key] = points
            if points is not None:
                line[column] = f"{points:g}"
    ids = [row.student.id for row in marked.rows]
    lines = [entered[id] for id in (*ids, *(id for id in entered if id not in ids))]
    write_csv(path, header, [[line.get(h, "") for h in header] for line in lines], delimiter)


def _hand_points(text: str, most: int, key: str, row: Row) -> float | None:
    if not text:
        return None
    try:
        points = float(text.replace(",", "."))
    except ValueError:
        points = -1.0
    if not 0 <= points <= most:
        row.notes.append(f"{key}: {printable(text, 20)} is not a number from 0 to {most}")
        return None
    return points


# ---------------------------------------------------------------- tables and terminal


def safe_cell(value: Any) -> Any:
    """A cell that a spreadsheet shows and never computes: =cmd|... becomes '=cmd|..."""
    if not isinstance(value, str):
        return value
    text = printable(value, 2000)
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠", "|", "%", "\\t", "\\r")) else text  # fmt: skip


def _as_typed(cell: str) -> str:
    """A cell without the mark that `safe_cell` put before it."""
    return cell[1:] if cell.startswith("'") and safe_cell(cell[1:]) == cell else cell


def write_csv(
    path: Path, header: list[str], rows: Iterable[list[Any]], delimiter: str = ","
) -> None:
    """A table for spreadsheets: UTF-8 with a mark that makes Excel see it, every text harmless."""
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow([safe_cell(h) for h in header])
        writer.writerows([safe_cell(c) for c in row] for row in rows)


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


def read_results(folder: str | Path) -> dict[str, Any]:
    """What `grade` left for `stats` in its folder."""
    path = Path(folder) / "results.json"
    if not path.is_file():
        raise InputError(f"no results in {folder}: run `grade` first")
    return json.loads(path.read_text(encoding="utf-8"))  # type: ignore[no-any-return]
