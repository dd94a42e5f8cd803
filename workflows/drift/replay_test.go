package drift_test

import (
	"testing"

	"github.com/meridian-fleet/meridian/workflows"
	"github.com/meridian-fleet/meridian/workflows/drift"
	"github.com/meridian-fleet/meridian/workflows/workflowstest"
)

func TestReplayCheckDrift(t *testing.T) {
	t.Parallel()
	workflowstest.Replay(t, workflows.DriftWorkflow, drift.CheckDrift, 3)
}

func TestReplayHealDrift(t *testing.T) {
	t.Parallel()
	workflowstest.Replay(t, workflows.HealWorkflow, drift.HealDrift, 2)
}
