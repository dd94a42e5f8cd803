package rollout_test

import (
	"testing"

	"github.com/meridian-fleet/meridian/workflows"
	"github.com/meridian-fleet/meridian/workflows/rollout"
	"github.com/meridian-fleet/meridian/workflows/workflowstest"
)

func TestReplayRollout(t *testing.T) {
	t.Parallel()
	workflowstest.Replay(t, workflows.RolloutWorkflow, rollout.Rollout, 4)
}

func TestReplayPlanRollout(t *testing.T) {
	t.Parallel()
	workflowstest.Replay(t, workflows.PlanWorkflow, rollout.PlanRollout, 2)
}
