"""Papers: one notebook per student, made from a set, a roster and the course seed.

A notebook is plain JSON (format 4.5), so nothing but the standard library is needed to write
it. It opens in JupyterLab, VS Code and Colab, and says itself how it is used.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from memwall import __version__
from memwall.core.units import InputError

from ..reading.answers import Choice, Formula, Written
from .course import Roster
from .sets import Item, Paper, ProblemSet

HAND_MARK = "**Your answer to {label}** (write below this line, and in text cells below it if you need more)"
STAMP_LINE = "Paper `{set}/{student}/{stamp}`"

_HOW = """\
**How this works.** Each question has one answer cell. Write your answer between the quotes and run the cell:
it tells you how the marker will read it and whether it is *well formed* (the unit fits, the size is of this world). It does not
know whether it is right. Add cells of your own wherever you like; only the answers between the quotes are marked, and the
last one counts if you give several; lines without quotes are scratch work. Nothing you run is run again by the marker.

**Numbers** want a value and a unit: `12.5 ms`, `3.2e9 B/s`, `$0.31 / Mtok`, `2,400`; any unit of the right kind will do
(kB is 1,000 bytes, KiB 1,024; B is byte, b is bit). Three figures are enough. Words around it do no harm (`about 12,5 ms per
step, since ...`), but it must be one value: no ranges, no lists. **Formulas** use only the symbols listed, `*`
for times (or a blank), `^` for powers, and `max( , )`, `min( , )`, `sqrt( )`, `exp( )`, `log( )`, `ceil( )` where needed.

Rates are dense, a multiply-add counts as two FLOP, GB is 10^9 bytes, links count one direction; arithmetic and memory
traffic overlap perfectly unless a question says otherwise. Every paper has its own numbers.

**Parts of an answer.** {credit}

