package enforce

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// lawDates are the instants after now at which policies, groups or facts of
// regions begin or end, in order.
func (c *Compiler) lawDates() ([]time.Time, error) {
	collected := &dates{after: c.input.At}
	for _, document := range c.input.Documents {
		switch document.Kind {
		case fleet.KindResidencyPolicy:
			collected.policy(document)
		case fleet.KindJurisdictionGroup:
			collected.group(document)
		}
	}
	for _, region := range c.input.Catalog.Regions() {
		known, _ := c.input.Catalog.Region(region)
		collected.facts(known.Facts)
	}
	return collected.sorted()
}

// dates collects instants.
type dates struct {
	after  time.Time
	found  []time.Time
	faults []error
}

func (d *dates) sorted() ([]time.Time, error) {
	slices.SortFunc(d.found, time.Time.Compare)
	return slices.CompactFunc(d.found, time.Time.Equal), errors.Join(d.faults...)
}

func (d *dates) add(instants ...time.Time) {
	for _, at := range instants {
		if at.After(d.after) {
			d.found = append(d.found, at)
		}
	}
}

func (d *dates) period(period fleet.Period, zone *time.Location) {
	begins, errBegins := residency.Begins(period, zone)
	ends, errEnds := residency.Ends(period, zone)
	d.faults = append(d.faults, errBegins, errEnds)
	d.add(begins, ends)
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

func (d *dates) facts(facts map[string]fleet.DataFact) {
	for _, fact := range facts {
		d.period(fleet.Period{From: fact.From, Until: fact.Until}, time.UTC)
	}
}

func (d *dates) subject(subject residency.Subject) {
	d.facts(subject.Facts)
	for _, instrument := range subject.Instruments {
		d.period(fleet.Period{From: instrument.From, Until: instrument.Until}, time.UTC)
	}
	d.exceptions(subject.Exceptions)
}

func (d *dates) exceptions(exceptions []residency.Exception) {
	for _, exception := range exceptions {
		if began, ended, ever := residency.InForce(exception.Spec, exception.Status); ever {
			d.add(began, ended)
		}
	}
}

// asOf is data as it is at a later instant than the one rules were compiled
// for: without what has ended by then, and with what has begun.
func asOf(subject residency.Subject, at time.Time) residency.Subject {
	there := func(from, until string) bool {
		covered, err := residency.Covers(fleet.Period{From: from, Until: until}, time.UTC, at)
		return covered && err == nil
	}
	subject.Facts = maps.Clone(subject.Facts)
	for name, fact := range subject.Facts {
		if !there(fact.From, fact.Until) {
			delete(subject.Facts, name)
			continue
		}
		fact.From = ""
		subject.Facts[name] = fact
	}
	var instruments []fleet.Instrument
	for _, instrument := range subject.Instruments {
		if there(instrument.From, instrument.Until) {
			instrument.From = ""
			instruments = append(instruments, instrument)
		}
	}
	subject.Instruments, subject.Exceptions = instruments, exceptionsAt(subject.Exceptions, at)
	return subject
}

func exceptionsAt(exceptions []residency.Exception, at time.Time) []residency.Exception {
	var there []residency.Exception
	for _, exception := range exceptions {
		began, ended, ever := residency.InForce(exception.Spec, exception.Status)
		if ever && !at.Before(began) && at.Before(ended) {
			exception.Spec.From = ""
			there = append(there, exception)
		}
	}
	return there
}
