package compliance_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

func TestDiff(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.apply(t, dataset("pages", "{classes: [public], bindings: [{name: a, facets: [storage, backup], region: aws/us-east-1}, {name: b, facets: [storage], region: aws/eu-central-1}]}")+
		dataset("patients", "{classes: [personal.eu], "+binding("region: aws/us-east-1, existing: true")+"}")+
		workload("site", "{datasets: [{dataset: pages}], regions: [aws/us-east-1]}"))
	revision, err := f.store.Revision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	nextYear := time.Now().AddDate(1, 0, 0).Format(time.DateOnly)
	policy := func(name, class, from, countries string) string {
		return document(fleet.KindResidencyPolicy, name, "{version: '2', effective: {from: "+from+"}, appliesTo: {classes: ["+class+"]}, rules: [{name: new, facets: [storage, processing], allowOnly: {countries: ["+countries+"]}}]}")
	}
	for name, test := range map[string]struct {
		changed string
		deleted []fleet.Ref
		places  string
		regions string // subject, facet, whether aws/us-east-1 and aws/eu-central-1 are lost (-) or won (+)
	}{
		"nothing":           {"", nil, "", ""},
		"the same again":    {dataset("pages", "{classes: [public], bindings: [{name: a, facets: [storage, backup], region: aws/us-east-1}, {name: b, facets: [storage], region: aws/eu-central-1}]}"), nil, "", ""},
		"a law to come":     {policy("more", "public", nextYear, "DE"), nil, "Dataset pages storage aws/us-east-1 yes→no; Workload site processing aws/us-east-1 yes→no", "Dataset pages processing -us; Dataset pages storage -us; Workload site  -us"},
		"a wider law":       {policy("eu-personal-data", "personal.eu", "2020-01-01", "US"), nil, "Dataset patients storage aws/us-east-1 no→yes", "Dataset patients backup -eu; Dataset patients key -eu; Dataset patients processing -eu +us; Dataset patients replica -eu; Dataset patients storage -eu +us; Dataset patients telemetry -eu"},
		"a law withdrawn":   {"", []fleet.Ref{{Kind: fleet.KindResidencyPolicy, Name: "open-data"}}, "Dataset pages backup aws/us-east-1 yes→no; Dataset pages storage aws/eu-central-1 yes→no; Dataset pages storage aws/us-east-1 yes→no; Workload site processing aws/us-east-1 yes→no", "Dataset pages backup -eu -us; Dataset pages processing -eu -us; Dataset pages replica -eu -us; Dataset pages storage -eu -us; Dataset pages telemetry -eu -us; Workload site  -eu -us"},
		"a group":           {document(fleet.KindJurisdictionGroup, "EEA", "{version: '2', members: [{country: US}, {country: DE}]}"), nil, "Dataset patients storage aws/us-east-1 no→yes", "Dataset patients backup +us; Dataset patients key +us; Dataset patients processing +us; Dataset patients replica +us; Dataset patients storage +us; Dataset patients telemetry +us"},
		"a dataset renamed": {dataset("pages", "{classes: [personal.eu], bindings: [{name: a, facets: [storage], region: aws/us-east-1}]}"), nil, "Dataset pages storage aws/us-east-1 yes→no; Workload site processing aws/us-east-1 yes→no", "Dataset pages backup -us; Dataset pages key +eu; Dataset pages processing -us; Dataset pages replica -us; Dataset pages storage -us; Dataset pages telemetry -us; Workload site  -us"},
	} {
		diff, err := f.office.Diff(t.Context(), fleet.Moment{}, parse(t, test.changed), test.deleted)
		if err != nil {
			t.Fatal(err)
		}
		if got := placesOf(diff); got != test.places {
			t.Errorf("%s, places:\n%s\nwant %s", name, got, test.places)
		}
		if got := regionsOf(diff); got != test.regions {
			t.Errorf("%s, regions:\n%s\nwant %s", name, got, test.regions)
		}
		if name == "a law to come" && diff.AsOf.Format(time.DateOnly) != nextYear {
			t.Errorf("the diff is about %v", diff.AsOf)
		}
		if len(diff.Changed) != len(test.deleted)+strings.Count(test.changed, "---") {
			t.Errorf("%s: changed %v", name, diff.Changed)
		}
	}
	if after, err := f.store.Revision(t.Context()); err != nil || after != revision {
		t.Errorf("a question wrote something: revision %d, was %d; %v", after, revision, err)
	}
}

