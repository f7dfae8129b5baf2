"""Figures of chapter 4: the all-to-all of an expert layer, and the racks it should stay in."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp

from memwall import Model, chip, human, model, racks, traffic
from memwall.views.explorer import (
    Curve,
    Explorer,
    Grid,
    Lines,
    Point,
    Readout,
    Slider,
    variables,
)
from memwall.views.figures import COLORS, Figure, canvas, curve, mark, note, show, table
from memwall.views.reader import Asked, exercise, guess, machine_step, settle


def everyone_to_everyone(sent: np.ndarray, layout: Any) -> Figure:
    """Copies from each GPU to each, in one rack and cut in the layout's racks."""
    share = layout.crossing(sent)
    half = "half" if round(share, 1) == 0.5 else f"{100 * share:.0f} %"
    fig, (left, right) = canvas(
        f"Every GPU sends to every GPU; cut in two racks, {half} of it lies off the diagonal",
        log="",
        size=(6.2, 3.3),
        columns=2,
        x=("to GPU", ""),
        y=("from GPU", ""),
    )
    rack_of = layout.rack_of(np.arange(len(sent)))
    away = rack_of[:, None] != rack_of[None, :]
    depth = sent / sent.max()
    rgb = {
        kind: np.array([int(COLORS[kind][i : i + 2], 16) / 255 for i in (1, 3, 5)])
        for kind in ("weights", "network")
    }
    for ax, shade in ((left, np.zeros_like(away)), (right, away)):
        colour = np.where(shade[..., None], rgb["network"], rgb["weights"])
        ax.imshow(1 - depth[..., None] * (1 - colour), interpolation="nearest")
        ax.grid(False)
        ax.set_xticks([0, 31, 63], ["1", "32", "64"])
        ax.set_yticks([0, 31, 63], ["1", "32", "64"])
    left.set_title("one rack", fontsize=11, loc="left", color=COLORS["weights"])
    right.set_title("two racks: pink must cross", fontsize=11, loc="left", color=COLORS["network"])
    return show(
        fig,
        "Two square heat maps of copies sent from 64 GPUs to 64 GPUs. The left is "
        f"evenly filled; in the right the two off-diagonal blocks, {half} of the area, "
        "are marked as crossing between racks.",
    )


def two_networks(wires: Mapping[str, Collection[str]], inside: int, outside: int) -> Figure:
    """Two racks of four GPUs with their switches, thick wires, and the hall's, thin ones."""
    place = {"hall switch": (5.0, 3.0)}
    for r in range(2):
        place[f"rack switch {r}"] = (2.0 + 6 * r, 0.0)
        for g in range(4):
            place[f"gpu {r}.{g}"] = (0.5 + g + 6 * r, 1.1)
            place[f"card {r}.{g}"] = (0.5 + g + 6 * r, 1.9)
    fig, ax = canvas(
        f"{inside} thick hops inside a rack, {outside} thin ones between racks",
        log="",
        size=(6.0, 3.1),
    )
    ax.axis("off")
    for node, others in wires.items():
        for other in others:
            fast = "rack" in node or "rack" in other
            ax.plot(
                *zip(place[node], place[other], strict=True),
                color=COLORS["weights" if fast else "network"],
                linewidth=3.2 if fast else 1,
                zorder=1,
            )
    looks = {  # marker, its size, colour
        "rack": ("s", 17, COLORS["weights"]),
        "hall": ("s", 17, COLORS["network"]),
        "card": ("o", 7, COLORS["muted"]),
        "gpu ": ("o", 13, COLORS["compute"]),
    }
    for node, (x, y) in place.items():
        marker, size, color = looks[node[:4]]
        ax.plot(x, y, marker, markersize=size, color=color, zorder=2)
    note(ax, 2.0, -0.55, "rack switch", "weights", ha="center")
    note(ax, 8.0, -0.55, "rack switch", "weights", ha="center")
    note(ax, 5.0, 3.4, "switches of the hall", "network", ha="center")
    note(ax, 4.0, 1.1, "GPUs", "compute", ha="left", dx=4)
    note(ax, 4.0, 1.9, "cards", "muted", ha="left", dx=4)
    ax.set_xlim(-0.2, 10.2)
    ax.set_ylim(-0.9, 3.7)
    return show(
        fig,
        "Two racks of four GPUs. Thick lines join the GPUs of a rack to its switch; "
        f"thin lines lead through network cards to a switch of the hall. {inside} "
        f"hops inside, {outside} between racks.",
    )


