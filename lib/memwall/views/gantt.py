"""Gantt charts of schedules: a row for each stage, a box for each job, grey where nobody works.

`gantt` draws one; `live_tables` samples many, for a live figure that cannot simulate.

fig, ax = canvas("1F1B", log="", size=(6.4, 2))
gantt(ax, one_f_one_b(4, 8))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..core.units import InputError
from ..experiments.schedules import Timetable, training
from .figures import COLORS

# forward and backward share a colour, since both pass activations on; W is for the weights
# The last entry is how much white is mixed in: a schedule must be readable without colour too.
KINDS = {
    "F": ("forward", COLORS["compute"], 0.0),
    "B": ("backward", COLORS["compute"], 0.62),
    "W": ("weight gradients", COLORS["weights"], 0.2),
}
DARK = "#111111"  # ink on pale boxes, whatever the page's own text colour


def tint(color: str, white: float) -> str:
    """The colour with a share of white mixed in.

    >>> tint("#D55E00", 0.5)
    '#eaae80'
    """
    parts = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(p + (255 - p) * white):02x}" for p in parts)


def gantt(ax: Any, table: Timetable, until: float | None = None, key: bool = True) -> None:
    """Draw a timetable on an axes: time in slots to the right, the first stage on top.

    until: where to stop (default: the end of the run). Boxes carry the number of their
    micro-batch where it fits; every second lap is paler. `key` names the colours above the axes.
    """
    from matplotlib.ticker import MaxNLocator

    span = until or table.span
    width = ax.figure.get_figwidth() * 0.85 / span  # inches a slot
    for stage in range(table.stages):
        ax.broken_barh([(0, span)], (stage - 0.42, 0.84), color=COLORS["muted"], alpha=0.22, lw=0)
    boxes: dict[tuple[int, str], list[tuple[float, float]]] = {}  # by stage and colour
    for job in table.jobs:
        if job.start >= span:
            continue
        _, color, white = KINDS[job.kind]
        if (job.block // table.stages) % 2:
            white = white + (1 - white) * 0.4
        length = min(job.end, span) - job.start
        boxes.setdefault((job.stage, tint(color, white)), []).append((job.start, length))
        number = str(job.micro_batch + 1)
        if job.kind != "W" and length * width > 0.075 * len(number) + 0.03:
            ax.text(
                job.start + length / 2, job.stage, number,
                ha="center", va="center_baseline", fontsize=8,
                color=DARK if white > 0.3 else "white",
            )  # fmt: skip
    for (stage, color), spans in boxes.items():
        ax.broken_barh(spans, (stage - 0.42, 0.84), facecolor=color, edgecolor="white", lw=0.5)
    ax.set_xlim(0, span)
    ax.set_ylim(table.stages - 0.5, -0.5)
    ax.set_yticks(range(table.stages), [str(s + 1) for s in range(table.stages)])
    ax.set_ylabel("stage")
    ax.grid(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    ax.tick_params(length=0)
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    if key:
        _key(ax, table.kinds)


def _key(ax: Any, kinds: str) -> None:
    """The colours and their names, in a line above the axes."""
    from matplotlib.patches import Patch

    handles = [
        Patch(facecolor=tint(c, white), label=name) for name, c, white in (KINDS[k] for k in kinds)
    ]
    handles.append(Patch(facecolor=COLORS["muted"], alpha=0.22, label="idle"))
    ax.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(-0.01, 0.98), ncols=len(handles),
        fontsize=9, frameon=False, handlelength=1, handleheight=0.9, columnspacing=1.2,
        handletextpad=0.4, borderpad=0.1,
    )  # fmt: skip


CODE = 32  # of a job in a slot: this times 0 for F, 1 for B, 2 for W, plus micro-batch from 1 on


def slots(table: Timetable, width: int, height: int) -> list[list[int]]:
    """What each stage does in each slot of unit length, as `CODE` says; 0 where it is idle."""
    cells = [[0] * width for _ in range(height)]
    for job in table.jobs:
        for slot in range(round(job.start), round(job.end)):
            cells[job.stage][slot] = CODE * "FBW".index(job.kind) + job.micro_batch + 1
    return cells


def live_tables(
    names: Sequence[str], stages: Sequence[int], micro_batches: int
) -> dict[str, list[Any]]:
    """Simulated schedules as nested lists, indexed by schedule, by stages, by micro-batches - 1.

    `work` has two more indices, stage and slot; `span`, `idle` (of one run), `repeated` (idle
    without a barrier) and `kept` are numbers.
    """
    if micro_batches >= CODE:
        raise InputError(f"micro_batches = {micro_batches} must be below {CODE}")
    made = [
        [[training(name, p, m) for m in range(1, micro_batches + 1)] for p in stages]
        for name in names
    ]
    width = round(max(table.span for by_p in made for by_m in by_p for table in by_m))

    def each(read: Callable[[Timetable], Any]) -> list[Any]:
        return [[[read(table) for table in by_m] for by_m in by_p] for by_p in made]

    return {
        "work": each(lambda table: slots(table, width, max(stages))),
        "span": each(lambda table: round(table.span)),
        "idle": each(lambda table: round(table.bubble, 6)),
        "repeated": each(lambda table: round(table.repeated_bubble, 6)),
        "kept": each(lambda table: round(table.peak_kept)),
    }
