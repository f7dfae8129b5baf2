"""Planner: a model, some traffic and a budget, answered with chips, waits and dollars.

    plan("DeepSeek-V3", "H200", chips=8, users=64, prompt=2000, output=500)
    alternatives("Llama-3.1-70B", rate=20, prompt=2000, output=500, token_rate=30, first_token=1)
    python -m memwall.planner DeepSeek-V3 H200 --chips 8 --concurrency 64 --format json
    python -m memwall.planner config.json --rate 20 --chips-allowed H100,H200 --token-rate 30

`formulas.deployment` has the arithmetic; here names become nouns, a layout is chosen or refused in
words, and the answer gets its sentence.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from memwall import catalog
from memwall.catalog import Chip, engines
from memwall.catalog.config import from_config
from memwall.core.checkpoint import Checkpoint
from memwall.core.nouns import Engine, Layout, System, Unknown, Workload
from memwall.core.tables import write_csv
from memwall.core.units import HOUR, InputError, human, whole
from memwall.formulas import forecast
from memwall.formulas.deployment import RESULTS, Deployment, deployment
from memwall.formulas.layout import (
    cache_bytes_per_chip,
    cache_room_per_chip,
    check_layout,
    layouts,
    promised_concurrency,
    sglang_share,
    usual_layout,
)

MONTH = 365.25 / 12 * 24 * HOUR
THIN = 0.12  # share of a chip's memory below which room for caches is a small rest of large numbers


# --- names become nouns


def read_model(model: str | os.PathLike[str] | dict[str, Any] | Checkpoint, weights: str = "",
               cache: str = "bf16") -> Checkpoint:  # fmt: skip
    """A checkpoint from the catalog's name, a config.json (file, folder or contents), or as it is."""
    if isinstance(model, Checkpoint):
        found = model
    elif isinstance(model, dict):
        found = from_config(model)
    else:
        path = Path(model)
        if (path / "config.json").is_file():
            path = path / "config.json"
        if path.suffix != ".json":
            return catalog.checkpoint(str(model), weights, cache)
        found = from_config(path)
    return (found.with_weights(weights) if weights else found).stored(cache)


# --- one deployment


