"""Serving: requests that come when they like, and an engine whose steps grow as people board.

A decode step is a train. The lecture's leaves every `period`, full or not; a real engine's leaves
when the last is back, and takes longer the more are aboard, for every token in it adds a little to
a fixed time (`Pace`). A request waits for the next train, has its prompt read, and rides for as many
steps as it wants tokens. Terms are those of vLLM, SGLang and MLPerf: time to first token (TTFT), time
per output token (TPOT), concurrency, goodput.

    lambda  requests a second        P, O  tokens of a prompt, of an answer
    rho     load                     S     engine time to read a prompt
    G       cached tokens that an answer reads in all its steps
"""

from __future__ import annotations

from dataclasses import dataclass

from ..core.algebra import ceil, exp, formula, maximum, minimum, where
from ..core.nouns import Model, Noun, System, quantity
from ..core.units import (
    Bytes,
    BytesPerSecond,
    Count,
    Fraction,
    NonNegative,
    Ratio,
    Seconds,
    Sequences,
    SequencesPerSecond,
    Tokens,
)
from .roofline import compute_time, kv_time, weight_time


@formula
def share_served_within(wait: Seconds, period: Seconds) -> Fraction:
    """Share of newcomers whose first token comes within a wait, seats being free.

    Equation: (wait - tau) / tau between tau and 2 tau: every wait in between is equally likely.
    Ignores: full trains; arrivals that come in bursts.
    Raises: InputError for a wait and a period of zero.
    Source: row R12.

    >>> float(share_served_within(0.025, 0.02))
    0.25
    """
    return minimum(maximum(wait / period - 1, 0), 1)


@formula
def seats_in_use(arrivals: SequencesPerSecond, trips: Count, period: Seconds) -> NonNegative:
    """Sequences riding at once, on average: Little's law, arrivals times the time each stays.

    Equation: lambda n tau. More than there are seats, and the queue grows without end.
    Source: ours; Little 1961.

    >>> float(seats_in_use(arrivals=100, trips=500, period=0.02))
    1000.0
    """
    return arrivals * trips * period


@formula
def mean_wait_when_full(batch: Sequences, arrivals: SequencesPerSecond, ride: Seconds) -> Seconds:
    """Mean wait for a first token if a train leaves only once every seat is taken.

    Equation: (B - 1) / (2 lambda) + ride: the first to board waits for B - 1 others, the last for
    none.
    Ignores: that the last train may still be under way.
    Source: row R11, the alternative it rejects; ours.

    >>> float(mean_wait_when_full(batch=201, arrivals=100, ride=0.02))
    1.02
    """
    return (batch - 1) / (2 * arrivals) + ride


# --- an engine's pace, and what one request asks of it


@dataclass(frozen=True)
class Pace(Noun):
    """How long an engine's step takes: a fixed time, and a little for every token that is in it."""

    fixed: Seconds = quantity("t_0", "reading the weights, launches, exchanges", required=True)
    per_token: Seconds = quantity(r"t_\mathrm{tok}", "each token passed through", required=True)
    per_cached: Seconds = quantity(r"t_\mathrm{kv}", "each cached token read", required=True)
    name: str = "pace"


def blackboard_pace(model: Model, system: System) -> Pace:
    """The pace of the blackboard's step without overlap: t_0 = N_t w / W, t_tok = 2 N_a / F, t_kv = k / W.

    >>> m = Model(n_total=1e12, n_active=1e11, bytes_per_param=1, kv_bytes_per_token=1e5)
    >>> pace = blackboard_pace(m, System(flops=1e15, bandwidth=1e13))
    >>> float(pace.fixed), float(pace.per_token), float(pace.per_cached)
    (0.1, 0.0002, 1e-08)
    """
    return Pace(
        fixed=weight_time(model, system),
        per_token=compute_time(1, model, system),
        per_cached=kv_time(1, 1, model, system),
    )


@formula
def engine_step(tokens: Tokens, cached: Tokens, pace: Pace) -> Seconds:
    """Time of a step that passes so many tokens, of prompts and answers alike, and reads so many cached.

    Equation: t_0 + t_tok T + t_kv C.
    Ignores: overlap of arithmetic with reading, which can halve it (d7).
    Source: `roofline.serial_step_time`, its three terms named.

    >>> float(engine_step(100, 10_000, Pace(0.01, 1e-5, 1e-7)))
    0.012
    """
    return pace.fixed + pace.per_token * tokens + pace.per_cached * cached


