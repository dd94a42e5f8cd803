// Command generate writes the custom resource definitions of the sandbox's
// management cluster from the modules that publish them, at the versions go.mod
// names. It needs no network when those modules are in the module cache.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"

	// The modules the schemas come from, so that go.mod keeps naming them.
	_ "sigs.k8s.io/cluster-api-provider-aws/v2/api/v1beta2"
	_ "sigs.k8s.io/cluster-api-provider-gcp/api/v1beta1"
	_ "sigs.k8s.io/cluster-api/api/core/v1beta2"
)

// source is one module's definitions and the contract labels they carry.
type source struct {
	module string
	folder string
	labels map[string]string
	files  []string
}

// The core kinds are those whose controllers the sandbox runs. The labels of the
// providers are the ones their own kustomizations put on.
var sources = []source{
	{
		module: "sigs.k8s.io/cluster-api", folder: "core/config/crd/bases",
		labels: map[string]string{"cluster.x-k8s.io/provider": "cluster-api", "cluster.x-k8s.io/v1beta2": "v1beta2"},
		files: []string{
			"cluster.x-k8s.io_clusters.yaml", "cluster.x-k8s.io_machinedeployments.yaml",
			"cluster.x-k8s.io_machinedrainrules.yaml", "cluster.x-k8s.io_machinehealthchecks.yaml",
			"cluster.x-k8s.io_machinepools.yaml", "cluster.x-k8s.io_machines.yaml", "cluster.x-k8s.io_machinesets.yaml",
		},
	},
	{
		module: "sigs.k8s.io/cluster-api-provider-aws/v2", folder: "config/crd/bases",
		labels: map[string]string{"cluster.x-k8s.io/provider": "infrastructure-aws", "cluster.x-k8s.io/v1beta1": "v1beta1_v1beta2"},
		files: []string{
			"infrastructure.cluster.x-k8s.io_awsmanagedclusters.yaml",
			"controlplane.cluster.x-k8s.io_awsmanagedcontrolplanes.yaml",
			"infrastructure.cluster.x-k8s.io_awsmanagedmachinepools.yaml",
		},
	},
	{
		module: "sigs.k8s.io/cluster-api-provider-gcp", folder: "config/crd/bases",
		labels: map[string]string{"cluster.x-k8s.io/provider": "infrastructure-gcp", "cluster.x-k8s.io/v1beta1": "v1beta1"},
		files: []string{
			"infrastructure.cluster.x-k8s.io_gcpmanagedclusters.yaml",
			"infrastructure.cluster.x-k8s.io_gcpmanagedcontrolplanes.yaml",
			"infrastructure.cluster.x-k8s.io_gcpmanagedmachinepools.yaml",
		},
	},
}

func main() {
	output := flag.String("output", "generated", "folder to write to")
	flag.Parse()
	if err := generate(*output); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func generate(output string) error {
	if err := os.RemoveAll(output); err != nil {
		return err
	}
	if err := os.MkdirAll(output, 0o755); err != nil {
		return err
	}
	for _, source := range sources {
		module, err := locate(source.module)
		if err != nil {
			return err
		}
		for _, file := range source.files {
			content, err := os.ReadFile(filepath.Join(module.folder, source.folder, file))
			if err != nil {
				return err
			}
			compact, err := reduce(content, source.labels)
			if err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			header := fmt.Sprintf("# Code generated from %s %s %s/%s by internal/sandbox/crds/generate. DO NOT EDIT.\n", source.module, module.version, source.folder, file)
			if err := os.WriteFile(filepath.Join(output, file), append([]byte(header), compact...), 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

type module struct{ folder, version string }

func locate(path string) (module, error) {
	command := exec.Command("go", "list", "-m", "-f", "{{.Dir}}\n{{.Version}}", path)
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		return module{}, fmt.Errorf("locate module %s: %w", path, err)
	}
	folder, version, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if folder == "" {
		return module{}, fmt.Errorf("module %s is not in the module cache; run `go mod download %s`", path, path)
	}
	return module{folder: folder, version: version}, nil
}

// reduce keeps what an API server needs of a definition.
func reduce(content []byte, labels map[string]string) ([]byte, error) {
	var definition map[string]any
	if err := yaml.Unmarshal(content, &definition); err != nil {
		return nil, err
	}
	metadata := definition["metadata"].(map[string]any)
	definition["metadata"] = map[string]any{"name": metadata["name"], "labels": labels}
	delete(definition, "status")
	spec := definition["spec"].(map[string]any)
	delete(spec, "conversion") // one version is left: there is nothing to convert
	var kept []any
	for _, entry := range spec["versions"].([]any) {
		version := entry.(map[string]any)
		if version["storage"] != true {
			continue
		}
		dropDescriptions(version["schema"].(map[string]any)["openAPIV3Schema"])
		kept = append(kept, version)
	}
	if len(kept) != 1 {
		return nil, fmt.Errorf("%d storage versions, want 1", len(kept))
	}
	spec["versions"] = kept
	return yaml.Marshal(definition)
}

// dropDescriptions removes the documentation of a schema and all below it. A
// property may itself be called description, so that maps of properties are
// walked by value.
func dropDescriptions(schema any) {
	object, ok := schema.(map[string]any)
	if !ok {
		return
	}
	delete(object, "description")
	for key, value := range object {
		switch key {
		case "properties", "patternProperties", "definitions":
			for _, property := range value.(map[string]any) {
				dropDescriptions(property)
			}
		case "items", "additionalProperties", "not":
			dropDescriptions(value)
		case "allOf", "anyOf", "oneOf":
			for _, part := range value.([]any) {
				dropDescriptions(part)
			}
		}
	}
}
