package report

import (
	"fmt"

	"github.com/meridian-fleet/meridian/internal/evidence/pack"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Verify takes a rendering apart, verifies the pack and compares the rendering
// with what the pack renders to. The sidecar is the pack of a CSV, and nil for
// the formats that carry theirs. What is wrong with the files is a fault in
// the report; the error is about the options.
func Verify(content, sidecar []byte, options pack.Options) (fleet.EvidenceReport, error) {
	r := &rendering{content: content, format: formatOf(content)}
	if r.format == "" && sidecar != nil {
		r.format = FormatCSV // whose beginning was changed
	}
	if err := r.extract(); err != nil {
		return addFault(fleet.EvidenceReport{}, r.broken(err)), nil
	}
	if r.format == FormatCSV {
		r.pack = sidecar
	}
	if r.pack == nil {
		return addFault(fleet.EvidenceReport{}, missingSidecar), nil
	}
	options.Place = r.place
	report, err := pack.Verify(r.pack, options)
	if err != nil || r.format == FormatJSON {
		return report, err
	}
	return r.compare(report), nil
}

// besideIt is where the pack of a CSV is.
const besideIt = "the file beside it"

// missingSidecar is the fault of a CSV alone.
var missingSidecar = fleet.EvidenceFault{
	Where:   besideIt,
	Message: "a CSV is verified with its pack, which is missing: the file is named like the CSV with " + SidecarName("") + " added",
}

// compare renders the pack again.
func (r *rendering) compare(report fleet.EvidenceReport) fleet.EvidenceReport {
	rendered, err := Render(r.pack, r.format)
	if err != nil {
		return addFault(report, fleet.EvidenceFault{Where: "the pack inside", Message: fmt.Sprintf("cannot be rendered: %v", err)})
	}
	if where := pack.FirstDifference(r.content, rendered); where != "" {
		return addFault(report, fleet.EvidenceFault{Where: where, Message: fmt.Sprintf(
			"from here on the %s is not what its pack says, or it was made by another version of Meridian than this: the pack names %s", r.format, madeBy(r.pack))})
	}
	report.Checked = append(report.Checked, fmt.Sprintf("the %s is, byte for byte, what its pack says", r.format))
	return report
}

// madeBy names the version a pack was made by.
func madeBy(packed []byte) string {
	body, err := pack.Body(packed)
	if err != nil || body.Version == "" {
		return "none"
	}
	return body.Version
}

func addFault(report fleet.EvidenceReport, fault fleet.EvidenceFault) fleet.EvidenceReport {
	report.Intact = false
	report.Faults = append(report.Faults, fault)
	return report
}
