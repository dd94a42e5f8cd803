package baseline

import (
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// bundleOf loads a bundle from the files of a txtar text.
func bundleOf(t testing.TB, text string) *Bundle {
	t.Helper()
	bundle, err := FromFiles("bundle", filesOf(text))
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	return bundle
}

func filesOf(text string) map[string][]byte {
	files := map[string][]byte{}
	for _, file := range txtar.Parse([]byte(text)).Files {
		files[file.Name] = file.Data
	}
	return files
}

// resolve resolves a bundle for a cluster of plain facts.
func resolve(t testing.TB, bundle *Bundle) *Resolved {
	t.Helper()
	resolved, err := bundle.Resolve(plainFacts())
	if err != nil {
		t.Fatalf("resolve: %v", err)
	}
	return resolved
}

func plainFacts() Facts {
	return Facts{
		Provider: "aws",
		Region:   map[string]any{"name": "aws/eu-central-1", "id": "eu-central-1", "country": "DE", "city": "Frankfurt", "partition": "aws", "labels": map[string]any{"ring": "canary"}},
		Cluster: map[string]any{
			"name": "aws-eu-central-1", "labels": map[string]any{}, "gpus": 8, "gpuProducts": []any{"NVIDIA-H100-80GB-HBM3"},
			"nodes": 3, "kubernetesVersion": "1.36.3", "profile": "gpu",
		},
	}
}

// document writes a baseline.yaml around components.
func baselineYAML(components string) string {
	return "-- baseline.yaml --\napiVersion: meridian.dev/v1alpha1\nkind: Baseline\nmetadata: {name: test, version: 1.0.0}\nspec:\n  components:\n" +
		strings.TrimPrefix(components, "\n")
}
