"""Passes and deployments: known answers by hand, limits, orderings, and arrays against numbers."""

import dataclasses

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from memwall import InputError, catalog
from memwall.core.checkpoint import Checkpoint, LayerGroup, Part
from memwall.core.nouns import Engine, Layout, System, Unknown, Workload
from memwall.core.units import human
from memwall.formulas import deployment as dp
from memwall.formulas import forecast, passes
from memwall.formulas.forecast import IDEAL, Efficiency
from memwall.formulas.layers import attention_flop

# round numbers: 10 layers, 8 of them routed, 64 experts of which 8 work
GQA = LayerGroup(layers=10, entry=2048, width=8192, prompt_width=8192, kv_heads=8, query_heads=64)
PARTS = (
    Part(1e9, 0, 2.0, kind="embedding"),
    Part(1e9, 1e9, 2.0, kind="head"),
    Part(10e9, 10e9, 1.0, "fp8", kind="attention"),
    Part(64e9, 8e9, 1.0, "fp8", kind="routed"),
    Part(1e9, 0, 1.0, "fp8", kind="predictor"),
)
MOE = Checkpoint(
    "moe", (GQA,), PARTS, layers=10, d_model=8192, experts=64, experts_active=8, routed_layers=8
)
DENSE = Checkpoint(
    "dense", (GQA,), (PARTS[1], PARTS[2], Part(30e9, 30e9, 1.0, "fp8", kind="dense")),
    layers=10, d_model=8192, experts=1, experts_active=1, routed_layers=0,
)  # fmt: skip
BOX = System(
    flops=8 * 2e15, bandwidth=8 * 4e12, capacity=8 * 100e9, scale_up=8 * 400e9, scale_out=8 * 50e9,
    chips=8, domain=8, bf16_flops=8 * 1e15, fp8_flops=8 * 2e15, fp4_flops=8 * 4e15,
    dollars_per_second=8 * 0.001, torus=0,
)  # fmt: skip
SERVER = Efficiency(
    compute=0.8,
    bandwidth=0.8,
    link=0.4,
    launch=8e-6,
    round=4e-6,
    steps=8.0,
    uneven=0.4,
    widening=100.0,
)


def test_a_decode_step_by_hand():
    work = passes.decode_pass(64, 1000, MOE, BOX, Layout(tp=8))
    # 64 tokens x 2 x (10e9 at 2 PFLOP/s + 1e9 at 1), cut over 8 chips
    assert work.dense_arithmetic == pytest.approx(64 * (2 * 10e9 / 2e15 + 2 * 1e9 / 1e15) / 8)
    assert work.dense_reading == pytest.approx((10e9 + 2e9) / 8 / 4e12)
    assert work.expert_arithmetic == pytest.approx(64 * 2 * 8e9 / 8 / 2e15)
    touched = 64e9 * (1 - (1 - 8 / 64) ** 64)
    assert work.expert_reading == pytest.approx(touched / 8 / 4e12)
    # 2 x 8192 multiply-adds an entry and layer, 64 heads over 8 chips
    assert work.attention_arithmetic == pytest.approx(64 * 2 * 8192 * 1000 * 10 / 8 / 1e15)
    # 8 heads over 8 chips: each chip reads its own
    assert work.cache_reading == pytest.approx(64 * 2048 * 2 * 1000 * 10 / 8 / 4e12)
    # two sums a layer, 2 x 7/8 of 64 x 8192 numbers of 2 bytes, at 400 GB/s
    assert work.exchange == pytest.approx(20 * 2 * 7 / 8 * 64 * 8192 * 2 / 400e9)
    # in each layer three products of attention in turn, and four of its chosen experts in eight
    assert work.launches == 10 * 3 + 8 * 4
    assert work.rounds == pytest.approx(20 * 3)


