package resource

import (
	"context"
	"fmt"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/structpb"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/verdict"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// ApplyOptions are the inputs of apply.
type ApplyOptions struct {
	*factory.Factory
	Files  []string
	DryRun bool
}

// NewApply makes the command apply.
func NewApply(f *factory.Factory, run func(context.Context, *ApplyOptions) error) *cobra.Command {
	options := &ApplyOptions{Factory: f}
	cmd := &cobra.Command{
		Use:   "apply -f FILE|DIR|- [-f …]",
		Short: "Declare resources from documents and baseline bundles, all or none",
		Long: `Declare resources from YAML or JSON documents and baseline bundles. Either all
are accepted or nothing changes; applying the same again changes nothing.

A folder is walked for *.yaml, *.yml and *.json; hidden files are left out. A
folder with a baseline.yaml is a baseline bundle: it is taken with every file
below it. A baseline's name and version never change their content; give
changed content a new version. Files with cases are left out of folders.

Policies that contradict each other, deny everything or allow everything are
applied with a warning.`,
		Example: `  fleetctl apply -f fleet/
  fleetctl apply -f regions.yaml -f baselines/platform
  fleetctl apply -f - --dry-run < regions.yaml`,
		Args: noFiles,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), options) },
	}
	cmd.Flags().StringArrayVarP(&options.Files, "file", "f", nil, "file, folder, or - for the standard input; may be repeated")
	cmd.Flags().BoolVar(&options.DryRun, "dry-run", false, "say what would change, and change nothing")
	_ = cmd.MarkFlagFilename("file", "yaml", "yml", "json")
	return cmd
}

// noFiles catches the shell's expansion of -f *.yaml.
func noFiles(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return failure.Usagef("unexpected argument %q", args[0]).Advise("name each file or folder with -f")
}

// Apply runs apply.
func Apply(ctx context.Context, options *ApplyOptions) error {
	if len(options.Files) == 0 {
		return failure.Usagef("want at least one -f FILE|DIR|-")
	}
	found := gather{stdin: options.Streams.In}
	if err := found.read(options.Files); err != nil {
		return err
	}
	client, err := options.Client()
	if err != nil {
		return err
	}
	response, err := client.Apply(ctx, connect.NewRequest(&fleetv1.ApplyRequest{
		Sources: found.sources, Bundles: found.bundles, DryRun: options.DryRun,
	}))
	if err != nil {
		return err
	}
	if err := options.warn(response.Msg.GetWarnings()); err != nil {
		return err
	}
	return options.print(response.Msg.GetOutcomes())
}

// warn says what is suspicious about the policies as they now are, before the
// outcomes, and where scripts do not take it for them.
func (o *ApplyOptions) warn(documents []*structpb.Struct) error {
	warnings := make([]fleet.PolicyWarning, len(documents))
	for i, document := range documents {
		if err := output.Decode(document, &warnings[i]); err != nil {
			return err
		}
	}
	verdict.Warn(o.Streams.Err, verdict.Atlas{}, warnings)
	return nil
}

func (o *ApplyOptions) print(outcomes []*fleetv1.Outcome) error {
	switch o.Output {
	case output.JSON, output.YAML:
		return output.Value(o.Streams.Out, o.Output, o.document(outcomes))
	case output.Name:
		for _, outcome := range outcomes {
			fmt.Fprintln(o.Streams.Out, output.NameOf(outcome.GetKind(), outcome.GetName()))
		}
		return nil
	}
	suffix := ""
	if o.DryRun {
		suffix = " (dry run)"
	}
	if len(outcomes) == 0 {
		fmt.Fprintln(o.Streams.Err, "No documents found.")
	}
	for _, outcome := range outcomes {
		fmt.Fprintf(o.Streams.Out, "%s %s%s\n", output.NameOf(outcome.GetKind(), outcome.GetName()), outcome.GetAction(), suffix)
	}
	return nil
}

func (o *ApplyOptions) document(outcomes []*fleetv1.Outcome) any {
	items := make([]any, len(outcomes))
	for i, outcome := range outcomes {
		items[i] = map[string]any{"kind": outcome.GetKind(), "name": outcome.GetName(), "action": outcome.GetAction()}
	}
	return map[string]any{"apiVersion": fleet.APIVersion, "kind": "ApplyResult", "dryRun": o.DryRun, "items": items}
}
