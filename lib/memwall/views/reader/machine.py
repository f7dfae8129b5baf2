"""One step through the machine: what is read, what works, what waits, for whom.

The picture is drawn by reader.js, moment by moment; every length of time in it is a formula of the
library, traced. The still below shows the same machine when the step is over.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sympy

from ...core.nouns import Model, System, Unknown, suggest
from ...core.units import InputError, human
from ...formulas import racks, roofline, serving
from ..explorer import Drawn, Expr, Readout, Slider, Words, name_of, variables
from ..figures import COLORS
from .pictures import Picture

PARTS = ("weights", "arithmetic", "caches", "network", "stages", "requests")
SLOTS = 12  # a step goes layer by layer; so many groups of them are drawn
SEATS, SEATS_ACROSS = 200, 20
THERE_AND_BACK = 3.0  # bytes of a number that travels to an expert in fp8 and back in bf16


@dataclass(frozen=True)
class Machine(Drawn):
    """The chart of `machine_step`: expressions for the times, templates for the words."""

    batch: Any
    most: float
    layers: int
    weights: Expr
    caches: Expr
    arithmetic: Expr
    network: Expr
    step: Expr
    stages: int
    says: dict[str, Any]

    def build(self, builder: Any, owner: str) -> dict[str, Any]:
        times = {
            part: builder.code(getattr(self, part), owner)
            for part in ("weights", "caches", "arithmetic", "network")
            if getattr(self, part) is not None
        }
        for words in self.says.values():
            for text in [words] if isinstance(words, str) else words.values():
                builder.text(text, owner)
        return {
            **times, **self.says, "sweep": name_of(self.batch, owner), "most": self.most,
            "layers": self.layers, "slots": SLOTS, "stages": self.stages, "seats": SEATS,
            "x": builder.axis(("Time within one step", "s"), False, None, owner),
        }  # fmt: skip

    def still(self, value: Any, words: Any) -> str:
        def time(part: str) -> float:
            expression = getattr(self, part)
            return 0.0 if expression is None else value(expression)

        most = {self.batch.name: self.most}
        full = value(self.weights, **most) + (
            0 if self.caches is None else value(self.caches, **most)
        )
        end = value(self.step, **most)
        weights, caches, arithmetic, network, step = map(
            time, ("weights", "caches", "arithmetic", "network", "step")
        )
        boxes: dict[
            tuple[str, float], list[str]
        ] = {}  # one path a colour, or a page would be heavy
        said: list[str] = []

        def box(x: float, y: float, w: float, h: float, kind: str, shade: float = 1.0) -> None:
            path = f"M{x:.1f},{y:.1f}h{max(w, 0.7):.1f}v{h}H{x:.1f}z"
            boxes.setdefault((kind, shade), []).append(path)

        def text(x: float, y: float, words: str, anchor: str = "start") -> None:
            said.append(
                f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}">{html.escape(words)}</text>'
            )

        text(0, 14, "Memory")
        for kind, held in self.says["holds"].items():
            text(6 if kind == "weights" else 120, 206, words(held))
        box(0, 22, 231, 170, "bound", 0.06)
        for slot in range(SLOTS):
            box(6, 26 + 14 * slot, 219 * weights / full, 11, "weights")
            if caches:
                box(6 + 219 * weights / full, 26 + 14 * slot, 219 * caches / full, 11, "kv")
        text(315, 14, "Arithmetic")
        lit = max(1, round(100 * arithmetic / step)) if self.arithmetic is not None else 0
        for unit in range(100):
            on = unit * 37 % 100 < lit
            box(
                315 + 16 * (unit % 10),
                26 + 16 * (unit // 10),
                14,
                14,
                "compute" if on else "bound",
                1 if on else 0.15,
            )
        text(530, 14, words(self.says["aboard"]))
        taken = max(1, round(value(self.batch) * SEATS / self.most))
        for seat in range(SEATS):
            kind, shade = ("money", 1.0) if seat < taken else ("bound", 0.15)
            box(
                530 + 8.5 * (seat % SEATS_ACROSS),
                42 + 13 * (seat // SEATS_ACROSS),
                6,
                6,
                kind,
                shade,
            )
        rows = [("memory", [(0.0, weights, "weights"), (weights, caches, "kv")])]
        if self.arithmetic is not None:
            rows.append(("arithmetic", [(0.0, arithmetic, "compute")]))
        if self.network is not None:
            rows.append(("network", [(step - network, network, "network")]))
        across = 530 / end
        for row, (name, parts) in enumerate(rows):
            y = 226 + 26 * row
            text(78, y + 13, name, "end")
            box(88, y, step * across, 17, "bound", 0.08)
            for slot in range(SLOTS):
                for start, length, kind in parts:
                    if length:
                        x = 88 + (start + slot * step) * across / SLOTS
                        box(x, y, length * across / SLOTS, 17, kind)
            used = sum(length for _, length, _ in parts) / step
            text(700, y + 13, f"busy {human(float(f'{used:.2g}'), '%')}", "end")
        text(min(88 + step * across, 560), 216, words(self.says["length"]), "middle")
        height = 240 + 26 * len(rows)
        drawn = "".join(
            f'<path fill="{"currentColor" if kind == "bound" else COLORS[kind]}" '
            f'fill-opacity="{shade:g}" d="{"".join(d)}"/>'
            for (kind, shade), d in boxes.items()
        )
        texts = f'<g font-size="12.5" font-family="inherit" fill="currentColor">{"".join(said)}</g>'
        return f'<svg viewBox="0 0 700 {height}">{drawn}{texts}</svg>'


def _boarding(batch: Any, answer: float, step: Expr) -> list[Any]:
    """As many come as leave: Little's law, solved for the arrivals that fill the seats."""
    rate = sympy.Symbol("rate", positive=True)
    come = sympy.solve(serving.seats_in_use(rate, answer, step) - batch, rate)[0]
    leave = come * step
    return [
        Readout("Requests a second, at most", come, "1", key="requests"),
        Readout("", leave, "1", key="leave"),
        Readout("", 1 / leave, "1", key="gap"),
        Words("swap", (leave < 1, "one leaves every {gap} steps"), "{leave} leave, {leave} board"),
    ]


