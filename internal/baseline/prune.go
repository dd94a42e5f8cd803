package baseline

import (
	"context"
	"encoding/json"
	"slices"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// prune deletes what the baseline dropped, workloads first and definitions
// last.
func (r *run) prune(ctx context.Context) error {
	dropped := r.seen.dropped()
	if len(dropped) == 0 {
		return nil
	}
	r.report(Progress{Step: StepPruning, Objects: len(dropped)})
	byPhase := map[phase][]*unstructured.Unstructured{}
	for _, object := range dropped {
		at := phaseOf(object.GroupVersionKind().GroupKind(), object.GetNamespace() != "")
		byPhase[at] = append(byPhase[at], object)
	}
	for phase := phases - 1; phase >= 0; phase-- {
		group, groupContext := errgroup.WithContext(ctx)
		group.SetLimit(concurrency)
		for _, object := range byPhase[phase] {
			group.Go(func() error { return r.pruneOne(groupContext, object) })
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(dropped, func(object *unstructured.Unstructured) bool { return keyOf(object).groupKind() == definitionKind }) {
		r.cluster.kinds.forget()
	}
	return nil
}

// pruneOne deletes an object, or gives it back to whoever made it. When it
// changed since we saw it, we look again whether it is still ours.
func (r *run) pruneOne(ctx context.Context, seen *unstructured.Unstructured) error {
	key := keyOf(seen)
	at, err := r.cluster.kinds.find(ctx, seen.GroupVersionKind(), false)
	if err != nil {
		return clusterFault(key.String(), "find its kind", err)
	}
	for {
		if r.seen.record.entries[key].Adopted {
			err = r.cluster.release(ctx, at, seen)
		} else {
			err = r.cluster.client.delete(ctx, at, seen)
		}
		if err == nil {
			r.mu.Lock()
			r.pruned = append(r.pruned, seen)
			r.mu.Unlock()
			return nil
		}
		if !apierrors.IsConflict(err) {
			return clusterFault(key.String(), "delete", ignoreNotFound(err))
		}
		seen, err = r.cluster.client.get(ctx, at, key.namespace, key.name)
		if err != nil {
			return clusterFault(key.String(), "read", ignoreNotFound(err))
		}
		if seen.GetLabels()[LabelBaseline] != r.resolved.Name || !managedByUs(seen) {
			return nil // somebody took it over
		}
	}
}

// release gives up our fields of an object that others made.
func (c *Cluster) release(ctx context.Context, at resource, seen *unstructured.Unstructured) error {
	// With the UID, an object that went in the meantime is not made again.
	metadata := map[string]any{"name": seen.GetName(), "uid": string(seen.GetUID())}
	if seen.GetNamespace() != "" {
		metadata["namespace"] = seen.GetNamespace()
	}
	body, err := json.Marshal(map[string]any{"apiVersion": seen.GetAPIVersion(), "kind": seen.GetKind(), "metadata": metadata})
	if err != nil {
		return err
	}
	_, _, err = c.client.apply(ctx, at, seen.GetNamespace(), seen.GetName(), body, applyOptions{})
	return err
}
