package question

import (
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/cli/kinds"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Subject is whose data a question is about: a Dataset or a Workload, or any
// data of some classes.
type Subject struct {
	fleet.Ref
	Classes []string
}

// SubjectKinds lists the kinds that can be asked about.
var SubjectKinds = []fleet.Kind{fleet.KindDataset, fleet.KindWorkload, fleet.KindDataClass}

// ParseSubject reads dataset/NAME, workload/NAME or class/NAME. Several classes
// of the same data are parted by commas.
func ParseSubject(text string) (Subject, error) {
	word, name, _ := strings.Cut(text, "/")
	kind, err := kinds.Lookup(word)
	if name == "" || err != nil || !slices.Contains(SubjectKinds, kind.Kind) {
		return Subject{}, failure.Usagef("want dataset/NAME, workload/NAME or class/NAME, got %q", text)
	}
	if kind.Kind != fleet.KindDataClass {
		return Subject{Ref: fleet.Ref{Kind: kind.Kind, Name: name}}, nil
	}
	classes := strings.Split(name, ",")
	if slices.Contains(classes, "") {
		return Subject{}, failure.Usagef("want class/NAME or class/NAME,NAME, got %q", text)
	}
	return Subject{Classes: classes}, nil
}

// ParseSubjects reads several, each once.
func ParseSubjects(texts []string) ([]Subject, error) {
	var subjects []Subject
	for _, text := range texts {
		subject, err := ParseSubject(text)
		if err != nil {
			return nil, err
		}
		same := func(other Subject) bool { return other.String() == subject.String() }
		if !slices.ContainsFunc(subjects, same) {
			subjects = append(subjects, subject)
		}
	}
	return subjects, nil
}

// SubjectOf is who a question of the API is about.
func SubjectOf(question fleet.Question) Subject {
	if question.Subject.Name != "" {
		return Subject{Ref: question.Subject}
	}
	return Subject{Classes: question.Classes}
}

// Named reports whether the subject is a resource, and no class.
func (s Subject) Named() bool { return s.Name != "" }

// String writes a subject as people type it.
func (s Subject) String() string {
	if s.Named() {
		return kinds.Subject(s.Ref)
	}
	return "class/" + strings.Join(s.Classes, ",")
}

// Ask is a question about the subject.
func (s Subject) Ask(facet fleet.Facet, region string) fleet.Question {
	return fleet.Question{Subject: s.Ref, Classes: s.Classes, Facet: facet, Region: region}
}
