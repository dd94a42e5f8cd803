package resource

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/manifest"
	"github.com/meridian-fleet/meridian/internal/residency/casefile"
)

// maxFile is the largest file that is read: more is no document a person wrote.
const maxFile = 4 << 20

// bundleFile makes its folder a baseline bundle.
const bundleFile = "baseline.yaml"

var documentExtensions = []string{".yaml", ".yml", ".json"}

// gather reads what -f names. All faults are reported together.
type gather struct {
	stdin   io.Reader
	sources []*fleetv1.Source
	bundles []*fleetv1.BundleSource
	faults  []error
}

// read adds each file, folder or "-" and returns all faults.
func (g *gather) read(names []string) error {
	stdinRead := false
	for _, name := range names {
		switch {
		case name == "-" && stdinRead:
			g.faults = append(g.faults, fleet.Errorf(fleet.ErrInvalid, "the standard input can be read once only").At(fleet.Position{}, "-f"))
		case name == "-":
			stdinRead = true
			g.add("stdin", func() ([]byte, error) { return readLimited(g.stdin, "stdin") })
		default:
			g.path(name)
		}
	}
	return errors.Join(g.faults...)
}

// Sources reads documents from files, folders and the standard input as apply
// does, for commands that take no bundles.
func Sources(stdin io.Reader, names []string) ([]*fleetv1.Source, error) {
	found := gather{stdin: stdin}
	if err := found.read(names); err != nil {
		return nil, err
	}
	for _, bundle := range found.bundles {
		found.faults = append(found.faults, invalid(bundle.GetPath(), "a baseline bundle, not documents"))
	}
	return found.sources, errors.Join(found.faults...)
}

func (g *gather) path(name string) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		g.fault(name, err)
	case info.IsDir():
		before := len(g.sources) + len(g.bundles) + len(g.faults)
		g.folder(name)
		if len(g.sources)+len(g.bundles)+len(g.faults) == before {
			g.faults = append(g.faults, invalid(name, "no documents in this folder").
				Advise("they are files ending in %s, and folders with a %s", strings.Join(documentExtensions, ", "), bundleFile))
		}
	case filepath.Base(name) == bundleFile:
		g.faults = append(g.faults, invalid(name, "a baseline is applied with all its files").
			Advise("name its folder: -f %s", filepath.Dir(name)))
	default:
		g.add(name, func() ([]byte, error) { return readFile(name) })
	}
}

// folder walks a folder of documents, or takes it whole when it is a bundle.
// What is hidden is left out.
func (g *gather) folder(folder string) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		g.fault(folder, err)
		return
	}
	if slices.ContainsFunc(entries, func(entry fs.DirEntry) bool { return entry.Name() == bundleFile }) {
		g.bundle(folder)
		return
	}
	for _, entry := range entries {
		name := filepath.Join(folder, entry.Name())
		if strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		info, err := os.Stat(name)
		switch {
		case err != nil:
			g.fault(name, err)
		case info.IsDir() && entry.Type()&fs.ModeSymlink != 0:
			g.faults = append(g.faults, invalid(name, "a symbolic link to a folder is not followed").Advise("name the folder with -f"))
		case info.IsDir():
			g.folder(name)
		case slices.Contains(documentExtensions, filepath.Ext(name)):
			g.add(name, func() ([]byte, error) { return readFile(name) })
			g.leaveCases()
		}
	}
}

// leaveCases takes back the file just added when it has cases: people keep them
// beside the documents they are about, and they are no resources.
func (g *gather) leaveCases() {
	if len(g.sources) == 0 {
		return
	}
	newest := g.sources[len(g.sources)-1]
	parts, err := manifest.Split(newest.GetPath(), newest.GetContent())
	isCases := func(part manifest.Part) bool { return part.Kind() == casefile.KindCases }
	if err == nil && slices.ContainsFunc(parts, isCases) {
		g.sources = g.sources[:len(g.sources)-1]
	}
}

func (g *gather) add(name string, read func() ([]byte, error)) {
	content, err := read()
	if err != nil {
		g.fault(name, err)
		return
	}
	g.sources = append(g.sources, &fleetv1.Source{Path: name, Content: content})
}

// bundle takes every file below a folder. A link could lead out of it, so
// none is accepted.
func (g *gather) bundle(folder string) {
	bundle := &fleetv1.BundleSource{Path: folder}
	err := filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			g.fault(name, err)
		case entry.IsDir():
		case entry.Type()&fs.ModeSymlink != 0:
			g.faults = append(g.faults, invalid(name, "a symbolic link in a baseline bundle").Advise("put the file itself there"))
		case !entry.Type().IsRegular():
			g.faults = append(g.faults, invalid(name, "not a regular file"))
		default:
			g.bundled(bundle, folder, name)
		}
		return nil
	})
	if err != nil {
		g.fault(folder, err)
	}
	g.bundles = append(g.bundles, bundle)
}

func (g *gather) bundled(bundle *fleetv1.BundleSource, folder, name string) {
	relative, err := filepath.Rel(folder, name)
	if err == nil {
		var content []byte
		if content, err = readFile(name); err == nil {
			bundle.Files = append(bundle.Files, &fleetv1.Source{Path: filepath.ToSlash(relative), Content: content})
		}
	}
	if err != nil {
		g.fault(name, err)
	}
}

// fault records why something could not be read.
func (g *gather) fault(name string, err error) {
	var told *fleet.Error
	if errors.As(err, &told) {
		g.faults = append(g.faults, err)
		return
	}
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err
	}
	g.faults = append(g.faults, invalid(name, "cannot read it: %w", err))
}

// readFile refuses a large file before it reads it.
func readFile(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, tooLarge(name, fmt.Sprintf("%.1f MiB", float64(info.Size())/(1<<20)))
	}
	return readLimited(file, name)
}

// readLimited also bounds what has no size, such as a pipe.
func readLimited(r io.Reader, name string) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err == nil && len(content) > maxFile {
		return nil, tooLarge(name, "more than 4 MiB")
	}
	return content, err
}

func tooLarge(name, size string) error {
	return invalid(name, "%s in one file; at most %d MiB are read", size, maxFile>>20)
}

func invalid(name, format string, args ...any) *fleet.Error {
	return fleet.Errorf(fleet.ErrInvalid, format, args...).At(fleet.Position{File: name}, "")
}
