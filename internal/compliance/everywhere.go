package compliance

import (
	"cmp"
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// everywhere visits all places of all subjects, those found without a name
// first: by subject, its declared places by binding and region, then those
// found, by name. It fits range.
func (v *view) everywhere(yield func(fleet.Located) bool) {
	found := map[fleet.Ref][]*version{} // by subject, each in the order of names
	for _, one := range v.all(fleet.KindPlacement) {
		if one.there(v.at) {
			subject, _ := one.subject()
			found[subject] = append(found[subject], one)
		}
	}
	subjects := []fleet.Ref{}
	for subject := range found {
		subjects = append(subjects, subject)
	}
	for _, kind := range []fleet.Kind{fleet.KindDataset, fleet.KindWorkload} {
		for _, one := range v.all(kind) {
			subjects = append(subjects, one.ref)
		}
	}
	slices.SortFunc(subjects, compareRefs)
	for _, subject := range slices.Compact(subjects) {
		declared := v.declared(subject)
		slices.SortStableFunc(declared, func(a, b fleet.Located) int {
			return cmp.Or(strings.Compare(a.Binding, b.Binding), strings.Compare(a.Region, b.Region))
		})
		for _, place := range declared {
			if !yield(place) {
				return
			}
		}
		for _, one := range found[subject] {
			if !yield(v.locatePlacement(one)) {
				return
			}
		}
	}
}

func compareRefs(a, b fleet.Ref) int {
	return cmp.Or(strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Name, b.Name))
}

// likeness is the same for places that get the same verdicts.
type likeness struct {
	subject         fleet.Ref
	region, pair    string
	source          fleet.FactSource
	geoRedundant    bool
	facets, classes string
}

func likenessOf(place fleet.Located) likeness {
	alike := likeness{
		subject: place.Subject, region: place.Region, pair: place.Pair, source: place.Source,
		geoRedundant: place.GeoRedundant, classes: strings.Join(place.Classes, ","),
	}
	if len(place.Facets) == 1 {
		alike.facets = string(place.Facets[0])
		return alike
	}
	for _, facet := range place.Facets {
		alike.facets += string(facet) + ","
	}
	return alike
}
