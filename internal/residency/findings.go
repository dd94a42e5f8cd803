package residency

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// notes remember what is to be said of a rule at a place, apart from the data.
type notes struct{ permits, refuses remembered }

type remembered struct {
	table atomic.Pointer[[setPlaces]atomic.Pointer[fleet.Finding]]
}

// at is the finding for a place, made on first use.
func (r *remembered) at(place PlaceID, made func() fleet.Finding) *fleet.Finding {
	table := r.table.Load()
	if table == nil {
		r.table.CompareAndSwap(nil, &[setPlaces]atomic.Pointer[fleet.Finding]{})
		table = r.table.Load()
	}
	if found := table[place].Load(); found != nil {
		return found
	}
	finding := made()
	table[place].CompareAndSwap(nil, &finding)
	return table[place].Load()
}

// permission is the finding of a rule that permits.
func (p *Prepared) permission(rule *applied, facet int, place PlaceID, a *answer) fleet.Finding {
	finding := *rule.notes.permits.at(place, func() fleet.Finding {
		return p.compiled.finding(rule.clause, place, fleet.EffectAllows)
	})
	p.complete(&finding, rule, facet)
	switch {
	case rule.kind == fleet.RuleRequireCopy:
		finding.Reason, finding.Facts = p.copyReason(rule, a)
	case rule.kind == fleet.RuleTransferIf && !rule.holds.Has(place) && rule.spec.TransferIf.Basis != fleet.BasisAdequacy:
		p.instrumentReason(&finding, rule, place)
	}
	return finding
}

// refusal is the finding of a rule that denies.
func (p *Prepared) refusal(rule *applied, facet int, place PlaceID, a *answer) fleet.Finding {
	finding := *rule.notes.refuses.at(place, func() fleet.Finding {
		return p.compiled.finding(rule.clause, place, fleet.EffectDenies)
	})
	p.complete(&finding, rule, facet)
	switch {
	case rule.kind == fleet.RuleRequireCopy:
		finding.Reason, finding.Facts = p.copyReason(rule, a)
	case rule.kind == fleet.RuleAllowOnly && rule.holds.Has(place):
		finding.Reason = rule.sentence(fmt.Sprintf("The place is in %s, but it is only %s; the rule wants it %s.",
			scopeText(rule.spec.AllowOnly), a.asked.source, rule.spec.MinimumSource))
	}
	if !rule.where.surely.Has(place) {
		finding.Reason += " " + p.doubt(rule, place)
	}
	return finding
}

// complete adds what is known of the data.
func (p *Prepared) complete(finding *fleet.Finding, rule *applied, facet int) {
	finding.Class, finding.Dataset, finding.Facet = rule.class, p.dataset, fleet.Facets[facet]
	if rule.when == nil || len(rule.when.dataFacts) == 0 {
		return
	}
	facts := slices.Clone(finding.Facts)
	for _, name := range rule.when.dataFacts {
		facts = append(facts, p.facts[name].used(name, rule.spec.MinimumSource))
	}
	finding.Facts = facts
}

// doubt says which facts leave open whether a rule applies.
func (p *Prepared) doubt(rule *applied, place PlaceID) string {
	region := p.compiled.regionFacts[place]()
	var unknown []string
	for _, names := range [][]string{rule.when.dataFacts, rule.when.regionFacts} {
		for _, name := range names {
			known, ok := p.facts[name]
			if !ok {
				known, ok = region[name]
			}
			if !ok || !known.source.AtLeast(rule.spec.MinimumSource) {
				unknown = append(unknown, name)
			}
		}
	}
	if len(unknown) == 0 {
		return "Its condition could not be evaluated, and what is not known never helps."
	}
	return fmt.Sprintf("Whether the rule applies depends on %s, which %s not known%s; what is not known never helps.",
		strings.Join(unknown, " and "), isOrAre(unknown), wellEnoughFact(rule.rule))
}

func wellEnoughFact(rule *rule) string {
	if rule.spec.MinimumSource == "" {
		return ""
	}
	return fmt.Sprintf(" well enough (%s)", rule.spec.MinimumSource)
}

func isOrAre(list []string) string {
	if len(list) > 1 {
		return "are"
	}
	return "is"
}

// builtIn notes one of Meridian's own denials.
func (a *answer) builtIn(rule, class string, facet fleet.Facet, region, reason string) {
	a.denied = true
	a.denials = append(a.denials, fleet.Finding{
		Policy: fleet.BuiltInPolicy, Rule: rule, Kind: fleet.RuleBuiltIn, Effect: fleet.EffectDenies,
		Class: class, Dataset: a.p.dataset, Facet: facet, Region: region, Reason: reason,
	})
}

// spoken denies where no rule surely speaks of a class: once for the place and
// its pair.
func (a *answer) spoken(class *spoken, facet int, place PlaceID) {
	if class.surely.Has(place) || slices.Contains(a.silent, class.class) {
		return
	}
	a.silent = append(a.silent, class.class)
	name, region := fleet.Facets[facet], a.p.compiled.catalog.names[place]
	if class.possibly.Has(place) {
		a.builtIn(fleet.RuleUnknownFact, class.class, name, region, fmt.Sprintf(
			"Whether any rule permits %s of %s at %s depends on facts that are not known.", name, class.class, a.p.compiled.catalog.titles[place]))
		return
	}
	a.builtIn(fleet.RuleNoRule, class.class, name, region, fmt.Sprintf(
		"No rule in force speaks about %s of %s at %s, and what no rule permits is denied.", name, class.class, a.p.compiled.catalog.titles[place]))
}

// unknownPair says why the second place of a geo-redundant store is not known.
func (c *Compiled) unknownPair(place PlaceID, named string) string {
	switch facts := c.catalog.places[place]; {
	case named != "":
		return fmt.Sprintf("A geo-redundant store is in two places, and no catalog has the second one, %s.", named)
	case facts.ReplicaPair != "":
		return fmt.Sprintf("A geo-redundant store is in two places, and no catalog has the pair of %s, %s/%s.", facts.Name(), facts.Provider, facts.ReplicaPair)
	default:
		return fmt.Sprintf("A geo-redundant store is in two places, and the pair of %s is not known.", facts.Name())
	}
}

func orNone(text string) string {
	if text == "" {
		return "(none given)"
	}
	return text
}
