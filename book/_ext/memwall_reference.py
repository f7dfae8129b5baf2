"""The reference pages, made from the code: the formulas typeset, the slips of the lecture, the glossary's links."""

from __future__ import annotations

import html
import inspect
import re
import typing
from typing import Any

from docutils import nodes

import memwall.formulas
from memwall import claims
from memwall.core.algebra import variable
from memwall.core.chapters import chapters
from memwall.core.checkpoint import Checkpoint
from memwall.core.units import Unit
from memwall.formulas import all_formulas
from memwall.views.table import beside, table


def equation(function: Any) -> str:
    """The formula's algebra, from calling it with symbols: never typed a second time."""
    import sympy

    hints = typing.get_type_hints(function, include_extras=True)
    arguments: dict[str, Any] = {}
    for name, unit in function.units.items():
        if name == "return":
            continue
        if unit is not None:
            arguments[name] = variable(name)
        else:
            noun = hints[name]
            names = {"name": "x", "tier": "x"}
            given = {
                k: v
                for k, v in names.items()
                if k in inspect.signature(noun).parameters and k not in noun.quantities()
            }
            arguments[name] = noun.symbolic(**given)
    return sympy.latex(sympy.sympify(function(**arguments)))


def typeset(function: Any, parts: dict[str, str]) -> str:
    """The equation as mathematics; of a checkpoint, whose sum has a term a layer kind, in words."""
    hints = typing.get_type_hints(function, include_extras=True)
    if Checkpoint in hints.values():
        return f'<p class="mw-in-words">{html.escape(parts["Equation"])}</p>'
    return (
        f'<div class="math notranslate nohighlight">\\[{html.escape(equation(function))}\\]</div>'
    )


def sections(function: Any) -> dict[str, str]:
    """A docstring cut into its summary and its labelled parts."""
    text = (inspect.getdoc(function) or "").split(">>>")[0]
    parts = re.split(r"\n\s*(Equation|Ignores|Raises|Source):", "\n" + text)
    found = {"summary": " ".join(parts[0].split())}
    for label, body in zip(parts[1::2], parts[2::2], strict=True):
        found[label] = " ".join(body.split())
    return found


def unit_text(unit: Unit | None, hint: Any) -> str:
    return unit.symbol if unit else getattr(hint, "__name__", "")


def api() -> str:
    """Every formula by module: signature with units, the algebra, the docstring's parts, the chapter."""
    by_module: dict[str, list[tuple[str, Any]]] = {}
    for name, function in all_formulas().items():
        by_module.setdefault(name.split(".")[0], []).append((name, function))
    out = []
    for chapter, module in ((c, m) for c in chapters() for m in c.modules if m in by_module):
        where = (
            f' Taught in <a href="../notebooks/{chapter.page}.html">chapter {chapter.number}</a>.'
        )
        summary = (getattr(memwall.formulas, module).__doc__ or "").split("\n")[0]
        out.append(
            f'<section id="module-{module}"><h2>memwall.{module}</h2><p>{html.escape(summary)}{where}</p>'
        )
        for name, function in by_module[module]:
            hints = typing.get_type_hints(function, include_extras=True)
            signature = ", ".join(
                f"{a}: {unit_text(u, hints[a])}" for a, u in function.units.items() if a != "return"
            )
            parts = sections(function)
            listed = "".join(
                f"<dt>{k}</dt><dd>{html.escape(parts[k])}</dd>"
                for k in ("Ignores", "Raises", "Source")
                if k in parts
            )
            short = name.split(".")[1]
            out.append(
                f'<section class="mw-formula" id="{name}"><h3><code>{short}</code></h3>'
                f"<p><code>{short}({html.escape(signature)}) → {function.units['return'].symbol}</code></p>"
                f"<p>{html.escape(parts['summary'])}</p>"
                f"{typeset(function, parts)}"
                f"<dl>{listed}</dl></section>"
            )
        out.append("</section>")
    return "".join(out)


def errata() -> str:
    """The rows where lecture and arithmetic part, with by how much and why."""
    rows = []
    for c in claims.all_claims():
        if c.verdict() not in ("differs", "outdated"):
            continue
        value, off = c.computed(), ""
        if (
            isinstance(value, float)
            and isinstance(c.stated, int | float)
            and c.stated
            and not isinstance(c.stated, bool)
        ):
            off = f"{value / c.stated:.3g}×"
        *cells, _ = claims.row(c, "../notebooks/")
        rows.append((*cells, beside(off, c.reason)))
    head = (*claims.COLUMNS[:-1], "By how much, and why")
    return table(head, rows, label="Rows that differ", heads=True, kind="mw-claims")._repr_html_()


def link_first_uses(app: Any, doctree: nodes.document, page: str) -> None:
    """Link the first use of each glossary term in a chapter to its definition."""
    if not page.startswith("notebooks/"):
        return
    domain = app.env.get_domain("std")
    terms = {
        name: (doc, anchor)
        for (kind, name), (doc, anchor) in domain.objects.items()
        if kind == "term"
    }
    waiting = dict(sorted(terms.items(), key=lambda item: -len(item[0])))
    for text in list(doctree.findall(nodes.Text)):
        if not waiting:
            return
        if any(
            isinstance(
                p,
                nodes.reference
                | nodes.literal
                | nodes.literal_block
                | nodes.title
                | nodes.raw
                | nodes.math,
            )
            for p in _parents(text)
        ):
            continue
        for term, (doc, anchor) in waiting.items():
            found = re.search(rf"\b{re.escape(term)}s?\b", text.astext(), re.I)
            if found:
                uri = app.builder.get_relative_uri(page, doc) + "#" + anchor
                before, after = text.astext()[: found.start()], text.astext()[found.end() :]
                link = nodes.reference("", found[0], refuri=uri, internal=True, classes=["mw-term"])
                text.parent.replace(text, [nodes.Text(before), link, nodes.Text(after)])
                del waiting[term]
                break


IN_BRACKETS = re.compile(r"\(d\d+(?:, d\d+)*\)")


def link_assumptions(app: Any, doctree: nodes.document, page: str) -> None:
    """Codes in brackets, (d7) or (d5, d8), lead to the list of assumptions."""
    if not page.startswith("notebooks/") or app.builder.format != "html":
        return
    listed = app.builder.get_relative_uri(page, "book/notation")

    def linked(brackets: re.Match[str]) -> str:
        return re.sub(r"d\d+", rf'<a href="{listed}#\g<0>">\g<0></a>', brackets[0])

    def with_links(made: str) -> nodes.raw:
        return nodes.raw("", IN_BRACKETS.sub(linked, made), format="html")

    # a table that a cell made is HTML already; what an author wrote is text
    for table_ in list(doctree.findall(nodes.raw)):
        if table_.get("format") == "html" and "mw-table" in table_.astext():
            table_.replace_self(with_links(table_.astext()))
    elsewhere = nodes.raw | nodes.reference | nodes.literal | nodes.literal_block
    for text in list(doctree.findall(nodes.Text)):
        if IN_BRACKETS.search(text) and not any(isinstance(p, elsewhere) for p in _parents(text)):
            text.parent.replace(text, with_links(html.escape(text.astext(), quote=False)))


def _parents(node: nodes.Node) -> typing.Iterator[nodes.Node]:
    while node.parent is not None:
        node = node.parent
        yield node
