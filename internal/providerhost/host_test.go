package providerhost

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/providers"
)

func TestConfiguration(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	broken := filepath.Join(folder, "broken.lock")
	if err := os.WriteFile(broken, []byte("plugins: [{nam: aws}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, config := range map[string]Config{
		"nothing set":      {},
		"no lock file":     {Dir: folder},
		"no such folder":   {Dir: filepath.Join(folder, "none"), LockFile: "x"},
		"broken lock file": {Dir: folder, LockFile: broken},
	} {
		if _, err := New(config); !errors.Is(err, fleet.ErrInvalid) {
			t.Errorf("%s: want an invalid input, got %v", name, err)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	fixture := newFixture(t)
	install(t, fixture.folder, "testplugin", "another")
	for name, mode := range map[string]os.FileMode{"fleet-provider-notes": 0o600, "fleet-provider-Bad": 0o700, "readme": 0o700} {
		if err := os.WriteFile(filepath.Join(fixture.folder, name), nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"another", "test"}, fixture.Names()); diff != "" {
		t.Error(diff)
	}
}

func TestUnknownProvider(t *testing.T) {
	t.Parallel()
	fixture := newFixture(t)
	for _, name := range []string{"tset", "", "../test", "notes"} {
		if _, err := fixture.Provider(t.Context(), name); !errors.Is(err, fleet.ErrNotFound) {
			t.Errorf("%q: want not found, got %v", name, err)
		}
	}
}

func TestStartsOnFirstUseAndOnlyOnce(t *testing.T) {
	t.Parallel()
	fixture := newFixture(t)
	provider := fixture.provider(t)
	if fixture.PID("test") != 0 || fixture.log.counted() != 0 {
		t.Error("the plugin runs before it is used")
	}
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if _, err := provider.ClusterObjects(t.Context(), asking("answer")); err != nil {
				t.Error(err)
			}
			if description, err := provider.Describe(t.Context()); err != nil || description.Name != "test" {
				t.Errorf("%+v, %v", description, err)
			}
		})
	}
	group.Wait()
	if fixture.log.counted() != 1 {
		t.Errorf("%d plugins were started", fixture.log.counted())
	}
}

