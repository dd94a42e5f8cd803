package rollout

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/resource"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// New makes the commands of rollouts.
func New(f *factory.Factory) *cobra.Command {
	return usage.Group("rollout", "Take clusters to a baseline version, wave by wave",
		NewBaseline(f, Baseline), NewStatus(f, Status), NewList(f, resource.Get),
		NewPause(f, Control), NewResume(f, Control), NewAbort(f, Control))
}

// NewList makes the command list.
func NewList(f *factory.Factory, run func(context.Context, *resource.GetOptions) error) *cobra.Command {
	return resource.NewList(f, fleet.KindRollout, run, `  fleetctl rollout list
  fleetctl rollout list -o wide`)
}
