"""Invented machines and models for questions: round numbers, the proportions of real ones.

Papers do not take hardware from the catalog: its numbers are corrected now and then, and a
paper handed out in October must be marked with the same numbers in December.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from memwall.core.nouns import Model, System
from memwall.core.units import GB, TB
from memwall.formulas import roofline

from ..reading.answers import say
from .sets import Draw

_CHIPS = ("Heron", "Kestrel", "Osprey", "Merlin", "Plover", "Curlew", "Dunlin", "Petrel", "Avocet")
_MODELS = ("Larch", "Rowan", "Aspen", "Hazel", "Alder", "Juniper", "Linden", "Spruce", "Willow")
PEOPLE = (
    "a newsroom", "a translation bureau", "a hospital's coding desk", "a law office",
    "a school board", "a shipping line", "a weather service", "a bank's help line",
    "a patent office", "a game studio", "an insurer", "a library network", "a city council",
)  # fmt: skip


@dataclass(frozen=True)
class Machine:
    """Chips that work together: the `System` they make, and how a question tells of them."""

    system: System
    chips: int
    name: str
    flops: float  # of one chip, as are the next two
    bandwidth: float
    capacity: float

    def told(self) -> str:
        """The machine in a sentence without its end."""
        each = f"{say(self.flops, 'FLOP/s')}, {say(self.bandwidth, 'B/s')} of HBM bandwidth and {say(self.capacity, 'B')} of HBM"
        if self.chips == 1:
            return f"one {self.name} chip with {each}"
        return f"{self.chips} {self.name} chips, each with {each}"

    def holds(self, model: Model, batch: float = 1, context: float = 0) -> bool:
        """True if the weights fit, and the caches of a batch beside them: a story must be possible."""
        return bool(roofline.resident_bytes(batch, context, model) <= self.system.capacity)

    def of(self, chips: Any) -> System:
        """A system of another number of the same chips, or of each number of an array."""
        return _system(chips, self.flops, self.bandwidth, self.capacity)


def _system(
    chips: int, flops: float, bandwidth: float, capacity: float, rent: float | None = None
) -> System:
    return System(
        flops=chips * flops, bandwidth=chips * bandwidth, capacity=chips * capacity, chips=chips,
        dollars_per_second=None if rent is None else chips * rent,
    )  # fmt: skip


def machine(
    draw: Draw, chips: tuple[int, ...] = (8, 16, 24, 32, 48, 64), rent: float | None = None
) -> Machine:
    """A machine whose arithmetic and memory are in the proportion of today's chips.

    rent: dollars per second of one chip, if the question needs it.
    """
    bandwidth = draw.number(1.5 * TB, 12 * TB)
    flops = draw.number(200 * bandwidth, 1100 * bandwidth)  # 100 to 550 multiplies a byte
    capacity = draw.integer(6, 36) * 8 * GB
    count = draw.pick(*chips)
    system = _system(count, flops, bandwidth, capacity, rent)
    return Machine(system, count, draw.pick(*_CHIPS), flops, bandwidth, capacity)


def model(
    draw: Draw,
    total: tuple[float, float] = (60e9, 900e9),
    sparsity: tuple[float, float] = (4, 24),
    bytes_per_param: float = 1.0,
    cache: tuple[float, float] = (20e3, 300e3),
) -> Model:
    """A mixture of experts with a name."""
    n_total = draw.number(*total)
    n_active = draw.rounded(n_total / draw.number(*sparsity))
    return Model(
        n_total=n_total, n_active=n_active, bytes_per_param=bytes_per_param,
        kv_bytes_per_token=draw.number(*cache), name=draw.pick(*_MODELS),
    )  # fmt: skip


def told(model: Model, *, width: bool = True, cache: bool = True) -> str:
    """A model in a sentence without its end."""
    text = f"{model.name}, with {say(model.n_total)} parameters, {say(model.n_active)} of them active for a token"
    if width:
        text += f", stored in {say(model.bytes_per_param)} byte{'s' if model.bytes_per_param != 1 else ''} each"
    if cache:
        text += f", and a KV cache of {say(model.kv_bytes_per_token, 'B')} a token"
    return text
