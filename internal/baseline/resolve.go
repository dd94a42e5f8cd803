package baseline

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Facts are what a bundle's expressions know of a cluster.
type Facts struct {
	Provider string         // aws, gcp, azure, …
	Region   map[string]any // name, id, country, city, partition, labels, …
	Cluster  map[string]any // name, labels, gpus, gpuProducts, nodes, kubernetesVersion, profile, …

	Generated map[string][]json.RawMessage // Kubernetes objects made for the cluster, by the name sources give them
}

// variables are the facts in the form CEL reads.
func (f Facts) variables() map[string]any {
	orEmpty := func(facts map[string]any) map[string]any {
		if facts == nil {
			return map[string]any{}
		}
		return normalizeFacts(facts).(map[string]any)
	}
	return map[string]any{"provider": f.Provider, "region": orEmpty(f.Region), "cluster": orEmpty(f.Cluster)}
}

// Resolved is a baseline as one cluster should have it.
type Resolved struct {
	Name       string
	Version    string
	Digest     string              // of the bundle
	Components []ResolvedComponent // each after those it depends on
}

// ResolvedComponent is a component that the cluster should have.
type ResolvedComponent struct {
	Name      string
	Kind      string
	DependsOn []string // only components that the cluster should have
	Objects   []*unstructured.Unstructured
	Data      []fleet.ClassUse // classified data it handles there

	checks []readyCheck
}

// Data is the classified data that the components handle on the cluster.
func (r *Resolved) Data() []fleet.ClassUse {
	var uses []fleet.ClassUse
	for _, component := range r.Components {
		uses = append(uses, component.Data...)
	}
	return uses
}

// Objects counts the objects of all components.
func (r *Resolved) Objects() int {
	count := 0
	for _, component := range r.Components {
		count += len(component.Objects)
	}
	return count
}

// Resolve decides what a cluster with these facts should have. It is pure: the
// same bundle and facts give the same objects.
func (b *Bundle) Resolve(facts Facts) (*Resolved, error) {
	variables := facts.variables()
	if err := b.checkVersion(variables["cluster"].(map[string]any)); err != nil {
		return nil, err
	}
	resolved := &Resolved{Name: b.Name, Version: b.Version, Digest: b.Digest}
	included := map[string]bool{}
	for _, component := range b.components {
		wanted, err := component.wanted(variables)
		if err != nil {
			return nil, err
		}
		if !wanted {
			continue
		}
		objects, left, err := component.resolve(facts, variables)
		if err != nil {
			return nil, err
		}
		included[component.spec.Name] = true
		resolved.Components = append(resolved.Components, ResolvedComponent{
			Name: component.spec.Name, Kind: component.spec.Kind, DependsOn: component.spec.DependsOn,
			Objects: objects, Data: component.spec.Data, checks: checksWithout(component.checks, left),
		})
	}
	for i := range resolved.Components {
		resolved.Components[i].DependsOn = only(included, resolved.Components[i].DependsOn)
	}
	resolved.Components = dependencyOrder(resolved.Components)
	return resolved, nil
}

func only(included map[string]bool, names []string) []string {
	var out []string
	for _, name := range names {
		if included[name] {
			out = append(out, name)
		}
	}
	return out
}

// checkVersion compares the cluster's Kubernetes version with the one the
// baseline is made for. Suffixes of vendors (-eks-1a2b3c, +k3s1) do not count.
func (b *Bundle) checkVersion(cluster map[string]any) error {
	if b.Spec.Kubernetes == "" {
		return nil
	}
	name := fleet.BaselineName(b.Name, b.Version)
	text, _ := cluster["kubernetesVersion"].(string)
	version, err := semver.NewVersion(strings.TrimSpace(text))
	if err != nil {
		return fleet.Errorf(fleet.ErrInvalid, "wants Kubernetes %s, but the cluster's version (%q) is not known", b.Spec.Kubernetes, text).
			On("Baseline " + name)
	}
	constraint, err := semver.NewConstraint(b.Spec.Kubernetes)
	if err != nil {
		return fleet.Errorf(fleet.ErrInternal, "version constraint: %w", err)
	}
	if !constraint.Check(semver.New(version.Major(), version.Minor(), version.Patch(), "", "")) {
		return fleet.Errorf(fleet.ErrConflict, "wants Kubernetes %s, but the cluster runs %s", b.Spec.Kubernetes, text).
			On("Baseline " + name).Advise("upgrade the cluster, or choose another version of the baseline")
	}
	return nil
}

