package compliance_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// where says where a dataset was at a moment, in short.
func (f *fixture) where(t tester, moment fleet.Moment, subject fleet.Ref) string {
	t.Helper()
	places, err := f.office.Located(t.Context(), moment, nil)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, place := range places {
		if place.Subject == subject {
			all = append(all, place.Binding+place.Placement+" "+place.Region)
		}
	}
	return strings.Join(all, ", ")
}

// table asks the same at many instants (rows) as known at many (columns).
func table(t *testing.T, instants []string, known []time.Time, want [][]string, ask func(fleet.Moment) string) {
	t.Helper()
	for row, text := range instants {
		for column, by := range known {
			got := ask(fleet.Moment{AsOf: day(t, text), KnownAt: by})
			if got != want[row][column] {
				t.Errorf("as of %s, known at column %d: %q, want %q", text, column, got, want[row][column])
			}
		}
	}
}

func bound(since, bindings string) string {
	if since != "" {
		since = ", since: " + since
	}
	return dataset("patients", "{classes: [personal.eu]"+since+", bindings: ["+bindings+"]}")
}

// Where a dataset was, corrected twice after the fact, and then deleted.
func TestWhereItWasAsKnownThen(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const frankfurt, virginia, montreal = "{name: a, facets: [storage], region: aws/eu-central-1}", "{name: b, facets: [storage], region: aws/us-east-1}", "{name: b, facets: [storage], region: aws/ca-central-1}"
	nothing := f.apply(t, dataset("other", "{classes: [public]}"))
	first := f.apply(t, bound("", frankfurt))
	second := f.apply(t, bound("2024-06-01", frankfurt+", "+virginia)) // it had been in Virginia since June
	third := f.apply(t, bound("2024-05-01T12:00:00Z", montreal))       // no: in Montreal, since May, and nowhere else
	fourth := f.apply(t, bound("2024-07-01", frankfurt+", "+montreal[:len(montreal)-1]+", until: 2024-08-31}"))
	if err := f.store.Delete(t.Context(), actor, of("patients"), nil); err != nil {
		t.Fatal(err)
	}
	gone := f.last(t)
	a, b, c := "a aws/eu-central-1", "b aws/us-east-1", "b aws/ca-central-1"
	both := a + ", " + c
	table(t, []string{"1990-01-01", "2024-05-01", "2024-05-01T12:00:00Z", "2024-05-31T23:59:59Z", "2024-06-01", "2024-07-01", "2024-08-31T23:59:59Z", "2024-09-01", "9000-01-01"},
		[]time.Time{nothing, first, second, third, fourth, gone, {}},
		[][]string{
			{"", a, a, a, a, a, a},
			{"", a, a, a, a, a, a},
			{"", a, a, c, c, c, c},
			{"", a, a, c, c, c, c},
			{"", a, a + ", " + b, c, c, c, c},
			{"", a, a + ", " + b, c, both, both, both},
			{"", a, a + ", " + b, c, both, both, both},
			{"", a, a + ", " + b, c, a, a, a},
			{"", a, a + ", " + b, c, a, "", ""},
		},
		func(moment fleet.Moment) string { return f.where(t, moment, of("patients")) })
	for at, want := range map[time.Time]string{gone.Add(-time.Microsecond): a, gone: ""} {
		if got := f.where(t, fleet.Moment{AsOf: at}, of("patients")); got != want {
			t.Errorf("at %v: %q, want %q", at, got, want)
		}
	}
	_, err := f.office.Located(t.Context(), fleet.Moment{KnownAt: nothing}, []fleet.Ref{of("patients")})
	wantKind(t, err, fleet.ErrNotFound, "Dataset patients", "as it was known at")
	_, err = f.office.Located(t.Context(), fleet.Moment{}, []fleet.Ref{of("patients")})
	wantKind(t, err, fleet.ErrNotFound)
}

