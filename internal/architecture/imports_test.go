package architecture_test

import (
	"path"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

const module = "github.com/meridian-fleet/meridian/"

// rule restricts what packages below a folder may import directly. Patterns
// are folders relative to the module ("internal/fleet"), folders with
// everything below ("internal/sandbox/..."), or import path prefixes of other
// modules ("go.temporal.io/...").
type rule struct {
	packages string
	except   []string // packages the rule does not hold for
	only     []string // when set: the only packages of this module they may import
	forbid   []string
	because  string
}

var rules = []rule{
	{
		packages: "internal/fleet", only: []string{}, forbid: []string{"*"},
		because: "the vocabulary imports the standard library only, so that everything can speak it",
	},
	{
		packages: "providers/...", forbid: []string{"internal/...", "workflows/...", "api/...", "cmd/..."},
		because: "outside authors build providers against this folder without Meridian's internals",
	},
	{
		packages: "api/...", forbid: []string{"internal/...", "workflows/...", "providers/..."},
		because: "the public API is a schema, not a door into the daemon",
	},
	{
		packages: "workflows", only: []string{"internal/fleet"},
		because: "whoever starts or asks a workflow must not inherit what runs it",
	},
	{
		packages: "workflows/...", except: []string{"workflows", "workflows/activities", "workflows/worker"},
		only:    []string{"workflows", "workflows/...", "internal/fleet"},
		forbid:  []string{"workflows/activities", "workflows/worker", "k8s.io/...", "sigs.k8s.io/...", "database/sql"},
		because: "orchestration is deterministic and thin; stores, clients and rule engines are reached through activities",
	},
	{
		packages: "internal/server/...", only: []string{"api/...", "internal/fleet", "internal/inventory", "internal/manifest", "internal/server/...", "workflows"},
		because: "the API answers from the inventory and starts workflows by name; it does no work of its own",
	},
	{
		packages: "internal/cli/...",
		only:     []string{"api/...", "internal/fleet", "internal/cli/...", "internal/manifest", "internal/residency/...", "internal/evidence/pack", "providers/builtin"},
		because:  "the command line knows the API client, the vocabulary and what can be judged offline, nothing of the daemon",
	},
	{
		packages: "internal/residency/...", only: []string{"internal/fleet", "internal/manifest", "internal/residency/...", "internal/evidence/pack", "providers", "providers/builtin"},
		forbid:  []string{"k8s.io/client-go/...", "sigs.k8s.io/...", "go.temporal.io/...", "database/sql", "net/http", "connectrpc.com/..."},
		because: "rules, their cases, compilations and reports are decided without any I/O but files, so that everybody can repeat an answer",
	},
	{
		packages: "internal/residency", only: []string{"internal/fleet"}, forbid: []string{"os", "io/ioutil", "net", "k8s.io/..."},
		because: "a verdict depends on documents, facts and an instant alone",
	},
	{
		packages: "internal/evidence/pack", only: []string{"internal/fleet"}, forbid: []string{"os", "net", "net/http", "github.com/transparency-dev/tessera/..."},
		because: "a pack is verified without Meridian's server",
	},
	{
		packages: "internal/evidence", only: []string{"internal/fleet", "internal/inventory", "internal/evidence/..."},
		because: "the log notes what the inventory records; it decides nothing",
	},
	{
		packages: "internal/compliance", only: []string{"internal/fleet", "internal/inventory", "internal/residency", "internal/residency/geography", "providers"},
		because: "answers over the live inventory know what is recorded and the rules, not who asks or what acts",
	},
	{
		packages: "...", except: []string{"internal/daemon/...", "internal/sandbox/...", "hack/..."},
		forbid:  []string{"internal/sandbox/..."},
		because: "everything above the clouds is production code that cannot tell a sandbox from a cloud",
	},
	{
		packages: "...", except: []string{"internal/daemon/...", "cmd/...", "internal/sandbox/...", "hack/..."},
		forbid:  []string{"internal/daemon/...", "internal/providerhost/...", "internal/temporalbox/..."},
		because: "only the daemon sees concrete implementations; everybody else gets interfaces through constructors",
	},
	{
		packages: "internal/baseline/...", only: []string{"internal/fleet", "internal/manifest", "internal/baseline/..."},
		because: "the delivery engine knows clusters and bundles, not who orders a delivery",
	},
	{
		packages: "internal/inventory/...", only: []string{"internal/fleet", "internal/inventory/..."},
		because: "the inventory remembers; it does not act",
	},
	{
		packages: "internal/capi/...", only: []string{"internal/fleet", "internal/capi/..."},
		because: "the management cluster is reached by Cluster API's contract alone",
	},
}

func TestImportDirections(t *testing.T) {
	for _, pkg := range load(t) {
		folder := strings.TrimPrefix(pkg.PkgPath, module)
		for imported := range pkg.Imports {
			for _, r := range rules {
				if r.concerns(folder) && r.refuses(imported) {
					t.Errorf("%s imports %s, but %s", folder, strings.TrimPrefix(imported, module), r.because)
				}
			}
		}
	}
}

func TestEveryPackageIntroducesItself(t *testing.T) {
	for _, pkg := range load(t) {
		folder := strings.TrimPrefix(pkg.PkgPath, module)
		if pkg.Name == "main" || strings.HasPrefix(folder, "hack/") || strings.HasPrefix(folder, "api/") || strings.HasPrefix(folder, "providers/proto/") {
			continue
		}
		documented := false
		for _, file := range pkg.Syntax {
			if path.Base(pkg.Fset.File(file.FileStart).Name()) == "doc.go" && len(file.Doc.Text()) > 80 {
				documented = true
			}
		}
		if !documented {
			t.Errorf("%s has no doc.go with a paragraph that tells a newcomer what the package is", folder)
		}
	}
}

func TestRulesBite(t *testing.T) {
	for _, example := range []struct{ from, to string }{
		{"internal/fleet", "github.com/google/cel-go/cel"},
		{"internal/fleet", module + "workflows"},
		{"workflows/rollout", module + "internal/inventory"},
		{"workflows/rollout", "k8s.io/client-go/rest"},
		{"providers/aws", module + "internal/fleet"},
		{"internal/cli/rollout", module + "internal/server"},
		{"internal/server", module + "internal/baseline"},
		{"workflows/activities", module + "internal/sandbox"},
		{"internal/residency", module + "internal/inventory"},
		{"internal/residency", "os"},
		{"internal/residency/report", "net/http"},
		{"internal/evidence/pack", module + "internal/evidence"},
		{"internal/server", module + "internal/compliance"},
	} {
		refused := false
		for _, r := range rules {
			refused = refused || r.concerns(example.from) && r.refuses(example.to)
		}
		if !refused {
			t.Errorf("no rule keeps %s from importing %s", example.from, example.to)
		}
	}
}

func load(t *testing.T) []*packages.Package {
	t.Helper()
	mode := packages.NeedName | packages.NeedImports | packages.NeedSyntax | packages.NeedFiles | packages.NeedCompiledGoFiles
	all, err := packages.Load(&packages.Config{Mode: mode, Dir: "../.."}, "./...")
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 10 {
		t.Fatalf("read %d packages only: the test looks at the wrong folder", len(all))
	}
	return all
}

func (r rule) concerns(folder string) bool {
	for _, pattern := range r.except {
		if matches(pattern, folder) {
			return false
		}
	}
	return matches(r.packages, folder)
}

func (r rule) refuses(imported string) bool {
	folder, ours := strings.CutPrefix(imported, module)
	for _, pattern := range r.forbid {
		if ours && matches(pattern, folder) || !ours && matches(pattern, imported) {
			return true
		}
		if pattern == "*" && strings.Contains(strings.SplitN(imported, "/", 2)[0], ".") {
			return true
		}
	}
	if r.only == nil || !ours {
		return false
	}
	for _, pattern := range r.only {
		if matches(pattern, folder) {
			return false
		}
	}
	return true
}

func matches(pattern, folder string) bool {
	prefix, below := strings.CutSuffix(pattern, "...")
	if !below {
		return pattern == folder
	}
	prefix = strings.TrimSuffix(prefix, "/")
	return prefix == "" || folder == prefix || strings.HasPrefix(folder, prefix+"/")
}
