"""For teachers who live in nbgrader: a course folder it opens, and scores in its gradebook.

nbgrader runs notebooks to mark them; this project does not. So its course knows our questions
as manually graded cells of the right points, our marker fills their scores in, and nbgrader
keeps the books: `nbgrader export`, formgrader and late penalties work as always.
"""

from __future__ import annotations

import csv
from pathlib import Path

from memwall.core.units import InputError

from .course import Roster, Student
from .papers import notebook, write_notebook, write_wheel
from .rows import Class
from .sets import ProblemSet
from .tables import safe_cell

_CONFIG = """\
c = get_config()
c.CourseDirectory.course_id = "memwall"
c.CourseDirectory.db_url = "sqlite:///gradebook.db"
"""


def write_course(
    set: ProblemSet, roster: Roster, seed: bytes, course: str | Path, install: str
) -> Path:
    """Write the course: the frame of the set in `source/`, students.csv, each student's paper.

    `nbgrader generate_assignment set1` reads the frame; the papers to hand out are in
    `papers/<id>/set1.ipynb`, with the wheel that lies in `papers/`, and come back to `submitted/<id>/set1/set1.ipynb`.
    """
    course, papers = Path(course), Path(course) / "papers"
    papers.mkdir(parents=True, exist_ok=True)
    install = install or write_wheel(papers).name
    source = course / "source" / set.name
    source.mkdir(parents=True, exist_ok=True)
    config = course / "nbgrader_config.py"
    if not config.exists():
        config.write_text(_CONFIG, encoding="utf-8")
    sample = set.paper("sample", seed)
    write_notebook(
        source / f"{set.name}.ipynb", notebook(sample, "a student", install, nbgrader=True)
    )
    with (course / "students.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "first_name", "last_name", "email"])
        for s in roster.students:
            cells = [s.id, *s.first_last(), s.column("email")]
            writer.writerow([safe_cell(cell) for cell in cells])
    for student in roster.students:
        folder = papers / student.id
        folder.mkdir(exist_ok=True)
        paper = notebook(set.paper(student.id, seed), student.name, install, nbgrader=True)
        write_notebook(folder / f"{set.name}.ipynb", paper)
    return course


def load_scores(marked: Class, course: str | Path) -> int:
    """Put a class's scores into the course's gradebook; how many students were loaded."""
    try:
        from nbgrader.api import Gradebook, MissingEntry
    except ModuleNotFoundError:
        raise InputError(
            "nbgrader is not installed: pip install -r requirements-nbgrader.in"
        ) from None
    database = Path(course) / "gradebook.db"
    if not database.is_file():
        raise InputError(
            f"no {database}: run `nbgrader generate_assignment {marked.set.name}` there first"
        )
    with Gradebook(f"sqlite:///{database.resolve()}", "memwall") as book:
        for row in marked.rows:
            _add_student(book, row.student)
            if not row.counts:
                continue  # of what is held, broken or excused nothing is known
            try:
                submission = book.update_or_create_submission(marked.set.name, row.student.id)
            except MissingEntry:
                raise InputError(
                    f"{database} does not know {marked.set.name}: run `nbgrader generate_assignment`"
                ) from None
            items = {item.label: item for item in row.paper.items}
            for grade in submission.notebooks[0].grades:
                item = items.get(grade.name)
                if item is None:
                    continue
                by_hand = (
                    [row.hand.get(key) for key in item.criteria()] if item.question.by_hand else []
                )
                grade.manual_score = row.points(item) + sum(points or 0 for points in by_hand)
                grade.needs_manual_grade = None in by_hand
            book.db.commit()
    return len(marked.rows)


def _add_student(book: object, student: Student) -> None:
    first, last = student.first_last()
    book.update_or_create_student(  # type: ignore[attr-defined]
        student.id, first_name=first or None, last_name=last or None,
        email=student.column("email") or None,
    )  # fmt: skip
