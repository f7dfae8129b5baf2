"""Figures with one look: colours by meaning, direct labels, a title that states the point.

    fig, ax = canvas("Below 2,400 sequences the weights set the pace",
                     x=("Batch size", "sequences"), y=("Step time", "s"))
    curve(ax, batch, time, "weights", "weights")
    mark(ax, 2400, 1.2e-3, "balance")
    show(fig, "Step time against batch size: flat, then linear.")

`show` returns an object that displays as inline SVG (it follows the page's text
colour, so it is right in dark mode and in print) with a text alternative.
"""

from __future__ import annotations

import base64
import html
import io
import textwrap
from dataclasses import dataclass
from typing import Any

from ..core.units import human, stands_with_number
from .page_svg import page_svg
from .table import table  # noqa: F401  what draws a chapter has its tables from here too

# Okabe-Ito, by meaning; explorer.css holds the same values for live figures
COLORS = {
    "compute": "#D55E00",
    "weights": "#0072B2",
    "kv": "#009E73",
    "network": "#CC79A7",
    "money": "#E69F00",
    "bound": "#000000",  # becomes the page's text colour
    "muted": "#808080",
}
# a line style of its own for each meaning, so that no colour is needed to tell curves apart
STYLES: dict[str, Any] = {
    "compute": (0, (6, 2)),
    "weights": (0, (1, 1.2)),
    "kv": (0, (4, 1.5, 1, 1.5)),
    "network": (0, (8, 2, 1, 2, 1, 2)),
    "money": "-",
    "bound": "-",
    "muted": (0, (2, 2)),
}
WIDE = 5.8  # inches
_RC: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "memwall",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "text.parse_math": False,  # a dollar is a dollar
    "font.size": 11,
    "axes.titlesize": 12.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 11,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "grid.color": "#808080",
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "lines.linewidth": 2.0,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
}


def canvas(
    title: str,
    x: tuple[str, str] = ("", ""),
    y: tuple[str, str] = ("", ""),
    *,
    log: str = "xy",
    size: tuple[float, float] = (5.4, 3.7),
    columns: int = 1,
) -> tuple[Any, Any]:
    """A figure with one axes (or a row of `columns`); `x` and `y` are (name, unit symbol).

    Ticks are printed in human units (1 ms, 10 GB); `log` names the logarithmic axes.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure as MplFigure

    with mpl.rc_context(_RC):
        fig = MplFigure(figsize=size, layout="constrained")
        axes = [fig.add_subplot(1, columns, i + 1) for i in range(columns)]
        fig.suptitle(
            textwrap.fill(title, width=int(size[0] * 9)), x=0.01, ha="left",
            fontsize=12.5, fontweight="bold",
        )  # fmt: skip
        for ax in axes:
            ax.set_axisbelow(True)
            dress(ax, x, y, log)
    return fig, axes[0] if columns == 1 else axes


def dress(ax: Any, x: tuple[str, str], y: tuple[str, str], log: str = "") -> None:
    """Name an axes' two quantities and print their ticks in human units."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    for axis, (name, unit), setter in ((ax.xaxis, x, ax.set_xscale), (ax.yaxis, y, ax.set_yscale)):
        own = stands_with_number(unit)
        axis.set_label_text(f"{name} ({unit})" if unit not in ("", "1") and not own else name)
        if axis.axis_name in log:
            setter("log")
            axis.set_major_locator(LogLocator(numticks=7))
            axis.set_minor_formatter(NullFormatter())
        if unit:
            axis.set_major_formatter(
                FuncFormatter(lambda v, _, u=unit if own else "1": human(v, u))
            )


def curve(ax: Any, x: Any, y: Any, kind: str, label: str = "", **style: Any) -> Any:
    """A curve in its meaning's colour and line style, its label at its right end."""
    options = {"color": COLORS[kind], "linestyle": STYLES[kind]} | style
    (line,) = ax.plot(x, y, **options)
    if label:
        note(ax, x[-1], y[-1], label, kind, dx=4)
    return line


def note(ax: Any, x: Any, y: Any, text: str, kind: str = "bound", dx: float = 0, dy: float = 0,
         **style: Any) -> None:  # fmt: skip
    """Words at a point, `dx`, `dy` printer's points away from it."""
    options = {
        "color": COLORS[kind],
        "va": "center",
        "ha": "left" if dx >= 0 else "right",
        "parse_math": False,
    } | style
    ax.annotate(text, (x, y), xytext=(dx, dy), textcoords="offset points", annotation_clip=False,
                **options)  # fmt: skip


def mark(ax: Any, x: Any, y: Any, text: str, kind: str = "bound", dx: float = 8, dy: float = -12,
         **style: Any) -> None:  # fmt: skip
    """A named point: a dot and its words."""
    ax.plot([x], [y], "o", color=COLORS[kind], markersize=6, zorder=5)
    note(ax, x, y, text, kind, dx, dy, **style)


@dataclass(frozen=True)
class Figure:
    """A drawn figure and the sentence that says what it shows."""

    svg: str
    png: bytes
    alt: str
    title: str = ""
    width: float = 0.0  # inches

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        alt = html.escape(self.alt, quote=True)
        drawn = self.svg.replace("<svg ", f'<svg role="img" aria-label="{alt}" ', 1)
        if self.width > WIDE:  # on a phone it scrolls in its own box, or its words would be tiny
            drawn = f'<div class="mw-wide" tabindex="0">{drawn}</div>'
        title = f"<figcaption>{html.escape(self.title)}</figcaption>" if self.title else ""
        return {
            "text/html": f'<figure class="mw-figure">{title}{drawn}</figure>',
            "image/png": base64.b64encode(self.png).decode(),
            "text/plain": self.alt,
        }


def show(fig: Any, alt: str) -> Figure:
    """Finish a figure: SVG for pages, PNG for where SVG is not shown, `alt` for who cannot see it.

    On a page the title is text above the drawing, so that it wraps on a phone.
    """
    import matplotlib as mpl

    with mpl.rc_context(_RC):
        png = io.BytesIO()
        fig.savefig(png, format="png", dpi=160, facecolor="white")
    title = " ".join(fig.get_suptitle().split()).replace(" %", "\u00a0%")
    fig.suptitle("")
    return Figure(svg(fig), png.getvalue(), alt, title, fig.get_figwidth())


def svg(fig: Any) -> str:
    """A figure as inline SVG for a page."""
    import matplotlib as mpl

    with mpl.rc_context(_RC):
        file = io.BytesIO()
        fig.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return page_svg(file.getvalue().decode(), COLORS)


def two_digits(value: float, unit: str = "1") -> str:
    """A number as `human` prints it, to two digits: enough for a sentence.

    >>> two_digits(1944.4), two_digits(0.02345, "s")
    ('1,900', '23 ms')
    """
    return human(float(f"{value:.2g}"), unit)
