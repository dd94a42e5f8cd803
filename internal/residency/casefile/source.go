package casefile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/manifest"
)

// source is one file as read, parted into its documents.
type source struct {
	path  string // as the user would write it, for messages
	parts []manifest.Part
}

// isCases reports whether the file has cases.
func (s *source) isCases() bool {
	for _, part := range s.parts {
		if part.Kind() == KindCases {
			return true
		}
	}
	return false
}

// reader reads each file once, however often it is named.
type reader struct {
	sources map[string]*source // by cleaned absolute path
	read    map[string]error
}

func newReader() *reader {
	return &reader{sources: map[string]*source{}, read: map[string]error{}}
}

// identity tells files apart however their path is written.
func identity(path string) string {
	if absolute, err := filepath.Abs(path); err == nil {
		return absolute
	}
	return filepath.Clean(path)
}

func (r *reader) file(path string) (*source, error) {
	key := identity(path)
	if err, known := r.read[key]; known {
		return r.sources[key], err
	}
	found, err := readSource(path)
	r.sources[key], r.read[key] = found, err
	return found, err
}

func readSource(path string) (*source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, cannotRead(path, err)
	}
	if !info.Mode().IsRegular() || info.Size() > manifest.MaxSize { // a device may never end
		return nil, fleet.Errorf(fleet.ErrInvalid, "want a file of %d bytes at most", manifest.MaxSize).At(fleet.Position{File: path}, "")
	}
	content, err := os.ReadFile(path) //nolint:gosec // the caller's own choice
	if err != nil {
		return nil, cannotRead(path, err)
	}
	parts, err := manifest.Split(path, content)
	if err != nil {
		return nil, err
	}
	return &source{path: path, parts: parts}, nil
}

func cannotRead(path string, err error) error {
	kind := fleet.ErrInvalid
	if errors.Is(err, fs.ErrNotExist) {
		kind = fleet.ErrNotFound
	}
	var inside *fs.PathError
	if errors.As(err, &inside) {
		err = inside.Err
	}
	return fleet.Errorf(kind, "cannot be read: %w", err).At(fleet.Position{File: path}, "")
}

// files lists the YAML files a path stands for: itself, or those below a
// folder in the order of their names. Folders whose names begin with a dot are
// left out.
func files(path string) (list []string, folder bool, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, false, cannotRead(path, err)
	}
	if !info.IsDir() {
		return []string{path}, false, nil
	}
	err = filepath.WalkDir(path, func(inside string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return cannotRead(inside, err)
		case entry.IsDir() && inside != path && strings.HasPrefix(entry.Name(), "."):
			return filepath.SkipDir
		case !entry.IsDir() && isYAML(entry.Name()):
			list = append(list, inside)
		}
		return nil
	})
	return list, true, err
}

// beside lists the YAML files in the folder of a file, without those below.
func beside(path string) ([]string, error) {
	folder := filepath.Dir(path)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, cannotRead(folder, err)
	}
	var list []string
	for _, entry := range entries {
		if !entry.IsDir() && isYAML(entry.Name()) {
			list = append(list, filepath.Join(folder, entry.Name()))
		}
	}
	return list, nil
}

func isYAML(name string) bool {
	extension := filepath.Ext(name)
	return extension == ".yaml" || extension == ".yml"
}
