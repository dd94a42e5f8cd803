package region

import (
	"context"
	"fmt"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/cli/complete"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/kinds"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// AbortOptions are the inputs of abort.
type AbortOptions struct {
	*factory.Factory
	Region string
	Reason string
}

// NewAbort makes the command abort.
func NewAbort(f *factory.Factory, run func(context.Context, *AbortOptions) error) *cobra.Command {
	options := &AbortOptions{Factory: f}
	cmd := &cobra.Command{
		Use:   "abort NAME",
		Short: "Stop a region's onboarding and undo what it made",
		Example: `  fleetctl region abort aws/eu-central-1
  fleetctl region abort aws/eu-central-1 --reason "wrong account"`,
		Args:              usage.Args(1, 1),
		ValidArgsFunction: complete.Name(f, fleet.KindRegion),
		RunE: func(cmd *cobra.Command, args []string) error {
			options.Region = kinds.Name(fleet.KindRegion, args[0])
			return run(cmd.Context(), options)
		},
	}
	cmd.Flags().StringVar(&options.Reason, "reason", "", "why, for the history")
	return cmd
}

// Abort runs abort.
func Abort(ctx context.Context, options *AbortOptions) error {
	client, err := options.Client()
	if err != nil {
		return err
	}
	_, err = client.AbortOnboarding(ctx, connect.NewRequest(&fleetv1.AbortOnboardingRequest{Region: options.Region, Reason: options.Reason}))
	if err != nil {
		return err
	}
	name := output.NameOf(string(fleet.KindRegion), options.Region)
	if options.Output.Tabular() {
		name += " is being aborted"
	}
	fmt.Fprintln(options.Streams.Out, name)
	return nil
}
