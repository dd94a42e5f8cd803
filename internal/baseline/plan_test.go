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
	"k8s.io/apimachinery/pkg/types"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

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