func TestACrashUnderACallIsNotSeen(t *testing.T) {
	t.Parallel()
	fixture := newFixture(t)
	provider := fixture.provider(t)
	request := asking("die once")
	request.Account["marker"] = filepath.Join(t.TempDir(), "marker")
	if _, err := provider.ClusterObjects(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	if fixture.log.counted() != 2 {
		t.Errorf("%d plugins were started, want 2", fixture.log.counted())
	}
}

func TestKillsBetweenAndUnderCallsAreNotSeen(t *testing.T) {
	t.Parallel()
	fixture := newFixture(t)
	provider := fixture.provider(t)
	for range 5 {
		if _, err := provider.ClusterObjects(t.Context(), asking("answer")); err != nil {
			t.Fatal(err)
		}
		pid := fixture.PID("test")
		var group sync.WaitGroup
		for range 10 {
			group.Go(func() {
				if _, err := provider.ClusterObjects(t.Context(), asking("answer")); err != nil {
					t.Error(err)
				}
			})
		}
		if err := fixture.Kill("test"); err != nil && !errors.Is(err, fleet.ErrNotFound) {
			t.Error(err)
		}
		group.Wait()
		waitGone(t, pid)
	}
}

func TestAHungPluginIsReplaced(t *testing.T) {
	t.Parallel()
	fixture := newFixture(t)
	provider := fixture.provider(t)
	if _, err := provider.Describe(t.Context()); err != nil {
		t.Fatal(err)
	}
	hung := fixture.PID("test")
	stop(t, hung)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := provider.ClusterObjects(ctx, asking("answer")); !errors.Is(err, fleet.ErrUnavailable) {
		t.Errorf("want unavailable, got %v", err)
	}
	if _, err := provider.ClusterObjects(t.Context(), asking("answer")); err != nil {
		t.Error(err)
	}
	waitGone(t, hung)
}

// A call without a deadline must not wait for ever.
func TestACallWithoutDeadlineOutlivesAHungPlugin(t *testing.T) {
	t.Parallel()
	fixture := newFixture(t)
	provider := fixture.provider(t)
	if _, err := provider.Describe(t.Context()); err != nil {
		t.Fatal(err)
	}
	hung := fixture.PID("test")
	stop(t, hung)
	if _, err := provider.ClusterObjects(t.Context(), asking("answer")); err != nil {
		t.Error(err)
	}
	waitGone(t, hung)
}

func TestASlowCallDoesNotCostThePlugin(t *testing.T) {
	t.Parallel()
	fixture := newFixture(t)
	provider := fixture.provider(t)
	if _, err := provider.Describe(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := fixture.PID("test")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := provider.ClusterObjects(ctx, asking("wait")); !errors.Is(err, fleet.ErrUnavailable) {
		t.Errorf("want unavailable, got %v", err)
	}
	if after := fixture.PID("test"); after != before {
		t.Errorf("plugin %d was replaced by %d", before, after)
	}
}

func TestPingFindsAHungPlugin(t *testing.T) {
	t.Parallel()
	fixture := newFixture(t)
	if err := fixture.Ping(t.Context(), "test", 30*time.Second); err != nil {
		t.Fatal(err)
	}
	hung := fixture.PID("test")
	stop(t, hung)
	if err := fixture.Ping(t.Context(), "test", 50*time.Millisecond); !errors.Is(err, fleet.ErrUnavailable) {
		t.Errorf("want unavailable, got %v", err)
	}
	if err := fixture.Ping(t.Context(), "test", 30*time.Second); err != nil {
		t.Error(err)
	}
	waitGone(t, hung)
}

func TestErrorsHaveTheFleetsKinds(t *testing.T) {
	t.Parallel()
	provider := newFixture(t).provider(t)
	for kind, want := range map[providers.Kind]*fleet.ErrorKind{
		providers.KindInvalid: fleet.ErrInvalid, providers.KindNotFound: fleet.ErrNotFound, providers.KindDenied: fleet.ErrDenied,
		providers.KindConflict: fleet.ErrConflict, providers.KindUnavailable: fleet.ErrUnavailable,
		providers.KindUnsupported: fleet.ErrNeedsHuman, providers.KindInternal: fleet.ErrInternal, "unheard of": fleet.ErrInternal,
	} {
		_, err := provider.ClusterObjects(t.Context(), asking(string(kind)))
		if !errors.Is(err, want) || !errors.Is(err, kind) {
			t.Errorf("%q: want %v, got %v", kind, want, err)
		}
	}
}

func TestEveryFaultBecomesAnError(t *testing.T) {
	t.Parallel()
	_, err := newFixture(t).provider(t).ClusterObjects(t.Context(), asking("faults"))
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		t.Fatalf("want several errors, got %v", err)
	}
	var fields []string
	for _, one := range joined.Unwrap() {
		var fault *fleet.Error
		if errors.As(one, &fault) && fault.Kind == fleet.ErrInvalid {
			fields = append(fields, fault.Field)
		}
	}
	if diff := cmp.Diff([]string{"one", "two"}, fields); diff != "" {
		t.Error(diff)
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	t.Parallel()
	fixture := newFixture(t)
	provider := fixture.provider(t)
	if _, err := provider.Describe(t.Context()); err != nil {
		t.Fatal(err)
	}
	pid := fixture.PID("test")
	if err := fixture.Close(); err != nil {
		t.Fatal(err)
	}
	if !gone(pid) {
		t.Errorf("plugin %d outlived the host", pid)
	}
	if _, err := provider.ClusterObjects(t.Context(), asking("answer")); !errors.Is(err, fleet.ErrUnavailable) {
		t.Errorf("a call after Close: want unavailable, got %v", err)
	}
	if _, err := fixture.Provider(t.Context(), "test"); !errors.Is(err, fleet.ErrUnavailable) {
		t.Errorf("a provider after Close: want unavailable, got %v", err)
	}
}

func TestAHostThatIsKilledLeavesNoPlugin(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	install(t, folder, "testplugin", "test")
	host, pid := startHost(t, folder)
	if gone(pid) {
		t.Fatalf("plugin %d is not there", pid)
	}
	if err := host.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = host.Wait()
	waitGone(t, pid)
}
