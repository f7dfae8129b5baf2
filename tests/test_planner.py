"""The planner called: known answers by hand, what does not fit, refusals, orderings, alternatives."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memwall import alternatives, catalog, plan
from memwall.core.checkpoint import Checkpoint, LayerGroup, Part
from memwall.core.nouns import Layout
from memwall.core.units import HOUR, InputError
from memwall.formulas import forecast
from memwall.formulas.passes import decode_pass
from memwall.planner import USERS, read_model

# ten layers, 10 GB in 16 bit, 1,000 bytes of cache a token in all
TINY = Checkpoint(
    "tiny",
    (LayerGroup(layers=10, entry=50, width=1000, prompt_width=1000, kv_heads=8, query_heads=8),),
    (Part(1e9, 1e9, 2.0, kind="attention"), Part(4e9, 4e9, 2.0, kind="dense")),
    layers=10, d_model=1000, context_max=1e6, routed_layers=0,
)  # fmt: skip


def tiny(**changes):
    given_ = {"users": 10, "prompt": 900, "output": 100, "memory_share": 0.9} | changes
    return plan(TINY, "H100", given_.pop("chips", 1), **given_)


# ---- known answers -------------------------------------------------------------------------------


def test_bytes_by_hand():
    p = tiny(chips=2, tp=2)
    assert p.weight_bytes == pytest.approx(10e9 / 2)
    # 1,000 tokens of 10 layers x 50 elements x 2 bytes, half of them on each chip
    assert p.sequence_bytes == pytest.approx(1000 * 10 * 50 * 2 / 2)
    assert p.largest_concurrency == pytest.approx(p.room / p.sequence_bytes, rel=0.02)
    assert p.cache_tokens == pytest.approx(1000 * p.largest_concurrency)
    fixed, slope = p.cache_line
    assert fixed == pytest.approx(0, abs=1) and slope == pytest.approx(500)


def test_floor_and_step_by_hand():
    p = tiny(prompt=950, output=100)
    # 10 GB of weights and ten caches of 1,000 tokens, 1,000 bytes each, over 3.35 TB/s
    assert p.step_floor == pytest.approx((10e9 + 10 * 1000 * 1000) / 3.35e12)
    work = decode_pass(10, 1000, p.checkpoint, p.system, p.layout)
    assert p.step == pytest.approx(forecast.pass_time(work, forecast.fitted(p.kind)))
    assert sum(p.step_parts.values()) == pytest.approx(p.step)


def test_money_by_hand():
    p = tiny(dollars_per_hour=3.6)
    assert p.output_cost == pytest.approx(3.6 / HOUR * p.step / 10)
    assert p.request_cost == pytest.approx(3.6 / HOUR / p.request_rate)
    # Little's law: ten in flight, each gone after its first token and 99 more
    assert p.request_rate == pytest.approx(10 / (p.first_token + 99 * p.time_per_token))
    assert p.token_rate == pytest.approx(100 * p.request_rate)


def test_replicas_are_equal_parts_of_the_chips():
    two, one = tiny(chips=2, replicas=2), tiny(chips=1)
    assert two.layout.chips == 1 and two.title == f"tiny on 2 × {one.system.name}"
    assert two.step == one.step and two.largest_concurrency == one.largest_concurrency


def test_a_latent_cache_spreads_its_users_and_others_cut_their_matrices():
    assert plan("DeepSeek-V3", "H200", 8, users=64).layout == Layout(dp=8, ep=8)
    assert plan("DeepSeek-V3", "H200", 8, users=8).layout.dp == 1
    assert plan("Llama-3.1-70B", "H100", 8, users=64).layout == Layout(tp=8)


def test_classes_follow_the_kind_of_chip():
    assert tiny().kind == "server-2025" and tiny().band() == forecast.band("server-2025")
    home = plan("Qwen2.5-7B", "RTX 4090", users=1)
    assert home.kind == "local" and home.band() == forecast.band("local")
    assert tiny(kind="server-2024").step > 0


def test_models_are_named_or_given():
    assert read_model(TINY).name == "tiny"
    assert read_model(TINY, "fp8").bytes() == pytest.approx(TINY.bytes() / 2, rel=0.05)
    assert (
        read_model(catalog.configuration("Qwen2.5-7B")).n_total == read_model("Qwen2.5-7B").n_total
    )
    assert read_model(TINY, cache="fp8").groups[0].bytes_per_element == 1


# ---- what does not fit ---------------------------------------------------------------------------


def test_weights_that_do_not_fit_are_said_and_still_computed():
    p = plan("DeepSeek-V3", "H100", 4)
    assert not p.fits and p.binds == "weights" and p.room == 0
    assert any("take more chips" in note for note in p.notes) and np.isfinite(p.step)


def test_a_request_longer_than_the_room_is_said():
    p = tiny(prompt=9e8, output=1e8)
    assert not p.fits and p.room > 0 and p.binds == "cache"
    assert any("One request of 1,000,000,000 tokens" in note for note in p.notes)


def test_users_who_wait_are_said():
    p = tiny(users=1e6)
    assert p.fits and p.binds == "cache" and p.running == p.largest_concurrency < 1e6
    assert any("the others wait" in note for note in p.notes)


def test_an_engine_s_own_limit_is_said():
    def said(**changes):
        return [
            n
            for n in plan("Llama-3.1-8B", "H200", prompt=100, output=100, **changes).notes
            if "run at" in n
        ]

    assert not said(users=1024) and not said(users=1025, max_sequences=1025)
    (note,) = said(users=1025)
    assert note == "1,025 run at once; vLLM lets in 1,024 unless max_num_seqs is raised."
    # each rank of attention data parallelism has seats of its own
    assert not said(users=2000, chips=2, tp=1, dp=2)


@pytest.mark.parametrize("users", [1, 40, 1000, 30_000])
def test_in_flight_are_as_many_as_arrive_while_one_is_answered(users):
    """Little's law over the whole request, the wait for a seat included."""
    p = plan("Llama-3.1-8B", "H100", users=users, prompt=2000, output=100)
    assert (p.running < users) == (users >= 1000)
    whole = float(p.first_token + 99 * p.time_per_token)
    assert float(p.request_rate) * whole == pytest.approx(users, rel=1e-9)


