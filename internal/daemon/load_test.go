package daemon

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/server"
)

const validConfig = `
dataDir: data
api:
  listen: 127.0.0.1:0
  tokens:
  - {user: alice, role: admin, file: token}
inventory: {sqlite: inventory.db}
temporal: {embedded: true}
management: {kubeconfig: kubeconfig}
plugins: {dir: .}
accounts:
  gcp: {project: somewhere}
`

// folderWith makes a folder with a configuration and what it names.
func folderWith(t *testing.T, config string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"fleetd.yaml": config, "token": "secret\n", "empty": "", "pem": "no PEM", "kubeconfig": `
apiVersion: v1
kind: Config
current-context: c
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
users: [{name: u, user: {token: t}}]
`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLoad(t *testing.T) {
	t.Parallel()
	dir := folderWith(t, validConfig)
	config, err := Load(filepath.Join(dir, "fleetd.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for what, pair := range map[string][2]string{
		"a relative path":        {config.Inventory.SQLite, filepath.Join(dir, "inventory.db")},
		"the lock file":          {config.Plugins.LockFile, filepath.Join(dir, "data", "plugins.lock")},
		"the namespace":          {config.Management.Namespace, "meridian"},
		"Temporal's namespace":   {config.Temporal.Namespace, "fleet"},
		"an account setting":     {config.Accounts["gcp"]["project"], "somewhere"},
		"the evidence log":       {config.Evidence.Dir, filepath.Join(dir, "data", "evidence")},
		"the time between looks": {config.Drift.Interval.String(), (10 * time.Minute).String()},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %q, want %q", what, pair[0], pair[1])
		}
	}
}

func TestLoadReportsEveryFaultWithItsKey(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		config string
		faults []string // key, or line and key
	}{
		"empty": {"", []string{"api.tokens", "dataDir", "inventory", "management.kubeconfig", "temporal.address"}},
		"unknown and wrong": {
			strings.NewReplacer("dataDir: data", "dataDir: {a: b}", "embedded: true", "embedded: perhaps", "listen:", "listne:", "plugins:", "drift: {interval: often}\nplugins:").Replace(validConfig),
			[]string{"2 dataDir", "4 api.listne", "8 temporal.embedded", "10 drift.interval", "temporal.address"},
		},
		"set twice":   {validConfig + "dataDir: other\n", []string{"13 dataDir"}},
		"not YAML":    {"api: [\n", nil},
		"not mapping": {"- a\n", nil},
		"contradiction": {
			strings.NewReplacer("embedded: true", "embedded: true, address: 'a:1'", "{sqlite: inventory.db}", "{sqlite: a, postgresql: 'postgres://x'}").Replace(validConfig),
			[]string{"inventory", "temporal.embedded"},
		},
		"beyond loopback": {strings.Replace(validConfig, "127.0.0.1:0", "0.0.0.0:7443", 1), []string{"api.listen"}},
		"no port":         {strings.Replace(validConfig, "127.0.0.1:0", "127.0.0.1:http", 1), []string{"api.listen"}},
		"files": {
			strings.NewReplacer("file: token", "file: empty", "role: admin", "role: king", "user: alice, ", "", "kubeconfig: kubeconfig", "kubeconfig: pem",
				"{embedded: true}", "{address: 'a:1', apiKeyFile: none, tls: {ca: pem, certificate: pem}}", "dir: .", "dir: none").Replace(validConfig),
			[]string{
				"api.tokens[0].file", "api.tokens[0].role", "api.tokens[0].user", "management.kubeconfig", "plugins.dir",
				"temporal.apiKeyFile", "temporal.tls.ca", "temporal.tls.key",
			},
		},
		"users": {
			strings.Replace(validConfig, "{user: alice, role: admin, file: token}", "{user: alice, roles: [admin, king], file: token}\n  - {user: bob, file: token}", 1),
			[]string{"api.tokens[0].roles[1]", "api.tokens[1].roles", "api.tokens[1].file"},
		},
		"issuer": {
			strings.Replace(validConfig, "  tokens:", "  oidc: {issuer: 'http://x', certificateAuthority: pem, roleMap: {sre: [operator, king]}, colour: red}\n  tokens:", 1),
			[]string{"5 api.oidc.colour", "api.oidc.audience", "api.oidc.certificateAuthority", "api.oidc.issuer", "api.oidc.roleMap.sre[1]"},
		},
		"witness": {
			validConfig + "evidence: {witnessDir: w, witness: {url: there}}\n",
			[]string{"evidence.witness.key", "evidence.witness.url", "evidence.witnessDir"},
		},
		"secrets": {strings.Replace(validConfig, "{sqlite: inventory.db}", "{postgresql: 'mysql://u:hunter2@h/d'}", 1), []string{"inventory.postgresql"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Load(filepath.Join(folderWith(t, test.config), "fleetd.yaml"))
			if !errors.Is(err, fleet.ErrInvalid) {
				t.Fatalf("got %v", err)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("a secret is shown: %v", err)
			}
			got := faultKeys(err)
			for _, want := range test.faults {
				if !slices.ContainsFunc(got, func(key string) bool { return key == want || strings.HasSuffix(key, " "+want) }) {
					t.Errorf("no fault at %q in %q", want, got)
				}
			}
			if test.faults != nil && len(got) != len(test.faults) {
				t.Errorf("got faults at %q, want %q", got, test.faults)
			}
		})
	}
}

