"""Chapter 9: published runs above their floor, the terms of the forecast, and what it still misses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import sympy as sp

from memwall import System, accuracy, catalog, forecast, human, measure, predict, roofline, validate
from memwall.experiments.runs import Served
from memwall.experiments.validate import Score
from memwall.experiments.whole import Runs
from memwall.formulas.forecast import CLASSES, Efficiency
from memwall.formulas.sparsity import weight_bytes_read
from memwall.views.explorer import (  # fmt: skip
    Bar,
    Bars,
    Choice,
    Curve,
    Explorer,
    Lines,
    Point,
    Preset,
    Readout,
    Slider,
)
from memwall.views.figures import COLORS, Figure, canvas, curve, note, show, table
from memwall.views.table import link, strong

NAMES = {
    "2211.05102": "PaLM on TPU v4",
    "gpt_guide": "FasterTransformer",
    "Best_perf": "TensorRT-LLM, R1",
    "v0.6.1": "TensorRT-LLM, 2023",
    "llm-analysis": "kipply's 13B",
    "economics": "vLLM, Llama 70B",
    "lmsys": "SGLang and DeepSeek",
    "oracle": "vLLM on MI300X",
    "buildkite": "vLLM on H200",
}
# the terms in words, and the classes and parts as readers know them
TERMS = {
    "floor": "floor", "kinds": "kinds of work wait", "exchange": "activations travel",
    "counts": "launches and rounds", "shares": "shares of the peak", "prompts": "others' prompts",
}  # fmt: skip
MACHINES = {
    "server-2024": "servers until 2024", "server-2025": "servers since 2025",
    "local": "one user's machine",
}  # fmt: skip
PARTS = {
    "weights": "weights", "experts": "compute", "attention": "kv", "exchange": "network",
    "launches": "money", "prompts": "muted",
}  # fmt: skip
SHARES = ("compute", "uneven", "bandwidth", "link")
ENGINES = {"trtllm": "TensorRT-LLM", "sglang": "SGLang", "vllm": "vLLM"}
SMALL = {"markersize": 4.5, "alpha": 0.75}


def short(publication: str) -> str:
    """A publication's name, found by a part of its address."""
    return next(name for part, name in NAMES.items() if part in publication)


def per(share: float) -> str:
    """A share in whole per cent."""
    return human(round(float(share), 2), "%")


def publications(parts: Mapping[str, Runs]) -> Any:
    """Where the runs come from, part by part: chips, batches, prompts, outputs."""

    def span(values: Sequence[float]) -> str:
        low, high = f"{min(values):,.0f}", f"{max(values):,.0f}"
        return low if low == high else f"{low} to {high}"

    rows = []
    for name, runs in parts.items():
        for k, publication in enumerate(dict.fromkeys(runs.publications)):
            part = [r for r in runs if r.publication == publication]
            sizes = sorted({r.chips for r in part})
            rows.append((
                "" if k else strong(name),
                link(short(publication), publication),
                len(part),
                f"{span(sizes)} {', '.join(sorted({r.chip for r in part}))}",
                span([r.batch for r in part]),
                f"{span([r.prompt for r in part])} + {span([r.output for r in part])}",
            ))  # fmt: skip
    return table(("", "publication", "runs", "chips", "batch", "prompt + output"), rows)


def above_the_floor(runs: Runs) -> Figure:
    """Measured time over floor, a row for each publication."""
    above = runs.measured / runs.floor
    order = list(dict.fromkeys(runs.publications))
    middle = np.median(above)
    fig, ax = canvas(
        f"Every run lies above its floor: {above.min():.1f} to {above.max():.1f} times, half of them beyond {middle:.1f}",
        x=("Measured over floor", "x"),
        y=("", ""),
        log="x",
        size=(6.4, 3.3),
    )
    for row, publication in enumerate(order):
        x = above[runs.publications == publication]
        ax.plot(x, row + np.linspace(-0.22, 0.22, len(x)), "o", color=COLORS["weights"], **SMALL)
    ax.axvline(1, color=COLORS["bound"], linewidth=2)
    ax.axvline(middle, color=COLORS["muted"], linestyle="--", linewidth=1.2)
    note(ax, 1, -0.75, "the floor", "bound", dx=4)
    note(ax, middle, -0.75, "median", "muted", dx=4)
    ax.set_yticks(range(len(order)), [short(p) for p in order])
    ax.set_ylim(len(order) - 0.4, -1.2)
    ax.set_xlim(0.9, 9)
    ax.set_xticks([1, 2, 3, 5, 8])
    return show(
        fig,
        f"Measured time over floor for {len(runs)} runs by publication, all between {above.min():.1f} and {above.max():.1f}; the median is {middle:.1f}.",
    )


