package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// The exit codes.
const (
	exitFailed  = 1
	exitInvalid = 2
)

// Execute runs fleetd with the arguments and returns its exit code. The first
// interrupt asks for an orderly stop; a second one ends the process at once.
func Execute(arguments []string, stdout, stderr io.Writer) int {
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer restore()
	context.AfterFunc(ctx, restore)
	root := newRoot()
	root.SetArgs(arguments)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	for _, line := range lines(err) {
		fmt.Fprintln(stderr, "fleetd:", line)
	}
	switch {
	case err == nil:
		return 0
	case errors.Is(err, fleet.ErrInvalid):
		return exitInvalid
	}
	return exitFailed
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "fleetd",
		Short: "Meridian's control plane",
		Long: `fleetd keeps one Kubernetes platform alive in many regions.

Exit codes: 0 stopped in order, 1 failed, 2 invalid flags or configuration.`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fleet.Errorf(fleet.ErrInvalid, "%w", err) })
	root.AddCommand(newDev(), newServe(), newSandbox(), newVersion())
	return root
}

// noArguments refuses arguments as invalid input.
func noArguments(command *cobra.Command, arguments []string) error {
	if len(arguments) > 0 {
		return fleet.Errorf(fleet.ErrInvalid, "%s takes no argument, got %q", command.CommandPath(), arguments[0])
	}
	return nil
}

// lines gives each fault of an error a line.
func lines(err error) []string {
	if err == nil {
		return nil
	}
	var joined interface{ Unwrap() []error }
	if _, single := err.(*fleet.Error); single || !errors.As(err, &joined) { //nolint:errorlint // the tree is walked node by node
		return []string{err.Error()}
	}
	var all []string
	for _, one := range joined.Unwrap() {
		all = append(all, lines(one)...)
	}
	return all
}
