"""Layers: what attention keeps, reads and computes after L tokens, for every kind in use.

One pattern covers them all. A layer keeps an *entry* of every r tokens, at most c of them;
beside that it may keep a short *index key* of every entry, and a *state* that never grows:

    entry * min(L / r, c)  +  index key * L / r  +  state

kind                            r       kept at most  read at most      beside
full (MHA, GQA, MQA)            1       -             -
MLA                             1       -             -                 one latent for all heads
window, chunk                   1       w             w
chosen (DSA, block-sparse)      1       -             top k             index key
shared index                    1       -             top k             a neighbour's index
compressed (CSA)                4       -             top k             index key, a window group
compressed (HCA)                128     -             -                 a window group
Mamba, Mamba-2, gated delta,    -       -             -                 a state, read and written
KDA, lightning
none                            -       -             -

So a window is a full layer with a cap, and a full layer is a chosen one whose k is endless.
A compressed layer is two groups: its compressed entries, and the window of recent tokens. The
kinds differ in their numbers alone, which `catalog.config` reads from a model's configuration; the
formulas below are the same for all. They count one sequence; a batch is a multiple.

A prompt differs from a step in two ways. Its tokens attend to ever more entries, so the cap
is summed over positions. And an MLA layer may unpack its latents into keys and values for each
head, which is dear once and cheap a pair: it pays for many new tokens, never for one.
"""

from __future__ import annotations

from typing import Any

from ..core.algebra import floor, formula, maximum, minimum
from ..core.checkpoint import LayerGroup, Part
from ..core.units import Bytes, Flop, NonNegative, Sequences, Tokens
from .batching import experts_touched

# --- one step of decode


@formula
def entries_attended(context: Tokens, group: LayerGroup) -> NonNegative:
    """Entries that one new token attends to in a layer of this kind.

    Equation: min(L / r, c_h, c_r).
    Ignores: that the last entry of a compressed layer closes only every r tokens; sink tokens.
    Source: the stretch and the cap; a window of 128 (gpt-oss), top 2,048 (DeepSeek-V3.2).

    >>> float(entries_attended(1000, LayerGroup(layers=1, stretch=4, read_cap=100)))
    100.0
    """
    return minimum(context / group.stretch, group.held_cap, group.read_cap)


@formula
def held_bytes(context: Tokens, group: LayerGroup) -> Bytes:
    """Bytes that one sequence of L tokens keeps in all layers of the group.

    Equation: n (b e min(L / r, c_h) + i L / r + S).
    Ignores: pages partly filled; the tokens in waiting that a compressed layer has not yet closed.
    Source: DeepSeek-V2 paper for MLA; configurations of the families for the rest.

    >>> window = LayerGroup(layers=2, entry=10, held_cap=128)
    >>> float(held_bytes(64, window)), float(held_bytes(1000, window))
    (2560.0, 5120.0)
    """
    entries = context / group.stretch
    kept = group.bytes_per_element * group.entry * minimum(entries, group.held_cap)
    return group.layers * (kept + group.index * entries + group.state)


@formula
def read_bytes(context: Tokens, group: LayerGroup) -> Bytes:
    """Bytes that a decode step moves for one sequence of L tokens: a state is read and written.

    Equation: n (b e min(L / r, c_h, c_r) + i L / r + 2 S).
    Ignores: writing the new token's own entry; entries fetched in whole pages.
    Source: DeepSeek-V3.2 report for the index, which scans every key it chooses from.

    >>> chosen = LayerGroup(layers=1, entry=576, read_cap=2048, index=132)
    >>> float(read_bytes(10_000, chosen)) == 2048 * 576 * 2 + 10_000 * 132
    True
    """
    attended = group.bytes_per_element * group.entry * entries_attended(context, group)
    return group.layers * (attended + group.index * context / group.stretch + 2 * group.state)


