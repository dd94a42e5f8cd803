package daemon

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/internal/residency"
	"github.com/meridian-fleet/meridian/internal/server"
	"pgregory.net/rapid"
)

// world is everything recorded at an instant.
type world struct {
	at        time.Time
	resources map[fleet.Ref]fleet.Resource
}

func (g *game) look() world {
	w := world{at: g.now(), resources: map[fleet.Ref]fleet.Resource{}}
	for _, kind := range append(slices.Clone(fleet.ResidencyKinds), fleet.KindDecision) {
		found, err := g.store.List(g.ctx, kind, inventory.Query{})
		if err != nil {
			g.t.Fatal(err)
		}
		for _, resource := range found {
			w.resources[resource.Ref()] = resource
		}
	}
	return w
}

// act is something done to data at a place that nobody calls existing.
type act struct {
	subject fleet.Ref
	verdict fleet.Verdict
}

// acts are all that are done at the world's instant, each under a name by
// which it is known again.
func (g *game) acts(w world) map[string]act {
	book, catalog := g.rules(w)
	acts := map[string]act{}
	for ref, resource := range w.resources {
		switch ref.Kind {
		case fleet.KindDataset:
			spec := specOf[fleet.DatasetSpec](g, resource)
			for _, binding := range spec.Bindings {
				if binding.Existing || !g.covers(binding.From, binding.Until, w.at) {
					continue
				}
				known := binding // without what says for how long
				known.From, known.Until = "", ""
				for _, facet := range binding.Facets {
					q := fleet.Question{Subject: ref, Facet: facet, Region: binding.Region, GeoRedundant: binding.GeoRedundant, Pair: binding.Pair, At: w.at}
					acts[fmt.Sprintf("%s %s %s", ref, facet, asJSON(g.t, known))] = act{ref, residency.Reference(book, catalog, w.at, g.dataset(w, ref, ref), q)}
				}
			}
		case fleet.KindWorkload:
			spec := specOf[fleet.WorkloadSpec](g, resource)
			for _, region := range spec.Regions {
				for name, subject := range g.touched(w, ref, spec) {
					facet, _, _ := strings.Cut(name, " ")
					q := fleet.Question{Subject: subject.Ref, Facet: fleet.Facet(facet), Region: region, At: w.at}
					acts[fmt.Sprintf("%s %s %s", ref, region, name)] = act{ref, residency.Reference(book, catalog, w.at, subject, q)}
				}
			}
		}
	}
	return acts
}

// touched is all data that a workload does something to, by facet and name.
func (g *game) touched(w world, workload fleet.Ref, spec fleet.WorkloadSpec) map[string]residency.Subject {
	subjects := map[string]residency.Subject{}
	processing := []fleet.Facet{fleet.FacetProcessing}
	for _, use := range spec.Datasets {
		for _, facet := range orElse(use.Facets, processing) {
			subjects[fmt.Sprintf("%s %s", facet, use.Dataset)] = g.dataset(w, fleet.Ref{Kind: fleet.KindDataset, Name: use.Dataset}, workload)
		}
	}
	for _, use := range spec.Classes {
		for _, facet := range orElse(use.Facets, processing) {
			subjects[fmt.Sprintf("%s %v", facet, use.Classes)] = residency.Subject{Declared: true, Classes: use.Classes, Exceptions: g.exceptions(w, fleet.Ref{}, workload)}
		}
	}
	return subjects
}

func orElse(facets, otherwise []fleet.Facet) []fleet.Facet {
	if len(facets) == 0 {
		return otherwise
	}
	return facets
}

// dataset is what is known of one, with the exceptions for it and for who
// does something to it.
func (g *game) dataset(w world, ref, actor fleet.Ref) residency.Subject {
	resource, declared := w.resources[ref]
	spec := specOf[fleet.DatasetSpec](g, resource)
	subject := residency.Subject{
		Ref: ref, Declared: declared, Classes: spec.Classes, Facts: spec.Facts, Instruments: spec.Instruments,
		Exceptions: g.exceptions(w, ref, ref, actor),
	}
	for _, binding := range spec.Bindings {
		if g.covers(binding.From, binding.Until, w.at) {
			subject.Copies = append(subject.Copies, residency.Copy{Facets: binding.Facets, Region: binding.Region, Pair: binding.Pair, GeoRedundant: binding.GeoRedundant, Source: binding.Source})
		}
	}
	return subject
}

// exceptions are those for some subjects, made out to one.
func (g *game) exceptions(w world, to fleet.Ref, subjects ...fleet.Ref) []residency.Exception {
	var all []residency.Exception
	for ref, resource := range w.resources {
		if ref.Kind != fleet.KindException {
			continue
		}
		spec := specOf[fleet.ExceptionSpec](g, resource)
		status, err := fleet.StatusOf[fleet.ExceptionStatus](resource)
		if err != nil {
			g.t.Fatal(err)
		}
		if slices.Contains(subjects, spec.Subject) {
			spec.Subject = to
			all = append(all, residency.Exception{Name: ref.Name, Spec: spec, Status: status})
		}
	}
	return all
}

