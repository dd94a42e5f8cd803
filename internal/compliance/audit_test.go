package compliance_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meridian-fleet/meridian/internal/compliance"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

func placementOf(t testing.TB, name string, spec fleet.PlacementSpec) fleet.Resource {
	t.Helper()
	if spec.From == "" {
		spec.From = "2020-01-01"
	}
	if spec.Source == "" {
		spec.Source = fleet.SourceObserved
	}
	resource, err := fleet.NewResource(fleet.KindPlacement, name, spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	return resource
}

// mixed has something of everything: declared and found, clean and not.
func mixed(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t)
	f.apply(t, dataset("patients", "{classes: [personal.eu], bindings: [{name: main, facets: [storage, backup], region: aws/eu-central-1}, {name: found, facets: [storage], region: aws/us-east-1, existing: true}, {name: tested, facets: [processing], region: country/IN, existing: true}]}")+
		dataset("pages", "{classes: [public], bindings: [{name: geo, facets: [storage], region: azure/brazilsouth, geoRedundant: true}]}")+
		workload("site", "{datasets: [{dataset: pages}], regions: [aws/us-east-1]}")+
		workload("portal", "{datasets: [{dataset: patients}], regions: [aws/eu-central-1]}"))
	f.exception(t, "testing", fleet.ExceptionSpec{
		Policy: "eu-personal-data", Rule: "processing", Subject: of("patients"), Facets: []fleet.Facet{fleet.FacetProcessing},
		Scope: fleet.Scope{Countries: []string{"IN"}}, Period: fleet.Period{Until: "9000-01-01"},
	}, day(t, "2024-01-01"))
	processing := []fleet.Facet{fleet.FacetProcessing}
	f.put(t,
		placementOf(t, "c/Pod/n/good", fleet.PlacementSpec{Subject: running("portal"), Facets: processing, Region: "aws/eu-central-1"}),
		placementOf(t, "c/Pod/n/stray", fleet.PlacementSpec{Subject: running("portal"), Facets: processing, Region: "aws/us-east-1"}),
		placementOf(t, "c/Pod/n/mislabelled", fleet.PlacementSpec{Subject: running("site"), Classes: []string{"personal.eu"}, Facets: processing, Region: "aws/us-east-1"}),
		placementOf(t, "c/Pod/n/stranger", fleet.PlacementSpec{Subject: running("nobody"), Facets: processing, Region: "aws/eu-central-1"}),
		placementOf(t, "c/Pod/n/labelled", fleet.PlacementSpec{Classes: []string{"public"}, Facets: processing, Region: "aws/us-east-1"}),
		placementOf(t, "c/Pod/n/unlabelled", fleet.PlacementSpec{Facets: processing, Region: "aws/us-east-1"}),
		placementOf(t, "c/Pod/n/gone", fleet.PlacementSpec{Subject: running("portal"), Facets: processing, Region: "aws/us-east-1", Until: "2020-12-31"}),
	)
	return f
}

