"""Tables: text stays text in every way of showing it, and a page's table can be used by all."""

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memwall import InputError
from memwall.views.table import beside, cell, code, link, linked, marked, math, strong, table


def shown(made):
    return made._repr_html_(), made._repr_markdown_(), repr(made)


def test_three_ways_of_showing_a_table():
    page, markdown, terminal = shown(table(("name", "size"), [("a", 1.5), ("b", None)], "Two rows"))
    assert ET.fromstring(page).attrib == {
        "class": "mw-table", "tabindex": "0", "role": "region", "aria-label": "Two rows",
    }  # fmt: skip
    assert "<caption>Two rows</caption>" in page and '<th scope="col">name</th>' in page
    assert "<td>1.5</td>" in page and "<td></td>" in page
    assert markdown == "Two rows\n\n| name | size |\n| --- | --- |\n| a | 1.5 |\n| b |  |"
    assert terminal == "Two rows\nname  size\na     1.5\nb"


def test_dictionaries_are_rows_too():
    rows = [{"a": 1, "b": 2}, {"b": 3}]
    assert repr(table(None, rows)) == "a  b\n1  2\n   3"
    assert repr(table(("b",), rows)) == "b\n2\n3"
    assert repr(table(("a",), [])) == "a"


def test_a_row_has_a_head_and_what_scripts_look_for():
    page = table(
        ("", "says"), [("B1", "x")], heads=True, kind="mw-claims", id="card", label="All", notes=["<n>"],
        row_attributes=[{"data-verdict": "close"}],
    )._repr_html_()  # fmt: skip
    assert '<tr data-verdict="close"><th scope="row">B1</th><td>x</td></tr>' in page
    assert (
        '<table id="card">' in page and 'class="mw-claims"' in page and 'aria-label="All"' in page
    )
    assert "<thead><tr><td></td>" in page, "an empty corner heads nothing"
    assert "<p>&lt;n&gt;</p>" in page


def test_more_than_text_says_so():
    assert strong("a<b").html == "<b>a&lt;b</b>" and strong("x").markdown == "**x**"
    assert code("a_b").markdown == "`a_b`" and code("<").html == "<code>&lt;</code>"
    assert link("there", "x.html?a&b").html == '<a href="x.html?a&amp;b">there</a>'
    assert link("a|b", "x").markdown == r"[a\|b](x)"
    assert math("k").html == '<span class="math notranslate nohighlight">\\(k\\)</span>'
    assert math("k").markdown == "$k$"
    assert marked("close", "verdict").html == '<span class="verdict">close</span>'
    assert beside(strong("a"), "", "b<").html == "<b>a</b> b&lt;"
    assert linked("see https://x.org/a; <b>").html == 'see <a href="https://x.org/a">https://x.org/a</a>; &lt;b&gt;'  # fmt: skip


def test_a_row_that_does_not_fit_is_refused():
    with pytest.raises(InputError, match="3 cells under 2 columns"):
        table(("a", "b"), [(1, 2, 3)])


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20))
def test_text_is_never_read_as_markup(text):
    page, markdown, _ = shown(table(("a", "b"), [(text, "end")]))
    (found,) = re.findall(r"<tbody><tr><td>(.*)</td><td>end</td></tr></tbody>", page, re.S)
    assert (ET.fromstring(f"<p>{found}</p>").text or "") == text
    last = markdown.splitlines()[-1]
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", last)) == 3, "a bar in a cell does not end it"
    assert not re.search(r"(?<!\\)(?:\\\\)*[*_$`]", last)


def test_human_money_is_not_mathematics():
    assert cell("$0.31 to $0.40").markdown == r"\$0.31 to \$0.40"


def test_a_row_of_many_cells_names_them_for_a_phone():
    wide = table(("a", "b", "c", "d"), [(1, 2, 3, 4)])._repr_html_()
    assert 'class="mw-table mw-folds"' in wide
    assert '<td data-head="a">1</td><td data-head="b">2</td><td data-head="c">3</td>' in wide
    for columns in ("abc", "abcdefghi"):  # room enough, and too many to stand below each other
        assert "mw-folds" not in table(tuple(columns), [tuple(columns)])._repr_html_()
    assert "mw-folds" not in table(("a", "b", "", "d"), [(1, 2, 3, 4)])._repr_html_()
