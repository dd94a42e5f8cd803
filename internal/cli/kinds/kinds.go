package kinds

import (
	"slices"
	"strings"
	"time"

	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Kind is a kind of resource on the command line.
type Kind struct {
	fleet.Kind
	Plural  string
	Aliases []string
	columns []column
}

// column is one of a kind's; the name comes first and the age last in every
// table.
type column struct {
	title string
	wide  bool
	value func(cell) (string, error)
}

// cell is what a column's value is made of.
type cell struct {
	fleet.Resource
	now time.Time
}

// All kinds, in the order people meet them.
var All = []Kind{
	{fleet.KindRegion, "regions", []string{"rg"}, regionColumns},
	{fleet.KindCluster, "clusters", []string{"cl"}, clusterColumns},
	{fleet.KindNode, "nodes", []string{"no"}, nodeColumns},
	{fleet.KindClusterProfile, "clusterprofiles", []string{"profile", "profiles", "cp"}, profileColumns},
	{fleet.KindBaseline, "baselines", []string{"bl"}, baselineColumns},
	{fleet.KindRolloutStrategy, "rolloutstrategies", []string{"strategy", "strategies", "rs"}, strategyColumns},
	{fleet.KindRollout, "rollouts", []string{"ro"}, rolloutColumns},
	{fleet.KindClusterChange, "clusterchanges", []string{"change", "changes", "cc"}, changeColumns},
	{fleet.KindResidencyPolicy, "residencypolicies", []string{"policy", "policies", "rp"}, policyColumns},
	{fleet.KindJurisdictionGroup, "jurisdictiongroups", []string{"group", "groups", "jg"}, groupColumns},
	{fleet.KindDataClass, "dataclasses", []string{"class", "classes", "dc"}, classColumns},
	{fleet.KindDataset, "datasets", []string{"ds"}, datasetColumns},
	{fleet.KindWorkload, "workloads", []string{"wl"}, workloadColumns},
	{fleet.KindException, "exceptions", []string{"ex"}, exceptionColumns},
	{fleet.KindPlacement, "placements", []string{"pl"}, placementColumns},
	{fleet.KindDecision, "decisions", []string{"de"}, decisionColumns},
}

// Lookup finds a kind by any of its names, in any case.
func Lookup(word string) (Kind, error) {
	lower := strings.ToLower(word)
	for _, kind := range All {
		if lower == strings.ToLower(string(kind.Kind)) || lower == kind.Plural || slices.Contains(kind.Aliases, lower) {
			return kind, nil
		}
	}
	return Kind{}, fleet.Errorf(fleet.ErrInvalid, "there is no kind %q", word).Advise("kinds are %s", strings.Join(Plurals(), ", "))
}

// Name reads a resource's name, which may have its kind before it as -o name
// writes it: "cluster/aws-eu-central-1".
func Name(kind fleet.Kind, word string) string {
	prefix, name, found := strings.Cut(word, "/")
	if named, err := Lookup(prefix); found && err == nil && named.Kind == kind {
		return name
	}
	return word
}

// Names is Name for many.
func Names(kind fleet.Kind, words []string) []string {
	names := make([]string, len(words))
	for i, word := range words {
		names[i] = Name(kind, word)
	}
	return names
}

// Of returns what is known of one of the fleet's kinds.
func Of(kind fleet.Kind) Kind {
	for _, known := range All {
		if known.Kind == kind {
			return known
		}
	}
	return Kind{Kind: kind, Plural: strings.ToLower(string(kind))}
}

// Plurals lists the kinds' plural names.
func Plurals() []string {
	var plurals []string
	for _, kind := range All {
		plurals = append(plurals, kind.Plural)
	}
	return plurals
}

// Help explains the kinds and their short names.
func Help() string {
	var b strings.Builder
	for _, kind := range All {
		b.WriteString("  " + kind.Plural + " (" + strings.Join(kind.Aliases, ", ") + ")\n")
	}
	return b.String()
}

// Grid makes the table of a kind's resources.
func (k Kind) Grid(resources []fleet.Resource, wide bool, now time.Time) (*output.Grid, error) {
	titles := []string{"NAME"}
	var shown []column
	for _, column := range k.columns {
		if !column.wide || wide {
			shown = append(shown, column)
			titles = append(titles, column.title)
		}
	}
	grid := output.NewGrid(append(titles, "AGE")...)
	for _, resource := range resources {
		row := []string{resource.Metadata.Name}
		for _, column := range shown {
			text, err := column.value(cell{resource, now})
			if err != nil {
				return nil, err
			}
			row = append(row, text)
		}
		grid.Row(append(row, output.Age(now, resource.Metadata.CreatedAt))...)
	}
	return grid, nil
}
