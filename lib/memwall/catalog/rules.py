"""The six words in which `data/families.json` says how a configuration becomes layers.

A rule is one expression over the keys of a config.json:

    a key        num_hidden_layers   rope.factor   layer_types[i]
    arithmetic   + - * / // %   == != < <= > >=   and or not   ( )
    count        count(list, value): how often; count(list): how many
    repeat       repeat(pattern, i): the pattern's entry at i, starting over at its end
    a default    a ?? b: b where a is missing
    a condition  a if b else c

Numbers, 'text', true, false and `infinite` stand for themselves. Small on purpose: the planner's
page has the same evaluator in JavaScript (`views/explorer/config.js`), and a test compares them.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable
from typing import Any

from ..core.units import InputError

_TOKEN = re.compile(
    r"\s*(?:(\d+\.?\d*)|'([^']*)'|([A-Za-z_]\w*)|(\?\?|//|[=!<>]=|[-+*/%<>()\[\].,]))"
)
_CONSTANTS = {"true": True, "false": False, "infinite": math.inf}
_LEVELS: tuple[tuple[str, ...], ...] = (
    ("or",), ("and",), ("==", "!=", "<", "<=", ">", ">="), ("+", "-"), ("*", "/", "//", "%"),
)  # fmt: skip


class Missing:
    """What a key that is not there gives: false, passed on by a default, an error in arithmetic."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __bool__(self) -> bool:
        return False


@functools.cache
def parse(text: str) -> Any:  # noqa: PLR0915  (one small function a level of binding)
    """The expression as nested tuples: ("number", 3), ("name", "a"), ("+", left, right), ..."""
    tokens: list[tuple[str, Any]] = []
    at = 0
    while at < len(text.rstrip()):
        found = _TOKEN.match(text, at)
        if not found:
            raise InputError(f"no rule reads {text[at:]!r} in {text!r}")
        number, quoted, word, mark = found.groups()
        if number is not None:
            tokens.append(("number", float(number) if "." in number else int(number)))
        elif quoted is not None:
            tokens.append(("text", quoted))
        else:
            tokens.append(("word", word) if word else ("mark", mark))
        at = found.end()
    tokens.append(("end", None))
    here = 0

    def take(*wanted: str) -> str | None:
        nonlocal here
        kind, value = tokens[here]
        if kind in ("word", "mark") and value in wanted:
            here += 1
            return str(value)
        return None

    def need(wanted: str) -> None:
        if not take(wanted):
            raise InputError(f"{wanted!r} is missing in the rule {text!r}")

    def condition() -> Any:
        value = default()
        if take("if"):
            test = default()
            need("else")
            return ("if", test, value, condition())
        return value

    def default() -> Any:
        value = binary(0)
        return ("??", value, default()) if take("??") else value

    def binary(level: int) -> Any:
        if level == len(_LEVELS):
            return unary()
        value = binary(level + 1)
        while mark := take(*_LEVELS[level]):
            value = (mark, value, binary(level + 1))
        return value

    def unary() -> Any:
        if take("not"):
            return ("not", unary())
        if take("-"):
            return ("-", ("number", 0), unary())
        return postfix()

    def postfix() -> Any:
        value = primary()
        while mark := take(".", "["):
            if mark == ".":
                value = ("at", value, ("text", identifier()))
            else:
                value = ("at", value, condition())
                need("]")
        return value

    def identifier() -> str:
        nonlocal here
        kind, value = tokens[here]
        if kind != "word":
            raise InputError(f"a name is missing in the rule {text!r}")
        here += 1
        return str(value)

    def primary() -> Any:
        nonlocal here
        if take("("):
            value = condition()
            need(")")
            return value
        kind, value = tokens[here]
        if kind in ("number", "text"):
            here += 1
            return (kind, value)
        name = identifier()
        if name in _CONSTANTS:
            return ("number", _CONSTANTS[name])
        if name in ("count", "repeat") and take("("):
            arguments = [condition()]
            while take(","):
                arguments.append(condition())
            need(")")
            return (name, *arguments)
        return ("name", name)

    tree = condition()
    if tokens[here][0] != "end":
        raise InputError(f"the rule {text!r} goes on after its end")
    return tree


