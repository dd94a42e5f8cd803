package offline_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meridian-fleet/meridian/internal/cli/offline"
	"github.com/meridian-fleet/meridian/internal/compliance"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/providers/builtin"
)

// What is judged offline is judged on the facts the daemon has.
func TestRegionsAreTheDaemons(t *testing.T) {
	t.Parallel()
	got, err := offline.Regions()
	if err != nil {
		t.Fatal(err)
	}
	catalogs, err := builtin.Regions()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]fleet.RegionFacts{}
	for provider, regions := range catalogs {
		for _, region := range regions {
			facts := compliance.FactsOf(provider, region)
			want[facts.Name()] = facts
		}
	}
	if len(got) != len(want) || len(got) < 100 {
		t.Errorf("%d regions, want %d", len(got), len(want))
	}
	for i, region := range got {
		if diff := cmp.Diff(want[region.Name()], region); diff != "" {
			t.Error(diff)
		}
		if i > 0 && got[i-1].Name() >= region.Name() {
			t.Errorf("%s comes before %s", got[i-1].Name(), region.Name())
		}
	}
}

func resource(t *testing.T, kind fleet.Kind, name string, spec, status any) fleet.Resource {
	t.Helper()
	made, err := fleet.NewResource(kind, name, spec, status)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestWithFacts(t *testing.T) {
	t.Parallel()
	certified := map[string]fleet.DataFact{"certifications": {Value: []byte(`["C5"]`)}}
	documents := []fleet.Resource{
		resource(t, fleet.KindRegion, "a/1", fleet.RegionSpec{Facts: certified}, nil),
		resource(t, fleet.KindRegion, "a/9", fleet.RegionSpec{Facts: certified}, nil),
		resource(t, fleet.KindDataClass, "a/2", fleet.DataClassSpec{}, nil),
	}
	before := []fleet.RegionFacts{{Provider: "a", ID: "1"}, {Provider: "a", ID: "2"}}
	after, err := offline.WithFacts(before, documents)
	if err != nil || len(after) != 2 || len(after[0].Facts) != 1 || len(after[1].Facts) != 0 || before[0].Facts != nil {
		t.Errorf("%+v, %v", after, err)
	}
	documents[0].Spec = []byte(`{"facts": 1}`)
	if _, err := offline.WithFacts(before, documents); err == nil {
		t.Error("a broken document is no error")
	}
}

func TestSubjectsAreThoseOfTheInstant(t *testing.T) {
	t.Parallel()
	documents := []fleet.Resource{
		resource(t, fleet.KindDataset, "crm", fleet.DatasetSpec{Classes: []string{"a"}, Bindings: []fleet.Binding{
			{Name: "old", Facets: fleet.CopyFacets, Region: "a/1", Until: "2026-02-28"},
			{Name: "new", Facets: fleet.CopyFacets, Region: "a/2", From: "2026-03-01", GeoRedundant: true, Pair: "a/3"},
		}}, nil),
		resource(t, fleet.KindException, "x", fleet.ExceptionSpec{Policy: "p"}, fleet.ExceptionStatus{Phase: fleet.ExceptionApproved}),
		resource(t, fleet.KindDataClass, "a", fleet.DataClassSpec{}, nil),
	}
	for day, want := range map[string]string{"2026-02-28": "a/1", "2026-03-01": "a/2"} {
		at, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		subjects, err := offline.Subjects(documents, at)
		if err != nil || len(subjects) != 1 || len(subjects[0].Copies) != 1 || subjects[0].Copies[0].Region != want {
			t.Fatalf("on %s: %+v, %v", day, subjects, err)
		}
		if one := subjects[0]; !one.Declared || one.Ref.Name != "crm" || len(one.Exceptions) != 1 || one.Exceptions[0].Status.Phase != fleet.ExceptionApproved {
			t.Errorf("on %s: %+v", day, one)
		}
	}
}
