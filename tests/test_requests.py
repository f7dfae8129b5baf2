"""The simulator step by step: timetables that can be written down, in round numbers."""

import numpy as np
import pytest

from memwall import InputError
from memwall.experiments import requests
from memwall.experiments.requests import Limits, Load, lengths, load, read_load, simulate, spans
from memwall.formulas.serving import Pace

# a second for a step, a hundredth for each token in it, a thousandth for each cached token read
ROUND = Pace(fixed=1.0, per_token=0.01, per_cached=0.001)
BEAT = Pace(fixed=1.0, per_token=0.0, per_cached=0.0)  # every step a second


def asked(*rows, users=0):
    """A load from (arrival, prompt, output); in a closed loop the users' first arrivals count."""
    arrivals, prompts, outputs = np.array(rows, dtype=float).T
    return Load(arrivals[:users] if users else arrivals, prompts, outputs, users=users)


def test_three_requests_by_hand():
    """
    from   step                                   tokens   cached   takes   until
    1      reads the first prompt                 100      0        2       3
    3      one token of the first, the second     1 + 50   100      1.61    4.61
    4.61   one token of the first, its last       1        101      1.111   5.721
    11     reads the third prompt                 200      0        3       14
    14     its second token                       1        200      1.21    15.21
    """
    served = simulate(asked((1, 100, 3), (1.5, 50, 1), (11, 200, 2)), ROUND)
    np.testing.assert_allclose(served.arrival, [1, 1.5, 11])
    np.testing.assert_allclose(served.admitted, [1, 3, 11])
    np.testing.assert_allclose(served.first, [3, 4.61, 14])
    np.testing.assert_allclose(served.finish, [5.721, 4.61, 15.21])
    assert (served.steps, served.passed, served.read, served.readings) == (5, 353, 350, 3)
    assert served.busy == pytest.approx(2 + 1.61 + 1.111 + 3 + 1.21)
    assert served.seats == pytest.approx(4.721 + 1.61 + 4.21)
    held = 2 * 100 + 1.61 * (100 + 50) + 1.111 * 101 + 3 * 200 + 1.21 * 200
    assert served.tokens == pytest.approx(held)
    assert served.read_again == served.preempted.sum() == served.most_pages == 0


def test_times_of_the_three():
    served = simulate(asked((1, 100, 3), (1.5, 50, 1), (11, 200, 2)), ROUND)
    np.testing.assert_allclose(served.ttft, [2, 3.11, 3])
    np.testing.assert_allclose(served.e2e, [4.721, 3.11, 4.21])
    np.testing.assert_allclose(served.tpot, [2.721 / 2, 1.21])  # one token alone has no pace
    assert served.token_time == pytest.approx((2.721 + 1.21) / 3)
    assert served.span == pytest.approx(14.21)
    assert served.goodput(ttft=3.05, tpot=1.4) == pytest.approx(2 / 14.21)
    assert served.goodput(ttft=3.05, tpot=1.3) == pytest.approx(1 / 14.21)
    assert served.goodput(ttft=4, tpot=1e-9) == pytest.approx(1 / 14.21)  # of one token
    said = {row["time"]: row for row in served.summary()}
    assert list(said) == ["ttft", "tpot", "e2e"]
    assert said["ttft"]["mean"] == pytest.approx(8.11 / 3) and said["ttft"]["p50"] == 3
    # between the second and third of three, at 0.8 and 0.98 of the way
    assert said["ttft"]["p90"] == pytest.approx(3 + 0.8 * 0.11)
    assert said["ttft"]["p99"] == pytest.approx(3 + 0.98 * 0.11)
    assert [row["finish"] for row in spans(served, 2)] == pytest.approx([5.721, 4.61])
    assert set(spans(served)[0]) == {"arrival", "admitted", "first", "finish"}


def test_the_ends_of_a_run_are_left_out():
    served = simulate(asked(*((100.0 * i, 10, 1) for i in range(10))), BEAT)
    assert list(served.settled(0.2).arrival) == [200, 300, 400, 500, 600, 700]
    assert len(served.settled().finish) == 8 and len(served.settled(0.0).finish) == 10
    assert served.settled().steps == served.steps


