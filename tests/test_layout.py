"""Layouts: what is cut and what is copied, by hand; what cannot be; and what always holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memwall import InputError, catalog
from memwall.core.checkpoint import Checkpoint, LayerGroup
from memwall.core.nouns import Layout
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
    assert chosen("DeepSeek-V3", 8, 4)[0] == Layout(tp=8)  # too few for a chip each
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
