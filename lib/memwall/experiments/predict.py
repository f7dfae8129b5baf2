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

from .. import catalog
from ..catalog import Chip
from ..catalog.names import Named, named
from ..core.algebra import maximum, where
from ..core.checkpoint import FEEDS_IN_TURN, IN_TURN, Checkpoint, LayerGroup, Part
from ..core.nouns import Engine, Layout, Model, System, Unknown
from ..core.units import InputError
from ..formulas import deployment, forecast
from ..formulas.forecast import Efficiency
from ..formulas.layout import attention_heads, cache_room_per_chip, largest_concurrency
from ..formulas.passes import Pass, decode_pass, least, prompt_pass
from ..formulas.serving import open_first_token, prompt_wait, tokens_a_step
from ..formulas.sparsity import expert_share
from .recipes import GUESSED, Recipe, recipes_of
from .runs import Cookbook, Local, Measured, Open, Served

NOMINAL = 0.9  # of the stated lengths: the harness draws 80 to 100 % of them
# of everybody's prompts a first token waits for: all clients begin at once, which makes the first of
# about ten requests of each wait for half of them
BURST = 0.5 / 10
ENGINE = Engine(sequences=1024)  # runs as many at once as memory allows, up to here
# chance that a further token guessed is right: what makes the runs in the fit's part that are known to
# guess least wrong, all other constants as they are
ACCEPTED = float(ENGINE.acceptance)
CHUNK = 8192.0  # tokens of a pass of prompts
WIDTHS = {"fp4": "nvfp4"}  # what benchmarks call FP4


# --- nouns from names


def checkpoint_of(model: str, weights: str) -> Checkpoint:
    """The catalog's checkpoint, stored as a row says, or else its name; one released in that width
    stays as it is.
    """
    name, said = _known(model)
    weights = weights or said
    width = WIDTHS.get(weights, weights)
    released = catalog.released_weights(name)
    same = weights in ("", released) or released.startswith((weights, width))
    same |= {width, released} <= {"mxfp4", "nvfp4"}
    # its own release in that width, where there is one, says which parts stay wider
    sibling = f"{name}-{width.upper()}"
    if not same and sibling in catalog.checkpoints():
        return catalog.checkpoint(sibling)
    return catalog.checkpoint(name, "" if same else width)


@functools.cache
def _known(model: str) -> Named:
    """The catalog's entry of a model as benchmarks write it: with an owner, a width, a release or MLPerf's
    share of the accuracy, and with or without its hyphens.
    """
    bare = re.sub(r"^.*/|^[A-Za-z-]+_(?=[A-Z])", "", model)
    # all from the first word that says how it was made
    plain = re.sub(
        r"(?i)[-_ ]\(?(instruct|chat|hf|it|bf16|fp8|fp4|gguf|ud|i?q\d\w*|99)\b.*$", "", bare
    )
    problem = None
    for name in dict.fromkeys((model, bare, plain)):
        try:
            return named(name)
        except InputError as error:
            problem = problem or error
    letters = re.sub(r"\W", "", plain.lower())
    alike = [n for n in catalog.checkpoints() if re.sub(r"\W", "", n.lower()) == letters]
    if len(alike) == 1:
        return Named(alike[0], "")
    # or only the end of the name, if one alone ends so
    ends = [n for n in catalog.checkpoints() if n.lower().endswith(f"-{plain.lower()}")]
    if len(ends) == 1:
        return Named(ends[0], "")
    raise problem or InputError(f"unknown model {model!r}")


