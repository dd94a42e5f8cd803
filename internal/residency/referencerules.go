package residency

import (
	"strings"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// alternative is a transfer rule that applies, or may.
type alternative struct {
	rule      *fleet.Rule
	applies   truth
	satisfied bool
}

// decide notes what one rule says of a place.
func (r *referee) decide(policy *policyVersion, rule *fleet.Rule, class string, facet fleet.Facet, place fleet.RegionFacts, applies truth, satisfied bool) {
	finding := fleet.Finding{
		Policy: policy.name, Version: policy.spec.Version, Rule: rule.Name, Kind: rule.Kind(), Class: "", Facet: facet, Region: place.Name(),
	}
	switch {
	case satisfied && applies == surely:
		finding.Effect = fleet.EffectAllows
		r.note(&r.permits, finding)
	case satisfied:
	case r.excepted(policy, rule, facet, place, true):
		finding.Effect = fleet.EffectSuspended
		r.note(&r.suspended, finding)
	default:
		finding.Effect = fleet.EffectDenies
		r.note(&r.denials, finding)
	}
}

// transfer judges a policy's transfer rules, which are alternatives.
func (r *referee) transfer(policy *policyVersion, list []alternative, class string, facet fleet.Facet, place fleet.RegionFacts) {
	passes := func(excepting bool) bool {
		someSurely, someSatisfied, allUndecidedSatisfied := false, false, true
		for _, one := range list {
			good := one.satisfied || excepting && r.excepted(policy, one.rule, facet, place, false)
			if one.applies == surely {
				someSurely = true
				someSatisfied = someSatisfied || good
			} else {
				allUndecidedSatisfied = allUndecidedSatisfied && good
			}
		}
		if someSurely {
			return someSatisfied
		}
		return allUndecidedSatisfied
	}
	passesPlainly, passesExcepted := passes(false), passes(true)
	for _, one := range list {
		switch {
		case one.satisfied:
			r.decide(policy, one.rule, class, facet, place, one.applies, true)
		case passesPlainly:
		case r.excepted(policy, one.rule, facet, place, false) || !passesExcepted:
			r.decide(policy, one.rule, class, facet, place, one.applies, false)
		}
	}
}

// satisfied tells whether a rule that is no transfer rule is satisfied.
func (r *referee) satisfied(rule *fleet.Rule, facet fleet.Facet, place fleet.RegionFacts) bool {
	switch rule.Kind() {
	case fleet.RuleAllowOnly:
		wellKnown := r.q.Source == "" || r.q.Source.AtLeast(rule.MinimumSource)
		return wellKnown && r.inside(place, rule.AllowOnly, false)
	case fleet.RuleOperator:
		return r.operated(rule, place)
	case fleet.RuleRequireCopy:
		return r.enoughCopies(rule)
	}
	return false
}

// enoughCopies counts the different places of copies that are where the rule
// wants them.
func (r *referee) enoughCopies(rule *fleet.Rule) bool {
	kinds := rule.RequireCopy.Copies
	if len(kinds) == 0 {
		kinds = fleet.CopyFacets
	}
	makesCopy := func(facets ...fleet.Facet) bool {
		for _, facet := range facets {
			for _, kind := range kinds {
				if facet == kind {
					return true
				}
			}
		}
		return false
	}
	leaves := func(name string) bool {
		for _, left := range r.q.Leaving {
			if left == name {
				return true
			}
		}
		return false
	}
	where := map[string]bool{}
	count := func(name string) {
		if place, known := r.catalog.Region(name); known && r.inside(place, &rule.RequireCopy.In, false) {
			where[name] = true
		}
	}
	for _, held := range r.subject.Copies {
		source := held.Source
		if source == "" {
			source = fleet.SourceDeclared
		}
		if !makesCopy(held.Facets...) || !source.AtLeast(rule.MinimumSource) || leaves(held.Region) {
			continue
		}
		count(held.Region)
		if pair := r.pairOf(held); !leaves(pair) {
			count(pair)
		}
	}
	askedCounts := r.subject.Ref.Name == "" || makesCopy(r.q.Facet)
	if askedCounts && (r.q.Source == "" || r.q.Source.AtLeast(rule.MinimumSource)) {
		count(r.place.Name())
		if r.pair != nil {
			count(r.pair.Name())
		}
	}
	minimum := rule.RequireCopy.Minimum
	if minimum == 0 {
		minimum = 1
	}
	return len(where) >= minimum
}

// pairOf is the name of a copy's second place, empty when it has none.
func (r *referee) pairOf(held Copy) string {
	place, known := r.catalog.Region(held.Region)
	switch {
	case !held.GeoRedundant:
		return ""
	case held.Pair != "":
		return held.Pair
	case known && place.ReplicaPair != "":
		return place.Provider + "/" + place.ReplicaPair
	}
	return ""
}

// transferable tells whether a transfer rule by itself lets data go to a place.
func (r *referee) transferable(rule *fleet.Rule, place fleet.RegionFacts) bool {
	transfer := rule.TransferIf
	if transfer.Home != nil && r.inside(place, transfer.Home, false) {
		return true
	}
	if !r.inside(place, &transfer.To, false) {
		return false
	}
	if transfer.Basis == fleet.BasisAdequacy {
		return true
	}
	for _, instrument := range r.subject.Instruments {
		source := instrument.Source
		if source == "" {
			source = fleet.SourceDeclared
		}
		inForce, err := Covers(fleet.Period{From: instrument.From, Until: instrument.Until}, time.UTC, r.at)
		leads := instrument.To == nil || r.inside(place, instrument.To, false)
		run := instrument.Counterparty == "" || instrument.Counterparty == place.Operator
		with := len(transfer.Counterparties) == 0
		for _, counterparty := range transfer.Counterparties {
			with = with || counterparty == instrument.Counterparty
		}
		if err == nil && inForce && leads && run && with && instrument.Basis == transfer.Basis && source.AtLeast(rule.MinimumSource) {
			return true
		}
	}
	return false
}

// operated tells whether everything a rule asks of a place's operator holds.
func (r *referee) operated(rule *fleet.Rule, place fleet.RegionFacts) bool {
	wanted := rule.Operator
	among := func(list []string, name string) bool {
		for _, one := range list {
			if one == name {
				return true
			}
		}
		return false
	}
	if len(wanted.NotControlledFrom)+len(wanted.OnlyControlledFrom) > 0 && len(place.Jurisdictions) == 0 {
		return false
	}
	for _, country := range place.Jurisdictions {
		if r.listed(wanted.NotControlledFrom, country, true) {
			return false
		}
		if len(wanted.OnlyControlledFrom) > 0 && !r.listed(wanted.OnlyControlledFrom, country, false) {
			return false
		}
	}
	if len(wanted.Partitions)+len(wanted.NotPartitions) > 0 && place.Partition == "" {
		return false
	}
	if len(wanted.Partitions) > 0 && !among(wanted.Partitions, place.Partition) || among(wanted.NotPartitions, place.Partition) {
		return false
	}
	if len(wanted.Operators) > 0 && (place.Operator == "" || !among(wanted.Operators, place.Operator)) {
		return false
	}
	facts := map[string]knownFact{}
	knownAt(facts, place.Facts, fleet.RegionFactNames, "", r.at, nil)
	if support, known := facts["supportedFrom"]; len(wanted.SupportedFrom) > 0 {
		if !known || !support.source.AtLeast(rule.MinimumSource) {
			return false
		}
		for _, country := range support.value.Value().([]string) {
			if !r.listed(wanted.SupportedFrom, country, false) {
				return false
			}
		}
	}
	if has, known := facts["certifications"]; len(wanted.Certifications) > 0 {
		if !known || !has.source.AtLeast(rule.MinimumSource) {
			return false
		}
		for _, certification := range wanted.Certifications {
			if !among(has.value.Value().([]string), certification) {
				return false
			}
		}
	}
	return true
}

// listed tells whether a list of countries and groups has a country.
func (r *referee) listed(list []string, country string, inDoubt bool) bool {
	for _, name := range list {
		if _, isCountry := Country(name); name == country || !isCountry && r.member(name, country, inDoubt) {
			return true
		}
	}
	return false
}

// member tells whether a country is in a group; whether it is in a group
// nobody declared, the caller says.
func (r *referee) member(name, country string, inDoubt bool) bool {
	declared := r.book.groups[name]
	if declared == nil {
		return inDoubt
	}
	for _, member := range declared.spec.Members {
		current, err := Covers(fleet.Period{From: member.From, Until: member.Until}, time.UTC, r.at)
		if err != nil || !current {
			continue
		}
		if member.Country == country && country != "" || member.Group != "" && r.member(member.Group, country, inDoubt) {
			return true
		}
	}
	return false
}

// inside tells whether a place is in a scope.
func (r *referee) inside(place fleet.RegionFacts, scope *fleet.Scope, inDoubt bool) bool {
	named := scope.Anywhere
	for _, group := range scope.Groups {
		named = named || r.member(group, place.Country, inDoubt)
	}
	for _, country := range scope.Countries {
		named = named || country == place.Country
	}
	for _, region := range scope.Regions {
		named = named || region == place.Name()
	}
	for _, provider := range scope.Providers {
		named = named || provider == place.Provider
	}
	for _, partition := range scope.Partitions {
		named = named || partition == place.Partition && partition != ""
	}
	return named && (scope.Except == nil || !r.inside(place, scope.Except, !inDoubt))
}

func (r *referee) oblige(policy *policyVersion, rule *fleet.Rule, place fleet.RegionFacts, applies truth) {
	if inside := rule.Obligation.Inside; inside != nil && !r.inside(place, inside, true) {
		return
	}
	if outside := rule.Obligation.Outside; outside != nil && r.inside(place, outside, false) {
		return
	}
	for i := range r.obligations {
		if other := &r.obligations[i]; other.Policy == policy.name && other.Rule == rule.Name {
			other.Unsure = other.Unsure && applies != surely
			return
		}
	}
	r.obligations = append(r.obligations, fleet.DueObligation{
		Policy: policy.name, Version: policy.spec.Version, Rule: rule.Name, Action: rule.Obligation.Action,
		Text: rule.Obligation.Text, Dataset: r.subject.Ref.Name, Unsure: applies != surely,
	})
}

// excepted tells whether an exception suspends a rule, and notes those that do
// when they matter.
func (r *referee) excepted(policy *policyVersion, rule *fleet.Rule, facet fleet.Facet, place fleet.RegionFacts, noted bool) bool {
	found := false
	for _, exception := range r.subject.Exceptions {
		spec := exception.Spec
		about := false
		for _, other := range spec.Facets {
			about = about || other == facet || other == r.q.Facet
		}
		if spec.Policy != policy.name || spec.Rule != rule.Name || spec.Subject != r.subject.Ref || !about ||
			!r.inside(place, &spec.Scope, false) || !r.inForce(exception) {
			continue
		}
		found = true
		if noted {
			r.use(fleet.UsedException{Name: exception.Name, Rule: policy.name + "/" + rule.Name, Until: spec.Until})
		}
	}
	return found
}

func (r *referee) use(used fleet.UsedException) {
	for _, other := range r.exceptions {
		if other == used {
			return
		}
	}
	r.exceptions = append(r.exceptions, used)
}

// inForce tells whether two people other than the requester had approved an
// exception by the instant, and it had begun and not ended.
func (r *referee) inForce(exception Exception) bool {
	covered, err := Covers(exception.Spec.Period, time.UTC, r.at)
	if err != nil || !covered || exception.Spec.Until == "" || exception.Status.RequestedBy == "" {
		return false
	}
	people := map[string]bool{}
	for _, approval := range exception.Status.Approvals {
		given, err := ParseInstant(approval.At)
		if err == nil && !given.After(r.at) && approval.By != "" && !strings.EqualFold(approval.By, exception.Status.RequestedBy) {
			people[strings.ToLower(approval.By)] = true
		}
	}
	if exception.Status.RevokedAt != "" || exception.Status.Phase == fleet.ExceptionRevoked {
		revoked, err := ParseInstant(exception.Status.RevokedAt)
		if err != nil || !r.at.Before(revoked) {
			return false
		}
	}
	return len(people) >= fleet.NeededApprovals
}
