"""A number with its unit, out of what people write: `t is about 27,5 ms per step, since ...`.

The text is cut into numbers, words and signs. Every number is read with what stands around it:
sign, currency, powers, words for scales, a unit in signs or words, what it is per. What is said
must then be one value: several are taken only if they say the same (27.5 ms = 0.0275 s) or make
up one duration (41 h 50 min). Words that would change the value (not, twice, less than) are
refused unless the question itself speaks of them; other words are passed over. Nothing is
evaluated beyond products, quotients and powers of written numbers.
"""

from __future__ import annotations

import functools
import itertools
import math
import re
from dataclasses import dataclass, field

from .grammar import (
    COUNTED,
    NO_DIMENSION,
    UNITS,
    GrammarError,
    Measure,
    Quantity,
    number_of,
    parse_quantity,
    parse_unit,
    unit_named,
)
from .signs import tidy

# ---------------------------------------------------------------- what the question says


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
        return frozenset(map(_singular, self.words.lower().split()))

    @functools.cached_property
    def nouns(self) -> frozenset[str]:
        return frozenset(map(_singular, self.counted.lower().split()))

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
        elif asked == "token/s" and not self.said & _TOGETHER:
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
    ('least user', 'texts')
    """
    asked = " ".join(re.findall(r"[a-z]+", question.split("\n\n")[-1]))
    names = {n for known in COUNTED.values() for n in known.split()} | {
        n for n in COUNTED if n.islower()
    }
    words = [
        w for w in asked.split() if w in _ECHOED | _TOGETHER or w in names or _singular(w) in names
    ]
    counted = re.findall(r"[Hh]ow many ([a-z]+(?:'? [a-z]+)?)", question.replace("' ", " "))
    nouns = [
        n
        for text in counted
        for n in text.split()
        if n not in _CHANGING and n not in _PURE and n not in _FILLING
    ]
    nouns = [n for n in nouns if _word_measure(n) is None]
    return " ".join(dict.fromkeys(words)), " ".join(dict.fromkeys(nouns))


@functools.lru_cache(maxsize=256)
def _si(text: str) -> float:
    return parse_quantity(text).value


def _singular(word: str) -> str:
    for ending, bare in (("ies", "y"), ("xes", "x"), ("sses", "ss")):
        if word.endswith(ending):
            return word[: -len(ending)] + bare
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word


# ---------------------------------------------------------------- words

_SCALES = {
    "hundred": 1e2, "dozen": 12.0, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "quadrillion": 1e15,
    "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "mn": 1e6, "mln": 1e6, "mio": 1e6, "mrd": 1e9, "mil": 1e6, "bn": 1e9,
    "kilo": 1e3, "mega": 1e6, "giga": 1e9, "tera": 1e12, "bln": 1e9, "tn": 1e12, "trn": 1e12, "tril": 1e12, "bil": 1e9, "thsd": 1e3,
}  # fmt: skip
_PER = {"per", "a", "an", "each", "every", "for", "in", "one"}
_REASONS = {
    "because", "since", "as", "due", "given", "assuming", "with", "at", "for", "when", "if", "using", "so", "where",
    "while", "after", "from", "by", "on", "under", "during",
}  # fmt: skip
# words that change a value or leave it open; a question may use them itself
_CHANGING = {
    "not", "no", "never", "neither", "nor", "none", "cannot", "isn't", "aren't", "wasn't", "don't", "doesn't", "can't",
    "won't", "nicht", "kein", "except", "instead", "wrong", "false", "incorrect", "unlike", "but",
    "less", "fewer", "lower", "cheaper", "shorter", "faster", "smaller", "under", "below", "over", "above", "beyond",
    "exceeds", "exceeding", "within", "between", "least", "most", "maximum", "minimum", "max", "min", "upto", "up",
    "more", "greater", "longer", "higher", "larger", "dearer", "extra", "additional",
    "half", "third", "quarter", "twice", "double", "triple", "thrice", "squared", "cubed", "inverse", "reciprocal",
    "negative", "minus", "plus", "divided", "multiplied", "difference", "product", "root", "log", "ln", "sqrt",
    "versus", "vs", "respectively", "range", "power", "score", "gross", "lakh",
    "crore", "nearest", "other", "too", "few", "missing", "short", "anything", "everything", "guess", "order", "orders", "magnitude", "magnitudes", "unknown", "nan", "inf", "infinity",
}  # fmt: skip
# those of them that an answer may take from its question
_ECHOED = {
    "least", "most", "maximum", "minimum", "max", "min", "up", "over", "more", "greater", "longer", "higher", "larger", "dearer",
    "extra", "additional", "less", "fewer", "lower", "cheaper", "shorter", "faster", "smaller",
}  # fmt: skip
_VERBS = {
    "is", "are", "be", "was", "takes", "take", "gives", "give", "get", "gets", "needs", "need", "equals", "costs", "cost", "yields",
    "makes", "make", "has", "have", "holds", "becomes", "find", "found", "say", "reads", "lasts", "stores", "requires",
}  # fmt: skip
_DENYING = {"not", "no", "never", "neither", "nor", "none", "cannot", "except", "instead", "wrong", "false", "incorrect", "nicht", "kein"}  # fmt: skip
_RESTATING = set("=~([→⇒") | {
    "ie", "about", "roughly", "approximately", "approx", "around", "is", "equals", "which", "so", "thus", "rounded", "circa",
    "ca", "hence", "meaning", "nearly", "almost", "namely",
}  # fmt: skip
# what looks like one of them and is a hedge, or says the same again
_HARMLESS = re.compile(
    r"\b(?:(?:just|slightly|a bit|a little|a touch|somewhat|barely) (?:over|under|above|below|more than|less than)"
    r"|more or less|give or take|or so|or thereabouts|up to rounding|rounded (?:up|down)|not (?:quite )?(?:sure|certain)"
    r"|(?:rounded )?(?:to |with )?(?:three|two|four|[1-6]) (?:s\. ?f|sf|sig(?:nificant|\.)? ?(?:fig|dig)\w*|figures|digits|decimals?|decimal places)"
    r"|in other words|or equivalently|or rather|comes (?:out )?to|works out to|amounts to|equal to|equals to|close to"
    r"|according to|due to|thanks to|up and running|i have to|has to|have to|(?:a )?factor (?:of )?|in total|no more no less"
    r"|no idea (?:why|how)|in order to|because of|in the end|at first|so far|once more|no doubt)\b"
)
# bounds and turns of a whole answer that the value's own side of the question makes harmless
_MORE = {
    "more",
    "bigger",
    "slower",
    "longer",
    "higher",
    "larger",
    "dearer",
    "extra",
    "additional",
    "greater",
    "above",
}
_SYNONYMS = {"at least": {"least", "minimum", "min"}, "at most": {"most", "maximum", "max", "up"}}


def _normal(text: str) -> str:
    """Turns of phrase that are one thing, as one word or sign."""
    text = re.sub(r"(?:--?|=)>", "→", text)
    text = re.sub(r"\bi\.\s?e\.?|\bviz\.", "ie", text)
    text = re.sub(r"\be\.\s?g\.?", "eg", text)
    text = re.sub(r"\bper\s?cent\b", "percent", text, flags=re.I)
    text = re.sub(r"\bus\s?\$|\bus dollars?\b|\$\s?us\b|\busd(?![a-z])", "$", text, flags=re.I)
    text = re.sub(r"(?<=[A-Za-z])\((s|es)\)", r"\1", text)  # second(s)
    power = r"\bto the (?:power (?:of )?)?(minus |negative |-)?\s?([0-9]{1,3})(?:st|nd|rd|th)?(?: power)?\b"
    text = re.sub(power, lambda m: f"^{'-' if m.group(1) else ''}{m.group(2)}", text)
    text = re.sub(
        r"\b(hour|dai|day)ly\b", lambda m: f"per {m.group(1).replace('dai', 'day')}", text
    )
    text = re.sub(r"\b(kilo|mega|giga|tera|peta)-(?=[a-z])", r"\1 ", text)
    text = re.sub(r"(?<=[a-zA-Z0-9])-?ish\b|(?<=[A-Za-z])'s\b", "", text)
    text = re.sub(r"(?<=[a-z])fold\b", " fold", text)
    text = re.sub(
        r"(?<=[0-9]) of (?:a|an|one) (?=(?:second|minute|hour|day|dollar|cent)\b)", " ", text
    )
    text = re.sub(
        r"(?<=[0-9])\s?-\s?(?=(?:fold|times|[a-z]{3,})\b)|(?<=[0-9])-(?=[A-Za-zµ])", " ", text
    )  # 12-fold
    text = re.sub(r"([0-9] ?h(?:rs?|ours?)? ?[0-9]+(?:[.,][0-9]+)? ?)m\b", r"\1min", text)  # 41h50m
    text = re.sub(r"(?<=[0-9]) ?\*(?=$| ?[A-Za-z])", " x ", text)  # 12× as long
    text = re.sub(r"\bus (?=cents?\b)", "", text, flags=re.I)
    text = re.sub(r"\b([0-9]+):([0-5][0-9]) ?h(?:ours?|rs?)?\b", r"\1 h \2 min", text)  # 3:04 h
    text = re.sub(r"^\s*[*xX]\s?(?=[0-9.])", "", text)  # x12
    if not re.search("[0-9]", text):
        text = _counted_words(text)
    text = re.sub(r"\(\s*([0-9.]+)\s*/\s*([0-9.]+)\s*\)", r"\1/\2", text)
    text = re.sub(r"\(([-+]?[0-9][^()A-Za-z]*)\)(?=\s*[A-Za-z$%µ])", r"\1", text)  # (27.5) ms
    return re.sub(r"\b(to the nearest [a-z]+)\b", " ", text)


_ONES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]  # fmt: skip
_TENS = {
    word: 10 * i
    for i, word in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], start=2
    )
}


def _counted_words(text: str) -> str:
    """Small whole numbers in words, where what they count follows: twenty-four chips."""
    ones, tens = "|".join(_ONES), "|".join(_TENS)
    written = re.compile(rf"\b(?:({tens})(?:[ -]({ones}))?|({ones}))\b(?=\s+[a-z])", re.I)

    def digits(match: re.Match[str]) -> str:
        ten, one, alone = (g.lower() if g else "" for g in match.groups())
        return str(_ONES.index(alone) if alone else _TENS[ten] + (_ONES.index(one) if one else 0))

    return written.sub(digits, text)


# ---------------------------------------------------------------- pieces

_DIGITS = (
    r"(?P<apart>[0-9]{1,3}(?:[ '][0-9]{3})+(?![0-9])(?:[.,][0-9]+)?|[0-9]+(?:_[0-9]+)+(?:\.[0-9]+)?)"
    r"|(?P<dots>[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+|[0-9]{1,3}(?:\.[0-9]{3}){2,})"
    r"|(?P<commas>[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])(?:\.[0-9]*)?|[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}(?![0-9]))"
    r"|(?P<decimal>[0-9]+,[0-9]+)"
    r"|(?P<plain>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
)
_EXPONENT = r"(?:\s?[eE](?P<e>[-+]?[0-9]{1,4})(?![0-9.])|\s[eE]\s?(?P<e2>[-+][0-9]{1,4}))?"
_NUMBER = re.compile(rf"(?:{_DIGITS}){_EXPONENT}(?![,.]?[0-9])")
_POWER = re.compile(r"\s*(?:\^|\*\*)\s*(?:\(\s*)?([-+]?\s?[0-9]{1,4}(?:\.[0-9]{1,4})?)(?:\s*\))?")
_WORD = re.compile(r"[^\W\d_](?:[\w]|['-](?=[^\W\d_]))*|[$%¢‰]")
_SPLIT = re.compile(r"(h|hr|hrs|d|min|m)(?=[0-9])")


@dataclass(frozen=True)
class _Number:
    """A written number: its value, another one if its comma is two-faced, and how far it is rounded."""

    value: float
    other: float | None = None
    half: float = 0.0  # half a unit of its last figure
    power: bool = False


@dataclass(frozen=True)
class _Piece:
    kind: str  # number, word, sign
    text: str
    number: _Number = _Number(0)
    glued: bool = False  # to what stands before it


def _pieces(text: str) -> list[_Piece]:
    found: list[_Piece] = []
    at = 0
    while at < len(text):
        if text[at] == " ":
            at += 1
            continue
        glued = at > 0 and text[at - 1] != " "
        if match := _NUMBER.match(text, at):
            number, end = _powered(text, match)
            found.append(_Piece("number", text[at:end].strip(), number, glued))
        elif text[at].isdigit():
            raise GrammarError(f"{text[at : at + 20]!r} is no number: write 1234.5 or 1.2e-3")
        elif match := _WORD.match(text, at):
            end = match.end()
            after_number = bool(found) and found[-1].kind == "number"
            if after_number and (part := _SPLIT.match(text, at)):  # 1h30
                end = part.end()
            found.append(_Piece("word", text[at:end], glued=glued))
        else:
            end = at + 1
            found.append(_Piece("sign", text[at], glued=glued))
        at = end
    return found


def _powered(text: str, match: re.Match[str]) -> tuple[_Number, int]:
    number, end = _literal(match), match.end()
    if power := _POWER.match(text, end):
        exponent = float(power.group(1).replace(" ", ""))
        try:
            return _Number(float(number.value**exponent), power=True), power.end()
        except (OverflowError, ZeroDivisionError):
            raise GrammarError("it is too large a number") from None
    return number, end


def _literal(match: re.Match[str]) -> _Number:
    kind = str(next(k for k in ("apart", "dots", "commas", "decimal", "plain") if match[k]))
    text, other = match[kind], ""
    if kind == "apart":
        text = re.sub("[ '_]", "", text).replace(",", ".")
    elif kind == "dots":
        text = text.replace(".", "").replace(",", ".")
    elif kind == "decimal":
        text = text.replace(",", ".")
    elif kind == "commas":
        if text.startswith("0"):
            if text.count(",") > 1 or "." in text:
                raise GrammarError(f"{text!r} is no number: write 1234.5 or 1.2e-3")
            text = text.replace(",", ".")
        else:
            # the paper writes 2,400 for 2400; with a last figure it could be 2.417 as well
            if text.count(",") == 1 and "." not in text and not text.endswith("0"):
                other = text.replace(",", ".")
            text = text.replace(",", "")
    scale = 10.0 ** _small(int(match["e"] or match["e2"] or 0))
    exponent = f"e{match['e'] or match['e2']}" if match["e"] or match["e2"] else ""
    value = float(number_of(text + exponent))
    figures = len(text.partition(".")[2])
    half = 0.5 * 10.0**-figures * scale if figures <= 40 else 0.0
    return _Number(value, float(number_of(other + exponent)) if other else None, half)


def _small(exponent: int) -> int:
    if abs(exponent) > 300:
        raise GrammarError(f"10^{exponent} is too {'large' if exponent > 0 else 'small'} a number")
    return exponent


# ---------------------------------------------------------------- units


@functools.lru_cache(maxsize=4096)
def _word_measure(word: str) -> Measure | None:
    """The unit that a word is, in any capitals where no other unit is meant by them; else None."""
    if word in UNITS:
        return UNITS[word]
    lower = word.lower()
    if lower in _MORE_UNITS:
        return _MORE_UNITS[lower]
    if word in ("S", "MS", "US", "H"):
        return UNITS[lower]  # all in capitals
    if len(word) < 3:
        return None
    same = [measure for name, measure in UNITS.items() if name.lower() == lower]
    agreed = same and all((m.size, m.dimension, m.counts) == (same[0].size, same[0].dimension, same[0].counts) for m in same)  # fmt: skip
    return same[0] if agreed else None


def _more_units() -> dict[str, Measure]:
    """Abbreviations and nouns that people use beside those of the grammar."""
    table = {}
    for names, unit in (
        ("secs", "s"), ("msecs millis millisecs millisec", "ms"), ("usecs µsecs microsecs microsec", "us"), ("nsecs nanosecs", "ns"),
        ("wk wks", "week"), ("bucks buck", "$"), ("ct cts pennies penny", "cents"), ("pct percents", "%"),
        ("tps", "tokens/s"), ("toks tkn tkns", "tokens"), ("mtps", "Mtok/s"), ("customer customers person people reader readers caller callers", "users"),
        ("query queries prompt prompts conversation conversations", "requests"), ("params", "parameters"), ("card cards", "GPUs"),
        ("operation operations", "FLOP"), ("iteration iterations decode-step decode-steps timestep timesteps", "steps"), ("block blocks", "layers"),
    ):  # fmt: skip
        for name in names.split():
            table[name] = parse_unit(unit)
    for prefix, short in (
        ("kilo", "k"),
        ("mega", "M"),
        ("giga", "G"),
        ("tera", "T"),
        ("peta", "P"),
        ("exa", "E"),
    ):
        for name in ("token", "tokens"):
            table[prefix + name] = parse_unit(f"{short}tok")
        table[f"{prefix}flop"] = table[f"{prefix}flops"] = parse_unit(f"{short}FLOP")
        table[f"{short.lower()}bytes"] = table[f"{short.lower()}byte"] = parse_unit(f"{short}B")
    for prefix, short in (("kibi", "Ki"), ("mebi", "Mi"), ("gibi", "Gi"), ("tebi", "Ti")):
        table[f"{prefix}byte"] = table[f"{prefix}bytes"] = parse_unit(f"{short}B")
    return table


_MORE_UNITS = _more_units()
_FILLING = {"the", "of", "that", "does", "do", "can", "must", "are", "is", "in", "what"}
_TOGETHER = {"together", "total", "altogether", "throughput"}
_PIECES = {"pieces", "piece", "pcs", "units", "unit", "items", "item"}
_PURE = {"x", "X", "times", "fold", "-fold"}


@dataclass
class _Found:
    """A number as read with all around it; `start` and `end` say which pieces it takes."""

    number: _Number
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

    def __init__(self, pieces: list[_Piece], form: Form) -> None:
        self.pieces, self.form = pieces, form
        self.used: set[int] = set()

    def word(self, i: int) -> str:
        return self.pieces[i].text if i < len(self.pieces) and self.pieces[i].kind == "word" else ""

    def sign(self, i: int) -> str:
        return self.pieces[i].text if i < len(self.pieces) and self.pieces[i].kind == "sign" else ""

    def number(self, i: int) -> _Number | None:
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
        for i in range(entry.start):
            if self.sign(i) in ("[", "(", "/") or self.word(i).lower() == "in":
                read = _Found(entry.number)
                end = self._unit(i + 1, read)
                if read.has_unit and self.sign(end) and self.sign(end) in "]):=~,":
                    entry.measure, entry.has_unit, entry.per_said = (
                        read.measure,
                        True,
                        read.per_said,
                    )
                    entry.shown = f"{entry.shown} {self._text(i + 1, end)}"
                    self.used |= set(range(i, end))
                    return

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

    def _product(self, i: int, money: bool) -> tuple[_Number, int]:
        """Numbers multiplied and divided, as in 5 * 2^24, 1.16 x 10^-3 and 3/4."""
        number = self.pieces[i].number
        i += 1
        while True:
            sign, after = self.sign(i) or self.word(i).lower(), self.number(i + 1)
            beside = self.number(i)
            if beside is not None and beside.power and not number.power:  # 1.16 10^-3
                number, i = _times(number, beside.value), i + 1
            elif after is not None and (sign == "*" or sign in ("x", "times")):
                number, i = _times(number, after.value), i + 2
            elif after is not None and sign == "/" and not money:
                if after.value == 0:
                    raise GrammarError("it divides by zero")
                number, i = _times(number, 1 / after.value), i + 2
            else:
                return number, i

    # ------------------------------------------------------------ units

    def _unit(self, i: int, entry: _Found, slash_only: bool = False) -> int:
        """Read a unit from piece i on into the entry; where it ends."""
        closing = ""
        first = i
        if self.sign(i) in ("[", "(") and not slash_only:
            inside = i + 2 if self.word(i + 1).lower() == "in" else i + 1
            if (read := self._factor(inside)) is not None or self._per(inside):
                closing, i = {"[": "]", "(": ")"}[self.sign(i)], inside
                if read is None:
                    i = first  # a parenthesis that says per what
                    closing = ""
        if (
            self.sign(i) == ","
            and self.word(i + 1).lower() == "in"
            and self._factor(i + 2) is not None
        ):
            i += 1
        if self.word(i).lower() == "in" and self._factor(i + 1) is not None and not slash_only:
            i += 1
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
                    if _singular(word.lower()) not in self.form.said | self.form.nouns:
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
            elif (read := self._factor(i)) is not None and entry.has_unit and self._multiplies(read[0]):  # fmt: skip
                entry.measure, i = entry.measure.times(read[0]), read[1]
            if i == step:
                break
        if closing and self.sign(i) == closing:
            i += 1
        if not entry.has_unit and self.word(i):
            i = self._bare(i)
        return i

    @staticmethod
    def _multiplies(measure: Measure) -> bool:
        """A unit that follows another without a sign: tokens s^-1, and not ms step."""
        return measure.dimension != NO_DIMENSION

    def _per(self, i: int, strict: bool = False) -> int:
        """How many pieces say per: a slash, or a word (and for a, in each ...)."""
        if self.sign(i) == "/":
            return 1
        word = self.word(i).lower()
        if word == "per" or (word in _PER and not strict):
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
            bare = word if word in _SCALES else word.lower() if len(word) > 2 else ""
            if bare not in _SCALES and bare.endswith("s"):
                bare = bare[:-1]
            scale = _SCALES.get(bare)
            if scale is None and word == "B" and not self.form.measure.dimension[1]:
                scale = 1e9  # billion, where no byte is asked for
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
        measure = _word_measure(word)
        if measure is not None and word.lower() not in ("a", "in"):
            if word in _PURE and self.number(i + 1) is not None:
                return None  # 27.5 ms times 2
            return measure, i + 1
        if _singular(word.lower()) in self.form.nouns or (
            self.form.counts and word.lower() in _PIECES
        ):
            return self._counted(), i + 1
        # adjectives before what is counted: 9 Kestrel chips, 250 output tokens
        for skip in (1, 2, 3):
            between = [self.word(i + n) for n in range(skip)]
            if not all(between) or any(
                self._changes(w) or w.lower() in _PER | _REASONS for w in between
            ):
                return None
            noun = self.word(i + skip)
            measure = _word_measure(noun) if len(noun) > 2 and noun.lower() not in _PURE else None
            if measure is not None and measure.dimension == NO_DIMENSION and measure.counts:
                return measure, i + skip + 1
            if _singular(noun.lower()) in self.form.nouns:
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
        if word in _REASONS | {
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
        if word in {"in", "of", "overall", "altogether", "total", "roughly", "approximately", "about", "rounded", "exactly",
                    "as", "a", "approx", "circa", "ish", "now", "then"}:  # fmt: skip
            return i
        if _singular(word) in self.form.said:
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
        if lower not in _CHANGING and not lower.endswith("n't"):
            return False
        if lower in self.form.said or _singular(lower) in self.form.said:
            return False
        if lower in _MORE and (self.form.said & _MORE or self.form.unit == ""):
            return False  # 43 % more, 12 times longer
        return not any(lower in same and self.form.said & same for same in _SYNONYMS.values())

    def objection(self, start: int, first: int, last: int, end: int) -> str:
        """Why the words and signs around what pieces `first` to `last` state change it; else empty."""
        for i in range(first - 1, start, -1):
            word = self.word(i).lower()
            if self._changes(word):
                return self._open(i)
            if word in _VERBS or self.sign(i) in (":", ","):
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
            if self.word(i).lower() in _DENYING or (self.sign(i) and self.sign(i) in "<>±≤≥"):
                return self._open(i)
            if self.sign(i) == "." == self.sign(i + 1) and self.number(i + 2) is not None:
                return self._open(i)
        return ""

    def _open(self, i: int) -> str:
        return f"{self.pieces[i].text[:30]!r} leaves its value open: state one number with its unit"

    def _reason(self, i: int) -> bool:
        """True if a reason or a circumstance begins here: because, since, with, at; but not at most."""
        if i in self.used or self.word(i).lower() not in _REASONS:
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


def _times(number: _Number, factor: float) -> _Number:
    value = number.value * factor
    if not (math.isfinite(value) and (value or not number.value)):
        raise GrammarError("it is too large a number")
    other = None if number.other is None else number.other * factor
    return _Number(value, other, number.half * abs(factor), number.power)


# ---------------------------------------------------------------- the whole answer


@dataclass(frozen=True)
class Reading:
    """An answer as read: the quantity, and the other value that a comma may have meant."""

    quantity: Quantity
    other: float | None = None


def read_amount(text: str, form: Form | None = None) -> Reading:
    """The one number with its unit that an answer states, or `GrammarError` with the reason."""
    form = form or Form()
    plain = _HARMLESS.sub(" ", _normal(tidy(text)))
    if form.measure == Measure():
        plain = re.sub(r"(?<=[0-9])(?:\s?:\s?|[ -]to[ -])1\s*[.]?$", "", plain)  # 12:1
    pieces = _pieces(plain)
    if not any(piece.kind == "number" for piece in pieces):
        parse_quantity(plain)  # says what is missing
        raise GrammarError(f"it states no number: {plain[:40]!r}")
    reader = _Reader(pieces, form)
    found = _told(reader, reader.found(), form)
    found = _one_duration(found, pieces)
    chosen = _agreed(found, pieces)
    value, other = chosen.si(), None
    if chosen.number.other is not None:
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
        cut = _NUMBER.match(chosen.shown)
        unit = chosen.shown[cut.end() :] if cut else chosen.shown
        unit = re.sub(
            r"^\s*(?:(?:[*x/]|times)\s*)?[0-9.]*\s*(?:\^|\*\*)\s*\(?[-+]?[0-9]+\)?", "", unit
        )
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
            denied = [i for i in range(start + 1, end) if reader.word(i).lower() in _DENYING]
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
    given = any(reader.word(i).lower() in _REASONS for i in range(start + 1, inside[0].start))
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


def _one_duration(found: list[_Found], pieces: list[_Piece]) -> list[_Found]:
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
    number = _Number(abs(total) / size, None, last.number.half * last.measure.size / size)
    shown = " ".join(entry.shown for entry in found)
    return [
        _Found(number, first.measure, first.negative, shown, first.start, last.end, True, False)
    ]


def _agreed(found: list[_Found], pieces: list[_Piece]) -> _Found:
    """The one value that all of them state, the most exact of them."""
    # rounded differently they must be said to be the same: 27.54 ms = 0.028 s
    between = {
        p.text.lower() for a, b in itertools.pairwise(found) for p in pieces[a.end : b.start]
    }
    loose = 1 if between & _RESTATING else 0
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
