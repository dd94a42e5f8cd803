package compliance

import (
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/providers"
)

// FactsOf are a region's facts as its provider's catalog has them.
func FactsOf(provider string, region providers.Region) fleet.RegionFacts {
	return fleet.RegionFacts{
		Provider: provider, ID: region.ID, DisplayName: region.DisplayName, City: region.City,
		Country: region.Country, Partition: region.Partition, Operator: region.Operator,
		Jurisdictions: region.Jurisdictions, OptIn: region.OptIn, ReplicaPair: region.ReplicaPair,
	}
}
