"""Chapter 10: requests on a time line, the step that stretches, chunks, pools, caches, guesses, a fleet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from memwall import catalog, human, serving
from memwall.core.algebra import maximum, minimum
from memwall.core.facts import table as facts
from memwall.core.units import HOUR
from memwall.experiments.requests import Served, Traffic, spans, traffic
from memwall.formulas import deployment, forecast
from memwall.formulas.serving import Pace
from memwall.planner import MONTH, plan
from memwall.views.explorer import (
    Curve,
    Explorer,
    Guide,
    Lines,
    Point,
    Preset,
    Readout,
    Slider,
    Words,
    variables,
)
from memwall.views.figures import COLORS, Figure, canvas, curve, mark, note, show, table
from memwall.views.reader import Asked, DrawGuess, guess, machine_step, settle

LOADS = np.linspace(0.02, 0.95, 160)
Pairs = Sequence[tuple[float, float]]


def per(share: float) -> str:
    return f"{share:.0%}"


def guess_stretched(engine: Pace) -> Asked:
    return guess(
        "stretched",
        f"Almost empty, this engine writes a token every {human(float(engine.fixed), 's')}. At three quarters of "
        "the load that it can bear, nobody waits for a seat. How long does a token take?",
        "s",
    )


def settle_stretched(engine: Pace) -> Asked:
    """The first guess against the step that stretches."""
    return settle(
        "stretched", float(serving.stretched_step(0.75, engine)), "s",
        close="Four times, with every seat free.",
        low="No queue is needed to be slow: those who are aboard make the step longer, and a longer step lets more of them board.",
        high="A pole is ahead, but at three quarters there is still a quarter of every step left.",
    )  # fmt: skip


def guess_fresh(ask: Mapping[str, Traffic]) -> Asked:
    agents = ask["agents"]
    return guess(
        "fresh",
        f"A coding agent sends {human(agents.prompt)} tokens to get {human(agents.output)} back. "
        "What share of what it sends has to be read afresh?",
        "%",
    )


def settle_fresh(ask: Mapping[str, Traffic]) -> Asked:
    """The second guess against what agents' prompts share with those before."""
    return settle(
        "fresh", 1 - ask["agents"].cached, "%",
        close="Every step appends a little to a book that is known.",
        low="It does append something each time: what the tools have said.",
        high="All but the last page was sent before, a moment ago.",
    )  # fmt: skip


def guess_chips() -> Asked:
    return guess(
        "chips",
        "Twenty chats a second, a token every 40 ms and the first after 450 ms on average: how many H100 does "
        "Llama-3.1-70B need?",
        "1",
        like="100",
    )


def settle_chips(able: float, replicas: float) -> Asked:
    """The third guess against the fleet: what one replica answers a second, and how many it takes."""
    return settle(
        "chips", replicas * 8, "1",
        close="You could run a fleet.",
        low="A replica is full at three quarters of its pole, and the busiest minute is half as busy again as the mean.",
        high=f"A replica of eight answers {able:.0f} chats a second at this pace; the fixed part of a step is shared.",
    )  # fmt: skip


def draw_the_stretch(pace: Pace) -> DrawGuess:
    """To draw in: the time of a token as an engine fills, with a seat free for everybody."""
    load = variables("load")
    step, (low, high) = serving.stretched_step(load, pace), forecast.band()
    empty = human(float(pace.fixed), "s")
    return DrawGuess(
        "draw-stretch",
        "Draw your guess: a seat is free for everybody who comes. How long does each token take as the engine fills?",
        x=("Load", "%", 0.0, 0.97), y=("Time per token", "s", 1e-3, 1.0), over=load, log="y",
        curve=step, name="forecast", low=low * step, high=high * step,
        anchor=f"nearly empty: {empty}", words=("fast", "slow"), near=1.3,
        close="Level for long, then a wall: you know your trains.",
        above="Half full is still only twice as slow. The wall stands at the very end.",
        below="Nobody waits for a seat, and yet it is slow: whoever boards makes the step longer, and in a longer step more people board.",
    )  # fmt: skip


def traffic_table(found: Mapping[str, Traffic]) -> Any:
    """Public traffic: mean lengths, how unequal they are, and the source."""
    rows = [
        (
            name,
            human(t.prompt),
            f"{t.prompt_spread:.1f}",
            human(t.output),
            f"{t.output_spread:.1f}",
            t.trace,
        )
        for name, t in found.items()
    ]
    head = ("", "prompt", "spread", "answer", "spread", "trace")
    return table(head, rows, label="Public traffic, mean tokens")


