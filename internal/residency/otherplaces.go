package residency

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// regionFacts offers facts of the place that, if they were known and so, would
// satisfy the rules about its operator, or settle conditions: those rules ask
// for, or else them with a value of one that a condition looks at.
func regionFacts(m matter, denials []denial) []change {
	wanted, rules := m.wantedFacts(denials)
	worlds := []world{{wanted, rules}}
	for _, doubt := range m.doubtedFacts(denials) {
		for _, value := range doubt.values {
			facts := maps.Clone(wanted)
			facts[doubt.name] = append([]string{}, distinctNames(append(slices.Clone(wanted[doubt.name]), value...))...)
			worlds = append(worlds, world{facts, distinctNames(append(slices.Clone(rules), doubt.rules...))})
		}
	}
	for _, one := range worlds {
		if len(one.facts) == 0 {
			continue
		}
		if offered := m.attesting(one.facts, one.rules); offered != nil {
			return offered
		}
	}
	return nil
}

// world is how the place might be known to be, and the rules that ask for it.
type world struct {
	facts map[string][]string
	rules []string
}

// attesting offers that the place is attested to have some facts, if that
// makes the matter allowed.
func (m matter) attesting(wanted map[string][]string, rules []string) []change {
	places := []string{m.question.Region}
	if _, pair := m.compiled.catalog.both(m.question.Region, m.question.GeoRedundant, m.question.Pair); pair != noPlace {
		places = append(places, m.compiled.catalog.names[pair])
	}
	after, ok := m.inOtherWorld(places, wanted)
	if !ok || !after.allowed() {
		return nil
	}
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		texts = append(texts, fmt.Sprintf("region.%s of %s is attested to be %s", name, strings.Join(places, " and "), plainValue(wanted[name])))
	}
	return []change{{fleet.Alternative{Kind: fleet.AlternativeFact, Text: "allowed if " + strings.Join(texts, ", and "), Rules: rules}, after}}
}

// doubt is a fact of the place that is not known well enough for conditions,
// with values that it may have.
type doubt struct {
	name   string // without its prefix
	values [][]string
	rules  []string
}

// mostValuesTried bounds how many values of a doubted fact are tried: the rules
// are compiled for each.
const mostValuesTried = 6

// doubtedFacts are the facts of the place that Region documents can add and
// that conditions of rules about what was asked look at in vain.
func (m matter) doubtedFacts(denials []denial) []doubt {
	place, known := m.compiled.catalog.ids[m.question.Region]
	if !known {
		return nil
	}
	var list []doubt
	for _, one := range denials {
		for _, rule := range m.rulesAsked(one.index) {
			for _, definition := range fleet.RegionFactNames {
				name := "region." + definition.Name
				if rule.when == nil || !slices.Contains(rule.when.regionFacts, name) || !rule.where.possibly.Has(place) || rule.where.surely.Has(place) {
					continue
				}
				if fact, ok := m.compiled.regionFacts[place]()[name]; !ok || !fact.source.AtLeast(rule.spec.MinimumSource) {
					list = noteDoubt(list, definition, rule, fact)
				}
			}
		}
	}
	return list
}

func noteDoubt(list []doubt, definition fleet.FactDefinition, rule *applied, known knownFact) []doubt {
	at := slices.IndexFunc(list, func(other doubt) bool { return other.name == definition.Name })
	if at < 0 {
		list = append(list, doubt{name: definition.Name})
		at = len(list) - 1
	}
	one := &list[at]
	values := rule.when.possible(definition)
	if known.value != nil { // known, but not well enough
		values = []any{known.native}
	}
	for _, value := range values {
		texts, _ := value.([]string)
		same := func(other []string) bool { return slices.Equal(other, texts) }
		if len(one.values) < mostValuesTried && !slices.ContainsFunc(one.values, same) {
			one.values = append(one.values, texts)
		}
	}
	one.rules = noteOnce(one.rules, rule.id)
	return list
}

// wantedFacts are the facts that the denying operator rules ask for and that
// are not known to be otherwise.
func (m matter) wantedFacts(denials []denial) (map[string][]string, []string) {
	wanted, rules := map[string][]string{}, []string{}
	add := func(name string, texts []string, rule *applied) {
		for _, text := range texts {
			if !slices.Contains(wanted[name], text) {
				wanted[name] = append(wanted[name], text)
			}
		}
		if len(texts) > 0 && !slices.Contains(rules, rule.id) {
			rules = append(rules, rule.id)
		}
	}
	place, known := m.compiled.catalog.ids[m.question.Region]
	if !known {
		return nil, nil
	}
	denying := rulesOf(denials, fleet.RuleOperator)
	for _, one := range denials {
		for _, rule := range m.rulesAsked(one.index) {
			if rule.kind != fleet.RuleOperator || !slices.Contains(denying, rule.id) {
				continue
			}
			add("certifications", rule.spec.Operator.Certifications, rule)
			if _, known := m.compiled.regionTexts(rule.rule, place, "supportedFrom"); !known && len(rule.spec.Operator.SupportedFrom) > 0 {
				add("supportedFrom", m.compiled.groups.someCountry(rule.spec.Operator.SupportedFrom), rule)
			}
		}
	}
	if has, ok := m.compiled.regionFacts[place]()["region.certifications"]; ok && len(wanted["certifications"]) > 0 {
		list, _ := has.value.Value().([]string)
		wanted["certifications"] = append(slices.Clone(list), slices.DeleteFunc(wanted["certifications"], func(text string) bool { return slices.Contains(list, text) })...)
	}
	return wanted, rules
}

