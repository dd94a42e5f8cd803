package azure

import (
	"fmt"

	"github.com/meridian-fleet/meridian/providers"
	"github.com/meridian-fleet/meridian/providers/internal/render"
)

// The account settings a request may have. All are optional.
const (
	settingResourceGroup = "resourceGroup" // default: one named like the cluster, made for it
	settingCredentials   = "credentials"   // ASO secret with subscription and identity; default: the namespace's aso-credential, else ASO's own
	settingSubnet        = "subnet"        // ARM id of the nodes' subnet; default: a network made by AKS
	settingTier          = "tier"          // Free, Standard or Premium; default Standard, which has an uptime SLA
)

var settings = []string{settingResourceGroup, settingCredentials, settingSubnet, settingTier}

var tiers = map[string]bool{"": true, "Free": true, "Standard": true, "Premium": true}

func check(request providers.ClusterRequest) error {
	return render.Check(request, func(faults *providers.Faults) {
		render.CheckAccount(request.Account, settings, nil, faults)
		if !tiers[request.Account[settingTier]] {
			faults.Add("account."+settingTier, "want Free, Standard or Premium, got %q", request.Account[settingTier])
		}
		if len(request.NodePools) > 0 && systemPool(request.NodePools) < 0 {
			faults.Add("nodePools", "AKS needs a pool for its system pods: at least one node, no GPUs, no taint that keeps pods away")
		}
		checkPoolNames(request.NodePools, faults)
		gpuMachines.CheckGPUs(request, faults)
	})
}

func checkPoolNames(pools []providers.NodePool, faults *providers.Faults) {
	taken := map[string]string{}
	for i, pool := range pools {
		short := azureName(pool.Name)
		if other, twice := taken[short]; twice && other != pool.Name {
			faults.Add(fmt.Sprintf("nodePools[%d].name", i), "%q and %q are the same to AKS, which drops hyphens", pool.Name, other)
		}
		taken[short] = pool.Name
	}
}

// systemPool is the index of the pool AKS's own pods run on, -1 for none.
func systemPool(pools []providers.NodePool) int {
	for i, pool := range pools {
		if pool.Replicas > 0 && pool.GPU == nil && !keepsPodsAway(pool.Taints) {
			return i
		}
	}
	return -1
}

func keepsPodsAway(taints []providers.Taint) bool {
	for _, taint := range taints {
		if taint.Effect != "PreferNoSchedule" && taint.Key != "CriticalAddonsOnly" {
			return true
		}
	}
	return false
}
