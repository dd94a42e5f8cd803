package baseline

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/manifest"
)

// componentKinds are the kinds a component may have.
var componentKinds = []string{"policy", "gpu-driver", "scheduler", "add-on"}

// loader checks a bundle's components and reads their objects, collecting
// faults.
type loader struct {
	path     string
	files    map[string][]byte
	document *document
	faults   []error
}

func (l *loader) fault(field, format string, args ...any) {
	at := l.document.positions.of(field)
	l.faults = append(l.faults, fleet.Errorf(fleet.ErrInvalid, format, args...).At(at, field))
}

// components loads all components of the bundle.
func (l *loader) components() []component {
	specs := l.document.spec.Components
	l.checkNames(specs)
	l.checkDependencies(specs)
	var out []component
	for number, spec := range specs {
		out = append(out, l.component(number, spec))
	}
	l.checkOwners(out)
	return out
}

func (l *loader) checkNames(specs []fleet.BaselineComponent) {
	first := map[string]int{}
	for number, spec := range specs {
		field := componentField(number, "name")
		if len(validation.IsDNS1123Label(spec.Name)) > 0 {
			l.fault(field, "%q is not a DNS label", spec.Name)
			continue
		}
		if earlier, twice := first[spec.Name]; twice {
			l.fault(field, "component %q is already declared in line %d", spec.Name, l.document.positions.of(componentField(earlier, "name")).Line)
			continue
		}
		first[spec.Name] = number
	}
}

func (l *loader) component(number int, spec fleet.BaselineComponent) component {
	out := component{spec: spec}
	if !slices.Contains(componentKinds, spec.Kind) {
		l.fault(componentField(number, "kind"), "%q is not a kind of component: want one of %s", spec.Kind, strings.Join(componentKinds, ", "))
	}
	if spec.When != "" {
		out.when = l.condition(componentField(number, "when"), factsEnvironment, spec.When)
	}
	for i, inner := range spec.Overrides {
		out.overrides = append(out.overrides, l.override(indexed(componentField(number, "overrides"), i), inner))
	}
	for i, inner := range spec.Ready {
		out.checks = append(out.checks, l.readyCheck(indexed(componentField(number, "ready"), i), inner))
	}
	for _, problem := range manifest.ClassUses(componentField(number, "data"), spec.Data) {
		l.fault(problem.Field, "%s", strings.TrimPrefix(problem.String(), problem.Field+": "))
	}
	out.objects = l.source(componentField(number, "source"), spec.Source)
	return out
}

func indexed(field string, number int) string { return fmt.Sprintf("%s[%d]", field, number) }

func (l *loader) override(field string, spec fleet.ComponentOverride) override {
	out := override{spec: spec}
	if spec.Match == "" {
		l.fault(field+".match", "an override says where it holds")
	} else {
		out.match = l.condition(field+".match", factsEnvironment, spec.Match)
	}
	if len(spec.Patches) == 0 && len(spec.Exclude) == 0 {
		l.fault(field, "an override has patches or exclude")
	}
	for i, inner := range spec.Patches {
		merge := map[string]any{}
		if err := json.Unmarshal(inner.Merge, &merge); err != nil {
			l.fault(indexed(field+".patches", i)+".merge", "want a mapping to merge into the objects")
			continue
		}
		if problem := protectedField(merge); problem != "" {
			l.fault(indexed(field+".patches", i)+".merge", "%s cannot be changed by an override", problem)
		}
		out.patches = append(out.patches, patch{target: inner.Target, merge: normalizeFacts(merge).(map[string]any)})
	}
	for i, inner := range spec.Exclude {
		if inner == (fleet.ObjectPattern{}) {
			l.fault(indexed(field+".exclude", i), "say which objects to leave out")
		}
	}
	return out
}

var resourcePattern = regexp.MustCompile(`^[a-z0-9]+(\.[a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$`)

