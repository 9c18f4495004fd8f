# SPDX-FileCopyrightText: 2026 The videoroom authors
# SPDX-License-Identifier: Apache-2.0

.PHONY: help test quick lint e2e sdk lab bench bench-go fuzz generate build deps clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

test: ## everything CI runs; installs what is missing
	scripts/test.sh all

quick: ## Go only, without the race detector and long tests
	scripts/test.sh quick

lint: ## formatting, vet and the linters
	scripts/test.sh lint

e2e: ## browser tests against a real binary; FILES="call-1to1 privacy" picks some
	scripts/test.sh e2e $(FILES)

sdk: ## the Go SDK's clients against a real binary
	scripts/test.sh sdk

lab: ## calls through network namespaces with a filter between (needs root)
	scripts/lab.sh

bench: ## side by side with LiveKit, interleaved, prints ratios (two processors, about ten minutes)
	cd bench && go run . run

bench-go: ## Go benchmarks of the packet path and the wire, with allocations
	CGO_ENABLED=0 go test -run '^$$' -bench . -benchmem ./port/... ./sfu/... ./signaling/... ./token/...

fuzz: ## every fuzz target, FUZZTIME each (default 20s)
	scripts/test.sh fuzz

generate: ## the wire schema's Go code and web/dist
	scripts/generate.sh

build: ## ./caddy: Caddy with this module
	CGO_ENABLED=0 go build -trimpath -o caddy ./cmd/caddy

deps: ## Debian packages that the browser tests need
	scripts/install-deps.sh

clean: ## remove what the targets above made
	rm -rf caddy e2e/out web/node_modules e2e/node_modules
