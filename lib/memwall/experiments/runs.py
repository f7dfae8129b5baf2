"""Published measurements of today's machines, a class of rows for each way of measuring.

- `Served`: a closed loop, so many clients that each keep one request in flight;
- `Open`: an open loop, requests that arrive at a rate and do not wait for each other;
- `Local`: one user (or one batch) of a machine at home;
- `Cookbook`: a recipe's own closed loop, its layout named in words.

The tables `runs_served`, `runs_open_loop`, `runs_local` and `runs_cookbook` ship with the library;
`read` takes a file with the same columns, told apart by them, and `from_benchmark` what
`vllm bench serve` and SGLang's `bench_serving` write. Each row of a shipped table says in `part`
whether a fit may look at it: all rows of one source and one configuration stay together
(`part_of`), so that what is held out is another machine, model, engine or layout, not another
point of the same curve.
"""

from __future__ import annotations

import csv
import functools
import hashlib
import io
import json
import math
import re
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import catalog
from ..core.nouns import Layout, suggest
from ..core.units import MILLISECOND, InputError

PARTS = ("fit", "held out")
HELD_OUT = 0.3  # of the configurations of a source
Row = Mapping[str, str]


@dataclass(frozen=True)
class Measured:
    """What every row says: where it comes from and how far to trust it."""

    id: str
    source: str
    url: str
    date: str
    confidence: str
    doubts: str
    model: str
    chip: str
    engine: str
    weights: str

    @property
    def configuration(self) -> str:
        """What was run, apart from lengths and load: rows that share it are one curve."""
        return "|".join((self.model, self.chip, self.engine, self.weights))

    @property
    def part(self) -> str:
        """ "fit" or "held out"."""
        return part_of(self.source, self.configuration)


@dataclass(frozen=True)
class Served(Measured):
    """Requests of `prompt` + `output` tokens, `concurrency` of them in flight all the time.

    One engine (`mode` "agg") reads and writes: `decode` is its layout and `prefill` the same. In
    "disagg", `prefill_workers` engines read and `decode_workers` write, each with a layout of its
    own; how many there are is often not said (`None`). `ttft` (`None` if not given) and `tpot` are
    mean seconds. `speculates` marks rows that predict several tokens a step, as they say or as
    `probably_speculating` finds.
    """

    engine_version: str
    mode: str
    prompt: float
    output: float
    concurrency: float
    prefill: Layout
    decode: Layout
    prefill_workers: float | None
    decode_workers: float | None
    decode_batch: float | None
    ttft: float | None
    tpot: float
    speculates: bool

    @property
    def configuration(self) -> str:
        cuts = (f"{c.tp:g}x{c.dp:g}x{c.ep:g}x{c.pp:g}" for c in (self.prefill, self.decode))
        return "|".join((super().configuration, self.mode, *cuts))


@dataclass(frozen=True)
class Open(Measured):
    """Requests that arrive at `rate` a second, evenly or (`poisson`) at random.

    A rate, a length, a layout or a time that the source does not publish is `None`; `complete` says
    whether there is enough to compute with. Times are mean seconds unless named otherwise.
    """

    chips: float | None
    layout: Layout | None
    total: float | None  # parameters, where the row gives them
    active: float | None
    poisson: bool
    rate: float | None
    achieved: float | None
    prompt: float | None
    output: float | None
    max_sequences: float | None
    max_batched_tokens: float | None
    ttft: float | None
    ttft_p90: float | None
    ttft_p99: float | None
    tpot: float | None
    tpot_p99: float | None
    request: float | None
    failures: float

    @property
    def complete(self) -> bool:
        """Whether rate, lengths and layout are all known."""
        return None not in (self.rate, self.prompt, self.output, self.layout)

    @property
    def configuration(self) -> str:
        cut = self.layout and f"{self.layout.tp:g}x{self.layout.dp:g}"
        return "|".join((super().configuration, f"{self.chips}", f"{cut}"))


@dataclass(frozen=True)
class Local(Measured):
    """Tokens a second of one user: `test` is "decode" or "prefill".

    `weight_bytes` is the file's size, or parameters times bits a weight. `context` tokens were in
    the cache before; `prompt` tokens were read (0 in a decode alone). `wall` rates count the first
    token's wait; `aggregate` ones add up a batch.
    """

    total: float
    active: float
    weight_bytes: float
    chips: float
    test: str
    wall: bool
    aggregate: bool
    prompt: float
    context: float
    batch: float
    tokens_per_second: float
    speculates: bool

    @property
    def configuration(self) -> str:
        return "|".join((super().configuration, f"{self.chips:g}"))


