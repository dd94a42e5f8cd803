package residency_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// world is random rules at an instant, with random data.
type world struct {
	source
	documents []fleet.Resource
	book      *residency.Rulebook
	compiled  *residency.Compiled
	subject   residency.Subject
}

func drawWorld(t *rapid.T, catalog *residency.Catalog) world {
	s := source{t}
	w := world{source: s, documents: s.documents()}
	w.compile(catalog, s)
	w.subject = s.subject()
	return w
}

func (w *world) compile(catalog *residency.Catalog, s source) {
	var err error
	if w.book, err = residency.NewRulebook(w.documents); err != nil {
		s.Fatal(err)
	}
	at := s.instant()
	if w.compiled != nil {
		at = w.compiled.At()
	}
	if w.compiled, err = w.book.Compile(catalog, at); err != nil {
		s.Fatal(err)
	}
}

func (w *world) judge(subject residency.Subject, q fleet.Question) fleet.Verdict {
	return w.compiled.Judge(w.compiled.Prepare(subject), q)
}

// Every alternative is true: judged again by the reference with the change
// made, the question is allowed.
func TestAlternativesAreTrue(t *testing.T) {
	t.Parallel()
	catalog := catalogOf(t, regions)
	seen := map[fleet.AlternativeKind]int{}
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t, catalog)
		at := w.compiled.At()
		q := w.question(w.subject, at)
		for _, offered := range residency.Changes(w.compiled, w.compiled.Prepare(w.subject), q) {
			seen[offered.Kind]++
			check := func(subject residency.Subject, q fleet.Question) {
				if verdict := residency.Reference(w.book, offered.Catalog, at, subject, q); !verdict.Allowed {
					t.Fatalf("%s: %q, but then: %v", offered.Kind, offered.Text, essence(verdict))
				}
			}
			check(offered.Subject, offered.Question)
			for _, made := range offered.Subject.Copies[len(w.subject.Copies):] {
				check(done(offered.Subject, q), fleet.Question{Facet: made.Facets[0], Region: made.Region})
			}
			if offered.Kind == fleet.AlternativeException {
				check(approvedFor(catalog, w.subject, offered.Rules, q, at), q)
			}
			for _, name := range offered.Regions {
				switch subject, moved := offered.Subject, offered.Question; offered.Kind {
				case fleet.AlternativeMove:
					moved.Region = name
					check(subject, moved)
				case fleet.AlternativeCopy:
					if len(subject.Copies) == len(w.subject.Copies)+1 {
						subject.Copies = slices.Clone(subject.Copies)
						subject.Copies[len(subject.Copies)-1].Region = name
						check(subject, moved)
					}
				}
			}
		}
	})
	t.Log(seen)
	for _, kind := range []fleet.AlternativeKind{fleet.AlternativeNoPair, fleet.AlternativeFact, fleet.AlternativeInstrument, fleet.AlternativeCopy, fleet.AlternativeMove, fleet.AlternativeException} {
		if seen[kind] == 0 && !testing.Short() {
			t.Logf("no alternative of kind %s came up", kind)
		}
	}
}

// done is a subject once what was asked about is done.
func done(subject residency.Subject, q fleet.Question) residency.Subject {
	subject.Copies = append(slices.Clone(subject.Copies), residency.Copy{
		Facets: []fleet.Facet{q.Facet}, Region: q.Region, GeoRedundant: q.GeoRedundant, Pair: q.Pair, Source: cmp.Or(q.Source, fleet.SourceAttested),
	})
	return subject
}

// approvedFor is a subject with what people make of an alternative: an
// approved exception from each rule, for what was asked and the places of it.
func approvedFor(catalog *residency.Catalog, subject residency.Subject, rules []string, q fleet.Question, at time.Time) residency.Subject {
	scope := fleet.Scope{Regions: []string{q.Region}}
	if place, _ := catalog.Region(q.Region); q.GeoRedundant {
		scope.Regions = append(scope.Regions, cmp.Or(q.Pair, place.Provider+"/"+place.ReplicaPair))
	}
	now := at.Format(time.RFC3339Nano)
	subject.Exceptions = slices.Clone(subject.Exceptions)
	for _, id := range rules {
		policy, rule, _ := strings.Cut(id, "/")
		subject.Exceptions = append(subject.Exceptions, residency.Exception{
			Name:   id,
			Spec:   fleet.ExceptionSpec{Policy: policy, Rule: rule, Subject: subject.Ref, Facets: []fleet.Facet{q.Facet}, Scope: scope, Period: fleet.Period{Until: "2027-12-31"}, Reason: "test"},
			Status: fleet.ExceptionStatus{RequestedBy: "zoe", Approvals: []fleet.Approval{{By: "ann", At: now}, {By: "bob", At: now}}},
		})
	}
	return subject
}

// A rule more never turns a denial into a yes: unless it is the first to speak
// about the class at all, or another alternative of a policy's transfer rules.
func TestMoreRulesNeverPermitMore(t *testing.T) {
	t.Parallel()
	catalog := catalogOf(t, regions)
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t, catalog)
		q := w.question(w.subject, w.compiled.At())
		before := w.judge(w.subject, q)
		policy := w.policy("another")
		resource, err := fleet.NewResource(fleet.KindResidencyPolicy, "another", policy, nil)
		if err != nil {
			t.Fatal(err)
		}
		w.documents = append(w.documents, resource)
		w.compile(catalog, w.source)
		after := w.judge(w.subject, q)
		silent := slices.ContainsFunc(before.Findings, func(f fleet.Finding) bool {
			return f.Rule == fleet.RuleNoRule || f.Rule == fleet.RuleUnknownFact
		})
		if !before.Allowed && after.Allowed && !silent {
			t.Fatalf("denied by %v, but allowed with one more policy by %v", essence(before), essence(after))
		}
		denied := func(verdict fleet.Verdict) map[string]bool {
			ids := map[string]bool{}
			for _, finding := range verdict.Findings {
				if finding.Effect == fleet.EffectDenies && finding.Policy != fleet.BuiltInPolicy {
					ids[finding.ID()] = true
				}
			}
			return ids
		}
		still := denied(after)
		for id := range denied(before) {
			if !still[id] {
				t.Fatalf("%s denied, and with one more policy no longer does: %v", id, essence(after))
			}
		}
	})
}

