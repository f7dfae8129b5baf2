"""What a benchmark's rows do not say, looked up among its published configurations."""

import dataclasses

import numpy as np
import pytest

from memwall import catalog
from memwall.core.nouns import Layout
from memwall.experiments import predict, recipes, runs
from memwall.experiments.recipes import GUESSED, recipes_of
from memwall.formulas import forecast
from memwall.formulas.serving import tokens_a_step

NEW = forecast.fitted("server-2025")
POOL = next(
    r for r in runs.served()
    if r.mode == "disagg" and r.chip == "H200" and r.decode_workers is None
    and (r.engine, r.prompt, r.concurrency) == ("trtllm", 1024, 288)
)  # fmt: skip
ALONE = next(r for r in runs.served() if r.mode == "agg" and r.engine_version == "1.2.0rc6.post3")


def test_a_pool_is_cut_as_its_recipe_says():
    # 288 users: nine engines of eight chips that take 32 each
    found = recipes_of(POOL)
    assert {(r.writers, r.decode, r.drafts) for r in found} == {(9, Layout(tp=8, ep=8), 0)}
    work, errors = predict.work_of([POOL])
    assert errors == [""] and set(work.running) == {32}


def test_what_a_row_states_is_not_overruled():
    stated = dataclasses.replace(POOL, decode_workers=4.0, prefill_workers=2.0)
    (recipe,) = recipes_of(stated)
    assert (recipe.writers, recipe.readers, recipe.decode) == (4, 2, stated.decode)


def test_one_cut_without_a_version_is_of_all_engines_together():
    # 36 chips: a reader of 4 and four writers of 8, or one of 32
    row = next(
        r for r in runs.served()
        if r.mode == "disagg" and not r.engine_version and r.decode == r.prefill == Layout(tp=36)
    )  # fmt: skip
    for recipe in recipes_of(row):
        assert recipe.readers * recipe.prefill.chips + recipe.writers * recipe.decode.chips == 36


def test_an_engine_has_as_many_chips_as_its_experts_are_cut_over():
    row = {
        "id": "a", "source": "x", "model": "DeepSeek-R1", "chip": "H200", "engine": "sglang",
        "weights": "fp8", "mode": "disagg", "prompt": "1000", "output": "1000", "concurrency": "8",
        "prefill_tp": "1", "prefill_expert_ep": "8", "decode_tp": "8", "decode_expert_ep": "8",
        "tpot_s": "0.02",
    }  # fmt: skip
    made = runs.KINDS["served"][0](row)
    assert (made.prefill.tp, made.prefill.dp, made.decode.dp) == (1, 8, 1)


def test_who_finds_no_seat_waits():
    # six users, three engines that let in one each: half of them wait, as long as an answer takes
    row = next(
        r for r in runs.served()
        if (r.chip, r.engine, r.decode_workers, r.concurrency) == ("H100", "trtllm", 3, 6)
    )  # fmt: skip
    (recipe,) = recipes_of(row)
    assert (recipe.writers, recipe.sequences) == (3, 1)
    work, _ = predict.work_of([row])
    free, _ = predict.work_of([dataclasses.replace(row, concurrency=3.0)])
    assert work.running == free.running == 1 and work.crowd == 2 and free.crowd == 1
    wait = work.ttft(NEW) - free.ttft(NEW)
    assert wait[0] == pytest.approx(work.output[0] * work.tpot(NEW)[0], rel=0.01)
    assert row.ttft == pytest.approx(row.output * predict.NOMINAL * row.tpot, rel=0.1)  # and it did


def test_a_version_that_only_guessing_recipes_use_guesses():
    (recipe,) = recipes_of(ALONE)
    assert recipe.drafts == (3 if ALONE.decode.dp == 1 else 1)
    unknown = dataclasses.replace(ALONE, engine_version="", speculates=False)
    assert recipes_of(unknown)[0].drafts == 0
    said = dataclasses.replace(unknown, speculates=True)
    assert recipes_of(said)[0].drafts == GUESSED


def test_a_guessing_step_checks_more_tokens_and_yields_more():
    plain, guessing = (
        predict.work_of([dataclasses.replace(ALONE, engine_version="", speculates=said)])[0]
        for said in (False, True)
    )
    kept = float(tokens_a_step(GUESSED, predict.ACCEPTED))
    assert guessing.kept == pytest.approx(kept) and plain.kept == 1
    steps = [forecast.pass_time(w.step, NEW)[0] for w in (plain, guessing)]
    assert steps[0] < steps[1] < kept * steps[0]
    assert guessing.tpot_floor() < plain.tpot_floor()


