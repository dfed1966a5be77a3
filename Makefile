# Everything runs in one virtual environment: `make install VENV=elsewhere` puts it elsewhere.
PYTHON ?= python3
VENV ?= .venv
# Where torch alone is taken from, such as PyTorch's own CPU index; empty = pip's usual index.
TORCH_INDEX ?=
PYTEST_ARGS ?=

EXTRAS = mujoco,metaworld,minatar,dm-control,box2d,atari,minigrid,crafter,procgen
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check
# The package asks for an old numpy and for gym, and uses neither here.
GAMES = $(PIP) install --no-deps --require-hashes -r games-requirements.txt
# Small networks on one thread are faster than on two that wait for each other.
export OMP_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help install install-dev games rejax demo test test-fast check docs site gallery clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*  ## ' Makefile | sed -E 's/^([a-z-]+):.*  ## (.*)/  make \1\t\2/' | expand -t 22

install: $(VENV)/.installed  ## environment with the product and the environments that pip installs beside each other

install-dev: $(VENV)/.installed-dev  ## the same with the tools for tests and checks

games: $(VENV)/.installed  ## the Procgen games, which `make install` also tries to install
	$(GAMES)

demo: install  ## train the quickstart suite and print its table
	$(BIN)/gtr-bench run quickstart
	$(BIN)/gtr-bench report --suite quickstart

# Two processes must collect the same tests in the same order, whatever the hash of a name.
test test-fast: export PYTHONHASHSEED = 0
test: install-dev  ## all tests
	$(BIN)/python -m pytest -n 2 --dist worksteal $(PYTEST_ARGS)

test-fast: install-dev  ## the tests that take less than about two seconds each
	$(BIN)/python -m pytest -m "not slow" -n 2 --dist worksteal $(PYTEST_ARGS)

check: install-dev  ## formatting, lint, types, and whether the docs' tables are current
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m ruff check .
	$(BIN)/python -m mypy
	$(BIN)/python -m gtr_bench.catalogue.documents --check

docs: install  ## write the docs' tables anew, from the source
	$(BIN)/python -m gtr_bench.catalogue.documents

site: install-dev  ## the docs as a site in build/site, to be looked at with `python -m http.server -d build/site`
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

gallery: install  ## train what the figures of docs/gallery.md need, and draw them anew
	$(BIN)/python docs/gallery.py

rejax:  ## environment of its own (.venv-rejax) for the contender of benchmarks/throughput.py
	$(PYTHON) -m venv .venv-rejax
	.venv-rejax/bin/python -m pip --disable-pip-version-check install -r benchmarks/rejax-requirements.txt

clean:  ## remove the environments; results stay
	rm -rf $(VENV) .venv-rejax

# The stamps make a second call free; a change of the requirements installs again into the same environment.
$(VENV)/.installed: pyproject.toml constraints.txt games-requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "gtr-bench needs Python 3.11 or newer, this is " + sys.version.split()[0])'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(if $(TORCH_INDEX),PIP_INDEX_URL=$(TORCH_INDEX) )$(PIP) install -c constraints.txt torch
	$(PIP) install -c constraints.txt -e '.[$(EXTRAS)]'
	$(GAMES) || echo 'The Procgen games could not be installed, everything else could; try again with: make games'
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) install -c constraints.txt -e '.[$(EXTRAS),dev]'
	touch $@
