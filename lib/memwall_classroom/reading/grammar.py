"""How an answer is read: formulas over known symbols, and quantities with units.

Students' text is never evaluated, sympified or executed. It is cut into tokens, parsed
by the few rules below into a small tree, and only that tree is used: on numbers, on
dimensions, and on the elements of a finite field, where an identity is checked exactly.
Everything is bounded: length, tokens, depth, exponents, constants.

    formula   = term (("+" | "-") term)*
    term      = signed (("*" | "/") signed)*
    signed    = ("-" | "+") signed | power
    power     = atom (("^" | "**") signed)?
    atom      = number | symbol | function "(" formula ("," formula)* ")" | "(" formula ")"

    quantity  = ["$"] number [unit]    12.5 ms, 2,400, $0.31 / Mtok, 3/4, 2^20, 1.2e9 B/s, 40 %
    unit      = factor (("*" | "/" | "per") factor)*
    factor    = name ["^" integer] | "(" unit ")"
"""

from __future__ import annotations

import functools
import math
import random
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from memwall.core import algebra
from memwall.core.nouns import suggest
from memwall.core.units import InputError

MAX_CHARACTERS = 600
MAX_TOKENS = 300
MAX_DEPTH = 30
MAX_EXPONENT = 64
MAX_CONSTANT = 1e100  # no constant of this subject comes near


class GrammarError(InputError):
    """An answer that cannot be read; the message tells the student why, without its full stop."""

    def __str__(self) -> str:
        return super().__str__().removesuffix(".")


# ---------------------------------------------------------------- characters

