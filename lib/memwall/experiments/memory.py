"""What engines logged about their memory, and what the arithmetic says before any log.

    for case in cases():
        print(case.id, case.estimate(), case.measured_room())

`data/memory_cases.csv` in the core has the cases: model, chip, layout, the engine and what it was
told; what it printed; and whether arithmetic explains it, or the engine took more.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from dataclasses import dataclass
from typing import Any

from .. import catalog
from ..catalog import engines
from ..catalog.config import from_config
from ..core.checkpoint import Checkpoint
from ..core.facts import table
from ..core.nouns import Engine, Layout, System
from ..formulas import layout as formulas

GIB = 2.0**30


@dataclass(frozen=True)
class MemoryCase:
    """One start of an engine, with the nouns that it was started with."""

    id: str
    row: dict[str, str]
    checkpoint: Checkpoint
    system: System
    layout: Layout
    engine: Engine

    def logged(self, name: str) -> float | None:
        """A number that the engine printed, such as `tokens`; bytes where the table has GiB."""
        in_gib = f"{name}_gib" in self.row
        printed = self.row[f"{name}_gib" if in_gib else name]
        return float(printed) * (GIB if in_gib else 1) if printed else None

    @property
    def bytes_per_token(self) -> float:
        """What one more token of a long context takes on a chip, all layers."""
        near, far = (
            float(formulas.cache_bytes_per_chip(1, n, self.checkpoint, self.layout))
            for n in (1e6, 2e6)
        )
        return (far - near) / 1e6

    def tokens(self, room: float) -> float:
        """Tokens that fit into a room on each chip, beyond what a sequence costs at once."""
        return room / self.bytes_per_token

    def concurrency(self, room: float) -> float:
        """Sequences of the case's context that a log would promise for a room."""
        context = float(self.row["context"])
        found = formulas.promised_concurrency(
            room, context, self.checkpoint, self.layout, self.engine
        )
        return float(found) / float(self.layout.dp)  # an engine's log is that of one rank

    def measured_room(self) -> float | None:
        """Bytes for caches on a chip: as printed, or those that the printed tokens take."""
        room, tokens = self.logged("room"), self.logged("tokens")
        if room is None and tokens is not None:
            return tokens * self.bytes_per_token
        return room

    def estimate(self) -> float:
        """Bytes for caches on a chip by the arithmetic, from what was stated before the start."""
        room = formulas.cache_room_per_chip(self.checkpoint, self.system, self.layout, self.engine)
        return float(room)


@functools.cache
def cases() -> tuple[MemoryCase, ...]:
    """All cases of the table."""
    return tuple(_case(row) for row in table("memory_cases"))


def estimated() -> tuple[tuple[MemoryCase, float], ...]:
    """Cases that state enough, each with estimate over measured less one."""
    found = []
    for case in cases():
        room = case.measured_room()
        if case.row["estimate"] and room:
            found.append((case, case.estimate() / room - 1))
    return tuple(found)


def _case(row: dict[str, str]) -> MemoryCase:
    chip = catalog.chip(row["chip"])
    cut: dict[str, Any] = {n: int(row[n]) for n in ("tp", "dp", "ep", "pp")}
    layout = Layout(**cut)
    memory = float(row["capacity_gib"] or 0) * GIB or float(
        chip.driver_capacity or chip.chip_capacity
    )
    chips = int(layout.chips)
    system = System(1e15, 1e12, capacity=chips * memory, chips=chips, name=row["chip"])
    return MemoryCase(row["id"], row, _checkpoint(row), system, layout, _engine(row, memory, chip))


def _checkpoint(row: dict[str, str]) -> Checkpoint:
    if not row["changes"]:
        return catalog.checkpoint(row["model"], row["weights"], row["cache"])
    changed = {**catalog.configuration(row["model"]), **json.loads(row["changes"])}
    return from_config(changed, row["cache"], name=row["model"])


def _engine(row: dict[str, str], memory: float, chip: Any) -> Engine:
    told: dict[str, Any] = {
        n: float(row[n]) for n in ("memory_share", "batched_tokens", "sequences") if row[n]
    }
    if row["eager"]:
        told["graph"] = 0.0
    if row["engine"].startswith(("vLLM", "SGLang")):
        return engines.engine(row["engine"], memory, chip.name).replace(**told)
    return dataclasses.replace(Engine(name=row["engine"], page=1.0), **told)
