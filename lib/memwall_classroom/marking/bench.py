"""How long marking a class takes: 300 honest submissions, made, filled in and marked here.

python -m memwall_classroom bench
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from .course import Roster, Student
from .grading import grade, write_all
from .papers import make_papers
from .sets import ProblemSet, load_set

SEED = b"a seed for the benchmark only"
REACH_SECONDS = 20.0  # for 300 students on two cores


def honest(set: ProblemSet, path: Path, student: Student, turn: int, seed: bytes = SEED) -> int:
    """Fill a paper in as a student might: two thirds right, the rest slips. Returns the points due."""
    content = json.loads(path.read_text(encoding="utf-8"))
    cells = {cell["id"]: cell for cell in content["cells"]}
    due = 0
    for n, item in enumerate(set.paper(student.id, seed).items):
        cell = cells[item.label]
        if item.question.by_hand:
            cell["source"] += "The weights are read once a step, so the batch shares them. " * 40
            continue
        wrong = list(item.asked.wrong_answers().values())
        slip = wrong and (n + turn) % 3 == 0
        text = wrong[turn % len(wrong)] if slip else item.asked.right_answer()
        due += 0 if slip else item.question.points
        cell["source"] = cell["source"].replace('""', json.dumps(text, ensure_ascii=False), 1)
        cell["outputs"] = [
            {"output_type": "stream", "name": "stdout", "text": "well formed\n" * 20}
        ]
    path.write_text(json.dumps(content), encoding="utf-8")
    return due


def run(names: list[str], students: int = 300, folder: str | None = None) -> dict[str, Any]:
    """Make, fill in and mark a class for each set; seconds of each phase, and peak memory."""
    roster = Roster(tuple(Student(f"s{i:03d}", f"Student {i}") for i in range(students)))
    results: dict[str, Any] = {"students": students, "sets": {}}
    for name in names:
        set = load_set(name)
        with tempfile.TemporaryDirectory(dir=folder) as place:
            papers = Path(place) / "papers"
            start = time.perf_counter()
            paths = list(make_papers(set, roster, SEED, papers))
            made = time.perf_counter() - start
            due = [
                honest(set, p, s, i)
                for i, (p, s) in enumerate(zip(paths, roster.students, strict=True))
            ]
            set = load_set(name)  # afresh, as marking is another day's work: nothing is remembered
            start = time.perf_counter()
            marked = grade(set, roster, papers, SEED, quiet=True)
            write_all(marked, Path(place) / "graded")
            spent = time.perf_counter() - start
            exact = [row.score for row in marked.rows] == due
        results["sets"][name] = {"make_s": made, "grade_s": spent, "scores_as_due": exact}
    results["peak_mb"] = peak_megabytes()
    return results


def peak_megabytes() -> float | None:
    """The most memory this process has held, or None where the system does not say."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


def table(results: dict[str, Any]) -> str:
    """The results for a terminal."""
    n = results["students"]
    lines = [
        f"{n} honest submissions a set",
        f"{'set':10} {'make':>8} {'mark':>8}  scores as they should be",
    ]
    for name, r in results["sets"].items():
        lines.append(
            f"{name:10} {r['make_s']:7.1f}s {r['grade_s']:7.1f}s  {'yes' if r['scores_as_due'] else 'NO'}"
        )
    worst = max(r["grade_s"] for r in results["sets"].values())
    verdict = "reached" if worst * 300 / n <= REACH_SECONDS else "not reached"
    memory = "not known here" if results["peak_mb"] is None else f"{results['peak_mb']:.0f} MB"
    lines.append(
        f"slowest set {worst:.1f} s (aim for 300: under {REACH_SECONDS:.0f} s, {verdict}); peak memory {memory}"
    )
    return "\n".join(lines)
