"""Requests: an engine that serves them one step at a time, simulated from event to event.

    simulate(load, Pace(...), Limits(...))  ->  Served: who waited how long, and for what

Each step passes one token of every running sequence (more, if further ones are guessed) and as many
tokens of waiting prompts as the budget leaves; running sequences come first, then the queue in the
order of arrival. A request is admitted when its prompt's pages are free and, by `reserve`, a share of
its answer's: 0 is vLLM's way (nothing is reserved; when pages run out the last admitted is thrown
out, and what it had written is read again as prompt), 1 TensorRT-LLM's (all is, so nobody is thrown
out), and anything between is SGLang's guess. A step's time is linear in its tokens (`serving.Pace`),
so the many steps between two events are added up in closed form, and thousands of requests a second
can be followed.
"""

from __future__ import annotations

import csv
import functools
import heapq
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..core import facts
from ..core.nouns import suggest
from ..core.tables import write_csv
from ..core.units import InputError, Unit, whole
from ..formulas.serving import (
    Pace,
    mean_token_steps,
    offered_load,
    token_steps,
    tokens_a_step,
)

ARRIVALS = ("poisson", "bursty", "constant", "closed")


# --- what comes in


@dataclass(frozen=True)
class Load:
    """Requests: when they come, how long their prompts are, and how many tokens they want."""

    arrivals: np.ndarray  # seconds, in order; in a closed loop the users' first requests
    prompts: np.ndarray
    outputs: np.ndarray
    users: int = 0  # of a closed loop: each asks again as soon as it is answered

    def __post_init__(self) -> None:
        counts = {len(self.prompts), len(self.outputs)} | (
            {len(self.arrivals)} - {self.users or -1}
        )
        if len(counts) != 1 or not len(self.prompts):
            raise InputError("arrivals, prompts and outputs must be as many, and at least one")
        for name in ("prompts", "outputs"):
            values = getattr(self, name)
            if (values < 1).any() or (values % 1).any():
                raise InputError(f"{name} must be whole numbers of tokens, at least 1")
        times = self.arrivals
        if not np.isfinite(times).all() or (np.diff(times) < 0).any() or (times < 0).any():
            raise InputError("arrivals must be times from 0 on, in order")

    def __len__(self) -> int:
        return len(self.prompts)

    def offered(self, pace: Pace, cached: float = 0.0) -> float:
        """Load that these very requests put on an engine, a share of each prompt being cached."""
        if self.users:
            raise InputError(
                "a closed loop offers no load of its own: its users wait for the engine"
            )
        held = token_steps(self.prompts, self.outputs).mean()
        fresh = self.prompts.mean() * (1 - cached)
        rate = len(self) / self.arrivals[-1]
        return float(offered_load(rate, fresh, self.outputs.mean(), held, pace))


def lengths(mean: float, spread: float, count: int, rng: np.random.Generator) -> np.ndarray:
    """Whole lengths of this mean and coefficient of variation, lognormal; all alike for a spread of 0."""
    Unit("tokens", least=1.0, open=False).check("mean", mean)
    Unit("1", open=False).check("spread", spread)
    if not spread:
        return np.full(count, float(round(mean)))
    sigma = math.sqrt(math.log(1 + spread**2))
    drawn = rng.lognormal(math.log(mean) - sigma**2 / 2, sigma, count)
    return np.maximum(np.rint(drawn), 1.0)


def load(
    count: int, *, rate: float = 1.0, arrivals: str = "poisson", burstiness: float = 3.0,
    users: int = 0, prompt: float = 1000, prompt_spread: float = 0.0, output: float = 200,
    output_spread: float = 0.0, seed: int = 0,
) -> Load:  # fmt: skip
    """So many requests at random, the same for the same seed.

    rate: a second. arrivals: "poisson" (knowing nothing of each other), "bursty" (gamma gaps whose
    coefficient of variation is `burstiness`), "constant", or "closed" (`users` who each keep one
    request in flight). prompt, output: mean tokens; *_spread: their coefficients of variation.
    """
    whole("count", count)
    if arrivals not in ARRIVALS:
        raise InputError(
            f"no arrivals {arrivals!r}: {', '.join(ARRIVALS)}.{suggest(arrivals, ARRIVALS)}"
        )
    rng = np.random.default_rng(seed)
    prompts = lengths(prompt, prompt_spread, count, rng)
    outputs = lengths(output, output_spread, count, rng)
    if arrivals == "closed":
        whole("users", users)
        return Load(np.zeros(min(users, count)), prompts, outputs, users=min(users, count))
    Unit("sequences/s").check("rate", rate)
    if arrivals == "constant":
        gaps = np.full(count, 1 / rate)
    elif arrivals == "poisson":
        gaps = rng.exponential(1 / rate, count)
    else:
        Unit("1").check("burstiness", burstiness)
        shape = 1 / burstiness**2
        gaps = rng.gamma(shape, 1 / (rate * shape), count)
    return Load(gaps.cumsum(), prompts, outputs)


