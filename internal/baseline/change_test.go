package baseline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

func testNoChange(t *testing.T, l *live) {
	resolved := load(t, "no-change", "1.0.0", namespaceYAML("no-change")+configMapYAML("no-change", "a", "1")+configMapYAML("no-change", "b", "2")+
		"---\n{apiVersion: v1, kind: ServiceAccount, metadata: {namespace: no-change, name: c}}\n"+
		"---\n{apiVersion: v1, kind: Secret, metadata: {namespace: no-change, name: d}, stringData: {key: text}}\n")
	wantCounts(t, l.mustApply(t, resolved), 5, 0, 0, 0)
	before := l.versions(t, "no-change")
	wantCounts(t, l.mustApply(t, resolved), 0, 0, 5, 0)
	if after := l.versions(t, "no-change"); !maps.Equal(before, after) || len(after) < 5 {
		t.Errorf("a run with nothing to do wrote something:\n%v\n%v", before, after)
	}
	// Another connection, which knows nothing yet, has nothing to do either.
	wantCounts(t, connectTo(t, l.config).mustApply(t, resolved), 0, 0, 5, 0)
}

func testNewVersion(t *testing.T, l *live) {
	const ns = "new-version"
	first := namespaceYAML(ns) + configMapYAML(ns, "same", "1") + configMapYAML(ns, "changed", "1") + configMapYAML(ns, "dropped", "1")
	l.mustApply(t, load(t, ns, "1.0.0", first))
	before := l.versions(t, ns)
	second := namespaceYAML(ns) + configMapYAML(ns, "same", "1") + configMapYAML(ns, "changed", "2") + configMapYAML(ns, "added", "1")
	result := l.mustApply(t, load(t, ns, "1.1.0", second))
	wantCounts(t, result, 1, 1, 2, 1)
	after := l.versions(t, ns)
	if before["ConfigMap same"] != after["ConfigMap same"] || before["ConfigMap changed"] == after["ConfigMap changed"] {
		t.Errorf("touched the wrong objects: %v to %v", before, after)
	}
	if got := l.value(t, ns, "dropped"); got != "(gone)" {
		t.Errorf("a dropped object is still there: %q", got)
	}
	want := []fleet.ObjectChange{
		{Component: "main", Object: "ConfigMap new-version/changed", Action: "update"},
		{Component: "main", Object: "ConfigMap new-version/added", Action: "create"},
		{Component: "main", Object: "ConfigMap new-version/dropped", Action: "delete"},
	}
	if !slices.EqualFunc(result.Changes, want, func(a, b fleet.ObjectChange) bool { return fmt.Sprint(a) == fmt.Sprint(b) }) {
		t.Errorf("changes: %v", result.Changes)
	}
}

func testHandEdit(t *testing.T, l *live) {
	const ns = "hand-edit"
	version := func(version, added string) *Resolved {
		return load(t, ns, version, namespaceYAML(ns)+configMapYAML(ns, "edited", "1")+added)
	}
	l.mustApply(t, version("1.0.0", ""))
	l.handEdit(t, ns, "edited", "by hand")
	wantCounts(t, l.mustApply(t, version("1.0.0", "")), 0, 1, 1, 0)
	if got := l.value(t, ns, "edited"); got != "1" {
		t.Errorf("not healed: %q", got)
	}
	// A field removed by hand comes back too.
	if _, err := l.kube.CoreV1().ConfigMaps(ns).Patch(t.Context(), "edited", types.JSONPatchType, []byte(`[{"op":"remove","path":"/data/key"}]`), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	wantCounts(t, l.mustApply(t, version("1.0.0", "")), 0, 1, 1, 0)
	if got := l.value(t, ns, "edited"); got != "1" {
		t.Errorf("not healed: %q", got)
	}
	// So does one that was edited before a new version changed the object.
	l.handEdit(t, ns, "edited", "by hand again")
	changed := load(t, ns, "1.1.0", namespaceYAML(ns)+"---\n{apiVersion: v1, kind: ConfigMap, metadata: {namespace: hand-edit, name: edited}, data: {key: \"2\", more: x}}\n")
	wantCounts(t, l.mustApply(t, changed), 0, 1, 1, 0)
	if got := l.value(t, ns, "edited"); got != "2" {
		t.Errorf("not healed: %q", got)
	}
	// A field that never was ours is not taken.
	if _, err := l.kube.CoreV1().ConfigMaps(ns).Patch(t.Context(), "edited", types.MergePatchType, []byte(`{"data":{"theirs":"x"}}`), metav1.PatchOptions{FieldManager: "somebody"}); err != nil {
		t.Fatal(err)
	}
	wantCounts(t, l.mustApply(t, changed), 0, 0, 2, 0)
	taking := load(t, ns, "1.2.0", namespaceYAML(ns)+"---\n{apiVersion: v1, kind: ConfigMap, metadata: {namespace: hand-edit, name: edited}, data: {key: \"2\", more: x, theirs: \"y\"}}\n")
	if _, err := l.Apply(t.Context(), taking, ApplyOptions{}); !errors.Is(err, fleet.ErrConflict) || !strings.Contains(err.Error(), "data.theirs (owned by somebody)") {
		t.Errorf("want a conflict, got %v", err)
	}
}

const widgetDefinition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.%[1]s.example}
spec:
  group: %[1]s.example
  scope: Namespaced
  names: {kind: Widget, listKind: WidgetList, plural: widgets, singular: widget}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}, status: {type: object, x-kubernetes-preserve-unknown-fields: true}}}}
    subresources: {status: {}}
