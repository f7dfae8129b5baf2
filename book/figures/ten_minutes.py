"""The numbers that the page of ten minutes prints; its figures are the chapters' own."""

from __future__ import annotations

import numpy as np

from memwall import (
    batching,
    beliefs,
    catalog,
    forecast,
    human,
    layers,
    pipelining,
    pricing,
    racks,
    roofline,
    scaling,
    serving,
    sparsity,
    validate,
)
from memwall.core.facts import table as facts
from memwall.core.units import DAY
from memwall.experiments.requests import traffic as requests
from memwall.views.figures import two_digits

from .serving import ENGINES, engine_pace
from .welcome import CONTEXT, MODEL, forecast_price, rack

BOOK, STEP_AT, RIDERS = 100_000, 200_000, 1000  # tokens of a long book, of a price list; people
LIFETIME = 5 * 365 * DAY  # in which a drive is written off, as in chapter 6


def read_and_shared() -> dict[str, str]:
    """Of the step and of its price."""
    m, s = catalog.model(MODEL), rack()
    floor, own = roofline.weight_time(m, s), roofline.compute_time(1, m, s)
    prices = [float(forecast_price(n, CONTEXT, validate.predict.ready(m))[0]) for n in (1, RIDERS)]
    low, high = forecast.band()
    least = batching.cost_per_token(RIDERS, CONTEXT, m, s)
    return {
        "parameters": human(m.n_total, "parameters").removesuffix(" parameters"),
        "weights": human(m.n_total * m.bytes_per_param, "B"),
        "rate": human(s.bandwidth, "B/s"),
        "floor": human(floor, "s"),
        "one_in": f"{floor / own:,.0f}",
        "speed": human(1 / floor, "token/s"),
        "alone": human(prices[0], "$/token"),
        "shared": human(prices[1], "$/token"),
        "shared_low": human(low * prices[1], "$/token"),
        "shared_high": human(high * prices[1], "$/token"),
        "shared_floor": human(float(least), "$/token"),
        "cheaper": f"{prices[0] / prices[1]:,.0f}",
        "balance": two_digits(roofline.balance_batch(m, s)),
        "multiplies": f"{roofline.multiplies_per_weight(m, s):.0f}",
    }


def kept() -> dict[str, str]:
    """Of what a conversation leaves behind."""
    m, s = catalog.model(MODEL), rack()
    held = {n: sum(layers.held_bytes(BOOK, g) for g in catalog.checkpoint(n).groups)
            for n in ("Llama-3.1-70B", MODEL, "DeepSeek-V4-Pro")}  # fmt: skip
    of_llama, of_v3, of_v4 = held.values()
    return {
        "each": human(m.kv_bytes_per_token, "B"),
        "book": human(BOOK, "tokens"),
        "book_llama": human(of_llama, "B"),
        "book_v3": human(of_v3, "B"),
        "book_v4": human(of_v4, "B"),
        "tie": two_digits(roofline.balanced_context(m, s)),
    }


def spread() -> dict[str, str]:
    """Of experts, racks and stages."""
    m, s = catalog.model(MODEL), rack()
    ratio = roofline.sparsity(m)
    slow = racks.network_ratio(catalog.chip("H100").system(8, "fp8"))
    deep = m.layers - 3  # the first three have no experts
    sent = deep * (racks.dispatch_bytes(1, 1, m) + racks.dispatch_bytes(1, 2, m))
    third = racks.network_time(1, 1, 3, m, s.replace(scale_out=s.scale_up))
    part = [pipelining.weights_per_chip(m, s.chips, n) for n in (1, 4)]
    boxes = catalog.chip("H100").system(8, "fp8")
    nine = pipelining.token_time(pipelining.stage_time(1, 0, m, boxes, 9), 9, 0)
    return {
        "experts": f"{m.experts:g}",
        "chosen": f"{m.experts_active:g}",
        "ratio": f"{ratio:.0f}",
        "few": human(sparsity.weight_bytes_read(1, m) / (m.n_total * m.bytes_per_param), "%"),
        "many": human(batching.experts_touched(100, m.experts / m.experts_active), "%"),
        "slower": f"{float(slow):.0f}",
        "crossing": f"{float(racks.crossing_slowdown(2, slow)):.2g}",
        "relayed": f"{float(racks.merged_slowdown(2, 2, slow, m)):.2g}",
        "sent": human(float(sent), "B"),
        "talking": f"{float(third / roofline.compute_time(1, m, s)):.1f}",
        "idle_stages": human(float(pipelining.naive_bubble(4)), "%"),
        "part": human(float(part[0]), "B"),
        "quarter": human(float(part[1]), "B"),
        "nine": human(float(nine), "s"),
    }


