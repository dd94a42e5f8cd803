package verdict

import (
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// Atlas knows where places lie; the zero one knows none.
type Atlas struct {
	catalog *residency.Catalog
	// Today is when people read the answers. Without it no commands are offered
	// that only make sense from then on.
	Today time.Time
}

// NewAtlas makes one of a catalog's regions.
func NewAtlas(regions []fleet.RegionFacts) (Atlas, error) {
	var clouds []fleet.RegionFacts
	for _, region := range regions {
		if region.Provider != countryProvider {
			clouds = append(clouds, region)
		}
	}
	catalog, err := residency.NewCatalog(clouds)
	return Atlas{catalog: catalog}, err
}

func (a Atlas) region(name string) (fleet.RegionFacts, bool) {
	if a.catalog == nil {
		return fleet.RegionFacts{}, false
	}
	return a.catalog.Region(name)
}

// countryProvider is what places outside clouds have before their country.
const countryProvider = "country"

// Where is the city and country of a place, empty when it is not known.
func (a Atlas) Where(place string) string {
	facts, ok := a.region(place)
	if !ok {
		return ""
	}
	country := a.Country(facts.Country)
	if facts.City == "" || facts.City == country { // Singapore
		return country
	}
	return facts.City + ", " + country
}

// Place is a place with where it lies: azure/brazilsouth (São Paulo, Brazil).
func (a Atlas) Place(place string) string {
	where := a.Where(place)
	if where == "" {
		return place
	}
	return place + " (" + where + ")"
}

// Country is the name of an ISO 3166-1 country; the code itself when it has
// none.
func (a Atlas) Country(code string) string {
	if facts, ok := a.region(countryProvider + "/" + code); ok && facts.DisplayName != "" {
		return facts.DisplayName
	}
	return code
}

// pair is the replica pair of a region, empty when it has none.
func (a Atlas) pair(region string) string {
	facts, ok := a.region(region)
	if !ok || facts.ReplicaPair == "" {
		return ""
	}
	return facts.Provider + "/" + facts.ReplicaPair
}
