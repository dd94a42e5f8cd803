package aws

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meridian-fleet/meridian/providers"
	"github.com/meridian-fleet/meridian/providers/internal/schematest"
)

var accounts = map[string]map[string]string{
	"everything set": {
		settingRoleIdentity: "fleet", settingClusterRole: "cluster", settingNodeRole: "nodes", settingVPCRange: "10.7.0.0/16",
		settingSecretsKey: "arn:aws:kms:eu-central-1:111122223333:key/1234", settingSSHKey: "ops",
	},
	"an existing VPC": {settingVPC: "vpc-0123456789abcdef0"},
}

func loadSchemas(t *testing.T) schematest.Schemas {
	return schematest.Load(t, []string{"_clusters", "_machinepools", "_awsmanagedclusters", "_awsmanagedcontrolplanes", "_awsmanagedmachinepools"},
		filepath.Join(schematest.ModuleDir(t, "sigs.k8s.io/cluster-api"), "core/config/crd/bases"),
		filepath.Join(schematest.ModuleDir(t, "sigs.k8s.io/cluster-api-provider-aws/v2"), "config/crd/bases"))
}

func TestImageType(t *testing.T) {
	t.Parallel()
	withDriver := &providers.GPU{DriverVersion: "580.95.05"}
	for _, test := range []struct {
		instanceType string
		gpu          *providers.GPU
		want         string
	}{
		{"m6i.xlarge", nil, "AL2023_x86_64_STANDARD"},
		{"m7g.xlarge", nil, "AL2023_ARM_64_STANDARD"},
		{"c7gn.xlarge", nil, "AL2023_ARM_64_STANDARD"},
		{"im4gn.xlarge", nil, "AL2023_ARM_64_STANDARD"},
		{"g4dn.xlarge", nil, "AL2023_x86_64_STANDARD"},
		{"g5.xlarge", withDriver, "AL2023_x86_64_NVIDIA"},
		{"g5g.xlarge", withDriver, "AL2023_ARM_64_NVIDIA"},
		{"p5.48xlarge", withDriver, "AL2023_x86_64_NVIDIA"},
		{"p5.48xlarge", &providers.GPU{}, "AL2023_x86_64_STANDARD"},
		{"p6-b200.48xlarge", withDriver, "AL2023_x86_64_NVIDIA"},
		{"p6e-gb200.36xlarge", withDriver, "AL2023_ARM_64_NVIDIA"},
	} {
		if got := imageType(providers.NodePool{InstanceType: test.instanceType, GPU: test.gpu}); got != test.want {
			t.Errorf("%s: got %s, want %s", test.instanceType, got, test.want)
		}
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*providers.ClusterRequest)
		field  string
	}{
		"unknown setting":    {func(r *providers.ClusterRequest) { r.Account = map[string]string{"vcp": "x"} }, "account.vcp"},
		"range of known VPC": {func(r *providers.ClusterRequest) { r.Account = map[string]string{"vpc": "v", "vpcRange": "r"} }, "account.vpcRange"},
		"too few GPUs":       {func(r *providers.ClusterRequest) { r.NodePools[1].GPU.Count = 4 }, "nodePools[1].gpu.count"},
		"other GPUs":         {func(r *providers.ClusterRequest) { r.NodePools[1].GPU.Product = "NVIDIA-L4" }, "nodePools[1].gpu.product"},
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

// The SDK's list of regions is Amazon's own; the catalog must have every public
// one of them, under the same name, and no other.
func TestCatalogHasTheRegionsOfTheSDK(t *testing.T) {
	t.Parallel()
	type partition struct {
		ID      string `json:"id"`
		Regions map[string]struct {
			Description string `json:"description"`
		} `json:"regions"`
	}
	var sdk struct {
		Partitions []partition `json:"partitions"`
	}
	path := filepath.Join(schematest.ModuleDir(t, "github.com/aws/aws-sdk-go-v2"), "internal/endpoints/awsrulesfn/partitions.json")
	content, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(content, &sdk)
	}
	if err != nil {
		t.Fatal(err)
	}
	description, err := newProvider(t).Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	public := 0
	for _, partition := range sdk.Partitions {
		if strings.HasPrefix(partition.ID, "aws-iso") {
			continue // classified
		}
		for id, region := range partition.Regions {
			if strings.HasSuffix(id, "-global") {
				continue // a name for services without a region
			}
			public++
			ours, found := description.Region(id)
			switch {
			case !found:
				t.Errorf("region %s of partition %s is missing", id, partition.ID)
			case ours.Partition != partition.ID || ours.DisplayName != region.Description:
				t.Errorf("region %s: have %s, %q; the SDK has %s, %q", id, ours.Partition, ours.DisplayName, partition.ID, region.Description)
			}
		}
	}
	if public != len(description.Regions) {
		t.Errorf("the SDK has %d public regions, the catalog %d", public, len(description.Regions))
	}
}
