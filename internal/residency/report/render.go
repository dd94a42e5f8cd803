package report

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
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

// Extract tells a rendering's format and takes the pack out of it. A CSV has
// none: the pack is in the file SidecarName names.
func Extract(content []byte) (packed []byte, format string, err error) {
	switch start := bytes.TrimSpace(content[:min(len(content), 200)]); {
	case bytes.HasPrefix(start, []byte(`{"format"`)):
		return bytes.Clone(content), FormatJSON, nil
	case bytes.Contains(start, []byte(`"assessment-results"`)):
		packed, err = extractOSCAL(content)
		return packed, FormatOSCAL, err
	case bytes.HasPrefix(bytes.ToLower(start), []byte("<!doctype html")):
		packed, err = extractHTML(content)
		return packed, FormatHTML, err
	case bytes.HasPrefix(start, []byte("{")):
		return bytes.Clone(content), FormatJSON, nil
	case bytes.HasPrefix(start, []byte(csvColumns[0]+",")):
		return nil, FormatCSV, nil
	}
	return nil, "", fleet.Errorf(fleet.ErrInvalid, "not a report of Meridian's in any of the formats %v", Formats)
}

// Verify takes a rendering apart, verifies the pack and compares the rendering
// with what the pack renders to. The sidecar is the pack of a CSV, and nil for
// the formats that carry theirs. What is wrong with the files is a fault in
// the report; the error is about the options.
func Verify(content, sidecar []byte, options pack.Options) (fleet.EvidenceReport, error) {
	packed, format, err := Extract(content)
	if format == FormatCSV {
		packed = sidecar
	}
	if err != nil || packed == nil {
		return damaged(content, format, err), nil
	}
	report, err := pack.Verify(packed, options)
	if err != nil || format == FormatJSON {
		return report, err
	}
	rendered, err := Render(packed, format)
	if err != nil {
		return addFault(report, "the pack inside", "cannot be rendered: %v", err), nil
	}
	if where := pack.FirstDifference(content, rendered); where != "" {
		return addFault(report, where, "from here on the %s is not what its pack says, or it was made by another version of Meridian than this: the pack names %s", format, madeBy(packed)), nil
	}
	report.Checked = append(report.Checked, fmt.Sprintf("the %s is, byte for byte, what its pack says", format))
	return report, nil
}

// madeBy names the version a pack was made by.
func madeBy(packed []byte) string {
	body, err := pack.Body(packed)
	if err != nil || body.Version == "" {
		return "none"
	}
	return body.Version
}

func addFault(report fleet.EvidenceReport, where, format string, args ...any) fleet.EvidenceReport {
	report.Intact = false
	report.Faults = append(report.Faults, fleet.EvidenceFault{Where: where, Message: fmt.Sprintf(format, args...)})
	return report
}

// damaged reports a file that holds no pack, or none that can be found.
func damaged(content []byte, format string, err error) fleet.EvidenceReport {
	switch {
	case err != nil && format == "":
		return addFault(fleet.EvidenceReport{}, "byte 1 (line 1)", "%v", err)
	case err != nil:
		return addFault(fleet.EvidenceReport{}, "the pack inside", "%v", err)
	}
	return addFault(fleet.EvidenceReport{}, "the file beside it", "a CSV is verified with its pack, which is missing: the file is named like the CSV with %s added", SidecarName(""))
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

func decodeBase64(encoded []byte) ([]byte, error) {
	packed, err := base64.StdEncoding.DecodeString(string(bytes.ReplaceAll(encoded, []byte("\n"), nil)))
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrInvalid, "the embedded pack is not base64: %w", err)
	}
	return packed, nil
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