def test_attention_parallelism_copies_attention_and_exchanges_tokens():
    cut, spread = (
        passes.decode_pass(64, 1000, MOE, BOX, layout) for layout in (Layout(tp=8), Layout(dp=8, ep=8))
    )  # fmt: skip
    assert spread.dense_reading == pytest.approx(8 * cut.dense_reading)
    assert spread.dense_arithmetic == pytest.approx(cut.dense_arithmetic)
    assert spread.cache_reading == pytest.approx(cut.cache_reading)
    assert spread.expert_reading == pytest.approx(cut.expert_reading)
    assert spread.launches == cut.launches
    # no sums (tp = 1); there and back in 8 layers, to all at once
    assert spread.rounds == pytest.approx(2 * 8)
    hit = 8 * (1 - (1 - 8 / (64 - 3.5)) ** 8) * 7 / 8
    assert spread.exchange == pytest.approx(8 * 64 / 8 * 8192 * 3 * hit / 400e9)


def test_a_latent_is_read_by_every_chip_that_cuts_its_heads():
    mla = Checkpoint("mla", (LayerGroup(layers=10, entry=576, query_heads=128),), PARTS, layers=10,
                     d_model=8192, experts=64, experts_active=8, routed_layers=8)  # fmt: skip
    cut, spread = (
        passes.cache_reading_time(8, 1000, mla, BOX, layout) for layout in (Layout(tp=8), Layout(dp=8))
    )  # fmt: skip
    assert cut == pytest.approx(8 * spread)


def test_a_prompt_attends_to_half_of_itself():
    work = passes.prompt_pass(1, 1000, 0, MOE, BOX, Layout(tp=8))
    pairs = 1000 * 1001 / 2
    assert work.attention_arithmetic == pytest.approx(2 * 8192 * pairs * 10 / 8 / 1e15)
    assert work.cache_reading == 0
    assert work.dense_arithmetic == pytest.approx(
        1000 / 64 * passes.decode_pass(64, 1, MOE, BOX, Layout(tp=8)).dense_arithmetic
    )


def test_guessed_tokens_cost_arithmetic_and_no_reading_of_caches():
    one, three = (passes.decode_pass(8, 1000, DENSE, BOX, Layout(tp=8), tokens=n) for n in (1, 3))
    assert three.dense_arithmetic == pytest.approx(3 * one.dense_arithmetic)
    assert three.attention_arithmetic == pytest.approx(3 * one.attention_arithmetic)
    assert three.cache_reading == one.cache_reading
    assert three.dense_reading == one.dense_reading


def test_the_floor_counts_on_few_experts():
    for tokens in (1, 8, 64, 4096):
        work = passes.decode_pass(tokens, 0, MOE, BOX, Layout(tp=8))
        low = passes.least(work, tokens, MOE, BOX, Layout(tp=8))
        assert low.expert_reading <= work.expert_reading
        assert low.expert_reading >= 8e9 / 8 / 4e12 * (1 - 1e-12)  # one token's experts
        assert (
            forecast.pass_floor(low) <= forecast.pass_floor(work) <= forecast.pass_time(work, IDEAL)
        )
    dense = passes.decode_pass(8, 0, DENSE, BOX, Layout(tp=8))
    assert passes.least(dense, 8, DENSE, BOX, Layout(tp=8)) is dense


def test_the_waterfall_rises_from_the_floor_to_the_forecast():
    work = passes.decode_pass(64, 1000, MOE, BOX, Layout(tp=8))
    steps = forecast.waterfall(work, SERVER)
    values = [float(v) for _, v in steps]
    assert [name for name, _ in steps] == ["floor", *forecast.TERMS]
    assert values == sorted(values) and values[0] == forecast.pass_floor(work)
    assert values[-1] == pytest.approx(forecast.pass_time(work, SERVER))


def test_parts_add_up_and_have_the_names_of_the_book():
    work = passes.decode_pass(64, 1000, MOE, BOX, Layout(tp=8))
    parts = forecast.parts(work, SERVER)
    assert list(parts) == ["weights", "experts", "attention", "exchange", "launches"]
    assert sum(parts.values()) == pytest.approx(forecast.pass_time(work, SERVER))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 4096), st.integers(1, 200_000), st.sampled_from([1, 2, 4, 8]))
