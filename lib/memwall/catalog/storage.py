"""How a checkpoint stores its weights: what a quantisation block of a configuration says.

A block names a method, what it does to the linear layers, and which of them it leaves alone.
Scales count: a weight in blocks of 16 with a scale of one byte is 4.5 bits, not 4. Embeddings,
norms and routers stay as wide as the model is, and so does the head unless a block targets it.
The widths by name stand in `data/families.json`, which the planner's page reads as well.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..core.nouns import suggest
from ..core.units import InputError


class Width(NamedTuple):
    """Stored bytes of a weight, scales included, and the width of its products."""

    bytes_per_param: float
    arithmetic: str


class Pattern:
    """A name in a block's list: exact, with *, a regular expression, or the word Linear."""

    def __init__(self, text: Any, names: dict[str, Any]) -> None:
        if not isinstance(text, str):
            raise InputError(
                f"a quantisation block lists {text!r:.60} where a module's name belongs"
            )
        self.everything = text in ("Linear", "*", "re:.*")
        self.regex: re.Pattern[str] | None = None
        self.parts: list[str] = []
        if text.startswith("re:"):
            try:
                self.regex = re.compile(text[3:])
            except re.error as error:
                raise InputError(
                    f"{text!r} in a quantisation block is no regular expression: {error}"
                ) from None
        else:
            parts = text.removesuffix(".weight").split(".")
            self.parts = [names["same"].get(p, p) for p in parts if p]
            while self.parts and self.parts[0] in names["frames"]:
                self.parts.pop(0)

    def matches(self, name: list[str]) -> bool:
        """Whether a module is meant, given by the parts of its name from `layers` on."""
        if self.regex:
            path = ".".join(name)
            prefixes = ("model.", "language_model.model.", "model.language_model.", "")
            return any(self.regex.match(prefix + path) for prefix in prefixes)
        wanted = len(self.parts)
        return wanted > 0 and any(
            all(map(_alike, self.parts, name[start : start + wanted]))
            for start in range(len(name) - wanted + 1)
        )


def _alike(pattern: str, part: str) -> bool:
    if pattern == part or (pattern == "mixer" and part in ("mamba", "self_attn", "mlp")):
        return True
    return "*" in pattern and fnmatch.fnmatchcase(part, pattern)


@dataclass
class Storage:
    """Which width each module of a checkpoint has: `rules` in order, the first that targets it."""

    plain: Width
    rules: list[tuple[list[Pattern], Width]] = field(default_factory=list)
    ignored: list[Pattern] = field(default_factory=list)
    experts: Width | None = None
    experts_only: bool = False

    def of(self, module: str, part: str, layer: int) -> Width:
        """The width of `layers.<layer>.<module>`, which holds weights of a kind of part."""
        if part in ("norm", "router", "vision") or module.endswith(".bias"):
            return self.plain
        if part == "routed" and self.experts:
            return self.experts
        if self.experts_only and part != "routed":
            return self.plain
        place = ["layers", str(layer)] if layer >= 0 else []
        name = [*place, *module.split(".")]
        if any(pattern.matches(name) for pattern in self.ignored):
            return self.plain
        outside = part in ("head", "embedding")
        for targets, width in self.rules:
            if any((t.everything and not outside) or t.matches(name) for t in targets):
                return width
        return self.plain


def storage(config: dict[str, Any], block: Any, width: float, names: dict[str, Any]) -> Storage:
    """The widths that a quantisation block states, for a model otherwise `width` bytes wide.

    names: the part of `data/families.json` about storage.
    """
    found = Storage(Width(width, "bf16"), experts=_experts(config, names))
    if not block:
        return found
    if not isinstance(block, dict):
        raise InputError(f"quantization_config is {block!r:.60}, not a block of keys")
    inner = block.get("quantization", block)  # as hf_quant_config.json of modelopt has it
    block = inner if isinstance(inner, dict) else block
    for key in names["ignoring"]:
        found.ignored += [Pattern(text, names) for text in _list(block.get(key), key)]
    found.rules = _rules(block, names, found)
    return found


