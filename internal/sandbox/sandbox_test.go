package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/sandbox"
)

var flavors = []string{"eks", "gke", "aks"}

// TestSandbox takes one sandbox and a cluster of each cloud through a whole life.
func TestSandbox(t *testing.T) {
	stateDir := t.TempDir()
	running := launch(t, stateDir)
	api := management(t, running)
	for _, flavor := range flavors {
		create(t, api, manifests(t, flavor, flavor+"-one"))
	}
	for _, flavor := range flavors {
		eventually(t, "onboard "+flavor, func(ctx context.Context) error { return available(ctx, api, flavor+"-one", 2) })
	}
	t.Run("nodes", func(t *testing.T) { checkNodes(t, api) })
	t.Run("admission", func(t *testing.T) { checkAdmission(t, api) })
	t.Run("refusal", func(t *testing.T) { checkRefusal(t, api) })
	t.Run("scaling", func(t *testing.T) { checkScaling(t, api) })
	t.Run("upgrade", func(t *testing.T) { checkUpgrade(t, api) })
	relaunch := func() *sandbox.Client { return launch(t, stateDir) } // it outlives the subtest
	t.Run("crash", func(t *testing.T) { running = checkCrash(t, stateDir, running, api, relaunch) })
	t.Run("outage", func(t *testing.T) { checkOutage(t, running, api) })
	t.Run("deletion", func(t *testing.T) { checkDeletion(t, stateDir, running, api) })
	t.Run("stop", func(t *testing.T) { checkStop(t, stateDir, running) })
}

func checkNodes(t *testing.T, api client.Client) {
	for _, flavor := range flavors {
		nodes := nodesOf(t, workload(t, api, flavor+"-one"))
		if len(nodes) != 2 {
			t.Errorf("%s has %d nodes, want 2", flavor, len(nodes))
		}
		for _, node := range nodes {
			gpus := node.Status.Allocatable["nvidia.com/gpu"]
			if gpus.Value() != 8 || node.Labels["workload"] != "training" || node.Status.NodeInfo.KubeletVersion != "v1.35.2" {
				t.Errorf("%s node %s: %d GPUs, labels %v, kubelet %s", flavor, node.Name, gpus.Value(), node.Labels, node.Status.NodeInfo.KubeletVersion)
			}
			if len(node.Spec.Taints) == 0 || node.Spec.Taints[0].Key != "nvidia.com/gpu" {
				t.Errorf("%s node %s: taints %v", flavor, node.Name, node.Spec.Taints)
			}
		}
	}
}

func nodesOf(t testing.TB, api client.Client) []corev1.Node {
	t.Helper()
	nodes := &corev1.NodeList{}
	if err := api.List(t.Context(), nodes); err != nil {
		t.Fatal(err)
	}
	return nodes.Items
}

// checkAdmission expects Cluster API's own webhooks to default and to refuse.
func checkAdmission(t *testing.T, api client.Client) {
	cluster := &clusterv1.Cluster{}
	if err := api.Get(t.Context(), client.ObjectKey{Namespace: "default", Name: "eks-one"}, cluster); err != nil {
		t.Fatal(err)
	}
	if cluster.Spec.InfrastructureRef.Kind != "AWSManagedCluster" {
		t.Fatalf("infrastructure is %v", cluster.Spec.InfrastructureRef)
	}
	pool := &clusterv1.MachinePool{}
	if err := api.Get(t.Context(), client.ObjectKey{Namespace: "default", Name: "eks-one-gpu"}, pool); err != nil {
		t.Fatal(err)
	}
	if pool.Spec.Template.Spec.Deletion.NodeDeletionTimeoutSeconds == nil {
		t.Error("the MachinePool has no default for nodeDeletionTimeoutSeconds")
	}
	pool.Spec.Template.Spec.Version = "not a version"
	if err := api.Update(t.Context(), pool); err == nil || !strings.Contains(err.Error(), "validation.machinepool") {
		t.Errorf("a MachinePool with a malformed version: %v, want a refusal by the webhook", err)
	}
}