# --- what services were seen to get


@dataclass(frozen=True)
class Traffic:
    """Requests as a public trace has them: means, coefficients of variation, share found in a cache."""

    name: str
    trace: str
    prompt: float
    prompt_spread: float
    output: float
    output_spread: float
    cached: float

    @property
    def held(self) -> float:
        """Mean cached tokens that an answer reads in all its steps."""
        return float(mean_token_steps(self.prompt, self.output, self.output_spread))

    def load(self, count: int, rate: float, seed: int = 0, **more: Any) -> Load:
        """So many of them at random, lognormal lengths, at `rate` a second; `more` is `load`'s."""
        return load(
            count, rate=rate, seed=seed, prompt=self.prompt, prompt_spread=self.prompt_spread,
            output=self.output, output_spread=self.output_spread, **more,
        )  # fmt: skip


@functools.cache
def traffic() -> dict[str, Traffic]:
    """The presets of `traffic_lengths.csv`: chat, code, reasoning, agents, long chat.

    A spread that no source gives is a lognormal's of the published mean and median.

    >>> round(traffic()["agents"].cached, 3)
    0.957
    """
    lengths_of: dict[str, dict[str, Any]] = {}
    for row in facts.table("traffic_lengths"):
        if row["preset"]:
            lengths_of.setdefault(row["preset"], {})[row["what"]] = row
    made = {}
    for name, by_what in lengths_of.items():
        mean = {what: float(row["mean"]) for what, row in by_what.items()}
        if "prompt" in mean:
            of, prompt = "prompt", mean["prompt"]
            cached = prompt - mean.get("fresh", prompt)
        else:  # what was found in a cache and what was not, counted apart
            of, cached = "cached", mean["cached"]
            prompt = cached + mean["fresh"]
        made[name] = Traffic(
            name, by_what["output"]["trace"], prompt, _spread(by_what[of]), mean["output"],
            _spread(by_what["output"]), cached / prompt,
        )  # fmt: skip
    return made


def _spread(row: dict[str, str]) -> float:
    if row["cv"]:
        return float(row["cv"])
    return math.sqrt((float(row["mean"]) / float(row["p50"])) ** 2 - 1)


# --- the engine


@dataclass(frozen=True)
class Limits:
    """What an engine is told: vLLM's words."""

    room: float = math.inf  # tokens of cache
    page: int = 16
    batched_tokens: int = 8192
    sequences: int = 1024
    reserve: float = 0.0  # share of an answer for which pages are kept free at admission
    watermark: float = 0.01  # share of all pages that an admission leaves free for those inside
    cached: float = 0.0  # share of each prompt found in a cache
    drafts: int = 0  # tokens guessed a step
    acceptance: float = 0.0
    prefill_engines: int = 0  # a pool that only reads prompts; 0: one engine does both
    transfer: float = 0.0  # seconds a token of prompt takes from that pool to this one

    def __post_init__(self) -> None:
        for name in ("page", "batched_tokens", "sequences"):
            whole(name, getattr(self, name))
        for name in ("drafts", "prefill_engines"):
            whole(name, getattr(self, name), least=0)
        for name in ("reserve", "watermark", "cached", "acceptance"):
            Unit("1", open=False, most=1.0).check(name, getattr(self, name))
        Unit("s", open=False).check("transfer", self.transfer)
        if not self.room > 0:
            raise InputError(f"room = {self.room!r} tokens must be greater than 0")


