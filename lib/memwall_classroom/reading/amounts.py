"""A number with its unit, out of what people write: `t is about 27,5 ms per step, since ...`.

The text is cut into numbers, words and signs. Every number is read with what stands around it:
sign, currency, powers, words for scales, a unit in signs or words, what it is per. What is said
must then be one value: several are taken only if they say the same (27.5 ms = 0.0275 s) or make
up one duration (41 h 50 min). Words that would change the value (not, twice, less than) are
refused unless the question itself speaks of them; other words are passed over. Nothing is
evaluated beyond products, quotients and powers of written numbers.
"""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass, field

from .form import Form
from .grammar import (
    NO_DIMENSION,
    UNITS,
    GrammarError,
    Measure,
    Quantity,
    parse_quantity,
    unit_named,
)
from .pieces import NUMBER, Piece, Written, pieces_of
from .signs import tidy
from .words import (
    CHANGING,
    DENYING,
    HARMLESS,
    MORE,
    PER,
    PIECES,
    POINTING,
    PURE,
    REASONS,
    RESTATING,
    SCALES,
    SYNONYMS,
    VERBS,
    normal,
    singular,
    word_measure,
)


@dataclass
class _Found:
    """A number as read with all around it; `start` and `end` say which pieces it takes."""

    number: Written
    measure: Measure = field(default_factory=Measure)
    negative: bool = False
    shown: str = ""
    start: int = 0
    end: int = 0
    has_unit: bool = False
    per_said: bool = False

    def si(self, value: float | None = None) -> float:
        size = (self.number.value if value is None else value) * self.measure.size
        return -size if self.negative else size


