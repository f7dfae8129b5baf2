"""Public questions: every row is answered, and a verdict says what the numbers say."""

from types import SimpleNamespace

import pytest
from memwall_figures import questions as draw

from memwall import InputError, catalog
from memwall.core.chapters import chapters
from memwall.experiments import memory
from memwall.experiments import questions as asking
from memwall.experiments.memory import GIB
from memwall.experiments.questions import (
    CHANGE,
    GROUPS,
    VERDICTS,
    Answer,
    Question,
    _direction,
    answer,
    ask,
    questions,
    room_band,
)
from memwall.formulas import forecast
from memwall.formulas.passes import decode_pass

ROWS = catalog.table("questions")


@pytest.mark.parametrize("question", questions(), ids=lambda q: q.id)
def test_a_verdict_says_what_the_numbers_say(question):
    assert question.group in GROUPS and question.verdict in VERDICTS
    assert question.explained == (question.verdict == "arithmetic")
    for one in question.answers:
        assert one.low <= one.value <= one.high
        assert one.row["words"] == question.answers[0].row["words"]
        assert one.row["chapter"] in {c.slug for c in chapters()}


def test_rows_are_told_apart():
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    assert len(questions()) >= 30


def test_what_a_log_printed_stands_once():
    """A row about a start of an engine repeats the table of starts."""
    starts = {case.id: case for case in memory.cases()}
    kept = {"room": "room_gib", "tokens in cache": "tokens", "tokens promised": "tokens"}
    for row in ROWS:
        if row["case"]:
            case = starts[row["case"]].row
            assert (row["source"], row["url"]) == (case["source"], case["url"])
            if row["asked"] in kept and case[kept[row["asked"]]]:
                assert float(row["measured"]) == float(case[kept[row["asked"]]]), row["id"]


def test_three_thousand_tokens_by_hand():
    # 28 layers x 4 heads x 128 x keys and values x 2 bytes = 57,344 B; times 3,072 = 0.17616 GB
    (found,) = ask("gqa").answers
    assert found.value == pytest.approx(57_344 * 3072 / 1e9)


def test_two_boxes_by_hand():
    # 70.55e9 weights less 1.05e9 looked up, 2 bytes, over 2 x 273 GB/s: 254.6 ms at the very least
    (found,) = ask("two-boxes-70b").answers
    assert found.value < 1 / 0.2546 and found.low < 3 < found.high


def test_guesses_help_experts_less():
    dense, sparse = ask("mtp-dense-and-moe").answers
    assert dense.value > sparse.value > 1


def test_never_guessed_right_is_no_gain():
    row = dict(ask("mtp-dense-and-moe").answers[0].row, accepted="0")
    assert answer(row).value < 1


def test_half_of_the_users_wait_less():
    times = [one.value for one in ask("users-slow-experts").answers]
    assert times == sorted(times)


def test_a_change_that_the_arithmetic_denies_is_not_explained():
    """Four H100 as fast as one lie inside no band; equal speeds of two machines are no change."""
    assert not ask("tp-never-helps").explained
    a, b = ask("spark-or-strix").answers[:2]
    assert a.measured < b.measured * (1 + CHANGE)


def test_the_band_of_a_room_is_about_nothing():
    low, high = room_band()
    assert -0.1 < low < 0 < high < 0.1


def test_a_miss_says_what_was_meant():
    with pytest.raises(InputError, match="second-box"):
        ask("second-bok")
    with pytest.raises(InputError, match="asked"):
        answer(dict(ask("second-box").answers[0].row, asked="colour"))


def test_a_link_carries_the_setting():
    link = draw.in_planner(ask("second-box").answers[1])
    assert link.startswith("11_planner.html#plan?model=Qwen3-VL-32B&weights=fp8")
    assert "engine=tp%3A2" in link and "chips=DGX%20Spark" in link
    assert "serves=SGLang" in draw.in_planner(ask("two-engines").answers[1])


# ---- by hand -------------------------------------------------------------------------------------


def said(value, measured, unit="tok/s", asked="speed", low=0.9, high=1.1):
    row = {"measured": str(measured), "unit": unit, "asked": asked, "group": "slow",
           "verdict": "arithmetic", "setting": "here"}  # fmt: skip
    return Answer(row, value, low * value, high * value)


def test_an_answer_by_hand():
    slow, slow_time = said(100.0, 50), said(2.0, 3, unit="s")
    assert slow.worse == 2 and slow_time.worse == 1.5 and said(2.0, 3, unit="ms").worse == 1.5
    assert not slow.inside and said(100.0, 110).inside and said(100.0, 90).inside
    assert not said(100.0, 111).inside and not said(100.0, 89).inside
    assert str(slow) == "here: 100 tok/s (90 to 110), measured 50"


