"""The table of chapters, and everything that follows it: contents, README, claims, pictures, modules."""

import pkgutil
import re
from collections import Counter
from pathlib import Path

import pytest
import yaml
from memwall_figures import ten_minutes, welcome

from memwall import InputError, experiments, formulas
from memwall.core.chapters import chapter, chapters

ROOT = Path(__file__).parent.parent


def test_numbers_run_from_one_without_a_gap():
    assert [c.number for c in chapters()] == list(range(1, len(chapters()) + 1))
    assert len({c.slug for c in chapters()}) == len(chapters())


def test_every_module_belongs_to_exactly_one_chapter():
    built = Counter(
        m.name for room in (formulas, experiments) for m in pkgutil.iter_modules(room.__path__)
    )
    assert Counter(m for c in chapters() for m in c.modules) == built


def test_the_contents_page_lists_the_chapters_in_order():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    files = [c["file"] for part in toc["parts"] for c in part["chapters"]]
    pages = [f"notebooks/{c.page}" for c in chapters()]
    assert [f for f in files if f.startswith("notebooks/")] == pages
    assert all((ROOT / f"{page}.ipynb").exists() for page in pages)


def test_what_moved_is_found_at_its_new_address_in_one_go():
    text = (ROOT / "book" / "redirects.csv").read_text("utf-8")
    moved = dict(line.split(",") for line in text.split()[1:])
    there = [{(ROOT / f"{page}.{kind}").exists() for kind in ("ipynb", "md")} for page in moved]
    assert there == [{False}] * len(moved), "an old address is a page again"
    for new in moved.values():
        assert (ROOT / f"{new}.ipynb").exists() or (ROOT / f"{new}.md").exists(), new


def test_readme_prints_the_table():
    rows = [f"| {c.number} {c.title} | {c.question} |" for c in chapters()]
    assert "| chapter | question |\n|---|---|\n" + "\n".join(rows) + "\n\n" in (ROOT / "README.md").read_text("utf-8")  # fmt: skip


def test_every_chapter_has_a_picture_and_a_file_of_figures():
    assert [c.picture for c in chapters()] == list(welcome.PICTURES)
    pages = {"__init__", "welcome", "ten_minutes"}
    drawn = {p.stem for p in Path(welcome.__file__).parent.glob("*.py")} - pages
    assert drawn <= {c.slug for c in chapters()}


def test_a_chapter_is_found_by_number_module_or_letter():
    assert chapter(1) is chapter("B") is chapter("batching")
    for wrong in (0, 99, "", "Z"):
        with pytest.raises(InputError, match="no chapter"):
            chapter(wrong)


def test_the_ten_minutes_print_each_number_and_link_each_chapter():
    text = (ROOT / "book" / "ten_minutes.md").read_text("utf-8")
    assert set(re.findall(r"{{ minutes\.(\w+) }}", text)) == ten_minutes.said().keys()
    assert all(f"../notebooks/{c.page}.ipynb" in text for c in chapters() if c.number <= 11)
    assert len(re.findall(r"^```\{live\}", text, re.M)) == 6
