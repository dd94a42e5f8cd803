package exception

import (
	"context"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/cli/complete"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/kinds"
	"github.com/meridian-fleet/meridian/internal/cli/suggest"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// ApproveOptions are the inputs of approve.
type ApproveOptions struct {
	*factory.Factory
	Name    string
	Comment string
}

// NewApprove makes the command approve.
func NewApprove(f *factory.Factory, run func(context.Context, *ApproveOptions) error) *cobra.Command {
	options := &ApproveOptions{Factory: f}
	cmd := &cobra.Command{
		Use:   "approve NAME",
		Short: "Consent to an exception that somebody else asked for",
		Long: `Add your approval to an exception. It takes two approvers, who differ from each
other and from who asked for it.`,
		Example: `  fleetctl exception approve old-backup --user approver-1
  fleetctl exception approve old-backup --user approver-2 --comment "accepted until the move is over"`,
		Args:              usage.Args(1, 1),
		ValidArgsFunction: complete.Name(f, fleet.KindException),
		RunE: func(cmd *cobra.Command, args []string) error {
			options.Name = kinds.Name(fleet.KindException, args[0])
			return run(cmd.Context(), options)
		},
	}
	cmd.Flags().StringVar(&options.Comment, "comment", "", "for the record")
	return cmd
}

// Approve runs approve.
func Approve(ctx context.Context, options *ApproveOptions) error {
	client, err := options.Residency()
	if err != nil {
		return err
	}
	response, err := client.ApproveException(ctx, connect.NewRequest(&fleetv1.ApproveExceptionRequest{Name: options.Name, Comment: options.Comment}))
	if err != nil {
		return suggest.Named(ctx, options.Factory, err, fleet.KindException, options.Name)
	}
	return tell(options.Factory, response.Msg.GetException())
}