@formula
def prompt_work(prompt: Tokens, cached: Fraction, pace: Pace) -> Seconds:
    """Engine time that reading one prompt adds, its share found in a cache left out.

    Equation: S = t_tok P (1 - h).
    Ignores: attention's own arithmetic, which grows with the square of a long prompt.
    Source: rows X12 and B7.

    >>> round(float(prompt_work(2000, 0.5, Pace(0.01, 1e-5, 1e-7))), 6)
    0.01
    """
    return pace.per_token * prompt * (1 - cached)


@formula
def token_steps(prompt: Tokens, output: Count) -> NonNegative:
    """Cached tokens that one request's answer reads, summed over its steps.

    Equation: G = P O + O (O - 1) / 2: the prompt in every step, each written token in all later ones.
    Source: ours; a request's lifetime in the cache.

    >>> float(token_steps(100, 3))  # 100 + 101 + 102
    303.0
    """
    return prompt * output + output * (output - 1) / 2


@formula
def mean_token_steps(prompt: Tokens, output: Count, spread: NonNegative) -> NonNegative:
    """Mean of `token_steps` over requests of unequal length: long answers count twice over.

    Equation: P O + (O^2 (1 + c^2) - O) / 2, with means, c the coefficient of variation of answers.
    Ignores: lengths that go together; |correlation| is below 0.12 in published traces.
    Source: ours; E[O^2] = O^2 (1 + c^2).

    >>> float(mean_token_steps(100, 3, 0.0)), float(mean_token_steps(0, 100, 1.0))
    (303.0, 9950.0)
    """
    return prompt * output + (output**2 * (1 + spread**2) - output) / 2


# --- chunks


@formula
def chunked_gap(chunk: Tokens, running: Sequences, cached: Tokens, pace: Pace) -> Seconds:
    """Time that everybody waits for a token while a piece of somebody's prompt is in the step.

    Equation: t_0 + t_tok (B + chunk) + t_kv C.
    Source: chunked prefill (Agrawal et al. 2024, Sarathi-Serve).

    >>> float(chunked_gap(512, 88, 0, Pace(0.01, 1e-5, 1e-7)))
    0.016
    """
    return engine_step(running + chunk, cached, pace)


@formula
def chunked_prompt_time(
    prompt: Tokens, chunk: Tokens, running: Sequences, cached: Tokens, pace: Pace
) -> Seconds:
    """Time to read a prompt in pieces, one a step, the others' tokens riding along.

    Equation: P / chunk (t_0 + t_tok B + t_kv C) + t_tok P, at least one step: smaller pieces pay for
    more steps.
    Ignores: the last piece, which may be smaller.
    Source: chunked prefill; ours.

    >>> round(float(chunked_prompt_time(2000, 500, 100, 0, Pace(0.01, 1e-5, 1e-7))), 6)
    0.064
    """
    steps = maximum(prompt / chunk, 1)
    return steps * engine_step(running, cached, pace) + pace.per_token * prompt


# --- pools


@formula
def transfer_time(held: Bytes, bandwidth: BytesPerSecond) -> Seconds:
    """Time in which a prompt's cache travels from the pool that read it to the pool that answers.

    Equation: bytes held / bandwidth.
    Ignores: sending layer by layer while later layers are computed, which hides most of it.
    Source: Mooncake (Qin et al. 2025): 40 GB at 87 GB/s over four cards.

    >>> float(transfer_time(8.7e9, 87e9))
    0.1
    """
    return held / bandwidth


@formula
def pool_ratio(prompt_time: Seconds, step: Seconds, output: Count, running: Sequences) -> Ratio:
    """Engines that read prompts for each engine that writes answers, both busy all the time.

    Equation: t_prompt B / (O t_step): a request's time in one pool over its share of the other.
    Ignores: queues, which want both pools less than full.
    Source: ours; row X12's two stages.

    >>> float(pool_ratio(0.1, 0.02, 500, 100))
    1.0
    """
    return prompt_time * running / (output * step)


@formula
def reuse_pays_above(held: Bytes, prompt_time: Seconds) -> BytesPerSecond:
    """Bandwidth above which fetching a cached prefix is quicker than reading it again.

    Equation: bytes held / time to compute them.
    Source: Mooncake's break-even; `pricing` for the money.

    >>> float(reuse_pays_above(6e9, 1.0))
    6000000000.0
    """
    return held / prompt_time


