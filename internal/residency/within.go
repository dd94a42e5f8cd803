package residency

import (
	"strconv"
	"strings"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// withinUnits are the units a time limit can have.
var withinUnits = []string{"minutes", "hours", "days", "business days", "weeks", "months", "years"}

// limit is how long something may take: "5 business days".
type limit struct {
	count int
	unit  string // one of withinUnits; empty: no limit
}

// parseLimit reads a time limit; an empty text is none.
func parseLimit(text string) (limit, error) {
	if text == "" {
		return limit{}, nil
	}
	number, unit, _ := strings.Cut(strings.TrimSpace(text), " ")
	count, err := strconv.Atoi(number)
	unit = strings.Join(strings.Fields(strings.ToLower(unit)), " ")
	if err != nil || count < 0 || count > 100_000 {
		return limit{}, fleet.Errorf(fleet.ErrInvalid, "%q is no time limit", text).Advise("write it like 24 hours, 5 business days or 24 months")
	}
	for _, known := range withinUnits {
		if unit == known || unit+"s" == known {
			return limit{count: count, unit: known}, nil
		}
	}
	return limit{}, fleet.Errorf(fleet.ErrInvalid, "%q is no time limit", text).
		Advise("the unit is one of %s", strings.Join(withinUnits, ", "))
}

// after is when the limit ends that begins at an instant; days and months are
// those of a time zone, and the clock then shows what it showed.
func (l limit) after(at time.Time, zone *time.Location) time.Time {
	at = at.In(zone)
	switch l.unit {
	case "minutes":
		return at.Add(time.Duration(l.count) * time.Minute)
	case "hours":
		return at.Add(time.Duration(l.count) * time.Hour)
	case "days":
		return at.AddDate(0, 0, l.count)
	case "weeks":
		return at.AddDate(0, 0, 7*l.count)
	case "business days":
		return addBusinessDays(at, l.count)
	case "months":
		return addMonths(at, l.count)
	case "years":
		return addMonths(at, 12*l.count)
	}
	return at
}

// addMonths stays within the month: a month after 31 January is 28 February.
func addMonths(at time.Time, months int) time.Time {
	year, month, day := at.Date()
	last := time.Date(year, month+time.Month(months)+1, 0, 0, 0, 0, 0, time.UTC).Day()
	hour, minute, second := at.Clock()
	return time.Date(year, month+time.Month(months), min(day, last), hour, minute, second, at.Nanosecond(), at.Location())
}

// addBusinessDays counts Monday to Friday; public holidays are not known.
func addBusinessDays(at time.Time, days int) time.Time {
	if weeks := days/5 - 1; weeks > 0 { // whole weeks at once
		at, days = at.AddDate(0, 0, 7*weeks), days-5*weeks
	}
	for days > 0 {
		at = at.AddDate(0, 0, 1)
		if weekday := at.Weekday(); weekday != time.Saturday && weekday != time.Sunday {
			days--
		}
	}
	return at
}
