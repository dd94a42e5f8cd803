package evidence

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/evidence/pack"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

// comparePage is how many changes are read at once.
const comparePage = 1000

// comparison puts the log beside the inventory.
type comparison struct {
	*verification
	logged map[int64]numbered
	head   int64                // newest revision when the comparison began
	last   map[fleet.Ref]string // digest of what each resource last became; empty: deleted
	by     map[fleet.Ref]int64  // the revision that made it so
	wanted map[fleet.Ref]string // digest of what was last wanted of a restless resource
}

// compare checks every logged change against the inventory's history, and the
// history against what the inventory says is there now.
func (v *verification) compare(ctx context.Context, through int64) error {
	c := &comparison{verification: v, logged: map[int64]numbered{}, last: map[fleet.Ref]string{}, by: map[fleet.Ref]int64{}, wanted: map[fleet.Ref]string{}}
	for _, entry := range v.entries {
		if entry.Type == pack.EntryChange {
			c.logged[entry.Revision] = entry
			through = max(through, entry.Revision)
		}
	}
	var err error
	if c.head, err = v.config.Store.Revision(ctx); err != nil {
		return err
	}
	v.check(func() { err = c.compareChanges(ctx, through) }, fmt.Sprintf("every one of %d logged changes is in the inventory as it was made, and none is there that was not logged", len(c.logged)))
	if err != nil {
		return err
	}
	v.check(func() { err = c.compareCurrent(ctx) }, "what the inventory says is there now is what its last changes made")
	return err
}

// compareChanges walks the history once. What is left of the log has no row.
func (c *comparison) compareChanges(ctx context.Context, through int64) error {
	missing := map[int64]numbered{}
	for revision, entry := range c.logged {
		missing[revision] = entry
	}
	for after := int64(0); ; {
		changes, err := c.config.Store.Changes(ctx, inventory.ChangeQuery{Kinds: Kinds, After: after, Limit: comparePage})
		if err != nil {
			return err
		}
		for _, change := range changes {
			c.compareChange(change, through)
			delete(missing, change.Revision)
			after = change.Revision
		}
		if len(changes) < comparePage {
			break
		}
	}
	left := make([]numbered, 0, len(missing))
	for _, entry := range missing {
		left = append(left, entry)
	}
	slices.SortFunc(left, func(a, b numbered) int { return int(a.Revision - b.Revision) })
	for _, entry := range left {
		c.fault(entry.where(), "the inventory has no such change: it was removed, or turned into another kind's")
	}
	return nil
}

func (c *comparison) compareChange(change inventory.RawChange, through int64) {
	where := fmt.Sprintf("revision %d (%s)", change.Revision, change.Ref)
	if change.Revision > c.head {
		// Written meanwhile, or not by the inventory at all: its head knows.
		if !c.later(change) {
			c.fault(where, "is in the inventory's history beyond its newest revision %d: it was inserted", c.head)
		}
		return
	}
	c.remember(change)
	wanted := c.compareWanted(change)
	entry, found := c.logged[change.Revision]
	switch {
	case found:
		c.compareEntry(entry, change)
	case follows(change) && change.Revision <= through:
		c.fault(where, "is in the inventory, the log has no entry for it: it was inserted behind the log's back")
	case follows(change) && c.Err() != nil:
		c.fault(where, "is not in the log, which takes no more entries")
	case !wanted:
		c.fault(where, "the inventory was changed: a status says what is wanted otherwise than the change the log noted")
	}
}

// compareWanted reports whether a change of a restless resource's status left
// alone what is wanted of it, which the log noted.
func (c *comparison) compareWanted(change inventory.RawChange) bool {
	if !slices.Contains(restless, change.Ref.Kind) {
		return true
	}
	before, wanted := c.wanted[change.Ref], wantedDigest(change.Document)
	if follows(change) {
		c.wanted[change.Ref] = wanted
		return true
	}
	return wanted != "" && wanted == before
}

// wantedDigest is of a document without its status and what every change sets;
// empty for one that is deleted or cannot be read.
func wantedDigest(document []byte) string {
	var resource fleet.Resource
	if document == nil || json.Unmarshal(document, &resource) != nil {
		return ""
	}
	resource.Status, resource.Metadata.Revision, resource.Metadata.UpdatedAt = nil, 0, nil
	encoded, err := pack.Encode(resource)
	if err != nil {
		return ""
	}
	return pack.SHA256(encoded)
}

