package baseline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/sandbox/boxtest"
)

// live is a real cluster that tests share, each with names of its own.
type live struct {
	*Cluster
	config *rest.Config
	kube   kubernetes.Interface
}

func connectTo(t testing.TB, config *rest.Config) *live {
	t.Helper()
	cluster, err := Connect(config)
	if err != nil {
		t.Fatal(err)
	}
	unlimited := rest.CopyConfig(config)
	unlimited.QPS = -1
	kube, err := kubernetes.NewForConfig(unlimited)
	if err != nil {
		t.Fatal(err)
	}
	return &live{cluster, config, kube}
}

// TestCluster runs what needs an API server against one real control plane.
func TestCluster(t *testing.T) {
	t.Parallel()
	cluster := connectTo(t, boxtest.Start(t, 1)[0])
	for name, test := range map[string]func(*testing.T, *live){
		"first apply, then nothing to do": testNoChange,
		"new version":                     testNewVersion,
		"foreign objects stay":            testForeign,
		"adopted objects are given back":  testAdopted,
		"conflict is reported":            testConflict,
		"hand edits are healed":           testHandEdit,
		"definitions and their objects":   testDefinitions,
		"never ready":                     testNeverReady,
		"failed for good":                 testFailed,
		"dependencies":                    testDependencies,
		"interrupted at any object":       testInterrupted,
		"namespace on its way out":        testTerminatingNamespace,
		"immutable fields":                testImmutable,
		"plan writes nothing":             testPlan,
		"drift":                           testDrift,
		"refused by a policy":             testPolicy,
		"invalid for the server":          testInvalidObject,
		"lost record":                     testLostRecord,
		"server cannot be reached":        testUnreachable,
		"server goes away":                testServerGoesAway,
		"server comes back":               testServerComesBack,
		"cancelled":                       testCancelled,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, cluster)
		})
	}
}

// load makes a bundle named like the test's namespace of one component "main".
func load(t *testing.T, name, version, manifests string) *Resolved {
	t.Helper()
	return resolve(t, bundleOf(t, fmt.Sprintf(`
-- baseline.yaml --
apiVersion: meridian.dev/v1alpha1
kind: Baseline
metadata: {name: %s, version: %s}
spec:
  components:
  - name: main
    kind: add-on
    source: {manifests: main.yaml}
-- main.yaml --
%s`, name, version, manifests)))
}

func namespaceYAML(name string) string {
	return fmt.Sprintf("{apiVersion: v1, kind: Namespace, metadata: {name: %s}}\n", name)
}

func configMapYAML(namespace, name, value string) string {
	return fmt.Sprintf("---\n{apiVersion: v1, kind: ConfigMap, metadata: {namespace: %s, name: %s}, data: {key: %q}}\n", namespace, name, value)
}

func (l *live) mustApply(t *testing.T, resolved *Resolved) *Result {
	t.Helper()
	result, err := l.Apply(t.Context(), resolved, ApplyOptions{ReadyTimeout: time.Minute})
	if err != nil {
		t.Fatalf("apply %s@%s: %v", resolved.Name, resolved.Version, err)
	}
	return result
}

func wantCounts(t *testing.T, result *Result, created, configured, unchanged, pruned int) {
	t.Helper()
	got := []int{result.Created, result.Configured, result.Unchanged, result.Pruned}
	if want := []int{created, configured, unchanged, pruned}; !slices.Equal(got, want) {
		t.Errorf("created, configured, unchanged, pruned: got %v, want %v (%+v)", got, want, result.Changes)
	}
}

