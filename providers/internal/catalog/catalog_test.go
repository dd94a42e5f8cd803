package catalog

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meridian-fleet/meridian/providers"
)

const content = `
operators:
  emea: {name: Cloud EMEA SARL, jurisdictions: [LU, US]}
regions:
- {id: two, name: Two, city: Paris, country: FR, partition: p, operator: emea, optIn: true, pair: one, zones: [a, b]}
- {id: one, name: One, city: Luxembourg, country: LU, partition: p, operator: emea, pair: two}
`

func TestFactsOfARegion(t *testing.T) {
	t.Parallel()
	catalog, err := Load([]byte(content))
	if err != nil {
		t.Fatal(err)
	}
	want := []providers.Region{
		{ID: "one", DisplayName: "One", City: "Luxembourg", Country: "LU", Partition: "p", Operator: "Cloud EMEA SARL", Jurisdictions: []string{"LU", "US"}, ReplicaPair: "two"},
		{ID: "two", DisplayName: "Two", City: "Paris", Country: "FR", Partition: "p", Operator: "Cloud EMEA SARL", Jurisdictions: []string{"FR", "LU", "US"}, OptIn: true, ReplicaPair: "one"},
	}
	if diff := cmp.Diff(want, catalog.Regions()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a", "b"}, catalog.Zones("two")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, err := catalog.Region("three"); !errors.Is(err, providers.KindNotFound) {
		t.Errorf("an unknown region: %v", err)
	}
}

func TestCallersCannotChangeTheCatalog(t *testing.T) {
	t.Parallel()
	catalog, err := Load([]byte(content))
	if err != nil {
		t.Fatal(err)
	}
	catalog.Regions()[0].Jurisdictions[0] = "XX"
	if got := catalog.Regions()[0].Jurisdictions[0]; got != "LU" {
		t.Errorf("the catalog was changed to %s", got)
	}
}

func TestBadCatalogs(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]string{
		"unknown operator": "regions: [{id: one, operator: nobody}]",
		"unknown field":    "regions: [{id: one, contry: DE}]",
		"no YAML":          "regions: [",
	} {
		if _, err := Load([]byte(bad)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
