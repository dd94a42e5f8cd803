package residency

import (
	"encoding/binary"
	"strconv"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// view is what the rules say of a subject under one facet, everywhere.
type view struct {
	allowed     Set
	plain       []applied
	groups      []alternatives
	obligations []applied
	spoken      []spoken
	sources     bool                      // some rule asks how well the place is known
	said        [4]remembered[conclusion] // of questions about one place, by how it is known
}

// conclusion is what a verdict says, apart from the question and the name of
// the dataset.
type conclusion struct {
	allowed     bool
	findings    []fleet.Finding
	obligations []fleet.DueObligation
	exceptions  []fleet.UsedException
}

// applied is a rule that may apply to the subject.
type applied struct {
	*clause
	class     string // the subject's class through which it applies
	where     *applicability
	satisfied Set // where it is satisfied, exceptions left aside
	suspended Set // where an exception suspends it
}

// alternatives are the transfer rules of one policy that may apply to a class.
type alternatives struct {
	rules   []applied
	refused Set // where none of them will do
	denied  Set // where that is so with exceptions, too
}

// spoken is where rules speak of a class.
type spoken struct {
	class            string
	surely, possibly Set
}

// rememberedViews bounds how many views are kept for data that is alike.
const rememberedViews = 1 << 11

// view is built on first use and kept, for all data that is alike to the rules
// about the facet. Data with exceptions has its own.
func (p *Prepared) view(facet int) *view {
	if v := p.views[facet].Load(); v != nil {
		return v
	}
	v := p.shared(facet)
	p.views[facet].CompareAndSwap(nil, v)
	return p.views[facet].Load()
}

func (p *Prepared) shared(facet int) *view {
	if len(p.exceptions) > 0 || len(p.builtIn) > 0 {
		return p.build(facet, 1<<facet, p.exceptions)
	}
	c, key := p.compiled, p.key(facet)
	c.mutex.Lock()
	found := c.views[string(key)]
	c.mutex.Unlock()
	if found != nil {
		return found
	}
	made := p.build(facet, 1<<facet, nil)
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if len(c.views) >= rememberedViews {
		clear(c.views)
	}
	c.views[string(key)] = made
	return made
}

// key is everything about the data that rules about a facet, or what they say,
// depend on.
func (p *Prepared) key(facet int) []byte {
	key := make([]byte, 0, 256)
	key = append(key, byte('0'+facet))
	if p.dataset != "" {
		key = append(key, 'd')
	}
	var copies, instruments bool
	for _, class := range p.classes {
		rules := &p.compiled.classes[class].facets[facet]
		copies, instruments = copies || rules.copies, instruments || rules.instruments
		key = append(append(key, class...), '\n')
		for _, name := range rules.dataFacts {
			fact := p.facts[name]
			key = append(append(append(append(key, fact.exact...), '\n'), fact.source...), '\n')
			key = append(strconv.AppendQuote(key, fact.reference), '\n')
		}
	}
	if copies {
		for _, copied := range p.copies {
			key = binary.AppendVarint(append(key, 'c'), int64(copied.place))
			key = binary.AppendVarint(key, int64(copied.pair))
			key = append(binary.AppendVarint(key, int64(copied.facets)), copied.source...)
		}
	}
	if instruments {
		for i := range p.instruments {
			key = p.instruments[i].describe(append(key, 'i'))
		}
	}
	return key
}

func (b *basis) describe(key []byte) []byte {
	for _, text := range []string{b.Name, string(b.Basis), b.Counterparty, string(b.Source), b.Reference} {
		key = strconv.AppendQuote(key, text)
	}
	for _, word := range b.leads {
		key = binary.LittleEndian.AppendUint64(key, word)
	}
	return key
}

// build works out a view. Exceptions for any of the excepted facets count.
func (p *Prepared) build(facet int, excepted facetSet, exceptions []suspension) *view {
	v := &view{spoken: make([]spoken, 0, len(p.classes))}
	if len(p.classes) == 1 {
		rules := &p.compiled.classes[p.classes[0]].facets[facet]
		v.plain = make([]applied, 0, len(rules.plain))
		v.obligations = make([]applied, 0, len(rules.obligations))
	}
	var seen map[int]bool
	if len(p.classes) > 1 {
		seen = map[int]bool{}
	}
	for _, class := range p.classes {
		p.include(v, class, facet, excepted, exceptions, seen)
	}
	for _, class := range p.classes {
		v.sources = v.sources || p.compiled.classes[class].facets[facet].sources
	}
	v.allowed = v.everywhere(p.compiled.catalog)
	if len(p.builtIn) > 0 {
		v.allowed = Set{}
	}
	return v
}

// include adds the rules about one of the subject's classes. Plain rules and
// obligations are there once, whatever number of classes they apply through.
func (p *Prepared) include(v *view, class string, facet int, excepted facetSet, exceptions []suspension, seen map[int]bool) {
	rules := &p.compiled.classes[class].facets[facet]
	speaks := spoken{class: class}
	note := func(rule *applied) {
		speaks.surely.Or(&rule.where.surely)
		speaks.possibly.Or(&rule.where.possibly)
	}
	for _, cl := range rules.plain {
		rule := p.apply(cl, class, facet, excepted, exceptions)
		note(&rule)
		if seen == nil || !seen[cl.number] {
			v.plain = append(v.plain, rule)
		}
		if seen != nil {
			seen[cl.number] = true
		}
	}
	for _, policy := range rules.transfers {
		group := alternatives{rules: make([]applied, 0, len(policy))}
		for _, cl := range policy {
			group.rules = append(group.rules, p.apply(cl, class, facet, excepted, exceptions))
			note(&group.rules[len(group.rules)-1])
		}
		group.refused, group.denied = group.failing(false), group.failing(true)
		v.groups = append(v.groups, group)
	}
	for _, cl := range rules.obligations {
		if seen == nil || !seen[cl.number] {
			v.obligations = append(v.obligations, applied{clause: cl, class: class, where: p.compiled.applies(cl, facet, p.facts)})
		}
		if seen != nil {
			seen[cl.number] = true
		}
	}
	v.spoken = append(v.spoken, speaks)
}

// apply finds where a rule applies to the subject and where it is satisfied.
func (p *Prepared) apply(cl *clause, class string, facet int, excepted facetSet, exceptions []suspension) applied {
	rule := applied{clause: cl, class: class, where: p.compiled.applies(cl, facet, p.facts)}
	switch cl.kind {
	case fleet.RuleTransferIf:
		rule.satisfied = p.transferable(cl)
	case fleet.RuleRequireCopy:
		rule.satisfied = p.copied(cl, facet)
	default:
		rule.satisfied = cl.holds
	}
	for i := range exceptions {
		if exceptions[i].suspends(cl, excepted) {
			rule.suspended.Or(&exceptions[i].places)
		}
	}
	return rule
}

func (s *suspension) suspends(cl *clause, facets facetSet) bool {
	return s.facets&facets != 0 && s.Spec.Rule == cl.spec.Name && s.Spec.Policy == cl.policy.name
}

// everywhere are the places where all rules are satisfied.
func (v *view) everywhere(catalog *Catalog) Set {
	set := catalog.all
	for i := range v.plain {
		rule := &v.plain[i]
		for word := range set {
			set[word] &^= rule.where.possibly[word] &^ (rule.satisfied[word] | rule.suspended[word])
		}
	}
	for i := range v.groups {
		set.AndNot(&v.groups[i].denied)
	}
	for i := range v.spoken {
		set.And(&v.spoken[i].surely)
	}
	return set
}

// failing are the places where none of the alternatives will do, whatever is
// not known: where some surely apply, none of those is satisfied; where all are
// undecided, any one of them is not, as it may be the one that applies.
func (g *alternatives) failing(excepting bool) Set {
	var apply, satisfied, doubtful Set
	for i := range g.rules {
		rule := &g.rules[i]
		for word := range apply {
			good := rule.satisfied[word]
			if excepting {
				good |= rule.suspended[word]
			}
			apply[word] |= rule.where.surely[word]
			satisfied[word] |= rule.where.surely[word] & good
			doubtful[word] |= rule.where.possibly[word] &^ rule.where.surely[word] &^ good
		}
	}
	for word := range apply {
		doubtful[word] = apply[word]&^satisfied[word] | doubtful[word]&^apply[word]
	}
	return doubtful
}

// transferable are the places a transfer rule lets the data go to.
func (p *Prepared) transferable(cl *clause) Set {
	set := cl.holds
	if cl.spec.TransferIf.Basis == fleet.BasisAdequacy {
		set.Or(&cl.leads)
		return set
	}
	for i := range p.instruments {
		covered := cl.leads
		covered.And(p.covers(cl, &p.instruments[i]))
		set.Or(&covered)
	}
	return set
}

// covers are the places to which an instrument leads for a rule.
func (p *Prepared) covers(cl *clause, instrument *basis) *Set {
	rule := cl.spec.TransferIf
	if instrument.Basis != rule.Basis || !sourceOf(instrument.Source).AtLeast(cl.spec.MinimumSource) {
		return &Set{}
	}
	if len(rule.Counterparties) > 0 && !containsAny(rule.Counterparties, []string{instrument.Counterparty}) {
		return &Set{}
	}
	if instrument.Counterparty == "" {
		return &instrument.leads
	}
	set := instrument.leads
	for place := range set.Each {
		if p.compiled.catalog.places[place].Operator != instrument.Counterparty {
			set[place>>wordOfBits] &^= 1 << (place & 63)
		}
	}
	return &set
}
