package capi

import (
	"context"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
)

// Observation is what Cluster API knows of a cluster.
type Observation struct {
	Version  string   // Kubernetes version of the control plane, without a leading v
	Endpoint string   // host:port
	Failures []string // conditions that should be true and are not, in the provider's words
}

// Observe reads what Cluster API knows of a cluster now.
func (m *Management) Observe(ctx context.Context, cluster string) (Observation, error) {
	object, err := m.cluster(ctx, cluster)
	if err != nil {
		return Observation{}, err
	}
	observation := Observation{Failures: failures(object)}
	if endpoint := object.Spec.ControlPlaneEndpoint; endpoint.IsValid() {
		observation.Endpoint = endpoint.String()
	}
	observation.Version, err = m.controlPlaneVersion(ctx, object.Spec.ControlPlaneRef)
	return observation, err
}

func failures(cluster *clusterv1.Cluster) []string {
	var texts []string
	for _, name := range requiredConditions {
		condition := meta.FindStatusCondition(cluster.Status.Conditions, name)
		if condition != nil && condition.Status == metav1.ConditionFalse {
			texts = append(texts, waitingFor(name, condition))
		}
	}
	return texts
}

// controlPlaneVersion is the version the control plane runs, or, until it
// says, the one it was told to.
func (m *Management) controlPlaneVersion(ctx context.Context, ref clusterv1.ContractVersionedObjectReference) (string, error) {
	if !ref.IsDefined() {
		return "", nil
	}
	mapping, err := m.mapper.RESTMapping(schema.GroupKind{Group: ref.APIGroup, Kind: ref.Kind})
	if err != nil {
		return "", wrap(err, "find its kind", ref.Kind+" "+ref.Name)
	}
	ctx, cancel := callTimeout(ctx)
	defer cancel()
	object, err := m.dynamic.Resource(mapping.Resource).Namespace(m.namespace).Get(ctx, ref.Name, metav1.GetOptions{})
	if err != nil {
		return "", wrap(err, "read", ref.Kind+" "+ref.Name)
	}
	for _, path := range [][]string{{"status", "version"}, {"spec", "version"}} {
		if version, _, _ := unstructured.NestedString(object.Object, path...); version != "" {
			return strings.TrimPrefix(version, "v"), nil
		}
	}
	return "", nil
}
