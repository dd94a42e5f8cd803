package main

import (
	"bytes"
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"
)

// concurrentPerCluster is how many applies the floor has under way on each
// cluster: more did not make it faster on two cores.
const concurrentPerCluster = 16

// resources are the kinds the objects are of, in turn.
var resources = []struct {
	schema.GroupVersionResource
	kind string
	body map[string]any
}{
	{schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}, "ConfigMap", map[string]any{"data": map[string]any{"key": "value", "settings": "one: 1\ntwo: 2\n"}}},
	{schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}, "ServiceAccount", nil},
	{schema.GroupVersionResource{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "roles"}, "Role", map[string]any{"rules": []any{map[string]any{"apiGroups": []any{""}, "resources": []any{"pods"}, "verbs": []any{"get", "list"}}}}},
	{schema.GroupVersionResource{Version: "v1", Resource: "services"}, "Service", map[string]any{"spec": map[string]any{"selector": map[string]any{"app": "bench"}, "ports": []any{map[string]any{"name": "http", "port": int64(80), "protocol": "TCP"}}}}},
}

// object is the number-th object of a namespace.
func object(namespace string, number int) (schema.GroupVersionResource, *unstructured.Unstructured) {
	resource := resources[number%len(resources)]
	content := map[string]any{
		"apiVersion": resource.GroupVersion().String(), "kind": resource.kind,
		"metadata": map[string]any{"name": fmt.Sprintf("object-%d", number), "namespace": namespace, "labels": map[string]any{"app": "bench"}},
	}
	for key, value := range resource.body {
		content[key] = value
	}
	return resource.GroupVersionResource, &unstructured.Unstructured{Object: content}
}

func namespaceObject(name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name}}}
}

// manifests are the objects as a baseline's file. The namespace counts as one.
func manifests(namespace string, objects int) []byte {
	var out bytes.Buffer
	add := func(u *unstructured.Unstructured) {
		raw, err := yaml.Marshal(u.Object)
		if err != nil {
			panic(err) // built above, of plain values
		}
		out.WriteString("---\n")
		out.Write(raw)
	}
	add(namespaceObject(namespace))
	for number := range objects - 1 {
		_, u := object(namespace, number)
		add(u)
	}
	return out.Bytes()
}

// applyEverywhere is the floor: every object to every cluster, all clusters at
// once, by server-side apply and nothing else.
func applyEverywhere(ctx context.Context, clusters map[string]*rest.Config, namespace string, objects int) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, config := range clusters {
		group.Go(func() error { return applyTo(ctx, config, namespace, objects) })
	}
	return group.Wait()
}

func applyTo(ctx context.Context, config *rest.Config, namespace string, objects int) error {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	options := metav1.ApplyOptions{FieldManager: "bench"}
	if _, err := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}).Apply(ctx, namespace, namespaceObject(namespace), options); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(concurrentPerCluster)
	for number := range objects - 1 {
		group.Go(func() error {
			resource, u := object(namespace, number)
			_, err := client.Resource(resource).Namespace(namespace).Apply(ctx, u.GetName(), u, options)
			return err
		})
	}
	return group.Wait()
}
