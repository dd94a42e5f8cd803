package command_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meridian-fleet/meridian/internal/daemon/command"
)

func TestInvalidInputIsSaidInLines(t *testing.T) {
	config := filepath.Join(t.TempDir(), "fleetd.yaml")
	if err := os.WriteFile(config, []byte("dataDir: [a]\ncolour: red\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		arguments string
		stderr    []string // a part of each line
	}{
		"configuration": {"serve --check-config --config " + config, []string{
			"fleetd.yaml:1:10: dataDir: want text", "fleetd.yaml:2:1: colour: no such key; want accounts, api",
			"api.tokens: needed", "inventory: set exactly one", "temporal.address: want HOST:PORT", "management.kubeconfig: needed",
		}},
		"no configuration":   {"serve", []string{"--config: needed"}},
		"configuration away": {"serve --config /none/fleetd.yaml", []string{"cannot read the configuration"}},
		"log flags":          {"serve --log-format xml", []string{`--log-format: want text or json, got "xml"`}},
		"log level":          {"dev --log-level loud", []string{"--log-level: want debug"}},
		"unknown flag":       {"dev --colour red", []string{"unknown flag: --colour"}},
		"argument":           {"version now", []string{`takes no argument, got "now"`}},
		"dev flags":          {"dev --listen here --kubebox /none/kubebox --data-dir " + filepath.Join(t.TempDir(), "x"), []string{"--listen: want HOST:PORT", "--kubebox: /none/kubebox is no program"}},
		"sandbox":            {"sandbox --kubebox k", []string{"--state-dir: needed"}},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := command.Execute(strings.Fields(test.arguments), &stdout, &stderr); code != 2 {
				t.Errorf("exit code %d, want 2", code)
			}
			lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
			if len(lines) != len(test.stderr) || stdout.Len() > 0 {
				t.Fatalf("want %d lines, got\n%s%s", len(test.stderr), stderr.String(), stdout.String())
			}
			for i, want := range test.stderr {
				if !strings.HasPrefix(lines[i], "fleetd: ") || !strings.Contains(lines[i], want) {
					t.Errorf("line %d is %q, want %q in it", i+1, lines[i], want)
				}
			}
		})
	}
}

func TestVersion(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := command.Execute([]string{"version"}, &stdout, &stderr); code != 0 || !strings.HasPrefix(stdout.String(), "fleetd dev") {
		t.Errorf("exit code %d, %q, %q", code, stdout.String(), stderr.String())
	}
}
