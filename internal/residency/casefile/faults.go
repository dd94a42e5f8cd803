package casefile

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/manifest"
)

// faults gathers what is wrong with a document, one fault for each field.
type faults struct {
	index   *manifest.Index
	object  string // what the faults noted next are about
	list    []error
	faulted map[string]bool
}

// newFaults begins with the faults that decoding found.
func newFaults(index *manifest.Index, decoding error) *faults {
	f := &faults{index: index, faulted: map[string]bool{}}
	for _, fault := range flatten(decoding) {
		f.list = append(f.list, fault)
		f.faulted[fault.Field] = fault.Field != ""
	}
	return f
}

// note says what is wrong with a field, unless it, or something around it or in
// it, is at fault already: its value is then not what was written.
func (f *faults) note(field, format string, arguments ...any) *fleet.Error {
	fault := f.index.Fault(field, format, arguments...).On(f.object)
	if f.knows(field) {
		return fault
	}
	f.faulted[field] = true
	f.list = append(f.list, fault)
	return fault
}

func (f *faults) knows(field string) bool {
	for outer := field; outer != ""; outer = outer[:max(strings.LastIndexAny(outer, ".["), 0)] {
		if f.faulted[outer] {
			return true
		}
	}
	for other := range f.faulted {
		if strings.HasPrefix(other, field+".") || strings.HasPrefix(other, field+"[") {
			return true
		}
	}
	return false
}

// maxFaults is how many faults are told one by one.
const maxFaults = 500

// inOrder joins faults in the order of their files.
func inOrder(faults ...error) error {
	var all []*fleet.Error
	for _, err := range faults {
		all = append(all, flatten(err)...)
	}
	slices.SortStableFunc(all, func(a, b *fleet.Error) int {
		return cmp.Or(cmp.Compare(a.Position.File, b.Position.File),
			cmp.Compare(a.Position.Line, b.Position.Line), cmp.Compare(a.Position.Column, b.Position.Column))
	})
	joined := make([]error, 0, len(all))
	for _, fault := range all[:min(len(all), maxFaults)] {
		joined = append(joined, fault)
	}
	if more := len(all) - maxFaults; more > 0 {
		joined = append(joined, fleet.Errorf(fleet.ErrInvalid, "%d more faults", more))
	}
	return errors.Join(joined...)
}

// flatten parts joined errors; one that is no *fleet.Error becomes one.
func flatten(err error) []*fleet.Error {
	if err == nil {
		return nil
	}
	if fault, ok := err.(*fleet.Error); ok { //nolint:errorlint // a wrapped one is not to be torn out of what says more
		return []*fleet.Error{fault}
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // this error's own parts are wanted
		var parts []*fleet.Error
		for _, part := range joined.Unwrap() {
			parts = append(parts, flatten(part)...)
		}
		return parts
	}
	return []*fleet.Error{fleet.Errorf(fleet.KindOf(err), "%w", err)}
}
