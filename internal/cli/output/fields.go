package output

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"

	"google.golang.org/protobuf/types/known/structpb"
)

// FieldChange is a field that a change gave another value. An absent value is
// empty.
type FieldChange struct {
	Field, Before, After string
}

// bookkeeping changes with every write and says nothing.
var bookkeeping = map[string]bool{"metadata.revision": true, "metadata.updatedAt": true}

// Changed lists the fields in which two documents differ, in order.
func Changed(before, after *structpb.Struct) []FieldChange {
	var changes []FieldChange
	diff("", asAny(before), asAny(after), &changes)
	return changes
}

func asAny(document *structpb.Struct) any {
	if document == nil {
		return nil
	}
	return document.AsMap()
}

func diff(field string, before, after any, changes *[]FieldChange) {
	if bookkeeping[field] || reflect.DeepEqual(before, after) {
		return
	}
	left, leftIsMap := before.(map[string]any)
	right, rightIsMap := after.(map[string]any)
	if leftIsMap && rightIsMap || leftIsMap && after == nil && field == "" || rightIsMap && before == nil && field == "" {
		both := maps.Clone(left)
		if both == nil {
			both = map[string]any{}
		}
		maps.Copy(both, right)
		for _, key := range slices.Sorted(maps.Keys(both)) {
			diff(join(field, key), left[key], right[key], changes)
		}
		return
	}
	leftItems, leftIsList := before.([]any)
	rightItems, rightIsList := after.([]any)
	if leftIsList && rightIsList && len(leftItems) == len(rightItems) {
		for i := range leftItems {
			diff(fmt.Sprintf("%s[%d]", field, i), leftItems[i], rightItems[i], changes)
		}
		return
	}
	*changes = append(*changes, FieldChange{field, Scalar(before), Scalar(after)})
}

func join(field, key string) string {
	if field == "" {
		return key
	}
	return field + "." + key
}

// Scalar writes a value on one line.
func Scalar(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return value
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64)
	}
	content, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(content)
}