// Versions of a policy: one to come, one that corrects the past, one that is
// withdrawn.
func TestLawAsKnownThen(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	policy := func(version, effective, countries string) string {
		return document(fleet.KindResidencyPolicy, "local", `{version: "`+version+`", effective: `+effective+`, timeZone: America/New_York, appliesTo: {classes: [personal]},
  rules: [{name: r, facets: [transit], allowOnly: {countries: [`+countries+`]}}]}`)
	}
	none := f.apply(t, dataset("people", "{classes: [personal]}"))
	first := f.apply(t, policy("1", "{from: 2020-01-01}", "US"))
	second := f.apply(t, policy("2", "{from: 2024-03-10, until: 2024-12-31}", "US, CA")) // the day clocks change in New York
	third := f.apply(t, policy("3", "{from: 2023-06-01}", "MX"))                         // overtakes the second: recorded later, begun earlier
	if err := f.store.Delete(t.Context(), actor, fleet.Ref{Kind: fleet.KindResidencyPolicy, Name: "local"}, nil); err != nil {
		t.Fatal(err)
	}
	gone := f.last(t)
	question := fleet.Question{Subject: of("people"), Facet: fleet.FacetTransit, Region: "aws/ca-central-1"}
	no, rule := "no meridian/no-rule", "no local/r"
	table(t, []string{"2019-12-31", "2020-01-01T05:00:00Z", "2023-06-01T03:59:59Z", "2023-06-01T04:00:00Z", "2024-03-10T04:59:59Z", "2024-03-10T05:00:00Z", "2025-01-01T04:59:59Z", "2025-01-01T05:00:00Z", "9000-01-01"},
		[]time.Time{none, first, second, third, gone},
		[][]string{
			{no, no, no, no, no},
			{no, rule, rule, rule, rule},
			{no, rule, rule, rule, rule},
			{no, rule, rule, rule, rule},
			{no, rule, rule, rule, rule},
			{no, rule, "yes local/r", rule, rule},
			{no, rule, "yes local/r", rule, rule},
			{no, rule, no, rule, rule}, // the latest that has begun counts, also if it has ended
			{no, rule, no, rule, no},
		},
		func(moment fleet.Moment) string { return outcome(f.check(t, moment, question)[0]) })
	versions := map[string]string{"2022-01-01": "1", "2023-06-02": "3"}
	for at, want := range versions {
		verdict := f.check(t, fleet.Moment{AsOf: day(t, at)}, question)[0]
		if verdict.Findings[0].Version != want || verdict.KnownAt != nil {
			t.Errorf("as of %s: version %s, want %s; %+v", at, verdict.Findings[0].Version, want, verdict.Question)
		}
	}
}

// A group's latest version counts for all times, as it was known; an
// exception only once two approved it, and until it is revoked.
func TestGroupsAndExceptionsAsKnownThen(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	before := f.apply(t, dataset("patients", "{classes: [personal.eu]}"))
	corrected := f.apply(t, document(fleet.KindJurisdictionGroup, "EEA", `{version: "2", members: [{country: DE}, {country: US, from: 2022-01-01, until: 2022-06-30}]}`))
	question := fleet.Question{Subject: of("patients"), Facet: fleet.FacetStorage, Region: "aws/us-east-1"}
	no, yes := "no eu-personal-data/stays", "yes eu-personal-data/stays"
	table(t, []string{"2021-12-31", "2022-01-01", "2022-06-30T23:59:59Z", "2022-07-01"}, []time.Time{before, corrected},
		[][]string{{no, no}, {no, yes}, {no, yes}, {no, no}},
		func(moment fleet.Moment) string { return outcome(f.check(t, moment, question)[0]) })

	spec := fleet.ExceptionSpec{
		Policy: "eu-personal-data", Rule: "stays", Subject: of("patients"), Facets: []fleet.Facet{fleet.FacetStorage},
		Scope: fleet.Scope{Countries: []string{"US"}}, Period: fleet.Period{From: "2023-01-01", Until: "2023-12-31"},
	}
	asked := f.exception(t, "x", spec, time.Time{})
	ref := fleet.Ref{Kind: fleet.KindException, Name: "x"}
	status := fleet.ExceptionStatus{
		Phase: fleet.ExceptionApproved, RequestedBy: "rita", RequestedAt: "2023-01-02T00:00:00Z", ApprovedAt: "2023-02-01T10:00:00Z",
		Approvals: []fleet.Approval{{By: "ann", At: "2023-01-15T00:00:00Z"}, {By: "bob", At: "2023-02-01T10:00:00Z"}},
	}
	approved := f.status(t, ref, status)
	status.Phase, status.RevokedBy, status.RevokedAt = fleet.ExceptionRevoked, "ann", "2023-06-01T00:00:00Z"
	revoked := f.status(t, ref, status)
	table(t, []string{"2023-01-20", "2023-02-01T09:59:59Z", "2023-02-01T10:00:00Z", "2023-05-31T23:59:59Z", "2023-06-01", "2023-12-31T23:59:59Z", "2024-01-01"},
		[]time.Time{asked, approved, revoked},
		[][]string{{no, no, no}, {no, no, no}, {no, yes, yes}, {no, yes, yes}, {no, yes, no}, {no, yes, no}, {no, no, no}},
		func(moment fleet.Moment) string { return outcome(f.check(t, moment, question)[0]) })
	used := f.check(t, fleet.Moment{AsOf: day(t, "2023-03-01")}, question)[0].Exceptions
	if len(used) != 1 || used[0].Name != "x" || !strings.Contains(used[0].By, "bob") {
		t.Errorf("exceptions of the verdict: %+v", used)
	}
}

