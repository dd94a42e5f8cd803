package aws

import (
	"testing"

	"github.com/meridian-fleet/meridian/providers"
	"github.com/meridian-fleet/meridian/providers/internal/golden"
	"github.com/meridian-fleet/meridian/providers/internal/schematest"
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
		Name: "aws-test", Namespace: "fleet", Region: "eu-central-1", KubernetesVersion: "1.36.3",
		Labels:  map[string]string{"meridian.dev/tier": "canary"},
		Account: nil,
		NodePools: []providers.NodePool{
			{Name: "system", Replicas: 2, InstanceType: "m6i.xlarge", Labels: map[string]string{"team": "platform"}},
			{
				Name: "h100", Replicas: 1, InstanceType: "p5.48xlarge",
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

func TestObjectsPassTheRealSchemas(t *testing.T) {
	t.Parallel()
	schematest.CheckProvider(t, loadSchemas(t), newProvider(t), request, accounts)
}
