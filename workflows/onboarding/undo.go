package onboarding

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/workflows"
)

// undo removes what the onboarding made and closes it as failed or aborted.
func (o *run) undo(cause error) (fleet.RegionStatus, error) {
	phase, message := o.verdict(cause)
	o.status.Step, o.status.Message = "removing what was made", message
	if err := o.record(o.detached); err != nil {
		return o.status, err
	}
	if left := o.remove(message); len(left) > 0 {
		message = fmt.Sprintf("%s; not removed: %s", message, strings.Join(left, "; "))
	}
	o.status.Phase, o.status.Step, o.status.Message = phase, "", message
	if err := o.record(o.detached); err != nil || phase == fleet.RegionAborted {
		return o.status, err
	}
	failure := workflows.FailureOf(cause)
	failure.Object, failure.Message = "Region "+o.input.Region, message
	return o.status, failure.Fail()
}

// verdict is how an onboarding ends that did not reach its end, and why.
func (o *run) verdict(cause error) (fleet.RegionPhase, string) {
	switch {
	case o.aborted != nil:
		return fleet.RegionAborted, abortMessage(*o.aborted)
	case temporal.IsCanceledError(cause):
		return fleet.RegionAborted, "aborted: the workflow was cancelled"
	}
	var failed *stepError
	if errors.As(cause, &failed) {
		return fleet.RegionFailed, failed.Error()
	}
	return fleet.RegionFailed, workflows.FailureOf(cause).Text()
}

func abortMessage(by workflows.Control) string {
	text := "aborted"
	if by.Actor != "" {
		text += " by " + by.Actor
	}
	if by.Reason != "" {
		text += ": " + by.Reason
	}
	return text
}

// remove takes away the clusters that were not there before, and says which
// could not be.
func (o *run) remove(message string) (left []string) {
	var waiting int
	for _, cluster := range o.region.Clusters {
		if cluster.Existed {
			continue
		}
		waiting++
		workflow.GoNamed(o.detached, "remove "+cluster.Name, func(ctx workflow.Context) {
			if err := o.removeCluster(ctx, cluster, message); err != nil {
				left = append(left, fmt.Sprintf("cluster %s (%s)", cluster.Name, workflows.FailureOf(err).Text()))
			}
			waiting--
		})
	}
	if err := workflow.Await(o.detached, func() bool { return waiting == 0 }); err != nil {
		left = append(left, err.Error())
	}
	slices.Sort(left)
	return left
}

func (o *run) removeCluster(ctx workflow.Context, cluster workflows.ResolvedCluster, message string) error {
	ctx = workflows.WithActivity(ctx, time.Hour, removalPatience)
	return workflow.ExecuteActivity(ctx, workflows.ActivityRemoveCluster, workflows.RemoveInput{
		ClusterStep: workflows.ClusterStep{Region: o.input.Region, Cluster: cluster.Name, Actor: o.input.Actor},
		Forget:      cluster.Recorded, Message: message,
	}).Get(ctx, nil)
}