// What documents say of a region is true since they say so, or since they were
// recorded; the first one always was.
func TestRegionFactsAsKnownThen(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.apply(t, document(fleet.KindDataClass, "health.fr", "{}")+document(fleet.KindResidencyPolicy, "hds", `{version: "1", effective: {from: 2000-01-01}, appliesTo: {classes: [health.fr]},
  rules: [{name: certified, facets: [storage], operator: {certifications: [HDS]}}]}`))
	region := func(facts string) string {
		return document(fleet.KindRegion, "aws/eu-west-3", "{profile: small, facts: {"+facts+"}}")
	}
	first := f.apply(t, region(""))
	recorded := f.apply(t, region("certifications: {value: [HDS]}"))
	dated := f.apply(t, region("certifications: {value: [HDS], from: 2024-01-01, until: 2030-12-31}"))
	question := fleet.Question{Classes: []string{"health.fr"}, Facet: fleet.FacetStorage, Region: "aws/eu-west-3"}
	no, yes := "no hds/certified", "yes hds/certified"
	table(t, []string{"2023-12-31", "2024-01-01", "2030-12-31", "2031-01-01"}, []time.Time{first, recorded, dated},
		[][]string{{no, no, no}, {no, no, yes}, {no, yes, yes}, {no, yes, no}},
		func(moment fleet.Moment) string { return outcome(f.check(t, moment, question)[0]) })
	if got := outcome(f.check(t, fleet.Moment{AsOf: recorded, KnownAt: recorded}, question)[0]); got != yes {
		t.Errorf("when it was recorded: %s", got)
	}
	facts, err := f.office.Catalog(t.Context(), fleet.Moment{})
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range facts {
		if has := len(one.Facts) > 0; has != (one.Name() == "aws/eu-west-3") {
			t.Errorf("%s has facts %v", one.Name(), one.Facts)
		}
	}
}