def twenty(served: Served) -> Figure:
    """A row for each of the first requests: waiting, having its prompt read, being answered."""
    rows = spans(served)
    start = min(r["arrival"] for r in rows)
    last = max(r["finish"] for r in rows) - start
    wait = float(np.mean([r["first"] - r["arrival"] for r in rows]))
    fig, ax = canvas(
        f"{len(rows)} requests: {human(wait, 's')} to the first token on average, {human(last, 's')} for all",
        x=("Time", "s"), log="", size=(5.8, 3.6),
    )  # fmt: skip
    parts = (("arrival", "admitted", "muted"), ("admitted", "first", "compute"), ("first", "finish", "kv"))  # fmt: skip
    for row, r in enumerate(rows):
        for begin, end, kind in parts:
            bar = [(r[begin] - start, r[end] - r[begin])]
            ax.broken_barh(bar, (row - 0.4, 0.8), color=COLORS[kind], lw=0)
    for place, (name, kind) in enumerate((("waiting", "muted"), ("prompt being read", "compute"), ("answer being written", "kv"))):  # fmt: skip
        note(ax, last * (0.0, 0.17, 0.5)[place], -1.3, name, kind)
    ax.set_ylim(len(rows) - 0.4, -2.1)
    ax.set_yticks([0, len(rows) - 1], ["1", str(len(rows))])
    ax.set_ylabel("request, in order of arrival")
    ax.grid(axis="y", visible=False)
    return show(
        fig,
        f"A bar for each of {len(rows)} requests in order of arrival: a short orange piece while its prompt is read, then a long green one while its answer is written; answers overlap, so that many are in the engine at once.",
    )


def stretch(engine: Pace, seen: Mapping[str, Pairs]) -> Figure:
    """Time per token against load: the formula's curve, and what the simulator saw."""
    three = serving.stretched_step(0.75, engine)
    fig, ax = canvas(
        f"At three quarters of the load a token takes {three / engine.fixed:.0f} times as long, and at all of it for ever",
        x=("Load", "%"), y=("Time per token", "s"), log="",
    )  # fmt: skip
    curve(ax, LOADS, serving.stretched_step(LOADS, engine), "bound")
    ax.axvline(1, color=COLORS["muted"], linestyle="--", linewidth=1.2)
    note(ax, 1, 0.008, "the pole", "muted", dx=-4)
    for (name, pairs), kind, sign in zip(seen.items(), ("kv", "compute"), "os", strict=False):
        x, y = zip(*pairs, strict=True)
        ax.plot(x, y, sign, color=COLORS[kind], markersize=6, clip_on=False)
        left = kind == "compute"
        note(ax, *pairs[-2], f"simulated: {name}", kind, dx=-8 if left else 8, dy=8 if left else -8)
    note(
        ax,
        0.3,
        float(serving.stretched_step(0.3, engine)),
        "t₀ / (1 − load)",
        "bound",
        dx=-10,
        dy=24,
    )
    ax.set_ylim(0, 0.18)
    ax.set_xlim(0, 1.05)
    return show(
        fig,
        f"Time per token against load: from {human(float(engine.fixed), 's')} at no load to {human(float(three), 's')} at three quarters, then steeply up to a pole at a load of one. Simulated chat lies on the curve, simulated code completion above it.",
    )


def chunk_trade(
    chunks: Sequence[int], gaps: Sequence[float], firsts: Pairs, tokens: Sequence[float]
) -> Figure:
    """Pieces of prompts: the longest wait between two tokens, and the wait for the first."""
    mean, late = zip(*firsts, strict=True)
    fig, (left, right) = canvas(
        f"Smaller pieces: no gap beyond {human(gaps[0], 's')}, but first tokens {mean[0] / mean[-1]:.0f} times later",
        x=("Tokens a step, at most", "1"), y=("Time", "s"), log="x", columns=2, size=(6.4, 3.4),
    )  # fmt: skip
    left.plot(chunks, gaps, "-o", color=COLORS["compute"])
    left.plot(chunks, tokens, "--s", color=COLORS["kv"])
    note(left, chunks[-1], gaps[-1], "gap while a piece\nis read", "compute", dx=-14, dy=-4)
    note(left, chunks[0], tokens[0], "mean time per token", "kv", dy=-10)
    left.set_ylim(-0.02, gaps[-1] * 1.1)
    right.plot(chunks, mean, "-o", color=COLORS["bound"])
    right.plot(chunks, late, "--^", color=COLORS["muted"])
    note(right, chunks[1], mean[1], "first token, mean", "bound", dx=4, dy=10)
    note(right, chunks[1], late[1], "one in a hundred", "muted", dx=8, dy=12)
    right.set_ylim(0, late[0] * 1.1)
    for ax in (left, right):
        ax.set_xticks([chunks[0], chunks[2], chunks[-1]])
    return show(
        fig,
        f"Against the tokens a step may take, from {chunks[0]} to {chunks[-1]}: the longest gap between tokens grows from {human(gaps[0], 's')} to {human(gaps[-1], 's')} while the mean time per token stays at {human(tokens[-1], 's')}; the mean first token falls from {human(mean[0], 's')} to {human(mean[-1], 's')}.",
    )


