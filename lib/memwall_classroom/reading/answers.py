"""Kinds of answers, and how each is marked: a number with a unit, a formula, a choice, an essay.

A question's function returns one of these. Each knows what it asks in words, what its
self-check may say, whether a given text answers it, and what probably went wrong when
it does not. Nothing here reads files or runs anything a student wrote.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from .amounts import read_amount
from .choices import read_letter
from .expressions import read_formula
from .form import Form, may_repeat
from .grammar import (
    GrammarError,
    Measure,
    Node,
    dimension,
    dimension_text,
    evaluate,
    identical,
    is_rational,
    kind_of,
    parse_formula,
    parse_quantity,
    parse_unit,
)
from .units import unit_complaint

POINTS = 48  # where two formulas are compared by numbers
COARSE = (
    2.5  # tolerances within which a wrong number is rounded too coarsely; mistakes lie beyond 3
)
AGREE = 1e-6  # and how closely they must agree there


@dataclass(frozen=True)
class Verdict:
    """What became of one answer: its state, how it was read, and a hint for the student."""

    state: str  # right, wrong, unreadable or blank
    read_as: str = ""
    hint: str = ""
    slip: str = ""  # what alone is wrong with it: unit, rounding, or carried (an earlier error)
    value: float | None = None  # of a number, in SI

    @property
    def right(self) -> bool:
        return self.state == "right"


BLANK = Verdict("blank", hint="No answer found.")


# ---------------------------------------------------------------- a number with its unit

# a ratio given / expected, and the slip it betrays; looked up after the question's own mistakes
_SLIPS: tuple[tuple[float, str], ...] = (
    (2, "You are off by 2: was a multiply-add counted once (or twice), a link in both directions?"),
    (8, "You are off by 8: bits taken for bytes, or bytes for bits?"),
    (60, "You are off by 60: minutes and seconds, or hours and minutes?"),
    (3600, "You are off by 3,600: hours and seconds?"),
    (86400, "You are off by 86,400: days and seconds?"),
    (100, "You are off by 100: percent and fraction?"),
    (1.024, "You are off by 2.4 %: KiB and kB are not the same (1,024 and 1,000)."),
    (1.048576, "You are off by 4.9 %: MiB and MB are not the same (2^20 and 10^6)."),
    (1.073741824, "You are off by 7.4 %: GiB and GB are not the same (2^30 and 10^9)."),
    (1.099511627776, "You are off by 10 %: TiB and TB are not the same (2^40 and 10^12)."),
    (1e3, "You are off by 1,000: a prefix slipped (ms for s, kB for MB, GB for TB)?"),
    (1e6, "You are off by a million: a prefix slipped (µs for s, MB for TB, per token for per million tokens)?"),
    (1e9, "You are off by 10^9: was giga, nano or 'billion' lost?"),
    (1e12, "You are off by 10^12: was tera or 'trillion' lost?"),
    (8e9, "You are off by 8 x 10^9: bits for bytes, and giga lost?"),
    (8e3, "You are off by 8,000: bits for bytes, and a prefix?"),
)  # fmt: skip


UNEXPLAINED = "No usual slip explains it: check which quantities enter, and at which step."


@dataclass(frozen=True)
class Number:
    """A question whose answer is a number with a unit.

    `answer` and the values of `mistakes` (hint: wrong value) are in SI, `unit` is the unit asked
    in; `plausible` are the ends of the self-check's range, the same for every student.
    """

    text: str
    answer: float
    unit: str
    plausible: tuple[str, str]
    mistakes: Mapping[str, float] = field(default_factory=dict)
    solution: str = ""
    tolerance: float = 0.02
    whole: bool = False
    follows: str = ""  # the question whose answer this one takes up, and
    carried: Callable[[float], float] | None = None  # what is right for any answer to that
    counted: str = ""  # the story's own names for what is counted: texts, drives of this name

    @cached_property
    def form(self) -> Form:
        """What the reader may know of the question."""
        words, nouns = may_repeat(self.text)
        return Form(
            self.unit, *self.plausible, words, f"{nouns} {self.counted}".strip(), self.whole
        )

    @cached_property
    def measure(self) -> Measure:
        return parse_unit(self.unit)

    def asks(self) -> str:
        """What is expected, in words."""
        kind = kind_of(self.measure)
        if self.whole:
            return f"{kind}, whole"
        must = "" if self.measure.text() == "a pure number" else " with its unit"
        return f"{kind}{must}, such as `{f'12.3 {self.unit}'.strip()}`"

    def self_check(self) -> str:
        """The arguments of the self-check in the student's notebook: no key, the same for all."""
        given = {
            "unit": self.unit, "least": self.plausible[0], "most": self.plausible[1],
            "words": self.form.words, "counted": self.form.counted,
        }  # fmt: skip
        said = [f'{name}="{value}"' for name, value in given.items() if value or name == "unit"]
        return ", ".join([*said, *(["whole=True"] if self.whole else [])])

    def right_answer(self) -> str:
        """The key, as a student could have typed it."""
        return f"{self.answer / self.measure.size:.6g} {self.unit}".strip()

    def wrong_answers(self) -> dict[str, str]:
        """The listed mistakes, as a student would have typed them, by hint."""
        return {
            h: f"{v / self.measure.size:.6g} {self.unit}".strip() for h, v in self.mistakes.items()
        }

    def flaws(self) -> list[str]:
        """Why these parameters make a bad question: then others are drawn."""
        found = []
        low, high = (parse_quantity(end).value for end in self.plausible)
        if not (math.isfinite(self.answer) and low < self.answer < high):
            found.append(f"the answer {self.answer:g} is outside {self.plausible}")
        values = list(self.mistakes.values())
        for i, value in enumerate(values):
            if not math.isfinite(value) or self._near(value, self.answer, 3):
                found.append(
                    f"mistake {i + 1} gives {value:g}, too near the answer {self.answer:g}"
                )
            if any(self._near(value, other, 2.5) for other in values[:i]):
                found.append(f"mistake {i + 1} gives {value:g}, too near another")
        return found

    def _near(self, value: float, other: float, slack: float = 1) -> bool:
        if self.whole:
            return abs(value - other) < 0.5
        return abs(value - other) <= slack * self.tolerance * abs(other)

    def mark(self, text: str) -> Verdict:
        try:
            read = read_amount(text, self.form)
        except GrammarError as error:
            return Verdict("unreadable", hint=f"It could not be read: {error}.")
        given, read_as = read.quantity, read.quantity.text()
        typed = given.value / given.measure.size * self.measure.size  # as if in the unit asked
        if complaint := unit_complaint(given.measure, self.measure, self.unit, self.form.binds):
            near = self._near(typed, self.answer) or self._near(given.value, self.answer)
            return Verdict("wrong", read_as, complaint, "unit" if near else "")
        if read.other is not None and self._near(read.other, self.answer):
            told = "Its comma may part thousands or decimals, and both are possible here: your teacher will look."
            return Verdict("unreadable", read_as, told)
        if self.whole and abs(given.value - round(given.value)) > 1e-6:
            told = "A whole number is asked: round the way the story demands."
            return Verdict("wrong", read_as, told, value=given.value)
        if self._near(given.value, self.answer):
            return Verdict("right", read_as, value=given.value)
        told = self._diagnosis(given.value)
        if self._near(typed, self.answer):
            return Verdict("wrong", read_as, told, "unit", given.value)
        if told == UNEXPLAINED and not self.whole and self._near(given.value, self.answer, COARSE):
            told = f"It is off by more than {self.tolerance:.0%}: carry a figure more."
            return Verdict("wrong", read_as, told, "rounding", given.value)
        return Verdict("wrong", read_as, told, value=given.value)

    def carry(self, verdict: Verdict, earlier: float) -> Verdict:
        """The verdict again, if this wrong answer is right for a wrong answer to the question it follows."""
        if self.carried is None or verdict.value is None or verdict.slip:
            return verdict
        try:
            due = float(self.carried(earlier))
        except (ArithmeticError, ValueError):  # the earlier answer leads nowhere
            return verdict
        if not math.isfinite(due) or not self._near(verdict.value, due):
            return verdict
        told = "It follows rightly from your earlier answer."
        return Verdict("wrong", verdict.read_as, told, "carried", verdict.value)

    def _diagnosis(self, value: float) -> str:
        for hint, wrong in self.mistakes.items():
            if self._near(value, wrong):
                return hint
        if value == 0 or self.answer == 0:
            return "Zero is not the answer here."
        ratio = value / self.answer
        if ratio < 0:
            return "The sign is wrong: the quantity is positive."
        for factor, hint in _SLIPS:
            # a slip of 2.4 % is told apart from rounding only by a close look
            width = 0.004 if factor < 1.2 else 0.01
            if abs(ratio / factor - 1) < width or abs(ratio * factor - 1) < width:
                return hint
        if not self.unit and abs(value * self.answer - 1) < 0.01:
            return "It is upside down: you gave the inverse of the ratio."
        return UNEXPLAINED


