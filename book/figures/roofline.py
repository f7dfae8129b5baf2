"""Chapter 2: the roof and who lives under it, the balance batch and its pole, the train and its timetable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp

from memwall import (  # fmt: skip
    LayerGroup,
    Layout,
    Model,
    System,
    catalog,
    chip,
    forecast,
    human,
    layers,
    model,
    passes,
    predict,
    roofline,
    serving,
)
from memwall.core.nouns import Unknown
from memwall.views.explorer import (
    Choice,
    Curve,
    Explorer,
    Guide,
    Lines,
    Point,
    Preset,
    Readout,
    Region,
    Regions,
    Slider,
    variables,
)
from memwall.views.figures import COLORS, Figure, canvas, curve, mark, note, show, table, two_digits
from memwall.views.reader import Asked, exercise, guess, machine_step, settle


def runs_under_the_roof(reach: np.ndarray, speed: np.ndarray, wrote: np.ndarray) -> Figure:
    """Published runs under the roofline: speed over peak against intensity over the ridge point."""
    share = speed / np.minimum(reach, 1)
    fig, ax = canvas(
        f"{len(reach)} published runs, none above the roof; the best comes to {share.max():.0%} of it, the middle one to {np.median(share):.0%}",
        x=("Arithmetic intensity, over the ridge point", "x"),
        y=("Speed, over the peak", "%"),
        size=(5.6, 4.2),
    )
    grid, unit = np.geomspace(2e-3, 6e3, 200), System(flops=1.0, bandwidth=1.0)
    curve(ax, grid, roofline.attainable_flops(grid, unit), "bound", linewidth=3)
    tokens = {"color": COLORS["weights"], "markersize": 5, "alpha": 0.75}
    prompts = {"color": COLORS["compute"], "markersize": 6, "alpha": 0.75}
    ax.plot(reach[wrote], speed[wrote], "o", **tokens)
    ax.plot(reach[~wrote], speed[~wrote], "^", **prompts)
    note(ax, 0.05, 0.012, "writing tokens", "weights", dx=14, dy=-6)
    note(ax, 60, 0.2, "reading prompts", "compute", dy=-10, ha="center")
    note(ax, 1, 1, "ridge", dy=9, ha="center")
    note(ax, 0.13, 0.13, "memory's roof", dx=-8, dy=4, ha="right")
    note(ax, 80, 1, "arithmetic's roof", dy=9, ha="center")
    ax.set_ylim(1e-3, 2)
    return show(
        fig,
        f"Roofline of {len(reach)} published runs: speed over peak against intensity over the ridge point. Runs that write tokens lie under the slope, runs that read prompts under the flat roof; all between {share.min():.0%} and {share.max():.0%} of it.",
    )


def multiplies_per_weight(band: Mapping[str, Mapping[str, float]]) -> Figure:
    """Multiply-adds per weight loaded, for each chip and each precision it has; a line at 300."""
    styles = {"bf16": ("o", "compute"), "fp8": ("s", "weights"), "fp4": ("^", "kv")}
    every = np.array([v for made in band.values() for v in made.values()])
    fig, ax = canvas(
        f"The 300 is a band: half of all chips and precisions lie between {np.quantile(every, 0.25):.0f} and {np.quantile(every, 0.75):.0f}",
        x=("Multiply-adds per weight loaded", "1"),
        log="x",
        size=(5.6, 5.4),
    )
    for i, made in enumerate(reversed(band.values())):
        ends = [min(made.values()), max(made.values())]
        ax.plot(ends, [i, i], color=COLORS["muted"], linewidth=1)
        for j, (p, value) in enumerate(made.items()):
            marker, kind = styles[p]
            ax.plot(value, i + (j - 1) * 0.16, marker, color=COLORS[kind], markersize=6)
    ax.axvline(300, color=COLORS["bound"], linewidth=1)
    note(ax, 300, len(band) - 0.2, "300", dx=4, va="bottom")
    for y, (p, (marker, kind)) in zip((5.9, 4.9, 3.9), styles.items(), strict=True):
        ax.plot(85, y, marker, color=COLORS[kind], markersize=6)
        note(ax, 85, y, p, kind, dx=7)
    ax.set_yticks(range(len(band)), list(reversed(band)), fontsize=9)
    ax.set_ylim(-0.6, len(band) + 0.5)
    ax.set_xticks([100, 200, 300, 500])
    ax.set_xlim(75, 650)
    ax.grid(axis="y", visible=False)
    return show(
        fig,
        f"Multiply-adds per weight loaded for every chip and precision of the catalog, from {every.min():.0f} to {every.max():.0f}, most of them between 200 and 320; a line at 300.",
    )


def models_by_sparsity(found: Mapping[str, tuple[Model, float, float]]) -> Any:
    """Models with their sparsity by parameters and by experts, and the batch that balances them."""
    head = (
        "model",
        "total / active parameters",
        "experts / chosen",
        "balance batch, 72 × GB200, FP8",
    )
    return table(
        head,
        [
            (
                name,
                f"{ratio:.1f}",
                f"{m.experts / m.experts_active:.0f}" if m.experts else "–",
                f"{batch:,.0f}",
            )
            for name, (m, ratio, batch) in found.items()
        ],
    )


def balance_batch_and_pole(
    caches: Mapping[str, tuple[np.ndarray, np.ndarray]], poles: Mapping[str, float]
) -> Figure:
    """Balance batch against context for three caches; each rises without bound at its pole."""
    first, *_, last = poles
    fig, ax = canvas(
        f"V3 has no balance beyond {two_digits(poles[first])} tokens; V4-Pro's cache moves that {poles[last] / poles[first]:.0f} times further",
        x=("Context", "tokens"),
        y=("Balance batch", "sequences"),
        size=(5.6, 4.0),
    )
    looks = (("compute", "right", 2.5e5), ("weights", "left", 1.2e5), ("kv", "right", 2.5e5))
    for (name, (context, batch)), (kind, side, height) in zip(caches.items(), looks, strict=True):
        curve(ax, context, batch, kind)
        ax.axvline(poles[name], color=COLORS[kind], linewidth=0.8)
        words = f"{name},\n{two_digits(poles[name])} tokens"
        dx = 5 if side == "left" else -8
        note(ax, poles[name], height, words, kind, dx=dx, ha=side, fontsize=10)
    ax.set_ylim(3e3, 1e6)
    ax.set_xlim(100, 3e5)
    return show(
        fig,
        "Balance batch against context for three DeepSeek models and caches on a rack; each rises without bound as it nears its balanced context: "
        + ", ".join(f"{name} {two_digits(pole)} tokens" for name, pole in poles.items()),
    )


def what_sets_the_pace(
    users: np.ndarray, past: np.ndarray, slowest: np.ndarray, service: tuple[float, float], full: np.ndarray, s: System
) -> Figure:  # fmt: skip
    """Map of batch and context by what sets the pace, with DeepSeek's service (batch, context) on it."""
    fig, ax = canvas(
        "DeepSeek's service sits on the border of attention's arithmetic and the caches",
        x=("Batch", "sequences"),
        y=("Context", "tokens"),
        size=(5.6, 4.2),
    )
    places = (
        ("weights'\narithmetic", (4e4, 450), "compute"),
        ("attention's\narithmetic", (2e5, 4.5e3), "network"),
        ("weights", (30, 1000), "weights"),
        ("KV caches", (2e4, 1.2e5), "kv"),
    )
    levels = np.arange(len(places) + 1) - 0.5
    fill = {"levels": levels, "colors": [COLORS[kind] for _, _, kind in places]}
    ax.contourf(*np.meshgrid(users, past), slowest, alpha=0.28, **fill)
    for word, where, kind in places:
        note(ax, *where, word, kind, ha="center", va="center", fontweight="bold")
    mark(ax, *service, "DeepSeek's service", dx=-8, dy=10, ha="right")
    ax.plot(full, past, color=COLORS["bound"], linewidth=1.2, linestyle=(0, (4, 3)))
    note(ax, full[-20], past[-20], "memory is full", dx=6, fontsize=10)
    ax.set_xlim(1, 1e6)
    ax.set_ylim(100, 1e6)
    ax.grid(False)
    return show(
        fig,
        f"Map of batch and context for DeepSeek-V3 on {s.name}, coloured by what sets the pace: reading weights at lower left, reading KV caches at the top, the weights' arithmetic at lower right, attention's own arithmetic in a wedge between them and the caches. DeepSeek's service lies where that wedge meets the caches.",
    )


