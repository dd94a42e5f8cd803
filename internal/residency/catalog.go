package residency

import (
	"fmt"
	"sort"
	"sync"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// countryProvider is the provider part of places outside clouds: country/IN.
const countryProvider = "country"

// Catalog is every place there is: the regions of the clouds and, for people
// and machines outside them, country/XX for each country. It is immutable.
type Catalog struct {
	places  []fleet.RegionFacts // by PlaceID
	ids     map[string]PlaceID
	names   []string
	titles  []string  // for people: aws/eu-central-1 (Frankfurt, Germany)
	pairs   []PlaceID // the cloud's own replica pair, noPlace when there is none
	regions []string  // of clouds, sorted
	clouds  Set
	all     Set

	byCountry, byProvider, byPartition map[string]*Set
	alike                              [][]PlaceID // places that operator rules cannot tell apart
	near                               sync.Map    // by PlaceID: other places, the nearest first
}

// NewCatalog makes a catalog of cloud regions and adds every ISO 3166-1
// country. A region that is given twice, or more than 512 places, are faults.
func NewCatalog(regions []fleet.RegionFacts) (*Catalog, error) {
	catalog := &Catalog{ids: map[string]PlaceID{}}
	for _, region := range regions {
		if region.Provider == countryProvider {
			return nil, fleet.Errorf(fleet.ErrInvalid, "a country is no cloud region").On("region " + region.Name()).
				Advise("countries are places already; give the region the name of a provider")
		}
		if err := catalog.add(region); err != nil {
			return nil, err
		}
		catalog.regions = append(catalog.regions, region.Name())
	}
	catalog.clouds = catalog.all
	sort.Strings(catalog.regions)
	for _, country := range countries {
		if err := catalog.add(fleet.RegionFacts{Provider: countryProvider, ID: country.code, DisplayName: country.name, Country: country.code}); err != nil {
			return nil, err
		}
	}
	catalog.index()
	return catalog, nil
}

// index prepares what compiling looks up.
func (c *Catalog) index() {
	c.byCountry, c.byProvider, c.byPartition = map[string]*Set{}, map[string]*Set{}, map[string]*Set{}
	note := func(index map[string]*Set, key string, id PlaceID) {
		if key == "" {
			return
		}
		if index[key] == nil {
			index[key] = &Set{}
		}
		index[key].Add(id)
	}
	kinds := map[string]int{}
	for number, place := range c.places {
		id := PlaceID(number)
		c.pairs[id] = c.pairOf(place)
		note(c.byCountry, place.Country, id)
		note(c.byProvider, place.Provider, id)
		note(c.byPartition, place.Partition, id)
		kind := fmt.Sprintf("%q %q %q", place.Operator, place.Partition, place.Jurisdictions)
		if len(place.Facts) > 0 {
			kind = place.Name()
		}
		if _, known := kinds[kind]; !known {
			kinds[kind] = len(c.alike)
			c.alike = append(c.alike, nil)
		}
		c.alike[kinds[kind]] = append(c.alike[kinds[kind]], id)
	}
}

func (c *Catalog) add(facts fleet.RegionFacts) error {
	name := facts.Name()
	if _, ok := c.ids[name]; ok {
		return fleet.Errorf(fleet.ErrInvalid, "it is in the catalog twice").On("region " + name)
	}
	if len(c.places) == setPlaces {
		return fleet.Errorf(fleet.ErrInvalid, "more than %d places", setPlaces).On("region " + name)
	}
	id := PlaceID(len(c.places))
	c.ids[name] = id
	c.names = append(c.names, name)
	c.titles = append(c.titles, title(facts))
	c.places = append(c.places, facts)
	c.pairs = append(c.pairs, noPlace)
	c.all.Add(id)
	return nil
}

// title is a place's name with where it lies.
func title(facts fleet.RegionFacts) string {
	switch country := named(facts.Country); {
	case facts.Provider == countryProvider:
		return country
	case facts.City == "" || facts.City == country:
		return fmt.Sprintf("%s (%s)", facts.Name(), country)
	default:
		return fmt.Sprintf("%s (%s, %s)", facts.Name(), facts.City, country)
	}
}

func (c *Catalog) pairOf(place fleet.RegionFacts) PlaceID {
	if place.ReplicaPair == "" {
		return noPlace
	}
	if id, ok := c.ids[place.Provider+"/"+place.ReplicaPair]; ok {
		return id
	}
	return noPlace
}

// Region returns the facts of a place, countries included.
func (c *Catalog) Region(name string) (fleet.RegionFacts, bool) {
	id, ok := c.ids[name]
	if !ok {
		return fleet.RegionFacts{}, false
	}
	return c.places[id], true
}

// Regions lists the names of the cloud regions, sorted; no countries.
func (c *Catalog) Regions() []string { return c.regions }

// Place returns the number of a place.
func (c *Catalog) Place(name string) (PlaceID, bool) {
	id, ok := c.ids[name]
	return id, ok
}

// Name of a place; empty for a number that is none.
func (c *Catalog) Name(place PlaceID) string {
	if uint(place) >= uint(len(c.names)) {
		return ""
	}
	return c.names[place]
}

// Len is how many places there are, countries included.
func (c *Catalog) Len() int { return len(c.places) }

// Clouds is the set of cloud regions.
func (c *Catalog) Clouds() Set { return c.clouds }

// Pair is the cloud's own replica pair of a place.
func (c *Catalog) Pair(place PlaceID) (PlaceID, bool) {
	if uint(place) >= uint(len(c.pairs)) || c.pairs[place] == noPlace {
		return noPlace, false
	}
	return c.pairs[place], true
}

// Names lists the places of a set, in the catalog's order.
func (c *Catalog) Names(set *Set) []string {
	var names []string
	for place := range set.Each {
		names = append(names, c.Name(place))
	}
	return names
}
