package residency

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// openness is what the rules say of a class as a whole.
type openness struct {
	spoken facetSet // facets that some rule speaks about
	open   facetSet // facets that no rule limits to places
}

// holding are the facets under which a place has the data itself.
var holding = facetsOf([]fleet.Facet{fleet.FacetStorage, fleet.FacetProcessing, fleet.FacetBackup, fleet.FacetReplica})

// wide reports whether the data may be anywhere: under all facets that hold
// data, or under all that the rules speak about.
func (o openness) wide() bool {
	return o.open&holding == holding || o.open == o.spoken && o.open&holding != 0
}

// silence notes what no rule speaks about: a warning where a subject has such
// data. A class for others to build on, and one of which the same is said of a
// class it is, need none.
func (v *review) silence(c *Compiled, class string, spoken facetSet) {
	if spoken == allFacets || spoken == 0 && v.builtOn(c, class) || !c.at.Equal(v.from) {
		return
	}
	for _, ancestor := range c.classes[class].ancestors[1:] {
		if c.spokenFacets(ancestor) == spoken && v.used[ancestor] == v.used[class] {
			return
		}
	}
	silent := allFacets &^ spoken
	kind, text := fleet.WarningDeniesAll, fmt.Sprintf("No rule in force speaks about %s of %s, so it is denied everywhere.", silent, class)
	switch {
	case spoken == 0 && v.used[class]:
		text = fmt.Sprintf("No policy in force speaks about %s, so everything is denied with such data.", class)
	case spoken == 0:
		kind, text = fleet.WarningUnused, fmt.Sprintf("No policy in force speaks about %s, and no data is declared to be of it.", class)
	case !v.used[class]:
		kind = fleet.WarningStyle
	}
	witness := fleet.Question{Classes: []string{class}, Facet: silent.first(), At: c.at}
	if names := c.catalog.regions; len(names) > 0 {
		witness.Region = names[0]
	}
	v.warn(kind, "silent "+class, "", witness, nil, text)
}

// builtOn reports whether rules speak of a class that is another, more general
// one: which then is there for the others alone.
func (v *review) builtOn(c *Compiled, class string) bool {
	return slices.ContainsFunc(v.book.names, func(name string) bool {
		return name != class && slices.Contains(c.classes[name].ancestors, class) && c.spokenFacets(name) != 0
	})
}

func (c *Compiled) spokenFacets(class string) facetSet {
	var spoken facetSet
	for index := range fleet.Facets {
		if speaks(c.terms([]string{class}, index), 1) {
			spoken |= 1 << index
		}
	}
	return spoken
}

// open notes what is allowed everywhere whatever the data is: a warning where
// that is all there is to a class, and nobody decided it in so many words for
// a class that no subject has; nothing where so many words open what holds no
// data. Of classes that are others it is said once.
func (v *review) open(c *Compiled, class string, said openness) {
	if said.open == 0 || slices.ContainsFunc(c.classes[class].ancestors[1:], func(ancestor string) bool { return c.openFacets(ancestor) == said.open }) {
		return
	}
	kind, text := fleet.WarningStyle, "{facets} of %s is allowed everywhere: no rule limits it to places."
	if said.wide() && (v.used[class] || !c.decided(class, said.open)) {
		kind = fleet.WarningAllowsAll
	}
	if said.open == allFacets {
		text = "Everything with %s is allowed everywhere: no rule limits it to places."
	}
	if kind == fleet.WarningStyle && (!c.at.Equal(v.from) || said.open&holding == 0 && c.decided(class, said.open)) {
		return
	}
	var rules []string
	for index := range fleet.Facets {
		for _, one := range c.terms([]string{class}, index) {
			if said.open.has(index) {
				rules = append(rules, one.rules()...)
			}
		}
	}
	witness := fleet.Question{Classes: []string{class}, Facet: said.open.first(), Region: c.catalog.names[0], At: c.at}
	v.warn(kind, "open "+class, "", witness, distinctNames(rules), strings.ReplaceAll(fmt.Sprintf(text, class), "{facets}", said.open.String()))
}

func (c *Compiled) openFacets(class string) facetSet {
	var open facetSet
	for index, facet := range fleet.Facets {
		if c.limitless([]string{class}, facet) {
			open |= 1 << index
		}
	}
	return open
}

func (c *Compiled) limitless(classes []string, facet fleet.Facet) bool {
	return c.Prepare(Subject{Declared: true, Classes: classes}).Allowed(facet) == c.catalog.all
}

// decided reports whether for each of some facets a rule says that the class
// may be anywhere.
func (c *Compiled) decided(class string, facets facetSet) bool {
	for index := range fleet.Facets {
		said := slices.ContainsFunc(c.classes[class].facets[index].plain, func(cl *clause) bool {
			return cl.kind == fleet.RuleAllowOnly && cl.spec.AllowOnly.Anywhere
		})
		if facets.has(index) && !said {
			return false
		}
	}
	return true
}

func distinctNames(names []string) []string {
	var list []string
	for _, name := range names {
		list = noteOnce(list, name)
	}
	return list
}
