package cli

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Main runs fleetctl with arguments and returns its exit code.
func Main(ctx context.Context, f *factory.Factory, args []string) int {
	err := run(ctx, f, args)
	failure.Report(f.Streams.Err, err)
	return int(failure.CodeOf(err))
}

// run turns a panic into an error: it is a defect, and a person reads it.
func run(ctx context.Context, f *factory.Factory, args []string) (err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fleet.Errorf(fleet.ErrInternal, "a defect of fleetctl's own: %v", panicked).Advise("set MERIDIAN_DEBUG=1 to see where")
			if f.Getenv("MERIDIAN_DEBUG") != "" {
				fmt.Fprintf(f.Streams.Err, "%s\n", debug.Stack())
			}
		}
	}()
	root := New(f)
	root.SetArgs(args)
	started := false
	notice(root, &started)
	err = root.ExecuteContext(ctx)
	var told *fleet.Error
	if err != nil && !started && !errors.As(err, &told) {
		return failure.Usagef("%w", err)
	}
	return err
}

// notice notes that a command was started: an error before that is one in how
// it was called.
func notice(cmd *cobra.Command, started *bool) {
	if do := cmd.RunE; do != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			*started = true
			return do(cmd, args)
		}
	}
	for _, below := range cmd.Commands() {
		notice(below, started)
	}
}
