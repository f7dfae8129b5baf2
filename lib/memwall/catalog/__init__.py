"""What is sold and released: chips, racks, prices, engines' rules, and models as their configuration states them.

Every fact has a source in `core/data`; no formula about a machine or a model lives here, nor anything measured.
"""

from ..core.facts import CONFIDENCE, PROVENANCE, check_provenance, table
from ..core.widths import bytes_per_element
from .entries import (
    Chip,
    MemoryDevice,
    Price,
    Rack,
    checkpoint,
    checkpoints,
    chip,
    chips,
    configuration,
    memory_device,
    memory_devices,
    model,
    models,
    prices,
    rack,
    racks,
    released_weights,
    training_tokens,
)

__all__ = [
    "CONFIDENCE", "PROVENANCE", "Chip", "MemoryDevice", "Price", "Rack", "bytes_per_element", "check_provenance", "checkpoint",
    "checkpoints", "chip", "chips", "configuration", "memory_device", "memory_devices", "model", "models", "prices", "rack", "racks",
    "released_weights", "table", "training_tokens",
]  # fmt: skip
