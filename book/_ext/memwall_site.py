"""What makes the pages a site: light to load, described to those who link to them, complete.

Jupyter Book adds to every page, used or not, a kernel launcher, the widget manager, the search index
and an icon font with its script. No page of this book asks for them, so none loads them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from docutils import nodes
from sphinx.application import Sphinx

UNUSED_SCRIPTS = ("thebe", "html-manager", "require.js", "design-tabs", "widget-state", "toggleHint", "togglebutton")  # fmt: skip
UNUSED_STYLES = ("thebe", "sphinx-design", "togglebutton")
# scripts that a page itself calls on its way down
AT_ONCE = ("explorer.js", "documentation_options.js", "doctools.js", "sphinx_highlight.js")
UNUSED_FILES = ("scripts/fontawesome.js*", "scripts/*.map", "vendor/fontawesome/webfonts/*")
# MathJax in parts: the one-file build carries a menu of 0.4 MB. `assistive-mml` is what screen
# readers read, so it is asked for by name.
MATHJAX = ["input/tex", "output/chtml", "a11y/assistive-mml"]
DESCRIBED = 155  # letters of a description that search engines show


def buttons(options: dict[str, Any]) -> None:
    """Repository and launch buttons: all of them with a repository's address, none without."""
    known = bool(options.get("repository_url"))
    for name in ("repository", "issues"):
        options[f"use_{name}_button"] = known
    if not known:
        options.pop("launch_buttons", None)


def configure(app: Sphinx, config: Any) -> None:
    buttons(config.html_theme_options)
    config.mathjax_path = "mathjax/startup.js"
    config.mathjax3_config = {**(config.mathjax3_config or {}), "loader": {"load": MATHJAX}}


def described(doctree: nodes.document | None) -> str:
    """The first real sentence or two of a page."""
    for paragraph in doctree.findall(nodes.paragraph) if doctree else ():
        if isinstance(paragraph.parent, (nodes.section, nodes.document)):
            text = " ".join(paragraph.astext().split())
            if len(text) > 60 and "\\" not in text:
                if len(text) <= DESCRIBED:
                    return text
                cut = text[: DESCRIBED + 1].rpartition(" ")[0].rstrip(",;:")
                return cut if cut.endswith((".", "?")) else f"{cut} …"
    return ""


def head(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """A title for the tab, words for search engines; and only the scripts and styles in use."""
    book = app.config.html_title
    title = re.sub(r"<[^>]*>", "", context.get("title", ""))
    context["project"] = book
    context["tab_title"] = f"{title} — {book}" if title and title != book else book
    context["description"] = described(doctree)
    base = app.config.html_baseurl
    picture = next(iter(sorted(Path(app.confdir, "book", "_static").glob("page.png"))), None)
    context["social_image"] = urljoin(base, f"_static/{picture.name}") if base and picture else ""

    def named(file: Any) -> str:
        return " ".join(map(str, (file, *getattr(file, "attributes", {}).values())))

    scripts = (
        UNUSED_SCRIPTS
        if 'class="math' in context.get("body", "")
        else (*UNUSED_SCRIPTS, "athjax", "MathJax")
    )
    for key, unused in (("script_files", scripts), ("css_files", UNUSED_STYLES)):
        context[key] = [f for f in context[key] if not any(u in named(f) for u in unused)]
    # what no part of a page waits for comes after the page, so that its figures start sooner
    for file in context["script_files"]:
        if getattr(file, "filename", None) and not any(name in named(file) for name in AT_ONCE):
            file.attributes.setdefault("defer", "defer")


def more_pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    # a server shows this page at any address, so its links must not depend on where that is
    yield "404", {"title": "No such page"}, "404.html"


# parts of the theme's style sheet that no page of this book has: icons, and pieces of Bootstrap
UNUSED_RULES = re.compile(
    r"(?<=[{}])(?:,?\.(?:fa[bsr]?|fa-[\w-]+|svg-inline--fa"
    r"|(?:carousel|accordion|offcanvas|toast|modal|list-group|pagination|page-item|page-link|spinner"
    r"|placeholder|progress|popover|form-floating|form-select|form-range|form-check|ratio|btn-outline"
    r"|alert|card|nav-pills|nav-tabs|input-group|ablog|focus-ring|bg|text-bg|link-offset|link-underline)[\w-]*)"
    r"(?:[ .:>+~*][\w.:>+~*()-]*)*)+\{[^{}]*\}"
)


def without_unused(css: str) -> str:
    """The theme's style sheet less its icon font's two thousand rules, and others that style nothing here."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    css = re.sub(r"@font-face\{font-display:block;font-family:Font Awesome[^{}]*\}", "", css)
    before = ""
    while css != before:  # neighbours share a brace
        before, css = css, UNUSED_RULES.sub("", css)
    return css


def finish(app: Sphinx, error: Exception | None) -> None:
    """Files beside the pages: lighter styles, a front door, what robots read."""
    if error is not None or app.builder.format != "html":
        return
    out, base = Path(app.outdir), app.config.html_baseurl
    for pattern in UNUSED_FILES:
        for file in (out / "_static").glob(pattern):
            file.unlink()
    theme = out / "_static" / "styles" / "pydata-sphinx-theme.css"
    theme.write_text(without_unused(theme.read_text("utf-8")), "utf-8")
    root = f"{app.config.root_doc}.html"
    (out / "index.html").write_text(
        f'<!DOCTYPE html>\n<html lang="{app.config.language}"><head><meta charset="utf-8"/>'
        f'<title>{app.config.html_title}</title><meta http-equiv="refresh" content="0; url={root}"/>'
        f'<link rel="canonical" href="{urljoin(base, root)}"/></head>'
        f'<body><p><a href="{root}">{app.config.html_title}</a></p></body></html>\n',
        "utf-8",
    )
    missing = out / "404.html"
    if base and missing.exists():
        text = missing.read_text("utf-8")
        if "<base " not in text:
            missing.write_text(text.replace("<head>", f'<head><base href="{base}"/>', 1), "utf-8")
    robots = "User-agent: *\nAllow: /\n"
    if base:
        robots += f"Sitemap: {urljoin(base, 'sitemap.xml')}\n"
        places = "".join(
            f"<url><loc>{urljoin(base, page)}.html</loc></url>\n"
            for page in sorted(app.env.found_docs)
        )
        (out / "sitemap.xml").write_text(
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{places}</urlset>\n',
            "utf-8",
        )
    (out / "robots.txt").write_text(robots, "utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("config-inited", configure, priority=100)
    app.connect("html-page-context", head, priority=950)
    app.connect("html-collect-pages", more_pages)
    app.connect("build-finished", finish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
