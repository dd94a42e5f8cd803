package fleet_test

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

func TestDuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{`"90s"`: 90 * time.Second, `"5m"`: 5 * time.Minute, `"0s"`: 0, `"1h30m"`: 90 * time.Minute} {
		var got fleet.Duration
		if err := json.Unmarshal([]byte(text), &got); err != nil || time.Duration(got) != want {
			t.Errorf("%s: %v, %v", text, time.Duration(got), err)
		}
	}
	for _, text := range []string{`5`, `"5"`, `"-5s"`, `"soon"`, `true`, `{}`} {
		var got fleet.Duration
		if err := json.Unmarshal([]byte(text), &got); err == nil {
			t.Errorf("%s is taken as %v", text, time.Duration(got))
		}
	}
}

func TestAmount(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text       string
		of10, of16 int
		isZero     bool
	}{
		{`0`, 0, 0, true}, {`3`, 3, 3, false}, {`"3"`, 3, 3, false}, {`"0%"`, 0, 0, false},
		{`"25%"`, 2, 4, false}, {`"99%"`, 9, 15, false}, {`"100%"`, 10, 16, false},
	} {
		var got fleet.Amount
		if err := json.Unmarshal([]byte(test.text), &got); err != nil {
			t.Errorf("%s: %v", test.text, err)
		}
		if got.Of(10) != test.of10 || got.Of(16) != test.of16 || got.IsZero() != test.isZero {
			t.Errorf("%s: %d of 10, %d of 16, zero %v", test.text, got.Of(10), got.Of(16), got.IsZero())
		}
	}
	for _, text := range []string{`-1`, `"101%"`, `"%"`, `1.5`, `"many"`, `true`, `[]`} {
		var got fleet.Amount
		if err := json.Unmarshal([]byte(text), &got); err == nil {
			t.Errorf("%s is taken as %+v", text, got)
		}
	}
}

// TestValuesRoundTrip: what is written reads the same.
func TestValuesRoundTrip(t *testing.T) {
	t.Parallel()
	type values struct {
		Duration fleet.Duration
		Amount   fleet.Amount
	}
	rapid.Check(t, func(t *rapid.T) {
		before := values{Duration: fleet.Duration(rapid.Int64Range(0, 1<<60).Draw(t, "duration")), Amount: drawAmount(t, "amount")}
		raw, err := json.Marshal(before)
		if err != nil {
			t.Fatal(err)
		}
		var after values
		if err := json.Unmarshal(raw, &after); err != nil || after != before {
			t.Errorf("%s: %+v, %v", raw, after, err)
		}
	})
}
