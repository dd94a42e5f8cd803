package clouds

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meridian-fleet/meridian/internal/sandbox/machinetypes"
)

// flavor is how one cloud's managed Kubernetes differs from the others'.
type flavor struct {
	name                        string
	cluster, controlPlane, pool schema.GroupVersionKind
	// endpoint is where the control plane object has its endpoint.
	endpoint []string
	// extraStatus is what the control plane's status has beyond the contract.
	extraStatus map[string]any
	// check refuses control planes the cloud would refuse.
	check func(controlPlane *unstructured.Unstructured) error
	// region reads where a cluster is.
	region func(controlPlane *unstructured.Unstructured) string
	// shape reads what the nodes of a pool are to be.
	shape func(pool *unstructured.Unstructured) (shape, error)
	// machineType looks up a machine type of the cloud.
	machineType func(name string) (machinetypes.Type, error)
	// zone is the one zone of a region that nodes are put in.
	zone func(region string) string
	// providerIDPrefix begins the provider IDs of a cluster's nodes.
	providerIDPrefix func(controlPlane *unstructured.Unstructured, zone string) string
	// nodeLabels are what the cloud puts on nodes of its own accord.
	nodeLabels func(pool string) map[string]string
}

// shape is what a machine pool object says of its nodes.
type shape struct {
	name          string // of the pool, in the cloud
	zone          string // of its nodes; empty when the cloud chooses
	machineType   string
	labels        map[string]string
	taints        []corev1.Taint
	driverVersion string // of the GPU driver in the machines' image; empty when it has none
	minimum       *int64
	maximum       *int64
}

// imageDriverVersion is the GPU driver in the clouds' images that have one.
const imageDriverVersion = "580.95.05"

var flavors = []flavor{eks, gke, aks}

func infrastructureKind(version, kind string) schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: "infrastructure.cluster.x-k8s.io", Version: version, Kind: kind}
}
