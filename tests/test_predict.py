"""Runs as passes: what an engine of known nouns is said to take, wired by hand from the formulas."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from memwall import InputError, Model, catalog
from memwall.core.checkpoint import Checkpoint, LayerGroup, Part
from memwall.core.nouns import Engine, Layout, System, Unknown
from memwall.experiments import predict, runs
from memwall.experiments.predict import CHUNK, NOMINAL
from memwall.formulas import forecast, serving
from memwall.formulas.passes import decode_pass, least, prompt_pass

NEW = forecast.fitted("server-2025").replace(polling=3.0)
LLAMA, H100 = catalog.checkpoint("Llama-3.1-70B", "fp8"), catalog.chip("H100")
CUT = Layout(tp=8)


def served(**changes):
    """64 users of 1,000 + 200 tokens on eight H100, one engine."""
    row = next(r for r in runs.served() if r.mode == "agg" and r.part == "fit")
    told = {
        "model": "Llama-3.1-70B", "weights": "fp8", "chip": "H100", "engine": "vLLM", "mode": "agg",
        "engine_version": "", "prompt": 1000.0, "output": 200.0, "concurrency": 64.0, "prefill": CUT,
        "decode": CUT, "prefill_workers": None, "decode_workers": None, "decode_batch": None,
        "speculates": False,
    }  # fmt: skip
    return dataclasses.replace(row, **(told | changes))


def seconds(work):
    return float(forecast.pass_time(work, NEW))


def test_a_closed_loop_by_its_passes():
    work, errors = predict.work_of([served()])
    box = H100.machine(8)
    model = predict.checkpoint_of("Llama-3.1-70B", "fp8")
    prompt, output = 1000 * NOMINAL, 200 * NOMINAL
    step = seconds(decode_pass(64, prompt + output / 2, model, box, CUT))
    together = CHUNK / prompt
    each = seconds(prompt_pass(together, prompt, 0.0, model, box, CUT)) / together
    own = seconds(prompt_pass(1, prompt, 0.0, model, box, CUT))
    assert errors == [""] and work.running[0] == 64
    assert work.tpot(NEW)[0] == pytest.approx(step + 63 * each / output)
    burst = (
        64 / 2 / 10 * each
    )  # all begin at once; of ten requests of each the first waits for half
    assert (Engine().batched_tokens, 0.8 + 1.0) == (CHUNK, 2 * NOMINAL)
    assert work.ttft(NEW)[0] == pytest.approx(NEW.steps * step + burst + own)
    floor = forecast.pass_floor(decode_pass(64, prompt + output / 2, model, box, CUT))
    assert work.tpot_floor()[0] == pytest.approx(floor)
    assert work.ttft_floor()[0] == pytest.approx(
        forecast.pass_floor(prompt_pass(1, prompt, 0.0, model, box, CUT))
    )
    # an engine that looks for newcomers now and then
    (polled,) = predict.work_of([served(engine="SGLang")])[0].ttft(NEW)
    assert polled == pytest.approx(NEW.steps * step * 3 + burst + own)
    # fewer users than prompts in a pass: no more of them together than run
    few, _ = predict.work_of([served(concurrency=2.0)])
    assert few.together[0] == few.running[0] == 2
    long, _ = predict.work_of([served(prompt=50_000.0)])
    assert long.together[0] == 1


def test_pools_by_their_passes():
    """Three engines write, two read on half the chips: a writer's step is no longer than itself."""
    reads = Layout(tp=4)
    row = served(mode="disagg", prefill=reads, prefill_workers=2.0, decode_workers=4.0)
    work, _ = predict.work_of([row])
    model = predict.checkpoint_of("Llama-3.1-70B", "fp8")
    prompt, output = 1000 * NOMINAL, 200 * NOMINAL
    step = seconds(decode_pass(16, prompt + output / 2, model, H100.machine(8), CUT))
    assert work.running[0] == 16 and work.tpot(NEW)[0] == pytest.approx(step)
    together, box = CHUNK / prompt, H100.machine(4)
    each = seconds(prompt_pass(together, prompt, 0.0, model, box, reads)) / together
    own = seconds(prompt_pass(1, prompt, 0.0, model, box, reads))
    first = NEW.steps * step * 3 + 32 / 2 / 10 * each + own
    assert work.ttft(NEW)[0] == pytest.approx(first)
    # batches that are stated: so many for each rank of a writer, if as many users come
    for batch, running in ((2.0, 2), (100.0, 16), (0.1, 1)):
        told, _ = predict.work_of([dataclasses.replace(row, decode_batch=batch)])
        assert told.running[0] == running
    ranks, _ = predict.work_of(
        [dataclasses.replace(row, decode_batch=2.0, decode=Layout(tp=4, dp=2))]
    )
    assert ranks.running[0] == 4
    alone, _ = predict.work_of([dataclasses.replace(row, concurrency=1.0)])
    assert alone.running[0] == 1


