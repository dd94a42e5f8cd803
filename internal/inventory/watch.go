package inventory

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// pollInterval is how late a watch may learn of another process's change when
// the database does not tell.
const pollInterval = 500 * time.Millisecond

// watchBatch is how many changes a watch reads at a time.
const watchBatch = 256

// broadcast wakes everyone who waits.
type broadcast struct {
	mutex sync.Mutex
	next  chan struct{}
}

func newBroadcast() *broadcast { return &broadcast{next: make(chan struct{})} }

// wait returns a channel that is closed at the next call of all.
func (b *broadcast) wait() <-chan struct{} {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.next
}

func (b *broadcast) all() {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	close(b.next)
	b.next = make(chan struct{})
}

// watch is one reader's place in the row of changes.
type watch struct {
	*database
	kinds []fleet.Kind
	after int64
	to    chan<- fleet.Change
}

// Watch implements Store. A watch holds no changes in memory beyond one batch:
// a slow reader only stays behind. A database that does not answer is asked
// again.
func (d *database) Watch(ctx context.Context, kinds []fleet.Kind, after int64) (<-chan fleet.Change, error) {
	if d.stopped.Err() != nil {
		return nil, closedFault()
	}
	if after < 0 {
		revision, err := d.Revision(ctx)
		if err != nil {
			return nil, err
		}
		after = revision
	}
	d.startListening()
	changes := make(chan fleet.Change)
	w := &watch{database: d, kinds: slices.Clone(kinds), after: after, to: changes}
	ctx, cancel := context.WithCancel(ctx)
	unlink := context.AfterFunc(d.stopped, cancel)
	launched := d.launch(func() {
		defer close(changes)
		defer cancel()
		defer unlink()
		w.run(ctx)
	})
	if !launched {
		cancel()
		unlink()
		return nil, closedFault()
	}
	return changes, nil
}

func closedFault() error { return fleet.Errorf(fleet.ErrUnavailable, "the inventory is closed") }

// startListening begins to hear of other processes' changes, once.
func (d *database) startListening() {
	if d.dialect.listen == nil {
		return
	}
	d.listen.Do(func() {
		d.launch(func() { d.dialect.listen(d.stopped, d.wake.all) })
	})
}

func (w *watch) run(ctx context.Context) {
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for ctx.Err() == nil {
		woken := w.wake.wait() // before reading, so that nothing falls between
		if more := w.read(ctx); more {
			continue
		}
		select {
		case <-woken:
		case <-poll.C:
		case <-ctx.Done():
		}
	}
}

// read sends the next batch and reports whether there may be more. A batch
// that is not full moves the watch past changes of other kinds, up to the
// revision that was newest before it was read.
func (w *watch) read(ctx context.Context) (more bool) {
	newest, err := w.Revision(ctx)
	if err != nil || newest <= w.after {
		return false
	}
	batch, err := w.changesAfter(ctx, w.kinds, w.after, watchBatch)
	if err != nil {
		return false
	}
	for _, change := range batch {
		select {
		case w.to <- change:
			w.after = change.Revision
		case <-ctx.Done():
			return false
		}
	}
	if len(batch) < watchBatch {
		w.after = max(w.after, newest)
		return false
	}
	return true
}
