package evidence

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/terminal"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// VerifyOptions are the inputs of verify.
type VerifyOptions struct {
	*factory.Factory
	File    string
	Keys    []string
	Earlier string
}

// NewVerify makes the command verify.
func NewVerify(f *factory.Factory, run func(context.Context, *VerifyOptions) error) *cobra.Command {
	options := &VerifyOptions{Factory: f}
	cmd := &cobra.Command{
		Use:   "verify [FILE]",
		Short: "Check that nothing recorded was changed, removed or reordered",
		Long: `Without a file: have fleetd compare its log with itself, with every checkpoint it
ever gave and with the inventory, so that what was edited in the database behind
its back is found, too.

With a file: check a report of any format with nothing but the file; no
connection is made. Without --key the keys in the file itself are trusted, which
proves that nothing was changed since the file was sealed, but not by whom:
compare the key's fingerprint with what its maker tells you, or give the keys.
With --earlier the log must also contain all that an older report was made from.

The exit code is 0 when everything is intact, else 1.`,
		Example: `  fleetctl evidence verify
  fleetctl evidence verify audit.html
  fleetctl evidence verify places.csv --key keys.txt
  fleetctl evidence verify audit-2026.json --earlier audit-2025.json -o json`,
		Args: usage.Args(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				options.File = args[0]
			}
			return run(cmd.Context(), options)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveDefault
		},
	}
	cmd.Flags().StringArrayVar(&options.Keys, "key", nil, "trusted verifier key of the log or its witness, or a file with them; may be repeated")
	cmd.Flags().StringVar(&options.Earlier, "earlier", "", "an older report, or a checkpoint, that the log must have grown from")
	return cmd
}

// Verify runs verify.
func Verify(ctx context.Context, options *VerifyOptions) error {
	if options.File == "" && (len(options.Keys) > 0 || options.Earlier != "") {
		return failure.Usagef("--key and --earlier go with a file")
	}
	what, check := "The log", options.log
	if options.File != "" {
		what, check = options.File, options.file
	}
	report, err := check(ctx)
	if err != nil {
		return err
	}
	if err := options.print(what, report); err != nil {
		return err
	}
	if !report.Intact {
		return &failure.Exit{Code: failure.Failed}
	}
	return nil
}

// log has fleetd verify its log.
func (o *VerifyOptions) log(ctx context.Context) (fleet.EvidenceReport, error) {
	client, err := o.Residency()
	if err != nil {
		return fleet.EvidenceReport{}, err
	}
	response, err := client.VerifyEvidence(ctx, connect.NewRequest(&fleetv1.VerifyEvidenceRequest{}))
	if err != nil {
		return fleet.EvidenceReport{}, err
	}
	var report fleet.EvidenceReport
	err = output.Decode(response.Msg.GetReport(), &report)
	return report, err
}

func (o *VerifyOptions) print(what string, report fleet.EvidenceReport) error {
	out := o.Streams.Out
	switch o.Output {
	case output.JSON, output.YAML:
		return output.Value(out, o.Output, output.Object("EvidenceReport", report))
	case output.Name:
		for _, fault := range report.Faults {
			fmt.Fprintln(out, terminal.Clean(fault.Where))
		}
		return nil
	}
	if report.Intact {
		fmt.Fprintln(out, out.Paint(terminal.Good, terminal.Clean(what)+" is intact."))
	} else {
		fmt.Fprintln(out, out.Paint(terminal.Bad, terminal.Clean(what)+" is NOT intact:"))
		for _, fault := range report.Faults {
			fmt.Fprintf(out, "  - %s: %s\n", terminal.Clean(fault.Where), terminal.Clean(fault.Message))
		}
	}
	if len(report.Checked) > 0 {
		fmt.Fprintln(out, "\nWhat was verified:")
		for _, checked := range report.Checked {
			fmt.Fprintf(out, "  - %s\n", terminal.Clean(checked))
		}
	}
	o.details(report)
	return nil
}

// details say which log it is about, and whose keys were trusted.
func (o *VerifyOptions) details(report fleet.EvidenceReport) {
	out := o.Streams.Out
	if report.Root == "" && len(report.Details) == 0 {
		return
	}
	fmt.Fprintln(out, "\nThe log:")
	if report.Root != "" {
		fmt.Fprintf(out, "  %d entries, root %s\n", report.Size, terminal.Clean(report.Root))
	}
	if len(report.SignedBy) > 0 {
		fmt.Fprintf(out, "  signed by %s\n", terminal.Clean(strings.Join(report.SignedBy, " and ")))
	}
	for _, name := range slices.Sorted(maps.Keys(report.Details)) {
		fmt.Fprintf(out, "  %s: %s\n", terminal.Clean(name), terminal.Clean(report.Details[name]))
	}
}
