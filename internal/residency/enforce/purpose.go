package enforce

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// purpose is what an account, a project or a subscription is for.
type purpose struct {
	*Compiler
	subjects []residency.Subject // each must be allowed
	facets   []fleet.Facet
	provider string
	where    string // the partition
}

// step is where something is allowed from an instant on; the first begins now.
type step struct {
	from    time.Time
	regions []string // ids, sorted
}

// purposeIn reads what the input says the target is for.
func (c *Compiler) purposeIn(provider, partition string) (*purpose, error) {
	p := &purpose{Compiler: c, provider: provider, where: partition}
	var err error
	if p.facets, err = c.input.keeps(); err != nil {
		return nil, err
	}
	if len(c.input.Classes)+len(c.input.Datasets) == 0 {
		return nil, fleet.Errorf(fleet.ErrInvalid, "nothing says what data it is for").At(fleet.Position{}, "classes").
			Advise("name classes or datasets")
	}
	if _, unknown := residency.Classes(c.rulebook, c.input.Classes); len(unknown) > 0 {
		return nil, fleet.Errorf(fleet.ErrNotFound, "nobody declared it").On("DataClass " + unknown[0])
	}
	for _, class := range c.input.Classes {
		p.subjects = append(p.subjects, ofClasses(class))
	}
	for _, name := range c.input.Datasets {
		subject, declared := c.subjects[name]
		if !declared {
			return nil, fleet.Errorf(fleet.ErrNotFound, "nobody declared it").On("Dataset " + name)
		}
		p.subjects = append(p.subjects, subject)
	}
	return p, nil
}

// without is the purpose as it were without all exceptions but one.
func (p *purpose) without(all bool, but string) *purpose {
	bare := *p
	bare.subjects = slices.Clone(p.subjects)
	for i := range bare.subjects {
		bare.subjects[i].Exceptions = slices.DeleteFunc(slices.Clone(bare.subjects[i].Exceptions), func(exception residency.Exception) bool {
			return all || exception.Name != but
		})
	}
	return &bare
}

// allowed says where each facet may be at a moment, for all that it is for.
func (p *purpose) allowed(at moment) map[fleet.Facet]residency.Set {
	sets := map[fleet.Facet]residency.Set{}
	if at.rules == nil {
		return sets
	}
	for i, subject := range p.subjects {
		prepared := at.prepare(subject)
		for _, facet := range p.facets {
			set := prepared.Allowed(facet)
			if i > 0 {
				earlier := sets[facet]
				set.And(&earlier)
			}
			sets[facet] = set
		}
	}
	return sets
}

// steps are where what a function makes of the facets is allowed, now and
// whenever less of it is. What is allowed later and not now is left out until
// somebody compiles again.
func (p *purpose) steps(of func(map[fleet.Facet]residency.Set) residency.Set) ([]step, error) {
	moments, err := p.moments(nil, p.subjects...)
	if err != nil {
		return nil, err
	}
	var steps []step
	var left residency.Set
	for i, at := range moments {
		set := of(p.allowed(at))
		if i > 0 {
			set.And(&left)
			if set == left {
				continue
			}
		}
		left = set
		steps = append(steps, step{from: at.at, regions: p.ids(set)})
	}
	return slices.CompactFunc(steps, func(a, b step) bool { return slices.Equal(a.regions, b.regions) }), nil
}

