package residency

import (
	"slices"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Use is what a workload does to a subject where it runs.
type Use struct {
	Prepared *Prepared
	Facets   []fleet.Facet // processing when empty
}

func (u Use) facets() []fleet.Facet {
	if len(u.Facets) == 0 {
		return []fleet.Facet{fleet.FacetProcessing}
	}
	return u.Facets
}

// PreparedUse is a use with the places where all of it is allowed.
type PreparedUse struct{ allowed *Set }

// PrepareUse makes a workload's use ready for AllowedRegions, with the
// exceptions the workload has itself.
func (c *Compiled) PrepareUse(workload fleet.Ref, use Use, exceptions []Exception) PreparedUse {
	suspensions := c.inForce(exceptions, workload)
	set := c.catalog.all
	for _, facet := range use.facets() {
		index := facetIndex(facet)
		if index < 0 {
			return PreparedUse{&Set{}}
		}
		a := answer{p: use.Prepared, exceptions: suspensions}
		set.And(&a.view(index).allowed)
	}
	return PreparedUse{&set}
}

// AllowedRegions are the places, countries included, where all uses are
// allowed; none when there is no use. It allocates nothing.
func AllowedRegions(into *Set, uses []PreparedUse) {
	if len(uses) == 0 {
		*into = Set{}
		return
	}
	*into = *uses[0].allowed
	for _, use := range uses[1:] {
		into.And(use.allowed)
	}
}

// JudgeWorkload answers a question about everything a workload does, or what
// it does of one facet: all of it must be allowed. A facet it does nothing
// under is judged as if it did it to all its data; a workload without data may
// be wherever there is a place. The exceptions are those for the workload
// itself.
func (c *Compiled) JudgeWorkload(workload fleet.Ref, uses []Use, exceptions []Exception, q fleet.Question) fleet.Verdict {
	uses = under(uses, q.Facet)
	verdict := c.explainWorkload(uses, c.inForce(exceptions, workload), q)
	if !verdict.Allowed && len(uses) > 0 {
		verdict.Alternatives = c.workloadAlternatives(workload, uses, exceptions, verdict)
	}
	return verdict
}

// under are the uses a question is about.
func under(uses []Use, facet fleet.Facet) []Use {
	if facet == "" || slices.ContainsFunc(uses, func(use Use) bool { return slices.Contains(use.facets(), facet) }) {
		return uses
	}
	uses = slices.Clone(uses)
	for i := range uses {
		uses[i].Facets = []fleet.Facet{facet}
	}
	return uses
}

func (c *Compiled) explainWorkload(uses []Use, suspensions []suspension, q fleet.Question) fleet.Verdict {
	if len(uses) == 0 {
		return c.explainPlace(q)
	}
	whole := fleet.Verdict{Question: q, Allowed: true}
	var permits, denials []fleet.Finding
	for _, use := range uses {
		for _, facet := range use.facets() {
			if q.Facet != "" && q.Facet != facet {
				continue
			}
			asked := q
			asked.Facet = facet
			verdict := owned(c.explain(use.Prepared, asked, suspensions), use.Prepared.dataset)
			whole.Allowed = whole.Allowed && verdict.Allowed
			for _, finding := range verdict.Findings {
				if finding.Effect == fleet.EffectAllows {
					permits = append(permits, finding)
				} else {
					denials = append(denials, finding)
				}
			}
			merge(&whole, verdict)
		}
	}
	if whole.Allowed {
		denials = append(permits, denials...)
	}
	if whole.Findings = denials; denials == nil {
		whole.Findings = []fleet.Finding{}
	}
	return whole
}

// explainPlace answers for a workload without data: the place must be known.
func (c *Compiled) explainPlace(q fleet.Question) fleet.Verdict {
	place, pair := c.catalog.both(q.Region, q.GeoRedundant, q.Pair)
	a := answer{}
	switch {
	case place == noPlace:
		a.builtIn(fleet.RuleUnknownRegion, "", q.Facet, q.Region, unknownPlace(q.Region))
	case q.GeoRedundant && pair == noPlace:
		a.builtIn(fleet.RuleUnknownPair, "", q.Facet, q.Region, c.unknownPair(place, q.Pair))
	}
	return a.conclude().verdict(q)
}

// merge adds the obligations and exceptions of a part, each once.
func merge(whole *fleet.Verdict, part fleet.Verdict) {
	for _, obligation := range part.Obligations {
		if !slices.ContainsFunc(whole.Obligations, func(other fleet.DueObligation) bool {
			return other.Policy == obligation.Policy && other.Rule == obligation.Rule && other.Dataset == obligation.Dataset && other.Unsure == obligation.Unsure
		}) {
			whole.Obligations = append(whole.Obligations, obligation)
		}
	}
	for _, used := range part.Exceptions {
		if !slices.Contains(whole.Exceptions, used) {
			whole.Exceptions = append(whole.Exceptions, used)
		}
	}
}
