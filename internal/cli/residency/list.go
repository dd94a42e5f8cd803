package residency

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/meridian-fleet/meridian/internal/cli/complete"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/cli/kinds"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/question"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/cli/verdict"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// ListOptions are the inputs of list.
type ListOptions struct {
	*factory.Factory
	question.Moment
	Subjects []string
	Regions  []string
}

// NewList makes the command list.
func NewList(f *factory.Factory, run func(context.Context, *ListOptions) error) *cobra.Command {
	options := &ListOptions{Factory: f}
	cmd := &cobra.Command{
		Use:     "list [SUBJECT…]",
		Aliases: []string{"ls"},
		Short:   "List where datasets and workloads are, since when, and how that is known",
		Long: `List the places of datasets and workloads: what is done there, since when, and
how it is known: declared in a document, observed in a cloud or cluster, or
attested. A dataset that is nowhere is listed without a place.`,
		Example: `  fleetctl residency list
  fleetctl residency list dataset/customers -o wide
  fleetctl residency list --region aws/us-east-1
  fleetctl residency list --as-of 2026-03-03 --known-at 2026-03-04`,
		Args:              usage.Args(0, usage.Unlimited),
		ValidArgsFunction: complete.Subjects(f, usage.Unlimited, fleet.KindDataset, fleet.KindWorkload),
		RunE: func(cmd *cobra.Command, args []string) error {
			options.Subjects = args
			return run(cmd.Context(), options)
		},
	}
	cmd.Flags().StringSliceVar(&options.Regions, "region", nil, "only what is there; may be repeated")
	usage.Filled(cmd, "region")
	options.AddFlags(cmd)
	_ = cmd.RegisterFlagCompletionFunc("region", complete.CatalogRegions(f))
	return cmd
}

// List runs list.
func List(ctx context.Context, options *ListOptions) error {
	refs, err := references(options.Subjects)
	if err != nil {
		return err
	}
	if err := question.CheckRegions("--region", options.Regions); err != nil {
		return err
	}
	office, err := open(options.Factory, options.Moment)
	if err != nil {
		return err
	}
	places, documents, err := office.located(ctx, refs...)
	if err != nil {
		return err
	}
	places, documents = options.filter(places, documents)
	if options.Output == output.JSON || options.Output == output.YAML {
		return output.Value(options.Streams.Out, options.Output, output.List("PlaceList", output.Maps(documents)))
	}
	if len(refs) == 0 && len(options.Regions) == 0 {
		if places, err = office.withNowhere(ctx, places); err != nil {
			return err
		}
	}
	if err := options.print(ctx, office, places); err != nil || len(places) > 0 {
		return err
	}
	office.adviseRegions(ctx, options.Regions)
	return nil
}

// references reads subjects that have places of their own.
func references(texts []string) ([]fleet.Ref, error) {
	subjects, err := question.ParseSubjects(texts)
	if err != nil {
		return nil, err
	}
	var refs []fleet.Ref
	for _, subject := range subjects {
		if !subject.Named() {
			return nil, failure.Usagef("want dataset/NAME or workload/NAME, got %q", subject)
		}
		refs = append(refs, subject.Ref)
	}
	return refs, nil
}

func (o *ListOptions) filter(places []fleet.Located, documents []*structpb.Struct) ([]fleet.Located, []*structpb.Struct) {
	if len(o.Regions) == 0 {
		return places, documents
	}
	var kept []fleet.Located
	var keptDocuments []*structpb.Struct
	for i, place := range places {
		if slices.Contains(o.Regions, place.Region) || slices.Contains(o.Regions, place.Pair) {
			kept, keptDocuments = append(kept, place), append(keptDocuments, documents[i])
		}
	}
	return kept, keptDocuments
}

// withNowhere adds the datasets that have no place.
func (o *office) withNowhere(ctx context.Context, places []fleet.Located) ([]fleet.Located, error) {
	datasets, err := o.resources(ctx, fleet.KindDataset)
	for _, dataset := range datasets {
		is := func(place fleet.Located) bool { return place.Subject == dataset.Ref() }
		if !slices.ContainsFunc(places, is) {
			places = append(places, fleet.Located{Subject: dataset.Ref()})
		}
	}
	return places, err
}

func (o *ListOptions) print(ctx context.Context, office *office, places []fleet.Located) error {
	if o.Output == output.Name {
		var subjects []string
		for _, place := range places {
			if place.Subject.Name != "" {
				subjects = append(subjects, kinds.Subject(place.Subject))
			}
		}
		for _, subject := range question.Unique(subjects) {
			fmt.Fprintln(o.Streams.Out, subject)
		}
		return nil
	}
	if len(places) == 0 {
		fmt.Fprintln(o.Streams.Err, "No places found.")
		return nil
	}
	atlas, err := office.atlas(ctx)
	if err != nil {
		return err
	}
	heading(o.Streams.Out, office)
	return placesGrid(atlas, places, o.Output == output.Wide).Write(o.Streams.Out, "")
}

func placesGrid(atlas verdict.Atlas, places []fleet.Located, wide bool) *output.Grid {
	titles := []string{"SUBJECT", "FACETS", "REGION", "PLACE", "COPY", "SINCE", "KNOWN"}
	if wide {
		titles = append(titles, "UNTIL", "BINDING", "STORE", "RECORDED", "BY")
	}
	grid := output.NewGrid(titles...)
	for _, place := range places {
		row := []string{whose(place), kinds.Facets(place.Facets), place.Region, atlas.Where(place.Region), second(place), since(place), string(place.Source)}
		if wide {
			row = append(row, place.Until, place.Binding+place.Placement, place.Store, output.Instant(&place.RecordedAt), place.RecordedBy)
		}
		grid.Row(row...)
	}
	return grid
}

// whose names a place's subject; data that was found may only have classes.
func whose(place fleet.Located) string {
	if place.Subject.Name != "" {
		return kinds.Subject(place.Subject)
	}
	return "class/" + strings.Join(place.Classes, ",")
}

// second is the other place of a geo-redundant store.
func second(place fleet.Located) string {
	if place.GeoRedundant && place.Pair == "" {
		return "unknown"
	}
	return place.Pair
}

// since is when a place's subject came there; it may not say.
func since(place fleet.Located) string {
	switch {
	case place.From != "":
		return place.From
	case place.RecordedAt.IsZero():
		return ""
	}
	return "before " + output.Instant(&place.RecordedAt)
}

func joined(words []string) string { return strings.Join(words, ",") }
