package rollout

import (
	"go.temporal.io/sdk/workflow"

	"github.com/meridian-fleet/meridian/workflows"
)

// control is what people asked of a rollout so far.
type control struct {
	paused  bool
	aborted bool
	by      workflows.Control // of the last pause or abort
}

func (c *control) pause(by workflows.Control) {
	if !c.aborted {
		c.paused, c.by = true, by
	}
}

func (c *control) resume() { c.paused = false }

func (c *control) abort(by workflows.Control) {
	c.aborted, c.paused, c.by = true, false, by
}

// listen obeys signals until the workflow ends; changed is called after each.
func (c *control) listen(ctx workflow.Context, changed func()) {
	orders := map[string]func(workflows.Control){
		workflows.SignalPause:  c.pause,
		workflows.SignalResume: func(workflows.Control) { c.resume() },
		workflows.SignalAbort:  c.abort,
	}
	for _, signal := range []string{workflows.SignalPause, workflows.SignalResume, workflows.SignalAbort} {
		workflow.GoNamed(ctx, signal, func(ctx workflow.Context) {
			for {
				var by workflows.Control
				workflow.GetSignalChannel(ctx, signal).Receive(ctx, &by)
				orders[signal](by)
				changed()
			}
		})
	}
}
