package region

import (
	"context"
	"fmt"
	"slices"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/cli/complete"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/cli/kinds"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// OnboardOptions are the inputs of onboard.
type OnboardOptions struct {
	*factory.Factory
	Regions []string
	All     bool
	Wait    bool
	Timeout time.Duration
}

// NewOnboard makes the command onboard.
func NewOnboard(f *factory.Factory, run func(context.Context, *OnboardOptions) error) *cobra.Command {
	options := &OnboardOptions{Factory: f}
	cmd := &cobra.Command{
		Use:   "onboard NAME… | --all",
		Short: "Make the clusters of declared regions and install their baselines",
		Long: `Onboard declared regions: make their clusters, record what is in them, and
install the baseline a region names. A region that is onboarded is left alone;
one that failed or was aborted begins anew.

The work is done by fleetd and goes on when fleetctl ends. With --wait it is
followed to its end; the exit code tells how it ended (fleetctl help exit-codes).`,
		Example: `  fleetctl region onboard aws/eu-central-1 gcp/europe-west3 --wait
  fleetctl region onboard --all --wait --timeout 30m`,
		Args:              usage.Args(0, usage.Unlimited),
		ValidArgsFunction: complete.Names(f, fleet.KindRegion),
		RunE: func(cmd *cobra.Command, args []string) error {
			options.Regions = kinds.Names(fleet.KindRegion, args)
			return run(cmd.Context(), options)
		},
	}
	cmd.Flags().BoolVar(&options.All, "all", false, "every declared region that is not onboarded")
	cmd.Flags().BoolVarP(&options.Wait, "wait", "w", false, "follow it to its end")
	cmd.Flags().DurationVar(&options.Timeout, "timeout", 0, "with --wait: at most so long (default: without end)")
	return cmd
}

// check finds faults before anything is asked of the daemon.
func (o *OnboardOptions) check() error {
	switch {
	case o.All && len(o.Regions) > 0:
		return failure.Usagef("regions and --all do not go together")
	case !o.All && len(o.Regions) == 0:
		return failure.Usagef("want at least one region, or --all")
	case o.Timeout < 0:
		return failure.Usagef("want a positive time").At(fleet.Position{}, "--timeout")
	case o.Timeout > 0 && !o.Wait:
		return failure.Usagef("--timeout goes with --wait")
	}
	return nil
}

// Onboard runs onboard.
func Onboard(ctx context.Context, options *OnboardOptions) error {
	if err := options.check(); err != nil {
		return err
	}
	client, err := options.Client()
	if err != nil {
		return err
	}
	// What regions were before tells an old failure from a new one.
	before, err := client.List(ctx, connect.NewRequest(&fleetv1.ListRequest{Kind: string(fleet.KindRegion)}))
	if err != nil {
		return err
	}
	response, err := client.OnboardRegions(ctx, connect.NewRequest(&fleetv1.OnboardRegionsRequest{Regions: options.Regions, All: options.All}))
	if err != nil {
		return err
	}
	started, ready := response.Msg.GetStarted(), response.Msg.GetAlreadyReady()
	slices.Sort(started)
	slices.Sort(ready)
	if !options.Wait {
		return options.tell(started, ready)
	}
	waiting := newOnboarding(options, before.Msg.GetRevision(), started, ready)
	return waiting.follow(ctx)
}

// tell says what was started.
func (o *OnboardOptions) tell(started, ready []string) error {
	switch o.Output {
	case output.JSON, output.YAML:
		return output.Value(o.Streams.Out, o.Output, map[string]any{
			"apiVersion": fleet.APIVersion, "kind": "OnboardingResult",
			"started": append([]string{}, started...), "alreadyReady": append([]string{}, ready...),
		})
	case output.Name:
		for _, region := range started {
			fmt.Fprintln(o.Streams.Out, output.NameOf(string(fleet.KindRegion), region))
		}
		return nil
	}
	for _, region := range started {
		fmt.Fprintf(o.Streams.Out, "region/%s onboarding\n", region)
	}
	for _, region := range ready {
		fmt.Fprintf(o.Streams.Out, "region/%s is onboarded already\n", region)
	}
	if len(started)+len(ready) == 0 {
		fmt.Fprintln(o.Streams.Err, "No regions are declared.")
	}
	return nil
}