# --- several tokens a step


@formula
def tokens_a_step(drafts: NonNegative, acceptance: Fraction) -> Count:
    """Tokens that a step keeps when so many were guessed, each accepted with a chance if all before were.

    Equation: 1 + a + a^2 + ... + a^k = (1 - a^(k+1)) / (1 - a); k + 1 when every guess is right.
    Ignores: chances that fall with the distance; drafts shaped as trees.
    Source: Leviathan et al. 2023.

    >>> float(tokens_a_step(2, 0.5)), float(tokens_a_step(3, 1.0))
    (1.75, 4.0)
    """
    surely = minimum(acceptance, 1 - 1e-9)
    return (1 - surely ** (drafts + 1)) / (1 - surely)


@formula
def speculative_gain(
    drafts: NonNegative, acceptance: Fraction, draft_cost: Fraction, running: Sequences,
    context: Tokens, pace: Pace,
) -> Ratio:  # fmt: skip
    """How much faster tokens come when each step checks k guesses for every sequence.

    Equation: tokens a step times t(B) / (t((k + 1) B) + k c t_0), c a draft's cost in fixed times of
    the model. At few users checking is nearly free; where arithmetic binds it costs k + 1 times.
    Ignores: experts: more tokens touch more of them.
    Source: ours, from `tokens_a_step`; EAGLE-3 gains 6.5 times alone and 1.38 at a batch of 64.

    >>> round(float(speculative_gain(1, 1.0, 0, 1, 0, Pace(1.0, 0.0, 0.0))), 6)
    2.0
    """
    cached = running * context
    plain = engine_step(running, cached, pace)
    checked = engine_step(running * (drafts + 1), cached, pace) + drafts * draft_cost * pace.fixed
    return tokens_a_step(drafts, acceptance) * plain / checked


# --- open arrivals: requests come when they like


@formula
def offered_load(
    arrivals: SequencesPerSecond, prompt: Tokens, output: Count, held: NonNegative, pace: Pace
) -> NonNegative:
    """Engine time that a second's requests ask for, beyond the steps' fixed part: the load.

    Equation: rho = lambda (t_tok (P + O) + t_kv G), with means, and G the mean of `token_steps`.
    At 1 the engine works without pause for the requests' own sake, and none is left for a step.
    Source: ours; row R11's train, finished.

    >>> round(float(offered_load(10, 1000, 100, 0, Pace(0.01, 1e-5, 1e-7))), 6)
    0.11
    """
    return arrivals * (pace.per_token * (prompt + output) + pace.per_cached * held)


@formula
def stretched_step(load: NonNegative, pace: Pace) -> Seconds:
    """Mean step, and so time per token, of an engine under load: the train grows as people board.

    In steady state a step's fixed time, plus what all who are aboard add, is the step itself; and
    those aboard are as many as arrive in an answer's time, so they add the share rho of every step.

    Equation: t_0 / (1 - rho): infinite from a load of 1 on.
    Ignores: that a token is more often seen in a long step. At half load a simulation takes 2 % longer
    where reading a prompt takes a hundredth of the time of writing its answer, 9 % where a twelfth, and
    30 % for code completion, where a third; nearer the pole more.
    Source: ours; processor sharing with a floor.

    >>> float(stretched_step(0.75, Pace(0.01, 1e-5, 1e-7)))
    0.04
    """
    return pace.fixed / maximum(1 - load, 0)


@formula
def stable_rate(prompt: Tokens, output: Count, held: NonNegative, pace: Pace) -> SequencesPerSecond:
    """Requests a second at which the load is 1: beyond it the queue grows without end.

    Equation: 1 / (t_tok (P + O) + t_kv G).
    Ignores: memory, which may end before (`memory_rate`).
    Source: ours, the pole of `stretched_step`.

    >>> round(float(stable_rate(1000, 100, 0, Pace(0.01, 1e-5, 1e-7))), 3)
    90.909
    """
    return 1 / (pace.per_token * (prompt + output) + pace.per_cached * held)


@formula
def running_at_once(arrivals: SequencesPerSecond, step: Seconds, output: Count) -> NonNegative:
    """Mean number of sequences being answered: Little's law over the answer's time.

    Equation: lambda t_step O.
    Source: Little 1961.

    >>> float(running_at_once(10, 0.02, 500))
    100.0
    """
    return arrivals * step * output


