package providers_test

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/meridian-fleet/meridian/providers"
)

func valid() providers.ClusterRequest {
	return providers.ClusterRequest{
		Name: "a-cluster", Namespace: "fleet", Region: "somewhere-1", KubernetesVersion: "1.36.3",
		Labels: map[string]string{"example.com/team": "platform"},
		NodePools: []providers.NodePool{{
			Name: "gpu", Replicas: 1, InstanceType: "big",
			Taints: []providers.Taint{{Key: "nvidia.com/gpu", Effect: "NoSchedule"}},
			GPU:    &providers.GPU{Product: "NVIDIA-L4", Count: 1, Memory: "24Gi"},
		}},
	}
}

func TestValidRequest(t *testing.T) {
	t.Parallel()
	if err := valid().Validate(); err != nil {
		t.Error(err)
	}
}

func TestEachFaultIsReportedAtItsField(t *testing.T) {
	t.Parallel()
	for field, spoil := range map[string]func(*providers.ClusterRequest){
		"name":                       func(r *providers.ClusterRequest) { r.Name = strings.Repeat("a", 41) },
		"namespace":                  func(r *providers.ClusterRequest) { r.Namespace = "" },
		"region":                     func(r *providers.ClusterRequest) { r.Region = "" },
		"kubernetesVersion":          func(r *providers.ClusterRequest) { r.KubernetesVersion = "v1.36.3" },
		"labels":                     func(r *providers.ClusterRequest) { r.Labels = map[string]string{"a b": "c"} },
		"labels.team":                func(r *providers.ClusterRequest) { r.Labels = map[string]string{"team": "not a value"} },
		"nodePools":                  func(r *providers.ClusterRequest) { r.NodePools = nil },
		"nodePools[1].name":          func(r *providers.ClusterRequest) { r.NodePools = append(r.NodePools, r.NodePools[0]) },
		"nodePools[0].replicas":      func(r *providers.ClusterRequest) { r.NodePools[0].Replicas = -1 },
		"nodePools[0].instanceType":  func(r *providers.ClusterRequest) { r.NodePools[0].InstanceType = "" },
		"nodePools[0].labels":        func(r *providers.ClusterRequest) { r.NodePools[0].Labels = map[string]string{"-": ""} },
		"nodePools[0].taints[0].key": func(r *providers.ClusterRequest) { r.NodePools[0].Taints[0].Key = "" },
		"nodePools[0].taints[0].effect": func(r *providers.ClusterRequest) {
			r.NodePools[0].Taints[0].Effect = "no-schedule"
		},
		"nodePools[0].gpu.product": func(r *providers.ClusterRequest) { r.NodePools[0].GPU.Product = "" },
		"nodePools[0].gpu.count":   func(r *providers.ClusterRequest) { r.NodePools[0].GPU.Count = 0 },
		"nodePools[0].gpu.memory":  func(r *providers.ClusterRequest) { r.NodePools[0].GPU.Memory = "much" },
	} {
		request := valid()
		spoil(&request)
		err := request.Validate()
		var withFaults *providers.Error
		if !errors.Is(err, providers.KindInvalid) || !errors.As(err, &withFaults) {
			t.Errorf("%s: want an error of kind invalid, got %v", field, err)
			continue
		}
		for _, fault := range withFaults.Faults {
			if fault.Field != field {
				t.Errorf("%s: unexpected fault %s", field, fault)
			}
		}
	}
}

// Whatever comes in, a request that is valid keeps names that Kubernetes takes.
func TestValidNamesFit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		request := valid()
		request.Name = rapid.StringMatching(`[-a-zA-Z0-9.]{0,45}`).Draw(t, "name")
		request.NodePools[0].Name = rapid.StringMatching(`[-a-zA-Z0-9.]{0,30}`).Draw(t, "pool")
		if request.Validate() != nil {
			return
		}
		if joined := request.Name + "-" + request.NodePools[0].Name; len(joined) > 63 {
			t.Fatalf("%s is longer than a DNS label", joined)
		}
	})
}