@dataclass(frozen=True)
class Cookbook(Measured):
    """A recipe's own measurement: a closed loop on `chips` chips, its layout not stated."""

    chips: float | None
    strategy: str
    prompt: float
    output: float
    concurrency: float
    ttft: float
    tpot: float
    tokens_per_second_per_chip: float
    speculates: bool

    @property
    def configuration(self) -> str:
        return "|".join((super().configuration, f"{self.chips}"))


# ---- which rows may be looked at -----------------------------------------------------------------


def publisher(source: str) -> str:
    """Who published: the source up to its first comma, so that two dumps of one count as one.

    >>> publisher("InferenceX, dump of 2026-03-25")
    'InferenceX'
    """
    return source.partition(",")[0].strip()


def part_of(source: str, configuration: str) -> str:
    """Whether the rows of a publisher's configuration belong to the fit or are held out.

    Decided by a hash of the two, so that neither order nor taste has a say and a new row of
    an old configuration lands where the others are.
    """
    digest = hashlib.sha256(f"{publisher(source)}|{configuration}".encode()).hexdigest()
    return PARTS[int(digest[:8], 16) < HELD_OUT * 2**32]


SPECULATES = 1.4  # times faster than like rows: between 1.43 and 1.21 lies a gap
LIKE_ROWS = 3  # a recipe must be compared at least so often


def probably_speculating(runs: Sequence[Served]) -> set[str]:
    """The ids of rows whose recipe probably predicts several tokens a step without saying so.

    A recipe is a model, chip, width, engine and version. Each of its rows is compared with the
    median time per token of other recipes on as many chips, at the same lengths and load; a recipe
    whose median row is `SPECULATES` times faster, over `LIKE_ROWS` comparisons or more, is taken
    to speculate, all rows of it. Pools (`mode` "disagg") state too little to be compared.
    """

    def recipe(r: Served) -> tuple[str, ...]:
        return (r.model, r.chip, r.weights, r.engine, r.engine_version)

    alike: dict[Any, list[Served]] = defaultdict(list)
    for r in runs:
        if r.mode == "agg":
            key = (r.model, r.chip, r.weights, r.prompt, r.output, r.concurrency, r.decode.chips)
            alike[key].append(r)
    faster: dict[tuple[str, ...], list[float]] = defaultdict(list)
    for group in alike.values():
        for r in group:
            others = [o.tpot for o in group if recipe(o) != recipe(r)]
            if others:
                faster[recipe(r)].append(statistics.median(others) / r.tpot)
    found = {
        name
        for name, ratios in faster.items()
        if len(ratios) >= LIKE_ROWS and statistics.median(ratios) >= SPECULATES
    }
    return {r.id for r in runs if r.mode == "agg" and recipe(r) in found}


# ---- one row -------------------------------------------------------------------------------------