def compared(runs: Mapping[str, Served], more: Mapping[str, Sequence[str]] | None = None) -> Any:
    """Runs side by side: first tokens and time per token, mean and one in a hundred."""
    head = ["", "first token", "1 in 100 over", "time per token", "1 in 100 over", *(more or {})]
    rows = []
    for k, (name, s) in enumerate(runs.items()):
        times = (s.ttft.mean(), np.quantile(s.ttft, 0.99), s.tpot.mean(), np.quantile(s.tpot, 0.99))
        rows.append([name, *(human(float(t), "s") for t in times), *(v[k] for v in (more or {}).values())])  # fmt: skip
    return table(head, rows)


def prefix_cache(replayed: Pairs, needed: Mapping[str, float], possible: float) -> Figure:
    """Share of the possible hits against the size of the cache, and the size that a gap asks for."""
    small = max(h for size, h in replayed if size < 6e6) / possible
    fig, ax = canvas(
        f"A cache of five million tokens finds {small:.0%} of what could be found",
        x=("Size of the cache", "tokens"), y=("Share of the possible hits", "%"), log="x",
    )  # fmt: skip
    x, y = zip(*replayed, strict=True)
    ax.plot(x, np.array(y) / possible, "-o", color=COLORS["kv"])
    note(ax, 3.4e5, 0.5, "trace replayed,\noldest use\ngoes first", "kv")
    for k, (name, size) in enumerate(needed.items()):
        ax.axvline(size, color=COLORS["muted"], linestyle="--", linewidth=1.2)
        note(ax, size, 0.06 + 0.1 * k, name, "muted", dx=4)
    ax.set_ylim(0, 1.05)
    ax.set_xlim(3e5, 3e8)
    marks = ", ".join(f"{name} at {human(size)} tokens" for name, size in needed.items())
    return show(
        fig,
        f"Share of the possible cache hits against cache size for a replayed trace, from {y[0] / possible:.0%} at {human(x[0])} tokens to nearly all at {human(x[-1])}; rate times prompt times gap gives {marks}.",
    )


def guessing(engine: Pace, context: float, acceptance: float, cost: float) -> Figure:
    """Gain of guessing one, three and seven tokens a step against the sequences running."""
    B = np.geomspace(1, 1024, 120)
    gains = {
        k: serving.speculative_gain(k, acceptance, cost, B, context, engine) for k in (1, 3, 7)
    }
    crossing = B[int(np.argmax(gains[7] < 1))]
    fig, ax = canvas(
        f"Seven guesses: {gains[7][0]:.1f} times as fast alone, a loss from {crossing:.0f} sequences on",
        x=("Sequences running", "sequences"), y=("Gain", "x"), log="x",
    )  # fmt: skip
    for (k, gain), kind in zip(gains.items(), ("weights", "kv", "compute"), strict=True):
        curve(ax, B, gain, kind)
        note(ax, B[0], gain[0], f"{k} guessed", kind, dx=4, dy=8)
    ax.axhline(1, color=COLORS["muted"], linewidth=1)
    told = [r for r in facts("speculation") if r["gain"] and r["batch"] and float(r["gain"]) < 4]
    for r in told:
        ax.plot([float(r["batch"])], [float(r["gain"])], "D", color=COLORS["bound"], markersize=5)
    note(ax, float(told[-1]["batch"]), float(told[-1]["gain"]), "published", "bound", dx=8, dy=8)
    ax.set_ylim(0.6, 3.4)
    ax.set_xlim(0.85, 1100)
    return show(
        fig,
        f"Gain of speculative decoding against sequences running: seven guesses gain {gains[7][0]:.1f} times alone and lose from {crossing:.0f} on; three and one gain less and lose later. Published points fall in the same way.",
    )


