package residency

import (
	"strings"
	"time"
	_ "time/tzdata" // zones mean the same on every machine

	"github.com/meridian-fleet/meridian/internal/fleet"
)

const dateLayout = "2006-01-02"

// ParseInstant reads an instant (RFC 3339) or a date, which is its beginning
// in UTC.
func ParseInstant(text string) (time.Time, error) {
	return parseEnd(text, time.UTC, 0)
}

// Covers reports whether an instant is in a period whose dates are days of a
// time zone (UTC when nil).
func Covers(period fleet.Period, zone *time.Location, at time.Time) (bool, error) {
	begins, err := Begins(period, zone)
	if err != nil {
		return false, err
	}
	ends, err := Ends(period, zone)
	if err != nil {
		return false, err
	}
	return !at.Before(begins) && (ends.IsZero() || at.Before(ends)), nil
}

// Begins is the first instant of a period, zero when it always was.
func Begins(period fleet.Period, zone *time.Location) (time.Time, error) {
	if period.From == "" {
		return time.Time{}, nil
	}
	return parseEnd(period.From, zone, 0)
}

// Ends is the first instant after a period, zero when it never ends.
func Ends(period fleet.Period, zone *time.Location) (time.Time, error) {
	if period.Until == "" {
		return time.Time{}, nil
	}
	return parseEnd(period.Until, zone, 1)
}

// parseEnd reads one end of a period. A date is the first moment of the day so
// many days after it.
func parseEnd(text string, zone *time.Location, days int) (time.Time, error) {
	if zone == nil {
		zone = time.UTC
	}
	if day := len(dateLayout); len(text) > day && (text[day] == 'T' || text[day] == 't') {
		at, err := time.Parse(time.RFC3339, strings.ToUpper(text))
		if err != nil {
			return time.Time{}, fleet.Errorf(fleet.ErrInvalid, "%q is not an instant", text).
				Advise("write it like 2026-03-01T15:04:05+01:00, or a date like 2026-03-01")
		}
		return at, nil
	}
	date, err := time.Parse(dateLayout, text)
	if err != nil {
		return time.Time{}, fleet.Errorf(fleet.ErrInvalid, "%q is not a date", text).
			Advise("write a day that exists like 2026-03-01, or an instant like 2026-03-01T15:04:05+01:00")
	}
	year, month, day := date.Date()
	return startOfDay(year, month, day+days, zone), nil
}

// startOfDay is the first moment of a day, also where the clock skips midnight
// or the whole day, or strikes midnight twice.
func startOfDay(year int, month time.Month, day int, zone *time.Location) time.Time {
	at := time.Date(year, month, day, 0, 0, 0, 0, zone)
	wanted := time.Date(year, month, day, 0, 0, 0, 0, time.UTC) // the day may be beyond the month
	began, ends := at.ZoneBounds()
	local := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
	switch {
	case local.Before(wanted):
		return ends
	case local.After(wanted):
		return began
	case began.IsZero():
		return at
	}
	_, offset := began.Add(-1).Zone()
	if first := wanted.Add(-time.Duration(offset) * time.Second); first.Before(began) && first.Before(at) {
		return first.In(zone)
	}
	return at
}

// zoneOf finds a time zone by its IANA name, UTC when empty.
func zoneOf(name string) (*time.Location, error) {
	if name == "" {
		return time.UTC, nil
	}
	if name == "Local" {
		return nil, fleet.Errorf(fleet.ErrInvalid, "%q is not the name of a time zone", name).Advise("write an IANA name like Europe/Berlin")
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrInvalid, "%q is not the name of a time zone", name).Advise("write an IANA name like Europe/Berlin")
	}
	return zone, nil
}
