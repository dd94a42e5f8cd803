package residency

import (
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Subject is data to judge: a dataset with what is true of it at the instant,
// or, without a Ref, any data of some classes.
type Subject struct {
	Ref         fleet.Ref
	Declared    bool // false: a dataset nobody declared
	Classes     []string
	Facts       map[string]fleet.DataFact
	Instruments []fleet.Instrument
	Copies      []Copy // where it is: bindings and placements of the instant
	Exceptions  []Exception
}

// Copy is a place where the data is.
type Copy struct {
	Facets       []fleet.Facet
	Region, Pair string
	GeoRedundant bool
	Source       fleet.FactSource // how the place is known; declared when empty
}

// Exception is an exception as it was asked for, and what became of it. It
// holds for the subject it names only.
type Exception struct {
	Name   string
	Spec   fleet.ExceptionSpec
	Status fleet.ExceptionStatus
}

// Prepared is a subject made ready for many questions about one instant. It is
// safe for concurrent use.
type Prepared struct {
	compiled    *Compiled
	subject     Subject
	dataset     string   // its name; empty when it is none
	classes     []string // those it has that are declared
	builtIn     []fleet.Finding
	facts       map[string]knownFact
	instruments []basis
	copies      []held
	exceptions  []suspension
	views       [facetCount]atomic.Pointer[view]
}

// basis is an instrument in force.
type basis struct {
	*fleet.Instrument
	leads Set
}

// held is a copy with its places.
type held struct {
	facets      facetSet
	place, pair PlaceID // noPlace: unknown, or not geo-redundant
	source      fleet.FactSource
}

// suspension is an exception in force.
type suspension struct {
	*Exception
	facets facetSet
	places Set
	by     string // who approved
}

// Prepare makes a subject ready. What of it cannot be read is as good as not
// there, which never helps.
func (c *Compiled) Prepare(subject Subject) *Prepared {
	p := &Prepared{compiled: c, subject: subject}
	if subject.Ref.Name != "" {
		p.dataset = subject.Ref.Name
	}
	p.facts = make(map[string]knownFact, len(c.looksAt))
	knownAt(p.facts, subject.Facts, fleet.DataFacts, "data.", c.at, c.looksAt)
	p.classify()
	for i := range subject.Instruments {
		instrument := &subject.Instruments[i]
		if covered, err := Covers(fleet.Period{From: instrument.From, Until: instrument.Until}, time.UTC, c.at); err != nil || !covered {
			continue
		}
		made := basis{Instrument: instrument, leads: c.catalog.all}
		if instrument.To != nil {
			made.leads = c.permitting(instrument.To)
		}
		p.instruments = append(p.instruments, made)
	}
	for _, copied := range subject.Copies {
		p.copies = append(p.copies, c.held(copied))
	}
	p.exceptions = c.inForce(subject.Exceptions, subject.Ref)
	return p
}

// classify finds the subject's classes, and what keeps it from any yes.
func (p *Prepared) classify() {
	c, subject := p.compiled, p.subject
	unknownDataset := p.dataset != "" && !subject.Declared
	if unknownDataset {
		p.deny(fleet.RuleUnknownDataset, "", "Nobody declared the dataset "+p.dataset+".")
	}
	if len(subject.Classes) == 0 && !unknownDataset {
		p.deny(fleet.RuleUnclassified, "", "The data has no class, so no rule can say where it may be.")
	}
	var all []string
	p.classes = make([]string, 0, len(subject.Classes))
	for _, class := range subject.Classes {
		found := c.classes[class]
		if found == nil {
			p.deny(fleet.RuleUnknownClass, class, "Nobody declared the data class "+class+".")
			continue
		}
		for _, missing := range found.unknown {
			p.deny(fleet.RuleUnknownClass, missing, "Nobody declared the data class "+missing+", from which "+class+" inherits.")
		}
		if !slices.Contains(p.classes, class) {
			p.classes = append(p.classes, class)
		}
		if c.looksAt["data.classes"] {
			all = append(all, found.ancestors...)
		}
	}
	if c.looksAt["data.classes"] {
		slices.Sort(all)
		p.facts["data.classes"] = newKnownFact(slices.Compact(all), fleet.SourceAttested, "")
	}
	if p.dataset != "" && c.looksAt["data.name"] {
		p.facts["data.name"] = newKnownFact(p.dataset, fleet.SourceAttested, "")
	}
}

// deny notes a built-in rule that denies everything.
func (p *Prepared) deny(rule, class, reason string) {
	finding := fleet.Finding{
		Policy: fleet.BuiltInPolicy, Rule: rule, Kind: fleet.RuleBuiltIn, Effect: fleet.EffectDenies,
		Class: class, Reason: reason,
	}
	if !slices.ContainsFunc(p.builtIn, func(f fleet.Finding) bool { return f.Rule == rule && f.Class == class }) {
		p.builtIn = append(p.builtIn, finding)
	}
}

func (c *Compiled) held(copied Copy) held {
	place, pair := c.catalog.both(copied.Region, copied.GeoRedundant, copied.Pair)
	return held{facets: facetsOf(copied.Facets), place: place, pair: pair, source: sourceOf(copied.Source)}
}

// both are the places of a store: its region and, when it is geo-redundant,
// the pair named or else the cloud's own. Those not known are noPlace.
func (c *Catalog) both(region string, geoRedundant bool, named string) (place, pair PlaceID) {
	place, pair = noPlace, noPlace
	if id, ok := c.ids[region]; ok {
		place = id
	}
	switch {
	case !geoRedundant:
	case named != "":
		if id, ok := c.ids[named]; ok {
			pair = id
		}
	case place != noPlace:
		pair = c.pairs[place]
	}
	return place, pair
}

// inForce are the exceptions for a subject that are in force.
func (c *Compiled) inForce(exceptions []Exception, subject fleet.Ref) []suspension {
	var list []suspension
	for i := range exceptions {
		exception := &exceptions[i]
		if exception.Spec.Subject != subject || exception.Spec.Policy == fleet.BuiltInPolicy {
			continue
		}
		began, ended, ok := exception.period()
		if !ok || !during(began, ended, c.at) {
			continue
		}
		list = append(list, suspension{
			Exception: exception, facets: facetsOf(exception.Spec.Facets), places: c.permitting(&exception.Spec.Scope),
			by: strings.Join(exception.approvers(), ", "),
		})
	}
	return list
}