def network_ratios(ratios: Mapping[str, float], ring: Collection[str]) -> Figure:
    """How many times slower each chip's outer network is; those joined in a `ring` are pale."""
    switched = [ratio for name, ratio in ratios.items() if name not in ring]
    fig, ax = canvas(
        f"GPUs with switches: {min(switched):.0f} to {max(switched):.0f} times slower outside, "
        "not always 8",
        log="x",
        x=("Scale-up over scale-out bandwidth, one chip", "x"),
        size=(6.0, 3.1),
    )
    for row, (name, ratio) in enumerate(ratios.items()):
        ax.barh(row, ratio, color=COLORS["network"], alpha=0.35 if name in ring else 0.9)
        note(ax, ratio, row, f"{name}  {ratio:.0f}×", "bound", dx=4)
    ax.axvline(8, color=COLORS["muted"], linewidth=1, zorder=0)
    note(ax, 8, len(ratios) - 0.25, "the lecture's 8", "muted", dx=-4)
    ax.set_yticks([])
    ax.set_xlim(1, 300)
    return show(
        fig,
        "Ratio of the two networks by chip: "
        + ", ".join(f"{name} {ratio:.0f}" for name, ratio in ratios.items())
        + ". Pale bars are chips joined in a ring or torus.",
    )


def slowdown_by_racks() -> Figure:
    """How much longer an exchange takes over more racks, for three second networks."""
    n = np.arange(1, 33)
    two, eight = (float(racks.crossing_slowdown(count, 8)) for count in (2, 8))
    fig, ax = canvas(
        f"The second rack makes the exchange {two:.0f} times as long, the eighth {eight:.0f} times",
        log="xy",
        x=("Racks sharing a layer", "1"),
        y=("Time over one rack's", "x"),
    )
    for ratio, dy in ((18, 0), (9, 4), (8, -4)):
        slower = racks.crossing_slowdown(n, ratio)
        width = 2.6 if ratio == 8 else 1.4
        curve(ax, n, slower, "network", linestyle="-", linewidth=width)
        note(ax, n[-1], slower[-1], f"{ratio}×", "network", dx=4, dy=dy)
    ax.axhline(1, color=COLORS["weights"], linewidth=2)
    note(ax, n[-1], 1, "one rack", "weights", dx=-4, dy=-9)
    mark(ax, 2, two, "the lecture's two racks", dx=8, dy=-10)
    ax.set_ylim(0.7, 30)
    return show(
        fig,
        "Slow-down of the all-to-all against the number of racks for second networks "
        "8, 9 and 18 times slower, rising steeply to half the ratio at two racks and "
        "then toward the ratio.",
    )


def relayed_copies(count: np.ndarray, ways: Mapping[str, np.ndarray], ratio: float) -> Figure:
    """The slow-down over racks for three ways to send: alone, merged, merged and limited."""
    alone, merged, limited = (dict(zip(count.tolist(), way, strict=True)) for way in ways.values())
    fig, ax = canvas(
        f"Two racks cost nothing if copies are relayed; eight cost {alone[8]:.0f}×, "
        f"relayed {merged[8]:.1f}×, limited {limited[8]:.1f}×",
        log="xy",
        x=("Racks sharing a layer", "1"),
        y=("Time over one rack's", "x"),
    )
    styles, lifts = ((0, (1, 1.2)), "-", (0, (5, 2))), (5, -3, -3)
    for (word, way), style, dy in zip(ways.items(), styles, lifts, strict=True):
        curve(ax, count, way, "network", linestyle=style)
        note(ax, count[-1], way[-1], word, "network", dx=5, dy=dy)
    mark(ax, 2, alone[2], "the lecture", dx=8, dy=-9)
    mark(ax, 2, merged[2], "relayed", dx=0, dy=-12)
    ax.set_ylim(0.7, 12)
    ax.set_xticks([1, 2, 4, 8, 16])
    return show(
        fig,
        f"Slow-down against racks at a ratio of {ratio}: copies sent alone rise "
        f"to {alone[2]:.0f} at two racks and {alone[8]:.0f} at eight; merged copies stay at "
        f"{merged[2]:.0f} for two racks and reach {merged[8]:.1f} at eight, "
        f"{limited[8]:.1f} if limited to four racks.",
    )


