package reasons

import (
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// factInstrument is the fact that stands for the legal instrument a transfer
// rule looks for.
const factInstrument = "instrument"

// Group is one rule, or those transfer rules of one policy of which any would
// have done: its grounds.
type Group struct {
	Policy, Version string
	Reasons         []Reason
}

// Grouped puts the transfer rules of a policy that deny together, where the
// first of them stands.
func Grouped(reasons []Reason) []Group {
	var groups []Group
	for _, reason := range reasons {
		at := -1
		if reason.transfer() {
			at = slices.IndexFunc(groups, func(g Group) bool {
				return g.Reasons[0].transfer() && g.Policy == reason.Policy && g.Version == reason.Version
			})
		}
		if at < 0 {
			groups = append(groups, Group{Policy: reason.Policy, Version: reason.Version})
			at = len(groups) - 1
		}
		groups[at].Reasons = append(groups[at].Reasons, reason)
	}
	return groups
}

func (r Reason) transfer() bool {
	return r.Kind == fleet.RuleTransferIf && r.Effect == fleet.EffectDenies
}

// Grounds reports whether a group is several grounds of which none is met,
// rather than one rule.
func (g Group) Grounds() bool { return len(g.Reasons) > 1 }

// Title names a group's rule, or its policy and that no ground of it is met.
func (g Group) Title() string {
	if !g.Grounds() {
		return g.Reasons[0].Title()
	}
	return Title(g.Policy, g.Version, "") + ": none of its grounds for a transfer is met"
}

// Ground is a ground in a line: its name, what it cites, and what is missing.
func (r Reason) Ground() string {
	lacks := r.Missing
	if len(lacks) == 0 {
		lacks = r.Why
	}
	return Title(r.Name, "", r.Cites) + ": " + strings.TrimRight(strings.Join(lacks, "; "), ".")
}

// Of is what a group is about, each once.
func (g Group) Of() []string {
	return g.all(func(r Reason) []string { return r.Of })
}

// Looked lists the places a group looked at, each once.
func (g Group) Looked() []string {
	return g.all(func(r Reason) []string { return r.Looked })
}

func (g Group) all(of func(Reason) []string) []string {
	var all []string
	for _, reason := range g.Reasons {
		for _, one := range of(reason) {
			all = addNew(all, one)
		}
	}
	return all
}

// Facts are the facts a group looked at, each once. That grounds lack their
// instruments is said of each ground already.
func (g Group) Facts() []fleet.UsedFact {
	var all []fleet.UsedFact
	for _, reason := range g.Reasons {
		for _, fact := range reason.Facts {
			said := g.Grounds() && fact.Value == ""
			if !said && !slices.Contains(all, fact) {
				all = append(all, fact)
			}
		}
	}
	return all
}

// missing says in short why the ground of a transfer rule is not met: the
// instrument it lacks, or the sentence about the place; and what is not known.
func missing(finding fleet.Finding) string {
	if finding.Kind != fleet.RuleTransferIf || finding.Effect != fleet.EffectDenies {
		return ""
	}
	text := finding.Reason
	if at := strings.Index(text, finding.Region); at > 0 && finding.Region != "" && strings.HasSuffix(text[:at], ". ") {
		text = text[at:] // behind what the rule says in general
	}
	var unknown []string
	for _, fact := range finding.Facts {
		switch {
		case fact.Value != "":
		case fact.Name == factInstrument:
			text = "no such instrument is in force and covers the place"
		case !strings.Contains(text, fact.Name):
			unknown = addNew(unknown, fact.Name+" is not known")
		}
	}
	return strings.Join(append([]string{strings.TrimRight(text, ".")}, unknown...), "; ")
}
