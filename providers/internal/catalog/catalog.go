package catalog

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"sigs.k8s.io/yaml"

	"github.com/meridian-fleet/meridian/providers"
)

// Catalog is the regions of one cloud.
type Catalog struct {
	regions []providers.Region // by id
	zones   map[string][]string
}

type file struct {
	Operators map[string]operator `json:"operators"`
	Regions   []entry             `json:"regions"`
}

// operator is a legal entity that runs regions.
type operator struct {
	Name string `json:"name"`
	// Jurisdictions it answers to wherever its regions stand: its seat's, and
	// those of whoever owns it.
	Jurisdictions []string `json:"jurisdictions"`
}

type entry struct {
	ID          string   `json:"id"`
	DisplayName string   `json:"name"`
	City        string   `json:"city"`
	Country     string   `json:"country"`
	Partition   string   `json:"partition"`
	Operator    string   `json:"operator"`
	OptIn       bool     `json:"optIn,omitempty"`
	ReplicaPair string   `json:"pair,omitempty"`
	Zones       []string `json:"zones,omitempty"`
}

// Load reads a catalog. That its facts hold together is for the conformance
// suite to say, which every provider with a catalog runs.
func Load(content []byte) (*Catalog, error) {
	var read file
	if err := yaml.UnmarshalStrict(content, &read); err != nil {
		return nil, fmt.Errorf("region catalog: %w", err)
	}
	catalog := &Catalog{zones: map[string][]string{}}
	var faults []error
	for _, region := range read.Regions {
		by, known := read.Operators[region.Operator]
		if !known {
			faults = append(faults, fmt.Errorf("region %s: operator %q is not listed", region.ID, region.Operator))
		}
		catalog.regions = append(catalog.regions, region.facts(by))
		catalog.zones[region.ID] = region.Zones
	}
	slices.SortFunc(catalog.regions, func(a, b providers.Region) int { return cmp.Compare(a.ID, b.ID) })
	return catalog, errors.Join(faults...)
}

// facts adds the country a region stands in to the jurisdictions of its
// operator: the law of the place reaches whoever has machines there.
func (e entry) facts(by operator) providers.Region {
	jurisdictions := append([]string{e.Country}, by.Jurisdictions...)
	slices.Sort(jurisdictions)
	return providers.Region{
		ID: e.ID, DisplayName: e.DisplayName, City: e.City, Country: e.Country, Partition: e.Partition,
		Operator: by.Name, Jurisdictions: slices.Compact(jurisdictions), OptIn: e.OptIn, ReplicaPair: e.ReplicaPair,
	}
}

// Regions returns a copy of the catalog's regions, by id.
func (c *Catalog) Regions() []providers.Region {
	regions := slices.Clone(c.regions)
	for i := range regions {
		regions[i].Jurisdictions = slices.Clone(regions[i].Jurisdictions)
	}
	return regions
}

// Region returns one region; providers.KindNotFound when there is none.
func (c *Catalog) Region(id string) (providers.Region, error) {
	for _, region := range c.regions {
		if region.ID == id {
			return region, nil
		}
	}
	return providers.Region{}, providers.Errorf(providers.KindNotFound, "there is no region %q", id)
}

// Zones returns the zones of a region, where its catalog lists them.
func (c *Catalog) Zones(id string) []string { return slices.Clone(c.zones[id]) }