def constants() -> Any:
    """The fitted constants of each class of machine, and where eight in ten bootstrap fits lie."""
    rows = {(r["class"], r["name"]): r for r in catalog.table("forecast")}

    def said(kind: str, name: str, unit: str) -> str:
        row = rows[kind, name]
        value, low, high = (row[c] for c in ("value", "bootstrap_low", "bootstrap_high"))
        if not low:
            return f"({human(float(value), unit)})"
        return (
            f"{human(float(value), unit)} ({human(float(low), unit)} to {human(float(high), unit)})"
        )

    fields = Efficiency.__dataclass_fields__
    body = []
    for name, unit in Efficiency.quantities().items():
        shown = "s" if unit.symbol == "s" else "%" if name in SHARES else "1"
        told = [said(kind, name, shown) for kind in CLASSES]
        body.append((fields[name].metadata["meaning"], *told))
    notes = ["In brackets alone: not fitted, for want of runs that would tell."]
    return table(("constant", *MACHINES.values()), body, heads=True, notes=notes)


def bands() -> Any:
    """Between which factors of a forecast eight held-out runs in ten lie, by class."""
    rows = []
    for kind in CLASSES:
        token, first = (
            f"{low:.2f} to {high:.2f}"
            for low, high in (forecast.band(kind, of) for of in ("tpot", "ttft"))
        )
        rows.append((MACHINES[kind], token, first if kind == "server-2025" else ""))
    head = "class", "time per token, or of a whole run", "time to first token"
    return table(head, rows, heads=True)


def waterfall(steps: Sequence[tuple[str, np.ndarray]], scores: Sequence[Score]) -> Figure:
    """Forecast over measured as the terms are added one by one: the middle 50 and 80 per cent."""
    fig, ax = canvas(
        f"Term by term the median error falls from {per(scores[0].median_error)} to {per(scores[-1].median_error)}",
        x=("Forecast over measured", "x"),
        y=("", ""),
        log="x",
        size=(6.6, 3.7),
    )
    broad = {"linewidth": 7, "alpha": 0.45, "solid_capstyle": "butt"}
    for row, ((_, ratios), s) in enumerate(zip(steps, scores, strict=True)):
        low, q1, mid, q3, high = np.percentile(ratios, [10, 25, 50, 75, 90])
        color = COLORS["compute" if row == len(steps) - 1 else "weights"]
        ax.plot([low, high], [row, row], color=color, linewidth=1.5)
        ax.plot([q1, q3], [row, row], color=color, **broad)
        ax.plot([mid], [row], "o", color=color, markersize=7)
        note(ax, 1.72, row, f"{per(s.median_error)}, {per(s.within_1_5)} of runs", "bound")
    ax.axvspan(1 / 1.5, 1.5, color=COLORS["muted"], alpha=0.12)
    ax.axvline(1, color=COLORS["bound"], linewidth=1.2)
    note(ax, 1.72, -1, "median error, within 1.5×", "muted", fontsize=9.5)
    ax.set_yticks(range(len(steps)), [n if n == "floor" else f"+ {TERMS[n]}" for n, _ in steps])
    ax.set_ylim(len(steps) - 0.4, -1.6)
    ax.set_xlim(0.13, 1.65)
    ax.set_xticks([0.15, 0.25, 0.5, 1, 1.5])
    told = [
        f"{n} {per(s.median_error)} median error" for (n, _), s in zip(steps, scores, strict=True)
    ]
    return show(fig, f"Forecast over measured as the terms are added: {'; '.join(told)}.")


