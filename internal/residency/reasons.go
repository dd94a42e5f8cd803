package residency

import (
	"fmt"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// finding puts into words what a rule says of a place.
func (c *Compiled) finding(p *Prepared, rule *applied, place PlaceID, effect fleet.Effect, a *asked) fleet.Finding {
	reason, facts := c.reason(rule.clause, place, effect)
	switch {
	case rule.kind == fleet.RuleRequireCopy:
		reason, facts = p.copyReason(rule, a)
	case rule.kind == fleet.RuleAllowOnly && effect == fleet.EffectDenies && rule.holds.Has(place):
		reason = fmt.Sprintf("The place is in %s, but it is only %s; the rule wants it %s.", scopeText(rule.spec.AllowOnly), a.source, rule.spec.MinimumSource)
	case rule.kind == fleet.RuleTransferIf && effect == fleet.EffectAllows && !rule.holds.Has(place) && rule.spec.TransferIf.Basis != fleet.BasisAdequacy:
		reason, facts = p.instrumentReason(rule, place, facts)
	}
	reason = rule.sentence(reason)
	if rule.when != nil {
		known := c.regionFacts[place]()
		for _, name := range rule.when.regionFacts {
			facts = append(facts, known[name].used(name, rule.spec.MinimumSource))
		}
		for _, name := range rule.when.dataFacts {
			facts = append(facts, p.facts[name].used(name, rule.spec.MinimumSource))
		}
		if !rule.where.surely.Has(place) {
			reason += " " + p.doubt(rule, place)
		}
	}
	return fleet.Finding{
		Policy: rule.policy.name, Version: rule.policy.spec.Version, Rule: rule.spec.Name, Kind: rule.kind, Effect: effect,
		Region: c.catalog.names[place], Reason: reason, Cites: rule.spec.Cites, Facts: facts,
	}
}

// sentence puts what the rule says in plain words before a reason.
func (r *rule) sentence(reason string) string {
	plain := strings.TrimSpace(r.spec.Plain)
	switch {
	case plain == "":
		return reason
	case strings.ContainsAny(plain[len(plain)-1:], ".!?"):
		return plain + " " + reason
	}
	return plain + ". " + reason
}

func (c *Compiled) reason(cl *clause, place PlaceID, effect fleet.Effect) (string, []fleet.UsedFact) {
	title := c.catalog.titles[place]
	switch cl.kind {
	case fleet.RuleAllowOnly:
		facts := c.placeFacts(place, cl.spec.AllowOnly)
		if effect == fleet.EffectAllows || cl.holds.Has(place) {
			return fmt.Sprintf("%s is in %s.", title, scopeText(cl.spec.AllowOnly)), facts
		}
		return fmt.Sprintf("%s is not in %s.", title, scopeText(cl.spec.AllowOnly)), facts
	case fleet.RuleOperator:
		facts := c.operatorFacts(cl.rule, place)
		if effect == fleet.EffectAllows {
			return fmt.Sprintf("What the rule asks of the operator holds of %s.", title), facts
		}
		return fmt.Sprintf("%s: %s.", title, strings.Join(c.operatorFaults(cl.rule, place), "; ")), facts
	case fleet.RuleTransferIf:
		return c.transferReason(cl, place, effect)
	}
	return "", nil
}

func (c *Compiled) transferReason(cl *clause, place PlaceID, effect fleet.Effect) (string, []fleet.UsedFact) {
	title, rule := c.catalog.titles[place], cl.spec.TransferIf
	facts := c.placeFacts(place, rule.Home, &rule.To)
	basis := strings.ReplaceAll(string(rule.Basis), "-", " ")
	switch {
	case cl.holds.Has(place):
		return fmt.Sprintf("%s is in %s, where the data is at home.", title, scopeText(rule.Home)), facts
	case !cl.leads.Has(place):
		return fmt.Sprintf("%s is not in %s, to which the basis %s leads.", title, scopeText(&rule.To), basis), facts
	case effect == fleet.EffectAllows:
		return fmt.Sprintf("%s is in %s, to which data may go by %s.", title, scopeText(&rule.To), basis), facts
	}
	with := ""
	if len(rule.Counterparties) > 0 {
		with = " with " + strings.Join(rule.Counterparties, " or ")
	}
	facts = append(facts, fleet.UsedFact{Name: "instrument"})
	return fmt.Sprintf("Data may go to %s by %s%s, but no such instrument of the data is in force and covers the place.", title, basis, with), facts
}

// instrumentReason names the instruments on which a transfer rests.
func (p *Prepared) instrumentReason(rule *applied, place PlaceID, facts []fleet.UsedFact) (string, []fleet.UsedFact) {
	var names []string
	for i := range p.instruments {
		instrument := &p.instruments[i]
		if p.covers(rule.clause, instrument).Has(place) {
			names = append(names, instrument.Name)
			facts = append(facts, fleet.UsedFact{Name: "instrument", Value: instrument.Name, Source: sourceOf(instrument.Source), Reference: instrument.Reference})
		}
	}
	return fmt.Sprintf("Data may go to %s by %s: %s.", p.compiled.catalog.titles[place],
		strings.ReplaceAll(string(rule.spec.TransferIf.Basis), "-", " "), strings.Join(names, ", ")), facts
}

// copyReason counts the copies where a rule wants them.
func (p *Prepared) copyReason(rule *applied, a *asked) (string, []fleet.UsedFact) {
	counted := p.copiesAfter(rule.clause, a)
	names := p.compiled.catalog.Names(&counted)
	facts := make([]fleet.UsedFact, 0, len(names)+2)
	for _, name := range names {
		facts = append(facts, fleet.UsedFact{Name: "copy", Value: name, Source: p.copySource(name, a)})
	}
	where := "none is"
	if len(names) > 0 {
		where = fmt.Sprintf("there %s %s", isOrAre(names), strings.Join(names, ", "))
	}
	return fmt.Sprintf("At least %s of the data must be in %s; %s.", counting(rule.wanted()), scopeText(&rule.spec.RequireCopy.In), where), facts
}

func counting(copies int) string {
	if copies == 1 {
		return "one copy"
	}
	return fmt.Sprintf("%d copies in different places", copies)
}

// copySource is how well the place of a copy is known.
func (p *Prepared) copySource(name string, a *asked) fleet.FactSource {
	place := p.compiled.catalog.ids[name]
	var best fleet.FactSource
	if place == a.place || place == a.pair {
		best = a.source
	}
	for _, copied := range p.copies {
		if (copied.place == place || copied.pair == place) && copied.source.AtLeast(best) {
			best = copied.source
		}
	}
	return best
}

// placeFacts are the facts by which a place is in scopes or not.
func (c *Compiled) placeFacts(place PlaceID, scopes ...*fleet.Scope) []fleet.UsedFact {
	known := c.regionFacts[place]()
	facts := []fleet.UsedFact{known["region.country"].used("region.country", "")}
	var visit func(scope *fleet.Scope)
	visit = func(scope *fleet.Scope) {
		if scope == nil {
			return
		}
		for _, name := range scope.Groups {
			facts = append(facts, c.groupFact(name, c.catalog.places[place].Country))
		}
		if len(scope.Providers) > 0 {
			facts = append(facts, known["region.provider"].used("region.provider", ""))
		}
		if len(scope.Partitions) > 0 {
			facts = append(facts, known["region.partition"].used("region.partition", ""))
		}
		visit(scope.Except)
	}
	for _, scope := range scopes {
		visit(scope)
	}
	return facts
}

// groupFact says whether a country is a member of a group, and by what.
func (c *Compiled) groupFact(name, country string) fleet.UsedFact {
	members := c.groups.members(name)
	fact := fleet.UsedFact{Name: "group " + name}
	if c.book.groups[name] == nil {
		return fact
	}
	fact.Source, fact.Reference = fleet.SourceAttested, "group "+name+" "+members.version
	cites, in := members.countries[country]
	switch {
	case !in:
		fact.Value = country + " is not a member"
	case cites != "":
		fact.Value, fact.Reference = country+" is a member", fact.Reference+": "+cites
	default:
		fact.Value = country + " is a member"
	}
	return fact
}

func (c *Compiled) operatorFacts(rule *rule, place PlaceID) []fleet.UsedFact {
	known, spec := c.regionFacts[place](), rule.spec.Operator
	var facts []fleet.UsedFact
	for _, part := range []struct {
		name string
		used bool
	}{
		{"region.operator", len(spec.NotControlledFrom)+len(spec.OnlyControlledFrom)+len(spec.Operators) > 0},
		{"region.jurisdictions", len(spec.NotControlledFrom)+len(spec.OnlyControlledFrom) > 0},
		{"region.partition", len(spec.Partitions)+len(spec.NotPartitions) > 0},
		{"region.supportedFrom", len(spec.SupportedFrom) > 0},
		{"region.certifications", len(spec.Certifications) > 0},
	} {
		if part.used {
			facts = append(facts, known[part.name].used(part.name, rule.spec.MinimumSource))
		}
	}
	return facts
}

// scopeText is a scope in words.
func scopeText(scope *fleet.Scope) string {
	if scope == nil {
		return "no place"
	}
	parts := append([]string{}, scope.Groups...)
	if scope.Anywhere {
		parts = append([]string{"any place"}, parts...)
	}
	for _, code := range scope.Countries {
		parts = append(parts, named(code))
	}
	parts = append(parts, scope.Regions...)
	for _, provider := range scope.Providers {
		parts = append(parts, "any region of "+provider)
	}
	for _, partition := range scope.Partitions {
		parts = append(parts, "the partition "+partition)
	}
	text := strings.Join(parts, " or ")
	if text == "" {
		text = "no place"
	}
	if scope.Except != nil {
		text += " except " + scopeText(scope.Except)
	}
	return text
}
