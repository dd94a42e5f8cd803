package baseline

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// The sizes a bundle may have.
const (
	maxFileSize   = 4 << 20
	maxBundleSize = 32 << 20
	maxFiles      = 10_000
)

// documentFile is the file that declares a bundle.
const documentFile = "baseline.yaml"

// LoadDir loads a bundle from a folder. Symbolic links and special files are
// refused: a bundle holds all it needs.
func LoadDir(dir string) (*Bundle, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, readFault(dir, err)
	}
	defer func() { _ = root.Close() }()
	files := map[string][]byte{}
	var faults []error
	size := int64(0)
	err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return nil
		}
		at := fleet.Position{File: filepath.Join(dir, name)}
		if !entry.Type().IsRegular() {
			faults = append(faults, fleet.Errorf(fleet.ErrInvalid, "is a symbolic link or special file, which a bundle may not hold").At(at, ""))
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if size += info.Size(); info.Size() > maxFileSize || size > maxBundleSize || len(files) >= maxFiles {
			faults = append(faults, tooLarge(at))
			return fs.SkipAll
		}
		files[name], err = root.ReadFile(name)
		return err
	})
	if err != nil {
		return nil, readFault(dir, err)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return FromFiles(dir, files)
}

func readFault(dir string, err error) error {
	kind := fleet.ErrInvalid
	if errors.Is(err, fs.ErrNotExist) {
		kind = fleet.ErrNotFound
	}
	return fleet.Errorf(kind, "read the bundle: %w", err).At(fleet.Position{File: dir}, "")
}

func tooLarge(at fleet.Position) error {
	return fleet.Errorf(fleet.ErrInvalid, "is too large: a bundle may have %d files, %d MiB each and %d MiB together",
		maxFiles, maxFileSize>>20, maxBundleSize>>20).At(at, "")
}

// checkFiles refuses names that are not plain relative paths, and sizes that
// are out of bounds.
func checkFiles(bundlePath string, files map[string][]byte) []error {
	var faults []error
	size, isFolder := 0, folders(files)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		at := fleet.Position{File: path.Join(bundlePath, name)}
		size += len(files[name])
		switch {
		case !plainPath(name):
			faults = append(faults, fleet.Errorf(fleet.ErrInvalid, "%q is not a path inside the bundle", name).At(fleet.Position{File: bundlePath}, ""))
		case isFolder[name]:
			faults = append(faults, fleet.Errorf(fleet.ErrInvalid, "is both a file and a folder").At(at, ""))
		case len(files[name]) > maxFileSize:
			faults = append(faults, tooLarge(at))
		}
	}
	if size > maxBundleSize || len(files) > maxFiles {
		faults = append(faults, tooLarge(fleet.Position{File: bundlePath}))
	}
	return faults
}

// plainPath reports whether name is a canonical relative path with slashes.
func plainPath(name string) bool {
	if !fs.ValidPath(name) || name == "." || strings.Contains(name, `\`) {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || r == unicode.ReplacementChar })
}

// folders is the set of folders that files lie in, the bundle itself included.
func folders(files map[string][]byte) map[string]bool {
	out := map[string]bool{".": true}
	for name := range files {
		for folder := path.Dir(name); !out[folder]; folder = path.Dir(folder) {
			out[folder] = true
		}
	}
	return out
}

// filesBelow lists the files in a folder and its subfolders, sorted.
func filesBelow(files map[string][]byte, folder string) []string {
	var names []string
	for name := range files {
		if folder == "." || strings.HasPrefix(name, folder+"/") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
