package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency/geography"
)

// The map is an equirectangular projection: one unit of the drawing is a
// third of a degree, from 180° west and 82° north on, down to 58° south.
const (
	mapWidth  = 1080
	mapHeight = 420
	mapScale  = 3.0
	mapNorth  = 82.0
	markSpace = 13 // units between marks, so that each can be seen
	// Labels stand on their line: their middle is a little above it.
	labelSpace, labelRise = 14, 3
)

// mapView is the picture of where everything is.
type mapView struct {
	Width, Height int
	Land          []string // SVG point lists
	Meridians     []int
	Parallels     []int
	Countries     []mapLabel
	Marks         []mapMark
	Unplaced      []string // regions nobody knows the whereabouts of
}

type mapLabel struct {
	X, Y int
	Text string
}

// mapMark is one region; the number refers to the list below the map.
type mapMark struct {
	X, Y, Number       int
	State, Mark, Where string
	Subjects           []string
}

func project(point geography.Point) (x, y int) {
	return int(math.Round((point.Longitude + 180) * mapScale)), int(math.Round((mapNorth - point.Latitude) * mapScale))
}

func newMap(body fleet.EvidenceBody, known gazetteer) mapView {
	view := mapView{Width: mapWidth, Height: mapHeight}
	for _, shape := range geography.Outlines {
		var points []string
		for _, point := range shape {
			x, y := project(point)
			points = append(points, fmt.Sprintf("%d,%d", x, y))
		}
		view.Land = append(view.Land, strings.Join(points, " "))
	}
	for degrees := -150; degrees <= 150; degrees += 30 {
		x, _ := project(geography.Point{Longitude: float64(degrees)})
		view.Meridians = append(view.Meridians, x)
	}
	for degrees := -30; degrees <= 60; degrees += 30 {
		_, y := project(geography.Point{Latitude: float64(degrees)})
		view.Parallels = append(view.Parallels, y)
	}
	view.mark(body, known)
	return view
}

// mark puts every region with something in it on the map, pairs included.
func (m *mapView) mark(body fleet.EvidenceBody, known gazetteer) {
	states, subjects := map[string]string{}, map[string]*names{}
	add := func(region, state, subject string) {
		states[region] = worse(states[region], state)
		if subjects[region] == nil {
			subjects[region] = &names{}
		}
		subjects[region].add(subject)
	}
	for _, place := range body.Audit.Places {
		add(place.Region, placeState(place), subjectText(place.Located))
		if place.GeoRedundant && place.Pair != "" {
			add(place.Pair, placeState(place), subjectText(place.Located)+" (replica pair)")
		}
	}
	countries := map[string]bool{}
	for _, region := range sortedKeys(states) {
		facts := known.facts(region)
		latitude, longitude, ok := geography.Of(facts.Country, facts.City)
		if !ok {
			m.Unplaced = append(m.Unplaced, known.text(region))
			continue
		}
		x, y := m.free(project(geography.Point{Latitude: latitude, Longitude: longitude}))
		m.Marks = append(m.Marks, mapMark{
			X: x, Y: y, Number: len(m.Marks) + 1, State: states[region], Mark: marks[states[region]], Where: known.text(region), Subjects: subjects[region].shown(),
		})
		countries[facts.Country] = true
	}
	for _, country := range sortedKeys(countries) {
		if latitude, longitude, ok := geography.Of(country, ""); ok {
			x, y := project(geography.Point{Latitude: latitude, Longitude: longitude})
			m.label(x, y, country)
		}
	}
}

// label writes a country's code where no mark hides it: at its place, below or
// above; where there is no room the marks' numbers have to do.
func (m *mapView) label(x, y int, text string) {
	for _, shift := range []int{0, labelSpace, -labelSpace, 2 * labelSpace} {
		hidden := slices.ContainsFunc(m.Marks, func(mark mapMark) bool {
			right, down := mark.X-x, mark.Y-(y+shift-labelRise)
			return right*right < labelSpace*labelSpace && down*down < labelRise*labelRise*9
		})
		if !hidden {
			m.Countries = append(m.Countries, mapLabel{x, y + shift, text})
			return
		}
	}
}

// free finds a place near a point, on squares growing around it, where no mark
// is. It counts in whole numbers: every machine has to draw the same map.
func (m *mapView) free(x, y int) (int, int) {
	for ring := range 8 {
		for down := -ring; down <= ring; down++ {
			for right := -ring; right <= ring; right++ {
				if max(down, -down) != ring && max(right, -right) != ring {
					continue // inside: looked at already
				}
				if atX, atY := x+right*markSpace, y+down*markSpace; m.isFree(atX, atY) {
					return atX, atY
				}
			}
		}
	}
	return x, y
}

func (m *mapView) isFree(x, y int) bool {
	return !slices.ContainsFunc(m.Marks, func(other mapMark) bool {
		right, down := other.X-x, other.Y-y
		return right*right+down*down < markSpace*markSpace
	})
}
