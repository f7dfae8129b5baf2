"""One letter of several, out of what people write: `Option B, because ...`."""

from __future__ import annotations

import re

from .grammar import GrammarError
from .signs import tidy

_NAMED = re.compile(r"\b(?:option|answer|ans|choice|letter|variant|case|alternative)s?\s*(?:is|:|=)?\s*[(\['\"]?([a-z])\b(?!')", re.I)  # fmt: skip
_FIRST = re.compile(r"^[(\[{'\"]*([A-Za-z])(?:[)\]}\"]+|\s*[.:,;]|\s+-|$)")
_ALONE = re.compile(
    r"(?<![\w'(])(?:[(\['\"]?([A-Z])[)\]'\"]?(?![\w'])|([a-z])\)(?!\w))|[(\[]([a-z])[)\]]"
)
_SEVERAL = re.compile(r"\W*[a-f](?:\W+(?:and\W+)?[a-f])+\W*", re.I)  # (a) and (b)
_OPEN = re.compile(r"\b(?:not|no|neither|nor|except|or|both|either|never|instead|unless|between|than|rather)\b|n't\b|[<>]|\+", re.I)  # fmt: skip


def read_letter(text: str, letters: str) -> str:
    """The option that an answer names, or `GrammarError` with the reason."""
    asked = f"one letter is asked, {letters[0]} to {letters[-1]}"
    text = text.replace("\n", "; ") if isinstance(text, str) else text
    plain = re.sub(r"\bnot (?:quite )?(?:sure|certain)\b|\bno doubt\b", " ", tidy(text))
    plain = re.sub(r"^\s*(?:q[0-9]+\s*)?(?:[=~:]+(?!>)|[-=]*[>→⇒])\s*", "", plain).strip(" .!?_*-")
    if _SEVERAL.fullmatch(plain):
        raise GrammarError(f"{asked}, and it does not settle on one")
    found = [m.upper() for m in _NAMED.findall(plain) if m.upper() in letters]
    if first := _FIRST.match(plain):
        found.append(first.group(1).upper())
    # an A that begins a sentence may be an article
    alone = [
        (m[1] or m[2] or m[3]).upper() for m in _ALONE.finditer(plain) if not _article(plain, m)
    ]
    found += [letter for letter in alone if letter in letters]
    if not found or any(letter not in letters for letter in found):
        raise GrammarError(asked)
    head = re.split(r"\b(?:because|since|as)\b|[,;:.()\[\]|=]|\s-", plain[1:])[0]
    if len(set(found)) > 1 or _OPEN.search(plain[:1] + head):
        raise GrammarError(f"{asked}, and it does not settle on one")
    return found[0]


def _article(text: str, match: re.Match[str]) -> bool:
    rest = text[match.end() :]
    if match.group() != "A" or not re.match(r"\s+[a-z]", rest):
        return False
    return not re.match(
        r"\s+(?:because|since|as|is|it|due|for|i|by|the|of course|obviously|definitely|clearly|certainly|surely|probably)\b",
        rest,
    )
