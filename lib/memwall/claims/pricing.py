"""Chapter 6: what price lists give away (ledger rows X1-X28)."""

from __future__ import annotations

import math

import numpy as np

from ..catalog import (
    MemoryDevice,
    Price,
    checkpoint,
    chip,
    memory_device,
    memory_devices,
    model,
    prices,
)
from ..core.nouns import Model, System, Unknown
from ..core.units import DAY, GB, HOUR, MINUTE
from ..formulas import batching, layers, pricing, roofline

STEP = 200_000  # where the lecture's price list steps, in tokens
LIFETIME = 5 * 365 * DAY  # a device is written off in five years

# models of the catalog whose every layer looks back at everything
DENSE = ("DeepSeek-V3", "Kimi K2", "Qwen3-235B-A22B", "GLM-4.5", "Llama-3.1-8B", "Llama-3.1-405B")

# the lecture's machine: one multiply-add in 300 of a weight's loading time, whatever its size
LECTURE = System(flops=300 * 2 * 72 * 8e12, bandwidth=72 * 8e12)
# the rack that X17 and X18 rent: 72 GPUs at $2 an hour
RACK = System(72 * 4.5e15, 72 * 8e12, capacity=72 * 192 * GB, dollars_per_second=144 / HOUR)


def _guess(system: System = LECTURE, step: float = STEP) -> Model:
    """The lecture's model: 100 billion active, a cache that puts the kink of a crowd at `step`."""
    bare = Model(n_total=800e9, n_active=100e9, bytes_per_param=1)
    return bare.replace(kv_bytes_per_token=pricing.implied_cache_bytes(step, bare, system))


def _read(name: str, context: float) -> float:
    """Cache bytes that one decode step of a release reads."""
    return sum(layers.read_bytes(context, g) for g in checkpoint(name).groups)


def _line(name: str) -> Price:
    return next(p for p in prices() if p.name == name)


def x1_half_more() -> float:
    below, above = next(s for s in pricing.price_steps() if s[0].name.startswith("Gemini 3.1"))
    return above.output / below.output


def x2_kink() -> bool:
    m, s = _guess(), LECTURE.replace(dollars_per_second=1)
    batch = 4 * roofline.balance_batch(m, s)
    kink = pricing.kink_context(batch, m, s)
    cost = batching.cost_per_token(batch, kink * np.array([0, 0.5, 1, 2, 3]), m, s)
    flat = np.allclose(cost[:3], cost[0])
    straight = np.isclose(cost[4] - cost[3], cost[3] - cost[2]) and cost[3] > cost[2]
    return bool(flat and straight and pricing.kink_context(batch / 4, m, s) == 0)


def x3_margin() -> float:
    m, s = _guess(), LECTURE.replace(dollars_per_second=1)
    base = batching.cost_floor(0, m, s)
    longest = 1_000_000
    return batching.cost_floor(longest, m, s) / pricing.staircase_price(longest, STEP, base, 1.5)


def x4_implied() -> float:
    return pricing.implied_cache_bytes(STEP, _guess(), LECTURE)


def x5_slip() -> bool:
    near, far = (pricing.implied_cache_bytes(f * STEP, _guess(), LECTURE) for f in (1, 2))
    return math.isclose(far, near / 2)


def x6_weights_left_out() -> float:
    m = _guess()
    batch = 3 * roofline.balance_batch(m, LECTURE)
    return pricing.kink_context(batch, m, LECTURE) / roofline.balanced_context(m, LECTURE)


def x7_one_layer() -> float:
    return pricing.head_cache_bytes(8, 128, 1, 1)


def x8_sparse_bytes() -> float:
    return _read("DeepSeek-V4-Pro", STEP) / STEP


def x9_real_balance() -> float:
    return roofline.balanced_context(model("DeepSeek-V3"), LECTURE)


def x10_near_cost() -> float:
    rented = pricing.recompute_cost(model("DeepSeek-V3"), chip("H800").system(8, "fp8"))
    return _line("deepseek-chat (V3)").input / rented


def x11_output_over_input() -> float:
    return np.median(pricing.price_ratios("output", "input"))