# ---- what a layer remembers ------------------------------------------------------------------------

# a release of each kind, from keeping everything to keeping nothing that grows; its colour
FAMILIES = {
    "full": ("Llama-3.1-70B", "weights"),
    "window": ("gpt-oss-120b", "money"),
    "latent": ("DeepSeek-V3", "kv"),
    "chosen": ("DeepSeek-V3.2", "compute"),
    "compressed": ("DeepSeek-V4-Pro", "network"),
    "state": ("Qwen3-Next-80B-A3B", "bound"),
}


def kinds_of_layers() -> Any:
    """What a layer of each kind keeps of a past of L tokens, reads of it in a step, and multiplies."""
    return table(
        ("kind", "keeps", "reads in a step", "multiplies", "for example"),
        [
            ("full: every key and value", "entry × L", "the same", "width × L", "Llama-3.1"),
            ("window of w tokens", "entry × min(L, w)", "the same", "width × min(L, w)", "half of gpt-oss, five layers in six of Gemma 3"),
            ("latent: one vector for all heads", "entry × L, a small one", "the same", "width × L, a large one", "DeepSeek-V3, Kimi K2"),
            ("chosen: the k best by a short index key", "(entry + key) × L", "entry × min(L, k) + key × L", "likewise", "DeepSeek-V3.2, GLM-5"),
            ("compressed: one entry for r tokens", "entry × L / r", "entry × min(L / r, k) + key × L / r", "likewise", "DeepSeek-V4, beside a window"),
            ("state: a table, overwritten", "one size for all L", "twice that: read and written", "the same for all L", "three layers in four of Qwen3-Next and Kimi Linear"),
        ],
        label="What a layer remembers, by kind",
    )  # fmt: skip


