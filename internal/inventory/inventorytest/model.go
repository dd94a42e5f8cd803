package inventorytest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

// model is an inventory as simple as can be: what is there, and every change.
// It shares a store with the models of earlier runs and has names of its own.
type model struct {
	store   inventory.Store
	prefix  string
	from    int64 // newest revision when the model began
	now     map[fleet.Ref]fleet.Resource
	bundles map[string]string // digests by name, for ever
	changes []fleet.Change
	checked int // changes compared with the store already
}

// testModel walks at random over a store and a model side by side and compares
// them after every step.
func testModel(t *testing.T, store inventory.Store) {
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		m := &model{
			store: store, prefix: fmt.Sprintf("run%d-", run), from: revision(t, store),
			now: map[fleet.Ref]fleet.Resource{}, bundles: map[string]string{},
		}
		rt.Repeat(map[string]func(*rapid.T){
			"apply":        m.apply,
			"status":       m.status,
			"delete":       m.delete,
			"replaceOwned": m.replaceOwned,
			"bundle":       m.bundle,
			"readPast":     m.readPast,
			"":             func(rt *rapid.T) { m.compare(t, rt) },
		})
		m.leave(rt)
	})
}

// leave deletes what is there, so that later runs list only their own.
func (m *model) leave(rt *rapid.T) {
	for ref := range m.now {
		if err := m.store.Delete(rt.Context(), actor, ref, nil); err != nil {
			rt.Fatal(err)
		}
	}
}

var modelKinds = []fleet.Kind{fleet.KindCluster, fleet.KindRegion, fleet.KindNode, fleet.KindBaseline}

// change makes a resource what it is after an action, in the model.
func (m *model) change(action string, resource fleet.Resource) {
	ref := resource.Ref()
	entry := fleet.Change{Action: action, Ref: ref, Actor: actor}
	if before, ok := m.now[ref]; ok {
		entry.Before = &before
	}
	if action == "deleted" {
		delete(m.now, ref)
	} else {
		entry.After = &resource
		m.now[ref] = resource
	}
	m.changes = append(m.changes, entry)
}

func (m *model) name(rt *rapid.T) string {
	return m.prefix + rapid.SampledFrom([]string{"a", "b", "c/d", "é"}).Draw(rt, "name")
}

func drawSpec(rt *rapid.T) json.RawMessage {
	return rapid.SampledFrom([]json.RawMessage{nil, json.RawMessage(`{"a":1}`), json.RawMessage(`{"a":2,"b":["<",1.50]}`)}).Draw(rt, "json")
}

func drawLabels(rt *rapid.T) map[string]string {
	return rapid.SampledFrom([]map[string]string{nil, {"x": "1"}, {"x": "2", "y": ""}}).Draw(rt, "labels")
}

func (m *model) draw(rt *rapid.T, kind fleet.Kind, owner string) fleet.Resource {
	return fleet.Resource{
		APIVersion: fleet.APIVersion, Kind: kind, Spec: drawSpec(rt),
		Metadata: fleet.Metadata{Name: m.name(rt), Labels: drawLabels(rt), Owner: owner},
	}
}

// put is Apply's rule for one resource; it returns the outcome.
func (m *model) put(resource fleet.Resource) string {
	before, found := m.now[resource.Ref()]
	resource.Status = before.Status
	switch {
	case !found:
		m.change("created", resource)
		return "created"
	case reflect.DeepEqual(before, resource):
		return "unchanged"
	}
	m.change("updated", resource)
	return "updated"
}

func (m *model) apply(rt *rapid.T) {
	kinds := rapid.SampledFrom([]fleet.Kind{fleet.KindCluster, fleet.KindRegion})
	var resources []fleet.Resource
	for range rapid.IntRange(1, 3).Draw(rt, "count") {
		resource := m.draw(rt, kinds.Draw(rt, "kind"), "")
		if !slices.ContainsFunc(resources, func(r fleet.Resource) bool { return r.Ref() == resource.Ref() }) {
			resources = append(resources, resource)
		}
	}
	dry := rapid.Bool().Draw(rt, "dry")
	outcomes, err := m.store.Apply(rt.Context(), actor, resources, inventory.ApplyOptions{DryRun: dry})
	if err != nil {
		rt.Fatal(err)
	}
	present, past := maps.Clone(m.now), len(m.changes)
	for i, resource := range resources {
		if want := m.put(resource); outcomes[i].Action != want || outcomes[i].Ref != resource.Ref() {
			rt.Errorf("outcome %+v, want %s", outcomes[i], want)
		}
	}
	if dry {
		m.now, m.changes = present, m.changes[:past]
	}
}

