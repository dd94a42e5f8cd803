package cli_test

import (
	"context"
	"encoding/json"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/meridian-fleet/meridian/internal/cli"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/evidence/pack"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// packs are the policies that come with Meridian.
var packs, _ = filepath.Abs("../../deploy/residency")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"fleetctl": func() {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		context.AfterFunc(ctx, stop)
		os.Exit(cli.Main(ctx, factory.New(), os.Args[1:]))
	}})
}

// TestScripts runs fleetctl as a process against a daemon of each script's own.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		Setup:               setUp,
		RequireExplicitExec: false,
		UpdateScripts:       os.Getenv("UPDATE_GOLDEN") != "",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":  exits,
			"put":    put,
			"daemon": steer,
			"calls":  calls,
			"stable": stable,
			"mode":   mode,
			"big":    big,
			"flip":   flip,
			"keys":   keys,
		},
	})
}

type daemonKey struct{}

func setUp(env *testscript.Env) error {
	d, err := newDaemon(context.Background(), env.WorkDir)
	if err != nil {
		return err
	}
	env.Defer(d.close)
	env.Values[daemonKey{}] = d
	env.Setenv("MERIDIAN_CONFIG", filepath.Join(env.WorkDir, "client.json"))
	env.Setenv("NO_COLOR", "1")
	env.Setenv("NEXT_YEAR", time.Now().AddDate(0, 10, 0).Format(time.DateOnly))
	env.Setenv("PACKS", packs)
	return nil
}

func daemonOf(ts *testscript.TestScript) *daemon { return ts.Value(daemonKey{}).(*daemon) }

// exits runs a command and checks its exit code: exits CODE COMMAND …
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND …")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if err != nil {
		match := regexp.MustCompile(`^exit status (\d+)$`).FindStringSubmatch(err.Error())
		if match == nil {
			ts.Fatalf("%v", err)
		}
		got, _ = strconv.Atoi(match[1])
	}
	if got != want {
		ts.Fatalf("exit code %d, not %d", got, want)
	}
}

// put writes resources into the inventory: put FILE…
func put(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		ts.Check(daemonOf(ts).put(context.Background(), ts.ReadFile(name)))
	}
}

// steer kills, stops and starts the daemon, and waits until watches stand:
// daemon kill|stop|start, daemon watched [COUNT]
func steer(ts *testscript.TestScript, neg bool, args []string) {
	d := daemonOf(ts)
	switch args[0] {
	case "kill":
		d.kill()
	case "stop":
		d.shutDown()
	case "start":
		ts.Check(d.start())
	case "watched":
		ts.Check(d.watches.wait(1))
	default:
		ts.Fatalf("daemon cannot %s", args[0])
	}
}

// calls prints what workflows were asked since the last calls.
func calls(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs("calls"), []byte(daemonOf(ts).workflows.take()), 0o600))
}

var moving = []struct {
	pattern *regexp.Regexp
	stable  string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:.]+Z`), "TIME"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ`), "TIME"},
	{regexp.MustCompile(`\br-[a-z0-9]{13}\b`), "ROLLOUT"},
	{regexp.MustCompile(`\bin [\d.]+m?s\b`), "in TOOK"},
	{regexp.MustCompile(`(?m)\b\d+s$`), "AGE"},
	{regexp.MustCompile(`"revision": \d+`), `"revision": REVISION`},
	{regexp.MustCompile(`revision: \d+`), `revision: REVISION`},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "ADDRESS"},
}

// stable replaces in the last outputs what differs from run to run, and leaves
// them in the files out and err.
func stable(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range []string{"stdout", "stderr"} {
		text := ts.ReadFile(name)
		for _, replace := range moving {
			text = replace.pattern.ReplaceAllString(text, replace.stable)
		}
		ts.Check(os.WriteFile(ts.MkAbs(map[string]string{"stdout": "out", "stderr": "err"}[name]), []byte(text), 0o600))
	}
}

// mode checks a file's permissions: mode 600 FILE
func mode(ts *testscript.TestScript, neg bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := strconv.FormatUint(uint64(info.Mode().Perm()), 8); got != args[0] {
		ts.Fatalf("%s has mode %s", args[1], got)
	}
}

// big makes a file of so many MiB: big FILE MIB
func big(ts *testscript.TestScript, neg bool, args []string) {
	size, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), nil, 0o600))
	ts.Check(os.Truncate(ts.MkAbs(args[0]), size<<20))
}

// flip changes one byte in the middle of a file: flip FILE
func flip(ts *testscript.TestScript, neg bool, args []string) {
	content := []byte(ts.ReadFile(args[0]))
	middle := len(content) / 2
	for content[middle] < 'b' || content[middle] > 'y' {
		middle++
	}
	content[middle]++
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), content, 0o600))
}

// keys writes the verifier keys that the last output, a report in JSON, names:
// keys FILE
func keys(ts *testscript.TestScript, neg bool, args []string) {
	var report fleet.EvidenceReport
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &report))
	lines := "# keys\n" + report.Details[pack.DetailLogKey] + "\n" + report.Details[pack.DetailWitnessKey] + "\n"
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(lines), 0o600))
}
