"""Every question of every set, for many students: it can be asked, answered, and not guessed from a neighbour."""

import functools
import math
import re
import sys
from collections import Counter

import pytest

from memwall.core.units import InputError
from memwall_classroom.marking import checking
from memwall_classroom.marking.sets import Draw, load_set, set_folders
from memwall_classroom.reading.answers import Choice, Formula, Number, Written, say
from memwall_classroom.reading.grammar import parse_quantity

SETS = ("set1", "set2", "set3", "set4", "set5", "project")
IDS = [f"s{i:04d}" for i in range(500)]
opened = functools.cache(load_set)  # so that what a set remembers is remembered here, too
CASES = [(name, q.name) for name in SETS for q in opened(name).questions]


def question(set, name):
    return next(q for q in set.questions if q.name == name)


@pytest.mark.parametrize(("set_name", "name"), CASES, ids=lambda text: text)
def test_a_question_survives_500_students(set_name, name):
    """Buildable, right answer full, listed mistakes nothing and the hint meant, well-conditioned."""
    set = opened(set_name)
    asked = set.ask(question(set, name), IDS[0], checking.SEED)
    every = 5 if isinstance(asked, Formula) else 1  # SymPy is slow, and structures are few
    trial = checking.try_question(set, question(set, name), IDS, every)
    assert trial.faults == []
    assert trial.papers == len(IDS) == 500
    # the self-check says the same to everybody, or one thing for each form of the question
    assert len(trial.checks) <= 12
    if isinstance(asked, Number):
        # neighbours share a number rarely: of the papers marked, one in eight at most is like another's
        assert len(trial.keys) > 12
        assert len(trial.texts) > 300 or set_name == "project"
    if isinstance(asked, Formula):
        assert len(trial.structures) >= 4  # not names: the algebra differs
    if isinstance(asked, Written):
        assert len(trial.texts) > 60


def test_every_question_of_every_set_is_tried():
    assert set(SETS) == {path.stem for folder in set_folders() for path in folder.glob("*.py")}


@pytest.mark.parametrize("name", SETS)
def test_a_class_of_300_has_no_two_papers_alike(name):
    set = opened(name)
    numbers = [q for q in set.questions if isinstance(set.ask(q, "x", checking.SEED), Number)][:2]
    count = 60 if name == "project" else 300
    keys = {
        tuple(set.ask(q, id, checking.SEED).right_answer() for q in numbers) for id in IDS[:count]
    }
    assert len(keys) == count  # two questions of the paper tell all students apart
    assert len({set.stamp(id, checking.SEED) for id in IDS}) == len(IDS)


@pytest.mark.parametrize("name", SETS)
def test_a_set_says_what_a_teacher_needs(name):
    set = opened(name)
    machine = [q for q in set.questions if not q.by_hand]
    by_hand = [q for q in set.questions if q.by_hand]
    assert 6 <= len(machine) <= 8
    assert by_hand and set.goals and set.intro and set.chapters
    assert all(q.title and q.goal and q.points > 0 and q.minutes > 0 for q in set.questions)
    assert len({q.points for q in machine}) > 1  # from recall to design
    assert 45 <= set.minutes <= 300
    paper = set.paper("ada", checking.SEED)
    assert any(isinstance(i.asked, Formula) for i in paper.marked) or name == "project"
    for item in paper.by_hand:
        assert all(c.full and c.none and c.points > 0 for c in item.asked.rubric)


@pytest.mark.parametrize("name", SETS)
def test_a_paper_comes_from_seed_set_and_id_alone(name):
    set = opened(name)
    first, again = set.paper("ada", checking.SEED), load_set(name).paper("ada", checking.SEED)
    assert [i.asked.text for i in first.items] == [i.asked.text for i in again.items]
    assert (first.stamp, first.edition) == (again.stamp, again.edition)
    other = set.paper("ada", b"another seed, as long as it must be")
    assert [i.asked.text for i in first.items] != [i.asked.text for i in other.items]
    assert first.stamp != other.stamp


@pytest.mark.parametrize("name", SETS)
def test_choices_are_choices(name):
    """No option is right, or wrong, whatever the paper: at most a misconception or two is always wrong."""
    set = opened(name)
    for question in set.questions:
        if not isinstance(set.ask(question, "ada", checking.SEED), Choice):
            continue
        right, offered = Counter(), Counter()
        for i in range(200):
            options = set.ask(question, f"choice{i}", checking.SEED).options
            for text, hint in options.items():
                kind = re.sub(r"[\d.,/]+", "#", text)
                offered[kind] += 1
                right[kind] += not hint
        if len(offered) == 1:
            continue  # numbers
        assert all(right[kind] <= 0.65 * count for kind, count in offered.items()), right
        assert sum(right[kind] == 0 for kind in offered) <= 2, right
        if question.name in ("pace", "binds"):
            assert all(right[kind] for kind in offered), right


