package schematest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"
)

// Schemas are the schemas of custom resources by version and kind.
type Schemas map[schema.GroupVersionKind]*kindSchema

type kindSchema struct {
	validator  validation.SchemaValidator
	structural *structuralschema.Structural
	rules      *cel.Validator
}

// ModuleDir is where the Go module of a dependency lies.
func ModuleDir(t *testing.T, module string) string {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		t.Fatalf("find module %s: %v", module, err)
	}
	return strings.TrimSpace(string(output))
}

// Load reads every custom resource definition in the given folders whose file
// name has one of the given parts.
func Load(t *testing.T, parts []string, folders ...string) Schemas {
	t.Helper()
	schemas := Schemas{}
	for _, folder := range folders {
		for _, part := range parts {
			paths, err := filepath.Glob(filepath.Join(folder, "*"+part+".yaml"))
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range paths {
				if err := schemas.read(path); err != nil {
					t.Fatalf("%s: %v", path, err)
				}
			}
		}
	}
	return schemas
}

func (s Schemas) read(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var definition apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(content, &definition); err != nil {
		return err
	}
	for _, version := range definition.Spec.Versions {
		var internal apiextensions.JSONSchemaProps
		if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(version.Schema.OpenAPIV3Schema, &internal, nil); err != nil {
			return err
		}
		structural, err := structuralschema.NewStructural(&internal)
		if err != nil {
			return err
		}
		validator, _, err := validation.NewSchemaValidator(&internal)
		if err != nil {
			return err
		}
		kind := schema.GroupVersionKind{Group: definition.Spec.Group, Version: version.Name, Kind: definition.Spec.Names.Kind}
		s[kind] = &kindSchema{
			validator: validator, structural: structural,
			rules: cel.NewValidator(structural, true, celconfig.PerCallLimit),
		}
	}
	return nil
}

// Check lists what an API server would refuse, or drop in silence, of an object.
func (s Schemas) Check(raw json.RawMessage) []error {
	var object map[string]any
	if err := yaml.Unmarshal(raw, &object); err != nil { // whole numbers stay whole
		return []error{err}
	}
	apiVersion, _ := object["apiVersion"].(string)
	kind, _ := object["kind"].(string)
	known, found := s[schema.FromAPIVersionAndKind(apiVersion, kind)]
	if !found {
		return []error{fmt.Errorf("there is no schema of %s %s", apiVersion, kind)}
	}
	var faults []error
	for _, path := range pruning.PruneWithOptions(object, known.structural, true, structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}) {
		faults = append(faults, fmt.Errorf("%s: unknown field %s", kind, path))
	}
	for _, fault := range validation.ValidateCustomResource(field.NewPath(kind), object, known.validator) {
		faults = append(faults, fault)
	}
	if known.rules != nil {
		broken, _ := known.rules.Validate(context.Background(), field.NewPath(kind), known.structural, object, nil, celconfig.RuntimeCELCostBudget)
		for _, fault := range broken {
			faults = append(faults, fault)
		}
	}
	return faults
}
