package clouds

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meridian-fleet/meridian/internal/sandbox/machinetypes"
)

// eks is Amazon's Kubernetes, as Cluster API's AWS provider has it.
var eks = flavor{
	name:         "eks",
	cluster:      infrastructureKind("v1beta2", "AWSManagedCluster"),
	controlPlane: schema.GroupVersionKind{Group: "controlplane.cluster.x-k8s.io", Version: "v1beta2", Kind: "AWSManagedControlPlane"},
	pool:         infrastructureKind("v1beta2", "AWSManagedMachinePool"),
	endpoint:     []string{"spec", "controlPlaneEndpoint"},
	extraStatus:  map[string]any{"externalManagedControlPlane": true},
	check: func(controlPlane *unstructured.Unstructured) error {
		if text(controlPlane.Object, "spec", "region") == "" {
			return Refuse("InvalidRegion", "spec.region is required")
		}
		return nil
	},
	region: func(controlPlane *unstructured.Unstructured) string {
		return text(controlPlane.Object, "spec", "region")
	},
	shape:       eksShape,
	machineType: machinetypes.AWS,
	zone:        func(region string) string { return region + "a" },
	providerIDPrefix: func(_ *unstructured.Unstructured, zone string) string {
		return fmt.Sprintf("aws:///%s/", zone)
	},
	nodeLabels: func(pool string) map[string]string {
		return map[string]string{"eks.amazonaws.com/nodegroup": pool}
	},
}

var eksEffects = map[string]corev1.TaintEffect{
	"no-schedule": corev1.TaintEffectNoSchedule, "no-execute": corev1.TaintEffectNoExecute,
	"prefer-no-schedule": corev1.TaintEffectPreferNoSchedule,
}

func eksShape(pool *unstructured.Unstructured) (shape, error) {
	image := text(pool.Object, "spec", "amiType")
	found := shape{
		name:        text(pool.Object, "spec", "eksNodegroupName"),
		machineType: text(pool.Object, "spec", "instanceType"),
		labels:      texts(pool.Object, "spec", "labels"),
		minimum:     number(pool.Object, "spec", "scaling", "minSize"),
		maximum:     number(pool.Object, "spec", "scaling", "maxSize"),
	}
	if found.machineType == "" {
		found.machineType = "t3.medium" // what EKS takes when none is named
	}
	if strings.HasSuffix(image, "_NVIDIA") || strings.HasSuffix(image, "_GPU") {
		found.driverVersion = imageDriverVersion
	}
	for _, taint := range objects(pool.Object, "spec", "taints") {
		found.taints = append(found.taints, corev1.Taint{
			Key: text(taint, "key"), Value: text(taint, "value"), Effect: eksEffects[text(taint, "effect")],
		})
	}
	return found, nil
}
