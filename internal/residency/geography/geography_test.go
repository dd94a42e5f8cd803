package geography_test

import (
	"testing"

	"github.com/meridian-fleet/meridian/internal/residency/geography"
	"github.com/meridian-fleet/meridian/providers/builtin"
)

// TestEveryCatalogCity looks up every region of every catalog.
func TestEveryCatalogCity(t *testing.T) {
	t.Parallel()
	catalogs, err := builtin.Regions()
	if err != nil {
		t.Fatal(err)
	}
	for provider, regions := range catalogs {
		for _, region := range regions {
			if !geography.Knows(region.Country, region.City) {
				t.Errorf("%s/%s: where is %s in %s?", provider, region.ID, region.City, region.Country)
			}
		}
	}
}

// TestCitiesAreInTheirCountries finds coordinates that were mixed up: no city
// is farther from its country's middle than large countries reach.
func TestCitiesAreInTheirCountries(t *testing.T) {
	t.Parallel()
	catalogs, err := builtin.Regions()
	if err != nil {
		t.Fatal(err)
	}
	reach := map[string]float64{"US": 2600, "CA": 3100, "AU": 2500, "CN": 2000, "BR": 2100, "CL": 600, "IN": 1400, "ID": 1700, "ZA": 1100, "NZ": 700, "RU": 4000}
	for _, regions := range catalogs {
		for _, region := range regions {
			latitude, longitude, _ := geography.Of(region.Country, region.City)
			middle, east, ok := geography.Of(region.Country, "")
			distance := geography.Distance(geography.Point{Latitude: latitude, Longitude: longitude}, geography.Point{Latitude: middle, Longitude: east})
			if allowed := max(reach[region.Country], 850); !ok || distance > allowed {
				t.Errorf("%s, %s is %.0f km from its country's middle", region.City, region.Country, distance)
			}
		}
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	at := func(country, city string) geography.Point {
		latitude, longitude, ok := geography.Of(country, city)
		if !ok {
			t.Fatalf("where is %s, %s?", city, country)
		}
		return geography.Point{Latitude: latitude, Longitude: longitude}
	}
	for _, test := range []struct {
		from, to geography.Point
		want     float64
	}{
		{at("DE", "Frankfurt"), at("DE", "Frankfurt"), 0},
		{at("DE", "Frankfurt"), at("IE", "Dublin"), 1085},
		{at("GB", "London"), at("AU", "Sydney"), 16990},
		{at("JP", "Tokyo"), at("US", "San Francisco"), 8270},
	} {
		if got := geography.Distance(test.from, test.to); got < test.want*0.98-1 || got > test.want*1.02+1 {
			t.Errorf("%v to %v: %.0f km, want about %.0f", test.from, test.to, got, test.want)
		}
	}
}

func TestUnknownPlaces(t *testing.T) {
	t.Parallel()
	if _, _, ok := geography.Of("XX", "Nowhere"); ok {
		t.Error("a country that is none has a middle")
	}
	if latitude, longitude, ok := geography.Of("IN", "no such city"); !ok || latitude < 8 || latitude > 35 || longitude < 68 || longitude > 97 {
		t.Errorf("India is at %v, %v (%v)", latitude, longitude, ok)
	}
}

func TestOutlines(t *testing.T) {
	t.Parallel()
	if len(geography.Outlines) < 15 {
		t.Errorf("%d outlines", len(geography.Outlines))
	}
	for _, shape := range geography.Outlines {
		for _, point := range shape {
			if point.Latitude < -60 || point.Latitude > 84 || point.Longitude < -180 || point.Longitude > 180 {
				t.Errorf("%v is not on the map", point)
			}
		}
	}
}