def third_clock(over: Mapping[str, Sequence[float]]) -> Any:
    """A row for each machine: the ratio of its networks, then network over arithmetic, four ways."""
    return table(
        [
            "machine, FP8",
            "network ratio",
            "one rack",
            "two racks",
            "eight racks",
            "eight, merged, limited",
        ],
        [
            [name, f"{ratio:.0f}", *(f"{x:.1f}×" for x in times)]
            for name, (ratio, *times) in over.items()
        ],
    )


def wires_behind_trays() -> Figure:
    """A rack from the side, trays and the wires behind them, and one with twice the trays."""
    fig, ax = canvas(
        "Twice the trays in the same frame are twice the wires through the same back",
        log="",
        size=(6.4, 3.4),
    )
    ax.axis("off")
    for start, k in ((0.0, 1), (6.2, 2)):
        layers = ["compute"] * 10 * k + ["weights"] * 9 * k + ["compute"] * 8 * k
        high, lane = 5.4 / len(layers), 0
        for i, kind in enumerate(layers):
            ax.bar(
                start,
                high * 0.78,
                2.2,
                5.4 - high * (i + 1),
                align="edge",
                color=COLORS[kind],
                alpha=0.85,
            )
            if kind == "compute":  # a wire of its own, in a lane of its own, to the switches
                y = 5.4 - high * (i + 0.6)
                port = 5.4 - high * (10 * k + 9 * k * (lane + 0.5) / (18 * k))
                x_lane = start + 2.35 + 1.5 * lane / (18 * k)
                ax.plot(
                    [start + 2.2, x_lane, x_lane, start + 2.2],
                    [y, y, port, port],
                    color=COLORS["muted"],
                    linewidth=0.7,
                )
                lane += 1
    note(ax, 1.1, -0.35, "18 GPU trays, 9 switch trays", "bound", ha="center")
    note(ax, 7.3, -0.35, "the same, doubled", "bound", ha="center")
    note(ax, 4.0, 4.6, "GPUs", "compute", dx=6)
    note(ax, 4.0, 2.7, "switches", "weights", dx=6)
    note(ax, 4.0, 0.8, "GPUs", "compute", dx=6)
    ax.set_xlim(-0.5, 10.4)
    ax.set_ylim(-0.7, 5.6)
    return show(
        fig,
        "Side view of a rack with GPU trays above and below a block of switch trays, "
        "wires running along the back; beside it a rack with twice the trays and "
        "twice the wires in the same space.",
    )


def what_a_floor_bears(catalogued: Mapping[str, Any]) -> Any:
    """The catalog's racks and halls: packages, dies, names, power, mass and cooling."""

    def known(value: Any, unit: str = "1") -> str:
        return human(float(value), unit) if value else "–"

    rows = []
    for rack in catalogued.values():
        dies = rack.packages and racks.domain_dies(rack.packages, rack.dies_per_package)
        counts = [known(x) for x in (rack.packages, dies, rack.marketed)]
        power = f"{known(rack.power / 1e3)} kW" if rack.power else "–"
        rows.append([rack.name, *counts, power, known(rack.mass, "kg"), rack.cooling or "–"])
    return table(["", "packages", "dies", "in its name", "power", "mass", "cooling"], rows)


