"""The classroom: problem sets with a paper of its own for every student, and their marking.

    python -m memwall_classroom make set1 --roster assignments/roster.csv
    python -m memwall_classroom grade set1 submissions/
    python -m memwall_classroom stats graded/
    python -m memwall_classroom key set1 ada

Scores are taken from the answers that a notebook holds; nothing of it is ever run. Whoever
writes questions needs the names below and `assignments/README.md`.
"""

from .marking.sets import Draw, ProblemSet
from .reading.answers import Choice, Criterion, Formula, Letter, Number, Written

__all__ = ["Choice", "Criterion", "Draw", "Formula", "Letter", "Number", "ProblemSet", "Written"]
