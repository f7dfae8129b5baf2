"""What could serve a traffic: every chip and layout asked for, and ranked.

planner_page/search.js has the same search.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from memwall import catalog
from memwall.catalog import Chip, engines
from memwall.core.checkpoint import Checkpoint
from memwall.core.nouns import Engine, Layout, System, Unknown, Workload
from memwall.core.units import InputError, human
from memwall.formulas import forecast
from memwall.formulas.deployment import Deployment, deployment
from memwall.formulas.layout import layouts
from memwall.planner.plans import MONTH, in_words, read_model, told, with_share


@dataclass(frozen=True, repr=False)
class Option:
    """One way to serve some traffic: a chip, a layout, how many replicas; or why it cannot be."""

    chip: str
    layout: Layout
    why: str
    chips: int  # in all
    replicas: int
    users: float  # in flight on each
    result: Deployment | None
    dollars_per_second: float | None
    busy: float  # share of what a replica could do within the targets
    fails: str
    limit: str = ""  # what a fuller replica would run into: speed, first token, cache
    replicas_band: tuple[int, int | None] = (0, None)  # at either end of the forecast's band
    busy_band: tuple[float, float] = (0.0, 0.0)

    @property
    def dollars_per_month(self) -> float | None:
        """Rent of all replicas; None where the rent is not known."""
        return None if self.dollars_per_second is None else self.dollars_per_second * MONTH

    def as_dict(self) -> dict[str, Any]:
        """What a program may want, in SI; empty where it cannot serve."""
        r = self.result
        return {
            "chip": self.chip,
            "chips": self.chips,
            "replicas": self.replicas,
            "layout": in_words(self.layout),
            "users_per_replica": self.users,
            "time_per_token": None if r is None else float(r.time_per_token),
            "first_token": None if r is None else float(r.first_token),
            "largest_concurrency": None if r is None else float(r.largest_concurrency),
            "dollars_per_month": self.dollars_per_month,
            "busy": self.busy,
            "busy_band": self.busy_band,
            "limit": self.limit,
            "fails": self.fails,
            "why": self.why,
        }

    def __repr__(self) -> str:
        what = f"{self.chip:12} {in_words(self.layout):14}"
        if self.result is None:
            return f"{what} {self.chips:>4} chips each: {self.fails}"
        price = self.dollars_per_month
        month = "rent not known" if price is None else f"{human(price, '$')} a month"
        return (
            f"{what} {self.chips:>4} chips, {self.replicas} x {self.users:.0f} users: {month}, a token in "
            f"{human(float(self.result.time_per_token), 's')}, the first after "
            f"{human(float(self.result.first_token), 's')}, {self.busy:.0%} busy"
        )


USERS = np.unique(np.round(np.geomspace(1, 4096, 73)))


def alternatives(
    model: Any, *, rate: float | None = None, users: float | None = None, prompt: float = 2000,
    output: float = 500, cached: float = 0.0, first_token: float = 2.0, token_rate: float = 20.0,
    chips: Sequence[str] = ("H100", "H200", "B200"), most: int = 64, weights: str = "",
    cache: str = "bf16", engine: str = "vLLM", memory_share: float | None = None,
    batched_tokens: float | None = None, max_sequences: float | None = None, drafts: float = 0,
    acceptance: float | None = None, rents: dict[str, float] | None = None,
) -> list[Option]:  # fmt: skip
    """Every chip and layout for a traffic and two targets, the cheapest that meets them first.

    rate: requests a second in all; or users: requests in flight at any time, in all. first_token:
    mean seconds allowed to the first token; token_rate:
    tokens a second for each user after it. chips: which may be used; most: chips of one replica at
    most. rents: dollars an hour of a chip where yours differ from the catalog's. max_sequences: a
    cap on requests running at once on a replica, none if left out. drafts, acceptance: as `plan` takes
    them. What cannot serve is listed after what can, with the reason in `fails`.
    """
    if (rate is None) == (users is None):
        raise InputError("say either rate, requests a second, or users, requests in flight")
    traffic = ("rate", rate) if users is None else ("users", users)
    for name, value in (traffic, ("first_token", first_token), ("token_rate", token_rate)):
        if not (isinstance(value, int | float) and value > 0 and math.isfinite(value)):
            raise InputError(f"{name} = {value!r} must be a number greater than 0")
    checkpoint = read_model(model, weights, cache)
    changes = told(
        memory_share=memory_share, batched_tokens=batched_tokens, sequences=max_sequences,
        drafts=float(drafts), acceptance=acceptance,
    )  # fmt: skip
    found = []
    for name in chips:
        one = catalog.chip(name)
        rent = (rents or {}).get(name)
        if not one.flops_bf16 or isinstance(one.chip_bandwidth, Unknown):
            why = "how fast it multiplies or reads is not in the catalog"
            found.append(Option(one.name, Layout(), "", 1, 0, 0.0, None, None, 0.0, why))
            continue
        for count in _sizes(one, most):
            system = one.machine(count, rent)
            if isinstance(system.scale_up, Unknown):
                continue  # how several are joined is not known; one alone was tried
            rules = engines.engine(engine, float(system.capacity) / count, one.name)
            rules = rules.replace(**changes)
            for layout, why in layouts(checkpoint, count, float(system.domain)):
                found.append(
                    _option(checkpoint, one.name, system, layout, why, traffic, first_token, token_rate,
                            Workload(prompt=prompt, output=output, cached=cached, users=USERS),
                            with_share(rules, system, layout), max_sequences or math.inf,
                            forecast.class_of(one.kind))
                )  # fmt: skip
    return sorted(found, key=_rank)


def in_a_sentence(option: Option) -> str:
    """An option as one would say it: "16 H200 in 2 groups of 8, 61 to 78 % busy, $31k a month"."""
    if option.fails:
        return f"{option.chip}, {in_words(option.layout)}: {option.fails}"
    each = option.chips // option.replicas
    groups = f" in {option.replicas} groups of {each}" if option.replicas > 1 and each > 1 else ""
    low, high = (f"{x:.0%}".removesuffix("%") for x in option.busy_band)
    if (option.replicas_band[1] or math.inf) > option.replicas:
        high = "over 100"
    busy = f"{low} to {high}" if low != high else low
    price = option.dollars_per_month
    rent = "rent not known: enter yours" if price is None else f"{human(price, '$')} a month"
    return f"{option.chips} {option.chip}{groups}, {busy} % busy, {rent}"


def _rank(option: Option) -> tuple[bool, bool, float, int, float]:
    price = option.dollars_per_second
    return bool(option.fails), price is None, price or 0.0, option.chips, option.busy


def _sizes(chip: Chip, most: int) -> list[int]:
    """Sizes of a replica worth trying: powers of two within a domain, and whole domains."""
    domain = int(chip.domain or 8)
    inside = [2**k for k in range(int(math.log2(min(domain, most))) + 1)]
    beyond = [domain * k for k in (2, 4) if domain * k <= most and chip.chip_scale_out]
    return sorted({*inside, *beyond})


def _option(
    checkpoint: Checkpoint, chip: str, system: System, layout: Layout, why: str,
    traffic: tuple[str, float | None], first_token: float, token_rate: float, workload: Workload,
    engine: Engine, cap: float, kind: str,
) -> Option:  # fmt: skip
    """One chip and layout against a traffic: the largest load within the targets, how many replicas
    that makes, and the same at either end of the forecast's band. planner.js has the same search.
    """
    rent = None if isinstance(system.dollars_per_second, Unknown) else system.dollars_per_second
    result = deployment(checkpoint, system, layout, workload, engine, forecast.fitted(kind))
    count = int(system.chips)

    def failed(reason: str) -> Option:
        return Option(chip, layout, why, count, 0, 0.0, None, None, 0.0, reason)

    if not float(np.max(result.room)):
        return failed("the weights do not fit")
    fit = float(result.largest_concurrency)
    if fit < layout.dp:
        return failed("not one request fits beside the weights")

    def reach(slower: float, later: float) -> tuple[int, float, str]:
        """How far load may rise with a token and a first token that much later: the last point of
        `USERS`, what it makes of the traffic's unit, and what stops it there."""
        token, first = slower * result.time_per_token, later * result.first_token
        fast, soon = token * token_rate <= 1, first <= first_token
        good = fast & soon & (workload.users <= min(fit, cap))
        last = (int(np.argmin(good)) if not good.all() else len(good)) - 1
        over = min(last + 1, len(good) - 1)
        limit = "speed" if not fast[over] else "first token" if not soon[over] else "cache"
        if last < 0 or traffic[0] == "users":
            return last, float(workload.users[max(last, 0)]), limit
        one = result.running[last] / (first[last] + (workload.output - 1) * token[last])
        return last, float(one), limit

    last, able, limit = reach(1.0, 1.0)
    if last < 0:
        if limit == "speed":
            best = human(1 / float(result.time_per_token[0]), "token/s")
            return failed(f"too slow even for one user: {best}")
        return failed(
            f"first token after {human(float(result.first_token[0]), 's')} even for one user"
        )
    wanted = float(traffic[1] or 0)
    replicas = max(math.ceil(wanted / able), 1)
    ends = [
        reach(step, first)
        for step, first in zip(forecast.band(kind), forecast.band(kind, "ttft"), strict=True)
    ]
    fewest, worst = (max(math.ceil(wanted / a), 1) if end >= 0 else None for end, a, _ in ends)
    # with that many replicas each is less than full: as many users as Little's law asks for
    load = workload.users if traffic[0] == "users" else result.request_rate
    here = min(int(np.searchsorted(load[: last + 1], wanted / replicas)), last)
    return Option(
        chip=chip, layout=layout, why=why, chips=count * replicas, replicas=replicas,
        users=float(workload.users[here]), result=_at(result, here),
        dollars_per_second=None if rent is None else float(rent) * replicas,
        busy=wanted / replicas / able, fails="", limit=limit,
        replicas_band=(fewest or replicas, worst),
        busy_band=(
            wanted / replicas / ends[0][1],
            wanted / replicas / ends[1][1] if worst else math.inf,
        ),
    )  # fmt: skip


def _at(result: Deployment, i: int) -> Deployment:
    """One point of a swept deployment."""

    def pick(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: pick(v) for k, v in value.items()}
        return value[i] if isinstance(value, np.ndarray) and value.ndim else value

    return Deployment(
        **{name: pick(getattr(result, name)) for name in Deployment.__dataclass_fields__}
    )
