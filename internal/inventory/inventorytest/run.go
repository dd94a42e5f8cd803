package inventorytest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

// patience is how long a test waits for what takes milliseconds on an idle machine.
const patience = 3 * time.Minute

const actor = "tester"

// tester is what a *testing.T and a *rapid.T have in common.
type tester interface {
	Helper()
	Error(arguments ...any)
	Errorf(format string, arguments ...any)
	Fatal(arguments ...any)
	Fatalf(format string, arguments ...any)
	Context() context.Context
}

// Run tests a store; open returns an empty one that is closed when the test
// ends.
func Run(t *testing.T, open func(t *testing.T) inventory.Store) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, inventory.Store){
		"Apply":            testApply,
		"ApplyAllOrNone":   testAllOrNone,
		"DryRun":           testDryRun,
		"Invalid":          testInvalid,
		"Status":           testStatus,
		"StatusConcurrent": testStatusConcurrent,
		"Owned":            testOwned,
		"Delete":           testDelete,
		"List":             testList,
		"AsOf":             testAsOf,
		"Changes":          testChanges,
		"Head":             testHead,
		"Logs":             testLogs,
		"Unless":           testUnless,
		"Bundle":           testBundle,
		"BundleRace":       testBundleRace,
		"Watch":            testWatch,
		"WatchEnds":        testWatchEnds,
		"Cancelled":        testCancelled,
		"Model":            testModel,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// RunShared tests several stores on one database, as several processes have
// them; open returns another store on the same database at each call.
func RunShared(t *testing.T, open func(t *testing.T) inventory.Store) {
	t.Helper()
	t.Run("Reopen", func(t *testing.T) { testReopen(t, open) })
	t.Run("Writers", func(t *testing.T) { testWriters(t, open) })
	t.Run("WatchOther", func(t *testing.T) { testWatchOther(t, open) })
}

// cluster makes a Cluster with a spec.
func cluster(name, profile string) fleet.Resource {
	return resource(fleet.KindCluster, name, fleet.ClusterSpec{Region: "aws/eu-central-1", Profile: profile}, nil)
}

func resource(kind fleet.Kind, name string, spec, status any) fleet.Resource {
	made, err := fleet.NewResource(kind, name, spec, status)
	if err != nil {
		panic(err) // the test's own values
	}
	return made
}

func bundle(name, content string) inventory.Bundle {
	digest := fmt.Sprintf("sha256:%064x", len(content)*7+int(content[0]))
	return inventory.Bundle{
		Resource: resource(fleet.KindBaseline, name, nil, fleet.BaselineStatus{Digest: digest, Files: 1}),
		Digest:   digest,
		Content:  []byte(content),
	}
}

// must stops the test when a step that has to work does not.
func must[T any](t tester, value T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func apply(t tester, store inventory.Store, resources ...fleet.Resource) []inventory.Outcome {
	t.Helper()
	outcomes, err := store.Apply(t.Context(), actor, resources, inventory.ApplyOptions{})
	return must(t, outcomes, err)
}

func get(t tester, store inventory.Store, ref fleet.Ref) fleet.Resource {
	t.Helper()
	found, err := store.Get(t.Context(), ref, inventory.AsOf{})
	return must(t, found, err)
}

func history(t tester, store inventory.Store, ref fleet.Ref) []fleet.Change {
	t.Helper()
	changes, err := store.History(t.Context(), ref)
	return must(t, changes, err)
}

func revision(t tester, store inventory.Store) int64 {
	t.Helper()
	newest, err := store.Revision(t.Context())
	return must(t, newest, err)
}

func setStatus(t tester, store inventory.Store, ref fleet.Ref, status any) {
	t.Helper()
	if err := store.UpdateStatus(t.Context(), actor, ref, func(json.RawMessage) (any, error) { return status, nil }); err != nil {
		t.Fatal(err)
	}
}

// wantKind checks an error's kind and that it says what it is about.
func wantKind(t tester, err error, kind *fleet.ErrorKind, about ...string) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("got %v, want an error that is %v", err, kind)
		return
	}
	for _, words := range about {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("%q does not say %q", err, words)
		}
	}
}

func actions(outcomes []inventory.Outcome) string {
	var all []string
	for _, outcome := range outcomes {
		all = append(all, outcome.Ref.Name+" "+outcome.Action)
	}
	return strings.Join(all, ", ")
}

func names(resources []fleet.Resource) string {
	var all []string
	for _, one := range resources {
		all = append(all, one.Metadata.Name)
	}
	return strings.Join(all, " ")
}

// receive reads so many changes from a watch.
func receive(t tester, changes <-chan fleet.Change, count int) []fleet.Change {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	var got []fleet.Change
	for len(got) < count {
		select {
		case change, open := <-changes:
			if !open {
				t.Fatalf("the watch ended after %d of %d changes", len(got), count)
			}
			got = append(got, change)
		case <-limit.C:
			t.Fatalf("got %d of %d changes in %v", len(got), count, patience)
		}
	}
	return got
}
