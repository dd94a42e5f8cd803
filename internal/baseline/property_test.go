package baseline

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// TestOrderIsTopological: whatever components depend on whichever earlier
// ones, in whatever order they are given, each comes after what it depends on,
// none is lost, and no cycle is seen.
func TestOrderIsTopological(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var components []ResolvedComponent
		for i := range rapid.IntRange(1, 12).Draw(t, "count") {
			component := ResolvedComponent{Name: fmt.Sprint("c", i)}
			for j := range i {
				if rapid.Bool().Draw(t, "depends") {
					component.DependsOn = append(component.DependsOn, fmt.Sprint("c", j))
				}
			}
			components = append(components, component)
		}
		shuffled := rapid.Permutation(components).Draw(t, "order")
		ordered := dependencyOrder(shuffled)
		if len(ordered) != len(components) {
			t.Fatalf("%d of %d components are left", len(ordered), len(components))
		}
		placed := map[string]bool{}
		for _, component := range ordered {
			for _, dependency := range component.DependsOn {
				if !placed[dependency] {
					t.Fatalf("%s comes before %s", component.Name, dependency)
				}
			}
			placed[component.Name] = true
		}
		if cycle := findCycle(specsOf(shuffled)); cycle != nil {
			t.Fatalf("a cycle where there is none: %v", cycle)
		}
	})
}

func specsOf(components []ResolvedComponent) []fleet.BaselineComponent {
	var specs []fleet.BaselineComponent
	for _, component := range components {
		specs = append(specs, fleet.BaselineComponent{Name: component.Name, DependsOn: component.DependsOn})
	}
	return specs
}

// TestCyclesAreFound: an edge back from a component to one that leads to it
// makes a cycle, and what is reported is one.
func TestCyclesAreFound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.IntRange(1, 10).Draw(t, "count")
		dependencies := map[string][]string{}
		var specs []fleet.BaselineComponent
		for i := range count {
			name := fmt.Sprint("c", i)
			dependencies[name] = []string{fmt.Sprint("c", (i+1)%count)}
			for range rapid.IntRange(0, 2).Draw(t, "more") {
				dependencies[name] = append(dependencies[name], fmt.Sprint("c", rapid.IntRange(0, count-1).Draw(t, "to")))
			}
			specs = append(specs, fleet.BaselineComponent{Name: name, DependsOn: dependencies[name]})
		}
		cycle := findCycle(rapid.Permutation(specs).Draw(t, "order"))
		if len(cycle) < 2 || cycle[0] != cycle[len(cycle)-1] {
			t.Fatalf("not a cycle: %v", cycle)
		}
		for i := range len(cycle) - 1 {
			if !slices.Contains(dependencies[cycle[i]], cycle[i+1]) {
				t.Fatalf("%s does not depend on %s", cycle[i], cycle[i+1])
			}
		}
	})
}

// TestDigest: the digest depends on every name and every byte and on nothing
// else, and survives the encoding.
func TestDigest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		files := map[string][]byte{
			"baseline.yaml": []byte(strings.TrimPrefix(baselineYAML("  - {name: a, kind: policy, source: {manifests: a.yaml}}\n"), "-- baseline.yaml --\n")),
			"a.yaml":        []byte("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}"),
		}
		for name, content := range rapid.MapOf(rapid.StringMatching(`[a-z]{1,6}(/[a-z]{1,6}){0,2}\.txt`), rapid.SliceOf(rapid.Byte())).Draw(t, "files") {
			files[name] = content
		}
		bundle, err := FromFiles("b", files)
		if err != nil {
			t.Skip(err) // a file and a folder of one name
		}
		content := bundle.Content()
		decoded, err := Decode(content)
		if err != nil || decoded.Digest != bundle.Digest || !bytes.Equal(decoded.Content(), content) || decoded.Size() != bundle.Size() || decoded.Files() != len(files) {
			t.Fatalf("not the same after decoding: %v", err)
		}
		name := rapid.SampledFrom(slices.Sorted(maps.Keys(files))).Draw(t, "name")
		changed := maps.Clone(files)
		changed[name] = append(slices.Clone(files[name]), '\n')
		renamed := maps.Clone(files)
		delete(renamed, name)
		renamed[name+"x"] = files[name]
		for what, other := range map[string]map[string][]byte{"changed": changed, "renamed": renamed} {
			if digestOf(other) == bundle.Digest {
				t.Fatalf("%s %s, but the digest is the same", what, name)
			}
		}
	})
}

func TestDigestIsThatOfSha256sum(t *testing.T) {
	t.Parallel()
	// printf a > a; printf b > b; sha256sum a b | sha256sum
	const want = "sha256:cb13f400dcb618e400d0f7d54f7cdb330d37a07272cb99a1016cda5830a10556"
	if got := digestOf(map[string][]byte{"b": []byte("b"), "a": []byte("a")}); got != want {
		t.Errorf("got %s", got)
	}
}
