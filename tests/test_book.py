"""The built book in a real browser, with the network cut: what a reader receives.

Needs `make book` first; `make test` does that.
"""

import html
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

import memwall
from memwall import claims

HTML = Path(__file__).parent.parent / "_build" / "html"
MOVED = dict(row.split(",") for row in (Path(__file__).parent.parent / "book" / "redirects.csv").read_text("utf-8").split()[1:])  # fmt: skip
PAGES = sorted({str(p.relative_to(HTML)) for p in [*HTML.glob("book/*.html"), *HTML.glob("notebooks/*.html")]} - {f"{old}.html" for old in MOVED})  # fmt: skip
NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
DATA = Path(memwall.__file__).parent / "core" / "data"
CHAPTERS = [p for p in PAGES if p.startswith("notebooks/")]
pytestmark = pytest.mark.book


def test_the_book_is_built():
    assert len(CHAPTERS) >= 1, "run `make book` first"


@pytest.fixture(scope="module")
def visit(browser):
    """Opens a page from the file system, offline; collects what it asks for and complains about."""
    contexts = []

    def go(path, **options):
        context = browser.new_context(offline=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.asked, page.complaints = [], []
        page.on("request", lambda r: page.asked.append(r.url))
        page.on("pageerror", lambda e: page.complaints.append(str(e)))
        page.on("console", lambda m: page.complaints.append(m.text) if m.type == "error" else None)
        name, *query = path.split("?")
        page.goto("?".join([(HTML / name).as_uri(), *query]))
        page.wait_for_load_state("load")
        return page

    yield go
    for context in contexts:
        context.close()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_stands_alone(visit, path):
    page = visit(path)
    elsewhere = [u for u in page.asked if not u.startswith(("file:", "data:", "blob:"))]
    assert elsewhere == []
    assert page.complaints == []
    live = page.locator(".mw-explorer")
    for k in range(live.count()):
        assert live.nth(k).evaluate("e => Boolean(e.memwall)"), f"dead live figure {k} on {path}"
    assert page.locator("merror, .MathJax_Error, mjx-merror").count() == 0


@pytest.mark.parametrize("path", PAGES)
def test_no_sideways_scrolling_on_a_phone(visit, path):
    page = visit(path, viewport={"width": 360, "height": 740})
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 360


@pytest.mark.parametrize("path", PAGES)
def test_every_picture_says_what_it_shows(visit, path):
    page = visit(path)
    silent = page.evaluate(
        """() => [...document.querySelectorAll('article img, article svg')].filter(e =>
            !e.closest('[aria-hidden=true], .headerlink, button, a') &&
            !(e.getAttribute('alt') || e.getAttribute('aria-label') || e.getAttribute('aria-labelledby')
              || e.getAttribute('aria-hidden') || (e.parentElement.closest('[role=img][aria-label]')))
        ).map(e => e.outerHTML.slice(0, 160))"""
    )
    assert silent == []


@pytest.mark.parametrize("path", CHAPTERS)
def test_without_javascript_a_still_stands_there(visit, path):
    page = visit(path, java_script_enabled=False)
    live = page.locator(".mw-explorer, .mw-planner")
    assert live.count() >= 1, f"{path} has no live figure"
    for k in range(live.count()):
        assert live.nth(k).locator("figure, table").first.is_visible()


def test_known_answers_on_the_first_live_figure(visit):
    page = visit("notebooks/01_batching.html")
    figure = page.locator("#explorer-batching")

    def readouts(**values):
        for name, value in values.items():
            figure.evaluate("(e, [n, v]) => e.memwall.set(n, v)", [name, value])
        page.wait_for_timeout(60)
        return figure.evaluate("e => e.memwall.readouts()")

    # weights: 671e9 B / 576e12 B/s = 1.164930555... ms at a batch of one and no cache to speak of
    alone = readouts(batch=1, context=100)
    kv = 100 * 70272 / 576e12
    assert alone["step"] == pytest.approx(671 / 576e3 + kv, rel=1e-9)
    # arithmetic: 2 x 1e5 x 37e9 FLOP / (72 x 5e15 FLOP/s) = 20.5555... ms
    crowd = readouts(batch=1e5, context=100)
    assert crowd["step"] == pytest.approx(2e5 * 37e9 / 3.6e17, rel=1e-9)


def test_every_claim_leads_to_a_heading(visit):
    ids = {}
    for path in CHAPTERS:
        ids[Path(path).stem] = set(re.findall(r'id="([^"]+)"', (HTML / path).read_text("utf-8")))
    lost = []
    for c in claims.all_claims():
        page, _, anchor = c.where.partition("#")
        if anchor not in ids.get(page, ()):
            lost.append(f"{c.id}: {c.where}")
    assert lost == []


def test_every_link_inside_the_book_arrives():
    pages = {p: p.read_text("utf-8") for p in HTML.rglob("*.html")}
    ids = {p: set(re.findall(r'\bid="([^"]+)"', text)) for p, text in pages.items()}
    lost = []
    for page, text in pages.items():
        for link in re.findall(r'<a\b[^>]*\bhref="([^"]+)"', text):
            address, _, anchor = unquote(html.unescape(link)).partition("#")
            if re.match(r"[a-z]+:", address):
                continue
            target = (page.parent / address.partition("?")[0]).resolve() if address else page
            # what stands after a question mark is a live figure's state
            known = target.exists() and (not anchor or "?" in anchor or anchor in ids[target])
            if not known and page.name != "404.html":
                lost.append(f"{page.name}: {link}")
    assert lost == []


def numbers(text, alone=""):
    return {
        n.replace(",", "") for n in re.findall(rf"(?<![\w.,/-])\d[\d,]*(?:\.\d+)?{alone}", text)
    }


def telling(number):
    """Not a year, not a small or round number that stands for itself."""
    digits = number.replace(".", "")
    return not re.fullmatch(r"(19|20)\d\d", number) and ("." in number or len(digits) > 2)


@pytest.mark.parametrize("path", CHAPTERS)
def test_a_number_in_prose_is_one_that_the_chapter_computes(path):
    """Prose follows the code, or this fails; exercises ask and answer with numbers of their own."""
    notebook = json.loads((NOTEBOOKS / f"{Path(path).stem}.ipynb").read_text("utf-8"))
    sources = {"code": "", "markdown": ""}
    for cell in notebook["cells"]:
        sources[cell["cell_type"]] += "".join(cell["source"]) + "\n\n"
    page = re.sub(r'<script type="application/json">.*?</script>', "", (HTML / path).read_text("utf-8"), flags=re.S)  # fmt: skip
    made = re.findall(r'<div class="cell[^"]*docutils container">.*?(?=<(?:section|p|h2|ul|ol)\b)', page, re.S)  # fmt: skip
    printed = html.unescape(re.sub(r"<[^>]*>", " ", " ".join(made)))
    told = " ".join(
        f"{c.statement} {c.reason} {claims.printed(c.stated, c.unit)} {claims.printed(c.computed(), c.unit)}"
        for c in claims.all_claims()
    )
    facts = " ".join(p.read_text("utf-8").replace(",", " ") for p in DATA.glob("*.csv"))
    known = (
        numbers(printed)
        | numbers(told)
        | numbers(facts)
        | numbers(sources["code"].replace("_", ""))
    )
    prose = re.sub(r"## Exercises.*?## Takeaways", "", sources["markdown"], flags=re.S)
    prose = re.sub(r"<details>.*?</details>|```.*?```", "", prose, flags=re.S)
    prose = re.sub(r"`[^`]*`|\$[^$\n]*\$|\]\([^)]*\)|https?:\S+", "", prose)
    assert sorted(n for n in numbers(prose, r"(?![\w/-])") - known if telling(n)) == []


def test_scorecard_filters(visit):
    page = visit("book/scorecard.html")
    rows = page.locator("#mw-scorecard tbody tr")
    total = len(claims.all_claims())
    assert rows.count() == total
    page.locator('.mw-filter input[value="agrees"]').uncheck()
    agrees = sum(c.verdict() == "agrees" for c in claims.all_claims())
    assert page.locator("#mw-scorecard tbody tr:visible").count() == total - agrees
    assert page.locator(".mw-filter output").inner_text() == f"{total - agrees} of {total} claims"


@pytest.mark.parametrize("path", CHAPTERS)
def test_live_figures_agree_with_python(visit, path):
    """At random slider positions, drawn and computed by Python when the notebook ran."""
    page = visit(path)
    live = page.locator(".mw-explorer")
    for k in range(live.count()):
        element = live.nth(k)
        name = element.get_attribute("id").removeprefix("explorer-")
        file = HTML.parent / "checks" / f"{name}.json"
        for check in json.loads(file.read_text("utf-8")):
            got = element.evaluate(
                "(e, v) => e.memwall.readouts({...e.memwall.values, ...v})", check["values"]
            )
            for key, wanted in check["readouts"].items():
                if wanted is not None:
                    assert got[key] == pytest.approx(float(wanted), rel=1e-9, abs=1e-300), (name, key, check["values"])  # fmt: skip


def test_search_works_offline(visit):
    page = visit("search.html?q=roofline")
    page.wait_for_selector("#search-results li", timeout=8000)
    assert page.locator("#search-results li").count() >= 1


def test_two_builds_of_the_same_commit_are_the_same(tmp_path):
    """The pages made anew elsewhere, from the same executed notebooks; their figures are made twice in test_page_svg."""
    root, build = HTML.parents[1], HTML.parent
    ignored = shutil.ignore_patterns(
        "_build", ".venv", ".git", "__pycache__", ".*_cache", ".hypothesis"
    )
    copy = Path(shutil.copytree(root, tmp_path / "book", ignore=ignored))
    shutil.copytree(build / ".jupyter_cache", copy / "_build" / ".jupyter_cache")
    shutil.copyfile(build / ".library", copy / "_build" / ".library")
    path = os.pathsep.join(str(copy / part) for part in ("lib", "book/_ext"))
    command = [sys.executable, copy / "tools" / "build_book.py"]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PYTHONPATH": path})
    again = copy / "_build" / "html"

    def files(folder):
        return {
            str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()
        }

    before, after = files(HTML), files(again)
    assert before.keys() == after.keys()
    assert [name for name in before if before[name] != after[name]] == []


@pytest.mark.parametrize("path", PAGES)
def test_a_figure_has_a_handful_of_controls(path):
    """Seven are what one hand keeps apart."""
    page = (HTML / path).read_text("utf-8")
    specs = [json.loads(s) for s in re.findall(r'<script type="application/json">(.*?)</script>', page, re.S)]  # fmt: skip
    many = [s["id"] for s in specs if len(s.get("controls", ())) > 7]
    assert many == []


@pytest.mark.parametrize("path", CHAPTERS)
def test_on_paper_what_is_folded_stands_open(visit, path):
    page = visit(path)
    page.emulate_media(media="print")
    hidden = page.evaluate(
        """() => [...document.querySelectorAll('main details:not(.mw-explorer details, .mw-planner details)')].filter((d) =>
            ![...d.children].slice(1).some((c) => c.offsetHeight > 5 && c.checkVisibility({contentVisibilityAuto: true}))
        ).map((d) => d.innerText.slice(0, 60))"""
    )
    assert hidden == []