def test_chunks_and_guesses_by_hand():
    """Ten tokens a step, each sequence guessing one more, always right: two tokens a step.

    from     step                                      tokens    cached   takes    until
    0        the first prompt                          10        0        1.1      1.1
    1.1      two of the first, eight of the second     2 + 8     10       1.11     2.21
    2.21     the same, and the first is complete       2 + 8     12       1.112    3.322
    3.322    the last four of the second prompt        4         0        1.04     4.362
    """
    two = asked((0, 10, 5), (0.5, 20, 1))
    served = simulate(two, ROUND, Limits(batched_tokens=10, drafts=1, acceptance=1.0))
    np.testing.assert_allclose(served.first, [1.1, 4.362])
    np.testing.assert_allclose(served.finish, [3.322, 4.362])
    assert (served.passed, served.read, served.readings) == (34, 30, 2)
    assert served.tokens == pytest.approx(1.1 * 10 + 1.11 * 30 + 1.112 * 32 + 1.04 * 20)
    # however many write, a waiting prompt moves on by a token a step
    crowded = simulate(two, BEAT, Limits(batched_tokens=2, drafts=1, acceptance=1.0))
    assert crowded.first[0] == 5  # ten tokens, two a step
    # one a step while the first writes its other four in two steps, and then two a step
    assert crowded.first[1] == 5 + 2 + 9


def test_many_steps_at_once_by_hand():
    """Half of the guesses right: 1.5 tokens a step for 2 passed, so ten more tokens take seven steps."""
    served = simulate(asked((0, 100, 11)), ROUND, Limits(drafts=1, acceptance=0.5))
    cached = 100 + 1.5 * np.arange(7)
    steps = 1 + 0.02 + 0.001 * cached
    assert served.first[0] == pytest.approx(2) and served.steps == 8
    assert served.finish[0] == pytest.approx(2 + steps.sum())
    assert served.passed == 100 + 7 * 2
    # memory held, by the mean over those steps
    assert served.tokens == pytest.approx(2 * 100 + steps.sum() * cached.mean())


def test_steps_until_a_time():
    # steps of 1, 1.5, 2, 2.5: done at 1, 2.5, 4.5, 7
    for seconds, steps in ((0, 1), (0.5, 1), (1, 1), (1.1, 2), (2.5, 2), (2.6, 3), (4.4, 3), (7, 4)):  # fmt: skip
        assert requests._steps_until(seconds, 1.0, 0.5) == steps
    for seconds, steps in ((0.1, 1), (2, 1), (2.1, 2), (7.9, 4), (8.1, 5)):
        assert requests._steps_until(seconds, 2.0, 0.0) == steps


def test_an_arrival_interrupts_and_a_full_engine_does_not_care():
    # steps end at 1, 2, 3, ...: who comes at 3.5 is let in at 4, or once the other is done at 10
    two = asked((0, 1, 10), (3.5, 1, 2))
    assert list(simulate(two, BEAT).admitted) == [0, 4]
    served = simulate(two, BEAT, Limits(sequences=1))
    assert list(served.admitted) == [0, 10] and list(served.finish) == [10, 12]
    assert served.seats == 12
    # longer and longer steps: 1.01 + 0.001 each a token more; three of them pass 3.5 after the first
    assert simulate(two, ROUND).admitted[1] == pytest.approx(1.01 + 3 * 1.01 + 0.001 * (1 + 2 + 3))
    # two writers: each step is longer than the last by two cached tokens' reading
    slow = Pace(fixed=1.0, per_token=0.0, per_cached=0.1)
    three = asked((0, 1, 30), (0, 1, 30), (40.1, 1, 1))
    # after the first: 1.2, 1.4, ... of which 15 sum up to 39, so the 16th passes 40.1
    assert simulate(three, slow).admitted[2] == pytest.approx(1 + 16 * 1.2 + 0.2 * 16 * 15 / 2)


