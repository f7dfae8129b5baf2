"""Matplotlib's SVG made light: a page holds ten such figures, and what a reader sees is a fifth of it.

    page_svg(svg) -> str

The drawing stays as it was, to a tenth of a point; it takes the page's fonts and text
colour, so it is right in dark mode and in print.
"""

from __future__ import annotations

import re
from collections import Counter
from hashlib import sha256
from xml.etree import ElementTree as Tree

NAMESPACE = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"
# what a style says that the page says already, or that shows nothing
SILENT = {"font-family: 'DejaVu Sans', sans-serif", "text-anchor: start", "opacity: 1"}
# what Matplotlib puts into a style sheet, which would reach the whole page
JOINS = {"stroke-linejoin": "round", "stroke-linecap": "butt"}


def page_svg(svg: str, places: int = 1) -> str:
    """The SVG of a figure for a page: fluid in width, without what does not show.

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
        if name not in ("id", "href", "clip-path", "style", "class"):
            element.set(name, _numbers(value, places))
    if "style" in element.attrib:
        style = element.attrib["style"].replace("#000000", "currentColor")
        said = [s for s in re.split(r";\s*", style) if s and s not in SILENT]
        element.set("style", ";".join(s.replace(": ", ":") for s in said))
    if element.get("transform", "").startswith("rotate(-0 "):
        del element.attrib["transform"]


def _numbers(value: str, places: int) -> str:
    """Path data and coordinates: 'M 71.7000 231.30 \\nL ...' becomes 'M71.7 231.3L...'."""
    value = re.sub(r"-?\d+\.\d+", lambda x: _short(float(x[0]), places), value)
    return (
        re.sub(r"\s*([MLHVCSQTAZmlhvcsqtaz])\s*", r"\1", re.sub(r"\s+", " ", value)).strip()
        if (re.match(r"\s*[Mm]\s*[-\d]", value))
        else value.strip()
    )


def _short(x: float, places: int) -> str:
    text = f"{x:.{places}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


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