def test_stages_take_micro_batches():
    staged = Layout(tp=4, pp=2)
    work, _ = predict.work_of([served(prefill=staged, decode=staged)])
    model = predict.checkpoint_of("Llama-3.1-70B", "fp8")
    step = decode_pass(32, 990.0, model, H100.machine(8), staged)
    assert forecast.pass_time(work.step, NEW)[0] == pytest.approx(seconds(step))


def test_the_terms_of_many_runs_end_at_their_forecast():
    work, errors = predict.work_of([served(), served(chip="H1000"), served(concurrency=8.0)])
    assert errors[::2] == ["", ""] and "H1000" in errors[1] and "Known" not in errors[1]
    terms = work.waterfall(NEW)
    assert [name for name, _ in terms] == ["floor", *forecast.TERMS]
    np.testing.assert_allclose(terms[0][1], work.tpot_floor())
    np.testing.assert_allclose(terms[-1][1], work.tpot(NEW))
    assert all((a <= b).all() for (_, a), (_, b) in pairwise(terms))
    assert predict.work_of([served(chip="H1000")])[0] is None


def test_as_many_run_as_fit():
    """1e9 bytes of weights; 1 kB a token and layer of cache: 36 GB of the chip's are left for some."""
    group = LayerGroup(layers=1, entry=500)
    model = Checkpoint(
        "m", (group,), (Part(1e9, 1e9, 1.0),), layers=1, d_model=100, routed_layers=0
    )
    engine = Engine(memory_share=1.0, batched_tokens=0, sequences=1, graph=0, allowance=0, page=1)

    def capped(users, bytes_left, model=model):
        box = System(1e15, 1e12, capacity=1e9 + bytes_left, chips=1)
        return predict.capped(users, 900.0, 100.0, model, box, Layout(), engine)

    # 1,000 tokens of 1 kB: a megabyte each
    assert capped(8, 16e6) == 8 and capped(64, 16e6) == pytest.approx(16)
    assert capped(64, 0.4e6) == 1  # somebody ran it all the same
    nothing = dataclasses.replace(model, groups=(LayerGroup(layers=1, entry=0),))
    assert capped(64, -1e6) == capped(64, 0.0, nothing) == 1


def test_guesses_for_what_nobody_published():
    shape = {"n_total": 10e9, "n_active": 2e9, "bytes_per_param": 1.0, "kv_bytes_per_token": 64e3,
             "layers": 32, "d_model": 2048}  # fmt: skip
    known = predict.ready(Model(**shape))
    usual = predict.usual_experts_active()
    assert (known.attention_width, known.experts_active) == (4096, usual)
    assert known.experts == 5 * usual
    assert predict.ready(Model(**shape, experts=64)).experts_active == usual
    dense = predict.ready(Model(**{**shape, "n_active": 10e9}))
    assert (dense.experts, dense.experts_active) == (1, 1)
    told = Model(**shape, experts=64, experts_active=4, attention_width=1000)
    assert predict.ready(told) == told
    chosen = sorted(
        m.experts_active for m in catalog.models().values()
        if not isinstance(m.experts, Unknown) and m.experts > 1
    )  # fmt: skip
    assert sum(c <= usual for c in chosen) >= len(chosen) / 2 <= sum(c >= usual for c in chosen)
    assert usual > 1 and len(chosen) < len(catalog.models())