def test_more_users_and_longer_contexts_never_shorten_a_step(users, context, tp):
    layout = Layout(tp=tp)

    def step(b, c):
        return float(forecast.pass_time(passes.decode_pass(b, c, MOE, BOX, layout), SERVER))

    assert step(users, context) <= step(users + 1, context) <= step(users + 1, 2 * context)


# --- a deployment


def deployed(checkpoint=MOE, layout=None, **workload):
    layout = Layout(tp=8) if layout is None else layout
    return dp.deployment(checkpoint, BOX, layout, Workload(**workload), Engine(), SERVER)


def test_one_user_alone_waits_for_nobody():
    r = deployed(users=1, prompt=1000, output=100)
    assert r.running == 1 and r.time_per_token == pytest.approx(r.step)
    assert r.request_rate == pytest.approx(1 / (r.first_token + 99 * r.step))
    assert r.request_cost == pytest.approx(0.008 / r.request_rate)
    assert r.output_cost == pytest.approx(0.008 * r.step)


def test_guesses_by_hand():
    """Dense, one user: a step of 1 + k tokens, a head of one layer more for each, over the tokens kept."""
    at = {"users": 1, "prompt": 1000, "output": 100}
    plain, guessed = (
        dp.deployment(DENSE, BOX, Layout(tp=8), Workload(**at), Engine(drafts=k, acceptance=0.5), IDEAL)
        for k in (0, 2)
    )  # fmt: skip
    assert guessed.kept == pytest.approx(1.75) and plain.kept == 1
    read = 1 + 2 / DENSE.layers
    assert guessed.step_parts["weights"] == pytest.approx(read * plain.step_parts["weights"])
    assert guessed.step == pytest.approx(sum(guessed.step_parts.values()))
    assert guessed.time_per_token == pytest.approx(guessed.step / 1.75)


def test_what_does_not_fit_does_not_run():
    few = deployed(users=64, prompt=100_000, output=1000)
    # 92 GB of 100, less a tenth of weights, activations and the allowance, over 10 x 4096 x L / 8
    assert few.largest_concurrency == pytest.approx(
        few.room / (2048 * 2 * 10 / 8 * np.ceil(101_000 / 16) * 16)
    )
    many = deployed(users=1e6, prompt=100_000, output=1000)
    assert many.running == pytest.approx(many.largest_concurrency)


def test_a_cached_prompt_is_read_sooner():
    cold, warm = (deployed(users=16, prompt=8000, cached=share) for share in (0.0, 0.9))
    assert warm.prompt_time < cold.prompt_time and warm.first_token < cold.first_token
    assert warm.time_per_token < cold.time_per_token and warm.step == cold.step


def test_stages_share_out_the_batch_and_lengthen_the_way():
    wide = BOX.replace(chips=16, flops=2 * BOX.flops, bandwidth=2 * BOX.bandwidth,
                       bf16_flops=2 * BOX.bf16_flops, fp8_flops=2 * BOX.fp8_flops,
                       fp4_flops=2 * BOX.fp4_flops, scale_up=2 * BOX.scale_up,
                       scale_out=2 * BOX.scale_out, capacity=2 * BOX.capacity)  # fmt: skip
    r = dp.deployment(DENSE, wide, Layout(tp=8, pp=2), Workload(users=2), Engine(), IDEAL)
    one = dp.deployment(DENSE, BOX, Layout(tp=8), Workload(users=1), Engine(), IDEAL)
    # two users on two stages: each of their tokens takes as long as one user's on one box
    assert r.step == pytest.approx(one.step)
    # half the layers each, and the last stage all of the head's 2 GB, cut by 8
    assert r.weight_bytes == pytest.approx((one.weight_bytes + 2e9 / 8) / 2)


def test_arrays_say_what_numbers_say():
    users = np.array([1.0, 7.0, 64.0, 500.0])
    prompts = np.array([[100.0], [10_000.0]])
    swept = deployed(users=users, prompt=prompts)
    for i, prompt in enumerate(prompts[:, 0]):
        for j, one in enumerate(users):
            alone = deployed(users=float(one), prompt=float(prompt))
            for name in ("step", "time_per_token", "first_token", "request_rate", "step_floor"):
                here = np.broadcast_to(getattr(swept, name), (2, 4))[i, j]
                assert here == pytest.approx(getattr(alone, name), rel=1e-12)


