package casefile

import (
	"cmp"
	"slices"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// coverage counts what cases exercise, by POLICY/RULE.
type coverage map[string]*RuleCoverage

func newCoverage(rules []rule) coverage {
	c := coverage{}
	for _, rule := range rules {
		if c[rule.id] == nil {
			c[rule.id] = &RuleCoverage{Rule: rule.id, Position: rule.position}
		}
	}
	return c
}

// count notes the rules that had a part in a verdict, each once.
func (c coverage) count(verdict fleet.Verdict) {
	for _, id := range effects(verdict, fleet.EffectDenies) {
		c.add(id, func(rule *RuleCoverage) { rule.Denied++ })
	}
	for _, id := range effects(verdict, fleet.EffectAllows) {
		c.add(id, func(rule *RuleCoverage) { rule.Permitted++ })
	}
	for _, id := range effects(verdict, fleet.EffectSuspended) {
		c.add(id, func(rule *RuleCoverage) { rule.Suspended++ })
	}
	for _, id := range append(obligations(verdict, false), obligations(verdict, true)...) {
		c.add(id, func(rule *RuleCoverage) { rule.Obliged++ })
	}
}

func (c coverage) add(id string, to func(*RuleCoverage)) {
	if rule := c[id]; rule != nil { // built-in rules have nobody to cover them
		rule.Exercised = true
		to(rule)
	}
}

// sorted lists the rules where they stand in their files.
func (c coverage) sorted() []RuleCoverage {
	all := make([]RuleCoverage, 0, len(c))
	for _, rule := range c {
		all = append(all, *rule)
	}
	slices.SortFunc(all, func(a, b RuleCoverage) int {
		return cmp.Or(cmp.Compare(a.Position.File, b.Position.File), cmp.Compare(a.Position.Line, b.Position.Line), cmp.Compare(a.Rule, b.Rule))
	})
	return all
}

// effects lists the rules, POLICY/RULE, with an effect in a verdict.
func effects(verdict fleet.Verdict, effect fleet.Effect) []string {
	var ids []string
	for _, finding := range verdict.Findings {
		if finding.Effect == effect {
			ids = append(ids, finding.ID())
		}
	}
	return set(ids)
}

// obligations lists the rules, POLICY/RULE, whose obligations a verdict has.
func obligations(verdict fleet.Verdict, unsure bool) []string {
	var ids []string
	for _, obligation := range verdict.Obligations {
		if obligation.Unsure == unsure {
			ids = append(ids, obligation.Policy+"/"+obligation.Rule)
		}
	}
	return set(ids)
}

// exceptionNames lists the exceptions that touched a verdict.
func exceptionNames(verdict fleet.Verdict) []string {
	var names []string
	for _, exception := range verdict.Exceptions {
		names = append(names, exception.Name)
	}
	return set(names)
}

// set sorts names and leaves each there once.
func set(names []string) []string {
	sorted := slices.Clone(names)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}
