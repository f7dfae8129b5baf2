"""Whether the unit of an answer is of the kind that a question asks for."""

from __future__ import annotations

from .grammar import NO_DIMENSION, Measure, kind_of


def unit_complaint(
    given: Measure, asked: Measure, unit: str, binds: frozenset[str] = frozenset()
) -> str:
    """What is wrong with a unit, in words; empty when it has the dimension asked for.

    binds: what the answer may be per though the unit asked does not say so, as in ms per step.
    """
    missing = not given.counts and given.dimension == NO_DIMENSION
    strangers = {
        n for n, e in given.counts.items()
        if asked.counts.get(n) != e and not (n in binds and e == -1 and n not in asked.counts)
    }  # fmt: skip
    if given.dimension == asked.dimension and not strangers:
        return ""
    wanted = f"{kind_of(asked)} is asked{f', in {unit} or any unit like it' if unit else ''}"
    if missing:
        return f"The unit is missing: {wanted}."
    told = f"Your unit is that of {kind_of(given)}; {wanted}."
    opposite = tuple(-e for e in asked.dimension)
    if given.dimension == opposite and any(opposite):
        return told + " It is upside down."
    if given.dimension == asked.dimension:
        return told + f" {', '.join(sorted(strangers))} is not what is counted."
    if given.counts.get("FLOP") and asked.counts.get("FLOP"):
        return told + " FLOP counts operations, FLOP/s is how many a second."
    if given.dimension[1] and not asked.dimension[1]:
        return told + " B means byte: for large numbers write billion, or an exponent."
    return told