def first_tokens(loads: np.ndarray, said: np.ndarray, seen: Pairs, work: float) -> Figure:
    """Mean wait for the first token against load, formula and simulation."""
    fig, ax = canvas(
        f"The first token: never sooner than {human(work, 's')}, the own prompt, and mostly the wait for others'",
        x=("Load", "%"), y=("Time to first token", "s"), log="",
    )  # fmt: skip
    curve(ax, loads, said, "bound")
    x, mean, late = zip(*seen, strict=True)
    ax.plot(x, mean, "o", color=COLORS["kv"])
    ax.plot(x, late, "^", color=COLORS["muted"])
    ax.axhline(work, color=COLORS["compute"], linestyle=":", linewidth=1.4)
    note(ax, 0.9, work, "own prompt", "compute", dx=8)
    note(ax, x[-1], mean[-1], "simulated\nmean", "kv", dx=8)
    note(ax, x[3], late[3], "one in a hundred waits longer", "muted", dx=-8)
    note(ax, loads[-1], said[-1], "formula", "bound", dx=8, dy=-8)
    ax.set_xlim(0, 1.1)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1])
    ax.set_ylim(0, 1.4)
    return show(
        fig,
        f"Time to first token against load: the formula rises from {human(float(said[0]), 's')}, simulated means lie on it or somewhat above, and the slowest hundredth waits several times longer.",
    )


def policies(found: Iterable[tuple[str, float, float, float]]) -> Any:
    """Three engines' rules of admission under one load."""
    whose = {"nothing": "vLLM", "a guess": "SGLang", "everything": "TensorRT-LLM"}
    rows = [
        (f"{name} ({whose[name]})", f"{rate:.1f} a second", per(thrown), per(again))
        for name, rate, thrown, again in found
    ]
    return table(
        (
            "reserved for the answer",
            "requests served",
            "thrown out at least once",
            "tokens read again",
        ),
        rows,
    )


def goodputs(offered: np.ndarray, kept: Mapping[str, Sequence[float]], pole: float) -> Figure:
    """Requests within a promise against requests offered, from the share that kept it."""
    good = {name: offered * pole * np.array(shares) for name, shares in kept.items()}
    fig, ax = canvas(
        f"A strict promise is best kept at {per(offered[int(np.argmax(next(iter(good.values()))))])} of the pole; beyond, keeping it collapses",
        x=("Load", "%"), y=("Requests a second in time", "1"), log="",
    )  # fmt: skip
    ax.plot(offered, offered * pole, ":", color=COLORS["muted"])
    note(ax, 1.0, pole, "offered", "muted", dx=-6, dy=8)
    for (name, y), kind, sign in zip(
        good.items(), ("kv", "weights", "compute"), "os^", strict=True
    ):
        ax.plot(offered, y, "-", marker=sign, color=COLORS[kind])
        top = int(np.argmax(y))
        dx, dy = {"o": (6, 10), "s": (-8, 10), "^": (-10, -16)}[sign]
        note(ax, offered[top], y[top], name, kind, dx=dx, dy=dy)
    ax.set_ylim(0, pole * 1.1)
    told = "; ".join(f"{n}: most at {per(offered[int(np.argmax(y))])}" for n, y in good.items())
    return show(
        fig,
        f"Requests a second that met both targets against the load offered. Each curve follows the offered line, bends, and falls to nothing. {told}.",
    )


def closed_loops(rows: Mapping[float, Sequence[tuple[float, float, float]]]) -> Figure:
    """Measured time per token against users for several prompt lengths, over the forecast's curves."""
    long, short = max(rows), min(rows)
    by = {p: each[-1][1] / each[0][1] for p, each in rows.items()}
    slope = {p: (each[-1][1] - each[0][1]) / (each[-1][0] - each[0][0]) for p, each in rows.items()}
    fig, ax = canvas(
        f"In company of {rows[long][-1][0]:.0f} a token takes {by[long]:.1f} times as long with long prompts, {by[short]:.1f} with short ones",
        x=("Users at once", "1"), y=("Time per token", "s"), log="",
    )  # fmt: skip
    for (prompt, each), kind in zip(rows.items(), ("kv", "compute"), strict=True):
        users, measured, said = (np.array(v) for v in zip(*each, strict=True))
        curve(ax, users, said, kind)
        ax.plot(users, measured, "o", color=COLORS[kind])
        above = prompt == long
        note(
            ax,
            users[-2],
            said[-2],
            f"prompts of {human(prompt)} tokens",
            kind,
            dx=-8 if above else 8,
            dy=12 if above else -20,
        )
    note(ax, 4, 0.078, "lines: forecast    dots: measured", "bound")
    ax.set_ylim(0, None)
    return show(
        fig,
        f"Time per token against users at once for two prompt lengths: straight lines, that of the longer prompts {slope[long] / slope[short]:.1f} times as steep. Measured dots lie on straight lines a little below the forecast's.",
    )


