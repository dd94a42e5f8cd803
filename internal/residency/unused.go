package residency

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// unused finds rules and groups that can never matter, and names of places
// nobody has.
func (r *Rulebook) unused(catalog *Catalog) []fleet.PolicyWarning {
	var list []fleet.PolicyWarning
	warn := func(rules []string, format string, args ...any) {
		list = append(list, fleet.PolicyWarning{Kind: fleet.WarningUnused, Message: fmt.Sprintf(format, args...), Rules: rules})
	}
	mentions := &mentions{groups: map[string][]string{}, places: map[string][]string{}}
	for _, history := range r.policies {
		law := history.versions[len(history.versions)-1]
		subjects := r.checkClasses(law, warn)
		for _, rule := range law.rules {
			mentions.rule(rule)
			r.checkRule(rule, subjects, warn)
		}
	}
	for _, group := range r.groups {
		for _, member := range group.spec.Members {
			if member.Group != "" {
				mentions.group("group "+group.name, member.Group)
			}
		}
	}
	r.checkMentions(mentions, catalog, warn)
	return list
}

type warnFunc func(rules []string, format string, args ...any)

// checkClasses warns of classes nobody declared, and returns the declared ones
// a policy is about.
func (r *Rulebook) checkClasses(law *policyVersion, warn warnFunc) []string {
	var subjects []string
	for _, name := range r.names {
		all, missing := r.ancestors(name)
		if containsAny(append(all, missing...), law.spec.AppliesTo.Classes) {
			subjects = append(subjects, name)
		}
	}
	for _, class := range law.spec.AppliesTo.Classes {
		if _, declared := r.classes[class]; !declared {
			warn(nil, "The policy %s is about the data class %s, which nobody declared%s.", law.name, class, orHint(didYouMean(class, r.names)))
		}
	}
	return subjects
}

func orHint(hint string) string {
	if hint == "" {
		return ""
	}
	return " (" + hint + ")"
}

func (r *Rulebook) checkRule(rule *rule, subjects []string, warn warnFunc) {
	about := []string{rule.id}
	switch {
	case !rule.ended.IsZero() && !rule.ended.After(rule.began):
		warn(about, "%s is never in force: its period is outside of its policy's.", rule.id)
	case len(subjects) > 0 && len(rule.spec.Classes) > 0 && !slices.ContainsFunc(subjects, func(name string) bool {
		all, missing := r.ancestors(name)
		return containsAny(append(all, missing...), rule.spec.Classes)
	}):
		warn(about, "%s never applies: no declared class is both of its policy's and of %s.", rule.id, strings.Join(rule.spec.Classes, ", "))
	case rule.when != nil && len(rule.when.dataFacts)+len(rule.when.regionFacts) == 0 && !slices.ContainsFunc(rule.spec.Facets, func(facet fleet.Facet) bool {
		return rule.when.decide(&situation{facet: facet}) != untrue
	}):
		warn(about, "%s never applies: its condition is never true.", rule.id)
	}
}

// mentions are the names documents use, with who uses them.
type mentions struct {
	groups map[string][]string
	places map[string][]string // regions, providers, partitions, operators: by kind and name
}

func (m *mentions) group(by, name string) { m.groups[name] = noteOnce(m.groups[name], by) }

func (m *mentions) place(by, kind, name string) {
	m.places[kind+" "+name] = noteOnce(m.places[kind+" "+name], by)
}

func noteOnce(list []string, name string) []string {
	if slices.Contains(list, name) {
		return list
	}
	return append(list, name)
}

