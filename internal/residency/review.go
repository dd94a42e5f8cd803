package residency

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// mostInstants bounds how many changes of the law a review looks ahead.
const mostInstants = 48

// Review finds what is suspicious about the rules from an instant on: rules
// that together leave nothing, or that leave everything, for a class or the
// classes a subject combines; rules and groups that can never matter; and what
// is missing for people. It looks at the given instant and at each later one
// at which policies or groups change. The gravest warnings come first.
func (r *Rulebook) Review(catalog *Catalog, from time.Time, subjects []Subject) []fleet.PolicyWarning {
	review := &review{book: r, catalog: catalog, from: from, found: map[string]*suspicion{}}
	for _, name := range r.names {
		review.mixes = append(review.mixes, mixture{classes: []string{name}})
	}
	for _, subject := range subjects {
		review.mix(subject)
	}
	for _, at := range r.changes(from) {
		compiled, err := r.Compile(catalog, at)
		if err != nil {
			break // no catalog: nothing can be said of places
		}
		review.at(compiled)
	}
	warnings := append(review.warnings(), r.unused(catalog)...)
	return append(warnings, r.style()...)
}

// changes are the instant and the later ones at which the law changes.
func (r *Rulebook) changes(from time.Time) []time.Time {
	instants := []time.Time{from}
	add := func(at time.Time) {
		if at.After(from) {
			instants = append(instants, at)
		}
	}
	for _, history := range r.policies {
		for _, version := range history.versions {
			add(version.began)
			add(version.ended)
			for _, rule := range version.rules {
				add(rule.began)
				add(rule.ended)
			}
		}
	}
	for _, group := range r.groups {
		for _, member := range group.members {
			add(member.began)
			add(member.ended)
		}
	}
	slices.SortFunc(instants, time.Time.Compare)
	instants = slices.CompactFunc(instants, time.Time.Equal)
	return instants[:min(len(instants), mostInstants)]
}

// review collects suspicions over instants, classes and facets.
type review struct {
	book    *Rulebook
	catalog *Catalog
	from    time.Time
	mixes   []mixture
	order   []string
	found   map[string]*suspicion
}

// mixture is classes that data have together.
type mixture struct {
	subject fleet.Ref // that has them; zero for a class by itself
	classes []string
}

func (m mixture) String() string {
	text := strings.Join(m.classes, " and ")
	if m.subject.Name != "" {
		text += fmt.Sprintf(" (together in %s)", m.subject)
	}
	return text
}

// suspicion is one warning with everything it holds for.
type suspicion struct {
	kind    fleet.WarningKind
	text    string // with %s for the facets
	rules   []string
	facets  []string
	witness fleet.Question
}

func (v *review) mix(subject Subject) {
	classes := slices.Compact(slices.Sorted(slices.Values(subject.Classes)))
	known := func(mix mixture) bool { return slices.Equal(mix.classes, classes) }
	if len(classes) > 1 && !slices.ContainsFunc(v.mixes, known) {
		v.mixes = append(v.mixes, mixture{subject: subject.Ref, classes: classes})
	}
}

// warn notes a suspicion. The same of another facet joins it; of another class
// or a later instant it is known already.
func (v *review) warn(kind fleet.WarningKind, key string, facet fleet.Facet, witness fleet.Question, rules []string, text string) *suspicion {
	key = string(kind) + "\n" + key + "\n" + strings.Join(rules, "\n")
	known := v.found[key]
	if known == nil {
		known = &suspicion{kind: kind, text: text, rules: rules, witness: witness}
		v.found[key] = known
		v.order = append(v.order, key)
	}
	if facet != "" && !slices.Contains(known.facets, string(facet)) && slices.Equal(known.witness.Classes, witness.Classes) && known.witness.At.Equal(witness.At) {
		known.facets = append(known.facets, string(facet))
	}
	return known
}

var gravity = []fleet.WarningKind{fleet.WarningContradiction, fleet.WarningDeniesAll, fleet.WarningAllowsAll}

func (v *review) warnings() []fleet.PolicyWarning {
	var list []fleet.PolicyWarning
	for _, kind := range gravity {
		for _, key := range v.order {
			found := v.found[key]
			if found.kind != kind {
				continue
			}
			witness := found.witness
			list = append(list, fleet.PolicyWarning{
				Kind: kind, Message: strings.ReplaceAll(found.text, "{facets}", strings.Join(found.facets, ", ")), Rules: found.rules, Witness: &witness,
			})
		}
	}
	return list
}

