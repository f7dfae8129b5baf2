"""Serving's formulas by hand and by SymPy, and the simulator against them, against queues, and against itself."""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from memwall import InputError, Model, System, roofline, serving, trains
from memwall.experiments.requests import (
    Limits,
    Load,
    lengths,
    load,
    read_load,
    simulate,
    spans,
    traffic,
)
from memwall.formulas.serving import Pace

CHAT = Pace(fixed=5.86e-3, per_token=1.4e-5, per_cached=1.6e-8)
FLAT = Pace(fixed=0.01, per_token=1e-5, per_cached=0.0)


# --- formulas


def test_the_pace_of_the_blackboard_is_its_serial_step():
    B, L = sp.symbols("batch context", positive=True)
    m, s = Model.symbolic(), System.symbolic()
    pace = serving.blackboard_pace(m, s)
    step = serving.engine_step(B, B * L, pace)
    assert sp.simplify(step - roofline.serial_step_time(B, L, m, s)) == 0


def test_the_stretched_step_is_the_fixed_point_of_the_train():
    rate, P, out, t, t0, tok, kv = sp.symbols("rate P O t t_0 t_tok t_kv", positive=True)
    pace = Pace(fixed=t0, per_token=tok, per_cached=kv)
    held = serving.token_steps(P, out)
    # aboard: Little's law; each step then passes their tokens and its share of arriving prompts
    running, cached = serving.running_at_once(rate, t, out), serving.cached_at_once(rate, t, held)
    balance = sp.Eq(t, serving.engine_step(running + rate * t * P, cached, pace))
    solved = sp.solve(balance, t)[0]
    load_ = serving.offered_load(rate, P, out, held, pace)
    assert sp.simplify(solved - t0 / (1 - load_)) == 0
    pole = sp.solve(sp.Eq(load_, 1), rate)[0]
    assert sp.simplify(pole - serving.stable_rate(P, out, held, pace)) == 0


def test_limits_of_the_load():
    assert serving.stretched_step(0, CHAT) == CHAT.fixed
    assert serving.stretched_step(1, CHAT) == np.inf == serving.stretched_step(1.5, CHAT)
    rate = serving.rate_for_step(0.02, 1000, 200, serving.token_steps(1000, 200), CHAT)
    at = serving.offered_load(rate, 1000, 200, serving.token_steps(1000, 200), CHAT)
    assert serving.stretched_step(at, CHAT) == pytest.approx(0.02)
    assert serving.rate_for_step(0.005, 1000, 200, 0, CHAT) == 0  # quicker than an empty engine


def test_the_rate_for_a_wait_gives_the_wait_back():
    for wait in (1e-3, 0.05, 3.0):
        rate = serving.rate_for_wait(wait, 0.04, 1.3)
        assert serving.prompt_wait(rate, 0.04, 1.3) == pytest.approx(wait)
    assert serving.rate_for_wait(0.0, 0.04, 1.3) == 0
    # the longer one may wait, the nearer to a prompt after the other
    assert serving.rate_for_wait(1e6, 0.04, 1.3) == pytest.approx(1 / 0.04, rel=1e-4)


def test_guesses():
    assert serving.tokens_a_step(0, 0.7) == pytest.approx(1)
    assert serving.tokens_a_step(1, 0.85) == pytest.approx(1.85)
    assert serving.tokens_a_step(5, 0.0) == pytest.approx(1)
    alone = serving.speculative_gain(3, 0.8, 0.02, 1, 1000, CHAT)
    crowd = serving.speculative_gain(3, 0.8, 0.02, 2000, 1000, CHAT)
    assert alone > 2.5 and crowd < alone / 1.5


def test_a_gain_by_hand():
    # a step of 1 s and 0.01 s a token; three of ten sequences' guesses right half the time
    pace = serving.Pace(fixed=1.0, per_token=0.01, per_cached=0.0)
    plain, checked = 1 + 0.01 * 10, 1 + 0.01 * 10 * 3 + 2 * 0.1 * 1
    kept = 1 + 0.5 + 0.25
    gain = serving.speculative_gain(2, 0.5, 0.1, 10, 0, pace)
    assert float(gain) == pytest.approx(kept * plain / checked)


def test_chunks_trade_gaps_against_first_tokens():
    gaps = [serving.chunked_gap(c, 50, 0, CHAT) for c in (512, 2048, 8192)]
    firsts = [serving.chunked_prompt_time(8192, c, 50, 0, CHAT) for c in (512, 2048, 8192)]
    assert gaps == sorted(gaps) and firsts == sorted(firsts, reverse=True)