def sequences_that_fit(room: float, contexts: Sequence[float]) -> Any:
    """How many sequences' caches fill so many bytes, for a release of each kind."""
    rows = []
    for kind, (name, _) in FAMILIES.items():
        groups = catalog.checkpoint(name).groups
        held = [sum(layers.held_bytes(n, g) for g in groups) for n in contexts]
        rows.append((kind, name, *(f"{room / h:,.0f}" if h <= room else "none" for h in held)))
    head = ("layers", "release", *(f"sequences of {human(n, 'tokens')}" for n in contexts))
    return table(head, rows, label="Sequences that fit")


def what_a_layer_remembers() -> Explorer:
    """Live: bytes held and read and FLOP of attention against context, for six kinds of layers."""
    L, read, narrow = variables("context reading narrow")
    quantity = {}
    for kind, (name, _) in FAMILIES.items():
        wide = catalog.checkpoint(name)
        sums = [
            [sum(f(L, g) for g in c.groups) for f in (layers.held_bytes, layers.read_bytes)]
            for c in (wide, wide.stored("fp8"))
        ]
        held, moved = (
            sp.Piecewise((b, narrow > 1.5), (a, True)) for a, b in zip(*sums, strict=True)
        )
        work = sum(layers.attention_flop(L, g) for g in wide.groups)
        quantity[kind] = sp.Piecewise((moved, read > 1.5), (held, True)), work, work / moved
    colours = {kind: colour for kind, (_, colour) in FAMILIES.items()}
    return Explorer(
        "what-a-layer-remembers",
        title=[
            (read > 1.5, "At {context} a step reads {full} of a Llama's past, {compressed} of V4-Pro's"),
            (sp.true, "At {context} a Llama's past takes {full}, V4-Pro's {compressed}"),
        ],
        controls=[
            Slider(L, "Context", 100, 1e6, 32_000, unit="tokens", log=True),
            Choice(read, "Bytes", {"held": 1, "read in a step": 2}, "read in a step"),
            Choice(narrow, "Cache stored in", {"16 bits": 1, "8 bits": 2}),
        ],
        chart=[
            Lines(
                x=L,
                y=("Bytes of one sequence", "B"),
                log="xy",
                curves=[Curve(kind, quantity[kind][0] + 0 * L, colours[kind]) for kind in FAMILIES],
                guides=[Guide("you", x=L)],
                title="What is kept, or read",
            ),
            Lines(
                x=L,
                y=("Attention's arithmetic, one token", "FLOP"),
                log="xy",
                curves=[Curve(kind, quantity[kind][1] + 0 * L, colours[kind]) for kind in FAMILIES],
                guides=[Guide("you", x=L)],
                title="What is multiplied",
            ),
        ],
        readouts=[
            Readout(f"{kind}: {name}", quantity[kind][0], "B", key=kind)
            for kind, (name, _) in FAMILIES.items()
        ]
        + [
            Readout(f"Multiplied for each byte read, {kind}", quantity[kind][2], "FLOP/B")
            for kind in ("full", "latent")
        ],
        alt="Bytes of one sequence and attention's arithmetic against context for six kinds of layers. At {context}: full {full}, window {window}, latent {latent}, chosen {chosen}, compressed {compressed}, state {state}.",
    )  # fmt: skip


