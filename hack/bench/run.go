package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"k8s.io/client-go/rest"

	"github.com/meridian-fleet/meridian/internal/testbed"
)

const rounds = 3

// bench is the running fleet and how its clusters are reached.
type bench struct {
	*testbed.Fleetd
	clusters map[string]*rest.Config
}

// measurement is one round's wall times for one number of objects.
type measurement struct{ floor, first, again time.Duration }

func run(ctx context.Context) (err error) {
	fleetd, err := testbed.Start(ctx, "bin", io.Discard, "--drift-interval", "1h")
	if err != nil {
		return err
	}
	defer func() {
		if stopErr := fleetd.Stop(); err == nil {
			err = stopErr
		}
	}()
	b := &bench{Fleetd: fleetd}
	if err := b.onboard(ctx); err != nil {
		return err
	}
	fmt.Printf("%d clusters, %d rounds each; medians of wall time, and of the ratio to the floor taken round by round\n\n", len(b.clusters), rounds)
	fmt.Printf("%8s %10s %14s %7s %18s %7s\n", "OBJECTS", "FLOOR", "FIRST ROLLOUT", "RATIO", "NOTHING TO CHANGE", "RATIO")
	for _, objects := range []int{10, 100, 500} {
		var taken []measurement
		for round := range rounds {
			m, err := b.measure(ctx, objects, round)
			if err != nil {
				return err
			}
			taken = append(taken, m)
		}
		report(objects, taken)
	}
	return nil
}

func (b *bench) onboard(ctx context.Context) error {
	for _, arguments := range [][]string{
		{"apply", "-f", "deploy/examples/fleet", "-f", "hack/bench/strategy.yaml"},
		{"region", "onboard", "--all", "--wait"},
	} {
		if err := b.Fleetctl(ctx, arguments...); err != nil {
			return err
		}
	}
	statuses, err := b.ClusterStatuses(ctx)
	if err != nil {
		return err
	}
	b.clusters = map[string]*rest.Config{}
	for cluster := range statuses {
		config, err := b.RESTConfig(ctx, cluster)
		if err != nil {
			return err
		}
		config.QPS = -1
		b.clusters[cluster] = config
	}
	return nil
}

// measure takes one round: the floor, the first rollout, and a rollout of the
// same again. Each round has namespaces of its own, so that everything is new.
// The floor goes first in even rounds and last in odd ones.
func (b *bench) measure(ctx context.Context, objects, round int) (measurement, error) {
	name := fmt.Sprintf("bench-%d-%d", objects, round)
	folder := filepath.Join(b.DataDir, name)
	if err := writeBundle(folder, name, objects); err != nil {
		return measurement{}, err
	}
	if err := b.Fleetctl(ctx, "apply", "-f", folder); err != nil {
		return measurement{}, err
	}
	var m measurement
	var err error
	floor := func() {
		if err == nil {
			m.floor, err = timed(func() error { return applyEverywhere(ctx, b.clusters, name+"-floor", objects) })
		}
	}
	if round%2 == 0 {
		floor()
	}
	for _, into := range []*time.Duration{&m.first, &m.again} {
		if err == nil {
			*into, err = timed(func() error {
				return b.Fleetctl(ctx, "rollout", "baseline", name+"@1.0.0", "--strategy", "at-once", "--watch")
			})
		}
	}
	if round%2 == 1 {
		floor()
	}
	return m, err
}

func timed(do func() error) (time.Duration, error) {
	started := time.Now()
	err := do()
	return time.Since(started), err
}

func report(objects int, taken []measurement) {
	floor := func(m measurement) float64 { return m.floor.Seconds() }
	first := func(m measurement) float64 { return m.first.Seconds() }
	again := func(m measurement) float64 { return m.again.Seconds() }
	ratio := func(of func(measurement) float64) func(measurement) float64 {
		return func(m measurement) float64 { return of(m) / floor(m) }
	}
	fmt.Printf("%8d %9.2fs %13.2fs %6.2fx %17.2fs %6.2fx\n", objects,
		median(taken, floor), median(taken, first), median(taken, ratio(first)), median(taken, again), median(taken, ratio(again)))
}

func median(taken []measurement, of func(measurement) float64) float64 {
	var values []float64
	for _, m := range taken {
		values = append(values, of(m))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func writeBundle(folder, name string, objects int) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	baseline := fmt.Sprintf(`apiVersion: meridian.dev/v1alpha1
kind: Baseline
metadata: {name: %s, version: 1.0.0}
spec:
  components:
  - name: objects
    kind: add-on
    source: {manifests: objects.yaml}
`, name)
	if err := os.WriteFile(filepath.Join(folder, "baseline.yaml"), []byte(baseline), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "objects.yaml"), manifests(name, objects), 0o600)
}
