"""Deployment: one model on real chips, from bytes and passes to waits, rates and dollars. Written once.

    deployment(checkpoint, system, layout, workload, engine, efficiency)

With numbers it is what `plan` prints; with arrays a sweep; with symbols the planner's page. It only
wires the rooms before it together: what is cut (`layout`), what a pass takes (`passes`,
`forecast`), what requests in flight do to each other. `RESULTS` gives each result its name in
words, its unit and the chapter that derives it.

    B  sequences running: as many users as fit          O, P  tokens of an answer, of a prompt
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..core.algebra import composed, formula, maximum, minimum
from ..core.checkpoint import Checkpoint
from ..core.nouns import Engine, Layout, System, Unknown, Workload
from ..core.units import (
    Bytes,
    Count,
    DollarsPerSecond,
    DollarsPerToken,
    NonNegative,
    Ratio,
    Seconds,
    Sequences,
    SequencesPerSecond,
    Tokens,
)
from . import forecast
from .forecast import Efficiency
from .layers import held_bytes
from .layout import (
    activation_bytes,
    cache_bytes_per_chip,
    cache_room_per_chip,
    largest_concurrency,
    weight_bytes_per_chip,
)
from .passes import decode_pass, least, prompt_pass
from .serving import Pace, tokens_a_step


@formula
def time_per_token(
    step: Seconds, prompt_time: Seconds, running: Sequences, output: Count
) -> Seconds:
    """Mean time between a user's tokens on an engine that also reads everybody's prompts.

    While a user waits for O tokens, each of the B - 1 others finishes once and its successor's
    prompt is read once: so a token takes a step, and its share of those prompts.

    Equation: t_step + (B - 1) t_prompt / O.
    Ignores: answers of unequal length; prompts that hide behind a step's reading of weights.
    Source: ours; a closed loop of users, as serving benchmarks run it.

    >>> float(time_per_token(0.02, 0.1, 101, 1000))
    0.03
    """
    return step + (running - 1) * prompt_time / output


@formula
def first_token_time(
    step: Seconds, own_prompt: Seconds, prompt_time: Seconds, ahead: NonNegative,
    efficiency: Efficiency,
) -> Seconds:  # fmt: skip
    """Mean time to the first token: let in, wait for the prompts ahead, read the own one, send it out.

    Equation: s t_step + q t_prompt + t_own, s the steps that letting in and sending out take, q the
    prompts ahead of it on average.
    Ignores: waiting for memory; that a prompt in progress is half done.
    Source: ours; chapter 9 for s, chapter 10 for q.

    >>> round(float(first_token_time(0.02, 0.1, 0.08, 0.5, forecast.IDEAL.replace(steps=2.0))), 9)
    0.18
    """
    return efficiency.steps * step + ahead * prompt_time + own_prompt


@formula
def seat_wait(crowd: Ratio, seated: Seconds) -> Seconds:
    """Mean wait of a user of a closed loop for a seat, where an engine lets in fewer than there are.

    Equation: (C/S - 1) t_seat: S of C users are seated, each for t_seat, so seats change hands S / t_seat
    times a second and a user has one every C t_seat / S.
    Ignores: a router that sends two users to one engine while another has a seat free.
    Source: Little 1961.

    >>> float(seat_wait(1.5, 10.0))
    5.0
    """
    return (crowd - 1) * seated


@formula
def prompts_ahead(
    prompt_time: Seconds, running: Sequences, output: Count, token_time: Seconds
) -> NonNegative:
    """Prompts that a newcomer finds before its own: the mean of a queue that prompts keep busy a share r.

    Equation: r / (2 (1 - r)), r = B t_prompt over the time O t_token of an answer, at most 9/10: the
    wait of Pollaczek and Khinchine for prompts of one length, in prompts.
    Ignores: the burst when many users start at once.
    Source: Pollaczek 1930, Khinchine 1932.

    >>> float(prompts_ahead(0.1, 5, 10, 0.1))
    0.5
    """
    busy = minimum(running * prompt_time / (output * token_time), 0.9)
    return busy / (2 * (1 - busy))


@formula
def request_rate(
    running: Sequences, first: Seconds, token_time: Seconds, output: Count
) -> SequencesPerSecond:
    """Requests that a replica finishes a second with so many in flight: Little's law.

    Equation: B / (t_first + (O - 1) t_token).
    Source: Little 1961.

    >>> float(request_rate(11, 0.1, 0.1, 10))
    11.0
    """
    return running / (first + (output - 1) * token_time)


@formula
def pipelined_share(sequences: Sequences, layout: Layout) -> Sequences:
    """Sequences of one micro-batch: as many of them go round as there are stages, if users suffice.

    Equation: B / min(B, P).
    Source: lecture, row P14; chapter 5.

    >>> float(pipelined_share(8, Layout(pp=4)))
    2.0
    """
    return sequences / minimum(sequences, layout.pp)


@formula
def cost_per_token(rent: DollarsPerSecond, share: Ratio, time: Seconds) -> DollarsPerToken:
    """Rent for the time that a token keeps a replica, or its share of the replica, busy.

    Equation: $ t share: a step's time over B for a token written, a prompt's over P for one read.
    Ignores: idle hours, margin (d15).
    Source: lecture, row B21.

    >>> float(cost_per_token(0.001, 1 / 10, 0.05))
    5e-06
    """
    return rent * share * time


@formula
def cached_token_cost(
    rent: DollarsPerSecond, held: Bytes, context: Tokens, system: System
) -> DollarsPerToken:
    """Rent of a replica while one cached token's entry arrives over its network cards.

    Equation: $ k / W_out, k the bytes held over the tokens that hold them.
    Ignores: overlap with other work, which can hide it; keeping the entry (chapter 6).
    Source: rows X16 and X18.

    >>> s = System(1e15, 1e12, scale_out=50e9)
    >>> float(cached_token_cost(0.001, 50_000_000, 1000, s))
    1e-09
    """
    return rent * held / (maximum(context, 1) * system.scale_out)


@dataclass(frozen=True)
class Deployment:
    """Every result of one deployment, as numbers, arrays or symbols alike, in SI."""

    weight_bytes: Any  # on the fullest chip, as all bytes here
    activation_bytes: Any
    room: Any
    sequence_bytes: Any
    largest_concurrency: Any
    running: Any
    step_floor: Any
    step: Any
    step_parts: dict[str, Any]
    kept: Any
    prompt_time: Any
    prompt_parts: dict[str, Any]
    time_per_token: Any
    first_token: Any
    request_rate: Any
    token_rate: Any
    prompt_share: Any
    input_cost: Any
    cached_cost: Any
    output_cost: Any
    request_cost: Any


@composed
def deployment(
    checkpoint: Checkpoint, system: System, layout: Layout, workload: Workload, engine: Engine,
    efficiency: Efficiency,
) -> Deployment:  # fmt: skip
    """One replica at work: `workload.users` requests in flight, as many of them running as fit, the
    others waiting for their seats.

    `system` is the replica's chips, tp x dp x pp of them. With `engine.drafts` each step checks so
    many guesses for every sequence. Ignores: the memory of the head that guesses; see each formula.
    """
    most = workload.prompt + workload.output
    context = workload.prompt + workload.output / 2
    room = cache_room_per_chip(checkpoint, system, layout, engine)
    fit = largest_concurrency(room, most, checkpoint, layout, engine)
    running = maximum(minimum(workload.users, fit), 1)

    own = pipelined_share(running, layout)
    work = decode_pass(own, context, checkpoint, system, layout, 1 + engine.drafts)
    head = 1 + engine.drafts / checkpoint.layers  # what guesses is one more layer, run once a guess
    parts = {name: head * part for name, part in forecast.parts(work, efficiency).items()}
    step = sum(parts.values())
    kept = tokens_a_step(engine.drafts, engine.acceptance)
    floor = forecast.pass_floor(least(work, own, checkpoint, system, layout))

    # prompts share passes of at most `batched_tokens`; one longer than that is read in pieces, each
    # of which costs what its tokens cost in a pass of that size
    fresh = maximum(workload.prompt * (1 - workload.cached), 1)
    past = workload.prompt * workload.cached
    together = maximum(minimum(engine.batched_tokens / fresh, running), 1)
    reading = prompt_pass(together, fresh, past, checkpoint, system, layout)
    each = forecast.pass_time(reading, efficiency) / together / layout.pp
    # a prompt is read by the chips of one rank, while the other ranks read others
    alone = prompt_pass(layout.dp, fresh, past, checkpoint, system, layout)
    own_prompt = forecast.pass_time(alone, efficiency)

    token = time_per_token(step / kept, each, running, workload.output)
    ahead = prompts_ahead(each, running, workload.output, token)
    first = first_token_time(step, own_prompt, each, ahead, efficiency)
    rate = request_rate(running, first, token, workload.output)
    crowd = workload.users / running  # whoever finds no room waits until someone leaves
    rent = system.dollars_per_second
    held = sum(held_bytes(context, g) for g in checkpoint.groups)
    return Deployment(
        weight_bytes=weight_bytes_per_chip(checkpoint, layout),
        activation_bytes=activation_bytes(engine, checkpoint, layout),
        room=room,
        sequence_bytes=cache_bytes_per_chip(layout.dp, most, checkpoint, layout),  # one a rank
        largest_concurrency=fit,
        running=running,
        step_floor=floor,
        step=step,
        step_parts=parts,
        kept=kept,
        prompt_time=own_prompt,
        prompt_parts=forecast.parts(alone, efficiency),
        time_per_token=token,
        first_token=first + seat_wait(crowd, running / rate),
        request_rate=rate,
        token_rate=rate * workload.output,
        prompt_share=rate * each,
        **_prices(rent, each / fresh, step / kept / running, rate, held, context, system),
    )


def _prices(
    rent: Any, reading: Any, writing: Any, rate: Any, held: Any, context: Any, system: System
) -> dict[str, Any]:
    """What a token read, cached or written costs, and a request; unknown where the rent is."""
    if isinstance(rent, Unknown):
        return dict.fromkeys(("input_cost", "cached_cost", "output_cost", "request_cost"), rent)
    return {
        "input_cost": cost_per_token(rent, 1, reading),
        "cached_cost": cached_token_cost(rent, held, context, system),
        "output_cost": cost_per_token(rent, 1, writing),
        "request_cost": rent / rate,
    }


# what each result is called, its unit, and where it is derived
RESULTS = {
    "weight_bytes": ("weights on a chip", "B", "05_pipelining"),
    "activation_bytes": ("activations of the largest pass", "B", "10_serving"),
    "room": ("room for caches on a chip", "B", "05_pipelining"),
    "sequence_bytes": ("cache of one request on a chip", "B", "02_roofline"),
    "largest_concurrency": ("largest concurrency", "sequences", "05_pipelining"),
    "running": ("running at once", "sequences", "10_serving"),
    "step_floor": ("step, floor", "s", "02_roofline"),
    "step": ("step, forecast", "s", "09_measured"),
    "kept": ("tokens of a user that a step keeps", "tokens", "10_serving"),
    "prompt_time": ("reading one prompt", "s", "06_pricing"),
    "time_per_token": ("time per output token", "s", "10_serving"),
    "first_token": ("time to first token", "s", "10_serving"),
    "request_rate": ("requests a second", "sequences/s", "10_serving"),
    "token_rate": ("output tokens a second", "token/s", "10_serving"),
    "prompt_share": ("time spent on prompts", "%", "10_serving"),
    "input_cost": ("input, computed", "$/token", "06_pricing"),
    "cached_cost": ("input, cached", "$/token", "06_pricing"),
    "output_cost": ("output, written", "$/token", "01_batching"),
    "request_cost": ("one request", "$", "10_serving"),
}


def pace(
    checkpoint: Checkpoint, system: System, layout: Layout, workload: Workload, engine: Engine,
    efficiency: Efficiency,
) -> Pace:  # fmt: skip
    """The step of a deployment as `serving` knows it: a fixed time, and a little for every token.

    What a token of prompt adds is its share of a full pass of prompts, or of a longer one's own; what a
    cached token adds, its reading; the rest of a decode step at `workload.users` is its fixed time,
    experts touched included.
    """
    context = workload.prompt + workload.output / 2
    together = maximum(engine.batched_tokens / workload.prompt, 1)
    reading = prompt_pass(together, workload.prompt, 0.0, checkpoint, system, layout)
    per_token = forecast.pass_time(reading, efficiency) / (together * workload.prompt) / layout.pp
    own = pipelined_share(workload.users, layout)
    work = decode_pass(own, context, checkpoint, system, layout)
    per_cached = forecast.attention_part(work, efficiency) / (workload.users * context)
    step = forecast.pass_time(work, efficiency)
    return Pace(
        fixed=maximum(step - workload.users * (per_token + per_cached * context), 0),
        per_token=per_token,
        per_cached=per_cached,
    )
