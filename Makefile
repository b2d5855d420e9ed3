# Gongkai: every verb of the project. `make` alone lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
GONGKAI := $(BIN)/gongkai
export GX_ANALYTICS_ENABLED = false
export DO_NOT_TRACK = 1

SQL := models analyses tests/data

QUESTION = select agency_name, report_year, requests_received, requests_received_new from rpt_requests_yearly order by agency_name

METRICS = requests_received,requests_received_reports,grant_rate
BY = agency__agency_name,metric_time__year

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
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

.PHONY: lint-sql
lint-sql: setup ## layout and names of the SQL, by .sqlfluff
	@$(BIN)/sqlfluff lint --nocolor --processes 2 $(SQL)

.PHONY: test-long
test-long: setup ## run the tests that take minutes: a refresh killed at every step, years made alone
	@$(BIN)/python -m pytest -m long

.PHONY: test-postgres
test-postgres: setup ## the mirror against a PostgreSQL server, installed from Debian where there is none
	@tools/test_postgres.sh -m "long or not long"

.PHONY: clients
clients: setup ## DuckDB 1.2 to 2.0 and Node open the release in throw-away environments (after make warehouse)
	@$(BIN)/python -m tools.clients

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
	uv pip compile pyproject.toml --all-extras --group dev --group documents -p 3.11 --universal --generate-hashes \
	  --no-strip-extras --no-emit-index-url --no-header --no-annotate -o requirements.lock

.PHONY: clean
clean: ## remove what was built, but not .venv
	rm -rf warehouse target logs build *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
