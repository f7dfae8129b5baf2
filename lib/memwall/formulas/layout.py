"""Layout: what is cut and what is copied when a model is spread over chips, in bytes on one chip.

`tp` chips cut each matrix between them, `dp` such sets serve different sequences, experts are cut
over all of a stage's chips, `pp` stages each keep a share of the layers. So every part of the
weights, and every layer's cache, is kept in one of three ways:

    part                                      on one chip
    attention, dense, shared                  1 / tp          and copied dp times
    embeddings, pictures; output matrix       1 / tp          on the first stage; on the last
    routed experts                            1 / (tp dp)
    router, norms, latent projections         all of it
    cache of a layer with h key-value heads   1 / min(tp, h)  and copied beyond; MLA has h = 1

    C  memory of a chip as its driver reports it     T  tokens of the largest pass
    u  share of it that the engine may use           d  width of the residual stream

What does not fit on one chip does not fit. Beside weights and caches a chip holds what the largest
pass computes with, and what driver, communication and captured graphs take.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.algebra import ceil, formula, maximum, minimum, where
from ..core.checkpoint import Checkpoint, Part
from ..core.nouns import Engine, Layout, System
from ..core.units import Bytes, InputError, NonNegative, Ratio, Sequences, Tokens
from .layers import held_bytes, read_bytes

# how often a kind of part is kept in a stage: cut by tp, by tp and dp, or not at all
CUT_BY = {
    "embedding": "tp", "head": "tp", "attention": "tp", "dense": "tp", "shared": "tp",
    "vision": "tp", "routed": "all", "predictor": "all", "latent": "none", "router": "none",
    "norm": "none",
}  # fmt: skip
UNUSED = ("predictor",)  # loaded only by an engine that speculates with it
FIRST = ("embedding", "vision")  # parts of the first stage; the output matrix is the last one's


def ways(kind: str, layout: Layout) -> Any:
    """Into how many pieces a stage's chips cut a part of this kind."""
    return {"tp": layout.tp, "all": layout.stage_chips, "none": 1}[CUT_BY[kind]]


def loaded(checkpoint: Checkpoint) -> tuple[Any, ...]:
    """The parts an engine loads to answer text: all but the predictor."""
    return tuple(p for p in checkpoint.parts if p.kind not in UNUSED)


def expert_numbers(checkpoint: Checkpoint, layout: Layout) -> Any:
    """Numbers that a token makes in an expert on one chip, of its (usually three) matrices: 3 f / pieces."""
    active = sum(part.active for part in checkpoint.of("routed"))
    layers, chosen = maximum(checkpoint.routed_layers, 1), maximum(checkpoint.experts_active, 1)
    return active / (layers * chosen * checkpoint.d_model) * layout.ep / layout.stage_chips


@formula
def padding(part: Part, checkpoint: Checkpoint, layout: Layout) -> Ratio:
    """How much longer experts of 4 bits get by padding to the tiles of the kernels that read them.

    Equation: ceil(d / 256) 256 / d times ceil(f' / 128) 128 / f', f' an expert's inner width on a
    chip; 1 for wider weights.
    Ignores: kernels with other tiles.
    Source: vLLM's Marlin kernels for MXFP4; gpt-oss-20b takes 13.64 GiB on one H100, 7.01 on each
    of two.

    >>> used = 24 * 4 * 3 * 2880**2
    >>> part = Part(8 * used, used, 0.53125, kind="routed")
    >>> m = Checkpoint("gpt-oss-20b", (), (part,), layers=24, d_model=2880, experts=32,
    ...                experts_active=4, routed_layers=24)
    >>> round(float(padding(part, m, Layout())), 4)  # 3,072 x 2,944
    1.0904
    """
    inner, d = maximum(expert_numbers(checkpoint, layout) / 3, 1), checkpoint.d_model
    # a hair less than a whole number of tiles is that number
    tiles = ceil(d / 256 - 1e-9) * 256 / d * ceil(inner / 128 - 1e-9) * 128 / inner
    return where(part.bytes_per_param < 0.6, tiles, 1)


