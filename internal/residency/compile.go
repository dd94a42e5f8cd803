package residency

import (
	"slices"
	"sync"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Compiled are the rules in force at an instant, over a catalog of places. It
// is immutable but for what it remembers of its own answers, and safe for
// concurrent use.
type Compiled struct {
	book    *Rulebook
	catalog *Catalog
	at      time.Time
	groups  *resolver // complete: read only once compiled
	clauses []*clause
	classes map[string]*lookup

	always      *applicability
	regionFacts []func() map[string]knownFact // by PlaceID

	mutex      sync.Mutex
	applied    map[conditionKey]*applicability
	partitions map[conditionKey]*partition
	answers    map[answerKey]*applicability
	views      map[string]*view

	looksAt map[string]bool // facts of data that some condition in force looks at
}

// clause is a rule in force.
type clause struct {
	*rule
	number int
	// holds are the places where an allowOnly or operator rule is satisfied,
	// the home of a transferIf rule, where copies of a requireCopy rule count,
	// and where an obligation applies.
	holds  Set
	leads  Set      // to, of a transferIf rule
	copies facetSet // what makes a copy, of a requireCopy rule
	due    *time.Time
	notes  notes
}

// lookup are the rules that apply to a class, by facet.
type lookup struct {
	ancestors []string
	unknown   []string // inherited classes nobody declared
	is        []string // both
	facets    [facetCount]chosen
}

// chosen are the rules about one class and facet.
type chosen struct {
	plain       []*clause   // allowOnly, requireCopy and operator
	transfers   [][]*clause // alternatives, by policy
	obligations []*clause

	dataFacts   []string // that their conditions look at
	copies      bool     // some look at copies
	instruments bool     // some look at instruments
	sources     bool     // some ask how well the place is known
}

// Compile selects the rules in force at an instant and works out their places.
func (r *Rulebook) Compile(catalog *Catalog, at time.Time) (*Compiled, error) {
	if catalog == nil {
		return nil, fleet.Errorf(fleet.ErrInternal, "no catalog to compile the rules for")
	}
	c := &Compiled{
		book: r, catalog: catalog, at: at, groups: newResolver(r.groups, at), classes: make(map[string]*lookup, len(r.names)),
		regionFacts: make([]func() map[string]knownFact, catalog.Len()),
		applied:     map[conditionKey]*applicability{}, partitions: map[conditionKey]*partition{}, answers: map[answerKey]*applicability{}, views: map[string]*view{}, looksAt: map[string]bool{},
	}
	c.always = c.constant(surely)
	for i := range catalog.places {
		place := &catalog.places[i]
		c.regionFacts[i] = sync.OnceValue(func() map[string]knownFact { return catalogFacts(*place, at) })
	}
	for name := range r.groups {
		c.groups.members(name)
	}
	descendants := map[string][]*lookup{}
	for _, name := range r.names {
		found := &lookup{}
		found.ancestors, found.unknown = r.ancestors(name)
		c.classes[name] = found
		found.is = append(slices.Clone(found.ancestors), found.unknown...)
		for _, ancestor := range found.is {
			descendants[ancestor] = append(descendants[ancestor], found)
		}
	}
	for _, history := range r.policies {
		if law := history.lawAt(at); law != nil {
			c.enact(law, descendants)
		}
	}
	return c, nil
}

// At is the instant the rules were compiled for.
func (c *Compiled) At() time.Time { return c.at }

// Catalog the rules were compiled over.
func (c *Compiled) Catalog() *Catalog { return c.catalog }

// enact adds the rules of a policy version that are in force.
func (c *Compiled) enact(law *policyVersion, descendants map[string][]*lookup) {
	subjects := below(descendants, law.spec.AppliesTo.Classes)
	if len(subjects) == 0 {
		return
	}
	for _, rule := range law.rules {
		if !during(rule.began, rule.ended, c.at) {
			continue
		}
		added := c.clause(rule)
		for _, subject := range subjects {
			if len(rule.spec.Classes) == 0 || containsAny(subject.is, rule.spec.Classes) {
				subject.add(added)
			}
		}
	}
}

// below are the classes that are one of some classes, each once.
func below(descendants map[string][]*lookup, classes []string) []*lookup {
	if len(classes) == 1 {
		return descendants[classes[0]]
	}
	var found []*lookup
	seen := map[*lookup]bool{}
	for _, class := range classes {
		for _, subject := range descendants[class] {
			if !seen[subject] {
				seen[subject] = true
				found = append(found, subject)
			}
		}
	}
	return found
}

func containsAny(list, wanted []string) bool {
	return slices.ContainsFunc(wanted, func(name string) bool { return slices.Contains(list, name) })
}

func (l *lookup) add(added *clause) {
	for _, facet := range added.spec.Facets {
		index := facetIndex(facet)
		if index < 0 {
			continue
		}
		rules := &l.facets[index]
		rules.note(added)
		switch last := len(rules.transfers) - 1; {
		case added.kind == fleet.RuleObligation:
			rules.obligations = append(rules.obligations, added)
		case added.kind != fleet.RuleTransferIf:
			rules.plain = append(rules.plain, added)
		case last >= 0 && rules.transfers[last][0].policy == added.policy:
			rules.transfers[last] = append(rules.transfers[last], added)
		default:
			rules.transfers = append(rules.transfers, []*clause{added})
		}
	}
}

// note keeps what about the data and the question matters to a rule.
func (r *chosen) note(added *clause) {
	r.copies = r.copies || added.kind == fleet.RuleRequireCopy
	r.instruments = r.instruments || added.kind == fleet.RuleTransferIf && added.spec.TransferIf.Basis != fleet.BasisAdequacy
	r.sources = r.sources || added.spec.MinimumSource != ""
	if added.when == nil {
		return
	}
	for _, name := range added.when.dataFacts {
		if !slices.Contains(r.dataFacts, name) {
			r.dataFacts = append(r.dataFacts, name)
		}
	}
}

// clause works out the places of a rule.
func (c *Compiled) clause(rule *rule) *clause {
	made := &clause{rule: rule, number: len(c.clauses)}
	c.clauses = append(c.clauses, made)
	if rule.when != nil {
		for _, name := range rule.when.dataFacts {
			c.looksAt[name] = true
		}
	}
	switch spec := rule.spec; rule.kind {
	case fleet.RuleAllowOnly:
		made.holds = c.permitting(spec.AllowOnly)
	case fleet.RuleRequireCopy:
		made.holds = c.permitting(&spec.RequireCopy.In)
		made.copies = facetsOf(spec.RequireCopy.Copies)
		if made.copies == 0 {
			made.copies = facetsOf(fleet.CopyFacets)
		}
	case fleet.RuleTransferIf:
		made.holds = c.permitting(spec.TransferIf.Home)
		made.leads = c.permitting(&spec.TransferIf.To)
	case fleet.RuleOperator:
		made.holds = c.operated(rule)
	case fleet.RuleObligation:
		made.holds = c.obliged(spec.Obligation)
		if rule.within.unit != "" {
			due := rule.within.after(c.at, rule.policy.zone)
			made.due = &due
		}
	}
	return made
}

// permitting are the places of a scope that permits: a group nobody declared
// has none.
func (c *Compiled) permitting(scope *fleet.Scope) Set { return c.groups.set(scope, c.catalog, false) }

// obliged are the places where an obligation applies: in case of doubt.
func (c *Compiled) obliged(rule *fleet.ObligationRule) Set {
	set := c.catalog.all
	if rule.Inside != nil {
		set = c.groups.set(rule.Inside, c.catalog, true)
	}
	if rule.Outside != nil {
		exempt := c.permitting(rule.Outside)
		set.AndNot(&exempt)
	}
	return set
}

// operated are the places whose operator satisfies a rule.
func (c *Compiled) operated(rule *rule) Set {
	var set Set
	for _, alike := range c.catalog.alike {
		if len(c.operatorFaults(rule, alike[0])) > 0 {
			continue
		}
		for _, place := range alike {
			set.Add(place)
		}
	}
	return set
}
