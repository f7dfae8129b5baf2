"""Facts in tables: rows of `data/*.csv`, each with its source, found by name."""

from __future__ import annotations

import functools

from .nouns import suggest
from .tables import read_csv
from .units import InputError

PROVENANCE = ("source", "url", "date", "confidence")
CONFIDENCE = ("high", "medium", "low")


@functools.cache
def table(name: str) -> tuple[dict[str, str], ...]:
    """All rows of `data/<name>.csv` as dictionaries of text, provenance checked; read once."""
    rows = read_csv(__package__, f"data/{name}.csv")
    for line, row in enumerate(rows, start=2):
        check_provenance(row, f"{name}.csv line {line}")
    return rows


def check_provenance(row: dict[str, str], where: str) -> None:
    """Refuse a fact without source, URL, date and a known confidence."""
    missing = [key for key in PROVENANCE if not (row.get(key) or "").strip()]
    if missing:
        raise InputError(
            f"{where} has no {', '.join(missing)}: a fact needs {', '.join(PROVENANCE)}"
        )
    if not row["url"].startswith(("https://", "http://")):
        raise InputError(f"{where}: url {row['url']!r} is not a web address")
    if row["confidence"] not in CONFIDENCE:
        raise InputError(f"{where}: confidence {row['confidence']!r} is none of {CONFIDENCE}")


def find(name: str, kind: str, table_name: str, beginnings: bool = True) -> str:
    """The catalog name meant by a name, an alias, or a beginning that only one entry has."""
    if not isinstance(name, str):
        raise InputError(f"a {kind} is asked for by name, not {name!r}")
    names = _known_names(table_name)
    if name.lower() in names:
        return names[name.lower()]
    begins = sorted({names[n] for n in names if beginnings and name and n.startswith(name.lower())})
    if len(begins) == 1:
        return begins[0]
    if begins:
        raise InputError(f"{name!r} could be {', '.join(begins)}: say which {kind}")
    every = list(dict.fromkeys(names.values()))
    raise InputError(
        f"unknown {kind} {name!r}.{suggest(name, [*names, *every])} Known: {', '.join(every)}"
    )


@functools.cache
def _known_names(table_name: str) -> dict[str, str]:
    """The catalog name of every name and alias of a table, in lower case."""
    return {
        known.lower(): row["name"]
        for row in table(table_name)
        for known in [row["name"], *filter(None, row.get("aliases", "").split("|"))]
    }