def test_a_blackboard_as_a_checkpoint():
    """10e9 weights of which 2e9 work, 8 of 64 experts: 1/8 of the routed ones and all others."""
    model = Model(n_total=10e9, n_active=2e9, bytes_per_param=0.5, kv_bytes_per_token=64e3, layers=32,
                  d_model=2048, experts=64, experts_active=8, attention_width=3000)  # fmt: skip
    made = predict.blackboard(model, "fp8")
    routed = (10e9 - 2e9) / (1 - 8 / 64)
    (dense,), (experts,) = made.of("dense"), made.of("routed")
    assert experts.parameters == pytest.approx(routed)
    assert experts.active == pytest.approx(routed / 8)
    assert dense.parameters == dense.active == pytest.approx(10e9 - routed)
    assert {p.arithmetic for p in made.parts} == {"fp8"} and made.weight_bytes == pytest.approx(5e9)
    (group,) = made.groups
    assert group.entry * group.bytes_per_element * group.layers == 64e3
    assert group.width == group.prompt_width == 3000
    assert (made.routed_layers, made.launches) == (32, 32 * (3 + 4))
    plain = predict.blackboard(model.replace(n_active=10e9, experts=1, experts_active=1))
    assert not plain.of("routed") and (plain.routed_layers, plain.launches) == (0, 32 * (3 + 2))
    assert plain.weight_bytes == pytest.approx(5e9)


def test_a_model_of_which_only_the_size_is_known():
    small, large = (predict.of_size(n, n, 1.0) for n in (8e9, 16 * 8e9))
    assert (small.layers, small.d_model) == (32, 4096)
    assert large.layers == 64 and large.d_model == pytest.approx(4096 * 16**0.375)
    assert small.weight_bytes == pytest.approx(8e9) and small.groups[0].entry == 0
    sparse = predict.of_size(80e9, 8e9, 2.0)
    assert sparse.layers == 32 and sparse.weight_bytes == pytest.approx(160e9)


def test_names_as_benchmarks_write_them():
    def stored(name, width):
        found = predict.checkpoint_of(name, width)
        return found.name, found.weight_bytes

    same = catalog.checkpoint("Llama-3.1-70B")
    for name in ("Llama-3.1-70B", "meta-llama/Llama-3.1-70B-Instruct"):
        assert stored(name, "bf16") == stored(name, "") == (same.name, same.weight_bytes)
    # where a row states no width its model's name may
    assert stored("org/Llama-3.1-70B-FP8-dynamic", "")[0] == "Llama-3.1-70B-FP8"
    assert stored("Llama-3.3-70B-Instruct-FP8", "") == stored("Llama-3.3-70B", "fp8")
    assert stored("Llama-3.3-70B-Instruct-FP8", "bf16") == stored("Llama-3.3-70B", "")
    # its own release in that width, if there is one; else all of it stored so
    assert stored("Llama-3.1-70B", "fp8")[0] == "Llama-3.1-70B-FP8"
    v3 = catalog.checkpoint("DeepSeek-V3")
    assert stored("deepseek-ai/DeepSeek-V3", "fp8") == (v3.name, v3.weight_bytes)
    narrow = predict.checkpoint_of("Qwen2.5-7B", "fp4")
    wide = catalog.checkpoint("Qwen2.5-7B")
    assert wide.weight_bytes / 4 < narrow.weight_bytes < wide.weight_bytes / 2
    # a width of four bits is another's name for it
    gpt = catalog.checkpoint("gpt-oss-120b")
    assert stored("openai/gpt-oss-120b", "fp4")[1] == gpt.weight_bytes
    with pytest.raises(InputError, match="nobody"):
        predict.checkpoint_of("nobody/knows-this", "")


