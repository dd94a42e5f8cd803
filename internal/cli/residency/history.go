package residency

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/cli/complete"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/kinds"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/question"
	"github.com/meridian-fleet/meridian/internal/cli/suggest"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/cli/verdict"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency/report/reasons"
)

// HistoryOptions are the inputs of history.
type HistoryOptions struct {
	*factory.Factory
	question.Moment
	Dataset string
}

// NewHistory makes the command history.
func NewHistory(f *factory.Factory, run func(context.Context, *HistoryOptions) error) *cobra.Command {
	options := &HistoryOptions{Factory: f}
	cmd := &cobra.Command{
		Use:   "history DATASET",
		Short: "Tell where a dataset was, under which rules, and what was known when",
		Long: `Tell a dataset's history, oldest first: where it was since when, which policies
and exceptions touched it, what was decided about it; and for each when Meridian
learned it. Of each place it says whether it was lawful when the data came
there, and by which version of which policy. With --known-at only what was recorded by then; with --as-of only
what was true by then.`,
		Example: `  fleetctl residency history customers
  fleetctl residency history dataset/customers --as-of 2026-03-03 -o wide`,
		Args:              usage.Args(1, 1),
		ValidArgsFunction: complete.Name(f, fleet.KindDataset),
		RunE: func(cmd *cobra.Command, args []string) error {
			options.Dataset = kinds.Name(fleet.KindDataset, args[0])
			return run(cmd.Context(), options)
		},
	}
	options.AddFlags(cmd)
	return cmd
}

// History runs history.
func History(ctx context.Context, options *HistoryOptions) error {
	office, err := open(options.Factory, options.Moment)
	if err != nil {
		return err
	}
	response, err := office.DatasetHistory(ctx, connect.NewRequest(&fleetv1.DatasetHistoryRequest{Dataset: options.Dataset, Moment: office.moment}))
	if err != nil {
		return suggest.Named(ctx, options.Factory, err, fleet.KindDataset, options.Dataset)
	}
	documents := response.Msg.GetEvents()
	if options.Output == output.JSON || options.Output == output.YAML {
		return output.Value(options.Streams.Out, options.Output, output.List("ResidencyEventList", output.Maps(documents)))
	}
	events, err := output.DecodeAll[fleet.ResidencyEvent](documents)
	if err != nil {
		return err
	}
	if options.Output == output.Name {
		options.names(events)
		return nil
	}
	if len(events) == 0 {
		fmt.Fprintf(options.Streams.Err, "Nothing is recorded of dataset %s.\n", options.Dataset)
		return nil
	}
	heading(options.Streams.Out, office)
	return options.grid(events).Write(options.Streams.Out, "")
}

// names lists the documents that the events come from, each once.
func (o *HistoryOptions) names(events []fleet.ResidencyEvent) {
	var documents []string
	for _, event := range events {
		documents = append(documents, output.NameOf(string(event.Ref.Kind), event.Ref.Name))
	}
	for _, document := range question.Unique(documents) {
		fmt.Fprintln(o.Streams.Out, document)
	}
}

func (o *HistoryOptions) grid(events []fleet.ResidencyEvent) *output.Grid {
	titles := []string{"SINCE", "EVENT", "LAWFUL", "WHAT", "RECORDED", "BY"}
	if o.Output == output.Wide {
		titles = append(titles, "REVISION", "DOCUMENT", "REGION", "RULES")
	}
	grid := output.NewGrid(titles...)
	for _, event := range events {
		lawful := ""
		if event.Verdict != nil {
			lawful = verdict.Cell(*event.Verdict)
		}
		row := []string{day(event.From), event.Kind, lawful, event.Text + under(event.Verdict), output.Instant(&event.RecordedAt), event.RecordedBy}
		if o.Output == output.Wide {
			rules := ""
			if event.Verdict != nil {
				rules = joined(verdict.Deciding(*event.Verdict))
			}
			row = append(row, strconv.FormatInt(event.Revision, 10), kinds.Subject(event.Ref), event.Region, rules)
		}
		grid.Row(row...)
	}
	return grid
}

// day is since when something is true: a day in UTC when it is its beginning.
func day(from time.Time) string {
	switch {
	case from.IsZero():
		return "always"
	case from.Equal(from.UTC().Truncate(24 * time.Hour)):
		return from.UTC().Format(time.DateOnly)
	}
	return output.Instant(&from)
}

// under names the versions of the policies that decided about an event's
// place.
func under(judged *fleet.Verdict) string {
	if judged == nil {
		return ""
	}
	effect := fleet.EffectAllows
	if !judged.Allowed {
		effect = fleet.EffectDenies
	}
	var policies []string
	for _, group := range reasons.Grouped(reasons.Of(*judged, effect)) {
		policies = append(policies, reasons.Title(group.Policy, group.Version, ""))
	}
	if len(policies) == 0 {
		return ""
	}
	return "; by " + strings.Join(question.Unique(policies), " and ")
}
