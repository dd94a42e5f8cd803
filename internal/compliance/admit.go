package compliance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

// Admission is the answer to a write of documents.
type Admission struct {
	// Decisions are to be written in the transaction of the documents. When the
	// write is denied they are to be recorded instead of it.
	Decisions []fleet.Resource
	// Unless belongs into the transaction's options: it fails with ErrConflict
	// when a rule or a fact changed since, and the write is to be admitted anew.
	Unless *inventory.Moved
}

// Admit judges a write of Datasets and Workloads before it happens. Every
// place that would be new must be allowed, on the day it begins and on each
// later day on which these documents, or those they touch, say something else;
// and nothing that is not marked as existing may come to be denied by the
// write, so that data cannot be placed under one name and then called another.
// Other documents of the write count as written. A denial is ErrDenied, joined, each
// with the Object and Field of the document at fault; the Admission then has
// the denials to be recorded.
func (o *Office) Admit(ctx context.Context, actor string, changed []fleet.Resource) (Admission, error) {
	var subjects []fleet.Ref
	var rules []fleet.Resource
	for _, resource := range changed {
		if resource.Kind == fleet.KindDataset || resource.Kind == fleet.KindWorkload {
			subjects = append(subjects, resource.Ref())
		} else {
			rules = append(rules, resource)
		}
	}
	if len(subjects) == 0 {
		return Admission{}, nil
	}
	present, err := o.open(ctx, fleet.Moment{})
	if err != nil {
		return Admission{}, err
	}
	a := &admission{office: o, actor: actor, now: present.at, subjects: subjects, decisions: map[fleet.Ref]*decision{}}
	instants, err := present.instants(changed)
	if err != nil {
		return Admission{}, err
	}
	for i, at := range instants {
		v := present
		if i > 0 {
			if v, err = o.open(ctx, fleet.Moment{AsOf: at}); err != nil {
				return Admission{}, err
			}
		}
		if err := a.compare(ctx, v, rules, changed); err != nil {
			return Admission{}, err
		}
	}
	return a.result(present.revision)
}

// admission gathers what a write would do.
type admission struct {
	office    *Office
	actor     string
	now       time.Time
	subjects  []fleet.Ref // of the documents written
	decisions map[fleet.Ref]*decision
	faults    []error
}

// compare judges what a write does at the instant of a view: what the subjects
// do before it, under the rules of the write, with what they do after it.
func (a *admission) compare(ctx context.Context, v *view, rules, changed []fleet.Resource) error {
	before, err := a.office.assume(ctx, v, a.now, rules, nil)
	if err != nil {
		return err
	}
	after, err := a.office.assume(ctx, v, a.now, changed, nil)
	if err != nil {
		return err
	}
	if fault := faultsOf(after.fault, changed); fault != nil {
		return fault
	}
	for _, subject := range a.subjects {
		a.subject(before, after, subject, subject, "")
		if subject.Kind != fleet.KindDataset {
			continue
		}
		for _, workload := range after.all(fleet.KindWorkload) {
			if uses(workload, subject.Name) && !slices.Contains(a.subjects, workload.ref) {
				a.subject(before, after, workload.ref, subject, workload.ref.String()+": ")
			}
		}
	}
	return nil
}

func uses(workload *version, dataset string) bool {
	spec := workload.workload()
	return spec != nil && slices.ContainsFunc(spec.Datasets, func(use fleet.DatasetUse) bool { return use.Dataset == dataset })
}

// subject compares what one subject does before and after. The blame goes to
// the document that is written.
func (a *admission) subject(before, after *view, subject, blame fleet.Ref, prefix string) {
	earlier := before.doings(subject)
	for _, done := range after.doings(subject) {
		verdict := after.judge(done.question)
		was := slices.IndexFunc(earlier, func(other doing) bool { return other.same(done) })
		if was >= 0 {
			past := before.judge(earlier[was].question)
			if verdict.Allowed || !worse(past, verdict) {
				continue
			}
		}
		a.decide(blame, verdict)
		if verdict.Allowed {
			continue
		}
		fault := denial(verdict)
		fault.Message, fault.Object, fault.Field = prefix+fault.Message, blame.String(), done.field
		if prefix != "" {
			fault.Field = "spec"
		}
		a.faults = append(a.faults, fault)
	}
}

func (a *admission) decide(subject fleet.Ref, verdict fleet.Verdict) {
	if a.decisions[subject] == nil {
		a.decisions[subject] = a.office.decision(fleet.Act{Kind: ActPlace, Operation: "apply", Actor: a.actor}, nil)
	}
	made := a.decisions[subject]
	made.Act.Questions = append(made.Act.Questions, verdict.Question)
	made.add(verdict)
}

func (a *admission) result(revision int64) (Admission, error) {
	result := Admission{Unless: restsOn(revision)}
	for _, subject := range a.subjects {
		made := a.decisions[subject]
		if made == nil || len(a.faults) > 0 && made.Allowed {
			continue // of a write that is refused, what would have been allowed did not happen
		}
		resource, err := made.resource()
		if err != nil {
			return Admission{}, err
		}
		result.Decisions = append(result.Decisions, resource)
	}
	return result, errors.Join(a.faults...)
}

// worse reports whether a denial has rules that did not deny before, or of a
// workload's own data classes that were not denied before.
func worse(past, now fleet.Verdict) bool {
	before := map[string]bool{}
	for _, finding := range past.Findings {
		if finding.Effect == fleet.EffectDenies {
			before[reason(past, finding)] = true
		}
	}
	return slices.ContainsFunc(now.Findings, func(finding fleet.Finding) bool {
		return finding.Effect == fleet.EffectDenies && !before[reason(now, finding)]
	})
}

// reason tells denials apart. To a dataset a class more is a better word for
// what it is; to a workload it is more data in the same place.
func reason(verdict fleet.Verdict, finding fleet.Finding) string {
	parts := []string{finding.ID(), finding.Dataset, finding.Region}
	if verdict.Subject.Kind == fleet.KindWorkload && finding.Dataset == "" {
		parts = append(parts, finding.Class)
	}
	return strings.Join(parts, " ")
}

// doing is something a subject is declared to do at a place.
type doing struct {
	store    string // which one: another at the same place is another act
	question fleet.Question
	field    string // of the document
}

func (d doing) same(other doing) bool {
	a, b := d.question, other.question
	return d.store == other.store && a.Facet == b.Facet && a.Region == b.Region && a.GeoRedundant == b.GeoRedundant && a.Pair == b.Pair
}

// doings are all that a subject is declared to do at the view's instant,
// without what was there already when it was declared.
func (v *view) doings(subject fleet.Ref) []doing {
	declared := v.valid(subject)
	var doings []doing
	if spec := declared.dataset(); spec != nil {
		for i, binding := range spec.Bindings {
			if binding.Existing || !covers(binding.From, binding.Until, v.at) {
				continue
			}
			for _, facet := range binding.Facets {
				doings = append(doings, doing{store: binding.Name + " " + binding.Store, field: fmt.Sprintf("spec.bindings[%d].region", i), question: fleet.Question{
					Subject: subject, Facet: facet, Region: binding.Region, GeoRedundant: binding.GeoRedundant, Pair: binding.Pair,
				}})
			}
		}
	}
	if spec := declared.workload(); spec != nil {
		for i, region := range spec.Regions {
			for _, facet := range facetsOf(spec) {
				doings = append(doings, doing{field: fmt.Sprintf("spec.regions[%d]", i), question: fleet.Question{Subject: subject, Facet: facet, Region: region}})
			}
		}
	}
	return doings
}
