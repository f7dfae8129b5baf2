"""Passes and deployments: known answers by hand, limits, orderings, and arrays against numbers."""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from memwall import catalog
from memwall.core.checkpoint import Checkpoint, LayerGroup, Part
from memwall.core.nouns import Engine, Layout, System, Workload
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
