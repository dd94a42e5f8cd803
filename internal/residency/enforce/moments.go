package enforce

import (
	"slices"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// lawsKept bounds how many changes of the rules to come are looked at. From the
// first one that is not, nothing is allowed.
const lawsKept = 64

// moment is the rules as they are from an instant on, nil when nobody looked.
type moment struct {
	at    time.Time
	rules *residency.Compiled
}

// prepare makes data ready for questions about the moment, by rules that may
// have been compiled for an earlier one between which and it they are the same.
func (m moment) prepare(subject residency.Subject) *residency.Prepared {
	if !m.at.Equal(m.rules.At()) {
		subject = asOf(subject, m.at)
	}
	return m.rules.Prepare(subject)
}

// laws are the rules now and after each date that policies, groups or regions
// name, so that what ends by itself can be enforced without anybody acting on
// that day.
func (c *Compiler) laws() ([]moment, error) {
	c.once.Do(func() { c.later, c.laterErr = c.findLaws() })
	return c.later, c.laterErr
}

func (c *Compiler) findLaws() ([]moment, error) {
	changes, err := c.lawDates()
	if err != nil {
		return nil, err
	}
	found := []moment{{c.input.At, c.rules}}
	for _, at := range changes[:min(len(changes), lawsKept)] {
		rules, err := c.rulebook.Compile(c.input.Catalog, at)
		if err != nil {
			return nil, err
		}
		found = append(found, moment{at, rules})
	}
	if len(changes) > lawsKept {
		found = append(found, moment{at: changes[lawsKept]})
	}
	return found, nil
}

// horizon is from when on nobody looked at the rules, zero when they were
// looked at to their end.
func (c *Compiler) horizon() time.Time {
	laws, err := c.laws()
	if err != nil || laws[len(laws)-1].rules != nil {
		return time.Time{}
	}
	return laws[len(laws)-1].at
}

// moments are those of the rules and of the data's own dates.
func (c *Compiler) moments(exceptions []residency.Exception, subjects ...residency.Subject) ([]moment, error) {
	laws, err := c.laws()
	if err != nil {
		return nil, err
	}
	own := &dates{after: c.input.At}
	own.exceptions(exceptions)
	for _, subject := range subjects {
		own.subject(subject)
	}
	changes, err := own.sorted()
	if err != nil {
		return nil, err
	}
	all := slices.Clone(laws)
	for _, at := range changes {
		next := slices.IndexFunc(laws, func(law moment) bool { return law.at.After(at) })
		if next < 0 {
			next = len(laws)
		}
		all = append(all, moment{at, laws[next-1].rules})
	}
	slices.SortStableFunc(all, func(a, b moment) int { return a.at.Compare(b.at) })
	return slices.CompactFunc(all, func(a, b moment) bool { return a.at.Equal(b.at) }), nil
}

// judge says whether a facet of all that a workload uses may be in a region,
// whatever the workload says it does to it: what runs there under its name is
// not known. Without a name it is about a dataset or classes.
func (m moment) judge(region string, facet fleet.Facet, workload Workload) fleet.Verdict {
	if m.rules == nil {
		return fleet.Verdict{}
	}
	question := fleet.Question{Facet: facet, Region: region, Source: fleet.SourceObserved, At: m.at}
	if workload.Name == "" {
		subject := workload.Uses[0].Subject
		question.Subject = subject.Ref
		if subject.Ref.Name == "" {
			question.Classes = subject.Classes
		}
		return m.rules.Explain(m.prepare(subject), question)
	}
	ref := fleet.Ref{Kind: fleet.KindWorkload, Name: workload.Name}
	question.Subject = ref
	var uses []residency.Use
	for _, use := range workload.Uses {
		uses = append(uses, residency.Use{Prepared: m.prepare(use.Subject), Facets: []fleet.Facet{facet}})
	}
	return m.rules.JudgeWorkload(ref, uses, exceptionsAt(workload.Exceptions, m.at), question)
}