def test_share_in_time_has_the_right_mean():
    # the mean of a wait is the integral of the share that still waits
    wait, busy, floor = 0.05, 0.4, 0.1
    t = np.linspace(floor, 3, 200_001)
    late = 1 - serving.share_in_time(t, floor + wait, wait, busy)
    assert np.trapezoid(late, t) == pytest.approx(wait, rel=1e-3)
    assert serving.share_in_time(0.05, 0.15, 0.05, 0.4) == 0


# --- the simulator


def conserved(load_, served, limits):
    assert not np.isnan(served.finish).any() and served.most_pages <= limits.room / limits.page
    assert (served.arrival <= served.admitted + 1e-12).all()
    assert (served.admitted <= served.first + 1e-12).all()
    assert (served.first <= served.finish + 1e-12).all()
    fresh = np.maximum(load_.prompts * (1 - limits.cached), 1)
    if not limits.drafts and not limits.prefill_engines:
        # each token of an answer comes from a pass of its own, or with the last of a reading
        assert served.passed - served.read == pytest.approx(load_.outputs.sum() - served.readings)
        assert served.read == pytest.approx(fresh.sum() + served.read_again)
        assert served.readings >= len(load_) and served.read_again >= -1e-9


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    rate=st.sampled_from([1.0, 20.0, 400.0]),
    room=st.sampled_from([700.0, 3000.0, float("inf")]),
    reserve=st.sampled_from([0.0, 0.3, 1.0]),
    budget=st.sampled_from([64, 1000]),
    sequences=st.sampled_from([1, 7, 1000]),
    closed=st.booleans(),
)
def test_tokens_and_pages_are_conserved(seed, rate, room, reserve, budget, sequences, closed):
    kind = {"arrivals": "closed", "users": 9} if closed else {"rate": rate}
    asked = load(60, prompt=100, prompt_spread=0.8, output=40, output_spread=0.8, seed=seed, **kind)
    limits = Limits(room=max(room, 2.0 * float((asked.prompts + asked.outputs).max())),
                    reserve=reserve, batched_tokens=budget, sequences=sequences)  # fmt: skip
    served = simulate(asked, CHAT, limits)
    conserved(asked, served, limits)
    if reserve == 1.0 or room == float("inf"):
        assert not served.preempted.any() and served.read_again == 0
        # first come, first served
        order = np.argsort(served.arrival, kind="stable")
        assert (np.diff(served.admitted[order]) >= -1e-12).all()
    # Little's law: sequence-seconds inside, counted by the engine and by the requests
    if not served.preempted.any():
        assert served.seats == pytest.approx((served.finish - served.admitted).sum(), rel=1e-9)
    again = simulate(asked, CHAT, limits)
    assert np.array_equal(again.finish, served.finish)


def test_steps_between_events_add_up_as_steps_one_by_one():
    # pages so plentiful that nothing is thrown out, yet counted: every step is taken on its own
    asked = load(200, rate=30, prompt=300, prompt_spread=1, output=80, output_spread=1, seed=3)
    at_once, counted = (simulate(asked, CHAT, Limits(room=r)) for r in (float("inf"), 1e7))
    np.testing.assert_allclose(at_once.finish, counted.finish, rtol=1e-9)
    assert at_once.passed == pytest.approx(counted.passed)


def test_one_seat_and_one_kind_of_request_is_the_textbook_queue():
    # M/D/1: one sequence at a time; service is a prompt's step and the answer's others
    asked = load(60_000, rate=4.0, prompt=1000, output=5, seed=5)
    served = simulate(asked, FLAT, Limits(sequences=1))
    service = (0.01 + 1000e-5) + 4 * (0.01 + 1e-5)
    wait = serving.prompt_wait(4.0, service, 0.0)
    assert (served.admitted - served.arrival).mean() == pytest.approx(wait, rel=0.05)
    assert (served.finish - served.admitted) == pytest.approx(service)
    assert served.token_time == pytest.approx(0.01 + 1e-5) == pytest.approx(served.tpot.mean())


def test_answers_of_one_token_are_trains_back_to_back():
    asked = load(3000, rate=150, prompt=50, output=1, seed=8)
    served = simulate(asked, FLAT, Limits(batched_tokens=10**9, sequences=10**6))
    waits = trains.back_to_back(asked.arrivals, lambda aboard: 0.01 + 1e-5 * 50 * aboard)
    np.testing.assert_allclose(served.ttft, waits, rtol=1e-9)


@pytest.mark.parametrize(("rate", "within"), [(2, 0.03), (8, 0.03), (20, 0.05)])
def test_formula_and_simulation_agree_for_chat(rate, within):
    asked = load(
        6000, rate=rate, prompt=1155, prompt_spread=0.96, output=211, output_spread=0.8, seed=1
    )
    served = simulate(asked, CHAT).settled()
    P, out = asked.prompts, asked.outputs
    load_ = serving.offered_load(
        rate, P.mean(), out.mean(), serving.token_steps(P, out).mean(), CHAT
    )
    step = serving.stretched_step(load_, CHAT)
    measured = served.token_time
    assert measured == pytest.approx(step, rel=within)
    work = P * CHAT.per_token
    wait = serving.prompt_wait(rate, work.mean(), work.std() / work.mean())
    first = serving.open_first_token(step, work.mean(), wait)
    assert served.ttft.mean() == pytest.approx(first, rel=0.08)


