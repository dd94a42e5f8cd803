package residency

import (
	"context"
	"fmt"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/question"
	"github.com/meridian-fleet/meridian/internal/cli/terminal"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/cli/verdict"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// AuditOptions are the inputs of audit.
type AuditOptions struct {
	*factory.Factory
	question.Moment
}

// NewAudit makes the command audit.
func NewAudit(f *factory.Factory, run func(context.Context, *AuditOptions) error) *cobra.Command {
	options := &AuditOptions{Factory: f}
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Compare every declared and discovered place with the rules",
		Long: `Compare every place where data or a workload is, declared or discovered, with the
rules, and show all that is out of line: which rules forbid it and what would be
lawful. With -o wide every place is listed, also those in line.

The exit code is 0 only when everything is in line, else 9.`,
		Example: `  fleetctl residency audit
  fleetctl residency audit -o wide
  fleetctl residency audit --as-of 2026-03-03 --known-at 2026-03-03 -o json`,
		Args: usage.Args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), options) },
	}
	options.AddFlags(cmd)
	return cmd
}

// Audit runs audit.
func Audit(ctx context.Context, options *AuditOptions) error {
	office, err := open(options.Factory, options.Moment)
	if err != nil {
		return err
	}
	response, err := office.AuditResidency(ctx, connect.NewRequest(&fleetv1.AuditResidencyRequest{Moment: office.moment}))
	if err != nil {
		return err
	}
	var report fleet.AuditReport
	if err := output.Decode(response.Msg.GetReport(), &report); err != nil {
		return err
	}
	switch options.Output {
	case output.JSON, output.YAML:
		err = output.Value(options.Streams.Out, options.Output, output.Object("AuditReport", response.Msg.GetReport().AsMap()))
	case output.Name:
		options.names(report)
	default:
		err = options.print(ctx, office, report)
	}
	if err != nil {
		return err
	}
	for _, place := range report.Places {
		if !place.Clean() {
			return &failure.Exit{Code: failure.NotLawful}
		}
	}
	return nil
}

// names lists whose places are out of line.
func (o *AuditOptions) names(report fleet.AuditReport) {
	var subjects []string
	for _, place := range report.Places {
		if !place.Clean() {
			subjects = append(subjects, whose(place.Located))
		}
	}
	for _, subject := range question.Unique(subjects) {
		fmt.Fprintln(o.Streams.Out, subject)
	}
}

func (o *AuditOptions) print(ctx context.Context, office *office, report fleet.AuditReport) error {
	atlas, err := office.atlas(ctx)
	if err != nil {
		return err
	}
	out := o.Streams.Out
	heading(out, office)
	var bad, excepted []fleet.Audited
	for _, place := range report.Places {
		switch {
		case !place.Clean():
			bad = append(bad, place)
		case usesException(place):
			excepted = append(excepted, place)
		}
	}
	if len(report.Places) == 0 {
		fmt.Fprintln(out, out.Paint(terminal.Notice, nothing(office)))
	} else {
		fmt.Fprintln(out, out.Paint(style(len(bad)), total(len(report.Places), len(bad), len(excepted))))
	}
	if err := o.remarks(ctx, office, atlas, report.Warnings); err != nil {
		return err
	}
	if o.Output == output.Wide {
		return auditGrid(atlas, report.Places).Write(out, "")
	}
	places(out, atlas, "Out of line:", bad, false)
	places(out, atlas, "In line only because of an exception:", excepted, true)
	return nil
}

// nothing says that there was nothing to audit, which is not the same as that
// everything is in line.
func nothing(office *office) string {
	text := "Nothing was audited: no place of data or of a workload"
	if known := office.moment.GetKnownAt(); known != nil {
		at := known.AsTime()
		return text + " was recorded by " + output.Instant(&at) + "."
	}
	if asOf := office.moment.GetAsOf(); asOf != nil {
		at := asOf.AsTime()
		return text + " at " + output.Instant(&at) + " is recorded."
	}
	return text + " is recorded."
}