# what people type or paste for the plain signs; letters are never translated
_SIGNS = str.maketrans({
    "−": "-", "–": "-", "×": "*", "·": "*", "⋅": "*", "∗": "*", "÷": "/", "∕": "/",
    "\u00a0": " ", "\u2009": " ", "\u202f": " ",
})  # fmt: skip
_RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def _plain(text: str, also: str = "") -> str:
    """The text with typographic signs made plain, or a complaint about what is not ASCII."""
    if not isinstance(text, str):
        raise GrammarError("an answer is a text between quotes")
    if len(text) > MAX_CHARACTERS:
        raise GrammarError(f"{len(text):,} characters: an answer has at most {MAX_CHARACTERS}")
    text = re.sub("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda m: "^" + m.group().translate(_RAISED), text)
    text = text.translate(_SIGNS).strip()
    for char in text:
        if (ord(char) < 32 or ord(char) > 126) and char not in also:
            name = unicodedata.name(char, f"U+{ord(char):04X}").lower()
            raise GrammarError(
                f"it holds the character {char!a} ({name}): type plain letters and digits"
            )
    return text


def number_of(text: str) -> Fraction:
    """A decimal literal, exactly; refused where a float could not hold it."""
    plain = text.replace("_", "").replace(",", "")
    if len(plain) > 40:
        raise GrammarError(f"a number of {len(plain)} characters: 40 are enough")
    size = float(plain)
    if math.isinf(size):
        raise GrammarError(f"{text} is too large a number")
    value = Fraction(plain) if size else Fraction(0)
    if size == 0 and re.search("[1-9]", re.split("[eE]", plain)[0]):
        raise GrammarError(f"{text} is too small a number")
    return value


# ---------------------------------------------------------------- formulas


@dataclass(frozen=True)
class Node:
    """A parsed formula: number, symbol, sum, product, power, negative, inverse or a function."""

    kind: str
    parts: tuple[Node, ...] = ()
    name: str = ""
    value: Fraction = Fraction(0)


FUNCTIONS: dict[str, tuple[Callable[..., Any], int, int]] = {  # name: function, arguments from, to
    "max": (algebra.maximum, 2, 4),
    "min": (algebra.minimum, 2, 4),
    "sqrt": (algebra.sqrt, 1, 1),
    "exp": (algebra.exp, 1, 1),
    "log": (algebra.log, 1, 1),
    "ceil": (algebra.ceil, 1, 1),
    "floor": (algebra.floor, 1, 1),
}
_ALIASES = {"Max": "max", "Min": "min", "ln": "log", "ceiling": "ceil"}
_DIGITS = r"[0-9][0-9_]*"
_TOKEN = re.compile(
    rf"\s*(?:(?P<number>(?:{_DIGITS}(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z_0-9]*)|(?P<sign>\*\*|[-+*/^(),]))"
)


def parse_formula(text: str, symbols: Iterable[str]) -> Node:
    """The tree of a formula over the symbols it may use."""
    return _Parser(_plain(text), list(symbols)).whole()


class _Parser:
    """Recursive descent over the tokens, one method a rule, depth counted."""

    def __init__(self, text: str, symbols: list[str]) -> None:
        self.symbols = symbols
        self.tokens: list[tuple[str, str]] = []
        self.at = self.depth = 0
        end = 0
        while end < len(text.rstrip()):
            match = _TOKEN.match(text, end)
            if match is None:
                raise GrammarError(f"{text[end:].strip()[:1]!r} has no meaning in a formula")
            self.tokens.append((str(match.lastgroup), str(match.group(str(match.lastgroup)))))
            end = match.end()
            if len(self.tokens) > MAX_TOKENS:
                raise GrammarError(f"it has more than {MAX_TOKENS} signs: shorten it")

    def peek(self) -> str:
        kind, text = self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")
        return text if kind == "sign" else kind

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1][1]

    def accept(self, *signs: str) -> str:
        return self.take() if self.peek() in signs else ""

    def whole(self) -> Node:
        if not self.tokens:
            raise GrammarError("it is empty")
        node = self.formula()
        if self.peek() != "end":
            kind, text = self.tokens[self.at]
            if kind in ("name", "number") or text == "(":
                before = self.tokens[self.at - 1][1]
                raise GrammarError(
                    f"a sign is missing between {before!r} and {text!r}: write 2*B, not 2 B"
                )
            if text == ",":
                raise GrammarError("a comma stands only between the arguments of max and min")
            raise GrammarError(f"there is a {text!r} too many")
        _constant(node)
        return node

    def deeper(self, rule: Callable[[], Node]) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise GrammarError(f"it is nested more than {MAX_DEPTH} deep")
        node = rule()
        self.depth -= 1
        return node

    def formula(self) -> Node:
        terms = [self.term()]
        while sign := self.accept("+", "-"):
            term = self.term()
            terms.append(Node("negative", (term,)) if sign == "-" else term)
        return Node("sum", tuple(terms)) if len(terms) > 1 else terms[0]

    def term(self) -> Node:
        factors = [self.signed()]
        while sign := self.accept("*", "/"):
            factor = self.signed()
            factors.append(Node("inverse", (factor,)) if sign == "/" else factor)
        return Node("product", tuple(factors)) if len(factors) > 1 else factors[0]

    def signed(self) -> Node:
        if sign := self.accept("-", "+"):
            node = self.deeper(self.signed)
            return Node("negative", (node,)) if sign == "-" else node
        return self.power()

    def power(self) -> Node:
        base = self.atom()
        if not self.accept("^", "**"):
            return base
        return Node("power", (base, self.deeper(self.signed)))

    def atom(self) -> Node:
        kind = self.peek()
        if kind == "number":
            return Node("number", value=number_of(self.take()))
        if kind == "name":
            return self.named(self.take())
        if kind == "(":
            self.take()
            node = self.deeper(self.formula)
            self.close()
            return node
        raise GrammarError(
            "it ends too early"
            if kind == "end"
            else f"{kind!r} stands where a symbol or number should"
        )

    def named(self, name: str) -> Node:
        if name in self.symbols:
            return Node("symbol", name=name)
        function = _ALIASES.get(name, name)
        if function not in FUNCTIONS:
            hint = suggest(name, self.symbols)
            raise GrammarError(
                f"{name[:40]!r} is not among its symbols {', '.join(self.symbols)}.{hint}"
            )
        if not self.accept("("):
            raise GrammarError(f"{name} needs its arguments in parentheses")
        arguments = [self.deeper(self.formula)]
        while self.accept(","):
            arguments.append(self.deeper(self.formula))
        self.close()
        _, least, most = FUNCTIONS[function]
        if not least <= len(arguments) <= most:
            raise GrammarError(
                f"{name} takes {least if least == most else f'{least} to {most}'} arguments, not {len(arguments)}"
            )
        return Node(function, tuple(arguments))

    def close(self) -> None:
        if not self.accept(")"):
            raise GrammarError("a closing parenthesis is missing")


