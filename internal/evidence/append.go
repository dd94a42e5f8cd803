package evidence

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	formats "github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/tessera"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// publishedPoll is how often a published checkpoint is looked for.
const publishedPoll = 10 * time.Millisecond

// add appends entries, at most batchSize, in their order and durably, and
// returns the number of the first. When it fails, some may be in the log.
func (l *Log) add(ctx context.Context, entries [][]byte) (uint64, error) {
	l.appending.Lock()
	defer l.appending.Unlock()
	if err := l.writable(); err != nil {
		return 0, err
	}
	futures := make([]tessera.IndexFuture, 0, len(entries))
	for _, entry := range entries {
		futures = append(futures, l.appender.Add(l.stopped, tessera.NewEntry(entry)))
	}
	indexes, err := l.await(ctx, futures)
	if err != nil {
		return 0, err
	}
	first := l.next
	for i, index := range indexes {
		if index != first+uint64(i) { //nolint:gosec // a place in a slice
			err := fleet.Errorf(fleet.ErrNeedsHuman, "entry %d became number %d: the log's files were changed", first+uint64(i), index). //nolint:gosec // as above
																			On("evidence log").Advise("verify the log")
			l.fail(err)
			return 0, err
		}
	}
	l.next += uint64(len(indexes))
	return first, nil
}

// writable looks at what Tessera needs and would not survive missing.
func (l *Log) writable() error {
	if err := l.Err(); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(l.files.Root, ".state", "treeState")); err != nil {
		err := fleet.Errorf(fleet.ErrNeedsHuman, "the log's files are gone: %w", err).On("evidence log").Advise("restore them from a backup")
		l.fail(err)
		return err
	}
	return nil
}

// await resolves futures. They never resolve once the appender has stopped, so
// nobody waits for them then.
func (l *Log) await(ctx context.Context, futures []tessera.IndexFuture) ([]uint64, error) {
	type outcome struct {
		indexes []uint64
		err     error
	}
	done := make(chan outcome, 1)
	go func() {
		var all outcome
		for _, future := range futures {
			index, err := future()
			all.indexes, all.err = append(all.indexes, index.Index), errors.Join(all.err, err)
		}
		done <- all
	}()
	select {
	case all := <-done:
		if all.err != nil {
			return nil, fleet.Errorf(fleet.ErrUnavailable, "append: %w", all.err).On("evidence log")
		}
		return all.indexes, nil
	case <-l.stopped.Done():
		return nil, l.closedFault()
	case <-ctx.Done():
		return nil, fleet.Errorf(fleet.ErrUnavailable, "append: %w", ctx.Err()).On("evidence log")
	}
}

func (l *Log) closedFault() error {
	if err := l.Err(); err != nil {
		return err
	}
	return fleet.Errorf(fleet.ErrUnavailable, "is closed").On("evidence log")
}

// published waits for a witnessed checkpoint over at least so many entries.
func (l *Log) published(ctx context.Context, size uint64) (string, formats.Checkpoint, error) {
	poll := time.NewTicker(publishedPoll)
	defer poll.Stop()
	for {
		raw, err := l.files.ReadCheckpoint(ctx)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", formats.Checkpoint{}, fleet.Errorf(fleet.ErrUnavailable, "%w", err).On("evidence log")
		}
		if err == nil {
			checkpoint, err := l.keys.Open(string(raw))
			if err != nil {
				return "", checkpoint, fleet.Errorf(fleet.ErrNeedsHuman, "%w", err).On("checkpoint").Advise("verify the log")
			}
			if checkpoint.Size >= size {
				return string(raw), checkpoint, nil
			}
		}
		select {
		case <-poll.C:
		case <-l.stopped.Done():
			return "", formats.Checkpoint{}, l.closedFault()
		case <-ctx.Done():
			return "", formats.Checkpoint{}, fleet.Errorf(fleet.ErrUnavailable, "no witnessed checkpoint over %d entries yet: %w", size, ctx.Err()).On("evidence log")
		}
	}
}
