package resource

import (
	"context"
	"strconv"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/cli/complete"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/cli/kinds"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
)

// HistoryOptions are the inputs of history.
type HistoryOptions struct {
	*factory.Factory
	Kind string
	Name string
}

// NewHistory makes the command history.
func NewHistory(f *factory.Factory, run func(context.Context, *HistoryOptions) error) *cobra.Command {
	options := &HistoryOptions{Factory: f}
	return &cobra.Command{
		Use:   "history KIND NAME",
		Short: "Show who changed what in a resource, and when",
		Long: `Show every change of a resource, oldest first, also of one that was deleted.
With -o wide each changed field has its values before and after, with -o json
or yaml each change has the whole documents.`,
		Example: `  fleetctl history region aws/eu-central-1
  fleetctl history cluster aws-eu-central-1 -o wide`,
		Args:              usage.Args(1, 2),
		ValidArgsFunction: complete.KindAndNames(f, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			options.Kind, options.Name = kindAndName(args)
			return run(cmd.Context(), options)
		},
	}
}

// History runs history.
func History(ctx context.Context, options *HistoryOptions) error {
	kind, err := kinds.Lookup(options.Kind)
	if err != nil {
		return err
	}
	if options.Name == "" {
		return failure.Usagef("want the name of a %s", strings.ToLower(string(kind.Kind)))
	}
	client, err := options.Client()
	if err != nil {
		return err
	}
	response, err := client.History(ctx, connect.NewRequest(&fleetv1.HistoryRequest{Kind: string(kind.Kind), Name: options.Name}))
	if err != nil {
		return err
	}
	changes := response.Msg.GetChanges()
	switch options.Output {
	case output.Name:
		return failure.Usagef("a history has no names").Advise("use another format than name")
	case output.JSON, output.YAML:
		return output.Value(options.Streams.Out, options.Output, historyDocument(changes))
	case output.Wide:
		return wideHistory(changes).Write(options.Streams.Out, "")
	}
	return historyGrid(changes).Write(options.Streams.Out, "")
}

func historyDocument(changes []*fleetv1.Change) any {
	items := make([]any, len(changes))
	for i, change := range changes {
		item := map[string]any{
			"revision": change.GetRevision(),
			"at":       change.GetAt().AsTime().Format(time.RFC3339Nano),
			"actor":    change.GetActor(),
			"action":   change.GetAction(),
			"ref":      map[string]any{"kind": change.GetKind(), "name": change.GetName()},
		}
		if change.GetBefore() != nil {
			item["before"] = change.GetBefore().AsMap()
		}
		if change.GetAfter() != nil {
			item["after"] = change.GetAfter().AsMap()
		}
		items[i] = item
	}
	return output.List("ChangeList", items)
}

// fieldsShown is how many changed fields a line names.
const fieldsShown = 3

// historyGrid has a row for each change.
func historyGrid(changes []*fleetv1.Change) *output.Grid {
	grid := output.NewGrid("REVISION", "TIME", "ACTOR", "ACTION", "CHANGED")
	for _, change := range changes {
		grid.Row(append(changeCells(change), summary(change))...)
	}
	return grid
}

func changeCells(change *fleetv1.Change) []string {
	at := change.GetAt().AsTime()
	return []string{strconv.FormatInt(change.GetRevision(), 10), output.Instant(&at), change.GetActor(), change.GetAction()}
}

func summary(change *fleetv1.Change) string {
	if change.GetBefore() == nil || change.GetAfter() == nil {
		return ""
	}
	fields := output.Changed(change.GetBefore(), change.GetAfter())
	var names []string
	for i, field := range fields {
		if i == fieldsShown {
			names = append(names, "and "+strconv.Itoa(len(fields)-i)+" more")
			break
		}
		names = append(names, field.Field)
	}
	return strings.Join(names, ", ")
}

// wideHistory has a row for each changed field.
func wideHistory(changes []*fleetv1.Change) *output.Grid {
	grid := output.NewGrid("REVISION", "TIME", "ACTOR", "ACTION", "FIELD", "BEFORE", "AFTER")
	for _, change := range changes {
		var fields []output.FieldChange
		if change.GetBefore() != nil && change.GetAfter() != nil {
			fields = output.Changed(change.GetBefore(), change.GetAfter())
		}
		if len(fields) == 0 {
			fields = []output.FieldChange{{}}
		}
		for _, field := range fields {
			grid.Row(append(changeCells(change), field.Field, field.Before, field.After)...)
		}
	}
	return grid
}