// some picks a resource that is there.
func (m *model) some(rt *rapid.T) fleet.Resource {
	if len(m.now) == 0 {
		rt.Skip("nothing is there")
	}
	refs := slices.SortedFunc(maps.Keys(m.now), func(a, b fleet.Ref) int { return cmp.Compare(a.String(), b.String()) })
	return m.now[rapid.SampledFrom(refs).Draw(rt, "resource")]
}

func (m *model) status(rt *rapid.T) {
	resource, status := m.some(rt), drawSpec(rt)
	err := m.store.UpdateStatus(rt.Context(), actor, resource.Ref(), func(current json.RawMessage) (any, error) {
		if !bytes.Equal(current, resource.Status) {
			rt.Errorf("status is %s, want %s", current, resource.Status)
		}
		return status, nil
	})
	if err != nil {
		rt.Fatal(err)
	}
	if !bytes.Equal(status, resource.Status) {
		resource.Status = status
		m.change("status", resource)
	}
}

func (m *model) delete(rt *rapid.T) {
	resource := m.some(rt)
	if err := m.store.Delete(rt.Context(), actor, resource.Ref(), nil); err != nil {
		rt.Fatal(err)
	}
	m.change("deleted", resource)
}

func (m *model) replaceOwned(rt *rapid.T) {
	owner := m.prefix + "owner"
	byName := map[string]fleet.Resource{}
	for range rapid.IntRange(0, 3).Draw(rt, "count") {
		node := m.draw(rt, fleet.KindNode, owner)
		node.Status = drawSpec(rt)
		byName[node.Metadata.Name] = node
	}
	nodes := slices.SortedFunc(maps.Values(byName), func(a, b fleet.Resource) int { return cmp.Compare(a.Metadata.Name, b.Metadata.Name) })
	if err := m.store.ReplaceOwned(rt.Context(), actor, fleet.KindNode, owner, nodes); err != nil {
		rt.Fatal(err)
	}
	for _, node := range nodes {
		before, found := m.now[node.Ref()]
		withOldStatus := node
		withOldStatus.Status = before.Status
		switch {
		case !found:
			m.change("created", node)
		case !reflect.DeepEqual(before, withOldStatus):
			m.change("updated", node)
		case !reflect.DeepEqual(before, node):
			m.change("status", node)
		}
	}
	for _, old := range m.list(fleet.KindNode) {
		if _, kept := byName[old.Metadata.Name]; !kept {
			m.change("deleted", old)
		}
	}
}

func (m *model) bundle(rt *rapid.T) {
	put := bundle(m.name(rt)+"@1.0.0", rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "content"))
	name := put.Resource.Metadata.Name
	outcome, err := m.store.PutBundle(rt.Context(), actor, put, inventory.ApplyOptions{})
	if digest, known := m.bundles[name]; known && digest != put.Digest {
		wantKind(rt, err, fleet.ErrConflict, digest, put.Digest)
		return
	}
	if err != nil {
		rt.Fatal(err)
	}
	m.bundles[name] = put.Digest
	want := "unchanged"
	if _, found := m.now[put.Resource.Ref()]; !found {
		want = "created"
		m.change("created", put.Resource)
	}
	if outcome.Action != want {
		rt.Errorf("outcome %+v, want %s", outcome, want)
	}
}

// list is what the model has of a kind, by name.
func (m *model) list(kind fleet.Kind) []fleet.Resource { return sorted(m.now, kind) }

func sorted(state map[fleet.Ref]fleet.Resource, kind fleet.Kind) []fleet.Resource {
	var all []fleet.Resource
	for ref, resource := range state {
		if ref.Kind == kind {
			all = append(all, resource)
		}
	}
	slices.SortFunc(all, func(a, b fleet.Resource) int { return strings.Compare(a.Metadata.Name, b.Metadata.Name) })
	return all
}
