package inventorytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

func testApply(t *testing.T, store inventory.Store) {
	first := cluster("a", "small")
	first.Metadata.Labels = map[string]string{"tier": "1"}
	if got := actions(apply(t, store, first, cluster("b", "small"))); got != "a created, b created" {
		t.Errorf("outcomes: %s", got)
	}
	created := get(t, store, first.Ref())
	if created.Metadata.Revision != 1 || created.Metadata.CreatedAt == nil || !created.Metadata.CreatedAt.Equal(*created.Metadata.UpdatedAt) {
		t.Errorf("metadata: %+v", created.Metadata)
	}
	setStatus(t, store, first.Ref(), fleet.ClusterStatus{Phase: fleet.ClusterReady})

	// Equal but for spaces, the order of keys and what the inventory sets.
	again := get(t, store, first.Ref())
	again.Spec, again.Status = json.RawMessage(`{ "region":"aws/eu-central-1", "profile" : "small" }`), json.RawMessage(`{"phase":"Failed"}`)
	if got := actions(apply(t, store, again)); got != "a unchanged" {
		t.Errorf("outcomes: %s", got)
	}
	if got := actions(apply(t, store, cluster("a", "large"))); got != "a updated" {
		t.Errorf("outcomes: %s", got)
	}
	updated := get(t, store, first.Ref())
	status := must2(t, updated, fleet.StatusOf[fleet.ClusterStatus])
	if spec := must2(t, updated, fleet.SpecOf[fleet.ClusterSpec]); spec.Profile != "large" || status.Phase != fleet.ClusterReady || updated.Metadata.Labels != nil {
		t.Errorf("after the update: %+v", updated)
	}
	if !updated.Metadata.CreatedAt.Equal(*created.Metadata.CreatedAt) || !updated.Metadata.UpdatedAt.After(*created.Metadata.CreatedAt) {
		t.Errorf("times: %v, %v", updated.Metadata.CreatedAt, updated.Metadata.UpdatedAt)
	}
	var recorded []string
	for _, change := range history(t, store, first.Ref()) {
		recorded = append(recorded, fmt.Sprint(change.Revision, change.Action, change.Actor, change.Before != nil, change.After != nil))
	}
	want := []string{"1 created tester false true", "3 status tester true true", "4 updated tester true true"}
	for i := range want {
		want[i] = strings.ReplaceAll(want[i], " ", "")
		recorded[i] = strings.ReplaceAll(recorded[i], " ", "")
	}
	if !slices.Equal(recorded, want) {
		t.Errorf("history: %q", recorded)
	}
}

// must2 decodes a part of a resource.
func must2[T any](t tester, from fleet.Resource, decode func(fleet.Resource) (T, error)) T {
	t.Helper()
	value, err := decode(from)
	return must(t, value, err)
}

func testAllOrNone(t *testing.T, store inventory.Store) {
	put := bundle("platform@1.0.0", "one")
	must(t, put, second(store.PutBundle(t.Context(), actor, put, inventory.ApplyOptions{})))
	before := revision(t, store)
	changed, other := bundle("platform@1.0.0", "another"), bundle("other@1.0.0", "x")
	_, err := store.ApplyAll(t.Context(), actor, []fleet.Resource{cluster("a", "small")}, []inventory.Bundle{other, changed}, inventory.ApplyOptions{})
	wantKind(t, err, fleet.ErrConflict, "Baseline platform@1.0.0", put.Digest, changed.Digest)
	if revision(t, store) != before {
		t.Error("something was written")
	}
	if _, err := store.Bundle(t.Context(), "other@1.0.0"); !errors.Is(err, fleet.ErrNotFound) {
		t.Errorf("the other bundle: %v", err)
	}
	outcomes, err := store.ApplyAll(t.Context(), actor, []fleet.Resource{cluster("a", "small")}, []inventory.Bundle{other, put}, inventory.ApplyOptions{})
	if got := actions(must(t, outcomes, err)); got != "a created, other@1.0.0 created, platform@1.0.0 unchanged" {
		t.Errorf("outcomes: %s", got)
	}
	changes := history(t, store, fleet.Ref{Kind: fleet.KindCluster, Name: "a"})
	if at := history(t, store, other.Resource.Ref())[0].At; !changes[0].At.Equal(at) {
		t.Errorf("one transaction at two times: %v, %v", changes[0].At, at)
	}
}

func second[T any](_ T, err error) error { return err }

