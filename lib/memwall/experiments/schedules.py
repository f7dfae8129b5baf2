"""Schedules: who works when in a pipeline, and how much of the time nobody does.

A model is cut into blocks of layers. A micro-batch visits block 0, 1, 2, ... in turn, and
block b lives on stage b mod P: with more blocks than stages it goes round the pipeline
several times. That one picture holds decoding (a lap for each token) and interleaved
training (a lap for each chunk of layers). Three kinds of work exist:

    F  forward                                  needs F of the block before
    B  backward for the inputs                  needs B of the block after (F of the last)
    W  backward for the weights                 needs B of the same block

All schedules follow one rule. A stage that is free takes F if it may, else B, else W, each
in a fixed order, as soon as its input has arrived. What tells the schedules apart is when F
is allowed:

    lead   how many more F than B a stage may have done
    keep   how many activations it may hold (from the start of F to the end of its last use)

Ignored: links never congest and sending costs a stage no time (d8); durations are known.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.nouns import suggest
from ..core.units import InputError, whole


@dataclass(frozen=True)
class Job:
    """One piece of work: which kind, for which micro-batch and block, where and when."""

    kind: str
    micro_batch: int
    block: int
    stage: int
    start: float
    end: float


@dataclass(frozen=True)
class Durations:
    """Time of each kind of work on one whole stage, and of one hop between stages."""

    forward: float = 1.0
    backward: float = 1.0
    weights: float = 1.0
    hop: float = 0.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not isinstance(value, int | float) or not 0 <= value < math.inf:
                raise InputError(f"{name} = {value!r} must be a finite time, at least 0")
        if self.forward == 0:
            raise InputError("forward = 0 must be greater than 0")


@dataclass(frozen=True)
class Timetable:
    """What a schedule came to: every job with its start and end, and what can be read off it."""

    name: str
    stages: int
    micro_batches: int
    laps: int
    kinds: str  # "F", "FB" (backward in one piece) or "FBW"
    durations: Durations
    jobs: tuple[Job, ...]

    def of_stage(self, stage: int) -> list[Job]:
        """The jobs of one stage in the order they were done."""
        return [job for job in self.jobs if job.stage == stage]

    @property
    def span(self) -> float:
        """Time from the first start to the last end."""
        return max(job.end for job in self.jobs)

    @property
    def period(self) -> float:
        """Time after which the next run can start, if no barrier makes the stages wait for each
        other: the longest any stage is needed."""
        mine = [self.of_stage(s) for s in range(self.stages)]
        return max(jobs[-1].end - jobs[0].start for jobs in mine)

    @property
    def work(self) -> float:
        """Busy time, averaged over the stages."""
        return sum(job.end - job.start for job in self.jobs) / self.stages

    @property
    def bubble(self) -> float:
        """Idle share of a single run, from the first start to the last end."""
        return 1 - self.work / self.span

    @property
    def repeated_bubble(self) -> float:
        """Idle share when runs follow each other without a barrier."""
        return 1 - self.work / self.period

    def idle_between(self, since: float, until: float) -> float:
        """Idle share of all stages within a window of time."""
        busy = sum(max(0.0, min(j.end, until) - max(j.start, since)) for j in self.jobs)
        return 1 - busy / (self.stages * (until - since))

    def kept(self, stage: int) -> float:
        """Most activations a stage holds at once, in micro-batches of one whole stage."""
        last_use = self.kinds[-1]
        changes = [(j.start, 1) for j in self.of_stage(stage) if j.kind == "F"]
        changes += [(j.end, -1) for j in self.of_stage(stage) if j.kind == last_use]
        most = held = 0
        for _, change in sorted(changes):  # at one moment, room is made before it is taken
            held += change
            most = max(most, held)
        return most / self.laps

    @property
    def peak_kept(self) -> float:
        """Most activations any stage holds at once, in micro-batches of one whole stage."""
        return max(self.kept(stage) for stage in range(self.stages))


def needs(kind: str, micro_batch: int, block: int, last: int) -> tuple[str, int, int] | None:
    """The work whose result a job takes as input; None for the first block's forward."""
    if kind == "F":
        return ("F", micro_batch, block - 1) if block else None
    if kind == "B":
        return ("B", micro_batch, block + 1) if block < last else ("F", micro_batch, last)
    return ("B", micro_batch, block)


