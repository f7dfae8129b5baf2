"""Traffic between experts: counted copy by copy from a router's choices, and as others timed it.

`formulas.racks` expects what is counted here on experts dealt to GPUs and GPUs dealt to racks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np

from ..catalog import table
from ..core.nouns import Model, System
from ..core.units import (
    GB,
    MICROSECOND,
    InputError,
)
from ..formulas.racks import alltoall_time


def even_split(experts: int, gpus: int) -> int:
    """Largest number of GPUs, at most `gpus`, that share the experts equally.

    >>> even_split(256, 72)
    64
    """
    if experts < 1 or gpus < 1:
        raise InputError(f"experts = {experts} and gpus = {gpus} must be at least 1")
    return next(g for g in range(min(experts, gpus), 0, -1) if experts % g == 0)


def exact_distinct(experts: int, chosen: int, targets: int) -> float:
    """Expected targets hit by `chosen` different experts spread evenly over them: exact.

    >>> exact_distinct(4, 2, 4)
    2.0
    """
    missed = comb(experts - experts // targets, chosen) / comb(experts, chosen)
    return targets * (1 - missed)


@dataclass(frozen=True)
class Layout:
    """Experts dealt to GPUs in order, GPUs to racks in order."""

    experts: int
    gpus: int
    racks: int = 1

    def __post_init__(self) -> None:
        if self.experts % self.gpus:
            raise InputError(f"{self.experts} experts cannot be dealt evenly to {self.gpus} GPUs")
        if self.gpus % self.racks:
            raise InputError(f"{self.gpus} GPUs cannot be dealt evenly to {self.racks} racks")

    def gpu_of(self, expert: np.ndarray) -> np.ndarray:
        """GPU that holds each expert."""
        return expert // (self.experts // self.gpus)

    def rack_of(self, gpu: np.ndarray) -> np.ndarray:
        """Rack of each GPU."""
        return gpu // (self.gpus // self.racks)

    def homes(self, tokens: int) -> np.ndarray:
        """GPU on which each token lives: dealt round in turn."""
        return np.arange(tokens) % self.gpus

    def traffic(self, choices: np.ndarray, merged: bool = False) -> np.ndarray:
        """Copies sent from GPU (row) to GPU (column); `merged` sends one copy a GPU at most."""
        source = np.repeat(self.homes(len(choices)), choices.shape[1])
        target = self.gpu_of(choices).ravel()
        if merged:
            token = np.repeat(np.arange(len(choices)), choices.shape[1])
            kept = np.unique(token * self.gpus + target, return_index=True)[1]
            source, target = source[kept], target[kept]
        matrix = np.zeros((self.gpus, self.gpus))
        np.add.at(matrix, (source, target), 1)
        return matrix

    def crossing(self, traffic: np.ndarray) -> float:
        """Share of a traffic matrix that leaves its rack."""
        rack = self.rack_of(np.arange(self.gpus))
        return float(traffic[rack[:, None] != rack[None, :]].sum() / traffic.sum())

    def remote(self, choices: np.ndarray) -> float:
        """Mean number of other racks that a token needs."""
        home = self.rack_of(self.homes(len(choices)))
        hit = np.zeros((len(choices), self.racks), dtype=bool)
        np.put_along_axis(hit, self.rack_of(self.gpu_of(choices)), True, axis=1)
        hit[np.arange(len(choices)), home] = False
        return float(hit.sum(axis=1).mean())


def two_networks(racks: int, gpus: int) -> dict[str, list[str]]:
    """The wiring as a graph: GPUs to their rack's switch, and through a card to the hall's.

    >>> wires = two_networks(2, 4)
    >>> hops(wires, "gpu 0.0", "gpu 0.3"), hops(wires, "gpu 0.0", "gpu 1.3")
    (2, 4)
    """
    graph: dict[str, list[str]] = {}

    def wire(a: str, b: str) -> None:
        graph.setdefault(a, []).append(b)
        graph.setdefault(b, []).append(a)

    for r in range(racks):
        for g in range(gpus):
            wire(f"gpu {r}.{g}", f"rack switch {r}")
            wire(f"gpu {r}.{g}", f"card {r}.{g}")
            wire(f"card {r}.{g}", "hall switch")
    return graph


def hops(graph: Mapping[str, Sequence[str]], start: str, goal: str) -> int:
    """Fewest wires from one node of a graph to another."""
    queue, distance = deque([start]), {start: 0}
    while queue:
        node = queue.popleft()
        if node == goal:
            return distance[node]
        for other in graph[node]:
            if other not in distance:
                distance[other] = distance[node] + 1
                queue.append(other)
    raise InputError(f"no way from {start!r} to {goal!r}")


@dataclass(frozen=True)
class Timing:
    """A published all-to-all: the set-up in the book's nouns and the seconds it took."""

    name: str
    gpus: int
    racks: int
    batch: float  # tokens in one rack
    dispatch_element: float
    combine_element: float
    model: Model
    system: System
    dispatch: float
    combine: float

    def predicted(self, direction: str) -> Any:
        """Time by `alltoall_time`, no latency: direction is "dispatch" or "combine"."""
        element = getattr(self, f"{direction}_element")
        return alltoall_time(self.batch, self.racks, element, self.model, self.system)


def timings() -> list[Timing]:
    """Every timed all-to-all of the catalog; the box of GPUs is the rack."""
    return [_timing(r) for r in table("alltoall")]


def _timing(r: dict[str, str]) -> Timing:
    box, gpus = float(r["gpus_per_domain"]), float(r["gpus"])
    return Timing(
        name=r["name"],
        gpus=int(gpus),
        racks=int(gpus / box),
        batch=box * float(r["tokens_per_gpu"]),
        dispatch_element=float(r["dispatch_bytes_per_element"]),
        combine_element=float(r["combine_bytes_per_element"]),
        # of the model only the shape of its expert layer matters here
        model=Model(
            n_total=1,
            n_active=1,
            d_model=float(r["d_model"]),
            experts=float(r["experts"]),
            experts_active=float(r["experts_active"]),
        ),
        system=System(
            flops=1,
            bandwidth=1,
            scale_up=box * float(r["scale_up_gb_per_s"]) * GB,
            scale_out=box * float(r["scale_out_gb_per_s"]) * GB,
            chips=box,
        ),
        dispatch=float(r["dispatch_us"]) * MICROSECOND,
        combine=float(r["combine_us"]) * MICROSECOND,
    )