def predicted_and_measured(
    runs: Runs, full: np.ndarray, unseen: Runs, never: np.ndarray, low: float, high: float
) -> Figure:
    """Measured against forecast, runs of the fit and runs never in it, over the band."""
    inside = float(np.mean((unseen.measured >= low * never) & (unseen.measured <= high * never)))
    score = validate.score(never / unseen.measured)
    fig, ax = canvas(
        f"Unseen runs: median error {per(score.median_error)}; the band holds {per(inside)} of them",
        x=("Forecast", "s"),
        y=("Measured", "s"),
        size=(5.6, 4.8),
    )
    line = np.array([3e-3, 900])
    ax.fill_between(line, low * line, high * line, color=COLORS["muted"], alpha=0.22, linewidth=0)
    ax.plot(line, line, color=COLORS["bound"], linewidth=1.2)
    dots = {"markersize": 4.5, "alpha": 0.7}
    ax.plot(full, runs.measured, "o", color=COLORS["weights"], **dots)
    ax.plot(never, unseen.measured, "s", color=COLORS["compute"], **dots)
    note(ax, 0.012, 40, f"● in the fit ({len(runs)})", "weights")
    note(ax, 0.012, 19, f"■ never in it ({len(unseen)})", "compute")
    note(ax, 0.012, 9, "band: 8 in 10 runs", "muted")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_ticks([0.01, 0.1, 1, 10, 60, 600])
    ax.set_xlim(line)
    ax.set_ylim(line)
    return show(
        fig,
        f"Measured against forecast time on logarithmic axes from milliseconds to minutes. {score} for the unseen ones; the band reaches from {low:.2f} to {high:.2f} times the forecast.",
    )


def left_out(runs: Runs, ratios: np.ndarray, unseen: Runs, never: np.ndarray) -> Any:
    """Forecast over measured by publication, each with constants fitted on others."""
    rows = []
    for these, found, word in ((runs, ratios, ""), (unseen, never, ", unseen")):
        for publication in dict.fromkeys(these.publications):
            part = found[these.publications == publication]
            s = validate.score(part)
            errors = per(s.median_error), per(s.within_1_5)
            rows.append((f"{short(publication)}{word}", s.runs, *errors, f"{np.median(part):.2f}"))
    head = "left out of the fit", "runs", "median error", "within 1.5×"
    return table((*head, "forecast over measured, middle"), rows)


def steps_on_a_processor(
    dense: Sequence[dict[str, Any]],
    sparse: Sequence[dict[str, Any]],
    here: System,
    slack: np.ndarray,
) -> Figure:
    """Decode steps timed on a processor above their floor, of a transformer and of layers of experts."""
    small, tiny = measure.model_of(dense[0]), measure.model_of(sparse[0])
    batch, middle = np.geomspace(1, 256, 80), np.median(slack)
    fig, (left, right) = canvas(
        f"On a processor too the floor holds, and the middle run takes {middle:.1f} times as long",
        x=("Batch", "sequences"),
        y=("Time of a step", "s"),
        size=(7.6, 3.6),
        columns=2,
    )

    def dots(ax: Any, rows: Sequence[dict[str, Any]], kind: str) -> None:
        x, y = ([r[name] for r in rows] for name in ("batch", "seconds"))
        ax.plot(x, y, "o", color=COLORS[kind], markersize=4.5)

    contexts = sorted({r["context"] for r in dense})
    for context, kind in zip(contexts, ("compute", "weights", "kv"), strict=True):
        rows = [r for r in dense if r["context"] == context]
        last = rows[-1]
        shown = batch[batch <= last["batch"]]
        curve(left, shown, roofline.step_time(shown, context, small, here), kind)
        dots(left, rows, kind)
        note(left, last["batch"], last["seconds"], f"{context:,.0f}", kind, dx=-8, dy=3)
    legend = "dots: measured\ncurves: the floor\nnumbers: context"
    note(left, 300, 9e-3, legend, "muted", va="bottom", ha="right", fontsize=9)
    read = weight_bytes_read(batch, tiny) / here.bandwidth
    curve(right, batch, np.maximum(roofline.compute_time(batch, tiny, here), read), "weights")
    dots(right, sparse, "weights")
    whole = roofline.weight_time(tiny, here)
    right.axhline(whole, color=COLORS["muted"], linewidth=1)
    note(right, 1.1, whole, "all experts", "muted", dy=7, fontsize=9)
    words = f"one of {tiny.experts:.0f} experts a token"
    note(right, 1.1, sparse[0]["seconds"], words, "weights", dx=6, dy=-8, fontsize=9)
    return show(
        fig,
        f"Left: measured decode steps of a four-layer transformer over batch at three contexts, above their floor curves. Right: layers of {tiny.experts:.0f} experts, rising with the experts touched. Median {middle:.1f} times the floor.",
    )


