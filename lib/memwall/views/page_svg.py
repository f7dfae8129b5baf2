"""Matplotlib's SVG made light: a page holds ten such figures, and what a reader sees is a fifth of it.

    page_svg(svg, colors) -> str

The drawing stays as it was, to a tenth of a point; it takes the page's fonts, text colour and
palette, so it is right in dark mode and in print.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from xml.etree import ElementTree as Tree

NAMESPACE = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"
Point = tuple[float, float]
# what a style says that the page says already, or that shows nothing
SILENT = {"font-family: 'DejaVu Sans', sans-serif", "text-anchor: start", "opacity: 1"}
# what Matplotlib puts into a style sheet, which would reach the whole page
JOINS = {"stroke-linejoin": "round", "stroke-linecap": "butt"}


def page_svg(svg: str, colors: Mapping[str, str], places: int = 1) -> str:
    """The SVG of a figure for a page: fluid in width, without what does not show.

    A colour of `colors` (meaning to #rrggbb) becomes the page's own of that meaning, of which
    words have a darker one on a light page and a lighter one on a dark page.

    Ignores: scripts and animation, which Matplotlib never writes.
    """
    root = Tree.fromstring(svg[svg.index("<svg") :])
    for size in ("width", "height", "version"):
        root.attrib.pop(size, None)
    for element in root.iter():
        element.tag = element.tag.removeprefix(NAMESPACE)
        if LINK in element.attrib:
            element.set("href", element.attrib.pop(LINK))
        _shorten(element, places)
        _recolor(element, colors)
    links = (v for element in root.iter() for v in element.attrib.values() if "#" in v)
    _prune(root, set(re.findall(r"#([\w.-]+)", " ".join(links))))
    _share_styles(root)
    root.attrib |= {"xmlns": NAMESPACE.strip("{}"), "fill": "currentColor", **JOINS}
    return Tree.tostring(root, encoding="unicode").replace(" />", "/>")


def _shorten(element: Tree.Element, places: int) -> None:
    """Numbers rounded, spaces closed up, styles without what they need not say."""
    if element.text and not element.text.strip():
        element.text = None
    element.tail = None
    for name, value in element.attrib.items():
        if name == "d":
            element.set(name, _path(value, places))
        elif name not in ("id", "href", "clip-path", "style", "class"):
            element.set(name, _round(value, places))
    if "style" in element.attrib:
        style = element.attrib["style"].replace("#000000", "currentColor")
        said = [s for s in re.split(r";\s*", style) if s and s not in SILENT]
        element.set("style", ";".join(s.replace(": ", ":") for s in said))
    if element.get("transform", "").startswith("rotate(-0 "):
        del element.attrib["transform"]


def _recolor(element: Tree.Element, colors: Mapping[str, str]) -> None:
    words = "-text" if element.tag == "text" else ""
    for kind, color in colors.items():
        if color.lower() in element.get("style", ""):
            own = f"var(--mw-{kind}{words},{color.lower()})"
            element.set("style", element.attrib["style"].replace(color.lower(), own))


def _round(text: str, places: int) -> str:
    """Every decimal number of a text rounded: 71.7000 becomes 71.7."""
    return re.sub(r"-?\d+\.\d+", lambda x: _short(float(x[0]), places), text)


def _short(x: float, places: int) -> str:
    text = f"{x:.{places}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _path(data: str, places: int) -> str:
    """Path data: straight stretches are one line, and lines say how far they go, not where to."""
    parts = re.findall(r"([A-Za-z])([^A-Za-z]*)", data)
    if not {letter for letter, _ in parts} <= set("MLz"):
        closed_up = "".join(letter + " ".join(rest.split()) for letter, rest in parts)
        return _round(closed_up, places)
    written, scale = "", 10**places
    at = (0, 0)
    for line in re.findall(r"M[^M]*", data):
        points = [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", line)]
        for first, (x, y) in enumerate(_corners(points, 0.8 / scale)):
            to = round(x * scale), round(y * scale)
            dx, dy = to[0] - at[0], to[1] - at[1]
            if not first:
                written += f"M{_short(to[0] / scale, places)} {_short(to[1] / scale, places)}"
            elif dx and dy:
                written += f"l{_short(dx / scale, places)} {_short(dy / scale, places)}"
            elif dx or dy:
                written += (
                    f"h{_short(dx / scale, places)}" if dx else f"v{_short(dy / scale, places)}"
                )
            at = to
        if "z" in line:
            written += "z"
            at = round(points[0][0] * scale), round(points[0][1] * scale)
    return written.replace(" -", "-")


def _corners(points: list[Point], tolerance: float) -> list[Point]:
    """The points without those that lie on the way from one kept point to the next."""
    kept = points[:1]
    waiting: list[Point] = []
    for point in points[1:]:
        if not all(_beside(kept[-1], p, point) < tolerance for p in waiting):
            kept.append(waiting[-1])
            waiting = []
        waiting.append(point)
    return kept + waiting[-1:]


def _beside(start: Point, point: Point, end: Point) -> float:
    """How far a point is from the stretch between two others."""
    along, length = (end[0] - start[0], end[1] - start[1]), math.dist(start, end)
    off = point[0] - start[0], point[1] - start[1]
    share = (off[0] * along[0] + off[1] * along[1]) / length**2 if length else 0.0
    nearest = min(max(share, 0.0), 1.0)
    return math.hypot(off[0] - nearest * along[0], off[1] - nearest * along[1])


def _prune(parent: Tree.Element, wanted: set[str]) -> None:
    """Groups that only group are opened; names that nothing points to go; so does what is unseen."""
    kept: list[Tree.Element] = []
    for child in list(parent):
        _prune(child, wanted)
        if child.get("id") not in wanted:
            child.attrib.pop("id", None)
        if child.tag in ("metadata", "style") or _unseen(child):
            continue
        opened = child.tag == "g" and not child.attrib
        kept += list(child) if opened else [child]
    parent[:] = kept


def _unseen(element: Tree.Element) -> bool:
    style = element.get("style", "")
    if element.tag == "path" and not element.get("id"):
        return "fill:none" in style and ("stroke:" not in style or "stroke:none" in style)
    return element.tag in ("g", "defs") and not len(element)


def _share_styles(root: Tree.Element) -> None:
    """A style that occurs often becomes a class, named by its content: figures may share it."""
    styled = [element for element in root.iter() if "style" in element.attrib]
    often = Counter(element.attrib["style"] for element in styled)
    rules = {s: f"m{sha256(s.encode()).hexdigest()[:5]}" for s, n in often.items() if n > 2 and s}
    for element in styled:
        style = element.attrib.pop("style")
        if style in rules:
            element.set("class", rules[style])
        elif style:
            element.set("style", style)
    if rules:
        sheet = Tree.Element("style")
        sheet.text = "".join(f".{name}{{{style}}}" for style, name in rules.items())
        root.insert(0, sheet)
