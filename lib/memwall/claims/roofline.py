"""Chapter 2: the roofline, the balance batch, trains and drains (ledger rows R1-R22)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.catalog import chip, model, table
from ..core.nouns import Model, System
from ..experiments import trains
from ..formulas import roofline
from . import claim

PAGE = "02_roofline#"
PERIOD = 0.020  # the lecture's timetable
RATE = 128e3  # the lecture's tokens a second of one domain
LECTURE = Model(n_total=800e9, n_active=100e9, bytes_per_param=1, name="sparsity 8")


def _rack(precision: str = "fp8") -> System:
    return chip("GB200").system(72, precision)


def _lecture_rack() -> System:
    """72 GPUs of 4.5e15 dense FLOP/s, 8 TB/s and 192 GB each, as the lecture has them."""
    return System(flops=72 * 4.5e15, bandwidth=72 * 8e12, capacity=72 * 192e9)


def _of_ratio(h: float) -> System:
    """A system that does `h` multiply-adds for each byte it loads."""
    return System(flops=2 * h * 8e12, bandwidth=8e12)


def _deepseek() -> Model:
    return model("DeepSeek-V3", weights="fp8")


def _symbols() -> tuple[Any, Model, System]:
    import sympy

    return sympy.Symbol("batch", positive=True), Model.symbolic(), System.symbolic()


@claim(
    "R1", "Weight fetch and weight multiply balance at one batch", stated=True,
    where=PAGE + "the-balance-batch",
)  # fmt: skip
def _balance() -> bool:
    import sympy

    batch, m, s = _symbols()
    equal = sympy.Eq(roofline.weight_time(m, s), roofline.compute_time(batch, m, s))
    return sympy.simplify(sympy.solve(equal, batch)[0] - roofline.balance_batch(m, s)) == 0


@claim(
    "R2", "A Blackwell does about 300 multiplies for each FP4 weight it loads", stated=300.0,
    where=PAGE + "what-the-300-is",
    reason="Multiply-adds a weight; a flash card calls it FLOP a byte, true at 16 bits only.",
)  # fmt: skip
def _three_hundred() -> float:
    weights = LECTURE.replace(bytes_per_param=0.5)
    return roofline.multiplies_per_weight(weights, chip("GB200").system(1, "fp4"))


@claim(
    "R3", "The ratio barely moved from A100 to H100 to B100",
    where=PAGE + "what-the-300-is",
    reason="Computed: largest over smallest of the three at bf16. Same order, not a constant.",
)  # fmt: skip
def _drift() -> float:
    weights = LECTURE.replace(bytes_per_param=2)
    of = [
        roofline.multiplies_per_weight(weights, chip(name).system(1, "bf16"))
        for name in ("A100", "H100", "B200")
    ]
    return max(of) / min(of)


@claim(
    "R4", "The batch must exceed 300 times the sparsity", stated=True,
    where=PAGE + "sparsity-by-parameters",
    reason="With total over active; a flash card also writes the inverse.",
)  # fmt: skip
def _rule() -> bool:
    rule = 300 * roofline.sparsity(LECTURE)
    return bool(np.isclose(roofline.balance_batch(LECTURE, _of_ratio(300)), rule))


@claim(
    "R5", "DeepSeek-V3 has a sparsity of 8", stated=8.0,
    where=PAGE + "sparsity-by-parameters",
    reason="By parameters, which is what the formula divides; 8 is its number of active experts.",
)  # fmt: skip
def _sparsity() -> float:
    return roofline.sparsity(_deepseek())


@claim(
    "R6", "So the batch is about two thousand", stated=2000.0, unit="sequences",
    where=PAGE + "sparsity-by-parameters",
    reason="300 times 8, rounded down aloud; by parameters it is more than twice as much.",
)  # fmt: skip
def _batch() -> float:
    return roofline.balance_batch(LECTURE, _of_ratio(300))


@claim(
    "R7", "The unit of that batch is sequences of different users", stated=True,
    where=PAGE + "the-balance-batch",
    reason="Each brings a cache of its own: one more sequence adds one more cache to read.",
)  # fmt: skip
def _sequences() -> bool:
    m, s = _deepseek(), _rack()
    one_more = roofline.memory_time(101, 5e3, m, s) - roofline.memory_time(100, 5e3, m, s)
    return bool(np.isclose(one_more, roofline.kv_time(1, 5e3, m, s)))


@claim(
    "R8", "Real systems run at two to three times the balance batch", stated=2.5,
    where=PAGE + "sparsity-by-parameters",
    reason="Computed for DeepSeek's decode unit of early 2025; the article says slightly larger.",
)  # fmt: skip
def _in_service() -> float:
    run = next(r for r in table("gpu_time") if r["name"] == "DeepSeek-V3 decode")
    per_chip = float(run["tokens"]) / (float(run["chips"]) * float(run["seconds"]))
    unit = float(run["unit_chips"])
    batch = per_chip * unit / float(run["tokens_per_second_per_user"])
    return batch / roofline.balance_batch(_deepseek(), chip("H800").system(unit))


@claim(
    "R9", "The KV cache raises the balance batch",
    where=PAGE + "the-cache-and-the-pole",
    reason="Computed: factor at half the balanced context. The pole beyond is ours.",
)  # fmt: skip
def _raised() -> float:
    m, s = _deepseek(), _rack()
    half = roofline.balanced_context(m, s) / 2
    return roofline.balance_batch_with_kv(half, m, s) / roofline.balance_batch(m, s)


@claim(
    "R10", "The balance batch does not depend on model size, only on sparsity", stated=True,
    where=PAGE + "the-balance-batch",
)  # fmt: skip
def _scale_free() -> bool:
    import sympy

    _, m, s = _symbols()
    scale = sympy.Symbol("scale", positive=True)
    larger = m.replace(n_total=scale * m.n_total, n_active=scale * m.n_active)
    return sympy.simplify(roofline.balance_batch(larger, s) - roofline.balance_batch(m, s)) == 0


@claim(
    "R11", "Trains leave on a clock, full or not", stated=True,
    where=PAGE + "experiment-the-train-timetable",
    reason="Where traffic is thin it is the only bearable rule: waiting to fill takes far longer.",
)  # fmt: skip
def _clock_beats_filling() -> bool:
    times = trains.random_arrivals(rate=1000, count=20_000)
    clocked = trains.on_the_clock(times, PERIOD)
    filled = trains.when_full(times, 2000, PERIOD)
    return bool(clocked.max() <= roofline.worst_wait(PERIOD) < filled.mean())


@claim(
    "R12", "A newcomer waits at most two periods, 40 ms", unit="s", verdict="agrees",
    where=PAGE + "experiment-the-train-timetable",
    reason="The worst is two periods as stated. Computed: the mean over random arrivals.",
)  # fmt: skip
def _newcomer() -> float:
    return roofline.mean_wait(PERIOD)


@claim(
    "R13", "Reading all of HBM once takes 20 ms", stated=PERIOD, unit="s",
    where=PAGE + "draining-the-memory",
    reason="Of an H100. A choice of timetable, no law: fewer resident bytes allow shorter steps.",
)  # fmt: skip
def _drain() -> float:
    return roofline.drain_time(chip("H100").system(1))


@claim(
    "R14", "Rubin drains its HBM in about 15 ms", stated=0.015, unit="s",
    where=PAGE + "draining-the-memory",
    reason="With the lecture's 20 TB/s; the part in the catalog is a little faster.",
)  # fmt: skip
def _drain_of_rubin() -> float:
    return roofline.drain_time(System(flops=35e15, bandwidth=20e12, capacity=288e9))


@claim(
    "R15", "HBM traffic is reads, almost no writes", stated=True,
    where=PAGE + "draining-the-memory",
    reason="The article says evacuate and replace; a step writes one token's cache a sequence.",
)  # fmt: skip
def _mostly_reads() -> bool:
    batch, context, m = 2000, 5000, _deepseek()
    written = batch * m.kv_bytes_per_token
    return bool(written < 0.01 * roofline.resident_bytes(batch, context, m))


@claim(
    "R16", "A 30 ms train would read the HBM twice for nothing", stated=2.0,
    where=PAGE + "draining-the-memory",
)  # fmt: skip
def _twice() -> float:
    return 0.030 / roofline.drain_time(System(flops=35e15, bandwidth=20e12, capacity=288e9))


@claim(
    "R17", "One domain emits 128,000 tokens a second", stated=RATE, unit="token/s",
    where=PAGE + "two-numbers-that-do-not-fit",
    reason="2,000 every 15 ms; 128,000 comes from 64 departures a second, a handy power of two.",
)  # fmt: skip
def _domain_rate() -> float:
    return roofline.token_rate(2000, 0.015)


@claim(
    "R18", "That is a thousandth of a large provider's traffic", stated=1e-3,
    where=PAGE + "two-numbers-that-do-not-fit",
    reason="Of the 500 million a second that the same lecture uses later, a quarter of that.",
)  # fmt: skip
def _share() -> float:
    return RATE / 500e6


@claim(
    "R19", "A balanced batch of 2,400 leaves on a 20 ms train", unit="s",
    where=PAGE + "two-numbers-that-do-not-fit",
    reason="Not noticed in the lecture. Computed: its arithmetic, over long before the train is.",
)  # fmt: skip
def _arithmetic_of_a_train() -> float:
    return roofline.compute_time(2400, _deepseek(), _lecture_rack())


@claim(
    "R20", "The batch that is balanced and reads all of HBM", unit="sequences",
    where=PAGE + "two-numbers-that-do-not-fit",
    reason="Not in the lecture: capacity takes the place of the weights.",
)  # fmt: skip
def _full_batch() -> float:
    return roofline.full_drain_batch(_deepseek(), _lecture_rack())


@claim(
    "R21", "128,000 tokens a second, for each of 72 GPUs", unit="token/s",
    where=PAGE + "two-numbers-that-do-not-fit",
    reason="Close to what DeepSeek measured on an older chip: a lucky agreement, given R19.",
)  # fmt: skip
def _per_gpu() -> float:
    return RATE / 72


@claim(
    "R22", "A decode step is bound by weights, by arithmetic or by the KV cache", stated=True,
    where=PAGE + "three-regimes",
)  # fmt: skip
def _three_regimes() -> bool:
    m, s = _deepseek(), _rack()
    batch, context = np.geomspace(1, 1e6, 60)[:, None], np.geomspace(100, 1e6, 60)
    arithmetic, weights, caches = roofline.regimes(batch, context, m, s)
    pace = np.argmax(np.broadcast_arrays(arithmetic, weights, caches), axis=0)
    balanced = batch >= roofline.balance_batch_with_kv(context, m, s)
    return set(pace.flat) == {0, 1, 2} and bool(((pace == 0) == balanced).all())
