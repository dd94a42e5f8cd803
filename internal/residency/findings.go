package residency

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// notes remember what is to be said of a rule at a place, so that it is put
// into words once.
type notes struct{ permits, refuses remembered[fleet.Finding] }

// finding is what is to be said of a rule that has its say at a place. Only
// where it does not mention the data is it remembered for all data.
func (p *Prepared) finding(rule *applied, facet int, place PlaceID, effect fleet.Effect, a *asked) fleet.Finding {
	list := &rule.notes.permits
	if effect == fleet.EffectDenies {
		list = &rule.notes.refuses
	}
	var finding fleet.Finding
	if rule.mentionsData() || !a.simpleFor(rule.clause) {
		finding = p.compiled.finding(p, rule, place, effect, a)
	} else if found := list.at(place); found != nil {
		finding = *found
	} else {
		made := p.compiled.finding(p, rule, place, effect, a)
		list.keep(place, &made) // and leave it as it is: others read it from now on
		finding = made
	}
	finding.Class, finding.Facet = rule.class, fleet.Facets[facet]
	return finding
}

// mentionsData reports whether the findings of a rule depend on the data.
func (cl *clause) mentionsData() bool {
	return cl.kind == fleet.RuleRequireCopy || cl.kind == fleet.RuleTransferIf && cl.spec.TransferIf.Basis != fleet.BasisAdequacy ||
		cl.when != nil && len(cl.when.dataFacts) > 0
}

// simpleFor reports whether a rule cannot tell the question from one about one
// hypothetical place that nothing leaves: then the view has the answer.
func (a *asked) simpleFor(cl *clause) bool {
	switch cl.kind {
	case fleet.RuleAllowOnly:
		return a.source == "" || cl.spec.MinimumSource == ""
	case fleet.RuleRequireCopy:
		return a.alone && (a.source == "" || cl.spec.MinimumSource == "")
	}
	return true
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
		Class: class, Facet: facet, Region: region, Reason: reason,
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

func unknownPlace(name string) string {
	return "No catalog has the place " + orNone(name) + ", so nothing is known of it."
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
