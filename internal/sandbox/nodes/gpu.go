package nodes

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

const (
	gpuResource corev1.ResourceName = "nvidia.com/gpu"
	gpuDriver   string              = "gpu.nvidia.com"
)

// gpuLabels are those of NVIDIA's GPU feature discovery.
func (p Pool) gpuLabels() map[string]string {
	gpu := p.Machine.GPU
	if gpu == nil {
		return nil
	}
	return map[string]string{
		"nvidia.com/gpu.present": "true",
		"nvidia.com/gpu.product": gpu.Product,
		"nvidia.com/gpu.count":   strconv.Itoa(gpu.Count),
	}
}

// slice describes the GPUs of a node as NVIDIA's DRA driver does. The node owns
// it, and takes it along when it goes.
func (p Pool) slice(node *corev1.Node) (*resourcev1.ResourceSlice, error) {
	memory, err := resource.ParseQuantity(p.Machine.GPU.Memory)
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrInvalid, "GPU memory %q: %w", p.Machine.GPU.Memory, err).On("machine type " + p.MachineType)
	}
	slice := &resourcev1.ResourceSlice{
		ObjectMeta: metav1.ObjectMeta{
			Name: node.Name + "-" + gpuDriver,
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "v1", Kind: "Node", Name: node.Name, UID: node.UID, Controller: ptr.To(true),
			}},
		},
		Spec: resourcev1.ResourceSliceSpec{
			Driver:   gpuDriver,
			NodeName: &node.Name,
			Pool:     resourcev1.ResourcePool{Name: node.Name, Generation: 1, ResourceSliceCount: 1},
		},
	}
	for index := range p.Machine.GPU.Count {
		slice.Spec.Devices = append(slice.Spec.Devices, resourcev1.Device{
			Name:       fmt.Sprintf("gpu-%d", index),
			Attributes: p.deviceAttributes(node.Name, index),
			Capacity:   map[resourcev1.QualifiedName]resourcev1.DeviceCapacity{"memory": {Value: memory}},
		})
	}
	return slice, nil
}

func (p Pool) deviceAttributes(node string, index int) map[resourcev1.QualifiedName]resourcev1.DeviceAttribute {
	attributes := map[resourcev1.QualifiedName]resourcev1.DeviceAttribute{
		"type":        {StringValue: ptr.To("gpu")},
		"productName": {StringValue: &p.Machine.GPU.Product},
		"index":       {IntValue: ptr.To(int64(index))},
		"uuid":        {StringValue: ptr.To(deviceID(node, index))},
	}
	if p.DriverVersion != "" {
		attributes["driverVersion"] = versionAttribute(p.DriverVersion)
	}
	return attributes
}

func deviceID(node string, index int) string {
	sum := digest("gpu", node, strconv.Itoa(index))
	return fmt.Sprintf("GPU-%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// versionAttribute writes a driver version as the semantic version that device
// attributes hold: NVIDIA's 580.95.05 is 580.95.5. What cannot be one stays text.
func versionAttribute(text string) resourcev1.DeviceAttribute {
	parts := strings.Split(text, ".")
	for i, part := range parts {
		parts[i] = strings.TrimLeft(part, "0")
		if parts[i] == "" {
			parts[i] = "0"
		}
	}
	version, err := semver.NewVersion(strings.Join(parts, "."))
	if err != nil {
		return resourcev1.DeviceAttribute{StringValue: &text}
	}
	return resourcev1.DeviceAttribute{VersionValue: ptr.To(version.String())}
}
