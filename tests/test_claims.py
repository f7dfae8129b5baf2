"""The audit is complete, well-formed and printed as promised."""

import csv
import io
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from memwall import InputError, claims
from memwall.core.chapters import chapter

ROOT = Path(__file__).parent.parent
ROWS = {"B": 23, "R": 22, "S": 10, "M": 21, "P": 26, "X": 28, "L": 20, "F": 13}


def test_every_row_of_the_ledger_is_answered():
    wanted = {f"{letter}{n}" for letter, last in ROWS.items() for n in range(1, last + 1)}
    assert len(wanted) == 163
    assert {c.id for c in claims.all_claims()} == wanted


@pytest.mark.parametrize("entry", claims.all_claims(), ids=lambda c: c.id)
def test_a_claim_is_computed_and_reasoned(entry):
    value, verdict = entry.computed(), entry.verdict()
    assert verdict in claims.VERDICTS
    assert (value is None) == (verdict == "prose")
    assert entry.where.partition("#")[2], "where must name a heading"
    if verdict in ("differs", "outdated", "close", "prose"):
        assert entry.reason
    if isinstance(value, float):
        assert abs(value) < 1e40


def test_csv_is_what_the_design_promises():
    done = subprocess.run(
        [sys.executable, "-m", "memwall.claims", "--format", "csv"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert list(rows[0]) == ["id", "chapter", "claim", "stated", "computed", "unit", "verdict", "where"]  # fmt: skip
    for row in rows:
        if row["verdict"] == "prose":
            assert row["computed"] == ""
        elif row["computed"] not in ("true", "false"):
            float(row["computed"])


def test_rows_and_answers_match_one_to_one():
    computed = {c.id for c in claims.all_claims() if c.verdict() != "prose"}
    assert set(claims.answers()) == computed


def test_a_row_says_its_chapter_once():
    for c in claims.all_claims():
        assert c.where.partition("#")[0] == chapter(c.id[0]).page


ROW = {"id": "B1", "statement": "x", "stated": "1/3", "unit": "1", "verdict": "", "where": "x#y", "reason": ""}  # fmt: skip


def test_a_row_is_read_to_the_letter():
    assert claims.Claim.from_row(ROW).stated == 1 / 3
    assert claims.Claim.from_row(ROW | {"stated": "2e14"}).stated == 200e12
    assert claims.Claim.from_row(ROW | {"stated": "true"}).stated is True
    assert claims.Claim.from_row(ROW | {"stated": ""}).stated is None


def test_a_bad_claim_is_refused():
    with pytest.raises(InputError, match="ledger"):
        claims.Claim.from_row(ROW | {"id": "Z1"})
    with pytest.raises(InputError, match="reason"):
        claims.Claim.from_row(ROW | {"verdict": "agrees"})
    with pytest.raises(InputError, match="among"):
        claims.Claim.from_row(ROW | {"verdict": "maybe", "reason": "none"})
    with pytest.raises(InputError, match="no claim"):
        claims.get("B99")
    with pytest.raises(InputError, match="no number"):
        claims.stated("B2")


def test_a_chapters_claims_are_folded_under_what_they_come_to():
    made = claims.of_chapter(3)._repr_html_()
    assert made.startswith("<details><summary>10 claims: ") and made.endswith("</details>")
    assert 'id="claim-S3"' in made and " agrees" in made


def test_every_code_in_the_book_is_an_assumption_with_its_size():
    listed = {a["code"] for a in claims.assumptions() if a["assumption"] and a["size"]}
    assert listed == {f"d{n}" for n in range(1, 29)}
    texts = [p.read_text("utf-8") for p in (*ROOT.glob("book/figures/*.py"), *ROOT.glob("notebooks/*.ipynb"))]  # fmt: skip
    named = {code for t in texts for brackets in re.findall(r"\(d\d+(?:, d\d+)*\)", t) for code in re.findall(r"d\d+", brackets)}  # fmt: skip
    assert named and named <= listed


def test_codes_in_brackets_lead_to_the_list(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "book" / "_ext"))
    nodes = pytest.importorskip("docutils.nodes")
    from memwall_reference import link_assumptions

    text = nodes.paragraph("", "left out (d5), where 1 < 2")
    code = nodes.literal_block("", "f(d5)  # (d5)")
    cells = nodes.raw("", '<div class="mw-table"><td>free (d5, d8)</td></div>', format="html")
    page = nodes.section("", text, code, cells)
    builder = SimpleNamespace(format="html", get_relative_uri=lambda *_: "../book/notation.html")
    link_assumptions(SimpleNamespace(builder=builder), page, "notebooks/02_roofline")
    drawn = [n.astext() for n in page.findall(nodes.raw)]
    link = '<a href="../book/notation.html#d{0}">d{0}</a>'
    assert drawn[0] == f"left out ({link.format(5)}), where 1 &lt; 2"
    assert f"free ({link.format(5)}, {link.format(8)})" in drawn[1]
    assert page.children[1].astext() == "f(d5)  # (d5)"