@dataclass(frozen=True)
class Plan:
    """One deployment in numbers, with what binds and what is to be said about it."""

    title: str
    checkpoint: Checkpoint
    system: System
    layout: Layout
    workload: Workload
    engine: Engine
    replicas: int
    result: Deployment
    notes: tuple[str, ...]
    kind: str

    def __getattr__(self, name: str) -> Any:
        # the results are the plan's own attributes: plan.step, plan.first_token
        if name != "result" and name in Deployment.__dataclass_fields__:
            return getattr(self.result, name)
        raise AttributeError(name)

    @property
    def fits(self) -> bool:
        """Whether the weights and at least one request of this length fit."""
        # a rank of attention data parallelism keeps its sequences to itself: each must hold one
        return self.result.largest_concurrency >= self.layout.dp

    @property
    def binds(self) -> str:
        """What to change first: what fails, or else what takes most of a token's time."""
        r = self.result
        if not r.room:
            return "weights"
        if not self.fits or r.largest_concurrency < self.workload.users:
            return "cache"
        if r.time_per_token > 2 * r.step / r.kept:
            return "prompts"
        return max(r.step_parts, key=r.step_parts.__getitem__)

    @property
    def cache_tokens(self) -> float:
        """Tokens that fit at this length of request, all sequences of a replica together."""
        return self.result.largest_concurrency * (self.workload.prompt + self.workload.output)

    @property
    def promised_concurrency(self) -> float:
        """Requests of this length that vLLM's log would promise: fewer, where layers have windows."""
        length = self.workload.prompt + self.workload.output
        one = promised_concurrency(
            self.result.room, length, self.checkpoint, self.layout, self.engine
        )
        return float(one)

    @property
    def cache_line(self) -> tuple[float, float]:
        """Bytes on a chip that a sequence costs at once, and per token at this length: a fixed part and a slope."""
        length = self.workload.prompt + self.workload.output
        near, far = (
            float(cache_bytes_per_chip(self.layout.dp, n, self.checkpoint, self.layout))
            for n in (length, 1.01 * length)
        )
        slope = (far - near) / (0.01 * length)
        return max(near - slope * length, 0.0), slope

    def band(self, of: str = "tpot") -> tuple[float, float]:
        """Factors around a forecast between which eight of ten published runs of this class lie."""
        return forecast.band(self.kind, of)

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Label, value, band and chapter of every result, printed for people."""
        bands = {
            "step": "tpot",
            "time_per_token": "tpot",
            "prompt_time": "ttft",
            "first_token": "ttft",
        }
        found = []
        for name, (label, unit, chapter) in RESULTS.items():
            value = getattr(self.result, name)
            if isinstance(value, Unknown) or value is None:
                found.append((label, "rent not known: enter yours", "", chapter))
                continue
            span = ""
            if name in bands:
                low, high = (value * f for f in self.band(bands[name]))
                span = f"{human(low, unit)} to {human(high, unit)}"
            found.append((label, human(float(value), unit), span, chapter))
        return found

    def as_dict(self) -> dict[str, Any]:
        """Everything that a program may want, in SI: numbers, reasons, layout."""
        fixed, slope = self.cache_line
        numbers = {name: _plain(getattr(self.result, name)) for name in RESULTS}
        return {
            "title": self.title,
            "fits": bool(self.fits),
            "fits_concurrency": bool(self.result.largest_concurrency >= self.workload.users),
            "what_binds": self.binds,
            "reasons": list(self.notes),
            "engine": self.engine.name,
            "memory_share": float(self.engine.memory_share),
            "layout": {n: int(getattr(self.layout, n)) for n in ("tp", "dp", "ep", "pp")},
            "replicas": self.replicas,
            "cache_tokens": self.cache_tokens,
            "promised_concurrency": self.promised_concurrency,
            "cache_fixed_bytes_per_sequence_per_chip": fixed,
            "cache_bytes_per_token_per_chip": slope,
            "weight_bytes_per_chip": _plain(self.result.weight_bytes),
            "cache_bytes_per_chip": _plain(self.result.room),
            **numbers,
            "step_parts": {k: _plain(v) for k, v in self.result.step_parts.items()},
            "bands": {of: self.band(of) for of in ("tpot", "ttft")},
        }

    def __repr__(self) -> str:
        lines = [f"{a:34} {b:>22}  {c}" for a, b, c, _ in self.rows()]
        return "\n".join([self.title, *lines, f"{'what binds':34} {self.binds:>22}", *self.notes])

    def _repr_html_(self) -> str:
        from memwall.views.table import table

        columns = ("", "value", "eight runs in ten", "derived in")
        made = table(columns, self.rows(), self.title, heads=True, notes=self.notes)
        return made._repr_html_()


def _plain(value: Any) -> float | None:
    return None if isinstance(value, Unknown) or value is None else float(value)


def plan(
    model: Any, chip: str, chips: int = 1, *, tp: int | None = None, dp: int | None = None,
    ep: int | None = None, pp: int | None = None, replicas: int = 1, users: float = 64,
    prompt: float = 2000, output: float = 500, cached: float = 0.0, weights: str = "",
    cache: str = "bf16", engine: str = "vLLM", memory_share: float | None = None,
    batched_tokens: float | None = None, max_sequences: float | None = None, eager: bool = False,
    allowance: float | None = None, drafts: float = 0, acceptance: float | None = None,
    dollars_per_hour: float | None = None, kind: str = "",
) -> Plan:  # fmt: skip
    """Everything about one deployment.

    model: a name of the catalog, the path or the contents of a config.json, or a `Checkpoint`. chip:
    a name of the catalog. chips: in all, cut into `replicas` that serve different users; tp, dp, ep,
    pp: the layout of one of them, chosen as a practitioner would (and said in `notes`) if left out.
    users: requests in flight on one replica, each of `prompt` and `output` tokens, a share `cached`
    of the prompt found in a cache. weights, cache: how they are stored, as released and in 16 bit if
    left out. engine: whose rules share out the memory, with its version if it is not the newest:
    "vLLM 0.10", "SGLang". memory_share, batched_tokens, max_sequences: vLLM's gpu_memory_utilization,
    max_num_batched_tokens and max_num_seqs, the engine's own for the chip if left out; eager: without
    captured graphs; allowance: bytes that driver and libraries take of a chip. drafts: further tokens
    that a step guesses for each user (vLLM's num_speculative_tokens), each right with the chance
    `acceptance` if all before it were. kind: whose constants, `forecast.CLASSES`.

    A deployment that does not fit is still computed, and says so in `fits` and `notes`.
    Raises: InputError for impossible input; MissingFact where the catalog lacks what is needed.
    """
    whole("chips", chips)
    whole("replicas", replicas)
    if chips % replicas:
        raise InputError(f"{chips} chips cannot be cut into {replicas} equal replicas")
    checkpoint, one = read_model(model, weights, cache), catalog.chip(chip)
    own = chips // replicas
    system = one.machine(own, dollars_per_hour)
    workload = Workload(prompt=prompt, output=output, cached=cached, users=users)
    given = {"tp": tp, "dp": dp, "ep": ep, "pp": pp}
    told = _told(
        memory_share=memory_share, batched_tokens=batched_tokens, sequences=max_sequences,
        allowance=allowance, graph=0.0 if eager else None, drafts=float(drafts), acceptance=acceptance,
    )  # fmt: skip
    rules = engines.engine(engine, float(system.capacity) / own, one.name).replace(**told)
    chosen, said = _layout(checkpoint, system, users, given, rules)
    rules = _with_share(rules, system, chosen)
    kind = kind or forecast.class_of(one.kind)
    result = deployment(checkpoint, system, chosen, workload, rules, forecast.fitted(kind))
    times = f"{replicas} × " if replicas > 1 else ""
    return Plan(
        title=f"{checkpoint.name} on {times}{system.name}", checkpoint=checkpoint, system=system,
        layout=chosen, workload=workload, engine=rules, replicas=replicas, result=result, kind=kind,
        notes=(said, *_remarks(checkpoint, system, chosen, workload, result)),
    )  # fmt: skip


def _told(**settings: float | None) -> dict[str, float]:
    """What of an engine's settings was given; the rest is as the engine has it."""
    return {name: value for name, value in settings.items() if value is not None}


def _with_share(engine: Engine, system: System, layout: Layout) -> Engine:
    """The engine with the share of memory that it would work out itself, if none is stated."""
    if not isinstance(engine.memory_share, Unknown):
        return engine
    return engine.replace(memory_share=float(sglang_share(engine, system, layout)))


def _layout(
    checkpoint: Checkpoint, system: System, users: float, given: dict[str, int | None],
    engine: Engine,
) -> tuple[Layout, str]:  # fmt: skip
    """The layout given, what is missing of it filled in; or the usual one that fits. With a sentence."""
    chips = int(system.chips)
    if all(value is None for value in given.values()):

        def fits(layout: Layout) -> bool:
            known = _with_share(engine, system, layout)
            return float(cache_room_per_chip(checkpoint, system, layout, known)) > 0

        layout, why = usual_layout(checkpoint, chips, float(system.domain), users, fits)
        return layout, f"Layout chosen: {in_words(layout)} ({why})."
    for name, value in given.items():
        if value is not None:
            whole(name, value)
    pp, dp = given["pp"] or 1, given["dp"] or 1
    tp = given["tp"] or max(chips // (dp * pp), 1)
    if tp * dp * pp != chips:
        raise InputError(
            f"tp x dp x pp = {tp} x {dp} x {pp} = {tp * dp * pp} is not the {chips} chips of a replica"
        )
    layout = Layout(tp=tp, dp=dp, ep=given["ep"] or 1, pp=pp)
    check_layout(checkpoint, layout)
    return layout, f"Layout as given: {in_words(layout)}."


def in_words(layout: Layout) -> str:
    """The layout in an engine's letters, ones left out: 'tp 8', 'dp 8, ep 8'."""
    cut = [
        f"{n} {getattr(layout, n):g}" for n in ("tp", "dp", "ep", "pp") if getattr(layout, n) != 1
    ]
    return ", ".join(cut) or "one chip"


def _remarks(
    checkpoint: Checkpoint, system: System, layout: Layout, workload: Workload, result: Deployment
) -> Iterable[str]:
    """What a reader of the numbers should be told in words."""
    yield from checkpoint.notes
    chip = human(float(system.capacity / system.chips), "B")
    if not result.room:
        yield (
            f"The weights need {human(float(result.weight_bytes), 'B')} on each chip and the largest "
            f"pass {human(float(result.activation_bytes), 'B')}; a chip has {chip}: take more chips, or "
            "store the weights in fewer bits."
        )
    elif result.largest_concurrency < layout.dp:
        yield (
            f"One request of {workload.prompt + workload.output:,.0f} tokens needs "
            f"{human(float(result.sequence_bytes), 'B')} on a chip, and {human(float(result.room), 'B')} "
            "is left: a shorter context, a narrower cache or more chips would fit."
        )
    elif result.running < workload.users:
        yield (
            f"{human(math.floor(result.largest_concurrency))} of {human(workload.users)} requests fit; "
            "the others wait."
        )
    if 0 < result.room < THIN * system.capacity / system.chips:
        yield (
            f"Only {human(float(result.room), 'B')} of {chip} are left for caches: a small rest of "
            "large numbers, of which engines have taken several GB more than this arithmetic."
        )


# --- what else could serve it


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
    told = _told(
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
            rules = rules.replace(**told)
            for layout, why in layouts(checkpoint, count, float(system.domain)):
                found.append(
                    _option(checkpoint, one.name, system, layout, why, traffic, first_token, token_rate,
                            Workload(prompt=prompt, output=output, cached=cached, users=USERS),
                            _with_share(rules, system, layout), max_sequences or math.inf,
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


# --- the command


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m memwall.planner`: 0 if it fits, 1 if it does not, 2 for input that cannot be."""
    asked = _parser().parse_args(arguments)
    try:
        if asked.rate is None and asked.users is None:
            return _print_plan(asked)
        return _print_alternatives(asked)
    except InputError as error:
        print(f"memwall.planner: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m memwall.planner",
        description="Chips, waits and dollars of a model under some traffic. Without a layout, the "
        "usual one is chosen and said; with --rate or --users, whatever could serve it is compared.",
        epilog="Exit status: 0 if it fits, 1 if it does not, 2 for input that cannot be.",
    )
    add = parser.add_argument
    add("model", help="a name of the catalog, or a config.json")
    add("chip", nargs="?", help="a name of the catalog")
    add("--chips", type=int, default=1, help="in all")
    for name, words in (
        ("tp", "chips that cut each matrix"), ("dp", "copies of attention, each for its own users"),
        ("ep", "pieces of the set of experts"), ("pp", "stages of layers"),
    ):  # fmt: skip
        add(f"--{name}", type=int, help=words)
    add("--replicas", type=int, default=1, help="equal parts of the chips, each a model of its own")
    add("--weights", default="", help="fp8, nvfp4, awq, Q4_K_M, ...; as released if left out")
    add("--cache", default="bf16", help="bf16 or fp8 (also 16, 8)")
    add(
        "--engine",
        default="vLLM",
        help='"vLLM", "vLLM 0.10", "SGLang": whose rules share out memory',
    )
    add("--memory-share", type=float, help="gpu_memory_utilization, mem_fraction_static")
    add("--batched-tokens", type=float, help="tokens of the largest pass")
    add("--max-sequences", type=float, help="sequences at once, at most")
    add("--eager", action="store_true", help="no captured graphs")
    add("--allowance", type=float, help="bytes of a chip for driver and libraries")
    add("--drafts", type=float, default=0, help="further tokens guessed in a step: speculation")
    add("--acceptance", type=float, help="chance that a guess is right, with --drafts")
    add("--concurrency", type=float, default=64, help="requests in flight on each replica")
    add("--prompt", type=float, default=2000, help="tokens of a prompt")
    add("--output", type=float, default=500, help="tokens of an answer")
    add("--cached", type=float, default=0.0, help="share of a prompt found in a cache")
    add("--rent", type=float, help="dollars an hour of a chip")
    add("--rate", type=float, help="requests a second in all: compare what could serve them")
    add("--users", type=float, help="or users at once in all; the four below go with either")
    add("--first-token", type=float, default=2.0, help="seconds allowed to it")
    add("--token-rate", type=float, default=20.0, help="tokens a second a user")
    add("--chips-allowed", help="names with commas")
    add("--most", type=int, default=64, help="chips of a replica at most")
    add("--format", choices=("text", "json", "csv"), default="text")
    return parser


def _print_plan(asked: argparse.Namespace) -> int:
    if not asked.chip:
        raise InputError("which chip? Name one, or give --rate or --users to compare several")
    found = plan(
        asked.model, asked.chip, asked.chips, tp=asked.tp, dp=asked.dp, ep=asked.ep, pp=asked.pp,
        replicas=asked.replicas, users=asked.concurrency, prompt=asked.prompt, output=asked.output,
        cached=asked.cached, weights=asked.weights, cache=asked.cache, engine=asked.engine,
        memory_share=asked.memory_share, batched_tokens=asked.batched_tokens,
        max_sequences=asked.max_sequences, eager=asked.eager, allowance=asked.allowance,
        drafts=asked.drafts, acceptance=asked.acceptance, dollars_per_hour=asked.rent,
    )  # fmt: skip
    answer = found.as_dict()
    if asked.format == "json":
        print(json.dumps(answer, indent=2))
    elif asked.format == "csv":
        write_csv(sys.stdout, [_flat(answer)])
    else:
        print(found)
    return 0 if found.fits else 1


def _print_alternatives(asked: argparse.Namespace) -> int:
    names = (asked.chips_allowed or asked.chip or "H100,H200,B200").split(",")
    names = [name.strip() for name in names]
    whole("most", asked.most)
    options = alternatives(
        asked.model, rate=asked.rate, users=asked.users, prompt=asked.prompt, output=asked.output,
        cached=asked.cached,
        first_token=asked.first_token, token_rate=asked.token_rate, chips=names, most=asked.most,
        weights=asked.weights, cache=asked.cache, engine=asked.engine,
        memory_share=asked.memory_share, batched_tokens=asked.batched_tokens,
        max_sequences=asked.max_sequences, drafts=asked.drafts, acceptance=asked.acceptance,
        rents=None if asked.rent is None else dict.fromkeys(names, asked.rent),
    )  # fmt: skip
    rows = [option.as_dict() for option in options]
    if asked.format == "json":
        print(json.dumps({"alternatives": rows}, indent=2))
    elif asked.format == "csv":
        write_csv(sys.stdout, rows)
    else:
        for option in options:
            print(option)
    return 0 if any(not option.fails for option in options) else 1


def _flat(answer: dict[str, Any]) -> dict[str, Any]:
    """One row of a nested answer: step_parts.experts, and lists in one cell."""
    row: dict[str, Any] = {}
    for name, value in answer.items():
        if isinstance(value, dict):
            row |= {f"{name}.{inner}": v for inner, v in _flat(value).items()}
        elif isinstance(value, list | tuple):
            row[name] = "; ".join(map(str, value))
        else:
            row[name] = "" if value is None else value
    return row


if __name__ == "__main__":
    raise SystemExit(main())
