# Each of these alone works on a fresh machine: the environment is made first. `make help` lists them.
PYTHON ?= python3
VENV ?= .venv
EXPERIMENT ?= first_look
ARGS ?=

RUN = $(VENV)/bin/python -m sweeps
READY = $(VENV)/.ready
# of ARGS, what says where the records are: the report must look there too
ifneq ($(filter experiment=%,$(ARGS)),)
$(error ARGS holds $(filter experiment=%,$(ARGS)); write EXPERIMENT=$(patsubst experiment=%,%,$(filter experiment=%,$(ARGS))) in its place, so that the report is of it too)
endif
WHERE = experiment=$(EXPERIMENT) $(filter runs_dir=%,$(ARGS))

.DEFAULT_GOAL = help
.PHONY: help setup sweep plan figures report claims papers verify mirror sync workspace dashboard test test-slow check format lint types bench notebooks clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY)  ## the environment in .venv (VENV=... for another); a torch that is there and fits the pin is kept

# A new environment sees the interpreter's own packages only when they include a torch of the pinned version.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and "Python 3.11 or newer is needed; this is %d.%d: make PYTHON=python3.12" % v[:2])'
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV) $$($(PYTHON) -c 'from importlib.metadata import version as v; print("--system-site-packages" * (v("torch").split("+")[0] == "2.13.0"))' 2>/dev/null)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt setuptools
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --no-build-isolation --editable '.[dev]'
	@touch $@

sweep: $(READY)  ## train an experiment and report: make sweep EXPERIMENT=name ARGS="task.length=50,100"
	@$(RUN) -m experiment=$(EXPERIMENT) $(ARGS); status=$$?; test $$status = 2 || $(RUN) report $(WHERE) || status=$$((status ? status : $$?)); exit $$status

plan: $(READY)  ## what that sweep would do: cells, already done, packs, forecast
	@$(RUN) plan experiment=$(EXPERIMENT) $(ARGS)

figures: $(READY)  ## draw the figures again from the records
	@$(RUN) figures $(WHERE)

report: $(READY)  ## tables, figures and report again from the records
	@$(RUN) report $(WHERE)

claims: $(READY)  ## judge the published statements of the experiment on its records
	@$(RUN) claims $(WHERE)

papers: $(READY)  ## train all experiments that have claims, the cheapest first, and judge them; goes on where it was stopped
	@$(RUN) papers $(ARGS)

verify: $(READY)  ## make the report again elsewhere and say which of its files and of the records differ
	@$(RUN) verify $(WHERE)

mirror: $(READY)  ## mirror the records to W&B (offline unless tracker.mode says otherwise)
	@$(RUN) mirror $(WHERE) $(filter tracker.%,$(ARGS))

sync: $(READY)  ## send the mirrored runs to the W&B server, each once (the key: wandb login)
	@$(RUN) sync $(WHERE)

workspace: $(READY)  ## the W&B workspace and report of the experiment, made or updated (after sync; the key: wandb login)
	@$(RUN) workspace $(WHERE) $(filter tracker.%,$(ARGS))

dashboard: $(READY)  ## what trains now and the report in the browser, made again as cells finish (ARGS="open=false port=8000"); Ctrl-C stops it
	@$(RUN) dashboard $(WHERE) $(filter open=% port=%,$(ARGS))

test: $(READY)  ## the fast tests, on all cores
	$(VENV)/bin/python -m pytest -n auto

test-slow: $(READY)  ## the slow tests
	$(VENV)/bin/python -m pytest -n auto -m slow

check: lint types test  ## what CI runs: format, lint, types, fast tests (import directions among them)

format: $(READY)  ## format the code
	$(VENV)/bin/ruff format src tests benchmarks notebooks
	$(VENV)/bin/ruff check --fix src tests benchmarks notebooks

lint: $(READY)
	$(VENV)/bin/ruff format --check src tests benchmarks notebooks
	$(VENV)/bin/ruff check src tests benchmarks notebooks

types: $(READY)
	$(VENV)/bin/mypy src tests benchmarks notebooks

bench: $(READY)  ## packs against stock torch.nn on this machine (ratios of one interleaved run)
	@$(VENV)/bin/python benchmarks/bench.py $(ARGS)

notebooks: $(READY)  ## run the notebooks in place; the second reads runs/first_look, so after `make sweep`
	@$(VENV)/bin/python notebooks/execute.py notebooks/*.ipynb

clean:  ## remove the environment and caches; records stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
