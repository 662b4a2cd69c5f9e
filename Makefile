# Each command can be run without make as well.
PYTHON ?= python3

.PHONY: demo demo-reset test lint plugins bench

demo:            ## Load a demo company into PostgreSQL; again: a business day later
	@$(PYTHON) demo

demo-reset:      ## Remove what the demo created
	@$(PYTHON) demo --reset

test:            ## Run the tests; ARGS='-k paging -x' is passed to pytest
	@$(PYTHON) demo/install.py test
	@.venv/bin/pytest $(ARGS)

lint:            ## Check style and types
	@$(PYTHON) demo/install.py dev
	@.venv/bin/ruff check && .venv/bin/ruff format --check && .venv/bin/mypy

plugins:         ## Write Meltano's definitions from `--about`
	@$(PYTHON) demo/install.py test
	@.venv/bin/python plugins/make.py

bench:           ## Run the benchmarks; ARGS='--records 10000 read start' selects parts
	@$(PYTHON) -m benchmarks $(ARGS)
