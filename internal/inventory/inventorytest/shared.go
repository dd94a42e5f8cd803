package inventorytest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

func testReopen(t *testing.T, open func(t *testing.T) inventory.Store) {
	ref := fleet.Ref{Kind: fleet.KindCluster, Name: "kept"}
	first := open(t)
	apply(t, first, cluster("kept", "small"))
	setStatus(t, first, ref, fleet.ClusterStatus{Nodes: 3})
	must(t, 0, second(first.PutBundle(t.Context(), actor, bundle("kept@1.0.0", "content"), inventory.ApplyOptions{})))
	before, past, newest := get(t, first, ref), history(t, first, ref), revision(t, first)
	must(t, 0, first.Close())

	again := open(t)
	if after := get(t, again, ref); string(after.Status) != string(before.Status) || after.Metadata.Revision != before.Metadata.Revision {
		t.Errorf("was %+v, is %+v", before, after)
	}
	if after := history(t, again, ref); len(after) != len(past) || revision(t, again) != newest {
		t.Errorf("history was %+v, is %+v", past, after)
	}
	kept, err := again.Bundle(t.Context(), "kept@1.0.0")
	if must(t, kept, err); string(kept.Content) != "content" {
		t.Errorf("bundle: %q", kept.Content)
	}
	apply(t, again, cluster("kept", "large"))
	if changes := history(t, again, ref); !changes[2].At.After(changes[1].At) {
		t.Errorf("time went back: %v, %v", changes[1].At, changes[2].At)
	}
}

// testWriters has three processes write at once while a fourth watches: no
// write fails or is lost, and the watch sees every revision once and in order.
func testWriters(t *testing.T, open func(t *testing.T) inventory.Store) {
	watching := open(t)
	apply(t, watching, cluster("counted", "small"))
	from := revision(t, watching)
	changes, err := watching.Watch(t.Context(), nil, from)
	must(t, 0, err)
	const processes, writers, rounds = 3, 4, 5
	var group sync.WaitGroup
	for process := range processes {
		store := open(t)
		for writer := range writers {
			group.Go(func() {
				for round := range rounds {
					name := fmt.Sprintf("c%d-%d-%d", process, writer, round)
					_, err := store.Apply(t.Context(), actor, []fleet.Resource{cluster(name, "small")}, inventory.ApplyOptions{})
					if err := errors.Join(err, count(t, store, "counted")); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	got := receive(t, changes, processes*writers*rounds*2)
	group.Wait()
	for i, change := range got {
		if change.Revision != from+int64(i)+1 {
			t.Fatalf("change %d has revision %d after %d", i, change.Revision, from)
		}
		if i > 0 && !change.At.After(got[i-1].At) {
			t.Fatalf("change %d at %v, the one before at %v", i, change.At, got[i-1].At)
		}
	}
	status := must2(t, get(t, watching, fleet.Ref{Kind: fleet.KindCluster, Name: "counted"}), fleet.StatusOf[fleet.ClusterStatus])
	if status.Nodes != processes*writers*rounds {
		t.Errorf("%d of %d updates are left", status.Nodes, processes*writers*rounds)
	}
}

func testWatchOther(t *testing.T, open func(t *testing.T) inventory.Store) {
	here, there := open(t), open(t)
	changes, err := here.Watch(t.Context(), []fleet.Kind{fleet.KindRegion}, -1)
	must(t, 0, err)
	apply(t, there, cluster("other-kind", "small"), resource(fleet.KindRegion, "aws/there", fleet.RegionSpec{Profile: "small"}, nil))
	if change := receive(t, changes, 1)[0]; change.Ref.Name != "aws/there" {
		t.Errorf("got %v", change.Ref)
	}
}
