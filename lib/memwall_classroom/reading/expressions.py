"""A formula over known symbols, out of what people write: `T = 2 B N_a / F, since ...`.

The text is rewritten into the grammar of `grammar.parse_formula`: names before an equals sign are
dropped, brackets of any kind become parentheses, missing multiplication signs are put in, names
glued together are taken apart. Where a missing sign after a slash leaves two readings, the units
decide; if they do not, the formula is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .grammar import (
    FUNCTIONS,
    MAX_TOKENS,
    Dimension,
    GrammarError,
    Node,
    dimension,
    identical,
    parse_formula,
    parse_unit,
)
from .signs import tidy

_FUNCTIONS = {name: name for name in FUNCTIONS} | {
    "maximum": "max", "minimum": "min", "fmax": "max", "fmin": "min", "ln": "log", "ceiling": "ceil", "root": "sqrt",
}  # fmt: skip
_SIGNED_WORDS = {
    "times": "*", "over": "/", "plus": "+", "minus": "-", "per": "/", "squared": "^2", "cubed": "^3",
}  # fmt: skip
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9][0-9_]*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+(?![0-9A-Za-z_.]))?)"
    r"|(?P<name>[^\W\d][^\W]*)|(?P<sign>\*\*|[-+*/^(),;:=√~]))"
)
_AFTER = re.compile(
    r"(?:[,;.(]|\s--?)?\s*\b(?:because|since|where|with|so that|which|assuming|by the)\b.*$|\s\(?as\s[a-z]{2,}\b.*$|\s\([a-z]{2,}(?: [a-z0-9]+)+\)$"
)
# words that follow a full stop, a comma, a dash or an `if`: talk, as long as they say no other formula
_TALK = re.compile(
    r"(?:[.;,]|\s//|\s--?)\s+(?=[A-Za-z][a-z]+\b)[^*/+=^]*$|\s(?:if|when|as)\s[^*/+=^]*$"
)
_OTHER = re.compile(
    r"\b(?:else|otherwise|or|not|no|plus|minus|times|over|divided|twice|half|double)\b", re.I
)
_LARGER = re.compile(
    r"(?:the )?(?P<which>larger|greater|longer|slower|maximum|max|smaller|shorter|minimum|min) of (?P<one>.+) and (?P<two>.+)"
)
_LEAD = re.compile(
    r"^\s*[^\W\d_][\w ,'-]{0,60}?(?::|\bis\b(?: equal to)?|\b(?:equals|gives|get|got|find|found|have|obtain)\b)\s+"
)
_SO = re.compile(r"^\s*(?:so|thus|hence|therefore|then|ergo)\b[:,]?\s+", re.I)


@dataclass(frozen=True)
class Written:
    """A formula as read: its tree, and its text in the strict grammar."""

    tree: Node
    text: str


def read_formula(
    text: str, symbols: Iterable[str] | Mapping[str, str], unit: str | None = None
) -> Written:
    """The formula that an answer states, or `GrammarError` with the reason.

    symbols: the letters it may use, or each with its unit; with `unit`, the one asked for, they
    decide between two readings.
    """
    units = symbols if isinstance(symbols, Mapping) else {}
    names = list(symbols)
    plain = _brackets(tidy(text))
    sides = [side for side in plain.split("=") if side.strip()] or [""]
    if len(sides) > 1 and _is_name(sides[0], names):
        sides = sides[1:]
    dimensions = {name: parse_unit(of).dimension for name, of in units.items()}
    asked = None if unit is None or not units else parse_unit(unit).dimension
    read: list[Written] = []
    refused: GrammarError | None = None
    for side in sides:
        try:
            read.append(_side(side, names, dimensions, asked))
        except GrammarError as error:
            # max(t_c, t_m) on the way, or a value at the end, in names that are not the question's
            if len(sides) == 1 or not re.fullmatch(r"[\w\s.,()*/^+$%-]+", side) or "__" in side:
                raise
            refused = refused or error
    if refused and not read:
        raise refused
    first = read[-1]
    for other in read[:-1]:
        if other.tree != first.tree and not identical(other.tree, first.tree, names):
            raise GrammarError(f"it states two formulas: {other.text[:40]} and {first.text[:40]}")
    return first


def _brackets(text: str) -> str:
    for theirs, ours in (("⌈", " ceil("), ("⌉", ")"), ("⌊", " floor("), ("⌋", ")"), ("²", "^2")):
        text = text.replace(theirs, ours)
    text = re.sub(r"\b(?:np|numpy|[mM]ath|sympy|sp|torch|jnp)\.(?=[a-zA-Z]+\s*\()", "", text)
    text = re.sub(r"\s#.*$", "", text.replace(":=", "="))
    text = re.sub(r"\bdivided by\b", "/", re.sub(r"\bmultiplied (?:by|with)\b", "*", text))
    text = re.sub(r"\bto the power (?:of )?", "^", text)
    text = re.sub(r"^\s*(?:return|print)\b|^\s*[-=]*[>→⇒]|^\s*lambda\b[^:]*:", "", text)
    for _ in range(2):
        text = re.sub(r"\b(max|min)\s*\(\s*\[([^\[\]]*)\]\s*\)", r"\1(\2)", text)  # max([a, b])
    text = text.translate(str.maketrans("[]{}", "()()")).replace("~", "=")
    return re.sub(r"[\s.;,!]+$", "", text)


def _is_name(side: str, names: list[str]) -> bool:
    """True if the left side of an equation only names what is computed: T, t_step, cost per token, T(B)."""
    side = side.strip().removesuffix(":").strip()
    if re.fullmatch(r"[^\W\d]\w*\s*\(\s*[\w\s,;/$]*\)", side):
        return side.partition("(")[0].strip().lower() not in _FUNCTIONS
    if not re.fullmatch(r"[^\W\d][\w ,'./$-]*", side) or re.search(r"\s[-/]\s", side):
        return False
    words = side.split()
    return (len(words) == 1 and not re.search(r"[-/]", side)) or not all(
        w in names for w in re.split(r"[\s/-]+", side)
    )


def _side(
    side: str, names: list[str], dimensions: Mapping[str, Dimension], asked: Dimension | None
) -> Written:
    side = re.sub(r"[\s.;,!]+$", "", side)
    if larger := _LARGER.fullmatch(side.strip()):
        which = "min" if larger["which"] in ("smaller", "shorter", "minimum", "min") else "max"
        side = f"{which}({larger['one']}, {larger['two']})"
    tried = [side]
    lead = _LEAD.match(side)
    if lead and not (":" in lead.group() and lead.group().rstrip(": ").split()[0] in names):
        # T: ... with a blank behind the colon alone is a name, and no division
        tried.insert(0 if re.match(r"\s*\w+:\s", side) else 1, side[lead.end() :])
    if connected := _SO.match(side):
        tried.append(side[connected.end() :])
    tried += [_AFTER.sub("", text) for text in tried if _AFTER.search(text)]
    for text in [*tried]:
        talk = _TALK.search(text)
        if talk and not _OTHER.search(talk.group()):
            tried.append(text[: talk.start()])
    tried += [shorter for text in tried if (shorter := _without_unit(text, names)) != text]
    refused: GrammarError | None = None
    for text in tried:
        try:
            return _one_reading(text, names, dimensions, asked)
        except GrammarError as error:
            refused = refused or error
    raise refused or GrammarError("it is empty")


def _without_unit(text: str, names: list[str]) -> str:
    """Without the unit of the result behind the formula: in seconds, (s), dollars per token."""
    match = re.search(r",?(?:\s+in)?\s+\(?\s*([A-Za-z$%µ][A-Za-z$%µ/ ]*?)\s*\)?$", text)
    if match is None or match.group(1) in names:
        return text
    try:
        parse_unit(match.group(1))
    except GrammarError:
        return text
    return text[: match.start()]


def _one_reading(
    text: str, names: list[str], dimensions: Mapping[str, Dimension], asked: Dimension | None
) -> Written:
    left, tight = _Rewriter(text, names).both()
    reading = Written(parse_formula(left, names), left)
    if tight == left:
        return reading
    other = Written(parse_formula(tight, names), tight)
    if identical(reading.tree, other.tree, names):
        return reading
    fits = [r for r in (reading, other) if asked is not None and _has(r.tree, dimensions, asked)]
    if len(fits) == 1:
        return fits[0]
    raise GrammarError(
        f"it can be read as {left[:60]} and as {tight[:60]}: put what is divided by in parentheses"
    )


def _has(tree: Node, dimensions: Mapping[str, Dimension], asked: Dimension) -> bool:
    try:
        found = dimension(tree, dimensions)
    except GrammarError:
        return False
    return found is None or found == asked


class _Rewriter:
    """The tokens of a formula with every multiplication sign in its place."""

    def __init__(self, text: str, names: list[str]) -> None:
        self.names = names
        self.tokens: list[tuple[str, str]] = []
        self._cut(text)

    def _cut(self, text: str) -> None:
        # for each open parenthesis: is it a function's, whose arguments commas part?
        inside: list[bool] = []
        semicolons = ";" in text
        at, end = 0, len(text.rstrip())
        while at < end:
            match = _TOKEN.match(text, at)
            if match is None:
                raise GrammarError(f"{text[at:].strip()[:1]!r} has no meaning in a formula")
            kind, token, at = (
                str(match.lastgroup),
                str(match.group(str(match.lastgroup))),
                match.end(),
            )
            if (
                kind == "number"
                and (semicolons or not any(inside))
                and (comma := re.match(r",([0-9]+)(?![0-9.,])", text[at:]))
            ):
                token, at = f"{token}.{comma.group(1)}", at + comma.end()  # 0,5
            if kind == "name":
                self._name(token, text[at:])
            elif token == "(":
                inside.append(bool(self.tokens) and self.tokens[-1][0] == "function")
                self.tokens.append(("sign", "("))
            elif token == ")":
                if inside:
                    inside.pop()
                self.tokens.append(("sign", ")"))
            else:
                self.tokens.append((kind, {";": ",", ":": "/"}.get(token, token)))
            if len(self.tokens) > MAX_TOKENS:
                raise GrammarError(f"it has more than {MAX_TOKENS} signs: shorten it")

    def _name(self, token: str, rest: str) -> None:
        opens = rest.lstrip().startswith("(")
        if token in self.names:
            self.tokens.append(("symbol", token))
        elif opens and token.lower() in _FUNCTIONS:
            self.tokens.append(("function", _FUNCTIONS[token.lower()]))
        elif opens and (cut := self._before_function(token)):
            self.tokens += cut
        elif found := self._loosely(token):
            self.tokens += [("symbol", name) for name in found]
        elif token in ("x", "X") or token.lower() in _SIGNED_WORDS:
            word = _SIGNED_WORDS.get(token.lower(), "*")
            self.tokens += [("sign", sign) for sign in word[:1]] + [("number", n) for n in word[1:]]
        elif token == "e" and rest.lstrip()[:1] == "^":
            self.tokens.append(("euler", "exp"))
        else:
            parse_formula(token, self.names)  # says that it is unknown, and what may be meant
            raise GrammarError(f"{token[:40]!r} needs its arguments in parentheses")

    def _before_function(self, token: str) -> list[tuple[str, str]]:
        """Symbols glued to a function's name, as in Rmax(...)."""
        for name in sorted(_FUNCTIONS, key=len, reverse=True):
            before = token[: -len(name)]
            if token.lower().endswith(name) and before:
                symbols = [before] if before in self.names else self._loosely(before)
                return (
                    [("symbol", s) for s in symbols] + [("function", _FUNCTIONS[name])]
                    if symbols
                    else []
                )
        return []

    def _loosely(self, token: str) -> list[str]:
        """The symbols that a name stands for: without its subscript's sign, glued, in other capitals."""
        bare = token.replace("_", "")
        whole = [[name] for name in self.names if name.replace("_", "") == bare]
        found = whole + [glued for glued in self._glued(token) if glued not in whole]
        if not found:
            found = [[n] for n in self.names if n.replace("_", "").lower() == bare.lower()]
        if not found and re.fullmatch(r"[A-Za-z]_[a-z]{3,}", token):
            found = [[n] for n in self.names if "_" in n and token.startswith(n)]  # N_active
        if len(found) > 1:
            ways = " or ".join("*".join(way) for way in found[:3])
            raise GrammarError(f"{token[:40]!r} may be {ways}: put signs between the symbols")
        return found[0] if found else []

    def _glued(self, token: str) -> list[list[str]]:
        """All ways to cut a name into two or more symbols, as in BLk and BN_a."""
        if len(token) > 24:
            return []
        known = {name: name for name in self.names} | {n.replace("_", ""): n for n in self.names}
        ways: list[list[list[str]]] = [[] for _ in range(len(token) + 1)]
        ways[0].append([])
        for end in range(1, len(token) + 1):
            for text, name in known.items():
                if token.endswith(text, 0, end):
                    ways[end] += [[*way, name] for way in ways[end - len(text)]]
            ways[end] = ways[end][:8]
        distinct: list[list[str]] = []
        for way in ways[-1]:
            if len(way) > 1 and way not in distinct:
                distinct.append(way)
        return distinct

    def both(self) -> tuple[str, str]:
        """The formula with signs put in: read from the left, and with what follows a slash held together."""
        return self._joined(hold=False), self._joined(hold=True)

    def _joined(self, hold: bool) -> str:
        self.at = 0
        return self._run(hold, top=True)

    def _peek(self, offset: int = 0) -> tuple[str, str]:
        i = self.at + offset
        return self.tokens[i] if i < len(self.tokens) else ("end", "")

    def _run(self, hold: bool, top: bool) -> str:
        """Tokens up to the closing parenthesis, products completed."""
        out: list[str] = []
        held: list[str] | None = None  # factors without signs after a slash
        open_power = False

        def flush() -> None:
            nonlocal held
            if held is not None:
                out.append(f"({'*'.join(held)})" if len(held) > 1 and hold else "*".join(held))
                held = None

        while (kind := self._peek()[0]) != "end":
            token = self._peek()[1]
            if kind == "sign" and token == ")":
                if top:
                    break
                break
            if kind == "sign" and token not in ("(", "√"):
                flush()
                self.at += 1
                out.append(token)
                open_power = token in ("^", "**")
                if token == "/":
                    held = []
                continue
            atom = self._atom(hold)
            if held is None:
                if out and self._ends(out[-1]):
                    out.append("*")
                out.append(atom)
            else:
                held.append(atom)
            if open_power:
                open_power = False
        flush()
        if top and self._peek()[0] != "end":
            return "".join(out) + "".join(t for _, t in self.tokens[self.at :])
        return "".join(out)

    @staticmethod
    def _ends(piece: str) -> bool:
        return piece not in ("+", "-", "*", "/", "^", "**", ",", "=", "~")

    def _atom(self, hold: bool) -> str:
        """A number, a symbol, a function with its arguments or a parenthesis, with its power."""
        kind, token = self._peek()
        self.at += 1
        if kind == "euler":
            self.at += 1
            return f"exp({self._atom(hold)})"
        if token == "√":
            inner = self._atom(hold)
            return (
                f"sqrt{inner}"
                if inner.startswith("(") and inner.endswith(")")
                else f"sqrt({inner})"
            )
        if kind == "function":
            self.at += 1
            text = f"{token}({self._run(hold, top=False)})"
            self._close()
        elif token == "(":
            text = f"({self._run(hold, top=False)})"
            self._close()
        else:
            text = token
        while self._peek()[1] in ("^", "**"):
            self.at += 1
            sign = ""
            while self._peek()[1] in ("-", "+"):
                sign += self._peek()[1]
                self.at += 1
            if self._peek()[0] == "end":
                return f"{text}^{sign}"
            text = f"{text}^{sign}{self._atom(hold)}"
            break
        return text

    def _close(self) -> None:
        if self._peek()[1] != ")":
            raise GrammarError("a closing parenthesis is missing")
        self.at += 1
