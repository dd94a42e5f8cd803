package activities_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/capi"
	"github.com/meridian-fleet/meridian/internal/compliance"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/providers"
	"github.com/meridian-fleet/meridian/workflows/activities"
)

const region = "aws/eu-central-1"

// fixture is activities with a real inventory and scripted surroundings.
type fixture struct {
	*testing.T
	*activities.Activities

	ctx   context.Context
	store inventory.Store
	world *world
}

// world is what the activities find outside the inventory.
type world struct {
	mutex    sync.Mutex
	requests []providers.ClusterRequest
	objects  []json.RawMessage
	deleted  []string
	render   func() // runs while a provider renders a cluster
	wait     func(ctx context.Context, onProgress func(string)) error
	plan     func(target activities.Target) (activities.Planned, error)
	apply    func(ctx context.Context, target activities.Target, options activities.ApplyOptions) (activities.Applied, error)
	drift    func(target activities.Target) ([]fleet.DriftFinding, error)
	data     []fleet.ClassUse
	held     map[string]bool
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	store, err := inventory.OpenSQLite(ctx, filepath.Join(t.TempDir(), "inventory.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{held: map[string]bool{}}
	f := &fixture{T: t, ctx: ctx, store: store, world: w, Activities: activities.New(activities.Dependencies{
		Inventory: store, Providers: w, Management: w, Baselines: delivered{w}, Locks: w, Logger: slog.New(slog.DiscardHandler),
		Residency: compliance.New(compliance.Config{Store: store, Catalog: w.catalog}),
		Accounts:  map[string]map[string]string{"aws": {"roleARN": "arn:aws:iam::123456789012:role/fleet"}},
	})}
	f.put(fleet.KindClusterProfile, "small", fleet.ClusterProfileSpec{KubernetesVersion: "1.36.3", NodePools: []fleet.NodePool{
		{Name: "gpu", Replicas: 1, InstanceTypes: map[string]string{"aws": "p5.48xlarge"}, GPU: &fleet.NodeGPU{Product: "NVIDIA-H100-80GB-HBM3", Count: 8}, Taints: []fleet.Taint{{Key: "gpu", Effect: "NoSchedule"}}},
	}}, nil)
	f.put(fleet.KindRegion, region, fleet.RegionSpec{Profile: "small"}, nil)
	f.bundle("platform@1.0.0")
	return f
}

func (f *fixture) put(kind fleet.Kind, name string, spec, status any) {
	f.Helper()
	resource, err := fleet.NewResource(kind, name, spec, nil)
	if err != nil {
		f.Fatal(err)
	}
	if _, err := f.store.Apply(f.ctx, "test", []fleet.Resource{resource}, inventory.ApplyOptions{}); err != nil {
		f.Fatal(err)
	}
	if status == nil {
		return
	}
	if err := f.store.UpdateStatus(f.ctx, "test", resource.Ref(), func(json.RawMessage) (any, error) { return status, nil }); err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) bundle(name string) inventory.Bundle {
	f.Helper()
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(name)))
	resource, err := fleet.NewResource(fleet.KindBaseline, name, fleet.BaselineSpec{}, fleet.BaselineStatus{Digest: digest})
	if err != nil {
		f.Fatal(err)
	}
	bundle := inventory.Bundle{Resource: resource, Digest: digest, Content: []byte(name)}
	if _, err := f.store.PutBundle(f.ctx, "test", bundle, inventory.ApplyOptions{}); err != nil {
		f.Fatal(err)
	}
	return bundle
}

func (f *fixture) cluster(name string, status fleet.ClusterStatus) {
	f.Helper()
	f.put(fleet.KindCluster, name, fleet.ClusterSpec{Region: region, Profile: "small"}, status)
}

// ready declares clusters that are ready.
func (f *fixture) ready(names ...string) {
	f.Helper()
	for _, name := range names {
		f.cluster(name, fleet.ClusterStatus{Phase: fleet.ClusterReady, KubernetesVersion: "1.36.3", GPUs: 8})
	}
}

func status[T any](f *fixture, kind fleet.Kind, name string) T {
	f.Helper()
	resource, err := f.store.Get(f.ctx, fleet.Ref{Kind: kind, Name: name}, inventory.AsOf{})
	if err != nil {
		f.Fatal(err)
	}
	decoded, err := fleet.StatusOf[T](resource)
	if err != nil {
		f.Fatal(err)
	}
	return decoded
}

// catalog has the one region there is.
func (w *world) catalog(ctx context.Context) ([]fleet.RegionFacts, error) {
	one, err := w.Region(ctx, region)
	return []fleet.RegionFacts{compliance.FactsOf("aws", one)}, err
}

func (w *world) Provider(context.Context, string) (providers.Provider, error) { return w, nil }

func (w *world) Region(_ context.Context, name string) (providers.Region, error) {
	if name != region {
		return providers.Region{}, fleet.Errorf(fleet.ErrNotFound, "no such region")
	}
	return providers.Region{ID: "eu-central-1", City: "Frankfurt", Country: "DE"}, nil
}

func (w *world) Describe(context.Context) (providers.Description, error) {
	return providers.Description{}, nil
}

func (w *world) ClusterObjects(_ context.Context, request providers.ClusterRequest) (providers.ClusterObjects, error) {
	w.requests = append(w.requests, request)
	if w.render != nil {
		w.render()
	}
	return providers.ClusterObjects{Objects: []json.RawMessage{json.RawMessage(`{}`)}}, nil
}

func (w *world) Namespace() string { return "fleet" }

func (w *world) Apply(_ context.Context, objects []json.RawMessage) error {
	w.objects = objects
	return nil
}

func (w *world) WaitReady(ctx context.Context, _ string, onProgress func(string)) error {
	return w.wait(ctx, onProgress)
}

func (w *world) Observe(context.Context, string) (capi.Observation, error) {
	return capi.Observation{Version: "1.36.3", Endpoint: "127.0.0.1:6443"}, nil
}

func (w *world) Nodes(context.Context, string) ([]capi.Node, error) {
	return []capi.Node{{Name: "n1", Status: fleet.NodeStatus{Ready: true, GPUs: 8, GPUProduct: "NVIDIA-H100-80GB-HBM3"}}}, nil
}

func (w *world) Delete(_ context.Context, cluster string) error {
	w.deleted = append(w.deleted, cluster)
	return nil
}

func (w *world) Held(_ context.Context, id string) (bool, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.held[id], nil
}

// delivered is the world as activities.Baselines sees it.
type delivered struct{ *world }

func (d delivered) Plan(_ context.Context, target activities.Target, _ bool) (activities.Planned, error) {
	return d.plan(target)
}

func (d delivered) Apply(ctx context.Context, target activities.Target, options activities.ApplyOptions) (activities.Applied, error) {
	return d.apply(ctx, target, options)
}

func (d delivered) Data(activities.Target) ([]fleet.ClassUse, error) { return d.data, nil }

func (d delivered) Drift(_ context.Context, target activities.Target) ([]fleet.DriftFinding, error) {
	return d.drift(target)
}
