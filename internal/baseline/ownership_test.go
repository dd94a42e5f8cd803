package baseline

import (
	"errors"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

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
