package crds_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meridian-fleet/meridian/internal/sandbox/crds"
)

// TestGeneratedAreUpToDate generates again and compares, so that a changed
// module version or generator shows.
func TestGeneratedAreUpToDate(t *testing.T) {
	t.Parallel()
	output := filepath.Join(t.TempDir(), "generated")
	command := exec.Command("go", "run", "./generate", "-output", output)
	if message, err := command.CombinedOutput(); err != nil {
		t.Fatalf("generate: %v\n%s", err, message)
	}
	want, have := readFolder(t, output), readFolder(t, "generated")
	if len(want) == 0 {
		t.Fatal("the generator wrote nothing")
	}
	for name, content := range want {
		if have[name] != content {
			t.Errorf("generated/%s is out of date: run go generate ./internal/sandbox/crds", name)
		}
		delete(have, name)
	}
	for name := range have {
		t.Errorf("generated/%s is no longer generated", name)
	}
}

func readFolder(t *testing.T, folder string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	contents := map[string]string{}
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		contents[entry.Name()] = string(content)
	}
	return contents
}

func TestEveryKindNamesAVersionOfItsContract(t *testing.T) {
	t.Parallel()
	definitions, err := crds.All()
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, definition := range definitions {
		kinds[definition.Spec.Names.Kind] = true
		if len(definition.Spec.Versions) != 1 {
			t.Errorf("%s has %d versions, want the stored one only", definition.Name, len(definition.Spec.Versions))
			continue
		}
		label := definition.Labels["cluster.x-k8s.io/v1beta2"] + "_" + definition.Labels["cluster.x-k8s.io/v1beta1"]
		version := definition.Spec.Versions[0]
		if !strings.Contains("_"+label+"_", "_"+version.Name+"_") {
			t.Errorf("%s: no contract label names version %s: %v", definition.Name, version.Name, definition.Labels)
		}
		if version.Schema.OpenAPIV3Schema.Description != "" {
			t.Errorf("%s keeps descriptions", definition.Name)
		}
	}
	for _, kind := range []string{
		"Cluster", "Machine", "MachineSet", "MachineDeployment", "MachinePool", "MachineHealthCheck", "MachineDrainRule",
		"AWSManagedCluster", "AWSManagedControlPlane", "AWSManagedMachinePool",
		"GCPManagedCluster", "GCPManagedControlPlane", "GCPManagedMachinePool",
		"AzureASOManagedCluster", "AzureASOManagedControlPlane", "AzureASOManagedMachinePool",
	} {
		if !kinds[kind] {
			t.Errorf("no definition of %s", kind)
		}
	}
}
