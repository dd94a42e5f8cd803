package residency

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// mostFactsTried bounds how many unknown facts are tried together.
const mostFactsTried = 6

// option is a change to one part by which it is allowed.
type option struct {
	text    string
	regions []string
	rules   []string
	subject Subject
}

// combined turns the options of each denied part into changes: any one where a
// single part is denied, else the first of each part together.
func combined(m matter, denials []denial, kind fleet.AlternativeKind, find func(matter, denial) []option) []change {
	if len(denials) == 0 {
		return nil
	}
	if len(denials) == 1 {
		var list []change
		for _, found := range find(m, denials[0]) {
			if after := m.with(denials[0].index, found.subject); after.allowed() {
				list = append(list, change{fleet.Alternative{Kind: kind, Text: "allowed " + found.text, Regions: found.regions, Rules: found.rules}, after})
			}
		}
		return list
	}
	together := change{Alternative: fleet.Alternative{Kind: kind}, after: m}
	var texts []string
	for _, one := range denials {
		if one = together.after.denial(one.index); one.verdict.Allowed {
			continue // by what another part needs, too
		}
		found := find(together.after, one)
		if len(found) == 0 {
			return nil
		}
		together.after = together.after.with(one.index, found[0].subject)
		texts = append(texts, found[0].text)
		together.Regions, together.Rules = append(together.Regions, found[0].regions...), append(together.Rules, found[0].rules...)
	}
	if !together.after.allowed() {
		return nil
	}
	together.Text = "allowed " + strings.Join(texts, ", and ")
	return []change{together}
}

// factsKnown offers facts to learn or to attest: of the data, else of the
// place.
func factsKnown(m matter, denials []denial) []change {
	return append(combined(m, denials, fleet.AlternativeFact, dataFacts), regionFacts(m, denials)...)
}

// missing is a fact of the data that is not known well enough, and the values
// it might have.
type missing struct {
	name    string // without its prefix
	minimum fleet.FactSource
	values  []any
	written []string // texts that conditions compare it with
	local   bool     // some condition looks at the place, too
	other   any      // a value that stands for all that are not written; nil: there is none
	rules   []string
}

// dataFacts finds values of unknown facts that make a part allowed: of one
// fact, or else of two together.
func dataFacts(m matter, one denial) []option {
	unknown := m.unknownFacts(one)
	var found []option
	for i, fact := range unknown {
		if made, ok := m.tryFacts(one, unknown[i:i+1]); ok {
			made.rules = fact.rules
			found = append(found, made)
		}
	}
	for i := 0; i < len(unknown) && len(found) == 0; i++ {
		for j := i + 1; j < len(unknown) && len(found) == 0; j++ {
			if made, ok := m.tryFacts(one, []missing{unknown[i], unknown[j]}); ok {
				made.rules = slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(unknown[i].rules), unknown[j].rules...))))
				found = append(found, made)
			}
		}
	}
	return found
}

// tryFacts sets one or two facts to each of their values.
func (m matter) tryFacts(one denial, facts []missing) (option, bool) {
	var good []any
	var first Subject
	for _, value := range facts[0].values {
		subject := withFact(m.parts[one.index].prepared.subject, facts[0], value)
		if len(facts) > 1 {
			second, ok := m.with(one.index, subject).tryFacts(one, facts[1:])
			if !ok {
				continue
			}
			return option{text: fmt.Sprintf("if %s, and %s", facts[0].is(value), strings.TrimPrefix(second.text, "if ")), subject: second.subject}, true
		}
		if m.with(one.index, subject).verdict(one.index).Allowed {
			if len(good) == 0 {
				first = subject
			}
			good = append(good, value)
		}
	}
	return option{text: "if " + facts[0].is(good...) + m.about(one.index), subject: first}, len(good) > 0
}

// is says that the fact has one of some values.
func (f missing) is(values ...any) string {
	how := "known"
	if f.minimum != "" {
		how = string(f.minimum)
	}
	texts := make([]string, len(values))
	for i, value := range values {
		texts[i] = f.plain(value)
	}
	return fmt.Sprintf("data.%s is %s to be %s", f.name, how, strings.Join(texts, " or "))
}