// at reviews the rules of an instant.
func (v *review) at(c *Compiled) {
	nothing, everything, asked := 0, 0, 0
	for _, mix := range v.mixes {
		if slices.ContainsFunc(mix.classes, func(name string) bool { return c.classes[name] == nil }) {
			continue
		}
		var silent []string
		for index, facet := range fleet.Facets {
			asked++
			terms := c.terms(mix.classes, index)
			switch left := possible(terms, c.catalog); {
			case !speaks(terms, len(mix.classes)):
				silent = append(silent, string(facet))
				nothing++
			case left.Empty():
				nothing++
				v.clash(c, mix, facet, terms)
			default:
				v.conditional(c, mix, index, terms)
				if v.unlimited(c, mix, facet) {
					everything++
				}
			}
			v.copyClash(c, mix, index)
		}
		if c.at.Equal(v.from) && len(mix.classes) == 1 {
			v.silence(c, mix, silent)
		}
	}
	if asked == 0 || !c.at.Equal(v.from) {
		return
	}
	switch {
	case nothing == asked:
		v.warn(fleet.WarningDeniesAll, "all", "", fleet.Question{At: c.at}, nil, "These policies deny everything: no class of data may be used anywhere, under any facet.")
	case everything == asked:
		v.warn(fleet.WarningAllowsAll, "all", "", fleet.Question{At: c.at}, nil, "These policies allow everything: every class of data may be used everywhere, under every facet.")
	}
}

// silence warns of facets that no rule speaks about: unless a class it is has
// the warning already, or rules speak of the classes that build on it.
func (v *review) silence(c *Compiled, mix mixture, silent []string) {
	class := mix.classes[0]
	if len(silent) == 0 || len(silent) == len(fleet.Facets) && v.builtOn(c, class) {
		return
	}
	text := fmt.Sprintf("No rule in force speaks about %s of %s, so it is denied everywhere.", strings.Join(silent, ", "), class)
	if len(silent) == len(fleet.Facets) {
		text = fmt.Sprintf("No policy in force speaks about %s, so everything is denied with such data.", class)
	}
	for _, ancestor := range c.classes[class].ancestors[1:] {
		if slices.Equal(c.silentFacets(ancestor), silent) {
			return
		}
	}
	witness := fleet.Question{Classes: mix.classes, Facet: fleet.Facet(silent[0]), At: c.at}
	if names := c.catalog.regions; len(names) > 0 {
		witness.Region = names[0]
	}
	v.warn(fleet.WarningDeniesAll, "silent "+class, "", witness, nil, text)
}

// builtOn reports whether rules speak of a class that is another, more general
// one: which then is there for the others alone.
func (v *review) builtOn(c *Compiled, class string) bool {
	return slices.ContainsFunc(v.book.names, func(name string) bool {
		return name != class && slices.Contains(c.classes[name].ancestors, class) && len(c.silentFacets(name)) < len(fleet.Facets)
	})
}

func (c *Compiled) silentFacets(class string) []string {
	var silent []string
	for index, facet := range fleet.Facets {
		if !speaks(c.terms([]string{class}, index), 1) {
			silent = append(silent, string(facet))
		}
	}
	return silent
}

// unlimited warns of what is allowed everywhere whatever the data is: once for
// a class, with all facets, and not again for the classes that are it.
func (v *review) unlimited(c *Compiled, mix mixture, facet fleet.Facet) bool {
	if !c.limitless(mix.classes, facet) {
		return false
	}
	for _, class := range mix.classes {
		for _, ancestor := range c.classes[class].ancestors[1:] {
			if c.limitless([]string{ancestor}, facet) {
				return true
			}
		}
	}
	witness := fleet.Question{Classes: mix.classes, Facet: facet, Region: c.catalog.names[0], At: c.at}
	v.warn(fleet.WarningAllowsAll, strings.Join(mix.classes, " "), facet, witness, nil,
		fmt.Sprintf("{facets} of %s is allowed everywhere: no rule limits it to places.", mix)).blame(c, mix, facetIndex(facet))
	return true
}

func (c *Compiled) limitless(classes []string, facet fleet.Facet) bool {
	return c.Prepare(Subject{Declared: true, Classes: classes}).Allowed(facet) == c.catalog.all
}

// blame adds the rules that leave everything open.
func (s *suspicion) blame(c *Compiled, mix mixture, facet int) {
	for _, one := range c.terms(mix.classes, facet) {
		for _, id := range one.rules() {
			if !slices.Contains(s.rules, id) {
				s.rules = append(s.rules, id)
			}
		}
	}
}
