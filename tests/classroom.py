"""A small class for the classroom's tests: a set of four questions, papers, and ways to fill them in."""

import json
from pathlib import Path

from memwall import Model, System, batching, roofline
from memwall_classroom import Choice, Criterion, Formula, Letter, Number, ProblemSet, Written
from memwall_classroom.marking.course import Roster, Student
from memwall_classroom.marking.grading import grade, score_table
from memwall_classroom.marking.papers import notebook, notebook_name

SEED = b"a seed for the tests of the classroom"
SET = ProblemSet("tiny", "A tiny set", (1,), goals=("try the marker",))
FULL = 2 + 3 + 4  # points marked by machine


@SET.question(points=2, minutes=1, goal="drain a memory")
def drain(draw):
    """The drain"""
    capacity, bandwidth = draw.number(20e9, 300e9, 3), draw.number(1e12, 9e12, 3)
    system = System(flops=1e15, bandwidth=bandwidth, capacity=capacity)
    return Number(
        f"A memory of {capacity / 1e9:g} GB is read at {bandwidth / 1e12:g} TB/s. How long does it take?",
        answer=roofline.drain_time(system),
        unit="ms",
        plausible=("1 us", "1 h"),
        mistakes={"You divided the wrong way round.": bandwidth / capacity},
        solution="C / W.",
    )


@SET.question(points=3, minutes=1, goal="write a formula")
def floor_of_a_step(draw):
    """The floor"""
    kind = draw.pick("weights", "cost")
    letters = {
        "N": Letter("parameters", "1", 1e9, 1e12),
        "w": Letter("bytes of each", "B", 0.5, 2),
        "W": Letter("bandwidth", "B/s", 1e12, 1e14),
        "R": Letter("rent a second", "$/s", 1e-3, 1e-1),
    }

    def time(N, w, W, R):
        return roofline.weight_time(Model(N, N, bytes_per_param=w), System(1e15, W)) + 0 * R

    def cost(N, w, W, R):
        made = Model(N, N, bytes_per_param=w, kv_bytes_per_token=0)
        return roofline.weight_time(made, System(1e15, W)) * R

    answer = time if kind == "weights" else cost
    return Formula(
        f"Write the {'time' if kind == 'weights' else 'dollars'} that reading all weights takes.",
        answer, letters, "s" if kind == "weights" else "$",
        {"You took two bytes a weight.": lambda **v: 2 * answer(**v)},
        "N w / W.",
    )  # fmt: skip


@SET.question(points=4, minutes=1, goal="read a price list")
def slow(draw):
    """The slow mode"""
    dearer, faster, price = (
        draw.integer(20, 80) * 0.1,
        draw.integer(15, 30) * 0.1,
        draw.integer(3, 60),
    )
    return Number(
        f"Fast costs {dearer:g} times as much and is {faster:g} times as fast; normal costs \\${price} / Mtok. "
        "How cheap can slow be?",
        answer=price * 1e-6 * batching.slow_mode_floor(dearer, faster),
        unit="$/Mtok",
        plausible=("$0.001 / Mtok", "$1000 / Mtok"),
        solution="p (r - 1) / (p r - 1).",
    )


@SET.written(points=5, minutes=1, goal="argue")
def essay(draw):
    """The essay"""
    return Written(
        f"Argue {draw.pick('for', 'against')} batching.",
        (Criterion("reason", 3, "a reason", "half a one", "none"), Criterion("limit", 2, "a limit", "vague", "none")),
        "Weights are shared.",
    )  # fmt: skip


CHOICE = Choice("Which?", {"this": "", "that": "No.", "neither": "No."}, "this")

ADA, BEN, EVE = (
    Student("ada", "Ada Lovelace"),
    Student("ben", "Ben Bitdiddle"),
    Student("eve", "Eve"),
)
ROSTER = Roster((ADA, BEN, EVE))


def key(student="ada", set=SET):
    """The right answers of a student's paper, by label."""
    return {i.label: i.asked.right_answer() for i in set.paper(student, SEED).marked}


def paper(student="ada", answers=None, set=SET):
    """A student's notebook, filled in with `answers` (by default the right ones)."""
    content = notebook(set.paper(student, SEED), student, "memwall")
    for cell in content["cells"]:
        text = (key(student, set) if answers is None else answers).get(cell["id"])
        if cell["cell_type"] == "code" and text is not None:
            cell["source"] = cell["source"].replace('""', json.dumps(text, ensure_ascii=False), 1)
    return content


def save(folder: Path, content, name=None, student="ada") -> Path:
    """Hand a notebook in: a dictionary as JSON, a text or bytes as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (name or notebook_name(SET, student))
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        text = content if isinstance(content, str) else json.dumps(content)
        path.write_text(text, encoding="utf-8", errors="surrogatepass")
    return path


def marked(folder: Path, roster=ROSTER, **options):
    """The class marked: rows by student id."""
    found = grade(SET, roster, folder, SEED, quiet=True, **options)
    return {row.student.id: row for row in found.rows}


def table(folder: Path, roster=ROSTER, **options):
    """scores.csv's lines as dictionaries."""
    header, rows = score_table(grade(SET, roster, folder, SEED, quiet=True, **options))
    return [dict(zip(header, row, strict=True)) for row in rows]
