package policy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/meridian-fleet/meridian/internal/cli/offline"
	"github.com/meridian-fleet/meridian/internal/cli/output"
	"github.com/meridian-fleet/meridian/internal/cli/question"
	"github.com/meridian-fleet/meridian/internal/cli/terminal"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
	"github.com/meridian-fleet/meridian/internal/residency/casefile"
	"github.com/meridian-fleet/meridian/internal/residency/enforce"
)

// fromFiles reads documents and takes the regions fleetctl is built with.
func fromFiles(_ context.Context, o *CompileOptions) ([]fleet.Resource, *residency.Catalog, error) {
	documents, err := casefile.LoadDocuments(o.Paths...)
	if err != nil {
		return nil, nil, invalid(err)
	}
	regions, err := offline.Regions()
	if err != nil {
		return nil, nil, err
	}
	if regions, err = offline.WithFacts(regions, documents); err != nil {
		return nil, nil, err
	}
	catalog, err := residency.NewCatalog(regions)
	return documents, catalog, err
}

// otherKinds are the kinds of documents that are compiled besides policies.
var otherKinds = []fleet.Kind{
	fleet.KindJurisdictionGroup, fleet.KindDataClass,
	fleet.KindDataset, fleet.KindWorkload, fleet.KindException,
}

// fromFleetd asks for the documents that were true at the moment, as they were
// known, and for the catalog.
func fromFleetd(ctx context.Context, o *CompileOptions) ([]fleet.Resource, *residency.Catalog, error) {
	moment, err := o.Message(o.Now())
	if err != nil {
		return nil, nil, err
	}
	client, err := o.Client()
	if err != nil {
		return nil, nil, err
	}
	at := moment.GetAsOf()
	if at == nil {
		at = timestamppb.New(o.Now())
	}
	law, upcoming, err := question.Policies(ctx, client, moment.GetKnownAt(), at)
	if err != nil {
		return nil, nil, err
	}
	documents := append(law, upcoming...) // what is compiled knows both
	for _, kind := range otherKinds {
		listed, err := question.TrueAt(ctx, client, kind, moment.GetKnownAt(), moment.GetAsOf())
		if err != nil {
			return nil, nil, err
		}
		documents = append(documents, listed...)
	}
	regions, err := o.Catalog(ctx, moment)
	if err != nil {
		return nil, nil, err
	}
	catalog, err := residency.NewCatalog(regions)
	return documents, catalog, err
}

// write writes files below a folder. A target never names one outside of it.
func write(folder string, files []enforce.File) error {
	for _, file := range files {
		if !filepath.IsLocal(filepath.FromSlash(file.Path)) {
			return fleet.Errorf(fleet.ErrInternal, "a compiled file would be outside of its folder: %s", file.Path)
		}
		path := filepath.Join(folder, filepath.FromSlash(file.Path))
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if err == nil {
			err = os.WriteFile(path, file.Content, 0o644) //nolint:gosec // policies are no secret
		}
		if err != nil {
			return cannotWrite(path, err)
		}
	}
	return nil
}

func cannotWrite(path string, err error) error {
	var inside *fs.PathError
	if errors.As(err, &inside) {
		err = inside.Err
	}
	return fleet.Errorf(fleet.ErrInvalid, "cannot write it: %w", err).At(fleet.Position{File: path}, "")
}

// compiledFile is one file for a script.
type compiledFile struct {
	Path    string `json:"path"`
	Content string `json:"content"`
}

func (o *CompileOptions) print(compiled enforce.Output) error {
	switch o.Output {
	case output.JSON, output.YAML:
		files := make([]compiledFile, len(compiled.Files))
		for i, file := range compiled.Files {
			files[i] = compiledFile{file.Path, string(file.Content)}
		}
		return output.Value(o.Streams.Out, o.Output, map[string]any{
			"apiVersion": fleet.APIVersion, "kind": "CompiledPolicy", "target": o.Target,
			"files": files, "residual": append([]enforce.Residual{}, compiled.Residual...),
		})
	case output.Name:
		for _, file := range compiled.Files {
			fmt.Fprintln(o.Streams.Out, file.Path)
		}
		return nil
	}
	for _, file := range compiled.Files {
		if o.Out != "" {
			fmt.Fprintf(o.Streams.Out, "wrote %s (%d bytes)\n", filepath.Join(o.Out, filepath.FromSlash(file.Path)), len(file.Content))
			continue
		}
		fmt.Fprintf(o.Streams.Out, "# %s\n%s\n", file.Path, file.Content)
	}
	o.residual(compiled.Residual)
	return nil
}

// residual lists what somebody has to see to by other means; where the files
// are printed it does not mix with them.
func (o *CompileOptions) residual(clauses []enforce.Residual) {
	screen := o.Streams.Out
	if o.Out == "" {
		screen = o.Streams.Err
	}
	if len(clauses) == 0 {
		fmt.Fprintf(screen, "%s enforces every clause.\n", o.Target)
		return
	}
	fmt.Fprintf(screen, "%s cannot enforce the following; see to it by other means:\n", o.Target)
	for _, residual := range clauses {
		fmt.Fprintf(screen, "  - %s\n", terminal.Clean(clause(residual)))
	}
}
