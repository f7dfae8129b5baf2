"""Chapter 9: published runs above their floor, the terms of the forecast, and what it still misses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp

from memwall import Model, System, catalog, forecast, human, measure, roofline, sparsity, validate
from memwall.experiments import accuracy as checks
from memwall.experiments import predict
from memwall.experiments.recipes import recipes_of
from memwall.experiments.runs import Served
from memwall.experiments.validate import Score
from memwall.experiments.whole import Run, Runs
from memwall.formulas.forecast import CLASSES, TERMS, Efficiency
from memwall.views.explorer import (
    Bar,
    Bars,
    Choice,
    Curve,
    Explorer,
    Guide,
    Lines,
    Point,
    Preset,
    Readout,
    Slider,
    variables,
)
from memwall.views.figures import COLORS, Figure, canvas, curve, note, show, table
from memwall.views.reader import Asked, guess, settle
from memwall.views.table import link, strong

from .welcome import CONTEXT, forecast_price, rack

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
MEANING = {
    "compute": "share of peak FLOP/s in dense products",
    "uneven": "the same in experts and attention",
    "bandwidth": "share of peak HBM bandwidth",
    "link": "share of peak link bandwidth",
    "launch": "starting a product that waits",
    "round": "one round of an exchange",
    "widening": "FLOP to widen a weight",
    "steps": "steps to the first token",
    "polling": "times as many, if SGLang polls",
}
# what each stage of the waterfall adds, in words
STAGES = {
    "kinds": "kinds of work wait for each other",
    "exchange": "activations travel",
    "counts": "launches and rounds",
    "shares": "nothing reaches its peak",
}
SHARES = ("compute", "uneven", "bandwidth", "link")
# the classes of machines in words
MACHINES = {
    "server-2024": "servers until 2024",
    "server-2025": "servers since 2025",
    "local": "one user's machine",
}
INTERVAL = ("bootstrap_low", "bootstrap_high")
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
    for name, found in parts.items():
        for k, publication in enumerate(dict.fromkeys(found.publications)):
            part = [r for r in found if r.publication == publication]
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


def waterfall(
    words: str, steps: Sequence[tuple[str, np.ndarray]], scores: Sequence[Score]
) -> Figure:
    """Forecast over measured as the terms are added one by one: the middle 50 and 80 per cent."""
    fig, ax = canvas(
        f"{words} the median error goes from {per(scores[0].median_error)} to {per(scores[-1].median_error)}",
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
    ax.set_yticks(range(len(steps)), [n if n == "floor" else f"+ {n}" for n, _ in steps])
    ax.set_ylim(len(steps) - 0.4, -1.6)
    ax.set_xlim(0.06, 1.65)
    ax.set_xticks([0.1, 0.25, 0.5, 1, 1.5])
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
    read = sparsity.weight_bytes_read(batch, tiny) / here.bandwidth
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


def constants() -> Any:
    """The fitted constants of each class of machine, with the range that eight refits in ten give."""
    found = {(r["class"], r["name"]): r for r in catalog.table("forecast")}

    def told(row: Mapping[str, str]) -> str:
        unit = "s" if row["unit"] == "s" else "%" if row["name"] in SHARES else "1"
        value, *ends = (human(float(row[k]), unit) if row[k] else "" for k in ("value", *INTERVAL))
        return f"{value} ({ends[0]} to {ends[1]})" if ends[0] else f"{value}, not fitted"

    rows = [
        (words, *(told(found[kind, name]) for kind in CLASSES)) for name, words in MEANING.items()
    ]
    return table(("constant", *(MACHINES[kind] for kind in CLASSES)), rows, heads=True)


def bands() -> Any:
    """The band of each class: of a time per token and of a first token."""
    rows = []
    for kind in CLASSES:
        told = ("{:.2f} to {:.2f}".format(*forecast.band(kind, of)) for of in ("tpot", "ttft"))
        rows.append((MACHINES[kind], *told))
    return table(
        ("times the forecast", "per token (or a whole run)", "first token (or a prompt)"), rows
    )


def scores(rows: Mapping[str, Sequence[float] | np.ndarray]) -> Any:
    """How good the forecast is, by kind of run."""
    found = []
    for name, ratios in rows.items():
        s = validate.score(np.asarray(ratios))
        shares = (per(s.mean_error), per(s.median_error), per(s.within_1_5))
        found.append((name, s.runs, *shares, f"{np.median(ratios):.2f}"))
    head = ("", "runs", "mean error", "median error", "within 1.5×", "forecast over measured")
    return table(head, found, label=f"Scores: {', '.join(rows)}")


def answered(rows: Sequence[Served]) -> tuple[list[Served], predict.Work]:
    """The served runs that can be forecast, and their work."""
    work, errors = predict.work_of(rows)
    assert work is not None
    return [r for r, error in zip(rows, errors, strict=True) if not error], work


FEW = 8  # users at once


def kinds(rows: Sequence[Served]) -> dict[str, np.ndarray]:
    """Which served runs are of which kind: dense or routed, few users or many."""
    dense = np.array([predict.checkpoint_of(r.model, r.weights).routed_layers == 0 for r in rows])
    few = np.array([r.concurrency <= FEW for r in rows])
    return {
        f"dense, up to {FEW} users": dense & few, "dense, more": dense & ~few,
        f"routed, up to {FEW} users": ~dense & few, "routed, more": ~dense & ~few,
    }  # fmt: skip


def unsure(work: predict.Work) -> np.ndarray:
    """Of which runs nobody can tell whether they guessed: some of their recipes do, some do not."""
    guesses = np.bincount(work.row, work.drafts > 0) / np.bincount(work.row)
    return (guesses > 0) & (guesses < 1)


def crowded(work: predict.Work) -> np.ndarray:
    """Which runs have, by each of their recipes, more users than seats."""
    return np.bincount(work.row, work.crowd > 1) == np.bincount(work.row)


def shares_of_a_step(rows: Sequence[Served], efficiency: Efficiency) -> dict[str, dict[str, float]]:
    """Mean share of each part of a forecast step, by kind of run."""
    found, work = answered(rows)
    parts = forecast.parts(work.step, efficiency)
    whole = sum(parts.values())
    return {
        kind: {name: float(np.mean((p / whole)[which[work.row]])) for name, p in parts.items()}
        for kind, which in kinds(found).items()
    }


def two_engines(rows: Sequence[Served]) -> np.ndarray:
    """Factors between the times of two engines, or versions of one, that ran the same configuration."""
    same: dict[Any, dict[Any, list[float]]] = {}
    for r in rows:
        if r.mode == "agg" and not recipes_of(r)[0].drafts:
            key = (r.model, r.chip, r.weights, r.decode, r.prompt, r.output, r.concurrency)
            same.setdefault(key, {}).setdefault((r.engine, r.engine_version), []).append(r.tpot)
    factors = []
    for engines in same.values():
        times = sorted(np.mean(t) for t in engines.values())
        factors += [b / a for i, a in enumerate(times) for b in times[i + 1 :]]
    return np.array(factors)


def engines_apart(factors: np.ndarray) -> Figure:
    """How much longer one engine takes than another in the same configuration, in order."""
    apart = factors - 1
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
    ax.set_yticks([1, 1.2, 1.4, 1.6])
    return show(
        fig,
        f"Time per token of the slower engine over the faster, sorted over {len(apart)} configurations measured on both: median {per(middle)} more, at most {per(worst)}.",
    )


def arrivals(
    rates: np.ndarray, said: np.ndarray, took: np.ndarray, lost: set[str], slow: set[str]
) -> Figure:
    """Measured over forecast time per token of open loops, against the rate of requests."""
    score = validate.score(said / took)
    fig, ax = canvas(
        f"No constant was fitted on them, and the mean error is {per(score.mean_error)}; of {len(lost)} computed to fall behind, {len(lost & slow)} did",
        x=("Requests arriving in a second", ""), y=("Measured over forecast", "x"), log="x", size=(5.6, 3.2),
    )  # fmt: skip
    ax.axhline(1, color=COLORS["bound"], linewidth=1)
    ax.plot(rates, took / said, "o", color=COLORS["weights"], markersize=5, alpha=0.75)
    ax.set_ylim(0.5, 1.5)
    ax.set_xticks([2, 5, 10, 20])
    return show(
        fig,
        f"Measured over forecast time per token of {len(rates)} open-loop runs against their rate, all near 1: {score}.",
    )


def time_by_part(parts: Mapping[str, Mapping[str, float]]) -> Figure:
    """What a step's time goes to, a bar for each kind of run."""
    most = max(parts, key=lambda name: parts[name]["launches"])
    share = parts[most]["launches"]
    fig, ax = canvas(
        f"{most[0].upper()}{most[1:]}: {per(share)} of a step goes to starting things",
        x=("Share of the forecast step", "%"), y=("", ""), log="", size=(6.8, 3.3),
    )  # fmt: skip
    kinds = {"weights": "weights", "experts": "compute", "attention": "kv", "exchange": "network",
             "launches": "money"}  # fmt: skip
    widest = {name: max(parts, key=lambda row: parts[row][name]) for name in kinds}
    for place, (row, shares) in enumerate(parts.items()):
        left = 0.0
        for name, kind in kinds.items():
            ax.barh(place, shares[name], left=left, color=COLORS[kind], height=0.5, alpha=0.85)
            if widest[name] == row:
                middle = left + shares[name] / 2
                note(ax, middle, place - 0.3, name, kind, ha="center", va="bottom", fontsize=9)
            left += shares[name]
    ax.set_yticks(range(len(parts)), list(parts))
    ax.set_ylim(len(parts) - 0.5, -0.9)
    ax.set_xlim(0, 1)
    told = "; ".join(
        f"{name}: " + ", ".join(f"{k} {v:.0%}" for k, v in shares.items())
        for name, shares in parts.items()
    )
    return show(fig, f"Shares of a forecast step by part. {told}.")


