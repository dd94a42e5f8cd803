package manifest

import (
	"reflect"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// fields are the names a struct has in documents.
type fields struct {
	names []string
	index map[string][]int
}

// fieldsOf reads a struct's json tags. Fields of embedded structs count as its
// own, as they do in encoding/json.
func fieldsOf(t reflect.Type) fields {
	known := fields{index: map[string][]int{}}
	for _, field := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if !field.IsExported() || name == "-" || field.Anonymous && name == "" {
			continue
		}
		if name == "" {
			name = field.Name
		}
		known.index[name] = field.Index
		known.names = append(known.names, name)
	}
	slices.Sort(known.names)
	return known
}

// nearest is the name most like the one given, or empty when none is close.
func nearest(given string, names []string) string {
	best, distance := "", len(given)/3+2
	for _, name := range names {
		if strings.EqualFold(name, given) {
			return name
		}
		if d := levenshtein.ComputeDistance(strings.ToLower(given), strings.ToLower(name)); d < distance {
			best, distance = name, d
		}
	}
	return best
}
