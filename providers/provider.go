package providers

import (
	"context"
	"encoding/json"
)

// Provider is a cloud. Implementations are safe for concurrent use. Errors
// carry a kind (see Error).
type Provider interface {
	// Describe says what the provider is, can do, and which regions it has.
	Describe(ctx context.Context) (Description, error)
	// ClusterObjects renders the Cluster API objects of one cluster. It calls
	// no cloud: the same request gives the same objects.
	ClusterObjects(ctx context.Context, request ClusterRequest) (ClusterObjects, error)
}

// Capability is something a provider can do beyond describing itself.
type Capability string

// CapabilityClusters means ClusterObjects works.
const CapabilityClusters Capability = "clusters"

// Description is a provider's account of itself.
type Description struct {
	Name         string // aws, gcp, azure
	Version      string // semver of the plugin
	Capabilities []Capability
	Regions      []Region
}

// Region is one entry of a provider's catalog, with facts about it.
type Region struct {
	ID            string   // the cloud's own, eu-central-1
	DisplayName   string   // Europe (Frankfurt)
	City          string   // Frankfurt
	Country       string   // ISO 3166-1 alpha-2, DE
	Partition     string   // aws, aws-cn, gcp, azure, AzureUSGovernment, …
	Operator      string   // the legal entity that runs it
	Jurisdictions []string // ISO 3166 countries whose law reaches the operator
	OptIn         bool     // an account must enable it first
	ReplicaPair   string   // id of the region geo-redundant stores copy to; empty when there is none
}

// ClusterRequest asks for the objects of one cluster.
type ClusterRequest struct {
	Name              string            // DNS label, at most 40 characters
	Namespace         string            // on the management cluster
	Region            string            // catalog id
	KubernetesVersion string            // 1.36.3, without a leading v
	Labels            map[string]string // put on the Cluster object
	Account           map[string]string // cloud account settings: project, subscription, roleARN, …
	NodePools         []NodePool
}

// NodePool is a group of equal nodes.
type NodePool struct {
	Name         string
	Replicas     int
	InstanceType string // the cloud's own, m6i.large
	Labels       map[string]string
	Taints       []Taint
	GPU          *GPU
}

// Taint is a Kubernetes taint.
type Taint struct {
	Key, Value string
	Effect     string // NoSchedule, PreferNoSchedule, NoExecute
}

// GPU is what each node of a pool has.
type GPU struct {
	Product       string // NVIDIA-H100-80GB-HBM3
	Count         int
	Memory        string // Kubernetes quantity, of one GPU
	DriverVersion string // preinstalled by the image; empty: none
}

// ClusterObjects are Kubernetes objects for the management cluster, in the
// order they should be applied: infrastructure before the Cluster that refers
// to it does not matter to Cluster API, but reads well.
type ClusterObjects struct {
	Objects []json.RawMessage
}
