"""What a question tells about the form of its answer, the same to the marker and to the self-check."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from .grammar import COUNTED, NO_DIMENSION, Measure, parse_quantity, parse_unit
from .words import CHANGING, ECHOED, FILLING, PURE, TOGETHER, singular, word_measure


@dataclass(frozen=True)
class Form:
    """What a question tells about the form of its answer; the same for the marker and the self-check.

    `least` and `most` are the ends of what is plausible, `words` those of the question that an
    answer may repeat (least, more, user), `counted` its own names for what is counted (texts).
    """

    unit: str = ""
    least: str = ""
    most: str = ""
    words: str = ""
    counted: str = ""
    whole: bool = False

    @functools.cached_property
    def measure(self) -> Measure:
        return parse_unit(self.unit)

    @functools.cached_property
    def said(self) -> frozenset[str]:
        return frozenset(map(singular, self.words.lower().split()))

    @functools.cached_property
    def nouns(self) -> frozenset[str]:
        return frozenset(map(singular, self.counted.lower().split()))

    @functools.cached_property
    def per(self) -> float:
        """How many of them a price is asked for: 1e6 in $/Mtok."""
        below = self.unit.partition("/")[2].strip()
        measure = parse_unit(below) if below else Measure()
        return measure.size if measure.counts else 1.0

    @functools.cached_property
    def binds(self) -> frozenset[str]:
        """What an answer may be per although the unit asked does not say so: ms per step."""
        found = {name for name, words in COUNTED.items() if self.said & {*words.split(), name}}
        asked = self.measure.text()
        if asked == "s":
            found |= {"step", "token", "sequence"}
        elif asked == "token/s" and not self.said & TOGETHER:
            found.add("sequence")
        return frozenset(found)

    def plausible(self, value: float) -> bool:
        """True if a value in SI is of this world, as far as the question says."""
        if not self.least:
            return True
        low, high = _si(self.least), _si(self.most)
        return low <= value <= high and not (self.whole and abs(value - round(value)) > 1e-6)

    @property
    def counts(self) -> bool:
        """True if the answer is a number of things, of which there are no parts."""
        return self.measure.dimension == NO_DIMENSION and any(
            e > 0 for e in self.measure.counts.values()
        )


def may_repeat(question: str) -> tuple[str, str]:
    """What an answer may repeat of its question: words of its last part that matter here, and what it counts.

    >>> may_repeat("A law office ... How many texts must one user send at least?")
    ('user least', 'texts')
    """
    asked = " ".join(re.findall(r"[a-z]+", question.split("\n\n")[-1]))
    names = {n for known in COUNTED.values() for n in known.split()} | {
        n for n in COUNTED if n.islower()
    }
    words = [
        w for w in asked.split() if w in ECHOED | TOGETHER or w in names or singular(w) in names
    ]
    counted = re.findall(r"[Hh]ow many ([a-z]+(?:'? [a-z]+)?)", question.replace("' ", " "))
    nouns = [
        n
        for text in counted
        for n in text.split()
        if n not in CHANGING and n not in PURE and n not in FILLING
    ]
    nouns = [n for n in nouns if word_measure(n) is None]
    return " ".join(dict.fromkeys(words)), " ".join(dict.fromkeys(nouns))


@functools.lru_cache(maxsize=256)
def _si(text: str) -> float:
    return parse_quantity(text).value
