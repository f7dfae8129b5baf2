"""Reading what students handed in, without trusting any of it.

A submission is a file somebody else wrote. It is looked at from outside first (a plain file?
of a sane size?), then read as text, then as JSON of bounded depth; of that only the sources
of its cells are kept, and of those only lines of the form `q3 = "..."`. Outputs, metadata,
kernels, execution counts and code say nothing about the score. Nothing is run.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from memwall.core.units import InputError

from ..reading.cells import Found, answers_in, chosen
from .course import Roster, Student
from .sets import ProblemSet
from .tables import printable

MAX_BYTES = 8_000_000  # of a file; with more it is asked for without outputs
MAX_JSON_DEPTH = 60  # a notebook needs about 10
MAX_BRACKETS = 600_000  # each costs many times its byte in memory
MAX_CELLS = 3000
MAX_SOURCE = 200_000  # characters of a cell
MAX_ESSAY = 30_000  # characters kept of a part marked by hand
MAX_FILES = 20_000
MAX_FILES_EACH = 2_000  # in a folder of one student
MAX_DEPTH = 3
MAX_OPENED = 200  # notebooks that are nobody's
MAX_SHARING = 5  # students of one name on a platform
NOTEBOOKS = (".ipynb", ".ipynb.json", ".ipynb.txt")  # some browsers add an ending of their own


class Broken(InputError):
    """A submission that cannot be marked; the message is the reason its owner is told."""


@dataclass(frozen=True)
class Submission:
    """What a handed-in notebook says: answers by label, essays by label, and its own account of whose it is."""

    answers: Mapping[str, str] = field(default_factory=dict)
    essays: Mapping[str, str] = field(default_factory=dict)
    stamp: str = ""
    set_name: str = ""
    edition: str = ""
    saved: float = 0.0  # when the file was last written


# ---------------------------------------------------------------- one file


def read_submission(path: Path, labels: Iterable[str], max_bytes: int = MAX_BYTES) -> Submission:
    """The answers in a notebook file, or `Broken` with the reason."""
    data = _load(path, max_bytes)
    cells = data.get("cells") if isinstance(data, dict) else None
    if not isinstance(cells, list):
        raise Broken("it is JSON, but no notebook (format 4 has a list of cells)")
    if len(cells) > MAX_CELLS:
        raise Broken(f"it has {len(cells):,} cells: more than {MAX_CELLS:,} are not read")
    labels = list(labels)
    found: list[Found] = []
    essays: dict[str, str] = {}
    head = writing = ""
    for cell in cells:
        kind, source = _source(cell)
        if kind == "code":
            found += chosen(answers_in(source, labels)).values()
        elif kind == "markdown":
            head = head or _stamp_line(source)
            writing, text = _essay(cell, source, labels, writing)
            if writing and text:
                essays[writing] = "\n\n".join(filter(None, [essays.get(writing), text]))[:MAX_ESSAY]
    stated = data.get("metadata")
    stated = stated.get("memwall") if isinstance(stated, dict) else None
    stated = stated if isinstance(stated, dict) else {}

    def said(key: str) -> str:
        value = stated.get(key)
        return value[:100] if isinstance(value, str) else ""

    parts = head.split("/") if head else ["", "", ""]
    return Submission(
        {label: answer.text for label, answer in chosen(found).items()}, essays, said("stamp") or parts[2], said("set") or parts[0], said("edition"),
        path.stat().st_mtime,
    )  # fmt: skip


def _load(path: Path, max_bytes: int) -> Any:
    try:
        about = path.lstat()
        if stat.S_ISLNK(about.st_mode):
            raise Broken("it is a link, not a file")
        if not stat.S_ISREG(about.st_mode):
            raise Broken("it is not a plain file")
        if about.st_size > max_bytes:
            raise Broken(
                f"it has {about.st_size / 1e6:,.0f} MB: more than {max_bytes / 1e6:g} MB are not "
                "read. Clear all outputs, save, and hand it in again"
            )
        with path.open("rb") as file:
            raw = file.read(max_bytes + 1)
    except OSError as error:
        raise Broken(f"it cannot be opened ({error.strerror or type(error).__name__})") from None
    if not raw.strip():
        raise Broken("it is empty")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Broken("it is not a text in UTF-8, so no notebook") from None
    depth, brackets = _brackets(text)
    if depth > MAX_JSON_DEPTH:
        raise Broken(f"it is nested more than {MAX_JSON_DEPTH} deep, as no notebook is")
    if brackets > MAX_BRACKETS:
        raise Broken("it has more parts than a notebook of this course can have. Clear all outputs")
    try:
        return json.loads(text, parse_constant=lambda _: None, parse_int=_whole)
    except (ValueError, RecursionError, MemoryError):
        raise Broken("it is not JSON, so no notebook: was it saved whole?") from None


def _whole(text: str) -> int:
    """Integers of a notebook are small; longer ones are hostile and say nothing."""
    return int(text) if len(text) < 20 else 0


_STRING = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\Z)', re.S)  # closed, or open to the end


def _brackets(text: str) -> tuple[int, int]:
    """Depth and number of brackets outside strings, counted without parsing or recursion."""
    codes = np.frombuffer(_STRING.sub("", text).encode("utf-8", "replace"), np.uint8)
    steps = np.zeros(len(codes) + 1, np.int32)
    for sign, step in ((b"[", 1), (b"{", 1), (b"]", -1), (b"}", -1)):
        steps[1:][codes == sign[0]] = step
    return int(steps.cumsum(dtype=np.int32).max()), int(np.count_nonzero(steps))


def _source(cell: Any) -> tuple[str, str]:
    """Kind and source of a cell, however odd the cell."""
    if not isinstance(cell, dict):
        return "", ""
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    if not isinstance(source, str) or len(source) > MAX_SOURCE:
        # too long to read whole: its first lines, so that a long answer is refused by name
        source = source[:MAX_SOURCE] if isinstance(source, str) else ""
    return str(cell.get("cell_type", "")), source


def _stamp_line(source: str) -> str:
    match = re.search(r"Paper `([\w-]{1,60}/[A-Za-z0-9_.@+-]{1,64}/[0-9a-f]{24})`", source[:20_000])
    return match.group(1) if match else ""


_ESSAY = re.compile(r"\*\*Your answer to (h[0-9]{1,2})\*\*[^\n]*\n?")
_OURS = re.compile(
    r"## [qh][0-9]{1,2}\. [^\n]*\n\n\*[0-9]+ points?, about|---\n\nThat is all\.|.*^Paper `",
    re.M | re.S,
)


def _essay(cell: Any, source: str, labels: list[str], writing: str) -> tuple[str, str]:
    """Which part marked by hand a Markdown cell belongs to, and what it adds to it.

    An essay begins in the cell that says so (by its first line, or by the cell's id) and goes on
    in the Markdown cells below it, up to the next one of ours.
    """
    match = _ESSAY.search(source)
    label = match.group(1) if match else str(cell.get("id", ""))
    if label in labels and label.startswith("h"):
        return label, (source[match.end() :] if match else source).strip()
    return ("", "") if _OURS.match(source[:20_000]) else (writing, source.strip())


# ---------------------------------------------------------------- a folder of files


def is_notebook(path: Path) -> bool:
    """True if a file's name is that of a notebook."""
    return path.name.lower().endswith(NOTEBOOKS)


@dataclass
class HandedIn:
    """The files of a folder by student; those that are nobody's, and whose cannot be told, with the reason."""

    by_student: dict[str, list[Path]] = field(default_factory=dict)
    unclaimed: list[tuple[str, str]] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)


