"""Final project, chapters 9 and 11: plan a service with the planner, and defend it.

All questions of a paper tell of one service: a model, two chips to choose from, users and what
they ask. `brief` draws it once for each student; the questions read it from there.
"""

import functools
import math
from dataclasses import dataclass, replace

import numpy as np

from memwall import Workload, forecast, plan
from memwall.formulas.deployment import deployment
from memwall.planner import Plan
from memwall_classroom import Choice, Criterion, Draw, Number, ProblemSet, Written
from memwall_classroom.marking.props import PEOPLE
from memwall_classroom.reading.answers import apart, say

SET = ProblemSet(
    "project",
    "Final project: plan a service",
    chapters=(9, 11),
    goals=(
        "plan a deployment that fits, is fast enough and is priced",
        "say what binds it, and what a forecast's band means for it",
        "choose between two machines, and know when the choice would turn",
        "defend a plan in writing, with its weakest number named",
    ),
    intro=(
        "You are asked for a plan of a service. Use the planner of chapter 11 (`from memwall import plan`), with the library "
        "that came with this paper: later versions may know better constants. Weights are stored in fp8, caches in bf16, and a "
        'replica is 8 chips that cut each matrix eight ways (`chips=8, tp=8, weights="fp8"`) unless a question says otherwise.'
    ),
)

MODELS = (
    "DeepSeek-V3", "Qwen3-235B-A22B", "Llama-3.1-405B", "Llama-3.1-70B", "GLM-4.5", "gpt-oss-120b", "Kimi K2",
)  # fmt: skip
CHIPS = ("H100", "H200", "B200", "B300", "MI300X", "MI325X", "MI355X", "GB200")


@dataclass(frozen=True)
class Brief:
    """One student's service."""

    who: str
    model: str
    chips: tuple[str, str]
    rents: tuple[float, float]  # dollars per hour of one chip
    prompt: int
    output: int
    cached: float
    speed: int
    users: int

    def plan(self, which: int, **changes) -> Plan:
        """The planner's answer for one of the two chips."""
        asked = self.settings(which) | changes
        return planned(**asked, dollars_per_hour=self.rents[which])

    def settings(self, which: int) -> dict:
        """What the planner is asked, rent and users aside."""
        return {
            "model": self.model, "chip": self.chips[which], "chips": 8, "tp": 8, "weights": "fp8",
            "prompt": self.prompt, "output": self.output, "cached": self.cached,
        }  # fmt: skip

    def by_speed(self, which: int) -> int:
        """Users that a replica can serve at the speed wanted, room aside."""
        return fast_enough(self.speed, **self.settings(which))

    def by_room(self, which: int) -> int:
        """Users whose caches fit into a replica."""
        return math.floor(planned(**self.settings(which)).largest_concurrency)

    def seats(self, which: int) -> int:
        """Users that a replica can serve: fast enough, and with room for their caches."""
        return min(self.by_speed(which), self.by_room(which))

    def fleet(self, which: int) -> int:
        """Chips for all users."""
        return 8 * math.ceil(self.users / self.seats(which))

    def told(self) -> str:
        """The service in words, the same at every question."""
        one, two = self.chips
        return (
            f"{self.who.capitalize()} wants to offer {self.model} to {say(self.users)} users who write at the same time. A request has "
            f"{say(self.prompt)} tokens of prompt, of which {self.cached:.0%} are found in a cache, and {say(self.output)} tokens of output. "
            f"Two chips are on offer: {one} for \\${self.rents[0]:.2f} an hour, {two} for \\${self.rents[1]:.2f} an hour."
        )


@functools.lru_cache(maxsize=4096)
def planned(**settings) -> Plan:
    """`plan`, remembered: the questions of a paper ask for the same plans."""
    return plan(**settings)


@functools.lru_cache(maxsize=4096)
def fast_enough(speed: float, **settings) -> int:
    """Users of a replica who each get that many tokens a second, room for their caches aside."""
    p = planned(**settings)
    users = Workload(
        p.workload.prompt, p.workload.output, p.workload.cached, np.arange(1.0, 8193.0)
    )
    roomy = p.system.replace(capacity=1e18)
    found = deployment(p.checkpoint, roomy, p.layout, users, p.engine, forecast.fitted(p.kind))
    reached = 1 / found.time_per_token >= speed
    return len(reached) if reached.all() else int(np.argmin(reached))


