package casefile_test

import (
	"testing"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency/casefile"
	"github.com/meridian-fleet/meridian/providers/builtin"
)

// ownCases is how many cases define the semantics at least.
const ownCases = 500

// regions is the catalog of the three clouds as Meridian ships it.
func regions(t testing.TB) []fleet.RegionFacts {
	t.Helper()
	built, err := builtin.Regions()
	if err != nil {
		t.Fatal(err)
	}
	var all []fleet.RegionFacts
	for provider, list := range built {
		for _, region := range list {
			all = append(all, fleet.RegionFacts{
				Provider: provider, ID: region.ID, DisplayName: region.DisplayName, City: region.City, Country: region.Country,
				Partition: region.Partition, Operator: region.Operator, Jurisdictions: region.Jurisdictions,
				OptIn: region.OptIn, ReplicaPair: region.ReplicaPair,
			})
		}
	}
	return all
}

// run runs the case files of a folder and reports what fails.
func run(t *testing.T, folder string) *casefile.Result {
	t.Helper()
	suite, err := casefile.Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	result, err := suite.Run(regions(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range result.Cases {
		for _, difference := range one.Differences {
			t.Errorf("%s: %s: %s in %s: %s\n\t%v", one.Position, one.Name, difference.Facet, difference.Region, difference.Text, difference.Reasons)
		}
	}
	for _, rule := range result.Coverage {
		if !rule.Exercised {
			t.Errorf("%s: no case exercises %s", rule.Position, rule.Rule)
		}
	}
	return result
}

func TestCases(t *testing.T) {
	t.Parallel()
	result := run(t, "../testdata/cases")
	if len(result.Cases) < ownCases {
		t.Errorf("%d cases; want %d or more", len(result.Cases), ownCases)
	}
	t.Logf("%d cases, %d questions", len(result.Cases), result.Questions)
}
