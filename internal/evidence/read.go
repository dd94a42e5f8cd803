package evidence

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"os"
	"path/filepath"

	formats "github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/api/layout"

	"github.com/meridian-fleet/meridian/internal/evidence/pack"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// tree is what Tessera last integrated, published or not.
type tree struct {
	Size uint64 `json:"size"`
	Root []byte `json:"root"`
}

// integrated reads the tree's state; ok is false when there is no log yet.
func (l *Log) integrated() (state tree, ok bool, err error) {
	content, err := os.ReadFile(filepath.Join(l.files.Root, ".state", "treeState"))
	if errors.Is(err, os.ErrNotExist) {
		return tree{}, false, nil
	}
	if err == nil {
		err = json.Unmarshal(content, &state)
	}
	if err != nil {
		return tree{}, false, fleet.Errorf(fleet.ErrNeedsHuman, "the tree's state cannot be read: %w", err).On("evidence log")
	}
	return state, true, nil
}

// plausible compares the tree with what the witness last saw, before anything
// is added. A tree can be ahead of the witness, never behind.
func (l *Log) plausible() error {
	state, exists, err := l.integrated()
	if err != nil {
		return err
	}
	seen, any := l.kept.newest()
	const advice = "verify the log; restore it and the witness's folder from a backup, or begin a new log elsewhere"
	switch {
	case !any && exists && state.Size > 0:
		return fleet.Errorf(fleet.ErrNeedsHuman, "the witness's checkpoints are gone").On("evidence log").Advise(advice)
	case seen.Size > state.Size:
		return fleet.Errorf(fleet.ErrNeedsHuman, "the witness saw %d entries, there are %d: the log was cut off", seen.Size, state.Size).On("evidence log").Advise(advice)
	case any && exists && seen.Size == state.Size && !bytes.Equal(seen.Hash, state.Root):
		return fleet.Errorf(fleet.ErrNeedsHuman, "the witness saw other entries than there are: the log was rewritten").On("evidence log").Advise(advice)
	}
	raw, err := l.files.ReadCheckpoint(l.stopped)
	var published formats.Checkpoint
	if err == nil {
		_, err = published.Unmarshal(raw)
	}
	switch {
	case errors.Is(err, os.ErrNotExist) && !exists:
		return nil
	case err != nil:
		return fleet.Errorf(fleet.ErrNeedsHuman, "the checkpoint cannot be read: %w", err).On("evidence log").Advise(advice)
	case published.Size > seen.Size:
		return fleet.Errorf(fleet.ErrNeedsHuman, "the checkpoint is over %d entries, the witness saw %d: its checkpoints were removed", published.Size, seen.Size).On("evidence log").Advise(advice)
	}
	return nil
}

// position finds the last change the log has, from the log itself, and checks
// that the inventory has it, too.
func (l *Log) position(ctx context.Context) (revision int64, err error) {
	state, _, err := l.integrated()
	if err != nil {
		return 0, err
	}
	l.next = state.Size
	revision, err = l.lastRevision(ctx, state.Size)
	if err != nil {
		return 0, err
	}
	head, err := l.config.Store.Revision(ctx)
	if err == nil && head < revision {
		err = fleet.Errorf(fleet.ErrNeedsHuman, "the log has revision %d, the inventory ends at %d: it was cut off, or is another", revision, head).
			On("evidence log").Advise("restore the inventory, or begin a new log elsewhere")
	}
	return revision, err
}

// lastRevision goes back from the end of the log to the last entry of a change.
func (l *Log) lastRevision(ctx context.Context, size uint64) (int64, error) {
	for end := size; end > 0; {
		begin := (end - 1) / layout.EntryBundleWidth * layout.EntryBundleWidth
		var last int64
		for raw, err := range l.entries(ctx, begin, end, size) {
			if err != nil {
				return 0, err
			}
			entry, err := pack.ParseEntry(raw)
			if err != nil {
				return 0, fleet.Errorf(fleet.ErrNeedsHuman, "an entry from number %d on: %w", begin, err).On("evidence log").Advise("verify the log")
			}
			last = max(last, entry.Revision)
		}
		if last > 0 {
			return last, nil
		}
		end = begin
	}
	return 0, nil
}

// entries reads the entries [begin, end) of a tree of some size, as stored.
// After an error there is nothing more.
func (l *Log) entries(ctx context.Context, begin, end, size uint64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for begin < end {
			bundle, err := l.bundle(ctx, begin/layout.EntryBundleWidth, size)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, entry := range bundle[begin%layout.EntryBundleWidth:] {
				if begin == end || !yield(entry, nil) {
					return
				}
				begin++
			}
		}
	}
}

// bundle reads one bundle with all the entries a tree of some size has in it. A
// file that is not full by then may have more.
func (l *Log) bundle(ctx context.Context, index, size uint64) ([][]byte, error) {
	partial := layout.PartialTileSize(0, index, size)
	content, err := l.files.ReadEntryBundle(ctx, index, partial)
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrNeedsHuman, "%w", err).On("evidence log")
	}
	wanted := int(partial)
	if wanted == 0 {
		wanted = layout.EntryBundleWidth
	}
	var parsed api.EntryBundle
	if err := parsed.UnmarshalText(content); err != nil {
		return nil, fleet.Errorf(fleet.ErrNeedsHuman, "the file cannot be taken apart: %w", err).On("evidence log")
	}
	if len(parsed.Entries) < wanted || partial == 0 && len(parsed.Entries) > wanted {
		return nil, fleet.Errorf(fleet.ErrNeedsHuman, "the file has %d entries, not %d", len(parsed.Entries), wanted).On("evidence log")
	}
	return parsed.Entries[:wanted], nil
}
