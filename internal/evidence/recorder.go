package evidence

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/meridian-fleet/meridian/internal/evidence/pack"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

// retryAfter is how long the recorder waits when inventory or disk do not answer.
const retryAfter = time.Second

// catchUpWithin is how long Verify and Export wait for the recorder.
const catchUpWithin = 30 * time.Second

// progress is how far the recorder is, for whoever waits for it.
type progress struct {
	mutex   sync.Mutex
	through int64         // every change up to this revision is in the log
	moved   chan struct{} // closed when through changes
	poke    chan struct{} // asks for a look at the inventory
	ended   chan struct{} // closed when the recorder has to end
	once    sync.Once
}

func (p *progress) init(through int64) {
	p.through, p.moved = through, make(chan struct{})
	p.poke, p.ended = make(chan struct{}, 1), make(chan struct{})
}

func (p *progress) set(through int64) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if through > p.through {
		p.through = through
		close(p.moved)
		p.moved = make(chan struct{})
	}
}

func (p *progress) get() (through int64, moved <-chan struct{}) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.through, p.moved
}

func (p *progress) end() {
	if p.ended != nil {
		p.once.Do(func() { close(p.ended) })
	}
}

// record appends an entry for each change after a revision, until the log is
// closed or broken. It is the only one that does, one group after the other,
// and after a failure reads from the log itself how far it came: so each
// change is there once, whenever the process ends.
func (l *Log) record(ctx context.Context, after int64) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-l.progress.ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	var events <-chan fleet.Change
	for l.Err() == nil && ctx.Err() == nil {
		err := l.catch(ctx, &after)
		if err == nil && events == nil {
			events, err = l.config.Store.Watch(ctx, Kinds, after)
		}
		if err != nil && ctx.Err() == nil {
			l.logger.Warn("the evidence log is behind the inventory", "error", err, "revision", after)
		}
		events = l.pause(ctx, events, after, err != nil)
	}
}

// pause waits until there may be something to record. It returns the events,
// or none when they have to be asked for anew.
func (l *Log) pause(ctx context.Context, events <-chan fleet.Change, after int64, failed bool) <-chan fleet.Change {
	var retry <-chan time.Time
	if failed {
		timer := time.NewTimer(retryAfter)
		defer timer.Stop()
		retry = timer.C
	}
	for {
		select {
		case <-ctx.Done():
			return events
		case <-retry:
			return events
		case <-l.progress.poke:
			return events
		case change, open := <-events:
			if !open {
				return nil
			}
			if change.Revision > after { // not one recorded already
				return events
			}
		}
	}
}

// catch records all there is after a revision, and moves it.
func (l *Log) catch(ctx context.Context, after *int64) error {
	for {
		head, err := l.config.Store.Revision(ctx)
		if err != nil {
			return err
		}
		changes, err := l.config.Store.Changes(ctx, inventory.ChangeQuery{Kinds: Kinds, After: *after, Limit: batchSize})
		if err != nil {
			return err
		}
		full := len(changes) == batchSize
		for len(changes) > 0 && changes[len(changes)-1].Revision > head {
			changes, full = changes[:len(changes)-1], false // committed after head was read, or not by the inventory at all
		}
		if err := l.recordAll(ctx, changes); err != nil {
			return l.reread(ctx, after, err)
		}
		if !full {
			*after = max(*after, head)
			l.progress.set(head)
			return nil
		}
		*after = changes[len(changes)-1].Revision
		l.progress.set(*after)
	}
}

// reread finds out how far a failed append came.
func (l *Log) reread(ctx context.Context, after *int64, cause error) error {
	if l.Err() != nil || ctx.Err() != nil {
		return cause
	}
	l.appending.Lock()
	defer l.appending.Unlock()
	revision, err := l.position(ctx)
	if err != nil {
		if errors.Is(err, fleet.ErrNeedsHuman) {
			l.fail(err)
		}
		return err
	}
	*after = max(*after, revision)
	return cause
}

func (l *Log) recordAll(ctx context.Context, changes []inventory.RawChange) error {
	var entries [][]byte
	for _, change := range changes {
		if !follows(change) {
			continue
		}
		entry, err := l.entryOf(change).Marshal()
		if err != nil {
			return err
		}
		entries = append(entries, entry)
	}
	if len(entries) == 0 {
		return nil
	}
	// The appender is not left before it is done: whether it was is what the
	// next life would have to find out.
	_, err := l.add(context.WithoutCancel(ctx), entries)
	return err
}

// entryOf is the entry of a change.
func (l *Log) entryOf(change inventory.RawChange) pack.Entry {
	entry := pack.Entry{
		Format: pack.EntryFormat, Type: pack.EntryChange, RecordedAt: change.At.UTC(), Revision: change.Revision,
		Kind: change.Ref.Kind, Name: change.Ref.Name, Action: change.Action, Actor: l.actors.digest(change.Actor),
	}
	if change.Document != nil {
		entry.Document = pack.SHA256(change.Document)
	}
	return entry
}

// catchUp waits until every change recorded by now is in the log.
func (l *Log) catchUp(ctx context.Context) error {
	if err := l.Err(); err != nil {
		return err
	}
	head, err := l.config.Store.Revision(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, catchUpWithin)
	defer cancel()
	for {
		through, moved := l.progress.get()
		if through >= head {
			return nil
		}
		select {
		case l.progress.poke <- struct{}{}:
		default:
		}
		select {
		case <-moved:
		case <-l.stopped.Done():
			return l.closedFault()
		case <-ctx.Done():
			return fleet.Errorf(fleet.ErrUnavailable, "is at revision %d of %d: %w", through, head, ctx.Err()).On("evidence log")
		}
	}
}
