package change_test

import (
	"testing"

	"github.com/meridian-fleet/meridian/workflows"
	"github.com/meridian-fleet/meridian/workflows/change"
	"github.com/meridian-fleet/meridian/workflows/workflowstest"
)

func TestReplayChangeCluster(t *testing.T) {
	t.Parallel()
	workflowstest.Replay(t, workflows.ChangeWorkflow, change.ChangeCluster, 4)
}
