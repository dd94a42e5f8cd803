package policy

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/cli/offline"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/question"
	"github.com/meridian-fleet/meridian/internal/cli/terminal"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/cli/verdict"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
	"github.com/meridian-fleet/meridian/internal/residency/casefile"
)

// LintOptions are the inputs of lint.
type LintOptions struct {
	*factory.Factory
	question.Moment
	Paths  []string
	Strict bool
}

// NewLint makes the command lint.
func NewLint(f *factory.Factory, run func(context.Context, *LintOptions) error) *cobra.Command {
	options := &LintOptions{Factory: f}
	cmd := &cobra.Command{
		Use:   "lint FILE|DIR…",
		Short: "Check policies, groups and classes in files, without asking fleetd",
		Long: `Read documents strictly and look for policies that contradict each other, deny
everything, allow everything, or say something that can never matter. Datasets
among the documents are used as witnesses. fleetd is not asked.

The exit code is 2 when a document has a fault; warnings end with code 1 only
with --strict.`,
		Example: `  fleetctl policy lint deploy/residency
  fleetctl policy lint deploy/residency/classes.yaml deploy/residency/groups deploy/residency/gdpr --strict
  fleetctl policy lint deploy/residency --as-of 2027-05-01 -o json`,
		Args: usage.Args(1, usage.Unlimited),
		RunE: func(cmd *cobra.Command, args []string) error {
			options.Paths = args
			return run(cmd.Context(), options)
		},
		ValidArgsFunction: files,
	}
	cmd.Flags().BoolVar(&options.Strict, "strict", false, fmt.Sprintf("end with code %d when there are warnings", failure.Failed))
	cmd.Flags().StringVar(&options.AsOf, "as-of", "", "from when on the rules are looked at: a day or RFC 3339 (default: now)")
	usage.Filled(cmd, "as-of")
	return cmd
}

// files completes arguments with files and folders.
func files(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}

// Lint runs lint.
func Lint(_ context.Context, options *LintOptions) error {
	moment, err := options.Read(options.Now())
	if err != nil {
		return err
	}
	if moment.AsOf.IsZero() {
		moment.AsOf = options.Now()
	}
	documents, err := casefile.LoadDocuments(options.Paths...)
	if err != nil {
		return invalid(err)
	}
	if len(documents) == 0 {
		return failure.Usagef("there are no documents in %s", strings.Join(options.Paths, ", ")).Advise("documents are in files that end in .yaml, .yml or .json")
	}
	warnings, atlas, err := review(documents, moment)
	if err != nil {
		return err
	}
	if err := options.print(documents, warnings, atlas); err != nil {
		return err
	}
	if options.Strict && len(warnings) > 0 {
		return &failure.Exit{Code: failure.Failed}
	}
	return nil
}

// invalid makes every fault of files, also one that is not there, one of the
// input.
func invalid(err error) error {
	if failure.CodeOf(err) == failure.Invalid {
		return err
	}
	return &failure.Exit{Code: failure.Invalid, Err: err}
}

// review looks for what is suspicious about documents from an instant on.
func review(documents []fleet.Resource, moment fleet.Moment) ([]fleet.PolicyWarning, verdict.Atlas, error) {
	regions, err := offline.Regions()
	if err != nil {
		return nil, verdict.Atlas{}, err
	}
	if regions, err = offline.WithFacts(regions, documents); err != nil {
		return nil, verdict.Atlas{}, err
	}
	atlas, err := verdict.NewAtlas(regions)
	if err != nil {
		return nil, atlas, err
	}
	book, err := residency.NewRulebook(documents)
	if err != nil {
		return nil, atlas, invalid(err)
	}
	catalog, err := residency.NewCatalog(regions)
	if err != nil {
		return nil, atlas, err
	}
	subjects, err := offline.Subjects(documents, moment.AsOf)
	if err != nil {
		return nil, atlas, err
	}
	handled, err := offline.Handled(documents)
	if err != nil {
		return nil, atlas, err
	}
	return book.Review(catalog, moment.AsOf, append(subjects, handled...)), atlas, nil
}

func (o *LintOptions) print(documents []fleet.Resource, warnings []fleet.PolicyWarning, atlas verdict.Atlas) error {
	switch o.Output {
	case output.JSON, output.YAML:
		return output.Value(o.Streams.Out, o.Output, output.List("PolicyWarningList", append([]fleet.PolicyWarning{}, warnings...)))
	case output.Name:
		for _, document := range documents {
			fmt.Fprintln(o.Streams.Out, output.NameOf(string(document.Kind), document.Metadata.Name))
		}
		return nil
	}
	verdict.Warn(o.Streams.Out, atlas, warnings)
	found := o.Streams.Out.Paint(terminal.Good, "no warnings")
	if len(warnings) > 0 {
		found = o.Streams.Out.Paint(terminal.Notice, verdict.Counted(len(warnings), "warning"))
	}
	text, err := counts(documents)
	fmt.Fprintf(o.Streams.Out, "%s: no faults, %s.\n", text, found)
	return err
}

// counts says what was read.
func counts(documents []fleet.Resource) (string, error) {
	kinds := map[fleet.Kind]int{}
	rules := 0
	for _, document := range documents {
		kinds[document.Kind]++
		if document.Kind == fleet.KindResidencyPolicy {
			policy, err := fleet.SpecOf[fleet.ResidencyPolicySpec](document)
			if err != nil {
				return "", err
			}
			rules += len(policy.Rules)
		}
	}
	parts := []string{fmt.Sprintf("%s with %s", plural(kinds[fleet.KindResidencyPolicy], "policy", "policies"), verdict.Counted(rules, "rule"))}
	for _, part := range []struct {
		fleet.Kind
		one, many string
	}{
		{fleet.KindJurisdictionGroup, "group", "groups"}, {fleet.KindDataClass, "class", "classes"},
		{fleet.KindDataset, "dataset", "datasets"}, {fleet.KindWorkload, "workload", "workloads"}, {fleet.KindException, "exception", "exceptions"},
	} {
		if kinds[part.Kind] > 0 {
			parts = append(parts, plural(kinds[part.Kind], part.one, part.many))
		}
	}
	return strings.Join(parts, ", "), nil
}

func plural(count int, one, many string) string {
	if count == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", count, many)
}
