package azure

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/meridian-fleet/meridian/providers"
	"github.com/meridian-fleet/meridian/providers/internal/render"
)

const (
	modeSystem = "System"
	modeUser   = "User"

	diskGB    = 128
	gpuDiskGB = 256 // images with CUDA are large

	maxAzureNameLength = 12
)

func poolRef(request providers.ClusterRequest, pool providers.NodePool) render.Ref {
	return render.Ref{Group: render.InfrastructureGroup, Kind: "AzureASOManagedMachinePool", Name: render.PoolName(request, pool)}
}

// managedPool wraps the agent pool. CAPZ puts the count and the version into it.
func managedPool(request providers.ClusterRequest, pool providers.NodePool, mode string, zones []string) render.Fields {
	spec := render.Fields{
		"azureName":       azureName(pool.Name),
		"owner":           render.Fields{"name": request.Name},
		"mode":            mode,
		"type":            "VirtualMachineScaleSets",
		"vmSize":          pool.InstanceType,
		"osType":          "Linux",
		"osSKU":           "Ubuntu",
		"osDiskSizeGB":    diskGB,
		"maxPods":         110,
		"nodeLabels":      render.Labels(render.NodeLabels(pool)),
		"upgradeSettings": render.Fields{"maxSurge": "1"},
		"tags":            tags(request),
	}
	if pool.GPU != nil {
		spec["osDiskSizeGB"] = gpuDiskGB
		spec["gpuProfile"] = render.Fields{"driver": driver(pool.GPU)}
	} else if len(zones) > 0 {
		spec["availabilityZones"] = anySlice(zones) // GPU sizes are not in every zone
	}
	if len(pool.Taints) > 0 {
		spec["nodeTaints"] = taints(pool)
	}
	if subnet := request.Account[settingSubnet]; subnet != "" {
		spec["vnetSubnetReference"] = render.Fields{"armId": subnet}
	}
	name := render.PoolName(request, pool)
	return render.Object(request, infrastructureVersion, "AzureASOManagedMachinePool", name, render.Fields{
		"resources": []any{resource(request, containerServiceVersion, "ManagedClustersAgentPool", name, spec)},
	})
}

// driver says whether AKS installs NVIDIA's driver, or the baseline does.
func driver(gpu *providers.GPU) string {
	if gpu.DriverVersion != "" {
		return "Install"
	}
	return "None"
}

func taints(pool providers.NodePool) []any {
	var all []any
	for _, taint := range pool.Taints {
		all = append(all, fmt.Sprintf("%s=%s:%s", taint.Key, taint.Value, taint.Effect))
	}
	return all
}

// azureName makes an agent pool's name: at most 12 small letters and digits,
// the first a letter. What does not fit is told apart by a hash.
func azureName(pool string) string {
	name := strings.ReplaceAll(pool, "-", "")
	startsWithLetter := name != "" && name[0] >= 'a' && name[0] <= 'z'
	if startsWithLetter && len(name) <= maxAzureNameLength {
		return name
	}
	sum := sha256.Sum256([]byte(pool))
	suffix := hex.EncodeToString(sum[:])[:4]
	if !startsWithLetter {
		name = "p" + name
	}
	return name[:min(len(name), maxAzureNameLength-len(suffix))] + suffix
}

func anySlice(values []string) []any {
	var all []any
	for _, value := range values {
		all = append(all, value)
	}
	return all
}
