package baseline

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/discovery"
)

// kinds knows which kinds a cluster has. It asks the cluster once, and again
// when it is told that definitions changed or that something is missing.
type kinds struct {
	discovery discovery.DiscoveryInterface

	mu     sync.Mutex
	known  map[schema.GroupVersionKind]resource
	loaded time.Time
}

// refreshEvery bounds how often a missing kind makes us ask the cluster again.
const refreshEvery = 250 * time.Millisecond

// find locates a kind. One that the cluster does not have is a
// *meta.NoKindMatchError, after a fresh look when refresh is set.
func (k *kinds) find(ctx context.Context, kind schema.GroupVersionKind, refresh bool) (resource, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if found, ok := k.known[kind]; ok {
		return found, nil
	}
	if k.known == nil || refresh && time.Since(k.loaded) > refreshEvery {
		if err := ctx.Err(); err != nil {
			return resource{}, err
		}
		if err := k.load(); err != nil {
			return resource{}, err
		}
	}
	if found, ok := k.known[kind]; ok {
		return found, nil
	}
	return resource{}, &meta.NoKindMatchError{GroupKind: kind.GroupKind(), SearchedVersions: []string{kind.Version}}
}

// findResource locates a resource such as {apps, deployments} in the version
// its group prefers.
func (k *kinds) findResource(ctx context.Context, name schema.GroupResource) (resource, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for attempt := 0; ; attempt++ {
		var best resource
		for _, candidate := range k.known {
			if candidate.GroupResource() == name && (best.kind == "" || version.CompareKubeAwareVersionStrings(candidate.Version, best.Version) > 0) {
				best = candidate
			}
		}
		if best.kind != "" {
			return best, nil
		}
		if attempt > 0 {
			return resource{}, &meta.NoResourceMatchError{PartialResource: name.WithVersion("")}
		}
		if err := ctx.Err(); err != nil {
			return resource{}, err
		}
		if err := k.load(); err != nil {
			return resource{}, err
		}
	}
}

// forget makes the next search ask the cluster.
func (k *kinds) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.known = nil
}

func (k *kinds) load() error {
	_, lists, err := k.discovery.ServerGroupsAndResources()
	if err != nil && !discovery.IsGroupDiscoveryFailedError(err) {
		return err
	}
	known := map[schema.GroupVersionKind]resource{}
	for _, list := range lists {
		groupVersion, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			continue
		}
		for _, entry := range list.APIResources {
			isSubresource := strings.Contains(entry.Name, "/")
			if !isSubresource && slices.Contains(entry.Verbs, "patch") {
				known[groupVersion.WithKind(entry.Kind)] = resource{groupVersion.WithResource(entry.Name), entry.Kind, entry.Namespaced}
			}
		}
	}
	k.known, k.loaded = known, time.Now()
	return nil
}
