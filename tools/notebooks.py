"""Keep notebooks small and comparable: no outputs but the kept ones, no machine's metadata.

    python tools/notebooks.py            clean all notebooks
    python tools/notebooks.py --check    say which are not clean, and fail

A cell tagged `keep_output` keeps its printed text, which nbval then compares to the letter. The
first code cell of each installs the library where it is missing, from the repository that
`_config.yml` names or, while it names none, from the folder the notebook stands in.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import nbformat
import yaml
from nbstripout import strip_output

ROOT = Path(__file__).resolve().parent.parent
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
INSTALL = """\
# Opened alone, in Colab say: the book's library comes first
from importlib.util import find_spec

if not find_spec("memwall"):
    %pip install --quiet {source}
elif not find_spec("memwall_figures"):
    raise ImportError("Another package is called memwall here: pip uninstall memwall")"""
METADATA = {"tags", "mystnb", "jupyter"}


def install_cell() -> nbformat.NotebookNode:
    """The cell that makes a notebook work on a machine without the book."""
    repository = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["repository"]
    url, branch = repository["url"], repository["branch"]
    source = f"git+{url}@{branch}" if url else ".."
    text = INSTALL.format(source=source)
    return nbformat.v4.new_code_cell(text, metadata={"tags": ["remove-cell", "install"]})


def cleaned(path: Path) -> str:
    """The notebook's text as it should be committed."""
    notebook = nbformat.read(path, as_version=4)
    strip_output(notebook, keep_output=False, keep_count=False, keep_id=False)
    notebook.metadata = nbformat.NotebookNode({"kernelspec": KERNEL})
    others = [c for c in notebook.cells if "install" not in c.metadata.get("tags", [])]
    first = next(k for k, c in enumerate(others) if c.cell_type == "code")
    notebook.cells = [*others[:first], install_cell(), *others[first:]]
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