class _Fields:
    """The cells of a row, read one by one; what is wrong is said with its name."""

    def __init__(self, row: Row) -> None:
        if None in row or None in row.values():
            raise InputError(f"row {row.get('id')!r} has not as many fields as the header")
        self.row = {name: value.strip() for name, value in row.items()}
        self.doubts = [self.text("doubts", "")] if self.row.get("doubts") else []

    def text(self, name: str, default: str | None = None) -> str:
        value = self.row.get(name) or default
        if value is None:
            raise InputError(f"{name} is empty")
        return value

    def number(
        self, name: str, least: float = 0.0, default: float | None = None, above: bool = False
    ) -> float:
        value = self.row.get(name, "")
        if not value and default is not None:
            return default
        try:
            found = float(value)
        except ValueError:
            raise InputError(f"{name} = {value!r} is not a number") from None
        if not math.isfinite(found) or found < least or (above and found == least):
            bound = "greater than" if above else "at least"
            raise InputError(f"{name} = {value} must be finite and {bound} {least:g}")
        return found

    def maybe(self, name: str, least: float = 0.0) -> float | None:
        """A number, or None where the source gives none; words are kept as a doubt, and the number
        that they begin with, if any: "<=6 (stage 2)", "9,400 in on average".
        """
        value = self.row.get(name, "")
        if not value:
            return None
        try:
            float(value)
        except ValueError:
            self.doubts.append(f"{name}: {value}")
            leading = re.match(r"(?:<=|~)?\s*(\d[\d,]*(?:\.\d+)?)\b", value)
            found = float(leading[1].replace(",", "")) if leading else None
            return None if found is None or found < least else found
        return self.number(name, least)

    def milliseconds(self, name: str) -> float:
        return self.number(name, above=True) * MILLISECOND

    def maybe_milliseconds(self, name: str) -> float | None:
        found = self.number(name, above=True) if self.row.get(name) else None
        return None if found is None else found * MILLISECOND

    def common(self, chip: str, weights: str) -> dict[str, str]:
        """The fields of `Measured`; to be asked for last, when all doubts are known."""
        catalog.bytes_per_element(weights)
        confidence = self.text("confidence", "medium")
        if confidence not in catalog.CONFIDENCE:
            raise InputError(
                f"confidence {confidence!r} is none of {', '.join(catalog.CONFIDENCE)}"
            )
        return {
            "id": self.text("id"),
            "source": self.text("source", "a file"),
            "url": self.text("url", ""),
            "date": self.row.get("date") or self.row.get("measured_on") or "",
            "confidence": confidence,
            "doubts": "; ".join(self.doubts),
            "model": self.text("model"),
            "chip": chip,
            "engine": self.text("engine", ""),
            "weights": weights,
        }


def chip_name(said: str) -> str:
    """The catalog's name of a chip as benchmarks print it: vendor, memory size and count left off.

    >>> chip_name("AMD Instinct MI325X 256GB HBM3e"), chip_name("NVIDIA B200-SXM-180GB")
    ('MI325X', 'B200')
    """
    shorter = re.sub(r"(?i)^(NVIDIA|AMD Instinct|AMD|Intel|Google)\s+", "", said.strip())
    for name in (said, shorter, re.sub(r"(?i)[ -]\d+ ?GB.*$", "", shorter)):
        for spelt in (name, name.replace("-", " ")):
            try:
                return catalog.chip(spelt).name
            except InputError as error:
                problem = error
    raise problem


def _layout(f: _Fields, before: str = "") -> Layout:
    tp = f.number(f"{before}tp", 1)
    ep = f.number(f"{before}expert_ep", 1, default=1.0)
    dp = f.number(f"{before}attention_dp", 1, default=1.0)
    # experts lie on the chips of one engine: where more than tp x dp, users are spread over the rest
    return Layout(tp=tp, dp=max(dp, ep / tp), ep=ep, pp=f.number(f"{before}pp", 1, default=1.0))


def _served(row: Row) -> Served:
    f = _Fields(row)
    mode = f.text("mode", "agg")
    if mode not in ("agg", "disagg"):
        raise InputError(
            f"mode {mode!r} is neither 'agg' nor 'disagg'.{suggest(mode, ('agg', 'disagg'))}"
        )
    pools = mode == "disagg"
    decode = _layout(f, "decode_" if pools else "")
    said = f.text("speculates", "no")
    if said not in ("yes", "no"):
        raise InputError(f"speculates = {said!r} must be yes or no")
    return Served(
        engine_version=f.text("engine_version", ""),
        mode=mode,
        prompt=f.number("prompt", 1),
        output=f.number("output", 1),
        concurrency=f.number("concurrency", 1),
        prefill=_layout(f, "prefill_") if pools else decode,
        decode=decode,
        prefill_workers=f.maybe("prefill_workers", 1) if pools else 1.0,
        decode_workers=f.maybe("decode_workers", 1) if pools else 1.0,
        decode_batch=f.maybe("decode_batch", 1),
        ttft=f.number("ttft_s", above=True) if f.row.get("ttft_s") else None,
        tpot=f.number("tpot_s", above=True),
        speculates=said == "yes",
        **f.common(chip_name(f.text("chip")), f.text("weights")),
    )


