package exception

import (
	"context"
	"fmt"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/structpb"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/cli/complete"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/cli/kinds"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/question"
	"github.com/meridian-fleet/meridian/internal/cli/suggest"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// ListOptions are the inputs of list.
type ListOptions struct {
	*factory.Factory
	question.Moment
	Subject string
	InForce bool
}

// NewList makes the command list.
func NewList(f *factory.Factory, run func(context.Context, *ListOptions) error) *cobra.Command {
	options := &ListOptions{Factory: f}
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List exceptions: whether they are in force, who asked, who approved, until when",
		Example: `  fleetctl exception list
  fleetctl exception list --in-force -o wide
  fleetctl exception list --for dataset/customers --as-of 2026-03-03`,
		Args: usage.Args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), options) },
	}
	cmd.Flags().StringVar(&options.Subject, "for", "", "only those for dataset/NAME or workload/NAME")
	cmd.Flags().BoolVar(&options.InForce, "in-force", false, "only those in force")
	usage.Filled(cmd, "for")
	options.AddFlags(cmd)
	_ = cmd.RegisterFlagCompletionFunc("for", complete.Subject(f, fleet.KindDataset, fleet.KindWorkload))
	return cmd
}

// listed is an exception as a list shows it.
type listed struct {
	recorded
	state    string
	document *structpb.Struct
}

// List runs list.
func List(ctx context.Context, options *ListOptions) error {
	if err := options.checkSubject(); err != nil {
		return err
	}
	moment, err := options.Message(options.Now())
	if err != nil {
		return err
	}
	client, err := options.Client()
	if err != nil {
		return err
	}
	response, err := client.List(ctx, connect.NewRequest(&fleetv1.ListRequest{Kind: string(fleet.KindException), AsOf: moment.GetKnownAt()}))
	if err != nil {
		return err
	}
	at := options.Now()
	if moment.GetAsOf() != nil {
		at = moment.GetAsOf().AsTime()
	}
	found, err := options.choose(response.Msg.GetDocuments(), at)
	if err != nil {
		return err
	}
	if heading := question.Heading(moment); heading != "" && options.Output.Tabular() && len(found) > 0 {
		fmt.Fprintln(options.Streams.Out, heading)
	}
	if len(found) == 0 {
		options.advise(ctx)
	}
	return options.print(found)
}

func (o *ListOptions) checkSubject() error {
	if o.Subject == "" {
		return nil
	}
	subject, err := question.ParseSubject(o.Subject)
	if err == nil && !subject.Named() {
		err = failure.Usagef("want dataset/NAME or workload/NAME, got %q", o.Subject).At(fleet.Position{}, "--for")
	}
	return err
}

// advise says which subject may have been meant, when there is none of the
// name. An exception outlives its subject, so this is no fault.
func (o *ListOptions) advise(ctx context.Context) {
	subject, err := question.ParseSubject(o.Subject)
	if err != nil || !subject.Named() {
		return
	}
	suggest.Say(o.Streams.Err, subject.Ref.Name, suggest.Names(ctx, o.Factory, subject.Ref.Kind), func(name string) string {
		return question.Subject{Ref: fleet.Ref{Kind: subject.Ref.Kind, Name: name}}.String()
	})
}

func (o *ListOptions) choose(documents []*structpb.Struct, at time.Time) ([]listed, error) {
	subject, _ := question.ParseSubject(o.Subject)
	var found []listed
	for _, document := range documents {
		read, err := decode(document)
		if err != nil {
			return nil, err
		}
		state, err := read.state(at)
		if err != nil {
			return nil, err
		}
		if read, err = read.by(at); err != nil {
			return nil, err
		}
		if document, err = read.document(document); err != nil {
			return nil, err
		}
		if (o.Subject == "" || read.spec.Subject == subject.Ref) && (!o.InForce || state == inForce) {
			found = append(found, listed{read, state, document})
		}
	}
	return found, nil
}

func (o *ListOptions) print(found []listed) error {
	if !o.Output.Tabular() {
		var documents []*structpb.Struct
		for _, one := range found {
			documents = append(documents, one.document)
		}
		return output.Documents(o.Streams.Out, o.Output, documents)
	}
	if len(found) == 0 {
		fmt.Fprintln(o.Streams.Err, "No exceptions found.")
		return nil
	}
	titles := []string{"NAME", "STATE", "RULE", "FOR", "FACETS", "WHERE", "UNTIL", "REQUESTED-BY", "APPROVED-BY"}
	if o.Output == output.Wide {
		titles = append(titles, "FROM", "REFERENCE", "REVOKED-BY", "REASON")
	}
	grid := output.NewGrid(titles...)
	for _, one := range found {
		row := []string{
			one.name, one.state, one.spec.Policy + "/" + one.spec.Rule, kinds.Subject(one.spec.Subject), kinds.Facets(one.spec.Facets),
			kinds.Scope(one.spec.Scope), one.spec.Until, one.status.RequestedBy, kinds.Approvers(one.status),
		}
		if o.Output == output.Wide {
			row = append(row, one.spec.From, one.spec.Reference, one.status.RevokedBy, one.spec.Reason)
		}
		grid.Row(row...)
	}
	return grid.Write(o.Streams.Out, "")
}