func placesOf(diff fleet.PolicyDiff) string {
	var all []string
	yes := map[bool]string{true: "yes", false: "no"}
	for _, place := range diff.Places {
		all = append(all, fmt.Sprintf("%s %s %s %s→%s", place.Place.Subject, place.Facet, place.Place.Region, yes[place.Before.Allowed], yes[place.After.Allowed]))
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

func regionsOf(diff fleet.PolicyDiff) string {
	var all []string
	for _, one := range diff.Regions {
		text := fmt.Sprintf("%s %s", one.Subject, one.Facet)
		for _, mark := range []struct {
			in   []string
			sign string
		}{{one.Lost, "-"}, {one.Won, "+"}} {
			if slices.Contains(mark.in, "aws/eu-central-1") {
				text += " " + mark.sign + "eu"
			}
			if slices.Contains(mark.in, "aws/us-east-1") {
				text += " " + mark.sign + "us"
			}
		}
		all = append(all, text)
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

func TestReviewRefusesWhatIsNoRulebook(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	circle := parse(t, document(fleet.KindDataClass, "personal", "{inherits: [personal.eu]}"))
	_, err := f.office.Review(t.Context(), circle)
	wantKind(t, err, fleet.ErrInvalid, "personal")
	_, err = f.office.Diff(t.Context(), fleet.Moment{}, circle, nil)
	wantKind(t, err, fleet.ErrInvalid, "personal")
	groups := parse(t, document(fleet.KindJurisdictionGroup, "A", "{version: '1', members: [{group: B}]}")+document(fleet.KindJurisdictionGroup, "B", "{version: '1', members: [{group: A}]}"))
	_, err = f.office.Review(t.Context(), groups)
	wantKind(t, err, fleet.ErrInvalid, "JurisdictionGroup")
	if _, err := f.office.Review(t.Context(), parse(t, dataset("d", "{classes: [public]}"))); err != nil {
		t.Errorf("a dataset: %v", err)
	}
}

func TestReviewWarnsAboutContradictions(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	policy := parse(t, document(fleet.KindResidencyPolicy, "against", "{version: '1', effective: {from: 2020-01-01}, appliesTo: {classes: [personal.eu]}, rules: [{name: abroad, facets: [storage], allowOnly: {countries: [US]}}]}"))
	warnings, err := f.office.Review(t.Context(), policy)
	if err != nil {
		t.Fatal(err)
	}
	found := slices.IndexFunc(warnings, func(warning fleet.PolicyWarning) bool {
		return warning.Kind == fleet.WarningContradiction && slices.Contains(warning.Rules, "against/abroad") && slices.Contains(warning.Rules, "eu-personal-data/stays")
	})
	if found < 0 || warnings[found].Witness == nil {
		t.Fatalf("no contradiction with a witness: %+v", warnings)
	}
	witness := *warnings[found].Witness
	f.put(t, policy...)
	if verdict := f.check(t, fleet.Moment{}, witness)[0]; verdict.Allowed {
		t.Errorf("the witness is allowed: %+v", verdict)
	}
	report, err := f.office.Audit(t.Context(), fleet.Moment{})
	if err != nil || !slices.ContainsFunc(report.Warnings, func(warning fleet.PolicyWarning) bool { return warning.Kind == fleet.WarningContradiction }) {
		t.Errorf("the audit does not warn: %+v, %v", report.Warnings, err)
	}
}

// A class that no policy speaks about matters once somebody has such data, a
// workload's own included.
func TestReviewWarnsOfSilenceAboutDataInUse(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	class := parse(t, document(fleet.KindDataClass, "unspoken", "{}"))
	kinds := func() []fleet.WarningKind {
		warnings, err := f.office.Review(t.Context(), class)
		if err != nil {
			t.Fatal(err)
		}
		var found []fleet.WarningKind
		for _, warning := range warnings {
			if strings.Contains(warning.Message, "unspoken") {
				found = append(found, warning.Kind)
			}
		}
		return found
	}
	if found := kinds(); !slices.Equal(found, []fleet.WarningKind{fleet.WarningUnused}) {
		t.Errorf("a class nobody uses: %v", found)
	}
	f.put(t, parse(t, document(fleet.KindWorkload, "silent", "{classes: [{classes: [unspoken]}]}"))...)
	if found := kinds(); !slices.Equal(found, []fleet.WarningKind{fleet.WarningDeniesAll}) {
		t.Errorf("a class a workload handles: %v", found)
	}
}
