package gcp

import (
	"cmp"
	"strings"

	"github.com/meridian-fleet/meridian/providers"
	"github.com/meridian-fleet/meridian/providers/internal/render"
)

const infrastructureVersion = render.InfrastructureGroup + "/v1beta1"

func controlPlaneName(request providers.ClusterRequest) string {
	return request.Name + "-control-plane"
}

// cluster makes the Cluster. GKE picks address ranges that are free in the VPC.
func cluster(request providers.ClusterRequest) render.Fields {
	return render.Cluster(request, render.Network("", ""),
		render.Ref{Group: render.InfrastructureGroup, Kind: "GCPManagedCluster", Name: request.Name},
		render.Ref{Group: render.InfrastructureGroup, Kind: "GCPManagedControlPlane", Name: controlPlaneName(request)})
}

func managedCluster(request providers.ClusterRequest) render.Fields {
	spec := render.Fields{
		"project":          request.Account[settingProject],
		"region":           request.Region,
		"network":          render.Fields{"name": cmp.Or(request.Account[settingNetwork], "default")},
		"additionalLabels": resourceLabels(request),
	}
	if namespace, name, ok := strings.Cut(request.Account[settingCredentials], "/"); ok {
		spec["credentialsRef"] = render.Fields{"namespace": namespace, "name": name}
	}
	return render.Object(request, infrastructureVersion, "GCPManagedCluster", request.Name, spec)
}

// controlPlane makes a regional cluster, whose control plane survives a zone.
func controlPlane(request providers.ClusterRequest) render.Fields {
	project := request.Account[settingProject]
	spec := render.Fields{
		"clusterName":     request.Name,
		"project":         project,
		"location":        request.Region,
		"version":         "v" + request.KubernetesVersion,
		"enableAutopilot": false,
		"clusterNetwork": render.Fields{
			"useIPAliases":   true,
			"privateCluster": render.Fields{"enablePrivateNodes": request.Account[settingPublicNodes] != "true", "enablePrivateEndpoint": false},
		},
		"clusterSecurity": render.Fields{
			"workloadIdentityConfig": render.Fields{"workloadPool": project + ".svc.id.goog"},
		},
		"loggingService":    "logging.googleapis.com/kubernetes",
		"monitoringService": "monitoring.googleapis.com/kubernetes",
	}
	return render.Object(request, infrastructureVersion, "GCPManagedControlPlane", controlPlaneName(request),
		render.With(spec, render.Fields{"releaseChannel": request.Account[settingReleaseChannel]}))
}

// resourceLabels keep to what Google Cloud allows: no dots, no slashes.
func resourceLabels(request providers.ClusterRequest) render.Fields {
	return render.Fields{"managed-by": "meridian", "meridian-cluster": request.Name}
}
