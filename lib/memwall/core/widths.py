"""Widths of stored weights by the names people use: bf16, fp8, nvfp4, awq, Q4_K_M."""

from __future__ import annotations

import functools
from typing import NamedTuple

from .facts import find, table

# llama.cpp measured its mixtures on Llama-3.1-8B: all its weights, and those of its head
MEASURED = 8_030_261_248
MEASURED_HEAD = 128_256 * 4_096


@functools.cache
def _widths() -> dict[str, float]:
    return {r["name"]: float(r["bits_per_weight"]) / 8 for r in table("widths")}


def bytes_per_element(precision: str) -> float:
    """Stored bytes of one number, with the scales that its format keeps beside it.

    bf16 is 2, fp8 1, fp4 0.5 (bare numbers); "nvfp4" is 0.5625, "Q4_K_M" about 0.61.

    >>> bytes_per_element("nvfp4"), bytes_per_element("gptq")
    (0.5625, 0.51953125)
    """
    return _widths()[find(precision, "precision", "widths", beginnings=False)]


class StoredWidth(NamedTuple):
    """A format of weights by its name and family; bytes of a weight in a layer, and in the head."""

    name: str
    family: str
    matrix: float
    head: float


@functools.cache
def stored_width(precision: str) -> StoredWidth:
    """How a format stores the weights of a layer and of the output matrix, scales included.

    They differ in a GGUF mixture, whose output matrix is Q6_K or wider. Its bits in the catalog
    are those of Llama-3.1-8B's whole file; what they leave for the layers holds for other models.

    >>> [round(8 * b, 2) for b in stored_width("Q4_K_M")[2:]]
    [4.78, 6.56]
    """
    name = find(precision, "precision", "widths", beginnings=False)
    family = next(r["family"] for r in table("widths") if r["name"] == name)
    whole = bytes_per_element(name)
    if not family.startswith("GGUF"):
        return StoredWidth(name, family, whole, whole)
    head = max(whole, bytes_per_element("Q6_K"))
    if family == "GGUF block":  # the bits of a block, not of a file
        return StoredWidth(name, family, whole, head)
    share = MEASURED_HEAD / MEASURED
    return StoredWidth(name, family, (whole - share * head) / (1 - share), head)
