"""What the book needs beyond Jupyter Book: tables made from the library, and the live figures' files.

    ```{memwall} chips
    ```

inserts a table made from the catalog; `{{ name }}` in a page of prose inserts a number made by
the library. Pages that use a table are rebuilt when the library's data change.
"""

from __future__ import annotations

import html
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import memwall_cells
import memwall_front
import memwall_site
import rcssmin
import rjsmin
import yaml
from docutils import nodes
from memwall_figures import measured, ten_minutes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import memwall
from memwall import catalog, claims, nouns
from memwall.core import chapters
from memwall.formulas import all_formulas
from memwall.views.table import code, link, linked, math, strong, table
from memwall_reference import api, errata, link_assumptions, link_first_uses

LIBRARY = Path(memwall.__file__).parent
LIVE_FIGURES = {"explorer.js": rjsmin.jsmin, "explorer.css": rcssmin.cssmin}


def facts(name: str) -> str:
    """Every row of a data file, source and date included."""
    rows = catalog.table(name)
    columns = [c for c in rows[0] if c not in ("url", "source", "date", "retrieved", "confidence")]
    body = [
        (
            *(linked(row[c]) for c in columns),
            link(row["source"], row["url"]),
            linked(f"{row['date']}, {row['confidence']}"),
        )
        for row in rows
    ]
    head = [c.replace("_", " ") for c in columns] + ["source", "date, confidence"]
    return table(head, body, label=f"{name}: all rows with their sources")._repr_html_()


def symbols() -> str:
    """The blackboard's letters: every field of the nouns with symbol, unit and meaning."""
    import dataclasses

    rows = [
        (
            math(f.metadata["latex"]),
            f.metadata["meaning"],
            code(units[f.name].symbol),
            code(f"{noun.__name__}.{f.name}"),
        )
        for noun in (nouns.Model, nouns.System, catalog.Chip, catalog.MemoryDevice)
        for units in [noun.quantities()]
        for f in dataclasses.fields(noun)
        if f.name in units
    ]
    head = ("symbol", "meaning", "unit", "in the library")
    return table(head, rows, label="Symbols and units")._repr_html_()


def filtered(
    listed: Any,
    kinds: dict[str, int],
    legend: str,
    choices: dict[str, tuple[str, dict[str, str]]],
    rows: str,
) -> str:
    """A table under a form that hides rows: by what is ticked (`data-verdict`), and by what is chosen in
    lists, each by its attribute's name: the words beside it, and its options.
    """
    ticks = "".join(
        f'<label><input type="checkbox" checked value="{v}"> {v} <b>{n}</b></label>'
        for v, n in kinds.items()
    )
    lists = ""
    for name, (words, options) in choices.items():
        listing = "".join(
            f'<option value="{html.escape(v)}">{html.escape(t)}</option>'
            for v, t in options.items()
        )
        lists += f'<label>{words} <select name="{name}"><option value="">all</option>{listing}</select></label>'
    return (
        f'<form class="mw-filter" data-table="{listed.id}" data-rows="{rows}" aria-label="Filter the {rows}">'
        f"<fieldset><legend>{legend}</legend>{ticks}</fieldset>"
        f'{lists}<output aria-live="polite">{len(listed.rows)} {rows}</output></form>'
        + listed._repr_html_()
    )


def scorecard() -> str:
    """All claims with their verdicts, counted and filterable."""
    entries = claims.all_claims()
    counts = {v: sum(c.verdict() == v for c in entries) for v in claims.VERDICTS}
    listed = table(
        claims.COLUMNS, (claims.row(c, "../notebooks/") for c in entries), label="All claims", heads=True,
        kind="mw-claims", id="mw-scorecard",
        row_attributes=({"data-verdict": c.verdict(), "data-chapter": c.chapter} for c in entries),
    )  # fmt: skip
    audited = {
        str(c.number): f"Chapter {c.number}: {c.title}" for c in chapters.chapters() if c.letter
    }
    return filtered(listed, counts, "Verdict", {"chapter": ("Chapter", audited)}, "claims")


def accuracy() -> str:
    """Every cell of published runs, forecast over measured, counted and filterable."""
    listed = measured.accuracy()
    found = [a["data-verdict"] for a in listed.row_attributes]
    counts = {v: found.count(v) for v in measured.HELD}
    choices = {}
    for name, words in measured.CHOICES.items():
        options = sorted({a[f"data-{name}"] for a in listed.row_attributes} - {""})
        choices[name] = words, {one: one for one in options}
    return filtered(listed, counts, "The band", choices, "cells")


def assumptions() -> str:
    """The assumptions by their codes, each a place that a chapter's code leads to."""
    entries = claims.assumptions()
    return table(
        ("code", "assumption", "size of the error"),
        ((e["code"], e["assumption"], e["size"]) for e in entries),
        label="Assumptions", heads=True, row_attributes=({"id": e["code"]} for e in entries),
    )._repr_html_()  # fmt: skip


