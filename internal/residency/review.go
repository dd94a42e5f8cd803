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
// at which policies or groups change. The gravest warnings come first; what
// touches no class that a subject has is mostly a remark.
func (r *Rulebook) Review(catalog *Catalog, from time.Time, subjects []Subject) []fleet.PolicyWarning {
	review := &review{book: r, catalog: catalog, from: from, used: map[string]bool{}, found: map[string]*suspicion{}}
	for _, name := range r.names {
		review.mixes = append(review.mixes, mixture{classes: []string{name}})
	}
	for _, subject := range subjects {
		review.mix(subject)
		all, _ := Classes(r, subject.Classes)
		for _, class := range all {
			review.used[class] = true
		}
	}
	for _, at := range r.changes(from) {
		compiled, err := r.Compile(catalog, at)
		if err != nil {
			break // no catalog: nothing can be said of places
		}
		review.at(compiled)
	}
	warnings := append(review.warnings(loud), r.unused(catalog)...)
	return append(append(warnings, review.warnings(quiet)...), r.style()...)
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
	used    map[string]bool // classes that subjects have, with inherited ones
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
func (v *review) warn(kind fleet.WarningKind, key string, facet fleet.Facet, witness fleet.Question, rules []string, text string) {
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
}

// The kinds of warnings, the gravest first.
var (
	loud  = []fleet.WarningKind{fleet.WarningContradiction, fleet.WarningDeniesAll, fleet.WarningAllowsAll}
	quiet = []fleet.WarningKind{fleet.WarningUnused, fleet.WarningStyle}
)

func (v *review) warnings(kinds []fleet.WarningKind) []fleet.PolicyWarning {
	var list []fleet.PolicyWarning
	for _, kind := range kinds {
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
	left, spoken, open, wide := 0, 0, 0, false
	for _, mix := range v.mixes {
		if slices.ContainsFunc(mix.classes, func(name string) bool { return c.classes[name] == nil }) {
			continue
		}
		var said openness
		for index, facet := range fleet.Facets {
			terms := c.terms(mix.classes, index)
			if speaks(terms, len(mix.classes)) {
				said.spoken |= 1 << index
			}
			switch places := possible(terms, c.catalog); {
			case !said.spoken.has(index):
			case places.Empty():
				v.clash(c, mix, facet, terms)
			default:
				left++
				v.conditional(c, mix, index, terms)
				if c.limitless(mix.classes, facet) {
					said.open |= 1 << index
				}
			}
			v.copyClash(c, mix, index)
		}
		if len(mix.classes) == 1 {
			v.silence(c, mix.classes[0], said.spoken)
			v.open(c, mix.classes[0], said)
		}
		spoken, open, wide = spoken+said.spoken.len(), open+said.open.len(), wide || said.wide()
	}
	if len(v.mixes) == 0 || len(v.book.policies) == 0 || !c.at.Equal(v.from) {
		return
	}
	switch {
	case left == 0:
		v.warn(fleet.WarningDeniesAll, "all", "", fleet.Question{At: c.at}, nil, "These policies deny everything: no class of data may be used anywhere, under any facet.")
	case open == spoken && wide:
		v.warn(fleet.WarningAllowsAll, "all", "", fleet.Question{At: c.at}, nil, "These policies allow everything they speak about: every class of data they name may be used everywhere.")
	}
}
