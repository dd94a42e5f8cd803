package verdict

import (
	"fmt"
	"strings"

	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/terminal"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Loud reports whether a warning says that policies do something other than
// anybody can want; the others are advice.
func Loud(warning fleet.PolicyWarning) bool {
	switch warning.Kind {
	case fleet.WarningContradiction, fleet.WarningDeniesAll, fleet.WarningAllowsAll:
		return true
	}
	return false
}

// Warn prints warnings about policies, those that matter most first, each with
// the question that shows it.
func Warn(screen *terminal.Screen, atlas Atlas, warnings []fleet.PolicyWarning) {
	for _, loud := range []bool{true, false} {
		for _, warning := range warnings {
			if Loud(warning) == loud {
				warn(screen, atlas, warning, loud)
			}
		}
	}
}

func warn(screen *terminal.Screen, atlas Atlas, warning fleet.PolicyWarning, loud bool) {
	word := screen.Paint(terminal.Notice, "Note:")
	if loud {
		word = screen.Paint(terminal.Bad, "WARNING:")
	}
	text := string(warning.Kind) + ": " + warning.Message
	if len(warning.Rules) > 0 && !strings.Contains(warning.Message, warning.Rules[0]) {
		text += " (" + strings.Join(warning.Rules, ", ") + ")"
	}
	fmt.Fprintln(screen, word, terminal.Clean(text))
	if warning.Witness != nil {
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
