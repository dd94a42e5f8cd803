package residency

import "github.com/meridian-fleet/meridian/internal/fleet"

// wanted is how many places a copy rule asks for.
func (cl *clause) wanted() int { return max(1, cl.spec.RequireCopy.Minimum) }

// copied are the places where a question about one place, which nothing
// leaves, finds a copy rule satisfied.
func (p *Prepared) copied(cl *clause, facet int) Set {
	counted := p.counted(cl, nil)
	missing := cl.wanted() - counted.Len()
	switch {
	case missing <= 0:
		return p.compiled.catalog.all
	case missing > 1 || !p.isCopy(cl, facet):
		return Set{}
	}
	set := cl.holds
	set.AndNot(&counted)
	return set
}

// isCopy reports whether the place asked about is a copy itself. Without a
// dataset it is the only one there is.
func (p *Prepared) isCopy(cl *clause, facet int) bool {
	return p.dataset == "" || cl.copies.has(facet)
}

// counted are the places with a copy that counts for a rule, but for those the
// act leaves. With a region goes the pair of what is stored there.
func (p *Prepared) counted(cl *clause, leaving []string) Set {
	var set Set
	gone := p.compiled.places(leaving)
	for _, copied := range p.copies {
		if copied.facets&cl.copies == 0 || !copied.source.AtLeast(cl.spec.MinimumSource) || gone.Has(copied.place) {
			continue
		}
		set.Add(copied.place)
		set.Add(copied.pair)
	}
	set.AndNot(&gone)
	set.And(&cl.holds)
	return set
}

func (c *Compiled) places(names []string) Set {
	var set Set
	for _, name := range names {
		if id, ok := c.catalog.ids[name]; ok {
			set.Add(id)
		}
	}
	return set
}

// copiesAfter are the places with a copy that counts once what is asked about
// is done.
func (p *Prepared) copiesAfter(cl *clause, a *asked) Set {
	set := p.counted(cl, a.leaving)
	if p.isCopy(cl, a.facet) && wellKnown(a.source, cl.spec.MinimumSource) {
		asked := Set{}
		asked.Add(a.place)
		asked.Add(a.pair)
		asked.And(&cl.holds)
		set.Or(&asked)
	}
	return set
}

// wellKnown reports whether the place asked about is known as well as a rule
// wants; a hypothetical one is.
func wellKnown(source, minimum fleet.FactSource) bool { return source == "" || source.AtLeast(minimum) }
