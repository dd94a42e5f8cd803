package baseline

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// digestOf addresses files by content: the SHA-256 of the list that
// `sha256sum` prints for the files sorted by path, so that anyone can check it:
//
//	find . -type f | sed 's,^\./,,' | LC_ALL=C sort | xargs -d '\n' sha256sum | sha256sum
func digestOf(files map[string][]byte) string {
	list := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		_, _ = fmt.Fprintf(list, "%x  %s\n", sha256.Sum256(files[name]), name)
	}
	return "sha256:" + hex.EncodeToString(list.Sum(nil))
}

// Content encodes the bundle: a tar archive of its files sorted by path, with
// nothing in it that could differ between two encodings of the same files.
func (b *Bundle) Content() []byte {
	var buffer bytes.Buffer
	archive := tar.NewWriter(&buffer)
	for _, name := range slices.Sorted(maps.Keys(b.files)) {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(b.files[name])), Format: tar.FormatPAX}
		// Writing to memory cannot fail, and names were checked when loading.
		_ = archive.WriteHeader(header)
		_, _ = archive.Write(b.files[name])
	}
	_ = archive.Close()
	return buffer.Bytes()
}

// Decode loads a bundle from what Content gave.
func Decode(content []byte) (*Bundle, error) {
	files, err := unpack(content)
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrInvalid, "unpack the bundle: %w", err)
	}
	return FromFiles("", files)
}

func unpack(content []byte) (map[string][]byte, error) {
	files := map[string][]byte{}
	archive := tar.NewReader(bytes.NewReader(content))
	for size := int64(0); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		if header.Typeflag != tar.TypeReg {
			return nil, fmt.Errorf("%q is not a regular file", header.Name)
		}
		if size += header.Size; size > maxBundleSize || header.Size > maxFileSize || len(files) >= maxFiles {
			return nil, errors.New("it is too large")
		}
		if _, twice := files[header.Name]; twice {
			return nil, fmt.Errorf("%q is in it twice", header.Name)
		}
		if files[header.Name], err = io.ReadAll(archive); err != nil {
			return nil, err
		}
	}
}