// versions are the resource versions of everything in a namespace that tests
// make, and of the record.
func (l *live) versions(t *testing.T, namespace string) map[string]string {
	t.Helper()
	out := map[string]string{}
	add := func(kind, name, version string) { out[kind+" "+name] = version }
	configs, err := l.kube.CoreV1().ConfigMaps(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range configs.Items {
		add("ConfigMap", item.Name, item.ResourceVersion)
	}
	accounts, err := l.kube.CoreV1().ServiceAccounts(namespace).List(t.Context(), metav1.ListOptions{LabelSelector: LabelBaseline})
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range accounts.Items {
		add("ServiceAccount", item.Name, item.ResourceVersion)
	}
	if record, err := l.kube.CoreV1().ConfigMaps(recordNamespace).Get(t.Context(), recordName(namespace), metav1.GetOptions{}); err == nil {
		add("record", record.Name, record.ResourceVersion)
	}
	return out
}

func (l *live) value(t *testing.T, namespace, name string) string {
	t.Helper()
	found, err := l.kube.CoreV1().ConfigMaps(namespace).Get(t.Context(), name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return "(gone)"
	}
	if err != nil {
		t.Fatal(err)
	}
	return found.Data["key"]
}

// handEdit sets data.key as a person would with kubectl edit.
func (l *live) handEdit(t *testing.T, namespace, name, value string) {
	t.Helper()
	patch := fmt.Appendf(nil, `{"data":{"key":%q}}`, value)
	if _, err := l.kube.CoreV1().ConfigMaps(namespace).Patch(t.Context(), name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: "kubectl-edit"}); err != nil {
		t.Fatal(err)
	}
}

func (l *live) create(t *testing.T, namespace, name, value string, labels map[string]string) {
	t.Helper()
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}, Data: map[string]string{"key": value}}
	if _, err := l.kube.CoreV1().ConfigMaps(namespace).Create(t.Context(), object, metav1.CreateOptions{FieldManager: "somebody"}); err != nil {
		t.Fatal(err)
	}
}

