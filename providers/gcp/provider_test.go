package gcp

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/meridian-fleet/meridian/providers"
	"github.com/meridian-fleet/meridian/providers/internal/golden"
	"github.com/meridian-fleet/meridian/providers/providertest"
)

func newProvider(t *testing.T) *Provider {
	t.Helper()
	provider, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return provider
}

func request() providers.ClusterRequest {
	return providers.ClusterRequest{
		Name: "gcp-test", Namespace: "fleet", Region: "europe-west3", KubernetesVersion: "1.36.3",
		Labels:  map[string]string{"meridian.dev/tier": "canary"},
		Account: map[string]string{settingProject: "meridian-test"},
		NodePools: []providers.NodePool{
			{Name: "system", Replicas: 2, InstanceType: "e2-standard-4", Labels: map[string]string{"team": "platform"}},
			{
				Name: "h100", Replicas: 1, InstanceType: "a3-highgpu-8g",
				Labels: map[string]string{"team": "research"},
				Taints: []providers.Taint{{Key: "nvidia.com/gpu", Value: "present", Effect: "NoSchedule"}},
				GPU:    &providers.GPU{Product: "NVIDIA-H100-80GB-HBM3", Count: 8, Memory: "80Gi"},
			},
		},
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	providertest.Run(t, func(t *testing.T) providertest.Subject {
		return providertest.Subject{
			Provider: newProvider(t), Request: request(),
			OneWayPairs: nil,
		}
	})
}

func TestGolden(t *testing.T) {
	t.Parallel()
	objects, err := newProvider(t).ClusterObjects(t.Context(), request())
	if err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "testdata/cluster.yaml", objects)
}

// variants of the request, each of which must pass the schemas too.
func variants() map[string]providers.ClusterRequest {
	all := map[string]providers.ClusterRequest{"plain": request()}
	vary := func(name string, change func(*providers.ClusterRequest)) {
		changed := request()
		change(&changed)
		all[name] = changed
	}
	vary("driver in the image", func(r *providers.ClusterRequest) { r.NodePools[1].GPU.DriverVersion = "580.95.05" })
	vary("no nodes", func(r *providers.ClusterRequest) { r.NodePools[1].Replicas = 0 })
	vary("a taint without value", func(r *providers.ClusterRequest) { r.NodePools[1].Taints[0].Value = "" })
	for name, account := range accounts {
		vary(name, func(r *providers.ClusterRequest) { r.Account = account })
	}
	return all
}

func TestObjectsPassTheRealSchemas(t *testing.T) {
	t.Parallel()
	schemas := loadSchemas(t)
	for name, request := range variants() {
		objects, err := newProvider(t).ClusterObjects(t.Context(), request)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, object := range objects.Objects {
			for _, fault := range schemas.Check(object) {
				t.Errorf("%s: %v", name, fault)
			}
		}
	}
}

// A schema check that lets everything pass would prove nothing.
func TestSchemasRefuse(t *testing.T) {
	t.Parallel()
	schemas := loadSchemas(t)
	objects, err := newProvider(t).ClusterObjects(t.Context(), request())
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range objects.Objects {
		broken := json.RawMessage(strings.Replace(string(object), `"spec":{`, `"spec":{"noSuchField":1,`, 1))
		if len(schemas.Check(broken)) == 0 {
			t.Errorf("the schema lets an unknown field pass:\n%s", broken)
		}
	}
}
