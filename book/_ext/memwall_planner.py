"""The planner's page in the book: its scripts and style, served once and loaded only where it stands."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import rcssmin
import rjsmin
from sphinx.application import Sphinx

from memwall import planner_page

USED = 'class="mw-planner"'
MINIFIED = {".js": rjsmin.jsmin, ".css": rcssmin.cssmin}
AS_IT_IS = ("planner-data.js", "deployment.js")  # data, and code that was printed


def files() -> dict[str, str]:
    """The page's files by name, without comments."""
    return {
        name: text if name in AS_IT_IS else MINIFIED[Path(name).suffix](text)
        for name, text in planner_page.scripts().items()
    }


def write(app: Sphinx, config: Any) -> None:
    folder = Path(app.outdir).parent / "static"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        (folder / name).write_text(text, "utf-8")
    place = os.path.relpath(folder, app.confdir)
    if place not in config.html_static_path:
        config.html_static_path.append(place)


def where_used(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    if USED not in context.get("body", ""):
        return
    # in the order in which they stand on each other, after the page: the last one mounts it
    for name in planner_page.scripts():
        if name.endswith(".js"):
            app.add_js_file(name, loading_method="defer")
        else:
            app.add_css_file(name)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("config-inited", write, priority=200)
    # before memwall_site sorts the scripts of a page
    app.connect("html-page-context", where_used, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
