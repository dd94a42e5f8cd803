package clouds

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"
)

var gpuTaint = []corev1.Taint{{Key: "nvidia.com/gpu", Value: "present", Effect: corev1.TaintEffectNoSchedule}}

func TestShapesOfPools(t *testing.T) {
	t.Parallel()
	labels := map[string]string{"workload": "training"}
	for _, test := range []struct {
		flavor flavor
		want   shape
		region string
	}{
		{eks, shape{name: "gpu", machineType: "p5.48xlarge", labels: labels, taints: gpuTaint, driverVersion: imageDriverVersion, minimum: ptr.To[int64](0), maximum: ptr.To[int64](8)}, "eu-central-1"},
		{gke, shape{name: "gpu", machineType: "a3-highgpu-8g", labels: labels, taints: gpuTaint, driverVersion: imageDriverVersion}, "europe-west3"},
		{aks, shape{name: "gpu", machineType: "Standard_ND96isr_H100_v5", labels: labels, taints: gpuTaint}, "germanywestcentral"},
	} {
		t.Run(test.flavor.name, func(t *testing.T) {
			t.Parallel()
			got, err := test.flavor.shape(manifest(t, test.flavor.name, test.flavor.pool.Kind))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("shape is %+v, want %+v", got, test.want)
			}
			controlPlane := manifest(t, test.flavor.name, test.flavor.controlPlane.Kind)
			if err := test.flavor.check(controlPlane); err != nil {
				t.Errorf("control plane refused: %v", err)
			}
			if region := test.flavor.region(controlPlane); region != test.region {
				t.Errorf("region is %q, want %q", region, test.region)
			}
		})
	}
}

func manifest(t *testing.T, name, kind string) *unstructured.Unstructured {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for document := range strings.SplitSeq(string(content), "\n---\n") {
		encoded, err := yaml.YAMLToJSON([]byte(document))
		if err != nil {
			t.Fatal(err)
		}
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(encoded); err != nil {
			t.Fatal(err)
		}
		if object.GetKind() == kind {
			return object
		}
	}
	t.Fatalf("no %s in %s.yaml", kind, name)
	return nil
}

func TestWhatACloudRefuses(t *testing.T) {
	t.Parallel()
	empty := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{}}}
	if reason := reasonOf(eks.check(empty)); reason != "InvalidRegion" {
		t.Errorf("EKS without a region: %q", reason)
	}
	if reason := reasonOf(gke.check(empty)); reason != "InvalidLocation" {
		t.Errorf("GKE without a location: %q", reason)
	}
	if reason := reasonOf(aks.check(empty)); reason != "ResourceMissing" {
		t.Errorf("AKS without a ManagedCluster: %q", reason)
	}
	if _, err := aks.shape(empty); reasonOf(err) != "ResourceMissing" {
		t.Errorf("AKS pool without an agent pool: %v", err)
	}
	limited := shape{minimum: ptr.To[int64](1), maximum: ptr.To[int64](3)}
	for replicas, want := range map[int64]string{0: "InvalidScaling", 1: "", 3: "", 4: "InvalidScaling"} {
		if reason := reasonOf(limited.admits(replicas)); reason != want {
			t.Errorf("%d nodes: %q, want %q", replicas, reason, want)
		}
	}
}

func TestAzureTaints(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]corev1.Taint{
		"a=b:NoSchedule":          {Key: "a", Value: "b", Effect: corev1.TaintEffectNoSchedule},
		"example.com/a:NoExecute": {Key: "example.com/a", Effect: corev1.TaintEffectNoExecute},
		"a=:PreferNoSchedule":     {Key: "a", Effect: corev1.TaintEffectPreferNoSchedule},
	} {
		if got, err := parseTaint(written); err != nil || got != want {
			t.Errorf("%q gave %+v, %v", written, got, err)
		}
	}
	for _, written := range []string{"", "a", "a=b", "a=b:Never", "=b:NoSchedule", ":NoSchedule"} {
		if got, err := parseTaint(written); err == nil {
			t.Errorf("%q gave %+v, want an error", written, got)
		}
	}
}