def _constant(node: Node) -> float | None:
    """The value of a part without symbols (else None), refused where it would be absurdly large."""
    parts = [_constant(part) for part in node.parts]
    if node.kind == "power":
        exponent = parts[1]
        if exponent is not None and abs(exponent) > MAX_EXPONENT:
            raise GrammarError(f"the exponent {exponent:g} is too large: at most {MAX_EXPONENT}")
    if node.kind == "symbol" or any(part is None for part in parts):
        return None
    try:
        with np.errstate(all="ignore"):
            value = float(evaluate(node, {}))
    except (OverflowError, ZeroDivisionError, ValueError, TypeError):
        raise GrammarError("a part of it is no finite number") from None
    if not abs(value) < MAX_CONSTANT:
        raise GrammarError("a part of it is no finite number, or far too large")
    return value


def evaluate(node: Node, values: Mapping[str, Any]) -> Any:
    """The formula's value for numbers or arrays, by the library's own functions."""
    if node.kind == "number":
        return float(node.value)
    if node.kind == "symbol":
        return values[node.name]
    parts = [evaluate(part, values) for part in node.parts]
    if node.kind == "sum":
        return sum(parts[1:], parts[0])
    if node.kind == "product":
        return math.prod(parts[1:], start=parts[0])
    if node.kind == "negative":
        return -parts[0]
    if node.kind == "inverse":
        return 1 / parts[0]
    if node.kind == "power":
        return parts[0] ** parts[1]
    return FUNCTIONS[node.kind][0](*parts)


# ---------------------------------------------------------------- identity by algebra

MAX_DEGREE = 10_000


@functools.cache
def prime() -> int:
    """A prime of 127 bits that nobody knows before: two formulas could differ by a multiple of a known one."""
    rng = random.SystemRandom()
    while True:
        candidate = rng.getrandbits(126) | 1 << 126 | 1
        if all(_probably_prime(candidate, rng.randrange(2, candidate - 1)) for _ in range(24)):
            return candidate


def _probably_prime(n: int, base: int) -> bool:
    """The test of Miller and Rabin: a composite number passes it for one base in four at most."""
    odd = n - 1
    twos = (odd & -odd).bit_length() - 1
    x = pow(base, odd >> twos, n)
    return x in (1, n - 1) or any(pow(x, 2**i, n) == n - 1 for i in range(1, twos))


class NotRational(Exception):
    """A formula that is no quotient of polynomials: numbers must decide about it."""


def residue(node: Node, at: Mapping[str, int]) -> int:
    """A rational formula's exact value in the field of integers modulo a large prime."""
    if node.kind == "number":
        return node.value.numerator * _inverse(node.value.denominator) % prime()
    if node.kind == "symbol":
        return at[node.name]
    if node.kind == "power":
        power = pow(residue(node.parts[0], at), abs(_whole_exponent(node)), prime())
        return power if _whole_exponent(node) >= 0 else _inverse(power)
    if node.kind in FUNCTIONS:
        raise NotRational
    parts = [residue(part, at) for part in node.parts]
    if node.kind == "sum":
        return sum(parts) % prime()
    if node.kind == "product":
        return math.prod(parts) % prime()
    return -parts[0] % prime() if node.kind == "negative" else _inverse(parts[0])


def _inverse(value: int) -> int:
    if value % prime() == 0:
        raise ZeroDivisionError
    return pow(value, -1, prime())


def _whole_exponent(node: Node) -> int:
    exponent = _constant(node.parts[1])
    if exponent is None or exponent != int(exponent):
        raise NotRational
    return int(exponent)


