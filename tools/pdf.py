"""The whole book as one PDF: the built pages joined, set by the browser.

    make pdf      # writes _build/the-memory-wall.pdf

Figures stand still, solutions are open, code that only draws is left out. Links between pages become
links inside the document; the outline and the contents lead to every chapter. Sphinx's own single page
would not do: what stands on every page (exercises, sources) has one id there, and the links of tables and
cards, which are HTML already, still lead to files.
"""

from __future__ import annotations

import html
import re
import shutil
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / "_build" / "html"
TARGET = ROOT / "_build" / "the-memory-wall.pdf"
JOINED = HTML / "book" / "_joined.html"  # beside the pages, so that their relative addresses hold
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
STYLE = """
@page { size: A4; margin: 18mm 17mm 20mm; }
html, body { font-size: 10.5pt; background: #fff; overflow: visible; height: auto; }
body { display: block; max-width: none; }
.part { break-before: page; }
.headerlink, .copybtn, .mw-filter, .prev-next-footer { display: none !important; }
h2, h3, summary, figcaption { break-after: avoid; }
.mw-figure, .mw-still, .mw-cards li, pre, mjx-container { break-inside: avoid; }
.mw-still small { display: none; }
figcaption { color: #333 !important; font-weight: 400; } .mw-figure figcaption { font-weight: 600; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; }
.mw-table, .mw-claims, .cell_output { overflow: visible !important; }
table { max-width: 100%; table-layout: auto; } td { overflow-wrap: anywhere; }
#contents li { list-style: none; margin: .3rem 0; }
"""
READY = """async () => {
    document.querySelectorAll('details.hide, .cell details').forEach(d => d.remove());
    document.querySelectorAll('details').forEach(d => d.open = true);
    if (window.MathJax?.startup) await MathJax.startup.promise;
    await document.fonts.ready; }"""


def order() -> list[str]:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    return [toc["root"], *(c["file"] for part in toc["parts"] for c in part["chapters"])]


def joined(pages: list[str]) -> str:
    """All articles in one page; every id carries its page's name, and links follow."""
    names = {page: page.replace("/", "-") for page in pages}
    head, parts, contents = "", [], []
    for page in pages:
        text = (HTML / f"{page}.html").read_text("utf-8")
        if "MathJax" in text and not head:
            head = text[: text.index("</head>")]
        article = re.search(r'<article class="bd-article"[^>]*>(.*?)</article>', text, re.S)[1]
        here = names[page]

        def link(found: re.Match[str], page: str = page, here: str = here) -> str:
            address = html.unescape(found[2])
            if re.match(r"[a-z]+:", address):
                return found[0]
            file, _, anchor = address.partition("#")
            path = (HTML / page).parent.joinpath(file).resolve() if file else HTML / f"{page}.html"
            inside = (
                path.relative_to(HTML).with_suffix("").as_posix()
                if path.is_relative_to(HTML)
                else ""
            )
            if inside not in names:
                return found[0]
            target = names[inside] + (f"--{anchor}" if anchor else "")
            return f'{found[1]}href="#{target}"'

        article = re.sub(r'((?:xlink:)?)href="([^"]*)"', link, article)
        article = re.sub(
            r'\b(id|for|aria-labelledby|aria-describedby)="([^"]+)"', rf'\1="{here}--\2"', article
        )
        article = re.sub(r"url\(#([^)]+)\)", rf"url(#{here}--\1)", article)
        article = re.sub(r"url\(&quot;#([^)]+?)&quot;\)", rf"url(#{here}--\1)", article)
        title = re.search(r"<h1>(.*?)<a", article, re.S)[1]
        contents.append(f'<li><a href="#{here}">{title}</a></li>')
        parts.append(f'<section class="part" id="{here}">{article}</section>')
    # figures stay still: the script that would make them live is left out
    head = re.sub(
        r"<script[^>]*src=[^>]*(?:explorer|book|copybutton|clipboard|theme)[^>]*></script>",
        "",
        head,
    )
    listing = f'<nav id="contents"><h2>Contents</h2><ol>{"".join(contents[1:])}</ol></nav>'
    # the front page is the cover; the contents follow it
    return f'{head}<style>{STYLE}</style></head><body class="bd-article">{parts[0]}{listing}{"".join(parts[1:])}</body></html>'


def main() -> int:
    from playwright.sync_api import sync_playwright

    pages = order()
    JOINED.write_text(joined(pages), "utf-8")
    number = (
        '<div style="font-size:8px;width:100%;text-align:center;color:#555">The Memory Wall · '
        '<span class="pageNumber"></span> of <span class="totalPages"></span></div>'
    )
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_context(color_scheme="light").new_page()
            page.set_default_timeout(300_000)
            page.goto(JOINED.as_uri())
            page.evaluate("document.documentElement.dataset.theme = 'light'")
            page.evaluate(READY)
            page.pdf(
                path=TARGET, prefer_css_page_size=True, print_background=True, outline=True, tagged=True,
                display_header_footer=True, header_template="<span></span>", footer_template=number,
            )  # fmt: skip
            browser.close()
    finally:
        JOINED.unlink(missing_ok=True)
    print(f"{len(pages)} pages of the book in {TARGET} ({TARGET.stat().st_size / 1e6:.1f} MB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