def _open(row: Row) -> Open:
    f = _Fields(row)
    said = f.text("layout", "")
    cut = re.fullmatch(r"(?i)TP(\d+)(?: DP(\d+))?", said)
    if said and not cut:
        f.doubts.append(f"layout: {said}")
    load = f.text("load", "")
    if not any(f.row.get(name) for name in ("ttft_mean_ms", "tpot_mean_ms", "e2e_mean_ms")):
        raise InputError("no time is given: ttft_mean_ms, tpot_mean_ms and e2e_mean_ms are empty")
    return Open(
        chips=f.maybe("n_chips", 1),
        layout=Layout(tp=float(cut[1]), dp=float(cut[2] or 1)) if cut else None,
        total=None if (total := f.maybe("params_total_b")) is None else total * 1e9,
        active=None if (active := f.maybe("params_active_b")) is None else active * 1e9,
        poisson=load.lower().startswith("poisson"),
        rate=f.maybe("rate_requests_per_s"),
        achieved=f.maybe("achieved_requests_per_s"),
        prompt=f.maybe("prompt_tokens"),
        output=f.maybe("output_tokens"),
        max_sequences=f.maybe("max_num_seqs", 1),
        max_batched_tokens=f.maybe("max_batched_tokens", 1),
        ttft=f.maybe_milliseconds("ttft_mean_ms"),
        ttft_p90=f.maybe_milliseconds("ttft_p90_ms"),
        ttft_p99=f.maybe_milliseconds("ttft_p99_ms"),
        tpot=f.maybe_milliseconds("tpot_mean_ms"),
        tpot_p99=f.maybe_milliseconds("tpot_p99_ms"),
        request=f.maybe_milliseconds("e2e_mean_ms"),
        failures=f.number("failures", default=0.0),
        **f.common(chip_name(f.text("chip")), f.text("weights")),
    )


def _local(row: Row) -> Local:
    f = _Fields(row)
    said = f.text("test")
    test, _, how = said.partition(" ")
    if test not in ("decode", "prefill"):
        raise InputError(
            f"test {said!r} is neither decode nor prefill.{suggest(test, ('decode', 'prefill'))}"
        )
    total = f.number("params_total_b", above=True) * 1e9
    active = f.number("params_active_b", above=True) * 1e9
    if active > total:
        raise InputError(f"params_active_b = {active / 1e9:g} is larger than params_total_b")
    file, bits = f.maybe("file_gib"), f.maybe("bits_per_weight")
    if file is None and bits is None:
        raise InputError("neither file_gib nor bits_per_weight: how large are the weights?")
    weight_bytes = file * 2**30 if file is not None else total * (bits or 0) / 8
    if weight_bytes <= 0:
        raise InputError("file_gib or bits_per_weight must be greater than 0")
    note = f.text("note", "")
    return Local(
        total=total,
        active=active,
        weight_bytes=weight_bytes,
        chips=f.number("n_chips", 1, default=1.0),
        test=test,
        wall="wall" in how or "TTFT" in how,
        aggregate="aggregate" in how,
        prompt=f.number("prompt", default=0.0),
        context=f.number("context", default=0.0),
        batch=f.number("batch", 1, default=1.0),
        tokens_per_second=f.number("tokens_per_second", above=True),
        speculates=note.startswith("speculative"),
        # files keep tensors of several widths: their size says it, no name of a width does
        **{
            **f.common(chip_name(f.text("chip")), "bf16"),
            "weights": _width_name(weight_bytes, total),
        },
    )


def _width_name(weight_bytes: float, total: float) -> str:
    return f"{8 * weight_bytes / total:.2f} bits"


def _cookbook(row: Row) -> Cookbook:
    f = _Fields(row)
    said = f.text("chip")
    count = re.fullmatch(r"(.*?)(?: x(\d+))?", said)
    assert count  # the pattern takes any text
    strategy = f.text("strategy", "")
    return Cookbook(
        chips=float(count[2]) if count[2] else None,
        strategy=strategy,
        prompt=f.number("prompt", 1),
        output=f.number("output", 1),
        concurrency=f.number("max_concurrency", 1),
        ttft=f.milliseconds("ttft_mean_ms"),
        tpot=f.milliseconds("tpot_mean_ms"),
        tokens_per_second_per_chip=f.number("tokens_per_s_per_gpu_total_in_plus_out"),
        speculates=bool(re.search(r"(?i)low-latency|speculat|EAGLE|MTP", strategy)),
        **f.common(chip_name(count[1]), f.text("weights")),
    )


# ---- tables and files ----------------------------------------------------------------------------

