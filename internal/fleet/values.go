package fleet

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Duration is a time.Duration written as "90s" or "5m" in documents.
type Duration time.Duration

// MarshalJSON writes the Go form, "1m30s".
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// UnmarshalJSON reads the Go form; a negative or unit-less value is an error.
func (d *Duration) UnmarshalJSON(raw []byte) error {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return fmt.Errorf(`want a duration such as "30s" or "5m", got %s`, raw)
	}
	value, err := time.ParseDuration(text)
	if err != nil || value < 0 {
		return fmt.Errorf(`want a duration such as "30s" or "5m", got %q`, text)
	}
	*d = Duration(value)
	return nil
}

// Amount is a count (3) or a share ("25%"). The zero value is a count of 0.
type Amount struct {
	Count     int
	Percent   int // 0 to 100; used when IsPercent
	IsPercent bool
}

// MarshalJSON writes 3 or "25%".
func (a Amount) MarshalJSON() ([]byte, error) {
	if a.IsPercent {
		return json.Marshal(fmt.Sprintf("%d%%", a.Percent))
	}
	return json.Marshal(a.Count)
}

// UnmarshalJSON reads 3, "3" or "25%".
func (a *Amount) UnmarshalJSON(raw []byte) error {
	text := strings.Trim(string(raw), `"`)
	number, isPercent := strings.CutSuffix(text, "%")
	value, err := strconv.Atoi(number)
	if err != nil || value < 0 || isPercent && value > 100 {
		return fmt.Errorf(`want a count such as 3 or a share such as "25%%", got %s`, raw)
	}
	if isPercent {
		*a = Amount{Percent: value, IsPercent: true}
	} else {
		*a = Amount{Count: value}
	}
	return nil
}

// Of is the amount as a count out of a total; a share is rounded down.
func (a Amount) Of(total int) int {
	if a.IsPercent {
		return total * a.Percent / 100
	}
	return a.Count
}

// IsZero reports whether nothing was set.
func (a Amount) IsZero() bool { return a == Amount{} }
