package baseline

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// managedEntries are the managedFields of a live object, without decoding the
// sets of fields.
func managedEntries(live *unstructured.Unstructured) []map[string]any {
	metadata, _ := live.Object["metadata"].(map[string]any)
	list, _ := metadata["managedFields"].([]any)
	var out []map[string]any
	for _, item := range list {
		if entry, ok := item.(map[string]any); ok {
			out = append(out, entry)
		}
	}
	return out
}

// isOurs reports whether an entry of managedFields is from our applies.
func isOurs(entry map[string]any) bool {
	subresource, _ := entry["subresource"].(string)
	return entry["manager"] == FieldManager && entry["operation"] == string(metav1.ManagedFieldsOperationApply) && subresource == ""
}

// ownedFields is the set of fields we own of a live object, in one canonical
// form; nil when we own none. Whoever changes one of our fields, or removes
// it, takes it from this set: the set is as we left it only if nobody did.
func ownedFields(live *unstructured.Unstructured) json.RawMessage {
	var sets [][]byte
	for _, entry := range managedEntries(live) {
		if !isOurs(entry) {
			continue
		}
		if raw, err := json.Marshal(entry["fieldsV1"]); err == nil {
			sets = append(sets, raw)
		}
	}
	if len(sets) != 1 {
		return nil // none, or one per API version: not a state to build on
	}
	return sets[0]
}

// ownedByOthers reports whether others than us own fields of a live object
// beyond its subresources.
func ownedByOthers(live *unstructured.Unstructured) bool {
	return slices.ContainsFunc(managedEntries(live), func(entry map[string]any) bool {
		subresource, _ := entry["subresource"].(string)
		return !isOurs(entry) && subresource == ""
	})
}

// managedByUs reports whether we own any field of a live object.
func managedByUs(live *unstructured.Unstructured) bool {
	return slices.ContainsFunc(managedEntries(live), isOurs)
}

// pathsOf lists the paths in a set of fields, in the form conflicts name them.
func pathsOf(fields []byte) map[string]bool {
	paths := map[string]bool{}
	if len(fields) == 0 {
		return paths
	}
	var set fieldpath.Set
	if err := set.FromJSON(bytes.NewReader(fields)); err != nil {
		return paths
	}
	set.Iterate(func(path fieldpath.Path) { paths[strings.TrimPrefix(path.String(), ".")] = true })
	return paths
}

// managersOf names who, other than us, owns one of the given fields of a live
// object.
func managersOf(live *unstructured.Unstructured, fields []string) []string {
	managers := map[string]bool{}
	for _, entry := range managedEntries(live) {
		name, _ := entry["manager"].(string)
		if isOurs(entry) || name == "" {
			continue
		}
		raw, err := json.Marshal(entry["fieldsV1"])
		if err != nil {
			continue
		}
		paths := pathsOf(raw)
		if slices.ContainsFunc(fields, func(field string) bool { return paths[field] }) {
			managers[name] = true
		}
	}
	return slices.Sorted(maps.Keys(managers))
}
