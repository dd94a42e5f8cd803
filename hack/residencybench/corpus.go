package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// corpus is the same question in the form each engine wants: rules, data and
// a region catalog.
type corpus struct {
	regions  []fleet.RegionFacts
	rules    []rule
	datasets []dataset
}

// rule is what all three languages can say: a set of countries, or of
// jurisdictions, for a class and some facets, under a condition or none.
type rule struct {
	name      string
	class     string
	facets    []fleet.Facet
	countries []string // places must lie here
	foreign   []string // or: no jurisdiction of the operator may be here
	secrecy   string   // only for data under this secrecy; empty: always
}

type dataset struct {
	name    string
	classes []string
	secrecy string
}

// secrecies are the values of the fact that conditions look at.
var secrecies = []string{"none", "professional", "banking"}

// newCorpus draws rules so that about ten concern each class, of which a query
// meets those about its facet.
func newCorpus(rules int, regions []fleet.RegionFacts) corpus {
	random := rand.New(rand.NewPCG(2026, uint64(rules)))
	classes := max(1, rules/10)
	c := corpus{regions: regions}
	countries, jurisdictions := distinct(regions)
	for i := range rules {
		c.rules = append(c.rules, drawRule(random, fmt.Sprintf("r%d", i), fmt.Sprintf("c%d", i%classes), countries, jurisdictions))
	}
	for i := range 40 {
		one := dataset{name: fmt.Sprintf("d%d", i), secrecy: secrecies[random.IntN(len(secrecies))]}
		for range 1 + random.IntN(2) {
			one.classes = append(one.classes, fmt.Sprintf("c%d", random.IntN(classes)))
		}
		slices.Sort(one.classes)
		one.classes = slices.Compact(one.classes)
		c.datasets = append(c.datasets, one)
	}
	return c
}

func drawRule(random *rand.Rand, name, class string, countries, jurisdictions []string) rule {
	r := rule{name: name, class: class, facets: draw(random, fleet.Facets, 1+random.IntN(3))}
	if random.IntN(5) == 0 {
		r.foreign = draw(random, jurisdictions, 1+random.IntN(3))
	} else {
		r.countries = draw(random, countries, len(countries)/2+random.IntN(len(countries)/2))
	}
	if random.IntN(5) == 0 {
		r.secrecy = secrecies[random.IntN(len(secrecies))]
	}
	return r
}

// draw takes n different elements.
func draw[T any](random *rand.Rand, from []T, n int) []T {
	var out []T
	for _, i := range random.Perm(len(from))[:min(n, len(from))] {
		out = append(out, from[i])
	}
	return out
}

func distinct(regions []fleet.RegionFacts) (countries, jurisdictions []string) {
	for _, region := range regions {
		countries, jurisdictions = append(countries, region.Country), append(jurisdictions, region.Jurisdictions...)
	}
	slices.Sort(countries)
	slices.Sort(jurisdictions)
	return slices.Compact(countries), slices.Compact(jurisdictions)
}

// query is one question.
type query struct {
	dataset int
	facet   fleet.Facet
	region  int
}

// queries are every dataset and facet over all regions.
func (c corpus) queries() []query {
	var all []query
	for d := range c.datasets {
		for _, facet := range fleet.Facets {
			for r := range c.regions {
				all = append(all, query{d, facet, r})
			}
		}
	}
	return all
}

// resources are the corpus as Meridian's documents, one policy for each class.
func (c corpus) resources() ([]fleet.Resource, error) {
	policies := map[string]*fleet.ResidencyPolicySpec{}
	var names []string
	for _, r := range c.rules {
		policy := policies[r.class]
		if policy == nil {
			policy = &fleet.ResidencyPolicySpec{
				Version: "1", Effective: fleet.Period{From: "2026-01-01"}, AppliesTo: fleet.PolicySubjects{Classes: []string{r.class}},
			}
			policies[r.class], names = policy, append(names, r.class)
		}
		policy.Rules = append(policy.Rules, r.meridian())
	}
	var resources []fleet.Resource
	for _, name := range names {
		class, err := fleet.NewResource(fleet.KindDataClass, name, fleet.DataClassSpec{}, nil)
		if err != nil {
			return nil, err
		}
		policy, err := fleet.NewResource(fleet.KindResidencyPolicy, name, policies[name], nil)
		if err != nil {
			return nil, err
		}
		resources = append(resources, class, policy)
	}
	return resources, nil
}

func (r rule) meridian() fleet.Rule {
	out := fleet.Rule{Name: r.name, Facets: r.facets, Cites: "Art. " + r.name}
	if r.foreign != nil {
		out.Operator = &fleet.OperatorRule{NotControlledFrom: r.foreign}
	} else {
		out.AllowOnly = &fleet.Scope{Countries: r.countries}
	}
	if r.secrecy != "" {
		out.When = fmt.Sprintf("data.secrecy == %q", r.secrecy)
	}
	return out
}

func (d dataset) subject() residency.Subject {
	value, _ := json.Marshal(d.secrecy) // text
	return residency.Subject{
		Ref: fleet.Ref{Kind: fleet.KindDataset, Name: d.name}, Declared: true, Classes: d.classes,
		Facts: map[string]fleet.DataFact{"secrecy": {Value: value, Source: fleet.SourceDeclared}},
	}
}
