# Every target sets up what it needs in .venv; nothing of the system is changed.
export PYTHONDONTWRITEBYTECODE = 1
unexport PYTHONPATH

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ACTIONLINT := build/tools/bin/actionlint
ACT := build/tools/bin/act

# The first Python of 3.10 or later, unless one is given: make PYTHON=/usr/bin/python3.12
PYTHON ?= $(shell for p in python3 python3.15 python3.14 python3.13 python3.12 python3.11 python3.10 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1 && { echo "$$p"; break; }; done)

.PHONY: help demo unit test check act act-docker windows sweep bench load mutants format vendor lock clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' $(MAKEFILE_LIST) | expand -t 20

demo: $(READY) ## see jobs against the fake Reoclo API: good, rejected, canceled
	@$(BIN)/python -m tests.demo $(ARGS)

unit: $(READY) ## run the fast tests: unit, simulation, integration
	@$(BIN)/python -m pytest tests/unit tests/simulation tests/integration -n auto --dist worksteal $(ARGS)

test: $(READY) ## run all tests but those under act and Wine
	@node --test tests/launcher/*.test.cjs
	@$(BIN)/python -m pytest -n auto --dist worksteal -m "not act and not windows" $(ARGS)

act: $(READY) $(ACT) ## run the workflows of tests/act and the examples under act, on this machine
	@PATH="$(abspath $(dir $(ACT))):$$PATH" $(BIN)/python -m pytest tests/act $(ARGS)

act-docker: $(READY) $(ACT) ## run them in containers; as root on Debian, installs a Docker engine if none is running
	@PATH="$(abspath $(dir $(ACT))):$$PATH" ACT_PLATFORM=docker tools/docker_engine.sh $(BIN)/python -m pytest tests/act $(ARGS)

windows: $(READY) ## run the launcher, main and post with Node and CPython for Windows under Wine
	@tools/windows_setup.sh
	@$(BIN)/python -m pytest tests/windows $(ARGS)

check: $(READY) $(ACTIONLINT) ## formatter, linters, spelling, types, metadata, workflows, vendored code
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/codespell
	@$(BIN)/check-jsonschema --builtin-schema vendor.github-actions action.yml logout/action.yml .github/actions/*/action.yml
	@$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml examples/*.yml
	@$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	@$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/[!c]*.yml
	@$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	@$(ACTIONLINT) -shellcheck $(BIN)/shellcheck -pyflakes=
	@$(ACTIONLINT) -shellcheck $(BIN)/shellcheck -pyflakes= tests/act/by-hand.yml
	@$(ACTIONLINT) -shellcheck $(BIN)/shellcheck -pyflakes= -ignore 'specifying action "https://' examples/*.yml
	@$(BIN)/zizmor --quiet --offline --pedantic --strict-collection .github action.yml logout/action.yml
	@$(BIN)/shellcheck .ci/run tools/*.sh
	@for file in lib/launcher/*.cjs logout/*.cjs .github/actions/*/*.cjs; do node --check "$$file" || exit 1; done
	@$(BIN)/python tools/vendor.py --check
	@$(BIN)/python -m tools.audit

sweep: $(READY) ## cancel jobs as in a container at 100 moments each, and print what became of the logins
	@$(BIN)/python -m tools.sweep $(ARGS)

bench: $(READY) ## measure whole runs of main and post (ARGS=--rounds=3 for a quick look)
	@$(BIN)/python -m tools.bench $(ARGS)

load: $(READY) ## simulate many jobs that share one API key (ARGS="100 256")
	@$(BIN)/python -m tools.load $(ARGS)

mutants: $(READY) ## change lib/ in 400 ways, and count the changes that the fast tests notice
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary=:all: -r tools/mutants.txt
	@$(BIN)/python -m tools.mutants $(ARGS)

format: $(READY) ## format the code
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

vendor: $(READY) ## recreate lib/_vendor from tools/vendored.txt
	@$(BIN)/python tools/vendor.py

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes \
	--no-strip-extras --no-header --no-annotate
lock: $(READY) ## update the locks of the development dependencies
	@$(BIN)/python -m pip install --quiet uv==0.13.9
	@$(COMPILE) --group dev --output-file tools/dev.txt
	@$(COMPILE) --group mutants --constraint tools/dev.txt --output-file tools/mutants.txt

clean: ## remove what the targets made
	@rm -rf $(VENV) .wheels .mypy_cache .ruff_cache .import_linter_cache .coverage .coverage.* build

# Built here, from checked sources: what PyPI has of it fetches a program from elsewhere. When this
# file changes it is built again, since the version may have.
$(ACTIONLINT): Makefile
	@command -v go >/dev/null || { echo "make: make check needs Go, to build actionlint" >&2; exit 1; }
	@GOBIN="$(abspath $(@D))" go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
	@touch $@

$(ACT): Makefile
	@command -v go >/dev/null || { echo "make: make act needs Go, to build act" >&2; exit 1; }
	@GOBIN="$(abspath $(@D))" go install github.com/nektos/act@v0.2.89
	@touch $@

$(READY): tools/dev.txt tools/vendored.txt
	@test -n "$(PYTHON)" || { echo "make: needs Python 3.10 or later on PATH, or make PYTHON=…" >&2; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version) …"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary=:all: -r tools/dev.txt
	@$(BIN)/python tools/vendor.py --fetch
	@touch $@
