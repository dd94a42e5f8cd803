package activities

import (
	"context"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/workflows"
)

// The acts that are judged before they are done.
const (
	actOnboard = "onboard"
	actApply   = "apply-baseline"
)

// judgeCluster asks whether a region may get a cluster for the data the region
// is meant for.
func (a *Activities) judgeCluster(ctx context.Context, step workflows.ClusterStep) error {
	_, _, err := a.Residency.Decide(ctx, fleet.Act{
		Kind: actOnboard, Operation: workflows.OnboardingID(step.Region), Actor: step.Actor, Region: step.Region, Cluster: step.Cluster,
	})
	return err
}

// judgeChange asks whether a baseline may be applied to a cluster, with the
// data its components handle there. It stands right before the act and in the
// same attempt, so that no older answer is acted upon.
func (a *Activities) judgeChange(ctx context.Context, input workflows.ChangeInput, target Target, region string) error {
	uses, err := a.Baselines.Data(target)
	if err != nil {
		return err
	}
	_, _, err = a.Residency.Decide(ctx, fleet.Act{
		Kind: actApply, Operation: input.Operation, Actor: input.Actor, Region: region, Cluster: input.Cluster, Baseline: input.Baseline,
		Questions: questions(uses, region),
	})
	return err
}

// questions asks about every facet of every use, at a region.
func questions(uses []fleet.ClassUse, region string) []fleet.Question {
	var asked []fleet.Question
	for _, use := range uses {
		facets := use.Facets
		if len(facets) == 0 {
			facets = []fleet.Facet{fleet.FacetProcessing}
		}
		for _, facet := range facets {
			asked = append(asked, fleet.Question{Classes: use.Classes, Facet: facet, Region: region})
		}
	}
	return asked
}
