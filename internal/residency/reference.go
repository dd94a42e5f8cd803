package residency

import (
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Reference answers a question straight from the documents, rule by rule and
// name by name, as docs/residency.md says it: slow and obvious, for tests to
// compare the compiled form with. It gives the verdict, which rules decided
// how, obligations and exceptions; no reasons and no alternatives.
func Reference(r *Rulebook, catalog *Catalog, at time.Time, subject Subject, q fleet.Question) fleet.Verdict {
	ref := &referee{book: r, catalog: catalog, at: at, subject: subject, q: q}
	return ref.answer()
}

// referee works out one answer.
type referee struct {
	book    *Rulebook
	catalog *Catalog
	at      time.Time
	subject Subject
	q       fleet.Question

	place fleet.RegionFacts
	pair  *fleet.RegionFacts

	permits, denials, suspended []fleet.Finding
	obligations                 []fleet.DueObligation
	exceptions                  []fleet.UsedException
	silent                      map[string]bool
}

func (r *referee) answer() fleet.Verdict {
	r.silent = map[string]bool{}
	classes := r.builtInFaults()
	place, known := r.catalog.Region(r.q.Region)
	switch {
	case !known:
		r.deny(fleet.RuleUnknownRegion, "")
	case !r.isFacet(r.q.Facet):
		for _, class := range classes {
			r.deny(fleet.RuleNoRule, class)
		}
	default:
		r.place, r.pair = place, r.secondPlace(place)
		r.judge(classes, r.q.Facet, place, true)
		if r.q.GeoRedundant && r.pair == nil {
			r.deny(fleet.RuleUnknownPair, "")
		}
		if r.q.GeoRedundant && r.pair != nil {
			r.judge(classes, r.q.Facet, *r.pair, true)
			if r.q.Facet != fleet.FacetReplica {
				r.judge(classes, fleet.FacetReplica, *r.pair, false)
			}
		}
	}
	verdict := fleet.Verdict{Question: r.q, Allowed: len(r.denials) == 0, Obligations: r.obligations, Exceptions: r.exceptions}
	if verdict.Allowed {
		verdict.Findings = append(r.permits, r.suspended...)
	} else {
		verdict.Findings = append(r.denials, r.suspended...)
	}
	return verdict
}

func (r *referee) isFacet(facet fleet.Facet) bool {
	for _, known := range fleet.Facets {
		if facet == known {
			return true
		}
	}
	return false
}

// builtInFaults denies what is not declared, and returns the classes of the
// data that are.
func (r *referee) builtInFaults() []string {
	if r.subject.Ref.Name != "" && !r.subject.Declared {
		r.deny(fleet.RuleUnknownDataset, "")
	} else if len(r.subject.Classes) == 0 {
		r.deny(fleet.RuleUnclassified, "")
	}
	var classes []string
	for _, class := range r.subject.Classes {
		if _, declared := r.book.classes[class]; !declared {
			r.deny(fleet.RuleUnknownClass, class)
			continue
		}
		classes = append(classes, class)
		for name := range r.all(class) {
			if _, declared := r.book.classes[name]; !declared {
				r.deny(fleet.RuleUnknownClass, name)
			}
		}
	}
	return classes
}

func (r *referee) deny(rule, class string) {
	r.note(&r.denials, fleet.Finding{Policy: fleet.BuiltInPolicy, Rule: rule, Kind: fleet.RuleBuiltIn, Effect: fleet.EffectDenies, Class: class})
}

// note adds a finding once.
func (r *referee) note(list *[]fleet.Finding, finding fleet.Finding) {
	for _, other := range *list {
		if other.ID() == finding.ID() && other.Class == finding.Class && other.Facet == finding.Facet && other.Region == finding.Region {
			return
		}
	}
	*list = append(*list, finding)
}

// all are the names of everything a class is, declared or not.
func (r *referee) all(class string) map[string]bool {
	names := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		if names[name] {
			return
		}
		names[name] = true
		for _, inherited := range r.book.classes[name].Inherits {
			visit(inherited)
		}
		for i, letter := range name {
			if _, declared := r.book.classes[name[:i]]; letter == '.' && declared {
				visit(name[:i])
			}
		}
	}
	visit(class)
	for name := range names {
		if _, declared := r.book.classes[name]; !declared && name == class {
			delete(names, name)
		}
	}
	return names
}