def verdicts() -> str:
    """What each verdict means."""
    rows = ((strong(verdict), meaning) for verdict, meaning in claims.VERDICTS.items())
    return table(("verdict", "meaning"), rows, label="Verdicts")._repr_html_()


def citation() -> str:
    """`CITATION.cff` as a sentence and as BibTeX."""
    cff = yaml.safe_load((LIBRARY.parents[1] / "CITATION.cff").read_text("utf-8"))
    authors = " and ".join(a.get("name") or a["given-names"] for a in cff["authors"])
    year = str(cff["date-released"])[:4]
    said = f"{authors} ({year}). {cff['title']}. Version {cff['version']}."
    fields = {
        "title": f"{{{cff['title']}}}", "author": f"{{{authors}}}", "year": year,
        "version": cff["version"], "license": cff["license"],
    }  # fmt: skip
    inside = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    bibtex = f"@software{{memwall{year},\n{inside}}}"
    return f'<p>{html.escape(said)}</p><pre class="mw-wrap">{html.escape(bibtex)}</pre>'


TABLES = {
    "assumptions": assumptions,
    "citation": citation,
    "symbols": symbols,
    "api": api,
    "errata": errata,
    "scorecard": scorecard,
    "accuracy": accuracy,
    "coverage": lambda: measured.coverage()._repr_html_(),
    "verdicts": verdicts,
    "welcome-figure": memwall_front.welcome_figure,
}


MATH = re.compile(
    r'<(div|span) class="math notranslate nohighlight">\\[\[(](.*?)\\[\])]</\1>', re.S
)


def with_math(made: str) -> Iterator[nodes.Node]:
    """HTML as nodes, its equations as real math nodes, so that Sphinx loads what typesets them."""
    pieces = MATH.split(made)
    yield nodes.raw("", pieces[0], format="html")
    for tag, latex, rest in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
        text = html.unescape(latex)
        if tag == "div":
            yield nodes.math_block(text, text, nowrap=False, number=None, label=None)
        else:
            yield nodes.math(text, text)
        yield nodes.raw("", rest, format="html")


class MemwallTable(SphinxDirective):
    """The directive: the name of one of `TABLES`, or of a data file."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        for path in [*LIBRARY.rglob("*.csv"), *LIBRARY.rglob("*.py")]:
            self.env.note_dependency(str(path))
        name = self.arguments[0]
        if name == "cards":
            self.env.note_dependency(str(Path(self.env.app.confdir, "_toc.yml")))
            made = memwall_front.cards(self.env.found_docs)
        else:
            made = TABLES[name]() if name in TABLES else facts(name)
        return [*with_math(made)]


def numbers() -> dict[str, Any]:
    """Numbers that pages of prose print with {{ name }}; those of the ten minutes with {{ minutes.name }}."""
    entries = claims.all_claims()
    return {
        "claims": str(len(entries)),
        "checked": str(sum(c.computed() is not None for c in entries)),
        "off": str(sum(c.verdict() in ("differs", "outdated") for c in entries)),
        "chips": str(len(catalog.chips())),
        "models": str(len(catalog.models())),
        "formulas": str(len(all_formulas())),
        "minutes": ten_minutes.said(),
        **{c.id: claims.printed(c.computed(), c.unit) for c in entries},
    }


def configure(app: Sphinx, config: Any) -> None:
    config.myst_substitutions = {**config.myst_substitutions, **numbers()}


def minify_live_figures(app: Sphinx, config: Any) -> None:
    """The live figures' script and style, without their comments, as the book's own static files."""
    folder = Path(app.outdir).parent / "static"
    folder.mkdir(parents=True, exist_ok=True)
    for name, minified in LIVE_FIGURES.items():
        text = minified((LIBRARY / "views" / "explorer" / name).read_text("utf-8"))
        (folder / name).write_text(text, "utf-8")
    config.html_static_path.append(os.path.relpath(folder, app.confdir))


def open_chapter(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """A chapter's page opens with its question and a picture."""
    chapter = re.match(r"notebooks/(\d\d)_", page)
    if chapter and app.builder.format == "html":
        title = next(iter(doctree.findall(nodes.title)))
        picture = nodes.raw("", memwall_front.opening(int(chapter[1])), format="html")
        title.parent.insert(title.parent.index(title) + 1, picture)


def setup(app: Sphinx) -> dict[str, Any]:
    memwall_site.setup(app)
    memwall_cells.setup(app)
    app.add_directive("memwall", MemwallTable)
    app.connect("config-inited", configure, priority=100)
    app.connect("doctree-resolved", link_first_uses)
    app.connect("doctree-resolved", link_assumptions)
    app.connect("doctree-resolved", open_chapter)
    app.connect("config-inited", minify_live_figures)
    # not deferred: a figure starts where it stands, while the rest of its page still loads
    app.add_js_file("explorer.js")
    app.add_css_file("explorer.css")
    app.add_css_file("book.css")
    app.add_js_file("book.js", loading_method="defer")
    return {"version": memwall.__version__, "parallel_read_safe": True, "parallel_write_safe": True}
