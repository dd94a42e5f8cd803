package evidence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	formats "github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api/layout"

	"github.com/meridian-fleet/meridian/internal/evidence/pack"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Verify compares the log with itself, with every checkpoint kept and with the
// inventory. What is wrong is a fault in the report; the error is about what
// could not be read now (ErrUnavailable).
func (l *Log) Verify(ctx context.Context) (fleet.EvidenceReport, error) {
	v, err := l.verified(ctx)
	if err != nil {
		return fleet.EvidenceReport{}, err
	}
	return v.report, nil
}

// verified runs a verification.
func (l *Log) verified(ctx context.Context) (*verification, error) {
	v := &verification{Log: l}
	if err := l.catchUp(ctx); err != nil && l.Err() == nil {
		return nil, err
	}
	through, _ := l.progress.get()
	v.report.Details = map[string]string{
		pack.DetailLogKey: l.key.public, pack.DetailLogFingerprint: pack.Fingerprint(l.key.public),
		pack.DetailWitnessKey: l.witnessKey, pack.DetailWitnessFingerprint: pack.Fingerprint(l.witnessKey),
	}
	if err := l.settled(ctx); err != nil && l.Err() == nil {
		return nil, err
	}
	if err := v.look(ctx); err != nil {
		return nil, err
	}
	v.check(v.checkKept, "every checkpoint kept is signed by the log and cosigned by the witness")
	v.check(v.checkHead, "the inventory's history has no gap, and the log is the one it noted")
	v.check(v.checkPublished, "the newest checkpoint is signed and cosigned, and not older than one seen before")
	v.check(func() { v.checkTree(ctx) }, "all entries, as stored, make the trees of all checkpoints kept")
	v.check(v.checkSuperseded, "the files of earlier sizes of the log are the beginnings of those there are now")
	v.check(v.checkEntries, "every entry is well-formed, and revisions rise")
	if err := v.compare(ctx, through); err != nil {
		return nil, err
	}
	if err := l.Err(); err != nil && len(v.report.Faults) == 0 {
		v.fault("log", "%v", err)
	}
	v.report.Intact = len(v.report.Faults) == 0
	return v, nil
}

// settled waits until all that is in the tree is under a checkpoint.
func (l *Log) settled(ctx context.Context) error {
	if err := l.Err(); err != nil {
		return err
	}
	l.appending.Lock()
	size := l.next
	l.appending.Unlock()
	ctx, cancel := context.WithTimeout(ctx, catchUpWithin)
	defer cancel()
	state, ok, err := l.integrated()
	if err != nil || !ok || state.Size < size {
		return nil //nolint:nilerr // the log was changed: let Verify say where
	}
	_, _, err = l.published(ctx, size)
	if errors.Is(err, fleet.ErrNeedsHuman) {
		return nil
	}
	return err
}

// verification is one run.
type verification struct {
	*Log
	report  fleet.EvidenceReport
	seen    seen
	kept    []formats.Checkpoint // that open, with sizes rising
	newest  formats.Checkpoint   // what the entries have to make
	entries []numbered
}

// numbered is an entry with its number in the log.
type numbered struct {
	pack.Entry
	number uint64
}

func (n numbered) where() string { return fmt.Sprintf("entry %d (%s)", n.number, n.Entry) }

func (v *verification) fault(where, format string, args ...any) {
	v.report.Faults = append(v.report.Faults, fleet.EvidenceFault{Where: where, Message: fmt.Sprintf(format, args...)})
}

// check runs one part and, if it found nothing, says what was verified.
func (v *verification) check(part func(), checked string) {
	before := len(v.report.Faults)
	part()
	if len(v.report.Faults) == before {
		v.report.Checked = append(v.report.Checked, checked)
	}
}

// checkKept opens every checkpoint the witness ever cosigned.
func (v *verification) checkKept() {
	if v.seen.keptErr != nil {
		v.fault("checkpoints kept", "%v", v.seen.keptErr)
	}
	if !v.seen.untouched {
		v.fault("checkpoints kept", "the file does not say what was written to it")
	}
	for i, raw := range v.seen.kept {
		where := fmt.Sprintf("checkpoint %d kept", i+1)
		checkpoint, err := v.keys.Open(raw)
		switch {
		case err != nil:
			v.fault(where, "%v", err)
			continue
		case len(v.kept) > 0 && checkpoint.Size <= v.kept[len(v.kept)-1].Size:
			v.fault(where, "is over %d entries, not more than the one before it", checkpoint.Size)
			continue
		}
		v.kept = append(v.kept, checkpoint)
	}
}

// checkPublished chooses the checkpoint that the entries have to make: the
// newest there is, so that what was cut off is missing.
func (v *verification) checkPublished() {
	if len(v.kept) > 0 {
		v.newest = v.kept[len(v.kept)-1]
	}
	defer func() {
		v.report.Size, v.report.Root = int64(v.newest.Size), fmt.Sprintf("%x", v.newest.Hash) //nolint:gosec // no log has 2^63 entries
	}()
	if v.seen.publishedErr != nil {
		v.fault("checkpoint", "cannot be read: %v", v.seen.publishedErr)
		return
	}
	published, err := v.keys.Open(string(v.seen.published))
	if err != nil {
		v.fault("checkpoint", "%v", err)
		return
	}
	v.report.SignedBy = []string{v.keys.Log.Name(), v.keys.Witness.Name()}
	at := slices.IndexFunc(v.kept, func(kept formats.Checkpoint) bool { return kept.Size == published.Size })
	switch {
	case at < 0:
		v.fault("checkpoint", "is over %d entries, which the witness's checkpoints know nothing of", published.Size)
		if published.Size > v.newest.Size {
			v.newest = published
		}
	case !bytes.Equal(v.kept[at].Hash, published.Hash):
		v.fault("checkpoint", "with %d entries the witness saw another tree: the log was rewritten", published.Size)
	case published.Size < v.newest.Size:
		v.fault("checkpoint", "is over %d entries, the witness saw %d: entries %d to %d were cut off", published.Size, v.newest.Size, published.Size, v.newest.Size-1)
	}
}

