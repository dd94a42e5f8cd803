package onboarding

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/meridian-fleet/meridian/workflows"
)

// step is one thing done with a cluster.
type step struct {
	text string
	do   func(workflow.Context) error
}

func (o *run) steps(cluster workflows.ResolvedCluster) []step {
	input := workflows.ClusterStep{Region: o.input.Region, Cluster: cluster.Name, Actor: o.input.Actor}
	steps := []step{
		{"applying Cluster API objects", func(ctx workflow.Context) error {
			return execute(ctx, workflows.ActivityProvisionCluster, input, 2*time.Minute)
		}},
		{"waiting for Cluster API", func(ctx workflow.Context) error {
			return execute(ctx, workflows.ActivityAwaitCluster, input, workflows.ProvisioningTime+5*time.Minute)
		}},
		{"observing the cluster", func(ctx workflow.Context) error {
			return execute(ctx, workflows.ActivityObserveCluster, input, 2*time.Minute)
		}},
	}
	if o.installs(cluster) {
		steps = append(steps, step{"installing baseline " + o.region.Baseline, func(ctx workflow.Context) error {
			return o.installBaseline(ctx, cluster.Name)
		}})
	}
	return steps
}

func execute(ctx workflow.Context, activity string, input workflows.ClusterStep, attempt time.Duration) error {
	return workflow.ExecuteActivity(workflows.WithActivity(ctx, attempt, requestPatience), activity, input).Get(ctx, nil)
}

func (o *run) installBaseline(ctx workflow.Context, cluster string) error {
	_, err := workflows.RunChange(ctx, workflows.ChangeInput{
		Operation: workflows.OnboardingID(o.input.Region), Reason: "onboarding", Actor: o.input.Actor,
		Cluster: cluster, Baseline: o.region.Baseline,
	})
	return err
}
