# The Memory Wall. Every target sets up what it needs; `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
BROWSER := .venv/.browser
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadscope --nbval --nbval-current-env --nbval-sanitize-with tests/nbval_sanitize.cfg

.PHONY: help book test lab lint format links bench mutate pdf clean update papers marks test-nbgrader

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

$(INSTALLED): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(BROWSER): $(INSTALLED)
	$(BIN)/python tools/ensure_browser.py
	@touch $@

book: $(INSTALLED)  ## build the HTML book into _build/html
	@$(BIN)/python tools/build_book.py

test: book $(BROWSER)  ## run everything: units, properties, notebooks, the book in a browser
	$(PYTEST) lib tests notebooks

lab: $(INSTALLED)  ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab --notebook-dir=. notebooks/01_batching.ipynb

lint: $(INSTALLED)  ## style, types, spelling, which way imports point, clean notebooks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check lib tests tools notebooks book
	$(BIN)/mypy
	$(BIN)/codespell
	$(BIN)/lint-imports
	$(BIN)/python tools/notebooks.py --check

format: $(INSTALLED)  ## put code and notebooks into the project's form
	$(BIN)/ruff check --fix-only --quiet . || true
	$(BIN)/ruff format --quiet lib tests tools notebooks book
	$(BIN)/python tools/notebooks.py

links: $(INSTALLED)  ## ask every outside address that the book names whether it still answers
	$(BIN)/jupyter-book build . --builder linkcheck --path-output _build/links

mutate: $(INSTALLED)  ## change the library in small ways and see whether its tests notice
	$(BIN)/python tools/mutate.py

bench: book $(BROWSER)  ## measure pages, live figures, library and builds; writes _build/bench.json
	$(BIN)/python tools/bench.py

pdf: book $(BROWSER)  ## the whole book as _build/the-memory-wall.pdf
	$(BIN)/python tools/pdf.py

CLASS ?= .
SET ?= set1
CLASSROOM := cd "$(CLASS)" && "$(CURDIR)/$(BIN)/python" -m memwall_classroom

papers: $(INSTALLED)  ## a paper for each student of CLASS=folder (its roster.csv), SET=set1
	@$(CLASSROOM) make $(SET)

marks: $(INSTALLED)  ## mark what was handed in under submissions/SET of CLASS=folder (LMS=canvas, moodle ...)
	@$(CLASSROOM) grade $(SET) submissions/$(SET) $(if $(LMS),--lms $(LMS))

test-nbgrader: $(INSTALLED)  ## try the round trip through nbgrader, in an environment of its own
	@test -x _build/nbgrader/bin/python || $(PYTHON) -m venv _build/nbgrader
	_build/nbgrader/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-nbgrader.in --editable .
	_build/nbgrader/bin/python -m pytest -q --noconftest tests/nbgrader_roundtrip.py

update: $(INSTALLED)  ## resolve requirements.in again into requirements.txt, with hashes
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-emit-index-url --universal --python-version 3.11 \
	  --custom-compile-command "make update" requirements.in -o requirements.txt

clean:  ## remove what was built, keep the environment
	rm -rf _build .pytest_cache .mypy_cache .ruff_cache .hypothesis