def drain_times(drain: Mapping[str, float]) -> Figure:
    """Time in which each chip reads its whole memory once, and the lecture's train of 20 ms."""
    order = sorted(drain, key=drain.__getitem__)
    times = [drain[name] for name in order]
    fig, ax = canvas(
        f"Chips drain their memory in {two_digits(times[0], 's')} to {two_digits(times[-1], 's')}; 20 ms is a typical choice, not a law",
        x=("Capacity over bandwidth", "s"),
        log="",
        size=(5.6, 4.8),
    )
    ax.barh(range(len(order)), times, color=COLORS["weights"], alpha=0.55, height=0.7)
    ax.axvline(0.020, color=COLORS["bound"], linewidth=1.3)
    note(ax, 0.020, len(order) - 0.4, "the lecture's train", dx=4, va="bottom")
    ax.set_yticks(range(len(order)), order, fontsize=9)
    ax.set_ylim(-0.7, len(order) + 0.6)
    ax.grid(axis="y", visible=False)
    return show(
        fig,
        "Drain time of each chip of the catalog: "
        + ", ".join(f"{name} {human(drain[name], 's')}" for name in order),
    )


def trains_in_figures(rate: float, measured: float) -> Any:
    """What the lecture makes of its train, and what one service measured."""
    said = 128e3  # token/s of a domain of 72, in the lecture
    return table(
        ("", "computed", "said"),
        [
            (
                "tokens a second of one domain, 2,000 every 15 ms",
                f"{rate:,.0f}",
                f"{said:,.0f}, from 64 departures a second",
            ),
            (
                "share of a large provider's traffic, 500 million a second later in the lecture",
                f"{said / 500e6:.3%}",
                "a thousandth",
            ),
            ("for each of 72 GPUs", f"{said / 72:,.0f}", "–"),
            ("DeepSeek, for each GPU, measured", f"{measured:,.0f}", "–"),
        ],
    )


def _groups(most: int, kept: Any) -> list[LayerGroup]:
    """So many groups of layers as symbols, whose cache is `kept` times 16 bits wide."""
    fields = "layers entry stretch held_cap read_cap width index index_width state state_flop"
    return [
        LayerGroup(
            **{field: variables(f"{field}_{i}") for field in fields.split()},
            bytes_per_element=2 * kept,
        )
        for i in range(most)
    ]


def _values(groups: Sequence[LayerGroup], of: Sequence[LayerGroup]) -> dict[Any, float]:
    """A release's layers for those symbols; none at all where it has fewer groups than they."""
    none = LayerGroup(layers=1)  # whose entry, index and state are nothing
    found = {}
    for i, symbols in enumerate(groups):
        its = of[i] if i < len(of) else none
        for name, symbol in symbols.symbols().items():
            if name != "bytes_per_element":
                # the page has no infinity: beyond any context is as good
                found[symbol] = min(float(getattr(its, name)), 1e12)
    return found


