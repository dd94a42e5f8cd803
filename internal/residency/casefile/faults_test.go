package casefile

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/manifest"
)

var update = flag.Bool("update", false, "write what the tests see into testdata")

// archives runs a test for each archive of a folder: its files but the last
// are written to a folder, the last has what must come of it.
func archives(t *testing.T, pattern string, outcome func(t *testing.T, folder string) string) {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no test data: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			folder := t.TempDir()
			last := len(archive.Files) - 1
			unpack(t, folder, archive.Files[:last])
			got := strings.ReplaceAll(outcome(t, folder), folder+string(filepath.Separator), "")
			got = strings.ReplaceAll(got, folder, ".")
			if *update {
				archive.Files[last].Data = []byte(got)
				if err := os.WriteFile(path, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if want := string(archive.Files[last].Data); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func unpack(t *testing.T, folder string, files []txtar.File) {
	t.Helper()
	for _, file := range files {
		path := filepath.Join(folder, file.Name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, file.Data, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}

// What is wrong with case files and what they rest on is told word for word,
// with its place.
func TestFaults(t *testing.T) {
	t.Parallel()
	archives(t, "testdata/faults/*.txtar", func(t *testing.T, folder string) string {
		suite, err := Load(folder)
		if err == nil || suite != nil {
			t.Fatal("accepted")
		}
		requireFaults(t, err)
		return err.Error() + "\n"
	})
}

func requireFaults(t testing.TB, err error) {
	t.Helper()
	for _, fault := range flatten(err) {
		if fault.Position.File == "" && !strings.HasSuffix(fault.Message, "more faults") {
			t.Errorf("a fault without a file: %v", fault)
		}
		if !errors.Is(fault, fleet.ErrInvalid) && !errors.Is(fault, fleet.ErrNotFound) {
			t.Errorf("a fault of the kind %v: %v", fleet.KindOf(fault), fault)
		}
	}
}

func TestLoadNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if _, err := Load(folder); !errors.Is(err, fleet.ErrInvalid) {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := Load(filepath.Join(folder, "absent.yaml")); !errors.Is(err, fleet.ErrNotFound) {
		t.Errorf("an absent file: %v", err)
	}
	if _, err := Load(); !errors.Is(err, fleet.ErrInvalid) {
		t.Errorf("no path: %v", err)
	}
}

// FuzzLoad: no case file makes loading or running it panic, and what is refused
// is refused with faults that have a place.
func FuzzLoad(f *testing.F) {
	seeds, err := filepath.Glob("../testdata/cases/*.yaml")
	if err != nil || len(seeds) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, path := range seeds {
		content, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	paths, _ := filepath.Glob("testdata/*/*.txtar")
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(archive.Files[0].Data)
	}
	empty := f.TempDir()
	f.Fuzz(func(t *testing.T, content []byte) {
		if strings.Contains(string(content), "..") {
			return // would read files from elsewhere
		}
		path := filepath.Join(empty, "fuzz.yaml")
		parts, err := manifest.Split(path, content)
		if err != nil {
			requireFaults(t, err)
			return
		}
		l := newLoader()
		l.cases(&source{path: path, parts: parts})
		suite, err := l.done()
		if err != nil {
			requireFaults(t, err)
			return
		}
		if _, err := suite.Run(nil); err != nil && !errors.Is(err, fleet.ErrInvalid) {
			t.Errorf("%v", err)
		}
	})
}
