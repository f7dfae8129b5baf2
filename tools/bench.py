"""Measure the book: how light its pages are, how quick its figures and its library.

    make bench                                # everything, about eight minutes; needs `make book`
    python tools/bench.py --only grid pages   # parts: grid imports pages against builds

Prints a table and writes _build/bench.json. Each number is a median of repeats in this one run; a
ratio compares two things measured in the same run, so that a slow machine changes neither side.
"""

from __future__ import annotations

import argparse
import functools
import gzip
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
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import bench_against
import numpy as np

from memwall.core.chapters import chapters as all_chapters

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / "_build" / "html"
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
SLOWER = 4  # how much slower a reader's phone is taken to be
Row = dict[str, Any]


def row(
    what: str, value: float, unit: str = "", reach: float | None = None, note: str = "",
    least: bool = False,
) -> Row:  # fmt: skip
    """A line of the table; `reach` is the most allowed, or with `least` the least."""
    ok = None if reach is None else value >= reach if least else value <= reach
    return {"what": what, "value": value, "unit": unit, "reach": reach, "ok": ok, "note": note}


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
        "step_time, 1000 x 1000 grid", rate, "cells/s", 5e7, f"by hand {1e6 / hand:.3g}", least=True
    )
    yield row("  its speed over NumPy by hand", share, "", 0.7, least=True)


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
    yield row("import memwall", ours - bare, "s", 0.3, f"import numpy {array - bare:.3f} s")
    yield row("  of sympy, matplotlib it loads", len(loaded.split()), "", 0, loaded or "neither")


# ---- the pages -----------------------------------------------------------------------------------


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass

    def copyfile(self, *files: Any) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):  # a browser may leave while it loads
            super().copyfile(*files)


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
    const look = () => document.querySelector('.mw-explorer, .mw-planner')?.memwall ? done(performance.now()) : setTimeout(look, 5);
    look(); })"""


@contextmanager
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def usable(browser: Any, address: str, path: str, figure: bool = True) -> tuple[float, float]:
    """Seconds from navigation to a live figure, and to the load event, on a slow processor."""
    context = browser.new_context()
    page = context.new_page()
    slowed(context, page)
    page.goto(address + path, wait_until="commit")
    ready = page.evaluate(READY) / 1e3 if figure else 0.0
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
    root.scrollIntoView({ block: 'center' });
    await frame(); await frame();
    for (let k = 0; k < 100; k++) {
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


def dragging(
    browser: Any, address: str, path: str, slow: bool = True, only: str = ""
) -> dict[str, list[float]]:
    """Milliseconds of each frame of each figure of a page, or of one."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(address + path)
    page.wait_for_load_state("load")
    ids = page.eval_on_selector_all(
        ".mw-explorer",
        "all => all.filter(e => e.querySelector('input[type=range]')).map(e => e.id)",
    )
    if slow:
        slowed(context, page)
    times = {i: page.evaluate(DRAG, i) for i in ids if only in ("", i)}
    context.close()
    return times


# the same hand on a slider of the planner, which answers for the best few while it moves and, once
# it rests, for every chip and layout
PLAN = """async () => {
    const plan = document.querySelector('.mw-planner').memwall, slider = document.querySelector('.mw-planner input[type=range]');
    const frame = () => new Promise(requestAnimationFrame), moved = [], full = [];
    let inside = 0;
    for (const name of ['quick', 'full']) {
        const run = plan[name].bind(plan);
        plan[name] = (...given) => { const t = performance.now(); run(...given); inside += performance.now() - t; };
    }
    for (let k = 0; k < 100; k++) {
        inside = 0;
        const start = performance.now();
        slider.value = 1000 * (0.5 + 0.3 * Math.sin(k / 9));
        slider.dispatchEvent(new Event('input', { bubbles: true }));
        const handled = performance.now() - start;
        await frame(); await frame();
        if (k >= 20) moved.push(handled + inside);
    }
    plan.set({ chips: plan.chips().map((c) => c.name) });
    for (let k = 0; k < 12; k++) { inside = 0; plan.full(); full.push(inside); }
    return [moved, full]; }"""


def planning(browser: Any, address: str, path: str) -> Iterator[Row]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(address + path)
    page.wait_for_function("() => document.querySelector('.mw-planner')?.memwall?.last")
    moved, full = page.evaluate(PLAN)
    yield row("planner, script a frame, dragging, p95", float(np.percentile(moved, 95)), "ms", 8)
    yield row("  a full answer, every chip and layout", statistics.median(full), "ms", 50)
    context.close()


