"""Chapter 10: the planner as a live figure, the step and the frontier of one deployment, a price list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from memwall import Model, catalog, human
from memwall.core.algebra import maximum, minimum, where
from memwall.core.nouns import Unknown
from memwall.core.units import HOUR
from memwall.formulas import forecast_old as forecast
from memwall.formulas import planner_old as planner
from memwall.formulas.batching import fast_batch_ratio
from memwall.formulas.roofline import balance_batch, resident_bytes
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
    Words,
    variables,
)
from memwall.views.figures import COLORS, Figure, canvas, curve, mark, note, show, table

WIDTHS = {"16 bit": 2.0, "8 bit": 1.0, "4 bit": 0.5}
SHAPE = ("n_total", "n_active", "layers", "d_model", "experts", "experts_active", "attention_width")
CHIP = ("chip_bandwidth", "chip_capacity", "chip_scale_up", "chip_scale_out", "domain")
RATES = ("flops_bf16", "flops_fp8", "flops_fp4")


def model_options(elements: Any, symbols: dict[str, Any]) -> dict[str, dict[Any, float]]:
    """Catalog models whose shape is known well enough, as values of the figure's variables."""
    options = {}
    for name, found in catalog.models().items():
        if isinstance(found.kv_bytes_per_token, Unknown) or isinstance(found.d_model, Unknown):
            continue
        full = forecast.ready(found)
        values = {symbols[f]: float(getattr(full, f)) for f in SHAPE}
        options[name] = {**values, elements: float(found.kv_bytes_per_token) / 2}
    return options


def chip_options(symbols: dict[str, Any], torus: Any, rent: Any) -> dict[str, dict[Any, float]]:
    """Catalog chips as values of the figure's variables; a rate the chip lacks is 0."""
    options = {}
    for name, one in catalog.chips().items():
        if not one.flops_bf16 or isinstance(one.chip_scale_up, Unknown):
            continue
        group = forecast.group(name, 2, one.precisions()[0])
        values = {symbols[f]: float(getattr(one, f) or 0) for f in (*RATES, *CHIP)}
        values[symbols["chip_scale_out"]] = float(group.card)
        values[symbols["domain"]] = float(group.domain if one.domain else 8)
        known = not isinstance(one.rent, Unknown)
        options[name] = {
            **values,
            torus: float(group.torus),
            rent: one.rent * HOUR if known else 3.0,
        }
    return options


def list_prices(listed: dict[str, Any]) -> dict[str, dict[Any, float]]:
    """Price lists of the catalog as values of the figure's variables, the lists with all three prices."""
    fields = ("input", "cache_read", "output")
    known = [
        p for p in catalog.prices() if not any(isinstance(getattr(p, f), Unknown) for f in fields)
    ]
    options: dict[str, dict[Any, float]] = {}
    for p in known:
        tier = f", above {human(p.context_from)} tokens" if p.context_from else ""
        option = f"{p.name}{tier}"
        if sum(q.name == p.name and q.context_from == p.context_from for q in known) > 1:
            option = f"{option}, {p.date}"
        options[option] = {listed[f]: float(getattr(p, f)) for f in fields}
    return options


def own_sliders(m: dict[str, Any], c: dict[str, Any], elements: Any) -> list[Slider]:
    """What the two lists set, to be typed for a model or a chip that no list has."""

    def size(symbol: Any, label: str, low: float, high: float, unit: str, **more: Any) -> Slider:
        return Slider(symbol, label, low, high, unit=unit, log=True, **more)

    return [
        size(m["n_total"], "All parameters", 1e8, 1e14, "parameters"),
        size(m["n_active"], "Active parameters", 1e8, 1e14, "parameters"),
        size(m["layers"], "Layers", 1, 1000, "1", integer=True),
        size(elements, "Values cached a token", 100, 1e7, "1"),
        size(m["experts"], "Experts of a layer", 1, 1e4, "1", integer=True),
        size(m["experts_active"], "Experts a token meets", 1, 1e4, "1", integer=True),
        size(c["chip_capacity"], "Memory, each", 1e9, 1e13, "B"),
        size(c["chip_bandwidth"], "Bandwidth of it, each", 1e10, 1e15, "B/s"),
        size(c["flops_bf16"], "Rate at 16 bit, each", 1e12, 1e18, "FLOP/s", zero=True),
        size(c["flops_fp8"], "Rate at 8 bit, each", 1e12, 1e18, "FLOP/s", zero=True),
        size(c["flops_fp4"], "Rate at 4 bit, each", 1e12, 1e18, "FLOP/s", zero=True),
        size(c["chip_scale_up"], "Link, each", 1e9, 1e14, "B/s"),
    ]