class _Reader:
    """Reads the pieces of one answer."""

    def __init__(self, pieces: list[Piece], form: Form) -> None:
        self.pieces, self.form = pieces, form
        self.used: set[int] = set()

    def word(self, i: int) -> str:
        return self.pieces[i].text if i < len(self.pieces) and self.pieces[i].kind == "word" else ""

    def sign(self, i: int) -> str:
        return self.pieces[i].text if i < len(self.pieces) and self.pieces[i].kind == "sign" else ""

    def number(self, i: int) -> Written | None:
        return self.pieces[i].number if 0 <= i < len(self.pieces) and self.pieces[i].kind == "number" else None  # fmt: skip

    # ------------------------------------------------------------ numbers

    def found(self) -> list[_Found]:
        found: list[_Found] = []
        i = 0
        while i < len(self.pieces):
            if self.number(i) is None:
                i += 1
                continue
            last = found[-1].end if found else 0
            entry = self._quantity(i, last)
            found.append(entry)
            i = max(entry.end, i + 1)
        if found and not any(entry.has_unit for entry in found):
            self._unit_before(found[0])
        return found

    def _unit_before(self, entry: _Found) -> None:
        """t [ms] = 27.5, `in ms: 27.5`: a unit that stands before its number."""
        if (len(self.word(0)) > 2 or self.word(0) == self.form.unit) and self._before(
            entry, 0, ":"
        ):  # milliseconds: 27.5
            return
        for i in range(entry.start):
            opened = self.sign(i) in ("[", "(", "/") or self.word(i).lower() == "in"
            if opened and self._before(entry, i + 1, "]):=~,"):
                return

    def _before(self, entry: _Found, i: int, ends: str) -> bool:
        """Read a unit from piece i on that one of these signs ends, for a number that has none."""
        if self._factor(i) is None and not self._per(i):
            return False
        read = _Found(entry.number)
        end = self._unit(i, read)
        if not (read.has_unit and self.sign(end) and self.sign(end) in ends and end < entry.start):
            return False
        entry.measure, entry.has_unit, entry.per_said = read.measure, True, read.per_said
        entry.shown = f"{entry.shown} {self._text(i, end)}"
        self.used |= set(range(max(i - 1, 0), end))
        return True

    def _quantity(self, i: int, since: int) -> _Found:
        start, currency = i, None
        if i - 1 >= since and self.word(i - 1) in ("$", "¢"):
            start, currency = i - 1, self.word(i - 1)
        negative = False
        if (start - 1 >= since and self.sign(start - 1) == "-") or (
            start - 1 >= since and self.word(start - 1).lower() in ("minus", "negative")
        ):
            start, negative = start - 1, True
        elif (
            start - 1 >= since
            and since == 0
            and "+" in (self.sign(start - 1), {"plus": "+"}.get(self.word(start - 1)))
        ):
            start -= 1
        if not currency and start < i and i - 2 >= since and self.word(start - 1) == "$":
            start, currency = start - 1, "$"  # $-3
        number, end = self._product(i, bool(currency))
        entry = _Found(number, negative=negative, start=start)
        if currency:
            entry.measure, entry.has_unit = UNITS[currency], True
        end = self._unit(end, entry, slash_only=bool(currency))
        entry.end = end
        entry.shown = self._text(i, end)
        self.used |= set(range(start, end))
        return entry

    def _text(self, start: int, end: int) -> str:
        return "".join(("" if p.glued or j == start else " ") + p.text for j, p in enumerate(self.pieces[start:end], start))  # fmt: skip

    def _product(self, i: int, money: bool) -> tuple[Written, int]:
        """Numbers multiplied and divided, as in 5 * 2^24, 1.16 x 10^-3 and 3/4."""
        number = self.pieces[i].number
        i += 1
        while True:
            sign, after = self.sign(i) or self.word(i).lower(), self.number(i + 1)
            beside = self.number(i)
            if beside is not None and beside.power and not number.power:  # 1.16 10^-3
                number, i = _times(number, beside.value), i + 1
            elif number.whole and (part := self._part(i)):  # 2 1/2
                number, i = Written(number.value + part), i + 3
            elif after is not None and (sign == "*" or sign in ("x", "times")):
                number, i = _times(number, after.value), i + 2
            elif after is not None and sign == "/" and not money:
                if after.value == 0:
                    raise GrammarError("it divides by zero")
                number, i = _times(number, 1 / after.value), i + 2
            else:
                return number, i

    def _part(self, i: int) -> float:
        """The fraction of a mixed number: less than one, of whole numbers."""
        above, below = self.number(i), self.number(i + 2)
        if above is None or below is None or self.sign(i + 1) != "/":
            return 0.0
        return above.value / below.value if above.whole and below.whole and above.value < below.value else 0.0  # fmt: skip

    # ------------------------------------------------------------ units

    def _unit(self, i: int, entry: _Found, slash_only: bool = False) -> int:
        """Read a unit from piece i on into the entry; where it ends."""
        closing, first = "", i
        i += self._one_over(i)
        if self.sign(i) in ("[", "(") and not slash_only:
            inside = i + 2 if self.word(i + 1).lower() == "in" else i + 1
            if (read := self._factor(inside)) is not None or self._per(inside):
                closing, i = {"[": "]", "(": ")"}[self.sign(i)], inside
                if read is None:
                    i = first  # a parenthesis that says per what
                    closing = ""
        comma = self.sign(i) == ","
        if not slash_only and self.word(i + comma).lower() == "in" and self._factor(i + comma + 1):
            i += comma + 1
        if (read := None if slash_only else self._factor(i)) is not None:
            measure, i = read
            entry.measure, entry.has_unit = entry.measure.times(measure), True
        elif not slash_only and closing:
            return first
        while True:
            step = i
            opened = self.sign(i) in ("(", "[", ",") and bool(self._per(i + 1, strict=True))
            j = i + 1 if opened else i
            if width := self._per(j):
                read = self._factor(j + width, below=True)
                loose = self.word(j).lower() in ("a", "an", "for", "in", "one", "each", "every")
                if read is None and loose:
                    break
                if read is None:
                    if self.number(j + width) is not None:
                        break
                    word = self.word(j + width)
                    if singular(word.lower()) not in self.form.said | self.form.nouns:
                        self._stranger(j + width)
                    i = j + width + 1
                else:
                    measure, i = read
                    entry.measure = entry.measure.times(measure, -1)
                entry.has_unit = entry.per_said = True
                if opened and self.sign(i) in (")", "]"):
                    i += 1
            elif self.sign(i) == "*" and (read := self._factor(i + 1)) is not None:
                entry.measure, entry.has_unit, i = entry.measure.times(read[0]), True, read[1]
            elif (
                (read := self._factor(i)) is not None
                and entry.has_unit
                and self._multiplies(read[0])
            ):
                entry.measure, i = entry.measure.times(read[0]), read[1]
                entry.per_said |= any(e < 0 for e in read[0].counts.values())
            if i == step:
                break
        if closing and self.sign(i) == closing:
            i += 1
        if not entry.has_unit and self.word(i):
            i = self._bare(i)
        return i

    def _one_over(self, i: int) -> bool:
        """True for the 1 in 27.5 1/s."""
        one = self.number(i)
        alone = one is not None and one.whole and one.value == 1 and self.sign(i + 1) == "/"
        return alone and self._factor(i + 2) is not None

    @staticmethod
    def _multiplies(measure: Measure) -> bool:
        """A unit that follows another without a sign: tokens s^-1, kB token^-1, and not ms step."""
        return measure.dimension != NO_DIMENSION or any(e < 0 for e in measure.counts.values())

    def _per(self, i: int, strict: bool = False) -> int:
        """How many pieces say per: a slash, or a word (and for a, in each ...)."""
        if self.sign(i) == "/":
            return 1
        word = self.word(i).lower()
        if word == "per" or (word in PER and not strict):
            if word in ("for", "in", "per") and self.word(i + 1).lower() in ("a", "an", "each", "every", "one", "any"):  # fmt: skip
                return 2
            return 0 if word in ("in", "one") else 1
        return 0

    def _factor(self, i: int, below: bool = False) -> tuple[Measure, int] | None:
        """One unit with its power, or a parenthesis of them; None if none begins here."""
        if self.sign(i) == "(":
            return self._parenthesis(i, below)
        size = 1.0
        start = i
        if below and (number := self.number(i)) is not None:
            number, j = self._product(i, money=True)
            if number.value <= 0 or abs(math.log10(number.value) % 1) > 1e-9:
                return None  # per 128 users says something else
            size, i = number.value, j
        i, size, scaled = self._scales(i, size)
        read = self._noun(i, scaled)
        if read is None:
            if i == start:
                return None
            return Measure(size), i
        measure, i = read
        if size != 1:
            measure = Measure(size).times(measure)
        if self.sign(i) == "^":
            measure, i = self._raised(measure, i)
        return measure, i

    def _scales(self, i: int, size: float) -> tuple[int, float, bool]:
        scaled = False
        while word := self.word(i):
            short = len(word) < 3 and word.lower() not in ("bn", "mn", "tn")
            bare = word if word in SCALES or not short else ""
            bare = bare if bare in SCALES else bare.lower()
            if bare not in SCALES and bare.endswith("s"):
                bare = bare[:-1]
            scale = SCALES.get(bare)
            billion = word in ("B", "b") and self.sign(i - 1) not in ("(", "[")
            if scale is None and billion and not self.form.measure.dimension[1]:
                scale = 1e9  # where no byte is asked for; the letter in brackets is a batch's
            if scale is None:
                break
            size, i, scaled = size * scale, i + 1, True
            if not 1e-300 < size < 1e300:
                raise GrammarError("it is too large a number")
            if self.word(i).lower() == "of" and self._noun(i + 1, True):
                i += 1
        return i, size, scaled

    def _noun(self, i: int, scaled: bool = False) -> tuple[Measure, int] | None:
        word = self.word(i)
        if not word:
            return None
        if word == "‰":
            return Measure(1e-3), i + 1
        if word.lower() in ("t", "tk") and self.form.measure.counts.get("token"):
            return UNITS["token"], i + 1
        if word == "c" and self.form.measure.dimension == UNITS["$"].dimension:
            return UNITS["cents"], i + 1
        measure = word_measure(word)
        if measure is not None and word.lower() not in ("a", "in"):
            if word in PURE and self.number(i + 1) is not None:
                return None  # 27.5 ms times 2
            return measure, i + 1
        if singular(word.lower()) in self.form.nouns or (
            self.form.counts and word.lower() in PIECES
        ):
            return self._counted(), i + 1
        # adjectives before what is counted: 9 Kestrel chips, 250 output tokens
        for skip in (1, 2, 3):
            between = [self.word(i + n) for n in range(skip)]
            if not all(between) or any(
                self._changes(w) or w.lower() in PER | REASONS | POINTING for w in between
            ):
                return None
            noun = self.word(i + skip)
            measure = word_measure(noun) if len(noun) > 2 and noun.lower() not in PURE else None
            if measure is not None and measure.dimension == NO_DIMENSION and measure.counts:
                return measure, i + skip + 1
            if singular(noun.lower()) in self.form.nouns:
                return self._counted(), i + skip + 1
        return None

    def _counted(self) -> Measure:
        return Measure(
            1.0, NO_DIMENSION, {n: e for n, e in self.form.measure.counts.items() if e > 0}
        )

    def _parenthesis(self, i: int, below: bool) -> tuple[Measure, int] | None:
        inner = self._factor(i + 1, below)
        if inner is None:
            return None
        measure, j = inner
        sign = 1
        while self.sign(j) != ")":
            sign = -1 if self.sign(j) == "/" else sign
            j += 1 if self.sign(j) in ("*", "/") else 0
            again = self._factor(j)
            if again is None:
                return None
            measure, j = measure.times(again[0], sign), again[1]
        j += 1
        return self._raised(measure, j) if self.sign(j) == "^" else (measure, j)

    def _raised(self, measure: Measure, i: int) -> tuple[Measure, int]:
        j = i + 1
        opened = self.sign(j) == "("
        j += opened
        negative = self.sign(j) == "-"
        j += negative
        number = self.number(j)
        if number is None or number.value != int(number.value) or not 0 < number.value < 10:
            raise GrammarError("the exponent of its unit is not a small whole number")
        j += 1
        j += opened and self.sign(j) == ")"
        return Measure().times(measure, int(number.value) * (-1 if negative else 1)), j

    def _bare(self, i: int) -> int:
        """A word after a number that is no unit: passed over if it cannot be one."""
        word = self.word(i).lower()
        if word in REASONS | {
            "and",
            "or",
            "to",
            "which",
            "that",
            "is",
            "ie",
            "it",
            "the",
            "because",
        } or self._changes(word):
            return i
        if word in {"in", "of", "all", "overall", "altogether", "total", "roughly", "approximately", "about", "rounded", "exactly",
                    "as", "a", "approx", "circa", "ish", "now", "then", "here", "i", "we", "results", "comes"}:  # fmt: skip
            return i
        if singular(word) in self.form.said:
            return i + 1
        self._stranger(i)
        return i

    def _stranger(self, i: int) -> None:
        word = self.word(i) or self.sign(i)
        unit_named(word)  # says what is wrong with it, and what may have been meant
        raise GrammarError(f"{word[:40]!r} is no unit known here")

    # ------------------------------------------------------------ the words around

    def _changes(self, word: str) -> bool:
        lower = word.lower()
        if lower not in CHANGING and not lower.endswith("n't"):
            return False
        if lower in self.form.said or singular(lower) in self.form.said:
            return False
        if lower in MORE and (self.form.said & MORE or self.form.unit == ""):
            return False  # 43 % more, 12 times longer
        return not any(lower in same and self.form.said & same for same in SYNONYMS.values())

    def objection(self, start: int, first: int, last: int, end: int) -> str:
        """Why the words and signs around what pieces `first` to `last` state change it; else empty."""
        for i in range(first - 1, start, -1):
            word = self.word(i).lower()
            if self._changes(word):
                return self._open(i)
            if word in VERBS or self.sign(i) in (":", ","):
                break
        loose = 0  # after a comma or in a parenthesis the next words count, the rest is talk
        for i in range(last, end):
            word, sign = self.word(i).lower(), self.sign(i)
            if self._reason(i):
                break
            if sign and sign in "(,;-:":
                loose = 3
            elif loose == 1:
                break
            elif self._changes(word) and not (loose and word in ("no", "not")):
                return self._open(i)
            loose -= loose > 0
        lead = range(start + 1, first)
        for i in (*lead, *range(last, self.talk(last, end))):
            if self.word(i).lower() in DENYING or (self.sign(i) and self.sign(i) in "<>±≤≥"):
                return self._open(i)
            if self.sign(i) == "." == self.sign(i + 1) and self.number(i + 2) is not None:
                return self._open(i)
        return ""

    def _open(self, i: int) -> str:
        return f"{self.pieces[i].text[:30]!r} leaves its value open: state one number with its unit"

    def _reason(self, i: int) -> bool:
        """True if a reason or a circumstance begins here: because, since, with, at; but not at most."""
        if i in self.used or self.word(i).lower() not in REASONS:
            return False
        return self.word(i + 1).lower() not in ("most", "least")

    def talk(self, start: int, end: int) -> int:
        """Where a reason or a parenthesis begins, in which something else may be said."""
        for i in range(start, end):
            if self._reason(i) or (i not in self.used and self.sign(i) in ("(", "[")):
                return i
        return end

    def calculates(self, start: int, end: int) -> bool:
        """True if a sign of arithmetic is left over that belongs to no number and no unit."""
        return any(
            i not in self.used and self.sign(i) and self.sign(i) in "*/^+\\√@"
            for i in range(start, end)
        )