def pages() -> Iterator[Row]:
    chapters = [f"notebooks/{chapter.page}.html" for chapter in all_chapters()]
    with chromium() as browser, served(HTML) as address:
        frames = {(c, i): t for c in chapters for i, t in dragging(browser, address, c).items()}
        slow = {k: float(np.percentile(t, 95)) for k, t in frames.items()}
        order = sorted(slow, key=lambda k: -slow[k])
        for name, k in (
            (f"script a frame while dragging, CPU {SLOWER}x slower, p95", order[0]),
            ("  of the median figure", order[len(order) // 2]),
        ):
            note = f"{Path(k[0]).stem} {k[1]}, of {len(order)}; p50 {np.percentile(frames[k], 50):.1f} ms"
            yield row(name, slow[k], "ms", 8, note)
        page, figure = order[0]
        free = dragging(browser, address, page, slow=False, only=figure)[figure]
        late = float(np.percentile(free, 95))
        yield row("  of the slowest, CPU as it is", late, "ms", note="the same figure")
        planner = next(c for c in chapters if "mw-planner" in (HTML / c).read_text("utf-8"))
        yield from planning(browser, address, planner)
        parts = [(HTML / "_static" / n).read_bytes() for n in ("explorer.js", "explorer.css")]
        own = [figure.encode() for c in chapters for figure in figures_of(c)]
        shared, median = sum(map(len, parts)), sorted(own, key=len)[len(own) // 2]
        packed = sum(len(gzip.compress(x)) for x in (*parts, median))
        yield row("bytes of explorer.js", len(parts[0]), "B", 40_000)
        yield row("  with its style sheet", shared, "B", 40_000)
        note = f"{packed:,} B as a server compresses it; a further one {len(median):,} B, at most {len(max(own, key=len)):,} B"
        yield row(
            "  with the median figure's spec and still", shared + len(median), "B", 40_000, note
        )
        weights = {c: weight(browser, address, c) for c in chapters}
        worst = max(weights, key=lambda c: weights[c][0])
        note = f"{Path(worst).stem}, the heaviest"
        yield row("a chapter page, first visit", weights[worst][0], "B", 2e6, note)
        yield row("  its requests", max(n for _, n in weights.values()), "", 40)


def figures_of(chapter: str) -> list[str]:
    """Every live figure of a page: its still and its spec."""
    pieces = (HTML / chapter).read_text("utf-8").split('<div class="mw-explorer"')[1:]
    return [p.partition("</script></div>")[0] for p in pieces]


# ---- what a reader would otherwise use -----------------------------------------------------------


def against() -> Iterator[Row]:
    with chromium() as browser, tempfile.TemporaryDirectory() as folder:
        with served(HTML) as address:
            ours = f"{address}notebooks/{next(iter(all_chapters())).page}.html"
            yield from bench_against.vega(browser, slowed, row, (ours, DRAG, "explorer-batching"))
        yield from bench_against.kernel(row)
        with served(bench_against.stock(Path(folder))) as bare, served(HTML) as address:
            size, requests = weight(browser, bare, "page0.html")
            note = f"one formula, one figure; {requests} requests, MathJax and widgets from elsewhere not counted"
            yield row("a stock Jupyter Book page", size, "B", note=note)
            chapters = [f"notebooks/{chapter.page}.html" for chapter in all_chapters()]
            live = [
                c
                for c in chapters
                if figures_of(c) or "mw-planner" in (HTML / c).read_text("utf-8")
            ]
            rounds = [
                (
                    usable(browser, bare, "page0.html", figure=False)[1],
                    [usable(browser, address, c)[0] for c in live],
                )
                for _ in range(3)
            ]
        load = statistics.median(r[0] for r in rounds)
        first = {c: statistics.median(r[1][k] for r in rounds) for k, c in enumerate(live)}
        slowest = max(first, key=lambda c: first[c])
        yield row(f"  its load event, CPU {SLOWER}x slower", load, "s")
        for name, wait in (
            (Path(slowest).stem, first[slowest]), ("the median page", statistics.median(first.values())),
        ):  # fmt: skip
            yield row(f"first live figure usable, CPU {SLOWER}x slower", wait, "s", 1, name)
            yield row("  over a stock page's load event", wait / load, "", 0.5)


def builds() -> Iterator[Row]:
    yield from bench_against.builds(row)


HEAD = f"{'what':<52} {'measured':>19}   {'reach':<10} ok   beside it"


def printed(r: Row) -> str:
    x = r["value"]
    number = f"{x:,.3g}" if x < 1e4 else f"{x:,.0f}" if x < 1e7 else f"{x:.3e}"
    reach = "" if r["reach"] is None else f"{r['reach']:g}"
    ok = {True: "yes", False: "NO", None: ""}[r["ok"]]
    return f"{r['what']:<52} {number + ' ' + r['unit']:>19}   {reach:<10} {ok:<4} {r['note']}"


def main() -> int:
    parts = {"grid": grid, "imports": imports, "pages": pages, "against": against, "builds": builds}
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--only", nargs="*", choices=parts, default=list(parts))
    rows = []
    print(HEAD)
    for name in options.parse_args().only:
        for r in parts[name]():
            rows.append(r)
            print(printed(r), flush=True)
    busy = os.getloadavg()[0] / (os.cpu_count() or 1) if hasattr(os, "getloadavg") else 0.0
    if busy > 1.5:
        print(
            f"The machine had {busy:.1f} jobs a processor: times are too long by about that much."
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