def planner_figure() -> Explorer:
    """Live: the whole planner, the same formulas traced for a page without a kernel.

    Memory, step, speed, price, frontier, and the words for what cannot be.
    """
    import sympy

    B, G = variables("batch group_chips")
    P, D = variables("stages replicas")
    prompt, output, cached = variables("prompt output cached", nonnegative=True)
    wide, narrow, arith = variables("weight_bytes cache_bytes arithmetic_bytes")
    elements, rent, torus, wanted = variables("cache_elements rent torus wanted", nonnegative=True)
    listed = {f: variables(f"listed_{f}") for f in ("input", "cache_read", "output")}
    m = {f: variables(f) for f in SHAPE}
    c = {f: variables(f, nonnegative=True) if f in RATES else variables(f) for f in (*RATES, *CHIP)}

    one = where(
        sympy.Eq(arith, 2), c["flops_bf16"],
        where(sympy.Eq(arith, 1), c["flops_fp8"], c["flops_fp4"]),
    )  # fmt: skip
    # what many expressions share is named once: the page stays small and SymPy quick
    lets: dict[Any, Any] = {}

    def name(short: str, value: Any) -> Any:
        symbol = sympy.Symbol(short, nonnegative=True)
        lets[symbol] = value
        return symbol

    rate = sympy.Symbol("rate", positive=True)
    lets[rate] = one
    # typed sizes may contradict each other: a message says so, and the figure goes on with the lesser
    lesser = {
        part: name(f"least_{part}", minimum(m[part], m[whole]))
        for part, whole in (("n_active", "n_total"), ("experts_active", "experts"))
    }
    model = Model(
        **m | lesser, bytes_per_param=wide, kv_bytes_per_token=elements * narrow, name="model",
    )  # fmt: skip
    group = forecast.Group(
        flops=G * rate, attention_flops=G * c["flops_bf16"], bandwidth=G * c["chip_bandwidth"],
        chips=G, domain=c["domain"], link=c["chip_scale_up"], card=c["chip_scale_out"], stages=P,
        torus=torus,
    )  # fmt: skip
    own = G * P
    replica = planner.Replica(
        capacity=own * c["chip_capacity"], chips=own, rent=own * rent / HOUR,
        card=own * c["chip_scale_out"],
    )  # fmt: skip
    constants, (low, high) = forecast.fitted(), forecast.band()
    context = prompt + output / 2
    step = name("t_step", forecast.step_time_forecast(B, context, model, group, constants))
    first = name("t_first", planner.first_token_time(prompt, cached, model, group, constants))
    cost = planner.output_cost(step, B, replica)
    into = name("c_input", planner.input_cost(prompt, model, group, replica, constants))
    kept = planner.cached_cost(model, replica)
    weights_time = name("t_weights", planner.weights_part(B, model, group, constants))
    arithmetic_time = name("t_arithmetic", planner.arithmetic_part(B, model, group, constants))
    cache_time = name("t_cache", planner.attention_part(B, context, model, group, constants))
    parts = {
        "weights": weights_time,
        "arithmetic": arithmetic_time,
        "KV cache": cache_time,
        "network and waiting": name(
            "t_network", planner.network_part(step, weights_time, arithmetic_time, cache_time)
        ),
    }
    kinds = dict(zip(parts, ("weights", "compute", "kv", "network"), strict=True))
    most = sympy.Max(*parts.values())
    held = resident_bytes(B, context, model)
    weights = m["n_total"] * wide
    free = planner.free_bytes(model, replica)
    balance = balance_batch(model, forecast.System(flops=G * rate, bandwidth=group.bandwidth))
    fast = B / fast_batch_ratio(6, 2.5)

    def banded(label: str, value: Any, unit: str, key: str, link: str) -> Readout:
        return Readout(label, value, unit, key=key, low=value * low, high=value * high, link=link)

    def speed(label: str, value: Any, key: str) -> Readout:
        return Readout(label, value, "token/s", key=key, low=value / high, high=value / low,
                       link="09_measured.html")  # fmt: skip

    balanced = name("b_balance", balance)
    return Explorer(
        "planner",
        title=[
            (sympy.Eq(one, 0), "No arithmetic at this width: the chip has no rate for it"),
            (weights > replica.capacity, "The weights alone do not fit: {weights} into {capacity}"),
            (held > replica.capacity, "The caches do not fit: {room} left, {caches} needed"),
            "{speed} for each of {batch}, at {cost} of output",
        ],
        controls=[
            Preset("Model", model_options(elements, m), default="DeepSeek-V3"),
            Preset("Chip", chip_options(c, torus, rent), default="H200"),
            Slider(G, "Chips in a group", 1, 576, 8, log=True, integer=True),
            Slider(P, "Pipeline stages", 1, 16, 1, integer=True),
            Slider(D, "Replicas", 1, 1000, 1, log=True, integer=True),
            Choice(wide, "Weights stored in", WIDTHS, "8 bit"),
            Choice(narrow, "Cache stored in", WIDTHS, "16 bit"),
            Choice(arith, "Arithmetic in", WIDTHS, "8 bit"),
            Slider(B, "Batch of a replica", 1, 1e5, 64, unit="sequences", log=True, integer=True),
            Slider(prompt, "Prompt", 1, 1e6, 2000, unit="tokens", log=True, integer=True),
            Slider(output, "Answer", 1, 1e5, 500, unit="tokens", log=True, integer=True),
            Slider(cached, "Prompt found in a cache", 0, 1, 0, unit="%"),
            Slider(rent, "Rent of a chip and hour ($)", 0.1, 20, log=True),
            Slider(wanted, "Speed to reach", 1, 1000, 0, unit="token/s", log=True, zero=True),
            Preset("List price beside it", list_prices(listed), default="deepseek-chat (V3)"),
            *own_sliders(m, c, elements),
        ],
        chart=[
            Bars(
                ("Decode step", "s"), stacked=True, title="Where a step's time goes",
                bars=[
                    Bar(name, value, kinds[name], zero="hidden behind the weights")
                    for name, value in parts.items()
                ],
            ),
            Lines(
                x=("Speed of one user", "token/s"), y=("Cost of output", "$/token"), log="xy",
                sweep=B, title="The frontier: what speed costs",
                curves=[Curve("as the batch sweeps", cost, "money", x=1 / step)],
                points=[
                    Point("you", 1 / step, cost, "bound"),
                    Point("balance batch", 1 / step, cost, "weights", at=balanced),
                    Point("a fast mode", 1 / step, cost, "compute", when=fast >= 1, at=fast),
                ],
                guides=[
                    Guide("list price", y=listed["output"]),
                    Guide("speed to reach", x=wanted, when=wanted > 0),
                ],
            ),
        ],
        readouts=[
            banded("Step", step, "s", "step", "09_measured.html"),
            speed("Speed of one user", 1 / step, "speed"),
            speed("Rate of one chip", B / step / own, "chip_rate"),
            speed("Rate of all replicas", D * B / step, "rate"),
            banded("First token", first, "s", "first", "06_pricing.html"),
            banded("Output", cost, "$/token", "cost", "01_batching.html"),
            banded("Input", into, "$/token", "input", "06_pricing.html"),
            banded("Cached input", kept, "$/token", "cached_cost", "06_pricing.html"),
            Readout("List price, output", listed["output"], "$/token", key="list_output",
                    link="06_pricing.html"),
            Readout("List price, input", listed["input"], "$/token", key="list_input",
                    link="06_pricing.html"),
            Readout("List price, cached", listed["cache_read"], "$/token", key="list_cached",
                    link="06_pricing.html"),
            Readout("Step, floor", forecast.step_floor(B, context, model, group), "s",
                    key="floor", link="02_roofline.html"),
            Readout("Balance batch, no cache", balanced, "sequences", key="balance",
                    link="02_roofline.html"),
            Readout("Weights", weights, "B", key="weights", link="01_batching.html"),
            Readout("Caches of the batch", held - weights, "B", key="caches",
                    link="01_batching.html"),
            Readout("Memory of a replica", replica.capacity, "B", key="capacity"),
            Readout("Room beside the weights", free, "B", key="room", link="05_pipelining.html"),
            Readout("Left beside both", maximum(replica.capacity - held, 0), "B", key="left",
                    link="05_pipelining.html"),
            Readout("Largest batch", planner.largest_batch(context, model, replica), "sequences",
                    key="largest_batch", link="05_pipelining.html"),
            Readout("Largest context", planner.largest_context(B, model, replica), "tokens",
                    key="largest_context", link="05_pipelining.html"),
            Readout("Chips in all", D * own, "1", key="all_chips"),
            Words(
                "binds",
                *[(sympy.Ge(value, most), name) for name, value in list(parts.items())[:-1]],
                "network and waiting", label="What binds",
            ),
        ],
        messages=[
            (sympy.Eq(one, 0), "This chip has no rate at that width in the catalog: choose another for the arithmetic."),
            (weights > replica.capacity, "The weights need {weights} and a replica has {capacity}: take more chips, or store them in fewer bits."),
            (sympy.And(weights <= replica.capacity, held > replica.capacity), "The caches need {caches} and {room} is left: a smaller batch, a shorter context or a narrower cache would fit."),
            (sympy.And(wanted > 0, 1 / step < wanted), "One user gets {speed}, less than the speed to reach: drag the batch down until your point meets the line. If it never does, take more chips or faster ones."),
            (m["n_active"] > m["n_total"], "More parameters are active than there are."),
            (m["experts_active"] > m["experts"], "A token would meet more experts than a layer has."),
            (sympy.And(m["experts"] > 1, m["experts"] < G), "A group has more chips than a layer has experts: some would hold none."),
            (m["layers"] < P, "There are more stages than layers."),
            (minimum(arith, wide) < wide, "The arithmetic is narrower than the weights: they would be rounded on the way."),
        ],
        compare=True,
        lets=lets,
        alt="A decode step of {step}, cut into its parts; and cost of output against speed of one user as the batch sweeps. Now {speed} at {cost}.",
    )  # fmt: skip


