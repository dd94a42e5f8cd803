package verdict

import (
	"fmt"
	"strings"

	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/terminal"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency/report/reasons"
)

// Write prints one verdict: the answer, the rules that decided with their
// facts, obligations, exceptions, and what would be lawful.
func (a Atlas) Write(screen *terminal.Screen, verdict fleet.Verdict) {
	style := terminal.Good
	if !verdict.Allowed {
		style = terminal.Bad
	}
	word := Word(verdict)
	fmt.Fprintln(screen, screen.Paint(style, word+"."), terminal.Clean(a.Claim(verdict)+"."))
	rules(screen, "Rules that forbid it:", reasons.Of(verdict, fleet.EffectDenies))
	rules(screen, "Rules that would forbid it, suspended by an exception:", reasons.Of(verdict, fleet.EffectSuspended))
	rules(screen, "Rules that permit it:", reasons.Of(verdict, fleet.EffectAllows))
	exceptions(screen, verdict.Exceptions)
	Obligations(screen, verdict.Obligations, verdict.Allowed)
	a.Alternatives(screen, verdict)
}

func rules(screen *terminal.Screen, title string, found []reasons.Reason) {
	if len(found) == 0 {
		return
	}
	fmt.Fprintf(screen, "\n%s\n", title)
	for i, group := range reasons.Grouped(found) {
		screen.Say(fmt.Sprintf("  %d. ", i+1), group.Title())
		for _, line := range Lines(group) {
			screen.Say("     "+bullet(group), line)
		}
		if of := group.Of(); len(of) > 0 {
			screen.Say("     ", "It applies to "+strings.Join(of, "; ")+".")
		}
		for _, fact := range group.Facts() {
			screen.Say("     - ", Fact(fact))
		}
		if suspend := group.Reasons[0].Suspend; len(suspend) > 0 {
			screen.Say("     ", "Suspended by "+listed(suspend, "and")+".")
		}
	}
}

// Brief names the rules that deny, or would but for an exception, in a line
// each, and below it the grounds of which none is met.
func Brief(screen *terminal.Screen, indent string, answer fleet.Verdict) {
	for _, effect := range []fleet.Effect{fleet.EffectDenies, fleet.EffectSuspended} {
		for _, group := range reasons.Grouped(reasons.Of(answer, effect)) {
			text, lines := group.Title(), Lines(group)
			if !group.Grounds() && len(lines) > 0 {
				text, lines = text+": "+lines[0], nil
			}
			screen.Say(indent+"- ", text)
			for _, line := range lines {
				screen.Say(indent+"  "+bullet(group), line)
			}
		}
	}
}

// bullet goes before each of several grounds.
func bullet(group reasons.Group) string {
	if group.Grounds() {
		return "* "
	}
	return ""
}

// Lines say why the rule of a group denies or permits; of several grounds what
// each of them lacks.
func Lines(group reasons.Group) []string {
	if !group.Grounds() {
		return group.Reasons[0].Why
	}
	lines := make([]string, len(group.Reasons))
	for i, reason := range group.Reasons {
		lines[i] = reason.Ground()
	}
	return lines
}

func exceptions(screen *terminal.Screen, used []fleet.UsedException) {
	if len(used) == 0 {
		return
	}
	fmt.Fprintln(screen, "\nExceptions that touch the answer:")
	for _, exception := range used {
		screen.Say("  - ", Exception(exception))
	}
}

// Exception is one in words.
func Exception(exception fleet.UsedException) string {
	text := fmt.Sprintf("exception %s suspends %s until %s", exception.Name, exception.Rule, exception.Until)
	if exception.By != "" {
		text += ", approved by " + exception.By
	}
	return text
}

// Obligations prints what has to be done besides; of what is not allowed, what
// would have to be.
func Obligations(screen *terminal.Screen, obligations []fleet.DueObligation, allowed bool) {
	var sure, unsure []string
	for _, obligation := range obligations {
		if obligation.Unsure {
			unsure = addNew(unsure, Obligation(obligation))
			continue
		}
		sure = addNew(sure, Obligation(obligation))
	}
	has := "has"
	if !allowed {
		has = "would have"
	}
	list(screen, "What "+has+" to be done besides:", sure)
	list(screen, "What may have to be done besides (a fact it depends on is not known):", unsure)
}

func list(screen *terminal.Screen, title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(screen, "\n%s\n", title)
	for _, line := range lines {
		screen.Say("  - ", line)
	}
}

// Obligation is one in words.
func Obligation(obligation fleet.DueObligation) string {
	text := string(obligation.Action) + ": " + strings.TrimRight(obligation.Text, ".")
	if obligation.To != "" {
		text += "; to " + obligation.To
	}
	if obligation.Within != "" {
		text += "; within " + obligation.Within
	}
	if obligation.Due != nil {
		text += "; due " + output.Instant(obligation.Due)
	}
	if obligation.Dataset != "" {
		text += "; for dataset " + obligation.Dataset
	}
	return text + "; " + reasons.Title(obligation.Policy+"/"+obligation.Rule, obligation.Version, obligation.Cites)
}

// Alternatives prints what would be lawful instead of what is denied.
func (a Atlas) Alternatives(screen *terminal.Screen, verdict fleet.Verdict) {
	if verdict.Allowed {
		return
	}
	if len(verdict.Alternatives) == 0 {
		list(screen, "What would be lawful:", []string{"nothing that Meridian knows of: no single change makes it lawful"})
		return
	}
	fmt.Fprintln(screen, "\nWhat would be lawful:")
	for _, alternative := range verdict.Alternatives {
		screen.Say("  - ", a.Alternative(alternative))
		for _, command := range a.Requests(verdict, alternative) {
			fmt.Fprintf(screen, "      %s\n", terminal.Clean(command))
		}
	}
}

// regionsShown is how many regions a line names.
const regionsShown = 5

// Alternative is one in words. The nearest regions are named unless its text
// has them.
func (a Atlas) Alternative(alternative fleet.Alternative) string {
	text := alternative.Text
	if len(alternative.Regions) == 0 || strings.Contains(text, alternative.Regions[0]) {
		return text
	}
	var places []string
	for _, region := range alternative.Regions[:min(regionsShown, len(alternative.Regions))] {
		places = append(places, a.Place(region))
	}
	text = strings.TrimRight(text, ".:") + ": " + strings.Join(places, ", ")
	if more := len(alternative.Regions) - len(places); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
