package residency

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/meridian-fleet/meridian/internal/cli/complete"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/cli/question"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// CheckOptions are the inputs of check.
type CheckOptions struct {
	*factory.Factory
	question.Moment
	Subjects     []string
	Facets       []string
	Regions      []string
	Matrix       bool
	AllRegions   bool
	GeoRedundant bool
	Pair         string
	Leaving      []string
}

// NewCheck makes the command check.
func NewCheck(f *factory.Factory, run func(context.Context, *CheckOptions) error) *cobra.Command {
	options := &CheckOptions{Factory: f}
	cmd := &cobra.Command{
		Use:   "check SUBJECT… [--facet FACET] [--region REGION]",
		Short: "Say whether data or a workload may be somewhere, and why",
		Long: `Say whether something may be done to data at a place. A subject is dataset/NAME,
workload/NAME, or class/NAME for any data of a class (class/A,B for data that is
both). A facet is what is done: storage, processing, key, access, backup,
replica, telemetry, metadata or transit; of a workload it may be left out, then
all that it does counts. A region is PROVIDER/ID as in the clouds, or country/XX
for people and places outside clouds.

One subject, facet and region give an answer in sentences: every rule that
decided, the facts it looked at, what has to be done besides, and what would be
lawful instead. Several give a table. Facets left out are all of them; regions
left out are those where the subject is and those the fleet declares.

Nothing is changed or recorded. The exit code is 0 when all is allowed, 9 when
something is not (fleetctl help exit-codes).`,
		Example: `  fleetctl residency check dataset/customers --facet storage --region aws/eu-central-1
  fleetctl residency check dataset/customers --facet storage --region azure/brazilsouth --geo-redundant
  fleetctl residency check workload/checkout --region gcp/europe-west3,gcp/us-east1
  fleetctl residency check class/personal.eu --facet storage,key --all-regions
  fleetctl residency check dataset/customers --facet storage --region aws/eu-west-1 --leaving aws/eu-central-1
  fleetctl residency check dataset/customers --facet storage --region aws/eu-central-1 --as-of 2026-03-03 --known-at 2026-03-05T12:00:00Z
  fleetctl residency check --matrix`,
		Args:              usage.Args(0, usage.Unlimited),
		ValidArgsFunction: complete.Subjects(f, usage.Unlimited, question.SubjectKinds...),
		RunE: func(cmd *cobra.Command, args []string) error {
			options.Subjects = args
			return run(cmd.Context(), options)
		},
	}
	options.addFlags(cmd)
	return cmd
}

func (o *CheckOptions) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&o.Facets, "facet", nil, "what is done to the data; may be repeated (default: all facets; of a workload all that it does)")
	flags.StringSliceVar(&o.Regions, "region", nil, "where; may be repeated (default: where it is, and declared regions)")
	flags.BoolVar(&o.Matrix, "matrix", false, "every dataset and workload when none is named")
	flags.BoolVar(&o.AllRegions, "all-regions", false, "every region that providers have")
	flags.BoolVar(&o.GeoRedundant, "geo-redundant", false, "the store also has a copy in the region's replica pair")
	flags.StringVar(&o.Pair, "pair", "", "with --geo-redundant: the second region, when it is not the cloud's own pair")
	flags.StringSliceVar(&o.Leaving, "leaving", nil, "regions whose copies would be gone afterwards")
	usage.Filled(cmd, "facet", "region", "pair", "leaving")
	o.AddFlags(cmd)
	_ = cmd.RegisterFlagCompletionFunc("facet", complete.Facets())
	for _, flag := range []string{"region", "pair", "leaving"} {
		_ = cmd.RegisterFlagCompletionFunc(flag, complete.CatalogRegions(o.Factory))
	}
}

// asked is what the flags ask, read before the daemon is.
type asked struct {
	subjects []question.Subject
	facets   []fleet.Facet
}

func (o *CheckOptions) read() (asked, error) {
	subjects, err := question.ParseSubjects(o.Subjects)
	if err != nil {
		return asked{}, err
	}
	facets, err := question.ParseFacets("--facet", o.Facets)
	if err != nil {
		return asked{}, err
	}
	switch {
	case len(subjects) == 0 && !o.Matrix:
		return asked{}, failure.Usagef("want dataset/NAME, workload/NAME or class/NAME, or --matrix for all of them")
	case len(o.Regions) > 0 && o.AllRegions:
		return asked{}, failure.Usagef("--region and --all-regions do not go together")
	case o.Pair != "" && !o.GeoRedundant:
		return asked{}, failure.Usagef("--pair goes with --geo-redundant")
	}
	for flag, regions := range map[string][]string{"--region": o.Regions, "--leaving": o.Leaving} {
		if err := question.CheckRegions(flag, regions); err != nil {
			return asked{}, err
		}
	}
	if o.Pair != "" {
		err = question.CheckRegions("--pair", []string{o.Pair})
	}
	return asked{subjects, facets}, err
}

// Check runs check.
func Check(ctx context.Context, options *CheckOptions) error {
	asked, err := options.read()
	if err != nil {
		return err
	}
	office, err := open(options.Factory, options.Moment)
	if err != nil {
		return err
	}
	catalog, err := office.Catalog(ctx, office.moment)
	if err != nil {
		return err
	}
	if len(asked.subjects) == 0 {
		if asked.subjects, err = office.everybody(ctx); err != nil {
			return err
		}
	}
	regions, err := options.regions(ctx, office, asked.subjects, catalog)
	if err != nil {
		return err
	}
	var all []subjectAnswers
	for _, subject := range asked.subjects {
		answers, err := office.check(ctx, options.questions(subject, asked.facets, regions))
		if err != nil {
			return err
		}
		all = append(all, subjectAnswers{subject, answers})
	}
	if len(all) == 0 {
		fmt.Fprintln(options.Streams.Err, "No datasets and no workloads found.")
	}
	if err := options.print(office, catalog, all); err != nil {
		return err
	}
	for _, one := range all {
		office.advise(ctx, one.verdicts)
	}
	return conclude(all)
}

// questions are those about one subject: each facet in each region.
func (o *CheckOptions) questions(subject question.Subject, facets []fleet.Facet, regions []string) []fleet.Question {
	switch {
	case len(facets) > 0:
	case subject.Kind == fleet.KindWorkload:
		facets = []fleet.Facet{""}
	default:
		facets = fleet.Facets
	}
	var questions []fleet.Question
	for _, region := range regions {
		for _, facet := range facets {
			asked := subject.Ask(facet, region)
			asked.GeoRedundant, asked.Pair, asked.Leaving = o.GeoRedundant, o.Pair, o.Leaving
			questions = append(questions, asked)
		}
	}
	return questions
}

// regions are those the flags name, or those in use.
func (o *CheckOptions) regions(ctx context.Context, office *office, subjects []question.Subject, catalog []fleet.RegionFacts) ([]string, error) {
	if len(o.Regions) > 0 {
		return question.Unique(o.Regions), nil
	}
	var regions []string
	if o.AllRegions {
		for _, region := range catalog {
			regions = append(regions, region.Name())
		}
		return regions, nil
	}
	regions, err := office.inUse(ctx, subjects)
	if err == nil && len(regions) == 0 && len(subjects) > 0 {
		return nil, failure.Usagef("the data is nowhere, and the fleet declares no region").Advise("name one with --region, or say --all-regions")
	}
	return regions, err
}
