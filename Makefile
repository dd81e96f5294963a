# The course in two commands: `make book` builds it, `make test` tests it. `make help` lists the rest.
# Needs: make, and Python 3.11 or newer. Everything else goes into .venv, at the versions of requirements.lock.

SHELL := /bin/bash
.SHELLFLAGS := -eo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help book serve exercises slides pdf test bench studies binder format lock clean

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SITE := _build/html
PORT ?= 8000
WORKERS ?= 2

help:  ## list these targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## */  make \1\t/' | expand -t 20

# Only a missing .venv is created: an existing one is brought to the versions of the lock.
$(STAMP): requirements.lock pyproject.toml
	@if [ ! -x $(BIN)/python ]; then \
	  found=; \
	  for candidate in $(PYTHON) python3.11 python3.12 python3.13 python3.14 python3 python; do \
	    if command -v $$candidate >/dev/null 2>&1 \
	      && $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$candidate; break; fi; \
	  done; \
	  if [ -z "$$found" ]; then \
	    echo "optkit needs Python 3.11 or newer, and none is on the PATH." >&2; \
	    echo "Install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 1; fi; \
	  if ! $$found -c 'import venv, ensurepip' 2>/dev/null; then \
	    echo "$$found lacks the modules venv and ensurepip (Debian and Ubuntu: install python3-venv)." >&2; exit 1; fi; \
	  echo "Making $(VENV) with $$($$found --version)"; \
	  $$found -m venv $(VENV); \
	fi
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/python -m pip check
	@touch $@

# One thread: the same numbers on every machine, and small nets train no faster with more.
# A page that was read is not read again: after a failure all are, or the next build would not repeat its warnings.
# And one way of stepping, with or without a compiler: OPTKIT_BACKEND= make book takes the fastest.
book: export OMP_NUM_THREADS ?= 1
book: export OPTKIT_BACKEND ?= torch
book: $(STAMP)  ## build the book, executed, into _build/html
	$(BIN)/jupyter-book build . -W -n --keep-going || { rm -rf _build/.doctrees; exit 1; }
	@$(BIN)/python tools/built_book.py --mark
	@echo
	@echo "The book is built. To read it, type:  make serve$(if $(filter-out 8000,$(PORT)), PORT=$(PORT))   and open http://127.0.0.1:$(PORT)"

serve: $(STAMP)  ## serve the built book on 127.0.0.1
	@test -f $(SITE)/index.html || { echo "There is no built book yet: run 'make book' first." >&2; exit 1; }
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory $(SITE) $(PORT)

exercises: $(STAMP)  ## write the student notebooks, without solutions, into _build/exercises
	$(BIN)/python tools/exercises.py

slides: $(STAMP)  ## cut the slides out of the book into _build/slides
	@$(BIN)/python tools/built_book.py || $(MAKE) book
	$(BIN)/python tools/slides.py

pdf: $(STAMP)  ## print the whole book into _build/optkit.pdf
	@$(BIN)/python tools/built_book.py || $(MAKE) book
	$(BIN)/python tools/print_book.py

# One thread per worker: the machine's cores are shared among the workers.
test: export OMP_NUM_THREADS ?= 1
test: export MPLBACKEND ?= Agg
test: $(STAMP)  ## check format, lint, spelling, unit tests, doctests, the notebooks and the built site
	@$(BIN)/python tools/built_book.py || env -u MPLBACKEND $(MAKE) book
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell
	$(BIN)/python -m pytest tests -n $(WORKERS) --dist worksteal
	$(BIN)/python -m pytest --doctest-modules optkit -n $(WORKERS) --dist loadfile
	OPTKIT_BACKEND=torch $(BIN)/python -m pytest --nbval-lax chapters reference -n $(WORKERS) --dist loadfile

bench: $(STAMP)  ## time a step against other optimizers (15 minutes; BENCH=--quick: one minute)
	$(BIN)/python benchmarks/step.py $(BENCH)

studies: $(STAMP)  ## run the studies that have no stored result, after a list (STUDIES=--list: the list alone)
	$(BIN)/optkit study all $(STUDIES)

binder: $(STAMP)  ## a chapter in JupyterLab, worked by a browser, in a fresh environment (CHAPTER=10, or all)
	$(BIN)/python tools/binder.py $(CHAPTER)

format: $(STAMP)  ## format the code, strip the notebooks, write the address of _config.yml where it is needed
	$(BIN)/python tools/address.py
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/python tools/strip_notebooks.py $(wildcard chapters/*.ipynb reference/*.ipynb)

lock: $(STAMP)  ## write requirements.lock from .venv, and environment.yml from the lock
	$(BIN)/python tools/pins.py

clean:  ## remove the built book (the virtual environment stays)
	rm -rf _build .pytest_cache .ruff_cache .hypothesis
