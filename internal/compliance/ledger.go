package compliance

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

// ledgerKinds are the kinds answers rest on. Decisions are not among them:
// they follow from answers, and are read when they are asked for.
var ledgerKinds = append(slices.Clone(fleet.ResidencyKinds), fleet.KindRegion)

// version is one state of a document, as it was recorded.
type version struct {
	revision int64
	recorded time.Time
	actor    string
	action   string
	ref      fleet.Ref
	document []byte // as stored; nil when it was deleted, and of placements
	deleted  bool
	begins   time.Time // since when it is true; zero: from the beginning
	ends     time.Time // of a placement: when it was no longer there; zero: open
	content  any       // what the document says, by kind; see read
	fault    error     // why it cannot be read
}

// ledger has every version of every document of ledgerKinds that the
// inventory recorded. It only grows, so a reader who remembers a revision sees
// what was there then for as long as it likes.
type ledger struct {
	refreshing sync.Mutex // one reader of the inventory at a time

	mutex    sync.RWMutex
	revision int64     // up to which all is here
	recorded time.Time // of the newest version
	records  map[fleet.Ref]*record
	kinds    map[fleet.Kind]*shelf
	subjects map[fleet.Ref][]fleet.Ref // placements and exceptions that ever were about a subject
}

// record is all that was recorded of one document, the earliest first.
type record struct {
	ref      fleet.Ref
	versions []*version
}

// shelf has the records of a kind.
type shelf struct {
	records []*record
	sorted  bool // by name
}

func newLedger() *ledger {
	return &ledger{records: map[fleet.Ref]*record{}, kinds: map[fleet.Kind]*shelf{}, subjects: map[fleet.Ref][]fleet.Ref{}}
}

// page is how many changes are read at a time.
const page = 2000

// refresh reads what was recorded since the last time and returns the revision
// everything up to which is known.
func (l *ledger) refresh(ctx context.Context, store inventory.Store) (int64, error) {
	l.refreshing.Lock()
	defer l.refreshing.Unlock()
	newest, err := store.Revision(ctx)
	if err != nil {
		return 0, err
	}
	for after := l.revision; after < newest; {
		changes, err := store.Changes(ctx, inventory.ChangeQuery{Kinds: ledgerKinds, After: after, Limit: page})
		if err != nil {
			return 0, err
		}
		if after = newest; len(changes) == page {
			after = changes[page-1].Revision
		}
		l.add(changes, after)
	}
	return l.revision, nil
}

// add appends changes, up to which the ledger then is complete. A change of
// status says nothing new but of exceptions, whose approvals stand there.
func (l *ledger) add(changes []inventory.RawChange, complete int64) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for _, change := range changes {
		complete = max(complete, change.Revision)
		l.recorded = change.At
		if change.Action == "status" && change.Ref.Kind != fleet.KindException {
			continue
		}
		of := l.record(change.Ref)
		next := read(change, len(of.versions) == 0)
		l.index(next, of.versions)
		of.versions = append(of.versions, next)
	}
	l.revision = complete
}

// record finds the record of a document, or begins one.
func (l *ledger) record(ref fleet.Ref) *record {
	found := l.records[ref]
	if found == nil {
		found = &record{ref: ref}
		l.records[ref] = found
		kind := l.kinds[ref.Kind]
		if kind == nil {
			kind = &shelf{}
			l.kinds[ref.Kind] = kind
		}
		kind.records, kind.sorted = append(kind.records, found), false
	}
	return found
}

// index notes what placements and exceptions are about, each once. One that
// comes to be about something else is noted there, too, and readers look which
// it is.
func (l *ledger) index(next *version, past []*version) {
	subject, ok := next.subject()
	if !ok {
		return
	}
	for i := len(past) - 1; i >= 0; i-- {
		if before, ok := past[i].subject(); ok && before == subject {
			return
		}
	}
	l.subjects[subject] = append(l.subjects[subject], next.ref)
}

// of returns the versions of a document, as recorded, the earliest first. The
// slice is not changed later.
func (l *ledger) of(ref fleet.Ref) []*version {
	l.mutex.RLock()
	defer l.mutex.RUnlock()
	if found := l.records[ref]; found != nil {
		return found.versions
	}
	return nil
}

// versions of a record, as of returns them.
func (l *ledger) versions(of *record) []*version {
	l.mutex.RLock()
	defer l.mutex.RUnlock()
	return of.versions
}

// all returns the records of a kind, by name. The slice is not changed later.
func (l *ledger) all(kind fleet.Kind) []*record {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	of := l.kinds[kind]
	if of == nil {
		return nil
	}
	if !of.sorted {
		of.records = slices.Clone(of.records)
		slices.SortFunc(of.records, func(a, b *record) int { return strings.Compare(a.ref.Name, b.ref.Name) })
		of.sorted = true
	}
	return of.records
}

// about lists the placements and exceptions that ever were about a subject.
func (l *ledger) about(subject fleet.Ref) []fleet.Ref {
	l.mutex.RLock()
	defer l.mutex.RUnlock()
	return l.subjects[subject]
}

// head is the revision up to which all is here, and when it was recorded.
func (l *ledger) head() (int64, time.Time) {
	l.mutex.RLock()
	defer l.mutex.RUnlock()
	return l.revision, l.recorded
}