@dataclass(frozen=True)
class Served:
    """What became of each request, in the order of arrival, and what the engine did."""

    arrival: np.ndarray
    admitted: np.ndarray  # when its prompt began to be read, for the first time
    first: np.ndarray  # when its first token came
    finish: np.ndarray
    prompts: np.ndarray
    outputs: np.ndarray
    preempted: np.ndarray  # times thrown out
    steps: int
    passed: float  # tokens passed through the weights, of prompts and answers
    read: float  # of these, tokens of prompts, and of answers read again after being thrown out
    readings: int  # prompts read to their end, each giving a token
    read_again: float  # tokens read beyond every prompt once
    busy: float  # seconds with a step under way
    seats: float  # sequence-seconds of requests inside the engine
    tokens: float  # token-seconds of cache held
    most_pages: float

    @property
    def ttft(self) -> np.ndarray:
        """Time to first token."""
        return self.first - self.arrival

    @property
    def e2e(self) -> np.ndarray:
        """Time from arrival to the last token."""
        return self.finish - self.arrival

    @property
    def tpot(self) -> np.ndarray:
        """Time per output token after the first; of answers of one token there is none."""
        more = self.outputs > 1
        return (self.finish - self.first)[more] / (self.outputs[more] - 1)

    @property
    def token_time(self) -> float:
        """Mean time per output token over all tokens, so that long answers count by their length."""
        return float((self.finish - self.first).sum() / (self.outputs - 1).sum())

    @property
    def span(self) -> float:
        """Seconds from the first arrival to the last token."""
        return float(self.finish.max() - self.arrival.min())

    def settled(self, share: float = 0.1) -> Served:
        """The same without the first and last `share` of requests, while the engine fills and drains."""
        cut = int(len(self.arrival) * share)
        kept = slice(cut, len(self.arrival) - cut or None)
        arrays = ("arrival", "admitted", "first", "finish", "prompts", "outputs", "preempted")
        values = {n: getattr(self, n) for n in self.__dataclass_fields__}
        return Served(**values | {n: values[n][kept] for n in arrays})

    def goodput(self, ttft: float, tpot: float) -> float:
        """Requests a second that met both targets."""
        each = (self.finish - self.first) / np.maximum(self.outputs - 1, 1)
        return float(((self.ttft <= ttft) & (each <= tpot)).sum() / self.span)

    def summary(self) -> list[dict[str, Any]]:
        """Mean and percentiles of the three times, one row each."""
        rows = []
        for name in ("ttft", "tpot", "e2e"):
            values = getattr(self, name)
            if values.size:
                p50, p90, p99 = np.percentile(values, [50, 90, 99])
                rows.append(
                    {"time": name, "mean": values.mean(), "p50": p50, "p90": p90, "p99": p99}
                )
        return rows

    def write(self, file: Any) -> None:
        """One line a request, as CSV."""
        columns = ("arrival", "admitted", "first", "finish", "prompts", "outputs", "preempted")
        rows = zip(*(getattr(self, c).tolist() for c in columns), strict=True)
        write_csv(file, rows, columns)


@dataclass
class _Request:
    """A request on its way."""

    id: int
    prompt: float
    output: float
    user: int = -1
    to_read: float = 0.0  # tokens of prompt not yet passed
    written: float = 0.0
    held: float = 0.0  # tokens in the cache
    target: float = 0.0  # tokens for which pages are its own or kept free
    admissions: int = 0
    ahead: float = 0.0  # tokens for which pages are taken before they are written
    ends: int = 0  # the decode step after which its answer is complete


def simulate(
    load: Load, pace: Pace, limits: Limits | None = None,
    fixed: Callable[[int], float] | None = None, progress: Callable[[int, int], None] | None = None,
) -> Served:  # fmt: skip
    """Serve a load and say what became of each request.

    pace: of a step; fixed: its fixed part when so many sequences run, where that depends on them
    (experts touched); progress: called now and then with how many are done, of how many.
    Raises: InputError for a request that alone is larger than the cache.
    """
    limits = limits or Limits()
    largest = float((load.prompts + load.outputs).max())
    if math.ceil(largest / limits.page) * limits.page > limits.room:
        raise InputError(
            f"room = {limits.room:g} tokens cannot hold a request of {largest:g} tokens"
        )
    if limits.prefill_engines:
        return _in_pools(load, pace, limits, fixed, progress)
    return _Run(load, pace, limits, fixed, progress).served()