// wanted decides `when`.
func (c component) wanted(variables map[string]any) (bool, error) {
	if c.when == nil {
		return true, nil
	}
	holds, err := c.when.holds(variables)
	if err != nil {
		return false, c.evaluationFault("when", c.when, err)
	}
	return holds, nil
}

func (c component) evaluationFault(field string, expression *expression, err error) error {
	return fleet.Errorf(fleet.ErrInvalid, "cannot evaluate %q: %w", expression.text, err).
		On("component "+c.spec.Name).At(fleet.Position{}, field)
}

// resolve applies overrides and substitutions to copies of the objects. It also
// says which objects an override leaves out.
func (c component) resolve(facts Facts, variables map[string]any) (objects, left []*unstructured.Unstructured, err error) {
	holding, err := c.holdingOverrides(variables)
	if err != nil {
		return nil, nil, err
	}
	sources, err := c.sources(facts)
	if err != nil {
		return nil, nil, err
	}
	for _, source := range sources {
		if excluded(holding, source.object) {
			left = append(left, source.object)
			continue
		}
		object := source.object.DeepCopy()
		for _, override := range holding {
			for _, patch := range override.patches {
				if matches(patch.target, object) {
					patch.apply(object)
				}
			}
		}
		if err := c.substitute(object, variables); err != nil {
			return nil, nil, err
		}
		objects = append(objects, object)
	}
	return objects, left, nil
}

func (c component) holdingOverrides(variables map[string]any) ([]override, error) {
	var holding []override
	for i, override := range c.overrides {
		holds, err := override.match.holds(variables)
		if err != nil {
			return nil, c.evaluationFault(fmt.Sprintf("overrides[%d].match", i), override.match, err)
		}
		if holds {
			holding = append(holding, override)
		}
	}
	return holding, nil
}

func excluded(overrides []override, object *unstructured.Unstructured) bool {
	for _, override := range overrides {
		for _, pattern := range override.spec.Exclude {
			if matches(pattern, object) {
				return true
			}
		}
	}
	return false
}

// checksWithout drops the checks on objects that the cluster is not to have.
func checksWithout(checks []readyCheck, left []*unstructured.Unstructured) []readyCheck {
	return slices.DeleteFunc(slices.Clone(checks), func(check readyCheck) bool {
		return slices.ContainsFunc(left, func(object *unstructured.Unstructured) bool {
			plural, _ := meta.UnsafeGuessKindToResource(object.GroupVersionKind())
			return plural.GroupResource() == schema.ParseGroupResource(check.spec.Resource) &&
				object.GetName() == check.spec.Name && object.GetNamespace() == check.spec.Namespace
		})
	})
}

func (c component) substitute(object *unstructured.Unstructured, variables map[string]any) error {
	if object.GetAnnotations()[AnnotationSubstitute] != "true" {
		return nil
	}
	key := keyOf(object)
	if _, err := substitute(object.Object, variables); err != nil {
		return fleet.Errorf(fleet.ErrInvalid, "%w", err).On(key.String()).At(fleet.Position{}, "component "+c.spec.Name)
	}
	if keyOf(object) != key {
		return fleet.Errorf(fleet.ErrInvalid, "substitution must not change an object's kind or name").On(key.String())
	}
	return nil
}
