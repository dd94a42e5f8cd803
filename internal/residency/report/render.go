package report

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"

	"github.com/meridian-fleet/meridian/internal/evidence/pack"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// The formats.
const (
	FormatHTML  = "html"
	FormatJSON  = "json" // the pack itself
	FormatOSCAL = "oscal"
	FormatCSV   = "csv"
)

// Formats lists the formats.
var Formats = []string{FormatHTML, FormatJSON, FormatOSCAL, FormatCSV}

// SidecarName is the name of the file with the pack that belongs to a file
// which cannot carry one.
func SidecarName(file string) string { return file + ".evidence.json" }

// Render writes a pack in a format. The same pack gives the same bytes. It
// does not verify the pack.
func Render(content []byte, format string) ([]byte, error) {
	body, err := pack.Body(content)
	if err != nil {
		return nil, err
	}
	switch format {
	case FormatJSON:
		return bytes.Clone(content), nil
	case FormatHTML:
		return renderHTML(content, body)
	case FormatOSCAL:
		return renderOSCAL(content, body)
	case FormatCSV:
		return renderCSV(body)
	}
	return nil, fleet.Errorf(fleet.ErrInvalid, "unknown format %q", format).Advise("one of %v", Formats)
}

// lineWidth of embedded base64, so that a difference has a line.
const lineWidth = 120

func encodeLines(content []byte) []byte {
	encoded := []byte(base64.StdEncoding.EncodeToString(content))
	var lines bytes.Buffer
	for line := range slices.Chunk(encoded, lineWidth) {
		lines.Write(line)
		lines.WriteByte('\n')
	}
	return lines.Bytes()
}

// encode is JSON for people and tools, without escapes for HTML.
func encode(value any, indent string) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	if err := encoder.Encode(value); err != nil {
		return nil, fleet.Errorf(fleet.ErrInternal, "encode: %w", err)
	}
	return buffer.Bytes(), nil
}