// remarks prints the warnings that bear on data there is, and how many others
// there are.
func (o *AuditOptions) remarks(ctx context.Context, office *office, atlas verdict.Atlas, warnings []fleet.PolicyWarning) error {
	if len(warnings) == 0 {
		return nil
	}
	used, err := office.classesInUse(ctx)
	if err != nil {
		return err
	}
	bearing := verdict.Bearing(warnings, used)
	verdict.Warn(o.Streams.Err, atlas, bearing)
	if more := len(warnings) - len(bearing); more > 0 {
		fmt.Fprintf(o.Streams.Err, "%s about the policies: fleetctl policy lint FILE|DIR… with their files, or this with -o json\n", verdict.Counted(more, "more remark"))
	}
	return nil
}

func style(bad int) terminal.Style {
	if bad > 0 {
		return terminal.Bad
	}
	return terminal.Good
}

func usesException(place fleet.Audited) bool {
	for _, answer := range place.Verdicts {
		if len(answer.Exceptions) > 0 {
			return true
		}
	}
	return false
}

// total sums an audit up in a sentence.
func total(all, bad, excepted int) string {
	text := verdict.Counted(all, "place") + " audited: "
	switch bad {
	case 0:
		text += "all in line"
	case all:
		text += "all out of line"
	default:
		text += fmt.Sprintf("%d in line, %d out of line", all-bad, bad)
	}
	if excepted > 0 {
		text += fmt.Sprintf("; %d in line only because of an exception", excepted)
	}
	return text + "."
}

// places prints what is wrong with places, or excepted: a paragraph for each.
func places(out *terminal.Screen, atlas verdict.Atlas, title string, audited []fleet.Audited, allowed bool) {
	if len(audited) == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s\n", title)
	number := 0
	for _, place := range audited {
		for _, answer := range place.Verdicts {
			if answer.Allowed != allowed || allowed && len(answer.Exceptions) == 0 {
				continue
			}
			number++
			out.Say(fmt.Sprintf("  %d. ", number), atlas.Claim(answer)+".")
			out.Say("     ", known(place.Located))
			brief(out, atlas, answer)
		}
	}
}

// known says since when a place has what it has, and how that is known.
func known(place fleet.Located) string {
	text := "It is there"
	if from := since(place); from != "" {
		text += " since " + from
	}
	text += " (" + string(place.Source)
	switch {
	case place.Binding != "":
		text += ", binding " + place.Binding
	case place.Placement != "":
		text += ", placement " + place.Placement
	}
	if place.Store != "" {
		text += ", " + place.Store
	}
	return text + ")."
}

// brief names the rules that decided and what would be lawful.
func brief(out *terminal.Screen, atlas verdict.Atlas, answer fleet.Verdict) {
	verdict.Brief(out, "     ", answer)
	for _, exception := range answer.Exceptions {
		out.Say("     - ", verdict.Exception(exception))
	}
	if answer.Allowed || len(answer.Alternatives) == 0 {
		return
	}
	out.Say("     ", "Lawful would be: "+atlas.Alternative(answer.Alternatives[0]))
	for _, command := range atlas.Requests(answer, answer.Alternatives[0]) {
		fmt.Fprintf(out, "       %s\n", terminal.Clean(command))
	}
}

// auditGrid has a row for each place and facet.
func auditGrid(atlas verdict.Atlas, audited []fleet.Audited) *output.Grid {
	grid := output.NewGrid("SUBJECT", "FACET", "REGION", "PLACE", "COPY", "SINCE", "KNOWN", "ANSWER", "RULES", "STORE")
	for _, place := range audited {
		for _, answer := range place.Verdicts {
			grid.Row(whose(place.Located), string(answer.Facet), place.Region, atlas.Where(place.Region), second(place.Located),
				since(place.Located), string(place.Source), verdict.Cell(answer), joined(verdict.Deciding(answer)), place.Store)
		}
	}
	return grid
}