// TestAnIssuerThatIsAwayKeepsNobodyOut who has a token: fleetd starts without
// asking it.
func TestAnIssuerThatIsAwayKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	config := strings.Replace(validConfig, "  tokens:", "  oidc: {issuer: 'https://127.0.0.1:1', audience: a, roleMap: {sre: [operator]}}\n  tokens:", 1)
	loaded, err := Load(filepath.Join(folderWith(t, strings.Replace(config, "role: admin", "role: admin, roles: [compliance]", 1)), "fleetd.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	users, issuer, err := (&Daemon{config: loaded, logger: slog.New(slog.DiscardHandler)}).authenticators()
	if err != nil || issuer == nil {
		t.Fatalf("got %v, %v", issuer, err)
	}
	alice, err := users.Authenticate(t.Context(), http.Header{"Authorization": {"Bearer secret"}})
	if want := []server.Role{server.Admin, server.Compliance}; err != nil || alice.User != "alice" || !slices.Equal(alice.Roles, want) {
		t.Errorf("alice is %+v, %v", alice, err)
	}
	if _, err := users.Authenticate(t.Context(), http.Header{"Authorization": {"Bearer a.b.c"}}); !errors.Is(err, fleet.ErrUnavailable) {
		t.Errorf("somebody of the issuer: %v", err)
	}
	if err := issuer.Ping(t.Context()); !errors.Is(err, fleet.ErrUnavailable) {
		t.Errorf("the check says %v", err)
	}
}

// faultKeys lists the line and key of each fault.
func faultKeys(err error) []string {
	var fault *fleet.Error
	var joined interface{ Unwrap() []error }
	if found, single := err.(*fleet.Error); single { //nolint:errorlint // the tree is walked node by node
		fault = found
	} else if errors.As(err, &joined) {
		var all []string
		for _, one := range joined.Unwrap() {
			all = append(all, faultKeys(one)...)
		}
		return all
	}
	return []string{fmt.Sprintf("%d %s", fault.Position.Line, fault.Field)}
}

func FuzzDecodeStrict(f *testing.F) {
	for _, seed := range []string{validConfig, "", "a", "- 1", "api: &a {tls: *a}", "? [x]\n: y", "accounts: {a: {b: [c]}}", "api: {tokens: [1, {user: 2}]}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content string) {
		var config Config
		if err := decodeStrict("file", content, &config); err != nil && !errors.Is(err, fleet.ErrInvalid) {
			t.Errorf("%q: %v is not invalid input", content, err)
		}
	})
}
