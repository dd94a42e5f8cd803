package server

import (
	"slices"
	"strings"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/manifest"
)

// dataset: what data is and which law it has a way through is a compliance
// officer's word where an application team's would make its own life easier.
func (g *guard) dataset(document manifest.Document) error {
	now, err := fleet.SpecOf[fleet.DatasetSpec](document.Resource)
	if err != nil {
		return err
	}
	last, alive, err := lastSpec[fleet.DatasetSpec](g, document.Resource.Ref())
	if err != nil {
		return err
	}
	current := last
	if !alive {
		current = fleet.DatasetSpec{}
	}
	g.classes(document, last, now)
	g.facts(document, last.Facts, now.Facts)
	g.instruments(document, current.Instruments, now.Instruments)
	if alive {
		err = g.reclassified(document, current, now)
	}
	if err == nil {
		err = g.bindings(document, current.Bindings, now.Bindings)
	}
	if err == nil {
		err = g.since(document, now.Since, alive && same(last, now))
	}
	return err
}

// classes: a dataset that is declared again is still what it was.
func (g *guard) classes(document manifest.Document, last, now fleet.DatasetSpec) {
	for _, class := range last.Classes {
		kept := slices.ContainsFunc(now.Classes, func(other string) bool {
			return other == class || strings.HasPrefix(other, class+".")
		})
		if !kept {
			g.needsCompliance(document, "spec.classes", "that it is no longer "+class)
		}
	}
}

// facts: one that is better than somebody's word is not replaced by a word.
func (g *guard) facts(document manifest.Document, last, now map[string]fleet.DataFact) {
	for name := range union(last, now) {
		if !same(last[name], now[name]) && (vouched(last[name].Source) || vouched(now[name].Source)) {
			g.needsCompliance(document, manifest.Child("spec.facts", name), "a fact that is observed or attested")
		}
	}
}

func union[V any](maps ...map[string]V) map[string]bool {
	keys := map[string]bool{}
	for _, one := range maps {
		for key := range one {
			keys[key] = true
		}
	}
	return keys
}

// vouched reports whether a source is better than a declaration.
func vouched(source fleet.FactSource) bool {
	return source != "" && source != fleet.SourceDeclared
}

// instruments open ways abroad. Giving one up is everybody's right.
func (g *guard) instruments(document manifest.Document, current, now []fleet.Instrument) {
	for i, instrument := range now {
		if !slices.ContainsFunc(current, func(other fleet.Instrument) bool { return same(other, instrument) }) {
			g.needsCompliance(document, manifest.Element("spec.instruments", i), "a legal instrument")
		}
	}
}

// bindings: what is recorded as found is never judged before it is there, so
// it takes somebody whose part is to find.
func (g *guard) bindings(document manifest.Document, current, now []fleet.Binding) error {
	for i, binding := range now {
		field := manifest.Element("spec.bindings", i)
		if slices.ContainsFunc(current, func(other fleet.Binding) bool { return same(other, binding) }) {
			continue
		}
		begins, past, err := g.times(binding)
		if err != nil {
			return err
		}
		if binding.Existing && begins.After(g.Now()) {
			g.faults = append(g.faults, document.Fault(field+".from", "what is there already does not begin on %s", binding.From).
				Advise("leave existing out: it is judged as what is to come"))
		}
		switch {
		case binding.Existing:
			g.needsCompliance(document, field+".existing", "what is there already")
		case past && !onlyEnded(current, binding):
			g.needsCompliance(document, field+".until", "what was there in the past")
		case vouched(binding.Source):
			g.needsCompliance(document, field+".source", "a place that is observed or attested")
		}
	}
	for _, binding := range current {
		if binding.Existing && !slices.ContainsFunc(now, func(other fleet.Binding) bool { return same(other, binding) }) {
			g.needsCompliance(document, "spec.bindings", "that "+binding.Name+", which was found, is no longer so")
		}
	}
	return nil
}

// times are when a binding begins, and whether its time is over.
func (g *guard) times(binding fleet.Binding) (begins time.Time, past bool, err error) {
	begins, ends, err := g.Rules.Span(fleet.Period{From: binding.From, Until: binding.Until})
	return begins, err == nil && !ends.IsZero() && !ends.After(g.Now()), err
}

// onlyEnded reports whether a binding is one of those there are, with another end.
func onlyEnded(current []fleet.Binding, binding fleet.Binding) bool {
	return slices.ContainsFunc(current, func(other fleet.Binding) bool {
		other.Until = binding.Until
		return same(other, binding)
	})
}

// workload: only its time is guarded; what it does is judged.
func (g *guard) workload(document manifest.Document) error {
	now, err := fleet.SpecOf[fleet.WorkloadSpec](document.Resource)
	if err != nil {
		return err
	}
	last, alive, err := lastSpec[fleet.WorkloadSpec](g, document.Resource.Ref())
	if err != nil {
		return err
	}
	if alive {
		g.widened(document, last, now)
	}
	return g.since(document, now.Since, alive && same(last, now))
}
