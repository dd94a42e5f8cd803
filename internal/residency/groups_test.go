package residency_test

import (
	"testing"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

const approvals = `
- {kind: DataClass, name: personal, spec: {}}
- kind: JurisdictionGroup
  name: Union
  spec: {version: "1", members: [{country: DE, cites: Treaty of Rome}, {country: FR}]}
- kind: JurisdictionGroup
  name: Approved
  spec: {version: "2", members: [{group: Union, cites: Approval Act}, {country: CH, cites: Swiss Decision}]}
- kind: JurisdictionGroup
  name: Wider
  spec: {version: "3", members: [{group: Approved}]}
- kind: ResidencyPolicy
  name: transfers
  spec:
    version: "1"
    effective: {from: "2020-01-01"}
    appliesTo: {classes: [personal]}
    rules:
    - {name: approved, facets: [storage], allowOnly: {groups: [Approved]}}
    - {name: wider, facets: [backup], allowOnly: {groups: [Wider]}}
`

// A member through another group is one by the act that took that group in:
// what made the country a member there comes after it.
func TestMembersCiteTheActThatMadeThemSo(t *testing.T) {
	t.Parallel()
	c := compiled(t, approvals, "2026-03-01")
	subject := residency.Subject{Declared: true, Classes: []string{"personal"}}
	for _, test := range []struct {
		facet        fleet.Facet
		region, want string
	}{
		{fleet.FacetStorage, "aws/eu-central-1", "group Approved 2: Approval Act; Treaty of Rome"},
		{fleet.FacetStorage, "aws/eu-west-3", "group Approved 2: Approval Act"},
		{fleet.FacetStorage, "gcp/europe-west6", "group Approved 2: Swiss Decision"},
		{fleet.FacetBackup, "aws/eu-central-1", "group Wider 3: Approval Act; Treaty of Rome"},
		{fleet.FacetStorage, "aws/us-east-1", "group Approved 2"},
	} {
		verdict := c.Judge(c.Prepare(subject), fleet.Question{Facet: test.facet, Region: test.region, At: instant(t, "2026-03-01")})
		var reference string
		for _, fact := range verdict.Findings[0].Facts {
			if fact.Name == "group Approved" || fact.Name == "group Wider" {
				reference = fact.Reference
			}
		}
		if reference != test.want {
			t.Errorf("%s in %s rests on %q, want %q", test.facet, test.region, reference, test.want)
		}
	}
}
