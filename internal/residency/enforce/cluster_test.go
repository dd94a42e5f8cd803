package enforce_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	"github.com/meridian-fleet/meridian/internal/sandbox/boxtest"
)

// cluster is a real API server.
type cluster struct {
	*testing.T
	kube    kubernetes.Interface
	dynamic dynamic.Interface
	mapper  meta.RESTMapper
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	return clusterAt(t, boxtest.Start(t, 1)[0])
}

func clusterAt(t *testing.T, access *rest.Config) *cluster {
	t.Helper()
	config := rest.CopyConfig(access)
	config.QPS = -1
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	found, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return &cluster{T: t, kube: kube, dynamic: client, mapper: restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(found))}
}

// apply applies the objects of a YAML or JSON text, Lists taken apart.
func (c *cluster) apply(content []byte) {
	c.Helper()
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(string(content)), 1<<16)
	for {
		object := &unstructured.Unstructured{}
		if err := decoder.Decode(object); err != nil {
			if len(object.Object) == 0 {
				return
			}
			c.Fatal(err)
		}
		if !object.IsList() {
			c.applyOne(object)
			continue
		}
		if err := object.EachListItem(func(item runtime.Object) error { c.applyOne(item.(*unstructured.Unstructured)); return nil }); err != nil {
			c.Fatal(err)
		}
	}
}

func (c *cluster) applyOne(object *unstructured.Unstructured) {
	c.Helper()
	kind := object.GroupVersionKind()
	mapping, err := c.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		c.Fatal(err)
	}
	_, err = c.dynamic.Resource(mapping.Resource).Namespace(object.GetNamespace()).
		Apply(c.Context(), object.GetName(), object, metav1.ApplyOptions{FieldManager: "test", Force: true})
	if err != nil {
		c.Fatalf("apply %s %s: %v", kind.Kind, object.GetName(), err)
	}
}

// namespace makes a namespace of the test's own.
func (c *cluster) namespace(name string, labels map[string]string) string {
	c.Helper()
	_, err := c.kube.CoreV1().Namespaces().Create(c.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		c.Fatal(err)
	}
	return name
}

var dryRun = metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}

func pod(namespace string, labels map[string]string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "probe-", Namespace: namespace, Labels: labels},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "example.com/main"}}},
	}
}

func claim(namespace, storageClass string, labels map[string]string) *corev1.PersistentVolumeClaim {
	wanted := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "probe-", Namespace: namespace, Labels: labels},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
		},
	}
	if storageClass != "" {
		wanted.Spec.StorageClassName = &storageClass
	}
	return wanted
}

func (c *cluster) tryPod(namespace string, labels map[string]string) error {
	_, err := c.kube.CoreV1().Pods(namespace).Create(c.Context(), pod(namespace, labels), dryRun)
	return err
}

func (c *cluster) tryClaim(namespace, storageClass string, labels map[string]string) error {
	_, err := c.kube.CoreV1().PersistentVolumeClaims(namespace).Create(c.Context(), claim(namespace, storageClass, labels), dryRun)
	return err
}

func (c *cluster) tryStorageClass(class *storagev1.StorageClass) error {
	_, err := c.kube.StorageV1().StorageClasses().Create(c.Context(), class, dryRun)
	return err
}

// eventually asks until the answer is the wanted one: an API server takes a
// moment to know new policies and parameters.
func (c *cluster) eventually(what string, ask func() error, want func(error) bool) {
	c.Helper()
	ctx, cancel := context.WithTimeout(c.Context(), 30*time.Second)
	defer cancel()
	var err error
	for ctx.Err() == nil {
		if err = ask(); want(err) {
			return
		}
	}
	c.Errorf("%s: %v", what, err)
}

// refused wants an answer that names all of the texts.
func refused(texts ...string) func(error) bool {
	return func(err error) bool {
		if !apierrors.IsInvalid(err) {
			return false
		}
		for _, text := range texts {
			if !strings.Contains(err.Error(), text) {
				return false
			}
		}
		return true
	}
}

func admitted(err error) bool { return err == nil }

func class(name string) map[string]string {
	return map[string]string{"meridian.dev/data-class": name}
}

// parameters are written by hand, so that what the policies do with them is
// tested for itself.
func (c *cluster) parameters(data map[string]string) {
	c.Helper()
	content, err := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"namespace": "residency-system", "name": "residency"}, "data": data,
	})
	if err != nil {
		c.Fatal(err)
	}
	c.apply(fmt.Appendf(nil, `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"residency-system"}}`))
	c.apply(content)
}
