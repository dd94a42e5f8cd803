package capi

import (
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Node is a cluster's node as observed.
type Node struct {
	Name   string
	Status fleet.NodeStatus
}

// Nodes observes a cluster's nodes and what is in them. GPU facts come from
// the node's capacity and labels, and from the ResourceSlices of dynamic
// resource allocation where the cluster has them.
func (m *Management) Nodes(ctx context.Context, cluster string) ([]Node, error) {
	config, err := m.RESTConfig(ctx, cluster)
	if err != nil {
		return nil, err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrInternal, "connect: %w", err).On("Cluster " + cluster)
	}
	ctx, cancel := callTimeout(ctx)
	defer cancel()
	nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, wrap(err, "list its nodes", "Cluster "+cluster)
	}
	devices, err := client.ResourceV1().ResourceSlices().List(ctx, metav1.ListOptions{})
	if apierrors.IsNotFound(err) { // older than the API
		devices, err = &resourcev1.ResourceSliceList{}, nil
	}
	if err != nil {
		return nil, wrap(err, "list its resource slices", "Cluster "+cluster)
	}
	return describeNodes(nodes.Items, devices.Items), nil
}

// describeNodes puts nodes and devices together.
func describeNodes(nodes []corev1.Node, resourceSlices []resourcev1.ResourceSlice) []Node {
	devices := map[string][]resourcev1.Device{}
	for _, slice := range resourceSlices {
		if slice.Spec.NodeName != nil && isGPUDriver(slice.Spec.Driver) {
			devices[*slice.Spec.NodeName] = append(devices[*slice.Spec.NodeName], slice.Spec.Devices...)
		}
	}
	described := make([]Node, 0, len(nodes))
	for _, node := range nodes {
		described = append(described, Node{Name: node.Name, Status: describeNode(node, devices[node.Name])})
	}
	slices.SortFunc(described, func(a, b Node) int { return strings.Compare(a.Name, b.Name) })
	return described
}

func isGPUDriver(driver string) bool { return strings.HasPrefix(driver, "gpu.") }

func describeNode(node corev1.Node, devices []resourcev1.Device) fleet.NodeStatus {
	status := fleet.NodeStatus{
		Pool:           firstLabel(node, poolLabels),
		InstanceType:   firstLabel(node, []string{corev1.LabelInstanceTypeStable, corev1.LabelInstanceType}),
		Ready:          isReady(node),
		KubeletVersion: strings.TrimPrefix(node.Status.NodeInfo.KubeletVersion, "v"),
		GPUProduct:     node.Labels["nvidia.com/gpu.product"],
	}
	for name, quantity := range node.Status.Capacity {
		if strings.HasSuffix(string(name), ".com/gpu") {
			status.GPUs += int(quantity.Value())
		}
	}
	status.GPUs = max(status.GPUs, len(devices))
	if len(devices) > 0 {
		describeDevice(devices[0], &status)
	}
	return status
}

// poolLabels name a node's pool: ours first, then the clouds' own.
var poolLabels = []string{
	"meridian.dev/node-pool", "eks.amazonaws.com/nodegroup", "cloud.google.com/gke-nodepool",
	"kubernetes.azure.com/agentpool", "agentpool",
}

func firstLabel(node corev1.Node, names []string) string {
	for _, name := range names {
		if value := node.Labels[name]; value != "" {
			return value
		}
	}
	return ""
}

func isReady(node corev1.Node) bool {
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

// describeDevice reads a GPU's facts as drivers publish them.
func describeDevice(device resourcev1.Device, status *fleet.NodeStatus) {
	if product := attribute(device, "productName"); product != "" {
		status.GPUProduct = product
	}
	status.DriverVersion = attribute(device, "driverVersion")
	for name, capacity := range device.Capacity {
		if unqualified(string(name)) == "memory" {
			status.GPUMemory = capacity.Value.String()
		}
	}
}

func attribute(device resourcev1.Device, wanted string) string {
	for name, value := range device.Attributes {
		if unqualified(string(name)) != wanted {
			continue
		}
		switch {
		case value.StringValue != nil:
			return *value.StringValue
		case value.VersionValue != nil:
			return *value.VersionValue
		}
	}
	return ""
}

func unqualified(name string) string { return name[strings.LastIndex(name, "/")+1:] }
