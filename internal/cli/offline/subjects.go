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
		subject, err := residency.SubjectOf(document.Metadata.Name, spec, at)
		if err != nil {
			return nil, err
		}
		subject.Exceptions = exceptions
		subjects = append(subjects, subject)
	}
	return subjects, nil
}

// Handled is the data of classes that workloads among documents handle without
// a dataset.
func Handled(documents []fleet.Resource) ([]residency.Subject, error) {
	var subjects []residency.Subject
	for _, document := range documents {
		if document.Kind != fleet.KindWorkload {
			continue
		}
		spec, err := fleet.SpecOf[fleet.WorkloadSpec](document)
		if err != nil {
			return nil, err
		}
		for _, use := range spec.Classes {
			subjects = append(subjects, residency.Subject{Ref: document.Ref(), Declared: true, Classes: use.Classes})
		}
	}
	return subjects, nil
}