def test_who_waits_for_a_seat_waits_for_its_first_token_only():
    fit = float(plan("Llama-3.1-8B", "H100", prompt=20_000, output=100).largest_concurrency)
    some = plan("Llama-3.1-8B", "H100", users=fit, prompt=20_000, output=100)
    full = plan("Llama-3.1-8B", "H100", users=4 * fit, prompt=20_000, output=100)
    assert full.time_per_token == some.time_per_token and full.request_rate == some.request_rate
    # three others leave each seat before
    seated = float(some.first_token + 99 * some.time_per_token)
    assert float(full.first_token - some.first_token) == pytest.approx(3 * seated)


def test_a_rank_must_hold_one_request():
    # of eight ranks, each with its own sequences, none has room for one; all together would
    p = plan("DeepSeek-V3", "H200", 8, dp=8, ep=8, users=64, prompt=450_000, output=1000)
    assert 0 < p.largest_concurrency < 8 and not p.fits


# ---- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("changes", "says"), [
    ({"chips": 3, "replicas": 2}, "3 chips cannot be cut into 2"),
    ({"chips": 0}, "chips"), ({"chips": 2.5}, "chips"), ({"replicas": -1}, "replicas"),
    ({"chips": 8, "tp": 3}, "is not the 8 chips"), ({"chips": 4, "tp": 2, "pp": 4}, "is not the 4 chips"),
    ({"chips": 16, "tp": 16}, "heads"), ({"users": 0}, "users"), ({"prompt": -1}, "prompt"),
    ({"cached": 1.5}, "cached"), ({"kind": "server-2026"}, "Did you mean 'server-2025'"),
    ({"engine": "vLMM"}, "Did you mean 'vLLM'"), ({"weights": "fp9"}, "fp9"),
])  # fmt: skip
def test_impossible_input_is_refused_in_words(changes, says):
    with pytest.raises(InputError, match=says):
        tiny(**changes)


def test_unknown_names_get_a_suggestion():
    with pytest.raises(InputError, match="Did you mean"):
        plan("DeepSeek-V33", "H100")
    with pytest.raises(InputError, match="Did you mean"):
        plan(TINY, "H1000")