// checkRefusal expects the words of a cloud where users look for them.
func checkRefusal(t *testing.T, api client.Client) {
	pool := object("infrastructure.cluster.x-k8s.io/v1beta2", "AWSManagedMachinePool", "eks-one-bad")
	if err := unstructured.SetNestedField(pool.Object, "p5.49xlarge", "spec", "instanceType"); err != nil {
		t.Fatal(err)
	}
	machinePool := &clusterv1.MachinePool{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "eks-one-bad"}}
	machinePool.Spec.ClusterName = "eks-one"
	machinePool.Spec.Template.Spec.ClusterName = "eks-one"
	machinePool.Spec.Template.Spec.Bootstrap.DataSecretName = ptr.To("")
	machinePool.Spec.Template.Spec.InfrastructureRef = clusterv1.ContractVersionedObjectReference{
		APIGroup: "infrastructure.cluster.x-k8s.io", Kind: "AWSManagedMachinePool", Name: "eks-one-bad",
	}
	if err := errors.Join(api.Create(t.Context(), pool), api.Create(t.Context(), machinePool)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "refuse an unknown instance type", func(ctx context.Context) error {
		if err := api.Get(ctx, client.ObjectKeyFromObject(pool), pool); err != nil {
			return err
		}
		conditions, _, _ := unstructured.NestedSlice(pool.Object, "status", "conditions")
		if !strings.Contains(fmt.Sprint(conditions), `InvalidMachineType`) || !strings.Contains(fmt.Sprint(conditions), "p5.49xlarge") {
			return fmt.Errorf("conditions are %v", conditions)
		}
		return nil
	})
	if err := api.Delete(t.Context(), machinePool); err != nil {
		t.Fatal(err)
	}
	eventually(t, "delete the refused pool", func(ctx context.Context) error {
		return errors.Join(gone(ctx, api, machinePool), gone(ctx, api, pool))
	})
}

func object(apiVersion, kind, name string) *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	object.SetAPIVersion(apiVersion)
	object.SetKind(kind)
	object.SetNamespace("default")
	object.SetName(name)
	return object
}

func checkScaling(t *testing.T, api client.Client) {
	for _, replicas := range []int{3, 1} {
		pool := &clusterv1.MachinePool{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "eks-one-gpu"}}
		patch := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, replicas)
		if err := api.Patch(t.Context(), pool, client.RawPatch("application/merge-patch+json", patch)); err != nil {
			t.Fatal(err)
		}
		eventually(t, fmt.Sprintf("scale to %d", replicas), func(ctx context.Context) error {
			return available(ctx, api, "eks-one", replicas)
		})
		if nodes := nodesOf(t, workload(t, api, "eks-one")); len(nodes) != replicas {
			t.Errorf("%d nodes, want %d", len(nodes), replicas)
		}
	}
}

func checkUpgrade(t *testing.T, api client.Client) {
	const version = "v1.36.3"
	controlPlane := object("infrastructure.cluster.x-k8s.io/v1beta1", "GCPManagedControlPlane", "gke-one-control-plane")
	patch := fmt.Appendf(nil, `{"spec":{"version":%q}}`, version)
	if err := api.Patch(t.Context(), controlPlane, client.RawPatch("application/merge-patch+json", patch)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "upgrade the control plane", func(ctx context.Context) error {
		if err := api.Get(ctx, client.ObjectKeyFromObject(controlPlane), controlPlane); err != nil {
			return err
		}
		if got, _, _ := unstructured.NestedString(controlPlane.Object, "status", "version"); got != version {
			return fmt.Errorf("status.version is %s", got)
		}
		return nil
	})
	nodes := workload(t, api, "gke-one")
	eventually(t, "upgrade the nodes", func(ctx context.Context) error {
		list := &corev1.NodeList{}
		if err := nodes.List(ctx, list); err != nil {
			return err
		}
		for _, node := range list.Items {
			if got := node.Status.NodeInfo.KubeletVersion; got != version {
				return fmt.Errorf("node %s has %s", node.Name, got)
			}
		}
		return available(ctx, api, "gke-one", 2)
	})
}

// checkCrash kills the sandbox process and expects everything back from a new one.
func checkCrash(t *testing.T, stateDir string, running *sandbox.Client, api client.Client, relaunch func() *sandbox.Client) *sandbox.Client {
	kept := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "kept"}, Data: map[string]string{"a": "b"}}
	if err := workload(t, api, "aks-one").Create(t.Context(), kept); err != nil {
		t.Fatal(err)
	}
	before := mustStatus(t, running)
	if err := syscall.Kill(before.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "every process ends with the sandbox", func(ctx context.Context) error {
		if _, err := sandbox.Find(ctx, stateDir); !errors.Is(err, fleet.ErrNotFound) {
			return fmt.Errorf("Find says %w, want not found", err)
		}
		return noneLeft(before)
	})
	running = relaunch()
	if again := relaunch(); mustStatus(t, again).PID != mustStatus(t, running).PID {
		t.Error("a second launch started a second sandbox")
	}
	for _, flavor := range flavors {
		replicas := map[string]int{"eks": 1, "gke": 2, "aks": 2}[flavor]
		eventually(t, "find again "+flavor, func(ctx context.Context) error {
			return errors.Join(available(ctx, api, flavor+"-one", replicas), workload(t, api, flavor+"-one").List(ctx, &corev1.NodeList{}))
		})
	}
	if err := workload(t, api, "aks-one").Get(t.Context(), client.ObjectKeyFromObject(kept), kept); err != nil {
		t.Errorf("what was stored before the crash: %v", err)
	}
	return running
}

