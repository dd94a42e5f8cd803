package residency

import (
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// nearest lists all other places by how near they are to one: by distance of
// the countries, then the same operator's, then the same provider's, then by
// name. It is worked out once for each place.
func (c *Catalog) nearest(from PlaceID) []PlaceID {
	if found, ok := c.near.Load(from); ok {
		return found.([]PlaceID)
	}
	origin := &c.places[from]
	distances := make([]float64, len(c.places))
	order := make([]PlaceID, 0, len(c.places))
	for id := range c.places {
		distances[id] = apart(origin.Country, c.places[id].Country)
		if PlaceID(id) != from {
			order = append(order, PlaceID(id))
		}
	}
	strange := func(id PlaceID) int {
		switch place := &c.places[id]; {
		case place.Provider != origin.Provider:
			return 2
		case place.Operator != origin.Operator || place.Partition != origin.Partition:
			return 1
		}
		return 0
	}
	slices.SortFunc(order, func(a, b PlaceID) int {
		switch {
		case distances[a] < distances[b]:
			return -1
		case distances[a] > distances[b]:
			return 1
		case strange(a) != strange(b):
			return strange(a) - strange(b)
		}
		return strings.Compare(c.names[a], c.names[b])
	})
	c.near.Store(from, order)
	return order
}

// nearestTo is nearest for a place by its name; for one that no catalog has
// those with the most similar names come first.
func (c *Catalog) nearestTo(name string) []PlaceID {
	if id, ok := c.ids[name]; ok {
		return c.nearest(id)
	}
	order, unlike := make([]PlaceID, len(c.places)), make([]int, len(c.places))
	for id, other := range c.names {
		order[id], unlike[id] = PlaceID(id), levenshtein.ComputeDistance(name, other)
	}
	slices.SortStableFunc(order, func(a, b PlaceID) int { return unlike[a] - unlike[b] })
	return order
}
