package nodes

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"
)

// givenAnnotation remembers which labels and taints a node got from its pool, so
// that those the pool drops are taken away and those of others are left alone.
const givenAnnotation = "sandbox.meridian.dev/given"

type given struct {
	Labels []string       `json:"labels"`
	Taints []corev1.Taint `json:"taints,omitempty"`
}

// node is the Node object of the pool's index-th node.
func (p Pool) node(index int) *corev1.Node {
	name := p.nodeName(index)
	labels := p.labels(name)
	encoded, err := json.Marshal(given{Labels: slices.Sorted(maps.Keys(labels)), Taints: p.Taints})
	if err != nil {
		panic(err) // strings and taints encode
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name:        name,
			Labels:      labels,
			Annotations: map[string]string{SimulatedAnnotation: simulated, givenAnnotation: string(encoded)},
		},
		Spec: corev1.NodeSpec{
			ProviderID: p.providerID(name),
			PodCIDR:    podRange(name),
			PodCIDRs:   []string{podRange(name)},
			Taints:     slices.Clone(p.Taints),
		},
		Status: corev1.NodeStatus{
			Capacity:    p.capacity(),
			Allocatable: p.allocatable(),
			Addresses: []corev1.NodeAddress{
				{Type: corev1.NodeInternalIP, Address: address(name)},
				{Type: corev1.NodeHostName, Address: name},
			},
			NodeInfo: corev1.NodeSystemInfo{
				Architecture: "amd64", OperatingSystem: "linux", OSImage: "simulated",
				KubeletVersion: p.KubeletVersion, ContainerRuntimeVersion: "simulated", KernelVersion: "simulated",
			},
		},
	}
}

// otherMachine reports whether a node is on another machine than it should be.
func otherMachine(current, wanted *corev1.Node) bool {
	return current.Spec.ProviderID != wanted.Spec.ProviderID ||
		current.Labels[corev1.LabelInstanceTypeStable] != wanted.Labels[corev1.LabelInstanceTypeStable]
}

// updateNode makes an existing node what it should be, and returns it.
func updateNode(ctx context.Context, client kubernetes.Interface, wanted *corev1.Node) (node *corev1.Node, err error) {
	nodes := client.CoreV1().Nodes()
	err = retry.RetryOnConflict(retry.DefaultRetry, func() error {
		if node, err = nodes.Get(ctx, wanted.Name, metav1.GetOptions{}); err != nil {
			return err
		}
		before := node.DeepCopy()
		merge(node, wanted)
		if !equality.Semantic.DeepEqual(before, node) {
			if node, err = nodes.Update(ctx, node, metav1.UpdateOptions{}); err != nil {
				return err
			}
		}
		before = node.DeepCopy()
		mergeStatus(node, wanted)
		if !equality.Semantic.DeepEqual(before, node) {
			node, err = nodes.UpdateStatus(ctx, node, metav1.UpdateOptions{})
		}
		return err
	})
	return node, err
}

func merge(node, wanted *corev1.Node) {
	var before given
	// Without a readable memory, nothing is known to be the pool's.
	_ = json.Unmarshal([]byte(node.Annotations[givenAnnotation]), &before)
	for _, label := range before.Labels {
		delete(node.Labels, label)
	}
	node.Labels = merged(node.Labels, wanted.Labels)
	node.Annotations = merged(node.Annotations, wanted.Annotations)
	foreign := slices.DeleteFunc(slices.Clone(node.Spec.Taints), func(taint corev1.Taint) bool {
		same := func(other corev1.Taint) bool { return taint.MatchTaint(&other) }
		return slices.ContainsFunc(before.Taints, same) || slices.ContainsFunc(wanted.Spec.Taints, same)
	})
	node.Spec.Taints = append(foreign, wanted.Spec.Taints...)
}

func merged(into, from map[string]string) map[string]string {
	if into == nil {
		into = map[string]string{}
	}
	maps.Copy(into, from)
	return into
}

func mergeStatus(node, wanted *corev1.Node) {
	node.Status.Capacity = wanted.Status.Capacity
	node.Status.Allocatable = wanted.Status.Allocatable
	node.Status.NodeInfo.KubeletVersion = wanted.Status.NodeInfo.KubeletVersion
}

// replaceSlice brings a ResourceSlice up to date.
func replaceSlice(ctx context.Context, client kubernetes.Interface, current, wanted *resourcev1.ResourceSlice) error {
	wanted.Spec.Pool.Generation = current.Spec.Pool.Generation
	sameOwner := equality.Semantic.DeepEqual(current.OwnerReferences, wanted.OwnerReferences)
	if sameOwner && equality.Semantic.DeepEqual(current.Spec, wanted.Spec) {
		return nil
	}
	updated := current.DeepCopy()
	updated.Spec, updated.OwnerReferences = wanted.Spec, wanted.OwnerReferences
	updated.Spec.Pool.Generation++
	_, err := client.ResourceV1().ResourceSlices().Update(ctx, updated, metav1.UpdateOptions{})
	return err
}
