# Every target installs what it needs; a second run starts in seconds. `make help` lists them.
.POSIX:
.SILENT:
SHELL := /bin/sh
.SHELLFLAGS := -euc
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo up down status check test test-faults fuzz test-containers image stand-ins check-chart deploy undeploy kind coverage mutants bench bench-peers contract api-changes lock clean

help: ## list the targets
	grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 17

.venv/run: requirements/run.lock pyproject.toml
	$(PYTHON) requirements/install run

.venv/dev: requirements/dev.lock pyproject.toml
	$(PYTHON) requirements/install dev

demo: .venv/run ## start everything, walk an order through it, leave it up
	$(BIN)/orderstream demo

up: .venv/run ## start the stack
	$(BIN)/orderstream up

down: .venv/run ## stop it; its data stay
	$(BIN)/orderstream down

status: .venv/run ## what runs, where
	$(BIN)/orderstream status

check: .venv/dev ## lint, types, architecture, pure tests, 50 seeds: under a minute
	requirements/check

test: .venv/dev ## every test, on real servers of its own
	$(BIN)/pytest -n 2 --dist worksteal

test-faults: .venv/dev ## every row of the table of faults, FAULT_RUNS=5 for five runs of each
	$(BIN)/pytest -m "" tests/faults

fuzz: .venv/dev ## ask the edge what its document says, for half an hour: FUZZ_SECONDS, FUZZ_SEED of an earlier run
	FUZZ_SECONDS=$${FUZZ_SECONDS:-1800} $(BIN)/pytest -s tests/fuzz

image: ## build the image of every process, its commit in it
	COMMIT="$$(git rev-parse --short HEAD)" docker compose build provision

stand-ins: .venv/dev ## build what the image registry has, from packages, where none is in reach (BUILD=podman)
	containers/stand-ins/build

test-containers: .venv/dev ## the product as containers, and the end-to-end tests on servers in containers
	$(BIN)/pytest -m "containers or stack" --on-containers tests/containers tests/e2e

check-chart: .venv/dev ## lint, render, validate and scan the chart for its three environments
	$(BIN)/python -m tests.helm.tools && $(BIN)/pytest -m chart tests/helm

deploy: ## install or upgrade the chart: ENV=dev, staging or production; VALUES= a file of your own, SET=, CONTEXT= of kubectl
	helm upgrade --install orderstream helm/orderstream --values helm/orderstream/values-$${ENV:?is dev, staging or production}.yaml $(if $(VALUES),--values $(VALUES)) $(if $(SET),--set $(SET)) --namespace orderstream --create-namespace $(if $(CONTEXT),--kube-context $(CONTEXT)) --timeout 25m

undeploy: ## remove it
	helm uninstall orderstream --namespace orderstream $(if $(CONTEXT),--kube-context $(CONTEXT))

kind: ## a cluster on this machine with all of it (needs Docker, kind, kubectl, helm); helm/kind down removes it
	helm/kind

coverage: .venv/dev ## every test once more, and what no test passes through
	requirements/coverage

mutants: .venv/dev ## how many small changes of what counts money no test notices: for a night
	requirements/mutants

bench: .venv/dev ## measure and print: all, or WHAT="drain hop way projections"
	$(BIN)/python -m bench $(WHAT)

bench-peers: .venv/dev ## race the shell against Kafka Streams and Quix (needs a JDK and Maven), or WHAT="drain hop"
	$(BIN)/python -m bench.peers $(WHAT)

contract: .venv/dev ## write the schemas and documents of topics and API anew
	$(BIN)/python -m ops.contract

api-changes: .venv/dev ## write what of the API has changed since the last release into CHANGELOG.md (builds oasdiff)
	$(BIN)/python -m tests.api.changes

lock: .venv/dev ## write the lock files anew
	PATH="$(CURDIR)/$(BIN):$$PATH" requirements/lock

clean: ## remove the environment and the caches inside this folder
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage mutants
