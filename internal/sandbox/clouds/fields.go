package clouds

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// The API server has checked objects against their schemas, so that a field is
// of its type or absent; these return the zero value for absent ones.

func text(object map[string]any, fields ...string) string {
	value, _, _ := unstructured.NestedString(object, fields...)
	return value
}

func flag(object map[string]any, fields ...string) bool {
	value, _, _ := unstructured.NestedBool(object, fields...)
	return value
}

func number(object map[string]any, fields ...string) *int64 {
	value, found, err := unstructured.NestedInt64(object, fields...)
	if !found || err != nil {
		return nil
	}
	return &value
}

func texts(object map[string]any, fields ...string) map[string]string {
	value, _, _ := unstructured.NestedStringMap(object, fields...)
	return value
}

func objects(object map[string]any, fields ...string) []map[string]any {
	list, _, _ := unstructured.NestedSlice(object, fields...)
	var found []map[string]any
	for _, entry := range list {
		if entry, ok := entry.(map[string]any); ok {
			found = append(found, entry)
		}
	}
	return found
}

func set(object map[string]any, value any, fields ...string) {
	// The only error is a parent that is no object, which the schemas exclude.
	_ = unstructured.SetNestedField(object, value, fields...)
}
