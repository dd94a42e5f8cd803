package nodes_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/sandbox/boxtest"
	"github.com/meridian-fleet/meridian/internal/sandbox/machinetypes"
	"github.com/meridian-fleet/meridian/internal/sandbox/nodes"
)

func gpuPool(t *testing.T) nodes.Pool {
	t.Helper()
	machine, err := machinetypes.AWS("p5.48xlarge")
	if err != nil {
		t.Fatal(err)
	}
	return nodes.Pool{
		Name: "trainers", Replicas: 2, MachineType: "p5.48xlarge", Machine: machine,
		Region: "eu-central-1", Zone: "eu-central-1a", KubeletVersion: "v1.36.3", DriverVersion: "580.95.05",
		Labels:           map[string]string{"team": "research"},
		Taints:           []corev1.Taint{{Key: "nvidia.com/gpu", Value: "present", Effect: corev1.TaintEffectNoSchedule}},
		ProviderIDPrefix: "aws:///eu-central-1a/",
	}
}

// fixture is a control plane and what its tests ask it.
type fixture struct {
	*testing.T
	config *rest.Config
	client kubernetes.Interface
}

func newFixture(t *testing.T) fixture {
	config := boxtest.Start(t, 1)[0]
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return fixture{t, config, client}
}

func (f fixture) ensure(pool nodes.Pool) []string {
	f.Helper()
	providerIDs, err := nodes.Ensure(f.Context(), f.config, pool)
	if err != nil {
		f.Fatal(err)
	}
	return providerIDs
}

func (f fixture) nodes() []corev1.Node {
	f.Helper()
	list, err := f.client.CoreV1().Nodes().List(f.Context(), metav1.ListOptions{})
	if err != nil {
		f.Fatal(err)
	}
	return list.Items
}

func (f fixture) eventually(what string, holds func() bool) {
	f.Helper()
	err := wait.PollUntilContextTimeout(f.Context(), 50*time.Millisecond, 30*time.Second, true,
		func(context.Context) (bool, error) { return holds(), nil })
	if err != nil {
		f.Fatalf("%s: %v", what, err)
	}
}

func ready(node corev1.Node) bool {
	return slices.ContainsFunc(node.Status.Conditions, func(condition corev1.NodeCondition) bool {
		return condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue
	})
}

func TestPoolThroughItsLife(t *testing.T) {
	f := newFixture(t)
	pool := gpuPool(t)

	providerIDs := f.ensure(pool)
	f.eventually("two nodes ready", func() bool {
		return len(f.nodes()) == 2 && !slices.ContainsFunc(f.nodes(), func(node corev1.Node) bool { return !ready(node) })
	})
	for _, node := range f.nodes() {
		checkNode(t, node, providerIDs)
	}
	f.checkSlices(2)
	if again := f.ensure(pool); !slices.Equal(again, providerIDs) {
		t.Errorf("the second Ensure changed the provider IDs: %q, then %q", providerIDs, again)
	}

	f.checkUpdateInPlace(pool)

	pool.Replicas = 1
	if len(f.ensure(pool)) != 1 || len(f.nodes()) != 1 {
		t.Error("the pool did not shrink to one node")
	}
	f.eventually("the ResourceSlice of the removed node goes", func() bool { return len(f.slices()) == 1 })

	if err := nodes.Remove(f.Context(), f.config, pool.Name); err != nil {
		t.Fatal(err)
	}
	f.eventually("nothing left", func() bool { return len(f.nodes()) == 0 && len(f.slices()) == 0 })
}

func checkNode(t *testing.T, node corev1.Node, providerIDs []string) {
	t.Helper()
	for label, want := range map[string]string{
		"node.kubernetes.io/instance-type": "p5.48xlarge",
		"topology.kubernetes.io/region":    "eu-central-1",
		"topology.kubernetes.io/zone":      "eu-central-1a",
		"nvidia.com/gpu.product":           "NVIDIA-H100-80GB-HBM3",
		"team":                             "research",
	} {
		if node.Labels[label] != want {
			t.Errorf("label %s is %q, want %q", label, node.Labels[label], want)
		}
	}
	if gpus := node.Status.Allocatable["nvidia.com/gpu"]; gpus.Value() != 8 {
		t.Errorf("%s GPUs, want 8", gpus.String())
	}
	if cpus := node.Status.Capacity.Cpu(); cpus.Value() != 192 {
		t.Errorf("%s CPUs, want 192", cpus)
	}
	if !slices.Contains(providerIDs, node.Spec.ProviderID) {
		t.Errorf("provider ID %q is not among %q", node.Spec.ProviderID, providerIDs)
	}
	if node.Status.NodeInfo.KubeletVersion != "v1.36.3" {
		t.Errorf("kubelet version %q", node.Status.NodeInfo.KubeletVersion)
	}
}

