"""What became of each student's work: one row a student, whatever was handed in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..reading.answers import BLANK, Verdict
from .course import Student
from .sets import Item, Paper, ProblemSet
from .tables import number


@dataclass
class Row:
    """One student's line: what became of each question, and why it is not simply marked."""

    student: Student
    paper: Paper
    status: str = "missing"  # marked, missing, broken, held or excused
    reason: str = "nothing was handed in"  # for the student and the teacher
    notes: list[str] = field(default_factory=list)  # for the teacher
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    essays: dict[str, str] = field(default_factory=dict)
    hand: dict[str, float | None] = field(default_factory=dict)  # by "h1.1", None: not yet marked
    decided: dict[str, float] = field(default_factory=dict)  # a teacher's points, by "q1"
    remarks: dict[str, str] = field(default_factory=dict)  # a teacher's words on one answer
    comment: str = ""  # of whoever marked by hand, for the student
    file: str = ""  # the notebook that counts
    saved: float = 0.0  # when it was last written
    late: int = 0  # days
    penalty: float = 0.0  # the share of the total that lateness takes

    def points(self, item: Item) -> float:
        """A teacher's points, else the machine's: all, a part by rule, or none."""
        if item.label in self.decided:
            return number(self.decided[item.label])
        verdict = self.verdicts.get(item.label, BLANK)
        share = getattr(self.paper.set.credit, verdict.slip) if verdict.slip else 0.0
        return item.question.points if verdict.right else number(item.question.points * share)

    @property
    def counts(self) -> bool:
        """True if this row has a result: of what is held, broken or excused nothing is known."""
        return self.status in ("marked", "missing")

    @property
    def score(self) -> float:
        """Points for the questions that the machine marks."""
        return number(sum(self.points(item) for item in self.paper.marked))

    @property
    def hand_score(self) -> float:
        return number(sum(points or 0 for points in self.hand.values()))

    @property
    def total(self) -> float:
        return number((self.score + self.hand_score) * (1 - self.penalty))

    def cells(self) -> list[Any]:
        """Points for each question: by the machine; by hand, or nothing while a line of the rubric waits."""
        if not self.counts:
            return ["" for _ in self.paper.items]
        return [
            self.hand_points(item) if item.question.by_hand else self.points(item)
            for item in self.paper.items
        ]

    def hand_points(self, item: Item) -> float | str:
        points = [self.hand.get(key) for key in item.criteria()]
        return "" if None in points else number(sum(p or 0 for p in points))

    def lacks(self) -> list[str]:
        """What the total leaves out, since nobody has marked it yet."""
        if self.status != "marked":
            return []
        return [item.label for item in self.paper.by_hand if self.hand_points(item) == ""]


@dataclass
class Class:
    """The rows of a class, and the files that were nobody's."""

    set: ProblemSet
    rows: list[Row]
    unclaimed: list[tuple[str, str]]
    refused: tuple[str, ...] = ()  # lines of the roster that could not be used
    waiting: int = 0  # answers that wait for a teacher's decision
