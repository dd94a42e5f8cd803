package pack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// EntryFormat is the version of the form log entries have.
const EntryFormat = 1

// The types of entries.
const (
	EntryChange = "change" // a change of the inventory
	EntryReport = "report" // a pack was made
)

// Entry is one entry of the log. It holds nothing personal: what a document
// says and who changed it is there as digests only.
type Entry struct {
	Format     int        `json:"format"`
	Type       string     `json:"type"`
	RecordedAt time.Time  `json:"recordedAt"` // of the change, or when the pack was made; UTC
	Revision   int64      `json:"revision,omitempty"`
	Kind       fleet.Kind `json:"kind,omitempty"`
	Name       string     `json:"name,omitempty"`
	Action     string     `json:"action,omitempty"`
	Document   string     `json:"document,omitempty"` // SHA-256 of the stored bytes; absent: deleted
	Actor      string     `json:"actor,omitempty"`    // HMAC-SHA-256 under a key that stays with the log
	Manifest   string     `json:"manifest,omitempty"` // SHA-256 of a pack's manifest
}

// Ref of the resource that changed.
func (e Entry) Ref() fleet.Ref { return fleet.Ref{Kind: e.Kind, Name: e.Name} }

// Marshal returns the entry as the log has it.
func (e Entry) Marshal() ([]byte, error) { return Encode(e) }

// ParseEntry reads an entry and refuses any that Marshal would write
// differently, or that lacks what its type needs.
func ParseEntry(raw []byte) (Entry, error) {
	var entry Entry
	if err := json.Unmarshal(raw, &entry); err != nil {
		return entry, fleet.Errorf(fleet.ErrInvalid, "not an entry: %w", err)
	}
	canonical, err := entry.Marshal()
	if err != nil {
		return entry, err
	}
	if !bytes.Equal(raw, canonical) {
		return entry, fleet.Errorf(fleet.ErrInvalid, "not in the form entries have, from %s", FirstDifference(raw, canonical))
	}
	if entry.Format != EntryFormat {
		return entry, fleet.Errorf(fleet.ErrInvalid, "entry format %d, this program knows %d", entry.Format, EntryFormat)
	}
	return entry, entry.complete()
}

func (e Entry) complete() error {
	change := e.Revision > 0 && e.Kind != "" && e.Name != "" && e.Action != "" && e.Manifest == ""
	report := e.Revision == 0 && e.Ref() == fleet.Ref{} && e.Action == "" && e.Document == "" && len(e.Manifest) == 64
	if e.Type == EntryChange && change || e.Type == EntryReport && report {
		return nil
	}
	return fleet.Errorf(fleet.ErrInvalid, "a %q entry without what it needs, or with more", e.Type)
}

// String names an entry for people, without its number.
func (e Entry) String() string {
	if e.Type == EntryReport {
		return "report"
	}
	return fmt.Sprintf("revision %d, %s", e.Revision, e.Ref())
}

// Differs says in plain words how a recorded document differs from what the
// entry notes of it; empty when it does not.
func (e Entry) Differs(recorded fleet.Recorded) string {
	digest := ""
	if recorded.Document != nil {
		digest = SHA256(recorded.Document)
	}
	switch {
	case e.Type != EntryChange || e.Revision != recorded.Revision:
		return fmt.Sprintf("the entry is about another change (%s)", e)
	case e.Ref() != recorded.Ref:
		return fmt.Sprintf("the log notes a change of %s", e.Ref())
	case e.Action != recorded.Action:
		return fmt.Sprintf("it says %q, the log notes %q", recorded.Action, e.Action)
	case !e.RecordedAt.Equal(recorded.At):
		return fmt.Sprintf("it says %s, the log notes %s", recorded.At.UTC().Format(time.RFC3339Nano), e.RecordedAt.Format(time.RFC3339Nano))
	case e.Document != digest:
		return "the document is not the one the log notes"
	}
	return ""
}
