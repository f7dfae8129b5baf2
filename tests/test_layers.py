"""Layers: each kind by hand, the limits between kinds, and sums over a prompt."""

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from memwall import InputError, LayerGroup, Part, layers

# one layer of each kind with its numbers, L = 10,000 tokens, and what a hand says:
# (bytes held, bytes read, FLOP of attention for one new token)
MHA = LayerGroup(layers=1, entry=2 * 32 * 128, width=32 * 256, prompt_width=32 * 256)
GQA = LayerGroup(layers=1, entry=2 * 8 * 128, width=32 * 256, prompt_width=32 * 256)
MQA = LayerGroup(layers=1, entry=2 * 128, width=32 * 256, prompt_width=32 * 256)
MLA = LayerGroup(
    layers=1, entry=576, width=128 * 1088, prompt_width=128 * 320, unpack=512 * 128 * 256
)
WINDOW = LayerGroup(layers=1, entry=1024, held_cap=128, width=64 * 128, prompt_width=64 * 128)
CHUNK = LayerGroup(
    layers=1, entry=2048, held_cap=8192, chunk=8192, width=40 * 256, prompt_width=40 * 256
)
DSA = LayerGroup(
    layers=1, entry=576, read_cap=2048, width=128 * 1088, prompt_width=128 * 1088,
    index=132, index_width=64 * 128,
)  # fmt: skip
BLOCKS = LayerGroup(
    layers=1, entry=1024, read_cap=16 * 128, width=64 * 256, prompt_width=64 * 256,
    index=132, index_width=4 * 128,
)  # fmt: skip
SHARED_INDEX = DSA.replace(index=0.0, index_width=0.0)
CSA = LayerGroup(
    layers=1, entry=512, stretch=4, read_cap=1024, width=128 * 1024, prompt_width=128 * 1024,
    index=132, index_width=64 * 128,
)  # fmt: skip
HCA = LayerGroup(layers=1, entry=512, stretch=128, width=128 * 1024, prompt_width=128 * 1024)
MAMBA2 = LayerGroup(layers=1, state=64 * 64 * 128 * 4 + 3 * 6144 * 2, state_flop=5 * 64 * 64 * 128)
DELTA = LayerGroup(layers=1, state=32 * 128 * 128 * 4 + 3 * 8192 * 2, state_flop=7 * 32 * 128 * 128)
KDA = LayerGroup(layers=1, state=96 * 128 * 128 * 4 + 3 * 36864 * 2, state_flop=7 * 96 * 128 * 128)
NONE = LayerGroup(layers=1)

BY_HAND = {
    "MHA": (MHA, 163_840_000, 163_840_000, 163_840_000),
    "GQA": (GQA, 40_960_000, 40_960_000, 163_840_000),
    "MQA": (MQA, 5_120_000, 5_120_000, 163_840_000),
    "MLA": (MLA, 11_520_000, 11_520_000, 2_785_280_000),
    "window": (WINDOW, 262_144, 262_144, 2_097_152),
    "chunk": (CHUNK, 33_554_432, 33_554_432, 167_772_160),
    "DSA": (DSA, 12_840_000, 2_359_296 + 1_320_000, 570_425_344 + 163_840_000),
    "block-sparse": (BLOCKS, 21_800_000, 4_194_304 + 1_320_000, 67_108_864 + 10_240_000),
    "shared index": (SHARED_INDEX, 11_520_000, 2_359_296, 570_425_344),
    "CSA": (CSA, 2_560_000 + 330_000, 1_048_576 + 330_000, 268_435_456 + 40_960_000),
    "HCA": (HCA, 80_000, 80_000, 20_480_000),
    "Mamba-2": (MAMBA2, 2_134_016, 4_268_032, 2_621_440),
    "gated delta": (DELTA, 2_146_304, 4_292_608, 3_670_016),
    "KDA": (KDA, 6_512_640, 13_025_280, 11_010_048),
    "none": (NONE, 0, 0, 0),
}


@pytest.mark.parametrize("kind", BY_HAND)
def test_each_kind_by_hand(kind):
    group, held, read, flop = BY_HAND[kind]
    assert float(layers.held_bytes(10_000, group)) == held
    assert float(layers.read_bytes(10_000, group)) == read
    assert float(layers.attention_flop(10_000, group)) == flop


@pytest.mark.parametrize("kind", BY_HAND)
def test_a_group_counts_its_layers(kind):
    one = BY_HAND[kind][0]
    three = one.replace(layers=3)
    for formula in (layers.held_bytes, layers.read_bytes, layers.attention_flop):
        assert float(formula(777, three)) == 3 * float(formula(777, one))


@pytest.mark.parametrize("kind", BY_HAND)
def test_a_prompt_is_the_sum_of_its_steps(kind):
    """Token by token, absorbed, with a cap that fits the stretch: the closed form is exact."""
    group = BY_HAND[kind][0]
    past, prompt = 300, 500
    steps = 0.0
    for position in range(past + 1, past + prompt + 1):
        seen = (position - 1) % group.chunk + 1 if np.isfinite(group.chunk) else position
        entries = min(seen / group.stretch, group.held_cap, group.read_cap)
        steps += 2 * group.width * entries + 2 * group.index_width * position / group.stretch
        steps += group.state_flop
    absorbed = group.replace(prompt_width=group.width, unpack=0.0)
    np.testing.assert_allclose(float(layers.prompt_flop(prompt, past, absorbed)), steps, rtol=1e-12)


