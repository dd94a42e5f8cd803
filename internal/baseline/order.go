package baseline

import (
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// checkDependencies wants every dependency to be a component, and no cycle.
func (l *loader) checkDependencies(specs []fleet.BaselineComponent) {
	known := map[string]bool{}
	for _, spec := range specs {
		known[spec.Name] = true
	}
	sound := true
	for number, spec := range specs {
		for i, dependency := range spec.DependsOn {
			if !known[dependency] {
				l.fault(indexed(componentField(number, "dependsOn"), i), "%q is not a component of this baseline", dependency)
				sound = false
			}
		}
	}
	if cycle := findCycle(specs); sound && cycle != nil {
		first := slices.IndexFunc(specs, func(spec fleet.BaselineComponent) bool { return spec.Name == cycle[0] })
		l.fault(componentField(first, "dependsOn"), "components depend on each other in a circle: %s", strings.Join(cycle, " → "))
	}
}

// findCycle returns a cycle of dependsOn, its first component repeated at the
// end, or nil. It is the same for the same components.
func findCycle(specs []fleet.BaselineComponent) []string {
	dependencies := map[string][]string{}
	for _, spec := range specs {
		dependencies[spec.Name] = spec.DependsOn
	}
	done := map[string]bool{}
	var path []string
	var visit func(name string) []string
	visit = func(name string) []string {
		if at := slices.Index(path, name); at >= 0 {
			return append(slices.Clone(path[at:]), name)
		}
		if done[name] {
			return nil
		}
		path = append(path, name)
		for _, dependency := range dependencies[name] {
			if cycle := visit(dependency); cycle != nil {
				return cycle
			}
		}
		path, done[name] = path[:len(path)-1], true
		return nil
	}
	for _, spec := range specs {
		if cycle := visit(spec.Name); cycle != nil {
			return cycle
		}
	}
	return nil
}

// dependencyOrder sorts components so that each comes after those it depends
// on, keeping the given order otherwise. Dependencies that are not among the
// components count as met. There must be no cycle.
func dependencyOrder(components []ResolvedComponent) []ResolvedComponent {
	byName := map[string]ResolvedComponent{}
	for _, component := range components {
		byName[component.Name] = component
	}
	var ordered []ResolvedComponent
	placed := map[string]bool{}
	var place func(component ResolvedComponent)
	place = func(component ResolvedComponent) {
		if placed[component.Name] {
			return
		}
		placed[component.Name] = true
		for _, dependency := range component.DependsOn {
			if needed, ok := byName[dependency]; ok {
				place(needed)
			}
		}
		ordered = append(ordered, component)
	}
	for _, component := range components {
		place(component)
	}
	return ordered
}
