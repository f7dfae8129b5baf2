"""One step through the machine: what is read, what works, what waits, for whom.

The picture is drawn by reader.js, moment by moment; every length of time in it is a formula of the
library, traced. The still below shows the same machine when the step is over.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ...core.nouns import Model, System, Unknown, suggest
from ...core.units import InputError, human
from ...formulas import racks, roofline
from ..explorer import Drawn, Expr, Readout, Slider, Words, _name, variables
from ..figures import COLORS
from .pictures import Picture

PARTS = ("weights", "arithmetic", "caches", "network", "stages")
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
            **times, **self.says, "sweep": _name(self.batch, owner), "most": self.most,
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
        drawn: list[str] = []

        def box(x: float, y: float, w: float, h: float, kind: str, shade: float = 1) -> None:
            colour = "currentColor" if kind == "bound" else COLORS[kind]
            drawn.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(w, 0.7):.1f}" height="{h:.1f}" '
                         f'fill="{colour}" fill-opacity="{shade:g}"/>')  # fmt: skip

        def text(x: float, y: float, said: str, anchor: str = "start") -> None:
            drawn.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="currentColor">'
                         f"{html.escape(said)}</text>")  # fmt: skip

        text(0, 14, "Memory")
        for kind, said in self.says["holds"].items():
            text(6 if kind == "weights" else 120, 206, words(said))
        box(0, 22, 231, 170, "bound", 0.06)
        for slot in range(SLOTS):
            box(6, 26 + 14 * slot, 219 * weights / full, 11, "weights")
            if caches:
                box(6 + 219 * weights / full, 26 + 14 * slot, 219 * caches / full, 11, "kv")
        text(315, 14, "Arithmetic")
        lit = max(1, round(100 * arithmetic / step)) if self.arithmetic is not None else 0
        for unit in range(100):
            on = unit * 37 % 100 < lit
            x, y = 315 + 16 * (unit % 10), 26 + 16 * (unit // 10)
            box(x, y, 14, 14, "compute" if on else "bound", 1 if on else 0.15)
        text(530, 14, words(self.says["aboard"]))
        taken = max(1, round(value(self.batch) * SEATS / self.most))
        for seat in range(SEATS):
            x, y = 530 + 8.5 * (seat % SEATS_ACROSS), 42 + 13 * (seat // SEATS_ACROSS)
            box(x, y, 6, 6, "money" if seat < taken else "bound", 1 if seat < taken else 0.15)
        rows = [("memory", [(0.0, weights, "weights"), (weights, caches, "kv")])]
        if self.arithmetic is not None:
            rows.append(("arithmetic", [(0.0, arithmetic, "compute")]))
        if self.network is not None:
            rows.append(("network", [(step - network, network, "network")]))
        scale = 530 / end
        for row, (name, parts) in enumerate(rows):
            y = 226 + 26 * row
            text(78, y + 13, name, "end")
            box(88, y, step * scale, 17, "bound", 0.08)
            for slot in range(SLOTS):
                for start, length, kind in parts:
                    if length:
                        box(88 + (start + slot * (step if kind != "network" else 0)) * scale / (SLOTS if kind != "network" else 1),
                            y, length * scale / SLOTS, 17, kind)  # fmt: skip
            used = sum(length for _, length, _ in parts) / step
            text(700, y + 13, f"busy {human(float(f'{used:.2g}'), '%')}", "end")
        text(min(88 + step * scale, 560), 216, words(self.says["length"]), "middle")
        height = 240 + 26 * len(rows)
        return f'<svg viewBox="0 0 700 {height}" font-size="12.5" font-family="inherit">{"".join(drawn)}</svg>'


def machine_step(
    model: Model, system: System, show: Iterable[str] = ("weights", "arithmetic", "caches"), *,
    context: float = 1000, people: float = 2000, most: float = 10_000, stages: int = 1,
    id: str = "machine",
) -> Picture:  # fmt: skip
    """One decode step, moment by moment: a slider for the people on board, a scrubber for time.

    show: the parts switched on, of `PARTS`; "weights" always is. Memory reads a layer's weights, then
    its caches; the arithmetic of a layer works meanwhile and waits for it; the network, if shown,
    talks after each layer, hidden by nothing (`racks.network_time`, one rack). "stages" cuts the
    layers over as many racks, of which one works on this token at a time.
    context: tokens of each person. people: on board to begin with. most: seats on the slider.
    Raises: InputError for an unknown part.
    """
    show = tuple(dict.fromkeys(("weights", *show)))
    for part in show:
        if part not in PARTS:
            raise InputError(f"machine_step shows no {part!r}.{suggest(part, PARTS)} Of {PARTS}")
    if "stages" in show and not (2 <= stages <= SLOTS and SLOTS % stages == 0):
        raise InputError(f"stages = {stages} must be 2, 3, 4, 6 or 12 to be shown")
    B = variables("batch")
    length = context if "caches" in show else 0
    weights = roofline.weight_time(model, system)
    caches = roofline.kv_time(B, length, model, system) if length else None
    arithmetic = roofline.compute_time(B, model, system) if "arithmetic" in show else None
    step = roofline.step_time(B, length, model, system) if arithmetic is not None else roofline.memory_time(B, length, model, system)  # fmt: skip
    network = None
    if "network" in show:
        # one rack: nothing leaves it, so a second network that nobody published plays no part
        known = not isinstance(system.scale_out, Unknown)
        rack = system if known else system.replace(scale_out=system.scale_up)
        network = racks.network_time(B, 1, THERE_AND_BACK, model, rack)
        step = step + network
    bytes_read = model.n_total * model.bytes_per_param
    reads = step if arithmetic is None else roofline.memory_time(B, length, model, system)
    computes = roofline.compute_time(B, model, system)
    alone = "Alone on board you wait {step} while {weights} stream by"
    shared = "{people} on board, and a step takes {step}"
    if network is not None:
        title = [
            (B < 2, alone + ", and {talks} of it is talk between the chips"),
            shared + ", of which {talks} is talk between the chips",
        ]
    elif arithmetic is None:
        title = [(B < 2, alone), shared + ": the same weights, read once for all"]
    else:
        title = [
            (B < 2, alone + ", and the arithmetic works {works} of the time"),
            (computes <= reads, shared + ": the memory sets the pace, the arithmetic works {works} of the time"),
            shared + ": the arithmetic sets the pace, and the memory waits for it",
        ]  # fmt: skip
    readouts = [
        Readout("A step, at least", step, "s", key="step"),
        Readout("For each of them, at most", 1 / step, "token/s", key="speed"),
        *(
            [Readout("Arithmetic works", computes / step, "%", key="works")]
            if arithmetic is not None
            else []
        ),
        *([Readout("Chips talk", network / step, "%", key="talks")] if network is not None else []),
        Readout("", bytes_read + 0 * B, "B", key="weights"),
        Words("people", (B < 2, "One person"), "{batch}"),
        Readout("", most / SEATS + 0 * B, "people", key="seat"),
    ]
    holds = {"weights": "{weights} weights"}
    if caches is not None:
        lying = roofline.resident_bytes(B, length, model) - bytes_read
        readouts.append(Readout("", lying, "B", key="caches"))
        holds["kv"] = "{caches} caches"
    chart = Machine(
        batch=B, most=most, layers=int(model.layers), weights=weights + 0 * B, caches=caches,
        arithmetic=arithmetic, network=network, step=step, stages=stages if "stages" in show else 1,
        says={
            "holds": holds, "aboard": "{people} on board", "length": "one step: {step}",
            "riding": "a dot: up to {seat}", "arrived": "each gets one token",
        },
    )  # fmt: skip
    alt = (
        "One decode step drawn as a machine and a timeline: the memory streams {weights} of weights"
    )
    alt += " and {caches} of caches" if caches is not None else ""
    alt += " for {people}; the step takes {step}"
    alt += ", and the arithmetic works {works} of it." if arithmetic is not None else "."
    return Picture(
        id, title=title, chart=chart, readouts=readouts, alt=alt,
        controls=[Slider(B, "People on board", 1, most, people, unit="people", log=True, integer=True)],
    )  # fmt: skip
