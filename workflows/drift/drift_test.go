package drift_test

import (
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/workflows"
	"github.com/meridian-fleet/meridian/workflows/drift"
)

func environment() *testsuite.TestWorkflowEnvironment {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	return suite.NewTestWorkflowEnvironment()
}

func TestCheckDrift(t *testing.T) {
	t.Parallel()
	env := environment()
	env.RegisterActivityWithOptions(func(input workflows.DriftInput) (workflows.DriftSummary, error) {
		return workflows.DriftSummary{Checked: input.Clusters}, nil
	}, activity.RegisterOptions{Name: workflows.ActivityCompareClusters})
	var looked []string
	env.RegisterActivityWithOptions(func(input workflows.DriftInput) (workflows.DiscoverySummary, error) {
		looked = input.Clusters
		return workflows.DiscoverySummary{Looked: len(input.Clusters)}, nil
	}, activity.RegisterOptions{Name: workflows.ActivityDiscoverPlacements})
	env.ExecuteWorkflow(drift.CheckDrift, workflows.DriftInput{Clusters: []string{"a"}})
	var summary workflows.DriftSummary
	if err := env.GetWorkflowResult(&summary); err != nil || !slices.Equal(summary.Checked, []string{"a"}) {
		t.Errorf("%+v, %v", summary, err)
	}
	if !slices.Equal(looked, []string{"a"}) {
		t.Errorf("looked for data in %v", looked)
	}
}

func TestHealDrift(t *testing.T) {
	t.Parallel()
	env := environment()
	running, most := 0, 0
	env.RegisterWorkflowWithOptions(func(ctx workflow.Context, input workflows.ChangeInput) (fleet.ClusterChangeStatus, error) {
		running++
		most = max(most, running)
		err := workflow.Sleep(ctx, time.Minute)
		running--
		if input.Cluster == "c" {
			err = workflows.Fail(fleet.Errorf(fleet.ErrConflict, "owned by kubectl"))
		}
		return fleet.ClusterChangeStatus{}, err
	}, workflow.RegisterOptions{Name: workflows.ChangeWorkflow})
	env.RegisterActivityWithOptions(func(workflows.HealInput) (workflows.HealSelection, error) {
		selection := workflows.HealSelection{Refused: map[string]string{"z": "no baseline"}}
		for _, name := range []string{"f", "e", "d", "c", "b", "a"} {
			selection.Changes = append(selection.Changes, fleet.ClusterChangeSpec{Cluster: name, Baseline: "platform@1.0.0"})
		}
		return selection, nil
	}, activity.RegisterOptions{Name: workflows.ActivitySelectDrifted})
	env.ExecuteWorkflow(drift.HealDrift, workflows.HealInput{Heal: "h1"})
	var result workflows.HealResult
	if err := env.GetWorkflowResult(&result); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(result.Healed, []string{"a", "b", "d", "e", "f"}) {
		t.Errorf("healed %v", result.Healed)
	}
	if !maps.Equal(result.Failed, map[string]string{"c": "owned by kubectl", "z": "no baseline"}) {
		t.Errorf("failed %v", result.Failed)
	}
	if most != 4 {
		t.Errorf("%d at once", most)
	}
}