def keys(tree: Any) -> set[str]:
    """The names that an expression mentions."""
    if tree[0] == "name":
        return {tree[1]}
    return set().union(*(keys(part) for part in tree[1:] if isinstance(part, tuple)), set())


def evaluate(tree: Any, lookup: Callable[[str], Any]) -> Any:
    """The value of a parsed expression, names answered by `lookup`."""
    word = tree[0]
    if word in ("number", "text"):
        return tree[1]
    if word == "name":
        return lookup(tree[1])
    if word == "if":
        return evaluate(tree[2 if _true(evaluate(tree[1], lookup)) else 3], lookup)
    if word == "??":
        value = evaluate(tree[1], lookup)
        return evaluate(tree[2], lookup) if isinstance(value, Missing) else value
    if word in ("and", "or"):
        value = evaluate(tree[1], lookup)
        return value if _true(value) == (word == "or") else evaluate(tree[2], lookup)
    values = [evaluate(part, lookup) for part in tree[1:]]
    if word == "not":
        return not _true(values[0])
    if word == "at":
        return _entry(*values)
    if word == "repeat":
        pattern, index = values
        return (
            _entry(pattern, index % len(pattern))
            if _sequence(pattern) and pattern
            else Missing(_name(pattern))
        )
    if word == "count":
        if not _sequence(values[0]):
            return 0
        whole = values[0]
        if isinstance(whole, str) and "," in whole:  # a list written as text: "3,4,5"
            whole = [int(v) for v in whole.split(",") if v.strip().isdigit()]
        return len(whole) if len(values) == 1 else sum(same(v, values[1]) for v in whole)
    return _arithmetic(word, *values)


def same(left: Any, right: Any) -> bool:
    """Equality as both languages see it: text with text, numbers with numbers."""
    if isinstance(left, Missing) or isinstance(right, Missing):
        return False
    return isinstance(left, str) == isinstance(right, str) and bool(left == right)


def plausible(name: str, value: Any) -> Any:
    """The value as it is, unless it is a number that no configuration means."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if value < 0:
            raise InputError(f"{name} = {value!r:.60} is negative")
        if not value < 1e15:
            raise InputError(f"{name} is absurdly large")
    return value


def _true(value: Any) -> bool:
    # a list counts as there when it has entries, in both languages
    return bool(value)


def _sequence(value: Any) -> bool:
    return isinstance(value, list | tuple | str)


def _name(value: Any) -> str:
    return value.name if isinstance(value, Missing) else repr(value)[:40]


def _entry(value: Any, index: Any) -> Any:
    if isinstance(value, Missing):
        return value
    if isinstance(index, str):
        found = value.get(index) if isinstance(value, dict) else None
        return Missing(index) if found is None else plausible(index, found)
    if not _sequence(value):
        return Missing("a list")
    if isinstance(index, Missing) or not 0 <= index < len(value):
        return Missing(f"entry {_name(index)} of a list of {len(value)}")
    found = value[int(index)]
    return Missing(f"entry {index}") if found is None else plausible(f"entry {index}", found)


def _arithmetic(word: str, left: Any, right: Any) -> Any:
    if word == "==":
        return same(left, right)
    if word == "!=":
        return not same(left, right)
    for value in (left, right):
        if isinstance(value, Missing):
            raise InputError(f"{value.name} is missing")
        if not isinstance(value, bool | int | float) or math.isnan(value):
            raise InputError(f"{value!r:.60} stands where a number is needed")
    try:
        return {
            "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b,
            "/": lambda a, b: a // b if isinstance(a, int) and isinstance(b, int) and a % b == 0 else a / b,
            "//": lambda a, b: a // b, "%": lambda a, b: a % b,
            "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
            ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
        }[word](left, right)  # fmt: skip
    except ZeroDivisionError:
        raise InputError(f"{left} {word} 0: a size is zero that cannot be") from None