// withFact is a subject with one fact known as well as can be.
func withFact(subject Subject, fact missing, value any) Subject {
	raw, err := json.Marshal(value)
	if err != nil {
		return subject
	}
	subject.Facts = maps.Clone(subject.Facts)
	if subject.Facts == nil {
		subject.Facts = map[string]fleet.DataFact{}
	}
	subject.Facts[fact.name] = fleet.DataFact{Value: raw, Source: fleet.SourceAttested}
	return subject
}

// unknownFacts are the facts that are not known well enough for rules about
// what was asked.
func (m matter) unknownFacts(one denial) []missing {
	p := m.parts[one.index].prepared
	var list []missing
	for _, rule := range m.rulesAsked(one.index) {
		if rule.when == nil {
			continue
		}
		for _, name := range rule.when.dataFacts {
			known, ok := p.facts[name]
			definition, documented := definitionOf(fleet.DataFacts, strings.TrimPrefix(name, "data."))
			if ok && known.source.AtLeast(rule.spec.MinimumSource) || !documented {
				continue
			}
			list = noteMissing(list, definition, rule, known)
		}
	}
	list = list[:min(len(list), mostFactsTried)]
	for i := range list {
		if definition, _ := definitionOf(fleet.DataFacts, list[i].name); definition.Values == nil {
			list[i].freely(definition, m.countriesAsked())
		}
	}
	return list
}

// rulesAsked are the rules about a part under its facet and, of a
// geo-redundant store, as a replica.
func (m matter) rulesAsked(index int) []*applied {
	var rules []*applied
	facets := []int{facetIndex(m.parts[index].facet)}
	if m.question.GeoRedundant {
		facets = append(facets, replicaIndex)
	}
	for _, facet := range facets {
		if facet < 0 {
			continue
		}
		v := m.parts[index].prepared.view(facet)
		for i := range v.plain {
			rules = append(rules, &v.plain[i])
		}
		for i := range v.groups {
			for j := range v.groups[i].rules {
				rules = append(rules, &v.groups[i].rules[j])
			}
		}
	}
	return rules
}

func noteMissing(list []missing, definition fleet.FactDefinition, rule *applied, known knownFact) []missing {
	at := slices.IndexFunc(list, func(fact missing) bool { return fact.name == definition.Name })
	if at < 0 {
		list = append(list, missing{name: definition.Name})
		at = len(list) - 1
	}
	fact := &list[at]
	if !fact.minimum.AtLeast(rule.spec.MinimumSource) {
		fact.minimum = rule.spec.MinimumSource
	}
	if known.value != nil { // known, but not well enough
		fact.values = append(fact.values, known.native)
	} else {
		fact.values = append(fact.values, rule.when.possible(definition)...)
		fact.written = append(fact.written, rule.when.texts...)
		fact.local = fact.local || len(rule.when.regionFacts) > 0
	}
	fact.values = distinct(fact.values)
	if !slices.Contains(fact.rules, rule.id) {
		fact.rules = append(fact.rules, rule.id)
	}
	return list
}

func distinct(values []any) []any {
	var list []any
	for _, value := range values {
		if !slices.ContainsFunc(list, func(other any) bool { return plainValue(other) == plainValue(value) }) {
			list = append(list, value)
		}
	}
	return list
}

// possible are values of a fact that a condition may tell apart: all there
// are, or those written in it and their neighbours.
func (e *expression) possible(definition fleet.FactDefinition) []any {
	var values []any
	switch {
	case definition.Type == fleet.FactTruth:
		return []any{false, true}
	case definition.Type == fleet.FactNumber:
		values = append(values, int64(0))
		for _, number := range e.numbers {
			values = append(values, number-1, number, number+1)
		}
	case definition.Type == fleet.FactTexts:
		values = append(values, []string{})
		for _, text := range e.texts {
			values = append(values, []string{text})
		}
		if len(e.texts) > 1 {
			values = append(values, e.texts)
		}
	case definition.Values != nil:
		for _, text := range definition.Values {
			values = append(values, text)
		}
	default:
		for _, text := range e.texts {
			values = append(values, text)
		}
	}
	return slices.DeleteFunc(values, func(value any) bool { return len(checkFactValue(definition, value)) > 0 || value == int64(-1) })
}