def balance_figure() -> Explorer:
    """Live: the roof and the map of regimes, for a model, a chip, a precision, a batch and a context."""
    m = Model.symbolic()
    B, L, x = variables("batch context intensity")
    G, F16, F8, F4, W1, C1, w, kept, link, card, domain = variables(
        "chips flops16 flops8 flops4 bandwidth1 capacity1 width kept link card domain"
    )
    torus = variables("torus", nonnegative=True)
    flops = sp.Piecewise((F16, w > 1.5), (F8, w > 0.75), (F4, True))
    groups = _groups(3, kept)
    read = sum(layers.read_bytes(L, g) for g in groups)
    work = sum(layers.attention_flop(L, g) for g in groups)
    its = m.replace(
        bytes_per_param=w,
        kv_bytes_per_token=read / L,
        attention_width=work / (2 * L * m.layers),
    )
    both = 2 * m.n_active + work  # of one token; attention works in 16 bits
    mixed = both / (2 * m.n_active / flops + work / F16)
    one = System(flops=mixed, bandwidth=W1, capacity=C1)
    machine = System(flops=G * flops, bandwidth=G * W1, capacity=G * C1)
    box = machine.replace(
        scale_up=G * link, scale_out=G * card, chips=G, domain=domain, torus=torus,
        bf16_flops=G * F16, fp8_flops=G * F8, fp4_flops=G * F4,
    )  # fmt: skip
    # products at the rate of the width that is chosen; matrices of dense models cut over all chips,
    # users of sparse ones spread over them
    stored = predict.blackboard(its)
    spread = sp.Piecewise((G, m.experts > 1), (1, True))
    rates_of = box.replace(bf16_flops=G * flops)
    step = passes.decode_pass(B, L, stored, rates_of, Layout(tp=G / spread, dp=spread, ep=spread))
    expect = forecast.pass_time(
        step.replace(
            attention_arithmetic=step.attention_arithmetic * flops / F16,
            dense_widening=0,
            expert_widening=0,
        ),
        forecast.fitted(),
    )
    low, high = forecast.band()

    def rates(name: str) -> dict[Any, Any]:
        c = chip(name)
        has = {p: c.flops(p) for p in c.precisions()}
        bf16 = has.get("bf16", has.get("fp8"))
        fp8 = has.get("fp8", bf16)
        box = c.machine(8)
        return {
            F16: bf16,
            F8: fp8,
            F4: has.get("fp4", fp8),
            W1: c.chip_bandwidth,
            C1: c.chip_capacity,
            link: box.scale_up / 8,
            card: box.scale_out / 8,
            domain: box.domain,
            torus: box.torus,
        }

    def sizes(name: str) -> dict[Any, Any]:
        board = predict.ready(model(name))
        known = {s: getattr(board, field) for field, s in m.symbols().items()}
        known = {s: value for s, value in known.items() if not isinstance(value, Unknown)}
        return known | _values(groups, catalog.checkpoint(name).groups)

    models = (
        "DeepSeek-V3", "DeepSeek-V3.2", "DeepSeek-V4-Pro", "Kimi K2", "Qwen3-235B-A22B", "gpt-oss-120b",
        "GLM-4.5", "Gemma 3 27B", "Llama-3.1-70B", "Llama-3.1-405B",
    )  # fmt: skip
    chips = (
        "GB200", "H100", "H200", "H20", "A100 80GB", "B300", "Rubin", "MI300X", "MI355X", "TPU v5p",
        "TPU7x", "Trainium3",
    )  # fmt: skip
    multiplying, attending = roofline.compute_time(B, m, machine), B * work / (G * F16)
    weights, caches = roofline.weight_time(its, machine), roofline.kv_time(B, L, its, machine)
    now = sp.Max(multiplying + attending, weights + caches)
    gain = (multiplying + attending - caches) / B  # what one more user brings, beside the weights
    star = sp.Piecewise((weights / gain, gain > 0), (sp.oo, True))
    need = weights * machine.bandwidth + B * sum(layers.held_bytes(L, g) for g in groups)
    intensity = B * both / ((weights + caches) * machine.bandwidth)
    here = Point("you", intensity, roofline.attainable_flops(intensity, one), "compute")
    pace = (
        *roofline.one_after_the_other(multiplying, attending),
        *roofline.one_after_the_other(weights, caches),
    )
    return Explorer(
        "roofline",
        title=[
            (
                gain <= 0,
                "At {context} no batch is enough: a cache takes longer to read than its user's arithmetic",
            ),
            (star > B, "{batch}: the memory sets the pace; balance needs {star}"),
            (sp.true, "{batch}: the arithmetic is busy all the time; {star} would do"),
        ],
        controls=[
            Preset("Model", {n: sizes(n) for n in models}),
            Preset("Chip", {n: rates(n) for n in chips}),
            Slider(G, "Chips", 1, 1024, 72, log=True, integer=True),
            Choice(w, "Weights stored in", {"FP8": 1, "BF16": 2, "FP4": 0.5}),
            Choice(kept, "Cache stored in", {"BF16": 1, "FP8": 0.5}),
            Slider(B, "Batch size", 1, 1e6, 2400, unit="sequences", log=True),
            Slider(L, "Context", 100, 1e6, 1000, unit="tokens", log=True),
        ],
        chart=[
            Lines(
                x=x,
                x_label=("Arithmetic intensity", "FLOP/B"),
                x_range=(1, 1e5),
                y=("Speed of one chip", "FLOP/s"),
                y_range=(1e12, 1e17),
                log="xy",
                curves=[Curve("roof", roofline.attainable_flops(x, one), "bound")],
                points=[here],
                title="The roof, and where this batch stands under it",
            ),
            Regions(
                x=B,
                y=L,
                regions=[
                    Region("weights' arithmetic", pace[0], "compute"),
                    Region("attention's arithmetic", pace[1], "network"),
                    Region("weights", pace[2], "weights"),
                    Region("KV caches", pace[3], "kv"),
                ],
                points=[Point("you", B, L)],
                title="What sets the pace",
            ),
        ],
        readouts=[
            Readout("Step time, every weight read", now, "s", key="step"),
            Readout(
                "Step time to expect (chapter 9)",
                expect,
                "s",
                low=expect * low,
                high=expect * high,
            ),
            Readout("Balance batch, no cache", roofline.balance_batch(its, machine), "sequences"),
            Readout("Balance batch at this context", star, "sequences", key="star"),
            Readout("Arithmetic busy, at most", (multiplying + attending) / now, "%"),
            Readout(
                "Multiply-adds per weight loaded", roofline.multiplies_per_weight(its, machine)
            ),
            Readout("Sparsity, by parameters", roofline.sparsity(its)),
            Readout("Attention, for each byte read", work / read, "FLOP/B"),
            Readout("Ridge point in 16 bits", F16 / W1, "FLOP/B"),
            Readout("Memory needed", need, "B", key="need"),
            Readout("Memory there is", machine.capacity, "B", key="there"),
            Readout("Time to drain it", roofline.drain_time(machine), "s"),
        ],
        messages=[
            (
                need > machine.capacity,
                "This does not fit: weights and caches need {need}, the chips have {there}.",
            )
        ],
        alt="A roofline with the point of this batch, and a map of what sets the pace. {batch} at {context}: balance at {star}, a step of at least {step}.",
    )