# ---- served runs ---------------------------------------------------------------------------------


def routed(row: Served) -> bool:
    """Whether a run's model has experts."""
    return bool(predict.checkpoint_of(row.model, row.weights).of("routed"))


def groups(rows: Sequence[Served]) -> dict[str, np.ndarray]:
    """Which runs are in the fit or held out, dense or sparse; which guess tokens; which are pools."""
    one = np.array([r.mode == "agg" for r in rows])
    guessing = np.array([accuracy.guesses(r) for r in rows])
    seen = np.array([r.part == "fit" for r in rows])
    sparse = np.array([routed(r) for r in rows])
    return {
        **{
            f"{part}, {name}": one & ~guessing & own & kind
            for part, own in (("in the fit", seen), ("held out", ~seen))
            for name, kind in (("dense", ~sparse), ("with experts", sparse))
        },
        "several tokens guessed": one & guessing,
        "pools": ~one,
    }


def served_runs(rows: Sequence[Served]) -> Any:
    """How many served runs of each model, and on what."""
    body = []
    for name, count in Counter(r.model for r in rows).most_common():
        own = [r for r in rows if r.model == name]
        listed = [", ".join(sorted({*found})) for found in (
            (r.chip for r in own), (ENGINES.get(r.engine, r.engine) for r in own),
            (r.weights for r in own))]  # fmt: skip
        loads = [r.concurrency for r in own]
        body.append((name, count, sum(r.part != "fit" for r in own), *listed,
                     f"{min(loads):,.0f} to {max(loads):,.0f}"))  # fmt: skip
    head = "model", "runs", "held out", "chips", "engines", "weights", "requests in flight"
    return table(head, body, heads=True)


def parts_by_load(rows: Sequence[Served], parts: Mapping[str, np.ndarray]) -> Figure:
    """Mean shares of a token's time by requests in flight for each chip, dense models and sparse."""
    total = sum(parts.values())
    load = np.array([r.concurrency / float(r.decode.chips) for r in rows])
    sparse = np.array([routed(r) for r in rows])
    edges = np.array([0, 1, 2, 4, 8, 16, 32, np.inf])
    place = np.digitize(load, edges[1:])  # so many edges lie at or below
    alone = np.mean((parts["launches"] / total)[sparse & (load < 1)])
    crowd = np.mean((parts["launches"] / total)[sparse & (load >= 32)])
    fig, axes = canvas(
        f"With few users starting the work takes {per(alone)} of a sparse model's time, in a crowd {per(crowd)}",
        x=("Requests in flight for each chip", ""),
        y=("Share of a token's time", "%"),
        log="", size=(7.6, 3.6), columns=2,
    )  # fmt: skip
    names = ["<1", *(f"{e:.0f}" for e in edges[1:-1])]
    for ax, which, title in zip(
        axes, (~sparse, sparse), ("dense models", "models with experts"), strict=True
    ):
        bottom = np.zeros(len(names))
        for part, kind in PARTS.items():
            share = parts[part] / total
            held = [share[which & (place == i)] for i in range(len(names))]
            height = np.array([x.mean() if len(x) else 0.0 for x in held])
            ax.bar(range(len(names)), height, bottom=bottom, color=COLORS[kind], width=0.85)
            if height.max() > 0.05:
                i = int(np.argmax(height))
                ax.annotate(part, (i, bottom[i] + height[i] / 2), ha="center", va="center", fontsize=8.5,
                            bbox={"facecolor": "white", "alpha": 0.85, "linewidth": 0, "pad": 1})  # fmt: skip
            bottom = bottom + height
        ax.set_xticks(range(len(names)), names)
        ax.set_ylim(0, 1.08)
        note(ax, 0, 1.05, title, "bound", dx=-8, ha="left")
    return show(
        fig,
        f"Stacked bars: shares of a token's time in weights, experts, attention, exchange, launches and others' prompts against requests in flight per chip, for dense models and for models with experts. Launches fall from {per(alone)} to {per(crowd)} for the latter.",
    )


