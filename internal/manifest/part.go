package manifest

import (
	"errors"
	"reflect"

	"go.yaml.in/yaml/v3"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Part is a piece of a file that is read later, when it is known what it is:
// one of a file's documents, or a document written inside another one, as the
// value of a field of this type. It keeps where it was written.
type Part struct {
	path string
	node *yaml.Node
}

// Split parts a file into its documents without reading them; empty ones are
// left out. The path is for messages only. The error is a *fleet.Error about
// YAML's own syntax.
func Split(path string, content []byte) ([]Part, error) {
	roots, err := split(path, content)
	if err != nil {
		return nil, err
	}
	parts := make([]Part, len(roots))
	for i, root := range roots {
		parts[i] = Part{path: path, node: root}
	}
	return parts, nil
}

// Kind is what the part says of itself; empty when it says nothing.
func (p Part) Kind() fleet.Kind {
	if p.node == nil {
		return ""
	}
	return kindOf(p.node)
}

// Position of the part's first line.
func (p Part) Position() fleet.Position {
	if p.node == nil {
		return fleet.Position{File: p.path}
	}
	return fleet.Position{File: p.path, Line: p.node.Line, Column: p.node.Column}
}

// Document reads the part as Parse reads a file's document, with the same
// faults.
func (p Part) Document() (Document, error) {
	if p.node == nil || isNull(p.node) {
		return Document{}, fleet.Errorf(fleet.ErrInvalid, "want a document, got nothing").At(p.Position(), "")
	}
	document, faults := parseDocument(p.path, p.node)
	if err := errors.Join(few(p.path, faults)...); err != nil {
		return Document{}, err
	}
	return document, nil
}

// DecodePart reads a part into a T as DecodeStrict reads a file's only
// document.
func DecodePart[T any](p Part) (T, *Index, error) {
	var value T
	if p.node == nil {
		start := &Index{positions: map[string]fleet.Position{"": p.Position()}}
		return value, start, start.Fault("", "want a document, got nothing")
	}
	d := newDecoder(p.path, p.node)
	d.value(p.node, reflect.ValueOf(&value).Elem(), "", 0)
	return value, d.index, errors.Join(few(p.path, d.faults)...)
}

// Nearest is the name most like the one given, for "did you mean"; empty when
// none is close.
func Nearest(given string, names []string) string { return nearest(given, names) }