func (g *game) rules(w world) (*residency.Rulebook, *residency.Catalog) {
	var documents []fleet.Resource
	for _, resource := range w.resources {
		documents = append(documents, resource)
	}
	book, err := residency.NewRulebook(documents)
	if err != nil {
		g.t.Fatal(err)
	}
	catalog, err := residency.NewCatalog(gameRegions)
	if err != nil {
		g.t.Fatal(err)
	}
	return book, catalog
}

func (g *game) covers(from, until string, at time.Time) bool {
	covered, err := residency.Covers(fleet.Period{From: from, Until: until}, time.UTC, at)
	if err != nil {
		g.t.Fatal(err)
	}
	return covered
}

// check compares what is with what was before the last call.
func (g *game) check(t *rapid.T) {
	before, after := g.seen, g.look()
	before.at = after.at
	g.seen = after
	g.checkExceptions(t, before, after)
	g.checkClasses(t, before, after)
	was, is := g.acts(before), g.acts(after)
	rulesMoved := g.moved(before, after, fleet.KindResidencyPolicy, fleet.KindJurisdictionGroup, fleet.KindDataClass)
	placesMoved := g.moved(before, after, fleet.KindDataset, fleet.KindWorkload)
	for name, done := range is {
		earlier, old := was[name]
		switch {
		case done.verdict.Allowed && !old:
			g.score.placed++
			g.score.excepted += min(len(done.verdict.Exceptions), 1)
		case done.verdict.Allowed:
		case !old:
			t.Fatalf("%s placed %s, which is denied: %s\n%s", g.caller, name, asJSON(g.t, done.verdict), strings.Join(g.story, "\n"))
		case earlier.verdict.Allowed && placesMoved && !rulesMoved:
			t.Fatalf("%s made unlawful %s: %s\n%s", g.caller, name, asJSON(g.t, done.verdict), strings.Join(g.story, "\n"))
		}
	}
}

// moved reports whether a resource of some kinds is another than it was.
func (g *game) moved(before, after world, kinds ...fleet.Kind) bool {
	for _, pair := range [][2]world{{before, after}, {after, before}} {
		for ref, resource := range pair[0].resources {
			if slices.Contains(kinds, ref.Kind) && string(pair[1].resources[ref].Spec) != string(resource.Spec) {
				return true
			}
		}
	}
	return false
}

// checkExceptions: what was asked for stays as it was asked for, and only two
// approvers, none of whom asked, approve.
func (g *game) checkExceptions(t *rapid.T, before, after world) {
	for ref, resource := range after.resources {
		if ref.Kind != fleet.KindException {
			continue
		}
		if was, old := before.resources[ref]; old && string(was.Spec) != string(resource.Spec) {
			t.Fatalf("%s edited %s: %s", g.caller, ref, resource.Spec)
		}
		status, err := fleet.StatusOf[fleet.ExceptionStatus](resource)
		if err != nil {
			t.Fatal(err)
		}
		people := map[string]bool{status.RequestedBy: true}
		for _, approval := range status.Approvals {
			if people[approval.By] || !slices.Contains(players[approval.By], server.Approver) {
				t.Fatalf("%s is approved by %s: %s", ref, approval.By, resource.Status)
			}
			people[approval.By] = true
		}
		if status.Phase == fleet.ExceptionApproved && len(status.Approvals) < fleet.NeededApprovals {
			t.Fatalf("%s is approved: %s", ref, resource.Status)
		}
	}
	for ref := range before.resources {
		if _, there := after.resources[ref]; !there && (ref.Kind == fleet.KindException || ref.Kind == fleet.KindDecision) {
			t.Fatalf("%s deleted %s", g.caller, ref)
		}
	}
}

// checkClasses: only a compliance officer says that data is less than it was.
func (g *game) checkClasses(t *rapid.T, before, after world) {
	if slices.Contains(players[g.caller], server.Compliance) {
		return
	}
	for ref, resource := range after.resources {
		was, old := before.resources[ref]
		if ref.Kind != fleet.KindDataset || !old {
			continue
		}
		now := specOf[fleet.DatasetSpec](g, resource).Classes
		for _, class := range specOf[fleet.DatasetSpec](g, was).Classes {
			if !slices.ContainsFunc(now, func(c string) bool { return c == class || strings.HasPrefix(c, class+".") }) {
				t.Fatalf("%s made %s no longer %s", g.caller, ref, class)
			}
		}
	}
}

func specOf[Spec any](g *game, resource fleet.Resource) Spec {
	spec, err := fleet.SpecOf[Spec](resource)
	if err != nil {
		g.t.Fatal(err)
	}
	return spec
}

func asJSON(t interface{ Fatal(...any) }, value any) []byte {
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