def described(run: Run) -> str:
    """A run in a line: model, work, machine."""
    cut = f" in {run.stages:.0f} stages" if run.stages > 1 else ""
    name = run.model.name.replace("Megatron-Turing NLG", "MT-NLG")
    work = f"batch {run.batch:,.0f}, {run.prompt:,.0f} + {run.output:,.0f} tokens"
    if run.before:
        work += f" after {run.before:,.0f}"
    width = f"{8 * float(run.model.bytes_per_param):.0f} bit"
    return f"{name} in {width}, {work}, {run.chips:.0f} {run.chip}{cut}"


def ladder_figure(found: Runs, efficiency: Efficiency, low: float, high: float) -> Explorer:
    """Live: a published run, from its floor stage by stage to the forecast, beside what was measured."""
    run, took = sp.symbols("run took", positive=True)
    steps = dict(found.waterfall(efficiency))
    times = {name: ratios * found.measured for name, ratios in steps.items()}
    columns = {name: sp.Function(name)(run) for name in times}
    expected = columns[TERMS[-1]]
    least, most = low * expected, high * expected
    options: dict[str, dict[Any, float]] = {}
    for i, r in enumerate(found):
        options.setdefault(described(r), {run: i, took: r.measured})
    kinds = ("muted", "kv", "network", "money", "compute")
    return Explorer(
        "measured",
        title=[
            (sp.And(took >= least, took <= most), "{expected} expected, {took} measured, inside the band"),
            "{expected} expected, {took} measured, outside the band",
        ],
        controls=[Preset(
            "Run", options,
            default=described(next(r for r in found if r.id == "ft530-20-8-b1-TP16")),
        )],
        chart=Bars(
            ("Time", "s"),
            [Bar("floor", columns["floor"], kinds[0])]
            + [Bar(STAGES[t], columns[t], k) for t, k in zip(TERMS, kinds[1:], strict=True)]
            + [Bar("measured", took, "bound")],
            guides=[Guide("band", x=least), Guide("", x=most)],
        ),
        readouts=[
            Readout("Floor", columns["floor"], "s", key="floor"),
            Readout("Forecast", expected, "s", key="expected", low=least, high=most),
            Readout("Measured", took, "s", key="took"),
            Readout("Measured over floor", took / columns["floor"], "x", key="above"),
            Readout("Forecast over measured", expected / took, "x", key="ratio"),
        ],
        tables={name: [float(f"{x:.4g}") for x in column] for name, column in times.items()},
        alt="Bars for a published run: floor {floor}, forecast {expected}, measured {took}.",
    )  # fmt: skip


