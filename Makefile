# Callhome. `make` prints the targets.
SHELL   := bash
GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
FOR     ?= 30m
export CGO_ENABLED ?= 0

.PHONY: help run build check lint vet unit test e2e soak bench fuzz clean

help: ## print the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## build, then run the demo: agent, sinks and a simulated fleet
	bin/callhome demo $(ARGS)

build: ## leave the one binary in bin/callhome
	@mkdir -p bin
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/callhome ./cmd/callhome

check: build vet lint unit ## build, vet, linters, layout test, unit tests with the race detector

vet:
	$(GO) vet ./...

lint: .tools/golangci-lint
	.tools/golangci-lint run ./...

.tools/golangci-lint: tools/lint/go.mod
	@mkdir -p .tools
	cd tools/lint && $(GO) build -o ../../.tools/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint

# With the race detector the long simulations run once; e2e runs them whole.
unit:
	CGO_ENABLED=1 $(GO) test -race -short -timeout 20m ./...

test: deps check e2e ## what CI runs: check, then end to end with real processes; installs what the tests need

deps:
	tools/test-deps.sh

e2e:
	CALLHOME_E2E=1 $(GO) test -timeout 25m -run 'Peer|E2E|TwoWeeks|Kill|Alloc' ./...

soak: build ## the long versions: kills, outages, fuzzing, load; FOR=30m
	CALLHOME_E2E=1 CALLHOME_SOAK=1 $(GO) test -timeout 24h -run 'Kill|TwoWeeks|E2E' ./...
	$(MAKE) fuzz FOR=$(FOR)

bench: build ## benchmarks, then whole processes beside their peers; results to docs/performance.md
	$(GO) test -run '^$$' -bench . -benchmem ./codec/... ./agent/... ./outbox/... ./deliver/... ./server/... ./gateway/... ./bench/gatewaydrain
	$(GO) run ./bench/peers

fuzz: ## fuzz every parser, FOR divided among them
	tools/fuzz.sh $(FOR)

clean: ## remove what was built
	rm -rf bin .tools
