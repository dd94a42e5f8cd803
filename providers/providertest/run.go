package providertest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meridian-fleet/meridian/providers"
	"github.com/meridian-fleet/meridian/providers/plugin"
)

// Subject is a provider to test.
type Subject struct {
	Provider providers.Provider
	// Request is one the provider can render, with a node pool that has GPUs
	// and one that has none.
	Request providers.ClusterRequest
	// OneWayPairs documents the regions whose replica pair copies elsewhere.
	// Every other pair must be mutual.
	OneWayPairs []string
}

// Run tests a provider. The factory is called once for each part.
func Run(t *testing.T, factory func(t *testing.T) Subject) {
	t.Helper()
	for _, part := range []struct {
		name string
		run  func(t *testing.T, subject Subject)
	}{
		{"describe is stable", describeIsStable},
		{"description is complete", descriptionIsComplete},
		{"objects are well formed", objectsAreWellFormed},
		{"objects are deterministic", objectsAreDeterministic},
		{"every region can be rendered", everyRegionRenders},
		{"unknown region", unknownRegion},
		{"all faults at once", allFaultsAtOnce},
		{"concurrent calls", concurrentCalls},
		{"cancelled calls", cancelledCalls},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			subject := factory(t)
			client, stop, err := plugin.InProcess(subject.Provider)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(stop)
			subject.Provider = client
			part.run(t, subject)
		})
	}
}

func describe(t *testing.T, subject Subject) providers.Description {
	t.Helper()
	description, err := subject.Provider.Describe(t.Context())
	if err != nil {
		t.Fatalf("Describe: %v", err)
	}
	return description
}

func render(t *testing.T, subject Subject) providers.ClusterObjects {
	t.Helper()
	objects, err := subject.Provider.ClusterObjects(t.Context(), subject.Request)
	if err != nil {
		t.Fatalf("ClusterObjects: %v", err)
	}
	return objects
}

func report(t *testing.T, faults []error) {
	t.Helper()
	for _, fault := range faults {
		t.Error(fault)
	}
}

func describeIsStable(t *testing.T, subject Subject) {
	if diff := cmp.Diff(describe(t, subject), describe(t, subject)); diff != "" {
		t.Errorf("two calls of Describe differ (-first +second):\n%s", diff)
	}
}

func descriptionIsComplete(t *testing.T, subject Subject) {
	report(t, CheckDescription(describe(t, subject), subject.OneWayPairs))
}

func objectsAreWellFormed(t *testing.T, subject Subject) {
	report(t, CheckObjects(subject.Request, render(t, subject)))
}

func objectsAreDeterministic(t *testing.T, subject Subject) {
	if diff := cmp.Diff(asText(render(t, subject)), asText(render(t, subject))); diff != "" {
		t.Errorf("the same request gave other objects (-first +second):\n%s", diff)
	}
}

func everyRegionRenders(t *testing.T, subject Subject) {
	for _, region := range describe(t, subject).Regions {
		subject.Request.Region = region.ID
		if _, err := subject.Provider.ClusterObjects(t.Context(), subject.Request); err != nil {
			t.Errorf("region %s: %v", region.ID, err)
		}
	}
}

func unknownRegion(t *testing.T, subject Subject) {
	subject.Request.Region = "no-such-region-1"
	if _, err := subject.Provider.ClusterObjects(t.Context(), subject.Request); !errors.Is(err, providers.KindNotFound) {
		t.Errorf("an unknown region: want an error of kind %q, got %v", providers.KindNotFound, err)
	}
}

func allFaultsAtOnce(t *testing.T, subject Subject) {
	bad := subject.Request
	bad.Name = "Not A Label"
	bad.KubernetesVersion = "v1"
	bad.NodePools = []providers.NodePool{{Name: "pool", Replicas: -1, GPU: &providers.GPU{}}}
	_, err := subject.Provider.ClusterObjects(t.Context(), bad)
	var withFaults *providers.Error
	if !errors.As(err, &withFaults) || withFaults.Kind != providers.KindInvalid {
		t.Fatalf("a request full of faults: want an error of kind %q, got %v", providers.KindInvalid, err)
	}
	reported := map[string]bool{}
	for _, fault := range withFaults.Faults {
		reported[fault.Field] = true
	}
	for _, field := range []string{
		"name", "kubernetesVersion", "nodePools[0].replicas", "nodePools[0].instanceType", "nodePools[0].gpu.product", "nodePools[0].gpu.count",
	} {
		if !reported[field] {
			t.Errorf("the fault of %s was not reported; reported were %v", field, withFaults.Faults)
		}
	}
}

const callers = 16

func concurrentCalls(t *testing.T, subject Subject) {
	want := asText(render(t, subject))
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			objects, err := subject.Provider.ClusterObjects(t.Context(), subject.Request)
			if err != nil {
				t.Errorf("concurrent call: %v", err)
				return
			}
			if diff := cmp.Diff(want, asText(objects)); diff != "" {
				t.Errorf("a concurrent call gave other objects:\n%s", diff)
			}
		})
		group.Go(func() {
			if _, err := subject.Provider.Describe(t.Context()); err != nil {
				t.Errorf("concurrent call: %v", err)
			}
		})
	}
	group.Wait()
}

func cancelledCalls(t *testing.T, subject Subject) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := subject.Provider.Describe(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Describe with a cancelled context: want %v, got %v", context.Canceled, err)
	}
	if _, err := subject.Provider.ClusterObjects(ctx, subject.Request); !errors.Is(err, context.Canceled) {
		t.Errorf("ClusterObjects with a cancelled context: want %v, got %v", context.Canceled, err)
	}
}

func asText(objects providers.ClusterObjects) []string {
	var all []string
	for _, object := range objects.Objects {
		all = append(all, string(object))
	}
	return all
}
