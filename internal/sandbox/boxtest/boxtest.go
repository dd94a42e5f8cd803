package boxtest

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"k8s.io/client-go/rest"

	"github.com/meridian-fleet/meridian/internal/sandbox/box"
)

// BinaryVariable names the environment variable that holds the path of the
// kubebox binary; without it, bin/kubebox of the repository is used.
const BinaryVariable = "MERIDIAN_KUBEBOX"

const (
	startTimeout = 3 * time.Minute
	dirPrefix    = "meridian-boxtest-"
)

// names makes the names of control planes unique in this process.
var names atomic.Int64

// Start makes n control planes for a test, which are removed when it ends. Each
// has the namespaces that every cluster has, and no node.
func Start(t testing.TB, n int) []*rest.Config {
	t.Helper()
	host := Host(t)
	configs, failures := make([]*rest.Config, n), make([]error, n)
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	var starting sync.WaitGroup
	for i := range n {
		name := fmt.Sprintf("test-%d", names.Add(1))
		t.Cleanup(func() { remove(t, host, name) })
		starting.Go(func() {
			controlPlane, err := host.Ensure(ctx, name)
			if err != nil {
				failures[i] = err
				return
			}
			configs[i] = controlPlane.RESTConfig()
		})
	}
	starting.Wait()
	for _, err := range failures {
		if err != nil {
			t.Fatalf("start control planes: %v", err)
		}
	}
	return configs
}

func remove(t testing.TB, host *box.Host, name string) {
	if err := host.Remove(context.Background(), name); err != nil {
		t.Errorf("remove control plane %s: %v", name, err)
	}
}

// Binary returns the path of the kubebox binary.
func Binary(t testing.TB) string {
	t.Helper()
	path := os.Getenv(BinaryVariable)
	if path == "" {
		path = filepath.Join(repository(t), "bin", "kubebox")
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("kubebox is not built: %v (run make build, or set %s)", err, BinaryVariable)
	}
	return path
}

// repository is the folder this file is in a subfolder of, with the product's
// go.mod.
func repository(t testing.TB) string {
	_, file, _, ok := runtime.Caller(0)
	if !ok || !filepath.IsAbs(file) {
		t.Fatalf("cannot tell where the repository is (set %s)", BinaryVariable)
	}
	return filepath.Join(filepath.Dir(file), "..", "..", "..")
}

// shared is the host of this process, while any test uses it.
var shared struct {
	sync.Mutex
	host  *box.Host
	dir   string
	users int
}

// Host returns the host that the tests of this process share. A test that uses
// it directly gives its control planes names of their own and removes them.
func Host(t testing.TB) *box.Host {
	t.Helper()
	binary := Binary(t)
	shared.Lock()
	defer shared.Unlock()
	if shared.host == nil {
		startShared(t, binary)
	}
	shared.users++
	t.Cleanup(func() { leaveShared(t) })
	return shared.host
}

func startShared(t testing.TB, binary string) {
	removeAbandoned()
	dir, err := os.MkdirTemp("", dirPrefix)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	host, err := box.NewHost(ctx, box.Config{Binary: binary, Dir: dir, Logger: logger})
	if err != nil {
		os.RemoveAll(dir)
		t.Fatalf("start the host of control planes: %v", err)
	}
	shared.host, shared.dir = host, dir
}

func leaveShared(t testing.TB) {
	shared.Lock()
	defer shared.Unlock()
	if shared.users--; shared.users > 0 {
		return
	}
	if err := shared.host.Close(); err != nil {
		t.Errorf("close the host of control planes: %v", err)
	}
	if err := os.RemoveAll(shared.dir); err != nil {
		t.Errorf("remove the host's directory: %v", err)
	}
	shared.host = nil
}

// removeAbandoned removes the directories of test processes that were killed: no
// one holds their lock.
func removeAbandoned() {
	entries, err := os.ReadDir(os.TempDir())
	if err != nil {
		return
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), dirPrefix) {
			continue
		}
		dir := filepath.Join(os.TempDir(), entry.Name())
		if info, err := entry.Info(); err != nil || time.Since(info.ModTime()) < startTimeout {
			continue // may be just starting
		}
		lock := flock.New(filepath.Join(dir, "lock"))
		if free, err := lock.TryLock(); err == nil && free {
			_ = os.RemoveAll(dir)
			_ = lock.Unlock()
		}
	}
}
