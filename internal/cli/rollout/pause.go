package rollout

import (
	"context"

	"github.com/spf13/cobra"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
)

// NewPause makes the command pause.
func NewPause(f *factory.Factory, run func(context.Context, *ControlOptions) error) *cobra.Command {
	options := &ControlOptions{
		Order: fleetv1.RolloutControl_ROLLOUT_CONTROL_PAUSE,
		Told:  "is pausing; clusters that are being changed are finished first",
	}
	return newControl(f, "pause", "Start no further cluster until resumed",
		"Start no further cluster until resumed. Clusters that are being changed are\nfinished.", options, run)
}
