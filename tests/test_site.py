"""The site as a visitor meets it, over http: light, described, complete, usable by all.

Needs `make book` first; `make test` does that. `vendor/axe.min.js` is axe-core 4.14.1 (MPL 2.0).
"""

import functools
import http.server
import re
import threading
from pathlib import Path

import pytest

from memwall.core.chapters import chapters

HTML = Path(__file__).parent.parent / "_build" / "html"
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
MOVED = dict(row.split(",") for row in (Path(__file__).parent.parent / "book" / "redirects.csv").read_text("utf-8").split()[1:])  # fmt: skip
PAGES = sorted({str(p.relative_to(HTML)) for p in [*HTML.glob("book/*.html"), *HTML.glob("notebooks/*.html")]} - {f"{old}.html" for old in MOVED})  # fmt: skip
CHAPTERS = [p for p in PAGES if p.startswith("notebooks/")]
FRONT = "book/welcome.html"
MOST_BYTES, MOST_REQUESTS = 2_000_000, 40
pytestmark = pytest.mark.book


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def address():
    serve = functools.partial(Quiet, directory=HTML)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def visit(browser, address):
    """Opens a page as a first visit; notes the answers it loads and what it complains about."""
    contexts = []

    def go(path, **options):
        while contexts:
            contexts.pop().close()
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.loaded, page.complaints = {}, []
        page.on("requestfinished", lambda r: page.loaded.setdefault(r.url, r.sizes()["responseBodySize"]))  # fmt: skip
        page.on("pageerror", lambda e: page.complaints.append(str(e)))
        page.on("console", lambda m: page.complaints.append(m.text) if m.type in ("error", "warning") else None)  # fmt: skip
        page.goto(address + path)
        page.wait_for_load_state("networkidle")
        return page

    yield go
    while contexts:
        contexts.pop().close()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_light_and_quiet(visit, path):
    page = visit(path)
    assert page.complaints == []
    assert len(page.loaded) <= MOST_REQUESTS
    if path in CHAPTERS:
        heaviest = sorted(((size, url) for url, size in page.loaded.items()), reverse=True)[:4]
        assert sum(page.loaded.values()) < MOST_BYTES, heaviest


def test_mathematics_is_loaded_where_it_is_used_and_only_there(visit):
    assert not any("mathjax" in url for url in visit(FRONT).loaded)
    page = visit("notebooks/01_batching.html")
    assert any("mathjax" in url for url in page.loaded)
    page.wait_for_selector("mjx-container mjx-assistive-mml math", state="attached")


def test_titles_and_descriptions_are_the_pages_own():
    titles, descriptions = [], []
    for path in PAGES:
        text = (HTML / path).read_text("utf-8")
        titles += re.findall(r"<title>(.*?)</title>", text)
        descriptions += re.findall(r'<meta name="description" content="(.*?)" ?/>', text)
        assert '<meta property="og:title"' in text or path in ("book/references.html",)
    assert len(titles) == len(set(titles)) == len(PAGES)
    assert all(t == "The Memory Wall" or t.endswith(" — The Memory Wall") for t in titles)
    assert len(descriptions) == len(set(descriptions))
    for path in (FRONT, *CHAPTERS):
        assert '<meta name="description"' in (HTML / path).read_text("utf-8"), path


def test_pages_that_no_contents_list_names():
    assert "No such page" in (HTML / "404.html").read_text("utf-8")
    assert "Allow" in (HTML / "robots.txt").read_text("utf-8")
    assert "book/welcome.html" in (HTML / "index.html").read_text("utf-8")


@pytest.mark.parametrize("old", MOVED)
def test_an_old_address_leads_to_the_page_and_keeps_a_figures_state(visit, old):
    page = visit(f"{old}.html#planner=chips:16")
    page.wait_for_url(f"**/{MOVED[old]}.html#planner=chips:16")
    assert f"{MOVED[old]}.html" in PAGES
    page = visit(f"{old}.html", java_script_enabled=False)
    page.wait_for_url(f"**/{MOVED[old]}.html")


def test_front_page_leads_to_every_chapter(visit):
    page = visit(FRONT)
    links = page.eval_on_selector_all(".mw-cards a", "all => all.map(a => a.getAttribute('href'))")
    assert sorted(link.removeprefix("../") for link in links) == CHAPTERS
    assert (
        page.locator(".mw-cards svg").count()
        == page.locator(".mw-cards li").count()
        == len(chapters())
    )
    assert page.locator("#explorer-welcome").evaluate("e => Boolean(e.memwall)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", [FRONT, *CHAPTERS[:1], *CHAPTERS[-1:], "book/scorecard.html"])
def test_nothing_serious_for_those_who_see_or_move_otherwise(visit, path, scheme):
    page = visit(path, color_scheme=scheme)
    page.add_script_tag(path=AXE)
    found = page.evaluate("() => axe.run({resultTypes: ['violations']}).then(r => r.violations)")
    serious = [
        (v["id"], [n["html"][:120] for n in v["nodes"][:3]])
        for v in found
        if v["impact"] in ("serious", "critical")
    ]
    assert serious == []


def test_buttons_have_names_and_icons(visit):
    page = visit("notebooks/01_batching.html")
    buttons = page.evaluate(
        """() => [...document.querySelectorAll('.bd-header-article button')].filter(b => b.offsetParent).map(b => ({
            name: b.getAttribute('aria-label') || b.title || b.innerText.trim(),
            icon: [...b.querySelectorAll('i, span, svg')].some(i => i.tagName === 'svg' ||
                (getComputedStyle(i).maskImage.startsWith('url') && i.offsetWidth > 8)),
        }))"""
    )
    assert len(buttons) >= 3
    assert all(b["name"] and b["icon"] for b in buttons), buttons


def test_the_keyboard_reaches_and_moves_a_live_figure(visit):
    page = visit(FRONT)
    figure = page.locator("#explorer-welcome")
    before = figure.evaluate("e => e.memwall.readouts().cost")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('#explorer-welcome input[type=range]')"):
            break
    else:
        pytest.fail("Tab never came to a slider")
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(100)
    assert figure.evaluate("e => e.memwall.readouts().cost") != before
