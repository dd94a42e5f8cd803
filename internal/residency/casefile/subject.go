package casefile

import (
	"maps"
	"slices"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// requester asks for the exceptions of cases that do not say who did.
const requester = "requester"

// spec is the exception as its document would have it, for a subject it does
// not name itself.
func (e exceptionForm) spec(subject fleet.Ref) fleet.ExceptionSpec {
	if e.Subject != (fleet.Ref{}) {
		subject = e.Subject
	}
	return fleet.ExceptionSpec{
		Policy: e.Policy, Rule: e.Rule, Subject: subject, Facets: e.Facets, Scope: e.Scope,
		Period: fleet.Period{From: e.From, Until: e.Until},
		Reason: orElse(e.Reason, "a case"), Reference: e.Reference,
	}
}

// status is what became of the exception.
func (e exceptionForm) status() fleet.ExceptionStatus {
	status := fleet.ExceptionStatus{
		Phase: fleet.ExceptionRequested, RequestedBy: orElse(e.RequestedBy, requester), RequestedAt: e.RequestedAt,
		Approvals: e.Approvals, RevokedBy: e.RevokedBy, RevokedAt: e.RevokedAt,
	}
	if len(e.Approvals) >= fleet.NeededApprovals {
		status.Phase = fleet.ExceptionApproved
	}
	if e.RevokedAt != "" {
		status.Phase = fleet.ExceptionRevoked
	}
	return status
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// ref is the case's subject; zero for classes.
func (s situation) ref() fleet.Ref {
	switch {
	case s.Subject.Dataset != "":
		return fleet.Ref{Kind: fleet.KindDataset, Name: s.Subject.Dataset}
	case s.Subject.Workload != "":
		return fleet.Ref{Kind: fleet.KindWorkload, Name: s.Subject.Workload}
	}
	return fleet.Ref{}
}

// exceptions are those of the documents and the case's own.
func (s situation) exceptions(documents records) []residency.Exception {
	all := slices.Clone(documents.exceptions)
	for _, written := range s.Exceptions {
		all = append(all, residency.Exception{Name: written.Name, Spec: written.spec(s.ref()), Status: written.status()})
	}
	return all
}

// dataset is the subject a dataset is at the instant of the case, with what the
// case adds.
func (s situation) dataset(documents records, name string) residency.Subject {
	spec, declared := versionAt(documents.datasets[name], s.at)
	subject, _ := residency.SubjectOf(name, spec, s.at) // periods were checked when it was read
	subject.Declared, subject.Facts, subject.Instruments = declared, maps.Clone(spec.Facts), slices.Clone(spec.Instruments)
	return s.with(documents, subject)
}

// classes is the subject that any data of some classes is.
func (s situation) classes(documents records, classes []string) residency.Subject {
	return s.with(documents, residency.Subject{Declared: true, Classes: classes})
}

// with adds what the case says to a subject.
func (s situation) with(documents records, subject residency.Subject) residency.Subject {
	if subject.Facts == nil {
		subject.Facts = map[string]fleet.DataFact{}
	}
	maps.Copy(subject.Facts, s.Facts)
	subject.Instruments = append(subject.Instruments, s.Instruments...)
	var added []fleet.Binding
	for i, place := range s.Copies {
		added = append(added, place.binding(i))
	}
	copies, _ := residency.CopiesOf(added, s.at) // checked, too
	subject.Copies = append(subject.Copies, copies...)
	subject.Exceptions = s.exceptions(documents)
	return subject
}
