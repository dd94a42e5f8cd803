package residency

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Judge is Explain with, for a denial, the nearest changes that would make it
// a yes: the smallest first, each of them judged before it is offered.
func (c *Compiled) Judge(p *Prepared, q fleet.Question) fleet.Verdict {
	verdict := owned(c.Explain(p, q), p.dataset)
	if !verdict.Allowed {
		verdict.Alternatives = alternativesOf(c.matter(p, q))
	}
	return verdict
}

func (c *Compiled) matter(p *Prepared, q fleet.Question) matter {
	return matter{compiled: c, question: q, parts: []part{{p, q.Facet}}, subject: p.subject.Ref}
}

func (c *Compiled) workloadAlternatives(workload fleet.Ref, uses []Use, exceptions []Exception, verdict fleet.Verdict) []fleet.Alternative {
	m := matter{compiled: c, question: verdict.Question, subject: workload, exceptions: exceptions}
	for _, use := range uses {
		for _, facet := range use.facets() {
			if verdict.Facet == "" || verdict.Facet == facet {
				m.parts = append(m.parts, part{use.Prepared, facet})
			}
		}
	}
	return alternativesOf(m)
}

// matter is what was denied: one question, or everything a workload does.
type matter struct {
	compiled   *Compiled
	question   fleet.Question
	parts      []part
	subject    fleet.Ref   // whom an exception would be for
	exceptions []Exception // a workload's own
}

// part is one subject and what is done to it.
type part struct {
	prepared *Prepared
	facet    fleet.Facet
}

// change is something that might make a denial a yes, and the matter after it.
type change struct {
	fleet.Alternative
	after matter
}

// alternativesOf are the changes that do make the matter allowed.
func alternativesOf(m matter) []fleet.Alternative {
	var list []fleet.Alternative
	for _, offered := range changes(m) {
		list = append(list, offered.Alternative)
	}
	return list
}

func changes(m matter) []change {
	denials := m.denials()
	var list []change
	for _, find := range []func(matter, []denial) []change{withoutPair, factsKnown, instruments, moreCopies, elsewhere, excepted} {
		list = append(list, find(m, denials)...)
	}
	return list
}

// denial is a part that is denied, with what denies it.
type denial struct {
	index    int
	verdict  fleet.Verdict
	findings []fleet.Finding
}

func (m matter) verdict(index int) fleet.Verdict {
	q := m.question
	q.Facet = m.parts[index].facet
	return m.compiled.explain(m.parts[index].prepared, q, m.suspensions())
}

func (m matter) suspensions() []suspension {
	if len(m.exceptions) == 0 {
		return nil
	}
	return m.compiled.inForce(m.exceptions, m.subject)
}

func (m matter) denials() []denial {
	var list []denial
	for i := range m.parts {
		if one := m.denial(i); !one.verdict.Allowed {
			list = append(list, one)
		}
	}
	return list
}

// denial of a part: without findings where it is allowed.
func (m matter) denial(index int) denial {
	one := denial{index: index, verdict: m.verdict(index)}
	for _, finding := range one.verdict.Findings {
		if finding.Effect == fleet.EffectDenies {
			one.findings = append(one.findings, finding)
		}
	}
	return one
}

func (m matter) allowed() bool {
	for i := range m.parts {
		if !m.verdict(i).Allowed {
			return false
		}
	}
	return true
}

// with is the matter with another subject in place of a part's, wherever it
// is part of the matter.
func (m matter) with(index int, subject Subject) matter {
	old, prepared := m.parts[index].prepared, m.compiled.Prepare(subject)
	m.parts = slices.Clone(m.parts)
	for i := range m.parts {
		if m.parts[i].prepared == old {
			m.parts[i].prepared = prepared
		}
	}
	return m
}

// rulesOf are the rules of denials, each once, of one kind or of all.
func rulesOf(denials []denial, kind fleet.RuleKind) []string {
	var rules []string
	for _, one := range denials {
		for _, finding := range one.findings {
			if (kind == "" || finding.Kind == kind) && !slices.Contains(rules, finding.ID()) {
				rules = append(rules, finding.ID())
			}
		}
	}
	return rules
}

// about says of which data an alternative is, where that is not plain.
func (m matter) about(index int) string {
	name := m.parts[index].prepared.dataset
	if len(m.parts) == 1 || name == "" {
		return ""
	}
	return " for " + name
}

// withoutPair gives up geo-redundancy.
func withoutPair(m matter, denials []denial) []change {
	if !m.question.GeoRedundant {
		return nil
	}
	after := m
	after.question.GeoRedundant, after.question.Pair = false, ""
	if !after.allowed() {
		return nil
	}
	text := fmt.Sprintf("allowed without geo-redundancy, in %s alone", m.question.Region)
	return []change{{fleet.Alternative{Kind: fleet.AlternativeNoPair, Text: text, Rules: rulesOf(denials, "")}, after}}
}

// elsewhere asks the same about every other place, the nearest first. Instead
// of a country it offers countries, and regions unless people look at data
// from there; instead of a region countries only where no region will do.
func elsewhere(m matter, denials []denial) []change {
	fromCountry := strings.HasPrefix(m.question.Region, countryProvider+"/")
	var countries, clouds []string
	after := m
	after.question.Source, after.question.Existing = "", false
	maybe, sure := after.maybeAllowed()
	for _, id := range m.compiled.catalog.nearestTo(m.question.Region) {
		if !maybe.Has(id) {
			continue
		}
		after.question.Region = m.compiled.catalog.names[id]
		switch isCloud := m.compiled.catalog.clouds.Has(id); {
		case !sure && !after.allowed():
		case isCloud:
			clouds = append(clouds, after.question.Region)
		default:
			countries = append(countries, after.question.Region)
		}
	}
	names := clouds
	switch {
	case fromCountry && m.onlyAccess():
		names = countries
	case fromCountry:
		names = append(countries, clouds...)
	case len(clouds) == 0:
		names = countries
	}
	if len(names) == 0 {
		return nil
	}
	after.question.Region = names[0]
	alternative := fleet.Alternative{Kind: fleet.AlternativeMove, Text: m.moveText(names), Regions: names, Rules: rulesOf(denials, "")}
	return []change{{alternative, after}}
}

// maybeAllowed are the places worth asking about, and whether they are sure: a
// question about one place that nothing leaves is allowed just where the views
// say so.
func (m matter) maybeAllowed() (set Set, sure bool) {
	set = m.compiled.catalog.all
	if m.question.GeoRedundant || len(m.question.Leaving) > 0 || len(m.exceptions) > 0 {
		return set, false
	}
	for _, one := range m.parts {
		allowed := one.prepared.Allowed(one.facet)
		set.And(&allowed)
	}
	return set, true
}

func (m matter) onlyAccess() bool {
	return !slices.ContainsFunc(m.parts, func(one part) bool { return one.facet != fleet.FacetAccess })
}

// moveText is "allowed in: …" with the nearest places.
func (m matter) moveText(names []string) string {
	const shown = 5
	titles := make([]string, 0, shown)
	for _, name := range names[:min(shown, len(names))] {
		titles = append(titles, m.compiled.catalog.titles[m.compiled.catalog.ids[name]])
	}
	list := strings.Join(titles, ", ")
	if more := len(names) - len(titles); more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	if len(m.parts) == 1 {
		switch m.parts[0].facet {
		case fleet.FacetKey:
			return "allowed if the key moves to: " + list
		case fleet.FacetAccess:
			return "allowed if it is looked at from: " + list
		}
	}
	return "allowed in: " + list
}
