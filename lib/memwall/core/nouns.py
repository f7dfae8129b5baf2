"""The two nouns of every formula: a `Model` on one side, a `System` on the other.

Frozen, validated when made, and open to three kinds of field value: a number, a
NumPy array (a sweep), or a SymPy symbol (algebra). `Model.symbolic()` gives a model
made of symbols named like its fields.
"""

from __future__ import annotations

import dataclasses
import functools
import typing
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from . import units
from .algebra import unit_of, variable
from .units import InputError


class MissingFact(InputError):
    """A formula asked for a fact that nobody published."""


class Unknown:
    """Stands where a fact is missing; any arithmetic with it says which one."""

    __array_ufunc__ = None  # NumPy arrays must ask us, not broadcast over us

    def __init__(self, name: str = "", owner: str = "") -> None:
        self.name, self.owner = name, owner

    def _refuse(self, *_: Any) -> Any:
        raise MissingFact(
            f"{self.name or 'this fact'} of {self.owner or 'this object'} is not known; "
            f"give it with .replace({self.name}=...)"
        )

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = _refuse
    __rtruediv__ = __pow__ = __rpow__ = __neg__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __float__ = __int__ = __array__ = _refuse

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unknown)

    def __hash__(self) -> int:
        return hash(Unknown)

    def __repr__(self) -> str:
        return "unknown"


def quantity(latex: str, meaning: str, *, required: bool = False) -> Any:
    """A dataclass field with its blackboard symbol and meaning; unknown unless required."""
    metadata = {"latex": latex, "meaning": meaning, "required": required}
    if required:
        return field(metadata=metadata)
    return field(default_factory=Unknown, metadata=metadata)


def usual(value: float, latex: str, meaning: str) -> Any:
    """A field as `quantity`, with a value for when nothing is said."""
    return field(default=value, metadata={"latex": latex, "meaning": meaning})


@dataclass(frozen=True)
class Noun:
    """What `Model` and `System` share: validation, symbols, and copies with changes."""

    def __post_init__(self) -> None:
        required = self.required()
        for name, unit in self.quantities().items():
            value = getattr(self, name)
            if name not in required and (value is None or isinstance(value, Unknown)):
                owner = getattr(self, "name", "") or type(self).__name__
                object.__setattr__(self, name, Unknown(name, owner))
            else:
                unit.check(name, value)
                if isinstance(value, list | tuple):
                    object.__setattr__(self, name, np.asarray(value, dtype=float))

    @classmethod
    @functools.cache
    def quantities(cls) -> dict[str, units.Unit]:
        """The unit of each numeric field, by field name; worked out once for each class."""
        hints = typing.get_type_hints(cls, include_extras=True)
        found = {f.name: unit_of(hints[f.name]) for f in dataclasses.fields(cls)}
        return {name: unit for name, unit in found.items() if unit is not None}

    @classmethod
    @functools.cache
    def required(cls) -> frozenset[str]:
        """Names of the fields without which there is no such object."""
        return frozenset(f.name for f in dataclasses.fields(cls) if f.metadata.get("required"))

    @classmethod
    def symbolic(cls, **values: Any) -> Self:
        """An object of positive SymPy symbols named like the fields; `values` stay as given."""
        latex = {f.name: f.metadata.get("latex", "") for f in dataclasses.fields(cls)}
        symbols = {name: variable(name, latex[name]) for name in cls.quantities()}
        return cls(**{**symbols, **values})

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed, validated again."""
        known = {f.name for f in dataclasses.fields(self)}
        for name in changes:
            if name not in known:
                raise InputError(f"{type(self).__name__} has no {name!r}.{suggest(name, known)}")
        return dataclasses.replace(self, **changes)

    def in_numpy(self) -> Self:
        """The same object with NumPy's numbers, for which a division by zero is infinite."""
        twin = dataclasses.replace(self)
        for name in self.quantities():
            if isinstance(getattr(self, name), int | float):
                object.__setattr__(twin, name, np.float64(getattr(self, name)))
        return twin

    def symbols(self) -> dict[str, Any]:
        """The fields that are SymPy symbols, by name."""
        return {
            n: getattr(self, n) for n in self.quantities() if units.is_symbolic(getattr(self, n))
        }