def test_papers_are_the_same_in_every_version_and_on_every_machine():
    # worked out once and kept: a change here changes papers already handed out
    draw = Draw(b"a seed that never changes", "message")
    assert [draw.integer(1, 6) for _ in range(8)] == DICE
    assert [draw.number(1, 1000) for _ in range(4)] == NUMBERS
    assert draw.shuffled("abcdef") == LETTERS


DICE = [3, 4, 1, 4, 2, 5, 2, 2]
NUMBERS = [18.0, 600.0, 560.0, 4.5]
LETTERS = ["f", "e", "c", "b", "a", "d"]


def test_draws_are_fair_and_within_their_range():
    draw = Draw(b"x" * 32, "fair")
    faces = [draw.integer(1, 6) for _ in range(6000)]
    assert min(faces) == 1 and max(faces) == 6
    assert all(800 < faces.count(face) < 1200 for face in range(1, 7))
    numbers = [draw.number(2, 200) for _ in range(2000)]
    assert min(numbers) >= 2 and max(numbers) <= 200
    assert 850 < sum(n < 20 for n in numbers) < 1150  # even in the logarithm
    assert sorted(draw.shuffled("abcdef")) == list("abcdef")


def test_a_nudged_draw_repeats_the_first_with_shifted_numbers():
    first = Draw(b"x" * 32, "m")
    values = [first.number(1, 9), first.number(1, 9), first.rounded(3.14159, 3)]
    again = Draw(b"x" * 32, "m", first.values, 0.01)
    shifted = [again.number(1, 9), again.number(1, 9), again.rounded(7.0, 3)]
    assert shifted == pytest.approx([values[0] * 0.99, values[1] * 1.01, values[2] * 0.99])


def test_a_question_that_never_works_out_says_so():
    from memwall_classroom import ProblemSet

    set = ProblemSet("bad", "Bad", (1,), ())

    @set.question(points=1, minutes=1, goal="none")
    def twins(draw):
        """Twins"""
        return Number(
            "?",
            answer=1.0,
            unit="s",
            plausible=("1 ms", "1 h"),
            mistakes={"same": 1.0},
            solution="!",
        )

    @set.question(points=1, minutes=1, goal="none")
    def never(draw):
        """Never"""
        draw.require(False)

    with pytest.raises(InputError, match="too near the answer"):
        set.ask(set.questions[0], "ada", b"x" * 16)
    with pytest.raises(InputError, match="asked for another draw"):
        set.ask(set.questions[1], "ada", b"x" * 16)
    assert len(checking.try_question(set, set.questions[1], ["a", "b"]).faults) == 2


def test_flaws_of_each_kind_are_found():
    assert Number("", 1e9, "s", ("1 ms", "1 h")).flaws()  # outside what is plausible
    assert Number("", float("nan"), "s", ("1 ms", "1 h")).flaws()
    assert Number("", 1.0, "s", ("1 ms", "1 h"), {"a": 2.0, "b": 2.0}).flaws()
    assert not Number("", 1.0, "s", ("1 ms", "1 h"), {"a": 2.0, "b": 3.0}).flaws()
    assert Choice("", {"a": "no", "b": "no"}).flaws()
    assert Choice("", {"a": "", "b": ""}).flaws()
    assert Written("", (), "").flaws()


@pytest.mark.parametrize(
    ("ratio", "hint"),
    [
        (2, "off by 2"), (0.5, "off by 2"), (8, "bits"), (1 / 8, "bits"), (1e3, "off by 1,000"), (1e-3, "off by 1,000"),
        (1e-6, "a million"), (1e9, "giga"), (60, "minutes"), (3600, "hours"), (100, "percent"), (2**30 / 1e9, "GiB"),
        (1e9 / 2**30, "GiB"), (2**40 / 1e12, "TiB"), (1.024, "KiB"), (-1, "sign"), (1.7, "No usual slip"),
    ],
)  # fmt: skip
def test_usual_slips_are_told(ratio, hint):
    asked = Number("", answer=7.3, unit="s", plausible=("1 ms", "1 h"), tolerance=0.01)
    assert hint in asked.mark(f"{7.3 * ratio!r} s").hint


def test_an_inverted_ratio_is_told():
    asked = Number("", answer=7.3, unit="", plausible=("0.1", "1000"))
    assert "upside down" in asked.mark("0.136986").hint


