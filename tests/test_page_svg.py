"""A figure's SVG for a page: lighter, and the same drawing."""

import itertools
import math
import re

import numpy as np

from memwall import figures
from memwall.views.page_svg import page_svg


def drawn(path):
    """The corners of a path of M, l, h, v and z, in absolute coordinates."""
    at, start, found = (0.0, 0.0), (0.0, 0.0), []
    for letter, rest in re.findall(r"([Mlhvz])([^Mlhvz]*)", path):
        n = [float(x) for x in re.findall(r"-?[\d.]+", rest)]
        if letter == "M":
            at = start = (n[0], n[1])
        elif letter == "z":
            at = start
        else:
            dx, dy = {"l": n, "h": [*n, 0.0], "v": [0.0, *n]}[letter]
            at = (at[0] + dx, at[1] + dy)
        found.append(at)
    return found


def svg_of(d):
    given = f'<svg xmlns="http://www.w3.org/2000/svg"><path style="stroke: #000000" d="{d}"/></svg>'
    return re.search(r' d="([^"]*)"', page_svg(given, {}))[1]


def test_a_straight_stretch_is_one_line():
    # a hundred points on a line: its two ends
    line = " ".join(f"{'L' if x else 'M'} {x}.000000 {2 * x}.000000" for x in range(101))
    assert svg_of(line) == "M0 0l100 200"
    assert svg_of("M 1.5 1.5 L 1.5 7.25 L 9.0 7.25 L 9.0 1.5 z") == "M1.5 1.5v5.7h7.5v-5.7z"
    # there and back is not straight on
    assert drawn(svg_of("M 0.0 0.0 L 9.0 0.0 L 4.0 0.0")) == [(0, 0), (9, 0), (4, 0)]


def test_no_point_moves_by_more_than_a_tenth_and_a_half():
    x = np.linspace(0, 300, 400)
    y = 100 + 80 * np.sin(x / 20) * np.exp(-x / 150)
    path = svg_of(" ".join(f"{'L' if k else 'M'} {a:.6f} {b:.6f}" for k, (a, b) in enumerate(zip(x, y, strict=True))))  # fmt: skip
    corners = drawn(path)
    assert len(corners) < 150
    for a, b in zip(x, y, strict=True):
        near = min(_off((a, b), p, q) for p, q in itertools.pairwise(corners))
        assert near < 0.15


def _off(point, a, b):
    along = (b[0] - a[0], b[1] - a[1])
    share = ((point[0] - a[0]) * along[0] + (point[1] - a[1]) * along[1]) / (
        math.hypot(*along) ** 2 or 1
    )
    share = min(max(share, 0), 1)
    return math.hypot(point[0] - a[0] - share * along[0], point[1] - a[1] - share * along[1])


def test_a_figure_keeps_its_words_its_colours_and_its_marks():
    fig, ax = figures.canvas(
        "Twice the users, twice the wait", ("Batch", "sequences"), ("Time", "s")
    )
    figures.curve(ax, [1, 10, 100], [0.1, 0.1, 1.0], "weights", "weights")
    figures.mark(ax, 10, 0.1, "you", "bound")
    svg = figures.svg(fig)
    for word in ("Twice the users, twice the wait", "Batch (sequences)", "Time", "weights", "you"):
        assert word in svg
    # in the page's own blue, in its darker or lighter tone for the word
    assert "var(--mw-weights,#0072b2)" in svg and "var(--mw-weights-text,#0072b2)" in svg
    assert "currentColor" in svg
    assert "DejaVu" not in svg and "metadata" not in svg and "000000" not in svg
    # every name that is pointed at is there
    assert set(re.findall(r"#([mp][0-9a-f]{10})", svg)) <= set(re.findall(r'id="([^"]+)"', svg))


def test_two_drawings_of_the_same_figure_are_the_same_text():
    def one():
        fig, ax = figures.canvas("Same", ("x", "1"), ("y", "1"), log="")
        figures.curve(ax, np.arange(9), np.arange(9) ** 2, "kv", "square")
        return figures.svg(fig)

    assert one() == one()
