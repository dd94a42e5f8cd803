package baseline

import (
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/manifest"
)

// document is what baseline.yaml says, and where it says it.
type document struct {
	name, version string
	spec          fleet.BaselineSpec
	positions     positions
	faults        []error // beyond its form
}

// declaration is baseline.yaml as it is written.
type declaration struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name        string            `json:"name"`
		Version     string            `json:"version"`
		Labels      map[string]string `json:"labels,omitempty"`
		Annotations map[string]string `json:"annotations,omitempty"`
	} `json:"metadata"`
	Spec fleet.BaselineSpec `json:"spec"`
}

// readDocument decodes baseline.yaml strictly: unknown fields, repeated keys
// and wrong types are faults.
func readDocument(bundlePath string, files map[string][]byte) (*document, error) {
	file := path.Join(bundlePath, documentFile)
	content, ok := files[documentFile]
	if !ok {
		return nil, fleet.Errorf(fleet.ErrInvalid, "a baseline bundle has a %s, and this has none", documentFile).At(fleet.Position{File: bundlePath}, "")
	}
	declared, _, err := manifest.DecodeStrict[declaration](file, content)
	if err != nil {
		return nil, err
	}
	index := newPositions(file, content, 1)
	return &document{
		name: declared.Metadata.Name, version: declared.Metadata.Version, spec: declared.Spec,
		positions: index, faults: checkDeclaration(index, declared),
	}, nil
}

var yamlLine = regexp.MustCompile(`line (\d+)(?::|\b)`)

// yamlFaults gives the parser's complaints the lines they are about.
func yamlFaults(file string, err error) []error {
	text := strings.TrimPrefix(err.Error(), "error converting YAML to JSON: ")
	text = strings.TrimPrefix(strings.TrimPrefix(text, "yaml: "), "unmarshal errors:\n")
	var faults []error
	for _, message := range strings.Split(text, "\n") {
		at := fleet.Position{File: file}
		if found := yamlLine.FindStringSubmatch(message); found != nil {
			at.Line, _ = strconv.Atoi(found[1])
			message = strings.Replace(message, found[0], "", 1)
		}
		message = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(message), ":"))
		faults = append(faults, fleet.Errorf(fleet.ErrInvalid, "not valid YAML: %s", message).At(at, ""))
	}
	return faults
}

// checkDeclaration checks what is not about components.
func checkDeclaration(index positions, declared declaration) []error {
	var faults []error
	fault := func(field, format string, args ...any) {
		faults = append(faults, fleet.Errorf(fleet.ErrInvalid, format, args...).At(index.of(field), field))
	}
	if declared.APIVersion != fleet.APIVersion {
		fault("apiVersion", "want %q, got %q", fleet.APIVersion, declared.APIVersion)
	}
	if declared.Kind != string(fleet.KindBaseline) {
		fault("kind", "want %q, got %q", fleet.KindBaseline, declared.Kind)
	}
	if len(validation.IsDNS1123Label(declared.Metadata.Name)) > 0 {
		fault("metadata.name", "%q is not a DNS label", declared.Metadata.Name)
	}
	if _, err := semver.StrictNewVersion(declared.Metadata.Version); err != nil {
		fault("metadata.version", "%q is not a semantic version such as 1.4.0", declared.Metadata.Version)
	}
	if declared.Spec.Kubernetes != "" {
		if _, err := semver.NewConstraint(declared.Spec.Kubernetes); err != nil {
			fault("spec.kubernetes", "%q is not a version constraint such as \">=1.33 <1.38\"", declared.Spec.Kubernetes)
		}
	}
	if len(declared.Spec.Components) == 0 {
		fault("spec.components", "a baseline has at least one component")
	}
	return faults
}

// componentField names a field of a component.
func componentField(number int, field string) string {
	return strings.TrimSuffix(fmt.Sprintf("spec.components[%d].%s", number, field), ".")
}
