package activities

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/capi"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/providers"
	"github.com/meridian-fleet/meridian/workflows"
)

// clusterRequest asks a provider for a cluster of the declared profile.
func (a *Activities) clusterRequest(ctx context.Context, step workflows.ClusterStep) (providers.ClusterRequest, error) {
	declared, err := a.declaredIn(ctx, step)
	if err != nil {
		return providers.ClusterRequest{}, err
	}
	profile, err := get[fleet.ClusterProfileSpec, struct{}](ctx, a.Inventory, fleet.KindClusterProfile, declared.spec.Profile)
	if err != nil {
		return providers.ClusterRequest{}, err
	}
	provider, id, _ := fleet.SplitRegion(step.Region)
	pools, err := nodePools(provider, declared.spec.Profile, profile.spec.NodePools)
	return providers.ClusterRequest{
		Name: step.Cluster, Namespace: a.Management.Namespace(), Region: id,
		KubernetesVersion: profile.spec.KubernetesVersion,
		Labels:            map[string]string{"meridian.dev/provider": provider, "meridian.dev/region": id},
		Account:           a.Accounts[provider], NodePools: pools,
	}, err
}

func nodePools(provider, profile string, declared []fleet.NodePool) ([]providers.NodePool, error) {
	var faults []error
	pools := make([]providers.NodePool, 0, len(declared))
	for _, pool := range declared {
		instanceType := pool.InstanceTypes[provider]
		if instanceType == "" {
			faults = append(faults, fleet.Errorf(fleet.ErrInvalid, "node pool %q has no instance type for provider %q", pool.Name, provider).
				On("ClusterProfile "+profile).Advise("set instanceTypes.%s", provider))
		}
		pools = append(pools, nodePool(pool, instanceType))
	}
	return pools, errors.Join(faults...)
}

func nodePool(pool fleet.NodePool, instanceType string) providers.NodePool {
	requested := providers.NodePool{Name: pool.Name, Replicas: pool.Replicas, InstanceType: instanceType, Labels: pool.Labels}
	for _, taint := range pool.Taints {
		requested.Taints = append(requested.Taints, providers.Taint(taint))
	}
	if pool.GPU != nil {
		gpu := providers.GPU(*pool.GPU)
		requested.GPU = &gpu
	}
	return requested
}

// countNodes sums nodes up in their cluster's status.
func countNodes(nodes []capi.Node, status *fleet.ClusterStatus) {
	status.Nodes, status.ReadyNodes, status.GPUs, status.GPUProducts = len(nodes), 0, 0, nil
	for _, node := range nodes {
		if node.Status.Ready {
			status.ReadyNodes++
		}
		status.GPUs += node.Status.GPUs
		if product := node.Status.GPUProduct; product != "" && !slices.Contains(status.GPUProducts, product) {
			status.GPUProducts = append(status.GPUProducts, product)
		}
	}
	slices.SortFunc(status.GPUProducts, strings.Compare)
}
