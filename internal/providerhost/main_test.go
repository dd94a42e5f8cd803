package providerhost

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/providers"
)

// binaries is the folder the test plugins are built into.
var binaries string

const hostVariable = "MERIDIAN_TEST_HOST_OF"

func TestMain(m *testing.M) {
	if folder := os.Getenv(hostVariable); folder != "" {
		beHost(folder)
		return
	}
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	directory, err := os.MkdirTemp("", "plugins")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(directory) }()
	binaries = directory
	const source = "../../providers/plugin/testdata/"
	build := exec.Command("go", "build", "-o", directory, source+"testplugin", source+"futureplugin")
	if output, err := build.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("build test plugins: %v\n%s", err, output))
	}
	return m.Run()
}

// beHost is what this test binary does when it is started as a host to be
// killed: it starts a plugin, says its process id and waits.
func beHost(folder string) {
	host, err := New(Config{Dir: folder, LockFile: filepath.Join(folder, "plugins.lock"), Logger: slog.New(slog.DiscardHandler)})
	if err == nil {
		err = host.Ping(context.Background(), "test", 30*time.Second)
	}
	if err != nil {
		fmt.Println("error:", err)
		return
	}
	fmt.Println(host.PID("test"))
	select {}
}

// fixture is a host with a folder of its own that has the test plugin.
type fixture struct {
	*Host
	folder string
	log    *starts
}

func newFixture(t *testing.T) fixture {
	t.Helper()
	folder := t.TempDir()
	install(t, folder, "testplugin", "test")
	log := &starts{}
	host, err := New(Config{Dir: folder, LockFile: filepath.Join(folder, "plugins.lock"), Logger: slog.New(log)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := host.Close(); err != nil {
			t.Error(err)
		}
	})
	return fixture{Host: host, folder: folder, log: log}
}

// install puts a test plugin into a folder under a provider's name.
func install(t *testing.T, folder, binary, name string) string {
	t.Helper()
	from, err := os.Open(filepath.Join(binaries, binary))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = from.Close() }()
	path := filepath.Join(folder, "fleet-provider-"+name)
	to, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func (f fixture) provider(t *testing.T) providers.Provider {
	t.Helper()
	provider, err := f.Provider(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	return provider
}

func asking(behaviour string) providers.ClusterRequest {
	return providers.ClusterRequest{Name: "c", Account: map[string]string{"behaviour": behaviour}}
}

// starts is a log handler that counts the plugins started.
type starts struct {
	mu    sync.Mutex
	count int
}

func (s *starts) Enabled(context.Context, slog.Level) bool { return true }
func (s *starts) WithAttrs([]slog.Attr) slog.Handler       { return s }
func (s *starts) WithGroup(string) slog.Handler            { return s }

func (s *starts) Handle(_ context.Context, record slog.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if record.Message == "provider plugin started" {
		s.count++
	}
	return nil
}

func (s *starts) counted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

// waitGone waits until a process is no more.
func waitGone(t *testing.T, pid int) {
	t.Helper()
	deadline := time.After(15 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !gone(pid) {
		select {
		case <-deadline:
			t.Fatalf("process %d is still there", pid)
		case <-tick.C:
		}
	}
}

// gone is also true of a zombie, which nobody has collected yet.
func gone(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(stat), ") Z ")
}

// startHost starts this test binary as a host and returns it with the process
// id of its plugin.
func startHost(t *testing.T, folder string) (host *exec.Cmd, pid int) {
	t.Helper()
	host = exec.CommandContext(t.Context(), os.Args[0])
	host.Env = append(os.Environ(), hostVariable+"="+folder)
	output, err := host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err = strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatalf("the host said %q", line)
	}
	return host, pid
}

// stop makes a process hang, and waits until every thread of it does: on a busy
// machine some go on for a while.
func stop(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	deadline := time.After(15 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !stopped(pid) {
		select {
		case <-deadline:
			t.Fatalf("process %d does not stop", pid)
		case <-tick.C:
		}
	}
}

func stopped(pid int) bool {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, thread := range threads {
		stat, readErr := os.ReadFile(thread)
		if readErr != nil || !strings.Contains(string(stat), ") T ") {
			return false
		}
	}
	return err == nil && len(threads) > 0
}