def test_a_recipe_that_does_not_say_its_cut_is_tried_in_two():
    row = runs.cookbook()[0]
    for chips, cut in ((4.0, 4), (None, predict.BOX)):
        whole, spread = predict.usual_cuts(dataclasses.replace(row, chips=chips))
        assert (whole.decode, spread.decode) == (Layout(tp=cut), Layout(dp=cut, ep=cut))
        assert whole.prefill == whole.decode and spread.prefill == spread.decode
        for one in (whole, spread):
            assert (one.prefill_workers, one.decode_workers, one.decode_batch) == (1, 1, None)
            assert (one.mode, one.engine_version, one.model) == ("agg", "", row.model)
            assert (one.prompt, one.output, one.concurrency) == (
                row.prompt,
                row.output,
                row.concurrency,
            )
            assert (one.ttft, one.tpot, one.speculates) == (row.ttft, row.tpot, row.speculates)


# ---- open arrivals -------------------------------------------------------------------------------


def opened(**changes):
    """Half a request a second, at random, of 1,000 + 200 tokens on eight H100."""
    told = {
        "model": "Llama-3.1-70B", "weights": "fp8", "chip": "H100", "engine": "vLLM", "chips": 8.0,
        "layout": CUT, "total": None, "active": None, "poisson": True, "rate": 0.5, "prompt": 1000.0,
        "output": 200.0, "max_sequences": None,
    }  # fmt: skip
    return dataclasses.replace(runs.open_loop()[0], **(told | changes))


@pytest.mark.parametrize("rate", [1e-4, 0.05, 5.0, 20.0])
def test_an_open_loop_is_at_its_fixed_point(rate):
    """As many run as arrive while one is answered; what arrives in a step rides along in it."""
    answer = predict.open_answer(opened(rate=rate), NEW)
    model, box = predict.checkpoint_of("Llama-3.1-70B", "fp8"), H100.machine(8)
    running = max(rate * 200 * answer.tpot, 1)
    step = decode_pass(running, 1100, model, box, CUT)
    riding = decode_pass(running + rate * 1000 * answer.tpot, 1100, model, box, CUT)
    mixed = riding.replace(
        attention_arithmetic=step.attention_arithmetic, cache_reading=step.cache_reading
    )
    assert answer.tpot == pytest.approx(seconds(mixed), rel=1e-4)
    reading = prompt_pass(1, 1000, 0.0, model, box, CUT)
    each = (reading.dense_arithmetic + reading.expert_arithmetic) / NEW.compute
    first = serving.open_first_token(
        answer.tpot, seconds(reading), serving.prompt_wait(rate, each, 0)
    )
    assert answer.ttft == pytest.approx(float(first))
    even = predict.open_answer(opened(rate=rate, poisson=False), NEW)
    assert even.ttft == pytest.approx(
        float(serving.open_first_token(answer.tpot, seconds(reading), 0))
    )
    assert answer.tpot_floor == pytest.approx(float(forecast.pass_floor(step)), rel=1e-4)
    assert answer.ttft_floor == pytest.approx(float(forecast.pass_floor(reading)))


def test_replicas_share_an_open_loop():
    shared = predict.open_answer(opened(layout=Layout(tp=2), rate=4.0), NEW)
    one = predict.open_answer(opened(layout=Layout(tp=2), chips=2.0, rate=1.0), NEW)
    assert (
        shared == one == predict.open_answer(opened(layout=Layout(tp=2), chips=None, rate=1.0), NEW)
    )


def test_a_saturated_engine_answers_no_first_token():
    slow = predict.open_answer(opened(rate=2.0, max_sequences=2.0), NEW)
    model, box = predict.checkpoint_of("Llama-3.1-70B", "fp8"), H100.machine(8)
    assert slow.ttft == np.inf and slow.tpot < predict.open_answer(opened(rate=2.0), NEW).tpot
    assert slow.tpot_floor == pytest.approx(
        float(forecast.pass_floor(decode_pass(2, 1100, model, box, CUT)))
    )
    # as many as may run, to a thousandth, are too many
    free = 5.0 * 200 * predict.open_answer(opened(rate=5.0), NEW).tpot
    for more, ends in ((1.0005, True), (1.003, False)):
        told = predict.open_answer(opened(rate=5.0, max_sequences=more * free), NEW)
        assert np.isinf(told.ttft) == ends


