# Needs Python 3.11 or newer and make; everything else is installed into .venv.

PYTHONS = python3.13 python3.12 python3.11 python3 python3.14
RUN = .venv/bin/python
# Compiled files are kept, whatever the shell says: the tests start hundreds of Pythons.
export PYTHONDONTWRITEBYTECODE =
PYTEST = $(RUN) -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
# Nothing crashes this server, so nothing is lost by not waiting for the disk.
POSTGRES = $(RUN) -m bench.postgres --set fsync=off --set full_page_writes=off --set synchronous_commit=off
PIP = $(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes

.PHONY: demo test test-matrix lint docs bench mutants requirements clean

demo: .venv/.runtime
	$(RUN) manage.py demo $(ARGS)

# The suite on SQLite; then, on a real PostgreSQL, what touches concurrency, ledger and queue; then what stops that server.
test: .venv/.dev
	$(PYTEST) $(ARGS)
	$(POSTGRES) -- $(PYTEST) -m "postgres or postgres_only" $(ARGS)
	$(RUN) -m bench.postgres -- $(RUN) -m pytest -m stops_database $(ARGS)

# Other versions of Python, Django and the rest: `make test-matrix ARGS="--whole 3.13/6.1"`.
test-matrix: .venv/.dev
	$(RUN) -m bench.matrix $(ARGS)

lint: .venv/.dev
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports
	$(RUN) manage.py makemigrations --check --dry-run

# What is written from the code: docs/api.md.
docs: .venv/.dev
	$(RUN) manage.py write_reference

bench: .venv/.dev
	$(RUN) -m bench $(ARGS)

# Single changes to the core, drawn by seeds, that the tests should notice: `make mutants ARGS="--seed 7 --count 30"`.
mutants: .venv/.dev
	$(RUN) -m bench.mutants $(ARGS)

# Choose the versions anew: `make requirements ARGS=--upgrade`.
requirements: .venv/.dev
	.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		$(ARGS) requirements.in -o requirements.txt
	.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		$(ARGS) -c requirements.txt requirements-dev.in -o requirements-dev.txt

clean:
	rm -rf .venv tmp .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis db.sqlite3*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@for python in $(PYTHONS); do \
		if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			exec $$python -m venv --clear .venv; \
		fi; \
	done; \
	echo "No Python 3.11 or newer that can make a virtual environment (tried: $(PYTHONS))." >&2; \
	echo "On Debian and Ubuntu: apt-get install python3-venv" >&2; \
	exit 1

.venv/.runtime: requirements.txt | .venv/bin/python
	@echo "Installing requirements.txt into .venv ..."
	@$(PIP) -r requirements.txt
	@touch $@

.venv/.dev: requirements-dev.txt requirements.txt | .venv/bin/python
	@echo "Installing requirements-dev.txt into .venv ..."
	@$(PIP) -r requirements-dev.txt
	@touch .venv/.runtime $@