def machine_step(
    model: Model, system: System, show: Iterable[str] = ("weights", "arithmetic", "caches"), *,
    context: float = 1000, people: float = 2000, most: float = 10_000, stages: int = 4,
    answer: float = 500, id: str = "machine",
) -> Picture:  # fmt: skip
    """One decode step, moment by moment: a slider for the people on board, a scrubber for time.

    show: the parts switched on, of `PARTS`; "weights" always is. Memory reads a layer's weights, then
    its "caches"; the "arithmetic" of a layer works meanwhile and waits for it; the "network" talks
    after each layer, hidden by nothing (`racks.network_time`, one rack). "stages" cuts the layers
    over so many racks, of which one works on this token at a time. With "requests", whoever has an
    `answer` leaves and somebody boards (`serving.seats_in_use`).
    context: tokens of each person. people: on board to begin with. most: seats on the slider.
    Raises: InputError for an unknown part, or stages that cannot be drawn.
    """
    show = tuple(dict.fromkeys(("weights", *show)))
    for part in show:
        if part not in PARTS:
            raise InputError(f"machine_step shows no {part!r}.{suggest(part, PARTS)} Of {PARTS}")
    if "stages" in show and not (1 < stages <= SLOTS and SLOTS % stages == 0):
        raise InputError(f"stages = {stages} must be 2, 3, 4, 6 or 12 to be drawn")
    B = variables("batch")
    length = context if "caches" in show else 0
    weights = roofline.weight_time(model, system) + 0 * B
    caches = roofline.kv_time(B, length, model, system) if length else None
    memory = roofline.memory_time(B, length, model, system)
    bytes_read = model.n_total * model.bytes_per_param
    alone = "Alone on board you wait {step} while {weights} stream by"
    shared = "{people} on board: the floor of a step is {step}"
    arithmetic = network = None
    step, more = memory, list[Any]()
    holds = {"weights": "{weights} weights"}
    title: list[Any] = [(B < 2, alone), shared + ", the same weights read once for all"]
    arrived, alt = "each gets one token", ""
    if caches is not None:
        lying = roofline.resident_bytes(B, length, model) - bytes_read
        more.append(Readout("", lying, "B", key="caches"))
        holds["kv"] = "{caches} caches"
    if "arithmetic" in show:
        arithmetic = roofline.compute_time(B, model, system)
        step = roofline.step_time(B, length, model, system)
        pace = ", set by the memory; the arithmetic works {works} of the time"
        title = [
            (B < 2, alone + ", and the arithmetic works {works} of the time"),
            (arithmetic <= memory, shared + pace),
            shared + ", set by the arithmetic, and the memory waits for it",
        ]
    if "network" in show:
        # one rack: nothing leaves it, so a second network that nobody published plays no part
        known = not isinstance(system.scale_out, Unknown)
        rack = system if known else system.replace(scale_out=system.scale_up)
        network = racks.network_time(B, 1, THERE_AND_BACK, model, rack)
        step = step + network
        more.insert(0, Readout("Chips talk", network / step, "%", key="talks"))
        talk = "{talks} of it while the chips talk to each other"
        title = [(B < 2, f"{alone}, {talk}"), f"{shared}, {talk}"]
    if arithmetic is not None:
        label = "" if "requests" in show else "Arithmetic works"  # a row has room for three
        more.insert(0, Readout(label, arithmetic / step, "%", key="works"))
        alt = "; the arithmetic works {works} of it"
    if "stages" in show:
        title = [f"Cut over {stages} racks the floor is still {{step}}: one works on it, the others wait or serve somebody else"]  # fmt: skip
    if "requests" in show:
        more = [*_boarding(B, answer, step), *more]
        arrived = "a token each; {swap}"
    chart = Machine(
        batch=B, most=most, layers=int(model.layers), weights=weights, caches=caches,
        arithmetic=arithmetic, network=network, step=step, stages=stages if "stages" in show else 1,
        says={
            "holds": holds, "aboard": "{people} on board", "length": "floor: {step}",
            "riding": "a dot: up to {seat}", "arrived": arrived,
        },
    )  # fmt: skip
    return Picture(
        id, title=title, chart=chart,
        alt="One decode step drawn as a machine and a timeline: the memory streams {weights} of weights"
        + (" and {caches} of caches" if caches is not None else "")
        + " for {people}; the step takes {step}" + alt + ".",
        readouts=[
            Readout("A step, all weights read", step, "s", key="step"),
            Readout("Speed of each, by that", 1 / step, "token/s", key="speed"),
            *more,
            Readout("", bytes_read + 0 * B, "B", key="weights"),
            Words("people", (B < 2, "One person"), "{batch}"),
            Readout("", most / SEATS + 0 * B, "people", key="seat"),
        ],
        controls=[Slider(B, "People on board", 1, most, people, unit="people", log=True, integer=True)],
    )  # fmt: skip