def test_the_chance_of_a_guess_is_what_runs_known_to_guess_say():
    rows = [r for r in runs.served() if r.part == "fit" and r.source.startswith("InferenceX")]
    rows = [r for r in rows if min(x.drafts for x in recipes_of(r)) > 0]
    work, errors = predict.work_of(rows)
    assert len(rows) > 100 and not any(errors)
    took = np.array([r.tpot for r in rows])

    def error(chance):
        kept = tokens_a_step(work.drafts, chance)
        return np.abs(dataclasses.replace(work, kept=kept).tpot(NEW) / took - 1).mean()

    chances = np.arange(0.5, 0.8, 0.01)
    best = chances[np.argmin([error(c) for c in chances])]
    assert best == pytest.approx(predict.ACCEPTED, abs=0.03)


def test_several_recipes_are_averaged_and_the_floor_is_the_least():
    mixed = next(r for r in runs.served() if r.mode == "disagg" and len(recipes_of(r)) > 1)
    both, _ = predict.work_of([mixed])
    assert len(both.row) > 1 and set(both.row) == {0} and len(both.tpot(NEW)) == 1
    each = forecast.pass_time(both.step, NEW) / both.kept
    assert both.tpot(NEW)[0] == pytest.approx(np.exp(np.log(each).mean()))
    assert both.tpot_floor()[0] == (forecast.pass_floor(both.least) / (1 + both.drafts)).min()


def test_kept_rows_keep_their_recipes():
    rows = [ALONE, POOL, ALONE]
    work, _ = predict.work_of(rows)
    np.testing.assert_allclose(
        work.where(np.array([False, True, True])).tpot(NEW), work.tpot(NEW)[1:]
    )


# ---- a table of one's own ------------------------------------------------------------------------

READS, WRITES, ALL = Layout(tp=4), Layout(tp=8, ep=8), Layout(tp=8)
POOLS = {
    "model": "m", "chip": "c", "weights": "fp8", "engine": "trtllm", "mode": "disagg", "prompt": "1024", "output": "512",
    "prefill_tp": "4", "prefill_attention_dp": "1", "prefill_expert_ep": "1",
    "decode_tp": "8", "decode_attention_dp": "1", "decode_expert_ep": "8", "decode_sequences": "",
}  # fmt: skip
TABLE = [
    # two engines read and three write; guesses nothing or one
    POOLS | {"prefill_workers": "2", "decode_workers": "3", "drafts": "0", "versions": "1.0;1.1", "concurrency": "64"},
    POOLS | {"prefill_workers": "2", "decode_workers": "3", "drafts": "1", "versions": "1.0", "concurrency": "64"},
    POOLS | {"prefill_workers": "", "decode_workers": "", "drafts": "2", "versions": "1.1", "concurrency": "256"},
    # one engine for both: what its columns say of reading is not asked
    POOLS | {"mode": "agg", "decode_expert_ep": "1", "prefill_tp": "", "prefill_workers": "", "decode_workers": "",
                 "drafts": "3", "versions": "2.0", "concurrency": "32;64"},
    POOLS | {"mode": "agg", "decode_expert_ep": "1", "prefill_tp": "", "prefill_workers": "", "decode_workers": "",
                 "drafts": "1", "versions": "2.0", "concurrency": "64;128"},
]  # fmt: skip


@pytest.fixture
def told(monkeypatch):
    """What is looked up in that table for a run of such fields."""
    recipes._published.cache_clear()
    monkeypatch.setattr(recipes.catalog, "table", lambda name: TABLE)
    row = dataclasses.replace(
        POOL, model="m", chip="c", weights="fp8", engine="trtllm", mode="disagg", prompt=1024.0,
        output=512.0, prefill=READS, decode=WRITES, prefill_workers=None, decode_workers=None,
        engine_version="1.0", concurrency=64.0, speculates=False,
    )  # fmt: skip

    def ask(**changes):
        found = recipes_of(dataclasses.replace(row, **changes))
        return sorted((r.readers, r.writers, r.drafts) for r in found)

    yield ask
    recipes._published.cache_clear()


def test_pools_are_found_by_version_and_load(told):
    assert told() == [(2, 3, 0), (2, 3, 1)]  # nothing tells the two apart
    assert told(engine_version="1.1") == [(2, 3, 0)]
    assert told(engine_version="1.1", concurrency=256.0) == [(1, 1, 2)]  # an empty cell is one
    # the nearest load by ratio; some count that of one of the three writers: 64 is 192 of all
    for load, drafts in ((40, 0), (100, 0), (192, 0), (215, 0), (230, 2), (1000, 2)):
        assert [r[2] for r in told(engine_version="1.1", concurrency=float(load))] == [drafts]
    assert (
        told(engine_version="3.0") == [(1, 1, 0)] == told(engine_version="3.0", concurrency=256.0)
    )


