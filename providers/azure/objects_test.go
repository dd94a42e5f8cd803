package azure

import (
	"errors"
	"path/filepath"
	"regexp"
	"testing"

	"pgregory.net/rapid"

	"github.com/meridian-fleet/meridian/providers"
	"github.com/meridian-fleet/meridian/providers/internal/schematest"
)

var accounts = map[string]map[string]string{
	"everything set": {
		settingResourceGroup: "fleet", settingCredentials: "fleet-credential", settingTier: "Premium",
		settingSubnet: "/subscriptions/0/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/fleet/subnets/nodes",
	},
}

// CAPZ's module cannot be had; its definitions are kept with the sandbox, which
// serves them.
const definitions = "../../internal/sandbox/crds/handwritten"

func loadSchemas(t *testing.T) schematest.Schemas {
	return schematest.Load(t, []string{"_clusters", "_machinepools", "_azureasomanagedclusters", "_azureasomanagedcontrolplanes", "_azureasomanagedmachinepools"},
		filepath.Join(schematest.ModuleDir(t, "sigs.k8s.io/cluster-api"), "core/config/crd/bases"), definitions)
}

var azureNameForm = regexp.MustCompile(`^[a-z][a-z0-9]{0,11}$`)

func TestAzureName(t *testing.T) {
	t.Parallel()
	for pool, want := range map[string]string{"system": "system", "gpu-h100": "gpuh100", "a-b-c-d-e-f-g-h": "abcdefgh"} {
		if got := azureName(pool); got != want {
			t.Errorf("%s: got %s, want %s", pool, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		pool := rapid.StringMatching(`[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?`).Draw(t, "pool")
		if got := azureName(pool); !azureNameForm.MatchString(got) {
			t.Fatalf("%s: %s is no name of an agent pool", pool, got)
		}
	})
}

func TestLongPoolNamesStayApart(t *testing.T) {
	t.Parallel()
	if one, other := azureName("inference-h100-east"), azureName("inference-h100-west"); one == other {
		t.Errorf("both are %s", one)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*providers.ClusterRequest)
		field  string
	}{
		"unknown setting": {func(r *providers.ClusterRequest) { r.Account = map[string]string{"group": "x"} }, "account.group"},
		"unknown tier":    {func(r *providers.ClusterRequest) { r.Account = map[string]string{settingTier: "Gold"} }, "account.tier"},
		"no system pool":  {func(r *providers.ClusterRequest) { r.NodePools = r.NodePools[1:] }, "nodePools"},
		"empty system pool": {
			func(r *providers.ClusterRequest) { r.NodePools[0].Replicas = 0 }, "nodePools",
		},
		"same to AKS": {
			func(r *providers.ClusterRequest) { r.NodePools[1].Name = "sys-tem" }, "nodePools[1].name",
		},
		"too few GPUs": {func(r *providers.ClusterRequest) { r.NodePools[1].GPU.Count = 4 }, "nodePools[1].gpu.count"},
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