class _Run:
    """One simulation: the loop, and what it counts."""

    def __init__(
        self, load: Load, pace: Pace, limits: Limits, fixed: Callable[[int], float] | None,
        progress: Callable[[int, int], None] | None, already_read: bool = False,
    ) -> None:  # fmt: skip
        n = len(load)
        self.load, self.limits, self.progress, self.already_read = (
            load,
            limits,
            progress,
            already_read,
        )
        self.per_token, self.per_cached = float(pace.per_token), float(pace.per_cached)
        base = float(pace.fixed)
        self.fixed = fixed or (lambda running: base)
        self.gain = float(tokens_a_step(limits.drafts, limits.acceptance)) if limits.drafts else 1.0
        self.arrival, self.admitted, self.first, self.finish = (
            np.full(n, np.nan) for _ in range(4)
        )
        self.preempted = np.zeros(n)
        self.pages_free = limits.room // limits.page if math.isfinite(limits.room) else math.inf
        self.pages_all = self.pages_free
        self.bounded = math.isfinite(self.pages_all)
        self.thrown = False
        self.waiting: deque[_Request] = deque()
        self.reading: deque[_Request] = deque()
        self.writing: dict[int, _Request] = {}
        self.inside: dict[int, _Request] = {}  # in order of admission
        self.promised = 0.0  # pages kept for the answers of those inside, by `reserve`
        self.ends: list[tuple[int, int]] = []  # (decode step at which it ends, id)
        self.now, self.turn, self.steps = 0.0, 0, 0
        self.cached = 0.0  # tokens of those who write
        self.passed = self.read = self.busy = self.seats = self.tokens = self.most = 0.0
        self.readings, self.fresh = 0, 0.0
        self.done = 0
        if load.users:
            self.coming = [(0.0, i, i) for i in range(load.users)]
            self.next_id = load.users
        else:
            self.coming = [(float(t), i, -1) for i, t in enumerate(load.arrivals)]
            self.next_id = n
        heapq.heapify(self.coming)

    # -- pages

    def pages(self, tokens: float) -> float:
        return math.ceil(tokens / self.limits.page - 1e-9)

    def promise(self, r: _Request) -> float:
        """Pages kept free for an admitted request, by the policy's guess, less those it has taken."""
        return max(self.pages(r.target) - self.pages(r.held + r.ahead), 0.0)

    def count_pages(self) -> None:
        if self.bounded:
            self.most = max(self.most, self.pages_all - self.pages_free)

    # -- the loop

    def served(self) -> Served:
        n = len(self.load)
        while self.done < n:
            self.take_in()
            if not self.inside and not self.waiting:
                self.now = max(self.now, self.coming[0][0])
                continue
            if self.reading:
                self.mixed_step()
            else:
                self.writing_steps()
        return Served(
            arrival=self.arrival, admitted=self.admitted, first=self.first, finish=self.finish,
            prompts=self.load.prompts, outputs=self.load.outputs, preempted=self.preempted,
            steps=self.steps, passed=self.passed, read=self.read, readings=self.readings,
            read_again=self.read - self.fresh, busy=self.busy,
            seats=self.seats, tokens=self.tokens, most_pages=self.most,
        )  # fmt: skip

    def take_in(self) -> None:
        """Let arrivals into the queue, and from its head into the engine while there is room."""
        while self.coming and self.coming[0][0] <= self.now:
            at, i, user = heapq.heappop(self.coming)
            self.arrival[i] = at
            self.waiting.append(
                _Request(i, float(self.load.prompts[i]), float(self.load.outputs[i]), user)
            )
        thrown, self.thrown = self.thrown, False
        if thrown and self.inside:
            return  # nobody is let in after a step that had to throw somebody out
        while self.waiting and len(self.inside) < self.limits.sequences:
            r = self.waiting[0]
            length = r.prompt + r.written
            r.target = length + self.limits.reserve * (r.output - r.written)
            spare = self.limits.watermark * self.pages_all if self.inside and self.bounded else 0.0
            if self.pages(r.target) > self.pages_free - self.promised - spare:
                break
            self.waiting.popleft()
            r.held = length
            self.pages_free -= self.pages(length)
            self.inside[r.id] = r
            self.promised += self.promise(r)
            self.count_pages()
            if not r.admissions:
                self.admitted[r.id] = self.now
            # a prefix found in the cache is not read again; what was thrown out is
            fresh = max(r.prompt * (1 - self.limits.cached), 1.0) if not r.admissions else length
            if self.already_read and not r.admissions:
                fresh = 0.0
            self.fresh += 0.0 if r.admissions else fresh
            r.admissions += 1
            r.to_read = fresh
            if fresh:
                self.reading.append(r)
            else:
                self.start_writing(r)

    def start_writing(self, r: _Request) -> None:
        self.writing[r.id] = r
        left = r.output - r.written
        r.ends = self.turn + math.ceil(left / self.gain - 1e-9)
        heapq.heappush(self.ends, (r.ends, r.id))
        self.cached += r.held

    def advance(self, seconds: float, steps: int, grown: float) -> None:
        """Let time pass: `grown` is the sum over the steps of the tokens held by writers."""
        self.busy += seconds
        self.seats += seconds * len(self.inside)
        reading = sum(r.held for r in self.reading)
        self.tokens += seconds * (reading + (grown / steps if steps else 0.0))
        self.now += seconds
        self.steps += steps

    def mixed_step(self) -> None:
        """One step with prompts in it: writers first, then prompts up to the budget."""
        self.secure(1)
        writers = len(self.writing)
        tokens = writers * (self.limits.drafts + 1)
        budget = max(self.limits.batched_tokens - tokens, 1)
        taken, read = 0.0, []
        for r in self.reading:
            piece = min(r.to_read, budget - taken)
            r.to_read -= piece
            taken += piece
            if r.to_read > 0:
                break
            read.append(r)
        running = writers + len(read) + (len(read) < len(self.reading))
        seconds = self.fixed(running) + self.per_token * (tokens + taken)
        seconds += self.per_cached * self.cached
        self.passed += tokens + taken
        self.read += taken
        self.readings += len(read)
        self.advance(seconds, 1, self.cached)
        self.write(1)
        for r in read:
            self.reading.popleft()
            r.written += 1.0  # passing the prompt's last token gives the answer's next
            if np.isnan(self.first[r.id]):
                self.first[r.id] = self.now
            if r.written >= r.output:
                self.leave(r)
            else:
                self.start_writing(r)

    def writing_steps(self) -> None:
        """As many steps as nothing new happens in, at once: up to an end, an arrival, or full pages."""
        writers = len(self.writing)
        n = self.ends[0][0] - self.turn
        per_step = self.per_token * (self.limits.drafts + 1)
        if self.coming and len(self.inside) < self.limits.sequences:
            a = self.fixed(writers) + per_step * writers + self.per_cached * self.cached
            b = self.per_cached * writers * self.gain  # each step is longer than the last by this
            n = min(n, _steps_until(self.coming[0][0] - self.now, a, b))
        if self.bounded:
            # every sequence may open a page at once: go only as far as that is sure to fit
            sure = (self.pages_free / writers - 1) * self.limits.page / self.gain
            n = min(n, max(int(sure), 1))
        self.secure(n)
        writers = len(self.writing)
        a = self.fixed(writers) + per_step * writers + self.per_cached * self.cached
        b = self.per_cached * writers * self.gain
        self.passed += n * writers * (self.limits.drafts + 1)
        grown = n * self.cached + writers * self.gain * n * (n - 1) / 2
        self.advance(n * a + b * n * (n - 1) / 2, n, grown)
        self.write(n)

    def secure(self, n: int) -> None:
        """Pages for n more tokens of every writer, oldest first, taken from the youngest if need be."""
        if not self.bounded:
            return
        for r in [r for r in self.inside.values() if r.id in self.writing]:
            if r.id not in self.writing:
                continue  # thrown out for an older one's sake
            promised = self.promise(r)
            need = self.pages(r.held + n * self.gain) - self.pages(r.held)
            while need > self.pages_free and r.id in self.inside:
                self.throw_out(next(reversed(self.inside)))
            if r.id in self.inside:
                self.pages_free -= need
                r.ahead = n * self.gain
                self.promised += self.promise(r) - promised
        self.count_pages()

    def write(self, n: int) -> None:
        """Every writer has passed n more steps; those at their end leave."""
        self.turn += n
        more = n * self.gain
        for r in self.writing.values():
            r.held += more
            r.ahead = 0.0
            r.written += more
        self.cached += more * len(self.writing)
        while self.ends and self.ends[0][0] <= self.turn:
            end, i = heapq.heappop(self.ends)
            if i in self.writing and self.writing[i].ends == end:
                last = self.writing.pop(i)
                self.cached -= last.held
                self.leave(last)

    def throw_out(self, i: int) -> None:
        """Free the pages of one request; it goes back to the head of the queue, its tokens kept."""
        r = self.inside.pop(i)
        self.promised -= self.promise(r)
        self.pages_free += self.pages(r.held + r.ahead)
        r.ahead = 0.0
        if i in self.writing:
            del self.writing[i]
            self.cached -= r.held
        elif r in self.reading:
            self.reading.remove(r)
        r.held = 0.0
        self.thrown = True
        self.preempted[i] += 1
        self.waiting.appendleft(r)

    def leave(self, r: _Request) -> None:
        self.finish[r.id] = self.now
        if np.isnan(self.first[r.id]):
            self.first[r.id] = self.now
        if r.id in self.inside:
            self.promised -= self.promise(r)
            self.pages_free += self.pages(r.held)
            del self.inside[r.id]
        self.done += 1
        if r.user >= 0 and self.next_id < len(self.load):
            heapq.heappush(self.coming, (self.now, self.next_id, r.user))
            self.next_id += 1
        if self.progress and self.done % 256 == 0:
            self.progress(self.done, len(self.load))


