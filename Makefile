# Thin wrappers: everything else is plain Snakemake (see README.md).
PYTHON ?= python3
BIN := .venv/bin
# Checksum of the files that define the environment: after a clone, their time stamps say nothing.
CONTENTS := $(shell (cat envs/requirements.lock envs/install.py; sed '/^\[tool/q' pyproject.toml) | cksum)

.PHONY: reproduce test test-all lint plans quick stress levels bench docs docs-site wheelhouse clean-environment other-contents

reproduce: .venv/complete
	@$(BIN)/snakemake --cores all

# Three on two cores: tests of whole runs wait, for processes and for the study that they share.
PYTEST := $(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

test: lint
	$(PYTEST)

# All tests but the stress tests, slow ones included: for every night.
test-all: lint
	$(PYTEST) -m 'not stress'

lint: .venv/complete
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow/Snakefile workflow/rules
	$(BIN)/biome ci workflow/memloc/explorer/page

# A dry-run of every study.
plans: .venv/complete
	$(BIN)/python -m pytest --quiet --numprocesses 2 tests/workflow/test_dag.py tests/workflow/test_public_studies.py -k plan

# Before a commit: lint, and the unit tests of what changed since the last one and of what imports it.
quick: .venv/complete
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/python -m pytest --quiet --numprocesses 2 --durations 3 $$($(BIN)/python tests/changed.py)

# Tests that take hours: dozens of kills, the whole study on Slurm, simulated intervals.
stress: .venv/complete
	$(BIN)/python -m pytest -m stress

# Tests with the kernels that libraries choose here, with those of AVX2, and with the plainest.
levels: .venv/complete
	$(BIN)/python tests/levels.py $(PYTEST) tests/rules tests/unit

# The stages next to plain implementations, at the size of GPT-Neo 125M; SIZE=small takes minutes.
SIZE ?= full
bench: .venv/complete
	PYTHONPATH=tests/unit $(BIN)/python tests/bench.py $(SIZE)

# Generated parts of the documentation and the environment files: run after a change of settings or figures. With
# STUDY=results/mini, numbers and pictures of the pages become those of this run.
docs: .venv/complete
	$(BIN)/python docs/generate.py $(STUDY)

# Wheels for a machine without network: there, `make WHEELHOUSE=wheelhouse reproduce`. TORCH names a build of torch for
# that machine, such as cu128 or rocm6.4, here as for every other target.
wheelhouse: .venv/complete
	$(BIN)/python envs/install.py --collect wheelhouse $(TORCH:%=--torch %)

# The documentation as a site: site/index.html opens from disk. Only this target installs what builds it.
docs-site: .venv/complete
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement envs/docs.lock
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going -c docs . site
	@echo "site/index.html"

ifneq ($(shell cat .venv/complete 2>/dev/null),$(CONTENTS))
.venv/complete: other-contents
endif

.venv/complete:
	@$(PYTHON) -c 'import sys; assert (3, 11) <= sys.version_info[:2] <= (3, 13), "Python 3.11 to 3.13 is needed: make PYTHON=python3.11"'
	@echo "Installing about 2.4 GB of packages into .venv: a minute, or as long as the downloads take."
	@rm -rf .venv
	@$(PYTHON) -m venv .venv
	@$(BIN)/python envs/install.py $(TORCH:%=--torch %) $(WHEELHOUSE:%=--wheelhouse %)
	@echo '$(CONTENTS)' > $@

clean-environment:
	rm -rf .venv
