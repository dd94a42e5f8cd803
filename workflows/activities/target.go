package activities

import (
	"context"
	"encoding/json"

	"github.com/meridian-fleet/meridian/internal/baseline"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// target puts together what delivering a baseline to a cluster takes.
func (a *Activities) target(ctx context.Context, name, baselineName string) (Target, cluster, error) {
	cluster, err := a.cluster(ctx, name)
	if err != nil {
		return Target{}, cluster, err
	}
	region, err := a.region(ctx, cluster.spec.Region)
	if err != nil {
		return Target{}, cluster, err
	}
	bundle, err := a.Inventory.Bundle(ctx, baselineName)
	if err != nil {
		return Target{}, cluster, err
	}
	facts, err := a.facts(ctx, cluster, region)
	return Target{Cluster: name, Bundle: bundle, Facts: facts}, cluster, err
}

// generatedResidency is the name bundles have for the objects by which a
// cluster keeps residency.
const generatedResidency = "residency"

// facts are what delivering to a cluster takes to know of it: also what was
// generated for it just now, so that a change of the rules shows as drift and
// comes with the next delivery.
func (a *Activities) facts(ctx context.Context, c cluster, r region) (baseline.Facts, error) {
	facts := deliveryFacts(c, r)
	if a.Guardrails == nil {
		return facts, nil
	}
	objects, err := a.Guardrails(ctx, c.spec.Region)
	facts.Generated = map[string][]json.RawMessage{generatedResidency: objects}
	return facts, err
}

// deliveryFacts are what a baseline's expressions may ask about a cluster.
func deliveryFacts(c cluster, r region) baseline.Facts {
	provider, id, _ := fleet.SplitRegion(c.spec.Region)
	facts := fleet.RegionFacts{}
	if r.status.Facts != nil {
		facts = *r.status.Facts
	}
	return baseline.Facts{
		Provider: provider,
		Region: map[string]any{
			"name": c.spec.Region, "id": id, "provider": provider, "displayName": facts.DisplayName,
			"city": facts.City, "country": facts.Country, "partition": facts.Partition,
			"operator": facts.Operator, "jurisdictions": facts.Jurisdictions, "optIn": facts.OptIn,
			"replicaPair": facts.ReplicaPair, "labels": labels(r.meta.Labels),
		},
		Cluster: map[string]any{
			"name": c.meta.Name, "region": c.spec.Region, "profile": c.spec.Profile,
			"kubernetesVersion": c.status.KubernetesVersion, "nodes": c.status.Nodes,
			"gpus": c.status.GPUs, "gpuProducts": c.status.GPUProducts,
			"labels": labels(fleet.EffectiveLabels(c.meta.Labels, r.meta.Labels)),
		},
	}
}

// labels is never nil: an expression may ask whether a label is there.
func labels(of map[string]string) map[string]string {
	if of == nil {
		return map[string]string{}
	}
	return of
}
