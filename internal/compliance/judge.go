package compliance

import (
	"errors"
	"fmt"
	"slices"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// judge answers a question at the view's instant.
func (v *view) judge(q fleet.Question) fleet.Verdict {
	q = v.dated(q)
	if v.fault != nil {
		return refuse(q, fleet.RuleBadDocument, "the rules cannot be read: "+oneLine(v.fault))
	}
	for _, region := range []string{q.Region, q.Pair} {
		if fault := v.places[region]; fault != nil {
			return refuse(q, fleet.RuleBadDocument, fmt.Sprintf("the document of region %s cannot be read: %s", region, oneLine(fault)))
		}
	}
	switch {
	case q.Subject.Name == "":
		return v.rules.Judge(v.rules.Prepare(residency.Subject{Declared: true, Classes: q.Classes}), q)
	case q.Subject.Kind == fleet.KindWorkload:
		return v.judgeWorkload(q)
	}
	dataset := v.prepare(q.Subject)
	if dataset.fault != nil {
		return refuse(q, fleet.RuleBadDocument, fmt.Sprintf("%s cannot be read: %s", q.Subject, oneLine(dataset.fault)))
	}
	return v.rules.Judge(dataset.prepared, q)
}

// dated gives a question the view's instants.
func (v *view) dated(q fleet.Question) fleet.Question {
	q.At, q.KnownAt = v.at, nil
	if known := v.known; !known.IsZero() {
		q.KnownAt = &known
	}
	return q
}

func (v *view) judgeWorkload(q fleet.Question) fleet.Verdict {
	workload := v.prepare(q.Subject)
	switch {
	case workload.missing:
		return refuse(q, fleet.RuleUnknownWorkload, fmt.Sprintf("nobody declared the workload %s, so what data it touches is not known", q.Subject.Name))
	case workload.fault != nil:
		return refuse(q, fleet.RuleBadDocument, fmt.Sprintf("%s, or a dataset it touches, cannot be read: %s", q.Subject, oneLine(workload.fault)))
	}
	return v.rules.JudgeWorkload(q.Subject, workload.usesFor(q.Facet), workload.exceptions, q)
}

// usesFor are what a workload does; about a facet that it is not known for, it
// is judged as if it did that to all its data.
func (p *prepared) usesFor(facet fleet.Facet) []residency.Use {
	if facet == "" || slices.Contains(p.facets, facet) {
		return p.uses
	}
	uses := slices.Clone(p.uses)
	for i := range uses {
		uses[i].Facets = []fleet.Facet{facet}
	}
	return uses
}

// refuse is a denial by one of Meridian's own rules.
func refuse(q fleet.Question, rule, reason string) fleet.Verdict {
	return fleet.Verdict{Question: q, Findings: []fleet.Finding{{
		Policy: fleet.BuiltInPolicy, Rule: rule, Kind: fleet.RuleBuiltIn, Effect: fleet.EffectDenies,
		Facet: q.Facet, Region: q.Region, Reason: reason,
	}}}
}

// oneLine is the first of joined errors, and that there are more.
func oneLine(err error) string {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) && len(joined.Unwrap()) > 0 {
		all := joined.Unwrap()
		text := oneLine(all[0])
		if len(all) > 1 {
			text += fmt.Sprintf(" (and %d more)", len(all)-1)
		}
		return text
	}
	return err.Error()
}