def brief(draw: Draw) -> Brief:
    """This student's service: the first draw that both chips can serve."""
    for attempt in range(100):
        common = draw.common(attempt)
        first, second = common.shuffled(CHIPS)[:2]
        made = Brief(
            who=common.pick(*PEOPLE),
            model=common.pick(*MODELS),
            chips=(first, second),
            rents=(common.integer(12, 60) * 0.1, common.integer(12, 60) * 0.1),
            prompt=common.integer(2, 32) * 250,
            output=common.integer(4, 40) * 100,
            cached=common.pick(0.1, 0.25, 0.4, 0.5, 0.75),
            speed=common.pick(12, 14, 16, 18, 20, 22, 25, 28, 30, 35, 40),
            users=common.integer(6, 90) * 100,
        )
        if made.output < 0.2 * made.prompt:
            continue  # or it would not matter how the output's caches are counted
        if not all(made.by_room(i) > 40 and made.by_speed(i) >= 12 for i in (0, 1)):
            continue
        # rents at which the fleets cost nearly alike: only a calculation tells which is cheaper
        alike = made.fleet(0) * made.rents[0] / made.fleet(1)
        rent = round(20 * alike * common.pick(0.72, 0.8, 0.87, 1.15, 1.25, 1.4)) / 20
        if 0.5 <= rent <= 12:
            return replace(made, rents=(made.rents[0], rent))
    raise RuntimeError("no service could be drawn")


@SET.question(points=2, minutes=15, goal="See what fits beside the weights")
def room(draw: Draw) -> Number:
    """What fits?"""
    made = brief(draw)
    p = made.plan(0)
    return Number(
        f"{made.told()}\n\nHow many users' caches fit into one replica of 8 {made.chips[0]}, beside the weights and what the engine "
        "needs? Count whole requests, prompt and output.",
        answer=p.largest_concurrency,
        unit="users",
        plausible=("10 users", "90,000 users"),
        mistakes=apart(p.largest_concurrency, {
            "You counted the prompt only: the output leaves caches as well.":
                made.plan(0, output=1).largest_concurrency,
            "You counted half of the output: an engine must have room for all of it.":
                made.plan(0, output=made.output / 2).largest_concurrency,
            "You left no room for the weights.":
                p.largest_concurrency * (p.room + p.weight_bytes) / p.room,
        }),
        solution=(
            f"`plan(...).largest_concurrency`: {p.room / 1e9:.4g} GB on each chip beside {p.weight_bytes / 1e9:.4g} GB of weights; a request of "
            f"{made.prompt} + {made.output} tokens takes {p.sequence_bytes / 1e6:.4g} MB there: {p.largest_concurrency:,.0f}."
        ),
    )  # fmt: skip


@SET.question(points=2, minutes=10, goal="Say how far a forecast is from the floor")
def above_floor(draw: Draw) -> Number:
    """Above the floor"""
    made = brief(draw)
    batch = draw.pick(8, 16, 24, 32, 48, 64, 96)
    p = made.plan(0, users=float(batch))
    draw.require(p.fits and p.step / p.step_floor > 1.15)
    return Number(
        f"The service again. Let one replica of 8 {made.chips[0]} decode {batch} sequences together.\n\nHow many times as long as the "
        "blackboard's floor does the planner expect a step to take?",
        answer=p.step / p.step_floor,
        unit="",
        plausible=("0.5", "300"),
        mistakes={
            "It is upside down: the floor is the least a step can take.": p.step_floor / p.step,
            "That is by how much it is longer; what was asked is how many times as long.": p.step
            / p.step_floor
            - 1,
        },
        solution=f"`plan(..., users={batch})`: step {p.step * 1e3:.4g} ms over floor {p.step_floor * 1e3:.4g} ms = {p.step / p.step_floor:.4g}.",
    )


