package rollout

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

// ControlOptions are the inputs of pause, resume and abort.
type ControlOptions struct {
	*factory.Factory
	Rollout string
	Reason  string
	Order   fleetv1.RolloutControl
	Told    string // what the person reads when it was accepted
}

// newControl makes one of them.
func newControl(f *factory.Factory, verb, short, long string, options *ControlOptions, run func(context.Context, *ControlOptions) error) *cobra.Command {
	options.Factory = f
	cmd := &cobra.Command{
		Use:   verb + " ID",
		Short: short,
		Long:  long,
		Example: fmt.Sprintf(`  fleetctl rollout %s r-mai6jfuw7zq5c
  fleetctl rollout %s r-mai6jfuw7zq5c --reason "latency in canaries"`, verb, verb),
		Args:              usage.Args(1, 1),
		ValidArgsFunction: complete.Name(f, fleet.KindRollout),
		RunE: func(cmd *cobra.Command, args []string) error {
			options.Rollout = kinds.Name(fleet.KindRollout, args[0])
			return run(cmd.Context(), options)
		},
	}
	cmd.Flags().StringVar(&options.Reason, "reason", "", "why, for the history")
	return cmd
}

// Control runs pause, resume and abort.
func Control(ctx context.Context, options *ControlOptions) error {
	client, err := options.Client()
	if err != nil {
		return err
	}
	_, err = client.ControlRollout(ctx, connect.NewRequest(&fleetv1.ControlRolloutRequest{
		Rollout: options.Rollout, Control: options.Order, Reason: options.Reason,
	}))
	if err != nil {
		return err
	}
	name := output.NameOf(string(fleet.KindRollout), options.Rollout)
	if options.Output.Tabular() {
		name += " " + options.Told
	}
	fmt.Fprintln(options.Streams.Out, name)
	return nil
}
