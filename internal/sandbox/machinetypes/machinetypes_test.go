package machinetypes_test

import (
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/meridian-fleet/meridian/internal/sandbox/machinetypes"
)

func TestTypes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		cloud, name  string
		lookup       func(string) (machinetypes.Type, error)
		cpus, memory int
		gpus         int
		product      string
	}{
		{"aws", "m6i.large", machinetypes.AWS, 2, 8, 0, ""},
		{"aws", "m6i.xlarge", machinetypes.AWS, 4, 16, 0, ""},
		{"aws", "c7g.16xlarge", machinetypes.AWS, 64, 128, 0, ""},
		{"aws", "t3.medium", machinetypes.AWS, 2, 4, 0, ""},
		{"aws", "p5.48xlarge", machinetypes.AWS, 192, 2048, 8, "NVIDIA-H100-80GB-HBM3"},
		{"aws", "g6.12xlarge", machinetypes.AWS, 48, 192, 4, "NVIDIA-L4"},
		{"gcp", "e2-standard-4", machinetypes.GCP, 4, 16, 0, ""},
		{"gcp", "n2-highmem-32", machinetypes.GCP, 32, 256, 0, ""},
		{"gcp", "e2-medium", machinetypes.GCP, 2, 4, 0, ""},
		{"gcp", "a3-highgpu-8g", machinetypes.GCP, 208, 1872, 8, "NVIDIA-H100-80GB-HBM3"},
		{"azure", "Standard_D4s_v5", machinetypes.Azure, 4, 16, 0, ""},
		{"azure", "Standard_E8ds_v5", machinetypes.Azure, 8, 64, 0, ""},
		{"azure", "Standard_ND96isr_H100_v5", machinetypes.Azure, 96, 1900, 8, "NVIDIA-H100-80GB-HBM3"},
		{"azure", "Standard_NC24ads_A100_v4", machinetypes.Azure, 24, 220, 1, "NVIDIA-A100-80GB-PCIe"},
	} {
		t.Run(test.cloud+"/"+test.name, func(t *testing.T) {
			t.Parallel()
			found, err := test.lookup(test.name)
			if err != nil {
				t.Fatal(err)
			}
			if found.CPUs != test.cpus || found.MemoryGiB != test.memory {
				t.Errorf("%d CPUs and %d GiB, want %d and %d", found.CPUs, found.MemoryGiB, test.cpus, test.memory)
			}
			if (found.GPU != nil) != (test.gpus > 0) {
				t.Fatalf("GPU is %v, want %d", found.GPU, test.gpus)
			}
			if found.GPU == nil {
				return
			}
			if found.GPU.Count != test.gpus || found.GPU.Product != test.product {
				t.Errorf("GPU is %+v, want %d of %s", *found.GPU, test.gpus, test.product)
			}
			if _, err := resource.ParseQuantity(found.GPU.Memory); err != nil {
				t.Errorf("memory %q: %v", found.GPU.Memory, err)
			}
		})
	}
}

func TestNamesNoCloudHas(t *testing.T) {
	t.Parallel()
	for name, lookup := range map[string]func(string) (machinetypes.Type, error){
		"":                  machinetypes.AWS,
		"p5.48xl":           machinetypes.AWS,
		"q9.large":          machinetypes.AWS,
		"g5.3xlarge":        machinetypes.AWS, // GPU families are only what the table has
		"m6i.0xlarge":       machinetypes.AWS,
		"e2-standard":       machinetypes.GCP,
		"a3-highgpu-3g":     machinetypes.GCP,
		"m6i.xlarge ":       machinetypes.AWS,
		"Standard_D":        machinetypes.Azure,
		"Standard_ND1_H100": machinetypes.Azure,
		"standard_d4s_v5":   machinetypes.Azure,
	} {
		if found, err := lookup(name); err == nil {
			t.Errorf("%q gave %+v, want an error", name, found)
		}
	}
}
