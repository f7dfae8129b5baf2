"""Questions that practitioners asked in public, each answered by the arithmetic of the book.

    for answer in ask("second-box"):
        print(answer)

`data/questions.csv` in the core has a row for each number that somebody measured: what was run, what
was asked, what came out. Rows that share a `question` belong together. A row either names a start of
an engine in `memory_cases.csv`, or says model, chip, layout, lengths and users itself. What a source
does not say (most often the lengths) is assumed, and the row's note says so.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from .. import catalog
from ..catalog import engines
from ..core.checkpoint import Checkpoint
from ..core.facts import table
from ..core.nouns import Layout, System, Workload, suggest
from ..core.units import InputError
from ..formulas import forecast, layout, passes, serving
from ..formulas.deployment import Deployment, deployment
from . import memory

GROUPS = ("fit", "slow", "more", "local")
VERDICTS = ("arithmetic", "engine", "forecast")
COUNTED = 0.05  # bytes are counted, not forecast: what is printed is rounded, and so are file sizes
CHANGE = 0.1  # a difference of less is none: two runs of one engine differ by as much
Band = tuple[float, float]


@dataclass(frozen=True)
class Answer:
    """What the arithmetic says to one row, between which ends, beside what was measured."""

    row: dict[str, str]
    value: float
    low: float
    high: float

    @property
    def measured(self) -> float:
        """As printed, in the row's unit."""
        return float(self.row["measured"])

    @property
    def inside(self) -> bool:
        """Whether what was measured lies within the band."""
        return self.low <= self.measured <= self.high

    @property
    def worse(self) -> float:
        """How many times slower, or with how many times less room, than computed."""
        slower = self.row["unit"] in ("s", "ms")
        return self.measured / self.value if slower else self.value / self.measured

    def __str__(self) -> str:
        unit, ends = self.row["unit"], f"{self.low:.3g} to {self.high:.3g}"
        return (
            f"{self.row['setting']}: {self.value:.3g} {unit} ({ends}), measured {self.measured:g}"
        )


@dataclass(frozen=True)
class Question:
    """All that was measured to answer one question."""

    id: str
    answers: tuple[Answer, ...]

    @property
    def group(self) -> str:
        """One of `GROUPS`."""
        return self.answers[0].row["group"]

    @property
    def verdict(self) -> str:
        """ "arithmetic" explains it, the "engine" does something else, or our "forecast" is wrong."""
        return self.answers[0].row["verdict"]

    @property
    def explained(self) -> bool:
        """Whether every number lies within its band, and like numbers move as the arithmetic does."""
        alike = defaultdict(list)
        for one in self.answers:
            alike[one.row["asked"]].append(one)
        pairs = [pair for several in alike.values() for pair in pairwise(several)]
        return all(one.inside for one in self.answers) and all(
            _direction(a.value, b.value) == _direction(a.measured, b.measured) for a, b in pairs
        )

    def __str__(self) -> str:
        return "\n".join(map(str, self.answers))


def _direction(before: float, after: float) -> int:
    """1 for more, -1 for less, 0 for a change that is no answer to anything."""
    return (after > before * (1 + CHANGE)) - (after < before / (1 + CHANGE))


@functools.cache
def questions() -> tuple[Question, ...]:
    """All questions, in the order of the table."""
    ids = dict.fromkeys(row["question"] for row in table("questions"))
    return tuple(map(ask, ids))


@functools.cache
def ask(question: str) -> Question:
    """The question of that name, with the answer to each of its rows."""
    rows = [row for row in table("questions") if row["question"] == question]
    if not rows:
        known = dict.fromkeys(row["question"] for row in table("questions"))
        raise InputError(f"no question {question!r}.{suggest(question, known)}")
    return Question(question, tuple(map(answer, rows)))


def answer(row: dict[str, str]) -> Answer:
    """What the arithmetic says to a row: value and band in the row's unit."""
    asked = row["asked"]
    if row["case"]:
        case = next(case for case in memory.cases() if case.id == row["case"])
        value, low, high = OF_A_START[asked](case)
    elif asked in OF_A_RUN:
        value, low, high = OF_A_RUN[asked](_run(row))
    else:
        raise InputError(f"asked = {asked!r} is none of {', '.join([*OF_A_START, *OF_A_RUN])}")
    return Answer(row, value, low, high)


# ---- starts of engines: what fits ----------------------------------------------------------------


@functools.cache
def room_band() -> Band:
    """Shares of a chip's memory about an estimate of its caches' room, eight logs of ten inside."""
    off = []
    for case, error in memory.estimated():
        room = case.measured_room() or 0.0
        chip = float(case.system.capacity / case.system.chips)
        off.append((room - room * (1 + error)) / chip)
    low, high = np.percentile(off, (10, 90))
    return float(low), float(high)


def _room(case: memory.MemoryCase) -> tuple[float, float, float]:
    value, chip = case.estimate(), float(case.system.capacity / case.system.chips)
    low, high = (max(value + share * chip, 0.0) for share in room_band())
    return value / memory.GIB, low / memory.GIB, high / memory.GIB