def timetable(came: np.ndarray, wait: np.ndarray, period: float) -> Figure:
    """Passengers and trains: each waits for the next departure, then rides one period."""
    late, lucky = int(np.argmax(wait)), int(np.argmin(wait))
    fig, ax = canvas(
        f"Of {len(came)} passengers the luckiest waits {two_digits(wait.min(), 's')}, the unluckiest {two_digits(wait.max(), 's')}",
        x=("Time", "s"),
        log="",
        size=(5.6, 3.8),
    )
    last = int(np.ceil(came[-1] / period)) + 1
    for k in range(last + 1):
        ax.axvline(k * period, color=COLORS["bound"], linewidth=1, alpha=0.6)
        aboard = int(np.sum(np.floor(came / period) == k - 1))
        if k and k < last:
            note(ax, k * period, -2.1, f"{aboard} aboard", dx=4, fontsize=9)
    riding = {"color": COLORS["compute"], "linewidth": 2, "linestyle": (0, (4, 1.5))}
    for i, (start, left) in enumerate(zip(came, came + wait - period, strict=True)):
        ax.plot([start, left], [i, i], color=COLORS["weights"], linewidth=2)
        ax.plot([left, left + period], [i, i], **riding)
        ax.plot([start], [i], "o", color=COLORS["weights"], markersize=4)
    note(ax, came[late], late, "just missed one", "weights", dx=-7, fontsize=10)
    note(ax, came[lucky], lucky, "just in time", "weights", dx=-7, fontsize=10)
    note(ax, 4 * period, 4, "waiting", "weights", dx=5)
    note(ax, 4 * period, 2, "riding", "compute", dx=5)
    ax.set_yticks([])
    ax.set_ylim(-3.2, len(came) + 0.5)
    ax.set_xlim(0, last * period)
    ax.set_xticks([k * period for k in range(last + 1)])
    ax.grid(False)
    return show(
        fig,
        f"Timetable of {len(came)} passengers: vertical lines are departures every {period * 1e3:.0f} milliseconds; each waits from arrival to the next line, then rides one period. Trains leave with different numbers aboard.",
    )


def waits_by_load(waited: Mapping[float, np.ndarray], period: float) -> Figure:
    """Share of requests served within a time, for trains that are half full to overfull."""
    fig, ax = canvas(
        "Up to 90% full the formula holds; near full, passengers watch trains leave",
        x=("Wait for the first token", "s"),
        y=("Share of requests served by then", "%"),
        log="x",
        size=(5.6, 3.8),
    )
    grid = np.geomspace(0.015, 20, 400)
    looks = {0.5: ("muted", ""), 0.9: ("weights", ""), 0.99: ("network", "99 % full"), 1.05: ("compute", "105 %")}  # fmt: skip
    for load, t in waited.items():
        served = np.searchsorted(np.sort(t), grid) / len(t)
        kind, label = looks[load]
        curve(ax, grid, served, kind)
        if label:
            at = int(np.argmin(np.abs(served - 0.55)))
            note(ax, grid[at], served[at], label, kind, dx=8)
    curve(ax, grid, serving.share_served_within(grid, period), "bound", linewidth=1.2)
    note(ax, 0.0255, 0.6, "formula,\nand up to\n90 % full", ha="right", fontsize=10)
    ax.set_xlim(0.005, 20)
    return show(
        fig,
        "Share of requests whose first token has come, against waiting time, for trains from 50 to 105 per cent full; the first two lie on the formula, the others far to its right.",
    )


