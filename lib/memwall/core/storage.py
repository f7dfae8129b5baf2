"""How a checkpoint stores its weights: what a quantisation block of a configuration says.

A block names a method, what it does to the linear layers, and which of them it leaves alone.
Scales count: a weight in blocks of 16 with a scale of one byte is 4.5 bits, not 4. Embeddings,
norms and routers stay as wide as the model is, and so does the head unless a block targets it.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, field
from typing import Any

from .nouns import suggest
from .units import InputError

DTYPES = {"bfloat16": 2.0, "float16": 2.0, "half": 2.0, "float32": 4.0, "float": 4.0, "float64": 8.0,
          "float8_e4m3fn": 1.0, "float8_e5m2": 1.0, "auto": 2.0}  # fmt: skip

# what the same module is called elsewhere
_SAME = {
    "block_sparse_moe": "mlp", "ffn": "mlp", "feed_forward": "mlp", "moe": "mlp",
    "w1": "gate_proj", "w3": "up_proj", "w2": "down_proj", "gate_up_proj": "up_proj",
    "shared_expert": "shared_experts", "shared_mlp": "shared_experts", "attn": "self_attn",
    "attention": "self_attn", "in_proj_qkv": "in_proj_qkvz", "in_proj_z": "in_proj_qkvz",
    "in_proj_a": "in_proj_ba", "in_proj_b": "in_proj_ba",
}  # fmt: skip
_FRAMES = {"model", "language_model", "backbone", "text_model", "transformer", "decoder"}


@dataclass(frozen=True)
class Width:
    """Stored bytes of a weight, scales included, and the width of its products."""

    bytes_per_param: float
    arithmetic: str


@dataclass
class Storage:
    """Which width each module of a checkpoint has: `rules` in order, the first that targets it."""

    plain: Width
    rules: list[tuple[list[Pattern], Width]] = field(default_factory=list)
    ignored: list[Pattern] = field(default_factory=list)
    experts: Width | None = None
    experts_only: bool = False
    label: str = "bf16"

    def of(self, module: str, part: str, layer: int) -> Width:
        """The width of `layers.<layer>.<module>`, which holds weights of a kind of part."""
        if module.endswith(".bias"):
            return self.plain
        if part == "routed" and self.experts:
            return self.experts
        if part in ("embedding", "norm", "router", "vision") or (
            self.experts_only and part != "routed"
        ):
            return self.plain
        name = ["lm_head"] if part == "head" else [*("layers", str(layer)), *module.split(".")]
        if layer < 0 and part != "head":
            name = module.split(".")
        if any(pattern.matches(name) for pattern in self.ignored):
            return self.plain
        for targets, width in self.rules:
            if any((t.everything and part != "head") or t.matches(name) for t in targets):
                return width
        return self.plain


class Pattern:
    """A name in a block's list: exact, with *, a regular expression, or the word Linear."""

    def __init__(self, text: Any) -> None:
        if not isinstance(text, str):
            raise InputError(
                f"a quantisation block lists {text!r:.60} where a module's name belongs"
            )
        self.everything = text in ("Linear", "*", "re:.*")
        self.regex = None
        self.parts: list[str] = []
        if text.startswith("re:"):
            try:
                self.regex = re.compile(text[3:])
            except re.error as error:
                raise InputError(
                    f"{text!r} in a quantisation block is no regular expression: {error}"
                ) from None
        else:
            parts = [_SAME.get(p, p) for p in text.removesuffix(".weight").split(".") if p]
            while parts and parts[0] in _FRAMES:
                parts = parts[1:]
            self.parts = parts
        literal = len(self.parts) > 1 and self.parts[0] == "layers" and self.parts[1].isdigit()
        self.layer = int(self.parts[1]) if literal else None

    def matches(self, name: list[str]) -> bool:
        if self.regex:
            path = ".".join(name)
            prefixes = ("model.", "language_model.model.", "model.language_model.", "")
            return any(self.regex.match(prefix + path) for prefix in prefixes)
        if not self.parts or (self.layer is not None and name[1:2] != [str(self.layer)]):
            return False
        wanted = len(self.parts)
        return any(
            all(map(_alike, self.parts, name[start : start + wanted]))
            for start in range(len(name) - wanted + 1)
        )


def _alike(pattern: str, part: str) -> bool:
    if pattern == part or (pattern == "mixer" and part in ("mamba", "self_attn", "mlp")):
        return True
    return "*" in pattern and fnmatch.fnmatchcase(part, pattern)


