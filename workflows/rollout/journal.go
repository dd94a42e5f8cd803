package rollout

import (
	"go.temporal.io/sdk/workflow"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/workflows"
)

// journal is the one writer of a rollout's status: it writes beside the work,
// one write at a time, and whatever changed meanwhile goes into the next.
type journal struct {
	rollout string
	status  fleet.RolloutStatus
	dirty   bool
	closed  bool
	done    workflow.Future
	finish  workflow.Settable
}

func newJournal(ctx workflow.Context, rollout string) *journal {
	j := &journal{rollout: rollout}
	j.done, j.finish = workflow.NewFuture(ctx)
	return j
}

// changed asks for the status to be written.
func (j *journal) changed() { j.dirty = true }

// keep writes until close. It runs on a context that an abort does not end.
func (j *journal) keep(ctx workflow.Context) {
	for {
		err := workflow.Await(ctx, func() bool { return j.dirty || j.closed })
		if err != nil || j.closed {
			j.finish.Set(nil, err)
			return
		}
		j.dirty = false
		if err := j.write(ctx, nil); err != nil {
			workflow.GetLogger(ctx).Warn("the rollout's progress could not be recorded", "error", err)
		}
	}
}

// close stops the writer and writes the final status.
func (j *journal) close(ctx workflow.Context, skipped []string) error {
	j.closed = true
	if err := j.done.Get(ctx, nil); err != nil {
		return err
	}
	return j.write(ctx, skipped)
}

func (j *journal) write(ctx workflow.Context, skipped []string) error {
	record := workflows.RolloutRecord{Rollout: j.rollout, Status: j.status, Skipped: skipped}
	return workflow.ExecuteLocalActivity(workflows.WithRecording(ctx), workflows.ActivityRecordRollout, record).Get(ctx, nil)
}
