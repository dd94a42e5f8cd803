package casefile

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

// compare says, in plain words, where a verdict is otherwise than expected.
func (f *caseFile) compare(expect expectForm, verdict fleet.Verdict) []string {
	if verdict.Allowed != (expect.Verdict == verdictAllowed) {
		return []string{fmt.Sprintf("expected %s, but it is %s", expect.Verdict, answer(verdict))}
	}
	deciding, decides := effects(verdict, fleet.EffectAllows), "permits it"
	if !verdict.Allowed {
		deciding, decides = effects(verdict, fleet.EffectDenies), "denies it"
	}
	texts := sameNames(expect.Deciding, deciding, decides)
	texts = append(texts, sameNames(expect.Suspended, effects(verdict, fleet.EffectSuspended), "is suspended by an exception")...)
	texts = append(texts, sameNames(expect.sure(), obligations(verdict, false), "obliges to something")...)
	texts = append(texts, sameNames(expect.Unsure, obligations(verdict, true), "may oblige to something, which an unknown fact decides")...)
	texts = append(texts, sameNames(expect.Exceptions, exceptionNames(verdict), "touches the verdict")...)
	texts = append(texts, f.sameDays(expect.Due, verdict.Obligations)...)
	return append(texts, sameAlternatives(expect.Alternatives, verdict.Alternatives)...)
}

// sure are the obligations expected that surely apply: one that is listed as
// unsure besides is unsure.
func (e expectForm) sure() []string {
	if e.Obligations == nil {
		return nil
	}
	return slices.DeleteFunc(append([]string{}, e.Obligations...), func(id string) bool { return slices.Contains(e.Unsure, id) })
}

func answer(verdict fleet.Verdict) string {
	if verdict.Allowed {
		return verdictAllowed
	}
	return verdictDenied
}

// sameNames compares names with those expected, if any were asked for.
func sameNames(expected, came []string, what string) []string {
	if expected == nil {
		return nil
	}
	var texts []string
	for _, name := range set(expected) {
		if !slices.Contains(came, name) {
			texts = append(texts, fmt.Sprintf("expected that %s %s, but it is not so", name, what))
		}
	}
	for _, name := range came {
		if !slices.Contains(expected, name) {
			texts = append(texts, fmt.Sprintf("%s %s, which was not expected", name, what))
		}
	}
	return texts
}

// sameDays compares when obligations are due. An expected date is a day in the
// time zone of the policy, an instant is that instant.
func (f *caseFile) sameDays(expected map[string]string, came []fleet.DueObligation) []string {
	var texts []string
	for _, id := range keys(expected) {
		var dues []string
		met := false
		for _, obligation := range came {
			if obligation.Policy+"/"+obligation.Rule != id || obligation.Due == nil {
				continue
			}
			due := obligation.Due.In(f.documents.zone(id))
			dues = append(dues, due.Format(time.RFC3339))
			met = met || isAt(due, expected[id])
		}
		if !met {
			texts = append(texts, fmt.Sprintf("expected %s to be due %s, but it is due %s", id, expected[id], orElse(strings.Join(dues, ", "), "at no time")))
		}
	}
	return texts
}

func isAt(due time.Time, expected string) bool {
	if !strings.ContainsAny(expected, "Tt") {
		return due.Format(time.DateOnly) == expected
	}
	at, err := residency.ParseInstant(expected)
	return err == nil && due.Equal(at)
}

// sameAlternatives compares what would make the answer a yes.
func sameAlternatives(expected *alternativesForm, came []fleet.Alternative) []string {
	if expected == nil {
		return nil
	}
	var texts, kinds, regions []string
	for _, alternative := range came {
		kinds = append(kinds, string(alternative.Kind))
		regions = append(regions, alternative.Regions...)
	}
	if expected.Kinds != nil && len(expected.Kinds) == 0 && len(kinds) > 0 {
		texts = append(texts, fmt.Sprintf("expected no alternatives, but these are offered: %s", strings.Join(set(kinds), ", ")))
	}
	for _, kind := range expected.Kinds {
		if !slices.Contains(kinds, string(kind)) {
			texts = append(texts, fmt.Sprintf("expected an alternative of the kind %s, but these are offered: %s", kind, orElse(strings.Join(set(kinds), ", "), "none")))
		}
	}
	for _, kind := range expected.Without {
		if slices.Contains(kinds, string(kind)) {
			texts = append(texts, fmt.Sprintf("expected no alternative of the kind %s, but one is offered", kind))
		}
	}
	for _, region := range expected.Includes {
		if !slices.Contains(regions, region) {
			texts = append(texts, fmt.Sprintf("expected the alternatives to name %s, but they do not", region))
		}
	}
	for _, region := range expected.Excludes {
		if slices.Contains(regions, region) {
			texts = append(texts, fmt.Sprintf("expected the alternatives not to name %s, but they do", region))
		}
	}
	return texts
}

// reasons are what the rules said, one sentence each.
func reasons(verdict fleet.Verdict) []string {
	var texts []string
	for _, finding := range verdict.Findings {
		text := fmt.Sprintf("%s %s: %s", finding.ID(), part(finding.Effect), finding.Reason)
		if finding.Region != "" && finding.Region != verdict.Region {
			text += fmt.Sprintf(" (about %s)", finding.Region)
		}
		if !slices.Contains(texts, text) { // a pair is judged as a replica besides
			texts = append(texts, text)
		}
	}
	return texts
}

// part is what a rule with an effect does, in words.
func part(effect fleet.Effect) string {
	if effect == fleet.EffectSuspended {
		return "would deny it, but is suspended"
	}
	return string(effect) + " it"
}