// ids are the provider's names of the places that are in the partition.
func (p *purpose) ids(set residency.Set) []string {
	ids := []string{}
	for place := range set.Each {
		facts, _ := p.input.Catalog.Region(p.input.Catalog.Name(place))
		if facts.Provider == p.provider && facts.Partition == p.where {
			ids = append(ids, facts.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// any is where at least one facet may be.
func (p *purpose) any(sets map[fleet.Facet]residency.Set) residency.Set {
	var union residency.Set
	for _, set := range sets {
		union.Or(&set)
	}
	return union
}

// every is where all facets may be.
func (p *purpose) every(sets map[fleet.Facet]residency.Set) residency.Set {
	common := sets[p.facets[0]]
	for _, set := range sets {
		common.And(&set)
	}
	return common
}

func only(facet fleet.Facet) func(map[fleet.Facet]residency.Set) residency.Set {
	return func(sets map[fleet.Facet]residency.Set) residency.Set { return sets[facet] }
}

// nowhere is the fault that no region is left, with what there is elsewhere.
func (p *purpose) nowhere(why string) error {
	fault := fleet.Errorf(fleet.ErrDenied, "in no region of the partition %s %s", p.where, why)
	elsewhere := p.elsewhere(p.any(p.allowed(moment{p.input.At, p.rules})))
	if len(elsewhere) > 0 {
		return fault.Advise("what may be done somewhere may be in: %s", strings.Join(elsewhere, ", "))
	}
	return fault.Advise("no cloud has a region for it; see what residency explain says")
}

// elsewhere names the regions of a set that are in other partitions of the
// provider.
func (p *purpose) elsewhere(set residency.Set) []string {
	var names []string
	for place := range set.Each {
		name := p.input.Catalog.Name(place)
		facts, _ := p.input.Catalog.Region(name)
		if facts.Provider == p.provider && facts.Partition != p.where {
			names = append(names, name+" ("+facts.Partition+")")
		}
	}
	slices.Sort(names)
	return names
}

// otherPartitions is the residual that accounts in one partition cannot use
// another's regions.
func (p *purpose) otherPartitions(account string) []Residual {
	elsewhere := p.elsewhere(p.any(p.allowed(moment{p.input.At, p.rules})))
	if len(elsewhere) == 0 {
		return nil
	}
	return []Residual{{Reason: fmt.Sprintf("%s allowed, too, but only for %s in that partition: compile for it", listed(elsewhere), account)}}
}

// gained are the regions that more may be in, under each facet and under any
// (the empty facet), than before.
func (p *purpose) gained(before map[fleet.Facet]residency.Set) map[fleet.Facet][]string {
	after := p.allowed(moment{p.input.At, p.rules})
	more := func(after, before residency.Set) []string {
		after.AndNot(&before)
		return p.ids(after)
	}
	gained := map[fleet.Facet][]string{"": more(p.any(after), p.any(before))}
	for _, facet := range p.facets {
		gained[facet] = more(after[facet], before[facet])
	}
	return gained
}

// excepted are the residuals of exceptions: a cloud cannot tell their subject
// from what else there is.
func (p *purpose) excepted(account string) []Residual {
	var list []Residual
	before := p.without(true, "").allowed(moment{p.input.At, p.rules})
	for _, subject := range p.subjects {
		for _, exception := range subject.Exceptions {
			var regions []string
			for _, more := range p.without(false, exception.Name).gained(before) {
				regions = append(regions, more...)
			}
			slices.Sort(regions)
			if regions = slices.Compact(regions); len(regions) == 0 {
				continue
			}
			list = append(list, Residual{Policy: exception.Spec.Policy, Rule: exception.Spec.Rule, Reason: fmt.Sprintf(
				"the exception %s holds in %s for everything in %s, not for %s alone: keep nothing else in it", exception.Name, strings.Join(regions, ", "), account, exception.Spec.Subject)})
		}
	}
	return list
}

// ending are the residuals of a target that knows no time: what is no longer
// allowed from some day on.
func ending(steps []step) []Residual {
	var list []Residual
	for i := 1; i < len(steps); i++ {
		gone := slices.DeleteFunc(slices.Clone(steps[i-1].regions), func(id string) bool { return slices.Contains(steps[i].regions, id) })
		if len(gone) > 0 {
			list = append(list, Residual{Reason: fmt.Sprintf("from %s on %s no longer allowed, and the target knows no time: compile again then",
				steps[i].from.UTC().Format(time.RFC3339), listed(gone))})
		}
	}
	return list
}

func listed(regions []string) string {
	if len(regions) == 1 {
		return regions[0] + " is"
	}
	return strings.Join(regions, ", ") + " are"
}
