package baseline

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

const generatedBundle = `
-- baseline.yaml --
apiVersion: meridian.dev/v1alpha1
kind: Baseline
metadata: {name: guarded, version: 1.0.0}
spec:
  components:
  - name: parameters
    kind: policy
    source: {generated: residency}
    overrides:
    - match: provider == "aws"
      patches:
      - target: {kind: ConfigMap, name: residency}
        merge: {data: {storageClasses: gp3}}
  - name: policies
    kind: policy
    dependsOn: [parameters]
    source: {manifests: policy.yaml}
-- policy.yaml --
{apiVersion: v1, kind: ConfigMap, metadata: {name: policy, namespace: default}}
`

func generated(documents ...string) Facts {
	facts := plainFacts()
	for _, document := range documents {
		facts.Generated = map[string][]json.RawMessage{"residency": append(facts.Generated["residency"], json.RawMessage(document))}
	}
	return facts
}

func TestGeneratedObjects(t *testing.T) {
	t.Parallel()
	bundle := bundleOf(t, generatedBundle)
	resolved, err := bundle.Resolve(generated(
		`{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"residency-system"}}`,
		`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"residency","namespace":"residency-system"},"data":{"region":"aws/eu-central-1","plain":"${untouched}"}}`,
	))
	if err != nil {
		t.Fatal(err)
	}
	if resolved.Components[0].Name != "parameters" || len(resolved.Components[0].Objects) != 2 {
		t.Errorf("components %+v", resolved.Components)
	}
	data, _ := json.Marshal(find(t, resolved, "ConfigMap", "residency")["data"])
	if string(data) != `{"plain":"${untouched}","region":"aws/eu-central-1","storageClasses":"gp3"}` {
		t.Errorf("data %s", data)
	}
	again, err := bundle.Resolve(generated(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"residency","namespace":"residency-system"},"data":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	if data, _ := json.Marshal(find(t, again, "ConfigMap", "residency")["data"]); string(data) != `{"storageClasses":"gp3"}` {
		t.Errorf("another cluster's objects: %s", data)
	}
}

func TestGeneratedObjectsThatAreNotThere(t *testing.T) {
	t.Parallel()
	bundle := bundleOf(t, generatedBundle)
	for name, c := range map[string]struct {
		facts Facts
		text  string
	}{
		"none":          {plainFacts(), `component parameters: source.generated: nothing was generated as "residency" for this cluster`},
		"not an object": {generated(`[]`), "generated/residency[0]:1:1: want a Kubernetes object"},
		"no name":       {generated(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{}}`), "metadata.name: is missing"},
		"not JSON":      {generated(`{`), "not valid YAML"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := bundle.Resolve(c.facts)
			if !errors.Is(err, fleet.ErrInvalid) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("got %v", err)
			}
		})
	}
	_, err := FromFiles("bundle", filesOf(strings.Replace(generatedBundle, "generated: residency", "generated: ../x", 1)))
	if !errors.Is(err, fleet.ErrInvalid) || !strings.Contains(err.Error(), `source.generated: "../x" is not a DNS label`) {
		t.Errorf("got %v", err)
	}
}
