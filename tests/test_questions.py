"""Public questions: every row is answered, and a verdict says what the numbers say."""

import pytest
from memwall_figures import questions as draw

from memwall import InputError, catalog
from memwall.core.chapters import chapters
from memwall.experiments import memory
from memwall.experiments.questions import (
    CHANGE,
    GROUPS,
    VERDICTS,
    answer,
    ask,
    questions,
    room_band,
)

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
