"""Pricing: known answers worked by hand, limits, identities, and what must be refused."""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from memwall import LayerGroup, batching, catalog, layers, pricing, roofline
from memwall.catalog import MemoryDevice, Price
from memwall.claims import get
from memwall.core.nouns import MissingFact, Model, System
from memwall.core.units import DAY, HOUR, MINUTE, InputError

LIFE = 5 * 365 * DAY
M = Model(n_total=800e9, n_active=100e9, bytes_per_param=1, kv_bytes_per_token=1000)
S = System(flops=4.8e15, bandwidth=8e12, capacity=1e12, dollars_per_second=0.01)
SIZE = st.floats(1e-3, 1e3)


def near(a, b, rel=1e-9):
    return np.allclose(float(a), float(b), rtol=rel, atol=0)


def device(price, drain, name="device"):
    return MemoryDevice(
        capacity=1e12, bandwidth=1e12 / drain, dollars_per_byte=price * 1e-9, name=name
    )


# --- context ---


def test_kink_by_hand():
    # h = 4.8e15 / (2 * 8e12) = 300, s = 8, L* = 2 * 1e11 * 8e12 / (4.8e15 * 1000) = 333,333;
    # at B = 7,200 the weights take a third of the arithmetic's time, so two thirds of L* are left
    assert near(pricing.kink_context(7200, M, S), 2 / 3 * 1e6 / 3)


def test_no_flat_part_at_or_below_the_balance_batch():
    assert pricing.kink_context(2400, M, S) == 0
    assert pricing.kink_context(10, M, S) == 0


def test_kink_tends_to_the_balanced_context():
    assert near(pricing.kink_context(1e15, M, S), roofline.balanced_context(M, S))


@given(batch=st.floats(2401, 1e8), share=st.floats(0, 3))
def test_cost_is_flat_up_to_the_kink_and_rises_beyond(batch, share):
    kink = pricing.kink_context(batch, M, S)
    cost = batching.cost_per_token(batch, share * kink, M, S)
    floor = batching.cost_floor(0, M, S)
    assert near(cost, floor, 1e-6) if share <= 1 else cost >= floor * (1 - 1e-9)
    # at the kink itself the two clocks agree
    assert near(roofline.memory_time(batch, kink, M, S), roofline.compute_time(batch, M, S), 1e-6)


def test_kink_is_what_sympy_solves():
    b, length = sp.symbols("batch context", positive=True)
    m, s = Model.symbolic(), System.symbolic()
    clocks = sp.Eq(roofline.compute_time(b, m, s), roofline.memory_time(b, length, m, s))
    found = sp.solve(clocks, length)[0]
    ours = roofline.balanced_context(m, s) * (1 - roofline.balance_batch(m, s) / b)
    assert sp.simplify(found - ours) == 0


def test_implied_cache_undoes_the_balanced_context():
    # 100e9 / (300 * 200,000) = 1,666.7 bytes
    k = pricing.implied_cache_bytes(200_000, M, S)
    assert near(k, 100e9 / 300 / 200_000)
    assert near(roofline.balanced_context(M.replace(kv_bytes_per_token=k), S), 200_000)


def test_head_cache_matches_the_catalog():
    # Llama-3.1-70B: 8 KV heads of 128 in 80 layers, bf16: 2 * 8 * 128 * 80 * 2 = 327,680
    llama = catalog.model("Llama-3.1-70B")
    assert pricing.head_cache_bytes(8, 128, 80, 2) == llama.kv_bytes_per_token == 327_680


def test_staircase():
    price = pricing.staircase_price(np.array([1, 200_000, 200_001]), 200_000, 1e-5, 1.5)
    assert np.allclose(price, [1e-5, 1e-5, 1.5e-5])


def test_steps_of_the_price_lists():
    steps = pricing.price_steps()
    assert len(steps) >= 6
    for below, above in steps:
        assert below.context_to == above.context_from
        assert above.input > below.input
    gemini = next(s for s in steps if s[0].name == "Gemini 3.1 Pro preview")
    # 2 -> 4 for input, 12 -> 18 for output
    assert near(gemini[1].input / gemini[0].input, 2)
    assert near(gemini[1].output / gemini[0].output, 1.5)


def test_price_ratios_leave_out_what_is_not_listed():
    lines = [Price(input=2e-6, output=12e-6), Price(input=1e-6), Price(output=1e-6)]
    assert np.allclose(pricing.price_ratios("output", "input", lines), [6])
    assert len(pricing.price_ratios("output", "input")) == len(catalog.prices())