@dataclass(frozen=True)
class Model(Noun):
    """A transformer as the blackboard sees it: sizes, not layers of code.

    `n_total` weights are stored and streamed, `n_active` of them multiply each token;
    `bytes_per_param` is the stored width of a weight and `kv_bytes_per_token` the cache one
    token leaves behind in all layers. A field left out is unknown, and a formula that needs
    it says so.
    """

    n_total: units.Parameters = quantity("N_t", "total parameters", required=True)
    n_active: units.Parameters = quantity("N_a", "parameters active per token", required=True)
    bytes_per_param: units.BytesPerParameter = quantity("w", "stored bytes of a weight")
    kv_bytes_per_token: units.BytesPerToken = quantity(
        "k", "KV-cache bytes of one token, all layers"
    )
    layers: units.Layers = quantity(r"n_\mathrm{layers}", "layers")
    d_model: units.Count = quantity(r"d_\mathrm{model}", "width of the residual stream")
    experts: units.Count = quantity(r"n_\mathrm{exp}", "routed experts in a layer")
    experts_active: units.Count = quantity(r"n_\mathrm{act}", "routed experts chosen per token")
    attention_width: units.Count = quantity(
        "A", "query heads times (key width + value width), one layer"
    )
    name: str = "model"

    def __post_init__(self) -> None:
        super().__post_init__()
        not_above("n_active", self.n_active, "n_total", self.n_total)
        if not isinstance(self.experts, Unknown) and not isinstance(self.experts_active, Unknown):
            not_above("experts_active", self.experts_active, "experts", self.experts)


@dataclass(frozen=True)
class System(Noun):
    """The chips that work on one token together, everything summed over them.

    One scale-up domain (an 8-GPU box, an NVL72 rack), the part of it in use, or several of them
    side by side: `flops` are dense FLOP/s at the precision of the arithmetic (a multiply-add is
    two), `bandwidth` is HBM, `scale_up` and `scale_out` are the two networks in one direction,
    links and network cards of all chips together. The blackboard needs the first few; a real
    deployment also how many chips a `domain` joins, and the rates at other widths.
    """

    flops: units.FlopPerSecond = quantity("F", "dense FLOP/s", required=True)
    bandwidth: units.BytesPerSecond = quantity("W", "HBM bandwidth", required=True)
    capacity: units.Bytes = quantity("C", "HBM capacity")
    scale_up: units.BytesPerSecond = quantity(r"W_\mathrm{up}", "scale-up bandwidth, one direction")
    scale_out: units.BytesPerSecond = quantity(
        r"W_\mathrm{out}", "scale-out bandwidth, one direction"
    )
    chips: units.Count = quantity("G", "chips")
    dollars_per_second: units.DollarsPerSecond = quantity(r"\$", "rent of all chips")
    domain: units.Count = quantity("D", "chips of one scale-up domain")
    bf16_flops: units.FlopPerSecond = quantity("F_{16}", "dense FLOP/s in bf16, as attention works")
    fp8_flops: units.FlopPerSecond = quantity("F_8", "dense FLOP/s in fp8, or wider if it has none")
    fp4_flops: units.FlopPerSecond = quantity("F_4", "dense FLOP/s in fp4, or wider if it has none")
    torus: units.NonNegative = quantity("d_t", "dimensions of the torus, 0 for a switch")
    name: str = "system"