def test_symbols_say_what_numbers_say():
    users, prompt = sp.symbols("users prompt", positive=True)
    traced = deployed(users=users, prompt=prompt, output=300)
    at = {users: sp.Integer(37), prompt: sp.Integer(3000)}
    numbers = deployed(users=37, prompt=3000, output=300)
    for name in dp.RESULTS:
        value = sp.sympify(getattr(traced, name)).xreplace(at)
        assert float(value) == pytest.approx(float(getattr(numbers, name)), rel=1e-9), name


def test_every_result_has_its_words():
    assert set(dp.RESULTS) | {"step_parts", "prompt_parts"} == set(
        dp.Deployment.__dataclass_fields__
    )


def test_a_million_deployments_in_a_sweep_agree_with_one():
    users = np.geomspace(1, 1e4, 1000)
    contexts = np.geomspace(10, 1e5, 1000)[:, None]
    swept = deployed(users=users, prompt=contexts)
    assert swept.step.shape == (1000, 1000)
    one = deployed(users=float(users[500]), prompt=float(contexts[200, 0]))
    assert swept.step[200, 500] == pytest.approx(one.step)


def test_prompts_ahead_grow_as_prompts_fill_the_engine():
    ahead = [
        float(dp.prompts_ahead(0.1, users, 100, 0.02 + (users - 1) * 0.001))
        for users in (1, 10, 100)
    ]
    assert ahead == sorted(ahead)
    assert ahead[0] == pytest.approx(0.05 / (2 * 0.95))  # busy a twentieth of the time
    first = dp.first_token_time(0.02, 0.1, 0.1, 3, IDEAL.replace(steps=5.0))
    assert first == pytest.approx(5 * 0.02 + 3 * 0.1 + 0.1)
    assert attention_flop(1, GQA) == 10 * 2 * 8192  # one entry: all layers, a multiply-add is two


def test_products_in_turn_are_counted_from_the_layers():
    dense, routed, latent = (
        catalog.checkpoint(n) for n in ("Llama-3.1-70B", "gpt-oss-120b", "DeepSeek-V3")
    )
    assert dense.launches == 80 * (3 + 2)
    assert routed.launches == 36 * (3 + 4)
    # a latent is projected and absorbed; three layers are dense, the others have a shared expert too
    assert latent.launches == 61 * 6 + 3 * 2 + 58 * (2 + 4)


def test_weights_stored_narrower_than_they_are_multiplied_are_widened():
    old = BOX.replace(fp8_flops=BOX.bf16_flops, fp4_flops=BOX.bf16_flops)  # a chip of bf16 alone
    for width, machine, widened in (
        ("fp8", BOX, 0), ("fp8", old, 1), ("fp4", BOX, 0), ("fp4", old, 1), ("bf16", BOX, 1),
    ):  # fmt: skip
        part = Part(8e9, 8e9, 0.5, width, kind="dense")
        model = Checkpoint("m", (GQA,), (part,), layers=10, d_model=8192, routed_layers=0)
        found = passes.dense_widening_time(model, machine, Layout(tp=8))
        assert found == pytest.approx(widened * 8e9 / 8 / 1e15)
    wide = Checkpoint("m", (GQA,), (Part(8e9, 8e9, 2.0),), layers=10, d_model=8192)
    assert passes.dense_widening_time(wide, BOX, Layout(tp=8)) == 0


def test_widening_is_arithmetic_and_hides_behind_slower_reading():
    work = passes.Pass(1, 4, 0, 0, 0, 0, exchange=0, launches=0, rounds=0, dense_widening=0.1)
    ideal = forecast.IDEAL
    assert forecast.dense_part(work, ideal.replace(widening=10.0)) == 4
    assert forecast.dense_part(work, ideal.replace(widening=50.0)) == 6


