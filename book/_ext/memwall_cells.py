"""How a notebook's cells stand on a page: code under one small word, what is printed as sentences or a table.

In a notebook, and in print, the same cells are open.
"""

from __future__ import annotations

import html
import re
from typing import Any

from docutils import nodes
from myst_nb.core import render
from myst_nb.core.utils import coalesce_streams
from nbformat import NotebookNode
from sphinx.application import Sphinx

from memwall.views.table import table

GAP = re.compile(r"\s{2,}")


def answer(printed: str, place: int = 1) -> str:
    """Printed text for a reader: a table if its lines fall into the same columns, two blanks apart, and
    sentences otherwise. What is aligned in a way of its own stays as it is: then the answer is empty.

    place: which printed text of its page it is, for no two tables there may have one name.

    >>> answer("racks  measured\\n    1     0.000\\n    2     0.501").count("<tr>")
    3
    >>> answer("V3    reads 7 B\\nV3.2  reads 8 B\\nV4    reads 9 B").count("<tr>")
    4
    >>> answer("floor 5 ms\\nforecast 9 ms")
    '<div class="mw-answer"><p>floor 5 ms</p><p>forecast 9 ms</p></div>'
    >>> answer("[[ 6 14]\\n [15  9]]")
    ''
    """
    lines = [line.strip() for line in printed.strip("\n").split("\n")]
    rows = [GAP.split(line) for line in lines]
    wide = {len(row) for row in rows}
    if len(rows) > 1 and len(wide) == 1 and wide != {1}:
        # heads are words above numbers
        columns = (
            [bool(re.search(r"\d", text)) for text in each] for each in zip(*rows, strict=True)
        )
        headed = len(rows) > 2 and any(not first and all(rest) for first, *rest in columns)
        head, body = (rows[0], rows[1:]) if headed else ([""] * wide.pop(), rows)
        return table(head, body, label=f"Printed table {place}", heads=True)._repr_html_()
    if (len(rows) > 1 and max(wide) > 1) or printed.startswith("["):
        return ""
    said = "".join(f"<p>{html.escape(', '.join(row), quote=False)}</p>" for row in rows)
    return f'<div class="mw-answer">{said}</div>'


def set_cells(app: Sphinx, doctree: nodes.document) -> None:
    for cell in doctree.findall(nodes.container):
        if cell.get("nb_element") != "cell_code" or cell.get("hide_mode") == "all":
            continue
        cell.attributes.pop("hide_mode", None)
        source = cell.children[0] if cell.children else None
        if source is not None and source.get("nb_element") == "cell_code_source":
            opening = '<details class="mw-code"><summary>Code</summary>'
            cell.insert(0, nodes.raw("", opening, format="html"))
            cell.insert(2, nodes.raw("", "</details>", format="html"))
    blocks = [b for b in doctree.findall(nodes.literal_block) if "stream" in b["classes"]]
    for place, printed in enumerate(blocks, 1):
        made = answer(printed.astext(), place)
        if made and app.builder.format == "html":
            printed.parent.replace(printed, nodes.raw("", made, format="html"))


def whole_streams(outputs: list[Any]) -> list[Any]:
    """Printed text in one piece, for `nb_merge_streams` starts a line at each piece.

    A kernel sends what is printed every fifth of a second, in the middle of a line too.
    """
    whole: list[Any] = []
    for output in outputs:
        if whole and "name" in output and output["name"] == whole[-1].get("name"):
            whole[-1] = {**whole[-1], "text": whole[-1]["text"] + output["text"]}
        else:
            whole.append(output)
    return coalesce_streams([NotebookNode(o) for o in whole])


def setup(app: Sphinx) -> None:
    render.coalesce_streams = whole_streams
    app.connect("doctree-read", set_cells)
