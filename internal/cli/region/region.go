package region

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/resource"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// New makes the commands of regions.
func New(f *factory.Factory) *cobra.Command {
	return usage.Group("region", "Onboard regions and see how they are",
		NewOnboard(f, Onboard), NewAbort(f, Abort), NewList(f, resource.Get))
}

// NewList makes the command list.
func NewList(f *factory.Factory, run func(context.Context, *resource.GetOptions) error) *cobra.Command {
	return resource.NewList(f, fleet.KindRegion, run, `  fleetctl region list
  fleetctl region list -l tier=canary -o wide`)
}
