package rollout

import (
	"context"

	"github.com/spf13/cobra"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
)

// NewAbort makes the command abort.
func NewAbort(f *factory.Factory, run func(context.Context, *ControlOptions) error) *cobra.Command {
	options := &ControlOptions{Order: fleetv1.RolloutControl_ROLLOUT_CONTROL_ABORT, Told: "is being aborted"}
	return newControl(f, "abort", "End a rollout where it is",
		"End a rollout where it is. Clusters that have the new version keep it; start a\nrollout of the former version to go back.", options, run)
}