@SET.question(points=2, minutes=10, goal="Name what a step spends most of its time on")
def binds(draw: Draw) -> Choice:
    """What binds?"""
    made = brief(draw)
    which = draw.pick(0, 1)
    # what is rarely the answer is drawn for more often
    often = {"launches": 1, "attention": 2, "experts": 2, "weights": 3, "none": 4, "exchange": 8}
    wanted = draw.pick(*(part for part, times in often.items() for _ in range(times)))
    batch = draw.pick(1, 4, 8, 16, 32, 48, 64, 96, 128, 256, 512)
    p = made.plan(which, users=float(batch))
    own = {part: float(time) for part, time in p.step_parts.items() if time}
    first, second = sorted(own.values(), reverse=True)[:2]
    draw.require(p.fits and batch <= made.by_room(which))
    draw.require(first < 1.07 * second if wanted == "none" else first == own.get(wanted) > 1.2 * second)  # fmt: skip
    words = {
        "weights": "the weights that every token uses", "experts": "the experts that some token chose",
        "attention": "attention over the caches", "exchange": "exchanges between the chips",
        "launches": "starting products that wait for each other",
        "none": "on none: two of them take equally long, within 10 %",
    }  # fmt: skip
    more = "another part takes as much" if wanted == "none" else "another part takes more"
    hints = {words[part]: f"It takes {time / p.step:.0%} of the step; {more}." for part, time in own.items()}  # fmt: skip
    hints[words["none"]] = "Compare the two longest: they are further apart."
    del hints[words[wanted]]
    return Choice(
        f"The service again, on one replica of 8 {made.chips[which]} that decodes {batch} sequences together.\n\n"
        "On what does the forecast step spend most of its time? Two parts within 10 % of each other count as even.",
        options=draw.options(words[wanted], hints),
        solution="; ".join(f"{part} {time / p.step:.0%}" for part, time in p.step_parts.items())
        + ".",
    )


@SET.question(
    points=4, minutes=20, goal="Find how many users a replica serves: fast enough, and with room"
)
def seats(draw: Draw) -> Number:
    """Seats in a replica"""
    made = brief(draw)
    fast, fits = made.by_speed(0), made.by_room(0)
    limit = ("room", "speed") if fast > fits else ("speed", "room")
    other = max(fast, fits)
    mistakes = apart(min(fast, fits), {
        f"That is what the {limit[1]} allows; the {limit[0]} allows less.": other,
        "That is for one chip: a replica has eight.": min(fast, fits) / 8,
    })  # fmt: skip
    return Number(
        f"The service again. Each user shall see {made.speed} tokens a second or more by the planner's forecast (its time per token, others' prompts included), and all caches must "
        f"fit.\n\nHow many users can share one replica of 8 {made.chips[0]}?",
        answer=min(fast, fits),
        unit="users",
        plausible=("1 user", "10 million users"),
        mistakes=mistakes,
        solution=f"A speed of {made.speed} allows {fast:,} (`1 / plan(..., users=...).time_per_token`), room allows {fits:,}: the smaller counts.",
    )


@SET.question(points=3, minutes=15, goal="Price a token at the batch that users allow")
def price(draw: Draw) -> Number:
    """The price of a token"""
    made = brief(draw)
    users = float(made.seats(0))
    p = made.plan(0, users=users)
    return Number(
        f"The service again, with as many users on a replica of 8 {made.chips[0]} as the previous question allows.\n\n"
        "What do a million output tokens cost in rent for the steps that write them?",
        answer=p.output_cost,
        unit="$/Mtok",
        plausible=("$0.001 / Mtok", "$500 / Mtok"),
        tolerance=0.03,
        mistakes=apart(p.output_cost, {
            "You rented one chip: the replica has eight.": p.output_cost / 8,
            "That is the price of reading prompts.": p.input_cost,
            "You shared the rent by all users of the service: a replica serves some of them.":
                p.output_cost * users / made.users,
        }, tolerance=0.03),
        follows="seats",
        carried=lambda seated: made.plan(0, users=float(seated)).output_cost,
        solution=f"`plan(..., users={users:g}).output_cost`: \\${p.output_cost * 1e6:.4g} a million.",
    )  # fmt: skip


@SET.question(
    points=3, minutes=10, goal="Read the band of a forecast as a promise that can be kept"
)
def promise(draw: Draw) -> Number:
    """A promise to users"""
    made = brief(draw)
    which = draw.pick(0, 1)
    batch = draw.pick(8, 12, 16, 20, 24, 32, 40)
    p = made.plan(which, users=float(batch))
    low, high = (factor * p.time_per_token for factor in p.band())
    draw.require(p.fits)
    return Number(
        f"The service again, on one replica of 8 {made.chips[which]} that decodes {batch} sequences together. Of ten published runs "
        "eight lie inside the planner's band around a forecast time.\n\nWhich speed does a user get at the slow end of that band?",
        answer=1 / high,
        unit="tokens/s",
        plausible=("1 token/s", "900 tokens/s"),
        mistakes={
            "That is the forecast itself.": 1 / p.time_per_token,
            "That is the fast end.": 1 / low,
            "That is what all sequences of the batch get together.": batch / high,
        },
        solution=f"A token may take {high * 1e3:.4g} ms instead of {p.time_per_token * 1e3:.4g} ms: {1 / high:.4g} tokens a second.",
    )


