"""Measure the book: how light its pages are, how quick its figures and its library.

    make bench                   # needs `make book`; a minute or two
    python tools/bench.py --against   # also Altair's Vega, in a temporary environment

Prints a table and writes _build/bench.json. Each number is a median of repeats in this one run; a
ratio compares two things measured in the same run, so that a slow machine changes neither side.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / "_build" / "html"
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
SLOWER = 4  # how much slower a reader's phone is taken to be
Row = dict[str, Any]


def row(what: str, value: float, unit: str, reach: str, ok: bool | None, against: str = "") -> Row:
    return {
        "what": what,
        "value": value,
        "unit": unit,
        "reach": reach,
        "ok": ok,
        "against": against,
    }


# ---- the library ---------------------------------------------------------------------------------


def seconds(work: Callable[[], Any], repeats: int) -> list[float]:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return times


def grid() -> Iterator[Row]:
    """`step_time` over a thousand batches and a thousand contexts, against the expression typed by hand."""
    from memwall import chip, model, roofline

    m, s = model("DeepSeek-V3"), chip("GB200").system(chips=72, precision="fp8")
    batch = np.geomspace(1, 1e5, 1000)[:, None]
    context = np.geomspace(100, 1e6, 1000)[None, :]
    total, active, width = float(m.n_total), float(m.n_active), float(m.bytes_per_param)
    kv, flops, bandwidth = float(m.kv_bytes_per_token), float(s.flops), float(s.bandwidth)

    def ours() -> Any:
        return roofline.step_time(batch, context, m, s)

    def by_hand() -> Any:
        return np.maximum(
            2 * batch * active / flops, (total * width + batch * context * kv) / bandwidth
        )

    assert np.allclose(ours(), by_hand(), rtol=1e-12)
    pairs = [(seconds(ours, 1)[0], seconds(by_hand, 1)[0]) for _ in range(60)][10:]
    library, hand = (statistics.median(p[k] for p in pairs) for k in (0, 1))
    rate = 1e6 / library
    share = hand / library
    yield row(
        "step_time, 1000 x 1000 grid",
        rate,
        "cells/s",
        "5e7",
        rate > 5e7,
        f"by hand {1e6 / hand:.3g}",
    )
    yield row("  its speed over NumPy by hand", share, "", "0.7", share >= 0.7)


def imports() -> Iterator[Row]:
    def started(code: str) -> float:
        return seconds(lambda: subprocess.run([sys.executable, "-c", code], check=True), 1)[0]

    names = ("pass", "import numpy", "import memwall")
    rounds = [[started(code) for code in names] for _ in range(7)]
    bare, array, ours = (statistics.median(r[k] for r in rounds) for k in range(3))
    probe = "import sys, memwall; print(*[m for m in ('sympy', 'matplotlib') if m in sys.modules])"
    loaded = subprocess.run(
        [sys.executable, "-c", probe], check=True, capture_output=True, text=True
    ).stdout.strip()
    yield row(
        "import memwall",
        ours - bare,
        "s",
        "0.3",
        ours - bare <= 0.3,
        f"import numpy {array - bare:.3f} s",
    )
    yield row(
        "  of sympy, matplotlib it loads",
        len(loaded.split()),
        "",
        "0",
        not loaded,
        loaded or "neither",
    )


# ---- the pages -----------------------------------------------------------------------------------


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=folder)
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def slowed(context: Any, page: Any) -> None:
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})


def weight(browser: Any, address: str, path: str) -> tuple[int, int]:
    """Bytes and requests of a first visit."""
    context = browser.new_context()
    page, loaded = context.new_page(), []
    # Playwright marks its handlers, and a built-in method cannot be marked
    page.on("response", lambda response: loaded.append(response))  # noqa: PLW0108
    page.goto(address + path, wait_until="networkidle")
    total = sum(len(r.body()) for r in loaded if r.ok)
    context.close()
    return total, len(loaded)


READY = """() => new Promise(done => {
    const look = () => document.querySelector('.mw-explorer')?.memwall ? done(performance.now()) : setTimeout(look, 5);
    look(); })"""


def usable(browser: Any, address: str, path: str) -> tuple[float, float]:
    """Seconds from navigation to a live figure, and to the load event, on a slow processor."""
    context = browser.new_context()
    page = context.new_page()
    slowed(context, page)
    page.goto(address + path, wait_until="commit")
    ready = page.evaluate(READY) / 1e3
    page.wait_for_load_state("load")
    load = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventStart") / 1e3
    context.close()
    return ready, load


# a hand moves the first slider once a frame; what is timed is all script that runs because of it
DRAG = """async (id) => {
    const root = document.getElementById(id), slider = root.querySelector('input[type=range]');
    const frame = () => new Promise(requestAnimationFrame), times = [];
    const low = +slider.min, high = +slider.max, figure = root.memwall;
    let inside = 0;
    const draw = figure.frame.bind(figure);
    figure.frame = () => { const t = performance.now(); draw(); inside += performance.now() - t; };
    for (let k = 0; k < 150; k++) {
        inside = 0;
        const start = performance.now();
        slider.value = low + (high - low) * (0.5 + 0.45 * Math.sin(k / 9));
        slider.dispatchEvent(new Event('input', { bubbles: true }));
        const handled = performance.now() - start;
        await frame(); await frame();
        if (k >= 20) times.push(handled + inside);
    }
    delete figure.frame;
    return times; }"""


def dragging(browser: Any, address: str, path: str) -> dict[str, list[float]]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(address + path)
    page.wait_for_load_state("load")
    slowed(context, page)
    ids = page.eval_on_selector_all(
        ".mw-explorer",
        "all => all.filter(e => e.querySelector('input[type=range]')).map(e => e.id)",
    )
    times = {i: page.evaluate(DRAG, i) for i in ids}
    context.close()
    return times


def pages() -> Iterator[Row]:
    from playwright.sync_api import sync_playwright

    chapters = sorted(str(p.relative_to(HTML)) for p in HTML.glob("notebooks/*.html"))
    with sync_playwright() as playwright, served(HTML) as address:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        frames = {(c, i): t for c in chapters for i, t in dragging(browser, address, c).items()}
        heaviest = max(frames, key=lambda k: float(np.percentile(frames[k], 95)))
        middle, late = (float(np.percentile(frames[heaviest], q)) for q in (50, 95))
        where = f"{heaviest[0]} {heaviest[1]}, heaviest of {len(frames)}"
        yield row(
            f"script a frame, dragging, CPU {SLOWER}x slower, p95",
            late,
            "ms",
            "8",
            late <= 8,
            where,
        )
        yield row("  the same, p50", middle, "ms", "", None)
        script = sum((HTML / "_static" / n).stat().st_size for n in ("explorer.js", "explorer.css"))
        specs = figure_bytes(chapters)
        most = max(specs, default=0)
        alone = (HTML / "_static" / "explorer.js").stat().st_size
        yield row("bytes of explorer.js", alone, "B", "40 kB", alone <= 40_000)
        yield row(
            "bytes the first live figure adds: script, style, spec, still",
            script + statistics.median(specs),
            "B",
            "40 kB",
            script + statistics.median(specs) <= 40_000,
            f"a further one {statistics.median(specs):,.0f} B, at most {most:,} B",
        )
        weights = {c: weight(browser, address, c) for c in chapters}
        worst = max(weights, key=lambda c: weights[c][0])
        yield row(
            "a chapter page, first visit",
            weights[worst][0],
            "B",
            "2 MB",
            weights[worst][0] < 2e6,
            f"{worst}, the heaviest",
        )
        most_requests = max(n for _, n in weights.values())
        yield row("  its requests", most_requests, "", "40", most_requests <= 40)
        waits = [usable(browser, address, worst) for _ in range(5)]
        ready, load = (statistics.median(w[k] for w in waits) for k in (0, 1))
        yield row(
            f"first live figure usable, CPU {SLOWER}x slower",
            ready,
            "s",
            "1.0",
            ready <= 1,
            f"{worst}; load event {load:.2f} s",
        )
        browser.close()


def figure_bytes(chapters: list[str]) -> list[int]:
    """Bytes of every live figure inside its page."""
    sizes = []
    for chapter in chapters:
        pieces = (HTML / chapter).read_text("utf-8").split('<div class="mw-explorer"')[1:]
        sizes += [len(p.partition("</script></div>")[0].encode()) for p in pieces]
    return sizes


def book() -> Iterator[Row]:
    again = seconds(
        lambda: subprocess.run(
            [sys.executable, ROOT / "tools" / "build_book.py"], check=True, capture_output=True
        ),
        3,
    )
    value = statistics.median(again)
    yield row("make book, nothing changed", value, "s", "5", value < 5)


# ---- what a reader would otherwise use -----------------------------------------------------------


def vega() -> Iterator[Row]:
    """The same three curves in Vega-Lite through Altair, one parameter dragged."""
    code = (
        "import altair as alt, sys;from pathlib import Path\n"
        "d = alt.sequence(0, 5, .025, as_='x')\n"
        "b = alt.param(name='b', value=3, bind=alt.binding_range(min=0, max=5, step=.01))\n"
        "f = ['2*datum.x+b', 'max(2*datum.x, b)', 'log(1+exp(datum.x))*b']\n"
        "c = alt.layer(*[alt.Chart(d).mark_line().transform_calculate(y=e).encode(x='x:Q', y='y:Q') for e in f])\n"
        "Path(sys.argv[1]).write_text(c.add_params(b).to_html(inline=True))\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder) / "venv" / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", python.parent.parent], check=True)
        subprocess.run(
            [python, "-m", "pip", "install", "-q", "altair", "vl-convert-python"], check=True
        )
        file = Path(folder) / "vega.html"
        subprocess.run([python, "-c", code, file], check=True)
        yield row("bytes of Vega on a page (Altair, inline)", file.stat().st_size, "B", "", None)


def printed(rows: list[Row]) -> str:
    lines = [f"{'what':<62} {'measured':>14}   {'reach':<7} ok   beside it"]
    for r in rows:
        value = (
            f"{r['value']:,.3g}"
            if abs(r["value"]) < 1e4
            else f"{r['value']:.3e}"
            if r["unit"] == "cells/s"
            else f"{r['value']:,.0f}"
        )
        ok = {True: "yes", False: "NO", None: ""}[r["ok"]]
        lines.append(
            f"{r['what']:<62} {value + ' ' + r['unit']:>14}   {r['reach']:<7} {ok:<4} {r['against']}"
        )
    return "\n".join(lines)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument(
        "--against", action="store_true", help="install Altair in a temporary place and weigh it"
    )
    options.add_argument("--only", nargs="*", default=(), help="grid imports pages book")
    given = options.parse_args()
    parts = {"grid": grid, "imports": imports, "pages": pages, "book": book}
    if given.against:
        parts["vega"] = vega
    rows = [
        r for name, part in parts.items() if not given.only or name in given.only for r in part()
    ]
    print(printed(rows))
    busy = os.getloadavg()[0] / (os.cpu_count() or 1) if hasattr(os, "getloadavg") else 0.0
    if busy > 1.5:
        print(
            f"The machine had {busy:.1f} jobs a processor: times are too long by about that much."
        )
    if not given.against:
        print(
            "Not measured here: Vega through Altair (--against weighs it) and ipywidgets with Matplotlib."
        )
    (ROOT / "_build" / "bench.json").write_text(
        json.dumps(
            {
                "machine": platform.platform(),
                "python": platform.python_version(),
                "jobs_per_processor": round(busy, 2),
                "rows": rows,
            },
            indent=1,
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
