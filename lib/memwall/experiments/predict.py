"""Predict: what the forecast says of runs that others measured, all rows of a kind at once.

A run is turned into the passes that its engine makes (`formulas.passes`), which do not depend on any
fitted constant; stacked into arrays they are forecast in one call, so that a fit can ask a thousand
times. Models come from the catalog by name, stored as the row says; rows of blackboard numbers alone
become a checkpoint of one group and one or two parts.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ..core import catalog
from ..core.checkpoint import Checkpoint, LayerGroup, Part
from ..core.nouns import Engine, Layout, Model, System, Unknown
from ..core.units import InputError
from ..formulas import deployment, forecast
from ..formulas.forecast import Efficiency
from ..formulas.layout import attention_heads, cache_room_per_chip, largest_concurrency
from ..formulas.passes import Pass, decode_pass, least, prompt_pass
from ..formulas.serving import open_first_token, prompt_wait
from ..formulas.sparsity import expert_share
from .runs import Local, Open, Served

NOMINAL = 0.9  # of the stated lengths: the harness draws 80 to 100 % of them
CHUNK = 8192.0  # tokens of a pass of prompts
WIDTHS = {"fp4": "nvfp4"}  # what benchmarks call FP4


# --- nouns from names


def checkpoint_of(model: str, weights: str) -> Checkpoint:
    """The catalog's checkpoint, stored as a row says; one released in that width stays as it is."""
    width = WIDTHS.get(weights, weights)
    name = _known(model)
    released = catalog.released_weights(name)
    same = width in ("", released) or released.startswith(width)
    same |= {width, released} <= {"mxfp4", "nvfp4"}
    return catalog.checkpoint(name, "" if same else width)


@functools.cache
def _known(model: str) -> str:
    """The catalog's name of a model as benchmarks write it: with an owner, a width or a release."""
    bare = model.rpartition("/")[2]
    plain = re.sub(
        r"(?i)[-_ ](instruct|chat|hf|it|base|bf16|fp8|fp4|nvfp4|mxfp4|dynamic|gptq|awq|gguf)\b.*$",
        "", bare,
    )  # fmt: skip
    problem = None
    for name in dict.fromkeys((model, bare, plain)):
        try:
            return catalog.checkpoint(name).name
        except InputError as error:
            problem = problem or error
    raise problem or InputError(f"unknown model {model!r}")


def blackboard(model: Model, arithmetic: str = "bf16") -> Checkpoint:
    """A checkpoint of what the blackboard knows: one kind of layer, cut perfectly, and its experts.

    Attention is as wide as the residual stream in and out where nobody published it; a sparse model
    whose experts are not known has the usual number of them a token.
    """
    model = ready(model)
    always = model.n_active * max(1 - float(expert_share(model)), 0.0)
    parts = [Part(always, always, model.bytes_per_param, arithmetic, kind="dense")]
    sparse = model.experts > 1
    if sparse:
        stored, active = model.n_total - always, model.n_active - always
        parts.append(Part(stored, active, model.bytes_per_param, arithmetic, kind="routed"))
    group = LayerGroup(
        layers=model.layers, entry=model.kv_bytes_per_token / model.layers, bytes_per_element=1.0,
        width=model.attention_width, prompt_width=model.attention_width, kv_heads=1e9, query_heads=1e9,
    )  # fmt: skip
    return Checkpoint(
        model.name, (group,), tuple(parts), layers=model.layers, d_model=model.d_model,
        experts=model.experts, experts_active=model.experts_active,
        routed_layers=model.layers if sparse else 0.0,
        launches=model.layers * (3.0 + (4.0 if sparse else 2.0)),
    )  # fmt: skip


def ready(model: Model) -> Model:
    """The model with guesses for what a forecast needs and nobody published."""
    changes: dict[str, Any] = {}
    if isinstance(model.attention_width, Unknown):
        changes["attention_width"] = 2 * model.d_model
    if isinstance(model.experts, Unknown) or isinstance(model.experts_active, Unknown):
        chosen = usual_experts_active() if model.n_active < model.n_total else 1.0
        changes["experts_active"] = chosen
        changes["experts"] = chosen * (model.n_total / model.n_active)
    return model.replace(**changes)