def spans(served: Served, count: int = 20) -> list[dict[str, float]]:
    """When each of the first requests waited, had its prompt read, and was answered: for a Gantt chart."""
    return [
        {"arrival": a, "admitted": b, "first": c, "finish": d}
        for a, b, c, d in zip(
            served.arrival[:count].tolist(), served.admitted[:count].tolist(),
            served.first[:count].tolist(), served.finish[:count].tolist(), strict=True,
        )
    ]  # fmt: skip


def read_load(file: Any) -> Load:
    """Requests from a CSV file with the columns arrival (seconds), prompt and output (tokens).

    Raises: InputError that names the line and what is wrong with it.
    """
    with open(file, encoding="utf-8-sig", newline="") as text:
        reader = csv.DictReader(text)
        missing = {"arrival", "prompt", "output"} - set(reader.fieldnames or ())
        if missing:
            raise InputError(f"{file} line 1: no column {', '.join(sorted(missing))}")
        rows = []
        for row in reader:
            try:
                rows.append([float(row[c]) for c in ("arrival", "prompt", "output")])
            except (TypeError, ValueError):
                raise InputError(
                    f"{file} line {reader.line_num}: three numbers are needed"
                ) from None
    if not rows:
        raise InputError(f"{file} holds no request")
    columns = np.array(rows)
    columns = columns[np.argsort(columns[:, 0], kind="stable")]
    return Load(*columns.T)


