package compliance

import (
	"context"
	"slices"
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
	versions map[fleet.Ref][]*version
	names    map[fleet.Kind][]string   // in the order they first appeared
	subjects map[fleet.Ref][]fleet.Ref // placements and exceptions that ever were about a subject
}

func newLedger() *ledger {
	return &ledger{versions: map[fleet.Ref][]*version{}, names: map[fleet.Kind][]string{}, subjects: map[fleet.Ref][]fleet.Ref{}}
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
		past := l.versions[change.Ref]
		next := read(change, len(past) == 0)
		if len(past) == 0 {
			l.names[change.Ref.Kind] = append(l.names[change.Ref.Kind], change.Ref.Name)
		}
		l.versions[change.Ref] = append(past, next)
		l.index(next, past)
	}
	l.revision = complete
}

// index notes what placements and exceptions are about. One that comes to be
// about something else is noted again, and readers look which it is.
func (l *ledger) index(next *version, past []*version) {
	subject, ok := next.subject()
	if !ok {
		return
	}
	if len(past) > 0 {
		if before, ok := past[len(past)-1].subject(); ok && before == subject {
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
	return l.versions[ref]
}

// namesOf lists the names documents of a kind ever had.
func (l *ledger) namesOf(kind fleet.Kind) []string {
	l.mutex.RLock()
	defer l.mutex.RUnlock()
	return l.names[kind]
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
