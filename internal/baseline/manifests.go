package baseline

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// sourceObject is a Kubernetes object of a bundle and where it comes from.
type sourceObject struct {
	object *unstructured.Unstructured
	at     fleet.Position
}

// yamlDocument is one document of a YAML file.
type yamlDocument struct {
	content []byte
	line    int // in the file, of its first line
}

// splitDocuments parts a YAML file at its document markers and leaves out
// documents that hold nothing but comments.
func splitDocuments(content []byte) []yamlDocument {
	var documents []yamlDocument
	current := yamlDocument{line: 1}
	hasContent := false
	flush := func(next int) {
		if hasContent {
			documents = append(documents, current)
		}
		current, hasContent = yamlDocument{line: next}, false
	}
	number := 0
	for line := range bytes.Lines(content) {
		number++
		text := strings.TrimRight(string(line), " \t\r\n")
		if text == "---" || strings.HasPrefix(text, "--- ") {
			flush(number)
			rest := strings.TrimSpace(strings.TrimPrefix(text, "---"))
			hasContent = rest != "" && !strings.HasPrefix(rest, "#")
		} else if trimmed := strings.TrimSpace(text); trimmed != "" && !strings.HasPrefix(trimmed, "#") && text != "..." {
			hasContent = true
		}
		current.content = append(current.content, line...)
	}
	flush(number)
	return documents
}

// parseManifests reads the Kubernetes objects of one file.
func parseManifests(file string, content []byte) ([]sourceObject, []error) {
	var objects []sourceObject
	var faults []error
	for _, document := range splitDocuments(content) {
		raw, err := yaml.YAMLToJSONStrict(atLine(document.content, document.line))
		if err != nil {
			faults = append(faults, yamlFaults(file, err)...)
			continue
		}
		index := newPositions(file, document.content, document.line)
		found, problems := readObjects(index, raw)
		objects, faults = append(objects, found...), append(faults, problems...)
	}
	return objects, faults
}

// readObjects makes one object, or those of a List, of a JSON document.
func readObjects(index positions, raw []byte) ([]sourceObject, []error) {
	var content map[string]any
	if err := decodeJSON(raw, &content); err != nil || content == nil {
		return nil, []error{fleet.Errorf(fleet.ErrInvalid, "want a Kubernetes object").At(index.of(""), "")}
	}
	items, isList := content["items"].([]any)
	if kind, _ := content["kind"].(string); !isList || kind != "List" {
		return readObject(index, "", content)
	}
	var objects []sourceObject
	var faults []error
	for i, item := range items {
		field := fmt.Sprintf("items[%d]", i)
		inner, ok := item.(map[string]any)
		if !ok {
			faults = append(faults, fleet.Errorf(fleet.ErrInvalid, "want a Kubernetes object").At(index.of(field), field))
			continue
		}
		found, problems := readObject(index, field+".", inner)
		objects, faults = append(objects, found...), append(faults, problems...)
	}
	return objects, faults
}

func readObject(index positions, prefix string, content map[string]any) ([]sourceObject, []error) {
	faults := checkObject(index, prefix, content)
	if len(faults) > 0 {
		return nil, faults
	}
	object := &unstructured.Unstructured{Object: content}
	dropServerFields(object)
	mergeStringData(object)
	at := index.of(strings.TrimSuffix(prefix, "."))
	return []sourceObject{{object: object, at: at}}, checkTemplates(index, prefix, object)
}

// checkObject checks what every object must have.
func checkObject(index positions, prefix string, content map[string]any) []error {
	var faults []error
	fault := func(field, format string, args ...any) {
		faults = append(faults, fleet.Errorf(fleet.ErrInvalid, format, args...).At(index.of(prefix+field), prefix+field))
	}
	for _, field := range []string{"apiVersion", "kind"} {
		if text, ok := content[field].(string); !ok || text == "" {
			fault(field, "is missing")
		}
	}
	if version, ok := content["apiVersion"].(string); ok {
		if _, err := schema.ParseGroupVersion(version); err != nil {
			fault("apiVersion", "%q is not an API version", version)
		}
	}
	metadata, ok := content["metadata"].(map[string]any)
	if !ok {
		fault("metadata", "is missing")
		return faults
	}
	if name, ok := metadata["name"].(string); !ok || name == "" {
		fault("metadata.name", "is missing: an object of a baseline has a fixed name")
	} else if strings.ContainsAny(name, "/%") || name == "." || name == ".." {
		fault("metadata.name", "%q is not an object's name", name)
	}
	if namespace, ok := metadata["namespace"]; ok && namespace != nil {
		if text, ok := namespace.(string); !ok || !namespacePattern.MatchString(text) {
			fault("metadata.namespace", "%v is not a namespace", namespace)
		}
	}
	for _, field := range []string{"labels", "annotations"} {
		faults = append(faults, checkTexts(index, prefix+"metadata."+field, metadata[field])...)
	}
	return faults
}

var namespacePattern = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// checkTexts wants a mapping of texts, or nothing.
func checkTexts(index positions, field string, value any) []error {
	if value == nil {
		return nil
	}
	entries, ok := value.(map[string]any)
	if !ok {
		return []error{fleet.Errorf(fleet.ErrInvalid, "want a mapping of texts").At(index.of(field), field)}
	}
	var faults []error
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		inner := entries[key]
		if _, ok := inner.(string); !ok {
			name := field + "." + key
			faults = append(faults, fleet.Errorf(fleet.ErrInvalid, "want a text, got %v", inner).At(index.of(name), name).Advise("put it in quotes"))
		}
	}
	return faults
}

// dropServerFields removes what only the API server writes.
func dropServerFields(object *unstructured.Unstructured) {
	delete(object.Object, "status")
	metadata := object.Object["metadata"].(map[string]any)
	for _, field := range []string{"creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"} {
		delete(metadata, field)
	}
	for _, field := range []string{"labels", "annotations", "namespace"} {
		if metadata[field] == nil || metadata[field] == "" {
			delete(metadata, field)
		}
	}
}

// checkTemplates compiles the substitutions of an object that opted in.
func checkTemplates(index positions, prefix string, object *unstructured.Unstructured) []error {
	if object.GetAnnotations()[AnnotationSubstitute] != "true" {
		return nil
	}
	var faults []error
	eachText(object.Object, strings.TrimSuffix(prefix, "."), func(field, text string) {
		if _, err := parseTemplate(text); err != nil {
			faults = append(faults, fleet.Errorf(fleet.ErrInvalid, "%w", err).At(index.of(field), field))
		}
	})
	return faults
}
