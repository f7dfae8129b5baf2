"""The arithmetic: public formulas, each written once and read with numbers, arrays, symbols, or as JavaScript.

Nothing here is drawn at random, timed or shown; what is lives in `experiments` and `views`.
"""

import functools
import importlib
import pkgutil
from collections.abc import Callable
from typing import Any


@functools.cache
def all_formulas() -> dict[str, Callable[..., Any]]:
    """Every public formula by module and name, `roofline.step_time`: what each module of this room defines."""
    found = {}
    for name in sorted(module.name for module in pkgutil.iter_modules(__path__)):
        module = importlib.import_module(f"{__name__}.{name}")
        for key, value in vars(module).items():
            if hasattr(value, "units") and value.__module__ == module.__name__:
                found[f"{name}.{key}"] = value
    return found
