package residency

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

var (
	ruleName  = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`)
	className = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`)
)

// ValidateGroup finds the faults of a jurisdiction group.
func ValidateGroup(spec fleet.JurisdictionGroupSpec) []Problem {
	var found problems
	if spec.Version == "" {
		found.add("spec.version", "verdicts name the version they rest on", "is missing")
	}
	if len(spec.Members) == 0 {
		found.add("spec.members", "list countries or other groups", "has no members")
	}
	for i, member := range spec.Members {
		field := indexed("spec.members", i)
		switch {
		case member.Country == "" && member.Group == "":
			found.add(field, "give country or group", "names nobody")
		case member.Country != "" && member.Group != "":
			found.add(field, "make two members of them", "names both a country and a group")
		case member.Country != "":
			found.country(field+".country", member.Country)
		}
		found.period(field, fleet.Period{From: member.From, Until: member.Until}, time.UTC)
	}
	found.sources(spec.Sources)
	return found
}

// ValidateClass finds the faults of a data class.
func ValidateClass(spec fleet.DataClassSpec) []Problem {
	var found problems
	found.classes("spec.inherits", spec.Inherits)
	return found
}

// ValidateRegionFacts finds the faults of a Region document's facts.
func ValidateRegionFacts(facts map[string]fleet.DataFact) []Problem {
	var found problems
	found.facts(facts, fleet.RegionFactNames)
	return found
}

// ValidateException finds the faults of an exception.
func ValidateException(spec fleet.ExceptionSpec) []Problem {
	var found problems
	found.needed("spec.policy", spec.Policy)
	found.needed("spec.rule", spec.Rule)
	if spec.Policy == fleet.BuiltInPolicy {
		found.add("spec.policy", "declare the class, the dataset or a rule instead", "Meridian's own rules cannot be suspended")
	}
	if kinds := []fleet.Kind{fleet.KindDataset, fleet.KindWorkload}; !slices.Contains(kinds, spec.Subject.Kind) {
		found.add("spec.subject.kind", "one of Dataset, Workload", "%q can have no exception", spec.Subject.Kind)
	}
	found.needed("spec.subject.name", spec.Subject.Name)
	found.facets("spec.facets", spec.Facets, true)
	found.scope("spec.scope", spec.Scope)
	if spec.Until == "" {
		found.add("spec.until", "every exception ends", "is missing")
	}
	found.period("spec", spec.Period, time.UTC)
	if strings.TrimSpace(spec.Reason) == "" {
		found.add("spec.reason", "say why the risk is taken", "is missing")
	}
	return found
}

func (p *problems) needed(field, text string) {
	if strings.TrimSpace(text) == "" {
		p.add(field, "", "is missing")
	}
}

// country checks an ISO 3166-1 alpha-2 code.
func (p *problems) country(field, code string) {
	if countryCodes[code] != nil {
		return
	}
	p.add(field, countryLike(code), "%q is no ISO 3166-1 country", code)
}

// countryLike suggests a code for what was written instead of one.
func countryLike(text string) string {
	upper := strings.ToUpper(text)
	if right, mistaken := mistakenCodes[upper]; mistaken {
		return "did you mean " + right + "?"
	}
	for _, country := range countries {
		if country.code == upper || len(text) > 2 && strings.EqualFold(country.name, text) {
			return "did you mean " + country.code + "?"
		}
	}
	if len(text) == 2 {
		return "two letters, such as DE; a group of countries is listed under groups"
	}
	return "two letters, such as DE"
}

// classes checks names of data classes.
func (p *problems) classes(field string, names []string) {
	for i, name := range names {
		switch {
		case !className.MatchString(name):
			p.add(indexed(field, i), "small letters, digits and hyphens, parted by dots, like personal.eu", "%q is no name of a data class", name)
		case slices.Index(names, name) < i:
			p.add(indexed(field, i), "", "%q is listed twice", name)
		}
	}
}

// facets checks a list of facets.
func (p *problems) facets(field string, facets []fleet.Facet, needed bool) {
	if needed && len(facets) == 0 {
		p.add(field, "one or more of "+strings.Join(facetNames, ", "), "is missing")
	}
	for i, facet := range facets {
		switch {
		case facetIndex(facet) < 0:
			p.add(indexed(field, i), didYouMean(string(facet), facetNames), "%q is no facet", facet)
		case slices.Index(facets, facet) < i:
			p.add(indexed(field, i), "", "%q is listed twice", facet)
		}
	}
}

// period checks both ends of a period and their order.
func (p *problems) period(field string, period fleet.Period, zone *time.Location) {
	began, noBeginning := Begins(period, zone)
	ended, noEnd := Ends(period, zone)
	if noBeginning != nil {
		p.wrong(field+".from", noBeginning)
	}
	switch {
	case noEnd != nil:
		p.wrong(field+".until", noEnd)
	case noBeginning == nil && !ended.IsZero() && !ended.After(began):
		p.add(field+".until", "", "ends before it begins (%s)", period.From)
	}
}

// wrong adds an error of this package as a problem.
func (p *problems) wrong(field string, err error) {
	problem := Problem{Field: field, Message: err.Error()}
	if fault := (*fleet.Error)(nil); errors.As(err, &fault) {
		problem.Message, problem.Hint = fault.Message, fault.Hint
	}
	*p = append(*p, problem)
}

// place checks the name of a place; catalogs say whether it exists.
func (p *problems) place(field, name string) {
	provider, id, ok := fleet.SplitRegion(name)
	switch {
	case !ok:
		p.add(field, "PROVIDER/ID like aws/eu-central-1, or country/XX", "%q is no place", name)
	case provider == countryProvider:
		p.country(field, id)
	}
}

// source checks where a fact is said to come from.
func (p *problems) source(field string, source fleet.FactSource) {
	if source != "" && !slices.Contains(fleet.FactSources, source) {
		p.add(field, didYouMean(string(source), texts(fleet.FactSources)), "%q is no source of a fact", source)
	}
}

func (p *problems) sources(sources []fleet.Source) {
	for i, source := range sources {
		p.needed(indexed("spec.sources", i)+".title", source.Title)
	}
}

// facts checks facts against the documented ones.
func (p *problems) facts(facts map[string]fleet.DataFact, definitions []fleet.FactDefinition) {
	names := make([]string, 0, len(facts))
	for name := range facts {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		p.fact("spec.facts."+name, name, facts[name], definitions)
	}
}

func (p *problems) fact(field, name string, fact fleet.DataFact, definitions []fleet.FactDefinition) {
	definition, ok := definitionOf(definitions, name)
	if !ok {
		p.add(field, didYouMean(name, definitionNames(definitions)), "there is no fact %q", name)
		return
	}
	p.source(field+".source", fact.Source)
	p.period(field, fleet.Period{From: fact.From, Until: fact.Until}, time.UTC)
	value, err := factValue(definition, fact.Value)
	if err != nil {
		p.wrong(field+".value", err)
		return
	}
	for _, fault := range checkFactValue(definition, value) {
		hint := "ISO 3166-1 codes like DE"
		if text, ok := value.(string); ok && definition.Values != nil {
			hint = didYouMean(text, definition.Values)
		}
		p.add(field+".value", hint, "%s", fault)
	}
}

// texts converts a list of names of any kind.
func texts[T ~string](names []T) []string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = string(name)
	}
	return list
}
