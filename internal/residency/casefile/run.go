package casefile

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// Run judges every case over a catalog of regions. A case that fails is no
// error; documents or a catalog that cannot be used are.
func (s *Suite) Run(regions []fleet.RegionFacts) (*Result, error) {
	result := &Result{Passed: true}
	covered := newCoverage(s.rules)
	for _, file := range s.files {
		catalog, err := file.catalog(regions)
		if err != nil {
			return nil, err
		}
		run := &run{file: file, catalog: catalog, covered: covered, compiled: map[time.Time]*residency.Compiled{}}
		for _, situation := range file.cases {
			one, err := run.situation(situation)
			if err != nil {
				return nil, err
			}
			result.add(one)
		}
	}
	result.Coverage = covered.sorted()
	return result, nil
}

func (r *Result) add(one CaseResult) {
	r.Cases = append(r.Cases, one)
	r.Questions += one.Questions
	if !one.Passed {
		r.Passed = false
		r.Failed++
	}
}

// run judges the cases of one file.
type run struct {
	file     *caseFile
	catalog  *residency.Catalog
	covered  coverage
	compiled map[time.Time]*residency.Compiled
}

// at is the law of an instant.
func (r *run) at(at time.Time) (*residency.Compiled, error) {
	if compiled := r.compiled[at]; compiled != nil {
		return compiled, nil
	}
	compiled, err := r.file.rulebook.Compile(r.catalog, at)
	if err != nil {
		return nil, err
	}
	r.compiled[at] = compiled
	return compiled, nil
}

// situation judges a case for each of its facets and regions.
func (r *run) situation(s situation) (CaseResult, error) {
	result := CaseResult{Name: s.Name, File: s.position.File, Position: s.position}
	compiled, err := r.at(s.at)
	if err != nil {
		return result, err
	}
	j := r.judge(compiled, s)
	for _, facet := range s.Facets {
		for _, region := range s.Regions {
			question := s.question(facet, region)
			verdict := j.engine(question)
			r.covered.count(verdict)
			result.Questions++
			texts := r.file.compare(s.Expect, verdict)
			texts = append(texts, disagreement(verdict, j.reference(question))...)
			for _, text := range texts {
				result.Differences = append(result.Differences, Difference{Facet: facet, Region: region, Text: text, Reasons: reasons(verdict)})
			}
		}
	}
	result.Passed = len(result.Differences) == 0
	return result, nil
}

// question is what a case asks about one facet and region.
func (s situation) question(facet fleet.Facet, region string) fleet.Question {
	return fleet.Question{
		Subject: s.ref(), Classes: s.Subject.Classes, Facet: facet, Region: region,
		GeoRedundant: s.GeoRedundant, Pair: s.Pair, Source: s.Source, Leaving: s.Leaving, At: s.at,
	}
}

// judges answer a case's questions, by the engine and by the reference.
type judges struct {
	engine    func(fleet.Question) fleet.Verdict
	reference func(fleet.Question) fleet.Verdict
}

func (r *run) judge(compiled *residency.Compiled, s situation) judges {
	if s.Subject.Workload != "" {
		return r.judgeWorkload(compiled, s)
	}
	subject := s.classes(r.file.documents, s.Subject.Classes)
	if s.Subject.Dataset != "" {
		subject = s.dataset(r.file.documents, s.Subject.Dataset)
	}
	prepared := compiled.Prepare(subject)
	return judges{
		engine: func(q fleet.Question) fleet.Verdict { return compiled.Judge(prepared, q) },
		reference: func(q fleet.Question) fleet.Verdict {
			return residency.Reference(r.file.rulebook, r.catalog, s.at, subject, q)
		},
	}
}

// disagreement says where the engine and the reference differ: then one of
// them is wrong, whatever the case expects.
func disagreement(engine, reference fleet.Verdict) []string {
	var texts []string
	differ := func(what string, engine, reference []string) {
		if !slices.Equal(engine, reference) {
			texts = append(texts, fmt.Sprintf("the engine and the reference disagree about %s: [%s] and [%s]",
				what, strings.Join(engine, ", "), strings.Join(reference, ", ")))
		}
	}
	differ("the verdict", []string{answer(engine)}, []string{answer(reference)})
	for _, effect := range []fleet.Effect{fleet.EffectAllows, fleet.EffectDenies, fleet.EffectSuspended} {
		differ("what "+string(effect)+" it", effects(engine, effect), effects(reference, effect))
	}
	differ("obligations", obligations(engine, false), obligations(reference, false))
	differ("unsure obligations", obligations(engine, true), obligations(reference, true))
	differ("exceptions", exceptionNames(engine), exceptionNames(reference))
	return texts
}
