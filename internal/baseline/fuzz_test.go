package baseline

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// FuzzFromFiles: no bundle makes the loader panic; each is loaded, or refused
// as invalid with a place for every fault; and one that loads can be resolved,
// or is refused as such, and encoded.
func FuzzFromFiles(f *testing.F) {
	seeds, err := filepath.Glob("testdata/faults/*.txtar")
	if err != nil || len(seeds) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, seed := range seeds {
		archive, err := txtar.ParseFile(seed)
		if err != nil {
			f.Fatal(err)
		}
		archive.Comment = nil
		f.Add(string(txtar.Format(archive)))
	}
	f.Add(variedBundle)
	for _, version := range []string{"1.0.0", "1.1.0"} {
		f.Add(folderAsText(f, filepath.Join(examples, "platform-"+version)))
	}
	f.Fuzz(func(t *testing.T, text string) {
		bundle, err := FromFiles("bundle", filesOf(text))
		if err != nil {
			for _, fault := range faultsOf(err) {
				var known *fleet.Error
				if !errors.As(fault, &known) || !errors.Is(fault, fleet.ErrInvalid) || known.Position.File == "" {
					t.Errorf("a fault without kind or place: %#v", fault)
				}
			}
			return
		}
		if _, err := bundle.Resolve(plainFacts()); err != nil && !errors.Is(err, fleet.ErrInvalid) && !errors.Is(err, fleet.ErrConflict) {
			t.Errorf("resolve: %v", err)
		}
		if decoded, err := Decode(bundle.Content()); err != nil || decoded.Digest != bundle.Digest {
			t.Errorf("decode: %v", err)
		}
	})
}

func faultsOf(err error) []error {
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return []error{err}
	}
	var out []error
	for _, inner := range joined.Unwrap() {
		out = append(out, faultsOf(inner)...)
	}
	return out
}

func folderAsText(f *testing.F, folder string) string {
	archive := &txtar.Archive{}
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, path)
		archive.Files = append(archive.Files, txtar.File{Name: filepath.ToSlash(name), Data: content})
		return err
	})
	if err != nil {
		f.Fatal(err)
	}
	return string(txtar.Format(archive))
}

// FuzzDecode: no content makes the decoder panic.
func FuzzDecode(f *testing.F) {
	bundle, err := FromFiles("bundle", filesOf(variedBundle))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bundle.Content())
	f.Add([]byte("not an archive"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if _, err := Decode(content); err != nil && !errors.Is(err, fleet.ErrInvalid) {
			t.Errorf("got %v", err)
		}
	})
}
