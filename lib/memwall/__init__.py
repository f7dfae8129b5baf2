"""The Memory Wall: the arithmetic of AI inference as formulas you can read four ways.

>>> from memwall import chip, model, roofline
>>> rack = chip("H100").system(chips=8, precision="fp8")
>>> float(round(roofline.balance_batch(model("DeepSeek-V3"), rack)))
5357.0
"""

from .catalog import chip, chips, memory_device, memory_devices, model, models
from .nouns import Model, System
from .units import InputError, human

__version__ = "1.0.0"
__all__ = [
    "InputError", "Model", "System", "chip", "chips", "human", "memory_device",
    "memory_devices", "model", "models",
]  # fmt: skip
