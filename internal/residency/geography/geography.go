package geography

import (
	_ "embed"
	"math"
	"strconv"
	"strings"

	"github.com/meridian-fleet/meridian/internal/residency"
)

//go:embed cities.csv
var document string

//go:embed outline.csv
var outline string

// Point is a place on the globe, in degrees north and east.
type Point struct{ Latitude, Longitude float64 }

type city struct{ country, name string }

var cities = readCities(document)

// Outlines are coarse shapes of the continents and larger islands, closed, in
// no particular order: enough to recognise them on a small map.
var Outlines = readOutlines(outline)

// Of returns where a city of a catalog is. Without a city, or with one it does
// not know, it is the middle of the country; ok is false when that is not
// known either.
func Of(country, cityName string) (latitude, longitude float64, ok bool) {
	if point, known := cities[city{country, cityName}]; known {
		return point.Latitude, point.Longitude, true
	}
	return residency.Middle(country)
}

// Knows reports whether a city itself is known.
func Knows(country, cityName string) bool {
	_, known := cities[city{country, cityName}]
	return known
}

// Distance is the way along the surface from one place to another, in
// kilometres.
func Distance(from, to Point) float64 {
	const radius = 6371
	radians := func(degrees float64) float64 { return degrees * math.Pi / 180 }
	half := func(angle float64) float64 { return math.Pow(math.Sin(angle/2), 2) }
	h := half(radians(to.Latitude-from.Latitude)) +
		math.Cos(radians(from.Latitude))*math.Cos(radians(to.Latitude))*half(radians(to.Longitude-from.Longitude))
	return 2 * radius * math.Asin(math.Sqrt(min(1, h)))
}

// The data files are part of the program: a fault in one is a defect that no
// test lets pass, and makes the place unknown.

func readCities(document string) map[city]Point {
	known := map[city]Point{}
	for line := range strings.Lines(document) {
		fields := strings.Split(strings.TrimSpace(line), ",")
		if point, ok := readPoint(fields); ok && len(fields) == 4 {
			known[city{fields[0], fields[1]}] = point
		}
	}
	return known
}

func readPoint(fields []string) (Point, bool) {
	if len(fields) < 2 {
		return Point{}, false
	}
	latitude, err := strconv.ParseFloat(fields[len(fields)-2], 64)
	longitude, also := strconv.ParseFloat(fields[len(fields)-1], 64)
	return Point{latitude, longitude}, err == nil && also == nil
}

func readOutlines(document string) [][]Point {
	var shapes [][]Point
	for line := range strings.Lines(document) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		var shape []Point
		for pair := range strings.FieldsSeq(line) {
			if point, ok := readPoint(strings.Split(pair, ",")); ok {
				shape = append(shape, point)
			}
		}
		if len(shape) > 2 {
			shapes = append(shapes, shape)
		}
	}
	return shapes
}