@functools.cache
def usual_experts_active() -> float:
    """Median over the catalog's models of the experts a token chooses."""
    known = [m for m in catalog.models().values() if not isinstance(m.experts, Unknown)]
    return float(np.median([m.experts_active for m in known if m.experts > 1]))


def capped(
    users: float, prompt: float, output: float, checkpoint: Checkpoint, system: System, layout: Layout,
    engine: Engine,
) -> float:  # fmt: skip
    """Sequences that run at once: as many users as the caches of their requests leave room for."""
    room = cache_room_per_chip(checkpoint, system, layout, engine)
    fit = float(largest_concurrency(room, prompt + output, checkpoint, layout, engine))
    return max(min(users, fit), 1.0)


def stacked(nouns: Sequence[Any]) -> Any:
    """Many nouns of a kind as one whose fields are arrays."""
    kind = type(nouns[0])
    return kind(**{n: np.array([float(getattr(x, n)) for x in nouns]) for n in kind.quantities()})


# --- closed loops


@dataclass(frozen=True)
class Work:
    """What many closed-loop runs ask of their engines, a value a run."""

    step: Pass
    least: Pass
    reading: Pass  # a full pass of prompts
    own: Pass  # one prompt alone
    together: np.ndarray  # prompts in a full pass
    running: np.ndarray
    output: np.ndarray
    pools: np.ndarray  # whether other engines read the prompts
    users: np.ndarray  # of each engine that reads

    def tpot(self, efficiency: Efficiency) -> np.ndarray:
        """Mean time per output token."""
        step = forecast.pass_time(self.step, efficiency)
        each = forecast.pass_time(self.reading, efficiency) / self.together
        shared = deployment.time_per_token(step, each, self.running, self.output)
        return np.where(self.pools, step, shared)

    def ttft(self, efficiency: Efficiency) -> np.ndarray:
        """Mean time to the first token, the burst at the start in it."""
        step = forecast.pass_time(self.step, efficiency)
        each = forecast.pass_time(self.reading, efficiency) / self.together
        own = forecast.pass_time(self.own, efficiency)
        ahead = efficiency.burst * self.users
        return deployment.first_token_time(step, own, each, ahead, efficiency)

    def tpot_floor(self) -> np.ndarray:
        """Least time per output token."""
        return forecast.pass_floor(self.least)

    def ttft_floor(self) -> np.ndarray:
        """Least time to the first token: the own prompt."""
        return forecast.pass_floor(self.own)

    def where(self, keep: np.ndarray) -> Work:
        """The runs that are kept."""

        def kept(value: Any) -> Any:
            if isinstance(value, Pass):
                return value.replace(**{n: getattr(value, n)[keep] for n in value.quantities()})
            return value[keep]

        return Work(**{f.name: kept(getattr(self, f.name)) for f in fields(Work)})


def work_of(rows: Sequence[Served]) -> tuple[Work | None, list[str]]:
    """Closed-loop runs as work, and for each row an error, empty where it is among the work."""
    made, errors = [], []
    for row in rows:
        try:
            made.append(_served(row))
            errors.append("")
        except InputError as error:
            errors.append(str(error).split(" Known:")[0])
    return (_stack(made) if made else None), errors


def _stack(made: Sequence[dict[str, Any]]) -> Work:
    def column(name: str) -> Any:
        values = [one[name] for one in made]
        return stacked(values) if isinstance(values[0], Pass) else np.array(values)

    return Work(**{f.name: column(f.name) for f in fields(Work)})


def _served(row: Served) -> dict[str, Any]:
    checkpoint, chip = checkpoint_of(row.model, row.weights), catalog.chip(row.chip)
    return closed_loop(
        checkpoint, chip.machine(float(row.decode.chips)), row.decode,
        chip.machine(float(row.prefill.chips)), row.prefill, row.concurrency, row.prompt * NOMINAL,
        row.output * NOMINAL, pools=row.mode == "disagg", writers=row.decode_workers or 1.0,
        readers=row.prefill_workers or 1.0,
        most=(row.decode_batch or 1e9) * float(row.decode.dp),
    )  # fmt: skip