# ---- orderings -----------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(users=st.integers(1, 2000), prompt=st.integers(1, 20_000), output=st.integers(1, 4000))
def test_more_users_are_slower_and_cheaper_and_no_step_beats_its_floor(users, prompt, output):
    ask = {"prompt": prompt, "output": output, "dollars_per_hour": 2}
    few, many = (tiny(users=n, **ask) for n in (users, 2 * users))
    assert few.step_floor <= few.step and few.step <= many.step
    assert few.time_per_token <= many.time_per_token * (1 + 1e-9)
    assert many.output_cost <= few.output_cost * (1 + 1e-9)
    assert few.running <= few.largest_concurrency or few.running == 1


def test_what_is_stored_narrower_leaves_more_room_and_is_read_faster():
    wide, narrow = (plan("Llama-3.1-70B", "H100", 4, users=1, weights=w) for w in ("bf16", "fp8"))
    assert narrow.room > wide.room and narrow.step < wide.step
    wide, narrow = (plan("Llama-3.1-70B", "H100", 8, users=64, cache=c) for c in ("bf16", "fp8"))
    assert narrow.largest_concurrency == pytest.approx(2 * wide.largest_concurrency)


def test_a_cached_prompt_is_read_faster():
    times = [float(tiny(prompt=8000, cached=c).first_token) for c in (0, 0.5, 0.9)]
    assert times == sorted(times, reverse=True) and times[-1] < times[0]


# ---- alternatives --------------------------------------------------------------------------------

TRAFFIC = {"rate": 5, "prompt": 1000, "output": 200, "token_rate": 20, "first_token": 2}


def test_alternatives_meet_their_targets_and_the_cheapest_comes_first():
    found = alternatives("Llama-3.1-70B", **TRAFFIC, most=8)
    good = [o for o in found if not o.fails]
    assert good and found[: len(good)] == good
    prices = [o.dollars_per_second for o in good if o.dollars_per_second is not None]
    assert prices == sorted(prices)
    for o in good:
        assert 1 / o.result.time_per_token >= 20 and o.result.first_token <= 2
        assert o.replicas * o.layout.chips == o.chips and 0 < o.busy <= 1
        # so many replicas carry the traffic; one less would not
        assert (o.replicas - 1) * 5 / (o.busy * o.replicas) <= 5 * (1 + 1e-9)


def test_a_little_more_traffic_never_takes_fewer_replicas():
    def needed(rate):
        found = alternatives("Llama-3.1-70B", **TRAFFIC | {"rate": rate}, chips=("H200",), most=8)
        return {o.layout: o.replicas for o in found if not o.fails}

    little, much = needed(5), needed(50)
    assert little.keys() == much.keys() and all(little[k] <= much[k] for k in little)
    assert max(much.values()) > 1


def test_what_cannot_serve_says_why():
    reasons = {
        o.fails
        for o in alternatives(
            "DeepSeek-V3", **TRAFFIC | {"token_rate": 60}, chips=("H100",), most=16
        )
        if o.fails
    }
    assert "the weights do not fit" in reasons
    strict = alternatives(
        "Llama-3.1-70B", **TRAFFIC | {"first_token": 1e-4}, chips=("H100",), most=8
    )
    assert all(o.fails for o in strict)
    assert any(o.fails.startswith("first token after") for o in strict)
    fast = alternatives("Llama-3.1-70B", **TRAFFIC | {"token_rate": 1e4}, chips=("H100",), most=8)
    assert any(o.fails.startswith("too slow even for one user") for o in fast)


def test_a_rent_of_ones_own_changes_dollars_only():
    def first(rent):
        return alternatives(
            "Llama-3.1-70B", **TRAFFIC, chips=("H200",), most=8, rents={"H200": rent}
        )[0]

    cheap, dear = first(1.0), first(2.0)
    assert dear.dollars_per_month == pytest.approx(2 * cheap.dollars_per_month)
    assert (dear.layout, dear.replicas, dear.busy) == (cheap.layout, cheap.replicas, cheap.busy)


@pytest.mark.parametrize("changes", [
    {"rate": 0}, {"rate": math.inf}, {"rate": -1}, {"first_token": 0}, {"token_rate": "fast"},
    {"chips": ("H1000",)},
])  # fmt: skip
def test_impossible_traffic_is_refused(changes):
    with pytest.raises(InputError):
        alternatives("Llama-3.1-70B", **TRAFFIC | changes)


def test_users_are_tried_in_order():
    assert USERS[0] == 1 and (np.diff(USERS) > 0).all()
