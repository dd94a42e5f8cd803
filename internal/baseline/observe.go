package baseline

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// observation is what a cluster has of a baseline: the objects that carry its
// label, and the record of what was applied.
type observation struct {
	wanted map[string][]*wantedObject // by component
	byKey  map[objectKey]*wantedObject
	live   map[objectKey]*unstructured.Unstructured
	record *record
}

// observe reads the cluster: one list for each kind that the baseline has or
// had, and the record.
func (c *Cluster) observe(ctx context.Context, resolved *Resolved) (*observation, error) {
	wanted, err := c.wantedObjects(ctx, resolved)
	if err != nil {
		return nil, err
	}
	seen := &observation{wanted: wanted, byKey: map[objectKey]*wantedObject{}, live: map[objectKey]*unstructured.Unstructured{}}
	kinds := map[schema.GroupKind]schema.GroupVersionKind{}
	for _, objects := range wanted {
		for _, object := range objects {
			seen.byKey[object.key] = object
			kinds[object.key.groupKind()] = object.kind()
		}
	}
	if seen.record, err = c.readRecord(ctx, resolved.Name); err != nil {
		return nil, err
	}
	var lists sync.Mutex
	group, listContext := errgroup.WithContext(ctx)
	group.SetLimit(concurrency)
	for _, kind := range kinds {
		group.Go(func() error { return c.listKind(listContext, resolved.Name, kind, seen, &lists) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return seen, c.observeDropped(ctx, resolved.Name, seen, kinds)
}

// observeDropped lists the kinds that only the record knows.
func (c *Cluster) observeDropped(ctx context.Context, baseline string, seen *observation, listed map[schema.GroupKind]schema.GroupVersionKind) error {
	dropped := map[schema.GroupKind]schema.GroupVersionKind{}
	for key, entry := range seen.record.entries {
		if _, ok := listed[key.groupKind()]; !ok {
			dropped[key.groupKind()] = entry.groupVersionKind()
		}
	}
	var lists sync.Mutex
	group, groupContext := errgroup.WithContext(ctx)
	for _, kind := range dropped {
		group.Go(func() error { return c.listKind(groupContext, baseline, kind, seen, &lists) })
	}
	return group.Wait()
}

func (c *Cluster) listKind(ctx context.Context, baseline string, kind schema.GroupVersionKind, seen *observation, lock *sync.Mutex) error {
	at, err := c.kinds.find(ctx, kind, false)
	if meta.IsNoMatchError(err) {
		return nil // the kind is not there (yet), and so none of its objects
	}
	if err != nil {
		return clusterFault("", "find kind "+kind.Kind, err)
	}
	// Without a record, hardly anything of ours is there, and nothing is
	// decided by it that the applies would not find out.
	objects, err := c.client.list(ctx, at, "", LabelBaseline+"="+baseline, seen.record.stored != nil)
	if apierrors.IsNotFound(err) {
		c.kinds.forget() // its definition went since we asked
		return nil
	}
	if err != nil {
		return clusterFault("", "list "+at.Resource, err)
	}
	lock.Lock()
	defer lock.Unlock()
	for _, object := range objects {
		seen.live[keyOf(object)] = object
	}
	return nil
}

// unchanged reports whether a wanted object is provably as we left it, so that
// applying it again would do nothing: what we want now is what we wanted then,
// and we still own every field we owned.
func (o *observation) unchanged(wanted *wantedObject) bool {
	live, ok := o.live[wanted.key]
	if !ok || live.GetDeletionTimestamp() != nil || o.namespaceGoing(wanted.key.namespace) || live.GetAnnotations()[AnnotationDigest] != wanted.digest {
		return false
	}
	recorded := o.record.entries[wanted.key].fields
	return recorded != nil && bytes.Equal(recorded, ownedFields(live))
}

// namespaceGoing reports whether a namespace of the baseline is being deleted,
// with all that is in it.
func (o *observation) namespaceGoing(name string) bool {
	namespace, ok := o.live[objectKey{kind: namespaceKind.Kind, name: name}]
	return ok && namespace.GetDeletionTimestamp() != nil
}

// dropped lists what we applied once and the baseline no longer has, that is
// still there and still ours, in a fixed order. Without an entry in the record
// an object counts as ours only when nobody else owns a part of it.
func (o *observation) dropped() []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	for _, key := range slices.SortedFunc(maps.Keys(o.live), compareKeys) {
		live := o.live[key]
		_, recorded := o.record.entries[key]
		if o.byKey[key] != nil || !managedByUs(live) || live.GetDeletionTimestamp() != nil || !recorded && ownedByOthers(live) {
			continue
		}
		out = append(out, live)
	}
	return out
}

// mayForce reports whether the fields of a conflict were ours: somebody took
// them by hand, and the baseline takes them back.
func (o *observation) mayForce(wanted *wantedObject, conflicts []fieldConflict) bool {
	if len(conflicts) == 0 {
		return false
	}
	if live, ok := o.live[wanted.key]; ok && managedByUs(live) && live.GetAnnotations()[AnnotationDigest] == wanted.digest {
		return true
	}
	ours := pathsOf(o.record.entries[wanted.key].fields)
	return !slices.ContainsFunc(conflicts, func(conflict fieldConflict) bool { return !ours[conflict.field] })
}
