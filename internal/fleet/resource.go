package fleet

import (
	"encoding/json"
	"fmt"
	"time"
)

// APIVersion of every document Meridian reads and writes.
const APIVersion = "meridian.dev/v1alpha1"

// Kind names a kind of resource.
type Kind string

// The kinds people declare.
const (
	KindRegion          Kind = "Region"
	KindCluster         Kind = "Cluster"
	KindClusterProfile  Kind = "ClusterProfile"
	KindBaseline        Kind = "Baseline" // name is NAME@VERSION
	KindRolloutStrategy Kind = "RolloutStrategy"

	KindResidencyPolicy   Kind = "ResidencyPolicy"
	KindJurisdictionGroup Kind = "JurisdictionGroup"
	KindDataClass         Kind = "DataClass"
	KindDataset           Kind = "Dataset"
	KindWorkload          Kind = "Workload"
)

// The kinds Meridian itself records.
const (
	KindRollout       Kind = "Rollout"
	KindClusterChange Kind = "ClusterChange" // one cluster's part of a rollout, onboarding or heal
	KindNode          Kind = "Node"          // observed; name is CLUSTER/NODE, owner the cluster

	KindException Kind = "Exception" // asked for and approved through calls of their own
	KindPlacement Kind = "Placement" // found; name is CLUSTER/KIND/NAMESPACE/NAME, owner the cluster
	KindDecision  Kind = "Decision"  // a verdict that led to an act or kept one from happening
)

// DeclaredKinds lists the kinds that documents may have.
var DeclaredKinds = []Kind{
	KindRegion, KindCluster, KindClusterProfile, KindBaseline, KindRolloutStrategy,
	KindResidencyPolicy, KindJurisdictionGroup, KindDataClass, KindDataset, KindWorkload,
}

// ResidencyKinds lists the kinds that residency answers rest on.
var ResidencyKinds = []Kind{
	KindResidencyPolicy, KindJurisdictionGroup, KindDataClass, KindDataset, KindWorkload, KindException, KindPlacement,
}

// Kinds lists every kind there is.
var Kinds = append(append([]Kind{}, DeclaredKinds...), KindRollout, KindClusterChange, KindNode, KindException, KindPlacement, KindDecision)

// Ref names one resource.
type Ref struct {
	Kind Kind   `json:"kind"`
	Name string `json:"name"`
}

func (r Ref) String() string { return fmt.Sprintf("%s %s", r.Kind, r.Name) }

// Metadata of a resource. Fields below Annotations are set by the inventory
// and refused in documents.
type Metadata struct {
	Name        string            `json:"name"`
	Version     string            `json:"version,omitempty"` // baselines only
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`

	Owner     string     `json:"owner,omitempty"`    // name of the resource an observed one belongs to
	Revision  int64      `json:"revision,omitempty"` // of the inventory, when this resource last changed
	CreatedAt *time.Time `json:"createdAt,omitempty"`
	UpdatedAt *time.Time `json:"updatedAt,omitempty"`
}

// Resource is one document: what is wanted (spec) and what is (status).
type Resource struct {
	APIVersion string          `json:"apiVersion"`
	Kind       Kind            `json:"kind"`
	Metadata   Metadata        `json:"metadata"`
	Spec       json.RawMessage `json:"spec,omitempty"`
	Status     json.RawMessage `json:"status,omitempty"`
}

// Ref returns the resource's reference.
func (r Resource) Ref() Ref { return Ref{Kind: r.Kind, Name: r.Metadata.Name} }

// NewResource makes a resource from typed spec and status; nil means absent.
func NewResource(kind Kind, name string, spec, status any) (Resource, error) {
	resource := Resource{APIVersion: APIVersion, Kind: kind, Metadata: Metadata{Name: name}}
	for _, part := range []struct {
		from any
		to   *json.RawMessage
	}{{spec, &resource.Spec}, {status, &resource.Status}} {
		if part.from == nil {
			continue
		}
		raw, err := json.Marshal(part.from)
		if err != nil {
			return Resource{}, Errorf(ErrInternal, "encode: %w", err).On(resource.Ref().String())
		}
		*part.to = raw
	}
	return resource, nil
}

// SpecOf decodes a resource's spec; an absent spec gives the zero value.
func SpecOf[T any](r Resource) (T, error) { return decodePart[T](r, "spec", r.Spec) }

// StatusOf decodes a resource's status; an absent status gives the zero value.
func StatusOf[T any](r Resource) (T, error) { return decodePart[T](r, "status", r.Status) }

func decodePart[T any](r Resource, field string, raw json.RawMessage) (T, error) {
	var value T
	if len(raw) == 0 {
		return value, nil
	}
	if err := json.Unmarshal(raw, &value); err != nil {
		return value, Errorf(ErrInvalid, "decode: %w", err).On(r.Ref().String()).At(Position{}, field)
	}
	return value, nil
}

// Change is one entry of a resource's history.
type Change struct {
	Revision int64     `json:"revision"`
	At       time.Time `json:"at"`
	Actor    string    `json:"actor"`
	Action   string    `json:"action"` // created, updated, status, deleted
	Ref      Ref       `json:"ref"`
	Before   *Resource `json:"before,omitempty"`
	After    *Resource `json:"after,omitempty"`
}