// Placements are where things were found, from when to when they were there.
func TestPlacementsAsKnownThen(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.apply(t, dataset("patients", "{classes: [personal.eu]}"))
	placed := func(region, from, until string) time.Time {
		resource, err := fleet.NewResource(fleet.KindPlacement, "c/Pod/ns/p", fleet.PlacementSpec{
			Subject: of("patients"), Facets: []fleet.Facet{fleet.FacetStorage}, Region: region, Source: fleet.SourceObserved, From: from, Until: until,
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.store.ReplaceOwned(t.Context(), actor, fleet.KindPlacement, "c", []fleet.Resource{resource}); err != nil {
			t.Fatal(err)
		}
		return f.last(t)
	}
	first := placed("aws/eu-west-3", "2024-01-01", "")
	second := placed("aws/us-east-1", "2024-02-01T08:00:00Z", "")
	third := placed("aws/us-east-1", "2024-02-01T08:00:00Z", "2024-03-01T00:00:00Z")
	if err := f.store.ReplaceOwned(t.Context(), actor, fleet.KindPlacement, "c", nil); err != nil {
		t.Fatal(err)
	}
	gone := f.last(t)
	paris, virginia := "c/Pod/ns/p aws/eu-west-3", "c/Pod/ns/p aws/us-east-1"
	table(t, []string{"2023-12-31", "2024-01-01", "2024-02-01T07:59:59Z", "2024-02-01T08:00:00Z", "2024-03-01", "9000-01-01"}, []time.Time{first, second, third, gone},
		[][]string{
			{"", "", "", ""}, {paris, paris, paris, paris}, {paris, paris, paris, paris},
			{paris, virginia, virginia, virginia}, {paris, virginia, "", ""}, {paris, virginia, "", ""},
		},
		func(moment fleet.Moment) string { return f.where(t, moment, of("patients")) })
}

func TestLocatedSaysSinceWhen(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	first := f.apply(t, dataset("pages", "{classes: [public], bindings: [{name: a, facets: [storage], region: aws/eu-central-1}]}"))
	second := f.apply(t, dataset("pages", `{classes: [public], bindings: [{name: b, facets: [storage, backup], region: azure/brazilsouth, geoRedundant: true, store: "blob"}, {name: a, facets: [storage, backup], region: aws/eu-central-1}]}`))
	f.apply(t, dataset("pages", `{title: x, classes: [public], bindings: [{name: a, facets: [storage], region: aws/eu-central-1}, {name: b, facets: [storage], region: azure/brazilsouth, geoRedundant: true, store: "blob"}, {name: c, facets: [storage], region: aws/us-east-1, from: 2020-01-01}]}`)+
		workload("site", "{datasets: [{dataset: pages, facets: [access, processing]}], regions: [gcp/europe-west3]}"))
	places, err := f.office.Located(t.Context(), fleet.Moment{}, []fleet.Ref{of("pages"), running("site")})
	if err != nil || len(places) != 4 {
		t.Fatalf("%v, %v", places, err)
	}
	for i, want := range []string{
		fmt.Sprintf("a storage aws/eu-central-1 Frankfurt DE declared  %v", first),
		fmt.Sprintf("b storage azure/brazilsouth São Paulo BR declared %s %v", second.Format(time.RFC3339Nano), second),
		"c storage aws/us-east-1", "",
	} {
		place := places[i]
		got := fmt.Sprint(place.Binding, " ", place.Facets[0], " ", place.Region, " ", place.City, " ", place.Country, " ", place.Source, " ", place.From, " ", place.RecordedAt)
		if i < 2 && got != want || !strings.HasPrefix(got, want) {
			t.Errorf("place %d: %s, want %s", i, got, want)
		}
	}
	if pair := places[1].Pair; pair != "azure/southcentralus" {
		t.Errorf("the pair is %q", pair)
	}
	if places[2].From != "2020-01-01" || fmt.Sprint(places[3].Facets) != "[processing access]" || places[3].Country != "DE" {
		t.Errorf("%+v\n%+v", places[2], places[3])
	}
}

// The documents of a moment are those its verdicts rest on.
func TestDocumentsThatWereTrue(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	nothing := f.apply(t, dataset("other", "{classes: [public]}"))
	first := f.apply(t, dataset("patients", "{classes: [public], since: 2024-01-01}"))
	second := f.apply(t, dataset("patients", "{classes: [personal.eu], since: 2024-06-01}"))
	if err := f.store.Delete(t.Context(), actor, of("patients"), nil); err != nil {
		t.Fatal(err)
	}
	table(t, []string{"2023-12-31", "2024-01-01", "2024-06-01", "9000-01-01"}, []time.Time{nothing, first, second, {}},
		[][]string{{"", "", "", ""}, {"", "public", "public", "public"}, {"", "public", "personal.eu", "personal.eu"}, {"", "public", "personal.eu", ""}},
		func(moment fleet.Moment) string {
			documents, err := f.office.Documents(t.Context(), moment, fleet.KindDataset)
			if err != nil {
				t.Fatal(err)
			}
			for _, document := range documents {
				if spec, err := fleet.SpecOf[fleet.DatasetSpec](document); document.Metadata.Name == "patients" && err == nil {
					return strings.Join(spec.Classes, ",")
				}
			}
			return ""
		})
	for _, kind := range []fleet.Kind{fleet.KindPlacement, fleet.KindCluster} {
		if _, err := f.office.Documents(t.Context(), fleet.Moment{}, kind); !errors.Is(err, fleet.ErrInvalid) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
