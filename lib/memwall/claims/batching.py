"""Chapter 1: batching, latency and cost (ledger rows B1-B23)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.catalog import chip, model, table
from ..core.nouns import Model, System
from ..formulas import batching, roofline
from . import claim, prose

PRICE, SPEED = 6, 2.5  # the offer the lecture opens with
H, S = 300, 8  # the lecture's round numbers: multiply-adds per weight, sparsity


def _rack(dollars_per_hour: float | None = None) -> System:
    return chip("GB200").system(72, "fp8", dollars_per_hour)


def _symbols() -> tuple[Any, Any, Model, System]:
    import sympy

    batch, context = sympy.symbols("batch context", positive=True)
    return batch, context, Model.symbolic(), System.symbolic()


@claim(
    "B1", "A fast mode costs six times as much for two and a half times the speed", stated=6,
    unit="x", where="01_batching#the-fast-mode-puzzle", verdict="outdated",
    reason="True of the list prices of spring 2026; the newest offer in the catalog asks this.",
)  # fmt: skip
def _premium_today() -> float:
    offers = [r for r in table("prices") if r["fast_output"] and r["output"]]
    newest = max(offers, key=lambda r: r["date"])
    return float(newest["fast_output"]) / float(newest["output"])


@claim(
    "B2", "How much speed could a hundredfold price buy?", unit="x",
    where="01_batching#exercises",
    reason="Speed over normal at 100 times the price, same line as B13; asked, never answered.",
)  # fmt: skip
def _hundredfold() -> float:
    # t = a + c B with a = 1: the puzzle fixes c B_n and so the whole curve, whatever B_n is
    normal = batching.speed_ceiling(PRICE, SPEED)  # t_n / a
    slope = normal - 1  # c B_n, in units of a
    share = 1 / (100 * normal - slope)  # B / B_n from (1 + slope x) / x = 100 normal
    return normal / (1 + slope * share)


@claim("B3", "Waiting minutes would not make tokens far cheaper",
       where="01_batching#the-fast-mode-puzzle",
       reason="More than half of the normal price is a floor; the article calls the floor a sweet spot.")  # fmt: skip
def _patience() -> bool:
    return batching.slow_mode_floor(PRICE, SPEED) > 0.5


prose("B4", "Speed tiers have two causes: the batch, and guessing several tokens at once",
      where="01_batching#where-the-model-breaks",
      reason="The second was deferred and never taken up; the book's formulas leave it out (d17).")  # fmt: skip


@claim("B5", "The setting is one rack of 72 Blackwell GPUs", stated=72, unit="chips",
       where="01_batching#the-floor-the-knee-and-the-slope")  # fmt: skip
def _rack_size() -> float:
    return _rack().chips


@claim("B6", "A pass takes at least the slower of arithmetic and memory traffic", unit="1",
       where="01_batching#two-clocks",
       reason="The article adds the two; the value is how far the sum can exceed the maximum.")  # fmt: skip
def _sum_over_max() -> float:
    m = Model(n_total=1e12, n_active=1e12, bytes_per_param=1, kv_bytes_per_token=0)
    s = System(flops=1e15, bandwidth=1e12)
    batch = np.geomspace(1, 1e6, 601) * roofline.balance_batch(m, s) / 1e3
    batch = batch[batch >= 1]
    return (roofline.serial_step_time(batch, 0, m, s) / roofline.step_time(batch, 0, m, s)).max()


@claim("B7", "Arithmetic time is batch times active parameters over throughput",
       where="01_batching#two-clocks",
       reason="With throughput counted in multiply-adds; vendors' FLOP/s need the factor 2.")  # fmt: skip
def _compute() -> bool:
    import sympy

    batch, _, m, s = _symbols()
    multiplies_per_second = s.flops / 2
    return sympy.simplify(roofline.compute_time(batch, m, s) - batch * m.n_active / multiplies_per_second) == 0  # fmt: skip


@claim("B8", "Memory time is all weights once plus each sequence's cache, over bandwidth",
       where="01_batching#two-clocks",
       reason="A flash card adds parameters to bytes; the stored width is needed.")  # fmt: skip
def _memory() -> bool:
    import sympy

    batch, context, m, s = _symbols()
    parts = roofline.weight_time(m, s) + roofline.kv_time(batch, context, m, s)
    return sympy.simplify(roofline.memory_time(batch, context, m, s) - parts) == 0


@claim("B9", "DeepSeek-V3 has 700 billion parameters, 37 billion of them active", stated=700e9,
       unit="parameters", where="01_batching#the-floor-the-knee-and-the-slope")  # fmt: skip
def _sizes() -> float:
    return model("DeepSeek-V3").n_total


@claim("B10", "The batch is many users' sequences, each gaining one token a step",
       where="01_batching#one-step-of-decoding")  # fmt: skip
def _one_token_each() -> bool:
    # per-user speed times users is the token rate: one token for each sequence, none for prompts
    m, s = model("DeepSeek-V3"), _rack()
    t = roofline.step_time(256, 1000, m, s)
    return bool(np.isclose(roofline.token_rate(256, t), 256 * (1 / t)))


@claim("B11", "Serving without batching is about a thousand times worse", stated=1000, unit="1",
       where="01_batching#what-a-token-costs",
       verdict="close",
    reason="An order of magnitude, said aloud; its own round numbers give this. The article says thousands.")  # fmt: skip
def _ruin() -> float:
    return batching.unbatched_penalty(H, S)


@claim("B12", "Attending to the past is mostly reading, hardly arithmetic",
       where="01_batching#where-the-model-breaks", stated=True,
       reason="True for grouped-query attention; the compressed cache of DeepSeek-V3 is the exception.")  # fmt: skip
def _attention_is_reading() -> bool:
    # FLOP per cache byte of attention, against the FLOP per byte the chip could do
    m, s = model("Llama-3.1-70B"), chip("H100").system(8, "bf16")
    per_byte = 2 * m.attention_width * m.layers / m.kv_bytes_per_token
    return bool(per_byte < roofline.ridge_point(s) / 10)


@claim("B13", "What 6 times the price for 2.5 times the speed says about the two batches",
       unit="1", where="01_batching#the-fast-mode-puzzle",
       reason="Normal batch over fast batch; the lecture poses the offer, the ratio is ours.")  # fmt: skip
def _batches() -> float:
    return batching.fast_batch_ratio(PRICE, SPEED)


@claim("B14", "A slow mode has a price floor", unit="1",
       where="01_batching#the-fast-mode-puzzle",
       reason="Floor over normal price under B13; the lecture draws the shape without a number.")  # fmt: skip
def _floor() -> float:
    return batching.slow_mode_floor(PRICE, SPEED)


@claim("B15", "Speed has a ceiling", unit="1", where="01_batching#the-fast-mode-puzzle",
       reason="Ceiling over normal speed under B13; the lecture draws the shape without a number.")  # fmt: skip
def _ceiling() -> float:
    return batching.speed_ceiling(PRICE, SPEED)


@claim("B16", "Latency against batch is flat at the weight-fetch floor, then linear", unit="s",
       where="01_batching#the-floor-the-knee-and-the-slope",
       reason="The floor itself; several write-ups confuse it with the 20 ms drain of a full HBM.")  # fmt: skip
def _weight_floor() -> float:
    return roofline.weight_time(model("DeepSeek-V3"), _rack())


@claim("B17", "Memory stops mattering at large batches only if arithmetic is the steeper line",
       where="01_batching#longer-contexts")  # fmt: skip
def _slopes() -> bool:
    m, s = model("DeepSeek-V3"), _rack()
    tie = roofline.balanced_context(m, s)
    crowd = 1e9

    def busy(share: float) -> bool:
        return roofline.compute_utilisation(crowd, share * tie, m, s) == 1

    return busy(0.99) and not busy(1.01)


@claim("B18", "Where the slopes match both units are busy", where="01_batching#longer-contexts")
def _balanced() -> bool:
    import sympy

    batch, context, m, s = _symbols()
    slopes = (sympy.diff(f, batch) for f in (roofline.compute_time(batch, m, s), roofline.kv_time(batch, context, m, s)))  # fmt: skip
    found = sympy.solve(sympy.Eq(*slopes), context)
    return sympy.simplify(found[0] - roofline.balanced_context(m, s)) == 0


@claim("B19", "Doubling the context past the balance halves utilisation", stated=0.5, unit="1",
       where="01_batching#longer-contexts")  # fmt: skip
def _half() -> float:
    m, s = model("DeepSeek-V3"), _rack()
    return round(roofline.compute_utilisation(1e15, 2 * roofline.balanced_context(m, s), m, s), 9)


@claim("B20", "Some sparse attention reads the square root of the context", unit="tokens",
       where="01_batching#longer-contexts",
       reason="At 200,000 tokens. DeepSeek's published schemes are linear with a small constant.")  # fmt: skip
def _root() -> float:
    return np.sqrt(200_000)


@claim("B21", "A pass costs its rental time, at $2 a GPU-hour", unit="$/Mtok",
       where="01_batching#what-a-token-costs",
       reason="72 GPUs at the lecture's 128,000 token/s; the lecture does not divide it out.")  # fmt: skip
def _rent() -> float:
    return batching.rent_per_token(_rack(2).dollars_per_second, 128_000) * 1e6


@claim("B22", "Per token, arithmetic and own cache are constants, weights a hyperbola",
       where="01_batching#what-a-token-costs")  # fmt: skip
def _shape() -> bool:
    import sympy

    batch, context, m, s = _symbols()
    shared = roofline.weight_time(m, s) / batch
    own = roofline.kv_time(batch, context, m, s) / batch
    each = roofline.compute_time(batch, m, s) / batch
    constant = (
        sympy.simplify(sympy.diff(own, batch)) == 0 == sympy.simplify(sympy.diff(each, batch))
    )
    return constant and sympy.simplify(batch**2 * sympy.diff(shared, batch) + roofline.weight_time(m, s)) == 0  # fmt: skip


@claim("B23", "The low-batch floor is loading total, not active, parameters", unit="1",
       where="01_batching#a-small-batch-touches-few-experts",
       reason="Share of experts 24 tokens touch at s = 8: the card's 'active' holds only near one user.")  # fmt: skip
def _touched() -> float:
    return batching.experts_touched(24, S)
