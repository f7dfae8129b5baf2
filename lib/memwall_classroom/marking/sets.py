"""Problem sets: questions as short functions, and each student's own paper drawn from a hash.

    SET = ProblemSet("set1", "Waiting, and what it costs", chapters=(1, 2), ...)

    @SET.question(points=2, minutes=6, goal="Say which clock sets the pace of a step")
    def night_shift(draw):
        "The night shift"                      # the title
        batch = draw.number(100, 900)
        return Number("A translation bureau ...", answer=roofline.step_time(...), unit="ms", ...)

Everything a paper varies comes from `draw`, and `draw` from a keyed hash (HMAC-SHA-256) of
course seed, set, question and student id: the same id always gets the same paper, and without
the seed nobody can make another's. The key is whatever the question's function computes: there
is no key file.
"""

from __future__ import annotations

import hashlib
import hmac
import importlib.util
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from memwall.core.nouns import suggest
from memwall.core.units import InputError

from ..reading.answers import Asked, Criterion, Written

T = TypeVar("T")
DRAWS = 300  # draws before a question's author is told that it almost never works out


class Redraw(Exception):
    """These parameters make a bad question; the next draw may make a good one."""


class Draw:
    """Numbers and choices out of a keyed hash: the same on every machine and in every year.

    A second run may be given the `values` of the first and a `nudge`: then every number comes out
    a little larger or smaller in turn, which is how a question's conditioning is tested.
    """

    def __init__(
        self, key: bytes, message: str, values: Sequence[float] = (), nudge: float = 0.0,
        common: str = "common",
    ) -> None:  # fmt: skip
        self._key, self._message, self._common, self._count = key, message, common, 0
        self._first, self._nudge = values, nudge
        self.values: list[float] = []

    def common(self, attempt: int = 0) -> Draw:
        """A draw that all questions of this paper share, for a story told through several."""
        return Draw(self._key, f"{self._common}\0{attempt}")

    def _unit(self) -> float:
        """The next number in [0, 1)."""
        self._count += 1
        block = hmac.digest(self._key, f"{self._message}\0{self._count}".encode(), "sha256")
        return int.from_bytes(block[:7]) / 256**7

    def pick(self, *options: T) -> T:
        """One of the options."""
        return options[int(self._unit() * len(options))]

    def integer(self, low: int, high: int, step: int = 1) -> int:
        """A whole number from `low` to `high`, both possible, in steps."""
        return low + step * int(self._unit() * ((high - low) // step + 1))

    def number(self, low: float, high: float, figures: int = 2) -> float:
        """A number between `low` and `high`, evenly spread in its logarithm, of so many figures."""
        value = math.exp(math.log(low) + self._unit() * math.log(high / low))
        return self.rounded(value, figures)

    def rounded(self, value: float, figures: int = 2) -> float:
        """A value made of drawn numbers, rounded so that the paper prints it as it computes."""
        exact = float(f"{value:.10g}")  # halves round the same way everywhere
        value = float(f"{exact:.{figures}g}")
        if self._first:
            value = self._first[len(self.values)]
        self.values.append(value)
        return value * (1 + self._nudge * (-1) ** len(self.values))

    def shuffled(self, options: Sequence[T]) -> list[T]:
        """The options in another order."""
        rest = list(options)
        return [rest.pop(int(self._unit() * len(rest))) for _ in options]

    def options(self, right: str, wrong: Mapping[str, str]) -> dict[str, str]:
        """Options for a `Choice` in random order, each with its hint, the right one's empty."""
        return dict(self.shuffled([(right, ""), *wrong.items()]))

    def require(self, condition: Any) -> None:
        """Draw again unless the condition holds."""
        if not condition:
            raise Redraw


@dataclass(frozen=True)
class Question:
    """A question of a set: its function and what the teacher's table says about it."""

    name: str
    title: str
    goal: str
    points: int
    minutes: int
    make: Callable[[Draw], Asked | Written]
    by_hand: bool = False


@dataclass(frozen=True)
class Credit:
    """The share of a question's points that an answer gets which is wrong in one thing only."""

    unit: float = 0.5  # the number is right, its unit is missing or wrong
    rounding: float = 0.5  # just outside the tolerance
    carried: float = 1.0  # right for the wrong answer to an earlier question

    def told(self) -> str:
        """The rule, for the paper."""
        parts = [
            (self.unit, "a right number without its unit, or with a wrong one,"),
            (self.rounding, "a number rounded too coarsely"),
        ]
        said = [f"{what} gets {share:.0%} of the points" for share, what in parts if share]
        if self.carried:
            said.append(
                "an error is counted once: what is right for your own earlier answer is right"
            )
        return f"{'; '.join(said)}." if said else "No points are given for parts of an answer."


@dataclass(frozen=True)
class Item:
    """A question as one student sees it: `label` is its column, q1, q2 ... or h1 by hand."""

    label: str
    question: Question
    asked: Any

    def criteria(self) -> dict[str, Criterion]:
        """The lines of its rubric, by their column in hand.csv: h1.1, h1.2 ..."""
        return {f"{self.label}.{i}": c for i, c in enumerate(self.asked.rubric, start=1)}


@dataclass(frozen=True)
class Paper:
    """One student's paper."""

    set: ProblemSet
    student: str
    items: tuple[Item, ...]
    stamp: str  # says whose paper it is, and cannot be made without the seed
    edition: str  # changes with the text: tells that set or library have changed since
    attempt: int = 1

    @property
    def code(self) -> str:
        """What stands for the student where names shall not count."""
        return self.stamp[-6:]

    @property
    def marked(self) -> list[Item]:
        """What the machine marks."""
        return [item for item in self.items if not item.question.by_hand]

    @property
    def by_hand(self) -> list[Item]:
        return [item for item in self.items if item.question.by_hand]


@dataclass
class ProblemSet:
    """A problem set: the questions of some chapters, and how to build a student's paper."""

    name: str
    title: str
    chapters: tuple[int, ...]
    goals: tuple[str, ...]
    intro: str = ""
    credit: Credit = field(default_factory=Credit)
    questions: list[Question] = field(default_factory=list)

    def question(
        self, *, points: int, minutes: int, goal: str
    ) -> Callable[[Callable[[Draw], Asked]], Callable[[Draw], Asked]]:
        """Add the decorated function as a question that the machine marks."""
        return self._add(points, minutes, goal, by_hand=False)

    def written(
        self, *, points: int, minutes: int, goal: str
    ) -> Callable[[Callable[[Draw], Written]], Callable[[Draw], Written]]:
        """Add the decorated function as a part that a person marks."""
        return self._add(points, minutes, goal, by_hand=True)

    def _add(self, points: int, minutes: int, goal: str, by_hand: bool) -> Any:
        def register(make: Any) -> Any:
            title = (make.__doc__ or make.__name__).strip().splitlines()[0].rstrip(".")
            self.questions.append(
                Question(make.__name__, title, goal, points, minutes, make, by_hand)
            )
            return make

        return register

    @property
    def points(self) -> int:
        return sum(q.points for q in self.questions if not q.by_hand)

    @property
    def hand_points(self) -> int:
        return sum(q.points for q in self.questions if q.by_hand)

    @property
    def minutes(self) -> int:
        return sum(q.minutes for q in self.questions)

    def labels(self) -> dict[str, Question]:
        """Each question by its column: q1, q2 ... for the machine, h1 ... by hand."""
        counts = {"q": 0, "h": 0}
        found = {}
        for q in self.questions:
            letter = "h" if q.by_hand else "q"
            counts[letter] += 1
            found[f"{letter}{counts[letter]}"] = q
        return found

    def ask(
        self, question: Question, student: str, seed: bytes, nudge: float = 0.0, attempt: int = 1
    ) -> Any:
        """The question as this student gets it: the first draw without flaws."""
        why: list[str] = []
        student = _again(student, attempt)
        for draws in range(DRAWS):
            message = "\0".join(("question", self.name, question.name, student, str(draws)))
            draw = Draw(seed, message, common=f"common\0{self.name}\0{student}")
            try:
                asked = question.make(draw)
            except Redraw:
                why = ["its function asked for another draw"]
                continue
            why = asked.flaws()
            if not why:
                return self._nudged(question, draw, nudge) if nudge else asked
        raise InputError(
            f"{self.name}.{question.name}: none of {DRAWS} draws for {student!r} was good; "
            f"the last: {'; '.join(why)}"
        )

    @staticmethod
    def _nudged(question: Question, draw: Draw, nudge: float) -> Any:
        again = Draw(draw._key, draw._message, draw.values, nudge, draw._common)
        try:
            return question.make(again)
        except Redraw:  # it stood at the edge of what its function allows
            return question.make(Draw(draw._key, draw._message, common=draw._common))

    def paper(self, student: str, seed: bytes, attempt: int = 1) -> Paper:
        """The paper of a student id; every attempt has numbers of its own."""
        items = tuple(
            Item(label, q, self.ask(q, student, seed, attempt=attempt))
            for label, q in self.labels().items()
        )
        # text and numbers: if a formula or a fact of the library changes, so does this
        text = "\0".join(
            item.asked.text + str(getattr(item.asked, "answer", ""))
            for item in items
            if not callable(getattr(item.asked, "answer", None))
        )
        edition = hmac.new(seed, f"edition\0{text}".encode(), hashlib.sha256).hexdigest()[:12]
        return Paper(self, student, items, self.stamp(student, seed, attempt), edition, attempt)

    def stamp(self, student: str, seed: bytes, attempt: int = 1) -> str:
        """The mark that a paper of this set and student carries."""
        message = f"stamp\0{self.name}\0{_again(student, attempt)}".encode()
        return hmac.new(seed, message, hashlib.sha256).hexdigest()[:24]


def _again(student: str, attempt: int) -> str:
    """What papers are drawn for: a student; from the second attempt on with its number, which no id can hold."""
    return student if attempt == 1 else f"{student}\0attempt {attempt}"


def load_set(name: str | Path) -> ProblemSet:
    """The `SET` of a Python file, given by path or by name (set1: assignments/set1.py)."""
    path = find_set(name)
    spec = importlib.util.spec_from_file_location(f"memwall_assignment_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses and pickling look a module up by name
    spec.loader.exec_module(module)
    found = getattr(module, "SET", None)
    if not isinstance(found, ProblemSet):
        raise InputError(f"{path} defines no SET = ProblemSet(...)")
    return found


def find_set(name: str | Path) -> Path:
    """The file of a set: a path, or a name looked up in the folders called assignments."""
    if Path(name).suffix == ".py" and Path(name).is_file():
        return Path(name)
    folders = set_folders()
    for folder in folders:
        if (path := folder / f"{name}.py").is_file():
            return path
    known = sorted({p.stem for folder in folders for p in folder.glob("*.py")})
    raise InputError(
        f"no problem set {str(name)!r}.{suggest(str(name), known)} Known: {', '.join(known)}"
    )


def set_folders() -> list[Path]:
    """Where sets are looked for: here, and beside the library when it is installed in place."""
    beside = Path(__file__).resolve().parents[3] / "assignments"
    return [p for p in dict.fromkeys((Path("assignments").resolve(), beside)) if p.is_dir()]
