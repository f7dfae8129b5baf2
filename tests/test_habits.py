"""Habits that keep the book good: what a reviewer would otherwise have to remember."""

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PROSE = [*NOTEBOOKS, *sorted((ROOT / "book").glob("*.md"))]
BONES = ("Guess first", "Where the model breaks", "Exercises", "Takeaways", "Sources")


def cells(path):
    return json.loads(path.read_text("utf-8"))["cells"]


def text(path):
    if path.suffix == ".md":
        return path.read_text("utf-8")
    return "\n".join("".join(c["source"]) for c in cells(path) if c["cell_type"] == "markdown")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_holds_no_images_and_no_machine(path):
    raw = path.read_text("utf-8")
    assert "image/png" not in raw and "image/svg" not in raw
    assert not re.search(r"/(?:home|root|Users|work|tmp)/\w", raw)
    assert path.stat().st_size < 200_000


def calls_a_live_figure(chapter, code):
    drawn = (ROOT / "book" / "figures" / f"{chapter}.py").read_text("utf-8")
    live = re.findall(r"^def (\w+)\([^)]*\) -> (?:Explorer|PlannerPage):", drawn, re.M)
    return any(f"draw.{name}(" in code for name in live)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_chapter_has_its_bones(path):
    headings = re.findall(r"^##? (.+)$", text(path), re.M)
    assert "?" in headings[0], "a chapter's title asks its question"
    for bone in BONES:
        assert any(bone.lower() in h.lower() for h in headings), f"{path.stem} lacks {bone!r}"
    assert text(path).count("<summary>") + sum("hide-cell" in c["metadata"].get("tags", []) for c in cells(path)) >= 6  # fmt: skip
    code = "\n".join("".join(c["source"]) for c in cells(path) if c["cell_type"] == "code")
    assert code.count("assert ") >= 5, "claims are asserted"
    assert calls_a_live_figure(path.stem[3:], code)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_shows_its_code(path):
    """What only draws stands in book/figures; a reader sees most of the rest, in short cells."""
    folded = {"hide-input", "hide-cell", "remove-cell", "remove-input"}
    hidden, seen = [], []
    for cell in cells(path):
        if cell["cell_type"] == "code":
            away = folded & {*cell["metadata"].get("tags", [])}
            lines = sum(bool(line.strip()) for line in cell["source"])
            (hidden if away else seen).append(lines)
    assert sum(hidden) <= 0.35 * (sum(hidden) + sum(seen))
    assert max(seen) <= 8


def test_every_reference_is_cited_and_every_citation_exists():
    keys = set(
        re.findall(r"^@\w+\{([^,]+),", (ROOT / "book" / "references.bib").read_text("utf-8"), re.M)
    )
    cited = {
        k.strip()
        for p in PROSE
        for group in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", text(p))
        for k in group.split(",")
    }
    assert keys - cited == set(), "never cited"
    assert cited - keys == set(), "not in references.bib"


def test_every_glossary_term_is_used_in_a_chapter():
    glossary = (ROOT / "book" / "glossary.md").read_text("utf-8")
    block = re.search(r"```\{glossary\}\n(.*?)```", glossary, re.S)[1]
    terms = [line for line in block.splitlines() if line and not line.startswith(" ")]
    assert len(terms) > 20
    chapters = " ".join(" ".join(text(p) for p in NOTEBOOKS).lower().split())
    assert [t for t in terms if t.lower() not in chapters] == []


def test_the_library_is_tracked_by_git():
    assert "lib/" not in (ROOT / ".gitignore").read_text("utf-8").split()


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) < 120


def test_every_package_is_built():
    about = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    inside = {
        ".".join(p.parent.relative_to(ROOT / "lib").parts)
        for p in (ROOT / "lib").rglob("__init__.py")
    }
    assert {*about["packages"]} == inside | {"memwall_figures"}
