# Meridian. `make help` lists the targets.
SHELL := /bin/bash
BIN := $(CURDIR)/bin
COMMANDS := fleetd fleetctl fleet-provider-aws fleet-provider-gcp fleet-provider-azure
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
VERSION_OF := -X github.com/meridian-fleet/meridian/internal
LDFLAGS := -s -w $(VERSION_OF)/daemon/version.Version=$(VERSION) $(VERSION_OF)/cli/version.Version=$(VERSION)
export CGO_ENABLED ?= 0

.DEFAULT_GOAL := help
.PHONY: help build kubebox demo dev test test-kubebox bench bench-residency lint generate clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: kubebox ## Build every binary into bin/
	go build -buildvcs=false -ldflags '$(LDFLAGS)' -o $(BIN)/ $(addprefix ./cmd/,$(COMMANDS))

kubebox: ## Build the control planes of the sandbox (cached by content)
	hack/build-kubebox.sh $(BIN)/kubebox

demo: build ## Onboard sixteen regions on this machine and roll a baseline over them
	go run ./hack/demo

dev: build ## Run fleetd in dev mode until interrupted
	$(BIN)/fleetd dev

test: build test-kubebox ## Run every test, the nested module's too
	hack/require-postgres.sh
	MERIDIAN_REQUIRE_POSTGRES=1 MERIDIAN_KUBEBOX=$(BIN)/kubebox CGO_ENABLED=1 go test -race -timeout 20m ./...

test-kubebox: kubebox
	cd internal/sandbox/kubebox && MERIDIAN_KUBEBOX=$(BIN)/kubebox go test -timeout 10m ./...

bench: bench-residency build ## Measure decisions beside OPA and cedar-go, and rollouts beside plain server-side apply
	MERIDIAN_KUBEBOX=$(BIN)/kubebox go run ./hack/bench

bench-residency: ## Measure residency decisions beside OPA and cedar-go
	go run ./hack/residencybench

# Findings in the linter's cache hold absolute paths: shared between two
# checkouts, it answers for files of the other one, which may be gone.
lint: export GOLANGCI_LINT_CACHE := $(BIN)/lint-cache
lint: ## Run the linters
	cd tools/lint && go build -o $(BIN)/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	$(BIN)/golangci-lint run ./...
	cd internal/sandbox/kubebox && $(BIN)/golangci-lint run --config $(CURDIR)/.golangci.yml ./...

generate: ## Regenerate what is generated: protobuf code, Cluster API's CRDs
	hack/generate-proto.sh
	go generate ./...

clean: ## Remove what was built here (the cached kubebox stays)
	rm -rf $(BIN)