def degree(node: Node) -> int:
    """At least the degree of a rational formula's numerator and denominator."""
    if not node.parts:
        return 1 if node.kind == "symbol" else 0
    if node.kind in FUNCTIONS:
        raise NotRational
    if node.kind == "power":
        return degree(node.parts[0]) * abs(_whole_exponent(node))
    return sum(map(degree, node.parts))


def is_rational(node: Node) -> bool:
    """True if a formula is a quotient of polynomials, of a degree that can be checked."""
    try:
        return degree(node) <= MAX_DEGREE
    except NotRational:
        return False


def identical(a: Node, b: Node, symbols: Iterable[str]) -> bool:
    """True if two formulas are rational and the same by algebra.

    Two different ones of degree d agree at a random point of a field of p elements with a chance
    below d / p, here 10^-34: two points settle it. Nothing is expanded, so no formula is too long.
    """
    if not (is_rational(a) and is_rational(b)):
        return False
    rng = random.Random(f"{a}{b}")
    points = [{name: rng.randrange(1, prime()) for name in symbols} for _ in range(2)]
    try:
        return all(residue(a, at) == residue(b, at) for at in points)
    except ZeroDivisionError:  # a pole everywhere, as in 1/(B - B)
        return False


# ---------------------------------------------------------------- dimensions

Dimension = tuple[Fraction, Fraction, Fraction]  # exponents of second, byte, dollar
NO_DIMENSION: Dimension = (Fraction(0), Fraction(0), Fraction(0))


def dimension(node: Node, of: Mapping[str, Dimension]) -> Dimension | None:
    """The dimension of a formula from those of its symbols; None for a bare zero, which has any."""
    if node.kind == "number":
        return NO_DIMENSION if node.value else None
    if node.kind == "symbol":
        return of[node.name]
    parts = [dimension(part, of) for part in node.parts]
    if node.kind in ("sum", "max", "min"):
        known = [part for part in parts if part is not None]
        if len(set(known)) > 1:
            what = "adds" if node.kind == "sum" else "compares"
            raise GrammarError(
                f"it {what} {' and '.join(sorted({dimension_text(k) for k in known}))}"
            )
        return known[0] if known else None
    if node.kind == "product":
        return _combined([(part, 1) for part in parts])
    if node.kind == "inverse":
        return _combined([(parts[0], -1)])
    if node.kind == "power":
        exponent = _constant(node.parts[1])
        if parts[1] not in (NO_DIMENSION, None):
            raise GrammarError(f"its exponent has the unit {dimension_text(parts[1])}")
        if parts[0] in (NO_DIMENSION, None):
            return parts[0]
        if exponent is None:
            raise GrammarError(f"it raises {dimension_text(parts[0])} to a power that varies")
        return _combined([(parts[0], Fraction(exponent).limit_denominator(64))])
    if node.kind == "sqrt":
        return _combined([(parts[0], Fraction(1, 2))])
    if node.kind in ("exp", "log", "ceil", "floor") and parts[0] not in (NO_DIMENSION, None):
        raise GrammarError(f"it takes {node.kind} of something in {dimension_text(parts[0])}")
    return parts[0]


def _combined(factors: list[tuple[Dimension | None, int | Fraction]]) -> Dimension | None:
    if any(part is None for part, _ in factors):
        return None
    sums = (sum((p[i] * e for p, e in factors if p), Fraction(0)) for i in range(3))
    return tuple(sums)  # type: ignore[return-value]


def dimension_text(dimension: Dimension | None) -> str:
    """A dimension as a unit: (−1, 1, 0) is 'B/s'."""
    if dimension is None or dimension == NO_DIMENSION:
        return "a pure number"
    names = list(zip(("s", "B", "$"), dimension, strict=True))
    names = [names[1], names[2], names[0]]
    up = [f"{n}{'' if e == 1 else f'^{e}'}" for n, e in names if e > 0]
    down = [f"{n}{'' if e == -1 else f'^{-e}'}" for n, e in names if e < 0]
    return "·".join(up or ["1"]) + "".join(f"/{d}" for d in down)


# ---------------------------------------------------------------- quantities