---
apiVersion: %[1]s.example/v1
kind: Widget
metadata: {namespace: %[1]s, name: one}
spec: {size: 1}
---
{apiVersion: v1, kind: Namespace, metadata: {name: %[1]s}}
`

func testDefinitions(t *testing.T, l *live) {
	resolved := load(t, "widgets", "1.0.0", fmt.Sprintf(widgetDefinition, "widgets"))
	plan, err := l.Plan(t.Context(), resolved)
	if err != nil || plan.Create != 3 {
		t.Fatalf("plan on an empty cluster: %+v %v", plan, err)
	}
	wantCounts(t, l.mustApply(t, resolved), 3, 0, 0, 0)
	wantCounts(t, l.mustApply(t, resolved), 0, 0, 3, 0)
	// Dropping the definition takes its objects with it.
	wantCounts(t, l.mustApply(t, load(t, "widgets", "1.1.0", namespaceYAML("widgets"))), 0, 0, 1, 2)
	eventually(t, "the definition to go", func() bool {
		_, err := l.dynamic.Resource(definitionsResource).Get(t.Context(), "widgets.widgets.example", metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
	wantCounts(t, l.mustApply(t, resolved), 2, 0, 1, 0)
}

var definitionsResource = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

func testInterrupted(t *testing.T, l *live) {
	const ns = "interrupted"
	objects := func(value string, from, to int) string {
		out := namespaceYAML(ns)
		for i := from; i < to; i++ {
			out += configMapYAML(ns, fmt.Sprint("object-", i), value)
		}
		return out
	}
	count := func() int {
		list, err := l.kube.CoreV1().ConfigMaps(ns).List(t.Context(), metav1.ListOptions{LabelSelector: LabelBaseline + "=" + ns})
		if err != nil {
			t.Fatal(err)
		}
		return len(list.Items)
	}
	interruptions := 0
	for round := range 6 {
		resolved := load(t, ns, fmt.Sprintf("1.%d.0", round), objects(fmt.Sprint(round), 10*round, 10*round+40))
		ctx, cancel := context.WithCancel(t.Context())
		go func() { // after so many of the round's objects
			eventually(t, "objects of the round", func() bool {
				list, err := l.kube.CoreV1().ConfigMaps(ns).List(t.Context(), metav1.ListOptions{LabelSelector: LabelBaseline + "=" + ns})
				done := 0
				for _, item := range list.Items {
					if item.Data["key"] == fmt.Sprint(round) {
						done++
					}
				}
				return err != nil || done > 7*round || ctx.Err() != nil
			})
			cancel()
		}()
		if _, err := l.Apply(ctx, resolved, ApplyOptions{}); err != nil {
			interruptions++
		}
		cancel()
	}
	t.Logf("%d of 6 runs were interrupted", interruptions)
	l.mustApply(t, load(t, ns, "2.0.0", objects("last", 55, 60)))
	if got := count(); got != 5 {
		t.Errorf("want exactly the last version's 5 objects, got %d", got)
	}
	wantCounts(t, l.mustApply(t, load(t, ns, "2.0.0", objects("last", 55, 60))), 0, 0, 6, 0)
}

func testTerminatingNamespace(t *testing.T, l *live) {
	const ns = "terminating"
	resolved := load(t, ns, "1.0.0", namespaceYAML(ns)+configMapYAML(ns, "a", "1"))
	l.mustApply(t, resolved)
	if err := l.kube.CoreV1().Namespaces().Delete(t.Context(), ns, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if result := l.mustApply(t, resolved); result.Created == 0 {
		t.Errorf("the namespace was not made anew: %+v", result)
	}
	if got := l.value(t, ns, "a"); got != "1" {
		t.Errorf("got %q", got)
	}
	found, err := l.kube.CoreV1().Namespaces().Get(t.Context(), ns, metav1.GetOptions{})
	if err != nil || found.DeletionTimestamp != nil {
		t.Errorf("the namespace is on its way out: %v %v", found, err)
	}
}

func testImmutable(t *testing.T, l *live) {
	const ns = "immutable"
	config := func(version, value, annotations string) *Resolved {
		return load(t, ns, version, namespaceYAML(ns)+fmt.Sprintf("---\n{apiVersion: v1, kind: ConfigMap, metadata: {namespace: immutable, name: fixed, annotations: {%s}}, immutable: true, data: {key: %q}}\n", annotations, value))
	}
	l.mustApply(t, config("1.0.0", "1", ""))
	_, err := l.Apply(t.Context(), config("1.1.0", "2", ""), ApplyOptions{})
	if !errors.Is(err, fleet.ErrConflict) || !strings.Contains(err.Error(), "ConfigMap immutable/fixed") || !strings.Contains(err.Error(), AnnotationReplace) {
		t.Fatalf("want a conflict that says what to do, got %v", err)
	}
	replacing := config("1.2.0", "3", AnnotationReplace+`: "true"`)
	if plan, err := l.Plan(t.Context(), replacing); err != nil || plan.Update != 1 || plan.Changes[0].Action != "replace" {
		t.Errorf("plan: %+v %v", plan, err)
	}
	l.mustApply(t, replacing)
	if got := l.value(t, ns, "fixed"); got != "3" {
		t.Errorf("not replaced: %q", got)
	}
}
