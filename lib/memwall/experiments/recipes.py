"""Recipes: what a public benchmark ran where its published rows do not say it.

InferenceX publishes times in one place and configurations in another. A row that names its engine's
version, its cut and its load is looked up among the configurations (`data/recipes.csv`), the nearest
load if not the same: how many engines read and write, how each is cut, how many sequences one lets in,
how many further tokens a step guesses. What a row states itself is never overruled; where several
recipes fit and the row does not tell them apart, all of them are meant.
"""

from __future__ import annotations

import functools
import math
from collections import defaultdict
from dataclasses import dataclass, replace

from .. import catalog
from ..core.nouns import Layout
from .runs import Served

KEYS = ("model", "chip", "weights", "engine", "mode", "prompt", "output")
GUESSED = 3.0  # further tokens a step where a row only says that it guesses some: the usual number


@dataclass(frozen=True)
class Recipe:
    """How a run was cut and shared out, and how many further tokens a step guessed."""

    prefill: Layout
    decode: Layout
    readers: float = 1.0
    writers: float = 1.0
    drafts: float = 0.0
    sequences: float = math.inf  # most that one writing engine lets in
    versions: tuple[str, ...] = ()
    loads: tuple[float, ...] = ()  # requests in flight that it was run with

    @property
    def chips(self) -> float:
        """Of all its engines."""
        return float(self.readers * self.prefill.chips + self.writers * self.decode.chips)

    def distance(self, load: float) -> float:
        """How far a load is from those of the recipe; some count those of one writing engine."""
        counted = (n for one in self.loads for n in (one, one * self.writers))
        return min(abs(math.log(load / n)) for n in counted)


@functools.cache
def _published() -> dict[tuple[str, ...], list[Recipe]]:
    found = defaultdict(list)
    for row in catalog.table("recipes"):
        decode = _cut(row, "decode_")
        pools = row["mode"] == "disagg"
        recipe = Recipe(
            prefill=_cut(row, "prefill_") if pools else decode,
            decode=decode,
            readers=float(row["prefill_workers"] or 1),
            writers=float(row["decode_workers"] or 1),
            drafts=float(row["drafts"]),
            sequences=float(row["decode_sequences"] or math.inf),
            versions=tuple(row["versions"].split(";")),
            loads=tuple(map(float, row["concurrency"].split(";"))),
        )
        found[tuple(row[k] for k in KEYS)].append(recipe)
    return found


def _cut(row: dict[str, str], of: str) -> Layout:
    return Layout(
        tp=float(row[f"{of}tp"]),
        dp=float(row[f"{of}attention_dp"]),
        ep=float(row[f"{of}expert_ep"]),
    )


def recipes_of(row: Served) -> list[Recipe]:
    """The recipes that a run may have followed: what it states, or else what was published."""
    stated = Recipe(
        row.prefill, row.decode, row.prefill_workers or 1.0, row.decode_workers or 1.0,
        GUESSED if row.speculates else 0.0,
    )  # fmt: skip
    lengths = (f"{row.prompt:g}", f"{row.output:g}")
    key = (row.model, row.chip, row.weights, row.engine.split(" ")[0], row.mode, *lengths)
    version = row.engine_version.removeprefix(f"{row.engine}-")  # as an image's tag has it
    known = [r for r in _published().get(key, []) if not version or version in r.versions]
    fits = [r for r in known if _agrees(r, row)]
    if row.mode == "disagg" and row.decode_workers is None:
        fits = fits or known  # a cut that no recipe has is as good as none
    # a load as it stands goes before one that was counted otherwise or not published
    fits = [r for r in fits if row.concurrency in r.loads] or fits
    nearest = min((r.distance(row.concurrency) for r in fits), default=0.0)
    fits = [r for r in fits if r.distance(row.concurrency) == nearest]
    if row.mode == "disagg" and row.decode_workers is not None:
        # all is stated but what a step guesses and how many it lets in; a recipe that guesses nothing
        # is the plain reading
        plain = min(fits, key=lambda r: r.drafts, default=stated)
        return [replace(stated, drafts=plain.drafts, sequences=plain.sequences)]
    if row.mode == "agg":
        same = (r.drafts for r in fits if nearest == 0)
        drafts = max(same, default=stated.drafts)
        return [replace(stated, drafts=drafts)]
    return fits or [stated]


def guesses(row: Served) -> bool:
    """Whether a run, by its own word or its published recipe, guesses several tokens a step."""
    return row.speculates or recipes_of(row)[0].drafts > 0


def _agrees(recipe: Recipe, row: Served) -> bool:
    if row.mode == "agg":
        return recipe.decode == row.decode and bool(row.engine_version)
    if row.decode_workers is not None:
        workers = (row.prefill_workers, row.decode_workers)
        return workers == (recipe.readers, recipe.writers) and (
            recipe.decode.chips == row.decode.chips
        )
    # with no version a row gives both pools one cut: the chips of all engines together
    if not row.engine_version and row.prefill == row.decode:
        return recipe.chips == row.decode.chips
    # otherwise those of an engine of each, and how experts are cut in the one that reads
    cuts = (recipe.prefill.chips, recipe.decode.chips)
    return cuts == (row.prefill.chips, row.decode.chips) and recipe.prefill.ep == row.prefill.ep
