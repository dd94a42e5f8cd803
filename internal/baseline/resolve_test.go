package baseline

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

const variedBundle = `
-- baseline.yaml --
apiVersion: meridian.dev/v1alpha1
kind: Baseline
metadata: {name: varied, version: 1.0.0}
spec:
  kubernetes: ">=1.33 <1.38"
  components:
  - name: top
    kind: add-on
    dependsOn: [gpu, bottom]
    source: {manifests: top.yaml}
  - name: gpu
    kind: gpu-driver
    when: cluster.gpus > 0
    source: {manifests: gpu.yaml}
  - name: bottom
    kind: policy
    source: {manifests: bottom.yaml}
    overrides:
    - match: provider == "gcp"
      patches:
      - target: {kind: ConfigMap, name: settings}
        merge: {data: {installer: cloud, level: null}, metadata: {labels: {place: "${region.country}"}}}
      - target: {name: other}
        merge: {data: {number: "7"}}
    - match: region.labels.ring == "canary"
      exclude: [{kind: Secret}, {kind: ConfigMap, name: other}]
    ready:
    - {resource: secrets, namespace: default, name: password, check: "true"}
    - {resource: configmaps, namespace: default, name: settings, check: "true"}
-- top.yaml --
{apiVersion: v1, kind: ConfigMap, metadata: {name: top, namespace: default}}
-- gpu.yaml --
{apiVersion: v1, kind: ConfigMap, metadata: {name: gpu, namespace: default}}
-- bottom.yaml --
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  namespace: default
  annotations: {meridian.dev/substitute: "true"}
data:
  installer: baseline
  level: "3"
  where: "${region.city}, ${region.country} on ${provider}"
  gpus: "${cluster.gpus}"
  products: "${cluster.gpuProducts}"
  choice: '${cluster.gpus > 4 ? {"a": "many"}["a"] : "few"}'
  literal: "$${not} $ {this} }"
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: other, namespace: default}, data: {plain: "${left alone}"}}
---
{apiVersion: v1, kind: Secret, metadata: {name: password, namespace: default}, stringData: {key: text}}
`

func find(t *testing.T, resolved *Resolved, kind, name string) map[string]any {
	t.Helper()
	for _, component := range resolved.Components {
		for _, object := range component.Objects {
			if object.GetKind() == kind && object.GetName() == name {
				return object.Object
			}
		}
	}
	return nil
}

func names(resolved *Resolved) []string {
	var out []string
	for _, component := range resolved.Components {
		out = append(out, component.Name)
	}
	return out
}

func TestResolve(t *testing.T) {
	t.Parallel()
	facts := plainFacts() // in the Go types they have elsewhere
	facts.Cluster["gpuProducts"] = []string{"NVIDIA-H100-80GB-HBM3"}
	facts.Region["labels"] = map[string]string{"ring": "canary"}
	resolved, err := bundleOf(t, variedBundle).Resolve(facts)
	if err != nil {
		t.Fatal(err)
	}
	if got := names(resolved); !slices.Equal(got, []string{"gpu", "bottom", "top"}) {
		t.Errorf("components %v", got)
	}
	data := find(t, resolved, "ConfigMap", "settings")["data"].(map[string]any)
	for key, want := range map[string]string{
		"installer": "baseline", "level": "3", "where": "Frankfurt, DE on aws", "gpus": "8", "products": "NVIDIA-H100-80GB-HBM3",
		"choice": "many", "literal": "${not} $ {this} }",
	} {
		if data[key] != want {
			t.Errorf("%s: got %q, want %q", key, data[key], want)
		}
	}
	if find(t, resolved, "Secret", "password") != nil || find(t, resolved, "ConfigMap", "other") != nil {
		t.Error("excluded objects are there")
	}
	if checks := resolved.Components[1].checks; len(checks) != 1 || checks[0].spec.Name != "settings" {
		t.Errorf("want the check on the excluded object dropped, got %+v", checks)
	}
}

func TestResolveElsewhere(t *testing.T) {
	t.Parallel()
	bundle := bundleOf(t, variedBundle)
	facts := plainFacts()
	facts.Provider, facts.Cluster["gpus"], facts.Region["labels"] = "gcp", 0.0, map[string]any{"ring": "broad"}
	before, _ := json.Marshal(bundle.components[2].objects[0].object)
	resolved, err := bundle.Resolve(facts)
	if err != nil {
		t.Fatal(err)
	}
	if got := names(resolved); !slices.Equal(got, []string{"bottom", "top"}) || len(resolved.Components[1].DependsOn) != 1 {
		t.Errorf("components %v, top depends on %v", got, resolved.Components[1].DependsOn)
	}
	settings := find(t, resolved, "ConfigMap", "settings")
	data, labels := settings["data"].(map[string]any), settings["metadata"].(map[string]any)["labels"].(map[string]any)
	if _, there := data["level"]; there || data["installer"] != "cloud" || data["gpus"] != "0" || labels["place"] != "DE" {
		t.Errorf("settings %v %v", data, labels)
	}
	if other := find(t, resolved, "ConfigMap", "other"); other["data"].(map[string]any)["plain"] != "${left alone}" || other["data"].(map[string]any)["number"] != "7" {
		t.Errorf("other: %v", other)
	}
	if secret := find(t, resolved, "Secret", "password"); secret["data"].(map[string]any)["key"] != "dGV4dA==" {
		t.Errorf("secret: %v", secret)
	}
	if after, _ := json.Marshal(bundle.components[2].objects[0].object); string(before) != string(after) {
		t.Error("resolving changed the bundle")
	}
}

func TestResolveFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*Facts)
		kind   *fleet.ErrorKind
		text   string
	}{
		"missing fact in when":  {func(f *Facts) { delete(f.Cluster, "gpus") }, fleet.ErrInvalid, `component gpu: when: cannot evaluate "cluster.gpus > 0": no such key: gpus`},
		"missing fact in match": {func(f *Facts) { delete(f.Region, "labels") }, fleet.ErrInvalid, `component bottom: overrides[1].match: cannot evaluate "region.labels.ring == \"canary\"": no such key: labels`},
		"missing fact in text":  {func(f *Facts) { delete(f.Region, "city") }, fleet.ErrInvalid, `ConfigMap default/settings: component bottom: ${region.city}: no such key: city`},
		"not a condition":       {func(f *Facts) { f.Cluster["gpus"] = "eight" }, fleet.ErrInvalid, `component gpu: when: cannot evaluate`},
		"old cluster":           {func(f *Facts) { f.Cluster["kubernetesVersion"] = "v1.32.9-eks-1a2b3c" }, fleet.ErrConflict, "Baseline varied@1.0.0: wants Kubernetes >=1.33 <1.38, but the cluster runs v1.32.9-eks-1a2b3c"},
		"new cluster":           {func(f *Facts) { f.Cluster["kubernetesVersion"] = "1.38.0" }, fleet.ErrConflict, "but the cluster runs 1.38.0"},
		"unknown version":       {func(f *Facts) { delete(f.Cluster, "kubernetesVersion") }, fleet.ErrInvalid, "is not known"},
		"no facts":              {func(f *Facts) { *f = Facts{} }, fleet.ErrInvalid, "is not known"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			facts := plainFacts()
			c.change(&facts)
			_, err := bundleOf(t, variedBundle).Resolve(facts)
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("got %v (%v)", err, fleet.KindOf(err))
			}
		})
	}
	facts := plainFacts()
	facts.Cluster["kubernetesVersion"] = "v1.36.3-eks-1a2b3c"
	if _, err := bundleOf(t, variedBundle).Resolve(facts); err != nil {
		t.Errorf("a vendor's suffix counts: %v", err)
	}
}

func TestSubstitutionKeepsIdentity(t *testing.T) {
	t.Parallel()
	bundle := bundleOf(t, baselineYAML("  - {name: main, kind: add-on, source: {manifests: main.yaml}}\n")+
		"-- main.yaml --\n{apiVersion: v1, kind: ConfigMap, metadata: {name: \"x${cluster.gpus}\", annotations: {meridian.dev/substitute: \"true\"}}}\n")
	if _, err := bundle.Resolve(plainFacts()); !errors.Is(err, fleet.ErrInvalid) {
		t.Errorf("want a name made by substitution refused, got %v", err)
	}
}

func TestExpressionCost(t *testing.T) {
	t.Parallel()
	list := "[" + strings.Repeat("1,", 99) + "1]"
	bundle := bundleOf(t, baselineYAML("  - {name: main, kind: add-on, when: '"+list+".all(a, "+list+".all(b, "+list+".all(c, "+list+".all(d, a+b+c+d > 0))))', source: {manifests: main.yaml}}\n")+
		"-- main.yaml --\n{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}\n")
	if _, err := bundle.Resolve(plainFacts()); !errors.Is(err, fleet.ErrInvalid) || !strings.Contains(err.Error(), "cost") {
		t.Errorf("want an expression without end stopped, got %v", err)
	}
}

func TestKustomize(t *testing.T) {
	t.Parallel()
	bundle := bundleOf(t, baselineYAML("  - {name: main, kind: add-on, source: {kustomize: overlay}}\n")+`
-- overlay/kustomization.yaml --
namePrefix: pre-
resources: [../base]
components: [../component]
configMapGenerator:
- name: generated
  files: [key=file.txt]
patches:
- path: patch.yaml
- target: {kind: ConfigMap, name: one}
  patch: |
    - {op: add, path: /data/inline, value: x}
-- overlay/file.txt --
content
-- overlay/patch.yaml --
{apiVersion: v1, kind: ConfigMap, metadata: {name: one}, data: {patched: "yes"}}
-- base/kustomization.yaml --
resources: [one.yaml]
-- base/one.yaml --
{apiVersion: v1, kind: ConfigMap, metadata: {name: one}, data: {key: value}}
-- component/kustomization.yaml --
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
commonAnnotations: {added: by-component}
`)
	resolved := resolve(t, bundle)
	one := find(t, resolved, "ConfigMap", "pre-one")
	if got, _ := json.Marshal(one["data"]); string(got) != `{"inline":"x","key":"value","patched":"yes"}` {
		t.Errorf("data %s", got)
	}
	if resolved.Objects() != 2 {
		t.Errorf("want the generated ConfigMap too, got %d objects", resolved.Objects())
	}
}
