package resource

import (
	"context"
	"fmt"
	"strings"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/cli/complete"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/cli/kinds"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
)

// GetOptions are the inputs of get.
type GetOptions struct {
	*factory.Factory
	Kind   string
	Name   string
	Labels []string
	Owner  string
	AsOf   string
}

// NewGet makes the command get.
func NewGet(f *factory.Factory, run func(context.Context, *GetOptions) error) *cobra.Command {
	options := &GetOptions{Factory: f}
	cmd := &cobra.Command{
		Use:   "get KIND [NAME]",
		Short: "Show resources",
		Long:  "Show the resources of a kind, or one of them.\n\nKinds (and short names):\n" + kinds.Help(),
		Example: `  fleetctl get clusters
  fleetctl get region aws/eu-central-1 -o yaml
  fleetctl get clusters -l tier=canary -o wide
  fleetctl get nodes --owner aws-eu-central-1
  fleetctl get clusters --as-of 24h`,
		Args:              usage.Args(1, 2),
		ValidArgsFunction: complete.KindAndNames(f, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			options.Kind, options.Name = kindAndName(args)
			return run(cmd.Context(), options)
		},
	}
	cmd.Flags().StringVar(&options.Owner, "owner", "", "only those that belong to the named resource, as nodes to a cluster")
	options.addFilters(cmd)
	return cmd
}

func (o *GetOptions) addFilters(cmd *cobra.Command) {
	cmd.Flags().StringArrayVarP(&o.Labels, "selector", "l", nil, "only those with label=value; may be repeated")
	cmd.Flags().StringVar(&o.AsOf, "as-of", "", "as it was at a time (RFC 3339 or a day), or so long ago (90m)")
	usage.Filled(cmd, "as-of")
}

// kindAndName also reads KIND/NAME, as -o name writes it.
func kindAndName(args []string) (kind, name string) {
	if len(args) == 2 {
		if known, err := kinds.Lookup(args[0]); err == nil {
			return args[0], kinds.Name(known.Kind, args[1])
		}
		return args[0], args[1]
	}
	kind, name, _ = strings.Cut(args[0], "/")
	return kind, name
}

// Get runs get.
func Get(ctx context.Context, options *GetOptions) error {
	kind, err := kinds.Lookup(options.Kind)
	if err != nil {
		return err
	}
	labels, err := usage.Labels("--selector", options.Labels)
	if err != nil {
		return err
	}
	if options.Name != "" && (len(labels) > 0 || options.Owner != "") {
		return failure.Usagef("a name and a selector do not go together")
	}
	asOf, err := options.asOf()
	if err != nil {
		return err
	}
	if options.Name != "" {
		return options.one(ctx, kind, asOf)
	}
	return options.list(ctx, kind, &fleetv1.ListRequest{Kind: string(kind.Kind), MatchLabels: labels, Owner: options.Owner, AsOf: asOf})
}

func (o *GetOptions) asOf() (*timestamppb.Timestamp, error) {
	if o.AsOf == "" {
		return nil, nil
	}
	at, err := usage.Instant("--as-of", o.AsOf, o.Now())
	return timestamppb.New(at), err
}

func (o *GetOptions) one(ctx context.Context, kind kinds.Kind, asOf *timestamppb.Timestamp) error {
	client, err := o.Client()
	if err != nil {
		return err
	}
	response, err := client.Get(ctx, connect.NewRequest(&fleetv1.GetRequest{Kind: string(kind.Kind), Name: o.Name, AsOf: asOf}))
	if err != nil {
		return err
	}
	document := response.Msg.GetDocument()
	if !o.Output.Tabular() {
		return output.Document(o.Streams.Out, o.Output, document)
	}
	return o.table(kind, []*structpb.Struct{document})
}

func (o *GetOptions) list(ctx context.Context, kind kinds.Kind, request *fleetv1.ListRequest) error {
	client, err := o.Client()
	if err != nil {
		return err
	}
	response, err := client.List(ctx, connect.NewRequest(request))
	if err != nil {
		return err
	}
	documents := response.Msg.GetDocuments()
	switch {
	case !o.Output.Tabular():
		return output.Documents(o.Streams.Out, o.Output, documents)
	case len(documents) == 0:
		fmt.Fprintf(o.Streams.Err, "No %s found.\n", kind.Plural)
		return nil
	}
	return o.table(kind, documents)
}

func (o *GetOptions) table(kind kinds.Kind, documents []*structpb.Struct) error {
	resources, err := output.Resources(documents)
	if err != nil {
		return err
	}
	grid, err := kind.Grid(resources, o.Output == output.Wide, o.Now())
	if err != nil {
		return err
	}
	return grid.Write(o.Streams.Out, "")
}
