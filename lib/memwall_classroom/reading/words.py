"""The words of answers: which scale a number, which say per, which change a value and which do not."""

from __future__ import annotations

import functools
import re

from .grammar import UNITS, Measure, parse_unit


def singular(word: str) -> str:
    for ending, bare in (("ies", "y"), ("xes", "x"), ("sses", "ss")):
        if word.endswith(ending):
            return word[: -len(ending)] + bare
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word


SCALES = {
    "hundred": 1e2, "dozen": 12.0, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "quadrillion": 1e15,
    "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "mn": 1e6, "mln": 1e6, "mio": 1e6, "mrd": 1e9, "mil": 1e6, "bn": 1e9,
    "kilo": 1e3, "mega": 1e6, "giga": 1e9, "tera": 1e12, "bln": 1e9, "tn": 1e12, "trn": 1e12, "tril": 1e12, "bil": 1e9, "thsd": 1e3,
}  # fmt: skip
POINTING = {"the", "this", "that", "these", "those", "my", "our", "its", "all", "of", "and"}
PER = {"per", "a", "an", "each", "every", "for", "in", "one"}
REASONS = {
    "because", "bc", "cause", "cos", "cuz", "since", "as", "due", "given", "assuming", "with", "at", "for", "when", "if", "using", "so", "where",
    "while", "after", "from", "by", "on", "under", "during",
}  # fmt: skip
# words that change a value or leave it open; a question may use them itself
CHANGING = {
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
ECHOED = {
    "least", "most", "maximum", "minimum", "max", "min", "up", "over", "more", "greater", "longer", "higher", "larger", "dearer",
    "extra", "additional", "less", "fewer", "lower", "cheaper", "shorter", "faster", "smaller",
}  # fmt: skip
VERBS = {
    "is", "are", "be", "was", "takes", "take", "gives", "give", "get", "gets", "needs", "need", "equals", "costs", "cost", "yields",
    "makes", "make", "has", "have", "holds", "becomes", "find", "found", "say", "reads", "lasts", "stores", "requires",
}  # fmt: skip
DENYING = {"not", "no", "never", "neither", "nor", "none", "cannot", "except", "instead", "wrong", "false", "incorrect", "nicht", "kein"}  # fmt: skip
RESTATING = set("=~([→⇒") | {
    "ie", "about", "roughly", "approximately", "approx", "around", "is", "equals", "which", "so", "thus", "rounded", "circa",
    "ca", "hence", "meaning", "nearly", "almost", "namely",
}  # fmt: skip
# what looks like one of them and is a hedge, or says the same again
HARMLESS = re.compile(
    r"\b(?:(?:just|slightly|a bit|a little|a touch|somewhat|barely) (?:over|under|above|below|more than|less than)"
    r"|more or less|give or take|or so|or thereabouts|end(?:ed)? up (?:with|at)|(?:see|shown|found|derived|computed) (?:above|below)|no units?|without (?:a )?units?|up to rounding|rounded (?:up|down)|not (?:quite )?(?:sure|certain)(?:,? but)?|no\.? of"
    r"|(?:rounded )?(?:to |with )?(?:three|two|four|[1-6]) (?:s\. ?f|sf|sig(?:nificant|\.)? ?(?:fig|dig)\w*|figures|digits|decimals?|decimal places)"
    r"|in other words|or equivalently|or rather|comes (?:out )?to|works out to|amounts to|equal to|equals to|close to"
    r"|according to|due to|thanks to|up and running|i have to|has to|have to|(?:a )?factor (?:of )?|in total|no more no less"
    r"|no idea (?:why|how)|in order to|because of|in the end|at first|so far|once more|no doubt)\b"
)
# bounds and turns of a whole answer that the value's own side of the question makes harmless
MORE = {
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
SYNONYMS = {"at least": {"least", "minimum", "min"}, "at most": {"most", "maximum", "max", "up"}}


def normal(text: str) -> str:
    """Turns of phrase that are one thing, as one word or sign."""
    text = re.sub(r"(?:--?|=)>", "→", text)
    text = re.sub(
        r"<--?(?=\s*[A-Za-z])|←(?=\s*[A-Za-z])", "; ", re.sub(r"\bb/c\b", "because", text)
    )
    text = re.sub(r"\bi\.\s?e\.?|\bviz\.", "ie", text)
    text = re.sub(r"\be\.\s?g\.?", "eg", text)
    text = re.sub(r"\bper\s?cent\b", "percent", text, flags=re.I)
    text = re.sub(r"\bus[\s-]?\$|\bus dollars?\b|\$\s?us\b|\busd(?![a-z])", "$", text, flags=re.I)
    text = re.sub(r"(?<=[A-Za-z])\((s|es)\)", r"\1", text)  # second(s)
    power = r"\bto the (?:power (?:of )?)?(minus |negative |-)?\s?([0-9]{1,3})(?:st|nd|rd|th)?(?: power)?\b"
    text = re.sub(power, lambda m: f"^{'-' if m.group(1) else ''}{m.group(2)}", text)
    text = re.sub(
        r"\b(hour|dai|day)ly\b", lambda m: f"per {m.group(1).replace('dai', 'day')}", text
    )
    text = re.sub(r"\b(milli|micro|nano)[ -](?=sec)", r"\1", text)
    text = re.sub(r"\b(thousand|million)ths? of a second\b", lambda m: _PARTS[m.group(1)], text)
    text = re.sub(r"\s//\s", "; ", text)  # a comment
    text = re.sub(r"(?:(?<=[1-9.])|(?<=[0-9.][0-9])) ?[xX] ?(?=[0-9])", " * ", text)  # 1.16x10^-3
    text = re.sub(r"\b(kilo|mega|giga|tera|peta)-(?=[a-z])", r"\1 ", text)
    text = re.sub(r"(?<=[a-zA-Z0-9])-?ish\b|(?<=[A-Za-z])'s\b", "", text)
    text = re.sub(r"(?<=[a-z])fold\b", " fold", text)
    text = re.sub(r"(?<=[0-9])\. (?=[A-Z][a-z])", "; ", text)  # another sentence
    text = re.sub(
        r"(?<=[0-9]) of (?:a|an|one) (?=(?:second|minute|hour|day|dollar|cent)\b)", " ", text
    )
    text = re.sub(
        r"(?<=[0-9])\s?-\s?(?=(?:fold|times)\b)|(?<=[0-9])(?:- ?| -)(?=[a-z]{3,}\b)|(?<=[0-9])-(?=[A-Za-zµ])",
        " ",
        text,
    )  # 12-fold
    text = re.sub(
        r"([0-9] ?h(?:rs?|ours?)? ?[0-9]+(?:[.,][0-9]+)? ?)m(?=[0-9]|\b)", r"\1min ", text
    )  # 41h50m
    text = re.sub(r"\b([0-9]+):([0-5][0-9]):([0-5][0-9])(?: ?h\b)?", r"\1 h \2 min \3 s", text)
    text = re.sub(r"([*x] ?10)-([0-9]{1,2})\b", r"\1^-\2", text)  # a power whose raising was lost
    text = re.sub(r"(?<=[0-9]) ?\*(?=$| ?[A-Za-z])", " x ", text)  # 12× as long
    text = re.sub(r"\bus (?=cents?\b)", "", text, flags=re.I)
    text = re.sub(r"\b([0-9]+):([0-5][0-9]) ?h(?:ours?|rs?)?\b", r"\1 h \2 min", text)  # 3:04 h
    text = re.sub(r"^\s*[*xX]\s?(?=[0-9.])", "", text)  # x12
    if not re.search("[0-9]", text):
        text = _counted_words(text)
    text = re.sub(r"([0-9.]+) ?\(([a-z -]+)\)", _said_again, text)
    text = re.sub(r"(?<![0-9.,])([0-9]+) and (?:a half|half|½)\b", r"\1.5", text)
    text = re.sub(r"\$ ?\( ?([0-9.]+) ?/ ?([0-9.]+) ?\)", r"\1/\2 $", text)
    text = re.sub(r"\(\s*([0-9.]+)\s*/\s*([0-9.]+)\s*\)", r"\1/\2", text)
    text = re.sub(r"\(([-+]?[0-9][^()A-Za-z]*)\)(?=\s*[A-Za-z$%µ])", r"\1", text)  # (27.5) ms
    return re.sub(r"\b(to the nearest [a-z]+)\b", " ", text)


_PARTS = {"thousand": "milliseconds", "million": "microseconds"}
_SMALL = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen"""
_ONES = {word: i for i, word in enumerate(_SMALL.split())}
_TENTH = "_ _ twenty thirty forty fifty sixty seventy eighty ninety"
_TENS = {word: 10 * i for i, word in enumerate(_TENTH.split()) if i > 1}
_GROUPS = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_BROKEN = {"a half": 0.5, "half": 0.5, "a quarter": 0.25, "three quarters": 0.75}
_SPELLED = re.compile(
    r"\b(?:a (?=hundred|thousand|million|billion|trillion))?(?:{words})(?:(?:-| and | )(?:{words}))*\b(?: point(?: (?:{ones}))+\b)?(?: and (?:{broken})\b)?"
    r"(?P<after>(?: (?:{groups}))*)(?=(?P<rest>.*))".format(
        words="|".join([*_ONES, *_TENS, "hundred", *_GROUPS]),
        ones="|".join(list(_ONES)[:10]),
        broken="|".join(_BROKEN),
        groups="|".join(_GROUPS),
    ),
    re.I | re.S,
)


def _counted_words(text: str) -> str:
    """Numbers in words as digits: twenty-four chips, one hundred and two point five, two and a half million."""
    return _SPELLED.sub(_spelled, text)


def _said_again(match: re.Match[str]) -> str:
    """10 (ten) ms: the same once more, in words."""
    return match.group(1) if _counted_words(match.group(2)) == match.group(1) else match.group()


def _spelled(match: re.Match[str]) -> str:
    words = match.group().lower()
    if (
        words == "one"
        and not re.match(r"\s+[a-z]", match["rest"])
        and words != match.string.strip()
    ):
        return match.group()  # the first one
    scale = 1
    for group in match["after"].lower().split():
        scale *= _GROUPS[group]
    words = words.removesuffix(match["after"].lower())
    whole, _, decimals = words.partition(" point ")
    part = next((f for f in _BROKEN if whole.endswith(f" and {f}")), "")
    value = _whole(re.split("[ -]", whole.removesuffix(f" and {part}").removeprefix("a ")))
    if value is None:
        return match.group()
    digits = "".join(str(_ONES[d]) for d in decimals.split())
    return (
        f"{(value + _BROKEN.get(part, 0) + (float(f'0.{digits}') if digits else 0)) * scale:.12g}"
    )


def _whole(words: list[str]) -> int | None:
    """A whole number in words; None for several numbers in a row, or one that nobody would say."""
    total, current, last = 0, 0, 10**15
    said = "and"
    for word in words:
        if word == "and":
            if said not in ("hundred", *_GROUPS):
                return None  # five and six
        elif word in _GROUPS:
            if not current and said not in (*_GROUPS, "and"):
                return None
            size = _GROUPS[word]
            # four thousand and eight billion: all before it counts billions
            larger = size > last
            total = (total + current) * size if larger else total + (current or 1) * size
            current, last = 0, size
        elif word == "hundred":
            if current >= 100 or (said in _ONES and not current):
                return None
            current = (current or 1) * 100
        else:
            value = _ONES.get(word, _TENS.get(word, 0))
            fits = current % 100 >= 20 and not current % 10 and 0 < value < 10
            if current and not (fits or (current % 100 == 0 and value)):
                return None
            current += value
        said = word
    return None if said == "and" else total + current


# ---------------------------------------------------------------- units


@functools.lru_cache(maxsize=4096)
def word_measure(word: str) -> Measure | None:
    """The unit that a word is, in any capitals where no other unit is meant by them; else None."""
    if word in UNITS:
        return UNITS[word]
    lower = word.lower()
    if lower in MORE_UNITS:
        return MORE_UNITS[lower]
    if word in ("S", "MS", "US", "H", "X"):
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
        ("wk wks", "week"), ("sekunde sekunden", "s"), ("millisekunden", "ms"), ("stunde stunden heures", "h"), ("jours", "days"), ("prozent", "%"), ("bucks buck", "$"), ("ct cts pennies penny", "cents"), ("pct percents", "%"),
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


MORE_UNITS = _more_units()
FILLING = {"the", "of", "that", "does", "do", "can", "must", "are", "is", "in", "what"}
TOGETHER = {"together", "total", "altogether", "throughput"}
PIECES = {"pieces", "piece", "pcs", "units", "unit", "items", "item"}
PURE = {"x", "X", "times", "fold", "-fold"}
