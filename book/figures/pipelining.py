"""Figures of chapter 5: timetables of stages, their idle time, and what stages divide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp

from memwall import (
    Layout,
    Model,
    System,
    chip,
    human,
    model,
    pipelining,
    racks,
    roofline,
    schedules,
)
from memwall.experiments.schedules import Timetable
from memwall.views.explorer import (
    Bar,
    Bars,
    Choice,
    Curve,
    Explorer,
    Grid,
    Guide,
    Lines,
    Point,
    Preset,
    Readout,
    Slider,
    Toggle,
    variables,
)
from memwall.views.figures import COLORS, Figure, canvas, curve, mark, note, show, table
from memwall.views.gantt import CODE, gantt, live_tables
from memwall.views.reader import Asked, exercise, guess, machine_step, settle

# ---- where to cut --------------------------------------------------------------------------------


def where_to_cut() -> Figure:
    """Two racks of two layers: many ways to the experts inside, one between the racks."""
    fig, ax = canvas(
        "Inside a rack a token travels sixteen ways a layer, between racks once",
        log="",
        size=(5.6, 3.0),
    )
    ax.axis("off")
    for rack, left in enumerate((0, 6)):
        ax.plot(
            [left - 0.5, left + 4.3, left + 4.3, left - 0.5, left - 0.5],
            [-0.3, -0.3, 4.5, 4.5, -0.3],
            color=COLORS["muted"],
            lw=1,
        )
        layers = f"rack {rack + 1}: layers {2 * rack + 1} and {2 * rack + 2}"
        note(ax, left + 1.9, 4.9, layers, ha="center", fontsize=10)
        for layer in range(2):
            x = left + 2.2 * layer
            for y in np.linspace(0.1, 4.1, 8):
                ax.plot([x, x + 0.8, x + 1.6], [2.1, y, 2.1], color=COLORS["network"], lw=0.9)
                ax.plot(x + 0.8, y, "s", color=COLORS["weights"], ms=5)
            ax.plot([x, x + 1.6], [2.1, 2.1], "o", color=COLORS["compute"], ms=6)
    arrow = {"arrowstyle": "-|>", "color": COLORS["network"], "lw": 3}
    ax.annotate("", (6, 2.1), (3.8, 2.1), arrowprops=arrow)
    note(ax, 4.9, 1.55, "once", "network", ha="center")
    chosen = "blue: the chosen experts, each on a GPU of its own"
    note(ax, 4.9, -0.75, chosen, "weights", ha="center", fontsize=10)
    ax.set_xlim(-0.8, 10.8)
    ax.set_ylim(-1.1, 5.2)
    return show(
        fig,
        "Two racks of two layers each. In every layer lines fan out from a token to "
        "eight experts and back; between the racks there is a single arrow.",
    )


def boundaries(rows: Mapping[str, Sequence[float]], ratio: float) -> Any:
    """For each model: experts activated, GPUs reached, fast over slow, layers a stage needs."""
    return table(
        [
            "model",
            "activated",
            "GPUs reached",
            f"fast over slow, one layer (outer network {ratio:g}× slower)",
            "layers a stage needs",
        ],
        [
            [name, f"{activated:g}", f"{reached:.1f}", f"{one_layer:.2f}", f"{layers:.0f}"]
            for name, (activated, reached, one_layer, layers) in rows.items()
        ],
    )


# ---- timetables ----------------------------------------------------------------------------------


def timetable(made: Timetable, title: str, high: float = 2.1) -> tuple[Any, Any]:
    """A canvas with the timetable drawn on it."""
    fig, ax = canvas(title, x=("Time", "slots"), log="", size=(6, high))
    gantt(ax, made)
    return fig, ax


def one_batch(naive: Timetable) -> Figure:
    """One batch in all stages: a diagonal, and waiting."""
    fig, _ = timetable(
        naive,
        f"One batch in four stages: {100 * naive.bubble:.0f} % of the hardware is waiting",
    )
    return show(
        fig,
        "Timetable of four stages and one batch: in every slot exactly one stage "
        "works, in a diagonal that repeats for each token.",
    )


def closed_loop(loop: Timetable, steady: float) -> Figure:
    """As many micro-batches as stages: no gap between filling and draining."""
    fig, ax = timetable(
        loop, f"Four micro-batches close the loop: {100 * steady:.0f} % idle once it is filled"
    )
    note(ax, 0.1, 3, "fill", "bound", fontsize=9, dx=2)
    note(ax, loop.span - 0.1, 0, "drain", "bound", fontsize=9, dx=-2)
    return show(
        fig,
        "Timetable of four stages and four micro-batches: after three slots of "
        "filling every stage is busy in every slot until the run ends.",
    )


def gpipe(made: Timetable) -> Figure:
    """All forwards, a stop, all backwards."""
    fig, _ = timetable(made, f"GPipe, 4 stages, 8 micro-batches: {100 * made.bubble:.0f} % idle")
    return show(
        fig,
        "Timetable of GPipe: eight forwards on each stage in a staircase, a gap that "
        "is longest on the first stage, then eight backwards in reverse order.",
    )


def one_forward_one_backward(made: Timetable, gpipe: Timetable) -> Figure:
    """Backwards as early as they can: the same gaps, fewer activations."""
    fig, _ = timetable(
        made,
        f"1F1B idles just as long, but keeps {made.peak_kept:g} activations "
        f"instead of {gpipe.peak_kept:g}",
    )
    return show(
        fig,
        "Timetable of 1F1B: after four forwards the first stage alternates backwards "
        "and forwards; the idle area is as large as GPipe's.",
    )


def weight_gradients_fill_gaps(h1: Timetable) -> Figure:
    """ZB-H1: weight gradients where 1F1B waits."""
    fig, _ = timetable(h1, f"ZB-H1: {100 * h1.bubble:.0f} % idle with the memory of 1F1B")
    return show(
        fig,
        "Timetable of ZB-H1: blue weight-gradient jobs fill the gaps at the turn and at the end.",
    )


def slanted_block(h2: Timetable) -> Figure:
    """ZB-H2: no gap inside, corners that the next step fills."""
    fig, _ = timetable(
        h2,
        f"ZB-H2: a slanted block without a hole, {100 * h2.repeated_bubble:.0f} % idle if "
        "the next step follows at once",
        high=2.3,
    )
    return show(
        fig,
        "Timetable of ZB-H2: a parallelogram with no idle slot inside; each stage "
        "starts one slot later than the one before and ends one slot later.",
    )


def schedules_measured(
    made: Mapping[str, Timetable],
    against: Mapping[str, float],
    said: Mapping[tuple[str, str], str],
) -> Any:
    """A row for each schedule: what the simulator measured, beside what its authors publish."""
    base = made["1F1B"]
    return table(
        [
            "schedule",
            "idle, one run",
            "idle, repeated",
            "idle over useful time, against 1F1B",
            "published",
            "activations against 1F1B",
            "published",
        ],
        [
            [
                name,
                f"{100 * t.bubble:.1f} %",
                f"{100 * max(t.repeated_bubble, 0):.1f} %",
                f"{against[name]:.3f}",
                said.get((name, "bubble over 1F1B"), ""),
                f"{t.peak_kept / base.peak_kept:.2f}",
                said.get((name, "activation memory over 1F1B"), ""),
            ]
            for name, t in made.items()
        ],
    )


def idle_by_micro_batches(
    stages: int,
    micro: int,
    by_formula: Mapping[str, np.ndarray],
    simulated: Mapping[str, Mapping[int, float]],
) -> Figure:
    """Idle share over micro-batches, a curve a schedule by formula, dots by simulation."""
    fig, ax = canvas(
        f"With {micro} micro-batches on {stages} stages the schedule decides between "
        f"{100 * by_formula['1F1B'][micro - 1]:.0f} % idle and none",
        x=("Micro-batches", "1"),
        y=("Idle share", "%"),
        size=(5.8, 3.7),
    )
    words = {"1F1B": "1F1B, GPipe", "ZB-H2": ""}
    kinds = ("compute", "money", "weights", "kv")
    for (name, share), kind in zip(by_formula.items(), kinds, strict=True):
        first = min(simulated[name])  # below it, a formula need not hold
        count = np.arange(first, len(share) + 1)
        seen = np.where(share > 0, share, np.nan)[first - 1 :]
        curve(ax, count, seen, kind, words.get(name, name))
        dots = {n: idle for n, idle in simulated[name].items() if idle > 1e-9}
        ax.plot([*dots], [*dots.values()], "o", color=COLORS[kind], markersize=4)
    none_from = int(np.argmax(by_formula["ZB-H2"] <= 0)) + 1
    ax.set_ylim(0.01, 1)
    note(ax, 14, 0.02, f"ZB-H2: none from {none_from} on", "kv", dx=-6)
    return show(
        fig,
        "Idle share against the number of micro-batches for eight stages: four "
        "falling curves from the formulas, dots from the simulator on them; the "
        f"curve of ZB-H2 plunges to zero at {none_from}.",
    )


def slow_hops(hops: np.ndarray, idle: Mapping[str, Sequence[float]]) -> Figure:
    """Idle share of each schedule over the time that a message takes."""
    fig, ax = canvas(
        "Slow hops spoil the schedules that wait for an answer in every round",
        x=("Time of a hop over a forward", "%"),
        y=("Idle share, one run", "%"),
        log="",
        size=(5.8, 3.6),
    )
    looks = {
        "GPipe": ("bound", -8),
        "1F1B": ("compute", 0),
        "interleaved": ("money", 7),
        "ZB-H1": ("weights", -5),
        "ZB-H2": ("kv", 0),
    }
    for name, (kind, dy) in looks.items():
        curve(ax, hops, idle[name], kind)
        note(ax, hops[-1], idle[name][-1], name, kind, dx=4, dy=dy)
    ax.set_ylim(0, None)
    return show(
        fig,
        "Idle share of five schedules against the time of a hop: 1F1B rises fastest, "
        "GPipe hardly, ZB-H2 least of all.",
    )


# ---- what stages divide --------------------------------------------------------------------------


def memory_of_a_gpu(stages: np.ndarray, own: np.ndarray, cache: np.ndarray, equal: float) -> Figure:
    """Weights and cache of a GPU over the stages, and where they are equal."""
    fig, ax = canvas(
        f"After {equal:.0f} stages the cache, which no stage divides, is the larger part",
        x=("Stages", ""),
        y=("Memory of a GPU", "B"),
        log="",
        size=(5.6, 3.6),
    )
    curve(ax, stages, own + cache, "bound", "total")
    curve(ax, stages, cache, "kv")
    curve(ax, stages, own, "weights", "weights")
    note(ax, stages[-1], cache[-1], "KV cache", "kv", dx=4, dy=-6)
    mark(ax, equal, cache[0], "equal", "bound", dx=8, dy=9)
    ax.set_ylim(0, 27e9)
    above = f"an H100 has {human(chip('H100').chip_capacity, 'B')}, far above this chart"
    note(ax, stages[-1], 26e9, above, "muted", dx=-4)
    return show(
        fig,
        "Memory of a GPU against the number of stages: weights fall as one over P, "
        f"the cache stays at {human(cache[0], 'B')}, so the total levels off.",
    )


def least_stages(boxes: Sequence[System], least: Mapping[str, Sequence[Sequence[float]]]) -> Any:
    """For each model and box the least stages that fit, at three sizes of micro-batch."""

    def words(fits: Sequence[float]) -> str:
        return ", ".join("never" if np.isinf(f) else f"{max(1, np.ceil(f)):.0f}" for f in fits)

    return table(
        ["model, FP8 weights", *(box.name for box in boxes)],
        [[name, *map(words, fits)] for name, fits in least.items()],
    )


def side_by_side_or_in_stages(
    sizes: Sequence[int], took: Mapping[str, Sequence[float]], floors: Mapping[int, float]
) -> Figure:
    """Timed runs of 16, 32 and 3 × 8 GPUs, with the floor of those that read together."""
    fig, ax = canvas(
        "For one user 24 GPUs in a row need "
        f"{took['TP8PP3'][0] / took['TP16'][0]:.1f} times as long as 16 side by side",
        x=("Batch size", "sequences"),
        y=("Time for 8 tokens", "s"),
        size=(5.8, 3.6),
    )
    looks = {
        "TP16": ("16 side by side", 16, "bound", 9),
        "TP32": ("32 side by side", 32, "weights", -10),
        "TP8PP3": ("24 in three stages", 8, "compute", 10),
    }
    for key, (name, group, kind, dy) in looks.items():
        ax.plot(sizes, took[key], "o-", color=COLORS[kind], lw=1.4)
        note(ax, sizes[0], took[key][0], name, kind, dx=4, dy=dy, fontsize=10)
        floor, words = floors[group], f"floor of {group} that read together"
        ax.plot([1, 300], [floor, floor], ":", color=COLORS[kind], lw=1)
        note(ax, 300, floor, words, kind, dx=-0.1, dy=6, fontsize=9)
    ax.set_xlim(0.8, 400)
    ax.set_ylim(0.1, 4.5)
    return show(
        fig,
        "Measured time for eight tokens against batch size. For small batches the "
        "three-stage pipeline of 24 GPUs is slowest; at 256 sequences it has "
        "overtaken the group of 16.",
    )


# ---- live ----------------------------------------------------------------------------------------


def choose_a_timetable() -> Explorer:
    """Live: the timetable of a schedule, its idle share beside the others', and its activations."""
    names, stage_choices = ["GPipe", "1F1B", "ZB-H1", "ZB-H2"], [2, 4, 6]
    which, P, M = variables("schedule P M", nonnegative=True)
    row, column = variables("row column", nonnegative=True)
    index = (which, P / 2 - 1, M - 1)
    work = sp.Function("work")(*index, row, column)
    span, kept, idle, again = (sp.Function(f)(*index) for f in ("span", "kept", "idle", "repeated"))
    return Explorer(
        "timetable",
        title=[
            (idle < 0.1, "{Schedule} with M = {M} on {P} stages idles {idle} of the time"),
            (sp.true, "{Schedule} with M = {M} on {P} stages still idles {idle} of the time"),
        ],
        controls=[
            Choice(which, "Schedule", {n: i for i, n in enumerate(names)}, "1F1B"),
            Choice(P, "Stages", {str(p): p for p in stage_choices}, "4"),
            Slider(M, "Micro-batches", 1, 12, 6, integer=True),
        ],
        chart=[
            Grid(
                cell=sp.Piecewise(
                    (0, work < 1), (1, work < CODE), (0.45, work < 2 * CODE), (0.8, True)
                ),
                rows=P,
                columns=span,
                x=("Slot", ""),
                y=("Stage", ""),
                kind=("compute", "weights"),
                which=sp.floor(work / (2 * CODE)),
                text=work - CODE * sp.floor(work / CODE),
                title="Full orange forward, pale orange backward, blue weight gradients; "
                "blank is idle",
            ),
            Bars(
                value=("Idle share", "%"),
                range=(0, 1),
                title="The same stages and micro-batches under each schedule, by formula",
                bars=[
                    Bar("one micro-batch at a time", pipelining.naive_bubble(P), "muted"),
                    Bar("GPipe, 1F1B", pipelining.fill_bubble(P, M, 1), "compute"),
                    Bar("interleaved, 2 chunks", pipelining.fill_bubble(P, M, 2), "compute"),
                    Bar("ZB-H1", pipelining.zb_h1_bubble(P, M), "weights"),
                    Bar("ZB-H2, repeated", pipelining.zb_h2_bubble(P, M), "weights"),
                ],
            ),
        ],
        readouts=[
            Readout("Idle in one run", idle, "%", key="idle"),
            Readout("Idle when runs follow without a barrier", again, "%"),
            Readout("Activations kept on a stage", kept, "1"),
            Readout("Length of the run", span, "slots"),
        ],
        tables=live_tables(names, stage_choices, 12),
        alt="Timetable of {Schedule} with {M} micro-batches on {P} stages, and the idle "
        "share of five schedules as bars. {idle} of the run is idle.",
    )


