package rollout

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-fleet/meridian/internal/cli/kinds"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// writePlan prints a plan for people; the hash comes last.
func writePlan(w io.Writer, plan fleet.RolloutPlan, details bool) error {
	strategy := plan.Strategy
	if strategy == "" {
		strategy = "the built-in one"
	}
	fmt.Fprintf(w, "Plan: %s (%s), strategy %s\n", plan.Baseline, kinds.ShortDigest(plan.Digest), strategy)
	for number, wave := range plan.Waves {
		fmt.Fprintf(w, "\nWave %d, %s: %s\n", number+1, wave.Name, waveTerms(wave))
		if err := writeClusters(w, wave.Clusters); err != nil {
			return err
		}
		if details {
			if err := writeObjects(w, wave.Clusters); err != nil {
				return err
			}
		}
	}
	fmt.Fprintf(w, "\n%s\nPlan hash: %s\n", planTotal(plan), plan.Hash)
	return nil
}

// waveTerms says how a wave runs.
func waveTerms(wave fleet.PlannedWave) string {
	terms := []string{
		counted(len(wave.Clusters), "cluster"),
		strconv.Itoa(wave.MaxParallel) + " at a time",
		fmt.Sprintf("%d may fail", wave.FailureBudget),
	}
	if wave.Soak > 0 {
		terms = append(terms, "then a soak of "+time.Duration(wave.Soak).String())
	}
	if wave.Pause {
		terms = append(terms, "then a pause until resumed")
	}
	return strings.Join(terms, ", ")
}

func writeClusters(w io.Writer, clusters []fleet.PlannedCluster) error {
	problems := false
	for _, cluster := range clusters {
		problems = problems || cluster.Problem != ""
	}
	titles := []string{"CLUSTER", "REGION", "FROM", "CREATE", "UPDATE", "DELETE", "UNCHANGED"}
	if problems {
		titles = append(titles, "PROBLEM")
	}
	grid := output.NewGrid(titles...)
	for _, cluster := range clusters {
		row := []string{
			cluster.Cluster, cluster.Region, cluster.From, strconv.Itoa(cluster.Create),
			strconv.Itoa(cluster.Update), strconv.Itoa(cluster.Delete), strconv.Itoa(cluster.Unchanged),
		}
		if problems {
			row = append(row, cluster.Problem)
		}
		grid.Row(row...)
	}
	return grid.Write(w, "  ")
}

func writeObjects(w io.Writer, clusters []fleet.PlannedCluster) error {
	grid := output.NewGrid("CLUSTER", "ACTION", "COMPONENT", "OBJECT", "FIELDS")
	for _, cluster := range clusters {
		for _, change := range cluster.Changes {
			grid.Row(cluster.Cluster, change.Action, change.Component, change.Object, strings.Join(change.Fields, ", "))
		}
	}
	if grid.Empty() {
		return nil
	}
	fmt.Fprintln(w)
	return grid.Write(w, "  ")
}

func planTotal(plan fleet.RolloutPlan) string {
	var clusters, create, update, remove, unchanged, problems int
	for _, wave := range plan.Waves {
		clusters += len(wave.Clusters)
		for _, cluster := range wave.Clusters {
			create += cluster.Create
			update += cluster.Update
			remove += cluster.Delete
			unchanged += cluster.Unchanged
			if cluster.Problem != "" {
				problems++
			}
		}
	}
	total := fmt.Sprintf("%s in %s: %d to create, %d to update, %d to delete, %d unchanged", counted(clusters, "cluster"),
		counted(len(plan.Waves), "wave"), create, update, remove, unchanged)
	if problems > 0 {
		total += fmt.Sprintf("; %s could not be planned", counted(problems, "cluster"))
	}
	return total
}

func counted(count int, noun string) string {
	if count == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", count, noun)
}
