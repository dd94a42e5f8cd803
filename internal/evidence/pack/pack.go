package pack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Format names the form of packs.
const Format = "meridian.dev/evidence/v1"

// Pack is what a report says, and the proofs.
type Pack struct {
	Format   string    `json:"format"`
	Manifest Manifest  `json:"manifest"`
	Sections []Section `json:"sections"`
	Log      Proofs    `json:"log"`
}

// Section is one member of a fleet.EvidenceBody, byte for byte.
type Section struct {
	Name    string          `json:"name"`
	Content json.RawMessage `json:"content"`
}

// Manifest is what a pack's report entry in the log vouches for.
type Manifest struct {
	Format   string   `json:"format"`
	Sections []Digest `json:"sections"`
}

// Digest identifies a section's content.
type Digest struct {
	Section string `json:"section"`
	SHA256  string `json:"sha256"`
	Bytes   int    `json:"bytes"`
}

// Proofs tie a pack to the log. Hashes are 32 bytes, in base64; checkpoints
// are signed notes (C2SP tlog-checkpoint) with the log's signature and the
// witness's cosignature.
type Proofs struct {
	LogKey     string     `json:"logKey"`     // verifier keys, as in golang.org/x/mod/sumdb/note
	WitnessKey string     `json:"witnessKey"` // C2SP cosignature/v1
	Checkpoint string     `json:"checkpoint"`
	Earlier    []Earlier  `json:"earlier,omitempty"` // checkpoints the log gave before, the oldest first
	Report     Included   `json:"report"`
	Entries    []Included `json:"entries"` // of every recorded document in the sections, in the log's order
}

// Earlier is a former checkpoint and the proof that the log only grew since.
type Earlier struct {
	Checkpoint string   `json:"checkpoint"`
	Proof      [][]byte `json:"proof"`
}

// Included is an entry, exactly as the log has it, and the proof that it is in.
type Included struct {
	Index uint64   `json:"index"` // counted from 0
	Entry string   `json:"entry"`
	Proof [][]byte `json:"proof"`
}

// Draft is a pack without proofs.
type Draft struct {
	Manifest Manifest
	Sections []Section
	Recorded []fleet.Recorded // every recorded document in the sections, each revision once, rising
}

// NewDraft cuts a report into sections and lists what the log has to vouch for.
func NewDraft(body fleet.EvidenceBody) (Draft, error) {
	sections, err := cut(body)
	if err != nil {
		return Draft{}, err
	}
	draft := Draft{Sections: sections, Manifest: Manifest{Format: Format}}
	for _, section := range sections {
		draft.Manifest.Sections = append(draft.Manifest.Sections, digestOf(section))
	}
	seen := map[int64]bool{}
	for _, group := range recordedIn(body) {
		for _, recorded := range group.documents {
			if !seen[recorded.Revision] {
				seen[recorded.Revision] = true
				draft.Recorded = append(draft.Recorded, recorded)
			}
		}
	}
	slices.SortFunc(draft.Recorded, func(a, b fleet.Recorded) int { return int(a.Revision - b.Revision) })
	return draft, nil
}

// Digest is the SHA-256 of the manifest, which the report entry names.
func (m Manifest) Digest() (string, error) {
	encoded, err := Encode(m)
	return SHA256(encoded), err
}

// Seal puts a draft and its proofs together and refuses what would not verify.
func Seal(draft Draft, proofs Proofs) ([]byte, error) {
	content, err := Pack{Format: Format, Manifest: draft.Manifest, Sections: draft.Sections, Log: proofs}.Marshal()
	if err != nil {
		return nil, err
	}
	report, err := Verify(content, Options{})
	if err != nil {
		return nil, err
	}
	if !report.Intact {
		fault := report.Faults[0]
		return nil, fleet.Errorf(fleet.ErrNeedsHuman, "the pack would not verify: %s", fault.Message).On(fault.Where).
			Advise("verify the log: something in it or in the inventory was changed")
	}
	return content, nil
}

// Marshal writes a pack in its one form.
func (p Pack) Marshal() ([]byte, error) {
	content, err := Encode(p)
	return append(content, '\n'), err
}

// Parse reads a pack without verifying it.
func Parse(content []byte) (Pack, error) {
	var parsed Pack
	if err := json.Unmarshal(content, &parsed); err != nil {
		return parsed, fleet.Errorf(fleet.ErrInvalid, "not an evidence pack: %w", err)
	}
	if parsed.Format != Format {
		return parsed, fleet.Errorf(fleet.ErrInvalid, "the pack's format is %q, this program knows %q", parsed.Format, Format)
	}
	return parsed, nil
}

// Body is what a pack's report says. It does not verify.
func Body(content []byte) (fleet.EvidenceBody, error) {
	parsed, err := Parse(content)
	if err != nil {
		return fleet.EvidenceBody{}, err
	}
	return parsed.body()
}

// Checkpoint is the checkpoint a pack was sealed with, for Options.Earlier of
// a later pack's verification.
func Checkpoint(content []byte) (string, error) {
	parsed, err := Parse(content)
	return parsed.Log.Checkpoint, err
}

func (p Pack) body() (fleet.EvidenceBody, error) {
	var body fleet.EvidenceBody
	var text bytes.Buffer
	text.WriteByte('{')
	for i, section := range p.Sections {
		name, err := Encode(section.Name)
		if err != nil {
			return body, err
		}
		if i > 0 {
			text.WriteByte(',')
		}
		text.Write(name)
		text.WriteByte(':')
		text.Write(section.Content)
	}
	text.WriteByte('}')
	if err := json.Unmarshal(text.Bytes(), &body); err != nil {
		return body, fleet.Errorf(fleet.ErrInvalid, "the sections are not a report: %w", err)
	}
	return body, nil
}

// cut makes a section of each member of a body.
func cut(body fleet.EvidenceBody) ([]Section, error) {
	content, err := Encode(body)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	if _, err := decoder.Token(); err != nil {
		return nil, fleet.Errorf(fleet.ErrInternal, "read a report: %w", err)
	}
	var sections []Section
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, fleet.Errorf(fleet.ErrInternal, "read a report: %w", err)
		}
		section := Section{Name: fmt.Sprint(name)}
		if err := decoder.Decode(&section.Content); err != nil {
			return nil, fleet.Errorf(fleet.ErrInternal, "read a report: %w", err)
		}
		sections = append(sections, section)
	}
	return sections, nil
}

func digestOf(section Section) Digest {
	return Digest{Section: section.Name, SHA256: SHA256(section.Content), Bytes: len(section.Content)}
}

// recordedGroup is the recorded documents of one section.
type recordedGroup struct {
	section   string
	documents []fleet.Recorded
}

func recordedIn(body fleet.EvidenceBody) []recordedGroup {
	return []recordedGroup{
		{"policies", body.Policies}, {"subjects", body.Subjects}, {"exceptions", body.Exceptions}, {"decisions", body.Decisions},
	}
}
