package onboarding_test

import (
	"testing"

	"github.com/meridian-fleet/meridian/workflows"
	"github.com/meridian-fleet/meridian/workflows/onboarding"
	"github.com/meridian-fleet/meridian/workflows/workflowstest"
)

func TestReplayOnboardRegion(t *testing.T) {
	t.Parallel()
	workflowstest.Replay(t, workflows.OnboardingWorkflow, onboarding.OnboardRegion, 3)
}
