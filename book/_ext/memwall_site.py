"""What makes the pages a site: light to load, described to those who link to them, complete.

Jupyter Book adds to every page, used or not, a kernel launcher, the widget manager, the search index
and an icon font with its script. No page of this book asks for them, so none loads them.
"""

from __future__ import annotations

import csv
import html
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlparse

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms import SphinxPostTransform

UNUSED_SCRIPTS = ("thebe", "html-manager", "require.js", "design-tabs", "widget-state", "toggleHint", "togglebutton")  # fmt: skip
UNUSED_STYLES = ("thebe", "sphinx-design", "togglebutton")
# scripts that a page itself calls on its way down
AT_ONCE = (
    "explorer.js",
    "reader.js",
    "documentation_options.js",
    "doctools.js",
    "sphinx_highlight.js",
)
UNUSED_FILES = ("scripts/fontawesome.js*", "scripts/*.map", "vendor/fontawesome/webfonts/*")
# MathJax in parts: the one-file build carries a menu of 0.4 MB. `assistive-mml` is what screen
# readers read, so it is asked for by name.
MATHJAX = ["input/tex", "output/chtml", "a11y/assistive-mml"]
NOT_FOUND = """<h1>No such page</h1>
<p>The address may be an old one. Every page of the book is in the contents, and the search knows every word.</p>"""


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
    # a server shows this page at any address, so its links must not depend on where that is
    config.notfound_urls_prefix = urlparse(config.html_baseurl).path or "/"
    config.notfound_context = {"title": "No such page", "body": NOT_FOUND}
    config.ogp_site_url = config.html_baseurl
    if config.html_baseurl:
        config.ogp_image = "_static/page.png"


def head(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """A title for the tab; and only the scripts and styles in use."""
    book = app.config.html_title
    title = re.sub(r"<[^>]*>", "", context.get("title", ""))
    context["project"] = book
    context["tab_title"] = f"{title} — {book}" if title and title != book else book

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


class LinksInTables(SphinxPostTransform):
    """Shows the link check what tables and figures, which are HTML already, lead to."""

    default_priority = 700  # it looks at 800
    builders = ("linkcheck",)

    def run(self, **_: Any) -> None:
        for raw in list(self.document.findall(nodes.raw)):
            for address in re.findall(r'href="(https?://[^"]+)"', raw.astext()):
                raw.parent.append(nodes.reference("", "", refuri=html.unescape(address)))


def moved(title: str, language: str, target: str, canonical: str) -> str:
    """A page that leads elsewhere, with what stands after # in the address: the state of a live figure.

    A refresh would lose that, so it waits for the script, and helps where none runs.
    """
    return (
        f'<!DOCTYPE html>\n<html lang="{language}"><head><meta charset="utf-8"/><title>{title}</title>'
        f'<meta http-equiv="refresh" content="1; url={target}"/><link rel="canonical" href="{canonical}"/>'
        f'<script>location.replace("{target}" + location.hash)</script></head>'
        f'<body><p><a href="{target}">{title}</a></p></body></html>\n'
    )


def redirects(source: Path) -> dict[str, str]:
    """Pages that moved, old name to new, from `redirects.csv` beside the pages of prose."""
    with (source / "book" / "redirects.csv").open(encoding="utf-8", newline="") as file:
        return {row["old"]: row["new"] for row in csv.DictReader(file)}


def finish(app: Sphinx, error: Exception | None) -> None:
    """Files beside the pages: no icon font, a front door, what robots read."""
    if error is not None or app.builder.format != "html":
        return
    out, base = Path(app.outdir), app.config.html_baseurl
    for pattern in UNUSED_FILES:
        for file in (out / "_static").glob(pattern):
            file.unlink()
    title, language = app.config.html_title, app.config.language
    for old, new in {"index": app.config.root_doc, **redirects(Path(app.srcdir))}.items():
        if old in app.env.found_docs:
            raise ExtensionError(f"redirects.csv: {old} is a page of the book")
        if new not in app.env.found_docs:
            continue  # a book of a few pages only
        page = out / f"{old}.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        target = os.path.relpath(f"{new}.html", Path(old).parent).replace(os.sep, "/")
        canonical = urljoin(base, f"{new}.html") if base else target
        page.write_text(moved(title, language, target, canonical), "utf-8")
    robots = "User-agent: *\nAllow: /\n"
    if base:
        robots += f"Sitemap: {urljoin(base, 'sitemap.xml')}\n"
    (out / "robots.txt").write_text(robots, "utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("config-inited", configure, priority=100)
    app.connect("html-page-context", head, priority=950)
    app.add_post_transform(LinksInTables)
    app.connect("build-finished", finish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
