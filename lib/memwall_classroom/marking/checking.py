"""What every question must survive before a class sees it: tried for many student ids.

Each paper can be built; its key scores full and its listed mistakes score nothing, each with
the hint meant for it; the key does not hang on the third digit of an input; the self-check says
the same to everybody; and ids rarely share numbers.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..reading.answers import Choice, Formula, Number, Written
from ..reading.grammar import Node, evaluate, parse_quantity
from .sets import ProblemSet, Question

SEED = b"a seed for trying questions, not for a class"
NUDGE = 1e-5
RAREST = 0.15  # of the points, for each argument of a max or min
AMPLIFIES = 9  # at most: then an input's third digit stays within the tolerance


@dataclass
class Trial:
    """What came of trying a question for many ids."""

    question: Question
    papers: int = 0
    faults: list[str] = field(default_factory=list)
    texts: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    checks: set[str] = field(default_factory=set)
    structures: set[str] = field(default_factory=set)
    conditioning: float = 0.0

    def line(self) -> str:
        state = (
            "good" if not self.faults else f"{len(self.faults)} faults, the first: {self.faults[0]}"
        )
        return (
            f"{self.question.name:24} {self.papers:4} papers {len(self.texts):4} texts "
            f"{len(self.keys):4} keys  amplifies at most {self.conditioning:.2g}  {state}"
        )


def try_question(set: ProblemSet, question: Question, ids: list[str], every: int = 1) -> Trial:
    """Build and mark one question for many ids; the slower checks for one id in `every`."""
    trial = Trial(question)
    for i, id in enumerate(ids):
        try:
            asked = set.ask(question, id, SEED)
        except Exception as error:  # the author is told, whatever it is
            trial.faults.append(f"{id}: cannot be built: {type(error).__name__}: {error}")
            continue
        trial.papers += 1
        trial.texts.add(asked.text)
        trial.faults += [f"{id}: {fault}" for fault in _text_faults(asked)]
        if isinstance(asked, Written):
            if asked.points() != question.points:
                trial.faults.append(
                    f"{id}: its rubric adds up to {asked.points()}, not {question.points}"
                )
            continue
        trial.checks.add(asked.self_check())
        if i % every == 0:
            key = asked.right_answer()
            trial.keys.add(key)
            trial.structures.add(str(asked.key) if isinstance(asked, Formula) else "")
            trial.faults += [f"{id}: {fault}" for fault in _marking_faults(asked, key)]
            if isinstance(asked, Number) and not asked.whole:
                nudged = set.ask(question, id, SEED, nudge=NUDGE)
                change = abs(nudged.answer / asked.answer - 1) / NUDGE
                trial.conditioning = max(trial.conditioning, change)
                if change > AMPLIFIES:
                    trial.faults.append(
                        f"{id}: a change of 1 % in its inputs changes the answer by {change:.0f} %"
                    )
    return trial


def _text_faults(asked: Any) -> list[str]:
    faults = []
    text = asked.text + getattr(asked, "solution", "")
    if re.search(r"(?<!\\)\$", asked.text):
        faults.append("a dollar sign is not escaped: Jupyter would read mathematics")
    if re.search(r"\bnan\b|\binf\b|\d{8,}|e[+-]?\d\d\b", asked.text):
        faults.append("a number in the text is not printed for people")
    if not getattr(asked, "solution", getattr(asked, "model", "")).strip():
        faults.append("it has no worked solution")
    if "{" in text.replace("{,}", ""):
        faults.append("a brace is left over in its text")
    return faults


def _marking_faults(asked: Any, key: str) -> list[str]:
    """The key must score, the mistakes must not, and each must get its own hint."""
    faults = []
    if not (verdict := asked.mark(key)).right:
        faults.append(f"its key {key!r} is marked {verdict.state}: {verdict.hint}")
    for hint, text in asked.wrong_answers().items():
        verdict = asked.mark(text)
        if verdict.right:
            faults.append(f"the mistake {text!r} scores")
        elif verdict.hint != hint:
            faults.append(f"the mistake {text!r} gets the hint {verdict.hint!r}, not {hint!r}")
    if isinstance(asked, Number):
        low, high = (parse_quantity(end).value for end in asked.plausible)
        if high < 100 * low:
            faults.append("its self-check is so narrow that it gives the answer away")
        if not asked.whole and not asked.mark(_rounded(asked)).right:
            faults.append("its answer rounded to three figures does not score")
    if isinstance(asked, Formula):
        if (share := _rarest_branch(asked.tree, asked.points)) < RAREST:
            faults.append(f"a branch of its max or min counts at {share:.0%} of the points only")
        shifted = [np.asarray(wrong(**asked.points), float) for wrong in asked.mistakes.values()]
        if any(not np.isfinite(values).all() for values in shifted):
            faults.append("a mistake is not finite over the domain")
    if isinstance(asked, Choice) and len(asked.options) != len({t.lower() for t in asked.options}):
        faults.append("two of its options are the same")
    return faults


def _rarest_branch(tree: Node, points: dict[str, np.ndarray]) -> float:
    """The smallest share of the points at which an argument of a max or min is the one that counts."""
    shares = [1.0, *(_rarest_branch(part, points) for part in tree.parts)]
    if tree.kind in ("max", "min"):
        count = len(next(iter(points.values())))
        values = np.array(
            [np.broadcast_to(evaluate(part, points), (count,)) for part in tree.parts]
        )
        picked = values.argmax(0) if tree.kind == "max" else values.argmin(0)
        shares += [float(np.mean(picked == i)) for i in range(len(values))]
    return min(shares)


def _rounded(asked: Number) -> str:
    value = asked.answer / asked.measure.size
    digits = 2 - math.floor(math.log10(abs(value)))
    return f"{round(value, digits):.12g} {asked.unit}"


def try_set(set: ProblemSet, count: int = 500, every: int = 1) -> list[Trial]:
    """Try all questions of a set for `count` ids."""
    ids = [f"s{i:04d}" for i in range(count)]
    return [try_question(set, question, ids, every) for question in set.questions]
