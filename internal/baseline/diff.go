package baseline

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// maxFields bounds how many changed fields of one object are named.
const maxFields = 30

// unshownFields are written by the server, or by us for ourselves.
var unshownFields = map[string]bool{
	"metadata.managedFields": true, "metadata.resourceVersion": true, "metadata.generation": true,
	"metadata.uid": true, "metadata.creationTimestamp": true, "status": true,
	"metadata.annotations." + AnnotationDigest: true,
}

// changedFields names the fields in which two states of an object differ, in a
// fixed order and in the form field managers name them:
// spec.template.spec.containers[name="driver"].image.
func changedFields(before, after *unstructured.Unstructured) []string {
	var fields []string
	diff("", before.Object, after.Object, &fields)
	slices.Sort(fields)
	if len(fields) > maxFields {
		fields = append(fields[:maxFields], fmt.Sprintf("… and %d more", len(fields)-maxFields))
	}
	return fields
}

func diff(path string, before, after any, fields *[]string) {
	if unshownFields[path] || reflect.DeepEqual(before, after) {
		return
	}
	switch typed := before.(type) {
	case map[string]any:
		if other, ok := after.(map[string]any); ok {
			diffMaps(path, typed, other, fields)
			return
		}
	case []any:
		if other, ok := after.([]any); ok && diffLists(path, typed, other, fields) {
			return
		}
	}
	*fields = append(*fields, path)
}

func diffMaps(path string, before, after map[string]any, fields *[]string) {
	keys := map[string]bool{}
	for key := range before {
		keys[key] = true
	}
	for key := range after {
		keys[key] = true
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		inner := key
		if path != "" {
			inner = path + "." + key
		}
		diff(inner, before[key], after[key], fields)
	}
}

// diffLists compares lists whose items have names item by item. It reports
// false for other lists, which differ as a whole.
func diffLists(path string, before, after []any, fields *[]string) bool {
	old, okOld := byName(before)
	fresh, okFresh := byName(after)
	if !okOld || !okFresh {
		return false
	}
	names := maps.Clone(old)
	maps.Copy(names, fresh)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		diff(fmt.Sprintf("%s[name=%q]", path, name), valueOrNil(old, name), valueOrNil(fresh, name), fields)
	}
	return true
}

func valueOrNil(items map[string]any, name string) any {
	if item, ok := items[name]; ok {
		return item
	}
	return nil
}

func byName(list []any) (map[string]any, bool) {
	items := map[string]any{}
	for _, item := range list {
		object, ok := item.(map[string]any)
		name, named := object["name"].(string)
		if _, twice := items[name]; !ok || !named || twice {
			return nil, false
		}
		items[name] = item
	}
	return items, true
}