func (r *referee) secondPlace(place fleet.RegionFacts) *fleet.RegionFacts {
	name := r.q.Pair
	if name == "" && place.ReplicaPair != "" {
		name = place.Provider + "/" + place.ReplicaPair
	}
	if pair, known := r.catalog.Region(name); known && r.q.GeoRedundant {
		return &pair
	}
	return nil
}

// judge asks every rule in force about one place.
func (r *referee) judge(classes []string, facet fleet.Facet, place fleet.RegionFacts, mustSpeak bool) {
	for _, class := range classes {
		surelySpoken, possiblySpoken := false, false
		for _, policy := range r.law() {
			var transfers []alternative
			for i := range policy.spec.Rules {
				rule := &policy.spec.Rules[i]
				truth := r.applies(policy, rule, class, facet, place)
				if truth == untrue {
					continue
				}
				if rule.Kind() == fleet.RuleObligation {
					r.oblige(policy, rule, place, truth)
					continue
				}
				possiblySpoken = true
				surelySpoken = surelySpoken || truth == surely
				if rule.Kind() == fleet.RuleTransferIf {
					transfers = append(transfers, alternative{rule, truth, r.transferable(rule, place)})
					continue
				}
				r.decide(policy, rule, class, facet, place, truth, r.satisfied(rule, facet, place))
			}
			r.transfer(policy, transfers, class, facet, place)
		}
		if mustSpeak && !surelySpoken && !r.silent[class] {
			r.silent[class] = true
			if possiblySpoken {
				r.deny(fleet.RuleUnknownFact, class)
			} else {
				r.deny(fleet.RuleNoRule, class)
			}
		}
	}
}

// law are the policy versions that count at the instant.
func (r *referee) law() []*policyVersion {
	var law []*policyVersion
	for _, history := range r.book.policies {
		var latest *policyVersion
		for _, version := range history.versions {
			begins, err := Begins(version.spec.Effective, version.zone)
			if err == nil && !begins.After(r.at) {
				latest = version
			}
		}
		if latest != nil {
			law = append(law, latest)
		}
	}
	return law
}

// applies tells whether a rule applies to a class, a facet and a place.
func (r *referee) applies(policy *policyVersion, rule *fleet.Rule, class string, facet fleet.Facet, place fleet.RegionFacts) truth {
	names := r.all(class)
	named := false
	for _, name := range policy.spec.AppliesTo.Classes {
		named = named || names[name]
	}
	narrowed := len(rule.Classes) == 0
	for _, name := range rule.Classes {
		narrowed = narrowed || names[name]
	}
	about := false
	for _, other := range rule.Facets {
		about = about || other == facet
	}
	inForce, err := Covers(policy.spec.Effective, policy.zone, r.at)
	if rule.Effective != nil && err == nil && inForce {
		inForce, err = Covers(*rule.Effective, policy.zone, r.at)
	}
	if !named || !narrowed || !about || !inForce || err != nil {
		return untrue
	}
	return r.when(rule, facet, place)
}

// when evaluates a rule's condition over the facts that are known well enough.
func (r *referee) when(rule *fleet.Rule, facet fleet.Facet, place fleet.RegionFacts) truth {
	if rule.When == "" {
		return surely
	}
	condition, faults := parseExpression(rule.When)
	if len(faults) > 0 {
		return undecided
	}
	in := &situation{facet: facet, data: map[string]knownFact{}, region: map[string]knownFact{}}
	facts := map[string]knownFact{}
	knownAt(facts, r.subject.Facts, fleet.DataFacts, "data.", r.at, nil)
	for name, fact := range facts {
		if fact.source.AtLeast(rule.MinimumSource) {
			in.data[name] = fact
		}
	}
	for name, fact := range catalogFacts(place, r.at) {
		if fact.source.AtLeast(rule.MinimumSource) {
			in.region[name] = fact
		}
	}
	in.data["data.classes"] = newKnownFact(r.allClasses(), fleet.SourceAttested, "")
	if r.subject.Ref.Name != "" {
		in.data["data.name"] = newKnownFact(r.subject.Ref.Name, fleet.SourceAttested, "")
	}
	return condition.decide(in)
}

func (r *referee) allClasses() []string {
	all, _ := Classes(r.book, r.subject.Classes)
	return all
}
