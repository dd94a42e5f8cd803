package residency

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// countriesAsked are the countries of the place asked about and of its pair.
func (m matter) countriesAsked() []string {
	catalog := m.compiled.catalog
	place, pair := catalog.both(m.question.Region, m.question.GeoRedundant, m.question.Pair)
	var list []string
	for _, id := range []PlaceID{place, pair} {
		if id != noPlace {
			list = noteOnce(list, catalog.places[id].Country)
		}
	}
	return list
}

// freely adds values of a fact that can be any text: the countries asked
// about, where it is a country, and one that no condition names, which stands
// for all others.
func (f *missing) freely(definition fleet.FactDefinition, countries []string) {
	isList := definition.Type == fleet.FactTexts
	if definition.Type != fleet.FactText && !isList {
		return
	}
	value := func(text string) any {
		if isList {
			return []string{text}
		}
		return text
	}
	other := "another"
	if slices.Contains(countryFacts, definition.Name) {
		f.written = slices.DeleteFunc(f.written, func(text string) bool { return countryCodes[text] == nil })
		if !f.local {
			countries = nil // nothing compares it with the place
		}
		for _, country := range countries {
			f.written = append(f.written, country)
			f.values = append(f.values, value(country))
		}
		other = unwritten(f.written)
	}
	f.written = distinctNames(f.written)
	if len(f.written) > 0 && other != "" {
		f.other = value(other)
		f.values = append(f.values, f.other)
	}
	f.values = distinct(f.values)
}

// unwritten is a country that is not among some.
func unwritten(countries []string) string {
	for _, country := range []string{"FR", "JP", "BR", "KE"} {
		if !slices.Contains(countries, country) {
			return country
		}
	}
	return ""
}

// plain says what value the fact has.
func (f missing) plain(value any) string {
	if f.other == nil || plainValue(value) != plainValue(f.other) {
		return plainValue(value)
	}
	text := "other than " + strings.Join(f.written, " or ")
	if slices.Contains(countryFacts, f.name) {
		text += fmt.Sprintf(", such as %s", plainValue(f.other))
	}
	return text
}
