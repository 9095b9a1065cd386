# Everything a newcomer needs, with nothing but Python 3.11+, pip and make:
#   make demo    index sample photographs, search edited copies of them, write an HTML report
#   make test    style, types and tests (a few minutes)
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
STAMPS := $(VENV)/.stamps

.DEFAULT_GOAL := help
.PHONY: help demo test test-all test-torch lint types bench peers fix docs clean

help:
	@echo "make demo        index sample photographs, search edited copies, write an HTML report"
	@echo "make test        ruff, mypy and every quick test"
	@echo "make test-all    the same and the slow tests"
	@echo "make test-torch  the tests of the training recipes (installs PyTorch)"
	@echo "make bench       the benchmarks of the main job (needs the shared data)"
	@echo "make peers       environments of the competitors that need their own (2 GB, a few minutes)"
	@echo "make docs        write the generated pages of docs/ anew"
	@echo "make fix         format the code and repair what ruff can repair"

# Each stamp stands for one finished install; it is redone when the project file or a pin changes.
$(STAMPS)/venv:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "OriginLens needs Python 3.11 or newer")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	mkdir -p $(STAMPS) && touch $@

$(STAMPS)/demo: $(STAMPS)/venv pyproject.toml constraints.txt
	$(PIP) --editable '.[demo]'
	touch $@

# pip reads dependency groups only from version 25.1 on, so a venv's own older pip is raised first.
$(STAMPS)/dev: $(STAMPS)/venv pyproject.toml constraints.txt
	$(PIP) 'pip>=25.1'
	$(PIP) --editable '.[demo,bench,heic]' --group dev
	touch $@ $(STAMPS)/demo

$(STAMPS)/torch: $(STAMPS)/dev
	$(PIP) --editable '.[torch]'
	touch $@

demo: $(STAMPS)/demo
	$(BIN)/python examples/demo.py

lint: $(STAMPS)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMPS)/dev
	$(BIN)/mypy

test: lint types
	$(BIN)/python -m pytest -m "not slow and not torch"

test-all: lint types
	$(BIN)/python -m pytest -m "not torch"

test-torch: $(STAMPS)/torch
	$(BIN)/python -m pytest -m torch

bench: $(STAMPS)/dev
	$(BIN)/python benchmarks/main_job.py --split test --seed 7 --json benchmarks/out/main_job.json

# Names each peer that cannot be installed and goes on with the others; fails at the end if any was.
peers: $(STAMPS)/dev
	$(BIN)/originlens bench peers --install

docs: $(STAMPS)/dev
	$(BIN)/python docs/generate.py

fix: $(STAMPS)/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf build dist out demo-out .pytest_cache .mypy_cache .ruff_cache
