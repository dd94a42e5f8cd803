package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"
	"sigs.k8s.io/yaml"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Resource decodes a document of the API.
func Resource(document *structpb.Struct) (fleet.Resource, error) {
	var resource fleet.Resource
	err := Decode(document, &resource)
	return resource, err
}

// Resources decodes documents of the API.
func Resources(documents []*structpb.Struct) ([]fleet.Resource, error) {
	return DecodeAll[fleet.Resource](documents)
}

// Decode fills a value from a document of the API.
func Decode(document *structpb.Struct, value any) error {
	content, err := json.Marshal(document.AsMap())
	if err == nil {
		err = json.Unmarshal(content, value)
	}
	if err != nil {
		return fleet.Errorf(fleet.ErrInternal, "cannot read a document from fleetd, is it of another version? %w", err)
	}
	return nil
}

// DecodeAll decodes documents of the API.
func DecodeAll[T any](documents []*structpb.Struct) ([]T, error) {
	values := make([]T, len(documents))
	for i, document := range documents {
		if err := Decode(document, &values[i]); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// Encode makes a document of the API from a value, without the named fields.
func Encode(value any, without ...string) (*structpb.Struct, error) {
	content, err := json.Marshal(value)
	var fields map[string]any
	if err == nil {
		err = json.Unmarshal(content, &fields)
	}
	for _, field := range without {
		delete(fields, field)
	}
	var document *structpb.Struct
	if err == nil {
		document, err = structpb.NewStruct(fields)
	}
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrInternal, "encode: %w", err)
	}
	return document, nil
}

// Maps gives documents of the API as plain values, in the order they have.
func Maps(documents []*structpb.Struct) []any {
	items := make([]any, len(documents))
	for i, document := range documents {
		items[i] = document.AsMap()
	}
	return items
}

// Document prints one document in a machine's format.
func Document(w io.Writer, format Format, document *structpb.Struct) error {
	if format == Name {
		return names(w, []*structpb.Struct{document})
	}
	return Value(w, format, document.AsMap())
}

// Documents prints documents in a machine's format: a List, or names.
func Documents(w io.Writer, format Format, documents []*structpb.Struct) error {
	if format == Name {
		return names(w, documents)
	}
	return Value(w, format, List("List", Maps(documents)))
}

// List wraps items as a document of a kind.
func List(kind string, items any) map[string]any {
	return map[string]any{"apiVersion": fleet.APIVersion, "kind": kind, "items": items}
}

// Object makes a value that encodes as a JSON object a document of a kind.
func Object(kind string, value any) json.Marshaler { return object{kind, value} }

type object struct {
	kind  string
	value any
}

// MarshalJSON puts apiVersion and kind before the value's own fields.
func (o object) MarshalJSON() ([]byte, error) {
	head, err := json.Marshal(map[string]string{"apiVersion": fleet.APIVersion, "kind": o.kind})
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(o.value)
	if err != nil {
		return nil, err
	}
	fields, isObject := bytes.CutPrefix(body, []byte("{"))
	switch {
	case !isObject:
		return nil, fleet.Errorf(fleet.ErrInternal, "a %s is no object", o.kind)
	case string(fields) == "}":
		return head, nil
	}
	return append(append(head[:len(head)-1], ','), fields...), nil
}

// Value prints any value as JSON or YAML.
func Value(w io.Writer, format Format, value any) error {
	var content bytes.Buffer
	encoder := json.NewEncoder(&content)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return fleet.Errorf(fleet.ErrInternal, "encode: %w", err)
	}
	if format != YAML {
		_, err := content.WriteTo(w)
		return err
	}
	text, err := yaml.JSONToYAML(content.Bytes())
	if err != nil {
		return fleet.Errorf(fleet.ErrInternal, "encode: %w", err)
	}
	_, err = w.Write(text)
	return err
}

func names(w io.Writer, documents []*structpb.Struct) error {
	resources, err := Resources(documents)
	if err != nil {
		return err
	}
	for _, resource := range resources {
		if _, err := fmt.Fprintln(w, NameOf(string(resource.Kind), resource.Metadata.Name)); err != nil {
			return err
		}
	}
	return nil
}

// NameOf is a resource's line with -o name.
func NameOf(kind, name string) string { return strings.ToLower(kind) + "/" + name }
