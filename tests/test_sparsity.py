"""Sparsity: known answers worked by hand, limits, a layer against its formulas, routers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memwall import InputError, Model, System, catalog, model, moe, roofline
from memwall import sparsity as sp
from memwall.formulas.batching import experts_touched

LAYER = Model(
    n_total=4e9, n_active=1e9, bytes_per_param=1, d_model=100, experts=10, experts_active=2
)
SERVED = Model(
    n_total=800e9, n_active=100e9, bytes_per_param=1, kv_bytes_per_token=1000, experts=64,
    experts_active=8,
)  # fmt: skip
RACK = System(flops=4.8e15, bandwidth=8e12, capacity=10e12)


# --- known answers


def test_parts_of_a_sparse_model() -> None:
    # 8 of 256: 1/32. s = 600/40 = 15; f = (15 - 1) / (32 - 1) = 14/31
    m = Model(n_total=600e9, n_active=40e9, experts=256, experts_active=8)
    assert sp.chosen_fraction(m) == 1 / 32
    assert sp.expert_share(m) == pytest.approx(14 / 31)
    # and back: (1 - 14/31) + 14/31 * 32 = 17/31 + 448/31 = 465/31 = 15
    assert sp.sparsity_from_parts(sp.expert_share(m), 1 / 32) == pytest.approx(15)


def test_one_layer() -> None:
    # router 100 x 10, two experts of 3 x 100 x 50: 2 (1000 + 2 * 15000) = 62,000 FLOP a token
    assert sp.expert_parameters(100, 50) == 15_000
    assert sp.moe_flop(7, 50, LAYER) == 7 * 62_000
    # one token reads the router and 2 experts: 1000 + 30,000 bytes; many tokens all 10 experts
    assert sp.moe_bytes(1, 50, LAYER) == pytest.approx(31_000)
    assert sp.moe_bytes(1e6, 50, LAYER) == pytest.approx(151_000)


def test_exchange_rate() -> None:
    # 64 for 4: exponent 1/3, since 64^(1/3) = 4; the total is 64/4 = 16 times the dense model
    assert sp.exchange_exponent(64, 4) == pytest.approx(1 / 3)
    assert sp.sparsity_for_gain(4, 1 / 3) == pytest.approx(64)
    assert sp.parameters_over_dense(4, 1 / 3) == pytest.approx(16)
    # the host's guess, 100 for 10, is a square root
    assert sp.exchange_exponent(100, 10) == pytest.approx(0.5)


def test_users_and_memory() -> None:
    # h = 4.8e15 / (2 * 8e12) = 300: 2,400 users pay for a sparsity of 8
    assert sp.sparsity_for_users(2400, 0, SERVED, RACK) == pytest.approx(8)
    # 2,400 caches of 1000 tokens of 1 kB are 2.4 GB; (10 TB - 2.4 GB) / 100 GB = 99.976
    assert sp.sparsity_that_fits(2400, 1000, SERVED, RACK) == pytest.approx(99.976)
    assert sp.parameters_that_fit(2400, 1000, SERVED, RACK) == pytest.approx(9.9976e12)
    # no cache: 10 TB over 100 GB
    assert sp.largest_sparsity(0, SERVED, RACK) == pytest.approx(100)


def test_users_invert_the_balance_batch() -> None:
    for context in (0, 1e3, 1e5):
        batch = roofline.balance_batch_with_kv(context, SERVED, RACK)
        supported = sp.sparsity_for_users(batch, context, SERVED, RACK)
        assert supported == pytest.approx(roofline.sparsity(SERVED))


def test_the_two_limits_cross_where_the_whole_memory_is_drained() -> None:
    batch = roofline.full_drain_batch(SERVED, RACK)
    for context in (0, 5e4, 1.5e5):
        best = sp.largest_sparsity(context, SERVED, RACK)
        assert sp.sparsity_for_users(batch, context, SERVED, RACK) == pytest.approx(best)
        assert sp.sparsity_that_fits(batch, context, SERVED, RACK) == pytest.approx(best)


def test_nothing_is_affordable_beyond_the_balanced_context() -> None:
    beyond = 1.01 * roofline.balanced_context(SERVED, RACK)
    assert sp.sparsity_for_users(1e6, beyond, SERVED, RACK) == 0
    assert sp.largest_sparsity(beyond, SERVED, RACK) == 0
    assert sp.parameters_that_fit(1e9, beyond, SERVED, RACK) == 0


@given(st.floats(1, 1e5), st.floats(1, 1e5))
def test_weights_read_grow_from_active_to_total(low: float, high: float) -> None:
    low, high = sorted((low, high))
    small, large = (float(sp.weight_bytes_read(b, SERVED)) for b in (low, high))
    assert SERVED.n_active <= small * (1 + 1e-9)
    assert small <= large * (1 + 1e-9)
    assert large <= SERVED.n_total * (1 + 1e-9)


def test_weights_read_at_the_ends() -> None:
    assert sp.weight_bytes_read(1, SERVED) == pytest.approx(SERVED.n_active)
    assert sp.weight_bytes_read(1e5, SERVED) == pytest.approx(SERVED.n_total)


@given(st.floats(1.01, 1e4), st.floats(0.05, 1))
def test_exchange_round_trip(sparsity: float, exponent: float) -> None:
    gain = sp.exchange_gain(sparsity, exponent)
    assert 1 <= gain <= sparsity * (1 + 1e-9)
    assert sp.exchange_exponent(sparsity, gain) == pytest.approx(exponent, rel=1e-6)
    assert sp.sparsity_for_gain(gain, exponent) == pytest.approx(sparsity, rel=1e-6)


def test_imbalance_fades_with_the_batch() -> None:
    batches = np.array([64.0, 256, 1024, 4096, 16384])
    worst = sp.expected_imbalance(batches, model("DeepSeek-V3"))
    assert (np.diff(worst) < 0).all()
    # four times the batch halves the excess
    assert (worst[1:] - 1) / (worst[:-1] - 1) == pytest.approx(0.5)


@pytest.mark.parametrize("name", ["DeepSeek-V3", "Qwen3-235B-A22B", "gpt-oss-120b", "Mixtral 8x7B"])
def test_expert_share_from_totals_equals_the_share_from_shapes(name: str) -> None:
    # two independent roads: published totals on one side, published layer shapes on the other
    stored, active = moe.routed_parameters(name)
    m = model(name)
    assert sp.expert_share(m) == pytest.approx(active / m.n_active, rel=0.02)
    assert 0.9 < stored / m.n_total < 1


# --- a layer that counts


@pytest.fixture(scope="module")
def layer() -> moe.MoELayer:
    return moe.MoELayer.random(d_model=48, width=16, experts=24, chosen=3, seed=5)


def tokens(n: int, d_model: int = 48, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, d_model)).astype(np.float32)


def test_layer_equals_the_dense_sum(layer: moe.MoELayer) -> None:
    x = tokens(9)
    scores = x @ layer.router
    chosen = moe.top(scores, 3)
    gates = np.zeros_like(scores)
    for row, experts in enumerate(chosen):
        e = np.exp(scores[row, experts])
        gates[row, experts] = e / e.sum()
    up = np.einsum("td,edf->tef", x, layer.up)
    gate = np.einsum("td,edf->tef", x, layer.gate)
    out = np.einsum("tef,efd->ted", up * gate / (1 + np.exp(-gate)), layer.down)
    expected = x + np.einsum("te,ted->td", gates, out)
    assert layer(x) == pytest.approx(expected, abs=1e-4)


def test_meter_counts_what_the_formulas_say(layer: moe.MoELayer) -> None:
    meter = moe.Meter()
    layer(tokens(11), meter)
    assert meter.flop == sp.moe_flop(11, 16, layer.model)
    # bytes: the router and exactly the experts somebody chose, four bytes a weight
    expert = sp.expert_parameters(48, 16)
    assert meter.bytes == 4 * (48 * 24 + meter.experts * expert)


def test_expected_bytes_agree_with_many_batches(layer: moe.MoELayer) -> None:
    for batch in (1, 4, 16):
        read = []
        for seed in range(200):
            # a router without opinions: fresh random weights for every batch
            fresh = moe.MoELayer(
                np.random.default_rng(seed).standard_normal((48, 24)).astype(np.float32),
                layer.up, layer.gate, layer.down, 3,
            )  # fmt: skip
            meter = moe.Meter()
            fresh(tokens(batch, seed=seed), meter)
            read.append(meter.bytes)
        assert np.mean(read) == pytest.approx(float(sp.moe_bytes(batch, 16, layer.model)), rel=0.05)


def test_all_experts_chosen_is_a_dense_layer() -> None:
    dense = moe.MoELayer.random(16, 8, experts=4, chosen=4)
    meter = moe.Meter()
    dense(tokens(3, 16), meter)
    assert meter.experts == 4
    assert dense.model.n_total == dense.model.n_active


# --- routers


def test_router_is_deterministic_and_chooses_different_experts() -> None:
    router = moe.Router(experts=32, chosen=4, skew=0.5)
    first, again = router(50, seed=3), router(50, seed=3)
    assert (first == again).all()
    assert (np.sort(first, axis=1)[:, 1:] != np.sort(first, axis=1)[:, :-1]).all()


def test_uniform_router_covers_as_the_formula_says() -> None:
    router = moe.Router(experts=64, chosen=2)
    for batch in (1, 8, 32, 96):
        seen = np.mean([moe.coverage(router(batch, seed), 64) for seed in range(150)])
        assert seen == pytest.approx(float(experts_touched(batch, 32)), rel=0.03)


def test_skew_touches_fewer_experts_and_piles_them_up() -> None:
    batch, skews = 64, (0.0, 0.5, 1.0)
    choices = [moe.Router(64, 2, skew)(batch) for skew in skews]
    covered = [moe.coverage(c, 64) for c in choices]
    piled = [moe.imbalance(moe.load(c, 64)) for c in choices]
    assert covered == sorted(covered, reverse=True)
    assert piled == sorted(piled)


def test_groups_limit_the_choice() -> None:
    router = moe.Router(experts=64, chosen=8, groups=8, groups_chosen=2)
    choices = router(200)
    assert max(len(np.unique(row // 8)) for row in choices) <= 2


def test_means_over_a_few_batches() -> None:
    router = moe.Router(experts=8, chosen=2, skew=1.0)
    batches = [router(50, i) for i in range(3)]
    loads = [moe.load(b, 8) for b in batches]
    assert moe.mean_coverage(router, 50, 3) == np.mean([moe.coverage(b, 8) for b in batches])
    assert moe.mean_imbalance(router, 50, 3) == np.mean([x.max() / x.mean() for x in loads])
    # two GPUs of four experts each: the halves of the load
    pairs = np.repeat(np.eye(2), 4, axis=1)
    halves = [np.array([x[:4].sum(), x[4:].sum()]) for x in loads]
    by_hand = np.mean([x.max() / x.mean() for x in halves])
    assert moe.mean_imbalance(router, 50, 3, pairs) == pytest.approx(by_hand)


def test_packing_evens_the_load() -> None:
    router = moe.Router(64, 4, skew=0.8)
    known, later = (moe.load(router(4000, seed), 64).astype(float) for seed in (0, 1))
    plain = later.reshape(16, 4).sum(axis=1)
    plans = moe.packing(known, 16), moe.packing(known, 16, spare=16)
    for plan in plans:
        assert plan.sum(axis=0) == pytest.approx(np.ones(64))
    packed, spared = (moe.imbalance(plan @ later) for plan in plans)
    assert moe.imbalance(plain) > packed > spared >= 1


def test_packing_by_hand() -> None:
    # loads 9, 1, 1, 1 on two GPUs: 9 + 1 against 1 + 1. Two spare slots: 9 is cut in three
    loads = np.array([9.0, 1, 1, 1])
    assert sorted(moe.packing(loads, 2) @ loads) == [2, 10]
    assert sorted(moe.packing(loads, 2, spare=2) @ loads) == [5, 7]


# --- facts and bad input


def test_published_exchanges_gain() -> None:
    found = moe.exchanges()
    assert len(found) >= 4
    assert all(1 < e.gain < e.sparsity for e in found)
    clark = next(e for e in found if "Clark" in e.name)
    assert clark.exponent == pytest.approx(np.log(1.3 / 0.37) / np.log(64))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"experts": 8, "chosen": 9}, "chosen = 9"),
        ({"experts": 8, "chosen": 2, "groups": 3}, "groups = 3"),
        ({"experts": 8, "chosen": 2, "groups": 2, "groups_chosen": 3}, "groups_chosen = 3"),
        ({"experts": 8, "chosen": 6, "groups": 4, "groups_chosen": 2}, "do not fit"),
    ],
)
def test_router_refuses(arguments: dict[str, int], says: str) -> None:
    with pytest.raises(InputError, match=says):
        moe.Router(**arguments)


def test_formulas_refuse() -> None:
    with pytest.raises(InputError, match="sparsity"):
        sp.exchange_gain(0.5, 0.3)
    with pytest.raises(InputError, match="batch"):
        sp.sparsity_for_users(0, 0, SERVED, RACK)
    with pytest.raises(InputError, match="not defined"):
        sp.exchange_exponent(1, 1)
    with pytest.raises(InputError, match="dealt evenly"):
        moe.packing(np.ones(10), 4)


# --- by hand, with bytes, widths and batches that are not 1


def test_formulas_by_hand_at_two_bytes_and_half_a_byte() -> None:
    wide = LAYER.replace(bytes_per_param=2)
    # router 1000 weights, 2 of 10 experts of 15,000: 31,000 weights of two bytes
    assert sp.moe_bytes(1, 50, wide) == pytest.approx(62_000)
    # two tokens: each expert is missed with probability 0.8^2, so 10 x 0.36 = 3.6 are read
    assert sp.moe_bytes(2, 50, wide) == pytest.approx(2 * (1000 + 3.6 * 15_000))
    # s = 4, E/k = 5: f = 3/4; two tokens: 1/4 + 3/4 x 5 x 0.36 = 1.6 of the active weights
    assert sp.expert_share(LAYER) == pytest.approx(0.75)
    assert sp.weight_bytes_read(2, wide) == pytest.approx(2 * 1.6e9)
    # half a byte: twice the parameters fit, and twice the sparsity
    half = SERVED.replace(bytes_per_param=0.5)
    assert sp.sparsity_that_fits(2400, 1000, half, RACK) == pytest.approx(199.952)
    assert sp.largest_sparsity(0, half, RACK) == pytest.approx(200)
    assert sp.sparsity_for_users(2400, 0, half, RACK) == pytest.approx(16)
    assert sp.exchange_gain(64, 1 / 3) == pytest.approx(4)


def test_expected_imbalance_by_hand() -> None:
    # 4 of 64 experts, 256 tokens: 16 each; 1 + sqrt(2 ln 64 (15/16) / 16) = 1.698
    m = Model(n_total=4e9, n_active=1e9, experts=64, experts_active=4)
    assert sp.expected_imbalance(256, m) == pytest.approx(1.698, abs=5e-4)


def test_popularity_by_hand() -> None:
    # Zipf over four experts: 1, 1/2, 1/3 and 1/4 of a sum of 25/12
    choices = moe.Router(4, 1, skew=1.0, shuffle=False)(20_000)
    wanted = np.array([12, 6, 4, 3]) / 25
    assert moe.load(choices, 4) / 20_000 == pytest.approx(wanted, abs=0.015)
    # far more popular than any noise: everybody takes the first two, the first of them first
    assert (moe.Router(6, 2, skew=500.0, shuffle=False)(50) == [0, 1]).all()
    shuffled = moe.Router(64, 1, skew=500.0)(50)
    assert len(np.unique(shuffled)) == 1 and shuffled[0, 0] != 0


def test_a_group_is_judged_by_its_two_best() -> None:
    router = moe.Router(experts=12, chosen=2, groups=3, groups_chosen=1)
    # sums of the two best: 200, 150, 180; the single best is in the second, the three best third
    popular = np.array([100, 100, 0, 0, 150, 0, 0, 0, 90, 90, 90, 0]) * 1e3
    object.__setattr__(router, "_popularity", popular)
    assert (np.sort(router(30), axis=1) == [0, 1]).all()


def test_what_a_router_may_just_do() -> None:
    assert moe.Router(8, 1)(5).shape == (5, 1)
    assert (np.sort(moe.Router(8, 8)(5), axis=1) == np.arange(8)).all()
    full = moe.Router(8, 4, groups=4, groups_chosen=2)  # all of the two groups
    assert all(len(np.unique(row // 2)) == 2 for row in full(20))
    for wrong, says in (
        ({"chosen": 0}, "chosen = 0"),
        ({"chosen": 2, "groups": 0}, "groups = 0"),
        ({"chosen": 2, "groups_chosen": 0}, "groups_chosen = 0"),
        ({"chosen": 5, "groups": 4, "groups_chosen": 2}, "do not fit"),
    ):
        with pytest.raises(InputError, match=says):
            moe.Router(8, **wrong)


def test_coverage_and_imbalance_by_hand() -> None:
    choices = np.array([[0, 1], [0, 3]])
    assert (moe.load(choices, 5) == [2, 1, 0, 1, 0]).all()
    assert moe.coverage(choices, 5) == 0.6
    assert moe.imbalance(moe.load(choices, 5)) == pytest.approx(2 / 0.8)
    assert (moe.top(np.array([[3.0, 9, 1, 7]]), 3) == [1, 3, 0]).all()


def test_packing_deals_the_heaviest_first() -> None:
    # 6 a, 5 b, 4 b, 3 a, 2 a, 1 b: 11 and 10; the lightest first would end at 9 and 12
    loads = np.array([1.0, 2, 3, 4, 5, 6])
    assert sorted(moe.packing(loads, 2) @ loads) == [10, 11]


def test_random_weights_keep_the_scale() -> None:
    big = moe.MoELayer.random(d_model=400, width=100, experts=4, chosen=2)
    for weights, inputs in ((big.router, 400), (big.up, 400), (big.gate, 400), (big.down, 100)):
        assert weights.std() == pytest.approx(inputs**-0.5, rel=0.05)
        assert weights.dtype == np.float32
    m = big.model
    # router 1600 weights, an expert 3 x 400 x 100 = 120,000
    assert (m.n_total, m.n_active) == (481_600, 241_600)
    assert (m.bytes_per_param, m.experts, m.experts_active, m.layers) == (4, 4, 2, 1)


def test_published_exchanges_by_hand() -> None:
    found = {e.name: e for e in moe.exchanges()}
    clark, glam = found["Lecture (Clark 2022)"], found["GLaM 64B/64E"]
    assert clark.sparsity == 64 and clark.same_data
    # 1200 billion of which 96.6 are active, as good as 175 on other data
    assert (glam.year, glam.same_data) == (2021, False)
    assert glam.sparsity == pytest.approx(1200 / 96.6)
    assert glam.gain == pytest.approx(175 / 96.6)
    # DeepSeek-V3: 58 sparse layers, 256 experts of 3 x 7168 x 2048, 8 of them for a token
    one = 58 * 3 * 7168 * 2048
    assert moe.routed_parameters("DeepSeek-V3") == pytest.approx((256 * one, 8 * one))


def test_large_scores_do_not_overflow(layer: moe.MoELayer) -> None:
    # scores of thousands: the best expert takes all, and stays a number
    sure = moe.MoELayer(1000 * layer.router, layer.up, layer.gate, layer.down, 3)
    one = moe.MoELayer(sure.router, layer.up, layer.gate, layer.down, 1)
    x = tokens(3)
    gap = -np.diff(-np.sort(-(x @ sure.router)))[:, 0]
    assert gap.min() > 20
    assert sure(x) == pytest.approx(one(x), abs=1e-4)


def test_spare_copies_count_when_experts_are_dealt() -> None:
    assert moe.packing(np.ones(9), 5, spare=1).shape == (5, 9)
    with pytest.raises(InputError, match=r"9 \+ 2 copies cannot be dealt evenly to 7"):
        moe.packing(np.ones(9), 7, spare=2)


def test_copies_are_dealt_by_what_each_has_to_do():
    """Loads 4, 3, 1 and one copy more, of the first: halves of 2 on one GPU, 3 and 1 on the other."""
    loads = np.array([4.0, 3.0, 1.0])
    plan = moe.packing(loads, 2, 1)
    assert sorted(plan @ loads) == [4, 4] and (plan.sum(axis=0) == 1).all()


def test_exchanges_are_sparse_by_parameters_or_else_by_experts():
    for row, made in zip(catalog.table("exchange"), moe.exchanges(), strict=True):
        pair = ("total_params_b", "active_params_b") if row["total_params_b"] else ("experts", "experts_active")  # fmt: skip
        assert made.sparsity == float(row[pair[0]]) / float(row[pair[1]]) > 1


def test_experts_tell_how_sparse_where_parameters_do_not(monkeypatch):
    row = catalog.table("exchange")[0] | {
        "experts": "64",
        "experts_active": "4",
        "total_params_b": "",
    }
    monkeypatch.setattr(moe, "table", lambda name: [row])
    assert moe.exchanges()[0].sparsity == 16


def test_the_best_of_many_scores():
    scores = np.random.default_rng(0).permuted(np.arange(64.0)[None].repeat(20, 0), axis=1)
    for chosen in (1, 2, 8, 64):
        best = np.take_along_axis(scores, moe.top(scores, chosen), axis=1)
        assert (best == np.arange(63, 63 - chosen, -1)).all()