def sold() -> dict[str, str]:
    """Of price lists and of training."""
    m, s = catalog.model(MODEL), rack()
    # the lecture's machine: 300 multiply-adds a byte, 100 billion active parameters
    board = s.replace(flops=600 * s.bandwidth)
    guess = m.replace(n_active=100e9, n_total=1e12, bytes_per_param=1.0)
    read = {n: sum(layers.read_bytes(STEP_AT, g) for g in catalog.checkpoint(n).groups) / STEP_AT
            for n in (MODEL, "DeepSeek-V4-Pro")}  # fmt: skip
    implied = pricing.implied_cache_bytes(STEP_AT, guess, board)
    served = scaling.served_tokens(50e6, 60 * DAY, 1)
    trained, a_day = (
        beliefs.chip_seconds(f"DeepSeek-V3{n}") for n in (" pre-training", "/R1 serving")
    )
    low, _, high = beliefs.interval(beliefs.budgets()["over_training"])
    rule, llama = beliefs.chinchilla_ratio(), "Llama-3.1-8B"
    asked = scaling.chinchilla_tokens(100e9, rule)
    over = scaling.over_training(
        catalog.training_tokens(llama), catalog.model(llama).n_active, rule
    )
    flash = catalog.memory_device("Micron 9650 PRO 30.72")
    hits = pricing.price_ratios("input", "cache_read")
    return {
        "implied": human(implied, "B"),
        "v3_reads": f"{read[MODEL] / implied:.0f}",
        "v4_reads": human(read["DeepSeek-V4-Pro"], "B"),
        "output": f"{np.median(pricing.price_ratios('output', 'input')):.2g}",
        "hold": human(pricing.break_even_hold(m, s), "s"),
        "flash": human(pricing.device_break_even(LIFETIME, m, s, flash), "s"),
        "hit": f"{np.median(hits):.0f}",
        "over": f"{llama} has read {over:.0f} times",
        "served": human(served, "tokens"),
        "asked": human(asked, "tokens"),
        "books": f"{trained / a_day:.0f}",
        "over_low": f"{low:.0f}",
        "over_high": two_digits(high),
    }


def fleet() -> dict[str, str]:
    """Of requests."""
    name, chip, count = ENGINES[0]
    chat = requests()["chat"]
    pace, _ = engine_pace(name, chip, count, chat)
    pole = serving.stable_rate(chat.prompt, chat.output, chat.held, pace)
    promise = next(r for r in facts("service_levels") if (r["model"], r["scenario"]) == ("Llama-2-70B", "interactive"))  # fmt: skip
    able = serving.rate_for_step(
        float(promise["tpot_s"]), chat.prompt, chat.output, chat.held, pace
    )
    peak = float(next(r for r in facts("traffic_arrivals") if r["trace"] == chat.trace)["peak_60s"])
    return {
        "engine": f"{name} on {count} {chip}",
        "empty": human(float(pace.fixed), "s"),
        "pole": f"{float(pole):.0f}",
        "three_quarters": f"{float(serving.stretched_step(0.75, pace) / pace.fixed):.0f}",
        "promise": human(float(promise["tpot_s"]), "s"),
        "peak": human(peak - 1, "%"),
        "chips": f"{float(serving.replicas_needed(20 * peak, able)) * count:.0f}",
    }


def wrong() -> dict[str, str]:
    """Of the errors."""
    runs, (low, high) = validate.measured(), forecast.band()
    above = runs.measured / runs.floor
    return {
        "runs": f"{len(runs)}",
        "above": f"{np.median(above):.2g}",
        "least": f"{above.min():.2g}",
        "band_low": f"{low:.2g}",
        "band_high": f"{high:.2g}",
    }


def said() -> dict[str, str]:
    """All of them by name; a dollar sign is no mathematics here."""
    found = read_and_shared() | kept() | spread() | sold() | fleet() | wrong()
    return {name: text.replace("$", "\\$") for name, text in found.items()}
