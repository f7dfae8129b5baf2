"""A course: its secret seed, and its roster of students."""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from memwall.core.units import InputError

from .tables import read_table

# letters, digits and the marks of an e-mail address: an id names files and opens no path
STUDENT_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_@+-]|\.(?!\.)){0,63}")
LEAST_SEED = 16
MAX_ROSTER_BYTES = 4_000_000


@dataclass(frozen=True)
class Student:
    """One line of the roster; `columns` keeps what an LMS wants to see again."""

    id: str
    name: str = ""
    columns: dict[str, str] = field(default_factory=dict)

    def column(self, *names: str) -> str:
        """The first of these columns that the roster fills."""
        return next((self.columns[n] for n in names if self.columns.get(n)), "")

    def first_last(self) -> tuple[str, str]:
        """First and last name: the roster's columns, or the name cut at its last space."""
        first, _, last = self.name.rpartition(" ")
        return (
            self.column("first_name", "first") or first or self.name,
            self.column("last_name", "last") or (last if first else ""),
        )


@dataclass(frozen=True)
class Roster:
    """The students, and the lines that could not be used with the reason for each."""

    students: tuple[Student, ...]
    refused: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.students)

    def ids(self) -> dict[str, Student]:
        """The students by id in small letters: file systems may not tell Ada from ada."""
        return {s.id.lower(): s for s in self.students}


def check_id(id: str) -> str:
    """A student id that is safe to name a file with, or a complaint."""
    if not isinstance(id, str) or not STUDENT_ID.fullmatch(id) or id.endswith("."):
        raise InputError(
            f"student id {str(id)[:60]!a} cannot be used: letters, digits and . _ @ + - only, "
            "beginning with a letter or digit, at most 64"
        )
    return id


def read_roster(path: str | Path) -> Roster:
    """Read a roster: CSV with a column `id`, and any of name, email, section and LMS columns."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"no roster {path}: a table (CSV) with a column id, one line a student")
    if path.stat().st_size > MAX_ROSTER_BYTES:
        raise InputError(f"{path} is larger than a roster can be")
    table = read_table(path)
    header = [h.lower().replace(" ", "_") for h in table.header]
    if "id" not in header:
        raise InputError(f"{path} has no column 'id'; it has {', '.join(header) or 'nothing'}")
    students: dict[str, Student] = {}
    refused = []
    for line, row in table.rows:
        cells = dict(zip(header, row, strict=False))
        if not any(cells.values()):
            continue
        try:
            id = check_id(cells.pop("id", ""))
            if id.lower() in students:
                raise InputError(f"student id {id} appears twice (capitals do not count)")
        except InputError as error:
            refused.append(f"{path.name} line {line}: {error}")
            continue
        students[id.lower()] = Student(id, cells.pop("name", "") or _full_name(cells), cells)
    if not students:
        raise InputError(f"{path} lists no student that can be used. {' '.join(refused[:3])}")
    return Roster(tuple(students.values()), tuple(refused))


def _full_name(cells: dict[str, str]) -> str:
    first = cells.get("first_name") or cells.get("first") or ""
    last = cells.get("last_name") or cells.get("last") or ""
    return f"{first} {last}".strip()


def read_seed(path: str | Path, create: bool = False) -> bytes:
    """The course seed in a file; `create` makes a new one where there is none.

    Whoever has it can make any student's paper, so it is long, random and readable by its owner.
    """
    path = Path(path)
    if not path.exists():
        if not create:
            raise InputError(
                f"no course seed in {path}: marking needs the one the papers were made with"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
    text = path.read_text(encoding="utf-8", errors="replace")[:4096].strip()
    if len(text) < LEAST_SEED:
        raise InputError(
            f"the course seed in {path} has {len(text)} characters: with fewer than {LEAST_SEED} "
            "a student could guess it. Delete the file and `make` writes a good one"
        )
    return text.encode()
