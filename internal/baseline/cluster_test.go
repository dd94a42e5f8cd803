package baseline

import (
	"fmt"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

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
	eventually(t, "the ConfigMap that controllers put into every namespace", func() bool {
		_, err := l.kube.CoreV1().ConfigMaps(namespace).Get(t.Context(), "kube-root-ca.crt", metav1.GetOptions{})
		return err == nil
	})
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
