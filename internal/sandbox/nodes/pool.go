package nodes

import (
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/sandbox/machinetypes"
)

// Pool is a group of equal nodes.
type Pool struct {
	Name             string
	Replicas         int
	MachineType      string
	Machine          machinetypes.Type
	Region, Zone     string
	Labels           map[string]string
	Taints           []corev1.Taint
	KubeletVersion   string
	DriverVersion    string // of the GPU driver in the image; empty when it has none
	ProviderIDPrefix string
}

const (
	// PoolLabel names the pool a node is of.
	PoolLabel = "sandbox.meridian.dev/pool"

	// SimulatedAnnotation is on every simulated node. Taking it away silences
	// the node as a lost machine would be.
	SimulatedAnnotation = "kwok.x-k8s.io/node"
	simulated           = "fake"

	largestPool = 1000
)

func (p Pool) check() error {
	on := "node pool " + p.Name
	if faults := validation.IsValidLabelValue(p.Name); p.Name == "" || len(faults) > 0 {
		return fleet.Errorf(fleet.ErrInvalid, "the pool's name cannot be a label: %v", faults).On(on)
	}
	if p.Replicas < 0 || p.Replicas > largestPool {
		return fleet.Errorf(fleet.ErrInvalid, "%d nodes: a pool has 0 to %d", p.Replicas, largestPool).On(on)
	}
	return nil
}

// nodeName names the pool's nodes by their place in it, so that the same pool
// always has the same nodes.
func (p Pool) nodeName(index int) string { return fmt.Sprintf("%s-%d", p.Name, index) }

// labels are those that a node of the pool has by Kubernetes' conventions, and
// the pool's own.
func (p Pool) labels(node string) map[string]string {
	labels := map[string]string{
		PoolLabel:                      p.Name,
		corev1.LabelHostname:           node,
		corev1.LabelOSStable:           "linux",
		corev1.LabelArchStable:         "amd64",
		corev1.LabelInstanceTypeStable: p.MachineType,
		corev1.LabelTopologyRegion:     p.Region,
		corev1.LabelTopologyZone:       p.Zone,
	}
	maps.DeleteFunc(labels, func(_, value string) bool { return value == "" })
	maps.Copy(labels, p.gpuLabels())
	maps.Copy(labels, p.Labels)
	return labels
}
