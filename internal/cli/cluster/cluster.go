package cluster

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/resource"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// New makes the commands of clusters.
func New(f *factory.Factory) *cobra.Command {
	return usage.Group("cluster", "See clusters and get into them",
		NewList(f, resource.Get), NewKubeconfig(f, Kubeconfig))
}

// NewList makes the command list.
func NewList(f *factory.Factory, run func(context.Context, *resource.GetOptions) error) *cobra.Command {
	return resource.NewList(f, fleet.KindCluster, run, `  fleetctl cluster list
  fleetctl cluster list -l tier=canary -o wide`)
}
