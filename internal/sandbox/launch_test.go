package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/sandbox"
)

func TestFindWithoutASandbox(t *testing.T) {
	t.Parallel()
	for _, stateDir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "missing")} {
		if _, err := sandbox.Find(t.Context(), stateDir); !errors.Is(err, fleet.ErrNotFound) {
			t.Errorf("Find in %s: %v, want not found", stateDir, err)
		}
	}
}

// TestLaunchSaysWhyItFailed covers a sandbox that fails in order, with words of its
// own, and commands that never become one.
func TestLaunchSaysWhyItFailed(t *testing.T) {
	t.Parallel()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		command []string
		want    string
	}{
		"no kubebox":    {[]string{executable, asSandbox, "STATE", "/nonexistent/kubebox"}, "/nonexistent/kubebox"},
		"not kubebox":   {[]string{executable, asSandbox, "STATE", "/bin/false"}, "does not start"},
		"other program": {[]string{"/bin/sh", "-c", "echo some words >&2; exit 3"}, "some words"},
		"no program":    {[]string{"/nonexistent/fleetd"}, "/nonexistent/fleetd"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stateDir := t.TempDir()
			for i, argument := range test.command {
				test.command[i] = strings.ReplaceAll(argument, "STATE", stateDir)
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			log := filepath.Join(stateDir, "logs", "sandbox.log")
			_, err := sandbox.Launch(ctx, sandbox.LaunchConfig{StateDir: stateDir, Command: test.command, LogFile: log})
			if !errors.Is(err, fleet.ErrUnavailable) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Launch: %v, want it to say %q", err, test.want)
			}
		})
	}
}

// TestLaunchAtOnce launches one sandbox from several places, in a folder whose
// path is too long for a socket, with secrets in the environment it must not get.
func TestLaunchAtOnce(t *testing.T) {
	stateDir := filepath.Join(t.TempDir(), strings.Repeat("long/", 30))
	t.Setenv("MERIDIAN_TEST_SECRET", "do-not-inherit")
	pids := make([]int, 3)
	var launches sync.WaitGroup
	for i := range pids {
		launches.Go(func() { pids[i] = mustStatus(t, launch(t, stateDir)).PID })
	}
	launches.Wait()
	if pids[0] == 0 || pids[1] != pids[0] || pids[2] != pids[0] {
		t.Fatalf("processes are %v, want the same one", pids)
	}
	if environment, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pids[0])); err == nil && strings.Contains(string(environment), "do-not-inherit") {
		t.Error("the sandbox inherited the environment")
	}
	running, err := sandbox.Find(t.Context(), stateDir)
	if err != nil {
		t.Fatal(err)
	}
	status := mustStatus(t, running)
	if !status.Ready || status.Phase != "ready" || len(status.ControlPlanes) != 1 || status.ControlPlanes[0].State != "ready" {
		t.Errorf("status is %+v", status)
	}
	if err := running.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := noneLeft(status); err != nil {
		t.Error(err)
	}
}

// TestStopWhileStarting stops a sandbox before it is ready.
func TestStopWhileStarting(t *testing.T) {
	t.Parallel()
	stateDir := t.TempDir()
	launched := make(chan error, 1)
	go func() {
		_, err := tryLaunch(t, stateDir)
		launched <- err
	}()
	var running *sandbox.Client
	eventually(t, "find the starting sandbox", func(ctx context.Context) (err error) {
		running, err = sandbox.Find(ctx, stateDir)
		return err
	})
	status := mustStatus(t, running)
	if err := running.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-launched:
		if !status.Ready && !errors.Is(err, fleet.ErrUnavailable) {
			t.Errorf("Launch of what was stopped: %v, want unavailable", err)
		}
	case <-time.After(patience):
		t.Fatal("Launch waits for a sandbox that is gone")
	}
	if err := noneLeft(status); err != nil {
		t.Error(err)
	}
}
