"""Chapter 6: what price lists give away (ledger rows X1-X28)."""

from __future__ import annotations

import math

import numpy as np

from ..core.catalog import (
    MemoryDevice,
    Price,
    chip,
    memory_device,
    memory_devices,
    model,
    prices,
    sparse_attention,
)
from ..core.nouns import Model, System, Unknown
from ..core.units import DAY, GB, HOUR, MINUTE
from ..formulas import batching, pricing, roofline
from . import claim

PAGE = "06_pricing#"
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


def _line(name: str) -> Price:
    return next(p for p in prices() if p.name == name)


@claim(
    "X1",
    "Gemini 3.1 costs 50 % more beyond 200,000 tokens",
    stated=1.5,
    unit="x",
    where=PAGE + "a-staircase-over-a-curve",
    reason="Output only: the input price doubles, and input is most of a long request.",
)
def _half_more() -> float:
    below, above = next(s for s in pricing.price_steps() if s[0].name.startswith("Gemini 3.1"))
    return above.output / below.output


@claim(
    "X2",
    "Cost is flat in the context, then rises from where memory overtakes arithmetic",
    where=PAGE + "where-the-kink-is",
    reason="For batches above the balance batch; below it there is no flat part at all.",
)
def _kink() -> bool:
    m, s = _guess(), LECTURE.replace(dollars_per_second=1)
    batch = 4 * roofline.balance_batch(m, s)
    kink = pricing.kink_context(batch, m, s)
    cost = batching.cost_per_token(batch, kink * np.array([0, 0.5, 1, 2, 3]), m, s)
    flat = np.allclose(cost[:3], cost[0])
    straight = np.isclose(cost[4] - cost[3], cost[3] - cost[2]) and cost[3] > cost[2]
    return bool(flat and straight and pricing.kink_context(batch / 4, m, s) == 0)


@claim(
    "X3",
    "A price with one step stays above the cost curve",
    unit="x",
    where=PAGE + "a-staircase-over-a-curve",
    reason="Margin that a step of 1.5 at 200,000 needs to cover cost up to a million tokens.",
)
def _margin() -> float:
    m, s = _guess(), LECTURE.replace(dollars_per_second=1)
    base = batching.cost_floor(0, m, s)
    longest = 1_000_000
    return batching.cost_floor(longest, m, s) / pricing.staircase_price(longest, STEP, base, 1.5)


@claim(
    "X4",
    "The step at 200,000 tokens gives the cache bytes of a token: almost two kilobytes",
    stated=1667,
    unit="byte/token",
    where=PAGE + "bytes-from-a-price",
    reason="Needs 100 billion active parameters in FP8 and an endless batch.",
)
def _implied() -> float:
    return pricing.implied_cache_bytes(STEP, _guess(), LECTURE)


@claim(
    "X5",
    "The slip on the board, length in the numerator, fixed live",
    where=PAGE + "exercises",
    reason="A check of the unit finds it: the implied bytes fall as one over the length.",
)
def _slip() -> bool:
    near, far = (pricing.implied_cache_bytes(f * STEP, _guess(), LECTURE) for f in (1, 2))
    return math.isclose(far, near / 2)


@claim(
    "X6",
    "The fetch of the weights is negligible",
    unit="1",
    where=PAGE + "where-the-kink-is",
    reason="Share of X4's bytes left at three times the balance batch; at that batch itself, none.",
)
def _weights_left_out() -> float:
    m = _guess()
    batch = 3 * roofline.balance_batch(m, LECTURE)
    return pricing.kink_context(batch, m, LECTURE) / roofline.balanced_context(m, LECTURE)


@claim(
    "X7",
    "Eight KV heads of width 128 in one global layer give exactly that",
    stated=2000,
    unit="byte/token",
    where=PAGE + "bytes-from-a-price",
    reason="At one byte an element, and every other layer sharing that one cache.",
)
def _one_layer() -> float:
    return pricing.head_cache_bytes(8, 128, 1, 1)


@claim(
    "X8",
    "Sparse attention with a larger cache would explain the step as well",
    unit="byte/token",
    where=PAGE + "reading-less-of-the-past",
    reason="DeepSeek-V3.2 reads this per token of context there: several times X4's bytes.",
)
def _sparse_bytes() -> float:
    return pricing.sparse_read(STEP, sparse_attention("DeepSeek-V3.2")) / STEP


