"""The classroom: problem sets with a paper of its own for every student, and their marking.

    python -m memwall_classroom make set1 --roster assignments/roster.csv
    python -m memwall_classroom grade set1 submissions/
    python -m memwall_classroom stats graded/
    python -m memwall_classroom key set1 ada

Scores are taken from the answers that a notebook holds; nothing of it is ever run. Whoever
writes questions needs the names below and `assignments/README.md`.
"""

from typing import Any

_HOMES = {
    "Draw": "marking.sets", "ProblemSet": "marking.sets", "Choice": "reading.answers", "Criterion": "reading.answers",
    "Formula": "reading.answers", "Letter": "reading.answers", "Number": "reading.answers", "Written": "reading.answers",
}  # fmt: skip
__all__ = ["Choice", "Criterion", "Draw", "Formula", "Letter", "Number", "ProblemSet", "Written"]


def __getattr__(name: str) -> Any:
    # found when it is first used: a student's paper carries `reading` alone
    import importlib

    if name not in _HOMES:
        raise AttributeError(f"module 'memwall_classroom' has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
