# Each command can be run without make as well.
PYTHON ?= python3

.PHONY: demo demo-reset test lint plugins bench

demo:            ## Load a demo company into PostgreSQL; each further run is a business day later
	@$(PYTHON) demo

demo-reset:      ## Remove everything that the demo created
	@$(PYTHON) demo --reset

test:            ## Run the tests; ARGS='-k paging -x' is passed to pytest
	@$(PYTHON) demo/install.py test
	@.venv/bin/pytest $(ARGS)

lint:            ## Check style and types
	@$(PYTHON) demo/install.py dev
	@.venv/bin/ruff check && .venv/bin/ruff format --check && .venv/bin/mypy

plugins:         ## Generate the Meltano plugin definitions from `--about`
	@$(PYTHON) demo/install.py test
	@.venv/bin/python plugins/make.py

bench:           ## Run the benchmarks; ARGS='--records 10000 read start' is passed on
	@$(PYTHON) -m benchmarks $(ARGS)
