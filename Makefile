# What each line runs can be run without make as well.
PYTHON ?= python3

.PHONY: demo demo-reset test lint plugins bench

demo:            ## A demo company into PostgreSQL; once more: a business day later
	@$(PYTHON) demo

demo-reset:      ## Forget what the demo made
	@$(PYTHON) demo --reset

test:            ## The tests; ARGS='-k paging -x' goes to pytest
	@$(PYTHON) demo/install.py test
	@.venv/bin/pytest $(ARGS)

lint:            ## Style and types
	@$(PYTHON) demo/install.py dev
	@.venv/bin/ruff check && .venv/bin/ruff format --check && .venv/bin/mypy

plugins:         ## Meltano's definitions, from what tap-xero and target-xero say of themselves
	@$(PYTHON) demo/install.py test
	@.venv/bin/python plugins/make.py

bench:           ## Measure against the rivals; ARGS='--records 10000 read start' for some parts
	@$(PYTHON) -m benchmarks $(ARGS)
