"""The terms of the forecast: known answers, limits, and the floor beneath them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memwall import catalog, forecast, model, racks, roofline
from memwall.core.nouns import MissingFact, Model, System
from memwall.core.units import InputError
from memwall.formulas.forecast_old import IDEAL, TERMS, Efficiency, Group

REAL = Efficiency(compute=0.6, bandwidth=0.8, link=0.5, latency=1e-5)
DENSE = Model(
    n_total=70e9, n_active=70e9, bytes_per_param=2, kv_bytes_per_token=327_680, layers=80,
    d_model=8192, attention_width=16_384, experts=1, experts_active=1,
)  # fmt: skip
SPARSE = Model(
    n_total=100e9, n_active=28e9, bytes_per_param=1, kv_bytes_per_token=50_000, layers=50,
    d_model=5000, attention_width=10_000, experts=10, experts_active=1,
)  # fmt: skip


def box(chips=8.0, **changes):
    """A group of chips at 1 PFLOP/s and 4 TB/s each, eight to a box."""
    made = Group(
        flops=chips * 1e15, attention_flops=chips * 5e14, bandwidth=chips * 4e12, chips=chips,
        domain=8.0, link=400e9, card=50e9,
    )  # fmt: skip
    return made.replace(**changes)


# ---- known answers -------------------------------------------------------------------------------


def test_always_active_weights():
    # N_a = S + X/10 = 28, N_t = S + X = 100  ->  X = 80, S = 20 (billions)
    assert forecast.always_active(SPARSE) == pytest.approx(20e9)
    assert forecast.always_active(DENSE) == DENSE.n_total


def test_always_active_of_deepseek_is_what_its_shape_says():
    # 671 = S + 256 x, 37 = S + 8 x  ->  x = 634/248, S = 37 - 8 x 634/248 = 16.55
    assert forecast.always_active(model("DeepSeek-V3")) == pytest.approx(16.548e9, rel=1e-3)


def test_all_reduce_in_a_box():
    # 80 layers x 2 sums x 2 x 7/8 x 100 tokens x 8192 x 2 B / 400 GB/s = 1.147 ms
    wanted = 80 * 2 * 2 * 7 / 8 * 100 * 8192 * 2 / 400e9
    assert forecast.all_reduce_time(100, DENSE, box(), IDEAL) == pytest.approx(wanted)
    assert wanted == pytest.approx(1.147e-3, rel=1e-3)


def test_all_reduce_between_boxes_goes_at_the_cards_pace():
    # eight cards side by side carry 8 x 50 = 400 GB/s, as much as a link: only (G-1)/G changes
    two = forecast.all_reduce_time(100, DENSE, box(16.0), IDEAL)
    one = forecast.all_reduce_time(100, DENSE, box(), IDEAL)
    assert two / one == pytest.approx((15 / 16) / (7 / 8))
    slow = forecast.all_reduce_time(100, DENSE, box(16.0, card=25e9), IDEAL)
    assert slow == pytest.approx(2 * two)


def test_one_chip_exchanges_nothing():
    assert forecast.all_reduce_time(100, DENSE, box(1.0), IDEAL) == 0
    assert forecast.exchange_time(100, SPARSE, box(1.0), IDEAL) == 0


def test_torus_layouts():
    torus = box(64.0, domain=4096.0, torus=3.0)
    # 8 n T d b / (sqrt(64) W) = 80 x 100 x 8192 x 2 / 400e9 = 0.328 ms, below the all-reduce
    assert forecast.torus_time(100, DENSE, torus, IDEAL) == pytest.approx(0.32768e-3)
    # so many tokens that the 140 GB of weights travel instead: 0.35 s
    assert forecast.torus_time(1e7, DENSE, torus, IDEAL) == pytest.approx(0.35)
    # on four chips two dimensions do not pay: 8/2 > 4 x 3/4
    few = box(4.0, domain=4096.0, torus=3.0)
    plain = forecast.all_reduce_time(100, DENSE, few, IDEAL)
    assert forecast.torus_time(100, DENSE, few, IDEAL) == pytest.approx(plain)


def test_exchange_uses_the_racks_chapter():
    # 4 boxes: each token reaches racks.remote_racks(4, 4) others, once each
    group = box(32.0)
    v3 = model("DeepSeek-V3")
    others = racks.remote_racks(4, 4, v3)
    wanted = 61 * (3200 / 32) * 7168 * 3 * others / 50e9
    assert forecast.exchange_time(3200, v3, group, IDEAL) == pytest.approx(wanted)
    assert 2 < others < 3


def test_rounds_and_latency():
    assert forecast.rounds(box(1.0)) == 2  # launches only
    assert forecast.rounds(box(8.0)) == pytest.approx(5)
    assert forecast.rounds(box(32.0)) == pytest.approx(2 + 3 + 2 * 2)
    # 80 layers x 2 halves x 5 rounds x 10 us = 8 ms
    assert forecast.latency_time(DENSE, box(), REAL) == pytest.approx(8e-3)


def test_step_by_hand():
    # weights 140 GB / (32 TB/s x 0.8) = 5.47 ms; arithmetic 0.1 ms hides behind it;
    # cache 4 x 1000 x 327,680 B / 25.6 TB/s = 51 us, attention 5.2e11 x 4 / ... hides behind it;
    # all-reduce 160 x 7/4 x 4 x 8192 x 2 B / 200 GB/s = 92 us; latency 8 ms
    weights, cache = 140e9 / 25.6e12, 4 * 1000 * 327_680 / 25.6e12
    sums = 80 * 4 * 7 / 8 * 4 * 8192 * 2 / 200e9
    wanted = weights + cache + sums + 8e-3
    got = forecast.step_time_forecast(4, 1000, DENSE, box(), REAL)
    assert got == pytest.approx(wanted)
    assert got == pytest.approx(13.6e-3, rel=0.01)


def test_few_tokens_read_few_experts():
    alone = forecast.step_time_forecast(1, 0, SPARSE, box(1.0), IDEAL)
    many = forecast.step_time_forecast(100, 0, SPARSE, box(1.0), IDEAL)
    assert alone == pytest.approx(28e9 / 4e12)  # N_a, not N_t
    assert many == pytest.approx(100e9 / 4e12, rel=1e-4)


def test_a_sparse_model_takes_the_faster_layout():
    # one token over eight chips: copying the 20 GB to every chip cannot pay
    slices = forecast.run_time(
        1, 0, 1, 0, SPARSE, box(), REAL, [t for t in TERMS if t != "replicas"]
    )
    assert forecast.run_time(1, 0, 1, 0, SPARSE, box(), REAL) >= slices
    # with nothing to send, whole experts never beat sliced matrices, so replicas change nothing
    quiet = [t for t in TERMS if t not in ("bytes", "latency")]
    without = [t for t in quiet if t != "replicas"]
    for batch in (1, 64, 4096):
        a, b = (
            forecast.run_time(batch, 0, 1, 500, SPARSE, box(), REAL, t) for t in (quiet, without)
        )
        assert a == pytest.approx(b)


def test_pipeline_fills_and_drains():
    group = box(8.0, stages=3.0)
    long = 1000
    one = forecast.run_time_forecast(3, long, 0, 0, DENSE, box(8.0), IDEAL)
    # three micro-batches of one sequence: (3 + 3 - 1) / 3 times a third of the work, and each
    # micro-batch's sums and attention are a third as well
    row = forecast.run_time_forecast(3, long, 0, 0, DENSE, group, IDEAL)
    assert row == pytest.approx(one * 5 / 9)


# ---- the floor -----------------------------------------------------------------------------------


def test_floor_is_the_blackboard():
    system = System(flops=8e15, bandwidth=32e12)
    for batch, context in ((1, 0), (64, 4000), (5000, 100)):
        wanted = roofline.step_time(batch, context, DENSE, system)
        assert forecast.step_floor(batch, context, DENSE, box()) == pytest.approx(wanted)
    # a prompt of 1000 tokens for 2 sequences: 2 x 2000 x 70e9 / 8e15 = 35 ms, weights 4.4 ms
    run = forecast.run_floor(2, 1000, 0, 0, DENSE, box())
    assert run == pytest.approx(0.035)


def test_stages_cannot_lend_bandwidth():
    three, one = box(8.0, stages=3.0), box(8.0)
    assert forecast.step_floor(1, 0, DENSE, three) == forecast.step_floor(1, 0, DENSE, one)
    pooled = forecast.step_floor(1, 0, DENSE, box(24.0))
    assert forecast.step_floor(1, 0, DENSE, three) == pytest.approx(3 * pooled)


few = settings(deadline=None, max_examples=40)
positive = st.floats(1, 1e4)
runs = st.tuples(positive, st.floats(0, 1e4), st.floats(1, 1e3), st.floats(0, 1e4))
groups = st.builds(
    lambda chips, stages, torus: box(float(chips), stages=float(stages), torus=torus),
    st.sampled_from([1, 2, 8, 16, 72]),
    st.sampled_from([1, 2, 3]),
    st.sampled_from([0.0, 3.0]),
)


@few
@given(runs, groups, st.sampled_from([DENSE, SPARSE]))
def test_no_terms_is_the_floor(run, group, which):
    bare = forecast.run_time(*run, which, group, IDEAL, ())
    assert bare == pytest.approx(float(forecast.run_floor(*run, which, group)))


@few
@given(runs, groups, st.sampled_from([DENSE, SPARSE]), st.sets(st.sampled_from(TERMS)))
def test_every_term_but_the_experts_only_adds(run, group, which, terms):
    # micro-batches of a pipeline touch fewer experts each, so there it may go either way
    unsure = {"experts"} | ({"pipeline"} if which is SPARSE else set())
    for extra in set(TERMS) - terms - unsure:
        less = forecast.run_time(*run, which, group, REAL, terms)
        more = forecast.run_time(*run, which, group, REAL, terms | {extra})
        assert more >= less * (1 - 1e-12)


@few
@given(runs, groups)
def test_a_dense_forecast_lies_above_its_floor(run, group):
    floor = forecast.run_floor(*run, DENSE, group)
    assert forecast.run_time_forecast(*run, DENSE, group, REAL) >= floor * (1 - 1e-12)


@few
@given(runs, groups, st.floats(1.01, 3))
def test_more_of_anything_takes_longer(run, group, more):
    start = forecast.run_time_forecast(*run, SPARSE, group, REAL)
    for i in range(4):
        larger = [x * more if j == i else x for j, x in enumerate(run)]
        assert forecast.run_time_forecast(*larger, SPARSE, group, REAL) >= start * (1 - 1e-9)


def test_better_hardware_is_never_slower():
    base = forecast.step_time_forecast(64, 4000, SPARSE, box(16.0), REAL)
    for name in ("flops", "attention_flops", "bandwidth", "link", "card"):
        better = box(16.0).replace(**{name: 2 * getattr(box(16.0), name)})
        assert forecast.step_time_forecast(64, 4000, SPARSE, better, REAL) <= base
    for name in ("compute", "bandwidth", "link"):
        better = REAL.replace(**{name: min(1.0, 1.2 * getattr(REAL, name))})
        assert forecast.step_time_forecast(64, 4000, SPARSE, box(16.0), better) <= base
    quicker = REAL.replace(latency=REAL.latency / 2)
    assert forecast.step_time_forecast(64, 4000, SPARSE, box(16.0), quicker) < base


def test_arrays_read_like_numbers():
    batches = np.array([1.0, 10.0, 100.0])
    got = forecast.step_time_forecast(batches, 2000, SPARSE, box(16.0), REAL)
    each = [forecast.step_time_forecast(b, 2000, SPARSE, box(16.0), REAL) for b in batches]
    np.testing.assert_allclose(got, each)


def test_symbols_of_shares_and_of_rates_are_told_apart():
    import sympy

    e, g = Efficiency.symbolic(), Group.symbolic()
    assert {s.name for s in e.symbols().values()}.isdisjoint(s.name for s in g.symbols().values())
    made = forecast.all_reduce_time(8, Model.symbolic(), g.replace(chips=8, domain=8), e)
    assert {"e_link", "link"} <= {s.name for s in sympy.sympify(made).free_symbols}


# ---- from the catalog ----------------------------------------------------------------------------


def test_group_from_the_catalog():
    group = forecast.group("H100", 16, "fp8", stages=2)
    h100 = catalog.chip("H100")
    assert (group.chips, group.stages, group.domain, group.torus) == (8, 2, 8, 0)
    assert group.flops == 8 * h100.flops("fp8") and group.attention_flops == 8 * h100.flops("bf16")
    assert group.card == h100.chip_scale_out
    assert forecast.group("TPU v4", 64, "bf16").torus == 3
    assert forecast.group("TPU v5e", 16, "bf16").torus == 2


def test_a_missing_network_card_is_guessed_from_the_others():
    # MI300X: link 448 GB/s, no card in the catalog; the ratio is that of chips on a switch or mesh
    ratio = forecast.usual_network_ratio()
    group = forecast.group("MI300X", 8, "fp8")
    assert group.card == pytest.approx(448e9 / ratio)
    assert 4 <= ratio <= 20


def test_every_chip_with_rates_makes_a_group():
    for name, chip in catalog.chips().items():
        if chip.precisions() and chip.chip_bandwidth:
            made = forecast.group(name, 1, chip.precisions()[-1])
            assert made.flops > 0 and made.card > 0


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (("H1000", 8, "fp8"), "H1000"),
        (("H100", 8, "fp9"), "fp9"),
        (("A100", 8, "fp8"), "fp8"),
        (("H100", 4, "fp8", 5), "stages"),
        (("H100", 0, "fp8"), "stages"),
    ],
)
def test_group_names_what_is_wrong(arguments, wrong):
    with pytest.raises(InputError, match=wrong):
        forecast.group(*arguments)


def test_ready_fills_only_what_is_unknown():
    shape = Model(n_total=600e9, n_active=30e9, bytes_per_param=1, kv_bytes_per_token=1e5,
                  layers=60, d_model=7000)  # fmt: skip
    full = forecast.ready(shape)
    assert full.attention_width == 14_000
    assert full.experts / full.experts_active == pytest.approx(20)
    assert forecast.always_active(full) == pytest.approx(0, abs=1)
    known = model("DeepSeek-V3")
    assert forecast.ready(known) == known
    assert forecast.ready(model("Llama-3.1-70B")).experts == 1
    with pytest.raises(MissingFact, match="layers"):
        no_shape = forecast.ready(shape.replace(layers=None))
        forecast.step_time_forecast(1, 0, no_shape, box(), REAL)


def test_unknown_terms_are_named():
    with pytest.raises(InputError, match="gravity"):
        forecast.run_time(1, 1, 1, 0, DENSE, box(), REAL, ["gravity"])


def test_the_fitted_constants_and_the_band():
    constants = forecast.fitted()
    assert 0.3 < constants.compute < 1 and 0.5 < constants.bandwidth < 1
    assert 0.2 < constants.link < 1 and 1e-6 < constants.latency < 1e-4
    low, high = forecast.band()
    assert 0.5 < low < 1 < high < 2
    assert forecast.banded(0.1) == f"100 ms ({1000 * low / 10:.3g} ms to {100 * high:.3g} ms)"


# ---- every term by hand ----------------------------------------------------------------------


def test_attention_between_matrices_by_hand():
    # one chip at 0.6 PFLOP/s, 0.3 in attention, 3.2 TB/s; no cache to read, context 1,000,000:
    # weights 140 GB / 3.2 TB/s = 43.75 ms, attention 2 x 1e6 x 16,384 x 80 / 0.3e15 = 8.738 ms,
    # latency 80 x 2 halves x 2 launches x 10 us = 3.2 ms
    bare = DENSE.replace(kv_bytes_per_token=0)
    step = forecast.step_time_forecast(1, 1e6, bare, box(1.0), REAL)
    assert step == pytest.approx(43.75e-3 + 2 * 1e6 * 16_384 * 80 / 3e14 + 3.2e-3)
    # a prompt of 1000 after 500: products 2 x 1000 x 70e9 / 0.6e15 = 233 ms, and each token
    # attends to 500 + 1000 / 2 on average; then 3 tokens at a mean context of 1501
    run = forecast.run_time_forecast(1, 1000, 3, 500, bare, box(1.0), REAL)
    reading = 2 * 1000 * 70e9 / 6e14 + 1000 * 2 * 1000 * 16_384 * 80 / 3e14 + 3.2e-3
    writing = 43.75e-3 + 2 * 1501 * 16_384 * 80 / 3e14 + 3.2e-3
    assert run == pytest.approx(reading + 3 * writing, rel=1e-9)


def test_a_prompt_reads_the_cache_before_it_once():
    # 2 sequences after 1,000,000 tokens: 2 x 1e6 x 327,680 B / 4 TB/s, beside 140 GB of weights
    run = forecast.run_time_forecast(2, 1, 0, 1e6, DENSE, box(1.0), IDEAL)
    assert run == pytest.approx((140e9 + 2e6 * 327_680) / 4e12)
    floor = forecast.run_floor(2, 1, 0, 1e6, DENSE, box(1.0))
    assert floor == pytest.approx((140e9 + 2e6 * 327_680) / 4e12)


def test_run_floor_by_hand():
    # reading 2 x 1000 tokens: 2 x 2000 x 70e9 / 8e15 = 35 ms; then 3 steps at a mean context of
    # 500 + 1000 + 1: 140 GB and 2 x 1501 x 327,680 B at 32 TB/s
    floor = forecast.run_floor(2, 1000, 3, 500, DENSE, box())
    assert floor == pytest.approx(0.035 + 3 * (140e9 + 2 * 1501 * 327_680) / 32e12)
    # no prompt: the steps alone, the first of them right at the context before
    bare = forecast.run_floor(2, 0, 1, 500, DENSE, box())
    assert bare == pytest.approx((140e9 + 2 * 500 * 327_680) / 32e12)
    # three stages: three times the arithmetic and the cache's bandwidth
    wide = forecast.step_floor(90_000, 0, DENSE, box(8.0, stages=3.0))
    assert wide == pytest.approx(2 * 90_000 * 70e9 / 24e15)
    long = forecast.step_floor(3, 1e6, DENSE, box(8.0, stages=3.0))
    assert long == pytest.approx((140e9 + 1e6 * 327_680) / 32e12)


def test_whole_experts_on_chips_by_hand():
    # 800 tokens on eight chips. Sliced: products 2 x 800 x 28e9 / 4.8e15 = 9.33 ms and sums
    # 4 x 50 x 800 x 5000 x 2 B x 7/8 / 200 GB/s = 7 ms. Whole experts: all chips read the 20 GB
    # that every token uses, (100 + 7 x 20) GB / 25.6 TB/s = 9.375 ms, and the exchange of
    # 50 x 100 x 5000 x 3 B x 7/8 / 200 GB/s = 0.33 ms hides. Latency 50 x 2 x 5 x 10 us = 5 ms
    got = forecast.step_time_forecast(800, 0, SPARSE, box(), REAL)
    assert got == pytest.approx(9.375e-3 + 5e-3)
    # links a hundred times slower: 32.8 ms of exchange, in the open
    slow = forecast.step_time_forecast(800, 0, SPARSE, box(link=4e9), REAL)
    assert slow == pytest.approx(50 * 100 * 5000 * 3 * 7 / 8 / 2e9 + 5e-3)


def test_a_row_of_stages_by_hand():
    # 6 sequences over 3 stages: micro-batches of 2; a pass of 1000 tokens each takes
    # 2 x 2000 x 70e9 / 8e15 = 35 ms, there are 3, and (3 + 3 - 1) / 3 of their third is waited for
    bare = DENSE.replace(kv_bytes_per_token=0, attention_width=1)
    quiet = box(1.0, flops=8e15, attention_flops=8e15, bandwidth=32e12, stages=3.0)
    run = forecast.run_time_forecast(6, 1000, 0, 0, bare, quiet, IDEAL)
    assert run == pytest.approx(0.035 * 3 * (5 / 3) / 3, rel=1e-6)
    # a step of 6 million sequences, 2 million a micro-batch
    step = forecast.step_time_forecast(6e6, 0, bare, quiet, IDEAL)
    assert step == pytest.approx(2 * 2e6 * 70e9 / 8e15, rel=1e-6)
    # without the pipeline's own term three groups are as good as three times one
    terms = [t for t in TERMS if t != "pipeline"]
    pooled = forecast.run_time(6e6, 0, 1, 0, bare, quiet, IDEAL, terms)
    assert pooled == pytest.approx(2 * 6e6 * 70e9 / 24e15, rel=1e-6)


def test_a_torus_and_the_edge_of_a_box():
    # element and round trip as usual: bf16 in a sum, fp8 to an expert and bf16 back
    assert (box().element, box().there_and_back, box().stages, box().torus) == (2, 3, 1, 0)
    # a pass on a torus takes the best layout; 64 chips: 80 x 100 x 8192 x 2 / 400e9 = 0.328 ms
    ring = box(64.0, domain=4096.0)
    terms = ["bytes"]
    plain, torus = (
        forecast.run_time(100, 0, 1, 0, DENSE, g, IDEAL, terms)
        - forecast.run_time(100, 0, 1, 0, DENSE, g, IDEAL, [])
        for g in (ring, ring.replace(torus=3.0))
    )
    assert torus == pytest.approx(0.32768e-3)
    assert plain == pytest.approx(4 * 80 * 100 * 8192 * 2 * 63 / 64 / 400e9)
    # eight chips to a box: eight need no network card, nine do
    dear = box(card=1.0)
    assert forecast.all_reduce_time(1, DENSE, dear, IDEAL) < 1e-4
    assert forecast.all_reduce_time(1, DENSE, dear.replace(chips=9.0), IDEAL) > 1


def test_stages_may_be_as_many_as_chips():
    alone = forecast.group("H100", 4, "bf16", 4)
    assert (alone.chips, alone.stages, alone.flops) == (1, 4, catalog.chip("H100").flops("bf16"))
    assert alone.name == "4 × H100 (bf16)"
    # nothing published on the model's experts: sparse by 4, so of 4 times the usual choice
    guess = forecast.ready(
        Model(n_total=40e9, n_active=10e9, bytes_per_param=1, layers=10, d_model=1000)
    )
    assert guess.experts == 4 * guess.experts_active == 4 * forecast.usual_experts_active()
    assert forecast.usual_experts_active() == 8  # the middle of 2, 4, 6 and five times 8
    dense = forecast.ready(Model(n_total=10e9, n_active=10e9, layers=10, d_model=1000))
    assert (dense.experts, dense.experts_active) == (1, 1)
