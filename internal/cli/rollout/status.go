package rollout

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"connectrpc.com/connect"
	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/api/fleet/v1/fleetv1connect"
	"github.com/meridian-fleet/meridian/internal/cli/complete"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/cli/kinds"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// StatusOptions are the inputs of status.
type StatusOptions struct {
	*factory.Factory
	Rollout string
	Watch   bool
	Timeout time.Duration
}

// NewStatus makes the command status.
func NewStatus(f *factory.Factory, run func(context.Context, *StatusOptions) error) *cobra.Command {
	options := &StatusOptions{Factory: f}
	cmd := &cobra.Command{
		Use:   "status [ID]",
		Short: "Show how far a rollout is",
		Long: `Show a rollout's waves and clusters, and what holds up those that are not done.
Without an ID it is the newest rollout. With --watch it is followed to its end,
and the exit code tells how it ended.`,
		Example: `  fleetctl rollout status
  fleetctl rollout status r-mai6jfuw7zq5c --watch --timeout 30m`,
		Args:              usage.Args(0, 1),
		ValidArgsFunction: complete.Name(f, fleet.KindRollout),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				options.Rollout = kinds.Name(fleet.KindRollout, args[0])
			}
			return run(cmd.Context(), options)
		},
	}
	cmd.Flags().BoolVarP(&options.Watch, "watch", "w", false, "follow it to its end")
	cmd.Flags().DurationVar(&options.Timeout, "timeout", 0, "with --watch: at most so long (default: without end)")
	return cmd
}

// Status runs status.
func Status(ctx context.Context, options *StatusOptions) error {
	switch {
	case options.Timeout < 0:
		return failure.Usagef("want a positive time").At(fleet.Position{}, "--timeout")
	case options.Timeout > 0 && !options.Watch:
		return failure.Usagef("--timeout goes with --watch")
	}
	client, err := options.Client()
	if err != nil {
		return err
	}
	if options.Rollout == "" {
		if options.Rollout, err = newest(ctx, client); err != nil {
			return err
		}
	}
	switch {
	case options.Watch:
		return watch(ctx, options.Factory, options.Rollout, options.Timeout)
	case !options.Output.Tabular():
		return printDocument(ctx, options.Factory, client, options.Rollout)
	}
	shown := state{id: options.Rollout}
	if _, err := shown.read(ctx, client); err != nil {
		return err
	}
	shorten := brief
	if options.Output == output.Wide {
		shorten = func(message string) string { return message }
	}
	return shown.write(options.Streams.Out, options.Now(), shorten)
}

// newest finds the rollout that was ordered last.
func newest(ctx context.Context, client fleetv1connect.FleetServiceClient) (string, error) {
	response, err := client.List(ctx, connect.NewRequest(&fleetv1.ListRequest{Kind: string(fleet.KindRollout)}))
	if err != nil {
		return "", err
	}
	rollouts, err := output.Resources(response.Msg.GetDocuments())
	if err != nil {
		return "", err
	}
	var newest fleet.Metadata
	for _, rollout := range rollouts {
		at := rollout.Metadata.CreatedAt
		if newest.Name == "" || at != nil && newest.CreatedAt != nil && at.After(*newest.CreatedAt) {
			newest = rollout.Metadata
		}
	}
	if newest.Name == "" {
		return "", fleet.Errorf(fleet.ErrNotFound, "there is no rollout yet").Advise("start one with `fleetctl rollout baseline NAME@VERSION`")
	}
	return newest.Name, nil
}

// brief cuts a message to what a table has room for; -o wide has it all.
func brief(message string) string { return ansi.Truncate(message, 80, "…") }

// write prints the state for people.
func (s *state) write(w io.Writer, now time.Time, shorten func(string) string) error {
	s.writeHead(w, now)
	waves := output.NewGrid("WAVE", "PHASE", "CLUSTERS", "FAILED", "MESSAGE")
	clusters := output.NewGrid("CLUSTER", "WAVE", "PHASE", "CREATED", "CONFIGURED", "UNCHANGED", "PRUNED", "MESSAGE")
	for _, wave := range s.status.Waves {
		waves.Row(wave.Name, string(wave.Phase), fmt.Sprintf("%d/%d", wave.Succeeded, len(wave.Clusters)), strconv.Itoa(wave.Failed), shorten(s.waveMessage(wave)))
		for _, c := range s.ofWave(wave) {
			clusters.Row(c.spec.Cluster, wave.Name, string(c.status.Phase), strconv.Itoa(c.status.Created), strconv.Itoa(c.status.Configured),
				strconv.Itoa(c.status.Unchanged), strconv.Itoa(c.status.Pruned), shorten(c.status.Message))
		}
	}
	for _, grid := range []*output.Grid{waves, clusters, s.blocked()} {
		if grid.Empty() {
			continue
		}
		fmt.Fprintln(w)
		if err := grid.Write(w, ""); err != nil {
			return err
		}
	}
	return nil
}

func (s *state) writeHead(w io.Writer, now time.Time) {
	rows := [][2]string{
		{"Rollout", s.id}, {"Baseline", s.spec.Baseline}, {"Strategy", s.spec.Strategy}, {"Phase", string(s.status.Phase)},
		{"Message", s.rolloutDetail()}, {"By", s.status.RequestedBy}, {"Started", started(s.status, now)}, {"Plan hash", s.status.PlanHash},
	}
	for _, row := range rows {
		if row[1] != "" {
			fmt.Fprintf(w, "%-10s  %s\n", row[0]+":", row[1])
		}
	}
}

func started(status fleet.RolloutStatus, now time.Time) string {
	switch {
	case status.StartedAt == nil:
		return ""
	case status.FinishedAt == nil:
		return fmt.Sprintf("%s (%s ago)", output.Instant(status.StartedAt), output.Age(now, status.StartedAt))
	}
	return fmt.Sprintf("%s (took %s)", output.Instant(status.StartedAt), output.Took(status.FinishedAt.Sub(*status.StartedAt)))
}
