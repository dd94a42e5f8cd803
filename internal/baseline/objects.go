package baseline

import (
	"bytes"
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/json"
)

// objectKey identifies an object in a cluster whatever version of its API it
// is written in.
type objectKey struct {
	group, kind, namespace, name string
}

func keyOf(object *unstructured.Unstructured) objectKey {
	kind := object.GroupVersionKind()
	return objectKey{kind.Group, kind.Kind, object.GetNamespace(), object.GetName()}
}

// String is the form people read: Kind.group namespace/name.
func (k objectKey) String() string {
	out := k.kind
	if k.group != "" {
		out += "." + k.group
	}
	if k.namespace != "" {
		return out + " " + k.namespace + "/" + k.name
	}
	return out + " " + k.name
}

func (k objectKey) groupKind() schema.GroupKind {
	return schema.GroupKind{Group: k.group, Kind: k.kind}
}

// compareKeys orders objects by kind, namespace and name.
func compareKeys(a, b objectKey) int {
	return slices.Compare([]string{a.group, a.kind, a.namespace, a.name}, []string{b.group, b.kind, b.namespace, b.name})
}

// decodeJSON decodes with whole numbers as int64, as Kubernetes does.
func decodeJSON(raw []byte, into *map[string]any) error {
	return json.Unmarshal(bytes.TrimSpace(raw), into)
}

// mergeStringData writes a Secret's stringData as data, as the API server
// does, so that what is wanted and what is live have one form.
func mergeStringData(object *unstructured.Unstructured) {
	if object.GroupVersionKind().GroupKind() != (schema.GroupKind{Kind: "Secret"}) {
		return
	}
	texts, ok := object.Object["stringData"].(map[string]any)
	if !ok {
		return
	}
	data, ok := object.Object["data"].(map[string]any)
	if !ok {
		data = map[string]any{}
	}
	for key, value := range texts {
		text, ok := value.(string)
		if !ok {
			return // the API server says what is wrong
		}
		data[key] = base64.StdEncoding.EncodeToString([]byte(text))
	}
	delete(object.Object, "stringData")
	object.Object["data"] = data
}

// eachText calls visit for every text below value with the path it is at, in
// a fixed order.
func eachText(value any, path string, visit func(path, text string)) {
	switch typed := value.(type) {
	case string:
		visit(path, typed)
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(typed)) {
			eachText(typed[key], strings.TrimPrefix(path+"."+key, "."), visit)
		}
	case []any:
		for i, inner := range typed {
			eachText(inner, path+"["+strconv.Itoa(i)+"]", visit)
		}
	}
}
