package manifest

import (
	"fmt"
	"math"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// scalar reads text, a number or a truth value of exactly the wanted type.
func (d *decoder) scalar(node *yaml.Node, to reflect.Value, field string) {
	tag := node.ShortTag()
	var ok bool
	switch to.Kind() {
	case reflect.String:
		if ok = isText(node); ok {
			to.SetString(node.Value)
		}
	case reflect.Bool:
		ok = tag == "!!bool" && node.Decode(to.Addr().Interface()) == nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		ok = tag == "!!int" && node.Decode(to.Addr().Interface()) == nil
	case reflect.Float32, reflect.Float64:
		ok = (tag == "!!int" || tag == "!!float") && node.Decode(to.Addr().Interface()) == nil
	default:
		d.fault(node, field, "cannot be set in a document")
		return
	}
	if ok {
		return
	}
	fault := d.fault(node, field, "want %s, got %s", wanted(to.Kind()), describe(node))
	if to.Kind() == reflect.String && (tag == "!!int" || tag == "!!float" || tag == "!!bool") {
		fault.Advise("quote it: %q", node.Value)
	}
}

// isText tells text from what YAML takes for something else. A bare date is
// text to us.
func isText(node *yaml.Node) bool {
	tag := node.ShortTag()
	return node.Kind == yaml.ScalarNode && (tag == "!!str" || tag == "!!timestamp")
}

func wanted(kind reflect.Kind) string {
	switch kind {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Float32, reflect.Float64:
		return "a number"
	default:
		return "a whole number"
	}
}

// describe says what a node is, for a message.
func describe(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "an object"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	value := node.Value
	if len(value) > 40 {
		value = strings.ToValidUTF8(value[:40], "") + "…"
	}
	switch tag := node.ShortTag(); tag {
	case "!!str", "!!timestamp":
		return fmt.Sprintf("the text %q", value)
	case "!!int", "!!float":
		return "the number " + value
	case "!!bool":
		return value
	case "!!null":
		return "nothing"
	default:
		return "a value tagged " + tag
	}
}

// plain reads a node as JSON has it: maps, slices, text, numbers and truth
// values.
func (d *decoder) plain(node *yaml.Node, field string, depth int) (any, bool) {
	if !d.enter(node, field, depth) {
		return nil, false
	}
	before := len(d.faults)
	var value any
	switch node.Kind {
	case yaml.MappingNode:
		table := map[string]any{}
		d.pairs(node, field, func(key, element *yaml.Node, child string) {
			table[key.Value], _ = d.plain(element, child, depth+1)
		})
		value = table
	case yaml.SequenceNode:
		list := make([]any, len(node.Content))
		for i, element := range node.Content {
			list[i], _ = d.plain(element, Element(field, i), depth+1)
		}
		value = list
	default:
		value = d.plainScalar(node, field)
	}
	return value, len(d.faults) == before
}

func (d *decoder) plainScalar(node *yaml.Node, field string) any {
	if isText(node) {
		return node.Value
	}
	var value any
	switch node.ShortTag() {
	case "!!null":
		return nil
	case "!!bool", "!!int", "!!float":
		if err := node.Decode(&value); err != nil {
			d.fault(node, field, "cannot be read: %w", err)
		}
	default:
		d.fault(node, field, "want text, a number, true or false, got %s", describe(node))
	}
	if number, ok := value.(float64); ok && (math.IsInf(number, 0) || math.IsNaN(number)) {
		d.fault(node, field, "want a finite number, got %s", node.Value)
	}
	return value
}
