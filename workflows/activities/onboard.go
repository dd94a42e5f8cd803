package activities

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/providers"
	"github.com/meridian-fleet/meridian/workflows"
)

// recordedAnnotation marks a Cluster resource an onboarding recorded itself.
const recordedAnnotation = "meridian.dev/recorded-by"

// ResolveRegion finds out what a region's onboarding has to do. A region with
// no cluster declared gets a default one recorded.
func (a *Activities) ResolveRegion(ctx context.Context, input workflows.OnboardingInput) (workflows.ResolvedRegion, error) {
	region, err := a.region(ctx, input.Region)
	if err != nil {
		return workflows.ResolvedRegion{}, err
	}
	catalog, err := a.Providers.Region(ctx, input.Region)
	if err != nil {
		return workflows.ResolvedRegion{}, err
	}
	resolved := workflows.ResolvedRegion{
		Facts: factsOf(input.Region, catalog), Baseline: region.spec.Baseline, StartedAt: a.now(),
	}
	if err := a.checkBaseline(ctx, region); err != nil {
		return resolved, err
	}
	clusters, err := a.clustersOf(ctx, input.Region)
	if err == nil && len(clusters) == 0 {
		clusters, err = a.recordDefault(ctx, input, region)
	}
	for _, one := range clusters {
		resolved.Clusters = append(resolved.Clusters, resolveCluster(one))
	}
	return resolved, err
}

// checkBaseline fails early when the region's baseline is not there, not after
// a cluster was made.
func (a *Activities) checkBaseline(ctx context.Context, region region) error {
	if region.spec.Baseline == "" {
		return nil
	}
	_, err := a.Inventory.Get(ctx, fleet.Ref{Kind: fleet.KindBaseline, Name: region.spec.Baseline}, inventory.AsOf{})
	return err
}

func (a *Activities) clustersOf(ctx context.Context, region string) ([]cluster, error) {
	all, err := a.clusters(ctx)
	return slices.DeleteFunc(all, func(c cluster) bool { return c.spec.Region != region }), err
}

func (a *Activities) recordDefault(ctx context.Context, input workflows.OnboardingInput, region region) ([]cluster, error) {
	spec := fleet.ClusterSpec{Region: input.Region, Profile: region.spec.Profile}
	resource, err := fleet.NewResource(fleet.KindCluster, fleet.DefaultClusterName(input.Region), spec, nil)
	if err != nil {
		return nil, err
	}
	resource.Metadata.Annotations = map[string]string{recordedAnnotation: "onboarding"}
	free, err := a.freeName(ctx, resource.Ref())
	if err != nil {
		return nil, err
	}
	if _, err := a.Inventory.Apply(ctx, input.Actor, []fleet.Resource{resource}, inventory.ApplyOptions{Unless: free}); err != nil {
		return nil, err
	}
	recorded, err := a.cluster(ctx, resource.Metadata.Name)
	return []cluster{recorded}, err
}

// freeName refuses a name that a cluster has, which is in another region: what
// runs there is judged by the region its document names. A write that rests on
// the answer is to be made unless that moved.
func (a *Activities) freeName(ctx context.Context, ref fleet.Ref) (*inventory.Moved, error) {
	revision, err := a.Inventory.Revision(ctx)
	if err != nil {
		return nil, err
	}
	taken, err := a.cluster(ctx, ref.Name)
	switch {
	case err == nil:
		return nil, fleet.Errorf(fleet.ErrConflict, "it is in %s; a cluster never moves", taken.spec.Region).On(ref.String()).
			Advise("declare a cluster of another name for the region")
	case !errors.Is(err, fleet.ErrNotFound):
		return nil, err
	}
	return &inventory.Moved{Kinds: []fleet.Kind{ref.Kind}, Name: ref.Name, Since: revision}, nil
}

func resolveCluster(c cluster) workflows.ResolvedCluster {
	resolved := workflows.ResolvedCluster{Name: c.meta.Name, Existed: c.status.Phase == fleet.ClusterReady}
	resolved.Recorded = c.meta.Annotations[recordedAnnotation] != "" && !resolved.Existed
	if resolved.Existed && c.status.Baseline != nil {
		resolved.Baseline = c.status.Baseline.Target
	}
	return resolved
}

func factsOf(name string, catalog providers.Region) fleet.RegionFacts {
	provider, _, _ := fleet.SplitRegion(name)
	return fleet.RegionFacts{
		Provider: provider, ID: catalog.ID, DisplayName: catalog.DisplayName, City: catalog.City,
		Country: catalog.Country, Partition: catalog.Partition, Operator: catalog.Operator,
		Jurisdictions: catalog.Jurisdictions, OptIn: catalog.OptIn, ReplicaPair: catalog.ReplicaPair,
	}
}

// ProvisionCluster has the provider render a cluster's objects and applies
// them to the management cluster.
func (a *Activities) ProvisionCluster(ctx context.Context, step workflows.ClusterStep) error {
	request, err := a.clusterRequest(ctx, step)
	if err != nil {
		return err
	}
	providerName, _, _ := fleet.SplitRegion(step.Region)
	provider, err := a.Providers.Provider(ctx, providerName)
	if err != nil {
		return err
	}
	rendered, err := provider.ClusterObjects(ctx, request)
	if err != nil {
		return err
	}
	if err := a.judgeCluster(ctx, step); err != nil {
		return err
	}
	if err := a.beginProvisioning(ctx, step); err != nil {
		return err
	}
	return a.Management.Apply(ctx, rendered.Objects)
}

