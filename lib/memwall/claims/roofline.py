"""Chapter 2: the roofline, the balance batch, trains and drains (ledger rows R1-R22)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..catalog import chip, model, table
from ..core.nouns import Model, System
from ..experiments import trains
from ..formulas import roofline
from . import stated

PERIOD = stated("R13")  # the lecture's timetable
RATE = stated("R17")  # the lecture's tokens a second of one domain
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


def r1_balance() -> bool:
    import sympy

    batch, m, s = _symbols()
    equal = sympy.Eq(roofline.weight_time(m, s), roofline.compute_time(batch, m, s))
    return sympy.simplify(sympy.solve(equal, batch)[0] - roofline.balance_batch(m, s)) == 0


def r2_three_hundred() -> float:
    weights = LECTURE.replace(bytes_per_param=0.5)
    return roofline.multiplies_per_weight(weights, chip("GB200").system(1, "fp4"))


def r3_drift() -> float:
    weights = LECTURE.replace(bytes_per_param=2)
    of = [
        roofline.multiplies_per_weight(weights, chip(name).system(1, "bf16"))
        for name in ("A100", "H100", "B200")
    ]
    return max(of) / min(of)


def r4_rule() -> bool:
    rule = 300 * roofline.sparsity(LECTURE)
    return bool(np.isclose(roofline.balance_batch(LECTURE, _of_ratio(300)), rule))


def r5_sparsity() -> float:
    return roofline.sparsity(_deepseek())


def r6_batch() -> float:
    return roofline.balance_batch(LECTURE, _of_ratio(300))


def r7_sequences() -> bool:
    m, s = _deepseek(), _rack()
    one_more = roofline.memory_time(101, 5e3, m, s) - roofline.memory_time(100, 5e3, m, s)
    return bool(np.isclose(one_more, roofline.kv_time(1, 5e3, m, s)))


def r8_in_service() -> float:
    run = next(r for r in table("gpu_time") if r["name"] == "DeepSeek-V3 decode")
    per_chip = float(run["tokens"]) / (float(run["chips"]) * float(run["seconds"]))
    unit = float(run["unit_chips"])
    batch = per_chip * unit / float(run["tokens_per_second_per_user"])
    return batch / roofline.balance_batch(_deepseek(), chip("H800").system(unit))


def r9_raised() -> float:
    m, s = _deepseek(), _rack()
    half = roofline.balanced_context(m, s) / 2
    return roofline.balance_batch_with_kv(half, m, s) / roofline.balance_batch(m, s)


def r10_scale_free() -> bool:
    import sympy

    _, m, s = _symbols()
    scale = sympy.Symbol("scale", positive=True)
    larger = m.replace(n_total=scale * m.n_total, n_active=scale * m.n_active)
    return sympy.simplify(roofline.balance_batch(larger, s) - roofline.balance_batch(m, s)) == 0


def r11_clock_beats_filling() -> bool:
    times = trains.random_arrivals(rate=1000, count=20_000)
    clocked = trains.on_the_clock(times, PERIOD)
    filled = trains.when_full(times, 2000, PERIOD)
    return bool(clocked.max() <= roofline.worst_wait(PERIOD) < filled.mean())


def r12_newcomer() -> float:
    return roofline.mean_wait(PERIOD)


def r13_drain() -> float:
    return roofline.drain_time(chip("H100").system(1))


def r14_drain_of_rubin() -> float:
    return roofline.drain_time(System(flops=35e15, bandwidth=20e12, capacity=288e9))


def r15_mostly_reads() -> bool:
    batch, context, m = 2000, 5000, _deepseek()
    written = batch * m.kv_bytes_per_token
    return bool(written < 0.01 * roofline.resident_bytes(batch, context, m))


def r16_twice() -> float:
    return 0.030 / roofline.drain_time(System(flops=35e15, bandwidth=20e12, capacity=288e9))


def r17_domain_rate() -> float:
    return roofline.token_rate(2000, 0.015)


def r18_share() -> float:
    return RATE / 500e6


def r19_arithmetic_of_a_train() -> float:
    return roofline.compute_time(2400, _deepseek(), _lecture_rack())


def r20_full_batch() -> float:
    return roofline.full_drain_batch(_deepseek(), _lecture_rack())


def r21_per_gpu() -> float:
    return RATE / 72


def r22_three_regimes() -> bool:
    m, s = _deepseek(), _rack()
    batch, context = np.geomspace(1, 1e6, 60)[:, None], np.geomspace(100, 1e6, 60)
    arithmetic, weights, caches = roofline.regimes(batch, context, m, s)
    pace = np.argmax(np.broadcast_arrays(arithmetic, weights, caches), axis=0)
    balanced = batch >= roofline.balance_batch_with_kv(context, m, s)
    return set(pace.flat) == {0, 1, 2} and bool(((pace == 0) == balanced).all())
