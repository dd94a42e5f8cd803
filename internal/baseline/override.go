package baseline

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// patch is a JSON merge patch (RFC 7386) for the objects it targets.
type patch struct {
	target fleet.ObjectPattern
	merge  map[string]any
}

// apply merges the patch into an object.
func (p patch) apply(object *unstructured.Unstructured) {
	object.Object = mergePatch(object.Object, runtime.DeepCopyJSON(p.merge))
}

// mergePatch is RFC 7386 for mappings: null removes, mappings merge, and
// everything else replaces.
func mergePatch(target, merge map[string]any) map[string]any {
	if target == nil {
		target = map[string]any{}
	}
	for key, value := range merge {
		switch typed := value.(type) {
		case nil:
			delete(target, key)
		case map[string]any:
			inner, _ := target[key].(map[string]any)
			target[key] = mergePatch(inner, typed)
		default:
			target[key] = value
		}
	}
	return target
}

// protectedField names the field of a patch that makes an object another one.
func protectedField(merge map[string]any) string {
	for _, field := range []string{"apiVersion", "kind"} {
		if _, ok := merge[field]; ok {
			return field
		}
	}
	value, changed := merge["metadata"]
	metadata, isMapping := value.(map[string]any)
	if changed && !isMapping {
		return "metadata"
	}
	for _, field := range []string{"name", "namespace"} {
		if _, ok := metadata[field]; ok {
			return "metadata." + field
		}
	}
	return ""
}

// matches reports whether an object has the pattern's kind, namespace and name.
func matches(pattern fleet.ObjectPattern, object *unstructured.Unstructured) bool {
	return (pattern.Kind == "" || pattern.Kind == object.GetKind()) &&
		(pattern.Namespace == "" || pattern.Namespace == object.GetNamespace()) &&
		(pattern.Name == "" || pattern.Name == object.GetName())
}
