package compliance_test

import (
	"strings"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Exceptions are told of that a change gives another meaning.
func TestExceptionsThatOutliveTheirRule(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.apply(t, dataset("patients", "{classes: [personal.eu]}"))
	law := func(version, countries, more string) string {
		return document(fleet.KindResidencyPolicy, "home", "{version: '"+version+"', effective: {from: 2020-01-01}, appliesTo: {classes: [personal.eu]}, rules: [{name: stays, facets: [storage], allowOnly: {countries: ["+countries+"]}}"+more+"]}")
	}
	f.apply(t, law("1", "DE", ""))
	now := time.Now()
	for name, days := range map[string]int{"going-on": 30, "over": -1} {
		f.exception(t, name, fleet.ExceptionSpec{
			Subject: of("patients"), Policy: "home", Rule: "stays", Facets: []fleet.Facet{fleet.FacetStorage}, Scope: fleet.Scope{Countries: []string{"US"}},
			Period: fleet.Period{From: "2020-01-01", Until: now.AddDate(0, 0, days).Format(time.DateOnly)},
		}, now.AddDate(0, 0, -40))
	}
	withdrawn := []fleet.Ref{{Kind: fleet.KindResidencyPolicy, Name: "home"}}
	for name, test := range map[string]struct {
		changed string
		deleted []fleet.Ref
		says    string
	}{
		"nothing":          {},
		"a rule beside it": {law("2", "DE", ", {name: more, facets: [key], allowOnly: {countries: [DE]}}"), nil, ""},
		"another rule":     {law("2", "FR", ""), nil, "home/stays was another rule, of version 1: it goes on with version 2"},
		"no law":           {"", withdrawn, "without it the exception suspends nothing"},
	} {
		diff, err := f.office.Diff(t.Context(), fleet.Moment{}, parse(t, test.changed), test.deleted)
		if err != nil {
			t.Fatal(err)
		}
		var said []string
		for _, warning := range diff.Warnings {
			if warning.Kind == fleet.WarningException {
				said = append(said, warning.Message)
			}
		}
		if text := strings.Join(said, "; "); len(said) > 1 || (test.says == "") != (text == "") || !strings.Contains(text, test.says) || text != "" && !strings.Contains(text, "exception going-on until") {
			t.Errorf("%s: %q", name, said)
		}
	}
}