// beginProvisioning records that a cluster is being made; from then on its
// document cannot be deleted and declared elsewhere. That it was not before is
// looked up while nobody else can write.
func (a *Activities) beginProvisioning(ctx context.Context, step workflows.ClusterStep) error {
	ref := fleet.Ref{Kind: fleet.KindCluster, Name: step.Cluster}
	return a.Inventory.UpdateStatus(ctx, step.Actor, ref, func(json.RawMessage) (any, error) {
		declared, err := a.declaredIn(ctx, step)
		if status := &declared.status; status.Phase != fleet.ClusterReady {
			status.Phase, status.Message = fleet.ClusterProvisioning, ""
		}
		return declared.status, err
	})
}

// declaredIn reads a cluster, which has to be in the region of the step.
func (a *Activities) declaredIn(ctx context.Context, step workflows.ClusterStep) (cluster, error) {
	declared, err := a.cluster(ctx, step.Cluster)
	if err == nil && declared.spec.Region != step.Region {
		err = fleet.Errorf(fleet.ErrConflict, "it is declared in %s now, not in %s", declared.spec.Region, step.Region).On("Cluster " + step.Cluster)
	}
	return declared, err
}

// AwaitCluster waits until Cluster API reports a cluster ready, and passes on
// what it waits for.
func (a *Activities) AwaitCluster(ctx context.Context, step workflows.ClusterStep) error {
	var last string
	progress := newThrottle(time.Second, func(text string) {
		a.say(ctx, step, text)
	})
	waiting, cancel := context.WithTimeout(ctx, workflows.ProvisioningTime)
	defer cancel()
	err := a.Management.WaitReady(waiting, step.Cluster, func(text string) {
		last = text
		progress.say(text)
	})
	progress.close()
	if err != nil && ctx.Err() == nil && errors.Is(waiting.Err(), context.DeadlineExceeded) {
		return fleet.Errorf(fleet.ErrWaiting, "not ready after %s, waits for %s", workflows.ProvisioningTime, last).On("Cluster " + step.Cluster)
	}
	if err == nil {
		a.say(ctx, step, "")
	}
	return err
}

// say shows what a cluster waits for, at the cluster and at its region. It is
// news, not an outcome: that it cannot be written stops nothing.
func (a *Activities) say(ctx context.Context, step workflows.ClusterStep, text string) {
	err := errors.Join(
		a.updateCluster(ctx, step.Actor, step.Cluster, func(status *fleet.ClusterStatus) { status.Message = text }),
		a.updateRegion(ctx, step.Actor, step.Region, func(status *fleet.RegionStatus) {
			if status.Phase == fleet.RegionOnboarding {
				status.Message = text
			}
		}))
	if err != nil && ctx.Err() == nil {
		a.Logger.Warn("progress could not be recorded", "cluster", step.Cluster, "error", err)
	}
}

// ObserveCluster records what there is of a cluster.
func (a *Activities) ObserveCluster(ctx context.Context, step workflows.ClusterStep) error {
	observation, err := a.Management.Observe(ctx, step.Cluster)
	if err != nil {
		return err
	}
	nodes, err := a.Management.Nodes(ctx, step.Cluster)
	if err != nil {
		return err
	}
	var resources []fleet.Resource
	for _, node := range nodes {
		resource, err := fleet.NewResource(fleet.KindNode, step.Cluster+"/"+node.Name, nil, node.Status)
		if err != nil {
			return err
		}
		resources = append(resources, resource)
	}
	if err := a.Inventory.ReplaceOwned(ctx, step.Actor, fleet.KindNode, step.Cluster, resources); err != nil {
		return err
	}
	now := a.now()
	return a.updateCluster(ctx, step.Actor, step.Cluster, func(status *fleet.ClusterStatus) {
		status.Phase, status.Message = fleet.ClusterReady, strings.Join(observation.Failures, "; ")
		status.KubernetesVersion, status.Endpoint, status.ObservedAt = observation.Version, observation.Endpoint, &now
		countNodes(nodes, status)
	})
}

// RemoveCluster removes what an onboarding made of a cluster. One that came to
// be declared in another region is not what it made.
func (a *Activities) RemoveCluster(ctx context.Context, input workflows.RemoveInput) error {
	if _, err := a.declaredIn(ctx, input.ClusterStep); errors.Is(err, fleet.ErrConflict) {
		return nil
	} else if err != nil && !errors.Is(err, fleet.ErrNotFound) {
		return err
	}
	if err := a.Management.Delete(ctx, input.Cluster); err != nil {
		return err
	}
	if err := a.Inventory.ReplaceOwned(ctx, input.Actor, fleet.KindNode, input.Cluster, nil); err != nil {
		return err
	}
	ref := fleet.Ref{Kind: fleet.KindCluster, Name: input.Cluster}
	var err error
	if input.Forget {
		err = a.Inventory.Delete(ctx, input.Actor, ref, nil)
	} else {
		err = a.updateCluster(ctx, input.Actor, input.Cluster, func(status *fleet.ClusterStatus) {
			*status = fleet.ClusterStatus{Phase: fleet.ClusterPending, Message: "removed again: " + input.Message}
		})
	}
	if errors.Is(err, fleet.ErrNotFound) {
		return nil
	}
	return err
}