def x12_longer_pass() -> bool:
    m, s = _guess(), LECTURE
    batch = roofline.balance_batch(m, s) / 8
    one, few, many, more = (float(pricing.pass_time(batch, n, 0, m, s)) for n in (1, 8, 80, 160))
    return one == few and math.isclose(more, 2 * many)


def x13_fifth() -> float:
    # a batch and a context whose decode costs five times its prefill: 1 for weights, 4 for caches
    m, s = _guess(), LECTURE
    batch, context = roofline.balance_batch(m, s), 4 * roofline.balanced_context(m, s)
    return round(1 / pricing.crossing_length(batch, context, m, s), 9)


def x14_both() -> bool:
    ratios = []
    for share in np.linspace(0, 0.99, 34):  # h s / B
        m = _guess(step=STEP / (1 - share))  # so that the kink lies at the step
        batch = roofline.balance_batch(m, LECTURE) / max(share, 1e-6)
        ratios.append(pricing.crossing_length(batch, np.linspace(0, STEP, 51), m, LECTURE).max())
    return max(ratios) >= 5


def x15_tenth() -> float:
    recent = [p for p in prices() if p.date >= "2026-09"]
    return np.median(pricing.price_ratios("input", "cache_read", recent))


def x16_two_ways() -> bool:
    m = _guess(RACK)
    again, limit = pricing.recompute_cost(m, RACK), pricing.break_even_hold(m, RACK)
    sooner, later = (pricing.hbm_hold_cost(limit * f, m, RACK) for f in (0.9, 1.1))
    return bool(sooner < again < later)


def x17_again() -> float:
    return pricing.recompute_cost(_guess(), RACK) * 1e6


def x18_hbm_hour() -> float:
    return pricing.hbm_hold_cost(HOUR, _guess(), RACK) * 1e6


def x19_ddr_hour() -> float:
    return pricing.device_hold_cost(HOUR, LIFETIME, _guess(), memory_device("256 GB RDIMM")) * 1e6


def x20_hold() -> float:
    s = LECTURE.replace(capacity=0.020 * LECTURE.bandwidth)
    return pricing.break_even_hold(_guess(s), s)


def x21_hits() -> float:
    offer = _line("Claude Opus 4.6")
    return pricing.hits_to_repay(offer.cache_write_5m / offer.input, offer.cache_read / offer.input)


def x22_equal_halves() -> bool:
    m = _guess()
    halves = [
        math.isclose(
            pricing.device_hold_cost(pricing.device_drain_time(d), LIFETIME, m, d),
            2 * pricing.device_hold_cost(0, LIFETIME, m, d),
        )
        for d in _priced()
    ]
    return all(halves)


def x23_flash() -> float:
    return pricing.device_drain_time(MemoryDevice(capacity=7680 * GB, bandwidth=14 * GB))


def x24_tiers() -> bool:
    return _nearest(5 * MINUTE).tier == "flash" and _nearest(HOUR).tier == "disk"


def x25_onset() -> float:
    elements, queries = 1667, 8  # one byte an element; each is met by the queries of its KV head
    guess = Model(n_total=800e9, n_active=100e9, layers=1, attention_width=elements * queries)
    return pricing.attention_context(guess)


def x26_memory_first() -> bool:
    s = chip("GB200").system(72, "fp8")
    return all(
        roofline.balanced_context(m, s) < pricing.attention_context(m) for m in map(model, DENSE)
    )


def x27_employee() -> float:
    m = Model(n_total=800e9, n_active=100e9, kv_bytes_per_token=1667)
    return roofline.kv_time(1, 100_000_000, m, LECTURE) * LECTURE.bandwidth


def x28_gain() -> float:
    return _read("DeepSeek-V3", 1_000_000) / _read("DeepSeek-V3.2", 1_000_000)


def _priced() -> list[MemoryDevice]:
    """Devices of the catalog whose price, capacity and rate are known."""
    facts = ("dollars_per_byte", "capacity", "bandwidth")
    return [
        d
        for d in memory_devices().values()
        if not any(isinstance(getattr(d, f), Unknown) for f in facts)
    ]


def _nearest(hold: float) -> MemoryDevice:
    """The device of the catalog whose drain time is nearest, as a ratio."""
    known = [d for d in memory_devices().values() if not isinstance(d.bandwidth, Unknown)]
    return min(known, key=lambda d: abs(math.log(pricing.device_drain_time(d) / hold)))
