package offline

import (
	"maps"
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/providers/builtin"
)

// Regions are those of the providers fleetctl is built with, ordered by name.
func Regions() ([]fleet.RegionFacts, error) {
	catalogs, err := builtin.Regions()
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrInternal, "%w", err)
	}
	var all []fleet.RegionFacts
	for provider, regions := range catalogs {
		for _, region := range regions {
			all = append(all, fleet.RegionFacts{
				Provider: provider, ID: region.ID, DisplayName: region.DisplayName, City: region.City,
				Country: region.Country, Partition: region.Partition, Operator: region.Operator,
				Jurisdictions: region.Jurisdictions, OptIn: region.OptIn, ReplicaPair: region.ReplicaPair,
			})
		}
	}
	slices.SortFunc(all, func(a, b fleet.RegionFacts) int { return strings.Compare(a.Name(), b.Name()) })
	return all, nil
}

// WithFacts adds to regions what Region documents say of them.
func WithFacts(regions []fleet.RegionFacts, documents []fleet.Resource) ([]fleet.RegionFacts, error) {
	added := slices.Clone(regions)
	for _, document := range documents {
		if document.Kind != fleet.KindRegion {
			continue
		}
		spec, err := fleet.SpecOf[fleet.RegionSpec](document)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(added, func(region fleet.RegionFacts) bool { return region.Name() == document.Metadata.Name })
		if at < 0 || len(spec.Facts) == 0 {
			continue
		}
		facts := maps.Clone(added[at].Facts)
		if facts == nil {
			facts = map[string]fleet.DataFact{}
		}
		maps.Copy(facts, spec.Facts)
		added[at].Facts = facts
	}
	return added, nil
}
