package drift

import (
	"context"
	"fmt"
	"maps"
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
	"github.com/meridian-fleet/meridian/internal/cli/terminal"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// HealOptions are the inputs of heal.
type HealOptions struct {
	*factory.Factory
	Clusters []string
	Timeout  time.Duration
}

// NewHeal makes the command heal.
func NewHeal(f *factory.Factory, run func(context.Context, *HealOptions) error) *cobra.Command {
	options := &HealOptions{Factory: f}
	cmd := &cobra.Command{
		Use:   "heal [CLUSTER…]",
		Short: "Take drifted clusters back to their baselines",
		Long: `Apply to clusters again the baseline they should have, and wait for it. Without
names these are all clusters in which the last check found drift.`,
		Example: `  fleetctl drift heal
  fleetctl drift heal aws-eu-central-1 --timeout 5m`,
		Args:              usage.Args(0, usage.Unlimited),
		ValidArgsFunction: complete.Names(f, fleet.KindCluster),
		RunE: func(cmd *cobra.Command, args []string) error {
			options.Clusters = kinds.Names(fleet.KindCluster, args)
			return run(cmd.Context(), options)
		},
	}
	cmd.Flags().DurationVar(&options.Timeout, "timeout", 0, "wait at most so long (default: without end)")
	return cmd
}

// Heal runs heal.
func Heal(ctx context.Context, options *HealOptions) error {
	if err := checkTimeout(options.Timeout); err != nil {
		return err
	}
	client, err := options.Client()
	if err != nil {
		return err
	}
	var result *fleetv1.HealDriftResponse
	err = bounded(ctx, options.Timeout, "the healing", func(ctx context.Context) error {
		response, err := client.HealDrift(ctx, connect.NewRequest(&fleetv1.HealDriftRequest{Clusters: options.Clusters}))
		if err == nil {
			result = response.Msg
		}
		return err
	})
	if err != nil {
		return err
	}
	slices.Sort(result.GetHealed())
	if err := options.print(result); err != nil {
		return err
	}
	if failed := len(result.GetFailed()); failed > 0 {
		return &failure.Exit{Code: failure.Failed, Err: fmt.Errorf("%s could not be healed", counted(failed, "cluster"))}
	}
	return nil
}

func (o *HealOptions) print(result *fleetv1.HealDriftResponse) error {
	switch o.Output {
	case output.JSON, output.YAML:
		failed := map[string]string{}
		maps.Copy(failed, result.GetFailed())
		return output.Value(o.Streams.Out, o.Output, map[string]any{
			"apiVersion": fleet.APIVersion, "kind": "HealResult",
			"healed": append([]string{}, result.GetHealed()...), "failed": failed,
		})
	case output.Name:
		for _, cluster := range result.GetHealed() {
			fmt.Fprintln(o.Streams.Out, output.NameOf(string(fleet.KindCluster), cluster))
		}
		return nil
	}
	for _, cluster := range result.GetHealed() {
		fmt.Fprintf(o.Streams.Out, "cluster/%s healed\n", cluster)
	}
	for _, cluster := range slices.Sorted(maps.Keys(result.GetFailed())) {
		fmt.Fprintf(o.Streams.Out, "cluster/%s failed: %s\n", cluster, terminal.Clean(result.GetFailed()[cluster]))
	}
	if len(result.GetHealed())+len(result.GetFailed()) == 0 {
		fmt.Fprintln(o.Streams.Out, "no drift to heal")
	}
	return nil
}
