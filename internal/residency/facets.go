package residency

import (
	"math/bits"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

const facetCount = 9

var facetNames = texts(fleet.Facets)

// facetSet is a set of facets, a bit for each in the order of fleet.Facets.
type facetSet uint16

func facetsOf(facets []fleet.Facet) facetSet {
	var set facetSet
	for _, facet := range facets {
		if index := facetIndex(facet); index >= 0 {
			set |= 1 << index
		}
	}
	return set
}

const allFacets facetSet = 1<<facetCount - 1

func (s facetSet) len() int { return bits.OnesCount16(uint16(s)) }

// first facet of a set that is not empty.
func (s facetSet) first() fleet.Facet { return fleet.Facets[bits.TrailingZeros16(uint16(s))] }

func (s facetSet) String() string {
	var names []string
	for index, name := range facetNames {
		if s.has(index) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

func (s facetSet) has(index int) bool { return index >= 0 && s&(1<<index) != 0 }

// facetIndex is the place of a facet in fleet.Facets, -1 when it is none. It
// is on the path of every question, hence no loop or map.
func facetIndex(facet fleet.Facet) int {
	switch facet {
	case fleet.FacetStorage:
		return 0
	case fleet.FacetProcessing:
		return 1
	case fleet.FacetKey:
		return 2
	case fleet.FacetAccess:
		return 3
	case fleet.FacetBackup:
		return 4
	case fleet.FacetReplica:
		return 5
	case fleet.FacetTelemetry:
		return 6
	case fleet.FacetMetadata:
		return 7
	case fleet.FacetTransit:
		return 8
	}
	return -1
}

const replicaIndex = 5