def find_submissions(
    folder: str | Path, roster: Roster, set: ProblemSet, lms: str = "", stamps: Mapping[str, str] | None = None
) -> HandedIn:  # fmt: skip
    """Who handed in which file, told from names that the teacher or the LMS gave.

    Plain folders: `set1_ada.ipynb`, `ada.ipynb`, or any notebook inside `ada/`. With `lms`, the
    names that the download of Canvas, Moodle or Gradescope has. Where a platform's name fits
    several students, or hides who it is, the paper's stamp decides (`stamps`: stamp to id).
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"no folder {folder}")
    found = HandedIn()
    owner = _Owner(folder, roster, set, lms)
    walk = _Walk(folder)
    found.unclaimed += walk.skipped
    for path in walk.files:
        shown = printable(os.fsdecode(path.relative_to(folder)))
        students = owner.of(path)
        if len(students) > 1 and is_notebook(path):
            students = _stamped(path, students, stamps or {}, found, shown)
        if not students:
            if is_notebook(path) and not any(shown == name for name, _ in found.unclaimed):
                found.unclaimed.append((shown, _nobodys(path, stamps or {}, len(found.unclaimed))))
        elif len(students) == 1:
            found.by_student.setdefault(students[0].id, []).append(path)
    for part in walk.full:
        for student in owner.of(folder / part / "any.ipynb")[:1]:
            found.held[student.id] = f"its folder holds more than {MAX_FILES_EACH:,} files: hand in the notebook alone"  # fmt: skip
    for id, paths in found.by_student.items():
        # a photo or a .py beside the notebook does no harm; alone, it is what was handed in
        notebooks = [p for p in paths if is_notebook(p)]
        found.by_student[id] = notebooks or paths
    return found


def _nobodys(path: Path, stamps: Mapping[str, str], before: int) -> str:
    """Why a notebook is nobody's, with what helps to find its owner; a heap of them is not opened."""
    carried = _carried(path, stamps) if before < MAX_OPENED else ""
    hint = f", but it carries the paper of {carried}: rename it if it is theirs" if carried else ""
    return f"its name fits no student of the roster{hint}"


