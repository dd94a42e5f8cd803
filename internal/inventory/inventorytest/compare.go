package inventorytest

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

// compare reads from the store what the model has changed since last time, and
// what both have now.
func (m *model) compare(t *testing.T, rt *rapid.T) {
	m.compareChanges(t, rt)
	for _, kind := range modelKinds {
		m.compareList(rt, kind, time.Time{}, m.list(kind))
	}
}

// compareChanges watches the store's changes and completes the model's with
// the revisions and times the store gave them.
func (m *model) compareChanges(t *testing.T, rt *rapid.T) {
	if got, want := revision(t, m.store), m.from+int64(len(m.changes)); got != want {
		rt.Fatalf("revision %d, want %d", got, want)
	}
	if m.checked == len(m.changes) {
		return
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream, err := m.store.Watch(ctx, nil, m.from+int64(m.checked))
	if err != nil {
		rt.Fatal(err)
	}
	for _, got := range receive(rt, stream, len(m.changes)-m.checked) {
		want := &m.changes[m.checked]
		if got.Revision != m.from+int64(m.checked)+1 {
			rt.Errorf("revision %d at place %d", got.Revision, m.checked)
		}
		if m.checked > 0 && got.At.Before(m.changes[m.checked-1].At) {
			rt.Errorf("time goes back at revision %d", got.Revision)
		}
		if got.After != nil && !got.After.Metadata.UpdatedAt.Equal(got.At) {
			rt.Errorf("updated at %v, recorded at %v", got.After.Metadata.UpdatedAt, got.At)
		}
		want.Revision, want.At = got.Revision, got.At
		if g, w := plain(rt, got), plain(rt, *want); g != w {
			rt.Errorf("change %s\nwant   %s", g, w)
		}
		m.checked++
	}
}

func (m *model) compareList(rt *rapid.T, kind fleet.Kind, at time.Time, want []fleet.Resource) {
	all, err := m.store.List(rt.Context(), kind, inventory.Query{AsOf: inventory.AsOf(at)})
	if err != nil {
		rt.Fatal(err)
	}
	var got []fleet.Resource
	for _, resource := range all {
		if strings.HasPrefix(resource.Metadata.Name, m.prefix) {
			got = append(got, resource)
		}
	}
	if g, w := plain(rt, got), plain(rt, want); g != w {
		rt.Errorf("%s at %v: %s\nwant %s", kind, at, g, w)
	}
}

// readPast compares everything as of the time of some change, and one
// resource's history.
func (m *model) readPast(rt *rapid.T) {
	if m.checked == 0 {
		rt.Skip("no past")
	}
	some := m.changes[rapid.IntRange(0, m.checked-1).Draw(rt, "change")]
	at := some.At.Add(rapid.SampledFrom([]time.Duration{-time.Microsecond, 0}).Draw(rt, "offset"))
	state := map[fleet.Ref]fleet.Resource{}
	var past []fleet.Change
	for _, change := range m.changes {
		if change.Ref == some.Ref {
			past = append(past, change)
		}
		switch {
		case change.At.After(at):
		case change.After == nil:
			delete(state, change.Ref)
		default:
			state[change.Ref] = *change.After
		}
	}
	for _, kind := range modelKinds {
		m.compareList(rt, kind, at, sorted(state, kind))
	}
	got, err := m.store.Get(rt.Context(), some.Ref, inventory.AsOf(at))
	if want, there := state[some.Ref]; !there {
		wantKind(rt, err, fleet.ErrNotFound)
	} else if g, w := plain(rt, got), plain(rt, want); g != w {
		rt.Errorf("%s at %v: %s\nwant %s", some.Ref, at, g, w)
	}
	if g, w := plain(rt, history(rt, m.store, some.Ref)), plain(rt, past); g != w {
		rt.Errorf("history %s\nwant    %s", g, w)
	}
}

// plain is a value without what only the store can know, as text.
func plain[T any](rt *rapid.T, value T) string {
	raw, err := json.Marshal(value)
	if err != nil {
		rt.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		rt.Fatal(err)
	}
	dropSet(tree)
	raw, _ = json.Marshal(tree) // came from JSON
	return string(raw)
}

// dropSet removes the metadata the store sets.
func dropSet(tree any) {
	switch node := tree.(type) {
	case []any:
		for _, element := range node {
			dropSet(element)
		}
	case map[string]any:
		if metadata, ok := node["metadata"].(map[string]any); ok {
			delete(metadata, "revision")
			delete(metadata, "createdAt")
			delete(metadata, "updatedAt")
		}
		for _, element := range node {
			dropSet(element)
		}
	}
}
