"""The classroom: problem sets with a paper of its own for every student, and their marking.

    python -m memwall.classroom make set1 --roster assignments/roster.csv
    python -m memwall.classroom grade set1 submissions/
    python -m memwall.classroom stats graded/
    python -m memwall.classroom key set1 ada

Scores are taken from the answers that a notebook holds; nothing of it is ever run. Whoever
writes questions needs the names below and `assignments/README.md`.
"""

from .answers import Choice, Criterion, Formula, Letter, Number, Written
from .sets import Draw, ProblemSet

__all__ = ["Choice", "Criterion", "Draw", "Formula", "Letter", "Number", "ProblemSet", "Written"]
