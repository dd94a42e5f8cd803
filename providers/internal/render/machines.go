package render

import (
	"fmt"

	"github.com/meridian-fleet/meridian/providers"
)

// GPUs is what an instance type has.
type GPUs struct {
	Count   int
	Product string // as NVIDIA's driver names it
}

// Machines is the instance types of a cloud that have GPUs, by name.
type Machines map[string]GPUs

// CheckGPUs compares what a request says of its pools' GPUs with what their
// instance types have. Types that are not listed are taken at the request's
// word: clouds add new ones all the time.
func (m Machines) CheckGPUs(request providers.ClusterRequest, faults *providers.Faults) {
	for i, pool := range request.NodePools {
		has, known := m[pool.InstanceType]
		if pool.GPU == nil || !known {
			continue
		}
		field := fmt.Sprintf("nodePools[%d].gpu", i)
		if pool.GPU.Count != has.Count {
			faults.Add(field+".count", "%s has %d GPUs, not %d", pool.InstanceType, has.Count, pool.GPU.Count)
		}
		if pool.GPU.Product != has.Product {
			faults.Add(field+".product", "%s has %s, not %s", pool.InstanceType, has.Product, pool.GPU.Product)
		}
	}
}