def closed_loop(
    checkpoint: Checkpoint, writer: System, decode: Layout, reader: System, prefill: Layout,
    concurrency: float, prompt: float, output: float, pools: bool = False, writers: float = 1.0,
    readers: float = 1.0, most: float = 1e9,
) -> dict[str, Any]:  # fmt: skip
    """One closed-loop run's work: `concurrency` clients over `writers` engines, prompts by `readers`."""
    users = min(concurrency / writers, most)
    running = capped(users, prompt, output, checkpoint, writer, decode, Engine(sequences=1024))
    per_stage = running / min(running, float(decode.pp))
    step = decode_pass(per_stage, prompt + output / 2, checkpoint, writer, decode)
    together = max(min(CHUNK / prompt, running), 1.0)
    return {
        "step": step,
        "least": least(step, per_stage, checkpoint, writer, decode),
        "reading": prompt_pass(together, prompt, 0.0, checkpoint, reader, prefill),
        "own": prompt_pass(1.0, prompt, 0.0, checkpoint, reader, prefill),
        "together": together,
        "running": running,
        "output": output,
        "pools": pools,
        "users": concurrency / (readers if pools else writers),
    }


# --- open arrivals


@dataclass(frozen=True)
class Answer:
    """What is said of one run: floors, times to expect, or why nothing is."""

    ttft_floor: float = float("nan")
    tpot_floor: float = float("nan")
    ttft: float = float("nan")
    tpot: float = float("nan")
    error: str = ""


def open_answer(row: Open, efficiency: Efficiency, model: Model | None = None) -> Answer:
    """An open loop forecast: as many run as arrive in the time that an answer then takes.

    The running batch is the fixed point of Little's law; where none is found below what the engine
    may run, it is saturated, and runs as many as it may.
    """
    if not row.complete or row.layout is None:
        return Answer(error="rate, lengths or layout are not stated")
    try:
        checkpoint = checkpoint_of(row.model, row.weights)
        chip = catalog.chip(row.chip)
        system, layout = chip.machine(float(row.layout.chips)), row.layout
        rate, prompt, output = float(row.rate or 0), float(row.prompt or 1), float(row.output or 1)
        most = capped(1e9, prompt, output, checkpoint, system, layout, Engine(sequences=256))
        most = min(most, row.max_sequences or 256.0)
    except InputError as error:
        return Answer(error=str(error).split(" Known:")[0])
    replicas = max((row.chips or system.chips) / system.chips, 1.0)
    rate /= replicas

    def at(running: float, token: float) -> tuple[float, Pass]:
        """A step of so many, the tokens of prompts that arrive meanwhile riding along in it."""
        context = prompt + output / 2
        riders = running + rate * prompt * token
        work = decode_pass(running, context, checkpoint, system, layout)
        mixed = decode_pass(riders, context, checkpoint, system, layout).replace(
            attention_arithmetic=work.attention_arithmetic, cache_reading=work.cache_reading
        )
        return float(forecast.pass_time(mixed, efficiency)), work

    token, running = 0.0, 1.0
    for _ in range(60):
        token, work = at(running, token)
        wanted = min(max(rate * output * token, 1.0), most)
        if abs(wanted - running) < 1e-6 * running:
            break
        running = wanted
    reading = prompt_pass(1.0, prompt, 0.0, checkpoint, system, layout)
    own = float(forecast.pass_time(reading, efficiency))
    busy = (
        rate
        * float(reading.dense_arithmetic + reading.expert_arithmetic)
        / float(efficiency.compute)
    )
    wait = float(prompt_wait(rate, own, 0.0)) if row.poisson and busy < 1 else 0.0
    saturated = running >= most * 0.999 or token * rate * output > 1.01 * most
    # a saturated engine's queue grows without end
    first = float("inf") if saturated else float(open_first_token(token, own, wait))
    floor = least(work, running, checkpoint, system, layout)
    return Answer(
        float(forecast.pass_floor(reading)), float(forecast.pass_floor(floor)), first, token
    )


# --- one user on a machine of one's own


