package manifest

import (
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/residency"
)

func checkPolicy(report *report, name string, spec fleet.ResidencyPolicySpec) {
	report.residencyName(name)
	if name == fleet.BuiltInPolicy {
		report.fault("metadata.name", "%q names Meridian's own rules", name).Advise("choose another name")
	}
	report.problems(residency.ValidatePolicy(spec))
}

func checkGroup(report *report, name string, spec fleet.JurisdictionGroupSpec) {
	report.residencyName(name)
	if country, ok := residency.Country(name); ok {
		report.fault("metadata.name", "%s is the code of a country, %s", name, country).
			Advise("a rule that says %s could mean either; choose another name", name)
	}
	report.problems(residency.ValidateGroup(spec))
}

func checkClass(report *report, name string, spec fleet.DataClassSpec) {
	report.residencyName(name)
	report.problems(residency.ValidateClass(spec))
}

func checkDataset(report *report, name string, spec fleet.DatasetSpec) {
	report.residencyName(name)
	report.problems(residency.ValidateDataset(spec))
}

func checkWorkload(report *report, name string, spec fleet.WorkloadSpec) {
	report.residencyName(name)
	report.problems(residency.ValidateWorkload(spec))
}

// residencyName checks the name of a policy, group, class, dataset or
// workload. It stands in verdicts (POLICY/RULE) and in labels of Kubernetes:
// at most 63 letters, digits, -, _ and ., beginning and ending with a letter
// or digit, and no two dots in a row, as the parts of a class have names.
func (r *report) residencyName(name string) {
	if name == "" {
		return // checkEnvelope says so
	}
	if len(validation.IsValidLabelValue(name)) > 0 || strings.Contains(name, "..") {
		r.fault("metadata.name", "%q is not a name", name).
			Advise("at most 63 letters, digits, -, _ and single dots, beginning and ending with a letter or digit, such as personal.eu.health")
	}
}

// problems reports what the rules of residency find wrong with a document.
func (r *report) problems(problems []residency.Problem) {
	for _, problem := range problems {
		if fault := r.fault(problem.Field, "%s", problem.Message); problem.Hint != "" {
			fault.Hint = problem.Hint
		}
	}
}

// ClassUses finds what is wrong with what is done to classified data, written
// in a field of any document.
func ClassUses(field string, uses []fleet.ClassUse) []residency.Problem {
	if len(uses) == 0 {
		return nil
	}
	problems := residency.ValidateWorkload(fleet.WorkloadSpec{Classes: uses})
	for i := range problems {
		problems[i].Field = field + strings.TrimPrefix(problems[i].Field, "spec.classes")
	}
	return problems
}