def _times(number: Written, factor: float) -> Written:
    value = number.value * factor
    if not (math.isfinite(value) and (value or not number.value)):
        raise GrammarError("it is too large a number")
    other = None if number.other is None else number.other * factor
    unlikely = number.unlikely and not math.log10(abs(factor) or 1).is_integer()
    return Written(value, other, number.half * abs(factor), number.power, unlikely)


# ---------------------------------------------------------------- the whole answer


@dataclass(frozen=True)
class Reading:
    """An answer as read: the quantity, and the other value that a comma may have meant."""

    quantity: Quantity
    other: float | None = None


def read_amount(text: str, form: Form | None = None) -> Reading:
    """The one number with its unit that an answer states, or `GrammarError` with the reason."""
    form = form or Form()
    if isinstance(text, str):
        text = re.sub(r"\s*\n\s*\n\s*", "; ", text.strip())  # another paragraph
    plain = HARMLESS.sub(" ", normal(tidy(text)))
    if form.measure == Measure() and not form.whole and "from" not in plain:
        plain = re.sub(r"(?<=[0-9])(?:\s?:\s?|[ -]to[ -])1\s*[.]?$", "", plain)  # 12:1
    if form.measure.dimension == NO_DIMENSION and not form.measure.counts:
        plain = re.sub(r"(?<=[0-9]) (?:in|out of) (?:every )?(?=[0-9])", "/", plain)  # 3 in 40
    pieces = pieces_of(plain)
    if not any(piece.kind == "number" for piece in pieces):
        parse_quantity(plain)  # says what is missing
        raise GrammarError(f"it states no number: {plain[:40]!r}")
    reader = _Reader(pieces, form)
    found = _told(reader, reader.found(), form)
    found = _one_duration(found, pieces)
    chosen = _agreed(found, pieces)
    value, other = chosen.si(), None
    if chosen.number.other is not None and not chosen.number.unlikely:
        other = chosen.si(chosen.number.other)
    if form.per != 1 and not chosen.per_said and chosen.has_unit and chosen.measure.dimension == form.measure.dimension:  # fmt: skip
        # "what does a million tokens cost?" is answered by an amount of money
        value, other = value / form.per, None if other is None else other / form.per
        chosen.measure = Measure(chosen.measure.size / form.per, chosen.measure.dimension, dict(form.measure.counts))  # fmt: skip
    if not math.isfinite(value):
        raise GrammarError("it is too large a number")
    if other is not None and form.least and not form.plausible(value) and form.plausible(other):
        value, other = other, value
    if other is not None and (not form.plausible(other) or (form.counts and other != round(other))):
        other = None  # of things that are counted there are no parts
    return Reading(Quantity(value, chosen.measure, _shown(text, chosen)), other)


