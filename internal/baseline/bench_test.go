package baseline

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/meridian-fleet/meridian/internal/sandbox/boxtest"
)

// BenchmarkApply compares a first apply, and one with nothing to change, with
// the floor: the same objects sent by plain concurrent server-side apply with
// client-go, to the same control plane in the same run. The floor does not
// wait for anything.
//
//	go test -run '^$' -bench Apply -benchtime 5x ./internal/baseline
func BenchmarkApply(b *testing.B) {
	config := boxtest.Start(b, 1)[0]
	for _, count := range []int{10, 100, 500} {
		b.Run(fmt.Sprint(count), func(b *testing.B) { benchmarkApply(b, config, count) })
	}
}

func benchmarkApply(b *testing.B, config *rest.Config, count int) {
	cluster := connectTo(b, config)
	var floors, firsts, repeats []float64
	for round := 0; b.Loop(); round++ {
		name := fmt.Sprintf("bench-%d-%d-%d", count, b.N, round)
		var floor time.Duration
		takeFloor := func() {
			floor = timed(b, func(ctx context.Context) error { return applyPlainly(ctx, config, benchObjects(name+"-floor", count)) })
		}
		if round%2 == 0 {
			takeFloor()
		}
		resolved := benchBaseline(b, name, count)
		first := timed(b, func(ctx context.Context) error { _, err := cluster.Apply(ctx, resolved, ApplyOptions{}); return err })
		again := timed(b, func(ctx context.Context) error { _, err := cluster.Apply(ctx, resolved, ApplyOptions{}); return err })
		if round%2 == 1 {
			takeFloor()
		}
		floors, firsts, repeats = append(floors, floor.Seconds()), append(firsts, first.Seconds()/floor.Seconds()), append(repeats, again.Seconds()/floor.Seconds())
	}
	b.ReportMetric(1000*middle(floors), "floor-ms")
	b.ReportMetric(middle(firsts), "first/floor")
	b.ReportMetric(middle(repeats), "unchanged/floor")
}

func middle(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

func timed(b *testing.B, do func(ctx context.Context) error) time.Duration {
	started := time.Now()
	if err := do(b.Context()); err != nil {
		b.Fatal(err)
	}
	return time.Since(started)
}

// benchObjects are a namespace and count-1 objects of usual kinds in it.
func benchObjects(namespace string, count int) []*unstructured.Unstructured {
	bodies := []string{
		`{"apiVersion":"v1","kind":"ConfigMap","data":{"key":"value","settings":"one: 1\ntwo: 2\n"}}`,
		`{"apiVersion":"v1","kind":"ServiceAccount"}`,
		`{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get","list"]}]}`,
		`{"apiVersion":"v1","kind":"Service","spec":{"selector":{"app":"bench"},"ports":[{"name":"http","port":80,"protocol":"TCP"}]}}`,
		`{"apiVersion":"apps/v1","kind":"Deployment","spec":{"replicas":0,"selector":{"matchLabels":{"app":"bench"}},"template":{"metadata":{"labels":{"app":"bench"}},"spec":{"containers":[{"name":"main","image":"registry.example/main:1"}]}}}}`,
	}
	objects := []*unstructured.Unstructured{{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": namespace}}}}
	for i := range count - 1 {
		var content map[string]any
		if err := json.Unmarshal([]byte(bodies[i%len(bodies)]), &content); err != nil {
			panic(err) // written above
		}
		object := &unstructured.Unstructured{Object: content}
		object.SetNamespace(namespace)
		object.SetName(fmt.Sprint("object-", i))
		objects = append(objects, object)
	}
	return objects
}

func benchBaseline(b *testing.B, name string, count int) *Resolved {
	b.Helper()
	var manifests strings.Builder
	for _, object := range benchObjects(name, count) {
		raw, err := object.MarshalJSON()
		if err != nil {
			b.Fatal(err)
		}
		fmt.Fprintf(&manifests, "---\n%s\n", raw)
	}
	return resolve(b, bundleOf(b, strings.Replace(baselineYAML("  - {name: main, kind: add-on, source: {manifests: main.yaml}}\n"), "name: test", "name: "+name, 1)+"-- main.yaml --\n"+manifests.String()))
}

// applyPlainly is the floor.
func applyPlainly(ctx context.Context, config *rest.Config, objects []*unstructured.Unstructured) error {
	config = rest.CopyConfig(config)
	config.QPS = -1
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	apply := func(ctx context.Context, object *unstructured.Unstructured) error {
		kind := object.GroupVersionKind()
		at := schema.GroupVersionResource{Group: kind.Group, Version: kind.Version, Resource: strings.ToLower(kind.Kind) + "s"}
		_, err := client.Resource(at).Namespace(object.GetNamespace()).Apply(ctx, object.GetName(), object, metav1.ApplyOptions{FieldManager: "floor"})
		return err
	}
	if err := apply(ctx, objects[0]); err != nil {
		return err
	}
	group, groupContext := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for _, object := range objects[1:] {
		group.Go(func() error { return apply(groupContext, object) })
	}
	return group.Wait()
}
