package rollout

import (
	"context"
	"fmt"
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

// BaselineOptions are the inputs of baseline.
type BaselineOptions struct {
	*factory.Factory
	Baseline string
	Strategy string
	Clusters []string
	Labels   []string
	PlanHash string
	Plan     bool
	Details  bool
	Watch    bool
	Wait     bool
	Timeout  time.Duration
}

// NewBaseline makes the command baseline.
func NewBaseline(f *factory.Factory, run func(context.Context, *BaselineOptions) error) *cobra.Command {
	options := &BaselineOptions{Factory: f}
	cmd := &cobra.Command{
		Use:   "baseline NAME@VERSION",
		Short: "Roll a baseline out, or plan it",
		Long: `Take clusters to a version of a baseline, in the waves of a strategy. Without
selectors these are all clusters that are ready.

With --plan nothing is changed: it says which clusters come in which wave and
how many objects each would see created, updated and deleted (with --details,
which), and ends with a hash. --plan-hash refuses to start when the plan has
changed since.

The work is done by fleetd and goes on when fleetctl ends. With --watch it is
followed to its end; the exit code tells how it ended (fleetctl help exit-codes).`,
		Example: `  fleetctl rollout baseline platform@1.1.0 --plan --details
  fleetctl rollout baseline platform@1.1.0 --strategy three-waves --watch
  fleetctl rollout baseline platform@1.1.0 -l tier=canary --wait --timeout 15m
  fleetctl rollout baseline platform@1.1.0 --cluster aws-eu-central-1 --plan-hash 5f2a9c`,
		Args:              usage.Args(1, 1),
		ValidArgsFunction: complete.Name(f, fleet.KindBaseline),
		RunE: func(cmd *cobra.Command, args []string) error {
			options.Baseline = kinds.Name(fleet.KindBaseline, args[0])
			return run(cmd.Context(), options)
		},
	}
	options.flags(cmd)
	_ = cmd.RegisterFlagCompletionFunc("strategy", complete.Flag(f, fleet.KindRolloutStrategy))
	_ = cmd.RegisterFlagCompletionFunc("cluster", complete.Flag(f, fleet.KindCluster))
	return cmd
}

func (o *BaselineOptions) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.Strategy, "strategy", "", "rollout strategy (default: three clusters, a quarter, then all)")
	flags.StringSliceVar(&o.Clusters, "cluster", nil, "only these clusters; may be repeated")
	flags.StringArrayVarP(&o.Labels, "selector", "l", nil, "only clusters with label=value; may be repeated")
	flags.StringVar(&o.PlanHash, "plan-hash", "", "start only if the plan has this hash")
	flags.BoolVar(&o.Plan, "plan", false, "say what would be done, and change nothing")
	flags.BoolVar(&o.Details, "details", false, "with --plan: list the objects (as -o wide does)")
	flags.BoolVarP(&o.Watch, "watch", "w", false, "follow it to its end")
	flags.BoolVar(&o.Wait, "wait", false, "the same as --watch")
	flags.DurationVar(&o.Timeout, "timeout", 0, "with --watch: at most so long (default: without end)")
}

func (o *BaselineOptions) waits() bool { return o.Watch || o.Wait }

func (o *BaselineOptions) check() error {
	name, version, ok := fleet.SplitBaseline(o.Baseline)
	switch {
	case !ok:
		return failure.Usagef("want NAME@VERSION, got %q", o.Baseline).Advise("see `fleetctl get baselines`")
	case o.Plan && o.waits():
		return failure.Usagef("--plan changes nothing, there is nothing to watch")
	case o.Plan && o.PlanHash != "":
		return failure.Usagef("--plan-hash is for starting %s@%s, not for --plan", name, version)
	case o.Details && !o.Plan:
		return failure.Usagef("--details goes with --plan")
	case o.Timeout < 0:
		return failure.Usagef("want a positive time").At(fleet.Position{}, "--timeout")
	case o.Timeout > 0 && !o.waits():
		return failure.Usagef("--timeout goes with --watch")
	}
	return nil
}

// Baseline runs baseline.
func Baseline(ctx context.Context, options *BaselineOptions) error {
	if err := options.check(); err != nil {
		return err
	}
	labels, err := usage.Labels("--selector", options.Labels)
	if err != nil {
		return err
	}
	order := &fleetv1.RolloutOrder{
		Baseline: options.Baseline, Strategy: options.Strategy, Clusters: options.Clusters,
		MatchLabels: labels, PlanHash: options.PlanHash,
	}
	if options.Plan {
		return options.plan(ctx, order)
	}
	return options.start(ctx, order)
}

func (o *BaselineOptions) start(ctx context.Context, order *fleetv1.RolloutOrder) error {
	client, err := o.Client()
	if err != nil {
		return err
	}
	response, err := client.StartRollout(ctx, connect.NewRequest(&fleetv1.StartRolloutRequest{Order: order}))
	if err != nil {
		return err
	}
	id := response.Msg.GetRollout()
	if o.Output.Tabular() || o.waits() {
		fmt.Fprintf(o.Progress(), "rollout/%s of %s started\n", id, order.GetBaseline())
	}
	if o.waits() {
		return watch(ctx, o.Factory, id, o.Timeout)
	}
	if o.Output.Tabular() {
		fmt.Fprintf(o.Streams.Err, "Follow it with `%s`.\n", again(id))
		return nil
	}
	return printDocument(ctx, o.Factory, client, id)
}

// again is how a person returns to a rollout.
func again(id string) string { return "fleetctl rollout status " + id + " --watch" }

func (o *BaselineOptions) plan(ctx context.Context, order *fleetv1.RolloutOrder) error {
	client, err := o.Client()
	if err != nil {
		return err
	}
	response, err := client.PlanRollout(ctx, connect.NewRequest(&fleetv1.PlanRolloutRequest{Order: order}))
	if err != nil {
		return err
	}
	var plan fleet.RolloutPlan
	if err := output.Decode(response.Msg.GetPlan(), &plan); err != nil {
		return err
	}
	switch {
	case o.Output == output.Name:
		fmt.Fprintln(o.Streams.Out, plan.Hash)
		return nil
	case !o.Output.Tabular():
		return output.Value(o.Streams.Out, o.Output, output.Object("RolloutPlan", response.Msg.GetPlan().AsMap()))
	}
	return writePlan(o.Streams.Out, plan, o.Details || o.Output == output.Wide)
}
