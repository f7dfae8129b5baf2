"""Schedules: valid whatever the parameters, and idle exactly as long as the formulas say."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memwall import pipelining
from memwall.core.units import InputError
from memwall.experiments.schedules import (
    TRAINING,
    Durations,
    Job,
    Timetable,
    decode,
    gpipe,
    interleaved,
    one_f_one_b,
    run,
    training,
    violations,
    zb_h1,
    zb_h2,
)
from memwall.views.figures import canvas, show
from memwall.views.gantt import gantt, live_tables

stages = st.integers(1, 6)
micro_batches = st.integers(1, 14)
names = st.sampled_from(sorted(TRAINING))
times = st.floats(0.1, 3).map(lambda t: round(t, 3))
durations = st.builds(Durations, times, times, times, st.sampled_from([0.0, 0.1, 1.0, 4.0]))


def rechecked(table: Timetable) -> None:
    """Validity once more, written without a look at the module: from what the work means."""
    blocks = table.stages * table.laps
    when = {}
    for job in table.jobs:
        key = (job.kind, job.micro_batch, job.block)
        assert key not in when, "each job once"
        when[key] = job
        assert job.stage == job.block % table.stages
        assert job.end >= job.start >= 0
    assert len(when) == len(table.kinds) * table.micro_batches * blocks
    for m in range(table.micro_batches):
        route = [("F", m, b) for b in range(blocks)]
        if "B" in table.kinds:
            route += [("B", m, b) for b in reversed(range(blocks))]
        for before, after in pairwise(route):
            hop = table.durations.hop * (when[before].stage != when[after].stage)
            assert when[after].start >= when[before].end + hop
        if "W" in table.kinds:
            assert all(when["W", m, b].start >= when["B", m, b].end for b in range(blocks))
    for stage in range(table.stages):
        mine = sorted((j.start, j.end) for j in table.jobs if j.stage == stage)
        assert all(end <= start for (_, end), (start, _) in pairwise(mine))


# --- every schedule is valid -------------------------------------------------------------


@settings(deadline=None)
@given(names, stages, micro_batches, durations)
def test_training_schedules_are_valid(name, p, m, d):
    table = training(name, p, m, durations=d)
    assert violations(table) == []
    rechecked(table)


@settings(deadline=None)
@given(stages, micro_batches, st.integers(1, 5), durations)
def test_decode_is_valid(p, m, tokens, d):
    table = decode(p, m, tokens, d)
    assert violations(table) == []
    rechecked(table)


@settings(deadline=None)
@given(
    stages, micro_batches, st.tuples(st.integers(1, 3), st.integers(1, 8), st.integers(1, 8)),
    st.sampled_from(["F", "FB", "FBW"]), st.data(),
)  # fmt: skip
def test_any_rule_is_valid_or_refused(p, m, limits, kinds, data):
    laps, lead, keep = limits
    pace = data.draw(st.lists(st.floats(0.5, 2), min_size=p, max_size=p))
    try:
        table = run(
            "any", p, m, kinds=kinds, laps=laps, pace=pace,
            lead=lambda s: lead, keep=lambda s: keep,
        )  # fmt: skip
    except InputError as refused:
        assert "waiting" in str(refused)
        return
    rechecked(table)
    if kinds == "FBW":
        assert table.peak_kept <= keep / laps


@settings(deadline=None)
@given(names, stages, micro_batches, durations)
def test_no_schedule_beats_its_work_or_its_longest_path(name, p, m, d):
    table = training(name, p, m, durations=d)
    stage_work = m * (d.forward + d.backward + d.weights)
    one_micro_batch = p * (d.forward + d.backward) + 2 * (p - 1) * d.hop
    assert table.work == pytest.approx(stage_work)
    assert table.span >= table.period - 1e-9
    assert table.period >= stage_work * (1 - 1e-9)
    assert table.span >= one_micro_batch * (1 - 1e-9)
    assert -1e-9 <= table.repeated_bubble <= table.bubble + 1e-9 < 1


def test_violations_are_found():
    good = one_f_one_b(2, 2)
    jobs = list(good.jobs)

    def broken(jobs):
        return Timetable("broken", 2, 2, 1, "FB", good.durations, tuple(jobs))

    assert "missing" in violations(broken(jobs[1:]))[0]
    assert "done twice" in " ".join(violations(broken([*jobs, jobs[0]])))
    early = [Job(j.kind, j.micro_batch, j.block, j.stage, 0, j.end) for j in jobs]
    found = " ".join(violations(broken(early)))
    assert "two jobs" in found and "before its input" in found
    moved = [Job(jobs[0].kind, 0, 0, 1, jobs[0].start, jobs[0].end), *jobs[1:]]
    assert "is on stage 1" in " ".join(violations(broken(moved)))
    extra = [*jobs, Job("W", 0, 0, 0, 90, 91)]
    assert "should not be there" in " ".join(violations(broken(extra)))


# --- idle time against the formulas ------------------------------------------------------


@settings(deadline=None)
@given(stages, micro_batches)
def test_bubbles_are_those_of_the_formulas(p, m):
    assert gpipe(p, m).bubble == pytest.approx(pipelining.fill_bubble(p, m, 1))
    assert one_f_one_b(p, m).bubble == pytest.approx(pipelining.fill_bubble(p, m, 1))
    assert decode(p, m).bubble == pytest.approx(pipelining.fill_bubble(p, m, 1))
    h1, h2 = zb_h1(p, m), zb_h2(p, m)
    assert h1.bubble == pytest.approx(pipelining.zb_h1_bubble(p, m))
    assert h1.repeated_bubble == h1.bubble  # ZB-H1 gains nothing from a missing barrier
    assert h2.repeated_bubble == pytest.approx(pipelining.zb_h2_bubble(p, m))


@settings(deadline=None)
@given(stages, st.integers(1, 4), st.integers(1, 4))
def test_interleaving_divides_the_bubble_in_whole_groups(p, groups, chunks):
    table = interleaved(p, groups * p, chunks)
    assert table.bubble == pytest.approx(pipelining.fill_bubble(p, groups * p, chunks))


def test_a_group_that_is_not_full_leaves_gaps():
    # 4 stages, 5 micro-batches, 2 chunks: 15 slots of work, 4.5 of filling, 3 more of gaps
    assert interleaved(4, 5, 2).span == 22.5


@given(times, times, times, stages, micro_batches)
@settings(deadline=None)
def test_fill_bubble_holds_for_any_durations(f, b, w, p, m):
    for schedule in (gpipe, one_f_one_b):
        table = schedule(p, m, Durations(f, b, w))
        assert table.bubble == pytest.approx(pipelining.fill_bubble(p, m, 1))


def test_zero_bubble_by_hand():
    # 4 stages, 8 micro-batches, unit times: 24 slots of work; idle 3 (H1), 0 (H2, repeated),
    # and H2's last stage still starts 3 slots after the first: 27 in a single run
    assert zb_h1(4, 8).span == 27
    assert (zb_h2(4, 8).period, zb_h2(4, 8).span) == (24, 27)


@pytest.mark.parametrize("p", [1, 2, 4, 7])
def test_decode_in_a_loop(p):
    # one micro-batch: always one stage of P at work. P micro-batches: all of them, once filled
    assert decode(p, 1, tokens=5).bubble == pytest.approx(pipelining.naive_bubble(p))
    for m in range(1, 2 * p + 1):
        loop = max(p, m)  # slots between two tokens of a micro-batch
        table = decode(p, m, tokens=6)
        assert table.idle_between(p, 3 * loop + p) == pytest.approx(max(0, 1 - m / p))
        first = [j.end for j in table.jobs if j.micro_batch == 0 and j.stage == p - 1]
        gaps = {after - before for before, after in pairwise(first)}
        assert gaps == {loop}


def test_communication_costs_1f1b_more_than_gpipe():
    # GPipe pays each hop once on the way down and up; 1F1B waits for answers in every round
    slow = Durations(hop=1)
    assert gpipe(4, 16, slow).span == gpipe(4, 16).span + 2 * 3 * 1
    assert one_f_one_b(4, 16, slow).span > gpipe(4, 16, slow).span


def test_the_slowest_stage_sets_the_pace():
    even, uneven = one_f_one_b(4, 100), one_f_one_b(4, 100, pace=[1, 1, 1.5, 1])
    # 100 rounds of 3 slots become 100 rounds of 4.5 at the slow stage
    assert uneven.period / even.period == pytest.approx(1.5, rel=0.02)


# --- memory ------------------------------------------------------------------------------


@settings(deadline=None)
@given(stages, micro_batches, st.integers(1, 3))
def test_activations_kept(p, m, chunks):
    assert gpipe(p, m).peak_kept == m
    for table in (one_f_one_b(p, m), zb_h1(p, m)):
        assert table.peak_kept == min(p, m)
    assert zb_h2(p, m).peak_kept == min(2 * p - 1, m)
    whole = interleaved(p, m * p, chunks)
    assert whole.peak_kept == pytest.approx(min(m * p, p + (p - 1) / chunks))


def test_first_stage_of_1f1b_keeps_most():
    table = one_f_one_b(4, 8)
    assert [table.kept(s) for s in range(4)] == [4, 3, 2, 1]


# --- pictures ----------------------------------------------------------------------------


def test_a_gantt_chart_has_a_box_for_each_job():
    table = zb_h1(3, 4)
    fig, ax = canvas("", log="", size=(6, 2))
    gantt(ax, table)
    boxes = sum(len(drawn.get_paths()) for drawn in ax.collections)
    assert boxes == 3 + len(table.jobs)  # and a grey band for each stage
    drawn = show(fig, "a chart")
    assert "weight gradients" in drawn.svg and "idle" in drawn.svg


def test_live_tables_hold_the_simulations():
    live = live_tables(["1F1B", "ZB-H1"], [2, 3], 4)
    table = zb_h1(3, 2)
    work = live["work"][1][1][1]  # ZB-H1, 3 stages, 2 micro-batches
    assert live["span"][1][1][1] == table.span
    assert live["idle"][1][1][1] == pytest.approx(table.bubble, abs=1e-6)
    assert live["kept"][1][1][1] == table.peak_kept
    assert sum(cell > 0 for row in work for cell in row) == 3 * 2 * 3
    assert work[0][:2] == [1, 2]  # the first stage starts with the two forwards
    with pytest.raises(InputError, match="micro_batches"):
        live_tables(["1F1B"], [2], 40)


# --- bad input ---------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [0, -1, 2.5, "4", True, None])
def test_counts_are_whole_numbers(bad):
    with pytest.raises(InputError, match="whole number"):
        gpipe(bad, 4)
    with pytest.raises(InputError, match="whole number"):
        gpipe(4, bad)


def test_other_bad_input_is_named():
    with pytest.raises(InputError, match="'1F1B'"):
        training("1f1b", 4, 8)
    with pytest.raises(InputError, match="hop = -1"):
        Durations(hop=-1)
    with pytest.raises(InputError, match="forward"):
        Durations(forward=0)
    with pytest.raises(InputError, match="pace"):
        one_f_one_b(4, 8, pace=[1, 2])
    with pytest.raises(InputError, match="pace"):
        one_f_one_b(2, 8, pace=[1, 0])
    for bad in ((0, 8), (2, 0), (2.5, 8), (True, 8)):
        with pytest.raises(InputError, match="whole number, at least 1"):
            one_f_one_b(*bad)
    assert one_f_one_b(1, 1).stages == 1
    with pytest.raises(InputError, match="waiting"):
        run("too little memory", 2, 2, laps=2, keep=lambda stage: 1)


def test_a_hop_must_have_been_waited_for():
    import dataclasses

    # a table without hops, read as if each took one slot: the next stage starts too early
    table = dataclasses.replace(gpipe(2, 1), durations=Durations(hop=1))
    assert any("before its input has arrived" in wrong for wrong in violations(table))


def test_a_table_made_by_hand_says_what_it_came_to():
    """Two stages; the first does F, B and then three F more: it keeps 1, 0, 1, 2, 3.

    The second begins at 2 and ends at 8; of its six units of time it works for two.
    """
    rows = [("F", 0, 0, 0, 1), ("B", 0, 0, 1, 2), ("F", 1, 0, 2, 3), ("F", 2, 0, 3, 4),
            ("F", 3, 0, 4, 5), ("F", 0, 1, 2, 3), ("B", 0, 1, 7, 8)]  # fmt: skip
    jobs = tuple(Job(kind, m, stage, stage, start, end) for kind, m, stage, start, end in rows)
    table = Timetable("made", 2, 4, 1, "FB", Durations(), jobs)
    assert (table.kept(0), table.kept(1), table.peak_kept) == (3, 1, 3)
    assert (table.span, table.period, table.work) == (8, 6, 3.5)
    assert table.bubble == 1 - 3.5 / 8 and table.repeated_bubble == 1 - 3.5 / 6
    assert table.idle_between(0, 2) == 0.5 and table.idle_between(2.5, 4.5) == 1 - 2.5 / 4
    # in two laps each activation is that of half a stage
    halves = Timetable("made", 2, 4, 2, "FB", Durations(), jobs)
    assert halves.kept(0) == 1.5


def test_the_order_of_work_on_a_stage():
    def order(kind, **more):
        table = run("order", 2, 4, kinds="FB", laps=2, **more)
        return [(j.micro_batch, j.block) for j in table.of_stage(0) if j.kind == kind]

    # pairs go through a lap together before their next one
    assert order("F", group=2) == [(0, 0), (1, 0), (0, 2), (1, 2), (2, 0), (3, 0), (2, 2), (3, 2)]
    assert order("F") == [(m, b) for b in (0, 2) for m in range(4)]  # or all do
    assert order("B", group=2) == [(0, 2), (1, 2), (0, 0), (1, 0), (2, 2), (3, 2), (2, 0), (3, 0)]
    assert order("B", group=2, newest_first=True) == [
        (3, 2), (2, 2), (3, 0), (2, 0), (1, 2), (0, 2), (1, 0), (0, 0),
    ]  # fmt: skip


def test_a_hop_is_between_stages_alone():
    far = Durations(hop=1.0)
    # three laps of a lone stage, then there and back: nothing travels
    assert run("lone", 1, 1, kinds="F", laps=3, durations=far).span == pytest.approx(1)
    assert run("lone", 1, 1, laps=3, durations=far).span == pytest.approx(3)
    # two stages: one hop; two laps: three; back again as many
    assert run("two", 2, 1, kinds="F", durations=far).span == 2 + 1
    assert run("two", 2, 1, kinds="F", laps=2, durations=far).span == 2 + 3
    assert run("two", 2, 1, kinds="FB", laps=2, durations=far).span == 2 + 4 + 6


def test_a_slow_stage_takes_its_time():
    # stage 1 twice as long: 1, then 2 for each of three micro-batches
    table = run("slow", 2, 3, kinds="F", pace=[1.0, 2.0])
    assert table.span == 1 + 3 * 2 and table.work == (3 + 6) / 2
    # where backwards are one piece, it has the weights' time in it
    times = Durations(forward=1.0, backward=2.0, weights=4.0)
    assert (
        run("one", 1, 1, kinds="FB", durations=times).span
        == 7
        == run("one", 1, 1, durations=times).span
    )
    decoded = decode(2, 1, tokens=3, durations=Durations(forward=5.0, hop=0.5))
    assert decoded.span == 6 * 5 + 5 * 0.5