def parts_of_the_step(crowd: np.ndarray, plans: Sequence[Any]) -> Figure:
    """The forecast step against batch size, in bands for what takes its time."""
    fig, ax = canvas(
        f"From one user to {crowd[-1]:,}, the step grows only {plans[-1].step / plans[0].step:.0f}-fold",
        x=("Batch size", "sequences"),
        y=("Decode step", "s"),
        log="x",
    )
    kinds = {"weights": "weights", "arithmetic": "compute", "KV cache": "kv", "network": "network"}
    stack = np.cumsum([[p.parts[name] for p in plans] for name in kinds], axis=0)
    below = np.zeros(len(crowd))
    for (name, kind), top in zip(kinds.items(), stack, strict=True):
        ax.fill_between(crowd, below, top, color=COLORS[kind], alpha=0.75, lw=0)
        if (top - below)[-1] > 0.05 * stack[-1][-1]:
            note(ax, crowd[-1], (top + below)[-1] / 2, name, kind, dx=5)
        below = top
    return show(
        fig,
        "The forecast step against batch size as stacked bands: weights, arithmetic, KV cache and network; weights fill up first, then cache and network grow.",
    )


def frontier(machines: Mapping[str, Sequence[Any]], ours: str, here: Any) -> Figure:
    """Cost of output against speed of one user for some machines, `ours` with the point `here`."""
    speed, price = ([getattr(p, f) for p in machines[ours]] for f in ("speed", "output_cost"))
    fig, ax = canvas(
        f"Between {speed[-1]:.0f} and {speed[0]:.0f} token/s, the price rises {float(f'{price[0] / price[-1]:.2g}'):.0f}-fold",
        x=("Speed of one user", "token/s"),
        y=("Cost of output", "$/token"),
        log="y",
    )
    for name, plans in machines.items():
        kept = [p for p in plans if p.fits]
        kind, alone = "money" if name == ours else "muted", kept[0]
        curve(ax, [p.speed for p in kept], [p.output_cost for p in kept], kind)
        place = {"dx": 6} if "B200" in name else {"dx": -7, "dy": 4}
        note(ax, alone.speed, alone.output_cost, name, kind, **place)
    ax.set_xlim(right=128)
    mark(ax, here.speed, here.output_cost, "2×", dx=-5, dy=9)
    return show(
        fig,
        "Cost of output against speed of one user for DeepSeek-V3 on three machines at $3 a chip-hour: each curve falls steeply and flattens towards low speed.",
    )