def apart(
    answer: float, mistakes: Mapping[str, float], tolerance: float = 0.02
) -> dict[str, float]:
    """The mistakes whose values can be told from the answer and from each other, in order.

    For questions whose numbers cannot be drawn again, because several share them.

    >>> apart(100, {"far": 50, "too near": 101, "like the first": 51, "negative": -1})
    {'far': 50}
    """
    kept: dict[str, float] = {}
    for hint, value in mistakes.items():
        if value > 0 and all(
            abs(value - other) > 3.2 * tolerance * abs(other) for other in (answer, *kept.values())
        ):
            kept[hint] = value
    return kept


# ---------------------------------------------------------------- a formula


@dataclass(frozen=True)
class Letter:
    """A symbol that a formula may use: what it means, its unit, and the range it is tried over."""

    meaning: str
    unit: str
    low: float
    high: float


@dataclass(frozen=True)
class Formula:
    """A question whose answer is a formula.

    `answer` and the values of `mistakes` take the letters as arguments of the same name and call
    the library, so they read numbers, arrays and SymPy symbols alike.
    """

    text: str
    answer: Callable[..., Any]
    letters: Mapping[str, Letter]
    unit: str
    mistakes: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    solution: str = ""
    written: str = ""  # the answer as the book would write it; left out, as SymPy prints it

    @cached_property
    def measure(self) -> Measure:
        return parse_unit(self.unit)

    @cached_property
    def symbols(self) -> dict[str, Any]:
        import sympy

        return {name: sympy.Symbol(name, positive=True) for name in self.letters}

    @cached_property
    def points(self) -> dict[str, np.ndarray]:
        """Random points of the domain, the same whenever this question is marked."""
        rng = np.random.default_rng(20260429)
        return {
            name: np.exp(rng.uniform(math.log(letter.low), math.log(letter.high), POINTS))
            for name, letter in self.letters.items()
        }

    @cached_property
    def key(self) -> Any:
        """The answer as algebra, from the library's own functions."""
        return self.answer(**self.symbols)

    @cached_property
    def tree(self) -> Node:
        """The answer in the students' grammar."""
        return parse_formula(self.right_answer(), self.letters)

    @cached_property
    def values(self) -> np.ndarray:
        """The answer at the random points."""
        return np.broadcast_to(np.asarray(self.answer(**self.points), float), (POINTS,))

    def asks(self) -> str:
        return f"a formula for {kind_of(self.measure)}, in the symbols listed only; * for times, ^ for powers"

    @property
    def units(self) -> dict[str, str]:
        return {name: letter.unit for name, letter in self.letters.items()}

    def self_check(self) -> str:
        return f'unit="{self.unit}", symbols={self.units!r}'

    def right_answer(self) -> str:
        return self.written or in_grammar(self.key)

    def wrong_answers(self) -> dict[str, str]:
        return {hint: in_grammar(wrong(**self.symbols)) for hint, wrong in self.mistakes.items()}

    def flaws(self) -> list[str]:
        found = []
        if not np.isfinite(self.values).all():
            found.append("the answer is not finite over the whole domain of its letters")
        if self.written and not self.mark(self.written).right:
            found.append(f"{self.written} is not the answer")
        for hint, wrong in self.mistakes.items():
            if agree(np.asarray(wrong(**self.points), float), self.values, 1e-3):
                found.append(f"mistake {hint!r} agrees with the answer")
        return found

    def mark(self, text: str) -> Verdict:
        try:
            tree = read_formula(text, self.units, self.unit).tree
        except GrammarError as error:
            return Verdict("unreadable", hint=f"It could not be read: {error}.")
        shown = text.strip()
        try:
            given = dimension(
                tree, {name: parse_unit(unit).dimension for name, unit in self.units.items()}
            )
        except GrammarError as error:
            return Verdict("wrong", shown, f"Its units do not fit: {error}.")
        if given is not None and given != self.measure.dimension:
            asked = f"{kind_of(self.measure)} ({dimension_text(self.measure.dimension)})"
            told = f"Its unit comes out as {dimension_text(given)}; {asked} is asked."
            return Verdict("wrong", shown, told)
        if is_rational(tree) and identical(tree, self.tree, self.letters):
            return Verdict("right", shown, "It equals the answer by algebra.")
        with np.errstate(all="ignore"):
            values = np.broadcast_to(np.asarray(evaluate(tree, self.points), float), (POINTS,))
            if agree(values, self.values):
                told = f"It equals the answer at {POINTS} random points."
                return Verdict("right", shown, told)
            return Verdict("wrong", shown, self._diagnosis(values))

    def _diagnosis(self, values: np.ndarray) -> str:
        for hint, wrong in self.mistakes.items():
            if agree(values, np.asarray(wrong(**self.points), float), 1e-4):
                return hint
        if not values.any():
            return "Zero is not the answer here."
        with np.errstate(all="ignore"):
            ratio = values / self.values
        if not np.isfinite(ratio).all():
            return "It is not defined everywhere: does something cross zero?"
        if (ratio < 0).all() and agree(-ratio, np.ones(POINTS)):
            return "The sign is wrong."
        if agree(ratio, np.full(POINTS, ratio[0])):
            for factor, hint in _SLIPS[:2]:
                if abs(ratio[0] / factor - 1) < 1e-6 or abs(ratio[0] * factor - 1) < 1e-6:
                    return hint
            return "It is right up to a constant factor."
        if agree(values * self.values, np.full(POINTS, values[0] * self.values[0])):
            return "It is upside down: you gave the inverse."
        for name, at in self.points.items():
            for power, word in ((1, "too much"), (-1, "too little")):
                if agree(ratio, at**power):
                    return (
                        f"There is one factor of {name} {word}: for what is the quantity counted?"
                    )
        if agree(values, self.values, 0.05):
            return "It is nearly right: keep constants exact, and look for a small term left out."
        share = float(np.mean(np.abs(ratio - 1) < AGREE))
        if share > 0.1:
            return f"It is right in part of the range ({share:.0%} of the points tried): which clock sets the pace elsewhere?"
        return "No usual slip explains it: write down each term's unit, then what it counts."


