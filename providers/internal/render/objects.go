package render

import (
	"encoding/json"
	"maps"

	"github.com/meridian-fleet/meridian/providers"
)

// ClusterLabel is on every object that belongs to a cluster.
const ClusterLabel = "meridian.dev/cluster"

// The API groups and versions of the objects.
const (
	coreVersion         = "cluster.x-k8s.io/v1beta2"
	InfrastructureGroup = "infrastructure.cluster.x-k8s.io"
	ControlPlaneGroup   = "controlplane.cluster.x-k8s.io"
)

// nodeDeletionSeconds bounds how long Cluster API waits for the node of a
// deleted machine. Without it, deleting a cluster whose API is gone hangs.
const nodeDeletionSeconds = 60

// Fields is the content of an object, or of a part of one.
type Fields = map[string]any

// Ref is a Cluster API reference to an object in the same namespace.
type Ref struct{ Group, Kind, Name string }

func (r Ref) fields() Fields {
	return Fields{"apiGroup": r.Group, "kind": r.Kind, "name": r.Name}
}

// Object makes a Kubernetes object of a request's cluster.
func Object(request providers.ClusterRequest, apiVersion, kind, name string, spec Fields) Fields {
	return Fields{
		"apiVersion": apiVersion,
		"kind":       kind,
		"metadata": Fields{
			"name":      name,
			"namespace": request.Namespace,
			"labels": Fields{
				ClusterLabel:                   request.Name,
				"app.kubernetes.io/managed-by": "meridian",
			},
		},
		"spec": spec,
	}
}

// Cluster makes the Cluster object, with the request's labels.
func Cluster(request providers.ClusterRequest, network Fields, infrastructure, controlPlane Ref) Fields {
	spec := Fields{
		"infrastructureRef": infrastructure.fields(),
		"controlPlaneRef":   controlPlane.fields(),
	}
	if len(network) > 0 {
		spec["clusterNetwork"] = network
	}
	cluster := Object(request, coreVersion, "Cluster", request.Name, spec)
	labels := cluster["metadata"].(Fields)["labels"].(Fields)
	for key, value := range request.Labels {
		if _, taken := labels[key]; !taken {
			labels[key] = value
		}
	}
	return cluster
}

// Network is a Cluster's clusterNetwork; an empty range is left to the cloud.
func Network(pods, services string) Fields {
	network := Fields{}
	if pods != "" {
		network["pods"] = Fields{"cidrBlocks": []any{pods}}
	}
	if services != "" {
		network["services"] = Fields{"cidrBlocks": []any{services}}
	}
	return network
}

// MachinePool makes the MachinePool object of a node pool. Managed pools boot
// by the cloud's own means, so that there is no bootstrap secret.
func MachinePool(request providers.ClusterRequest, pool providers.NodePool, infrastructure Ref) Fields {
	name := PoolName(request, pool)
	machinePool := Object(request, coreVersion, "MachinePool", name, Fields{
		"clusterName": request.Name,
		"replicas":    pool.Replicas,
		"template": Fields{
			"spec": Fields{
				"clusterName":       request.Name,
				"version":           "v" + request.KubernetesVersion,
				"bootstrap":         Fields{"dataSecretName": ""},
				"infrastructureRef": infrastructure.fields(),
				"deletion":          Fields{"nodeDeletionTimeoutSeconds": nodeDeletionSeconds},
			},
		},
	})
	machinePool["metadata"].(Fields)["labels"].(Fields)["cluster.x-k8s.io/cluster-name"] = request.Name
	return machinePool
}

// PoolName is the name of a node pool's objects.
func PoolName(request providers.ClusterRequest, pool providers.NodePool) string {
	return request.Name + "-" + pool.Name
}

// Encode turns objects into a provider's answer. Maps encode with their keys
// sorted, so that equal objects are equal bytes.
func Encode(objects ...Fields) (providers.ClusterObjects, error) {
	var encoded providers.ClusterObjects
	for _, object := range objects {
		raw, err := json.Marshal(object)
		if err != nil {
			return providers.ClusterObjects{}, providers.Errorf(providers.KindInternal, "encode object: %w", err)
		}
		encoded.Objects = append(encoded.Objects, raw)
	}
	return encoded, nil
}

// Labels turns string labels into an object's field.
func Labels(labels map[string]string) Fields {
	fields := Fields{}
	for key, value := range labels {
		fields[key] = value
	}
	return fields
}

// With returns fields with others added, where they are set.
func With(fields Fields, more Fields) Fields {
	merged := maps.Clone(fields)
	for key, value := range more {
		if value != nil && value != "" {
			merged[key] = value
		}
	}
	return merged
}
