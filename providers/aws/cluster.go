package aws

import (
	"github.com/meridian-fleet/meridian/providers"
	"github.com/meridian-fleet/meridian/providers/internal/render"
)

const (
	infrastructureVersion = render.InfrastructureGroup + "/v1beta2"
	controlPlaneVersion   = render.ControlPlaneGroup + "/v1beta2"
	serviceRange          = "172.20.0.0/16" // EKS's default for a VPC in 10.0.0.0/8
)

func controlPlaneName(request providers.ClusterRequest) string {
	return request.Name + "-control-plane"
}

// cluster makes the Cluster. Pods have addresses of the VPC.
func cluster(request providers.ClusterRequest) render.Fields {
	pods := setting(request, settingVPCRange, defaultVPCRange)
	if request.Account[settingVPC] != "" {
		pods = ""
	}
	return render.Cluster(request, render.Network(pods, serviceRange),
		render.Ref{Group: render.InfrastructureGroup, Kind: "AWSManagedCluster", Name: request.Name},
		render.Ref{Group: render.ControlPlaneGroup, Kind: "AWSManagedControlPlane", Name: controlPlaneName(request)})
}

// managedCluster is empty by design: EKS's settings are all on its control plane.
func managedCluster(request providers.ClusterRequest) render.Fields {
	return render.Object(request, infrastructureVersion, "AWSManagedCluster", request.Name, render.Fields{})
}

func controlPlane(request providers.ClusterRequest, region providers.Region) render.Fields {
	spec := render.Fields{
		"eksClusterName":             request.Name,
		"region":                     region.ID,
		"partition":                  region.Partition,
		"version":                    "v" + request.KubernetesVersion,
		"identityRef":                identity(request),
		"roleName":                   setting(request, settingClusterRole, defaultClusterRole),
		"associateOIDCProvider":      true, // identities for workloads (IRSA)
		"bootstrapSelfManagedAddons": true, // CNI, DNS and kube-proxy
		"tokenMethod":                "iam-authenticator",
		"endpointAccess":             render.Fields{"public": true, "private": true},
		"accessConfig": render.Fields{
			"authenticationMode":                      "api_and_config_map",
			"bootstrapClusterCreatorAdminPermissions": true,
		},
		"logging": render.Fields{
			"apiServer": true, "audit": true, "authenticator": true, "controllerManager": true, "scheduler": true,
		},
		"bastion":        render.Fields{"enabled": false},
		"network":        network(request),
		"additionalTags": tags(request),
	}
	if key := request.Account[settingSecretsKey]; key != "" {
		spec["encryptionConfig"] = render.Fields{"provider": key, "resources": []any{"secrets"}}
	}
	return render.Object(request, controlPlaneVersion, "AWSManagedControlPlane", controlPlaneName(request),
		render.With(spec, render.Fields{"sshKeyName": request.Account[settingSSHKey]}))
}

func identity(request providers.ClusterRequest) render.Fields {
	if name := request.Account[settingRoleIdentity]; name != "" {
		return render.Fields{"kind": "AWSClusterRoleIdentity", "name": name}
	}
	return render.Fields{"kind": "AWSClusterControllerIdentity", "name": "default"}
}

// network is three availability zones with a private and a public subnet each.
func network(request providers.ClusterRequest) render.Fields {
	vpc := render.Fields{
		"availabilityZoneUsageLimit": 3,
		"availabilityZoneSelection":  "Ordered",
		"subnetSchema":               "PreferPrivate",
	}
	if id := request.Account[settingVPC]; id != "" {
		vpc["id"] = id
	} else {
		vpc["cidrBlock"] = setting(request, settingVPCRange, defaultVPCRange)
	}
	return render.Fields{"vpc": vpc}
}

func tags(request providers.ClusterRequest) render.Fields {
	return render.Fields{render.ClusterLabel: request.Name, "managed-by": "meridian"}
}
