"""What `bench.py` compares with: Vega, a redraw in the kernel, a stock book, and whole builds.

Each yields rows for its table; what is installed or built for it lies in a temporary folder.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
BOOK = Path(sys.executable).with_name("jupyter-book")

# the curves of chapter 1's figure, and a batch that a hand drags
VEGA = """
import altair as alt, sys
from pathlib import Path
alt.data_transformers.disable_max_rows()
batch = alt.sequence(0, 5, 5 / 160, as_="k")
context = alt.param(name="context", value=1000)
step = "pow(10, datum.k)"
weights, own, work = "1.16e-3", f"{step} * context * 1.2e-10", f"{step} * 2e-7"
curves = [weights, own, work, f"max({work}, {weights} + {own})"]
layers = [alt.Chart(batch).mark_line().transform_calculate(B=step, y=y).encode(
    x=alt.X("B:Q", scale=alt.Scale(type="log")), y=alt.Y("y:Q", scale=alt.Scale(type="log")))
    for y in curves]
page = alt.layer(*layers).add_params(context).properties(width=640, height=340).to_html(inline=True)
Path(sys.argv[1]).write_text(page.replace("vegaEmbed(", "window.drawn = vegaEmbed("))
"""
DRAG_VEGA = """async () => {
    const view = (await window.drawn).view, frame = () => new Promise(requestAnimationFrame), times = [];
    for (let k = 0; k < 100; k++) {
        await frame();
        const start = performance.now();
        await view.signal("context", 1e4 ** (0.5 + 0.45 * Math.sin(k / 9))).runAsync();
        if (k >= 20) times.push(performance.now() - start);
    }
    return times; }"""


def vega(
    browser: Any, slowed: Any, row: Any, ours: tuple[str, str, str]
) -> Iterator[dict[str, Any]]:
    """The same curves in Vega-Lite through Altair, one parameter dragged, by turns with ours."""

    def frames(address: str, drag: str, *figure: str) -> list[float]:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.goto(address)
        page.wait_for_load_state("load")
        if not figure:
            page.wait_for_function("() => window.drawn")
        slowed(context, page)
        times = page.evaluate(drag, *figure)
        context.close()
        return [float(np.percentile(times, q)) for q in (50, 95)]

    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder) / "venv" / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", python.parent.parent], check=True)
        install = [python, "-m", "pip", "install", "-q", "altair", "vl-convert-python"]
        subprocess.run(install, check=True, stderr=subprocess.DEVNULL)
        file = Path(folder) / "vega.html"
        subprocess.run([python, "-c", VEGA, file], check=True)
        rounds = [(frames(*ours), frames(file.as_uri(), DRAG_VEGA)) for _ in range(5)]
        (half, late), (half_theirs, late_theirs) = np.median(rounds, axis=0)
        note = f"p50 {half:.1f} ms; median of {len(rounds)} rounds"
        yield row("chapter 1's figure, CPU slowed, p95", late, "ms", note=note)
        note = f"p50 {half_theirs:.1f} ms; the same curves and drag, without readouts"
        yield row("  in Vega through Altair, p95", late_theirs, "ms", note=note)
        share = np.median([a[1] / b[1] for a, b in rounds])
        yield row("  ours over Vega's", float(share), "", 0.25)
        yield row("  bytes of Vega on a page", file.stat().st_size, "B", note="Altair, inline")


def kernel(row: Any) -> Iterator[dict[str, Any]]:
    """A redraw in the kernel, as ipywidgets' interact does: Matplotlib draws the same curves."""
    import io

    from memwall import chip, figures, model, roofline

    m, s = model("DeepSeek-V3"), chip("GB200").system(chips=72, precision="fp8")
    batch = np.geomspace(1, 1e5, 160)
    times = []
    for context in np.geomspace(100, 1e5, 24):
        start = time.perf_counter()
        fig, ax = figures.canvas("Step time", ("Batch", "sequences"), ("Time", "s"))
        figures.curve(ax, batch, batch * 0 + roofline.weight_time(m, s), "weights")
        figures.curve(ax, batch, roofline.kv_time(batch, context, m, s), "kv")
        figures.curve(ax, batch, roofline.compute_time(batch, m, s), "compute")
        figures.curve(ax, batch, roofline.step_time(batch, context, m, s), "bound")
        fig.savefig(io.BytesIO(), format="png", dpi=100)
        times.append((time.perf_counter() - start) * 1e3)
    late = float(np.percentile(times[4:], 95))
    note = "not slowed; without the way to the browser"
    yield row("  redrawn by Matplotlib in the kernel, p95", late, "ms", note=note)


def stock(folder: Path, pages: int = 1) -> Path:
    """A Jupyter Book as it comes, with one formula and one figure a page (or empty pages)."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"page{k}" for k in range(pages)]
    code = "import matplotlib.pyplot as plt; plt.plot([1, 2, 4])"
    text = (
        f"# Page\n\n$$t = 2 B N / F$$\n\n```{{code-cell}}\n{code}\n```\n"
        if pages == 1
        else "# Page\n"
    )
    head = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n"
    for name in names:
        (folder / f"{name}.md").write_text((head if pages == 1 else "") + text)
    (folder / "_config.yml").write_text("title: Stock\nexecute: {execute_notebooks: force}\n")
    chapters = "".join(f"  - file: {name}\n" for name in names[1:])
    toc = f"format: jb-book\nroot: {names[0]}\n" + (f"chapters:\n{chapters}" if chapters else "")
    (folder / "_toc.yml").write_text(toc)
    subprocess.run([BOOK, "build", folder], check=True, capture_output=True)
    return folder / "_build" / "html"


def builds(row: Any) -> Iterator[dict[str, Any]]:
    """Whole builds in a copy of the project: cold, unchanged, and with one notebook changed."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "book"
        ignored = shutil.ignore_patterns("_build", ".venv", ".git", "__pycache__", ".*_cache")
        shutil.copytree(ROOT, copy, ignore=ignored)
        path = os.pathsep.join(str(copy / part) for part in ("lib", "book/_ext"))

        def build() -> float:
            start = time.perf_counter()
            command = [sys.executable, copy / "tools" / "build_book.py"]
            env = {**os.environ, "PYTHONPATH": path}
            subprocess.run(command, check=True, capture_output=True, env=env)
            return time.perf_counter() - start

        cold = build()
        again = statistics.median(build() for _ in range(3))
        longest = max((copy / "notebooks").glob("*.ipynb"), key=lambda p: p.stat().st_size)
        longest.write_text(longest.read_text("utf-8").replace("Guess first", "Guess", 1), "utf-8")
        changed = build()
        start = time.perf_counter()
        stock(Path(folder) / "bare", pages=len(list((copy / "notebooks").glob("*.ipynb"))))
        bare = time.perf_counter() - start
        yield row(
            "make book, cold (environment there)",
            cold,
            "s",
            note=f"as many empty pages {bare:.1f} s",
        )
        yield row("  nothing changed", again, "s", reach=5)
        yield row(
            "  one notebook changed", changed, "s", reach=25, note=f"{longest.name}, the largest"
        )
