package compliance

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// stay is a place without a break.
type stay struct {
	place fleet.Located
	from  time.Time // zero: from the beginning
	until time.Time // zero: open
	told  *version  // that says it begins
	ended *version  // that says it ends
}

// document adds what happened to the dataset's document, and where it was
// declared to be.
func (h *historian) document() {
	spans := h.timeline(h.dataset)
	var before *version
	for _, span := range spans {
		switch {
		case span.deleted:
			h.note(span.version, span.from, eventChanged, "no longer declared")
		case before == nil || before.deleted:
			h.note(span.version, span.from, eventDeclared, "declared as "+describeDataset(span.version))
		default:
			h.note(span.version, span.from, eventChanged, changesOf(before, span.version))
		}
		before = span.version
	}
	h.corrected(spans)
	h.stays(h.dataset)
}

// corrected tells of versions that were thought true and are no longer, as a
// later one corrects all of their time.
func (h *historian) corrected(spans []span) {
	for _, one := range h.versions(h.dataset) {
		if slices.ContainsFunc(spans, func(s span) bool { return s.version == one }) {
			continue
		}
		h.note(one, one.begins, eventChanged, "was recorded and corrected later: "+describeDataset(one))
	}
}

// stays adds the events of a document's places: arrivals, moves, departures.
func (h *historian) stays(ref fleet.Ref) {
	stays := h.staysOf(ref)
	moved := map[*stay]bool{}
	for i, one := range stays {
		if i := slices.IndexFunc(stays[:i], func(other *stay) bool {
			return !moved[other] && other.place.Binding == one.place.Binding && !other.until.IsZero() && other.until.Equal(one.from)
		}); i >= 0 {
			moved[stays[i]] = true
			h.arrival(one, eventMoved, "moved from "+stays[i].place.Region+" to "+h.describePlace(one.place))
			continue
		}
		h.arrival(one, eventPlaced, h.describePlace(one.place))
	}
	for _, one := range stays {
		if !one.until.IsZero() && !moved[one] {
			h.note(one.ended, one.until, eventLeft, "no longer "+h.describePlace(one.place)).Region = one.place.Region
		}
	}
}

// arrival adds the beginning of a stay, to be judged by the rules of that
// instant; one that always was, by those of when it was recorded or, if it had
// ended before, of its last moment.
func (h *historian) arrival(one *stay, kind, text string) {
	noted := h.note(one.told, one.from, kind, text)
	noted.Region, noted.judge = one.place.Region, one.from
	if one.from.IsZero() {
		noted.judge = one.told.recorded
		if last := one.until.Add(-time.Nanosecond); !one.until.IsZero() && last.Before(noted.judge) {
			noted.judge = last
		}
	}
}

// staysOf joins what the versions of a document say of its places, in order.
func (h *historian) staysOf(ref fleet.Ref) []*stay {
	var stays []*stay
	for _, span := range h.timeline(ref) {
		for _, place := range h.placesBy(span.version) {
			from, until := within(span, place)
			if !until.IsZero() && !from.Before(until) {
				continue
			}
			i := slices.IndexFunc(stays, func(one *stay) bool {
				return samePlace(one.place, place) && !one.until.IsZero() && one.until.Equal(from)
			})
			if i < 0 {
				stays = append(stays, &stay{place: place, from: from, told: span.version})
				i = len(stays) - 1
			}
			stays[i].until, stays[i].ended = until, span.version
		}
		for _, one := range stays { // what ends with a version is ended by the next
			if !one.until.IsZero() && one.until.Equal(span.from) && one.ended != span.version {
				one.ended = span.version
			}
		}
	}
	return stays
}

// placesBy are the places of a version, of the dataset only.
func (h *historian) placesBy(told *version) []fleet.Located {
	if spec := told.placement(); spec != nil {
		if spec.Subject != h.dataset {
			return nil
		}
		return []fleet.Located{h.locatePlacement(told)}
	}
	places := h.declaredBy(told)
	for i := range places {
		places[i] = h.locate(places[i])
	}
	return places
}

// within is the part of a span in which a place is in force.
func within(s span, place fleet.Located) (from, until time.Time) {
	from, until = s.from, s.until
	period := fleet.Period{From: place.From, Until: place.Until}
	if begins, err := residency.Begins(period, time.UTC); err == nil && begins.After(from) {
		from = begins
	}
	if ends, err := residency.Ends(period, time.UTC); err == nil && !ends.IsZero() && (until.IsZero() || ends.Before(until)) {
		until = ends
	}
	return from, until
}

// describePlace says what is where, for people.
func (v *view) describePlace(place fleet.Located) string {
	var facets []string
	for _, facet := range place.Facets {
		facets = append(facets, string(facet))
	}
	text := strings.Join(facets, ", ") + " in " + place.Region
	if place.City != "" {
		text += fmt.Sprintf(" (%s, %s)", place.City, place.Country)
	}
	if place.GeoRedundant {
		text += " and its pair"
		if place.Pair != "" {
			text += " " + place.Pair
		}
	}
	if place.Binding != "" {
		text += " as " + place.Binding
	}
	return text + ", " + string(place.Source)
}

func describeDataset(told *version) string {
	spec := told.dataset()
	if spec == nil {
		return "a document that cannot be read"
	}
	if len(spec.Classes) == 0 {
		return "data without a class"
	}
	return strings.Join(spec.Classes, ", ")
}

// changesOf says what two versions of a dataset differ in.
func changesOf(before, after *version) string {
	was, is := before.dataset(), after.dataset()
	if was == nil || is == nil {
		return "now " + describeDataset(after)
	}
	var changed []string
	if !slices.Equal(was.Classes, is.Classes) {
		changed = append(changed, "classes from "+describeDataset(before)+" to "+describeDataset(after))
	}
	for _, part := range []struct {
		name    string
		was, is any
	}{{"facts", was.Facts, is.Facts}, {"bindings", was.Bindings, is.Bindings}, {"legal instruments", was.Instruments, is.Instruments}} {
		if !reflect.DeepEqual(part.was, part.is) {
			changed = append(changed, part.name)
		}
	}
	if len(changed) == 0 {
		return "description changed"
	}
	return "changed: " + strings.Join(changed, "; ")
}