def storage(config: dict[str, Any], block: Any, width: float) -> Storage:
    """The widths that a quantisation block states, for a model otherwise `width` bytes wide."""
    plain = Width(width, "bf16")
    if not block:
        return Storage(plain, experts=_expert_dtype(config))
    if not isinstance(block, dict):
        raise InputError(f"quantization_config is {block!r:.60}, not a block of keys")
    block = block.get("quantization", block)  # hf_quant_config.json of modelopt
    method = block.get("quant_method") or ("modelopt" if "quant_algo" in block else None)
    ignored = _list(block, "modules_to_not_convert", "ignore", "ignored_layers", "exclude_modules",
                    "llm_int8_skip_modules", "exclude")  # fmt: skip
    found = Storage(plain, ignored=[Pattern(p) for p in ignored], experts=_expert_dtype(config))
    everything = [Pattern("Linear")]

    def whole(width: Width, label: str) -> Storage:
        found.rules, found.label = [(everything, width)], label
        return found

    if method in ("fp8", "fbgemm_fp8", "finegrained_fp8", "deepseek_fp8"):
        shape = block.get("weight_block_size")
        scale = 1 if block.get("scale_fmt") == "ue8m0" and _expert_dtype(config) else 4
        return whole(
            Width(
                1 + (scale / _positive(shape[0] * shape[1], "weight_block_size") if shape else 0),
                "fp8",
            ),
            "fp8",
        )
    if method == "mxfp4":
        found.experts_only = True
        return whole(Width(0.5 + 1 / 32, "bf16"), "mxfp4")
    if method == "mxfp8":
        return whole(Width(1 + 1 / 32, "fp8"), "mxfp8")
    if method in (
        "awq",
        "gptq",
        "auto-round",
        "auto_round",
        "gptq_marlin",
        "awq_marlin",
        "intel/auto-round",
    ):
        bits, group = (
            block.get("bits", block.get("w_bit", 4)),
            block.get("group_size", block.get("q_group_size", 128)),
        )
        bits = _positive(bits, "bits")
        # a 16-bit scale and a zero point of `bits` for each group; -1 is one group a column
        scales = (16 + bits) / group / 8 if isinstance(group, int) and group > 0 else 0
        return whole(Width(bits / 8 + scales, "bf16"), f"{method} {bits}-bit")
    if method in ("bitsandbytes", "bnb"):
        if block.get("load_in_8bit") or block.get("_load_in_8bit"):
            return whole(Width(1.0, "int8"), "int8")
        # a scale of 4 bytes for 64 weights, itself held in 8 bit when quantised twice
        twice = block.get("bnb_4bit_use_double_quant", False)
        return whole(Width(0.5 + ((1 + 4 / 256) / 64 if twice else 4 / 64), "bf16"), "4-bit")
    if method in ("modelopt", "modelopt_fp4", "modelopt_mixed", "modelopt_mxfp8"):
        return _modelopt(block, found)
    if method in ("compressed-tensors", "quark"):
        return _groups(block, found, method)
    known = (
        "fp8",
        "fbgemm_fp8",
        "mxfp4",
        "mxfp8",
        "awq",
        "gptq",
        "bitsandbytes",
        "modelopt",
        "compressed-tensors",
        "quark",
    )
    raise InputError(f"quant_method {method!r} has no rule.{suggest(str(method), known)}")


def _expert_dtype(config: dict[str, Any]) -> Width | None:
    stated = config.get("expert_dtype")
    if stated is None:
        return None
    widths = {"fp4": Width(0.5 + 1 / 32, "fp8"), "fp8": None, "bf16": None}
    if stated not in widths:
        raise InputError(f"expert_dtype {stated!r} has no rule: known are {', '.join(widths)}")
    return widths[stated]


_ALGORITHMS = {
    "NVFP4": Width(0.5 + 1 / 16, "fp4"), "NVFP4_AWQ": Width(0.5 + 1 / 16, "fp4"), "W4A16_NVFP4": Width(0.5 + 1 / 16, "bf16"),
    "FP8": Width(1.0, "fp8"), "FP8_PB_WO": Width(1 + 4 / 16384, "fp8"), "FP8_PER_CHANNEL_PER_TOKEN": Width(1.0, "fp8"),
    "FP8_BLOCK": Width(1 + 4 / 16384, "fp8"), "FP8_PB_REAL": Width(1 + 4 / 16384, "fp8"),
    "MXFP8": Width(1 + 1 / 32, "fp8"), "MXFP4": Width(0.5 + 1 / 32, "bf16"), "W4A8_MXFP4_FP8": Width(0.5 + 1 / 32, "fp8"),
    "W4A16_AWQ": Width(0.5 + 2 / 128, "bf16"), "W4A8_AWQ": Width(0.5 + 2 / 128, "fp8"), "INT8_SQ": Width(1.0, "int8"),
    "W8A8_SQ_PER_CHANNEL": Width(1.0, "int8"), "W4A8_NVFP4_FP8": Width(0.5 + 1 / 16, "fp8"),
}  # fmt: skip


