"""Passes: what one pass through the layers asks of a chip, as times at the machine's peak.

A step of decode passes one token of every sequence; a prompt passes all of its own. Either way a
chip multiplies and reads the weights that every token uses, multiplies and reads the experts that
some token chose, attends to the caches, and exchanges activations with its neighbours:

    dense       attention's projections, dense blocks, shared experts, the head: cut by tp
    experts     of which a pass reads those touched: cut over all chips of a stage
    attention   its own arithmetic, and the caches it reads
    exchange    sums over tp; tokens to experts and back over all chips of a stage

A `Pass` holds these times, at peak rates and nothing lost, and counts what has a price of its own:
launches and rounds of an exchange. `forecast` turns it into seconds to expect; the
largest of its sums is a floor. A token meets the stages of a pipeline one after the other, so times
are over all layers, at the pace of one stage's chips.

    T  tokens of the pass      G  chips of a stage, t a     F, W  peak of one chip
    t  tensor parallelism      a  attention data parallelism
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ..core.algebra import ceil, formula, log, maximum, minimum, sqrt, where
from ..core.checkpoint import Checkpoint, Part
from ..core.nouns import Layout, Noun, System, Unknown, quantity, usual
from ..core.units import BytesPerElement, NonNegative, Seconds, Sequences, Tokens
from .layers import attention_flop, part_bytes_read, prompt_flop
from .layout import cache_read_per_chip, loaded, ways
from .racks import targets_hit

IN_A_SUM = 2.0  # bytes of a number that is summed over chips: bf16
TO_EXPERTS = 3.0  # bytes of a number there and back: fp8 there, bf16 back
OUTSIDE = ("routed", "vision", "embedding")  # not multiplied by every token: looked up, or chosen


@dataclass(frozen=True)
class Pass(Noun):
    """Times of one pass on the busiest chip, at peak; what is counted has no time of its own yet."""

    dense_arithmetic: Seconds = quantity(
        "t_c", "multiplying the weights all tokens use", required=True
    )
    dense_reading: Seconds = quantity("t_w", "reading them", required=True)
    expert_arithmetic: Seconds = quantity("t_{ce}", "multiplying the chosen experts", required=True)
    expert_reading: Seconds = quantity("t_{we}", "reading the experts touched", required=True)
    attention_arithmetic: Seconds = quantity("t_{ca}", "attention's own arithmetic", required=True)
    cache_reading: Seconds = quantity("t_{kv}", "reading the caches", required=True)
    exchange: Seconds = quantity("t_x", "activations on the busiest link", required=True)
    launches: NonNegative = quantity("m", "products that wait for each other", required=True)
    rounds: NonNegative = quantity("r", "rounds of all exchanges", required=True)
    dense_widening: Seconds = usual(0.0, "t_v", "one FLOP for each weight read that is widened")
    expert_widening: Seconds = usual(0.0, "t_{ve}", "the same of the experts touched")
    name: str = "pass"


def rate(part: Part, system: System) -> Any:
    """FLOP/s of one chip at the width in which a part is multiplied."""
    at = {"fp8": system.fp8_flops, "int8": system.fp8_flops, "fp4": system.fp4_flops}
    return at.get(part.arithmetic, system.bf16_flops) / system.chips


def widened(part: Part, system: System) -> Any:
    """1 for weights stored narrower than the chip multiplies them, and so widened as they come; else 0."""
    wider = {"fp8": system.bf16_flops, "int8": system.bf16_flops, "fp4": system.fp8_flops}
    if part.arithmetic in wider:
        own = system.fp4_flops if part.arithmetic == "fp4" else system.fp8_flops
        return where(own > wider[part.arithmetic], 0, 1)
    return where(part.bytes_per_param < 2, 1, 0)


def _used(checkpoint: Checkpoint) -> list[Part]:
    return [p for p in loaded(checkpoint) if p.kind not in OUTSIDE]


@formula
def dense_arithmetic_time(
    tokens: Tokens, checkpoint: Checkpoint, system: System, layout: Layout
) -> Seconds:
    """Time to multiply the weights that every token uses, on each of a stage's chips.

    Equation: T / a times the sum over parts of 2 N / (ways F), F the rate at the part's own width.
    Ignores: anything short of peak; ranks with more tokens than others.
    Source: lecture, row B7, part by part.

    >>> m = Checkpoint("m", (), (Part(1e9, 1e9, 2.0, kind="attention"),), layers=1)
    >>> s = System(1e15, 1e12, chips=4, bf16_flops=1e15, fp8_flops=2e15, fp4_flops=2e15)
    >>> float(dense_arithmetic_time(1000, m, s, Layout(tp=2, dp=2)))
    0.002
    """
    parts = _used(checkpoint)
    return (
        tokens
        / layout.dp
        * sum(2 * p.active / (ways(p.kind, layout) * rate(p, system)) for p in parts)
    )


@formula
def dense_reading_time(checkpoint: Checkpoint, system: System, layout: Layout) -> Seconds:
    """Time to read the weights that every token uses, each chip its own share or copy.

    Equation: sum over parts of N w / (ways W).
    Source: lecture, row B8, part by part.

    >>> m = Checkpoint("m", (), (Part(1e9, 1e9, 2.0, kind="attention"),), layers=1)
    >>> float(dense_reading_time(m, System(1e15, 4e12, chips=4), Layout(tp=2, dp=2)))
    0.001
    """
    one = system.bandwidth / system.chips
    return (
        sum(p.parameters * p.bytes_per_param / ways(p.kind, layout) for p in _used(checkpoint))
        / one
    )


@formula
def expert_arithmetic_time(
    tokens: Tokens, checkpoint: Checkpoint, system: System, layout: Layout
) -> Seconds:
    """Time to multiply the experts chosen, spread evenly over a stage's chips.

    Equation: 2 T N_a / (G F), N_a the routed parameters a token uses.
    Ignores: uneven routers (d20); tiles padded for experts with few tokens.
    Source: lecture, row B7.

    >>> m = Checkpoint("m", (), (Part(1e10, 1e9, 1.0, "fp8", kind="routed"),), layers=1)
    >>> s = System(1e15, 1e12, chips=4, bf16_flops=1e15, fp8_flops=2e15, fp4_flops=2e15)
    >>> float(expert_arithmetic_time(1000, m, s, Layout(tp=2, dp=2)))
    0.001
    """
    parts = checkpoint.of("routed")
    return tokens * sum((2 * p.active / rate(p, system) for p in parts), 0) / layout.stage_chips


@formula
def expert_reading_time(
    tokens: Sequences, checkpoint: Checkpoint, system: System, layout: Layout
) -> Seconds:
    """Time to read the experts that a pass of so many tokens touches, spread evenly over the chips.

    Equation: expected bytes touched / (G W).
    Ignores: skewed routers, which touch fewer (d20); the chip whose experts are most wanted.
    Source: row B23; `layers.part_bytes_read`.

    >>> m = Checkpoint("m", (), (Part(1e10, 1e9, 1.0, kind="routed"),), layers=1)
    >>> round(float(expert_reading_time(1, m, System(1e15, 4e12, chips=4), Layout(tp=4))), 9)
    0.00025
    """
    touched = sum((part_bytes_read(tokens, p) for p in checkpoint.of("routed")), 0)
    return touched * system.chips / (layout.stage_chips * system.bandwidth)


@formula
def dense_widening_time(checkpoint: Checkpoint, system: System, layout: Layout) -> Seconds:
    """Time of one FLOP for each weight a chip reads in a pass and has to widen before multiplying it.

    Equation: sum over the parts stored narrower than they are multiplied of N / (ways F_16).
    Ignores: how many operations a format takes, which is `forecast`'s to find.
    Source: kernels for 4-bit weights on chips without such products (Marlin, llama.cpp).

    >>> m = Checkpoint("m", (), (Part(2e9, 2e9, 0.53, kind="attention"),), layers=1)
    >>> s = System(1e15, 1e12, chips=4, bf16_flops=4e15, fp8_flops=8e15, fp4_flops=8e15)
    >>> float(dense_widening_time(m, s, Layout(tp=2, dp=2)))
    1e-06
    """
    one = system.bf16_flops / system.chips
    parts = _used(checkpoint)
    return sum((widened(p, system) * p.parameters / ways(p.kind, layout) for p in parts), 0) / one


@formula
def expert_widening_time(
    tokens: Sequences, checkpoint: Checkpoint, system: System, layout: Layout
) -> Seconds:
    """The same for the experts that a pass of so many tokens touches, spread evenly over the chips.

    Equation: weights touched / (G F_16).
    Ignores: what `dense_widening_time` and `expert_reading_time` ignore.
    Source: kernels for 4-bit weights on chips without such products (Marlin, llama.cpp).

    >>> m = Checkpoint("m", (), (Part(1e10, 1e9, 0.5, kind="routed"),), layers=1)
    >>> s = System(1e15, 1e12, chips=4, bf16_flops=4e15, fp8_flops=8e15, fp4_flops=8e15)
    >>> round(float(expert_widening_time(1, m, s, Layout(tp=4))), 12)
    2.5e-07
    """
    touched = sum(
        (
            widened(p, system) * part_bytes_read(tokens, p) / p.bytes_per_param
            for p in checkpoint.of("routed")
        ),
        0,
    )
    return touched * system.chips / (layout.stage_chips * system.bf16_flops)


@formula
def least_expert_time(
    tokens: Sequences, checkpoint: Checkpoint, system: System, layout: Layout
) -> Seconds:
    """Least time in which a chip reads the experts of a pass: what a floor may count on.

    Equation: max(w N_a, touched / 2) / (G W): one token's experts at least, and half of what chance
    would touch, which a router undercuts only if it sends some experts twice their fair share.
    Ignores: caches of the chip that hold an expert from pass to pass.
    Source: ours; of the published runs none is faster.

    >>> m = Checkpoint("m", (), (Part(1e10, 1e9, 1.0, kind="routed"),), layers=1)
    >>> s = System(1e15, 1e12, chips=1)
    >>> round(float(least_expert_time(1, m, s, Layout())), 9), round(
    ...     float(least_expert_time(1e6, m, s, Layout())), 9)
    (0.001, 0.005)
    """
    one = sum((p.active * p.bytes_per_param for p in checkpoint.of("routed")), 0)
    chance = expert_reading_time(tokens, checkpoint, system, layout) / 2
    return maximum(one * system.chips / (layout.stage_chips * system.bandwidth), chance)


@formula
def decode_attention_time(
    batch: Sequences, context: Tokens, checkpoint: Checkpoint, system: System, layout: Layout
) -> Seconds:
    """Time of attention's arithmetic for one new token of each sequence, in bf16.

    Equation: B / a times the sum over layers of FLOP(L) / (min(t, query heads) F_16).
    Ignores: attention in fp8; sequences of unequal length on different ranks.
    Source: row X25; `layers.attention_flop`.

    >>> from ..core.checkpoint import LayerGroup
    >>> m = Checkpoint("m", (LayerGroup(layers=1, entry=1, width=5e5, query_heads=64),), (), layers=1)
    >>> s = System(1e15, 1e12, chips=8, bf16_flops=8e15)
    >>> float(decode_attention_time(8, 1000, m, s, Layout(tp=8)))
    1e-06
    """
    one = sum(
        attention_flop(context, g) / minimum(layout.tp, g.query_heads) for g in checkpoint.groups
    )
    return batch / layout.dp * one * system.chips / system.bf16_flops


@formula
def prompt_attention_time(
    prompt: Tokens, past: Tokens, checkpoint: Checkpoint, system: System, layout: Layout
) -> Seconds:
    """Time of attention's arithmetic for one prompt of T tokens after L already there, in bf16.

    Equation: sum over layers of FLOP(T, L) / (min(t, query heads) F_16).
    Ignores: what `layers.prompt_flop` ignores; ranks without a prompt while this one works.
    Source: row X25; `layers.prompt_flop`.

    >>> from ..core.checkpoint import LayerGroup
    >>> g = LayerGroup(layers=1, entry=1, width=1e6, prompt_width=1e6, query_heads=64)
    >>> s = System(1e15, 1e12, chips=8, bf16_flops=8e15)
    >>> float(prompt_attention_time(3, 0, Checkpoint("m", (g,), (), layers=1), s, Layout(tp=2)))
    6e-09
    """
    one = sum(
        prompt_flop(prompt, past, g) / minimum(layout.tp, g.query_heads) for g in checkpoint.groups
    )
    return one * system.chips / system.bf16_flops


@formula
def cache_reading_time(
    batch: Sequences, context: Tokens, checkpoint: Checkpoint, system: System, layout: Layout
) -> Seconds:
    """Time to read the caches of a chip's sequences, copies where heads are fewer than chips.

    Equation: cache bytes read on a chip / W.
    Source: lecture, row B8; `layout.cache_read_per_chip`.

    >>> from ..core.checkpoint import LayerGroup
    >>> m = Checkpoint("m", (LayerGroup(layers=1, entry=500),), (), layers=1)
    >>> float(cache_reading_time(4, 1000, m, System(1e15, 4e12, chips=4), Layout(tp=4)))
    4e-06
    """
    read = cache_read_per_chip(batch, context, checkpoint, layout)
    return read * system.chips / system.bandwidth


# --- what travels


def _inside(chips: Any, system: System) -> Any:
    return minimum(chips, system.domain)


def _boxes(chips: Any, system: System) -> Any:
    return ceil(chips / system.domain)


@formula
def sum_time(
    tokens: Tokens, element: BytesPerElement, checkpoint: Checkpoint, system: System, layout: Layout
) -> Seconds:
    """Time in which activations travel where matrices are cut: two sums over tp chips in a layer.

    Parts go round a ring through the chips, so each link carries 2 (t-1)/t of the numbers; between
    boxes the ring crosses as often as a box has chips, side by side. Where experts are exchanged
    (`dp` > 1) a routed layer has one sum, after attention.

    Equation: (2 n - n_x) 2 (t-1)/t T/a d b max(1 / W_up, 1 / (D W_out)), the second only if tp spans
    boxes; n_x the routed layers with an exchange instead.
    Ignores: overlap with arithmetic; sums formed inside the switch, which halve it.
    Source: assumption d8; a ring all-reduce.

    >>> m = Checkpoint("m", (), (), layers=10, d_model=1000, routed_layers=0)
    >>> s = System(1e15, 1e12, chips=8, domain=8, scale_up=8 * 7e9, scale_out=8e9)
    >>> round(float(sum_time(100, 2.0, m, s, Layout(tp=8))), 6)
    0.001
    """
    link, card = system.scale_up / system.chips, system.scale_out / system.chips
    between = where(layout.tp > system.domain, 1 / (system.domain * card), 0)
    sums = 2 * checkpoint.layers - where(layout.dp > 1, checkpoint.routed_layers, 0)
    numbers = tokens / layout.dp * checkpoint.d_model
    ring = 2 * (layout.tp - 1) / layout.tp
    return sums * ring * numbers * element * maximum(1 / link, between)


@formula
def torus_time(
    tokens: Tokens, element: BytesPerElement, checkpoint: Checkpoint, system: System, layout: Layout
) -> Seconds:
    """`sum_time` on a torus, in the best of three ways to cut.

    One-dimensional: as there. Two-dimensional: each matrix is cut along rows and columns, so a chip
    exchanges parts of an activation only. Gathered: the weights travel and the activations stay,
    which pays for very many tokens.

    Equation: min(ring, 8 n T d b / (sqrt(t) W_up), weights / W_up), T the tokens of one rank.
    Ignores: which shapes a torus of so many chips really has.
    Source: Pope et al. 2022, section 3.2 (a feed-forward block four times as wide as d).

    >>> m = Checkpoint("m", (), (Part(1e12, 1e12, 1.0, kind="dense"),), layers=10, d_model=1000,
    ...                routed_layers=0)
    >>> s = System(1e15, 1e12, chips=64, domain=4096, scale_up=64e9, scale_out=64e9)
    >>> round(float(torus_time(100, 2.0, m, s, Layout(tp=64))), 6)
    0.002
    """
    link = system.scale_up / system.chips
    numbers = tokens / layout.dp * checkpoint.d_model
    square = 8 * checkpoint.layers * numbers * element / (sqrt(layout.tp) * link)
    gathered = sum(p.parameters * p.bytes_per_param for p in loaded(checkpoint)) / link
    return minimum(sum_time(tokens, element, checkpoint, system, layout), square, gathered)


@formula
def exchange_time(
    tokens: Tokens, there_and_back: BytesPerElement, checkpoint: Checkpoint, system: System,
    layout: Layout,
) -> Seconds:  # fmt: skip
    """Time in which tokens travel to their experts and back, where sequences are spread over chips.

    A copy goes to each other chip of the box that holds a chosen expert, and one to each other box,
    where it is passed on. With dp = 1 every chip has every token already, and a sum brings the
    results together: nothing is exchanged here.

    Equation: n_r T/G d c max(D'/W_up, m'/W_out), c bytes a number there and back, D' the other chips
    of a box and m' the other boxes that a token must reach.
    Ignores: experts placed or chosen so as to stay near; overlap.
    Source: row M12, assumptions d8 and d20; expert parallelism as DeepSeek serves it.

    >>> m = Checkpoint("m", (), (), layers=10, d_model=1000, routed_layers=10, experts=64,
    ...                experts_active=1)
    >>> s = System(1e15, 1e12, chips=4, domain=4, scale_up=4e9, scale_out=4e9)
    >>> round(float(exchange_time(400, 3.0, m, s, Layout(dp=4, ep=4))), 9)
    0.00225
    """
    chips = layout.stage_chips
    link, card = system.scale_up / system.chips, system.scale_out / system.chips
    inside, boxes = _inside(chips, system), _boxes(chips, system)

    def others(places: Any) -> Any:
        hit = targets_hit(places, checkpoint.experts, checkpoint.experts_active)
        return hit * (1 - 1 / places)

    slowest = maximum(others(inside) / link, others(boxes) / card)
    carried = tokens / chips * checkpoint.d_model * there_and_back
    return where(layout.dp > 1, checkpoint.routed_layers * carried * slowest, 0)


@formula
def exchange_rounds(checkpoint: Checkpoint, system: System, layout: Layout) -> NonNegative:
    """Rounds in which a pass waits for its exchanges, however little they carry.

    Equation: (2 n - n_x) (log2 t' + 2 log2 m_t) + 2 n_x (1 + 2 log2 m) + P - 1: a sum over t' chips
    of a box doubles its reach in each round, one between m boxes counts twice, out and in; an
    exchange goes to all at once, there and back; each further stage is one hop.
    Ignores: that a torus, a switch and a network card each have a latency of their own.
    Source: assumption d21; recursive doubling.

    >>> m = Checkpoint("m", (), (), layers=10, d_model=1000, routed_layers=0)
    >>> s = System(1e15, 1e12, chips=8, domain=8)
    >>> round(float(exchange_rounds(m, s, Layout(tp=8))), 9)
    60.0
    """
    spread = where(layout.dp > 1, checkpoint.routed_layers, 0)

    def doublings(chips: Any) -> Any:
        return (log(_inside(chips, system)) + 2 * log(_boxes(chips, system))) / math.log(2)

    sums = (2 * checkpoint.layers - spread) * doublings(layout.tp)
    far = log(_boxes(layout.stage_chips, system)) / math.log(2)
    return sums + 2 * spread * (1 + 2 * far) + layout.pp - 1


# --- whole passes


def decode_pass(
    batch: Any, context: Any, checkpoint: Checkpoint, system: System, layout: Layout,
    tokens: Any = 1.0,
) -> Pass:  # fmt: skip
    """A step of decode: `tokens` of each sequence (more than one when further ones are guessed)."""
    new = batch * tokens
    return Pass(
        attention_arithmetic=tokens
        * decode_attention_time(batch, context, checkpoint, system, layout),
        cache_reading=cache_reading_time(batch, context, checkpoint, system, layout),
        **_weights(new, checkpoint, system, layout),
    )


def prompt_pass(
    prompts: Any, prompt: Any, past: Any, checkpoint: Checkpoint, system: System, layout: Layout,
) -> Pass:  # fmt: skip
    """Reading so many prompts of T tokens each, after L that are already cached, in one pass."""
    each = prompts / layout.dp
    attention = prompt_attention_time(prompt, past, checkpoint, system, layout)
    return Pass(
        attention_arithmetic=each * attention,
        cache_reading=cache_reading_time(prompts, past, checkpoint, system, layout),
        **_weights(prompts * prompt, checkpoint, system, layout),
    )


def _weights(tokens: Any, checkpoint: Checkpoint, system: System, layout: Layout) -> dict[str, Any]:
    """What a pass asks of weights and wires, however its tokens attend."""
    routed = bool(checkpoint.of("routed"))
    exchange = sum_time(tokens, IN_A_SUM, checkpoint, system, layout)
    if not isinstance(system.torus, Unknown):
        on_torus = torus_time(tokens, IN_A_SUM, checkpoint, system, layout)
        exchange = where(system.torus > 1, on_torus, exchange)
    if routed:
        exchange += exchange_time(tokens, TO_EXPERTS, checkpoint, system, layout)
    return {
        "dense_arithmetic": dense_arithmetic_time(tokens, checkpoint, system, layout),
        "dense_reading": dense_reading_time(checkpoint, system, layout),
        "expert_arithmetic": expert_arithmetic_time(tokens, checkpoint, system, layout),
        "expert_reading": expert_reading_time(tokens, checkpoint, system, layout),
        "dense_widening": dense_widening_time(checkpoint, system, layout),
        "expert_widening": expert_widening_time(tokens, checkpoint, system, layout),
        "exchange": exchange,
        "launches": checkpoint.launches,
        "rounds": exchange_rounds(checkpoint, system, layout),
    }


def least(work: Pass, tokens: Any, checkpoint: Checkpoint, system: System, layout: Layout) -> Pass:
    """The same pass with as few experts read as a floor may count on."""
    if not checkpoint.of("routed"):
        return work
    return work.replace(expert_reading=least_expert_time(tokens, checkpoint, system, layout))
