package output

import (
	"fmt"
	"time"
)

// Age is the time since an instant as kubectl writes it: 45s, 12m, 3h20m, 5d.
func Age(now time.Time, then *time.Time) string {
	if then == nil || then.IsZero() {
		return ""
	}
	return Short(now.Sub(*then))
}

// Short is a duration in at most two units.
func Short(d time.Duration) string {
	d = max(d, 0)
	days := int(d / (24 * time.Hour))
	hours, minutes, seconds := int(d.Hours())%24, int(d.Minutes())%60, int(d.Seconds())%60
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < 10*time.Minute:
		return units(minutes, "m", seconds, "s")
	case d < 3*time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 8*time.Hour:
		return units(hours, "h", minutes, "m")
	case d < 2*24*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	case d < 8*24*time.Hour:
		return units(days, "d", hours, "h")
	}
	return fmt.Sprintf("%dd", days)
}

func units(big int, bigUnit string, small int, smallUnit string) string {
	if small == 0 {
		return fmt.Sprintf("%d%s", big, bigUnit)
	}
	return fmt.Sprintf("%d%s%d%s", big, bigUnit, small, smallUnit)
}

// Took is how long something lasted, for a summary.
func Took(d time.Duration) string {
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// Instant is a time for a person: the day and the second, with its zone.
func Instant(at *time.Time) string {
	if at == nil || at.IsZero() {
		return ""
	}
	return at.UTC().Format("2006-01-02 15:04:05Z")
}
