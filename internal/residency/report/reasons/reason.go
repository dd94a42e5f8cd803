package reasons

import (
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Reason is what one rule says of a question, its findings drawn together.
type Reason struct {
	Policy  string
	Name    string // of the rule
	Version string // of the policy
	Kind    fleet.RuleKind
	Cites   string
	Effect  fleet.Effect
	Why     []string // sentences
	Missing []string // of a transfer rule that denies: what keeps its ground from being met
	Of      []string // the data, facet and place it is about, where that is not the whole question
	Looked  []string // the places it looked at
	Facts   []fleet.UsedFact
	Suspend []string // exceptions that suspend it
}

// Of draws a verdict's findings of one effect together by rule.
func Of(verdict fleet.Verdict, effect fleet.Effect) []Reason {
	var reasons []Reason
	for _, finding := range verdict.Findings {
		if finding.Effect != effect {
			continue
		}
		at := slices.IndexFunc(reasons, func(r Reason) bool { return r.Rule() == finding.ID() && r.Version == finding.Version })
		if at < 0 {
			reasons = append(reasons, Reason{
				Policy: finding.Policy, Name: finding.Rule, Version: finding.Version, Kind: finding.Kind, Cites: finding.Cites, Effect: effect,
			})
			at = len(reasons) - 1
		}
		reasons[at].add(finding, verdict.Question)
	}
	return reasons
}

// Rule is POLICY/RULE.
func (r Reason) Rule() string { return r.Policy + "/" + r.Name }

// Title is a rule with its policy's version and what it cites.
func (r Reason) Title() string { return Title(r.Rule(), r.Version, r.Cites) }

// Title is a rule or policy with its version and what it cites.
func Title(rule, version, cites string) string {
	title := rule
	if version != "" {
		title += ", version " + version
	}
	if cites != "" {
		title += " (" + cites + ")"
	}
	return title
}

func (r *Reason) add(finding fleet.Finding, asked fleet.Question) {
	r.Why = addNew(r.Why, sentence(finding.Reason))
	r.Missing = addNew(r.Missing, missing(finding))
	r.Of = addNew(r.Of, concerned(finding, asked))
	r.Looked = addNew(r.Looked, finding.Region)
	r.Suspend = addNew(r.Suspend, finding.Exception)
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
