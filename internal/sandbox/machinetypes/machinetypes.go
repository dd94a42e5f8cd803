package machinetypes

import "fmt"

// Type is what a machine of a type has.
type Type struct {
	CPUs      int
	MemoryGiB int
	GPU       *GPU
}

// GPU is the GPUs of one machine.
type GPU struct {
	Product string // as NVIDIA's GPU feature discovery names it
	Count   int
	Memory  string // Kubernetes quantity, of one GPU
}

// AWS looks up an EC2 instance type.
func AWS(name string) (Type, error) { return find(name, awsGPUs, awsSize) }

// GCP looks up a Compute Engine machine type.
func GCP(name string) (Type, error) { return find(name, gcpGPUs, gcpSize) }

// Azure looks up a virtual machine size.
func Azure(name string) (Type, error) { return find(name, azureGPUs, azureSize) }

func find(name string, withGPUs map[string]Type, size func(string) (Type, bool)) (Type, error) {
	if found, ok := withGPUs[name]; ok {
		return found, nil
	}
	if found, ok := size(name); ok {
		return found, nil
	}
	return Type{}, fmt.Errorf("unknown machine type %q", name)
}