@dataclass(frozen=True)
class Measure:
    """A unit: its size in SI, its dimension, and what it counts (tokens, FLOP, GPUs ...)."""

    size: float = 1.0
    dimension: Dimension = NO_DIMENSION
    counts: Mapping[str, int] = field(default_factory=dict)

    def times(self, other: Measure, power: int = 1) -> Measure:
        counts = dict(self.counts)
        for name, exponent in other.counts.items():
            counts[name] = counts.get(name, 0) + exponent * power
        both = _combined([(self.dimension, 1), (other.dimension, power)])
        try:
            size = self.size * other.size**power
        except (OverflowError, ZeroDivisionError):
            size = math.inf
        if not 1e-300 < size < 1e300:
            raise GrammarError("its unit is out of reach")
        return Measure(size, both or NO_DIMENSION, {n: e for n, e in counts.items() if e})

    def text(self) -> str:
        """Its dimension and what it counts, for a message: 'token/s'."""
        up = [n for n, e in self.counts.items() if e > 0]
        down = [n for n, e in self.counts.items() if e < 0]
        plain = dimension_text(self.dimension)
        if plain == "a pure number":
            return "·".join(up) + "".join(f"/{d}" for d in down) if up else "".join(f"1/{d}" for d in down) or plain  # fmt: skip
        head, _, tail = plain.partition("/")
        head = "·".join([*up, *([head] if head != "1" else [])]) or "1"
        return head + (f"/{tail}" if tail else "") + "".join(f"/{d}" for d in down)


def _dimension(s: int = 0, b: int = 0, d: int = 0) -> Dimension:
    return (Fraction(s), Fraction(b), Fraction(d))


_BYTE, _SECOND, _DOLLAR = _dimension(b=1), _dimension(s=1), _dimension(d=1)
_LARGE = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50}
_SMALL = {"n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "m": 1e-3}
_WORDS = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "quadrillion": 1e15}
_LONG = {"kilo": 1e3, "mega": 1e6, "giga": 1e9, "tera": 1e12, "peta": 1e15, "exa": 1e18}
# words that count the same thing share one name
COUNTED = {
    "token": "token tok", "sequence": "sequence seq user request stream session",
    "parameter": "parameter param weight", "FLOP": "FLOP flop", "GPU": "GPU gpu chip accelerator",
    "layer": "layer", "expert": "expert", "step": "step pass", "rack": "rack", "stage": "stage",
    "hit": "hit", "read": "read", "microbatch": "microbatch", "round": "round", "drive": "drive",
    "machine": "machine node box", "copy": "copy copies", "pair": "pair", "sample": "sample",
    "replica": "replica",
}  # fmt: skip


def _units() -> dict[str, Measure]:
    table: dict[str, Measure] = {}

    def add(names: str, size: float, dimension: Dimension, **counts: int) -> None:
        for name in names.split():
            table[name] = Measure(size, dimension, counts)

    add("s sec second seconds", 1, _SECOND)
    for prefix, size in _SMALL.items():
        add(f"{prefix}s {prefix}sec", size, _SECOND)
    add("millisecond milliseconds", 1e-3, _SECOND)
    add("microsecond microseconds", 1e-6, _SECOND)
    add("nanosecond nanoseconds", 1e-9, _SECOND)
    add("min mins minute minutes", 60, _SECOND)
    add("h hr hrs hour hours", 3600, _SECOND)
    add("d day days", 86400, _SECOND)
    add("week weeks", 7 * 86400, _SECOND)
    for prefix, size in ({"": 1.0} | _LARGE | _BINARY).items():
        add(f"{prefix}B {prefix}byte {prefix}bytes", size, _BYTE)
        add(f"{prefix}b {prefix}bit {prefix}bits", size / 8, _BYTE)
        if prefix not in _BINARY:
            add(f"{prefix}bps", size / 8, _dimension(s=-1, b=1))
            add(f"{prefix}FLOP {prefix}FLOPs", size, NO_DIMENSION, FLOP=1)
            add(f"{prefix}FLOPS", size, _dimension(s=-1), FLOP=1)
            add(f"{prefix}tok {prefix}token {prefix}tokens", size, NO_DIMENSION, token=1)
    for prefix, size in _LONG.items():
        add(f"{prefix}byte {prefix}bytes", size, _BYTE)
        add(f"{prefix}bit {prefix}bits", size / 8, _BYTE)
    add("$ USD usd dollar dollars", 1, _DOLLAR)
    add("cent cents ¢", 0.01, _DOLLAR)
    for kind, names in COUNTED.items():
        for name in names.split():
            plural = (
                f" {name}es" if name == "pass" else "" if name in ("FLOP", "flop") else f" {name}s"
            )
            add(name + plural, 1, NO_DIMENSION, **{kind: 1})
    add("x times fold multiply-add multiply-adds multiplies", 1, NO_DIMENSION)
    add("% percent", 0.01, NO_DIMENSION)
    for name, size in _WORDS.items():
        add(f"{name} {name}s", size, NO_DIMENSION)
    return table