def _carried(path: Path, stamps: Mapping[str, str]) -> str:
    """The student whose paper a file says it is, by its stamp; else empty."""
    try:
        return stamps.get(read_submission(path, []).stamp, "")
    except Broken:
        return ""


def _stamped(
    path: Path, students: list[Student], stamps: Mapping[str, str], found: HandedIn, shown: str
) -> list[Student]:
    """Which of several students a file belongs to, by the stamp it carries."""
    id = _carried(path, stamps)
    own = [student for student in students if student.id == id]
    if own:
        return own
    if len(students) <= MAX_SHARING:
        for student in students:
            found.held[student.id] = "its name on the platform is not its alone, and no paper's stamp says whose the file is"  # fmt: skip
    found.unclaimed.append((shown, "its name fits several students, and its stamp none of them"))
    return []


class _Walk:
    """Files at most three folders deep in a fixed order; links and hidden ones are not followed, but listed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: list[Path] = []
        self.skipped: list[tuple[str, str]] = []
        self.full: list[str] = []
        self._into(folder, 0, "")
        self.full = list(dict.fromkeys(self.full))

    def _skip(self, path: Path, why: str) -> None:
        if len(self.skipped) < MAX_FILES_EACH:
            self.skipped.append((printable(os.fsdecode(path.relative_to(self.folder))), why))

    def _into(self, folder: Path, depth: int, part: str) -> None:
        most = MAX_FILES_EACH if part else MAX_FILES
        entries: list[os.DirEntry[str]] = []
        try:
            with os.scandir(folder) as scanned:
                for entry in scanned:
                    entries.append(entry)
                    if len(entries) > most:
                        break
        except OSError:
            return
        if len(entries) > most:
            if not part:
                raise InputError(f"{folder} holds more than {MAX_FILES:,} files: is it the right folder?")  # fmt: skip
            self.full.append(part)
            return
        entries.sort(key=lambda entry: (entry.is_dir(follow_symlinks=False), entry.name))
        for entry in entries:
            path, hidden = Path(entry.path), entry.name.startswith(".")
            if entry.is_dir(follow_symlinks=False):
                if hidden or entry.name.startswith("__"):
                    continue
                if depth < MAX_DEPTH:
                    self._into(path, depth + 1, part or entry.name)
                else:
                    self._skip(path, f"a folder more than {MAX_DEPTH} deep, not looked into")
            elif entry.is_symlink() and entry.is_dir():
                self._skip(path, "a link to a folder, not followed")
            elif hidden:
                if is_notebook(path):
                    self._skip(path, "its name begins with a dot")
            else:
                self.files.append(path)


# what browsers and JupyterLab make of a name that is taken: "x (1)", "x copy 2", "x-Copy1"
_COPY = re.compile(r" ?\([0-9]+\)$| copy( [0-9]+)?$|-copy[0-9]+$")
_ATTEMPT = re.compile(r"_[2-9]$")  # set1_ada_2.ipynb is a second paper


class _Owner:
    """Whose file it is, from its name: one student, nobody, or several of whom the stamp must tell."""

    def __init__(self, folder: Path, roster: Roster, set: ProblemSet, lms: str) -> None:
        self.folder, self.set, self.lms, self.roster = folder, set, lms, roster
        self.ids = roster.ids()
        called = {"canvas": "canvas_id", "moodle": "name", "gradescope": "email"}.get(lms, "")
        self.by_call: dict[str, list[Student]] = {}
        for student in roster.students if called else ():
            call = _called(student.name if called == "name" else student.column(called))
            if call:
                self.by_call.setdefault(call, []).append(student)
        self.gradescope = _gradescope(folder) if lms == "gradescope" else {}

    def of(self, path: Path) -> list[Student]:
        parts = path.relative_to(self.folder).parts
        if self.lms == "canvas":
            # lovelaceada_LATE_1234_98765_set1_ada.ipynb: the first number is the student's
            match = re.match(r"[^_]*_(?:LATE_)?([0-9]+)_[0-9]+_", parts[-1])
            if match is None and re.match(r"anon(?:ymous)?_", parts[-1], re.I):
                return list(self.roster.students)
            return self.by_call.get(match.group(1), []) if match else []
        if self.lms == "moodle":
            # Ada Lovelace_12345_assignsubmission_file/set1_ada.ipynb, or all in one name
            match = re.match(r"(.+?)_[0-9]+_assignsubmission_file", parts[0])
            return self.by_call.get(_called(match.group(1)), []) if match else []
        if self.lms == "gradescope":
            who = self.gradescope.get(parts[0], "")
            return [self.ids[who]] if who in self.ids else self.by_call.get(who, [])
        student = self._plain(parts)
        return [student] if student else []

    def _plain(self, parts: tuple[str, ...]) -> Student | None:
        if len(parts) > 1:
            return self.ids.get(parts[0].lower()) or self.ids.get(parts[-2].lower())
        name = parts[0].lower()
        stem = next((name[: -len(e)] for e in NOTEBOOKS if name.endswith(e)), Path(name).stem)
        bare = _COPY.sub("", stem)
        for found in (bare.removeprefix(f"{self.set.name.lower()}_"), bare, stem):
            for id in (found, _ATTEMPT.sub("", found)):
                if id in self.ids:
                    return self.ids[id]
        return None


def _called(name: str) -> str:
    """A name as platforms put it into file names: without quotes, < > & : and the like, in one case."""
    kept = re.sub(r"[\"'`\u2018\u2019<>&:/\\|?*]", "", name)
    return " ".join(kept.split()).casefold()


def _gradescope(folder: Path) -> dict[str, str]:
    """Submission folder to student id or e-mail, from the list that Gradescope puts beside them."""
    path = folder / "submission_metadata.yml"
    if not path.is_file() or path.stat().st_size > 20 * MAX_BYTES:
        raise InputError(f"{path} is missing: Gradescope's export has it beside the submissions")
    found: dict[str, str] = {}
    current = ""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        if match := re.match(r"(submission_[0-9]+):", line):
            current = match.group(1)
        elif current and (match := re.match(r"\s+:(sid|email):\s*['\"]?([^'\"\s]+)", line)):
            if match.group(1) == "sid" or current not in found:
                found[current] = match.group(2).lower()
    return found