def test_without_a_layout_the_best_power_of_two_is_taken():
    free = predict.open_answer(opened(layout=None), NEW)
    tried = [predict.open_answer(opened(layout=Layout(tp=t)), NEW) for t in (2, 4, 8)]
    best = min(tried, key=lambda a: a.ttft)
    assert (free.ttft, free.tpot) == (best.ttft, best.tpot)
    # a floor counts on all chips and on one request, its prompt behind it
    model, box = predict.checkpoint_of("Llama-3.1-70B", "fp8"), H100.machine(8)
    alone, reading = decode_pass(1, 1000, model, box, CUT), prompt_pass(1, 1000, 0, model, box, CUT)
    assert free.tpot_floor == pytest.approx(float(forecast.pass_floor(alone)))
    assert free.ttft_floor == pytest.approx(float(forecast.pass_floor(reading)))
    sparse = predict.open_answer(opened(layout=None, model="Mixtral-8x7B", weights=""), NEW)
    mixtral = predict.checkpoint_of("Mixtral-8x7B", "")
    few = least(decode_pass(1, 1000, mixtral, box, CUT), 1, mixtral, box, CUT)
    assert sparse.tpot_floor == pytest.approx(float(forecast.pass_floor(few)))
    wide = opened(layout=None, chips=1.0, weights="bf16")  # 141 GB on one chip of 80
    assert 0 < predict.open_answer(wide, NEW).tpot < 1
    # on too few chips it is tried all the same; a prompt of unknown length is as long as an answer
    assert predict.open_answer(opened(layout=None, chips=None), NEW).tpot > free.tpot
    assert predict.open_answer(opened(prompt=None), NEW) == predict.open_answer(
        opened(prompt=200.0), NEW
    )


def test_what_an_open_loop_must_state():
    for missing in ({"rate": None}, {"output": None}):
        assert "not stated" in predict.open_answer(opened(**missing), NEW).error
    assert "H1000" in predict.open_answer(opened(chip="H1000"), NEW).error
    unknown = opened(model="nobody", total=70e9, active=None, weights="fp8")
    dense = predict.open_checkpoint(unknown)
    assert dense.weight_bytes == pytest.approx(70e9) and not dense.of("routed")
    sparse = predict.open_checkpoint(dataclasses.replace(unknown, active=7e9))
    assert sparse.of("routed")
    with pytest.raises(InputError, match="nobody"):
        predict.open_checkpoint(dataclasses.replace(unknown, total=None))


# ---- one user at home ----------------------------------------------------------------------------


def local(**changes):
    """One user of an 8-bit Llama-3.1-8B on an RTX 4090, writing after 1,000 tokens."""
    told = {
        "model": "Llama-3.1-8B", "chip": "RTX 4090", "engine": "llama.cpp", "weights": "q8_0",
        "total": 8.03e9, "active": 8.03e9, "weight_bytes": 8.5e9, "chips": 1.0, "test": "decode",
        "wall": False, "aggregate": False, "prompt": 0.0, "context": 1000.0, "batch": 1.0,
        "speculates": False,
    }  # fmt: skip
    return predict.local_work(dataclasses.replace(runs.local()[0], **(told | changes)))