def agree(a: np.ndarray, b: np.ndarray, relative: float = AGREE) -> bool:
    """True if two formulas' values agree at every point; where one is not finite they do not."""
    with np.errstate(all="ignore"):
        return bool(np.all(np.abs(a - b) <= relative * np.abs(b)))


def in_grammar(expression: Any) -> str:
    """A SymPy expression in the students' grammar, whole numbers without their .0."""
    import sympy

    def plain(e: Any) -> Any:
        return e.xreplace({f: sympy.Integer(f) for f in e.atoms(sympy.Float) if f == int(f)})

    text = str(plain(plain(expression)))  # twice: 2 times 0.5 is a whole number only then
    for theirs, ours in (("Max(", "max("), ("Min(", "min("), ("ceiling(", "ceil(")):
        text = text.replace(theirs, ours)
    return text


# ---------------------------------------------------------------- a choice


@dataclass(frozen=True)
class Choice:
    """A question with options; `options` maps each text to its hint, the right one to ''."""

    text: str
    options: Mapping[str, str]
    solution: str = ""

    @property
    def letter(self) -> str:
        return "ABCDEF"[[not hint for hint in self.options.values()].index(True)]

    def asks(self) -> str:
        return f"one letter, {'ABCDEF'[0]} to {'ABCDEF'[len(self.options) - 1]}"

    def self_check(self) -> str:
        return f'options="{"ABCDEF"[: len(self.options)]}"'

    def right_answer(self) -> str:
        return self.letter

    def wrong_answers(self) -> dict[str, str]:
        return {h: "ABCDEF"[i] for i, h in enumerate(self.options.values()) if h}

    def flaws(self) -> list[str]:
        right = [text for text, hint in self.options.items() if not hint]
        return (
            []
            if len(right) == 1 and 2 <= len(self.options) <= 6
            else ["not exactly one option is right"]
        )

    def mark(self, text: str) -> Verdict:
        letters = "ABCDEF"[: len(self.options)]
        try:
            letter = read_letter(text, letters)
        except GrammarError as error:
            return Verdict("unreadable", hint=f"It could not be read: {error}.")
        if letter == self.letter:
            return Verdict("right", letter)
        return Verdict("wrong", letter, list(self.options.values())[letters.index(letter)])