def _rules(
    block: dict[str, Any], names: dict[str, Any], found: Storage
) -> list[tuple[list[Pattern], Width]]:
    everything = [Pattern("Linear", names)]
    method = block.get("quant_method") or ("modelopt" if "quant_algo" in block else None)
    if method is None and "bits" in block:
        # MLX: a 16-bit scale and a 16-bit offset for each group, embeddings and head alike
        wide = _size(block["bits"], "bits") / 8 + 4 / _size(block.get("group_size"), "group_size")
        outside = [Pattern(text, names) for text in ("lm_head", "embed_tokens")]
        return [(everything + outside, Width(wide, "bf16"))]
    kind = names["methods"].get(method) if isinstance(method, str) else None
    if kind == "fp8":
        area = _area(block.get("weight_block_size"), "weight_block_size")
        scale = 1.0 if found.experts and block.get("scale_fmt") == "ue8m0" else 4.0
        return [(everything, Width(1 + scale / area, "fp8"))]
    if kind == "grouped":
        bits = _size(block.get("bits", block.get("w_bit", 4)), "bits")
        group = block.get("group_size", block.get("q_group_size", 128))
        # a 16-bit scale and a zero point for each group; -1 is one group a column
        scales = 0 if group in (-1, None) else (16 + bits) / _size(group, "group_size")
        return [(everything, Width((bits + scales) / 8, "bf16"))]
    if kind == "bitsandbytes":
        if block.get("load_in_8bit") or block.get("_load_in_8bit"):
            return [(everything, Width(1.0, "int8"))]
        # a scale of 4 bytes for 64 weights, itself held in 8 bit when quantised twice
        scale = 1 + 4 / 256 if block.get("bnb_4bit_use_double_quant") else 4.0
        return [(everything, Width(0.5 + scale / 64, "bf16"))]
    if kind == "algorithm":
        layers = block.get("quantized_layers")
        if isinstance(layers, dict) and block.get("quant_algo") in ("MIXED_PRECISION", None):
            stated = {k: v.get("quant_algo") if isinstance(v, dict) else v for k, v in layers.items()}  # fmt: skip
            return [([Pattern(k, names)], _algorithm(v, names)) for k, v in stated.items()]
        return [(everything, _algorithm(block.get("quant_algo", method), names))]
    if kind == "experts":
        found.experts_only = True
        return [(everything, _algorithm(method, names))]
    if kind == "groups":
        return _groups(block, names)
    if kind == "quark":
        whole = block.get("global_quant_config")
        whole = whole if isinstance(whole, dict) else {}
        group = {"weights": whole.get("weight"), "input_activations": whole.get("input_tensors")}
        return _groups({"config_groups": {"global": group}}, names)
    raise InputError(f"quant_method {method!r:.60} has no rule.{suggest(str(method)[:60], names['methods'])}")  # fmt: skip


def _experts(config: dict[str, Any], names: dict[str, Any]) -> Width | None:
    stated = config.get("expert_dtype")
    if stated is None:
        return None
    if not isinstance(stated, str) or stated not in names["expert_dtypes"]:
        raise InputError(f"expert_dtype {stated!r:.60} has no rule: known are {', '.join(names['expert_dtypes'])}")  # fmt: skip
    width = names["expert_dtypes"][stated]
    return Width(*width) if width else None


def _algorithm(name: Any, names: dict[str, Any]) -> Width:
    found = names["algorithms"].get(str(name).upper())
    if found is None:
        raise InputError(f"quant_algo {name!r:.60} has no rule.{suggest(str(name)[:60], names['algorithms'])}")  # fmt: skip
    return Width(*found)


def _groups(block: dict[str, Any], names: dict[str, Any]) -> list[tuple[list[Pattern], Width]]:
    groups = block.get("config_groups")
    if not isinstance(groups, dict) or not groups:
        raise InputError("a block of groups without config_groups says nothing about widths")
    found = []
    for name, group in groups.items():
        weights = group.get("weights") if isinstance(group, dict) else None
        if weights is None:
            continue
        if not isinstance(weights, dict):
            raise InputError(f"config_groups.{name}.weights is {weights!r:.60}, not a block of keys")  # fmt: skip
        targets = _list(group.get("targets") or ["Linear"], "targets")
        width = _group_width(weights, group.get("input_activations"), names)
        found.append(([Pattern(text, names) for text in targets], width))
    # the narrower target first: a group for experts before the one for every Linear
    return sorted(found, key=lambda rule: any(t.everything for t in rule[0]))


def _group_width(weights: dict[str, Any], activations: Any, names: dict[str, Any]) -> Width:
    bits, kind = _numbers(weights, names)
    size, scales = weights.get("group_size"), 0.0
    if size not in (None, -1):
        # floats of four bits carry a one-byte scale (NVFP4, MXFP4), integers one of 16 bits
        scale = 8 if kind == "float" else 16
        zero = 0 if weights.get("symmetric", True) else bits
        scales = (scale + zero) / _size(size, "group_size")
    elif weights.get("block_structure"):
        scales = 16 / _area(weights["block_structure"], "block_structure")
    if isinstance(activations, list):
        activations = activations[0] if activations else None
    products = _numbers(activations, names) if isinstance(activations, dict) else (16, "float")
    return Width((bits + scales) / 8, names["products"].get(f"{products[1]}{products[0]}", "bf16"))


def _numbers(stated: dict[str, Any], names: dict[str, Any]) -> tuple[Any, str]:
    """Bits and kind of a group's numbers, said in two keys or as one dtype."""
    if stated.get("num_bits") is None and isinstance(stated.get("dtype"), str):
        found = names["quark_dtypes"].get(stated["dtype"])
        if found is None:
            raise InputError(f"numbers of dtype {stated['dtype']!r:.60} have no rule")
        return found[0], found[1]
    return _size(stated.get("num_bits"), "num_bits"), str(stated.get("type", "int"))


def _list(value: Any, name: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise InputError(f"{name} of the quantisation block is {value!r:.60}, not a list")
    return value


def _area(shape: Any, name: str) -> float:
    if shape is None:
        return float("inf")
    if not isinstance(shape, list) or len(shape) != 2:
        raise InputError(f"{name} of the quantisation block is {shape!r:.60}, not two sizes")
    return float(_size(shape[0], name) * _size(shape[1], name))


def _size(value: Any, name: str) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
        raise InputError(f"{name} = {value!r:.60} of the quantisation block must be a number above 0")  # fmt: skip
    return value
