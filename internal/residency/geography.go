package residency

import "math"

// countryCodes finds a country by its code.
var countryCodes = func() map[string]*country {
	codes := make(map[string]*country, len(countries))
	for i := range countries {
		codes[countries[i].code] = &countries[i]
	}
	return codes
}()

// countryNames lists the codes, sorted.
var countryNames = func() []string {
	names := make([]string, len(countries))
	for i, country := range countries {
		names[i] = country.code
	}
	return names
}()

// mistakenCodes are what people write for a country whose code is another.
var mistakenCodes = map[string]string{"UK": "GB", "EL": "GR", "SU": "RU", "FX": "FR", "BU": "MM", "YU": "RS", "ZR": "CD", "TP": "TL"}

// Country reports a country's name in English by its ISO 3166-1 alpha-2 code.
func Country(code string) (name string, ok bool) {
	found, ok := countryCodes[code]
	if !ok {
		return "", false
	}
	return found.name, true
}

// apart is about how far two countries are from each other, in kilometres;
// half around the world when one is not known.
func apart(one, other string) float64 {
	const radius, farthest = 6371, 20015
	a, b := countryCodes[one], countryCodes[other]
	if a == nil || b == nil {
		return farthest
	}
	rad := func(degrees float64) float64 { return degrees * math.Pi / 180 }
	half := func(angle float64) float64 { return math.Pow(math.Sin(angle/2), 2) }
	h := half(rad(b.lat-a.lat)) + math.Cos(rad(a.lat))*math.Cos(rad(b.lat))*half(rad(b.lon-a.lon))
	return 2 * radius * math.Asin(math.Sqrt(min(1, h)))
}