def racks_sharing_a_layer() -> Explorer:
    """Live: the slow-down over racks and what must cross, for copies alone, merged and limited."""
    R, r, M = variables("R r M")
    m = Model.symbolic()
    row, column = sp.symbols("row column", nonnegative=True)
    naive = racks.crossing_slowdown(R, r)
    relayed, capped = racks.merged_slowdown(R, R, r, m), racks.merged_slowdown(R, M, r, m)
    return Explorer(
        "racks",
        title=[
            (sp.Le(R, 1), "In one rack nothing crosses"),
            (
                sp.Le(capped, 1.005),
                "Over {R} racks the exchange takes {naive} as long, relayed no longer than in one",
            ),
            (sp.true, "Over {R} racks the exchange takes {naive} as long, relayed {capped}"),
        ],
        controls=[
            Slider(R, "Racks sharing a layer", 1, 16, 2, integer=True),
            Slider(r, "Second network slower by", 1, 100, 8, unit="x", log=True),
            Slider(m.experts_active, "Experts chosen", 1, 32, 8, integer=True),
            Slider(m.experts, "Experts in a layer", 32, 1024, 256, log=True, integer=True),
            Slider(M, "Racks a token may use", 1, 16, 4, integer=True),
        ],
        chart=[
            Lines(
                x=R,
                y=("Time over one rack's", "x"),
                log="xy",
                y_range=(0.5, 100),
                curves=[
                    # there is no such thing as half a rack
                    Curve(word, way.subs(R, sp.floor(R)), kind, step=True)
                    for word, way, kind in (
                        ("each copy alone", naive, "network"),
                        ("merged", relayed, "kv"),
                        ("merged, limited", capped, "bound"),
                    )
                ],
                points=[Point("you", R, naive, "network"), Point("relayed", R, capped, "bound")],
            ),
            Grid(
                cell=sp.Integer(1),
                rows=R,
                columns=R,
                kind=("weights", "network"),
                which=sp.Piecewise((0, sp.Eq(row, column)), (1, True)),
                title="From rack (row) to rack (column): {share} must cross",
            ),
        ],
        readouts=[
            Readout("Copies that cross", racks.crossing_share(R), "%", key="share"),
            Readout(
                "Crossings a token, one by one", m.experts_active * racks.crossing_share(R), "1"
            ),
            Readout("Crossings a token, merged", racks.remote_racks(R, R, m), "1"),
            Readout("Merged and limited", racks.remote_racks(R, M, m), "1"),
            Readout("Slow-down, one by one", naive, "x", key="naive"),
            Readout("Slow-down, merged and limited", capped, "x", key="capped"),
            Readout("Experts in each rack", m.experts / R, "1"),
        ],
        messages=[(sp.Gt(R, m.experts), "More racks than experts: some racks hold none.")],
        alt="Slow-down of the all-to-all against racks. Over {R} racks, copies sent one "
        "by one take {naive} as long as in one rack, merged and limited {capped}.",
    )


def timed_exchanges(across: Sequence[Any], late: float) -> Figure:
    """DeepSeek's timings over boxes against the times that bytes and bandwidths predict."""
    boxes, smooth = [t.racks for t in across], np.geomspace(2, 32, 60)
    first, last = across[0], across[-1]
    fig, ax = canvas(
        "Timed all-to-alls follow the share that crosses, plus about "
        f"{human(late, 's')} of latency",
        log="x",
        x=("Boxes of eight GPUs", "1"),
        y=("Time", "s"),
    )
    for way, kind, element in (
        ("dispatch", "network", first.dispatch_element),
        ("combine", "bound", first.combine_element),
    ):
        line = racks.alltoall_time(first.batch, smooth, element, first.model, first.system)
        timed = [getattr(t, way) for t in across]
        curve(ax, smooth, line, kind, linestyle="-")
        ax.plot(boxes, timed, "o", color=COLORS[kind], markersize=6)
        note(ax, last.racks, line[-1], f"{way}, predicted", kind, dx=6, dy=-3)
        note(ax, last.racks, timed[-1], f"{way}, timed", kind, dx=6, dy=3)
    ax.set_ylim(0, 4.2e-4)
    ax.set_xticks(boxes)
    return show(
        fig,
        "Predicted and timed dispatch and combine against the number of boxes from "
        f"{first.racks} to {last.racks}. Both rise as R minus one over R; the timed dots lie "
        f"above the lines by about {human(late, 's')}.",
    )


def where_the_model_breaks(
    v3: Model,
    deep: int,
    third: Mapping[str, Sequence[float]],
    busiest: tuple[float, float],
    late: float,
    slow_share: float,
    reached: Sequence[float],
    ratios: Mapping[str, float],
) -> Any:
    """A row for each assumption of the chapter and the size of the error."""
    one, two = ([row[i] for row in third.values()] for i in (1, 2))
    merged, alone = (
        [float(racks.merged_slowdown(n, n, 8, v3)) for n in (2, 8)],
        [float(racks.crossing_slowdown(n, 8)) for n in (2, 8)],
    )
    errors = {
        "Communication is hidden or free (d8)": "inside one domain the network needs "
        f"{min(one):.1f} to {max(one):.1f} times the arithmetic's time for DeepSeek-V3; "
        f"across two {min(two):.1f} to {max(two):.1f}",
        "Copies are not merged (d20)": "over two racks at 8 the slow-down is "
        f"{merged[0]:.1f} instead of {alone[0]:.0f}; over eight {merged[1]:.1f} instead of "
        f"{alone[1]:.0f}",
        "Copies to one GPU are not merged either (d20)": "64 GPUs: a token needs "
        f"{racks.distinct_targets(64, v3):.1f} copies, not {v3.experts_active:.0f}; a box of "
        f"eight: {racks.distinct_targets(8, v3):.1f}",
        "Every layer has experts": f"{deep} of DeepSeek-V3's {v3.layers:.0f} have: network "
        f"times are {100 * (v3.layers / deep - 1):.0f} % too long",
        "Routing is uniform (d20)": "the busiest GPU receives "
        f"{busiest[0]:.2f} times the mean by chance, {busiest[1]:.1f} times at a skew of 0.3",
        "The ratio is about bandwidth, latency is ignored (d21)": f"about {human(late, 's')} "
        f"an exchange, {100 * slow_share:.0f} % of a timed dispatch over four boxes",
        "Eight fits every machine (d21)": f"{min(ratios.values()):.0f} to "
        f"{max(ratios.values()):.0f} in the catalog",
        "Bandwidth and load add perfectly over the domain (d9)": "the timed dispatches reach "
        f"{100 * min(reached):.0f} % to {100 * max(reached):.0f} % of what the cards could "
        "carry, latency included",
        "A copy to one's own GPU travels too": f"{100 / 64:.1f} % of the traffic, with 64 GPUs",
    }
    return table(["assumption", "size of the error"], errors.items())


