package residency

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/cli/offline"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/terminal"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/cli/verdict"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency/casefile"
)

// TestOptions are the inputs of test.
type TestOptions struct {
	*factory.Factory
	Paths    []string
	Complete bool
}

// NewTest makes the command test, which two nouns have.
func NewTest(f *factory.Factory, noun string, run func(context.Context, *TestOptions) error) *cobra.Command {
	options := &TestOptions{Factory: f}
	cmd := &cobra.Command{
		Use:   "test DIR|FILE…",
		Short: "Run case files, and list the rules that no case exercises, without asking fleetd",
		Long: `Run every case file below a folder: situations and the verdicts they must have.
Documents in the other files beside them are read with them (docs/residency.md
has the format). Rules that no case exercises are listed.

fleetd is not asked, and no connection is made. The exit code is 1 when a case
fails, and 2 when a file cannot be read.`,
		Example: fmt.Sprintf(`  fleetctl %[1]s test deploy/residency
  fleetctl %[1]s test deploy/residency --complete
  fleetctl %[1]s test deploy/residency/gdpr/cases.yaml -o wide`, noun),
		Args: usage.Args(1, usage.Unlimited),
		RunE: func(cmd *cobra.Command, args []string) error {
			options.Paths = args
			return run(cmd.Context(), options)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveDefault
		},
	}
	cmd.Flags().BoolVar(&options.Complete, "complete", false, "also fail when no case exercises a rule")
	return cmd
}

// Test runs test.
func Test(_ context.Context, options *TestOptions) error {
	suite, err := casefile.Load(options.Paths...)
	if err != nil {
		// A file that is not there is a fault of the input as well.
		return &failure.Exit{Code: failure.Invalid, Err: err}
	}
	regions, err := offline.Regions()
	if err != nil {
		return err
	}
	result, err := suite.Run(regions)
	if err != nil {
		return err
	}
	if err := options.print(result); err != nil {
		return err
	}
	if !result.Passed || options.Complete && len(result.Unexercised()) > 0 {
		return &failure.Exit{Code: failure.Failed}
	}
	return nil
}

func (o *TestOptions) print(result *casefile.Result) error {
	switch o.Output {
	case output.JSON, output.YAML:
		return output.Value(o.Streams.Out, o.Output, map[string]any{
			"apiVersion": fleet.APIVersion, "kind": "CaseResult", "result": result,
		})
	case output.Name:
		for _, one := range result.Cases {
			if !one.Passed {
				fmt.Fprintln(o.Streams.Out, one.Name)
			}
		}
		return nil
	}
	for _, one := range result.Cases {
		o.one(one)
	}
	out := o.Streams.Out
	verdictOf := out.Paint(terminal.Good, "all passed")
	if result.Failed > 0 {
		verdictOf = out.Paint(terminal.Bad, fmt.Sprintf("%d failed", result.Failed))
	}
	fmt.Fprintf(out, "%s with %s: %s.\n", verdict.Counted(len(result.Cases), "case"), verdict.Counted(result.Questions, "question"), verdictOf)
	return o.coverage(result)
}

// one prints a case that failed; with -o wide every case.
func (o *TestOptions) one(one casefile.CaseResult) {
	out := o.Streams.Out
	if one.Passed {
		if o.Output == output.Wide {
			fmt.Fprintf(out, "%s %s: %s\n", out.Paint(terminal.Good, "passed"), one.Position, terminal.Clean(one.Name))
		}
		return
	}
	fmt.Fprintf(out, "%s %s: %s\n", out.Paint(terminal.Bad, "FAILED"), one.Position, terminal.Clean(one.Name))
	for _, difference := range one.Differences {
		what := difference.Region
		if difference.Facet != "" {
			what = string(difference.Facet) + " in " + difference.Region
		}
		fmt.Fprintf(out, "  %s: %s\n", terminal.Clean(what), terminal.Clean(difference.Text))
		for _, reason := range difference.Reasons {
			fmt.Fprintf(out, "    - %s\n", terminal.Clean(reason))
		}
	}
}

// coverage says which rules no case exercises; with -o wide what cases do to
// each rule.
func (o *TestOptions) coverage(result *casefile.Result) error {
	missing := len(result.Unexercised())
	fmt.Fprintf(o.Streams.Out, "%d of %s exercised.\n", len(result.Coverage)-missing, verdict.Counted(len(result.Coverage), "rule"))
	if o.Output == output.Wide {
		grid := output.NewGrid("RULE", "DENIED", "PERMITTED", "SUSPENDED", "OBLIGED", "WHERE")
		for _, rule := range result.Coverage {
			grid.Row(rule.Rule, fmt.Sprint(rule.Denied), fmt.Sprint(rule.Permitted), fmt.Sprint(rule.Suspended), fmt.Sprint(rule.Obliged), rule.Position.String())
		}
		return grid.Write(o.Streams.Out, "")
	}
	if missing > 0 {
		fmt.Fprintln(o.Streams.Out, "No case exercises:")
	}
	for _, rule := range result.Coverage {
		if !rule.Exercised {
			fmt.Fprintf(o.Streams.Out, "  - %s (%s)\n", terminal.Clean(rule.Rule), rule.Position)
		}
	}
	return nil
}