# --- passes ---


def test_decode_is_a_pass_of_one():
    assert pricing.pass_time(500, 1, 4000, M, S) == roofline.step_time(500, 4000, M, S)
    assert pricing.pass_cost(500, 1, 4000, M, S) == batching.cost_per_token(500, 4000, M, S)


def test_crossing_length_by_hand():
    # h s / B = 2400 / 600 = 4, L / L* = 1/2
    half = roofline.balanced_context(M, S) / 2
    assert near(pricing.crossing_length(600, half, M, S), 4.5)


@given(batch=st.floats(1, 1e6), context=st.floats(0, 1e7), length=st.floats(1, 1e5))
def test_a_pass_costs_more_and_its_tokens_less_the_longer_it_is(batch, context, length):
    short, long = (pricing.pass_time(batch, f * length, context, M, S) for f in (1, 2))
    assert short <= long <= 2 * short * (1 + 1e-9)
    costs = [pricing.pass_cost(batch, f * length, context, M, S) for f in (1, 2)]
    assert costs[1] <= costs[0] * (1 + 1e-9)
    # beyond the crossing a token costs its arithmetic
    beyond = max(float(pricing.crossing_length(batch, context, M, S)), 1) * 1.001
    assert near(pricing.pass_cost(batch, beyond, context, M, S), pricing.recompute_cost(M, S), 1e-6)


@given(st.floats(1, 1e6), st.floats(0, 1e7))
def test_decode_over_prefill_is_the_crossing_length(batch, context):
    crossing = float(pricing.crossing_length(batch, context, M, S))
    decode = pricing.pass_cost(batch, 1, context, M, S)
    assert near(decode / pricing.recompute_cost(M, S), max(crossing, 1), 1e-6)


def test_five_fold_needs_five_kinks_of_context():
    # h s / B + L / L* = 5 and kink = L* (1 - h s / B): L / kink = (5 - x) / (1 - x), least at x = 0
    for share in (0, 0.25, 0.5, 0.9):
        batch = 1e15 if share == 0 else 2400 / share
        tie = roofline.balanced_context(M, S)
        five = (5 - share) * tie
        assert near(pricing.crossing_length(batch, five, M, S), 5, 1e-6)
        assert five / pricing.kink_context(batch, M, S) >= 5 * (1 - 1e-9)


# --- hits ---


def test_recompute_by_hand():
    # 2 * 100e9 / 4.8e15 s = 41.7 us at $0.01 a second
    assert near(pricing.recompute_cost(M, S), 2e11 / 4.8e15 * 0.01)


@given(SIZE, SIZE, SIZE, SIZE)
def test_break_even_is_context_times_drain(k, flops, bandwidth, capacity):
    m = M.replace(kv_bytes_per_token=1000 * k)
    s = System(4.8e15 * flops, 8e12 * bandwidth, capacity=1e12 * capacity, dollars_per_second=1)
    hold = pricing.break_even_hold(m, s)
    assert near(pricing.hbm_hold_cost(hold, m, s), pricing.recompute_cost(m, s))
    assert near(hold, roofline.balanced_context(m, s) * roofline.drain_time(s))
    # neither the rent nor the bandwidth matters: 2 N_a C / (F k)
    assert near(hold, 2 * m.n_active * s.capacity / (s.flops * m.kv_bytes_per_token))


def test_device_by_hand():
    # 1000 B at $20/GB over 1e8 s is 2e-13 $/s; held 10 s, read as if held 5 s more
    d = device(price=20, drain=5)
    assert near(pricing.device_hold_cost(10, 1e8, M, d), 1000 * 20e-9 / 1e8 * 15)


@given(price=SIZE, drain=SIZE, hold=SIZE)
def test_bytes_and_reading_share_the_bill_at_the_drain_time(price, drain, hold):
    d = device(price, drain)
    reading = pricing.device_hold_cost(0, LIFE, M, d)
    assert near(pricing.device_hold_cost(drain, LIFE, M, d), 2 * reading)
    assert near(pricing.device_hold_cost(hold, LIFE, M, d), reading * (1 + hold / drain))


@given(price=SIZE, drain=SIZE)
def test_device_break_even(price, drain):
    d = device(price, drain)
    hold = pricing.device_break_even(LIFE, M, S, d)
    cost = pricing.device_hold_cost(hold, LIFE, M, d)
    assert near(cost, pricing.recompute_cost(M, S), 1e-6) or (
        hold == 0 and cost > pricing.recompute_cost(M, S)
    )