# ---- a first look --------------------------------------------------------------------------------


def one_step() -> Explorer:
    """Live: one decode step with its third clock, the exchange between the chips of a rack."""
    rack = chip("GB200").system(72, "fp8")
    show = ("weights", "arithmetic", "caches", "network")
    return machine_step(model("DeepSeek-V3"), rack, show, id="machine-network")


# ---- what the chapter asks -----------------------------------------------------------------------


def guess_idle() -> Asked:
    return guess(
        "idle",
        "A layer has 256 experts, a rack 72 GPUs. Every GPU in use should hold equally many. How many GPUs stay idle?",
        like="30",
    )  # fmt: skip


def settle_idle(count: float) -> Asked:
    """The first guess against what divides 256."""
    return settle(
        "idle", count, near=1.1, words=("few", "many"),
        close="256 is a power of two, and 72 is not.",
        low="72 does not divide 256. The largest number of GPUs that does is smaller than you think.",
        high="More of them can be used: four experts each.",
    )  # fmt: skip


def guess_crossing() -> Asked:
    return guess(
        "crossing",
        "The same layer is spread over two racks, joined by a network eight times slower. How many times longer does "
        "the exchange of tokens take?",
        "x", like="20 times",
    )  # fmt: skip


def settle_crossing(times: float) -> Asked:
    """The second guess against half of the copies at an eighth of the speed."""
    return settle(
        "crossing", times, "x", near=1.2,
        close="Half of the copies, at an eighth of the speed. A clever sender can do better; read on.",
        low="That takes a trick, which comes below. Sent one by one, half of the copies cross.",
        high="Not all copies cross: half of the experts are at home.",
    )  # fmt: skip


def guess_packages() -> Asked:
    return guess(
        "packages",
        "A rack is announced as NVL576. How many GPUs can you take out of it and hold in your hand?",
        like="500",
    )  # fmt: skip


def settle_packages(count: float) -> Asked:
    """The third guess against the packages of the rack."""
    return settle(
        "packages", count, near=1.1, words=("few", "many"),
        close="You read the small print.",
        low="The name counts pieces of silicon, four to a package.",
        high="The name counts pieces of silicon, four to a package.",
    )  # fmt: skip


def ask_four_racks(m: Model, merged: bool) -> Asked:
    alone, relayed = racks.crossing_slowdown(4, 9), racks.merged_slowdown(4, 4, 9, m)
    if merged:
        return exercise(
            "four-racks-merged", "Merged copies", unit="x", like="20 times", answer=relayed,
            slips={"That is copy by copy. How many other racks does a token need?": alone},
        )  # fmt: skip
    return exercise(
        "four-racks", "Copies sent alone", unit="x", like="20 times", answer=alone,
        slips={
            "Not all copies cross: one rack in four is at home.": 9,
            "That is the share that crosses. At which speed?": racks.crossing_share(4),
        },
    )  # fmt: skip


def ask_second_copies() -> Asked:
    experts, gpus = model("Kimi K2").experts, 72
    each = experts // traffic.even_split(experts, gpus)
    return exercise(
        "second-copies", "Second copies", like="20", answer=gpus * each - experts,
        slips={"That is one for each GPU. Each of them holds several experts.": gpus},
    )  # fmt: skip
