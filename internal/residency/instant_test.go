package residency_test

import (
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

func TestPeriods(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		zone, from, until, at string
		covered               bool
	}{
		{"", "2026-03-01", "", "2026-03-01", true},
		{"", "2026-03-01", "", "2026-02-28T23:59:59.999999999Z", false},
		{"", "", "2026-03-31", "2026-03-31T23:59:59.999999999Z", true},
		{"", "", "2026-03-31", "2026-04-01", false},
		{"", "", "2026-03-31T12:00:00Z", "2026-03-31T11:59:59Z", true},
		{"", "", "2026-03-31T12:00:00Z", "2026-03-31T12:00:00Z", false},
		{"", "", "2026-03-31T12:00:00+02:00", "2026-03-31T10:00:00Z", false},
		{"", "2024-02-29", "2024-02-29", "2024-02-29T12:00:00Z", true},
		{"", "2024-02-29", "2024-02-29", "2024-03-01", false},
		// a day of Berlin begins before that of Greenwich, in summer still earlier
		{"Europe/Berlin", "2026-03-01", "", "2026-02-28T23:00:00Z", true},
		{"Europe/Berlin", "2026-03-01", "", "2026-02-28T22:59:59Z", false},
		{"Europe/Berlin", "2026-07-01", "", "2026-06-30T22:00:00Z", true},
		{"Europe/Berlin", "", "2026-03-29", "2026-03-29T21:59:59Z", true}, // the clock went forward that day
		{"Europe/Berlin", "", "2026-03-29", "2026-03-29T22:00:00Z", false},
		{"Pacific/Kiritimati", "2026-01-01", "", "2025-12-31T10:00:00Z", true},
		// an instant is the same everywhere
		{"Europe/Berlin", "2026-03-01T00:00:00Z", "", "2026-02-28T23:30:00Z", false},
		// midnight that did not exist: the clock went from 00:00 to 01:00
		{"America/Sao_Paulo", "2018-11-04", "", "2018-11-04T03:00:00Z", true},
		{"America/Sao_Paulo", "2018-11-04", "", "2018-11-04T02:59:59Z", false},
		{"America/Sao_Paulo", "", "2018-11-03", "2018-11-04T02:59:59Z", true},
		// midnight that came twice: at 01:00 the clock went back to 00:00
		{"America/Havana", "2025-11-02", "", "2025-11-02T04:00:00Z", true},
		{"America/Havana", "2025-11-02", "", "2025-11-02T03:59:59Z", false},
		// a day that did not exist: Samoa went from 29 to 31 December 2011
		{"Pacific/Apia", "2011-12-30", "", "2011-12-30T10:00:00Z", true},
		{"Pacific/Apia", "2011-12-30", "", "2011-12-30T09:59:59Z", false},
		{"Pacific/Apia", "", "2011-12-30", "2011-12-30T10:00:00Z", false},
		{"Pacific/Apia", "", "2011-12-29", "2011-12-30T09:59:59Z", true},
	} {
		zone, err := time.LoadLocation(test.zone)
		if err != nil {
			t.Fatal(err)
		}
		covered, err := residency.Covers(fleet.Period{From: test.from, Until: test.until}, zone, instant(t, test.at))
		if err != nil || covered != test.covered {
			t.Errorf("%s to %s in %q covers %s: %v %v, want %v", test.from, test.until, test.zone, test.at, covered, err, test.covered)
		}
	}
}

func TestParseInstant(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2026-03-01": "2026-03-01T00:00:00Z", "2026-03-01T01:00:00+01:00": "2026-03-01T00:00:00Z", "2026-03-01t00:00:00z": "2026-03-01T00:00:00Z",
		"2025-02-29": "", "2026-02-30": "", "2026-3-1": "", "tomorrow": "", "": "", "2026-03-01T25:00:00Z": "", "2026-03-01 10:00": "", "2026-03-01T10:00:00": "",
	} {
		at, err := residency.ParseInstant(text)
		switch {
		case want == "" && fleet.KindOf(err) != fleet.ErrInvalid:
			t.Errorf("%q: %v %v, want a fault", text, at, err)
		case want != "" && (err != nil || at.UTC().Format(time.RFC3339) != want):
			t.Errorf("%q: %v %v, want %s", text, at, err, want)
		}
	}
}

// Obligations are due in the policy's time zone, months stay within the month,
// weekends do not count as business days.
func TestDue(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ within, at, due string }{
		{"24 hours", "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z"},
		{"1 day", "2026-03-28T12:00:00Z", "2026-03-29T11:00:00Z"}, // 13:00 in Berlin, on the day the clock goes forward
		{"90 minutes", "2026-03-28T12:00:00Z", "2026-03-28T13:30:00Z"},
		{"2 weeks", "2026-01-01T00:00:00Z", "2026-01-15T00:00:00Z"},
		{"5 business days", "2026-03-06T10:00:00Z", "2026-03-13T10:00:00Z"},
		{"1 business day", "2026-03-06T10:00:00Z", "2026-03-09T10:00:00Z"},
		{"1 business day", "2026-03-07T10:00:00Z", "2026-03-09T10:00:00Z"},
		{"12 business days", "2026-03-07T10:00:00Z", "2026-03-24T10:00:00Z"},
		{"1 month", "2026-01-31T12:00:00Z", "2026-02-28T12:00:00Z"},
		{"1 year", "2024-02-29T12:00:00Z", "2025-02-28T12:00:00Z"},
		{"48 months", "2024-02-29T12:00:00Z", "2028-02-29T12:00:00Z"},
		{"1 month", "2026-01-30T23:30:00Z", "2026-02-27T23:30:00Z"}, // the 31st already in Berlin
	} {
		c := compiled(t, `
- {kind: DataClass, name: p}
- {kind: ResidencyPolicy, name: a, spec: {version: "1", timeZone: Europe/Berlin, effective: {from: "2020-01-01"}, appliesTo: {classes: [p]}, rules: [
    {name: tell, facets: [storage], obligation: {action: notify, text: tell, within: `+test.within+`}}]}}`, test.at)
		verdict := c.Explain(c.Prepare(residency.Subject{Declared: true, Classes: []string{"p"}}), fleet.Question{Facet: fleet.FacetStorage, Region: "test/north"})
		if len(verdict.Obligations) != 1 || verdict.Obligations[0].Due == nil || verdict.Obligations[0].Due.UTC().Format(time.RFC3339) != test.due {
			t.Errorf("%s from %s: %v, want %s", test.within, test.at, verdict.Obligations, test.due)
		}
	}
}