def assumptions(amd: float, guessed: float, engines: float, crowd: int, imbalance: float) -> Any:
    """What the forecast assumes or leaves out, and the size of each error."""
    return table(
        ("assumption", "size of the error"),
        [
            ("Perfect overlap (d7)", "inside a product kept, between products dropped"),
            ("Attention's arithmetic is free (d5)", "added, for prompts in the cheaper of its two forms"),
            ("Networks are free (d8) and have no latency (d21)", "added"),
            ("Peak rates (d12)", f"replaced by four shares; one set for all chips leaves {amd:.2f} for MI300X at a batch of 256"),
            ("Every expert is touched (d10)", "replaced by the expected number"),
            ("Experts are loaded evenly (d9, d20)", f"kept; with a random router and {crowd:,} tokens the busiest of DeepSeek's experts gets {imbalance:.1f} times the mean"),
            ("Static batches (d16)", "a closed loop shares the engine between prompts and answers"),
            ("One token a step (d17)", f"replaced where a recipe says so: {guessed:.1f} tokens a step from three guesses"),
            ("Engines are alike", f"kept; two engines with the same configuration differ by {engines:.0%}"),
        ],
    )  # fmt: skip


# ---- the accuracy page ---------------------------------------------------------------------------

# of a cell: whether the band holds at least half of its runs, fewer, or nothing could be said
HELD = ("held", "missed", "unanswered")
ENGINES = {"trtllm": "TensorRT-LLM", "sglang": "SGLang", "vllm": "vLLM"}
# what the page's lists choose by, and the attribute of a row that holds it
CHOICES = {
    "kind": "How it was run",
    "model": "Model",
    "chip": "Chip",
    "engine": "Engine",
    "part": "Fit",
}