# ---- a deployment by hand ------------------------------------------------------------------------


def by_hand(
    users=4, engine=None, layout=None, prompt=1000, cached=0.0, output=100, window=np.inf, **machine
):  # fmt: skip
    """1e9 weights of two bytes, 1 kB of cache a token, on a chip of 1 TFLOP/s and 100 GB/s, all at peak.

    So a pass takes 2 ms a token, or the 20 ms of reading its weights if that is more; and reading a
    cached token takes 10 ns.
    """
    group = LayerGroup(layers=1, entry=500, width=0, prompt_width=0, kv_heads=1e9, query_heads=1e9,
                       read_cap=window)  # fmt: skip
    model = Checkpoint("m", (group,), (Part(1e9, 1e9, 2.0, kind="attention"),), layers=1, d_model=1000,
                       routed_layers=0, launches=0)  # fmt: skip
    box = System(flops=1e12, bandwidth=1e11, capacity=100e9, scale_up=1e12, scale_out=1e9, chips=1,
                 domain=1, bf16_flops=1e12, fp8_flops=1e12, fp4_flops=1e12, dollars_per_second=0.001,
                 torus=0)  # fmt: skip
    work = Workload(users=users, prompt=prompt, output=output, cached=cached)
    engine = engine or Engine(batched_tokens=2000)
    wired = (model, box.replace(**machine), layout or Layout(), work, engine, IDEAL)
    return dp.deployment(*wired), dp.pace(*wired)


def test_four_users_by_hand():
    """A step: 20 ms of weights and 4 x 1,050 cached tokens. Two prompts a pass: 4 s, so 2 s each.

    A user's token takes a step and 3/100 of 2 s. Prompts keep the engine busy for more than nine
    tenths, which is taken as nine: 4.5 ahead. To the first token: one step, those, its own.
    """
    r, _ = by_hand()
    step, each, own = 0.02 + 4 * 1050 * 1e-8, 2.0, 2.0
    token = step + 3 * each / 100
    assert r.step == pytest.approx(step) and r.running == 4 and r.kept == 1
    assert r.step_floor == pytest.approx(step)
    assert r.prompt_time == pytest.approx(own) and r.time_per_token == pytest.approx(token)
    assert r.first_token == pytest.approx(step + 4.5 * each + own)
    rate = 4 / (r.first_token + 99 * token)
    assert r.request_rate == pytest.approx(rate) and r.token_rate == pytest.approx(100 * rate)
    assert r.prompt_share == pytest.approx(rate * each)
    assert r.input_cost == pytest.approx(0.001 * each / 1000)
    assert r.output_cost == pytest.approx(0.001 * step / 4)
    # 1 kB of each token comes over a card of 1 GB/s
    assert r.cached_cost == pytest.approx(0.001 * 1000 / 1e9)
    assert r.request_cost == pytest.approx(0.001 / rate)
    assert r.weight_bytes == 2e9 and r.sequence_bytes == pytest.approx(1000 * 1100)
    assert r.step_parts["attention"] == pytest.approx(4.2e-5)
    assert r.prompt_parts["weights"] == pytest.approx(2.0)


def test_few_prompts_leave_a_short_queue():
    # answers of 1,000 tokens: prompts take 4 x 2 s of the time of one
    r, _ = by_hand(output=1000)
    busy = 4 * 2.0 / (1000 * r.time_per_token)
    assert 0.2 < busy < 0.5
    waits = r.first_token - r.step - r.prompt_time
    assert waits == pytest.approx(busy / (2 * (1 - busy)) * 2.0)


