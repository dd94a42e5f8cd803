package verdict

import (
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Reason is what one rule says of a question, its findings drawn together.
type Reason struct {
	Rule    string // POLICY/RULE
	Version string // of the policy
	Cites   string
	Effect  fleet.Effect
	Why     []string // sentences
	Of      []string // the data it is about, where that is not the whole question
	Facts   []fleet.UsedFact
	Suspend []string // exceptions that suspend it
}

// Reasons draws a verdict's findings of one effect together by rule.
func Reasons(verdict fleet.Verdict, effect fleet.Effect) []Reason {
	var reasons []Reason
	for _, finding := range verdict.Findings {
		if finding.Effect != effect {
			continue
		}
		at := slices.IndexFunc(reasons, func(r Reason) bool { return r.Rule == finding.ID() && r.Version == finding.Version })
		if at < 0 {
			reasons = append(reasons, Reason{Rule: finding.ID(), Version: finding.Version, Cites: finding.Cites, Effect: effect})
			at = len(reasons) - 1
		}
		reasons[at].add(finding, verdict.Question)
	}
	return reasons
}

func (r *Reason) add(finding fleet.Finding, asked fleet.Question) {
	r.Why = addNew(r.Why, sentence(finding.Reason))
	r.Of = addNew(r.Of, concerned(finding, asked))
	if finding.Exception != "" {
		r.Suspend = addNew(r.Suspend, finding.Exception)
	}
	for _, fact := range finding.Facts {
		if !slices.Contains(r.Facts, fact) {
			r.Facts = append(r.Facts, fact)
		}
	}
}

func addNew(words []string, word string) []string {
	if word == "" || slices.Contains(words, word) {
		return words
	}
	return append(words, word)
}

// concerned is the data, facet and place a finding is about, as far as the
// question does not say it.
func concerned(finding fleet.Finding, asked fleet.Question) string {
	var parts []string
	if finding.Dataset != "" && finding.Dataset != asked.Subject.Name {
		parts = append(parts, "dataset "+finding.Dataset)
	}
	if finding.Class != "" {
		parts = append(parts, "class "+finding.Class)
	}
	if finding.Facet != "" && finding.Facet != asked.Facet {
		parts = append(parts, string(finding.Facet))
	}
	if finding.Region != "" && finding.Region != asked.Region {
		parts = append(parts, "in "+finding.Region)
	}
	return strings.Join(parts, ", ")
}

// sentence ends with a full stop.
func sentence(text string) string {
	text = strings.TrimSpace(text)
	if text == "" || strings.ContainsAny(text[len(text)-1:], ".!?") {
		return text
	}
	return text + "."
}

// Title is a rule with its policy's version and what it cites.
func (r Reason) Title() string { return ruleTitle(r.Rule, r.Version, r.Cites) }

func ruleTitle(rule, version, cites string) string {
	title := rule
	if version != "" {
		title += ", version " + version
	}
	if cites != "" {
		title += " (" + cites + ")"
	}
	return title
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