func (m *mentions) rule(rule *rule) {
	spec := rule.spec
	if spec.AllowOnly != nil {
		m.scope(rule.id, spec.AllowOnly)
	}
	if spec.RequireCopy != nil {
		m.scope(rule.id, &spec.RequireCopy.In)
	}
	if spec.TransferIf != nil {
		m.scope(rule.id, spec.TransferIf.Home)
		m.scope(rule.id, &spec.TransferIf.To)
	}
	if spec.Obligation != nil {
		m.scope(rule.id, spec.Obligation.Inside)
		m.scope(rule.id, spec.Obligation.Outside)
	}
	if spec.Operator != nil {
		for _, list := range [][]string{spec.Operator.NotControlledFrom, spec.Operator.OnlyControlledFrom, spec.Operator.SupportedFrom} {
			for _, name := range list {
				if countryCodes[name] == nil {
					m.group(rule.id, name)
				}
			}
		}
		for _, name := range append(slices.Clone(spec.Operator.Partitions), spec.Operator.NotPartitions...) {
			m.place(rule.id, "partition", name)
		}
		for _, name := range spec.Operator.Operators {
			m.place(rule.id, "operator", name)
		}
	}
}

func (m *mentions) scope(by string, scope *fleet.Scope) {
	if scope == nil {
		return
	}
	for _, name := range scope.Groups {
		m.group(by, name)
	}
	for kind, names := range map[string][]string{"region": scope.Regions, "provider": scope.Providers, "partition": scope.Partitions} {
		for _, name := range names {
			m.place(by, kind, name)
		}
	}
	m.scope(by, scope.Except)
}

// checkMentions warns of groups nobody declared or uses, and of places that no
// catalog has.
func (r *Rulebook) checkMentions(used *mentions, catalog *Catalog, warn warnFunc) {
	declared := slices.Sorted(maps.Keys(r.groups))
	for _, name := range slices.Sorted(maps.Keys(used.groups)) {
		if r.groups[name] == nil {
			warn(rulesIn(used.groups[name]), "Nobody declared the group %s, which %s names%s: it permits nothing.",
				name, strings.Join(used.groups[name], " and "), orHint(didYouMean(name, declared)))
		}
	}
	for _, name := range declared {
		if len(used.groups[name]) == 0 {
			warn(nil, "No rule and no other group names the group %s.", name)
		}
	}
	if catalog == nil {
		return
	}
	known := catalog.mentioned()
	for _, kindAndName := range slices.Sorted(maps.Keys(used.places)) {
		kind, name, _ := strings.Cut(kindAndName, " ")
		if !known[kind][name] {
			warn(used.places[kindAndName], "No catalog has the %s %s, which %s names%s.", kind, name,
				strings.Join(used.places[kindAndName], " and "), orHint(closest(name, slices.Sorted(maps.Keys(known[kind])))))
		}
	}
}

// closest is didYouMean without a list of all there are.
func closest(name string, known []string) string {
	if hint := didYouMean(name, known); strings.HasPrefix(hint, "did you mean") {
		return hint
	}
	return ""
}

// rulesIn are the rules among those that name something.
func rulesIn(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return strings.HasPrefix(name, "group ") })
}

// mentioned are the names rules can use for places, by kind.
func (c *Catalog) mentioned() map[string]map[string]bool {
	known := map[string]map[string]bool{"region": {}, "provider": {}, "partition": {}, "operator": {}}
	for _, place := range c.places {
		known["region"][place.Name()] = true
		known["provider"][place.Provider] = true
		known["partition"][place.Partition] = true
		known["operator"][place.Operator] = true
	}
	return known
}

// style finds what people will miss.
func (r *Rulebook) style() []fleet.PolicyWarning {
	var list []fleet.PolicyWarning
	for _, history := range r.policies {
		law := history.versions[len(history.versions)-1]
		var uncited []string
		for _, rule := range law.rules {
			if strings.TrimSpace(rule.spec.Cites) == "" {
				uncited = append(uncited, rule.id)
			}
		}
		if len(uncited) > 0 {
			list = append(list, fleet.PolicyWarning{Kind: fleet.WarningStyle, Rules: uncited,
				Message: fmt.Sprintf("%s: no citation, so a verdict cannot say what it rests on.", strings.Join(uncited, ", "))})
		}
		if len(law.spec.NotCovered) == 0 {
			list = append(list, fleet.PolicyWarning{Kind: fleet.WarningStyle,
				Message: fmt.Sprintf("The policy %s does not say what it leaves out (notCovered).", law.name)})
		}
	}
	return list
}