// someCountry is one country of a list of countries and groups.
func (r *resolver) someCountry(list []string) []string {
	for _, name := range list {
		if countryCodes[name] != nil {
			return []string{name}
		}
		if members := slices.Sorted(maps.Keys(r.members(name).countries)); len(members) > 0 {
			return members[:1]
		}
	}
	return nil
}

// inOtherWorld is the matter where places had other facts.
func (m matter) inOtherWorld(places []string, facts map[string][]string) (matter, bool) {
	old := m.compiled.catalog
	var regions []fleet.RegionFacts
	for id, region := range old.places {
		if !old.clouds.Has(PlaceID(id)) {
			continue
		}
		if slices.Contains(places, region.Name()) {
			region.Facts = maps.Clone(region.Facts)
			for name, texts := range facts {
				raw, err := json.Marshal(texts)
				if err != nil {
					return m, false
				}
				if region.Facts == nil {
					region.Facts = map[string]fleet.DataFact{}
				}
				region.Facts[name] = fleet.DataFact{Value: raw, Source: fleet.SourceAttested}
			}
		}
		regions = append(regions, region)
	}
	catalog, err := NewCatalog(regions)
	if err != nil {
		return m, false
	}
	compiled, err := m.compiled.book.Compile(catalog, m.compiled.at)
	if err != nil {
		return m, false
	}
	return m.under(compiled), true
}

// under is the matter judged by other rules.
func (m matter) under(compiled *Compiled) matter {
	m.compiled, m.parts = compiled, slices.Clone(m.parts)
	prepared := map[*Prepared]*Prepared{}
	for i := range m.parts {
		old := m.parts[i].prepared
		if prepared[old] == nil {
			prepared[old] = compiled.Prepare(old.subject)
		}
		m.parts[i].prepared = prepared[old]
	}
	return m
}

// instruments offers legal instruments to conclude.
func instruments(m matter, denials []denial) []change {
	return combined(m, denials, fleet.AlternativeInstrument, instrumentsFor)
}

// instrumentsFor finds, for a part, one instrument that makes it allowed, or
// one for each policy that asks for one.
func instrumentsFor(m matter, one denial) []option {
	candidates := m.candidates(one)
	if len(candidates) == 0 {
		return nil
	}
	var found []option
	for _, list := range candidates {
		for _, candidate := range list {
			found = m.conclude(found, one, []papers{candidate})
		}
	}
	if len(found) > 0 || len(candidates) == 1 {
		return found
	}
	var together []papers
	for _, list := range candidates {
		together = append(together, list[0])
	}
	return m.conclude(nil, one, together)
}

// papers is an instrument that might be concluded for a rule.
type papers struct {
	fleet.Instrument
	rule string
}

// candidates are the instruments that denying transfer rules ask for, by
// policy.
func (m matter) candidates(one denial) [][]papers {
	place, known := m.compiled.catalog.Region(m.question.Region)
	if !known {
		return nil
	}
	denying := rulesOf([]denial{one}, fleet.RuleTransferIf)
	var policies []string
	var found [][]papers
	for _, rule := range m.rulesAsked(one.index) {
		transfer := rule.spec.TransferIf
		if transfer == nil || transfer.Basis == fleet.BasisAdequacy || !slices.Contains(denying, rule.id) {
			continue
		}
		candidate := papers{fleet.Instrument{Name: string(transfer.Basis), Basis: transfer.Basis, Source: fleet.SourceAttested}, rule.id}
		if len(transfer.Counterparties) > 0 {
			if !slices.Contains(transfer.Counterparties, place.Operator) {
				continue
			}
			candidate.Counterparty = place.Operator
		}
		at := slices.Index(policies, rule.policy.name)
		if at < 0 {
			at, policies, found = len(policies), append(policies, rule.policy.name), append(found, nil)
		}
		if !slices.Contains(found[at], candidate) {
			found[at] = append(found[at], candidate)
		}
	}
	return found
}

// conclude adds an option with instruments, if they make the part allowed.
func (m matter) conclude(found []option, one denial, list []papers) []option {
	made := option{subject: m.parts[one.index].prepared.subject}
	made.subject.Instruments = slices.Clone(made.subject.Instruments)
	var texts []string
	for _, candidate := range list {
		made.subject.Instruments = append(made.subject.Instruments, candidate.Instrument)
		text := strings.ReplaceAll(string(candidate.Basis), "-", " ")
		if candidate.Counterparty != "" {
			text += " with " + candidate.Counterparty
		}
		if !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
		made.rules = append(made.rules, candidate.rule)
	}
	made.text = "with " + strings.Join(texts, " and ") + m.about(one.index)
	for _, other := range found {
		if other.text == made.text {
			return found
		}
	}
	if m.with(one.index, made.subject).verdict(one.index).Allowed {
		return append(found, made)
	}
	return found
}
