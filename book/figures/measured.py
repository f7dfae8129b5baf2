"""Chapter 9: published runs above their floor, the terms of the forecast, and what it still misses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp

from memwall import System, catalog, forecast, human, measure, roofline, validate
from memwall.experiments.validate import Run, Runs, Score
from memwall.formulas.forecast_old import TERMS, Efficiency
from memwall.views.explorer import Bar, Bars, Explorer, Guide, Preset, Readout, Toggle
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
LIMITS = {
    "compute": ("arithmetic", "compute"),
    "bandwidth": ("memory", "weights"),
    "link": ("bytes on links", "network"),
    "latency": ("latency", "money"),
}
SMALL = {"markersize": 4.5, "alpha": 0.75}


def short(publication: str) -> str:
    """A publication's name, found by a part of its address."""
    return next(name for part, name in NAMES.items() if part in publication)


def per(share: float) -> str:
    """A share in whole per cent."""
    return human(round(float(share), 2), "%")


def hardware(run: Run) -> str:
    """The kind of chip of a run."""
    return run.group.name.split(" × ")[1].split(" (")[0]


def publications(parts: Mapping[str, Runs]) -> Any:
    """Where the runs come from, part by part: chips, batches, prompts, outputs."""

    def span(values: Sequence[float]) -> str:
        low, high = f"{min(values):,.0f}", f"{max(values):,.0f}"
        return low if low == high else f"{low} to {high}"

    rows = []
    for name, runs in parts.items():
        for k, publication in enumerate(dict.fromkeys(runs.publications)):
            part = [r for r in runs if r.publication == publication]
            sizes = sorted({r.group.chips * r.group.stages for r in part})
            rows.append((
                "" if k else strong(name),
                link(short(publication), publication),
                len(part),
                f"{span(sizes)} {', '.join(sorted({hardware(r) for r in part}))}",
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


def four_constants() -> Any:
    """The fitted constants with what moves them: runs drawn anew, a publication left out."""
    meaning = {
        "compute": "share of peak FLOP/s",
        "bandwidth": "share of peak HBM bandwidth",
        "link": "share of peak link bandwidth",
        "latency": "time of a round",
    }
    columns = ("value", "bootstrap_low", "bootstrap_high", "left_out_low", "left_out_high")
    rows = []
    for row in catalog.table("forecast_old"):
        if row["name"] in meaning:
            unit = "s" if row["unit"] == "s" else "%"
            value, *ends = (human(float(row[k]), unit) for k in columns)
            drawn, left = f"{ends[0]} to {ends[1]}", f"{ends[2]} to {ends[3]}"
            rows.append((meaning[row["name"]], strong(value), drawn, left))
    return table(("constant", "value", "runs drawn anew", "a publication left out"), rows)


def waterfall(steps: Sequence[tuple[str, np.ndarray]], scores: Sequence[Score]) -> Figure:
    """Forecast over measured as the terms are added one by one: the middle 50 and 80 per cent."""
    fig, ax = canvas(
        f"Seven terms take the median error from {per(scores[0].median_error)} to {per(scores[-1].median_error)}",
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
    ax.set_xlim(0.13, 1.65)
    ax.set_xticks([0.15, 0.25, 0.5, 1, 1.5])
    told = [
        f"{n} {per(s.median_error)} median error" for (n, _), s in zip(steps, scores, strict=True)
    ]
    return show(fig, f"Forecast over measured as the terms are added: {'; '.join(told)}.")


def one_term_out(runs: Runs, full: np.ndarray, less: Mapping[str, np.ndarray]) -> Any:
    """For each term left out: the runs it moves, and the median error there without and with it."""
    rows: list[Sequence[Any]] = []
    for term, without in less.items():
        moved = np.abs(np.log(without / full)) > 0.05
        if not moved.any():
            rows.append((term, "none", "", ""))
            continue
        shrinks = 1 - np.median((without / full)[moved])
        errors = [
            per(validate.score((x / runs.measured)[moved]).median_error) for x in (without, full)
        ]
        rows.append((term, moved.sum(), per(shrinks), " → ".join(errors)))
    head = "without", "runs that change", "forecast shrinks by"
    return table((*head, "median error there, without → with"), rows)


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


def described(run: Run) -> str:
    """A run in a line: model, work, machine."""
    group = run.group
    cut = f" in {group.stages:.0f} stages" if group.stages > 1 else ""
    precision = group.name.split("(")[-1].split(")")[0]
    name = run.model.name.replace("Megatron-Turing NLG", "MT-NLG")
    work = f"batch {run.batch:,.0f}, {run.prompt:,.0f} + {run.output:,.0f} tokens"
    return f"{name}, {work}, {group.chips * group.stages:.0f} {hardware(run)}{cut}, {precision}"


def terms_figure(runs: Runs, constants: Efficiency, low: float, high: float) -> Explorer:
    """Live: a run's floor, forecast and measurement, the forecast's terms switched on and off."""
    switches = sp.symbols(" ".join(f"with_{t}" for t in TERMS), nonnegative=True)
    run, bound, took = sp.symbols("run bound took", positive=True)
    which = sum(2**i * s for i, s in enumerate(switches))
    choices = [[t for i, t in enumerate(TERMS) if k >> i & 1] for k in range(2 ** len(TERMS))]
    times = np.array([runs.predicted(constants, terms) for terms in choices]).T
    expected = sp.Function("forecast")(run, which)
    least, most = low * expected, high * expected
    whole = sp.And(*[s > 0.5 for s in switches])
    held = sp.And(took >= least, took <= most)
    words = {
        "experts": "experts: only those touched",
        "attention": "attention waits, and computes",
        "pipeline": "pipeline fills and drains",
        "bytes": "bytes between chips",
        "replicas": "replicas of shared weights",
        "latency": "latency of rounds",
        "shares": "shares of the peak reached",
    }
    options = {
        described(r): {run: i, bound: float(f"{f:.5g}"), took: r.measured}
        for i, (r, f) in enumerate(zip(runs, runs.floor, strict=True))
    }
    assert len(options) == len(runs), "two runs are described alike"
    return Explorer(
        "measured",
        title=[
            (
                sp.And(whole, held),
                "All terms on: {expected} expected, {took} measured, inside the band",
            ),
            (whole, "All terms on: {expected} expected, {took} measured, outside the band"),
            "With these terms {expected}; the machine took {took}",
        ],
        controls=[
            Preset(
                "Run",
                options,
                default=described(next(r for r in runs if r.id == "ft530-20-8-b1-TP16")),
            ),
            *(Toggle(s, words[t], True) for s, t in zip(switches, TERMS, strict=True)),
        ],
        chart=Bars(
            ("Time", "s"),
            [
                Bar("floor", bound, "muted"),
                Bar("forecast", expected, "compute"),
                Bar("measured", took, "bound"),
            ],
            guides=[Guide("band", x=least, when=whole), Guide("", x=most, when=whole)],
        ),
        readouts=[
            Readout("Floor", bound, "s", key="floor"),
            Readout("Forecast", expected, "s", key="expected", low=least, high=most),
            Readout("Measured", took, "s", key="took"),
            Readout("Measured over floor", took / bound, "x", key="above"),
            Readout("Forecast over measured", expected / took, "x", key="ratio"),
        ],
        tables={"forecast": [[float(f"{x:.4g}") for x in row] for row in times]},
        alt="Three bars for a published run: floor {floor}, forecast {expected}, measured {took}.",
    )


def by_what_governs(
    residual: np.ndarray,
    governed: np.ndarray,
    medians: Mapping[str, float],
    low: float,
    high: float,
) -> Figure:
    """Forecast over measured, in four rows by the limit that governs most of a run's time."""
    middle = [medians[n] for n in LIMITS]
    fig, ax = canvas(
        f"Whatever governs a run, the middle forecast is {min(middle):.2f} to {max(middle):.2f} of the truth",
        x=("Forecast over measured", "x"),
        y=("", ""),
        log="x",
        size=(6.4, 3.0),
    )
    for row, (name, (_, kind)) in enumerate(LIMITS.items()):
        x = np.sort(residual[governed == name])
        ax.plot(x, row + np.linspace(-0.28, 0.28, len(x)), "o", color=COLORS[kind], **SMALL)
        bar = [row - 0.38, row + 0.38]
        ax.plot([medians[name]] * 2, bar, color=COLORS["bound"], linewidth=2)
    ax.axvspan(1 / high, 1 / low, color=COLORS["muted"], alpha=0.15)
    ax.axvline(1, color=COLORS["bound"], linewidth=0.8)
    ax.set_yticks(range(len(LIMITS)), [label for label, _ in LIMITS.values()])
    ax.set_ylim(3.6, -0.6)
    ax.set_xticks([0.3, 0.5, 0.7, 1, 1.4])
    return show(
        fig,
        "Forecast over measured for all runs, in four rows by what governs their time: "
        + "; ".join(f"{LIMITS[n][0]} median {medians[n]:.2f}" for n in LIMITS)
        + ".",
    )


def worst_runs(rows: Iterable[tuple[str, float, str]]) -> Any:
    """The runs that the forecast misses most."""
    told = [(name, f"{ratio:.2f}", LIMITS[limit][0]) for name, ratio, limit in rows]
    return table(("run", "forecast over measured", "governed by"), told)


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
    read = forecast.weight_bytes_read(batch, tiny) / here.bandwidth
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


def assumptions(
    without: Mapping[str, float], tpu: float, amd: float, crowd: int, imbalance: float
) -> Any:
    """What the forecast assumes or replaces; `without` says what a term adds to a run at most."""
    most = {term: human(share, "%") for term, share in without.items()}
    return table(
        ("assumption", "size of the error"),
        [
            (
                "Perfect overlap (d7)",
                f"inside a product kept, between products dropped: at most {most['attention']} of a run here",
            ),
            (
                "Attention's arithmetic is free (d5)",
                "added, in the form that reads the compressed cache; for prompts DeepSeek has another form with less than a third of the arithmetic (row X25)",
            ),
            (
                "Networks are free (d8) and have no latency (d21)",
                f"added: up to {most['bytes']} and {most['latency']} of a run",
            ),
            (
                "Peak rates (d12)",
                f"replaced by three shares: up to {most['shares']} of a run; but one share for all chips leaves {tpu:.2f} for PaLM's TPUs, {amd:.2f} for MI300X at a batch of 256",
            ),
            (
                "Every expert is touched (d10)",
                "replaced by the expected number; no run here is small enough to test it",
            ),
            (
                "Experts are loaded evenly (d9, d20)",
                f"kept; with a random router and {crowd:,} tokens the busiest of DeepSeek's experts gets {imbalance:.1f} times the mean",
            ),
            (
                "Static batches (d16)",
                "kept; how much prompts between decode steps cost cannot be read from these runs",
            ),
            (
                "One token a step (d17)",
                "kept: speculative decoding divides the time by the tokens it gains",
            ),
        ],
    )
