"""Layout: what is cut and what is copied when a model is spread over chips, in bytes on one chip.

`tp` chips cut each matrix between them, `dp` such sets serve different sequences, experts are cut
over all of a stage's chips, `pp` stages each keep a share of the layers. So every part of the
weights, and every layer's cache, is kept in one of three ways:

    part                                      on one chip
    attention, dense, shared, embeddings      1 / tp          and copied dp times
    routed experts                            1 / (tp dp)
    router, norms, latent projections         all of it
    cache of a layer with h key-value heads   1 / min(tp, h)  and copied beyond; MLA has h = 1

    C  memory of a chip as its driver reports it     T  tokens of the largest pass
    u  share of it that the engine may use           d  width of the residual stream

What does not fit on one chip does not fit. Beside weights and caches a chip holds what the largest
pass computes with, and what driver, communication and captured graphs take.
"""

from __future__ import annotations

from typing import Any

from ..core.algebra import ceil, formula, maximum, minimum
from ..core.checkpoint import Checkpoint
from ..core.nouns import Engine, Layout, System
from ..core.units import Bytes, BytesPerElement, InputError, NonNegative, Ratio, Sequences, Tokens
from .layers import held_bytes, read_bytes

# how often a kind of part is kept in a stage: cut by tp, by tp and dp, or not at all
CUT_BY = {
    "embedding": "tp", "head": "tp", "attention": "tp", "dense": "tp", "shared": "tp",
    "vision": "tp", "routed": "all", "predictor": "all", "latent": "none", "router": "none",
    "norm": "none",
}  # fmt: skip
UNUSED = ("predictor",)  # loaded only by an engine that speculates with it


def ways(kind: str, layout: Layout) -> Any:
    """Into how many pieces a stage's chips cut a part of this kind."""
    return {"tp": layout.tp, "all": layout.stage_chips, "none": 1}[CUT_BY[kind]]


def loaded(checkpoint: Checkpoint) -> tuple[Any, ...]:
    """The parts an engine loads to answer text: all but the predictor."""
    return tuple(p for p in checkpoint.parts if p.kind not in UNUSED)


@formula
def stage_share(checkpoint: Checkpoint, layout: Layout) -> Ratio:
    """Share of the layers that the fullest stage keeps.

    Equation: ceil(n / P) / n.
    Ignores: stages cut by hand; the embeddings at one end, the output matrix at the other.
    Source: vLLM and Megatron cut layers as evenly as whole layers allow.

    >>> float(stage_share(Checkpoint("m", (), (), layers=61), Layout(pp=2))) == 31 / 61
    True
    """
    return ceil(checkpoint.layers / layout.pp) / checkpoint.layers


@formula
def weight_bytes_per_chip(checkpoint: Checkpoint, layout: Layout) -> Bytes:
    """Bytes of weights on one chip of the fullest stage.

    Equation: sum over parts of N w / ways, times ceil(n / P) / n.
    Ignores: padding of vocabularies and heads; experts kept twice to even out their load.
    Source: the tables of tensor and expert parallelism of vLLM and SGLang.

    >>> from ..core.checkpoint import Part
    >>> m = Checkpoint("m", (), (Part(800, 800, 2.0, kind="attention"),
    ...                          Part(8000, 1000, 1.0, kind="routed")), layers=10)
    >>> float(weight_bytes_per_chip(m, Layout(tp=8)))
    1200.0
    >>> float(weight_bytes_per_chip(m, Layout(dp=8, ep=8)))
    2600.0
    """
    whole = sum(p.parameters * p.bytes_per_param / ways(p.kind, layout) for p in loaded(checkpoint))
    return whole * stage_share(checkpoint, layout)


@formula
def cache_bytes_per_chip(
    sequences: Sequences, context: Tokens, checkpoint: Checkpoint, layout: Layout
) -> Bytes:
    """Bytes that the caches of a replica's sequences take on one chip of the fullest stage.

    Equation: B / dp ceil(n / P) / n, times the sum over layers of held(L) / min(tp, h).
    Ignores: pages partly filled; sequences that do not divide evenly over dp.
    Source: vLLM cuts key-value heads, and copies them beyond one a chip.

    >>> from ..core.checkpoint import LayerGroup
    >>> gqa = Checkpoint("m", (LayerGroup(layers=2, entry=1024, kv_heads=4),), (), layers=2)
    >>> float(cache_bytes_per_chip(1, 100, gqa, Layout(tp=8))) == 2 * 1024 * 2 * 100 / 4
    True
    """
    one = sum(held_bytes(context, g) / minimum(layout.tp, g.kv_heads) for g in checkpoint.groups)
    return sequences / layout.dp * one * stage_share(checkpoint, layout)


