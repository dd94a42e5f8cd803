package residency_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

const europe = `
- {kind: DataClass, name: personal}
- {kind: DataClass, name: personal.eu}
- {kind: DataClass, name: health, spec: {inherits: [personal.eu]}}
- kind: JurisdictionGroup
  name: EEA
  spec: {version: "1", members: [{country: DE}, {country: FR}, {country: AT}, {country: NO}]}
- kind: JurisdictionGroup
  name: EU-adequate
  spec: {version: "1", members: [{group: EEA}, {country: CH}, {country: BR, from: "2026-01-26"}]}
- kind: ResidencyPolicy
  name: eu-personal-data
  spec:
    version: "1"
    effective: {from: "2026-01-01"}
    appliesTo: {classes: [personal.eu]}
    rules:
    - {name: stays-in-eea, facets: [storage, backup, replica], allowOnly: {groups: [EEA]}, cites: GDPR Art. 44}
    - {name: adequate, facets: [processing], transferIf: {home: {groups: [EEA]}, to: {groups: [EU-adequate]}, basis: adequacy}}
    - {name: clauses, facets: [processing], transferIf: {home: {groups: [EEA]}, to: {anywhere: true}, basis: standard-contractual-clauses}}
    - {name: no-foreign-control, facets: [storage], when: data.secrecy == "professional", operator: {notControlledFrom: [US]}}
    - {name: record, facets: [processing], obligation: {action: record, text: note it, within: 5 business days, outside: {groups: [EEA]}}}
`

func ids(verdict fleet.Verdict, effects ...fleet.Effect) string {
	var list []string
	for _, finding := range verdict.Findings {
		if slices.Contains(effects, finding.Effect) {
			list = append(list, finding.ID())
		}
	}
	slices.Sort(list)
	return strings.Join(slices.Compact(list), " ")
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	c := compiled(t, europe, "2026-03-01")
	subject := residency.Subject{Declared: true, Classes: []string{"health"}}
	for _, test := range []struct {
		facet   fleet.Facet
		region  string
		pair    bool
		allowed bool
		ids     string
	}{
		{fleet.FacetStorage, "aws/eu-central-1", false, false, "eu-personal-data/no-foreign-control"},
		{fleet.FacetStorage, "test/north", false, true, "eu-personal-data/stays-in-eea"},
		{fleet.FacetStorage, "test/north", true, true, "eu-personal-data/stays-in-eea"},
		{fleet.FacetBackup, "azure/brazilsouth", true, false, "eu-personal-data/stays-in-eea"},
		{fleet.FacetBackup, "aws/eu-central-1", true, false, "meridian/unknown-pair"},
		{fleet.FacetBackup, "aws/nowhere", true, false, "meridian/unknown-region"},
		{fleet.FacetProcessing, "azure/brazilsouth", false, true, "eu-personal-data/adequate"},
		{fleet.FacetProcessing, "aws/us-east-1", false, false, "eu-personal-data/adequate eu-personal-data/clauses"},
		{fleet.FacetKey, "test/north", false, false, "meridian/no-rule"},
	} {
		q := fleet.Question{Classes: subject.Classes, Facet: test.facet, Region: test.region, GeoRedundant: test.pair}
		verdict := c.Judge(c.Prepare(subject), q)
		effect := fleet.EffectDenies
		if verdict.Allowed {
			effect = fleet.EffectAllows
		}
		if verdict.Allowed != test.allowed || ids(verdict, effect) != test.ids {
			t.Errorf("%s at %s: %v by %s, want %v by %s\n%+v", test.facet, test.region, verdict.Allowed, ids(verdict, effect), test.allowed, test.ids, verdict.Findings)
		}
	}
}
