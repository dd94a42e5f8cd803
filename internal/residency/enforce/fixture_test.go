package enforce_test

import (
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
	"github.com/meridian-fleet/meridian/internal/residency/casefile"
	"github.com/meridian-fleet/meridian/internal/residency/enforce"
	"github.com/meridian-fleet/meridian/providers/builtin"
)

var march = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// catalog is that of all three clouds.
func catalog(t testing.TB) *residency.Catalog {
	t.Helper()
	all, err := builtin.Regions()
	if err != nil {
		t.Fatal(err)
	}
	var facts []fleet.RegionFacts
	for provider, regions := range all {
		for _, region := range regions {
			facts = append(facts, fleet.RegionFacts{
				Provider: provider, ID: region.ID, City: region.City, Country: region.Country, Partition: region.Partition,
				Operator: region.Operator, Jurisdictions: region.Jurisdictions, ReplicaPair: region.ReplicaPair,
			})
		}
	}
	made, err := residency.NewCatalog(facts)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// input is the documents of testdata, in March 2026.
func input(t testing.TB, paths ...string) enforce.Input {
	t.Helper()
	if len(paths) == 0 {
		paths = []string{"testdata/documents.yaml"}
	}
	documents, err := casefile.LoadDocuments(paths...)
	if err != nil {
		t.Fatal(err)
	}
	return enforce.Input{Documents: documents, Catalog: catalog(t), At: march}
}