def test_the_fixed_part_may_depend_on_who_runs():
    """Each sequence a second: two prompts at once, or one and half of the other; then who writes."""
    two = asked((0, 10, 2), (0, 10, 3))
    served = simulate(two, BEAT, fixed=float)
    assert list(served.first) == [2, 2] and list(served.finish) == [4, 5]
    pieces = simulate(two, BEAT, Limits(batched_tokens=15), fixed=float)
    # two in the first step; then one writes and one reads on; then the second alone, twice
    assert list(pieces.first) == [2, 4] and list(pieces.finish) == [4, 6]


def test_pages_run_out_by_hand():
    """Five pages of ten tokens, two requests that will need three each, a second a step.

    1          both prompts are read, a page each
    2 to 11    both write; each has opened a second page
    12         the first takes the last page, so the second is thrown out, 11 tokens written
    15         the first is complete; the second's 21 tokens are read again, which gives its twelfth
    19         its fifteenth
    """
    two = asked((0, 10, 15), (0, 10, 15))
    served = simulate(two, BEAT, Limits(room=50, page=10, watermark=0.0))
    assert list(served.first) == [1, 1] and list(served.finish) == [15, 19]
    assert list(served.preempted) == [0, 1]
    assert served.most_pages == 4  # two and two; then three of the first alone, and three again
    assert (served.read, served.read_again, served.readings) == (41, 21, 3)
    assert served.passed == 41 + 2 * 10 + 4 + 3 and served.steps == 19
    assert list(served.admitted) == [0, 0]  # the first time counts


def test_a_reserve_keeps_pages_for_answers():
    # the whole answer: three pages each of five, so one after the other
    two = asked((0, 10, 15), (0, 10, 15))
    served = simulate(two, BEAT, Limits(room=50, page=10, watermark=0.0, reserve=1.0))
    assert list(served.finish) == [15, 30] and served.most_pages == 3
    assert not served.preempted.any()
    # of half of it two pages are kept each: both fit, and five are too few in the end
    half = simulate(two, BEAT, Limits(room=50, page=10, watermark=0.0, reserve=0.5))
    assert list(half.preempted) == [0, 1]
    # what was kept and what is taken make three pages from first to last: two are left for others
    for at, pages in ((0.0, 2), (5.5, 2), (12.5, 2)):
        small = asked((0, 10, 15), (at, 10 * pages - 1, 1))
        large = asked((0, 10, 15), (at, 10 * pages, 1))
        limits = Limits(room=50, page=10, watermark=0.0, reserve=1.0)
        assert simulate(small, BEAT, limits).admitted[1] == np.ceil(at)
        assert simulate(large, BEAT, limits).admitted[1] == 15  # a page more, with its answer


def test_who_is_thrown_out_is_promised_nothing():
    """Four pages of ten; half of an answer is reserved.

    10   the first has two pages, as was its due; the second enters with one and one promised
    12   the first needs a third, and takes what was promised
    14   the second wants its page, there is none, it is thrown out
    15   the first is complete; the second is back on two pages, and a third request finds two
    """
    load = asked((0, 10, 15), (9.5, 8, 15), (14.5, 15, 1))
    served = simulate(load, BEAT, Limits(room=40, page=10, watermark=0.0, reserve=0.5))
    assert list(served.preempted) == [0, 1, 0]
    assert list(served.admitted) == [0, 10, 15]


def test_an_empty_engine_takes_what_just_fits_and_a_full_one_keeps_a_watermark():
    limits = Limits(room=100, page=10, watermark=0.2)
    assert simulate(asked((0, 95, 5)), BEAT, limits).finish[0] == 5
    # five pages taken, two kept free: three pages enter, four wait
    for prompt, admitted in ((30, 0), (31, 4)):
        served = simulate(asked((0, 45, 4), (0, prompt, 1)), BEAT, limits)
        assert list(served.admitted) == [0, admitted]


def test_an_older_request_throws_out_the_youngest():
    # three writers on six pages of ten: when the first needs a third page, the last of them goes
    three = asked((0, 10, 12), (0, 10, 12), (0, 10, 12))
    served = simulate(three, BEAT, Limits(room=60, page=10, watermark=0.0))
    assert list(served.preempted) == [0, 0, 1]
    assert list(served.finish[:2]) == [12, 12] and served.finish[2] == 13
    assert served.read_again == 10 + 11


