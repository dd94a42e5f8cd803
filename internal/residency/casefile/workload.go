package casefile

import (
	"slices"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// handled is what a workload does to data of one subject.
type handled struct {
	subject residency.Subject
	facets  []fleet.Facet
}

// handles lists what the case's workload does to data.
func (s situation) handles(documents records) []handled {
	workload, _ := versionAt(documents.workloads[s.Subject.Workload], s.at)
	var all []handled
	for _, use := range workload.Datasets {
		all = append(all, handled{s.dataset(documents, use.Dataset), facetsOf(use.Facets)})
	}
	for _, use := range workload.Classes {
		all = append(all, handled{s.classes(documents, use.Classes), facetsOf(use.Facets)})
	}
	return all
}

// facetsOf are the facets of a use: processing when it names none.
func facetsOf(named []fleet.Facet) []fleet.Facet {
	if len(named) == 0 {
		return []fleet.Facet{fleet.FacetProcessing}
	}
	return named
}

func (r *run) judgeWorkload(compiled *residency.Compiled, s situation) judges {
	all := s.handles(r.file.documents)
	exceptions := s.exceptions(r.file.documents)
	uses := make([]residency.Use, len(all))
	for i, one := range all {
		uses[i] = residency.Use{Prepared: compiled.Prepare(one.subject), Facets: one.facets}
	}
	return judges{
		engine: func(q fleet.Question) fleet.Verdict {
			return compiled.JudgeWorkload(s.ref(), uses, exceptions, q)
		},
		reference: func(q fleet.Question) fleet.Verdict { return r.referWorkload(s, all, q) },
	}
}

// referWorkload puts a workload's answer together from the reference's about
// each thing it does: all must be allowed, and exceptions for the workload hold
// for each.
func (r *run) referWorkload(s situation, all []handled, q fleet.Question) fleet.Verdict {
	if len(all) == 0 {
		return r.referPlace(q)
	}
	whole := fleet.Verdict{Question: q, Allowed: true}
	for _, one := range asIfDone(all, q.Facet) {
		one.subject.Exceptions = retarget(one.subject.Exceptions, s.ref(), one.subject.Ref)
		for _, facet := range one.facets {
			if q.Facet != "" && q.Facet != facet {
				continue
			}
			asked := q
			asked.Subject, asked.Classes, asked.Facet = one.subject.Ref, nil, facet
			if one.subject.Ref == (fleet.Ref{}) {
				asked.Classes = one.subject.Classes
			}
			verdict := residency.Reference(r.file.rulebook, r.catalog, s.at, one.subject, asked)
			whole.Allowed = whole.Allowed && verdict.Allowed
			whole.Findings = append(whole.Findings, verdict.Findings...)
			whole.Obligations = append(whole.Obligations, verdict.Obligations...)
			whole.Exceptions = append(whole.Exceptions, verdict.Exceptions...)
		}
	}
	if !whole.Allowed {
		whole.Findings = slices.DeleteFunc(whole.Findings, func(f fleet.Finding) bool { return f.Effect == fleet.EffectAllows })
	}
	return whole
}

// asIfDone is what a workload does; where it does nothing under the facet asked
// about, as if it did that to all its data.
func asIfDone(all []handled, facet fleet.Facet) []handled {
	if facet == "" || slices.ContainsFunc(all, func(one handled) bool { return slices.Contains(one.facets, facet) }) {
		return all
	}
	var changed []handled
	for _, one := range all {
		changed = append(changed, handled{one.subject, []fleet.Facet{facet}})
	}
	return changed
}

// referPlace answers for a workload without data: the reference denies places
// and pairs that are not known whatever else it says.
func (r *run) referPlace(q fleet.Question) fleet.Verdict {
	asked := q
	asked.Subject, asked.Facet = fleet.Ref{}, fleet.FacetStorage
	said := residency.Reference(r.file.rulebook, r.catalog, q.At, residency.Subject{Declared: true}, asked)
	whole := fleet.Verdict{Question: q, Allowed: true}
	for _, finding := range said.Findings {
		if finding.Rule == fleet.RuleUnknownRegion || finding.Rule == fleet.RuleUnknownPair {
			whole.Allowed, whole.Findings = false, append(whole.Findings, finding)
		}
	}
	return whole
}

// retarget gives exceptions of one subject to another.
func retarget(exceptions []residency.Exception, from, to fleet.Ref) []residency.Exception {
	changed := slices.Clone(exceptions)
	for i := range changed {
		if changed[i].Spec.Subject == from {
			changed[i].Spec.Subject = to
		}
	}
	return changed
}