def mean_waits(rules: Mapping[int, Sequence[float]]) -> Any:
    """Mean wait under three rules of departure, for light and heavy traffic."""
    head = (
        "requests a second, 50 tokens each", "on the clock, 20 ms", "only when 2,000 are aboard",
        "as soon as the last is back",
    )  # fmt: skip
    return table(
        head, [(f"{n:,}", *(two_digits(t, "s") for t in times)) for n, times in rules.items()]
    )


def assumptions(
    mixed: float, pure: float, fit: Any, board: float, service: float, busy: float,
    clocks: Mapping[str, float],
) -> Any:  # fmt: skip
    """What this chapter assumes, and the size of each error; `fit` holds the forecast's constants."""
    gemma = [catalog.checkpoint("Gemma 3 27B").at(n).kv_bytes_per_token for n in (750, 128_000)]
    alone, with_attention = clocks["arithmetic"], clocks["arithmetic"] + clocks["attention"]
    return table(
        ("assumption", "size of the error"),
        [
            (
                "Arithmetic is as narrow as storage (d3)",
                f"FP4 weights multiplied in FP8 on GB200: {mixed:.0f} instead of {pure:.0f} multiply-adds per weight; 16-bit weights multiplied in FP8 are no faster to read",
            ),
            (
                "FLOP/s are dense (d4)",
                "data sheets that assume 2:4 sparsity double the peak, and with it every balance batch",
            ),
            (
                "Attention's own arithmetic is free (d5)",
                f"DeepSeek's service multiplies for {human(with_attention, 's')} a step instead of {human(alone, 's')}: the wrong bottleneck. Where eight heads share a key, attending takes a few per cent of the time in which that cache is read",
            ),
            (
                "Every layer reads all of its past (d6)",
                f"Gemma 3 27B reads {human(gemma[0], 'B')} for each token of a context of 750, {human(gemma[1], 'B')} at 128,000: five layers in six look back 1,024 tokens",
            ),
            (
                "Peak rates are reached (d12)",
                f"fitted on published runs: {fit.compute:.0%} of peak arithmetic, {fit.bandwidth:.0%} of peak bandwidth, so the bend comes at {fit.compute / fit.bandwidth:.2f} of the balance batch, and softly",
            ),
            (
                "Arithmetic and traffic overlap perfectly (d7)",
                "up to 2× in time, most at the balance batch; one reason to run above it",
            ),
            (
                "Networks and starting the work cost nothing (d8)",
                f"blackboard {human(board, 's')} against {human(service, 's')} in DeepSeek's service; chapters 4 and 9",
            ),
            (
                "HBM is full and read once (d13)",
                f"arithmetic busy {busy:.0%} of the lecture's own train instead of 100 %",
            ),
            (
                "Sequences never end early (d16)",
                "none for the balance; the waits need free seats, as the experiment shows",
            ),
        ],
    )


# ---- first looks ---------------------------------------------------------------------------------


def one_step() -> Explorer:
    """Live: the two clocks of one decode step, no caches yet, moment by moment."""
    rack = chip("GB200").system(72, "fp8")
    return machine_step(
        model("DeepSeek-V3"),
        rack,
        show=("weights", "arithmetic"),
        people=1000,
        most=2000,
        id="machine-two-clocks",
    )


def your_own_past() -> Explorer:
    """Live: what one more person adds to a step, arithmetic and past, over the length of that past."""
    m, s, L = Model.symbolic(), chip("GB200").system(72, "fp8"), variables("context")
    names = ("DeepSeek-V3", "Llama-3.1-70B", "gpt-oss-120b")
    work, past = roofline.compute_time(1, m, s), roofline.kv_time(1, L, m, s)
    tie = roofline.balanced_context(m, s)
    return Explorer(
        "own-past",
        title=[
            (past <= work, "A past of {context} is read in {share} of the time that your arithmetic takes"),
            "A past of {context} takes {times} as long to read as your arithmetic: no crowd makes up for it",
        ],
        controls=[
            Preset("Model", {name: model(name, weights="fp8") for name in names}, m),
            Slider(L, "Context", 100, 1e6, 8000, unit="tokens", log=True),
        ],
        chart=Lines(
            x=L, y=("What one person adds to a step", "s"), log="xy",
            curves=[Curve("arithmetic", work + 0 * L, "compute"), Curve("reading the own past", past, "kv")],
            points=[Point("you", L, past, "kv")],
            guides=[Guide("tie", x=tie, when=tie > 100)],
        ),
        readouts=[
            Readout("Bytes of that past", L * m.kv_bytes_per_token, "B"),
            Readout("They tie at", tie, "tokens"),
            Readout("", past / work, "%", key="share"),
            Readout("", past / work, "x", key="times"),
        ],
        alt="Time that one more person adds to a step against context: arithmetic, level, and reading the own "
        "past, rising. At {context} reading takes {times} as long.",
    )  # fmt: skip


