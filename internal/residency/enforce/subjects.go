package enforce

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// readSubjects takes what the input knows of datasets and workloads, else what
// its documents say.
func (c *Compiler) readSubjects() error {
	c.subjects, c.workloads = map[string]residency.Subject{}, map[string]Workload{}
	if c.input.Subjects != nil || c.input.Workloads != nil {
		for _, subject := range c.input.Subjects {
			c.subjects[subject.Ref.Name] = subject
		}
		for _, workload := range c.input.Workloads {
			c.workloads[workload.Name] = workload
		}
		return nil
	}
	shelf, err := readShelf(c.input.Documents)
	faults := []error{err}
	for name, spec := range shelf.datasets {
		subject, err := shelf.subject(name, spec, c.input.At)
		faults = append(faults, err)
		c.subjects[name] = subject
	}
	for name, spec := range shelf.workloads {
		c.workloads[name] = shelf.workload(name, spec, c.subjects)
	}
	return errors.Join(faults...)
}

// shelf is what documents say of datasets, workloads and exceptions; of
// several versions the last.
type shelf struct {
	datasets   map[string]fleet.DatasetSpec
	workloads  map[string]fleet.WorkloadSpec
	exceptions map[string]residency.Exception
}

func readShelf(documents []fleet.Resource) (shelf, error) {
	read := shelf{map[string]fleet.DatasetSpec{}, map[string]fleet.WorkloadSpec{}, map[string]residency.Exception{}}
	var faults []error
	for _, document := range documents {
		var err error
		name := document.Metadata.Name
		switch document.Kind {
		case fleet.KindDataset:
			read.datasets[name], err = fleet.SpecOf[fleet.DatasetSpec](document)
		case fleet.KindWorkload:
			read.workloads[name], err = fleet.SpecOf[fleet.WorkloadSpec](document)
		case fleet.KindException:
			exception := residency.Exception{Name: name}
			var statusErr error
			exception.Spec, err = fleet.SpecOf[fleet.ExceptionSpec](document)
			exception.Status, statusErr = fleet.StatusOf[fleet.ExceptionStatus](document)
			err = cmp.Or(err, statusErr)
			read.exceptions[name] = exception
		}
		faults = append(faults, err)
	}
	return read, errors.Join(faults...)
}

// exceptionsFor are the exceptions of a subject, by name.
func (s shelf) exceptionsFor(kind fleet.Kind, name string) []residency.Exception {
	var found []residency.Exception
	for _, exception := range s.exceptions {
		if exception.Spec.Subject == (fleet.Ref{Kind: kind, Name: name}) {
			found = append(found, exception)
		}
	}
	slices.SortFunc(found, func(a, b residency.Exception) int { return cmp.Compare(a.Name, b.Name) })
	return found
}

func (s shelf) subject(name string, spec fleet.DatasetSpec, at time.Time) (residency.Subject, error) {
	subject, err := residency.SubjectOf(name, spec, at)
	subject.Exceptions = s.exceptionsFor(fleet.KindDataset, name)
	return subject, err
}

func (s shelf) workload(name string, spec fleet.WorkloadSpec, subjects map[string]residency.Subject) Workload {
	workload := Workload{Name: name, Exceptions: s.exceptionsFor(fleet.KindWorkload, name)}
	for _, use := range spec.Datasets {
		subject, declared := subjects[use.Dataset]
		if !declared {
			subject = residency.Subject{Ref: fleet.Ref{Kind: fleet.KindDataset, Name: use.Dataset}}
		}
		workload.Uses = append(workload.Uses, Use{Subject: subject, Facets: orProcessing(use.Facets)})
		workload.Classes = append(workload.Classes, subject.Classes...)
	}
	for _, use := range spec.Classes {
		workload.Uses = append(workload.Uses, Use{Subject: ofClasses(use.Classes...), Facets: orProcessing(use.Facets)})
		workload.Classes = append(workload.Classes, use.Classes...)
	}
	slices.Sort(workload.Classes)
	workload.Classes = slices.Compact(workload.Classes)
	return workload
}

func orProcessing(facets []fleet.Facet) []fleet.Facet {
	if len(facets) == 0 {
		return []fleet.Facet{fleet.FacetProcessing}
	}
	return facets
}

// ofClasses is any data of some classes, of which nothing more is known.
func ofClasses(classes ...string) residency.Subject {
	return residency.Subject{Declared: true, Classes: classes}
}
