package activities_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/meridian-fleet/meridian/internal/baseline"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/internal/sandbox/boxtest"
	"github.com/meridian-fleet/meridian/workflows/activities"
)

// credentials hand out what is set, and count.
type credentials struct {
	config atomic.Pointer[rest.Config]
	asked  atomic.Int64
}

func (c *credentials) RESTConfig(context.Context, string) (*rest.Config, error) {
	c.asked.Add(1)
	return c.config.Load(), nil
}

func limits(t *testing.T) inventory.Bundle {
	t.Helper()
	bundle, err := baseline.FromFiles("limits", map[string][]byte{
		"baseline.yaml": []byte(`apiVersion: meridian.dev/v1alpha1
kind: Baseline
metadata: {name: limits, version: 1.0.0}
spec:
  components:
  - {name: limits, kind: policy, source: {manifests: objects.yaml}}
`),
		"objects.yaml": []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: limits, namespace: default}\ndata: {cpu: \"1\"}\n"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return inventory.Bundle{Digest: bundle.Digest, Content: bundle.Content()}
}

// What the inventory holds is applied only if it is what was uploaded.
func TestDeliveryRefusesOtherFilesThanWereUploaded(t *testing.T) {
	t.Parallel()
	delivery := activities.NewDelivery(&credentials{})
	stored := limits(t)
	if _, err := delivery.Data(activities.Target{Cluster: "a", Bundle: stored, Facts: baseline.Facts{Provider: "aws", Cluster: map[string]any{"kubernetesVersion": "1.36.3"}}}); err != nil {
		t.Fatal(err)
	}
	stored.Digest = "sha256:" + strings.Repeat("0", 64)
	if _, err := delivery.Data(activities.Target{Cluster: "a", Bundle: stored}); !errors.Is(err, fleet.ErrNeedsHuman) {
		t.Errorf("got %v", err)
	}
}

// A connection is kept while it works, and made anew after the cluster could
// not be reached or refused the credentials.
func TestDeliveryKeepsConnectionsThatWork(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	good := boxtest.Start(t, 1)[0]
	gone, refused := rest.CopyConfig(good), rest.AnonymousClientConfig(good)
	gone.Host = "https://127.0.0.1:1"
	access := &credentials{}
	delivery := activities.NewDelivery(access)
	target := activities.Target{
		Cluster: "a", Bundle: limits(t),
		Facts: baseline.Facts{Provider: "aws", Cluster: map[string]any{"kubernetesVersion": "1.36.3"}},
	}

	access.config.Store(gone)
	if _, err := delivery.Plan(ctx, target, false); !errors.Is(err, fleet.ErrUnavailable) {
		t.Fatalf("unreachable: %v", err)
	}
	access.config.Store(good)
	if planned, err := delivery.Plan(ctx, target, false); err != nil || planned.Create != 1 {
		t.Fatalf("%+v, %v", planned, err)
	}
	applied, err := delivery.Apply(ctx, target, activities.ApplyOptions{ReadyTimeout: time.Minute, OnProgress: func(string) {}})
	if err != nil || applied.Created != 1 {
		t.Fatalf("%+v, %v", applied, err)
	}
	if findings, err := delivery.Drift(ctx, target); err != nil || len(findings) != 0 {
		t.Fatalf("%+v, %v", findings, err)
	}
	if asked := access.asked.Load(); asked != 2 {
		t.Errorf("asked for credentials %d times, want 2", asked)
	}

	rotated := activities.NewDelivery(access)
	access.config.Store(refused)
	if _, err := rotated.Drift(ctx, target); !errors.Is(err, fleet.ErrDenied) {
		t.Fatalf("refused: %v (%v)", err, fleet.KindOf(err))
	}
	access.config.Store(good)
	if _, err := rotated.Drift(ctx, target); err != nil {
		t.Errorf("with new credentials: %v", err)
	}
}
