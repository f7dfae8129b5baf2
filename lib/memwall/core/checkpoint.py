"""The nouns of a model that exists: groups of equal layers, and parts of its weights.

A blackboard `Model` is five numbers; a `Checkpoint` is what they were summed over. What a
layer of attention keeps, reads and computes after L tokens is, for every kind in use, a
stretch and a cap, `entry * min(L / stretch, cap)`, beside what does not grow at all (a
state) and a short key for every token (an index). `formulas.layers` has the arithmetic.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Self

from .nouns import Model, Noun, Unknown, not_above, quantity, suggest
from .units import (
    Bytes,
    BytesPerElement,
    BytesPerParameter,
    BytesPerToken,
    Cap,
    Count,
    Flop,
    InputError,
    Layers,
    NonNegative,
    Stretch,
    Tokens,
)
from .widths import stored_width

INFINITE = float("inf")
CACHES = {"bf16": 2.0, "fp16": 2.0, "16": 2.0, "fp8": 1.0, "int8": 1.0, "8": 1.0}


def _given(latex: str, meaning: str, default: float) -> Any:
    """A quantity with a value when left out: what a layer does not have costs it nothing."""
    metadata = {"latex": latex, "meaning": meaning, "required": True}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class LayerGroup(Noun):
    """Layers whose attention is alike, and what one of them keeps, reads and computes.

    An *entry* is what stays of `stretch` tokens (1, unless the layer compresses); at most
    `held_cap` entries are kept (a window), at most `read_cap` of those are read in a step (the
    chosen). The width is multiply-adds an entry attended to: query heads times (key + value
    width). MLA has two: `width` absorbed, over the latent itself, and `prompt_width` unpacked,
    which costs `unpack` multiply-adds an entry once a pass. A latent is one part (`kv_heads` 1):
    what cuts other caches copies it.
    """

    layers: Layers = quantity(r"n", "layers in the group", required=True)
    entry: NonNegative = _given("e", "elements kept of an entry, one layer", 0.0)
    stretch: Stretch = _given("r", "tokens an entry stands for", 1.0)
    held_cap: Cap = _given("c_h", "entries kept at most", INFINITE)
    read_cap: Cap = _given("c_r", "entries read at most in a step", INFINITE)
    chunk: Cap = _given("c_c", "tokens after which a layer starts anew", INFINITE)
    width: NonNegative = _given("A", "multiply-adds an entry attended to", 0.0)
    prompt_width: NonNegative = _given("A_p", "the same with the latent unpacked", 0.0)
    unpack: NonNegative = _given("u", "multiply-adds that unpack an entry", 0.0)
    index: BytesPerToken = _given("i", "bytes of an entry's index key", 0.0)
    index_width: NonNegative = _given("A_i", "multiply-adds an index key scored", 0.0)
    state: Bytes = _given("S", "bytes kept a sequence, whatever its length", 0.0)
    state_flop: Flop = _given("a", "FLOP a token to renew and read the state", 0.0)
    bytes_per_element: BytesPerElement = _given("b", "stored bytes of an element kept", 2.0)
    kv_heads: Count = _given("h_{kv}", "parts that an entry or a state can be cut into", 1.0)
    query_heads: Count = _given("h_q", "query heads", 1.0)
    fp8_bytes: NonNegative = _given("e_8", "bytes of an entry in an 8-bit cache", 0.0)
    kind: str = "full"

    def stored(self, cache: str) -> Self:
        """The same layers with their cache in 16 or 8 bit; states and index keys keep theirs."""
        if cache not in CACHES:
            raise InputError(
                f"cache {cache!r} is none of {', '.join(CACHES)}{suggest(cache, CACHES)}"
            )
        width = CACHES[cache]
        if width == 1.0 and self.entry:
            # engines keep a rotary part in 16 bit, and scales: 656 bytes of 576 elements
            width = (self.fp8_bytes or self.entry) / self.entry
        return dataclasses.replace(self, bytes_per_element=width)


@dataclass(frozen=True)
class Part(Noun):
    """Weights of one kind, stored alike: how many, how many a token multiplies, how wide.

    `bytes_per_param` includes scales; `arithmetic` is the width of its products (bf16, fp8,
    int8, fp4), which for weights that are only stored narrow is that of the activations.
    """

    parameters: NonNegative = quantity("N", "parameters", required=True)
    active: NonNegative = quantity("N_a", "parameters that multiply a token", required=True)
    bytes_per_param: BytesPerParameter = quantity("w", "stored bytes of a weight", required=True)
    arithmetic: str = "bf16"
    kind: str = "dense"

    def __post_init__(self) -> None:
        super().__post_init__()
        not_above("active", self.active, "parameters", self.parameters)


# what a re-stored release narrows, and what it leaves as it was released
MATRICES = ("attention", "dense", "shared", "routed", "latent")
# a width that products are formed in; every other is only stored so, and widened to 16 bit first
PRODUCTS = {
    "fp8": "fp8", "fp8-block": "fp8", "mxfp8": "fp8", "int8": "int8", "nvfp4": "fp4", "fp4": "fp4",
}  # fmt: skip

# matrix products of one layer that wait for each other, by kind of attention; each is a launch:
# projections in, attention, projection out; a latent is projected down and up first and absorbed on
# both sides; what is chosen is scored and selected first; a state is convolved, renewed and read
IN_TURN = {
    "full": 3, "window": 3, "chunk": 3, "chosen": 5, "MLA": 6, "MLA, chosen": 8, "MLA, shared index": 6,
    "compressed": 1, "compressed, chosen": 2, "Mamba": 4, "Mamba-2": 4, "gated delta": 4, "KDA": 4,
    "lightning": 3, "short convolution": 3, "none": 0,
}  # fmt: skip
# of a feed-forward block: in and out; the chosen experts are found first and summed after
FEEDS_IN_TURN = {"dense": 2, "shared": 2, "routed": 4}

PARTS = {
    "embedding": "token embeddings: looked up, not multiplied",
    "head": "the output matrix; with tied embeddings, the embeddings themselves",
    "attention": "projections of attention and of states, with their indexers",
    "dense": "feed-forward blocks that every token passes",
    "shared": "experts that every token passes",
    "routed": "experts of which a token passes a few",
    "latent": "projections into and out of the narrower space of the experts",
    "router": "what chooses the experts",
    "norm": "norms, biases and whatever else is small",
    "predictor": "layers that guess further tokens",
    "vision": "the tower that reads pictures, and its projector",
}


@dataclass(frozen=True)
class Checkpoint(Noun):
    """A model as it is released: its layers by kind, its weights by part.

    Totals are sums over `parts`. `n_total` is the model that answers, pictures included, without
    the predictor of further tokens; `n_active` multiplies a token, so the head counts and the
    looked-up embeddings do not.
    """

    name: str
    groups: tuple[LayerGroup, ...]
    parts: tuple[Part, ...]
    layers: Layers = quantity(r"n_\mathrm{layers}", "layers")
    d_model: Count = quantity(r"d_\mathrm{model}", "width of the residual stream")
    context_max: Tokens = quantity(r"L_\mathrm{max}", "longest context")
    experts: Count = quantity(r"n_\mathrm{exp}", "routed experts in a layer")
    experts_active: Count = quantity(r"n_\mathrm{act}", "routed experts chosen per token")
    expert_width: Count = quantity("f", "inner width of a routed expert")
    routed_layers: NonNegative = quantity(r"n_r", "layers with routed experts")
    launches: NonNegative = quantity("m", "matrix products of a pass that wait for each other")
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.launches, Unknown) and not isinstance(self.layers, Unknown):
            object.__setattr__(self, "launches", self._in_turn())

    def _in_turn(self) -> Any:
        routed = 0 if isinstance(self.routed_layers, Unknown) else self.routed_layers
        blocks = {"dense": self.layers - routed, "shared": routed, "routed": routed}
        attention = sum(g.layers * IN_TURN.get(g.kind, IN_TURN["full"]) for g in self.groups)
        kinds = {part.kind for part in self.parts} & blocks.keys()
        return attention + sum(FEEDS_IN_TURN[kind] * blocks[kind] for kind in sorted(kinds))

    def parameters(self, *kinds: str) -> Any:
        """Parameters in parts of these kinds; of all parts when none is named."""
        return sum(part.parameters for part in self.of(*kinds))

    def bytes(self, *kinds: str) -> Any:
        """Stored bytes of the parts of these kinds; of all parts when none is named."""
        return sum(part.parameters * part.bytes_per_param for part in self.of(*kinds))

    def of(self, *kinds: str) -> tuple[Part, ...]:
        """The parts of these kinds, or all."""
        for kind in kinds:
            if kind not in PARTS:
                raise InputError(f"no part is called {kind!r}.{suggest(kind, PARTS)}")
        return tuple(part for part in self.parts if not kinds or part.kind in kinds)

    @property
    def n_total(self) -> Any:
        """Parameters without the predictor; tied embeddings counted once."""
        return self.parameters() - self.parameters("predictor")

    @property
    def n_active(self) -> Any:
        """Parameters that multiply a token: with the head, without looked-up embeddings."""
        return sum(part.active for part in self.parts)

    @property
    def n_active_with_embeddings(self) -> Any:
        """As many vendors count: with the embeddings too, though a token only looks up one row."""
        return self.n_active + self.parameters("embedding")

    @property
    def n_active_without_head(self) -> Any:
        """As others count: neither embeddings nor the output matrix."""
        return self.n_active - self.parameters("head")

    @property
    def weight_bytes(self) -> Any:
        """Bytes of all that the checkpoint stores, predictor, pictures and scales included."""
        return self.bytes()

    def stored(self, cache: str) -> Self:
        """The same checkpoint with its caches kept in 16 or 8 bit."""
        return dataclasses.replace(self, groups=tuple(g.stored(cache) for g in self.groups))

    def with_weights(self, width: str) -> Self:
        """The same model with its weights stored anew: "fp8", "nvfp4", "awq", "Q4_K_M", "bf16".

        Bytes with scales are the catalog's. 16 bit and more: every part. A GGUF file: every matrix,
        the head never below 6.56 bits. mxfp4: the routed experts, as gpt-oss; all matrices where
        there are none. Any other: projections, blocks and experts; embeddings, head, norms, router,
        predictor and pictures stay as released. Products are in fp8, int8 or fp4 where the format
        is one that tensor cores multiply, else in 16 bit.
        """
        name, family, size, head = stored_width(width)
        kinds: tuple[str, ...] = MATRICES
        if size >= 2:
            kinds = tuple(PARTS)
        elif family.startswith("GGUF"):
            kinds = (*MATRICES, "embedding", "head", "predictor")
        elif name == "mxfp4" and self.of("routed"):
            kinds = ("routed",)
        arithmetic = PRODUCTS.get(name, "bf16")
        parts = tuple(
            dataclasses.replace(
                part, bytes_per_param=head if part.kind == "head" else size, arithmetic=arithmetic
            )
            if part.kind in kinds
            else part
            for part in self.parts
        )
        kept = sorted({part.kind for part in self.parts if part.kind not in kinds})
        said = f"weights stored anew as {width}"
        if kept:
            said += f"; as released: {', '.join(kept)}"
        if any(
            old.bytes_per_param < new.bytes_per_param
            for old, new in zip(self.parts, parts, strict=True)
        ):
            said += "; wider than released, which adds bytes and no precision"
        return dataclasses.replace(self, parts=parts, notes=(*self.notes, said))

    def at(self, context: Any, cache: str | None = None) -> Model:
        """What is left on the blackboard at a context: k is the bytes read over the tokens there.

        Pictures and the predictor are left out: no decode step reads them.
        """
        from memwall import layers  # the room of formulas lies above this one

        stored = self if cache is None else self.stored(cache)
        kept = [part for part in self.parts if part.kind not in ("vision", "predictor")]
        total = sum(part.parameters for part in kept)
        read = sum(layers.read_bytes(context, group) for group in stored.groups)
        return Model(
            n_total=total,
            n_active=self.n_active,
            bytes_per_param=sum(p.parameters * p.bytes_per_param for p in kept) / total,
            kv_bytes_per_token=read / context,
            layers=self.layers,
            d_model=self.d_model,
            experts=1 if isinstance(self.experts, Unknown) else self.experts,
            experts_active=1 if isinstance(self.experts, Unknown) else self.experts_active,
            attention_width=sum(g.layers * g.width for g in self.groups) / self.layers,
            name=self.name,
        )
