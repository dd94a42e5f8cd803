package baseline

import (
	"context"
	"strconv"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// watchedObjects keeps the newest known state of a run's objects and wakes
// those who wait when it changes. Kinds are watched from when somebody waits
// for one of their objects.
type watchedObjects struct {
	cluster  *Cluster
	selector string // of the baseline's objects

	mu      sync.Mutex
	newest  map[objectKey]*unstructured.Unstructured
	changed chan struct{} // closed, and made anew, at every change
	watches map[watchTarget]bool
	failure error

	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// watchTarget is what one watch is about: all objects of a kind that carry
// the baseline's label, or one object.
type watchTarget struct {
	resource
	namespace, name string
}

func newWatchedObjects(cluster *Cluster, baseline string) *watchedObjects {
	return &watchedObjects{
		cluster: cluster, selector: LabelBaseline + "=" + baseline,
		newest: map[objectKey]*unstructured.Unstructured{}, changed: make(chan struct{}), watches: map[watchTarget]bool{},
	}
}

func (w *watchedObjects) start(ctx context.Context) { w.ctx, w.cancel = context.WithCancel(ctx) }

func (w *watchedObjects) stop() {
	w.cancel()
	w.running.Wait()
}

// state returns an object's newest state, nil when it is not there.
func (w *watchedObjects) state(key objectKey) *unstructured.Unstructured {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.newest[key]
}

// next returns a channel that is closed at the next change, and why there will
// be none.
func (w *watchedObjects) next() (<-chan struct{}, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed, w.failure
}

// put notes an object's state unless a newer one is known.
func (w *watchedObjects) put(object *unstructured.Unstructured) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := keyOf(object)
	if known := w.newest[key]; known != nil && known.GetUID() == object.GetUID() && !isNewer(object, known) {
		return
	}
	w.newest[key] = object
	w.wake()
}

// remove notes that an object was deleted.
func (w *watchedObjects) remove(object *unstructured.Unstructured) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := keyOf(object)
	if known := w.newest[key]; known != nil && known.GetUID() == object.GetUID() {
		delete(w.newest, key)
		w.wake()
	}
}

func (w *watchedObjects) wake() {
	close(w.changed)
	w.changed = make(chan struct{})
}

func (w *watchedObjects) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failure = err
	w.wake()
}

// isNewer compares resource versions, which are numbers that grow.
func isNewer(a, b *unstructured.Unstructured) bool {
	newer, errA := strconv.ParseUint(a.GetResourceVersion(), 10, 64)
	older, errB := strconv.ParseUint(b.GetResourceVersion(), 10, 64)
	return errA != nil || errB != nil || newer > older
}

// ensure watches a target from now on.
func (w *watchedObjects) ensure(target watchTarget) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.watches[target] {
		return
	}
	w.watches[target] = true
	w.running.Go(func() { w.follow(target) })
}

// follow lists and watches a target until the run ends, starting over when the
// watch does. A cluster that stays unreachable ends the run.
func (w *watchedObjects) follow(target watchTarget) {
	var failing time.Time
	for rest := firstRest; w.ctx.Err() == nil; rest = min(2*rest, longestRest) {
		seen, err := w.listAndWatch(target)
		if seen {
			failing, rest = time.Time{}, firstRest
		}
		if err != nil && failing.IsZero() {
			failing = time.Now()
		}
		if err != nil && (!retriableWatch(err) || time.Since(failing) > unreachableLimit) {
			w.fail(clusterFault("", "watch "+target.Resource, err))
			return
		}
		select {
		case <-w.ctx.Done():
		case <-time.After(rest):
		}
	}
}

func retriableWatch(err error) bool {
	return unreachable(err) || serverBusy(err) || apierrors.IsResourceExpired(err) || apierrors.IsNotFound(err) || faultKind(err) == fleet.ErrUnavailable
}

// listAndWatch follows a target as long as one watch lasts. It reports whether
// the cluster answered.
func (w *watchedObjects) listAndWatch(target watchTarget) (seen bool, err error) {
	client, options := w.cluster.dynamicFor(target), metav1.ListOptions{LabelSelector: w.selector}
	if target.name != "" {
		options = metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.name", target.name).String()}
	}
	listContext, cancel := context.WithTimeout(w.ctx, requestTimeout)
	defer cancel()
	list, err := client.List(listContext, options)
	if err != nil {
		return false, err
	}
	for i := range list.Items {
		w.put(&list.Items[i])
	}
	w.forgetMissing(target, list)
	options.ResourceVersion = list.GetResourceVersion()
	watcher, err := client.Watch(w.ctx, options)
	if err != nil {
		return true, err
	}
	defer watcher.Stop()
	for event := range watcher.ResultChan() {
		if event.Type == watch.Error {
			return true, apierrors.FromObject(event.Object)
		}
		object, ok := event.Object.(*unstructured.Unstructured)
		if !ok {
			continue
		}
		if event.Type == watch.Deleted {
			w.remove(object)
		} else {
			w.put(object)
		}
	}
	return true, nil
}

// forgetMissing drops what a list no longer has.
func (w *watchedObjects) forgetMissing(target watchTarget, list *unstructured.UnstructuredList) {
	present := map[objectKey]bool{}
	for i := range list.Items {
		present[keyOf(&list.Items[i])] = true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for key, object := range w.newest {
		ofTarget := key.group == target.Group && key.kind == target.kind &&
			(target.name == "" || key.name == target.name && key.namespace == target.namespace)
		if ofTarget && !present[key] && !isNewer(object, &unstructured.Unstructured{Object: list.Object}) {
			delete(w.newest, key)
			w.wake()
		}
	}
}

func (c *Cluster) dynamicFor(target watchTarget) dynamic.ResourceInterface {
	client := c.dynamic.Resource(target.GroupVersionResource)
	if target.namespaced && target.namespace != "" {
		return client.Namespace(target.namespace)
	}
	return client
}

// waitGone waits until a deleted object is away.
func (c *Cluster) waitGone(ctx context.Context, at resource, gone *unstructured.Unstructured) error {
	client := c.dynamicFor(watchTarget{at, gone.GetNamespace(), gone.GetName()})
	options := metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.name", gone.GetName()).String()}
	for {
		list, err := client.List(ctx, options)
		if err != nil {
			return err
		}
		if len(list.Items) == 0 || list.Items[0].GetUID() != gone.GetUID() {
			return nil
		}
		options.ResourceVersion = list.GetResourceVersion()
		watcher, err := client.Watch(ctx, options)
		if err != nil {
			return err
		}
		if sawDeletion(watcher) {
			return nil
		}
		options.ResourceVersion = ""
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

func sawDeletion(watcher watch.Interface) bool {
	defer watcher.Stop()
	for event := range watcher.ResultChan() {
		if event.Type == watch.Deleted {
			return true
		}
		if event.Type == watch.Error {
			return false
		}
	}
	return false
}
