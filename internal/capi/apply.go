package capi

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

const coreGroup = "cluster.x-k8s.io"

// Apply makes the objects of a cluster what a provider rendered, by
// server-side apply. All are tried before the first is written, so that one
// the API refuses leaves nothing half applied.
func (m *Management) Apply(ctx context.Context, objects []json.RawMessage) error {
	decoded, err := m.decode(objects)
	if err != nil {
		return err
	}
	var faults []error
	for _, object := range decoded {
		faults = append(faults, m.applyOne(ctx, object, metav1.DryRunAll))
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	for _, object := range decoded {
		if err := m.applyOne(ctx, object); err != nil {
			return err
		}
	}
	return nil
}

// decode reads the objects, marks whose they are, and orders them.
func (m *Management) decode(objects []json.RawMessage) ([]*unstructured.Unstructured, error) {
	var decoded []*unstructured.Unstructured
	var cluster string
	for _, raw := range objects {
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(raw); err != nil {
			return nil, fleet.Errorf(fleet.ErrInvalid, "a rendered object cannot be read: %w", err)
		}
		if isCluster(object) {
			cluster = object.GetName()
		}
		decoded = append(decoded, object)
	}
	if cluster == "" {
		return nil, fleet.Errorf(fleet.ErrInvalid, "the rendered objects have no Cluster among them")
	}
	for _, object := range decoded {
		if err := m.adopt(object, cluster); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(decoded, func(a, b *unstructured.Unstructured) int { return cmp.Compare(rank(a), rank(b)) })
	return decoded, nil
}

func (m *Management) adopt(object *unstructured.Unstructured, cluster string) error {
	if namespace := object.GetNamespace(); namespace != "" && namespace != m.namespace {
		return fleet.Errorf(fleet.ErrInvalid, "is rendered for namespace %q, not %q", namespace, m.namespace).On(describe(object))
	}
	labels := object.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[clusterLabel] = cluster
	object.SetLabels(labels)
	return nil
}

func isCluster(object *unstructured.Unstructured) bool {
	return object.GetKind() == "Cluster" && object.GroupVersionKind().Group == coreGroup
}

// rank puts what others refer to first.
func rank(object *unstructured.Unstructured) int {
	group := object.GroupVersionKind().Group
	switch {
	case isCluster(object):
		return 2
	case group == coreGroup:
		return 3
	case strings.HasSuffix(group, coreGroup):
		return 1
	}
	return 0
}

func (m *Management) applyOne(ctx context.Context, object *unstructured.Unstructured, dryRun ...string) error {
	resource, err := m.resource(object)
	if err != nil {
		return err
	}
	_, err = resource.Apply(ctx, object.GetName(), object, metav1.ApplyOptions{
		FieldManager: fieldManager, Force: true, DryRun: dryRun,
	})
	return wrap(err, "apply", describe(object))
}

// resource is the client for an object's kind. A kind that is not known may
// have been installed since the mapper looked.
func (m *Management) resource(object *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	kind := object.GroupVersionKind()
	mapping, err := m.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if meta.IsNoMatchError(err) {
		m.mapper.Reset()
		mapping, err = m.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	}
	if err != nil {
		return nil, wrap(err, "find its kind", describe(object))
	}
	if mapping.Scope.Name() == meta.RESTScopeNameRoot {
		return m.dynamic.Resource(mapping.Resource), nil
	}
	object.SetNamespace(m.namespace)
	return m.dynamic.Resource(mapping.Resource).Namespace(m.namespace), nil
}

func describe(object *unstructured.Unstructured) string {
	return object.GroupVersionKind().GroupKind().String() + " " + object.GetName()
}
