package policy

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/residency"
	"github.com/meridian-fleet/meridian/internal/cli/resource"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// New makes the commands of policies.
func New(f *factory.Factory) *cobra.Command {
	return usage.Group("policy", "Check, compare, test and compile residency policies",
		NewLint(f, Lint), NewDiff(f, Diff), residency.NewTest(f, "policy", residency.Test), NewCompile(f, Compile), NewList(f, resource.Get))
}

// NewList makes the command list.
func NewList(f *factory.Factory, run func(context.Context, *resource.GetOptions) error) *cobra.Command {
	return resource.NewList(f, fleet.KindResidencyPolicy, run, `  fleetctl policy list
  fleetctl policy list -o wide --as-of 2026-03-03`)
}
