package baseline

import (
	"cmp"
	"errors"
	"slices"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Bundle is a loaded baseline, checked in full.
type Bundle struct {
	Name    string
	Version string
	Digest  string // sha256:HEX over the files, see digestOf
	Spec    fleet.BaselineSpec

	files      map[string][]byte
	components []component // in the order of Spec.Components
}

// component is one part of a bundle with its expressions compiled and its
// objects read.
type component struct {
	spec      fleet.BaselineComponent
	when      *expression // nil: always
	overrides []override
	checks    []readyCheck
	objects   []sourceObject
}

// override is a component's override with its condition compiled.
type override struct {
	spec    fleet.ComponentOverride
	match   *expression
	patches []patch
}

// readyCheck is a condition on a live object.
type readyCheck struct {
	spec  fleet.ReadyCheck
	check *expression
}

// FromFiles loads a bundle from its files, keyed by path relative to the
// bundle, with slashes. The path names the bundle in messages. All faults are
// reported at once, each a *fleet.Error with the place it is at.
func FromFiles(path string, files map[string][]byte) (*Bundle, error) {
	if faults := checkFiles(path, files); len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	document, err := readDocument(path, files)
	if err != nil {
		return nil, err
	}
	loader := &loader{path: path, files: files, document: document, faults: document.faults}
	bundle := &Bundle{
		Name: document.name, Version: document.version, Spec: document.spec,
		Digest: digestOf(files), files: files,
	}
	bundle.components = loader.components()
	if len(loader.faults) > 0 {
		sortFaults(loader.faults)
		return nil, errors.Join(loader.faults...)
	}
	return bundle, nil
}

// sortFaults puts faults into the order of the files.
func sortFaults(faults []error) {
	place := func(err error) fleet.Position {
		var fault *fleet.Error
		_ = errors.As(err, &fault) // all of ours are
		return fault.Position
	}
	slices.SortStableFunc(faults, func(a, b error) int {
		left, right := place(a), place(b)
		return cmp.Or(cmp.Compare(left.File, right.File), cmp.Compare(left.Line, right.Line), cmp.Compare(left.Column, right.Column))
	})
}

// Files is the number of files in the bundle.
func (b *Bundle) Files() int { return len(b.files) }

// Size is the sum of the sizes of the bundle's files in bytes.
func (b *Bundle) Size() int64 {
	var size int64
	for _, content := range b.files {
		size += int64(len(content))
	}
	return size
}
