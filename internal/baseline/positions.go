package baseline

import (
	"bytes"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// positions tells where in a YAML file each field is, by its path
// ("spec.components[1].when").
type positions struct {
	file  string
	nodes map[string]*yaml.Node
}

// newPositions indexes one YAML document that starts at a line of a file. A
// document that does not parse gives an index that knows the file only.
func newPositions(file string, content []byte, line int) positions {
	index := positions{file: file, nodes: map[string]*yaml.Node{}}
	var document yaml.Node
	if yaml.Unmarshal(atLine(content, line), &document) == nil && document.Kind == yaml.DocumentNode {
		index.add("", document.Content[0])
	}
	return index
}

// atLine pads a document with empty lines, so that parsers count the lines of
// the file it is in.
func atLine(content []byte, line int) []byte {
	return append(bytes.Repeat([]byte("\n"), line-1), content...)
}

func (p positions) add(path string, node *yaml.Node) {
	p.nodes[path] = node
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			p.add(strings.TrimPrefix(path+"."+node.Content[i].Value, "."), node.Content[i+1])
		}
	case yaml.SequenceNode:
		for i, item := range node.Content {
			p.add(path+"["+strconv.Itoa(i)+"]", item)
		}
	}
}

// of finds a field, or the nearest field around it that is in the file.
func (p positions) of(path string) fleet.Position {
	for {
		if node, ok := p.nodes[path]; ok {
			return fleet.Position{File: p.file, Line: node.Line, Column: node.Column}
		}
		if path == "" {
			return fleet.Position{File: p.file}
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
}

// within finds a place inside the text of a field: the line and column of the
// text, which counts from 1. For quoted and folded texts it is the field.
func (p positions) within(path string, line, column int) fleet.Position {
	at := p.of(path)
	node, ok := p.nodes[path]
	if !ok || line < 1 {
		return at
	}
	switch {
	case node.Style&yaml.LiteralStyle != 0:
		at.Line, at.Column = at.Line+line, 0
	case node.Style == 0 && line == 1:
		at.Column += column - 1
	}
	return at
}