KINDS: dict[str, tuple[Callable[[Row], Any], str, tuple[str, ...]]] = {
    "served": (_served, "runs_served", (
        "id", "model", "chip", "weights", "mode", "prompt", "output", "concurrency", "ttft_s",
        "tpot_s",
    )),
    "open": (_open, "runs_open_loop", (
        "id", "model", "chip", "weights", "layout", "load", "rate_requests_per_s",
        "prompt_tokens", "output_tokens", "ttft_mean_ms", "tpot_mean_ms",
    )),
    "local": (_local, "runs_local", (
        "id", "model", "params_total_b", "params_active_b", "chip", "test", "tokens_per_second",
    )),
    "cookbook": (_cookbook, "runs_cookbook", (
        "id", "model", "chip", "weights", "strategy", "prompt", "output", "max_concurrency",
        "ttft_mean_ms", "tpot_mean_ms", "tokens_per_s_per_gpu_total_in_plus_out",
    )),
    "whole": (dict, "measured", (
        "id", "model", "n_total", "n_active", "n_layers", "d_model", "bytes_per_param",
        "kv_bytes_per_token", "hardware", "n_chips", "compute_precision", "pipeline_stages", "batch",
        "prompt_tokens", "output_tokens", "context_before", "measured_s",
    )),
}  # fmt: skip


def kind_of(columns: Iterable[str]) -> str:
    """Which kind of rows a table with these columns holds, a name of `KINDS`.

    >>> kind_of("id model chip params_total_b params_active_b test tokens_per_second".split())
    'local'
    """
    given = set(columns)
    missing = {kind: [c for c in needed if c not in given] for kind, (*_, needed) in KINDS.items()}
    whole = [kind for kind, absent in missing.items() if not absent]
    if len(whole) == 1:
        return whole[0]
    if whole:
        raise InputError(f"the columns fit {' and '.join(whole)}: say which by leaving some out")
    nearest = min(missing, key=lambda kind: len(missing[kind]))
    raise InputError(
        f"the columns are those of no kind of run; nearest is {nearest!r}, which lacks "
        f"{', '.join(missing[nearest])}"
    )


def load(kind: str) -> tuple[Any, ...]:
    """The shipped rows of a kind: `load("served")` is a tuple of `Served`."""
    if kind not in KINDS:
        raise InputError(
            f"no runs of kind {kind!r}.{suggest(kind, KINDS)} Known: {', '.join(KINDS)}"
        )
    return _shipped(kind)


@functools.cache
def _shipped(kind: str) -> tuple[Any, ...]:
    make, name, _ = KINDS[kind]
    return tuple(map(make, catalog.table(name)))


def served() -> tuple[Served, ...]:
    """Public closed-loop benchmarks of 2025 and 2026."""
    return load("served")


def open_loop() -> tuple[Open, ...]:
    """Public request-rate sweeps."""
    return load("open")


def local() -> tuple[Local, ...]:
    """Public single-user runs on cards, workstations and small machines."""
    return load("local")


def cookbook() -> tuple[Cookbook, ...]:
    """Recipes' own measurements."""
    return load("cookbook")


