package residency_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// FuzzNewRulebook reads any policy, group and class: it either finds faults,
// all of them invalid input, or gives rules by which engine and reference agree.
func FuzzNewRulebook(f *testing.F) {
	f.Add([]byte(`{"version":"1","effective":{"from":"2026-01-01"},"appliesTo":{"classes":["p"]},"rules":[{"name":"r","facets":["storage"],"when":"data.subjects > 5","allowOnly":{"groups":["G"],"except":{"countries":["US"]}}}]}`),
		[]byte(`{"version":"1","members":[{"country":"DE","until":"2026-12-31"},{"group":"H"}]}`), []byte(`{"inherits":["q"]}`))
	f.Add([]byte(`{"version":"1","timeZone":"Europe/Berlin","effective":{"from":"2024-02-29T12:00:00+01:00"},"appliesTo":{"classes":["p"]},"rules":[{"name":"t","facets":["storage","replica"],"transferIf":{"home":{"countries":["DE"]},"to":{"anywhere":true},"basis":"adequacy"}},{"name":"o","facets":["storage"],"obligation":{"action":"notify","text":"x","within":"5 business days","outside":{"groups":["G"]}}}]}`),
		[]byte(`{"version":"1","members":[{"country":"DE","from":"2026-03-01"}]}`), []byte(`{}`))
	f.Add([]byte(`{"version":"1","effective":{"from":"2026-01-01"},"appliesTo":{"classes":["p"]},"rules":[{"name":"c","facets":["storage"],"requireCopy":{"in":{"anywhere":true},"minimum":2}},{"name":"o","facets":["storage"],"operator":{"notControlledFrom":["US","G"],"certifications":["C5"]},"minimumSource":"attested"}]}`),
		[]byte(`{"version":"1","members":[{"group":"G"}]}`), []byte(`{"inherits":["p"]}`))
	f.Add([]byte(`null`), []byte(`[]`), []byte(`"x"`))
	catalog := catalogOf(f, regions)
	at := instant(f, "2026-03-01")
	f.Fuzz(func(t *testing.T, policy, group, class []byte) {
		var resources []fleet.Resource
		for i, spec := range [][]byte{policy, group, class} {
			if !json.Valid(spec) {
				return
			}
			kind := []fleet.Kind{fleet.KindResidencyPolicy, fleet.KindJurisdictionGroup, fleet.KindDataClass}[i]
			resources = append(resources, fleet.Resource{Kind: kind, Metadata: fleet.Metadata{Name: []string{"a", "G", "p"}[i]}, Spec: spec})
		}
		book, err := residency.NewRulebook(resources)
		if err != nil {
			var fault *fleet.Error
			if !errors.As(err, &fault) || fleet.KindOf(err) != fleet.ErrInvalid || fault.Object == "" || fault.Field == "" {
				t.Fatalf("no proper fault: %v", err)
			}
			return
		}
		c, err := book.Compile(catalog, at)
		if err != nil {
			t.Fatal(err)
		}
		subject := residency.Subject{Declared: true, Classes: []string{"p"}}
		for _, name := range somePlaces {
			q := fleet.Question{Classes: subject.Classes, Facet: fleet.FacetStorage, Region: name, GeoRedundant: name > "b"}
			got, want := essence(c.Judge(c.Prepare(subject), q)), essence(residency.Reference(book, catalog, at, subject, q))
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%s: %v, the reference says %v", name, got, want)
			}
		}
		book.Review(catalog, at, []residency.Subject{subject})
	})
}

// FuzzCondition reads any condition; it never panics, and an accepted one is
// evaluated whatever the facts are.
func FuzzCondition(f *testing.F) {
	for _, condition := range someConditions {
		f.Add(condition)
	}
	f.Add(`data.citizens.map(c, c + "x").filter(c, c.matches("^D")).size() > 1 && region.jurisdictions.all(j, j != "US")`)
	f.Add(`[1, 2].exists_one(n, n == data.subjects) || data.purpose[9] == "x"`)
	f.Add(`data.subjects.matches("(")`)
	catalog := catalogOf(f, regions)
	at := instant(f, "2026-03-01")
	f.Fuzz(func(t *testing.T, condition string) {
		spec := policySpec(t, goodRule)
		spec.Rules[0].When = condition
		if len(residency.ValidatePolicy(spec)) > 0 {
			return
		}
		raw, err := json.Marshal(spec)
		if err != nil {
			t.Fatal(err)
		}
		book, err := residency.NewRulebook([]fleet.Resource{
			{Kind: fleet.KindResidencyPolicy, Metadata: fleet.Metadata{Name: "a"}, Spec: raw}, {Kind: fleet.KindDataClass, Metadata: fleet.Metadata{Name: "p"}},
		})
		if err != nil {
			t.Fatalf("valid, but: %v", err)
		}
		c, err := book.Compile(catalog, at)
		if err != nil {
			t.Fatal(err)
		}
		subject := residency.Subject{Declared: true, Classes: []string{"p"}}
		q := fleet.Question{Facet: fleet.FacetStorage, Region: "test/south"}
		unknown := c.Judge(c.Prepare(subject), q)
		subject.Facts = map[string]fleet.DataFact{"subjects": {Value: json.RawMessage("7")}, "secrecy": {Value: json.RawMessage(`"none"`)}, "sensitive": {Value: json.RawMessage("true")}}
		if known := c.Judge(c.Prepare(subject), q); unknown.Allowed && !known.Allowed {
			t.Fatalf("%s: allowed while facts are unknown, denied when they are known", condition)
		}
	})
}