def test_writing_at_home():
    one = local()
    # the file is read, but for a table of embeddings that nobody multiplies by; and the cache
    model, chip = catalog.checkpoint("Llama-3.1-8B"), catalog.chip("RTX 4090")
    share = 1 - model.bytes("embedding") / model.weight_bytes
    bandwidth = float(chip.machine(1).bandwidth)
    assert one.work.dense_reading == pytest.approx(8.5e9 * share / bandwidth)
    assert one.work.cache_reading == pytest.approx(1000 * 131_072 / bandwidth)
    assert (one.passes, one.fewest, one.tokens) == (1, 1, 1)
    assert one.time(NEW) == seconds(one.work)
    # in the middle of a prompt's reading; of a batch, and of a batch counted as one
    assert local(context=600.0, prompt=800.0).work == one.work
    assert local(batch=4.0).tokens == 1 and local(batch=4.0, aggregate=True).tokens == 4
    assert local(context=0.0).work.cache_reading == pytest.approx(131_072 / bandwidth)


def test_the_first_token_counts_where_a_rate_is_by_the_wall_clock():
    timed = local(wall=True, prompt=2048.0, context=0.0)
    bare = local(context=2048.0 + predict.WRITTEN / 2)
    assert timed.work == bare.work and bare.first == predict.NOTHING
    reading = local(test="prefill", prompt=2048.0, context=0.0)
    assert seconds(timed.first) * predict.WRITTEN == pytest.approx(seconds(reading.work))
    assert timed.time(NEW) == pytest.approx(seconds(timed.work) + seconds(timed.first))
    together = predict.local_works([timed, bare, reading])
    np.testing.assert_allclose(together.time(NEW), [w.time(NEW) for w in (timed, bare, reading)])
    np.testing.assert_allclose(together.tokens, [1, 1, 2048])


def test_reading_at_home_goes_through_chips_in_pieces():
    """Two chips in a row, pieces of 512: 2,048 tokens are four pieces and a fifth turn, of eight halves."""
    one, two = (local(test="prefill", prompt=2048.0, context=0.0, chips=n) for n in (1.0, 2.0))
    assert one.passes == 1 == one.fewest and one.tokens == 2048
    assert two.passes == pytest.approx(5 / 8) and two.fewest == 0.5
    # engines at home sum in 16 bit: half the rate of integers, twice what is printed
    model, chip = catalog.checkpoint("Llama-3.1-8B"), catalog.chip("RTX 4090")
    used = sum(p.active for p in model.parts if p.kind != "embedding")
    assert chip.flops_int8 / 2 > chip.flops_bf16
    flop = 2 * used * 2048
    assert one.work.dense_arithmetic == pytest.approx(flop / float(chip.flops_int8 / 2))
    assert one.least.dense_arithmetic == pytest.approx(flop / float(chip.flops_int8))
    # each at the pace of one chip, half of the layers at a time
    assert two.work.dense_arithmetic == pytest.approx(one.work.dense_arithmetic)
    assert two.work.dense_reading == pytest.approx(one.work.dense_reading)
    short = local(test="prefill", prompt=100.0, context=0.0, chips=2.0)
    assert short.passes == 1  # one piece, one chip after the other
    assert local(test="prefill", prompt=1024.0, batch=2.0, context=0.0, chips=2.0).passes == 5 / 8
    # engines of servers cut matrices instead
    cut = local(test="prefill", prompt=2048.0, context=0.0, chips=2.0, engine="vLLM")
    assert cut.passes == 1 and cut.work.dense_reading == pytest.approx(
        one.work.dense_reading / 2, rel=1e-3
    )


def test_guesses_at_home():
    plain, guessing = local(), local(speculates=True)
    assert guessing.fewest == 1 / (1 + predict.GUESSED)
    assert guessing.passes == pytest.approx(
        1 / float(serving.tokens_a_step(predict.GUESSED, predict.ACCEPTED))
    )
    assert guessing.work.dense_arithmetic == pytest.approx(4 * plain.work.dense_arithmetic)


def test_a_file_of_an_unknown_model():
    made = local(model="Nobody-8B", total=8e9, active=8e9, weight_bytes=4e9)
    bandwidth = float(catalog.chip("RTX 4090").machine(1).bandwidth)
    assert made.work.dense_reading == pytest.approx(4e9 / bandwidth)
    assert made.work.cache_reading == 0
