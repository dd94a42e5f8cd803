package pack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	formats "github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Options are what the verifier knows besides the pack.
type Options struct {
	// LogKey and WitnessKey are verifier keys known to be right. Without them
	// the pack's own are taken, which proves that nothing was changed since it
	// was sealed, but not by whom it was sealed.
	LogKey     string
	WitnessKey string
	// Earlier is a checkpoint of the same log from elsewhere, such as an
	// earlier pack's; the log must contain all it had then.
	Earlier string
	// Place names an offset in the pack, counted from 0, for people: a pack
	// inside another file is looked for in that. Without it the pack is a file.
	Place func(offset int) string
}

// The details of a report.
const (
	DetailLogKey             = "log key"
	DetailLogFingerprint     = "log key fingerprint"
	DetailWitnessKey         = "witness key"
	DetailWitnessFingerprint = "witness key fingerprint"
	DetailTrust              = "trust"
)

const ownKeys = "keys from the pack itself: compare their fingerprints with those its maker tells you"

// Verify checks a pack with nothing but itself and the options. Whatever is
// wrong with the pack is a fault in the report; the error is about options.
func Verify(content []byte, options Options) (fleet.EvidenceReport, error) {
	if options.Place == nil {
		options.Place = func(offset int) string { return Position(content, offset) }
	}
	v := &verification{content: content, options: options}
	if err := v.checkOptions(); err != nil {
		return fleet.EvidenceReport{}, err
	}
	v.run()
	v.report.Intact = len(v.report.Faults) == 0
	return v.report, nil
}

// verification is one run over one pack.
type verification struct {
	content    []byte
	options    Options
	pack       Pack
	keys       Keys
	checkpoint formats.Checkpoint
	report     fleet.EvidenceReport
}

func (v *verification) fault(where, format string, args ...any) {
	v.report.Faults = append(v.report.Faults, fleet.EvidenceFault{Where: where, Message: fmt.Sprintf(format, args...)})
}

// check runs one part and, if it found nothing, says what was verified.
func (v *verification) check(part func(), format string, args ...any) bool {
	before := len(v.report.Faults)
	part()
	if len(v.report.Faults) > before {
		return false
	}
	v.report.Checked = append(v.report.Checked, fmt.Sprintf(format, args...))
	return true
}

func (v *verification) checkOptions() error {
	for _, key := range []struct {
		name, text string
		algorithm  byte
	}{{"the trusted log key", v.options.LogKey, algorithmSignature}, {"the trusted witness key", v.options.WitnessKey, algorithmCosignature}} {
		if key.text == "" {
			continue
		}
		if err := checkKey(key.text, key.algorithm); err != nil {
			return err.On(key.name)
		}
	}
	return nil
}

func (v *verification) run() {
	if !v.parse() {
		return
	}
	v.check(v.checkForm, "the pack is in the one form packs have, byte for byte")
	v.check(v.checkSections, "all %d sections are those of the manifest", len(v.pack.Sections))
	signed := v.checkKeys() && v.check(v.checkCheckpoint, "the log signed, and the witness cosigned, the checkpoint")
	if signed {
		v.report.Size, v.report.Root = int64(v.checkpoint.Size), fmt.Sprintf("%x", v.checkpoint.Hash) //nolint:gosec // no log has 2^63 entries
		v.report.SignedBy = []string{v.keys.Log.Name(), v.keys.Witness.Name()}
	}
	v.check(func() { v.checkReport(signed) }, "the log has an entry for exactly this report")
	v.check(func() { v.checkEntries(signed) }, "all %d entries the pack quotes are in the log", len(v.pack.Log.Entries))
	v.check(v.checkRecorded, "every document quoted is, to the byte, the one the log notes")
	if signed {
		v.check(v.checkEarlier, "the log only grew since %d earlier checkpoints", len(v.pack.Log.Earlier))
		v.checkOptionsEarlier()
	}
}

func (v *verification) parse() bool {
	parsed, err := Parse(v.content)
	var syntax *json.SyntaxError
	var mistyped *json.UnmarshalTypeError
	switch {
	case err == nil:
		v.pack = parsed
		return true
	case errors.As(err, &syntax):
		v.fault(v.options.Place(int(syntax.Offset)-1), "%v", err)
	case errors.As(err, &mistyped):
		v.fault(v.options.Place(int(mistyped.Offset)-1), "%v", err)
	default:
		v.fault("format", "%v", err)
	}
	return false
}

