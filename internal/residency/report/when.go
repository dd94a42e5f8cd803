package report

import (
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// when writes an instant for people, in UTC.
func when(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format("2006-01-02 15:04:05 UTC")
}

// momentText is an instant of a question; now was when the report was made.
func momentText(at, made time.Time) string {
	if at.IsZero() {
		return when(made) + " (when the report was made)"
	}
	return when(at)
}

// periodText says from when until when.
func periodText(from, until string) string {
	switch {
	case from == "" && until == "":
		return "without limits"
	case until == "":
		return "from " + from
	case from == "":
		return "until " + until
	}
	return from + " to " + until
}

func effectiveText(period fleet.Period) string { return periodText(period.From, period.Until) }