func (f fixture) slices() []string {
	f.Helper()
	list, err := f.client.ResourceV1().ResourceSlices().List(f.Context(), metav1.ListOptions{})
	if err != nil {
		f.Fatal(err)
	}
	var names []string
	for _, slice := range list.Items {
		names = append(names, slice.Name)
	}
	return names
}

func (f fixture) checkSlices(want int) {
	f.Helper()
	list, err := f.client.ResourceV1().ResourceSlices().List(f.Context(), metav1.ListOptions{})
	if err != nil {
		f.Fatal(err)
	}
	if len(list.Items) != want {
		f.Errorf("%d ResourceSlices, want %d", len(list.Items), want)
	}
	for _, slice := range list.Items {
		if len(slice.Spec.Devices) != 8 {
			f.Fatalf("%d devices, want 8", len(slice.Spec.Devices))
		}
		device := slice.Spec.Devices[0]
		memory := device.Capacity["memory"].Value
		if memory.String() != "80Gi" {
			f.Errorf("GPU memory %s", memory.String())
		}
		if version := device.Attributes["driverVersion"].VersionValue; version == nil || *version != "580.95.5" {
			f.Errorf("driver version %v", version)
		}
		if product := device.Attributes["productName"].StringValue; product == nil || *product != "NVIDIA-H100-80GB-HBM3" {
			f.Errorf("product %v", product)
		}
	}
}

// checkUpdateInPlace changes what a pool gives its nodes, with labels and taints
// of others beside it, which must stay.
func (f fixture) checkUpdateInPlace(pool nodes.Pool) {
	f.Helper()
	node := f.nodes()[0]
	node.Labels["foreign"] = "yes"
	node.Spec.Taints = append(node.Spec.Taints, corev1.Taint{Key: "foreign", Effect: corev1.TaintEffectNoSchedule})
	if _, err := f.client.CoreV1().Nodes().Update(f.Context(), &node, metav1.UpdateOptions{}); err != nil {
		f.Fatal(err)
	}
	pool.Labels = map[string]string{"stage": "production"}
	pool.Taints = []corev1.Taint{{Key: "reserved", Effect: corev1.TaintEffectNoSchedule}}
	pool.KubeletVersion = "v1.36.4"
	f.ensure(pool)
	updated, err := f.client.CoreV1().Nodes().Get(f.Context(), node.Name, metav1.GetOptions{})
	if err != nil {
		f.Fatal(err)
	}
	if updated.UID != node.UID {
		f.Error("the node was replaced")
	}
	if _, kept := updated.Labels["team"]; kept || updated.Labels["stage"] != "production" || updated.Labels["foreign"] != "yes" {
		f.Errorf("labels %v", updated.Labels)
	}
	var taints []string
	for _, taint := range updated.Spec.Taints {
		if !strings.HasPrefix(taint.Key, "node.kubernetes.io/") { // the node lifecycle's own
			taints = append(taints, taint.Key)
		}
	}
	slices.Sort(taints)
	if !slices.Equal(taints, []string{"foreign", "reserved"}) {
		f.Errorf("taints %q", taints)
	}
	if updated.Status.NodeInfo.KubeletVersion != "v1.36.4" {
		f.Errorf("kubelet version %q", updated.Status.NodeInfo.KubeletVersion)
	}
}

func TestAnotherMachineTypeReplacesNodes(t *testing.T) {
	f := newFixture(t)
	pool := nodes.Pool{Name: "general", Replicas: 1, MachineType: "m6i.large", Machine: machinetypes.Type{CPUs: 2, MemoryGiB: 8}}
	f.ensure(pool)
	before := f.nodes()[0].UID
	pool.MachineType, pool.Machine = "m6i.xlarge", machinetypes.Type{CPUs: 4, MemoryGiB: 16}
	f.ensure(pool)
	after := f.nodes()[0]
	if after.UID == before || after.Status.Capacity.Cpu().Value() != 4 {
		t.Errorf("the node was not replaced: %d CPUs", after.Status.Capacity.Cpu().Value())
	}
}

func TestRefusesPoolsThatCannotBe(t *testing.T) {
	t.Parallel()
	for _, pool := range []nodes.Pool{{}, {Name: "not a label"}, {Name: "p", Replicas: -1}, {Name: "p", Replicas: 100000}} {
		if _, err := nodes.Ensure(t.Context(), &rest.Config{}, pool); !errors.Is(err, fleet.ErrInvalid) {
			t.Errorf("%+v: got %v", pool, err)
		}
	}
}