@claim(
    "X9",
    "Where a real model balances",
    unit="tokens",
    where=PAGE + "bytes-from-a-price",
    reason="DeepSeek-V3 with a bf16 cache: a hundredth of what the price suggests.",
)
def _real_balance() -> float:
    return roofline.balanced_context(model("DeepSeek-V3"), LECTURE)


@claim(
    "X10",
    "Providers price near cost, so prices leak",
    stated=1,
    unit="x",
    where=PAGE + "reading-is-cheaper-than-writing",
    reason="DeepSeek-V3's list price for input over the rent of its arithmetic, H800 at $2.",
)
def _near_cost() -> float:
    rented = pricing.recompute_cost(model("DeepSeek-V3"), chip("H800").system(8, "fp8"))
    return _line("deepseek-chat (V3)").input / rented


@claim(
    "X11",
    "Output costs five times as much as input",
    stated=5,
    unit="x",
    where=PAGE + "reading-is-cheaper-than-writing",
)
def _output_over_input() -> float:
    return np.median(pricing.price_ratios("output", "input"))


@claim(
    "X12",
    "A longer pass adds arithmetic, not memory traffic",
    where=PAGE + "reading-is-cheaper-than-writing",
)
def _longer_pass() -> bool:
    m, s = _guess(), LECTURE
    batch = roofline.balance_batch(m, s) / 8
    one, few, many, more = (float(pricing.pass_time(batch, n, 0, m, s)) for n in (1, 8, 80, 160))
    return one == few and math.isclose(more, 2 * many)


@claim(
    "X13",
    "Output at five times input means decode fills a fifth of the arithmetic",
    stated=0.2,
    unit="1",
    where=PAGE + "two-readings-that-cannot-both-hold",
)
def _fifth() -> float:
    return pricing.implied_utilisation(5)


@claim(
    "X14",
    "Decode is bound by arithmetic up to 200,000 tokens, and by memory five times over",
    where=PAGE + "two-readings-that-cannot-both-hold",
    reason="Both were said. Below the kink memory time is the shorter one, at every batch.",
)
def _both() -> bool:
    ratios = []
    for share in np.linspace(0, 0.99, 34):  # h s / B
        m = _guess(step=STEP / (1 - share))  # so that the kink lies at the step
        batch = roofline.balance_batch(m, LECTURE) / max(share, 1e-6)
        ratios.append(pricing.crossing_length(batch, np.linspace(0, STEP, 51), m, LECTURE).max())
    return max(ratios) >= 5


@claim(
    "X15",
    "A cache hit costs a tenth of a miss",
    stated=10,
    unit="x",
    verdict="outdated",
    where=PAGE + "a-hit-recompute-or-keep",
    reason="True when said; this is the median of the lists since September 2026.",
)
def _tenth() -> float:
    recent = [p for p in prices() if p.date >= "2026-09"]
    return np.median(pricing.price_ratios("input", "cache_read", recent))


@claim(
    "X16",
    "An entry of the cache can be computed again, or kept and loaded",
    where=PAGE + "a-hit-recompute-or-keep",
)
def _two_ways() -> bool:
    m = _guess(RACK)
    again, limit = pricing.recompute_cost(m, RACK), pricing.break_even_hold(m, RACK)
    sooner, later = (pricing.hbm_hold_cost(limit * f, m, RACK) for f in (0.9, 1.1))
    return bool(sooner < again < later)


@claim(
    "X17",
    "Computing a token again costs its arithmetic and no holding",
    unit="$/Mtok",
    where=PAGE + "a-hit-recompute-or-keep",
    reason="100 billion active on the rack; list prices for input are far above it.",
)
def _again() -> float:
    return pricing.recompute_cost(_guess(), RACK) * 1e6


@claim(
    "X18",
    "Holding in HBM costs its share of the GPUs' rent, reading it nothing",
    unit="$/Mtok",
    where=PAGE + "a-hit-recompute-or-keep",
    reason="For an hour, at the bytes X4 implies: still less than computing again (X20).",
)
def _hbm_hour() -> float:
    return pricing.hbm_hold_cost(HOUR, _guess(), RACK) * 1e6


