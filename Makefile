# Gongkai: every verb of the project. `make` alone lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
GONGKAI := $(BIN)/gongkai
export GX_ANALYTICS_ENABLED = false
export DO_NOT_TRACK = 1

SQL := models analyses tests/data

QUESTION = select agency_name, report_year, requests_received, requests_received_new from rpt_requests_yearly order by agency_name

SUPERSET_PORT = 8088

METRICS = requests_received,requests_received_reports,grant_rate
BY = agency__agency_name,metric_time__year

DAGSTER_PORT ?= 3000
DAGSTER_FOLDER := $(abspath $(or $(GONGKAI_WAREHOUSE),warehouse))/dagster

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed, this is %s; run make PYTHON=python3.12" % sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@echo "installing the locked dependencies into $(VENV) (about two minutes, once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

.PHONY: setup
setup: $(VENV)/.installed ## create .venv and install the locked dependencies

.PHONY: warehouse
warehouse: setup ## load the sample reports, build, check and publish
	@$(GONGKAI) refresh samples/reports
	@printf '\nAsk it, for example:\n\n'
	@printf '$$ %s\n' "$(GONGKAI) query \"$(QUESTION)\""
	@$(GONGKAI) query "$(QUESTION)"
	@printf '\nTrace a figure to the printed cell:\n\n'
	@printf '$$ %s\n' "$(GONGKAI) trace --agency 西城区统计局 --year 2018 --metric requests_received"
	@$(GONGKAI) trace --agency 西城区统计局 --year 2018 --metric requests_received
	@printf '\nSee what was checked: %s/current/site/index.html\n' "$${GONGKAI_WAREHOUSE:-warehouse}"
	@printf 'Load your own:        %s refresh FOLDER\n' "$(GONGKAI)"

.PHONY: metrics
metrics: setup ## ask the published metrics, e.g. make metrics METRICS=grant_rate BY=metric_time__year
	@test -x $(BIN)/mf || $(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation -e '.[metricflow]'
	@GONGKAI_DBT_TARGET=published $(BIN)/dbt --quiet parse
	@GONGKAI_DBT_TARGET=published $(BIN)/mf query --quiet --metrics $(METRICS) --group-by $(BY) --order $(BY)

.PHONY: test
test: setup ## run every test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy loaders
	@$(BIN)/python -m loaders.cards --check
	@$(BIN)/sqlfluff lint --nocolor --processes 2 $(SQL)
	@$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

.PHONY: lint-sql
lint-sql: setup ## layout and names of the SQL, by .sqlfluff
	@$(BIN)/sqlfluff lint --nocolor --processes 2 $(SQL)

.PHONY: test-long
test-long: setup ## run the tests that take minutes: a refresh killed at every step, years made alone
	@$(BIN)/python -m pytest -m long

.PHONY: test-postgres
test-postgres: setup ## the mirror against a PostgreSQL server, installed from Debian where there is none
	@tools/test_postgres.sh -m "long or not long"

.PHONY: superset
superset: setup ## Superset over the current release, with one Chinese dashboard, on this machine (after make warehouse)
	@$(BIN)/python -m tools.superset --port $(SUPERSET_PORT)

.PHONY: test-superset
test-superset: setup ## install and start Superset, ask every chart, try to break out of it (fifteen minutes)
	@GONGKAI_REQUIRE_SUPERSET=1 $(BIN)/python -m pytest tests/system/test_superset.py -m long

.PHONY: audit
audit: setup ## ask a service on the network for known vulnerabilities of every locked package
	@test -x $(BIN)/pip-audit || $(BIN)/pip install --quiet --disable-pip-version-check pip-audit==2.10.1
	@$(BIN)/python -m tools.audit

.PHONY: clients
clients: setup ## DuckDB 1.2 to 2.0 and Node open the release in throw-away environments (after make warehouse)
	@$(BIN)/python -m tools.clients

.PHONY: dagster
dagster: setup ## Dagster on 127.0.0.1:$(DAGSTER_PORT): assets, checks, nightly run, sensor on GONGKAI_SOURCES
	@test -x $(BIN)/dagster || $(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation -e '.[dagster]'
	@mkdir -p $(DAGSTER_FOLDER)
	@cp orchestration/dagster.yaml $(DAGSTER_FOLDER)/dagster.yaml
	@GONGKAI_SOURCES="$${GONGKAI_SOURCES-samples/reports}" DAGSTER_HOME=$(DAGSTER_FOLDER) \
	  DAGSTER_GRPC_TIMEOUT_SECONDS=300 DAGSTER_SENSOR_GRPC_TIMEOUT_SECONDS=300 DAGSTER_SCHEDULE_GRPC_TIMEOUT_SECONDS=300 \
	  $(BIN)/dagster dev -m orchestration.definitions -h 127.0.0.1 -p $(DAGSTER_PORT)

.PHONY: test-dagster
test-dagster: setup ## the definitions of Dagster, and runs with something new, nothing new, a failed check and a held lock
	@test -x $(BIN)/dagster || $(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation -e '.[dagster]'
	@$(BIN)/python -m pytest tests/system/test_orchestration.py -m "long or not long"

.PHONY: timer
timer: setup ## install the systemd timer for this folder (root; docs/schedulers.md)
	@deploy/systemd/install.sh

.PHONY: timer-check
timer-check: setup ## let systemd judge the units without installing them
	@deploy/systemd/install.sh --check

.PHONY: cron
cron: setup ## install the cron job for this folder, and Debian's cron where there is none (root; docs/schedulers.md)
	@deploy/cron/install.sh

.PHONY: score
score: setup ## compare what is read from documents with keyed truth
	@$(BIN)/python -m benchmarks.score

.PHONY: accuracy
accuracy: setup ## generate every form in every format with every fault, read it back, write docs/accuracy.md (ten minutes)
	@$(BIN)/python -m benchmarks.accuracy --cells 200000 --jobs 2 --write

.PHONY: mutations
mutations: setup ## load 10,000 spoiled files and account for each (15 minutes)
	@$(BIN)/python -m benchmarks.mutations --count 10000

.PHONY: bench-readers
bench-readers: setup ## each reader beside a common library, and two workers beside one
	@$(BIN)/python -m benchmarks.html_readers
	@$(BIN)/python -m benchmarks.pdf_readers
	@$(BIN)/python -m benchmarks.office_readers
	@$(BIN)/python -m benchmarks.workers

.PHONY: bench-marts
bench-marts: setup ## ten million figures: dbt build beside bare SQL, 1 % new reports, questions (an hour)
	@$(BIN)/python -m benchmarks.marts

.PHONY: faults
faults: setup ## plant every fault alone and see which rule notices it, write docs/quality.md (ten minutes)
	@$(BIN)/python -m benchmarks.faults --write

.PHONY: bench-suites
bench-suites: setup ## all suites on a million figures: CPU and memory, beside their bare SQL (ten minutes)
	@$(BIN)/python -m benchmarks.suites

.PHONY: bench
bench: setup ## time the steps: whole warehouse, dbt build, idle refresh, reading
	@$(BIN)/python -m benchmarks.steps

.PHONY: soak-kills
soak-kills: setup ## 100 refreshes killed at random moments: no broken release, the next one ends right (an hour)
	@$(BIN)/python -m benchmarks.kills --count 100 --jobs 2

.PHONY: soak-publishes
soak-publishes: setup ## 1,000 publishes against four readers of three kinds: no error, no mixed answer (five minutes)
	@$(BIN)/python -m benchmarks.publishes --count 1000

.PHONY: bench-refresh
bench-refresh: setup ## 5,000 documents: a full refresh, one with 1 % new documents, one with nothing new (half an hour)
	@$(BIN)/python -m benchmarks.refresh

.PHONY: cards
cards: setup ## how much of the models, seeds and analyses is described
	@$(BIN)/python -m loaders.card_coverage

.PHONY: docs
docs: setup ## one page of every table, column and lineage, readable offline (after make warehouse)
	@$(BIN)/dbt --quiet docs generate --static
	@mkdir -p $${GONGKAI_WAREHOUSE:-warehouse}
	@cp target/static_index.html $${GONGKAI_WAREHOUSE:-warehouse}/models.html
	@echo "wrote $${GONGKAI_WAREHOUSE:-warehouse}/models.html"
	@$(BIN)/python -m loaders.site

.PHONY: format
format: setup ## format and mend what can be mended
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@$(BIN)/sqlfluff fix --nocolor --quiet $(SQL)
	@$(BIN)/python -m loaders.cards

.PHONY: lock
lock: ## resolve the dependencies anew (needs uv on the path)
	uv pip compile pyproject.toml --extra ocr --extra postgres --group dev --group documents -p 3.11 --universal --generate-hashes \
	  --no-strip-extras --no-emit-index-url --no-header --no-annotate -o requirements.lock

.PHONY: lock-superset
lock-superset: ## resolve the packages of Superset anew (needs uv on the path)
	uv pip compile deploy/superset/requirements.in -p 3.11 --generate-hashes \
	  --no-strip-extras --no-emit-index-url --no-header --no-annotate -o deploy/superset/requirements.lock

.PHONY: clean
clean: ## remove what was built, but not .venv
	@chmod -R u+w warehouse/releases 2>/dev/null || true
	rm -rf warehouse target logs build *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
