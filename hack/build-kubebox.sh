#!/bin/sh
# Builds kubebox into OUT, or takes the cached binary of the same sources and
# the same Go. The first build compiles Kubernetes and takes minutes; the cache
# is keyed by what the build depends on, so it is never stale.
set -eu

if [ $# -ne 1 ]; then
	echo "usage: $0 OUT" >&2
	exit 2
fi
out=$1
kubernetes=v1.36.3
module=$(cd "$(dirname "$0")/../internal/sandbox/kubebox" && pwd)
script=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")

sources() {
	(cd "$module" && find . -type f \( -name '*.go' ! -name '*_test.go' -o -name go.mod -o -name go.sum \) | LC_ALL=C sort |
		while IFS= read -r file; do printf '%s ' "$file"; sha256sum <"$file"; done)
}
hash=$( { sources; sha256sum <"$script"; (cd "$module" && go env GOVERSION GOOS GOARCH); } | sha256sum | cut -c1-32)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/meridian/kubebox/$hash
mkdir -p "$cache" "$(dirname "$out")"

# One build at a time: a second caller waits and finds the first one's binary.
exec 9>"$cache/lock"
flock 9
if [ ! -x "$cache/kubebox" ]; then
	echo "building kubebox (the first time takes some minutes)" >&2
	stamp="-s -w"
	for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
		stamp="$stamp -X $package.gitVersion=$kubernetes -X $package.gitMajor=1 -X $package.gitMinor=36 -X $package.gitTreeState=clean"
	done
	(cd "$module" && go build -buildvcs=false -ldflags "$stamp" -o "$cache/kubebox.partial" .)
	mv "$cache/kubebox.partial" "$cache/kubebox"
fi
flock -u 9
# A binary is 170 MB: those of sources that nobody has built for weeks go.
touch "$cache"
find "$(dirname "$cache")" -mindepth 1 -maxdepth 1 -type d -mtime +14 -exec rm -rf {} +

[ "$cache/kubebox" -ef "$out" ] && exit 0 # a link to it already

# Replaced in one step, so that a running cluster keeps the binary it has.
temporary=$out.$$
trap 'rm -f "$temporary"' EXIT
ln "$cache/kubebox" "$temporary" 2>/dev/null || cp "$cache/kubebox" "$temporary"
mv -f "$temporary" "$out"
