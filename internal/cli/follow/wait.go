package follow

import (
	"context"
	"errors"
	"time"

	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/cli/progress"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Announce lets a display say when the daemon goes and comes.
func (f *Follower) Announce(display progress.Display) {
	f.Lost = func(err error) { display.Note(failure.Lines(err)[0] + "; waiting for it, the work goes on") }
	f.Back = func() { display.Note("") }
}

// Wait runs the follower for at most a time (zero: without end). When that is
// over, or the person interrupts, it says what goes on and how to return to it.
func (f *Follower) Wait(ctx context.Context, timeout time.Duration, what, again string) error {
	bounded := ctx
	if timeout > 0 {
		var cancel context.CancelFunc
		bounded, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	err := f.Run(bounded)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return fleet.Errorf(fleet.ErrWaiting, "interrupted; %s goes on", what).Advise("follow it with `%s`", again)
	case bounded.Err() != nil && errors.Is(err, bounded.Err()):
		return fleet.Errorf(fleet.ErrWaiting, "not done after %s; %s goes on", timeout, what).Advise("follow it with `%s`", again)
	}
	return err
}