def test_what_was_cached_is_not_read():
    # a quarter of 40 tokens is new; of one token, a whole one
    served = simulate(asked((0, 40, 1), (100, 1, 1)), ROUND, Limits(cached=0.75))
    np.testing.assert_allclose(served.ttft, [1.1, 1.01])
    assert served.read == 11 and served.read_again == 0


def test_a_closed_loop_by_hand():
    """Two users, five requests: each asks again once answered. In beats: 0-1, 0-2, 1-2, 2-4, 2-3."""
    rows = ((0, 10, 1), (0, 10, 2), (0, 10, 1), (0, 10, 2), (0, 10, 1))
    served = simulate(asked(*rows, users=2), BEAT)
    assert list(served.arrival) == [0, 0, 1, 2, 2]
    assert list(served.finish) == [1, 2, 2, 4, 3]
    assert served.seats == 1 + 2 + 1 + 2 + 1


def test_pools_by_hand():
    """One engine reads, passes of 100 tokens; a cached token travels for a hundredth of a second.

    request   arrives   read from   until   arrives there   tokens left
    150 + 3   0         0           3.5     5               2
    50 + 2    1         3.5         5       5.5             1
    100 + 2   2         5           7       8               1
    100 + 1   50        50          52      -               none: the reader has written it

    The writer: a step of 1.161 s for the first; one of 1.223 s for both, 152 + 51 cached; from 8 one
    of 1.111 s for the third.
    """
    four = asked((0, 150, 3), (1, 50, 2), (2, 100, 2), (50, 100, 1))
    limits = Limits(prefill_engines=1, transfer=0.01, batched_tokens=100)
    served = simulate(four, ROUND, limits)
    np.testing.assert_allclose(served.admitted, [0, 3.5, 5, 50])
    np.testing.assert_allclose(served.first, [3.5, 5, 7, 52])
    np.testing.assert_allclose(served.finish, [7.384, 7.384, 9.111, 52])
    # all prompts pass the readers, and what is left of the answers the writer
    three = simulate(asked((0, 150, 3), (1, 50, 2), (2, 100, 2)), ROUND, limits)
    assert three.passed == 300 + 2 + 1 + 1
    # half of each prompt from a cache: a pass of 75, of 25, of 50 each
    warm = simulate(four, ROUND, Limits(prefill_engines=1, batched_tokens=100, cached=0.5))
    np.testing.assert_allclose(warm.first, [1.75, 3, 4.5, 51.5])
    # with a second reader nobody waits; the small prompt is then the first to arrive at the writer
    both = simulate(four, ROUND, Limits(prefill_engines=2, batched_tokens=100))
    np.testing.assert_allclose(both.first, [3.5, 2.5, 4.5, 52])
    assert both.finish[1] == pytest.approx(2.5 + 1 + 0.01 + 0.051)
    assert simulate(four, BEAT, limits, fixed=lambda n: 2.0).first[0] == 4


def test_progress_is_told_now_and_then():
    told = []
    many = asked(*((float(i), 1, 1) for i in range(600)))
    simulate(many, BEAT, progress=lambda done, of: told.append((done, of)))
    assert told == [(256, 600), (512, 600)]


@pytest.mark.parametrize(
    ("arrivals", "prompts", "outputs", "users", "problem"),
    [
        ([0, np.nan], [1, 1], [1, 1], 0, "times from 0 on"),
        ([0, np.inf], [1, 1], [1, 1], 0, "times from 0 on"),
        ([2, 1], [1, 1], [1, 1], 0, "in order"),
        ([-1, 1], [1, 1], [1, 1], 0, "from 0 on"),
        ([0, 1], [1, 1], [1], 0, "as many"),
        ([0], [1, 1], [1, 1], 0, "as many"),
        ([0], [1, 1], [1, 1], 2, "as many"),
        ([], [], [], 0, "at least one"),
        ([0], [0], [1], 0, "prompts must be whole"),
        ([0], [1], [0], 0, "outputs must be whole"),
        ([0], [1], [1.5], 0, "outputs must be whole"),
    ],
)
def test_no_such_load(arrivals, prompts, outputs, users, problem):
    with pytest.raises(InputError, match=problem):
        Load(*(np.array(x, dtype=float) for x in (arrivals, prompts, outputs)), users=users)


