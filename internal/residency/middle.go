package residency

// Middle is about where the middle of a country is, in degrees north and
// east, by its ISO 3166-1 alpha-2 code.
func Middle(code string) (latitude, longitude float64, ok bool) {
	found, ok := countryCodes[code]
	if !ok {
		return 0, 0, false
	}
	return found.lat, found.lon, true
}