@pytest.mark.parametrize(
    ("prompt", "cached", "users", "budget", "each"),
    [
        (1000, 0.0, 4, 2000, 2.0),
        (1000, 0.5, 4, 2000, 1.0),  # half of it is cached: 500 fresh tokens, four in a pass
        (1000, 0.0, 4, 100, 2.0),  # longer than a pass: a pass of its own size
        (5, 0.0, 4, 2000, 0.01),  # 20 tokens in a pass: 40 ms for all four
        (1, 0.0, 4, 2000, 0.005),  # one each: as long as reading the weights
        (1, 0.0, 4, 2, 0.01),  # two in a pass
        (1, 0.0, 1, 2000, 0.02),  # nobody to share a pass with
        (4, 0.0, 2, 1, 0.02),  # four tokens in a pass though one was allowed
        (4, 1.0, 1, 2000, 0.02),  # all cached, and yet a token is read
    ],
)
def test_what_a_prompt_takes(prompt, cached, users, budget, each):
    r, _ = by_hand(users, Engine(batched_tokens=budget), prompt=prompt, cached=cached)
    fresh = max(prompt * (1 - cached), 1)
    # reading what is cached already moves a thousandth
    assert r.input_cost == pytest.approx(0.001 * each / fresh, rel=1e-3)


def test_guesses_share_a_step():
    # two tokens each, both kept: eight of 2 ms hide behind 20 ms; a head as large as the one layer
    r, _ = by_hand(engine=Engine(batched_tokens=2000, drafts=1, acceptance=1.0))
    step = 2 * (0.02 + 4.2e-5)
    assert r.step == pytest.approx(step) and r.kept == 2
    assert r.time_per_token == pytest.approx(step / 2 + 3 * 2.0 / 100)
    assert r.output_cost == pytest.approx(0.001 * step / 2 / 4)


TWO = {
    "chips": 2, "flops": 2e12, "bf16_flops": 2e12, "bandwidth": 2e11, "capacity": 200e9,
    "scale_up": 2e12, "scale_out": 2e9, "domain": 2, "dollars_per_second": 0.002,
}  # fmt: skip


@pytest.mark.parametrize("layout", [Layout(dp=2), Layout(pp=2)])
def test_two_chips_by_hand(layout):
    """Two ranks read a prompt each in 2 s; two stages read one in 2 s with the next close behind.

    Either way a chip's step is one of two users.
    """
    r, pace = by_hand(layout=layout, **TWO)
    assert r.prompt_time == pytest.approx(2.0)
    assert r.input_cost == pytest.approx(0.002 * 1.0 / 1000)
    assert r.step == pytest.approx(0.02 + 2 * 1050 * 1e-8)
    assert pace.per_token == pytest.approx(1e-3)


def test_what_a_cached_token_costs_to_bring():
    box = System(1e15, 1e12, scale_out=1e9)
    # a megabyte over a card of 1 GB/s, of a hundred tokens; a state alone counts as one
    for context, tokens in ((100, 100), (1, 1), (0, 1)):
        assert dp.cached_token_cost(0.001, 1e6, context, box) == pytest.approx(1e-6 / tokens)


def test_an_unknown_rent_prices_nothing():
    r, _ = by_hand(dollars_per_second=Unknown("dollars_per_second"))
    for name in ("input_cost", "cached_cost", "output_cost", "request_cost"):
        assert isinstance(getattr(r, name), Unknown)
    assert r.step > 0


def test_the_pace_by_hand():
    """2 ms a token of a full pass, 10 ns a cached one; of a step's 20 ms four tokens take 8."""
    r, pace = by_hand()
    assert pace.per_token == pytest.approx(0.002) and pace.per_cached == pytest.approx(1e-8)
    assert pace.fixed == pytest.approx(0.012)
    whole = pace.fixed + 4 * pace.per_token + 4 * 1050 * pace.per_cached
    assert whole == pytest.approx(r.step)
    # a pass of two prompts of a token reads the weights for them, any smaller one for one; more such
    # tokens than a few take longer than a step of decode, of which nothing is left
    for budget, token in ((2, 0.01), (1, 0.02), (0, 0.02)):
        _, narrow = by_hand(engine=Engine(batched_tokens=budget), prompt=1)
        assert narrow.per_token == pytest.approx(token) and narrow.fixed == 0
    # two prompts of two tokens: the weights are read for four
    assert by_hand(engine=Engine(batched_tokens=4), prompt=2)[1].per_token == pytest.approx(0.005)
    # of 1,050 cached tokens a window reads a fifth
    _, window = by_hand(window=210.0)
    assert window.per_cached == pytest.approx(1e-8 / 5) and window.fixed == pytest.approx(0.012)
    # a prompt longer than the budget is a pass of its own
    assert by_hand(engine=Engine(batched_tokens=100))[1].per_token == pytest.approx(0.002)
    # on two stages a step is that of one user of two, and each cached token is read once
    _, staged = by_hand(users=2, layout=Layout(pp=2), **TWO)
    assert staged.per_cached == pytest.approx(1e-8 / 2)
    assert staged.fixed == pytest.approx(0.02 + 1e-8 * 1050 - 2 * 0.001 - 1e-8 * 1050)


