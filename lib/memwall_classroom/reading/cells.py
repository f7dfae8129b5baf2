"""Which answers the source of a notebook cell holds; the source is searched, never run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MAX_NAMED = 2_000  # places of a cell that name a question
MAX_ANSWER = 2_000  # characters between which an answer's quotes are looked for

_LABEL = re.compile(r"\b[qh][0-9]")
_TARGET = r"[A-Za-z_]\w{0,40}"
# q3 = ..., q3: str = ..., t = q3 = ..., at the beginning of a line
_ASSIGNED = re.compile(
    rf"^[ \t]*(?P<names>(?:{_TARGET}[ \t]*,[ \t]*){{0,30}}{_TARGET})[ \t]*(?::[ \t]*[A-Za-z_][\w.\[\]| ]{{0,40}})?"
    rf"=(?!=)[ \t]*(?P<again>(?:{_TARGET}[ \t]*=(?!=)[ \t]*){{0,5}})(?P<value>.*)$",
    re.M,
)
_LITERAL = re.compile(
    r"""[rRuU]?(?:(?P<q>\"{3}|'{3})(?P<long>.*?)(?P=q)|"(?P<double>(?:[^"\\\n]|\\.)*)"|'(?P<single>(?:[^'\\\n]|\\.)*)')""",
    re.S,
)
_NEXT = re.compile(rf"[ \t]*;[ \t]*({_TARGET})[ \t]*=(?!=)[ \t]*")


@dataclass(frozen=True)
class Found:
    """An answer in a cell: its label, its text, and whether that stood between quotes."""

    label: str
    text: str
    quoted: bool


def answers_in(source: str, labels: Iterable[str]) -> Iterator[Found]:
    """The answers that a cell gives to these labels, in order, their texts not interpreted.

    >>> [(a.label, a.text) for a in answers_in('q1, q2 = "A", "5 ms"; q3 = "2"', ["q1", "q2", "q3"])]
    [('q1', 'A'), ('q2', '5 ms'), ('q3', '2')]
    """
    named = [match.start() for match in _LABEL.finditer(source)]
    if not named:
        return
    if len(named) > MAX_NAMED:  # no honest cell: its end is enough, since the last answer counts
        source = source[source.rfind("\n", 0, named[-MAX_NAMED]) + 1 :]
    known = frozenset(labels)
    for match in _ASSIGNED.finditer(source):
        names = [name.strip() for name in match["names"].split(",")]
        names += [name.strip() for name in match["again"].split("=") if name.strip()]
        wanted = [name for name in names if name in known]
        if wanted or ";" in match["value"]:
            yield from _given(source, match, names, known)


def _given(
    source: str, match: re.Match[str], names: list[str], known: frozenset[str]
) -> Iterator[Found]:
    tuple_of = match["names"].count(",") + 1
    at = match.start("value")
    texts: list[str] = []
    while (literal := _LITERAL.match(source, at, at + MAX_ANSWER)) is not None:
        # looked for nearby only: a thousand unclosed quotes must not be read to the end each
        text = next(t for t in literal.group("long", "double", "single") if t is not None)
        texts.append(" ".join(text.split()) if "\n" in text else text)
        at = literal.end()
        comma = re.compile(r"[ \t]*,[ \t]*").match(source, at)
        if comma is None or len(texts) >= tuple_of:
            break
        at = comma.end()
    # the line's end is looked up, not the source copied: a cell may hold many such lines
    stop = source.find("\n", at)
    rest = source[at : min(stop if stop >= 0 else len(source), at + MAX_ANSWER)]
    following = _NEXT.match(rest)
    ended = following or rest.split("#")[0].strip() in ("", ";")
    if texts and len(texts) == tuple_of and ended:
        pairs = zip(names, texts * len(names) if tuple_of == 1 else texts, strict=False)
        yield from (Found(name, text, True) for name, text in pairs if name in known)
    else:
        # a bare number needs no quotes; anything else is shown as it stands, and not read
        line = match["value"] if texts else match["value"].split("#")[0].strip()
        yield from (Found(name, line[:MAX_ANSWER], False) for name in names if name in known)
        return
    while following is not None:  # q1 = "A"; q2 = "5 ms"
        name, literal = following.group(1), _LITERAL.match(rest, following.end())
        if literal is None:
            line = rest[following.end() :].split("#")[0].strip()
            if name in known:
                yield Found(name, line, False)
            return
        text = next(t for t in literal.group("long", "double", "single") if t is not None)
        following = _NEXT.match(rest, literal.end())
        after = rest[literal.end() :].split("#")[0].strip()
        if name in known:
            clean = bool(following) or after in ("", ";")
            yield Found(
                name, text if clean else rest[following.end() :] if following else after, clean
            )


def chosen(found: Iterable[Found]) -> dict[str, Found]:
    """The answer that counts for each label: the last between quotes that is not blank.

    A line without quotes counts only where there is none: it may be scratch work that reuses a name.
    """
    best: dict[str, Found] = {}
    for answer in found:
        before = best.get(answer.label)
        if before is None or not before.text.strip() or (answer.text.strip() and answer.quoted >= before.quoted):  # fmt: skip
            best[answer.label] = answer
    return best
