"""Engines by name and version: the rules by which they share out a chip's memory."""

from __future__ import annotations

import functools
import re

from ..core.facts import find, table
from ..core.nouns import Engine
from ..core.units import InputError

NO_LARGE = ("A100",)  # by name a small chip to vLLM, whatever its memory


@functools.lru_cache(maxsize=256)
def engine(name: str = "vLLM", memory: float = 0.0, chip: str = "") -> Engine:
    """The defaults of an engine: "vLLM", "vLLM 0.10", "SGLang"; without a version, the newest rules.

    memory: bytes of the chip, on which the largest pass and the sequences at once depend; chip: its
    name. A share that the engine works out for itself (SGLang) is left unknown: see
    `layout.sglang_share`.

    >>> new, old = engine("vLLM", 85.5e9, "H100"), engine("vLLM 0.10", 85.5e9, "A100 80GB")
    >>> new.memory_share, new.sequences, old.memory_share, old.sequences
    (0.92, 1024.0, 0.9, 256.0)
    """
    brand, _, version = name.strip().partition(" ")
    rows = [r for r in table("engines") if r["name"] == find(brand, "engine", "engines")]
    if version:
        asked = _version(version)
        rows = [r for r in rows if _version(r["since"]) <= asked]
        if not rows:
            raise InputError(f"no rules are known of {name!r}")
    row = rows[-1]
    is_large = memory >= float(row["large_gib"]) * 2**30 and not chip.startswith(NO_LARGE)
    large = "large_" if is_large else ""
    if row["allowance_share"]:
        allowance = float(row["allowance_share"]) * memory
    else:
        allowance = float(row["allowance_gb"]) * 1e9
    return Engine(
        memory_share=float(row["memory_share"]) if row["memory_share"] else None,
        batched_tokens=float(row[f"{large}batched_tokens"]),
        sequences=float(row[f"{large}sequences"]),
        score_bytes=float(row["score_bytes"]),
        dry_pass=float(row["dry_pass"]),
        graph=float(row["graph_mb"]) * 1e6,
        allowance=allowance,
        page=float(row["page"]),
        name=name,
    )


def _version(text: str) -> tuple[int, int]:
    """A version's first two numbers, "0.10.1" as (0, 10)."""
    found = re.match(r"v?(\d+)(?:\.(\d+))?", text)
    if not found:
        raise InputError(f"version {text!r} is no number such as 0.10")
    return int(found[1]), int(found[2] or 0)
