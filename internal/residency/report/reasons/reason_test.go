package reasons_test

import (
	"slices"
	"testing"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency/report/reasons"
)

func denial() fleet.Verdict {
	const place = "azure/southcentralus"
	ground := func(policy, rule, facet, reason string, facts ...fleet.UsedFact) fleet.Finding {
		return fleet.Finding{
			Policy: policy, Version: "1", Rule: rule, Kind: fleet.RuleTransferIf, Effect: fleet.EffectDenies, Class: "personal.eu", Facet: fleet.Facet(facet), Region: place,
			Reason: reason, Cites: "Art. " + rule, Facts: facts,
		}
	}
	country, none, kind := fleet.UsedFact{Name: "region.country", Value: "US"}, fleet.UsedFact{Name: "instrument"}, fleet.UsedFact{Name: "data.controllerKind"}
	return fleet.Verdict{
		Question: fleet.Question{Facet: fleet.FacetBackup, Region: "azure/brazilsouth"},
		Findings: []fleet.Finding{
			{Policy: "gdpr", Version: "1", Rule: "keys", Kind: fleet.RuleAllowOnly, Effect: fleet.EffectDenies, Reason: "it is abroad", Region: place},
			ground("gdpr", "adequacy", "backup", "Free at home. "+place+" (San Antonio) is not in EU-adequate.", country),
			ground("gdpr", "clauses", "backup", "Anywhere. Data may go to "+place+" by clauses, but none is.", country, none),
			ground("uk", "clauses", "backup", "Anywhere.", country, none),
			ground("gdpr", "consent", "replica", "Anywhere.", none, kind),
			ground("gdpr", "clauses", "replica", "Anywhere. Data may go to "+place+" by clauses, but none is.", country, none),
			{Policy: "gdpr", Version: "1", Rule: "permits", Kind: fleet.RuleTransferIf, Effect: fleet.EffectAllows},
		},
	}
}

func TestGrounds(t *testing.T) {
	t.Parallel()
	groups := reasons.Grouped(reasons.Of(denial(), fleet.EffectDenies))
	var titles []string
	for _, group := range groups {
		titles = append(titles, group.Title())
	}
	want := []string{"gdpr/keys, version 1", "gdpr, version 1: none of its grounds for a transfer is met", "uk/clauses, version 1 (Art. clauses)"}
	if !slices.Equal(titles, want) {
		t.Fatalf("%q", titles)
	}
	var lines []string
	for _, reason := range groups[1].Reasons {
		lines = append(lines, reason.Ground())
	}
	want = []string{
		"adequacy (Art. adequacy): azure/southcentralus (San Antonio) is not in EU-adequate",
		"clauses (Art. clauses): no such instrument is in force and covers the place",
		"consent (Art. consent): no such instrument is in force and covers the place; data.controllerKind is not known",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("%q", lines)
	}
	if of := groups[1].Of(); !slices.Equal(of, []string{"class personal.eu, in azure/southcentralus", "class personal.eu, replica, in azure/southcentralus"}) {
		t.Errorf("of %q", of)
	}
	if facts := groups[1].Facts(); len(facts) != 1 || facts[0].Name != "region.country" {
		t.Errorf("facts %v", facts)
	}
	if facts := groups[2].Facts(); len(facts) != 2 {
		t.Errorf("the only ground of a policy keeps its facts: %v", facts)
	}
	if looked := groups[1].Looked(); !slices.Equal(looked, []string{"azure/southcentralus"}) {
		t.Errorf("looked at %q", looked)
	}
	if allows := reasons.Of(denial(), fleet.EffectAllows); len(allows) != 1 || allows[0].Rule() != "gdpr/permits" {
		t.Errorf("%+v", allows)
	}
}
