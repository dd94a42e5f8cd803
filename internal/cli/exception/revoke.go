package exception

import (
	"context"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/cli/complete"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/cli/kinds"
	"github.com/meridian-fleet/meridian/internal/cli/suggest"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// RevokeOptions are the inputs of revoke.
type RevokeOptions struct {
	*factory.Factory
	Name   string
	Reason string
}

// NewRevoke makes the command revoke.
func NewRevoke(f *factory.Factory, run func(context.Context, *RevokeOptions) error) *cobra.Command {
	options := &RevokeOptions{Factory: f}
	cmd := &cobra.Command{
		Use:   "revoke NAME --reason TEXT",
		Short: "End an exception now",
		Example: `  fleetctl exception revoke old-backup --reason "the move is over"
  fleetctl exception revoke load-test --reason "asked for by mistake" -o json`,
		Args:              usage.Args(1, 1),
		ValidArgsFunction: complete.Name(f, fleet.KindException),
		RunE: func(cmd *cobra.Command, args []string) error {
			options.Name = kinds.Name(fleet.KindException, args[0])
			return run(cmd.Context(), options)
		},
	}
	cmd.Flags().StringVar(&options.Reason, "reason", "", "why; needed")
	return cmd
}

// Revoke runs revoke.
func Revoke(ctx context.Context, options *RevokeOptions) error {
	if options.Reason == "" {
		return failure.Usagef("is needed").At(fleet.Position{}, "--reason")
	}
	client, err := options.Residency()
	if err != nil {
		return err
	}
	response, err := client.RevokeException(ctx, connect.NewRequest(&fleetv1.RevokeExceptionRequest{Name: options.Name, Reason: options.Reason}))
	if err != nil {
		return suggest.Named(ctx, options.Factory, err, fleet.KindException, options.Name)
	}
	return tell(options.Factory, response.Msg.GetException())
}