**Handing in.** Save, and hand in this file under the name it has."""


def notebook_name(set: ProblemSet, student: str, attempt: int = 1) -> str:
    """The file a student gets and hands in."""
    return f"{set.name}_{student}{f'_{attempt}' if attempt > 1 else ''}.ipynb"


def notebook(
    paper: Paper, name: str = "", install: str = "", nbgrader: bool = False
) -> dict[str, Any]:
    """The student's notebook of a paper, as the dictionary that JSON stores."""
    set = paper.set
    how = _HOW.replace("{credit}", set.credit.told()[:1].upper() + set.credit.told()[1:])
    line = STAMP_LINE.format(set=set.name, student=paper.student, stamp=paper.stamp)
    head = (
        f"# {set.title}\n\n"
        f"*{_chapters(set)} · {set.points} points marked by machine, {set.hand_points} by hand · "
        f"about {set.minutes} minutes · paper of {_plain(name or paper.student)}"
        f"{f', attempt {paper.attempt}' if paper.attempt > 1 else ''}*\n\n"
        f"{set.intro.strip()}\n\n{how}\n\n{line}"
    )
    cells = [_markdown("head", head), _code("setup", _setup(install))]
    for item in paper.items:
        cells += _question_cells(item, nbgrader)
    cells.append(_markdown("end", "---\n\nThat is all. Save the file and hand it in."))
    return {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "memwall": {
                "set": set.name,
                "student": paper.student,
                "stamp": paper.stamp,
                "edition": paper.edition,
            },
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _chapters(set: ProblemSet) -> str:
    numbers = [str(c) for c in set.chapters]
    return (
        f"Chapter {numbers[0]}"
        if len(numbers) == 1
        else f"Chapters {', '.join(numbers[:-1])} and {numbers[-1]}"
    )


def _plain(name: str) -> str:
    """A name from the roster, harmless in Markdown and HTML."""
    return "".join(c for c in name if c.isalnum() or c in " .'-,@_+")[:80] or "a student"


def _setup(install: str) -> str:
    return (
        "# Run this cell first. It needs the book's library, and installs it where it is missing.\n"
        "try:\n"
        "    from memwall_classroom.reading.selfcheck import check\n"
        "except ModuleNotFoundError:\n"
        f"    %pip install --quiet {install}\n"
        "    from memwall_classroom.reading.selfcheck import check"
    )


def _question_cells(item: Item, nbgrader: bool) -> Iterator[dict[str, Any]]:
    question, asked, label = item.question, item.asked, item.label
    points = f"{question.points} point{'s' if question.points > 1 else ''}"
    head = f"## {label}. {question.title}\n\n*{points}, about {question.minutes} minutes*\n\n"
    yield _markdown(f"{label}-text", head + asked.text.strip() + _extras(asked))
    if isinstance(asked, Written):
        cell = _markdown(label, HAND_MARK.format(label=label) + "\n\n")
    else:
        what = asked.asks().replace("`", "")
        source = f'{label} = ""  # {what}\ncheck("{label}", {label}, {asked.self_check()})'
        cell = _code(label, source)
    if nbgrader:
        cell["metadata"]["nbgrader"] = {
            "grade": True, "grade_id": label, "locked": False, "points": question.points,
            "schema_version": 3, "solution": True, "task": False,
        }  # fmt: skip
    yield cell


def _extras(asked: Any) -> str:
    """What the form of a question adds to its text: options, symbols, rubric."""
    if isinstance(asked, Choice):
        rows = [f"- **{'ABCDEF'[i]}** {text}" for i, text in enumerate(asked.options)]
        return "\n\n" + "\n".join(rows)
    if isinstance(asked, Formula):
        rows = [f"| `{n}` | {x.meaning} | {_unit(x.unit)} |" for n, x in asked.letters.items()]
        return "\n\n| symbol | meaning | unit |\n|---|---|---|\n" + "\n".join(rows)
    if isinstance(asked, Written):
        rows = [f"| {c.name} | {c.points} | {c.full} | {c.half} | {c.none} |" for c in asked.rubric]
        head = "\n\n| marked for | points | all | half | none |\n|---|---|---|---|---|\n"
        return head + "\n".join(rows)
    return ""


def _unit(unit: str) -> str:
    return unit.replace("$", r"\$") if unit not in ("", "1") else "a number"


def _markdown(id: str, source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": id, "metadata": {}, "source": source}


def _code(id: str, source: str) -> dict[str, Any]:
    return {
        "cell_type": "code", "execution_count": None, "id": id, "metadata": {}, "outputs": [],
        "source": source,
    }  # fmt: skip


def write_notebook(path: Path, content: dict[str, Any]) -> None:
    """Save a notebook as JSON."""
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def make_papers(
    set: ProblemSet,
    roster: Roster,
    seed: bytes,
    folder: str | Path,
    install: str = "",
    attempt: int = 1,
) -> Iterator[Path]:
    """Write one notebook per student into a folder, and yield each; with the library beside them.

    `install` is what pip shall install where the library is missing (a URL, a path); left out, a
    wheel of this library is written into the folder, and the notebooks look for it there.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if not install:
        install = write_wheel(folder).name
    if any(c in install for c in "\n\r;|&`"):
        raise InputError(f"{install!r} is nothing that pip installs")
    for student in roster.students:
        path = folder / notebook_name(set, student.id, attempt)
        write_notebook(path, notebook(set.paper(student.id, seed, attempt), student.name, install))
        yield path


# what a student needs: the self-check; core, formulas and planner, since the library is their calculator
CARRIED = (
    "memwall/__init__.py", "memwall/py.typed", "memwall/core", "memwall/catalog", "memwall/formulas", "memwall/planner",
    "memwall_classroom/__init__.py", "memwall_classroom/reading",
)  # fmt: skip
MEASURED = ("runs_", "measured")  # tables that only experiments read, most of the data's bytes
NEEDS = ("numpy>=1.26", "sympy>=1.12")


def write_wheel(folder: Path) -> Path:
    """Write what a paper needs of the library as a wheel: pip installs it without a network but for NEEDS."""
    root = Path(__file__).resolve().parents[2]
    info = f"memory_wall-{__version__}.dist-info"
    path = folder / f"memory_wall-{__version__}-py3-none-any.whl"
    found = sorted(
        p
        for part in CARRIED
        for p in ((root / part).rglob("*") if (root / part).is_dir() else [root / part])
    )
    files = {
        p.relative_to(root).as_posix(): p.read_bytes()
        for p in found
        if p.suffix in (".py", ".csv", ".json", ".typed") and not p.name.startswith(MEASURED)
    }
    needs = "".join(f"Requires-Dist: {need}\n" for need in NEEDS)
    files[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: memory-wall\nVersion: {__version__}\nRequires-Python: >=3.11\n{needs}"
    ).encode()
    files[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: memwall\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    record = "".join(f"{n},sha256={_digest(b)},{len(b)}\n" for n, b in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, content in files.items():
            # the same library, the same file
            info_of = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            wheel.writestr(info_of, content, zipfile.ZIP_DEFLATED)
    return path


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