def choose_the_stages(guess: Model) -> Explorer:
    """Live: memory of a GPU over the stages, for the chapter's `guess` and for real models."""
    P, b, L, grow, hop = variables("stages users context grow hop", nonnegative=True)
    m, s = Model.symbolic(), System.symbolic()
    in_flight = b * (1 + grow * (P - 1))  # b per stage, or b in all
    own = pipelining.weights_per_chip(m, s.chips, P)
    cache = pipelining.kv_per_chip(in_flight, L, m, s.chips, P)
    token = pipelining.token_time(pipelining.stage_time(in_flight / P, L, m, s, P), P, hop)
    capacity = s.capacity / s.chips
    fit, same = pipelining.stages_to_fit(b, L, m, s), pipelining.stages_to_equal_kv(b, L, m)
    sizes = {"H100": 8, "H200": 8, "B200": 8, "GB200": 72}
    machines = {f"{n} × {name}, FP8": chip(name).system(n) for name, n in sizes.items()}
    real = {
        name: model(name, weights="fp8")
        for name in ("DeepSeek-V3", "Kimi K2", "Qwen3-235B-A22B", "Llama-3.1-405B")
    }
    return Explorer(
        "stages",
        title=[
            (
                own + cache > capacity,
                "Cut into {stages}, a GPU would need {need}: it does not fit",
            ),
            (
                cache > own,
                "Cut into {stages}, the cache is most of a GPU's {need}: more stages save little",
            ),
            (
                sp.true,
                "Cut into {stages}, weights are most of a GPU's {need}: more stages still help",
            ),
        ],
        controls=[
            Preset("Model", {"a trillion, FP8": guess, **real}, m, "DeepSeek-V3"),
            Preset("One stage", machines, s, "8 × H100, FP8"),
            Slider(P, "Stages", 1, 16, 2, integer=True),
            Slider(b, "Users", 1, 1e4, 128, unit="users", log=True),
            Slider(L, "Context", 100, 1e6, 8000, unit="tokens", log=True),
            Toggle(grow, "That many users for each stage (off: in all)", True),
            Slider(hop, "Time of a hop", 1e-6, 1e-2, 2e-4, unit="s", log=True),
        ],
        chart=[
            Lines(
                x=P,
                y=("Memory of a GPU", "B"),
                curves=[
                    Curve("weights", own, "weights"),
                    Curve("KV cache", cache, "kv"),
                    Curve("total", own + cache, "bound"),
                ],
                points=[Point("you", P, own + cache)],
                guides=[Guide("HBM of a GPU", y=capacity)],
            ),
            Bars(
                value=("Memory of a GPU", "B"),
                stacked=True,
                bars=[Bar("weights", own, "weights"), Bar("KV cache", cache, "kv")],
            ),
        ],
        readouts=[
            Readout("Memory of a GPU", own + cache, "B", key="need"),
            Readout("Sequences in flight", in_flight, "sequences"),
            Readout(
                "Least stages that fit, users for each stage",
                sp.ceiling(sp.Max(fit, 1)),
                "stages",
            ),
            Readout("Weights equal caches, users for each stage", same, "stages"),
            Readout("Time of a token, floor", token, "s"),
            Readout("Arithmetic busy", roofline.compute_utilisation(in_flight / P, L, m, s), "%"),
        ],
        alt="Memory of a GPU against the number of stages: weights fall, the cache is "
        "level when users grow with the stages. At {stages} stages a GPU needs "
        "{need}.",
    )