@formula
def cache_read_per_chip(
    sequences: Sequences, context: Tokens, checkpoint: Checkpoint, layout: Layout
) -> Bytes:
    """Bytes that one chip moves of its sequences' caches in a decode step, over all stages.

    Equation: B / dp times the sum over layers of read(L) / min(tp, h).
    Ignores: what `layers.read_bytes` ignores.
    Source: as `cache_bytes_per_chip`; a copy is read where it lies.

    >>> from ..core.checkpoint import LayerGroup
    >>> mla = Checkpoint("m", (LayerGroup(layers=1, entry=576),), (), layers=1)
    >>> float(cache_read_per_chip(8, 10, mla, Layout(tp=8))), float(
    ...     cache_read_per_chip(8, 10, mla, Layout(dp=8)))
    (92160.0, 11520.0)
    """
    one = sum(read_bytes(context, g) / minimum(layout.tp, g.kv_heads) for g in checkpoint.groups)
    return sequences / layout.dp * one


# --- what fits


@formula
def activation_bytes(
    tokens: Tokens, sequences: Sequences, element: BytesPerElement, checkpoint: Checkpoint,
    layout: Layout,
) -> Bytes:  # fmt: skip
    """Bytes that the largest pass of an engine computes with, on one chip.

    A block turns a token's d numbers into N / (n d) more, N its parameters in n layers, before it
    turns them back; the stream and its residual stay beside them. Experts also spread a copy of the
    token to each of the k chosen. At the end stand the scores of every word for each sequence.

    Equation: b T (2 d + max(N_dense / (n d tp), N_active / (n_r d tp) + k d)) + 2 b B v, with
    scores twice as wide as the b bytes of a number, v the vocabulary N_head / d.
    Ignores: buffers that kernels keep for themselves; fragments.
    Source: ours; Llama-3.1-8B and 405B on vLLM lose as much cache to longer passes.

    >>> from ..core.checkpoint import Part
    >>> m = Checkpoint("m", (), (Part(3000, 3000, 2.0, kind="dense"),), layers=1, d_model=10)
    >>> float(activation_bytes(100, 1, 2.0, m, Layout(tp=2)))  # 2 x 100 x (20 + 150)
    34000.0
    """
    d, tp = checkpoint.d_model, layout.tp
    wide, routed_layers = 0, 0
    if checkpoint.of("routed"):
        routed_layers = checkpoint.routed_layers
        chosen = sum(part.active for part in checkpoint.of("routed"))
        wide = chosen / (routed_layers * d * tp) + checkpoint.experts_active * d
    if checkpoint.of("dense"):
        alike = maximum(checkpoint.layers - routed_layers, 1)
        wide = maximum(wide, checkpoint.parameters("dense") / (alike * d * tp))
    words = checkpoint.of("head") or checkpoint.of("embedding")
    scores = sum(p.parameters for p in words) / d
    return element * (tokens * (2 * d + wide) + 2 * sequences * scores)


def sglang_reserve(engine: Engine, layout: Layout) -> Any:
    """Bytes of a chip that SGLang leaves to activations and graphs when no share is given.

    512 MiB, 1.5 MiB a token of a chunk (of at least 2,048), 2 MiB a sequence that a graph is
    captured for, and 1 GiB for every 8 chips. Source: SGLang's server arguments, 2026.

    >>> float(sglang_reserve(Engine(batched_tokens=8192, sequences=256), Layout(tp=8))) / 2**30
    14.0
    """
    chunk = maximum(engine.batched_tokens, 2048)
    chips = layout.tp * layout.pp
    return (512 + 1.5 * chunk + 2 * engine.sequences + 1024 / 8 * chips) * 2**20


@formula
def cache_room_per_chip(
    checkpoint: Checkpoint, system: System, layout: Layout, engine: Engine
) -> Bytes:
    """Memory of a chip that is left for caches; 0 when the weights alone do not fit.

    Equation: max(u C - weights - activations - a, 0), a the engine's allowance.
    Ignores: other programs on the chip; what a particular version takes beyond that.
    Source: vLLM's own start-up: share of the total, less weights, less the peak of a dry pass.

    >>> from ..core.checkpoint import Part
    >>> m = Checkpoint("m", (), (Part(10e9, 10e9, 1.0, kind="attention"),), layers=1, d_model=100,
    ...                routed_layers=0, experts_active=1)
    >>> s = System(1e15, 1e12, capacity=80e9, chips=1)
    >>> round(float(cache_room_per_chip(m, s, Layout(), Engine(memory_share=0.9, batched_tokens=0,
    ...                                                       sequences=1, allowance=2e9))) / 1e9)
    60
    """
    busy = activation_bytes(
        engine.batched_tokens, engine.sequences, engine.element, checkpoint, layout
    )
    free = engine.memory_share * system.capacity / system.chips - busy - engine.allowance
    return maximum(free - weight_bytes_per_chip(checkpoint, layout), 0)