@formula
def cached_at_once(arrivals: SequencesPerSecond, step: Seconds, held: NonNegative) -> Tokens:
    """Mean number of tokens in the cache.

    Equation: lambda t_step G.
    Source: Little's law for tokens.

    >>> float(cached_at_once(10, 0.02, 500_000))
    100000.0
    """
    return arrivals * step * held


@formula
def memory_rate(room: Tokens, step: Seconds, held: NonNegative) -> SequencesPerSecond:
    """Requests a second at which the cache is full on average.

    Equation: M / (t_step G).
    Ignores: that fullness varies; a saturated run with preemption reached nine tenths of it.
    Source: Little's law for tokens.

    >>> float(memory_rate(100_000, 0.02, 500_000))
    10.0
    """
    return room / (step * held)


@formula
def prompt_wait(arrivals: SequencesPerSecond, work: Seconds, spread: NonNegative) -> Seconds:
    """Mean wait behind other people's prompts: Pollaczek and Khinchine's, on prompt work alone.

    Equation: lambda S^2 (1 + c^2) / (2 (1 - lambda S)), c the coefficient of variation of S.
    Ignores: arrivals in bursts, which wait longer.
    Source: Pollaczek 1930, Khinchine 1932.

    >>> round(float(prompt_wait(5, 0.1, 0.0)), 9)  # M/D/1 at one half
    0.05
    """
    busy = arrivals * work
    return arrivals * work**2 * (1 + spread**2) / (2 * maximum(1 - busy, 0))


@formula
def open_first_token(step: Seconds, work: Seconds, wait: Seconds) -> Seconds:
    """Mean time to the first token under open arrivals: half a step and a step, the own prompt, the wait.

    Equation: 1.5 t_step + S + W.
    Ignores: waiting for memory. Low by 6 % for chat at a load of three quarters where a prompt takes
    three empty steps to read, by 20 % where it takes five.
    Source: ours; row R12's three halves, and a prompt.

    >>> float(open_first_token(0.02, 0.1, 0.05))
    0.18
    """
    return 1.5 * step + work + wait


@formula
def share_in_time(target: Seconds, first: Seconds, wait: Seconds, busy: Fraction) -> Fraction:
    """Share of requests whose first token comes within a target.

    A share 1 - busy finds no prompt before it and waits only what everybody does; the waits of the
    others fall off exponentially, with the mean that makes the whole mean right.

    Equation: 1 - r exp(-(target - (first - W)) r / W), 0 below first - W, r the busy share.
    Ignores: the true shape of the tail, which has the shape of the prompts' own.
    Source: heavy-traffic approximation of a queue's wait.

    >>> round(float(share_in_time(0.2, 0.15, 0.05, 0.5)), 4)
    0.8161
    """
    beyond = target - (first - wait)
    late = busy * exp(-maximum(beyond, 0) * busy / maximum(wait, 1e-12 * target))
    return where(beyond < 0, 0, 1 - late)


@formula
def rate_for_step(
    target: Seconds, prompt: Tokens, output: Count, held: NonNegative, pace: Pace
) -> SequencesPerSecond:
    """Requests a second at which the time per token just reaches a target.

    Equation: (1 - t_0 / target) times the stable rate; 0 if even an empty engine is slower.
    Source: ours, `stretched_step` solved for the rate.

    >>> round(float(rate_for_step(0.02, 1000, 100, 0, Pace(0.01, 1e-5, 1e-7))), 3)
    45.455
    """
    room = maximum(1 - pace.fixed / target, 0)
    return room * stable_rate(prompt, output, held, pace)


@formula
def rate_for_wait(wait: Seconds, work: Seconds, spread: NonNegative) -> SequencesPerSecond:
    """Requests a second at which the mean wait behind other people's prompts just reaches a target.

    Equation: 2 W / (S (S (1 + c^2) + 2 W)).
    Source: ours, `prompt_wait` solved for the rate.

    >>> round(float(rate_for_wait(0.05, 0.1, 0.0)), 9)
    5.0
    """
    return 2 * wait / (work * (work * (1 + spread**2) + 2 * wait))


@formula
def replicas_needed(arrivals: SequencesPerSecond, able: SequencesPerSecond) -> Count:
    """Replicas that share out some traffic, when each is able to take so much within the targets.

    Equation: ceil(lambda / able).
    Ignores: that many small queues wait longer than one; busy hours.
    Source: ours.

    >>> float(replicas_needed(20, 8))
    3.0
    """
    return ceil(arrivals / able)
