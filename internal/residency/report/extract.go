package report

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/meridian-fleet/meridian/internal/evidence/pack"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// What stands before a pack within assessment results, and how its base64
// begins. Whatever else was changed, the pack is found by one of them, so that
// the comparison with what it renders to can say where.
const (
	oscalOpening = `"value": "`
	packBegins   = "eyJmb3JtYXQiOiJt" // {"format":"m
)

// byteOrderMark is what some editors put before a text.
const byteOrderMark = "\xef\xbb\xbf"

// rendering is a file taken apart.
type rendering struct {
	content []byte
	format  string
	pack    []byte
	begins  int    // where the base64 of the pack begins
	encoded []byte // the base64, with its line ends; nil in formats without
}

// Extract tells a rendering's format and takes the pack out of it. A CSV has
// none: the pack is in the file SidecarName names.
func Extract(content []byte) (packed []byte, format string, err error) {
	r := &rendering{content: content, format: formatOf(content)}
	err = r.extract()
	return r.pack, r.format, err
}

// formatOf tells a format by what a file begins with, or carries; empty when
// it is none.
func formatOf(content []byte) string {
	start := strings.ToLower(string(bytes.TrimSpace(bytes.TrimPrefix(content[:min(len(content), 200)], []byte(byteOrderMark)))))
	switch {
	case strings.HasPrefix(start, `{"format"`):
		return FormatJSON
	case strings.Contains(start, `"assessment-results"`):
		return FormatOSCAL
	case strings.HasPrefix(start, "<!doctype html"), bytes.Contains(content, []byte(packOpening)):
		return FormatHTML
	case strings.HasPrefix(start, csvColumns[0]+","):
		return FormatCSV
	case bytes.Contains(content, []byte(`"import-ap"`)):
		return FormatOSCAL
	case strings.HasPrefix(start, "{"):
		return FormatJSON
	}
	return ""
}

func (r *rendering) extract() error {
	switch r.format {
	case FormatJSON:
		r.pack = bytes.Clone(r.content)
		return nil
	case FormatHTML:
		return r.take(strings.TrimSpace(packOpening), '<')
	case FormatOSCAL:
		return r.take(oscalOpening, '"')
	case FormatCSV:
		return nil
	}
	return fleet.Errorf(fleet.ErrInvalid, "not a report of Meridian's in any of the formats %v", Formats)
}

// take decodes the base64 that follows an opening, up to a closing byte.
func (r *rendering) take(opening string, closing byte) error {
	at := bytes.LastIndex(r.content, []byte(opening))
	if at >= 0 {
		at += len(opening)
	} else if at = bytes.Index(r.content, []byte(packBegins)); at < 0 {
		return fleet.Errorf(fleet.ErrInvalid, "the file carries no pack, or was changed where its pack begins")
	}
	end := bytes.IndexByte(r.content[at:], closing)
	if end < 0 {
		end = len(r.content) - at
	}
	r.begins, r.encoded = at, r.content[at:at+end]
	packed := make([]byte, base64.StdEncoding.DecodedLen(len(r.encoded)))
	n, err := base64.StdEncoding.Decode(packed, r.encoded)
	if r.pack = packed[:n]; err != nil {
		return fleet.Errorf(fleet.ErrInvalid, "the embedded pack is not base64: %w", err)
	}
	return nil
}

// broken is a fault about a rendering whose pack could not be taken out.
func (r *rendering) broken(err error) fleet.EvidenceFault {
	var corrupt base64.CorruptInputError
	switch {
	case r.format == "":
		return fleet.EvidenceFault{Where: pack.Position(r.content, 0), Message: err.Error()}
	case errors.As(err, &corrupt):
		return fleet.EvidenceFault{Where: pack.Position(r.content, r.begins+int(corrupt)) + inPack, Message: "the embedded pack is not base64 from here on"}
	}
	return fleet.EvidenceFault{Where: "the pack inside", Message: err.Error()}
}

// inPack follows a place in a rendering that is within its pack.
const inPack = ", in the pack inside"

// place names an offset in the pack by where it is in the file, or beside it.
func (r *rendering) place(offset int) string {
	switch {
	case r.format == FormatCSV:
		return besideIt + ", " + pack.Position(r.pack, offset)
	case r.encoded == nil:
		return pack.Position(r.content, offset)
	}
	at, left := 0, offset/3*4 // three bytes are four digits
	for ; at < len(r.encoded) && (left > 0 || lineEnd(r.encoded[at])); at++ {
		if !lineEnd(r.encoded[at]) {
			left--
		}
	}
	return pack.Position(r.content, r.begins+at) + inPack
}

func lineEnd(char byte) bool { return char == '\n' || char == '\r' }
