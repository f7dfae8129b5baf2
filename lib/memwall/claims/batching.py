"""Chapter 1: batching, latency and cost (ledger rows B1-B23)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..catalog import chip, model, table
from ..core.nouns import Model, System
from ..formulas import batching, roofline

PRICE, SPEED = 6, 2.5  # the offer the lecture opens with
H, S = 300, 8  # the lecture's round numbers: multiply-adds per weight, sparsity


def _rack(dollars_per_hour: float | None = None) -> System:
    return chip("GB200").system(72, "fp8", dollars_per_hour)


def _symbols() -> tuple[Any, Any, Model, System]:
    import sympy

    batch, context = sympy.symbols("batch context", positive=True)
    return batch, context, Model.symbolic(), System.symbolic()


def b1_premium_today() -> float:
    offers = [r for r in table("prices") if r["fast_output"] and r["output"]]
    newest = max(offers, key=lambda r: r["date"])
    return float(newest["fast_output"]) / float(newest["output"])


def b2_hundredfold() -> float:
    # t = a + c B with a = 1: the puzzle fixes c B_n and so the whole curve, whatever B_n is
    normal = batching.speed_ceiling(PRICE, SPEED)  # t_n / a
    slope = normal - 1  # c B_n, in units of a
    share = 1 / (100 * normal - slope)  # B / B_n from (1 + slope x) / x = 100 normal
    return normal / (1 + slope * share)


def b3_patience() -> bool:
    return batching.slow_mode_floor(PRICE, SPEED) > 0.5


def b5_rack_size() -> float:
    return _rack().chips


def b6_sum_over_max() -> float:
    m = Model(n_total=1e12, n_active=1e12, bytes_per_param=1, kv_bytes_per_token=0)
    s = System(flops=1e15, bandwidth=1e12)
    batch = np.geomspace(1, 1e6, 601) * roofline.balance_batch(m, s) / 1e3
    batch = batch[batch >= 1]
    return (roofline.serial_step_time(batch, 0, m, s) / roofline.step_time(batch, 0, m, s)).max()


def b7_compute() -> bool:
    import sympy

    batch, _, m, s = _symbols()
    multiplies_per_second = s.flops / 2
    return sympy.simplify(roofline.compute_time(batch, m, s) - batch * m.n_active / multiplies_per_second) == 0  # fmt: skip


def b8_memory() -> bool:
    import sympy

    batch, context, m, s = _symbols()
    parts = roofline.weight_time(m, s) + roofline.kv_time(batch, context, m, s)
    return sympy.simplify(roofline.memory_time(batch, context, m, s) - parts) == 0


def b9_sizes() -> float:
    return model("DeepSeek-V3").n_total


def b10_one_token_each() -> bool:
    # per-user speed times users is the token rate: one token for each sequence, none for prompts
    m, s = model("DeepSeek-V3"), _rack()
    t = roofline.step_time(256, 1000, m, s)
    return bool(np.isclose(roofline.token_rate(256, t), 256 * (1 / t)))


def b11_ruin() -> float:
    return batching.unbatched_penalty(H, S)


def b12_attention_is_reading() -> bool:
    # FLOP per cache byte of attention, against the FLOP per byte the chip could do
    m, s = model("Llama-3.1-70B"), chip("H100").system(8, "bf16")
    per_byte = 2 * m.attention_width * m.layers / m.kv_bytes_per_token
    return bool(per_byte < roofline.ridge_point(s) / 10)


def b13_batches() -> float:
    return batching.fast_batch_ratio(PRICE, SPEED)


def b14_floor() -> float:
    return batching.slow_mode_floor(PRICE, SPEED)


def b15_ceiling() -> float:
    return batching.speed_ceiling(PRICE, SPEED)


def b16_weight_floor() -> float:
    return roofline.weight_time(model("DeepSeek-V3"), _rack())


def b17_slopes() -> bool:
    m, s = model("DeepSeek-V3"), _rack()
    tie = roofline.balanced_context(m, s)
    crowd = 1e9

    def busy(share: float) -> bool:
        return roofline.compute_utilisation(crowd, share * tie, m, s) == 1

    return busy(0.99) and not busy(1.01)


def b18_balanced() -> bool:
    import sympy

    batch, context, m, s = _symbols()
    slopes = (sympy.diff(f, batch) for f in (roofline.compute_time(batch, m, s), roofline.kv_time(batch, context, m, s)))  # fmt: skip
    found = sympy.solve(sympy.Eq(*slopes), context)
    return sympy.simplify(found[0] - roofline.balanced_context(m, s)) == 0


def b19_half() -> float:
    m, s = model("DeepSeek-V3"), _rack()
    return round(roofline.compute_utilisation(1e15, 2 * roofline.balanced_context(m, s), m, s), 9)


def b20_root() -> float:
    return np.sqrt(200_000)


def b21_rent() -> float:
    return batching.rent_per_token(_rack(2).dollars_per_second, 128_000) * 1e6


def b22_shape() -> bool:
    import sympy

    batch, context, m, s = _symbols()
    shared = roofline.weight_time(m, s) / batch
    own = roofline.kv_time(batch, context, m, s) / batch
    each = roofline.compute_time(batch, m, s) / batch
    constant = (
        sympy.simplify(sympy.diff(own, batch)) == 0 == sympy.simplify(sympy.diff(each, batch))
    )
    return constant and sympy.simplify(batch**2 * sympy.diff(shared, batch) + roofline.weight_time(m, s)) == 0  # fmt: skip


def b23_touched() -> float:
    return batching.experts_touched(24, S)
