package offline

import (
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// Subjects are the datasets among documents as they are at an instant, ready to
// be judged.
func Subjects(documents []fleet.Resource, at time.Time) ([]residency.Subject, error) {
	var exceptions []residency.Exception
	for _, document := range documents {
		if document.Kind != fleet.KindException {
			continue
		}
		spec, err := fleet.SpecOf[fleet.ExceptionSpec](document)
		if err != nil {
			return nil, err
		}
		status, err := fleet.StatusOf[fleet.ExceptionStatus](document)
		if err != nil {
			return nil, err
		}
		exceptions = append(exceptions, residency.Exception{Name: document.Metadata.Name, Spec: spec, Status: status})
	}
	var subjects []residency.Subject
	for _, document := range documents {
		if document.Kind != fleet.KindDataset {
			continue
		}
		spec, err := fleet.SpecOf[fleet.DatasetSpec](document)
		if err != nil {
			return nil, err
		}
		copies, err := copiesAt(spec.Bindings, at)
		if err != nil {
			return nil, err
		}
		subjects = append(subjects, residency.Subject{
			Ref: document.Ref(), Declared: true, Classes: spec.Classes, Facts: spec.Facts,
			Instruments: spec.Instruments, Copies: copies, Exceptions: exceptions,
		})
	}
	return subjects, nil
}

func copiesAt(bindings []fleet.Binding, at time.Time) ([]residency.Copy, error) {
	var copies []residency.Copy
	for _, binding := range bindings {
		there, err := residency.Covers(fleet.Period{From: binding.From, Until: binding.Until}, time.UTC, at)
		if err != nil {
			return nil, err
		}
		if there {
			copies = append(copies, residency.Copy{
				Facets: binding.Facets, Region: binding.Region, Pair: binding.Pair,
				GeoRedundant: binding.GeoRedundant, Source: binding.Source,
			})
		}
	}
	return copies, nil
}