def test_a_prompt_beyond_its_cap():
    window = LayerGroup(layers=1, held_cap=128)
    assert float(layers.pairs_attended(1000, 0, window)) == 128 * 129 / 2 + 872 * 128
    assert float(layers.pairs_attended(1000, 500, window)) == 128_000
    # DSA over 4,096 tokens with 2,048 chosen, and a compressed layer with 8 entries of 4 tokens
    assert float(layers.pairs_attended(4096, 0, DSA)) == 2048 * 2049 / 2 + 2048 * 2048
    assert float(layers.pairs_attended(64, 0, CSA.replace(read_cap=8))) == 32 * 33 / 8 + 32 * 8


def test_a_chunk_starts_anew():
    chunk = LayerGroup(layers=1, held_cap=100, chunk=100)
    assert float(layers.pairs_attended(250, 0, chunk)) == 2 * 5050 + 1275
    assert float(layers.pairs_attended(50, 250, chunk)) == 5050 - 1275
    assert float(layers.pairs_attended(99, 0, chunk)) == 99 * 100 / 2


def test_mla_takes_the_cheaper_form():
    # one new token after many: absorbed, as a step of decode
    assert float(layers.prompt_flop(1, 9_999, MLA)) == float(layers.attention_flop(10_000, MLA))
    # a prompt from nothing: unpacked, 320 wide a head instead of 1,088
    assert float(layers.prompt_flop(1000, 0, MLA)) == 2 * 128 * 320 * 1000 * 1001 / 2
    # and after a past its latents are unpacked once
    unpacked = 2 * 128 * 320 * (1000 * 2000 + 1000 * 1001 / 2) + 2 * 512 * 128 * 256 * 2000
    assert float(layers.prompt_flop(1000, 2000, MLA)) == unpacked


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(0, 5000))
def test_prompts_add_up(first, second, past):
    """A prompt in two pieces attends to as many pairs as in one, whatever the kind."""
    for group, *_ in BY_HAND.values():
        whole = float(layers.pairs_attended(first + second, past, group))
        pieces = float(layers.pairs_attended(first, past, group))
        pieces += float(layers.pairs_attended(second, past + first, group))
        assert pieces == pytest.approx(whole, rel=1e-9)


@given(st.integers(1, 200_000), st.integers(1, 200_000))
def test_order_of_kinds(short, more):
    """More tokens never cost less; what is read is held, or a state moved twice."""
    for group, *_ in BY_HAND.values():
        for formula in (layers.held_bytes, layers.read_bytes, layers.attention_flop):
            assert float(formula(short, group)) <= float(formula(short + more, group))
        held, read = (float(f(short, group)) for f in (layers.held_bytes, layers.read_bytes))
        assert read <= held + float(group.layers * group.state)
    for formula in (layers.held_bytes, layers.read_bytes):
        assert (
            float(formula(short, MQA)) <= float(formula(short, GQA)) <= float(formula(short, MHA))
        )


def test_a_cap_that_never_binds_is_full_attention():
    wide = WINDOW.replace(held_cap=1e12)
    full = WINDOW.replace(held_cap=float("inf"))
    assert float(layers.held_bytes(5e5, wide)) == float(layers.held_bytes(5e5, full))
    assert float(layers.prompt_flop(5e5, 0, wide)) == float(layers.prompt_flop(5e5, 0, full))


def test_sixteen_and_eight_bit():
    assert GQA.stored("8").bytes_per_element == 1.0
    assert GQA.stored("16") == GQA
    chosen = DSA.replace(fp8_bytes=656.0).stored("fp8")
    assert float(layers.held_bytes(1000, chosen)) == pytest.approx(1000 * (656 + 132))
    assert MAMBA2.stored("8").state == MAMBA2.state
    with pytest.raises(InputError, match="cache '12'"):
        GQA.stored("12")


def test_symbols_keep_the_shape():
    context = sympy.Symbol("L", positive=True)
    held = layers.held_bytes(context, WINDOW)
    assert float(held.subs(context, 64)) == 64 * 2048
    assert float(held.subs(context, 10**9)) == 262_144


def test_part_bytes_read():
    dense = Part(parameters=100, active=100, bytes_per_param=2)
    looked_up = Part(parameters=100, active=0, bytes_per_param=2, kind="embedding")
    experts = Part(parameters=640, active=80, bytes_per_param=0.5, kind="routed")
    assert (
        float(layers.part_bytes_read(1, dense)) == float(layers.part_bytes_read(64, dense)) == 200
    )
    assert float(layers.part_bytes_read(64, looked_up)) == 0
    assert float(layers.part_bytes_read(1, experts)) == pytest.approx(40)
    assert float(layers.part_bytes_read(2, experts)) == pytest.approx(320 * (1 - (7 / 8) ** 2))
    assert float(layers.part_bytes_read(10_000, experts)) == pytest.approx(320)
    with pytest.raises(InputError, match="active = 5 is larger"):
        Part(parameters=4, active=5, bytes_per_param=1)