def test_the_formula_ends_where_answers_are_short():
    # code completion: 28 tokens; a token is more often seen in a long step
    asked = load(6000, rate=20, prompt=2048, prompt_spread=0.96, output=28, output_spread=2, seed=2)
    served = simulate(asked, CHAT).settled()
    load_ = asked.offered(CHAT)
    measured = served.token_time
    assert 0.5 < load_ < 0.7 and measured > 1.2 * serving.stretched_step(load_, CHAT)


def test_beyond_the_pole_the_queue_grows_without_end():
    held = serving.token_steps(1155, 211)
    pole = float(serving.stable_rate(1155, 211, held, CHAT))
    early, late = (
        np.mean(
            simulate(load(4000, rate=f * pole, prompt=1155, output=211, seed=4), CHAT).ttft[-400:]
        )
        for f in (0.8, 1.3)
    )
    assert late > 20 * early


def test_policies_of_three_engines():
    asked = load(1500, rate=20, prompt=64, output=512, output_spread=0.5, seed=2)
    vllm, sglang, trt = (
        simulate(asked, CHAT, Limits(room=20_000, reserve=r)) for r in (0.0, 0.5, 1.0)
    )
    assert vllm.preempted.mean() > 0.5 > sglang.preempted.mean() >= trt.preempted.mean() == 0
    assert vllm.read_again > sglang.read_again >= trt.read_again == 0
    assert trt.span > vllm.span  # empty places cost more than reading again, here


def test_a_cached_prefix_guesses_and_pools():
    asked = load(800, rate=6, prompt=4000, output=100, seed=6)
    plain = simulate(asked, CHAT)
    warm = simulate(asked, CHAT, Limits(cached=0.9))
    assert warm.ttft.mean() < 0.5 * plain.ttft.mean()
    guessed = simulate(asked, CHAT, Limits(drafts=2, acceptance=0.8))
    assert guessed.tpot.mean() < plain.tpot.mean()
    pools = simulate(asked, CHAT, Limits(prefill_engines=2, transfer=1e-6))
    assert pools.tpot.mean() < plain.tpot.mean()
    conserved(asked, pools, Limits(prefill_engines=2))
    assert np.percentile(pools.tpot, 99) < np.percentile(plain.tpot, 99)


def test_chunks_show_in_the_longest_gaps():
    asked = load(600, rate=3, prompt=8000, output=100, seed=9)
    large, small = (simulate(asked, CHAT, Limits(batched_tokens=b)) for b in (16_384, 512))
    assert small.ttft.mean() > large.ttft.mean()


def test_lengths_have_the_mean_and_spread_asked_for():
    drawn = lengths(1000, 0.9, 200_000, np.random.default_rng(0))
    assert drawn.mean() == pytest.approx(1000, rel=0.01)
    assert drawn.std() / drawn.mean() == pytest.approx(0.9, rel=0.03)
    gaps = np.diff(load(100_000, rate=10, arrivals="bursty", burstiness=3, seed=1).arrivals)
    assert gaps.mean() == pytest.approx(0.1, rel=0.05)
    assert gaps.std() / gaps.mean() == pytest.approx(3, rel=0.05)


def test_a_load_knows_what_it_asks_of_an_engine():
    asked = Load(np.array([1.0, 2.0]), np.array([100.0, 300.0]), np.array([3.0, 1.0]))
    # one a second; 200 + 2 tokens each; 100 + 101 + 102 and 300 cached tokens read
    assert asked.offered(CHAT) == pytest.approx(202 * 1.4e-5 + 301.5 * 1.6e-8)
    assert asked.offered(CHAT, cached=0.5) == pytest.approx(102 * 1.4e-5 + 301.5 * 1.6e-8)
    with pytest.raises(InputError, match="no load of its own"):
        load(3, arrivals="closed", users=2).offered(CHAT)


def test_public_traffic_becomes_loads_with_its_means():
    found = traffic()
    assert {"chat", "code", "reasoning", "agents", "long chat"} == set(found)
    chat, agents = found["chat"], found["agents"]
    assert (chat.prompt, chat.output, chat.cached) == (1154.7, 211.1, 0.0)
    # cached and fresh are counted apart there; a lognormal's spread from mean and median
    assert agents.cached == pytest.approx(147_272.5 / (147_272.5 + 6539.1))
    assert agents.output_spread == pytest.approx(np.sqrt((523.3 / 214) ** 2 - 1))
    asked = chat.load(50_000, rate=5.0, seed=3)
    assert asked.prompts.mean() == pytest.approx(chat.prompt, rel=0.02)
    read = serving.token_steps(asked.prompts, asked.outputs).mean()
    assert read == pytest.approx(chat.held, rel=0.03)
    assert np.diff(chat.load(100, rate=5.0, arrivals="constant").arrivals) == pytest.approx(0.2)


