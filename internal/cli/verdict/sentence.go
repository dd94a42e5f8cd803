package verdict

import (
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// done is what may be done to data at a place, after "may" or "may not".
var done = map[fleet.Facet]string{
	fleet.FacetStorage:    "be stored in",
	fleet.FacetProcessing: "be processed in",
	fleet.FacetKey:        "have its encryption keys in",
	fleet.FacetAccess:     "be looked at from",
	fleet.FacetBackup:     "be backed up to",
	fleet.FacetReplica:    "be replicated to",
	fleet.FacetTelemetry:  "be in logs, traces and metrics in",
	fleet.FacetMetadata:   "have its metadata in",
	fleet.FacetTransit:    "pass through",
}

// does is what a workload may do at a place. Without a facet it is everything
// it does.
var does = map[fleet.Facet]string{
	"":                    "run in",
	fleet.FacetStorage:    "store its data in",
	fleet.FacetProcessing: "process its data in",
	fleet.FacetKey:        "have the keys of its data in",
	fleet.FacetAccess:     "let its data be looked at from",
	fleet.FacetBackup:     "back its data up to",
	fleet.FacetReplica:    "replicate its data to",
	fleet.FacetTelemetry:  "send logs, traces and metrics to",
	fleet.FacetMetadata:   "keep metadata in",
	fleet.FacetTransit:    "send its data through",
}

// Subject names whose data a question is about: "Dataset crm", "Data of the
// class personal.eu".
func Subject(question fleet.Question) string {
	switch {
	case question.Subject.Kind == fleet.KindWorkload:
		return "Workload " + question.Subject.Name
	case question.Subject.Name != "":
		return string(question.Subject.Kind) + " " + question.Subject.Name
	case len(question.Classes) == 0:
		return "Data without a class"
	case len(question.Classes) == 1:
		return "Data of the class " + question.Classes[0]
	}
	return "Data of the classes " + listed(question.Classes, "and")
}

// Act is what a question is about, after "may" or "may not": "be stored in
// azure/brazilsouth (São Paulo, Brazil)". Without a region it ends before it.
func (a Atlas) Act(question fleet.Question) string {
	phrases := done
	if question.Subject.Kind == fleet.KindWorkload {
		phrases = does
	}
	phrase, known := phrases[question.Facet]
	if !known {
		phrase = "have the facet " + string(question.Facet) + " in"
	}
	if question.Region == "" {
		return phrase
	}
	phrase += " " + a.Place(question.Region)
	if question.GeoRedundant {
		phrase += " with a copy in " + a.second(question)
	}
	if len(question.Leaving) > 0 {
		phrase += " after leaving " + listed(question.Leaving, "and")
	}
	return phrase
}

func (a Atlas) second(question fleet.Question) string {
	pair := question.Pair
	if pair == "" {
		pair = a.pair(question.Region)
	}
	if pair == "" {
		return "its replica pair"
	}
	return "its replica pair " + a.Place(pair)
}

// Claim says what a verdict says, as a sentence without yes or no.
func (a Atlas) Claim(verdict fleet.Verdict) string {
	not := " may not "
	if verdict.Allowed {
		not = " may "
	}
	return Subject(verdict.Question) + not + a.Act(verdict.Question)
}

// Answer is the whole answer in a sentence.
func (a Atlas) Answer(verdict fleet.Verdict) string {
	return Word(verdict) + ". " + a.Claim(verdict) + "."
}

// Word is yes or no, and whether the yes rests on an exception.
func Word(verdict fleet.Verdict) string {
	switch {
	case !verdict.Allowed:
		return "No"
	case len(verdict.Exceptions) > 0:
		return "Yes, by exception"
	}
	return "Yes"
}

// listed joins words as in a sentence.
func listed(words []string, conjunction string) string {
	switch len(words) {
	case 0:
		return ""
	case 1:
		return words[0]
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " " + conjunction + " " + words[last]
}