// checkTree recomputes the tree from the entries as stored. Every checkpoint
// kept must come by on the way.
func (v *verification) checkTree(ctx context.Context) {
	factory := &compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	grown := factory.NewEmptyRange(0)
	leaves := make([][]byte, 0, v.newest.Size)
	next, agreed := 0, uint64(0)
	compareKept := func() {
		for ; next < len(v.kept) && v.kept[next].Size == grown.End(); next++ {
			if !bytes.Equal(rootOf(grown), v.kept[next].Hash) {
				v.fault(entriesBetween(agreed, grown.End()), "they do not make the tree of the checkpoint over %d entries: some were changed, added, removed or reordered", grown.End())
				next = len(v.kept) // what follows rests on the same entries
				return
			}
			agreed = grown.End()
		}
	}
	compareKept()
	for raw, err := range v.Log.entries(ctx, 0, v.newest.Size, v.newest.Size) {
		if err != nil {
			v.fault(fmt.Sprintf("entry %d and after", grown.End()), "cannot be read: %v", err)
			break
		}
		leaf := rfc6962.DefaultHasher.HashLeaf(raw)
		v.parse(uint64(len(leaves)), raw)
		leaves = append(leaves, leaf)
		if err := grown.Append(leaf, nil); err != nil {
			v.fault(fmt.Sprintf("entry %d", grown.End()), "%v", err)
			return
		}
		compareKept()
	}
	if next == len(v.kept) && grown.End() == v.newest.Size && agreed < v.newest.Size && !bytes.Equal(rootOf(grown), v.newest.Hash) && len(v.report.Faults) == 0 {
		v.fault(entriesBetween(agreed, v.newest.Size), "they do not make the tree of the checkpoint")
	}
	v.checkTiles(ctx, leaves)
}

func rootOf(grown *compact.Range) []byte {
	root, err := grown.GetRootHash(nil)
	if err != nil || grown.End() == 0 {
		return rfc6962.DefaultHasher.EmptyRoot()
	}
	return root
}

func entriesBetween(from, to uint64) string {
	if to == from+1 {
		return fmt.Sprintf("entry %d", from)
	}
	return fmt.Sprintf("entries %d to %d", from, to-1)
}

func (v *verification) parse(number uint64, raw []byte) {
	entry, err := pack.ParseEntry(raw)
	if err != nil {
		v.fault(fmt.Sprintf("entry %d", number), "%v", err)
		return
	}
	v.entries = append(v.entries, numbered{entry, number})
}

// checkTiles compares the stored hashes, which proofs are made of, with those
// of the entries. It is also what tells which entry was changed.
func (v *verification) checkTiles(ctx context.Context, hashes [][]byte) {
	for level := uint64(0); len(hashes) > 0; level++ {
		var above [][]byte
		for begin := 0; begin < len(hashes); begin += layout.TileWidth {
			row := hashes[begin:min(begin+layout.TileWidth, len(hashes))]
			v.checkTile(ctx, level, uint64(begin/layout.TileWidth), row) //nolint:gosec // a place in a slice
			if len(row) == layout.TileWidth {
				above = append(above, rowRoot(row))
			}
		}
		hashes = above
	}
}

func (v *verification) checkTile(ctx context.Context, level, index uint64, row [][]byte) {
	where := fmt.Sprintf("hashes, level %d, tile %d", level, index)
	partial, size := uint8(len(row)%layout.TileWidth), len(row)*rfc6962.DefaultHasher.Size() //nolint:gosec // below 256
	stored, err := v.files.ReadTile(ctx, level, index, partial)
	if err != nil {
		v.fault(where, "cannot be read: %v", err)
		return
	}
	if len(stored) < size || partial == 0 && len(stored) > size {
		v.fault(where, "has %d bytes for %d hashes", len(stored), len(row))
		return
	}
	for i, hash := range row {
		if bytes.Equal(hash, stored[i*len(hash):(i+1)*len(hash)]) {
			continue
		}
		if level == 0 {
			where = fmt.Sprintf("entry %d", index*layout.TileWidth+uint64(i)) //nolint:gosec // a place in a slice
		}
		v.fault(where, "what is stored is not what was hashed when it was added")
		return // what was inserted or removed moves all that follow
	}
}

// rowRoot is the root over a full tile's hashes.
func rowRoot(row [][]byte) []byte {
	for len(row) > 1 {
		half := make([][]byte, 0, len(row)/2)
		for i := 0; i < len(row); i += 2 {
			half = append(half, rfc6962.DefaultHasher.HashChildren(row[i], row[i+1]))
		}
		row = half
	}
	return row[0]
}

// checkEntries checks that the changes are in the order they were made in.
func (v *verification) checkEntries() {
	last := int64(0)
	for _, entry := range v.entries {
		if entry.Type != pack.EntryChange {
			continue
		}
		if entry.Revision <= last {
			v.fault(entry.where(), "comes after revision %d: entries were reordered or repeated", last)
		}
		last = max(last, entry.Revision)
	}
}
