package evidence

import (
	"context"
	"fmt"
	"slices"
	"time"

	formats "github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/tessera/client"

	"github.com/meridian-fleet/meridian/internal/evidence/pack"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// earlierCheckpoints is how many former checkpoints a pack proves consistency
// with: those of the latest packs before it.
const earlierCheckpoints = 64

// Export seals a report: it notes the report in the log and answers the pack
// with all proofs. It fails with ErrNeedsHuman when a document of the report
// is not in the log as it is, or the log does not verify: what was removed from
// the inventory would be missing from the report, and nobody could see it.
func (l *Log) Export(ctx context.Context, body fleet.EvidenceBody) ([]byte, error) {
	draft, err := pack.NewDraft(body)
	if err != nil {
		return nil, err
	}
	if err := l.Err(); err != nil {
		return nil, err
	}
	v, err := l.verified(ctx)
	if err != nil {
		return nil, err
	}
	if !v.report.Intact {
		return nil, fleet.Errorf(fleet.ErrNeedsHuman, "%s", v.report.Faults[0].Message).On(v.report.Faults[0].Where).Advise("verify the log")
	}
	quoted, reports, err := v.quote(draft.Recorded)
	if err != nil {
		return nil, err
	}
	proofs := pack.Proofs{LogKey: l.key.public, WitnessKey: l.witnessKey, Entries: quoted}
	if proofs.Report, err = l.note(ctx, draft.Manifest); err != nil {
		return nil, err
	}
	checkpoint, err := l.covering(ctx, proofs.Report.Index)
	if err != nil {
		return nil, err
	}
	proofs.Checkpoint = checkpoint.raw
	l.noteCheckpoint(ctx)
	if err := l.prove(ctx, &proofs, reports, checkpoint.size); err != nil {
		return nil, err
	}
	return pack.Seal(draft, proofs)
}

// covering waits for, and answers, the first witnessed checkpoint over an
// entry: later packs prove consistency with this very one.
func (l *Log) covering(ctx context.Context, index uint64) (sized, error) {
	ctx, cancel := context.WithTimeout(ctx, catchUpWithin)
	defer cancel()
	if _, _, err := l.published(ctx, index+1); err != nil {
		return sized{}, err
	}
	all, err := l.sizes()
	if err != nil {
		return sized{}, err
	}
	at := slices.IndexFunc(all, func(one sized) bool { return one.size > index })
	if at < 0 {
		return sized{}, fleet.Errorf(fleet.ErrNeedsHuman, "the checkpoints kept were cut off").On("evidence log").Advise("verify the log")
	}
	return all[at], nil
}

// note appends the entry of a report.
func (l *Log) note(ctx context.Context, manifest pack.Manifest) (pack.Included, error) {
	digest, err := manifest.Digest()
	if err != nil {
		return pack.Included{}, err
	}
	entry := pack.Entry{Format: pack.EntryFormat, Type: pack.EntryReport, RecordedAt: time.Now().UTC().Truncate(time.Microsecond), Manifest: digest}
	raw, err := entry.Marshal()
	if err != nil {
		return pack.Included{}, err
	}
	index, err := l.add(ctx, [][]byte{raw})
	return pack.Included{Index: index, Entry: string(raw)}, err
}

// quote finds the entries of recorded documents, each of which must be as the
// log notes it, and the numbers of all reports' entries.
func (v *verification) quote(recorded []fleet.Recorded) (quoted []pack.Included, reports []uint64, err error) {
	wanted := map[int64]fleet.Recorded{}
	for _, one := range recorded {
		wanted[one.Revision] = one
	}
	for _, entry := range v.entries {
		one, found := wanted[entry.Revision]
		switch {
		case entry.Type == pack.EntryReport:
			reports = append(reports, entry.number)
		case found:
			included, err := v.included(entry, one)
			if err != nil {
				return nil, nil, err
			}
			quoted = append(quoted, included)
			delete(wanted, entry.Revision)
		}
	}
	for _, one := range wanted {
		return nil, nil, fleet.Errorf(fleet.ErrNeedsHuman, "the log has no entry for it").On(revisionText(one)).Advise("verify the log")
	}
	return quoted, reports, nil
}

// included is the entry of a recorded document, without its proof.
func (v *verification) included(entry numbered, recorded fleet.Recorded) (pack.Included, error) {
	difference := entry.Differs(recorded)
	if difference == "" && entry.Actor != v.actors.digest(recorded.Actor) {
		difference = "it names another actor than the one the log noted"
	}
	if difference != "" {
		return pack.Included{}, fleet.Errorf(fleet.ErrNeedsHuman, "%s", difference).On(revisionText(recorded)).Advise("verify the log")
	}
	raw, err := entry.Marshal() // as it is stored, or it had not been read
	return pack.Included{Index: entry.number, Entry: string(raw)}, err
}

func revisionText(recorded fleet.Recorded) string {
	return fmt.Sprintf("revision %d (%s)", recorded.Revision, recorded.Ref)
}

// prove adds the proofs: of inclusion, and that the log only grew.
func (l *Log) prove(ctx context.Context, proofs *pack.Proofs, reports []uint64, size uint64) error {
	builder, err := client.NewProofBuilder(ctx, size, l.files.ReadTile)
	if err != nil {
		return fleet.Errorf(fleet.ErrNeedsHuman, "prove: %w", err).On("evidence log").Advise("verify the log")
	}
	included := []*pack.Included{&proofs.Report}
	for i := range proofs.Entries {
		included = append(included, &proofs.Entries[i])
	}
	for _, one := range included {
		if one.Proof, err = builder.InclusionProof(ctx, one.Index); err != nil {
			return fleet.Errorf(fleet.ErrNeedsHuman, "prove entry %d: %w", one.Index, err).On("evidence log").Advise("verify the log")
		}
	}
	chosen, err := l.earlier(reports, size)
	if err != nil {
		return err
	}
	for _, one := range chosen {
		consistency, err := builder.ConsistencyProof(ctx, one.size, size)
		if err != nil {
			return fleet.Errorf(fleet.ErrNeedsHuman, "prove that the log grew from %d entries: %w", one.size, err).On("evidence log").Advise("verify the log")
		}
		proofs.Earlier = append(proofs.Earlier, pack.Earlier{Checkpoint: one.raw, Proof: consistency})
	}
	return nil
}

type sized struct {
	raw  string
	size uint64
}

// sizes are the checkpoints kept, the oldest first.
func (l *Log) sizes() ([]sized, error) {
	checkpoints, _, err := l.kept.all()
	if err != nil {
		return nil, err
	}
	var all []sized
	for _, raw := range checkpoints {
		var checkpoint formats.Checkpoint
		if _, err := checkpoint.Unmarshal([]byte(raw)); err != nil {
			return nil, fleet.Errorf(fleet.ErrNeedsHuman, "a checkpoint kept cannot be read: %w", err).On("evidence log").Advise("verify the log")
		}
		all = append(all, sized{raw, checkpoint.Size})
	}
	return all, nil
}

// earlier chooses kept checkpoints: the first over each former report, which
// its pack was sealed with or one of the same tree, and the latest before size.
func (l *Log) earlier(reports []uint64, size uint64) ([]sized, error) {
	all, err := l.sizes()
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(one sized) bool { return one.size == 0 || one.size >= size })
	var chosen []sized
	for i, one := range all {
		covers := len(reports) > 0 && one.size > reports[0]
		for len(reports) > 0 && one.size > reports[0] {
			reports = reports[1:]
		}
		if covers || i == len(all)-1 {
			chosen = append(chosen, one)
		}
	}
	return chosen[max(0, len(chosen)-earlierCheckpoints):], nil
}
