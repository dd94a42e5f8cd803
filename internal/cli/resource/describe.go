package resource

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

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

// historyShown is how many of the newest changes a description ends with.
const historyShown = 10

// DescribeOptions are the inputs of describe.
type DescribeOptions struct {
	*factory.Factory
	Kind string
	Name string
}

// NewDescribe makes the command describe.
func NewDescribe(f *factory.Factory, run func(context.Context, *DescribeOptions) error) *cobra.Command {
	options := &DescribeOptions{Factory: f}
	return &cobra.Command{
		Use:   "describe KIND NAME",
		Short: "Show all about one resource: what is wanted, what is, what belongs to it, its history",
		Example: `  fleetctl describe cluster aws-eu-central-1
  fleetctl describe rollout r-mai6jfuw7zq5c`,
		Args:              usage.Args(1, 2),
		ValidArgsFunction: complete.KindAndNames(f, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			options.Kind, options.Name = kindAndName(args)
			return run(cmd.Context(), options)
		},
	}
}

// Describe runs describe.
func Describe(ctx context.Context, options *DescribeOptions) error {
	kind, err := kinds.Lookup(options.Kind)
	switch {
	case err != nil:
		return err
	case options.Name == "":
		return failure.Usagef("want the name of a %s", strings.ToLower(string(kind.Kind)))
	case !options.Output.Tabular():
		return failure.Usagef("a description is for people").Advise("use `fleetctl get %s %s -o %s`", options.Kind, options.Name, options.Output)
	}
	client, err := options.Client()
	if err != nil {
		return err
	}
	response, err := client.Get(ctx, connect.NewRequest(&fleetv1.GetRequest{Kind: string(kind.Kind), Name: options.Name}))
	if err != nil {
		return err
	}
	history, err := client.History(ctx, connect.NewRequest(&fleetv1.HistoryRequest{Kind: string(kind.Kind), Name: options.Name}))
	if err != nil {
		return err
	}
	document(options.Streams.Out, response.Msg.GetDocument())
	if err := options.belongings(ctx, client, kind); err != nil {
		return err
	}
	return options.history(history.Msg.GetChanges())
}

// document prints a document as indented text with titles instead of keys.
func document(w io.Writer, document *structpb.Struct) {
	fields := document.AsMap()
	metadata, _ := fields["metadata"].(map[string]any)
	name := output.Scalar(metadata["name"])
	delete(metadata, "name")
	output.Head(w, name, output.Scalar(fields["kind"]), metadata)
	for _, part := range []string{"spec", "status"} {
		if fields[part] != nil {
			output.Text(w, "", map[string]any{part: fields[part]})
		}
	}
}

// belonging is a kind of resource that is shown with the one it belongs to.
type belonging struct {
	title string
	kind  fleet.Kind
	mine  func(fleet.Resource, string) (bool, error)
}

func owned(resource fleet.Resource, name string) (bool, error) {
	return resource.Metadata.Owner == name, nil
}

var belongings = map[fleet.Kind][]belonging{
	fleet.KindRollout: {{"Clusters", fleet.KindClusterChange, owned}},
	fleet.KindCluster: {
		{"Node list", fleet.KindNode, owned},
		{"Changes", fleet.KindClusterChange, func(r fleet.Resource, name string) (bool, error) {
			spec, err := fleet.SpecOf[fleet.ClusterChangeSpec](r)
			return spec.Cluster == name, err
		}},
	},
	fleet.KindRegion: {{"Clusters", fleet.KindCluster, func(r fleet.Resource, name string) (bool, error) {
		spec, err := fleet.SpecOf[fleet.ClusterSpec](r)
		return spec.Region == name, err
	}}},
}

func (o *DescribeOptions) belongings(ctx context.Context, client fleetv1connect.FleetServiceClient, kind kinds.Kind) error {
	for _, belonging := range belongings[kind.Kind] {
		response, err := client.List(ctx, connect.NewRequest(&fleetv1.ListRequest{Kind: string(belonging.kind)}))
		if err != nil {
			return err
		}
		all, err := output.Resources(response.Msg.GetDocuments())
		if err != nil {
			return err
		}
		var mine []fleet.Resource
		for _, resource := range all {
			is, err := belonging.mine(resource, o.Name)
			if err != nil {
				return err
			}
			if is {
				mine = append(mine, resource)
			}
		}
		if len(mine) == 0 {
			continue
		}
		grid, err := kinds.Of(belonging.kind).Grid(mine, o.Output == output.Wide, o.Now())
		if err != nil {
			return err
		}
		fmt.Fprintf(o.Streams.Out, "%s:\n", belonging.title)
		if err := grid.Write(o.Streams.Out, "  "); err != nil {
			return err
		}
	}
	return nil
}

func (o *DescribeOptions) history(changes []*fleetv1.Change) error {
	newest := changes[max(0, len(changes)-historyShown):]
	title := "History:"
	if len(newest) < len(changes) {
		title = fmt.Sprintf("History (newest %d of %d):", len(newest), len(changes))
	}
	fmt.Fprintln(o.Streams.Out, title)
	return historyGrid(slices.Clone(newest)).Write(o.Streams.Out, "  ")
}
