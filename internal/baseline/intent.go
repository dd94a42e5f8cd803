package baseline

import (
	"context"
	"maps"
)

// recordIntent writes down, before anything changes, all that was applied and
// all that will be.
func (r *run) recordIntent(ctx context.Context) error {
	for key, wanted := range r.seen.byKey {
		entry := r.entryOf(wanted)
		if earlier, ok := r.seen.record.entries[key]; ok {
			entry.Adopted, entry.fields = earlier.Adopted, earlier.fields
		}
		r.seen.record.entries[key] = entry
	}
	return r.seen.record.write(ctx, r.cluster.client, r.reference())
}

// recordOutcome writes down, after the last change, what the cluster has.
func (r *run) recordOutcome(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.seen.record.entries, func(key objectKey, _ recordEntry) bool { return r.seen.byKey[key] == nil })
	for key, done := range r.outcomes {
		entry := r.entryOf(r.seen.byKey[key])
		entry.Adopted, entry.fields = done.adopted, done.fields
		r.seen.record.entries[key] = entry
	}
	return r.seen.record.write(ctx, r.cluster.client, r.reference())
}

// recordAdopted writes down at once that an object was there before: nobody
// could tell later.
func (r *run) recordAdopted(ctx context.Context, wanted *wantedObject) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	entry := r.seen.record.entries[wanted.key]
	entry.Adopted = true
	r.seen.record.entries[wanted.key] = entry
	return r.seen.record.write(ctx, r.cluster.client, r.reference())
}

func (r *run) entryOf(wanted *wantedObject) recordEntry {
	kind := wanted.kind()
	return recordEntry{
		Component: wanted.component, Group: kind.Group, Version: kind.Version, Kind: kind.Kind,
		Namespace: wanted.key.namespace, Name: wanted.key.name,
	}
}
