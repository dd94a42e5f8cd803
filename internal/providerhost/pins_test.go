package providerhost

import (
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

func TestFirstUsePins(t *testing.T) {
	t.Parallel()
	fixture := newFixture(t)
	if _, err := os.Stat(fixture.config.LockFile); err == nil {
		t.Error("there is a lock file before any plugin ran")
	}
	if _, err := fixture.provider(t).Describe(t.Context()); err != nil {
		t.Fatal(err)
	}
	known, err := fixture.pins.load()
	if err != nil {
		t.Fatal(err)
	}
	sum, err := checksumOf(filepath.Join(fixture.folder, "fleet-provider-test"))
	if err != nil {
		t.Fatal(err)
	}
	want := []pin{{Name: "test", Version: "1.2.3", SHA256: hex.EncodeToString(sum[:])}}
	if diff := cmp.Diff(want, known.Plugins); diff != "" {
		t.Error(diff)
	}
}

func TestAChangedBinaryIsDeniedUntilAccepted(t *testing.T) {
	t.Parallel()
	fixture := newFixture(t)
	provider := fixture.provider(t)
	if _, err := provider.Describe(t.Context()); err != nil {
		t.Fatal(err)
	}
	replaceBinary(t, fixture.folder)
	if err := fixture.Kill("test"); err != nil {
		t.Fatal(err)
	}
	waitGone(t, fixture.PID("test"))

	_, err := provider.ClusterObjects(t.Context(), asking("answer"))
	var denied *fleet.Error
	if !errors.Is(err, fleet.ErrDenied) || !errors.As(err, &denied) || !strings.Contains(denied.Hint, fixture.config.LockFile) {
		t.Fatalf("want denied with a hint that names the lock file, got %v", err)
	}

	if err := os.Remove(fixture.config.LockFile); err != nil {
		t.Fatal(err)
	}
	if _, err := provider.ClusterObjects(t.Context(), asking("answer")); err != nil {
		t.Errorf("after its entry was removed: %v", err)
	}
}

// replaceBinary puts another build of the plugin in place, as an upgrade would:
// what runs keeps the file it was started from.
func replaceBinary(t *testing.T, folder string) {
	t.Helper()
	path := filepath.Join(folder, "fleet-provider-test")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".new", append(content, "another build"...), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func TestOtherPinsStay(t *testing.T) {
	t.Parallel()
	pins := &pinFile{path: filepath.Join(t.TempDir(), "plugins.lock")}
	for _, entry := range []pin{{"b", "1", "x"}, {"a", "1", "y"}, {"b", "2", "z"}} {
		if err := pins.record(entry); err != nil {
			t.Fatal(err)
		}
	}
	known, err := pins.load()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]pin{{"a", "1", "y"}, {"b", "2", "z"}}, known.Plugins); diff != "" {
		t.Error(diff)
	}
}

func TestPluginsThatWillNotDoNeedAPerson(t *testing.T) {
	t.Parallel()
	fixture := newFixture(t)
	install(t, fixture.folder, "futureplugin", "future")
	install(t, fixture.folder, "testplugin", "impostor") // calls itself test
	for _, name := range []string{"future", "impostor"} {
		provider, err := fixture.Provider(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := provider.Describe(t.Context()); !errors.Is(err, fleet.ErrNeedsHuman) {
			t.Errorf("%s: want needs a human, got %v", name, err)
		}
	}
	known, err := fixture.pins.load()
	if err != nil || len(known.Plugins) > 0 {
		t.Errorf("they were pinned all the same: %v, %v", known, err)
	}
}

func TestABinaryThatIsGone(t *testing.T) {
	t.Parallel()
	fixture := newFixture(t)
	provider := fixture.provider(t)
	if err := os.Remove(filepath.Join(fixture.folder, "fleet-provider-test")); err != nil {
		t.Fatal(err)
	}
	if _, err := provider.Describe(t.Context()); !errors.Is(err, fleet.ErrNotFound) {
		t.Errorf("want not found, got %v", err)
	}
}
