package fleet

import "time"

// ClusterSpec is one Kubernetes cluster in a region.
type ClusterSpec struct {
	Region  string `json:"region"`
	Profile string `json:"profile"`
}

// ClusterPhase is where a cluster is in its life.
type ClusterPhase string

// The phases of a cluster.
const (
	ClusterPending      ClusterPhase = "Pending"
	ClusterProvisioning ClusterPhase = "Provisioning"
	ClusterReady        ClusterPhase = "Ready"
	ClusterFailed       ClusterPhase = "Failed"
	ClusterDeleting     ClusterPhase = "Deleting"
)

// ClusterStatus is what was last observed of a cluster.
type ClusterStatus struct {
	Phase             ClusterPhase     `json:"phase,omitempty"`
	Message           string           `json:"message,omitempty"`
	KubernetesVersion string           `json:"kubernetesVersion,omitempty"`
	Endpoint          string           `json:"endpoint,omitempty"`
	Nodes             int              `json:"nodes"`
	ReadyNodes        int              `json:"readyNodes"`
	GPUs              int              `json:"gpus"`
	GPUProducts       []string         `json:"gpuProducts,omitempty"`
	ObservedAt        *time.Time       `json:"observedAt,omitempty"`
	Baseline          *ClusterBaseline `json:"baseline,omitempty"`
	Drift             *DriftReport     `json:"drift,omitempty"`
}

// ClusterBaseline is the baseline a cluster should have and the one it has.
type ClusterBaseline struct {
	Target    string     `json:"target"`            // NAME@VERSION it should have
	Applied   string     `json:"applied,omitempty"` // NAME@VERSION last applied in full
	Digest    string     `json:"digest,omitempty"`  // of the applied bundle
	Rollout   string     `json:"rollout,omitempty"`
	AppliedAt *time.Time `json:"appliedAt,omitempty"`
	Objects   int        `json:"objects"`
}

// DriftReport is the outcome of comparing a cluster with its baseline.
type DriftReport struct {
	CheckedAt time.Time      `json:"checkedAt"`
	Baseline  string         `json:"baseline"`
	Findings  []DriftFinding `json:"findings,omitempty"`
	Message   string         `json:"message,omitempty"` // why a later check than this could not be made
}

// DriftFinding is one object that is not as the baseline says.
type DriftFinding struct {
	Component string   `json:"component"`
	Object    string   `json:"object"` // Kind.group namespace/name
	Type      string   `json:"type"`   // missing, changed, extra, unhealthy
	Fields    []string `json:"fields,omitempty"`
	Manager   string   `json:"manager,omitempty"` // field manager that made the change, when known
}

// NodeStatus is an observed node.
type NodeStatus struct {
	Pool           string `json:"pool,omitempty"`
	InstanceType   string `json:"instanceType,omitempty"`
	Ready          bool   `json:"ready"`
	GPUs           int    `json:"gpus"`
	GPUProduct     string `json:"gpuProduct,omitempty"`
	GPUMemory      string `json:"gpuMemory,omitempty"` // Kubernetes quantity, of one GPU
	DriverVersion  string `json:"driverVersion,omitempty"`
	KubeletVersion string `json:"kubeletVersion,omitempty"`
}

// ClusterProfileSpec is a shape clusters are made in.
type ClusterProfileSpec struct {
	KubernetesVersion string     `json:"kubernetesVersion"` // 1.36.3, without a leading v
	NodePools         []NodePool `json:"nodePools"`
}

// NodePool is a group of equal nodes.
type NodePool struct {
	Name          string            `json:"name"`
	Replicas      int               `json:"replicas"`
	InstanceTypes map[string]string `json:"instanceTypes"` // by provider
	Labels        map[string]string `json:"labels,omitempty"`
	Taints        []Taint           `json:"taints,omitempty"`
	GPU           *NodeGPU          `json:"gpu,omitempty"`
}

// Taint is a Kubernetes taint.
type Taint struct {
	Key    string `json:"key"`
	Value  string `json:"value,omitempty"`
	Effect string `json:"effect"` // NoSchedule, PreferNoSchedule, NoExecute
}

// NodeGPU is what each node of a pool has in GPUs.
type NodeGPU struct {
	Product       string `json:"product"` // NVIDIA-H100-80GB-HBM3
	Count         int    `json:"count"`
	Memory        string `json:"memory,omitempty"`        // Kubernetes quantity, of one GPU
	DriverVersion string `json:"driverVersion,omitempty"` // preinstalled by the image; empty: by the baseline
}
