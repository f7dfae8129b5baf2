"""What answers back on a page: its script and style where they are used, and figures in pages of prose.

    ```{live} welcome.draw_the_price
    ```

shows what a function of `memwall_figures` returns: a live figure, a guess, a sentence to drag.
"""

from __future__ import annotations

import importlib
import os
import re
from pathlib import Path
from typing import Any

import rcssmin
import rjsmin
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import memwall
from memwall.core.nouns import suggest

FILES = {"reader.js": rjsmin.jsmin, "reader.css": rcssmin.cssmin}
FOLDER = Path(memwall.__file__).parent / "views" / "reader"
# blocks and pictures of memwall.views.reader, as they stand in a page
USED = re.compile(r'class="mw-(?:reader|sentence)\b|"kind":"(?:Sketch|Machine)"')
# what screen readers would be told wrongly: entries of a list that are none, a name unlike the words shown
WORDS = {
    'role="doc-biblioentry"': 'role="listitem"',
    '<summary aria-label="Toggle hidden content">': "<summary>",
}


class Live(SphinxDirective):
    """The directive: module and function of `memwall_figures`."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        module, _, name = self.arguments[0].partition(".")
        found = importlib.import_module(f"memwall_figures.{module}")
        if not callable(getattr(found, name, None)):
            raise self.error(
                f"memwall_figures.{module} has no {name!r}.{suggest(name, vars(found))}"
            )
        for path in [found.__file__, *map(str, FOLDER.parent.rglob("*.py"))]:
            self.env.note_dependency(str(path))
        shown = getattr(found, name)()
        if hasattr(shown, "_repr_html_"):
            return [nodes.raw("", shown._repr_html_(), format="html")]
        bundle = shown._repr_mimebundle_()
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        return [nodes.raw("", data["text/html"], format="html")]


def minify(app: Sphinx, config: Any) -> None:
    folder = Path(app.outdir).parent / "static"
    folder.mkdir(parents=True, exist_ok=True)
    for name, minified in FILES.items():
        (folder / name).write_text(minified((FOLDER / name).read_text("utf-8")), "utf-8")
    place = os.path.relpath(folder, app.confdir)
    if place not in config.html_static_path:
        config.html_static_path.append(place)


def where_used(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    for theirs, ours in WORDS.items():
        context["body"] = context.get("body", "").replace(theirs, ours)
    if USED.search(context["body"]):
        app.add_js_file("reader.js")
        app.add_css_file("reader.css")


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("live", Live)
    app.connect("config-inited", minify, priority=200)
    # before memwall_site sorts the scripts of a page
    app.connect("html-page-context", where_used, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
