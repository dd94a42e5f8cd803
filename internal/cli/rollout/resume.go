package rollout

import (
	"context"

	"github.com/spf13/cobra"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
)

// NewResume makes the command resume.
func NewResume(f *factory.Factory, run func(context.Context, *ControlOptions) error) *cobra.Command {
	options := &ControlOptions{Order: fleetv1.RolloutControl_ROLLOUT_CONTROL_RESUME, Told: "resumes"}
	return newControl(f, "resume", "Go on after a pause",
		"Go on after a pause, whether a person or the strategy asked for it.", options, run)
}
