package inventorytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

func changesOf(t tester, store inventory.Store, query inventory.ChangeQuery) []inventory.RawChange {
	t.Helper()
	changes, err := store.Changes(t.Context(), query)
	return must(t, changes, err)
}

// testHead looks at a store as a whole, empty and grown.
func testHead(t *testing.T, store inventory.Store) {
	head, err := store.Head(t.Context())
	if head = must(t, head, err); head.Revision != 0 || head.Changes != 0 || head.Whole() != nil {
		t.Errorf("an empty store: %+v, %v", head, head.Whole())
	}
	apply(t, store, cluster("a", "small"), cluster("b", "small"))
	apply(t, store, cluster("a", "large"))
	changes := changesOf(t, store, inventory.ChangeQuery{})
	head, err = store.Head(t.Context())
	if head = must(t, head, err); head.Revision != 3 || head.Changes != 3 || !head.At.Equal(changes[2].At) || head.Whole() != nil {
		t.Errorf("%+v, %v", head, head.Whole())
	}
	for name, broken := range map[string]inventory.Head{
		"a change is missing": {Revision: 3, Changes: 2, At: head.At, Newest: head.At}, "one too many": {Revision: 3, Changes: 4, At: head.At, Newest: head.At},
		"another time": {Revision: 3, Changes: 3, At: head.At.Add(time.Second), Newest: head.At}, "no newest": {Revision: 3, Changes: 3, At: head.At},
	} {
		if err := broken.Whole(); !errors.Is(err, fleet.ErrNeedsHuman) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// testLogs notes two logs, one of them twice.
func testLogs(t *testing.T, store inventory.Store) {
	for _, log := range []inventory.NotedLog{{Name: "b", Checkpoint: "b\n1\n"}, {Name: "a", Checkpoint: "a\n1\n— é\n"}, {Name: "b", Checkpoint: "b\n2\n"}} {
		must(t, 0, store.NoteLog(t.Context(), log))
	}
	logs, err := store.Logs(t.Context())
	if want := []inventory.NotedLog{{Name: "a", Checkpoint: "a\n1\n— é\n"}, {Name: "b", Checkpoint: "b\n2\n"}}; !slices.Equal(must(t, logs, err), want) {
		t.Errorf("%q", logs)
	}
	if err := store.NoteLog(t.Context(), inventory.NotedLog{Name: "c"}); !errors.Is(err, fleet.ErrInvalid) {
		t.Errorf("an empty checkpoint: %v", err)
	}
}

// testChanges reads history as it is stored, by kind, page and time.
func testChanges(t *testing.T, store inventory.Store) {
	ref := fleet.Ref{Kind: fleet.KindCluster, Name: "a"}
	apply(t, store, cluster("a", "small"), resource(fleet.KindRegion, "aws/x", fleet.RegionSpec{Profile: "<&é>"}, nil))
	setStatus(t, store, ref, json.RawMessage(`{"nodes": 1.50, "message": "<&>"}`))
	apply(t, store, cluster("a", "large"))
	must(t, 0, store.Delete(t.Context(), actor, ref, nil))

	all := changesOf(t, store, inventory.ChangeQuery{})
	var got []string
	for _, change := range all {
		got = append(got, fmt.Sprint(change.Revision, " ", change.Action, " ", change.Ref, " ", change.Actor))
	}
	want := []string{"1 created Cluster a tester", "2 created Region aws/x tester", "3 status Cluster a tester", "4 updated Cluster a tester", "5 deleted Cluster a tester"}
	if !slices.Equal(got, want) {
		t.Errorf("changes: %q", got)
	}
	if all[4].Document != nil {
		t.Errorf("a document of what was deleted: %s", all[4].Document)
	}
	for i, change := range history(t, store, ref)[:3] {
		raw := all[[]int{0, 2, 3}[i]]
		var stored fleet.Resource
		must(t, 0, json.Unmarshal(raw.Document, &stored))
		if !raw.At.Equal(change.At) || string(stored.Status) != string(change.After.Status) || string(stored.Spec) != string(change.After.Spec) || stored.Metadata.Revision != raw.Revision {
			t.Errorf("revision %d: %s at %v, history has %+v at %v", raw.Revision, raw.Document, raw.At, change.After, change.At)
		}
	}
	// The very bytes, not a translation of them: a digest of them is kept elsewhere.
	if again := changesOf(t, store, inventory.ChangeQuery{After: 1, Limit: 1}); string(again[0].Document) != string(all[1].Document) || len(again) != 1 {
		t.Errorf("read again: %s, at first %s", again[0].Document, all[1].Document)
	}

	revisions := func(query inventory.ChangeQuery) string {
		var numbers []int64
		for _, change := range changesOf(t, store, query) {
			numbers = append(numbers, change.Revision)
		}
		return fmt.Sprint(numbers)
	}
	for _, test := range []struct {
		query inventory.ChangeQuery
		want  string
	}{
		{inventory.ChangeQuery{Kinds: []fleet.Kind{fleet.KindRegion}}, "[2]"},
		{inventory.ChangeQuery{Kinds: []fleet.Kind{fleet.KindNode}}, "[]"},
		{inventory.ChangeQuery{Kinds: []fleet.Kind{fleet.KindRegion, fleet.KindCluster}, After: 1, Limit: 2}, "[2 3]"},
		{inventory.ChangeQuery{After: 4}, "[5]"},
		{inventory.ChangeQuery{After: 5}, "[]"},
		{inventory.ChangeQuery{Until: all[3].At}, "[1 2 3 4]"},
		{inventory.ChangeQuery{Until: all[3].At.Add(-time.Nanosecond)}, "[1 2 3]"},
		{inventory.ChangeQuery{Until: all[0].At.Add(-time.Microsecond)}, "[]"},
		{inventory.ChangeQuery{Until: all[2].At, Kinds: []fleet.Kind{fleet.KindCluster}, After: 1}, "[3]"},
	} {
		if got := revisions(test.query); got != test.want {
			t.Errorf("%+v: %s, want %s", test.query, got, test.want)
		}
	}
}

// testUnless writes only while what the write rests on has not moved.
func testUnless(t *testing.T, store inventory.Store) {
	policies := []fleet.Kind{fleet.KindResidencyPolicy, fleet.KindException}
	policy := func(version string) fleet.Resource {
		return resource(fleet.KindResidencyPolicy, "law", fleet.ResidencyPolicySpec{Version: version}, nil)
	}
	write := func(name string, since int64, kinds ...fleet.Kind) error {
		options := inventory.ApplyOptions{Unless: &inventory.Moved{Kinds: kinds, Since: since}}
		return second(store.Apply(t.Context(), actor, []fleet.Resource{cluster(name, "small")}, options))
	}
	apply(t, store, policy("1"))
	since := revision(t, store)
	must(t, 0, write("a", since, policies...))
	must(t, 0, write("b", since, policies...)) // a cluster is none of these kinds
	wantKind(t, write("c", since), fleet.ErrConflict, "Cluster a")

	apply(t, store, policy("2"))
	wantKind(t, write("c", since, policies...), fleet.ErrConflict, "ResidencyPolicy law", "changed meanwhile")
	since = revision(t, store)
	must(t, 0, write("c", since, policies...))

	must(t, 0, store.Delete(t.Context(), actor, policy("").Ref(), nil))
	wantKind(t, write("d", since, policies...), fleet.ErrConflict, "ResidencyPolicy law")
	_, err := store.Get(t.Context(), fleet.Ref{Kind: fleet.KindCluster, Name: "d"}, inventory.AsOf{})
	wantKind(t, err, fleet.ErrNotFound)
	testUnlessNamed(t, store)
	testUnlessRace(t, store)
	testUnobserved(t, store)
}

// testUnlessNamed looks at one resource only, and deletes as it writes.
func testUnlessNamed(t *testing.T, store inventory.Store) {
	apply(t, store, cluster("x", "small"), cluster("y", "small"))
	since := revision(t, store)
	x := &inventory.Moved{Kinds: []fleet.Kind{fleet.KindCluster}, Name: "x", Since: since}
	apply(t, store, cluster("y", "large"))
	must(t, 0, second(store.Apply(t.Context(), actor, []fleet.Resource{cluster("z", "small")}, inventory.ApplyOptions{Unless: x})))
	apply(t, store, cluster("x", "large"))
	y := fleet.Ref{Kind: fleet.KindCluster, Name: "y"}
	wantKind(t, store.Delete(t.Context(), actor, y, x), fleet.ErrConflict, "Cluster x", "changed meanwhile")
	get(t, store, y)
	must(t, 0, store.Delete(t.Context(), actor, y, &inventory.Moved{Kinds: x.Kinds, Since: revision(t, store)}))
}

// testUnobserved does not mind that a status changes, but that a document does.
func testUnobserved(t *testing.T, store inventory.Store) {
	seen := cluster("seen", "small")
	apply(t, store, seen)
	unless := func(unobserved ...fleet.Kind) inventory.ApplyOptions {
		return inventory.ApplyOptions{Unless: &inventory.Moved{Kinds: []fleet.Kind{fleet.KindCluster}, Unobserved: unobserved, Since: revision(t, store)}}
	}
	write := func(options inventory.ApplyOptions) error {
		return second(store.Apply(t.Context(), actor, []fleet.Resource{resource(fleet.KindNode, "written", nil, nil)}, options))
	}
	observed, unobserved := unless(fleet.KindRegion), unless(fleet.KindCluster)
	setStatus(t, store, seen.Ref(), fleet.ClusterStatus{Nodes: 3})
	wantKind(t, write(observed), fleet.ErrConflict, "Cluster seen", "changed meanwhile")
	must(t, 0, write(unobserved))
	apply(t, store, cluster("seen", "large"))
	wantKind(t, write(unobserved), fleet.ErrConflict, "Cluster seen", "changed meanwhile")
}

// testUnlessRace has many write at once what only one may: each rests on there
// being no node yet.
func testUnlessRace(t *testing.T, store inventory.Store) {
	var group sync.WaitGroup
	var won atomic.Int32
	options := inventory.ApplyOptions{Unless: &inventory.Moved{Kinds: []fleet.Kind{fleet.KindNode}, Since: 0}}
	for i := range 12 {
		group.Go(func() {
			node := resource(fleet.KindNode, fmt.Sprint("node", i), nil, nil)
			switch _, err := store.Apply(t.Context(), actor, []fleet.Resource{node}, options); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, fleet.ErrConflict):
				t.Error(err)
			}
		})
	}
	group.Wait()
	if won.Load() != 1 {
		t.Errorf("%d wrote, want one", won.Load())
	}
}
