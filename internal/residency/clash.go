package residency

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// term is a rule, or a policy's transfer rules, with the places it can leave
// at best: with every instrument concluded that it asks for.
type term struct {
	clauses []*clause
	class   int // of the mixture, by number
	leaves  Set
	where   applicability // without any fact about the data
}

func (t *term) rules() []string {
	var ids []string
	for _, cl := range t.clauses {
		ids = append(ids, cl.id)
	}
	return ids
}

// terms are the rules about the places of data under a facet. Copy rules are
// none: they leave places open.
func (c *Compiled) terms(classes []string, facet int) []term {
	var list []term
	for number, class := range classes {
		rules := &c.classes[class].facets[facet]
		for _, cl := range rules.plain {
			leaves := cl.holds
			if cl.kind == fleet.RuleRequireCopy {
				leaves = c.catalog.all
			}
			list = append(list, term{clauses: []*clause{cl}, class: number, leaves: leaves, where: *c.applies(cl, facet, nil)})
		}
		for _, policy := range rules.transfers {
			one := term{class: number}
			for _, cl := range policy {
				where := c.applies(cl, facet, nil)
				leads := c.bestCase(cl)
				one.clauses = append(one.clauses, cl)
				one.leaves.Or(&leads)
				one.where.surely.Or(&where.surely)
				one.where.possibly.Or(&where.possibly)
			}
			list = append(list, one)
		}
	}
	return list
}

// bestCase are the places a transfer rule leads to once its basis is there.
func (c *Compiled) bestCase(cl *clause) Set {
	set := cl.leads
	if wanted := cl.spec.TransferIf.Counterparties; len(wanted) > 0 {
		for place := range cl.leads.Each {
			if !slices.Contains(wanted, c.catalog.places[place].Operator) {
				set[place>>wordOfBits] &^= 1 << (place & 63)
			}
		}
	}
	set.Or(&cl.holds)
	return set
}

// speaks reports whether some rule possibly applies to each class.
func speaks(terms []term, classes int) bool {
	for number := range classes {
		if !slices.ContainsFunc(terms, func(t term) bool { return t.class == number && !t.where.possibly.Empty() }) {
			return false
		}
	}
	return true
}

// possible are the places that terms leave together, where they surely apply.
func possible(terms []term, catalog *Catalog) Set {
	set := catalog.all
	for i := range terms {
		for word := range set {
			set[word] &^= terms[i].where.surely[word] &^ terms[i].leaves[word]
		}
	}
	return set
}

// fewest drops terms as long as those left leave nothing.
func fewest(terms []term, catalog *Catalog) []term {
	for i := len(terms) - 1; i >= 0; i-- {
		fewer := slices.Delete(slices.Clone(terms), i, i+1)
		if left := possible(fewer, catalog); left.Empty() {
			terms = fewer
		}
	}
	return terms
}

// clash warns of rules that leave no place: one by itself, or several that
// contradict each other.
func (v *review) clash(c *Compiled, mix mixture, facet fleet.Facet, terms []term) {
	v.contradiction(c, mix, facet, fewest(terms, c.catalog), "")
}

func (v *review) contradiction(c *Compiled, mix mixture, facet fleet.Facet, terms []term, when string) {
	var rules []string
	for i := range terms {
		rules = append(rules, terms[i].rules()...)
	}
	rules = slices.Compact(slices.Sorted(slices.Values(rules)))
	witness := fleet.Question{Classes: mix.classes, Facet: facet, Region: c.witness(terms), At: c.at}
	of := mix.String()
	since := ""
	if c.at.After(v.from) {
		since = " from " + c.at.UTC().Format(dateLayout) + " on"
	}
	if len(terms) == 1 {
		kind, why := fleet.WarningDeniesAll, "no place of the catalog can satisfy it"
		if c.learnable(terms[0].clauses) {
			why = "of no place of the catalog are the facts known that it asks for"
			if !v.touches(mix) {
				kind = fleet.WarningStyle
			}
		}
		v.warn(kind, when, facet, witness, rules,
			fmt.Sprintf("%s denies {facets} of %s everywhere%s%s: %s.", strings.Join(rules, " with "), of, since, when, why))
		return
	}
	var parts []string
	for i := range terms {
		parts = append(parts, fmt.Sprintf("%s leaves only %s", strings.Join(terms[i].rules(), " with "), c.few(&terms[i])))
	}
	v.warn(fleet.WarningContradiction, when, facet, witness, rules,
		fmt.Sprintf("Together these rules leave no place for {facets} of %s%s%s: %s.", of, since, when, strings.Join(parts, "; ")))
}

// touches reports whether a subject has such data.
func (v *review) touches(mix mixture) bool {
	return slices.ContainsFunc(mix.classes, func(class string) bool { return v.used[class] })
}

// learnable reports whether some cloud region would satisfy a rule about its
// operator if only the facts that Region documents add were as it wants.
func (c *Compiled) learnable(clauses []*clause) bool {
	if clauses[0].kind != fleet.RuleOperator {
		return false
	}
	spec, operator := *clauses[0].spec, *clauses[0].spec.Operator
	operator.Certifications, operator.SupportedFrom, spec.Operator = nil, nil, &operator
	without := *clauses[0].rule
	without.spec = &spec
	for place := range c.catalog.clouds.Each {
		if len(c.operatorFaults(&without, place)) == 0 {
			return true
		}
	}
	return false
}

// witness is a place that the first of some terms leaves, and others do not.
func (c *Compiled) witness(terms []term) string {
	for i := range terms {
		left := terms[i].leaves
		left.And(&c.catalog.clouds)
		for place := range left.Each {
			return c.catalog.names[place]
		}
	}
	if len(c.catalog.regions) > 0 {
		return c.catalog.regions[0]
	}
	return ""
}