def _shown(text: str, chosen: _Found) -> str:
    """The unit as it was written."""
    try:
        return parse_quantity(text).unit
    except GrammarError:
        cut = NUMBER.match(chosen.shown)
        unit = chosen.shown[cut.end() :] if cut else chosen.shown
        unit = re.sub(
            r"^\s*(?:(?:[*x/]|times)\s*)?[0-9.]*\s*(?:\^|\*\*)\s*\(?[-+]?[0-9]+\)?", "", unit
        )
        # of "1 min 20 s" the first unit, in which the whole is said
        unit = re.sub(r"\s*[0-9].*", "", unit)
        return unit.strip(" ()[].,") or ""


def _told(reader: _Reader, found: list[_Found], form: Form) -> list[_Found]:
    """The quantities that state the answer: not those of a calculation, nor those of a reason."""
    pieces = reader.pieces
    edges = [i for i, p in enumerate(pieces) if p.kind == "sign" and p.text in "=~→⇒" and i not in reader.used]  # fmt: skip
    told: list[_Found] = []
    for start, end in zip([-1, *edges], [*edges, len(pieces)], strict=True):
        inside = [f for f in found if start < f.start < end]
        if not inside:
            # names on the left of an equation, or something said after it
            denied = [i for i in range(start + 1, end) if reader.word(i).lower() in DENYING]
            if denied:
                raise GrammarError(reader._open(denied[0]))
            continue
        stated = _stated(reader, inside, form, start, end)
        talk = reader.talk(stated[-1].end, end)
        if reader.calculates(start + 1, talk):
            if edges:
                continue
            raise GrammarError("it is a calculation, or more than one number: write its result")
        if complaint := reader.objection(start, stated[0].start, stated[-1].end, end):
            if end < len(pieces) and any(
                reader.sign(i) == "(" for i in range(start + 1, stated[0].start)
            ):
                continue  # max(27.5 ms, 12 ms) = ...
            raise GrammarError(complaint)
        told += stated
    if not told:
        raise GrammarError("it is a calculation: write its result")
    if any(f.has_unit for f in told) and edges:
        # 683e9/24.8e12 = 27.5 ms: numbers without a unit were on the way to it
        told = [f for f in told if f.has_unit or f.end - f.start < 3]
    return told