@formula
def stage_share(checkpoint: Checkpoint, layout: Layout) -> Ratio:
    """Share of the layers that the fullest stage keeps.

    Equation: ceil(n / P) / n.
    Ignores: stages cut by hand.
    Source: vLLM and Megatron cut layers as evenly as whole layers allow.

    >>> float(stage_share(Checkpoint("m", (), (), layers=61), Layout(pp=2))) == 31 / 61
    True
    """
    return ceil(checkpoint.layers / layout.pp) / checkpoint.layers


@formula
def weight_bytes_per_chip(checkpoint: Checkpoint, layout: Layout) -> Bytes:
    """Bytes of weights on one chip of the fullest stage.

    The first stage has the embeddings and what reads pictures, the last the output matrix.

    Equation: ceil(n / P) / n times the sum over the layers' parts of N w / ways, plus those of the
    ends: both of them for P = 1, else the larger.
    Experts of 4 bits are padded to whole tiles, see `padding`.
    Ignores: padding of vocabularies and heads; experts kept twice to even out their load; layers
    given to stages by hand; latent attention's projections down, which engines copy to all t chips.
    Source: the tables of tensor and expert parallelism of vLLM and SGLang.

    >>> m = Checkpoint("m", (), (Part(800, 800, 2.0, kind="attention"),
    ...                          Part(8000, 1000, 1.0, kind="routed")), layers=10, d_model=10,
    ...                routed_layers=10, experts=8, experts_active=1)
    >>> float(weight_bytes_per_chip(m, Layout(tp=8)))
    1200.0
    >>> float(weight_bytes_per_chip(m, Layout(dp=8, ep=8)))
    2600.0
    """
    body, first, last = 0, 0, 0
    for part in loaded(checkpoint):
        held = part.parameters * part.bytes_per_param / ways(part.kind, layout)
        if part.kind == "routed":
            held *= padding(part, checkpoint, layout)
        if part.kind in FIRST:
            first += held
        elif part.kind == "head":
            last += held
        else:
            body += held
    ends = where(layout.pp > 1, maximum(first, last), first + last)
    return body * stage_share(checkpoint, layout) + ends


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


EXPERT_CHUNK = 32_768  # tokens that an engine sends through experts at a time, at most


@formula
def activation_bytes(engine: Engine, checkpoint: Checkpoint, layout: Layout) -> Bytes:
    """Bytes that the largest pass of an engine computes with, on one chip.

    Within a layer the stream of d numbers a token, its residual and its normed copy stand beside
    what the widest block makes of them, N / (n d) numbers for N parameters in n layers: attention
    with shared experts, or a dense block. After the last layer one stream is left, and the scores
    of every word for each sequence. Buffers in which experts work are kept all the time: for each
    token and each of its k experts 3 f numbers, or f and the d that come out.

    Equation: max(b T (3 d + N / (n d t)), b T d + b_v min(B, T) v) + b T' k max(3 f', f' + d), with
    v words, T' tokens of the ranks whose experts a chip has, at most 32,768, f' its piece of f.
    Ignores: buffers that kernels keep for themselves, and kernels for MXFP4 that need none for
    experts; fragments; pictures.
    Source: ours, from vLLM's start-up logs (memory_cases.csv): Llama-3.1-8B on an RTX 3090 loses
    110.6 kB of cache to each token of a longer pass.

    >>> m = Checkpoint("m", (), (Part(3000, 3000, 2.0, kind="dense"),), layers=1, d_model=10,
    ...                routed_layers=0)
    >>> e = Engine(batched_tokens=100, sequences=1)
    >>> float(activation_bytes(e, m, Layout(tp=2)))  # 2 x 100 x (30 + 150)
    36000.0
    """
    d, b, tokens = checkpoint.d_model, engine.element, engine.batched_tokens
    tp, dp, ep = layout.tp, layout.dp, layout.ep
    routed = checkpoint.routed_layers if checkpoint.of("routed") else 0
    every = checkpoint.parameters("attention", "shared") / checkpoint.layers
    plain = checkpoint.parameters("dense") / maximum(checkpoint.layers - routed, 1)
    within = b * tokens * (3 * d + maximum(every, plain) / (d * tp))
    words = checkpoint.of("head") or checkpoint.of("embedding")
    scores = engine.score_bytes * minimum(engine.sequences, tokens)
    end = b * tokens * d + scores * sum(p.parameters for p in words) / d
    if not checkpoint.of("routed"):
        return maximum(within, end)
    seen = minimum(tokens * dp, EXPERT_CHUNK) * minimum(tp, ep) / ep
    numbers = expert_numbers(checkpoint, layout)
    pairs = where(routed > 0, seen * checkpoint.experts_active, 0)
    return maximum(within, end) + b * pairs * maximum(numbers, numbers / 3 + d)