@pytest.mark.parametrize(
    ("unit", "text", "told"),
    [
        ("s", "5", "The unit is missing"),
        ("s", "5 GB", "an amount of data"),
        ("tokens/s", "5 s/token", "upside down"),
        ("FLOP/s", "5 FLOP", "counts operations"),
        ("sequences", "5 tokens", "token is not what is counted"),
        ("parameters", "5 GB", "write billion"),
        ("B/s", "5 B", "a data rate is asked"),
    ],
)
def test_wrong_units_are_told(unit, text, told):
    asked = Number("", answer=5.0, unit=unit, plausible=("0.1", "1000"))
    verdict = asked.mark(text)
    assert (verdict.state, told in verdict.hint) == ("wrong", True), verdict.hint


@pytest.mark.parametrize(
    ("unit", "answer", "texts"),
    [
        (
            "ms",
            0.0125,
            ["12.5 ms", "0.0125 s", "12500 us", "1.25e-2 s", "12.5e-3 seconds", "3.472e-6 h"],
        ),
        ("GB", 80e9, ["80 GB", "74.5 GiB", "640 Gbit", "0.08 TB", "80 billion bytes"]),
        (
            "$/Mtok",
            3.1e-6,
            ["$3.1 / Mtok", "3.1 $/Mtok", "0.0000031 $/token", "310 cents per Mtok"],
        ),
        ("tokens/s", 20.0, ["20 tokens/s", "20 tok/s", "20/s", "1200 tokens/min", "72 ktok/h"]),
        ("%", 0.4, ["40 %", "0.4", "40 percent", "2/5"]),
        ("sequences", 2400.0, ["2400", "2,400 sequences", "2.4 thousand requests", "2400 users"]),
    ],
)
def test_any_unit_of_the_right_kind_will_do(unit, answer, texts):
    asked = Number("", answer, unit, ("1e-9", "1e15"))
    for text in texts:
        assert asked.mark(text).right, text


def test_whole_numbers_are_exact():
    asked = Number("", 12, "chips", ("1 chip", "100 chips"), {"Down.": 11.0}, whole=True)
    assert asked.mark("12 chips").right and asked.mark("12").right and asked.mark("12.0 GPUs").right
    assert asked.mark("11").hint == "Down."
    assert "whole number" in asked.mark("11.7").hint


def test_choices_take_a_letter():
    asked = Choice("", {"x": "", "y": "No: y."})
    for text in ("A", "a", " a ", "(A)", "A."):
        assert asked.mark(text).right
    assert asked.mark("B").hint == "No: y."
    assert asked.mark("C").state == asked.mark("AB").state == asked.mark("1").state == "unreadable"


def test_values_are_printed_exactly_as_they_compute():
    for value, unit in (
        (1979e12, "FLOP/s"),
        (0.0125, "s"),
        (2400, ""),
        (70_272, "B"),
        (37e9, ""),
        (0.85, "%"),
        (5400, "s"),
    ):
        text = say(value, unit)
        assert parse_quantity(text).value == pytest.approx(value, rel=1e-6), text
    for value, unit in ((2 / 3600, "$/s"), (3.1e-7, "$/token"), (150, "$")):
        assert say(value, unit).startswith("\\$")
        assert parse_quantity(say(value, unit)[1:]).value == pytest.approx(value, rel=1e-6)


def test_the_sets_are_found_and_a_wrong_name_gets_a_suggestion():
    assert {"set1", "set4"} <= {p.stem for folder in set_folders() for p in folder.glob("*.py")}
    with pytest.raises(InputError, match="Did you mean 'set1'"):
        load_set("sett1")


def test_the_project_asks_what_the_planner_answers():
    set = opened("project")
    plan = sys.modules["memwall_assignment_project"].plan
    for id in IDS[:6]:
        asked = set.ask(question(set, "seats"), id, checking.SEED)
        fast, fits = (
            int(n.replace(",", ""))
            for n in re.search(r"allows ([\d,]+) .*room allows ([\d,]+)", asked.solution).groups()
        )
        made = sys.modules["memwall_assignment_project"].brief(
            Draw(checking.SEED, "", common=f"common\0project\0{id}")
        )
        settings = {
            "chips": 8, "tp": 8, "weights": "fp8", "prompt": made.prompt, "output": made.output,
            "cached": made.cached, "dollars_per_hour": made.rents[0],
        }  # fmt: skip
        for users, enough in ((min(fast, fits), True), (fast + 1, False)):
            if users <= fits:
                p = plan(made.model, made.chips[0], users=users, **settings)
                assert (1 / p.time_per_token >= made.speed) == enough
        assert math.floor(p.largest_concurrency) == fits
