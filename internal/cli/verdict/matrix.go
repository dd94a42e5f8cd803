package verdict

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/terminal"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency/report/reasons"
)

// Cell is a verdict in a table's cell.
func Cell(verdict fleet.Verdict) string {
	switch {
	case !verdict.Allowed:
		return "no"
	case len(verdict.Exceptions) > 0:
		return "excepted"
	}
	return "yes"
}

// Matrix prints verdicts about one subject: a line for each region, a column
// for each facet, and below it why some are denied.
func (a Atlas) Matrix(screen *terminal.Screen, verdicts []fleet.Verdict) error {
	var regions []string
	var facets []fleet.Facet
	cells := map[string]string{}
	for _, verdict := range verdicts {
		regions = addNew(regions, verdict.Region)
		if !slices.Contains(facets, verdict.Facet) {
			facets = append(facets, verdict.Facet)
		}
		cells[verdict.Region+" "+string(verdict.Facet)] = Cell(verdict)
	}
	titles := []string{"REGION", "PLACE"}
	for _, facet := range facets {
		titles = append(titles, FacetTitle(facet))
	}
	grid := output.NewGrid(titles...)
	for _, region := range regions {
		row := []string{region, a.Where(region)}
		for _, facet := range facets {
			row = append(row, cells[region+" "+string(facet)])
		}
		grid.Row(row...)
	}
	if err := grid.Write(screen, ""); err != nil {
		return err
	}
	Causes(screen, "Why not:", verdicts, fleet.EffectDenies)
	Causes(screen, "Suspended by an exception:", verdicts, fleet.EffectSuspended)
	return nil
}

// FacetTitle heads a column; a workload without a facet runs.
func FacetTitle(facet fleet.Facet) string {
	if facet == "" {
		return "RUN"
	}
	return strings.ToUpper(string(facet))
}

// cause is a group of rules and to how many verdicts it applies.
type cause struct {
	reasons.Group
	verdicts int
}

// Causes lists each rule with an effect on some verdicts, with its citation, a
// reason, and to how many it applies; the grounds of a policy are one cause.
func Causes(w *terminal.Screen, title string, verdicts []fleet.Verdict, effect fleet.Effect) {
	var causes []cause
	for _, verdict := range verdicts {
		for _, group := range reasons.Grouped(reasons.Of(verdict, effect)) {
			at := slices.IndexFunc(causes, func(c cause) bool { return c.same(group) })
			if at < 0 {
				causes = append(causes, cause{Group: group})
				at = len(causes) - 1
			}
			causes[at].merge(group)
		}
	}
	if len(causes) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", title)
	for _, cause := range causes {
		cause.write(w)
	}
}

// same reports whether a group is one more case of a cause: of the same rule,
// or of the grounds of the same policy.
func (c cause) same(group reasons.Group) bool {
	return c.Policy == group.Policy && c.Version == group.Version &&
		(c.Grounds() && group.Grounds() || c.Reasons[0].Name == group.Reasons[0].Name && c.Grounds() == group.Grounds())
}

// merge adds a group's grounds that the cause does not have yet.
func (c *cause) merge(group reasons.Group) {
	c.verdicts++
	for _, reason := range group.Reasons {
		has := func(other reasons.Reason) bool { return other.Name == reason.Name }
		if !slices.ContainsFunc(c.Reasons, has) {
			c.Reasons = append(c.Reasons, reason)
		}
	}
}

func (c cause) write(w *terminal.Screen) {
	w.Say("  - ", c.Title()+", "+Counted(c.verdicts, "answer"))
	lines := Lines(c.Group)
	switch {
	case !c.Grounds():
		lines = lines[:min(1, len(lines))]
	case c.verdicts > 1:
		fmt.Fprintln(w, "    In the first of them:")
	}
	for _, line := range lines {
		if c.verdicts > 1 && !c.Grounds() {
			line = "Such as: " + line
		}
		w.Say("    "+bullet(c.Group), line)
	}
}

// Counted is a number of things.
func Counted(count int, noun string) string {
	if count == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", count, noun)
}
