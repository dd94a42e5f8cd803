package cli_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/cli"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/terminal"
)

// buffer can be read while a command writes.
type buffer struct {
	mutex sync.Mutex
	bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.Buffer.Write(p)
}

func (b *buffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.Buffer.String()
}

// inProcess makes a factory for a daemon of the test's own.
func inProcess(t *testing.T) (*daemon, *factory.Factory, *buffer, *buffer) {
	t.Helper()
	folder := t.TempDir()
	d, err := newDaemon(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.close)
	out, errs := &buffer{}, &buffer{}
	environment := map[string]string{"MERIDIAN_CONFIG": filepath.Join(folder, "client.json")}
	return d, &factory.Factory{
		Streams: &terminal.Streams{
			In: strings.NewReader(""), Out: terminal.NewScreen(out, nil, false), Err: terminal.NewScreen(errs, nil, false),
		},
		Now:    time.Now,
		Getenv: func(name string) string { return environment[name] },
		Output: output.Table,
	}, out, errs
}

const pausedRollout = `kind: Rollout
metadata: {name: r-long}
spec: {baseline: platform@1.0.0}
status: {phase: Running, waves: [{name: all, phase: Running, clusters: [a], succeeded: 0, failed: 0}]}
`

func TestInterruptingAWatchLeavesTheRolloutRunning(t *testing.T) {
	t.Parallel()
	d, f, _, errs := inProcess(t)
	if err := d.put(t.Context(), pausedRollout); err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	code := make(chan int, 1)
	go func() { code <- cli.Main(ctx, f, []string{"rollout", "status", "r-long", "--watch"}) }()
	if err := d.watches.wait(1); err != nil {
		t.Fatal(err)
	}
	interrupt()
	if got := <-code; got != int(failure.StillRunning) {
		t.Errorf("exit code %d", got)
	}
	const want = "Error: interrupted; rollout/r-long goes on (follow it with `fleetctl rollout status r-long --watch`)\n"
	if errs.String() != want {
		t.Errorf("said %q", errs)
	}
}

func TestAWatchOutlivesAnOrderlyRestart(t *testing.T) {
	t.Parallel()
	d, f, out, errs := inProcess(t)
	if err := d.put(t.Context(), pausedRollout); err != nil {
		t.Fatal(err)
	}
	code := make(chan int, 1)
	go func() { code <- cli.Main(t.Context(), f, []string{"rollout", "status", "r-long", "--watch"}) }()
	for range 2 {
		if err := d.watches.wait(1); err != nil {
			t.Fatal(err)
		}
		d.shutDown()
		if err := d.start(); err != nil {
			t.Fatal(err)
		}
	}
	done := strings.ReplaceAll(pausedRollout, "Running", "Succeeded")
	if err := d.put(t.Context(), done); err != nil {
		t.Fatal(err)
	}
	if got := <-code; got != 0 {
		t.Errorf("exit code %d, %s", got, errs)
	}
	if got := strings.Count(out.String(), "wave all: Running"); got != 1 {
		t.Errorf("the wave's start was told %d times:\n%s", got, out)
	}
}

// A restarted fleetd may listen elsewhere; its client.json says where.
func TestAWatchFindsADaemonThatMoved(t *testing.T) {
	t.Parallel()
	d, f, _, errs := inProcess(t)
	if err := d.put(t.Context(), pausedRollout); err != nil {
		t.Fatal(err)
	}
	code := make(chan int, 1)
	go func() { code <- cli.Main(t.Context(), f, []string{"rollout", "status", "r-long", "--watch"}) }()
	if err := d.watches.wait(1); err != nil {
		t.Fatal(err)
	}
	before := d.address
	d.kill()
	d.address = ""
	if err := d.start(); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(d.folder, "client.json")
	content, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, bytes.ReplaceAll(content, []byte(before), []byte(d.address)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.put(t.Context(), strings.ReplaceAll(pausedRollout, "Running", "Succeeded")); err != nil {
		t.Fatal(err)
	}
	if got := <-code; got != 0 {
		t.Errorf("exit code %d, %s", got, errs)
	}
}

func TestDeletingAsks(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]struct {
		code int
		kept string
	}{"y\n": {0, ""}, "yes\n": {0, ""}, "n\n": {1, "rolloutstrategy/waves\n"}, "\n": {1, "rolloutstrategy/waves\n"}, "": {1, "rolloutstrategy/waves\n"}} {
		d, f, out, errs := inProcess(t)
		if err := d.put(t.Context(), "kind: RolloutStrategy\nmetadata: {name: waves}\nspec: {waves: [{name: canary}]}\n"); err != nil {
			t.Fatal(err)
		}
		f.Streams.In, f.Streams.CanAsk = strings.NewReader(answer), true
		if got := cli.Main(t.Context(), f, []string{"delete", "strategy", "waves"}); got != want.code {
			t.Errorf("%q: exit code %d, %s", answer, got, errs)
		}
		if !strings.HasPrefix(errs.String(), "Delete RolloutStrategy waves? [y/N] ") {
			t.Errorf("%q: asked %q", answer, errs)
		}
		out.Reset()
		if cli.Main(t.Context(), f, []string{"get", "strategies", "-o", "name"}); out.String() != want.kept {
			t.Errorf("%q: left %q", answer, out)
		}
	}
}