def scores(groups: Mapping[str, np.ndarray]) -> Any:
    """How good the forecast is for groups of runs, given forecast over measured."""
    rows = []
    for name, ratios in groups.items():
        s = validate.score(ratios)
        rows.append((name, s.runs, per(s.mean_error), per(s.median_error), per(s.within_1_5)))
    return table(("", "runs", "mean error", "median error", "within 1.5×"), rows, heads=True)


def tokens_and_forecasts(
    said: np.ndarray, took: np.ndarray, sparse: np.ndarray, low: float, high: float
) -> Figure:
    """Measured times per token of held-out runs against their forecasts, over the band."""
    inside = float(np.mean((took >= low * said) & (took <= high * said)))
    fig, ax = canvas(
        f"The band holds {per(inside)} of {len(said)} served runs that no fit saw",
        x=("Forecast", "s"), y=("Measured time per token", "s"), size=(5.6, 4.6),
    )  # fmt: skip
    line = np.array([1.5e-3, 0.4])
    ax.fill_between(line, low * line, high * line, color=COLORS["muted"], alpha=0.22, linewidth=0)
    ax.plot(line, line, color=COLORS["bound"], linewidth=1.2)
    for which, mark, kind in ((~sparse, "o", "weights"), (sparse, "s", "compute")):
        ax.plot(said[which], took[which], mark, color=COLORS[kind], markersize=3.5, alpha=0.6)
    note(ax, 2e-3, 0.25, f"● dense ({sum(~sparse)})", "weights")
    note(ax, 2e-3, 0.16, f"■ with experts ({sum(sparse)})", "compute")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_ticks([2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2])
    ax.set_xlim(line)
    ax.set_ylim(line)
    return show(
        fig,
        f"Measured against forecast time per token, on logarithmic axes, of {len(said)} held-out runs. The band from {low:.2f} to {high:.2f} times the forecast holds {per(inside)}.",
    )


def engines_apart(apart: np.ndarray) -> Figure:
    """How much longer one engine takes than another in the same configuration, in order."""
    middle, worst = np.median(apart), np.max(apart)
    fig, ax = canvas(
        f"Two engines, one configuration: {per(middle)} apart in the middle, {per(worst)} at worst",
        x=("Share of the configurations", "%"), y=("Slower engine over faster", "x"), log="",
        size=(5.6, 3.2),
    )  # fmt: skip
    ax.plot(np.linspace(0, 1, len(apart)), 1 + np.sort(apart), color=COLORS["compute"], linewidth=2)
    ax.axhline(1 + middle, color=COLORS["muted"], linestyle="--", linewidth=1)
    note(ax, 0.02, 1 + middle, "median", "muted", dy=8)
    ax.set_ylim(1, None)
    return show(
        fig,
        f"Time per token of the slower engine over the faster, sorted over {len(apart)} configurations measured on both: median {per(middle)} more, at most {per(worst)}.",
    )


def arrivals(rates: np.ndarray, said: np.ndarray, took: np.ndarray, lost: int) -> Figure:
    """Measured over forecast time per token of open loops, against the rate of requests."""
    score = validate.score(said / took)
    fig, ax = canvas(
        f"No constant was fitted on them, and the mean error is {per(score.mean_error)}; {lost} saturate, as computed",
        x=("Requests arriving in a second", ""), y=("Measured over forecast", "x"), log="x", size=(5.6, 3.2),
    )  # fmt: skip
    ax.axhline(1, color=COLORS["bound"], linewidth=1)
    ax.plot(rates, took / said, "o", color=COLORS["weights"], markersize=5, alpha=0.75)
    ax.set_ylim(0.5, 1.5)
    return show(
        fig,
        f"Measured over forecast time per token of {len(rates)} open-loop runs against their rate, all near 1: {score}.",
    )


def assumptions(
    apart: float, exchange: float, guessing: float, carried: float, imbalance: float, crowd: int
) -> Any:
    """What the forecast assumes, and the size of each error."""
    low, high = forecast.band("server-2025", "ttft")
    rows = [
        ("Perfect overlap inside a part, none between parts (d7)", f"engines that hide their exchange save up to {per(exchange)} of a step here"),
        ("One share of the peak for every kernel, chip and engine (d12)", f"two engines on the same machine differ by {per(apart)} in the middle"),
        ("Experts are loaded evenly (d9, d20)", f"with a random router and {crowd:,} tokens the busiest of DeepSeek's experts gets {imbalance:.1f} times the mean; part of it hides in the fitted share of uneven work"),
        ("A guessed token is accepted as often as usual (d17)", f"mean error {per(guessing)} where several tokens a step are guessed"),
        ("Lengths are what the harness says, and a first token waits for the mean queue", f"first tokens lie between {low:.1f} and {high:.1f} times their forecast, eight in ten"),
        ("A constant means the same in every publication", f"without its only publication that has experts, the forecast of that one is off by {per(carried)}"),
    ]  # fmt: skip
    return table(("assumption", "size of the error"), rows)