func (v *verification) checkForm() {
	canonical, err := v.pack.Marshal()
	if err != nil {
		v.fault("the whole", "%v", err)
		return
	}
	if at := difference(v.content, canonical); at >= 0 {
		v.fault(v.options.Place(at), "not as packs are written: something was changed here or shortly before")
	}
}

func (v *verification) checkSections() {
	names := func(i int) (string, string) {
		var section, listed string
		if i < len(v.pack.Sections) {
			section = v.pack.Sections[i].Name
		}
		if i < len(v.pack.Manifest.Sections) {
			listed = v.pack.Manifest.Sections[i].Section
		}
		return section, listed
	}
	for i := range max(len(v.pack.Sections), len(v.pack.Manifest.Sections)) {
		section, listed := names(i)
		if section != listed {
			v.fault(fmt.Sprintf("section %q", section), "the manifest lists %q here", listed)
			continue
		}
		if got, want := digestOf(v.pack.Sections[i]), v.pack.Manifest.Sections[i]; got != want {
			v.fault("section "+section, "its content has %d bytes with SHA-256 %s, the manifest says %d bytes with %s", got.Bytes, got.SHA256, want.Bytes, want.SHA256)
		}
	}
}

// checkKeys chooses the keys to verify with. Trusted ones must be the pack's.
func (v *verification) checkKeys() bool {
	proofs := v.pack.Log
	v.report.Details = map[string]string{
		DetailLogKey: proofs.LogKey, DetailLogFingerprint: Fingerprint(proofs.LogKey),
		DetailWitnessKey: proofs.WitnessKey, DetailWitnessFingerprint: Fingerprint(proofs.WitnessKey),
		DetailTrust: ownKeys,
	}
	keys, err := NewKeys(proofs.LogKey, proofs.WitnessKey)
	if err != nil {
		v.fault("keys", "%v", err)
		return false
	}
	v.keys = keys
	trusted := []string{}
	for _, key := range []struct{ name, trusted, own string }{
		{"log key", v.options.LogKey, proofs.LogKey}, {"witness key", v.options.WitnessKey, proofs.WitnessKey},
	} {
		if key.trusted != "" && key.trusted != key.own {
			v.fault(key.name, "the pack was made with %s, not with the trusted %s", key.own, key.trusted)
			return false
		}
		if key.trusted != "" {
			trusted = append(trusted, key.name)
		}
	}
	if len(trusted) > 0 {
		v.report.Details[DetailTrust] = strings.Join(trusted, " and ") + " as told by the verifier"
	}
	return true
}

func (v *verification) checkCheckpoint() {
	checkpoint, err := v.keys.Open(v.pack.Log.Checkpoint)
	if err != nil {
		v.fault("checkpoint", "%v", err)
	}
	v.checkpoint = checkpoint
}

// checkIncluded checks one entry and its proof.
func (v *verification) checkIncluded(included Included, signed bool) (Entry, bool) {
	where := fmt.Sprintf("entry %d", included.Index)
	entry, err := ParseEntry([]byte(included.Entry))
	if err != nil {
		v.fault(where, "%v", err)
		return entry, false
	}
	if !signed {
		return entry, true
	}
	leaf := rfc6962.DefaultHasher.HashLeaf([]byte(included.Entry))
	err = proof.VerifyInclusion(rfc6962.DefaultHasher, included.Index, v.checkpoint.Size, leaf, included.Proof, v.checkpoint.Hash)
	if err != nil {
		v.fault(fmt.Sprintf("%s (%s)", where, entry), "its proof does not lead to the checkpoint: the entry, its number or the proof was changed: %v", err)
	}
	return entry, err == nil
}

func (v *verification) checkReport(signed bool) {
	entry, ok := v.checkIncluded(v.pack.Log.Report, signed)
	if !ok {
		return
	}
	where := fmt.Sprintf("entry %d (%s)", v.pack.Log.Report.Index, entry)
	digest, err := v.pack.Manifest.Digest()
	switch {
	case err != nil:
		v.fault("manifest", "%v", err)
	case entry.Type != EntryReport:
		v.fault(where, "is not a report's entry")
	case entry.Manifest != digest:
		v.fault("manifest", "its SHA-256 is %s, the log's entry %d notes %s", digest, v.pack.Log.Report.Index, entry.Manifest)
	}
}

