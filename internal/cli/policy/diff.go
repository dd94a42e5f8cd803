package policy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/cli/kinds"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/question"
	"github.com/meridian-fleet/meridian/internal/cli/resource"
	"github.com/meridian-fleet/meridian/internal/cli/terminal"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/cli/verdict"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// DiffOptions are the inputs of diff.
type DiffOptions struct {
	*factory.Factory
	question.Moment
	Paths    []string
	Delete   []string
	ExitCode bool
}

// NewDiff makes the command diff.
func NewDiff(f *factory.Factory, run func(context.Context, *DiffOptions) error) *cobra.Command {
	options := &DiffOptions{Factory: f}
	cmd := &cobra.Command{
		Use:   "diff FILE|DIR…",
		Short: "Say which datasets and workloads changed policies would make unlawful, and where",
		Long: `Compare documents in files with what is applied: which present places of datasets
and workloads would become unlawful, or lawful, and in which regions each could
no longer, or now, be. Nothing is applied. --as-of looks at a day to come: what a
rule does from its first day on.`,
		Example: `  fleetctl policy diff deploy/residency/gdpr
  fleetctl policy diff deploy/residency/gdpr/policy.yaml --as-of 2027-05-01
  fleetctl policy diff --delete jurisdictiongroup/EU-adequate --exit-code`,
		Args: usage.Args(0, usage.Unlimited),
		RunE: func(cmd *cobra.Command, args []string) error {
			options.Paths = args
			return run(cmd.Context(), options)
		},
		ValidArgsFunction: files,
	}
	cmd.Flags().StringArrayVar(&options.Delete, "delete", nil, "KIND/NAME that would be gone; may be repeated")
	cmd.Flags().BoolVar(&options.ExitCode, "exit-code", false, fmt.Sprintf("end with code %d when something present would become unlawful", failure.NotLawful))
	options.AddFlags(cmd)
	return cmd
}

// deleted reads KIND/NAME as people type it.
func deleted(words []string) ([]string, error) {
	var names []string
	for _, word := range words {
		kind, name, _ := strings.Cut(word, "/")
		known, err := kinds.Lookup(kind)
		if err != nil || name == "" {
			return nil, failure.Usagef("want KIND/NAME, got %q", word).At(fleet.Position{}, "--delete")
		}
		names = append(names, string(known.Kind)+"/"+name)
	}
	return names, nil
}

// Diff runs diff.
func Diff(ctx context.Context, options *DiffOptions) error {
	names, err := deleted(options.Delete)
	if err != nil {
		return err
	}
	if len(options.Paths)+len(names) == 0 {
		return failure.Usagef("want files or folders with documents, or --delete KIND/NAME")
	}
	sources, err := resource.Sources(options.Streams.In, options.Paths)
	if err != nil {
		return err
	}
	moment, err := options.Message(options.Now())
	if err != nil {
		return err
	}
	client, err := options.Residency()
	if err != nil {
		return err
	}
	response, err := client.DiffPolicies(ctx, connect.NewRequest(&fleetv1.DiffPoliciesRequest{Moment: moment, Sources: sources, Deleted: names}))
	if err != nil {
		return err
	}
	var diff fleet.PolicyDiff
	if err := output.Decode(response.Msg.GetDiff(), &diff); err != nil {
		return err
	}
	if options.Output.Tabular() || options.Output == output.Name {
		err = options.print(ctx, diff, moment)
	} else {
		err = output.Value(options.Streams.Out, options.Output, output.Object("PolicyDiff", response.Msg.GetDiff().AsMap()))
	}
	if err != nil {
		return err
	}
	if options.ExitCode && slices.ContainsFunc(diff.Places, worse) {
		return &failure.Exit{Code: failure.NotLawful}
	}
	return nil
}

// worse reports whether a present place would become unlawful.
func worse(place fleet.PlaceDiff) bool { return place.Before.Allowed && !place.After.Allowed }

func better(place fleet.PlaceDiff) bool { return !place.Before.Allowed && place.After.Allowed }

