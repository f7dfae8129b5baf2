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
LIBRARY = ("lib/memwall/**/*.py", "lib/memwall/**/*.csv")
BOOK = (
    "lib/memwall/*.js",
    "lib/memwall/*.css",
    "book/**/*.*",
    "notebooks/*.ipynb",
    "_config.yml",
    "_toc.yml",
    "tools/build_book.py",
)


def digest(patterns: tuple[str, ...]) -> str:
    """One hash over the names and contents of all files that match."""
    total = hashlib.sha256()
    for path in sorted({p for pattern in patterns for p in ROOT.glob(pattern) if p.is_file()}):
        if "__pycache__" in path.parts or ".ipynb_checkpoints" in path.parts:
            continue
        total.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return total.hexdigest()


def unchanged(stamp: Path, value: str) -> bool:
    return stamp.exists() and stamp.read_text() == value


def main() -> int:
    BUILD.mkdir(exist_ok=True)
    library, book = digest((*LIBRARY, "requirements.txt")), digest((*LIBRARY, *BOOK))
    library_stamp, book_stamp = BUILD / ".library", BUILD / ".book"
    if PAGE.exists() and unchanged(book_stamp, book):
        print(f"Nothing changed. Open {PAGE}")
        return 0
    if not unchanged(library_stamp, library):
        # jupyter-cache keys on notebook cells alone; an older library's numbers must not survive
        for stale in (".jupyter_cache", "html", ".doctrees"):
            shutil.rmtree(BUILD / stale, ignore_errors=True)
    book_stamp.unlink(missing_ok=True)
    library_stamp.write_text(library)
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
    book_stamp.write_text(book)
    print(f"Open {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
