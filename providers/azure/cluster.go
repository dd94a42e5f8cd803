package azure

import (
	"cmp"

	"github.com/meridian-fleet/meridian/providers"
	"github.com/meridian-fleet/meridian/providers/internal/render"
)

const (
	infrastructureVersion   = render.InfrastructureGroup + "/v1beta1"
	resourceGroupVersion    = "resources.azure.com/v1api20200601"
	containerServiceVersion = "containerservice.azure.com/v1api20250801"
)

// The address ranges of AKS's own defaults. CAPZ puts them into the managed
// cluster; its DNS service address must lie in the services' range.
const (
	podRange     = "10.244.0.0/16"
	serviceRange = "10.0.0.0/16"
	dnsAddress   = "10.0.0.10"
)

func controlPlaneName(request providers.ClusterRequest) string {
	return request.Name + "-control-plane"
}

func resourceGroup(request providers.ClusterRequest) string {
	return cmp.Or(request.Account[settingResourceGroup], request.Name)
}

func cluster(request providers.ClusterRequest) render.Fields {
	return render.Cluster(request, render.Network(podRange, serviceRange),
		render.Ref{Group: render.InfrastructureGroup, Kind: "AzureASOManagedCluster", Name: request.Name},
		render.Ref{Group: render.InfrastructureGroup, Kind: "AzureASOManagedControlPlane", Name: controlPlaneName(request)})
}

// resource makes an ASO resource to be wrapped. CAPZ gives it its namespace.
func resource(request providers.ClusterRequest, apiVersion, kind, name string, spec render.Fields) render.Fields {
	metadata := render.Fields{"name": name}
	if secret := request.Account[settingCredentials]; secret != "" {
		metadata["annotations"] = render.Fields{"serviceoperator.azure.com/credential-from": secret}
	}
	return render.Fields{"apiVersion": apiVersion, "kind": kind, "metadata": metadata, "spec": spec}
}

// managedCluster wraps the resource group. One that an account names exists
// already and must outlive the cluster, so that ASO only refers to it.
func managedCluster(request providers.ClusterRequest) render.Fields {
	group := resource(request, resourceGroupVersion, "ResourceGroup", resourceGroup(request), render.Fields{
		"location": request.Region,
		"tags":     tags(request),
	})
	if request.Account[settingResourceGroup] != "" {
		metadata := group["metadata"].(render.Fields)
		annotations, _ := metadata["annotations"].(render.Fields)
		metadata["annotations"] = render.With(render.Fields{"serviceoperator.azure.com/reconcile-policy": "skip"}, annotations)
	}
	return render.Object(request, infrastructureVersion, "AzureASOManagedCluster", request.Name, render.Fields{
		"resources": []any{group},
	})
}

// controlPlane wraps the managed cluster. CAPZ puts the version, the address
// ranges and the first agent pools into it.
func controlPlane(request providers.ClusterRequest) render.Fields {
	managed := resource(request, containerServiceVersion, "ManagedCluster", request.Name, render.Fields{
		"location":                request.Region,
		"owner":                   render.Fields{"name": resourceGroup(request)},
		"dnsPrefix":               request.Name,
		"sku":                     render.Fields{"name": "Base", "tier": cmp.Or(request.Account[settingTier], "Standard")},
		"identity":                render.Fields{"type": "SystemAssigned"},
		"servicePrincipalProfile": render.Fields{"clientId": "msi"},
		"enableRBAC":              true,
		"networkProfile": render.Fields{
			"networkPlugin": "azure", "networkPluginMode": "overlay", "loadBalancerSku": "standard", "dnsServiceIP": dnsAddress,
		},
		"oidcIssuerProfile": render.Fields{"enabled": true},
		"securityProfile":   render.Fields{"workloadIdentity": render.Fields{"enabled": true}},
		// Versions change by rollout, not by themselves.
		"autoUpgradeProfile": render.Fields{"upgradeChannel": "none"},
		"tags":               tags(request),
	})
	return render.Object(request, infrastructureVersion, "AzureASOManagedControlPlane", controlPlaneName(request), render.Fields{
		"version":   "v" + request.KubernetesVersion,
		"resources": []any{managed},
	})
}

func tags(request providers.ClusterRequest) render.Fields {
	return render.Fields{"managed-by": "meridian", "meridian-cluster": request.Name}
}
