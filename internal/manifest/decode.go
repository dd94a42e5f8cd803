package manifest

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// maxDepth is how deep values may be nested.
const maxDepth = 64

// DecodeStrict reads the one document of a file into a T, by T's json tags.
// All faults are joined, each a *fleet.Error with Position and Field; the
// value then holds what could be read. The Index is never nil.
func DecodeStrict[T any](path string, content []byte) (T, *Index, error) {
	var value T
	start := &Index{positions: map[string]fleet.Position{"": {File: path}}}
	roots, err := split(path, content)
	switch {
	case err != nil:
		return value, start, err
	case len(roots) == 0:
		return value, start, start.Fault("", "the file has no document")
	case len(roots) > 1:
		extra := fleet.Position{File: path, Line: roots[1].Line, Column: roots[1].Column}
		return value, start, fleet.Errorf(fleet.ErrInvalid, "a second document; want one").At(extra, "")
	}
	d := newDecoder(path, roots[0])
	d.value(roots[0], reflect.ValueOf(&value).Elem(), "", 0)
	return value, d.index, errors.Join(d.faults...)
}

// decoder walks one document along a Go type and gathers faults on the way.
type decoder struct {
	path    string
	index   *Index
	refused map[string]string // fields that are known but not for people, and why
	faults  []error
}

func newDecoder(path string, root *yaml.Node) *decoder {
	start := fleet.Position{File: path, Line: root.Line, Column: root.Column}
	return &decoder{path: path, index: &Index{positions: map[string]fleet.Position{"": start}}}
}

func (d *decoder) fault(node *yaml.Node, field, format string, arguments ...any) *fleet.Error {
	position := fleet.Position{File: d.path, Line: node.Line, Column: node.Column}
	fault := fleet.Errorf(fleet.ErrInvalid, format, arguments...).At(position, field)
	d.faults = append(d.faults, fault)
	return fault
}

// enter notes where a field is and refuses what no document may have.
func (d *decoder) enter(node *yaml.Node, field string, depth int) bool {
	d.index.positions[field] = fleet.Position{File: d.path, Line: node.Line, Column: node.Column}
	switch {
	case node.Kind == yaml.AliasNode:
		d.fault(node, field, "aliases (*%s) are not supported", node.Value).Advise("write the value out")
	case node.Anchor != "":
		d.fault(node, field, "anchors (&%s) are not supported", node.Anchor).Advise("write the value out where it is needed")
	case node.Kind == yaml.MappingNode && node.ShortTag() != "!!map", node.Kind == yaml.SequenceNode && node.ShortTag() != "!!seq":
		d.fault(node, field, "tags (%s) are not supported", node.ShortTag())
	case depth > maxDepth:
		d.fault(node, field, "nested deeper than %d levels", maxDepth)
	default:
		return true
	}
	return false
}

// value reads a node into a Go value. Null leaves it as it is: not given.
func (d *decoder) value(node *yaml.Node, to reflect.Value, field string, depth int) {
	if !d.enter(node, field, depth) {
		return
	}
	if later, ok := to.Addr().Interface().(*Part); ok {
		*later = Part{path: d.path, node: node}
		return
	}
	if isNull(node) {
		return
	}
	if unmarshaler, ok := to.Addr().Interface().(json.Unmarshaler); ok {
		d.custom(node, unmarshaler, field, depth)
		return
	}
	switch to.Kind() {
	case reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		d.value(node, to.Elem(), field, depth)
	case reflect.Struct:
		d.structure(node, to, field, depth)
	case reflect.Map:
		d.table(node, to, field, depth)
	case reflect.Slice:
		d.list(node, to, field, depth)
	case reflect.Interface:
		if plain, ok := d.plain(node, field, depth); ok {
			to.Set(reflect.ValueOf(plain))
		}
	default:
		d.scalar(node, to, field)
	}
}

// custom reads a value whose type reads itself from JSON.
func (d *decoder) custom(node *yaml.Node, to json.Unmarshaler, field string, depth int) {
	plain, ok := d.plain(node, field, depth)
	if !ok {
		return
	}
	raw, err := json.Marshal(plain)
	if err == nil {
		err = to.UnmarshalJSON(raw)
	}
	if err != nil {
		d.fault(node, field, "%w", err)
	}
}

func (d *decoder) structure(node *yaml.Node, to reflect.Value, field string, depth int) {
	if node.Kind != yaml.MappingNode {
		d.fault(node, field, "want an object, got %s", describe(node))
		return
	}
	known := fieldsOf(to.Type())
	d.pairs(node, field, func(key, value *yaml.Node, child string) {
		index, ok := known.index[key.Value]
		if !ok {
			d.unknown(key, child, known.names)
			return
		}
		d.value(value, to.FieldByIndex(index), child, depth+1)
	})
}

// unknown reports a field that is not of its object.
func (d *decoder) unknown(key *yaml.Node, field string, names []string) {
	if why, ok := d.refused[field]; ok {
		d.fault(key, field, "%s", why)
		return
	}
	fault := d.fault(key, field, "unknown field %q", key.Value)
	if near := nearest(key.Value, names); near != "" {
		fault.Advise("did you mean %q?", near)
	} else {
		fault.Advise("known are %s", strings.Join(names, ", "))
	}
}

func (d *decoder) table(node *yaml.Node, to reflect.Value, field string, depth int) {
	if node.Kind != yaml.MappingNode {
		d.fault(node, field, "want an object, got %s", describe(node))
		return
	}
	to.Set(reflect.MakeMap(to.Type()))
	d.pairs(node, field, func(key, value *yaml.Node, child string) {
		element := reflect.New(to.Type().Elem()).Elem()
		d.value(value, element, child, depth+1)
		to.SetMapIndex(reflect.ValueOf(key.Value).Convert(to.Type().Key()), element)
	})
}

func (d *decoder) list(node *yaml.Node, to reflect.Value, field string, depth int) {
	if node.Kind != yaml.SequenceNode {
		d.fault(node, field, "want a list, got %s", describe(node))
		return
	}
	to.Set(reflect.MakeSlice(to.Type(), len(node.Content), len(node.Content)))
	for i, element := range node.Content {
		d.value(element, to.Index(i), Element(field, i), depth+1)
	}
}

// pairs visits the keys of a mapping, each once.
func (d *decoder) pairs(node *yaml.Node, field string, visit func(key, value *yaml.Node, child string)) {
	first := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if key.ShortTag() == "!!merge" {
			d.fault(key, field, "merge keys (<<) are not supported").Advise("write the fields out")
			continue
		}
		if key.Kind != yaml.ScalarNode || key.Anchor != "" || key.ShortTag() != "!!str" && key.ShortTag() != "!!timestamp" {
			d.fault(key, field, "want text as a key, got %s", describe(key))
			continue
		}
		child := Child(field, key.Value)
		if line, twice := first[key.Value]; twice {
			d.fault(key, child, "given twice, first on line %d", line)
			continue
		}
		first[key.Value] = key.Line
		visit(key, value, child)
	}
}