def test_a_load_from_a_file_and_back(tmp_path):
    asked = load(20, rate=5, prompt=100, prompt_spread=1, output=10, seed=1)
    path = tmp_path / "load.csv"
    lines = [
        f"{a},{p},{o}" for a, p, o in zip(asked.arrivals, asked.prompts, asked.outputs, strict=True)
    ]
    path.write_text("\n".join(["arrival,prompt,output", *lines]))
    np.testing.assert_allclose(read_load(path).arrivals, asked.arrivals)
    served = simulate(read_load(path), CHAT)
    served.write(tmp_path / "served.csv")
    assert (tmp_path / "served.csv").read_text().count("\n") == 21
    assert len(spans(served)) == 20
    path.write_text("arrival,prompt\n1,2")
    with pytest.raises(InputError, match="no column output"):
        read_load(path)
    path.write_text("arrival,prompt,output\n1,2,x")
    with pytest.raises(InputError, match="line 2"):
        read_load(path)


def test_impossible_input_is_explained():
    with pytest.raises(InputError, match="cannot hold a request of 1200 tokens"):
        simulate(load(3, prompt=1000, output=200), CHAT, Limits(room=1000))
    with pytest.raises(InputError, match="Did you mean 'poisson'"):
        load(3, arrivals="poison")
    with pytest.raises(InputError, match="whole numbers"):
        Load(np.zeros(1), np.array([1.5]), np.array([1.0]))
    with pytest.raises(InputError, match="reserve"):
        Limits(reserve=2.0)
    with pytest.raises(InputError, match="closed loop has one engine"):
        simulate(load(3, arrivals="closed", users=2), CHAT, Limits(prefill_engines=1))


# --- the command, and the pace of a real deployment


def test_the_pace_of_a_deployment_gives_its_step_back():
    from memwall.formulas import deployment, forecast
    from memwall.planner import plan

    p = plan("Llama-3.1-70B", "H100", 8, users=64, prompt=2000, output=500)
    pace = deployment.pace(
        p.checkpoint, p.system, p.layout, p.workload, p.engine, forecast.fitted(p.kind)
    )
    step = serving.engine_step(64, 64 * 2250, pace)
    assert step == pytest.approx(p.step, rel=1e-9)
    assert 0 < pace.per_token < pace.fixed and 0 < pace.per_cached < pace.per_token


def test_the_command(tmp_path, capsys):
    from memwall.requests import main

    paced = ["--pace", "6e-3", "1.4e-5", "1.6e-8", "--count", "200"]
    assert main([*paced, "--rate", "8", "--ttft", "0.1", "--tpot", "0.02"]) == 0
    said = capsys.readouterr().out
    assert "ttft" in said and "goodput" in said
    assert main([*paced, "--format", "csv", "--out", str(tmp_path / "served.csv")]) == 0
    assert capsys.readouterr().out.startswith("time,mean,p50,p90,p99\nttft,")
    assert (tmp_path / "served.csv").read_text().count("\n") == 201
    assert main(["Llama-3.1-8B", "H100", "--rate", "2", "--count", "50", "--policy", "guess"]) == 0
    capsys.readouterr()
    chat = traffic()["chat"]
    lengths = ["--prompt", chat.prompt, "--prompt-spread", chat.prompt_spread, "--output", chat.output,
               "--output-spread", chat.output_spread, "--cached", chat.cached]  # fmt: skip
    for asked in (
        ["--traffic", "chat"],
        map(str, lengths),
        ["--traffic", "chat", "--output", "500"],
    ):
        assert main([*paced, "--rate", "8", "--format", "csv", *asked]) == 0
    named, typed, longer = capsys.readouterr().out.split("time,")[1:]
    assert named == typed != longer
    for wrong, says in (
        ([], "an engine is a model and a chip"),
        (["Llama-3.1-70B", "RTX 4090"], "The weights need"),
        ([*paced, "--room", "10"], "cannot hold a request"),
        ([*paced, "--load", str(tmp_path / "none.csv")], "none.csv"),
    ):
        assert main(wrong) == 2
        assert says in capsys.readouterr().err


def test_a_prompt_shorter_than_a_chunk_takes_one_step():
    assert serving.chunked_prompt_time(100, 1000, 50, 0, FLAT) == pytest.approx(
        0.01 + 50e-5 + 100e-5
    )
