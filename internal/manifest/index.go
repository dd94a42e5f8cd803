package manifest

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Index knows where each field of a document was written. Fields are named as
// in errors: spec.waves[1].soak, metadata.labels["example.com/team"].
type Index struct {
	positions map[string]fleet.Position
}

// Position is where a field was written, or, when it is absent, the nearest
// one around it.
func (i *Index) Position(field string) fleet.Position {
	for {
		if position, ok := i.positions[field]; ok || field == "" {
			return position
		}
		field = parent(field)
	}
}

// Fault makes an error about a field, with its position.
func (i *Index) Fault(field, format string, arguments ...any) *fleet.Error {
	return fleet.Errorf(fleet.ErrInvalid, format, arguments...).At(i.Position(field), field)
}

// parent drops the last step of a field's path.
func parent(field string) string {
	if strings.HasSuffix(field, "]") {
		return field[:max(strings.LastIndexByte(field, '['), 0)]
	}
	return field[:max(strings.LastIndexAny(field, ".["), 0)]
}

var plainKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// Child names a key below a field.
func Child(field, key string) string {
	switch {
	case !plainKey.MatchString(key):
		return field + "[" + strconv.Quote(key) + "]"
	case field == "":
		return key
	}
	return field + "." + key
}

// Element names an element of a list.
func Element(field string, index int) string { return field + "[" + strconv.Itoa(index) + "]" }