@pytest.mark.parametrize("column", recipes.KEYS)
def test_a_recipe_of_another_column_is_another_recipe(told, column):
    other = {"mode": "agg", "prompt": 1000.0, "output": 500.0}.get(column, "other")
    assert told(**{column: other}) == [(1, 1, 0)]
    # what a row adds after its engine's name is no other engine
    assert told(engine="trtllm (dynamo)") == told()


def test_a_pool_that_states_its_engines_learns_only_what_a_step_guesses(told):
    # of what fits, what guesses nothing is the plain reading
    assert told(prefill_workers=2.0, decode_workers=3.0) == [(2, 3, 0)]
    late = {"engine_version": "1.1", "concurrency": 256.0}
    assert told(prefill_workers=1.0, decode_workers=1.0, **late) == [(1, 1, 2)]
    # no such recipe: as many as it says, and guesses as it says
    for workers in ((3.0, 2.0), (2.0, 2.0), (3.0, 3.0)):
        of = dict(zip(("prefill_workers", "decode_workers"), workers, strict=True))
        assert told(**of, **late) == [(*workers, 0)]
        assert told(**of, **late, speculates=True) == [(*workers, GUESSED)]
    cut = {"prefill_workers": 1.0, "decode_workers": 1.0, "decode": Layout(tp=4, ep=4), **late}
    assert told(**cut) == [(1, 1, 0)]


def test_one_engine_guesses_as_recipes_of_its_very_load_do(told):
    one = {"mode": "agg", "prefill": ALL, "decode": ALL, "engine_version": "2.0"}
    guesses = [told(**one, concurrency=n)[0][2] for n in (32.0, 64.0, 128.0, 48.0, 256.0)]
    assert guesses == [3, 3, 1, 0, 0]  # the most where two have the load; no other load tells
    assert told(**one, concurrency=64.0)[0][:2] == (1, 1)
    assert told(**{**one, "decode": WRITES}) == [(1, 1, 0)] == told(**{**one, "engine_version": ""})
    assert told(**{**one, "engine_version": ""}, speculates=True) == [(1, 1, GUESSED)]


def test_how_far_a_load_is():
    recipe = recipes.Recipe(READS, WRITES, writers=3.0, loads=(64.0,))
    for load, ratio in ((64, 1), (192, 1), (32, 2), (96, 1.5), (384, 2), (128, 1.5)):
        assert recipe.distance(load) == pytest.approx(np.log(ratio))
    plain = recipes.Recipe(READS, WRITES)
    assert (plain.readers, plain.writers, plain.drafts) == (1, 1, 0)


def test_the_usual_number_of_guesses():
    told = [float(row["drafts"]) for row in catalog.table("recipes")]
    assert np.median([n for n in told if n]) == GUESSED


def test_who_guesses():
    plain = dataclasses.replace(ALONE, engine_version="", speculates=False)
    assert not recipes.guesses(plain)
    assert recipes.guesses(dataclasses.replace(plain, speculates=True))  # by its own word
    assert recipes.guesses(dataclasses.replace(ALONE, speculates=False))  # by its recipe


def test_chips_are_those_of_all_engines():
    assert recipes.Recipe(READS, WRITES, readers=2.0, writers=3.0).chips == 2 * 4 + 3 * 8


def test_pools_agree_by_the_chips_of_each_engine_and_the_readers_experts():
    row = dataclasses.replace(
        POOL,
        prefill=Layout(tp=4),
        decode=Layout(tp=8, ep=8),
        decode_workers=None,
        engine_version="1",
    )
    for prefill, decode, agrees in (
        (Layout(tp=4), Layout(tp=8), True), (Layout(dp=4), Layout(dp=8, ep=8), True),
        (Layout(tp=4, ep=4), Layout(tp=8), False), (Layout(tp=8), Layout(tp=8), False),
        (Layout(tp=4), Layout(tp=4), False),
    ):  # fmt: skip
        assert recipes._agrees(recipes.Recipe(prefill, decode), row) == agrees
    # one cut and no version: the chips of all engines together
    together = dataclasses.replace(
        row, prefill=Layout(tp=20), decode=Layout(tp=20), engine_version=""
    )
    assert recipes._agrees(recipes.Recipe(READS, WRITES, 3.0, 1.0), together)
    assert not recipes._agrees(recipes.Recipe(READS, WRITES, 1.0, 1.0), together)