def _in_pools(
    load: Load, pace: Pace, limits: Limits, fixed: Callable[[int], float] | None,
    progress: Callable[[int, int], None] | None,
) -> Served:  # fmt: skip
    """Prompts read one after the other by engines of their own, then answers written by this one.

    A request starts with the reader that is free first; its first token comes from there, its cache
    follows over the network, and the writing engine takes it as it arrives.
    """
    if load.users:
        raise InputError("pools take open arrivals: a closed loop has one engine")
    n, one = len(load), (fixed or (lambda running: float(pace.fixed)))(1)
    fresh = np.maximum(load.prompts * (1 - limits.cached), 1.0)
    readers = [0.0] * limits.prefill_engines
    started, read = np.empty(n), np.empty(n)
    for i, at in enumerate(load.arrivals):
        free = heapq.heappop(readers)
        passes = math.ceil(fresh[i] / limits.batched_tokens)
        started[i] = max(free, at)
        read[i] = started[i] + passes * one + float(pace.per_token) * fresh[i]
        heapq.heappush(readers, read[i])
    ready = read + limits.transfer * load.prompts
    order = np.argsort(ready, kind="stable")
    # the reader has written the first token; what is left comes from the writing engine
    left = np.maximum(load.outputs - 1, 1)
    moved = Load(ready[order], (load.prompts + 1)[order], left[order])
    run = _Run(moved, pace, limits, fixed, progress, already_read=True).served()
    back = np.empty(n, dtype=int)
    back[order] = np.arange(n)
    alone = load.outputs == 1
    return replace(
        run, arrival=load.arrivals, admitted=started, first=read,
        finish=np.where(alone, read, run.finish[back]), prompts=load.prompts, outputs=load.outputs,
        preempted=run.preempted[back], passed=run.passed + float(fresh.sum()),
    )  # fmt: skip


def _steps_until(seconds: float, a: float, b: float) -> int:
    """Steps whose times, a, a + b, a + 2 b ..., first reach so many seconds: at least one."""
    if seconds <= a:
        return 1
    if b <= 0:
        return max(math.ceil(seconds / a), 1)
    n = ((b / 2 - a) + math.sqrt((a - b / 2) ** 2 + 2 * b * seconds)) / b
    return max(math.ceil(n - 1e-9), 1)
