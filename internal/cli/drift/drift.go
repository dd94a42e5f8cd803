package drift

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/cli/follow"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// New makes the commands of drift.
func New(f *factory.Factory) *cobra.Command {
	return usage.Group("drift", "Find and heal what differs from the baseline", NewList(f, List), NewHeal(f, Heal))
}

// bounded calls the daemon and waits at most a time for its answer. The work
// goes on without us.
func bounded(ctx context.Context, timeout time.Duration, what string, call func(context.Context) error) error {
	within, cancel := follow.Within(ctx, timeout)
	defer cancel()
	err := call(within)
	switch {
	case err == nil || within.Err() == nil:
		return err
	case ctx.Err() != nil:
		return fleet.Errorf(fleet.ErrWaiting, "interrupted; %s goes on", what).Advise("see `fleetctl drift list`")
	}
	return fleet.Errorf(fleet.ErrWaiting, "not done after %s; %s goes on", timeout, what).Advise("see `fleetctl drift list`")
}

func checkTimeout(timeout time.Duration) error {
	if timeout < 0 {
		return failure.Usagef("want a positive time").At(fleet.Position{}, "--timeout")
	}
	return nil
}
