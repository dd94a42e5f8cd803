package exception

import (
	"context"
	"strings"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/cli/complete"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/cli/kinds"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/question"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// RequestOptions are the inputs of request.
type RequestOptions struct {
	*factory.Factory
	Name      string
	Rule      string
	Subject   string
	Facets    []string
	Scope     fleet.Scope
	From      string
	Until     string
	Reason    string
	Reference string
}

// NewRequest makes the command request.
func NewRequest(f *factory.Factory, run func(context.Context, *RequestOptions) error) *cobra.Command {
	options := &RequestOptions{Factory: f}
	cmd := &cobra.Command{
		Use:   "request [NAME] --rule POLICY/RULE --for SUBJECT --facet FACET --until DAY --reason TEXT",
		Short: "Ask for an exception from one rule, for one dataset or workload, until a day",
		Long: `Ask for an exception. It suspends the denial of one rule, for one dataset or
workload, some facets and some places, until a day; it never changes the rule,
and shows in every answer it touches. It is in force only after two people have
approved it who did not ask for it.`,
		Example: `  fleetctl exception request old-backup --rule eu-gdpr-transfers/adequacy --for dataset/customers --facet backup,replica --region azure/southcentralus --until 2027-03-31 --reason "moving it to Frankfurt" --reference RISK-12
  fleetctl exception request load-test --rule eu-gdpr-transfers/adequacy --for workload/checkout --facet processing --country US --from 2027-03-01 --until 2027-03-31 --reason "load test with real data"`,
		Args: usage.Args(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				options.Name = kinds.Name(fleet.KindException, args[0])
			}
			return run(cmd.Context(), options)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	options.addFlags(cmd)
	return cmd
}

func (o *RequestOptions) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.Rule, "rule", "", "the rule that denies, POLICY/RULE")
	flags.StringVar(&o.Subject, "for", "", "dataset/NAME or workload/NAME")
	flags.StringSliceVar(&o.Facets, "facet", nil, "what may be done all the same; may be repeated")
	flags.StringSliceVar(&o.Scope.Regions, "region", nil, "where; may be repeated, as the next three")
	flags.StringSliceVar(&o.Scope.Countries, "country", nil, "where: an ISO 3166-1 country")
	flags.StringSliceVar(&o.Scope.Groups, "group", nil, "where: a jurisdiction group")
	flags.StringSliceVar(&o.Scope.Providers, "provider", nil, "where: all of a provider")
	flags.StringVar(&o.From, "from", "", "first day, or an instant (default: from the second approval)")
	flags.StringVar(&o.Until, "until", "", "last day, or an instant; needed")
	flags.StringVar(&o.Reason, "reason", "", "why; needed")
	flags.StringVar(&o.Reference, "reference", "", "of the risk decision")
	usage.Filled(cmd, "facet", "region", "country", "group", "provider", "from")
	for flag, completion := range map[string]cobra.CompletionFunc{
		"rule": complete.Rules(o.Factory), "for": complete.Subject(o.Factory, fleet.KindDataset, fleet.KindWorkload),
		"facet": complete.Facets(), "region": complete.CatalogRegions(o.Factory),
		"group": complete.Flag(o.Factory, fleet.KindJurisdictionGroup), "provider": complete.Words("aws", "gcp", "azure"),
		"country": cobra.NoFileCompletions, "from": cobra.NoFileCompletions, "until": cobra.NoFileCompletions,
		"reason": cobra.NoFileCompletions, "reference": cobra.NoFileCompletions,
	} {
		_ = cmd.RegisterFlagCompletionFunc(flag, completion)
	}
}

// read makes the document, and refuses what cannot be meant.
func (o *RequestOptions) read() (fleet.ExceptionSpec, error) {
	for _, needed := range []struct{ flag, text string }{{"--rule", o.Rule}, {"--for", o.Subject}, {"--until", o.Until}, {"--reason", o.Reason}} {
		if needed.text == "" {
			return fleet.ExceptionSpec{}, failure.Usagef("is needed").At(fleet.Position{}, needed.flag)
		}
	}
	policy, rule, ok := strings.Cut(o.Rule, "/")
	if !ok || policy == "" || rule == "" {
		return fleet.ExceptionSpec{}, failure.Usagef("want POLICY/RULE, got %q", o.Rule).At(fleet.Position{}, "--rule")
	}
	subject, err := question.ParseSubject(o.Subject)
	if err != nil {
		return fleet.ExceptionSpec{}, err
	}
	if !subject.Named() {
		return fleet.ExceptionSpec{}, failure.Usagef("an exception is for one dataset or workload, not for a class").At(fleet.Position{}, "--for")
	}
	facets, err := question.ParseFacets("--facet", o.Facets)
	switch {
	case err != nil:
		return fleet.ExceptionSpec{}, err
	case len(facets) == 0:
		return fleet.ExceptionSpec{}, failure.Usagef("want at least one facet").At(fleet.Position{}, "--facet")
	case len(o.Scope.Regions)+len(o.Scope.Countries)+len(o.Scope.Groups)+len(o.Scope.Providers) == 0:
		return fleet.ExceptionSpec{}, failure.Usagef("say where: --region, --country, --group or --provider")
	}
	return fleet.ExceptionSpec{
		Policy: policy, Rule: rule, Subject: subject.Ref, Facets: facets, Scope: o.Scope,
		Period: fleet.Period{From: o.From, Until: o.Until}, Reason: o.Reason, Reference: o.Reference,
	}, question.CheckRegions("--region", o.Scope.Regions)
}

// Request runs request.
func Request(ctx context.Context, options *RequestOptions) error {
	spec, err := options.read()
	if err != nil {
		return err
	}
	document, err := output.Encode(spec)
	if err != nil {
		return err
	}
	client, err := options.Residency()
	if err != nil {
		return err
	}
	response, err := client.RequestException(ctx, connect.NewRequest(&fleetv1.RequestExceptionRequest{Name: options.Name, Spec: document}))
	if err != nil {
		return err
	}
	return tell(options.Factory, response.Msg.GetException())
}
