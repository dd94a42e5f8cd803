package drift

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/structpb"

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

// ListOptions are the inputs of list.
type ListOptions struct {
	*factory.Factory
	Clusters []string
	Check    bool
	ExitCode bool
	Timeout  time.Duration
}

// NewList makes the command list.
func NewList(f *factory.Factory, run func(context.Context, *ListOptions) error) *cobra.Command {
	options := &ListOptions{Factory: f}
	cmd := &cobra.Command{
		Use:     "list [CLUSTER…]",
		Aliases: []string{"ls"},
		Short:   "List objects that differ from the baseline",
		Long: `List the objects that differ from the baseline their cluster should have, as
the last check found them. fleetd checks by itself from time to time; --check
does it now. With -o json, yaml or name it prints the clusters that drifted.`,
		Example: `  fleetctl drift list
  fleetctl drift list --check --exit-code
  fleetctl drift list aws-eu-central-1 -o wide`,
		Args:              usage.Args(0, usage.Unlimited),
		ValidArgsFunction: complete.Names(f, fleet.KindCluster),
		RunE: func(cmd *cobra.Command, args []string) error {
			options.Clusters = kinds.Names(fleet.KindCluster, args)
			return run(cmd.Context(), options)
		},
	}
	cmd.Flags().BoolVar(&options.Check, "check", false, "check now, and wait for it")
	cmd.Flags().BoolVar(&options.ExitCode, "exit-code", false, fmt.Sprintf("end with code %d when there is drift", failure.DriftFound))
	cmd.Flags().DurationVar(&options.Timeout, "timeout", 0, "with --check: at most so long (default: without end)")
	return cmd
}

// List runs list.
func List(ctx context.Context, options *ListOptions) error {
	if err := checkTimeout(options.Timeout); err != nil {
		return err
	}
	client, err := options.Client()
	if err != nil {
		return err
	}
	if options.Check {
		err := bounded(ctx, options.Timeout, "the check", func(ctx context.Context) error {
			_, err := client.CheckDrift(ctx, connect.NewRequest(&fleetv1.CheckDriftRequest{Clusters: options.Clusters}))
			return err
		})
		if err != nil {
			return err
		}
	}
	found, err := readReports(ctx, client, options.Clusters)
	if err != nil {
		return err
	}
	if err := options.print(found); err != nil {
		return err
	}
	if options.ExitCode && found.findings() > 0 {
		return &failure.Exit{Code: failure.DriftFound}
	}
	return nil
}

// reports are what is known of clusters' drift.
type reports struct {
	drifted   []report
	clean     int
	unchecked []string
	unknown   []string // what the last check could not reach
}

type report struct {
	cluster  string
	document *structpb.Struct
	fleet.DriftReport
}

func (r reports) findings() int {
	count := 0
	for _, report := range r.drifted {
		count += len(report.Findings)
	}
	return count
}

func readReports(ctx context.Context, client fleetv1connect.FleetServiceClient, clusters []string) (reports, error) {
	response, err := client.List(ctx, connect.NewRequest(&fleetv1.ListRequest{Kind: string(fleet.KindCluster)}))
	if err != nil {
		return reports{}, err
	}
	var found reports
	known := map[string]bool{}
	for _, document := range response.Msg.GetDocuments() {
		resource, err := output.Resource(document)
		if err != nil {
			return reports{}, err
		}
		known[resource.Metadata.Name] = true
		if len(clusters) > 0 && !slices.Contains(clusters, resource.Metadata.Name) {
			continue
		}
		status, err := fleet.StatusOf[fleet.ClusterStatus](resource)
		if err != nil {
			return reports{}, err
		}
		found.add(resource.Metadata.Name, document, status)
	}
	for _, cluster := range clusters {
		if !known[cluster] {
			return reports{}, fleet.Errorf(fleet.ErrNotFound, "not in the inventory").On("Cluster " + cluster).Advise("see `fleetctl get clusters`")
		}
	}
	return found, nil
}

func (r *reports) add(cluster string, document *structpb.Struct, status fleet.ClusterStatus) {
	if status.Drift != nil && status.Drift.Message != "" {
		r.unknown = append(r.unknown, cluster+": "+status.Drift.Message)
	}
	switch {
	case status.Drift == nil || status.Drift.CheckedAt.IsZero():
		r.unchecked = append(r.unchecked, cluster)
	case len(status.Drift.Findings) == 0:
		r.clean++
	default:
		r.drifted = append(r.drifted, report{cluster, document, *status.Drift})
	}
}

func (o *ListOptions) print(found reports) error {
	if !o.Output.Tabular() {
		var documents []*structpb.Struct
		for _, report := range found.drifted {
			documents = append(documents, report.document)
		}
		return output.Documents(o.Streams.Out, o.Output, documents)
	}
	if len(found.drifted) > 0 {
		if err := o.grid(found).Write(o.Streams.Out, ""); err != nil {
			return err
		}
	}
	for _, trouble := range found.unknown {
		fmt.Fprintln(o.Streams.Err, trouble)
	}
	fmt.Fprintln(o.Streams.Out, found.total())
	return nil
}

func (o *ListOptions) grid(found reports) *output.Grid {
	titles := []string{"CLUSTER", "COMPONENT", "OBJECT", "DRIFT", "FIELDS"}
	if o.Output == output.Wide {
		titles = append(titles, "BY", "BASELINE")
	}
	grid := output.NewGrid(append(titles, "CHECKED")...)
	for _, report := range found.drifted {
		for _, finding := range report.Findings {
			row := []string{report.cluster, finding.Component, finding.Object, finding.Type, strings.Join(finding.Fields, ", ")}
			if o.Output == output.Wide {
				row = append(row, finding.Manager, report.Baseline)
			}
			grid.Row(append(row, output.Age(o.Now(), &report.CheckedAt)+" ago")...)
		}
	}
	return grid
}

// total says it in a line.
func (r reports) total() string {
	var parts []string
	if count := r.findings(); count > 0 {
		parts = append(parts, fmt.Sprintf("drift: %s in %s", counted(count, "object"), counted(len(r.drifted), "cluster")))
	}
	if r.clean > 0 {
		parts = append(parts, fmt.Sprintf("no drift in %s", counted(r.clean, "cluster")))
	}
	if len(r.unchecked) > 0 {
		parts = append(parts, fmt.Sprintf("%s never checked", counted(len(r.unchecked), "cluster")))
	}
	if len(parts) == 0 {
		return "no clusters"
	}
	return strings.Join(parts, "; ")
}

func counted(count int, noun string) string {
	if count == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", count, noun)
}
