"""Layouts: what is cut and what is copied, by hand; what cannot be; and what always holds."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memwall import InputError, catalog
from memwall.core.checkpoint import Checkpoint, LayerGroup, Part
from memwall.core.nouns import Engine, Layout, System
from memwall.formulas import layout as lay

V3 = catalog.checkpoint("DeepSeek-V3")
MODELS = ("DeepSeek-V3", "Qwen3-235B-A22B", "Llama-3.1-70B", "gpt-oss-120b", "Qwen3-Next-80B-A3B")


def test_deepseek_on_eight_h200_by_hand():
    # of 141 GB a chip: experts 653.9 / 8 = 81.7, and what every token uses: all of it on each chip
    # of attention parallelism, an eighth under tensor parallelism
    latent = 2250 * 61 * 576 * 2
    spread, cut = (lay.weight_bytes_per_chip(V3, x) for x in (Layout(dp=8, ep=8), Layout(tp=8)))
    copied = sum(p.parameters * p.bytes_per_param for p in lay.loaded(V3) if p.kind != "routed")
    assert spread == pytest.approx(copied + V3.bytes("routed") / 8)
    # 16.5 GB of copies would leave room for 2,158 requests of 2,250 tokens; embeddings and head,
    # which stay in 16 bit, and routers make them 19.1
    assert copied == pytest.approx(19.1e9, rel=0.01)
    narrow = copied - V3.bytes("embedding", "head") / 2 - V3.bytes("router")
    assert narrow == pytest.approx(16.9e9, rel=0.01)
    assert 8 * (141e9 - spread) / latent == pytest.approx(2032, rel=0.01)
    assert 8 * (141e9 - 16.5e9 - (671e9 - 16.5e9) / 8) / latent == pytest.approx(2158, rel=0.01)
    # a latent has one head: tensor parallelism keeps it eight times
    assert (141e9 - cut) / latent == pytest.approx(358, rel=0.01)
    assert lay.cache_bytes_per_chip(1, 2250, V3, Layout(tp=8)) == pytest.approx(latent)


@pytest.mark.parametrize(("name", "heads"), [("Llama-3.1-70B", 8), ("Qwen3-235B-A22B", 4)])
def test_heads_are_copied_beyond_their_number(name, heads):
    model = catalog.checkpoint(name)
    one, own, twice = (
        float(lay.cache_bytes_per_chip(1, 1000, model, Layout(tp=t))) for t in (1, heads, 2 * heads)
    )
    assert own == pytest.approx(one / heads) and twice == own


def test_ends_of_a_pipeline():
    # Llama-3.1-8B over four stages: eight of 32 layers, and embeddings or head, 1.05 GB, at an end
    model = catalog.checkpoint("Llama-3.1-8B")
    ends = model.bytes("head")
    body = model.weight_bytes - model.bytes("embedding", "head")
    found = lay.weight_bytes_per_chip(model, Layout(pp=4))
    assert found == pytest.approx(body / 4 + ends)
    assert found / 2**30 == pytest.approx(4.26, rel=0.01)  # vLLM's log


@pytest.mark.parametrize(
    ("name", "layout", "says"),
    [
        ("Llama-3.1-70B", Layout(tp=3), "does not divide the 64 attention heads"),
        ("Llama-3.1-70B", Layout(ep=2, tp=2), "has no experts"),
        ("Llama-3.1-70B", Layout(pp=81), "more than the 80 layers"),
        ("Mixtral-8x7B", Layout(dp=16, ep=16), "more than the 8 experts"),
        ("DeepSeek-V3", Layout(dp=8, ep=3), "does not divide the tp x dp"),
        ("DeepSeek-V3", Layout(tp=2.5), "whole number"),
    ],
)
def test_what_no_engine_would_start(name, layout, says):
    with pytest.raises(InputError, match=says):
        lay.check_layout(catalog.checkpoint(name), layout)


def test_heads_that_fit_no_chip_evenly():
    model = Checkpoint("m", (LayerGroup(layers=2, entry=8, width=8, kv_heads=8, query_heads=48),), (),
                       layers=2)  # fmt: skip
    with pytest.raises(InputError, match="neither divides the 8 key-value heads"):
        lay.check_layout(model, Layout(tp=6))
    for tp in (2, 4, 8, 16):
        lay.check_layout(model, Layout(tp=tp))


def test_usual_layouts():
    def chosen(name, chips, users, **more):
        return lay.usual_layout(catalog.checkpoint(name), chips, 8, users, **more)

    assert chosen("Llama-3.1-70B", 8, 64)[0] == Layout(tp=8)
    layout, why = chosen("DeepSeek-V3", 8, 64)
    assert layout == Layout(dp=8, ep=8) and "latent" in why
    assert chosen("DeepSeek-V3", 8, 31)[0] == Layout(tp=8)  # fewer than four for a chip
    assert chosen("DeepSeek-V3", 8, 32)[0] == Layout(dp=8, ep=8)
    assert chosen("Qwen3-235B-A22B", 8, 64)[0] == Layout(tp=8)  # no latent
    assert chosen("DeepSeek-V3", 8, 64, fits=lambda x: x.dp == 1)[0] == Layout(tp=8)
    assert chosen("Llama-3.1-405B", 16, 64)[0] == Layout(tp=8, pp=2)  # boxes of eight
    assert chosen("Qwen2.5-7B", 8, 64)[0].tp == 4  # 28 heads


sizes = st.sampled_from([1, 2, 4, 8])
models = st.sampled_from([catalog.checkpoint(name) for name in MODELS])


@given(models, sizes, sizes, sizes, st.sampled_from(["tp", "pp", "dp"]))
def test_cutting_more_never_needs_more_on_a_chip(model, tp, dp, pp, what):
    layout = Layout(tp=tp, dp=dp, pp=pp)
    more = layout.replace(**{what: 2 * getattr(layout, what)})
    for bytes_on_chip in (
        lambda x: lay.weight_bytes_per_chip(model, x),
        lambda x: lay.cache_bytes_per_chip(16, 5000, model, x),
    ):
        assert bytes_on_chip(more) <= bytes_on_chip(layout) * (1 + 1e-12)


@given(models, sizes, sizes, sizes)
def test_copies_never_beat_cuts(model, tp, dp, pp):
    copied, cut = Layout(tp=tp, dp=dp, pp=pp), Layout(tp=tp * dp, pp=pp)
    assert lay.weight_bytes_per_chip(model, copied) >= lay.weight_bytes_per_chip(model, cut)


@given(models, sizes, sizes, sizes)
def test_all_chips_together_hold_at_least_the_checkpoint(model, tp, dp, pp):
    layout = Layout(tp=tp, dp=dp, pp=pp)
    whole = sum(p.parameters * p.bytes_per_param for p in lay.loaded(model))
    held = lay.weight_bytes_per_chip(model, layout) * layout.chips
    assert held >= whole * (1 - 1e-12)
    one = sum(float(lay.held_bytes(5000, g)) for g in model.groups)
    assert lay.cache_bytes_per_chip(dp, 5000, model, layout) * layout.chips >= dp * one * (
        1 - 1e-12
    )


@pytest.mark.parametrize(
    ("chips", "domain", "cuts"),
    [
        # half of a box is worth a try, and then a quarter, unless that is eight chips and more
        (8, 8, [(8, 1), (4, 2), (2, 4)]),
        (16, 8, [(8, 2), (4, 4), (2, 8)]),
        (16, 16, [(16, 1), (8, 2), (4, 4)]),
        (32, 64, [(32, 1), (16, 2), (8, 4), (4, 8)]),
        (12, 8, [(4, 3), (2, 6)]),
        (3, 8, [(1, 3)]),
        (1, 8, [(1, 1)]),
    ],
)
def test_layouts_worth_trying(chips, domain, cuts):
    found = lay.layouts(catalog.checkpoint("Llama-3.1-70B"), chips, domain)
    assert [(x.tp, x.pp) for x, _ in found] == cuts
    words = dict(found)
    assert ("stages" in words[found[-1][0]]) == (cuts[-1][1] > 1)
    assert ("whole" in words[found[-1][0]]) == (cuts[-1][0] == 1)


def test_experts_are_spread_over_as_many_chips_as_there_are():
    mixtral = catalog.checkpoint("Mixtral-8x7B")
    spread = [x for x, _ in lay.layouts(mixtral, 16, 8) if x.dp > 1]
    assert spread == [Layout(dp=16, ep=8)]
    assert [x for x, _ in lay.layouts(mixtral, 1, 8)] == [Layout()]


# a dense layer and a sparse one of 8 experts, two chosen, each three matrices of 100 x 30
SPARSE = Checkpoint(
    "sparse", (), (
        Part(50_000, 0, 2.0, kind="embedding"), Part(50_000, 50_000, 2.0, kind="head"),
        Part(8_000, 8_000, 2.0, kind="attention"), Part(2_000, 2_000, 2.0, kind="shared"),
        Part(24_000, 24_000, 2.0, kind="dense"), Part(8 * 9_000, 2 * 9_000, 2.0, kind="routed"),
    ),
    layers=2, d_model=100, experts=8, experts_active=2, routed_layers=1,
)  # fmt: skip


def test_activations_by_hand():
    """Within a layer 300 numbers a token, and 240 more of the dense block, which is the wider one.

    A token and chosen expert: 90 numbers, or 30 and the 100 that come out.
    """
    engine = Engine(batched_tokens=1000, sequences=8)
    assert lay.expert_numbers(SPARSE, Layout()) == pytest.approx(90)
    found = lay.activation_bytes(engine, SPARSE, Layout())
    assert found == pytest.approx(2 * 1000 * 540 + 2 * 1000 * 2 * 130)
    # two chips cut the block; experts too, unless each keeps whole ones: half of the pairs, then
    cut = lay.activation_bytes(engine, SPARSE, Layout(tp=2))
    assert cut == pytest.approx(2 * 1000 * 420 + 2 * 1000 * 2 * 115)
    own = lay.activation_bytes(engine, SPARSE, Layout(tp=2, ep=2))
    assert own == pytest.approx(2 * 1000 * 420 + 2 * 1000 * 2 * 130)
    # ranks send their tokens to each other's experts: 4 x 1000, a quarter of the experts here
    ranks = lay.activation_bytes(engine, SPARSE, Layout(dp=4, ep=4))
    assert ranks == pytest.approx(2 * 1000 * 540 + 2 * 1000 * 2 * 130)
    copied = lay.activation_bytes(engine, SPARSE, Layout(dp=4))
    assert copied == pytest.approx(2 * 1000 * 540 + 2 * 4000 * 2 * (30 / 4 + 100))
    # at most 32,768 tokens go through experts at a time
    long = lay.activation_bytes(engine.replace(batched_tokens=40_000), SPARSE, Layout())
    assert long == pytest.approx(2 * 40_000 * 540 + 2 * lay.EXPERT_CHUNK * 2 * 130)


def test_wide_experts_and_attention_by_hand():
    # attention with shared experts, 20,000 over two layers, is wider than no dense block: 100
    parts = tuple(p for p in SPARSE.parts if p.kind != "dense")
    parts = (*parts[:2], Part(18_000, 18_000, 2.0, kind="attention"), *parts[3:4],
             Part(8 * 90_000, 2 * 90_000, 2.0, kind="routed"))  # fmt: skip
    wide = dataclasses.replace(SPARSE, parts=parts)
    engine = Engine(batched_tokens=1000, sequences=8)
    # experts ten times as wide: 900 numbers are more than 300 and 100
    assert lay.activation_bytes(engine, wide, Layout()) == pytest.approx(
        2 * 1000 * 400 + 2 * 1000 * 2 * 900
    )
    # few tokens in a pass, and many sequences: scores of 500 words, at most one a token
    few = engine.replace(batched_tokens=20, sequences=1000)
    assert lay.activation_bytes(few, wide, Layout()) == pytest.approx(
        2 * 20 * 100 + 15 * 20 * 500 + 2 * 20 * 2 * 900
    )
    # the embedding serves where no output matrix of its own is
    tied = dataclasses.replace(wide, parts=tuple(p for p in parts if p.kind != "head"))
    assert lay.activation_bytes(few, tied, Layout()) == lay.activation_bytes(few, wide, Layout())


def test_the_ends_by_hand():
    """On two stages the first has 200 kB of embeddings and pictures, the last a head of 100 kB."""
    eyes = Part(50_000, 0, 2.0, kind="vision")
    model = dataclasses.replace(SPARSE, parts=(*SPARSE.parts, eyes))
    layers = 2 * (8_000 + 2_000 + 24_000 + 8 * 9_000)
    assert lay.weight_bytes_per_chip(model, Layout()) == pytest.approx(layers + 300_000)
    assert lay.weight_bytes_per_chip(model, Layout(pp=2)) == pytest.approx(layers / 2 + 200_000)
    tied = dataclasses.replace(model, parts=(*model.parts[1:],))
    assert lay.weight_bytes_per_chip(tied, Layout(pp=2)) == pytest.approx(layers / 2 + 100_000)
    cut = lay.weight_bytes_per_chip(model, Layout(tp=2, pp=2))
    assert cut == pytest.approx(layers / 4 + 100_000)


def test_graphs_by_hand():
    # sizes 1, 2, 4, then every eighth to 256, every sixteenth to 512; each as 20 layers and its own
    layers = 20 + 2 + 1
    for sequences, sizes in ((1, 3.25), (64, 19), (128, 35), (192, 43), (256, 51), (1000, 51)):
        found = lay.graph_bytes(Engine(sequences=sequences, graph=1000.0), SPARSE, Layout())
        assert found == pytest.approx(sizes * 1000 * layers)
    half = lay.graph_bytes(Engine(sequences=128, graph=1000.0), SPARSE, Layout(pp=3))
    assert half == pytest.approx(35 * 1000 * 21)


def test_what_chips_keep_for_each_other():
    pair = System(1e15, 1e12, capacity=2 * 80e9, chips=2)
    engine = Engine(links=1.5e9)
    assert lay.communication_bytes(engine, pair, Layout(tp=2)) == 1.5e9
    assert lay.communication_bytes(engine.replace(links=9e9), pair, Layout(dp=2)) == 2e9
    assert lay.communication_bytes(engine, pair, Layout(pp=2)) == 0


def test_what_sglang_leaves_free():
    def free(capacity, chips=1, tokens=2048.0, sequences=0.0, **cut):
        system = System(1e15, 1e12, capacity=chips * capacity * 2**30, chips=chips)
        engine = Engine(batched_tokens=tokens, sequences=max(sequences, 1.0))
        return (1 - lay.sglang_share(engine, system, Layout(**cut))) * capacity * 1024

    # 512 MiB, 3 GiB for the chunk, 128 MiB for a chip and 2 MiB for a sequence
    assert free(40) == pytest.approx(512 + 3072 + 128 + 2)
    assert free(60, tokens=100.0) == pytest.approx(512 + 3072 + 128 + 2)
    assert free(40, tokens=8192.0, sequences=256.0) == pytest.approx(512 + 12_288 + 128 + 512)
    assert free(40, chips=4, tp=2, pp=2) == pytest.approx(512 + 3072 + 512 + 2)
    assert free(40, chips=4, sequences=10.0, dp=4) == pytest.approx(512 + 3072 + 512 + 140)
    assert free(61) == pytest.approx(10_240)  # of more than 60 GiB ten stay free
    assert free(3) == pytest.approx(3 * 1024)  # and what is too small holds nothing


def test_experts_of_four_bits_are_padded_to_whole_tiles():
    def factor(d, inner, width=0.5, **cut):
        used = 2 * 3 * d * inner
        part = Part(8 * used, used, width, kind="routed")
        model = Checkpoint("m", (), (part,), layers=1, d_model=d, experts=8, experts_active=2,
                           routed_layers=1)  # fmt: skip
        return lay.padding(part, model, Layout(**cut))

    assert factor(256, 128) == 1 == factor(512, 1280)  # whole tiles
    assert factor(300, 128) == pytest.approx(512 / 300)
    assert factor(256, 130) == pytest.approx(256 / 130)
    assert factor(256, 192, tp=2) == pytest.approx(128 / 96)  # each chip's piece
    assert factor(256, 192, tp=2, ep=2) == pytest.approx(256 / 192)  # whole experts
    assert factor(300, 130, width=0.6) == 1


def test_a_log_promises_for_windows_and_for_groups_filled_up():
    """Two full layers and five of a window of 100: the latter count as six, three groups of two.

    1,000 tokens in a full layer, 100 and a pass of 150 in one with a window, 4 bytes each; a state
    of 500 bytes beside them.
    """
    groups = (LayerGroup(layers=2, entry=2, kv_heads=4),
              LayerGroup(layers=5, entry=2, held_cap=100, state=500, kv_heads=4))  # fmt: skip
    model = Checkpoint("m", groups, (), layers=7)
    engine = Engine(batched_tokens=150, page=16)
    one = 2 * 1008 * 4 + 6 * (250 * 4 + 500)
    found = lay.promised_concurrency(1e6, 1000, model, Layout(), engine)
    assert found == pytest.approx(1e6 / one)
    # two chips have half of each, and two ranks twice as many
    halved = lay.promised_concurrency(1e6, 1000, model, Layout(tp=2, dp=2), engine)
    assert halved == pytest.approx(4e6 / one)
    assert lay.promised_concurrency(1e6, 1000, model, Layout(tp=8), engine) == pytest.approx(
        4e6 / one
    )
    # over two stages the fuller one has four layers of seven
    staged = lay.promised_concurrency(1e6, 1000, model, Layout(pp=2), engine)
    assert staged == pytest.approx(1e6 / one * 7 / 4)
    # four tokens to an entry; and an index beside each
    folded = Checkpoint(
        "m", (LayerGroup(layers=1, entry=2, stretch=4, index=3, held_cap=100),), (), layers=1
    )
    found = lay.promised_concurrency(1e6, 1000, folded, Layout(), engine)
    assert found == pytest.approx(1e6 / (4 * (100 + 150 / 4) + 3 * 252))


def test_room_by_hand():
    model = Checkpoint("m", (), (Part(10e9, 10e9, 1.0, kind="attention"),), layers=1, d_model=100,
                       routed_layers=0)  # fmt: skip
    pair = System(1e15, 1e12, capacity=160e9, chips=2)
    engine = Engine(
        memory_share=0.9, batched_tokens=0, sequences=1, graph=1e6, allowance=2e9, links=1e9
    )
    graphs = 3.25 * 1e6 * 21
    found = lay.cache_room_per_chip(model, pair, Layout(tp=2), engine)
    assert found == pytest.approx(0.9 * 80e9 - 2e9 - 5e9 - 1e9 - graphs)
    small = pair.replace(capacity=12e9)
    assert lay.cache_room_per_chip(model, small, Layout(tp=2), engine) == 0
    # the dry pass counts as far as the engine says
    busy = engine.replace(batched_tokens=100)
    most = lay.activation_bytes(busy, model, Layout(tp=2))
    for share in (0.0, 1.0):
        room = lay.cache_room_per_chip(model, pair, Layout(tp=2), busy.replace(dry_pass=share))
        assert room == pytest.approx(found - share * most)