func (l *live) makeNamespace(t *testing.T, name string) {
	t.Helper()
	if _, err := l.kube.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// eventually waits for a condition, which must not change anything.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func testNoChange(t *testing.T, l *live) {
	resolved := load(t, "no-change", "1.0.0", namespaceYAML("no-change")+configMapYAML("no-change", "a", "1")+configMapYAML("no-change", "b", "2")+
		"---\n{apiVersion: v1, kind: ServiceAccount, metadata: {namespace: no-change, name: c}}\n"+
		"---\n{apiVersion: v1, kind: Secret, metadata: {namespace: no-change, name: d}, stringData: {key: text}}\n")
	wantCounts(t, l.mustApply(t, resolved), 5, 0, 0, 0)
	before := l.versions(t, "no-change")
	wantCounts(t, l.mustApply(t, resolved), 0, 0, 5, 0)
	if after := l.versions(t, "no-change"); !maps.Equal(before, after) || len(after) < 4 {
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

func testForeign(t *testing.T, l *live) {
	const ns = "foreign"
	l.mustApply(t, load(t, ns, "1.0.0", namespaceYAML(ns)+configMapYAML(ns, "ours", "1")+configMapYAML(ns, "remade", "1")+configMapYAML(ns, "unlabelled", "1")))
	// One that merely carries our label, one made anew by somebody else under
	// a name that was ours, and one that was taken out of our hands.
	l.create(t, ns, "labelled", "1", map[string]string{LabelBaseline: ns})
	if err := l.kube.CoreV1().ConfigMaps(ns).Delete(t.Context(), "remade", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	l.create(t, ns, "remade", "theirs", map[string]string{LabelBaseline: ns})
	unlabel := []byte(`{"metadata":{"labels":{"` + LabelBaseline + `":null}}}`)
	if _, err := l.kube.CoreV1().ConfigMaps(ns).Patch(t.Context(), "unlabelled", types.MergePatchType, unlabel, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	result := l.mustApply(t, load(t, ns, "1.1.0", namespaceYAML(ns)))
	wantCounts(t, result, 0, 0, 1, 1)
	for name, want := range map[string]string{"ours": "(gone)", "labelled": "1", "remade": "theirs", "unlabelled": "1"} {
		if got := l.value(t, ns, name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func testAdopted(t *testing.T, l *live) {
	const ns = "adopted"
	l.makeNamespace(t, ns)
	l.create(t, ns, "theirs", "1", nil)
	adopt := "---\n{apiVersion: v1, kind: ConfigMap, metadata: {namespace: adopted, name: theirs}, data: {other: ours}}\n"
	wantCounts(t, l.mustApply(t, load(t, ns, "1.0.0", adopt)), 0, 1, 0, 0)
	wantCounts(t, l.mustApply(t, load(t, ns, "1.0.0", adopt)), 0, 0, 1, 0)
	wantCounts(t, l.mustApply(t, load(t, ns, "1.1.0", configMapYAML(ns, "new", "1"))), 1, 0, 0, 1)
	left, err := l.kube.CoreV1().ConfigMaps(ns).Get(t.Context(), "theirs", metav1.GetOptions{})
	if err != nil || left.Data["key"] != "1" || left.Data["other"] != "" || left.Labels[LabelBaseline] != "" {
		t.Errorf("want it as it was before, got %v %v %v", left.Data, left.Labels, err)
	}
}

func testConflict(t *testing.T, l *live) {
	const ns = "conflict"
	l.makeNamespace(t, ns)
	l.create(t, ns, "theirs", "their value", nil)
	resolved := load(t, ns, "1.0.0", configMapYAML(ns, "theirs", "our value")+configMapYAML(ns, "ours", "1"))
	result, err := l.Apply(t.Context(), resolved, ApplyOptions{ReadyTimeout: time.Minute})
	if !errors.Is(err, fleet.ErrConflict) || !strings.Contains(err.Error(), "data.key (owned by somebody)") || !strings.Contains(err.Error(), "ConfigMap conflict/theirs") {
		t.Fatalf("want the conflict reported, got %v", err)
	}
	if len(result.Blocking) != 1 || result.Blocking[0].Object != "ConfigMap conflict/theirs" {
		t.Errorf("blocking: %v", result.Blocking)
	}
	if got := l.value(t, ns, "theirs"); got != "their value" {
		t.Errorf("the value was stolen: %q", got)
	}
	plan, err := l.Plan(t.Context(), resolved)
	if err != nil || plan.Conflicts != 1 {
		t.Errorf("want the plan to tell the conflict, got %+v %v", plan, err)
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

func deploymentYAML(namespace, name string, extra string) string {
	return fmt.Sprintf(`---
apiVersion: apps/v1
kind: Deployment
metadata: {namespace: %[1]s, name: %[2]s}
spec:
  replicas: 1
  selector: {matchLabels: {app: %[2]s}}
  template:
    metadata: {labels: {app: %[2]s}}
    spec:
      %[3]s
      containers: [{name: main, image: registry.example/main:1}]
`, namespace, name, extra)
}

func testNeverReady(t *testing.T, l *live) {
	const ns = "never-ready"
	resolved := load(t, ns, "1.0.0", namespaceYAML(ns)+deploymentYAML(ns, "stuck", `nodeSelector: {planet: mars}`)+configMapYAML(ns, "fine", "1"))
	result, err := l.Apply(t.Context(), resolved, ApplyOptions{ReadyTimeout: 4 * time.Second})
	if !errors.Is(err, fleet.ErrWaiting) {
		t.Fatalf("want ErrWaiting, got %v", err)
	}
	if len(result.Blocking) != 1 {
		t.Fatalf("blocking: %+v", result.Blocking)
	}
	blocking := result.Blocking[0]
	if blocking.Component != "main" || blocking.Object != "Deployment.apps never-ready/stuck" ||
		!strings.Contains(blocking.Reason, "0 of 1 pods are available") || !strings.Contains(blocking.Reason, "cannot be scheduled") {
		t.Errorf("blocking: %+v", blocking)
	}
	if !strings.Contains(err.Error(), "Deployment.apps never-ready/stuck") {
		t.Errorf("the error does not name the object: %v", err)
	}
	findings, err := l.Drift(t.Context(), resolved)
	if err != nil || len(findings) != 1 || findings[0].Type != DriftUnhealthy {
		t.Errorf("drift: %+v %v", findings, err)
	}
}

func testFailed(t *testing.T, l *live) {
	const ns = "failed"
	manifests := namespaceYAML(ns) + strings.Replace(deploymentYAML(ns, "late", `nodeSelector: {planet: mars}`), "replicas: 1", "replicas: 1\n  progressDeadlineSeconds: 1", 1)
	started := time.Now()
	result, err := l.Apply(t.Context(), load(t, ns, "1.0.0", manifests), ApplyOptions{ReadyTimeout: 5 * time.Minute})
	if !errors.Is(err, fleet.ErrNeedsHuman) || time.Since(started) > time.Minute {
		t.Fatalf("want an early ErrNeedsHuman, got %v after %s", err, time.Since(started))
	}
	if len(result.Blocking) != 1 || !strings.Contains(result.Blocking[0].Reason, "Progress deadline exceeded") {
		t.Errorf("blocking: %+v", result.Blocking)
	}
}

func testDependencies(t *testing.T, l *live) {
	bundle := func(check string) *Resolved {
		return resolve(t, bundleOf(t, `
-- baseline.yaml --
apiVersion: meridian.dev/v1alpha1
kind: Baseline
metadata: {name: depends, version: 1.0.0}
spec:
  components:
  - name: last
    kind: add-on
    dependsOn: [first]
    source: {manifests: last.yaml}
  - name: first
    kind: add-on
    source: {manifests: first.yaml}
    ready:
    - {resource: configmaps, namespace: depends, name: first, check: object.data.key == "`+check+`"}
    - {resource: configmaps, namespace: depends, name: outside, check: object.data.key == "go"}
-- first.yaml --
`+namespaceYAML("depends")+configMapYAML("depends", "first", "1")+`
-- last.yaml --
`+configMapYAML("depends", "last", "1")))
	}
	result, err := l.Apply(t.Context(), bundle("2"), ApplyOptions{ReadyTimeout: time.Second})
	if !errors.Is(err, fleet.ErrWaiting) || len(result.Blocking) != 2 ||
		result.Blocking[0] != (fleet.BlockingObject{Component: "first", Object: "ConfigMap depends/first", Reason: `check "object.data.key == \"2\"" is false`}) ||
		result.Blocking[1] != (fleet.BlockingObject{Component: "first", Object: "ConfigMap depends/outside", Reason: "it does not exist"}) {
		t.Fatalf("got %v, blocking %+v", err, result.Blocking)
	}
	if got := l.value(t, "depends", "last"); got != "(gone)" {
		t.Error("a component was applied before its dependency was ready")
	}
	// The other object is made while the run waits for it.
	waiting := make(chan struct{})
	go func() {
		<-waiting
		l.create(t, "depends", "outside", "go", nil)
	}()
	_, err = l.Apply(t.Context(), bundle("1"), ApplyOptions{ReadyTimeout: time.Minute, OnProgress: func(progress Progress) {
		if progress.Component == "first" && progress.Step == StepWaiting {
			close(waiting)
		}
	}})
	if err != nil || l.value(t, "depends", "last") != "1" {
		t.Errorf("not finished once the dependency was ready: %v", err)
	}
}

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

func testPlan(t *testing.T, l *live) {
	const ns = "plan"
	first := load(t, ns, "1.0.0", namespaceYAML(ns)+configMapYAML(ns, "same", "1")+configMapYAML(ns, "changed", "1")+configMapYAML(ns, "dropped", "1"))
	for name, plan := range map[string]func(context.Context, *Resolved) (*Plan, error){"plan": l.Plan, "preview": l.Preview} {
		if got, err := plan(t.Context(), first); err != nil || got.Create != 4 || got.Update+got.Delete+got.Unchanged != 0 {
			t.Fatalf("%s: %+v %v", name, got, err)
		}
	}
	if _, err := l.kube.CoreV1().Namespaces().Get(t.Context(), ns, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Fatalf("a plan made something: %v", err)
	}
	l.mustApply(t, first)
	before := l.versions(t, ns)
	second := load(t, ns, "1.1.0", namespaceYAML(ns)+configMapYAML(ns, "same", "1")+configMapYAML(ns, "changed", "2")+configMapYAML(ns, "added", "1"))
	for name, plan := range map[string]func(context.Context, *Resolved) (*Plan, error){"plan": l.Plan, "preview": l.Preview} {
		got, err := plan(t.Context(), second)
		if err != nil || got.Create != 1 || got.Update != 1 || got.Delete != 1 || got.Unchanged != 2 {
			t.Fatalf("%s: %+v %v", name, got, err)
		}
		if fields := got.Changes[0].Fields; !slices.Equal(fields, []string{"data.key"}) {
			t.Errorf("%s: fields %q of %+v", name, fields, got.Changes)
		}
	}
	if after := l.versions(t, ns); !maps.Equal(before, after) {
		t.Errorf("a plan wrote something: %v to %v", before, after)
	}
}

func testDrift(t *testing.T, l *live) {
	const ns = "drift"
	resolved := load(t, ns, "1.1.0", namespaceYAML(ns)+configMapYAML(ns, "edited", "1")+configMapYAML(ns, "deleted", "1")+configMapYAML(ns, "unlabelled", "1"))
	l.mustApply(t, load(t, ns, "1.0.0", namespaceYAML(ns)+configMapYAML(ns, "extra", "1")))
	if findings, err := l.Drift(t.Context(), load(t, ns, "1.0.0", namespaceYAML(ns)+configMapYAML(ns, "extra", "1"))); err != nil || len(findings) != 0 {
		t.Fatalf("drift right after apply: %+v %v", findings, err)
	}
	l.create(t, ns, "foreign", "1", nil)
	l.mustApply(t, load(t, ns, "1.0.1", namespaceYAML(ns)+configMapYAML(ns, "extra", "1")+configMapYAML(ns, "edited", "1")+configMapYAML(ns, "deleted", "1")+configMapYAML(ns, "unlabelled", "1")))
	l.handEdit(t, ns, "edited", "by hand")
	if err := l.kube.CoreV1().ConfigMaps(ns).Delete(t.Context(), "deleted", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	unlabel := []byte(`{"metadata":{"labels":null}}`)
	if _, err := l.kube.CoreV1().ConfigMaps(ns).Patch(t.Context(), "unlabelled", types.MergePatchType, unlabel, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	findings, err := l.Drift(t.Context(), resolved)
	if err != nil {
		t.Fatal(err)
	}
	want := []fleet.DriftFinding{
		{Component: "main", Object: "ConfigMap drift/edited", Type: DriftChanged, Fields: []string{"data.key"}, Manager: "kubectl-edit"},
		{Component: "main", Object: "ConfigMap drift/deleted", Type: DriftMissing},
		{Component: "main", Object: "ConfigMap drift/unlabelled", Type: DriftChanged, Fields: []string{"metadata.labels"}},
		{Component: "main", Object: "ConfigMap drift/extra", Type: DriftExtra},
	}
	if fmt.Sprint(findings) != fmt.Sprint(want) {
		t.Errorf("got\n%+v\nwant\n%+v", findings, want)
	}
	l.mustApply(t, resolved)
	if findings, err := l.Drift(t.Context(), resolved); err != nil || len(findings) != 0 {
		t.Errorf("drift after healing: %+v %v", findings, err)
	}
	if got := l.value(t, ns, "foreign"); got != "1" {
		t.Errorf("the foreign object: %q", got)
	}
}

func testPolicy(t *testing.T, l *live) {
	const ns = "policy"
	manifests := namespaceYAML(ns) + `---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: policy-test}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [configmaps]}]}
  validations: [{expression: "!has(object.data) || !has(object.data.bad)", message: bad is not allowed}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: policy-test}
spec:
  policyName: policy-test
  validationActions: [Deny]
  matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: policy}}}
`
	l.mustApply(t, load(t, ns, "1.0.0", manifests))
	bad := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "probe-"}, Data: map[string]string{"bad": "1"}}
	eventually(t, "the policy to be in force", func() bool {
		_, err := l.kube.CoreV1().ConfigMaps(ns).Create(t.Context(), bad, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err != nil
	})
	refused := load(t, ns, "1.1.0", manifests+"---\n{apiVersion: v1, kind: ConfigMap, metadata: {namespace: policy, name: refused}, data: {bad: x}}\n")
	if plan, err := l.Preview(t.Context(), refused); err != nil || plan.Create != 1 {
		t.Errorf("preview: %+v %v", plan, err)
	}
	result, err := l.Apply(t.Context(), refused, ApplyOptions{ReadyTimeout: 30 * time.Second})
	if !errors.Is(err, fleet.ErrDenied) || !strings.Contains(err.Error(), "bad is not allowed") || len(result.Blocking) != 1 {
		t.Errorf("want the denial, got %v %+v", err, result.Blocking)
	}
	if _, err := l.Plan(t.Context(), refused); !errors.Is(err, fleet.ErrDenied) {
		t.Errorf("want the plan to tell the denial, got %v", err)
	}
}

func testInvalidObject(t *testing.T, l *live) {
	const ns = "invalid"
	manifests := namespaceYAML(ns) + strings.Replace(deploymentYAML(ns, "wrong", ""), "matchLabels: {app: wrong}", "matchLabels: {app: other}", 1)
	if _, err := l.Apply(t.Context(), load(t, ns, "1.0.0", manifests), ApplyOptions{}); !errors.Is(err, fleet.ErrInvalid) || !strings.Contains(err.Error(), "Deployment.apps invalid/wrong") {
		t.Errorf("want ErrInvalid, got %v", err)
	}
	unknown := load(t, ns, "1.0.0", namespaceYAML(ns)+"---\n{apiVersion: v1, kind: ConfigMap, metadata: {namespace: invalid, name: a}, dta: {a: b}}\n")
	if _, err := l.Apply(t.Context(), unknown, ApplyOptions{ReadyTimeout: 20 * time.Second}); !errors.Is(err, fleet.ErrInvalid) || !strings.Contains(err.Error(), "dta") {
		t.Errorf("want the unknown field refused, got %v", err)
	}
}

func testLostRecord(t *testing.T, l *live) {
	const ns = "lost-record"
	l.mustApply(t, load(t, ns, "1.0.0", namespaceYAML(ns)+configMapYAML(ns, "kept", "1")+configMapYAML(ns, "dropped", "1")))
	if err := l.kube.CoreV1().ConfigMaps(recordNamespace).Delete(t.Context(), recordName(ns), metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	l.create(t, ns, "foreign", "1", map[string]string{LabelBaseline: ns})
	wantCounts(t, l.mustApply(t, load(t, ns, "1.1.0", namespaceYAML(ns)+configMapYAML(ns, "kept", "1"))), 0, 0, 2, 1)
	if l.value(t, ns, "dropped") != "(gone)" || l.value(t, ns, "foreign") != "1" {
		t.Error("pruned the wrong objects")
	}
	patch := []byte(`{"data":{"objects":"nonsense"}}`)
	if _, err := l.kube.CoreV1().ConfigMaps(recordNamespace).Patch(t.Context(), recordName(ns), types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Apply(t.Context(), load(t, ns, "1.1.0", namespaceYAML(ns)), ApplyOptions{}); !errors.Is(err, fleet.ErrNeedsHuman) {
		t.Errorf("want a record that was tampered with reported, got %v", err)
	}
}