def test_the_least_load_and_the_least_room():
    assert len(Load(np.zeros(2), np.ones(2), np.ones(2))) == 2  # at once is in order
    # 25 tokens are three pages of ten, and need room for all three
    assert simulate(asked((0, 20, 5)), BEAT, Limits(room=30, page=10)).finish[0] == 5
    with pytest.raises(InputError, match="cannot hold a request of 25 tokens"):
        simulate(asked((0, 20, 5)), BEAT, Limits(room=29, page=10))


@pytest.mark.parametrize(
    "wrong",
    [
        {"page": 0}, {"batched_tokens": 0}, {"sequences": 0}, {"drafts": -1}, {"prefill_engines": -1},
        {"watermark": 1.1}, {"cached": -0.1}, {"acceptance": 2.0}, {"transfer": -1.0}, {"room": 0.0},
    ],
)  # fmt: skip
def test_no_such_limits(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        Limits(**wrong)
    least = {"page": 1, "batched_tokens": 1, "sequences": 1, "drafts": 0, "prefill_engines": 0}
    assert Limits(**least, reserve=1.0, watermark=1.0, cached=1.0, acceptance=1.0, room=1e-9)


def test_loads_made_at_random():
    even = load(4, rate=2.0, arrivals="constant", prompt=7.6, output=1)
    assert list(even.arrivals) == [0.5, 1, 1.5, 2] and set(even.prompts) == {8}
    assert list(load(3, arrivals="constant").arrivals) == [1, 2, 3]  # one a second if not told
    asking = load(5, arrivals="closed", users=3)
    assert asking.users == 3 and list(asking.arrivals) == [0, 0, 0] and len(asking) == 5
    assert load(2, arrivals="closed", users=3).users == 2  # who never asks is nobody
    few = lengths(1.0, 2.0, 1000, np.random.default_rng(0))
    assert few.min() == 1 and not (few % 1).any()
    gaps = np.diff(load(20_000, rate=4.0, seed=2).arrivals)
    assert gaps.mean() == pytest.approx(0.25, rel=0.03) == gaps.std()
    for wrong in ({"rate": 0.0}, {"arrivals": "bursty", "burstiness": 0.0}, {"prompt": 0.5},
                  {"arrivals": "closed"}, {"output_spread": -1.0}):  # fmt: skip
        with pytest.raises(InputError):
            load(3, **wrong)
    with pytest.raises(InputError):
        load(0)


def test_a_file_in_any_order(tmp_path):
    path = tmp_path / "load.csv"
    path.write_text("output,arrival,prompt\n1,3,10\n2,1,20\n")
    found = read_load(path)
    assert list(found.arrivals) == [1, 3]
    assert list(found.prompts) == [20, 10] and list(found.outputs) == [2, 1]
    path.write_text("arrival,prompt,output\n")
    with pytest.raises(InputError, match="holds no request"):
        read_load(path)


def test_pages_taken_ahead_are_those_of_the_tokens_to_come():
    """Two guessed, one and a half kept: pages of ten, a promise of the whole answer, eleven pages.

    The first keeps 1 + 5 pages (10 and 40 tokens, and what a last step may add); an arrival in the
    middle of its answer finds as many kept as at its start.
    """
    limits = Limits(room=110, page=10, watermark=0.0, reserve=1.0, drafts=1, acceptance=0.5)
    for at in (0.0, 3.5, 9.5, 15.5, 21.5):
        for prompt, fits in ((59, True), (61, False)):
            two = asked((0, 10, 40), (at, prompt, 1))
            admitted = simulate(two, BEAT, limits).admitted[1]
            assert (admitted == np.ceil(at)) == fits
