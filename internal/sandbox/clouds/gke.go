package clouds

import (
	"fmt"
	"regexp"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meridian-fleet/meridian/internal/sandbox/machinetypes"
)

// gke is Google's Kubernetes, as Cluster API's Google Cloud provider has it.
var gke = flavor{
	name:         "gke",
	cluster:      infrastructureKind("v1beta1", "GCPManagedCluster"),
	controlPlane: infrastructureKind("v1beta1", "GCPManagedControlPlane"),
	pool:         infrastructureKind("v1beta1", "GCPManagedMachinePool"),
	endpoint:     []string{"spec", "endpoint"},
	check: func(controlPlane *unstructured.Unstructured) error {
		if text(controlPlane.Object, "spec", "project") == "" || text(controlPlane.Object, "spec", "location") == "" {
			return Refuse("InvalidLocation", "spec.project and spec.location are required")
		}
		return nil
	},
	region: func(controlPlane *unstructured.Unstructured) string {
		return gkeZone.ReplaceAllString(text(controlPlane.Object, "spec", "location"), "$1")
	},
	shape:       gkeShape,
	machineType: machinetypes.GCP,
	zone:        func(region string) string { return region + "-a" },
	providerIDPrefix: func(controlPlane *unstructured.Unstructured, zone string) string {
		return fmt.Sprintf("gce://%s/%s/", text(controlPlane.Object, "spec", "project"), zone)
	},
	nodeLabels: func(pool string) map[string]string {
		return map[string]string{"cloud.google.com/gke-nodepool": pool}
	},
}

// gkeZone splits a zone into its region and letter: a location is either.
var gkeZone = regexp.MustCompile(`^(.+-[a-z]+[0-9]+)-[a-z]$`)

func gkeShape(pool *unstructured.Unstructured) (shape, error) {
	found := shape{
		name:        text(pool.Object, "spec", "nodePoolName"),
		machineType: text(pool.Object, "spec", "instanceType"),
		labels:      texts(pool.Object, "spec", "kubernetesLabels"),
	}
	if zones, _, _ := unstructured.NestedStringSlice(pool.Object, "spec", "nodeLocations"); len(zones) > 0 {
		found.zone = zones[0] // the sandbox has one zone per pool
	}
	if flag(pool.Object, "spec", "scaling", "enableAutoscaling") {
		found.minimum = number(pool.Object, "spec", "scaling", "minCount")
		found.maximum = number(pool.Object, "spec", "scaling", "maxCount")
	}
	if older := text(pool.Object, "spec", "machineType"); found.machineType == "" {
		found.machineType = older // the field's name before instanceType
	}
	if found.machineType == "" {
		found.machineType = "e2-medium" // what GKE takes when none is named
	}
	// GKE installs the driver on machines with GPUs, unless told not to by this label.
	if found.labels["gke-no-default-nvidia-gpu-device-plugin"] != "true" {
		found.driverVersion = imageDriverVersion
	}
	for _, taint := range objects(pool.Object, "spec", "kubernetesTaints") {
		found.taints = append(found.taints, corev1.Taint{
			Key: text(taint, "key"), Value: text(taint, "value"), Effect: corev1.TaintEffect(text(taint, "effect")),
		})
	}
	return found, nil
}