UNITS = _units()
_KINDS = {  # what a unit is a unit of, in words; what only counts is "a number of" it
    "a pure number": "a pure number", "s": "a time", "B": "an amount of data", "B/s": "a data rate",
    "$": "an amount of money", "$/s": "a rent", "token/s": "a rate of tokens", "B/token": "data per token",
    "$/token": "a price per token", "FLOP/B": "an arithmetic intensity", "FLOP/s": "a rate of arithmetic",
    "FLOP": "an amount of arithmetic",
}  # fmt: skip
_UNIT_TOKEN = re.compile(
    r"\s*(?:(per\b)|(multiply-adds?|[A-Za-zµμ¢]+|[$%])|(\^?\s*-?[0-9]+)|(\*\*|[*/()]))"
)
_VALUE = re.compile(
    r"\s*[~≈]?\s*(?P<dollar>\$\s*)?(?P<sign>[-+]?)\s*"
    r"(?P<number>(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9][0-9_]*)(?:\.[0-9]*)?|\.[0-9]+)"
    r"(?P<exponent>[eE][-+]?[0-9]+)?"
    r"(?:\s*(?:\^|\*\*)\s*(?P<power>[-+]?[0-9]{1,3}))?"
    r"(?:\s*[*x]\s*10\s*(?:\^|\*\*)\s*\(?(?P<ten>[-+]?[0-9]{1,4})\)?)?"
    r"(?:\s*/\s*(?P<over>[0-9][0-9_]*(?:\.[0-9]+)?)(?![0-9,.]))?"
)


@dataclass(frozen=True)
class Quantity:
    """A number with its unit, as read: `value` is in SI."""

    value: float
    measure: Measure
    unit: str

    def text(self) -> str:
        """The quantity in the unit it was written in."""
        return f"{self.value / self.measure.size:g} {self.unit}".strip()


def kind_of(measure: Measure) -> str:
    """What is asked, in words: 'a time'."""
    text = measure.text()
    if text in COUNTED and text != "FLOP":
        plural = f"{text[:-1]}ies" if text.endswith("y") else f"{text}s"
        return f"a number of {'micro-batches' if text == 'microbatch' else plural}"
    return _KINDS.get(text, f"a quantity in {text}")


@functools.lru_cache(maxsize=512)
def parse_unit(text: str) -> Measure:
    """The unit that a text such as 'GB/s', '$/Mtok' or 'tokens per second' stands for."""
    text = _plain(text, also="µμ¢")
    tokens: list[str] = []
    end = 0
    while end < len(text):
        match = _UNIT_TOKEN.match(text, end)
        if match is None or len(tokens) > 24:
            raise GrammarError(f"{text[:40]!r} is no unit")
        tokens.append("/" if match.group(1) else match.group().strip().replace("**", "^"))
        end = match.end()
    if tokens.count("(") > 3:
        raise GrammarError(f"{text[:40]!r} is no unit: too many parentheses")
    measure = _unit_product(tokens, text) if tokens else Measure()
    if tokens:
        raise GrammarError(f"{text[:40]!r} is no unit: a parenthesis is not matched")
    return measure


