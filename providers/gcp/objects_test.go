package gcp

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meridian-fleet/meridian/providers"
	"github.com/meridian-fleet/meridian/providers/internal/schematest"
)

var accounts = map[string]map[string]string{
	"everything set": {
		settingProject: "meridian-test", settingNetwork: "fleet", settingReleaseChannel: "stable", settingPublicNodes: "true",
		settingNodeAccount: "nodes@meridian-test.iam.gserviceaccount.com", settingGPUZones: "a,c", settingCredentials: "fleet/key",
	},
}

func loadSchemas(t *testing.T) schematest.Schemas {
	return schematest.Load(t, []string{"_clusters", "_machinepools", "_gcpmanagedclusters", "_gcpmanagedcontrolplanes", "_gcpmanagedmachinepools"},
		filepath.Join(schematest.ModuleDir(t, "sigs.k8s.io/cluster-api"), "core/config/crd/bases"),
		filepath.Join(schematest.ModuleDir(t, "sigs.k8s.io/cluster-api-provider-gcp"), "config/crd/bases"))
}

// CAPG refuses a pool whose number of nodes its zones do not divide.
func TestNodeLocations(t *testing.T) {
	t.Parallel()
	gpu := &providers.GPU{Product: h100, Count: 8}
	for _, test := range []struct {
		name     string
		replicas int
		gpu      *providers.GPU
		gpuZones string
		want     []any
	}{
		{"three zones by default", 6, nil, "", nil},
		{"none", 0, nil, "", nil},
		{"two", 4, nil, "", []any{"europe-west3-a", "europe-west3-b"}},
		{"one", 5, nil, "", []any{"europe-west3-a"}},
		{"GPUs are not in every zone", 3, gpu, "", []any{"europe-west3-a"}},
		{"GPUs where they are said to be", 4, gpu, "b,c", []any{"europe-west3-b", "europe-west3-c"}},
		{"GPUs in fewer zones", 3, gpu, "b,c", []any{"europe-west3-b"}},
	} {
		asked := request()
		asked.Account[settingGPUZones] = test.gpuZones
		got := nodeLocations(asked, providers.NodePool{Replicas: test.replicas, GPU: test.gpu}, []string{"a", "b", "c"})
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestEveryRegionHasThreeZones(t *testing.T) {
	t.Parallel()
	provider := newProvider(t)
	for _, region := range provider.catalog.Regions() {
		zones := provider.catalog.Zones(region.ID)
		if len(zones) != 3 || !slices.IsSorted(zones) {
			t.Errorf("region %s has zones %v", region.ID, zones)
		}
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*providers.ClusterRequest)
		field  string
	}{
		"no project":      {func(r *providers.ClusterRequest) { delete(r.Account, settingProject) }, "account.project"},
		"no project name": {func(r *providers.ClusterRequest) { r.Account[settingProject] = "No Project" }, "account.project"},
		"unknown channel": {func(r *providers.ClusterRequest) { r.Account[settingReleaseChannel] = "beta" }, "account.releaseChannel"},
		"unknown setting": {func(r *providers.ClusterRequest) { r.Account["projct"] = "x" }, "account.projct"},
		"no GPUs":         {func(r *providers.ClusterRequest) { r.NodePools[1].InstanceType = "n1-standard-8" }, "nodePools[1].instanceType"},
		"too few GPUs":    {func(r *providers.ClusterRequest) { r.NodePools[1].GPU.Count = 4 }, "nodePools[1].gpu.count"},
	} {
		bad := request()
		test.change(&bad)
		_, err := newProvider(t).ClusterObjects(t.Context(), bad)
		var withFaults *providers.Error
		if !errors.As(err, &withFaults) || len(withFaults.Faults) != 1 || withFaults.Faults[0].Field != test.field {
			t.Errorf("%s: want one fault of %s, got %v", name, test.field, err)
		}
	}
}
