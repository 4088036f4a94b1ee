# Every target is what CI runs and what the README says. `make` prints this list.
.DEFAULT_GOAL := help
SHELL := /bin/sh
.SUFFIXES:
MAKEFLAGS += --no-print-directory

# Where the tests find RabbitMQ and Postgres; `make services` starts what does not answer.
TEST_AMQP_URL = $(or $(AMQP_URL),amqp://guest:guest@127.0.0.1:5672/)
TEST_DATABASE_URL = $(or $(DATABASE_URL),postgres://postgres@127.0.0.1:5432/postgres)
# More arguments for pytest: make test-fast ARGS='-k envelope -x'
ARGS ?=

bin := .venv/bin
# Compiled once and kept, whatever the shell says: pytest rewrites every test, and each of a hundred
# processes imports all of Levity.
export PYTHONDONTWRITEBYTECODE :=
# Tests and lint leave the data of a running site alone.
scratch := LEVITY_FROZEN=1 TIME_ZONE=UTC LEVITY_DATA_DIR="$$(pwd)/.venv/scratch" SECRET_KEY=of-no-value-of-no-value-of-no-value-of-no-value-of-no-value

.PHONY: help
help: ## Print this list
	@awk 'BEGIN {FS = ":.*## "; print "Targets:"} \
		/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: env env-runtime
env: ## Make .venv with everything for developing (from the lock files)
	@tools/env dev
env-runtime:
	@tools/env runtime

.PHONY: run demo
run: env-runtime ## Serve HTTP on 8000, websockets on 9000 (HTTP_PORT, WS_PORT, LEVITY_DATA_DIR, EXTRAS)
	@exec $(bin)/levity serve
demo: env-runtime ## The same with ten simulated charge points
	@exec $(bin)/levity serve --demo

# A file for each lane, in the order of be/tests/conftest.py; a lane for each core and two more, for
# lanes wait for services half of the time (LANES). A test that hangs ends the run.
lanes = $(or $(LANES),$(shell expr $$(getconf _NPROCESSORS_ONLN) + 2))
in-lanes = -n $(or $(1),$(lanes)) --dist loadfile --no-loadscope-reorder --max-worker-restart 0
on-services = AMQP_URL='$(TEST_AMQP_URL)' DATABASE_URL='$(TEST_DATABASE_URL)'

# Everything that has queues, databases and ports of its own, in lanes; the core on the other
# database, too; then what promises limits of time and mostly waits, two at a time; and, one by
# one, what measures or uses what is there once on a machine.
# The store, the ledger and the field are judged on both databases: here on SQLite. What is marked
# `once`, or has no fixture of a database, asks it nothing that it has not been asked.
on-both := be/tests/db be/tests/ocpp be/tests/conversations be/tests/field
# To collect all tests takes 7 s of CPU; ARGS may name files, too.
marked = $(if $(filter be/% ws/%,$(ARGS)),,$(shell grep -rl --include='test_*.py' 'mark[.]$(1)' ws/tests be/tests))
# Of many cases of a kind `test` plays the few in which different faults show (be/tests/few.py).
the-few = and not exhaustive
# What fails beside others is run once more by itself, and is named where it passes then.
pytest := $(bin)/python tools/run_tests.py
.PHONY: test test-fast test-all
test: env ## The tests; starts Postgres and RabbitMQ where none answers
	@$(on-services) tools/services --tests
	@$(on-services) $(scratch) $(pytest) $(in-lanes) -m "not exclusive and not timed and not deploy $(the-few)" $(ARGS)
	@env -u AMQP_URL -u DATABASE_URL $(scratch) $(pytest) $(call in-lanes,auto) -m "not services and not once and not timed $(the-few)" $(on-both) $(ARGS)
	@$(on-services) $(scratch) $(pytest) $(call in-lanes,2) -m "timed and not deploy $(the-few)" $(call marked,timed) $(ARGS)
	@$(on-services) $(scratch) $(pytest) -m "exclusive and not deploy $(the-few)" $(call marked,exclusive) $(ARGS)
test-all: ## The same with every case of a kind, as every night
	@$(MAKE) test the-few=
# In one process: each lane more would import everything once more.
test-fast: env ## Some of every file in a minute of CPU; needs nothing (SQLite, memory transport)
	@env -u AMQP_URL -u DATABASE_URL LEVITY_QUICK=1 $(scratch) $(pytest) -q \
		-m "not services and not browser and not nginx and not slow and not deploy $(the-few)" $(ARGS)

# What real chargers do (docs/field.md), each on a Levity of its own: `levity serve`, then the fleet.
field := PYTHONPATH=be:ws $(bin)/python -m tests.field.run
.PHONY: field field-fast shapes
field: env ## Public reports and captures over websockets, on both shapes; a line a case (ARGS='--only c40')
	@$(on-services) tools/services --tests
	@$(field) $(ARGS)
	@$(on-services) $(field) --fleet $(ARGS)
field-fast: env ## The same on levity serve alone, without what takes half a minute
	@$(field) --quick $(ARGS)
shapes: env ## What fields, contexts, units, headers real chargers send, and which test judges each
	@$(scratch) PYTHONPATH=be:ws $(bin)/python -m tests.field.shapes

.PHONY: conformance fuzz
conformance: env ## The certification cases, driven by an independent charger; prints a table
	@env -u AMQP_URL -u DATABASE_URL $(scratch) $(bin)/pytest be/tests/promises/conformance $(ARGS)
# On Postgres where DATABASE_URL names one. No limit of time: a hang would say where.
fuzz: env ## 100,000 frames at random through the pipeline (FRAMES, SEED)
	@LEVITY_FUZZ_FRAMES='$(or $(FRAMES),100000)' LEVITY_FUZZ_SEED='$(or $(SEED),20261122)' \
		$(scratch) $(bin)/pytest be/tests/promises/fuzz -o faulthandler_timeout=0 $(ARGS)
.PHONY: prices
prices: env ## 10,000 sessions at random over bands, tiers and both nights: every Wh and cent (SESSIONS)
	@env -u AMQP_URL -u DATABASE_URL $(scratch) LEVITY_PRICED_SESSIONS='$(or $(SESSIONS),10000)' \
		$(bin)/pytest be/tests/billing/rules/test_every_session_adds_up.py -o faulthandler_timeout=0 $(ARGS)
.PHONY: check-api
check-api: env ## Schemathesis against the API of a filled database (SECONDS, SEED); five minutes
	@env -u AMQP_URL -u DATABASE_URL $(scratch) LEVITY_API_SECONDS='$(or $(SECONDS),300)' \
		$(bin)/pytest be/tests/api -k 'schemathesis or generated' -o faulthandler_timeout=0 $(ARGS)
# Ratios of turns in one run; on a machine that does something else they mean nothing.
.PHONY: flood
flood: env ## What floods cost the other chargers (FLOODS, TURN); prints a table
	@LEVITY_FLOOD_SECONDS='$(TURN)' $(scratch) \
		$(bin)/pytest be/tests/promises/floods/measure.py $(if $(FLOODS),-k '$(FLOODS)') $(ARGS)

# A million messages and 10,000 charge points on Postgres, and every hostile text on every page.
.PHONY: pages
pages: env ## The admin with a million messages: queries and times; takes minutes (MESSAGES, CHARGERS)
	@AMQP_URL='$(TEST_AMQP_URL)' DATABASE_URL='$(TEST_DATABASE_URL)' tools/services --tests
	@DATABASE_URL='$(TEST_DATABASE_URL)' $(scratch) LEVITY_EVERY_TEXT=1 \
		LEVITY_PAGE_MESSAGES='$(or $(MESSAGES),1000000)' \
		LEVITY_PAGE_CHARGERS='$(or $(CHARGERS),10000)' \
		$(bin)/pytest -s be/tests/pages/whole/test_big_site.py be/tests/pages/whole/test_markup.py $(ARGS)

.PHONY: lint format
lint: env ## Formatting, style, types, Django checks, imports, lock files
	@tools/lint
format: env ## Format and fix what can be fixed
	@$(bin)/ruff check --fix-only --quiet .
	@$(bin)/ruff format .
	@$(bin)/python tools/wrap_prose.py

.PHONY: bench
bench: env ## Measure against RabbitMQ and Postgres; prints a table, writes JSON
	@AMQP_URL='$(TEST_AMQP_URL)' DATABASE_URL='$(TEST_DATABASE_URL)' tools/services
	@AMQP_URL='$(TEST_AMQP_URL)' DATABASE_URL='$(TEST_DATABASE_URL)' $(bin)/levity bench $(ARGS)

.PHONY: queue
queue: env ## 4 workers send 20 commands to each of 200 chargers: in order, one outstanding each
	@$(on-services) tools/services --tests
	@$(on-services) $(scratch) LEVITY_QUEUE=200x20 $(bin)/pytest --durations=1 -o faulthandler_timeout=0 \
		be/tests/ocpp/commands/test_many_workers.py $(ARGS)

.PHONY: year
year: env ## Play days of chargers into an empty database; what they take (ARGS='--chargers 20 --days 30')
	@rm -rf .venv/year
	@env -u AMQP_URL LEVITY_DATA_DIR="$$(pwd)/.venv/year" TIME_ZONE=UTC \
		SECRET_KEY=of-no-value-of-no-value-of-no-value-of-no-value-of-no-value \
		$(bin)/levity year $(ARGS)

.PHONY: soak
soak: env ## Break everything around Levity under load; ledgers must match (ARGS=--help)
	@env -u AMQP_URL -u DATABASE_URL LEVITY_DATA_DIR="$$(pwd)/.venv/scratch" \
		$(bin)/levity soak $(ARGS)

.PHONY: oracle
oracle: env ## Hold sessions against meters that know their true energy (ARGS=--help)
	@env -u AMQP_URL LEVITY_DATA_DIR="$$(pwd)/.venv/scratch" TIME_ZONE=UTC \
		SECRET_KEY=of-no-value-of-no-value-of-no-value-of-no-value-of-no-value \
		$(bin)/levity oracle $(ARGS)

.PHONY: moving-kills
moving-kills: env ## Kill whoever moves old rows, 100 times on each database (KILLS); takes half an hour
	@AMQP_URL='$(TEST_AMQP_URL)' DATABASE_URL='$(TEST_DATABASE_URL)' tools/services
	@AMQP_URL='$(TEST_AMQP_URL)' DATABASE_URL='$(TEST_DATABASE_URL)' $(scratch) \
		LEVITY_MOVING_KILLS='$(or $(KILLS),100)' LEVITY_MOVING_DAYS=5 \
		$(bin)/pytest be/tests/system/test_moving_kills.py -s -o faulthandler_timeout=0 $(ARGS)

.PHONY: bench-handshakes
bench-handshakes: env ## What 10,000 authenticated handshakes cost (LEVITY_HANDSHAKES), E-22
	@AMQP_URL='$(TEST_AMQP_URL)' DATABASE_URL='$(TEST_DATABASE_URL)' tools/services
	@AMQP_URL='$(TEST_AMQP_URL)' DATABASE_URL='$(TEST_DATABASE_URL)' $(scratch) \
		$(bin)/pytest be/tests/promises/handshakes_bench.py -o faulthandler_timeout=0 $(ARGS)

.PHONY: bench-commands
bench-commands: env ## From the POST of a command to its frame at the charger (LEVITY_COMMANDS)
	@AMQP_URL='$(TEST_AMQP_URL)' DATABASE_URL='$(TEST_DATABASE_URL)' tools/services
	@AMQP_URL='$(TEST_AMQP_URL)' DATABASE_URL='$(TEST_DATABASE_URL)' $(scratch) \
		$(bin)/pytest be/tests/promises/commands_bench.py -o faulthandler_timeout=0 $(ARGS)

.PHONY: storm trouble
storm: env ## Let 10,000 chargers connect in the same second, beside 100 that are served (STORM)
	@AMQP_URL='$(TEST_AMQP_URL)' DATABASE_URL='$(TEST_DATABASE_URL)' tools/services
	@AMQP_URL='$(TEST_AMQP_URL)' DATABASE_URL='$(TEST_DATABASE_URL)' $(scratch) \
		LEVITY_STORM='$(or $(STORM),10000)' $(bin)/pytest be/tests/system/test_storm.py \
		-s -o faulthandler_timeout=0 $(ARGS)
# Half an hour. No limit of time: a hang would say where.
trouble: env ## Restart a broker 50 times, kill edges with a spool, connect and go 100,000 times
	@AMQP_URL='$(TEST_AMQP_URL)' DATABASE_URL='$(TEST_DATABASE_URL)' tools/services
	@AMQP_URL='$(TEST_AMQP_URL)' DATABASE_URL='$(TEST_DATABASE_URL)' $(scratch) \
		LEVITY_BROKER_RESTARTS=50 LEVITY_WORKER_KILLS=20 LEVITY_SPOOL_KILLS=20 LEVITY_CHURN=100000 \
		$(bin)/pytest ws/tests/test_broker_trouble.py be/tests/system/test_fleet_faults.py \
		be/tests/system/test_spool.py \
		be/tests/system/still_edges.py \
		ws/tests/test_growth.py -s -o faulthandler_timeout=0 $(ARGS)

.PHONY: services
services: env-runtime ## Start Postgres and RabbitMQ where none answers (Docker, else Debian's packages)
	@AMQP_URL='$(TEST_AMQP_URL)' DATABASE_URL='$(TEST_DATABASE_URL)' tools/services

.PHONY: checks-report
checks-report: env ## List which promised checks have a test
	@$(bin)/python tools/checks_report.py $(ARGS)

.PHONY: check-deploy try-compose images
check-deploy: env ## Images, compose files, nginx, certificates, the whole site; installs what it needs
	@tools/check-deploy $(ARGS)
try-compose: env-runtime ## The full compose files on a real Docker engine, with a charger (ARGS=full)
	@tools/try-compose $(ARGS)
images: ## Build the four images (Docker; without it stand-ins, as root on Debian)
	@tools/images $(ARGS)

.PHONY: audit sbom
audit: env ## Known weaknesses of what is locked, of our own code, and secrets in the repository
	@tools/env deploy
	@tools/audit $(ARGS)
sbom: env-runtime ## What the images consist of, as CycloneDX, into sbom/
	@tools/env deploy
	@tools/sbom

.PHONY: wheels
wheels: env-runtime ## Build the wheels of levity-ws and levity into dist/
	@tools/wheels

.PHONY: pictures
pictures: env ## Take the pictures of docs/pictures anew, from the demo (needs Chromium)
	@$(bin)/python tools/pictures

.PHONY: messages
messages: ## Find the texts of pages and statements for translators, and compile them (needs gettext)
	@tools/messages.sh $(abspath $(bin))

.PHONY: clean
clean: ## Remove environments, builds and caches (never data/)
	rm -rf .venv .poetry .deploy .certbot .images sbom .venv-lock .poetry-lock .deploy-lock .certbot-lock dist ws/dist be/dist lab/dist \
		.mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis \
		be/tests/npm/node_modules
	find ws be lab tools -name __pycache__ -type d -prune -exec rm -rf {} +