# ---- what the chapter asks -----------------------------------------------------------------------


def guess_users() -> Asked:
    return guess(
        "users",
        "How many users must share a rack before its arithmetic is as busy as its memory, if the model is "
        "DeepSeek-V3 and everyone's context is short?",
    )


def settle_users(balance: float) -> Asked:
    """The first guess against the balance batch."""
    return settle(
        "users", balance,
        close="Two factors, and you had both.",
        low="Multiplying is so cheap that hundreds must share a weight, and each of them uses few of the weights.",
        high="A crowd is needed, but a rack full of it is enough.",
    )  # fmt: skip


def guess_pole() -> Asked:
    return guess(
        "pole",
        "From which context on is no number of users enough, if multiplying by the weights is all the "
        "arithmetic there is?",
        "tokens", like="50k",
    )  # fmt: skip


def settle_pole(context: float) -> Asked:
    """The second guess against the balanced context."""
    return settle(
        "pole", context, "tokens",
        close="A few pages, no more.",
        low="A short letter is still cheap to look back at.",
        high="Nearly everybody thinks of long books. A few pages of past take as long to read as their owner's arithmetic.",
    )  # fmt: skip


def guess_newcomer() -> Asked:
    return guess(
        "newcomer",
        "A batch leaves every 20 ms, full or not. How long does a newcomer wait for the first token, on average?",
        "s", like="7 ms",
    )  # fmt: skip


def settle_newcomer(mean: float) -> Asked:
    """The third guess against half a period of waiting and one of riding."""
    return settle(
        "newcomer", mean, "s", near=1.15,
        close="Half a period on the platform, one on the train.",
        low="After the departure comes the ride: the token is there when the train is back.",
        high="That is nearer the worst case. Who arrives at random has missed half a period on average.",
    )  # fmt: skip


def guess_busy() -> Asked:
    return guess(
        "busy",
        "The lecture's batch, about two thousand users, rides on a rack of 72 GPUs that takes such a step every "
        "20 ms. What share of the time is the arithmetic busy?",
        "%", like="50 %",
    )  # fmt: skip


def settle_busy(share: float) -> Asked:
    """The fourth guess against the arithmetic's share of the lecture's period."""
    return settle(
        "busy", share, "%", near=2,
        close="You have seen that the two numbers belong to different loads.",
        low="Not quite that idle.",
        high="The batch balances the reading of the weights. The train lasts as long as reading the whole memory.",
    )  # fmt: skip


def ask_multiplies() -> Asked:
    h100 = chip("H100").system(1, "fp8")
    weight = Model(1, 1, catalog.bytes_per_element("fp8"))
    return exercise(
        "h100-ratio", "Multiply-adds per weight at FP8", like="100",
        answer=roofline.multiplies_per_weight(weight, h100),
        slips={"That is FLOP per byte. A multiply-add is two of them.": roofline.ridge_point(h100)},
    )  # fmt: skip


def ask_balance() -> Asked:
    m, s = model("gpt-oss-120b", weights="fp4"), chip("B200").system(8, "fp4")
    h, sparse = roofline.multiplies_per_weight(m, s), roofline.sparsity(m)
    return exercise(
        "oss-balance", "The balance batch", unit="sequences", like="2k", answer=h * sparse,
        slips={
            "That is the machine's factor alone. The model has one too.": h,
            "Upside down: a sparser model needs more users, not fewer.": h / sparse,
            "wrong width": roofline.balance_batch(m.replace(bytes_per_param=1), s),
        },
    )  # fmt: skip


def ask_below_the_pole() -> Asked:
    alone, pole, context = 5000, 40_000, 30_000
    return exercise(
        "below-the-pole", "Users at 30,000 tokens", unit="sequences", like="2k",
        answer=alone / (1 - context / pole),
        slips={
            "That is with what the caches take. Divide by what they leave.": alone * pole / context,
            "That is without a past.": alone,
        },
    )  # fmt: skip


def ask_last_train() -> Asked:
    seats, period, answer = 10_000, 0.020, 500
    return exercise(
        "last-train", "Requests a second", unit="sequences/s", like="50", answer=seats / (answer * period),
        slips={"That is tokens a second. Each request wants 500 of them.": seats / period},
    )  # fmt: skip
