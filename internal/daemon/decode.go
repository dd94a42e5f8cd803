package daemon

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// decoder fills a configuration from YAML and collects every fault with its
// key and place, where yaml's own strictness would not name the key.
type decoder struct {
	file   string
	faults []error
}

func (d *decoder) fault(node *yaml.Node, key, format string, args ...any) {
	d.faults = append(d.faults, fleet.Errorf(fleet.ErrInvalid, format, args...).
		At(fleet.Position{File: d.file, Line: node.Line, Column: node.Column}, key))
}

// decodeStrict reads one YAML document into a struct.
func decodeStrict(file string, content string, into any) error {
	d := &decoder{file: file}
	source := yaml.NewDecoder(strings.NewReader(content))
	var root, more yaml.Node
	err := source.Decode(&root)
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return d.syntax(err)
	case !errors.Is(source.Decode(&more), io.EOF):
		d.fault(&more, "", "one document is enough")
	}
	d.value(root.Content[0], "", reflect.ValueOf(into).Elem())
	return errors.Join(d.faults...)
}

// syntax gives an error of the YAML reader its line, which it has in its text
// only.
func (d *decoder) syntax(err error) error {
	position := fleet.Position{File: d.file}
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if _, scanErr := fmt.Sscanf(text, "line %d:", &position.Line); scanErr == nil {
		_, text, _ = strings.Cut(text, ": ")
	}
	return fleet.Errorf(fleet.ErrInvalid, "not YAML: %s", text).At(position, "")
}

func (d *decoder) value(node *yaml.Node, key string, into reflect.Value) {
	switch {
	case node.Kind == yaml.AliasNode:
		d.value(node.Alias, key, into)
	case node.Tag == "!!null":
	case into.Kind() == reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		d.value(node, key, into.Elem())
	case into.Kind() == reflect.Struct:
		d.mapping(node, key, into)
	case into.Kind() == reflect.Slice:
		d.sequence(node, key, into)
	case into.Kind() == reflect.Map:
		d.table(node, key, into)
	default:
		d.scalar(node, key, into)
	}
}

func (d *decoder) mapping(node *yaml.Node, key string, into reflect.Value) {
	if node.Kind != yaml.MappingNode {
		d.fault(node, key, "want a mapping")
		return
	}
	fields := fieldsOf(into)
	seen := map[string]bool{}
	for i := 0; i < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		path := strings.TrimPrefix(key+"."+name.Value, ".")
		field, known := fields[name.Value]
		switch {
		case seen[name.Value]:
			d.fault(name, path, "set twice")
		case !known:
			d.fault(name, path, "no such key; want %s", keysOf(fields))
		default:
			d.value(value, path, field)
		}
		seen[name.Value] = true
	}
}

func (d *decoder) sequence(node *yaml.Node, key string, into reflect.Value) {
	if node.Kind != yaml.SequenceNode {
		d.fault(node, key, "want a list")
		return
	}
	into.Set(reflect.MakeSlice(into.Type(), len(node.Content), len(node.Content)))
	for i, item := range node.Content {
		d.value(item, fmt.Sprintf("%s[%d]", key, i), into.Index(i))
	}
}

// table fills a map whose keys are free.
func (d *decoder) table(node *yaml.Node, key string, into reflect.Value) {
	if node.Kind != yaml.MappingNode {
		d.fault(node, key, "want a mapping")
		return
	}
	into.Set(reflect.MakeMap(into.Type()))
	for i := 0; i < len(node.Content); i += 2 {
		name, item := reflect.ValueOf(node.Content[i].Value), reflect.New(into.Type().Elem()).Elem()
		path := key + "." + name.String()
		if into.MapIndex(name).IsValid() {
			d.fault(node.Content[i], path, "set twice")
		}
		d.value(node.Content[i+1], path, item)
		into.SetMapIndex(name, item)
	}
}

func (d *decoder) scalar(node *yaml.Node, key string, into reflect.Value) {
	if node.Kind == yaml.ScalarNode && node.Decode(into.Addr().Interface()) == nil {
		return
	}
	d.fault(node, key, "want %s, got %q", described(into.Type()), node.Value)
}

func described(t reflect.Type) string {
	switch {
	case t.PkgPath() == "time":
		return "a duration such as 30s or 10m"
	case t.Kind() == reflect.Bool:
		return "true or false"
	}
	return "text"
}

func fieldsOf(value reflect.Value) map[string]reflect.Value {
	fields := map[string]reflect.Value{}
	for i := range value.NumField() {
		if name := value.Type().Field(i).Tag.Get("yaml"); name != "-" {
			fields[name] = value.Field(i)
		}
	}
	return fields
}

func keysOf(fields map[string]reflect.Value) string {
	var names []string
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
