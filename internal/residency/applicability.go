package residency

import (
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// applicability is where the condition of a rule is true: surely, and possibly
// when what is not known is counted in.
type applicability struct{ surely, possibly Set }

// conditionKey is a condition with how well its facts must be known. Facet is
// 0 for conditions that do not look at it, else one more than its index.
type conditionKey struct {
	when    *expression
	minimum fleet.FactSource
	facet   int
}

// answerKey is a condition about some data: facts that matter, in a line.
type answerKey struct {
	conditionKey
	facts string
}

// partition is how a condition tells places apart: those of a kind are alike.
type partition struct {
	kinds  []Set
	sample []PlaceID // one place of each kind
}

const rememberedAnswers = 1 << 14

func (cl *clause) key(facet int) conditionKey {
	key := conditionKey{when: cl.when, minimum: cl.spec.MinimumSource}
	if cl.when != nil && cl.when.usesFacet {
		key.facet = facet + 1
	}
	return key
}

func (c *Compiled) constant(of truth) *applicability {
	all := c.catalog.all
	switch of {
	case surely:
		return &applicability{surely: all, possibly: all}
	case undecided:
		return &applicability{possibly: all}
	}
	return &applicability{}
}

// applies works out where a rule's condition is true of some data.
func (c *Compiled) applies(cl *clause, facet int, data map[string]knownFact) *applicability {
	if cl.when == nil {
		return c.always
	}
	key := cl.key(facet)
	if len(cl.when.dataFacts) == 0 {
		return c.remembered(key, func() *applicability { return c.evaluate(key, facet, nil) })
	}
	answer := answerKey{key, factsLine(cl.when.dataFacts, data, key.minimum)}
	c.mutex.Lock()
	found := c.answers[answer]
	c.mutex.Unlock()
	if found != nil {
		return found
	}
	made := c.evaluate(key, facet, data)
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if len(c.answers) >= rememberedAnswers {
		clear(c.answers)
	}
	c.answers[answer] = made
	return made
}

func (c *Compiled) remembered(key conditionKey, evaluate func() *applicability) *applicability {
	c.mutex.Lock()
	found := c.applied[key]
	c.mutex.Unlock()
	if found != nil {
		return found
	}
	made := evaluate()
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.applied[key] = made
	return made
}

// evaluate decides a condition once for each kind of place it can tell apart.
func (c *Compiled) evaluate(key conditionKey, facet int, data map[string]knownFact) *applicability {
	in := &situation{facet: fleet.Facets[facet], data: data, minimum: key.minimum}
	if len(key.when.regionFacts) == 0 {
		return c.constant(key.when.decide(in))
	}
	result := &applicability{}
	kinds := c.partition(key)
	for i, sample := range kinds.sample {
		in.region = c.regionFacts[sample]()
		switch key.when.decide(in) {
		case surely:
			result.surely.Or(&kinds.kinds[i])
			result.possibly.Or(&kinds.kinds[i])
		case undecided:
			result.possibly.Or(&kinds.kinds[i])
		}
	}
	return result
}

// partition sorts the places by the facts a condition looks at.
func (c *Compiled) partition(key conditionKey) *partition {
	key.facet = 0
	c.mutex.Lock()
	found := c.partitions[key]
	c.mutex.Unlock()
	if found != nil {
		return found
	}
	made, kinds := &partition{}, map[string]int{}
	for id := range c.catalog.places {
		line := factsLine(key.when.regionFacts, c.regionFacts[id](), key.minimum)
		kind, known := kinds[line]
		if !known {
			kind = len(made.kinds)
			kinds[line] = kind
			made.kinds = append(made.kinds, Set{})
			made.sample = append(made.sample, PlaceID(id))
		}
		made.kinds[kind].Add(PlaceID(id))
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.partitions[key] = made
	return made
}

// factsLine is what is known of some facts, in a line that differs when any of
// them does.
func factsLine(names []string, facts map[string]knownFact, minimum fleet.FactSource) string {
	var line strings.Builder
	for _, name := range names {
		if fact, ok := facts[name]; ok && fact.source.AtLeast(minimum) {
			line.WriteString(fact.exact)
		}
		line.WriteByte('\n') // never in a quoted value
	}
	return line.String()
}
