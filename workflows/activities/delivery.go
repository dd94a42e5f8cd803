package activities

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"k8s.io/client-go/rest"

	"github.com/meridian-fleet/meridian/internal/baseline"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

// Credentials gives access to clusters; see capi.Management.
type Credentials interface {
	RESTConfig(ctx context.Context, cluster string) (*rest.Config, error)
}

// bundlesKept is how many decoded bundles a Delivery keeps.
const bundlesKept = 16

// Delivery delivers baselines with package baseline. It keeps a connection to
// each cluster, with what is known of its kinds, until the cluster refuses it
// or does not answer; and it keeps decoded bundles, which never change.
type Delivery struct {
	credentials Credentials

	mutex    sync.Mutex
	clusters map[string]*baseline.Cluster
	bundles  map[string]*baseline.Bundle // by digest
}

// NewDelivery makes a Delivery.
func NewDelivery(credentials Credentials) *Delivery {
	return &Delivery{credentials: credentials, clusters: map[string]*baseline.Cluster{}, bundles: map[string]*baseline.Bundle{}}
}

// Plan implements Baselines.
func (d *Delivery) Plan(ctx context.Context, target Target, quick bool) (Planned, error) {
	plan, err := deliver(ctx, d, target, func(cluster *baseline.Cluster, resolved *baseline.Resolved) (*baseline.Plan, error) {
		if quick {
			return cluster.Preview(ctx, resolved)
		}
		return cluster.Plan(ctx, resolved)
	})
	if err != nil || plan == nil {
		return Planned{}, err
	}
	return Planned{
		Create: plan.Create, Update: plan.Update, Delete: plan.Delete,
		Unchanged: plan.Unchanged, Conflicts: plan.Conflicts, Changes: plan.Changes,
	}, nil
}

// Apply implements Baselines.
func (d *Delivery) Apply(ctx context.Context, target Target, options ApplyOptions) (Applied, error) {
	result, err := deliver(ctx, d, target, func(cluster *baseline.Cluster, resolved *baseline.Resolved) (*baseline.Result, error) {
		return cluster.Apply(ctx, resolved, baseline.ApplyOptions{
			ReadyTimeout: options.ReadyTimeout,
			OnProgress:   func(progress baseline.Progress) { options.OnProgress(progressText(progress)) },
		})
	})
	if result == nil {
		return Applied{}, err
	}
	return Applied{
		Created: result.Created, Configured: result.Configured, Unchanged: result.Unchanged,
		Pruned: result.Pruned, Blocking: result.Blocking,
	}, err
}

func progressText(progress baseline.Progress) string {
	if progress.Component == "" {
		return fmt.Sprintf("%s %d objects", progress.Step, progress.Objects)
	}
	return fmt.Sprintf("%s: %s (%d objects)", progress.Component, progress.Step, progress.Objects)
}

// Data implements Baselines.
func (d *Delivery) Data(target Target) ([]fleet.ClassUse, error) {
	resolved, err := d.resolve(target)
	if err != nil {
		return nil, err
	}
	return resolved.Data(), nil
}

// Drift implements Baselines.
func (d *Delivery) Drift(ctx context.Context, target Target) ([]fleet.DriftFinding, error) {
	return deliver(ctx, d, target, func(cluster *baseline.Cluster, resolved *baseline.Resolved) ([]fleet.DriftFinding, error) {
		return cluster.Drift(ctx, resolved)
	})
}

// deliver does something with a target on its cluster. A cluster that refuses
// the credentials is tried once more with fresh ones: they may have been
// rotated.
func deliver[Out any](ctx context.Context, d *Delivery, target Target, do func(*baseline.Cluster, *baseline.Resolved) (Out, error)) (Out, error) {
	resolved, err := d.resolve(target)
	if err != nil {
		var none Out
		return none, err
	}
	for fresh := false; ; {
		cluster, cached, err := d.connect(ctx, target.Cluster)
		if err != nil {
			var none Out
			return none, err
		}
		output, err := do(cluster, resolved)
		if err == nil || ctx.Err() != nil {
			return output, err
		}
		refused := errors.Is(err, fleet.ErrDenied)
		if refused || errors.Is(err, fleet.ErrUnavailable) {
			d.forget(target.Cluster, cluster)
		}
		if !refused || !cached || fresh {
			return output, err
		}
		fresh = true
	}
}

func (d *Delivery) resolve(target Target) (*baseline.Resolved, error) {
	bundle, err := d.bundle(target.Bundle)
	if err != nil {
		return nil, err
	}
	return bundle.Resolve(target.Facts)
}

func (d *Delivery) bundle(stored inventory.Bundle) (*baseline.Bundle, error) {
	d.mutex.Lock()
	bundle := d.bundles[stored.Digest]
	d.mutex.Unlock()
	if bundle != nil {
		return bundle, nil
	}
	bundle, err := baseline.Decode(stored.Content)
	if err != nil {
		return nil, err
	}
	if bundle.Digest != stored.Digest { // what is judged, shown and applied is what was uploaded
		return nil, fleet.Errorf(fleet.ErrNeedsHuman, "the inventory holds other files (%s) than were uploaded (%s)", bundle.Digest, stored.Digest).
			On(stored.Resource.Ref().String()).Advise("restore the inventory")
	}
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if len(d.bundles) >= bundlesKept {
		clear(d.bundles)
	}
	d.bundles[stored.Digest] = bundle
	return bundle, nil
}

// connect gives the connection to a cluster, and whether it is an old one.
func (d *Delivery) connect(ctx context.Context, name string) (*baseline.Cluster, bool, error) {
	d.mutex.Lock()
	cluster := d.clusters[name]
	d.mutex.Unlock()
	if cluster != nil {
		return cluster, true, nil
	}
	config, err := d.credentials.RESTConfig(ctx, name)
	if err != nil {
		return nil, false, err
	}
	cluster, err = baseline.Connect(config)
	if err != nil {
		return nil, false, err
	}
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if other := d.clusters[name]; other != nil {
		return other, true, nil
	}
	d.clusters[name] = cluster
	return cluster, false, nil
}

// forget drops a connection, unless a newer one took its place.
func (d *Delivery) forget(name string, cluster *baseline.Cluster) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.clusters[name] == cluster {
		delete(d.clusters, name)
	}
}
