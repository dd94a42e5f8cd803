package providertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/meridian-fleet/meridian/providers"
)

type object struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name      string            `json:"name"`
		Namespace string            `json:"namespace"`
		Labels    map[string]string `json:"labels"`
	} `json:"metadata"`
	Spec struct {
		// of a Cluster
		InfrastructureRef *reference `json:"infrastructureRef"`
		ControlPlaneRef   *reference `json:"controlPlaneRef"`
		// of a MachinePool
		ClusterName string `json:"clusterName"`
		Replicas    *int   `json:"replicas"`
		Template    struct {
			Spec struct {
				Version           string     `json:"version"`
				InfrastructureRef *reference `json:"infrastructureRef"`
			} `json:"spec"`
		} `json:"template"`
	} `json:"spec"`
	raw json.RawMessage
}

type reference struct {
	APIGroup string `json:"apiGroup"`
	Kind     string `json:"kind"`
	Name     string `json:"name"`
}

// CheckObjects lists what is wrong with the objects made for a request.
func CheckObjects(request providers.ClusterRequest, objects providers.ClusterObjects) []error {
	set := objectSet{request: request, byRef: map[reference]object{}}
	for i, raw := range objects.Objects {
		set.add(i, raw)
	}
	set.checkCluster()
	set.checkPools()
	return set.faults
}

type objectSet struct {
	request  providers.ClusterRequest
	byRef    map[reference]object
	clusters []object
	pools    []object
	faults   []error
}

func (s *objectSet) fault(format string, args ...any) {
	s.faults = append(s.faults, fmt.Errorf(format, args...))
}

func (s *objectSet) add(i int, raw json.RawMessage) {
	read := object{raw: raw}
	if err := json.Unmarshal(raw, &read); err != nil {
		s.fault("object %d: %w", i, err)
		return
	}
	group, _, hasGroup := strings.Cut(read.APIVersion, "/")
	ref := reference{APIGroup: group, Kind: read.Kind, Name: read.Metadata.Name}
	if !hasGroup || read.Kind == "" || read.Metadata.Name == "" {
		s.fault("object %d has no apiVersion with a group, no kind or no name", i)
	}
	if read.Metadata.Namespace != s.request.Namespace {
		s.fault("%s %s is in namespace %q, want %q", read.Kind, read.Metadata.Name, read.Metadata.Namespace, s.request.Namespace)
	}
	if _, twice := s.byRef[ref]; twice {
		s.fault("%s %s is there twice", read.Kind, read.Metadata.Name)
	}
	s.byRef[ref] = read
	if group != "cluster.x-k8s.io" {
		return
	}
	switch read.Kind {
	case "Cluster":
		s.clusters = append(s.clusters, read)
	case "MachinePool":
		s.pools = append(s.pools, read)
	}
}

func (s *objectSet) checkCluster() {
	if len(s.clusters) != 1 {
		s.fault("want one Cluster, got %d", len(s.clusters))
		return
	}
	cluster := s.clusters[0]
	if cluster.Metadata.Name != s.request.Name {
		s.fault("the Cluster is named %q, want %q", cluster.Metadata.Name, s.request.Name)
	}
	for key, value := range s.request.Labels {
		if cluster.Metadata.Labels[key] != value {
			s.fault("the Cluster lacks the label %s=%s", key, value)
		}
	}
	s.checkRef("the Cluster's infrastructureRef", cluster.Spec.InfrastructureRef)
	s.checkRef("the Cluster's controlPlaneRef", cluster.Spec.ControlPlaneRef)
	if ref := cluster.Spec.ControlPlaneRef; ref != nil && !bytes.Contains(s.byRef[*ref].raw, []byte(s.request.KubernetesVersion)) {
		s.fault("%s %s does not have the version %s", ref.Kind, ref.Name, s.request.KubernetesVersion)
	}
}

func (s *objectSet) checkRef(what string, ref *reference) {
	if ref == nil {
		s.fault("%s is missing", what)
		return
	}
	if _, found := s.byRef[*ref]; !found {
		s.fault("%s names %s %s of %s, which is not among the objects", what, ref.Kind, ref.Name, ref.APIGroup)
	}
}

func (s *objectSet) checkPools() {
	if len(s.pools) != len(s.request.NodePools) {
		s.fault("want %d MachinePools, got %d", len(s.request.NodePools), len(s.pools))
		return
	}
	for i, wanted := range s.request.NodePools {
		s.checkPool(wanted, s.pools[i])
	}
}

func (s *objectSet) checkPool(wanted providers.NodePool, got object) {
	what := "MachinePool " + got.Metadata.Name
	if got.Spec.ClusterName != s.request.Name {
		s.fault("%s belongs to cluster %q, want %q", what, got.Spec.ClusterName, s.request.Name)
	}
	if got.Spec.Replicas == nil || *got.Spec.Replicas != wanted.Replicas {
		s.fault("%s does not have %d replicas", what, wanted.Replicas)
	}
	if version := strings.TrimPrefix(got.Spec.Template.Spec.Version, "v"); version != s.request.KubernetesVersion {
		s.fault("%s has version %q, want %s", what, version, s.request.KubernetesVersion)
	}
	ref := got.Spec.Template.Spec.InfrastructureRef
	s.checkRef(what+"'s infrastructureRef", ref)
	if ref == nil {
		return
	}
	infrastructure := string(s.byRef[*ref].raw)
	for _, text := range texts(wanted) {
		if !strings.Contains(infrastructure, text) {
			s.fault("%s %s says nothing of %q, which pool %s asks for", ref.Kind, ref.Name, text, wanted.Name)
		}
	}
}

// texts are what a pool's infrastructure must carry to the nodes.
func texts(pool providers.NodePool) []string {
	all := []string{pool.InstanceType}
	for key, value := range pool.Labels {
		all = append(all, key, value)
	}
	for _, taint := range pool.Taints {
		all = append(all, taint.Key, taint.Value)
	}
	if pool.GPU != nil {
		all = append(all, pool.GPU.Product)
	}
	return all
}