@formula
def largest_concurrency(
    room: Bytes, context: Tokens, checkpoint: Checkpoint, layout: Layout, engine: Engine
) -> NonNegative:
    """Sequences of a given length that fit into a room on each chip, all ranks together; not rounded.

    Equation: room / cache bytes of one sequence on a chip, its length rounded up to whole pages.
    Ignores: prefixes shared between sequences.
    Source: the line "maximum concurrency" of an engine's log.

    >>> from ..core.checkpoint import LayerGroup
    >>> mla = Checkpoint("m", (LayerGroup(layers=1, entry=500),), (), layers=1)
    >>> float(largest_concurrency(1e6, 95, mla, Layout(dp=2), Engine(page=10)))
    20.0
    """
    pages = ceil(context / engine.page) * engine.page
    return room / cache_bytes_per_chip(1, pages, checkpoint, layout)


# --- what cannot be, and what one would choose


def attention_heads(checkpoint: Checkpoint) -> Any:
    """Query heads that tensor parallelism can share out: the fewest of any group with attention."""
    return min((g.query_heads for g in checkpoint.groups if g.width), default=1)


def check_layout(checkpoint: Checkpoint, layout: Layout) -> None:
    """Refuse, in words, a layout that no engine would start."""
    for name in ("tp", "dp", "ep", "pp"):
        if getattr(layout, name) % 1:
            raise InputError(f"{name} = {getattr(layout, name)!r} must be a whole number")
    if layout.pp > checkpoint.layers:
        raise InputError(
            f"pp = {layout.pp:g} stages are more than the {checkpoint.layers:g} layers of "
            f"{checkpoint.name}"
        )
    heads = attention_heads(checkpoint)
    if heads % layout.tp:
        raise InputError(
            f"tp = {layout.tp:g} does not divide the {heads:g} attention heads of {checkpoint.name}"
        )
    for group in checkpoint.groups:
        # heads of keys and values are shared out, or each is copied to equally many chips
        if group.entry and group.kv_heads % layout.tp and layout.tp % group.kv_heads:
            raise InputError(
                f"tp = {layout.tp:g} neither divides the {group.kv_heads:g} key-value heads of "
                f"{checkpoint.name} nor is a multiple of them"
            )
    if layout.ep == 1:
        return
    if not checkpoint.of("routed"):
        raise InputError(f"ep = {layout.ep:g}: {checkpoint.name} has no experts to spread")
    if layout.stage_chips % layout.ep:
        raise InputError(
            f"ep = {layout.ep:g} does not divide the tp x dp = {layout.stage_chips:g} chips of a stage"
        )
    if layout.ep > checkpoint.experts:
        raise InputError(
            f"ep = {layout.ep:g} is more than the {checkpoint.experts:g} experts of a layer: "
            "some chips would hold none"
        )


def layouts(checkpoint: Checkpoint, chips: int, domain: float) -> list[tuple[Layout, str]]:
    """The layouts of a replica of so many chips that are worth trying, each with its reason.

    Matrices are cut within a box and stages stand in boxes of their own; a model with experts may
    instead share out its sequences, each chip with attention of its own and its share of experts.
    """
    inside = int(min(chips, domain))
    candidates = []
    for tp in (t for t in range(inside, 0, -1) if inside % t == 0 and chips % t == 0):
        candidates.append((Layout(tp=tp, pp=chips // tp), _cut_in_words(tp, chips // tp)))
        if tp * 2 < inside and tp < 8:
            break  # more stages than two to a box only lengthen the way of a token
    if checkpoint.of("routed") and chips > 1:
        ep = max(e for e in range(1, chips + 1) if chips % e == 0 and e <= checkpoint.experts)
        words = f"attention on each of {chips} chips, experts spread over all"
        candidates.append((Layout(dp=chips, ep=ep), words))
    return [(layout, why) for layout, why in candidates if _starts(checkpoint, layout)]


def _cut_in_words(tp: int, pp: int) -> str:
    cut = f"each matrix cut over {tp} chips" if tp > 1 else "whole on one chip"
    return cut + (f", {pp} stages in a row" if pp > 1 else "")


def _starts(checkpoint: Checkpoint, layout: Layout) -> bool:
    try:
        check_layout(checkpoint, layout)
    except InputError:
        return False
    return True


def usual_layout(
    checkpoint: Checkpoint, chips: int, domain: float, users: float
) -> tuple[Layout, str]:
    """The layout that a practitioner would start with, and why.

    A latent cache (one key-value head) is copied by tensor parallelism, so a model that has one and
    experts is served with attention data parallelism once every chip has a few sequences to itself;
    everything else cuts its matrices within a box.
    """
    found = layouts(checkpoint, chips, domain)
    if not found:
        raise InputError(
            f"no layout of {checkpoint.name} over {chips} chips: they neither divide its "
            f"{attention_heads(checkpoint):g} heads nor its layers"
        )
    caches = [g.kv_heads for g in checkpoint.groups if g.entry]
    latent = bool(caches) and max(caches) == 1
    shared = next(((c, why) for c, why in found if c.dp > 1), None)
    if latent and shared and users >= 4 * chips:
        return shared[0], f"{shared[1]}: its cache is a latent that tp would copy to every chip"
    return found[0]
