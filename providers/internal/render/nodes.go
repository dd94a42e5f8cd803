package render

import (
	"maps"
	"strconv"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/meridian-fleet/meridian/providers"
)

// PoolLabel is on the nodes of a pool, with the name the request gives it.
const PoolLabel = "meridian.dev/node-pool"

// The labels NVIDIA's GPU feature discovery puts on nodes. They are set from
// the start, so that workloads find the GPUs before any driver reports them.
const (
	gpuPresentLabel = "nvidia.com/gpu.present"
	gpuProductLabel = "nvidia.com/gpu.product"
	gpuCountLabel   = "nvidia.com/gpu.count"
	gpuMemoryLabel  = "nvidia.com/gpu.memory" // MiB of one GPU
	gpuDriverLabel  = "nvidia.com/cuda.driver-version.full"
)

// NodeLabels are the labels of a pool's nodes: the request's, the pool's name,
// and what each node has in GPUs.
func NodeLabels(pool providers.NodePool) map[string]string {
	labels := map[string]string{}
	maps.Copy(labels, pool.Labels)
	labels[PoolLabel] = pool.Name
	gpu := pool.GPU
	if gpu == nil {
		return labels
	}
	labels[gpuPresentLabel] = "true"
	labels[gpuProductLabel] = gpu.Product
	labels[gpuCountLabel] = strconv.Itoa(gpu.Count)
	if quantity, err := resource.ParseQuantity(gpu.Memory); gpu.Memory != "" && err == nil {
		labels[gpuMemoryLabel] = strconv.FormatInt(quantity.Value()>>20, 10)
	}
	if gpu.DriverVersion != "" {
		labels[gpuDriverLabel] = gpu.DriverVersion
	}
	return labels
}
