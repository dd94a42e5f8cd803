package compliance_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

func (f *fixture) history(t tester, moment fleet.Moment, name string) []string {
	t.Helper()
	events, err := f.office.History(t.Context(), moment, name)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	var last time.Time
	start := time.Now().AddDate(0, -1, 0)
	for _, event := range events {
		if event.From.Before(last) || event.RecordedAt.IsZero() || event.Revision == 0 || event.RecordedBy != actor {
			t.Errorf("out of order or incomplete: %+v", event)
		}
		last = event.From
		text := event.Kind + ": " + event.Text
		switch {
		case event.From.IsZero():
			text = "always " + text
		case event.From.Before(start): // not by the clock of the test
			text = event.From.Format("2006-01-02 ") + text
		}
		if event.Verdict != nil {
			text += " [" + outcome(*event.Verdict) + "]"
		}
		all = append(all, text)
	}
	return all
}

func TestHistory(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.apply(t, dataset("other", "{classes: [public], "+binding("region: aws/us-east-1")+"}"))
	f.apply(t, dataset("patients", "{classes: [personal.eu], bindings: [{name: a, facets: [storage], region: aws/eu-central-1}, {name: old, facets: [backup], region: aws/us-east-1, from: 2019-01-01, until: 2019-12-31, existing: true}]}"))
	wrong := f.apply(t, dataset("patients", "{since: 2023-03-01, classes: [personal.eu], bindings: [{name: a, facets: [storage], region: aws/us-east-1, existing: true}]}"))
	f.apply(t, dataset("patients", "{since: 2023-02-01, classes: [personal.eu.health], facts: {sensitive: {value: true}}, bindings: [{name: a, facets: [storage, backup], region: aws/eu-west-3}]}"))
	f.apply(t, document(fleet.KindResidencyPolicy, "eu-personal-data", "{version: '2', effective: {from: 2024-01-01, until: 2025-06-30}, appliesTo: {classes: [personal]}, rules: [{name: stays, facets: [storage, backup], allowOnly: {groups: [EEA]}}]}"))
	f.exception(t, "x", fleet.ExceptionSpec{
		Policy: "eu-personal-data", Rule: "stays", Subject: of("patients"), Facets: []fleet.Facet{fleet.FacetBackup},
		Scope: fleet.Scope{Countries: []string{"US"}}, Period: fleet.Period{From: "2024-03-01", Until: "2024-12-31"},
	}, day(t, "2024-02-29"))
	placement, err := fleet.NewResource(fleet.KindPlacement, "c/PVC/n/p", fleet.PlacementSpec{
		Subject: of("patients"), Facets: []fleet.Facet{fleet.FacetReplica}, Region: "azure/brazilsouth", GeoRedundant: true, Source: fleet.SourceObserved, From: "2025-01-01", Until: "2025-01-31",
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	f.put(t, placement)
	if _, _, err := f.office.Decide(t.Context(), fleet.Act{Kind: "migrate", Operation: "m1", Actor: actor, Questions: []fleet.Question{{Subject: of("patients"), Facet: fleet.FacetBackup, Region: "aws/us-east-1"}}}); err == nil {
		t.Error("allowed")
	}
	want := strings.Split(strings.TrimSpace(`
always declared: declared as personal.eu
always placed: storage in aws/eu-central-1 (Frankfurt, DE) as a, declared [yes eu-personal-data/stays]
2018-05-24 policy: policy eu-personal-data version 1 is law: Personal data stays in the EEA
2019-01-01 placed: backup in aws/us-east-1 (Ashburn, US) as old, declared [no eu-personal-data/stays]
2020-01-01 left: no longer backup in aws/us-east-1 (Ashburn, US) as old, declared
2023-02-01 changed: changed: classes from personal.eu to personal.eu.health; facts; bindings
2023-02-01 moved: moved from aws/eu-central-1 to storage, backup in aws/eu-west-3 (Paris, FR) as a, declared [yes eu-personal-data/stays]
2023-03-01 changed: was recorded and corrected later: personal.eu
2024-01-01 policy: policy eu-personal-data version 2 is law
2024-02-29 exception: exception x from eu-personal-data/stays until 2024-12-31 was requested by rita
2024-02-29 exception: exception x from eu-personal-data/stays was approved by ann
2024-02-29 exception: exception x from eu-personal-data/stays was approved by bob
2024-03-01 exception: exception x from eu-personal-data/stays is in force
2025-01-01 exception: exception x from eu-personal-data/stays ends
2025-01-01 placed: replica in azure/brazilsouth (São Paulo, BR) and its pair azure/southcentralus, observed [no meridian/no-rule]
2025-02-01 left: no longer replica in azure/brazilsouth (São Paulo, BR) and its pair azure/southcentralus, observed
2025-07-01 policy: policy eu-personal-data version 2 ended
policy: group EEA version 1 was recorded
decision: backup in aws/us-east-1 was denied before migrate (m1) [no meridian/no-rule]
`), "\n")
	got := f.history(t, fleet.Moment{}, "patients")
	if fmt.Sprint(len(got)) != fmt.Sprint(len(want)) {
		t.Errorf("%d events, want %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Errorf("event %d: %s\nwant     %s", i, got[i], want[i])
		}
	}
	then := strings.Join(f.history(t, fleet.Moment{AsOf: day(t, "2023-06-01"), KnownAt: wrong}, "patients"), "\n")
	for _, part := range []string{"2023-03-01 moved: moved from aws/eu-central-1 to storage in aws/us-east-1", "[no eu-personal-data/stays]"} {
		if !strings.Contains(then, part) {
			t.Errorf("what was known then lacks %q:\n%s", part, then)
		}
	}
	for _, part := range []string{"eu-west-3", "version 2", "exception", "decision", "corrected"} {
		if strings.Contains(then, part) {
			t.Errorf("%q was not known then:\n%s", part, then)
		}
	}
	_, err = f.office.History(t.Context(), fleet.Moment{}, "nothing")
	wantKind(t, err, fleet.ErrNotFound, "Dataset nothing")
}

func TestHistoryOfWhatIsGone(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.apply(t, dataset("pages", "{classes: [public], "+binding("region: aws/us-east-1")+"}"))
	if err := f.store.Delete(t.Context(), actor, of("pages"), nil); err != nil {
		t.Fatal(err)
	}
	f.apply(t, dataset("pages", "{classes: [public], "+binding("region: aws/us-east-1")+"}"))
	got := strings.Join(f.history(t, fleet.Moment{}, "pages"), "\n")
	want := strings.TrimSpace(`
always declared: declared as public
always placed: storage in aws/us-east-1 (Ashburn, US) as a, declared [yes open-data/anywhere]
2000-01-01 policy: policy open-data version 1 is law
changed: no longer declared
left: no longer storage in aws/us-east-1 (Ashburn, US) as a, declared
declared: declared as public
placed: storage in aws/us-east-1 (Ashburn, US) as a, declared [yes open-data/anywhere]
`)
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}
