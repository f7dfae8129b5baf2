"""The released checkpoints as rows of a table: what they weigh, and what a sequence keeps."""

from __future__ import annotations

from typing import Any

from ..catalog import checkpoint, checkpoints, released_weights
from ..core.units import human
from ..formulas.layers import held_bytes

COLUMNS = (
    "checkpoint", "parameters", "active", "weights", "size",
    "kept a token at 8k", "kept a token at 128k", "layers",
)  # fmt: skip
CONTEXTS = (8 * 1024, 128 * 1024)


def checkpoint_rows() -> list[tuple[Any, ...]]:
    """A row for every checkpoint of the catalog, as `COLUMNS` says.

    Parameters are without the predictor; active multiply a token, the output matrix counted. Kept
    is what one sequence holds over its tokens, in 16 bit; None for a context the model lacks.
    """
    rows = []
    for name in checkpoints():
        model = checkpoint(name)
        kept = [
            human(sum(float(held_bytes(tokens, g)) for g in model.groups) / tokens, "B")
            if tokens <= model.context_max
            else None
            for tokens in CONTEXTS
        ]
        kinds: dict[str, int] = {}
        for group in model.groups:
            kinds[group.kind] = kinds.get(group.kind, 0) + int(group.layers)
        rows.append(
            (
                name,
                human(model.n_total),
                human(model.n_active),
                released_weights(name),
                human(model.weight_bytes, "B"),
                *kept,
                ", ".join(f"{count} {kind}" for kind, count in kinds.items()),
            )
        )
    return rows
