# Needs Python 3.11+ and make; GraphiQL and some tests need Node.js 20.19+ too.
# `make help` lists the targets.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet
# uv reads no settings of pip, so that the hashes are those of the public registry.
LOCK := $(BIN)/uv --no-config pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-header --no-annotate
HOST := 127.0.0.1
PORT := 8000
ROUTER := hive
CASES := 50000
comma := ,

GRAPHIQL := gateway/web/static/graphiql/index.html
GRAPHIQL_SOURCES := graphiql/index.html graphiql/package.json graphiql/package-lock.json \
	graphiql/vite.config.js $(wildcard graphiql/src/*)
EXAMPLE := examples/federation
COMPOSER := $(EXAMPLE)/composer
NODE_TOOLS := tests/clients/composition tests/clients/graphql-http tests/clients/javascript \
	tests/contract/inspector $(addprefix examples/clients/,apollo relay urql) \
	$(COMPOSER) $(EXAMPLE)/routers/hive $(EXAMPLE)/routers/apollo
NODE_TOOLS_INSTALLED := $(NODE_TOOLS:%=%/node_modules/.installed)

# The least coverage of these parts, in percent of statements and branches. That of the whole of
# gateway/ is `fail_under` in pyproject.toml.
PURE := gateway/pagination/*,gateway/cache/*,gateway/bigcommerce/protocol.py
PURE_FLOOR := 100

FIND_PYTHON = for python in python3.13 python3.12 python3.11 python3.14 python3 ''; do \
	test -z "$$python" || ! $$python -c \
		'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
		|| break; done; \
	if [ -z "$$python" ]; then echo 'No Python 3.11 or newer that can make environments was found.' \
		'Install one (on Debian: python3 and python3-venv), then run make again.' >&2; exit 1; fi
HAS_NODE = npm --version >/dev/null 2>&1 && node --eval \
	'const [major, minor] = process.versions.node.split("."); \
	process.exit(major > 22 || (major == 22 && minor >= 12) || (major == 20 && minor >= 19) ? 0 : 1)' >/dev/null 2>&1

.PHONY: help setup run federation bench chaos fuzz plans test test-fast audit sbom format graphiql pictures \
	graphiql-if-possible \
	tools-if-possible lock schema \
	kits codegen supergraph released wheel clean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) \
		| while IFS="$$(printf '\t')" read -r name text; do printf '  make %-11s %s\n' "$$name" "$$text"; done

setup: $(VENV)/.test ## Make .venv with all that running and testing need

run: $(VENV)/.run graphiql-if-possible ## Set up, and serve on http://127.0.0.1:8000 (HOST= PORT= for elsewhere)
	@exec $(BIN)/gateway serve --host $(HOST) --port $(PORT)

federation: $(VENV)/.run ## Serve the example of a larger graph on http://127.0.0.1:4000 (ROUTER=apollo for the other router)
	@$(HAS_NODE) || { echo 'The routers need Node.js 20.19 or newer with npm.' >&2; exit 1; }
	@[ -d '$(EXAMPLE)/routers/$(ROUTER)' ] || { echo 'ROUTER is hive or apollo.' >&2; exit 1; }
	@$(MAKE) --silent $(EXAMPLE)/routers/$(ROUTER)/node_modules/.installed
	@exec $(BIN)/python $(EXAMPLE)/start.py --router $(ROUTER) $(FEDERATION_ARGS)

bench: setup ## Measure warm answers beside a bare server that sends the same bytes, into docs/performance.md (needs wrk; WORK=a,b for some)
	@$(BIN)/python -m benchmarks.warm $(subst $(comma), ,$(WORK)) $(BENCH_ARGS)

chaos: setup ## Measure what clients notice while one part after another fails, into docs/resilience.md (SCENARIO=a,b for some)
	@$(BIN)/python -m benchmarks.chaos $(subst $(comma), ,$(SCENARIO))

fuzz: setup ## Send 50000 generated requests to a gateway on loopback, each time other ones (CASES= for another number)
	@FUZZ_CASES=$(CASES) $(BIN)/python -m pytest tests/fuzz --durations=0 $(PYTEST_ARGS)

plans: setup ## Compare 50000 answers to generated requests with those of a gateway without plans (CASES= for another number)
	@PLANS_CASES=$(CASES) $(BIN)/python -m pytest tests/properties/test_plans.py --durations=0 $(PYTEST_ARGS)

test: setup graphiql-if-possible tools-if-possible build/codegen/.installed build/sbom/.installed ## Set up, check format, lint, types and import contracts, run all tests, print the coverage
	$(BIN)/ruff format --check --quiet gateway benchmarks examples tests
	$(BIN)/ruff check --quiet gateway benchmarks examples tests
	$(BIN)/mypy --no-error-summary
	$(BIN)/lint-imports --no-logo
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(PYTEST_ARGS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage json --quiet --fail-under=0 -o - | $(BIN)/python tests/support/coverage_table.py
	@total=$$($(BIN)/coverage report --format=total) || { echo "$$total" | tail -1; exit 1; }
	@$(BIN)/coverage report --include='$(PURE)' --fail-under=$(PURE_FLOOR) --show-missing --skip-covered

test-fast: setup ## Set up, run the unit, property and contract tests that need no npm, in under a minute
	@$(BIN)/python -m pytest tests/unit tests/properties tests/contract -m 'not npm' \
		--hypothesis-profile=fast --numprocesses=logical --maxprocesses=8 $(PYTEST_ARGS)

format: setup ## Format the code, and mend what the linter can
	$(BIN)/ruff check --quiet --fix gateway benchmarks examples tests; $(BIN)/ruff format --quiet gateway benchmarks examples tests

graphiql: $(GRAPHIQL) ## Build the GraphiQL page (needs Node.js 20.19+)

pictures: setup graphiql ## Photograph GraphiQL's first view into docs/images/ (needs Chromium)
	@KEEP_SCREENSHOTS=build/pictures $(BIN)/python -m pytest tests/browser/test_graphiql_in_chromium.py \
		-k newcomer -q $(PYTEST_ARGS)
	@cp build/pictures/graphiql.png docs/images/

schema: $(VENV)/.run ## Write schema.graphql and api.graphql from the code
	@env -i $(BIN)/gateway schema > schema.graphql.new && mv schema.graphql.new schema.graphql
	@env -i $(BIN)/gateway schema --api > api.graphql.new && mv api.graphql.new api.graphql

kits: $(VENV)/.run ## Write examples/clients/kits from the schema: what Relay, Apollo Client and urql need to know of it
	@env -i $(BIN)/python examples/clients/kits.py

codegen: build/codegen/.installed ## Generate the Python client of examples/clients/python from the schema and its queries
	@cd examples/clients/python && $(CURDIR)/build/codegen/bin/ariadne-codegen >/dev/null

supergraph: $(VENV)/.run ## Compose the larger graph of the example anew (needs Node.js 20.19+)
	@$(HAS_NODE) || { echo 'The composer needs Node.js 20.19 or newer with npm.' >&2; exit 1; }
	@$(MAKE) --silent $(COMPOSER)/node_modules/.installed
	@for subgraph in promotions customers; do \
		$(BIN)/python $(EXAMPLE)/$$subgraph.py --sdl > $(EXAMPLE)/$$subgraph.graphql.new \
		&& mv $(EXAMPLE)/$$subgraph.graphql.new $(EXAMPLE)/$$subgraph.graphql || exit 1; done
	@node $(COMPOSER)/compose.mjs

released: schema ## At a release: keep its schema in released/, which later ones are compared with
	@cp schema.graphql api.graphql released/

wheel: $(VENV)/.run graphiql ## Build the wheel in dist/, GraphiQL inside
	$(BIN)/python -m hatchling build --target wheel

audit: setup build/audit/.installed ## Look for known vulnerabilities in all that is pinned (ADVISORIES=folder without a network)
	@$(BIN)/python tests/support/audit.py $(ADVISORIES)

sbom: setup build/sbom/.installed ## List the image's Python packages in build/sbom.cdx.json (CycloneDX, with hashes and licenses)
	@build/sbom/bin/python tests/support/sbom.py $(BIN)/python

lock: setup ## Pin the newest versions that pyproject.toml and requirements/*.in allow
	$(LOCK) --upgrade pyproject.toml --output-file requirements/run.txt
	$(LOCK) --upgrade pyproject.toml --extra otel --constraint requirements/run.txt \
		--output-file requirements/otel.txt
	$(LOCK) --upgrade requirements/build.in --output-file requirements/build.txt
	$(LOCK) --upgrade requirements/test.in --constraint requirements/run.txt \
		--constraint requirements/build.txt --output-file requirements/test.txt
	$(LOCK) --upgrade requirements/node.in --output-file requirements/node.txt
	$(LOCK) --upgrade requirements/audit.in --output-file requirements/audit.txt
	$(LOCK) --upgrade requirements/sbom.in --output-file requirements/sbom.txt
	$(LOCK) --upgrade --no-deps requirements/kubectl.in --output-file requirements/kubectl.txt
	$(LOCK) --upgrade requirements/codegen.in --output-file requirements/codegen.txt

clean: ## Remove all that make made
	rm -rf $(VENV) build dist graphiql/node_modules benchmarks/rivals/mesh/node_modules \
		$(NODE_TOOLS:%=%/node_modules) $(dir $(GRAPHIQL)) \
		examples/clients/*/dist examples/clients/*/src/__generated__ \
		.mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage*
	find gateway benchmarks examples tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(FIND_PYTHON); echo "making $(VENV) with $$($$python --version)"; \
		$$python -m venv --clear $(VENV)

$(VENV)/.run: requirements/run.txt requirements/build.txt pyproject.toml | $(BIN)/python
	@echo 'installing what the gateway needs'
	@$(PIP) install --require-hashes -r requirements/run.txt -r requirements/build.txt
	@$(PIP) install --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/.test: requirements/test.txt $(VENV)/.run
	@echo 'installing what the tests need'
	@$(PIP) install --require-hashes -r requirements/test.txt
	@touch $@

# Each in an environment of its own: they need other versions than the gateway and its tests.
build/audit/.installed build/codegen/.installed build/sbom/.installed: build/%/.installed: requirements/%.txt | $(BIN)/python
	@echo 'installing requirements/$*.txt in build/$*'
	@$(BIN)/python -m venv --clear --without-pip build/$*
	@$(PIP) --python build/$*/bin/python install --require-hashes -r $<
	@touch $@

$(GRAPHIQL): $(GRAPHIQL_SOURCES)
	@$(HAS_NODE) || { echo 'Building GraphiQL needs Node.js 20.19 or newer with npm.' >&2; exit 1; }
	@echo 'building GraphiQL'
	@cd graphiql && npm ci --silent && npm run --silent build

$(NODE_TOOLS_INSTALLED): %/node_modules/.installed: %/package-lock.json
	@echo 'installing $*'
	@cd $* && npm ci --silent && touch node_modules/.installed

# Without Node.js, `run` and `test` work too: the page says how to get GraphiQL, its tests skip.
graphiql-if-possible:
	@if $(HAS_NODE); then $(MAKE) --silent $(GRAPHIQL) || echo 'GraphiQL could not be built; going on without it.'; \
		elif [ ! -f $(GRAPHIQL) ]; then echo 'GraphiQL is not built: that needs Node.js 20.19 or newer with npm.'; fi

tools-if-possible:
	@if $(HAS_NODE); then $(MAKE) --silent $(NODE_TOOLS_INSTALLED); fi
