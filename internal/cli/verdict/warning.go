package verdict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/terminal"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// loud are the warnings that say that policies do what hardly anybody wants,
// the worst first; the others are advice.
var loud = []fleet.WarningKind{fleet.WarningUnlawful, fleet.WarningException, fleet.WarningContradiction, fleet.WarningDeniesAll, fleet.WarningAllowsAll}

// Warn prints warnings about policies, the worst first. A contradiction has
// the question that shows it.
func Warn(screen *terminal.Screen, atlas Atlas, warnings []fleet.PolicyWarning) {
	sorted := slices.Clone(warnings)
	slices.SortStableFunc(sorted, func(a, b fleet.PolicyWarning) int { return cmp.Compare(severity(a), severity(b)) })
	for _, warning := range sorted {
		warn(screen, atlas, warning)
	}
}

// Bearing chooses the warnings that bear on data of some classes: policies
// that contradict each other or deny everything about them, or about any data.
func Bearing(warnings []fleet.PolicyWarning, classes []string) []fleet.PolicyWarning {
	var chosen []fleet.PolicyWarning
	for _, warning := range warnings {
		if warning.Kind != fleet.WarningContradiction && warning.Kind != fleet.WarningDeniesAll {
			continue
		}
		has := func(class string) bool { return slices.Contains(classes, class) }
		if warning.Witness == nil || len(warning.Witness.Classes) == 0 || slices.ContainsFunc(warning.Witness.Classes, has) {
			chosen = append(chosen, warning)
		}
	}
	return chosen
}

// severity is a warning's place among the loud ones, and behind all of them
// for advice.
func severity(warning fleet.PolicyWarning) int {
	if at := slices.Index(loud, warning.Kind); at >= 0 {
		return at
	}
	return len(loud)
}

func warn(screen *terminal.Screen, atlas Atlas, warning fleet.PolicyWarning) {
	word := screen.Paint(terminal.Notice, "Note:")
	if severity(warning) < len(loud) {
		word = screen.Paint(terminal.Bad, "WARNING:")
	}
	text := string(warning.Kind) + ": " + warning.Message
	if len(warning.Rules) > 0 && !strings.Contains(warning.Message, warning.Rules[0]) {
		text += " (" + strings.Join(warning.Rules, ", ") + ")"
	}
	fmt.Fprintln(screen, word, terminal.Clean(text))
	if warning.Witness != nil && warning.Kind == fleet.WarningContradiction {
		fmt.Fprintf(screen, "  for example: may %s\n", terminal.Clean(atlas.Witness(*warning.Witness)))
	}
}

// Witness is a question in words, with its instant.
func (a Atlas) Witness(question fleet.Question) string {
	subject := Subject(question)
	text := strings.ToLower(subject[:1]) + subject[1:] + " " + a.Act(question)
	if question.Region == "" {
		text += " any region"
	}
	if !question.At.IsZero() {
		text += " on " + output.Instant(&question.At)
	}
	return text + "?"
}