@formula
def graph_bytes(engine: Engine, checkpoint: Checkpoint, layout: Layout) -> Bytes:
    """Bytes of the graphs that an engine captures of decode steps, for 51 sizes of batch at most.

    Sizes go in steps of 8 to 256 and of 16 beyond, up to twice the sequences allowed or 512. A
    graph costs as much as 20 layers before it has any.

    Equation: (3 + min(m, 256) / 8 + max(m - 256, 0) / 16) g (20 + (n + n_r) / P), m = min(2 B, 512).
    Ignores: what a particular kernel keeps in its graph; drafts, which lengthen the list.
    Source: ours, from vLLM's start-up logs: 0.5 to 1.9 GB for 51 sizes of 8 to 80 layers.

    >>> m = Checkpoint("m", (), (), layers=80, d_model=8192, routed_layers=0)
    >>> round(float(graph_bytes(Engine(sequences=256), m, Layout())))  # 51 x 100 x 0.35 MB
    1785000000
    """
    most = minimum(2 * engine.sequences, 512)
    sizes = 3 + minimum(most, 256) / 8 + maximum(most - 256, 0) / 16
    routed = checkpoint.routed_layers if checkpoint.of("routed") else 0
    return sizes * engine.graph * (20 + (checkpoint.layers + routed) / layout.pp)


@formula
def communication_bytes(engine: Engine, system: System, layout: Layout) -> Bytes:
    """Bytes that a chip keeps for sums and exchanges with the other chips of its stage.

    Equation: min(l, C / 40) where a stage has several chips, else 0.
    Ignores: libraries for exchanges of tokens, which may take several times as much.
    Source: ours, from vLLM's start-up logs: 1.8 to 2.0 GB on H100 and H200, 0.4 on cards of 24 GB.

    >>> pair = System(1e15, 1e12, capacity=2 * 24e9, chips=2)
    >>> float(communication_bytes(Engine(links=2e9), pair, Layout(tp=2)))
    600000000.0
    """
    share = minimum(engine.links, system.capacity / system.chips / 40)
    return where(layout.stage_chips > 1, share, 0)


def sglang_share(engine: Engine, system: System, layout: Layout) -> Any:
    """Share of a chip's memory that SGLang gives to weights and caches when none is stated.

    All but 512 MiB, 1.5 MiB a token of a chunk (of 2,048 at least), 2 MiB a sequence that a graph
    is captured for (with attention data parallelism 3 more a rank) and 1 GiB for 8 chips; at least
    10 GiB stay free on a chip of over 60. Source: SGLang's server arguments, 2026.

    >>> h200 = System(1e15, 1e12, capacity=8 * 150.755e9, chips=8)
    >>> round(float(sglang_share(Engine(sequences=512), h200, Layout(tp=8))), 3)
    0.897
    """
    capacity = system.capacity / system.chips
    each = where(layout.dp > 1, 2 + 3 * layout.dp, 2)
    chips = layout.stage_chips * layout.pp
    mebibytes = 512 + 1.5 * maximum(engine.batched_tokens, 2048) + 128 * chips
    least = where(capacity > 60 * 2**30, 10 * 2**30, 0)
    reserve = maximum((mebibytes + each * engine.sequences) * 2**20, least)
    return maximum(1 - reserve / capacity, 0)


