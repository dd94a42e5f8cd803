package baseline

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// document is what baseline.yaml says, and where it says it.
type document struct {
	name, version string
	spec          fleet.BaselineSpec
	positions     positions
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
	parts := splitDocuments(content)
	if len(parts) != 1 {
		return nil, fleet.Errorf(fleet.ErrInvalid, "want one document, got %d", len(parts)).At(fleet.Position{File: file}, "")
	}
	index := newPositions(file, parts[0].content, parts[0].line)
	declared, err := decodeDeclaration(index, parts[0])
	if err != nil {
		return nil, err
	}
	result := &document{name: declared.Metadata.Name, version: declared.Metadata.Version, spec: declared.Spec, positions: index}
	return result, errors.Join(checkDeclaration(index, declared)...)
}

func decodeDeclaration(index positions, part yamlDocument) (declaration, error) {
	var declared declaration
	raw, err := yaml.YAMLToJSONStrict(atLine(part.content, part.line))
	if err != nil {
		return declared, errors.Join(yamlFaults(index.file, err)...)
	}
	strict, err := json.UnmarshalStrict(raw, &declared)
	var faults []error
	for _, fault := range strict {
		faults = append(faults, strictFault(index, fault))
	}
	if err != nil {
		faults = append(faults, typeFault(index, err))
	}
	return declared, errors.Join(faults...)
}

var (
	yamlLine     = regexp.MustCompile(`line (\d+)(?::|\b)`)
	quotedField  = regexp.MustCompile(`field "([^"]+)"`)
	goStructPath = regexp.MustCompile(`into Go (?:struct field \w+\.(\S+)|value) of type (\S+)`)
	goValueType  = regexp.MustCompile(`cannot unmarshal (\w+)`)
)

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

func strictFault(index positions, err error) error {
	field := ""
	if found := quotedField.FindStringSubmatch(err.Error()); found != nil {
		field = found[1]
	}
	what := "unknown field"
	if strings.HasPrefix(err.Error(), "duplicate") {
		what = "field is set twice"
	}
	return fleet.Errorf(fleet.ErrInvalid, "%s", what).At(index.of(field), field)
}

func typeFault(index positions, err error) error {
	found := goStructPath.FindStringSubmatch(err.Error())
	if found == nil {
		return fleet.Errorf(fleet.ErrInvalid, "%v", err).At(index.of(""), "")
	}
	field, got := found[1], "another type"
	if value := goValueType.FindStringSubmatch(err.Error()); value != nil {
		got = value[1]
	}
	return fleet.Errorf(fleet.ErrInvalid, "want %s, got %s", plainType(found[2]), got).At(index.of(field), field)
}

// plainType names a Go type as a person would.
func plainType(goType string) string {
	switch {
	case strings.HasPrefix(goType, "[]"):
		return "a list"
	case goType == "string":
		return "a text"
	case goType == "bool":
		return "true or false"
	case strings.HasPrefix(goType, "int"):
		return "a number"
	}
	return "a mapping"
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
	if problems := validation.IsDNS1123Label(declared.Metadata.Name); len(problems) > 0 {
		fault("metadata.name", "%q is not a name: %s", declared.Metadata.Name, problems[0])
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