func mustStatus(t testing.TB, running *sandbox.Client) sandbox.Status {
	t.Helper()
	status, err := running.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return status
}

func noneLeft(status sandbox.Status) error {
	var left []error
	if exists(status.PID) {
		left = append(left, errors.New("the sandbox process is left"))
	}
	for _, controlPlane := range status.ControlPlanes {
		if exists(controlPlane.PID) {
			left = append(left, fmt.Errorf("the process of %s is left", controlPlane.Name))
		}
	}
	return errors.Join(left...)
}

// checkOutage kills a control plane, which comes back by itself, and stops one,
// which does not until it is started.
func checkOutage(t *testing.T, running *sandbox.Client, api client.Client) {
	reach := func(ctx context.Context) error {
		return workload(t, api, "eks-one").List(ctx, &corev1.NodeList{})
	}
	starts := find(t, running, "default.eks-one").Starts
	if err := running.Kill(t.Context(), "eks-one"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "come back after a crash", func(ctx context.Context) error {
		if found := find(t, running, "default.eks-one"); found.Starts == starts || found.State != "ready" {
			return fmt.Errorf("it is %s after %d starts", found.State, found.Starts)
		}
		return reach(ctx)
	})
	if err := running.StopControlPlane(t.Context(), "eks-one"); err != nil {
		t.Fatal(err)
	}
	if reach(t.Context()) == nil || find(t, running, "default.eks-one").State != "stopped" {
		t.Error("a stopped control plane answers")
	}
	if err := running.StartControlPlane(t.Context(), "default.eks-one"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "come back after an outage", reach)
	starts = find(t, running, "management").Starts
	if err := running.Kill(t.Context(), "management"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the management cluster comes back", func(ctx context.Context) error {
		if found := find(t, running, "management"); found.Starts == starts || found.State != "ready" {
			return fmt.Errorf("it is %s after %d starts", found.State, found.Starts)
		}
		return available(ctx, api, "gke-one", 2)
	})
	if err := running.Kill(t.Context(), "nowhere"); !errors.Is(err, fleet.ErrNotFound) {
		t.Errorf("killing an unknown control plane: %v, want not found", err)
	}
}

func find(t *testing.T, running *sandbox.Client, name string) sandbox.ControlPlane {
	t.Helper()
	for _, controlPlane := range mustStatus(t, running).ControlPlanes {
		if controlPlane.Name == name {
			return controlPlane
		}
	}
	t.Fatalf("no control plane %s", name)
	return sandbox.ControlPlane{}
}

// checkDeletion deletes the clusters, one of them while its control plane is
// down, and looks for leftovers.
func checkDeletion(t *testing.T, stateDir string, running *sandbox.Client, api client.Client) {
	before := mustStatus(t, running)
	if err := running.StopControlPlane(t.Context(), "aks-one"); err != nil {
		t.Fatal(err)
	}
	var all []*unstructured.Unstructured
	for _, flavor := range flavors {
		all = append(all, manifests(t, flavor, flavor+"-one")...)
		all = append(all, object("v1", "Secret", flavor+"-one-kubeconfig"))
		if err := api.Delete(t.Context(), object("cluster.x-k8s.io/v1beta2", "Cluster", flavor+"-one")); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "delete every object", func(ctx context.Context) error {
		var left []error
		for _, object := range all {
			left = append(left, gone(ctx, api, object))
		}
		return errors.Join(left...)
	})
	after := mustStatus(t, running)
	if len(after.ControlPlanes) != 1 || after.ControlPlanes[0].Name != "management" {
		t.Errorf("control planes left: %v", after.ControlPlanes)
	}
	for _, controlPlane := range before.ControlPlanes {
		if controlPlane.Name != "management" && exists(controlPlane.PID) {
			t.Errorf("the process of %s is left", controlPlane.Name)
		}
	}
	err := filepath.WalkDir(stateDir, func(path string, _ os.DirEntry, err error) error {
		if strings.Contains(filepath.Base(path), "-one") {
			t.Errorf("file left: %s", path)
		}
		return err
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func checkStop(t *testing.T, stateDir string, running *sandbox.Client) {
	before := mustStatus(t, running)
	if err := running.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := noneLeft(before); err != nil {
		t.Error(err)
	}
	if _, err := sandbox.Find(t.Context(), stateDir); !errors.Is(err, fleet.ErrNotFound) {
		t.Errorf("Find after Stop: %v, want not found", err)
	}
}
