"""The welcome page: a curve to draw, one live figure, and a small picture with a fact for each chapter, all computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from memwall import (
    catalog,
    feistel,
    forecast,
    passes,
    predict,
    pricing,
    questions,
    racks,
    roofline,
    scaling,
    schedules,
    validate,
)
from memwall.core.algebra import where
from memwall.core.nouns import Layout, Model, System
from memwall.core.units import HOUR, human
from memwall.formulas.batching import cost_floor, cost_per_token, rent_per_token
from memwall.formulas.serving import Pace, stretched_step
from memwall.views.explorer import Curve, Explorer, Lines, Point, Preset, Readout, Slider, variables
from memwall.views.reader import DrawGuess

WIDTH, HEIGHT, EDGE = 160, 72, 5
CONTEXT = 1000
MODEL = "DeepSeek-V3"
RENT = 2 / HOUR  # dollars a second for a GPU, an assumption
BATCHES = np.geomspace(1, 1e5, 60)

# ---- the live figure -----------------------------------------------------------------------------


def rack() -> System:
    """A rack at the rent that chapter 1 assumes."""
    one = catalog.chip("GB200").system(chips=72, precision="fp8")
    return one.replace(dollars_per_second=one.chips * RENT)


def forecast_price(people: Any, context: Any, m: Model) -> tuple[Any, Any]:
    """Price of a token and time of a step, as chapter 9 forecasts them for the rack.

    A model with experts spreads people over the chips, one without cuts its matrices over them.
    """
    spread = where(m.experts > 1, 72, 1)
    layout = Layout(tp=72 / spread, dp=spread, ep=spread)
    machine = catalog.chip("GB200").machine(72)
    work = passes.decode_pass(people, context, predict.blackboard(m, "fp8"), machine, layout)
    step = forecast.pass_time(work, forecast.fitted())
    return rent_per_token(rack().dollars_per_second, people / step), step


def draw_the_price() -> DrawGuess:
    """To draw in: what a token costs, by the number of people who share the rack."""
    m, (low, high) = predict.ready(catalog.model(MODEL)), forecast.band()
    people = variables("people")
    price, _ = forecast_price(people, CONTEXT, m)
    floor = cost_per_token(people, CONTEXT, m, rack())
    alone, crowd = (float(price.subs(people, n)) for n in (1, 1e4))
    return DrawGuess(
        "draw-price",
        "Draw your guess: what does a token cost each of them, when more people share the rack?",
        x=("People at once", "", 1, 1e4), y=("Price of a token", "$/token", 1e-9, 1e-3), over=people,
        curve=price, name="forecast", low=low * price, high=high * price,
        others=[Curve("floor: no machine can be cheaper", floor, "muted")],
        anchor=f"alone: {human(alone, '$/token')}", words=("cheap", "dear"),
        close=f"From {human(alone, '$/token')} to {human(crowd, '$/token')}: you have the feel for it.",
        above="Most people draw it too flat. Twice the people, half the price, nearly to the end: they share one bill.",
        below="The bill is shared, but it does not vanish: everyone's own arithmetic and memory remain.",
    )  # fmt: skip


def sharing_a_rack() -> Explorer:
    """Live: price and speed of a token on a shared rack, forecast with their bands over the floor."""
    m, s, (low, high) = Model.symbolic(), rack(), forecast.band()
    B, L = variables("batch context")
    price, step = forecast_price(B, L, m)
    floor = cost_per_token(B, L, m, s)
    names = (MODEL, "gpt-oss-120b", "Llama-3.1-405B")
    return Explorer(
        "welcome",
        title=[
            (B < 2, "Alone on a rack of 72 GPUs, a token costs about {cost}"),
            "Shared by {batch} people, a token costs about {cost}, {share} of what it costs alone",
        ],
        controls=[
            Preset("Model", {n: predict.ready(catalog.model(n)) for n in names}, m),
            Slider(B, "People at once", 1, 1e4, 1000, log=True),
            Slider(L, "Context of each", 100, 1e5, CONTEXT, unit="tokens", log=True),
        ],
        chart=Lines(
            x=B, y=("Price of a token", "$/token"), log="xy",
            curves=[
                Curve("", high * price, "money", fill_to=low * price, width=0.01),
                Curve("forecast", price, "money"),
                Curve("floor", floor, "muted"),
            ],
            points=[Point("you", B, price, "money")],
        ),
        readouts=[
            Readout("Price, forecast", price, "$/token", key="cost", low=low * price, high=high * price,
                    link="../notebooks/09_measured.html"),
            Readout("Speed of each, forecast", 1 / step, "token/s", key="speed", low=1 / step / high,
                    high=1 / step / low, link="../notebooks/09_measured.html"),
            Readout("Price, floor", floor, "$/token", key="floor", link="../notebooks/01_batching.html"),
            Readout("", price / price.subs(B, 1), "%", key="share"),
        ],
        alt="Price of a token against the number of people who share a rack, forecast with its band, "
        "above the floor: at {batch} people it is {cost}, {share} of the price alone; the floor is {floor}.",
    )  # fmt: skip


# ---- small pictures, one a chapter ---------------------------------------------------------------


def between(values: Any, low: float, high: float, log: bool, span: float) -> np.ndarray:
    """Values as distances along an axis of the picture."""
    scale = np.log10 if log else np.asarray
    a, b = float(scale(low)), float(scale(high))
    return EDGE + (scale(np.asarray(values, float)) - a) / (b - a) * (span - 2 * EDGE)


def path(x: Any, y: Any, kind: str, log: str = "xy", box: Sequence[float] | None = None) -> str:
    """A curve through points, or within a given box (x low, x high, y low, y high)."""
    x0, x1, y0, y1 = box or (np.min(x), np.max(x), np.min(y), np.max(y))
    px = between(x, x0, x1, "x" in log, WIDTH)
    py = HEIGHT - between(y, y0, y1, "y" in log, HEIGHT)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(px, py, strict=True))
    return f'<polyline class="mw-{kind}" points="{points}"/>'


def boxes(rows: Iterable[tuple[float, float, float, float, str]]) -> str:
    """Rectangles, each by left, top, width, height and kind."""
    return "".join(
        f'<rect class="mw-{kind}" x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}"/>'
        for x, y, w, h, kind in rows
    )


def batching() -> tuple[str, str]:
    """Cost of a token against the batch: shared weights make a token cheap."""
    m, s = catalog.model(MODEL), rack()
    cost = cost_per_token(BATCHES, CONTEXT, m, s)
    times = float(cost_per_token(1, 0, m, s) / cost_floor(0, m, s))
    drawn = path(BATCHES, cost, "money")
    return drawn, f"Floor over floor, a token costs {times:,.0f} times as much alone."


def roof() -> tuple[str, str]:
    """The two clocks of a step against the batch, up to where they meet and beyond."""
    m, s = catalog.model(MODEL), rack()
    step = roofline.step_time(BATCHES, 1, m, s)
    box = (1, 1e5, float(step[0]) / 3, float(step[-1]))
    arithmetic = roofline.compute_time(BATCHES, m, s)
    keep = arithmetic > box[2]
    drawn = path(BATCHES, np.full_like(step, roofline.weight_time(m, s)), "weights", box=box)
    drawn += path(BATCHES[keep], arithmetic[keep], "compute", box=box)
    alone = human(1 / roofline.balance_batch(m, s), "%")
    return drawn, f"Alone, a user keeps the arithmetic busy for {alone} of a step."


def sparse() -> tuple[str, str]:
    """All experts of a layer, those lit that work on one token."""
    m = catalog.model(MODEL)
    total, chosen, columns = int(m.experts), int(m.experts_active), 32
    used = set(np.random.default_rng(3).choice(total, chosen, replace=False).tolist())
    side = (WIDTH - 2 * EDGE) / columns
    squares = (
        (EDGE + side * (i % columns), 17 + side * (i // columns), side - 1, side - 1, "fill-compute" if i in used else "fill-muted")
        for i in range(total)
    )  # fmt: skip
    return boxes(squares), f"{chosen} of {total} experts work on a token."


def rackwise() -> tuple[str, str]:
    """Time of the experts' exchange over one to four boxes."""
    ratio = racks.network_ratio(catalog.chip("H100").system(8, "fp8"))
    times = [1.0, *(float(racks.crossing_slowdown(n, ratio)) for n in (2, 3, 4))]
    scale, step = (HEIGHT - 2 * EDGE) / max(times), (WIDTH - 2 * EDGE) / len(times)
    bars = boxes(
        (EDGE + i * step, HEIGHT - EDGE - t * scale, step - 8, t * scale, "fill-network")
        for i, t in enumerate(times)
    )
    return bars, f"H100: over three boxes the exchange takes {times[2]:.2g} times as long."