def coverage() -> Any:
    """How many rows of each kind are answered, how far off, and how many of them the band holds."""
    found = []
    for kind, (words, constants_of) in checks.KINDS.items():
        own = [line for line in checks.lines() if line.kind == kind]
        cell = checks.Cell(tuple(own))
        token, first = cell.ratios(), cell.ratios("first")
        held = [line.inside for line in own if line.inside is not None]
        found.append((
            words, len(own), sum(line.held_out for line in own), len(cell.failures),
            sum(line.beaten for line in own),
            per(np.mean(np.abs(token - 1))) if len(token) else "",
            per(np.median(np.abs(token - 1))) if len(token) else "",
            per(np.median(np.abs(first - 1))) if len(first) else "", per(np.mean(held)) if held else "",
            f"{MACHINES[constants_of]}",
        ))  # fmt: skip
    head = (
        "", "runs", "held out", "without an answer", "faster than the floor", "mean error", "median",
        "first token, median", "in the band", "constants",
    )  # fmt: skip
    return table(head, found, heads=True)


def accuracy() -> Any:
    """The table of the accuracy page, its rows marked by `HELD` and by what `CHOICES` choose."""
    made, attributes = [], []
    for cell in checks.cells(checks.lines()):
        token, first = cell.ratios(), cell.ratios("first")
        held = [line.inside for line in cell.lines if line.inside is not None]
        verdict = HELD[2] if not held else HELD[int(np.mean(held) < 0.5)]
        engine, words = ENGINES.get(cell.engine, cell.engine), checks.KINDS[cell.kind][0]
        made.append((
            cell.model, cell.chip, engine, cell.weights, f"{words}, {cell.lengths}", len(cell.lines),
            cell.held_out, f"{np.median(token):.2f}" if len(token) else "",
            per(np.mean(np.abs(token - 1))) if len(token) else "",
            f"{np.median(first):.2f}" if len(first) else "", per(np.mean(held)) if held else "",
            f"{len(cell.failures)}: {cell.failures[0].split('. ')[0]}" if cell.failures else "", link(cell.publisher, cell.url),
        ))  # fmt: skip
        part = (
            "held out"
            if cell.held_out == len(cell.lines)
            else "in the fit"
            if not cell.held_out
            else "some of each"
        )
        attributes.append({
            "data-verdict": verdict, "data-kind": words, "data-model": cell.model, "data-chip": cell.chip,
            "data-engine": engine, "data-part": part,
        })  # fmt: skip
    columns = (
        "model", "chip", "engine", "weights", "run", "runs", "held out", "median forecast over measured",
        "mean error", "first token, over measured", "in the band", "without an answer", "source",
    )  # fmt: skip
    return table(
        columns, made, label="Forecast over measured, cell by cell", kind="mw-table mw-cells",
        id="mw-accuracy", row_attributes=attributes,
    )  # fmt: skip


def configured(row: Served) -> str:
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


GRID = 24  # places along each curve


