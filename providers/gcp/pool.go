package gcp

import (
	"github.com/meridian-fleet/meridian/providers"
	"github.com/meridian-fleet/meridian/providers/internal/render"
)

const (
	diskGB    = 100
	gpuDiskGB = 200 // images with CUDA are large
)

// noDriverLabel keeps GKE from running its own NVIDIA device plugin, for pools
// whose driver the baseline installs.
const noDriverLabel = "gke-no-default-nvidia-gpu-device-plugin"

func poolRef(request providers.ClusterRequest, pool providers.NodePool) render.Ref {
	return render.Ref{Group: render.InfrastructureGroup, Kind: "GCPManagedMachinePool", Name: render.PoolName(request, pool)}
}

func managedPool(request providers.ClusterRequest, pool providers.NodePool, regionZones []string) render.Fields {
	disk := diskGB
	if pool.GPU != nil {
		disk = gpuDiskGB
	}
	spec := render.Fields{
		"nodePoolName":     pool.Name,
		"instanceType":     pool.InstanceType,
		"diskSizeGB":       disk,
		"imageType":        "COS_CONTAINERD",
		"kubernetesLabels": render.Labels(nodeLabels(pool)),
		"additionalLabels": resourceLabels(request),
		// A release channel upgrades nodes by itself and insists on doing so.
		"management":   render.Fields{"autoRepair": true, "autoUpgrade": request.Account[settingReleaseChannel] != ""},
		"nodeSecurity": nodeSecurity(request, pool),
	}
	if zones := nodeLocations(request, pool, regionZones); len(zones) > 0 {
		spec["nodeLocations"] = zones
	}
	if len(pool.Taints) > 0 {
		spec["kubernetesTaints"] = taints(pool)
	}
	return render.Object(request, infrastructureVersion, "GCPManagedMachinePool", render.PoolName(request, pool), spec)
}

func nodeLabels(pool providers.NodePool) map[string]string {
	labels := render.NodeLabels(pool)
	if pool.GPU != nil && pool.GPU.DriverVersion == "" {
		labels[noDriverLabel] = "true"
	}
	return labels
}

// nodeSecurity turns on shielded nodes. Secure boot refuses kernel modules that
// are not signed by Google, a driver from the baseline among them.
func nodeSecurity(request providers.ClusterRequest, pool providers.NodePool) render.Fields {
	account := render.Fields{"scopes": []any{"https://www.googleapis.com/auth/cloud-platform"}}
	return render.Fields{
		"enableIntegrityMonitoring": true,
		"enableSecureBoot":          pool.GPU == nil,
		"serviceAccount":            render.With(account, render.Fields{"email": request.Account[settingNodeAccount]}),
	}
}

// nodeLocations are the zones of a pool. A regional cluster has the same number
// of nodes in each, so that CAPG refuses a count its zones do not divide; fewer
// zones are taken until they do. None means GKE's default of three.
func nodeLocations(request providers.ClusterRequest, pool providers.NodePool, regionZones []string) []any {
	candidates := regionZones
	wanted := len(candidates)
	if chosen := gpuZones(request); pool.GPU != nil {
		candidates, wanted = regionZones[:min(1, len(regionZones))], 1
		if chosen != nil {
			candidates, wanted = chosen, len(chosen)
		}
	}
	for wanted > 1 && pool.Replicas%wanted != 0 {
		wanted--
	}
	if pool.GPU == nil && wanted == len(regionZones) {
		return nil
	}
	var zones []any
	for _, letter := range candidates[:wanted] {
		zones = append(zones, request.Region+"-"+letter)
	}
	return zones
}

func taints(pool providers.NodePool) []any {
	var all []any
	for _, taint := range pool.Taints {
		all = append(all, render.Fields{"key": taint.Key, "value": taint.Value, "effect": taint.Effect})
	}
	return all
}
