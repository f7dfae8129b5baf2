"""Build the HTML book: execute what changed, treat every warning as an error, say what to open."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "_build"
PAGE = BUILD / "html" / "index.html"
# what a notebook's numbers depend on besides its own cells
LIBRARY = (
    "lib/memwall/**/*.py", "lib/memwall/**/*.csv", "lib/memwall/**/*.json", "book/figures/*.py", "requirements.txt",
)  # fmt: skip
# what every page depends on; Sphinx does not notice when one of these changes
SITE = (
    "lib/memwall/**/*.js", "lib/memwall/**/*.css", "book/_*/**/*.*", "_config.yml", "_toc.yml",
    "tools/build_book.py",
)  # fmt: skip
PAGES = ("book/*.*", "notebooks/*.ipynb", "*.md", "CITATION.cff")
# and what is made anew when they change: jupyter-cache keys on notebook cells alone, so an older
# library's numbers must not survive in it
STALE = {
    "library": (LIBRARY, (".jupyter_cache", "html", ".doctrees")),
    "site": (SITE, ("html", ".doctrees")),
    "pages": (PAGES, ()),
}


def digest(patterns: tuple[str, ...]) -> str:
    """One hash over the names and contents of all files that match."""
    total = hashlib.sha256()
    for path in sorted({p for pattern in patterns for p in ROOT.glob(pattern) if p.is_file()}):
        if "__pycache__" in path.parts or ".ipynb_checkpoints" in path.parts:
            continue
        total.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return total.hexdigest()


def main() -> int:
    BUILD.mkdir(exist_ok=True)
    stamps = {BUILD / f".{name}": digest(patterns) for name, (patterns, _) in STALE.items()}
    changed = [s for s, now in stamps.items() if not s.exists() or s.read_text() != now]
    if PAGE.exists() and not changed:
        print(f"Nothing changed. Open {PAGE}")
        return 0
    for stamp in changed:
        for stale in STALE[stamp.name[1:]][1]:
            shutil.rmtree(BUILD / stale, ignore_errors=True)
        stamp.unlink(missing_ok=True)
    command = [
        Path(sys.executable).with_name("jupyter-book"),
        "build",
        ROOT,
        "-W",
        "-n",
        "--keep-going",
    ]
    # what Python computes for each live figure at random positions, for the browser tests
    checks = BUILD / "checks"
    checks.mkdir(exist_ok=True)
    done = subprocess.run(
        command, cwd=ROOT, check=False, env={**os.environ, "MEMWALL_CHECKS": str(checks)}
    )
    if done.returncode:
        for report in sorted((BUILD / "html" / "reports").rglob("*.log")):
            print(f"--- {report.name}\n{report.read_text()[-4000:]}", file=sys.stderr)
        print("The book did not build.", file=sys.stderr)
        return done.returncode
    for stamp, now in stamps.items():
        stamp.write_text(now)
    print(f"Open {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
