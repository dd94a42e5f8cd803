package residency

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/meridian-fleet/meridian/internal/cli/complete"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/question"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/cli/verdict"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// ExplainOptions are the inputs of explain.
type ExplainOptions struct {
	*factory.Factory
	question.Moment
	Subject      string
	Facet        string
	Region       string
	GeoRedundant bool
	Pair         string
	Leaving      []string
}

// NewExplain makes the command explain.
func NewExplain(f *factory.Factory, run func(context.Context, *ExplainOptions) error) *cobra.Command {
	options := &ExplainOptions{Factory: f}
	cmd := &cobra.Command{
		Use:   "explain SUBJECT --facet FACET --region REGION",
		Short: "Answer one question with all that the answer rests on",
		Long: `Answer one question as check does, and show all that the answer rests on: what
the data is, what is known of the place, where the data is already, which facts
are not known, and every rule about the data's classes with its part in the
answer. The facet of a workload may be left out.`,
		Example: `  fleetctl residency explain dataset/customers --facet storage --region azure/brazilsouth
  fleetctl residency explain workload/checkout --region aws/us-east-1
  fleetctl residency explain dataset/customers --facet key --region aws/us-east-1 --as-of 2026-03-03 -o json`,
		Args:              usage.Args(1, 1),
		ValidArgsFunction: complete.Subjects(f, 1, question.SubjectKinds...),
		RunE: func(cmd *cobra.Command, args []string) error {
			options.Subject = args[0]
			return run(cmd.Context(), options)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&options.Facet, "facet", "", "what is done to the data (of a workload all that it does when left out)")
	flags.StringVar(&options.Region, "region", "", "where")
	flags.BoolVar(&options.GeoRedundant, "geo-redundant", false, "the store also has a copy in the region's replica pair")
	flags.StringVar(&options.Pair, "pair", "", "with --geo-redundant: the second region, when it is not the cloud's own pair")
	flags.StringSliceVar(&options.Leaving, "leaving", nil, "regions whose copies would be gone afterwards")
	usage.Filled(cmd, "facet", "region", "pair", "leaving")
	options.AddFlags(cmd)
	_ = cmd.RegisterFlagCompletionFunc("facet", complete.Words(question.FacetWords()...))
	for _, flag := range []string{"region", "pair", "leaving"} {
		_ = cmd.RegisterFlagCompletionFunc(flag, complete.CatalogRegions(f))
	}
	return cmd
}

// read makes the one question; check's flags are read the same way.
func (o *ExplainOptions) read() (fleet.Question, error) {
	check := CheckOptions{Subjects: []string{o.Subject}, Regions: []string{o.Region}, GeoRedundant: o.GeoRedundant, Pair: o.Pair, Leaving: o.Leaving}
	if o.Facet != "" {
		check.Facets = []string{o.Facet}
	}
	if o.Region == "" {
		return fleet.Question{}, failure.Usagef("want a region").At(fleet.Position{}, "--region")
	}
	asked, err := check.read()
	if err != nil {
		return fleet.Question{}, err
	}
	if o.Facet == "" && asked.subjects[0].Kind != fleet.KindWorkload {
		return fleet.Question{}, failure.Usagef("want a facet").At(fleet.Position{}, "--facet").
			Advise("what is done to the data, such as storage")
	}
	one := asked.subjects[0].Ask(fleet.Facet(o.Facet), o.Region)
	one.GeoRedundant, one.Pair, one.Leaving = o.GeoRedundant, o.Pair, o.Leaving
	return one, nil
}

// Explain runs explain.
func Explain(ctx context.Context, options *ExplainOptions) error {
	asked, err := options.read()
	if err != nil {
		return err
	}
	office, err := open(options.Factory, options.Moment)
	if err != nil {
		return err
	}
	answers, err := office.check(ctx, []fleet.Question{asked})
	if err != nil {
		return err
	}
	if len(answers.verdicts) != 1 {
		return fleet.Errorf(fleet.ErrInternal, "fleetd gave %d answers to one question", len(answers.verdicts))
	}
	grounds, err := office.grounds(ctx, answers.verdicts[0], options.Now())
	if err != nil {
		return err
	}
	if err := options.print(office, grounds); err != nil {
		return err
	}
	office.advise(ctx, answers.verdicts)
	if !grounds.Verdict.Allowed {
		return &failure.Exit{Code: failure.NotLawful}
	}
	return nil
}

func (o *ExplainOptions) print(office *office, grounds grounds) error {
	switch o.Output {
	case output.JSON, output.YAML:
		return output.Value(o.Streams.Out, o.Output, output.Object("Explanation", grounds.fields))
	case output.Name:
		for _, rule := range verdict.Deciding(grounds.Verdict) {
			fmt.Fprintln(o.Streams.Out, output.NameOf(string(fleet.KindResidencyPolicy), rule))
		}
		return nil
	}
	heading(o.Streams.Out, office)
	grounds.atlas.Write(o.Streams.Out, grounds.Verdict)
	return grounds.write(o.Streams.Out, o.Output == output.Wide)
}