@formula
def cache_room_per_chip(
    checkpoint: Checkpoint, system: System, layout: Layout, engine: Engine
) -> Bytes:
    """Memory of a chip that is left for caches; 0 when the weights alone do not fit.

    Equation: max(u C - weights - q activations - graphs - communication - a, 0), q the engine's
    rule, a its allowance.
    Ignores: other programs on the chip; what a particular version takes beyond that.
    Source: vLLM's own start-up: share of the total, less weights, less the peak of a dry pass.

    >>> m = Checkpoint("m", (), (Part(10e9, 10e9, 1.0, kind="attention"),), layers=1, d_model=100,
    ...                routed_layers=0, experts_active=1)
    >>> s = System(1e15, 1e12, capacity=80e9, chips=1)
    >>> round(float(cache_room_per_chip(m, s, Layout(), Engine(memory_share=0.9, batched_tokens=0,
    ...                                              sequences=1, graph=0, allowance=2e9))) / 1e9)
    60
    """
    free = engine.memory_share * system.capacity / system.chips - engine.allowance
    busy = (
        engine.dry_pass * activation_bytes(engine, checkpoint, layout)
        + graph_bytes(engine, checkpoint, layout)
        + communication_bytes(engine, system, layout)
    )
    return maximum(free - busy - weight_bytes_per_chip(checkpoint, layout), 0)


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


@formula
def promised_concurrency(
    room: Bytes, context: Tokens, checkpoint: Checkpoint, layout: Layout, engine: Engine
) -> NonNegative:
    """Sequences of a given length that vLLM's log promises, all ranks together; not rounded.

    It charges a layer with a window as if the largest pass lay in it too, so a short context
    gains nothing from windows; and it fills up each group of alike layers to a multiple of the
    smallest, for all share one pool of pages. What fits in the long run is `largest_concurrency`.

    Equation: as there, with entries held up to c_h + T / r, and ceil(n / n_min) n_min layers.
    Ignores: groups of nearly equal size, which are filled up to the larger; pages of states.
    Source: vLLM's specification of window layers and groups of layers; Gemma 3 27B on H100 has 4.46
    requests of 8,192 tokens in 19.53 GiB.

    >>> from ..core.checkpoint import LayerGroup
    >>> window = Checkpoint("m", (LayerGroup(layers=1, entry=500, held_cap=100),), (), layers=1)
    >>> e = Engine(batched_tokens=900, page=10)
    >>> float(promised_concurrency(1e6, 5000, window, Layout(), e)), float(
    ...     largest_concurrency(1e6, 5000, window, Layout(), e))
    (1.0, 10.0)
    """
    pages = ceil(context / engine.page) * engine.page
    smallest = minimum(*(g.layers for g in checkpoint.groups))
    one = 0
    for g in checkpoint.groups:
        entries = pages / g.stretch
        held = minimum(entries, g.held_cap + engine.batched_tokens / g.stretch)
        kept = g.bytes_per_element * g.entry * held + g.index * entries + g.state
        layers = ceil(g.layers / smallest) * smallest
        one += layers * kept / minimum(layout.tp, g.kv_heads)
    return room * layout.dp / (one * stage_share(checkpoint, layout))


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
    checkpoint: Checkpoint, chips: int, domain: float, users: float,
    fits: Callable[[Layout], bool] = lambda _: True,
) -> tuple[Layout, str]:  # fmt: skip
    """The layout that a practitioner would start with, and why; one that fits, if any does.

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
    shared = [(c, f"{why}: its cache is a latent that tp would copy to every chip")
              for c, why in found if c.dp > 1 and latent and users >= 4 * chips]  # fmt: skip
    order = [*shared, *found]
    return next((choice for choice in order if fits(choice[0])), order[0])
