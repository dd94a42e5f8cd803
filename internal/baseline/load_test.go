package baseline

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// TestLoadFaults loads the bundles in testdata/faults. The comment of each file
// is what loading must report: all faults, in order, word for word.
func TestLoadFaults(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/faults/*.txtar")
	if err != nil || len(names) < 10 {
		t.Fatalf("want the fault files, got %d: %v", len(names), err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files := map[string][]byte{}
			for _, file := range archive.Files {
				files[file.Name] = file.Data
			}
			_, err = FromFiles("bundle", files)
			if err == nil {
				t.Fatal("loaded without a fault")
			}
			if got, want := strings.TrimSpace(err.Error()), strings.TrimSpace(string(archive.Comment)); got != want {
				if os.Getenv("UPDATE") != "" {
					archive.Comment = []byte(got + "\n")
					if err := os.WriteFile(name, txtar.Format(archive), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if !errors.Is(err, fleet.ErrInvalid) {
				t.Errorf("want an ErrInvalid, got %v", fleet.KindOf(err))
			}
		})
	}
}

func TestLoadDirRefusesLinks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "baseline.yaml"), []byte("kind: Baseline"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "link.yaml")); err != nil {
		t.Fatal(err)
	}
	_, err := LoadDir(dir)
	if !errors.Is(err, fleet.ErrInvalid) || !strings.Contains(err.Error(), "link.yaml: is a symbolic link") {
		t.Fatalf("want the link refused, got %v", err)
	}
}

func TestLoadDirMissing(t *testing.T) {
	t.Parallel()
	if _, err := LoadDir(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fleet.ErrNotFound) {
		t.Fatalf("want ErrNotFound, got %v", err)
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	large := map[string][]byte{"baseline.yaml": make([]byte, maxFileSize+1)}
	if _, err := FromFiles("bundle", large); !errors.Is(err, fleet.ErrInvalid) || !strings.Contains(err.Error(), "bundle/baseline.yaml: is too large") {
		t.Errorf("want a large file refused, got %v", err)
	}
	many := map[string][]byte{}
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i"} {
		many[name] = make([]byte, maxFileSize)
	}
	if _, err := FromFiles("bundle", many); !errors.Is(err, fleet.ErrInvalid) || !strings.Contains(err.Error(), "bundle: is too large") {
		t.Errorf("want a large bundle refused, got %v", err)
	}
}

func TestNamesOfFiles(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"/etc/passwd", "../x", "a/../b", "a//b", "", ".", `a\b`, "a\nb", "a/"} {
		if _, err := FromFiles("bundle", map[string][]byte{name: nil}); !errors.Is(err, fleet.ErrInvalid) || !strings.Contains(err.Error(), "is not a path inside the bundle") {
			t.Errorf("%q: want it refused, got %v", name, err)
		}
	}
}