# ---- what travels, by hand -----------------------------------------------------------------------


def boxes(count, **more):
    """Boxes of four chips, 1 GB/s to each other and a tenth of it beyond."""
    n = 4 * count
    told = {"torus": 0, "bf16_flops": 1e15, "fp8_flops": 1e15, "fp4_flops": 1e15} | more
    return System(flops=1e15, bandwidth=1e12, scale_up=n * 1e9, scale_out=n * 1e8, chips=n, domain=4,
                  **told)  # fmt: skip


def test_sums_by_hand():
    """Two sums in each of ten layers, of 100 x 8,192 numbers; a ring of t carries 2 (t-1)/t of them."""
    numbers, element = 100 * 8192, 2.0

    def took(layout, count, checkpoint=DENSE):
        return float(passes.sum_time(100, element, checkpoint, boxes(count), layout))

    assert took(Layout(tp=4), 1) == pytest.approx(20 * 2 * 3 / 4 * numbers * element / 1e9)
    # between boxes four cards side by side carry 0.4 GB/s
    assert took(Layout(tp=8), 2) == pytest.approx(20 * 2 * 7 / 8 * numbers * element / 0.4e9)
    # two ranks have half of the tokens each; a routed layer exchanges tokens instead of one sum
    assert took(Layout(tp=2, dp=2), 1) == pytest.approx(
        20 * 2 * 1 / 2 * numbers / 2 * element / 1e9
    )
    assert took(Layout(tp=2, dp=2), 1, MOE) == pytest.approx(12 * numbers / 2 * element / 1e9)
    assert took(Layout(tp=4), 1, MOE) == took(Layout(tp=4), 1) and took(Layout(dp=4), 1) == 0


def test_rounds_by_hand():
    def rounds(layout, count, checkpoint=DENSE):
        return float(passes.exchange_rounds(checkpoint, boxes(count), layout))

    # a sum over four doubles twice; between two boxes once more, out and in; four boxes twice
    assert rounds(Layout(tp=4), 1) == pytest.approx(20 * 2)
    assert rounds(Layout(tp=8), 2) == pytest.approx(20 * (2 + 2))
    assert rounds(Layout(tp=16), 4) == pytest.approx(20 * (2 + 4))
    assert rounds(Layout(pp=3), 1) == 2  # a hop to each further stage
    # eight exchanges, there and back; between boxes they are passed on; twelve sums over pairs
    assert rounds(Layout(dp=4), 1, MOE) == pytest.approx(8 * 2)
    assert rounds(Layout(dp=8), 2, MOE) == pytest.approx(8 * 2 * 3)
    assert rounds(Layout(tp=2, dp=2), 1, MOE) == pytest.approx(12 + 16)
    assert rounds(Layout(tp=4), 1, MOE) == pytest.approx(20 * 2)


def test_exchanges_by_hand():
    """One expert of 64, four chips: each token goes to one, three times in four another one."""
    single = dataclasses.replace(MOE, experts_active=1)
    found = passes.exchange_time(400, 3.0, single, boxes(1), Layout(dp=4, ep=4))
    assert found == pytest.approx(8 * 100 * 8192 * 3 * 0.75 / 1e9)
    # eight chips in two boxes: every other token leaves its own, over a slower card
    found = passes.exchange_time(400, 3.0, single, boxes(2), Layout(dp=8, ep=8))
    assert found == pytest.approx(8 * 50 * 8192 * 3 * 0.5 / 1e8)
    assert passes.exchange_time(400, 3.0, single, boxes(1), Layout(tp=4)) == 0


