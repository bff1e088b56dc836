# Cifras on one machine. `make help` lists the targets.

PYTHON ?= python3
PORT ?= 8000
PAC_PORT ?= 8010

VENV := .venv
RUN := $(VENV)/bin/python
# Nothing of a deployment's .env may reach what runs here.
LOCAL := env ENV_FILE=/dev/null DEBUG=true
# What a deployment sets, with values that only a check may use.
DEPLOYED := env ENV_FILE=/dev/null DEBUG=false ALLOWED_HOSTS=cifras.example PROXIES=1 \
  SECRET_KEY=for-checks-only-0123456789-abcdefghijklmnopqrstuvwxyz-0123456789 \
  FIELD_ENCRYPTION_KEY=for-checks-only-another-one-0123456789-abcdefghijklmnopqrstuvw \
  DATABASE_URL=postgres://cifras@127.0.0.1/cifras EMAIL_URL=smtp+tls://mail.example:587 \
  PAC_BASE_URL=https://pac.example PAC_WEBHOOK_URL=https://cifras.example/webhooks/pac
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev

.PHONY: help run demo code test lint format types imports check messages migrations deployment bench chaos pictures clean

help:
	@echo "make run    Cifras on http://127.0.0.1:$(PORT) with a demo tenant and a first invoice, until Ctrl-C"
	@echo "make demo   the same, and stops after the invoice (exit code 0 or 1)"
	@echo "make code   a code to sign in to the admin of make run"
	@echo "make test   the whole test suite: SQLite, and PostgreSQL where there is one"
	@echo "            (a part of it: make test ARGS='-k onboarding')"
	@echo "make lint   formatting, linting, types, and the direction of imports"
	@echo "make check  what CI checks beside the tests: lint, migrations, deployment settings"
	@echo "make messages  collects the texts to translate into locale/, and compiles them (gettext)"
	@echo "make bench  what it costs, measured side by side; writes docs/performance.md"
	@echo "make chaos  2,000 invoices while everything fails: nothing may be lost or doubled (PostgreSQL;"
	@echo "            ten minutes; the same faults again: make chaos ARGS='--seed 7')"
	@echo "make pictures  takes the pictures of docs/admin.md anew (Chromium)"
	@echo "make clean  forgets the local data in var/ and the virtual environment"

run: $(INSTALLED)
	@$(LOCAL) $(RUN) manage.py run_local --port $(PORT) --pac-port $(PAC_PORT)

demo: $(INSTALLED)
	@$(LOCAL) $(RUN) manage.py run_local --once --port $(PORT) --pac-port $(PAC_PORT)

code: $(INSTALLED)
	@$(LOCAL) $(RUN) manage.py run_local --code

test: $(INSTALLED)
	@$(RUN) -m cifras.tests.both_databases $(ARGS)

lint: format types imports

format: $(INSTALLED_DEV)
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .

types: $(INSTALLED_DEV)
	$(VENV)/bin/mypy

imports: $(INSTALLED_DEV)
	$(VENV)/bin/lint-imports

check: lint migrations deployment

# Only the English catalogue is collected: the code speaks Spanish, and what libraries lack of it is
# written into locale/es by hand.
messages: $(INSTALLED)
	@command -v xgettext msgfmt >/dev/null || { \
	  echo "This needs GNU gettext (Debian and Ubuntu: apt-get install gettext)."; exit 1; }
	@$(LOCAL) $(RUN) manage.py makemessages --locale en --no-location --no-wrap --no-obsolete \
	  --ignore '$(VENV)/*' --ignore 'var/*' --ignore 'bench/*' --ignore 'staticfiles/*' --ignore '*/tests/*'
	@$(LOCAL) $(RUN) manage.py compilemessages --locale en --locale es --ignore '$(VENV)'

migrations: $(INSTALLED)
	$(LOCAL) $(RUN) manage.py makemigrations --check --dry-run

deployment: $(INSTALLED)
	@echo "manage.py check --deploy, as a deployment is set up"
	@$(DEPLOYED) $(RUN) manage.py check --deploy --fail-level WARNING

clean:
	rm -rf var $(VENV)

# The virtual environment, made once and again when the requirements change.
$(INSTALLED): requirements.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Cifras needs Python 3.11 or newer, and '$(PYTHON)' is not one."; \
	  echo "Name another: make $(MAKECMDGOALS) PYTHON=python3.12"; \
	  exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "This Python has no venv module (Debian and Ubuntu: apt-get install python3-venv)."; \
	  exit 1; }
	@test -x $(RUN) || $(PYTHON) -m venv --clear $(VENV)
	@echo "Installing what Cifras runs on into $(VENV) ..."
	@$(RUN) -m pip install -qq --disable-pip-version-check -r requirements.txt
	@touch $@

$(INSTALLED_DEV): $(INSTALLED) requirements-dev.txt
	@$(RUN) -m pip install -qq --disable-pip-version-check -r requirements-dev.txt
	@touch $@

bench: $(INSTALLED)
	@$(RUN) -m bench

chaos: $(INSTALLED)
	@$(RUN) -m bench.chaos $(ARGS)

pictures: $(INSTALLED)
	@PICTURES=docs/admin BROWSER_REQUIRED=1 $(RUN) -m pytest -q cifras/tests/browser
