package residency

import (
	"errors"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// SubjectOf is a declared dataset as its document says it is at an instant,
// without exceptions and without what was found of it. Bindings whose period
// cannot be read are left out and make the error.
func SubjectOf(name string, spec fleet.DatasetSpec, at time.Time) (Subject, error) {
	copies, err := CopiesOf(spec.Bindings, at)
	return Subject{
		Ref: fleet.Ref{Kind: fleet.KindDataset, Name: name}, Declared: true,
		Classes: spec.Classes, Facts: spec.Facts, Instruments: spec.Instruments, Copies: copies,
	}, err
}

// CopiesOf are the copies that bindings are at an instant.
func CopiesOf(bindings []fleet.Binding, at time.Time) ([]Copy, error) {
	var copies []Copy
	var faults []error
	for _, binding := range bindings {
		there, err := Covers(fleet.Period{From: binding.From, Until: binding.Until}, time.UTC, at)
		if err != nil {
			faults = append(faults, err)
		}
		if there {
			copies = append(copies, Copy{
				Facets: binding.Facets, Region: binding.Region, Pair: binding.Pair,
				GeoRedundant: binding.GeoRedundant, Source: binding.Source,
			})
		}
	}
	return copies, errors.Join(faults...)
}
