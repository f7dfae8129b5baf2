"""Chapter 9: published runs above their floor, the terms of the forecast, and what it still misses."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp

from memwall import System, catalog, forecast, human, measure, roofline, runs, sparsity, validate
from memwall.experiments import predict
from memwall.experiments.recipes import recipes_of
from memwall.experiments.runs import Served
from memwall.experiments.validate import Score
from memwall.experiments.whole import Run, Runs
from memwall.formulas.forecast import CLASSES, TERMS, Efficiency
from memwall.views.explorer import (
    Bar,
    Bars,
    Curve,
    Explorer,
    Guide,
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
    return table(("constant", *CLASSES), rows)


def bands() -> Any:
    """The band of each class: of a time per token and of a first token."""
    rows = []
    for kind in CLASSES:
        told = ("{:.2f} to {:.2f}".format(*forecast.band(kind, of)) for of in ("tpot", "ttft"))
        rows.append((kind, *told))
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
    return table(
        ("", "runs", "mean error", "median error", "within 1.5×", "forecast over measured"), found
    )


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


def time_by_part(parts: Mapping[str, Mapping[str, float]]) -> Figure:
    """What a step's time goes to, a bar for each kind of run."""
    most = max(parts, key=lambda name: parts[name]["launches"])
    share = parts[most]["launches"]
    fig, ax = canvas(
        f"{most[0].upper()}{most[1:]}: {share:.0%} of a step goes to starting things",
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


def coverage() -> Any:
    """How many rows of each shipped table are answered, and how many of those their band holds."""
    found = []
    reports = {
        "served": validate.served_report,
        "open": validate.open_report,
        "local": validate.local_report,
        "cookbook": validate.cookbook_report,
    }
    for kind, report in reports.items():
        rows = runs.load(kind)
        lines = [x for x in report(rows) if not x["error"]]
        if kind == "local":
            held = [x["low"] <= x["measured_tokens_per_second"] <= x["high"] for x in lines]
            shares = (per(np.mean(held)), "")
        else:
            shares = tuple(
                per(np.mean([x[f"{of}_low_s"] <= x[f"measured_{of}_s"] <= x[f"{of}_high_s"]
                             for x in lines if x[f"measured_{of}_s"]]))
                for of in ("tpot", "ttft")
            )  # fmt: skip
        found.append((KINDS[kind], len(rows), len(rows) - len(lines), *shares))
    return table(
        ("", "runs", "without an answer", "time per token in the band", "first token in the band"),
        found,
    )


KINDS = {
    "served": "closed loops of servers", "open": "requests at a rate", "local": "one user at home",
    "cookbook": "recipes' own closed loops, no layout stated",
}  # fmt: skip

# ---- the accuracy page ---------------------------------------------------------------------------


def cell_of(row: Served) -> tuple[str, ...]:
    """What rows of the accuracy table share: all but the layout and the load."""
    mode = "pools" if row.mode == "disagg" else ""
    engine = " ".join(filter(None, (row.engine, mode)))
    return (row.model, row.chip, engine, row.weights, f"{row.prompt:,.0f} + {row.output:,.0f}")


# whether the band holds at least half of a cell's runs
HELD = ("held", "missed", "unanswered")


def accuracy() -> Any:
    """The table of the accuracy page, its rows marked by `HELD` and by their model."""
    rows = runs.served()
    lines = validate.served_report(rows)
    cells: dict[tuple[str, ...], list[tuple[Served, dict[str, Any]]]] = {}
    for row, line in zip(rows, lines, strict=True):
        cells.setdefault(cell_of(row), []).append((row, line))
    made, attributes = [], []
    for key in sorted(cells):
        both = cells[key]
        answered = [(r, x) for r, x in both if not x["error"]]
        ratios = np.array([x["tpot_s"] / r.tpot for r, x in answered])
        firsts = np.array([x["ttft_s"] / r.ttft for r, x in answered if r.ttft])
        held = [x["tpot_low_s"] <= r.tpot <= x["tpot_high_s"] for r, x in answered]
        parts = {r.part for r, _ in both}
        known = "both" if len(parts) > 1 else parts.pop()
        source, url = both[0][0].source.split(",")[0], both[0][0].url
        made.append((
            *key, len(both), len(both) - len(answered) or "",
            f"{np.median(ratios):.2f}" if len(ratios) else "", per(np.mean(abs(ratios - 1))) if len(ratios) else "",
            f"{np.median(firsts):.2f}" if len(firsts) else "", per(np.mean(held)) if held else "",
            known, link(source, url),
        ))  # fmt: skip
        good = HELD[2] if not held else HELD[int(np.mean(held) < 0.5)]
        attributes.append({"data-verdict": good, "data-chapter": key[0]})
    columns = (
        "model", "chip", "engine", "weights", "tokens", "runs", "without an answer",
        "per token, forecast over measured", "mean error", "first token", "in the band", "part", "source",
    )  # fmt: skip
    listed = table(
        columns, made, label="Forecast over measured, cell by cell", kind="mw-claims",
        id="mw-accuracy", row_attributes=attributes,
    )  # fmt: skip
    return listed


ENOUGH = 5  # loads at which a configuration must have been run


def configurations() -> dict[str, list[Served]]:
    """Runs of one engine that differ in the load alone, where there are enough of them for a curve."""
    groups: dict[str, list[Served]] = {}
    for row in runs.served():
        if row.mode == "agg" and not recipes_of(row)[0].drafts:
            cut = f"{row.decode.chips:.0f} {row.chip}"
            cut += ", users spread over them" if row.decode.dp > 1 else ""
            tokens = f"{row.prompt:,.0f} + {row.output:,.0f} tokens"
            name = f"{row.model} in {row.weights}, {cut}, {row.engine}, {tokens}"
            groups.setdefault(name, []).append(row)
    return {
        name: rows for name, rows in groups.items()
        if len({r.concurrency for r in rows}) >= ENOUGH and not predict.work_of(rows[:1])[1][0]
    }  # fmt: skip


def accuracy_figure() -> Explorer:
    """Live: a configuration's forecast and band over the load, and the runs that were measured."""
    groups = configurations()
    which, users = sp.symbols("which users", positive=True)
    loads = [2.0**k for k in range(10)]
    asked = [
        dataclasses.replace(rows[0], concurrency=load) for rows in groups.values() for load in loads
    ]
    work, _ = predict.work_of(asked)
    assert work is not None
    curves = work.tpot(forecast.fitted()).reshape(len(groups), len(loads))
    most = max(len(rows) for rows in groups.values())

    def measured(rows: list[Served], of: str) -> list[float]:
        values = [getattr(r, of) for r in sorted(rows, key=lambda r: r.concurrency)]
        return (values + [values[-1]] * most)[:most]

    x_of, y_of, curve_of = (sp.Function(name) for name in ("load", "seconds", "curve"))
    doubling = sp.log(users) / sp.log(2)
    below = sp.floor(doubling)
    left, right = curve_of(which, below), curve_of(which, below + 1)
    expected = left * (right / left) ** (doubling - below)
    low, high = forecast.band()
    return Explorer(
        "accuracy",
        title="At {users} users {expected} a token; dots are what was measured",
        controls=[
            Preset("Configuration", {name: {which: i} for i, name in enumerate(groups)}),
            Slider(users, "Users at once", 1, 500, 32, log=True),
        ],
        chart=Lines(
            x=users, x_range=(1, 500), y=("Time per token", "s"), log="xy",
            curves=[
                Curve("", high * expected, "money", fill_to=low * expected, width=0.01),
                Curve("forecast", expected, "money"),
            ],
            points=[Point("you", users, expected, "money")]
            + [Point("", x_of(which, k), y_of(which, k), "weights") for k in range(most)],
        ),
        readouts=[Readout("Time per token, forecast", expected, "s", key="expected",
                          low=low * expected, high=high * expected),
                  Readout("Users", users, "1", key="users")],
        tables={
            "curve": [[float(f"{x:.4g}") for x in row] for row in curves],
            "load": [measured(rows, "concurrency") for rows in groups.values()],
            "seconds": [[float(f"{x:.4g}") for x in measured(rows, "tpot")] for rows in groups.values()],
        },
        alt="Time per token over the number of users: {expected} at {users}; dots are measurements.",
    )  # fmt: skip
