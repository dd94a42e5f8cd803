package enforce

import (
	"errors"
	"slices"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// momentsKept bounds how many changes of the rules to come are looked at.
const momentsKept = 64

// moment is the rules as they are from an instant on.
type moment struct {
	at    time.Time
	rules *residency.Compiled
}

// moments are the rules now and after each date that documents name, so that
// what ends by itself can be enforced without anybody acting on that day.
func (c *Compiler) moments() ([]moment, error) {
	c.once.Do(func() { c.later, c.laterErr = c.findMoments() })
	return c.later, c.laterErr
}

func (c *Compiler) findMoments() ([]moment, error) {
	dates, err := c.dates()
	if err != nil {
		return nil, err
	}
	found := []moment{{c.input.At, c.rules}}
	for _, at := range dates[:min(len(dates), momentsKept)] {
		rules, err := c.rulebook.Compile(c.input.Catalog, at)
		if err != nil {
			return nil, err
		}
		found = append(found, moment{at, rules})
	}
	return found, nil
}

// judge says whether a facet of all that a workload uses may be in a region,
// whatever the workload says it does to it: what runs there under its name is
// not known. Without a name it is about a dataset or classes.
func (m moment) judge(region string, facet fleet.Facet, workload Workload) fleet.Verdict {
	question := fleet.Question{Facet: facet, Region: region, Source: fleet.SourceObserved, At: m.at}
	if workload.Name == "" {
		subject := workload.Uses[0].Subject
		question.Subject = subject.Ref
		if subject.Ref.Name == "" {
			question.Classes = subject.Classes
		}
		return m.rules.Explain(m.rules.Prepare(subject), question)
	}
	ref := fleet.Ref{Kind: fleet.KindWorkload, Name: workload.Name}
	question.Subject = ref
	var uses []residency.Use
	for _, use := range workload.Uses {
		uses = append(uses, residency.Use{Prepared: m.rules.Prepare(use.Subject), Facets: []fleet.Facet{facet}})
	}
	return m.rules.JudgeWorkload(ref, uses, workload.Exceptions, question)
}

// dates are the instants after now at which a document says that something
// begins or ends, in order.
func (c *Compiler) dates() ([]time.Time, error) {
	collected := &dates{after: c.input.At}
	for _, document := range c.input.Documents {
		switch document.Kind {
		case fleet.KindResidencyPolicy:
			collected.policy(document)
		case fleet.KindJurisdictionGroup:
			collected.group(document)
		}
	}
	for _, subject := range c.subjects {
		collected.subject(subject)
	}
	for _, workload := range c.workloads {
		for _, use := range workload.Uses {
			collected.subject(use.Subject)
		}
		collected.exceptions(workload.Exceptions)
	}
	slices.SortFunc(collected.found, time.Time.Compare)
	return slices.CompactFunc(collected.found, time.Time.Equal), errors.Join(collected.faults...)
}

// dates collects instants.
type dates struct {
	after  time.Time
	found  []time.Time
	faults []error
}

func (d *dates) period(period fleet.Period, zone *time.Location) {
	begins, errBegins := residency.Begins(period, zone)
	ends, errEnds := residency.Ends(period, zone)
	d.faults = append(d.faults, errBegins, errEnds)
	for _, at := range []time.Time{begins, ends} {
		if at.After(d.after) {
			d.found = append(d.found, at)
		}
	}
}

func (d *dates) policy(document fleet.Resource) {
	policy, err := readPolicy(document)
	if err != nil {
		d.faults = append(d.faults, err)
		return
	}
	d.period(policy.spec.Effective, policy.zone)
	for _, rule := range policy.spec.Rules {
		if rule.Effective != nil {
			d.period(*rule.Effective, policy.zone)
		}
	}
}

func (d *dates) group(document fleet.Resource) {
	group, err := fleet.SpecOf[fleet.JurisdictionGroupSpec](document)
	d.faults = append(d.faults, err)
	for _, member := range group.Members {
		d.period(fleet.Period{From: member.From, Until: member.Until}, time.UTC)
	}
}

func (d *dates) subject(subject residency.Subject) {
	for _, fact := range subject.Facts {
		d.period(fleet.Period{From: fact.From, Until: fact.Until}, time.UTC)
	}
	for _, instrument := range subject.Instruments {
		d.period(fleet.Period{From: instrument.From, Until: instrument.Until}, time.UTC)
	}
	d.exceptions(subject.Exceptions)
}

func (d *dates) exceptions(exceptions []residency.Exception) {
	for _, exception := range exceptions {
		d.period(exception.Spec.Period, time.UTC)
	}
}