def _unit_product(tokens: list[str], text: str) -> Measure:
    """Read factors left to right; a product after a slash needs parentheses, or it is two-faced."""
    measure, sign, slashed, first = Measure(), 1, False, True
    while tokens and tokens[0] != ")":
        token = tokens.pop(0)
        if token in ("*", "/"):
            if not tokens or tokens[0] in ("*", "/", ")"):
                raise GrammarError(
                    f"{text[:40]!r} is no unit: something is missing beside {token!r}"
                )
            sign, slashed = (-1, True) if token == "/" else (1, slashed)
            if token == "*" and slashed:
                raise GrammarError(
                    f"{text[:40]!r} is two-faced: put what is divided by in parentheses"
                )
            first = True
            continue
        if not first and slashed:
            raise GrammarError(f"{text[:40]!r} is two-faced: put what is divided by in parentheses")
        if token == "(":
            factor = _unit_product(tokens, text)
            if not tokens or tokens.pop(0) != ")":
                raise GrammarError(f"{text[:40]!r} is no unit: a parenthesis is not matched")
        else:
            factor = unit_named(token)
        power = 1
        if tokens and re.fullmatch(r"\^\s*-?[0-9]+|\^", tokens[0]):
            raised = tokens.pop(0).lstrip("^").strip() or (tokens.pop(0) if tokens else "")
            if not re.fullmatch(r"-?[0-9]", raised):
                raise GrammarError(
                    f"{text[:40]!r} is no unit: its exponent is not a small whole number"
                )
            power = int(raised)
        measure, first = measure.times(factor, sign * power), False
    if first:
        raise GrammarError(f"{text[:40]!r} is no unit: something is missing")
    return measure


def unit_named(name: str) -> Measure:
    if name == "1":
        return Measure()
    if name in UNITS:
        return UNITS[name]
    if re.fullmatch(r"[^A-Za-zµμ$%¢]*", name):
        raise GrammarError(f"{name!r} stands where a unit should")
    same = sorted(known for known in UNITS if known.lower() == name.lower())
    if name == "m":
        hint = " Minutes are min, milliseconds ms."
    elif name in ("k", "K", "M", "G", "T"):
        hint = " For large numbers write million, billion, trillion, or an exponent such as 2e12."
    elif same:
        hint = f" Did you mean {' or '.join(map(repr, same[:4]))}? Capitals count: B is byte, b is bit."
    else:
        hint = suggest(name, UNITS)
    raise GrammarError(f"{name[:40]!r} is no unit known here.{hint}")


def parse_quantity(text: str) -> Quantity:
    """The number and unit that an answer states."""
    plain = _plain(re.sub("×$", "x", text.strip()) if isinstance(text, str) else text, also="µμ¢≈")
    plain = plain.rstrip(" .")  # a sentence's full stop
    if not plain:
        raise GrammarError("it is empty")
    match = _VALUE.match(plain)
    if match is None:
        if re.match(r"[-+]?\s*(nan|inf)", plain, re.I):
            raise GrammarError(f"{plain[:20]!r} is not a finite number")
        raise GrammarError(f"it does not begin with a number: {plain[:40]!r}")
    value = float(number_of(match["number"] + (match["exponent"] or "")))
    if match["power"]:
        try:
            value **= int(match["power"])
        except (OverflowError, ZeroDivisionError):
            raise GrammarError("it is too large a number") from None
    if match["ten"]:
        power = int(match["ten"])
        if abs(power) > 300:
            raise GrammarError(f"10^{power} is out of reach")
        value *= 10.0**power
    if match["over"]:
        if not float(number_of(match["over"])):
            raise GrammarError("it divides by zero")
        value /= float(number_of(match["over"]))
    if match["sign"] == "-":
        value = -value
    rest = plain[match.end() :].strip()
    if re.match(r",\s*[0-9]", rest):
        raise GrammarError("write a decimal point, not a comma: 2.4; commas group thousands: 2,400")
    if match["dollar"]:
        rest = "$" + rest
    if re.match(r"[-+]?[0-9]", rest) or re.search(r"\bor\b|\bto\b|;", rest):
        raise GrammarError("it states more than one number")
    measure = parse_unit(rest)
    si = value * measure.size
    if not math.isfinite(si):
        raise GrammarError("it is too large a number")
    return Quantity(si, measure, rest)