// few names some of the places a term leaves.
func (c *Compiled) few(t *term) string {
	const shown = 3
	left := t.leaves
	left.And(&c.catalog.clouds)
	if left.Empty() {
		left = t.leaves
	}
	names := c.catalog.Names(&left)
	switch {
	case len(names) == 0:
		return "no place"
	case len(names) > shown:
		return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
	}
	return strings.Join(names, ", ")
}

// mostAssignments bounds how many combinations of facts are tried for a
// contradiction.
const mostAssignments = 512

// conditional looks for facts of the data under which rules contradict.
func (v *review) conditional(c *Compiled, mix mixture, facet int, terms []term) {
	worst := slices.Clone(terms)
	for i := range worst {
		worst[i].where.surely = worst[i].where.possibly
	}
	if left := possible(worst, c.catalog); !left.Empty() {
		return
	}
	involved := fewest(worst, c.catalog)
	definitions, values := c.assignments(involved)
	total := 1
	for i := range values {
		if total *= len(values[i]); total > mostAssignments {
			return
		}
	}
	for number := range total {
		facts := map[string]knownFact{}
		var named []string
		for i := range values {
			value := values[i][number%len(values[i])]
			number /= len(values[i])
			facts["data."+definitions[i]] = newKnownFact(value, fleet.SourceAttested, "")
			named = append(named, fmt.Sprintf("data.%s is %s", definitions[i], plainValue(value)))
		}
		known := c.withFacts(involved, facet, facts)
		if left := possible(known, c.catalog); left.Empty() {
			v.contradiction(c, mix, fleet.Facets[facet], fewest(known, c.catalog), " when "+strings.Join(named, " and "))
			return
		}
	}
}

// withFacts are terms about data with facts. Of transfer rules only those
// count that then apply.
func (c *Compiled) withFacts(terms []term, facet int, facts map[string]knownFact) []term {
	known := slices.Clone(terms)
	for i := range known {
		one := &known[i]
		transfers := one.clauses[0].kind == fleet.RuleTransferIf
		if transfers {
			one.leaves = Set{}
		}
		one.where = applicability{}
		for _, cl := range terms[i].clauses {
			where := c.applies(cl, facet, facts)
			one.where.surely.Or(&where.surely)
			one.where.possibly.Or(&where.possibly)
			if leads := (Set{}); transfers {
				leads = c.bestCase(cl)
				leads.And(&where.surely)
				one.leaves.Or(&leads)
			}
		}
	}
	return known
}

// assignments are the facts that terms look at, with values worth trying.
func (c *Compiled) assignments(terms []term) (names []string, values [][]any) {
	found := map[string][]any{}
	for i := range terms {
		for _, cl := range terms[i].clauses {
			if cl.when == nil {
				continue
			}
			for _, name := range cl.when.dataFacts {
				if definition, ok := definitionOf(fleet.DataFacts, strings.TrimPrefix(name, "data.")); ok {
					found[definition.Name] = distinct(append(found[definition.Name], cl.when.possible(definition)...))
				}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if len(found[name]) > 0 {
			names, values = append(names, name), append(values, found[name])
		}
	}
	return names, values
}

// copyClash warns of copies that are asked for where no copy is allowed.
func (v *review) copyClash(c *Compiled, mix mixture, facet int) {
	for _, class := range mix.classes {
		for _, cl := range c.classes[class].facets[facet].plain {
			if cl.kind == fleet.RuleRequireCopy && !c.applies(cl, facet, nil).surely.Empty() {
				v.copies(c, mix, facet, cl)
			}
		}
	}
}

func (v *review) copies(c *Compiled, mix mixture, facet int, cl *clause) {
	var homes Set
	involved := []term{{clauses: []*clause{cl}, leaves: cl.holds}}
	for index := range fleet.Facets {
		if !cl.copies.has(index) {
			continue
		}
		terms := c.terms(mix.classes, index)
		left := possible(terms, c.catalog)
		if speaks(terms, len(mix.classes)) {
			homes.Or(&left)
		}
		for _, one := range terms {
			outside := one.leaves
			outside.And(&cl.holds)
			if outside != cl.holds && one.clauses[0] != cl {
				involved = append(involved, one)
			}
		}
	}
	homes.And(&cl.holds)
	if homes.Len() >= cl.wanted() {
		return
	}
	if cl.holds.Len() < cl.wanted() {
		involved = involved[:1]
	}
	v.copyWarning(c, mix, facet, cl, distinctTerms(involved))
}

func distinctTerms(terms []term) []term {
	var list []term
	for _, one := range terms {
		if !slices.ContainsFunc(list, func(other term) bool { return slices.Equal(other.rules(), one.rules()) }) {
			list = append(list, one)
		}
	}
	return list
}

func (v *review) copyWarning(c *Compiled, mix mixture, facet int, cl *clause, involved []term) {
	var rules []string
	for i := range involved {
		rules = append(rules, involved[i].rules()...)
	}
	witness := fleet.Question{Classes: mix.classes, Facet: fleet.Facets[facet], Region: c.witness(involved), At: c.at}
	of := mix.String()
	kind, why := fleet.WarningContradiction, "where "+strings.Join(rules[1:], " and ")+" allow no copy"
	if len(rules) == 1 {
		kind, why = fleet.WarningDeniesAll, "where no rule permits a copy, or there are too few places"
	}
	v.warn(kind, "copy", fleet.Facets[facet], witness, rules,
		fmt.Sprintf("%s wants %s of %s in %s, %s: {facets} of such data is denied everywhere.", cl.id, counting(cl.wanted()), of, scopeText(&cl.spec.RequireCopy.In), why))
}
