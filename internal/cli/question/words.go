package question

import (
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// ParseFacets reads facets, each once, in the order tables show them.
func ParseFacets(flag string, words []string) ([]fleet.Facet, error) {
	for _, word := range words {
		if !slices.Contains(fleet.Facets, fleet.Facet(word)) {
			return nil, failure.Usagef("there is no facet %q", word).At(fleet.Position{}, flag).
				Advise("facets are %s", strings.Join(FacetWords(), ", "))
		}
	}
	var facets []fleet.Facet
	for _, facet := range fleet.Facets {
		if slices.Contains(words, string(facet)) {
			facets = append(facets, facet)
		}
	}
	return facets, nil
}

// FacetWords lists the facets as words.
func FacetWords() []string {
	words := make([]string, len(fleet.Facets))
	for i, facet := range fleet.Facets {
		words[i] = string(facet)
	}
	return words
}

// CheckRegions refuses what cannot be the name of a place. Whether a catalog
// has it is for the rules to say.
func CheckRegions(flag string, regions []string) error {
	for _, region := range regions {
		if _, _, ok := fleet.SplitRegion(region); !ok {
			return failure.Usagef("want PROVIDER/ID or country/XX, got %q", region).At(fleet.Position{}, flag).
				Advise("such as aws/eu-central-1; see `fleetctl residency regions`")
		}
	}
	return nil
}

// Unique returns words in their order, each once.
func Unique(words []string) []string {
	var unique []string
	for _, word := range words {
		if !slices.Contains(unique, word) {
			unique = append(unique, word)
		}
	}
	return unique
}
