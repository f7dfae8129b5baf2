"""The still that stands where a live figure cannot run: GitHub, a browser without JavaScript.

`draw(chart, axes, value)` draws one chart of an `Explorer` with `memwall.views.figures`, from the same
expressions, at the present values. `axes` is the chart as the page's spec describes it (names,
units), `value(expression, **swept)` evaluates an expression, `words(template)` fills a template.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import figures

Value = Callable[..., float]
SAMPLES = 60


def draw(chart: Any, value: Value, words: Callable[[str], str], axis: Callable[..., Any]) -> str:
    """The chart as inline SVG, a few kB: few samples are enough for a still."""
    kind = type(chart).__name__.lower()
    fig = {"lines": lines, "bars": bars, "regions": regions, "grid": grid}[kind](
        chart, value, words, axis
    )
    return figures.svg(fig)


def swept(ends: tuple[float, float], log: bool, samples: int = SAMPLES) -> Any:
    return (np.geomspace if log else np.linspace)(*ends, samples)


def lines(chart: Any, value: Value, words: Callable[[str], str], axis: Callable[..., Any]) -> Any:
    along, x_name, sweep, log = axis(chart)
    fig, ax = figures.canvas("", x_name, chart.y, log=chart.log)
    ends = []
    for c in chart.curves:
        points = [
            (at if c.x is None else value(c.x, **{sweep: at}), value(c.y, **{sweep: at}))
            for at in swept(along, log)
            if value(c.when, **{sweep: at})
        ]
        shown = np.array([p for p in points if np.isfinite(p).all()])
        if not len(shown):
            continue
        drawn = {"drawstyle": "steps-post"} if c.step else {}
        figures.curve(ax, shown[:, 0], shown[:, 1], c.kind, linewidth=c.width, **drawn)
        if c.fill_to is not None:
            low = [value(c.fill_to, **{sweep: at}) for at in swept(along, log)][: len(shown)]
            ax.fill_between(shown[:, 0], low, shown[:, 1], color=figures.COLORS[c.kind], alpha=0.14)
        ends.append((*shown[-1], words(c.label), c.kind))
    marks(ax, chart, value, words, sweep)
    for series in chart.dots:
        data = np.array([p[:2] for p in series.data], dtype=float)
        ax.plot(*data.T, "o", color=figures.COLORS[series.kind], markersize=4)
        for x, y, *name in series.data:
            figures.note(ax, x, y, str(*name), series.kind, dx=5)
    if chart.y_range:
        ax.set_ylim(*(end if end is None else value(end) for end in chart.y_range))
    ax.minorticks_off()
    # names of curves that end together are moved apart, at least a line's height
    height = fig.get_figheight() * 72 * 0.75
    edge = -np.inf
    for x, y, text, kind in sorted(ends, key=lambda end: end[1]):
        at = ax.transLimits.transform(ax.transScale.transform((x, y)))[1] * height
        edge = max(at, edge + 13)
        figures.note(ax, x, y, text, kind, dx=5, dy=edge - at)
    return fig


def marks(ax: Any, chart: Any, value: Value, words: Callable[[str], str], sweep: str = "") -> None:
    """Guides and points."""
    for g in chart.guides:
        upright, color = g.x is not None, figures.COLORS[g.kind]
        at = value(g.x if upright else g.y)
        if not value(g.when) or not np.isfinite(at):
            continue
        (ax.axvline if upright else ax.axhline)(at, color=color, lw=1, ls=(0, (3, 3)))
        far = upright and ax.transLimits.transform(ax.transScale.transform((at, 1)))[0] > 0.6
        figures.note(
            ax, at if upright else 0.02, 0.96 if upright else at, words(g.label), g.kind,
            dx=-4 if far else 4, dy=0 if upright else 7,
            xycoords=ax.get_xaxis_transform() if upright else ax.get_yaxis_transform(),
        )  # fmt: skip
    for p in getattr(chart, "points", ()):
        there = {} if p.at is None else {sweep: value(p.at)}
        x, y = value(p.x, **there), value(p.y, **there)
        if value(p.when) and np.isfinite([x, y]).all():
            figures.mark(ax, x, y, words(p.label), p.kind)


def bars(chart: Any, value: Value, words: Callable[[str], str], axis: Callable[..., Any]) -> Any:
    rows = [(b, value(b.value)) for b in chart.bars if value(b.when)]
    rows = [(b, amount) for b, amount in rows if np.isfinite(amount)]
    fig, ax = figures.canvas("", chart.value, ("", ""), log="x" if chart.log else "",
                             size=(5.4, 0.9 + 0.34 * len(rows)))  # fmt: skip
    start = 0.0
    for i, (b, amount) in enumerate(rows):
        ax.barh(i, amount, left=start, color=figures.COLORS[b.kind], height=0.6)
        figures.note(ax, start + amount, i, figures.human(amount, chart.value[1]), dx=4)
        start += amount if chart.stacked else 0
    ax.set_yticks(range(len(rows)), [words(b.label) for b, _ in rows])
    ax.invert_yaxis()
    ax.margins(x=0.18)
    ax.minorticks_off()
    marks(ax, chart, value, words)
    return fig


def regions(chart: Any, value: Value, words: Callable[[str], str], axis: Callable[..., Any]) -> Any:
    (x_range, x_name, x, _), (y_range, y_name, y, _) = axis(chart), axis(chart, "y")
    fig, ax = figures.canvas("", x_name, y_name, log=chart.log)
    xs, ys = swept(x_range, "x" in chart.log, 48), swept(y_range, "y" in chart.log, 36)
    each = np.array(
        [[[value(r.value, **{x: a, y: b}) for a in xs] for b in ys] for r in chart.regions]
    )
    winner = (np.argmax if chart.pick == "largest" else np.argmin)(each, axis=0)
    from matplotlib.colors import ListedColormap

    colors = ListedColormap([figures.COLORS[r.kind] for r in chart.regions])
    ax.pcolormesh(xs, ys, winner, cmap=colors, vmin=-0.5, vmax=len(chart.regions) - 0.5,
                  alpha=0.24, rasterized=True)  # fmt: skip
    for i, r in enumerate(chart.regions):
        rows, columns = np.nonzero(winner == i)
        if len(rows) > 20:
            at = xs[round(columns.mean())], ys[round(rows.mean())]
            figures.note(ax, *at, words(r.label), r.kind, ha="center")
    marks(ax, chart, value, words)
    ax.minorticks_off()
    return fig


def grid(chart: Any, value: Value, words: Callable[[str], str], axis: Callable[..., Any]) -> Any:
    from matplotlib.colors import to_rgb

    rows, columns = (max(1, round(value(n))) for n in (chart.rows, chart.columns))
    kinds = (chart.kind,) if isinstance(chart.kind, str) else chart.kind
    image = np.zeros((rows, columns, 4))
    for row in range(rows):
        for column in range(columns):
            at = {"row": row, "column": column}
            which = min(max(round(value(chart.which, **at)), 0), len(kinds) - 1)
            shade = min(max(value(chart.cell, **at), 0), 1)
            image[row, column] = *to_rgb(figures.COLORS[kinds[which]]), shade
    size = (5.4, min(4.6, 1 + 5 * rows / columns))
    fig, ax = figures.canvas("", chart.x, chart.y, log="", size=size)
    extent = (0.5, columns + 0.5, rows + 0.5, 0.5)
    ax.imshow(image, aspect="auto", extent=extent, interpolation="nearest")
    ax.locator_params(integer=True)
    ax.grid(False)
    return fig
