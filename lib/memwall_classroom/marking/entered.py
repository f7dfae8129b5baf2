"""Tables that people fill in: points by hand, and what a teacher decides about single answers.

Nothing that a person typed is lost: what cannot be read, other columns, and the lines of students
who are not in this roster stay as they are, in the spreadsheet's own way of writing.
"""

from __future__ import annotations

from pathlib import Path

from memwall.core.units import InputError

from .rows import Class, Row
from .tables import as_typed, printable, read_table, write_csv

Key = tuple[str, ...]


class Sheet:
    """A table on disk whose lines are known by some of their columns."""

    def __init__(self, path: Path, header: list[str], keys: Key) -> None:
        self.path, self.header, self.keys = path, list(header), keys
        self.lines: dict[Key, dict[str, str]] = {}
        self.delimiter = ","
        if not path.is_file():
            return
        table = read_table(path)
        for key in keys:
            if key not in table.header:
                raise InputError(
                    f"{path} has no column {key!r}, and it may hold somebody's work: mend or move it"
                )
        self.header += [h for h in table.header if h and h not in header]
        self.delimiter = table.delimiter
        for line in table.lines():
            known = tuple(as_typed(line.get(key, "")) for key in keys)
            if known in self.lines:
                raise InputError(f"{path} has two lines for {printable(' '.join(known), 64)!r}: one may stay")  # fmt: skip
            self.lines[known] = line

    def save(self, first: list[Key]) -> None:
        """Write the table, these lines first and all others behind them."""
        order = [*first, *(key for key in self.lines if key not in set(first))]
        rows = [[self.lines[key].get(h, "") for h in self.header] for key in order]
        write_csv(self.path, self.header, rows, self.delimiter)

    def points(self, text: str, most: float, label: str, row: Row) -> tuple[float | None, str]:
        """Points that somebody typed, and how the table shall show them."""
        if not text:
            return None, text
        try:
            points = float(text.replace(",", "."))
        except ValueError:
            points = -1.0
        if not 0 <= points <= most:
            row.notes.append(f"{label}: {printable(text, 20)} is not a number from 0 to {most:g}")
            return None, text
        # where semicolons part the cells, a comma is the decimal sign, and 1.5 would be a date
        shown = f"{points:g}"
        return points, shown.replace(".", ",") if self.delimiter == ";" and "," in text else shown


def merge_hand(path: Path, marked: Class) -> None:
    """Take the points and comments of hand.csv into the rows, and add lines and columns that are missing."""
    items = marked.rows[0].paper.by_hand if marked.rows else []
    columns = {f"{key} {c.name}": (key, c) for item in items for key, c in item.criteria().items()}
    sheet = Sheet(path, ["student", "name", "code", *columns, "comment"], ("student",))
    for row in marked.rows:
        line = sheet.lines.setdefault((row.student.id,), {})
        line |= {"student": row.student.id, "name": row.student.name, "code": row.paper.code}
        row.comment = line["comment"] = as_typed(" ".join(line.get("comment", "").split()))
        for column, (key, criterion) in columns.items():
            points, shown = sheet.points(line.get(column, ""), criterion.points, key, row)
            row.hand[key] = points
            if column in line or shown:
                line[column] = shown
    sheet.save([(row.student.id,) for row in marked.rows])


# ---------------------------------------------------------------- single answers


DECIDE = ["student", "question", "answer", "read as", "why", "out of", "given", "points", "comment"]


def merge_decisions(path: Path, marked: Class) -> int:
    """Take the points of decide.csv into the rows, and list every answer that wants a look.

    Listed is what could not be read, or is wrong in one thing only. A line that a teacher fills in
    counts for the answer it was written for; if another was handed in since, it waits. A line for
    any other answer may be added. Returns how many wait.
    """
    sheet = Sheet(path, DECIDE, ("student", "question"))
    order: list[Key] = []
    waiting = 0
    for row in marked.rows:
        for item in row.paper.marked:
            key = (row.student.id, item.label)
            verdict = row.verdicts.get(item.label)
            doubtful = verdict is not None and (verdict.state == "unreadable" or bool(verdict.slip))
            line = sheet.lines.get(key)
            if line is not None and not line.get("points") and not doubtful:
                del sheet.lines[key]  # it was listed, and is settled without anybody
                line = None
            if line is None and not doubtful:
                continue
            answer = printable(row.answers.get(item.label, ""), 300)
            line = sheet.lines.setdefault(key, {"student": row.student.id, "question": item.label})
            points, shown = sheet.points(line.get("points", ""), item.question.points, item.label, row)  # fmt: skip
            before = as_typed(line.get("answer", ""))
            if points is not None and before and before.split() != answer.split():
                row.notes.append(
                    f"{item.label}: decide.csv has points for another answer; look again"
                )
                order.append(key)
                waiting += 1
                continue
            if points is not None and row.counts:
                row.decided[item.label] = points
                row.remarks[item.label] = as_typed(" ".join(line.get("comment", "").split()))
            waiting += points is None
            line |= {
                "answer": answer, "read as": verdict.read_as if verdict else "", "why": verdict.hint if verdict else "",
                "out of": f"{item.question.points:g}", "points": shown,
                "given": f"{row.points(item):g}" if points is None else as_typed(line.get("given", "")),
            }  # fmt: skip
            order.append(key)
    if sheet.lines or path.is_file():
        sheet.save(order)
    return waiting
