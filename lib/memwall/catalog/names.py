"""What a repository is called, read: its owner, the model, what it was trained for and when, a width.

A name leads to an entry of the table of checkpoints or is refused; no shape is guessed from it.
"""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from ..core.facts import find, table
from ..core.units import InputError

# what a name may end with though the shape is that of the model without it
SAME_SHAPE = (
    r"instruct|chat|it|hf|base|exp|preview|terminus|dynamic|kv|v[0-9][0-9.]*|(?:thinking-)?[0-9]{4}"
)
MEANT = {"fp4": "nvfp4"}  # what repositories call FP4


class Named(NamedTuple):
    """A checkpoint of the table, and a width that the name adds to it, or none."""

    name: str
    weights: str


@functools.cache
def width_names() -> dict[str, str]:
    """The width meant by each name and alias of the table of widths, in lower case."""
    return {
        said.lower(): row["name"]
        for row in table("widths")
        for said in (row["name"], *row["aliases"].split("|"))
        if said
    }


@functools.cache
def endings() -> str:
    """A pattern: a name without its last word, and that word."""
    widths = "|".join(map(re.escape, sorted(width_names(), key=len, reverse=True)))
    return rf"^(.+?)[-_ ](?:(?:{SAME_SHAPE})|({widths}))$"


def named(said: str) -> Named:
    """The checkpoint meant by a repository's name, and the width it says.

    A name, an alias or an unambiguous beginning as it stands; else without its owner, and without one
    word of its end after the other until an entry has what is left. A release of its own in the width
    goes before the same shape stored anew.
    Raises: InputError with the nearest names.

    >>> named("moonshotai/Kimi-K2-Instruct-0905"), named("nvidia/DeepSeek-R1-0528-FP4-v2")
    (Named(name='Kimi-K2', weights=''), Named(name='DeepSeek-R1', weights='nvfp4'))
    """
    try:
        return Named(find(said, "checkpoint", "checkpoints"), "")
    except InputError as error:
        if not isinstance(said, str):
            raise
        problem = error
    width, rest = "", re.sub(r"(?i)^(?:.*/)?(?:meta-(?=llama))?", "", said)
    while rest:
        try:
            name = find(rest, "checkpoint", "checkpoints", beginnings=False)
        except InputError:
            cut = re.match(endings(), rest, re.IGNORECASE)
            if not cut:
                break
            rest, word = cut[1], (cut[2] or "").lower()
            width = width or MEANT.get(word) or width_names().get(word, "")
            continue
        return _in_width(name, width)
    raise problem


def _in_width(name: str, width: str) -> Named:
    rows = {row["name"]: row for row in table("checkpoints")}
    if not width or width in rows[name]["weights"].split("+"):
        return Named(name, "")
    own = f"{name}-{width.upper()}"
    return Named(own, "") if own in rows else Named(name, width)