@claim(
    "X19",
    "Holding in DDR costs its share of the DDR, reading it a moment of all of it",
    unit="$/Mtok",
    where=PAGE + "which-shelf-for-how-long",
    reason="For an hour, 256 GB modules written off over five years.",
)
def _ddr_hour() -> float:
    return pricing.device_hold_cost(HOUR, LIFETIME, _guess(), memory_device("256 GB RDIMM")) * 1e6


@claim(
    "X20",
    "How long HBM beats computing again",
    unit="s",
    where=PAGE + "a-hit-recompute-or-keep",
    reason="Balanced context times drain time: an identity the lecture does not derive.",
)
def _hold() -> float:
    s = LECTURE.replace(capacity=0.020 * LECTURE.bandwidth)
    return pricing.break_even_hold(_guess(s), s)


@claim(
    "X21",
    "A write at 1.25 and a hit at 0.1 of the input price",
    unit="1",
    where=PAGE + "a-hit-recompute-or-keep",
    reason="Hits that repay the write: the first one does. The lecture reads the prices only.",
)
def _hits() -> float:
    offer = _line("Claude Opus 4.6")
    return pricing.hits_to_repay(offer.cache_write_5m / offer.input, offer.cache_read / offer.input)


@claim(
    "X22",
    "Choose the memory whose drain time equals the time to hold",
    where=PAGE + "which-shelf-for-how-long",
    reason="There half the bill is bytes, half reading; which memory is cheapest prices decide.",
)
def _equal_halves() -> bool:
    m = _guess()
    halves = [
        math.isclose(
            pricing.device_hold_cost(pricing.device_drain_time(d), LIFETIME, m, d),
            2 * pricing.device_hold_cost(0, LIFETIME, m, d),
        )
        for d in _priced()
    ]
    return all(halves)


@claim(
    "X23",
    "Flash drains in about a minute",
    stated=MINUTE,
    unit="s",
    where=PAGE + "which-shelf-for-how-long",
    reason="7.68 TB at 14 GB/s. The guess for DDR holds; a disk takes a day, not an hour.",
)
def _flash() -> float:
    return pricing.device_drain_time(MemoryDevice(capacity=7680 * GB, bandwidth=14 * GB))


@claim(
    "X24",
    "By drain time five minutes is flash and one hour is spinning disk",
    where=PAGE + "which-shelf-for-how-long",
    reason="Both are flash, a small drive and a large one. By cost, disk starts near an hour.",
)
def _tiers() -> bool:
    return _nearest(5 * MINUTE).tier == "flash" and _nearest(HOUR).tier == "disk"


@claim(
    "X25",
    "Attention's own arithmetic shows only at millions of tokens",
    unit="tokens",
    where=PAGE + "when-attention-is-arithmetic-too",
    reason="Equal to the weights' here, for the model X4 implies. DeepSeek-V3: 4,400 as it writes, "
    "14,800 as it reads a prompt.",
)
def _onset() -> float:
    elements, queries = 1667, 8  # one byte an element; each is met by the queries of its KV head
    guess = Model(n_total=800e9, n_active=100e9, layers=1, attention_width=elements * queries)
    return pricing.attention_context(guess)


@claim(
    "X26",
    "Memory, not arithmetic, keeps contexts short",
    where=PAGE + "when-attention-is-arithmetic-too",
    reason="True of the catalog's dense models; yet several price lists no longer step.",
)
def _memory_first() -> bool:
    s = chip("GB200").system(72, "fp8")
    return all(
        roofline.balanced_context(m, s) < pricing.attention_context(m) for m in map(model, DENSE)
    )


@claim(
    "X27",
    "A month of work needs 100 million tokens of context: out of reach",
    unit="byte",
    where=PAGE + "reading-less-of-the-past",
    reason="One user's cache, at the bytes X4 implies: most of a large GPU's HBM.",
)
def _employee() -> float:
    m = Model(n_total=800e9, n_active=100e9, kv_bytes_per_token=1667)
    return roofline.kv_time(1, 100_000_000, m, LECTURE) * LECTURE.bandwidth


@claim(
    "X28",
    "Sparse attention helps, to a degree",
    unit="x",
    where=PAGE + "reading-less-of-the-past",
    reason="Dense over sparse reading, DeepSeek-V3.2 at a million tokens; the gain saturates.",
)
def _gain() -> float:
    sparse, long = sparse_attention("DeepSeek-V3.2"), 1_000_000
    return long * sparse.entry_bytes / pricing.sparse_read(long, sparse)


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
