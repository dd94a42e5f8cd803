package casefile

import (
	"maps"
	"slices"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// catalog is the regions given, with what the file and its Region documents
// say of them and add.
func (f *caseFile) catalog(regions []fleet.RegionFacts) (*residency.Catalog, error) {
	regions = slices.Clone(regions)
	for _, written := range f.regions {
		name := fleet.RegionFacts{Provider: written.Provider, ID: written.ID}.Name()
		index := slices.IndexFunc(regions, func(region fleet.RegionFacts) bool { return region.Name() == name })
		if index < 0 {
			index = len(regions)
			regions = append(regions, fleet.RegionFacts{Provider: written.Provider, ID: written.ID})
		}
		regions[index] = written.over(regions[index])
	}
	for i, region := range regions {
		if spec, declared := f.documents.regions[region.Name()]; declared {
			regions[i].Facts = merged(region.Facts, spec.Facts)
		}
	}
	return residency.NewCatalog(regions)
}

// over puts what is written over what is known of a region.
func (r regionForm) over(known fleet.RegionFacts) fleet.RegionFacts {
	for _, field := range []struct {
		from *string
		to   *string
	}{
		{r.DisplayName, &known.DisplayName}, {r.City, &known.City}, {r.Country, &known.Country},
		{r.Partition, &known.Partition}, {r.Operator, &known.Operator}, {r.ReplicaPair, &known.ReplicaPair},
	} {
		if field.from != nil {
			*field.to = *field.from
		}
	}
	if r.Jurisdictions != nil {
		known.Jurisdictions = r.Jurisdictions
	}
	if r.OptIn != nil {
		known.OptIn = *r.OptIn
	}
	known.Facts = merged(known.Facts, r.Facts)
	return known
}

func merged(known, more map[string]fleet.DataFact) map[string]fleet.DataFact {
	if len(more) == 0 {
		return known
	}
	all := maps.Clone(known)
	if all == nil {
		all = map[string]fleet.DataFact{}
	}
	maps.Copy(all, more)
	return all
}
