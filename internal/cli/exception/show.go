package exception

import (
	"context"
	"fmt"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/cli/complete"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/kinds"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/question"
	"github.com/meridian-fleet/meridian/internal/cli/suggest"
	"github.com/meridian-fleet/meridian/internal/cli/terminal"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// ShowOptions are the inputs of show.
type ShowOptions struct {
	*factory.Factory
	question.Moment
	Name string
}

// NewShow makes the command show.
func NewShow(f *factory.Factory, run func(context.Context, *ShowOptions) error) *cobra.Command {
	options := &ShowOptions{Factory: f}
	cmd := &cobra.Command{
		Use:   "show NAME",
		Short: "Tell all about one exception in sentences",
		Example: `  fleetctl exception show old-backup
  fleetctl exception show old-backup --as-of 2026-03-03 -o yaml`,
		Args:              usage.Args(1, 1),
		ValidArgsFunction: complete.Name(f, fleet.KindException),
		RunE: func(cmd *cobra.Command, args []string) error {
			options.Name = kinds.Name(fleet.KindException, args[0])
			return run(cmd.Context(), options)
		},
	}
	options.AddFlags(cmd)
	return cmd
}

// Show runs show.
func Show(ctx context.Context, options *ShowOptions) error {
	moment, err := options.Message(options.Now())
	if err != nil {
		return err
	}
	client, err := options.Client()
	if err != nil {
		return err
	}
	response, err := client.Get(ctx, connect.NewRequest(&fleetv1.GetRequest{Kind: string(fleet.KindException), Name: options.Name, AsOf: moment.GetKnownAt()}))
	if err != nil {
		return suggest.Named(ctx, options.Factory, err, fleet.KindException, options.Name)
	}
	read, err := decode(response.Msg.GetDocument())
	if err != nil {
		return err
	}
	at := options.Now()
	if moment.GetAsOf() != nil {
		at = moment.GetAsOf().AsTime()
	}
	state, err := read.state(at)
	if err != nil {
		return err
	}
	if read, err = read.by(at); err != nil {
		return err
	}
	if !options.Output.Tabular() {
		document, err := read.document(response.Msg.GetDocument())
		if err != nil {
			return err
		}
		return output.Document(options.Streams.Out, options.Output, document)
	}
	if heading := question.Heading(moment); heading != "" {
		fmt.Fprintln(options.Streams.Out, heading)
	}
	for _, line := range read.sentences(state) {
		fmt.Fprintln(options.Streams.Out, terminal.Clean(line))
	}
	return nil
}

// sentences tell what an exception is and who did what about it.
func (r recorded) sentences(state string) []string {
	period := "until " + r.spec.Until
	if r.spec.From != "" {
		period = "from " + r.spec.From + " " + period
	}
	lines := []string{
		fmt.Sprintf("Exception %s: %s.", r.name, state),
		fmt.Sprintf("It suspends %s/%s for %s, %s, where: %s, %s.", r.spec.Policy, r.spec.Rule,
			kinds.Subject(r.spec.Subject), kinds.Facets(r.spec.Facets), kinds.Scope(r.spec.Scope), period),
		fmt.Sprintf("%s asked for it on %s: %s", r.status.RequestedBy, moment(r.status.RequestedAt), r.spec.Reason),
	}
	if r.spec.Reference != "" {
		lines = append(lines, "Reference: "+r.spec.Reference)
	}
	for _, approval := range r.status.Approvals {
		line := fmt.Sprintf("%s approved it on %s", approval.By, moment(approval.At))
		if approval.Comment != "" {
			line += ": " + approval.Comment
		}
		lines = append(lines, line)
	}
	if r.status.RevokedAt != "" {
		lines = append(lines, fmt.Sprintf("%s revoked it on %s: %s", r.status.RevokedBy, moment(r.status.RevokedAt), r.status.Message))
	}
	return lines
}
