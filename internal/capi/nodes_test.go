package capi

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

func TestDescribeNodes(t *testing.T) {
	t.Parallel()
	product, driver, gpuNode := "NVIDIA-H100-80GB-HBM3", "580.95.0", "gpu-0"
	device := resourcev1.Device{
		Name: "gpu-0",
		Attributes: map[resourcev1.QualifiedName]resourcev1.DeviceAttribute{
			"productName":                  {StringValue: &product},
			"gpu.nvidia.com/driverVersion": {VersionValue: &driver},
		},
		Capacity: map[resourcev1.QualifiedName]resourcev1.DeviceCapacity{"memory": {Value: resource.MustParse("80Gi")}},
	}
	slice := resourcev1.ResourceSlice{Spec: resourcev1.ResourceSliceSpec{Driver: "gpu.nvidia.com", NodeName: &gpuNode, Devices: []resourcev1.Device{device, device}}}
	nics := resourcev1.ResourceSlice{Spec: resourcev1.ResourceSliceSpec{Driver: "nic.example.com", NodeName: &gpuNode, Devices: []resourcev1.Device{device}}}
	ready := corev1.NodeStatus{
		Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
		NodeInfo:   corev1.NodeSystemInfo{KubeletVersion: "v1.36.3"},
	}
	plugin := corev1.NodeStatus{Capacity: corev1.ResourceList{"nvidia.com/gpu": resource.MustParse("8")}}
	nodes := []corev1.Node{
		{ObjectMeta: metav1.ObjectMeta{Name: "plugin-0", Labels: map[string]string{"nvidia.com/gpu.product": "NVIDIA-L4"}}, Status: plugin},
		{ObjectMeta: metav1.ObjectMeta{Name: gpuNode, Labels: map[string]string{"meridian.dev/node-pool": "gpu", "node.kubernetes.io/instance-type": "p5.48xlarge"}}, Status: ready},
	}
	want := []Node{
		{gpuNode, fleet.NodeStatus{
			Pool: "gpu", InstanceType: "p5.48xlarge", Ready: true, GPUs: 2, GPUProduct: product,
			GPUMemory: "80Gi", DriverVersion: driver, KubeletVersion: "1.36.3",
		}},
		{"plugin-0", fleet.NodeStatus{GPUs: 8, GPUProduct: "NVIDIA-L4"}},
	}
	got := describeNodes(nodes, []resourcev1.ResourceSlice{slice, nics})
	if len(got) != len(want) {
		t.Fatalf("got %+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got  %+v\nwant %+v", got[i], want[i])
		}
	}
}