@given(price=st.floats(1.1, 1e3), drain=st.floats(1.1, 1e5))
def test_crossover_is_where_two_devices_cost_the_same(price, drain):
    close, far = device(price, 1), device(1, drain)
    hold = pricing.tier_crossover(close, far)
    costs = [pricing.device_hold_cost(hold, LIFE, M, d) for d in (close, far)]
    if hold > 0:
        assert near(costs[0], costs[1], 1e-6)
    else:
        assert costs[1] <= costs[0] * (1 + 1e-9)


def test_crossover_wants_the_cheaper_device_second():
    with pytest.raises(InputError, match="disk is not cheaper per byte than DDR"):
        pricing.tier_crossover(device(1, 1, "DDR"), device(2, 100, "disk"))


def test_ladder_of_the_catalog():
    ddr, flash, disk = map(
        catalog.memory_device, ("256 GB RDIMM", "Micron 9650 PRO 30.72", "Toshiba MG11")
    )
    drains = [pricing.device_drain_time(d) for d in (ddr, flash, disk)]
    assert near(drains[0], 256 / 38.4) and near(drains[1], 30720 / 28)
    assert drains[0] < MINUTE < drains[1] < HOUR < 12 * HOUR < drains[2] < 2 * DAY
    # seconds in DDR, then flash; about an hour in flash, then disk
    assert pricing.tier_crossover(ddr, flash) < MINUTE
    assert 0.3 * HOUR < pricing.tier_crossover(flash, disk) < 3 * HOUR


def test_loading_rate_equals_recomputing():
    # a cache that arrives at W / L* takes as long as 2 N_a / F a token
    seconds = M.kv_bytes_per_token / pricing.loading_rate(M, S)
    assert near(seconds, 2 * M.n_active / S.flops)


def test_hits_to_repay():
    assert near(pricing.hits_to_repay(1.25, 0.1), 0.25 / 0.9)
    assert pricing.hits_to_repay(1, 0.1) == 0  # a free write is repaid at once
    assert pricing.hits_to_repay(2, 1) == np.inf  # a hit that saves nothing never repays
    with pytest.raises(InputError, match="write_ratio"):
        pricing.hits_to_repay(0.5, 0.1)
    with pytest.raises(InputError, match="read_ratio"):
        pricing.hits_to_repay(1.25, 1.5)


def test_hold_options_are_the_formulas():
    d = device(1, 10, "flash")
    hold = np.array([1.0, 100.0])
    options = pricing.hold_options(hold, LIFE, M, S, [d])
    assert list(options) == ["recompute", "HBM", "flash"]
    assert np.allclose(options["recompute"], pricing.recompute_cost(M, S))
    assert np.allclose(options["HBM"], pricing.hbm_hold_cost(hold, M, S))
    assert np.allclose(options["flash"], pricing.device_hold_cost(hold, LIFE, M, d))


GAPS = st.lists(st.floats(0, 1e6), min_size=1, max_size=50)


@given(gaps=GAPS, break_even=st.floats(1, 1e5))
def test_waiting_for_the_break_even_time_never_costs_twice_the_best(gaps, break_even):
    best = pricing.foresight_cost(gaps, break_even)
    assert pricing.timeout_cost(gaps, break_even, break_even) <= 2 * best * (1 + 1e-9)
    for timeout in (0, 1, break_even, 10 * break_even):
        assert pricing.timeout_cost(gaps, timeout, break_even) >= best * (1 - 1e-9)


def test_timeout_by_hand():
    # break-even 10 s, timeout 5 s: the first gap of 4 s is held, 0.4; the second times out after
    # 5 s, 0.5 of rent and then a recomputation
    assert near(pricing.timeout_cost([4, 20], 5, 10), (0.4 + 1.5) / 2)
    assert near(pricing.foresight_cost([4, 20], 10), (0.4 + 1) / 2)


@pytest.mark.parametrize("gaps", [[], [-1.0], [float("nan")]])
def test_gaps_must_be_times(gaps):
    for cost in (lambda g: pricing.timeout_cost(g, 1, 1), lambda g: pricing.foresight_cost(g, 1)):
        with pytest.raises(InputError, match="gaps"):
            cost(gaps)


# --- attention ---