// other is a place whose answer stays, on other grounds.
func other(place fleet.PlaceDiff) bool { return place.Before.Allowed == place.After.Allowed }

func (o *DiffOptions) print(ctx context.Context, diff fleet.PolicyDiff, moment *fleetv1.Moment) error {
	if o.Output == output.Name {
		var subjects []string
		for _, place := range diff.Places {
			if worse(place) {
				subjects = append(subjects, kinds.Subject(place.Place.Subject))
			}
		}
		for _, subject := range question.Unique(subjects) {
			fmt.Fprintln(o.Streams.Out, subject)
		}
		return nil
	}
	regions, err := o.Catalog(ctx, nil)
	if err != nil {
		return err
	}
	atlas, err := verdict.NewAtlas(regions)
	if err != nil {
		return err
	}
	out := o.Streams.Out
	verdict.Warn(o.Streams.Err, atlas, diff.Warnings)
	if heading := question.Heading(moment); heading != "" {
		fmt.Fprintln(out, heading)
	}
	fmt.Fprintln(out, o.total(diff))
	o.places(atlas, "Would become unlawful:", diff.Places, worse)
	o.places(atlas, "Would become lawful:", diff.Places, better)
	if o.Output == output.Wide {
		o.places(atlas, "The answer stays, on other grounds:", diff.Places, other)
	}
	return o.regions(diff.Regions)
}

// total sums the difference up in a sentence.
func (o *DiffOptions) total(diff fleet.PolicyDiff) string {
	bad, good := count(diff.Places, worse), count(diff.Places, better)
	text := fmt.Sprintf("%s changed: ", plural(len(diff.Changed), "document", "documents"))
	if bad+good == 0 {
		return text + "nothing present becomes unlawful or lawful."
	}
	text += fmt.Sprintf("%s would become unlawful, %d lawful.", verdict.Counted(bad, "present place"), good)
	if bad > 0 {
		return o.Streams.Out.Paint(terminal.Bad, text)
	}
	return text
}

func count(places []fleet.PlaceDiff, which func(fleet.PlaceDiff) bool) int {
	found := 0
	for _, place := range places {
		if which(place) {
			found++
		}
	}
	return found
}

// places prints the present places of which something holds.
func (o *DiffOptions) places(atlas verdict.Atlas, title string, places []fleet.PlaceDiff, which func(fleet.PlaceDiff) bool) {
	out, number := o.Streams.Out, 0
	for _, place := range places {
		if !which(place) {
			continue
		}
		if number == 0 {
			fmt.Fprintf(out, "\n%s\n", title)
		}
		number++
		fmt.Fprintf(out, "  %d. %s.\n", number, terminal.Clean(atlas.Claim(place.After)))
		verdict.Brief(out, "     ", place.After)
		if !place.After.Allowed && len(place.After.Alternatives) > 0 {
			fmt.Fprintf(out, "     Lawful would be: %s\n", terminal.Clean(atlas.Alternative(place.After.Alternatives[0])))
		}
	}
}

// regions prints where subjects could no longer, or now, be.
func (o *DiffOptions) regions(regions []fleet.RegionsDiff) error {
	if len(regions) == 0 {
		return nil
	}
	fmt.Fprintln(o.Streams.Out, "\nRegions that are lost and won:")
	grid := output.NewGrid("SUBJECT", "FACET", "LOST", "WON", "LOST-REGIONS", "WON-REGIONS")
	for _, region := range regions {
		grid.Row(kinds.Subject(region.Subject), string(region.Facet), fmt.Sprint(len(region.Lost)), fmt.Sprint(len(region.Won)),
			o.some(region.Lost), o.some(region.Won))
	}
	return grid.Write(o.Streams.Out, "  ")
}

// regionsShown is how many regions a cell names, unless all are wanted.
const regionsShown = 4

func (o *DiffOptions) some(regions []string) string {
	if o.Output == output.Wide || len(regions) <= regionsShown {
		return strings.Join(regions, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(regions[:regionsShown], ", "), len(regions)-regionsShown)
}