def pipeline() -> tuple[str, str]:
    """A pipeline's timetable: what each stage does, and where it waits."""
    table = schedules.gpipe(stages=4, micro_batches=4)
    across, down = (WIDTH - 2 * EDGE) / table.span, (HEIGHT - 2 * EDGE) / table.stages
    jobs = boxes(
        (EDGE + j.start * across, EDGE + j.stage * down, (j.end - j.start) * across - 1, down - 2,
         "fill-weights" if j.kind == "F" else "fill-kv")
        for j in table.jobs
    )  # fmt: skip
    return jobs, f"{human(table.bubble, '%')} of this schedule is waiting."


def prices() -> tuple[str, str]:
    """A price list that steps up beyond a context."""
    steps = [pair for pair in pricing.price_steps() if pair[0].provider == "Google"]
    below, above = max(steps, key=lambda pair: pair[0].date)  # the list that the lecture reads
    kink = float(above.context_from)
    x = np.array([0, kink, kink, 2 * kink])
    y = np.array([below.output, below.output, above.output, above.output])
    drawn = path(x, y, "money", log="", box=(0, 2 * kink, 0, float(above.output)))
    times = float(above.output / below.output)
    return drawn, f"{above.name}: {times:g} times the price beyond {human(kink, 'tokens')}."