func testDryRun(t *testing.T, store inventory.Store) {
	apply(t, store, cluster("a", "small"))
	options := inventory.ApplyOptions{DryRun: true}
	outcomes, err := store.ApplyAll(t.Context(), actor, []fleet.Resource{cluster("a", "large"), cluster("b", "x")},
		[]inventory.Bundle{bundle("platform@1.0.0", "one")}, options)
	if got := actions(must(t, outcomes, err)); got != "a updated, b created, platform@1.0.0 created" {
		t.Errorf("outcomes: %s", got)
	}
	if revision(t, store) != 1 || must2(t, get(t, store, fleet.Ref{Kind: fleet.KindCluster, Name: "a"}), fleet.SpecOf[fleet.ClusterSpec]).Profile != "small" {
		t.Error("a dry run wrote")
	}
}

func testInvalid(t *testing.T, store inventory.Store) {
	broken := cluster("a", "small")
	broken.Spec = json.RawMessage(`{"profile":`)
	for name, write := range map[string]func() error{
		"no name": func() error {
			return second(store.Apply(t.Context(), actor, []fleet.Resource{cluster("", "x")}, inventory.ApplyOptions{}))
		},
		"zero byte": func() error {
			return second(store.Apply(t.Context(), actor, []fleet.Resource{cluster("a\x00", "x")}, inventory.ApplyOptions{}))
		},
		"not UTF-8": func() error {
			return second(store.Apply(t.Context(), actor, []fleet.Resource{cluster("a\xff", "x")}, inventory.ApplyOptions{}))
		},
		"long name": func() error {
			return second(store.Apply(t.Context(), actor, []fleet.Resource{cluster(strings.Repeat("a", 5000), "x")}, inventory.ApplyOptions{}))
		},
		"no actor": func() error {
			return second(store.Apply(t.Context(), "", []fleet.Resource{cluster("a", "x")}, inventory.ApplyOptions{}))
		},
		"unknown kind": func() error {
			return second(store.Apply(t.Context(), actor, []fleet.Resource{{Kind: "Region2", Metadata: fleet.Metadata{Name: "a"}}}, inventory.ApplyOptions{}))
		},
		"not JSON": func() error {
			return second(store.Apply(t.Context(), actor, []fleet.Resource{broken}, inventory.ApplyOptions{}))
		},
		"twice": func() error {
			return second(store.Apply(t.Context(), actor, []fleet.Resource{cluster("a", "x"), cluster("a", "y")}, inventory.ApplyOptions{}))
		},
		"bare baseline": func() error {
			return second(store.Apply(t.Context(), actor, []fleet.Resource{bundle("p@1.0.0", "x").Resource}, inventory.ApplyOptions{}))
		},
		"no version": func() error {
			return second(store.PutBundle(t.Context(), actor, bundle("platform", "x"), inventory.ApplyOptions{}))
		},
		"no digest": func() error {
			bad := bundle("p@1.0.0", "x")
			bad.Digest = "md5:00"
			return second(store.PutBundle(t.Context(), actor, bad, inventory.ApplyOptions{}))
		},
		"other digest": func() error {
			bad := bundle("p@1.0.0", "x")
			bad.Digest = bundle("p@1.0.0", "yy").Digest
			return second(store.PutBundle(t.Context(), actor, bad, inventory.ApplyOptions{}))
		},
		"owner": func() error { return store.ReplaceOwned(t.Context(), actor, fleet.KindNode, "", nil) },
		"owned kind": func() error {
			return store.ReplaceOwned(t.Context(), actor, fleet.KindNode, "a", []fleet.Resource{cluster("a", "x")})
		},
		"status": func() error {
			return store.UpdateStatus(t.Context(), actor, fleet.Ref{Kind: fleet.KindCluster, Name: "kept"}, func(json.RawMessage) (any, error) { return make(chan int), nil })
		},
	} {
		apply(t, store, cluster("kept", "small"))
		before := revision(t, store)
		if err := write(); !errors.Is(err, fleet.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
		if revision(t, store) != before {
			t.Errorf("%s: something was written", name)
		}
	}
}

func testStatus(t *testing.T, store inventory.Store) {
	ref := fleet.Ref{Kind: fleet.KindCluster, Name: "a"}
	never := func(json.RawMessage) (any, error) { t.Error("called"); return nil, nil }
	wantKind(t, store.UpdateStatus(t.Context(), actor, ref, never), fleet.ErrNotFound, "Cluster a")
	apply(t, store, cluster("a", "small"))
	err := store.UpdateStatus(t.Context(), actor, ref, func(current json.RawMessage) (any, error) {
		if current != nil {
			t.Errorf("a status at first: %s", current)
		}
		return map[string]any{"phase": "Ready", "message": "<&>"}, nil
	})
	must(t, 0, err)
	before := revision(t, store)
	setStatus(t, store, ref, json.RawMessage(`{ "message": "<&>", "phase":"Ready" }`))
	own := errors.New("mine")
	if err := store.UpdateStatus(t.Context(), actor, ref, func(json.RawMessage) (any, error) { return nil, own }); err != own { //nolint:errorlint // the very same
		t.Errorf("the caller's error comes back as %v", err)
	}
	if revision(t, store) != before {
		t.Error("an equal or failed status was written")
	}
	if got := string(get(t, store, ref).Status); got != `{"message":"<&>","phase":"Ready"}` {
		t.Errorf("status: %s", got)
	}
	setStatus(t, store, ref, nil)
	if got := get(t, store, ref).Status; got != nil {
		t.Errorf("status after nil: %s", got)
	}
}

// testStatusConcurrent has as many writers as a fleet has clusters count on
// one resource: none may fail, no count may be lost.
func testStatusConcurrent(t *testing.T, store inventory.Store) {
	apply(t, store, cluster("a", "small"))
	const writers, rounds = 17, 8
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for range rounds {
				if err := count(t, store, "a"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	status := must2(t, get(t, store, fleet.Ref{Kind: fleet.KindCluster, Name: "a"}), fleet.StatusOf[fleet.ClusterStatus])
	if status.Nodes != writers*rounds {
		t.Errorf("%d of %d updates are left", status.Nodes, writers*rounds)
	}
}

// count adds one to the nodes in a cluster's status.
func count(t tester, store inventory.Store, name string) error {
	return store.UpdateStatus(t.Context(), actor, fleet.Ref{Kind: fleet.KindCluster, Name: name}, func(current json.RawMessage) (any, error) {
		var status fleet.ClusterStatus
		if current != nil {
			if err := json.Unmarshal(current, &status); err != nil {
				return nil, err
			}
		}
		status.Nodes++
		return status, nil
	})
}

func testOwned(t *testing.T, store inventory.Store) {
	node := func(name string, ready bool) fleet.Resource {
		return resource(fleet.KindNode, name, nil, fleet.NodeStatus{Pool: "general", Ready: ready})
	}
	replace := func(owner string, nodes ...fleet.Resource) error {
		return store.ReplaceOwned(t.Context(), actor, fleet.KindNode, owner, nodes)
	}
	must(t, 0, errors.Join(replace("a", node("a/1", true), node("a/2", true)), replace("b", node("b/1", true))))
	before := revision(t, store)
	must(t, 0, replace("a", node("a/2", true), node("a/1", true)))
	if revision(t, store) != before {
		t.Error("equal nodes were written")
	}
	wantKind(t, replace("a", node("b/1", true)), fleet.ErrConflict, "Node b/1")
	must(t, 0, replace("a", node("a/2", false), node("a/3", true)))
	if got := revision(t, store) - before; got != 3 {
		t.Errorf("%d changes, want one updated, one created, one deleted", got)
	}
	nodes, err := store.List(t.Context(), fleet.KindNode, inventory.Query{Owner: "a"})
	if got := names(must(t, nodes, err)); got != "a/2 a/3" || must2(t, nodes[0], fleet.StatusOf[fleet.NodeStatus]).Ready {
		t.Errorf("nodes: %s", got)
	}
	must(t, 0, replace("a"))
	nodes, err = store.List(t.Context(), fleet.KindNode, inventory.Query{})
	if got := names(must(t, nodes, err)); got != "b/1" {
		t.Errorf("nodes left: %s", got)
	}
}

func testDelete(t *testing.T, store inventory.Store) {
	ref := fleet.Ref{Kind: fleet.KindCluster, Name: "a"}
	wantKind(t, store.Delete(t.Context(), actor, ref, nil), fleet.ErrNotFound, "Cluster a")
	_, err := store.History(t.Context(), ref)
	wantKind(t, err, fleet.ErrNotFound)
	apply(t, store, cluster("a", "small"))
	setStatus(t, store, ref, fleet.ClusterStatus{Nodes: 3})
	must(t, 0, store.Delete(t.Context(), actor, ref, nil))
	_, err = store.Get(t.Context(), ref, inventory.AsOf{})
	wantKind(t, err, fleet.ErrNotFound, "Cluster a")
	apply(t, store, cluster("a", "small"))
	if again := get(t, store, ref); again.Status != nil || again.Metadata.CreatedAt.Before(history(t, store, ref)[2].At) {
		t.Errorf("made anew with a past: %+v", again)
	}
	changes := history(t, store, ref)
	if len(changes) != 4 || changes[2].Action != "deleted" || changes[2].After != nil || changes[2].Before == nil || changes[3].Before != nil {
		t.Errorf("history: %+v", changes)
	}
}