def run(
    name: str,
    stages: int,
    micro_batches: int,
    *,
    kinds: str = "FBW",
    laps: int = 1,
    group: int | None = None,
    newest_first: bool = False,
    lead: Callable[[int], float] = lambda stage: math.inf,
    keep: Callable[[int], float] = lambda stage: math.inf,
    durations: Durations | None = None,
    pace: Sequence[float] | None = None,
) -> Timetable:
    """Work through all jobs by the rule above and return the timetable.

    group: micro-batches that go through a lap together before the next lap (default: all).
    newest_first: take backwards in the reverse order of the forwards. lead, keep: the two
    limits, by stage. pace: how much longer than the others each stage takes (default: 1 each).
    Raises: InputError for counts that are not whole numbers from 1 on, or limits that deadlock.

    >>> run("forward only", stages=4, micro_batches=8, kinds="F").span
    11.0
    """
    for what, count in (("stages", stages), ("micro_batches", micro_batches), ("laps", laps)):
        whole(what, count)
    times = durations or Durations()
    pace = pace or [1.0] * stages
    if len(pace) != stages or min(pace) <= 0:
        raise InputError(
            f"pace = {list(pace)} must be a number above 0 for each of {stages} stages"
        )
    backward = times.backward + (0 if "W" in kinds else times.weights)
    length = {"F": times.forward / laps, "B": backward / laps, "W": times.weights / laps}
    group, last = group or micro_batches, stages * laps - 1

    # what each stage has to do, by kind, in the order it will do it
    def queue(stage: int, kind: str) -> list[tuple[int, int]]:
        work = [(m, b) for m in range(micro_batches) for b in range(stage, last + 1, stages)]
        if kind == "F":
            return sorted(work, key=lambda mb: (mb[0] // group, mb[1]))
        side = -1 if newest_first else 1
        return sorted(work, key=lambda mb: (side * (mb[0] // group), -mb[1], side * mb[0]))

    queues = [{kind: queue(stage, kind) for kind in kinds} for stage in range(stages)]
    ends: dict[tuple[str, int, int], float] = {}
    jobs: list[Job] = []
    free = [0.0] * stages  # when each stage finishes what it is doing
    ahead, held = [0] * stages, [0] * stages

    def arrival(kind: str, micro_batch: int, block: int) -> float:
        """When the input of a job is at hand: infinity if nobody has begun to make it."""
        source = needs(kind, micro_batch, block, last)
        if source is None:
            return 0.0
        crossing = times.hop if (source[2] - block) % stages else 0.0
        return ends.get(source, math.inf) + crossing

    now = 0.0
    while any(todo for by_kind in queues for todo in by_kind.values()):
        soon = math.inf  # the next moment at which anything can change
        for stage, by_kind in enumerate(queues):
            for kind, todo in by_kind.items():
                if free[stage] > now or not todo:
                    continue
                if kind == "F" and (ahead[stage] >= lead(stage) or held[stage] >= keep(stage)):
                    continue
                at_hand = arrival(kind, *todo[0])
                if at_hand > now:
                    soon = min(soon, at_hand)
                    continue
                micro_batch, block = todo.pop(0)
                free[stage] = now + length[kind] * pace[stage]
                ends[kind, micro_batch, block] = free[stage]
                jobs.append(Job(kind, micro_batch, block, stage, now, free[stage]))
                ahead[stage] += {"F": 1, "B": -1, "W": 0}[kind]
                # what ends now is gone before this stage can begin anything else
                held[stage] += (kind == "F") - (kind == kinds[-1])
            if free[stage] > now:
                soon = min(soon, free[stage])
        if soon == math.inf and any(todo for by_kind in queues for todo in by_kind.values()):
            raise InputError(
                f"{name}: the limits lead and keep leave every stage waiting for another"
            )
        now = soon
    return Timetable(name, stages, micro_batches, laps, kinds, times, tuple(jobs))


# The schedules of the chapter. Each is the rule above and two numbers.


def decode(
    stages: int, micro_batches: int, tokens: int = 1, durations: Durations | None = None
) -> Timetable:
    """Inference: each micro-batch goes through the pipeline once for every token.

    One micro-batch is the naive pipeline; as many as stages fill it, and the loop closes.

    >>> decode(stages=4, micro_batches=1, tokens=10).bubble
    0.75
    """
    # a lap is a token here, and takes a whole stage time each
    whole = durations or Durations()
    lap = Durations(whole.forward * tokens, hop=whole.hop)
    return run("decode", stages, micro_batches, kinds="F", laps=tokens, durations=lap)


def gpipe(stages: int, micro_batches: int, durations: Durations | None = None) -> Timetable:
    """Training as on the blackboard: all forwards, a hard stop, all backwards (Huang et al. 2019).

    >>> table = gpipe(stages=4, micro_batches=8)
    >>> table.span, table.peak_kept
    (33.0, 8.0)
    """
    return run("GPipe", stages, micro_batches, kinds="FB", newest_first=True, durations=durations)


def one_f_one_b(
    stages: int,
    micro_batches: int,
    durations: Durations | None = None,
    pace: Sequence[float] | None = None,
) -> Timetable:
    """Training, one forward and one backward in turn: GPipe's bubble, less memory.

    >>> table = one_f_one_b(stages=4, micro_batches=8)
    >>> table.span, table.peak_kept
    (33.0, 4.0)
    """
    return run(
        "1F1B", stages, micro_batches, kinds="FB", lead=lambda stage: stages - stage,
        durations=durations, pace=pace,
    )  # fmt: skip


def interleaved(
    stages: int, micro_batches: int, chunks: int = 2, durations: Durations | None = None
) -> Timetable:
    """1F1B with `chunks` separate runs of layers on each stage (Narayanan et al. 2021).

    Micro-batches go round in groups of P; if M is no multiple of P, the last group is short and
    leaves gaps.

    >>> interleaved(stages=4, micro_batches=8, chunks=2).span
    28.5
    """
    return run(
        "interleaved", stages, micro_batches, kinds="FB", laps=chunks, group=stages,
        lead=lambda stage: 2 * (stages - stage - 1) + (chunks - 1) * stages + 1,
        durations=durations,
    )  # fmt: skip


def zb_h1(stages: int, micro_batches: int, durations: Durations | None = None) -> Timetable:
    """Zero-bubble, first kind: W fills the gaps, within the memory of 1F1B (Qi et al. 2023).

    >>> table = zb_h1(stages=4, micro_batches=8)
    >>> table.span, table.peak_kept
    (27.0, 4.0)
    """
    return run(
        "ZB-H1", stages, micro_batches, lead=lambda stage: stages - stage,
        keep=lambda stage: stages, durations=durations,
    )  # fmt: skip


def zb_h2(stages: int, micro_batches: int, durations: Durations | None = None) -> Timetable:
    """Zero-bubble, second kind: nearly twice the memory of 1F1B, and no idle time if runs follow
    each other without a barrier (Qi et al. 2023).

    >>> table = zb_h2(stages=4, micro_batches=8)
    >>> table.period, table.repeated_bubble, table.peak_kept
    (24.0, 0.0, 7.0)
    """
    return run(
        "ZB-H2", stages, micro_batches, lead=lambda stage: 2 * (stages - stage) - 1,
        keep=lambda stage: 2 * stages - 1, durations=durations,
    )  # fmt: skip


TRAINING: dict[str, Callable[..., Timetable]] = {
    "GPipe": gpipe,
    "1F1B": one_f_one_b,
    "interleaved": interleaved,
    "ZB-H1": zb_h1,
    "ZB-H2": zb_h2,
}


def training(name: str, stages: int, micro_batches: int, **options: Any) -> Timetable:
    """The training schedule of that name: GPipe, 1F1B, interleaved, ZB-H1 or ZB-H2.

    >>> training("1F1B", 2, 4).name
    '1F1B'
    """
    if name not in TRAINING:
        raise InputError(
            f"unknown schedule {name!r}; known: {', '.join(TRAINING)}.{suggest(name, TRAINING)}"
        )
    return TRAINING[name](stages, micro_batches, **options)


def violations(table: Timetable) -> list[str]:
    """What is wrong with a timetable: empty if every job is done exactly once, on its own stage,
    after its input has arrived, and no stage does two jobs at a time."""
    last = table.stages * table.laps - 1
    done = {(job.kind, job.micro_batch, job.block): job for job in table.jobs}
    wanted = {
        (kind, m, b)
        for kind in table.kinds
        for m in range(table.micro_batches)
        for b in range(last + 1)
    }
    wrong = [f"{work} is missing" for work in sorted(wanted - set(done))]
    wrong += [f"{work} should not be there" for work in sorted(set(done) - wanted)]
    if len(done) < len(table.jobs):
        wrong.append(f"{len(table.jobs) - len(done)} jobs are done twice")
    for work, job in done.items():
        source = needs(*work, last)
        made = done.get(source) if source else None
        if job.stage != job.block % table.stages:
            wrong.append(f"{work} is on stage {job.stage}")
        if made and job.start < made.end + table.durations.hop * (job.stage != made.stage):
            wrong.append(f"{work} starts before its input has arrived")
    for stage in range(table.stages):
        mine = sorted(table.of_stage(stage), key=lambda job: job.start)
        wrong += [
            f"stage {stage} does two jobs at {after.start:g}"
            for before, after in itertools.pairwise(mine)
            if after.start < before.end
        ]
    return wrong
