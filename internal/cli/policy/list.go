package policy

import (
	"context"
	"fmt"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/structpb"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/kinds"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/question"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// ListOptions are the inputs of list.
type ListOptions struct {
	*factory.Factory
	question.Moment
	Labels []string
}

// NewList makes the command list.
func NewList(f *factory.Factory, run func(context.Context, *ListOptions) error) *cobra.Command {
	options := &ListOptions{Factory: f}
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List residency policies: their version, since when it is law, and how sure it is",
		Long: `List residency policies, each in the version recorded last. With --as-of in the
version that was law then, without those that had not begun; with --known-at only
what was recorded by then.`,
		Example: `  fleetctl policy list
  fleetctl policy list -o wide --as-of 2026-03-03
  fleetctl policy list --as-of 2026-03-03 --known-at 2026-03-05`,
		Args: usage.Args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), options) },
	}
	cmd.Flags().StringArrayVarP(&options.Labels, "selector", "l", nil, "only those with label=value; may be repeated")
	options.AddFlags(cmd)
	return cmd
}

// List runs list.
func List(ctx context.Context, options *ListOptions) error {
	labels, err := usage.Labels("--selector", options.Labels)
	if err != nil {
		return err
	}
	moment, err := options.Message(options.Now())
	if err != nil {
		return err
	}
	client, err := options.Client()
	if err != nil {
		return err
	}
	response, err := client.List(ctx, connect.NewRequest(&fleetv1.ListRequest{
		Kind: string(fleet.KindResidencyPolicy), MatchLabels: labels, AsOf: moment.GetKnownAt(), TrueAt: moment.GetAsOf(),
	}))
	if err != nil {
		return err
	}
	return options.print(moment, response.Msg.GetDocuments())
}

func (o *ListOptions) print(moment *fleetv1.Moment, documents []*structpb.Struct) error {
	switch {
	case !o.Output.Tabular():
		return output.Documents(o.Streams.Out, o.Output, documents)
	case len(documents) == 0:
		fmt.Fprintln(o.Streams.Err, "No policies found.")
		return nil
	}
	resources, err := output.Resources(documents)
	if err != nil {
		return err
	}
	grid, err := kinds.Of(fleet.KindResidencyPolicy).Grid(resources, o.Output == output.Wide, o.Now())
	if err != nil {
		return err
	}
	if heading := question.Heading(moment); heading != "" {
		fmt.Fprintln(o.Streams.Out, heading)
	}
	return grid.Write(o.Streams.Out, "")
}
