"""The command `python -m memwall.config`: what configurations say, a row a file.

    python -m memwall.config FILE... [--context N] [--cache 16|8] [--format text|csv|json]

Held and read bytes and the arithmetic of attention are those of one sequence at N tokens. Every
file gets its row; the exit status is 1 if any could not be read, 2 if the command is wrong.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from typing import Any

from .catalog.config import from_config
from .core.units import InputError, human
from .formulas import layers

COLUMNS = ("file", "name", "n_total", "n_active", "weight_bytes", "held_bytes", "read_bytes", "attention_flop", "error")  # fmt: skip
UNITS = {"n_total": "1", "n_active": "1", "weight_bytes": "B", "held_bytes": "B", "read_bytes": "B", "attention_flop": "FLOP"}  # fmt: skip


def row(file: str, context: int, cache: str) -> dict[str, Any]:
    """What one file says, or in `error` why it cannot be read."""
    try:
        checkpoint = from_config(file, cache=cache)
        groups = checkpoint.groups
        return {
            "file": file,
            "name": checkpoint.name,
            "n_total": round(checkpoint.n_total),
            "n_active": round(checkpoint.n_active),
            "weight_bytes": round(checkpoint.weight_bytes),
            "held_bytes": round(sum(float(layers.held_bytes(context, g)) for g in groups)),
            "read_bytes": round(sum(float(layers.read_bytes(context, g)) for g in groups)),
            "attention_flop": round(sum(float(layers.attention_flop(context, g)) for g in groups)),
            "error": "",
            "notes": list(checkpoint.notes),
        }
    except InputError as error:
        return {"file": file, "error": str(error)}


def show(found: dict[str, Any], context: int) -> str:
    """One row as a person reads it."""
    if found["error"]:
        return f"{found['file']}\n  error: {found['error']}"
    said = {name: human(found[name], unit) for name, unit in UNITS.items()}
    lines = [
        f"{found['file']}  ({found['name']})",
        f"  parameters      {said['n_total']}, of which {said['n_active']} multiply a token",
        f"  weights         {said['weight_bytes']} with everything the checkpoint stores",
        f"  at {context:,} tokens  {said['held_bytes']} kept, {said['read_bytes']} moved a step, {said['attention_flop']} of attention",
    ]
    return "\n".join([*lines, *(f"  note: {note}" for note in found["notes"])])


def main(arguments: list[str] | None = None) -> int:
    """Print a row a file; 1 if any could not be read."""
    parser = argparse.ArgumentParser(prog="python -m memwall.config", description=(__doc__ or "").split("\n")[0])  # fmt: skip
    parser.add_argument("files", nargs="+", metavar="FILE", help="a model's config.json")
    parser.add_argument("--context", type=int, default=8192, metavar="N", help="tokens of the sequence (8192)")  # fmt: skip
    parser.add_argument("--cache", choices=("16", "8"), default="16", help="bits of an element kept (16)")  # fmt: skip
    parser.add_argument("--format", choices=("text", "csv", "json"), default="text")
    asked = parser.parse_args(arguments)
    if not 1 <= asked.context <= 10**10:
        parser.error("--context must be from 1 to 10,000,000,000 tokens")
    rows = [row(file, asked.context, asked.cache) for file in asked.files]
    if asked.format == "csv":
        writer = csv.DictWriter(sys.stdout, COLUMNS, restval="", extrasaction="ignore", lineterminator="\n")  # fmt: skip
        writer.writeheader()
        writer.writerows(rows)
        for found in rows:
            for note in found.get("notes", ()):
                print(f"note: {found['file']}: {note}", file=sys.stderr)
    elif asked.format == "json":
        print(json.dumps(rows, indent=1))
    else:
        print("\n".join(show(found, asked.context) for found in rows))
    return int(any(found["error"] for found in rows))


if __name__ == "__main__":
    sys.exit(main())
