package progress

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/meridian-fleet/meridian/internal/cli/terminal"
)

func screenOf(e *emulator, color bool) *terminal.Screen {
	return terminal.NewScreen(e, func() (int, int, bool) { return e.width, e.height, true }, color)
}

func waveLines(done, all int) []Line {
	lines := []Line{{Key: "wave canary", State: "Running", Counter: fmt.Sprintf("%d/%d clusters", done, all)}}
	for i := range all {
		line := Line{Key: fmt.Sprintf("cluster c%d", i), Indent: 1, State: "Running", Detail: "waiting for DaemonSet gpu/driver"}
		if i < done {
			line.State, line.Detail, line.Done, line.Style = "Succeeded", "42 created", true, terminal.Good
		}
		lines = append(lines, line)
	}
	return lines
}

func TestLiveRewritesInPlace(t *testing.T) {
	t.Parallel()
	e := newEmulator(60, 10)
	fmt.Fprint(e, "$ fleetctl\n")
	display := New(screenOf(e, true))
	display.Show(waveLines(0, 2))
	display.Note("fleetd does not answer; waiting for it")
	want := `$ fleetctl
wave canary   Running  0/2 clusters
  cluster c0  Running  waiting for DaemonSet gpu/driver
  cluster c1  Running  waiting for DaemonSet gpu/driver
fleetd does not answer; waiting for it
`
	if e.text() != want {
		t.Errorf("first:\n%s", e.text())
	}
	display.Note("")
	display.Show(waveLines(1, 2))
	display.Close()
	fmt.Fprint(e, "done\n")
	want = `$ fleetctl
wave canary   Running    1/2 clusters
  cluster c0  Succeeded  42 created
  cluster c1  Running    waiting for DaemonSet gpu/driver
done
`
	if e.text() != want {
		t.Errorf("last:\n%s", e.text())
	}
}

func TestLiveOnASmallScreen(t *testing.T) {
	t.Parallel()
	e := newEmulator(30, 5)
	display := New(screenOf(e, false))
	steps := []struct {
		lines []Line
		want  string
	}{
		{waveLines(0, 8), "wave canary   Running  0/8 c…\n  cluster c0  Running  waiti…\n  cluster c1  Running  waiti…\n… and 6 more, 0 done\n"},
		{waveLines(7, 8), "wave canary   Running    7/8…\n  cluster c6  Succeeded  42 …\n  cluster c7  Running    wai…\n… and 6 more, done\n"},
		{waveLines(8, 8)[:1], "wave canary  Running  8/8 cl…\n"},
	}
	for _, step := range steps {
		display.Show(step.lines)
		if e.text() != step.want {
			t.Errorf("got:\n%swant:\n%s", e.text(), step.want)
		}
	}
	display.Show(waveLines(8, 8))
	display.Close()
	if got := strings.Count(e.text(), "  cluster"); got != 8 {
		t.Errorf("at the end %d clusters stand there:\n%s", got, e.text())
	}
	if e.wrapped > 0 {
		t.Errorf("%d lines were too long", e.wrapped)
	}
}

// Whatever is shown on whatever screen, nothing above the display is touched,
// no line wraps, and at the end every line stands there once.
func TestLiveNeverCorruptsTheScreen(t *testing.T) {
	t.Parallel()
	line := rapid.Custom(func(t *rapid.T) Line {
		return Line{
			Key:    rapid.SampledFrom([]string{"wave a", "cluster aws-eu-central-1", "région", "クラスタ"}).Draw(t, "key"),
			Indent: rapid.IntRange(0, 2).Draw(t, "indent"),
			State:  rapid.SampledFrom([]string{"", "Running", "Succeeded"}).Draw(t, "state"),
			Detail: rapid.StringOfN(rapid.RuneFrom([]rune("ab 界\x1b[31m\n\té🇪🇺")), 0, 80, -1).Draw(t, "detail"),
			Done:   rapid.Bool().Draw(t, "done"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		e := newEmulator(rapid.IntRange(2, 60).Draw(t, "width"), rapid.IntRange(2, 12).Draw(t, "height"))
		const above = "$\n"
		fmt.Fprint(e, above)
		display := New(screenOf(e, rapid.Bool().Draw(t, "color")))
		var last []Line
		for range rapid.IntRange(1, 8).Draw(t, "times") {
			last = rapid.SliceOfN(line, 0, 20).Draw(t, "lines")
			display.Show(last)
			if shown := len(e.lines) - 2; shown > e.height-1 {
				t.Fatalf("%d rows on a screen of %d", shown, e.height)
			}
			if rapid.Bool().Draw(t, "note") {
				display.Note(rapid.SampledFrom([]string{"", "waiting\nfor it"}).Draw(t, "text"))
			}
		}
		display.Close()
		if e.wrapped > 0 {
			t.Fatalf("%d lines were too long:\n%s", e.wrapped, e.text())
		}
		if !strings.HasPrefix(e.text(), above) {
			t.Fatalf("what stood above is gone:\n%s", e.text())
		}
		if rows := len(e.lines) - 2; rows != len(last) {
			t.Fatalf("%d rows for %d lines:\n%s", rows, len(last), e.text())
		}
	})
}

// A terminal that was made narrower has wrapped what stood there.
func TestLiveGoesBackOverWrappedLines(t *testing.T) {
	t.Parallel()
	if got := occupied([]row{{text: strings.Repeat("x", 50)}, {}, {text: "short"}}, 20); got != 5 {
		t.Errorf("50, 0 and 5 columns occupy %d rows of 20", got)
	}
}

func TestPlainAppendsChangesOnly(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	display := New(terminal.NewScreen(&out, nil, true))
	display.Show(waveLines(0, 1))
	display.Show(waveLines(0, 1))
	display.Show([]Line{{Key: "wave canary", State: "Running", Counter: "5/9 clusters"}}) // a count alone is no news
	display.Note("fleetd does not answer")
	display.Note("")
	display.Show([]Line{{Key: "wave canary", State: "Succeeded", Detail: "all\x1b[2J\nwell"}})
	display.Close()
	const want = `wave canary: Running: 0/1 clusters
cluster c0: Running: waiting for DaemonSet gpu/driver
fleetd does not answer
wave canary: Succeeded: all[2J well
`
	if out.String() != want {
		t.Errorf("got:\n%s", &out)
	}
}