def _stated(
    reader: _Reader, inside: list[_Found], form: Form, start: int, end: int
) -> list[_Found]:
    """What is stated: not the numbers of a circumstance (with 24 chips ...) nor those of a reason."""

    def asked(entry: _Found) -> bool:
        if (
            form.per != 1
            and not entry.per_said
            and entry.measure.dimension == form.measure.dimension
        ):
            return True
        return (entry.measure.dimension, entry.measure.counts) == (form.measure.dimension, form.measure.counts)  # fmt: skip

    first = next((i for i, entry in enumerate(inside) if asked(entry)), 0)
    lead = inside[:first]
    given = any(reader.word(i).lower() in REASONS for i in range(start + 1, inside[0].start))
    priced = len(lead) == 1 and lead[0].si() == form.per != 1  # 1M tokens: $0.47
    if lead and not priced and not (form.unit and given and all(entry.has_unit for entry in lead)):
        first, lead = 0, []
    kept = inside[first : first + 1]
    for entry in inside[first + 1 :]:
        talk = reader.talk(kept[0].end, end)
        if (
            entry.start < talk
            or asked(entry)
            or not form.unit
            or (not entry.has_unit and reader.sign(talk) and not reader.calculates(talk, end))
        ):
            kept.append(entry)
    return kept


