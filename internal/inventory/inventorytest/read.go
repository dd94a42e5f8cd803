package inventorytest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

func testList(t *testing.T, store inventory.Store) {
	var all []fleet.Resource
	for i, name := range []string{"b", "a-1", "a", "B", "a_1", "ä", "a0"} {
		one := cluster(name, "small")
		one.Metadata.Labels = map[string]string{"number": fmt.Sprint(i), "all": ""}
		all = append(all, one)
	}
	apply(t, store, all...)
	apply(t, store, resource(fleet.KindRegion, "aws/x", fleet.RegionSpec{Profile: "small"}, nil))
	for _, test := range []struct {
		labels map[string]string
		want   string
	}{
		{nil, "B a a-1 a0 a_1 b ä"}, // by bytes, on every database
		{map[string]string{"number": "2"}, "a"},
		{map[string]string{"number": "2", "all": ""}, "a"},
		{map[string]string{"number": "2", "all": "x"}, ""},
		{map[string]string{"absent": ""}, ""},
	} {
		found, err := store.List(t.Context(), fleet.KindCluster, inventory.Query{MatchLabels: test.labels})
		if got := names(must(t, found, err)); got != test.want {
			t.Errorf("%v: got %s, want %s", test.labels, got, test.want)
		}
	}
}

func testAsOf(t *testing.T, store inventory.Store) {
	ref := fleet.Ref{Kind: fleet.KindCluster, Name: "a"}
	apply(t, store, cluster("a", "small"))
	apply(t, store, cluster("a", "large"), cluster("b", "small"))
	must(t, 0, store.Delete(t.Context(), actor, ref, nil))
	changes := history(t, store, ref)
	for _, test := range []struct {
		at      time.Time
		profile string // empty: not there
		names   string
	}{
		{changes[0].At.Add(-time.Microsecond), "", ""},
		{changes[0].At, "small", "a"},
		{changes[1].At.Add(-time.Nanosecond), "small", "a"},
		{changes[1].At, "large", "a b"},
		{changes[2].At, "", "b"},
		{changes[2].At.Add(time.Hour), "", "b"},
		{time.Time{}, "", "b"},
	} {
		found, err := store.Get(t.Context(), ref, inventory.AsOf(test.at))
		if test.profile == "" {
			wantKind(t, err, fleet.ErrNotFound)
		} else if spec := must2(t, must(t, found, err), fleet.SpecOf[fleet.ClusterSpec]); spec.Profile != test.profile {
			t.Errorf("at %v: %s, want %s", test.at, spec.Profile, test.profile)
		}
		list, err := store.List(t.Context(), fleet.KindCluster, inventory.Query{AsOf: inventory.AsOf(test.at)})
		if got := names(must(t, list, err)); got != test.names {
			t.Errorf("at %v: %s, want %s", test.at, got, test.names)
		}
	}
}

func testBundle(t *testing.T, store inventory.Store) {
	put := bundle("platform@1.0.0", "content\x00\xff")
	_, err := store.Bundle(t.Context(), "platform@1.0.0")
	wantKind(t, err, fleet.ErrNotFound, "Baseline platform@1.0.0")
	for _, want := range []string{"created", "unchanged"} {
		outcome, err := store.PutBundle(t.Context(), actor, put, inventory.ApplyOptions{})
		if must(t, outcome, err); outcome.Action != want {
			t.Errorf("got %s, want %s", outcome.Action, want)
		}
	}
	stored, err := store.Bundle(t.Context(), "platform@1.0.0")
	if must(t, stored, err); stored.Digest != put.Digest || !bytes.Equal(stored.Content, put.Content) || stored.Resource.Metadata.Revision != 1 {
		t.Errorf("stored: %+v", stored)
	}
	other := bundle("platform@1.0.0", "other content")
	_, err = store.PutBundle(t.Context(), actor, other, inventory.ApplyOptions{})
	wantKind(t, err, fleet.ErrConflict, put.Digest, other.Digest)

	// A version means one thing for ever, also after its resource is gone.
	must(t, 0, store.Delete(t.Context(), actor, put.Resource.Ref(), nil))
	_, err = store.Bundle(t.Context(), "platform@1.0.0")
	wantKind(t, err, fleet.ErrNotFound)
	_, err = store.PutBundle(t.Context(), actor, other, inventory.ApplyOptions{})
	wantKind(t, err, fleet.ErrConflict, put.Digest, other.Digest)
	outcome, err := store.PutBundle(t.Context(), actor, put, inventory.ApplyOptions{})
	if must(t, outcome, err); outcome.Action != "created" {
		t.Errorf("put back: %+v", outcome)
	}
}

