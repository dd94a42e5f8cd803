package rollout

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/workflows"
)

// Rollout carries out the Rollout resource it is given. It fails, after the
// resource says why, when a wave exceeds its failure budget.
func Rollout(ctx workflow.Context, input workflows.RolloutInput) (fleet.RolloutStatus, error) {
	r, err := begin(ctx, input)
	if err != nil {
		return fleet.RolloutStatus{}, err
	}
	if err := r.prepare(); err != nil {
		return r.fail(workflows.FailureOf(err))
	}
	for number, w := range r.waves {
		r.run(w, &r.journal.status.Waves[number])
		if r.stopping() || w.exceeded() {
			break
		}
		r.rest(w, &r.journal.status.Waves[number], number == len(r.waves)-1)
	}
	return r.end()
}

// run is one execution of a rollout.
type run struct {
	input    workflows.RolloutInput
	prepared workflows.PreparedRollout
	waves    []*wave
	journal  *journal
	control  control

	work     workflow.Context // ends with an abort
	detached workflow.Context // does not
}

func begin(ctx workflow.Context, input workflows.RolloutInput) (*run, error) {
	r := &run{input: input, journal: newJournal(ctx, input.Rollout)}
	r.journal.status.Phase = fleet.PhasePlanning
	r.detached, _ = workflow.NewDisconnectedContext(ctx)
	work, cancel := workflow.WithCancel(ctx)
	r.work = work
	r.control.listen(r.detached, func() {
		if r.control.aborted {
			cancel()
		}
		r.describe()
	})
	workflow.GoNamed(r.detached, "journal", r.journal.keep)
	return r, workflow.SetQueryHandlerWithOptions(ctx, workflows.QueryProgress, func() (fleet.RolloutStatus, error) {
		return r.journal.status, nil
	}, workflow.QueryHandlerOptions{Description: "how far the rollout is, as a RolloutStatus"})
}

func (r *run) prepare() error {
	ctx := workflows.WithActivity(r.work, 15*time.Minute, 5*time.Minute)
	if err := workflow.ExecuteActivity(ctx, workflows.ActivityPrepareRollout, r.input).Get(ctx, &r.prepared); err != nil {
		return err
	}
	r.journal.status = r.prepared.Status
	r.journal.status.Phase = fleet.PhaseRunning
	r.journal.status.Waves = waveStatuses(r.prepared.Plan.Waves)
	for _, planned := range r.prepared.Plan.Waves {
		r.waves = append(r.waves, newWave(planned))
	}
	return nil
}

// run takes a wave's clusters through their changes.
func (r *run) run(w *wave, status *fleet.WaveStatus) {
	if r.awaitResume(); r.stopping() {
		return
	}
	now := workflow.Now(r.work)
	status.Phase, status.StartedAt = fleet.PhaseRunning, &now
	r.describe()
	r.confirm(w)
	for !w.over() && !r.stopping() {
		for r.admits(w) {
			for _, cluster := range w.start() {
				workflow.GoNamed(r.work, cluster, func(ctx workflow.Context) { r.change(ctx, w, status, cluster) })
			}
		}
		_ = workflow.Await(r.work, func() bool { return w.over() || r.admits(w) })
	}
	// Also after an abort: a rollout ends after the changes it started.
	_ = workflow.Await(r.detached, func() bool { return w.running == 0 })
	r.closeWave(w, status)
}

func (r *run) admits(w *wave) bool { return !r.control.paused && w.startable() }

// confirm settles the clusters that have the baseline already without a change
// of their own. One that turns out not to be as planned gets its change.
func (r *run) confirm(w *wave) {
	clusters := w.settled(r.prepared.Plan.Baseline)
	if len(clusters) == 0 {
		return
	}
	var confirmed []string
	ctx := workflows.WithActivity(r.work, 5*time.Minute, 0)
	err := workflow.ExecuteActivity(ctx, workflows.ActivityConfirmUnchanged, workflows.ConfirmInput{
		Rollout: r.input.Rollout, Baseline: r.prepared.Plan.Baseline, Clusters: clusters,
	}).Get(ctx, &confirmed)
	if err != nil {
		workflow.GetLogger(ctx).Info("clusters could not be confirmed together; each gets its change", "error", err)
	}
	w.confirm(confirmed)
}

func (r *run) change(ctx workflow.Context, w *wave, status *fleet.WaveStatus, cluster string) {
	_, err := workflows.RunChange(ctx, workflows.ChangeInput{
		Operation: r.input.Rollout, Reason: "rollout", Actor: r.actor(),
		Cluster: cluster, Baseline: r.prepared.Plan.Baseline, ReadyTimeout: r.prepared.ReadyTimeout,
	})
	switch {
	case err == nil:
		w.succeed()
	case temporal.IsCanceledError(err) && r.stopping():
		w.cancelled()
	default:
		w.fail(cluster, workflows.FailureOf(err))
	}
	w.report(status)
	r.describe()
}

func (r *run) actor() string { return workflows.RolloutID(r.input.Rollout) }

// rest is the time after a wave: its soak, and the pause it may ask for.
func (r *run) rest(w *wave, status *fleet.WaveStatus, last bool) {
	if last {
		return
	}
	if w.soak() > 0 {
		status.Phase = fleet.PhaseSoaking
		r.describe()
		_ = workflow.Sleep(r.work, w.soak())
		status.Phase = fleet.PhaseSucceeded
		r.describe()
	}
	if w.plan.Pause && !r.stopping() {
		r.control.pause(workflows.Control{Reason: "after wave " + w.plan.Name + ", as the strategy asks; resume to go on"})
		r.describe()
		r.awaitResume()
	}
}

func (r *run) awaitResume() {
	_ = workflow.Await(r.work, func() bool { return !r.control.paused })
}

// stopping reports whether an abort was asked for, by signal or by cancelling
// the workflow.
func (r *run) stopping() bool { return r.control.aborted || r.work.Err() != nil }