@formula
def attention_flop(context: Tokens, group: LayerGroup) -> Flop:
    """FLOP of attention for one new token after L: scores and values, index scores, the state.

    Equation: n (2 A min(L / r, c_h, c_r) + 2 A_i L / r + a), A absorbed for MLA.
    Ignores: projections, which are weights and counted there; softmax.
    Source: lecture, the roofline of attention; FlashMLA's counts for the absorbed form.

    >>> mla = LayerGroup(layers=1, width=128 * (576 + 512))
    >>> float(attention_flop(1000, mla))
    278528000.0
    """
    attended = 2 * group.width * entries_attended(context, group)
    scored = 2 * group.index_width * context / group.stretch
    return group.layers * (attended + scored + group.state_flop)


# --- a prompt: T new tokens after L that are already there


@formula
def pairs_attended(prompt: Tokens, past: Tokens, group: LayerGroup) -> NonNegative:
    """Pairs of a new token and an entry it attends to, for T tokens of a prompt after L.

    Equation: P(L + T) - P(L), with P(x) the sum of min(j / r, c) over j = 1 ... x in closed form,
    m (m + 1) / (2 r) + c (x - m) for m = min(x, r c). In chunks of w tokens, which start anew,
    P(x) is floor(x / w) P(w) + P(x mod w).
    Ignores: rounding where r c is no whole number.
    Source: ours; for the full kind T L + T (T + 1) / 2.

    >>> float(pairs_attended(4, 0, LayerGroup(layers=1, held_cap=2)))  # 1 + 2 + 2 + 2
    7.0
    >>> float(pairs_attended(4, 0, LayerGroup(layers=1, held_cap=2, chunk=2)))  # 1 + 2 + 1 + 2
    6.0
    """
    end = maximum(past + prompt, 1)
    # what lies beyond the end never binds: made finite, it gives no infinity times zero
    cap = minimum(group.held_cap, group.read_cap, end / group.stretch)
    chunk = minimum(group.chunk, end)

    def from_start(tokens: Any) -> Any:
        ramp = minimum(tokens, group.stretch * cap)
        return ramp * (ramp + 1) / (2 * group.stretch) + cap * (tokens - ramp)

    def until(tokens: Any) -> Any:
        whole = floor(tokens / chunk)
        return whole * from_start(chunk) + from_start(tokens - whole * chunk)

    return until(past + prompt) - until(past)


@formula
def prompt_flop(prompt: Tokens, past: Tokens, group: LayerGroup) -> Flop:
    """FLOP of attention for T tokens of a prompt after L already there, the cheaper of two forms.

    Equation: n (min(2 A P, 2 A_p P + 2 u L) + 2 A_i (T L + T (T + 1) / 2) / r + a T), with P the
    pairs attended: absorbed, or the L latents unpacked. Unpacking the T new ones, like absorbing
    their queries, is the work of weights and counted there. Without latents, A_p = A and u = 0.
    Ignores: tiles computed in full at the causal edge; the chunked form of states.
    Source: DeepSeek-V2 paper, section 2.1, for the two forms.

    >>> gqa = LayerGroup(layers=1, width=100, prompt_width=100)
    >>> float(prompt_flop(3, 0, gqa))  # 2 x 100 x (1 + 2 + 3)
    1200.0
    """
    pairs = 2 * pairs_attended(prompt, past, group)
    form = minimum(group.width * pairs, group.prompt_width * pairs + 2 * group.unpack * past)
    scored = prompt * (2 * past + prompt + 1) / group.stretch
    return group.layers * (form + group.index_width * scored + group.state_flop * prompt)


# --- weights: which parts a step reads


@formula
def part_bytes_read(batch: Sequences, part: Part) -> Bytes:
    """Expected bytes that one decode step reads of a part of the weights.

    Equation: w N (1 - (1 - N_a / N)^B): all of it where every token uses all, of routed experts
    those touched, of embeddings nothing to speak of.
    Ignores: skewed routers, which touch fewer (d20); the rows of embeddings looked up.
    Source: row B23, through `batching.experts_touched`.

    >>> experts = Part(parameters=1000, active=500, bytes_per_param=2)
    >>> float(part_bytes_read(1, experts)), float(part_bytes_read(2, experts))
    (1000.0, 1500.0)
    """
    # what no token multiplies has an endless number of ways past it, and is not touched
    ways = maximum(part.parameters, 1e-12) / part.active
    return part.bytes_per_param * part.parameters * experts_touched(batch, ways)
