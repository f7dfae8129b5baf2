"""An answer cut into numbers, words and signs; numbers are read as they are written anywhere."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .grammar import GrammarError, number_of

_DIGITS = (
    r"(?P<apart>[0-9]{1,3}(?:[ '][0-9]{3})+(?![0-9])(?:[.,][0-9]+)?|[0-9]+(?:_[0-9]+)+(?:\.[0-9]+)?)"
    r"|(?P<dots>[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+|[0-9]{1,3}(?:\.[0-9]{3}){2,})"
    r"|(?P<commas>[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])(?:\.[0-9]*)?|[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}(?![0-9]))"
    r"|(?P<decimal>[0-9]+,[0-9]+)"
    r"|(?P<plain>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
)
_EXPONENT = r"(?:\s?[eE](?P<e>[-+]?[0-9]{1,4})(?![0-9.])|\s[eE]\s?(?P<e2>[-+][0-9]{1,4}))?"
NUMBER = re.compile(rf"(?:{_DIGITS}){_EXPONENT}(?![,.]?[0-9])")
_POWER = re.compile(r"\s*(?:\^|\*\*)\s*(?:\(\s*)?([-+]?\s?[0-9]{1,4}(?:\.[0-9]{1,4})?)(?:\s*\))?")
_WORD = re.compile(r"[^\W\d_](?:[\w]|['-](?=[^\W\d_]))*|[$%¢‰]")
_SPLIT = re.compile(r"(h|hr|hrs|d|min|m)(?=[0-9])")


@dataclass(frozen=True)
class Written:
    """A written number: its value, another one if its comma is two-faced, and how far it is rounded."""

    value: float
    other: float | None = None
    half: float = 0.0  # half a unit of its last figure
    power: bool = False
    unlikely: bool = False  # the other value: nobody ends decimals in a nought, but before 10^-3
    whole: bool = False  # plain digits


@dataclass(frozen=True)
class Piece:
    kind: str  # number, word, sign
    text: str
    number: Written = Written(0)
    glued: bool = False  # to what stands before it


def pieces_of(text: str) -> list[Piece]:
    found: list[Piece] = []
    at = 0
    while at < len(text):
        if text[at] == " ":
            at += 1
            continue
        glued = at > 0 and text[at - 1] != " "
        if match := NUMBER.match(text, at):
            number, end = _powered(text, match)
            found.append(Piece("number", text[at:end].strip(), number, glued))
        elif text[at].isdigit():
            raise GrammarError(f"{text[at : at + 20]!r} is no number: write 1234.5 or 1.2e-3")
        elif match := _WORD.match(text, at):
            end = match.end()
            after_number = bool(found) and found[-1].kind == "number"
            if after_number and (part := _SPLIT.match(text, at)):  # 1h30
                end = part.end()
            found.append(Piece("word", text[at:end], glued=glued))
        else:
            end = at + 1
            found.append(Piece("sign", text[at], glued=glued))
        at = end
    return found


def _powered(text: str, match: re.Match[str]) -> tuple[Written, int]:
    number, end = _literal(match), match.end()
    if power := _POWER.match(text, end):
        exponent = float(power.group(1).replace(" ", ""))
        try:
            return Written(float(number.value**exponent), power=True), power.end()
        except (OverflowError, ZeroDivisionError):
            raise GrammarError("it is too large a number") from None
    return number, end


def _literal(match: re.Match[str]) -> Written:
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
            if text.count(",") == 1 and "." not in text:
                other = text.replace(",", ".")
            text = text.replace(",", "")
    scale = 10.0 ** _small(int(match["e"] or match["e2"] or 0))
    exponent = f"e{match['e'] or match['e2']}" if match["e"] or match["e2"] else ""
    value = float(number_of(text + exponent))
    figures = len(text.partition(".")[2])
    if kind == "plain" and "." not in text:  # 1100 may be rounded, to two figures at most
        figures = -min(len(text) - len(text.rstrip("0")), max(len(text) - 2, 0))
    half = 0.5 * 10.0**-figures * scale if figures <= 40 else 0.0
    return Written(
        value, float(number_of(other + exponent)) if other else None, half,
        unlikely=other.endswith("0") and not exponent, whole=match[0].isdigit(),
    )  # fmt: skip


def _small(exponent: int) -> int:
    if abs(exponent) > 300:
        raise GrammarError(f"10^{exponent} is too {'large' if exponent > 0 else 'small'} a number")
    return exponent