// An unknown fact never helps: what is allowed while a fact is not known is
// allowed whatever it is.
func TestUnknownFactNeverHelps(t *testing.T) {
	t.Parallel()
	catalog := catalogOf(t, regions)
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t, catalog)
		q := w.question(w.subject, w.compiled.At())
		name := pick(w.source, "fact", slices.Sorted(maps.Keys(someFacts)))
		without := w.subject
		without.Facts = maps.Clone(w.subject.Facts)
		delete(without.Facts, name)
		if !w.judge(without, q).Allowed {
			return
		}
		for _, value := range append(someFacts[name], extreme[name]...) {
			with := without
			with.Facts = maps.Clone(without.Facts)
			with.Facts[name] = fleet.DataFact{Value: json.RawMessage(value), Source: fleet.SourceAttested}
			if verdict := w.judge(with, q); !verdict.Allowed {
				t.Fatalf("allowed while %s is not known, denied when it is %s: %v", name, value, essence(verdict))
			}
		}
	})
}

var extreme = map[string][]string{"subjects": {"0", "6", "9007199254740992"}, "citizens": {`["DE", "FR", "US", "NO", "IN"]`}, "secrecy": {`"state"`, `"trade"`}}

// Exceptions never turn what no rule permits, or anything else Meridian itself
// denies, into a yes.
func TestExceptionsNeverPermitTheUnspoken(t *testing.T) {
	t.Parallel()
	catalog := catalogOf(t, regions)
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t, catalog)
		q := w.question(w.subject, w.compiled.At())
		plain := w.subject
		plain.Exceptions = nil
		before, after := w.judge(plain, q), w.judge(w.subject, q)
		for _, finding := range before.Findings {
			if finding.Policy == fleet.BuiltInPolicy && after.Allowed {
				t.Fatalf("%s was suspended: %v", finding.ID(), essence(after))
			}
		}
		if before.Allowed && !after.Allowed {
			t.Fatalf("exceptions deny: %v", essence(after))
		}
		if after.Allowed && !before.Allowed && len(after.Exceptions) == 0 {
			t.Fatalf("allowed by an exception that does not show: %v", essence(after))
		}
	})
}

// A workload is allowed where everything it does is, and its allowed regions
// are those.
func TestWorkloadIsAllItsParts(t *testing.T) {
	t.Parallel()
	catalog := catalogOf(t, regions)
	workload := fleet.Ref{Kind: fleet.KindWorkload, Name: "w"}
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t, catalog)
		var uses []residency.Use
		var prepared []residency.PreparedUse
		var subjects []residency.Subject
		exceptions := []residency.Exception{w.exception("own", workload)}
		for range rapid.IntRange(1, 3).Draw(t, "uses") {
			subject := w.source.subject()
			use := residency.Use{Prepared: w.compiled.Prepare(subject), Facets: some(w.source, "facets", fleet.Facets[:6], 0, 3)}
			uses, subjects = append(uses, use), append(subjects, subject)
			prepared = append(prepared, w.compiled.PrepareUse(workload, use, exceptions))
		}
		q := fleet.Question{Subject: workload, Region: pick(w.source, "region", somePlaces)}
		if w.chance("one facet", 40) {
			q.Facet = pick(w.source, "asked", fleet.Facets[:6])
		}
		declared := slices.ContainsFunc(uses, func(use residency.Use) bool {
			return slices.Contains(use.Facets, q.Facet) || len(use.Facets) == 0 && q.Facet == fleet.FacetProcessing
		})
		verdict := w.compiled.JudgeWorkload(workload, uses, exceptions, q)
		var want []string
		allowed := true
		for i, subject := range subjects {
			own := exceptions[0]
			own.Spec.Subject = subject.Ref
			subject.Exceptions = append(slices.Clone(subject.Exceptions), own)
			facets := uses[i].Facets
			if len(facets) == 0 {
				facets = []fleet.Facet{fleet.FacetProcessing}
			}
			if q.Facet != "" && !declared {
				facets = []fleet.Facet{q.Facet} // as if it did
			}
			for _, facet := range facets {
				if q.Facet != "" && facet != q.Facet {
					continue
				}
				asked := q
				asked.Facet = facet
				part := residency.Reference(w.book, catalog, w.compiled.At(), subject, asked)
				allowed = allowed && part.Allowed
				want = append(want, essence(part)...)
			}
		}
		if verdict.Allowed != allowed {
			t.Fatalf("allowed %v, its parts %v", verdict.Allowed, want)
		}
		for _, line := range essence(verdict)[1:] {
			if !slices.Contains(want, line) && line != fmt.Sprint("allowed ", allowed) {
				t.Fatalf("%q is of no part: %v", line, want)
			}
		}
		var set residency.Set
		residency.AllowedRegions(&set, prepared)
		if place, known := catalog.Place(q.Region); known && q.Facet == "" && set.Has(place) != allowed {
			t.Fatalf("allowed regions say %v, the verdict %v", set.Has(place), allowed)
		}
	})
}
