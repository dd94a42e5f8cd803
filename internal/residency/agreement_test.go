package residency_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// essence is what two evaluators must agree on.
func essence(verdict fleet.Verdict) []string {
	lines := []string{fmt.Sprint("allowed ", verdict.Allowed)}
	for _, finding := range verdict.Findings {
		lines = append(lines, fmt.Sprint(finding.Effect, " ", finding.ID()))
	}
	for _, obligation := range verdict.Obligations {
		lines = append(lines, fmt.Sprint("obligation ", obligation.Policy, "/", obligation.Rule, " unsure ", obligation.Unsure))
	}
	for _, used := range verdict.Exceptions {
		lines = append(lines, fmt.Sprint("exception ", used.Name, " of ", used.Rule))
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// The compiled engine and the reference agree on whatever policies, groups,
// classes, data and questions there are.
func TestAgreesWithReference(t *testing.T) {
	t.Parallel()
	catalog := catalogOf(t, regions)
	rapid.Check(t, func(t *rapid.T) {
		s := source{t}
		book, err := residency.NewRulebook(s.documents())
		if err != nil {
			t.Fatal(err)
		}
		at := s.instant()
		c, err := book.Compile(catalog, at)
		if err != nil {
			t.Fatal(err)
		}
		subject := s.subject()
		prepared := c.Prepare(subject)
		for range 4 {
			q := s.question(subject, at)
			verdict := c.Explain(prepared, q)
			want := residency.Reference(book, catalog, at, subject, q)
			if !reflect.DeepEqual(essence(verdict), essence(want)) {
				t.Fatalf("the engine says\n%v\nthe reference says\n%v\nof %+v about %+v", essence(verdict), essence(want), q, subject)
			}
			if simple := !q.GeoRedundant && q.Source == "" && len(q.Leaving) == 0; simple && prepared.AllowsRegion(q.Facet, q.Region) != verdict.Allowed {
				t.Fatalf("the fast answer about %+v is not %v", q, verdict.Allowed)
			}
		}
	})
}

// Every place of the catalog, countries included, is answered alike by the
// bitset and by the reference.
func TestAllowedAgreesWithReference(t *testing.T) {
	t.Parallel()
	catalog := catalogOf(t, regions)
	rapid.Check(t, func(t *rapid.T) {
		s := source{t}
		book, err := residency.NewRulebook(s.documents())
		if err != nil {
			t.Fatal(err)
		}
		at, subject := s.instant(), s.subject()
		c, err := book.Compile(catalog, at)
		if err != nil {
			t.Fatal(err)
		}
		facet := pick(s, "facet", fleet.Facets[:6])
		allowed := c.Prepare(subject).Allowed(facet)
		for _, name := range somePlaces {
			place, _ := catalog.Place(name)
			want := residency.Reference(book, catalog, at, subject, fleet.Question{Subject: subject.Ref, Classes: subject.Classes, Facet: facet, Region: name})
			if known := name != "aws/nowhere"; known && allowed.Has(place) != want.Allowed {
				t.Fatalf("%s at %s: bitset %v, reference %v", facet, name, allowed.Has(place), essence(want))
			}
		}
	})
}
