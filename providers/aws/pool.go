package aws

import (
	"regexp"

	"github.com/meridian-fleet/meridian/providers"
	"github.com/meridian-fleet/meridian/providers/internal/render"
)

const (
	diskGB    = 100
	gpuDiskGB = 200 // images with CUDA are large
)

// taintEffects spells Kubernetes' effects as CAPA does.
var taintEffects = map[string]string{
	"NoSchedule": "no-schedule", "PreferNoSchedule": "prefer-no-schedule", "NoExecute": "no-execute",
}

func poolRef(request providers.ClusterRequest, pool providers.NodePool) render.Ref {
	return render.Ref{Group: render.InfrastructureGroup, Kind: "AWSManagedMachinePool", Name: render.PoolName(request, pool)}
}

func managedPool(request providers.ClusterRequest, pool providers.NodePool) render.Fields {
	disk := diskGB
	if pool.GPU != nil {
		disk = gpuDiskGB
	}
	spec := render.Fields{
		"eksNodegroupName":           pool.Name,
		"roleName":                   setting(request, settingNodeRole, defaultNodeRole),
		"instanceType":               pool.InstanceType,
		"amiType":                    imageType(pool),
		"capacityType":               "onDemand",
		"diskSize":                   disk,
		"availabilityZoneSubnetType": "private",
		"labels":                     render.Labels(render.NodeLabels(pool)),
		// EKS wants room for one node even where none is wanted now.
		"scaling":          render.Fields{"minSize": pool.Replicas, "maxSize": max(pool.Replicas, 1)},
		"updateConfig":     render.Fields{"maxUnavailable": 1},
		"nodeRepairConfig": render.Fields{"enabled": true},
		"additionalTags":   tags(request),
	}
	if len(pool.Taints) > 0 {
		spec["taints"] = taints(pool)
	}
	if key := request.Account[settingSSHKey]; key != "" {
		spec["remoteAccess"] = render.Fields{"sshKeyName": key, "public": false}
	}
	return render.Object(request, infrastructureVersion, "AWSManagedMachinePool", render.PoolName(request, pool), spec)
}

// gravitonFamily matches ARM instance types: the letter g after the generation,
// as in m7g, c7gn, im4gn and g5g; and those with Grace processors, p6e-gb200.
var gravitonFamily = regexp.MustCompile(`^([a-z]+[0-9]+[a-z]*g[a-z]*|a1|[a-z]+[0-9]+[a-z]*-gb[0-9]+)\.`)

// imageType picks the image. It cannot be changed later, and CAPA's default is
// Amazon Linux 2, which current Kubernetes versions no longer get. The image
// with NVIDIA's driver is for pools that want it preinstalled; on the plain one
// the baseline installs it.
func imageType(pool providers.NodePool) string {
	architecture := "x86_64"
	if gravitonFamily.MatchString(pool.InstanceType) {
		architecture = "ARM_64"
	}
	if pool.GPU != nil && pool.GPU.DriverVersion != "" {
		return "AL2023_" + architecture + "_NVIDIA"
	}
	return "AL2023_" + architecture + "_STANDARD"
}

func taints(pool providers.NodePool) []any {
	var all []any
	for _, taint := range pool.Taints {
		all = append(all, render.Fields{"key": taint.Key, "value": taint.Value, "effect": taintEffects[taint.Effect]})
	}
	return all
}