# ---------------------------------------------------------------- marked by hand


@dataclass(frozen=True)
class Criterion:
    """One line of a rubric: what is looked for, its points, and what earns all, half and none."""

    name: str
    points: int
    full: str
    half: str
    none: str


@dataclass(frozen=True)
class Written:
    """A part that a person marks, with its rubric and what a good answer contains."""

    text: str
    rubric: tuple[Criterion, ...]
    model: str

    def flaws(self) -> list[str]:
        return [] if self.rubric else ["it has no rubric"]

    def points(self) -> int:
        return sum(c.points for c in self.rubric)


Asked = Number | Formula | Choice


# ---------------------------------------------------------------- how a paper prints a value

_TIMES = ((86400.0, "days"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))
_PREFIXES = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))
_WORDS = ((1e12, " trillion"), (1e9, " billion"), (1e6, " million"))


def say(value: float, unit: str = "") -> str:
    """A value in SI for a question's text: exactly, not rounded as `human` does; $ is escaped.

    >>> say(1979e12, "FLOP/s"), say(0.0125, "s"), say(2400), say(0.31e-6, "$/token")[1:]
    ('1.979 PFLOP/s', '12.5 ms', '2,400', '$0.31 / Mtok')
    """
    if unit == "s":
        scale, name = next(
            (t for t in _TIMES if value >= t[0] and _short(value / t[0])), _TIMES[-1]
        )
        return f"{value / scale:.6g} {name}"
    if unit in ("$/s", "$/token"):
        scaled = value * (3600 if unit == "$/s" else 1e6)
        return rf"\${scaled:.6g} / {'h' if unit == '$/s' else 'Mtok'}"
    if unit == "$":
        return rf"\${_counted(value)}"
    if unit == "%":
        return f"{value * 100:.6g} %"
    if unit.startswith(("B", "FLOP")):
        scale, name = next(
            (p for p in _PREFIXES if value >= p[0] * 0.999 and _short(value / p[0])), _PREFIXES[-1]
        )
        return f"{value / scale:,.6g} {name}{unit}"
    return _counted(value) + (f" {unit}" if unit else "")


def _short(value: float) -> bool:
    return len(f"{value:.6g}".replace(".", "").strip("0")) <= 4 or value >= 1000


def _counted(value: float) -> str:
    for scale, word in _WORDS:
        if value >= scale:
            return f"{value / scale:.6g}{word}"
    return f"{value:,.6g}" if value < 1e5 else f"{value:,.0f}"