// later reports whether the inventory has moved on to a change since.
func (c *comparison) later(change inventory.RawChange) bool {
	head, err := c.config.Store.Revision(context.WithoutCancel(c.stopped))
	return err == nil && head >= change.Revision
}

func (c *comparison) compareEntry(entry numbered, change inventory.RawChange) {
	recorded := fleet.Recorded{Revision: change.Revision, At: change.At, Action: change.Action, Ref: change.Ref, Document: change.Document}
	if difference := entry.Differs(recorded); difference != "" {
		c.fault(entry.where(), "the inventory was changed: %s", difference)
	} else if entry.Actor != c.actors.digest(change.Actor) {
		c.fault(entry.where(), "the inventory was changed: it names another actor than the one the log noted")
	}
}

// remember what a change made of a resource. A document that cannot be read is
// found by its digest.
func (c *comparison) remember(change inventory.RawChange) {
	digest := ""
	if change.Document != nil {
		digest = pack.SHA256(change.Document)
	}
	c.last[change.Ref], c.by[change.Ref] = digest, change.Revision
}

// compareCurrent looks at the resources the inventory answers with. Those that
// changed since the history was read are left to the next verification.
func (c *comparison) compareCurrent(ctx context.Context) error {
	listed := map[fleet.Ref]string{}
	var unread []fleet.Kind
	for _, kind := range Kinds {
		resources, err := c.config.Store.List(ctx, kind, inventory.Query{})
		if errors.Is(err, fleet.ErrNeedsHuman) {
			unread = append(unread, kind)
			c.fault(string(kind)+" resources", "what the inventory says is there now cannot be read: %v", err)
			continue
		}
		if err != nil {
			return err
		}
		for _, resource := range resources {
			encoded, err := pack.Encode(resource)
			if err != nil {
				return err
			}
			listed[resource.Ref()] = pack.SHA256(encoded)
		}
	}
	moved, err := c.movedSince(ctx)
	if err != nil {
		return err
	}
	for ref := range listed {
		if _, known := c.last[ref]; !known {
			c.last[ref] = ""
		}
	}
	for _, ref := range sortedRefs(c.last) {
		if moved[ref] || slices.Contains(unread, ref.Kind) {
			continue
		}
		if err := c.compareResource(ctx, ref, c.last[ref], listed[ref]); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparison) compareResource(ctx context.Context, ref fleet.Ref, made, is string) error {
	where := fmt.Sprintf("revision %d (%s)", c.by[ref], ref)
	if c.by[ref] == 0 {
		where = ref.String()
	}
	switch {
	case made == is:
	case made == "":
		c.fault(where, "is in the inventory, but no change put it there")
	case is == "":
		c.fault(where, "is gone from the inventory, but no change removed it")
	default:
		same, err := c.sameResource(ctx, c.by[ref], is)
		if err != nil {
			return err
		}
		if !same {
			c.fault(where, "what the inventory says is there now is not what this last change made of it")
		}
	}
	return nil
}

// sameResource compares a change's document with a resource as this program
// would write it: an older one may have written it otherwise.
func (c *comparison) sameResource(ctx context.Context, revision int64, digest string) (bool, error) {
	changes, err := c.config.Store.Changes(ctx, inventory.ChangeQuery{Kinds: Kinds, After: revision - 1, Limit: 1})
	if err != nil || len(changes) == 0 {
		return false, err
	}
	var made fleet.Resource
	if unreadable := json.Unmarshal(changes[0].Document, &made); unreadable != nil {
		return false, nil //nolint:nilerr // what cannot be read is not the same; that is an answer
	}
	encoded, err := pack.Encode(made)
	return err == nil && pack.SHA256(encoded) == digest, err
}

// movedSince are the resources that changed after the history was read.
func (c *comparison) movedSince(ctx context.Context) (map[fleet.Ref]bool, error) {
	changes, err := c.config.Store.Changes(ctx, inventory.ChangeQuery{Kinds: Kinds, After: c.head})
	if err != nil {
		return nil, err
	}
	head, err := c.config.Store.Revision(ctx)
	moved := map[fleet.Ref]bool{}
	for _, change := range changes {
		moved[change.Ref] = change.Revision <= head
	}
	return moved, err
}

func sortedRefs[V any](of map[fleet.Ref]V) []fleet.Ref {
	refs := make([]fleet.Ref, 0, len(of))
	for ref := range of {
		refs = append(refs, ref)
	}
	slices.SortFunc(refs, func(a, b fleet.Ref) int {
		return strings.Compare(string(a.Kind)+"\x00"+a.Name, string(b.Kind)+"\x00"+b.Name)
	})
	return refs
}