def blackboard(model: Model, arithmetic: str = "bf16") -> Checkpoint:
    """A checkpoint of what the blackboard knows: one kind of layer, cut perfectly, and its experts.

    Attention is as wide as the residual stream in and out where nobody published it; a sparse model
    whose experts are not known has the usual number of them a token. A model may be of symbols.
    """
    if not model.symbols():
        model = ready(model)
    always = model.n_active * maximum(1 - expert_share(model), 0)
    stored, active = model.n_total - always, model.n_active - always
    sparse = where(model.experts > 1, 1, 0)
    parts = [Part(always, always, model.bytes_per_param, arithmetic, kind="dense")]
    if model.symbols() or sparse:
        parts.append(Part(stored, active, model.bytes_per_param, arithmetic, kind="routed"))
    group = LayerGroup(
        layers=model.layers, entry=model.kv_bytes_per_token / model.layers, bytes_per_element=1.0,
        width=model.attention_width, prompt_width=model.attention_width, kv_heads=1e9, query_heads=1e9,
    )  # fmt: skip
    feeds = FEEDS_IN_TURN["dense"] * (1 - sparse) + FEEDS_IN_TURN["routed"] * sparse
    return Checkpoint(
        model.name, (group,), tuple(parts), layers=model.layers, d_model=model.d_model,
        experts=model.experts, experts_active=model.experts_active,
        routed_layers=model.layers * sparse, launches=model.layers * (IN_TURN["full"] + feeds),
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
    if room <= 0:
        return 1.0  # somebody ran it: narrower somewhere than is known
    fit = float(largest_concurrency(room, prompt + output, checkpoint, layout, engine))
    return max(min(users, fit), 1.0)


def stacked(nouns: Sequence[Any]) -> Any:
    """Many nouns of a kind as one whose fields are arrays."""
    kind = type(nouns[0])
    return kind(**{n: np.array([float(getattr(x, n)) for x in nouns]) for n in kind.quantities()})


# --- closed loops


@dataclass(frozen=True)
class Work:
    """What many closed-loop runs ask of their engines, a value for each recipe that a run may have followed.

    `row` says whose it is; what is forecast of a run is the geometric mean over its recipes.
    """

    row: np.ndarray
    step: Pass
    least: Pass
    reading: Pass  # a full pass of prompts
    own: Pass  # one prompt alone
    together: np.ndarray  # prompts in a full pass
    running: np.ndarray
    output: np.ndarray
    pools: np.ndarray  # whether other engines read the prompts
    users: np.ndarray  # of each engine that reads
    crowd: np.ndarray  # users for each that an engine lets in
    kept: np.ndarray  # tokens that a step yields: more than one where further ones are guessed
    drafts: np.ndarray  # further tokens guessed a step
    polls: np.ndarray  # whether newcomers are looked for only now and then: SGLang, between pools

    def tpot(self, efficiency: Efficiency) -> np.ndarray:
        """Mean time per output token."""
        step = forecast.pass_time(self.step, efficiency)
        return self._token(step, forecast.pass_time(self.reading, efficiency))

    def waterfall(self, efficiency: Efficiency) -> list[tuple[str, np.ndarray]]:
        """(term, time per output token) as `forecast.TERMS` join the floor one by one."""
        steps, readings = (
            forecast.waterfall(work, efficiency) for work in (self.step, self.reading)
        )
        terms = [
            (name, self._token(step, reading))
            for (name, step), (_, reading) in zip(steps, readings, strict=True)
        ]
        return [("floor", self.tpot_floor()), *terms[1:]]

    def _token(self, step: Any, reading: Any) -> np.ndarray:
        return self._mean(self._tokens(step, reading))

    def _tokens(self, step: Any, reading: Any) -> np.ndarray:
        """Time per output token by each recipe."""
        token, each = step / self.kept, reading / self.together
        shared = deployment.time_per_token(token, each, self.running, self.output)
        return np.where(self.pools, token, shared)

    def ttft(self, efficiency: Efficiency) -> np.ndarray:
        """Mean time to the first token, the burst at the start and the wait for a seat in it."""
        step = forecast.pass_time(self.step, efficiency)
        reading = forecast.pass_time(self.reading, efficiency)
        own = forecast.pass_time(self.own, efficiency)
        waits = step * np.where(self.polls, efficiency.polling, 1.0)
        ahead = BURST * self.users
        first = deployment.first_token_time(waits, own, reading / self.together, ahead, efficiency)
        seated = self.output * self._tokens(step, reading)
        return self._mean(first + deployment.seat_wait(self.crowd, seated))

    def tpot_floor(self) -> np.ndarray:
        """Least time per output token: every guess right."""
        return self._least(forecast.pass_floor(self.least) / (1 + self.drafts))

    def ttft_floor(self) -> np.ndarray:
        """Least time to the first token: the own prompt."""
        return self._least(forecast.pass_floor(self.own))

    def _mean(self, values: np.ndarray) -> np.ndarray:
        return np.exp(np.bincount(self.row, np.log(values)) / np.bincount(self.row))

    def _least(self, values: np.ndarray) -> np.ndarray:
        found = np.full(self.row.max() + 1, np.inf)
        np.minimum.at(found, self.row, values)
        return found

    def where(self, keep: np.ndarray) -> Work:
        """The runs that are kept."""
        renumbered, keep = np.cumsum(keep) - 1, keep[self.row]

        def kept(value: Any) -> Any:
            if isinstance(value, Pass):
                return value.replace(**{n: getattr(value, n)[keep] for n in value.quantities()})
            return value[keep]

        found = {f.name: kept(getattr(self, f.name)) for f in fields(Work)}
        return Work(**{**found, "row": renumbered[found["row"]]})


def work_of(rows: Sequence[Served]) -> tuple[Work | None, list[str]]:
    """Closed-loop runs as work, and for each row an error, empty where it is among the work."""
    made, errors = [], []
    for row in rows:
        try:
            made.append([_served(row, recipe) for recipe in recipes_of(row)])
            errors.append("")
        except InputError as error:
            errors.append(str(error).split(" Known:")[0])
    return (_stack(made) if made else None), errors


def _stack(made: Sequence[Sequence[dict[str, Any]]]) -> Work:
    flat = [{**one, "row": row} for row, ones in enumerate(made) for one in ones]

    def column(name: str) -> Any:
        values = [one[name] for one in flat]
        return stacked(values) if isinstance(values[0], Pass) else np.array(values)

    return Work(**{f.name: column(f.name) for f in fields(Work)})


def _served(row: Served, recipe: Recipe) -> dict[str, Any]:
    """A closed-loop run as the passes of one recipe: clients shared out over the engines that write."""
    checkpoint, chip = checkpoint_of(row.model, row.weights), catalog.chip(row.chip)
    writer, reader = (chip.machine(float(cut.chips)) for cut in (recipe.decode, recipe.prefill))
    prompt, output, pools = row.prompt * NOMINAL, row.output * NOMINAL, row.mode == "disagg"
    users = max(row.concurrency / recipe.writers, 1.0)
    if row.decode_batch:
        users = min(users, max(row.decode_batch * float(recipe.decode.dp), 1.0))
    seated = min(users, recipe.sequences)
    running = capped(seated, prompt, output, checkpoint, writer, recipe.decode, ENGINE)
    per_stage = running / min(running, float(recipe.decode.pp))
    tokens = 1 + recipe.drafts
    step = decode_pass(
        per_stage, prompt + output / 2, checkpoint, writer, recipe.decode, tokens=tokens
    )
    together = max(min(CHUNK / prompt, running), 1.0)
    return {
        "step": step,
        "least": least(step, per_stage, checkpoint, writer, recipe.decode),
        "reading": prompt_pass(together, prompt, 0.0, checkpoint, reader, recipe.prefill),
        "own": prompt_pass(
            float(recipe.prefill.dp), prompt, 0.0, checkpoint, reader, recipe.prefill
        ),
        "together": together,
        "running": running,
        "output": output,
        "pools": pools,
        "users": row.concurrency / (recipe.readers if pools else 1.0),
        "crowd": users / seated,
        "kept": float(tokens_a_step(recipe.drafts, ACCEPTED)) if recipe.drafts else 1.0,
        "drafts": recipe.drafts,
        "polls": pools or row.engine.lower().startswith("sglang"),
    }


BOX = 8.0  # chips of a machine that a recipe does not count


def usual_cuts(row: Cookbook) -> list[Served]:
    """A recipe's run as it would be with matrices cut over all its chips, or users spread over them."""
    chips = row.chips or BOX
    shared = {f.name: getattr(row, f.name) for f in fields(Measured)}
    return [
        Served(
            **shared, engine_version="", mode="agg", prompt=row.prompt, output=row.output,
            concurrency=row.concurrency, prefill=cut, decode=cut, prefill_workers=1.0,
            decode_workers=1.0, decode_batch=None, ttft=row.ttft, tpot=row.tpot,
            speculates=row.speculates,
        )
        for cut in (Layout(tp=chips), Layout(dp=chips, ep=chips))
    ]  # fmt: skip


# --- open arrivals


@dataclass(frozen=True)
class Answer:
    """What is said of one run: floors, times to expect, or why nothing is."""

    ttft_floor: float = float("nan")
    tpot_floor: float = float("nan")
    ttft: float = float("nan")
    tpot: float = float("nan")
    error: str = ""


def open_answer(row: Open, efficiency: Efficiency) -> Answer:
    """An open loop forecast: as many run as arrive in the time that an answer then takes.

    Where no layout is stated, it is the power of two of chips that serves the load best, and the floor
    counts on all of them for a single request; where no length of a prompt is, it is an answer's.
    """
    if row.rate is None or row.output is None:
        return Answer(error="the rate or the length of an answer is not stated")
    prompt = row.prompt or row.output
    try:
        checkpoint, chip = open_checkpoint(row), catalog.chip(row.chip)
        if row.layout:
            return _open_at(row, checkpoint, chip, row.layout, prompt, efficiency)
        chips = row.chips or 1.0
        powers = [Layout(tp=float(2**i)) for i in range(8) if 2**i <= chips]
        cuts = [cut for cut in powers if _fits(checkpoint, chip, cut)]
        tried = [_open_at(row, checkpoint, chip, cut, prompt, efficiency)
                 for cut in cuts or [Layout(tp=chips)]]  # fmt: skip
        best = min(tried, key=lambda answer: (answer.ttft, answer.tpot))
        system, whole = chip.machine(chips), Layout(tp=chips)
        alone = decode_pass(1.0, prompt, checkpoint, system, whole)
        reading = prompt_pass(1.0, prompt, 0.0, checkpoint, system, whole)
        return dataclasses.replace(
            best, ttft_floor=float(forecast.pass_floor(reading)),
            tpot_floor=float(forecast.pass_floor(least(alone, 1.0, checkpoint, system, whole))),
        )  # fmt: skip
    except InputError as error:
        return Answer(error=str(error).split(" Known:")[0])


def _fits(checkpoint: Checkpoint, chip: Chip, layout: Layout) -> bool:
    return bool(cache_room_per_chip(checkpoint, chip.machine(layout.chips), layout, ENGINE) > 0)


def _open_at(
    row: Open, checkpoint: Checkpoint, chip: Chip, layout: Layout, prompt: float,
    efficiency: Efficiency,
) -> Answer:  # fmt: skip
    """The forecast in one layout. The running batch is the fixed point of Little's law; where none is
    found below what the engine may run, it is saturated, and runs as many as it may.
    """
    output, system = float(row.output or 1), chip.machine(float(layout.chips))
    most = capped(1e9, prompt, output, checkpoint, system, layout, ENGINE)
    most = min(most, row.max_sequences or float(ENGINE.sequences))
    rate = float(row.rate or 0) / max((row.chips or system.chips) / system.chips, 1.0)

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
        before = token
        token, work = at(running, token)
        wanted = min(max(rate * output * token, 1.0), most)
        if abs(wanted - running) < 1e-6 * running and abs(token - before) < 1e-6 * token:
            break
        running = wanted
    reading = prompt_pass(1.0, prompt, 0.0, checkpoint, system, layout)
    own = float(forecast.pass_time(reading, efficiency))
    arithmetic = float(reading.dense_arithmetic + reading.expert_arithmetic)
    each = arithmetic / float(efficiency.compute)  # of a prompt that rides along
    wait = float(prompt_wait(rate, each, 0.0)) if row.poisson and rate * each < 0.99 else 0.0
    saturated = running >= most * 0.999 or token * rate * output > 1.01 * most
    # a saturated engine's queue grows without end
    first = float("inf") if saturated else float(open_first_token(token, own, wait))
    floor = least(work, running, checkpoint, system, layout)
    return Answer(
        float(forecast.pass_floor(reading)), float(forecast.pass_floor(floor)), first, token
    )


def open_checkpoint(row: Open) -> Checkpoint:
    """The catalog's checkpoint of an open loop, or for a name it lacks a shape of as many parameters."""
    try:
        return checkpoint_of(row.model, row.weights)
    except InputError:
        if row.total is None:
            raise
        width = catalog.bytes_per_element(row.weights)
        return of_size(row.total, row.active or row.total, width)


# --- one user on a machine of one's own


def of_size(total: float, active: float, bytes_per_param: float) -> Checkpoint:
    """A model of which only the size is known: as many layers and as wide as models of that size, and
    no cache to speak of.
    """
    return blackboard(Model(
        n_total=total, n_active=active, bytes_per_param=bytes_per_param, kv_bytes_per_token=0.0,
        layers=32.0 * (active / 8e9) ** 0.25, d_model=4096.0 * (active / 8e9) ** 0.375,
    ))  # fmt: skip


def local_checkpoint(row: Local) -> Checkpoint:
    """The model of a local run: the catalog's layers where its name is known, weights as large as the file.

    A model that is not known has the shape that its parameter counts suggest: no cache to speak of
    and as many layers as models of that size have.
    """
    try:
        known = checkpoint_of(row.model.split(" ")[0], "")
    except InputError:
        return of_size(row.total, row.active, row.weight_bytes / row.total)
    loaded = [p for p in known.parts if p.kind not in ("predictor", "vision")]
    scale = row.weight_bytes / sum(p.parameters * p.bytes_per_param for p in loaded)
    return dataclasses.replace(
        known,
        parts=tuple(
            p.replace(bytes_per_param=p.bytes_per_param * scale, arithmetic="bf16") for p in loaded
        ),
    )


_ZEROS: dict[str, Any] = {
    f.name: 0.0 for f in dataclasses.fields(Pass) if f.default is dataclasses.MISSING
}
NOTHING = Pass(**_ZEROS)
WRITTEN = (
    1024.0  # tokens of an answer, where only a rate is given that counts the wait for the first
)
PIECE = 512.0  # tokens of a micro-batch of prompts: llama.cpp's default


@dataclass(frozen=True)
class LocalWork:
    """Local runs, one or arrays: a pass, the least of it, how many passes' time it takes, its tokens."""

    work: Pass
    least: Pass
    passes: float
    fewest: float
    tokens: float
    first: Pass = NOTHING  # a token's share of the prompt, where the rate counts its reading

    def time(self, efficiency: Efficiency) -> Any:
        """Time to expect."""
        step = forecast.pass_time(self.work, efficiency)
        return self.passes * step + forecast.pass_time(self.first, efficiency)


def local_works(made: Sequence[LocalWork]) -> LocalWork:
    """Many local runs as one whose fields are arrays."""
    numbers = {n: np.array([getattr(w, n) for w in made]) for n in ("passes", "fewest", "tokens")}
    passes = {n: stacked([getattr(w, n) for w in made]) for n in ("work", "least", "first")}
    together: dict[str, Any] = passes | numbers
    return LocalWork(**together)


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
    drafts = GUESSED if row.speculates else 0.0
    context = row.prompt + WRITTEN / 2 if row.wall else max(row.context + row.prompt / 2, 1.0)
    work = decode_pass(row.batch, context, checkpoint, system, layout, tokens=1 + drafts)
    narrow = decode_pass(row.batch, context, spread, fastest, layout)
    fewest = least(narrow, row.batch, spread, fastest, layout)
    users = row.batch if row.aggregate else 1.0
    first = NOTHING
    if row.wall and row.prompt:
        reading = prompt_pass(row.batch, row.prompt, 0.0, checkpoint, system, layout)
        first = Pass(**{n: getattr(reading, n) / WRITTEN for n in reading.quantities()})
    kept = float(tokens_a_step(drafts, ACCEPTED)) if drafts else 1.0
    return LocalWork(work, fewest, 1.0 / kept, 1.0 / (1 + drafts), users, first)