def accuracy_figure() -> Explorer:
    """Live: a configuration under rising load: measured dots, the forecast's curve and its band."""
    found = checks.curves()
    users, which, first = sp.symbols("users which first", nonnegative=True)
    low_end, high_end, count, unseen = sp.symbols("low_end high_end count unseen", positive=True)
    most = max(len(c.rows) for c in found)
    options, times, dots = {}, {"tpot": [], "ttft": []}, {"users": [], "tpot": [], "ttft": []}
    for i, one in enumerate(found):
        loads = [r.concurrency for r in one.rows]
        ends = max(loads[0] / 1.3, 1.0), loads[-1] * 1.3
        answers = one.forecasts(np.geomspace(*ends, GRID))
        for of, answer in zip(times, answers, strict=True):
            times[of].append([float(f"{x:.3g}") for x in answer])
        for of, seen in (("users", loads), ("tpot", [r.tpot for r in one.rows]),
                         ("ttft", [r.ttft or 0.0 for r in one.rows])):  # fmt: skip
            dots[of].append([float(f"{x:.3g}") for x in (*seen, *[seen[-1]] * (most - len(seen)))])
        options[configured(one.rows[0])] = {
            which: i, low_end: ends[0], high_end: ends[1], count: len(loads), unseen: one.held_out,
            users: loads[len(loads) // 2],
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
            Slider(users, "Requests in flight", 1, 5000, None, log=True, integer=True),
        ],
        chart=Lines(
            x=users, y=("Time", "s"), log="xy", x_range=(low_end, high_end),
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


# ---- a first look --------------------------------------------------------------------------------


def floor_and_forecast() -> Explorer:
    """Live: the blackboard's step and the forecast's, with its band, for people who share a rack."""
    m, (low, high), B = Model.symbolic(), forecast.band(), variables("batch")
    _, step = forecast_price(B, CONTEXT, m)
    floor = roofline.step_time(B, CONTEXT, m, rack())
    names = ("DeepSeek-V3", "gpt-oss-120b", "Llama-3.1-405B")
    return Explorer(
        "floor-and-forecast",
        title=[
            (B < 2, "Alone on a rack, a token takes {floor} on the blackboard; expect {step}"),
            "For {batch} a step takes {floor} on the blackboard; expect {step}, {above} that",
        ],
        controls=[
            Preset("Model", {n: predict.ready(catalog.model(n)) for n in names}, m),
            Slider(B, "People on 72 GB200", 1, 1e4, 1000, log=True, integer=True),
        ],
        chart=Lines(
            x=B, y=("Time of a step", "s"), log="xy",
            curves=[
                Curve("", high * step, "bound", fill_to=low * step, width=0.01),
                Curve("forecast", step, "bound"),
                Curve("floor", floor, "muted"),
            ],
            points=[Point("you", B, step, "bound")],
        ),
        readouts=[
            Readout("Floor", floor, "s", key="floor"),
            Readout("Forecast", step, "s", key="step", low=low * step, high=high * step),
            Readout("Forecast over floor", step / floor, "x", key="above"),
        ],
        alt="Time of a step against people who share a rack: the forecast in its band above the floor. For "
        "{batch} the floor is {floor}, the forecast {step}.",
    )  # fmt: skip


# ---- what the reader guesses, and the answers ---------------------------------------------------


def guess_gap() -> Asked:
    return guess(
        "gap",
        "Take a published run of a large language model on good hardware. How many times longer than the "
        "blackboard's floor did it take?",
        "x",
        like="3",
    )


def settle_gap(above: np.ndarray) -> Asked:
    """The first guess against the run in the middle."""
    return settle(
        "gap", float(np.median(above)), "x", near=1.25, words=("few", "many"),
        close="That is the run in the middle; some are far above it.",
        low="Memory and arithmetic are not everything that takes time; what else does, comes next.",
        high="Some runs are that far off. The one in the middle is better.",
    )  # fmt: skip


def guess_share() -> Asked:
    return guess(
        "share",
        "Of the peak FLOP/s on the data sheet, what share did servers up to 2024 reach in large matrix products?",
        "%",
        like="50 %",
    )


def settle_share(constants: Efficiency) -> Asked:
    """The second guess against the fitted share of arithmetic."""
    return settle(
        "share", float(constants.compute), "%", near=1.15, words=("little", "much"),
        close="The first row of the table, in its first column.",
        low="Large products are what chips are built for.",
        high="Peaks are for clocks that a chip cannot hold under load, and for sizes that fit its tiles.",
    )  # fmt: skip


def guess_error() -> Asked:
    return guess(
        "error",
        "You are told the model, the chips, the batch and the context of a run that you have never seen. With eight "
        "numbers fitted on other people's runs, how close can you come to its time, on average?",
        "%",
        like="30 %",
    )


def settle_error(ratios: np.ndarray) -> Asked:
    """The third guess against the mean error of what was held out."""
    return settle(
        "error", validate.score(ratios).mean_error, "%", near=1.4, words=("close", "far"),
        close="About as far as two good engines are from each other, as you will see.",
        low="Nobody comes that close without being told the engine.",
        high="Most of a step follows from what is read and multiplied; that can be counted.",
    )  # fmt: skip


def guess_engines() -> Asked:
    return guess(
        "engines",
        "Two good engines run the same model on the same chips for as many users. By how much do their times differ?",
        "%",
        like="30 %",
    )


def settle_engines(factors: np.ndarray) -> Asked:
    """The fourth guess against the pair in the middle."""
    return settle(
        "engines", float(np.median(factors) - 1), "%", near=1.4, words=("close", "far"),
        close="A formula that does not know the engine misses at least one of the two by half of that.",
        low="The arithmetic is the same, and the chips; kernels and schedules are not.",
        high="A few pairs are that far apart. The one in the middle is not.",
    )  # fmt: skip
