"""The Memory Wall: the arithmetic of AI inference as formulas you can read four ways.

Rooms, each importing only from those before it: `core` (units, nouns), `catalog`, `formulas`,
`experiments`, `views`, `claims`. What readers type needs no room: every module below, and the
few functions asked for most, are found by name and loaded when they are first used.

>>> from memwall import chip, model, roofline
>>> rack = chip("H100").system(chips=8, precision="fp8")
>>> float(round(roofline.balance_batch(model("DeepSeek-V3"), rack)))
5357.0
"""

from typing import Any

__version__ = "2.0.0"

_ROOMS = {
    "core": "algebra chapters facts nouns tables units widths",
    "catalog": "engines rules storage",
    "formulas": "roofline batching sparsity racks pipelining pricing scaling reversible "
    "layers layout passes serving forecast deployment",
    "experiments": "accuracy trains schedules moe traffic beliefs feistel revnet fit measure memory predict questions recipes "
    "requests runs validate whole",
    "views": "explorer figures gantt page_svg reader released table",
}
_NAMES = {
    "catalog": "checkpoint checkpoints chip chips memory_device memory_devices model models",
    "core.checkpoint": "Checkpoint LayerGroup Part",
    "catalog.config": "from_config",
    "core.nouns": "Engine Layout Model System Workload",
    "core.units": "InputError human",
    "planner": "alternatives plan",
}
# the name, and where it lives: a module of a room, or something inside a module
_HOMES = {room: room for room in _ROOMS}
_HOMES |= {module: f"{room}.{module}" for room, names in _ROOMS.items() for module in names.split()}
_HOMES |= {name: module for module, names in _NAMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    import importlib

    if name not in _HOMES:
        raise AttributeError(f"module 'memwall' has no attribute {name!r}")
    home = importlib.import_module(f"{__name__}.{_HOMES[name]}")
    found = home if f".{_HOMES[name]}".endswith(f".{name}") else getattr(home, name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
