package worker_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/server/temporaltest"

	"github.com/meridian-fleet/meridian/internal/compliance"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/workflows"
	"github.com/meridian-fleet/meridian/workflows/activities"
	"github.com/meridian-fleet/meridian/workflows/worker"
)

// testFleet is a fleet under test: a real Temporal server, a real inventory,
// real workers, and a world that stands in for the clouds.
type testFleet struct {
	*testing.T
	*world

	ctx      context.Context
	store    inventory.Store
	temporal client.Client
}

func newFleet(t *testing.T) *testFleet {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	store, err := inventory.OpenSQLite(ctx, filepath.Join(t.TempDir(), "inventory.db"))
	if err != nil {
		t.Fatal(err)
	}
	quiet := log.NewStructuredLogger(slog.New(slog.DiscardHandler))
	server := temporaltest.NewServer(temporaltest.WithBaseClientOptions(client.Options{Logger: quiet, Identity: "recorded"}))
	f := &testFleet{T: t, world: newWorld(), ctx: ctx, store: store, temporal: server.GetDefaultClient()}
	served := make(chan error, 1)
	serve, stop := context.WithCancel(ctx)
	go func() { served <- worker.Run(serve, f.temporal, f.dependencies()) }()
	t.Cleanup(func() {
		stop()
		err := errors.Join(<-served, store.Close())
		server.Stop()
		cancel()
		if err != nil {
			t.Error(err)
		}
		if len(f.trouble) > 0 {
			t.Error(f.trouble)
		}
	})
	f.declare()
	return f
}

func (f *testFleet) dependencies() activities.Dependencies {
	return activities.Dependencies{
		Inventory: f.store, Providers: f.world, Management: management{f.world}, Baselines: delivery{f.world},
		Residency: compliance.New(compliance.Config{Store: f.store, Catalog: f.catalog}), Holder: f.world,
		Logger: slog.New(slog.DiscardHandler),
	}
}

// catalog has the one region there is.
func (f *testFleet) catalog(ctx context.Context) ([]fleet.RegionFacts, error) {
	one, err := f.Region(ctx, region)
	return []fleet.RegionFacts{compliance.FactsOf("aws", one)}, err
}

const region = "aws/eu-central-1"

// declare writes a region, a profile, a strategy and two baselines.
func (f *testFleet) declare() {
	f.Helper()
	f.apply(fleet.KindClusterProfile, "small", fleet.ClusterProfileSpec{
		KubernetesVersion: "1.36.3",
		NodePools:         []fleet.NodePool{{Name: "system", Replicas: 2, InstanceTypes: map[string]string{"aws": "m6i.large"}}},
	}, nil)
	f.apply(fleet.KindRegion, region, fleet.RegionSpec{Profile: "small", Baseline: "platform@1.0.0"}, nil)
	f.apply(fleet.KindRolloutStrategy, "waves", fleet.RolloutStrategySpec{
		Waves:       []fleet.WaveSpec{{Name: "canary", Limit: fleet.Amount{Count: 1}}, {Name: "rest"}},
		MaxParallel: 3, ReadyTimeout: fleet.Duration(20 * time.Second),
	}, nil)
	for _, version := range []string{"1.0.0", "1.1.0"} {
		f.putBundle("platform@" + version)
	}
}

func (f *testFleet) apply(kind fleet.Kind, name string, spec, status any) {
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

func (f *testFleet) putBundle(name string) {
	f.Helper()
	content := []byte(name)
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256(content))
	resource, err := fleet.NewResource(fleet.KindBaseline, name, fleet.BaselineSpec{}, fleet.BaselineStatus{Digest: digest})
	if err != nil {
		f.Fatal(err)
	}
	bundle := inventory.Bundle{Resource: resource, Digest: digest, Content: content}
	if _, err := f.store.PutBundle(f.ctx, "test", bundle, inventory.ApplyOptions{}); err != nil {
		f.Fatal(err)
	}
}

// readyClusters declares clusters that are there.
func (f *testFleet) readyClusters(count int) []string {
	f.Helper()
	var names []string
	for i := range count {
		name := fmt.Sprintf("c%d", i)
		f.apply(fleet.KindCluster, name, fleet.ClusterSpec{Region: region, Profile: "small"}, fleet.ClusterStatus{Phase: fleet.ClusterReady})
		names = append(names, name)
	}
	return names
}

func (f *testFleet) order(rollout string, spec fleet.RolloutSpec) {
	f.Helper()
	f.apply(fleet.KindRollout, rollout, spec, fleet.RolloutStatus{Phase: fleet.PhasePending, RequestedBy: "ada"})
}

func (f *testFleet) start(id, workflow string, input any) client.WorkflowRun {
	f.Helper()
	run, err := f.temporal.ExecuteWorkflow(f.ctx, client.StartWorkflowOptions{ID: id, TaskQueue: workflows.FleetQueue}, workflow, input)
	if err != nil {
		f.Fatal(err)
	}
	return run
}

func (f *testFleet) startRollout(rollout string) client.WorkflowRun {
	f.Helper()
	return f.start(workflows.RolloutID(rollout), workflows.RolloutWorkflow, workflows.RolloutInput{Rollout: rollout})
}

func (f *testFleet) signal(id, signal string) {
	f.Helper()
	if err := f.temporal.SignalWorkflow(f.ctx, id, "", signal, workflows.Control{Actor: "ada", Reason: "a test"}); err != nil {
		f.Fatal(err)
	}
}

func statusOf[T any](f *testFleet, kind fleet.Kind, name string) T {
	f.Helper()
	resource, err := f.store.Get(f.ctx, fleet.Ref{Kind: kind, Name: name}, inventory.AsOf{})
	if err != nil {
		f.Fatal(err)
	}
	status, err := fleet.StatusOf[T](resource)
	if err != nil {
		f.Fatal(err)
	}
	return status
}

func (f *testFleet) cluster(name string) (fleet.Resource, error) {
	return f.store.Get(f.ctx, fleet.Ref{Kind: fleet.KindCluster, Name: name}, inventory.AsOf{})
}

func (f *testFleet) change(name string) fleet.ClusterChangeStatus {
	f.Helper()
	return statusOf[fleet.ClusterChangeStatus](f, fleet.KindClusterChange, name)
}

// eventually waits for a condition.
func (f *testFleet) eventually(what string, holds func() bool) {
	f.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for !holds() {
		select {
		case <-f.ctx.Done():
			f.Fatalf("never: %s", what)
		case <-ticker.C:
		}
	}
}

func (f *testFleet) await(reached <-chan struct{}) {
	f.Helper()
	select {
	case <-reached:
	case <-f.ctx.Done():
		f.Fatal("the work to wait for was never reached")
	}
}

// untilCancelled blocks a piece of work and tells when it is reached.
func untilCancelled() (reached chan struct{}, work func(context.Context) error) {
	reached = make(chan struct{})
	return reached, func(ctx context.Context) error {
		close(reached)
		<-ctx.Done()
		return ctx.Err()
	}
}
