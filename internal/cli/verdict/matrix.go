package verdict

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/terminal"
	"github.com/meridian-fleet/meridian/internal/fleet"
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

// Causes lists each rule with an effect on some verdicts, with its citation, a
// reason, and to how many it applies.
func Causes(w io.Writer, title string, verdicts []fleet.Verdict, effect fleet.Effect) {
	type cause struct {
		Reason
		verdicts int
	}
	var causes []cause
	for _, verdict := range verdicts {
		for _, reason := range Reasons(verdict, effect) {
			at := slices.IndexFunc(causes, func(c cause) bool { return c.Rule == reason.Rule && c.Version == reason.Version })
			if at < 0 {
				causes = append(causes, cause{Reason: reason})
				at = len(causes) - 1
			}
			causes[at].verdicts++
		}
	}
	if len(causes) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", title)
	for _, cause := range causes {
		fmt.Fprintf(w, "  - %s, %s\n", terminal.Clean(cause.Title()), Counted(cause.verdicts, "answer"))
		example := ""
		if cause.verdicts > 1 {
			example = "Such as: "
		}
		if len(cause.Why) > 0 {
			fmt.Fprintf(w, "    %s%s\n", example, terminal.Clean(cause.Why[0]))
		}
	}
}

// Counted is a number of things.
func Counted(count int, noun string) string {
	if count == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", count, noun)
}
