package nodes

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

const (
	podsPerNode    = 110
	diskGiB        = 100
	reservedCPUs   = 200 // thousandths of a CPU kept for the system
	reservedShare  = 20  // one part in so many of the memory is kept for the system
	mebibytesInGiB = 1024
)

// capacity is all that a node of the pool has.
func (p Pool) capacity() corev1.ResourceList {
	capacity := corev1.ResourceList{
		corev1.ResourceCPU:              *resource.NewQuantity(int64(p.Machine.CPUs), resource.DecimalSI),
		corev1.ResourceMemory:           mebibytes(p.Machine.MemoryGiB * mebibytesInGiB),
		corev1.ResourcePods:             *resource.NewQuantity(podsPerNode, resource.DecimalSI),
		corev1.ResourceEphemeralStorage: mebibytes(diskGiB * mebibytesInGiB),
	}
	if gpu := p.Machine.GPU; gpu != nil {
		capacity[gpuResource] = *resource.NewQuantity(int64(gpu.Count), resource.DecimalSI)
	}
	return capacity
}

// allocatable is what of its capacity a node has for pods.
func (p Pool) allocatable() corev1.ResourceList {
	allocatable := p.capacity()
	memory := p.Machine.MemoryGiB * mebibytesInGiB
	allocatable[corev1.ResourceCPU] = *resource.NewMilliQuantity(int64(1000*p.Machine.CPUs-reservedCPUs), resource.DecimalSI)
	allocatable[corev1.ResourceMemory] = mebibytes(memory - memory/reservedShare)
	return allocatable
}

func mebibytes(count int) resource.Quantity {
	return *resource.NewQuantity(int64(count)<<20, resource.BinarySI)
}

// providerID is what the cloud would call a node's machine.
func (p Pool) providerID(node string) string {
	if strings.HasPrefix(p.ProviderIDPrefix, "aws:") {
		sum := digest(p.ProviderIDPrefix, node)
		return p.ProviderIDPrefix + "i-" + hex.EncodeToString(sum[:])[:17]
	}
	return p.ProviderIDPrefix + node
}

// podRange is a node's part of 10.128.0.0/9, and address its own in
// 172.16.0.0/12. Both follow from the node's name: nothing is routed, so that
// two nodes with the same do no harm.
func podRange(node string) string {
	sum := digest("pods", node)
	return fmt.Sprintf("10.%d.%d.0/24", 128+sum[0]%128, sum[1])
}

func address(node string) string {
	sum := digest("address", node)
	return fmt.Sprintf("172.%d.%d.%d", 16+sum[0]%16, sum[1], sum[2])
}

func digest(parts ...string) [sha256.Size]byte {
	hash := sha256.New()
	for _, part := range parts {
		_ = binary.Write(hash, binary.BigEndian, int64(len(part))) // a hash takes everything
		hash.Write([]byte(part))
	}
	return [sha256.Size]byte(hash.Sum(nil))
}