# ---- where the model breaks ----------------------------------------------------------------------


def what_is_cut(cuts: Mapping[str, Layout], kept: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> Any:  # fmt: skip
    """Weights and caches on one GPU, for each cut of each model."""
    rows = [
        (who, cut, f"{layout.chips:g}", human(weights, "B"), human(cache, "B"))
        for who, (each, held) in kept.items()
        for (cut, layout), weights, cache in zip(cuts.items(), each, held, strict=True)
    ]
    return table(("model", "cut", "GPUs", "weights on one", "caches on one"), rows)


def where_the_model_breaks(
    slower: Sequence[float],
    idle_short_w: float,
    idle_hops: float,
    hop: float,
    latency: float,
    busy: float,
) -> Any:
    """A row for each assumption of the chapter and the size of the error."""
    uneven, half = (100 * (x - 1) for x in slower)
    h1, steady = schedules.zb_h1(8, 32).bubble, schedules.one_f_one_b(8, 32).bubble
    reached = racks.distinct_targets(8, model("DeepSeek-V3"))
    errors = {
        "All stages take equally long": "62 layers on four stages (16, 16, 15, 15): "
        f"{uneven:.1f} % slower; one stage with half as much work again: {half:.0f} % slower",
        "F, B and W take equally long": f"with W half as long, ZB-H1 idles "
        f"{100 * idle_short_w:.1f} % instead of {100 * h1:.1f} %",
        "Hops are hidden (d8)": "hops of a tenth of a forward: 1F1B on 8 stages idles "
        f"{100 * idle_hops:.0f} % instead of {100 * steady:.0f} %",
        "Bandwidth ratio only, no latency (d21)": f"a hop of {human(hop, 's')} instead of "
        f"{human(hop - latency, 's')}",
        "Each chosen expert on a GPU of its own (d20)": f"on 8 GPUs, {reached:.1f} are reached "
        "instead of 8",
        "The cache is cut perfectly over the GPUs of a stage (d18)": "with 8 KV heads on 64 GPUs "
        f"there are {64 // 8} copies, of a latent 64: the cache on a GPU is that many times as large, "
        "unless GPUs take users of their own",
        "Micro-batches stay at their balance (d19)": "with users fixed, 16 stages leave the "
        f"arithmetic {100 * busy:.0f} % busy in the example above",
    }
    return table(["assumption", "size of the error"], errors.items())


# ---- a first look --------------------------------------------------------------------------------


def one_step() -> Explorer:
    """Live: one decode step whose layers are cut over four racks."""
    rack = chip("GB200").system(72, "fp8")
    show = ("weights", "arithmetic", "caches", "stages")
    return machine_step(model("DeepSeek-V3"), rack, show, stages=4, id="machine-stages")


# ---- what the chapter asks -----------------------------------------------------------------------


def guess_idle() -> Asked:
    return guess(
        "idle", "Four racks in a row work on one batch at a time. What share of the hardware is idle?", "%", like="20 %",
    )  # fmt: skip


def settle_idle(share: float) -> Asked:
    """The first guess against one stage in four at work."""
    return settle(
        "idle", share, "%", near=1.1,
        close="One works, three wait.",
        low="A batch is in one place at a time.",
        high="One of the four does work.",
    )  # fmt: skip


def guess_lost() -> Asked:
    return guess(
        "lost",
        "Training runs 8 micro-batches through 4 stages, all forwards, then all backwards. What share of the time is lost?",
        "%", like="5 %",
    )  # fmt: skip


def settle_lost(share: float) -> Asked:
    """The second guess against the slots in which a pipeline fills and drains."""
    return settle(
        "lost", share, "%", near=1.25,
        close="Three rounds in eleven. A cleverer timetable is coming.",
        low="Three of four stages wait at the start, at the turn and at the end.",
        high="Eight micro-batches fill more than that.",
    )  # fmt: skip


def guess_held() -> Asked:
    return guess(
        "held",
        "On one rack each GPU holds 8 GB of KV cache. The model is now cut into four racks, all kept busy. How much "
        "cache does a GPU hold?",
        "B", like="80 GB",
    )  # fmt: skip


def settle_held(held: float) -> Asked:
    """The third guess: a quarter of the layers, for four times the users."""
    return settle(
        "held", held, "B", near=1.2,
        close="Two effects of the same size, and they cancel.",
        low="It keeps a quarter of the layers, yes. But for how many users?",
        high="There are four times the users, yes. But how many of the layers does it keep?",
    )  # fmt: skip


def ask_barrier() -> Asked:
    tiles = schedules.zb_h2(8, 16)
    return exercise(
        "barrier", "The share of time that the barrier costs", unit="%", answer=tiles.bubble,
        slips={
            "That is 1F1B. Weight gradients fill gaps here: a slot is a third of a round.": pipelining.fill_bubble(8, 16, 1),
            "That is idle time over useful time; the share is of all time.": pipelining.idle_per_work(tiles.bubble),
        },
        tolerance=0.03,
    )  # fmt: skip


def ask_micro_batches() -> Asked:
    many = np.arange(1, 500)
    idle = pipelining.fill_bubble(8, many, 1)
    enough = many[idle <= 0.05].min()
    return exercise(
        "micro-batches", "Micro-batches for 1F1B", like="20", answer=enough, tolerance=0.005,
        slips={
            "That is idle time over useful time; the share is of all time.": many[pipelining.idle_per_work(idle) <= 0.05].min(),
            "That is for ZB-H1, which fills the gaps.": many[pipelining.zb_h1_bubble(8, many) <= 0.05].min(),
        },
    )  # fmt: skip


def ask_would_you() -> Asked:
    m, s, hop = model("Kimi K2", weights="fp8"), chip("H200").system(8), 2e-4
    stages = np.ceil(pipelining.stages_to_fit(1024, 8000, m, s))
    stage = pipelining.stage_time(1024, 8000, m, s, stages)
    return exercise(
        "would-you", "The time of a token", unit="s", answer=pipelining.token_time(stage, stages, hop),
        slips={"That is one stage. The token must pass all of them.": stage},
    )  # fmt: skip
