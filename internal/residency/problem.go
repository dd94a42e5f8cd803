package residency

import (
	"errors"
	"fmt"
	"strings"

	"github.com/agnivade/levenshtein"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Problem is a fault in a document.
type Problem struct {
	Field   string // as in documents: "spec.rules[1].allowOnly.countries[0]"
	Message string // what is wrong, in a clause
	Hint    string // what the person can do; may be empty
}

func (p Problem) String() string {
	text := p.Field + ": " + p.Message
	if p.Hint != "" {
		text += " (" + p.Hint + ")"
	}
	return text
}

// problems collects the faults of one document.
type problems []Problem

func (p *problems) add(field, hint, format string, args ...any) {
	*p = append(*p, Problem{Field: field, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// joined are a document's problems as errors, or nil.
func joined(object string, list []Problem) error {
	var faults []error
	for _, problem := range list {
		fault := fleet.Errorf(fleet.ErrInvalid, "%s", problem.Message).On(object).At(fleet.Position{}, problem.Field)
		fault.Hint = problem.Hint
		faults = append(faults, fault)
	}
	return errors.Join(faults...)
}

// didYouMean suggests the known name most like the given one, or lists the
// known ones when none is close and they are few.
func didYouMean(given string, known []string) string {
	best, distance := "", max(2, len(given)/3)+1
	if len(given) < 4 {
		distance = 2
	}
	for _, name := range known {
		if d := levenshtein.ComputeDistance(strings.ToLower(given), strings.ToLower(name)); d < distance {
			best, distance = name, d
		}
	}
	switch {
	case best != "":
		return fmt.Sprintf("did you mean %q?", best)
	case len(known) > 0 && len(known) <= 20:
		return "one of " + strings.Join(known, ", ")
	}
	return ""
}

// indexed is the field of an element of a list.
func indexed(field string, index int) string { return fmt.Sprintf("%s[%d]", field, index) }
