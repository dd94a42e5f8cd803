package fleet

import (
	"encoding/json"
	"strings"
)

// BaselineSpec is what a bundle's baseline.yaml declares.
type BaselineSpec struct {
	Kubernetes string              `json:"kubernetes,omitempty"` // semver constraint, ">=1.33 <1.38"
	Components []BaselineComponent `json:"components"`
}

// BaselineComponent is one part of a baseline.
type BaselineComponent struct {
	Name      string              `json:"name"`
	Kind      string              `json:"kind"`           // policy, gpu-driver, scheduler, add-on
	When      string              `json:"when,omitempty"` // CEL over provider, region, cluster; absent means always
	DependsOn []string            `json:"dependsOn,omitempty"`
	Source    ComponentSource     `json:"source"`
	Overrides []ComponentOverride `json:"overrides,omitempty"`
	Ready     []ReadyCheck        `json:"ready,omitempty"`
	Data      []ClassUse          `json:"data,omitempty"` // classified data it handles on every cluster: a log shipper's telemetry
}

// ComponentSource says where a component's objects come from; exactly one
// field is set. Paths are relative to the bundle and stay inside it.
type ComponentSource struct {
	Manifests string `json:"manifests,omitempty"` // a file or a folder of YAML
	Kustomize string `json:"kustomize,omitempty"` // a folder with kustomization.yaml
	// Generated names objects that Meridian makes for each cluster from what it
	// knows: residency.
	Generated string `json:"generated,omitempty"`
}

// ComponentOverride changes a component's objects where a condition holds.
type ComponentOverride struct {
	Match   string          `json:"match"`             // CEL over provider, region, cluster
	Patches []OverridePatch `json:"patches,omitempty"` // applied in order
	Exclude []ObjectPattern `json:"exclude,omitempty"` // objects left out
}

// OverridePatch is a JSON merge patch (RFC 7386) for the objects it targets.
type OverridePatch struct {
	Target ObjectPattern   `json:"target"`
	Merge  json.RawMessage `json:"merge"`
}

// ObjectPattern selects objects by kind and name; an empty field matches all.
type ObjectPattern struct {
	Kind      string `json:"kind,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"`
}

// ReadyCheck is a condition on a live object beyond its kstatus.
type ReadyCheck struct {
	Resource  string `json:"resource"` // plural.group, "daemonsets.apps"; core kinds have no group
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	Check     string `json:"check"` // CEL over object, true when ready
}

// BaselineStatus is what the inventory knows of a stored baseline.
type BaselineStatus struct {
	Digest string `json:"digest"` // sha256:HEX over the bundle's files
	Files  int    `json:"files"`
	Size   int64  `json:"size"` // bytes
}

// BaselineName joins a baseline's name and version.
func BaselineName(name, version string) string { return name + "@" + version }

// SplitBaseline parts NAME@VERSION.
func SplitBaseline(ref string) (name, version string, ok bool) {
	name, version, ok = strings.Cut(ref, "@")
	return name, version, ok && name != "" && version != ""
}
