package residency

import (
	"context"
	"fmt"
	"strings"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/structpb"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/cli/complete"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/question"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/cli/verdict"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// RegionsOptions are the inputs of regions.
type RegionsOptions struct {
	*factory.Factory
	question.Moment
	Provider string
	Country  string
}

// NewRegions makes the command regions.
func NewRegions(f *factory.Factory, run func(context.Context, *RegionsOptions) error) *cobra.Command {
	options := &RegionsOptions{Factory: f}
	cmd := &cobra.Command{
		Use:   "regions",
		Short: "List every region of every provider, with the facts rules can look at",
		Example: `  fleetctl residency regions
  fleetctl residency regions --provider azure -o wide
  fleetctl residency regions --country DE
  fleetctl residency regions -o wide --as-of 2026-03-03`,
		Args: usage.Args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), options) },
	}
	cmd.Flags().StringVar(&options.Provider, "provider", "", "only of this provider: aws, gcp or azure")
	cmd.Flags().StringVar(&options.Country, "country", "", "only in this ISO 3166-1 country")
	options.AddFlags(cmd)
	_ = cmd.RegisterFlagCompletionFunc("provider", complete.Words("aws", "gcp", "azure"))
	_ = cmd.RegisterFlagCompletionFunc("country", cobra.NoFileCompletions)
	return cmd
}

// Regions runs regions.
func Regions(ctx context.Context, options *RegionsOptions) error {
	office, err := open(options.Factory, options.Moment)
	if err != nil {
		return err
	}
	response, err := office.ListCatalog(ctx, connect.NewRequest(&fleetv1.ListCatalogRequest{Moment: office.moment}))
	if err != nil {
		return err
	}
	all, err := output.DecodeAll[fleet.RegionFacts](response.Msg.GetRegions())
	if err != nil {
		return err
	}
	var shown []fleet.RegionFacts
	var documents []*structpb.Struct
	for i, region := range all {
		if (options.Provider == "" || region.Provider == options.Provider) && (options.Country == "" || strings.EqualFold(region.Country, options.Country)) {
			shown, documents = append(shown, region), append(documents, response.Msg.GetRegions()[i])
		}
	}
	return options.print(office, all, shown, documents)
}

func (o *RegionsOptions) print(office *office, all, shown []fleet.RegionFacts, documents []*structpb.Struct) error {
	switch {
	case !o.Output.Tabular() && o.Output != output.Name:
		return output.Value(o.Streams.Out, o.Output, output.List("RegionFactsList", output.Maps(documents)))
	case o.Output == output.Name:
		for _, region := range shown {
			fmt.Fprintln(o.Streams.Out, output.NameOf(string(fleet.KindRegion), region.Name()))
		}
		return nil
	case len(shown) == 0:
		fmt.Fprintln(o.Streams.Err, "No regions found.")
		return nil
	}
	atlas, err := verdict.NewAtlas(all)
	if err != nil {
		return err
	}
	heading(o.Streams.Out, office)
	titles := []string{"REGION", "PLACE", "PAIR", "OPERATOR"}
	if o.Output == output.Wide {
		titles = append(titles, "PARTITION", "JURISDICTIONS", "FACTS")
	}
	grid := output.NewGrid(titles...)
	for _, region := range shown {
		row := []string{region.Name(), atlas.Where(region.Name()), region.ReplicaPair, region.Operator}
		if o.Output == output.Wide {
			row = append(row, region.Partition, joined(region.Jurisdictions), dataFacts(region.Facts))
		}
		grid.Row(row...)
	}
	return grid.Write(o.Streams.Out, "")
}