def _tokens(case: memory.MemoryCase) -> tuple[float, float, float]:
    value, low, high = (case.tokens(room * memory.GIB) for room in _room(case))
    return value, low, high


def _weights(case: memory.MemoryCase) -> tuple[float, float, float]:
    on_all = float(layout.weight_bytes_per_chip(case.checkpoint, Layout())) / memory.GIB
    return _counted(on_all)


def _counted(value: float) -> tuple[float, float, float]:
    return value, value * (1 - COUNTED), value * (1 + COUNTED)


def _starts(case: memory.MemoryCase) -> tuple[float, float, float]:
    does = float(case.estimate() > 0)
    return does, does, does


def _promised(case: memory.MemoryCase) -> tuple[float, float, float]:
    """Tokens in the room that the engine found, counted as it counts them: requests times length."""
    requests = case.concurrency(case.measured_room() or 0.0)
    return _counted(requests * float(case.row["context"]))


OF_A_START: dict[str, Callable[[memory.MemoryCase], tuple[float, float, float]]] = {
    "room": _room, "tokens in cache": _tokens, "weights": _weights, "starts": _starts,
    "tokens promised": _promised,
}  # fmt: skip


# ---- runs: how fast ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """A row's nouns, and what a deployment of them does."""

    row: dict[str, str]
    kind: str

    def number(self, name: str, otherwise: float = 0.0) -> float:
        return float(self.row[name] or otherwise)

    @functools.cached_property
    def checkpoint(self) -> Checkpoint:
        return catalog.checkpoint(self.row["model"], self.row["weights"], self.row["cache"])

    @functools.cached_property
    def system(self) -> System:
        return catalog.chip(self.row["chip"]).machine(int(self.row["chips"]))

    @functools.cached_property
    def layout(self) -> Layout:
        parts = self.row["layout"].split()
        cut: dict[str, Any] = {
            name: int(size) for name, size in zip(parts[::2], parts[1::2], strict=True)
        }
        return Layout(**cut)

    @functools.cached_property
    def result(self) -> Deployment:
        work = Workload(
            prompt=self.number("prompt"), output=self.number("output"), users=self.number("users")
        )
        chip = self.system.capacity / self.system.chips
        # whether it fits is not asked here: a run that was measured did fit
        engine = engines.engine("vLLM", float(chip), self.row["chip"]).replace(memory_share=1.0)
        constants = forecast.fitted(self.kind)
        return deployment(self.checkpoint, self.system, self.layout, work, engine, constants)

    def banded(self, value: float, of: str) -> tuple[float, float, float]:
        low, high = forecast.band(self.kind, of)
        return value, value * low, value * high

    def inverse(self, seconds: float, of: str, tokens: float = 1.0) -> tuple[float, float, float]:
        value, low, high = self.banded(seconds, of)
        return tokens / value, tokens / high, tokens / low


def _run(row: dict[str, str]) -> Run:
    return Run(row, forecast.class_of(catalog.chip(row["chip"]).kind))


def _tpot(run: Run) -> tuple[float, float, float]:
    value, low, high = run.banded(float(run.result.time_per_token), "tpot")
    return value * 1e3, low * 1e3, high * 1e3


def _speed(run: Run) -> tuple[float, float, float]:
    return run.inverse(float(run.result.time_per_token), "tpot")


def _all_speed(run: Run) -> tuple[float, float, float]:
    return run.inverse(float(run.result.time_per_token), "tpot", tokens=float(run.result.running))


def _prompt_time(run: Run) -> tuple[float, float, float]:
    return run.banded(float(run.result.prompt_time), "ttft")


def _prompt_speed(run: Run) -> tuple[float, float, float]:
    return run.inverse(float(run.result.prompt_time), "ttft", tokens=run.number("prompt"))


def _cache(run: Run) -> tuple[float, float, float]:
    held = layout.cache_bytes_per_chip(1, run.number("prompt"), run.checkpoint, Layout())
    return _counted(float(held) / 1e9)


def _speculation(run: Run) -> tuple[float, float, float]:
    """Times faster with guesses. The two steps share most of their error: the band is wide enough."""
    users, guesses = run.number("users"), run.number("guesses")
    context = run.number("prompt") + run.number("output") / 2
    constants = forecast.fitted(run.kind)
    one, several = (
        float(
            forecast.pass_time(
                passes.decode_pass(users, context, run.checkpoint, run.system, run.layout, tokens),
                constants,
            )
        )
        for tokens in (1.0, 1.0 + guesses)
    )
    kept = float(serving.tokens_a_step(guesses, run.number("accepted")))
    # the head that guesses is one more layer, run once for each guess
    head = guesses / sum(group.layers for group in run.checkpoint.groups)
    return run.inverse(several * (1 + head), "tpot", tokens=kept * one)


OF_A_RUN: dict[str, Callable[[Run], tuple[float, float, float]]] = {
    "time per token": _tpot, "speed of a user": _speed, "speed of all": _all_speed,
    "time of the prompt": _prompt_time, "speed of reading": _prompt_speed, "cache": _cache,
    "gain of guessing": _speculation,
}  # fmt: skip
