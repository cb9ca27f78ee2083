# `make help` lists what there is to do. Needs only Python >= 3.11 with venv and pip, git and make.

.DEFAULT_GOAL := help
SHELL := /bin/bash
MODE ?= demo
JOBS ?= 2
# The first Python that is new enough; PYTHON=/path/to/python3 chooses another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$p"; break; }; done)
PY := .venv/bin/python
HUITONG := .venv/bin/huitong
# Named after the content, so that `install` does nothing until the lock or the project's own description changes.
STAMP := .venv/installed-$(shell cat requirements.lock pyproject.toml | cksum | tr ' ' -)
# Many processes start; each is a fifth quicker when it need not compile what another has compiled (`make clean`).
export PYTHONDONTWRITEBYTECODE :=
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

##@ Run

.PHONY: install
install: $(STAMP) ## create .venv with the pinned dependencies (nothing to do when they have not changed)

.PHONY: up
up: install ## start the suite: servers, six services, gateway (MODE=demo|test|production)
	@$(HUITONG) up --mode $(MODE)

.PHONY: down
down: ## stop the suite in order; data is kept
	@if [ -x $(HUITONG) ]; then $(HUITONG) down; else echo "not installed, nothing runs"; fi

.PHONY: status
status: install ## show every part of the suite
	@$(HUITONG) status

.PHONY: demo
demo: install ## replay a year of real purchases and print the tables (RECEIPTS=5000 for a short look)
	@$(HUITONG) demo $(if $(RECEIPTS),--receipts $(RECEIPTS)) $(DEMO_ARGS)

.PHONY: check-invariants
check-invariants: install ## evaluate every invariant over the real databases
	@$(HUITONG) check-invariants

##@ Develop

.PHONY: test
test: install ## run all tests on servers of their own (TESTS=tests/unit for a part, PYTEST_ARGS=…)
	@$(PY) -m pytest -n $(JOBS) --dist loadfile $(PYTEST_ARGS) $(TESTS)

.PHONY: nightly
nightly: install ## 10,000 sequences of the points service and of the ledger alone (SEQUENCES=…), 200 requests and all limits at each door (EXAMPLES=…), 1,000,000 members graded and lots expired, 300,000 rows imported
	@HUITONG_TEST_SEQUENCES=$(or $(SEQUENCES),10000) HUITONG_TEST_CONTRACT_EXAMPLES=$(or $(EXAMPLES),200) \
	  HUITONG_TEST_GRADED_MEMBERS=$(or $(GRADED_MEMBERS),1000000) \
	  HUITONG_TEST_EXPIRY_WALLETS=$(or $(EXPIRY_WALLETS),270000) HUITONG_IMPORT_ROWS=$(or $(IMPORT_ROWS),300000) \
	  $(PY) -m pytest -n $(JOBS) --timeout 14400 $(PYTEST_ARGS) \
	  tests/integration/points/test_model.py tests/integration/points/test_ledger_machine.py tests/whole/test_openapi.py tests/integration/member/test_grading_of_many.py \
	  tests/integration/points/test_expiry.py tests/integration/test_members_import.py

.PHONY: lint
lint: install ## ruff, mypy, import contracts, unused or undeclared dependencies
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports
	$(PY) -m deptry .

.PHONY: format
format: install ## format the code and order its imports
	$(PY) -m ruff check --select I --fix .
	$(PY) -m ruff format .

.PHONY: protos
protos: install ## generate gen/ from protos/
	@$(PY) tools/protos.py

.PHONY: bench
bench: install ## measure, and print the table beside its baselines (also in build/bench.json)
	@$(PY) -m tests.bench $(BENCH_ARGS)

.PHONY: chaos
chaos: install ## kill parts of a running suite and print what it lost (nothing)
	@HUITONG_CHAOS=all $(PY) -m pytest -n 0 -s -m chaos $(PYTEST_ARGS) tests/chaos

.PHONY: audit
audit: install ## look the pinned dependencies up among known vulnerabilities
	@$(PY) -m tools.audit

.PHONY: lock
lock: install ## pin the dependencies of pyproject.toml anew
	.venv/bin/pip-compile -q --all-extras --allow-unsafe --generate-hashes --no-emit-find-links \
	  --no-emit-index-url --no-emit-trusted-host --output-file=requirements.lock --strip-extras pyproject.toml

##@ Clean

.PHONY: clean
clean: ## stop the suite, remove its data and what builds left; .venv stays
	@if [ -x $(HUITONG) ]; then $(HUITONG) down --erase; else rm -rf .huitong; fi
	@rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +

.PHONY: distclean
distclean: clean ## also remove .venv
	@rm -rf .venv

##@ Help

.PHONY: help
help: ## this list
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { printf "\n\033[1m%s\033[0m\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  \033[36m%-18s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(STAMP):
	@if [ -z "$(PYTHON)" ]; then echo "Huitong needs Python 3.11 or newer (PYTHON=/path/to/python3)." >&2; exit 1; fi
	@if ! $(PY) -m pip --version >/dev/null 2>&1; then \
	  if ! "$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null; then \
	    echo "$(PYTHON) has no venv module; on Debian or Ubuntu: apt-get install python3-venv python3-pip" >&2; exit 1; fi; \
	  rm -rf .venv && "$(PYTHON)" -m venv .venv; fi
	@echo "Installing the pinned dependencies into .venv (once; a minute or two) …"
	@$(PY) -m pip install -q --require-hashes -r requirements.lock
	@PYTHONWARNINGS=ignore $(PY) -m pip install -q --no-deps --no-build-isolation -e .
	@rm -f .venv/installed-* && touch $@
