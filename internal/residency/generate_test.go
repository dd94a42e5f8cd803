package residency_test

import (
	"encoding/json"
	"fmt"
	"time"

	"pgregory.net/rapid"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// What random documents are made of. Some names are never declared.
var (
	someDates      = []string{"", "2024-02-29", "2026-01-01", "2026-03-01", "2026-03-29", "2026-06-30T22:00:00Z", "2026-12-31"}
	someZones      = []string{"", "Europe/Berlin", "Pacific/Kiritimati", "America/Sao_Paulo"}
	someClasses    = []string{"p", "p.eu", "p.eu.h", "q", "r", "r.s", "ghost"}
	someGroups     = []string{"A", "B", "C", "Nowhere"}
	someCountries  = []string{"DE", "FR", "US", "NO", "CH", "IN", "BR", "AT", "LU"}
	someConditions = []string{
		"", "", "", "", "", "", "", "", `data.secrecy == "professional"`, `data.secrecy != "none" && region.country != "DE"`, `data.subjects > 1000`,
		`region.provider == "aws"`, `"US" in region.jurisdictions`, `data.sensitive || data.subjects > 10`, `facet == "storage"`,
		`data.citizens.exists(c, c == region.country)`, `"C5" in region.certifications`, `!data.sensitive && facet != "key"`,
		`data.subjects / (data.subjects - 5) > 1`, `"p" in data.classes`, `data.name == "d"`, `data.purpose == "care"`, `"DPF" in region.certifications && region.country == "US"`, `data.collectedIn == region.country`, `region.city == "Oslo" ? data.sensitive : true`,
	}
	someOperators = []string{"Nordic Hosting AS", "Microsoft Corporation", "Amazon Web Services Inc."}
	somePeople    = []string{"ann", "bob", "Ann", "requester"}
	somePlaces    = func() []string {
		names := []string{"country/DE", "country/US", "country/IN", "aws/nowhere"}
		for _, region := range regions {
			names = append(names, region.Name())
		}
		return names
	}()
	someFacts = map[string][]string{
		"secrecy": {`"professional"`, `"none"`, `"banking"`}, "sensitive": {"true", "false"},
		"purpose": {`"care"`, `"billing"`}, "collectedIn": {`"DE"`, `"US"`}, "subjects": {"5", "100", "5000"}, "citizens": {`["DE"]`, `["US", "NO"]`, `[]`},
	}
)

// source of random documents.
type source struct{ *rapid.T }

func pick[E any](s source, label string, from []E) E { return rapid.SampledFrom(from).Draw(s.T, label) }

func some[E any](s source, label string, from []E, least, most int) []E {
	count := rapid.IntRange(least, most).Draw(s.T, label+" count")
	order := rapid.Permutation(from).Draw(s.T, label)
	return order[:min(count, len(order))]
}

// chance is true in so many of a hundred cases. Small numbers are drawn, and
// shrunk to, more often.
func (s source) chance(label string, percent int) bool {
	return rapid.IntRange(0, 99).Draw(s.T, label) >= 100-percent
}

func (s source) period(label string) fleet.Period {
	period := fleet.Period{From: pick(s, label+" from", someDates), Until: pick(s, label+" until", someDates)}
	began, _ := residency.Begins(period, time.UTC)
	if ended, _ := residency.Ends(period, time.UTC); !ended.IsZero() && ended.Before(began.Add(48*time.Hour)) {
		period.Until = ""
	}
	return period
}

func (s source) scope(label string) fleet.Scope {
	var scope fleet.Scope
	switch pick(s, label+" kind", []string{"anywhere", "anywhere", "groups", "groups", "countries", "regions", "mixed"}) {
	case "anywhere":
		scope.Anywhere = true
	case "groups":
		scope.Groups = some(s, label+" groups", someGroups, 1, 2)
	case "countries":
		scope.Countries = some(s, label+" countries", someCountries, 3, 9)
	case "regions":
		scope.Regions = some(s, label+" regions", somePlaces, 4, 14)
	case "mixed":
		scope.Groups = some(s, label+" groups", someGroups, 0, 1)
		scope.Providers = some(s, label+" providers", []string{"aws", "azure", "test", "country"}, 0, 2)
		scope.Partitions = some(s, label+" partitions", []string{"aws", "aws-us-gov", "test"}, 1, 2)
	}
	if s.chance(label+" except", 15) {
		except := s.scope(label + "!")
		scope.Except = &except
	}
	return scope
}

func (s source) maybeScope(label string) *fleet.Scope {
	if s.chance(label+" given", 50) {
		return nil
	}
	scope := s.scope(label)
	return &scope
}

func (s source) rule(name string) fleet.Rule {
	rule := fleet.Rule{
		Name: name, Facets: some(s, "facets", fleet.Facets[:6], 2, 6), When: pick(s, "when", someConditions),
		MinimumSource: pick(s, "minimum", []fleet.FactSource{"", "", "", "", "", "", fleet.SourceDeclared, fleet.SourceObserved, fleet.SourceAttested}),
	}
	if s.chance("narrowed", 20) {
		rule.Classes = some(s, "narrow", someClasses, 1, 2)
	}
	if s.chance("own period", 25) {
		period := s.period("rule")
		rule.Effective = &period
	}
	countriesAndGroups := append(append([]string{}, someCountries...), someGroups...)
	switch pick(s, "rule kind", []string{"allow", "allow", "allow", "copy", "transfer", "transfer", "operator", "obligation", "obligation"}) {
	case "allow":
		scope := s.scope("allow")
		rule.AllowOnly = &scope
	case "copy":
		rule.RequireCopy = &fleet.CopyRule{In: s.scope("copy"), Minimum: rapid.IntRange(0, 3).Draw(s.T, "minimum copies")}
		if s.chance("kinds of copies", 30) {
			rule.RequireCopy.Copies = some(s, "copies", fleet.Facets[:6], 1, 3)
		}
	case "transfer":
		rule.TransferIf = &fleet.TransferRule{Home: s.maybeScope("home"), To: s.scope("to"), Basis: pick(s, "basis", fleet.TransferBases[:3])}
		if rule.TransferIf.Basis != fleet.BasisAdequacy {
			rule.TransferIf.Counterparties = some(s, "counterparties", someOperators, 0, 1)
		}
	case "operator":
		rule.Operator = &fleet.OperatorRule{NotPartitions: []string{"aws-us-gov"}}
		*pick(s, "operator part", []*[]string{&rule.Operator.NotControlledFrom, &rule.Operator.OnlyControlledFrom, &rule.Operator.SupportedFrom}) =
			some(s, "operator from", countriesAndGroups, 1, 8)
		if s.chance("certifications", 30) {
			rule.Operator.Certifications = []string{"C5"}
		}
	case "obligation":
		rule.Obligation = &fleet.ObligationRule{Action: "notify", Text: "tell", Within: pick(s, "within", []string{"", "24 hours", "5 business days", "13 months"}), Inside: s.maybeScope("inside"), Outside: s.maybeScope("outside")}
	}
	return rule
}

func (s source) policy(name string) fleet.ResidencyPolicySpec {
	spec := fleet.ResidencyPolicySpec{
		Version: "1", Effective: fleet.Period{From: "2024-02-29"}, TimeZone: pick(s, "zone", someZones),
		AppliesTo: fleet.PolicySubjects{Classes: some(s, "applies to", someClasses, 2, 5)},
	}
	if s.chance("dated", 30) {
		spec.Effective = s.period(name)
		spec.Effective.From = max(spec.Effective.From, "2020-01-01")
	}
	for i := range rapid.IntRange(1, 4).Draw(s.T, "rules") {
		spec.Rules = append(spec.Rules, s.rule(fmt.Sprintf("r%d", i)))
	}
	return spec
}

// book are random policies, some with versions, groups that change over time
// and classes that inherit.
func (s source) documents() []fleet.Resource {
	var resources []fleet.Resource
	add := func(kind fleet.Kind, name string, spec any) {
		resource, err := fleet.NewResource(kind, name, spec, nil)
		if err != nil {
			s.Fatal(err)
		}
		resources = append(resources, resource)
	}
	for i, name := range []string{"A", "B", "C"} {
		spec := fleet.JurisdictionGroupSpec{Version: "1"}
		for _, country := range some(s, "members", someCountries, 3, 9) {
			var period fleet.Period
			if s.chance("dated member", 30) {
				period = s.period("member")
			}
			spec.Members = append(spec.Members, fleet.GroupMember{Country: country, From: period.From, Until: period.Until})
		}
		if s.chance("nested", 40) {
			period := s.period("nested")
			spec.Members = append(spec.Members, fleet.GroupMember{Group: someGroups[rapid.IntRange(i+1, 3).Draw(s.T, "inner")], From: period.From, Until: period.Until})
		}
		add(fleet.KindJurisdictionGroup, name, spec)
	}
	for _, name := range someClasses[:6] {
		spec := fleet.DataClassSpec{}
		if name == "r" {
			spec.Inherits = some(s, "inherits", []string{"p.eu", "q"}, 0, 2)
		}
		if name == "q" && s.chance("haunted", 10) {
			spec.Inherits = []string{"ghost"}
		}
		add(fleet.KindDataClass, name, spec)
	}
	for i := range rapid.IntRange(1, 3).Draw(s.T, "policies") {
		name := fmt.Sprintf("policy%d", i)
		for range pick(s, "versions", []int{1, 1, 2}) {
			add(fleet.KindResidencyPolicy, name, s.policy(name))
		}
	}
	return resources
}

func (s source) fact(name string) fleet.DataFact {
	period := s.period(name)
	return fleet.DataFact{
		Value: json.RawMessage(pick(s, name, someFacts[name])), From: period.From, Until: period.Until,
		Source: pick(s, name+" source", []fleet.FactSource{"", fleet.SourceObserved, fleet.SourceAttested}),
	}
}

func (s source) subject() residency.Subject {
	subject := residency.Subject{Declared: true, Classes: some(s, "classes", someClasses[:6], 1, 2), Facts: map[string]fleet.DataFact{}}
	if s.chance("odd classes", 5) {
		subject.Classes = some(s, "odd", someClasses, 0, 3)
	}
	if s.chance("dataset", 70) {
		subject.Ref = fleet.Ref{Kind: fleet.KindDataset, Name: "d"}
		subject.Declared = !s.chance("undeclared", 2)
	}
	for _, name := range some(s, "facts", []string{"secrecy", "sensitive", "subjects", "citizens", "purpose", "collectedIn"}, 0, 6) {
		subject.Facts[name] = s.fact(name)
	}
	for i := range rapid.IntRange(0, 2).Draw(s.T, "instruments") {
		period := s.period("instrument")
		subject.Instruments = append(subject.Instruments, fleet.Instrument{
			Name: fmt.Sprint(i), Basis: pick(s, "of basis", fleet.TransferBases[1:3]), Counterparty: pick(s, "with", append([]string{"", ""}, someOperators...)),
			To: s.maybeScope("leads to"), Source: pick(s, "paper", []fleet.FactSource{"", fleet.SourceAttested}), From: period.From, Until: period.Until,
		})
	}
	for range rapid.IntRange(0, 3).Draw(s.T, "copies held") {
		subject.Copies = append(subject.Copies, residency.Copy{
			Facets: some(s, "held", fleet.Facets[:6], 1, 3), Region: pick(s, "held at", somePlaces), GeoRedundant: s.chance("held twice", 30),
			Pair: pick(s, "held pair", append([]string{"", "", ""}, somePlaces...)), Source: pick(s, "held source", []fleet.FactSource{"", fleet.SourceObserved}),
		})
	}
	for i := range rapid.IntRange(0, 3).Draw(s.T, "exceptions") {
		subject.Exceptions = append(subject.Exceptions, s.exception(fmt.Sprintf("x%d", i), subject.Ref))
	}
	return subject
}

func (s source) exception(name string, subject fleet.Ref) residency.Exception {
	exception := residency.Exception{Name: name, Spec: fleet.ExceptionSpec{
		Policy: pick(s, "excepted policy", []string{"policy0", "policy1"}), Rule: pick(s, "excepted rule", []string{"r0", "r1", "r2"}), Subject: subject,
		Facets: some(s, "excepted facets", fleet.Facets[:6], 3, 6), Scope: s.scope("excepted"), Period: fleet.Period{From: pick(s, "exception from", someDates[:3])}, Reason: "test",
	}, Status: fleet.ExceptionStatus{RequestedBy: "requester"}}
	exception.Spec.Until = pick(s, "exception until", []string{"2026-03-01", "2026-12-31", "2027-01-01"})
	for range rapid.IntRange(1, 5).Draw(s.T, "approvals") {
		exception.Status.Approvals = append(exception.Status.Approvals, fleet.Approval{By: pick(s, "by", somePeople), At: pick(s, "on", []string{"2025-01-02", "2026-03-01T00:00:00Z"})})
	}
	if s.chance("revoked", 15) {
		exception.Status.RevokedAt = "2026-03-01T00:00:00Z"
	}
	return exception
}

// instant is often at the very edge of a day, in some zone.
func (s source) instant() time.Time {
	at := pick(s, "at", []string{"2024-02-29", "2025-12-31", "2026-01-01", "2026-03-01", "2026-03-02", "2026-03-29", "2026-06-30T22:00:00Z", "2026-07-15", "2027-01-01"})
	parsed, err := residency.ParseInstant(at)
	if err != nil {
		s.Fatal(err)
	}
	return parsed.Add(pick(s, "edge", []time.Duration{0, -1, 1, -time.Hour, -2 * time.Hour, 3 * time.Hour, -14 * time.Hour}))
}

func (s source) question(subject residency.Subject, at time.Time) fleet.Question {
	q := fleet.Question{Subject: subject.Ref, Facet: pick(s, "facet", fleet.Facets[:6]), Region: pick(s, "region", somePlaces), At: at}
	if subject.Ref.Name == "" {
		q.Classes = subject.Classes
	}
	if s.chance("geo-redundant", 35) {
		q.GeoRedundant, q.Pair = true, pick(s, "pair", append([]string{"", "", ""}, somePlaces...))
	}
	if s.chance("sourced", 20) {
		q.Source = pick(s, "place source", fleet.FactSources)
	}
	if s.chance("leaving", 20) {
		q.Leaving = some(s, "leaves", somePlaces, 1, 3)
	}
	return q
}