def _algorithm(name: Any) -> Width:
    wide = _ALGORITHMS.get(str(name).upper())
    if wide is None:
        raise InputError(f"quant_algo {name!r} has no rule.{suggest(str(name), _ALGORITHMS)}")
    return wide


def _modelopt(block: dict[str, Any], found: Storage) -> Storage:
    named = block.get("quant_algo")
    layers = block.get("quantized_layers")
    if isinstance(layers, dict) and (named == "MIXED_PRECISION" or named is None):
        for module, how in layers.items():
            found.rules.append(
                (
                    [Pattern(module)],
                    _algorithm(how.get("quant_algo") if isinstance(how, dict) else how),
                )
            )
        found.label = "mixed"
        return found
    found.rules.append(([Pattern("Linear")], _algorithm(named)))
    found.label = str(named)
    return found


def _groups(block: dict[str, Any], found: Storage, method: str) -> Storage:
    if method == "quark":
        groups: dict[str, Any] = {"all": {"weights": (block.get("global_quant_config") or {}).get("weight"), "targets": ["Linear"],
                                  "input_activations": (block.get("global_quant_config") or {}).get("input_tensors")}}  # fmt: skip
    else:
        groups = block.get("config_groups") or {}
    if not isinstance(groups, dict) or not groups:
        raise InputError(
            "a compressed-tensors block without config_groups says nothing about widths"
        )
    for name, group in groups.items():
        weights = group.get("weights") if isinstance(group, dict) else None
        if weights is None:
            continue
        if not isinstance(weights, dict):
            raise InputError(
                f"config_groups.{name}.weights is {weights!r:.60}, not a block of keys"
            )
        found.rules.append(
            ([Pattern(t) for t in group.get("targets") or ["Linear"]], _group_width(weights, group))
        )
    # the narrower target first: a group for experts before the one for every Linear
    found.rules.sort(key=lambda rule: any(t.everything for t in rule[0]))
    found.label = str(block.get("format", method))
    return found


_QUARK = {
    "fp4": (4, "float"),
    "int4": (4, "int"),
    "uint4": (4, "int"),
    "int8": (8, "int"),
    "fp8_e4m3": (8, "float"),
}


def _group_width(weights: dict[str, Any], group: dict[str, Any]) -> Width:
    if "dtype" in weights and "num_bits" not in weights:
        if weights["dtype"] not in _QUARK:
            raise InputError(f"weights of dtype {weights['dtype']!r} have no rule")
        bits, kind = _QUARK[weights["dtype"]]
    else:
        bits, kind = _positive(weights.get("num_bits"), "num_bits"), weights.get("type", "int")
    size = weights.get("group_size")
    shape = weights.get("block_structure")
    scales = 0.0
    if isinstance(size, int) and size > 0:
        # floats of four bits carry a one-byte scale (NVFP4, MXFP4), integers one of 16 bits
        scale = 8 if kind == "float" else 16
        zero = 0 if weights.get("symmetric", True) else bits
        scales = (scale + zero) / size / 8
    elif isinstance(shape, list) and len(shape) == 2:
        scales = 2 / _positive(shape[0] * shape[1], "block_structure")
    activations = group.get("input_activations")
    if isinstance(activations, list):
        activations = activations[0] if activations else None
    if not activations:
        return Width(bits / 8 + scales, "bf16")
    wide = activations.get("num_bits") or _QUARK.get(activations.get("dtype"), (16, ""))[0]
    arithmetic = {
        4: "fp4",
        8: "fp8" if activations.get("type", "float") == "float" else "int8",
    }.get(wide, "bf16")
    return Width(bits / 8 + scales, arithmetic)


def _list(block: dict[str, Any], *names: str) -> list[Any]:
    found: list[Any] = []
    for name in names:
        value = block.get(name)
        if value is None:
            continue
        if not isinstance(value, list):
            raise InputError(f"{name} of the quantisation block is {value!r:.60}, not a list")
        found += value
    return found


def _positive(value: Any, name: str) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
        raise InputError(
            f"{name} = {value!r:.60} of the quantisation block must be a number above 0"
        )
    return value
