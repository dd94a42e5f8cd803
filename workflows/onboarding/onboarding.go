package onboarding

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/workflows"
)

const (
	// requestPatience is how long a step that only sends requests is tried.
	requestPatience = 10 * time.Minute
	// removalPatience is how long a removal is tried before what is left is
	// said to be left.
	removalPatience = time.Hour
)

// OnboardRegion onboards a declared region. It fails, after the region's
// status says why and what it made is removed, when a step fails for good.
func OnboardRegion(ctx workflow.Context, input workflows.OnboardingInput) (fleet.RegionStatus, error) {
	o, err := begin(ctx, input)
	if err != nil {
		return fleet.RegionStatus{}, err
	}
	if err := o.install(); err != nil {
		return o.undo(err)
	}
	return o.ready()
}

// run is one execution of an onboarding.
type run struct {
	input    workflows.OnboardingInput
	region   workflows.ResolvedRegion
	progress *progress
	status   fleet.RegionStatus
	aborted  *workflows.Control

	work     workflow.Context // ends with an abort, and when one cluster fails
	stop     workflow.CancelFunc
	detached workflow.Context // does not
}

func begin(ctx workflow.Context, input workflows.OnboardingInput) (*run, error) {
	now := workflow.Now(ctx)
	o := &run{input: input, progress: newProgress()}
	o.status = fleet.RegionStatus{Phase: fleet.RegionOnboarding, Step: "resolving", StartedAt: &now}
	o.detached, _ = workflow.NewDisconnectedContext(ctx)
	o.work, o.stop = workflow.WithCancel(ctx)
	workflow.GoNamed(o.detached, workflows.SignalAbort, o.listen)
	return o, workflow.SetQueryHandlerWithOptions(ctx, workflows.QueryProgress, func() (fleet.RegionStatus, error) {
		return o.status, nil
	}, workflow.QueryHandlerOptions{Description: "how far the onboarding is, as a RegionStatus"})
}

func (o *run) listen(ctx workflow.Context) {
	var by workflows.Control
	workflow.GetSignalChannel(ctx, workflows.SignalAbort).Receive(ctx, &by)
	o.aborted = &by
	o.stop()
}

// install does what there is to do, all clusters of the region at once. The
// first failure ends the work on the others.
func (o *run) install() error {
	if err := o.resolve(); err != nil {
		return err
	}
	var failed error
	waiting := len(o.region.Clusters)
	for _, cluster := range o.region.Clusters {
		workflow.GoNamed(o.work, cluster.Name, func(ctx workflow.Context) {
			if err := o.installCluster(ctx, cluster); err != nil && failed == nil {
				failed = err
				o.stop()
			}
			waiting--
		})
	}
	if err := workflow.Await(o.detached, func() bool { return waiting == 0 }); err != nil {
		return err
	}
	if failed == nil {
		failed = o.work.Err()
	}
	return failed
}

func (o *run) resolve() error {
	if err := o.record(o.work); err != nil {
		return err
	}
	ctx := workflows.WithActivity(o.work, time.Minute, requestPatience)
	if err := workflow.ExecuteActivity(ctx, workflows.ActivityResolveRegion, o.input).Get(ctx, &o.region); err != nil {
		return err
	}
	o.status.Facts = &o.region.Facts
	return o.declareChanges()
}

// declareChanges makes the resources in which the installation of the
// region's baseline is followed.
func (o *run) declareChanges() error {
	declare := workflows.DeclareInput{Operation: workflows.OnboardingID(o.input.Region), Actor: o.input.Actor}
	for _, cluster := range o.region.Clusters {
		if o.installs(cluster) {
			declare.Changes = append(declare.Changes, fleet.ClusterChangeSpec{
				Cluster: cluster.Name, Region: o.input.Region, Baseline: o.region.Baseline, Reason: "onboarding",
			})
		}
	}
	if len(declare.Changes) == 0 {
		return nil
	}
	return workflow.ExecuteLocalActivity(workflows.WithRecording(o.work), workflows.ActivityDeclareChanges, declare).Get(o.work, nil)
}

// installs reports whether the onboarding installs the region's baseline on a
// cluster: not over one that a rollout or an earlier onboarding brought.
func (o *run) installs(cluster workflows.ResolvedCluster) bool {
	return o.region.Baseline != "" && cluster.Baseline == ""
}

func (o *run) installCluster(ctx workflow.Context, cluster workflows.ResolvedCluster) error {
	for _, step := range o.steps(cluster) {
		if err := o.enter(ctx, cluster.Name, step.text); err != nil {
			return err
		}
		if err := step.do(ctx); err != nil {
			return &stepError{cluster: cluster.Name, step: step.text, cause: err}
		}
	}
	return o.enter(ctx, cluster.Name, "")
}

// enter notes what is done with a cluster now, and writes it down.
func (o *run) enter(ctx workflow.Context, cluster, step string) error {
	o.progress.enter(cluster, step)
	o.status.Step = o.progress.text()
	return o.record(ctx)
}

func (o *run) record(ctx workflow.Context) error {
	record := workflows.RegionRecord{Region: o.input.Region, Actor: o.input.Actor, Status: o.status}
	return workflow.ExecuteLocalActivity(workflows.WithRecording(ctx), workflows.ActivityRecordRegion, record).Get(ctx, nil)
}

func (o *run) ready() (fleet.RegionStatus, error) {
	now := workflow.Now(o.detached)
	o.status.Phase, o.status.Step, o.status.Message, o.status.OnboardedAt = fleet.RegionReady, "", "", &now
	return o.status, o.record(o.detached)
}