@dataclass(frozen=True)
class Layout(Noun):
    """How a model is cut over chips, in the words of vLLM and SGLang.

    `tp` chips share each matrix and each sequence's attention; `dp` such sets take different
    sequences, each with all attention weights; experts are cut over all tp x dp chips of a stage,
    `ep` ways by whole experts and the rest of the way through each; `pp` stages of so many chips
    stand in a row, each with its share of the layers.
    """

    tp: units.Count = usual(1.0, "t", "tensor parallelism")
    dp: units.Count = usual(1.0, "a", "attention data parallelism")
    ep: units.Count = usual(1.0, "e", "expert parallelism")
    pp: units.Count = usual(1.0, "P", "pipeline stages")
    name: str = "layout"

    @property
    def stage_chips(self) -> Any:
        """Chips of one stage, over which its experts are cut."""
        return self.tp * self.dp

    @property
    def chips(self) -> Any:
        """Chips of all stages."""
        return self.stage_chips * self.pp


@dataclass(frozen=True)
class Engine(Noun):
    """What a serving engine is told, or decides, about memory and passes: vLLM's words and defaults.

    `engines.engine` knows the rules of engines by name and version. What counts within the share of
    memory: a dry run of the largest pass, if `dry_pass` is 1; while words are chosen, `score_bytes`
    for each word of the vocabulary and each sequence (its score in 2 bytes and in 4, its
    probability, the noise that divides it, a mask; where scores are sorted, 12 more twice over);
    for each graph captured of a decode step, `graph` for every layer (0 in eager mode, or where
    graphs lie outside the share); buffers for the `links` to other chips; and an `allowance` for
    half a gigabyte that a driver hides, and for compiled kernels.
    """

    memory_share: units.Fraction = usual(0.92, "u", "share of a chip's memory that may be used")
    batched_tokens: units.Tokens = usual(8192.0, "T", "tokens of the largest pass")
    sequences: units.Sequences = usual(256.0, "B_{max}", "sequences at once, at most")
    allowance: units.Bytes = usual(0.8e9, "a", "bytes for the driver and libraries")
    links: units.Bytes = usual(2e9, "l", "bytes for exchanges with other chips, at most")
    graph: units.Bytes = usual(0.35e6, "g", "bytes a layer of a captured graph")
    score_bytes: units.BytesPerElement = usual(15.0, "b_v", "bytes a word while one is chosen")
    dry_pass: units.Fraction = usual(1.0, "q", "1 if the largest pass counts within the share")
    page: units.Count = usual(16.0, "p", "tokens of a page of cache")
    element: units.BytesPerElement = usual(2.0, "b", "bytes of a number in a pass: bf16")
    drafts: units.NonNegative = usual(0.0, "k", "further tokens guessed in each step")
    # set by eye on served runs whose recipe guesses three
    acceptance: units.Fraction = usual(0.62, r"\alpha", "chance that a guess is right")
    name: str = "engine"


@dataclass(frozen=True)
class Workload(Noun):
    """What users ask of one replica: `users` requests in flight, each a prompt and an answer."""

    prompt: units.Tokens = usual(2000.0, "P", "tokens of a prompt")
    output: units.Count = usual(500.0, "O", "tokens of an answer")
    cached: units.Fraction = usual(0.0, "h", "share of a prompt found in a cache")
    users: units.Sequences = usual(64.0, "c", "requests in flight on one replica")
    name: str = "workload"


def not_above(small_name: str, small: Any, large_name: str, large: Any) -> None:
    """Refuse a part that is larger than its whole; symbols pass."""
    if units.is_symbolic(small) or units.is_symbolic(large):
        return

    if np.any(np.asarray(small) > np.asarray(large)):
        raise InputError(f"{small_name} = {small} is larger than {large_name} = {large}")


def suggest(name: str, known: typing.Iterable[str]) -> str:
    """' Did you mean ...?' for the nearest known names, or an empty string."""
    import difflib

    known = list(known)
    lower = {k.lower(): k for k in known}
    near = difflib.get_close_matches(str(name).lower(), lower, n=3, cutoff=0.5)
    return f" Did you mean {' or '.join(repr(lower[n]) for n in near)}?" if near else ""