def mix() -> tuple[str, str]:
    """What training and serving cost together, off the cheapest mix and on it."""
    x = np.geomspace(0.1, 10, 60)
    drawn = path(x, scaling.two_term_cost(x, 1, 1, 1, 1), "compute", log="x")
    return (
        drawn,
        f"Off the best mix by 3 times, the bill is {float(scaling.cost_of_missing(3, 1, 1)):.2g} times as high.",
    )


def cipher() -> tuple[str, str]:
    """Share of output bits that one input bit turns, by rounds of a cipher."""
    rounds = 12
    table = feistel.avalanche(feistel.Simon(), rounds, samples=256)
    mean = table.mean(axis=(1, 2))
    drawn = path(np.arange(rounds + 1), mean, "network", log="")
    full = feistel.completeness_round(table)
    return drawn, f"{full} rounds, and every bit hangs on every other; still it runs backwards."


def measured() -> tuple[str, str]:
    """Published runs: time measured against the blackboard's."""
    runs = validate.measured()
    floor, found = runs.floor, runs.measured
    low, high = float(min(floor.min(), found.min())), float(max(floor.max(), found.max()))
    px = between(floor, low, high, True, WIDTH)
    py = HEIGHT - between(found, low, high, True, HEIGHT)
    dots = "".join(
        f'<circle class="mw-fill-weights" cx="{a:.1f}" cy="{b:.1f}" r="2"/>'
        for a, b in zip(px, py, strict=True)
    )
    line = path(np.array([low, high]), np.array([low, high]), "muted")
    middle = float(np.median(found / floor))
    return (
        line + dots,
        f"{len(runs)} published runs take {middle:.2g} times the blackboard's time, at the median.",
    )


def stretched() -> tuple[str, str]:
    """The step of an engine against its load, up to the pole."""
    empty = Pace(fixed=1.0, per_token=0.0, per_cached=0.0)  # times in steps of an empty engine
    load, at = np.linspace(0, 0.93, 60), 0.9
    step, times = stretched_step(load, empty), stretched_step(at, empty)
    fact = f"At {at:.0%} of the load it can bear, a token takes {times:.0f} times as long."
    return path(load, step, "bound", log="", box=(0, 1, 0, float(step[-1]))), fact


def planned() -> tuple[str, str]:
    """Price against speed on one rack, batch by batch."""
    m, s = catalog.model(MODEL), rack()
    speed = 1 / roofline.step_time(BATCHES, 8000, m, s)
    cost = cost_per_token(BATCHES, 8000, m, s)
    ends = " to ".join(human(float(c), "$/token") for c in (cost[-1], cost[0]))
    return path(speed, cost, "bound"), f"One rack, floors from {ends}: the batch decides."


def asked() -> tuple[str, str]:
    """Times worse than computed, a dot for each number that somebody asked about."""
    answers = [a for q in questions.questions() for a in q.answers if a.measured]
    ratios = np.sort([a.worse for a in answers])
    box = (0, len(ratios) - 1, 0.1, 10)
    px = between(np.arange(len(ratios)), *box[:2], False, WIDTH)
    py = HEIGHT - between(np.clip(ratios, *box[2:]), *box[2:], True, HEIGHT)
    dots = "".join(
        f'<circle class="mw-fill-weights" cx="{x:.1f}" cy="{y:.1f}" r="2"/>'
        for x, y in zip(px, py, strict=True)
    )
    line = path(np.array(box[:2]), np.ones(2), "muted", log="y", box=box)
    return (
        line + dots,
        f"{len(answers)} numbers that somebody measured, beside what they should be.",
    )


# by the name that `chapters.csv` asks for
PICTURES: dict[str, Callable[[], tuple[str, str]]] = {
    draw.__name__: draw
    for draw in (
        batching,
        roof,
        sparse,
        rackwise,
        pipeline,
        prices,
        mix,
        cipher,
        measured,
        stretched,
        planned,
        asked,
    )
}