func TestAudit(t *testing.T) {
	t.Parallel()
	f := mixed(t)
	report, err := f.office.Audit(t.Context(), fleet.Moment{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, place := range report.Places {
		var verdicts []string
		for _, verdict := range place.Verdicts {
			verdicts = append(verdicts, outcome(verdict))
			if !verdict.Existing || verdict.Source == "" {
				t.Errorf("the question is not about a place that is recorded: %+v", verdict.Question)
			}
		}
		got = append(got, strings.TrimSpace(place.Subject.Name+" "+place.Binding+place.Placement)+" "+place.Region+": "+strings.Join(verdicts, ", "))
	}
	want := strings.Split(strings.TrimSpace(`
c/Pod/n/labelled aws/us-east-1: yes open-data/anywhere
c/Pod/n/unlabelled aws/us-east-1: no meridian/unclassified
pages geo azure/brazilsouth: yes open-data/anywhere
patients found aws/us-east-1: no eu-personal-data/stays
patients main aws/eu-central-1: yes eu-personal-data/stays, yes eu-personal-data/stays
patients tested country/IN: yes eu-personal-data/processing
nobody c/Pod/n/stranger aws/eu-central-1: no meridian/unknown-workload
portal aws/eu-central-1: yes eu-personal-data/processing
portal c/Pod/n/good aws/eu-central-1: yes eu-personal-data/processing
portal c/Pod/n/stray aws/us-east-1: no eu-personal-data/processing
site aws/us-east-1: yes open-data/anywhere
site c/Pod/n/mislabelled aws/us-east-1: yes open-data/anywhere, no eu-personal-data/processing
`), "\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	revision, err := f.store.Revision(t.Context())
	if err != nil || report.Violations != 5 || report.Suspended != 1 || report.Revision != revision || report.At.IsZero() || report.AsOf.IsZero() {
		t.Errorf("%d violations, %d suspended, revision %d of %d; %+v; %v", report.Violations, report.Suspended, report.Revision, revision, report.Moment, err)
	}
	past, err := f.office.Audit(t.Context(), fleet.Moment{AsOf: day(t, "2020-06-01")})
	if err != nil || !slices.ContainsFunc(past.Places, func(place fleet.Audited) bool { return strings.HasSuffix(place.Placement, "gone") && !place.Clean() }) {
		t.Errorf("the audit of the past does not see what was there: %v", err)
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	f := mixed(t)
	if _, _, err := f.office.Decide(t.Context(), fleet.Act{Kind: "place", Actor: actor, Questions: []fleet.Question{{Subject: of("patients"), Facet: fleet.FacetStorage, Region: "aws/us-east-1"}}}); err == nil {
		t.Fatal("allowed")
	}
	moment := fleet.Moment{AsOf: time.Now().Add(time.Hour)}
	body, err := f.office.Report(t.Context(), moment, "A report", "olga", "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	fresh := compliance.New(compliance.Config{Store: f.store, Catalog: catalog})
	again, err := fresh.Report(t.Context(), moment, "A report", "olga", "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	again.MadeAt, again.Audit.At = body.MadeAt, body.Audit.At
	if diff := cmp.Diff(asJSON(t, body), asJSON(t, again)); diff != "" {
		t.Errorf("not the same again:\n%s", diff)
	}
	if body.Title != "A report" || body.MadeBy != "olga" || body.Version != "1.2.3" || body.Disclaimer == "" || body.MadeAt.IsZero() || len(body.Audit.Places) != 12 {
		t.Errorf("%+v", body)
	}
	if want := 2 * len(fleet.Facets) * 5; len(body.Matrix) != want || len(body.Catalog) != 5 {
		t.Errorf("%d cells, want %d; %d regions", len(body.Matrix), want, len(body.Catalog))
	}
	counts := map[fleet.Kind]int{}
	for _, part := range [][]fleet.Recorded{body.Policies, body.Subjects, body.Exceptions, body.Decisions} {
		for _, recorded := range part {
			counts[recorded.Ref.Kind]++
			stored, err := f.store.Changes(t.Context(), inventory.ChangeQuery{After: recorded.Revision - 1, Limit: 1})
			if err != nil || string(stored[0].Document) != string(recorded.Document) || stored[0].Actor != recorded.Actor || !stored[0].At.Equal(recorded.At) {
				t.Errorf("%s: not what is stored: %s, %v", recorded.Ref, recorded.Document, err)
			}
		}
	}
	want := map[fleet.Kind]int{
		fleet.KindResidencyPolicy: 3, fleet.KindJurisdictionGroup: 1, fleet.KindDataClass: 5, fleet.KindDataset: 2, fleet.KindWorkload: 2,
		fleet.KindException: 2, fleet.KindDecision: 1, // an exception was asked for, then approved
	}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, cell := range body.Matrix {
		if cell.Verdict.Subject.Name == "" || cell.Verdict.Facet == "" || cell.Why == "" || cell.Allowed != cell.Verdict.Allowed {
			t.Errorf("cell %+v", cell)
		}
	}
}

func asJSON(t testing.TB, value any) string {
	t.Helper()
	raw, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// A write is judged also when the clock moves on between its judgements.
func TestAdmitWhileTheClockRuns(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var seconds atomic.Int64
	office := compliance.New(compliance.Config{Store: f.store, Catalog: catalog, Now: func() time.Time {
		return time.Now().Add(time.Duration(seconds.Add(1)) * time.Second)
	}})
	f.apply(t, dataset("pages", "{classes: [public], "+binding("region: aws/us-east-1")+"}"))
	for range 5 {
		_, err := office.Admit(t.Context(), actor, parse(t, dataset("pages", "{classes: [personal.eu], "+binding("region: aws/us-east-1")+"}")))
		wantKind(t, err, fleet.ErrDenied, "eu-personal-data/stays")
		diff, err := office.Diff(t.Context(), fleet.Moment{}, nil, []fleet.Ref{{Kind: fleet.KindResidencyPolicy, Name: "open-data"}})
		if err != nil || len(diff.Places) != 1 {
			t.Errorf("%+v, %v", diff, err)
		}
	}
}

// history serves an inventory of many placements without a database, so that
// what is measured is the audit.
type history struct {
	inventory.Store
	changes []inventory.RawChange
}

func (h history) Revision(context.Context) (int64, error) { return int64(len(h.changes)), nil }

func (h history) Changes(_ context.Context, query inventory.ChangeQuery) ([]inventory.RawChange, error) {
	return h.changes[query.After:min(int(query.After)+query.Limit, len(h.changes))], nil
}

// BenchmarkAudit compares many placements, of hundreds of workloads and
// datasets in all regions, with the rules. The inventory is read before.
func BenchmarkAudit(b *testing.B) {
	for _, count := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			office := crowded(b, count)
			b.ResetTimer()
			for range b.N {
				report, err := office.Audit(b.Context(), fleet.Moment{AsOf: time.Now().Add(time.Duration(b.N) * time.Hour)})
				if err != nil || len(report.Places) < count || report.Violations == 0 {
					b.Fatalf("%d places, %d violations, %v", len(report.Places), report.Violations, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(count), "ns/placement")
		})
	}
}

func crowded(b *testing.B, count int) *compliance.Office {
	b.Helper()
	var h history
	add := func(resource fleet.Resource) {
		document, err := json.Marshal(resource)
		if err != nil {
			b.Fatal(err)
		}
		h.changes = append(h.changes, inventory.RawChange{
			Revision: int64(len(h.changes)) + 1, At: time.Now(), Actor: actor, Action: "created", Ref: resource.Ref(), Document: document,
		})
	}
	for _, resource := range parse(b, readRules(b)) {
		add(resource)
	}
	for i := range 300 {
		for _, resource := range parse(b, dataset(fmt.Sprint("d", i), "{classes: ["+[]string{"public", "personal.eu", "payments.in"}[i%3]+"]}")+
			workload(fmt.Sprint("w", i), fmt.Sprintf("{datasets: [{dataset: d%d}]}", i))) {
			add(resource)
		}
	}
	facts, err := catalog(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for i := range count {
		region := facts[(i/7)%len(facts)].Name()
		add(placementOf(b, fmt.Sprintf("c/Pod/n/p%d", i), fleet.PlacementSpec{Subject: running(fmt.Sprint("w", i%300)), Facets: []fleet.Facet{fleet.FacetProcessing}, Region: region}))
	}
	office := compliance.New(compliance.Config{Store: h, Catalog: func(context.Context) ([]fleet.RegionFacts, error) { return facts, nil }})
	if _, err := office.Check(b.Context(), fleet.Moment{}, nil); err != nil {
		b.Fatal(err)
	}
	return office
}
