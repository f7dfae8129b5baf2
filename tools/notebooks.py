"""Keep notebooks small and comparable: no outputs but the kept ones, no machine's metadata.

    python tools/notebooks.py            clean all notebooks
    python tools/notebooks.py --check    say which are not clean, and fail

A cell tagged `keep_output` keeps its printed text, which nbval then compares to the letter.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import nbformat
from nbstripout import strip_output

ROOT = Path(__file__).resolve().parent.parent
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
METADATA = {"tags", "mystnb", "jupyter"}


def cleaned(path: Path) -> str:
    """The notebook's text as it should be committed."""
    notebook = nbformat.read(path, as_version=4)
    strip_output(notebook, keep_output=False, keep_count=False, keep_id=False)
    notebook.metadata = nbformat.NotebookNode({"kernelspec": KERNEL})
    for number, cell in enumerate(notebook.cells):
        for key in cell.metadata.keys() - METADATA:
            del cell.metadata[key]
        cell["id"] = f"cell-{number:02d}"
        if cell.get("outputs"):
            cell.outputs = [o for o in cell.outputs if o.output_type == "stream"]
            cell.execution_count = 1  # nbval refuses outputs of a cell never run
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return nbformat.writes(notebook, indent=1) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("files", nargs="*", type=Path)
    options = parser.parse_args()
    dirty = []
    for path in options.files or sorted((ROOT / "notebooks").glob("*.ipynb")):
        text = cleaned(path)
        if text != path.read_text(encoding="utf-8"):
            dirty.append(path.name)
            if not options.check:
                path.write_text(text, encoding="utf-8")
    if options.check and dirty:
        print(f"not clean: {', '.join(dirty)}; run `make format`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
