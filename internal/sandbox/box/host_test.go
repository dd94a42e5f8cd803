package box_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/sandbox/box"
	"github.com/meridian-fleet/meridian/internal/sandbox/boxtest"
)

// fixture is a host of the test's own.
type fixture struct {
	*testing.T
	dir  string
	host *box.Host
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{T: t, dir: t.TempDir()}
	f.open()
	t.Cleanup(func() {
		if err := f.host.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func (f *fixture) open() {
	f.Helper()
	logger := slog.New(slog.NewTextHandler(f.Output(), nil))
	host, err := box.NewHost(f.Context(), box.Config{Binary: boxtest.Binary(f), Dir: f.dir, Logger: logger})
	if err != nil {
		f.Fatal(err)
	}
	f.host = host
}

func (f *fixture) ensure(name string, options ...box.Option) *box.ControlPlane {
	f.Helper()
	controlPlane, err := f.host.Ensure(f.Context(), name, options...)
	if err != nil {
		f.Fatal(err)
	}
	return controlPlane
}

func (f *fixture) client(controlPlane *box.ControlPlane) kubernetes.Interface {
	f.Helper()
	client, err := kubernetes.NewForConfig(controlPlane.RESTConfig())
	if err != nil {
		f.Fatal(err)
	}
	return client
}

const note = "note"

func (f *fixture) leaveNote(controlPlane *box.ControlPlane) {
	f.Helper()
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: note}}
	if _, err := f.client(controlPlane).CoreV1().ConfigMaps("default").Create(f.Context(), object, metav1.CreateOptions{}); err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) hasNote(controlPlane *box.ControlPlane) bool {
	f.Helper()
	_, err := f.client(controlPlane).CoreV1().ConfigMaps("default").Get(f.Context(), note, metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		f.Fatal(err)
	}
	return err == nil
}

func (f *fixture) pid(name string) int {
	f.Helper()
	for _, status := range f.host.List() {
		if status.Name == name {
			return status.PID
		}
	}
	f.Fatalf("%s is not listed", name)
	return 0
}

func (f *fixture) eventually(what string, holds func() bool) {
	f.Helper()
	err := wait.PollUntilContextTimeout(f.Context(), 20*time.Millisecond, 60*time.Second, true,
		func(context.Context) (bool, error) { return holds(), nil })
	if err != nil {
		f.Fatalf("%s: %v", what, err)
	}
}

func running(pid int) bool { return syscall.Kill(pid, 0) == nil }

func listening(t *testing.T, endpoint string) bool {
	t.Helper()
	parsed, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	connection, err := net.Dial("tcp", parsed.Host)
	if err != nil {
		return false
	}
	connection.Close()
	return true
}

func TestKilledControlPlaneComesBack(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	before := f.ensure("cluster")
	f.leaveNote(before)
	first := f.pid("cluster")
	if err := f.host.Kill("cluster"); err != nil {
		t.Fatal(err)
	}
	after := f.ensure("cluster")
	if after.Endpoint() != before.Endpoint() || string(after.Kubeconfig()) != string(before.Kubeconfig()) {
		t.Errorf("it came back elsewhere: %s, then %s", before.Endpoint(), after.Endpoint())
	}
	if f.pid("cluster") == first {
		t.Error("the killed process is still listed")
	}
	if !f.hasNote(before) { // with the client configuration from before
		t.Error("its data is lost")
	}

	if !f.host.KillEtcd() {
		t.Fatal("no etcd to kill")
	}
	f.eventually("etcd comes back with its data", func() bool {
		_, err := f.client(before).CoreV1().ConfigMaps("default").Get(f.Context(), note, metav1.GetOptions{})
		return f.host.Etcd().State == box.Ready && err == nil
	})
}

func TestStoppedControlPlaneStaysDownUntilStarted(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	controlPlane := f.ensure("cluster")
	f.leaveNote(controlPlane)
	if err := f.host.Stop("cluster"); err != nil {
		t.Fatal(err)
	}
	if listening(t, controlPlane.Endpoint()) {
		t.Error("it answers while stopped")
	}
	hurried, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := f.host.Ensure(hurried, "cluster"); !errors.Is(err, fleet.ErrWaiting) {
		t.Errorf("Ensure of a stopped control plane: %v", err)
	}
	if err := f.host.Kill("cluster"); !errors.Is(err, fleet.ErrConflict) {
		t.Errorf("Kill of a stopped control plane: %v", err)
	}
	if err := f.host.Start("cluster"); err != nil {
		t.Fatal(err)
	}
	if !f.hasNote(f.ensure("cluster")) {
		t.Error("its data is lost")
	}
}

func TestRemoveGivesEverythingBack(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	controlPlane := f.ensure("cluster")
	neighbour := f.ensure("cluster-2") // its name begins with the other's
	f.leaveNote(controlPlane)
	f.leaveNote(neighbour)
	pid := f.pid("cluster")
	if err := f.host.Remove(t.Context(), "cluster"); err != nil {
		t.Fatal(err)
	}
	if running(pid) {
		t.Error("its process, and so its memory, is still there")
	}
	if listening(t, controlPlane.Endpoint()) {
		t.Error("its port is still taken")
	}
	for _, pattern := range []string{"clusters/cluster", "removed/*", "logs/cluster.log"} {
		if left, err := filepath.Glob(filepath.Join(f.dir, pattern)); err != nil || len(left) > 0 {
			t.Errorf("left behind: %q %v", left, err)
		}
	}
	if len(f.host.List()) != 1 {
		t.Errorf("listed: %v", f.host.List())
	}
	if f.hasNote(f.ensure("cluster")) {
		t.Error("a new control plane of that name has the old one's data")
	}
	if !f.hasNote(neighbour) {
		t.Error("the neighbour lost its data")
	}
	if err := f.host.Remove(t.Context(), "never-there"); err != nil {
		t.Errorf("Remove of what does not exist: %v", err)
	}
}

func TestNewHostBringsBackWhatTheLastOneLeft(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	controlPlane := f.ensure("kept")
	f.leaveNote(controlPlane)
	f.ensure("half-removed")
	pids := []int{f.pid("kept"), f.pid("half-removed"), f.host.Etcd().PID}
	if err := f.host.Close(); err != nil {
		t.Fatal(err)
	}
	for _, pid := range pids {
		if running(pid) {
			t.Errorf("process %d outlived Close", pid)
		}
	}
	if _, err := f.host.Ensure(t.Context(), "kept"); !errors.Is(err, fleet.ErrConflict) {
		t.Errorf("Ensure on a closed host: %v", err)
	}
	// As if the machine had gone down in the middle of a removal.
	if err := os.Rename(filepath.Join(f.dir, "clusters", "half-removed"), filepath.Join(f.dir, "removed", "half-removed")); err != nil {
		t.Fatal(err)
	}

	f.open()
	if list := f.host.List(); len(list) != 1 || list[0].Name != "kept" {
		t.Fatalf("brought back: %v", list)
	}
	if left, err := os.ReadDir(filepath.Join(f.dir, "removed")); err != nil || len(left) > 0 {
		t.Errorf("the interrupted removal was not completed: %v %v", left, err)
	}
	again := f.ensure("kept")
	if again.Endpoint() != controlPlane.Endpoint() || !f.hasNote(controlPlane) {
		t.Error("it came back without its address or its data")
	}
}

func TestServesTheVersionAskedFor(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	controlPlane := f.ensure("cluster", box.KubernetesVersion("v1.35.2"))
	f.leaveNote(controlPlane)
	for _, want := range []string{"v1.35.2", "v1.36.1"} {
		f.ensure("cluster", box.KubernetesVersion(want))
		version, err := f.client(controlPlane).Discovery().ServerVersion()
		if err != nil {
			t.Fatal(err)
		}
		if version.GitVersion != want {
			t.Errorf("serves %s, want %s", version.GitVersion, want)
		}
	}
	if !f.hasNote(controlPlane) {
		t.Error("the upgrade lost its data")
	}
	if _, err := f.host.Ensure(t.Context(), "ancient", box.KubernetesVersion("v1.12.0")); !errors.Is(err, fleet.ErrInvalid) {
		t.Errorf("a version it cannot serve: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, name := range []string{"", "..", "a/b", "Upper", "-a"} {
		if _, err := f.host.Ensure(t.Context(), name); !errors.Is(err, fleet.ErrInvalid) {
			t.Errorf("name %q: %v", name, err)
		}
	}
	if err := f.host.Kill("nobody"); !errors.Is(err, fleet.ErrNotFound) {
		t.Errorf("Kill of what does not exist: %v", err)
	}
	if _, err := box.NewHost(t.Context(), box.Config{Binary: boxtest.Binary(t), Dir: f.dir}); !errors.Is(err, fleet.ErrConflict) {
		t.Errorf("a second host on the same directory: %v", err)
	}
	if _, err := box.NewHost(t.Context(), box.Config{Binary: filepath.Join(f.dir, "missing"), Dir: t.TempDir()}); !errors.Is(err, fleet.ErrNotFound) {
		t.Errorf("a binary that does not exist: %v", err)
	}
	anonymous := rest.AnonymousClientConfig(f.ensure("cluster").RESTConfig())
	client, err := kubernetes.NewForConfig(anonymous)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoreV1().Namespaces().List(t.Context(), metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("a stranger listing namespaces: %v", err)
	}
}
