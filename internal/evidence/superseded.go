package evidence

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api/layout"
)

// partialSuffix is how a folder's name ends that has a tile or bundle as it
// was before it was full, once for each size it had.
const partialSuffix = ".p"

// checkSuperseded compares the files of earlier sizes of the log with the ones
// that took their place: who reads the log of an earlier checkpoint reads them.
func (v *verification) checkSuperseded() {
	root := filepath.Join(v.files.Root, layout.TilePath(0, 0, 0), "..", "..")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && strings.HasSuffix(path, partialSuffix) {
			return v.checkPartials(path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // gone meanwhile: checkTree misses what is needed
		v.fault("earlier files", "cannot be read: %v", err)
	}
}

// checkPartials compares all in a folder with the fullest there is.
func (v *verification) checkPartials(dir string) error {
	listed, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	sizes := map[int]string{}
	fullest := 0
	for _, file := range listed { // longer numbers are what a killed process was writing
		if size, err := strconv.Atoi(file.Name()); err == nil && size > 0 && size < layout.TileWidth {
			sizes[size], fullest = filepath.Join(dir, file.Name()), max(fullest, size)
		}
	}
	whole, err := os.ReadFile(strings.TrimSuffix(dir, partialSuffix))
	if errors.Is(err, fs.ErrNotExist) && fullest > 0 {
		whole, err = os.ReadFile(sizes[fullest])
	}
	if err != nil {
		return err
	}
	for size, path := range sizes {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		v.checkPartial(path, size, content, whole)
	}
	return nil
}

func (v *verification) checkPartial(path string, size int, content, whole []byte) {
	where, err := filepath.Rel(v.files.Root, path)
	if err != nil {
		where = path
	}
	length := size * rfc6962.DefaultHasher.Size()
	if strings.HasPrefix(filepath.ToSlash(where), "tile/entries/") {
		length = lengthOf(size, whole)
	}
	if wanted := whole[:min(length, len(whole))]; !bytes.Equal(content, wanted) {
		at := 0
		for at < min(len(content), len(wanted)) && content[at] == wanted[at] {
			at++
		}
		v.fault("file "+filepath.ToSlash(where), "what the log had when it was shorter is not what it has now, from byte %d on", at)
	}
}

// lengthOf is how many bytes so many entries take in a bundle, each with its
// length before it.
func lengthOf(entries int, bundle []byte) int {
	length := 0
	for range entries {
		if length+2 > len(bundle) {
			return len(bundle)
		}
		length += 2 + int(binary.BigEndian.Uint16(bundle[length:]))
	}
	return length
}
