package capi

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// selection is a set of objects to follow.
type selection struct {
	resource schema.GroupVersionResource
	options  metav1.ListOptions
}

// follow calls look with the objects of every selection, first as they are
// and then whenever one changed, until it says that it is done. Watches that
// break are resumed; trouble is told what keeps one from being.
func (m *Management) follow(ctx context.Context, selections []selection, trouble func(error), look func([][]*unstructured.Unstructured) (bool, error)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	changed := make(chan struct{}, 1)
	var stores []cache.Store
	for _, selected := range selections {
		store, err := m.watch(ctx, selected, changed, trouble)
		if err != nil {
			return err
		}
		stores = append(stores, store)
	}
	for {
		done, err := look(contents(stores))
		if done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// watch keeps a store filled with the objects of a selection and rings
// changed after each change.
func (m *Management) watch(ctx context.Context, selected selection, changed chan<- struct{}, trouble func(error)) (cache.Store, error) {
	informer := dynamicinformer.NewFilteredDynamicInformer(m.dynamic, selected.resource, m.namespace, 0,
		cache.Indexers{}, func(options *metav1.ListOptions) {
			options.LabelSelector, options.FieldSelector = selected.options.LabelSelector, selected.options.FieldSelector
		}).Informer()
	ring := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { ring() },
		UpdateFunc: func(any, any) { ring() },
		DeleteFunc: func(any) { ring() },
	})
	if err == nil {
		err = informer.SetWatchErrorHandlerWithContext(func(_ context.Context, _ *cache.Reflector, err error) { trouble(err) })
	}
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrInternal, "watch %s: %w", selected.resource.Resource, err)
	}
	go informer.RunWithContext(ctx)
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		return nil, ctx.Err()
	}
	return informer.GetStore(), nil
}

func contents(stores []cache.Store) [][]*unstructured.Unstructured {
	all := make([][]*unstructured.Unstructured, len(stores))
	for i, store := range stores {
		for _, item := range store.List() {
			if object, ok := item.(*unstructured.Unstructured); ok {
				all[i] = append(all[i], object)
			}
		}
	}
	return all
}

// callTimeout bounds a group of plain requests.
func callTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, requestTimeout)
}
