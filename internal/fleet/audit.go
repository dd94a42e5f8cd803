package fleet

import (
	"encoding/json"
	"time"
)

// Moment is what an answer is about and what it rests on. Zero values mean
// now, and all that is recorded.
type Moment struct {
	AsOf    time.Time `json:"asOf,omitzero"`    // what was law and fact then
	KnownAt time.Time `json:"knownAt,omitzero"` // what was recorded by then
}

// Located is one place where a dataset or workload is, or was.
type Located struct {
	Subject      Ref        `json:"subject,omitzero"`
	Classes      []string   `json:"classes,omitempty"` // when the subject has no name
	Binding      string     `json:"binding,omitempty"` // of the dataset's document
	Placement    string     `json:"placement,omitempty"`
	Facets       []Facet    `json:"facets"`
	Region       string     `json:"region"`
	Country      string     `json:"country,omitempty"`
	City         string     `json:"city,omitempty"`
	GeoRedundant bool       `json:"geoRedundant,omitempty"`
	Pair         string     `json:"pair,omitempty"` // of a geo-redundant place, resolved
	Store        string     `json:"store,omitempty"`
	Source       FactSource `json:"source"`
	From         string     `json:"from,omitempty"`
	Until        string     `json:"until,omitempty"`
	RecordedAt   time.Time  `json:"recordedAt"`
	RecordedBy   string     `json:"recordedBy,omitempty"`
}

// Audited is a place and what the rules say of it, one verdict for each facet.
type Audited struct {
	Located
	Verdicts []Verdict `json:"verdicts"`
}

// Clean reports whether everything about the place is allowed.
func (a Audited) Clean() bool {
	for _, verdict := range a.Verdicts {
		if !verdict.Allowed {
			return false
		}
	}
	return true
}

// AuditReport is every place, declared and found, against the rules.
type AuditReport struct {
	Moment
	At         time.Time       `json:"at"`       // when it was made
	Revision   int64           `json:"revision"` // of the inventory it rests on
	Places     []Audited       `json:"places"`
	Violations int             `json:"violations"` // places that are not clean
	Suspended  int             `json:"suspended"`  // clean only because of an exception
	Warnings   []PolicyWarning `json:"warnings,omitempty"`
}

// Possible is a region where a subject may be, or what stands against it.
type Possible struct {
	Region   string  `json:"region"`
	Country  string  `json:"country"`
	City     string  `json:"city,omitempty"`
	Operator string  `json:"operator,omitempty"`
	Allowed  bool    `json:"allowed"`
	Rank     int     `json:"rank,omitempty"` // 1 is best; of allowed ones only
	Why      string  `json:"why,omitempty"`  // what ranks it, or what forbids it
	Verdict  Verdict `json:"verdict"`
}

// ResidencyEvent is one entry of a dataset's history.
type ResidencyEvent struct {
	From       time.Time `json:"from"`       // since when it is true
	RecordedAt time.Time `json:"recordedAt"` // when Meridian learned it
	RecordedBy string    `json:"recordedBy,omitempty"`
	Kind       string    `json:"kind"` // declared, changed, placed, moved, left, policy, exception, decision
	Text       string    `json:"text"`
	Ref        Ref       `json:"ref"`
	Revision   int64     `json:"revision"`
	Region     string    `json:"region,omitempty"`
	Verdict    *Verdict  `json:"verdict,omitempty"`
}

// PolicyDiff is what would become unlawful, or lawful, if documents changed.
type PolicyDiff struct {
	Moment
	Changed  []Ref           `json:"changed"`
	Places   []PlaceDiff     `json:"places"`  // where something is now
	Regions  []RegionsDiff   `json:"regions"` // where it might be
	Warnings []PolicyWarning `json:"warnings,omitempty"`
}

// PlaceDiff is a present place whose verdict would change.
type PlaceDiff struct {
	Place  Located `json:"place"`
	Facet  Facet   `json:"facet"`
	Before Verdict `json:"before"`
	After  Verdict `json:"after"`
}

// RegionsDiff is a subject and facet whose allowed regions would change.
type RegionsDiff struct {
	Subject Ref      `json:"subject"`
	Facet   Facet    `json:"facet"`
	Lost    []string `json:"lost,omitempty"`
	Won     []string `json:"won,omitempty"`
}

// Recorded is a document as it was recorded, for an evidence pack.
type Recorded struct {
	Revision int64           `json:"revision"`
	At       time.Time       `json:"at"`
	Actor    string          `json:"actor"`
	Action   string          `json:"action"`
	Ref      Ref             `json:"ref"`
	Document json.RawMessage `json:"document,omitempty"` // exactly the bytes the inventory has; absent: deleted
}

// EvidenceBody is what a report says. See package evidence for how it is sealed.
type EvidenceBody struct {
	Title      string        `json:"title"`
	Moment     Moment        `json:"moment"`
	MadeAt     time.Time     `json:"madeAt"`
	MadeBy     string        `json:"madeBy"`
	Version    string        `json:"version"` // of Meridian
	Audit      AuditReport   `json:"audit"`
	Matrix     []Possible    `json:"matrix,omitempty"` // every dataset and facet over the regions in use
	Catalog    []RegionFacts `json:"catalog"`          // regions the report mentions
	Policies   []Recorded    `json:"policies"`         // policies, groups and classes in force
	Subjects   []Recorded    `json:"subjects"`         // datasets and workloads
	Exceptions []Recorded    `json:"exceptions"`
	Decisions  []Recorded    `json:"decisions"`
	Disclaimer string        `json:"disclaimer"`
}

// EvidenceReport is the outcome of a verification.
type EvidenceReport struct {
	Intact   bool              `json:"intact"`
	Checked  []string          `json:"checked"` // what was verified, in plain words
	Faults   []EvidenceFault   `json:"faults,omitempty"`
	Size     int64             `json:"size"` // entries in the log
	Root     string            `json:"root"` // of the Merkle tree, hex
	SignedBy []string          `json:"signedBy,omitempty"`
	Details  map[string]string `json:"details,omitempty"`
}

// EvidenceFault is something that was changed, removed, added or reordered.
type EvidenceFault struct {
	Where   string `json:"where"` // entry 17, revision 203 (Exception x), section audit, byte 1234
	Message string `json:"message"`
}