def test_onset_of_attention_arithmetic():
    # DeepSeek-V3, absorbed: 37e9 / (61 * 128 * (576 + 512)) = 4,355 tokens
    v3 = catalog.model("DeepSeek-V3")
    assert near(pricing.attention_context(v3), 37e9 / (61 * 128 * 1088))
    # written out, keys 128 + 64 wide and values 128 wide: 37e9 / (61 * 128 * 320) = 14,808
    assert near(pricing.attention_context(v3.replace(attention_width=128 * 320)), 14_808, 1e-4)


def test_attention_equals_weights_at_its_onset():
    m = Model(n_total=8e9, n_active=8e9, layers=32, attention_width=8192)
    onset = pricing.attention_context(m)
    assert near(pricing.attention_flop(onset, m), roofline.step_flop(1, m))


def test_onset_over_balance_is_the_identity():
    # L_q / L* = h * element bytes / (w g): here h = 300, one byte each, g = 8 queries a KV head
    elements = 1000
    m = M.replace(layers=10, attention_width=elements / 10 * 8)
    assert near(pricing.attention_context(m) / roofline.balanced_context(m, S), 300 / 8)


def read_and_kept(name, context):
    groups = catalog.checkpoint(name).groups
    return [sum(f(context, g) for g in groups) for f in (layers.read_bytes, layers.held_bytes)]


def test_the_newest_caches_read_what_the_price_step_implies():
    read, kept = read_and_kept("DeepSeek-V4-Pro", 200_000)
    # 61 windows of 128, 31 x 1,562.5 entries, 30 x 1,024 chosen of 50,000 with a key of 132 B each
    by_hand = (61 * 128 + 31 * 1562.5 + 30 * 1024) * 1024 + 30 * 50_000 * 132
    assert near(read, by_hand)
    assert 1400 < read / 200_000 < 1667 < kept / 200_000 < 9000


def test_v4_pro_needs_the_share_of_v32_that_its_makers_state():
    flop = {}
    for name in ("DeepSeek-V4-Pro", "DeepSeek-V3.2"):
        c = catalog.checkpoint(name)
        flop[name] = 2 * c.n_active + sum(layers.attention_flop(1e6, g) for g in c.groups)
    assert abs(flop["DeepSeek-V4-Pro"] / flop["DeepSeek-V3.2"] - 0.27) < 0.01


def test_gain_of_choosing_saturates():
    chosen = LayerGroup(layers=61, entry=576, read_cap=2048, index=128)
    gains = [L * 61 * 1152 / layers.read_bytes(L, chosen) for L in (1e4, 1e5, 1e6, 1e9)]
    assert gains == sorted(gains) and near(gains[-1], 9, 1e-3)


# --- refusals and claims ---


def test_missing_facts_are_named():
    with pytest.raises(MissingFact, match="capacity"):
        pricing.break_even_hold(M, System(1e15, 1e12))
    with pytest.raises(MissingFact, match="dollars_per_byte"):
        pricing.device_hold_cost(1, 1, M, MemoryDevice(capacity=1e12, bandwidth=1e9))


@pytest.mark.parametrize(
    "call",
    [
        lambda: pricing.kink_context(0, M, S),
        lambda: pricing.implied_cache_bytes(-1, M, S),
        lambda: pricing.pass_time(1, 0, 0, M, S),
        lambda: pricing.hbm_hold_cost(float("nan"), M, S),
        lambda: pricing.device_drain_time(S),
        lambda: pricing.timeout_cost([1], -1, 1),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(InputError):
        call()


@pytest.mark.parametrize(
    ("id", "value", "unit"),
    [
        ("X4", 1666.6667, "byte/token"),  # 100e9 / 300 / 200,000
        ("X7", 2048, "byte/token"),
        ("X9", 37e9 / 300 / 70_272, "tokens"),
        ("X13", 0.2, "1"),
        ("X17", 2e11 / (72 * 4.5e15) * 144 / 3600 * 1e6, "$/Mtok"),
        ("X20", 4000, "s"),  # 200,000 * 0.02
        ("X21", 0.25 / 0.9, "1"),
        ("X23", 7680 / 14, "s"),
        ("X25", 100e9 / (1667 * 8), "tokens"),
        ("X27", 1.667e11, "byte"),
    ],
)
def test_headline_numbers(id, value, unit):
    claim = get(id)
    assert near(claim.computed(), value, 1e-6)
    assert claim.unit == unit


def test_a_gap_as_long_as_the_timeout_ends_in_time():
    assert pricing.timeout_cost([2.0], timeout=2.0, break_even=2.0) == 1.0
    assert pricing.timeout_cost([2.1], timeout=2.0, break_even=2.0) == 2.0