def _one_duration(found: list[_Found], pieces: list[Piece]) -> list[_Found]:
    """41 h 50 min, and 3 dollars 10 cents: sizes that fall, each less than one of the size before."""
    if len(found) < 2:
        return found
    if (
        found[1].measure == Measure()
        and found[0].measure.size == 3600
        and found[1].number.value < 60
    ):
        found[1].measure, found[1].has_unit = UNITS["min"], True  # 1h30
    first = found[0]
    total, last = first.si(), first
    for entry in found[1:]:
        between = [p.text for p in pieces[last.end : entry.start]]
        smaller = entry.measure.size < last.measure.size and entry.measure.dimension == first.measure.dimension  # fmt: skip
        fits = smaller and abs(entry.si()) < last.measure.size and not entry.negative
        whole = last.number.value == int(last.number.value)
        if not (fits and whole and set(between) <= {"and", ",", "&"}) or first.measure.counts or not any(first.measure.dimension):  # fmt: skip
            return found
        total += -entry.si() if first.negative else entry.si()
        last = entry
    size = first.measure.size
    number = Written(abs(total) / size, None, last.number.half * last.measure.size / size)
    shown = " ".join(entry.shown for entry in found)
    return [
        _Found(number, first.measure, first.negative, shown, first.start, last.end, True, False)
    ]


def _agreed(found: list[_Found], pieces: list[Piece]) -> _Found:
    """The one value that all of them state, the most exact of them."""
    # rounded differently they must be said to be the same: 27.54 ms = 0.028 s
    between = {
        p.text.lower() for a, b in itertools.pairwise(found) for p in pieces[a.end : b.start]
    }
    loose = 1 if between & RESTATING else 0
    with_unit = [f for f in found if f.has_unit]
    exact = min(with_unit or found, key=lambda f: f.number.half / abs(f.number.value) if f.number.value else 0)  # fmt: skip
    for entry in found:
        slack = loose * entry.number.half * entry.measure.size + 1e-3 * abs(entry.si())
        values = [exact.si()]
        same_kind = not (entry.has_unit and exact.has_unit) or (
            entry.measure.dimension == exact.measure.dimension
        )
        if not entry.has_unit and exact.has_unit:
            # the number once more, without its unit
            values.append(exact.si() / exact.measure.size)
        if not same_kind or not any(abs(entry.si() - value) <= slack for value in values):
            raise GrammarError(
                f"it states more than one number: {exact.shown[:40]!r} and {entry.shown[:40]!r}"
            )
    return exact