func (v *verification) checkEntries(signed bool) {
	index, revision := int64(-1), int64(0)
	for _, included := range v.pack.Log.Entries {
		entry, ok := v.checkIncluded(included, signed)
		if !ok {
			continue
		}
		where := fmt.Sprintf("entry %d (%s)", included.Index, entry)
		if entry.Type != EntryChange {
			v.fault(where, "is not the entry of a change")
			continue
		}
		if int64(included.Index) <= index || entry.Revision <= revision { //nolint:gosec // inclusion bounds it, or the order is wrong anyway
			v.fault(where, "is not after the entry before it")
		}
		index, revision = int64(included.Index), entry.Revision //nolint:gosec // as above
	}
}

// checkRecorded compares every quoted document with its entry.
func (v *verification) checkRecorded() {
	body, err := v.pack.body()
	if err != nil {
		v.fault("sections", "%v", err)
		return
	}
	entries := map[int64]Entry{}
	for _, included := range v.pack.Log.Entries {
		if entry, err := ParseEntry([]byte(included.Entry)); err == nil {
			entries[entry.Revision] = entry
		}
	}
	for _, group := range recordedIn(body) {
		for _, recorded := range group.documents {
			where := fmt.Sprintf("section %s, revision %d (%s)", group.section, recorded.Revision, recorded.Ref)
			entry, found := entries[recorded.Revision]
			if !found {
				v.fault(where, "the pack has no entry of the log for it")
			} else if difference := entry.Differs(recorded); difference != "" {
				v.fault(where, "%s", difference)
			}
		}
	}
}

func (v *verification) checkEarlier() {
	size := uint64(0)
	for i, earlier := range v.pack.Log.Earlier {
		where := fmt.Sprintf("earlier checkpoint %d", i+1)
		checkpoint, err := v.keys.Open(earlier.Checkpoint)
		if err != nil {
			v.fault(where, "%v", err)
			continue
		}
		if i > 0 && checkpoint.Size <= size {
			v.fault(where, "is not after the one before it")
		}
		size = checkpoint.Size
		err = proof.VerifyConsistency(rfc6962.DefaultHasher, checkpoint.Size, v.checkpoint.Size, earlier.Proof, checkpoint.Hash, v.checkpoint.Hash)
		if err != nil {
			v.fault(fmt.Sprintf("%s (%d entries)", where, checkpoint.Size), "what the log had then is not what it has now: %v", err)
		}
	}
}

// checkOptionsEarlier compares the verifier's own older checkpoint with the
// one of the pack's that has its size, which is proved consistent above.
func (v *verification) checkOptionsEarlier() {
	if v.options.Earlier == "" {
		return
	}
	const where = "the older checkpoint"
	older, err := v.keys.Open(v.options.Earlier)
	if err != nil {
		v.fault(where, "%v", err)
		return
	}
	if older.Size > v.checkpoint.Size {
		v.fault(where, "has %d entries, the pack's log only %d: it is newer, or the log was cut off", older.Size, v.checkpoint.Size)
		return
	}
	candidates := []string{v.pack.Log.Checkpoint}
	for _, earlier := range v.pack.Log.Earlier {
		candidates = append(candidates, earlier.Checkpoint)
	}
	at := slices.IndexFunc(candidates, func(candidate string) bool {
		checkpoint, err := v.keys.Open(candidate)
		return err == nil && checkpoint.Size == older.Size
	})
	if at < 0 {
		v.fault(where, "has %d entries; the pack has no proof from that size: ask for a newer pack, or compare with one made later than the checkpoint", older.Size)
		return
	}
	same, _ := v.keys.Open(candidates[at]) // opened just above
	v.check(func() {
		if !bytes.Equal(same.Hash, older.Hash) {
			v.fault(where, "with %d entries its root is %x, in the pack's log it is %x: the log was rewritten", older.Size, older.Hash, same.Hash)
		}
	}, "the log contains, unchanged, all it had at the older checkpoint (%d entries)", older.Size)
}