def test_a_torus_takes_the_best_of_three_cuts():
    """Sixteen chips, links of 1 GB/s: a ring, rows and columns, or weights that travel themselves."""
    torus = boxes(4, torus=3).replace(domain=4096)
    layout = Layout(tp=16)

    def took(tokens, machine=torus):
        return float(passes.torus_time(tokens, 2.0, DENSE, machine, layout))

    ring = 20 * 2 * 15 / 16 * 8192 * 2 / 1e9  # a token
    square = 8 * 10 * 8192 * 2 / (4 * 1e9)
    weights = (1e9 * 2 + 10e9 + 30e9) / 1e9
    assert square < ring and took(100) == pytest.approx(100 * square)
    assert took(1e9) == pytest.approx(weights)
    slow = passes.torus_time(100, 2.0, DENSE, torus, Layout(tp=2, dp=8))
    assert slow == pytest.approx(20 * 2 * 1 / 2 * 100 / 8 * 8192 * 2 / 1e9)  # of a pair, a ring
    # a pass goes that way where the links make one
    here, there = (passes.decode_pass(100, 1, DENSE, m, layout).exchange
                   for m in (torus, torus.replace(torus=0)))  # fmt: skip
    assert here == pytest.approx(100 * square) and there == pytest.approx(100 * ring)


def test_the_terms_of_a_pass_by_hand():
    """Weights 3 or 2, experts 4 or 3, attention 5 or 1; 5 that travel, 6 launches, 7 rounds."""
    work = passes.Pass(3, 2, 4, 3, 5, 1, exchange=5, launches=6, rounds=7, dense_widening=0.1,
                       expert_widening=0.2)  # fmt: skip
    real = Efficiency(compute=0.5, uneven=0.25, bandwidth=0.5, link=0.5, launch=0.1, round=0.01,
                      widening=10.0, steps=1.0)  # fmt: skip
    terms = [float(v) for _, v in forecast.waterfall(work, real)]
    counts = 6 * 0.1 + 7 * 0.01
    assert terms == pytest.approx([12, 12, 17, 17 + counts, (6 + 1) + (16 + 2) + 20 + 10 + counts])
    assert forecast.IDEAL.polling == 1 and forecast.pass_time(work, forecast.IDEAL) == 17
    # where reading is slower, each kind waits for it
    slow = passes.Pass(1, 2, 3, 4, 5, 6, exchange=0, launches=0, rounds=0)
    assert forecast.pass_floor(slow) == 12 and forecast.pass_time(slow, real) == pytest.approx(
        4 + 12 + 20
    )
    assert Efficiency.symbolic(launch=0.0).replace(round=1.0).link.name == "e_link"


def test_a_dense_pass_asks_nothing_of_experts():
    work = passes.decode_pass(8, 100, DENSE, BOX, Layout(tp=8))
    assert work.expert_arithmetic == work.expert_reading == work.expert_widening == 0


def test_classes_of_machines_have_bands():
    assert [forecast.class_of(k) for k in ("server", "card", "sram", "")] == ["server-2025"] * 4
    assert {forecast.class_of(k) for k in ("unified", "consumer")} == {"local"}
    told = {
        r["name"]: float(r["value"]) for r in catalog.table("forecast") if r["class"] == "local"
    }
    assert forecast.band("local") == (told["tpot_low"], told["tpot_high"])
    assert forecast.band("local", "ttft") == (told["ttft_low"], told["ttft_high"])
    assert forecast.fitted("local").launch == told["launch"]
    low, high = forecast.band("local")
    ends = f"{human(low, 's')} to {human(high, 's')}"
    assert forecast.banded(1.0, kind="local") == f"1 s ({ends})"
    with pytest.raises(InputError, match="Did you mean 'local'"):
        forecast.band("locale")