def straight_line(runs: Sequence[Any], fixed: float, pole: float) -> Figure:
    """Tokens a second of one user against requests a second: published runs, and a line through two."""
    fig, ax = canvas(
        f"A line through two runs puts the pole at {pole:.0f} requests a second",
        x=("Requests a second", "1"), y=("Tokens a second for each user", "1"), log="",
    )  # fmt: skip
    rate = np.array([0.0, pole])
    curve(ax, rate, (1 - rate / pole) / fixed, "bound")
    for k, r in enumerate(runs):
        fitted = k < 2
        ax.plot([r.rate], [1 / r.tpot], "o" if fitted else "s", markersize=7,
                color=COLORS["weights" if fitted else "compute"])  # fmt: skip
    note(ax, 0.3, 12, "● the line goes through these    ■ it was not told of these", "muted")
    ax.set_xlim(0, pole * 1.05)
    ax.set_ylim(0, 1.1 / fixed)
    return show(
        fig,
        f"Tokens a second for each user against requests a second: a straight line from {1 / fixed:.0f} at rest to none at {pole:.0f} requests a second. Two runs fix it and two more lie on it.",
    )


def share_of_prompts(points: Pairs) -> Figure:
    """How far the formula is off, against the length of a prompt's reading in tokens of its answer."""
    x, y = (np.array(v) for v in zip(*points, strict=True))
    fig, ax = canvas(
        f"The formula ends where a prompt outweighs its answer: at {x[-1]:.1f} it says {1 / y[-1]:.0%} of the truth",
        x=("Reading the prompt over writing the answer, alone", "x"), y=("Simulated over formula", "x"), log="x",
    )  # fmt: skip
    ax.plot(x, y, "-o", color=COLORS["compute"])
    ax.axhline(1, color=COLORS["muted"], linewidth=1)
    mark(ax, x[-1], y[-1], "code completion", "compute", dx=-8, dy=-2)
    ax.set_ylim(0.9, max(y) * 1.08)
    return show(
        fig,
        f"Simulated over computed time per token at half load against the time to read a prompt over the time to write its answer: near 1 for long answers, {y[-1]:.2f} for code completion.",
    )


def assumptions(chat: float, code: float, tail: float, bursts: float, forecast_off: float, attending: float) -> Any:  # fmt: skip
    """What this chapter assumes, and the size of each error."""
    return table(
        ("assumption", "size of the error"),
        [
            ("Mean over steps for the mean over tokens", f"chat: up to {chat:.2f}×; answers of 28 tokens: {code:.2f}× at half load"),
            ("Means for a promise about nearly all", f"one first token in a hundred takes {tail:.1f} times the mean"),
            ("Requests know nothing of each other (Poisson)", f"in bursts {bursts:.1f} times fewer keep a strict promise"),
            ("Arithmetic and reading do not overlap (d7)", "up to 2× too slow; the constants of a forecast take it in"),
            ("The forecast's constants", f"{forecast_off:.2f}× on the runs above; a band in chapter 9"),
            ("Attention's arithmetic within a prompt left out (d5)", f"{attending:.0%} at prompts of 8,192 tokens, and in proportion"),
            ("One fixed time whatever the crowd", "experts touched grow with it: chapter 1"),
        ],
    )  # fmt: skip


# ---- the live figure -----------------------------------------------------------------------------

ENGINES = (
    ("Llama-3.1-70B", "H100", 8), ("Llama-3.1-70B", "B200", 4), ("Llama-3.1-8B", "H100", 1),
    ("gpt-oss-120b", "H100", 2), ("gpt-oss-120b", "B200", 1), ("DeepSeek-V3", "H200", 8),
)  # fmt: skip
USERS = 64  # at which a deployment's step is read off