def local_checkpoint(row: Local) -> Checkpoint:
    """The model of a local run: the catalog's layers where its name is known, weights as large as the file.

    A model that is not known has the shape that its parameter counts suggest: no cache to speak of
    and as many layers as models of that size have.
    """
    try:
        known = checkpoint_of(row.model.split(" ")[0], "")
    except InputError:
        model = Model(
            n_total=row.total, n_active=row.active, bytes_per_param=row.weight_bytes / row.total,
            kv_bytes_per_token=0.0, layers=32.0 * (row.active / 8e9) ** 0.25,
            d_model=4096.0 * (row.active / 8e9) ** 0.375,
        )  # fmt: skip
        return blackboard(model)
    loaded = [p for p in known.parts if p.kind not in ("predictor", "vision")]
    scale = row.weight_bytes / sum(p.parameters * p.bytes_per_param for p in loaded)
    return dataclasses.replace(
        known,
        parts=tuple(
            p.replace(bytes_per_param=p.bytes_per_param * scale, arithmetic="bf16") for p in loaded
        ),
    )


PIECE = 512.0  # tokens of a micro-batch of prompts: llama.cpp's default


@dataclass(frozen=True)
class LocalWork:
    """A local run: its pass, the least of it, how many such passes' time it takes, and its tokens."""

    work: Pass
    least: Pass
    passes: float
    fewest: float
    tokens: float


def local_work(row: Local) -> LocalWork:
    """A local run as a pass. Layers are dealt to several chips in a row, matrices cut only by engines
    of servers; a long prompt goes through the chips in pieces, one behind the other.

    GeForce cards sum products in 16 bit at twice the rate that is printed for sums in 32 bit, and
    engines at home do; a floor counts on the rate of integers. Another file than the catalog knows
    may keep any part narrower than the others, so the floor spreads its bytes evenly.
    Raises: InputError where the chip's arithmetic rate is needed and not known.
    """
    checkpoint, chip = local_checkpoint(row), catalog.chip(row.chip)
    if isinstance(chip.flops_bf16, Unknown):
        if row.test == "prefill":
            raise InputError(f"no arithmetic rate of {chip.name} is known, which a prompt needs")
        # one new token at a time hardly computes: a rate that nobody published does not bind it
        chip = chip.replace(flops_bf16=1e18)
    integers = chip.flops_int8 if chip.kind == "consumer" and chip.flops_int8 else chip.flops_bf16
    expected = max(float(chip.flops_bf16), float(integers) / 2)

    def running(rate: float) -> System:
        system, all_chips = chip.machine(row.chips), rate * row.chips
        return system.replace(
            flops=all_chips, bf16_flops=all_chips, fp8_flops=all_chips, fp4_flops=all_chips
        )

    system, fastest = running(expected), running(float(integers))
    even = row.weight_bytes / sum(p.parameters for p in checkpoint.parts)
    spread = dataclasses.replace(
        checkpoint, parts=tuple(p.replace(bytes_per_param=even) for p in checkpoint.parts)
    )
    cutting = any(name in row.engine.lower() for name in ("vllm", "sglang", "tensorrt", "gpt-fast"))
    cut = row.chips if cutting and attention_heads(checkpoint) % row.chips == 0 else 1.0
    stages = row.chips / cut
    layout = Layout(tp=cut, pp=stages)
    if row.test == "prefill":
        work = prompt_pass(row.batch, row.prompt, row.context, checkpoint, system, layout)
        pieces = max(row.batch * row.prompt / PIECE, 1.0)
        waits = (pieces + stages - 1) / (pieces * stages)
        fewest = prompt_pass(row.batch, row.prompt, row.context, spread, fastest, layout)
        return LocalWork(work, fewest, waits, 1 / stages, row.batch * row.prompt)
    context = max(row.context + row.prompt / 2, 1.0)
    work = decode_pass(row.batch, context, checkpoint, system, layout)
    narrow = decode_pass(row.batch, context, spread, fastest, layout)
    fewest = least(narrow, row.batch, spread, fastest, layout)
    return LocalWork(work, fewest, 1.0, 1.0, row.batch if row.aggregate else 1.0)