@SET.question(points=4, minutes=25, goal="Choose between two machines for the whole service")
def choose(draw: Draw) -> Number:
    """Which machine?"""
    made = brief(draw)
    costs = [made.fleet(i) * made.rents[i] for i in (0, 1)]
    best = costs.index(min(costs))
    loser = 1 - best
    mistakes = {
        "You rounded the replicas down: the last users need one, too.":
            max(made.users // made.seats(best), 1) * 8 * made.rents[best],
        "You filled the replicas up to what speed allows; the caches must fit as well.":
            8 * math.ceil(made.users / made.by_speed(best)) * made.rents[best],
        "You filled the replicas with all whose caches fit; they must be served fast enough as well.":
            8 * math.ceil(made.users / made.by_room(best)) * made.rents[best],
        "That is the price of the dearer choice.": costs[loser],
        "You counted replicas, not chips.": costs[best] / 8,
    }  # fmt: skip
    return Number(
        f"The service again: {say(made.users)} users, each with {made.speed} tokens a second or more by the forecast, all caches in HBM. "
        f"Replicas of 8 chips are rented whole, all of the same chip, {made.chips[0]} or {made.chips[1]}.\n\n"
        "What does the cheaper of the two fleets cost?",
        answer=costs[best] / 3600,
        unit="$/h",
        plausible=("$4 / h", "$12,000 / h"),
        tolerance=0.01,
        mistakes=apart(costs[best] / 3600, {h: v / 3600 for h, v in mistakes.items()}),
        solution="; ".join(
            f"{made.chips[i]}: {made.seats(i)} users a replica, {made.fleet(i)} chips, \\${costs[i]:,.2f} an hour"
            for i in (0, 1)
        ),
    )


@SET.written(points=20, minutes=180, goal="Write and defend a plan of a service")
def report(draw: Draw) -> Written:
    """The plan"""
    made = brief(draw)
    twist = draw.pick(
        "the contexts grow fourfold within a year",
        "the number of users halves at night",
        "the rent of the cheaper chip rises by half",
        "a competitor offers twice the speed at twice the price",
        "caches may be stored in one byte an element",
    )
    return Written(
        f"{made.told()}\n\nWrite a plan of at most three pages for those who pay for it, with two figures of your own "
        "(put them into the notebook below; `alternatives` of `memwall.planner` is a good start). Say what you recommend: chip, number, "
        "cut, precisions, batch. Show that it fits, how fast it is and what a token costs, each with the forecast's band. Show on a curve of "
        "speed against price where your choice stands, and why not elsewhere. Then work out one twist: "
        f"{twist}. End with the number you trust least, how you would measure it, and what you would change if it were off by two.",
        rubric=(
            Criterion("the plan holds", 5, "fits, is fast enough and is priced, each number traceable to a call",
                      "one of them missing", "numbers without origin"),
            Criterion("the choice", 5, "a curve or a sweep, the chosen point on it, and why not its neighbours",
                      "a comparison of two points", "no alternative"),
            Criterion("the twist", 4, "recomputed, and the advice changed or kept with a reason", "direction only", "none"),
            Criterion("uncertainty", 4, "the band used in a decision, and the weakest input with its effect",
                      "the band printed", "none"),
            Criterion("readable", 2, "a reader who pays could decide from it", "with effort", "no"),
        ),
        model=(
            "; ".join(f"{made.chips[i]}: {made.seats(i)} users a replica at {made.speed} tokens/s, {made.fleet(i)} chips, "
                      f"{made.fleet(i) * made.rents[i]:,.2f} dollars an hour" for i in (0, 1))
            + ". A good plan looks at more than replicas of 8 (other sizes, stages, narrower caches), sees which of room and speed limits, "
            "and treats the slow end of the band as what can be promised."
        ),
    )  # fmt: skip
