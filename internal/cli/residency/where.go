package residency

import (
	"context"
	"fmt"
	"strconv"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/structpb"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/cli/complete"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/question"
	"github.com/meridian-fleet/meridian/internal/cli/terminal"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/cli/verdict"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// WhereOptions are the inputs of where.
type WhereOptions struct {
	*factory.Factory
	question.Moment
	Subject      string
	Facet        string
	All          bool
	GeoRedundant bool
	Leaving      []string
}

// NewWhere makes the command where.
func NewWhere(f *factory.Factory, run func(context.Context, *WhereOptions) error) *cobra.Command {
	options := &WhereOptions{Factory: f}
	cmd := &cobra.Command{
		Use:   "where SUBJECT [--facet FACET]",
		Short: "List the regions where something may be done, best first",
		Long: `List the regions where something may be done to a dataset, a workload or any data
of a class, best first, and what ranks them. Without a facet it is where data
may be stored, or where a workload may do all that it does. With --all the other
regions come after them, with what forbids them. The exit code is 9 when nowhere
is lawful.`,
		Example: `  fleetctl residency where dataset/customers
  fleetctl residency where dataset/customers --facet key --all
  fleetctl residency where workload/checkout -o name
  fleetctl residency where class/health.fr --facet backup --as-of 2026-05-16`,
		Args:              usage.Args(1, 1),
		ValidArgsFunction: complete.Subjects(f, 1, question.SubjectKinds...),
		RunE: func(cmd *cobra.Command, args []string) error {
			options.Subject = args[0]
			return run(cmd.Context(), options)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&options.Facet, "facet", "", "what is done to the data (default: storage; of a workload all that it does)")
	flags.BoolVar(&options.All, "all", false, "also the regions where it is not allowed, with what forbids them")
	flags.BoolVar(&options.GeoRedundant, "geo-redundant", false, "the store also has a copy in the region's replica pair")
	flags.StringSliceVar(&options.Leaving, "leaving", nil, "regions whose copies would be gone afterwards")
	usage.Filled(cmd, "facet", "leaving")
	options.AddFlags(cmd)
	_ = cmd.RegisterFlagCompletionFunc("facet", complete.Words(question.FacetWords()...))
	_ = cmd.RegisterFlagCompletionFunc("leaving", complete.CatalogRegions(f))
	return cmd
}

// read makes the question, without a region.
func (o *WhereOptions) read() (fleet.Question, error) {
	subject, err := question.ParseSubject(o.Subject)
	if err != nil {
		return fleet.Question{}, err
	}
	facet := fleet.Facet(o.Facet)
	if facet == "" && subject.Kind != fleet.KindWorkload {
		facet = fleet.FacetStorage
	}
	if o.Facet != "" {
		if _, err := question.ParseFacets("--facet", []string{o.Facet}); err != nil {
			return fleet.Question{}, err
		}
	}
	asked := subject.Ask(facet, "")
	asked.GeoRedundant, asked.Leaving = o.GeoRedundant, o.Leaving
	return asked, question.CheckRegions("--leaving", o.Leaving)
}

// Where runs where.
func Where(ctx context.Context, options *WhereOptions) error {
	asked, err := options.read()
	if err != nil {
		return err
	}
	office, err := open(options.Factory, options.Moment)
	if err != nil {
		return err
	}
	document, err := output.Encode(asked, "at")
	if err != nil {
		return err
	}
	response, err := office.FindRegions(ctx, connect.NewRequest(&fleetv1.FindRegionsRequest{Moment: office.moment, Question: document, All: options.All}))
	if err != nil {
		return err
	}
	regions, err := output.DecodeAll[fleet.Possible](response.Msg.GetRegions())
	if err != nil {
		return err
	}
	if err := options.print(ctx, office, asked, regions, response.Msg.GetRegions()); err != nil {
		return err
	}
	if countAllowed(regions) == 0 {
		if err := office.whyNowhere(ctx, asked, regions); err != nil {
			return err
		}
		return &failure.Exit{Code: failure.NotLawful}
	}
	return nil
}

// whyNowhere looks whether it is a name nobody knows that makes nowhere
// lawful.
func (o *office) whyNowhere(ctx context.Context, asked fleet.Question, regions []fleet.Possible) error {
	var verdicts []fleet.Verdict
	for _, region := range regions {
		verdicts = append(verdicts, region.Verdict)
	}
	if len(regions) == 0 {
		catalog, err := o.Catalog(ctx, o.moment)
		if err != nil || len(catalog) == 0 {
			return err
		}
		asked.Region = catalog[0].Name()
		answers, err := o.check(ctx, []fleet.Question{asked})
		if err != nil {
			return err
		}
		verdicts = answers.verdicts
	}
	o.advise(ctx, verdicts)
	return nil
}

func countAllowed(regions []fleet.Possible) int {
	allowed := 0
	for _, region := range regions {
		if region.Allowed {
			allowed++
		}
	}
	return allowed
}

func (o *WhereOptions) print(ctx context.Context, office *office, asked fleet.Question, regions []fleet.Possible, documents []*structpb.Struct) error {
	switch o.Output {
	case output.JSON, output.YAML:
		return output.Value(o.Streams.Out, o.Output, output.List("PossibleRegionList", output.Maps(documents)))
	case output.Name:
		for _, region := range regions {
			if region.Allowed {
				fmt.Fprintln(o.Streams.Out, output.NameOf(string(fleet.KindRegion), region.Region))
			}
		}
		return nil
	}
	catalog, err := office.Catalog(ctx, office.moment)
	if err != nil {
		return err
	}
	atlas, err := office.atlasOf(catalog)
	if err != nil {
		return err
	}
	heading(o.Streams.Out, office)
	fmt.Fprintf(o.Streams.Out, "%s may %s %s:\n", terminal.Clean(verdict.Subject(asked)), terminal.Clean(atlas.Act(asked)),
		share(countAllowed(regions), len(catalog)))
	if len(regions) == 0 {
		fmt.Fprintln(o.Streams.Out, "See why with --all.")
		return nil
	}
	return o.grid(atlas, regions).Write(o.Streams.Out, "")
}

// share says how many regions of all, in words.
func share(allowed, all int) string {
	switch allowed {
	case 0:
		return fmt.Sprintf("none of %d regions", all)
	case all:
		return fmt.Sprintf("all %d regions, the best first", all)
	}
	return fmt.Sprintf("%d of %d regions, the best first", allowed, all)
}

func (o *WhereOptions) grid(atlas verdict.Atlas, regions []fleet.Possible) *output.Grid {
	titles := []string{"RANK", "REGION", "PLACE", "ALLOWED"}
	if o.Output == output.Wide {
		titles = append(titles, "OPERATOR", "RULES")
	}
	grid := output.NewGrid(append(titles, "WHY")...)
	for _, region := range regions {
		rank := ""
		if region.Rank > 0 {
			rank = strconv.Itoa(region.Rank)
		}
		answer := region.Verdict
		answer.Allowed = region.Allowed
		row := []string{rank, region.Region, atlas.Where(region.Region), verdict.Cell(answer)}
		if o.Output == output.Wide {
			row = append(row, region.Operator, joined(verdict.Deciding(answer)))
		}
		grid.Row(append(row, region.Why)...)
	}
	return grid
}