func (l *loader) readyCheck(field string, spec fleet.ReadyCheck) readyCheck {
	out := readyCheck{spec: spec}
	if !resourcePattern.MatchString(spec.Resource) {
		l.fault(field+".resource", "%q is not a resource such as daemonsets.apps", spec.Resource)
	}
	if spec.Name == "" {
		l.fault(field+".name", "a ready check names an object")
	}
	if spec.Check == "" {
		l.fault(field+".check", "a ready check has a condition")
		return out
	}
	out.check = l.condition(field+".check", objectEnvironment, spec.Check)
	return out
}

// condition compiles an expression; a fault is placed within its text.
func (l *loader) condition(field string, environment func() (*cel.Env, error), text string) *expression {
	compiled, err := compileCondition(environment, text)
	if err == nil {
		return compiled
	}
	at := l.document.positions.of(field)
	var fault *expressionError
	if errors.As(err, &fault) {
		at = l.document.positions.within(field, fault.line, fault.column)
	}
	l.faults = append(l.faults, fleet.Errorf(fleet.ErrInvalid, "%q: %v", text, err).At(at, field))
	return nil
}

// source reads the objects of a component.
func (l *loader) source(field string, spec fleet.ComponentSource) []sourceObject {
	given := slices.DeleteFunc([]string{spec.Manifests, spec.Kustomize, spec.Generated}, func(text string) bool { return text == "" })
	if len(given) != 1 {
		l.fault(field, "want one of manifests, kustomize and generated")
		return nil
	}
	if spec.Generated != "" {
		l.checkGenerated(field+".generated", spec.Generated)
		return nil
	}
	kind := "manifests"
	if spec.Kustomize != "" {
		kind = "kustomize"
	}
	field += "." + kind
	name, ok := l.insidePath(field, cmp.Or(spec.Manifests, spec.Kustomize))
	if !ok {
		return nil
	}
	var objects []sourceObject
	var faults []error
	if kind == "kustomize" {
		objects, faults = l.kustomize(field, name)
	} else {
		objects, faults = l.manifests(field, name)
	}
	l.faults = append(l.faults, faults...)
	return objects
}

// insidePath resolves a source path and wants it to exist inside the bundle.
func (l *loader) insidePath(field, source string) (string, bool) {
	name := path.Clean(source)
	switch {
	case path.IsAbs(source) || strings.Contains(source, `\`):
		l.fault(field, "%q is not a path relative to the bundle", source)
	case name == ".." || strings.HasPrefix(name, "../"):
		l.fault(field, "%q leaves the bundle", source)
	case l.files[name] == nil && !folders(l.files)[name]:
		l.fault(field, "%q is not in the bundle", source)
	default:
		return name, true
	}
	return "", false
}

// manifests reads a file, or all YAML and JSON files of a folder.
func (l *loader) manifests(field, name string) ([]sourceObject, []error) {
	names := []string{name}
	if _, isFile := l.files[name]; !isFile {
		names = slices.DeleteFunc(filesBelow(l.files, name), func(file string) bool {
			return file == documentFile || !slices.Contains([]string{".yaml", ".yml", ".json"}, path.Ext(file))
		})
	}
	var objects []sourceObject
	var faults []error
	for _, file := range names {
		found, problems := parseManifests(path.Join(l.path, file), l.files[file])
		objects, faults = append(objects, found...), append(faults, problems...)
	}
	if len(objects) == 0 && len(faults) == 0 {
		l.fault(field, "%q holds no Kubernetes object", name)
	}
	return objects, faults
}

// checkOwners wants each object to be in one component only, once.
func (l *loader) checkOwners(components []component) {
	type owner struct {
		component string
		at        fleet.Position
	}
	owners := map[objectKey]owner{}
	for _, component := range components {
		for _, source := range component.objects {
			key := keyOf(source.object)
			earlier, twice := owners[key]
			if !twice {
				owners[key] = owner{component.spec.Name, source.at}
				continue
			}
			l.faults = append(l.faults, fleet.Errorf(fleet.ErrInvalid, "component %q has an object that component %q has already (%s)",
				component.spec.Name, earlier.component, earlier.at).On(key.String()).At(source.at, ""))
		}
	}
}
