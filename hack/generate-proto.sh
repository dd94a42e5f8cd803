#!/bin/sh
# Generates the Go code of the protobuf schemas beside them. The generators are
# built at the versions below, so that the output is the same on every machine.
set -eu
cd "$(dirname "$0")/.."

wanted_protoc=3.21
protoc_gen_go_grpc_version=v1.6.2

if ! command -v protoc >/dev/null; then
	echo "generate-proto: protoc is missing; install $wanted_protoc, on Debian: apt-get install -y protobuf-compiler libprotobuf-dev" >&2
	exit 1
fi
case "$(protoc --version)" in
*" $wanted_protoc".*) ;;
*)
	echo "generate-proto: want protoc $wanted_protoc (its version is written into the generated files), found $(protoc --version)" >&2
	exit 1
	;;
esac

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT

# The message and Connect generators come from the modules the product uses.
module_version() { go list -m -f '{{.Version}}' "$1"; }
GOBIN=$tools go install "google.golang.org/protobuf/cmd/protoc-gen-go@$(module_version google.golang.org/protobuf)"
GOBIN=$tools go install "connectrpc.com/connect/cmd/protoc-gen-connect-go@$(module_version connectrpc.com/connect)"
GOBIN=$tools go install "google.golang.org/grpc/cmd/protoc-gen-go-grpc@$protoc_gen_go_grpc_version"
PATH=$tools:$PATH
export PATH

protoc --go_out=. --go_opt=paths=source_relative \
	--connect-go_out=. --connect-go_opt=paths=source_relative \
	api/fleet/v1/fleet.proto api/fleet/v1/residency.proto

if [ -f providers/proto/v1/provider.proto ]; then
	protoc --go_out=. --go_opt=paths=source_relative \
		--go-grpc_out=. --go-grpc_opt=paths=source_relative \
		providers/proto/v1/provider.proto
fi