// testBundleRace stores one version with many contents at once: one wins.
func testBundleRace(t *testing.T, store inventory.Store) {
	var group sync.WaitGroup
	won := make(chan string, 8)
	for i := range 8 {
		group.Go(func() {
			mine := bundle("platform@1.0.0", fmt.Sprintf("%0*d", i+1, i))
			_, err := store.PutBundle(t.Context(), actor, mine, inventory.ApplyOptions{})
			switch {
			case err == nil:
				won <- mine.Digest
			case !errors.Is(err, fleet.ErrConflict):
				t.Error(err)
			}
		})
	}
	group.Wait()
	close(won)
	stored, err := store.Bundle(t.Context(), "platform@1.0.0")
	if digest := <-won; digest != must(t, stored, err).Digest || len(won) != 0 {
		t.Errorf("%s won, %s is stored, %d more think they won", digest, stored.Digest, len(won))
	}
}

func testWatch(t *testing.T, store inventory.Store) {
	apply(t, store, cluster("before", "small"))
	live, err := store.Watch(t.Context(), nil, -1)
	must(t, 0, err)
	regions, err := store.Watch(t.Context(), []fleet.Kind{fleet.KindRegion, fleet.KindRollout}, 0)
	must(t, 0, err)
	const count = 600 // more than a watch reads at a time
	for i := range count / 100 {
		var batch []fleet.Resource
		for j := range 99 {
			batch = append(batch, cluster(fmt.Sprintf("c%d-%d", i, j), "small"))
		}
		batch = append(batch, resource(fleet.KindRegion, fmt.Sprintf("aws/r%d", i), fleet.RegionSpec{Profile: "small"}, nil))
		apply(t, store, batch...)
	}
	for i, change := range receive(t, live, count) {
		if change.Revision != int64(i)+2 || change.After == nil || change.After.Metadata.Revision != change.Revision || change.Before != nil {
			t.Fatalf("change %d: %+v", i, change)
		}
	}
	for i, change := range receive(t, regions, count/100) {
		if change.Ref.Name != fmt.Sprintf("aws/r%d", i) {
			t.Errorf("region %d: %v", i, change.Ref)
		}
	}
	resumed, err := store.Watch(t.Context(), nil, 300)
	must(t, 0, err)
	if first := receive(t, resumed, 1)[0]; first.Revision != 301 {
		t.Errorf("resumed at %d", first.Revision)
	}
	apply(t, store, resource(fleet.KindRegion, "aws/r0", fleet.RegionSpec{Profile: "large"}, nil))
	if change := receive(t, regions, 1)[0]; change.Action != "updated" || change.Before == nil || change.Actor != actor {
		t.Errorf("update: %+v", change)
	}
}

// testWatchEnds checks that a watch's channel is closed with its context, also
// while nobody reads, and when the store closes.
func testWatchEnds(t *testing.T, store inventory.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	unread, err := store.Watch(ctx, nil, 0)
	must(t, 0, err)
	apply(t, store, cluster("a", "small"), cluster("b", "small"))
	cancel()
	drain(t, unread)
	open, err := store.Watch(t.Context(), nil, -1)
	must(t, 0, err)
	must(t, 0, store.Close())
	drain(t, open)
	wantKind(t, store.Ping(t.Context()), fleet.ErrUnavailable)
	wantKind(t, second(store.Watch(t.Context(), nil, 0)), fleet.ErrUnavailable)
}

func drain(t tester, changes <-chan fleet.Change) {
	t.Helper()
	limit := time.After(patience)
	for {
		select {
		case _, open := <-changes:
			if !open {
				return
			}
		case <-limit:
			t.Fatal("the watch does not end")
		}
	}
}

func testCancelled(t *testing.T, store inventory.Store) {
	must(t, 0, store.Ping(t.Context()))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := store.Apply(ctx, actor, []fleet.Resource{cluster("a", "small")}, inventory.ApplyOptions{})
	wantKind(t, err, fleet.ErrUnavailable)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the cause is lost: %v", err)
	}
	apply(t, store, cluster("a", "small")) // and the store still works
}
