package manifest

import (
	"errors"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/Masterminds/semver/v3"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// report gathers what is wrong with a document beyond its form.
type report struct {
	index   *Index
	faults  []error
	faulted map[string]bool // fields with a fault
}

// newReport begins with the faults that reading the document found.
func newReport(d *decoder) *report {
	r := &report{index: d.index, faults: d.faults, faulted: map[string]bool{}}
	for _, err := range d.faults {
		var fault *fleet.Error
		if errors.As(err, &fault) && fault.Field != "" {
			r.faulted[fault.Field] = true
		}
	}
	return r
}

// fault notes that a field breaks a rule, unless the field, or one around it,
// is at fault already: its value is then not what was written.
func (r *report) fault(field, format string, arguments ...any) *fleet.Error {
	fault := r.index.Fault(field, format, arguments...)
	for outer := field; outer != ""; outer = parent(outer) {
		if r.faulted[outer] {
			return fault
		}
	}
	r.faulted[field] = true
	r.faults = append(r.faults, fault)
	return fault
}

// checkEnvelope checks what all kinds have in common.
func checkEnvelope(report *report, apiVersion, name string, labels, annotations map[string]string) {
	switch apiVersion {
	case fleet.APIVersion:
	case "":
		report.fault("apiVersion", "is missing").Advise("apiVersion: %s", fleet.APIVersion)
	default:
		report.fault("apiVersion", "unknown version %q, want %s", apiVersion, fleet.APIVersion)
	}
	if name == "" {
		report.fault("metadata.name", "is missing")
	}
	report.labels("metadata.labels", labels)
	for key := range annotations {
		report.key(Child("metadata.annotations", key), key)
	}
}

// key checks the key of a label, an annotation or a taint.
func (r *report) key(field, key string) {
	if len(validation.IsQualifiedName(key)) > 0 {
		r.fault(field, "%q is not a key", key).
			Advise("an optional DNS name and /, then at most 63 letters, digits, -, _ and .")
	}
}

// labelValue checks the value of a label or a taint.
func (r *report) labelValue(field, value string) {
	if len(validation.IsValidLabelValue(value)) > 0 {
		r.fault(field, "%q is not a label's value", value).
			Advise("at most 63 letters, digits, -, _ and ., beginning and ending with a letter or digit")
	}
}

func (r *report) labels(field string, labels map[string]string) {
	for key, value := range labels {
		r.key(Child(field, key), key)
		r.labelValue(Child(field, key), value)
	}
}

// dnsLabel checks a name that becomes part of Kubernetes names.
func (r *report) dnsLabel(field, name string) {
	if name == "" {
		r.fault(field, "is missing")
		return
	}
	if len(validation.IsDNS1123Label(name)) > 0 {
		r.fault(field, "%q is not a DNS label", name).
			Advise("at most 63 of a-z, 0-9 and -, beginning and ending with a letter or digit")
	}
}

func (r *report) regionName(field, region string) {
	provider, id, ok := fleet.SplitRegion(region)
	switch {
	case region == "":
		r.fault(field, "is missing")
	case !ok || len(validation.IsDNS1123Label(provider)) > 0 || len(validation.IsDNS1123Label(id)) > 0 ||
		len(validation.IsDNS1123Label(fleet.DefaultClusterName(region))) > 0:
		r.fault(field, "%q is not a region", region).Advise("want PROVIDER/ID, such as aws/eu-central-1")
	}
}

func (r *report) baselineName(field, reference string) {
	name, version, ok := fleet.SplitBaseline(reference)
	if !ok || len(validation.IsDNS1123Label(name)) > 0 {
		r.fault(field, "%q is not a baseline", reference).Advise("want NAME@VERSION, such as platform@1.4.0")
	} else if _, err := semver.StrictNewVersion(version); err != nil {
		r.fault(field, "%q is not a version", version).Advise("want three numbers, such as 1.4.0")
	}
}
