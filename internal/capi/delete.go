package capi

import (
	"context"
	"errors"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
)

// Delete removes a cluster and everything Meridian made for it, and waits
// until all of it is gone. What is gone already is fine.
//
// Cluster API itself takes a Cluster apart in the right order: machine pools,
// control plane, infrastructure, and the Cluster last. What is still there
// afterwards never belonged to a Cluster object and is removed one by one.
func (m *Management) Delete(ctx context.Context, cluster string) error {
	err := m.remove(ctx, clusterResource, cluster)
	if err != nil {
		return err
	}
	if err := m.gone(ctx, selection{clusterResource, metav1.ListOptions{FieldSelector: "metadata.name=" + cluster}}); err != nil {
		return err
	}
	return m.sweep(ctx, cluster)
}

// remove deletes one object without waiting for its end.
func (m *Management) remove(ctx context.Context, resource schema.GroupVersionResource, name string) error {
	ctx, cancel := callTimeout(ctx)
	defer cancel()
	background := metav1.DeletePropagationBackground
	err := m.dynamic.Resource(resource).Namespace(m.namespace).Delete(ctx, name, metav1.DeleteOptions{PropagationPolicy: &background})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return wrap(err, "delete", resource.Resource+" "+name)
}

// gone waits until a selection is empty.
func (m *Management) gone(ctx context.Context, selected selection) error {
	return m.follow(ctx, []selection{selected}, func(error) {}, func(found [][]*unstructured.Unstructured) (bool, error) {
		return len(found[0]) == 0, nil
	})
}

// sweep removes the objects that carry the cluster's label, of every kind
// Cluster API's core and its providers have.
func (m *Management) sweep(ctx context.Context, cluster string) error {
	resources, err := m.clusterAPIResources()
	if err != nil {
		return err
	}
	options := metav1.ListOptions{LabelSelector: clusterLabel + "=" + cluster}
	for _, resource := range resources {
		if err := m.sweepKind(ctx, selection{resource, options}); err != nil {
			return err
		}
	}
	return nil
}

func (m *Management) sweepKind(ctx context.Context, selected selection) error {
	list, err := m.dynamic.Resource(selected.resource).Namespace(m.namespace).List(ctx, selected.options)
	if err != nil {
		return wrap(err, "list", selected.resource.Resource)
	}
	for _, object := range list.Items {
		if err := m.remove(ctx, selected.resource, object.GetName()); err != nil {
			return err
		}
	}
	if len(list.Items) == 0 {
		return nil
	}
	return m.gone(ctx, selected)
}

// clusterAPIResources are the namespaced kinds of Cluster API's core and of
// its providers, those that refer to others first.
func (m *Management) clusterAPIResources() ([]schema.GroupVersionResource, error) {
	lists, err := m.core.Discovery().ServerPreferredNamespacedResources()
	if err != nil && !onlyForeignGroups(err) {
		return nil, wrap(err, "find the kinds of", "Cluster API")
	}
	var found []schema.GroupVersionResource
	for _, list := range lists {
		group, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil || !strings.HasSuffix(group.Group, coreGroup) {
			continue
		}
		for _, resource := range list.APIResources {
			if !strings.Contains(resource.Name, "/") && slices.Contains(resource.Verbs, "delete") && slices.Contains(resource.Verbs, "list") {
				found = append(found, group.WithResource(resource.Name))
			}
		}
	}
	slices.SortStableFunc(found, func(a, b schema.GroupVersionResource) int { return strings.Compare(a.Group, b.Group) })
	return found, nil
}

// onlyForeignGroups reports whether discovery failed for groups that have
// nothing to do with Cluster API, such as an extension server that is down.
func onlyForeignGroups(err error) bool {
	var partial *discovery.ErrGroupDiscoveryFailed
	if !errors.As(err, &partial) {
		return false
	}
	for group := range partial.Groups {
		if strings.HasSuffix(group.Group, coreGroup) {
			return false
		}
	}
	return true
}