def beside_the_list(rows: Iterable[tuple[str, float, float]]) -> Any:
    """What tokens cost by the forecast, beside what a price list asks for them."""
    told = [
        (name, human(cost, "$/token"), human(price, "$/token"), f"{price / cost:.1f}")
        for name, cost, price in rows
    ]
    return table(("", "cost of the machines, forecast", "list price", "list over cost"), told)


def assumptions(
    half_full: float, imbalance: float, short: float, largest: float, tenth: float
) -> Any:
    """What the planner assumes, and the size of each error."""
    return table(
        ("assumption", "size of the error"),
        [
            (
                "The batch stays full (d16)",
                f"with 32 of 64 places taken a token costs {half_full:.2f} times as much: the mean batch counts, not the limit",
            ),
            (
                "Experts are loaded evenly (d20)",
                f"among 64 tokens the busiest expert gets {imbalance:.1f} times the mean; this matters where arithmetic or traffic binds, not where weights do",
            ),
            (
                "Prompts are read one at a time",
                f"200 tokens cost {short:.1f} times as much each as 16,000 in one go; short prompts packed together would be cheaper than the planner says",
            ),
            (
                "All memory is for weights and caches",
                f"if software keeps a tenth, the largest batch falls from {largest:,.0f} to {tenth:,.0f}",
            ),
            (
                "One token a step (d17)",
                "speculation divides the step by the tokens it gains, at small batches; how many depends on the text",
            ),
            (
                "Rent is price (d15)",
                "if half of the hours are empty, a token costs twice as much; margin comes on top",
            ),
        ],
    )
