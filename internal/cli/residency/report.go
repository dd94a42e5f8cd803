package residency

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/cli/complete"
	"github.com/meridian-fleet/meridian/internal/cli/factory"
	"github.com/meridian-fleet/meridian/internal/cli/failure"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/question"
	"github.com/meridian-fleet/meridian/internal/cli/usage"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency/report"
)

// ReportOptions are the inputs of report.
type ReportOptions struct {
	*factory.Factory
	question.Moment
	Format string
	Out    string
	Title  string
}

// NewReport makes the command report.
func NewReport(f *factory.Factory, run func(context.Context, *ReportOptions) error) *cobra.Command {
	options := &ReportOptions{Factory: f}
	cmd := &cobra.Command{
		Use:   "report --out FILE [--format FORMAT]",
		Short: "Make the file for the auditor: a sealed evidence pack",
		Long: `Make an evidence pack: every place and what the rules say of it, the text and
version of the policies, exceptions, approvals and decisions, and proofs that all
of it is in Meridian's tamper-evident log. The format is html to read and print,
json for programs, oscal for assessment tools (assessment results), or csv for
tables; when it is left out the file's extension tells.

Each format carries the sealed pack, so that everybody can check it without
Meridian's server: fleetctl evidence verify FILE. A csv has it in a file beside
it, ` + report.SidecarName("FILE") + `.`,
		Example: `  fleetctl residency report --out audit.html --title "Audit 2026"
  fleetctl residency report --format oscal --out results.json
  fleetctl residency report --format csv --out places.csv --as-of 2026-03-03 --known-at 2026-03-03`,
		Args: usage.Args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), options) },
	}
	cmd.Flags().StringVar(&options.Format, "format", "", strings.Join(report.Formats, ", ")+" (default: what the file's extension says)")
	cmd.Flags().StringVar(&options.Out, "out", "", "file to write; needed")
	cmd.Flags().StringVar(&options.Title, "title", "", "title of the report")
	options.AddFlags(cmd)
	_ = cmd.RegisterFlagCompletionFunc("format", complete.Words(report.Formats...))
	_ = cmd.RegisterFlagCompletionFunc("title", cobra.NoFileCompletions)
	_ = cmd.MarkFlagFilename("out")
	return cmd
}

// format is the one wanted, or the one the file's extension says.
func (o *ReportOptions) format() (string, error) {
	if o.Out == "" {
		return "", failure.Usagef("want a file to write").At(fleet.Position{}, "--out")
	}
	format := o.Format
	if format == "" {
		format = strings.TrimPrefix(strings.ToLower(filepath.Ext(o.Out)), ".")
	}
	if !slices.Contains(report.Formats, format) {
		return "", failure.Usagef("want one of %s, got %q", strings.Join(report.Formats, ", "), format).At(fleet.Position{}, "--format")
	}
	return format, nil
}

// Report runs report.
func Report(ctx context.Context, options *ReportOptions) error {
	format, err := options.format()
	if err != nil {
		return err
	}
	office, err := open(options.Factory, options.Moment)
	if err != nil {
		return err
	}
	response, err := office.ExportEvidence(ctx, connect.NewRequest(&fleetv1.ExportEvidenceRequest{Moment: office.moment, Title: options.Title}))
	if err != nil {
		return err
	}
	sealed := response.Msg.GetPack()
	rendered, err := report.Render(sealed, format)
	if err != nil {
		return err
	}
	files := []reportFile{{options.Out, rendered}}
	if format == report.FormatCSV {
		files = append(files, reportFile{report.SidecarName(options.Out), sealed})
	}
	for _, file := range files {
		if err := file.write(); err != nil {
			return err
		}
	}
	return options.print(format, files)
}

// reportFile is a file of a report.
type reportFile struct {
	path    string
	content []byte
}

// write replaces a file as a whole. It names people, so others cannot read it.
func (f reportFile) write() error {
	temporary, err := os.CreateTemp(filepath.Dir(f.path), ".report-*")
	if err != nil {
		return cannotWrite(f.path, err)
	}
	defer os.Remove(temporary.Name()) //nolint:errcheck // it is there only when something else failed
	_, err = temporary.Write(f.content)
	if err = errors.Join(err, temporary.Close()); err == nil {
		err = os.Rename(temporary.Name(), f.path)
	}
	if err != nil {
		return cannotWrite(f.path, err)
	}
	return nil
}

func cannotWrite(path string, err error) error {
	var inside *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &inside):
		err = inside.Err
	case errors.As(err, &link):
		err = link.Err
	}
	return fleet.Errorf(fleet.ErrInvalid, "cannot write it: %w", err).At(fleet.Position{File: path}, "")
}

func (o *ReportOptions) print(format string, files []reportFile) error {
	switch o.Output {
	case output.JSON, output.YAML:
		items := make([]map[string]any, len(files))
		for i, file := range files {
			items[i] = map[string]any{"path": file.path, "bytes": len(file.content)}
		}
		return output.Value(o.Streams.Out, o.Output, map[string]any{"apiVersion": fleet.APIVersion, "kind": "ReportResult", "format": format, "files": items})
	case output.Name:
		for _, file := range files {
			fmt.Fprintln(o.Streams.Out, file.path)
		}
		return nil
	}
	for _, file := range files {
		fmt.Fprintf(o.Streams.Out, "wrote %s (%d bytes)\n", file.path, len(file.content))
	}
	fmt.Fprintf(o.Streams.Out, "Everybody can check it: fleetctl evidence verify %s\n", o.Out)
	return nil
}
