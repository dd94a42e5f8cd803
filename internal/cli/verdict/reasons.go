package verdict

import (
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

func addNew(words []string, word string) []string {
	if word == "" || slices.Contains(words, word) {
		return words
	}
	return append(words, word)
}

// Fact is a fact a rule looked at, in words.
func Fact(fact fleet.UsedFact) string {
	if fact.Value == "" {
		return fact.Name + ": not known"
	}
	text := fact.Name + ": " + fact.Value
	var origin []string
	if fact.Source != "" {
		origin = append(origin, string(fact.Source))
	}
	if fact.Reference != "" {
		origin = append(origin, fact.Reference)
	}
	if len(origin) > 0 {
		text += " (" + strings.Join(origin, ": ") + ")"
	}
	return text
}

// Unknown lists the facts that rules looked at and nobody knows.
func Unknown(findings []fleet.Finding) []string {
	var names []string
	for _, finding := range findings {
		for _, fact := range finding.Facts {
			if fact.Value == "" {
				names = addNew(names, fact.Name)
			}
		}
	}
	return names
}

// Deciding lists the rules that decided, each once: of a denial those that
// deny, else those that permit.
func Deciding(verdict fleet.Verdict) []string {
	effect := fleet.EffectAllows
	if !verdict.Allowed {
		effect = fleet.EffectDenies
	}
	var rules []string
	for _, finding := range verdict.Findings {
		if finding.Effect == effect {
			rules = addNew(rules, finding.ID())
		}
	}
	return rules
}
