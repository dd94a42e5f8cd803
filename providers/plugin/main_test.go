package plugin_test

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/providers/plugin"
)

// binaries is the folder the test plugins are built into.
var binaries string

const hostVariable = "MERIDIAN_TEST_HOST_OF"

func TestMain(m *testing.M) {
	if path := os.Getenv(hostVariable); path != "" {
		beHost(path)
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
	build := exec.Command("go", "build", "-o", directory, "./testdata/testplugin", "./testdata/futureplugin")
	if output, err := build.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("build test plugins: %v\n%s", err, output))
	}
	return m.Run()
}

// beHost is what this test binary does when it is started as a host to be
// killed: it starts a plugin, says its process id and waits.
func beHost(path string) {
	client, err := plugin.Dial(plugin.Options{Path: path, SHA256: sumOf(path), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		fmt.Println("error:", err)
		return
	}
	fmt.Println(client.PID())
	select {}
}

func sumOf(path string) []byte {
	content, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(content)
	return sum[:]
}

func dial(t *testing.T, name string) *plugin.Client {
	t.Helper()
	path := filepath.Join(binaries, name)
	client, err := plugin.Dial(plugin.Options{Path: path, SHA256: sumOf(path), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Kill)
	return client
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
func startHost(t *testing.T, temporary string) (host *exec.Cmd, pid int) {
	t.Helper()
	host = exec.CommandContext(t.Context(), os.Args[0])
	host.Env = append(os.Environ(), hostVariable+"="+filepath.Join(binaries, "testplugin"), "TMPDIR="+temporary)
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
