package providerhost

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"sigs.k8s.io/yaml"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/providers"
)

const pinFileHeader = `# Provider plugins this installation trusts, each pinned when it was first used.
# A binary with another checksum is refused. To accept a new one, remove its
# entry: the next use pins it again.
`

// pinFile is the lock file.
type pinFile struct {
	path string
	mu   sync.Mutex
}

type pins struct {
	Plugins []pin `json:"plugins"`
}

// pin is one trusted binary.
type pin struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	SHA256  string `json:"sha256"`
}

func (p pins) of(name string) (pin, bool) {
	for _, entry := range p.Plugins {
		if entry.Name == name {
			return entry, true
		}
	}
	return pin{}, false
}

type checksum [sha256.Size]byte

func (c checksum) String() string { return hex.EncodeToString(c[:]) }

// check returns the checksum of a binary and whether it is pinned already. It
// refuses a binary that is pinned with another checksum.
func (f *pinFile) check(name, path string) (sum checksum, pinned bool, err error) {
	known, err := f.load()
	if err != nil {
		return sum, false, err
	}
	sum, err = checksumOf(path)
	if err != nil {
		return sum, false, err
	}
	entry, pinned := known.of(name)
	if pinned && entry.SHA256 != sum.String() {
		cause := providers.Errorf(providers.KindDenied, "the plugin binary %s changed: its sha256 is %s, but %s pins version %s with %s",
			path, sum, f.path, entry.Version, entry.SHA256)
		return sum, true, fleet.Errorf(fleet.ErrDenied, "%w", cause).On("Provider "+name).
			Advise("if the new binary is meant to be there, remove the entry of %s from %s", name, f.path)
	}
	return sum, pinned, nil
}

// record pins a binary.
func (f *pinFile) record(entry pin) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	known, err := f.read()
	if err != nil {
		return err
	}
	known.Plugins = slices.DeleteFunc(known.Plugins, func(p pin) bool { return p.Name == entry.Name })
	known.Plugins = append(known.Plugins, entry)
	slices.SortFunc(known.Plugins, func(a, b pin) int { return cmp.Compare(a.Name, b.Name) })
	content, err := yaml.Marshal(known)
	if err != nil {
		return fleet.Errorf(fleet.ErrInternal, "encode plugin lock file: %w", err)
	}
	if err := replaceFile(f.path, append([]byte(pinFileHeader), content...)); err != nil {
		return fleet.Errorf(fleet.ErrUnavailable, "write plugin lock file: %w", err)
	}
	return nil
}

func (f *pinFile) load() (pins, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.read()
}

func (f *pinFile) read() (pins, error) {
	var known pins
	content, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return known, nil
	}
	if err != nil {
		return known, fleet.Errorf(fleet.ErrUnavailable, "read plugin lock file: %w", err)
	}
	if err := yaml.UnmarshalStrict(content, &known); err != nil {
		return known, fleet.Errorf(fleet.ErrInvalid, "plugin lock file: %w", err).At(fleet.Position{File: f.path}, "").
			Advise("mend it, or remove it to trust the plugins that are there now")
	}
	return known, nil
}

func checksumOf(path string) (checksum, error) {
	var sum checksum
	file, err := os.Open(path)
	if binaryMissing(err) {
		return sum, providers.Errorf(providers.KindNotFound, "the plugin binary is gone: %w", err)
	}
	if err != nil {
		return sum, providers.Errorf(providers.KindUnavailable, "read plugin binary: %w", err)
	}
	defer func() { _ = file.Close() }()
	digest := sha256.New()
	if _, err := io.Copy(digest, file); err != nil {
		return sum, providers.Errorf(providers.KindUnavailable, "read plugin binary: %w", err)
	}
	return checksum(digest.Sum(nil)), nil
}

// replaceFile changes a file's content in one step, so that a crash leaves the
// old content or the new.
func replaceFile(path string, content []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temporary.Name()) }()
	_, err = temporary.Write(content)
	err = errors.Join(err, temporary.Sync(), temporary.Close())
	if err != nil {
		return err
	}
	return os.Rename(temporary.Name(), path)
}
