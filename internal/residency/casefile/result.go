package casefile

import "github.com/meridian-fleet/meridian/internal/fleet"

// Result is what came of running a suite.
type Result struct {
	Passed    bool           `json:"passed"`
	Failed    int            `json:"failed"`    // cases
	Questions int            `json:"questions"` // judged, one for each facet and region of a case
	Cases     []CaseResult   `json:"cases"`
	Coverage  []RuleCoverage `json:"coverage"`
}

// CaseResult is what came of one case.
type CaseResult struct {
	Name        string         `json:"name"`
	File        string         `json:"file"`
	Position    fleet.Position `json:"position"`
	Passed      bool           `json:"passed"`
	Questions   int            `json:"questions"`
	Differences []Difference   `json:"differences,omitempty"`
}

// Difference is something that came out otherwise than expected.
type Difference struct {
	Facet   fleet.Facet `json:"facet,omitempty"`
	Region  string      `json:"region"`
	Text    string      `json:"text"`              // what was expected and what came, in plain words
	Reasons []string    `json:"reasons,omitempty"` // what the rules said
}

// RuleCoverage is how cases exercised a rule: in how many judged questions it
// had which part. Deciding nothing, as a rule about another facet does, does
// not count.
type RuleCoverage struct {
	Rule      string         `json:"rule"` // POLICY/RULE
	Position  fleet.Position `json:"position"`
	Exercised bool           `json:"exercised"`
	Denied    int            `json:"denied"`
	Permitted int            `json:"permitted"`
	Suspended int            `json:"suspended"`
	Obliged   int            `json:"obliged"`
}

// Unexercised lists the rules, POLICY/RULE, that no case exercises.
func (r *Result) Unexercised() []string {
	var ids []string
	for _, rule := range r.Coverage {
		if !rule.Exercised {
			ids = append(ids, rule.Rule)
		}
	}
	return ids
}
