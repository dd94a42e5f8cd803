package usage_test

import (
	"maps"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/meridian-fleet/meridian/internal/cli/usage"
)

func TestLabels(t *testing.T) {
	t.Parallel()
	got, err := usage.Labels("-l", []string{"a=b,c=d", "e=", "a=b"})
	if err != nil || !maps.Equal(got, map[string]string{"a": "b", "c": "d", "e": ""}) {
		t.Errorf("got %v, %v", got, err)
	}
	for _, wrong := range [][]string{{"a"}, {"=b"}, {""}, {"a!=b"}, {"a=b", "a=c"}, {"a in (b)"}} {
		if got, err := usage.Labels("-l", wrong); err == nil {
			t.Errorf("%q was read as %v", wrong, got)
		}
	}
}

func TestInstant(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-03-31T12:00:00Z":      now.Add(-24 * time.Hour),
		"2026-03-31T14:00:00+02:00": now.Add(-24 * time.Hour),
		"2026-03-31 12:00:00Z":      now.Add(-24 * time.Hour),
		"2026-04-01":                now.Add(-12 * time.Hour),
		"90m":                       now.Add(-90 * time.Minute),
		"0s":                        now,
	} {
		if got, err := usage.Instant("--as-of", text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q is %s, %v", text, got, err)
		}
	}
	for _, wrong := range []string{"", "yesterday", "-5m", "2026-13-01", "5"} {
		if got, err := usage.Instant("--as-of", wrong, now); err == nil {
			t.Errorf("%q was read as %s", wrong, got)
		}
	}
}

// A flag that is left out is not the same as one that is given empty.
func TestFilled(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args  []string
		wrong bool
	}{{nil, false}, {[]string{"--a=x", "--b=y,z"}, false}, {[]string{"--a="}, true}, {[]string{"--b", ""}, true}, {[]string{"--b", " "}, true}} {
		var text string
		var words []string
		cmd := &cobra.Command{}
		cmd.Flags().StringVar(&text, "a", "", "")
		cmd.Flags().StringSliceVar(&words, "b", nil, "")
		usage.Filled(cmd, "a", "b")
		if err := cmd.ParseFlags(test.args); (err != nil) != test.wrong {
			t.Errorf("%q: %v", test.args, err)
		}
		if len(test.args) == 2 && !test.wrong && (text != "x" || len(words) != 2) {
			t.Errorf("%q: %q, %q", test.args, text, words)
		}
	}
}