def engine_pace(name: str, chip: str, chips: int, t: Traffic) -> tuple[Pace, Any]:
    """The pace of a deployment under some traffic, and its plan."""
    p = plan(name, chip, chips, users=USERS, prompt=t.prompt, output=t.output)
    fit = forecast.fitted(p.kind)
    return deployment.pace(p.checkpoint, p.system, p.layout, p.workload, p.engine, fit), p


STRICT = ("Llama-2-70B", "interactive")  # of MLPerf's service levels


def fleet_figure() -> Explorer:
    """Live: a rate, lengths and two targets, to replicas, chips and dollars a month."""
    rate, prompt, output, peak, each = variables("rate prompt output peak each")
    cached, wide, deep = variables("cached spread_prompt spread_output", nonnegative=True)
    allowed, soon = variables("allowed soon")
    t0, tok, kv, room, chips, rent = variables("t0 t_tok t_kv room chips rent")
    pace = Pace(fixed=t0, per_token=tok, per_cached=kv)

    fresh = prompt * (1 - cached)
    held = serving.mean_token_steps(prompt, output, deep)
    work = serving.prompt_work(prompt, cached, pace)
    pole = serving.stable_rate(fresh, output, held, pace)
    # of the time to the first token at most half goes to steps, the rest to others' prompts
    left = maximum(soon - work, 0)
    step_allowed = minimum(allowed, left / 3)
    limits = {
        "the time per token": serving.rate_for_step(step_allowed, fresh, output, held, pace),
        "the first token": serving.rate_for_wait(left - 1.5 * step_allowed, work, wide),
        "the memory": serving.memory_rate(room, allowed, held),
    }
    able = minimum(*limits.values())
    replicas = maximum(serving.replicas_needed(rate * peak, maximum(able, 1e-9)), 1)

    def at(arrivals: Any) -> tuple[Any, Any, Any]:
        load = serving.offered_load(arrivals, fresh, output, held, pace)
        step = serving.stretched_step(minimum(load, 0.9999), pace)
        wait = serving.prompt_wait(minimum(arrivals, 0.9999 / work), work, wide)
        return load, step, serving.open_first_token(step, work, wait)

    busiest = rate * peak / replicas
    load, step, first = at(busiest)
    month = replicas * chips * rent / HOUR * MONTH
    options, chat = {}, traffic()["chat"]
    for name, chip, count in ENGINES:
        found, p = engine_pace(name, chip, count, chat)
        options[f"{name} on {count} {chip}"] = {
            t0: float(found.fixed), tok: float(found.per_token), kv: float(found.per_cached),
            room: float(p.cache_tokens), chips: float(count),
            rent: float(catalog.chip(chip).rent) * HOUR,
        }  # fmt: skip
    asks = {
        name: {prompt: t.prompt, output: t.output, cached: t.cached, wide: t.prompt_spread, deep: t.output_spread}
        for name, t in sorted(traffic().items(), key=lambda item: item[0] != "chat")
    }  # fmt: skip
    promise = next(r for r in facts("service_levels") if (r["model"], r["scenario"]) == STRICT)
    busiest_minute = next(r for r in facts("traffic_arrivals") if "conversation" in r["trace"])
    _, every_step, every_first = at(each)
    too_much = able <= 1e-9
    return Explorer(
        "fleet",
        title=[
            (too_much, "No fleet keeps this promise: even an empty engine is slower"),
            "{rate} requests a second take {fleet} chips and {month}",
        ],
        controls=[
            Preset("One replica", options),
            Preset("Traffic", asks),
            Slider(rate, "Requests a second, mean", 0.1, 1e4, 20, log=True),
            Slider(prompt, "Prompt", 10, 1e6, unit="tokens", log=True),
            Slider(output, "Answer", 1, 1e5, unit="tokens", log=True),
            Slider(allowed, "Allowed for a token", 5e-3, 0.5, float(promise["tpot_s"]), unit="s", log=True),
            Slider(soon, "Allowed for the first token", 0.1, 30, float(promise["ttft_s"]), unit="s", log=True),
        ],
        values={peak: float(busiest_minute["peak_60s"])},
        chart=[
            Lines(
                x=each, x_label=("Requests a second on one replica", "1"), x_range=(0, pole), y=("Time", "s"),
                log="y", y_range=(3e-3, 30), title="One replica",
                curves=[
                    Curve("time per token", every_step, "kv"),
                    Curve("first token", every_first, "compute"),
                ],
                points=[Point("busiest minute", busiest, step, "bound")],
                guides=[Guide("at most {able}", x=able)],
            ),
            Lines(
                x=rate, y=("Chips", "1"), log="xy", title="The fleet",
                curves=[Curve("", replicas * chips, "money", step=True)],
                points=[Point("you", rate, replicas * chips, "money")],
            ),
        ],
        readouts=[
            Readout("Replicas", replicas),
            Readout("Chips", replicas * chips, key="fleet"),
            Readout("A month", month, "$", key="month"),
            Readout("A request", month / (rate * MONTH), "$"),
            Readout("One replica within the promise", able, "sequences/s", key="able"),
            Readout("One replica at most, the pole", pole, "sequences/s"),
            Words(
                "binds",
                (limits["the memory"] <= able, "the memory"),
                (limits["the first token"] <= able, "the first token"),
                "the time per token",
                label="What binds",
            ),
            Readout("Load in the busiest minute", load, "%", key="load"),
            Readout("Load on average", load / peak, "%"),
            Readout("Time per token, busiest minute", step, "s", key="step"),
            Readout("First token, busiest minute, mean", first, "s", key="first"),
        ],
        messages=[
            (soon <= work, "Reading one prompt alone takes longer than you allow for the first token."),
            (allowed <= t0, "An empty engine needs longer for a token than you allow: more chips a replica, or a smaller model."),
        ],
        alt="Left: time per token and time to the first token against requests a second on one replica, up to its pole. "
        "Right: chips against requests a second in all. At {rate} requests a second: {fleet} chips, {month}, {load} loaded in the busiest minute.",
    )  # fmt: skip