def test_what_explains_a_question():
    """Inside their bands, and moving together; a tenth is no move."""

    def explained(*answers):
        return Question("q", answers).explained

    assert explained(said(100.0, 105), said(200.0, 190))
    assert not explained(said(100.0, 150), said(200.0, 190))
    assert not explained(said(100.0, 109), said(112.0, 105))  # more was said, and as much measured
    assert not explained(said(112.0, 105), said(100.0, 109))
    assert explained(said(100.0, 109), said(112.0, 105, asked="other"))  # of another kind
    assert explained(said(100.0, 100), said(110.0, 105), said(100.0, 104))
    both = str(Question("q", (said(1.0, 1), said(2.0, 2))))
    assert both.count("\n") == 1


def test_directions():
    # ten per cent more or less, and no less than that, is a change
    for after, way in ((1.11, 1), (1.1, 0), (1.0, 0), (1 / 1.1, 0), (0.9, -1)):
        assert _direction(1.0, after) == way


def test_bands_of_rooms_by_hand(monkeypatch):
    """Estimates off by 1 to 11 hundredths of a chip of 10 GiB: eight of ten lie from 2 to 10."""
    made = [SimpleNamespace(system=SimpleNamespace(capacity=20 * GIB, chips=2), id=n,
                            measured_room=lambda: 4 * GIB, estimate=lambda: 4 * GIB)
            for n in range(11)]  # fmt: skip
    off = [(case, -(n + 1) * 0.1 / 4) for n, case in enumerate(made)]
    monkeypatch.setattr(asking.memory, "estimated", lambda: off)
    band = room_band.__wrapped__()
    assert band == pytest.approx((0.02, 0.10))
    monkeypatch.setattr(asking, "room_band", lambda: (-0.5, 0.2))
    assert asking._room(made[0]) == pytest.approx((4, 0, 6))  # no room is less than none
    case = SimpleNamespace(**vars(made[0]), tokens=lambda room: room / 1000)
    assert asking._tokens(case) == pytest.approx((4 * GIB / 1000, 0, 6 * GIB / 1000))


def test_starts_and_promises_by_hand():
    def case(room, estimate=1.0):
        return SimpleNamespace(
            row={"context": "100"}, measured_room=lambda: room, estimate=lambda: estimate,
            concurrency=lambda room: room / 50,
        )  # fmt: skip

    assert asking._promised(case(1000.0)) == pytest.approx((2000, 1900, 2100))
    assert asking._promised(case(None)) == (0, 0, 0)
    assert asking._starts(case(1.0)) == (1, 1, 1) and asking._starts(case(1.0, 0.0)) == (0, 0, 0)


BASE = next(row for row in ROWS if row["asked"] in asking.OF_A_RUN and not row["case"])


def run_of(asked, **changes):
    row = BASE | {
        "asked": asked, "case": "", "model": "Llama-3.1-8B", "chip": "H100", "chips": "1", "layout": "",
        "weights": "", "cache": "bf16", "prompt": "2000", "output": "500", "users": "4", "guesses": "2",
        "accepted": "0.5", "measured": "1",
    }  # fmt: skip
    return answer(row | changes)


def test_what_is_asked_of_a_run():
    """One deployment, read six ways; the bands of its class about a time, turned round about a rate."""
    result = asking._run(run_of("time per token").row).result
    tpot, ttft = forecast.band("server-2025"), forecast.band("server-2025", "ttft")
    token, prompt = float(result.time_per_token), float(result.prompt_time)
    for asked, value, (low, high) in (
        ("time per token", 1e3 * token, tpot), ("time of the prompt", prompt, ttft),
    ):  # fmt: skip
        said = run_of(asked)
        assert (said.value, said.low, said.high) == pytest.approx(
            (value, low * value, high * value)
        )
    for asked, value, (low, high) in (
        ("speed of a user", 1 / token, tpot), ("speed of all", 4 / token, tpot),
        ("speed of reading", 2000 / prompt, ttft),
    ):  # fmt: skip
        said = run_of(asked)
        assert (said.value, said.low, said.high) == pytest.approx(
            (value, value / high, value / low)
        )
    # 32 layers, 8 heads of 128, keys and values of two bytes
    assert run_of("cache").value == pytest.approx(32 * 8 * 128 * 2 * 2 * 2000 / 1e9)


def test_what_guessing_gains_by_hand():
    """Two guesses, each right half of the time: 1.75 tokens for a step of three, and two more layers of 32."""
    many = {"users": "400"}  # so many that arithmetic counts
    run = asking._run(run_of("gain of guessing", **many).row)
    one, three = (
        float(forecast.pass_time(
            decode_pass(400, 2250, run.checkpoint, run.system, run.layout, tokens), forecast.fitted()))
        for tokens in (1, 3)
    )  # fmt: skip
    assert run_of("gain of guessing", **many).value == pytest.approx(
        1.75 * one / (three * (1 + 2 / 32))
    )


def test_a_run_s_nouns():
    run = asking._run(run_of("cache", layout="tp 2 pp 2", chips="4", users="").row)
    assert (run.layout.tp, run.layout.pp, run.layout.dp) == (2, 2, 1)
    assert run.system.chips == 4 and run.number("users") == 0 and run.number("users", 3.0) == 3
    assert (
        run.kind == "server-2025"
        and asking._run(run_of("cache", chip="RTX 4090").row).kind == "local"
    )
