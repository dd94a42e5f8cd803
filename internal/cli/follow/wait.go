package follow

import (
	"context"
	"errors"
	"time"

	"github.com/meridian-fleet/meridian/internal/cli/progress"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Announce lets a display say when the daemon goes and comes.
func (f *Follower) Announce(display progress.Display) {
	f.Lost = func(error) { display.Note("fleetd does not answer; waiting for it") }
	f.Back = func() { display.Note("") }
}

// Within bounds a context to a time (zero: not at all). It is cancelled then
// and has no deadline, which a call would tell the daemon: ours is the waiting
// that ends, not the work.
func Within(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	bounded, cancel := context.WithCancel(ctx)
	if timeout <= 0 {
		return bounded, cancel
	}
	timer := time.AfterFunc(timeout, cancel)
	return bounded, func() { timer.Stop(); cancel() }
}

// Wait runs the follower for at most a time (zero: without end). When that is
// over, or the person interrupts, it says what goes on and how to return to it.
func (f *Follower) Wait(ctx context.Context, timeout time.Duration, what, again string) error {
	bounded, cancel := Within(ctx, timeout)
	defer cancel()
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