# ---- first looks ---------------------------------------------------------------------------------


def one_step() -> Explorer:
    """Live: one decode step, with people who board and leave as their answers begin and end."""
    chips = catalog.chip("H100").system(8, "fp8")
    m = catalog.model("Llama-3.1-70B").replace(bytes_per_param=1.0)
    show = ("weights", "arithmetic", "caches", "requests")
    answer = traffic()["chat"].output
    return machine_step(m, chips, show, people=60, most=400, answer=answer, id="machine-requests")


def stretching() -> Explorer:
    """Live: the time of a token against requests a second, for an engine of eight chips."""
    name, chip, count = ENGINES[0]
    rate, prompt, output = variables("rate prompt output")
    cached, deep = variables("cached spread_output", nonnegative=True)
    asks = traffic()
    pace, _ = engine_pace(name, chip, count, asks["chat"])
    pace = Pace(*(float(t) for t in (pace.fixed, pace.per_token, pace.per_cached)))
    fresh, held = prompt * (1 - cached), serving.mean_token_steps(prompt, output, deep)
    pole = serving.stable_rate(fresh, output, held, pace)
    load = serving.offered_load(rate, fresh, output, held, pace)
    step = serving.stretched_step(minimum(load, 0.9999), pace)
    options = {
        kind: {prompt: t.prompt, output: t.output, cached: t.cached, deep: t.output_spread}
        for kind in ("chat", "code", "reasoning", "agents") for t in [asks[kind]]
    }  # fmt: skip
    return Explorer(
        "stretching",
        title=[
            (load >= 1, "{rate} a second are more than these chips bear: the queue has no end"),
            "At {rate} a second, {load} of what they bear, a token takes {step}: {times} an empty engine's",
        ],
        controls=[
            Preset(f"What people send to {name} on {count} {chip}", options),
            Slider(rate, "Requests a second", 0.1, 20, 8, log=True),
        ],
        chart=Lines(
            x=rate, x_range=(0, pole), x_label=("Requests a second", "1"),
            y=("Time per token, forecast", "s"), y_range=(0, 20 * pace.fixed),
            curves=[Curve("", step, "kv")],
            points=[Point("you", rate, step, "bound", when=load < 1)],
            guides=[Guide("empty", y=pace.fixed)],
        ),
        readouts=[
            Readout("Time per token, forecast", step, "s", key="step"),
            Readout("Load", load, "%", key="load"),
            Readout("They bear at most, a second", pole, "1"),
            Readout("", step / pace.fixed, "x", key="times"),
        ],
        alt="Time per token against requests a second: level at first, then rising without bound. At {rate} a "
        "second it is {step}.",
    )  # fmt: skip