# ---- live ----------------------------------------------------------------------------------------


def described(row: Served) -> str:
    """A served run in a line, without its load."""
    cut = row.decode
    ways = " ".join(
        f"{n} {getattr(cut, n):.0f}" for n in ("tp", "dp", "ep", "pp") if getattr(cut, n) > 1
    )
    width = {"fp4": "FP4", "fp8": "FP8", "bf16": "BF16"}.get(row.weights, row.weights)
    return (
        f"{row.model} {width}, {cut.chips:.0f} {row.chip}{f' ({ways})' if ways else ''}, "
        f"{ENGINES.get(row.engine, row.engine)} {row.engine_version}".strip()
        + f", {row.prompt:,.0f} + {row.output:,.0f}"
    )


def waterfall_figure(most: int = 40) -> Explorer:
    """Live: of one run the floor, the time as each term joins it, and the measurement, old runs and new."""
    options: dict[str, list[float]] = {}
    old = validate.measured()
    ladder = old.waterfall(forecast.fitted("server-2024"))
    for i, r in enumerate(old):
        cut = f" in {r.stages:.0f} stages" if r.stages > 1 else ""
        work = f"batch {r.batch:,.0f}, {r.prompt:,.0f} + {r.output:,.0f} tokens"
        name = f"{r.model.name}, {work}, {r.chips:.0f} {r.chip}{cut}"
        times = [float(ratios[i]) * r.measured for _, ratios in ladder]
        options.setdefault(name, [*times, times[-1], r.measured])
    curves = accuracy.curves()
    for one in curves[:: max(len(curves) // most, 1)]:
        rows = [one.rows[0], one.rows[-1]]
        work, _ = predict.work_of(rows)
        assert work is not None
        steps = [times for _, times in work.waterfall(forecast.fitted("server-2025"))]
        for i, r in enumerate(rows):
            name = f"A token of {described(r)}, {r.concurrency:,.0f} in flight"
            options.setdefault(name, [*(float(s[i]) for s in steps), r.tpot])
    names = (*TERMS, "measured")
    symbols = dict(
        zip(names, sp.symbols(" ".join(f"t_{n}" for n in names), positive=True), strict=True)
    )
    last, took = symbols["prompts"], symbols["measured"]
    # each term's own time: what it adds to the terms before it
    order = [symbols[n] for n in TERMS]
    parts = [order[0], *(sp.Max(b - a, 0) for a, b in pairwise(order))]
    kinds = ("muted", "compute", "network", "money", "weights", "kv")
    biggest = sp.Max(*parts[1:])
    return Explorer(
        "measured",
        title="Floor {floor}, forecast {expected}, measured {took}: {above} of the floor",
        controls=[Preset("Run", {
            name: {s: float(f"{x:.4g}") for s, x in zip(symbols.values(), times, strict=True)}
            for name, times in options.items()
        })],
        chart=[
            Bars(("Time", "s"), [
                Bar(TERMS[n], part, kind, zero="none")
                for n, part, kind in zip(TERMS, parts, kinds, strict=True)
            ], stacked=True, title="The forecast, term by term"),
            Bars(("Time", "s"), [
                Bar("floor", order[0], "muted"), Bar("forecast", last, "compute"), Bar("measured", took, "bound"),
            ], title="Beside the clock"),
        ],
        readouts=[
            Readout("Floor", order[0], "s", key="floor"),
            Readout("Forecast", last, "s", key="expected"),
            Readout("Measured", took, "s", key="took"),
            Readout("Measured over floor", took / order[0], "x", key="above"),
            Readout("Forecast over measured", last / took, "x", key="ratio"),
            Readout("Largest term above the floor", biggest / last, "%", key="largest"),
        ],
        alt="One published run: floor {floor}, forecast {expected} with its terms stacked, measured {took}.",
    )  # fmt: skip


GRID = 24  # places along each curve


def curves_figure() -> Explorer:
    """Live: a configuration under rising load: measured dots, the forecast's curve and its band."""
    found = accuracy.curves()
    users, which, first = sp.symbols("users which first", nonnegative=True)
    low_end, high_end, count, unseen = sp.symbols("low_end high_end count unseen", positive=True)
    most = max(len(c.rows) for c in found)
    options, times, dots = {}, {"tpot": [], "ttft": []}, {"users": [], "tpot": [], "ttft": []}
    for i, one in enumerate(found):
        loads = [r.concurrency for r in one.rows]
        answers = one.forecasts(np.geomspace(loads[0], loads[-1], GRID))
        for of, answer in zip(times, answers, strict=True):
            times[of].append([float(f"{x:.3g}") for x in answer])
        for of, seen in (("users", loads), ("tpot", [r.tpot for r in one.rows]),
                         ("ttft", [r.ttft or 0.0 for r in one.rows])):  # fmt: skip
            dots[of].append([float(f"{x:.3g}") for x in (*seen, *[seen[-1]] * (most - len(seen)))])
        options[described(one.rows[0])] = {
            which: i, low_end: loads[0], high_end: loads[-1], count: len(loads), unseen: one.held_out,
            users: np.sqrt(loads[0] * loads[-1]),
        }  # fmt: skip
    place = sp.Min(sp.Max(sp.log(users / low_end) / sp.log(high_end / low_end), 0), 1) * (GRID - 1)
    before = sp.floor(place)

    def forecast_of(of: str) -> Any:
        at = sp.Function(f"forecast_{of}")
        return at(which, before) + (place - before) * (
            at(which, sp.Min(before + 1, GRID - 1)) - at(which, before)
        )

    def pick(token: Any, wait: Any) -> Any:
        return sp.Piecewise((wait, first > 0.5), (token, True))

    bands = [forecast.band("server-2025", of) for of in ("tpot", "ttft")]
    low, high = (pick(a, b) for a, b in zip(*bands, strict=True))
    expected = pick(forecast_of("tpot"), forecast_of("ttft"))

    def dot(of: str, i: int) -> Any:
        return sp.Function(f"dots_{of}")(which, i)

    ratios = [
        expected.subs(users, dot("users", i)) / pick(dot("tpot", i), dot("ttft", i))
        for i in range(most)
    ]
    error = (
        sum(sp.Piecewise((sp.Abs(r - 1), count > i + 0.5), (0, True)) for i, r in enumerate(ratios))
        / count
    )
    held = sum(
        sp.Piecewise((1, sp.And(count > i + 0.5, 1 / r >= low, 1 / r <= high)), (0, True))
        for i, r in enumerate(ratios)
    )
    return Explorer(
        "accuracy",
        title=[
            (unseen > 0.5, "Held out of the fit: {error} off on average, {held} of {count} in the band"),
            "In the fit: {error} off on average, {held} of {count} in the band",
        ],
        controls=[
            Preset("Configuration", options),
            Choice(first, "Time", {"per token": 0, "to the first token": 1}),
            Slider(users, "Requests in flight", 1, 4096, None, log=True),
        ],
        chart=Lines(
            x=users, y=("Time", "s"), log="xy", x_range=(low_end / 1.3, high_end * 1.3),
            x_label=("Requests in flight", ""), samples=60,
            curves=[
                Curve("", high * expected, "compute", fill_to=low * expected, width=0.01),
                Curve("forecast", expected, "compute"),
            ],
            points=[
                *(Point("", dot("users", i), pick(dot("tpot", i), dot("ttft", i)), "weights", when=count > i + 0.5, dot=1)
                  for i in range(most)),
                Point("{expected}", users, expected),
            ],
        ),
        readouts=[
            Readout("Forecast at this load", expected, "s", key="expected", low=low * expected, high=high * expected),
            Readout("Mean error of the curve", error, "%", key="error"),
            Readout("Measured points in the band", held, "1", key="held"),
            Readout("Measured points", count, "1", key="count"),
        ],
        tables={**{f"forecast_{of}": rows for of, rows in times.items()}, **{f"dots_{of}": rows for of, rows in dots.items()}},
        alt="Time against requests in flight for one published configuration: measured dots beside the forecast's curve and band; {error} off on average.",
    )  # fmt: skip