def read(path: str | Path) -> tuple[str, list[Any], list[str]]:
    """The kind of a CSV file, its rows, and a line for each row that is none: where, and why.

    Rows of kind "whole" are `validate.read`'s and come back as they stand.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"cannot read {path}: {getattr(error, 'strerror', None) or error}"
        ) from None
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
    except csv.Error as error:
        raise InputError(f"{path} line 1: {error}") from None
    kind = kind_of(reader.fieldnames)
    make, rows, complaints, seen = KINDS[kind][0], [], [], set()
    lines = iter(reader)
    while True:
        try:
            row = next(lines, None)
            if row is None:
                break
            made = make(row)
            name = made["id"] if isinstance(made, dict) else made.id
            if name in seen:
                raise InputError(f"id {name!r} appears twice")
            seen.add(name)
            rows.append(made)
        except (InputError, csv.Error) as error:
            complaints.append(f"{path} line {reader.line_num}: {error}")
    return kind, rows, complaints


# ---- what benchmarks write -----------------------------------------------------------------------


def from_benchmark(
    path: str | Path,
    model: str,
    chip: str,
    weights: str,
    layout: Layout | None = None,
    engine: str = "",
) -> list[Served | Open]:
    """Rows of a result file of `vllm bench serve` or SGLang's `bench_serving`: JSON, or JSON lines.

    The files do not say on what they were measured: model, chip, stored width and layout (one
    chip, if none is given) are the caller's. A finite request rate makes an `Open` row, otherwise
    it is a `Served` one, all requests at once in flight unless `max_concurrency` says fewer.
    """
    layout = layout or Layout()
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"cannot read {path}: {getattr(error, 'strerror', None) or error}"
        ) from None
    rows: list[Served | Open] = []
    for number, result in enumerate(_objects(text, path), start=1):
        where = f"{Path(path).stem}-{number}"
        try:
            rows.append(_benchmark(result, where, model, chip, weights, layout, engine))
        except InputError as error:
            raise InputError(f"{path}, result {number}: {error}") from None
    return rows


def _objects(text: str, path: str | Path) -> list[dict[str, Any]]:
    try:
        whole = json.loads(text)
        found = whole if isinstance(whole, list) else [whole]
    except ValueError:
        try:
            found = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError as error:
            raise InputError(f"{path} is not JSON: {error}") from None
    if not found or not all(isinstance(one, dict) for one in found):
        raise InputError(f"{path} holds no benchmark results (JSON objects)")
    return found


def _benchmark(
    result: dict[str, Any],
    where: str,
    model: str,
    chip: str,
    weights: str,
    layout: Layout,
    engine: str,
) -> Served | Open:
    def number(name: str) -> float:
        value = result.get(name)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            raise InputError(
                f"{name} is {value!r}: neither vLLM's nor SGLang's result file, or an unfinished run"
            )
        return float(value)

    completed = number("completed")
    if completed < 1:
        raise InputError("completed = 0: no request came through")
    tokens = {
        "prompt": number("total_input_tokens") / completed,
        "output": number("total_output_tokens") / completed,
    }
    said = result.get("request_rate") or math.inf
    try:
        rate = float(said)  # vLLM writes "inf"
    except (TypeError, ValueError):
        raise InputError(f"request_rate is {said!r}, not a number") from None
    concurrency = float(result.get("max_concurrency") or completed)
    accepted = result.get("spec_decode_acceptance_length") or result.get("accept_length") or 1.0
    doubts = [f"{result[name]} requests failed" for name in ("failed",) if result.get(name)] + [
        f"{accepted:g} tokens a step accepted" for _ in [0] if accepted > 1
    ]
    shared = {
        "id": where,
        "source": where,
        "date": str(result.get("date", "")),
        "model": model,
        "chip": chip,
        "weights": weights,
        "engine": engine or str(result.get("backend", "")),
        "doubts": "; ".join(doubts),
    }
    if math.isfinite(rate):
        burst = float(result.get("burstiness") or 1.0)
        return _open({
            **shared,
            "n_chips": f"{layout.chips}",
            "layout": f"TP{layout.tp:.0f} DP{layout.dp:.0f}",
            "load": "Poisson" if burst == 1 else f"gamma, burstiness {burst:g}",
            "rate_requests_per_s": f"{rate!r}",
            "achieved_requests_per_s": f"{number('request_throughput')!r}",
            "prompt_tokens": f"{tokens['prompt']!r}",
            "output_tokens": f"{tokens['output']!r}",
            "ttft_mean_ms": f"{number('mean_ttft_ms')!r}",
            "ttft_p99_ms": f"{result.get('p99_ttft_ms') or ''}",
            "tpot_mean_ms": f"{number('mean_tpot_ms')!r}",
            "tpot_p99_ms": f"{result.get('p99_tpot_ms') or ''}",
            "failures": f"{result.get('failed') or ''}",
        })  # fmt: skip
    return _served({
        **shared,
        "mode": "agg",
        "prompt": f"{tokens['prompt']!r}",
        "output": f"{tokens['output']!r}",
        "concurrency": f"{min(concurrency, completed)!r}",
        "tp": f"{layout.tp}",
        "attention_dp": f"{layout.dp}",
        "expert_ep": f"{layout.ep}",
        "pp": f"{layout.pp}",
        "ttft_s": f"{number('mean_ttft_ms') * MILLISECOND!r}",
        "tpot_s": f"{number('mean_tpot_ms') * MILLISECOND!r}",
        "speculates": "yes" if accepted > 1 else "no",
    })  # fmt: skip
