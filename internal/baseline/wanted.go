package baseline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// phase orders the objects of a component: what others are made of first,
// what needs others last.
type phase int

const (
	phaseDefinitions phase = iota // namespaces and custom resource definitions
	phaseCluster                  // other objects outside namespaces
	phaseNamespaced               // other objects inside namespaces
	phaseWorkloads                // what runs pods, and hooks that call them
	phases
)

var workloadKinds = map[schema.GroupKind]bool{
	{Kind: "Pod"}: true, {Kind: "ReplicationController"}: true,
	{Group: "apps", Kind: "Deployment"}: true, {Group: "apps", Kind: "DaemonSet"}: true,
	{Group: "apps", Kind: "StatefulSet"}: true, {Group: "apps", Kind: "ReplicaSet"}: true,
	{Group: "batch", Kind: "Job"}: true, {Group: "batch", Kind: "CronJob"}: true,
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingWebhookConfiguration"}: true,
	{Group: "admissionregistration.k8s.io", Kind: "MutatingWebhookConfiguration"}:   true,
	{Group: "apiregistration.k8s.io", Kind: "APIService"}:                           true,
}

var (
	definitionKind = schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}
	namespaceKind  = schema.GroupKind{Kind: "Namespace"}
)

func phaseOf(kind schema.GroupKind, namespaced bool) phase {
	switch {
	case kind == definitionKind || kind == namespaceKind:
		return phaseDefinitions
	case workloadKinds[kind]:
		return phaseWorkloads
	case namespaced:
		return phaseNamespaced
	}
	return phaseCluster
}

// wantedObject is an object as it is to be sent to a cluster.
type wantedObject struct {
	component string
	key       objectKey
	object    *unstructured.Unstructured
	body      []byte
	digest    string
	phase     phase
}

func (w *wantedObject) kind() schema.GroupVersionKind { return w.object.GroupVersionKind() }

// replaceable reports whether the object may be deleted and made anew.
func (w *wantedObject) replaceable() bool {
	return w.object.GetAnnotations()[AnnotationReplace] == "true"
}

// wantedObjects prepares a baseline's objects for a cluster, by component.
func (c *Cluster) wantedObjects(ctx context.Context, resolved *Resolved) (map[string][]*wantedObject, error) {
	scopes := definedScopes(resolved)
	out, seen := map[string][]*wantedObject{}, map[objectKey]bool{}
	for _, component := range resolved.Components {
		for _, object := range component.Objects {
			namespaced, err := c.isNamespaced(ctx, object, scopes)
			if err != nil {
				return nil, clusterFault(keyOf(object).String(), "find its kind", err)
			}
			wanted, err := newWanted(resolved.Name, component.Name, object, namespaced)
			if err != nil {
				return nil, err
			}
			if seen[wanted.key] {
				return nil, fleet.Errorf(fleet.ErrInvalid, "is in the baseline twice").On(wanted.key.String())
			}
			seen[wanted.key] = true
			out[component.Name] = append(out[component.Name], wanted)
		}
	}
	return out, nil
}

// definedScopes tells which kinds the baseline itself defines, and whether
// their objects are in namespaces.
func definedScopes(resolved *Resolved) map[schema.GroupKind]bool {
	scopes := map[schema.GroupKind]bool{}
	for _, component := range resolved.Components {
		for _, object := range component.Objects {
			if object.GroupVersionKind().GroupKind() != definitionKind {
				continue
			}
			group, _, _ := unstructured.NestedString(object.Object, "spec", "group")
			kind, _, _ := unstructured.NestedString(object.Object, "spec", "names", "kind")
			scope, _, _ := unstructured.NestedString(object.Object, "spec", "scope")
			scopes[schema.GroupKind{Group: group, Kind: kind}] = scope == "Namespaced"
		}
	}
	return scopes
}

// isNamespaced says whether an object lives in a namespace. For a kind that
// nobody knows yet, the object says it.
func (c *Cluster) isNamespaced(ctx context.Context, object *unstructured.Unstructured, scopes map[schema.GroupKind]bool) (bool, error) {
	kind := object.GroupVersionKind()
	if namespaced, ok := scopes[kind.GroupKind()]; ok {
		return namespaced, nil
	}
	found, err := c.kinds.find(ctx, kind, true)
	if meta.IsNoMatchError(err) {
		return object.GetNamespace() != "", nil
	}
	return found.namespaced, err
}

func newWanted(baseline, component string, source *unstructured.Unstructured, namespaced bool) (*wantedObject, error) {
	object := source.DeepCopy()
	switch {
	case namespaced && object.GetNamespace() == "":
		object.SetNamespace("default")
	case !namespaced:
		object.SetNamespace("")
	}
	setEntry(object, "labels", LabelBaseline, baseline)
	setEntry(object, "annotations", AnnotationComponent, component)
	body, err := json.Marshal(object.Object)
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrInvalid, "encode: %w", err).On(keyOf(object).String())
	}
	sum := sha256.Sum256(body)
	wanted := &wantedObject{
		component: component, key: keyOf(object), object: object, digest: hex.EncodeToString(sum[:16]),
		phase: phaseOf(object.GroupVersionKind().GroupKind(), namespaced),
	}
	setEntry(object, "annotations", AnnotationDigest, wanted.digest)
	wanted.body, err = json.Marshal(object.Object)
	return wanted, err
}

// setEntry sets a label or an annotation without copying the others.
func setEntry(object *unstructured.Unstructured, field, key, value string) {
	metadata := object.Object["metadata"].(map[string]any)
	entries, ok := metadata[field].(map[string]any)
	if !ok {
		entries = map[string]any{}
		metadata[field] = entries
	}
	entries[key] = value
}
