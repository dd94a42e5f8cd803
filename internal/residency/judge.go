package residency

import (
	"slices"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// asked is a question with what its names stand for.
type asked struct {
	facet       int
	place, pair PlaceID
	source      fleet.FactSource
	leaving     []string
	alone       bool // one place, and nothing leaves any
}

// answer is a verdict in the making.
type answer struct {
	p           *Prepared
	exceptions  []suspension
	asked       asked
	permits     []fleet.Finding
	denials     []fleet.Finding // with the suspended ones
	obligations []fleet.DueObligation
	used        []fleet.UsedException
	denied      bool
	several     bool     // rules may come up more than once
	told        []told   // then: those that did
	silent      []string // classes without a rule
}

// told is a rule that has its finding.
type told struct {
	rule, facet int
	place       PlaceID
}

// Allows reports whether a hypothetical question about one place is allowed. It
// allocates nothing once the facet was asked about.
func (p *Prepared) Allows(facet fleet.Facet, place PlaceID) bool {
	index := facetIndex(facet)
	if index < 0 {
		return false
	}
	if v := p.views[index].Load(); v != nil {
		return v.allowed.Has(place)
	}
	return p.view(index).allowed.Has(place)
}

// AllowsRegion is Allows for a place by its name; one that no catalog has is
// denied.
func (p *Prepared) AllowsRegion(facet fleet.Facet, name string) bool {
	place, ok := p.compiled.catalog.ids[name]
	return ok && p.Allows(facet, place)
}

// Allowed are the places, countries included, where a hypothetical question is
// allowed.
func (p *Prepared) Allowed(facet fleet.Facet) Set {
	index := facetIndex(facet)
	if index < 0 {
		return Set{}
	}
	return p.view(index).allowed
}

// Explain answers a question about a subject other than a workload, with every
// rule that decided, obligations and exceptions, but without alternatives. It is
// made for many questions: what it says is put together once for data that is
// alike and shared from then on. So callers must not change its lists, and
// findings and obligations leave the dataset to the question.
func (c *Compiled) Explain(p *Prepared, q fleet.Question) fleet.Verdict {
	return c.explain(p, q, nil)
}

func (c *Compiled) explain(p *Prepared, q fleet.Question, exceptions []suspension) fleet.Verdict {
	place, pair := c.catalog.both(q.Region, q.GeoRedundant, q.Pair)
	a := answer{p: p, exceptions: exceptions, asked: asked{
		facet: facetIndex(q.Facet), place: place, pair: pair, source: q.Source, leaving: q.Leaving,
		alone: !q.GeoRedundant && len(q.Leaving) == 0,
	}}
	if place != noPlace && a.asked.facet >= 0 && a.asked.alone && len(exceptions)+len(p.builtIn) == 0 {
		return a.remembered(q)
	}
	if len(p.builtIn) > 0 {
		a.denials, a.denied = append(a.denials, p.builtIn...), true
	}
	switch {
	case place == noPlace:
		a.builtIn(fleet.RuleUnknownRegion, "", q.Facet, q.Region, unknownPlace(q.Region))
	case a.asked.facet < 0:
		for _, class := range p.classes {
			a.builtIn(fleet.RuleNoRule, class, q.Facet, q.Region, "There is no facet "+orNone(string(q.Facet))+", so no rule speaks about it.")
		}
	default:
		a.judge(q)
	}
	return a.conclude().verdict(q)
}

// remembered answers a question about one place as it was answered before.
func (a *answer) remembered(q fleet.Question) fleet.Verdict {
	v, known := a.p.view(a.asked.facet), 0
	if v.sources && q.Source != "" {
		known = slices.Index(fleet.FactSources, q.Source) + 1
		if known == 0 {
			a.judge(q)
			return a.conclude().verdict(q)
		}
	}
	said := v.said[known].at(a.asked.place)
	if said == nil {
		a.judge(q)
		said = a.conclude()
		v.said[known].keep(a.asked.place, said)
	}
	return said.verdict(q)
}

// verdict is the conclusion as an answer. Appending to its lists copies them.
func (s *conclusion) verdict(q fleet.Question) fleet.Verdict {
	return fleet.Verdict{Question: q, Allowed: s.allowed, Findings: s.findings, Obligations: s.obligations, Exceptions: s.exceptions}
}

// owned is a verdict about a dataset that shares nothing with others that its
// owner might change.
func owned(verdict fleet.Verdict, dataset string) fleet.Verdict {
	verdict.Findings = append(make([]fleet.Finding, 0, len(verdict.Findings)), verdict.Findings...)
	for i := range verdict.Findings {
		verdict.Findings[i].Dataset = dataset
		verdict.Findings[i].Facts = slices.Clone(verdict.Findings[i].Facts)
	}
	verdict.Obligations = slices.Clone(verdict.Obligations)
	for i := range verdict.Obligations {
		verdict.Obligations[i].Dataset = dataset
	}
	verdict.Exceptions = slices.Clone(verdict.Exceptions)
	return verdict
}

// judge asks about the place and, of a geo-redundant store, its pair.
func (a *answer) judge(q fleet.Question) {
	a.several = len(a.p.classes) > 1 || q.GeoRedundant
	a.at(a.view(a.asked.facet), a.asked.facet, a.asked.place, true)
	switch {
	case !q.GeoRedundant:
	case a.asked.pair == noPlace:
		a.builtIn(fleet.RuleUnknownPair, "", q.Facet, q.Region, a.p.compiled.unknownPair(a.asked.place, q.Pair))
	default:
		a.at(a.view(a.asked.facet), a.asked.facet, a.asked.pair, true)
		if a.asked.facet != replicaIndex {
			a.at(a.pairView(), replicaIndex, a.asked.pair, false)
		}
	}
}

// view of the subject under a facet, also with a workload's exceptions.
func (a *answer) view(facet int) *view {
	if len(a.exceptions) == 0 {
		return a.p.view(facet)
	}
	return a.p.build(facet, 1<<facet, a.allExceptions())
}

// pairView is the view of the pair as a replica of what was asked about:
// exceptions for either count.
func (a *answer) pairView() *view {
	if len(a.exceptions)+len(a.p.exceptions) == 0 {
		return a.p.view(replicaIndex)
	}
	return a.p.build(replicaIndex, a.asked.alike(replicaIndex), a.allExceptions())
}

// allExceptions are the workload's and the subject's own.
func (a *answer) allExceptions() []suspension {
	return append(a.exceptions[:len(a.exceptions):len(a.exceptions)], a.p.exceptions...)
}

// alike are a facet that is judged and the one asked about: an exception for
// either suspends what denies.
func (a *asked) alike(facet int) facetSet { return 1<<facet | 1<<a.facet }

// conclude sums up.
func (a *answer) conclude() *conclusion {
	said := &conclusion{allowed: !a.denied, obligations: a.obligations, exceptions: a.used}
	switch {
	case a.denied:
		said.findings = a.denials
	case len(a.denials) == 0:
		said.findings = a.permits
	default:
		said.findings = append(a.permits, a.denials...)
	}
	if said.findings == nil {
		said.findings = []fleet.Finding{}
	}
	said.findings, said.obligations, said.exceptions = slices.Clip(said.findings), slices.Clip(said.obligations), slices.Clip(said.exceptions)
	return said
}

// at judges one place under one facet. Whether a rule must speak of it at all
// is left open for the pair as a replica.
func (a *answer) at(v *view, facet int, place PlaceID, mustSpeak bool) {
	if a.permits == nil && v.allowed.Has(place) {
		a.permits = make([]fleet.Finding, 0, len(v.plain)+2*len(v.groups))
	}
	for i := range v.plain {
		rule := &v.plain[i]
		if !rule.where.possibly.Has(place) {
			continue
		}
		switch {
		case !a.satisfied(rule, place):
			a.refuse(rule, facet, place)
		case rule.where.surely.Has(place):
			a.permit(rule, facet, place)
		}
	}
	for i := range v.groups {
		a.choose(&v.groups[i], facet, place)
	}
	for i := range v.obligations {
		if rule := &v.obligations[i]; rule.holds.Has(place) && rule.where.possibly.Has(place) {
			a.oblige(rule, !rule.where.surely.Has(place))
		}
	}
	if mustSpeak {
		for i := range v.spoken {
			a.spoken(&v.spoken[i], facet, place)
		}
	}
}

// satisfied reports whether a rule that is no transfer rule is satisfied.
func (a *answer) satisfied(rule *applied, place PlaceID) bool {
	switch {
	case a.asked.simpleFor(rule.clause):
		return rule.satisfied.Has(place)
	case rule.kind == fleet.RuleAllowOnly:
		return rule.satisfied.Has(place) && wellKnown(a.asked.source, rule.spec.MinimumSource)
	case rule.kind == fleet.RuleRequireCopy:
		copies := a.p.copiesAfter(rule.clause, &a.asked)
		return copies.Len() >= rule.wanted()
	}
	return rule.satisfied.Has(place)
}

// choose judges a policy's transfer rules, of which one must do.
func (a *answer) choose(group *alternatives, facet int, place PlaceID) {
	refused, stays := group.refused.Has(place), group.denied.Has(place)
	for i := range group.rules {
		rule := &group.rules[i]
		possibly, satisfied := rule.where.possibly.Has(place), rule.satisfied.Has(place)
		switch {
		case !possibly:
		case satisfied && rule.where.surely.Has(place):
			a.permit(rule, facet, place)
		case !satisfied && refused && (stays || rule.suspended.Has(place)):
			a.refuse(rule, facet, place)
		}
	}
}

// refuse notes a rule that denies, unless an exception suspends it.
func (a *answer) refuse(rule *applied, facet int, place PlaceID) {
	if a.tell(rule, facet, place) {
		return
	}
	finding := a.p.finding(rule, facet, place, fleet.EffectDenies, &a.asked)
	if rule.suspended.Has(place) {
		finding.Effect = fleet.EffectSuspended
		finding.Exception = a.suspend(rule, facet, place)
	} else {
		a.denied = true
	}
	a.denials = append(a.denials, finding)
}

// suspend notes the exceptions that suspend a rule and names the first.
func (a *answer) suspend(rule *applied, facet int, place PlaceID) string {
	name := ""
	for _, list := range [2][]suspension{a.exceptions, a.p.exceptions} {
		for i := range list {
			exception := &list[i]
			if !exception.suspends(rule.clause, a.asked.alike(facet)) || !exception.places.Has(place) {
				continue
			}
			if name == "" {
				name = exception.Name
			}
			a.use(fleet.UsedException{Name: exception.Name, Rule: rule.id, Until: exception.Spec.Until, By: exception.by})
		}
	}
	return name
}

func (a *answer) use(used fleet.UsedException) {
	for _, other := range a.used {
		if other == used {
			return
		}
	}
	a.used = append(a.used, used)
}

func (a *answer) permit(rule *applied, facet int, place PlaceID) {
	if a.denied || a.tell(rule, facet, place) {
		return
	}
	a.permits = append(a.permits, a.p.finding(rule, facet, place, fleet.EffectAllows, &a.asked))
}

// tell reports whether a rule has its finding already, and notes that it has.
func (a *answer) tell(rule *applied, facet int, place PlaceID) bool {
	if !a.several {
		return false
	}
	this := told{rule: rule.number, facet: facet, place: place}
	for _, other := range a.told {
		if other == this {
			return true
		}
	}
	a.told = append(a.told, this)
	return false
}

// oblige lists an obligation once; it is sure when it is so anywhere.
func (a *answer) oblige(rule *applied, unsure bool) {
	for i := range a.obligations {
		if other := &a.obligations[i]; other.Rule == rule.spec.Name && other.Policy == rule.policy.name {
			other.Unsure = other.Unsure && unsure
			return
		}
	}
	spec := rule.spec.Obligation
	a.obligations = append(a.obligations, fleet.DueObligation{
		Policy: rule.policy.name, Version: rule.policy.spec.Version, Rule: rule.spec.Name, Action: spec.Action, Text: spec.Text,
		Within: spec.Within, Due: rule.due, To: spec.To, Cites: rule.spec.Cites, Unsure: unsure,
	})
}
